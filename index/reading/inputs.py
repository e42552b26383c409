"""One open file: its text in whatever encoding, its lines, and the problems that it has."""

from __future__ import annotations

import codecs
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, cast

from index.reading.dates import WIB
from index.reading.fields import NO_COLUMNS, Columns
from index.records import Article, ReadProblem

RECORD_LIMIT = 10_000_000
"""One article may have this many bytes (of a row, or of a whole text file)."""

TOO_LONG = f"It is longer than {RECORD_LIMIT // 1_000_000} MB, so it is no article; it was skipped."

_LONGEST_REASON = 1_000

Outcome = Article | ReadProblem


@dataclass(frozen=True, slots=True)
class InputFile:
    """An open file, unpacked, with what each of its articles needs to know.

    `publisher` is the user's word where the input names none, `today` the day of reading;
    `encoding` is UTF-16 or UTF-32 by the file's first bytes, None for any other. `columns` are
    those that the user mapped, `zone` is where an instant's date is taken, `url` where a crawl had
    a page from, for one that does not say.
    """

    name: str
    publisher: str
    today: dt.date
    content: io.BufferedReader
    encoding: str | None = None
    columns: Columns = NO_COLUMNS
    zone: dt.timezone = WIB
    url: str = ""

    def problem(self, reason: str, row: int | None = None, *, note: bool = False) -> ReadProblem:
        """Make a problem, or a note, with its place."""
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON]}…"
        return ReadProblem(self.name if row is None else f"{self.name}:{row}", reason, note)

    def within(self, data: bytes, encoding: str | None, url: str) -> InputFile:
        """Return a page that stands in this file; its problems have this file's place."""
        return replace(self, content=buffered(data), encoding=encoding, url=url)

    def left_out(self, left: Counter[str], count: int, what: str, advice: str = "") -> ReadProblem:
        """Tell how many of `count` rows, items or records were left out, and as what."""
        told = ", ".join(f"{kind} {number:,}" for kind, number in left.most_common())
        return self.problem(f"Left out of {count:,} {what}: {told}{advice}.")

    def whole(self, limit: int) -> bytes | None:
        """Return all of the content, None where it is longer than `limit` bytes."""
        data = self.content.read(limit + 1)
        return None if len(data) > limit else data

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces of about a megabyte."""
        if self.encoding is not None:
            with self._as_text(self.encoding) as text:
                yield from iter(lambda: text.read(_PIECE), "")
            return
        rest = b""
        while data := self.content.read(_PIECE):
            # No character is cut behind one of ASCII; only what is no text has none.
            end = next((n for n in range(len(data), 0, -1) if data[n - 1] < 0x80), 0)
            if end:
                yield decode(rest + data[:end])
                rest = b""
            rest += data[end:]
        yield decode(rest)

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """Yield (number from 1, line with its end); None for a line that is too long."""
        if self.encoding is None:
            yield from _bounded_lines(self.content)
        else:
            with self._as_text(self.encoding) as text:
                yield from _bounded_lines(text)

    @contextmanager
    def _as_text(self, encoding: str) -> Iterator[IO[str]]:
        text = io.TextIOWrapper(self.content, encoding, errors="replace", newline="\n")
        try:
            yield text
        finally:
            # The file belongs to whoever opened it.
            text.detach()


def buffered(data: bytes) -> io.BufferedReader:
    """Return bytes as an open file."""
    return io.BufferedReader(cast(io.RawIOBase, io.BytesIO(data)))


_PIECE = 1 << 20
_ENDS = ("\n", b"\n")


def _bounded_lines(file: IO[bytes] | IO[str]) -> Iterator[tuple[int, str | None]]:
    number = 0
    while line := file.readline(RECORD_LIMIT + 1):
        number += 1
        if len(line) <= RECORD_LIMIT or line[-1:] in _ENDS:
            text = line if isinstance(line, str) else decode(line)
            yield number, text.removeprefix("\ufeff") if number == 1 else text
            continue
        while line and line[-1:] not in _ENDS:
            line = file.readline(1 << 20)
        yield number, None


def shortened(value: object) -> str:
    """Return a value as a message shows it: 80 characters at most."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


# --- bytes to text -------------------------------------------------------------------------------

_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w\-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^<>]{0,100}?encoding\s*=\s*[\"']([\w\-]{2,40})")


def wide_encoding(head: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 encoding of a file's first bytes, None for any other."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[0:400:2], head[1:400:2]
    if len(odd) >= 8 and odd.count(0) > 0.8 * len(odd) and even.count(0) == 0:
        return "utf-16-le"
    if len(odd) >= 8 and even.count(0) > 0.8 * len(even) and odd.count(0) == 0:
        return "utf-16-be"
    return None


def decode(data: bytes, encoding: str | None = None) -> str:
    """Decode text of unknown encoding: UTF-8 where it is, else Windows-1252; never fails."""
    if encoding is not None:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    good = sum(1 for char in text if char > "\x7f" and char != "\ufffd")
    # Broken UTF-8 still has more whole characters than broken ones; Windows-1252 has none.
    if good >= text.count("\ufffd"):
        return text
    return data.decode("cp1252", "replace").replace("\ufffd", "")


def decode_page(data: bytes, encoding: str | None = None) -> str:
    """Decode an HTML page by its byte order mark or its own declaration, where that holds."""
    named = _CHARSET.search(data[:8192]) or _XML_ENCODING.match(data[:400].lstrip())
    if encoding is not None or data.startswith(codecs.BOM_UTF8) or named is None:
        return decode(data, encoding)
    try:
        return data.decode(known_encoding(named[1].decode("ascii")))
    except UnicodeDecodeError:
        return decode(data)


def known_encoding(name: str) -> str:
    """Return the encoding that a declaration of this name means, "utf-8" where there is none.

    What calls itself Latin-1 is Windows-1252, as browsers read it and those who write it mean.
    """
    name = name.strip().lower()
    if name in ("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"):
        return "cp1252"
    try:
        bytes(4).decode(name)  # Python's "hex" and the like are no encodings of text.
    except (LookupError, UnicodeError):
        return "utf-8"
    return name
