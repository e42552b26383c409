"""Articles out of feeds (RSS, Atom, JSON Feed) and exports (WordPress, Blogger), however long.

A feed is cut into its items as bytes, so that an export of gigabytes is read in little memory and a
broken item spoils no other; a few items at a time are then read by feedparser. Other XML, lists of
pages above all, is told as what it is.
"""

from __future__ import annotations

import codecs
import html
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any
from urllib.parse import urljoin

from index.reading import cells, inputs
from index.reading.dates import date_in_url, date_of
from index.reading.inputs import (
    InputFile,
    Outcome,
    decode,
    known_encoding,
    shortened,
    wide_encoding,
)
from index.reading.publishers import article_id, canonical_publisher, host_of, is_known
from index.reading.scraped import distinct, one_line, text_of, without_controls
from index.records import Article

_ITEM_LIMIT = 2 * inputs.RECORD_LIMIT
"""An item may have so many bytes of XML, and so may what stands before the first."""
_LONG = f"items over {_ITEM_LIMIT // 1_000_000} MB"

_JSON_LIMIT = 200_000_000
_CHUNK = 1_000_000
_BATCH = 256_000
"""About so many bytes of items are read at a time: enough that starting a parser costs little."""

_FEEDS = ("rss", "rdf", "feed")
_PAGES = "Save the pages that it lists, or crawl them into a WARC, and add those."
_LISTS = {
    "urlset": ("a sitemap", b"<loc>", _PAGES),
    "sitemapindex": ("an index of sitemaps", b"<loc>", _PAGES),
    "opml": ("a list of feeds (OPML)", b"xmlUrl=", "Save the feeds that it lists, and add those."),
}
# A feed's content is the article, however short; of a summary that is as short as a page's text
# that is taken for no article, or breaks off, the rest stands on the page.
_SHORTEST_CONTENT = 80
_SHORTEST_SUMMARY = 250
_SHORTEST_BROKEN_OFF = 1_000
_POINTER = re.compile(
    r"(?:The post|Artikel|Postingan|Pos) .{1,300} (?:appeared first on|first appeared on"
    r"|(?:pertama kali (?:tampil|muncul)|muncul pertama kali) (?:pada|di)) .{1,100}",
    re.IGNORECASE,
)
# What is not closed is matched up to the end, and kept: one pass will do.
_UNSEEN = re.compile(
    r"<(script|style|noscript|iframe|figure|figcaption|form|button|svg|video|audio|object)\b"
    r"[^<>]*>.*?(?:(?P<end></\1\s{0,9}>)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_SHORTCODE = re.compile(
    r"\[caption\b[^\]]{0,500}\].{0,3000}?\[/caption\]"
    r"|\[/?(?:caption|gallery|embed|audio|video|playlist|vc_\w+|et_\w+)\b[^\]]{0,2000}\]",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a feed. `text` is what `html`, as published and not made safe, says.

    `kind` is "article" where it holds an article's text; else it says in the plural what it is:
    "teasers", "pages", "attachments", "drafts". `published` is the date as written.
    """

    id: str
    title: str
    link: str
    published: str
    authors: tuple[str, ...]
    publisher: str
    html: str
    text: str
    kind: str


_BROKEN = ("damaged items", "items cut short")
_CLOSED = re.compile(rb"</\s*(?:[\w.-]+:)?(?:rss|rdf|feed)\s*>|/>\s*$", re.IGNORECASE)
_NOTHING = Entry("", "", "", "", (), "", "", "", "")


@dataclass(frozen=True, slots=True)
class _Feed:
    """What a feed says of itself; `begin` and `end` go around some of its items.

    `names` are an export's authors by their logins.
    """

    title: str = ""
    link: str = ""
    begin: bytes = b""
    end: bytes = b""
    names: Mapping[str, str] = field(default_factory=dict)


class NoFeedError(ValueError):
    """A content is no feed; the message says what it is, and what to do."""


def read(file: InputFile) -> Iterator[Outcome]:
    """Read a feed's or an export's articles; what it holds besides is told in one line."""
    left: Counter[str] = Counter()
    undated = count = 0
    try:
        for entry in _entries(file.content, file.encoding):
            count += 1
            if entry.kind != "article":
                left[entry.kind] += 1
                continue
            article = _article(entry, file)
            undated += bool(entry.published and article.published is None)
            yield article
    except NoFeedError as error:
        yield file.problem(str(error))
        return
    if left:
        advice = "; of teasers add the pages that they link to" if left["teasers"] else ""
        yield file.left_out(left, count, "items", advice)
    if undated:
        yield file.problem(
            f"The dates of {undated:,} articles cannot be read or lie ahead; they are kept without."
        )


def entries(content: bytes, url: str = "") -> list[Entry]:
    """Return all entries of a feed as fetched from `url`.

    Raises NoFeedError for no feed, and for one of which nothing can be read.
    """
    found = list(_entries(io.BytesIO(content), wide_encoding(content[:400]), url))
    if found and all(entry.kind in _BROKEN for entry in found):
        raise NoFeedError("Its items are broken; tell those who publish it.")
    is_cut = content.lstrip().startswith(b"<") and not _CLOSED.search(content[-400:])
    if not found and is_cut:
        raise NoFeedError("It is cut short before its first item.")
    return found


def _entries(content: IO[bytes], encoding: str | None, url: str = "") -> Iterator[Entry]:
    chunks = _chunks(content, encoding)
    first = next(chunks, b"")
    if first.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        data = b"".join([first, *itertools.islice(chunks, _JSON_LIMIT // _CHUNK)])
        yield from _json_entries(data, url)
        return
    parts = _parts(itertools.chain([first], chunks))
    head = next(parts)[1]
    if len(head) > _ITEM_LIMIT:
        raise NoFeedError(f"It has no item in its first {_ITEM_LIMIT // 1_000_000} MB.")
    feed = _feed(head)
    feed = replace(feed, link=urljoin(url, feed.link))
    waiting: list[bytes] = []
    for kind, part in parts:
        if kind == "item":
            waiting.append(_without_bulk(part))
            if sum(map(len, waiting)) < _BATCH:
                continue
        yield from _read_items(waiting, feed)
        waiting.clear()
        if kind != "item":
            yield replace(_NOTHING, kind=kind)
    yield from _read_items(waiting, feed)


def _article(entry: Entry, file: InputFile) -> Article:
    site = canonical_publisher(entry.link)
    if not is_known(site):
        site = canonical_publisher(file.publisher or entry.publisher or host_of(entry.link))
    published = date_of(entry.published, file.today, file.zone) or date_in_url(
        entry.link, file.today
    )
    # By its link where it has one, so that it is the same article as its page.
    own = None if entry.link else entry.id
    return Article(
        id=article_id(own, site, entry.link, entry.title, entry.text),
        publisher=site,
        title=entry.title,
        body=entry.text,
        url=entry.link,
        published=published,
        authors=tuple(n for n in entry.authors if canonical_publisher(n) != site),
    )


# --- which XML -----------------------------------------------------------------------------------

_PROLOG = re.compile(
    r"\s+|\ufeff|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^<>\[]*(?:\[.*?\]\s*)?>", re.S | re.I
)
_CHANNEL = re.compile(r"<(?:[\w.\-]+:)?channel(?:\s[^<>]*)?>")
_AUTHOR = re.compile(
    r"<wp:author_login>(?P<login>.{0,200}?)</wp:author_login>.{0,400}?"
    r"<wp:author_display_name>(?P<name>.{0,200}?)</wp:author_display_name>",
    re.DOTALL,
)
_ELEMENT = re.compile(r"<(?:[A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)(?:\s[^<>]*)?>")


def root_name(text: str) -> str:
    """Return the name of the first element after an XML prolog, in lower case; "" for none."""
    found = _root(text)
    return found[1].lower() if found else ""


def _root(text: str) -> re.Match[str] | None:
    at = 0
    while skipped := _PROLOG.match(text, at):
        at = skipped.end()
    return _ELEMENT.match(text, at)


def is_xml(text: str) -> bool:
    """Tell whether a text that is no HTML page begins as XML does: it must not be read as text."""
    if not text.startswith("<"):
        return False
    found = _root(text)
    name = found[1].lower() if found else ""
    if text[:5].lower() == "<?xml" or name in _FEEDS or name in _LISTS:
        return True
    from lxml.html import defs

    if found is None or name in defs.tags:
        return False
    # "<UPDATE> Banjir" is text: in XML of another kind, one element stands in another.
    return "xmlns" in found[0] or bool(re.match(r"\s*<[A-Za-z_!?]", text[found.end() :]))


def _feed(head: bytes) -> _Feed:
    """Read what stands before a feed's first item; raises NoFeedError for no feed."""
    text = decode(head)
    root = _root(text)
    name = root[1].lower() if root else ""
    if name in _LISTS:
        what, mark, advice = _LISTS[name]
        raise NoFeedError(
            f"It is {what} and no article (addresses: {head.count(mark):,}). {advice}"
        )
    if root is None or name not in _FEEDS:
        raise NoFeedError(
            (f"It is XML of a kind that is not known (<{name}>). " if name else "It is no XML. ")
            + "Known are RSS, Atom and WordPress exports; save the articles as JSON lines or CSV."
        )
    around = [root[0]]
    channel = _CHANNEL.search(text, root.end()) if name == "rss" else None
    if channel:
        around.append(channel[0])
    end = "".join(re.sub(r"<([^\s>]+).*", r"</\1>", tag, flags=re.S) for tag in reversed(around))
    about, _ = _parsed(
        _without_bulk(text[root.start() :].encode("utf-8", "replace")) + end.encode()
    )
    title = re.split(r"\s+[-–—|»›:]\s+", one_line(about.get("title")))[0]
    link = one_line(about.get("link"))
    return _Feed(title, link, "".join(around).encode(), end.encode(), _names(text))


def _names(head: str) -> dict[str, str]:
    """Return the names that the authors of an export show, by their logins."""

    def value(written: str) -> str:
        return one_line(written.strip().removeprefix("<![CDATA[").removesuffix("]]>"))

    return {value(found["login"]): value(found["name"]) for found in _AUTHOR.finditer(head)}


# --- cutting -------------------------------------------------------------------------------------

_DECLARED = re.compile(rb"\s*<\?xml[^<>]{0,100}?encoding\s*=\s*[\"']([\w\-]{2,40})")
_TOKEN = re.compile(
    rb"<!(?:\[CDATA\[.*?\]\]>|--.*?-->)"
    rb"|<(?P<end>/?)(?:[\w.\-]+:)?(?P<name>item|entry)(?:\s[^<>]*?)?(?P<empty>/?)>"
    # Its end may stand in what is not read yet.
    rb"|(?P<open><!(?:\[CDATA\[|--)|<[^<>]{0,4000}\Z)",
    re.DOTALL,
)
# What WordPress keeps of a post besides: most of an export's elements, and none of the article.
_BULK = re.compile(
    rb"<(wp:(?:comment|postmeta|category|tag|term|author))(?:\s[^<>]*)?>"
    rb".*?(?:(?P<end></\1>)|\Z)",
    re.DOTALL,
)


def _without_bulk(part: bytes) -> bytes:
    return _BULK.sub(lambda found: b"" if found["end"] else found[0], part)


def _chunks(content: IO[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield a file's bytes: as UTF-8, or as they are where they do not say what they are."""
    chunk = content.read(_CHUNK)
    declared = _DECLARED.match(chunk.removeprefix(codecs.BOM_UTF8))
    name = encoding or known_encoding(declared[1].decode("ascii") if declared else "utf-8")
    if encoding is None and name.startswith(("utf-16", "utf-32")):
        name = "utf-8"  # What says so in single bytes is not so.
    decoder = codecs.getincrementaldecoder(name)("replace")
    while chunk:
        as_is = name in ("utf-8", "utf8")
        yield chunk if as_is else decoder.decode(chunk).encode("utf-8", "replace")
        chunk = content.read(_CHUNK)


def _parts(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Cut a feed: yield ("head", what stands before its first item), then ("item", each item).

    What is too long, or cut off by the file's end, comes under a name that says so, without bytes.
    """
    cutter = _Cutter()
    for chunk in chunks:
        yield from cutter.cut(chunk)
    if cutter.before:
        yield "head", cutter.buffer
    elif cutter.depth:
        yield "items cut short", b""


@dataclass(slots=True)
class _Cutter:
    """Cuts a feed as its bytes come in.

    The part under way begins at `start` of `buffer`, which is searched from `at` on; `depth` counts
    the open elements called `name`. `before` the first item, `long` after an item's limit.
    """

    buffer: bytes = b""
    start: int = 0
    at: int = 0
    name: bytes = b""
    depth: int = 0
    before: bool = True
    long: bool = False

    def cut(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield the parts that these bytes complete."""
        self.buffer += chunk
        while token := _TOKEN.search(self.buffer, self.at):
            self.at = token.start() if token["open"] else token.end()
            if token["open"]:
                break
            # Only what is called as the open item can close it.
            ours = not self.depth or token["name"] == self.name
            if token["name"] and ours and not token["empty"]:
                yield from self._take(token)
        else:
            self.at = len(self.buffer)
        yield from self._drop()

    def _take(self, tag: re.Match[bytes]) -> Iterator[tuple[str, bytes]]:
        if tag["end"]:
            if self.depth == 1:
                yield (_LONG, b"") if self.long else ("item", self.buffer[self.start : self.at])
                self.long = False
            self.depth = max(self.depth - 1, 0)
            return
        if self.before:
            yield "head", self.buffer[: tag.start()]
            self.before = False
        if not self.depth:
            self.start, self.name = tag.start(), tag["name"]
        self.depth += 1

    def _drop(self) -> Iterator[tuple[str, bytes]]:
        """Drop the bytes that are done with, and of what is too long those that were searched."""
        done = 0 if self.before else self.start if self.depth else self.at
        if len(self.buffer) - done > _ITEM_LIMIT:
            if self.before:
                yield "head", self.buffer
            self.before, self.long = False, self.depth > 0
            # What is open for so long is not closed; in it the item's end is looked for.
            done = self.at = max(self.at, len(b"<![CDATA["))
        self.buffer, self.start, self.at = self.buffer[done:], 0, self.at - done


# --- reading items -------------------------------------------------------------------------------

_REFERENCE = re.compile(r"&#(?:x([0-9a-f]{1,30})|(\d{1,30}));?", re.IGNORECASE)


def _known_reference(found: re.Match[str]) -> str:
    """Drop a reference to a character that there is not, which breaks feedparser."""
    number = int(found[1], 16) if found[1] else int(found[2])
    return "" if 0xD800 <= number < 0xE000 or number > 0x10FFFF else found[0]


_DEEPEST = 200
_NESTED = re.compile(
    rb"<!(?:\[CDATA\[.*?\]\]>|--.*?-->)|<(?P<end>/?)[A-Za-z_][^<>]*?(?P<empty>/?)>", re.DOTALL
)


def _is_deep(markup: bytes) -> bool:
    """Tell whether elements stand in each other deeper than in any feed, where parsers take hours.

    An element that feeds have without its end, as HTML does, counts as open.
    """
    depth = 0
    for tag in _NESTED.finditer(markup):
        if tag["end"]:
            depth -= 1
        elif tag["end"] is not None and not tag["empty"]:
            depth += 1
        if depth > _DEEPEST:
            return True
    return False


def _parsed(markup: bytes) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return what feedparser reads of a feed: what it says of itself, and its items."""
    import feedparser

    if _is_deep(markup):
        return {}, []
    text = _REFERENCE.sub(_known_reference, without_controls(decode(markup)))
    try:
        found = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        # What is broken in a way of its own breaks feedparser.
        return {}, []
    return dict(found.feed), [dict(entry) for entry in found.entries]


def _read_items(items: Sequence[bytes], feed: _Feed) -> Iterator[Entry]:
    """Read some items; one by one where they cannot be read together, for one may be broken."""
    found = _parsed(feed.begin + b"".join(items) + feed.end)[1] if items else []
    if len(found) != len(items) > 1:
        for item in items:
            yield from _read_items([item], feed)
    elif items and not found:
        yield replace(_NOTHING, kind="damaged items")
    else:
        for entry in found:
            yield _entry(entry, feed)


def _entry(item: Mapping[str, Any], feed: _Feed) -> Entry:
    full = max((part.get("value") or "" for part in item.get("content", [])), key=len, default="")
    brief = item.get("summary") or ""
    text = paragraphs(full)
    is_full = len(text) >= _SHORTEST_CONTENT
    if not is_full:
        full, text = max((full, text), (brief, paragraphs(brief)), key=lambda both: len(both[1]))
    local = item.get("wp_post_date") or ""
    authors = cells.people_in(item.get("authors") or item.get("author"))
    return Entry(
        id=one_line(item.get("id")),
        title=one_line(item.get("title")),
        link=_link(one_line(item.get("link")), feed.link),
        # WordPress writes its own time there, and in pubDate that of Greenwich.
        published=local if re.search("[1-9]", local) else _date(item),
        authors=distinct(feed.names.get(name, name) for name in authors),
        publisher=cells.name_in(dict(item.get("source") or {}).get("title")) or feed.title,
        html=full,
        text=text,
        kind=_left_out(item) or _kind_of(text, is_full),
    )


def _link(written: str, base: str) -> str:
    """Return an item's address in full, "" for what is none, as an id in its place."""
    try:
        link = urljoin(base, written)
    except ValueError:
        return ""
    return link if written and link.startswith(("http://", "https://")) else ""


def _date(item: Mapping[str, Any]) -> str:
    return next((item[n] for n in ("published", "created", "updated") if item.get(n)), "")


def _left_out(item: Mapping[str, Any]) -> str:
    """Return what an export's item is that is no published article, in the plural; "" for one."""
    kinds = [tag["term"].rpartition("#")[2] for tag in item.get("tags", []) if _is_kind(tag)]
    kind = item.get("wp_post_type") or item.get("blogger_type") or next(iter(kinds), "")
    status = (item.get("wp_status") or item.get("blogger_status") or "").strip().lower()
    if reason := cells.left_out(kind, status):
        return reason
    if status not in ("", "publish", "live") or item.get("app_draft") == "yes":
        return "drafts"
    return "posts with a password" if item.get("wp_post_password") else ""


def _is_kind(tag: Mapping[str, Any]) -> bool:
    return (tag.get("scheme") or "").endswith("2005#kind") and "#" in (tag.get("term") or "")


def _kind_of(text: str, is_full: bool) -> str:
    """Tell an article from a teaser: a feed's summary is one where it is short or breaks off."""
    if not text:
        return "items without text"
    if len(text) < _SHORTEST_BROKEN_OFF and cells.stub_of(text, _SHORTEST_BROKEN_OFF).short:
        return "teasers"
    return "article" if is_full or len(text) >= _SHORTEST_SUMMARY else "teasers"


def paragraphs(markup: str) -> str:
    """Return the text of an article in HTML, or as WordPress stores it, a paragraph a line."""
    markup = markup.replace("\r\n", "\n")
    markup = _UNSEEN.sub(lambda found: "" if found["end"] else found[0], markup)
    markup = _SHORTCODE.sub("", markup)
    if re.search(r"<(?:p|br|div)\b", markup, re.IGNORECASE):
        # There a line may end anywhere, but an empty one is a paragraph to WordPress.
        markup = re.sub(r"(?<!\n)[ \t]{0,99}\n[ \t]{0,99}(?!\s{0,99}\n)", " ", markup)
    lines = (" ".join(line.split()) for line in text_of(markup).split("\n"))
    return "\n".join(line for line in lines if line and not _POINTER.match(line))


# --- JSON Feed -----------------------------------------------------------------------------------


def _json_entries(data: bytes, url: str) -> Iterator[Entry]:
    """Read a JSON Feed (jsonfeed.org)."""
    try:
        feed = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise NoFeedError(f"This is not valid JSON: {shortened(error)}.") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise NoFeedError("It is no JSON Feed: it has no list of items.")
    about = _Feed(one_line(feed.get("title")), one_line(feed.get("home_page_url")) or url)
    for item in items:
        if not isinstance(item, dict):
            continue
        full = item.get("content_html") or html.escape(str(item.get("content_text") or ""))
        yield _entry(
            {
                "id": item.get("id"),
                "title": item.get("title"),
                "link": item.get("url") or item.get("external_url"),
                "published": one_line(item.get("date_published") or item.get("date_modified")),
                "authors": item.get("authors") or item.get("author") or feed.get("authors"),
                "content": [{"value": str(full)}],
                "summary": str(item.get("summary") or ""),
            },
            about,
        )
