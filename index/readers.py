"""Turns files into articles: raw crawl text, HTML, JSON, JSON lines, CSV, and gzip of each.

A bad file or row is a ReadProblem that tells a person what is wrong and where; never an exception.
"""

from __future__ import annotations

import ast
import codecs
import csv
import datetime as dt
import functools
import gzip
import hashlib
import html
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from index import clean
from index.errors import InputError
from index.records import Article, ReadProblem

RECORD_LIMIT = 10_000_000
"""One article may have this many bytes (of a row, a JSON object, or a whole text or HTML file)."""

PAGE_LIMIT = 4_000_000
"""An HTML page may have this many bytes: finding the text in a longer one takes minutes."""

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


@dataclass(slots=True)
class _File:
    """An open file: its content unpacked, and how far the stored bytes were consumed."""

    path: Path
    stored: IO[bytes]
    content: io.BufferedReader
    progress: Progress | None
    told: int = 0

    def tell(self) -> None:
        """Tell the progress what was consumed since the last time."""
        if self.progress is not None and (position := self.stored.tell()) > self.told:
            self.progress(position - self.told)
            self.told = position


@contextmanager
def _opened(path: Path, progress: Progress | None) -> Iterator[_File]:
    with path.open("rb") as stored:
        packed = stored.peek(2)[:2] == b"\x1f\x8b"
        content: io.BufferedReader = stored
        if packed:
            content = io.BufferedReader(_Unpacked(stored), 1 << 16)
        yield _File(path, stored, content, progress)


@dataclass(frozen=True, slots=True)
class _Run:
    """What every article of one file shares."""

    name: str
    publisher: str
    today: dt.date

    def problem(self, reason: str, row: int | None = None) -> ReadProblem:
        """Make a problem with its place."""
        return ReadProblem(self.name if row is None else f"{self.name}:{row}", reason)


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
    run = _Run(path.name, publisher, today or dt.date.today())
    try:
        with _opened(path, progress) as file:
            for outcome in _read_open(file, run):
                file.tell()
                yield outcome
            if progress is not None and (rest := size(path) - file.told) > 0:
                progress(rest)
    except _BombError:
        yield run.problem(
            f"It unpacks to more than {UNPACKED_RATIO} times its size, as news never does; "
            "unpack it yourself if you trust it."
        )
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield run.problem("The gzip file is damaged or cut short; what came before was read.")
    except OSError as error:
        yield run.problem(f"It cannot be read: {error.strerror or error}.")


def _read_open(file: _File, run: _Run) -> Iterator[Outcome]:
    head = file.content.peek(4096)[:4096]
    if not head:
        yield run.problem("The file is empty.")
        return
    encoding = _wide_encoding(head)
    if encoding is None and (reason := _binary_reason(head)):
        yield run.problem(reason)
        return
    kind = _kind(_inner_suffix(file.path), _decode(head, encoding).lstrip("\ufeff \t\r\n"))
    if kind is None:
        yield run.problem(f"This kind of file is not known. Known are {_KNOWN} and .gz of each.")
        return
    yield from _READERS[kind](_Input(file.content, encoding), run)


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


# --- bytes to text -------------------------------------------------------------------------------

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


def _wide_encoding(head: bytes) -> str | None:
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


def _binary_reason(head: bytes) -> str:
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return f"It is a {name} file, not text. Known are {_KNOWN} and .gz of each."
    controls = sum(byte < 9 or 13 < byte < 27 for byte in head)
    if controls > 0.1 * len(head):
        return "It is not a text file (it holds binary data)."
    return ""


def _decode(data: bytes, encoding: str | None = None) -> str:
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


@dataclass(frozen=True, slots=True)
class _Input:
    """The content of an open file with its encoding, where that is a wide one."""

    content: io.BufferedReader
    encoding: str | None

    def whole(self) -> str | None:
        """Return all of the text, None where it is longer than one record may be."""
        data = self.content.read(RECORD_LIMIT + 1)
        return None if len(data) > RECORD_LIMIT else _decode(data, self.encoding)

    def page(self) -> bytes | None:
        """Return all of the bytes, None where they are more than a page may have."""
        data = self.content.read(PAGE_LIMIT + 1)
        return None if len(data) > PAGE_LIMIT else data

    @contextmanager
    def _wide(self, newline: str) -> Iterator[io.TextIOWrapper]:
        text = io.TextIOWrapper(self.content, self.encoding, errors="replace", newline=newline)
        try:
            yield text
        finally:
            # The file belongs to whoever opened it.
            text.detach()

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """Yield (number from 1, line with its end); None for a line that is too long."""
        if self.encoding is None:
            yield from _bounded_lines(self.content)
            return
        with self._wide("\n") as text:
            yield from _bounded_lines(text)

    def chunks(self) -> Iterator[str]:
        """Yield the text in pieces of bounded length."""
        if self.encoding is not None:
            with self._wide("") as text:
                while piece := text.read(1 << 16):
                    yield piece
            return
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        while data := self.content.read(1 << 16):
            yield decoder.decode(data)


def _bounded_lines(source: IO[bytes] | IO[str]) -> Iterator[tuple[int, str | None]]:
    number = 0
    while line := source.readline(RECORD_LIMIT + 1):
        number += 1
        if len(line) <= RECORD_LIMIT or _is_ended(line):
            text = line if isinstance(line, str) else _decode(line)
            yield number, text.removeprefix("\ufeff") if number == 1 else text
            continue
        while line and not _is_ended(line):
            line = source.readline(1 << 20)
        yield number, None


def _is_ended(line: bytes | str) -> bool:
    return line.endswith("\n") if isinstance(line, str) else line.endswith(b"\n")


_TOO_LONG = (
    f"It is longer than {RECORD_LIMIT // 1_000_000} MB, so it is no article; it was skipped."
)


# --- text as scraped to text as published --------------------------------------------------------

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BROKEN = re.compile(
    r"â(?:€|\x80|\x81|\x84|„|‚)|[ÃÂ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ ]"
    r"|ðŸ|ð\x9f|ï¿½|ï»¿|[\x80-\x9f]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\u2028\u2029]|_x000D_\n?")
