"""BM25, by which both searches in words and the weights of a question's words go."""

import math

K1, B = 1.2, 0.75
"""Its parameters, of Robertson and Zaragoza (2009); Tantivy has no others."""


def idf(holding: int, total: int) -> float:
    """Return the inverse document frequency of a stem that `holding` of `total` passages hold."""
    # Removed passages may still count among those that hold it.
    return math.log(1 + (total - min(holding, total) + 0.5) / (holding + 0.5))
