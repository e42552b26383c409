"""Typing mistakes: a word that the archive does not hold, put right by one that it does."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index import text
from index.records import Filter
from index.snapshot import SearchIndex

_SHORTEST = 4
_TWO_EDITS = 8
"""From how many letters on a word is corrected; and by two edits, if the rest bears it out."""

_RARE = 1
_MUCH_COMMONER = 200
"""A word in so few passages is taken for a typing mistake of one in so many times as many."""

_CLEAR = 5
_COMMON = 4
"""How much commoner than the next the winner must be, and in how many passages it must stand."""

_LARGE = 20_000
"""Passages from which on an archive holds nearly every plain word."""

_AROUND = 25
"""Passages whose words are looked through for the one that was meant."""
_MOST_KEPT = 5_000
"""Corrections that are kept in memory."""

_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = string.ascii_lowercase


@dataclass(frozen=True, slots=True)
class Spelled:
    """A question with its typing mistakes put right; `swaps` are (typed, meant)."""

    text: str
    swaps: tuple[tuple[str, str], ...] = ()


class Speller:
    """Corrects questions by the words of one version of the index; keeps what it found out."""

    def __init__(self, index: SearchIndex) -> None:
        self.index = index
        self._known: dict[str, str] = {}

    def as_written(self, question: str) -> str:
        """Put verbs as they are spoken into the form that newspapers write: "dilaporin", "nabrak".

        That form must be far commoner in the index, and the verb be no name.
        """
        words = question.split()
        for at, word in enumerate(words):
            bare = word.strip(_SIGNS)
            spoken = bare.islower() and len(bare) > _SHORTEST and bare not in _UNCHANGED
            forms = [form for form in _written(bare) if form.removesuffix("nya") not in _UNCHANGED]
            forms = forms if spoken else []
            if forms:
                own, *counts = self._counts([bare, *forms])
                best = max(range(len(forms)), key=counts.__getitem__)
                if counts[best] >= max(_SPOKEN * own, _COMMON):
                    words[at] = word.replace(bare, forms[best])
        return " ".join(words)

    def correct(self, question: str) -> Spelled:
        """Correct the words of four letters or more that the archive does not hold.

        One edit away (a letter more, less, other or two swapped); two from eight letters on. A
        word of the passages about the question's other words wins, then a much commoner one.
        """
        found = [m for m in _WORD.finditer(question) if len(m.group()) >= _SHORTEST]
        counts = self._counts([m.group() for m in found])
        doubtful = [
            (m, n) for m, n in zip(found, counts, strict=True) if n <= _RARE and _doubtful(m[0])
        ]
        if not doubtful:
            return Spelled(question)
        unsure = {m.group() for m, count in doubtful if not count}
        rest = " ".join(m.group() for m in found if m.group() not in unsure)
        swaps = []
        for match, count in reversed(doubtful):
            typed = match.group()
            others = " ".join(word for word in rest.split() if word != typed)
            meant = self._meant(typed, count, others)
            if meant:
                meant = _cased(meant, typed)
                swaps.append((typed, meant))
                question = question[: match.start()] + meant + question[match.end() :]
        return Spelled(question, tuple(reversed(swaps)))

    def _meant(self, typed: str, count: int, rest: str) -> str:
        key = f"{typed} {rest}"
        if key not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            meant = self._nearby(typed, count, rest)
            # A rare word is not mistaken for a common one only because they look alike.
            if not meant and not count and not typed.isupper():
                meant = self._common(typed)
            self._known[key] = meant
        return self._known[key]

    def _nearby(self, typed: str, count: int, rest: str) -> str:
        """Return the nearest word in the passages about the rest of the question."""
        if not rest or not text.query_stems(rest):
            return ""
        lowered = typed.lower()
        most = 2 if len(typed) >= _TWO_EDITS else 1
        near: dict[str, int] = {}
        for word in self._words_about(rest, _AROUND, typed):
            away = _distance(lowered, word, most)
            if not away:
                return ""
            if away <= most and self._likely(typed, word):
                near[word] = away
        if not near:
            return ""
        first = [word for word, away in near.items() if away == min(near.values())]
        ranked = sorted(zip(self._counts(first), first, strict=True), reverse=True)
        clear = len({text.stems(word)[0] for word in first}) == 1
        if not clear and ranked[0][0] < _CLEAR * ranked[1][0]:
            return ""
        return ranked[0][1] if ranked[0][0] > _MUCH_COMMONER * count else ""

    def _common(self, typed: str) -> str:
        """Return the word one edit away that is far commoner than every other such word."""
        near = list(dict.fromkeys(_edits(typed.lower())))
        best: dict[str, tuple[int, str]] = {}
        for word, number in zip(near, self._counts(near), strict=True):
            stem = text.stems(word)[0]
            if number >= _COMMON and number > best.get(stem, (0, ""))[0]:
                best[stem] = (number, word)
        ranked = sorted(best.values(), reverse=True)
        if not ranked or (len(ranked) > 1 and ranked[0][0] < _CLEAR * ranked[1][0]):
            return ""
        # Only the stem was looked up: the word itself must stand in the archive.
        words = self._words_about(ranked[0][1], 5, typed)
        written = (w for w in sorted(words) if _distance(typed.lower(), w, 1) == 1)
        return next((word for word in written if self._likely(typed, word)), "")

    def _likely(self, typed: str, word: str) -> bool:
        """Return whether a word could be meant; a small archive lacks most plain words itself."""
        if typed[0].isupper() or self.index.version.passages >= _LARGE:
            return True
        # "biang" is no mistake for "siang"; a letter too few, too many or swapped is likelier one.
        return len(typed) != len(word) or sorted(typed) == sorted(word)

    def _words_about(self, question: str, passages: int, typed: str) -> set[str]:
        """Return the words of the best passages; for a word typed as a name, only the names."""
        found = self.index.lexical(question, passages, Filter())
        read = self.index.passages([scored.passage_id for scored in found])
        written = Counter(word for passage in read for word in _WORD.findall(passage.text))
        titles = {word.lower() for passage in read for word in _WORD.findall(passage.title)}
        small: Counter[str] = Counter()
        large: Counter[str] = Counter()
        for word, times in written.items():
            (small if word.islower() else large)[word.lower()] += times
        words = {word for word in titles | small.keys() | large.keys() if len(word) >= _SHORTEST}
        if typed[0].isupper():
            return {word for word in words if large[word] >= small[word]}
        return words

    def _counts(self, words: Sequence[str]) -> list[int]:
        stems = text.stems(" ".join(words))
        if len(stems) != len(words):
            return [min(self.index.frequencies(text.stems(w)), default=1) for w in words]
        return self.index.frequencies(stems)


def _doubtful(word: str) -> bool:
    """Return whether a word may be a mistake: no question word, none that is one token.

    The bundled vocabulary holds the words of general use; a mistake takes several of its tokens.
    """
    lowered = word.lower()
    if lowered in text.QUESTION_WORDS | text.STOP_WORDS or not lowered.isascii():
        return False
    return len(text.tokens(f" {word}")) > 1


_UNCHANGED = text.STOP_WORDS | text.QUESTION_WORDS
_SPOKEN = 10
"""How much commoner than a verb as it is spoken its written form must be."""
_SIGNS = "\"'“”‘’(),.?!:;"
_NASALS = (
    ("nge", ("",)),
    ("ng", ("", "k")),
    ("ny", ("s", "c")),
    ("n", ("t",)),
)


def _written(verb: str) -> Iterator[str]:
    """Yield what a verb as it is spoken may be written as: "ngelunasin" -> "lunas", "dilaporin"."""
    stem = verb.removesuffix("in")
    if stem != verb and len(stem) >= _SHORTEST:
        yield f"{stem}kan"
        yield stem
    for nasal, letters in _NASALS:
        if stem.startswith(nasal) and len(stem) - len(nasal) >= _SHORTEST - 1:
            for letter in letters:
                yield f"{letter}{stem.removeprefix(nasal)}"


def _cased(meant: str, typed: str) -> str:
    return meant.upper() if typed.isupper() else meant.title() if typed[0].isupper() else meant


def _edits(word: str) -> Iterator[str]:
    """Yield every spelling one edit away."""
    for at in range(len(word) + 1):
        left, right = word[:at], word[at:]
        if right:
            yield left + right[1:]
        if len(right) > 1 and right[0] != right[1]:
            yield left + right[1] + right[0] + right[2:]
        for letter in _LETTERS:
            yield left + letter + right
            if right and letter != right[0]:
                yield left + letter + right[1:]


def _distance(one: str, other: str, most: int) -> int:
    """Return how many edits two words are apart, swaps of neighbours counted as one.

    More than `most` is told as most + 1. (Optimal string alignment.)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, mine in enumerate(one, start=1):
        previous, before, row = before, row, [i]
        for j, theirs in enumerate(other, start=1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (mine != theirs))
            if i > 1 and j > 1 and mine == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
