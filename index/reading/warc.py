"""Pages out of a web archive (WARC): each HTML page that a crawl fetched goes to the page reader.

What else a crawl fetched (pictures, redirects, errors, pages that are no article) is counted, and
told in one line a file.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO

from index.reading import page
from index.reading.inputs import InputFile, Outcome, decode, known_encoding, wide_encoding
from index.reading.scraped import without_controls
from index.records import Article

_HEAD = 1 << 16
"""The HTTP header of a record ends within so many bytes."""

_LEFT_OUT = {"revisit": "unchanged since an earlier visit", "conversion": "texts without a page"}
_VERSION = re.compile(rb"WARC/\d")

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})[^\n]*\n")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,100}\r?\n")
_FOLDED = re.compile(rb"\r?\n[ \t]+")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:\-]{1,40})", re.IGNORECASE)
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_HTML_START = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)


Headers = Mapping[str, str]
"""The values of a record's or a response's headers by their names in lower case."""


@dataclass(frozen=True, slots=True)
class _Response:
    """What a server sent: `status` 200 where a record has no HTTP header."""

    status: int
    headers: Headers
    body: bytes

    @property
    def is_html(self) -> bool:
        """Tell whether it is a page; one that says nothing of its type is one by its start."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind in _HTML_TYPES or (not kind and bool(_HTML_START.match(self.body)))


def read(file: InputFile) -> Iterator[Outcome]:
    """Read the pages of a WARC file, one record at a time."""
    left: Counter[str] = Counter()
    count = 0
    for record in _records(file.content):
        kind = record.headers.get("warc-type", "").strip().lower()
        if kind not in ("response", "resource", "revisit", "conversion"):
            continue
        count += 1
        found = _LEFT_OUT.get(kind) or _read_page(record, file)
        if isinstance(found, str):
            left[found] += 1
        else:
            yield found
    if left:
        yield file.left_out(left, count, "records")


@dataclass(slots=True)
class _Record:
    """A record of a WARC file; `left` bytes of its block were not read yet."""

    headers: Headers
    left: int
    content: IO[bytes]

    def read(self, limit: int) -> bytes:
        """Return the next bytes of the block; fewer than there are left where the file ends."""
        data = self.content.read(min(limit, self.left))
        self.left -= len(data)
        return data

    def skip(self) -> None:
        """Read the rest of the block away."""
        while self.left and self.read(1 << 20):
            pass


def _records(content: IO[bytes]) -> Iterator[_Record]:
    """Yield the records of a WARC file; what stands between them, as after a damage, is skipped."""
    while line := content.readline(_HEAD):
        if not _VERSION.match(line):
            continue
        lines: list[bytes] = []
        while (line := content.readline(_HEAD)).strip() and len(lines) < 1_000:
            lines.append(line)
        headers = _headers(b"".join(lines))
        length = headers.get("content-length", "").strip()
        record = _Record(
            headers, int(length) if re.fullmatch("[0-9]{1,15}", length) else 0, content
        )
        yield record
        record.skip()


def _read_page(record: _Record, file: InputFile) -> Article | str:
    """Return the article of a record, or why it has none."""
    if record.headers.get("warc-truncated"):
        return "cut short"
    response = _response(record.read(_HEAD), record.headers.get("content-type", ""))
    if response.status != 200:
        return "errors and redirects"
    if not response.is_html:
        return "not HTML"
    if record.left > page.PAGE_LIMIT:
        return f"longer than {page.PAGE_LIMIT // 1_000_000} MB"
    body = response.body + record.read(record.left)
    if record.left:
        return "cut short"
    body = _decoded(body, response.headers)
    url = without_controls(record.headers.get("warc-target-uri", "")).strip("<> \t")
    part = file.within(body, _charset(body, response.headers), url)
    for found in page.read(part):
        if isinstance(found, Article):
            return replace(found, retrieved=_time(record.headers.get("warc-date", "")))
    return "pages without an article"


def _time(written: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _response(block: bytes, content_type: str) -> _Response:
    """Read the HTTP header at the start of a record; a resource has none but its own type."""
    status = _STATUS.match(block)
    if status is None:
        own = "" if content_type.startswith("application/http") else content_type
        return _Response(200, {"content-type": own}, block)
    end = _END_OF_HEADER.search(block, status.end() - 1)
    header, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    return _Response(int(status[1]), _headers(header[status.end() :]), body)


def _headers(lines: bytes) -> Headers:
    """Read header lines; of two of one name the first counts."""
    found: dict[str, str] = {}
    for line in decode(_FOLDED.sub(b" ", lines)).split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _charset(body: bytes, headers: Headers) -> str | None:
    """Return the encoding that a page must be read by; None leaves it to what the page says."""
    if wide := wide_encoding(body[:400]):
        return wide
    named = _CHARSET.search(headers.get("content-type", ""))
    if not named:
        return None
    name = known_encoding(named[1])
    try:
        body.decode(name)
    except UnicodeError:
        return None
    return name


# --- as sent over the wire -----------------------------------------------------------------------


def _decoded(body: bytes, headers: Headers) -> bytes:
    """Undo what HTTP did to a page; many crawlers keep the headers and store the page without."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _joined(body)
    coding = headers.get("content-encoding", "").strip().lower()
    try:
        if coding in ("gzip", "x-gzip", "deflate"):
            # 47: zlib or gzip, whichever its header says; -15: deflate alone, as some servers send.
            bits = 47 if body[:1] in (b"\x1f", b"\x78") else -15
            return zlib.decompressobj(bits).decompress(body, page.PAGE_LIMIT + 1)
    except zlib.error:
        pass
    return _unbrotlied(body) if coding == "br" else body


def _unbrotlied(body: bytes) -> bytes:
    import brotli

    try:
        return bytes(brotli.Decompressor().process(body, output_buffer_limit=page.PAGE_LIMIT + 1))
    except brotli.error:
        return body


def _joined(body: bytes) -> bytes:
    """Join the chunks of a chunked body; what is not chunked stays as it is."""
    pieces: list[bytes] = []
    at = 0
    while size := _CHUNK_SIZE.match(body, at):
        length = int(size[1], 16)
        if not length:
            return b"".join(pieces)
        pieces.append(body[size.end() : size.end() + length])
        at = size.end() + length + 2
    return b"".join(pieces) if pieces and at >= len(body) else body
