"""From evidence to an answer: the check that every claim passes, and putting it together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from index import text
from index.records import Answer, Citation, Claim, Evidence, Hit, Passage, Span
from index.settings import AnswerSettings
from qa import extractive, support
from qa.extractive import ExtractiveAnswerer, names_and_numbers
from qa.sentences import NUMERALS, sentence_texts

__all__ = ["Answerer", "BodyOf", "ExtractiveAnswerer", "answer", "check", "confidence"]

BodyOf = Callable[[Passage], str | None]
"""Gives the archived body that a passage's offsets belong to; None if it is no longer kept."""


class Answerer(Protocol):
    """Writes claims from evidence, one by one; what it writes is checked by others."""

    @property
    def name(self) -> str: ...

    def claims(self, evidence: Evidence) -> Iterator[Claim]:
        """Yield sentences in reading order, each citing hits of the evidence by number from 1."""
        ...


# How sure ----------------------------------------------------------------------------------------


def confidence(evidence: Evidence) -> float:
    """Estimate in [0, 1] how far the best hits bear out the question, whatever answers it.

    The share of the question's words, by inverse document frequency, that stand in one hit; names
    and numbers of the question that a hit lacks count double against it.
    """
    weights = dict(evidence.weights)
    total = sum(weights.values())
    if not total or not evidence.hits:
        return 0.0
    needed = names_and_numbers(evidence.query.text)
    best = 0.0
    for hit in evidence.hits[:5]:
        said = set(text.stems(f"{hit.passage.title} {hit.passage.text}"))
        if hit.passage.published:
            said.add(str(hit.passage.published.year))
        missing = sum(w for stem, w in weights.items() if stem not in said)
        missing += sum(weights.get(stem, 0.0) for stem in needed - said)
        share = 1 - missing / total
        # Another year or another count is another question, however alike the rest is.
        best = max(best, share / 2 if any(stem[0].isdigit() for stem in needed - said) else share)
    return max(0.0, min(1.0, best))


# The check ---------------------------------------------------------------------------------------

_LEAST_SHARED = 0.6
_LEAST_QUOTE = 0.3
_LEAST_SUPPORT = 0.4
"""A claim's words that its passages share, that its proof shares; its score by qa.support."""


def check(claim: Claim, evidence: Evidence, body_of: BodyOf) -> list[tuple[Hit, Span]]:
    """Return the proof of a claim: each cited hit with the span that shows it; empty if unproven.

    A sentence of the cited passage, verbatim, is its own proof. Any other claim passes if every hit
    that it cites exists, all its numbers and names stand in the proving sentences (or their
    headline and date), most of its words stand in the cited passages, it negates what they do and
    says the opposite of nothing there, and the learned support score does not speak against it.
    In both cases the archived text must still be kept.
    """
    if not claim.text.strip() or not claim.cited:
        return []
    if any(not 1 <= number <= len(evidence.hits) for number in claim.cited):
        return []
    hits = [evidence.hits[number - 1] for number in dict.fromkeys(claim.cited)]
    spans = [_proving_span(claim.text, hit.passage) for hit in hits]
    if not _borne_out(claim.text, hits, spans):
        return []
    proof = []
    for hit, span in zip(hits, spans, strict=True):
        body = body_of(hit.passage)
        if span is None or body is None or body[span[0] : span[1]] not in hit.passage.text:
            return []
        proof.append((hit, span))
    return proof


_LEADS = frozenset("menurut pada di dalam sementara namun selain setelah sejak saat hal".split())


def _borne_out(claim: str, hits: Sequence[Hit], spans: Sequence[Span | None]) -> bool:
    said: set[str] = set()
    shown: list[str] = []
    for hit, span in zip(hits, spans, strict=True):
        if span is None:
            return False
        passage = hit.passage
        sentence = sentence_texts(passage)[passage.spans.index(span)]
        if " ".join(sentence.split()) == claim:
            return True
        said.update(text.stems(f"{passage.title} {passage.text}"))
        shown.extend((sentence, passage.title, _written(passage)))
    proven = " ".join(shown)
    if not _must_stand(claim) <= set(text.stems(proven)):
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


def _must_stand(claim: str) -> set[str]:
    """Return the stems of a claim's names and numbers, and of its first word if uncommon."""
    found = names_and_numbers(claim)
    common = text.STOP_WORDS | text.QUESTION_WORDS | _LEADS
    first = text.words(claim)[:1]
    found.update(text.stems(" ".join(word for word in first if word not in common)))
    spelled = [word for word in text.words(claim) if word in NUMERALS]
    return found | set(text.stems(" ".join(spelled)))


def _written(passage: Passage) -> str:
    day = passage.published
    return f"{day.day} {day:%m} {day.year}" if day else ""


def _proving_span(claim: str, passage: Passage) -> Span | None:
    wanted = set(text.query_stems(claim))
    best: tuple[float, Span] | None = None
    for span, piece in zip(passage.spans, sentence_texts(passage), strict=True):
        if " ".join(piece.split()) == claim:
            return span
        share = len(wanted & set(text.stems(piece))) / len(wanted) if wanted else 0.0
        if best is None or share > best[0]:
            best = (share, span)
    return best[1] if best and best[0] >= _LEAST_QUOTE else None


# Putting an answer together ----------------------------------------------------------------------


def answer(
    evidence: Evidence, answerer: Answerer, body_of: BodyOf, settings: AnswerSettings
) -> Iterator[Answer]:
    """Yield the answer as it grows, a checked claim at a time; the last one is complete."""
    hits = tuple(hit for hit in evidence.hits if body_of(hit.passage) is not None)
    evidence = replace(evidence, hits=hits)
    reading = extractive.read(evidence)
    draft = Answer("no_evidence", "", (), (), (), reading.confidence, evidence, answerer.name)
    if reading.confidence < settings.min_confidence or not hits:
        yield draft
        return
    for claim in answerer.claims(evidence):
        proof = check(claim, evidence, body_of)
        draft = _with_claim(draft, claim, proof, body_of)
        if not draft.short_answer and _stands_in(reading.short, draft):
            draft = replace(draft, short_answer=reading.short)
        yield draft
    if not draft.claims:
        yield replace(draft, status="unsupported" if draft.dropped else "no_evidence")


def _stands_in(short: str, draft: Answer) -> bool:
    """Tell whether a claim that is shown, and a sentence that it cites, hold the short answer."""
    quotes = {citation.number: citation.quote for citation in draft.citations}
    return bool(short) and any(
        short in claim.text and any(short in quotes[number] for number in claim.cited)
        for claim in draft.claims
    )


def _with_claim(
    draft: Answer, claim: Claim, proof: Iterable[tuple[Hit, Span]], body_of: BodyOf
) -> Answer:
    citations = list(draft.citations)
    cited: list[int] = []
    for hit, (start, end) in proof:
        body = body_of(hit.passage)
        if body is None:
            continue
        new = Citation(len(citations) + 1, hit.passage, body[start:end], start, end, hit.also_in)
        same = [
            c.number
            for c in citations
            if c.passage.id == hit.passage.id and (c.start, c.end) == (start, end)
        ]
        if not same:
            citations.append(new)
        cited.append(same[0] if same else new.number)
    if not cited:
        return replace(draft, dropped=(*draft.dropped, claim))
    return replace(
        draft,
        status="answered",
        claims=(*draft.claims, Claim(claim.text, tuple(cited))),
        citations=tuple(citations),
    )
