"""What the command line prints of runs: tables that fit 80 columns, and rows for JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval import compare, measures
from eval.compare import Comparison, Moved, Score, Summary
from eval.measures import MEANINGS, Reply
from eval.questions import QuestionSet
from eval.runs import Run, TextsOf
from index.text import counted

WIDTH = 80
BY_ARTICLE = "looked for in the whole article: the run does not tell passages"
GIVEN = "Measures of answers given are over the questions that both answered."
_NAME = 14
_MEASURES = measures.SEARCHES[0].measures

Shown = Callable[[str], str]
"""Makes archived text safe for a terminal."""


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1].rstrip()}…"


# Searches ----------------------------------------------------------------------------------------


def search_lines(judged: Sequence[Run], asked: QuestionSet) -> list[str]:
    """Return the table of searches, a line a run; a long name has a line of its own."""
    heads = "".join(f"{m.name:>{_width(m.name)}}" for m in _MEASURES)
    lines = [f"{'run':<{_NAME}}{heads}{'ms':>6}{'p95':>6}"]
    for run in judged:
        name = run.name
        if len(name) >= _NAME:
            lines.append(name)
            name = ""
        lines.append((f"{name:<{_NAME}}" + _figures(run)).rstrip())
    with_gold = sum(1 for q in asked.questions if q.answers and q.id in asked.relevant)
    questions = counted(len(asked.relevant), "judged question")
    lines.append(f"{questions}, {with_gold:,} of them with answers")
    if any(run.by_article for run in judged):
        lines.append(f"* {BY_ARTICLE}")
    return lines


def kind_lines(judged: Sequence[Run], asked: QuestionSet) -> list[str]:
    """Return R@1 and RR@10 of each kind of question, a line a kind; none where no set tells kinds.

    Under each run's name stand both.
    """
    kinds = dict.fromkeys(q.kind for q in asked.questions if q.kind and q.id in asked.relevant)
    if not kinds:
        return []
    lines = ["", f"{'R@1 RR@10 by kind':<{_NAME + 6}}" + "".join(map(_kind_head, judged))]
    for kind in kinds:
        of = sum(q.kind == kind for q in asked.questions if q.id in asked.relevant)
        cells = "".join(_kind_cell(run, kind) for run in judged)
        lines.append(f"{kind:<{_NAME}}{of:>6,}{cells}")
    return lines


def _kind_head(run: Run) -> str:
    return f"  {run.name[: _NAME - 1]:>{_NAME}}"


def _kind_cell(run: Run, kind: str) -> str:
    pairs = [(question, reply) for question, reply in run.pairs() if question.kind == kind]
    first, rank = (
        compare.mean(measures.values(m, pairs)) for m in _MEASURES if m.name in ("R@1", "RR@10")
    )
    return f"  {first or 0:>{_NAME - 7}.3f} {rank or 0:.3f} "


def _width(name: str) -> int:
    return max(7, len(name) + 1)


def _figures(run: Run) -> str:
    means = search_row(run)["measures"]
    cells = []
    for name in (m.name for m in _MEASURES):
        star = star_of(name, run)
        shown = f"{means[name]:.{3 if star else 4}f}{star}" if name in means else ""
        cells.append(f"{shown:>{_width(name)}}")
    return "".join(cells) + "".join(f"{time_of(t):>6}" for t in compare.times(run.replies.values()))


def star_of(measure: str, run: Run) -> str:
    """Return the mark of a measure of whole articles where others are of passages; else ""."""
    return "*" if run.by_article and measure in {m.name for m in measures.GOLD_FOUND} else ""


def time_of(milliseconds: float | None) -> str:
    """Return milliseconds as they are shown, finer where they are few; "" for None."""
    if milliseconds is None:
        return ""
    return f"{milliseconds:.1f}" if milliseconds < 100 else f"{milliseconds:.0f}"


def search_row(run: Run) -> dict[str, Any]:
    """Return a search's measures ready for JSON, with its provenance."""
    median, slow = compare.times(run.replies.values())
    means = {m.name: compare.mean(measures.values(m, run.pairs())) for m in _MEASURES}
    return {
        "run": run.name,
        "measures": {name: value for name, value in means.items() if value is not None},
        "answers_by_article": run.by_article,
        "median_milliseconds": median,
        "p95_milliseconds": slow,
        "provenance": run.provenance.row() if run.provenance else None,
    }


# Answers -----------------------------------------------------------------------------------------


def answer_lines(found: Summary, version: str, threshold: float) -> list[str]:
    """Return the table of a run's measures, a line a measure."""
    lines = [
        f"{counted(found.questions, 'question')} asked of version {version}",
        f"{'measure':<13}{'value':>8}  95% interval    {'of':>7}",
    ]
    for group in measures.ANSWERS:
        if scores := found.groups[group.name]:
            lines.append(group.heading)
            lines.extend(map(_score_line, scores))
    return lines + [part for each in remarks(found, threshold) for part in textwrap.wrap(each, 80)]


def _score_line(score: Score) -> str:
    value, low, high = (figure_of(score.measure, v) for v in (score.value, score.low, score.high))
    interval = f"[{low}, {high}]"
    meaning = MEANINGS[score.measure]
    return f"  {score.measure:<11}{value:>8}  {interval:<16}{score.questions:>7,}  {meaning}"


def figure_of(measure: str, value: float) -> str:
    """Return a figure as it is shown."""
    return f"{value:.1f}" if measure == "words" else f"{value:.4f}"[:6]


