"""What the watcher remembers over restarts, in watch.db: files read, feeds asked, items seen.

It may be lost: then everything is read once more, and the archive finds it unchanged.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from index.errors import ArchiveError
from index.refusals import sentence
from index.sqlite import connect_logged, transaction

FILE_NAME = "watch.db"

# Items that their feed lists no more are forgotten after this; feeds list some weeks at most.
_ITEMS_KEPT = 90 * 86_400.0


class Signature(NamedTuple):
    """What tells that a file changed: its size in bytes, and its two times in nanoseconds."""

    size: int
    modified: int
    changed: int


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of a feed; `address` is where it moved to, `due` when it may be asked again.

    `failures` counts those since it last answered, `told` is the last trouble that was told.
    """

    url: str
    address: str
    etag: str = ""
    modified: str = ""
    due: float = 0.0
    failures: int = 0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item whose page is still to be read; `tries` counts those that failed for the moment."""

    feed: str
    key: str
    link: str
    title: str
    date: str
    text: str
    trusted: str
    tries: int = 0


_FEED = ", ".join(each.name for each in fields(Feed))
_ITEM = ", ".join(each.name for each in fields(Item))
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS file (path TEXT PRIMARY KEY, size INTEGER NOT NULL,
         modified INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS feed (url TEXT PRIMARY KEY, address TEXT NOT NULL,
         etag TEXT NOT NULL, modified TEXT NOT NULL, due REAL NOT NULL, failures INTEGER NOT NULL,
         told TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY, feed TEXT NOT NULL,
         key TEXT NOT NULL, link TEXT NOT NULL, title TEXT NOT NULL, date TEXT NOT NULL,
         text TEXT NOT NULL, trusted TEXT NOT NULL, tries INTEGER NOT NULL,
         done INTEGER NOT NULL DEFAULT 0, listed REAL NOT NULL, UNIQUE (feed, key))""",
    "CREATE INDEX IF NOT EXISTS item_waiting ON item (feed, number) WHERE NOT done",
    """CREATE TABLE IF NOT EXISTS host (name TEXT PRIMARY KEY, until REAL NOT NULL,
         failures INTEGER NOT NULL) WITHOUT ROWID""",
)


class Seen:
    """The watcher's memory; any thread may use it."""

    def __init__(self, path: Path) -> None:
        """Open it, empty where there is none; raises ArchiveError."""
        try:
            self._db = connect_logged(path, create=True)
            for statement in _SCHEMA:
                self._db.execute(statement)
        except sqlite3.Error as error:
            raise ArchiveError(
                f"{sentence(error, path)} Without this file what was seen is read once more."
            ) from error
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file, once nothing uses it."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            with transaction(self._db):
                yield self._db

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # Files

    def files(self) -> dict[str, Signature]:
        """Return the signature that each file had when it was read."""
        rows = self._rows("SELECT path, size, modified, changed FROM file")
        return {path: Signature(*rest) for path, *rest in rows}

    def keep_files(self, read: Iterable[tuple[str, Signature]], gone: Iterable[str] = ()) -> None:
        """Remember files as they were read, and forget those that are gone."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", [(p, *s) for p, s in read]
            )
            db.executemany("DELETE FROM file WHERE path = ?", [(path,) for path in gone])

    # Feeds

    def feed(self, url: str) -> Feed:
        """Return what is known of a feed."""
        rows = self._rows(f"SELECT {_FEED} FROM feed WHERE url = ?", url)
        return Feed(*rows[0]) if rows else Feed(url, url)

    def keep_feed(self, feed: Feed, items: Sequence[Item] = (), now: float = 0.0) -> None:
        """Remember an answer of a feed with the items that it lists, all or nothing.

        Those that are known stay as they are; items long gone from the feed are forgotten.
        """
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO feed VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(feed))
            db.executemany(
                f"""INSERT INTO item ({_ITEM}, listed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (feed, key) DO UPDATE SET listed = excluded.listed""",
                [(*astuple(item), now) for item in items],
            )
            if items:
                db.execute(
                    "DELETE FROM item WHERE feed = ? AND done AND listed < ?",
                    (feed.url, now - _ITEMS_KEPT),
                )

    def waiting(self, url: str, most: int) -> list[Item]:
        """Return items of a feed whose pages are still to be read; those that failed come last."""
        query = f"""SELECT {_ITEM} FROM item WHERE feed = ? AND NOT done
                    ORDER BY tries, number LIMIT ?"""
        return [Item(*row) for row in self._rows(query, url, most)]

    def finish(self, items: Iterable[Item]) -> None:
        """Remember that items are read, or never can be; their text is needed no more."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE item SET done = 1, text = '' WHERE feed = ? AND key = ?",
                [(item.feed, item.key) for item in items],
            )

    def count_try(self, item: Item) -> None:
        """Count a try at an item that failed for the moment."""
        with self._transaction() as db:
            db.execute(
                "UPDATE item SET tries = tries + 1 WHERE feed = ? AND key = ?",
                (item.feed, item.key),
            )

    # Hosts

    def host(self, name: str) -> tuple[float, int]:
        """Return until when a host is not to be asked, and its failures in a row."""
        for until, failures in self._rows("SELECT until, failures FROM host WHERE name = ?", name):
            return until, failures
        return 0.0, 0

    def keep_host(self, name: str, until: float, failures: int) -> None:
        """Remember until when a host is not to be asked; one without failures is forgotten."""
        with self._transaction() as db:
            if failures:
                db.execute("INSERT OR REPLACE INTO host VALUES (?, ?, ?)", (name, until, failures))
            else:
                db.execute("DELETE FROM host WHERE name = ?", (name,))
