"""Turns files into articles: raw crawl text, HTML, JSON, JSON lines, CSV, and gzip of each.

A bad file or row is a ReadProblem that tells a person what is wrong and where; never an exception.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from index.dates import date_in_url, date_of
from index.errors import InputError
from index.html_page import article_of_page
from index.publishers import article_id, canonical_publisher, host_of
from index.raw_text import article_of_text, headline_off
from index.records import Article, ReadProblem
from index.scraped import (
    Scrape,
    decode,
    name_of,
    one_line,
    people,
    shortened,
    text_of,
    wide_encoding,
)

RECORD_LIMIT = 10_000_000
"""One article may have this many bytes (of a row, or of a whole text file)."""

PAGE_LIMIT = 4_000_000
"""An HTML page may have this many bytes: finding the text in a longer one takes minutes."""

JSON_LIMIT = 200_000_000
"""A JSON file is read whole, so it may have this many bytes; JSON lines may have any number."""

UNPACKED_LIMIT = 200_000_000
UNPACKED_RATIO = 200
"""A gzip file that grows past both limits is taken for a bomb, and reading it stops."""

HOPELESS = 1_000
"""So many problems in a row without one article, and the rest of the file is not tried."""

_SUFFIXES = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
}
_KNOWN = ", ".join(_SUFFIXES)

Progress = Callable[[int], None]
Outcome = Article | ReadProblem


# --- finding files -------------------------------------------------------------------------------


def find_files(paths: Sequence[Path]) -> list[Path]:
    """List the files to read: each given file, and in each folder the known kinds, in sorted order.

    Hidden files are skipped, a folder that was walked is not walked again, and no file is listed
    twice. Raises InputError for a path that does not exist.
    """
    found: dict[Path, Path] = {}
    walked: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(
                f"There is no file or folder {str(path)!r}. "
                f"Check the spelling; the current folder is {str(Path.cwd())!r}."
            )
        for file in _walk(path, walked) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _walk(folder: Path, walked: set[Path]) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        real = current.resolve()
        if real in walked:
            continue
        walked.add(real)
        try:
            entries = sorted(current.iterdir())
        except OSError as error:
            raise InputError(
                f"The folder {str(current)!r} cannot be read: {error.strerror}. "
                "Give yourself the right to read it, or leave it out."
            ) from error
        entries = [entry for entry in entries if not entry.name.startswith(".")]
        yield from (entry for entry in entries if entry.is_file() and _has_known_name(entry))
        waiting.extend(reversed([entry for entry in entries if entry.is_dir()]))


def _has_known_name(path: Path) -> bool:
    suffix = _inner_suffix(path)
    return suffix in _SUFFIXES or not suffix


def _inner_suffix(path: Path) -> str:
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def size(path: Path) -> int:
    """Return a file's size in bytes as stored, 0 where it cannot be told."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


# --- opening -------------------------------------------------------------------------------------


