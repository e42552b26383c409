"""The JSON API: the machine interface over HTTP, whatever is sent to it."""

import json
import re
import shutil
import subprocess
import threading
import typing
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from index.settings import MODES, LimitsSettings, LlmSettings, ReaderSettings, Settings
from qa.chat import Chat
from qa.interface import AnswerRow, ArchivedRow, hit_row, turn_row
from tests import homes
from tests.llm_server import LlmServer
from tests.loopback import served
from web import api
from web.programs import FoundRow, Programs
from web.turns import Turns

ROOT = Path(__file__).parents[1]
ASKED = "Apa yang disepakati Wiranto dengan China?"
OPENING = "Siapa yang meresmikan Pelabuhan Batu Layar?"


def app(chat, programs=None):
    made = FastAPI(openapi_url=None)
    made.include_router(api.router(programs or Programs(chat)))
    return made


@pytest.fixture(scope="module")
def chat(sample_home):
    return Chat.open(sample_home)


@pytest.fixture(scope="module")
def client(chat):
    with TestClient(app(chat)) as client:
        yield client


def ask(client, question, status=200, **more):
    reply = client.post("/api/ask", json={"question": question, **more})
    assert reply.status_code == status, reply.text
    return reply.json()


def lasting(row):
    """Return an answer's row without what differs each time."""
    return {name: value for name, value in row.items() if name not in ("id", "seconds")}


def told(reply):
    """Return what a problem's body says, after checking that it is one."""
    body = reply.json()
    assert set(body) == {"error", "hint"} and all(body.values()), body
    assert "Traceback" not in reply.text
    return body["error"]


# Answers -----------------------------------------------------------------------------------------


def test_an_answer_is_the_row_of_the_machine_interface(client, chat):
    assert lasting(ask(client, ASKED)) == lasting(turn_row("", chat.ask(ASKED)))


def test_quotes_are_the_article_as_the_api_gives_it(client):
    for citation in ask(client, "Mengapa Bandara Tanjung Bawan ditutup?")["citations"]:
        article = client.get(f"/api/articles/{citation['article_id']}").json()
        assert citation["quote"] == article["text"][citation["start"] : citation["end"]]


def test_a_question_follows_by_an_id_or_by_the_questions_before(client, chat):
    first, then = "Berapa kios yang terbakar di Pasar Sentral Wolasi?", "Apa penyebabnya?"
    expected = lasting(turn_row("", chat.ask(then, (chat.ask(first),))))
    before = ask(client, first)
    assert lasting(ask(client, then, follows=before["id"])) == expected
    assert lasting(ask(client, then, earlier=[first])) == expected
    assert lasting(ask(client, then)) != expected
    assert "give one of them" in ask(client, then, 400, follows="x", earlier=[first])["error"]


def test_an_answer_is_cut_to_k_sentences_and_what_they_cite(client):
    question = "Mengapa Bandara Tanjung Bawan ditutup?"
    whole, cut = ask(client, question), ask(client, question, k=1)
    assert len(whole["claims"]) > 1
    assert cut["claims"] == whole["claims"][:1]
    assert [c["number"] for c in cut["citations"]] == cut["claims"][0]["cited"]


def test_a_filter_narrows_and_an_answers_own_can_be_sent_back(client):
    narrowed = ask(client, ASKED, filter={"after": "2020-01-01", "publishers": ["JurnalNusa"]})
    assert narrowed["filter"]["publishers"] == ["jurnalnusa.com"]
    assert all(c["published"] >= "2020" for c in narrowed["citations"])
    assert lasting(ask(client, ASKED, filter=narrowed["filter"])) == lasting(narrowed)


def test_searches_find_what_the_chat_finds(client, chat):
    for mode in MODES:
        found = client.get("/api/search", params={"q": "banjir", "k": 3, "mode": mode}).json()
        expected = chat.search("banjir", 3, mode=mode)
        assert found["hits"] == [hit_row(n, hit) for n, hit in enumerate(expected, start=1)]
    params = {"q": "banjir", "publisher": ["suarapesisir.id", "jurnalnusa.com"]}
    found = client.get("/api/search", params=params).json()
    assert {hit["publisher"] for hit in found["hits"]} == set(params["publisher"])


