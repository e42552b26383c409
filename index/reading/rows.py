"""Articles out of rows: JSON, JSON lines and CSV, under whatever names people give the fields."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from index import exported
from index.reading import inputs
from index.reading.crawl import headline_off
from index.reading.dates import date_in_url, date_of
from index.reading.inputs import TOO_LONG, InputFile, Outcome, decode, shortened
from index.reading.publishers import article_id, canonical_publisher, host_of
from index.reading.scraped import name_of, one_line, people, text_of
from index.records import Article, ReadProblem

JSON_LIMIT = 200_000_000
"""A JSON file is read whole, so it may have this many bytes; JSON lines may have any number."""

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

FIELD_NAMES = frozenset(name for names in _FIELDS.values() for name in names)


def _field(row: Mapping[str, object], name: str) -> object:
    """Return the first value of a row under any name of a field that is not empty."""
    for key in _FIELDS[name]:
        value = row.get(key)
        if value not in (None, "", [], {}) and not (isinstance(value, str) and not value.strip()):
            return None if isinstance(value, float) and value != value else value
    return None


class _Rows:
    """Reads the rows of one file, and remembers the ids that they gave."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        # Of each id and its text a hash, for a file may have millions of rows.
        self._seen: dict[int, int] = {}

    def read(self, cells: Iterable[tuple[str, object]], number: int) -> Iterator[Outcome]:
        """Yield the article of a row, or what is wrong with it; of a wrong date both."""
        # Reversed, so that the first of two cells of one name counts.
        fields = {name.strip().lower(): value for name, value in reversed(list(cells))}
        found = _article_of_fields(fields, self.file, number)
        if not isinstance(found, Article):
            yield found
            return
        text = hash(found.body)
        if one_line(_field(fields, "id")) and self._seen.setdefault(hash(found.id), text) != text:
            reason = f"The id {found.id!r} stands twice with different text; the first is kept."
            yield self.file.problem(reason, number)
            return
        yield found
        date = _field(fields, "date")
        if found.published is None and _is_meant(date):
            yield self.file.problem(
                f"The date {date!r:.60} cannot be read or lies ahead; the article is kept without.",
                number,
            )

    def read_value(self, value: object, number: int) -> Iterator[Outcome]:
        """Read a row of JSON, which must be an object."""
        if isinstance(value, dict):
            yield from self.read(value.items(), number)
            return
        shown = "a list" if isinstance(value, list) else shortened(repr(value))
        yield self.file.problem(f"A JSON object was expected, not {shown}.", number)


_NO_DATE = frozenset("none null nil nan nat n/a na undefined unknown".split())


def _is_meant(date: object) -> bool:
    """Tell whether a value of a date means one; "-", "null" and 0 say that there is none."""
    if isinstance(date, bool) or not isinstance(date, str | int | float):
        return False
    if not isinstance(date, str):
        return date > 0
    written = date.strip().lower()
    return written not in _NO_DATE and bool(re.search(r"[1-9]|[^\W\d_]", written))


def _article_of_fields(fields: Mapping[str, object], file: InputFile, number: int) -> Outcome:
    if fields.get(exported.MARK) is True:
        try:
            return exported.article_of(fields)
        except ValueError as error:
            return file.problem(f"This row of an export cannot be taken: {error}.", number)
    body = text_of(_field(fields, "text"))
    if not body and any(name in fields for name in _FIELDS["text"]):
        return file.problem("The article has no text.", number)
    if not body:
        present = (", ".join(sorted(fields)[:12]) or "none")[:200]
        reason = f"There is no field text, body or content; its fields are {present}."
        return file.problem(reason, number)
    if len(body) > inputs.RECORD_LIMIT:
        return file.problem(TOO_LONG, number)
    title = one_line(_field(fields, "title"))
    if not title:
        title, body = headline_off(body)
    url = one_line(_field(fields, "url"))
    given = name_of(_field(fields, "publisher"))
    publisher = canonical_publisher(given or file.publisher or host_of(url))
    published = date_of(_field(fields, "date"), file.today) or date_in_url(url, file.today)
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


# --- JSON ----------------------------------------------------------------------------------------

_LIST_NAMES = ("articles", "data", "items", "results", "news", "rows", "berita", "documents")


def read_lines(file: InputFile) -> Iterator[Outcome]:
    """Read JSON lines; a line that is not a JSON object is a problem of its own."""
    rows = _Rows(file)
    for number, line in file.lines():
        if line is None:
            yield file.problem(TOO_LONG, number)
        elif line.strip():
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                # It would say that it is in line 1, which is wrong: it is in row `number`.
                yield _invalid(f"{error.msg}, character {error.pos + 1}", file, number)
            except (ValueError, RecursionError) as error:
                yield _invalid(error, file, number)
            else:
                yield from rows.read_value(value, number)


