"""What a question is understood as."""

import pytest

from index.errors import InputError
from index.records import Filter
from qa import question


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("Siapa gubernur yang meresmikan pelabuhan?", "who"),
        ("Kapan pelabuhan diresmikan?", "when"),
        ("Tahun berapa pelabuhan itu dibangun?", "when"),
        ("Di mana banjir terjadi?", "where"),
        ("Berapa rumah yang terendam?", "howmany"),
        ("Mengapa proyek tertunda?", "why"),
        ("Apa penyebab banjir?", "why"),
        ("Apa kata gubernur soal pelabuhan?", "quote"),
        ("Bagaimana cara warga mengungsi?", "how"),
        ("Apa kabar terbaru soal pelabuhan?", "latest"),
        ("Bagaimana perkembangan kasus tanggul?", "development"),
        ("Benarkah tanggul jebol?", "yesno"),
        ("Apa yang disepakati?", "what"),
        ("pelabuhan batu layar", "other"),
    ],
)
def test_kind_of(asked, kind):
    assert question.kind_of(asked) == kind


def test_first_question_stands_as_typed():
    query = question.understand("  Siapa   meresmikan\nPelabuhan Batu Layar? ")
    assert query.text == "Siapa meresmikan Pelabuhan Batu Layar?"
    assert not query.filter


@pytest.mark.parametrize("asked", ["Kapan itu terjadi?", "Berapa biayanya?", "Siapa gubernurnya?"])
def test_follow_up_takes_the_topic_from_the_question_before(asked):
    query = question.understand(asked, ["Siapa meresmikan Pelabuhan Batu Layar?"])
    assert {"Pelabuhan", "Batu", "Layar"} <= set(query.text.rstrip("?").split())
    assert query.kind == question.kind_of(asked)


def test_a_new_topic_starts_afresh():
    asked = "Siapa pelatih tim voli Melati Timur?"
    assert question.understand(asked, ["Di mana banjir terjadi?"]).text == asked


def test_the_chosen_filter_stays():
    chosen = Filter(publishers=("Kabar Hulu",))
    assert question.understand("Di mana banjir?", (), chosen).filter == chosen


def test_an_endless_question_is_cut():
    assert len(question.understand("banjir " * 5000).text) <= question.LONGEST


def test_publishers_are_found_whatever_their_spelling():
    known = ["Kompas.com", "Kabar Hulu", "detikcom"]
    assert question.resolve_publishers(["kompas", "KABAR HULU"], known) == (
        "Kompas.com",
        "Kabar Hulu",
    )
    alike = ["Harian Uji", "harianuji.com", "Harian-Uji"]
    assert question.resolve_publishers(["Harian Uji"], alike) == ("Harian Uji",)
    assert question.resolve_publishers(["HARIAN UJI"], alike) == tuple(alike)
    with pytest.raises(InputError, match="Kabar Hulu"):
        question.resolve_publishers(["Kabar Hilir"], known)
