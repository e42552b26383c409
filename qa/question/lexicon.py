"""Word lists that stand in files beside this one, NAME.txt.

A line is "word: other, other", or a word alone; one that begins with "#" is a heading.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path


@functools.cache
def table(name: str) -> Mapping[str, Sequence[str]]:
    """Return the words of a list, each with those that stand beside it."""
    found: dict[str, list[str]] = {}
    path = Path(__file__).with_name(f"{name}.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            word, _, others = line.partition(":")
            found[word] = [other.strip() for other in others.split(",")] if others else []
    return found


@functools.cache
def meanings(name: str) -> Mapping[str, str]:
    """Return the other words of a list, each with the one that it stands beside."""
    return {other: word for word, others in table(name).items() for other in others}
