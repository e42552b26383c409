"""Fetches feeds and pages: one at a time, politely, and never more or longer than the settings say.

The other side is a stranger: it may be endless, slow, packed to burst, or send us to the machines
behind our own door.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from index.errors import FetchError
from index.settings import WatchSettings

if TYPE_CHECKING:
    import httpx2

_ROBOTS_BYTES = 500_000
_ROBOTS_KEPT = 3600.0
_MOST_HOSTS = 1_000
# A site may ask for more than this between two requests; then nothing would ever be read of it.
_LONGEST_DELAY = 60.0

_PERMANENT = (301, 308)
_REDIRECTS = (*_PERMANENT, 302, 303, 307)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that came, whatever its `status`; `content` is unpacked, and b"" but for 200.

    `url` is where it came from after redirects, `moved` where a permanent one led, "" without one.
    `kind` is the media type, `retry` the seconds that it asks us to wait, `private` tells that it
    came from an address that the Internet does not reach.
    """

    url: str
    status: int
    content: bytes
    kind: str
    etag: str
    modified: str
    moved: str
    retry: float | None
    private: bool


class Fetcher:
    """Asks for one address at a time, with a pause between two requests to a host."""

    def __init__(
        self,
        settings: WatchSettings,
        *,
        transport: httpx2.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        import httpx2

        # Each connection is looked at when it is made, so none is kept. A proxy would hide whom
        # we talk to, so none is taken from the environment.
        transport = transport or httpx2.HTTPTransport(
            limits=httpx2.Limits(max_keepalive_connections=0)
        )
        self._client = httpx2.Client(
            transport=transport,
            trust_env=False,
            timeout=settings.seconds,
            headers={"User-Agent": settings.agent, "Accept-Encoding": "gzip"},
        )
        self._settings = settings
        self._clock, self._sleep, self._now = clock, sleep, now
        self._asked: dict[str, float] = {}
        self._rules: dict[str, tuple[RobotFileParser, float]] = {}

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def get(self, url: str, *, etag: str = "", modified: str = "", trusted: str = "") -> Fetched:
        """Fetch an address, if its robots.txt lets us; follow redirects.

        `etag` and `modified` are what an earlier answer had: 304 says that nothing changed.
        `trusted` is the host and port (as URLs have them) that may have a private address. Raises
        FetchError where no whole answer came.
        """
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {name: value for name, value in conditions.items() if value}
        return self._follow(url, headers, trusted, self._settings.max_bytes, obey=True)

    def _follow(
        self, url: str, headers: Mapping[str, str], trusted: str, limit: int, *, obey: bool
    ) -> Fetched:
        moved, permanent = "", True
        left = self._settings.seconds
        for _ in range(self._settings.max_redirects + 1):
            host = netloc_of(url)
            delay = self._settings.pause
            if obey:
                delay = max(delay, self._allowed_after(url, trusted))
            self._wait(host, delay)
            begun = self._clock()
            try:
                answer, target = self._ask(url, headers, trusted, limit, left)
            finally:
                self._asked[host] = self._clock()
            if not target:
                return replace(answer, moved=moved)
            left -= self._clock() - begun
            permanent = permanent and answer.status in _PERMANENT
            url = _joined(url, target)
            moved = url if permanent else moved
        raise FetchError(
            f"It redirects more than {self._settings.max_redirects} times", lasting=True
        )

    def _wait(self, host: str, delay: float) -> None:
        if host in self._asked:
            since = self._clock() - self._asked[host]
            if since < delay:
                self._sleep(delay - since)
        elif len(self._asked) >= _MOST_HOSTS:
            self._asked.clear()

    def _ask(
        self, url: str, headers: Mapping[str, str], trusted: str, limit: int, seconds: float
    ) -> tuple[Fetched, str]:
        """Send one request; return its answer, and where it redirects to or ""."""
        import httpx2

        door = _Door(max(seconds, 0.01), private_allowed=urlsplit(url).netloc == trusted)
        late = f"It took longer than {self._settings.seconds:g} seconds"
        asked = self._client.stream("GET", url, headers=headers, extensions={"trace": door.trace})
        try:
            with door, asked as response:
                content = _content(response, limit) if response.status_code == 200 else b""
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ValueError) as error:
            reason = f"It cannot be fetched: {error or type(error).__name__}"
            raise FetchError(late if door.is_shut else reason) from error
        if door.is_shut:
            raise FetchError(late)
        found = response.headers
        target = found.get("location", "") if response.status_code in _REDIRECTS else ""
        answer = Fetched(
            url,
            response.status_code,
            content,
            kind=found.get("content-type", "").partition(";")[0].strip().lower(),
            etag=found.get("etag", ""),
            modified=found.get("last-modified", ""),
            moved="",
            retry=self._retry_after(found.get("retry-after", "")),
            private=door.is_private,
        )
        return answer, target

    def _retry_after(self, value: str) -> float | None:
        """Return the seconds that a Retry-After asks for, which is a number of them or a date."""
        value = value.strip()
        if value.isascii() and value.isdigit():
            return float(value[:9])
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=dt.UTC)
        return max(0.0, when.timestamp() - self._now())

    def _allowed_after(self, url: str, trusted: str) -> float:
        """Return the pause that a site's robots.txt asks for; raises FetchError where it forbids.

        As RFC 9309 has it: a site without one allows all, one whose file fails allows nothing now.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        parser, until = self._rules.get(origin, (None, 0.0))
        if parser is None or self._clock() >= until:
            answer = self._follow(f"{origin}/robots.txt", {}, trusted, _ROBOTS_BYTES, obey=False)
            if answer.status == 429 or answer.status >= 500:
                raise FetchError(
                    f"Its robots.txt answers with status {answer.status}", retry=answer.retry
                )
            parser = RobotFileParser()
            parser.parse(answer.content.decode("utf-8", "replace").splitlines())
            if len(self._rules) >= _MOST_HOSTS:
                self._rules.clear()
            self._rules[origin] = parser, self._clock() + _ROBOTS_KEPT
        if not parser.can_fetch(self._settings.agent, url):
            raise FetchError("Its robots.txt forbids it", lasting=True)
        return min(float(parser.crawl_delay(self._settings.agent) or 0), _LONGEST_DELAY)


def netloc_of(url: str) -> str:
    """Return the host and port of an address that may be asked; raises FetchError for others."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        known = parts.username is None and parts.port != 0
    except ValueError:
        usable = known = False
    if not (usable and known and url.isprintable()):
        raise FetchError(
            f"{url[:100]!r} is no address of the form http://HOST/... or https://HOST/...",
            lasting=True,
        )
    return parts.netloc


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError as error:
        raise FetchError(f"It redirects to {target[:100]!r}", lasting=True) from error


