"""The queue before the reader: fair, bounded, and never held by who waits for somebody else."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app
from index.errors import BusyError, StoppingError
from index.settings import LimitsSettings, LlmSettings, Settings
from page import texts
from qa import llm
from qa.chat import Chat
from qa.history import History
from tests import homes
from tests.asking import taken
from tests.llm_server import LlmServer, says
from tests.loopback import served
from web.answering import Answering, Request
from web.health import Check, Examiner
from web.programs import Programs
from web.turns import Turns

OPENING = "Siapa yang meresmikan Pelabuhan Batu Layar?"


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def turns(at_once=1, waiting=100, patience=1000.0, clock=None):
    return Turns(LimitsSettings(waiting, patience), at_once, clock or Clock())


def finished(places):
    """Let one question after the other be answered; return the places in that order."""
    order, left = [], list(places)
    while left:
        [place] = [place for place in left if place.begun.done()]
        left.remove(place)
        order.append(place)
        place.leave()
    return order


# Whose turn it is --------------------------------------------------------------------------------


def test_one_with_many_questions_does_not_hold_up_one_with_one():
    queue = turns()
    many = [queue.join("ani") for _ in range(20)]
    one = queue.join("budi")
    assert one.ahead == 1
    assert finished([*many, one]) == [many[0], many[1], one, *many[2:]]


@settings(max_examples=40)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=25), st.integers(0, 20))
def test_so_many_are_answered_before_as_were_said_to_be(owners, left):
    queue = turns()
    places = [queue.join(owner) for owner in owners]
    if left < len(places):
        places.pop(left).leave()
    told = {place: place.ahead for place in places}
    order = finished(places)
    assert [told[place] for place in order] == [0, *range(len(order) - 1)][: len(order)]
    assert queue.load.waiting == queue.load.running == 0


def test_as_many_as_there_are_places_are_answered_at_once():
    queue = turns(at_once=2)
    places = [queue.join(name) for name in "abc"]
    assert [place.begun.done() for place in places] == [True, True, False]
    assert (queue.load.running, queue.load.waiting) == (2, 1)
    places[1].leave()
    assert places[2].begun.done()


# Too much ----------------------------------------------------------------------------------------


def test_who_fills_the_queue_makes_room_and_others_are_sent_away():
    queue = turns(waiting=3)
    first, *many = [queue.join("ani") for _ in range(4)]
    with pytest.raises(BusyError) as busy:
        queue.join("ani")
    assert busy.value.retry >= 1
    other = queue.join("budi")
    with pytest.raises(BusyError):
        many[-1].begun.result(0)
    assert finished([first, *many[:-1], other]) == [first, many[0], other, many[1]]
    assert queue.load.refused == 2


def test_what_would_come_too_late_is_not_begun():
    clock = Clock()
    queue = turns(patience=30.0, clock=clock)
    for _ in range(100):
        place = queue.join("ani")
        clock.now += 10
        place.leave()
    assert queue.load.seconds == pytest.approx(10, rel=0.01)
    held, *others = [queue.join(name) for name in "abc"]
    with pytest.raises(BusyError, match=r"again in 10 seconds") as busy:
        queue.join("d")
    assert busy.value.retry == 10
    # It takes longer than anybody thought, so that the others wait in vain.
    clock.now += 31
    held.leave()
    for place in others:
        with pytest.raises(BusyError):
            place.begun.result(0)
    assert queue.load.running == 0
    assert queue.join("e").begun.done()


def test_a_queue_that_stands_is_kept_short():
    clock = Clock()
    queue = turns(patience=10.0, clock=clock)
    running, *burst = [queue.join(f"a{n}") for n in range(8)]
    # For as long as it is borne there is always somebody who waits, whoever is answered.
    for n in range(10):
        clock.now += 1
        running.leave()
        running, *burst = [*burst, queue.join(f"b{n}")]
    clock.now += 1
    assert queue.load.waiting == 7
    with pytest.raises(BusyError):
        queue.join("c")
    for place in (running, *burst):
        place.leave()
    running, *burst = [queue.join(f"d{n}") for n in range(8)]
    assert queue.load.waiting == 7


def test_who_waits_elsewhere_lets_others_be_answered_and_comes_back_first():
    queue = turns()
    slow, second, third = (queue.join(name) for name in "abc")
    answer = threading.Event()

    def wait_elsewhere():
        with slow.away():
            answer.wait(20)

    elsewhere = threading.Thread(target=wait_elsewhere)
    elsewhere.start()
    second.begun.result(20)
    assert (queue.load.running, queue.load.away, third.ahead) == (1, 1, 0)
    answer.set()
    while not third.ahead:
        threading.Event().wait(0.01)
    second.leave()
    elsewhere.join(20)
    assert (queue.load.running, queue.load.away) == (1, 0) and not third.begun.done()
    slow.leave()
    assert third.begun.done()


def test_a_queue_that_stops_sends_those_away_who_wait():
    queue = turns()
    answered, waiting = queue.join("a"), queue.join("b")
    queue.stop()
    with pytest.raises(StoppingError):
        waiting.begun.result(0)
    with pytest.raises(StoppingError):
        queue.join("c")
    assert answered.begun.done() and not queue.wait_until_left(0)
    answered.leave()
    assert queue.wait_until_left(0)


# One queue for all -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return homes.harbour(tmp_path_factory.mktemp("harbour"))


async def shown(answering, question, owner="ani"):
    return [step async for step in app.answered(answering, {"text": question}, owner)]


def test_a_page_that_waits_is_told_its_place_and_then_answered(home):
    queue = Turns(LimitsSettings(), 1)
    answering = Answering(Chat.open(home), History(None), turns=queue)
    places = [queue.join("program"), queue.join("program")]

    async def run():
        steps = app.answered(answering, {"text": OPENING}, "ani")
        first = await anext(steps)
        for place in places:
            place.leave()
        return [first, *[step async for step in steps]]

    steps = asyncio.run(run())
    assert texts.waiting_words(1) in steps[0] and "Ada 1 pertanyaan" in steps[0]
    assert "Rahmat Hidayat" in steps[-1] and queue.load.running == 0


def test_a_page_that_cannot_be_answered_in_time_is_told_so_at_once(home):
    queue = Turns(LimitsSettings(waiting=1), 1)
    answering = Answering(Chat.open(home), History(None), turns=queue)
    places = [queue.join("a"), queue.join("b")]
    [step] = taken(app.answered(answering, {"text": OPENING}, "ani"))
    assert "Sedang sibuk; coba lagi dalam 1 detik." in step and "data-restore" in step
    assert not answering.history.conversations("ani")
    for place in places:
        place.leave()


def test_a_program_that_has_gone_is_not_waited_for(home):
    from fastapi import FastAPI

    from web import api

    queue = Turns(LimitsSettings(), 1)
    made = FastAPI()
    made.include_router(api.router(Programs(Chat.open(home), queue)))
    place = queue.join("ani")
    body = b'{"question": "Siapa?"}'
    head = f"Host: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with served(made) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"POST /api/ask HTTP/1.1\r\n{head}".encode() + body)
            while not queue.load.waiting:
                threading.Event().wait(0.01)
        while queue.load.waiting:
            threading.Event().wait(0.01)
        place.leave()


def test_who_goes_away_before_a_thread_is_free_leaves_no_place_behind(home):
    queue = Turns(LimitsSettings(), 1)
    answering = Answering(Chat.open(home), History(None), turns=queue)

    async def run():
        free = threading.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        held = loop.run_in_executor(None, free.wait)
        asking = asyncio.create_task(anext(answering.ask("ani", Request(OPENING))))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        free.set()
        await held

    asyncio.run(run())
    assert (queue.load.running, queue.load.waiting) == (0, 0)


# A server that is slow or dead -------------------------------------------------------------------


def with_llm(home, url, **settings):
    chat = Chat(home, Settings(llm=LlmSettings(url, "uji", timeout=20.0, **settings)))
    return Answering(chat, History(None), turns=Turns(LimitsSettings(), 1))


@pytest.mark.parametrize("words", ["", "Pelabuhan Batu Layar diresmikan Gubernur Rahmat "])
def test_a_language_model_that_says_nothing_more_holds_up_nobody(home, words):
    said = threading.Event()

    def behave(visit):
        visit.head()
        if words:
            visit.words(words)
        said.set()
        visit.wait()

    with LlmServer(behave) as server:
        answering = with_llm(home, server.url)

        async def run():
            slow = asyncio.create_task(shown(answering, OPENING))
            await asyncio.to_thread(said.wait, 20)
            while not answering.turns.load.away:
                await asyncio.sleep(0.01)
            place = answering.turns.join("budi")
            assert place.begun.done()
            place.leave()
            server.closing.set()
            return await slow

        steps = asyncio.run(run())
    assert "dari kutipan arsip" in steps[-1] and "Rahmat Hidayat" in steps[-1]


def test_a_dead_language_model_is_left_alone_and_tried_again(home):
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    server = llm.Server(LlmSettings(url, "uji"), {}, clock)
    message = [{"role": "user", "content": "Siapa?"}]

    def fails():
        with pytest.raises(llm.Trouble) as trouble:
            list(server.stream(message))
        return str(trouble.value)

    assert {fails() for _ in range(3)} == {"Server LLM tidak dapat dihubungi"}
    assert server.trouble == "Server LLM tidak dapat dihubungi"
    with LlmServer(says("Gubernur. [1]")) as well:
        server.settings = LlmSettings(well.url, "uji")
        assert fails() and not well.visits
        clock.now += 61
        assert "".join(server.stream(message)) == "Gubernur. [1]"
        assert not server.trouble and len(well.visits) == 1


def test_operators_are_told_that_the_language_model_is_left_alone(home):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    answering = with_llm(home, url)
    examiner = Examiner(answering.chat, answering.turns.queue)
    for _ in range(3):
        assert Check("llm", "ok", "asked") in examiner.examine().checks
        *_, shown = taken(app.answered(answering, {"text": OPENING}, "ani"))
        assert "Rahmat Hidayat" in shown and "dari kutipan arsip" in shown
    [told] = [check for check in examiner.examine().checks if check.name == "llm"]
    assert (told.name, told.status) == ("llm", "warning") and "tidak dapat dihubungi" in told.detail


def test_too_many_wait_for_the_language_model_and_the_next_is_answered_without(home):
    with LlmServer(lambda visit: visit.wait()) as silent:
        server = llm.Server(LlmSettings(silent.url, "uji"), {})
        waiting = []
        for _ in range(llm.AT_ONCE):
            waiting.append(threading.Thread(target=failing, args=(server,)))
            waiting[-1].start()
        while len(silent.visits) < llm.AT_ONCE:
            threading.Event().wait(0.01)
        with pytest.raises(llm.Trouble, match="penuh"):
            next(server.stream([]))
        silent.closing.set()
        for thread in waiting:
            thread.join()


def failing(server):
    with pytest.raises(llm.Trouble):
        list(server.stream([]))
