"""Articles out of rows: JSON, JSON lines, CSV and Parquet, under whatever names and shapes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import IO, NamedTuple

from index import exported
from index.reading import cells, inputs, json_values, page
from index.reading.crawl import headline_off
from index.reading.dates import date_in_url, date_of
from index.reading.fields import Columns, Plan, meaning, plan, words_of
from index.reading.inputs import TOO_LONG, InputFile, Outcome, shortened
from index.reading.looks import Looks
from index.reading.publishers import article_id, canonical_publisher, host_of, is_host
from index.reading.scraped import one_line
from index.reading.shapes import is_header, is_row, rows_in
from index.records import Article, ReadProblem


class _Rows:
    """Reads the rows of one file, and remembers what is to be told of them all."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self.header: list[str] = []
        self.looks = Looks(file)
        self.stubs: list[int] = []
        self.month_first: frozenset[str] = frozenset()
        self.rows = 0
        self.left: Counter[str] = Counter()
        # Of each id its text, title and URL as hashes; on the disk, for a file may have millions.
        self.seen = sqlite3.connect("")
        self.seen.execute("CREATE TABLE seen (id INTEGER PRIMARY KEY, text, title, url)")

    def read_all(self, values: Iterable[tuple[int, object]]) -> Iterator[Outcome]:
        """Read (row number, value) of a whole file, then tell what holds for many of them."""
        with closing(self.seen):
            values = iter(values)
            first = list(itertools.islice(values, _FIRST_ROWS))
            self.month_first = _month_first([value for _, value in first])
            for number, value in itertools.chain(first, values):
                if isinstance(value, json_values.Broken):
                    yield self.file.problem(value.reason, number)
                elif isinstance(value, ReadProblem):
                    yield value
                else:
                    yield from self.read_value(value, number)
            yield from self.looks.notes()
            for name in sorted(self.month_first):
                yield self.file.problem(f"The dates of {name!r} are read month first.", note=True)
            if self.left:
                yield self.file.left_out(self.left, self.rows, "rows")
            if self.stubs:
                yield self.file.problem(self._told_stubs(), note=True)

    def _told_stubs(self) -> str:
        rows = ", ".join(map(str, self.stubs[:5])) + (", ..." if len(self.stubs) > 5 else "")
        what = "article is only its beginning" if len(self.stubs) == 1 else "articles are stubs"
        return (
            f"{len(self.stubs):,} {what} (row {rows}): the text ends where the page goes on. "
            "Add the whole text in its place."
        )

    def read_value(self, value: object, number: int) -> Iterator[Outcome]:
        """Read a row of JSON: an object, or a list below a list of its names."""
        if isinstance(value, list) and len(value) == len(self.header):
            value = dict(zip(self.header, value, strict=True))
        if isinstance(value, dict):
            yield from self.read(value, number)
        elif isinstance(value, list) and is_header(value, self.file.columns):
            self.header = value
        else:
            shown = "a list" if isinstance(value, list) else shortened(repr(value))
            yield self.file.problem(f"A JSON object was expected, not {shown}.", number)

    def read(self, fields: Mapping[str, object], number: int) -> Iterator[Outcome]:
        """Yield the article of a row, or what is wrong with it; of a wrong date both."""
        if fields.get(exported.MARK) is True:
            try:
                yield exported.article_of(fields)
            except ValueError as error:
                reason = f"This row of an export cannot be taken: {error}."
                yield self.file.problem(reason, number)
            return
        self.rows += 1
        if kind := _left_out(fields):
            self.left[kind] += 1
            return
        row = _Row(fields, self.file, self.month_first)
        found = _article_of(row, number)
        self.looks.see(row.plan, fields, row.own_id, found)
        if not isinstance(found, Article):
            yield found
            return
        if row.own_id and (reason := self._doubled(found)):
            yield self.file.problem(reason, number)
            return
        if row.is_stub:
            self.stubs.append(number)
        yield found
        if found.published is None and row.unread_date is not None:
            yield self.file.problem(
                f"The date {row.unread_date!r:.60} cannot be read or lies ahead; "
                "the article is kept without.",
                number,
            )

    def _doubled(self, found: Article) -> str:
        """Tell what is wrong where an earlier row has this id; the archive knows two articles."""
        values = [hash(part) for part in (found.id, found.body, found.title, found.url)]
        earlier = self.seen.execute("SELECT text, title, url FROM seen WHERE id = ?", values[:1])
        text, title, url = earlier.fetchone() or (None, None, None)
        if text is None:
            self.seen.execute("INSERT INTO seen VALUES (?, ?, ?, ?)", values)
        elif text != values[1] and (title == values[2] or (found.url and url == values[3])):
            return f"The id {found.id!r} stands twice with different text; the first is kept."
        return ""


