"""Ranks a question's candidate passages: features of each pair, and trees learned from them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import text
from index.errors import ModelError
from index.records import Passage
from qa import question as questions

RANKER_FILE = Path(__file__).parent / "ranker.txt"

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a search brought: BM25 (0 if not found by words), cosine, ranks from 1."""

    passage: Passage
    bm25: float
    cosine: float
    lexical_rank: int | None
    dense_rank: int | None


RISING = (
    "covered",  # share of the question's stems, by inverse document frequency: text and headline
    "covered_text",
    "covered_exact",  # the same, by the question's own word forms
    "covered_soft",  # words that only begin alike count half
    "covered_squared",  # by the square of the weights: the rare stems
    "sentence",  # the same share in the best sentence, in the best two neighbours
    "sentence_exact",
    "two_sentences",
    "window_12",  # and in the best run of so many words
    "window_25",
    "window_50",
    "near",  # each stem's share over one plus its distance in tens of words, from the best start
    "pairs",  # neighbours in the question that stand in this order, at most 3 words apart
    "pairs_tight",  # ... side by side
    "pairs_any_order",
    "names",  # share of the question's names that the passage holds, and its best 25 words
    "names_window",
    "numbers",
    "bm25",
    "bm25_of_best",
    "bm25_of_most",  # as a share of what a passage full of every stem would get
    "cosine",
    "cosine_below_best",
    "fused",
    "window_25_below_best",
    "sentence_below_best",
    "covered_below_best",
)
"""Features of which more is never worse; the trees are trained to keep to that."""

FREE = (
    "lacks_most",  # weight of the heaviest stem that is lacking
    "lacks",  # number of stems lacking
    "lexical_rank",  # logarithms
    "dense_rank",
    "offers",  # the best sentence holds the kind of thing asked for; its neighbour does
    "offers_next",
    "new_names",  # in the best sentence, beyond the question's own
    "new_numbers",
    "new_dates",
    "defines",  # "X adalah ..." right after a stem of the question
    "kind",
    "stems",
    "heaviest",
    "asked_names",
    "total",
)
NAMES = RISING + FREE

_KINDS = {kind: number for number, (kind, _) in enumerate(questions.KINDS, start=1)}
_MOST_STEMS = 32
_FAR = 1 << 40
_DATES = frozenset(
    "januari februari maret april mei juni juli agustus september oktober november desember senin "
    "selasa rabu kamis jumat sabtu minggu kemarin".split()
)
_NUMERALS = frozenset(
    "satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas belas puluh ratus "
    "ratusan ribu ribuan juta jutaan miliar triliun persen seorang sebuah".split()
)
_CAUSES = frozenset(
    "karena sebab akibat penyebab lantaran dipicu disebabkan alasan demi agar supaya sehingga "
    "gara untuk".split()
)
_DEFINES = frozenset("adalah ialah merupakan yakni yaitu".split())
_NAME = re.compile(r"(?<=[\w,)] )[A-Z][\w'’-]*")
_PLACE = re.compile(r"\b(?:di|ke|dari|kawasan|jalan|desa|kota) [A-Z]")
_YEAR = re.compile(r"1\d\d\d|20\d\d")


# The candidates' words ---------------------------------------------------------------------------


class Stems:
    """Remembers the stems of words, up to a bound."""

    def __init__(self, most: int = 200_000) -> None:
        self._most = most
        self._known: dict[str, str] = {}

    def of(self, words: set[str]) -> dict[str, str]:
        """Return the stem of each word, and perhaps of others."""
        if len(self._known) > self._most:
            self._known = {}
        # Another thread may start a new dictionary meanwhile; this one stays whole.
        known = self._known
        new = [word for word in words if word not in known]
        found = text.stems(" ".join(new))
        if len(found) != len(new):
            found = [(text.stems(word) or [word])[0] for word in new]
        known.update(zip(new, found, strict=True))
        return known


