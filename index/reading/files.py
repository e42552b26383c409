"""Finds the files to read, also in archives, tells what kind each is, and has its articles read.

A bad file or row is a ReadProblem that tells a person what is wrong and where; never an exception.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from index.errors import InputError
from index.reading import crawl, feeds, packed, page, rows, warc
from index.reading.dates import WIB
from index.reading.fields import NO_COLUMNS, Columns, is_known
from index.reading.inputs import InputFile, Outcome, decode, wide_encoding
from index.records import Article, ReadProblem

HOPELESS = 1_000
"""So many problems in a row without one article, and the rest of the file is not tried."""

_READERS: dict[str, Callable[[InputFile], Iterator[Outcome]]] = {
    "text": crawl.read,
    "html": page.read,
    "lines": rows.read_lines,
    "json": rows.read_json,
    "csv": rows.read_csv,
    "parquet": rows.read_parquet,
    "feed": feeds.read,
    "warc": warc.read,
}
_SUFFIXES = {
    ".txt": "text",
    ".md": "text",
    ".markdown": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".jl": "lines",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".xml": "feed",
    ".rss": "feed",
    ".atom": "feed",
    ".warc": "warc",
}
_ARCHIVES = (".zip", ".tar")
KNOWN = f"{' '.join((*_SUFFIXES, *_ARCHIVES))}, each also {' '.join(packed.SUFFIXES)}"
"""The suffixes of the kinds that are read, for a person."""

Progress = Callable[[int], None]
"""Takes the number of bytes read since the last call."""

Passed = Counter[str]
"""How many files of a folder or an archive were passed over, by suffix or by what they are."""


# --- finding files -------------------------------------------------------------------------------


def find_files(paths: Sequence[Path], passed: Passed | None = None) -> list[Path]:
    """List the files to read: each given file, and in each folder the known kinds, in sorted order.

    Hidden files are skipped, a folder that was walked is not walked again, and no file is listed
    twice. What else a folder holds is counted in `passed`. Raises InputError for a path that does
    not exist.
    """
    passed = Counter() if passed is None else passed
    found: dict[Path, Path] = {}
    walked: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(
                f"There is no file or folder {str(path)!r}. "
                f"Check the spelling; the current folder is {str(Path.cwd())!r}."
            )
        for file in _walk(path, walked, passed) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _walk(folder: Path, walked: set[Path], passed: Passed) -> Iterator[Path]:
    top = folder.resolve()
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
        folders = []
        for entry in entries:
            if _is_hidden(entry.name):
                continue
            if reason := _passed_over(entry, top):
                passed[reason] += 1
            elif entry.is_dir():
                folders.append(entry)
            else:
                yield entry
        waiting.extend(reversed(folders))


def _passed_over(entry: Path, top: Path) -> str:
    """Return what a folder's entry is that is not read, "" for a folder or a file of known kind."""
    if entry.is_symlink():
        if not entry.exists():
            return "broken links"
        if not entry.resolve().is_relative_to(top):
            return "links that lead out of the folder"
    if entry.is_dir():
        return ""
    if not entry.is_file():
        return "pipes, sockets or devices"
    return "" if _has_known_name(entry.name) else _inner_suffix(entry.name)


def passed_over(parts: Sequence[str]) -> str | None:
    """Return what a file of a folder is that is not read, by the parts of its path.

    None is a file of a known kind, "" a hidden one.
    """
    if any(map(_is_hidden, parts)):
        return ""
    return None if _has_known_name(parts[-1]) else _inner_suffix(parts[-1])


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _has_known_name(name: str) -> bool:
    suffix = _inner_suffix(name)
    return not suffix or suffix in _SUFFIXES or suffix in _ARCHIVES


def _inner_suffix(name: str) -> str:
    """Return the suffix of what a file holds: ".jsonl" for "A.jsonl.gz"; "" where it has none.

    A suffix has a letter and no blank: "Berita 3.5" and "crawl.00001" have none.
    """
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in packed.SUFFIXES:
        suffix = PurePosixPath(name.lower().removesuffix(suffix)).suffix
    suffix = packed.TAR_SUFFIXES.get(suffix, suffix)
    return suffix if re.fullmatch(r"\.(?=\d*[a-z])\w{1,12}", suffix) else ""


