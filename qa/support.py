"""Scores how well a text bears out a sentence: words, numbers, names, negation, opposites."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index import text
from qa import trees
from qa.question import lexicon
from qa.reader import reader
from qa.trees import Floats, Tree

MODEL_FILE = Path(__file__).parent / "model" / "support.txt"

NEGATORS = frozenset("tidak tak bukan belum batal gagal tanpa jangan menolak bukanlah".split())

_INTENSE = frozenset("semua seluruh selalu hanya setiap paling pertama terakhir".split())
_PREFIXES = ("", "di", "ter", "ber", "ke", "se")
_SUFFIXES = ("", "kan", "i", "nya", "an", "kannya")
_NASAL = {"p": ("m", 1), "t": ("n", 1), "k": ("ng", 1), "s": ("ny", 1), "b": ("m", 0)} | {
    **dict.fromkeys("dcj", ("n", 0)),
    **dict.fromkeys("aiueogh", ("ng", 0)),
}


@functools.cache
def _roots() -> dict[str, str]:
    """Return the root of every form that a word with an opposite is likely to take."""
    found: dict[str, str] = {}
    for root in _opposites():
        nasal, dropped = _NASAL.get(root[0], ("", 0))
        formed = [prefix + root for prefix in _PREFIXES]
        formed += [prefix + nasal + root[dropped:] for prefix in ("me", "pe")]
        for form in formed:
            for suffix in _SUFFIXES:
                found.setdefault(form + suffix, root)
    return found | {root: root for root in _opposites()}


@functools.cache
def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, others in lexicon.table("opposites").items():
        for other in others:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {root: frozenset(others) for root, others in found.items()}


def opposed(claim: Sequence[str], shown: Sequence[str]) -> float:
    """Return how many of a claim's words a text only has the opposite of ("naik" for "turun")."""
    known, opposites = _roots(), _opposites()
    mine, theirs = ({known[w] for w in words if w in known} for words in (claim, shown))
    return float(sum(not opposites[root].isdisjoint(theirs - mine) for root in mine - theirs))


def denies(words: Sequence[str]) -> bool:
    """Return whether a sentence negates."""
    return not NEGATORS.isdisjoint(words)


NAMES = (
    "stems",  # share of the claim's words that stand in the text: stems, forms, first letters
    "words",
    "soft",
    "pairs",  # share of its neighbours that are neighbours there
    "window",  # share within one stretch of the text that is twice as long as the claim
    "missing",
    "missing_names",
    "missing_numbers",
    "negations_differ",  # only one of them negates
    "negation_near",  # they negate the words that they share alike
    "opposed",
    "intense",  # "semua", "hanya" and their like that only the claim has
    "first",  # the claim's first and last content word are there
    "last",
    "length",
    "text_length",
)


def features(claim: str, shown: str) -> Floats:
    """Return the features of a claim and the text that shall bear it out, float32 [len(NAMES)]."""
    mine, theirs = text.words(claim), text.words(shown)
    common = text.STOP_WORDS | text.QUESTION_WORDS
    content = [word for word in mine if word not in common and word not in NEGATORS] or mine
    stems = text.stems(" ".join(content))
    there = text.stems(" ".join(theirs))
    held = set(there)
    begins = {stem[:5] for stem in there if len(stem) >= 5}
    lacking = [w for w, s in zip(content, stems, strict=False) if s not in held]
    soft = [s in held or (len(s) >= 5 and s[:5] in begins) for s in stems]
    capital = {w for p in claim.split()[1:] if p[:1].isupper() for w in text.words(p)}
    numbers = [w for w in lacking if w[0].isdigit() or w in text.NUMERALS]
    neighbours = set(zip(there, there[1:], strict=False)) | set(zip(there, there[2:], strict=False))
    pairs = list(zip(stems, stems[1:], strict=False))
    count = max(len(stems), 1)
    values = (
        sum(s in held for s in stems) / count,
        sum(w in theirs for w in content) / count,
        sum(soft) / count,
        sum(pair in neighbours for pair in pairs) / max(len(pairs), 1),
        _window(stems, there),
        len(soft) - sum(soft),
        sum(w in capital for w in lacking),
        len(numbers),
        denies(mine) != denies(theirs),
        _negated_near(mine, theirs),
        opposed(mine, theirs),
        len(_INTENSE & set(mine) - set(theirs)),
        stems[0] in held if stems else 0,
        stems[-1] in held if stems else 0,
        len(mine),
        len(theirs),
    )
    return np.array(values, dtype=np.float32)


@functools.cache
def _trees() -> tuple[Tree, ...]:
    return trees.load_trees(MODEL_FILE, NAMES)


def score(claim: str, shown: str) -> float:
    """Return the probability that a text bears a claim out; raises ModelError.

    What is counted in words and what the reader understands err differently: their mean is better
    than either.
    """
    counted = trees.predict(_trees(), features(claim, shown))
    return 1 / (1 + math.exp(-(counted + reader().supports(claim, shown)) / 2))


def _window(stems: Sequence[str], there: Sequence[str]) -> float:
    wanted, size = set(stems), max(2 * len(stems), 8)
    places = [(at, stem) for at, stem in enumerate(there) if stem in wanted]
    best = 0
    for number, (begin, _) in enumerate(places):
        best = max(best, len({stem for at, stem in places[number:] if at < begin + size}))
    return best / max(len(wanted), 1)


def _negated_near(claim: Sequence[str], shown: Sequence[str]) -> float:
    """Return whether claim and text negate the words that they share alike: 1 alike, 0 not."""

    def negated(words: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for at, word in enumerate(words):
            if word in NEGATORS:
                found.update(text.stems(" ".join(words[at + 1 : at + 4])))
        return found

    mine, theirs = negated(claim), negated(shown)
    shared = set(text.stems(" ".join(claim))) & set(text.stems(" ".join(shown)))
    return float((mine & shared) == (theirs & shared))
