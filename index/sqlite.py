"""SQLite files: opened, asked for many values at once, and written whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_AT_ONCE = 10_000
"""Values that a query takes at a time; SQLite's limit is 32,766."""


def connect(path: Path | str, **options: Any) -> sqlite3.Connection:
    """Open a database as `sqlite3.connect` does, without its implicit transactions.

    The connection closes itself when the last object that uses it is gone.
    """
    return sqlite3.connect(path, isolation_level=None, factory=_Connection, **options)


def connect_new(path: Path) -> sqlite3.Connection:
    """Open a file that nobody reads before it is complete: a journal would only cost time."""
    db = connect(path.absolute().as_uri(), uri=True)
    db.execute("PRAGMA journal_mode=OFF")
    db.execute("PRAGMA synchronous=OFF")
    return db


def connect_finished(path: Path) -> sqlite3.Connection:
    """Open a file that is never written again, for any thread."""
    return connect(finished_uri(path), uri=True, check_same_thread=False)


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
    # A version that a question still reads is left to the garbage collector when the next one
    # goes live; Python 3.13 warns of each connection that is collected while it is open.
    def __del__(self) -> None:
        # The collector runs in any thread: what only its own thread may close closes right after.
        with suppress(sqlite3.Error):
            self.close()