def size(path: Path) -> int:
    """Return a file's size in bytes as stored, 0 where it is not known."""
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
    passed: Passed | None = None,
    columns: Columns = NO_COLUMNS,
    zone: dt.timezone = WIB,
) -> Iterator[Outcome]:
    """Read one file: yield an Article or a ReadProblem for every record, at least one in all.

    `publisher` fills in where the input names none. Dates more than two days after `today` (the
    date of the call by default) are left out. `progress` gets the bytes consumed, as stored. Of an
    archive, `passed` counts the members that are not of a known kind. `columns` are those that the
    user mapped, `zone` is where an instant's date is taken.
    """
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for somebody to write to it.
        yield ReadProblem(path.name, "It is no file; save what it holds as one.")
        return
    try:
        with path.open("rb", buffering=0) as stored:
            meter = packed.Meter(stored, size(path), progress or (lambda n: None))
            day = today or dt.date.today()
            opened = partial(InputFile, publisher=publisher, today=day, columns=columns, zone=zone)
            job = _Job(opened, meter, Counter() if passed is None else passed)
            yield from job.read(path.name, io.BufferedReader(meter, 1 << 16))
            meter.finish()
    except OSError as error:
        yield ReadProblem(path.name, packed.reason_of(error))


@dataclass(frozen=True, slots=True)
class _Job:
    """The reading of one file as stored, and of what is packed in it."""

    opened: Callable[..., InputFile]
    meter: packed.Meter
    passed: Passed

    def read(
        self, name: str, stored: io.BufferedReader, *, inner: bool = False
    ) -> Iterator[Outcome]:
        """Read a file, packed or not; `inner` is one in an archive. Raises BombError there."""
        try:
            content = packed.unpacked(stored, self.meter)
            head = content.peek(_HEAD)[:_HEAD]
            kind = packed.archive_kind(head)
            # A zip is read from its end, so it must be the file as stored.
            closed = inner or (kind == "zip" and content is not stored)
            if kind and closed:
                yield ReadProblem(
                    name, f"It is a {kind} within a packed file; unpack that and add the folder."
                )
            elif kind == "zip" and (office := packed.office_kind(head, content)):
                yield ReadProblem(name, f"It is {office}; {_SAVE}.")
            elif kind:
                yield from self._read_members(name, kind, content)
            else:
                wide = wide_encoding(head)
                file = self.opened(name, content=content, encoding=wide)
                yield from _outcomes(file, head, _inner_suffix(name))
        except packed.FAILURES as error:
            if inner and isinstance(error, packed.BombError):
                raise
            yield ReadProblem(name, packed.reason_of(error))

    def _read_members(self, name: str, kind: str, content: io.BufferedReader) -> Iterator[Outcome]:
        locked: Counter[str] = Counter()
        found = False
        for member in packed.members(kind, content, self.meter):
            # A name is only shown, and no file is made by it, so ".." does no harm.
            parts = [part for part in member.name.split("/") if part not in ("", ".", "..")]
            if not parts or any(map(_is_hidden, parts)):
                continue
            if member.locked:
                locked[member.locked] += 1
            elif not _has_known_name(parts[-1]):
                self.passed[_inner_suffix(parts[-1])] += 1
            else:
                found = True
                yield from self.read(f"{name}!{member.name}", member.open(), inner=True)
        for reason, count in locked.items():
            yield ReadProblem(
                name, f"Left out as {reason}: {count:,}. Unpack it, and add the folder."
            )
        if not found and not locked:
            yield ReadProblem(name, f"It holds no file of a known kind. Known are {KNOWN}.")


# --- which kind of file --------------------------------------------------------------------------

_HEAD = 16_384

_SAVE = "save tables as CSV and texts as text (.txt) or HTML, and add those"
_UNPACK = "unpack it, and add what it holds"
_MAGIC = {
    b"%PDF": ("a PDF", _SAVE),
    b"{\\rtf": ("an RTF file", _SAVE),
    b"%!PS": ("PostScript", _SAVE),
    b"\xd0\xcf\x11\xe0": ("an old Office file (.doc, .xls, .ppt)", _SAVE),
    b"SQLite format": ("an SQLite database", "export its table as CSV, and add that"),
    b"filedesc://": ("a web archive in the old ARC form", "convert it to WARC, and add that"),
    b"\x89PNG": ("a picture (PNG)", "leave it out"),
    b"\xff\xd8\xff": ("a picture (JPEG)", "leave it out"),
    b"GIF8": ("a picture (GIF)", "leave it out"),
    b"\x7fELF": ("a program", "leave it out"),
    b"Rar!": ("a RAR archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", _UNPACK),
    b"\x04\x22\x4d\x18": ("packed by LZ4", _UNPACK),
    b"\x1f\x8b": ("packed twice", _UNPACK),
    b"BZh": ("packed twice", _UNPACK),
    b"\xfd7zXZ": ("packed twice", _UNPACK),
}