def test_an_earlier_version_and_an_earlier_text_are_given(tmp_path):
    homes.harbour(tmp_path)
    body = "Banjir merendam 341 rumah di Kecamatan Sungai Pinang."
    newer = homes.article(2, body, publisher="Kabar Hulu")
    homes.add(tmp_path, [newer, homes.article("x/ü?", "Kapal karam ditemukan di Teluk Jati.")])
    homes.build(tmp_path)
    with TestClient(app(Chat.open(tmp_path))) as client:
        for version, words in (("000001", "340 rumah"), ("000002", "341 rumah"), ("", "341 rumah")):
            params = {"q": "banjir Sungai Pinang rumah", "version": version}
            texts = [hit["text"] for hit in client.get("/api/search", params=params).json()["hits"]]
            assert any(words in text for text in texts), version
        now = client.get("/api/articles/a2").json()
        assert "341" in now["text"] and len(now["earlier"]) == 1
        before = client.get("/api/articles/a2", params={"content": now["earlier"][0]}).json()
        assert before["text"] == homes.HARBOUR[1].body
        assert before["content"] == now["earlier"][0]
        assert client.get("/api/articles/ax%2F%C3%BC%3F").json()["id"] == "ax/ü?"
        assert client.get("/api/articles/a2?content=nix").status_code == 404


# What goes wrong ---------------------------------------------------------------------------------

PROBLEMS = [
    ("POST", "/api/ask", {"json": {"question": " ?! "}}, 400, "empty"),
    ("POST", "/api/ask", {"json": {}}, 422, "question: Field required"),
    ("POST", "/api/ask", {"json": {"question": 7}}, 422, "not 7"),
    ("POST", "/api/ask", {"json": {"question": "a", "k": 0}}, 422, "not 0"),
    ("POST", "/api/ask", {"json": {"question": "a", "frage": "b"}}, 422, "frage"),
    ("POST", "/api/ask", {"json": {"question": "a", "earlier": ["b", "!"]}}, 400, "empty"),
    ("POST", "/api/ask", {"json": {"question": "a", "follows": "nix"}}, 404, "'nix'"),
    ("POST", "/api/ask", {"json": ["a"]}, 422, "not ['a']"),
    (
        "POST", "/api/ask",
        {"json": {"question": "a", "filter": {"after": "12/2016"}}}, 400, "'12/2016'",
    ),
    (
        "POST", "/api/ask",
        {"json": {"question": "a", "filter": {"publishers": ["Nix"]}}}, 400, "'Nix'",
    ),
    ("POST", "/api/ask", {"json": {"question": "a" * 70_000}}, 413, "64 kB"),
    ("POST", "/api/ask", {"data": {"question": "a"}}, 415, "application/x-www-form-urlencoded"),
    (
        "POST", "/api/ask",
        {"content": '{"question": "a"', "headers": {"Content-Type": "application/json"}}, 400,
        "no JSON",
    ),
    (
        "POST", "/api/ask",
        {"content": "[" * 60_000, "headers": {"Content-Type": "application/json"}}, 400, "",
    ),
    ("GET", "/api/search", {}, 422, "q: Field required"),
    ("GET", "/api/search?q=", {}, 400, "empty"),
    ("GET", "/api/search?q=a&k=1001", {}, 422, "1000"),
    ("GET", "/api/search?q=a&mode=alles", {}, 422, "'alles'"),
    ("GET", "/api/search?q=a&before=2016-02-30", {}, 400, "'2016-02-30'"),
    ("GET", "/api/search?q=a&after=2017-01-01&before=2016-01-01", {}, 400, "later"),
    ("GET", "/api/search?q=a&author=Nix", {}, 400, "'Nix'"),
    ("GET", "/api/search?q=a&version=../..", {}, 404, "'../..'"),
    ("GET", "/api/articles/nix", {}, 404, "'nix'"),
    ("GET", "/api/ask", {}, 405, "GET"),
    ("DELETE", "/api/articles/nix", {}, 405, "DELETE"),
    ("GET", "/api/nix/nix", {}, 404, "/api/nix/nix"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "sent", "status", "word"), PROBLEMS)
def test_problems_are_told_with_what_to_do(client, method, path, sent, status, word):
    reply = client.request(method, path, **sent)
    assert reply.status_code == status, reply.text
    assert word in told(reply)


HOSTILE = [homes.HOSTILE, "\ud800", "a\x00b", "9" * 5_000, "'; DROP TABLE"]