def read(
    path: Path,
    *,
    publisher: str = "",
    today: dt.date | None = None,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Read one file: yield an Article or a ReadProblem for every record, at least one in all.

    `publisher` fills in where the input names none. Dates more than two days after `today` (the
    date of the call by default) are left out. `progress` is told the bytes consumed, as stored.
    """
    scrape = Scrape(path.name, publisher, today or dt.date.today())
    told = 0
    try:
        with path.open("rb") as stored:
            for outcome in _outcomes(_content(stored), _inner_suffix(path), scrape):
                if progress is not None and (position := stored.tell()) > told:
                    progress(position - told)
                    told = position
                yield outcome
            if progress is not None and (rest := size(path) - told) > 0:
                progress(rest)
    except _BombError:
        yield scrape.problem(
            f"It unpacks to more than {UNPACKED_RATIO} times its size, as news never does; "
            "unpack it yourself if you trust it."
        )
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield scrape.problem("The gzip file is damaged or cut short; what came before was read.")
    except OSError as error:
        yield scrape.problem(f"It cannot be read: {error.strerror or error}.")


class _BombError(OSError):
    """A gzip file grew beyond what news text does."""


class _Unpacked(io.RawIOBase):
    """The content of a gzip file; stops with _BombError where it grows beyond reason."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._content = gzip.GzipFile(fileobj=packed)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        data = self._content.read(len(buffer))
        self._count += len(data)
        if self._count > UNPACKED_LIMIT and self._count > UNPACKED_RATIO * self._packed.tell():
            raise _BombError
        buffer[: len(data)] = data
        return len(data)


def _content(stored: io.BufferedReader) -> io.BufferedReader:
    packed = stored.peek(2)[:2] == b"\x1f\x8b"
    return io.BufferedReader(_Unpacked(stored), 1 << 16) if packed else stored


@dataclass(frozen=True, slots=True)
class _Input:
    """The content of an open file with its encoding, where that is a wide one."""

    content: io.BufferedReader
    encoding: str | None

    def whole(self, limit: int) -> bytes | None:
        """Return all of the content, None where it is longer than `limit` bytes."""
        data = self.content.read(limit + 1)
        return None if len(data) > limit else data

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """Yield (number from 1, line with its end); None for a line that is too long."""
        if self.encoding is None:
            yield from _bounded_lines(self.content)
            return
        text = io.TextIOWrapper(self.content, self.encoding, errors="replace", newline="\n")
        try:
            yield from _bounded_lines(text)
        finally:
            # The file belongs to whoever opened it.
            text.detach()


def _bounded_lines(file: IO[bytes] | IO[str]) -> Iterator[tuple[int, str | None]]:
    number = 0
    while line := file.readline(RECORD_LIMIT + 1):
        number += 1
        if len(line) <= RECORD_LIMIT or _is_ended(line):
            text = line if isinstance(line, str) else decode(line)
            yield number, text.removeprefix("\ufeff") if number == 1 else text
            continue
        while line and not _is_ended(line):
            line = file.readline(1 << 20)
        yield number, None


def _is_ended(line: bytes | str) -> bool:
    return line.endswith("\n") if isinstance(line, str) else line.endswith(b"\n")


# --- which kind of file --------------------------------------------------------------------------

_MAGIC = {
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"PK\x03\x04": "ZIP or Office",
    b"\xd0\xcf\x11\xe0": "Office",
    b"SQLite format": "SQLite",
    b"\x7fELF": "program",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x8b": "gzip within gzip",
}


def _outcomes(content: io.BufferedReader, suffix: str, scrape: Scrape) -> Iterator[Outcome]:
    """Read an open file; give up where it yields nothing but problems."""
    head = content.peek(4096)[:4096]
    if not head:
        yield scrape.problem("The file is empty.")
        return
    encoding = wide_encoding(head)
    if encoding is None and (reason := _binary_reason(head)):
        yield scrape.problem(reason)
        return
    kind = _kind(suffix, decode(head, encoding).lstrip("\ufeff \t\r\n"))
    if kind is None:
        yield scrape.problem(f"This kind of file is not known. Known are {_KNOWN} and .gz of each.")
        return
    found = failed = 0
    for outcome in _READERS[kind](_Input(content, encoding), scrape):
        yield outcome
        found += isinstance(outcome, Article)
        failed += isinstance(outcome, ReadProblem)
        if not found and failed >= HOPELESS:
            yield scrape.problem(
                f"None of the first {failed} rows is an article; the rest was left."
            )
            return
    if not found and not failed:
        yield scrape.problem("The file holds no article.")


def _binary_reason(head: bytes) -> str:
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return f"It is a {name} file, not text. Known are {_KNOWN} and .gz of each."
    controls = sum(byte < 9 or 13 < byte < 27 for byte in head)
    if controls > 0.02 * len(head):
        return "It is not a text file (it holds binary data)."
    return ""


def _kind(suffix: str, head: str) -> str | None:
    """Decide how a file is read; its content decides where the name lies."""
    start = head[:300].lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")) or (
        start.startswith(("<?xml", "<!--", "<meta")) and "<html" in head.lower()
    ):
        return "html"
    if re.match(r"\[\s*(?:\{\s*[\"}]|\]\s*$)", head):
        return "json"
    if re.match(r"\{\s*[\"}]", head):
        first = head.split("\n", 1)[0].rstrip()
        if suffix == ".json":
            return "lines" if re.search(r"\}\s*\n\s*\{", head) and first.endswith("}") else "json"
        return "json" if suffix != ".jsonl" and first in ("{", "{\r") else "lines"
    if suffix in ("", ".txt", ".json", ".html", ".htm") and _looks_like_table(head):
        return "csv"
    if suffix in (".html", ".htm") and not re.search(r"<[a-zA-Z!/]", head):
        return "text"
    return _SUFFIXES.get(suffix, None if suffix else "text")


