"""Follow-ups: what leans on the question before, what it means alone, what a chat finds."""

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path

import pytest

from index import text
from index.reading.files import find_files, read
from index.records import Article, Filter
from qa.chat import Chat
from qa.question import conversation, follow_up
from qa.question.follow_up import Subject
from tests import homes

ROOT = Path(__file__).parent.parent
TODAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("asked", "leans"),
    [
        ("Kapan itu terjadi?", "yes"),
        ("Siapa dubesnya?", "yes"),
        ("Di mana?", "yes"),
        ("Kenapa?", "yes"),
        ("Lalu apa katanya?", "yes"),
        ("Bagaimana dengan Jepang?", "yes"),
        ("Kalau tahun 2023?", "yes"),
        ("Berapa jumlahnya tahun lalu?", "yes"),
        ("Siapa ketua KPU-nya?", "yes"),
        ("Di Jakarta?", "yes"),
        ("Dia akhirnya divonis berapa lama?", "yes"),
        ("Berapa porselen yang berhasil diangkat?", "perhaps"),
        ("siapa pelatih melati timur", "perhaps"),
        ("Siapa Sukardi?", "no"),
        ("Siapa pelatih tim voli Melati Timur?", "no"),
        ("Apa yang disepakati Wiranto dengan China?", "no"),
    ],
)
def test_what_leans_on_the_question_before(asked, leans):
    assert follow_up.leans(asked) == leans


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("Siapa dubesnya?", []),
        ("Apa kata Wiranto?", ["Wiranto"]),
        ("Siapa yang bertemu Xie Feng di Jakarta Pusat?", ["Xie Feng", "Jakarta Pusat"]),
        ("Umurnya berapa?", []),
        ("Bendungan Waelomata kapan jadi?", ["Bendungan Waelomata"]),
        ("KPU memutuskan apa?", ["KPU"]),
        ("Siapa Bupatinya?", []),
    ],
)
def test_names(asked, names):
    assert follow_up.names(asked) == names


BEFORE = "Apa yang disetujui Wiranto dengan China di 2016?"


@pytest.mark.parametrize(
    ("asked", "before", "meant"),
    [
        ("Siapa dubesnya?", BEFORE, "Siapa dubesnya (disetujui Wiranto dengan China di 2016)?"),
        ("Bagaimana dengan Jepang?", BEFORE, "Apa yang disetujui Wiranto dengan Jepang di 2016?"),
        ("Kalau 2017?", BEFORE, "Apa yang disetujui Wiranto dengan China 2017?"),
        ("Bagaimana dengan Yusuf Marjuni?", "Berapa lama Hendra Laksmana dihukum?",
         "Berapa lama Yusuf Marjuni dihukum?"),
        ("Kalau medali perak?", "Siapa peraih medali emas?", "Siapa peraih medali perak?"),
        ("Kalau anak-anak?", "Berapa karcis untuk dewasa?", "Berapa karcis untuk anak-anak?"),
        ("Bagaimana dengan banjir Pinang?", "Berapa korban longsor Girimukti?",
         "Berapa korban banjir Pinang?"),
        ("Untuk pelajar?", "Berapa tarifnya (bus listrik Lembayung)?",
         "Berapa tarifnya untuk pelajar (bus listrik Lembayung)?"),
        ("Terus kenapa?", "Siapa dubesnya (Wiranto, China)?", "Kenapa (Wiranto, China)?"),
        ("Bagaimana dengan Jepang?", "Kapan bertemu (Wiranto, China)?",
         "Kapan bertemu (Wiranto, Jepang)?"),
    ],
)  # fmt: skip
def test_a_follow_up_stands_alone(asked, before, meant):
    assert follow_up.standalone(asked, Subject(before), TODAY) == meant


