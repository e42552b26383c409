"""Lets the disk run full under commands, and asks a home that cannot be written.

    python -m tests.faults.disk          needs `unshare` and `mount`, for a disk of its own

A full disk is told as that, nothing is lost, and when there is room again the same command ends as
if nothing had happened. A home that cannot be written is read like any other.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from page import texts
from qa.chat import Chat
from qa.history import History
from tests import homes
from tests.faults import facts, tables
from tests.faults.facts import Facts, Indexed
from tests.faults.forked import forked, load
from tests.faults.kills import LEFTOVERS, kept
from tests.faults.stages import Stage
from tests.faults.tables import Chosen, Trial
from web.answering import Answering

_INSIDE = "TANYA_FAULTS_DISK"
_ROOM = 256_000_000
_DONE = ("nothing was removed", "There is already")
"""Words of a command that was done before the disk was full."""

_UNTRUE = ("damaged", "Restore", "restore it", "Unexpected", "Traceback", "None.", "build --full")
"""Words that are not true of a full disk or of one that cannot be written."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A command on a disk that runs full: the home that it starts from, and its arguments."""

    name: str
    home: Callable[[Stage], Path]
    arguments: Callable[[Stage, Path], Sequence[object]]


DEEDS = (
    Deed("add", lambda stage: stage.built, lambda stage, disk: ["add", stage.plain]),
    Deed("build", lambda stage: stage.waiting, lambda stage, disk: ["build"]),
    Deed("build full", lambda stage: stage.waiting, lambda stage, disk: ["build", "--full"]),
    Deed("watch", lambda stage: stage.built, lambda stage, disk: ["watch", stage.many, "--once"]),
    Deed(
        "remove",
        lambda stage: stage.built,
        lambda stage, disk: ["remove", "--from-file", stage.ids, "--yes"],
    ),
    Deed(
        "export",
        lambda stage: stage.built,
        lambda stage, disk: ["export", "--out", disk / "arsip.jsonl"],
    ),
    Deed("backup", lambda stage: stage.waiting, lambda stage, disk: ["backup", disk / "cadangan"]),
)
_READS = (["search", facts.QUESTIONS[1], "--json"], ["ask", facts.ASKED], ["status", "--json"])
_WRITES = (["add"], ["build"], ["rollback"], ["prune"], ["remove", "a7"], ["watch"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did on a full disk, and what was there then and after there was room."""

    status: int
    told: str
    full: tuple[Indexed | None, str]
    again: int
    words: str
    final: Facts
    left: frozenset[str]


def mounted(disk: Path, size: int) -> None:
    """Mount an empty disk of so many bytes."""
    disk.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    subprocess.run(["mount", *options], check=True, capture_output=True)


def _resized(disk: Path, size: int) -> None:
    options = ["-o", f"remount,size={size}", str(disk)]
    subprocess.run(["mount", *options], check=True, capture_output=True)


def _unmounted(disk: Path) -> None:
    subprocess.run(["umount", "-l", str(disk)], check=True, capture_output=True)


class Disks:
    """Trials on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.disk = stage.folder / "disk"
        self._references: dict[str, tuple[Facts, Facts, int]] = {}

    def full(self, deed: Deed, seed: int) -> Trial:
        """Run a command on a disk with too little room, then with enough."""
        rng = random.Random(f"disk {deed.name} {seed}")
        before, final, grows = self._reference(deed)
        room = int(rng.uniform(0, 1.1) ** 2 * grows) // 4096 * 4096
        source = deed.home(self.stage)
        mounted(self.disk, _ROOM)
        try:
            home = self.disk / "home"
            shutil.copytree(source, home)
            used = shutil.disk_usage(self.disk).used
            _resized(self.disk, used + room)
            ended = forked(lambda: self._filled(deed, home), self.stage.folder / "scratch")
        finally:
            _unmounted(self.disk)
        name, what = f"full disk: {deed.name}", f"{room:,} of {grows:,} bytes"
        if not isinstance(ended.value, Outcome):
            return Trial(name, seed, what, "FAILED", [f"it failed: {ended.last_words}"])
        found: Outcome = ended.value
        problems = list(_wrong(found, before, final))
        return Trial(name, seed, what, "told" if found.status else "fitted", problems)

    def _filled(self, deed: Deed, home: Path) -> Outcome:
        told = homes.tell(home, *deed.arguments(self.stage, home.parent))
        full = facts.searched(home)[0], facts.answer(home)
        _resized(self.disk, _ROOM)
        again = homes.tell(home, *deed.arguments(self.stage, home.parent))
        homes.tell(home, "build")
        final = facts.facts(home, ask=False)
        left = kept(home) & LEFTOVERS
        words = told.stderr.strip()
        return Outcome(told.returncode, words, full, again.returncode, again.stderr, final, left)

    def _reference(self, deed: Deed) -> tuple[Facts, Facts, int]:
        """Return a home before and after a command with room enough, and the room that it takes."""
        if deed.name not in self._references:
            mounted(self.disk, _ROOM)
            try:
                home = self.disk / "home"
                shutil.copytree(deed.home(self.stage), home)
                before = forked(lambda: facts.facts(home, ask=True), self.stage.folder / "scratch")
                used = shutil.disk_usage(self.disk).used
                self.stage.must(home, *deed.arguments(self.stage, home.parent))
                grown = shutil.disk_usage(self.disk).used - used
                self.stage.must(home, "build")
                final = forked(lambda: facts.facts(home, ask=False), self.stage.folder / "scratch")
            finally:
                _unmounted(self.disk)
            self._references[deed.name] = before.value, final.value, max(grown, 400_000)
        return self._references[deed.name]

    def chat(self, seed: int) -> Trial:
        """Ask as the page does while conversations cannot be kept, then while they can."""
        room = random.Random(f"chat {seed}").randrange(0, 30) * 4096
        mounted(self.disk, _ROOM)
        try:
            home = self.disk / "home"
            shutil.copytree(self.stage.built, home)
            _resized(self.disk, shutil.disk_usage(self.disk).used + room)

            def job() -> list[str]:
                with closing(History.of(home)) as history:
                    answering = Answering(Chat.open(home), history)
                    shown = [facts.asked_on_page(answering) for _ in range(3)]
                _resized(self.disk, _ROOM)
                with closing(History.of(home)) as history:
                    shown.append(facts.asked_on_page(Answering(Chat.open(home), history)))
                    if not any(kept.turn for kept in history.all_turns()):
                        shown.append(texts.NOT_ANSWERED)
                return shown

            ended = forked(job, self.stage.folder / "scratch")
        finally:
            _unmounted(self.disk)
        wrong = ended.value is None or any(texts.NOT_ANSWERED in each for each in ended.value)
        problems = [f"a question is not answered, or not kept: {ended.last_words}"] if wrong else []
        return Trial("full disk: chat", seed, f"{room:,} bytes", "answered", problems)

    def read_only(self) -> Trial:
        """Use a home that cannot be written by every command."""
        home = self.stage.copy(self.stage.furnished, "home")

        def steps() -> list[subprocess.CompletedProcess[str]]:
            news = self.stage.plain
            more = {"add": [news], "watch": [news.parent, "--once"]}
            writes = [[*each, *more.get(each[0], [])] for each in _WRITES]
            return [homes.tell(home, *each) for each in (*_READS, *writes)]

        right = forked(steps, self.stage.folder / "scratch").value
        home = self.stage.copy(self.stage.furnished, "home")
        subprocess.run(["mount", "--bind", str(home), str(home)], check=True)
        try:
            options = ["-o", "remount,ro,bind", str(home)]
            subprocess.run(["mount", *options], check=True)
            ended = forked(steps, self.stage.folder / "scratch")
        finally:
            _unmounted(home)
        problems = list(_wrong_unwritten(ended.value or [], right))
        return Trial("read-only home", 1, "every command", "told", problems)


def _wrong(found: Outcome, before: Facts, final: Facts) -> Iterator[str]:
    if found.status:
        yield from _wrong_words(found, before)
    if found.full[1] != before.answer:
        yield f"on the full disk the answer is {found.full[1]!r}"
    if found.again and not any(words in found.words for words in _DONE):
        yield f"run again it ends with {found.again}: {found.words}"
    if found.final.archived != final.archived:
        yield "the archive is another one in the end"
    if found.final.indexed is None or final.indexed is None:
        yield "there is no version in the end"
    elif found.final.indexed.trouble or found.final.indexed.found != final.indexed.found:
        yield f"searches find other passages in the end {found.final.indexed.trouble}"
    yield from (f"left over: {name}" for name in found.left)


def _wrong_words(found: Outcome, before: Facts) -> Iterator[str]:
    if "full" not in found.told:
        yield f"it does not say that the disk is full: {found.told}"
    for words in _UNTRUE:
        if words in found.told:
            yield f"it says {words!r}: {found.told}"
    if found.full[0] != before.indexed:
        yield f"on the full disk version {found.full[0] and found.full[0].name} answers"


def _wrong_unwritten(
    found: Sequence[subprocess.CompletedProcess[str]],
    right: Sequence[subprocess.CompletedProcess[str]],
) -> Iterator[str]:
    if len(found) != len(right):
        yield "a command broke off"
    for mine, usual in zip(found, right, strict=False):
        named = " ".join(mine.args[2:4])
        if len(mine.args) and mine.args[2] in ("search", "ask", "status"):
            if mine.returncode or (mine.args[2] != "status" and mine.stdout != usual.stdout):
                yield f"{named} ends with {mine.returncode}: {mine.stderr.strip()}"
        elif not mine.returncode:
            yield f"{named} says that it was done: {mine.stdout.strip()}"
        else:
            for words in _UNTRUE:
                if words in mine.stderr:
                    yield f"{named} says {words!r}: {mine.stderr.strip()}"


def trials(stage: Stage, chosen: Chosen) -> Iterator[Trial]:
    """Yield the trial of a home that cannot be written, then one for each seed and command."""
    disks = Disks(stage)
    if chosen.takes("read-only home"):
        yield disks.read_only()
    for seed in chosen.seeds:
        if chosen.takes("full disk: chat"):
            yield disks.chat(seed)
        for deed in DEEDS:
            if chosen.takes(f"full disk: {deed.name}"):
                yield disks.full(deed, seed)


def refused(module: str) -> str:
    """Begin a module anew where it may mount disks of its own; return why that cannot be.

    There "" is returned. The mounts go with the process.
    """
    if os.environ.get(_INSIDE):
        return ""
    tried = subprocess.run(["unshare", "-rm", "true"], capture_output=True, text=True)
    if tried.returncode:
        return f"no disk of its own can be mounted ({tried.stderr.strip()})"
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-rm", sys.executable, "-m", module, *sys.argv[1:]])


def main() -> int:
    """Run trials as the command line says; return the exit status."""
    if reason := refused("tests.faults.disk"):
        tables.say(f"skipped: {reason}")
        return 0
    chosen = tables.arguments(__doc__ or "", 10)
    load()
    with tempfile.TemporaryDirectory(prefix="tanya-faults-") as folder:
        table = tables.Table("disks", "tests.faults.disk")
        table.run(trials(Stage(Path(folder)), chosen), chosen.until, quiet=chosen.quiet)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
