"""Reads the sentences of the hits: what a question seeks, features of each sentence, its odds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import text
from index.errors import ModelError
from index.records import Evidence, Passage
from qa.ranking import Stems, Trees

MODEL_FILE = Path(__file__).parent / "sentences.txt"

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# What a question seeks ----------------------------------------------------------------------------

SOUGHT = (
    "other",
    "person",
    "date",
    "year",
    "place",
    "amount",
    "cause",
    "quote",
    "manner",
    "definition",
    "named",
    "thing",
    "verdict",
)
"""Kinds of answer that a question may seek."""

_YEAR_ASKED = re.compile(r"\btahun (berapa|apa|mana)(kah)?\b")
_DATE_ASKED = re.compile(r"\b(tanggal|bulan|hari|pukul|jam|abad) (berapa|apa|mana)(kah)?\b")
_DEFINED = re.compile(
    r"\bapa(kah)? (itu|arti|makna|definisi|pengertian|maksud)\b|\byang di ?maksud\b"
)
_FROM_MAIN = {
    "who": "person",
    "when": "date",
    "where": "place",
    "howmany": "amount",
    "why": "cause",
    "quote": "quote",
    "how": "manner",
}
_PLACE_HEADS = frozenset(
    "negara kota provinsi propinsi kabupaten kecamatan desa daerah wilayah pulau benua kawasan "
    "ibukota lokasi tempat kampung kelurahan sungai gunung pantai".split()
)
_ASKING = frozenset("apa apakah mana manakah berapa berapakah".split())
_COUNTED = frozenset("tahun tanggal bulan hari pukul jam abad usia umur harga".split())
_NO_HEAD = frozenset("yang itu saja nama adalah di dari ke untuk pada oleh dengan ada ini".split())


@dataclass(frozen=True, slots=True)
class Sought:
    """What is asked for: its kind, and the words that say which ("kecamatan", "ton")."""

    kind: str
    heads: tuple[str, ...]


def sought(question: str, kind: str) -> Sought:
    """Return what a question seeks; `kind` is `qa.question.kind_of`'s."""
    lowered = question.lower()
    words = text.words(question)
    heads = _heads(words)
    if kind == "yesno" and _ASKING.isdisjoint(words):
        return Sought("verdict", ())
    if kind == "comparison":
        return Sought("manner", heads)
    if _YEAR_ASKED.search(lowered):
        return Sought("year", heads)
    if _DATE_ASKED.search(lowered):
        return Sought("date", heads)
    if kind in _FROM_MAIN:
        return Sought(_FROM_MAIN[kind], heads)
    if _DEFINED.search(lowered):
        return Sought("definition", ())
    if re.match(r"\s*(benarkah|betulkah|adakah|sudahkah|bisakah|apakah benar)\b", lowered):
        return Sought("verdict", ())
    if _PLACE_HEADS.intersection(heads[:1]):
        return Sought("place", heads)
    if re.search(r"\b(nama|judul|julukan|sebutan|istilah)\w*\b", lowered):
        return Sought("named", heads)
    return Sought("thing" if kind in ("what", "yesno") else "other", heads)


def _heads(words: Sequence[str]) -> tuple[str, ...]:
    """Return the nouns beside the question word: "partai" of "Partai apakah".

    The one before it, where there is one, else up to two after it.
    """
    for at, word in enumerate(words):
        if word not in _ASKING:
            continue
        counts = word.startswith("berapa")
        if at and (words[at - 1] in _COUNTED or not counts) and words[at - 1] not in _NO_HEAD:
            return (words[at - 1],)
        after = list(words[at + 1 : at + 4])
        while after and after[0] in _NO_HEAD:
            after.pop(0)
        return tuple(word for word in after[:2] if word not in text.STOP_WORDS)
    return ()


# The words of the evidence ------------------------------------------------------------------------

