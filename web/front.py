"""What every request meets first and every response leaves with.

Hosts by which the server is called, the size of a request and the time that it may take to come,
the headers that tell a browser what a page may do; and which of Gradio's routes are open.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.datastructures import Headers, MutableHeaders

from page import html, texts
from web.access import of_our_page
from web.addresses import ip
from web.bodies import LONGEST_BODY, LONGEST_LIST, replayed

LONGEST_ADDRESS = 12 * 1024
"""Bytes of a path with its query; the whole head of a request may have 16 kB."""
MOST_PARAMETERS = 1_100
"""Names and values in a query: a list is narrowed by 500 publishers and 500 authors at most."""
DEEPEST_BODY = 64
BODY_SECONDS = 20.0
"""In which a body of the usual size has to be here, and after which a silent upload is over."""

_LISTING = "/page/upload/begin"
_FILE = re.compile(r"/page/upload/[^/]+/\d+")


# Hosts -------------------------------------------------------------------------------------------


_HOST = re.compile(r"(?:([a-z0-9._-]+)|\[([0-9a-f:.]+)\])(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names and addresses by which a server lets itself be called.

    A site that has its name lead here would else read with its visitors' browsers what they may.
    `listening` is the host that it listens on; no site can give itself an address for a name, so
    one that listens on all of its machine's takes every address.
    """

    listening: str
    named: Collection[str] = ()

    def know(self, host: str) -> bool:
        """Tell whether the header Host names this server."""
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return False
        name = (found[1] or found[2]).rstrip(".")
        if name == "localhost" or name in {each.lower().rstrip(".") for each in self.named}:
            return True
        address, own = ip(name), ip(self.listening)
        if address is None or own is None:
            return address is not None and address.is_loopback or name == self.listening.lower()
        return address.is_loopback or address == own or own.is_unspecified


# Refusals ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served: `words` for a person, `error` and `hint` for a program.

    After so many seconds, `again`, it would be; 0 where that does not help.
    """

    status: int
    words: str
    error: str
    hint: str
    again: int = 0

    def response(self, path: str) -> Response:
        """Return the response in the form that the routes at a path give theirs."""
        headers = {"Retry-After": str(self.again)} if self.again else {}
        # What is left of the request is not read.
        headers["Connection"] = "close"
        if path.startswith(("/api/", "/mcp", "/healthz")):
            return JSONResponse({"error": self.error, "hint": self.hint}, self.status, headers)
        if path.startswith(("/page/", "/gradio_api/")):
            return JSONResponse({"detail": self.words}, self.status, headers)
        return PlainTextResponse(self.words, self.status, headers)


def _unknown_host(host: str) -> Refusal:
    shown = host.encode("ascii", "replace").decode()[:80]
    return Refusal(
        400,
        texts.HOST_UNKNOWN.format(repr(shown)),
        f"This server is not called {shown!r}.",
        "Ask by its own name or address; others go into allowed_hosts under [serve].",
    )


_TOO_LONG_ADDRESS = Refusal(
    414,
    texts.ADDRESS_TOO_LONG,
    f"The address is longer than {LONGEST_ADDRESS} bytes, or has too many parameters.",
    f"Send fewer parameters: {MOST_PARAMETERS} at most.",
)
_TOO_DEEP = Refusal(
    400,
    texts.REQUEST_UNREADABLE,
    f"The body nests deeper than {DEEPEST_BODY} lists and objects.",
    "The reference at /api says what a request may hold.",
)
_TOO_SLOW = Refusal(
    408,
    texts.REQUEST_TOO_SLOW,
    f"The body was not here within {BODY_SECONDS:.0f} seconds.",
    "Send it at once.",
)


def _too_big(most: int) -> Refusal:
    kilobytes = most // 1024
    return Refusal(
        413,
        texts.REQUEST_TOO_BIG.format(texts.number_words(kilobytes)),
        f"The body is longer than {kilobytes} kB.",
        f"Send at most {kilobytes} kB.",
    )


# What every request meets ------------------------------------------------------------------------


class Front:
    """ASGI middleware: refuses what is not for this server or too much, and sets the headers.

    Bodies are read here, so that no route waits for one that trickles in; those of uploads pass
    through, and are bounded by who takes them. Without `hosts` the server is called as one likes.
    """

    def __init__(self, app: Any, hosts: Hosts | None = None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        nonce = scope.setdefault("state", {})["nonce"] = secrets.token_urlsafe(16)

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                set_headers(MutableHeaders(scope=message), scope["path"], nonce)
            await send(message)

        found = self._refused(scope) or await _with_body(scope, receive)
        if isinstance(found, Refusal):
            await found.response(scope["path"])(scope, receive, send_with_headers)
        elif found is not None:
            await self._app(scope, found, send_with_headers)

    def _refused(self, scope: Any) -> Refusal | None:
        """Return why a request is refused for what stands in its head."""
        host = Headers(scope=scope).get("host", "")
        if self._hosts is not None and not self._hosts.know(host):
            return _unknown_host(host)
        query = scope["query_string"]
        size = len(scope.get("raw_path") or scope["path"].encode()) + len(query)
        if size > LONGEST_ADDRESS or query.count(b"&") >= MOST_PARAMETERS:
            return _TOO_LONG_ADDRESS
        return None


async def _with_body(scope: Any, receive: Any) -> Any:
    """Return what gives a request's body, read; a Refusal, or None if the client has gone."""
    headers, path = Headers(scope=scope), scope["path"]
    if _FILE.fullmatch(path):
        return _patient(receive)
    listing = path == _LISTING
    most = LONGEST_LIST if listing else LONGEST_BODY
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        return _too_big(most)
    if not length and "transfer-encoding" not in headers:
        return receive
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                body += message.get("body", b"")
                if len(body) > most:
                    return _too_big(most)
                more = message.get("more_body", False)
    except TimeoutError:
        return _TOO_SLOW
    if not listing and _depth(body) > DEEPEST_BODY:
        return _TOO_DEEP
    return replayed(bytes(body), receive)


