"""Finds the files to read, unpacks them, tells what kind each is, and has its articles read.

A bad file or row is a ReadProblem that tells a person what is wrong and where; never an exception.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from index.errors import InputError
from index.reading import crawl, page, rows
from index.reading.inputs import InputFile, Outcome, decode, wide_encoding
from index.records import Article, ReadProblem

UNPACKED_LIMIT = 200_000_000
UNPACKED_RATIO = 200
"""A gzip file that grows past both limits is taken for a bomb, and reading it stops."""

HOPELESS = 1_000
"""So many problems in a row without one article, and the rest of the file is not tried."""

_READERS: dict[str, Callable[[InputFile], Iterator[Outcome]]] = {
    "text": crawl.read,
    "html": page.read,
    "lines": rows.read_lines,
    "json": rows.read_json,
    "csv": rows.read_csv,
}
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
"""Takes the number of bytes read since the last call."""


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
) -> Iterator[Outcome]:
    """Read one file: yield an Article or a ReadProblem for every record, at least one in all.

    `publisher` fills in where the input names none. Dates more than two days after `today` (the
    date of the call by default) are left out. `progress` gets the bytes consumed, as stored.
    """
    position = 0
    problem = ""
    try:
        with path.open("rb") as stored:
            content = _unpacked(stored)
            head = content.peek(4096)[:4096]
            day = today or dt.date.today()
            file = InputFile(path.name, publisher, day, content, wide_encoding(head))
            for outcome in _outcomes(file, head, _inner_suffix(path)):
                if progress is not None and (reached := stored.tell()) > position:
                    progress(reached - position)
                    position = reached
                yield outcome
            if progress is not None and (rest := size(path) - position) > 0:
                progress(rest)
    except _BombError:
        problem = (
            f"It unpacks to more than {UNPACKED_RATIO} times its size, as news never does; "
            "unpack it yourself if you trust it."
        )
    except (EOFError, zlib.error, gzip.BadGzipFile):
        problem = "The gzip file is damaged or cut short; what came before was read."
    except OSError as error:
        problem = f"It cannot be read: {error.strerror or error}."
    if problem:
        yield ReadProblem(path.name, problem)


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

    def readinto(self, buffer: Any) -> int:
        data = self._content.read(len(buffer))
        self._count += len(data)
        if self._count > UNPACKED_LIMIT and self._count > UNPACKED_RATIO * self._packed.tell():
            raise _BombError
        buffer[: len(data)] = data
        return len(data)


def _unpacked(stored: io.BufferedReader) -> io.BufferedReader:
    packed = stored.peek(2)[:2] == b"\x1f\x8b"
    return io.BufferedReader(_Unpacked(stored), 1 << 16) if packed else stored


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


def _outcomes(file: InputFile, head: bytes, suffix: str) -> Iterator[Outcome]:
    """Read an open file, whose first bytes are `head`; give up where it yields only problems."""
    if not head:
        yield file.problem("The file is empty.")
        return
    if file.encoding is None and (reason := _binary_reason(head)):
        yield file.problem(reason)
        return
    kind = _kind(suffix, decode(head, file.encoding).lstrip("\ufeff \t\r\n"))
    if kind is None:
        yield file.problem(f"This kind of file is not known. Known are {_KNOWN} and .gz of each.")
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
    return len(cells) > 1 and sum(cell in rows.FIELD_NAMES for cell in cells) >= 2
