"""A web server on loopback whose pages answer, or misbehave, as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from xml.sax.saxutils import escape

from tests.loopback import Loopback, Quiet

Page = Callable[["Visit"], None]


class Visit:
    """One request, and the means to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, web: Web) -> None:
        self.path = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.web = web
        self._handler = handler

    def send(self, content: bytes | str = b"", status: int = 200, **headers: str) -> None:
        """Send a whole answer."""
        data = content.encode() if isinstance(content, str) else content
        self.begin(status, **{"Content_Length": str(len(data)), **headers})
        self.more(data)

    def begin(self, status: int = 200, **headers: str) -> None:
        """Send the status and the headers; underscores in their names stand for hyphens."""
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def more(self, data: bytes) -> None:
        """Send some bytes at once."""
        self._handler.wfile.write(data)
        self._handler.wfile.flush()


class Web(Loopback):
    """The server; `pages` answer by path, `visits` are the requests that came, in order."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.visits: list[Visit] = []
        outer = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                visit = Visit(self, outer)
                outer.visits.append(visit)
                try:
                    outer.pages.get(self.path, answers("Tidak ada", 404))(visit)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        super().__init__(Handler)

    def url(self, path: str) -> str:
        """Return the address of a page."""
        return f"http://{self.host}{path}"

    def asked(self, path: str) -> int:
        """Count the requests for a page."""
        return sum(visit.path == path for visit in self.visits)


def answers(content: bytes | str = b"", status: int = 200, **headers: str) -> Page:
    """Return a page that always answers this."""
    return lambda visit: visit.send(content, status, **headers)


def leads_to(target: str, status: int = 302) -> Page:
    """Return a page that redirects."""
    return answers(status=status, Location=target)


def drips(data: bytes, seconds: float) -> Page:
    """Return a page that sends a byte now and then, for ever, also of its headers."""

    def page(visit: Visit) -> None:
        visit.more(data)
        while not visit.web.closing.wait(seconds):
            visit.more(b"x")

    return page


def rss(items: Iterable[str]) -> str:
    """Return a feed of these items."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Kabar</title>'
        f"<link>http://contoh.example/</link>{''.join(items)}</channel></rss>"
    )


def item(
    link: str,
    title: str = "Judul",
    date: str = "",
    guid: str = "",
    full: str = "",
    teaser: str = "",
) -> str:
    """Return an item of a feed."""
    parts = {
        "title": title,
        "link": link,
        "pubDate": date,
        "guid": guid,
        "description": teaser,
        "content:encoded": full,
    }
    written = (f"<{name}>{escape(text)}</{name}>" for name, text in parts.items() if text)
    return f"<item>{''.join(written)}</item>"


def news(title: str, body: str, date: str = "", canonical: str = "") -> str:
    """Return an article's page; the body's lines are its paragraphs."""
    meta = f'<meta property="article:published_time" content="{date}">' if date else ""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in body.split("\n"))
    return (
        f'<html><head><title>{escape(title)}</title><meta property="og:type" content="article">'
        f"{meta}{link}</head><body><nav><a href='/'>Beranda</a></nav>"
        f"<article><h1>{escape(title)}</h1>{paragraphs}</article></body></html>"
    )
