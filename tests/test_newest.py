"""What is newest, the news of some days, the years of a topic, who wrote it, and silence."""

import datetime as dt
import json
import zlib

import pytest

from eval import questions as sets
from index.archive import FILE_NAME, Archive
from index.errors import InputError
from index.records import Filter
from qa import confidence, silence
from qa.chat import Chat
from qa.question import topic, understand
from tests import homes

CLOCK = dt.date(2026, 11, 26)


def told(number, day, body, title, **fields):
    return homes.article(number, body, title=title, published=day, **fields)


PRICES = [
    told(
        f"c{day}",
        dt.date(2026, 5, day),
        f"Harga cabai rawit di Pasar Wolasi mencapai Rp {price}.000 per kilogram. "
        "Pedagang menyebut pasokan dari Girimukti berkurang karena hujan.",
        f"Harga Cabai Rawit Pasar Wolasi Rp {price}.000",
    )
    for day, price in ((3, 41), (17, 58), (28, 73))
]
FIRE = [
    told(
        f"k{number}",
        dt.date(2026, 5, 29),
        f"Kebakaran di Pasar Wolasi menghanguskan 40 kios pada Jumat pagi. {more}",
        f"Kebakaran Pasar Wolasi {number}",
        authors=("Sari Dewi",) if number == 1 else (),
    )
    for number, more in enumerate(
        (
            "Pemadam tiba dalam sepuluh menit dan menyemprot kios di sisi barat.",
            "Pedagang menyelamatkan barang ke tepi jalan di depan pasar.",
            "Polisi memeriksa penjaga malam Pasar Wolasi tentang api itu.",
        )
    )
]
OTHERS = [
    told(
        "lomba",
        dt.date(2026, 5, 29),
        "Lomba dayung di Danau Melati dimenangi regu putri Tanjung Elang.",
        "Regu Tanjung Elang Menang",
    ),
    told(
        "film",
        dt.date(2019, 4, 24),
        "Film Layar Senja produksi Rumah Kaca tayang perdana di bioskop pada 24 April 2019.",
        "Film Layar Senja Tayang Perdana",
    ),
    told(
        "lama",
        dt.date(2019, 7, 2),
        "Kebakaran di Pasar Wolasi terjadi lagi dan membakar 12 kios milik pedagang sayur.",
        "Kebakaran Pasar Wolasi Tahun Ini",
    ),
]


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    homes.add(home, [*PRICES, *FIRE, *OTHERS])
    homes.build(home)
    return Chat.open(home, today=lambda: CLOCK)


def cited(answer):
    by_number = {c.number: c.passage.article_id for c in answer.citations}
    return [by_number[n] for claim in answer.claims for n in claim.cited]


def test_the_newest_of_what_was_read_goes_first_if_it_is_nearly_as_likely():
    pages = [
        homes.passage(f"a{day}", ("Harga cabai Rp 10.000.",), published=dt.date(2026, 5, day))
        for day in (1, 2, 3)
    ]
    scores = (3.0, 2.5, 0.0)
    readings = tuple(
        homes.reading(n, page, "Rp 10.000", score)
        for n, (page, score) in enumerate(zip(pages, scores, strict=True), start=1)
    )
    days = [r.passage.published.day for r in confidence.newest_first(readings, 1.0)]
    assert days == [2, 1, 3]
    assert confidence.newest_first(readings, 0.0) == readings
    assert [r.passage.published.day for r in confidence.newest_first(readings, 9.0)][0] == 3


@pytest.mark.parametrize(
    ("asked", "recency"),
    [
        ("harga cabai terbaru", 2.5),
        ("Siapa bupati Girimukti sekarang?", 2.5),
        ("siapa menteri keuangan?", 2.5),
        ("kurs dolar berapa", 2.5),
        ("berapa korban kebakaran Wolasi?", 1.0),
        ("tersangkanya sudah ditahan belum?", 1.0),
        ("harga cabai pada 3 Mei 2026", 0.0),
        ("Siapa bupati yang meresmikan jembatan Waru tahun 2019?", 0.0),
        ("Di mana jembatan Waru?", 0.0),
    ],
)
def test_how_new_an_answer_should_be(asked, recency):
    meant = understand.understand(asked, today=CLOCK)[-1]
    assert meant.query.recency == recency
    assert "terbaru" not in meant.query.text and "sekarang" not in meant.query.text


def test_the_newest_price_is_told_with_its_day(chat):
    turn = chat.ask("harga cabai rawit di Pasar Wolasi terbaru berapa?")
    assert cited(turn.answer)[0] == "ac28"
    assert "Per 28 Mei 2026." in turn.notice


@pytest.mark.parametrize(
    ("asked", "only"),
    [
        ("kapan film Layar Senja berikutnya tayang?", True),
        ("game apa yang sedang ramai dimainkan?", True),
        ("film apa yang tayang bulan ini?", True),
        ("kasus apa yang ditangani polisi belakangan ini?", True),
        ("kasus apa yang ditangani polisi?", False),
        ("Siapa bupati Girimukti sekarang?", True),
        ("Siapa bupati Girimukti?", False),
        ("Hingga kini berapa negara yang mengirim orang ke bulan?", False),
        ("apa kabar terbaru soal Layar Senja?", False),
        ("Kapan rapat terakhir digelar?", False),
    ],
)
def test_news_of_these_days_or_none(chat, asked, only):
    meant = chat.meanings(asked, chat.index())[-1]
    assert (meant.query.recency == topic.ONLY_NEW) == only


