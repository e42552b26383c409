"""Writes the report of runs: one HTML file, complete in itself, without scripts.

Article text is hostile: whatever comes from a set, a run or the archive is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from eval import plots, runs, scores
from eval.datasets import Question, QuestionSet
from eval.plots import COLOURS, Series
from eval.runs import Measured, Run, TextsOf
from index.errors import InputError
from qa.question import kind_of

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
        _section("Measures", _scores(measured), _plot_measures(measured)),
        _section("Against the first run", *_comparisons(measured)),
        _section("By kind of question", *_by_group(asked, measured, "kind", _kinds(asked))),
        _section(
            "By year of the relevant article",
            *_by_group(asked, measured, "year", _years(asked, measured, dates_of)),
        ),
        _section("Recall by depth", _plot_depth(asked, measured)),
        _section("Time a question takes", *_times(measured)),
        _section("The worst questions", _worst(asked, measured)),
        _section("How the runs were made", *(_made(m.run) for m in measured)),
    ]
    head = f"{len(asked.relevant):,} judged questions · {len(measured)} runs"
    title = f"Retrieval on {_e(name)}"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{_LOOKS}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n<p>{head}</p>\n{''.join(parts)}</main>\n</body>\n</html>\n"
    )


def _e(value: object) -> str:
    """Escape a value for HTML; what no page can hold becomes a replacement character."""
    told = "".join(c if c.isprintable() or c == " " else "\ufffd" for c in str(value))
    return html.escape(told.encode("utf-8", "replace").decode("utf-8"))


def _section(title: str, *parts: str) -> str:
    kept = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{_e(title)}</h2>\n{kept}\n</section>\n" if kept else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "figures") -> str:
    """Return a table of cells that are HTML already; the first cell of a row heads it."""
    head = "".join(f'<th scope="col">{_e(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _tag(number: int, measured: Measured) -> str:
    colour = COLOURS[number % len(COLOURS)]
    return f'<i style="background:{colour}"></i>{number + 1} {_e(measured.run.name)}'


# Measures ----------------------------------------------------------------------------------------


def _scores(measured: Sequence[Measured]) -> str:
    rows = []
    for number, each in enumerate(measured):
        cells = [_tag(number, each)]
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
    return _table(["run", *_COLUMNS, "ms", "p95"], rows) + note


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
    return _figure(plots.dots("measures", names, series, "mean, 95% interval"))


def _figure(svg: str) -> str:
    return f"<figure>{svg}</figure>"


def _comparisons(measured: Sequence[Measured]) -> list[str]:
    first = measured[0]
    tables = []
    for number, other in enumerate(measured[1:], start=1):
        rows = [
            [
                c.measure,
                f"{c.a:.4f}",
                f"{c.b:.4f}",
                f'<b class="{_verdict(c)}">{c.b - c.a:+.4f}</b>',
                f"{c.low:+.4f} … {c.high:+.4f}",
                f"{c.p:.4f}",
                f"{c.wins} / {c.ties} / {c.losses}",
            ]
            for c in scores.compare(*runs.comparable(first, other))
        ]
        heads = [
            "measure",
            "first",
            "this",
            "difference",
            "95% interval",
            "p",
            "better / = / worse",
        ]
        tables.append(f"<h3>{_tag(number, other)}</h3>{_table(heads, rows)}")
    if tables:
        tables.append("<p>p: paired randomisation test, two-sided. Bold colour: p below 0.05.</p>")
    return tables


def _verdict(c: scores.Comparison) -> str:
    if c.p >= 0.05:
        return "even"
    return "up" if c.b > c.a else "down"


# Groups ------------------------------------------------------------------------------------------


def _kinds(asked: QuestionSet) -> dict[str, str]:
    return {q.id: kind_of(q.text) for q in asked.questions if q.id in asked.relevant}


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
        [_e(name), *(f"{column[at]:.4f}" for column in means)] for at, name in enumerate(labels)
    ]
    heads = [f"{label} (questions)", *(m.run.name for m in measured)]
    plot = plots.bars(label, labels, series, _MAIN)
    return [f'<div class="pair">{_figure(plot)}{_table(heads, rows)}</div>']


# Depth and time ----------------------------------------------------------------------------------


def _plot_depth(asked: QuestionSet, measured: Sequence[Measured]) -> str:
    series = [
        Series(m.run.name, scores.recall_by_depth(asked.relevant, m.run.ranked, _DEPTH).tolist())
        for m in measured
    ]
    return _figure(plots.lines("depth", series, "articles looked at", "recall"))


def _times(measured: Sequence[Measured]) -> list[str]:
    series = [
        Series(m.run.name, [o.milliseconds for o in m.run.outcomes.values()]) for m in measured
    ]
    if not any(one.values for one in series):
        return []
    return [_figure(plots.histogram("time", series, "milliseconds", "questions"))]


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
    told = _e(question.text if question else question_id)
    gold = _e(" / ".join(question.answers)) if question and question.answers else ""
    rows = []
    for number, each in enumerate(measured):
        found = each.run.ranked.get(question_id, {})
        rank = scores.first_rank(asked.relevant[question_id], found)
        rows.append([_tag(number, each), str(rank or "not found"), _first(each.run, question_id)])
    table = _table(["run", "rank", "found first"], rows, "found")
    answer = f"<p>Gold answer: {gold}</p>" if gold else ""
    summary = f"<summary>{told} <small>{_e(question_id)}</small></summary>"
    return f"<details>{summary}{answer}{table}</details>"


def _first(run: Run, question_id: str) -> str:
    outcome = run.outcomes.get(question_id)
    if outcome is None:
        return _e(next(iter(scores.ranking(run.ranked.get(question_id, {}))), "nothing"))
    if not outcome.found:
        return "nothing"
    best = outcome.found[0]
    origin = " · ".join(part for part in (best.publisher, best.published) if part)
    text = best.text if len(best.text) <= 280 else f"{best.text[:279]}…"
    title = _e(best.title) or _e(best.article_id)
    return f"<b>{title}</b> <small>{_e(origin)}</small><br>{_e(text)}"


def _made(run: Run) -> str:
    """Return a run's provenance as a list of facts."""
    about = run.provenance
    if about is None:
        return f"<h3>{_e(run.name)}</h3><p>A TREC run of another program.</p>"
    dirty = " with changes" if about.code.altered else ""
    facts = {
        "made": about.date,
        "questions": f"{about.set_name}, {about.questions:,}, hash {about.set_hash}",
        "version": f"{about.version} of {about.built}",
        "holds": f"{about.articles:,} articles, {about.passages:,} passages",
        "recipe": _facts(about.recipe),
        "retrieval": _facts(about.retrieval),
        "code": f"{about.code.commit[:12]}{dirty}" if about.code.commit else "no commit known",
        "machine": f"{about.machine.cpus} × {about.machine.cpu}, {about.machine.system}, "
        f"Python {about.machine.python}",
    }
    listed = "".join(f"<dt>{_e(name)}</dt><dd>{_e(value)}</dd>" for name, value in facts.items())
    return f"<details><summary>{_e(run.name)}</summary><dl>{listed}</dl></details>"


