"""Finds the short answer: every likely run of words in the best sentences, and how well it fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import text
from qa import sentences
from qa.ranking import Stems
from qa.sentences import Asked, Flags, Floats, Ints

MODEL_FILE = Path(__file__).parent / "spans.txt"

LONGEST = 10
"""Words of a short answer, at most."""

_TOKEN = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_][^\W_]*(?:[-'’./][^\W_]+)*|[^\w\s]|_")
_MOST_TOKENS = 70

# A word's class, ordered so that a tree can part alike ones from the rest with one cut.
(
    _EDGE,
    _STOP,
    _OPEN,
    _CLOSE,
    _COMMA,
    _MARK,
    _YANG,
    _AND,
    _IN,
    _AT,
    _BY,
    _WITH,
    _OTHER_STOP,
    _DEFINES,
    _SPEECH,
    _ACTIVE,
    _PASSIVE,
    _STATE,
    _LOWER,
    _NOUN,
    _ABOUT,
    _UNIT,
    _NUMERAL,
    _COUNT,
    _YEAR,
    _DATE,
    _TITLE,
    _NAME,
    _LETTERS,
) = range(29)

_UNITS = frozenset(
    "ton kilogram kg gram meter m km kilometer hektar ha liter barel persen orang jiwa warga tahun "
    "bulan hari jam menit detik kali buah unit ekor rumah dollar dolar rupiah euro yen anak "
    "penduduk desa kota negara spesies jenis halaman kursi suara poin derajat celcius mil watt "
    "megawatt mw "
    "kwh lembar korban penumpang peserta karyawan siswa pohon kapal pesawat perusahaan tempat "
    "batang butir cm mm hp gol medali persegi kubik abad pukul tanggal wib rp us".split()
)
_TITLES = frozenset(
    "presiden wakil menteri perdana ketua direktur utama kepala gubernur bupati walikota wali "
    "jenderal kolonel letnan mayor kapten sekretaris anggota pelatih prof profesor dr drs ir h hj "
    "haji kh pangeran raja ratu kaisar sultan paus pendeta bapak ibu tuan nyonya sir manajer "
    "komisaris hakim jaksa pengacara dokter peneliti penulis juru bicara".split()
)
_OPENERS = frozenset(
    "namun sedangkan sementara selain setelah sebelum saat ketika menurut meski meskipun walau "
    "sebelumnya selanjutnya kemudian akan tetapi sejak selama seperti jika bila apabila dia ia "
    "kami kita saya anda mereka beliau keduanya ada tak bukan hanya hal begitu demikian padahal "
    "akibatnya karenanya".split()
)
_WORDS = {
    **dict.fromkeys(_OPENERS, _OTHER_STOP),
    **dict.fromkeys("di ke dari pada dalam antara sejak hingga sampai".split(), _IN),
    **dict.fromkeys("para sang si untuk sebagai tentang bahwa karena agar".split(), _OTHER_STOP),
    **dict.fromkeys("akan telah sudah sedang ini itu tersebut juga tidak".split(), _OTHER_STOP),
    "oleh": _BY,
    "dengan": _WITH,
    "yang": _YANG,
    **dict.fromkeys("dan atau serta maupun".split(), _AND),
    **dict.fromkeys("sekitar kurang lebih hampir mencapai sebanyak rata-rata".split(), _ABOUT),
    **dict.fromkeys(_TITLES, _TITLE),
    **dict.fromkeys(_UNITS, _UNIT),
    **dict.fromkeys(sentences.NUMERALS, _NUMERAL),
    **dict.fromkeys(sentences.SPEECH, _SPEECH),
    **dict.fromkeys(sentences.DEFINES, _DEFINES),
    **dict.fromkeys(sentences.DATES, _DATE),
}
_PUNCTUATION = {"(": _OPEN, ")": _CLOSE, ",": _COMMA}
_ENDS = frozenset({_OPEN, _COMMA, _MARK, _YANG, _AND, _IN, _BY, _WITH, _OTHER_STOP, _DEFINES})


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters [start, end) of a sentence's text, and how well it would answer."""

    sentence: int
    start: int
    end: int
    score: float = 0.0


