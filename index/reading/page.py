"""An article out of an HTML page: what the page says of itself, and whether it is one at all.

A page that is a list, a search or an error is a problem.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from index import clean
from index.reading.dates import date_in_url, date_of
from index.reading.inputs import InputFile, Outcome, decode_page, shortened
from index.reading.paragraphs import Page, blocks_of, body_of, without_teasers
from index.reading.publishers import (
    article_id,
    canonical_publisher,
    host_of,
    is_known,
    page_of,
    publisher_of_dateline,
)
from index.reading.scraped import (
    name_of,
    one_line,
    people,
    persons,
    text_of,
    without_controls,
)
from index.records import SOME_PAGE, Article
from index.text import squeezed

PAGE_LIMIT = 4_000_000
"""An HTML page may have this many bytes: finding the text in a longer one takes minutes."""

_DATE_METAS = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "content_publisheddate",
    "publishdate",
    "publish_date",
    "pubdate",
    "dc.date.issued",
    "dc.date",
    "dtk:publishdate",
    "cxenseparse:recs:publishtime",
    "parsely-pub-date",
    "sailthru.date",
    "originalpublishdate",
)
_INDEX_PATH = re.compile(
    r"/?(?:index\.\w{2,5}|home|beranda|indeks?|search|cari|pencarian|tags?|topik|terpopuler)?/?$"
    r"|/?(?:search|cari|pencarian|tags?|topik|topic|indeks?|kategori|category|author|penulis)/",
    re.IGNORECASE,
)
_ERROR_TITLE = re.compile(
    r"\b(?:404|403|500|502|503)\b|not found|tidak ditemukan|forbidden|access denied|akses ditolak"
    r"|page error|internal server error|bad gateway|just a moment|service unavailable",
    re.IGNORECASE,
)
_PAGE_TITLE = re.compile(
    r"\s*[-–—|(:,]\s*(?:Halaman|Hal\.?|Page)\s+(?P<number>\d{1,3}|all|semua)\b"
    r"(?:\s+(?:dari|of)\s+\d{1,3})?\)?(?=\s*$|\s+[-–—|])",
    re.IGNORECASE,
)
_SEARCH_TITLE = re.compile(
    r"^(?:hasil (?:pencarian|cari)|search results?|pencarian|kumpulan (?:artikel|berita)|indeks)\b",
    re.IGNORECASE,
)
# A page that calls itself an article may be a photo with its caption.
_SHORTEST_CLAIMED = 80
# A page without a day of its own that has so little text and so many headlines is a tag's.
_SHORT, _MANY = 400, 10
_SHORTEST_UNCLAIMED = 250


@dataclass(frozen=True, slots=True)
class _Head:
    """What a page says of itself in JSON-LD and meta tags; `is_list`: of several articles."""

    linked: Mapping[str, Any]
    metas: Mapping[str, str]
    canonical: str
    headings: tuple[str, ...]
    page_title: str
    is_list: bool

    def meta(self, *names: str) -> str:
        """Return the first of these meta tags that is not empty."""
        return next((self.metas[name] for name in names if self.metas.get(name)), "")


def read(file: InputFile) -> Iterator[Outcome]:
    """Read a page, by the encoding that it declares where its first bytes tell of none."""
    data = file.whole(PAGE_LIMIT)
    if data is None:
        yield file.problem(f"The page is longer than {PAGE_LIMIT // 1_000_000} MB; it was skipped.")
        return
    try:
        yield _article(without_controls(decode_page(data, file.encoding)), file)
    except (ValueError, RecursionError, MemoryError) as error:
        yield file.problem(f"The page cannot be understood: {shortened(error)}.")


def _article(text: str, file: InputFile) -> Outcome:
    import trafilatura
    from lxml import etree
    from lxml import html as lxml_html

    # lxml refuses text that declares an encoding of its own.
    text = re.sub(r"^\s*<\?xml[^>]{0,300}\?>", "", text)
    try:
        tree = lxml_html.document_fromstring(text)
    except (etree.ParserError, etree.XMLSyntaxError):
        return file.problem("The page is empty.")
    head = _head_of(tree)
    title = _title_of(head)
    blocks = blocks_of(tree)
    page = without_teasers(blocks, f"{title} {head.page_title}")
    extracted = trafilatura.bare_extraction(
        text, include_comments=False, include_tables=False, with_metadata=False
    )
    declared = text_of(head.linked.get("articleBody"))
    body = body_of(page, (extracted.text or "") if extracted else "", declared)
    url = _url_of(head) or file.url
    if reason := _no_article(head, title, body, url, page):
        return file.problem(reason)
    published = _published(head, url, file)
    if not (title and published):
        # Looking for them all over a page takes a while.
        guessed = _guessed(text)
        title = title or one_line(guessed[0])
        published = published or date_of(guessed[1], file.today)
    publisher = _publisher_of(head, url, body, file.publisher)
    address, number = _place_of(tree, head, url)
    bylines = [found for block in blocks if (found := clean.read_byline(block.text))]
    authors = people(head.linked.get("author")) or persons(n for b in bylines for n in b.authors)
    authors = authors or _meta_authors(head)
    editors = people(head.linked.get("editor")) or persons(n for b in bylines for n in b.editors)
    return Article(
        id=article_id(None, publisher, address, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=published,
        authors=tuple(name for name in authors if not _is_newsroom(name, publisher)),
        editors=tuple(name for name in editors if not _is_newsroom(name, publisher)),
        origin=canonical_publisher(next((b.origin for b in bylines if b.origin), "")),
        page=number,
    )


def _guessed(text: str) -> tuple[object, object]:
    """Return the title and the date that a page seems to have, None where nothing is found."""
    import trafilatura

    try:
        guess = trafilatura.extract_metadata(text)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        # A page without a body breaks what looks for its date; its text was read all the same.
        return None, None
    return guess.title, guess.date


# --- what a page says of itself ------------------------------------------------------------------


def _head_of(tree: Any) -> _Head:
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        content = one_line(meta.get("content") or "")
        if name and content:
            metas.setdefault(name.strip().lower(), content)
    for element in tree.xpath("//*[@itemprop='datePublished' or @pubdate]"):
        when = element.get("content") or element.get("datetime") or element.text_content()
        metas.setdefault("datepublished", one_line(when)[:100])
    links = [link.get("href") or "" for link in tree.xpath("//link[@rel='canonical']")]
    canonical = next((link.strip() for link in links if link.strip()), "")
    headings = [one_line(h.text_content()) for h in tree.xpath("//h1|//h2")]
    titles = [one_line(t.text_content()) for t in tree.xpath("//head/title|//title")[:1]]
    found, is_list = _linked_data(tree)
    shown = [*titles, metas.get("og:title", ""), *(h.text_content() for h in tree.xpath("//h1"))]
    address = page_of(canonical or metas.get("og:url", ""))[0]
    own = found[0] if len(found) == 1 and not is_list else _own(found, shown, address)
    return _Head(
        linked=own,
        metas=metas,
        canonical=canonical,
        headings=tuple(filter(None, headings)),
        page_title=titles[0] if titles else "",
        is_list=not own and is_list,
    )


def _linked_data(tree: Any) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the JSON-LD objects of articles, and whether one describes a list of pages."""
    found: list[Mapping[str, Any]] = []
    is_list = False
    for script in tree.xpath("//script[contains(@type, 'ld+json')]"):
        try:
            # Raw newlines stand in many publishers' strings, so it is not read strictly.
            waiting = [json.loads(script.text_content().strip().rstrip(";"), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting:
            value = waiting.pop()
            if isinstance(value, list):
                waiting.extend(reversed(value))
            elif isinstance(value, dict):
                kind = str(value.get("@type", ""))
                if "Article" in kind or "BlogPosting" in kind or "Report" in kind:
                    found.append(value)
                else:
                    is_list = is_list or kind in ("CollectionPage", "SearchResultsPage")
                    waiting.extend(v for k, v in value.items() if k in ("@graph", "mainEntity"))
    return found, is_list


def _own(
    found: Sequence[Mapping[str, Any]], headings: Sequence[str], address: str
) -> Mapping[str, Any]:
    """Return the object of the page's own article; an empty one where all are of other pages."""
    shown = " ".join(map(squeezed, headings))
    for linked in found:
        main = linked.get("mainEntityOfPage")
        urls = [main.get("@id") if isinstance(main, dict) else main, linked.get("url")]
        same = address and address in (page_of(one_line(url))[0] for url in urls)
        headline = squeezed(one_line(linked.get("headline")))
        if same or (headline and headline in shown):
            return linked
    return {}


def _is_newsroom(name: str, publisher: str) -> bool:
    """Tell whether a name is the publisher's own, or that of a part of it ("Kabar Kota TV")."""
    own = f"{squeezed(publisher)} "
    return canonical_publisher(name) == publisher or (
        own.count(" ") > 1 and f"{squeezed(name)} ".startswith(own)
    )


def _meta_authors(head: _Head) -> tuple[str, ...]:
    written = head.meta("author", "dtk:author", "content_author", "article:author")
    return () if "/" in written or "@" in written else persons(clean.names(written))


def _title_of(head: _Head) -> str:
    named = one_line(head.linked.get("headline"))
    shown = head.meta("og:title", "twitter:title", "title") or head.page_title
    whole = squeezed(shown) or squeezed(named)
    headings = [h for h in head.headings if len(h.split()) > 2]
    if same := [h for h in headings if squeezed(h) in whole]:
        return _PAGE_TITLE.sub("", max(same, key=len))
    if len(whole.split()) < 3 and headings:
        return headings[0]
    return named or _PAGE_TITLE.sub("", _without_site(_PAGE_TITLE.sub("", shown), head))


def _without_site(title: str, head: _Head) -> str:
    """Cut the site's name off a page's title: "Judul - Situs", "Situs: Judul"."""
    host = host_of(_url_of(head))
    site = re.sub(r"[\W_]", "", (head.meta("og:site_name") + host).lower())
    parts = re.split(r"\s+[-–—|»:]\s+|(?<=\.com):\s+", title)
    while len(parts) > 1 and _names_site(parts[-1], site):
        parts.pop()
    while len(parts) > 1 and _names_site(parts[0], site):
        parts.pop(0)
    start = title.find(parts[0])
    end = title.rfind(parts[-1]) + len(parts[-1])
    return title[start:end].strip()


def _names_site(part: str, site: str) -> bool:
    words = [re.sub(r"[\W_]", "", word.lower()) for word in part.split()]
    if re.fullmatch(r"\S+\.(?:com|co\.id|id|co|net)", part.strip(), re.IGNORECASE):
        return True
    return len(words) <= 4 and any(
        len(word) > 3 and word.removesuffix("com") in site for word in words
    )


def _urls_of(head: _Head) -> list[str]:
    main = head.linked.get("mainEntityOfPage")
    declared = main.get("@id") if isinstance(main, dict) else main
    urls = [
        head.canonical,
        head.meta("og:url"),
        one_line(declared),
        one_line(head.linked.get("url")),
    ]
    return [url for url in urls if url.startswith(("http://", "https://")) and host_of(url)]


def _url_of(head: _Head) -> str:
    urls = _urls_of(head)
    return next((url for url in urls if urlsplit(url).path.strip("/")), urls[0] if urls else "")


def _publisher_of(head: _Head, url: str, body: str, fallback: str) -> str:
    host = canonical_publisher(url)
    if is_known(host):
        return host
    named = name_of(head.linked.get("publisher")) or head.meta("og:site_name")
    return canonical_publisher(named or host or publisher_of_dateline(body) or fallback)


def _published(head: _Head, url: str, file: InputFile) -> dt.date | None:
    values = [head.linked.get("datePublished"), *(head.metas.get(name) for name in _DATE_METAS)]
    for value in values:
        if found := date_of(value, file.today, file.zone):
            return found
    return date_in_url(url, file.today)


def _no_article(head: _Head, title: str, body: str, url: str, page: Page) -> str:
    """Return why a page is no article, "" where it is one."""
    shown = head.page_title or title
    if _ERROR_TITLE.search(shown) and len(body) < 600:
        return f"The page is an error page ({shortened(shown)!r})."
    if _SEARCH_TITLE.search(shown):
        return f"The page is a list of articles ({shortened(shown)!r})."
    if url and _INDEX_PATH.match(urlsplit(url).path) and (not head.linked or page.teasers >= 3):
        return f"The page is a home or index page ({shortened(url)!r})."
    if head.is_list or _is_outweighed(head, body, page):
        return "The page is a list of articles: it announces more of them than it tells itself."
    if not body:
        return "No article text was found on the page."
    claimed = bool(head.linked) or head.meta("og:type").lower() == "article"
    if len(body) < (_SHORTEST_CLAIMED if claimed else _SHORTEST_UNCLAIMED):
        return "The page holds too little text for an article."
    prose = sum(len(block.text) for block in page.blocks if block.is_prose)
    if not claimed and prose < 0.1 * sum(len(block.text) for block in page.blocks):
        return "The page is mostly links, so it is a home or index page."
    return ""


def _is_outweighed(head: _Head, body: str, page: Page) -> bool:
    """Tell whether teasers say more than the page itself, which names no day of its own either.

    Home pages and sections call themselves articles, too; but they were not published on a day.
    """
    dated = bool(head.linked.get("datePublished") or head.meta(*_DATE_METAS))
    if page.teasers >= 3 and page.teased > (4 * len(body) if dated else len(body)):
        return True
    headlines = [block.text for block in page.blocks if block.is_headline]
    if 2 * sum(len(line) for line in body.split("\n") if line in headlines) > len(body):
        return True
    return not dated and len(headlines) >= _MANY and len(body) < _SHORT


# --- articles over several pages -----------------------------------------------------------------

_MOST_LINKS = 5_000
_BARE_NUMBER = re.compile(r"(.+/[^/]*[A-Za-z][^/]*)/(\d{1,2})")
_NUMBER_OF = re.compile(
    r"\b(?:halaman|hal\.?|page)\s*:?\s*(\d{1,3})\s*(?:dari|of|/)\s*\d", re.IGNORECASE
)
_BEFORE = re.compile(r"sebelumnya|previous|prev\b|^\W*[«‹<]", re.IGNORECASE)
_AFTER = re.compile(r"selanjutnya|berikutnya|next|[»›>]\W*$", re.IGNORECASE)
_CURRENT = re.compile(r"\b(?:active|current|aktif|selected)\b", re.IGNORECASE)


def _place_of(tree: Any, head: _Head, url: str) -> tuple[str, int]:
    """Return the address of a page's article, and which page of it this is; see `Article.page`.

    Told by an address of its own, by the pages before and after it, or by the list of pages, in
    which the one that is shown is no link or is marked.
    """
    if told := next((own for own in map(page_of, _urls_of(head)) if own[1]), None):
        return told
    address = page_of(url)[0]
    shown = (head.page_title, head.meta("og:title"), *head.headings)
    titled = [found["number"] for title in shown if (found := _PAGE_TITLE.search(title))]
    if titled and titled[0].isdecimal():
        return address.removesuffix(f"/{titled[0]}"), int(titled[0])
    if bare := _BARE_NUMBER.fullmatch(address):
        number, linked = _pages_linked(tree, url, bare[1])
        if number or set(linked) - {int(bare[2])}:
            return bare[1], int(bare[2])
    number, linked = _pages_linked(tree, url, address) if address else (0, {})
    if linked and not number:
        number = _unlinked_number(linked) or SOME_PAGE
    return address, number


def _pages_linked(tree: Any, url: str, address: str) -> tuple[int, dict[int, list[Any]]]:
    """Return which page the links to an article's pages tell of, 0 for none, and the links."""
    linked: dict[int, list[Any]] = {}
    # Most links lead elsewhere, and to tell which page an address is of takes a while.
    path = address.partition("?")[0]
    path = path[path.find("/") :] if "/" in path else ""
    links = tree.xpath("//a[@href]|//link[@href and (@rel='next' or @rel='prev')]")
    for link in links[:_MOST_LINKS]:
        try:
            whole = urljoin(url, link.get("href").strip())
        except ValueError:
            continue
        if path not in whole:
            continue
        there, number = page_of(whole)
        relation = (link.get("rel") or "").lower()
        label = one_line(link.text_content()).lower()
        rest = there.removeprefix(f"{address}/")
        if rest != there and re.fullmatch(r"\d{1,2}", rest):
            # Another article's number may follow an address, too.
            if label == rest or "halaman" in label or link.tag == "link":
                there, number = address, int(rest)
        if there != address:
            continue
        number = number or int(label == "1")
        if relation in ("next", "prev"):
            return (max(1, number - 1) if relation == "next" else max(1, number) + 1), linked
        marks = f"{link.get('class')} {link.getparent().get('class')}"
        if number and (_CURRENT.search(marks) or link.get("aria-current")):
            return number, linked
        if number:
            linked.setdefault(number, []).append(link)
    return 0, linked


def _unlinked_number(linked: Mapping[int, Sequence[Any]]) -> int:
    """Return which page is shown by the list of an article's pages; 0 where it does not tell.

    It says so ("Halaman 2 dari 3"), or shows one number that is no link, or it has no numbers, but
    a link to the page before or after.
    """
    number, links = next(iter(linked.items()))
    for around in itertools.islice(links[0].iterancestors(), 3):
        texts = [text.strip() for text in around.itertext()]
        if told := _NUMBER_OF.search(" ".join(texts)):
            return int(told[1])
        left = {int(text) for text in texts if text.isdecimal() and len(text) <= 3} - set(linked)
        if len(left) == 1 and left <= {1, *(n + 1 for n in linked)}:
            return left.pop()
    labels = " ".join(link.text_content() for each in linked.values() for link in each)
    if len(linked) > 1 or re.search(r"\d", labels):
        return 0
    before, after = (bool(mark.search(labels)) for mark in (_BEFORE, _AFTER))
    return number + before - after if before != after else 0
