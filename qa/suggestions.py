"""Suggests, while a question is typed, names and headlines of the archive that go on with it."""

from __future__ import annotations

import re
from typing import NamedTuple

from index import text
from index.names import folded
from index.snapshot import SearchIndex

MOST, _EACH = 8, 4
"""Suggestions in all; of a group where both have enough."""

_SHORTEST = 2
_LONGEST_NAME = 4
_LONGEST_TITLE = 160
_READ = 200
"""Letters that something is suggested from; words that a name is begun with; characters of a
headline that is shown, and of what was typed that are looked at, the last ones."""

_WORD = re.compile(r"[^\W_]+")
_COMMON = text.QUESTION_WORDS | text.STOP_WORDS


class Suggestions(NamedTuple):
    """What may be typed next: `names` in place of what was typed from `start` on, else `titles`."""

    start: int
    names: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


def suggest(index: SearchIndex, typed: str) -> Suggestions:
    """Return what goes on with what was typed: at most MOST, each as the archive writes it.

    A name may begin at the last words or at the last but one and so on; a headline holds every word
    that says something. Both are found from the beginning of the last word.
    """
    offset = max(len(typed) - _READ, 0)
    typed = typed[offset:]
    start, names = _names(index, typed)
    titles = _titles(index, typed)
    shown = len(titles[: max(_EACH, MOST - len(names))])
    return Suggestions(offset + start, tuple(names[: MOST - shown]), tuple(titles[:shown]))


def _names(index: SearchIndex, typed: str) -> tuple[int, list[str]]:
    """Return where the name that is being typed begins, and the names that it may become."""
    starts = [match.start() for match in _WORD.finditer(typed)][-_LONGEST_NAME:]
    publishers = {folded(name) for name, _ in index.version.publishers}
    for start in starts:
        key = folded(typed[start:])
        if len(key) < _SHORTEST or key.split(" ")[0] in _COMMON:
            continue
        found: list[str] = []
        for name, _ in index.names(key, 4 * MOST):
            # "Presiden Jokowi" says no more than "Jokowi" above it.
            told = any(name.endswith(other) or other.endswith(name) for other in found)
            if not told and folded(name) not in publishers | {key}:
                found.append(name)
        if found:
            return start, found[:MOST]
    return len(typed), []


def _titles(index: SearchIndex, typed: str) -> list[str]:
    words = folded(typed).split()
    telling = [word for word in words if word not in _COMMON]
    if not telling or len(telling[-1]) < _SHORTEST:
        return []
    titles = [headline.title for headline in index.headlines(telling, 2 * MOST)]
    whole = " ".join(words)
    return [t for t in titles if len(t) <= _LONGEST_TITLE and folded(t) != whole][:MOST]