_TAG = re.compile(
    r"</?(?P<name>p|br|div|span|a|b|i|u|em|strong|h[1-6]|ul|ol|li|table|tbody|thead|tr|td|th|img"
    r"|figure|figcaption|blockquote|section|article|font|center|hr|iframe|small|sup|sub|header"
    r"|footer|html|body|head|title|meta|link|input|form|label|button|ins|del|pre|code|amp-\w{1,20})"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<(script|style|noscript)\b[^<>]{0,2000}>", re.IGNORECASE)
_INLINE_TAGS = frozenset("span a b i u em strong font small sup sub ins del code label".split())


def _tidied(text: str) -> str:
    """Undo what a scrape did to a text: tags, entities, wrong decoding, control characters."""
    text = _LINE_END.sub("\n", text)
    if "<" in text:
        text = _without_tags(text)
    if "&" in text and _ENTITY.search(text):
        text = _decoded(text)
    if _BROKEN.search(text):
        text = _mended(text)
    return _CONTROL.sub("", text).strip()


def _decoded(text: str) -> str:
    # Twice, because "&amp;nbsp;" is common; an entity without its semicolon may be a URL's "&copy".
    for _ in range(2):
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return _without_tags(text) if "<" in text else text


def _without_tags(text: str) -> str:
    if _SCRIPT.search(text):
        text = _without_scripts(text)
    if "<!--" in text:
        text = _without_comments(text)
    return _TAG.sub(lambda m: "" if m["name"].lower() in _INLINE_TAGS else "\n", text)


def _without_comments(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        kept.append(text[position:start])
        position = end + 3
    kept.append(text[position:])
    return "".join(kept)


def _without_scripts(text: str) -> str:
    low = text.lower() if len(text.lower()) == len(text) else text
    kept: list[str] = []
    position = 0
    while (match := _SCRIPT.search(text, position)) is not None:
        end = low.find(f"</{match[1].lower()}", match.end())
        if end < 0:
            break
        kept.append(text[position : match.start()])
        close = low.find(">", end)
        position = close + 1 if close >= 0 else len(text)
    kept.append(text[position:])
    return "".join(kept)


def _mended(text: str) -> str:
    import ftfy
    from ftfy.fixes import fix_c1_controls

    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _BROKEN.search(line) and len(line) < 200_000:
            lines[number] = str(fix_c1_controls(ftfy.fix_encoding(line)))
    return "\n".join(lines)


def _one_line(value: object) -> str:
    return " ".join(_tidied(str(value)).split()) if isinstance(value, str | int | float) else ""


def _text_of(value: object) -> str:
    """Return an article's text from a JSON or CSV value: a string, or a list of paragraphs."""
    if isinstance(value, list):
        return "\n".join(filter(None, (_tidied(part) for part in value if isinstance(part, str))))
    if not isinstance(value, str):
        return ""
    if re.match(r"\s*\[\s*[\"']", value) and value.rstrip().endswith("]") and len(value) < 10**6:
        try:
            parts = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return _tidied(value)
        return _text_of(parts) if isinstance(parts, list) else _tidied(value)
    return _rejoined(_tidied(value))


def _rejoined(text: str) -> str:
    """Join lines that a scraper broke inside a sentence, around what was a link or italic.

    Only where a line without a stop goes on in lower case and one of both is long, so that short
    lists and tags keep their lines.
    """
    pieces: list[str] = []
    last, length = "", 0
    for line in text.split("\n"):
        stripped = line.strip()
        goes_on = bool(last and stripped) and _goes_on(last, length, stripped)
        if not goes_on:
            pieces.append("\n")
            length = 0
        elif not (last == "(" or stripped[0] in "),.;"):
            pieces.append(" ")
        pieces.append(stripped if goes_on else line.rstrip())
        last = stripped[-1:]
        length += len(stripped)
    return "".join(pieces).strip()


def _goes_on(last: str, length: int, line: str) -> bool:
    """Tell whether a line goes on with a sentence whose line so far is `length` long."""
    if last == "(" or line[0] == ")" or (line[0] in ",;." and line[1:2] in ("", " ")):
        return True
    if not line[0].islower() or last in '.!?:;"”’)>':
        return False
    return length >= 40 or len(line) >= 40


# --- dates ---------------------------------------------------------------------------------------

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february peb pebruari feb",
            "maret march mar mrt",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu agt ags aug agust",
            "september sep sept",
            "oktober october okt oct",
            "november nopember nov nop",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?\d{4,6}Z?)?$")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4})(?!\d)")
_NAMED = re.compile(
    rf"(?<!\d)(\d{{1,2}})[\s\-/]+({_MONTH_NAMES})\b\.?,?[\s\-/]*(\d{{4}})(?!\d)", re.I
)
_NAME_FIRST = re.compile(
    rf"\b({_MONTH_NAMES})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})(?!\d)", re.I
)
_EARLIEST = 1800


