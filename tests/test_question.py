"""What a question is understood as."""

import datetime as dt

import pytest

from index.errors import InputError
from index.records import Filter
from qa.question import lexicon, sources, understand
from qa.question.answer_type import answer_type
from qa.question.follow_up import Subject

TODAY = dt.date(2026, 11, 22)

ASKED = {
    "who": (
        "Siapa gubernur yang meresmikan pelabuhan?",
        "Siapakah nakhoda kapal itu?",
        "Pelabuhan itu diresmikan oleh siapa?",
        "siapa sih yang jadi juara",
        "Who opened the harbour?",
    ),
    "when": (
        "Kapan pelabuhan diresmikan?",
        "Tahun berapa pelabuhan itu dibangun?",
        "Gempa itu jam berapa?",
        "kpn banjirnya",
        "Hari apa kereta berjalan?",
        "When was the dam opened?",
    ),
    "where": (
        "Di mana banjir terjadi?",
        "dimana pengungsi ditampung",
        "Ke mana kapal itu berlayar?",
        "Di kota mana lomba digelar?",
        "Dari desa mana ia berasal?",
        "Where did the ship sink?",
    ),
    "howmany": (
        "Berapa rumah yang terendam?",
        "berapa sih harga tiketnya",
        "Ada berapa korban?",
        "brp lama pemadaman",
        "How many houses were damaged?",
        "Seberapa besar kerugiannya?",
    ),
    "why": (
        "Mengapa proyek tertunda?",
        "Apa penyebab banjir?",
        "kenapa bandara ditutup",
        "knp jembatan putus",
        "Apa alasan hakim?",
        "Kok bisa terbakar?",
        "Karena apa kapal tenggelam?",
        "Why was the airport closed?",
    ),
    "quote": (
        "Apa kata gubernur soal pelabuhan?",
        "Apa yang dikatakan Wiranto tentang siber?",
        "Apa tanggapan Deden atas hasil itu?",
        "Kepala desa bilang apa?",
        "Apa yang disampaikan bupati kepada warga?",
        "What did Wiranto say about cyber security?",
    ),
    "how": (
        "Bagaimana cara warga mengungsi?",
        "gimana vaksin tetap dingin",
        "gmn cara kerjanya",
        "How did the news reach Manokwari?",
        "Dengan cara apa uang dikumpulkan?",
    ),
    "latest": (
        "Apa kabar terbaru soal pelabuhan?",
        "Kabar terakhir bendungan?",
        "Update banjir?",
        "Kabar baik apa soal petani kopi?",
        "Apa berita soal PHK karyawan?",
    ),
    "development": (
        "Bagaimana perkembangan kasus tanggul?",
        "Ceritakan kronologi kebakaran.",
        "Bagaimana kelanjutan sidang itu?",
    ),
    "yesno": (
        "Benarkah tanggul jebol?",
        "Apakah ada korban?",
        "Datanya bocor nggak?",
        "Did anyone die in the earthquake?",
    ),
    "what": ("Apa yang disepakati?", "Apa nama robotnya?", "apaan isi kesepakatannya"),
    "comparison": (
        "Bandingkan banjir 2019 dengan 2023.",
        "Apa perbedaan dakwaan dan tuntutan?",
        "Mana yang lebih parah, banjir 2019 atau 2023?",
        "Lebih besar mana, Karangtirta atau Pasirluhur?",
        "Apa bedanya siaga dengan waspada?",
    ),
    "other": ("pelabuhan batu layar", "banjir karangtirta"),
}


def read(asked, before=None, chosen=Filter(), **known):  # noqa: B008
    subjects = (before,) if before else ()
    return understand.understand(asked, subjects, chosen, today=TODAY, **known)


@pytest.mark.parametrize(
    ("asked", "kind"), [(asked, kind) for kind, many in ASKED.items() for asked in many]
)
def test_a_question_is_of_its_kind(asked, kind):
    # Chat words and English are put into newspaper words first.
    assert read(asked)[0].query.kind == kind


def test_first_question_stands_as_typed():
    (only,) = read("  Siapa   meresmikan\nPelabuhan Batu Layar? ")
    assert only.query.text == "Siapa meresmikan Pelabuhan Batu Layar?"
    assert not only.query.filter
    assert not only.notice


