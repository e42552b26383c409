"""Who may do what: who a request is of, whether they are let in, what their role allows.

A server that only this machine reaches asks for nothing while the home has no accounts. Any other
lets in who has an account, by a session, a token or a password; whom a trusted proxy names; or,
where that was said on purpose, everybody.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import logging
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.requests import HTTPConnection

from index.errors import ArchiveError, BusyError, InputError, SettingsError
from index.settings import ServeSettings
from page import texts
from page.templates import render
from web.addresses import ip, is_loopback, near
from web.bodies import LONGEST_LIST, bounded
from web.requests import note
from web.users import Account, Users, account_name, owner_of
from web.who import Role, Who, remember, who

logger = logging.getLogger("tanya.web")

COOKIE = "tanya_session"
SIGN_IN, SIGN_OUT = "/masuk", "/keluar"
PAGES = ("/", "/pengelola", "/api")
"""The pages that a browser is sent to log in from, and back to."""

_OPEN = (SIGN_IN, SIGN_OUT, "/healthz", "/favicon.ico")
_OPEN_BELOW = "/page/assets/"
_WATCHED = ("/metrics", "/readyz")
_FOR_PROGRAMS = ("/api", "/mcp", *_WATCHED)

# So many wrong passwords from an address, or for a name from addresses that it never came from,
# and the next one has to wait so many seconds.
_FAILURES, _FAILURES_OF_NAME, _PAUSE = 5, 30, 300.0
_MOST_KEYS = 10_000
_CHECKED_AT_ONCE, _PATIENCE = 2, 5.0
"""Passwords that are checked side by side, which takes 64 MB each, and seconds to wait for that."""
_TOLD_EVERY = 60.0

_OF_PROXIES = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip")
_BEGIN_OF_PROXIES = ("x-forwarded-", "cf-")

PASSWORD = "TANYA_OPERATOR_PASSWORD"
"""An environment variable that accounts have taken the place of."""

_ROLES: Mapping[str, Role] = {"reader": "reader", "editor": "editor", "operator": "operator"}
_Found = TypeVar("_Found")


class Throttle:
    """Counts failures by key: after `most`, a key waits `pause` seconds. Its memory is bounded."""

    def __init__(self, most: int, pause: float, clock: Callable[[], float]) -> None:
        self._most, self._pause, self._clock = most, pause, clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def waits(self, key: str) -> float:
        """Return the seconds that a key has to wait."""
        with self._lock:
            failures, last = self._failures.get(key, (0, 0.0))
        return max(last + self._pause - self._clock(), 0.0) if failures >= self._most else 0.0

    def failed(self, key: str) -> None:
        """Count a failure."""
        now = self._clock()
        with self._lock:
            failures, last = self._failures.pop(key, (0, now))
            self._failures[key] = (failures + 1 if now - last < self._pause else 1), now
            if len(self._failures) > _MOST_KEYS:
                self._failures.popitem(last=False)


class Access:
    """Decides for the requests of one server.

    `here`: only this machine reaches it. `open_to_all`: who has no account is a reader.
    """

    def __init__(
        self,
        users: Users,
        settings: ServeSettings = ServeSettings(),  # noqa: B008
        *,
        here: bool = True,
        open_to_all: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.users, self.open_to_all = users, open_to_all
        self._settings, self._here, self._clock = settings, here, clock
        self._trusted = [ipaddress.ip_network(each) for each in settings.trusted]
        pairs = (pair.rpartition("=") for pair in settings.roles)
        self._roles = {account_name(name): role for name, _, role in pairs}
        self._of_address = Throttle(_FAILURES, _PAUSE, clock)
        self._of_name = Throttle(_FAILURES_OF_NAME, _PAUSE, clock)
        # Where names came from: who guesses elsewhere must not keep them out.
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._places = threading.BoundedSemaphore(_CHECKED_AT_ONCE)
        self._told = -_TOLD_EVERY

    def warnings(self) -> list[str]:
        """Return what whoever starts the server must know, in sentences."""
        found = []
        if self.open_to_all:
            found.append(
                "--open: everybody who reaches this address reads the archive, without a login."
            )
        elif not self._here and not self._trusted:
            found.append(
                "Passwords and answers cross the network as plain text: put TLS in front, and its "
                "proxy's address into [serve] trusted."
            )
        return found

    async def decide(self, connection: HTTPConnection) -> Who | None:
        """Return who sends a request, None for somebody who is not let in; keep that with it.

        Raises HTTPException 401 for a wrong token or password, 429 after too many, and
        ArchiveError where the accounts cannot be read.
        """
        peer = connection.client.host if connection.client else ""
        address = self._forwarded(connection, peer)
        if (named := self._named_by_proxy(connection, peer, address)) is not None:
            return _kept(connection, named)
        path = _path(connection)
        if _is_below(path, _FOR_PROGRAMS) and (given := connection.headers.get("authorization")):
            if self.users.exist():
                account = await run_in_threadpool(self._by_header, given, address)
                role: Role = "operator" if path in _WATCHED else account.role
                return _kept(connection, Who(account.name, role, address, account.owner))
        identity = connection.cookies.get(COOKIE, "")
        if identity and (found := self.users.of_session(identity)):
            somebody = Who(found.name, found.role, address, found.owner, session=True)
            return _kept(connection, somebody, lambda: self.users.of_session(identity) == found)
        nameless = self._nameless(connection, path)
        kept = _kept(connection, Who("", nameless or "reader", address))
        return kept if nameless else None

    def _nameless(self, connection: HTTPConnection, path: str) -> Role | None:
        """Return the role of somebody without a name; None for none."""
        here = _is_of_this_machine(connection)
        if path in _WATCHED and here:
            return "operator"
        if self.open_to_all:
            return "reader"
        if not self._here or self._settings.behind_proxy or self.users.exist():
            return None
        return "operator" if here else "reader"

    # Proxies -------------------------------------------------------------------------------------

    def _forwarded(self, connection: HTTPConnection, peer: str) -> str:
        """Return the address that a request comes from; take a trusted proxy's word for it.

        The request's scheme is then what that says too.
        """
        if not self.trusts(peer):
            if "x-forwarded-for" in connection.headers:
                self._tell("%s passes requests on, but is not in [serve] trusted", peer)
            return peer
        schemes = ",".join(connection.headers.getlist("x-forwarded-proto"))
        scheme = schemes.rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            connection.scope["scheme"] = scheme
        address = peer
        for each in reversed(",".join(connection.headers.getlist("x-forwarded-for")).split(",")):
            found = _without_port(each.strip())
            if not found:
                break
            address = found
            if not self.trusts(found):
                break
        return address

    def _named_by_proxy(self, connection: HTTPConnection, peer: str, address: str) -> Who | None:
        """Return whom a proxy names; raises HTTPException 401 for what cannot be a name."""
        if not self._settings.behind_proxy:
            return None
        given = connection.headers.getlist(self._settings.user_header)
        if not given:
            return None
        if not self.trusts(peer):
            self._tell("%s names a user, but is not in [serve] trusted: ignored", peer)
            return None
        try:
            # Twice: one was sent by the browser.
            [name] = map(account_name, given)
        except (ValueError, InputError):
            logger.warning("a proxy's %s is not one name: refused", self._settings.user_header)
            raise HTTPException(401, texts.UNNAMED_BY_PROXY) from None
        role = self._roles.get(name, self._settings.role)
        header = self._settings.role_header
        if header and (sent := connection.headers.getlist(header)):
            role = sent[0] if len(sent) == 1 and sent[0] in _ROLES else "reader"
        return Who(name, _ROLES[role], address, owner_of(f"proxy {name}"))

    def _tell(self, message: str, peer: str) -> None:
        """Log what somebody tries, but not each time."""
        if self._clock() - self._told >= _TOLD_EVERY:
            self._told = self._clock()
            logger.warning(message, peer)

    def trusts(self, address: str) -> bool:
        found = ip(address)
        return found is not None and any(found in network for network in self._trusted)

    # Accounts ------------------------------------------------------------------------------------

    def _by_header(self, given: str, address: str) -> Account:
        """Return the account of an Authorization; raises HTTPException."""
        scheme, _, value = given.partition(" ")
        found: Account | None = None
        if scheme.lower() == "bearer":
            found = self.users.of_token(value.strip())
        elif scheme.lower() == "basic":
            try:
                pair = base64.b64decode(value, validate=True).decode("utf-8")
            except (binascii.Error, ValueError):
                pair = ""
            name, _, password = pair.partition(":")
            found = self.tried(name, password, address, self.users.checked)
        if found is None:
            raise HTTPException(401, texts.WRONG_CREDENTIALS)
        return found

    def tried(
        self, name: str, password: str, address: str, check: Callable[[str, str], _Found | None]
    ) -> _Found | None:
        """Check a name and a password, but not too often; raises HTTPException 429 and BusyError.

        Failures are counted by address, and by name for addresses that it has not come from.
        """
        try:
            key = account_name(name)
        except InputError:
            key = ""
        network = near(address)
        if not self._places.acquire(timeout=_PATIENCE):
            raise BusyError("Too many people log in at the moment: try again in some seconds.")
        try:
            wait = self._of_address.waits(network)
            if (key, network) not in self._known:
                wait = max(wait, self._of_name.waits(key))
            if wait:
                seconds = math.ceil(wait)
                words = texts.TOO_MANY_TRIES.format(texts.wait_words(seconds))
                raise HTTPException(429, words, {"Retry-After": str(seconds)})
            found = check(name, password)
            if found is None:
                # Not whom: people type their password there.
                note("login_failed", name="", address=address)
                self._of_address.failed(network)
                if (key, network) not in self._known:
                    self._of_name.failed(key)
                return None
            self._known[key, network] = None
            if len(self._known) > _MOST_KEYS:
                self._known.popitem(last=False)
            return found
        finally:
            self._places.release()


def opened(
    home: Path,
    host: str,
    settings: ServeSettings,
    *,
    open_to_all: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Access:
    """Return who is let in by a server that listens on a host.

    Raises SettingsError where others than this machine would come in and nothing says who may.
    """
    if environ.get(PASSWORD):
        raise SettingsError(
            f"{PASSWORD} is set, but accounts take its place: unset it, and run tanya user add "
            "NAME --role operator."
        )
    if settings.behind_proxy and not settings.trusted:
        raise SettingsError(
            "--behind-proxy needs the proxy's address: write it under [serve] in tanya.toml, as "
            'trusted = ["127.0.0.1"].'
        )
    users = Users(home, settings)
    here = host == "localhost" or is_loopback(host)
    if not (here or settings.behind_proxy or open_to_all or users.exist()):
        raise SettingsError(
            f"Listening on {host!r} lets in others than this machine: make an account (tanya user "
            "add NAME), or serve behind a proxy that names its users (--behind-proxy), or let in "
            "everybody (--open)."
        )
    return Access(users, settings, here=here, open_to_all=open_to_all)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what keeps accounts from being looked at into an HTTPException 503."""
    try:
        yield
    except BusyError:
        raise HTTPException(503, texts.MANY_LOG_IN, {"Retry-After": "5"}) from None
    except ArchiveError as error:
        logger.warning("nobody can be let in: %s", error)
        raise HTTPException(503, texts.ACCOUNTS_UNREADABLE) from error