DATES = frozenset(
    "januari februari maret april mei juni juli agustus september oktober november desember senin "
    "selasa rabu kamis jumat sabtu minggu kemarin".split()
)
NUMERALS = frozenset(
    "satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas belas puluh puluhan "
    "ratus ratusan ribu ribuan juta jutaan miliar triliun persen seorang sebuah setengah".split()
)
CAUSES = frozenset(
    "karena sebab sebabnya akibat akibatnya penyebab penyebabnya lantaran dipicu disebabkan alasan "
    "alasannya demi agar supaya sehingga gara untuk".split()
)
SPEECH = frozenset(
    "kata katanya ujar ujarnya ucap ucapnya tutur tuturnya jelas jelasnya tegas tegasnya ungkap "
    "ungkapnya imbuh imbuhnya papar paparnya tambah tambahnya menurut menurutnya mengatakan "
    "menyatakan menegaskan menilai mengaku menjelaskan menuturkan mengungkapkan menambahkan".split()
)
DEFINES = frozenset("adalah ialah merupakan yakni yaitu disebut bernama berarti".split())
PLACED = frozenset("di ke dari kawasan jalan desa kecamatan kabupaten kota provinsi".split())
POINTING = frozenset("ia dia mereka beliau menurutnya katanya ujarnya keduanya".split())

_YEAR, _DATE, _COUNT, _CAUSE, _SPEECH, _DEFINES, _PLACED, _POINTING, _NAMED = range(1, 10)
_BEFORE_DATES = frozenset("pukul tanggal tgl jam nomor no".split())
_CLASSES = {
    **dict.fromkeys(PLACED, _PLACED),
    **dict.fromkeys(POINTING, _POINTING),
    **dict.fromkeys(DEFINES, _DEFINES),
    **dict.fromkeys(SPEECH, _SPEECH),
    **dict.fromkeys(CAUSES, _CAUSE),
    **dict.fromkeys(NUMERALS, _COUNT),
    **dict.fromkeys(DATES, _DATE),
}
_YEAR_WORD = re.compile(r"1\d\d\d|20\d\d")
_NAME = re.compile(r"(?<=[\w,)] )[A-Z][\w'’-]*")
_MOST_TERMS = 32
_FAR = 1 << 40
_LONGEST_SENTENCE = 2000


def sentence_texts(passage: Passage) -> list[str]:
    """Return the text of each of the passage's spans."""
    texts = []
    at = 0
    for start, end in passage.spans:
        texts.append(passage.text[at : at + end - start])
        at += end - start + 1
    return texts


@dataclass(frozen=True)
class Asked:
    """A question as the features see it; `weights` are float32 [T] and sum to 1."""

    sought: Sought
    words: frozenset[str]
    weights: Floats
    terms: Mapping[str, int]
    surfaces: frozenset[str]
    names: Flags
    numbers: Flags
    opens: bool  # a question word comes first


def read_question(evidence: Evidence, stems: Stems) -> Asked:
    """Return the question's terms with their shares of the weight."""
    query = evidence.query
    kept = sorted(evidence.weights, key=lambda pair: -pair[1])[:_MOST_TERMS]
    kept = [pair for pair in evidence.weights if pair in kept]
    raw = np.array([weight for _, weight in kept], dtype=np.float32)
    words = frozenset(text.words(query.text))
    named: set[str] = set()
    for word in query.text.split()[1:]:
        if word.lstrip("\"'“‘([")[:1].isupper():
            named.update(text.stems(word))
    total = float(raw.sum())
    return Asked(
        sought(query.text, query.kind),
        words,
        raw / max(total, 1e-9),
        {stem: number for number, (stem, _) in enumerate(kept)},
        words - text.STOP_WORDS - text.QUESTION_WORDS,
        np.array([stem in named for stem, _ in kept], dtype=np.bool_),
        np.array([stem[:1].isdigit() for stem, _ in kept], dtype=np.bool_),
        (text.words(query.text) or [""])[0] in text.QUESTION_WORDS,
    )


