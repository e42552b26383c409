"""Whose conversations are asked for: an account's, else a browser's, by a random cookie."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from starlette.requests import HTTPConnection, Request

from web.who import who

COOKIE = "tanya_visitor"
_YEAR = 365 * 86_400


def visitor(request: HTTPConnection) -> str:
    """Return the name that an account's conversations are kept under, else those of a browser.

    Who sends no cookie gets a name that nobody has again.
    """
    return of_browser(request) or of_cookie(secrets.token_urlsafe(24))


def of_browser(request: HTTPConnection) -> str:
    """Return the same, and "" for who sends no cookie."""
    cookie = request.cookies.get(COOKIE, "")
    return who(request).owner or (of_cookie(cookie) if cookie else "")


def of_cookie(cookie: str) -> str:
    """Return the name that a browser's conversations are kept under.

    It is a hash, so that whoever reads the file of conversations cannot open them in a browser.
    """
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()[:32]


class VisitorCookie:
    """ASGI middleware that gives a browser its cookie, with the page or its first request."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; a page that was asked for without the cookie brings one."""
        if scope["type"] != "http" or scope["path"] != "/" or _has_cookie(scope["headers"]):
            await self._app(scope, receive, send)
            return
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        value = (
            f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age={_YEAR}; HttpOnly; "
            f"SameSite=Lax{secure}"
        )

        async def send_with_cookie(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"set-cookie", value.encode())]
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _has_cookie(headers: Any) -> bool:
    return bool(Request({"type": "http", "headers": headers}).cookies.get(COOKIE))
