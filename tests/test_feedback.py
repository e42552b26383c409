"""What people say of answers: kept with the turn, given over the page, listed by the command."""

import datetime as dt
import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from index.errors import InputError
from index.records import Filter
from page import html, texts
from qa.chat import Chat
from qa.feedback import LONGEST, REASONS, Verdict
from qa.history import History
from tests import homes
from tests.operating import HERE
from web import feedback
from web.access import Access, AccessMiddleware
from web.users import Users
from web.visitor import COOKIE, of_cookie

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
BAD = Verdict(NOON, False, "wrong", "Namanya lain.", "Siti Rahma", "https://kabar.example/1")


@pytest.fixture(scope="module")
def turns(tmp_path_factory):
    """Turns of a real chat: an answer and a silence."""
    home = homes.harbour(tmp_path_factory.mktemp("harbour"))
    chat = Chat.open(home)
    asked = ("Siapa yang meresmikan Pelabuhan Batu Layar?", "Siapa juara catur Wamena?")
    answered, refused = map(chat.ask, asked)
    assert answered.answer.claims and not refused.answer.claims
    return answered, refused


@pytest.fixture
def history(tmp_path):
    return History.of(tmp_path)


def keep(history, turns, owner="ani"):
    conversation = ""
    for turn in turns:
        conversation, number = history.begin(owner, conversation, turn.question, Filter(), NOON)
        history.finish(conversation, number, turn)
    return conversation


# Kept --------------------------------------------------------------------------------------------


def test_a_verdict_stays_with_its_turn_and_the_last_one_counts(history, turns, tmp_path):
    place = keep(history, turns)
    assert history.judge("ani", place, 1, Verdict(NOON, True))
    assert history.judge("ani", place, 1, BAD)
    first, second = History.of(tmp_path).turns("ani", place)
    assert (first.verdict, second.verdict) == (BAD, None)
    assert [kept.verdict for kept in history.judged()] == [BAD]
    assert history.judge("ani", place, 1, None)
    assert list(history.judged()) == []


def test_nobody_judges_what_is_not_theirs_or_not_answered(history, turns):
    place = keep(history, turns)
    waiting, number = history.begin("ani", "", "Apa kabar?", Filter(), NOON)
    assert not history.judge("budi", place, 1, BAD)
    assert not history.judge("ani", place, 9, BAD)
    assert not history.judge("ani", waiting, number, BAD)
    assert list(history.judged()) == []


def test_a_verdict_goes_with_its_conversation(history, turns):
    place = keep(history, turns)
    history.judge("ani", place, 1, BAD)
    history.delete("ani", place)
    assert list(history.judged()) == []


def test_a_good_verdict_is_bare_and_what_is_typed_is_cut(history, turns):
    place = keep(history, turns)
    history.judge("ani", place, 1, Verdict(NOON, True, "wrong", "kata"))
    history.judge("ani", place, 2, Verdict(NOON, False, "missing", "x" * 3 * LONGEST))
    good, bad = (kept.verdict for kept in history.turns("ani", place))
    assert good == Verdict(NOON, True)
    assert len(bad.words) == LONGEST


def test_an_unknown_reason_is_refused(history, turns):
    place = keep(history, turns)
    with pytest.raises(InputError, match="'apa saja'"):
        history.judge("ani", place, 1, Verdict(NOON, False, "apa saja"))
    assert set(texts.VERDICT_REASONS) < set(REASONS)


# On the page -------------------------------------------------------------------------------------


@pytest.fixture
def client(history, tmp_path):
    served = FastAPI()
    served.include_router(feedback.router(history, now=lambda: NOON))
    served.add_middleware(AccessMiddleware, access=Access(Users(tmp_path)))
    client = TestClient(served, HERE, client=("127.0.0.1", 50_000))
    client.cookies.set(COOKIE, "sebuah-kuki")
    return client


