"""Writes the report of answers: measures, how far confidence can be trusted, what went wrong.

Article text is hostile: whatever comes from a folder of answers is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval import answer_compare, answer_scores, markup, plots
from eval.answer_compare import Score, Summary
from eval.answer_scores import FIRST, FOLLOW_UP, OPENING, Cited, Reply, values
from eval.answer_tables import GIVEN, HEADS, MEANINGS, figure_of, remarks
from eval.answers import Folder
from eval.markup import escaped, figure, section, table, tag
from eval.plots import Curve, Series
from eval.scores import mean
from qa.question.answer_type import answer_type

WORST = 20
_SMALL = 5
"""Questions of a kind from which it is shown by itself."""
_KIND_MEASURES = {
    "accuracy": answer_scores.accuracy,
    "coverage": answer_scores.coverage,
    "precision": answer_scores.precision,
    "EM": answer_scores.exact_match,
}


@dataclass(frozen=True, slots=True)
class _Read:
    """A folder, its first questions, and its measures."""

    folder: Folder
    first: tuple[Reply, ...]
    summary: Summary

    @property
    def name(self) -> str:
        return self.folder.name


def page(folders: Sequence[Folder]) -> str:
    """Return the report of one or more folders of answers, compared with the first of them."""
    read = [_read(folder) for folder in folders]
    about = folders[0].made.provenance
    parts = [
        section("Measures", *_measures(read)),
        section("Against the first", *_comparisons(folders)),
        section("Answering only where it is sure", *_risk(read)),
        section("Confidence against accuracy", *_reliability(read)),
        section("By kind of question", *_kinds(read)),
        section("Conversations", *_conversations(read)),
        section("Answered wrong, the most confident first", *_worst(read, answerable=True)),
        section("Answered, but unanswerable", *_worst(read, answerable=False)),
        section("Answerable, but not answered", *_declined(read)),
        section("How the answers were made", *(_made(folder) for folder in folders)),
    ]
    head = f"{about.questions:,} questions · {about.articles:,} articles"
    return markup.document(f"Answers on {about.set_name}", head, [part for part in parts if part])


def _read(folder: Folder) -> _Read:
    first = tuple(reply for reply in folder.replies if reply.part == FIRST)
    return _Read(folder, first, answer_compare.summary(folder.replies))


# Measures ----------------------------------------------------------------------------------------


def _measures(read: Sequence[_Read]) -> list[str]:
    answers = _groups(read, "answers")
    found = [_beside(answers, _groups(read, "citations", "abstention"))]
    for each in read:
        told = " ".join(remarks(each.summary, each.folder.threshold))
        found.append(f"<p>{escaped(f'{each.name}: {told}' if len(read) > 1 else told)}</p>")
    found.append(
        "<p>Below each figure its 95% bootstrap interval and the number of questions. A question "
        "that is not answered scores 0; it does not vanish.</p>"
    )
    return found


def _beside(*columns: str) -> str:
    """Return parts side by side, where the page is wide enough."""
    return f'<div class="pair">{"".join(f"<div>{column}</div>" for column in columns)}</div>'


def _groups(read: Sequence[_Read], *names: str) -> str:
    """Return groups of measures under their headings; nothing of one that does not apply."""
    return "".join(
        f"<h3>{escaped(HEADS[name].capitalize())}</h3>{_group(read, name)}"
        for name in names
        if any(each.summary.groups[name] for each in read)
    )


def _group(read: Sequence[_Read], group: str) -> str:
    """Return a group's measures as a table, a column a folder."""
    by_name = [{s.measure: s for s in each.summary.groups[group]} for each in read]
    names = list(dict.fromkeys(name for scores in by_name for name in scores))
    rows = [
        [
            f"{escaped(name)}<small>{escaped(MEANINGS[name])}</small>",
            *(_cell(scores.get(name)) for scores in by_name),
        ]
        for name in names
    ]
    return table(["measure", *_names(read)], rows)


def _names(read: Sequence[_Read]) -> list[str]:
    return [each.name for each in read] if len(read) > 1 else ["value"]


def _cell(score: Score | None) -> str:
    if score is None:
        return ""
    value, low, high = (figure_of(score.measure, v) for v in (score.value, score.low, score.high))
    return f"{value}<small>{low} – {high} · {score.questions:,}</small>"


def _comparisons(folders: Sequence[Folder]) -> list[str]:
    tables = []
    for number, other in enumerate(folders[1:], start=1):
        pairs = answer_compare.paired(folders[0].replies, other.replies)
        if pairs:
            tables.append(markup.comparison(number, other.name, answer_compare.compare(pairs)))
    return [*tables, markup.COMPARED, f"<p>{escaped(GIVEN)}</p>"] if tables else []


# Confidence --------------------------------------------------------------------------------------


def _risk(read: Sequence[_Read]) -> list[str]:
    """Return the risk-coverage curves, with the threshold in use on each."""
    lines = []
    for each in read:
        sure, good = answer_scores.judged(each.first)
        risk = answer_scores.risk_by_coverage(sure, good)
        if not len(risk):
            continue
        share = np.arange(1, len(risk) + 1) / len(risk)
        over = int((sure >= each.folder.threshold).sum())
        mark = (float(share[over - 1]), float(risk[over - 1])) if over else None
        lines.append(Curve(each.name, share.tolist(), risk.tolist(), mark))
    if not lines:
        return []
    drawn = plots.curves("risk", lines, "share of all questions answered", "share of those wrong")
    note = (
        "<p>Of all questions, unanswerable ones too, only those of most confidence are answered. "
        "The dot is the threshold in use. What the chat held back is judged as if it had been "
        "shown. AURC, above, is the area under the curve.</p>"
    )
    return [_beside(figure(drawn), note)]


