"""An article out of an HTML page: its paragraphs among menus and links, and what it says of itself.

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
from urllib.parse import urlsplit

from index import clean
from index.reading.dates import date_in_url, date_of
from index.reading.inputs import InputFile, Outcome, decode_page, shortened
from index.reading.publishers import (
    article_id,
    canonical_publisher,
    host_of,
    is_dateline,
    is_known,
    publisher_of_dateline,
)
from index.reading.scraped import (
    distinct,
    name_of,
    one_line,
    people,
    text_of,
    tidied,
    without_controls,
)
from index.records import Article
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
_SEARCH_TITLE = re.compile(
    r"^(?:hasil (?:pencarian|cari)|search results?|pencarian|kumpulan (?:artikel|berita)|indeks)\b",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    """p div br h1 h2 h3 h4 h5 h6 ul ol li table tbody thead tr td th section article main body
    blockquote figure header hr dl dt dd center pre address""".split()
)
_SKIPPED = frozenset(
    """script style noscript nav footer aside form figcaption iframe button select option svg
    template head object video audio""".split()
)
# A page that calls itself an article may be a photo with its caption.
_SHORTEST_CLAIMED = 80
_SHORTEST_UNCLAIMED = 250


@dataclass(frozen=True, slots=True)
class _Block:
    """A run of text between two block tags; `parents` number its elements, outermost first."""

    text: str
    linked: float
    parents: tuple[int, ...]

    @property
    def is_prose(self) -> bool:
        """Tell whether it is sentences, not a headline, a menu or a link."""
        if len(self.text) < 40 or self.linked > 0.4:
            return False
        return self.text[-1] in '.!?"”’…)' or len(self.text) >= 160


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page says of itself in JSON-LD and meta tags."""

    linked: Mapping[str, Any]
    metas: Mapping[str, str]
    canonical: str
    headings: tuple[str, ...]
    page_title: str

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
    page = _page_of(tree)
    extracted = trafilatura.bare_extraction(
        text, include_comments=False, include_tables=False, with_metadata=True
    )
    blocks = _blocks_of(tree)
    body = _body_of_html(blocks, (extracted.text or "") if extracted else "", page)
    title = _title_of(page) or (one_line(extracted.title) if extracted else "")
    url = _url_of(page)
    if reason := _no_article(page, title, body, url, blocks):
        return file.problem(reason)
    publisher = _publisher_of(page, url, body, file.publisher)
    bylines = [found for block in blocks if (found := clean.read_byline(block.text))]
    authors = people(page.linked.get("author")) or tuple(n for b in bylines for n in b.authors)
    authors = authors or _meta_authors(page)
    return Article(
        id=article_id(None, publisher, url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=_published(page, url, extracted.date if extracted else None, file.today),
        authors=tuple(n for n in distinct(authors) if canonical_publisher(n) != publisher),
        editors=distinct([n for b in bylines for n in b.editors]),
        origin=canonical_publisher(next((b.origin for b in bylines if b.origin), "")),
    )


# --- what a page says of itself ------------------------------------------------------------------


def _page_of(tree: Any) -> _Page:
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
    headings = [one_line(h.text_content()) for h in tree.xpath("//h1|//h2")]
    titles = [one_line(t.text_content()) for t in tree.xpath("//head/title|//title")[:1]]
    return _Page(
        linked=_linked_data(tree),
        metas=metas,
        canonical=next((link.strip() for link in links if link.strip()), ""),
        headings=tuple(filter(None, headings)),
        page_title=titles[0] if titles else "",
    )


def _linked_data(tree: Any) -> Mapping[str, Any]:
    """Return the JSON-LD object that describes an article, or an empty one."""
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
                    return value
                waiting.extend(v for k, v in value.items() if k in ("@graph", "mainEntity"))
    return {}


def _meta_authors(page: _Page) -> tuple[str, ...]:
    written = page.meta("author", "dtk:author", "content_author", "article:author")
    return () if "/" in written or "@" in written else clean.names(written)


def _title_of(page: _Page) -> str:
    named = one_line(page.linked.get("headline"))
    shown = page.meta("og:title", "twitter:title", "title") or page.page_title
    whole = squeezed(shown) or squeezed(named)
    headings = [h for h in page.headings if len(h.split()) > 2]
    if same := [h for h in headings if squeezed(h) in whole]:
        return max(same, key=len)
    if len(whole.split()) < 3 and headings:
        return headings[0]
    return named or _without_site(shown, page)


def _without_site(title: str, page: _Page) -> str:
    """Cut the site's name off a page's title: "Judul - Situs", "Situs: Judul"."""
    host = host_of(_url_of(page))
    site = re.sub(r"[\W_]", "", (page.meta("og:site_name") + host).lower())
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


def _url_of(page: _Page) -> str:
    main = page.linked.get("mainEntityOfPage")
    declared = main.get("@id") if isinstance(main, dict) else main
    urls = [
        page.canonical,
        page.meta("og:url"),
        one_line(declared),
        one_line(page.linked.get("url")),
    ]
    urls = [url for url in urls if url.startswith(("http://", "https://")) and host_of(url)]
    return next((url for url in urls if urlsplit(url).path.strip("/")), urls[0] if urls else "")


def _publisher_of(page: _Page, url: str, body: str, fallback: str) -> str:
    host = canonical_publisher(url)
    if is_known(host):
        return host
    named = name_of(page.linked.get("publisher")) or page.meta("og:site_name")
    return canonical_publisher(named or host or publisher_of_dateline(body) or fallback)


def _published(page: _Page, url: str, guess: str | None, today: dt.date) -> dt.date | None:
    values = [page.linked.get("datePublished"), *(page.metas.get(name) for name in _DATE_METAS)]
    for value in values:
        if found := date_of(value, today):
            return found
    return date_in_url(url, today) or date_of(guess, today)


def _no_article(page: _Page, title: str, body: str, url: str, blocks: Sequence[_Block]) -> str:
    """Return why a page is no article, "" where it is one."""
    shown = page.page_title or title
    if _ERROR_TITLE.search(shown) and len(body) < 600:
        return f"The page is an error page ({shortened(shown)!r})."
    if _SEARCH_TITLE.search(shown):
        return f"The page is a list of articles ({shortened(shown)!r})."
    if url and _INDEX_PATH.match(urlsplit(url).path) and not page.linked:
        return f"The page is a home or index page ({shortened(url)!r})."
    if not body:
        return "No article text was found on the page."
    claimed = bool(page.linked) or page.meta("og:type").lower() == "article"
    if len(body) < (_SHORTEST_CLAIMED if claimed else _SHORTEST_UNCLAIMED):
        return "The page holds too little text for an article."
    prose = sum(len(block.text) for block in blocks if block.is_prose)
    if not claimed and prose < 0.1 * sum(len(block.text) for block in blocks):
        return "The page is mostly links, so it is a home or index page."
    return ""


# --- where the paragraphs lie --------------------------------------------------------------------


def _blocks_of(tree: Any) -> list[_Block]:
    """Cut a page's visible text at its block tags, without recursion into its depth."""
    from lxml import etree

    blocks: list[_Block] = []
    pieces: list[tuple[str, bool]] = []
    parents: list[int] = []
    numbers = itertools.count()
    links = 0

    def close() -> None:
        text = " ".join("".join(piece for piece, _ in pieces).split())
        if text:
            linked = sum(len(piece.strip()) for piece, is_link in pieces if is_link)
            blocks.append(_Block(tidied(text), linked / len(text), tuple(parents)))
        pieces.clear()

    walk = etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        shown = event in ("start", "end") and element.tag not in _SKIPPED
        if event == "start":
            if not shown:
                walk.skip_subtree()
                continue
            if element.tag in _BLOCKS:
                close()
                parents.append(next(numbers))
            links += element.tag == "a"
            pieces.append((element.text or "", links > 0))
            continue
        if shown and element.tag in _BLOCKS:
            close()
            parents.pop()
        links -= shown and element.tag == "a"
        pieces.append((element.tail or "", links > 0))
    close()
    return blocks


def _body_of_html(blocks: Sequence[_Block], extracted: str, page: _Page) -> str:
    """Return an article's paragraphs: those around what trafilatura found.

    Trafilatura loses a lead that stands loose before the first paragraph tag, and takes a short
    article's whole page; so it only says where the article is, and the blocks there are taken.
    """
    kept = {squeezed(line) for line in extracted.split("\n")}
    whole = squeezed(extracted)
    # Looking through all of the text for each block would take forever on a hostile page.
    search = len(blocks) < 3_000
    prose = [(b, squeezed(b.text)) for b in blocks if b.is_prose]
    anchors = [b for b, text in prose if text in kept or (search and text in whole)]
    anchors = [block for block in anchors if not _is_credit(block.text)]
    declared = text_of(page.linked.get("articleBody"))
    if not anchors:
        return declared if len(declared) > len(extracted) else extracted.strip()
    box = _container(anchors)
    inside = [b for b in blocks if box in b.parents]
    mostly_prose = sum(len(b.text) for b in anchors) > 0.5 * len(extracted.strip())
    first, last = _extent(inside, set(anchors), kept if mostly_prose else set())
    body = "\n".join(_lines_of(inside[first:last], kept, mostly_prose))
    return declared if len(declared) > 2 * len(body) else body


def _extent(inside: Sequence[_Block], anchors: set[_Block], kept: set[str]) -> tuple[int, int]:
    """Return where an article begins and ends (exclusive) among its container's blocks."""
    numbers = [n for n, b in enumerate(inside) if b in anchors]
    first = next(n for n, b in enumerate(inside) if b.is_prose and not _is_credit(b.text))
    for number in range(first, min(numbers[0] + 3, len(inside))):
        # What stands before a dateline is a teaser or the caption of a photo.
        if is_dateline(inside[number].text):
            first = number
    if first and re.search(r"\w.{0,80}[-–—]$", inside[first - 1].text[:100]):
        first -= 1
    last = max(numbers[-1], first)
    depth = len(inside[last].parents)
    while last + 1 < len(inside):
        block = inside[last + 1]
        loose = block.is_prose and len(block.parents) == depth and not _is_credit(block.text)
        if not loose and squeezed(block.text) not in kept:
            break
        last += 1
    return first, last + 1


def _lines_of(blocks: Sequence[_Block], kept: set[str], mostly_prose: bool) -> Iterator[str]:
    """Yield the text of the blocks that belong; a paragraph shown twice comes once."""
    seen: set[str] = set()
    for block in blocks:
        if _belongs(block, kept, mostly_prose) and block.text not in seen:
            yield block.text
            if block.is_prose:
                seen.add(block.text)


def _container(anchors: Sequence[_Block]) -> int:
    """Return the number of the innermost element that holds nine tenths of the anchors' text."""
    weights: dict[int, int] = {}
    depths: dict[int, int] = {}
    for block in anchors:
        for depth, parent in enumerate(block.parents):
            weights[parent] = weights.get(parent, 0) + len(block.text)
            depths[parent] = depth
    enough = 0.9 * sum(len(block.text) for block in anchors)
    return max((p for p, weight in weights.items() if weight >= enough), key=lambda p: depths[p])


def _belongs(block: _Block, kept: set[str], mostly_prose: bool) -> bool:
    if _is_credit(block.text):
        return False
    vouched = mostly_prose and squeezed(block.text) in kept
    return block.is_prose or vouched or (mostly_prose and block.linked <= 0.6)


def _is_credit(text: str) -> bool:
    if text.startswith(("http://", "https://")):
        return False
    return clean.is_boilerplate(text) or clean.read_byline(text) is not None
