"""What visitors say of the answers to their own questions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from index.errors import InputError
from page import html, texts
from qa.feedback import LONGEST, Verdict
from qa.history import History
from web.access import at_least
from web.api import Typed
from web.bodies import BoundedRoute
from web.requests import note
from web.visitor import visitor


class Said(BaseModel):
    """A visitor's verdict on a turn; "" takes it back."""

    conversation: Typed = Field(max_length=64)
    number: int = Field(ge=1, le=1_000_000)
    verdict: Literal["good", "bad", ""]
    reason: Typed = Field("", max_length=20)
    words: Typed = Field("", max_length=LONGEST)
    right_answer: Typed = Field("", max_length=LONGEST)
    right_article: Typed = Field("", max_length=LONGEST)


def router(
    history: History, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
) -> APIRouter:
    """Return the route that keeps verdicts; it answers with the foot of the turn as it is then."""
    routes = APIRouter(route_class=BoundedRoute)

    @routes.post("/page/feedback", dependencies=[Depends(at_least("editor"))])
    def judged(request: Request, said: Said) -> dict[str, str]:
        owner = visitor(request)
        verdict = None
        if said.verdict:
            typed = (said.reason, said.words, said.right_answer, said.right_article)
            verdict = Verdict(now(), said.verdict == "good", *typed)
        try:
            known = history.judge(owner, said.conversation, said.number, verdict)
        except InputError as error:
            raise HTTPException(422, str(error)) from error
        kept = [t for t in history.turns(owner, said.conversation) if t.number == said.number]
        if not known or not kept or kept[0].turn is None:
            raise HTTPException(404, texts.NO_CONVERSATION)
        note("feedback", conversation=said.conversation, number=said.number, verdict=said.verdict)
        refused = not kept[0].turn.answer.claims
        foot = html.feedback_html(said.conversation, said.number, kept[0].verdict, refused=refused)
        return {"verdict": said.verdict, "html": foot}

    return routes