@dataclass(frozen=True)
class Pages:
    """The hits' sentences end to end, and where the question's terms stand among their words.

    S sentences of N hits with W words in all; `classes` int64 [W]; a match is a word that is one
    of the T terms: its position `at`, its `term`, whether `exact`, each [M], in reading order.
    """

    asked: Asked
    texts: list[str]
    words: list[str]
    first_word: Ints  # of each sentence, and the number of words: [S + 1]
    first_sentence: Ints  # of each hit, and the number of sentences: [N + 1]
    classes: Ints
    new: Flags  # not a word of the question: [W]
    at: Ints
    term: Ints
    exact: Flags
    new_names: list[int]  # of each sentence
    headline: Flags  # [N, T]: in the headline, or the year of publication
    soft: Flags  # [S, T]: a word begins with the term's first letters

    @cached_property
    def sentence(self) -> Ints:
        """Return the sentence of each match, int64 [M]."""
        return np.searchsorted(self.first_word, self.at, side="right") - 1

    @cached_property
    def hit(self) -> Ints:
        """Return the hit of each sentence, from 0, int64 [S]."""
        counts = np.diff(self.first_sentence)
        return np.repeat(np.arange(len(counts)), counts)

    @cached_property
    def holds(self) -> Flags:
        """Tell which sentence holds which term, [S, T]."""
        out = np.zeros((len(self.texts), len(self.asked.terms)), dtype=np.bool_)
        out[self.sentence, self.term] = True
        return out


def read_pages(evidence: Evidence, stems: Stems) -> Pages:
    """Find the question's terms in every sentence of the evidence."""
    asked = read_question(evidence, stems)
    passages = [hit.passage for hit in evidence.hits]
    parts = [sentence_texts(passage) for passage in passages]
    texts = list(chain.from_iterable(parts))
    words, counts = text.words_of([piece[:_LONGEST_SENTENCE] for piece in texts])
    distinct = set(words)
    titles = [set(text.words(passage.title)) for passage in passages]
    known = stems.of(distinct.union(*titles))
    terms = {word: asked.terms[known[word]] for word in distinct if known[word] in asked.terms}
    found = _look_up(terms, words)
    at = np.flatnonzero(found >= 0)
    classes = {word: _CLASSES[word] for word in distinct if word in _CLASSES}
    for word in distinct:
        if word[0].isdigit():
            classes[word] = _YEAR if _YEAR_WORD.fullmatch(word) else _COUNT
    names = [_NAME.findall(piece[:_LONGEST_SENTENCE]) for piece in texts]
    for name in text.words(" ".join(chain.from_iterable(names))):
        classes.setdefault(name, _NAMED)
    exact = {word: 1 for word in asked.surfaces & distinct}
    said = {word: 1 for word in asked.words & distinct}
    first_word = _starts(counts)
    return Pages(
        asked,
        texts,
        words,
        first_word,
        _starts(len(part) for part in parts),
        _dated(_look_up(classes, words), words),
        _look_up(said, words) < 0,
        at,
        found[at],
        _look_up(exact, words)[at] > 0,
        [sum(name.lower() not in asked.words for name in some) for some in names],
        _headlines(asked, passages, titles, known),
        _soft(asked, words, distinct, first_word),
    )


def _look_up(numbers: Mapping[str, int], words: Sequence[str]) -> Ints:
    return np.fromiter(map(numbers.get, words, repeat(-1)), np.int64, len(words))


def _dated(classes: Ints, words: Sequence[str]) -> Ints:
    """Return the classes with the day of a date, and the hour, told apart from amounts."""
    before = np.fromiter((word in _BEFORE_DATES for word in words), np.bool_, len(words))
    month = np.fromiter((word in text.MONTHS for word in words), np.bool_, len(words))
    dated = np.append(False, before[:-1]) | np.append(month[1:], False)
    return np.where(dated[: len(classes)] & (classes == _COUNT), _DATE, classes)


def _starts(counts: Iterable[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(list(counts), dtype=np.int64)]).astype(np.int64)