def _date(value: object, today: dt.date) -> dt.date | None:
    """Return the calendar date as written; None for no date, an absurd one or one to come."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        found = _epoch_date(value)
    else:
        found = _written_date(str(value).strip()[:200])
    if found is None or found.year < _EARLIEST or found > today + dt.timedelta(days=2):
        return None
    return found


def _epoch_date(value: float) -> dt.date | None:
    seconds = value / 1000 if abs(value) >= 1e11 else value
    # 0 and small numbers are a missing date, not 1970; WIB is where the newspapers are.
    if not 1e8 <= seconds < 1e11:
        return _compact_date(str(int(value))) if 18_000_101 <= value < 1e8 else None
    return dt.datetime.fromtimestamp(seconds, dt.timezone(dt.timedelta(hours=7))).date()


def _compact_date(text: str) -> dt.date | None:
    match = _COMPACT.match(text)
    return _calendar(match[1], match[2], match[3]) if match else None


@functools.lru_cache(maxsize=20_000)
def _written_date(text: str) -> dt.date | None:
    if not text or not any(char.isdigit() for char in text):
        return None
    if re.fullmatch(r"\d{10}|\d{13}|\d{9}\d*\.\d+", text):
        return _epoch_date(float(text))
    if found := _compact_date(text):
        return found
    return _date_in(text) or _parsed_date(text)


def _date_in(text: str) -> dt.date | None:
    """Find the first full date in a text, in any of the usual ways to write one."""
    found: list[tuple[int, dt.date]] = []
    for pattern, order in (
        (_ISO, "ymd"),
        (_DAY_FIRST, "dmy"),
        (_NAMED, "dmy"),
        (_NAME_FIRST, "mdy"),
    ):
        match = pattern.search(text)
        if match and (date := _calendar(*(match[order.index(part) + 1] for part in "ymd"))):
            found.append((match.start(), date))
    return min(found)[1] if found else None


def _calendar(year: str, month: str, day: str) -> dt.date | None:
    number = _MONTHS.get(month.lower()) or int(month)
    days = int(day)
    if number > 12 >= days:
        number, days = days, number
    try:
        return dt.date(int(year), number, days)
    except ValueError:
        return None


def _parsed_date(text: str) -> dt.date | None:
    # Only absolute dates: "2 jam lalu" would be counted from the day of reading.
    if len(text) > 60 or not re.search(r"\d", text) or not re.search(r"[^\W\d]{3}|\d\D\d", text):
        return None
    import dateparser

    found = dateparser.parse(
        text,
        languages=["id", "en"],
        settings={
            "DATE_ORDER": "DMY",
            "REQUIRE_PARTS": ["day", "month", "year"],
            "PARSERS": ["absolute-time"],
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return found.date() if found else None


_URL_DATE = re.compile(
    r"/((?:19|20)\d{2})/(\d{1,2})/(\d{1,2})/|/((?:19|20)\d{2})(\d{2})(\d{2})\d{6}-"
)


def _url_date(url: str, today: dt.date) -> dt.date | None:
    match = _URL_DATE.search(url)
    if not match:
        return None
    parts = [part for part in match.groups() if part]
    return _date("-".join(parts), today)


# --- publishers ----------------------------------------------------------------------------------

# One line a publisher: its name, then every other way that it is written, or a host of it.
_PUBLISHERS = """
detikcom: detik, detik.com, detiknews, detiknews.com, detikfinance, detikinet, detiksport, detikhot
CNN Indonesia: cnnindonesia, cnnindonesia.com, cnn indonesia.com
CNBC Indonesia: cnbcindonesia, cnbcindonesia.com
Kompas.com: kompas, kompas.com, kompascom, kompas cyber media
Kompas.id: kompas.id, harian kompas
Kompas TV: kompas.tv, kompastv, kompas tv
Kompasiana: kompasiana.com, kompasiana
Tempo: tempo.co, tempo.co.id, tempo interaktif, tempointeraktif.com, koran tempo, majalah tempo
ANTARA: antara, antaranews, antaranews.com, antara news, kantor berita antara, lkbn antara
Liputan6.com: liputan6, liputan6.com, liputan 6
Merdeka.com: merdeka, merdeka.com
Okezone: okezone, okezone.com, okezone news
SINDOnews: sindonews, sindonews.com, sindo news, koran sindo
iNews: inews, inews.id, inews.com
Republika: republika, republika.co.id, republika online, republika.id, ihram.co.id
Tribunnews: tribunnews, tribunnews.com, tribun news, tribunnews.co, tribunners
Bangka Pos: bangkapos, bangkapos.com, bangka pos, bangka.tribunnews.com
Warta Kota: wartakota, wartakotalive, wartakotalive.com, warta kota, wartakota.tribunnews.com
Surya: surya.co.id, surya, surabaya.tribunnews.com, suryamalang.com
Serambi Indonesia: serambinews, serambinews.com, aceh.tribunnews.com, serambi indonesia
Sriwijaya Post: sripoku, sripoku.com, palembang.tribunnews.com
Banjarmasin Post: banjarmasinpost, banjarmasinpost.co.id, banjarmasin.tribunnews.com
Pos-Kupang.com: pos-kupang.com, pos kupang, kupang.tribunnews.com
Pos Belitung: posbelitung, posbelitung.co, belitung.tribunnews.com
Tribun Jakarta: tribunjakarta, tribunjakarta.com, jakarta.tribunnews.com
Tribun Jateng: tribunjateng, tribunjateng.com, jateng.tribunnews.com
Tribun Jabar: tribunjabar, tribunjabar.id, tribunjabar.co.id, jabar.tribunnews.com
Tribun Jogja: tribunjogja, tribunjogja.com, jogja.tribunnews.com
Tribun Solo: tribunsolo, tribunsolo.com, solo.tribunnews.com
Tribun Medan: tribun-medan.com, tribunmedan, medan.tribunnews.com
Tribun Timur: tribun-timur.com, tribuntimur, makassar.tribunnews.com
Tribun Bali: tribun-bali.com, tribunbali, bali.tribunnews.com
Tribun Pekanbaru: tribunpekanbaru.com, tribunpekanbaru, pekanbaru.tribunnews.com
Tribun Batam: tribunbatam.id, tribunbatam, batam.tribunnews.com
Tribun Jambi: tribunjambi.com, tribunjambi, jambi.tribunnews.com
Tribun Lampung: tribunlampung.co.id, tribunlampung, lampung.tribunnews.com
Tribun Pontianak: tribunpontianak.co.id, tribunpontianak, pontianak.tribunnews.com
Tribun Kaltim: tribunkaltim.co, tribunkaltim, kaltim.tribunnews.com
Tribun Manado: tribunmanado.co.id, tribunmanado, manado.tribunnews.com
Tribun Sumsel: tribunsumsel.com, tribunsumsel, sumsel.tribunnews.com
Tribun Cirebon: tribuncirebon.com, tribuncirebon, cirebon.tribunnews.com
VIVA: viva, viva.co.id, vivanews, vivanews.com
JPNN: jpnn, jpnn.com
Jawa Pos: jawapos, jawapos.com, jawa pos
Suara.com: suara, suara.com
Kumparan: kumparan, kumparan.com
IDN Times: idntimes, idntimes.com, idn times
Bisnis.com: bisnis, bisnis.com, bisnis indonesia, solopos bisnis
Solopos: solopos, solopos.com
KONTAN: kontan, kontan.co.id
Katadata: katadata, katadata.co.id
Investor Daily: investor.id, beritasatu investor
BeritaSatu: beritasatu, beritasatu.com, berita satu, suara pembaruan
Media Indonesia: mediaindonesia, mediaindonesia.com, media indonesia
Metro TV: metrotvnews, metrotvnews.com, metro tv
Medcom.id: medcom, medcom.id
RMOL: rmol, rmol.id, rmol.co, rakyat merdeka online
Rakyat Merdeka: rm.id, rakyat merdeka
Pikiran Rakyat: pikiran-rakyat.com, pikiran rakyat, pikiranrakyat
Suara Merdeka: suaramerdeka, suaramerdeka.com, suara merdeka
Kedaulatan Rakyat: krjogja.com, krjogja, kedaulatan rakyat
Harian Jogja: harianjogja.com, harianjogja, harian jogja
Poskota: poskota, poskotanews.com, poskotanews, poskota.co.id, pos kota
PosMetro: pos_metro, posmetro, posmetro-medan.com, posmetro medan
Waspada: waspada.co.id, waspada, waspada.id
Analisa: analisadaily.com, harian analisa
Bali Post: balipost.com, bali post
Fajar: fajar.co.id, harian fajar
Lampung Post: lampost.co, lampung post
KapanLagi.com: kapanlagi, kapanlagi.com
Fimela: fimela, fimela.com
WowKeren: wowkeren, wowkeren.com
Bola.com: bola.com
Bola.net: bola.net
BolaSport.com: bolasport, bolasport.com
Tirto.id: tirto, tirto.id
The Jakarta Post: thejakartapost.com, jakarta post, the jakarta post
Jakarta Globe: jakartaglobe.id, jakartaglobe.com, jakarta globe
BBC Indonesia: bbc indonesia, bbc.com, bbc news indonesia, bbcindonesia.com
VOA Indonesia: voaindonesia.com, voa indonesia
DW Indonesia: dw.com, dw indonesia, deutsche welle
Hukumonline: hukumonline.com, hukumonline
NU Online: nu.or.id, nu online
Gatra: gatra.com, gatra
Brilio: brilio.net, brilio
Grid.ID: grid.id
RRI: rri.co.id, rri
TVRI: tvri.go.id, tvri
TvOne: tvonenews.com, tvone
Inilah.com: inilah.com, inilah
Akurat: akurat.co, akurat
Beritagar: beritagar.id, lokadata.id
Era.id: era.id
Alinea: alinea.id
Ayo Bandung: ayobandung.com
Radar Surabaya: radarsurabaya.id
Mongabay: mongabay.co.id, mongabay
"""
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z]{2,12}(?::\d+)?", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|amp|mobile|wap)\.")
_TWO_PART_ENDINGS = frozenset("co.id or.id go.id ac.id web.id my.id sch.id net.id".split())


@functools.cache
def _publisher_names() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in _PUBLISHERS.strip().splitlines():
        name, _, others = line.partition(": ")
        for other in (name, *others.split(", ")):
            table.setdefault(other.lower(), name)
    return table


@functools.lru_cache(maxsize=10_000)
def canonical_publisher(name_or_host: str) -> str:
    """Return the one name of a publisher that is written in many ways, by name, host or URL.

    A section's host counts as its publisher ("finance.detik.com" is detikcom), a Tribun
    newspaper's as that newspaper. An unknown name stays as written, without "www.".
    """
    name = " ".join(name_or_host.split())
    if "://" in name:
        name = urlsplit(name).netloc if _is_url(name) else name
    table = _publisher_names()
    low = _HOST_PREFIX.sub("", name.lower().rstrip("/"), count=1)
    if low in table:
        return table[low]
    if not _HOST.fullmatch(low):
        return name
    labels = low.split(":")[0].split(".")
    for first in range(1, len(labels) - 1):
        if known := table.get(".".join(labels[first:])):
            return known
    return ".".join(labels)


# --- identity ------------------------------------------------------------------------------------

_OWN_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|igshid|igsh|_ga|_gl|mc_cid|mc_eid|ref|ref_src|source|page|single"
    r"|showpage|tag_from|lgn_method|google_btn|amp|outputtype|_kiosk_\w+|medium|campaign",
    re.IGNORECASE,
)


def article_id(own: object, publisher: str, url: str, title: str, body: str) -> str:
    """Return an article's id: the input's own; else of publisher and URL; else of what it says.

    An own id with unusual characters or over 100 of them is replaced by its hash. Hashes are the
    first 16 hexadecimal digits of SHA-256.
    """
    text = _one_line(own)
    if text:
        return text if _OWN_ID.fullmatch(text) else _hash("id", text)
    if address := _canonical_url(url):
        return _hash("url", publisher, address)
    return _hash("text", publisher, title, body)


def _hash(*parts: str) -> str:
    data = "\x1f".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(data).hexdigest()[:16]


def _is_url(url: str) -> bool:
    try:
        return bool(urlsplit(url).netloc)
    except ValueError:
        return False


def _canonical_url(url: str) -> str:
    """Return the part of a URL that names the page: no scheme, www., fragment or tracking."""
    if not url:
        return ""
    try:
        parts = urlsplit(url if "://" in url else f"//{url.lstrip('/')}")
        query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return url
    kept = sorted((key, value) for key, value in query if not _TRACKING.fullmatch(key))
    host = _HOST_PREFIX.sub("", parts.netloc.lower(), count=1)
    tail = f"?{urlencode(kept)}" if kept else ""
    return f"{host}{parts.path.rstrip('/')}{tail}"


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


def _people(value: object) -> tuple[str, ...]:
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        found = [person for part in value for person in _people(part)]
        return tuple(dict.fromkeys(found))
    return clean.names(_one_line(value))


def _name_of(value: object) -> str:
    return _one_line(value.get("name")) if isinstance(value, dict) else _one_line(value)


def _article_of_row(row: Mapping[object, object], run: _Run, number: int | None) -> Outcome:
    fields = {str(key).strip().lower(): value for key, value in reversed(list(row.items()))}
    body = _text_of(_field(fields, "text"))
    if not body:
        return run.problem(_missing_text(fields), number)
    if len(body) > RECORD_LIMIT:
        return run.problem(_TOO_LONG, number)
    title = _one_line(_field(fields, "title"))
    if not title:
        title, body = _headline_off(body)
    url = _one_line(_field(fields, "url"))
    publisher = _publisher_for(_name_of(_field(fields, "publisher")), run.publisher, url)
    published = _date(_field(fields, "date"), run.today) or _url_date(url, run.today)
    return Article(
        id=article_id(_field(fields, "id"), publisher, url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=published,
        authors=_people(_field(fields, "authors")),
        editors=_people(_field(fields, "editors")),
    )


def _missing_text(fields: Mapping[str, object]) -> str:
    if any(name in fields for name in _FIELDS["text"]):
        return "The article has no text."
    present = ", ".join(sorted(fields)[:12]) or "none"
    return f"There is no field text, body or content; its fields are {present[:200]}."


def _publisher_for(given: str, fallback: str, url: str) -> str:
    """Return the publisher: what the input says, else what the user says, else the URL's host."""
    if given:
        return canonical_publisher(given)
    if fallback:
        return canonical_publisher(fallback)
    return canonical_publisher(url) if _is_url(url) else ""


