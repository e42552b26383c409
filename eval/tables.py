"""What the command line prints of runs: tables that fit 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eval import scores
from eval.datasets import QuestionSet
from eval.runs import Measured, Run, TextsOf
from eval.scores import Comparison, Moved
from index.text import counted

WIDTH = 80
_NAME = 14
_COLUMNS = (*scores.MEASURES, *scores.ANSWERS)


def score_lines(measured: Sequence[Measured], asked: QuestionSet) -> list[str]:
    """Return the table of runs, a line a run; a long name has a line of its own."""
    heads = "".join(f"{name:>{_width(name)}}" for name in _COLUMNS)
    lines = [f"{'run':<{_NAME}}{heads}{'ms':>6}{'p95':>6}"]
    for each in measured:
        name = each.run.name
        if len(name) >= _NAME:
            lines.append(name)
            name = ""
        lines.append((f"{name:<{_NAME}}" + _figures(each)).rstrip())
    with_gold = sum(1 for q in asked.questions if q.answers and q.id in asked.relevant)
    judged = counted(len(asked.relevant), "judged question")
    lines.append(f"{judged}, {with_gold:,} of them with answers")
    if any(each.by_article for each in measured):
        lines.append("* sought in the whole article: the run does not tell passages")
    return lines


def _width(name: str) -> int:
    return max(7, len(name) + 1)


def _figures(measured: Measured) -> str:
    cells = []
    for name in _COLUMNS:
        value = scores.mean(measured.values[name]) if name in measured.values else None
        star = "*" if measured.by_article and name in scores.ANSWERS else ""
        shown = "" if value is None else f"{value:.{3 if star else 4}f}{star}"
        cells.append(f"{shown:>{_width(name)}}")
    times = (measured.median, measured.slow)
    return "".join(cells) + "".join(f"{_time(t):>6}" for t in times)


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    return f"{milliseconds:.1f}" if milliseconds < 100 else f"{milliseconds:.0f}"


def compare_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the table of a comparison, a line a measure."""
    lines = [f"{'measure':<9}{'A':>8}{'B':>8}{'B - A':>9}  95% interval        p       +/=/-"]
    lines.extend(
        f"{c.measure:<9}{c.a:>8.4f}{c.b:>8.4f}{c.b - c.a:>+9.4f}  "
        f"[{c.low:+.4f}, {c.high:+.4f}]  {c.p:.4f}  {c.wins}/{c.ties}/{c.losses}"
        for c in comparisons
    )
    return lines


def moved_rows(
    moved: Sequence[Moved], asked: QuestionSet, a: Run, b: Run, titles_of: TextsOf | None
) -> list[dict[str, Any]]:
    """Return what moved with the questions' texts and the titles found first, ready for JSON."""
    texts = {question.id: question.text for question in asked.questions}
    first_a, first_b = (
        {m.question: (scores.ranking(run.ranked.get(m.question, {})) or [""])[0] for m in moved}
        for run in (a, b)
    )
    ids = [*first_a.values(), *first_b.values()]
    titles = {**(titles_of(ids) if titles_of else {}), **_titles(a), **_titles(b)}
    return [
        {
            "id": m.question,
            "question": texts.get(m.question, ""),
            "rank_a": m.a,
            "rank_b": m.b,
            "first_a": _first(first_a[m.question], titles),
            "first_b": _first(first_b[m.question], titles),
        }
        for m in moved
    ]


def _titles(run: Run) -> dict[str, str]:
    return {f.article_id: f.title for o in run.outcomes.values() for f in o.found}


def _first(article_id: str, titles: Mapping[str, str]) -> dict[str, str]:
    return {"article_id": article_id, "title": titles.get(article_id, "")}


def moved_lines(rows: Sequence[Mapping[str, Any]], count: int, shown: Any) -> list[str]:
    """Return questions that moved, of `count`: text, ranks in A and B, what is found first."""
    if not rows:
        return []
    told = f"{counted(count, 'question')} moved; rank of the first relevant article, A -> B:"
    lines = ["", told]
    for row in rows:
        ranks = f"{row['rank_a'] or '-':>4} -> {row['rank_b'] or '-':<4}"
        lines.append(_cut(f"{ranks} {shown(row['question']) or row['id']}"))
        firsts = [row["first_a"]] if row["first_a"] == row["first_b"] else []
        firsts = firsts or [row["first_a"], row["first_b"]]
        for label, first in zip("AB" if len(firsts) > 1 else " ", firsts, strict=True):
            told = shown(first["title"]) or first["article_id"] or "nothing"
            lines.append(_cut(f"{'':<13}{label} {told}"))
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1].rstrip()}…"


def rows_of(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return the table of runs ready for JSON, each with its provenance."""
    return [
        {
            "run": m.run.name,
            "measures": {name: scores.mean(values) for name, values in m.values.items()},
            "answers_by_article": m.by_article,
            "median_milliseconds": m.median,
            "p95_milliseconds": m.slow,
            "provenance": asdict(m.run.provenance) if m.run.provenance else None,
        }
        for m in measured
    ]


def wrapped(text: str) -> str:
    """Return a remark folded to the width of the tables."""
    return textwrap.fill(text, WIDTH)