@pytest.mark.parametrize(
    ("typed", "formal"),
    [
        ("gimana kabar bendungan sih?", "bagaimana kabar bendungan?"),
        ("Knp pasarnya terbakar dong", "Kenapa pasarnya terbakar"),
        ("bendungan yg di Nagalera udah jadi?", "bendungan yang di Nagalera sudah jadi?"),
        ("Datanya bocor gak ya?", "Datanya bocor tidak?"),
        ("Kok kapalnya tenggelam?", "kenapa kapalnya tenggelam?"),
        ("Apa itu GA?", "Apa itu GA?"),
    ],
)
def test_chat_words_become_those_of_newspapers(typed, formal):
    assert read(typed)[0].query.text == formal


def test_the_chosen_filter_stays_and_outweighs_the_question():
    chosen = Filter(publishers=("Kabar Hulu",))
    assert [r.query.filter for r in read("Di mana banjir?", None, chosen)] == [chosen]
    chosen = Filter(after=dt.date(2020, 1, 1))
    for reading in read("Apa kabar banjir minggu lalu?", None, chosen):
        assert reading.query.filter == chosen


def test_an_endless_question_is_cut():
    assert len(read("banjir " * 5000)[0].query.text) <= understand.LONGEST


# Dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ("Bagaimana keadaan pelabuhan itu?", ["how", "development"]),
        ("Bagaimana kinerja pelabuhan itu?", ["how", "development", "how"]),
        ("Apa produk kopi terbaru di Sarewa?", ["what", "development", "what"]),
        ("Bagaimana cara menenun kain?", ["how"]),
        ("Siapa yang menyebar kabar bohong soal gempa?", ["who"]),
    ],
)
def test_how_things_stand_may_be_read_as_a_topic_at_last(asked, kinds):
    assert [reading.query.kind for reading in read(asked)] == kinds


def test_a_relative_date_is_a_filter_and_can_be_lifted():
    dated, wide = read("Apa kabar soal banjir minggu lalu?")
    days = Filter(dt.date(2026, 11, 9), dt.date(2026, 11, 15))
    assert dated.query.text == "Apa kabar soal banjir?"
    assert dated.query.filter == dated.query.read == days
    assert wide.query.text == "Apa kabar soal banjir?"
    assert not wide.query.filter
    assert wide.widened == days


def test_the_date_of_news_is_a_filter():
    first, *_ = read("Berita longsor pada Februari 2020")
    assert first.query.read == Filter(dt.date(2020, 2, 1), dt.date(2020, 2, 29))
    assert first.query.text == "Berita longsor"
    assert not first.trial


def test_a_date_in_a_fact_is_only_tried():
    trial, plain, undated = read("Siapa presiden pada tahun 1998?")
    year = Filter(dt.date(1998, 1, 1), dt.date(1998, 12, 31))
    assert trial.trial
    assert trial.query.filter == year
    assert plain.query.named == year
    assert not plain.query.filter
    assert trial.query.text == plain.query.text == "Siapa presiden pada tahun 1998?"
    # Articles of that year that do not repeat it may answer too, if they are sure.
    assert undated.sure_only and undated.query.filter == year
    assert undated.query.text == "Siapa presiden?"


def test_the_news_of_some_days_are_told_before_those_of_others():
    days, topic_of_days, *_, last = read("berita ekonomi antara 25 dan 29 Mei 2026")
    week = Filter(dt.date(2026, 5, 25), dt.date(2026, 5, 29))
    assert days.query.filter == topic_of_days.query.filter == week
    assert topic_of_days.query.kind == "development" and last.widened == week


def test_of_two_dates_none_is_a_filter():
    (only,) = read("Apa beda banjir 2019 dengan banjir 2023?")
    assert not only.query.filter
    assert not only.query.named


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Filter(dt.date(2016, 12, 15), dt.date(2016, 12, 15)), "pada 15 Desember 2016"),
        (Filter(after=dt.date(2019, 1, 1)), "sejak 1 Januari 2019"),
        (
            Filter(before=dt.date(2019, 1, 1), publishers=("A", "B")),
            "sampai 1 Januari 2019 dari A, B",
        ),
        (
            Filter(dt.date(2019, 1, 1), dt.date(2019, 2, 1)),
            "antara 1 Januari 2019 dan 1 Februari 2019",
        ),
    ],
)
def test_a_filter_is_said_within_a_sentence(chosen, words):
    assert understand.limits(chosen) == words