def _facts(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


_LOOKS = """
:root { --page: #fbfaf7; --ink: #1d1c1a; --soft: #6b6761; --line: #dcd8d0; --card: #fff;
  --up: #1a7f45; --down: #b3372f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #171614; --ink: #ece8e1; --soft: #a59f96; --line: #3a3733; --card: #201e1b;
    --up: #5cc98a; --down: #ef8079; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h1 + p, p, small { color: var(--soft); }
h2 { font-size: 1.2rem; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.1rem; margin-top: 1rem; }
p { margin: .5rem 0; font-size: .875rem; }
figure { margin: .75rem 0 0; max-width: 38rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); white-space: nowrap; }
.figures td, .figures thead th + th { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
tbody th { white-space: nowrap; }
.found td { white-space: nowrap; }
.found td:last-child { min-width: 15rem; width: 100%; white-space: normal;
  overflow-wrap: anywhere; }
td small { display: block; font-size: .75rem; }
.found small { display: inline; }
i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em; }
b.up { color: var(--up); } b.down { color: var(--down); } b.even { font-weight: 400; }
details { border-top: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .25rem .75rem; font-size: .875rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (min-width: 60rem) {
  .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; align-items: start; }
}
@media (max-width: 36rem) {
  .found thead { display: none; } .found tr { display: block; padding: .4rem 0;
    border-bottom: 1px solid var(--line); }
  .found th, .found td { display: inline-block; border: 0; padding: .1rem .6rem .1rem 0; }
  .found td:last-child { display: block; min-width: 0; }
  main { padding: 1rem .6rem 3rem; } section { padding: .8rem .75rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
"""