def _headlines(
    asked: Asked, passages: Sequence[Passage], titles: Sequence[set[str]], known: Mapping[str, str]
) -> Flags:
    out = np.zeros((len(passages), len(asked.terms)), dtype=np.bool_)
    for number, (passage, title) in enumerate(zip(passages, titles, strict=True)):
        said = {known[word] for word in title}
        if passage.published:
            said.add(str(passage.published.year))
        for stem in said & asked.terms.keys():
            out[number, asked.terms[stem]] = True
    return out


_SOFT_LETTERS = 5


def _soft(asked: Asked, words: Sequence[str], distinct: set[str], first_word: Ints) -> Flags:
    begins = {
        stem[:_SOFT_LETTERS]: term
        for stem, term in asked.terms.items()
        if len(stem) >= _SOFT_LETTERS
    }
    alike = {w: begins[w[:_SOFT_LETTERS]] for w in distinct if w[:_SOFT_LETTERS] in begins}
    found = _look_up(alike, words)
    at = np.flatnonzero(found >= 0)
    out = np.zeros((len(first_word) - 1, len(asked.terms)), dtype=np.bool_)
    out[np.searchsorted(first_word, at, side="right") - 1, found[at]] = True
    return out


# Features ----------------------------------------------------------------------------------------

NAMES = (
    "covered",  # share of the question's terms, by inverse document frequency, in the sentence
    "covered_exact",
    "covered_soft",
    "with_headline",
    "with_before",  # and with the sentence before it, after it
    "with_after",
    "in_passage",
    "window",  # in the best 12 words
    "near",  # each term's share over one plus its distance in tens of words, from the best start
    "pairs",  # neighbours in the question that stand in this order, at most 3 words apart
    "names",  # share of the question's names in the sentence, in the passage
    "names_passage",
    "numbers",  # in sentence, headline or year
    "others",  # share of the terms that are neither
    "below_best",  # "covered" below the best one's; in its own passage
    "below_best_here",
    "near_below_best",
    "passage_below_best",
    "rank",  # logarithm of the place by "covered"
    "hit",  # logarithms
    "lexical_rank",
    "length",
    "new_names",
    "new_dates",
    "new_years",
    "new_counts",
    "offers",  # how near the question's terms a word of the sought kind stands
    "defines",  # "X adalah" right after a term
    "causes",
    "speech",
    "pointing",  # begins with a pronoun
    "heads",  # the sought noun stands in it
    "lacks_most",  # weight of the heaviest term that neither sentence nor headline has
    "here",  # share of the terms, weighted by how few sentences of the hit hold them
    "here_soft",
    "here_most",  # holds the weightiest of these
    "among",  # the same over the sentences of all hits
    "among_below_best_here",
    "new_share",
    "sought",
    "terms",
)


def features(pages: Pages, evidence: Evidence) -> Floats:
    """Return the features in the order of NAMES, float32 [S, len(NAMES)]."""
    count = len(pages.texts)
    if not count:
        return np.zeros((0, len(NAMES)), dtype=np.float32)
    columns = _coverage(pages) | _nearness(pages) | _places(pages, evidence) | _offers(pages)
    columns |= _telling(pages)
    for name, of in (("below_best", "covered"), ("near_below_best", "near")):
        columns[name] = columns[of] - columns[of].max()
    columns["passage_below_best"] = columns["in_passage"] - columns["in_passage"].max()
    for name, of in (("below_best_here", "covered"), ("among_below_best_here", "among")):
        best = np.maximum.reduceat(columns[of], pages.first_sentence[:-1])
        columns[name] = columns[of] - best[pages.hit]
    order = np.argsort(-columns["covered"].astype(np.float64), kind="stable")
    place = np.empty(count)
    place[order] = np.arange(count)
    asked = pages.asked
    columns |= {
        "rank": np.log1p(place),
        "sought": np.full(count, SOUGHT.index(asked.sought.kind)),
        "terms": np.full(count, len(asked.terms)),
    }
    return np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)


_Columns = dict[str, npt.NDArray[np.generic]]


