"""Writes the report of runs, searches or answers: one HTML file, without scripts.

Article text is hostile: whatever comes from a set, a run or the archive is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from eval import compare, markup, measures, plots
from eval.compare import Score, Summary
from eval.markup import beside, escaped, figure, section, table, tag
from eval.measures import MEANINGS, Measure, Pair, Reply, values
from eval.plots import Curve, Series
from eval.questions import FIRST, FOLLOW_UP, OPENING, Question, relevant_in
from eval.runs import DEPTH, Run, TextsOf
from eval.tables import BY_ARTICLE, GIVEN, figure_of, remarks, star_of
from index.errors import InputError
from index.text import counted
from qa.question.answer_type import answer_type

WORST = 20
SMALL = 5
"""Questions of a kind or a year from which it is shown by itself."""


def set_of(run: Run) -> Path:
    """Return the folder of the set that a run asked; raises InputError if it is not there."""
    folder = Path(run.provenance.set_path) if run.provenance else Path()
    if run.provenance is None or not folder.is_dir():
        raise InputError(f"The set of {run.name!r} is not known here: name it with --set SET.")
    return folder


def search_page(
    name: str,
    relevant: Mapping[str, Mapping[str, int]],
    runs: Sequence[Run],
    dates_of: TextsOf | None,
) -> str:
    """Return the report of judged searches on the set called `name`, compared with the first.

    `dates_of` looks up when articles were published; without it the years are left out.
    """
    years = _years(relevant, runs, dates_of)
    found = [compare.summarise(run) for run in runs]
    parts = [
        section("Measures", *_measures(runs, found)),
        section("Against the first run", *_comparisons(runs)),
        section("By kind of question", *_by_group(runs, "kind", _kinds(runs))),
        section("By year of the relevant article", *_by_group(runs, "year", years)),
        section("Recall by depth", _recall(relevant, runs)),
        section("Time a question takes", *_times(runs)),
        section("The worst questions", _worst_searches(runs)),
        section("How the runs were made", *(markup.made(r.name, r.provenance) for r in runs)),
    ]
    head = f"{counted(len(relevant), 'judged question')} · {counted(len(runs), 'run')}"
    return markup.document(f"Retrieval on {name}", head, parts)


def answers_page(runs: Sequence[Run]) -> str:
    """Return the report of one or more runs of answers, compared with the first of them."""
    about = runs[0].provenance
    found = [compare.summarise(run) for run in runs]
    conversations = [_group(runs, found, part) for part in (FOLLOW_UP, OPENING)]
    parts = [
        section("Measures", *_measures(runs, found)),
        section("Against the first run", *_comparisons(runs)),
        section("Answering only where it is sure", *_risk(runs)),
        section("Confidence against accuracy", *_reliability(runs)),
        section("By kind of question", *_by_group(runs, "kind", _kinds(runs))),
        section("Conversations", beside(*conversations)),
        section("Answered wrong, the most confident first", *_wrong(runs, answerable=True)),
        section("Answered, but unanswerable", *_wrong(runs, answerable=False)),
        section("Answerable, but not answered", *_declined(runs)),
        section("How the answers were made", *(markup.made(r.name, r.provenance) for r in runs)),
    ]
    head = f"{about.questions:,} questions · {about.articles:,} articles" if about else ""
    return markup.document(f"Answers on {about.set_name if about else 'a set'}", head, parts)


# Measures ----------------------------------------------------------------------------------------


def _measures(runs: Sequence[Run], found: Sequence[Summary]) -> list[str]:
    answers = runs[0].of_answers
    if answers:
        more = _group(runs, found, "citations") + _group(runs, found, "abstention")
        parts = [beside(_group(runs, found, "answers"), more)]
    else:
        parts = [beside(_group(runs, found, "articles"), figure(_dots(runs, found)))]
    for run, summary in zip(runs, found, strict=True):
        remark = " ".join(remarks(summary, run.threshold if answers else None))
        if remark:
            parts.append(f"<p>{escaped(f'{run.name}: {remark}' if len(runs) > 1 else remark)}</p>")
    parts.append(
        "<p>Below each figure its 95% bootstrap interval and the number of questions. A question "
        "without an answer, or without articles, scores 0; it does not vanish.</p>"
    )
    if any(run.by_article for run in runs):
        parts.append(f"<p>* {escaped(BY_ARTICLE)}.</p>")
    return parts


def _group(runs: Sequence[Run], found: Sequence[Summary], name: str) -> str:
    """Return a group of measures as a table, a column a run; nothing if none applies."""
    group = next(g for g in (*measures.SEARCHES, *measures.ANSWERS) if g.name == name)
    columns = [{s.measure: s for s in summary.groups[name]} for summary in found]
    names = list(dict.fromkeys(name for scores in columns for name in scores))
    if not names:
        return ""
    rows = [
        [
            f"{escaped(name)}<small>{escaped(MEANINGS[name])}</small>",
            *(_cell(scores.get(name), run) for scores, run in zip(columns, runs, strict=True)),
        ]
        for name in names
    ]
    heads = [run.name for run in runs] if len(runs) > 1 else ["value"]
    return f"<h3>{escaped(group.heading.capitalize())}</h3>{table(['measure', *heads], rows)}"


def _cell(score: Score | None, run: Run) -> str:
    if score is None:
        return ""
    value, low, high = (figure_of(score.measure, v) for v in (score.value, score.low, score.high))
    return (
        f"{value}{star_of(score.measure, run)}<small>{low} – {high} · {score.questions:,}</small>"
    )


def _dots(runs: Sequence[Run], found: Sequence[Summary]) -> str:
    columns = [{s.measure: s for s in summary.groups["articles"]} for summary in found]
    names = list(dict.fromkeys(name for scores in columns for name in scores))
    series = [
        Series(
            run.name,
            [scores[n].value if n in scores else None for n in names],
            [(scores[n].low, scores[n].high) if n in scores else (0.0, 0.0) for n in names],
        )
        for run, scores in zip(runs, columns, strict=True)
    ]
    return plots.dots("measures", names, series, "mean, 95% interval")


def _comparisons(runs: Sequence[Run]) -> list[str]:
    tables = []
    for number, other in enumerate(runs[1:], start=1):
        if found := compare.compare(runs[0], other):
            tables.append(markup.comparison(number, other.name, found))
    if tables:
        tables.append(markup.COMPARED)
    if tables and runs[0].of_answers:
        tables.append(f"<p>{escaped(GIVEN)}</p>")
    return tables


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


def _by_group(runs: Sequence[Run], label: str, groups: Mapping[str, str]) -> list[str]:
    """Return plot and tables of the main measures by group; small groups are put together."""
    sizes = Counter(groups.values())
    names = sorted(group for group, size in sizes.items() if size >= SMALL)
    if not names:
        return []
    known = {q.id for run in runs for q, _ in run.pairs(FIRST) if q.answerable}
    places = {name: {i for i in known if groups.get(i) == name} for name in names}
    if rest := known - set().union(*places.values()):
        places["other or unknown" if label == "year" else "rare kinds"] = rest
    labels = [f"{name} ({len(ids)})" for name, ids in places.items()]
    used = _of_groups(runs[0].of_answers)
    series, tables = [], []
    for number, run in enumerate(runs):
        pairs = [[p for p in run.pairs(FIRST) if p[0].id in ids] for ids in places.values()]
        means = [[compare.mean(values(m, some)) for m in used] for some in pairs]
        series.append(Series(run.name, [row[0] for row in means]))
        rows = [
            [escaped(place), *("" if v is None else f"{v:.4f}" for v in row)]
            for place, row in zip(labels, means, strict=True)
        ]
        heads = [f"{label} (questions)", *(m.name for m in used)]
        tables.append(_headed(runs, number) + table(heads, rows))
    drawn = figure(plots.bars(label, labels, series, used[0].name))
    return [beside(drawn, "".join(tables))]


def _of_groups(answers: bool) -> list[Measure]:
    """Return the measures that are shown by group, the one that is drawn first."""
    names = ("accuracy", "coverage", "precision", "EM") if answers else ("RR@10", "R@10", "ans@1")
    group = measures.ANSWERS[0] if answers else measures.SEARCHES[0]
    return [m for name in names for m in group.measures if m.name == name]


def _headed(runs: Sequence[Run], number: int) -> str:
    return f"<h3>{tag(number, runs[number].name)}</h3>" if len(runs) > 1 else ""


# Searches: depth, time, and the worst ------------------------------------------------------------


def _recall(relevant: Mapping[str, Mapping[str, int]], runs: Sequence[Run]) -> str:
    series = []
    for run in runs:
        ranked = {i: reply.articles for i, reply in run.replies.items()}
        found = measures.recall_by_depth(relevant, ranked, DEPTH)
        series.append(Series(run.name, found.tolist()))
    return figure(plots.lines("depth", series, "articles looked at", "recall"))


def _times(runs: Sequence[Run]) -> list[str]:
    series = [
        Series(run.name, [r.milliseconds for r in run.replies.values() if r.milliseconds])
        for run in runs
    ]
    if not any(one.values for one in series):
        return []
    return [figure(plots.histogram("time", series, "milliseconds", "questions"))]


def _worst_searches(runs: Sequence[Run]) -> str:
    """Return the questions that the runs together do worst on, with what each found first."""

    def figures(question: str, name: str) -> list[float]:
        return [run.replies[question].figures.get(name) or 0.0 for run in runs]

    # Of questions that no run answers among the first ten, those found nowhere come first.
    failed = [
        (sum(figures(i, "RR@10")) + sum(figures(i, "R@100")) / 100, i)
        for i in runs[0].questions
        if min(figures(i, "RR@10")) < 1
    ]
    return "".join(_searched(runs, runs[0].questions[i]) for _, i in sorted(failed)[:WORST])


def _searched(runs: Sequence[Run], question: Question) -> str:
    rows = []
    for number, run in enumerate(runs):
        reply = run.replies[question.id]
        rank = str(reply.figures["rank"] or "not found")
        rows.append([tag(number, run.name), rank, _found_first(reply)])
    return _folded(
        question.text or question.id,
        question.id,
        {"Gold answer": " / ".join(question.answers)},
        table(["run", "rank", "found first"], rows, "found"),
    )


def _found_first(reply: Reply) -> str:
    if not reply.found:
        return escaped(reply.articles[0] if reply.articles else "nothing")
    best = reply.found[0]
    return _article(best.title or best.article_id, best.publisher, best.published, best.text)


# Answers: confidence, and what went wrong --------------------------------------------------------


def _risk(runs: Sequence[Run]) -> list[str]:
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
        curves.append(Curve(run.name, share.tolist(), risk.tolist(), mark))
    if not curves:
        return []
    drawn = plots.curves("risk", curves, "share of all questions answered", "share of those wrong")
    note = (
        "<p>Of all questions, unanswerable ones too, only those of most confidence are answered. "
        "The dot is the threshold in use. What the chat held back is judged as if it had been "
        "shown. AURC, above, is the area under the curve.</p>"
    )
    return [beside(figure(drawn), note)]


def _reliability(runs: Sequence[Run]) -> list[str]:
    curves, tables = [], []
    for number, run in enumerate(runs):
        bins = measures.reliability(*measures.by_rightness(run.pairs(FIRST)))
        if not bins:
            continue
        curves.append(Curve(run.name, [b.confidence for b in bins], [b.accuracy for b in bins]))
        rows = [
            [
                f"{b.low:.1f} – {b.high:.1f}",
                f"{b.questions:,}",
                f"{b.confidence:.3f}",
                f"{b.accuracy:.3f}",
            ]
            for b in bins
        ]
        heads = ["confidence", "questions", "its mean", "right"]
        tables.append(_headed(runs, number) + table(heads, rows))
    if not curves:
        return []
    drawn = figure(plots.curves("sure", curves, "confidence", "share right", even=True))
    return [beside(drawn, "".join(tables))]


def _wrong(runs: Sequence[Run], *, answerable: bool) -> list[str]:
    """Return what was answered wrong with most confidence, follow-ups among it."""
    what = "wrong answers" if answerable else "answers"
    found = []
    for number, run in enumerate(runs):
        wrong = [
            (question, reply)
            for question, reply in run.pairs()
            if reply.answered
            and question.answerable == answerable
            and (not answerable or measures.right(question, reply) == 0)
        ]
        found.append(_listed(runs, number, wrong, what))
    return found


def _declined(runs: Sequence[Run]) -> list[str]:
    """Return what was declined though the answer held back was right."""
    found = []
    for number, run in enumerate(runs):
        silent = [
            (question, reply)
            for question, reply in run.pairs()
            if not reply.answered and reply.figures.get("would_show") == 1
        ]
        found.append(_listed(runs, number, silent, "held back, though a gold string was found"))
    return found


def _listed(runs: Sequence[Run], number: int, pairs: Sequence[Pair], what: str) -> str:
    if not pairs:
        return ""
    first = sorted(pairs, key=lambda pair: (-pair[1].confidence, pair[0].id))[:WORST]
    count = f"<p>{len(pairs):,} {what}; shown are {len(first)}.</p>"
    return _headed(runs, number) + count + "".join(_answered(*pair) for pair in first)


def _answered(question: Question, reply: Reply) -> str:
    notes = {
        "Understood as": reply.standalone if reply.standalone != question.text else "",
        "Gold answer": " / ".join(question.answers),
        "Short answer": reply.short,
    }
    quotes = [c.quote for c in reply.citations]
    more = "".join(
        f"<p>{escaped(_cut(claim))}</p>"
        for claim in reply.claims
        if not any(claim in quote for quote in quotes)
    )
    rows = [
        [str(c.number), _article(c.title or c.article_id, c.publisher, c.published, c.quote)]
        for c in reply.citations
    ]
    cited = table(["", "cited"], rows, "found") if rows else ""
    return _folded(question.text, f"{reply.confidence:.2f} · {question.id}", notes, more + cited)


# Parts of both -----------------------------------------------------------------------------------


def _folded(title: str, origin: str, notes: Mapping[str, str], rest: str) -> str:
    """Return a question that unfolds to what is known of it; `rest` is HTML already."""
    lines = "".join(f"<p>{name}: {escaped(note)}</p>" for name, note in notes.items() if note)
    summary = f"<summary>{escaped(title)} <small>{escaped(origin)}</small></summary>"
    return f"<details>{summary}{lines}{rest}</details>"


def _article(title: str, publisher: str, published: str, text: str) -> str:
    origin = " · ".join(part for part in (publisher, published) if part)
    head = f"<b>{escaped(title)}</b> <small>{escaped(origin)}</small>"
    return f"{head}<br>{escaped(_cut(text))}"


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:399]}…"