def _looks_like_table(head: str) -> bool:
    first = head.split("\n", 1)[0]
    cells = [cell.strip(" \"'\r").lower() for cell in re.split(r"[,;\t|]", first)]
    known = {name for names in _FIELDS.values() for name in names}
    return len(cells) > 1 and sum(cell in known for cell in cells) >= 2


# --- whole pages ---------------------------------------------------------------------------------

_TOO_LONG = (
    f"It is longer than {RECORD_LIMIT // 1_000_000} MB, so it is no article; it was skipped."
)


def _read_text(file: _Input, scrape: Scrape) -> Iterator[Outcome]:
    data = file.whole(RECORD_LIMIT)
    if data is None:
        yield scrape.problem(_TOO_LONG)
        return
    yield article_of_text(decode(data, file.encoding), scrape)


def _read_html(file: _Input, scrape: Scrape) -> Iterator[Outcome]:
    data = file.whole(PAGE_LIMIT)
    if data is None:
        yield scrape.problem(
            f"The page is longer than {PAGE_LIMIT // 1_000_000} MB; it was skipped."
        )
        return
    yield article_of_page(data, file.encoding, scrape)


# --- rows of JSON and CSV ------------------------------------------------------------------------

_FIELDS = {
    "id": ("id", "article_id", "_id", "guid", "id_berita"),
    "title": ("title", "judul", "headline", "heading", "judul_berita"),
    "text": (
        "text", "body", "content", "isi", "isi_berita", "isi berita", "konten", "artikel",
        "article", "articlebody", "full_text", "fulltext", "teks", "berita",
    ),
    "url": ("url", "link", "permalink", "canonical", "tautan", "href"),
    "date": (
        "published", "published_at", "date", "date_published", "datepublished", "publish_date",
        "published_date", "pubdate", "pub_date", "tanggal", "tanggal_terbit", "waktu", "datetime",
        "timestamp", "created_at",
    ),
    "publisher": (
        "publisher", "source", "sumber", "media", "situs", "site", "portal", "source_name",
        "site_name", "website", "penerbit",
    ),
    "authors": ("authors", "author", "penulis", "reporter", "wartawan", "byline"),
    "editors": ("editors", "editor", "redaktur", "penyunting"),
}  # fmt: skip


def _field(row: Mapping[str, object], name: str) -> object:
    """Return the first value of a row under any name of a field that is not empty."""
    for key in _FIELDS[name]:
        value = row.get(key)
        if value not in (None, "", [], {}) and not (isinstance(value, str) and not value.strip()):
            return None if isinstance(value, float) and value != value else value
    return None


class _Rows:
    """Reads the rows of one file, and remembers the ids that they gave."""

    def __init__(self, scrape: Scrape) -> None:
        self.scrape = scrape
        # Of each id and its text a hash, for a file may have millions of rows.
        self._seen: dict[int, int] = {}

    def read(self, cells: Iterable[tuple[str, object]], number: int) -> Iterator[Outcome]:
        """Yield the article of a row, or what is wrong with it; of a wrong date both."""
        # Reversed, so that the first of two cells of one name counts.
        fields = {name.strip().lower(): value for name, value in reversed(list(cells))}
        found = _article_of_fields(fields, self.scrape, number)
        if isinstance(found, Article) and self._stands_twice(found, _field(fields, "id")):
            reason = f"The id {found.id!r} stands twice with different text; the first is kept."
            yield self.scrape.problem(reason, number)
            return
        yield found
        date = _field(fields, "date")
        if isinstance(found, Article) and found.published is None and _is_meant(date):
            yield self.scrape.problem(
                f"The date {date!r:.60} cannot be read or lies ahead; the article is kept without.",
                number,
            )

    def _stands_twice(self, article: Article, own: object) -> bool:
        """Tell whether an earlier row gave the same id to another text."""
        if not one_line(own):
            return False
        text = hash(article.body)
        return self._seen.setdefault(hash(article.id), text) != text


_NO_DATE = frozenset("none null nil nan nat n/a na undefined unknown".split())


