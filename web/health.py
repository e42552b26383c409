"""How the server stands: whether a question could be answered now, and how old the news are."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from index.archive import FILE_NAME
from index.errors import TanyaError
from index.manifest import IndexVersion, stale_days
from index.refusals import sentence
from qa import reader
from qa.chat import Chat

logger = logging.getLogger("tanya.web")

# Less room than this, and conversations may not be kept; a build of a small archive needs more.
_NO_ROOM, _LITTLE_ROOM = 20_000_000, 500_000_000
_COUNTED_FOR = 30.0
_MEGABYTE = 1_000_000


class Queue(NamedTuple):
    """How many questions are being answered, how many wait; `full` if no more may."""

    running: int
    waiting: int
    full: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an answer needs; a warning is for the operator, and keeps none from coming."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """How things stand; what is None is not known. Ages are seconds, `free` bytes.

    `stale` is how many days the news are behind, 0 if not more than the settings allow; `trouble`
    says which version is damaged.
    """

    checks: tuple[Check, ...]
    version: IndexVersion | None
    newest_age: float | None
    build_age: float | None
    stale: int
    trouble: str
    waiting: int | None
    versions: int
    running: int
    queued: int
    free: int | None

    @property
    def ready(self) -> bool:
        """Tell whether a question could be answered now."""
        return all(check.status != "failed" for check in self.checks)


class Examiner:
    """Looks how a chat stands: cheaply enough to be asked every second."""

    def __init__(
        self,
        chat: Chat,
        queue: Callable[[], Queue],
        warnings: Sequence[str] = (),
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat, self._queue, self._now, self._clock = chat, queue, now, clock
        self._warnings = warnings
        self._lock = threading.Lock()
        self._counted: tuple[float, int | None] | None = None

    def examine(self) -> Health:
        """Return how things stand now."""
        now, queue = self._now(), self._queue()
        index, version = self._index()
        archive = self._archive()
        room, free = self._room()
        busy: Literal["ok", "failed"] = "failed" if queue.full else "ok"
        stale = stale_days(version, self._chat.settings.chat.stale_after, now) if version else 0
        fresh = Check("news", "ok", "as new as the settings want, or they want nothing")
        if stale:
            fresh = Check("news", "warning", f"{stale} days behind: is anything added and built?")
        return Health(
            checks=(
                index,
                _reader(),
                archive,
                room,
                Check("queue", busy, f"{queue.running} answered, {queue.waiting} waiting"),
                fresh,
                *self._llm(),
                _door(self._warnings),
            ),
            version=version,
            newest_age=_age(version.newest, now) if version and version.newest else None,
            build_age=(now - version.built).total_seconds() if version else None,
            stale=stale,
            trouble=self._chat.trouble,
            waiting=self._waiting() if version and archive.status == "ok" else None,
            versions=self._chat.kept_versions(),
            running=queue.running,
            queued=queue.waiting,
            free=free,
        )

    def _index(self) -> tuple[Check, IndexVersion | None]:
        try:
            version = self._chat.index().version
        except TanyaError as error:
            return Check("index", "failed", self._without_path(str(error))), None
        if trouble := self._chat.trouble:
            return Check("index", "warning", self._without_path(trouble)), version
        return Check("index", "ok", f"version {version.name}"), version

    def _without_path(self, told: str) -> str:
        # Where the home is concerns nobody who may only ask whether the server is ready.
        return told.replace(str(self._chat.home), "HOME")

    def _llm(self) -> tuple[Check, ...]:
        if not self._chat.settings.llm.base_url:
            return ()
        if trouble := self._chat.llm_trouble:
            return (Check("llm", "warning", f"not asked for now: {trouble}"),)
        return (Check("llm", "ok", "asked"),)

    def _told(self, error: Exception) -> str:
        if isinstance(error, (OSError, sqlite3.Error)):
            return sentence(error, self._chat.home / FILE_NAME)
        return str(error)

    def _archive(self) -> Check:
        try:
            self._chat.newest_bodies(1)
        except (TanyaError, sqlite3.Error, OSError) as error:
            logger.warning("the archive cannot be read: %s", error)
            return Check("archive", "failed", self._without_path(self._told(error)))
        return Check("archive", "ok", "readable")

    def _room(self) -> tuple[Check, int | None]:
        home = self._chat.home
        try:
            free = shutil.disk_usage(home).free
        except OSError:
            return Check("disk", "failed", "there is no home"), None
        return room(free, writable=os.access(home, os.W_OK)), free

    def _waiting(self) -> int | None:
        """Return how many articles wait for a build, as they were counted some seconds ago."""
        with self._lock:
            if self._counted is None or self._clock() - self._counted[0] > _COUNTED_FOR:
                try:
                    count = self._chat.overview().waiting
                except (TanyaError, sqlite3.Error, OSError) as error:
                    logger.warning("what waits cannot be counted: %s", error)
                    return None
                self._counted = self._clock(), count
            return self._counted[1]


def router(examiner: Examiner) -> APIRouter:
    """Return the route that tells a load balancer or a monitor whether to send questions here."""
    routes = APIRouter()

    @routes.get("/readyz", include_in_schema=False)
    def ready() -> JSONResponse:
        health = examiner.examine()
        row = {
            "ready": health.ready,
            "version": health.version.name if health.version else None,
            "checks": {c.name: {"status": c.status, "detail": c.detail} for c in health.checks},
        }
        return JSONResponse(row, 200 if health.ready else 503, {"cache-control": "no-store"})

    return routes


def room(free: int, *, writable: bool) -> Check:
    """Return whether so many bytes are room enough for a home; one that is only read needs none."""
    told = f"{free // _MEGABYTE:,} MB free"
    if not writable:
        return Check("disk", "ok", f"{told}; the home is only read")
    if free < _NO_ROOM:
        return Check("disk", "failed", told)
    return Check("disk", "warning" if free < _LITTLE_ROOM else "ok", told)


def _reader() -> Check:
    if reader.is_open():
        return Check("reader", "ok", "loaded")
    return Check("reader", "failed", "not loaded yet")


def _door(warnings: Sequence[str]) -> Check:
    if warnings:
        return Check("access", "warning", " ".join(warnings))
    return Check("access", "ok", "nobody comes in unknown, or over an open network")


def _age(day: dt.date, now: dt.datetime) -> float:
    return (now - dt.datetime.combine(day, dt.time(), dt.UTC)).total_seconds()