def _headline_off(body: str) -> tuple[str, str]:
    """Split a text without a title into its first line, if that is a headline, and the rest."""
    first, _, rest = body.partition("\n")
    first = first.strip()
    if rest.strip() and _is_headline(first):
        return first, rest.strip()
    return "", body


def _is_headline(line: str) -> bool:
    if not 10 <= len(line) <= 200 or line[-1] in ".,;:" or _is_dateline(line):
        return False
    return len(line.split()) >= 3 and not clean.is_boilerplate(line) and not _is_date_line(line)


def _read_lines(source: _Input, run: _Run) -> Iterator[Outcome]:
    """Read JSON lines; a line that is not a JSON object is a problem of its own."""
    found = failed = 0
    for number, line in source.lines():
        if line is not None and not line.strip():
            continue
        outcome = run.problem(_TOO_LONG, number) if line is None else _json_row(line, run, number)
        found += isinstance(outcome, Article)
        failed += isinstance(outcome, ReadProblem)
        yield outcome
        if not found and failed >= HOPELESS:
            yield run.problem(f"None of the first {failed} lines is an article; the rest was left.")
            return
    if not found and not failed:
        yield run.problem("The file holds no article.")


def _json_row(line: str, run: _Run, number: int | None) -> Outcome:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return run.problem(f"This is not valid JSON: {_short(error)}.", number)
    if not isinstance(row, dict):
        return run.problem(f"A JSON object was expected, not {_short(line.strip())}", number)
    return _article_of_row(row, run, number)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _read_json(source: _Input, run: _Run) -> Iterator[Outcome]:
    """Read one JSON file: a list of objects (streamed), one object, or an object with a list."""
    count = 0
    for text in _json_values(source.chunks()):
        count += 1
        if text is None:
            yield run.problem(_TOO_LONG, count)
            continue
        yield from _wrapped_rows(text, run, count)
    if not count:
        yield run.problem("The file holds no article.")


