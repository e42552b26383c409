"""The conversations of a visitor: listed, opened, renamed, deleted, exported."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from page import html, texts, transcript
from page.templates import render
from qa.history import KeptTurn
from web.answering import Answering
from web.api import Typed
from web.bodies import BoundedRoute
from web.visitor import visitor
from web.who import who

_AT_ONCE = 40

Id = Annotated[str, Query(alias="id", max_length=64)]
_BodyId = Annotated[Typed, Body(alias="id", embed=True, max_length=64)]
_Title = Annotated[Typed, Body(max_length=500)]


def router(
    answering: Answering, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
) -> APIRouter:
    """Return the routes of the conversations; each sees its visitor's own only."""
    routes = APIRouter(route_class=BoundedRoute)
    history = answering.history

    @routes.get("/page/conversations", response_class=HTMLResponse)
    def listed(
        request: Request,
        words: Annotated[str, Query(max_length=200)] = "",
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> str:
        found = history.conversations(visitor(request), words, _AT_ONCE + 1, skip)
        return render(
            "conversations.html",
            conversations=found[:_AT_ONCE],
            now=now(),
            words=words,
            skip=skip,
            spares=history.spares,
            more=skip + _AT_ONCE if len(found) > _AT_ONCE else 0,
        )

    @routes.get("/page/conversation", response_class=HTMLResponse)
    def opened(request: Request, identity: Id) -> str:
        # Asked first: what is answered in between then comes with its answer.
        running = answering.running()
        kept = _known(history.turns(visitor(request), identity))
        # A question that failed stands in the way once others were asked after it.
        shown = [each for each in kept if each.turn or each is kept[-1]]
        judging = who(request).may("editor")
        return "".join(turn_html(answering, each, running, judging=judging) for each in shown)

    @routes.post("/page/conversation/rename")
    def renamed(request: Request, identity: _BodyId, title: _Title) -> dict[str, bool]:
        return {"done": history.rename(visitor(request), identity, title)}

    @routes.post("/page/conversation/delete")
    def deleted(request: Request, identity: _BodyId) -> dict[str, bool]:
        return {"done": history.delete(visitor(request), identity)}

    @routes.get("/page/conversation/export")
    def exported(request: Request, identity: Id, form: str = "md") -> Response:
        conversation = history.conversation(visitor(request), identity)
        if conversation is None:
            raise HTTPException(404, texts.NO_CONVERSATION)
        turns = [kept for kept in history.turns(visitor(request), identity) if kept.turn]
        if form == "json":
            rows = transcript.rows(conversation, turns)
            content = json.dumps(rows, ensure_ascii=False, indent=1).encode()
            kind = "application/json"
        elif form == "docx":
            content = transcript.word(conversation, turns)
            kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        elif form == "md":
            content, kind = transcript.markdown(conversation, turns).encode(), "text/markdown"
        else:
            raise HTTPException(400, f"No form {form!r}: md, json or docx.")
        name = quote(f"{transcript.file_name(conversation)}.{form}", safe="")
        disposition = f"attachment; filename*=UTF-8''{name}"
        return Response(content, media_type=kind, headers={"content-disposition": disposition})

    return routes


def turn_html(
    answering: Answering,
    kept: KeptTurn,
    running: frozenset[tuple[str, int]],
    *,
    judging: bool = True,
) -> str:
    """Return a turn of a conversation as it is shown when it is opened again."""
    if kept.turn is None:
        if (kept.conversation, kept.number) in running:
            return html.searching_html(kept.question, kept.conversation, kept.number)
        return html.interrupted_html(kept.question, kept.conversation, kept.number, kept.reason)
    return html.turn_html(
        kept.turn,
        kept.number,
        kept.chosen,
        answering.chat.article,
        conversation=kept.conversation,
        verdict=kept.verdict,
        judging=judging,
    )


def _known(kept: list[KeptTurn]) -> list[KeptTurn]:
    if not kept:
        raise HTTPException(404, texts.NO_CONVERSATION)
    return kept