def test_the_page_gives_changes_and_takes_back_a_verdict(client, history, turns):
    owner = of_cookie("sebuah-kuki")
    place = keep(history, turns, owner)
    said = {"conversation": place, "number": 1, "verdict": "bad", "reason": "outdated"}
    answer = client.post("/page/feedback", json=said).json()
    assert answer["verdict"] == "bad"
    assert texts.VERDICT_REASONS["outdated"].lower() in answer["html"]
    assert history.turns(owner, place)[0].verdict == Verdict(NOON, False, "outdated")
    answer = client.post("/page/feedback", json={**said, "verdict": "good"}).json()
    assert texts.THANKS_GOOD in answer["html"]
    answer = client.post("/page/feedback", json={**said, "verdict": ""}).json()
    assert texts.WAS_IT_RIGHT in answer["html"]
    assert history.turns(owner, place)[0].verdict is None


def test_others_broken_requests_and_forms_of_other_sites_change_nothing(client, history, turns):
    place = keep(history, turns, "orang lain")
    said = {"conversation": place, "number": 1, "verdict": "good"}
    assert client.post("/page/feedback", json=said).status_code == 404
    mine = keep(history, turns, of_cookie("sebuah-kuki"))
    said["conversation"] = mine
    for change in ({"number": 7}, {"number": "satu"}, {"verdict": "ya"}, {"words": "x" * 9000}):
        assert client.post("/page/feedback", json={**said, **change}).status_code in (404, 422)
    wrong = {**said, "verdict": "bad", "reason": "<b>"}
    assert client.post("/page/feedback", json=wrong).status_code == 422
    plain = {"content-type": "text/plain"}
    posted = client.post("/page/feedback", content=json.dumps(said), headers=plain)
    assert posted.status_code == 422
    assert list(history.judged()) == []


def test_the_foot_of_a_turn_asks_or_tells_and_lets_no_markup_through():
    asked = html.feedback_html('a"><b>', 3, None, refused=False)
    assert "<b>" not in asked
    assert all(f'value="{reason}"' in asked for reason in texts.VERDICT_REASONS)
    refused = html.feedback_html("a", 3, None, refused=True)
    assert texts.WAS_IT_RIGHT_TO_REFUSE in refused and 'value="missing"' in refused
    bad = Verdict(NOON, False, "missing")
    assert texts.THANKS_REFUSED_BAD in html.feedback_html("a", 3, bad, refused=True)
    assert "<form" not in html.feedback_html("a", 3, bad, refused=True)


# Listed ------------------------------------------------------------------------------------------


@pytest.fixture
def judged(history, turns, tmp_path):
    """A home with a good verdict on an answer, and a later bad one on a silence."""
    place = keep(history, turns)
    history.judge("ani", place, 1, Verdict(NOON, True))
    later = Verdict(NOON + dt.timedelta(days=3), False, "missing", "[red]ada[/red]\x1b[2J", "Tito")
    history.judge("ani", place, 2, later)
    history.close()
    return tmp_path


def test_verdicts_are_listed_the_newest_first(judged, turns, capsys):
    assert homes.tanya(judged, "feedback") == 0
    told = capsys.readouterr().out
    assert told.index("2026-03-05") < told.index("2026-03-02")
    assert "missing" in told and "Tito" in told and "[red]" in told
    assert "\x1b" not in told and "ani" not in told.split()


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        ((), ["bad", "good"]),
        (("--bad",), ["bad"]),
        (("--limit", 1), ["bad"]),
        (("--since", "2026-03-05"), ["bad"]),
        (("--since", "2026-03-06"), []),
    ],
)
def test_verdicts_as_json_narrowed(judged, capsys, options, verdicts):
    assert homes.tanya(judged, "feedback", "--json", *options) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["verdict"] for row in rows] == verdicts


def test_verdicts_are_exported_with_their_answers_and_without_owners(judged, turns, tmp_path):
    out = tmp_path / "feedback.jsonl"
    assert homes.tanya(judged, "feedback", "--export", out, "--limit", 1) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["answer"]["question"] for row in rows] == [t.question for t in reversed(turns)]
    assert rows[0]["right_answer"] == "Tito" and rows[0]["reason"] == "missing"
    assert not any("owner" in row for row in rows)


def test_a_home_without_verdicts_and_a_day_that_is_none(tmp_path, capsys):
    assert homes.tanya(tmp_path, "feedback") == 0
    assert "Nobody has said" in capsys.readouterr().err
    assert homes.tanya(tmp_path, "feedback", "--since", "kemarin") == 2
    assert list(tmp_path.iterdir()) == []