@dataclass(frozen=True)
class _Asked:
    """A question as the features see it; `weights` are float32 [T] and sum to 1."""

    kind: str
    words: frozenset[str]
    stems: tuple[str, ...]
    weights: Floats
    total: float
    surfaces: dict[str, int]
    names: npt.NDArray[np.bool_]
    numbers: npt.NDArray[np.bool_]


def _read_question(
    question: str, kind: str, weights: Sequence[tuple[str, float]], stems: Stems
) -> _Asked:
    kept = sorted(weights, key=lambda pair: -pair[1])[:_MOST_STEMS]
    kept = [pair for pair in weights if pair in kept]
    place = {stem: number for number, (stem, _) in enumerate(kept)}
    found = text.words(question)
    known = stems.of(set(found))
    named: set[str] = set()
    for word in question.split()[1:]:
        if word[:1].isupper():
            named.update(text.stems(word))
    raw = np.array([weight for _, weight in kept], dtype=np.float32)
    total = float(raw.sum())
    return _Asked(
        kind,
        frozenset(found),
        tuple(place),
        raw / max(total, 1e-9),
        total,
        {word: place[known[word]] for word in found if known[word] in place},
        np.array([stem in named for stem in place], dtype=np.bool_),
        np.array([stem[:1].isdigit() for stem in place], dtype=np.bool_),
    )


@dataclass(frozen=True)
class _Words:
    """The candidates' words end to end, and where the question's stems stand among them.

    A match is a word with one of the T stems: its position `at`, stem `term`, `sentence` and
    `passage`, each int64 [M], in reading order.
    """

    asked: _Asked
    words: list[str]
    sentences: list[str]
    first_word: Ints  # of each sentence, and the number of words: [S + 1]
    first_sentence: Ints  # of each passage, and the number of sentences: [N + 1]
    at: Ints
    term: Ints
    exact: npt.NDArray[np.bool_]
    soft: npt.NDArray[np.bool_]
    headline: npt.NDArray[np.bool_]

    @cached_property
    def sentence(self) -> Ints:
        return np.searchsorted(self.first_word, self.at, side="right") - 1

    @cached_property
    def passage_of_sentence(self) -> Ints:
        counts = np.diff(self.first_sentence)
        return np.repeat(np.arange(len(counts)), counts)

    @cached_property
    def passage(self) -> Ints:
        return self.passage_of_sentence[self.sentence]


def _read_passages(asked: _Asked, passages: Sequence[Passage], stems: Stems) -> _Words:
    parts = [_sentences(passage) for passage in passages]
    sentences = list(chain.from_iterable(parts))
    words, lengths = text.words_of(sentences)
    titles, of_title = text.words_of([passage.title for passage in passages])
    distinct = set(words)
    known = stems.of(distinct.union(titles))
    place = {stem: number for number, stem in enumerate(asked.stems)}
    terms = {word: place[known[word]] for word in distinct if known[word] in place}
    found = np.fromiter(map(terms.get, words, repeat(-1)), np.int64, len(words))
    at = np.flatnonzero(found >= 0)
    headline = np.zeros((len(passages), len(place)), dtype=np.bool_)
    for number, word in zip(np.repeat(np.arange(len(passages)), of_title), titles, strict=True):
        if (term := place.get(known[word])) is not None:
            headline[number, term] = True
    first_word = _starts(lengths)
    first_sentence = _starts([len(part) for part in parts])
    return _Words(
        asked,
        words,
        sentences,
        first_word,
        first_sentence,
        at,
        found[at],
        np.fromiter((words[i] in asked.surfaces for i in at.tolist()), np.bool_, len(at)),
        _soft(asked, words, distinct, first_word[first_sentence]),
        headline,
    )