def test_a_person_is_named_by_the_answer_before():
    before = Subject(
        "Siapa pengusaha yang terjerat ambulans laut?", said=(("who", "Yusuf Marjuni"),)
    )
    meant = follow_up.standalone("Dia divonis berapa lama?", before, TODAY)
    assert meant.startswith("Divonis berapa lama (Yusuf Marjuni, ")


def test_what_is_said_about_the_answer_before():
    for asked in (
        "yakin?",
        "Masa sih?",
        "sumbernya dari mana?",
        "mana buktinya",
        "Dari mana tahu itu?",
    ):
        assert conversation.doubted(asked), asked
    for asked in ("Siapa yang yakin menang?", "sumber air Pinang di mana?", "masa jabatan bupati?"):
        assert not conversation.doubted(asked), asked
    for asked in ("yang lebih baru ada?", "ada yang terbaru?", "update?"):
        assert conversation.newer(asked), asked
    assert not conversation.newer("lebih baru mana, jembatan Waru atau Layar?")
    assert conversation.other_than("bukan yang itu, yang di Pinang") == "di Pinang"
    assert conversation.other_than("bukan main mahalnya") == ""
    assert conversation.other_than("eh bukan yang itu deng, maksud saya di Pinang") == "di Pinang"


@pytest.mark.parametrize(
    ("asked", "lead", "rest"),
    [
        ("yakin? bukannya sudah ditahan?", "yakin", "apakah sudah ditahan?"),
        ("yang lebih baru ada? dia dirawat di mana", "yang lebih baru ada", "dia dirawat di mana"),
        ("yang tanggal 3 Mei ada? kata bupati apa", "yang tanggal 3 Mei ada", "kata bupati apa"),
        ("masa kecilnya di mana? lalu sekolahnya?", "", "masa kecilnya di mana? lalu sekolahnya?"),
        ("di Pinang, siapa korbannya?", "", "di Pinang, siapa korbannya?"),
    ],
)
def test_a_turn_of_two_parts_doubts_or_narrows_first(asked, lead, rest):
    assert conversation.led(asked) == (lead, rest)


def test_doubt_with_its_reason_is_doubt():
    assert conversation.doubted("masa sih turun? ada berita yang bilang naik")
    assert not conversation.doubted("masa kecil Rahmat di Pinang")
    assert not conversation.doubted("yakin? ada berita apa yang bilang naik?")


def test_a_question_goes_back_to_an_earlier_subject():
    fire = Subject("Berapa kios terbakar di Pasar Wolasi?", topic="kios terbakar di Pasar Wolasi")
    ship = Subject("Siapa nakhoda kapal Melati?", topic="nakhoda kapal Melati")
    back = conversation.returned("balik ke kebakaran pasar tadi, kapan kejadiannya?", [fire, ship])
    assert back == ("kapan kejadiannya?", fire, False)
    plain = "kapan kapalnya kembali?"
    assert conversation.returned(plain, [fire, ship]) == (plain, ship, False)
    assert conversation.returned(plain, []) == (plain, None, False)
    # What no subject is known by may be one of them all the same, or anything in the archive.
    lost = conversation.returned("balik ke yang di Danu tadi, berapa korbannya?", [fire, ship])
    assert lost == ("di Danu, berapa korbannya?", ship, True)


def test_a_follow_up_is_read_with_what_was_said():
    read = follow_up.in_context("kenapa?", "Siapa dipecat?", "sejak kapan?", "Mei 2019")
    assert read == "kenapa? (Mei 2019; sejak kapan; Siapa dipecat)"


# With an archive ---------------------------------------------------------------------------------


