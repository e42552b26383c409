"""The extractive answerer: archived sentences that answer, and the short answer inside them."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import text
from index.errors import ModelError
from index.records import Claim, Evidence
from index.settings import AnswerSettings
from qa import alignment, certainty, sentences, spans, speakers
from qa.alignment import Aligner, Pair
from qa.ranking import Stems, Trees
from qa.sentences import Floats, Pages
from qa.spans import Span

FITTED_FILE = Path(__file__).parent / "answers.json"

TOPICS = frozenset({"latest", "development"})
"""Kinds of question that a timeline answers."""

READ = 3
"""Sentences that a short answer is looked for in."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit (from 1), at a place in its passage (from 0).

    `probability` is its share of the chance that a sentence answers, among all of the evidence.
    """

    hit: int
    place: int
    words: str
    score: float
    probability: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of the evidence: sentences best first, the likeliest short answer.

    `short` is a verbatim part of the first sentence, "" where none is likely; `confidence` is the
    probability that the first sentences answer.
    """

    sentences: tuple[Sentence, ...]
    short: str
    short_probability: float
    confidence: float


@dataclass(frozen=True)
class Fitted:
    """Numbers fitted on held-out questions: see train/sentences.py.

    `knots` and `span_knots` are [2, K]: a score, the probability.
    """

    sharpness: float
    enough: float
    least_span: float
    knots: npt.NDArray[np.float64]
    span_knots: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Models:
    """The learned parts, which are only read: one of each serves every thread."""

    sentences: Trees
    spans: Trees
    certainty: Trees
    aligner: Aligner
    fitted: Fitted
    stems: Stems


@functools.cache
def models() -> Models:
    """Read the shipped models once; raises ModelError if a file is missing or does not fit."""
    try:
        raw = json.loads(FITTED_FILE.read_text(encoding="utf-8"))
        fitted = Fitted(
            float(raw["sharpness"]),
            float(raw["enough"]),
            float(raw["least_span"]),
            np.array(raw["knots"], dtype=np.float64),
            np.array(raw["span_knots"], dtype=np.float64),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The file {str(FITTED_FILE)!r} cannot be read ({error!r}); restore it."
        ) from error
    return Models(
        sentences.load_trees(sentences.MODEL_FILE, sentences.NAMES),
        sentences.load_trees(spans.MODEL_FILE, spans.NAMES),
        sentences.load_trees(certainty.MODEL_FILE, certainty.NAMES),
        Aligner.load(),
        fitted,
        Stems(),
    )


# Reading -----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def read(evidence: Evidence) -> Reading:
    """Score the sentences of the evidence, and look for the short answer in the best ones.

    The last few readings are kept, for an answer asks for its own more than once.
    """
    if not evidence.hits or not evidence.weights:
        return Reading((), "", 0.0, 0.0)
    if evidence.query.kind in TOPICS:
        return Reading((), "", 0.0, borne_out_by_one(evidence, about(evidence)))
    known = models()
    pages = sentences.read_pages(evidence, known.stems)
    rows = sentences.features(pages, evidence)
    scores = known.sentences.predict(rows)
    scores = scores + hints(pages, rows) - _NAMELESS * _lacks_names(evidence)[pages.hit]
    scores = scores + _SPOKEN * _spoken(evidence, pages)
    order = ranked(pages, scores)
    if not len(order):
        return Reading((), "", 0.0, 0.0)
    found = short_answers(pages, rows, scores, order[:READ], known)
    chosen = found.best
    best = order[:READ][chosen.sentence] if chosen else order[0]
    span = found.rows[0] if chosen else None
    likely, short = 0.0, ""
    if chosen:
        likely = certainty.calibrated(chosen.score, known.fitted.span_knots)
        short = pages.texts[best][chosen.start : chosen.end]
        if _echoes(evidence.query.text, short):
            short = ""
    pair = laid_beside(evidence, pages, int(best), short, known.stems)
    values = certainty.features(
        evidence,
        pages,
        rows,
        scores,
        int(best),
        span,
        found.scores,
        pair,
        known.aligner.score(pair),
    )
    sure = certainty.calibrated(
        float(known.certainty.predict(values[None, :])[0]), known.fitted.knots
    )
    order = np.array([best, *(at for at in order if at != best)])
    if pages.asked.sought.kind == "other":
        # A few words that ask for nothing are a topic: what bears them out answers.
        sure = borne_out_by_one(evidence, [int(pages.hit[best]) + 1])
    elif pages.asked.sought.kind == "quote":
        # Nor did the model learn what answers "apa kata X soal Y": all of its words do.
        borne_out = borne_out_by_one(evidence, [int(pages.hit[best]) + 1])
        sure = max(sure, _QUOTED * borne_out if borne_out > _ALL else 0.0)
    sure *= _numbers_borne_out(evidence, int(pages.hit[best]) + 1)
    # What is said of others is no answer about somebody of whom the archive says nothing.
    sure *= _UNKNOWN_NAME if unknown_names(evidence) else 1.0
    return Reading(
        _sentences(pages, scores, order, known.fitted.sharpness),
        short if likely >= _least_span(pages, known.fitted) else "",
        likely,
        sure,
    )


