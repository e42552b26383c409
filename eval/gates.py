"""Gates: nothing goes live that finds significantly less than what is live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval import datasets, runs, scores
from eval.datasets import QuestionSet
from eval.runs import Measured, Run
from eval.scores import Comparison
from index.archive import FILE_NAME, Archive
from index.errors import GateError, InputError, ModelError

if TYPE_CHECKING:
    from index.snapshot import SearchIndex
    from qa.chat import Chat

ALPHA = 0.05
MEASURES = (*scores.MEASURES, *scores.ANSWERS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A measure of the new run against the base's, and whether it fell by more than chance."""

    comparison: Comparison
    fell: bool

    @property
    def line(self) -> str:
        """Return the verdict as one line."""
        c = self.comparison
        told = "FELL" if self.fell else "ok"
        return f"{c.measure:<12}{c.a:.4f} -> {c.b:.4f}  {c.b - c.a:+.4f}  p {c.p:.4f}  {told}"


def require_same(asked: QuestionSet, folder: Path, *compared: Run) -> None:
    """Raise InputError unless these runs all asked the questions of the set in `folder`."""
    for run in compared:
        if not runs.is_of(run, asked):
            raise InputError(f"The run {run.name!r} asked other questions than {folder} holds.")
    if len({run.provenance.set_hash for run in compared if run.provenance}) > 1:
        names = " and ".join(repr(run.name) for run in compared)
        raise InputError(f"The runs {names} asked other questions: make both of one set.")


def judge(
    base: Measured, new: Measured, measures: Sequence[str] = (), alpha: float = ALPHA
) -> list[Verdict]:
    """Compare two runs by these measures, by all of them if none is named.

    Each measure is tested by itself at `alpha`. Raises InputError for an unknown measure, and for
    one that does not apply to both runs.
    """
    for name in measures:
        if name not in MEASURES:
            raise InputError(f"There is no measure {name!r}: choose from {', '.join(MEASURES)}.")
    found = {c.measure: c for c in scores.compare(*runs.comparable(base, new))}
    for name in measures:
        if name not in found:
            raise InputError(
                f"{name} does not apply to both runs: it takes a set with answers and two runs of "
                "`tanya eval run`."
            )
    return [Verdict(c, c.fell(alpha)) for n, c in found.items() if not measures or n in measures]


def check_build(
    chat: Chat,
    live: str | None,
    folder: Path,
    *,
    base: Run | None = None,
    tell: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> Callable[[SearchIndex], None]:
    """Return the check of a build: the new version against the live one on the set in `folder`.

    `base` stands for the live version where its model is no longer the settings'. The check
    raises GateError if a measure fell significantly; `tell` is given a line a measure. The first
    version has nothing to be compared with.
    """
    asked = datasets.load(folder)
    if base is not None:
        require_same(asked, folder, base)
    with Archive.open(chat.home / FILE_NAME) as archive:
        for gap in datasets.gaps(asked, archive.present(asked.wanted())):
            tell(f"gate: {gap}")

    def search_all(name: str, index: SearchIndex | None) -> Run:
        search = runs.searcher(chat, runs.DEPTH, "", index)
        return runs.made(
            name,
            runs.execute(asked.questions, search, lambda n, total: progress(name, n, total)),
        )

    def check(index: SearchIndex) -> None:
        if live is None and base is None:
            tell("gate: this is the first version; there is nothing to compare it with.")
            return
        before = base or _of_live(lambda: search_all("gate, live", None), folder)
        after = search_all("gate, new", index)
        verdicts = judge(runs.measure(asked, before), runs.measure(asked, after))
        for verdict in verdicts:
            tell(f"gate: {verdict.line}")
        fallen = [v.comparison.measure for v in verdicts if v.fell]
        if fallen:
            raise GateError(
                f"The new version finds significantly less on {folder.name} "
                f"({', '.join(fallen)}): it was discarded, version {live} stays live. See what "
                "changed, or build without --gate to make it live all the same."
            )

    return check


def _of_live(search_all: Callable[[], Run], folder: Path) -> Run:
    try:
        return search_all()
    except ModelError as error:
        raise InputError(
            "The live version cannot be searched with these settings' embedding model: with the "
            f"settings as they were, run `tanya eval run {folder} --out RUN`, then build with "
            "--gate-run RUN."
        ) from error