# What each request meets -------------------------------------------------------------------------


class AccessMiddleware:
    """ASGI middleware that decides whose each request is, and refuses who is not let in."""

    def __init__(self, app: Any, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it with 401, 403, 429, 503, or the way to the login."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        path = scope["path"]
        if "\n" in path:
            # Routes match a path that ends so as if it did not, and what is said here of them not.
            await JSONResponse({"detail": texts.REQUEST_UNREADABLE}, 400)(scope, receive, send)
            return
        refused = await self._refused(connection, path)
        if refused is not None:
            answer = self._refusal(connection, path, refused)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _refused(self, connection: HTTPConnection, path: str) -> HTTPException | None:
        try:
            with refusals_told():
                found = await self._access.decide(connection)
        except HTTPException as error:
            refused = error
        else:
            if found is None:
                refused = HTTPException(401, texts.SIGN_IN_NEEDED)
            elif path in _WATCHED and not found.may("operator"):
                refused = HTTPException(403, texts.OPERATORS_ONLY)
            elif _changes(connection) and not _is_of_our_site(connection):
                refused = HTTPException(403, texts.OF_ANOTHER_SITE)
            else:
                return None
        return None if _is_open(path) else refused

    def _refusal(self, connection: HTTPConnection, path: str, refused: HTTPException) -> Response:
        status, headers = refused.status_code, {"Cache-Control": "no-store"}
        headers.update(refused.headers or {})
        if path in PAGES and connection.scope["method"] in ("GET", "HEAD"):
            if status == 401 and self._access.users.exist():
                query = connection.scope["query_string"].decode("ascii", "replace")
                wanted = quote(f"{path}?{query}" if query else path, safe="")
                return RedirectResponse(f"{SIGN_IN}?ke={wanted}", 303, headers)
            words = texts.UNNAMED_BY_PROXY if status == 401 else refused.detail
            return HTMLResponse(render("refused.html", words=words), status, headers)
        if status == 401:
            kinds = "Bearer, Basic" if _is_below(path, _FOR_PROGRAMS) else "Bearer"
            realm = 'realm="Tanya Arsip", charset="UTF-8"'
            headers["WWW-Authenticate"] = kinds.replace("Basic", f"Basic {realm}")
        if _is_below(path, _FOR_PROGRAMS):
            problem = {"error": _IN_ENGLISH.get(status, "You may not do this."), "hint": _HINT}
            return JSONResponse(problem, status, headers)
        return JSONResponse({"detail": refused.detail}, status, headers)


_IN_ENGLISH = {
    401: "Who you are is not known: a token or a password is missing, or wrong.",
    429: "Too many wrong passwords: wait, as Retry-After says.",
    503: "The accounts cannot be read at the moment.",
}
_HINT = (
    "Send the header Authorization: Bearer TOKEN, with a token of tanya user token NAME, or the "
    "name and password of an account by HTTP Basic."
)


def at_least(role: Role) -> Callable[[Request], None]:
    """Return a dependency of routes that lets pass who may do what a role may, else raises 403."""

    def checked(request: Request) -> None:
        if not who(request).may(role):
            words = texts.OPERATORS_ONLY if role == "operator" else texts.EDITORS_ONLY
            raise HTTPException(403, words)

    return checked


def of_our_page(request: Request) -> None:
    """Let only our own page's requests pass that change something: a dependency of routes.

    Another site can neither send JSON or bytes without asking first, which is not answered, nor
    say that it is this one. Raises HTTPException 403 and 415.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/octet-stream"):
        raise HTTPException(415, texts.NOT_JSON)
    of_our_site(request)


def of_our_site(request: Request) -> None:
    """Let only what our own pages send pass: a dependency of routes. Raises HTTPException 403."""
    if not _is_of_our_site(request):
        raise HTTPException(403, texts.OF_ANOTHER_SITE)


def _is_of_our_site(connection: HTTPConnection) -> bool:
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    # A proxy may name the host anew; then the browser's own word is enough, where it gives it.
    if site is not None:
        return site == "same-origin"
    return origin is None or _netloc(origin) == connection.headers.get("host")


def _changes(connection: HTTPConnection) -> bool:
    """Tell whether a page's request may change something; what programs ask for changes nothing."""
    changing = connection.scope["method"] not in ("GET", "HEAD", "OPTIONS")
    return changing and not _is_below(_path(connection), _FOR_PROGRAMS)


async def sent(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request brings, after those who may not send were refused.

    FastAPI itself would read it before. Raises HTTPException 413 and 422.
    """
    whole = await bounded(request, LONGEST_LIST)
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


def _kept(connection: HTTPConnection, found: Who, still: Callable[[], bool] = lambda: True) -> Who:
    remember(connection, found, still)
    return found


def _path(connection: HTTPConnection) -> str:
    return str(connection.scope["path"])


def _is_below(path: str, begins: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in begins)


def _is_open(path: str) -> bool:
    """Tell whether a path is for everybody: the login, its looks, whether the server lives."""
    style = path.removeprefix(_OPEN_BELOW)
    return path in _OPEN or (style != path and "/" not in style)


def _is_of_this_machine(connection: HTTPConnection) -> bool:
    """Tell whether a browser on this machine asks this server itself, by one of its own names.

    Another name would be that of a site that has its visitors' browsers ask here.
    """
    names = connection.headers.keys()
    if any(name in _OF_PROXIES or name.startswith(_BEGIN_OF_PROXIES) for name in names):
        return False
    # No browser speaks it; some proxies do, and add nothing else.
    if connection.scope.get("http_version") == "1.0":
        return False
    host = _hostname(connection.headers.get("host", ""))
    peer = connection.client.host if connection.client else ""
    return is_loopback(peer) and (host == "localhost" or is_loopback(host))


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


def _without_port(written: str) -> str:
    """Return the address of an entry of X-Forwarded-For; "" for what is none."""
    if written.startswith("["):
        written = written[1:].partition("]")[0]
    elif written.count(":") == 1:
        written = written.partition(":")[0]
    return str(ip(written) or "")