def _echoes(question: str, short: str) -> bool:
    """Tell whether a number or a date only repeats the question: "harga 25 Mei", "25/5"."""
    stems = set(text.stems(short))
    return any(c.isdigit() for c in short) and stems <= set(text.stems(question))


def laid_beside(evidence: Evidence, pages: Pages, best: int, short: str, stems: Stems) -> Pair:
    """Lay the question beside the sentence `best` of the pages."""
    hit = int(pages.hit[best])
    begin, end = pages.first_sentence[hit : hit + 2].tolist()
    return alignment.read(evidence, hit, pages.texts[begin:end], best - begin, short, stems)


_QUOTED, _ALL = 0.6, 0.8
_OTHER_YEAR, _NO_NUMBER = 0.3, 0.6
"""What is left of the confidence where a hit tells another year; where it lacks a number."""
_YEAR = re.compile(r"(19|20)\d\d")


def _numbers_borne_out(evidence: Evidence, number: int) -> float:
    """Return what is left of the confidence for the numbers of the question that a hit lacks."""
    said = said_in(evidence, number)
    asked = {stem for stem in names_and_numbers(evidence.query.text) if stem[0].isdigit()}
    lacking = asked - said
    if any(_YEAR.fullmatch(stem) for stem in lacking) and any(map(_YEAR.fullmatch, said)):
        return _OTHER_YEAR
    return _NO_NUMBER if lacking else 1.0


_UNKNOWN_NAME = 0.5
"""What is left of the confidence where the question has a name that no hit holds."""


def unknown_names(evidence: Evidence) -> list[str]:
    """Return the names of the question, as written, that not even one of the hits holds."""
    said = set().union(*(said_in(evidence, n) for n in range(1, len(evidence.hits) + 1)))
    found = []
    for word in evidence.query.text.split()[1:]:
        # As if another word stood before it: a first word is no name.
        stems = {s for s in names_and_numbers(f"- {word}") if not s[0].isdigit()}
        if stems - said:
            found.append(word.strip("\"'“”‘’()[].,;:?!"))
    return found


_NAMELESS = 1.0
"""What a sentence's score loses for each name of the question that its article does not hold."""


def _lacks_names(evidence: Evidence) -> npt.NDArray[np.float64]:
    """Count for each hit the names of the question that it lacks and another hit holds, [H]."""
    said = [said_in(evidence, number) for number in range(1, len(evidence.hits) + 1)]
    asked = {stem for stem in names_and_numbers(evidence.query.text) if not stem[0].isdigit()}
    known = asked & set().union(*said)
    return np.array([len(known - words) for words in said], dtype=np.float64)


_SPOKEN = 2.0
"""What the words of the one who is asked for add to a sentence's score; another's lose as much."""


