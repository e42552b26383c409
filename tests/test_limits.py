"""How much one user or address may ask, and how much at once."""

import asyncio
import socket

import pytest

from index.settings import LimitsSettings
from tests.loopback import served
from web import front, listening
from web.addresses import near
from web.limits import Buckets, Limits
from web.who import Who

FEW = LimitsSettings(requests=10, questions=2, at_once=2, streams=1, connections=10)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


async def request(app, path="/page/status", address="192.0.2.7", method="GET", state=None):
    """Send a request by ASGI; return the status, the headers, and what the scope says after it."""
    sent = []
    scope = {"type": "http", "method": method, "path": path, "headers": [], "state": {}}
    scope["state"].update(state or {})

    async def send(message):
        sent.append(message)

    await app({**scope, "client": (address, 1)}, None, send)
    return sent[0]["status"], dict(sent[0]["headers"]), scope["state"]


def responding(status=200, kind=b"application/json", until=None):
    """Return an application that answers, `until` an event where one is given."""

    async def app(scope, receive, send):
        headers = [(b"content-type", kind)]
        if kind == b"application/json" and until is not None:
            await until.wait()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if until is not None:
            await until.wait()
        await send({"type": "http.response.body", "body": b""})

    return app


def statuses(app, count, **options):
    async def all_of_them():
        return [(await request(app, **options))[0] for _ in range(count)]

    return asyncio.run(all_of_them())


# A minute's worth --------------------------------------------------------------------------------


def test_a_bucket_empties_and_fills_again():
    clock = Clock()
    buckets = Buckets(6, clock)
    assert [buckets.take("a") for _ in range(7)] == [0.0] * 6 + [10.0]
    assert buckets.take("b") == 0.0
    clock.now = 4.0
    assert buckets.take("a") == pytest.approx(6.0)
    clock.now = 10.0
    assert (buckets.take("a"), buckets.take("a")) == (0.0, pytest.approx(10.0))
    clock.now = 1e6
    assert [buckets.take("a") for _ in range(7)].count(0.0) == 6


def test_a_bucket_forgets_who_has_not_asked_for_longest():
    buckets = Buckets(1, Clock())
    for number in range(10_001):
        buckets.take(str(number))
    assert buckets.take("1") > 0 and buckets.take("0") == 0.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("", "", True),
    ],
)
def test_an_address_is_counted_with_its_network(one, other, same):
    assert (near(one) == near(other)) is same


def test_more_than_a_minutes_requests_are_told_when_to_come_again():
    limits = Limits(responding(), FEW, Clock())
    assert statuses(limits, 11) == [200] * 10 + [429]
    status, headers, _ = asyncio.run(request(limits))
    assert (status, headers[b"retry-after"]) == (429, b"6")
    assert statuses(limits, 1, address="192.0.2.8") == [200]


def test_questions_of_programs_are_counted_for_themselves():
    limits = Limits(responding(), FEW, Clock())
    assert statuses(limits, 3, path="/api/ask", method="POST") == [200, 200, 429]
    assert statuses(limits, 1, path="/api/articles/a") == [200]


def test_a_question_of_the_page_goes_on_with_how_long_to_wait():
    limits = Limits(responding(), FEW, Clock())
    question = {"path": "/gradio_api/queue/join", "method": "POST"}
    assert statuses(limits, 2, **question) == [200, 200]
    status, _, state = asyncio.run(request(limits, **question))
    assert (status, state) == (200, {"busy": 30})


def test_who_sits_at_the_machine_may_ask_without_end_and_a_proxy_on_it_may_not():
    limits = Limits(responding(), FEW, Clock())
    asked = {"path": "/api/ask", "method": "POST", "address": "127.0.0.1"}
    here = {"who": Who("", "operator", "127.0.0.1")}
    assert statuses(limits, 30, **asked, state=here) == [200] * 30
    proxied = {"who": Who("", "reader", "127.0.0.1")}
    assert 429 in statuses(limits, 30, **asked, state=proxied)


# At once -----------------------------------------------------------------------------------------


