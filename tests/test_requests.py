"""The log: an id through all that a request is worked on by, and no line but one's own."""

import json
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

import app as browser
from index import logs
from index.errors import ArchiveError
from index.settings import LogSettings
from page import html
from qa.chat import Chat
from qa.history import History
from tests import homes
from tests.asking import taken
from web import api, monitoring
from web.answering import Answering
from web.audit import Audit
from web.health import Examiner
from web.metrics import Metrics
from web.programs import Programs
from web.requests import Served, context_of, following
from web.server import explain_errors
from web.turns import Turns

OPENED = "Siapa yang meresmikan Pelabuhan Batu Layar?"
FORGED = "\n2026-05-03T08:00:00.000Z error tanya [x] palsu\r\x1b[31m\u202e\u2028\x85\x7f"


class Log(logging.Handler):
    """Keeps what is logged, as it would be written."""

    def __init__(self, formatter):
        super().__init__()
        self.setFormatter(formatter)
        self.written = []

    def emit(self, record):
        self.written.append(self.format(record))

    def events(self):
        return [json.loads(line) for line in self.written]


@pytest.fixture
def log():
    """Return what our own loggers say meanwhile, as JSON."""
    ours = logging.getLogger("tanya")
    kept = Log(logs.Json())
    level = ours.level
    ours.addHandler(kept)
    ours.setLevel(logging.DEBUG)
    yield kept
    ours.removeHandler(kept)
    ours.setLevel(level)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    return Chat.open(homes.harbour(tmp_path_factory.mktemp("arsip")))


@pytest.fixture(scope="module")
def client(chat):
    """Return a client of the API, its requests seen as those of `tanya serve` are."""
    made, programs = FastAPI(openapi_url=None), Programs(chat)
    audit = monitoring.add(made, chat, programs.turns.queue)
    made.include_router(api.router(programs))
    with TestClient(made) as client:
        yield client
    audit.close()


def record(message, error=None, **found):
    told = (type(error), error, None) if error else None
    made = logging.LogRecord("tanya.uji", logging.ERROR, "x", 1, "%s", (message,), told)
    made.facts = found
    return made


# One event, one line -----------------------------------------------------------------------------


@given(st.text() | st.just(FORGED), st.text() | st.just(FORGED))
def test_an_event_is_one_line_whatever_stands_in_it(message, value):
    line = logs.Lines().format(record(message, path=value))
    assert line.isprintable()
    written = logs.Json().format(record(message, path=value))
    assert written.isascii() and written.isprintable()
    event = json.loads(written)
    assert event.get("message", "") == message
    assert event.get("path", "") == value


def test_what_an_error_says_forges_no_line():
    line = logs.Lines().format(record("gagal", ValueError(f"a{FORGED}")))
    head, *trace = line.splitlines()
    assert "gagal" in head and any("palsu" in each for each in trace)
    assert all(each.startswith("  | ") and each.isprintable() for each in trace)
    assert len(logs.Json().format(record("gagal", ValueError(FORGED))).splitlines()) == 1


def test_values_in_a_line_cannot_look_like_others():
    line = logs.Lines().format(record("x", path="/a status=200", seconds=0.12345))
    assert line.endswith(' x path="/a status=200" seconds=0.123')


@pytest.mark.parametrize(("form", "begins"), [("json", "{"), ("lines", "2")])
def test_the_log_is_written_as_the_settings_say(form, begins, capsys, monkeypatch):
    root, ours = logging.getLogger(), logging.getLogger("tanya")
    before, level = root.handlers[:], ours.level
    try:
        logs.configure(LogSettings(format=form, level="warning"), {})
        ours.info("tidak")
        logging.getLogger("tanya.uji").warning("ya")
        logs.configure(LogSettings(format=form), {logs.DEBUG: "1"})
        ours.debug("semua")
        told = capsys.readouterr().err.splitlines()
    finally:
        root.handlers[:] = before
        ours.setLevel(level)
        logging.captureWarnings(False)
    assert [line[0] for line in told] == [begins, begins]
    assert "ya" in told[0] and "semua" in told[1]


# Ids ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["a", "uji-42", "0af7651916cd43dd8448eb211c80319c", "A.b_c-9"])
def test_a_plain_id_of_a_proxy_is_taken(client, log, given):
    reply = client.get("/healthz", headers={"X-Request-Id": given})
    assert reply.headers.get_list("x-request-id") == [given]
    assert {event["request_id"] for event in log.events()} == {given}


@pytest.mark.parametrize(
    "given", ["", "a b", "-a", "a" * 65, "a\x1b[31m", "é", "{}", '"', "a,b", "../x"]
)
def test_any_other_id_is_replaced(client, log, given):
    reply = client.get("/healthz", headers={"X-Request-Id": given.encode()})
    made = reply.headers["x-request-id"]
    assert made.isalnum() and made != given
    assert {event["request_id"] for event in log.events()} == {made}