@dataclass(frozen=True)
class Tokens:
    """The words and marks of some sentences, end to end: L in all.

    `starts` and `ends` are offsets into the sentence's text; `first` [S + 1].
    """

    words: list[str]
    starts: Ints
    ends: Ints
    first: Ints
    classes: Ints
    term: Ints  # the question's term, or -1
    said: Flags  # stands in the question in this form
    head: Flags  # is a sought noun


def read_tokens(texts: Sequence[str], asked: Asked, stems: Stems) -> Tokens:
    """Cut sentences into words and marks, at most 70 each."""
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    first = [0]
    for piece in texts:
        for number, match in enumerate(_TOKEN.finditer(piece)):
            if number == _MOST_TOKENS:
                break
            words.append(match.group())
            starts.append(match.start())
            ends.append(match.end())
        first.append(len(words))
    lowered = [word.lower() for word in words]
    plain = {word for word in lowered if word.isalnum()}
    known = stems.of(plain)
    opening = set(first)
    classes = [_class(w, lowered[at], at in opening) for at, w in enumerate(words)]
    term = [asked.terms.get(known.get(word, word), -1) for word in lowered]
    return Tokens(
        words,
        np.array(starts, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        np.array(first, dtype=np.int64),
        np.array(classes, dtype=np.int64),
        np.array(term, dtype=np.int64),
        np.array([word in asked.words for word in lowered], dtype=np.bool_),
        np.array([word in asked.sought.heads for word in lowered], dtype=np.bool_),
    )


def _class(word: str, lowered: str, opening: bool) -> int:
    if word[0].isdigit():
        return _YEAR if re.fullmatch(r"1\d\d\d|20\d\d", word) else _COUNT
    if not word[0].isalpha():
        return _PUNCTUATION.get(word, _MARK)
    known = _WORDS.get(lowered)
    if known is not None:
        return known
    if word[0].isupper() and not (opening and word.istitle() and lowered in text.STOP_WORDS):
        return _LETTERS if word.isupper() and len(word) > 1 else _NAME
    if lowered in text.STOP_WORDS:
        return _OTHER_STOP
    for prefix, kind in _MORPHS:
        if lowered.startswith(prefix) and len(lowered) > 5:
            return kind
    return _LOWER


_MORPHS = (
    ("me", _ACTIVE),
    ("di", _PASSIVE),
    ("ber", _STATE),
    ("ter", _STATE),
    ("pe", _NOUN),
    ("ke", _NOUN),
)


# Candidates --------------------------------------------------------------------------------------


def candidates(tokens: Tokens, kind: str) -> tuple[Ints, Ints]:
    """Return the first and last token of every run that might be a short answer, int64 [N] each.

    It begins and ends with a word that can, crosses no end of a sentence, nor half a bracket, and
    can be of the kind that is sought: a number where one is, none for a person.
    """
    count = len(tokens.words)
    classes = tokens.classes
    can_end = ~np.isin(classes, list(_ENDS))
    can_begin = can_end & (classes != _CLOSE)
    percent = np.array([word == "%" for word in tokens.words], dtype=np.bool_)
    can_end |= percent
    firsts = np.flatnonzero(can_begin)
    last = firsts[:, None] + np.arange(LONGEST)
    stop = tokens.first[1:][np.searchsorted(tokens.first, firsts, side="right") - 1]
    inside = last < stop[:, None]
    last = np.minimum(last, max(count - 1, 0))
    # Marks that a short answer does not run across, and brackets that do not close.
    hard = (classes == _MARK) & ~percent
    marks = np.concatenate([[0], np.cumsum(hard)])
    depth = np.concatenate([[0], np.cumsum((classes == _OPEN) * 1 - (classes == _CLOSE) * 1)])
    crossed = marks[last + 1] - marks[firsts][:, None]
    fits = inside & can_end[last] & (crossed == 0)
    fits &= depth[last + 1] == depth[firsts][:, None]
    for wanted, holds in _HOLDS.get(kind, ()):
        sums = np.concatenate([[0], np.cumsum(np.isin(classes, wanted))])
        fits &= (sums[last + 1] > sums[firsts][:, None]) == holds
    row, column = np.nonzero(fits)
    return firsts[row], last[row, column]


_HOLDS = {
    "person": (((_COUNT, _YEAR, _DATE), False),),
    "place": (((_YEAR, _DATE), False),),
    "date": (((_COUNT, _YEAR, _DATE, _NUMERAL), True),),
    "year": (((_COUNT, _YEAR), True),),
    "amount": (((_COUNT, _YEAR, _NUMERAL), True),),
}
"""Classes of which a short answer of a kind holds one, or none."""

NAMES = (
    "sentence",  # number in the order of the sentence model, its score below the best's
    "sentence_below",
    "length",
    "first",  # classes of its first and last word, and of those around it
    "last",
    "before",
    "before_2",
    "after",
    "after_2",
    "names",  # counts of classes
    "counts",
    "dates",
    "units",
    "lowers",
    "joins",
    "titles",
    "commas",
    "brackets",
    "said",  # share of its words that stand in the question; the weight of its terms
    "terms",
    "new_names",
    "term_before",  # words to the nearest term of the question on either side
    "term_after",
    "word_before",  # the same for terms that are no names
    "word_after",
    "name_before",
    "name_after",
    "near",  # weight of the terms around it, by distance
    "near_before",
    "head_before",  # the sought noun is its first word, its last, stands before it or after it
    "head_first",
    "head_last",
    "head_after",
    "whole",  # a run of names (numbers) that is not longer on either side
    "from_start",  # words from the sentence's start
    "to_end",
    "quoted",
    "sought",
    "asked_active",
    "asked_first",  # the question word opens the question
    "covered",
    "near_sentence",
)


def features(
    tokens: Tokens,
    asked: Asked,
    firsts: Ints,
    lasts: Ints,
    scores: Floats,
    rows: Floats,
) -> Floats:
    """Return the features in the order of NAMES, float32 [N, len(NAMES)].

    `scores` are the sentences' scores [S], best first; `rows` their features [S, ...].
    """
    sentence = np.searchsorted(tokens.first, firsts, side="right") - 1
    begin, stop = tokens.first[sentence], tokens.first[sentence + 1]
    count = len(firsts)
    words = sorted(asked.words)
    covered = rows[:, sentences.NAMES.index("covered")]
    near = rows[:, sentences.NAMES.index("near")]
    columns: dict[str, npt.NDArray[np.generic]] = {
        "sentence": sentence,
        "sentence_below": (scores - scores.max(initial=-np.inf))[sentence],
        "length": lasts - firsts + 1,
        "from_start": firsts - begin,
        "to_end": stop - lasts,
        "sought": np.full(count, sentences.SOUGHT.index(asked.sought.kind)),
        "asked_active": np.full(count, sum(w.startswith("me") and len(w) > 5 for w in words)),
        "asked_first": np.full(count, asked.opens),
        "covered": covered[sentence],
        "near_sentence": near[sentence],
    }
    columns |= _around(tokens, firsts, lasts, begin, stop)
    columns |= _inside(tokens, asked, firsts, lasts)
    columns |= _distances(tokens, asked, firsts, lasts, begin, stop)
    return np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)


