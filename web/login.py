"""The login, /masuk, and the way out, /keluar: pages that work without a script."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from page import texts
from page.templates import render
from web.access import COOKIE, PAGES, SIGN_IN, SIGN_OUT, Access, of_our_site, refusals_told
from web.bodies import LONGEST_BODY, bounded
from web.requests import note
from web.users import account_name
from web.who import who

_DAY = 86_400


def router(access: Access, title: str, session_days: float) -> APIRouter:
    """Return the routes of the login; `title` is the chat's name."""
    routes = APIRouter()

    def page(error: HTTPException | None, typed: str, wanted: str) -> Response:
        words = error.detail if error else ""
        html = render("login.html", title=title, words=words, typed=typed, wanted=wanted)
        headers = {**((error and error.headers) or {}), "Cache-Control": "no-store"}
        return HTMLResponse(html, error.status_code if error else 200, headers)

    @routes.get(SIGN_IN)
    def begun(
        request: Request, wanted: Annotated[str, Query(alias="ke", max_length=4000)] = ""
    ) -> Response:
        if who(request).name or not access.users.exist():
            return RedirectResponse(destination(wanted), 303)
        return page(None, "", destination(wanted))

    @routes.post(SIGN_IN)
    async def logged_in(request: Request) -> Response:
        typed = _Typed()
        try:
            of_our_site(request)
            typed = await _typed(request)
            identity = await run_in_threadpool(_log_in, access, typed, who(request).address)
        except HTTPException as error:
            return page(error, typed.name, typed.wanted)
        if before := request.cookies.get(COOKIE):
            await run_in_threadpool(access.users.log_out, before)
        note("login", name=account_name(typed.name))
        answer = RedirectResponse(typed.wanted, 303)
        answer.set_cookie(
            COOKIE,
            identity,
            max_age=int(session_days * _DAY),
            secure=request.scope["scheme"] == "https",
            httponly=True,
            samesite="lax",
        )
        return answer

    @routes.post(SIGN_OUT, dependencies=[Depends(of_our_site)])
    def logged_out(request: Request) -> Response:
        if identity := request.cookies.get(COOKIE):
            access.users.log_out(identity)
            note("logout")
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    return routes


class _Typed(NamedTuple):
    """A name, a password, and where to go then."""

    name: str = ""
    password: str = ""
    wanted: str = "/"


def _log_in(access: Access, typed: _Typed, address: str) -> str:
    """Return the id of a new session; raises HTTPException with words for the person."""
    with refusals_told():
        identity = access.tried(typed.name, typed.password, address, access.users.log_in)
    if identity is None:
        raise HTTPException(401, texts.WRONG_CREDENTIALS)
    return identity


async def _typed(request: Request) -> _Typed:
    """Return what a form brings."""
    whole = await bounded(request, LONGEST_BODY)
    if whole is None:
        raise HTTPException(413, texts.REQUEST_UNREADABLE)
    try:
        found = parse_qs((await whole.body()).decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        raise HTTPException(422, texts.REQUEST_UNREADABLE) from None
    name, password, wanted = (found.get(each, [""])[0] for each in ("nama", "sandi", "ke"))
    return _Typed(name[:200], password, destination(wanted))


def destination(wanted: str) -> str:
    """Return where to go after the login: one of our pages, whatever was asked for."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path not in PAGES:
        return "/"
    query = quote(parts.query, safe="=&%+")
    return f"{parts.path}?{query}" if query else parts.path
