"""Reports of the last ingests, kept in the home: what `tanya add`, `tanya watch` and uploads told.

    reports/20261126T213000.123456-4711.json    one a run, each whole; the newest twenty stay

Nothing depends on them: they may be deleted at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import InputError, TanyaError
from index.files import written_whole
from index.records import ReadProblem
from index.text import encodable

if TYPE_CHECKING:
    from index.adding import Intake
    from index.archive import AddReport

FOLDER = "reports"
KEPT = 20
MOST_TOLD = 500
"""Problems of one ingest that are kept with their words; the others are only counted."""

_MOST_NAMED, _LONGEST = 20, 400


@dataclass(frozen=True, slots=True)
class Ingest:
    """What one run read into the archive, `named` files and folders, and what it told of them.

    `kind` is "add", "watch" or "upload"; `problems` counts all of them, notes left out, and `told`
    holds the first of both. `passed` has files that were passed over, by what they are. `failure`
    is what ended it early, "" where nothing did.
    """

    kind: str
    named: tuple[str, ...]
    began: dt.datetime
    ended: dt.datetime
    new: int = 0
    changed: int = 0
    same: int = 0
    duplicates: int = 0
    removed_earlier: int = 0
    renamed: int = 0
    undated: int = 0
    unnamed: int = 0
    problems: int = 0
    told: tuple[ReadProblem, ...] = ()
    passed: tuple[tuple[str, int], ...] = ()
    failure: str = ""
    process: int = dataclasses.field(default_factory=os.getpid)

    @property
    def name(self) -> str:
        """Return the name that it is kept under: of digits, "T", "." and "-"."""
        return f"{self.began:%Y%m%dT%H%M%S.%f}-{self.process}"


def begin(kind: str, named: Iterable[object], now: dt.datetime) -> Ingest:
    """Return the report of a run that has read nothing yet."""
    return Ingest(kind, _cut(named), now, now)


def filled(ingest: Ingest, intake: Intake, now: dt.datetime, failure: str = "") -> Ingest:
    """Return the report with what was read so far."""
    added = intake.added
    return dataclasses.replace(
        ingest,
        ended=now,
        **{name: getattr(added, name) for name in _COUNTS},
        undated=intake.undated,
        unnamed=intake.unnamed,
        problems=len(intake.problems),
        told=_shortened([*intake.problems, *intake.notes]),
        passed=tuple(intake.passed.most_common(_MOST_NAMED)),
        failure=failure[:_LONGEST],
    )


_COUNTS = ("new", "changed", "same", "duplicates", "removed_earlier", "renamed")


@contextmanager
def recorded(home: Path, ingest: Ingest, intake: Intake) -> Iterator[None]:
    """Keep the report of what is read inside, whatever ends it."""
    failure = ""
    try:
        yield
    except KeyboardInterrupt:
        failure = "Stopped."
        raise
    except (TanyaError, OSError) as error:
        failure = str(error)
        raise
    finally:
        keep(home, filled(ingest, intake, dt.datetime.now(dt.UTC), failure))


Note = Callable[["AddReport", Sequence[ReadProblem], str], None]
"""Takes what one pass of a watcher added and told, and what kept it from building, else ""."""


class Journal:
    """Keeps the report of a run that goes on; of what it told, the newest."""

    def __init__(self, home: Path, ingest: Ingest) -> None:
        self._home, self._ingest = home, ingest

    def note(self, added: AddReport, told: Sequence[ReadProblem], failure: str) -> None:
        """Add what a pass did; nothing is written of one that did nothing."""
        before = self._ingest
        counts = {name: getattr(before, name) + getattr(added, name) for name in _COUNTS}
        self._ingest = dataclasses.replace(
            before,
            **counts,
            problems=before.problems + sum(not problem.note for problem in told),
            told=(*before.told, *_shortened(told))[-MOST_TOLD:],
            failure=failure[:_LONGEST],
        )
        if self._ingest != before:
            self._ingest = dataclasses.replace(self._ingest, ended=dt.datetime.now(dt.UTC))
            keep(self._home, self._ingest)


def keep(home: Path, ingest: Ingest) -> None:
    """Write a report, in place of the one that the same run wrote before; old ones give way.

    A report that cannot be written stops nobody.
    """
    folder = home / FOLDER
    with suppress(OSError, InputError):
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / f"{ingest.name}.json") as file:
            json.dump(dataclasses.asdict(ingest), file, default=dt.datetime.isoformat)
        for path in _newest_first(folder)[KEPT:]:
            path.unlink()


def last(home: Path) -> list[Ingest]:
    """Return the reports that are kept, newest end first; what is no report is left out."""
    found = []
    for path in _newest_first(home / FOLDER):
        with suppress(OSError, ValueError, TypeError, KeyError):
            found.append(_of_row(json.loads(path.read_text(encoding="utf-8"))))
    return sorted(found, key=lambda ingest: ingest.ended, reverse=True)


def _of_row(row: dict[str, Any]) -> Ingest:
    """Return the report of a row; raises ValueError, TypeError or KeyError where it is none."""
    return Ingest(
        **{
            **row,
            "named": tuple(row["named"]),
            "began": dt.datetime.fromisoformat(row["began"]),
            "ended": dt.datetime.fromisoformat(row["ended"]),
            "told": tuple(ReadProblem(**each) for each in row["told"]),
            "passed": tuple((str(kind), int(count)) for kind, count in row["passed"]),
        }
    )


def _newest_first(folder: Path) -> list[Path]:
    times = {}
    for path in folder.glob("*.json"):
        # Another process may delete it meanwhile.
        with suppress(OSError):
            times[path] = path.stat().st_mtime_ns
    return sorted(times, key=lambda path: (times[path], path.name), reverse=True)


def _cut(named: Iterable[object]) -> tuple[str, ...]:
    names = [encodable(str(each))[:_LONGEST] for each in named]
    return tuple(names[:_MOST_NAMED])


def _shortened(told: Sequence[ReadProblem]) -> tuple[ReadProblem, ...]:
    return tuple(
        ReadProblem(encodable(p.place)[:_LONGEST], encodable(p.reason)[:_LONGEST], p.note)
        for p in told[:MOST_TOLD]
    )