def _left_out(fields: Mapping[str, object]) -> str:
    """Return what a row is that is no published article, in the plural; "" for any other."""
    for name, value in fields.items():
        said = value if isinstance(value, str) else ""
        kind = said if words_of(name) == ("post", "type") else ""
        status = said if words_of(name)[-1:] == ("status",) else ""
        if reason := cells.left_out(kind, status):
            return reason
    return ""


# --- one row -------------------------------------------------------------------------------------


class _Row:
    """The values of a row: found by its names, and where these leave a choice by their looks."""

    def __init__(
        self, fields: Mapping[str, object], file: InputFile, month_first: Collection[str] = ()
    ) -> None:
        self.fields, self.file, self.month_first = fields, file, month_first
        self.plan: Plan = plan(tuple(fields), file.columns)
        self.own_id = self._id()
        self.is_stub = False
        self.page = ""
        """The code of a whole page that stands where the text may."""
        self.unread_date: object = None

    def tried(self, target: str) -> Iterator[tuple[str, object]]:
        """Yield the name and value of each field that may be this, but for those without one."""
        for name in self.plan.names[target]:
            if not cells.is_nothing(value := cells.plain(self.fields[name])):
                yield name, value

    def text(self) -> str:
        """Return the whole text that stands in the row, else the beginning of it, else ""."""
        beginning = ""
        for name in self.plan.names["text"]:
            written = self.fields[name]
            # The code of a page, which some scrapes keep beside the text.
            if isinstance(written, str) and _PAGE.match(written):
                self.page = self.page or written
                continue
            text = cells.text_in(written)
            if not cells.has_words(text):
                continue
            text, is_short = cells.stub_of(text)
            if not is_short and not self.plan.is_summary(name):
                return text
            beginning = beginning or (text if cells.has_words(text) else "")
        self.is_stub = bool(beginning)
        return beginning

    def title(self) -> str:
        written = (one_line(value) for _, value in self.tried("title"))
        title = next((t for t in written if not t.startswith(("http://", "https://"))), "")
        site = _SITE_BEHIND.search(title)
        return title[: site.start()] if site and is_host(site[1]) else title

    def url(self) -> str:
        """Return the first address; of a name for something else only one of a page."""
        for name, value in self.tried("url"):
            url = one_line(value)
            if meaning(name).ranks.get("url", 0) >= 2:
                fits = re.match(r"(?:https?:)?//[^/]+/+[^/]", url)
            else:
                fits = re.match(r"\S+$", url)
            if fits:
                return url
        return ""

    def date(self) -> dt.date | None:
        """Return the first date that can be read, and remember the first that cannot."""
        for name, value in self.tried("date"):
            if name in self.month_first:
                value = _NUMBERS.sub(r"\2\1", str(value), count=1)
            if found := date_of(value, self.file.today, self.file.zone):
                return found
            # 0 and "0000-00-00" say that there is none.
            if self.unread_date is None and re.search(r"[1-9]|[^\W\d_]", str(value)):
                self.unread_date = None if isinstance(value, bool) else value
        return None

    def publisher(self) -> str:
        """Return a name before a host before an address; the surest column alone decides."""
        given = ""
        for name in self.plan.names["publisher"]:
            found = cells.name_in(self.fields[name])
            if cells.is_nothing(found) or not re.search(r"[^\W\d_]", found):
                continue
            if date_of(found, self.file.today) or _FILE_NAME.search(found):
                continue
            is_name = "://" not in found and not is_host(found)
            if is_name or (not given and meaning(name).ranks.get("publisher", 0) < 1):
                return found
            if not given or ("://" in given and "://" not in found):
                given = found
        return given

    def people(self, target: str) -> tuple[str, ...]:
        written = (cells.people_in(self.fields[name]) for name in self.plan.names[target])
        return next(filter(None, written), ())

    def _id(self) -> object:
        """Return the row's own id; a small number or an address only where there is no other."""
        second: object = None
        for name, value in self.tried("id"):
            if isinstance(own := self.fields[name], str) and own.startswith("["):
                value = own  # BEIR's "[12]" is an id, not a list.
            written = one_line(value)
            unsure = meaning(name).ranks.get("id", 0) >= 3
            if isinstance(value, bool) or not written or (unsure and " " in written):
                continue
            if not re.fullmatch(r"\d{1,7}|https?://.*", written):
                return value
            second = value if second is None else second
        return second


