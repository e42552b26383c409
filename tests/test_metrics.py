"""What monitors ask for: /readyz and /metrics, the alarm of old news, the rules for alerts."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from index.errors import BusyError
from index.manifest import stale_days
from page import texts
from qa.chat import Chat
from tests import homes
from tests.operating import Served as Operating
from web import api, health, monitoring, status
from web.asked import observed, refused
from web.health import Queue
from web.programs import Programs

ROOT = Path(__file__).parents[1]
OPENED = "Siapa yang meresmikan Pelabuhan Batu Layar?"
NONE = Queue(0, 0)


def monitored(chat, queue=lambda: NONE):
    """Return a client of the API of a chat, monitored."""
    made = FastAPI(openapi_url=None)
    monitoring.add(made, chat, queue)
    made.include_router(api.router(Programs(chat)))
    return TestClient(made)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = homes.harbour(tmp_path_factory.mktemp("arsip"))
    (folder / "tanya.toml").write_text("[log]\naudit = false\n")
    return folder


@pytest.fixture(scope="module")
def client(home):
    """Return a client after a question that is answered, and one that is not."""
    with monitored(Chat.open(home)) as client:
        for question in (OPENED, "Kapan gunung es di Mars meletus?"):
            assert client.post("/api/ask", json={"question": question}).status_code == 200
        yield client


def scraped(client):
    """Return the values of a scrape by name and labels."""
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def questions(values, status, door="api"):
    return values["tanya_questions_total", ("door", door), ("status", status)]


# Metrics -----------------------------------------------------------------------------------------


def test_questions_are_counted_by_how_they_ended_and_timed_by_stage(client):
    values = scraped(client)
    assert questions(values, "answered") == 1
    assert questions(values, "no_evidence") + questions(values, "unsupported") == 1
    assert values["tanya_question_seconds_count",] == 2
    assert values["tanya_first_words_seconds_count",] == 1
    assert values["tanya_claims_total",] >= 1
    whole = values["tanya_question_seconds_sum",]
    stages = [
        values["tanya_stage_seconds_sum", ("stage", stage)]
        for stage in ("understand", "search", "read", "write")
    ]
    assert all(seconds > 0 for seconds in stages) and sum(stages) <= whole


def test_what_fails_is_busy_or_is_given_up_is_counted_too(home):
    def turns(error=None):
        yield next(iter(Chat.open(home).stream("Halo")))
        if error:
            raise error

    made = FastAPI()
    monitoring.add(made, Chat.open(home), lambda: NONE)

    @made.get("/tanya")
    def ask(how: str):
        match how:
            case "busy":
                refused("page")
            case "given up":
                next(steps := observed(turns(), "page", "?"))
                steps.close()
            case "halo":
                list(observed(turns(), "page", "?"))
            case "full" | "error":
                error = BusyError("Sibuk.") if how == "full" else RuntimeError()
                with pytest.raises(type(error)):
                    list(observed(turns(error), "page", "?"))

    client = TestClient(made)
    for how in ("busy", "full", "error", "given up", "halo"):
        assert client.get("/tanya", params={"how": how}).status_code == 200
    values = scraped(client)
    counts = {s: questions(values, s, "page") for s in ("busy", "failed", "stopped", "small_talk")}
    assert counts == {"busy": 2, "failed": 1, "stopped": 1, "small_talk": 1}
    assert values["tanya_question_seconds_count",] == 0


def test_labels_are_bounded_whatever_is_asked_for(client):
    before = set(scraped(client))
    for number in range(20):
        client.get(f"/tidak/{number}")
        client.get(f"/api/articles/{number}")
        client.request(f"ANEH{number}", "/healthz")
    new = set(scraped(client)) - before
    counted = {dict(labels)["route"] for name, *labels in new if name.endswith("requests_total")}
    assert counted <= {"none", "/api/articles/{id:path}", "/healthz", "/metrics"}
    assert {dict(labels).get("method", "GET") for _, *labels in new} <= {"GET", "other"}
    assert len(new) < 12


def test_the_state_of_the_archive_is_read_at_each_scrape(client, home):
    values = scraped(client)
    live = Chat.open(home).index().version
    assert values["tanya_index_version",] == int(live.name) == 1
    assert values["tanya_index_articles",] == live.articles
    assert values["tanya_versions",] == 1 and values["tanya_articles_waiting",] == 0
    newest = dt.datetime.combine(live.newest, dt.time(), dt.UTC)
    age = (dt.datetime.now(dt.UTC) - newest).total_seconds()
    assert values["tanya_index_newest_age_seconds",] == pytest.approx(age, abs=60)
    assert values["tanya_disk_free_bytes",] > 0
    assert values["process_resident_memory_bytes",] > 1e6
    assert values["process_cpu_seconds_total",] > 0


def test_two_servers_count_apart(client, home):
    other = scraped(monitored(Chat.open(home)))
    assert questions(other, "answered") == 0
    assert questions(scraped(client), "answered") == 1


def test_each_alert_watches_what_there_is_and_is_explained(client):
    rules = (ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8")
    names = {name for name, *_ in scraped(client)}
    watched = set(re.findall(r"\b(?:tanya|process)_\w+", rules))
    assert len(watched) > 8 and watched <= names
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert len(alerts) == len(set(alerts)) == rules.count("expr:") == rules.count("summary:")
    explained = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in alerts if f"`{name}`" not in explained] == []
    told = set(re.findall(r"`((?:tanya|process)_\w+)", explained))
    families = {re.sub("_(bucket|count|sum|created)$", "", name) for name in names}
    assert told <= names | families


# Readiness ---------------------------------------------------------------------------------------


def checks(client, status):
    reply = client.get("/readyz")
    assert reply.status_code == status, reply.text
    assert reply.json()["ready"] == (status == 200)
    return {name: check["status"] for name, check in reply.json()["checks"].items()}


def test_it_is_ready_once_a_question_could_be_answered(client):
    assert set(checks(client, 200).values()) == {"ok"}


def test_without_an_index_it_is_not_ready_and_says_what_to_run(tmp_path):
    client = monitored(Chat.open(tmp_path))
    assert checks(client, 503)["index"] == "failed"
    assert "tanya build" in client.get("/readyz").json()["checks"]["index"]["detail"]
    assert scraped(client)["tanya_ready",] == 0
    assert ("tanya_index_version",) not in scraped(client)


def test_damaged_or_unreadable_it_is_not_ready(tmp_path):
    client = monitored(Chat.open(homes.harbour(tmp_path)))
    (tmp_path / "versions" / "000001" / "manifest.json").write_text("{")
    (tmp_path / "versions" / "LIVE").write_text("?")
    (tmp_path / "archive.db").write_bytes(b"bukan basis data" * 100)
    found = checks(client, 503)
    assert (found["index"], found["archive"]) == ("failed", "failed")
    assert str(tmp_path) not in client.get("/readyz").text
    assert scraped(client)["tanya_ready",] == 0


def test_with_a_full_queue_it_is_not_ready(home):
    found = checks(monitored(Chat.open(home), lambda: Queue(8, 40, full=True)), 503)
    assert [name for name, status in found.items() if status == "failed"] == ["queue"]


@pytest.mark.parametrize(
    ("free", "writable", "status"),
    [(10**10, True, "ok"), (10**8, True, "warning"), (10**6, True, "failed"), (0, False, "ok")],
)
def test_a_disk_needs_room_where_it_is_written_to(free, writable, status):
    assert health.room(free, writable=writable).status == status


# Old news ----------------------------------------------------------------------------------------


def version(home, newest, built):
    found = Chat.open(home).index().version
    return replace(found, newest=newest, built=dt.datetime.fromisoformat(built))


@pytest.mark.parametrize(
    ("newest", "built", "after", "days"),
    [
        (dt.date(2026, 4, 1), "2026-05-02T08:00+00:00", 7, 32),
        (dt.date(2026, 4, 26), "2026-05-02T08:00+00:00", 7, 0),
        (dt.date(2026, 4, 25), "2026-05-02T08:00+00:00", 7, 8),
        (dt.date(1998, 5, 21), "2026-05-02T08:00+00:00", 0, 0),
        (dt.date(2062, 1, 1), "2026-04-01T08:00+00:00", 7, 32),
        (None, "2026-04-01T08:00+00:00", 7, 32),
    ],
)
def test_news_are_old_by_the_newest_article_or_the_build(home, newest, built, after, days):
    now = dt.datetime(2026, 5, 3, 8, tzinfo=dt.UTC)
    assert stale_days(version(home, newest, built), after, now) == days


def test_the_alarm_is_in_the_chat_for_the_operator_and_monitors(tmp_path):
    homes.harbour(tmp_path)
    alarm = texts.STALE.split("{}")[1]
    for settings, told in (("", False), ("[chat]\nstale_after = 7\n", True)):
        (tmp_path / "tanya.toml").write_text(settings)
        chat = Chat.open(tmp_path)
        operating = Operating(tmp_path)
        assert (alarm in operating.page()) == told
        client = monitored(chat)
        client.app.include_router(status.router(chat))
        assert (alarm in client.get("/page/status").json()["line"]) == told
        assert scraped(client)["tanya_index_stale",] == told
        assert client.get("/readyz").json()["checks"]["news"]["status"] == (
            "warning" if told else "ok"
        )