_LIST_NAMES = ("articles", "data", "items", "results", "news", "rows", "berita", "documents")


def _wrapped_rows(text: str, run: _Run, count: int) -> Iterator[Outcome]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield run.problem(f"This is not valid JSON: {_short(error)}.", count)
        return
    if isinstance(row, dict) and not any(name in row for name in _FIELDS["text"]):
        inner = next((row[name] for name in _LIST_NAMES if isinstance(row.get(name), list)), None)
        if inner:
            for number, part in enumerate(inner, start=1):
                if isinstance(part, dict):
                    yield _article_of_row(part, run, number)
                else:
                    yield run.problem("A JSON object was expected.", number)
            return
    if isinstance(row, dict):
        yield _article_of_row(row, run, count)
    else:
        yield run.problem(f"A JSON object was expected, not {_short(text.strip())}", count)


_MARK = {False: re.compile(r'["\[\]{},]'), True: re.compile(r'["\\]')}


class _Splitter:
    """Splits a JSON text into the elements of its outermost list, or the one value that it is.

    It understands only brackets and strings, so a broken element does not spoil the next one.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._held = 0
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self._listed: bool | None = None

    def feed(self, chunk: str) -> Iterator[str | None]:
        """Take the next piece of text; yield each element that it ends, None for a long one."""
        begin = position = 0
        if self._listed is None and (first := chunk.lstrip("\ufeff \t\r\n")):
            self._listed = first[0] == "["
            begin = position = chunk.index("[") + 1 if self._listed else 0
        if self._escaped and chunk:
            position, self._escaped = position + 1, False
        while match := _MARK[self._quoted].search(chunk, position):
            position = match.end()
            if match[0] == "\\":
                self._escaped = position == len(chunk)
                position += 1
            elif self._ends_element(match[0]):
                self._hold(chunk[begin : match.start()])
                yield from self.rest()
                begin = position
        self._hold(chunk[begin:])

    def rest(self) -> Iterator[str | None]:
        """Yield what is held, if it is anything."""
        text = "".join(self._parts)
        if self._held > RECORD_LIMIT:
            yield None
        elif text.strip():
            yield text
        self._parts, self._held = [], 0

    def _ends_element(self, mark: str) -> bool:
        if mark == '"':
            self._quoted = not self._quoted
        elif mark in "[{":
            self._depth += 1
        elif mark in "]}" and self._depth:
            self._depth -= 1
        else:
            return bool(self._listed) and not self._depth
        return False

    def _hold(self, text: str) -> None:
        self._held += len(text)
        if self._held > RECORD_LIMIT:
            self._parts.clear()
        else:
            self._parts.append(text)


def _json_values(chunks: Iterator[str]) -> Iterator[str | None]:
    splitter = _Splitter()
    for chunk in chunks:
        yield from splitter.feed(chunk)
    yield from splitter.rest()


def _read_csv(source: _Input, run: _Run) -> Iterator[Outcome]:
    """Read a table with a header line; the delimiter is the one that the header is cut by."""
    problems: list[ReadProblem] = []
    # The limit belongs to the whole process, and Python's own is too small for a long article.
    csv.field_size_limit(RECORD_LIMIT)
    lines = _csv_lines(source, run, problems)
    header_line = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t|", key=header_line.count)
    try:
        cells = next(csv.reader([header_line], delimiter=delimiter), [])
    except csv.Error as error:
        yield run.problem(f"The header cannot be read: {error}.", 1)
        return
    header = [name.strip().lower() for name in cells]
    yield from problems
    problems.clear()
    if not any(name in _FIELDS["text"] for name in header):
        shown = _short(", ".join(name for name in header if name))
        yield run.problem(f"No column is named text, body or content; the columns are {shown}.", 1)
        return
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        yield run.problem(f"The column {doubled[0]!r} stands twice; its first one is used.", 1)
    yield from _csv_rows(csv.reader(lines, delimiter=delimiter), header, run, problems)


def _csv_lines(source: _Input, run: _Run, problems: list[ReadProblem]) -> Iterator[str]:
    for number, line in source.lines():
        if line is None:
            problems.append(run.problem(_TOO_LONG, number))
            line = "\n"
        yield line.replace("\x00", "")


def _csv_rows(
    reader: Any,  # noqa: ANN401 - the csv module's reader has no public type
    header: Sequence[str],
    run: _Run,
    problems: list[ReadProblem],
) -> Iterator[Outcome]:
    found = failed = 0
    while True:
        number = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            cells = []
            problems.append(run.problem(f"This row cannot be read: {error}.", number))
        outcomes: list[Outcome] = [*problems]
        problems.clear()
        if any(cell.strip() for cell in cells):
            row = {name: cell for name, cell in reversed(list(zip(header, cells, strict=False)))}
            outcomes.append(_article_of_row(dict(row), run, number))
        for outcome in outcomes:
            found += isinstance(outcome, Article)
            failed += isinstance(outcome, ReadProblem)
            yield outcome
        if not found and failed >= HOPELESS:
            yield run.problem(f"None of the first {failed} rows is an article; the rest was left.")
            return
    yield from problems
    if not found and not failed and not problems:
        yield run.problem("The table holds no rows.")


# --- raw crawl text ------------------------------------------------------------------------------

_AGENCY = r"[A-Z][\w\-]{1,30}\.(?:COM|CO|ID|NET|com|co|id|net)(?:\.ID|\.id)?|ANTARA(?: News)?"
_CITY = r"[A-Z][A-Za-z.'’/\-]{1,24}(?: [A-Z][A-Za-z.'’\-]{1,24}){0,3}"
_DATELINE = re.compile(
    rf"(?P<host>(?:{_AGENCY}|CNN Indonesia),?\s{{1,3}})?(?P<city>{_CITY}(?:,\s?{_CITY})?)?"
    rf"(?P<agency>,?\s{{0,2}}\(?(?:{_AGENCY}|Antara(?: News)?|CNN Indonesia)\)?"
    r"|\s\([A-Z][\w. ]{2,30}\))?"
    r"\s{0,3}(?P<dash>-\s?-|[-–—])\s{0,3}(?=[\"“A-Z0-9(])"
)
_HOST_NAME = re.compile(
    r"\b[A-Za-z0-9][\w\-]{1,30}\.(?:co\.id|com|co|id|net)\b|\bANTARA\b|\bCNN Indonesia\b", re.I
)
_DATE_WORDS = re.compile(
    rf"\b(?:{_MONTH_NAMES}|senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad|monday|tuesday"
    r"|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun|wib|wita|wit|pukul|jam"
    r"|am|pm|gmt|utc|dipublikasikan|diterbitkan|diperbarui|dimuat|tayang|terbit|tanggal|published"
    r"|publish|posted|updated?|last|on|at|pada|diunggah|oleh)\b",
    re.IGNORECASE,
)
_UPDATED = re.compile(r"\b(?:diperbarui|updated?|last update)\b", re.IGNORECASE)
_PERSON = re.compile(r"[A-Z][\w.'’\-]*(?: (?:[A-Z][\w.'’\-]*|bin|binti|dan|van|de)){0,8}")
_WEEKDAY_DATE = re.compile(
    r"\b(?:Senin|Selasa|Rabu|Kamis|Jum['’]?at|Sabtu|Minggu|Ahad)[ ,]{1,2}\(?([^()\n]{6,24}?\d{4})\b"
)
_BRACKET_DATE = re.compile(r"\((\d{1,2}[/.-]\d{1,2}[/.-]\d{4})\)")
_FOOT_MARKS = frozenset(
    """komentar|berita terkini|berita terkait|artikel terkait|ikuti kami di|ikuti kami|terpopuler
    berita lainnya|berita populer|kirim komentar|tulis komentar|video terkait|topik terkait
    rekomendasi untuk anda|baca artikel lainnya""".replace("\n", "|")
    .replace("    ", "")
    .split("|")
)
_HEAD_LINES = 14
_PARAGRAPH = 100


def _read_text(source: _Input, run: _Run) -> Iterator[Outcome]:
    text = source.whole()
    yield run.problem(_TOO_LONG) if text is None else _article_of_text(text, run)


@dataclass(slots=True)
class _Head:
    """What the lines before the body tell."""

    dates: list[str]
    authors: list[str]
    editors: list[str]
    publisher: str = ""
    origin: str = ""
    url: str = ""

    def credit(self, byline: clean.Byline) -> None:
        """Add what a byline tells."""
        self.authors += byline.authors
        self.editors += byline.editors
        self.origin = self.origin or byline.origin


def _article_of_text(text: str, run: _Run) -> Outcome:
    """Read a crawled page: title, head (teaser, byline, date, caption), body, foot."""
    text = _tidied(text)
    lines = [(match.start(), match.end()) for match in re.finditer(r"\S[^\n]*", text)]
    page = [text[start:end].rstrip() for start, end in lines]
    if not any(char.isalpha() for char in text):
        return run.problem("The file holds no text.")
    title_at = _title_line(page)
    title = page[title_at] if title_at is not None else ""
    first = _body_start(page, 0 if title_at is None else title_at + 1, title)
    if first >= len(page):
        title, first = "", 0
    last = _body_end(page, first)
    head = _read_head(page[:first], title, page[first:last])
    _read_foot(page[last:], head)
    body = text[lines[first][0] : lines[last - 1][1]].rstrip()
    publisher = _publisher_of_text(page, first, last, head, run.publisher)
    published = _head_date(head, run.today) or _body_date(page[first:last], run.today)
    return Article(
        id=article_id(None, publisher, head.url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=head.url,
        published=published or _url_date(head.url, run.today),
        authors=_distinct(head.authors),
        editors=_distinct(head.editors),
        origin=canonical_publisher(head.origin),
    )


def _distinct(people: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for person in people:
        found.setdefault(person.casefold(), person)
    return tuple(found.values())


def _is_dateline(line: str) -> bool:
    """Tell whether a paragraph opens with its place or publisher: "KOTA, NAMA.COM -- ..."."""
    match = _DATELINE.match(line)
    if not match:
        return False
    if match["host"] or match["agency"]:
        return True
    return bool(match["city"]) and len(line) >= _PARAGRAPH


def _title_line(page: Sequence[str]) -> int | None:
    """Find the headline: the first line that may be one, after URLs, dates and the like."""
    for number, line in enumerate(page[:6]):
        if len(page) > number + 1 and (_is_headline(line) or line in page[number + 1 : 8]):
            return number
        if not (clean.is_boilerplate(line) or _is_date_line(line) or _is_trail(line)):
            return None
    return None


def _is_trail(line: str) -> bool:
    return len(line) < 120 and bool(re.search(r"\w\s?[>»/]\s?\w", line) or _HOST.fullmatch(line))


def _date_rest(line: str) -> str | None:
    """Return what a line holds besides a full date, or None where it holds no date."""
    if len(line) > 110 or not any(char.isdigit() for char in line) or not _date_in(line):
        return None
    rest = _DATE_WORDS.sub(" ", line)
    return " ".join(re.sub(r"[\d|:/,()–—\-]+|\s\.|\.$", " ", rest).split())


def _is_date_line(line: str) -> bool:
    rest = _date_rest(line)
    return rest is not None and (len(rest) <= 3 or bool(_HOST.fullmatch(rest) or _is_person(rest)))


def _is_person(line: str) -> bool:
    if len(line) > 90:
        return False
    people = clean.names(line.partition(" - ")[0])
    return 0 < len(people) <= 4 and all(_PERSON.fullmatch(p) and len(p) > 2 for p in people)


def _body_start(page: Sequence[str], first: int, title: str) -> int:
    """Return the number of the line at which the body begins; head lines come before it."""
    stop = min(len(page), first + _HEAD_LINES)
    marked = False
    for number in range(first, min(stop, first + 8)):
        if title and _same(page[number], title):
            first, marked = number + 1, True
    later = [_squeezed(line) for line in page]
    position = first
    captions = 0
    while position < stop:
        line = page[position]
        if _is_date_line(line) or clean.read_byline(line):
            marked = True
        elif _is_dateline(line):
            return position
        elif (
            _is_person(line) and len(line.split()) > 1 and (marked or _marked_after(page, position))
        ):
            marked = True
        elif _is_teaser(later, position) or _same(line, title) or clean.is_boilerplate(line):
            pass
        elif marked and not captions and len(line) <= 300 and _dateline_after(page, position):
            captions += 1
        else:
            return position
        position += 1
    return first if position >= len(page) else position


def _same(line: str, title: str) -> bool:
    return bool(title) and _squeezed(line) == _squeezed(title)


def _squeezed(line: str) -> str:
    return re.sub(r"[\W_]+", " ", line.lower()).strip()


def _marked_after(page: Sequence[str], position: int) -> bool:
    following = page[position + 1 : position + 3]
    return any(_is_dateline(line) or _is_date_line(line) for line in following)


def _dateline_after(page: Sequence[str], position: int) -> bool:
    return any(_is_dateline(line) for line in page[position + 1 : position + 3])


def _is_teaser(squeezed: Sequence[str], position: int) -> bool:
    """Tell whether a line only repeats the beginning of something further down."""
    line = squeezed[position]
    if not 30 <= len(line) <= 400:
        return False
    return any(line in other for other in squeezed[position + 1 :])


def _body_end(page: Sequence[str], first: int) -> int:
    """Return the number of the line after the body's last; foot lines come from there on."""
    end = len(page)
    paragraphs = [number for number in range(first, end) if _is_paragraph(page[number])]
    after = max(paragraphs[-1] if paragraphs else 0, first) + 1
    end = next((n for n in range(after, end) if _is_foot_mark(page[n])), end)
    while end > first + 1:
        line = page[end - 1]
        if not (clean.is_boilerplate(line) or clean.read_byline(line) or _is_date_line(line)):
            break
        end -= 1
    return max(end, first + 1)