@pytest.fixture(scope="module")
def brief(sample_home):
    """Return a client of a chat that hardly reads."""
    settings = Settings(reader=ReaderSettings(passages=1, search=False))
    with TestClient(app(Chat(sample_home, settings))) as client:
        yield client


@pytest.mark.parametrize("value", HOSTILE)
def test_any_characters_in_any_field_are_answered(brief, value):
    fields = [
        {"question": value},
        {"question": ASKED, "follows": value},
        {"question": ASKED, "earlier": [value]},
        {"question": ASKED, "k": value},
        {"question": ASKED, value: value},
        {"question": ASKED, "filter": {"after": value}},
        {"question": ASKED, "filter": {"publishers": [value]}},
        {"question": ASKED, "filter": {"authors": [value]}},
    ]
    for body in fields:
        header = {"Content-Type": "application/json"}
        reply = brief.post("/api/ask", content=json.dumps(body), headers=header)
        assert reply.status_code in (200, 400, 404, 422), reply.text
        if reply.status_code != 200:
            told(reply)
    whole = value.encode(errors="replace").decode()
    for name in ("q", "k", "mode", "after", "before", "publisher", "author", "version"):
        reply = brief.get("/api/search", params={"q": ASKED, **{name: whole}})
        assert reply.status_code in (200, 400, 404, 422), (name, reply.text)
    assert brief.get("/api/articles/x", params={"content": whole}).status_code == 404


def test_without_an_index_each_route_says_what_to_run(tmp_path):
    with TestClient(app(Chat.open(tmp_path))) as client:
        for reply in (
            client.post("/api/ask", json={"question": "a", "stream": True}),
            client.get("/api/search?q=a"),
            client.get("/api/articles/a"),
            client.get("/healthz"),
        ):
            assert reply.status_code == 503
            assert "tanya build" in told(reply)
            assert reply.headers["retry-after"]
        assert client.get("/api").status_code == 200


def test_a_program_that_would_wait_for_too_long_is_told_when_to_come_again(chat):
    turns = Turns(LimitsSettings(waiting=1), 1)
    with TestClient(app(chat, Programs(chat, turns))) as client:
        answered, waiting = turns.join("ani"), turns.join("budi")
        for method, path, sent in [
            ("GET", "/api/search?q=banjir&mode=lexical", None),
            ("POST", "/api/ask", {"question": "banjir di Mars", "stream": True}),
        ]:
            reply = client.request(method, path, json=sent)
            assert reply.status_code == 503 and "at once" in told(reply)
            assert f"again in {reply.headers['retry-after']} seconds" in told(reply)
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/articles/nix").status_code == 404
        answered.leave()
        waiting.leave()
        assert ask(client, "banjir di Mars", stream=False)["status"]
        assert turns.load.running == turns.load.waiting == 0


def test_health_names_the_version_and_its_newest_day(client, chat):
    live = chat.index().version
    expected = {"status": "ok", "version": live.name, "newest": live.newest.isoformat()}
    assert client.get("/healthz").json() == expected


# Server-sent events ------------------------------------------------------------------------------


def events(lines):
    """Yield (event, data) of a stream, and ("", comment) for each comment."""
    name = ""
    for line in lines:
        if line.startswith(":"):
            yield "", line
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_an_answer_grows_by_events(client):
    question = "Mengapa Bandara Tanjung Bawan ditutup?"
    reply = client.post(
        "/api/ask", json={"question": question}, headers={"Accept": "text/event-stream"}
    )
    assert reply.headers["content-type"].startswith("text/event-stream")
    *drafts, (last, answer) = events(reply.text.split("\n"))
    assert last == "answer" and {name for name, _ in drafts} == {"draft"}
    counts = [len(row["claims"]) for _, row in drafts]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert {row["id"] for _, row in drafts} == {answer["id"]}
    assert lasting(answer) == lasting(ask(client, question))
    assert ask(client, "Sampai kapan?", follows=answer["id"])["status"]