def _outcomes(file: InputFile, head: bytes, suffix: str) -> Iterator[Outcome]:
    """Read an open file, whose first bytes are `head`; give up where it yields only problems."""
    if not head:
        yield file.problem("The file is empty.")
        return
    is_parquet = head.startswith(b"PAR1")
    if file.encoding is None and not is_parquet and (reason := _binary_reason(head)):
        yield file.problem(reason)
        return
    start = decode(head, file.encoding).lstrip("\ufeff \t\r\n")
    kind = "parquet" if is_parquet else _kind(suffix, start)
    if kind is None:
        yield file.problem(f"This kind of file is not known. Known are {KNOWN}.")
        return
    if kind == "text" and (reason := _no_prose(suffix, start)):
        yield file.problem(reason)
        return
    found = failed = 0
    for outcome in _READERS[kind](file):
        yield outcome
        found += isinstance(outcome, Article)
        failed += isinstance(outcome, ReadProblem)
        if not found and failed >= HOPELESS:
            yield file.problem(f"None of the first {failed} rows is an article; the rest was left.")
            return
    if not found and not failed:
        yield file.problem("The file holds no article.")


def _binary_reason(head: bytes) -> str:
    if head.startswith(b"WARC/"):
        return ""  # Its pages may be packed.
    for magic, (name, advice) in _MAGIC.items():
        if head.startswith(magic):
            return f"It is {name}, not text; {advice}."
    controls = sum(byte < 9 or 13 < byte < 27 for byte in head)
    if controls > 0.02 * len(head):
        return "It is not a text file (it holds binary data)."
    return ""


_SQL = re.compile(
    r"^(?:INSERT INTO|(?:CREATE|DROP|LOCK|ALTER) TABLE|CREATE DATABASE|COPY \S+ \()\b", re.M | re.I
)
_WORD = r"[^\W\d_]{1,30}(?:[-'’][^\W\d_]{1,30})?"
_WORDS = re.compile(rf"(?<!\w)(?:{_WORD}[\"”“‘’(),.:;?!]{{0,2}}[ \t]{{1,9}}[\"“‘(]?){{3}}{_WORD}")


def _no_prose(suffix: str, head: str) -> str:
    """Return why a text is no article but a program's or a list; "" where it may be one."""
    if _SQL.search(head):
        return "It is a dump of an SQL database; export its table as CSV, and add that."
    if not _WORDS.search(head) and (not suffix or "\n" in head.strip()):
        return "It holds no four words in a row, so it is no article."
    return ""


def _kind(suffix: str, head: str) -> str | None:
    """Decide how a file is read; its content decides where the name lies."""
    if head.startswith("WARC/"):
        return "warc"
    if markup := _markup_kind(suffix, head):
        return markup
    if head.startswith("{") and "://jsonfeed.org/version/" in head[:2_000].replace("\\/", "/"):
        return "feed"
    if re.match(r"\[\s*(?:\{\s*[\"'}]|\[\s*[\"{]|\]\s*$)", head):
        return "json"
    if re.match(r"\{\s*[\"'}]", head):
        first = head.split("\n", 1)[0].rstrip()
        if suffix == ".json":
            return "lines" if re.search(r"\}\s*\n\s*\{", head) and first.endswith("}") else "json"
        return "json" if suffix != ".jsonl" and first in ("{", "{\r") else "lines"
    if suffix in ("", ".txt", ".json", ".html", ".htm") and _looks_like_table(head):
        return "csv"
    if suffix in (".html", ".htm") and not re.search(r"<[a-zA-Z!/]", head):
        return "text"
    return _SUFFIXES.get(suffix, None if suffix else "text")


def _markup_kind(suffix: str, head: str) -> str:
    """Return "html" for a page and "feed" for any other XML, "" for what begins as neither."""
    root = feeds.root_name(head)
    start = head[:300].lower()
    if start.startswith("<!doctype html") or root in ("html", "head", "body", "meta"):
        return "html"
    if not root and start.startswith(("<?xml", "<!--")) and "<html" in head.lower():
        return "html"
    return "feed" if suffix not in (".html", ".htm") and feeds.is_xml(head) else ""


def _looks_like_table(head: str) -> bool:
    first = head.split("\n", 1)[0]
    cells = [cell.strip(" \"'\r") for cell in re.split(r"[,;\t|]", first)]
    return len(cells) > 1 and sum(map(is_known, cells)) >= 2
