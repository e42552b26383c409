"""Makes the report of runs, searches or answers: one HTML file, without scripts.

What is shown is worked out here; how it looks is report.html and report.css.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eval import compare, measures, opening, plots
from eval.compare import Score, Summary
from eval.measures import Pair, Reply, values
from eval.opening import Note
from eval.plots import Series
from eval.questions import FIRST, FOLLOW_UP, OPENING, Question, relevant_in
from eval.runs import DEPTH, Run, TextsOf, load
from eval.tables import BY_ARTICLE, GIVEN, figure_of, moves, remarks, star_of
from index.errors import InputError
from index.text import counted
from qa.question.answer_type import answer_type

WORST = 20
SMALL = 5
"""Questions of a kind or a year from which it is shown by itself."""


class Grouped(NamedTuple):
    """The main measures by group of questions: `means` of each run are [group][measure]."""

    plot: str
    measures: list[str]
    labels: list[str]
    means: list[list[list[float | None]]]


class Listed(NamedTuple):
    """Replies of one run that deserve a look, the first of `total`."""

    total: int
    pairs: list[Pair]


def page(home: Path, paths: Sequence[Path], folder: Path | None, note: Note) -> str:
    """Return the report of folders of answers, or of searches on the set in `folder`.

    Without it the set is the first run's own. Notes what cannot be measured; raises InputError.
    """
    if opening.are_answers(paths):
        return answers_page([load(path) for path in paths])
    folder = folder or _set_of(load(paths[0]))
    asked, judged = opening.judged(home, folder, paths, note)
    for other in judged[1:]:
        if uneven := compare.unevenness(judged[0], other):
            note(uneven)
    dates = opening.field_of(home, "published")
    return search_page(folder.resolve().name, asked.relevant, judged, dates)


def _set_of(run: Run) -> Path:
    folder = Path(run.provenance.set_path) if run.provenance else Path()
    if run.provenance is None or not folder.is_dir():
        raise InputError(f"The set of {run.name!r} is not known here: name it with --set SET.")
    return folder


def require_page(out: Path) -> None:
    """Raise InputError if a report in `out` would overwrite something that is no page."""
    hint = "the first argument is the HTML file to write"
    if out.is_dir():
        raise InputError(f"{out} is a folder: {hint}.")
    if out.exists() and not _is_page(out):
        raise InputError(f"{out} is there already and is no HTML file: {hint}.")


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(200).lstrip().lower()
    begins = head.startswith((b"<!doctype html", b"<html"))
    return begins or (not head and path.suffix.lower() == ".html")


def search_page(
    name: str,
    relevant: Mapping[str, Mapping[str, int]],
    runs: Sequence[Run],
    dates_of: TextsOf | None,
) -> str:
    """Return the report of judged searches on the set called `name`, compared with the first.

    `dates_of` looks up when articles were published; without it the years are left out.
    """
    found = [compare.summarise(run) for run in runs]
    scores = _scores(found, "articles")
    return _page(
        title=f"Retrieval on {name}",
        head=f"{counted(len(relevant), 'judged question')} · {counted(len(runs), 'run')}",
        runs=runs,
        groups={"articles": scores},
        dots=_dots(runs, scores),
        remarks=[" ".join(remarks(summary, None)) for summary in found],
        kinds=_by_group(runs, "kind", _kinds(runs)),
        years=_by_group(runs, "year", _years(relevant, runs, dates_of)),
        recall=_recall(relevant, runs),
        times=_times(runs),
        worst=_worst(runs),
    )


def answers_page(runs: Sequence[Run]) -> str:
    """Return the report of one or more runs of answers, compared with the first of them."""
    about = runs[0].provenance
    found = [compare.summarise(run) for run in runs]
    names = ("answers", "citations", "abstention", FOLLOW_UP, OPENING)
    return _page(
        title=f"Answers on {about.set_name if about else 'a set'}",
        head=f"{about.questions:,} questions · {about.articles:,} articles" if about else "",
        runs=runs,
        groups={name: _scores(found, name) for name in names},
        remarks=[" ".join(remarks(s, r.threshold)) for s, r in zip(found, runs, strict=True)],
        risk=_risk(runs),
        reliability=_reliability(runs),
        kinds=_by_group(runs, "kind", _kinds(runs)),
        wrong=[_most_confident(run, _is_wrong) for run in runs],
        unanswerable=[
            _most_confident(run, lambda q, r: r.answered and not q.answerable) for run in runs
        ],
        declined=[
            _most_confident(run, lambda q, r: not r.answered and r.figures.get("would_show") == 1)
            for run in runs
        ],
    )


def _page(*, runs: Sequence[Run], **content: Any) -> str:
    """Return the whole page; `content` is what report.html names.

    Article text is hostile: the template escapes whatever is not HTML of its own or a plot.
    """
    from jinja2 import Environment, FileSystemLoader

    looks = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    headings = {g.name: g.heading for g in (*measures.SEARCHES, *measures.ANSWERS)}
    return looks.get_template("report.html").render(
        **content,
        runs=runs,
        compared=[compare.compare(runs[0], other) for other in runs[1:]],
        headings=headings,
        meanings=measures.MEANINGS,
        colours=plots.COLOURS,
        figure_of=figure_of,
        star_of=star_of,
        moves=moves,
        by_article=BY_ARTICLE,
        given=GIVEN,
    )


def _printable(value: Any) -> Any:
    """Return text with a replacement character for each that no page can hold."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    kept = "".join(c if c.isprintable() or c == " " else "\ufffd" for c in value)
    return kept.encode("utf-8", "replace").decode("utf-8")


