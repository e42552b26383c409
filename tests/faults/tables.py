"""What trials came to: told as they end, counted by their kinds in the end."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: `name` groups it, `outcome` says how it ended, `problems` are failures."""

    name: str
    seed: int
    what: str
    outcome: str
    problems: Sequence[str] = ()


@dataclass(slots=True)
class Table:
    """Trials counted by name and outcome."""

    title: str
    again: str
    trials: list[Trial] = field(default_factory=list)

    def run(self, trials: Iterable[Trial], until: float, *, quiet: bool = False) -> None:
        """Run trials to the end, or until a time; Ctrl-C ends them too. Each is told."""
        try:
            for trial in trials:
                self.trials.append(trial)
                if trial.problems or not quiet:
                    say(f"{trial.name} --seed {trial.seed}: {trial.what}: {trial.outcome}")
                for problem in trial.problems:
                    say(f"    FAILED {problem}")
                if time.monotonic() > until:
                    break
        except KeyboardInterrupt:
            say("Stopped; so far:")

    @property
    def failed(self) -> list[Trial]:
        """Return the trials that found something wrong."""
        return [trial for trial in self.trials if trial.problems]

    def show(self) -> int:
        """Print the table; return the exit status."""
        outcomes = sorted({trial.outcome for trial in self.trials})
        say("")
        say(f"{self.title:<44}{'tried':>7}{'failed':>8}  {'  '.join(outcomes)}")
        for name in sorted({trial.name for trial in self.trials}):
            mine = [trial for trial in self.trials if trial.name == name]
            self._line(name, mine, outcomes)
        self._line("all", self.trials, outcomes)
        for trial in self.failed:
            say(f"again: python -m {self.again} --only {trial.name!r} --seed {trial.seed}")
        return 1 if self.failed else 0

    def _line(self, name: str, mine: Sequence[Trial], outcomes: Sequence[str]) -> None:
        counts = Counter(trial.outcome for trial in mine)
        failed = sum(bool(trial.problems) for trial in mine)
        told = "  ".join(f"{counts[outcome] or '-':>{len(outcome)}}" for outcome in outcomes)
        say(f"{name:<44}{len(mine):>7}{failed:>8}  {told}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the command line asks for: seeds, names of trials, and a time by which to end."""

    seeds: range
    only: tuple[str, ...]
    until: float
    quiet: bool

    def takes(self, *names: str) -> bool:
        """Tell whether trials of one of these names are asked for."""
        return not self.only or any(name in self.only for name in names)


def arguments(described: str, seeds: int, given: Sequence[str] | None = None) -> Chosen:
    """Read the command line of a kind of trials; `seeds` is how many it runs if none are named."""
    parser = argparse.ArgumentParser(description=described)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--seeds", default=f"1-{seeds}", help="FIRST-LAST")
    parser.add_argument("--only", action="append", default=[], metavar="K", help="of this name")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--quiet", action="store_true", help="tell failures and the table alone")
    read = parser.parse_args(given)
    first, _, last = read.seeds.partition("-")
    wanted = range(int(first), int(last or first) + 1)
    if read.seed is not None:
        wanted = range(read.seed, read.seed + 1)
    return Chosen(wanted, tuple(read.only), time.monotonic() + 60 * read.minutes, read.quiet)
