"""Evaluates LightGBM's trees, for importing LightGBM takes longer than a question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from index.errors import ModelError

Floats = npt.NDArray[np.float32]


class Tree(NamedTuple):
    """One tree: of each node its feature, its threshold and its children; the leaves' values.

    A row goes right at a node if its feature is above the threshold. A child below 0 is a leaf:
    -1 the first, -2 the second.
    """

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    leaf: list[float]

    def value(self, row: Sequence[float]) -> float:
        """Return the value of the leaf that a row of features comes to."""
        node = 0
        while node >= 0:
            right = row[self.feature[node]] > self.threshold[node]
            node = self.right[node] if right else self.left[node]
        return self.leaf[~node]


def predict(trees: Sequence[Tree], row: Floats) -> float:
    """Return the sum of the trees' values for one row, float32 [features]."""
    features: list[float] = row.tolist()
    return float(np.sum([tree.value(features) for tree in trees]))


def load_trees(path: Path, names: Sequence[str]) -> tuple[Tree, ...]:
    """Read a LightGBM model's text; raises ModelError if it is none or has other features."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        named = next(line for line in lines if line.startswith("feature_names="))
        trees = tuple(_read_trees(lines, len(named.partition("=")[2].split())))
        if not trees:
            raise ValueError("no trees")
    except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
        raise ModelError(
            f"The model {str(path)!r} cannot be read ({error!r}); restore the file."
        ) from error
    if tuple(named.partition("=")[2].split()) != tuple(names):
        raise ModelError(f"The model {str(path)!r} has other features: train it again.")
    return trees


def _read_trees(lines: Sequence[str], features: int) -> list[Tree]:
    given: list[dict[str, str]] = []
    for line in lines:
        if line.startswith("Tree="):
            given.append({})
        elif line.startswith("end of trees"):
            break
        elif given and "=" in line:
            key, _, value = line.partition("=")
            given[-1][key] = value
    # A tree of one leaf moves every score alike.
    return [_tree(values, features) for values in given if int(values["num_leaves"]) > 1]


def _tree(values: dict[str, str], features: int) -> Tree:
    """Return a tree whose nodes lead to nodes after them or to leaves; else raises ValueError."""
    feature, left, right = (
        list(map(int, values[name].split()))
        for name in ("split_feature", "left_child", "right_child")
    )
    threshold, leaf = (
        list(map(float, values[name].split())) for name in ("threshold", "leaf_value")
    )
    children = [(node, child) for pair in (left, right) for node, child in enumerate(pair)]
    led = all(node < child < len(feature) or -len(leaf) <= child < 0 for node, child in children)
    known = all(0 <= number < features for number in feature)
    whole = len(feature) == len(threshold) == len(left) == len(right)
    if not (led and known and whole) or int(values["num_cat"]):
        raise ValueError("a tree is broken, has categories, or other features")
    return Tree(feature, threshold, left, right, leaf)
