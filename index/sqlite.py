"""Opens SQLite files; a connection closes itself when the last object that uses it is gone."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any


def connect(path: Path | str, **options: Any) -> sqlite3.Connection:
    """Open a database as `sqlite3.connect` does, without its implicit transactions."""
    return sqlite3.connect(path, isolation_level=None, factory=_Connection, **options)


class _Connection(sqlite3.Connection):
    # A version that a question still reads is left to the garbage collector when the next one
    # goes live; Python 3.13 warns of each connection that is collected while it is open.
    def __del__(self) -> None:
        # The collector runs in any thread: what only its own thread may close closes right after.
        with suppress(sqlite3.Error):
            self.close()
