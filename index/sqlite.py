"""SQLite files: opened, asked for many values at once, and written whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

_SHARED = 1 << 15
"""Bytes that the index of a log has at least while a process has the database open."""

_AT_ONCE = 10_000
"""Values that a query takes at a time; SQLite's limit is 32,766."""


def connect(path: Path | str, **options: Any) -> sqlite3.Connection:
    """Open a database as `sqlite3.connect` does, without its implicit transactions.

    The connection closes itself when the last object that uses it is gone.
    """
    return sqlite3.connect(path, isolation_level=None, factory=_Connection, **options)


def connect_logged(path: Path, *, create: bool = False, wait: float = 30) -> sqlite3.Connection:
    """Open a database that several processes read and write at a time, as `connect_existing`.

    It has a write-ahead log. One that is not there is made if it is to be created.
    """
    if not create and path.exists() and not is_writable(path):
        return connect_existing(path, wait=wait)
    db = connect_existing(path, mode="rwc" if create else "rw", wait=wait)
    try:
        _write_ahead(db, wait)
        db.execute("PRAGMA synchronous=NORMAL")
        # The log's index needs room, which a full disk has not: then what is there is read.
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        db.close()
        if create or not path.exists() or not _has_no_room(error):
            raise
        return _connect_unwritable(path.resolve())
    except BaseException:
        db.close()
        raise
    return db


def _has_no_room(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def connect_existing(path: Path, *, mode: str = "", wait: float = 30) -> sqlite3.Connection:
    """Open a database as it is, for any thread; what writes is waited for, `wait` seconds.

    Where it may not be written it is opened to be read, with what stands in its log. `mode` is
    SQLite's, if it is to be another.
    """
    path = path.resolve()
    if not mode and path.exists() and not is_writable(path):
        return _connect_unwritable(path)
    return _connect_as(path, mode or "rw", wait)


def _connect_as(path: Path, mode: str, wait: float = 30) -> sqlite3.Connection:
    uri = f"{path.as_uri()}?mode={mode}"
    return connect(uri, uri=True, timeout=wait, check_same_thread=False)


def is_writable(path: Path) -> bool:
    """Tell whether a file, and its folder, may be written: by its permissions and its disk's."""
    path = path.resolve()
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _connect_unwritable(path: Path) -> sqlite3.Connection:
    """Open a database with a write-ahead log where none of SQLite's files can be made.

    See "Read-Only Databases" in https://sqlite.org/wal.html.
    """
    log, shared = (_size(path.with_name(path.name + end)) for end in ("-wal", "-shm"))
    if log >= 0 and shared >= _SHARED:
        return _connect_as(path, "ro")
    # Whoever writes has both, so nobody does.
    log = max(log, 0)
    db = _connect_as(path, "ro&vfs=unix-none" if log else "ro&immutable=1")
    if log:
        # A crash left it, or it was copied; its index is made in memory, which is for one alone.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
    frozen[db] = traces(path)
    return db


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


frozen: WeakKeyDictionary[sqlite3.Connection, tuple[int, ...]] = WeakKeyDictionary()
"""Connections that do not see what others write, with the traces of the time they were opened."""


def traces(path: Path) -> tuple[int, ...]:
    """Return what differs once another process has opened a database to write it."""
    found = []
    for end in ("", "-wal", "-shm"):
        try:
            stat = os.stat(f"{path}{end}")
            found += [stat.st_ino, stat.st_size, stat.st_mtime_ns]
        except OSError:
            found.append(0)
    return tuple(found)


def _write_ahead(db: sqlite3.Connection, wait: float) -> None:
    """Switch to write-ahead logging; SQLite's own waiting does not cover the switch."""
    until = time.monotonic() + wait
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)


def connect_new(path: Path) -> sqlite3.Connection:
    """Open a file that nobody reads before it is complete: a journal would only cost time."""
    db = connect(path.absolute().as_uri(), uri=True)
    db.execute("PRAGMA journal_mode=OFF")
    db.execute("PRAGMA synchronous=OFF")
    return db


def connect_finished(path: Path) -> sqlite3.Connection:
    """Open a file that is never written again, for any thread."""
    return connect(finished_uri(path), uri=True, check_same_thread=False)


def connect_still(path: Path) -> sqlite3.Connection:
    """Open a database to read it, wherever it stands, and write nothing beside it."""
    if path.with_name(f"{path.name}-wal").exists():
        return connect_existing(path, mode="ro" if is_writable(path) else "")
    # Nobody has it open, and to read it as one that others write would make its log.
    return connect_finished(path)


def quick_check(db: sqlite3.Connection) -> str:
    """Return the first thing that is wrong with the pages of a database, "" if nothing is."""
    fault = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if fault == "ok" else fault


def finished_uri(path: Path) -> str:
    """Return the address of a file that is never written again."""
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


def select(db: sqlite3.Connection, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query that ends in IN, for as many values as SQLite takes at a time."""
    for begin in range(0, len(values), _AT_ONCE):
        some = values[begin : begin + _AT_ONCE]
        yield from db.execute(f"{query} ({','.join('?' * len(some))})", some)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Keep all that is written inside, or nothing; others that write are waited for."""
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite roll back by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


class _Connection(sqlite3.Connection):
    def execute(self, *given: Any) -> sqlite3.Cursor:
        try:
            return super().execute(*given)
        except UnicodeDecodeError as error:
            # SQLite's message quotes what is damaged, which Python takes for text.
            told = sqlite3.DatabaseError(error.object.decode("utf-8", "backslashreplace"))
            told.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise told from error

    # A version that a question still reads is left to the garbage collector when the next one
    # goes live; Python 3.13 warns of each connection that is collected while it is open.
    def __del__(self) -> None:
        # The collector runs in any thread: what only its own thread may close closes right after.
        with suppress(sqlite3.Error):
            self.close()