def _is_meant(date: object) -> bool:
    """Tell whether a value of a date means one; "-", "null" and 0 say that there is none."""
    if isinstance(date, bool) or not isinstance(date, str | int | float):
        return False
    if not isinstance(date, str):
        return date > 0
    written = date.strip().lower()
    return written not in _NO_DATE and bool(re.search(r"[1-9]|[^\W\d_]", written))


def _article_of_fields(fields: Mapping[str, object], scrape: Scrape, number: int) -> Outcome:
    body = text_of(_field(fields, "text"))
    if not body:
        return scrape.problem(_missing_text(fields), number)
    if len(body) > RECORD_LIMIT:
        return scrape.problem(_TOO_LONG, number)
    title = one_line(_field(fields, "title"))
    if not title:
        title, body = headline_off(body)
    url = one_line(_field(fields, "url"))
    given = name_of(_field(fields, "publisher"))
    publisher = canonical_publisher(given or scrape.publisher or host_of(url))
    published = date_of(_field(fields, "date"), scrape.today) or date_in_url(url, scrape.today)
    return Article(
        id=article_id(_field(fields, "id"), publisher, url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=published,
        authors=people(_field(fields, "authors")),
        editors=people(_field(fields, "editors")),
    )


def _missing_text(fields: Mapping[str, object]) -> str:
    if any(name in fields for name in _FIELDS["text"]):
        return "The article has no text."
    present = ", ".join(sorted(fields)[:12]) or "none"
    return f"There is no field text, body or content; its fields are {present[:200]}."


# --- JSON ----------------------------------------------------------------------------------------

_LIST_NAMES = ("articles", "data", "items", "results", "news", "rows", "berita", "documents")


def _read_lines(file: _Input, scrape: Scrape) -> Iterator[Outcome]:
    """Read JSON lines; a line that is not a JSON object is a problem of its own."""
    rows = _Rows(scrape)
    for number, line in file.lines():
        if line is None:
            yield scrape.problem(_TOO_LONG, number)
        elif line.strip():
            yield from _of_line(line, rows, number)


def _of_line(line: str, rows: _Rows, number: int) -> Iterator[Outcome]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        # To say that it is in line 1, as the error does, would be wrong: it is in row `number`.
        yield _invalid(f"{error.msg}, character {error.pos + 1}", rows.scrape, number)
    except (ValueError, RecursionError) as error:
        yield _invalid(error, rows.scrape, number)
    else:
        yield from _of_value(value, rows, number)


def _invalid(error: object, scrape: Scrape, number: int) -> ReadProblem:
    return scrape.problem(f"This is not valid JSON: {shortened(error)}.", number)


def _of_value(value: object, rows: _Rows, number: int) -> Iterator[Outcome]:
    if isinstance(value, dict):
        yield from rows.read(value.items(), number)
        return
    shown = "a list" if isinstance(value, list) else shortened(repr(value))
    yield rows.scrape.problem(f"A JSON object was expected, not {shown}.", number)


def _read_json(file: _Input, scrape: Scrape) -> Iterator[Outcome]:
    """Read one JSON file: a list of articles, one article, or an object that holds such a list."""
    data = file.whole(JSON_LIMIT)
    if data is None:
        yield scrape.problem(
            f"A JSON file may have {JSON_LIMIT // 1_000_000} MB. "
            "Save it as JSON lines (.jsonl, one article a line), which may have any size."
        )
        return
    rows = _Rows(scrape)
    for number, value in enumerate(_json_values(decode(data, file.encoding)), start=1):
        if isinstance(value, ValueError | RecursionError):
            yield _invalid(value, scrape, number)
        elif inner := _wrapped(value):
            for inner_number, part in enumerate(inner, start=1):
                yield from _of_value(part, rows, inner_number)
        else:
            yield from _of_value(value, rows, number)


def _json_values(text: str) -> Iterator[object]:
    """Yield the elements of a list, or the one value that it is; an error in place of the rest.

    One by one, so that a list that was cut short gives what came before.
    """
    decoder = json.JSONDecoder()
    text = text.strip("\ufeff \t\r\n")
    try:
        if not text.startswith("["):
            yield decoder.decode(text)
            return
        end = _element_at(text, 1)
        while text[end : end + 1] not in ("]", ""):
            value, end = decoder.raw_decode(text, end)
            yield value
            end = _element_at(text, end)
        if text[end + 1 :]:
            raise json.JSONDecodeError("Something follows the list", text, end + 1)
    except (ValueError, RecursionError) as error:
        yield error


def _element_at(text: str, position: int) -> int:
    while position < len(text) and text[position] in ", \t\r\n":
        position += 1
    return position


def _wrapped(value: object) -> list[object]:
    """Return the list that an object holds in place of an article, empty for any other value."""
    if not isinstance(value, dict) or any(name in value for name in _FIELDS["text"]):
        return []
    return next((value[name] for name in _LIST_NAMES if isinstance(value.get(name), list)), [])


# --- CSV -----------------------------------------------------------------------------------------


def _read_csv(file: _Input, scrape: Scrape) -> Iterator[Outcome]:
    """Read a table with a header line; the delimiter is the one that the header is cut by."""
    problems: list[ReadProblem] = []
    # The limit belongs to the whole process, and Python's own is too small for a long article.
    csv.field_size_limit(RECORD_LIMIT)
    lines = _csv_lines(file, scrape, problems)
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t|", key=header_line.count)
    try:
        cells = next(csv.reader([header_line], delimiter=delimiter), [])
    except csv.Error as error:
        yield scrape.problem(f"The header cannot be read: {error}.", 1)
        return
    header = [name.strip().lower() for name in cells]
    if not any(name in _FIELDS["text"] for name in header):
        yield from problems
        shown = shortened(", ".join(filter(None, header)))
        yield scrape.problem(
            f"No column is named text, body or content; the columns are {shown}.", 1
        )
        return
    if not any(name in _FIELDS["title"] for name in header):
        shown = shortened(", ".join(filter(None, header)))
        yield scrape.problem(
            "No column is named title, judul or headline, so a short first line of the text is "
            f"taken; the columns are {shown}.",
            1,
        )
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        yield scrape.problem(f"The column {doubled[0]!r} stands twice; its first one is used.", 1)
    rows = _Rows(scrape)
    for number, row in _csv_rows(lines, delimiter, len(header), scrape, problems):
        yield from problems
        problems.clear()
        if any(cell.strip() for cell in row):
            yield from rows.read(zip(header, row, strict=False), number)
    yield from problems


def _csv_lines(file: _Input, scrape: Scrape, problems: list[ReadProblem]) -> Iterator[str]:
    for number, line in file.lines():
        if line is None:
            problems.append(scrape.problem(_TOO_LONG, number))
            line = "\n"
        yield line.replace("\x00", "")


def _csv_rows(
    lines: Iterator[str],
    delimiter: str,
    columns: int,
    scrape: Scrape,
    problems: list[ReadProblem],
) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its first line, cells); an empty row where one cannot be read."""
    held: list[str] = []
    reader = csv.reader(_kept(lines, held), delimiter=delimiter)
    while True:
        # The header was read before, and the reader counts from 0.
        number = reader.line_num + 2
        held.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(scrape.problem(f"This row cannot be read: {error}.", number))
            row = []
        if len(held) > 1 and _is_swallowed(held, delimiter, columns):
            problems.append(
                scrape.problem(
                    f"A quotation mark is not closed, so {len(held)} lines would be one row; "
                    "they were left out.",
                    number,
                )
            )
            row = []
        yield number, row


def _kept(lines: Iterator[str], held: list[str]) -> Iterator[str]:
    for line in lines:
        held.append(line)
        yield line


def _is_swallowed(lines: Sequence[str], delimiter: str, columns: int) -> bool:
    """Tell whether a row of several lines holds whole rows that an open quote took in.

    Those have all columns, and begin as the row does but for figures ("hk-1", "hk-2"); that a
    paragraph does so, and the quotes are wrong as well, is not likely.
    """
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        first, *others = (next(csv.reader([line], delimiter=delimiter), []) for line in lines)
        return any(len(row) == columns and _begin(row) == _begin(first) for row in others)
    return False


def _begin(row: Sequence[str]) -> str:
    return re.sub(r"\d+", "0", row[0].strip()) if row else ""


_READERS: dict[str, Callable[[_Input, Scrape], Iterator[Outcome]]] = {
    "text": _read_text,
    "html": _read_html,
    "lines": _read_lines,
    "json": _read_json,
    "csv": _read_csv,
}
