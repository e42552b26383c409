"""Acronyms: what a text introduces, what is believed, and that both forms find the same."""

import pytest

from index.acronyms import Acronyms, introduced
from index.archive import FILE_NAME, Archive
from index.engines.local import LocalEngine
from index.records import Filter
from index.versions import Versions
from tests.homes import INTRODUCING, OTHERS, add, article, build
from tests.news import NOW

ANY = Filter()


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        (
            "Kata Badan Air Bersih Daerah (BABD) kemarin",
            {("babd", "badan air bersih daerah")},
        ),
        ("harga bahan bakar minyak (BBM) naik", {("bbm", "bahan bakar minyak")}),
        (
            "Dinas Energi dan Sumber Daya Mineral (ESDM)",
            {("esdm", "energi dan sumber daya mineral")},
        ),
        ("menurut Kementerian Keuangan (Kemenkeu),", {("kemenkeu", "kementerian keuangan")}),
        ("Rapat di Balai Desa (Selasa) batal", set()),
        ("Ketua Persatuan Nelayan (KPX) hadir", set()),
        ("(KPK)", set()),
        ("Komisi Air (KA) dan Komisi Udara (KU)", {("ka", "komisi air"), ("ku", "komisi udara")}),
    ],
)
def test_what_a_text_introduces(piece, found):
    assert introduced(piece) == found


def test_a_short_word_may_be_skipped_but_not_a_long_one():
    assert introduced("Balai Riset dan Laut (BRL)") == {("brl", "balai riset dan laut")}
    assert introduced("Balai Riset Nasional Laut (BRL)") == set()


def test_a_meaning_is_believed_when_it_is_common_and_the_most_common():
    known = Acronyms({("ka", "komisi air"): 3, ("ka", "kereta api"): 2, ("bb", "buah batu"): 2})
    assert [s.other for s in known.synonyms("Apa tugas KA?")] == [("komisi", "air")]
    assert list(known.synonyms("Di mana BB?")) == []
    split = Acronyms({("ka", "komisi air"): 3, ("ka", "kereta api"): 3})
    assert list(split.synonyms("Apa tugas KA?")) == []


def test_both_forms_are_found_in_a_question():
    known = Acronyms({("babd", "badan air bersih daerah"): 5})
    short, long = ("babd",), ("badan", "air", "bersih", "daerah")
    assert [(s.asked, s.other) for s in known.synonyms("Siapa kepala babd?")] == [(short, long)]
    asked = "Siapa kepala Badan Air Bersih Daerah?"
    assert [(s.asked, s.other) for s in known.synonyms(asked)] == [(long, short)]


def test_two_letters_must_be_capitals():
    known = Acronyms({("di", "dinas irigasi"): 5})
    assert list(known.synonyms("Siapa tinggal di sana?")) == []
    assert len(list(known.synonyms("Siapa kepala DI?"))) == 1


def found(home, question):
    index = Versions(home / "versions", LocalEngine()).current()
    return [(s.passage_id.partition("#")[0], s.score) for s in index.lexical(question, 10, ANY)]


@pytest.fixture
def home(tmp_path):
    add(tmp_path, [*INTRODUCING, *OTHERS])
    build(tmp_path)
    return tmp_path


def test_each_form_finds_passages_that_hold_the_other(home):
    assert found(home, "Apa yang dipasang Badan Air Bersih Daerah di Teluk Jati?")[0][0] == "a10"
    assert found(home, "Apa yang ditutup BABD di Gunung Ladang?")[0][0] == "a11"
    assert {i for i, _ in found(home, "BABD")} >= {"a10", "a11"}


def test_a_form_in_full_is_worth_as_much_as_the_other(home):
    by_short, by_long = dict(found(home, "BABD")), dict(found(home, "Badan Air Bersih Daerah"))
    assert by_short["a10"] > by_short["a12"]
    assert by_long["a11"] > by_long["a12"]
    assert by_short["a11"] == pytest.approx(by_short["a10"], rel=0.3)
    assert by_long["a10"] == pytest.approx(by_long["a11"], rel=0.3)
    # One of the forms counts, not the sum of both.
    alone = dict(found(home, "rapat BABD"))["a1"] - dict(found(home, "rapat"))["a1"]
    assert alone == pytest.approx(by_short["a1"], rel=1e-5)


def test_a_removed_article_no_longer_introduces(home):
    with Archive.open(home / FILE_NAME) as archive:
        archive.remove(["a1"], NOW)
    build(home)
    assert "a11" not in {i for i, _ in found(home, "BABD")}


def test_an_acronym_that_is_mostly_another_word_is_left_alone(tmp_path):
    many = [article(f"x{n}", f"PT Kapal {n} melaut. Nelayan pulang.", title="") for n in range(320)]
    court = [
        article(f"c{n}", f"Hakim Pengadilan Tinggi (PT) sidang {n}.", title="") for n in range(3)
    ]
    add(tmp_path, [*many, *court, article("z", "Pengadilan Tinggi libur.", title="")])
    build(tmp_path)
    assert "az" not in {i for i, _ in found(tmp_path, "PT")}
