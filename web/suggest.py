"""What may be asked: while a question is typed, after an answer, and on the empty page."""

from __future__ import annotations

import logging
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from index.errors import TanyaError
from page import texts
from page.templates import render
from qa.examples import Examples
from qa.next_questions import next_questions
from qa.suggestions import suggest
from web.answering import Answering
from web.visitor import visitor

logger = logging.getLogger("tanya.web")

_KEPT = 500
"""Answers of which the next questions are remembered."""


def router(answering: Answering) -> APIRouter:
    """Return the routes of suggestions, next questions and examples.

    Each answers with a fragment, which is empty where there is nothing to suggest.
    """
    routes = APIRouter()
    chat = answering.chat
    examples = Examples(chat, texts.EXAMPLES)
    known: dict[tuple[str, int, str], list[str]] = {}

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
            key = (conversation, turn, chat.index().version.name)
            found = known.get(key)
            if found is None:
                found = next_questions(chat, here.turn, asked)
                if len(known) >= _KEPT:
                    known.clear()
                known[key] = found
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
