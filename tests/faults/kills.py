"""Kills commands at random moments, and looks at the home that each leaves.

    python -m tests.faults.kills                     at length: a trial a seed, the commands in turn
    python -m tests.faults.kills --seed 7 --only K   one again

Whatever was killed: the home opens, nothing committed is lost, the live version is whole and the
one before or the new one, a question is answered, and the same command run again ends as if nothing
had happened, with nothing left over.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults import tables
from tests.faults.facts import Facts, facts
from tests.faults.forked import Ended, Moment, forked, load
from tests.faults.stages import Stage
from tests.faults.tables import Chosen, Trial

LEFTOVERS = frozenset({"versions/.new", "versions/prepared"})
"""What no build leaves, disturbed or not."""

Arguments = Callable[[Stage, Path], list[object]]
"""Returns a command line for a home."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A command that writes: the home that it starts from, and its command line.

    `again` tells whether it is to be run again where its work was done already; a build follows
    where `build`. Of a `heavy` one there are few trials.
    """

    name: str
    home: Callable[[Stage], Path]
    arguments: Arguments
    again: bool = True
    build: bool = True
    heavy: bool = False


def _waiting(stage: Stage) -> Path:
    return stage.waiting


def _built(stage: Stage) -> Path:
    return stage.built


DEEDS = (
    Deed("add", _built, lambda stage, home: ["add", stage.plain]),
    Deed("add gz", _built, lambda stage, home: ["add", stage.gzipped]),
    Deed("add zip", _built, lambda stage, home: ["add", stage.zipped]),
    Deed("add many", _built, lambda stage, home: ["add", stage.many]),
    Deed("remove", _built, lambda stage, home: ["remove", "--from-file", stage.ids, "--yes"]),
    Deed("build", _waiting, lambda stage, home: ["build"]),
    Deed("build full", _waiting, lambda stage, home: ["build", "--full"]),
    Deed("build shares", lambda stage: stage.shared, lambda stage, home: ["build"]),
    Deed("build workers", lambda stage: stage.crowded, lambda stage, home: ["build"], heavy=True),
    Deed("share", _waiting, lambda stage, home: ["build", "--shard", "1/1"]),
    Deed("watch", _built, lambda stage, home: ["watch", stage.many, "--once"]),
    Deed("rollback", _built, lambda stage, home: ["rollback"], again=False, build=False),
    Deed("prune", _built, lambda stage, home: ["prune", "--keep", "1"], build=False),
    Deed(
        "export",
        _built,
        lambda stage, home: ["export", "--out", stage.beside / "arsip.jsonl.gz"],
        build=False,
    ),
    Deed(
        "backup",
        _waiting,
        lambda stage, home: ["backup", stage.beside / "cadangan"],
        again=False,
    ),
    Deed("restore", _built, lambda stage, home: ["restore", stage.backup, "--force"]),
    Deed("doctor", lambda stage: stage.spoilt, lambda stage, home: ["doctor", "--repair"]),
    Deed("user add", _built, lambda stage, home: ["user", "add", "budi"], again=False, build=False),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a deed comes to that nothing disturbs, and how long it is, by each kind of moment."""

    before: Facts
    after: Facts
    final: Facts
    files: frozenset[str]
    ended: Ended
    largest: int


