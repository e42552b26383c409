"""A server that is told to stop: what is being answered ends in order, and nothing is cut off."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import app
from index.settings import LlmSettings, Settings
from page import texts
from qa.chat import Chat
from qa.history import History
from tests import homes
from tests.asking import Site, taken
from tests.llm_server import LlmServer
from web.answering import Answering
from web.stopping import OpenRequests
from web.work import Task, Worker

ROOT = Path(__file__).parents[1]
OPENING = "Siapa yang meresmikan Pelabuhan Batu Layar?"
FIRST = "Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat. [1] Pembangunan "


@pytest.fixture
def home(tmp_path):
    return homes.harbour(tmp_path)


@pytest.fixture
def trickle():
    """Serve a language model that says one sentence, and begins another one."""

    def behave(visit):
        visit.head()
        visit.words(FIRST)
        visit.wait()

    with LlmServer(behave) as server:
        yield server


@contextlib.contextmanager
def started(home):
    """Serve a home in a process; yield it and its address. It must be gone at the end."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "app.py"), "--port", "0"],
        cwd=home,
        env={**os.environ, "TANYA_HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            yield process, line[line.index("http://") :].strip()
        finally:
            process.kill()


def ended_in_order(process):
    """Check that a process ends by itself, and complains of nothing."""
    assert process.wait(30) == 0
    complaints = process.stderr.read()
    assert "Traceback" not in complaints and "was destroyed" not in complaints, complaints
    assert "running task" not in complaints, complaints


def test_twelve_answers_that_are_being_written_are_told_so_and_kept_as_unfinished(home, trickle):
    told = f'[llm]\nbase_url = "{trickle.url}"\nmodel = "uji"\ntimeout = 60.0\n'
    (home / "tanya.toml").write_text(told)
    with started(home) as (process, address):
        site = Site(address)
        written = threading.Semaphore(0)
        last = {}

        def ask(number):
            begun = False
            for shown in site.turns(f"orang{number}", {"text": OPENING}):
                last[number] = shown
                if not begun and "Rahmat Hidayat" in shown:
                    begun = True
                    written.release()

        people = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for person in people:
            person.start()
        for _ in people:
            assert written.acquire(timeout=60)
        host, port = site.host.split(":")
        with (
            socket.create_connection((host, int(port))) as idle,
            socket.create_connection((host, int(port))) as upload,
        ):
            head = f"Host: {site.host}\r\nContent-Type: application/json\r\n"
            upload.sendall(f"POST /api/ask HTTP/1.1\r\n{head}Content-Length: 90\r\n\r\n".encode())
            process.send_signal(signal.SIGTERM)
            ended_in_order(process)
            assert not idle.recv(1)
            assert b"503" in upload.recv(100)
        for person in people:
            person.join()
        assert all(texts.STOPPING in shown for shown in last.values())
    kept = list(History.of(home).all_turns())
    assert [(each.turn, each.reason) for each in kept] == [(None, "stopped")] * 12


def test_a_second_signal_ends_it_at_once(home, trickle):
    told = f'[llm]\nbase_url = "{trickle.url}"\nmodel = "uji"\ntimeout = 60.0\n'
    (home / "tanya.toml").write_text(told)
    with started(home) as (process, address):
        steps = Site(address).turns("ani", {"text": OPENING})
        assert any("Rahmat Hidayat" in shown for shown in steps)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (130, 143)


# Its parts ---------------------------------------------------------------------------------------


def test_what_is_answered_in_time_is_finished_and_what_waits_is_told(home, trickle):
    settings = Settings(llm=LlmSettings(trickle.url, "uji", timeout=60.0))
    answering = Answering(Chat(home, settings), History(None))

    async def run():
        steps = app.answered(answering, {"text": OPENING}, "ani")
        while "Rahmat Hidayat" not in await anext(steps):
            pass
        stopped = asyncio.create_task(asyncio.to_thread(answering.stop, 0))
        rest = [step async for step in steps]
        return await stopped, rest

    ended, rest = asyncio.run(run())
    [refused] = taken(app.answered(answering, {"text": OPENING}, "budi"))
    assert not ended
    assert texts.STOPPING in rest[-1] and texts.STOPPING in refused
    assert not answering.running()
    [talk] = answering.history.conversations("ani")
    [kept] = answering.history.turns("ani", talk.id)
    assert (kept.turn, kept.reason) == (None, "stopped")


def test_reading_ends_at_the_next_passage(home):
    chat = Chat.open(home)
    steps = Answering(chat, History(None))
    assert steps.stop(0)
    [step] = taken(app.answered(steps, {"text": OPENING}, "ani"))
    assert texts.STOPPING in step
    assert chat.ask_aside(OPENING, 1.0) is None


def test_work_on_the_archive_ends_with_the_server(home, caplog):
    worker = Worker()
    state = worker.start(Task(home))
    worker.stop()
    while (state := worker.state).running:
        threading.Event().wait(0.01)
    assert "stopped" in str(state.error) or state.version
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert homes.tanya(home, "build") == 0


def test_requests_that_are_open_are_waited_for_and_then_ended():
    requests = OpenRequests()
    requests.end(0)
    ended = []

    async def run():
        async def request():
            requests.add(asyncio.current_task())
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.append(requests.ending)

        task = asyncio.create_task(request())
        await asyncio.sleep(0)
        await asyncio.to_thread(requests.end, 0)
        await task

    asyncio.run(run())
    assert ended == [True]


def test_a_page_that_is_opened_again_says_why_there_is_no_answer():
    from page import html

    for reason, words in texts.REASONS.items():
        shown = html.interrupted_html("Apa?", "c", 1, reason)
        assert words in shown and re.search(r'data-ask="[^"]*Apa\?', shown)
