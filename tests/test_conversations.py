"""The routes of the conversations, and what is exported of one."""

import datetime as dt
import io
import json

import docx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from index.records import Filter
from page import transcript
from qa.chat import Chat
from qa.history import History, KeptTurn
from tests import homes
from tests.asking import taken
from tests.operating import HERE
from web import conversations, feedback, filters, status
from web.access import Access, AccessMiddleware
from web.answering import Answering, Request
from web.users import Users
from web.visitor import COOKIE, VisitorCookie, visitor

EVIL = (
    '<img src=x onerror="window.pwned=1"></li><script>x</script> [klik](http://e.example) # \x07"'
)
NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return homes.harbour(tmp_path_factory.mktemp("harbour"))


@pytest.fixture
def answering(home):
    return Answering(Chat.open(home), History(None), lambda: NOON)


def browser(answering, name="ani"):
    app = FastAPI()
    app.include_router(conversations.router(answering, lambda: NOON))
    app.include_router(filters.router())
    app.include_router(feedback.router(answering.history))
    app.include_router(status.router(answering.chat))
    app.add_middleware(AccessMiddleware, access=Access(Users(answering.chat.home)))
    return TestClient(app, HERE, cookies={COOKIE: name}, client=("127.0.0.1", 50_000))


def owner(name):
    cookie = [(b"cookie", f"{COOKIE}={name}".encode())] if name else []
    return visitor(HTTPConnection({"type": "http", "headers": cookie}))


def asked(answering, question, name="ani"):
    *_, last = taken(answering.ask(owner(name), Request(question)))
    return last.conversation


def test_a_browser_sees_its_own_conversations_only(answering):
    place = asked(answering, "Siapa yang meresmikan Pelabuhan Batu Layar?")
    ani, budi = browser(answering), browser(answering, "budi")
    assert "Pelabuhan Batu Layar" in ani.get("/page/conversations").text
    assert "Rahmat Hidayat" in ani.get("/page/conversation", params={"id": place}).text
    assert "Belum ada percakapan" in budi.get("/page/conversations").text
    for path in ("/page/conversation", "/page/conversation/export"):
        assert budi.get(path, params={"id": place}).status_code == 404
    assert budi.post("/page/conversation/delete", json={"id": place}).json() == {"done": False}
    rename = {"id": place, "title": "Punyaku"}
    assert budi.post("/page/conversation/rename", json=rename).json() == {"done": False}
    assert ani.post("/page/conversation/rename", json=rename).json() == {"done": True}
    assert "Punyaku" in ani.get("/page/conversations", params={"words": "punya"}).text
    assert ani.post("/page/conversation/delete", json={"id": place}).json() == {"done": True}
    assert ani.get("/page/conversation", params={"id": place}).status_code == 404


def test_another_site_cannot_delete(answering):
    place = asked(answering, "Siapa yang meresmikan Pelabuhan Batu Layar?")
    ani = browser(answering)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        reply = ani.post(
            "/page/conversation/delete",
            content=json.dumps({"id": place}),
            headers={"content-type": kind},
        )
        assert reply.status_code == 422, kind
    assert ani.get("/page/conversation", params={"id": place}).status_code == 200


def test_no_body_is_longer_than_what_a_person_types(answering):
    place = asked(answering, "Siapa yang meresmikan Pelabuhan Batu Layar?")
    ani = browser(answering)
    long = {"id": place, "title": "x" * 70_000}
    assert ani.post("/page/conversation/rename", json=long).status_code == 413
    said = {"conversation": place, "number": 1, "verdict": "bad", "words": "x" * 70_000}
    assert ani.post("/page/feedback", json=said).status_code == 413
    assert ani.get("/page/conversation", params={"id": place}).status_code == 200


def test_a_version_that_the_page_knows_is_not_told_again(answering):
    ani = browser(answering)
    first = ani.get("/page/status").json()
    assert [each["name"] for each in first["publishers"]] == ["Harian Uji", "Kabar Hulu"]
    again = ani.get("/page/status", params={"known": first["version"]}).json()
    assert again == {"version": first["version"], "line": first["line"]}