_Columns = dict[str, npt.NDArray[np.generic]]


def _around(tokens: Tokens, firsts: Ints, lasts: Ints, begin: Ints, stop: Ints) -> _Columns:
    classes, head = tokens.classes, tokens.head
    top = max(len(classes) - 1, 0)

    def at(places: Ints, of: Ints | Flags) -> Ints:
        inside = (places >= begin) & (places < stop)
        return np.where(inside, of[np.clip(places, 0, top)], 0)

    named = np.isin(classes, (_NAME, _LETTERS, _TITLE))
    counted = np.isin(classes, (_NUMERAL, _COUNT, _YEAR, _DATE, _UNIT))
    longer = np.zeros(len(firsts), dtype=np.bool_)
    for kind in (named, counted):
        longer |= kind[firsts] & (at(firsts - 1, kind) > 0)
        longer |= kind[lasts] & (at(lasts + 1, kind) > 0)
    quotes = np.array([word in "\"“”'‘’" for word in tokens.words], dtype=np.bool_)
    return {
        "first": classes[firsts],
        "last": classes[lasts],
        "before": at(firsts - 1, classes),
        "before_2": at(firsts - 2, classes),
        "after": at(lasts + 1, classes),
        "after_2": at(lasts + 2, classes),
        "head_before": at(firsts - 1, head) + at(firsts - 2, head) / 2,
        "head_first": head[firsts],
        "head_last": head[lasts] & (lasts > firsts),
        "head_after": at(lasts + 1, head),
        "whole": ~longer,
        "quoted": at(firsts - 1, quotes) & at(lasts + 1, quotes),
    }


