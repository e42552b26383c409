"""From readings to an answer: the claims, THE CHECK that each of them passes, the short answer."""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from index import text
from index.records import Answer, Citation, Claim, Evidence, Hit, Passage, Reading, Span
from index.settings import AnswerSettings
from qa import support
from qa.confidence import fitted, headline, showable
from qa.question.topic import DAYS, TOPICS
from qa.timeline import POINTS, alike, of_days, timeline

BodyOf = Callable[[Passage], str | None]
"""Gives the archived body that a passage's offsets belong to; None if it is no longer kept."""


class Answerer(Protocol):
    """Writes claims from evidence, one by one; what it writes is checked by others."""

    @property
    def name(self) -> str: ...

    def claims(self, evidence: Evidence) -> Iterator[Claim]:
        """Yield sentences in reading order, each citing hits of the evidence by number from 1."""
        ...


# Sentences that answer ---------------------------------------------------------------------------


class ExtractiveAnswerer:
    """Shows the one to three archived sentences that answer; writes no word of its own."""

    name = "extractive"

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings

    def claims(self, evidence: Evidence) -> Iterator[Claim]:
        """Yield sentences verbatim: the one with the short answer first, or a timeline."""
        if evidence.query.kind == DAYS:
            yield from of_days(evidence)
            return
        if evidence.query.kind in TOPICS:
            yield from timeline(evidence)
            return
        most = self._settings.max_sentences
        readings = evidence.readings
        if readings and readings[0].score < max(reading.score for reading in readings):
            # The newest one went before likelier ones, which say what held before.
            readings = readings[:1]
        chosen = disagreeing(evidence)[:most] or enough(readings, most, *fitted().shares)
        for hit, words in _introduced(chosen, most):
            yield Claim(words, (hit,))


def enough(readings: Sequence[Reading], most: int, share: float, least: float) -> list[Reading]:
    """Return the first readings, no two sentences alike, until they are likely enough to answer.

    A reading's share is its part of all readings' likelihood, exp(score). Readings are added until
    their shares reach `share`; one whose own is below `least` adds nothing.
    """
    if not readings:
        return []
    likely = [math.exp(r.score - readings[0].score) for r in readings]
    total = sum(likely)
    chosen: list[Reading] = []
    sure = 0.0
    for reading, own in zip(readings, likely, strict=True):
        if chosen and (sure >= share * total or own < least * total or len(chosen) == most):
            break
        if not any(alike(reading.words, other.words) for other in chosen):
            chosen.append(reading)
        sure += own
    # The first stays first; what stands with it in one article follows it in reading order.
    return sorted(chosen, key=lambda r: (r is not chosen[0], r.hit, r.sentence))


_SPOKEN_BY = re.compile(
    r"[\"”] *,? *(kata|ujar|ucap|tutur|tegas|ungkap|imbuh|papar|jelas|tambah)"
    r"(nya\b| (dia|ia|beliau)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<=\w )[A-Z][\w'’-]+|^[A-Z][\w'’-]+ [A-Z]")


def _introduced(chosen: Sequence[Reading], most: int) -> Iterator[tuple[int, str]]:
    """Yield hit and sentence; before one that only points at a person, one that names somebody."""
    named = {(r.hit, r.words) for r in chosen}
    left = most - len(chosen)
    for reading in chosen:
        if left > 0 and (POINTS.match(reading.words) or _SPOKEN_BY.search(reading.words)):
            before = _naming(reading)
            if before and (reading.hit, before) not in named:
                named.add((reading.hit, before))
                left -= 1
                yield reading.hit, before
        yield reading.hit, reading.words


def _naming(reading: Reading) -> str:
    """Return the nearest of the two sentences before a reading's that names somebody, or ""."""
    place = reading.passage.spans.index(reading.sentence)
    pieces = reading.passage.sentences()
    for at in range(place - 1, max(place - 3, -1), -1):
        words = " ".join(pieces[at].split())
        if _NAMED.search(words) and not POINTS.match(words) and showable(words):
            return words
    return ""


# Sources that disagree ---------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"(?:Rp ?|US\$ ?)?(\d+(?:[.,]\d+)*)(?: (ribu|juta|miliar|triliun))?[ -](persen|%|[a-z]{3,})"
)
_AS_LIKELY = 1.0
"""How far below the best score, a logit, a reading may be that says otherwise."""


