"""The audit log: who asked and did what, when; JSON lines in the home, written by one thread.

    audit.jsonl            the newest lines; mode 600
    audit.jsonl.1 .2 ...   full files put aside, the newest first

Nobody waits for it, and nothing fails because it cannot be written: what is lost is counted.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import logging
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from index.files import UNREADABLE
from index.logs import as_json
from index.settings import LogSettings

logger = logging.getLogger("tanya.audit")

FILE_NAME = "audit.jsonl"

_MEGABYTE = 1_000_000
_MOST_WAITING = 10_000
_LONGEST = 2_000


class Audit:
    """The audit log of one home; any thread may add to it."""

    def __init__(self, home: Path, settings: LogSettings) -> None:
        self._home, self._settings = home, settings
        self._waiting: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._told = False
        self.lost = 0
        """Lines that could not be written."""

    def note(self, event: str, **facts: object) -> None:
        """Add a line, without waiting for the disk."""
        if not self._settings.audit:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(line_of(event, facts))
        except queue.Full:
            self._lose(1, "it is written more slowly than it grows")

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, if that takes no longer than some seconds."""
        thread = self._thread
        if thread is not None:
            with suppress(queue.Full):
                self._waiting.put(None, timeout=seconds)
            thread.join(seconds)
            self._thread = None

    def _write(self) -> None:
        going_on = True
        while going_on:
            lines = [self._waiting.get()]
            # What came meanwhile goes with it: one opening of the file for all.
            while not self._waiting.empty():
                lines.append(self._waiting.get())
            going_on = None not in lines
            written = [line for line in lines if line is not None]
            try:
                append(self._home, self._settings, written)
                self._told = False
            except OSError as error:
                self._lose(len(written), error.strerror or str(error))

    def _lose(self, count: int, why: str) -> None:
        self.lost += count
        if not self._told:
            self._told = True
            logger.error("the audit log cannot be written, and lines are lost: %s", why)


def line_of(event: str, facts: dict[str, object]) -> str:
    """Return a line, without its end; values that are empty are left out."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = {"time": now, "event": event, **{n: _cut(v) for n, v in facts.items() if v not in ("",)}}
    return as_json(row)


def _cut(value: object) -> object:
    return value[:_LONGEST] if isinstance(value, str) else value


def append(home: Path, settings: LogSettings, lines: Sequence[str]) -> None:
    """Write lines at the end of a home's log, and put a full file aside. Raises OSError."""
    if not lines:
        return
    path = home / FILE_NAME
    data = "".join(f"{line}\n" for line in lines).encode("ascii")
    # Appending in one piece, what several processes write does not mix.
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        # A line that a full disk or a crash cut off must not take the next one with it.
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        whole = b"\n" + data if torn else data
        if os.write(file, whole) < len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        full = size + len(data) > settings.audit_megabytes * _MEGABYTE
    finally:
        os.close(file)
    if full:
        _put_aside(path, settings.audit_keep)


def _put_aside(path: Path, keep: int) -> None:
    for number in range(keep, 0, -1):
        newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
        if newer.exists():
            newer.replace(path.with_name(f"{path.name}.{number}"))


def command(home: Path, settings: LogSettings, event: str, **facts: object) -> None:
    """Write that somebody at this machine ran a command; that it cannot be written is logged."""
    if not settings.audit or not home.is_dir():
        return
    try:
        append(home, settings, [line_of(event, {"name": user(), "door": "command", **facts})])
    except OSError as error:
        logger.warning("the audit log cannot be written: %s", error.strerror or error)


def user() -> str:
    """Return who runs this process, "" where that is not known."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


# Reading -----------------------------------------------------------------------------------------


def rows(home: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a home's log, the oldest first; what is no row is passed over."""
    files = home.glob(f"{FILE_NAME}.*")
    aside = [path for path in files if path.suffix[1:].isdecimal()]
    for path in (*sorted(aside, key=lambda p: -int(p.suffix[1:])), home / FILE_NAME):
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from filter(None, map(_row, file))
        except FileNotFoundError:
            continue


def _row(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
        dt.datetime.fromisoformat(found["time"])
    except (*UNREADABLE, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found.get("event"), str) else None