def test_what_is_hostile_stays_text(answering):
    place = asked(answering, EVIL)
    ani = browser(answering)
    listed = ani.get("/page/conversations").text
    assert "<img" not in listed
    assert "<script" not in listed
    for form in ("md", "json", "docx"):
        reply = ani.get("/page/conversation/export", params={"id": place, "form": form})
        assert reply.status_code == 200
        name = reply.headers["content-disposition"].rpartition("''")[2]
        assert name.startswith("2026-03-02-")
        assert name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert (
        ani.get("/page/conversation/export", params={"id": place, "form": "exe"}).status_code == 400
    )


def test_an_export_holds_every_sentence_with_its_quote(answering):
    place = asked(answering, "Siapa yang meresmikan Pelabuhan Batu Layar?")
    [kept] = answering.history.turns(owner("ani"), place)
    quote = " ".join(kept.turn.answer.citations[0].quote.split())
    claim = kept.turn.answer.claims[0].text
    ani = browser(answering)

    def export(form):
        return ani.get("/page/conversation/export", params={"id": place, "form": form})

    [row] = export("json").json()["turns"]
    assert row["claims"][0]["text"] == claim
    assert row["citations"][0]["quote"] == kept.turn.answer.citations[0].quote
    plain = export("md").text.replace("\\", "")
    assert claim in plain
    assert f"“{quote}”" in plain
    document = docx.Document(io.BytesIO(export("docx").content))
    words = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert claim in words
    assert f"“{quote}”" in words


def test_markdown_of_an_archive_is_not_obeyed(answering):
    place = asked(answering, EVIL)
    conversation = answering.history.conversation(owner("ani"), place)
    kept = KeptTurn(place, 1, NOON, EVIL, Filter(), None)
    written = transcript.markdown(conversation, [kept])
    assert "\\<img" in written
    assert "\\[klik\\]" in written
    assert "<img" not in written.replace("\\<img", "")


def test_a_question_without_an_answer_can_be_asked_again(answering):
    place, _ = answering.history.begin(owner("ani"), "", "Apa itu?", Filter(), NOON)
    html = browser(answering).get("/page/conversation", params={"id": place}).text
    assert "belum terjawab" in html
    assert "Tanyakan lagi" in html
    answering.history.begin(owner("ani"), place, "Apa ini?", Filter(), NOON)
    html = browser(answering).get("/page/conversation", params={"id": place}).text
    assert "Apa itu?" not in html


@pytest.mark.parametrize(
    ("query", "hint", "chips"),
    [
        ({"after": "2016", "before": "2016"}, "", ["2016"]),
        (
            {"after": "Agustus 2019", "publisher": ["A", "B"]},
            "",
            ["sejak 1 Agustus 2019", "A", "B"],
        ),
        ({"after": "31/02/2020"}, "“31/02/2020” tidak dikenali", []),
        ({}, "", []),
    ],
)
def test_a_filter_is_read_and_put_in_words(answering, query, hint, chips):
    reply = browser(answering).get("/page/filter", params=query).json()
    assert hint in reply["hint"]
    assert bool(hint) == bool(reply["hint"])
    assert [chip["words"] for chip in reply["chips"]] == chips


def test_the_page_brings_a_cookie_that_scripts_cannot_read():
    app = FastAPI()
    app.add_middleware(VisitorCookie)

    @app.get("/")
    def page() -> str:
        return ""

    @app.get("/other")
    def other() -> str:
        return ""

    client = TestClient(app)
    assert "set-cookie" not in client.get("/other").headers
    cookie = client.get("/").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert len(client.cookies[COOKIE]) >= 32
    assert "set-cookie" not in client.get("/").headers
    assert "Secure" not in cookie
    assert "Secure" in TestClient(app, base_url="https://x").get("/").headers["set-cookie"]


def test_the_file_of_conversations_opens_none_in_a_browser():
    assert owner("ani") == owner("ani") != owner("budi")
    assert "ani" not in owner("ani")
    assert owner("") != owner(""), "who sends no cookie shares nothing"
