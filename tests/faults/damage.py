"""Damages each file of a home in each way, and looks at what people are then shown.

    python -m tests.faults.damage                       each file in each way, places by seed
    python -m tests.faults.damage --seed 7 --only K     one file or one way again

What is shown must be right, or it is said what is wrong: by the command in one sentence, or by
`tanya doctor`. Other results without a word, a traceback and a hang are failures.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from commands.main import app as tanya
from index import settings
from index.archive import FILE_NAME
from index.errors import TanyaError
from index.versions import LIVE
from page import texts
from qa.chat import Chat
from qa.history import History
from tests import homes
from tests.faults import facts, tables
from tests.faults.forked import forked, load
from tests.faults.stages import Stage
from tests.faults.tables import Chosen, Trial
from web.answering import Answering

LOG = f"{FILE_NAME}-wal"

Way = Callable[[Path, bytes, random.Random], None]
"""Damages a file in place; its bytes come along."""


def _cut(share: float) -> Way:
    return lambda file, held, rng: _write(file, held[: min(len(held) - 1, int(len(held) * share))])


def _flipped(count: int) -> Way:
    def flip(file: Path, held: bytes, rng: random.Random) -> None:
        spoilt = bytearray(held)
        for _ in range(count):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        _write(file, spoilt)

    return flip


def _write(file: Path, content: bytes | bytearray) -> None:
    # In place: versions that share the file share the damage.
    with file.open("r+b") as opened:
        opened.write(content)
        opened.truncate()


def _as_folder(file: Path, held: bytes, rng: random.Random) -> None:
    file.unlink()
    file.mkdir()


def _swapped(file: Path, held: bytes, rng: random.Random) -> None:
    """Put another version's file of the same name in its place, cut or filled to the same size."""
    versions = next((p for p in file.parents if p.name == "versions"), file.parent)
    others = [p for p in sorted(versions.rglob(f"*{file.suffix}")) if p.is_file()]
    same_name = [p for p in others if p.name == file.name or not file.suffix.startswith(".db")]
    other = next((p for p in same_name if p.read_bytes() != held), None)
    content = other.read_bytes() if other else held[::-1]
    _write(file, (content + bytes(len(held)))[: len(held)])


_AS_NEW = {
    (settings.FILE_NAME, "missing"),
    (settings.FILE_NAME, "emptied"),
    ("users.db", "missing"),
}
"""As in a home that never had it: the defaults hold, and nobody comes in."""

