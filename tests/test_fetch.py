"""Pages are fetched politely and within bounds, from a real server that behaves badly."""

import dataclasses
import datetime as dt
import gzip
import socket
import time
import zlib
from email.utils import format_datetime

import pytest

from index.errors import FetchError
from index.fetch import Fetcher, is_private
from index.settings import WatchSettings
from tests.web import Web, answers, drips, leads_to

LIMITS = WatchSettings(pause=0.0, seconds=5.0, max_bytes=100_000, max_redirects=3)
NOW = dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.time = 1000.0
        self.slept = []

    def __call__(self):
        return self.time

    def sleep(self, seconds):
        self.slept.append(round(seconds, 3))
        self.time += seconds


@pytest.fixture
def web():
    with Web() as web:
        yield web


@pytest.fixture
def fetcher():
    fetcher = Fetcher(LIMITS, now=NOW.timestamp)
    yield fetcher
    fetcher.close()


def limited(**changes):
    return Fetcher(dataclasses.replace(LIMITS, **changes))


def test_a_page_comes_with_what_later_questions_need(web, fetcher):
    web.pages["/a"] = answers(
        "isi", ETag='"1"', Last_Modified="kemarin", Content_Type="Text/HTML; x"
    )
    found = fetcher.get(web.url("/a"), trusted=web.host)
    assert (found.status, found.content, found.kind) == (200, b"isi", "text/html")
    assert (found.etag, found.modified, found.moved) == ('"1"', "kemarin", "")
    assert found.private
    asked = web.visits[-1].headers
    assert asked["user-agent"] == "tanya-arsip"
    assert "if-none-match" not in asked


def test_what_is_known_is_asked_about(web, fetcher):
    web.pages["/a"] = answers(status=304)
    found = fetcher.get(web.url("/a"), etag='"1"', modified="kemarin", trusted=web.host)
    assert (found.status, found.content) == (304, b"")
    asked = web.visits[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"1"', "kemarin")


def test_redirects_are_followed_and_those_for_good_are_told(web, fetcher):
    web.pages["/tetap"] = leads_to("/tetap2", 301)
    web.pages["/tetap2"] = leads_to("/sementara", 308)
    web.pages["/sementara"] = leads_to(web.url("/isi"), 302)
    web.pages["/isi"] = answers("isi")
    found = fetcher.get(web.url("/tetap"), trusted=web.host)
    assert (found.url, found.content) == (web.url("/isi"), b"isi")
    assert found.moved == web.url("/sementara")
    assert fetcher.get(web.url("/sementara"), trusted=web.host).moved == ""


def test_redirects_end(web, fetcher):
    web.pages["/putar"] = leads_to("/putar")
    with pytest.raises(FetchError, match="redirects more than 3 times") as caught:
        fetcher.get(web.url("/putar"), trusted=web.host)
    assert caught.value.lasting and web.asked("/putar") == 4


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://contoh.example/a",
        "gopher://contoh.example",
        "/a",
        "",
        "http://",
        "http://[::1",
        "http://orang:rahasia@contoh.example/",
        "http://contoh.example:0/",
        "http://contoh.example:abc/",
        "http://contoh.example/\n",
    ],
)
def test_only_plain_addresses_of_the_web_are_asked(web, fetcher, url):
    with pytest.raises(FetchError, match="no address|redirects to"):
        fetcher.get(url)
    web.pages["/a"] = leads_to(url)
    if url.startswith(("file", "ftp", "gopher", "http")) and "\n" not in url:
        with pytest.raises(FetchError):
            fetcher.get(web.url("/a"), trusted=web.host)


# Private addresses -------------------------------------------------------------------------------


def test_an_address_of_this_machine_is_refused_before_a_word_is_said(web, fetcher):
    web.pages["/a"] = answers("rahasia")
    for host in (web.host, web.host.replace("127.0.0.1", "localhost")):
        with pytest.raises(FetchError, match="private address 127.0.0.1") as caught:
            fetcher.get(f"http://{host}/a")
        assert caught.value.lasting
    assert web.visits == []


