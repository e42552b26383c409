"""Judges one turn of the chat: text against gold strings, citations against the archive."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from eval.measures import Figures, exact, holds, normalised, overlap
from eval.questions import Question
from index import text
from index.records import Answer, Citation, Turn
from qa import answers, support
from qa.chat import Chat


def answer_figures(chat: Chat, asked: Question, turn: Turn, relevant: Set[str]) -> Figures:
    """Return what an answer is worth; `relevant` are the articles judged so, if there are any."""
    answer, meaning = turn.answer, asked.meaning
    found: dict[str, float | None] = dict.fromkeys(
        ("shown", "would_show", "exact", "overlap", "words", "cited", "relevant", "verbatim")
        + ("supported", "understood")
    )
    if meaning:
        found["understood"] = float(is_understood(asked, turn.query.text))
    if answer.claims:
        quotes = {c.number: c.quote for c in answer.citations}
        supported = [is_supported(c.text, [quotes[n] for n in c.cited]) for c in answer.claims]
        verbatim = [_is_verbatim(chat, citation) for citation in answer.citations]
        found["words"] = float(sum(len(claim.text.split()) for claim in answer.claims))
        found["verbatim"] = sum(verbatim) / len(verbatim)
        found["supported"] = sum(supported) / len(supported)
    gold = [string for string in asked.answers if normalised(string)]
    if asked.answerable and gold:
        found.update(_against_gold(chat, answer, gold, relevant))
    return found


def _against_gold(chat: Chat, answer: Answer, gold: Sequence[str], relevant: Set[str]) -> Figures:
    held = answer if answer.claims else _held_back(chat, answer)
    found = {
        "shown": float(_shows(answer, gold)),
        "would_show": float(_shows(held, gold)),
        "exact": exact(answer.short_answer, gold),
        "overlap": overlap(answer.short_answer, gold),
    }
    if not relevant:
        return found
    judged = [c.passage.article_id in relevant for c in answer.citations]
    holding = [holds(c.quote, gold) for c in answer.citations]
    useful = sum(map(max, judged, holding)) / len(judged) if judged else None
    return {**found, "cited": float(any(map(min, judged, holding))), "relevant": useful}


def _shows(answer: Answer, gold: Sequence[str]) -> bool:
    return any(holds(claim.text, gold) for claim in answer.claims)


def _held_back(chat: Chat, answer: Answer) -> Answer:
    """Return what archived sentences would have answered, had the chat been sure enough."""
    settings = replace(chat.settings.answers, min_confidence=0.0)
    extractive = answers.ExtractiveAnswerer(settings)
    *_, last = answers.answer(answer.evidence, extractive, chat.bodies(), settings)
    return last


def _is_verbatim(chat: Chat, citation: Citation) -> bool:
    article = chat.article(citation.passage.article_id, citation.passage.content)
    body = article.body if article else ""
    return bool(citation.quote) and body[citation.start : citation.end] == citation.quote


_LEAST_SHARED = 0.6


def is_supported(claim: str, quotes: Sequence[str]) -> bool:
    """Tell whether the quotes hold a claim's names, numbers and dates and do not speak against it.

    Most of its other words must stand there too; a part of a quote is supported by it. The chat's
    own check, recomputed of what is shown: what only a headline or a date of publication holds
    does not count.
    """
    if any(" ".join(claim.split()) in " ".join(quote.split()) for quote in quotes):
        return True
    joined = " ".join(quotes)
    mine, theirs = text.words(claim), text.words(joined)
    stems, held = set(text.query_stems(claim)), set(text.stems(joined))
    if not held or not _required(claim, mine) <= held:
        return False
    if len(stems & held) < _LEAST_SHARED * len(stems):
        return False
    if support.NEGATORS & set(mine) != support.NEGATORS & set(theirs):
        return False
    return not support.opposed(mine, theirs)


def _required(claim: str, words: Sequence[str]) -> set[str]:
    """Return the stems of a claim's names, numbers and dates."""
    stems = set(text.stems(claim))
    # A date in figures is known by what stands around it, so its words are those of all the claim.
    names = text.names_and_numbers(claim) & stems
    spelled = text.stems(" ".join(word for word in words if word in text.NUMERALS))
    return names | {stem for stem in stems if stem[0].isdigit()} | set(spelled)


def is_understood(asked: Question, standalone: str) -> bool:
    """Tell whether a follow-up was understood as its row says, by its words' stems."""
    meaning = asked.meaning
    if meaning is None:
        return False
    if meaning.alone:
        same = standalone.rstrip("?").casefold() == asked.text.rstrip("?").casefold()
        if not meaning.words:
            return same
    stems = set(text.stems(standalone))
    wanted = (any(set(text.stems(w)) <= stems for w in each.split("|")) for each in meaning.words)
    return all(wanted) and not any(set(text.stems(word)) & stems for word in meaning.absent)