# A page's title names its site: "Pasar dibuka | contoh.co.id".
_SITE_BEHIND = re.compile(r"\s+[|–—-]\s+(\S+)$")
_FILE_NAME = re.compile(r"\.(?:csv|tsv|jsonl?|xlsx?|txt|html?|xml|parquet|zip|gz)$", re.IGNORECASE)
_FIRST_ROWS = 200
"""So many rows tell the order of day and month in the columns of a file."""
_NUMBERS = re.compile(r"^(\s*\d{1,2}[/.-])(\d{1,2}[/.-])(?=\d{4}\b)")


def _month_first(rows: Sequence[object]) -> frozenset[str]:
    """Return the names whose dates put the month first: "10/21/2025" stands in one of these rows,
    and "21/10/2025" in none."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            numbers = _NUMBERS.match(value) if isinstance(value, str) else None
            first, second = (int(part[:-1]) for part in numbers.groups()) if numbers else (0, 0)
            if max(first, second) > 12 >= min(first, second):
                found[second > 12].add(name)
    return frozenset(found[True] - found[False])


# A whole page has a head; a fragment between <html> and <body> is a text.
_PAGE = re.compile(r"\s*<(?:!doctype|html|head)\b[^\0]{0,9999}?<(?:title|meta)\b", re.IGNORECASE)


def _article_of(row: _Row, number: int) -> Outcome:
    file = row.file
    if not row.plan.names["text"]:
        return file.problem(_told_fields(row.fields), number)
    body = row.text()
    of_page = _NO_ARTICLE if body else _article_in_page(row)
    body = body or of_page.body
    if not body:
        return file.problem(_told_empty(row), number)
    if len(body) > inputs.RECORD_LIMIT:
        return file.problem(TOO_LONG, number)
    title = row.title() or of_page.title
    if not title:
        title, body = headline_off(body)
    url = row.url() or of_page.url
    given = row.publisher() or of_page.publisher
    if "://" in given:
        given = file.publisher or given
    publisher = canonical_publisher(given or file.publisher or host_of(url))
    published = row.date() or of_page.published or date_in_url(url, file.today)
    return Article(
        id=article_id(row.own_id, publisher, url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=published,
        authors=row.people("author") or of_page.authors,
        editors=row.people("editor") or of_page.editors,
    )


def _article_in_page(row: _Row) -> Article:
    """Return the article of the page whose code stands in a row; an empty one for none."""
    if not row.page:
        return _NO_ARTICLE
    code = row.page.encode("utf-8", "replace")
    file = row.file.within(code, "utf-8", row.url())
    return next((found for found in page.read(file) if isinstance(found, Article)), _NO_ARTICLE)


_NO_ARTICLE = Article("", "", "", "")


def _told_fields(fields: Mapping[str, object]) -> str:
    present = (", ".join(sorted(fields)[:12]) or "none")[:200]
    return (
        f"There is no field text, body or content; its fields are {present}. If one of them is "
        "the text, name it: --map text=NAME."
    )


def _told_empty(row: _Row) -> str:
    written = (cells.text_in(row.fields[name]) for name in row.plan.names["text"])
    said = next((" ".join(text.split()) for text in written if text), "")
    only = f", only {shortened(said)!r}" if said else ""
    return f"The article has no text{only}."


# --- JSON ----------------------------------------------------------------------------------------


def read_lines(file: InputFile) -> Iterator[Outcome]:
    """Read JSON lines; a line that is not a JSON object is a problem of its own."""
    head = file.content.peek(1 << 16)
    first, end, _ = head.lstrip(b"\xef\xbb\xbf\r\n\t ").partition(b"\n")
    if file.encoding is None and (first.strip() in (b"{", b"[") or not end):
        # Objects over several lines, or all in one.
        yield from read_json(file)
    else:
        yield from _Rows(file).read_all(_unwrapped(_line_values(file), file))


def _line_values(file: InputFile) -> Iterator[tuple[int, object]]:
    for number, written in _json_lines(file):
        if written is None:
            yield number, json_values.Broken(TOO_LONG)
            continue
        try:
            yield number, json_values.loads(written)
        except (ValueError, RecursionError):
            # A list's brackets may stand in any line of it.
            pieces = [written.lstrip("[], ")]
            yield from ((number, value) for value in json_values.values(pieces, _is_wanted(file)))


def _json_lines(file: InputFile) -> Iterator[tuple[int, str | None]]:
    """Yield (number of its first line, text) of each row, also of one with raw line breaks."""
    held, first = "", 0
    for number, line in file.lines():
        text = (line or "").strip(_BLANKS)
        if held and (_OPENS.match(text) or len(held) > inputs.RECORD_LIMIT):
            yield first, held
            held = ""
        if line is None:
            yield number, None
        if not held:
            held, first = (line or "").lstrip(_BLANKS), number
        else:
            held += line or ""
        if held and (not _OPENS.match(held) or _CLOSES.search(held, max(0, len(held) - 10))):
            yield first, held
            held = ""
    if held:
        yield first, held


_BLANKS = "\ufeff\x1e \t\r\n"
_OPENS = re.compile(r"\{\s*\"")
_CLOSES = re.compile(r"\}[\s,\]]*$")


def read_json(file: InputFile) -> Iterator[Outcome]:
    """Read JSON of any size: lists, objects, and objects that hold lists of articles."""
    values = json_values.values(file.pieces(), _is_wanted(file))
    rows = (row for _, row in _unwrapped(((0, value) for value in values), file))
    yield from _Rows(file).read_all(enumerate(rows, start=1))


def _is_wanted(file: InputFile) -> Callable[[object], bool]:
    return lambda value: is_row(value, file.columns) or is_header(value, file.columns)


def _unwrapped(
    values: Iterable[tuple[int, object]], file: InputFile
) -> Iterator[tuple[int, object]]:
    """Yield the rows that each value holds."""
    for number, value in values:
        for row in rows_in(value, file.columns):
            yield number, row


# --- tables --------------------------------------------------------------------------------------


_PREAMBLE = 12
_MOST_COLUMNS = 10_000
"""Behind the first line that says something a header is looked for in so many."""


class _Table(NamedTuple):
    """The header of a CSV file, and how its rows are cut."""

    header: list[str]
    delimiter: str
    line: int


def read_csv(file: InputFile) -> Iterator[Outcome]:
    """Read a table with a header line; the delimiter is the one that the header is cut by."""
    problems: list[ReadProblem] = []
    # The limit belongs to the whole process, and Python's own is too small for a long article.
    csv.field_size_limit(inputs.RECORD_LIMIT)
    lines = _csv_lines(file, problems)
    try:
        table, behind = _csv_header(lines, file.columns)
    except csv.Error as error:
        yield file.problem(f"The header cannot be read: {error}.", 1)
        return
    cut = _csv_rows(itertools.chain(behind, lines), table, file, problems)
    columns = plan(tuple(table.header), file.columns)
    if not columns.names["text"]:
        yield from problems
        yield _told_no_text(table, [row for _, row in itertools.islice(cut, 20) if row], file)
        return
    yield from _told_header(table, columns, file)
    is_text_last = table.header[-1] in columns.names["text"]
    columns_there, surplus = len(table.header), list[int]()

    def numbered() -> Iterator[tuple[int, object]]:
        for number, row in cut:
            yield from ((number, problem) for problem in problems)
            problems.clear()
            if is_text_last and len(row) > columns_there:
                # A text that was not put in quotes.
                row[columns_there - 1 :] = [table.delimiter.join(row[columns_there - 1 :])]
            elif any(cell.strip() for cell in row[columns_there:]):
                surplus.append(number)
            # A scrape that went on writes its header again.
            if any(cell.strip() for cell in row) and row != table.header:
                # Reversed, so that the first of two cells of one name counts.
                pairs = list(zip(table.header, row, strict=False))
                yield number, dict(reversed(pairs))

    yield from _Rows(file).read_all(numbered())
    yield from problems
    if surplus:
        yield file.problem(
            f"{len(surplus):,} rows have more cells than the header (the first is in line "
            f"{surplus[0]}), which were left out. Put texts that hold the delimiter in quotes.",
            note=True,
        )


def _csv_header(lines: Iterator[str], columns: Columns) -> tuple[_Table, list[str]]:
    """Read the header, and what stands before it: the name of a report, "sep=;" for Excel.

    Returns the lines behind it that were read too; raises csv.Error.
    """
    told = ""
    tables: list[_Table] = []
    behind: list[str] = []
    for number, line in enumerate(lines, start=1):
        if tables:
            behind.append(line)
        written = line.strip("\ufeff \t\r\n")
        if match := re.fullmatch(r"\"?sep=(.|\\t)\"?[,;]*", written, re.IGNORECASE):
            told = match[1].replace("\\t", "\t")
        elif written.strip(",;\t|"):
            delimiter = told or max(",;\t|", key=line.count)
            if line.count(delimiter) > _MOST_COLUMNS:
                raise csv.Error(f"it has more than {_MOST_COLUMNS:,} columns")
            names = next(csv.reader([line.lstrip("\ufeff")], delimiter=delimiter), [])
            tables.append(_Table([name.strip() for name in names], delimiter, number))
            if is_header(tables[-1].header, columns):
                return tables[-1], []
        if len(behind) == _PREAMBLE:
            break
    return tables[0] if tables else _Table([], ",", 1), behind


def _told_header(table: _Table, columns: Plan, file: InputFile) -> Iterator[ReadProblem]:
    if not columns.names["title"]:
        shown = shortened(", ".join(filter(None, table.header)))
        yield file.problem(
            "No column is named title, judul or headline, so a short first line of the text is "
            f"taken; the columns are {shown}.",
            table.line,
        )
    lowered = [name.lower() for name in table.header]
    doubled = sorted({name for name in lowered if name and lowered.count(name) > 1})
    if doubled:
        yield file.problem(
            f"The column {doubled[0]!r} stands twice; its first one is used.", table.line
        )


def _told_no_text(table: _Table, rows: Sequence[Sequence[str]], file: InputFile) -> ReadProblem:
    shown = shortened(", ".join(filter(None, table.header)))
    reason = f"No column is named text, body or content; the columns are {shown}."
    lengths = [sum(map(len, column)) / len(column) for column in zip(*rows, strict=False)]
    longest = max(range(len(lengths)), key=lengths.__getitem__, default=0)
    if lengths and lengths[longest] >= 200 and longest < len(table.header):
        name = table.header[longest]
        reason += f" {name!r} holds long texts: --map text={name} takes it."
    else:
        reason += " --map text=COLUMN names the one that holds the text."
    return file.problem(reason, table.line)


def _csv_lines(file: InputFile, problems: list[ReadProblem]) -> Iterator[str]:
    """Yield a file's lines as a reader of tables can take them."""
    for number, line in file.lines():
        if line is None:
            problems.append(file.problem(TOO_LONG, number))
        yield "\n" if line is None else line.replace("\x00", "")


