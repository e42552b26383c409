"""Question sets of what people asked the chat and said of its answers."""

import datetime as dt
import json

import pytest

from eval import questions as sets
from index.records import Filter
from qa.chat import Chat
from qa.feedback import Verdict
from qa.history import History
from tests import homes

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
HARBOUR, CHESS = "Siapa yang meresmikan Pelabuhan Batu Layar?", "Siapa juara catur Wamena?"
HULU = Filter(publishers=("Kabar Hulu",))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return homes.harbour(tmp_path_factory.mktemp("harbour"))


@pytest.fixture(scope="module")
def chat(home):
    return Chat.open(home)


@pytest.fixture
def history(home):
    kept = History.of(home)
    yield kept
    kept.close()
    for file in home.glob("chats.db*"):
        file.unlink()


def hold(history, chat, asked, *, owner="ani-rahasia", chosen=Filter(), hour=0):  # noqa: B008
    """Hold a conversation with the chat that is kept; return its id."""
    conversation, turns, now = "", [], NOON + dt.timedelta(hours=hour)
    for question in asked:
        turns.append(chat.ask(question, turns, chosen))
        conversation, number = history.begin(owner, conversation, question, chosen, now)
        history.finish(conversation, number, turns[-1])
    return conversation


def judge(history, place, number=1, *, good=False, day=0, owner="ani-rahasia", **said):
    verdict = Verdict(NOON + dt.timedelta(days=day), good, **said)
    assert history.judge(owner, place, number, verdict)


def collected(home, out, *options):
    assert homes.tanya(home, "eval", "collect", out, *options) == 0
    asked = sets.read_questions(out / sets.QUERIES)
    lines = (out / sets.QRELS).read_text().splitlines()[1:]
    relevant = {tuple(line.split("\t")[:2]) for line in lines}
    return {question.text: question for question in asked}, relevant


def test_what_was_called_right_is_right_and_its_article_relevant(history, chat, home, tmp_path):
    judge(history, hold(history, chat, [HARBOUR]), good=True)
    asked, relevant = collected(home, tmp_path / "set")
    shown = chat.ask(HARBOUR).answer
    assert asked[HARBOUR].answers == (shown.short_answer or shown.claims[0].text,)
    cited = shown.citations[0].passage.article_id
    assert relevant == {(asked[HARBOUR].id, cited)}


def test_a_silence_called_right_cannot_be_answered(history, chat, home, tmp_path):
    judge(history, hold(history, chat, [CHESS]), good=True)
    asked, relevant = collected(home, tmp_path / "set")
    assert not asked[CHESS].answerable and not asked[CHESS].answers and not relevant


@pytest.mark.parametrize(
    "named",
    ["{id}", "{url}/", "https://arsip.example/?percakapan=abc&artikel={id}&jawaban=1"],
)
def test_the_answer_and_article_that_a_person_gave_count(history, chat, home, tmp_path, named):
    harbour = homes.HARBOUR[0]
    where = named.format(id=harbour.id, url=harbour.url)
    place = hold(history, chat, [CHESS])
    judge(history, place, reason="missing", right_answer=" Rahmat  Hidayat", right_article=where)
    asked, relevant = collected(home, tmp_path / "set")
    assert asked[CHESS].answers == ("Rahmat Hidayat",) and asked[CHESS].answerable
    assert relevant == {(asked[CHESS].id, harbour.id)}


def test_what_nobody_labelled_stays_without_a_label_and_is_told(
    history, chat, home, tmp_path, capsys
):
    hold(history, chat, [HARBOUR])
    gone = "https://lain.example/9"
    judge(history, hold(history, chat, [CHESS]), reason="missing", right_article=gone)
    asked, relevant = collected(home, tmp_path / "set")
    told = capsys.readouterr()
    assert all(not q.answers and q.answerable for q in asked.values()) and not relevant
    assert "2  without a label" in told.out
    assert gone in told.err and "No answer is known" in told.err
    only, _ = collected(home, tmp_path / "judged", "--judged")
    assert set(only) == {CHESS}


def test_a_question_stands_once_for_each_filter_and_the_newest_verdict_counts(
    history, chat, home, tmp_path, capsys
):
    judge(history, hold(history, chat, [HARBOUR]), day=2, right_answer="Rahmat Hidayat")
    again = hold(history, chat, [f"  {HARBOUR.lower().rstrip('?')} ??"], owner="budi", hour=1)
    judge(history, again, good=True, day=1, owner="budi")
    hold(history, chat, [HARBOUR], chosen=HULU, hour=2)
    asked, _ = collected(home, tmp_path / "set")
    questions = sets.read_questions(tmp_path / "set" / sets.QUERIES)
    assert [(q.text, q.filter) for q in questions] == [(HARBOUR, Filter()), (HARBOUR, HULU)]
    assert questions[0].answers == ("Rahmat Hidayat",)
    told = capsys.readouterr()
    assert "called right and wrong" in told.err and "1  asked again" in told.out


def test_a_follow_up_is_asked_as_it_was_understood(history, chat, home, tmp_path):
    hold(history, chat, [HARBOUR, "Kapan itu?"])
    asked, _ = collected(home, tmp_path / "set")
    first, second = asked
    assert first == HARBOUR and "Kapan" in second and "Pelabuhan Batu Layar" in second


def test_no_owner_reaches_a_set_and_none_is_overwritten(history, chat, home, tmp_path, capsys):
    place = hold(history, chat, [HARBOUR])
    judge(history, place, words="rahasia saya", right_answer="Rahmat Hidayat")
    out = tmp_path / "set"
    collected(home, out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert not any(b"rahasia" in held or place.encode() in held for held in before.values())
    assert homes.tanya(home, "eval", "collect", out) == 1
    assert "give --replace" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_a_set_of_what_was_asked_is_searched_and_answered(history, chat, home, tmp_path, capsys):
    judge(history, hold(history, chat, [HARBOUR, CHESS]), good=True)
    out = tmp_path / "set"
    collected(home, out)
    assert homes.tanya(home, "eval", "run", out, "--out", tmp_path / "run") == 0
    capsys.readouterr()
    assert homes.tanya(home, "eval", "answers", out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    accuracy = {s["measure"]: s["value"] for s in found["groups"]["answers"]}
    assert accuracy["accuracy"] == 1.0


def test_a_home_where_nobody_asked_makes_no_set(home, tmp_path, capsys):
    assert homes.tanya(home, "eval", "collect", tmp_path / "set") == 1
    assert "tanya serve" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()
