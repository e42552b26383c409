"""Next questions are made of the cited articles' sentences, whole, and answered by them."""

import datetime as dt

import pytest

from qa.chat import Chat
from qa.next_questions import MOST, answered, answers, next_questions
from qa.sentence_questions import made
from tests import homes

ARTICLE = homes.article(
    1,
    "Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat pada Selasa (4/3/2025). "
    "Gubernur Rahmat Hidayat meresmikan jembatan Muara Jati di Teluk Waru. "
    "Pembangunan Pelabuhan Batu Layar tertunda karena gelombang tinggi merusak tiang pancang. "
    "Sebanyak 340 rumah di Sungai Pinang terendam banjir. "
    "Rahmat Hidayat mengatakan kapal nelayan Batu Layar kini bisa sandar tanpa menunggu pasang. "
    '"Kapal besar kini bisa sandar tanpa menunggu air pasang," kata Rahmat Hidayat.',
    title="Gubernur Resmikan Pelabuhan Batu Layar",
    published=dt.date(2025, 3, 4),
)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("harbour")
    homes.add(home, [ARTICLE, *homes.HARBOUR[1:]])
    homes.build(home)
    return Chat.open(home)


def made_of(*sentences, title="Kabar hari ini"):
    return {(one.kind, one.text) for one in made([homes.passage("a", sentences, title)])}


@pytest.mark.parametrize(
    ("sentence", "kind", "question"),
    [
        (
            "Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat pada Selasa (4/3/2025).",
            "when",
            "Kapan Pelabuhan Batu Layar diresmikan Gubernur Rahmat Hidayat?",
        ),
        (
            "Namun, pembangunan Pelabuhan Batu Layar tertunda karena gelombang merusak tiang.",
            "why",
            "Mengapa pembangunan Pelabuhan Batu Layar tertunda?",
        ),
        (
            "Festival Danau Biru digelar di Kota Waru, pada 5 Mei 2024.",
            "where",
            "Di mana Festival Danau Biru digelar?",
        ),
        (
            "Sebanyak 340 rumah di Sungai Pinang terendam banjir.",
            "howmany",
            "Berapa rumah di Sungai Pinang yang terendam banjir?",
        ),
        (
            "Gubernur Waru Rahmat Hidayat meresmikan Jembatan Muara Jati.",
            "who",
            "Siapa yang meresmikan Jembatan Muara Jati?",
        ),
        (
            "Rahmat Hidayat mengatakan kapal nelayan Batu Layar kini bisa sandar di dermaga.",
            "quote",
            "Apa kata Rahmat Hidayat tentang kapal nelayan Batu Layar?",
        ),
    ],
)
def test_the_form_of_a_sentence_tells_what_it_answers(sentence, kind, question):
    assert (kind, question) in made_of(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Jembatan itu diresmikan Gubernur Rahmat Hidayat pada 4 Maret 2025.",
        "Dia meresmikan Jembatan Muara Jati di Teluk Waru pada 4 Maret 2025.",
        "Jalannya diresmikan Gubernur Waru Rahmat Hidayat pada 4 Maret 2025.",
        "Akan meresmikan Jembatan Muara Jati di Teluk Waru pada 4 Maret 2025.",
        "Jembatan Muara Jati diresmikan kemarin oleh Gubernur Rahmat Hidayat.",
        "Festival Danau Biru digelar pada 5 Mei-7 Mei 2024 di Kota Waru.",
        "Kedua tim bertemu pada 5 Mei 2024 di Stadion Waru Raya.",
        "Mengapa Jembatan Muara Jati ditutup pada 5 Mei 2024?",
        "<b>Jembatan Muara Jati</b> diresmikan pada 5 Mei 2024.",
    ],
)
def test_what_its_article_alone_explains_is_not_asked(sentence):
    assert not {one for one in made_of(sentence) if one[0] != "who"}


def test_a_single_name_is_written_in_full_or_not_at_all():
    told = "Rahmat Hidayat mengatakan pasar Muara Jati akan ramai."
    later = "Rahmat dilahirkan di Teluk Waru pada 4 Maret 1965."
    asked = {text for kind, text in made_of(told, later) if kind == "when"}
    assert asked == {"Kapan Rahmat Hidayat dilahirkan di Teluk Waru?"}
    other = "Warga melihat Budi Santoso dan Budi Hartono di pasar."
    assert not {one for one in made_of(other, later.replace("Rahmat", "Budi")) if one[0] == "when"}


def test_those_shown_are_answered_by_the_cited_article(chat):
    turn = chat.ask("Mengapa pembangunan Pelabuhan Batu Layar tertunda?")
    assert turn.answer.status == "answered"
    found = next_questions(chat, turn)
    assert 0 < len(found) <= MOST
    assert turn.question not in found
    for asked in found:
        answer = chat.ask(asked).answer
        assert answer.status == "answered"
        assert answer.citations[0].passage.article_id == ARTICLE.id


def test_what_was_asked_before_is_not_asked_again(chat):
    turn = chat.ask("Mengapa pembangunan Pelabuhan Batu Layar tertunda?")
    found = next_questions(chat, turn)
    again = next_questions(chat, turn, found)
    assert not set(found) & set(again)


def test_a_question_whose_sentence_does_not_answer_is_not_shown(chat):
    passages = chat.index().passages([f"{ARTICLE.id}#0"])
    (when,) = (one for one in made(passages) if one.kind == "when")
    assert answered(chat, [when], 1) == [when.text]
    elsewhere = when._replace(sentence=passages[0].spans[2])
    assert not answered(chat, [elsewhere], 1)
    other = when._replace(text="Siapa penemu planet Wurmala di Galaksi Andara?")
    assert not answers(chat.ask(other.text), other)


def test_the_news_of_a_topic_are_offered_where_other_articles_tell_of_it(tmp_path):
    told = [
        homes.article(
            n,
            f"Warga ramai di Taman Kota Waru pada hari ke-{n}. Petugas {words} di situ.",
            title=f"{words.capitalize()} di Taman Kota Waru",
            published=dt.date(2026, 4, n),
        )
        for n, words in enumerate(("menyapu jalan", "menanam pohon", "memperbaiki lampu"), start=1)
    ]
    homes.add(tmp_path, told)
    homes.build(tmp_path)
    chat = Chat.open(tmp_path)
    turn = chat.ask("Apa yang ditanam petugas di Taman Kota Waru?")
    assert {c.passage.article_id for c in turn.answer.citations} != {one.id for one in told}
    news = "Apa kabar terbaru soal Taman Kota Waru?"
    assert news in next_questions(chat, turn)
    assert news not in next_questions(chat, turn, [news])


def test_nobody_who_asks_waits_for_them(chat):
    growing = chat.stream("Berapa rumah yang terendam di Sungai Pinang pada Januari 2023?")
    next(growing)
    assert chat.ask_aside("Kapan Pelabuhan Batu Layar diresmikan?", patience=0.01) is None
    growing.close()
    assert chat.ask_aside("Kapan Pelabuhan Batu Layar diresmikan?", patience=0.01) is not None
