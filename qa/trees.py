"""Evaluates LightGBM's trees with NumPy."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.errors import ModelError

Floats = npt.NDArray[np.float32]


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
