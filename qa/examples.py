"""Questions to begin with that the live version answers, made of its newest stories."""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

from index import text
from index.errors import TanyaError
from qa.chat import Chat
from qa.next_questions import LEAST_CONFIDENCE, answered, articles
from qa.sentence_questions import Made, made

logger = logging.getLogger("tanya.qa")

MOST = 5
_NEWEST = 150
_CANDIDATES = 8 * MOST
_TRIES, _SECONDS = 4 * MOST, 120.0
"""The newest articles that are looked at, the questions made of them, those that are asked, and how
long that may take, at most: nobody waits for it."""

_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z'’-]+(?: [A-Z][a-z'’-]+){1,2}(?= [a-z])")


class Examples:
    """The example questions of a chat: found in the background, once for each version."""

    def __init__(self, chat: Chat, known: Sequence[str] = ()) -> None:
        """Take questions that are `known`: they serve where the archive gives too few."""
        self._chat = chat
        self._known = known
        self._lock = threading.Lock()
        self._begun = ""
        self._found: dict[str, tuple[str, ...]] = {}

    def ready(self) -> tuple[str, ...] | None:
        """Return those of the live version, or None while they are looked for. Raises TanyaError.

        The settings' own are always ready.
        """
        if self._chat.settings.chat.examples:
            return self._chat.settings.chat.examples
        version = self._chat.index().version.name
        with self._lock:
            if version not in self._found and self._begun != version:
                self._begun = version
                found = threading.Thread(
                    target=self._find, args=(version,), name="examples", daemon=True
                )
                found.start()
            return self._found.get(version)

    def _find(self, version: str) -> None:
        found: tuple[str, ...] = ()
        try:
            found = examples(self._chat, self._known)
        except (TanyaError, sqlite3.Error) as error:
            logger.warning("no example questions: %s", error)
        with self._lock:
            self._found = {version: found}


def examples(chat: Chat, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Return at most MOST questions that are answered: of the newest stories, one of each.

    Where those are too few, others ask for the news of whom the newest articles name most; where
    there is but one, known ones are taken. Raises TanyaError.
    """
    candidates = list(_of_stories(chat))
    found = answered(chat, candidates, MOST, tries=_TRIES, seconds=_SECONDS)
    for asked in (f"Apa kabar terbaru soal {name}?" for name in _named(chat)):
        if len(found) >= MOST:
            break
        if _is_answered(chat, asked):
            found.append(asked)
    if len(found) < 2:
        found += [asked for asked in known if _is_answered(chat, asked)]
    return tuple(found[:MOST])


def _of_stories(chat: Chat) -> Iterator[Made]:
    """Yield questions of the newest stories, one of each."""
    index = chat.index()
    newest = {one.story_id: one.article_id for one in reversed(index.headlines((), _NEWEST))}
    left = _CANDIDATES
    for passages in articles(index, list(reversed(newest.values()))):
        first = next(iter(made(passages)), None)
        if first and left:
            left -= 1
            yield first


def _is_answered(chat: Chat, asked: str) -> bool:
    """Return whether the archive answers a question that was not made of it, and names all of it.

    In an archive of few articles confidence alone says little.
    """
    turn = chat.ask_aside(asked, _SECONDS)
    if turn is None or turn.answer.confidence < LEAST_CONFIDENCE or not turn.answer.claims:
        return False
    cited = (c.passage for c in turn.answer.citations)
    said = set(text.stems(" ".join(f"{passage.title} {passage.text}" for passage in cited)))
    return text.names_and_numbers(asked) <= said


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