def _coverage(pages: Pages) -> _Columns:
    asked, holds = pages.asked, pages.holds
    weights = asked.weights
    exact = np.zeros_like(holds)
    exact[pages.sentence[pages.exact], pages.term[pages.exact]] = True
    title = pages.headline[pages.hit]
    same = pages.hit[1:] == pages.hit[:-1]
    before, after = holds.copy(), holds.copy()
    before[1:] |= holds[:-1] & same[:, None]
    after[:-1] |= holds[1:] & same[:, None]
    passage = (np.logical_or.reduceat(holds, pages.first_sentence[:-1]) | pages.headline)[pages.hit]
    either = holds | title
    named, counted = weights * asked.names, weights * asked.numbers
    rest = weights * ~(asked.names | asked.numbers)
    return {
        "covered": holds @ weights,
        "covered_exact": exact @ weights,
        "covered_soft": (holds | pages.soft) @ weights,
        "with_headline": either @ weights,
        "with_before": before @ weights,
        "with_after": after @ weights,
        "in_passage": passage @ weights,
        "names": _share(holds, named),
        "names_passage": _share(passage, named),
        "numbers": _share(either, counted),
        "others": _share(holds | pages.soft, rest),
        "lacks_most": (~either * weights).max(axis=1, initial=0.0),
    }


def _share(holds: Flags, weights: Floats) -> Floats:
    """Return the share of the weights that is held; 1 where there is nothing to hold."""
    total = float(weights.sum())
    return (holds @ weights) / total if total else np.ones(len(holds), dtype=np.float32)


_TOLD = 0.25
"""What a term's weight keeps within a hit whose headline holds it."""


def _telling(pages: Pages) -> _Columns:
    """Weigh terms by what they tell a hit's sentences apart by: all of them are about its topic."""
    asked, holds = pages.asked, pages.holds
    soft = holds | pages.soft
    firsts, counts = pages.first_sentence[:-1], np.diff(pages.first_sentence)
    held = np.add.reduceat(soft.astype(np.float32), firsts, axis=0)
    rarity = np.log((counts[:, None] + 1) / np.maximum(held, 1)) * (held > 0)
    weights = (asked.weights * rarity * np.where(pages.headline, _TOLD, 1))[pages.hit]
    total = np.maximum(weights.sum(axis=1), 1e-9)
    everywhere = soft.sum(axis=0)
    rare = asked.weights * np.log((len(soft) + 1) / np.maximum(everywhere, 1)) * (everywhere > 0)
    return {
        "here": (holds * weights).sum(axis=1) / total,
        "here_soft": (soft * weights).sum(axis=1) / total,
        "here_most": (soft * weights).max(axis=1, initial=0.0)
        >= weights.max(axis=1, initial=0.0) - 1e-9,
        "among": (soft @ rare) / max(float(rare.sum()), 1e-9),
    }


def _nearness(pages: Pages) -> _Columns:
    asked, count = pages.asked, len(pages.texts)
    end = pages.first_word[1:][pages.sentence]
    # From each match, the words to the next match of each term in its sentence: [M, T].
    away = np.full((len(pages.at), len(asked.terms)), _FAR, dtype=np.int64)
    for term in range(len(asked.terms)):
        places = np.append(pages.at[pages.term == term], _FAR)
        following = places[np.searchsorted(places, pages.at)]
        away[:, term] = np.where(following < end, following - pages.at, _FAR)
    last = len(asked.terms) - 1
    after = away[np.arange(len(away)), np.minimum(pages.term + 1, max(last, 0))]
    follows = (after <= 3) & (pages.term < last)
    pairs = np.zeros((count, max(last, 1)), dtype=np.bool_)
    pairs[pages.sentence[follows], pages.term[follows]] = True
    both = asked.weights[1:] + asked.weights[:-1] if last > 0 else np.ones(1, dtype=np.float32)
    return {
        "window": _most(pages, (away < 12) @ asked.weights),
        "near": _most(pages, (1 / (1 + away / 10)) @ asked.weights),
        "pairs": pairs @ both / both.sum(),
    }