def test_what_goes_on_now_is_not_answered_from_long_ago(chat):
    assert "2019" in chat.ask("Kapan film Layar Senja tayang perdana?").answer.claims[0].text
    turn = chat.ask("Kapan film Layar Senja berikutnya tayang?")
    assert turn.answer.status == "no_evidence" and turn.answer.evidence.outdated
    assert "24 April 2019" in silence.reason(turn.answer.evidence)


def test_today_is_the_archives_last_day_where_the_clock_is_ahead(chat):
    turn = chat.ask("Berita hari ini apa saja?")
    assert "Artikel terbaru di arsip: 29 Mei 2026" in turn.notice
    # The story of three articles first, each story once.
    assert len(turn.answer.claims) == 2
    assert cited(turn.answer)[0] in {"ak0", "ak1", "ak2"}
    assert len(turn.answer.citations[0].also_in) == 2
    assert cited(turn.answer)[1] == "alomba"


def test_a_topic_is_told_year_by_year(chat):
    turn = chat.ask("Liputan sepuluh tahun terakhir soal kebakaran Pasar Wolasi")
    assert turn.query.kind == "history"
    assert "2019: 1, 2026: " in turn.notice
    assert [c.passage.published.year for c in turn.answer.citations] == [2026, 2019]


def test_what_an_author_wrote_is_asked_for_by_name(chat):
    turn = chat.ask("tulisan Sari Dewi soal kebakaran Pasar Wolasi")
    assert turn.query.filter == Filter(authors=("Sari Dewi",))
    assert set(cited(turn.answer)) == {"ak1"}


def test_a_turn_of_small_talk_is_no_subject(chat):
    first = chat.ask("Berapa kios hangus dalam kebakaran Pasar Wolasi?")
    thanks = chat.ask("oke makasih", [first])
    assert thanks.answer.status == "no_evidence" and not thanks.answer.evidence.hits
    third = chat.ask("Kapan kejadiannya?", [first, thanks])
    assert "Wolasi" in third.query.text


def test_silence_says_what_is_missing():
    page = homes.passage("a", ("Jembatan Waru diresmikan Bupati Rahmat di Pinang.",))
    assert "artikel yang cocok" in silence.reason(homes.evidence("Siapa?"))
    unknown = silence.reason(homes.evidence("Kapan Jembatan Waru ditutup Zulkifli?", page))
    assert "“Zulkifli” tidak disebut" in unknown
    told = silence.reason(homes.evidence("Berapa biaya Jembatan Waru?", page))
    assert "Arsip memuat sedikitnya 1 artikel" in told and "“biaya”" in told
    assert "jelas menjawab" in silence.reason(homes.evidence("Kapan Jembatan Waru?", page))


def test_written_sets_hold_no_text_and_come_back_from_the_archive(tmp_path, monkeypatch):
    rows = [json.loads(line) for line in sets.WRITTEN.read_text("utf-8").splitlines()]
    assert {row["set"] for row in rows} == set(sets.WRITTEN_SETS)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(isinstance(part, int) for row in rows for a in row["answers"] for part in a[1:])
    homes.add(tmp_path, [homes.article(1, "Kios di Wolasi terbakar.")])
    mine = {"set": "newest", "id": "n1", "text": "Apa yang terbakar?", "kind": "what"}
    place = ["a1", 0, 4, zlib.crc32(b"Kios")]
    other = ["a1", 0, 5, 1]
    mine |= {"answerable": True, "articles": ["a1"], "answers": [place, other, ["b", 0, 1, 2]]}
    file = tmp_path / "written.jsonl"
    file.write_text(json.dumps(mine) + "\n")
    with Archive.open(tmp_path / FILE_NAME, create=True) as archive:
        with pytest.raises(InputError, match="none of the articles"):
            sets.write_out(archive, "missing", tmp_path / "set")
        monkeypatch.setattr(sets, "WRITTEN", file)
        assert sets.write_out(archive, "newest", tmp_path / "set") == 1
    (row,) = map(json.loads, (tmp_path / "set/queries.jsonl").read_text().splitlines())
    assert row["answers"] == ["Kios"]


def telling(asked, *pages):
    found = silence.telling(homes.evidence(asked, *pages))
    return found and (found[0].article_id, found[0].sentence(found[1]))


def test_what_is_not_answered_is_told_by_the_sentence_that_holds_most_of_it():
    other = homes.passage("a", ["Bupati menutup Pasar Lama kemarin."], title="Pasar Lama")
    page = homes.passage(
        "b",
        ["Hujan turun sejak pagi.", "Jembatan Waru ditutup untuk diperbaiki.", "Warga memutar."],
        title="Perbaikan Jembatan Waru",
        published=dt.date(2024, 4, 1),
    )
    asked = "Berapa biaya perbaikan Jembatan Waru?"
    assert telling(asked, other, page) == ("b", "Jembatan Waru ditutup untuk diperbaiki.")
    # Another name, another year: that is another question.
    assert telling("Berapa biaya perbaikan Jembatan Waru Zulkifli?", other, page) is None
    assert telling("Berapa biaya perbaikan Jembatan Waru 2019?", other, page) is None
    assert telling("Berapa biaya perbaikan Jembatan Waru 2024?", other, page) is not None
    assert telling("Siapa pemain voli terbaik?", other, page) is None
    assert telling(asked) is None
