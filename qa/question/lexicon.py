"""Word lists that stand in files beside this one, NAME.txt."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from index.files import word_table


def table(name: str) -> Mapping[str, Sequence[str]]:
    """Return the words of a list, each with those that stand beside it."""
    return word_table(Path(__file__).with_name(f"{name}.txt"))


@functools.cache
def meanings(name: str) -> Mapping[str, str]:
    """Return the other words of a list, each with the one that it stands beside."""
    return {other: word for word, others in table(name).items() for other in others}