def disagreeing(evidence: Evidence) -> list[Reading]:
    """Return readings of different stories that give different amounts, the newest first.

    They must be about as likely as the best one, hold all names of the question, and count the
    same thing: the same word follows the number. Fewer than two are no disagreement.
    """
    readings = evidence.readings
    if evidence.query.kind != "howmany" or not readings:
        return []
    counted = _AMOUNT.search(readings[0].words, max(readings[0].words.find(readings[0].short), 0))
    if counted is None:
        return []
    needed = text.names_and_numbers(evidence.query.text)
    found: dict[str, Reading] = {}
    hits: set[int] = set()
    bound = max(_AS_LIKELY, evidence.query.recency)
    least = max(reading.score for reading in readings) - bound
    for reading in readings:
        if reading.score < least:
            continue
        passage = reading.passage
        amounts = {m[1] for m in _AMOUNT.finditer(reading.words) if m[3] == counted[3]}
        said = set(text.stems(f"{passage.title} {reading.words}"))
        if len(amounts) == 1 and passage.published and reading.hit not in hits and needed <= said:
            hits.add(reading.hit)
            found.setdefault(amounts.pop(), reading)
    if len(found) < 2 or counted[1] not in found:
        return []
    return sorted(found.values(), key=lambda r: r.passage.published or dt.date.min, reverse=True)


# The check ---------------------------------------------------------------------------------------

_LEAST_SHARED = 0.75
_LEAST_QUOTE = 0.3
_LEAST_SUPPORT = 0.45
"""A claim's words that its proof and its headline share, that a sentence shares to be looked at as
its proof; its score by qa.support."""


class Proof(NamedTuple):
    """The sentence of a hit's passage that shows a claim."""

    hit: Hit
    passage: Passage
    span: Span


def check(claim: Claim, evidence: Evidence, body_of: BodyOf) -> list[Proof]:
    """Return the proof of a claim, a sentence of each cited hit; empty if it is unproven.

    A sentence of a cited article, verbatim, is its own proof. Any other claim passes if every hit
    that it cites exists and proves it alone: all its numbers and names stand in the proving
    sentence (or its headline and date), and most of its other words too, it negates what
    that sentence does and says the opposite of nothing there, and the learned support score does
    not speak against it. What looks like other letters or digits must stand there as written, and
    a claim holds nothing that is not seen.
    In both cases the archived text must still be kept.
    """
    if not claim.text.strip() or not claim.cited or text.seen_line(claim.text) != claim.text:
        return []
    if any(not 1 <= number <= len(evidence.hits) for number in claim.cited):
        return []
    proof = []
    for number in dict.fromkeys(claim.cited):
        hit = evidence.hits[number - 1]
        place = _proving(claim.text, hit)
        if place is None or not _supported(claim.text, *place):
            return []
        passage, (start, end) = place
        body = body_of(passage)
        if body is None or body[start:end] != passage.sentence((start, end)):
            return []
        proof.append(Proof(hit, passage, (start, end)))
    return proof


_LEADS = frozenset("menurut pada di dalam sementara namun selain setelah sejak saat hal".split())


def _supported(claim: str, passage: Passage, span: Span) -> bool:
    sentence = passage.sentence(span)
    if text.seen_line(sentence) == claim:
        return True
    proven = f"{text.seen(sentence)} {headline(passage)}"
    said = set(text.stems(proven))
    if not (_must_stand(claim) <= said and _odd(claim) <= _odd(proven)):
        return False
    mine, theirs = text.words(claim), text.words(proven)
    if support.NEGATORS & set(mine) != support.NEGATORS & set(theirs):
        return False
    if support.opposed(mine, theirs):
        return False
    stems = set(text.query_stems(claim))
    if len(stems & said) < _LEAST_SHARED * len(stems):
        return False
    return support.score(claim, proven) >= _LEAST_SUPPORT


_SIGNED = re.compile(r"(?<![^\W_])[-−–]\d")


def _odd(sentence: str) -> set[str]:
    """Return what stands as written in a sentence or not at all: it looks like something else.

    These are words with a letter that is not Latin, with a digit or a letter of a special form
    ("5²", "１２", "½") or with a mark over a letter, each currency sign, each number with a sign.
    """
    found = set(_SIGNED.findall(sentence))
    for word in unicodedata.normalize("NFC", sentence).split():
        if not word.isascii() and any(map(_is_odd, word)):
            found.add(word.strip("\"'“”‘’.,:;!?…()[]"))
    return found | {char for char in sentence if unicodedata.category(char) == "Sc"}


