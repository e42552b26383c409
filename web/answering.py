"""Answers a visitor's question in a thread of its own, so that it is kept whoever goes away."""

from __future__ import annotations

import contextvars
import dataclasses
import datetime as dt
import functools
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from index.errors import TanyaError
from index.records import Filter, Query, Turn
from index.text import encodable
from page import texts
from page.html import LONGEST_QUESTION
from qa.chat import Chat
from qa.history import History
from qa.question.answer_type import answer_type
from web.asked import observed
from web.health import Queue

logger = logging.getLogger("tanya.web")

# Publishers, or authors, that a filter may name, and characters of such a name.
_MOST, _LONGEST = 500, 500
_AT_ONCE = 8
"""Questions that are answered side by side; others wait their turn."""


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
    """How far an answer is: `turn` grows until it is `complete`; `error` says why there is none."""

    conversation: str
    number: int
    turn: Turn | None = None
    complete: bool = False
    error: Exception | None = None


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
    """Answers the questions of all visitors and keeps their turns."""

    def __init__(
        self, chat: Chat, history: History, now: Callable[[], dt.datetime] | None = None
    ) -> None:
        self.chat = chat
        self.history = history
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._lock = threading.Lock()
        self._running: set[tuple[str, int]] = set()
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def ask(self, owner: str, request: Request) -> Iterator[Progress]:
        """Answer a question as it grows; the last progress is complete.

        The work goes on, and is kept, if nobody takes what this yields. Raises ArchiveError if the
        conversations cannot be read.
        """
        place = self.history.begin(
            owner, request.conversation, request.text, request.chosen, self._now()
        )
        earlier = {
            kept.number: kept.turn for kept in self.history.turns(owner, place[0]) if kept.turn
        }
        steps: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        with self._lock:
            self._running.add(place)
        work = functools.partial(self._work, request, earlier, place, steps)
        threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()
        step = Progress(*place)
        while not step.complete:
            yield step
            step = steps.get()
        yield step

    def running(self) -> frozenset[tuple[str, int]]:
        """Return the questions, by conversation and number, that are being answered."""
        with self._lock:
            return frozenset(self._running)

    def load(self) -> Queue:
        """Return how many questions are being answered, and how many wait."""
        asked = len(self.running())
        return Queue(min(asked, _AT_ONCE), max(0, asked - _AT_ONCE))

    def _work(
        self,
        request: Request,
        earlier: Mapping[int, Turn],
        place: tuple[str, int],
        steps: queue.SimpleQueue[Progress],
    ) -> None:
        turn: Turn | None = None
        # What is no Exception leaves this standing, so that no page waits for ever.
        error: Exception | None = TanyaError("The question was not answered.")
        try:
            with self._places:
                for turn in observed(self._turns(request, earlier), "page", request.text):
                    steps.put(Progress(*place, turn))
            if turn is not None:
                self._keep(place, turn)
            error = None
        except (TanyaError, sqlite3.Error) as problem:
            logger.warning("a question was not answered: %s", problem)
            error = problem
        except Exception as problem:
            # The door of one chat turn: the visitor gets a polite message, the log gets the rest.
            logger.exception("a question failed")
            error = problem
        finally:
            with self._lock:
                self._running.discard(place)
            steps.put(Progress(*place, turn, complete=True, error=error))

    def _keep(self, place: tuple[str, int], turn: Turn) -> None:
        """Keep an answer; one that cannot be written is shown all the same."""
        try:
            self.history.finish(*place, turn)
        except (TanyaError, sqlite3.Error) as problem:
            logger.warning("an answer was not kept: %s", problem)

    def _turns(self, request: Request, earlier: Mapping[int, Turn]) -> Iterator[Turn]:
        asked, chosen = request.text, request.chosen
        source = earlier.get(request.turn)
        if source is None:
            return self.chat.stream(asked, list(earlier.values()), chosen)
        if request.as_typed:
            before = [turn for number, turn in earlier.items() if number < request.turn]
            return self.chat.stream(asked, before, chosen, as_typed=True)
        if request.limits is not None:
            query = _limited(source.query, request, request.limits)
            return self.chat.stream(asked, (), chosen, query)
        # A corrected question stands alone: with the conversation it might be bent once more.
        return self.chat.stream(asked, (), chosen)


def _limited(query: Query, request: Request, limits: Filter) -> Query:
    """Return the query of an earlier turn within other limits, in other words if it was edited."""
    within = limits.within(request.chosen)
    query = dataclasses.replace(query, filter=within, read=limits, named=Filter())
    if not request.edited:
        return query
    return dataclasses.replace(query, text=request.text, kind=answer_type(request.text), own="")