def _spoken(evidence: Evidence, pages: Pages) -> npt.NDArray[np.float64]:
    """Tell of each sentence whether it gives the words that are asked for, [S]: 1, -1 another's."""
    out = np.zeros(len(pages.texts))
    if pages.asked.sought.kind != "quote":
        return out
    who = speakers.asked_for(evidence.query.text)
    if who:
        for begin, end in pairwise(pages.first_sentence.tolist()):
            out[begin:end] = speakers.spoken_by(pages.texts[begin:end], who)
    return out


_UNSPOKEN = ("cause", "quote", "manner", "verdict")
_VAGUE = ("thing", "other", "definition")
_SURER = 2.0


def _least_span(pages: Pages, fitted: Fitted) -> float:
    """Return how likely a short answer must be: surer where its kind is not asked for.

    Where no few words can answer, none is likely enough.
    """
    kind = pages.asked.sought.kind
    if kind in _UNSPOKEN:
        return np.inf
    return fitted.least_span * (_SURER if kind in _VAGUE else 1.0)


_HINT = 1.5


def hints(pages: Pages, rows: Floats) -> npt.NDArray[np.float64]:
    """Return what a cause or a speaker adds to a sentence's score, [S].

    The questions that the model learned from ask for neither.
    """
    name = {"cause": "causes", "quote": "speech"}.get(pages.asked.sought.kind)
    if name is None:
        return np.zeros(len(rows))
    column = sentences.NAMES.index
    holds = rows[:, column(name)] > 0
    near = rows[:, column("with_before")] > 0.3
    return np.where(holds & near, _HINT, 0.0)