def remarks(found: Summary, threshold: float | None) -> list[str]:
    """Return what the figures do not say: the threshold, time, who wrote, what was left out.

    A search has no threshold, None.
    """
    lines = []
    if threshold is not None:
        by_name = {s.measure: s.value for name in _FIRST for s in found.groups[name]}
        line = f"At min_confidence {threshold:g}: answered are {by_name.get('coverage', 0.0):.1%} "
        line += f"of the {found.answerable:,} answerable questions"
        if found.unanswerable:
            wrong = 1 - by_name.get("declined", 1.0)
            line += f" and {wrong:.1%} of the {found.unanswerable:,} unanswerable ones"
        lines.append(f"{line}.")
    if found.median is not None:
        lines.append(
            f"A question takes {time_of(found.median)} ms (median), {time_of(found.slow)} ms (95th "
            "percentile)."
        )
    if set(found.answerers) - {"extractive"}:
        wrote = ", ".join(f"{name} {count:,}" for name, count in found.answerers.items())
        lines.append(f"Answers written by {wrote}.")
    if found.without_gold and threshold is not None:
        lines.append(
            f"{found.without_gold:,} answerable questions have no gold string: they count in "
            "coverage only."
        )
    return lines


_FIRST = ("answers", "abstention")


# Two runs ----------------------------------------------------------------------------------------


def compare_lines(comparisons: Sequence[Comparison], *, of_answers: bool) -> list[str]:
    """Return the table of a comparison, a line a measure."""
    lines = [f"{'measure':<12}{'A':>7}{'B':>8}{'B - A':>9}  95% interval       p       +/=/-"]
    lines.extend(
        f"{c.measure:<12}{c.a:>7.4f}{c.b:>8.4f}{c.b - c.a:>+9.4f}  "
        f"[{c.low:+.3f}, {c.high:+.3f}]   {c.p:.4f}  {moves(c, '/')}".rstrip()
        for c in comparisons
    )
    return [*lines, GIVEN] if of_answers else lines


def moves(c: Comparison, between: str) -> str:
    """Return how many questions are better, alike and worse; "" where none has a value alone."""
    counts = (c.wins, c.ties, c.losses)
    return between.join(map(str, counts)) if any(counts) else ""


def moved_rows(
    moved: Sequence[Moved], a: Run, b: Run, titles_of: TextsOf | None
) -> list[dict[str, Any]]:
    """Return the questions that moved ready for JSON, with what A and B found first or answered."""
    if a.of_answers:
        return [
            {
                "id": m.question.id,
                "question": m.question.text,
                "gold": list(m.question.answers),
                "gain": round(m.gain, 4),
                "a": _answer_row(m, m.a),
                "b": _answer_row(m, m.b),
            }
            for m in moved
        ]
    firsts = [reply.articles[0] for m in moved for reply in (m.a, m.b) if reply.articles]
    titles = dict(titles_of(firsts)) if titles_of else {}
    titles.update(
        {f.article_id: f.title for run in (a, b) for r in run.replies.values() for f in r.found}
    )
    return [
        {
            "id": m.question.id,
            "question": m.question.text,
            "rank_a": m.a.figures["rank"],
            "rank_b": m.b.figures["rank"],
            "first_a": _first_row(m.a, titles),
            "first_b": _first_row(m.b, titles),
        }
        for m in moved
    ]


def _first_row(reply: Reply, titles: Mapping[str, str]) -> dict[str, str]:
    article = reply.articles[0] if reply.articles else ""
    return {"article_id": article, "title": titles.get(article, "")}


def _answer_row(m: Moved, reply: Reply) -> dict[str, Any]:
    right = measures.right(m.question, reply)
    return {
        "right": None if right is None else bool(right),
        "status": reply.status,
        "confidence": reply.confidence,
        "short_answer": reply.short,
        "claims": list(reply.claims),
    }


def moved_lines(rows: Sequence[Mapping[str, Any]], count: int, shown: Shown) -> list[str]:
    """Return the rows of questions that moved, of `count`, for people."""
    if not rows:
        return []
    answers = "gold" in rows[0]
    head = "+ is right, then the confidence" if answers else ""
    head = head or "rank of the first relevant article, A -> B"
    lines = ["", f"{counted(count, 'question')} moved; {head}:"]
    for row in rows:
        lines.extend(map(_cut, _answers_moved(row, shown) if answers else _rank_moved(row, shown)))
    return lines


def _answers_moved(row: Mapping[str, Any], shown: Shown) -> list[str]:
    gold = shown(" / ".join(row["gold"])) or "(none)"
    lines = [f"{row['gain']:+.2f} {shown(row['question']) or row['id']}", f"      gold {gold}"]
    for name, reply in (("A", row["a"]), ("B", row["b"])):
        short = f"{shown(reply['short_answer'])} | " if reply["short_answer"] else ""
        answer = short + shown(reply["claims"][0]) if reply["claims"] else "no answer"
        mark = "+" if reply["right"] else "-"
        lines.append(f"    {mark} {name} {reply['confidence']:.2f} {answer}")
    return lines


def _rank_moved(row: Mapping[str, Any], shown: Shown) -> list[str]:
    ranks = f"{row['rank_a'] or '-':>4} -> {row['rank_b'] or '-':<4}"
    lines = [f"{ranks} {shown(row['question']) or row['id']}"]
    firsts = {"A": row["first_a"], "B": row["first_b"]}
    if row["first_a"] == row["first_b"]:
        firsts = {" ": row["first_a"]}
    for label, first in firsts.items():
        title = shown(first["title"]) or first["article_id"] or "nothing"
        lines.append(f"{'':<13}{label} {title}")
    return lines