def _content(response: httpx2.Response, limit: int) -> bytes:
    """Read and unpack a body; raises FetchError where it has more than `limit` bytes either way."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise FetchError(f"It is packed as {encoding!r:.40}, which was not asked for", lasting=True)
    unpacker = zlib.decompressobj(31) if "gzip" in encoding else None
    content = bytearray()
    came = 0
    try:
        for chunk in response.iter_raw():
            came += len(chunk)
            content += unpacker.decompress(chunk, limit + 1) if unpacker else chunk
            if max(came, len(content)) > limit:
                raise FetchError(f"It has more than {limit:,} bytes", lasting=True)
            if unpacker and unpacker.eof:
                break
    except zlib.error as error:
        raise FetchError("It is damaged: it cannot be unpacked", lasting=True) from error
    if unpacker and came and not unpacker.eof:
        raise FetchError("It was cut short")
    return bytes(content)


class _Door:
    """Looks at whom a request talks to, before a word is said, and ends the talk after `seconds`.

    No timeout of a single read stops one byte a second. `is_private` tells whom it saw, `is_shut`
    that the time is over.
    """

    def __init__(self, seconds: float, *, private_allowed: bool) -> None:
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._private_allowed = private_allowed
        self._sockets: list[socket.socket] = []
        self.is_shut = False
        self.is_private = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take the events of a connection, as httpx2's extension `trace` has it."""
        if event not in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            return
        stream = info["return_value"]
        self._sockets.append(stream.get_extra_info("socket"))
        # That of the connection itself: a name may mean another one each time it is looked up.
        address = stream.get_extra_info("server_addr")[0]
        self.is_private = is_private(address)
        if self.is_private and not self._private_allowed:
            stream.close()
            raise FetchError(f"It leads to the private address {address}", lasting=True)
        if self.is_shut:
            stream.close()
            raise FetchError("It took too long to connect")

    def _shut(self) -> None:
        """End the talk, or keep it from beginning; the timer's thread calls this."""
        self.is_shut = True
        for each in self._sockets:
            with suppress(OSError):
                # Of an SSL socket the plain method: its own would pull the rug from under a read.
                socket.socket.shutdown(each, socket.SHUT_RDWR)


def is_private(address: str) -> bool:
    """Tell whether an IP address is one that the Internet does not reach, or reaches as another."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(ip.packed[-4:])
        if inner is not None:
            return is_private(str(inner))
    return not ip.is_global or ip.is_multicast