def test_the_connection_is_kept_and_who_goes_away_stops_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(api, "HEARTBEAT", 0.02)
    homes.harbour(tmp_path)
    gone = threading.Event()

    def behave(visit):
        visit.head()
        # A sentence is whole when the next one begins.
        visit.words("Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat. [1] Pembangunan ")
        gone.wait(20)
        visit.words("pelabuhan itu menelan biaya Rp 120 miliar. [1] Kapal")
        while not visit.server.closing.is_set():
            visit.words(" besar")

    with LlmServer(behave) as server:
        chat = Chat(
            tmp_path, Settings(llm=LlmSettings(server.url, "uji", max_answer_tokens=100_000))
        )
        with served(app(chat)) as address:
            body = {"question": OPENING, "stream": True}
            with httpx2.stream("POST", f"{address}/api/ask", json=body, timeout=30) as reply:
                seen = []
                for name, _ in events(reply.iter_lines()):
                    seen.append(name)
                    if "draft" in seen and seen[-2:] == ["", ""]:
                        break
            gone.set()
            assert server.hung_up.wait(20)


def test_what_fails_on_the_way_is_an_event(tmp_path):
    homes.harbour(tmp_path)
    chat = Chat.open(tmp_path)
    with TestClient(app(chat)) as client:
        chat.index()
        (tmp_path / "archive.db").write_bytes(b"x" * 10_000)
        reply = client.post("/api/ask", json={"question": OPENING, "stream": True})
    ((name, problem),) = events(reply.text.split("\n"))
    assert name == "error" and set(problem) == {"error", "hint"}


# The reference -----------------------------------------------------------------------------------


def test_the_document_holds_our_routes_alone(client):
    document = client.get("/api/openapi.json").json()
    assert set(document["paths"]) == {"/api/ask", "/api/search", "/api/articles/{id}", "/healthz"}
    rows = document["components"]["schemas"]
    assert set(rows["AnswerRow"]["required"]) == AnswerRow.__required_keys__
    assert all(schema["description"] for schema in rows.values())


@pytest.mark.parametrize(
    ("name", "kind"), [("answer", AnswerRow), ("found", FoundRow), ("article", ArchivedRow)]
)
def test_examples_are_what_the_sample_answers(client, name, kind):
    example = json.loads((ROOT / "web" / "examples.json").read_text(encoding="utf-8"))[name]
    TypeAdapter(kind).validate_python(example, strict=True)
    paths = {
        "found": "/api/search?q=kerja+sama+siber&k=1",
        "article": "/api/articles/d619f7af10abe36d",
    }
    now = ask(client, ASKED) if name == "answer" else client.get(paths[name]).json()
    differing = {"id", "seconds"} if name == "answer" else {"retrieved"}
    assert {k: v for k, v in now.items() if k not in differing} == {
        k: v for k, v in example.items() if k not in differing
    }


def test_modes_are_those_of_the_settings():
    document = TypeAdapter(typing.Literal["", "hybrid", "lexical", "dense"])
    for mode in MODES:
        document.validate_python(mode)


class WholePage(homes.Page):
    VOID = (*homes.Page.VOID, "link")


def test_the_reference_is_complete_in_itself_and_escapes_what_is_sent(client):
    page = client.get("/api", headers={"Host": 'a"><script>x</script>'}).text
    WholePage(page)
    assert "<script" not in page and "/api/ask" in page and "short_answer" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    style = client.get("/api/reference.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "--ta-ink: #" in style.text and "url(" not in style.text


def test_other_sites_pages_may_not_call(client):
    reply = client.get("/healthz", headers={"Origin": "https://situs.example"})
    assert not [name for name in reply.headers if name.startswith("access-control")]


# docs/programs.md --------------------------------------------------------------------------------


def blocks(language):
    page = (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_examples_in_python_run(sample_home, tmp_path, monkeypatch, capsys):
    (tmp_path / "tanya-data").symlink_to(sample_home)
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks("python")), {"__name__": "contoh"})
    assert "12/11/2025" in capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_examples_with_curl_run(chat, tmp_path):
    (tmp_path / ".curlrc").write_text("fail\nsilent\nshow-error\n")
    with served(app(chat)) as address:
        script = "\n".join(blocks("sh")).replace("http://127.0.0.1:7860", address)
        environment = {"CURL_HOME": str(tmp_path), "PATH": Path(shutil.which("curl")).parent}
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", script], env=environment, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert "event: answer" in done.stdout and '"status":"ok"' in done.stdout


def test_configurations_of_clients_are_json():
    for block in blocks("json"):
        assert json.loads(block)
