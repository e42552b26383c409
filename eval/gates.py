"""Gates: nothing goes live that finds significantly less than what is live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval import compare, runs
from eval import questions as sets
from eval.compare import Comparison
from eval.questions import Asked, QuestionSet
from eval.runs import Run
from index.archive import FILE_NAME, Archive
from index.errors import GateError, InputError, ModelError

if TYPE_CHECKING:
    from index.snapshot import SearchIndex
    from qa.chat import Chat

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """A measure of the new run against the base's, and whether it fell by more than chance."""

    comparison: Comparison
    fell: bool

    @property
    def line(self) -> str:
        """Return the verdict as one line."""
        c = self.comparison
        verdict = "FELL" if self.fell else "ok"
        return f"{c.measure:<12}{c.a:.4f} -> {c.b:.4f}  {c.b - c.a:+.4f}  p {c.p:.4f}  {verdict}"


def require_same(asked: QuestionSet | None, place: Path, *compared: Run) -> None:
    """Raise InputError unless these runs all asked the questions of the set in `place`.

    Without a set they must have asked the same.
    """
    for run in compared:
        if asked and not runs.is_of(run, asked):
            raise InputError(f"The run {run.name!r} asked other questions than {place} holds.")
    if len({run.provenance.set_hash for run in compared if run.provenance}) > 1:
        names = " and ".join(repr(run.name) for run in compared)
        raise InputError(f"The runs {names} asked other questions: make both of one set.")


def judge(base: Run, new: Run, measures: Sequence[str] = (), alpha: float = ALPHA) -> list[Verdict]:
    """Compare two judged runs by these measures, by all of them if none is named.

    Each measure is tested by itself at `alpha`. Raises InputError for a measure that does not apply
    to both runs.
    """
    found = {c.measure: c for c in compare.compare(base, new)}
    for name in measures:
        if name not in found:
            raise InputError(
                f"The measure {name!r} does not apply to both runs: choose from {', '.join(found)}."
            )
    return [Verdict(c, c.fell(alpha)) for n, c in found.items() if not measures or n in measures]


def fallen(verdicts: Sequence[Verdict]) -> str:
    """Return the names of the measures that fell."""
    return ", ".join(verdict.comparison.measure for verdict in verdicts if verdict.fell)


def check_build(
    chat: Chat,
    live: str | None,
    folder: Path,
    *,
    base: Run | None = None,
    show: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> Callable[[SearchIndex], None]:
    """Return the check of a build: the new version against the live one on the set in `folder`.

    `base` stands for the live version where its model is no longer the settings'. The check
    raises GateError if a measure fell significantly; `show` is given a line a measure. The first
    version has nothing to be compared with.
    """
    asked = sets.load(folder)
    if base is not None:
        require_same(asked, folder, base)
    with Archive.open(chat.home / FILE_NAME) as archive:
        for gap in sets.gaps(asked, archive.present(asked.wanted())):
            show(f"gate: {gap}")

    def search_all(name: str, index: SearchIndex | None) -> Run:
        rows = []
        every = [Asked(question) for question in asked.questions]
        for row in runs.ask(every, runs.searching(chat, runs.DEPTH, "", index)):
            rows.append(row)
            progress(name, len(rows), len(every))
        return runs.search_run(name, rows)

    def check(index: SearchIndex) -> None:
        if live is None and base is None:
            show("gate: this is the first version; there is nothing to compare it with.")
            return
        before = base or _of_live(lambda: search_all("gate, live", None), folder)
        after = search_all("gate, new", index)
        verdicts = judge(runs.judge(asked, before), runs.judge(asked, after))
        for verdict in verdicts:
            show(f"gate: {verdict.line}")
        if names := fallen(verdicts):
            raise GateError(
                f"The new version finds significantly less on {folder.name} ({names}): it was "
                f"discarded, version {live} stays live. See what changed, or build without --gate "
                "to make it live all the same."
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