def test_a_redirect_to_another_port_of_this_machine_is_refused(web, fetcher):
    with Web() as inner:
        inner.pages["/a"] = answers("rahasia")
        web.pages["/a"] = leads_to(inner.url("/a"))
        with pytest.raises(FetchError, match="private address"):
            fetcher.get(web.url("/a"), trusted=web.host)
        assert inner.visits == []


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("0.0.0.0", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", True),
        ("fe80::1%eth0", True),
        ("fc00::1", True),
        ("ff02::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("2002:7f00:1::", True),
        ("64:ff9b::7f00:1", True),
        ("8.8.8.8", False),
        ("93.184.216.34", False),
        ("2606:4700::1111", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::808:808", False),
    ],
)
def test_what_is_private(address, private):
    assert is_private(address) is private


# Bounds ------------------------------------------------------------------------------------------


def endless(visit):
    visit.begin()
    while not visit.web.closing.is_set():
        visit.more(b"x" * 10_000)


def endless_packed(visit):
    visit.begin(Content_Encoding="gzip")
    packer = zlib.compressobj(wbits=31)
    while not visit.web.closing.is_set():
        visit.more(packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH))


@pytest.mark.parametrize(
    "page",
    [
        answers(b"x" * 100_001),
        endless,
        endless_packed,
        answers(gzip.compress(bytes(300_000_000)), Content_Encoding="gzip"),
    ],
    ids=["long", "endless", "endless, packed", "bomb"],
)
def test_no_more_is_read_than_may_be(web, fetcher, page):
    web.pages["/a"] = page
    with pytest.raises(FetchError, match="more than 100,000 bytes"):
        fetcher.get(web.url("/a"), trusted=web.host)


def test_what_is_packed_is_unpacked(web, fetcher):
    web.pages["/a"] = answers(gzip.compress(b"x" * 100_000), Content_Encoding="gzip")
    assert fetcher.get(web.url("/a"), trusted=web.host).content == b"x" * 100_000


@pytest.mark.parametrize(
    ("content", "encoding", "told"),
    [
        (gzip.compress(b"isi" * 999, mtime=0)[:-20], "gzip", "cut short"),
        (b"bukan gzip", "gzip", "cannot be unpacked"),
        (b"apa saja", "br", "packed as 'br'"),
    ],
)
def test_what_cannot_be_unpacked_is_told(web, fetcher, content, encoding, told):
    web.pages["/a"] = answers(content, Content_Encoding=encoding)
    with pytest.raises(FetchError, match=told):
        fetcher.get(web.url("/a"), trusted=web.host)


@pytest.mark.parametrize(
    "page",
    [
        drips(b"HTTP/1.1 200 OK\r\nX-Lama: ", 0.02),
        drips(b"HTTP/1.1 200 OK\r\n\r\n", 0.02),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n", 0.02),
        lambda visit: visit.web.closing.wait(),
    ],
    ids=["headers", "body without an end", "body", "silence"],
)
def test_a_slow_answer_is_cut_by_its_whole_time(web, page):
    web.pages["/a"] = page
    begun = time.monotonic()
    with pytest.raises(FetchError, match="longer than 0.3 seconds|timed out") as caught:
        limited(seconds=0.3).get(web.url("/a"), trusted=web.host)
    assert time.monotonic() - begun < 4
    assert not caught.value.lasting


def test_an_answer_that_was_cut_short_is_none(web, fetcher):
    web.pages["/a"] = lambda visit: visit.send(b"pendek", Content_Length="100")
    with pytest.raises(FetchError, match="cannot be fetched"):
        fetcher.get(web.url("/a"), trusted=web.host)


def test_a_server_that_is_not_there_is_told(fetcher):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(FetchError, match="cannot be fetched") as caught:
            fetcher.get(f"http://{host}/", trusted=host)
    assert not caught.value.lasting


