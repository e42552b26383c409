"""Tells what changed between two texts of an article, sentence by sentence."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal, NamedTuple

from index.text import sentences

Kind = Literal["kept", "removed", "added"]


class Piece(NamedTuple):
    """A run of sentences that both texts have, or only one of them."""

    kind: Kind
    sentences: tuple[str, ...]


def edits(before: str, after: str) -> list[Piece]:
    """Return both texts as one run of pieces; what was removed comes before what took its place.

    Sentences that differ only in white space are the same. Takes n log n steps for n sentences.
    """
    old, new = (
        [" ".join(text[a:b].split()) for a, b in sentences(text)] for text in (before, after)
    )
    found: list[tuple[Kind, str]] = []
    i = j = 0
    for m, n in [*_kept(old, new), (len(old), len(new))]:
        found += [("removed", sentence) for sentence in old[i:m]]
        found += [("added", sentence) for sentence in new[j:n]]
        found += [("kept", sentence) for sentence in old[m : m + 1]]
        i, j = m + 1, n + 1
    return [
        Piece(kind, tuple(sentence for _, sentence in run))
        for kind, run in groupby(found, key=itemgetter(0))
    ]


def _kept(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of sentences that stayed, in order: patience diff.

    What both texts begin and end with stayed; between, the longest run in order of the sentences
    that each text has once.
    """
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    yield from ((n, n) for n in range(head))
    middle = range(head, len(old) - tail), range(head, len(new) - tail)
    counts = [Counter(text[r.start : r.stop]) for text, r in zip((old, new), middle, strict=True)]
    place = {new[n]: n for n in middle[1] if all(count[new[n]] == 1 for count in counts)}
    yield from _longest_rising([(m, place[old[m]]) for m in middle[0] if old[m] in place])
    yield from ((len(old) - n, len(new) - n) for n in range(tail, 0, -1))


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs whose second numbers rise; the first ones do already."""
    ends: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for number, (_, n) in enumerate(pairs):
        length = bisect_left(ends, n)
        ends[length : length + 1] = [n]
        at[length : length + 1] = [number]
        before.append(at[length - 1] if length else -1)
    run: list[tuple[int, int]] = []
    number = at[-1] if at else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]
