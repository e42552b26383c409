"""Jobs in forked processes, which are killed at chosen moments; what they load is loaded once.

The process that forks must stay free of threads, so it never opens an index itself.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import resource
import select
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

_GRACE = 1.0
_RAISED = 70
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_STATEMENTS = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "CREATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a process is sent `signal`; `at` is counted by `kind`.

    "seconds": after so many seconds. "step": before that file is opened for writing, made, linked,
    renamed or removed, or that statement of SQLite is begun. "byte": when a file has grown to so
    many bytes, within the write, which only the kernel's own signal can do.
    """

    kind: str
    at: float
    signal: signal.Signals = signal.SIGKILL

    def __str__(self) -> str:
        at = f"{self.at:.3f}" if self.kind == "seconds" else f"{self.at:.0f}"
        return f"{self.signal.name} at {self.kind} {at}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: `status` is negative for a signal, `value` what it returned, else None."""

    status: int
    value: Any
    out: str
    err: str
    seconds: float
    steps: int
    hung: bool

    @property
    def killed(self) -> bool:
        """Tell whether a signal ended it."""
        return self.status < 0

    @property
    def last_words(self) -> str:
        """Return the last line that it wrote to standard error."""
        return (self.err.strip().splitlines() or [""])[-1]


def load() -> None:
    """Import what commands need and open the models; no thread is begun."""
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    import datasketch  # noqa: F401
    import dateparser  # noqa: F401
    import faiss  # noqa: F401
    import ftfy  # noqa: F401
    import tantivy  # noqa: F401
    import trafilatura  # noqa: F401

    import commands.main  # noqa: F401
    from index.embedding import open_embedder
    from index.settings import Settings
    from qa.reader import reader

    open_embedder(Settings().embedding).embed_queries(["apa"])
    reader()


class Running:
    """A job in a process of its own, ended at a moment, or `limit` seconds after as hung."""

    def __init__(
        self, job: Callable[[], Any], scratch: Path, moment: Moment | None, limit: float
    ) -> None:
        (scratch / "tmp").mkdir(parents=True, exist_ok=True)
        self._files = [scratch / name for name in ("out", "err", "value")]
        self._moment, self._limit = moment, limit
        for file in self._files:
            file.write_bytes(b"")
        sys.stdout.flush()
        sys.stderr.flush()
        self._began = time.perf_counter()
        self._pid = os.fork()
        if not self._pid:
            _child(job, self._files, moment, limit)

    @property
    def group(self) -> int:
        """Return the number of the group that it and its own processes are in."""
        return self._pid

    def runs(self) -> bool:
        """Tell whether it has not ended yet."""
        return not _gone(self._pid)

    def out(self) -> bytes:
        """Return what it has printed so far."""
        return self._files[0].read_bytes()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._pid, number)

    def ended(self) -> Ended:
        """Wait for its end."""
        try:
            hung, status = _followed(self._pid, self._moment, self._limit)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        seconds = time.perf_counter() - self._began
        out, err = (file.read_text(encoding="utf-8", errors="replace") for file in self._files[:2])
        kept = self._files[2].read_bytes()
        value, steps = pickle.loads(kept) if kept else (None, 0)
        return Ended(status, value, out, err, seconds, steps, hung)


def forked(
    job: Callable[[], Any], scratch: Path, moment: Moment | None = None, limit: float = 90
) -> Ended:
    """Run a job in a process of its own to its end; see `Running`.

    Temporary files of the job go into `scratch`/tmp; an integer that it returns is its status.
    """
    return Running(job, scratch, moment, limit).ended()


def _followed(pid: int, moment: Moment | None, limit: float) -> tuple[bool, int]:
    """Wait for a process, and send it the signal of a moment by the clock."""
    handle = os.pidfd_open(pid)
    try:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        if moment and moment.kind == "seconds" and not ended.poll(moment.at * 1000):
            signal.pidfd_send_signal(handle, moment.signal)
        hung = not ended.poll(limit * 1000)
    finally:
        os.close(handle)
        if not _gone(pid):
            os.kill(pid, signal.SIGKILL)
        _, raw = os.waitpid(pid, 0)
    return hung, os.waitstatus_to_exitcode(raw)


def _gone(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _child(
    job: Callable[[], Any], files: list[Path], moment: Moment | None, limit: float
) -> NoReturn:
    status = _RAISED
    try:
        # A group of its own, so that what it begins can be ended with it.
        os.setsid()
        # What runs in the background is deaf to Ctrl-C, and so would be what it begins.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for stream, file in enumerate(files[:2], start=1):
            os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), stream)
        tempfile.tempdir = os.environ["TMPDIR"] = str(files[0].parent / "tmp")
        faulthandler.dump_traceback_later(limit - _GRACE)
        steps = _Steps(moment)
        if moment and moment.kind == "byte":
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(moment.at), resource.RLIM_INFINITY))
        value = job()
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        status = value if isinstance(value, int) else 0
        files[2].write_bytes(pickle.dumps((value, steps.count)))
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


class _Steps:
    """Counts what changes files, and sends this process a signal before one of these steps."""

    def __init__(self, moment: Moment | None) -> None:
        self.count = 0
        self._at = int(moment.at) if moment and moment.kind == "step" else -1
        self._signal = moment.signal if moment else signal.SIGKILL
        self._connect = sqlite3.connect
        sqlite3.connect = self._traced
        sys.addaudithook(self._hook)

    def _hook(self, event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = values
            if isinstance(path, str | bytes | os.PathLike) and flags & _WRITING:
                self._step()
        elif event in _CHANGES:
            self._step()

    def _traced(self, *given: Any, **options: Any) -> sqlite3.Connection:
        connection = self._connect(*given, **options)
        connection.set_trace_callback(self._statement)
        return connection

    def _statement(self, statement: str) -> None:
        if statement.lstrip()[:8].upper().startswith(_STATEMENTS):
            self._step()

    def _step(self) -> None:
        self.count += 1
        # A job that a gentle signal does not end goes on, and is not sent another one.
        if self.count == self._at + 1:
            os.kill(os.getpid(), self._signal)


_CHANGES = {
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
}
