"""Judges one turn of the chat: text against gold strings, citations against the archive."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from eval import answer_scores
from eval.answer_scores import Figures
from eval.datasets import Question
from index import text
from index.records import Answer, Citation, Passage, Turn
from qa import answers, support
from qa.chat import Chat


@dataclass(frozen=True, slots=True)
class Meaning:
    """How a follow-up must be understood: its own words alone, or with some words, without others.

    One of `words` may name several, of which one must be there: "beras|padi".
    """

    alone: bool
    words: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the part that it has in the measures, and how it must be understood."""

    question: Question
    part: str
    meaning: Meaning | None = None


def figures(chat: Chat, asked: Asked, turn: Turn, relevant: Set[str]) -> Figures:
    """Return what an answer is worth; `relevant` are the articles judged so, if there are any."""
    one, answer = asked.question, turn.answer
    found = Figures()
    if asked.meaning:
        found = replace(found, understood=float(is_meant(asked, turn.query.text)))
    if answer.claims:
        quotes = {c.number: c.quote for c in answer.citations}
        borne = [bears_out(c.text, [quotes[n] for n in c.cited]) for c in answer.claims]
        proven = [_is_verbatim(chat, citation) for citation in answer.citations]
        found = replace(
            found,
            words=float(sum(len(claim.text.split()) for claim in answer.claims)),
            verbatim=sum(proven) / len(proven),
            borne_out=sum(borne) / len(borne),
        )
    gold = [string for string in one.answers if answer_scores.folded(string)]
    return _against(found, chat, answer, gold, relevant) if one.answerable and gold else found


def _against(
    found: Figures, chat: Chat, answer: Answer, gold: Sequence[str], relevant: Set[str]
) -> Figures:
    """Return the figures with those that gold strings give."""
    shown = _shows(answer, gold)
    held = answer if answer.claims else _held_back(chat, answer)
    found = replace(
        found,
        shown=float(shown),
        would_show=float(_shows(held, gold)),
        exact=answer_scores.exact(answer.short_answer, gold),
        overlap=answer_scores.overlap(answer.short_answer, gold),
    )
    if not relevant:
        return found
    right = [c.passage.article_id in relevant for c in answer.citations]
    holding = [answer_scores.holds(c.quote, gold) for c in answer.citations]
    useful = sum(map(max, right, holding)) / len(right) if right else None
    return replace(found, cited=float(any(map(min, right, holding))), relevant=useful)


def _shows(answer: Answer, gold: Sequence[str]) -> bool:
    return any(answer_scores.holds(claim.text, gold) for claim in answer.claims)


def _held_back(chat: Chat, answer: Answer) -> Answer:
    """Return what archived sentences would have answered, had the chat been sure enough."""
    settings = replace(chat.settings.answers, min_confidence=0.0)
    spare = answers.ExtractiveAnswerer(settings)

    def body_of(passage: Passage) -> str | None:
        article = chat.article(passage.article_id, passage.content)
        return article.body if article else None

    *_, last = answers.answer(answer.evidence, spare, body_of, settings)
    return last


def _is_verbatim(chat: Chat, citation: Citation) -> bool:
    article = chat.article(citation.passage.article_id, citation.passage.content)
    body = article.body if article else ""
    return bool(citation.quote) and body[citation.start : citation.end] == citation.quote


_LEAST_SHARED = 0.6


def bears_out(claim: str, quotes: Sequence[str]) -> bool:
    """Tell whether the quotes hold a claim's names, numbers and dates and do not speak against it.

    Most of its other words must stand there too. A part of a quote is borne out by it. The quotes
    alone count: what only a headline or a date of publication holds is not borne out.
    """
    if any(" ".join(claim.split()) in " ".join(quote.split()) for quote in quotes):
        return True
    said = " ".join(quotes)
    mine, theirs = text.words(claim), text.words(said)
    stems, held = set(text.query_stems(claim)), set(text.stems(said))
    if not held or not _must_stand(claim, mine) <= held:
        return False
    if len(stems & held) < _LEAST_SHARED * len(stems):
        return False
    if support.NEGATORS & set(mine) != support.NEGATORS & set(theirs):
        return False
    return not support.opposed(mine, theirs)


def _must_stand(claim: str, words: Sequence[str]) -> set[str]:
    """Return the stems of a claim's names, numbers and dates."""
    stems = set(text.stems(claim))
    # A date in figures is told by what stands around it, so its words are those of all the claim.
    names = text.names_and_numbers(claim) & stems
    spelled = text.stems(" ".join(word for word in words if word in text.NUMERALS))
    return names | {stem for stem in stems if stem[0].isdigit()} | set(spelled)


def is_meant(asked: Asked, standalone: str) -> bool:
    """Tell whether a follow-up was understood as its row says, by its words' stems."""
    meaning = asked.meaning
    if meaning is None:
        return False
    if meaning.alone:
        same = standalone.rstrip("?").casefold() == asked.question.text.rstrip("?").casefold()
        if not meaning.words:
            return same
    said = set(text.stems(standalone))
    wanted = (any(set(text.stems(w)) <= said for w in each.split("|")) for each in meaning.words)
    return all(wanted) and not any(set(text.stems(word)) & said for word in meaning.absent)