def ranked(pages: Pages, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the sentences that can be shown, best first: no stumps and no questions."""
    shown = np.array([_showable(piece) for piece in pages.texts], dtype=np.bool_)
    order = np.argsort(-scores, kind="stable")
    return np.asarray(order[shown[order]], dtype=np.int64)


def _showable(piece: str) -> bool:
    return len(piece.split()) >= 4 and not piece.rstrip("\"'”’) ").endswith(("?", "-", "–", "—"))


@dataclass(frozen=True)
class _Found:
    best: Span | None
    rows: Floats
    scores: npt.NDArray[np.float64]


def short_answers(
    pages: Pages,
    rows: Floats,
    scores: npt.NDArray[np.float64],
    read_in: npt.NDArray[np.int64],
    known: Models,
) -> _Found:
    """Return the best span of the sentences `read_in`, with all spans' rows and scores, best first.

    Of the scores, only the first and the best of those that do not overlap it are kept.
    """
    tokens = spans.read_tokens([pages.texts[at] for at in read_in], pages.asked, known.stems)
    firsts, lasts = spans.candidates(tokens, pages.asked.sought.kind)
    if pages.asked.sought.kind == "person":
        nobody = _places(tokens)[firsts]
        firsts, lasts = firsts[~nobody], lasts[~nobody]
    if not len(firsts):
        return _Found(None, np.zeros((0, len(spans.NAMES)), dtype=np.float32), np.zeros(0))
    few = scores[read_in].astype(np.float32)
    found = spans.features(tokens, pages.asked, firsts, lasts, few, rows[read_in])
    values = known.spans.predict(found)
    top = int(values.argmax())
    sentence = int(np.searchsorted(tokens.first, firsts[top], side="right")) - 1
    apart = values[(firsts > lasts[top]) | (lasts < firsts[top])]
    best = Span(
        sentence, int(tokens.starts[firsts[top]]), int(tokens.ends[lasts[top]]), float(values[top])
    )
    second = [float(apart.max())] if len(apart) else []
    return _Found(best, found[top : top + 1], np.array([float(values[top]), *second]))


_PLACE_WORDS = frozenset(
    "di ke dari kabupaten kota provinsi propinsi pulau desa kecamatan kelurahan kampung pantai "
    "gunung sungai jalan bandara stasiun pelabuhan museum rumah selat laut".split()
)


def _places(tokens: spans.Tokens) -> npt.NDArray[np.bool_]:
    """Tell which words begin the name of a place, by themselves or the word before, [L]."""
    named = np.array([word.lower() in _PLACE_WORDS for word in tokens.words], dtype=np.bool_)
    after = np.append(False, named[:-1])
    after[tokens.first[:-1][tokens.first[:-1] < len(named)]] = False
    return np.asarray(named | after, dtype=np.bool_)


def _sentences(
    pages: Pages, scores: npt.NDArray[np.float64], order: npt.NDArray[np.int64], sharpness: float
) -> tuple[Sentence, ...]:
    shares = np.exp(sharpness * (scores[order] - scores[order].max()))
    shares /= shares.sum()
    return tuple(
        Sentence(
            int(pages.hit[at]) + 1,
            int(at - pages.first_sentence[pages.hit[at]]),
            " ".join(pages.texts[at].split()),
            float(scores[at]),
            float(share),
        )
        for at, share in zip(order.tolist(), shares.tolist(), strict=True)
    )


# What is shown -----------------------------------------------------------------------------------


class ExtractiveAnswerer:
    """Picks the one to three archived sentences that answer; writes no word of its own."""

    name = "extractive"

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings

    def claims(self, evidence: Evidence) -> Iterator[Claim]:
        """Yield sentences verbatim: the one with the short answer first, or a timeline."""
        if evidence.query.kind in TOPICS:
            yield from timeline(evidence)
            return
        reading = read(evidence)
        most = self._settings.max_sentences
        rivals = disagreeing(evidence, reading)
        chosen = rivals or self._enough(evidence, reading)
        for sentence in _introduced(evidence, chosen, most):
            yield Claim(sentence.words, (sentence.hit,))

    def _enough(self, evidence: Evidence, reading: Reading) -> list[Sentence]:
        """Return sentences until one of them is likely enough to answer, no two alike."""
        enough = models().fitted.enough
        chosen: list[Sentence] = []
        sure = 0.0
        for sentence in reading.sentences:
            if sure >= enough or len(chosen) == self._settings.max_sentences:
                break
            if any(alike(sentence.words, other.words) for other in chosen):
                continue
            if chosen and sentence.probability < _LEAST_SHARE * chosen[0].probability:
                break
            chosen.append(sentence)
            sure += sentence.probability
        # The first stays first; what stands with it in one passage follows it in reading order.
        return sorted(chosen, key=lambda s: (s is not chosen[0], s.hit, s.place))


_LEAST_SHARE = 0.15


def alike(one: str, other: str) -> bool:
    """Tell whether two sentences say much the same."""
    mine, theirs = set(text.stems(one)), set(text.stems(other))
    return len(mine & theirs) > 0.7 * min(len(mine), len(theirs))


_POINTS = re.compile(
    r"(ia|dia|beliau|mereka|keduanya)\b|(menurut|kata|ujar|ucap|tutur|tegas|ungkap)nya\b",
    re.IGNORECASE,
)
_SPOKEN_BY = re.compile(
    r"[\"”] *,? *(kata|ujar|ucap|tutur|tegas|ungkap|imbuh|papar|jelas|tambah)"
    r"(nya\b| (dia|ia|beliau)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<=\w )[A-Z][\w'’-]+|^[A-Z][\w'’-]+ [A-Z]")


def _introduced(evidence: Evidence, chosen: Sequence[Sentence], most: int) -> Iterator[Sentence]:
    """Yield the sentences; before one that only points at a person, one that names somebody."""
    told = {(s.hit, s.place) for s in chosen}
    left = most - len(chosen)
    for number, sentence in enumerate(chosen):
        if _POINTS.match(sentence.words) or _SPOKEN_BY.search(sentence.words):
            before = _naming(evidence, sentence)
            if before and (before.hit, before.place) not in told and (left > 0 or not number):
                told.add((before.hit, before.place))
                left -= 1
                yield before
        yield sentence


def _naming(evidence: Evidence, sentence: Sentence) -> Sentence | None:
    """Return the nearest of the two sentences before it that names somebody."""
    pieces = sentences.sentence_texts(evidence.hits[sentence.hit - 1].passage)
    for place in range(sentence.place - 1, max(sentence.place - 3, -1), -1):
        words = " ".join(pieces[place].split())
        if _NAMED.search(words) and not _POINTS.match(words) and _showable(words):
            return Sentence(sentence.hit, place, words, 0.0, 0.0)
    return None


# Sources that disagree ---------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"(?:Rp ?|US\$ ?)?(\d+(?:[.,]\d+)*)(?: (ribu|juta|miliar|triliun))?[ -](persen|%|[a-z]{3,})"
)
_AS_WELL = 0.9


def disagreeing(evidence: Evidence, reading: Reading) -> list[Sentence]:
    """Return dated sentences of different stories that give different amounts, newest first.

    They must bear out the question as well as the best one does, with all its names, and count
    the same thing: the same word follows the number. Fewer than two are no disagreement.
    """
    if evidence.query.kind != "howmany" or not reading.sentences:
        return []
    counted = _AMOUNT.search(reading.short) or _AMOUNT.search(reading.sentences[0].words)
    if counted is None:
        return []
    weights = dict(evidence.weights)
    first = reading.sentences[0]
    least = _AS_WELL * borne_out(evidence, first, weights)
    needed = names_and_numbers(evidence.query.text)
    found: dict[str, tuple[dt.date, Sentence]] = {}
    hits: set[int] = set()
    for sentence in reading.sentences[:12]:
        passage = evidence.hits[sentence.hit - 1].passage
        amounts = {m[1]: m for m in _AMOUNT.finditer(sentence.words) if m[3] == counted[3]}
        said = set(text.stems(f"{passage.title} {sentence.words}"))
        if len(amounts) != 1 or not passage.published or sentence.hit in hits:
            continue
        if borne_out(evidence, sentence, weights) >= least and needed <= said:
            hits.add(sentence.hit)
            (amount,) = amounts
            found.setdefault(amount, (passage.published, sentence))
    if len(found) < 2 or counted[1] not in found:
        return []
    dated = sorted(found.values(), key=lambda pair: pair[0], reverse=True)
    return [sentence for _, sentence in dated][:3]


def borne_out(evidence: Evidence, sentence: Sentence, weights: dict[str, float]) -> float:
    """Return the weight of the question's words that a sentence and its headline hold."""
    passage = evidence.hits[sentence.hit - 1].passage
    said = set(text.stems(f"{passage.title} {sentence.words}"))
    return sum(weight for stem, weight in weights.items() if stem in said)


def names_and_numbers(question: str) -> set[str]:
    """Return the stems of a question's names, but for its first word, and of its numbers."""
    found: set[str] = set()
    for number, word in enumerate(question.split()):
        bare = word.lstrip("\"'“‘([")
        if (number and bare[:1].isupper()) or any(char.isdigit() for char in bare):
            found.update(text.stems(bare))
    return found


# Timelines ---------------------------------------------------------------------------------------

EVENTS = 6
HEADLINED = 0.5
"""Share of a topic that the headline of an article about it holds."""
_ABOUT, _ABOUT_NAMED = 0.6, 0.5
"""Share of the topic's weight that a hit about it holds: without names to go by, and with them."""
_TOPIC_WORDS = frozenset(
    "kabar kabarnya berita beritanya pemberitaan diberitakan info informasi isu cerita terbaru "
    "terkini terakhir teranyar update perkembangan kelanjutan kronologi perjalanan perkara "
    "ceritakan jelaskan awal sampai hingga kasus soal mengenai tentang seputar terkait hal apa "
    "bagaimana latest belakangan sekarang kondisi situasi keadaan nasib performa kinerja "
    "penampilan kiprah pergerakan tren dibahas baik buruk viral".split()
)


_CASES = frozenset("kasus perkara".split())


def topic(evidence: Evidence) -> dict[str, float]:
    """Return the weights of the words that say which topic is asked about."""
    own = {stem for word in _TOPIC_WORDS for stem in text.stems(word)}
    weights = dict(evidence.weights)
    return {stem: weight for stem, weight in weights.items() if stem not in own} or weights


def subject(question: str) -> str:
    """Return the words of a question about news that say what it is about; all, if none do."""
    unsaid = (_TOPIC_WORDS | text.QUESTION_WORDS) - _CASES
    kept = [word for word in question.split() if not unsaid.issuperset(text.words(word))]
    return " ".join(kept) if text.query_stems(" ".join(kept)) else question


def about(evidence: Evidence) -> list[int]:
    """Return the hits, from 1, that are about the topic: all its names, most of its weight."""
    weights = topic(evidence)
    total = sum(weights.values())
    needed = names_and_numbers(evidence.query.text) & weights.keys()
    found = []
    for number in range(1, len(evidence.hits) + 1):
        said = said_in(evidence, number)
        share = sum(weight for stem, weight in weights.items() if stem in said)
        if needed <= said and share >= (_ABOUT_NAMED if needed else _ABOUT) * total:
            found.append(number)
    return found


def in_headline(evidence: Evidence, number: int) -> float:
    """Return the share of the topic's weight that a hit's headline holds."""
    weights = topic(evidence)
    said = set(text.stems(evidence.hits[number - 1].passage.title))
    return sum(w for stem, w in weights.items() if stem in said) / (sum(weights.values()) or 1.0)


def borne_out_by_one(evidence: Evidence, numbers: Iterable[int]) -> float:
    """Return the most of the topic's weight that one of these hits holds, as a share."""
    weights = topic(evidence)
    total = sum(weights.values())
    shares = [
        sum(weight for stem, weight in weights.items() if stem in said_in(evidence, number))
        for number in numbers
    ]
    return max(shares, default=0.0) / total if total else 0.0


def said_in(evidence: Evidence, number: int) -> set[str]:
    """Return the stems of a hit's text and headline, with the day of its publication."""
    passage = evidence.hits[number - 1].passage
    said = set(text.stems(f"{passage.title} {passage.text}"))
    if day := passage.published:
        said.update(text.stems(f"{day.day} {text.MONTHS[day.month - 1]} {day.year}"))
    return said


def timeline(evidence: Evidence) -> Iterator[Claim]:
    """Yield one sentence a story about the topic, the newest story first, undated ones last.

    Stories whose headline tells the topic go before those that only mention it.
    """
    weights = topic(evidence)
    told: list[str] = []
    central = sorted(about(evidence), key=lambda n: in_headline(evidence, n) < HEADLINED)
    numbers = sorted(
        central[:EVENTS],
        key=lambda n: evidence.hits[n - 1].passage.published or dt.date.min,
        reverse=True,
    )
    for number in numbers:
        words = _telling(evidence, number, weights)
        if words and not any(alike(words, other) for other in told):
            told.append(words)
            yield Claim(words, (number,))


_LATE, _LEANS, _LONG = 0.02, 0.3, 45
"""Of a telling sentence: what each place after the first costs, what leaning on another sentence
or being speech costs, and the words from which one is too long."""
_LEANING = re.compile(
    r"[\"“'(]|(sebelumnya|selain|sementara|selanjutnya|kemudian|namun|tetapi|hal|menurut(nya)?)\b",
    re.IGNORECASE,
)


def _telling(evidence: Evidence, number: int, weights: dict[str, float]) -> str:
    """Return the sentence of a hit that tells most of the topic, early and on its own."""
    total = sum(weights.values()) or 1.0
    best, kept = -9.0, ""
    for place, piece in enumerate(sentences.sentence_texts(evidence.hits[number - 1].passage)):
        if not _showable(piece):
            continue
        said = set(text.stems(piece))
        score = sum(weight for stem, weight in weights.items() if stem in said) / total
        score -= _LATE * place
        leans = _LEANING.match(piece) or _POINTS.match(piece)
        score -= _LEANS * (bool(leans) + (len(piece.split()) > _LONG))
        if score > best:
            best, kept = score, " ".join(piece.split())
    return kept