WAYS: Mapping[str, Way] = {
    "truncated to a third": _cut(1 / 3),
    "truncated by a byte": _cut(1.0),
    "one flip": _flipped(1),
    "64 flips": _flipped(64),
    "emptied": lambda file, held, rng: _write(file, b""),
    "missing": lambda file, held, rng: file.unlink(),
    "a folder": _as_folder,
    "swapped": _swapped,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What one door showed: its exit status, what it printed, and what it let through."""

    status: int
    shown: Any
    told: str = ""
    fault: str = ""


_READS = ("search", "ask", "page", "status", "feedback", "user", "all")


def probed(home: Path) -> dict[str, Step]:
    """Use a home by every door; return what each showed."""
    steps = {
        "search": lambda: _command(home, "search", facts.QUESTIONS[1], "--json"),
        "ask": lambda: _command(home, "ask", facts.ASKED),
        "page": lambda: _page(home),
        "status": lambda: _command(home, "status"),
        "feedback": lambda: _command(home, "feedback"),
        "user": lambda: _command(home, "user", "list"),
        "all": lambda: _all(home),
        "doctor": lambda: _command(home, "doctor"),
        "listed": lambda: Step(0, _names(home)),
        "build": lambda: _command(home, "build"),
        "all built": lambda: _all(home),
        "doctor built": lambda: _command(home, "doctor"),
    }
    found = {}
    for name, step in steps.items():
        if name.startswith("doctor") and not _has_doctor():
            continue
        try:
            found[name] = step()
        except BaseException as error:
            found[name] = Step(-1, None, fault=f"{type(error).__name__}: {str(error)[:300]}")
    return found


def _has_doctor() -> bool:
    return any(each.callback.__name__ == "doctor" for each in tanya.registered_commands)


def _command(home: Path, *arguments: object) -> Step:
    ended = homes.tell(home, *arguments)
    fault = "Traceback" in ended.stderr or "Unexpected error" in ended.stderr
    told = ended.stderr.strip() if ended.returncode or arguments[0] != "build" else ""
    if ended.returncode and not told and arguments[0] != "doctor":
        return Step(ended.returncode, None, fault="it failed without a word")
    if ended.returncode and arguments[0] == "doctor":
        told = told or ended.stdout.strip()
    return Step(ended.returncode, ended.stdout, told, told if fault else "")


def _page(home: Path) -> Step:
    """Ask as the page does."""
    try:
        chat = Chat.open(home)
    except TanyaError as error:
        return Step(1, None, str(error))
    history = History.of(home)
    last = facts.asked_on_page(Answering(chat, history))
    history.close()
    failed = texts.NOT_ANSWERED in last
    return Step(int(failed), failed, last[:300] if failed else "")


def _all(home: Path) -> Step:
    """Read everything that a home holds, as the chat does."""
    try:
        index = Chat.open(home).index()
        indexed = facts.version_facts(index, index.version.name)
    except TanyaError as error:
        return Step(1, None, str(error))
    return Step(0, (indexed, _archive(home)))


def _archive(home: Path) -> facts.Archived | None:
    """Read the archive; None where nobody can."""
    with suppress(sqlite3.Error):
        return facts.archived(home)
    return None


def _names(home: Path) -> tuple[str, ...]:
    """Return the files that are in a home, but for those that any look at it may leave."""
    names = (path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    return tuple(sorted(n for n in names if not n.endswith((".lock", "-shm", "-wal"))))


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of a home, damaged in one way."""

    file: str
    way: str

    @property
    def kind(self) -> str:
        """Return what sort of file it is, whichever version and segment it belongs to."""
        name = Path(self.file)
        if "lexical" in name.parts and name.suffix != ".json":
            return f"lexical/*{name.suffix}"
        return "/".join(part for part in name.parts[:-1] if not part.isdigit()) + (
            f"/{name.name}" if len(name.parts) > 1 else name.name
        )


class Damage:
    """Trials on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.home = stage.furnished
        copy = stage.copy(self.home, "reference")
        self._right = self._probed(copy)
        copy = stage.copy(self.home, "reference")
        (copy / LOG).unlink()
        self._without_log = forked(lambda: _archive(copy), stage.folder / "scratch").value
        # Removed articles count in scores until the build that makes everything anew.
        copy = stage.copy(self.home, "reference")
        stage.must(copy, "build", "--full")
        anew = forked(lambda: _all(copy), stage.folder / "scratch").value
        self._whole = [self._right["all built"].shown[0].found, anew.shown[0].found]

    @cached_property
    def _earlier(self) -> list[facts.Indexed]:
        """Return what each version before the live one finds: it may be served in its place."""
        found = []
        for version in sorted((self.home / "versions").glob("0*"))[:-1]:
            copy = self.stage.copy(self.home, "reference")
            (copy / "versions" / LIVE).write_text(version.name)
            shown = forked(lambda home=copy: _all(home), self.stage.folder / "scratch").value.shown
            found.append(shown[0])
        return found

    def _probed(self, home: Path) -> dict[str, Step]:
        ended = forked(lambda: probed(home), self.stage.folder / "scratch")
        if ended.value is None:
            how = "hung" if ended.hung else f"ended with {ended.status}"
            return {"process": Step(ended.status, None, fault=f"{how}: {ended.err[-1500:]}")}
        return dict(ended.value)

    def faults(self) -> list[Fault]:
        """Return every file in every way."""
        live = (self.home / "versions" / LIVE).read_text().strip()
        files = []
        for path in sorted(self.home.rglob("*")):
            name = path.relative_to(self.home)
            of_version = name.parts[0] == "versions" and len(name.parts) > 2
            if path.is_file() and not path.name.endswith(".lock") and name.suffix != ".db-shm":
                if name.parts[0] != "reports" and (not of_version or name.parts[1] == live):
                    files.append(name.as_posix())
        return [
            Fault(file, way)
            for file in files
            for way in WAYS
            if (self.home / file).stat().st_size or way in ("missing", "a folder")
        ]

    def trial(self, fault: Fault, seed: int) -> Trial:
        """Damage a file once, and look at what every door shows."""
        home = self.stage.copy(self.home, "home")
        file = home / fault.file
        WAYS[fault.way](file, file.read_bytes(), random.Random(f"{fault.file} {fault.way} {seed}"))
        steps = self._probed(home)
        outcome, problems = self._judged(fault, steps)
        if outcome != "harmless" and fault.file.startswith("versions/"):
            outcome, more = self._mended(home, outcome)
            problems += more
        name = f"{fault.kind} {fault.way}"
        return Trial(name, seed, fault.file, "FAILED" if problems else outcome, problems)

    def _judged(self, fault: Fault, steps: Mapping[str, Step]) -> tuple[str, list[str]]:
        problems = [f"{name}: {step.fault}" for name, step in steps.items() if step.fault]
        if "process" in steps:
            return "FAILED", problems
        told = [name for name, step in steps.items() if step.status]
        if fault.file == LOG and self._is_without_log(steps):
            # SQLite takes a log to its last whole transaction, and cannot know of more.
            return "as before the log", problems
        if (fault.file, fault.way) in _AS_NEW:
            return "as new", problems
        before = {
            name: self._same(name, steps) for name in ("search", "ask", "page", "user", "all")
        }
        wrong = [name for name, same in before.items() if not same and not steps[name].status]
        doctor = steps.get("doctor", Step(0, None))
        if wrong and not doctor.status:
            problems.append(f"SILENT: {', '.join(wrong)} shows other results without a word")
        built = steps["build"].status or self._same("all built", steps)
        after = steps.get("doctor built", Step(0, None))
        if not (built or after.status or steps["all built"].status):
            what = _what(steps, self._right)
            problems.append(f"SILENT: the version built upon it is another one{what}")
        missing = {fault.file} & set(steps["listed"].shown or ())
        if fault.way == "missing" and missing and FILE_NAME in fault.file:
            problems.append(f"reading made {fault.file}")
        shown = steps["all"].shown
        served = not before["all"] and shown and shown[0] in self._earlier
        if served:
            return "served", problems
        if any(name in told for name in _READS):
            return "told", problems
        if told:
            return "told later", problems
        return "harmless", problems

    def _same(self, name: str, steps: Mapping[str, Step]) -> bool:
        mine, right = steps[name].shown, self._right[name].shown
        # An archive that nobody can read is told of by what must read it.
        if name.startswith("all") and mine and mine[1] is None:
            return bool(mine[0] == right[0])
        return bool(mine == right)

    def _is_without_log(self, steps: Mapping[str, Step]) -> bool:
        shown = steps["all"].shown
        return bool(shown and shown[1] == self._without_log)

    def _mended(self, home: Path, outcome: str) -> tuple[str, list[str]]:
        """Do what doctor or the messages say; tell what comes of it."""

        def job() -> bool:
            if _has_doctor():
                homes.tell(home, "doctor", "--repair")
                homes.tell(home, "build")
            else:
                homes.tell(home, "build", "--full")
            mine = _all(home).shown
            return bool(mine and mine[0].found in self._whole and not mine[0].trouble)

        ended = forked(job, self.stage.folder / "scratch")
        if ended.value:
            return f"{outcome}, mended", []
        return outcome, [f"it cannot be mended: {ended.last_words}"]


def _what(steps: Mapping[str, Step], right: Mapping[str, Step]) -> str:
    mine, wanted = steps["all built"].shown, right["all built"].shown
    if not mine:
        return ""
    names = [
        n
        for n in ("name", "articles", "found", "told", "trouble")
        if getattr(mine[0], n) != getattr(wanted[0], n)
    ]
    return f" ({', '.join(names) or 'in the archive'})"


def trials(stage: Stage, chosen: Chosen) -> Iterator[Trial]:
    """Yield a trial for each fault and seed; what is not random is tried once."""
    damage = Damage(stage)
    for seed in chosen.seeds:
        for fault in damage.faults():
            if seed != chosen.seeds[0] and "flip" not in fault.way:
                continue
            if chosen.takes(fault.kind, fault.way, f"{fault.kind} {fault.way}"):
                yield damage.trial(fault, seed)


def few(stage: Stage, names: Sequence[str]) -> Iterator[Trial]:
    """Yield a trial of each of these names."""
    damage = Damage(stage)
    faults = {f"{fault.kind} {fault.way}": fault for fault in damage.faults()}
    for name in names:
        yield damage.trial(faults[name], 1)


def main() -> int:
    """Run trials as the command line says; return the exit status."""
    chosen = tables.arguments(__doc__ or "", 3)
    load()
    with tempfile.TemporaryDirectory(prefix="tanya-faults-") as folder:
        table = tables.Table("damage of", "tests.faults.damage")
        table.run(trials(Stage(Path(folder)), chosen), chosen.until, quiet=chosen.quiet)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