def test_requests_of_one_address_wait_for_each_other_and_not_for_others():
    async def scene():
        until = asyncio.Event()
        limits = Limits(responding(until=until), FEW, Clock())
        waiting = [asyncio.create_task(request(limits)) for _ in range(4)]
        other = asyncio.create_task(request(limits, address="192.0.2.8"))
        await asyncio.sleep(0)
        assert (limits.serving("192.0.2.7"), limits.serving("192.0.2.8")) == (2, 1)
        until.set()
        assert [(await each)[0] for each in (*waiting, other)] == [200] * 5
        assert limits.serving("192.0.2.7") == 0

    asyncio.run(scene())


def test_streams_are_counted_for_themselves_and_do_not_hold_up_requests():
    async def scene():
        until = asyncio.Event()
        limits = Limits(responding(kind=b"text/event-stream", until=until), FEW, Clock())
        stream = asyncio.create_task(request(limits))
        await asyncio.sleep(0)
        assert limits.serving("192.0.2.7") == 0
        assert (await request(limits))[0] == 429
        until.set()
        assert (await stream)[0] == 200
        assert (await request(limits))[0] == 200

    asyncio.run(scene())


def test_who_goes_away_while_waiting_leaves_the_place_to_others():
    async def scene():
        until = asyncio.Event()
        limits = Limits(responding(until=until), FEW, Clock())
        first, second, gone, last = (asyncio.create_task(request(limits)) for _ in range(4))
        await asyncio.sleep(0)
        gone.cancel()
        until.set()
        assert [(await each)[0] for each in (first, second, last)] == [200] * 3
        assert limits.serving("192.0.2.7") == 0
        assert gone.cancelled() or gone.done()

    asyncio.run(scene())


# Connections -------------------------------------------------------------------------------------


@pytest.fixture
def few():
    """A server that keeps five connections of an address."""
    limits = LimitsSettings(connections=10, connections_by_address=5)
    config = listening.config(responding(), limits)
    with served(None, config) as address:
        yield address.removeprefix("http://")


def opened(address):
    host, _, port = address.partition(":")
    connection = socket.create_connection((host, int(port)), 30)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
    return connection


def finished(connection):
    """Send the end of a request; return the first line of the response."""
    connection.sendall(b"\r\n")
    with connection, connection.makefile("rb") as file:
        return file.readline()


def test_one_address_keeps_so_many_connections(few):
    kept = [opened(few) for _ in range(5)]
    with opened(few) as one_more, one_more.makefile("rb") as file:
        told = file.read()
    assert told.startswith(b"HTTP/1.1 429 ") and b"Sedang sibuk; coba lagi dalam 5 detik." in told
    assert [finished(each) for each in kept] == [b"HTTP/1.1 200 OK\r\n"] * 5
    assert finished(opened(few)) == b"HTTP/1.1 200 OK\r\n"


def test_a_proxy_keeps_as_many_as_there_are():
    limits = LimitsSettings(connections=10, connections_by_address=5)
    kept = listening.Kept(limits, lambda address: address == "192.0.2.1")
    assert [kept.begin("192.0.2.1") for _ in range(11)] == [0] * 10 + [503]
    assert kept.begin("192.0.2.2") == 503
    for _ in range(2):
        kept.end("192.0.2.1")
    kept.end("192.0.2.2")
    assert kept.begin("192.0.2.2") == 0


def test_a_head_that_does_not_come_ends_the_connection(few, monkeypatch):
    monkeypatch.setattr(listening, "HEAD_SECONDS", 0.05)
    with opened(few) as connection:
        assert connection.recv(100) == b""


def test_a_body_that_does_not_come_is_told_so(monkeypatch):
    monkeypatch.setattr(front, "BODY_SECONDS", 0.05)
    sent = []

    async def scene():
        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        scope = {
            **{"type": "http", "method": "POST", "path": "/api/ask", "query_string": b""},
            "headers": [(b"content-length", b"10")],
        }
        await front.Front(responding())(scope, receive, send)

    asyncio.run(scene())
    assert sent[0]["status"] == 408 and b"was not here" in sent[1]["body"]