# Publishers --------------------------------------------------------------------------------------


class Index:
    """The little of an index that a question is understood by."""

    class version:  # noqa: N801
        passages = 9000
        publishers = (
            ("Kompas.com", 9),
            ("detikcom", 8),
            ("ANTARA", 7),
            ("hariansamudra.com", 6),
            ("suarapesisir.id", 5),
            ("", 4),
        )
        newest = None

    @staticmethod
    def authors():
        return {}

    @staticmethod
    def frequencies(stems):
        return [9 if stem in ("drone", "tsunami") else 0 for stem in stems]


@pytest.mark.parametrize(
    ("asked", "publisher", "rest"),
    [
        ("Menurut Kompas, berapa korban gempa?", "Kompas.com", "Berapa korban gempa?"),
        ("Berapa korban gempa menurut kompas.com?", "Kompas.com", "Berapa korban gempa?"),
        ("Apa kabar gempa Palu di detikcom?", "detikcom", "Apa kabar gempa Palu?"),
        ("Apa berita dari Antara soal gempa?", "ANTARA", "Apa soal gempa?"),
        ("Menurut Harian Samudra, siapa nakhodanya?", "hariansamudra.com", "Siapa nakhodanya?"),
        ("Di berita Suara Pesisir, kapan jaring tersangkut?", "suarapesisir.id",
         "Kapan jaring tersangkut?"),
        ("Dikutip dari koran Kompas, apa sebabnya?", "Kompas.com", "Apa sebabnya?"),
    ],
)  # fmt: skip
def test_a_publisher_that_is_cited_is_a_filter(asked, publisher, rest):
    first, *_, last = read(asked, index=Index)
    assert first.query.read.publishers == (publisher,)
    assert first.query.text == rest
    assert last.widened.publishers == (publisher,)
    assert last.query.text == asked


@pytest.mark.parametrize(
    "asked",
    [
        "Siapa pemimpin redaksi Kompas?",
        "Berapa karyawan di Kompas?",
        "Apa beda banjir di antara dua desa?",
        "Menurut polisi, siapa pelakunya?",
        "Kapan detikcom didirikan?",
    ],
)
def test_a_publisher_that_is_asked_about_is_no_filter(asked):
    (only,) = read(asked, index=Index)
    assert only.query.text == asked
    assert not only.query.filter


def test_publishers_are_found_whatever_their_spelling():
    known = ["Kompas.com", "Kabar Hulu", "detikcom"]
    assert sources.resolve_publishers(["kompas", "KABAR HULU"], known) == (
        "Kompas.com",
        "Kabar Hulu",
    )
    alike = ["Harian Uji", "harianuji.com", "Harian-Uji"]
    assert sources.resolve_publishers(["Harian Uji"], alike) == ("Harian Uji",)
    assert sources.resolve_publishers(["HARIAN UJI"], alike) == tuple(alike)
    with pytest.raises(InputError, match=r"'Kabar Hilir'; did you mean 'Kabar Hulu'\?$"):
        sources.resolve_publishers(["Kabar Hilir"], known)
    with pytest.raises(InputError, match=r"'XYZ'; `tanya status` lists those that it holds\.$"):
        sources.resolve_publishers(["XYZ"], known)


# English -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("Who is the Chinese ambassador?", "Siapa China duta besar?"),
        ("How many people were killed in the Girimukti landslide?",
         "Berapa orang tewas Girimukti longsor?"),
        ("Where did KM Sinar Mutiara sink?", "Di mana KM Sinar Mutiara tenggelam?"),
        ("Did the drone cause a quibble?", "Apakah drone penyebab?"),
    ],
)  # fmt: skip
def test_english_is_searched_by_names_and_the_words_that_are_known(asked, words):
    (only,) = read(asked, index=Index)
    assert only.query.text == words
    assert "berbahasa Indonesia" in only.notice


