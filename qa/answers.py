"""From evidence to an answer: the extractive answerer, and the check that every claim passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index import text
from index.records import Answer, Citation, Claim, Evidence, Hit, Passage, Span
from index.settings import AnswerSettings

BodyOf = Callable[[Passage], str | None]
"""Gives the archived body that a passage's offsets belong to; None if it is no longer kept."""


class Answerer(Protocol):
    """Writes claims from evidence, one by one; what it writes is checked by others."""

    @property
    def name(self) -> str: ...

    def claims(self, evidence: Evidence) -> Iterator[Claim]:
        """Yield sentences in reading order, each citing hits of the evidence by number from 1."""
        ...


# The extractive answerer -------------------------------------------------------------------------

_DATE = re.compile(
    r"\b(\d{1,2}[/-]\d{1,2}([/-]\d{2,4})?|(19|20)\d\d|januari|februari|maret|april|mei|juni|juli|"
    r"agustus|september|oktober|november|desember|senin|selasa|rabu|kamis|jumat|sabtu|minggu|"
    r"pukul \d|kemarin|hari ini)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|sepuluh|sebelas|belas|puluh|"
    r"ratus\w*|ribu\w*|juta\w*|miliar|triliun|persen)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(di|ke|dari|kawasan|jalan|desa|kecamatan|kabupaten|kota) [A-Z]")