def test_an_answer_that_is_no_http_is_told(web, fetcher):
    web.pages["/a"] = lambda visit: visit.more(b"SSH-2.0-OpenSSH\r\n")
    with pytest.raises(FetchError, match="cannot be fetched"):
        fetcher.get(web.url("/a"), trusted=web.host)


# Politeness --------------------------------------------------------------------------------------


def test_between_two_requests_to_a_host_is_a_pause(web):
    clock = Clock()
    fetcher = Fetcher(dataclasses.replace(LIMITS, pause=2.0), clock=clock, sleep=clock.sleep)
    web.pages["/a"] = web.pages["/b"] = answers("isi")
    fetcher.get(web.url("/a"), trusted=web.host)
    clock.time += 0.5
    fetcher.get(web.url("/b"), trusted=web.host)
    clock.time += 10
    fetcher.get(web.url("/a"), trusted=web.host)
    # The first is between robots.txt and the page.
    assert clock.slept == [2.0, 1.5]
    with Web() as other:
        other.pages["/a"] = answers("isi")
        fetcher.get(web.url("/a"), trusted=web.host)
        fetcher.get(other.url("/a"), trusted=other.host)
    assert clock.slept == [2.0, 1.5, 2.0, 2.0]


def test_robots_txt_is_read_once_an_hour_and_obeyed(web):
    clock = Clock()
    fetcher = Fetcher(LIMITS, clock=clock, sleep=clock.sleep)
    web.pages["/robots.txt"] = answers(
        "User-agent: *\nDisallow: /\n\nUser-agent: tanya-arsip\nDisallow: /dalam\nCrawl-delay: 7\n"
    )
    web.pages["/a"] = web.pages["/dalam/a"] = answers("isi")
    assert fetcher.get(web.url("/a"), trusted=web.host).status == 200
    with pytest.raises(FetchError, match="robots.txt forbids") as caught:
        fetcher.get(web.url("/dalam/a"), trusted=web.host)
    assert caught.value.lasting
    assert (web.asked("/robots.txt"), web.asked("/dalam/a")) == (1, 0)
    assert clock.slept == [7.0]
    clock.time += 3601
    fetcher.get(web.url("/a"), trusted=web.host)
    assert web.asked("/robots.txt") == 2


def test_a_redirect_does_not_lead_past_robots_txt(web, fetcher):
    web.pages["/robots.txt"] = answers("User-agent: *\nDisallow: /dalam")
    web.pages["/a"] = leads_to("/dalam/a")
    with pytest.raises(FetchError, match="robots.txt forbids"):
        fetcher.get(web.url("/a"), trusted=web.host)
    assert web.asked("/dalam/a") == 0


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (500, False), (429, False)]
)
def test_a_robots_txt_that_fails_allows_nothing_now_and_none_allows_all(
    web, fetcher, status, allowed
):
    web.pages["/robots.txt"] = answers("User-agent: *\nDisallow: /", status, Retry_After="9")
    web.pages["/a"] = answers("isi")
    if allowed:
        assert fetcher.get(web.url("/a"), trusted=web.host).content == b"isi"
        return
    with pytest.raises(FetchError, match=f"status {status}") as caught:
        fetcher.get(web.url("/a"), trusted=web.host)
    assert (caught.value.lasting, caught.value.retry) == (False, 9.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (format_datetime(NOW + dt.timedelta(minutes=3), usegmt=True), 180.0),
        (format_datetime(NOW - dt.timedelta(minutes=3), usegmt=True), 0.0),
        ("nanti", None),
        ("-5", None),
        ("", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_how_long_we_are_asked_to_wait(web, fetcher, value, seconds):
    web.pages["/a"] = answers("tunggu", 429, Retry_After=value)
    found = fetcher.get(web.url("/a"), trusted=web.host)
    assert (found.status, found.content, found.retry) == (429, b"", seconds)
