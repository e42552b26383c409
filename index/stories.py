"""Tells which articles carry one story: a MinHash of their text finds those that are alike."""

from __future__ import annotations

import functools
import hashlib
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from index import clean, text
from index.records import Article

MinHash = npt.NDArray[np.uint32]
"""Shape [60]: the least hash of a text's three-word shingles under each of 60 permutations."""

# 10 bands of 6 of the 60 values find a pair of Jaccard similarity 0.8 with probability 0.95
# (1 - (1 - 0.8^6)^10) and one of 0.5 with 0.15; the estimate then decides.
PERMUTATIONS, _BANDS, _ROWS = 60, 10, 6
SAME_STORY, _SAME_TEXT = 0.7, 0.95
_STORY_DAYS = 7
_SHORTEST_STORY = 30
# Share of all numbers that two texts must have in common; on another day it takes more.
_SAME_NUMBERS, _SAME_NUMBERS_LATER = 0.5, 0.8


def key_of(data: bytes) -> int:
    """Return a hash that SQLite holds as an integer (64 bits, signed)."""
    digest = hashlib.blake2b(data, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@functools.cache
def _permutations() -> Any:
    import datasketch

    return datasketch.MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32").permutations


def minhash_of(article: Article) -> MinHash | None:
    """Return the MinHash of an article's news; None where that is too short to tell stories by."""
    import datasketch

    spans = clean.kept_spans(article.body, title=article.title)
    found = text.words(" ".join(article.body[start:end] for start, end in spans))
    if len(found) < _SHORTEST_STORY:
        return None
    shingles = {" ".join(found[i : i + 3]).encode() for i in range(len(found) - 2)}
    sketch = datasketch.MinHash(
        num_perm=PERMUTATIONS,
        hashfunc=zlib.crc32,
        permutations=_permutations(),
        scheme="affine32",
    )
    sketch.update_batch(list(shingles))
    return np.asarray(sketch.hashvalues, dtype=np.uint32)


def band_keys(minhash: MinHash) -> list[int]:
    """Return the key of each band; texts that are alike have at least one in common."""
    return [
        key_of(bytes([band]) + minhash[band * _ROWS : (band + 1) * _ROWS].tobytes())
        for band in range(_BANDS)
    ]


def same_story(one: Article, other: Article, similarity: float) -> bool:
    """Tell a reprint from tomorrow's text by the same template (gold prices, weather, quakes)."""
    if similarity < _SAME_TEXT and one.published and other.published:
        if abs((one.published - other.published).days) > _STORY_DAYS:
            return False
    mine, theirs = _numbers(f"{one.title} {one.body}"), _numbers(f"{other.title} {other.body}")
    if not (_numbers(one.title) <= theirs and _numbers(other.title) <= mine):
        return False
    other_day = one.published and other.published and one.published != other.published
    share = _SAME_NUMBERS_LATER if other_day else _SAME_NUMBERS
    return len(mine & theirs) >= share * len(mine | theirs)


def _numbers(body: str) -> set[str]:
    return {word for word in text.words(body) if word[0].isdigit()}
