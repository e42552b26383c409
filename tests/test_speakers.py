"""Whose words a sentence gives, and whose a question asks for."""

import pytest

from index import text
from qa import question, speakers
from qa.chat import Chat
from tests import homes

PIECES = [
    '"Jalan itu dibuka Mei," kata Bupati Rini Salma.',
    '"Kami sudah menunggu lama."',
    "Sopir bus, yang antre sejak pagi, mengeluh.",
    "Kepala Dinas Perhubungan Oka Wirya mengatakan truk dilarang lewat.",
    '"Dendanya besar," ujarnya.',
    "Menurut warga bernama Tarno, jalan itu sempit.",
]


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ("Apa kata Rini Salma soal jalan baru?", "rini salma"),
        ("apa tanggapan dinas perhubungan terkait truk", "dinas perhubungan"),
        ("Apa yang dikatakan Bupati Rini tentang jalan?", "rini"),
        ("Apa kata bupati?", "bupati"),
        ("Kapan jalan dibuka?", ""),
    ],
)
def test_whose_words_are_asked_for(asked, who):
    stems = set(text.stems(who))
    found = set(speakers.asked_for(asked))
    assert found <= stems and bool(found) == bool(stems)


def test_who_speaks_is_found_before_and_after_the_words():
    assert speakers.speakers(PIECES) == [
        "Bupati Rini Salma",
        "Bupati Rini Salma",
        "",
        "Kepala Dinas Perhubungan Oka Wirya",
        "Kepala Dinas Perhubungan Oka Wirya",
        "warga bernama Tarno",
    ]


def test_an_office_speaks_through_who_was_named_with_it():
    who = speakers.asked_for("Apa kata Dinas Perhubungan soal truk?")
    pieces = [*PIECES, '"Kami serius," tegas Oka.']
    assert speakers.spoken_by(pieces, who) == [-1, -1, 0, 1, 1, -1, 1]


def test_the_words_of_another_are_not_given_as_those_of_who_is_asked_for(tmp_path):
    homes.add(
        tmp_path,
        [
            homes.article(
                1,
                "Jembatan Lontar ditutup sepekan. "
                '"Jembatan Lontar harus diganti seluruhnya," kata Camat Budi Harsa. '
                '"Jembatan Lontar cukup diperkuat," kata Gubernur Sinta Lase. '
                "Warga memutar lewat jalan desa.",
                title="Camat dan Gubernur Berbeda soal Jembatan Lontar",
            )
        ],
    )
    homes.build(tmp_path)
    chat = Chat.open(tmp_path)
    for name, said in (("Sinta Lase", "diperkuat"), ("Budi Harsa", "diganti")):
        answer = chat.ask(f"Apa kata {name} soal Jembatan Lontar?").answer
        assert said in answer.claims[0].text
        assert all(said in claim.text or "kata" not in claim.text for claim in answer.claims)


@pytest.mark.parametrize("said", ["terima kasih", "Halo!", "ok siap kak", "makasih infonya ya"])
def test_a_courtesy_is_no_question(said):
    assert question.is_courtesy(said)


@pytest.mark.parametrize(
    "said", ["Siapa Terima Kasih?", "selamat pagi?", "kapan", "pagi", "baik gubernur"]
)
def test_a_question_is_no_courtesy(said):
    assert not question.is_courtesy(said)