@functools.cache
def _is_odd(char: str) -> bool:
    kind = unicodedata.category(char)[0]
    if char in text.JOINERS:
        return True
    if kind not in "LNM" or char.isascii():
        return False
    latin = unicodedata.name(char, "").startswith("LATIN ")
    return not latin or unicodedata.normalize("NFKC", char) != char


def _must_stand(claim: str) -> set[str]:
    """Return the stems of a claim's names and numbers, and of its first word if uncommon."""
    found = text.names_and_numbers(claim)
    # A name may stand behind another mark than those that open a word: "«Rahmat", "eks-Bupati".
    for start, end in text.word_spans(claim)[1:]:
        if not claim[start].islower() or any(map(str.isnumeric, claim[start:end])):
            found.update(text.stems(claim[start:end]))
    common = text.STOP_WORDS | text.QUESTION_WORDS | _LEADS
    first = text.words(claim)[:1]
    found.update(text.stems(" ".join(word for word in first if word not in common)))
    spelled = [word for word in text.words(claim) if word in text.NUMERALS]
    return found | set(text.stems(" ".join(spelled)))


def _proving(claim: str, hit: Hit) -> tuple[Passage, Span] | None:
    """Return the sentence of an article that is the claim, else the one that shares most of it."""
    wanted = set(text.query_stems(claim))
    best: tuple[float, Passage, Span] | None = None
    # The passage that was read comes first, for the same words may stand in the article twice.
    for passage in (hit.passage, *hit.passages):
        for span, piece in zip(passage.spans, passage.sentences(), strict=True):
            if text.seen_line(piece) == claim:
                return passage, span
            share = len(wanted & set(text.stems(piece))) / len(wanted) if wanted else 0.0
            if best is None or share > best[0]:
                best = (share, passage, span)
    return best[1:] if best and best[0] >= _LEAST_QUOTE else None


# Putting an answer together ----------------------------------------------------------------------


def silent(evidence: Evidence, answerer: str) -> Answer:
    """Return an answer that says nothing."""
    return Answer("no_evidence", "", (), (), (), evidence.confidence, evidence, answerer)


def answer(
    evidence: Evidence, answerer: Answerer, body_of: BodyOf, settings: AnswerSettings
) -> Iterator[Answer]:
    """Yield the answer as it grows, a checked claim at a time; the last one is complete."""
    draft = silent(evidence, answerer.name)
    if evidence.confidence < settings.min_confidence or not evidence.hits:
        yield draft
        return
    for claim in answerer.claims(evidence):
        claim = replace(claim, text=text.seen_line(claim.text))
        proof = check(claim, evidence, body_of)
        draft = _with_claim(draft, claim, proof, body_of)
        if not draft.short_answer and _stands_in(evidence.short, draft):
            draft = replace(draft, short_answer=evidence.short)
        yield draft
    if not draft.claims:
        yield replace(draft, status="unsupported" if draft.dropped else "no_evidence")


def _stands_in(short: str, draft: Answer) -> bool:
    """Return whether a claim that is shown, and a sentence that it cites, hold the short answer."""
    whole = re.compile(rf"(?<!\w){re.escape(short)}(?!\w)")
    quotes = {c.number: " ".join(c.quote.split()) for c in draft.citations}
    return bool(short) and any(
        whole.search(claim.text) and any(whole.search(quotes[number]) for number in claim.cited)
        for claim in draft.claims
    )


def _with_claim(draft: Answer, claim: Claim, proof: Iterable[Proof], body_of: BodyOf) -> Answer:
    citations = list(draft.citations)
    cited: list[int] = []
    for hit, passage, (start, end) in proof:
        body = body_of(passage)
        if body is None:
            continue
        place = (passage.id, start, end)
        same = (c.number for c in citations if (c.passage.id, c.start, c.end) == place)
        number = next(same, len(citations) + 1)
        if number > len(citations):
            citations.append(Citation(number, passage, body[start:end], start, end, hit.also_in))
        cited.append(number)
    if not cited:
        return replace(draft, dropped=(*draft.dropped, claim))
    return replace(
        draft,
        status="answered",
        claims=(*draft.claims, Claim(claim.text, tuple(cited))),
        citations=tuple(citations),
    )
