"""Typing mistakes, against a real small index: what is put right and what is let alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.chat import Chat
from qa.question import spelling
from tests import homes

_PLACES = "Nagalera Karangtirta Pasirluhur Balangkas Wanasigra Tanjung".split()


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("ejaan")
    articles = [
        homes.article(
            f"w{number}",
            f"Menteri Wiranto menerima Duta Besar Xie Feng di {place}. Wiranto membahas keamanan "
            f"siber bersama pengusaha ikan asin. Bupati {place} ikut hadir pada pertemuan itu.",
            title=f"Wiranto Berkunjung ke {place}",
        )
        for number, place in enumerate(_PLACES)
    ]
    homes.add(home, [*homes.HARBOUR, *articles])
    homes.build(home)
    return Chat.open(home)


@pytest.fixture(scope="module")
def speller(chat):
    return spelling.Speller(chat._versions.current())


@pytest.mark.parametrize(
    ("asked", "swaps"),
    [
        ("Siapa yang ditemui Wirnato?", (("Wirnato", "Wiranto"),)),
        ("siapa yang ditemui wirannto?", (("wirannto", "wiranto"),)),
        ("Apa yang dibahas WIRATO?", (("WIRATO", "WIRANTO"),)),
        ("Apa yang dibahas Wiranto tentang keamnan siber?", (("keamnan", "keamanan"),)),
        ("Siapa gubernur yang meresmikan Pelabuhn Batu Layar?", (("Pelabuhn", "Pelabuhan"),)),
        ("Berapa rumah terendam di Kecamatan Sungai Pinnag?", (("Pinnag", "Pinang"),)),
        ("Kapan Bupati Karngatirta hadir bersama Wiranto?", (("Karngatirta", "Karangtirta"),)),
    ],
)
def test_a_mistyped_word_is_put_right(speller, asked, swaps):
    spelled = speller.correct(asked)
    assert spelled.swaps == swaps
    meant = asked
    for wrong, right in swaps:
        meant = meant.replace(wrong, right)
    assert spelled.text == meant


@pytest.mark.parametrize(
    "asked",
    [
        "Siapa yang ditemui Wiranto?",
        "Kapan Zulkarnaen Subekti lahir?",
        "Berapa harga emas di Papua?",
        "Siapa Xie?",
        "Apa biang banjir Sungai Pinang?",
        "Mengapa 340 rumah terendam?",
        "",
    ],
)
def test_what_is_well_spelled_or_unlike_anything_stays(speller, asked):
    assert speller.correct(asked) == spelling.Spelled(asked)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("apa yang dibahasin, dan siapa?", "apa yang dibahaskan, dan siapa?"),
        ("siapa yang nemenin Ngatiman?", "siapa yang nemenin Ngatiman?"),  # no such word, a name
        ("ikan asin yang hadir", "ikan asin yang hadir"),
    ],
)
def test_a_verb_as_spoken_is_read_as_written(speller, asked, written):
    assert speller.as_written(asked) == written


def test_a_correction_is_told_and_can_be_undone(chat):
    turn = chat.ask("Siapa yang ditemui Wirnato?")
    assert turn.query.text == "Siapa yang ditemui Wiranto?"
    assert turn.notice == "Menampilkan hasil untuk “Wiranto”, bukan “Wirnato”."
    assert turn.swaps == (("Wirnato", "Wiranto"),)
    *_, typed = chat.stream("Siapa yang ditemui Wirnato?", as_typed=True)
    assert typed.query.text == "Siapa yang ditemui Wirnato?"
    assert not typed.notice
    assert not typed.swaps


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_is_symmetric_and_zero_only_for_equals(one, other):
    away = spelling._distance(one, other, 6)
    assert away == spelling._distance(other, one, 6)
    assert (away == 0) == (one == other)
    assert abs(len(one) - len(other)) <= away <= max(len(one), len(other))
    assert spelling._distance(one, other, 1) == min(away, 2)


@given(st.text("abcdz", min_size=1, max_size=6))
def test_every_spelling_one_edit_away_is_tried(word):
    tried = set(spelling._edits(word))
    assert all(spelling._distance(word, other, 1) <= 1 for other in tried)
    assert word[1:] in tried
    assert f"{word}q" in tried
    assert f"q{word[1:]}" in tried