def _reliability(read: Sequence[_Read]) -> list[str]:
    lines, tables = [], []
    for number, each in enumerate(read):
        bins = answer_scores.reliability(*answer_scores.judged(each.first))
        if not bins:
            continue
        lines.append(Curve(each.name, [b.confidence for b in bins], [b.accuracy for b in bins]))
        rows = [
            [
                f"{b.low:.1f} – {b.high:.1f}",
                f"{b.questions:,}",
                f"{b.confidence:.3f}",
                f"{b.accuracy:.3f}",
            ]
            for b in bins
        ]
        head = f"<h3>{tag(number, each.name)}</h3>" if len(read) > 1 else ""
        tables.append(head + table(["confidence", "questions", "its mean", "right"], rows))
    if not lines:
        return []
    drawn = figure(plots.curves("sure", lines, "confidence", "share right", even=True))
    return [_beside(drawn, "".join(tables))]


# Groups ------------------------------------------------------------------------------------------


def _kinds(read: Sequence[_Read]) -> list[str]:
    """Return accuracy by kind of question as plot and table; small kinds are put together."""
    asked = {r.id: answer_type(r.question) for each in read for r in each.first if r.answerable}
    sizes: dict[str, int] = {}
    for kind in asked.values():
        sizes[kind] = sizes.get(kind, 0) + 1
    kinds = sorted(kind for kind, size in sizes.items() if size >= _SMALL)
    if not kinds:
        return []
    rare = [kind for kind in sizes if kind not in kinds]
    groups = {kind: {kind} for kind in kinds} | ({"rare kinds": set(rare)} if rare else {})
    labels = [f"{name} ({sum(sizes[k] for k in some)})" for name, some in groups.items()]
    series, tables = [], []
    for number, each in enumerate(read):
        replies = [
            [r for r in each.first if r.answerable and asked[r.id] in some]
            for some in groups.values()
        ]
        found = [[mean(values(m, some)) for m in _KIND_MEASURES.values()] for some in replies]
        series.append(Series(each.name, [row[0] for row in found]))
        rows = [
            [escaped(label), *("" if v is None else f"{v:.3f}" for v in row)]
            for label, row in zip(labels, found, strict=True)
        ]
        head = f"<h3>{tag(number, each.name)}</h3>" if len(read) > 1 else ""
        tables.append(head + table(["kind (questions)", *_KIND_MEASURES], rows))
    drawn = figure(plots.bars("kind", labels, series, "accuracy"))
    return [_beside(drawn, "".join(tables))]


def _conversations(read: Sequence[_Read]) -> list[str]:
    found = [_groups(read, FOLLOW_UP), _groups(read, OPENING)]
    return [_beside(*found)] if any(found) else []


# Questions ---------------------------------------------------------------------------------------


def _worst(read: Sequence[_Read], *, answerable: bool) -> list[str]:
    """Return what was answered wrong with most confidence, follow-ups among it."""
    found = []
    for number, each in enumerate(read):
        wrong = [
            r
            for r in each.folder.replies
            if r.answered and r.answerable == answerable and r.right == 0
        ]
        if wrong:
            found.append(_listed(read, number, wrong, "wrong answers" if answerable else "answers"))
    return found


def _declined(read: Sequence[_Read]) -> list[str]:
    """Return what was declined though the answer held back was right."""
    found = []
    for number, each in enumerate(read):
        silent = [
            r for r in each.folder.replies if not r.answered and (r.figures.would_show or 0) == 1
        ]
        if silent:
            found.append(_listed(read, number, silent, "held back, though a gold string was found"))
    return found


def _listed(read: Sequence[_Read], number: int, some: Sequence[Reply], what: str) -> str:
    head = f"<h3>{tag(number, read[number].name)}</h3>" if len(read) > 1 else ""
    first = sorted(some, key=lambda r: (-r.confidence, r.id))[:WORST]
    told = f"<p>{len(some):,} {what}; shown are {len(first)}.</p>"
    return head + told + "".join(map(_one, first))


def _one(reply: Reply) -> str:
    """Return a question with its answer, folded up."""
    origin = f"{reply.confidence:.2f} · {reply.id}"
    parts = [f"<summary>{escaped(reply.question)} <small>{escaped(origin)}</small></summary>"]
    if reply.standalone != reply.question:
        parts.append(f"<p>Understood as: {escaped(reply.standalone)}</p>")
    if reply.gold:
        parts.append(f"<p>Gold answer: {escaped(' / '.join(reply.gold))}</p>")
    if reply.short:
        parts.append(f"<p>Short answer: {escaped(reply.short)}</p>")
    rows = [[str(c.number), _shown(c)] for c in reply.citations]
    extra = [claim for claim in reply.claims if all(claim not in c.quote for c in reply.citations)]
    parts.extend(f"<p>{escaped(_cut(claim))}</p>" for claim in extra)
    if rows:
        parts.append(table(["", "cited"], rows, "found"))
    return f"<details>{''.join(parts)}</details>"


def _shown(cited: Cited) -> str:
    origin = " · ".join(part for part in (cited.publisher, cited.published) if part)
    head = f"<b>{escaped(cited.title or cited.article_id)}</b> <small>{escaped(origin)}</small>"
    return f"{head}<br>{escaped(_cut(cited.quote))}"


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:399]}…"


def _made(folder: Folder) -> str:
    made = folder.made
    more = {"answers": markup.facts(made.answers)}
    if made.llm:
        more["language model"] = markup.facts(made.llm)
    if made.conversations:
        more["conversations"] = made.conversations
    return markup.made(folder.name, made.provenance, more)