def _csv_rows(
    lines: Iterable[str], table: _Table, file: InputFile, problems: list[ReadProblem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its first line, cells); an empty row where one cannot be read."""
    held: list[str] = []

    def holding() -> Iterator[str]:
        for line in lines:
            held.append(line)
            yield line

    reader = csv.reader(holding(), delimiter=table.delimiter)
    while True:
        # The header was read before, and the reader counts from 0.
        number = reader.line_num + table.line + 1
        held.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(file.problem(f"This row cannot be read: {error}.", number))
            row = []
        if len(held) > 1 and _is_swallowed(held, table.delimiter, len(table.header)):
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

    def cells_of(line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            # A carriage return in the middle of a line.
            return []

    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
        return False
    except csv.Error:
        first, *others = map(cells_of, lines)

    def begin(row: Sequence[str]) -> str:
        return re.sub(r"\d+", "0", row[0].strip()) if row else ""

    return any(len(row) == columns and begin(row) == begin(first) for row in others)


# --- Parquet -------------------------------------------------------------------------------------

_BATCH = 200


def read_parquet(file: InputFile) -> Iterator[Outcome]:
    """Read a Parquet file, some rows at a time; raises nothing: what is wrong is a problem."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        yield file.problem(
            'Parquet is read with pyarrow, which is not installed; run `pip install "tanya-arsip'
            '[parquet]"`.'
        )
        return

    def numbered(content: IO[bytes]) -> Iterator[tuple[int, object]]:
        number = 0
        opened = parquet.ParquetFile(content)
        stored = content.seek(0, io.SEEK_END)
        if opened.metadata.num_rows > max(_BATCH, stored):
            raise OSError("it has more rows than bytes, as news never does")
        for batch in opened.iter_batches(_BATCH, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield number, row

    with tempfile.TemporaryFile() as beside:
        content: IO[bytes] = file.content
        if not content.seekable():
            # Its table of contents stands at its end.
            shutil.copyfileobj(content, beside)
            content = beside
        try:
            yield from _Rows(file).read_all(_unwrapped(numbered(content), file))
        except (ArrowException, OSError) as error:
            yield file.problem(f"The Parquet file is damaged: {shortened(error)}.")
