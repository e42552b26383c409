"""Who may operate the archive: see `/pengelola`, add to it, build it, change what is live.

Without a password that is whoever sits at this machine; with one, in the environment variable
TANYA_OPERATOR_PASSWORD, whoever has it, here as elsewhere: behind a proxy that adds no header of
its own, every visitor seems to sit at this machine.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from page import texts
from web.bodies import bounded

PASSWORD = "TANYA_OPERATOR_PASSWORD"

# So many wrong passwords from an address, and it waits so many seconds before the next.
_FAILURES, _PAUSE = 5, 300.0
_MOST_ADDRESSES = 10_000
_LONGEST_BODY = 4_000_000

_OF_PROXIES = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip")
_BEGIN_OF_PROXIES = ("x-forwarded-", "cf-")


class Access:
    """Decides for requests; `password` is that of the operators, "" where there is none."""

    def __init__(
        self,
        password: str | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._password = environ.get(PASSWORD, "") if password is None else password
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[int, float]] = {}

    def operates(self, request: Request) -> bool:
        """Tell whether a request is an operator's; a wrong password counts here too."""
        try:
            self.operator(request)
        except HTTPException:
            return False
        return True

    def operator(self, request: Request) -> None:
        """Let only operators pass: a dependency of routes. Raises HTTPException 401, 403, 429."""
        if not self._password:
            if not _is_of_this_machine(request):
                raise HTTPException(403, texts.OPERATORS_ONLY)
            return
        address = _address(request)
        if (wait := self._waits(address)) > 0:
            headers = {"Retry-After": str(int(wait) + 1)}
            raise HTTPException(429, texts.TOO_MANY_TRIES, headers)
        if self._has_password(request):
            with self._lock:
                self._failures.pop(address, None)
            return
        if "authorization" in request.headers:
            self._count_failure(address)
        challenge = 'Basic realm="Tanya Arsip", charset="UTF-8"'
        raise HTTPException(401, texts.OPERATORS_ONLY, {"WWW-Authenticate": challenge})

    def _has_password(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            _, _, given = base64.b64decode(encoded, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            given = b""
        right = hmac.compare_digest(given, self._password.encode("utf-8", "surrogateescape"))
        return right and scheme.lower() == "basic"

    def _waits(self, address: str) -> float:
        """Return the seconds that an address has to wait."""
        with self._lock:
            failures, last = self._failures.get(address, (0, 0.0))
        return last + _PAUSE - self._clock() if failures >= _FAILURES else 0.0

    def _count_failure(self, address: str) -> None:
        now = self._clock()
        with self._lock:
            failures, last = self._failures.pop(address, (0, now))
            self._failures[address] = (failures + 1 if now - last < _PAUSE else 1), now
            while len(self._failures) > _MOST_ADDRESSES:
                del self._failures[next(iter(self._failures))]


def of_our_page(request: Request) -> None:
    """Let only our own page's requests pass that change something: a dependency of routes.

    Another site can neither send JSON or bytes without asking first, which is not answered, nor
    say that it is this one. Raises HTTPException 403 and 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/octet-stream"):
        raise HTTPException(415, texts.NOT_JSON)
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # A proxy may name the host anew; then the browser's own word is enough, where it gives it.
    if site is not None:
        ours = site == "same-origin"
    else:
        ours = origin is None or _netloc(origin) == request.headers.get("host")
    if not ours:
        raise HTTPException(403, texts.OF_ANOTHER_SITE)


async def sent(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request brings, after those who may not send were refused.

    FastAPI itself would read it before. Raises HTTPException 413 and 422.
    """
    whole = await bounded(request, _LONGEST_BODY)
    if whole is None:
        raise HTTPException(413, texts.REQUEST_UNREADABLE)
    try:
        found = json.loads(await whole.body())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise HTTPException(422, texts.REQUEST_UNREADABLE)
    return found


Sent = Annotated[dict[str, Any], Depends(sent)]
"""The JSON object of a request, as a parameter of a route."""


def _is_of_this_machine(request: Request) -> bool:
    """Tell whether a browser on this machine asks this server itself, by one of its own names.

    Another name would be that of a site that has its visitors' browsers ask here.
    """
    names = request.headers.keys()
    if any(name in _OF_PROXIES or name.startswith(_BEGIN_OF_PROXIES) for name in names):
        return False
    # No browser speaks it; some proxies do, and add nothing else.
    if request.scope.get("http_version") == "1.0":
        return False
    host = _hostname(request.headers.get("host", ""))
    return _is_loopback(_address(request)) and (host == "localhost" or _is_loopback(host))


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _hostname(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
