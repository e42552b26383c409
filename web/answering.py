"""Answers a visitor's question, in its turn, in a thread of its own, and keeps what came of it."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime as dt
import functools
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from index.errors import BusyError, StoppingError, TanyaError
from index.records import Filter, Query, Turn
from index.text import encodable
from page import texts
from page.html import LONGEST_QUESTION
from qa.chat import Chat
from qa.history import History
from qa.question.answer_type import answer_type
from web.asked import observed, refused
from web.turns import Place, Turns

logger = logging.getLogger("tanya.web")

# Publishers, or authors, that a filter may name, and characters of such a name.
_MOST, _LONGEST = 500, 500
_LOOK = 0.5
"""Seconds after which somebody who waits hears how many are before them."""
_CUT = 0.7
"""Seconds in which an answer that is to end ends; it looks at each passage that it reads."""


@dataclass(frozen=True, slots=True)
class Request:
    """A question of a visitor: in the box, by an example, or by what stands on a turn.

    `conversation` is the one that it belongs to, "" for a new one; `chosen` is the filter that the
    visitor set. `turn` is the number of the turn that it was sent from, 0 for none. `limits` are
    the dates, publishers and authors to search instead of those that stood in that turn's
    question, which is `edited` if it was also put in other words. `as_typed` corrects no spelling.
    """

    text: str
    conversation: str = ""
    chosen: Filter = Filter()
    turn: int = 0
    limits: Filter | None = None
    edited: bool = False
    as_typed: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an answer is: `turn` grows until it is `complete`; `error` says why there is none.

    `ahead` questions are answered before it, as long as it waits.
    """

    conversation: str
    number: int
    turn: Turn | None = None
    complete: bool = False
    error: Exception | None = None
    ahead: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A question on its way to its answer: `where` is its conversation and number.

    `earlier` are the conversation's answered turns, `tell` hands a step to whoever asked; it is
    answered in the `context` of its request.
    """

    request: Request
    earlier: Mapping[int, Turn]
    where: tuple[str, int]
    place: Place
    tell: Callable[[Progress], object]
    context: contextvars.Context

    def say(self, step: Progress) -> None:
        """Tell a step, if anybody can still hear it."""
        with suppress(RuntimeError):
            self.tell(step)


def read_request(sent: object) -> Request:
    """Return the question that the page sent; raises ValueError with a message for the person."""
    if not isinstance(sent, dict):
        raise ValueError(texts.REQUEST_UNREADABLE)
    text = encodable(str(sent.get("text") or "")).strip()
    turn, limits = sent.get("turn"), sent.get("limits")
    if not any(char.isalnum() for char in text):
        raise ValueError(texts.EMPTY_QUESTION)
    return Request(
        text[: LONGEST_QUESTION + 1],
        str(sent.get("conversation") or "")[:64],
        _read_filter(sent),
        turn if isinstance(turn, int) else 0,
        _read_filter(limits) if isinstance(limits, dict) else None,
        bool(sent.get("edited")),
        bool(sent.get("typed")),
    )


def _read_filter(sent: dict[str, object]) -> Filter:
    after, before = (str(sent.get(end) or "") for end in ("after", "before"))
    publishers, authors = (_names(sent.get(kind)) for kind in ("publishers", "authors"))
    return texts.parse_filter(after, before, publishers, authors)


def _names(sent: object) -> list[str]:
    if not isinstance(sent, list):
        return []
    return [encodable(name[:_LONGEST]) for name in sent[:_MOST] if isinstance(name, str)]


class Answering:
    """Answers the questions of all visitors, each in its turn, and keeps what came of them."""

    def __init__(
        self,
        chat: Chat,
        history: History,
        now: Callable[[], dt.datetime] | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.chat = chat
        self.history = history
        self.turns = turns or Turns(chat.settings.limits)
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], _Work] = {}

    async def ask(self, owner: str, request: Request) -> AsyncIterator[Progress]:
        """Answer a question as it grows; the last progress is complete.

        The question keeps its turn, and its answer is kept, if nobody takes what this yields: who
        asked may open the conversation again. Raises BusyError where too much is asked, and
        ArchiveError if the conversations cannot be read.
        """
        steps: asyncio.Queue[Progress] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(step: Progress) -> None:
            loop.call_soon_threadsafe(steps.put_nowait, step)

        # The place is taken where it is also left: who goes away before leaves none behind.
        where, place = await asyncio.to_thread(self._begin, owner, request, tell)
        step = Progress(*where, ahead=place.ahead)
        while not step.complete:
            yield step
            fresh = None
            while fresh is None:
                try:
                    fresh = await asyncio.wait_for(steps.get(), _LOOK)
                except TimeoutError:
                    if (ahead := place.ahead) != step.ahead:
                        fresh = dataclasses.replace(step, ahead=ahead)
            step = fresh
        yield step

    def _begin(
        self, owner: str, request: Request, tell: Callable[[Progress], object]
    ) -> tuple[tuple[str, int], Place]:
        """Keep a question and let it be answered in its turn.

        Return its conversation and number, and its place. From here on nothing depends on whoever
        asked.
        """
        try:
            place = self.turns.join(owner)
        except BusyError:
            refused("page", request.text)
            raise
        try:
            where = self.history.begin(
                owner, request.conversation, request.text, request.chosen, self._now()
            )
            kept = self.history.turns(owner, where[0])
        except BaseException:
            place.leave()
            raise
        earlier = {each.number: each.turn for each in kept if each.turn}
        work = _Work(request, earlier, where, place, tell, contextvars.copy_context())
        with self._lock:
            self._running[where] = work
        place.begun.add_done_callback(lambda _: self._start(work))
        return where, place

    def running(self) -> frozenset[tuple[str, int]]:
        """Return the questions, by conversation and number, that are being answered or wait."""
        with self._lock:
            return frozenset(self._running)

    def stop(self, seconds: float) -> bool:
        """Take no more questions; those that are not answered in so many seconds are told so.

        Return whether nothing reads any more.
        """
        self.turns.stop()
        self.turns.wait_until_left(seconds)
        ended = self.chat.stop(_CUT)
        # These wait for another server, or for the disk.
        with self._lock:
            left = list(self._running.values())
        for work in left:
            self._end(work, None, StoppingError("The server is being stopped."))
        return ended

    def _start(self, work: _Work) -> None:
        # The queue tells it, in whichever thread: no work of it may be done there.
        run = functools.partial(work.context.run, self._answer, work)
        try:
            threading.Thread(target=run, daemon=True).start()
        except RuntimeError as error:
            # The system gives no more threads: nobody else would give the place up.
            logger.warning("a question was not begun: %s", error)
            self._end(work, None, error)
            work.place.leave()

    def _answer(self, work: _Work) -> None:
        turn: Turn | None = None
        # What is no Exception leaves this standing, so that no page waits for ever.
        error: Exception | None = TanyaError("The question was not answered.")
        try:
            for turn in observed(self._begun(work), "page", work.request.text):
                work.say(Progress(*work.where, turn))
            if turn is not None:
                self._keep(work.where, turn)
            error = None
        except (TanyaError, sqlite3.Error) as problem:
            logger.warning("a question was not answered: %s", problem)
            error = problem
        except Exception as problem:
            # The door of one chat turn: the visitor gets a polite message, the log gets the rest.
            logger.exception("a question failed")
            error = problem
        finally:
            self._end(work, turn, error)
            work.place.leave()

    def _end(self, work: _Work, turn: Turn | None, error: Exception | None) -> None:
        """Tell that a question is done with; once."""
        if isinstance(error, BusyError):
            with suppress(TanyaError, sqlite3.Error):
                stopped = isinstance(error, StoppingError)
                self.history.leave(*work.where, "stopped" if stopped else "busy")
        with self._lock:
            if self._running.pop(work.where, None) is None:
                return
        work.say(Progress(*work.where, turn, complete=True, error=error))

    def _keep(self, place: tuple[str, int], turn: Turn) -> None:
        """Keep an answer; one that cannot be written is shown all the same."""
        try:
            self.history.finish(*place, turn)
        except (TanyaError, sqlite3.Error) as problem:
            logger.warning("an answer was not kept: %s", problem)

    def _begun(self, work: _Work) -> Iterator[Turn]:
        work.place.begun.result()
        yield from self._turns(work)

    def _turns(self, work: _Work) -> Iterator[Turn]:
        request, earlier, away = work.request, work.earlier, work.place.away
        asked, chosen = request.text, request.chosen
        source = earlier.get(request.turn)
        if source is None:
            return self.chat.stream(asked, list(earlier.values()), chosen, away=away)
        if request.as_typed:
            before = [turn for number, turn in earlier.items() if number < request.turn]
            return self.chat.stream(asked, before, chosen, as_typed=True, away=away)
        if request.limits is not None:
            query = _limited(source.query, request, request.limits)
            return self.chat.stream(asked, (), chosen, query, away=away)
        # A corrected question stands alone: with the conversation it might be bent once more.
        return self.chat.stream(asked, (), chosen, away=away)


def _limited(query: Query, request: Request, limits: Filter) -> Query:
    """Return the query of an earlier turn within other limits, in other words if it was edited."""
    within = limits.within(request.chosen)
    query = dataclasses.replace(query, filter=within, read=limits, named=Filter())
    if not request.edited:
        return query
    return dataclasses.replace(query, text=request.text, kind=answer_type(request.text), own="")