# Measures ----------------------------------------------------------------------------------------


def _scores(found: Sequence[Summary], group: str) -> dict[str, list[Score | None]]:
    """Return a group's measures that apply to any run, with a score a run."""
    columns = [{score.measure: score for score in summary.groups[group]} for summary in found]
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: [column.get(name) for column in columns] for name in names}


def _dots(runs: Sequence[Run], scores: Mapping[str, Sequence[Score | None]]) -> str:
    series = [
        Series(
            run.name,
            [s.value if s else None for s in column],
            spans=[(s.low, s.high) if s else (0.0, 0.0) for s in column],
        )
        for run, column in zip(runs, zip(*scores.values(), strict=True), strict=True)
    ]
    return plots.dots("measures", list(scores), series, "mean, 95% interval")


# Groups of questions -----------------------------------------------------------------------------


def _kinds(runs: Sequence[Run]) -> dict[str, str]:
    """Return the kind of each answerable question whose words are known."""
    pairs = [pair for run in runs for pair in run.pairs(FIRST)]
    return {q.id: answer_type(q.text) for q, _ in pairs if q.answerable and q.text}


def _years(
    relevant: Mapping[str, Mapping[str, int]], runs: Sequence[Run], dates_of: TextsOf | None
) -> dict[str, str]:
    """Return for each question the year of its newest relevant article, where it is known."""
    wanted = {article for grades in relevant.values() for article in relevant_in(grades)}
    replies = [reply for run in runs for reply in run.replies.values()]
    dates = {f.article_id: f.published for reply in replies for f in reply.found}
    dates.update(dates_of(sorted(wanted)) if dates_of else {})
    newest = {
        question: max((dates.get(a, "") for a in relevant_in(grades)), default="")
        for question, grades in relevant.items()
    }
    return {question: day[:4] for question, day in newest.items() if day}


