"""Gates: nothing goes live that finds significantly less than what is live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval import compare, opening, runs
from eval import questions as sets
from eval.compare import Comparison
from eval.runs import Run
from index.errors import GateError, InputError, ModelError

if TYPE_CHECKING:
    from index.snapshot import SearchIndex
    from qa.chat import Chat

ALPHA = 0.05


def judge(base: Run, new: Run, measures: Sequence[str] = ()) -> list[Comparison]:
    """Compare two judged runs by these measures, by all of them if none is named.

    Raises InputError for a measure that does not apply to both runs.
    """
    found = {c.measure: c for c in compare.compare(base, new)}
    for name in measures:
        if name not in found:
            raise InputError(
                f"The measure {name!r} does not apply to both runs: choose from {', '.join(found)}."
            )
    return [c for name, c in found.items() if not measures or name in measures]


def line(c: Comparison, alpha: float = ALPHA) -> str:
    """Return the verdict on a measure, which is tested by itself at `alpha`, as one line."""
    verdict = "FELL" if c.fell(alpha) else "ok"
    return f"{c.measure:<12}{c.a:.4f} -> {c.b:.4f}  {c.b - c.a:+.4f}  p {c.p:.4f}  {verdict}"


def fallen(found: Sequence[Comparison], alpha: float = ALPHA) -> str:
    """Return the names of the measures that fell by more than chance."""
    return ", ".join(c.measure for c in found if c.fell(alpha))


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
        opening.require_same(asked, folder, base)
    for gap in opening.gaps(chat.home, asked):
        show(f"gate: {gap}")

    def search_all(name: str, index: SearchIndex | None) -> Run:
        rows = []
        for row in runs.ask(asked.questions, runs.searching(chat, runs.DEPTH, "", index)):
            rows.append(row)
            progress(name, len(rows), len(asked.questions))
        return runs.search_run(name, rows)

    def check(index: SearchIndex) -> None:
        if live is None and base is None:
            show("gate: this is the first version; there is nothing to compare it with.")
            return
        try:
            before = base or search_all("gate, live", None)
        except ModelError as error:
            raise InputError(
                "The live version cannot be searched with these settings' embedding model: with "
                f"the settings as they were, run `tanya eval run {folder} --out RUN`, then build "
                "with --gate-run RUN."
            ) from error
        after = search_all("gate, new", index)
        found = judge(runs.judge(asked, before), runs.judge(asked, after))
        for each in found:
            show(f"gate: {line(each)}")
        if names := fallen(found):
            raise GateError(
                f"The new version finds significantly less on {folder.name} ({names}): it was "
                f"discarded, version {live} stays live. See what changed, or build without --gate "
                "to make it live all the same."
            )

    return check