def test_two_ids_are_none(client):
    two = [("X-Request-Id", "satu"), ("X-Request-Id", "dua")]
    assert client.get("/healthz", headers=two).headers["x-request-id"] not in ("satu", "dua")


@pytest.mark.parametrize("stream", [False, True])
def test_all_stages_of_a_programs_question_are_logged_under_its_id(client, log, stream):
    body = {"question": OPENED, "stream": stream}
    reply = client.post("/api/ask", json=body, headers={"X-Request-Id": "uji-1"})
    assert reply.status_code == 200
    events = log.events()
    assert {event["request_id"] for event in events} == {"uji-1"}
    said = " ".join(event["message"] for event in events)
    for stage in ("understand", "search", "read", "write"):
        assert f"{stage} took" in said
    (over,) = [event for event in events if event["logger"] == "tanya.questions"]
    assert over["status"] == "answered" and over["door"] == "api"
    assert 0 < over["search"] + over["read"] <= over["seconds"]
    assert events[-1]["message"] == "POST /api/ask" and events[-1]["status"] == 200


def test_a_question_of_the_page_is_logged_under_its_id_from_tasks_of_others(chat, log):
    """Gradio's queue, which asks for each step, has a context of its own."""
    answering = Answering(chat, History(None))
    audit = Audit(chat.home, LogSettings(audit=False))
    metrics = Metrics(Examiner(chat, answering.turns.queue).examine, lambda: 0)
    connection = HTTPConnection({"type": "http", "headers": []})
    connection.scope["tanya.request"] = Served("uji-2", connection, metrics, audit)
    asked = browser.answered(answering, {"text": OPENED}, "ani")
    steps = following(context_of(connection), asked)
    logs.request_id.set("lain")
    last = taken(steps)[-1]
    assert "Rahmat" in last and 'aria-busy="false"' in last
    assert {event.get("request_id") for event in log.events()} == {"uji-2"}
    assert "read took" in " ".join(log.written)
    assert b'tanya_questions_total{door="page",status="answered"} 1.0' in metrics.text("")[0]


# Secrets -----------------------------------------------------------------------------------------


def test_nothing_secret_and_no_question_is_logged(client, log):
    headers = {
        "Cookie": "tanya_visitor=kue-rahasia",
        "Authorization": "Basic sandi-rahasia",
        "X-Api-Key": "kunci-rahasia",
    }
    client.get("/api/search?q=pelabuhan+rahasia&token=token-rahasia", headers=headers)
    client.post("/api/ask", json={"question": f"{OPENED} rahasia"}, headers=headers)
    assert len(log.written) > 3
    assert "rahasia" not in " ".join(log.written)


@pytest.mark.parametrize(
    "path", ["/a%0Ab", "/%E2%80%AE", "/%00", "/a%20status=200", "/" + 900 * "a"]
)
def test_a_path_forges_nothing(client, log, path):
    client.get(path)
    (event,) = log.events()
    assert event["status"] == 404
    assert event["message"].isprintable() and len(event["message"]) < 220


def test_what_a_page_asks_for_by_itself_is_only_logged_in_detail(client, log):
    logging.getLogger("tanya").setLevel(logging.INFO)
    client.get("/healthz")
    client.get("/metrics")
    assert not log.written
    client.get("/api")
    client.get("/metrics/tidak-ada")
    assert len(log.written) == 2


# What a person is told ---------------------------------------------------------------------------


def test_an_error_is_told_with_the_code_that_it_is_logged_under(tmp_path, log):
    asked = browser.answered(Answering(Chat.open(tmp_path), History(None)), {"text": "Apa?"}, "ani")
    logs.request_id.set("uji-3")
    *_, shown = taken(asked)
    assert "Kode: uji-3." in shown
    assert "Kode" not in html.error_html("Apa?", "c", 1, RuntimeError("x"))
    assert log.events()[0]["request_id"] == "uji-3"


def test_a_fault_of_ours_is_told_in_words_with_its_code(chat, log):
    made = FastAPI()
    monitoring.add(made, chat, Turns(chat.settings.limits).queue)
    explain_errors(made)

    @made.get("/rusak")
    def broken(kind: str):
        raise {"kita": RuntimeError, "arsip": ArchiveError}[kind]("rahasia")

    client = TestClient(made, raise_server_exceptions=False)
    for kind, status in (("kita", 500), ("arsip", 503)):
        reply = client.get(f"/rusak?kind={kind}", headers={"X-Request-Id": "uji-4"})
        assert reply.status_code == status
        assert reply.headers.get_list("x-request-id") == ["uji-4"]
        assert status == 503 or reply.headers["x-frame-options"] == "DENY"
        assert reply.json()["detail"].endswith("Kode: uji-4.") and "rahasia" not in reply.text
        over = log.events()[-1]
        assert (over["status"], over["level"]) == (status, "warning")