def _starts(counts: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _sentences(passage: Passage) -> list[str]:
    texts = []
    at = 0
    for start, end in passage.spans:
        texts.append(passage.text[at : at + end - start])
        at += end - start + 1
    # Spans that do not fit the text must not hide any of it.
    if at <= len(passage.text):
        texts.append(passage.text[at:])
    return texts


_SOFT_LETTERS = 5


def _soft(
    asked: _Asked, words: Sequence[str], distinct: set[str], first_word: Ints
) -> npt.NDArray[np.bool_]:
    """Tell for passage and stem [N, T] whether a word begins with the stem's first letters."""
    begins = {
        stem[:_SOFT_LETTERS]: term
        for term, stem in enumerate(asked.stems)
        if len(stem) >= _SOFT_LETTERS
    }
    out = np.zeros((len(first_word) - 1, len(asked.stems)), dtype=np.bool_)
    alike = {w: begins[w[:_SOFT_LETTERS]] for w in distinct if w[:_SOFT_LETTERS] in begins}
    found = np.fromiter(map(alike.get, words, repeat(-1)), np.int64, len(words))
    at = np.flatnonzero(found >= 0)
    out[np.searchsorted(first_word, at, side="right") - 1, found[at]] = True
    return out


# Features ----------------------------------------------------------------------------------------


def features(
    question: str,
    kind: str,
    weights: Sequence[tuple[str, float]],
    candidates: Sequence[Candidate],
    stems: Stems,
) -> Floats:
    """Return the features in the order of NAMES, float32 [len(candidates), len(NAMES)].

    `weights` are the question's stems, in its order, with their inverse document frequency.
    """
    asked = _read_question(question, kind, weights, stems)
    found = _read_passages(asked, [c.passage for c in candidates], stems)
    columns = _coverage(found) | _distances(found) | _search_scores(asked, candidates)
    cover, best = _best_sentences(found)
    columns |= cover | _clues(found, best)
    for name in ("window_25", "sentence", "covered"):
        columns[f"{name}_below_best"] = columns[name] - columns[name].max(initial=0.0)
    constant = {
        "kind": _KINDS.get(kind, 0),
        "stems": len(asked.stems),
        "heaviest": asked.weights.max(initial=0.0),
        "asked_names": asked.names.sum(),
        "total": asked.total,
    }
    columns |= {name: np.full(len(candidates), value) for name, value in constant.items()}
    matrix = np.stack([columns[name] for name in NAMES], axis=1)
    return np.nan_to_num(matrix.astype(np.float32), posinf=0.0, neginf=0.0)


_Columns = dict[str, npt.NDArray[np.generic]]


def _coverage(found: _Words) -> dict[str, Floats]:
    """Return what share of the question stands in each passage."""
    asked = found.asked
    holds = np.zeros_like(found.headline)
    holds[found.passage, found.term] = True
    exact = np.zeros_like(holds)
    exact[found.passage[found.exact], found.term[found.exact]] = True
    either = holds | found.headline
    squares = asked.weights**2
    lacking = ~either * asked.weights
    return {
        "covered": either @ asked.weights,
        "covered_text": holds @ asked.weights,
        "covered_exact": exact @ asked.weights,
        "covered_soft": (either | found.soft) @ asked.weights / 2 + either @ asked.weights / 2,
        "covered_squared": either @ squares / max(float(squares.sum()), 1e-9),
        "lacks_most": lacking.max(axis=1, initial=0.0),
        "lacks": (~either).sum(axis=1).astype(np.float32),
        "names": _share(either, asked.weights * asked.names),
        "numbers": _share(either, asked.weights * asked.numbers),
    }


def _share(holds: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the share of the weights that is held; 1 where there is nothing to hold."""
    total = float(weights.sum())
    return (holds @ weights) / total if total else np.ones(len(holds), dtype=np.float32)


def _distances(found: _Words) -> dict[str, Floats]:
    """Return the best windows, and how many of the question's neighbours are neighbours."""
    asked, count = found.asked, len(found.headline)
    end = found.first_word[found.first_sentence][1:][found.passage]
    # From each match, the words to the next match of each stem in the same passage: [M, T].
    away = np.full((len(found.at), len(asked.stems)), _FAR, dtype=np.int64)
    for term in range(len(asked.stems)):
        places = np.append(found.at[found.term == term], _FAR)
        following = places[np.searchsorted(places, found.at)]
        away[:, term] = np.where(following < end, following - found.at, _FAR)
    named = asked.weights * asked.names
    values: dict[str, npt.NDArray[np.floating]] = {
        **{f"window_{n}": (away < n) @ asked.weights for n in (12, 25, 50)},
        "near": (1 / (1 + away / 10)) @ asked.weights,
        "names_window": (away < 25) @ named / max(float(named.sum()), 1e-9),
    }
    columns = {name: _best(found.passage, value, count) for name, value in values.items()}
    if not named.any():
        columns["names_window"] = np.ones(count, dtype=np.float32)
    return columns | _neighbours(found, away)


def _best(passage: Ints, values: npt.NDArray[np.floating], count: int) -> Floats:
    out = np.zeros(count, dtype=np.float32)
    np.maximum.at(out, passage, values.astype(np.float32))
    return out


def _neighbours(found: _Words, away: Ints) -> dict[str, Floats]:
    asked, count = found.asked, len(found.headline)
    last = len(asked.stems) - 1
    if last < 1:
        blank = np.zeros(count, dtype=np.float32)
        return dict.fromkeys(("pairs", "pairs_tight", "pairs_any_order"), blank)
    weights = asked.weights[1:] + asked.weights[:-1]
    out = {}
    rows = np.arange(len(found.at))
    after = away[rows, np.minimum(found.term + 1, last)]
    after[found.term == last] = _FAR
    before = away[rows, np.maximum(found.term - 1, 0)]
    before[found.term == 0] = _FAR
    for name, near in (("pairs", after <= 3), ("pairs_tight", after == 1)):
        holds = np.zeros((count, last), dtype=np.bool_)
        holds[found.passage[near], found.term[near]] = True
        out[name] = holds @ weights / weights.sum()
        if name == "pairs":
            near = before <= 4
            holds[found.passage[near], found.term[near] - 1] = True
            out["pairs_any_order"] = holds @ weights / weights.sum()
    return out


def _best_sentences(found: _Words) -> tuple[dict[str, Floats], Ints]:
    """Return the shares in each passage's best sentences, and which sentence is the best: [N]."""
    weights, starts = found.asked.weights, found.first_sentence[:-1]
    holds = np.zeros((len(found.sentences), len(weights)), dtype=np.bool_)
    holds[found.sentence, found.term] = True
    exact = np.zeros_like(holds)
    exact[found.sentence[found.exact], found.term[found.exact]] = True
    pairs = holds.copy()
    same = found.passage_of_sentence[1:] == found.passage_of_sentence[:-1]
    pairs[:-1] |= holds[1:] & same[:, None]
    covered = holds @ weights
    highest = np.maximum.reduceat(covered, starts)
    _, best = np.unique(
        found.passage_of_sentence[is_best := covered >= highest[found.passage_of_sentence]],
        return_index=True,
    )
    return {
        "sentence": highest,
        "sentence_exact": np.maximum.reduceat(exact @ weights, starts),
        "two_sentences": np.maximum.reduceat(pairs @ weights, starts),
    }, np.flatnonzero(is_best)[best]


def _search_scores(asked: _Asked, candidates: Sequence[Candidate]) -> dict[str, Floats]:
    bm25 = np.array([c.bm25 for c in candidates], dtype=np.float32)
    cosine = np.array([c.cosine for c in candidates], dtype=np.float32)
    of_best = bm25 / max(float(bm25.max(initial=0.0)), 1e-9)
    ranks = np.array(
        [(c.lexical_rank or 1000, c.dense_rank or 1000) for c in candidates], dtype=np.float32
    ).reshape(-1, 2)
    return {
        "bm25": bm25,
        "bm25_of_best": of_best,
        "bm25_of_most": bm25 / max(2.2 * asked.total, 1e-9),
        "cosine": cosine,
        "cosine_below_best": cosine - cosine.max(initial=-1.0),
        "fused": 0.85 * of_best + 0.15 * cosine,
        "lexical_rank": np.log(ranks[:, 0]),
        "dense_rank": np.log(ranks[:, 1]),
    }


def _clues(found: _Words, best: Ints) -> dict[str, Floats]:
    """Look for what is asked for in each passage's best sentence and the one after it."""
    out = np.zeros((6, len(best)), dtype=np.float32)
    last = found.first_sentence[1:] - 1
    for passage, sentence in enumerate(best.tolist()):
        offered = _offered(found, sentence)
        out[0, passage] = offered[0]
        if sentence < last[passage]:
            out[1, passage] = _offered(found, sentence + 1)[0]
        out[2:5, passage] = offered[1:]
    following = [found.words[at + 1 : at + 3] for at in found.at.tolist()]
    defined = np.array([not _DEFINES.isdisjoint(words) for words in following], dtype=np.bool_)
    out[5, found.passage[defined]] = 1.0
    names = ("offers", "offers_next", "new_names", "new_numbers", "new_dates", "defines")
    return dict(zip(names, out, strict=True))


def _offered(found: _Words, sentence: int) -> tuple[bool, float, float, float]:
    """Return whether the sentence offers an answer, and its new names, numbers and dates."""
    asked, piece = found.asked, found.sentences[sentence][:1000]
    begin, end = found.first_word[sentence], found.first_word[sentence + 1]
    new = set(found.words[begin:end]) - asked.words
    digits = [word for word in new if word[0].isdigit()]
    years = sum(_YEAR.fullmatch(word) is not None for word in digits)
    dates = len(new & _DATES) + years
    numbers = len(digits) - years + len(new & _NUMERALS)
    names = sum(name.lower() not in asked.words for name in _NAME.findall(piece))
    offers = {
        "who": names > 0,
        "when": dates > 0,
        "howmany": numbers > 0,
        "where": _PLACE.search(piece) is not None,
        "why": not _CAUSES.isdisjoint(new),
    }.get(asked.kind, names + numbers > 0)
    return offers, min(names, 3), min(numbers, 3), min(dates, 3)


# The learned ranker ------------------------------------------------------------------------------


_READ = 64
_DENSE_WEIGHT = 0.3


def shortlist(candidates: Sequence[Candidate]) -> list[int]:
    """Return the positions of the candidates that are worth reading, in ascending order."""
    mixed = _mixed(candidates).tolist()
    order = sorted(range(len(mixed)), key=lambda at: (-mixed[at], candidates[at].passage.id))
    return sorted(order[:_READ])


def _mixed(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    bm25 = np.array([c.bm25 for c in candidates], dtype=np.float64)
    cosine = np.array([c.cosine for c in candidates], dtype=np.float64)
    share = bm25 / max(float(bm25.max(initial=0.0)), 1e-9)
    return np.asarray((1 - _DENSE_WEIGHT) * share + _DENSE_WEIGHT * cosine)


class Ranker:
    """Scores candidates with boosted trees; safe to use from many threads."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._stems = Stems()

    @classmethod
    def load(cls, path: Path = RANKER_FILE) -> Ranker:
        """Read a LightGBM model's text; raises ModelError if it is none or has other features."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            named = next(line for line in lines if line.startswith("feature_names="))
            trees = Trees(lines)
        except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
            raise ModelError(
                f"The ranker {str(path)!r} cannot be read ({error!r}); restore the file."
            ) from error
        if tuple(named.partition("=")[2].split()) != NAMES:
            raise ModelError(f"The ranker {str(path)!r} has other features: run train/ranker.py.")
        return cls(trees)

    def scores(
        self,
        question: str,
        kind: str,
        weights: tuple[tuple[str, float], ...],
        candidates: Sequence[Candidate],
    ) -> npt.NDArray[np.float64]:
        """Return a score for each candidate, float64 [len(candidates)]; higher is better.

        `kind` is `qa.question.kind_of`'s; `weights` are the question's stems in its order, with
        their inverse document frequency. Only differences within one question mean anything.
        """
        read = shortlist(candidates)
        scores = np.zeros(len(candidates))
        if not read:
            return scores
        some = [candidates[number] for number in read]
        scores[read] = self._trees.predict(features(question, kind, weights, some, self._stems))
        mixed = _mixed(candidates)
        rest = np.setdiff1d(np.arange(len(candidates)), read)
        # Those that were not read stay behind, in the order that they were found in.
        scores[rest] = scores[read].min() - 1 - (mixed.max() - mixed[rest])
        return scores


class Trees:
    """Evaluates LightGBM's trees with NumPy, for importing LightGBM takes longer than a question.

    Every node that a row goes right at rules out the leaves on its left; the first leaf left over
    is the row's (QuickScorer: Lucchese et al., 2015). A tree has at most 16 leaves.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        features: list[int] = []
        thresholds: list[float] = []
        masks: list[int] = []
        starts: list[int] = []
        leaves: list[list[float]] = []
        for tree in _read_trees(lines):
            kept, values = _leaf_masks(tree)
            starts.append(len(features))
            features.extend(map(int, tree["split_feature"].split()))
            thresholds.extend(map(float, tree["threshold"].split()))
            masks.extend(kept)
            leaves.append(values + [0.0] * (_MOST_LEAVES - len(values)))
        named = next((line for line in lines if line.startswith("feature_names=")), "")
        known = len(named.partition("=")[2].split())
        if not leaves or not 0 <= min(features) <= max(features) < known:
            raise ValueError("no trees, or trees of other features")
        self._features = np.array(features)
        self._masks = np.array(masks, dtype=np.uint16)[:, None]
        self._starts = np.array(starts)
        self._leaves = np.array(leaves).ravel()
        # For float32 values, "at most the threshold" is "at most the float32 below it".
        exact = np.array(thresholds)
        near = exact.astype(np.float32)
        self._thresholds = np.where(near > exact, np.nextafter(near, -np.inf), near)[:, None]

    def predict(self, rows: Floats) -> npt.NDArray[np.float64]:
        """Return the sum of the trees' values for each row of `rows`, float32 [N, features]."""
        right = rows.T[self._features] > self._thresholds
        kept = np.where(right, self._masks, np.uint16(0xFFFF))
        alive = np.bitwise_and.reduceat(kept, self._starts, axis=0)
        leaf = _first_bits()[alive] + np.arange(0, len(self._leaves), _MOST_LEAVES)[:, None]
        return np.asarray(self._leaves[leaf].sum(axis=0), dtype=np.float64)


_MOST_LEAVES = 16


@functools.cache
def _first_bits() -> npt.NDArray[np.int64]:
    """Return the position of the lowest bit of every 16-bit number; 0 for 0."""
    lowest = np.zeros(1 << _MOST_LEAVES, dtype=np.int64)
    for bit in reversed(range(_MOST_LEAVES)):
        lowest[1 << bit :: 1 << (bit + 1)] = bit
    return lowest


def _read_trees(lines: Sequence[str]) -> list[dict[str, str]]:
    trees: list[dict[str, str]] = []
    for line in lines:
        if line.startswith("Tree="):
            trees.append({})
        elif line.startswith("end of trees"):
            break
        elif trees and "=" in line:
            key, _, value = line.partition("=")
            trees[-1][key] = value
    # A tree of one leaf moves every score alike.
    trees = [tree for tree in trees if int(tree["num_leaves"]) > 1]
    for tree in trees:
        if int(tree["num_leaves"]) > _MOST_LEAVES or int(tree["num_cat"]):
            raise ValueError("a tree has too many leaves, or categories")
    return trees


def _leaf_masks(tree: dict[str, str]) -> tuple[list[int], list[float]]:
    """Return each node's mask of leaves that stay if a row goes right; the leaves from the left."""
    left = list(map(int, tree["left_child"].split()))
    right = list(map(int, tree["right_child"].split()))
    given = list(map(float, tree["leaf_value"].split()))
    masks = [0] * len(left)
    values: list[float] = []

    def walk(node: int) -> int:
        if node < 0:
            values.append(given[~node])
            return 1 << (len(values) - 1)
        lost = walk(left[node])
        masks[node] = 0xFFFF & ~lost
        return lost | walk(right[node])

    walk(0)
    return masks, values
