"""Writes the report of runs: one HTML file, complete in itself, without scripts.

Article text is hostile: whatever comes from a set, a run or the archive is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from eval import markup, plots, runs, scores
from eval.datasets import Question, QuestionSet
from eval.markup import escaped, figure, section, table, tag
from eval.plots import Series
from eval.runs import Measured, Run, TextsOf
from index.errors import InputError
from index.text import counted
from qa.question.answer_type import answer_type

WORST = 20
_COLUMNS = (*scores.MEASURES, *scores.ANSWERS)
_MAIN = "RR@10"
_DEPTH = 100
_SMALL = 5
"""Questions of a kind or a year from which it is shown by itself."""


def set_of(run: Run) -> Path:
    """Return the folder of the set that a run asked; raises InputError if it is not there."""
    folder = Path(run.provenance.set_path) if run.provenance else Path()
    if run.provenance is None or not folder.is_dir():
        raise InputError(f"The set of {run.name!r} is not known here: name it with --set SET.")
    return folder


def page(
    name: str, asked: QuestionSet, measured: Sequence[Measured], dates_of: TextsOf | None
) -> str:
    """Return the report of runs on the set called `name`.

    `dates_of` looks up when articles were published; without it the years are left out.
    """
    parts = [
        section("Measures", _scores(measured), _plot_measures(measured)),
        section("Against the first run", *_comparisons(measured)),
        section("By kind of question", *_by_group(asked, measured, "kind", _kinds(asked))),
        section(
            "By year of the relevant article",
            *_by_group(asked, measured, "year", _years(asked, measured, dates_of)),
        ),
        section("Recall by depth", _plot_depth(asked, measured)),
        section("Time a question takes", *_times(measured)),
        section("The worst questions", _worst(asked, measured)),
        section("How the runs were made", *(_made(m.run) for m in measured)),
    ]
    judged = counted(len(asked.relevant), "judged question")
    head = f"{judged} · {counted(len(measured), 'run')}"
    return markup.document(f"Retrieval on {name}", head, parts)


# Measures ----------------------------------------------------------------------------------------


def _scores(measured: Sequence[Measured]) -> str:
    rows = []
    for number, each in enumerate(measured):
        cells = [tag(number, each.run.name)]
        for name in _COLUMNS:
            value = scores.mean(each.values[name]) if name in each.values else None
            if value is None:
                cells.append("")
                continue
            low, high = scores.interval(each.values[name])
            star = "*" if each.by_article and name in scores.ANSWERS else ""
            cells.append(f"{value:.4f}{star}<small>{low:.3f} – {high:.3f}</small>")
        cells.extend(f"{t:.1f}" if t is not None else "" for t in (each.median, each.slow))
        rows.append(cells)
    note = "<p>Below each figure its 95% bootstrap interval. "
    note += (
        "ans@1, ans@5: a gold answer stands in the best passage of the first article, of one of "
    )
    note += "the first five. Times in milliseconds: median and 95th percentile.</p>"
    if any(each.by_article for each in measured):
        note += "<p>* sought in the whole article: the run does not tell passages.</p>"
    return table(["run", *_COLUMNS, "ms", "p95"], rows) + note


def _plot_measures(measured: Sequence[Measured]) -> str:
    names = [n for n in _COLUMNS if any(n in m.values for m in measured)]
    series = [
        Series(
            m.run.name,
            [scores.mean(m.values[n]) if n in m.values else None for n in names],
            [scores.interval(m.values[n]) if n in m.values else (0.0, 0.0) for n in names],
        )
        for m in measured
    ]
    return figure(plots.dots("measures", names, series, "mean, 95% interval"))


def _comparisons(measured: Sequence[Measured]) -> list[str]:
    first = measured[0]
    tables = []
    for number, other in enumerate(measured[1:], start=1):
        found = scores.compare(*runs.comparable(first, other))
        tables.append(markup.comparison(number, other.run.name, found))
    if tables:
        tables.append(markup.COMPARED)
    return tables


# Groups ------------------------------------------------------------------------------------------


def _kinds(asked: QuestionSet) -> dict[str, str]:
    return {q.id: answer_type(q.text) for q in asked.questions if q.id in asked.relevant}


def _years(
    asked: QuestionSet, measured: Sequence[Measured], dates_of: TextsOf | None
) -> dict[str, str]:
    """Return for each question the year of its newest relevant article, where it is known."""
    wanted = {a for articles in asked.relevant.values() for a, n in articles.items() if n > 0}
    dates = {
        f.article_id: f.published
        for m in measured
        for o in m.run.outcomes.values()
        for f in o.found
    }
    dates.update(dates_of(sorted(wanted)) if dates_of else {})
    newest = {
        question: max((dates.get(a, "") for a, n in articles.items() if n > 0), default="")
        for question, articles in asked.relevant.items()
    }
    return {question: day[:4] for question, day in newest.items() if day}


def _by_group(
    asked: QuestionSet, measured: Sequence[Measured], label: str, groups: Mapping[str, str]
) -> list[str]:
    """Return plot and table of the main measure by group; small groups are put together."""
    ids = sorted(asked.relevant)
    sizes: dict[str, int] = {}
    for group in groups.values():
        sizes[group] = sizes.get(group, 0) + 1
    names = sorted(group for group, size in sizes.items() if size >= _SMALL)
    if not names:
        return []
    where = {
        name: np.array([groups.get(question) == name for question in ids], dtype=bool)
        for name in names
    }
    rest = np.array([groups.get(q) not in where for q in ids], dtype=bool)
    if rest.any():
        where["other or unknown" if label == "year" else "rare kinds"] = rest
    labels = [f"{name} ({int(mask.sum())})" for name, mask in where.items()]
    means = [[float(m.values[_MAIN][mask].mean()) for mask in where.values()] for m in measured]
    series = [Series(m.run.name, row) for m, row in zip(measured, means, strict=True)]
    rows = [
        [escaped(name), *(f"{column[at]:.4f}" for column in means)]
        for at, name in enumerate(labels)
    ]
    heads = [f"{label} (questions)", *(m.run.name for m in measured)]
    plot = plots.bars(label, labels, series, _MAIN)
    return [f'<div class="pair">{figure(plot)}{table(heads, rows)}</div>']


# Depth and time ----------------------------------------------------------------------------------


def _plot_depth(asked: QuestionSet, measured: Sequence[Measured]) -> str:
    series = [
        Series(m.run.name, scores.recall_by_depth(asked.relevant, m.run.ranked, _DEPTH).tolist())
        for m in measured
    ]
    return figure(plots.lines("depth", series, "articles looked at", "recall"))


def _times(measured: Sequence[Measured]) -> list[str]:
    series = [
        Series(m.run.name, [o.milliseconds for o in m.run.outcomes.values()]) for m in measured
    ]
    if not any(one.values for one in series):
        return []
    return [figure(plots.histogram("time", series, "milliseconds", "questions"))]


# Questions ---------------------------------------------------------------------------------------


def _worst(asked: QuestionSet, measured: Sequence[Measured]) -> str:
    """Return the questions that the runs together do worst on, with what each found first."""
    ids = sorted(asked.relevant)
    # Of questions that nobody answers among the first ten, those found nowhere come first.
    total = np.sum([m.values[_MAIN] + m.values["R@100"] / 100 for m in measured], axis=0)
    failed = np.flatnonzero(np.min([m.values[_MAIN] for m in measured], axis=0) < 1).tolist()
    order = sorted(failed, key=lambda at: (float(total[at]), ids[at]))[:WORST]
    questions = {question.id: question for question in asked.questions}
    return "".join(_one(questions.get(ids[at]), ids[at], asked, measured) for at in order)


def _one(
    question: Question | None, question_id: str, asked: QuestionSet, measured: Sequence[Measured]
) -> str:
    told = escaped(question.text if question else question_id)
    gold = escaped(" / ".join(question.answers)) if question and question.answers else ""
    rows = []
    for number, each in enumerate(measured):
        found = each.run.ranked.get(question_id, {})
        rank = scores.first_rank(asked.relevant[question_id], found)
        rows.append(
            [tag(number, each.run.name), str(rank or "not found"), _first(each.run, question_id)]
        )
    listed = table(["run", "rank", "found first"], rows, "found")
    answer = f"<p>Gold answer: {gold}</p>" if gold else ""
    summary = f"<summary>{told} <small>{escaped(question_id)}</small></summary>"
    return f"<details>{summary}{answer}{listed}</details>"


def _first(run: Run, question_id: str) -> str:
    outcome = run.outcomes.get(question_id)
    if outcome is None:
        return escaped(next(iter(scores.ranking(run.ranked.get(question_id, {}))), "nothing"))
    if not outcome.found:
        return "nothing"
    best = outcome.found[0]
    origin = " · ".join(part for part in (best.publisher, best.published) if part)
    text = best.text if len(best.text) <= 280 else f"{best.text[:279]}…"
    title = escaped(best.title) or escaped(best.article_id)
    return f"<b>{title}</b> <small>{escaped(origin)}</small><br>{escaped(text)}"


def _made(run: Run) -> str:
    """Return a run's provenance as a list of facts."""
    if run.provenance is None:
        return f"<h3>{escaped(run.name)}</h3><p>A TREC run of another program.</p>"
    return markup.made(run.name, run.provenance)