@pytest.mark.parametrize(
    "asked", ["Siapa vokalis The Beatles?", "Apa itu blockchain?", "update covid", "Kapan Merapi?"]
)
def test_indonesian_with_english_names_is_indonesian(asked):
    assert not read(asked)[0].notice


def test_an_english_date_is_a_date():
    assert read("What happened to Merapi last week?")[0].query.read.after == dt.date(2026, 11, 9)


def test_an_author_is_a_filter_only_if_the_archive_knows_one():
    class Known(Index):
        @staticmethod
        def authors():
            return {"Sari Dewi": 4, "Budi Raharjo": 1}

    first, *_, last = read("tulisan Sari Dewi soal KPK", index=Known)
    assert first.query.read == Filter(authors=("Sari Dewi",)) and "Sari" not in first.query.text
    assert last.widened.authors and not last.query.filter
    for asked in ("tulisan Sari Puspa soal KPK", "Siapa Sari Dewi?", "Apa isi artikel Sari?"):
        assert not read(asked, index=Known)[0].query.filter.authors, asked
    assert sources.resolve_authors(["sari dewi"], Known.authors()) == ("Sari Dewi",)
    with pytest.raises(InputError, match="Sari Dewi"):
        sources.resolve_authors(["Sari Dew"], Known.authors())


# Conversations -----------------------------------------------------------------------------------

HARBOUR = Subject("Siapa meresmikan Pelabuhan Batu Layar?", articles=("a1",))


@pytest.mark.parametrize("asked", ["Kapan itu terjadi?", "Berapa biayanya?", "Siapa gubernurnya?"])
def test_follow_up_takes_the_topic_from_the_question_before(asked):
    here, strange, only = read(asked, HARBOUR)
    assert here.within and here.query == only.query
    assert strange.if_strange and strange.query.text == asked
    assert {"Pelabuhan", "Batu", "Layar"} <= set(only.query.text.rstrip(")?").split())
    assert only.query.kind == answer_type(asked)
    assert only.query.prefer == ("a1",)
    # "Kapan itu terjadi?" has no word of its own that an article could hold.
    assert only.query.own == ("" if "itu" in asked else asked.rstrip("?"))


def test_a_new_topic_starts_afresh_and_is_joined_only_if_it_finds_nothing():
    asked = "Siapa pelatih tim voli Melati Timur?"
    here, alone, joined = read(asked, HARBOUR)
    assert here.within and not alone.within and not joined.within
    assert alone.query.text == asked and not alone.query.prefer
    assert "Batu Layar" in joined.query.text
    assert joined.own == asked


def test_a_follow_up_keeps_the_filter_of_the_question_before():
    read_before = Filter(dt.date(2020, 1, 1), dt.date(2020, 12, 31), ("Kompas.com",))
    before = Subject("Apa kabar banjir Pinang?", read_before, ("a2",))
    assert read("Berapa korbannya?", before)[0].query.filter == read_before
    newer = read("Berapa korbannya tahun lalu?", before)[0].query
    assert newer.filter == Filter(dt.date(2025, 1, 1), dt.date(2025, 12, 31), ("Kompas.com",))
    assert newer.text == "Berapa korbannya (kabar banjir Pinang)?"


def test_contrast_with_a_question_of_its_own_asks_that():
    *_, last = read("kalau yang di Cilacap sanksinya apa?", HARBOUR)
    topic = "meresmikan Pelabuhan Batu Layar"
    assert last.query.text == f"Yang di Cilacap sanksinya apa ({topic})?"


def test_another_publisher_is_asked_of_the_same_question():
    before = Subject("Berapa korban banjir Pinang?", Filter(publishers=("detikcom",)))
    first = read("Kalau menurut Kompas?", before, index=Index)[0].query
    assert first.text == "Berapa korban banjir Pinang?"
    assert first.filter.publishers == ("Kompas.com",)
    asked = read("dari kompas saja", before, index=Index)
    assert asked[0].query.filter.publishers == ("Kompas.com",)


@pytest.mark.parametrize("name", ["english", "chat_words"])
def test_a_word_of_a_list_stands_for_one_word(name):
    others = [other for words in lexicon.table(name).values() for other in words]
    assert len(others) == len(set(others)) == len(lexicon.meanings(name)) > 50
    assert all(other == other.strip().lower() for other in others)
