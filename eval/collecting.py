"""Makes a question set of what people asked the chat and what they said of its answers.

No owner's name reaches the set, and nothing of the free words that came with a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from eval import questions as sets
from eval.questions import Question, archived_id
from index import text
from index.archive import BATCH, Archive
from index.errors import InputError
from index.reading import publishers
from index.records import Filter, Turn
from qa.history import KeptTurn

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)

_Key = tuple[str, Filter]


@dataclass(slots=True)
class Collected:
    """What became a set: questions, with a label among them, and what a person should know."""

    questions: int = 0
    right: int = 0
    corrected: int = 0
    unanswerable: int = 0
    unlabelled: int = 0
    repeated: int = 0
    notes: list[str] = field(default_factory=list)


def collect(
    kept: Iterable[KeptTurn], archive: Archive, out: Path, *, judged_only: bool = False
) -> Collected:
    """Write what was asked as a set to `out`, the first asked first; return what it holds.

    A follow-up is asked as it was understood, with the filter that was understood; any other as it
    was typed. The same question, but for case and signs, with the same filter stands once, and its
    newest verdict counts. Good: the answer that was shown is right and its articles are relevant; a
    silence that was right makes the question unanswerable. Bad: the answer that the person gave
    is right and the article named relevant; without one the question has no label. Raises
    InputError if nothing was asked.
    """
    groups: dict[_Key, list[KeptTurn]] = {}
    for each in kept:
        if each.turn and (each.verdict or not judged_only):
            groups.setdefault(_key(each, each.turn), []).append(each)
    if not groups:
        raise InputError(
            "Nothing was asked in the chat of this home yet that is kept"
            + (" and judged" if judged_only else "")
            + ": ask in the browser (`tanya serve`), with keep = true under [chat]."
        )
    made = Collected(len(groups), repeated=sum(map(len, groups.values())) - len(groups))
    ids_of = _named_articles(archive, groups.values())
    asked, relevant = [], {}
    for number, ((_, chosen), turns) in enumerate(groups.items(), start=1):
        question = Question(f"asked-{number:04d}", _text(turns[0]), filter=chosen)
        labelled, articles = _labelled(question, turns, ids_of, made)
        asked.append(labelled)
        if articles:
            relevant[question.id] = dict.fromkeys(articles, 1)
    sets.write(out, asked, relevant)
    return made


def _key(kept: KeptTurn, turn: Turn) -> _Key:
    # The authors of a filter have no place in a set.
    understood = turn.query.filter if kept.number > 1 or turn.query.read.dated else kept.chosen
    chosen = Filter(understood.after, understood.before, understood.publishers)
    return text.squeezed(_text(kept)), chosen


def _text(kept: KeptTurn) -> str:
    """Return a question as it can be asked alone."""
    asked = kept.turn.query.text if kept.turn and kept.number > 1 else kept.question
    return " ".join(asked.split())


def _labelled(
    question: Question, turns: list[KeptTurn], ids_of: Mapping[str, str], made: Collected
) -> tuple[Question, list[str]]:
    """Return a question with what its newest verdict says, and the relevant articles."""
    said = sorted(
        (t for t in turns if t.verdict), key=lambda t: t.verdict.given if t.verdict else t.asked
    )
    if len({t.verdict.good for t in said if t.verdict}) > 1:
        made.notes.append(f"{question.id} was called right and wrong: the newest verdict counts.")
    newest = said[-1] if said else None
    verdict, turn = (newest.verdict, newest.turn) if newest else (None, None)
    if verdict is None or turn is None:
        made.unlabelled += 1
        return question, []
    answer = turn.answer
    if verdict.good and not answer.claims:
        made.unanswerable += 1
        return _with(question, answerable=False), []
    if verdict.good:
        made.right += 1
        shown = [answer.short_answer] if answer.short_answer else [c.text for c in answer.claims]
        cited = {a for c in answer.citations for a in (c.passage.article_id, *c.also_in)}
        return _with(question, shown), sorted(cited)
    article = ids_of.get(verdict.right_article, "")
    if verdict.right_article and not article:
        made.notes.append(
            f"{question.id}: the article that was named is not in the archive: "
            f"{verdict.right_article!r:.120}."
        )
    if verdict.right_answer:
        made.corrected += 1
    else:
        made.unlabelled += 1
    return _with(question, [verdict.right_answer]), [article] if article else []


def _with(question: Question, answers: Iterable[str] = (), *, answerable: bool = True) -> Question:
    given = tuple(filter(None, (" ".join(answer.split()) for answer in answers)))
    return Question(question.id, question.text, given, answerable, filter=question.filter)


def _named_articles(archive: Archive, groups: Iterable[Iterable[KeptTurn]]) -> dict[str, str]:
    """Return the ids of the articles that verdicts name, by what people typed: id or address.

    An address of the chat's own page names the article that is open there.
    """
    typed = {t.verdict.right_article for turns in groups for t in turns if t.verdict} - {""}
    wanted = {name: parse_qs(urlsplit(name).query).get("artikel", [name])[0] for name in typed}
    ids = {name: archived_id(given) for name, given in wanted.items()}
    present = archive.present(list(ids.values()))
    found = {name: given for name, given in ids.items() if given in present}
    addresses = {
        publishers.canonical_url(name): name
        for name in typed - found.keys()
        if _ADDRESS.match(name)
    }
    every = sorted(archive.fingerprints()) if addresses else []
    for begin in range(0, len(every), BATCH):
        for article, _ in archive.articles(every[begin : begin + BATCH]):
            if article.url and (name := addresses.get(publishers.canonical_url(article.url))):
                found[name] = article.id
    return found
