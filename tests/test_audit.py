"""The audit log: who asked and did what, when; no secret in it, and nobody waits for it."""

import json
import logging
import stat
import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from index.settings import LogSettings
from qa.chat import Chat
from tests import homes
from web import api, audit, monitoring
from web.audit import FILE_NAME, Audit
from web.programs import Programs
from web.requests import note
from web.who import Who, remember

OPENED = "Siapa yang meresmikan Pelabuhan Batu Layar?"


class Signed:
    """A middleware that knows everybody as one user, behind a proxy."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            remember(HTTPConnection(scope), Who("sari", "editor", "203.0.113.9"))
        await self._app(scope, receive, send)


def lines(home):
    return (home / FILE_NAME).read_text().splitlines()


def kept(home):
    return list(audit.rows(home))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return homes.harbour(tmp_path_factory.mktemp("arsip"))


# What stands in it -------------------------------------------------------------------------------


def test_a_question_is_kept_with_who_asked_it_and_what_was_cited(home):
    made, programs = FastAPI(), Programs(Chat.open(home))
    made.add_middleware(Signed)
    log = monitoring.add(made, programs.chat, programs.turns.queue)
    made.include_router(api.router(programs))

    @made.post("/masuk")
    def entered():
        note("login")

    client = TestClient(made)
    headers = {"X-Request-Id": "uji-1", "Cookie": "a=rahasia", "Authorization": "Basic rahasia"}
    answer = client.post("/api/ask?token=rahasia", json={"question": OPENED}, headers=headers)
    client.post("/masuk", headers=headers)
    log.close()
    question, login = kept(home)
    assert {name: question.pop(name) for name in ("event", "name", "address", "request_id")} == {
        "event": "question",
        "name": "sari",
        "address": "203.0.113.9",
        "request_id": "uji-1",
    }
    row = answer.json()
    assert question["question"] == OPENED and question["version"] == row["version"]
    assert (question["status"], question["door"]) == ("answered", "api")
    assert question["cited"] == [c["article_id"] for c in row["citations"]][:1]
    assert 0 < question["seconds"] < 60
    assert (login["event"], login["name"]) == ("login", "sari")
    assert stat.S_IMODE((home / FILE_NAME).stat().st_mode) == 0o600
    assert "rahasia" not in (home / FILE_NAME).read_text()


def test_what_commands_do_is_kept(tmp_path):
    homes.harbour(tmp_path)
    homes.add(tmp_path, homes.REPRINT)
    for command in (["build"], ["build"], ["rollback"], ["prune", "--keep", "1"]):
        assert homes.tanya(tmp_path, *command) == 0
    assert [(row["event"], row.get("version")) for row in kept(tmp_path)] == [
        ("build", "000002"),
        ("rollback", "000001"),
        ("prune", None),
    ]
    assert all(row["door"] == "command" for row in kept(tmp_path))


def test_turned_off_nothing_is_kept(tmp_path):
    log = Audit(tmp_path, LogSettings(audit=False))
    log.note("question", question="?")
    log.close()
    audit.command(tmp_path, LogSettings(audit=False), "build")
    assert not list(tmp_path.iterdir())


def test_a_command_makes_no_home(tmp_path):
    audit.command(tmp_path / "belum", LogSettings(), "build")
    assert not list(tmp_path.iterdir())


# How it is written -------------------------------------------------------------------------------


def test_many_threads_lose_and_mix_nothing(tmp_path):
    log = Audit(tmp_path, LogSettings())
    forged = '"}\n{"time": "2026-05-03T08:00:00Z", "event": "palsu"}'

    def work(number):
        for step in range(200):
            log.note("question", question=forged, number=number, step=step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    rows = kept(tmp_path)
    assert len(lines(tmp_path)) == len(rows) == 1600 and log.lost == 0
    assert {(row["number"], row["step"]) for row in rows} == {
        (number, step) for number in range(8) for step in range(200)
    }
    assert {row["question"] for row in rows} == {forged}


def test_full_files_are_put_aside_and_the_oldest_go(tmp_path):
    settings = LogSettings(audit_megabytes=1, audit_keep=2)
    row = [audit.line_of("question", {"number": 0, "question": 1900 * "x"})] * 270
    for number in range(9):
        audit.append(tmp_path, settings, [line.replace(": 0", f": {number}") for line in row])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [FILE_NAME, f"{FILE_NAME}.1", f"{FILE_NAME}.2"]
    assert all(path.stat().st_size < 1_600_000 for path in tmp_path.iterdir())
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    numbers = [row["number"] for row in kept(tmp_path)]
    assert numbers == sorted(numbers) and {numbers[0], numbers[-1]} == {4, 8}


def test_a_torn_line_takes_no_other_with_it(tmp_path):
    audit.append(tmp_path, LogSettings(), [audit.line_of("satu", {})])
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes() + b'{"time": "2026-05-03T08:00:00Z", "ev')
    assert [row["event"] for row in kept(tmp_path)] == ["satu"]
    audit.append(tmp_path, LogSettings(), [audit.line_of("dua", {})])
    path.write_bytes(
        path.read_bytes() + b'\xff\x00[1]\n7\n{"time": 3}\n{"event": "x"}\n' + b"[" * 9999
    )
    assert [row["event"] for row in kept(tmp_path)] == ["satu", "dua"]


def test_where_it_cannot_be_written_answers_come_and_it_is_told_once(home, tmp_path, caplog):
    (tmp_path / FILE_NAME).mkdir()
    log = Audit(tmp_path, LogSettings())
    with caplog.at_level(logging.ERROR, "tanya.audit"):
        for number in range(3):
            log.note("question", number=number)
            log.close()
    assert log.lost == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    (tmp_path / FILE_NAME).rmdir()
    log.note("question", number=4)
    log.close()
    assert [row["number"] for row in kept(tmp_path)] == [4] and log.lost == 3


def test_a_long_question_is_cut(tmp_path):
    line = audit.line_of("question", {"question": "é" * 100_000})
    assert len(json.loads(line)["question"]) == 2_000


# Reading it --------------------------------------------------------------------------------------


def test_the_command_shows_it_by_user_and_day(tmp_path):
    told = [
        ("2026-05-01T08:00:00.000Z", "sari", "Siapa\n\x1b[31m?"),
        ("2026-05-02T08:00:00.000Z", "budi", "Kapan?"),
        ("2026-05-03T08:00:00.000Z", "sari", "Di mana?"),
    ]
    rows = [
        {"time": time, "event": "question", "name": name, "question": asked}
        for time, name, asked in told
    ]
    audit.append(tmp_path, LogSettings(), [json.dumps(row) for row in rows])
    shown = homes.tell(tmp_path, "log").stdout.splitlines()
    assert len(shown) == 3 and all(line.isprintable() for line in shown)
    assert shown[1] == "2026-05-02T08:00:00.000Z question budi question=Kapan?"
    assert len(homes.tell(tmp_path, "log", "--user", "sari").stdout.splitlines()) == 2
    newer = homes.tell(tmp_path, "log", "--since", "2026-05-02", "--json").stdout.splitlines()
    assert [json.loads(line) for line in newer] == rows[1:]
    wrong = homes.tell(tmp_path, "log", "--since", "kemarin")
    assert wrong.returncode == 2 and "--since" in wrong.stderr and "kemarin" in wrong.stderr
    assert homes.tell(tmp_path / "belum", "log").returncode == 0
