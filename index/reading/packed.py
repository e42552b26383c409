"""Packed files: gzip, bzip2 and xz as the one stream that they hold, zip and tar as their members.

Everything is read as a stream and nothing is written to disk. What grows as news never does raises
BombError.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

UNPACKED_LIMIT = 200_000_000
UNPACKED_RATIO = 200
"""A file that unpacks past both limits, bytes and bytes for each one stored, is taken for a bomb.

Text packs 3 to 10 times, pages by one template in a solid archive about 100 times.
"""

BLANK_LIMIT = 2_000_000
"""So many blank bytes in a row are a bomb too: a reader of lines takes minutes for 200 MB of them,
before the other limits tell."""

MEMBERS_LIMIT = 200_000
"""An archive may have so many members: a zip's list of them is held in memory, 1 kB for each."""

FAILURES = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
"""What reading a packed file raises where it cannot go on; `reason_of` tells it to a person."""

SUFFIXES = (".gz", ".bz2", ".xz")
TAR_SUFFIXES = {".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar"}

_OPENERS: dict[bytes, Callable[[io.BufferedReader], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda packed: gzip.GzipFile(fileobj=packed),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_ENCRYPTED = 0x1
_BLANKS = b"\0 \t\r\n"
_TRUST = "as news never does; unpack it yourself if you trust it"


class BombError(OSError):
    """A packed file grew beyond what news does."""


def reason_of(error: Exception) -> str:
    """Return what one of FAILURES means, and what to do."""
    if isinstance(error, BombError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"It cannot be read: {error.strerror}."
    return "The packed file is damaged or cut short; what came before was read."


class Meter(io.RawIOBase):
    """A file as stored; counts what is read of it, for progress, and what that unpacks to."""

    def __init__(self, stored: io.FileIO, size: int, progress: Callable[[int], None]) -> None:
        self._stored = stored
        self._size = size
        self._progress = progress
        self._read = 0
        self._unpacked = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place, as a zip must be."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        return self._stored.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes, and tell the progress; no byte of the file counts twice."""
        count = self._stored.readinto(buffer) or 0
        self._count(count)
        return count

    def finish(self) -> None:
        """Count as read what was left unread."""
        self._count(self._size)

    def _count(self, count: int) -> None:
        new = min(count, self._size - self._read)
        if new > 0:
            self._read += new
            self._progress(new)

    def unpacked(self, count: int) -> None:
        """Count unpacked bytes; raises BombError."""
        self._unpacked += count
        if self._unpacked > UNPACKED_LIMIT and self._unpacked > UNPACKED_RATIO * self._read:
            raise BombError(f"It unpacks to more than {UNPACKED_RATIO} times its size, {_TRUST}.")


class _Unpacked(io.RawIOBase):
    """A stream that comes out of a packed file, its bytes counted by the file's meter.

    Where it is cut short, what came before is handed out first.
    """

    def __init__(self, content: io.BufferedIOBase | IO[bytes], meter: Meter) -> None:
        # Every stream of the library's that is unpacked has it, though IO does not say so.
        self._read = cast(io.BufferedIOBase, content).read1
        self._meter = meter
        self._blank = 0
        self._failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._failure is not None:
            raise self._failure
        data = b""
        try:
            while len(data) < len(buffer) and (more := self._read(len(buffer) - len(data))):
                data += more
        except FAILURES as error:
            if not data:
                raise
            self._failure = error
        self._blank = self._blank + len(data) if not data.strip(_BLANKS) else 0
        if self._blank > BLANK_LIMIT:
            raise BombError(f"It unpacks to megabytes of blanks, {_TRUST}.")
        self._meter.unpacked(len(data))
        buffer[: len(data)] = data
        return len(data)


def _counted(content: io.BufferedIOBase | IO[bytes], meter: Meter) -> io.BufferedReader:
    return io.BufferedReader(_Unpacked(content, meter), 1 << 16)


def unpacked(stream: io.BufferedReader, meter: Meter) -> io.BufferedReader:
    """Return what a stream holds where it is gzip, bzip2 or xz; else the stream itself."""
    start = stream.peek(6)[:6]
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            return _counted(opener(stream), meter)
    return stream


# --- zip and tar ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `locked` says why it cannot be opened, "" where it can.

    What `open` returns must be read before the next member is asked for.
    """

    name: str
    locked: str
    open: Callable[[], io.BufferedReader]


def archive_kind(head: bytes) -> str:
    """Return "zip" or "tar" by a stream's first bytes, "" for any other."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return ""
    return "tar"


def members(kind: str, content: io.BufferedReader, meter: Meter) -> Iterator[Member]:
    """Yield the files of an archive, in its order; one of FAILURES where it cannot go on."""
    found = _zip_members(content, meter) if kind == "zip" else _tar_members(content, meter)
    for number, member in enumerate(found):
        if number >= MEMBERS_LIMIT:
            raise BombError(
                f"It has more than {MEMBERS_LIMIT:,} members, and the rest was left; "
                "unpack it and add the folder."
            )
        yield member


def _zip_members(content: io.BufferedReader, meter: Meter) -> Iterator[Member]:
    if _listed(content) > MEMBERS_LIMIT:
        raise BombError(
            f"It has more than {MEMBERS_LIMIT:,} members; unpack it and add the folder."
        )
    try:
        archive = zipfile.ZipFile(content)
    except (ValueError, NotImplementedError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from error
    with archive:
        for info in archive.infolist():
            if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16):
                continue
            locked = ""
            if info.flag_bits & _ENCRYPTED:
                locked = "encrypted"
            elif info.compress_type not in _ZIP_METHODS:
                locked = "packed in an unusual way"

            def opened(info: zipfile.ZipInfo = info) -> io.BufferedReader:
                return _counted(archive.open(info), meter)

            yield Member(info.filename, locked, opened)


def _listed(content: io.BufferedReader) -> int:
    """Return how many members a zip's end says that it has, before its list is read."""
    size = content.seek(0, io.SEEK_END)
    content.seek(max(0, size - (1 << 16) - 22))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    count = int.from_bytes(tail[at + 10 : at + 12], "little") if at >= 0 else 0
    wide = tail.rfind(b"PK\x06\x06")
    if wide >= 0:
        count = max(count, int.from_bytes(tail[wide + 32 : wide + 40], "little"))
    content.seek(0)
    return count


class _Tail:
    """A stream that remembers its last block: a tar that was not cut short ends in zeros."""

    def __init__(self, content: io.BufferedReader) -> None:
        self._content = content
        self.last = b""

    def read(self, size: int) -> bytes:
        data = self._content.read(size)
        self.last = data[-tarfile.BLOCKSIZE :] or self.last
        return data


def _tar_members(content: io.BufferedReader, meter: Meter) -> Iterator[Member]:
    tail = _Tail(content)
    # As a stream, so that a tar in a gzip needs no way back.
    with tarfile.open(fileobj=cast(IO[bytes], tail), mode="r|") as archive:
        for info in archive:
            # It would keep every header.
            archive.members = []  # type: ignore[attr-defined]
            if not info.isreg():
                continue

            def opened(info: tarfile.TarInfo = info) -> io.BufferedReader:
                file = archive.extractfile(info)
                if file is None:
                    raise tarfile.ReadError(info.name)
                return _counted(file, meter)

            yield Member(info.name, "", opened)
    if tail.last.strip(b"\0"):
        raise tarfile.ReadError("no end")


_OFFICE = {
    "word/document.xml": "a Word document",
    "xl/workbook.xml": "an Excel workbook",
    "xl/workbook.bin": "an Excel workbook",
    "ppt/presentation.xml": "a PowerPoint presentation",
}
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.spreadsheet": "an OpenDocument spreadsheet",
    b"application/vnd.oasis.opendocument": "an OpenDocument file",
    b"application/epub+zip": "an EPUB book",
}


def office_kind(head: bytes, content: io.BufferedReader) -> str:
    """Return which office file a zip is ("a Word document"), "" for none."""
    for mimetype, name in _MIMETYPES.items():
        if b"mimetype" + mimetype in head[:200]:
            return name
    if _listed(content) > MEMBERS_LIMIT:
        return ""
    try:
        with zipfile.ZipFile(content) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        return ""
    finally:
        content.seek(0)
    return next((kind for name, kind in _OFFICE.items() if name in names), "")
