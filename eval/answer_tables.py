"""What the command line prints of answers: tables that fit 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from eval.answer_compare import Moved, Score, Summary
from eval.answer_scores import FOLLOW_UP, OPENING, Reply
from eval.scores import Comparison
from index.text import counted

WIDTH = 80
HEADS = {
    "answers": "answerable questions",
    "citations": "their citations, and every claim",
    "abstention": "when to be silent",
    OPENING: "first turns of conversations",
    FOLLOW_UP: "follow-ups",
}
MEANINGS = {
    "accuracy": "a gold string is shown",
    "coverage": "answered",
    "precision": "accuracy of what is answered",
    "EM": "short answer is a gold string",
    "F1": "words of the short answer",
    "short": "answers with a short answer",
    "EM given": "short answers that are right",
    "words": "length of an answer",
    "cit recall": "relevant article, quote has gold",
    "cit prec": "citations to the point",
    "verbatim": "quotes as archived",
    "borne out": "claims that their quotes prove",
    "declined": "unanswerable, not answered",
    "right given": "right, of all answers given",
    "right": "right answer, or rightly silent",
    "AUROC": "confidence tells answerable apart",
    "AURC": "risk over coverage; low is good",
    "ECE": "error of confidence; low is good",
    "understood": "standalone as it must be",
    "other story": "answers that cite only another",
}
GIVEN = "Measures of answers given are over the questions that both answered."
Shown = Callable[[str], str]


def score_lines(found: Summary, version: str, threshold: float) -> list[str]:
    """Return the table of one folder's measures, a line a measure."""
    lines = [
        f"{counted(found.questions, 'question')} asked of version {version}",
        f"{'measure':<13}{'value':>8}  95% interval    {'of':>7}",
    ]
    for group, scores in found.groups.items():
        if scores:
            lines.append(HEADS[group])
            lines.extend(_score_line(score) for score in scores)
    return lines + [part for each in remarks(found, threshold) for part in _wrapped(each)]


def _wrapped(remark: str) -> list[str]:
    return textwrap.wrap(remark, WIDTH)


def _score_line(score: Score) -> str:
    value, low, high = (figure_of(score.measure, v) for v in (score.value, score.low, score.high))
    interval = f"[{low}, {high}]"
    told = MEANINGS[score.measure]
    return f"  {score.measure:<11}{value:>8}  {interval:<16}{score.questions:>7,}  {told}"


def figure_of(measure: str, value: float) -> str:
    """Return a figure as it is shown."""
    return f"{value:.1f}" if measure == "words" else f"{value:.4f}"[:6]


def remarks(found: Summary, threshold: float) -> list[str]:
    """Return what the figures do not tell: the threshold, time, who wrote, what was left out."""
    coverage = next((s.value for s in found.groups["answers"] if s.measure == "coverage"), 0.0)
    declined = next((s.value for s in found.groups["abstention"] if s.measure == "declined"), 1.0)
    told = f"At min_confidence {threshold:g}: answered are {coverage:.1%} of the "
    told += f"{found.answerable:,} answerable questions"
    if found.unanswerable:
        told += f" and {1 - declined:.1%} of the {found.unanswerable:,} unanswerable ones"
    lines = [
        f"{told}.",
        f"A question takes {found.median:.0f} ms (median), {found.slow:.0f} ms (95th percentile).",
    ]
    if set(found.answerers) - {"extractive"}:
        wrote = ", ".join(f"{name} {count:,}" for name, count in found.answerers.items())
        lines.append(f"Answers written by {wrote}.")
    if found.without_gold:
        lines.append(
            f"{found.without_gold:,} answerable questions have no gold string: they count in "
            "coverage only."
        )
    return lines


def compare_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the table of a comparison, a line a measure."""
    lines = [f"{'measure':<12}{'A':>7}{'B':>8}{'B - A':>9}  95% interval       p       +/=/-"]
    lines.extend(
        f"{c.measure:<12}{c.a:>7.4f}{c.b:>8.4f}{c.b - c.a:>+9.4f}  "
        f"[{c.low:+.3f}, {c.high:+.3f}]   {c.p:.4f}  {_moves(c)}"
        for c in comparisons
    )
    return [*lines, GIVEN]


def _moves(c: Comparison) -> str:
    return f"{c.wins}/{c.ties}/{c.losses}" if c.wins + c.ties + c.losses else ""


def moved_rows(moved: Sequence[Moved]) -> list[dict[str, Any]]:
    """Return what moved, ready for JSON."""
    return [
        {
            "id": m.a.id,
            "question": m.a.question,
            "gold": list(m.a.gold),
            "gain": round(m.gain, 4),
            **{name: _side(reply) for name, reply in (("a", m.a), ("b", m.b))},
        }
        for m in moved
    ]


def _side(reply: Reply) -> dict[str, Any]:
    return {
        "right": None if reply.right is None else bool(reply.right),
        "status": reply.status,
        "confidence": reply.confidence,
        "short_answer": reply.short,
        "claims": list(reply.claims),
    }


def moved_lines(moved: Sequence[Moved], shown: Shown) -> list[str]:
    """Return the questions that moved: text, gold string, what A and B answered."""
    lines = []
    for each in moved:
        told = shown(" / ".join(each.a.gold)) if each.a.answerable else "(unanswerable)"
        lines.append(_cut(f"{each.gain:+.2f} {shown(each.a.question) or each.a.id}"))
        lines.append(_cut(f"      gold {told}"))
        for name, reply in (("A", each.a), ("B", each.b)):
            mark = "+" if reply.right else "-"
            lines.append(_cut(f"    {mark} {name} {reply.confidence:.2f} {_said(reply, shown)}"))
    return lines


def _said(reply: Reply, shown: Shown) -> str:
    if not reply.claims:
        return "no answer"
    short = f"{shown(reply.short)} | " if reply.short else ""
    return short + shown(reply.claims[0])


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1].rstrip()}…"


def as_json(found: Summary) -> dict[str, Any]:
    """Return a folder's measures ready for JSON."""
    return asdict(found)