def _is_foot_mark(line: str) -> bool:
    return line.rstrip(" :.").lower() in _FOOT_MARKS or line.startswith(("©", "Copyright"))


def _is_paragraph(line: str) -> bool:
    return len(line) >= _PARAGRAPH and line[-1] in '.!?"”' and not clean.is_boilerplate(line)


def _read_head(lines: Sequence[str], title: str, body: Sequence[str]) -> _Head:
    head = _Head([], [], [])
    for line in lines:
        if byline := clean.read_byline(line):
            head.credit(byline)
            continue
        if line.startswith(("http://", "https://")) and " " not in line:
            head.url = head.url or line
            continue
        rest = _date_rest(line)
        if rest is not None and _is_date_line(line):
            head.dates.append(line)
            _read_credit(rest, head)
        elif not _same(line, title) and _is_person(line) and len(line.split()) > 1:
            _read_credit(line, head)
    if body and (report := clean.read_byline(body[0])):
        head.credit(report)
    return head


def _read_credit(text: str, head: _Head) -> None:
    """Read "Name - Publisher", a name or a host into the head."""
    for part in re.split(r"\s+[-–|]\s+", text):
        known = canonical_publisher(part)
        if _HOST.fullmatch(part) or known in _publisher_names().values():
            head.publisher = head.publisher or known
        elif _is_person(part) and len(part) > 3:
            head.authors += clean.names(part)


