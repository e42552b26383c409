"""What programs ask for, whichever way they come: answers, searches and articles, as rows."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

from typing_extensions import TypedDict

from index.errors import BusyError, InputError, NotFoundError
from index.records import Filter, Turn
from index.text import encodable
from qa.chat import Chat, question_of
from qa.interface import (
    AnswerRow,
    ArchivedRow,
    HitRow,
    archived_row,
    described,
    hit_row,
    published,
    turn_row,
)
from qa.llm import Away
from qa.question.sources import resolve_authors, resolve_publishers
from web.asked import observed, refused
from web.turns import Place, Turns

MOST_EARLIER = 10
"""So many questions may be sent along as the conversation so far."""

_LOOK = 1.0
"""Seconds after which it is looked whether a program that waits is still there."""

_KEPT = 300
"""So many answers can be followed; one with its articles takes some 100 kB."""

_FOLLOWED = 20
"""So many turns of a conversation are kept with an answer."""


@described
class FoundRow(TypedDict):
    """The articles that a search found."""

    version: str
    """The version of the index that was searched."""
    hits: list[HitRow]
    """Best first."""


class GoneError(BusyError):
    """The program that asked has gone."""


class Programs:
    """Serves programs from one chat; remembers the latest answers, so that questions can follow.

    Safe to use from many threads. What it is given may hold any characters. Raises
    IndexMissingError before the first build, and what a chat raises.
    """

    def __init__(self, chat: Chat, turns: Turns | None = None) -> None:
        """Take the queue that others share, or one of its own."""
        self.chat = chat
        self.turns = turns or Turns(chat.settings.limits)
        self._lock = threading.Lock()
        self._conversations: OrderedDict[tuple[str, str], tuple[Turn, ...]] = OrderedDict()

    @asynccontextmanager
    async def place(
        self, owner: str, gone: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[Place]:
        """Hold a place among all that is answered, once its turn has come.

        Raises BusyError where too much is asked at once, and GoneError where the program does not
        wait for it: `gone` tells.
        """
        try:
            place = self.turns.join(owner)
        except BusyError:
            refused("api")
            raise
        try:
            begun = asyncio.wrap_future(place.begun)
            while not begun.done():
                await asyncio.wait([begun], timeout=_LOOK)
                if not begun.done() and gone and await gone():
                    raise GoneError("Nobody waits for the answer any more.")
            begun.result()
            yield place
        finally:
            place.leave()

    def narrowed(
        self,
        after: str = "",
        before: str = "",
        publishers: Sequence[str] = (),
        authors: Sequence[str] = (),
    ) -> Filter:
        """Return the filter of these words, with names as the index spells them.

        Raises InputError for a date that is none and a name that the index does not hold.
        """
        chosen = published(after, before)
        if publishers:
            names = resolve_publishers([*map(encodable, publishers)], self.chat.publishers())
            chosen = replace(chosen, publishers=names)
        if authors:
            known = self.chat.index().authors()
            chosen = replace(chosen, authors=resolve_authors([*map(encodable, authors)], known))
        return chosen

    def answer(
        self,
        question: str,
        follows: str = "",
        earlier: Sequence[str] = (),
        chosen: Filter = Filter(),  # noqa: B008
        most: int | None = None,
        owner: str = "",
        away: Away = nullcontext,
    ) -> Iterator[AnswerRow]:
        """Return the row of an answer as it grows: the last one is complete, and can be followed.

        `follows` is the id of the answer that the question comes after; `earlier` are the questions
        before it, oldest first, which are asked anew. `most` sentences are shown at most. An answer
        is followed by its `owner` alone; `away` is as in `Chat.stream`. What is wrong with the
        question is raised at once: InputError, NotFoundError for an unknown id.
        """
        question = question_of(question)
        if follows and earlier:
            raise InputError("follows and earlier were both given: give one of them.")
        self.chat.index()
        before = self._before(owner, follows) if follows else ()
        asked = [*map(question_of, earlier)]
        return self._growing(question, before, asked, chosen, most, owner, away)

    def _before(self, owner: str, follows: str) -> tuple[Turn, ...]:
        with self._lock:
            turns = self._conversations.get((owner, follows))
            if turns is None:
                raise NotFoundError(
                    f"No answer {follows[:60]!r} is remembered; the latest {_KEPT} are, until the "
                    "server stops: send the questions before as earlier."
                )
            self._conversations.move_to_end((owner, follows))
        return turns

    def _growing(
        self,
        question: str,
        before: tuple[Turn, ...],
        earlier: Sequence[str],
        chosen: Filter,
        most: int | None,
        owner: str,
        away: Away,
    ) -> Iterator[AnswerRow]:
        for each in earlier:
            *_, turn = self.chat.stream(each, before, chosen, away=away)
            before = (*before, turn)
        name = secrets.token_urlsafe(9)
        growing = self.chat.stream(question, before, chosen, away=away)
        for turn in observed(growing, "api", question):
            row = turn_row(name, _cut(turn, most))
            yield row
        with self._lock:
            self._conversations[owner, name] = (*before, turn)[-_FOLLOWED:]
            if len(self._conversations) > _KEPT:
                self._conversations.popitem(last=False)

    def search(
        self,
        question: str,
        k: int = 10,
        mode: str = "",
        chosen: Filter = Filter(),  # noqa: B008
        version: str = "",
    ) -> FoundRow:
        """Return the k best articles of a version, else of the live one.

        Raises InputError for an empty question and NotFoundError for an unknown version.
        """
        index = self.chat.version(version) if version else self.chat.index()
        hits = self.chat.search(question_of(question), k, mode=mode, chosen=chosen, index=index)
        rows = [hit_row(rank, hit) for rank, hit in enumerate(hits, start=1)]
        return {"version": index.version.name, "hits": rows}

    def article(self, article_id: str, content: str = "") -> ArchivedRow:
        """Return an article; `content` is the hash of an earlier text, else the newest is taken.

        Raises NotFoundError for an article or a text that is not there.
        """
        article_id, content = encodable(article_id), encodable(content)
        self.chat.index()
        article = self.chat.article(article_id, content)
        if article is None:
            wanted = f"text {content[:80]!r} of an article" if content else "article"
            raise NotFoundError(f"The archive holds no {wanted} {article_id[:80]!r}.")
        return archived_row(article, self.chat.earlier_texts(article_id))


def _cut(turn: Turn, most: int | None) -> Turn:
    """Return a turn with the first sentences of its answer, and what these cite."""
    if most is None:
        return turn
    claims = turn.answer.claims[:most]
    cited = {number for claim in claims for number in claim.cited}
    citations = tuple(c for c in turn.answer.citations if c.number in cited)
    return replace(turn, answer=replace(turn.answer, claims=claims, citations=citations))