def _inside(tokens: Tokens, asked: Asked, firsts: Ints, lasts: Ints) -> _Columns:
    classes = tokens.classes

    def total(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        return np.asarray(sums[lasts + 1] - sums[firsts])

    named = np.isin(classes, (_NAME, _LETTERS))
    weights = np.append(asked.weights, 0.0)[tokens.term]
    joins = (_YANG, _AND, _IN, _BY, _WITH, _OTHER_STOP, _DEFINES, _SPEECH)
    return {
        "names": total(named),
        "counts": total(np.isin(classes, (_NUMERAL, _COUNT))),
        "dates": total(np.isin(classes, (_DATE, _YEAR))),
        "units": total(classes == _UNIT),
        "lowers": total((classes >= _ACTIVE) & (classes <= _NOUN)),
        "joins": total(np.isin(classes, joins)),
        "titles": total(classes == _TITLE),
        "commas": total(classes == _COMMA),
        "brackets": total(classes == _OPEN),
        "said": total(tokens.said | (tokens.term >= 0)) / (lasts - firsts + 1),
        "terms": total(weights),
        "new_names": total(named & ~tokens.said & (tokens.term < 0)),
    }


_FAR = 30


def _distances(
    tokens: Tokens, asked: Asked, firsts: Ints, lasts: Ints, begin: Ints, stop: Ints
) -> _Columns:
    columns: _Columns = {}
    named = np.append(asked.names, False)
    which = {
        "term": tokens.term >= 0,
        "word": (tokens.term >= 0) & ~named[tokens.term],
        "name": (tokens.term >= 0) & named[tokens.term],
    }
    for name, holds in which.items():
        places = np.flatnonzero(holds)
        padded = np.concatenate([[-(1 << 40)], places, [1 << 40]])
        before = padded[np.searchsorted(places, firsts)]
        after = padded[np.searchsorted(places, lasts, side="right") + 1]
        columns[f"{name}_before"] = np.where(before >= begin, np.minimum(firsts - before, _FAR), 40)
        columns[f"{name}_after"] = np.where(after < stop, np.minimum(after - lasts, _FAR), 40)
    before, after = _proximity(tokens, asked)
    columns["near_before"] = before[firsts]
    columns["near"] = before[firsts] + after[lasts]
    return columns


_FADE = 0.85


def _proximity(tokens: Tokens, asked: Asked) -> tuple[Floats, Floats]:
    """Return for each token the weight of the terms before it and after it, fading by the word."""
    weights = np.append(asked.weights, 0.0)[tokens.term]
    sentence = np.repeat(np.arange(len(tokens.first) - 1), np.diff(tokens.first))
    place = np.arange(len(weights))
    at = np.flatnonzero(weights > 0)
    gap = place[:, None] - place[at]
    same = sentence[:, None] == sentence[at]
    value = weights[at] * np.where(same, _FADE ** np.abs(gap), 0.0)
    before = np.where(gap > 0, value, 0.0).sum(axis=1)
    after = np.where(gap < 0, value, 0.0).sum(axis=1)
    return before.astype(np.float32), after.astype(np.float32)
