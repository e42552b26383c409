"""Questions to begin with that the live version answers: the ones given, else about its news."""

from __future__ import annotations

import functools
import re
import threading
from collections import Counter

from index import text
from qa.chat import Chat

MOST = 5
_LOCK = threading.Lock()
_NEWEST = 150
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z'’-]+(?: [A-Z][a-z'’-]+){1,2}(?= [a-z])")


def examples(chat: Chat, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the known questions that the archive answers; with fewer than two, others of its news.

    Those ask for the people and places that its newest articles name most. What was found is kept
    as long as its version is live. Raises TanyaError.
    """
    with _LOCK:
        return _examples(chat, chat.index().version.name, known)


@functools.lru_cache(maxsize=2)
def _examples(chat: Chat, version: str, known: tuple[str, ...]) -> tuple[str, ...]:
    found = [asked for asked in known if _is_answered(chat, asked)]
    if len(found) > 1:
        return tuple(found)
    for name in _named(chat):
        if len(found) == MOST:
            break
        asked = f"Apa kabar terbaru soal {name}?"
        if _is_answered(chat, asked):
            found.append(asked)
    return tuple(found)


def _is_answered(chat: Chat, asked: str) -> bool:
    answer = chat.ask(asked).answer
    return answer.status == "answered"


def _named(chat: Chat) -> list[str]:
    """Return names out of the newest articles; first the one that many hold and older ones do not.

    Its rarest word counts: "Merah Putih" is in the news of every day.
    """
    counts: Counter[str] = Counter()
    for body in chat.newest_bodies(_NEWEST):
        counts.update(set(_NAME.findall(body)))
    names: list[str] = []
    index = chat.index()

    def share(name: str) -> float:
        rarest = min(index.frequencies(text.stems(name)), default=0)
        return counts[name] / (1 + rarest)

    often = sorted(counts, key=lambda name: (-counts[name], name))[: 8 * MOST]
    for name in sorted(often, key=lambda name: (-share(name) * counts[name], name)):
        if not any(set(name.split()) & set(other.split()) for other in names):
            names.append(name)
    return names