def _most(pages: Pages, values: npt.NDArray[np.floating]) -> Floats:
    out = np.zeros(len(pages.texts), dtype=np.float32)
    np.maximum.at(out, pages.sentence, values.astype(np.float32))
    return out


def _places(pages: Pages, evidence: Evidence) -> _Columns:
    ranks = np.log([hit.lexical_rank or 1000 for hit in evidence.hits])
    return {
        "hit": np.log1p(pages.hit),
        "lexical_rank": ranks[pages.hit],
        "length": np.diff(pages.first_word),
    }


_OFFERED = {
    "date": (_YEAR, _DATE),
    "year": (_YEAR,),
    "amount": (_COUNT,),
    "cause": (_CAUSE,),
    "quote": (_SPEECH,),
    "definition": (_DEFINES,),
    "place": (_PLACED, _NAMED),
    "manner": (),
}


def _offers(pages: Pages) -> _Columns:
    """Count what might answer, and how near the question's terms it stands."""
    asked, count = pages.asked, len(pages.texts)
    of = np.repeat(np.arange(count), np.diff(pages.first_word))

    def tally(which: Flags) -> Ints:
        return np.minimum(np.bincount(of[which], minlength=count), 4)

    # A mark after the last word, for those who look beyond it.
    classes = np.append(pages.classes, -1)
    fresh = np.append(pages.new, False)
    of = np.append(of, 0)
    heads = np.zeros(count, dtype=np.int64)
    if asked.sought.heads:
        wanted = {word: 1 for word in asked.sought.heads}
        heads = tally(np.append(_look_up(wanted, pages.words) > 0, False))
    offered = np.isin(classes, _OFFERED.get(asked.sought.kind, (_NAMED,))) & fresh
    after = np.minimum(pages.at[:, None] + (1, 2), len(classes) - 1)
    defined = (classes[after] == _DEFINES).any(axis=1) if len(pages.at) else np.zeros(0, np.bool_)
    first = classes[pages.first_word[:-1]]
    length = np.maximum(np.diff(pages.first_word), 1)
    return {
        "new_names": np.minimum(pages.new_names, 5),
        "new_dates": tally((classes == _DATE) & fresh),
        "new_years": tally((classes == _YEAR) & fresh),
        "new_counts": tally((classes == _COUNT) & fresh),
        "offers": _beside(pages, np.flatnonzero(offered)),
        "defines": _most(pages, defined.astype(np.float32)),
        "causes": tally(classes == _CAUSE),
        "speech": tally(classes == _SPEECH) + np.array(['"' in t or "“" in t for t in pages.texts]),
        "pointing": first == _POINTING,
        "heads": heads,
        "new_share": np.bincount(of[fresh], minlength=count) / length,
    }


def _beside(pages: Pages, places: Ints) -> Floats:
    """Return how much of the question stands near the best of the places, for each sentence."""
    out = np.zeros(len(pages.texts), dtype=np.float32)
    if not len(places) or not len(pages.at):
        return out
    sentence = np.searchsorted(pages.first_word, places, side="right") - 1
    same = sentence[:, None] == pages.sentence
    near = same / (1 + np.abs(places[:, None] - pages.at) / 5)
    best = np.zeros((len(places), len(pages.asked.terms)), dtype=np.float32)
    for term in range(best.shape[1]):
        mine = pages.term == term
        if mine.any():
            best[:, term] = near[:, mine].max(axis=1)
    np.maximum.at(out, sentence, best @ pages.asked.weights)
    return out


# The learned model -------------------------------------------------------------------------------


def load_trees(path: Path, names: Sequence[str]) -> Trees:
    """Read a LightGBM model's text; raises ModelError if it is none or has other features."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        named = next(line for line in lines if line.startswith("feature_names="))
        trees = Trees(lines)
    except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
        raise ModelError(
            f"The model {str(path)!r} cannot be read ({error!r}); restore the file."
        ) from error
    if tuple(named.partition("=")[2].split()) != tuple(names):
        raise ModelError(f"The model {str(path)!r} has other features: train it again.")
    return trees