def _read_foot(lines: Sequence[str], head: _Head) -> None:
    for line in lines:
        if byline := clean.read_byline(line):
            head.credit(byline)
        elif line.startswith(("http://", "https://")) and " " not in line:
            head.url = head.url or line


def _publisher_of_text(
    page: Sequence[str], first: int, last: int, head: _Head, fallback: str
) -> str:
    """Return who published a page: its dateline, its head, the user's word, or its copyright."""
    for line in page[first : min(last, first + 3)]:
        match = _DATELINE.match(line)
        if match and (name := _HOST_NAME.search(match[0])):
            return canonical_publisher(name[0])
    if head.publisher or fallback:
        return canonical_publisher(head.publisher or fallback)
    if head.url:
        return canonical_publisher(head.url)
    for line in page[last:]:
        if clean.is_boilerplate(line) and (name := _HOST_NAME.search(line)):
            return canonical_publisher(name[0]) if "sumber" not in line.lower() else ""
    return ""


def _head_date(head: _Head, today: dt.date) -> dt.date | None:
    for line in sorted(head.dates, key=lambda line: bool(_UPDATED.search(line))):
        if found := _date(line, today):
            return found
    return None


def _body_date(body: Sequence[str], today: dt.date) -> dt.date | None:
    """Return the day that a report tells of first; reports of the day name it in their lead."""
    for lines in (body[:4], body):
        for pattern in (_WEEKDAY_DATE, _BRACKET_DATE):
            for line in lines:
                for match in pattern.finditer(line):
                    found = _date_in(match[1])
                    if found and (date := _date(found.isoformat(), today)):
                        return date
    return None


# --- HTML ----------------------------------------------------------------------------------------

_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w\-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^<>]{0,100}?encoding\s*=\s*[\"']([\w\-]{2,40})")
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
    """A run of text between two block tags, and the elements that hold it, outermost first."""

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


def _read_html(source: _Input, run: _Run) -> Iterator[Outcome]:
    data = source.page()
    if data is None:
        yield run.problem(f"The page is longer than {PAGE_LIMIT // 1_000_000} MB; it was skipped.")
        return
    text = _CONTROL.sub("", _html_text(data, source.encoding))
    try:
        yield _article_of_html(text, run)
    except (ValueError, RecursionError, MemoryError) as error:
        yield run.problem(f"The page cannot be understood: {_short(error)}.")


def _html_text(data: bytes, encoding: str | None) -> str:
    """Decode a page by its byte order mark or its own declaration, where that holds."""
    named = _CHARSET.search(data[:8192]) or _XML_ENCODING.match(data[:400].lstrip())
    if encoding is not None or data.startswith(codecs.BOM_UTF8) or named is None:
        return _decode(data, encoding)
    name = named[1].decode("ascii").lower()
    if name in ("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"):
        name = "cp1252"
    try:
        return data.decode(name)
    except (LookupError, UnicodeDecodeError):
        return _decode(data)


def _article_of_html(text: str, run: _Run) -> Outcome:
    import trafilatura
    from lxml import etree
    from lxml import html as lxml_html

    # lxml refuses text that declares an encoding of its own.
    text = re.sub(r"^\s*<\?xml[^>]{0,300}\?>", "", text)
    try:
        tree = lxml_html.document_fromstring(text)
    except (etree.ParserError, etree.XMLSyntaxError):
        return run.problem("The page is empty.")
    page = _page_of(tree)
    extracted = trafilatura.bare_extraction(
        text, include_comments=False, include_tables=False, with_metadata=True
    )
    blocks = _blocks_of(tree)
    body = _body_of_html(blocks, (extracted.text or "") if extracted else "", page)
    title = _html_title(page) or (_one_line(extracted.title) if extracted else "")
    url = _html_url(page)
    if reason := _no_article(page, title, body, url, blocks):
        return run.problem(reason)
    publisher = _html_publisher(page, url, body, run.publisher)
    bylines = [found for block in blocks if (found := clean.read_byline(block.text))]
    authors = _people(page.linked.get("author")) or tuple(n for b in bylines for n in b.authors)
    authors = authors or _meta_authors(page)
    return Article(
        id=article_id(None, publisher, url, title, body),
        publisher=publisher,
        title=title,
        body=body,
        url=url,
        published=_html_date(page, url, extracted.date if extracted else None, run.today),
        authors=tuple(n for n in _distinct(authors) if canonical_publisher(n) != publisher),
        editors=_distinct([n for b in bylines for n in b.editors]),
        origin=canonical_publisher(next((b.origin for b in bylines if b.origin), "")),
    )


def _page_of(tree: Any) -> _Page:  # noqa: ANN401 - lxml has no types
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        content = _one_line(meta.get("content") or "")
        if name and content:
            metas.setdefault(name.strip().lower(), content)
    for element in tree.xpath("//*[@itemprop='datePublished' or @pubdate]"):
        when = element.get("content") or element.get("datetime") or element.text_content()
        metas.setdefault("datepublished", _one_line(when)[:100])
    links = [link.get("href") or "" for link in tree.xpath("//link[@rel='canonical']")]
    headings = [_one_line(h.text_content()) for h in tree.xpath("//h1|//h2")]
    titles = [_one_line(t.text_content()) for t in tree.xpath("//head/title|//title")[:1]]
    return _Page(
        linked=_linked_data(tree),
        metas=metas,
        canonical=next((link.strip() for link in links if link.strip()), ""),
        headings=tuple(filter(None, headings)),
        page_title=titles[0] if titles else "",
    )


