"""Opens what a command names: sets, runs, the home's articles; notes what cannot be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eval import compare, runs
from eval import questions as sets
from eval.questions import QuestionSet, Relevant
from eval.runs import Run, TextsOf
from index.archive import FILE_NAME
from index.errors import InputError
from index.home import open_archive

Note = Callable[[str], None]
"""Is given what a person should know of figures, a sentence a call."""


def are_answers(paths: Sequence[Path]) -> bool:
    """Tell whether all paths are folders of answers; raises InputError if only some are."""
    ours = [runs.is_answers(path) for path in paths]
    if any(ours) and not all(ours):
        other = paths[ours.index(False)]
        raise InputError(f"{other} holds no answers: name folders that `tanya eval answers` wrote.")
    return all(ours)


def judged(
    home: Path, place: Path, paths: Sequence[Path], note: Note, *, same: bool = False
) -> tuple[QuestionSet, list[Run]]:
    """Read the set in `place` and searches, and judge them; notes what cannot be measured.

    A run that asked other questions is noted; where they must be the `same`, InputError is raised.
    """
    asked = sets.load_judged(place)
    loaded = [runs.load(path) for path in paths]
    if same:
        require_same(asked, place, *loaded)
    for gap in sets.gaps(asked):
        note(gap)
    for run in loaded:
        if not runs.is_of(run, asked):
            note(f"{run.name} asked other questions than {place} holds.")
        if missing := runs.without_results(run, asked):
            verb, total = "has" if missing == 1 else "have", len(asked.relevant)
            note(f"{missing:,} of {total:,} questions {verb} no result in {run.name}.")
    texts = field_of(home, "body")
    return asked, [runs.judge(asked, run, texts) for run in loaded]


def two(home: Path, paths: Sequence[Path], note: Note, *, same: bool = False) -> list[Run]:
    """Return the last two of the paths as runs to compare; the first is the set of searches.

    Notes what is compared of them, raises InputError if nothing can be.
    """
    if are_answers(paths[-2:]):
        found = [runs.load(path) for path in paths[-2:]]
        if same:
            require_same(None, paths[0], *found)
    else:
        _, found = judged(home, paths[0], paths[-2:], note, same=same)
    a, b = found
    both = len(compare.paired(a, b))
    if not both:
        raise InputError(f"{a.name} and {b.name} have no question in common.")
    if both < max(len(a.questions), len(b.questions)):
        note(f"compared are the {both:,} questions that both asked.")
    if uneven := compare.unevenness(a, b):
        note(uneven)
    return found


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


def gaps(home: Path, asked: QuestionSet) -> list[str]:
    """Return what of a set cannot be measured in the home's archive.

    Raises InputError without an archive, and as `questions.gaps`.
    """
    with open_archive(home) as archive:
        return sets.gaps(asked, archive.present(asked.wanted()))


def gaps_of_answers(home: Path, folder: Path, relevant: Relevant) -> list[str]:
    """Return which judgements say nothing of this archive; answers are measured without them."""
    if not relevant:
        return []
    found = QuestionSet(sets.read_questions(folder / sets.QUERIES), relevant)
    try:
        sets.require_use(found, folder / sets.QRELS)
        return gaps(home, found)
    except InputError as error:
        return [f"{error} Measured are only gold strings."]


def field_of(home: Path, name: str) -> TextsOf | None:
    """Return a look-up of one field of the home's articles, or None without an archive."""
    if not (home / FILE_NAME).exists():
        return None

    def of(ids: Sequence[str]) -> Mapping[str, str]:
        with open_archive(home) as archive:
            found = archive.articles(list(dict.fromkeys(ids)))
        return {article.id: str(getattr(article, name) or "") for article, _ in found}

    return of
