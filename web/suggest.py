"""What may be asked: while a question is typed, after an answer, and on the empty page."""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from index.errors import TanyaError
from page import texts
from page.templates import render
from qa.chat import Chat
from qa.examples import Examples
from qa.history import KeptTurn
from qa.next_questions import next_questions
from qa.suggestions import suggest
from web.answering import Answering
from web.visitor import visitor

logger = logging.getLogger("tanya.web")

_KEPT = 500
"""Answers of which the next questions are remembered."""

_AT_ONCE = 4
"""Answers that next questions are looked for at once; others go without, as nobody waits for them
and each holds a thread of the server's meanwhile."""


class _Next:
    """The next questions of answers, looked for once."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._known: dict[tuple[str, int, str], list[str]] = {}

    def __call__(self, conversation: str, kept: KeptTurn, asked: list[str]) -> list[str]:
        """Return what may be asked after an answered turn; raises TanyaError."""
        key = (conversation, kept.number, self._chat.index().version.name)
        found = self._known.get(key)
        if found is not None or kept.turn is None:
            return found or []
        if not self._free.acquire(blocking=False):
            return []
        try:
            found = next_questions(self._chat, kept.turn, asked)
        finally:
            self._free.release()
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[key] = found
        return found


def router(answering: Answering) -> APIRouter:
    """Return the routes of suggestions, next questions and examples.

    Each answers with a fragment, which is empty where there is nothing to suggest.
    """
    routes = APIRouter()
    chat = answering.chat
    examples = Examples(chat, texts.EXAMPLES)
    next_of = _Next(chat)

    @routes.get("/page/suggest", response_class=HTMLResponse)
    def suggested(q: Annotated[str, Query(max_length=2000)] = "") -> str:
        try:
            found = suggest(chat.index(), q)
        except TanyaError as error:
            logger.info("nothing to suggest: %s", error)
            return ""
        groups = (
            (texts.NAMES_TITLE, found.start, found.names),
            (texts.TITLES_TITLE, 0, found.titles),
        )
        return render("suggest.html", groups=[group for group in groups if group[2]])

    @routes.get("/page/next", response_class=HTMLResponse)
    def following(
        request: Request,
        conversation: Annotated[str, Query(max_length=64)],
        turn: Annotated[int, Query(ge=1)],
    ) -> str:
        kept = answering.history.turns(visitor(request), conversation)
        here = next((one for one in kept if one.number == turn), None)
        if here is None or here.turn is None or not here.turn.answer.citations:
            return ""
        asked = [one.question for one in kept]
        try:
            found = next_of(conversation, here, asked)
        except (TanyaError, sqlite3.Error) as error:
            logger.warning("no next questions: %s", error)
            return ""
        return render("next.html", questions=found, label=texts.NEXT_TITLE)

    @routes.get("/page/examples", response_class=HTMLResponse)
    def begun() -> str:
        try:
            found = examples.ready()
        except TanyaError as error:
            logger.info("no examples: %s", error)
            found = ()
        return render("examples.html", questions=found)

    return routes
