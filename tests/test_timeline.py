"""Timelines: one telling sentence a story, the newest first, only of the topic asked for."""

import datetime as dt

import pytest

from qa import timeline
from qa.chat import Chat
from qa.question import topic
from tests import homes

ARTICLES = [
    homes.article(
        2,
        "Longsor di Bukit Tamiang menewaskan 7 orang dan merusak dua jembatan.",
        title="Longsor Bukit Tamiang",
        published=dt.date(2025, 5, 2),
        publisher="Kabar Hulu",
    ),
    homes.article(
        3,
        "Petugas menyebut longsor di Bukit Tamiang menewaskan 12 orang menurut data terakhir.",
        title="Korban Longsor Bukit Tamiang",
        published=dt.date(2025, 5, 3),
        publisher="Harian Pesisir",
    ),
    homes.article(
        4,
        "Alat berat membersihkan jalan di Bukit Tamiang sesudah longsor. Sekolah masih libur.",
        title="Pembersihan Bukit Tamiang",
        published=dt.date(2025, 5, 9),
    ),
    homes.article(
        6,
        "Posko longsor di Bukit Tamiang menerima sumbangan selimut. Dapur umum berdiri.",
        title="Posko Longsor",
    ),
]


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    homes.add(home, ARTICLES)
    homes.build(home)
    return Chat.open(home)


def cited_articles(answer):
    by_number = {c.number: c.passage.article_id for c in answer.citations}
    return [by_number[n] for claim in answer.claims for n in claim.cited]


def test_the_latest_news_are_of_one_year_and_say_from_when(tmp_path):
    before = homes.article(
        9,
        "Longsor di Bukit Tamiang menutup jalan lama selama tiga pekan.",
        title="Longsor Bukit Tamiang Menutup Jalan",
        published=dt.date(2023, 1, 5),
    )
    homes.add(tmp_path, [*ARTICLES[:2], before, ARTICLES[3]])
    homes.build(tmp_path)
    chat = Chat.open(tmp_path)
    turn = chat.ask("kabar terbaru longsor Bukit Tamiang")
    assert cited_articles(turn.answer) == ["a3", "a2"]
    assert turn.notice.startswith("Yang terbaru dari 3 Mei 2025.")
    whole = chat.ask("perkembangan longsor Bukit Tamiang").answer
    assert {"a9", "a6"} <= set(cited_articles(whole))


def test_a_topic_gets_a_timeline_newest_first_and_the_undated_last(chat):
    answer = chat.ask("perkembangan longsor Bukit Tamiang").answer
    assert answer.status == "answered"
    assert cited_articles(answer) == ["a4", "a3", "a2", "a6"]
    assert answer.short_answer == ""


def test_the_latest_news_are_looked_for_among_the_newest_articles(chat):
    # Three of the last year tell it, so the undated article is not asked.
    answer = chat.ask("kabar terbaru longsor Bukit Tamiang").answer
    assert cited_articles(answer) == ["a4", "a3", "a2"]


def test_a_question_about_news_is_searched_by_its_subject():
    said = topic.subject
    assert said("Apa kabar terbaru soal Bendungan Waelomata?") == "Bendungan Waelomata?"
    assert said("Bagaimana perkembangan kasus ambulans laut?") == "kasus ambulans laut?"
    assert said("Apa kabar terbaru?") == "Apa kabar terbaru?"


def test_a_topic_without_names_needs_most_of_its_words():
    passages = (
        homes.passage("a", ("Harga beras impor naik di pasar.",), ""),
        homes.passage("b", ("Harga tiket naik.",), ""),
    )
    evidence = homes.evidence("kabar terbaru harga beras impor", *passages)
    assert timeline.about(evidence) == [1]


def test_a_timeline_holds_to_the_names(chat):
    evidence = chat.ask("kabar terbaru longsor Bukit Tamiang").answer.evidence
    everywhere = chat.ask("kabar terbaru longsor jembatan Bukit Tamiang Cempaka").answer.evidence
    assert timeline.about(evidence)
    assert timeline.about(everywhere) == []


def test_a_topic_that_the_archive_lacks_gets_no_timeline(chat):
    answer = chat.ask("kabar terbaru longsor Bukit Cempaka").answer
    assert answer.status == "no_evidence"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Harga kopi naik tajam di pasar.", "Harga kopi naik tajam di pasar kota.", True),
        ("Harga kopi naik tajam di pasar.", "Tim voli menang tiga set kemarin.", False),
        ("Harga kopi naik di pasar.", "Harga teh turun di pasar.", False),
    ],
)
def test_alike(one, other, expected):
    assert timeline.alike(one, other) is expected
