"""Asks a home without a pause while its versions are built, rolled back and pruned.

    python -m tests.faults.readers

An answer is torn if it holds what no one version says: everything that is found must be what its
version, by its name, finds in every other answer too.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.errors import IndexDamagedError, TanyaError
from qa.chat import Chat
from tests import news
from tests.faults import facts, tables
from tests.faults.forked import Running, load
from tests.faults.stages import Stage
from tests.faults.tables import Chosen, Trial
from tests.homes import quotes_hold

_LIMIT = 300.0
_ASKED_EACH = 5
"""So many searches of everything come to a question that is read."""


_CHANGES: tuple[Callable[[Stage], list[object]], ...] = (
    lambda stage: ["build"],
    lambda stage: ["build"],
    lambda stage: ["build", "--full"],
    lambda stage: ["rollback"],
    lambda stage: ["prune"],
    lambda stage: ["restore", stage.backup, "--force"],
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a process that asks saw: for each version all that was found, and what went wrong."""

    found: dict[str, set[tuple[object, ...]]]
    asked: int
    problems: list[str]


def asking(home: Path, stop: Path, threads: int = 3) -> Read:
    """Ask from several threads until a file stands there."""
    chat = Chat.open(home)
    read = Read({}, 0, [])
    lock = threading.Lock()
    counted = [0]

    def ask(number: int) -> None:
        rng = random.Random(number)
        while not stop.exists():
            try:
                if (seen := _seen(chat)) is None:
                    continue
                if not rng.randrange(_ASKED_EACH):
                    turn = chat.ask(facts.ASKED)
                    quotes_hold(chat, turn.answer)
                    if turn.answer.status != "answered":
                        read.problems.append(f"a question was {turn.answer.status}")
            except (AssertionError, TanyaError, OSError, ValueError) as error:
                read.problems.append(f"{type(error).__name__}: {error}")
                continue
            with lock:
                counted[0] += 1
                value = (seen.articles, seen.found, seen.told, seen.trouble)
                read.found.setdefault(seen.name, set()).add(value)

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if chat.index().version != Chat.open(home).index().version:
        read.problems.append("what was opened long ago answers by another version than is live")
    return Read(read.found, counted[0], sorted(set(read.problems)))


def _seen(chat: Chat) -> facts.Indexed | None:
    """Search a version for everything; None if it was taken away meanwhile."""
    index = chat.index()
    # A build after a restore takes a number again.
    name = f"{index.version.name} of {index.version.built}"
    try:
        return facts.version_facts(index, name)
    except IndexDamagedError:
        if chat.index() is index:
            raise
    return None


def trials(stage: Stage, chosen: Chosen, rounds: int = 8) -> Iterator[Trial]:
    """Yield a trial for each seed: a home that is changed `rounds` times while it is asked."""
    for seed in chosen.seeds:
        if chosen.takes("readers"):
            yield _trial(stage, seed, rounds)


def _trial(stage: Stage, seed: int, rounds: int) -> Trial:
    rng = random.Random(f"readers {seed}")
    home = stage.copy(stage.waiting, "home")
    stop = stage.folder / "stop"
    stop.unlink(missing_ok=True)
    running = Running(lambda: asking(home, stop), stage.folder / "readers", None, _LIMIT)
    problems, done = [], []
    for number in range(rounds):
        what = rng.choice(_CHANGES)(stage)
        if what == ["build"]:
            stage.add(home, [news.article(9000 + 10 * number + n) for n in range(4)])
        ended = stage.done(home, *what)
        done.append(str(what[0]))
        if ended.status and "no version before" not in ended.err:
            problems.append(f"{what} ended with {ended.status}: {ended.last_words}")
    stop.write_text("")
    ended = running.ended()
    read: Read | None = ended.value
    if read is None:
        return Trial("readers", seed, ", ".join(done), "FAILED", [f"it ended: {ended.last_words}"])
    problems += read.problems
    for name, values in read.found.items():
        if len(values) > 1:
            problems.append(f"version {name} found {len(values)} different things")
        problems += [f"version {name}: {trouble}" for *_, trouble in values if trouble]
    what = f"{read.asked} answers of {len(read.found)} versions; {', '.join(done)}"
    return Trial("readers", seed, what, "FAILED" if problems else "none torn", problems)


def main() -> int:
    """Run trials as the command line says; return the exit status."""
    chosen = tables.arguments(__doc__ or "", 10)
    load()
    with tempfile.TemporaryDirectory(prefix="tanya-faults-") as folder:
        table = tables.Table("answers while versions change", "tests.faults.readers")
        table.run(trials(Stage(Path(folder)), chosen), chosen.until, quiet=chosen.quiet)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
