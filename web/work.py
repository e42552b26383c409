"""Works on the archive beside the server: adds what was uploaded, builds; one thing at a time.

It runs in a process of its own, so that neither its memory nor a fault in it touches the chat, and
ends with the server. What it does is what `tanya add` and `tanya build` do.
"""

from __future__ import annotations

import contextvars
import datetime as dt
import functools
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from index import adding, logs, reports, settings
from index import build as builds
from index.errors import BusyError, DiskError, InputError, StoppingError, TanyaError
from index.home import OpenHome, open_archive
from index.reading.files import find_files, size
from index.refusals import sentence
from index.reports import Ingest
from web.requests import note

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

logger = logging.getLogger("tanya.web")

# The chat goes first on the processor.
_NICE = 5

# Seconds that a task which is to end is waited for.
_ENDS = 0.5


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done to a home: the files of `uploaded` added, unless it is None; a build."""

    home: Path
    uploaded: Path | None = None
    publisher: str = ""
    build: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """How far the work is. `stage` is "add", one of a build's, or "" once it has ended.

    `done` of `total` are bytes while adding, then articles; `ingest` is the report so far of what
    was added, `version` what went live in the end, "" where nothing did. `error` is what ended it.
    It is logged under the id of the request that began it.
    """

    number: int
    task: Task
    stage: str = "begin"
    done: int = 0
    total: int = 0
    ingest: Ingest | None = None
    version: str = ""
    error: Exception | None = None
    request_id: str = ""

    @property
    def running(self) -> bool:
        """Tell whether it goes on."""
        return bool(self.stage)


class Worker:
    """Does one task after the other; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: State | None = None
        self._thread: threading.Thread | None = None
        self._process: BaseProcess | None = None
        self._stopped = False

    @property
    def state(self) -> State | None:
        """Return how far the last task is; None before the first."""
        with self._lock:
            return self._state

    def start(self, task: Task, after: Callable[[], None] = lambda: None) -> State:
        """Begin a task; `after` is called at its end. Raises BusyError while another runs."""
        with self._lock:
            if self._state is not None and self._state.running:
                raise BusyError("Another task is running; wait until it ends.")
            number = self._state.number + 1 if self._state else 1
            state = self._state = State(number, task, request_id=logs.request_id.get())
            follow = functools.partial(contextvars.copy_context().run, self._follow, state, after)
            self._thread = threading.Thread(target=follow, daemon=True)
            self._thread.start()
        return state

    def wait(self, seconds: float) -> None:
        """Wait until the task under way has ended, so many seconds at most."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """End the task under way, as the server ends; the live version stays as it is."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            process.terminate()
        self.wait(_ENDS)

    def _follow(self, state: State, after: Callable[[], None]) -> None:
        """Run a task in its process, and keep what it tells."""
        ours, theirs = get_context("spawn").Pipe(duplex=False)
        process = get_context("spawn").Process(target=_run, args=(state, theirs), daemon=True)
        try:
            process.start()
            with self._lock:
                self._process = process
                if self._stopped:
                    process.terminate()
            theirs.close()
            while state.running:
                state = ours.recv()
                if state.running:
                    self._set(state)
        except (EOFError, OSError) as error:
            lost = TanyaError("The process that did the work ended before it was done.")
            if self._stopped:
                lost = StoppingError("The server was stopped; do it again when it runs.")
            else:
                logger.error("a task ended with its process: %r", error)
            state = replace(state, stage="", error=lost)
        finally:
            ours.close()
            if process.pid is not None:
                process.join()
            self._process = None
            after()
            _note(state)
            self._set(state)

    def _set(self, state: State) -> None:
        with self._lock:
            self._state = state


def _note(state: State) -> None:
    """Write in the audit log how a task ended."""
    facts: dict[str, object] = {"version": state.version}
    if ingest := state.ingest:
        facts.update(new=ingest.new, changed=ingest.changed, problems=ingest.problems)
    if state.error is not None:
        facts["error"] = type(state.error).__name__
    note("build" if state.task.uploaded is None else "upload", **facts)


# In the other process ----------------------------------------------------------------------------


def _run(state: State, told: Connection) -> None:
    """Do a task, and tell each step of it; the last one has no stage."""
    builds.begin_worker()
    os.nice(_NICE)
    work = _Work(state, told)
    try:
        logs.request_id.set(state.request_id)
        logs.configure(settings.load(state.task.home).log)
        logger.info("a task begins")
        if state.task.uploaded is not None:
            work.add(state.task.uploaded)
        if state.task.build:
            work.build()
        logger.info("a task is done")
        work.tell(stage="")
    except TanyaError as error:
        logger.warning("a task ended: %s", error)
        work.tell(stage="", error=error)
    except (OSError, sqlite3.Error) as error:
        logger.warning("a task ended: %s", error)
        work.tell(stage="", error=DiskError(sentence(error, state.task.home)))


class _Work:
    """One task under way."""

    def __init__(self, state: State, told: Connection) -> None:
        self._state, self._told = state, told

    def tell(self, **changed: object) -> None:
        """Tell what is new of it."""
        self._state = replace(self._state, **changed)  # type: ignore[arg-type]
        self._told.send(self._state)

    def add(self, folder: Path) -> None:
        """Add the files of a folder, as `tanya add` does."""
        home = self._state.task.home
        read = adding.reader(settings.load(home).add, self._state.task.publisher)
        intake = adding.Intake()
        files = find_files([folder], intake.passed)
        names = [file.name for file in files]
        ingest = reports.begin("upload", names, dt.datetime.now(dt.UTC))
        read_bytes = 0

        def advance(count: int) -> None:
            nonlocal read_bytes
            read_bytes += count

        with open_archive(home, create=True) as archive, reports.recorded(home, ingest, intake):
            self.tell(stage="add", total=sum(map(size, files)))
            for _ in intake.add(archive, files, read, dt.datetime.now(dt.UTC), advance):
                so_far = reports.filled(ingest, intake, dt.datetime.now(dt.UTC))
                self.tell(done=read_bytes, ingest=so_far)
        added = intake.added
        if not (added.new or added.changed or added.same or added.removed_earlier):
            raise InputError("No article could be read; see the problems.")

    def build(self) -> None:
        """Build, as `tanya build` does, in this process alone: the chat needs the other cores."""

        def show(stage: str, done: int, total: int) -> None:
            self.tell(stage=stage, done=done, total=total)

        self.tell(stage="open", done=0, total=0)
        with OpenHome.open(self._state.task.home) as opened:
            built = builds.build(
                *(opened.archive, opened.versions, opened.recipe, opened.embedder),
                now=dt.datetime.now(dt.UTC),
                progress=show,
                workers=0,
            )
        self.tell(version=built.version.name if built.version else "")
