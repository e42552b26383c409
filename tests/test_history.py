"""Conversations that are kept: whose they are, and what comes back of a turn."""

import datetime as dt
import multiprocessing
import sqlite3
import zlib
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ArchiveError
from index.records import Filter
from qa.chat import Chat
from qa.history import FILE_NAME, LONGEST_TITLE, History
from qa.question.conversation import subjects
from tests import homes

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
CHOSEN = Filter(dt.date(2023, 1, 1), publishers=("Kabar Hulu",))


@pytest.fixture(scope="module")
def turns(tmp_path_factory):
    """Turns of a real chat: an answer, its follow-up, and a silence."""
    home = homes.harbour(tmp_path_factory.mktemp("harbour"))
    chat = Chat.open(home)
    first = chat.ask("Siapa yang meresmikan Pelabuhan Batu Layar?")
    return [first, chat.ask("Kapan itu?", [first]), chat.ask("Siapa juara catur Wamena?")]


@pytest.fixture
def history(tmp_path):
    return History.of(tmp_path)


def keep(history, turns, owner="ani", conversation="", now=NOON):
    for turn in turns:
        conversation, number = history.begin(owner, conversation, turn.question, CHOSEN, now)
        history.finish(conversation, number, turn)
    return conversation


def test_a_conversation_comes_back_in_another_process(history, turns, tmp_path):
    place = keep(history, turns)
    again = History.of(tmp_path)
    kept = again.turns("ani", place)
    assert [each.number for each in kept] == [1, 2, 3]
    assert {each.chosen for each in kept} == {CHOSEN}
    for each, turn in zip(kept, turns, strict=True):
        for field in ("question", "query", "notice", "seconds", "swaps"):
            assert getattr(each.turn, field) == getattr(turn, field)
        for field in ("status", "short_answer", "claims", "citations", "dropped", "confidence"):
            assert getattr(each.turn.answer, field) == getattr(turn.answer, field)
    assert kept[2].turn == turns[2], "what a silence is explained by stays whole"


def test_a_follow_up_reads_a_kept_turn_as_it_read_the_live_one(history, turns):
    kept = history.turns("ani", keep(history, turns))
    assert subjects([each.turn for each in kept]) == subjects(turns)


def test_a_question_is_kept_before_it_is_answered(history, turns):
    place, number = history.begin("ani", "", "Apa  itu?\n", Filter(), NOON)
    [kept] = history.turns("ani", place)
    assert (kept.number, kept.turn, kept.question) == (number, None, "Apa  itu?\n")
    assert history.conversation("ani", place).title == "Apa itu?"
    history.finish(place, number, turns[0])
    assert history.turns("ani", place)[0].turn


def test_nobody_sees_or_changes_another_ones(history, turns):
    place = keep(history, turns)
    assert history.turns("budi", place) == []
    assert history.conversation("budi", place) is None
    assert history.conversations("budi") == []
    assert not history.rename("budi", place, "Punyaku")
    assert not history.delete("budi", place)
    elsewhere, number = history.begin("budi", place, "Apa?", Filter(), NOON)
    assert (elsewhere == place, number) == (False, 1)
    assert len(history.turns("ani", place)) == 3


def test_the_last_changed_stands_first_and_a_page_has_so_many(history, turns):
    places = [
        keep(history, turns[:1], now=NOON + dt.timedelta(minutes=minute)) for minute in range(5)
    ]
    keep(history, turns[1:2], conversation=places[0], now=NOON + dt.timedelta(hours=1))
    listed = [each.id for each in history.conversations("ani")]
    assert listed == [places[0], *places[:0:-1]]
    pages = [history.conversations("ani", count=2, skip=skip) for skip in (0, 2, 4)]
    assert [each.id for page in pages for each in page] == listed
    assert history.conversations("ani")[0].turns == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [("pelabuhan", 1), ("LAYAR batu", 1), ("hidayat", 1), ("catur", 0), ("%", 0), ("_", 0)],
)
def test_words_are_looked_for_in_titles_questions_and_answers(history, turns, words, found):
    keep(history, turns[:1])
    assert len(history.conversations("ani", words)) == found