def _invalid(error: object, file: InputFile, number: int) -> ReadProblem:
    return file.problem(f"This is not valid JSON: {shortened(error)}.", number)


def read_json(file: InputFile) -> Iterator[Outcome]:
    """Read one JSON file: a list of articles, one article, or an object that holds such a list."""
    data = file.whole(JSON_LIMIT)
    if data is None:
        yield file.problem(
            f"A JSON file may have {JSON_LIMIT // 1_000_000} MB. "
            "Save it as JSON lines (.jsonl, one article a line), which may have any size."
        )
        return
    rows = _Rows(file)
    for number, value in enumerate(_json_values(decode(data, file.encoding)), start=1):
        if isinstance(value, ValueError | RecursionError):
            yield _invalid(value, file, number)
        elif inner := _wrapped(value):
            for inner_number, part in enumerate(inner, start=1):
                yield from rows.read_value(part, inner_number)
        else:
            yield from rows.read_value(value, number)


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
        end = 1
        while True:
            while text[end : end + 1] in (",", " ", "\t", "\r", "\n"):
                end += 1
            if text[end : end + 1] in ("]", ""):
                break
            value, end = decoder.raw_decode(text, end)
            yield value
        if text[end + 1 :]:
            raise json.JSONDecodeError("Something follows the list", text, end + 1)
    except (ValueError, RecursionError) as error:
        yield error


def _wrapped(value: object) -> list[object]:
    """Return the list that an object holds in place of an article, empty for any other value."""
    if not isinstance(value, dict) or any(name in value for name in _FIELDS["text"]):
        return []
    return next((value[name] for name in _LIST_NAMES if isinstance(value.get(name), list)), [])


# --- CSV -----------------------------------------------------------------------------------------


def read_csv(file: InputFile) -> Iterator[Outcome]:
    """Read a table with a header line; the delimiter is the one that the header is cut by."""
    problems: list[ReadProblem] = []
    # The limit belongs to the whole process, and Python's own is too small for a long article.
    csv.field_size_limit(inputs.RECORD_LIMIT)
    held: list[str] = []
    lines = _csv_lines(file, held, problems)
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t|", key=header_line.count)
    try:
        cells = next(csv.reader([header_line], delimiter=delimiter), [])
    except csv.Error as error:
        yield file.problem(f"The header cannot be read: {error}.", 1)
        return
    header = [name.strip().lower() for name in cells]
    if not any(name in _FIELDS["text"] for name in header):
        yield from problems
        shown = shortened(", ".join(filter(None, header)))
        yield file.problem(f"No column is named text, body or content; the columns are {shown}.", 1)
        return
    if not any(name in _FIELDS["title"] for name in header):
        shown = shortened(", ".join(filter(None, header)))
        yield file.problem(
            "No column is named title, judul or headline, so a short first line of the text is "
            f"taken; the columns are {shown}.",
            1,
        )
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        yield file.problem(f"The column {doubled[0]!r} stands twice; its first one is used.", 1)
    rows = _Rows(file)
    for number, row in _csv_rows(lines, held, delimiter, len(header), file, problems):
        yield from problems
        problems.clear()
        if any(cell.strip() for cell in row):
            yield from rows.read(zip(header, row, strict=False), number)
    yield from problems


def _csv_lines(file: InputFile, held: list[str], problems: list[ReadProblem]) -> Iterator[str]:
    """Yield a file's lines as a reader of tables can take them, and hold them."""
    for number, line in file.lines():
        if line is None:
            problems.append(file.problem(TOO_LONG, number))
            line = "\n"
        held.append(line.replace("\x00", ""))
        yield held[-1]


def _csv_rows(
    lines: Iterator[str],
    held: list[str],
    delimiter: str,
    columns: int,
    file: InputFile,
    problems: list[ReadProblem],
) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its first line, cells); an empty row where one cannot be read."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        # The header was read before, and the reader counts from 0.
        number = reader.line_num + 2
        held.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(file.problem(f"This row cannot be read: {error}.", number))
            row = []
        if len(held) > 1 and _is_swallowed(held, delimiter, columns):
            problems.append(
                file.problem(
                    f"A quotation mark is not closed, so {len(held)} lines would be one row; "
                    "they were left out.",
                    number,
                )
            )
            row = []
        yield number, row


def _is_swallowed(lines: Sequence[str], delimiter: str, columns: int) -> bool:
    """Tell whether a row of several lines holds whole rows that an open quote took in.

    Those have all columns, and begin as the row does but for figures ("hk-1", "hk-2"); that a
    paragraph does so, and the quotes are wrong as well, is not likely.
    """
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
        return False
    except csv.Error:
        first, *others = (next(csv.reader([line], delimiter=delimiter), []) for line in lines)

    def begin(row: Sequence[str]) -> str:
        return re.sub(r"\d+", "0", row[0].strip()) if row else ""

    return any(len(row) == columns and begin(row) == begin(first) for row in others)