def _linked_data(tree: Any) -> Mapping[str, Any]:  # noqa: ANN401 - lxml has no types
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


def _blocks_of(tree: Any) -> list[_Block]:  # noqa: ANN401 - lxml has no types
    """Cut a page's visible text at its block tags, without recursion into its depth."""
    blocks: list[_Block] = []
    pieces: list[tuple[str, bool]] = []
    parents: list[int] = []
    links = 0

    def close() -> None:
        text = " ".join("".join(piece for piece, _ in pieces).split())
        if text:
            linked = sum(len(piece.strip()) for piece, is_link in pieces if is_link)
            blocks.append(_Block(_tidied(text), linked / len(text), tuple(parents)))
        pieces.clear()

    # (element, entering): an element is put back to be left after its children.
    waiting: list[tuple[Any, bool]] = [(tree, True)]
    while waiting:
        element, entering = waiting.pop()
        tag = element.tag if isinstance(element.tag, str) else None
        shown = tag is not None and tag not in _SKIPPED
        if entering and shown:
            if tag in _BLOCKS:
                close()
                parents.append(id(element))
            links += tag == "a"
            pieces.append((element.text or "", links > 0))
            waiting.append((element, False))
            waiting.extend((child, True) for child in reversed(element))
            continue
        if shown and tag in _BLOCKS:
            close()
            parents.pop()
        links -= shown and tag == "a"
        pieces.append((element.tail or "", links > 0))
    close()
    return blocks


def _body_of_html(blocks: Sequence[_Block], extracted: str, page: _Page) -> str:
    """Return an article's paragraphs: those around what trafilatura found.

    Trafilatura loses a lead that stands loose before the first paragraph tag, and takes a short
    article's whole page; so it only says where the article is, and the blocks there are taken.
    """
    kept = {_squeezed(line) for line in extracted.split("\n")}
    whole = _squeezed(extracted)
    # Looking through all of the text for each block would take forever on a hostile page.
    search = len(blocks) < 3_000
    prose = [(b, _squeezed(b.text)) for b in blocks if b.is_prose]
    anchors = [b for b, text in prose if text in kept or (search and text in whole)]
    anchors = [block for block in anchors if not _is_credit(block.text)]
    declared = _text_of(page.linked.get("articleBody"))
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
        if _is_dateline(inside[number].text):
            first = number
    if first and re.search(r"\w.{0,80}[-–—]$", inside[first - 1].text[:100]):
        first -= 1
    last = max(numbers[-1], first)
    depth = len(inside[last].parents)
    while last + 1 < len(inside):
        block = inside[last + 1]
        loose = block.is_prose and len(block.parents) == depth and not _is_credit(block.text)
        if not loose and _squeezed(block.text) not in kept:
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
    """Return the innermost element that holds nine tenths of the anchors' text."""
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
    vouched = mostly_prose and _squeezed(block.text) in kept
    return block.is_prose or vouched or (mostly_prose and block.linked <= 0.6)


def _is_credit(text: str) -> bool:
    if text.startswith(("http://", "https://")):
        return False
    return clean.is_boilerplate(text) or clean.read_byline(text) is not None


def _meta_authors(page: _Page) -> tuple[str, ...]:
    written = page.meta("author", "dtk:author", "content_author", "article:author")
    return () if "/" in written or "@" in written else clean.names(written)


def _html_title(page: _Page) -> str:
    named = _one_line(page.linked.get("headline"))
    shown = page.meta("og:title", "twitter:title", "title") or page.page_title
    whole = _squeezed(shown) or _squeezed(named)
    headings = [h for h in page.headings if len(h.split()) > 2]
    if same := [h for h in headings if _squeezed(h) in whole]:
        return max(same, key=len)
    if len(whole.split()) < 3 and headings:
        return headings[0]
    return named or _without_site(shown, page)


def _without_site(title: str, page: _Page) -> str:
    """Cut the site's name off a page's title: "Judul - Situs", "Situs: Judul"."""
    host = _host_of(_html_url(page))
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


def _host_of(url: str) -> str:
    return urlsplit(url).netloc if _is_url(url) else ""


def _html_url(page: _Page) -> str:
    main = page.linked.get("mainEntityOfPage")
    declared = main.get("@id") if isinstance(main, dict) else main
    urls = [
        page.canonical,
        page.meta("og:url"),
        _one_line(declared),
        _one_line(page.linked.get("url")),
    ]
    urls = [url for url in urls if url.startswith(("http://", "https://")) and _is_url(url)]
    return next((url for url in urls if urlsplit(url).path.strip("/")), urls[0] if urls else "")


def _html_publisher(page: _Page, url: str, body: str, fallback: str) -> str:
    host = canonical_publisher(url) if url else ""
    if host in _publisher_names().values():
        return host
    named = _name_of(page.linked.get("publisher")) or page.meta("og:site_name")
    if not (named or host) and (dateline := _DATELINE.match(body)):
        name = _HOST_NAME.search(dateline[0])
        named = name[0] if name else ""
    return canonical_publisher(named or host or fallback)


def _html_date(page: _Page, url: str, guess: str | None, today: dt.date) -> dt.date | None:
    values = [page.linked.get("datePublished"), *(page.metas.get(name) for name in _DATE_METAS)]
    for value in values:
        if found := _date(value, today):
            return found
    return _url_date(url, today) or _date(guess, today)


def _no_article(page: _Page, title: str, body: str, url: str, blocks: Sequence[_Block]) -> str:
    """Return why a page is no article, "" where it is one."""
    shown = page.page_title or title
    if _ERROR_TITLE.search(shown) and len(body) < 600:
        return f"The page is an error page ({_short(shown)!r})."
    if _SEARCH_TITLE.search(shown):
        return f"The page is a list of articles ({_short(shown)!r})."
    if url and _INDEX_PATH.match(urlsplit(url).path) and not page.linked:
        return f"The page is a home or index page ({_short(url)!r})."
    if not body:
        return "No article text was found on the page."
    claimed = bool(page.linked) or page.meta("og:type").lower() == "article"
    if len(body) < (_SHORTEST_CLAIMED if claimed else _SHORTEST_UNCLAIMED):
        return "The page holds too little text for an article."
    prose = sum(len(block.text) for block in blocks if block.is_prose)
    if not claimed and prose < 0.1 * sum(len(block.text) for block in blocks):
        return "The page is mostly links, so it is a home or index page."
    return ""


_READERS: dict[str, Callable[[_Input, _Run], Iterator[Outcome]]] = {
    "text": _read_text,
    "html": _read_html,
    "lines": _read_lines,
    "json": _read_json,
    "csv": _read_csv,
}