def _by_group(runs: Sequence[Run], label: str, groups: Mapping[str, str]) -> Grouped | None:
    """Return the main measures by group; small groups are put together. None without a big one."""
    sizes = Counter(groups.values())
    names = sorted(group for group, size in sizes.items() if size >= SMALL)
    if not names:
        return None
    known = {q.id for run in runs for q, _ in run.pairs(FIRST) if q.answerable}
    places = {name: {i for i in known if groups.get(i) == name} for name in names}
    if rest := known - set().union(*places.values()):
        places["other or unknown" if label == "year" else "rare kinds"] = rest
    labels = [f"{name} ({len(ids)})" for name, ids in places.items()]
    answers = runs[0].of_answers
    shown = ["accuracy", "coverage", "precision", "EM"] if answers else ["RR@10", "R@10", "ans@1"]
    group = measures.ANSWERS[0] if answers else measures.SEARCHES[0]
    used = [m for name in shown for m in group.measures if m.name == name]
    means = []
    for run in runs:
        pairs = [[p for p in run.pairs(FIRST) if p[0].id in ids] for ids in places.values()]
        means.append([[compare.mean(values(m, some)) for m in used] for some in pairs])
    series = [
        Series(run.name, [row[0] for row in rows]) for run, rows in zip(runs, means, strict=True)
    ]
    plot = plots.bars(label, labels, series, used[0].name)
    return Grouped(plot, [m.name for m in used], labels, means)


# Searches: depth, time, and the worst ------------------------------------------------------------


def _recall(relevant: Mapping[str, Mapping[str, int]], runs: Sequence[Run]) -> str:
    series = []
    for run in runs:
        ranked = {i: reply.articles for i, reply in run.replies.items()}
        found = measures.recall_by_depth(relevant, ranked, DEPTH)
        series.append(Series(run.name, found.tolist()))
    return plots.lines("depth", series, "articles looked at", "recall")


def _times(runs: Sequence[Run]) -> str:
    series = [
        Series(run.name, [r.milliseconds for r in run.replies.values() if r.milliseconds])
        for run in runs
    ]
    if not any(one.values for one in series):
        return ""
    return plots.histogram("time", series, "milliseconds", "questions")


def _worst(runs: Sequence[Run]) -> list[Question]:
    """Return the questions that the runs together do worst on."""

    def figures(question: str, name: str) -> list[float]:
        return [run.replies[question].figures.get(name) or 0.0 for run in runs]

    # Of questions that no run answers among the first ten, those found nowhere come first.
    failed = [
        (sum(figures(i, "RR@10")) + sum(figures(i, "R@100")) / 100, i)
        for i in runs[0].questions
        if min(figures(i, "RR@10")) < 1
    ]
    return [runs[0].questions[i] for _, i in sorted(failed)[:WORST]]


# Answers: confidence, and what went wrong --------------------------------------------------------


def _risk(runs: Sequence[Run]) -> str:
    """Return the risk-coverage curves, with the threshold in use on each."""
    curves = []
    for run in runs:
        confidence, right = measures.by_rightness(run.pairs(FIRST))
        risk = measures.risk_by_coverage(confidence, right)
        if not len(risk):
            continue
        share = np.arange(1, len(risk) + 1) / len(risk)
        over = int((confidence >= run.threshold).sum())
        mark = (float(share[over - 1]), float(risk[over - 1])) if over else None
        curves.append(Series(run.name, risk.tolist(), share.tolist(), mark=mark))
    if not curves:
        return ""
    return plots.curves("risk", curves, "share of all questions answered", "share of those wrong")


def _reliability(runs: Sequence[Run]) -> tuple[str, list[list[measures.Bin]]] | None:
    """Return the plot of confidence against accuracy, and the bins of each run."""
    bins = [measures.reliability(*measures.by_rightness(run.pairs(FIRST))) for run in runs]
    curves = [
        Series(run.name, [b.accuracy for b in some], [b.confidence for b in some])
        for run, some in zip(runs, bins, strict=True)
        if some
    ]
    if not curves:
        return None
    return plots.curves("sure", curves, "confidence", "share right", even=True), bins


def _is_wrong(question: Question, reply: Reply) -> bool:
    return question.answerable and reply.answered and measures.right(question, reply) == 0


def _most_confident(run: Run, wanted: Callable[[Question, Reply], bool]) -> Listed:
    """Return the replies that are `wanted`, those of most confidence first, follow-ups too."""
    pairs = [pair for pair in run.pairs() if wanted(*pair)]
    pairs.sort(key=lambda pair: (-pair[1].confidence, pair[0].id))
    return Listed(len(pairs), pairs[:WORST])