def _patient(receive: Any) -> Any:
    """Return what gives a body as it comes; a client that is silent for long counts as gone."""

    async def received() -> Any:
        try:
            return await asyncio.wait_for(receive(), BODY_SECONDS)
        except TimeoutError:
            return {"type": "http.disconnect"}

    return received


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _depth(body: bytes | bytearray) -> int:
    """Return how deep the lists and objects of a JSON text nest."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST_BODY:
        return 0
    deepest = depth = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


# What every response leaves with -----------------------------------------------------------------

_POLICY = (
    "default-src 'none'; script-src 'self'{script}; style-src 'self'{style}; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join(
        f"{name}=()"
        for name in (
            *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
            *("magnetometer", "microphone", "midi", "payment", "serial", "usb"),
        )
    ),
}
_KEPT = ("/page/assets/", "/assets/", "/static/", "/theme.css", "/favicon.ico")
"""Beginnings of paths of what is the same for everybody."""


def _policy(path: str, nonce: str) -> str:
    """Return what a browser may do with a response; Gradio's page alone has inline parts.

    Its scripts have the nonce. Its components write style attributes, and one an empty style.
    """
    if path != "/":
        return _POLICY.format(script="", style="")
    given = f" 'nonce-{nonce}'"
    hashes = (hashlib.sha256(text.encode()).digest() for text in ("", html.toast_style()))
    styles = "".join(f" 'sha256-{base64.b64encode(each).decode()}'" for each in hashes)
    return _POLICY.format(script=given, style=given + styles) + "; style-src-attr 'unsafe-inline'"


def set_headers(headers: MutableHeaders, path: str, nonce: str) -> None:
    """Set what every response to a request for a path has to say."""
    headers["content-security-policy"] = _policy(path, nonce)
    headers.update(_FIXED)
    if not path.startswith(_KEPT):
        headers.setdefault("cache-control", "no-store")


# Gradio's routes ---------------------------------------------------------------------------------

_OPEN = re.compile(
    r"(GET|HEAD) (/|/theme\.css|/favicon\.ico|/assets/[^/]+"
    r"|/static/js/iframeResizer\.contentWindow\.min\.js"
    r"|/gradio_api/(queue/data|app_id))|POST /gradio_api/queue/join"
)
"""What the page asks Gradio for; all else of it is closed, also what comes with an update."""

_UNHEARD = re.compile(rb"forwarded|x-forwarded-.*|x-gradio-.*")
_FIRST = b'<script src="/page/assets/functions.js"></script>'
_LINKS = re.compile(rb'<base href="[^"]*" ?/?>|<link rel="manifest"[^>]*>')


def is_open(method: str, path: str) -> bool:
    """Tell whether the page may ask Gradio for a path."""
    return _OPEN.fullmatch(f"{method} {path}") is not None


class GradioDoor:
    """ASGI application in front of Gradio's: lets through what the page needs of it.

    Gradio takes the address of its page out of headers that anybody can send; here it gets none.
    """

    def __init__(self, gradio: Any) -> None:
        self.gradio = gradio

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        path = scope["path"]
        if scope["type"] != "http" or not is_open(scope["method"], path):
            await JSONResponse({"detail": texts.NOTHING_HERE}, 404)(scope, receive, send)
            return
        if scope["method"] == "POST":
            try:
                of_our_page(Request(scope))
            except HTTPException as error:
                answer = JSONResponse({"detail": error.detail}, error.status_code)
                await answer(scope, receive, send)
                return
        # Not in a copy: Gradio notes in the scope which route it was, and metrics read that.
        shown = [pair for pair in scope["headers"] if not _UNHEARD.fullmatch(pair[0].lower())]
        scope["headers"] = shown
        if path != "/":
            await self.gradio(scope, receive, send)
            return
        # The page is changed on its way, so it must not be packed.
        scope["headers"] = [pair for pair in shown if pair[0].lower() != b"accept-encoding"]
        scope["query_string"] = b""
        await self.gradio(scope, receive, _Page(send, scope["state"]["nonce"]).send)


class _Page:
    """Gradio's page on its way out: its scripts get the nonce of the policy, ours come first."""

    def __init__(self, send: Any, nonce: str) -> None:
        self._send, self._nonce = send, nonce
        self._start: Any = None
        self._body = bytearray()

    async def send(self, message: Any) -> None:
        """Keep what Gradio sends until it is whole, and send it on."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        given = b'<\\1 nonce="%s"' % self._nonce.encode()
        page = re.sub(rb"<(script|style)(?=[\s>])", given, bytes(self._body))
        page = _LINKS.sub(b"", page).replace(b"<head>", b"<head>" + _FIRST, 1)
        headers = MutableHeaders(scope=self._start)
        del headers["content-length"]
        if page:
            headers["content-length"] = str(len(page))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": page})