_NAME = re.compile(r"(?<![.!?\"“] )(?<!^)\b[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
_CAUSE = re.compile(
    r"\b(karena|sebab\w*|akibat\w*|penyebab\w*|lantaran|dipicu|disebabkan|alasan\w*|demi|agar|"
    r"supaya|sehingga|gara-gara)\b",
    re.IGNORECASE,
)
_SPEECH = re.compile(
    r"[\"“”]|\b(kata|ujar|ucap|tutur|jelas|tegas|ungkap|imbuh|papar|menurut|mengatakan|"
    r"menyatakan|menegaskan|menilai|mengaku)\w*\b",
    re.IGNORECASE,
)
_CLUES: dict[str, re.Pattern[str]] = {
    "when": _DATE,
    "howmany": _NUMBER,
    "where": _PLACE,
    "who": _NAME,
    "why": _CAUSE,
    "quote": _SPEECH,
}

_CLUE_BONUS = 0.3
_NEIGHBOUR = 0.35
_RANK_BONUS = 2.5
_MORE = 0.85
"""Weights of a sentence's score, until a learned sentence model takes their place."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    hit: int
    span: Span
    words: str
    score: float


class ExtractiveAnswerer:
    """Picks the one to three archived sentences that answer; writes no word of its own."""

    name = "extractive"

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings

    def claims(self, evidence: Evidence) -> Iterator[Claim]:
        """Yield the best sentences verbatim, those of the better hit first, then in text order."""
        ranked = sorted(_scored_sentences(evidence), key=lambda s: (-s.score, s.hit, s.span))
        chosen: list[_Sentence] = []
        for sentence in ranked:
            if len(chosen) == self._settings.max_sentences:
                break
            if chosen and sentence.score < _MORE * chosen[0].score:
                break
            if not any(_alike(sentence.words, other.words) for other in chosen):
                chosen.append(sentence)
        order = list(dict.fromkeys(s.hit for s in chosen))
        for sentence in sorted(chosen, key=lambda s: (order.index(s.hit), s.span)):
            yield Claim(" ".join(sentence.words.split()), (sentence.hit,))


def _scored_sentences(evidence: Evidence) -> Iterator[_Sentence]:
    weights = dict(evidence.weights)
    total = sum(weights.values()) or 1.0
    best = evidence.hits[0].score if evidence.hits else 1.0
    clue = _CLUES.get(evidence.query.kind)
    asked = set(text.words(evidence.query.text))
    for number, hit in enumerate(evidence.hits, start=1):
        pieces = sentence_texts(hit.passage)
        title = _weight(hit.passage.title, weights) / total
        covered = [_weight(piece, weights) / total for piece in pieces]
        for at, piece in enumerate(pieces):
            if len(piece.split()) < 4 or piece.rstrip('"”’) ').endswith(("?", "-", "–", "—")):
                continue
            around = max([title, *covered[max(0, at - 1) : at], *covered[at + 1 : at + 2]])
            score = covered[at] + _NEIGHBOUR * max(0.0, around - covered[at])
            score += _RANK_BONUS * hit.score / best if best > 0 else 0.0
            if clue and _offers(clue, piece, asked):
                score += _CLUE_BONUS
            yield _Sentence(number, hit.passage.spans[at], piece, score)


_CALENDAR = re.compile(
    r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}|(\d{1,2} )?(januari|februari|maret|april|mei|juni|juli|"
    r"agustus|september|oktober|november|desember)( \d{4})?|\b(19|20)\d\d\b|pukul [\d.:]+",
    re.IGNORECASE,
)


def _offers(clue: re.Pattern[str], sentence: str, asked: set[str]) -> bool:
    """Tell whether the sentence holds what is asked for, beyond the question's own words."""
    if clue is _NUMBER:
        sentence = _CALENDAR.sub(" ", sentence)
    return any(not set(text.words(m.group())) <= asked for m in clue.finditer(sentence))


def _weight(piece: str, weights: dict[str, float]) -> float:
    return sum(weights[stem] for stem in set(text.stems(piece)) if stem in weights)


def sentence_texts(passage: Passage) -> list[str]:
    """Return the text of each of the passage's spans."""
    texts = []
    at = 0
    for start, end in passage.spans:
        texts.append(passage.text[at : at + end - start])
        at += end - start + 1
    return texts


def _alike(one: str, other: str) -> bool:
    mine, theirs = set(text.stems(one)), set(text.stems(other))
    return len(mine & theirs) > 0.7 * min(len(mine), len(theirs))


def confidence(evidence: Evidence) -> float:
    """Estimate in [0, 1] how far the best hits bear out the question.

    The share of the question's words, by inverse document frequency, that stand in one hit; names
    and numbers of the question that a hit lacks count double against it.
    """
    weights = dict(evidence.weights)
    total = sum(weights.values())
    if not total or not evidence.hits:
        return 0.0
    needed = _names_and_numbers(evidence.query.text)
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


def _names_and_numbers(question: str) -> set[str]:
    found: set[str] = set()
    for number, word in enumerate(question.split()):
        bare = word.lstrip("\"'“‘([")
        if (number and bare[:1].isupper()) or any(char.isdigit() for char in bare):
            found.update(text.stems(bare))
    return found


# The check ---------------------------------------------------------------------------------------

_LEAST_SUPPORT = 0.6
_LEAST_QUOTE = 0.3


def check(claim: Claim, evidence: Evidence, body_of: BodyOf) -> list[tuple[Hit, Span]]:
    """Return the proof of a claim: each cited hit with the span that shows it; empty if unproven.

    A sentence of the cited passage, verbatim, is its own proof. Any other claim passes if every hit
    that it cites exists, all its numbers and names stand in the proving sentences (or their
    headline and date), most of its words stand in the cited passages, and it negates what they do.
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
_NEGATORS = frozenset("tidak tak bukan belum batal gagal tanpa jangan menolak".split())


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
    if _NEGATORS & set(text.words(claim)) != _NEGATORS & set(text.words(proven)):
        return False
    stems = set(text.query_stems(claim))
    return len(stems & said) >= _LEAST_SUPPORT * len(stems)


def _must_stand(claim: str) -> set[str]:
    """Return the stems of a claim's names and numbers, and of its first word if uncommon."""
    found = _names_and_numbers(claim)
    common = text.STOP_WORDS | text.QUESTION_WORDS | _LEADS
    first = text.words(claim)[:1]
    found.update(text.stems(" ".join(word for word in first if word not in common)))
    spelled = [word for word in text.words(claim) if _NUMBER.fullmatch(word)]
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
    sure = confidence(evidence)
    draft = Answer("no_evidence", "", (), (), (), sure, evidence, answerer.name)
    if sure < settings.min_confidence or not hits:
        yield draft
        return
    for claim in answerer.claims(evidence):
        proof = check(claim, evidence, body_of)
        draft = _with_claim(draft, claim, proof, body_of)
        yield draft
    if not draft.claims:
        yield replace(draft, status="unsupported" if draft.dropped else "no_evidence")


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