def test_renamed_and_deleted(history, turns):
    place = keep(history, turns)
    assert history.rename("ani", place, "  Pelabuhan\n baru ")
    assert history.conversation("ani", place).title == "Pelabuhan baru"
    assert not history.rename("ani", place, "  ")
    history.rename("ani", place, "x" * 500)
    assert len(history.conversation("ani", place).title) == LONGEST_TITLE
    assert history.delete("ani", place)
    assert history.turns("ani", place) == []
    assert list(history.all_turns()) == []
    history.finish(place, 1, turns[0])
    assert history.turns("ani", place) == []


def test_everything_asked_is_yielded_in_order_with_its_owner(history, turns):
    keep(history, turns[:1], "ani", now=NOON + dt.timedelta(minutes=1))
    keep(history, turns[1:2], "budi", now=NOON)
    assert [each.owner for each in history.all_turns()] == ["budi", "ani"]
    assert [each.owner for each in history.all_turns(NOON + dt.timedelta(seconds=1))] == ["ani"]


def test_reading_makes_no_file(history, tmp_path):
    assert history.conversations("ani") == []
    assert list(history.all_turns()) == []
    assert not list(tmp_path.iterdir())


def test_without_keeping_nothing_is_written(turns, tmp_path):
    history = History.of(tmp_path, keep=False)
    place = keep(history, turns)
    assert len(history.turns("ani", place)) == 3
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_kind_or_a_newer_program_is_refused(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"bukan basis data sama sekali")
    with pytest.raises(ArchiveError, match="keep = false"):
        History.of(tmp_path).conversations("ani")
    (tmp_path / FILE_NAME).unlink()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(ArchiveError, match="newer"):
        History.of(tmp_path).conversations("ani")


def test_a_file_that_cannot_be_written_leaves_the_chat_as_it_is(turns, tmp_path, caplog):
    (tmp_path / FILE_NAME).write_bytes(b"bukan basis data sama sekali")
    history = History.of(tmp_path)
    place = keep(history, turns[:2])
    assert len(history.turns("ani", place)) == 2
    assert "kept in memory" in caplog.text
    assert (tmp_path / FILE_NAME).read_bytes() == b"bukan basis data sama sekali"


def test_what_cannot_be_written_for_a_while_hides_nothing(history, turns, tmp_path):
    before = keep(history, turns[:1])
    history.close()
    (tmp_path / FILE_NAME).rename(tmp_path / "away")
    (tmp_path / FILE_NAME).write_bytes(b"bukan basis data sama sekali")
    meanwhile = keep(history, turns[1:2])
    assert history.rename("ani", meanwhile, "Sementara")
    (tmp_path / "away").replace(tmp_path / FILE_NAME)
    after = keep(history, turns[2:])
    assert {each.id for each in history.conversations("ani")} == {before, meanwhile, after}
    assert history.turns("ani", meanwhile)[0].turn.question == turns[1].question
    assert history.turns("budi", meanwhile) == []
    assert len(History.of(tmp_path).conversations("ani")) == 2


def test_an_answer_that_cannot_be_read_any_more_leaves_its_question(history, turns, tmp_path):
    place = keep(history, turns)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("UPDATE turns SET turn = x'00' WHERE number = 1")
        db.execute("UPDATE turns SET turn = ? WHERE number = 2", (zlib.compress(b'{"a": 1}'),))
        db.commit()
    assert [bool(each.turn) for each in history.turns("ani", place)] == [False, False, True]
    assert len(history.outcomes(9)) == 3


def _ask_often(folder, owner):
    history = History.of(folder)
    place = ""
    for n in range(20):
        place, _ = history.begin(owner, place, f"Apa {n}?", Filter(), NOON)


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_ask_often, args=(tmp_path, name)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    history = History.of(tmp_path)
    for name in "abc":
        [one] = history.conversations(name)
        assert one.turns == 20


@given(st.text(max_size=300))
def test_any_question_is_kept_as_it_is(question):
    history = History(None)
    place, _ = history.begin("ani", "", question, Filter(), NOON)
    assert [each.question for each in history.turns("ani", place)] == [question]
