"""What the disk or the system refuses, in one sentence that is true and says what to do next."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index.errors import DiskError

_RESTORE = "`tanya restore BACKUP`"
_AGAIN = "then run the same again; nothing that was kept is lost"
_SENTENCES = {
    errno.ENOSPC: "The disk that holds {} is full. Free some room there (`tanya prune` deletes old "
    f"versions), {_AGAIN}.",
    errno.EDQUOT: "Your quota on the disk that holds {} is used up. Free some room there (`tanya "
    f"prune` deletes old versions), {_AGAIN}.",
    errno.EFBIG: "A file of {} may not grow any more: its file system or `ulimit -f` sets a bound. "
    f"Raise that, {_AGAIN}.",
    errno.EMFILE: "Too many files are open for {} to be opened. Allow more (`ulimit -n 4096`), "
    f"{_AGAIN}.",
    errno.EACCES: "Permission denied for {}. Run it as the user that owns it, or change "
    "its permissions.",
    errno.EROFS: "{} cannot be written, its file system is read-only. Asking, searching and "
    "exporting work; to change anything, mount it for writing.",
    errno.EIO: "The disk that holds {} fails (input/output error). See the system's log, and copy "
    "what you need to another disk.",
    errno.ENAMETOOLONG: "The name {} is too long for its file system. Take a shorter one.",
    errno.ENOMEM: f"The memory does not suffice for {{}}. Free some, {_AGAIN}.",
}
_ALIKE = {errno.EPERM: errno.EACCES, errno.ENFILE: errno.EMFILE}


def sentence(error: OSError | sqlite3.Error, place: Path | None = None) -> str:
    """Return what an error means for a person; `place` is its file or folder, where it is known.

    SQLite does not say what the system refused, so that is tried out beside its file.
    """
    if isinstance(error, sqlite3.Error):
        return _of_database(error, place)
    number = error.errno or 0
    name = place if error.filename is None else os.fsdecode(error.filename)
    if words := _SENTENCES.get(_ALIKE.get(number, number)):
        words = words.format("the file" if name is None else repr(str(name)))
        return words[0].upper() + words[1:]
    return f"{error.strerror or error}{'' if name is None else f': {str(name)!r}'}."


def _of_database(error: sqlite3.Error, place: Path | None) -> str:
    named = "A database" if place is None else repr(str(place))
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return sentence(OSError(errno.ENOSPC, ""), place)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"Another process is writing {named}; try again when it is done."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{named} is damaged ({error}). Restore it from a backup: {_RESTORE}."
        case sqlite3.SQLITE_NOMEM:
            return sentence(OSError(errno.ENOMEM, ""), place)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN as code:
            if found := place and refusal(place):
                return sentence(found)
            if place is not None and not place.exists():
                return f"There is no {named}."
            number = {sqlite3.SQLITE_READONLY: errno.EROFS, sqlite3.SQLITE_IOERR: errno.EIO}
            if code in number:
                return sentence(OSError(number[code], ""), place)
    return f"{named} cannot be used: {error}."


def refusal(path: Path) -> OSError | None:
    """Return what keeps a file from growing, or a folder from taking one; None if nothing does."""
    size = 0
    with suppress(OSError):
        size = 0 if path.is_dir() else max(_size(path), _size(path.with_name(f"{path.name}-wal")))
    try:
        with tempfile.TemporaryFile(dir=path if path.is_dir() else path.parent) as file:
            # A hole takes no room, but its end must be within every bound.
            file.seek(size)
            file.write(bytes(1 << 16))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return OSError(error.errno, error.strerror, str(path))
    if path.exists() and not os.access(path, os.W_OK):
        return PermissionError(errno.EACCES, "", str(path))
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses a library that writes below a folder into a DiskError.

    Libraries tell of it each in its own way; so a full disk is looked for behind any of them.
    """
    try:
        yield
    except OSError as error:
        raise DiskError(sentence(error, folder)) from error
    except (ValueError, RuntimeError, sqlite3.Error) as error:
        if found := refusal(folder):
            raise DiskError(sentence(found)) from error
        raise
