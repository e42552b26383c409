"""Runs the commands that a bench measures, and tells how far it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from index.errors import InputError

Progress = Callable[[str, float, float], None]
"""Called with what is being measured, the work done and the work in all."""

_SPAWN = Path(__file__).with_name("bench_spawn.py")
_TAIL = 400


class Clock:
    """Tells progress in about seconds: stretches of known length, one after the other."""

    def __init__(self, progress: Progress, weights: Sequence[float]) -> None:
        self._progress = progress
        self._weights = list(weights)
        self._at = 0
        self._began = 0.0
        self._doing = ""

    def during(self, doing: str) -> Stretch:
        """Return a context for the next stretch."""
        self._doing = doing
        return Stretch(self)

    def begin(self) -> None:
        self._began = time.monotonic()
        self._tell(0.0)

    def end(self) -> None:
        self._at += 1
        self._tell(0.0)

    def tick(self) -> None:
        """Move on with the time, but never beyond this stretch."""
        self._tell(min((time.monotonic() - self._began) / self._weights[self._at], 0.98))

    def share(self, done: int, total: int) -> None:
        """Move on to a known share of this stretch."""
        self._tell(done / max(1, total))

    def _tell(self, share: float) -> None:
        now = self._weights[self._at] if self._at < len(self._weights) else 0.0
        done = sum(self._weights[: self._at]) + share * now
        self._progress(self._doing, done, sum(self._weights))


class Stretch:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._clock.begin()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._clock.end()


def tanya(home: Path, arguments: Sequence[str | Path], clock: Clock) -> dict[str, float]:
    start = "from commands.main import main; main()"
    return spawn([sys.executable, "-c", start, "--home", home, *arguments], home.parent, clock)


def spawn(
    command: Sequence[str | Path],
    work: Path,
    clock: Clock,
    environment: Mapping[str, str] | None = None,
    out: Path | None = None,
) -> dict[str, float]:
    """Run a command; return its seconds and peak memory. Raises InputError where it fails."""
    figures, said = work / "spawned.json", work / "said.txt"
    figures.unlink(missing_ok=True)
    whole = [sys.executable, "-I", "-S", _SPAWN, figures, *command]
    with said.open("wb") as err, (out or work / "printed.txt").open("wb") as printed:
        process = subprocess.Popen(
            list(map(str, whole)),
            stdout=printed,
            stderr=err,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            cwd=Path(__file__).parents[1],
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                clock.tick()
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            # The measured command and what it started are to end too.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
    if process.returncode:
        last = said.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL:]
        named = " ".join(map(str, command))
        raise InputError(f"A command of the bench failed ({last!r}); it was: {named[:_TAIL]}")
    found: dict[str, float] = json.loads(figures.read_text(encoding="utf-8"))
    return found


def save(path: Path, value: object) -> None:
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    beside.replace(path)
