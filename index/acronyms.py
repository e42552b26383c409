"""Learns what acronyms stand for from the archive's own text, and finds both forms in a question.

"Komisi Pemberantasan Korupsi (KPK)" tells that the one form means the other; a question that holds
one of them should find passages that hold the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from index import text
from index.bm25 import idf
from index.engines.contract import Synonym

_BRACKETED = re.compile(r" \(([A-Z][A-Za-z]{1,9})\)")
_BEFORE = re.compile(r"[^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*)*$")
_REACH = 100
_MAY_SKIP = 4
_LONGEST_PREFIX = 5

LEAST_COUNT = 3
"""Articles that must introduce an acronym before it is believed."""
LEAST_SHARE = 0.6
"""Share of an acronym's introductions that its commonest meaning must have."""
LEAST_RATE = 0.01
"""Introductions for each passage with the acronym: "PT" is seldom a Pengadilan Tinggi."""


def introduced(piece: str) -> set[tuple[str, str]]:
    """Find the acronyms that a text introduces: {(acronym, what it stands for)}, lower-case words.

    An acronym is spelled by the first letters of the words before it, one to five of each; short
    words ("dan", "di") may give none.
    """
    found = set()
    for match in _BRACKETED.finditer(piece):
        before = _BEFORE.search(piece, max(0, match.start() - _REACH), match.start())
        if before is None:
            continue
        acronym, names = match[1].lower(), text.words(before.group())
        for count in range(2, min(len(names), len(acronym) + 3) + 1):
            if _spells(names[-count:], acronym):
                found.add((acronym, " ".join(names[-count:])))
                break
    return found


def _spells(names: list[str], acronym: str) -> bool:
    if names[0][0] != acronym[0]:
        return False
    reached = {0}
    for number, name in enumerate(names):
        following = reached.copy() if number and len(name) <= _MAY_SKIP else set()
        for begin in reached:
            for end in range(begin + 1, min(len(acronym), begin + _LONGEST_PREFIX) + 1):
                if not name.startswith(acronym[begin:end]):
                    break
                following.add(end)
        reached = following
    return len(acronym) in reached


class Acronyms:
    """The acronyms of an archive, each with its one accepted meaning."""

    def __init__(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Take how many articles introduce each (acronym, meaning)."""
        total: Counter[str] = Counter()
        for (acronym, _), count in counts.items():
            total[acronym] += count
        self.introductions: dict[str, int] = {}
        self.meanings: dict[str, tuple[str, ...]] = {}
        self._acronym: dict[tuple[str, ...], str] = {}
        # The commonest comes last, so that it is the one kept for a meaning of several acronyms.
        for (acronym, meaning), count in sorted(
            counts.items(), key=lambda pair: (pair[1], pair[0])
        ):
            if count >= max(LEAST_COUNT, LEAST_SHARE * total[acronym]):
                names = tuple(meaning.split())
                self.meanings[acronym] = names
                self._acronym[names] = acronym
                self.introductions[text.stems(acronym)[0]] = count
        self._longest = max(map(len, self._acronym), default=0)

    def synonyms(self, question: str) -> Iterator[Synonym]:
        """Yield the acronyms and the meanings that a question holds, each with its other form.

        Two letters must be capitals in the question: "ma" is also a word.
        """
        names = text.words(question)
        for name in dict.fromkeys(names):
            if name in self.meanings and (len(name) > 2 or name.upper() in question):
                yield Synonym(_stems([name]), _stems(self.meanings[name]))
        for begin in range(len(names)):
            for end in range(begin + 2, min(len(names), begin + self._longest) + 1):
                meaning = tuple(names[begin:end])
                if meaning in self._acronym:
                    yield Synonym(_stems(meaning), _stems([self._acronym[meaning]]))

    def expansions(
        self,
        question: str,
        terms: Sequence[str],
        frequencies: Callable[[Sequence[str]], list[int]],
        total: int,
    ) -> list[tuple[Synonym, float]]:
        """Return a question's synonyms, each with what the other form's score is multiplied by.

        The other form in full is worth as much as the one asked for. `terms` are the question's
        stems, `frequencies` tells in how many of the `total` passages each of some stems stands.
        """
        found: list[tuple[Synonym, float]] = []
        taken: set[str] = set()
        for synonym in self.synonyms(question):
            asked, other = (
                list(zip(stems, frequencies(stems), strict=True))
                for stems in (synonym.asked, synonym.other)
            )
            short = asked if len(asked) == 1 else other
            attested = self.introductions.get(short[0][0], 0)
            if attested < LEAST_RATE * short[0][1] or taken & set(synonym.asked):
                continue
            if set(synonym.asked) <= set(terms) and not set(synonym.asked) & set(synonym.other):
                taken.update(synonym.asked)
                found.append((synonym, _worth(asked, total) / max(_worth(other, total), 1e-9)))
        return found


def _worth(stems: Sequence[tuple[str, int]], total: int) -> float:
    """Return the sum of the inverse document frequencies of (stem, passages with it)."""
    return sum(idf(holding, total) for _, holding in stems)


def _stems(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(text.query_stems(" ".join(names)))