class Kills:
    """Trials on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._references: dict[str, Reference] = {}

    def reference(self, deed: Deed) -> Reference:
        """Run a deed undisturbed, once."""
        if deed.name not in self._references:
            home = self.stage.copy(deed.home(self.stage), "reference")
            self.stage.clear()
            before = self._facts(home, ask=True)
            arguments = deed.arguments(self.stage, home)
            ended = self.stage.done(home, *arguments)
            if ended.status:
                raise RuntimeError(f"{deed.name} failed: {ended.err}")
            sizes = [path.stat().st_size for path in home.rglob("*") if path.is_file()]
            after = self._facts(home)
            if deed.build:
                self.stage.must(home, "build")
            files, largest = self._kept(home), max([*sizes, 400_000])
            known = Reference(before, after, self._facts(home), files, ended, largest)
            self._references[deed.name] = known
        return self._references[deed.name]

    def _facts(self, home: Path, *, ask: bool = False) -> Facts:
        """Read a home in a process of its own; raises RuntimeError where that fails."""
        ended = forked(lambda: facts(home, ask=ask), self.stage.folder / "scratch")
        if not isinstance(ended.value, Facts):
            raise RuntimeError(f"the home cannot be read: {ended.last_words}")
        return ended.value

    def trial(self, deed: Deed, seed: int) -> Trial:
        """Kill a deed once, and look at what it leaves."""
        rng = random.Random(f"{deed.name} {seed}")
        known = self.reference(deed)
        moment = _moment(rng, known)
        home = self.stage.copy(deed.home(self.stage), "home")
        self.stage.clear()
        arguments = deed.arguments(self.stage, home)
        ended = self.stage.done(home, *arguments, moment=moment)
        outcome = "killed" if ended.killed else "stopped" if ended.status else "done"
        problems = list(_manners(ended, moment))
        try:
            problems += self._left(deed, home, known)
            problems += self._again(deed, home, known)
        except RuntimeError as error:
            problems.append(str(error))
        if moment.signal is not signal.SIGKILL:
            temporary = self.stage.folder / "scratch" / "tmp"
            problems += [
                f"left {path.name} in the temporary folder" for path in temporary.iterdir()
            ]
        return Trial(deed.name, seed, str(moment), outcome, problems)

    def _left(self, deed: Deed, home: Path, known: Reference) -> Iterator[str]:
        """Yield what is wrong with the home that a kill left."""
        found = self._facts(home, ask=True)
        if found.archived.whole != "ok":
            yield f"the archive is damaged: {found.archived.whole}"
        ends = known.before.archived, known.after.archived
        for article_id, fingerprint in ends[0].fingerprints.items():
            now = found.archived.fingerprints.get(article_id)
            if now != fingerprint and now != ends[1].fingerprints.get(article_id):
                yield f"article {article_id} is {now}"
        for article_id, fingerprint in found.archived.fingerprints.items():
            if fingerprint not in [end.fingerprints.get(article_id) for end in ends]:
                yield f"article {article_id} came from nowhere"
        if found.indexed is None:
            yield "there is no live version"
        elif found.indexed.trouble:
            yield f"the live version is not whole: {found.indexed.trouble}"
        else:
            lives = [end.indexed for end in (known.before, known.after) if end.indexed]
            # Where a restore has put the live version aside, it is said that another one answers.
            told = deed.name == "restore" and found.trouble
            if deed.name != "watch" and not told and found.indexed not in lives:
                yield f"the live version {found.indexed.name} is neither the old nor the new one"
        if found.answer != known.before.answer:
            yield f"the answer is {found.answer!r}, not {known.before.answer!r}"

    def _again(self, deed: Deed, home: Path, known: Reference) -> Iterator[str]:
        """Run the same command again, and build; yield what is not as it ends undisturbed."""
        if deed.again or not self._is_done(deed, home, known):
            # The clock is another one, so a removal that was done is done again.
            ended = self.stage.done(home, *deed.arguments(self.stage, home))
            if ended.status and not (deed.name == "remove" and "nothing was removed" in ended.err):
                yield f"run again it ends with {ended.status}: {ended.last_words}"
        if deed.build:
            self.stage.must(home, "build")
        found = self._facts(home)
        if found.archived != known.final.archived:
            yield f"the archive differs in {_differences(known.final, found)}"
        if found.indexed is None or known.final.indexed is None:
            yield "there is no live version in the end"
        elif found.indexed.trouble or found.indexed.found != known.final.indexed.found:
            yield f"searches find other passages in the end {found.indexed.trouble}"
        files = self._kept(home)
        gone = (name for name in known.files - files if name.startswith("beside "))
        yield from (f"not there in the end: {name}" for name in sorted(gone))
        left = (files - known.files) | (files & LEFTOVERS)
        yield from (f"left over: {name}" for name in sorted(left))

    def _is_done(self, deed: Deed, home: Path, known: Reference) -> bool:
        """Tell whether a command that cannot be done twice was done."""
        if deed.name == "backup":
            return (self.stage.beside / "cadangan").exists()
        if deed.name == "user add":
            return "budi" in self.stage.done(home, "user", "list").out
        return self._facts(home).indexed == known.after.indexed

    def _kept(self, home: Path) -> frozenset[str]:
        beside = {f"beside {path.name}" for path in self.stage.beside.iterdir()}
        return kept(home) | beside


def _moment(rng: random.Random, known: Reference) -> Moment:
    kind = rng.choice(("seconds", "step", "step", "byte"))
    if kind == "byte":
        return Moment(kind, int(rng.uniform(0.0, 1.1) ** 2 * known.largest))
    number = signal.SIGKILL
    if rng.random() < 0.25:
        # SQLite keeps what is raised while it tells of a statement, so no Ctrl-C at a step.
        number = signal.SIGINT if kind == "seconds" else signal.SIGTERM
    most = known.ended.seconds * 1.1 if kind == "seconds" else known.ended.steps - 1
    return Moment(kind, rng.uniform(0, most), number)


def _manners(ended: Ended, moment: Moment) -> Iterator[str]:
    if ended.hung:
        yield f"it hung: {ended.err[-2000:]}"
    elif "Traceback" in ended.err:
        yield f"a traceback: {ended.last_words}"
    elif ended.status > 0 and moment.signal is signal.SIGKILL:
        yield f"it failed by itself: {ended.last_words}"


def _differences(one: Facts, other: Facts) -> str:
    named = [n for n, h in one.archived.tables.items() if other.archived.tables[n] != h]
    return ", ".join(named) or "its articles"


def kept(home: Path) -> frozenset[str]:
    """Return the names of what stands in a home, but for the logs of open databases."""
    names = {path.name for path in home.iterdir()} | {
        f"versions/{path.name}" for path in (home / "versions").iterdir() if not path.name.isdigit()
    }
    parts = {path.relative_to(home).as_posix() for path in home.rglob("*.part")}
    # What a restore replaced is kept under the time of each.
    passing = ("-wal", "-shm"), "replaced-"
    return frozenset(
        n for n in names | parts if not n.endswith(passing[0]) and not n.startswith(passing[1])
    )


def trials(stage: Stage, chosen: Chosen) -> Iterator[Trial]:
    """Yield a trial for each seed, the commands in turn."""
    kills = Kills(stage)
    deeds = [deed for deed in DEEDS if chosen.takes(deed.name)]
    for seed in chosen.seeds:
        deed = deeds[seed % len(deeds)]
        if deed.heavy and len(deeds) > 1 and seed // len(deeds) % 4:
            continue
        yield kills.trial(deed, seed)


def main() -> int:
    """Run trials as the command line says; return the exit status."""
    chosen = tables.arguments(__doc__ or "", 300)
    load()
    with tempfile.TemporaryDirectory(prefix="tanya-faults-") as folder:
        table = tables.Table("kills of", "tests.faults.kills")
        table.run(trials(Stage(Path(folder)), chosen), chosen.until, quiet=chosen.quiet)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