def sample_articles():
    for path in find_files([ROOT / "sample" / "articles"]):
        for outcome in read(path, today=TODAY):
            assert isinstance(outcome, Article)
            yield outcome


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A chat over the sample archive, asked on one fixed day."""
    home = tmp_path_factory.mktemp("percakapan")
    homes.add(home, list(sample_articles()))
    homes.build(home)
    return Chat.open(home, today=lambda: TODAY)


def conversations():
    path = ROOT / "sample" / "questions" / "conversations.jsonl"
    rows = {row["_id"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}
    turns = defaultdict(list)
    for row in rows.values():
        first = row
        while first.get("follows"):
            first = rows[first["follows"]]
        turns[first["_id"]].append(row)
    return list(turns.values())


def test_every_answer_to_the_conversations_stands_in_the_archive():
    whole = " ".join(" ".join(article.body.split()) for article in sample_articles())
    for rows in conversations():
        assert len({row["_id"] for row in rows}) == len(rows) > 1
        for row in rows:
            assert all(answer in whole for answer in row["answers"]), row


def test_the_article_just_cited_is_searched_first(sample):
    first = sample.ask("Berapa kios yang terbakar di Pasar Sentral Wolasi?")
    second = sample.ask("Berapa kerugiannya?", [first])
    assert second.query.prefer == (first.answer.citations[0].passage.article_id,)
    assert second.answer.evidence.hits[0].passage.article_id in second.query.prefer
    assert "21 miliar" in " ".join(claim.text for claim in second.answer.claims)


def test_a_question_that_its_archive_cannot_date_is_answered_from_all_of_it(sample):
    turn = sample.ask("Siapa wali kota Karangtirta minggu lalu?")
    assert turn.answer.status == "answered"
    assert not turn.query.filter
    assert turn.notice == (
        "Artikel terbaru di arsip: 2 Maret 2026; “minggu lalu” dihitung dari hari itu. Tidak ada "
        "jawaban antara 23 Februari 2026 dan 1 Maret 2026; hasil dari seluruh arsip. "
        f"Per {text.written(turn.answer.citations[0].passage.published)}."
    )


def test_a_date_in_a_fact_chooses_among_articles_that_bear_it_out(sample):
    turn = sample.ask("Berapa rumah yang terendam waktu banjir Karangtirta tahun 2019?")
    assert turn.query.filter == Filter(dt.date(2019, 1, 1), dt.date(2019, 12, 31))
    assert "2.140 rumah" in " ".join(claim.text for claim in turn.answer.claims)
    # Other articles of 2022 there are, but the one about the rhinoceros is of 2023.
    turn = sample.ask("Apakah perkawinan badak Melati terjadi pada 2022?")
    assert turn.answer.evidence.hits[0].passage.published.year == 2023
    assert not turn.query.filter
    assert turn.query.named == Filter(dt.date(2022, 1, 1), dt.date(2022, 12, 31))


def test_a_date_in_a_fact_never_takes_the_better_article_away(tmp_path):
    told = homes.article(
        "lodra",
        "Bendungan Lodra yang dibangun pada 2019 menelan biaya Rp 90 miliar.",
        published=dt.date(2023, 5, 1),
    )
    other = homes.article(
        "pelajar",
        "Bendungan Lodra dibangun dari batu. Pelajar melukis Bendungan Lodra.",
        published=dt.date(2019, 5, 1),
    )
    homes.add(tmp_path, [told, other, *homes.HARBOUR])
    homes.build(tmp_path)
    chat = Chat.open(tmp_path, today=lambda: TODAY)
    year = Filter(dt.date(2019, 1, 1), dt.date(2019, 12, 31))
    turn = chat.ask("Berapa biaya Bendungan Lodra yang dibangun pada 2019?")
    assert "90 miliar" in turn.answer.claims[0].text
    assert turn.query.named == year
    turn = chat.ask("Dari apa Bendungan Lodra dibangun pada 2019?")
    assert turn.query.filter == year


def test_a_publisher_in_the_question_narrows_the_answer(sample):
    turn = sample.ask("Menurut Harian Samudra, berapa korban tewas longsor Girimukti Hilir?")
    (publisher,) = turn.query.filter.publishers
    assert {c.passage.publisher for c in turn.answer.citations} == {publisher}
    assert publisher.lower() == "hariansamudra.com"
