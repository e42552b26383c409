"""Sentences of the news turned into questions by their grammar."""

import random

import pytest

from eval import phrasing
from eval.phrasing import About

COMMON = (
    "banjir jembatan warga tim polisi kereta sebanyak pembangunan harga kebakaran panitia gempa "
    "rumah sakit bandara pelatih gubernur wakil bupati ketua pada di jalan tol ribuan tiba"
).split()


def asked(sentence, people=(), title=""):
    """Return the questions of a sentence with what answers them, by kind."""
    known = {name: name for name in people} | {name.split()[0]: name for name in people}
    about = About(COMMON.__contains__, known, frozenset(title.split()))
    return {made.kind: (made.text, made.answer) for made in phrasing.questions(sentence, about)}


@pytest.mark.parametrize(
    ("sentence", "kind", "question", "answer"),
    [
        (
            "Jembatan Kali Anyar diresmikan Wali Kota Tegalwangi pada Senin (3/2/2025).",
            "when",
            "Kapan jembatan Kali Anyar diresmikan Wali Kota Tegalwangi?",
            "Senin (3/2/2025)",
        ),
        (
            "Pada 12 Mei 2024, PT Sinar Laut meluncurkan kapal feri kelima.",
            "when",
            "Kapan PT Sinar Laut meluncurkan kapal feri kelima?",
            "12 Mei 2024",
        ),
        (
            "Tim Voli Putri Kelana juga menjalani latihan di Stadion Wijaya, Cirebon, Rabu (7/8).",
            "where",
            "Di mana tim Voli Putri Kelana menjalani latihan?",
            "Stadion Wijaya, Cirebon",
        ),
        (
            "Kereta Api Argo Mutiara berhenti mendadak karena rel tergenang air setinggi lutut.",
            "why",
            "Mengapa kereta Api Argo Mutiara berhenti mendadak?",
            "rel tergenang air setinggi lutut",
        ),
        (
            "Banjir Kali Cemara merendam lebih dari 340 rumah di Desa Sukamaju.",
            "howmany",
            "Banjir Kali Cemara merendam berapa rumah di Desa Sukamaju?",
            "340 rumah",
        ),
        (
            "Sebanyak 72 pendaki Gunung Merapi dievakuasi tim gabungan.",
            "howmany",
            "Berapa pendaki Gunung Merapi dievakuasi tim gabungan?",
            "72",
        ),
        (
            "Gubernur Sulawesi Utara Ratna Lestari membatalkan lomba perahu naga Teluk Kema.",
            "who",
            "Siapa yang membatalkan lomba perahu naga Teluk Kema?",
            "Ratna Lestari",
        ),
        (
            "Ratna menyebut harga tiket Bandara Kema naik menjelang libur panjang.",
            "quote",
            "Apa kata Ratna Lestari soal harga tiket Bandara Kema?",
            "harga tiket Bandara Kema naik menjelang libur panjang",
        ),
    ],
)
def test_a_sentence_is_asked_for_a_part_of_it(sentence, kind, question, answer):
    assert asked(sentence, ["Ratna Lestari"])[kind] == (question, answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "Ia diresmikan Wali Kota Tegalwangi pada Senin (3/2/2025).",
        "Jembatan itu diresmikan Wali Kota Tegalwangi pada Senin (3/2/2025).",
        "Anaknya merendam 340 rumah di Desa Sukamaju bersama Kali Cemara.",
        "Namun karena rel tergenang, kereta berhenti.",
        "Satria melempar bola ke Desa Sukamaju pada Senin (3/2/2025).",
        "jembatan Kali Anyar diresmikan Wali Kota Tegalwangi pada Senin (3/2/2025).",
        "Jembatan,Kali Anyar diresmikan, ,Wali Kota Tegalwangi pada Senin (3/2/2025).",
        '"Jembatan Kali Anyar diresmikan Wali Kota pada Senin (3/2/2025)," kata Wali Kota.',
        "Dalam dan luar negeri menunggu kabar dari Jakarta dan Surabaya dan Medan.",
    ],
)
def test_what_leans_on_another_sentence_or_is_broken_is_not_asked(sentence):
    assert asked(sentence) == {}


def test_a_time_within_what_hangs_on_the_clause_is_not_asked_for():
    sentence = "Tim Kelana menjuarai Piala Bahari setelah menang di Cirebon pada Senin (3/2/2025)."
    assert {"when", "where"}.isdisjoint(asked(sentence))


def test_a_person_by_one_name_is_called_in_full_or_not_at_all():
    sentence = "Satria menjuarai Lomba Lari Bahari pada Senin (3/2/2025)."
    assert asked(sentence) == {}
    assert asked(sentence, ["Satria Nugraha"])["when"][0].startswith("Kapan Satria Nugraha ")
    assert asked(sentence, title="Satria Juara Lari")["when"][0].startswith("Kapan Satria ")


def test_people_are_known_by_what_they_say():
    body = (
        'Ratna Lestari datang terlambat. Kepala Dinas Budi Santoso menunggu. "Macet," kata Ratna. '
        '"Tidak," ujar Budi Santoso. "Ya," kata Ketua KPK.'
    )
    assert set(phrasing.people(body).values()) == {"Ratna Lestari", "Budi Santoso"}


def test_a_headline_is_asked_whether_it_is_so_unless_it_is_a_list_or_a_label():
    about = About(COMMON.__contains__, {}, frozenset())
    said = "Ratna Lestari Tiba di Bandara Kema"
    assert phrasing.headline(said, about) == "Benarkah Ratna Lestari tiba di bandara Kema?"
    for title in ("Ratna: Harga Tiket Naik di Kema", "Cara Membeli Tiket Bandara Kema", "Kabar"):
        assert phrasing.headline(title, about) == ""


def test_other_words_and_haste_leave_a_question_that_can_be_understood():
    question = "Siapa yang meresmikan jembatan Kali Anyar di Tegalwangi pada malam hari?"
    rng = random.Random(0)
    other = phrasing.in_other_words(question, rng, most=2)
    assert other != question and "Kali Anyar di Tegalwangi" in other
    assert phrasing.shortened(question, rng) == question
    when = "Kapan jembatan Kali Anyar diresmikan di Tegalwangi?"
    assert phrasing.shortened(when, rng) == "Kapan jembatan Kali Anyar diresmikan?"
    hasty = phrasing.typed(question, rng)
    assert hasty == hasty.lower() and hasty.split()[1] == "yg"
    assert sum(a != b for a, b in zip(hasty.split(), question.lower().split(), strict=True)) <= 6
