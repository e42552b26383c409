"""While a question is typed, only what stands in the archive is suggested, however it was built."""

import datetime as dt
import re

import pytest

from index.archive import FILE_NAME, Archive
from index.names import folded, names_in
from qa.chat import Chat
from qa.suggestions import MOST, suggest
from tests import homes
from tests.news import NOW

TOWNS = ("Sungai Pinang", "Teluk Waru", "Gunung Ladang")


def _article(n, **fields):
    town = TOWNS[n % 3]
    body = (
        f"Warga melihat Siti Rahmawati membuka pasar ke-{n} di {town}. Pasar itu ramai. "
        f"Lalu rombongan José Álvarez datang dari {town}, kata Harian Uji pada Senin. "
        f"Petugas Dinas Pasar menjaga pintu."
    )
    fields = {"published": dt.date(2026, 1, 1 + n), "title": f"Pasar {n} Dibuka {town}", **fields}
    return homes.article(n, body, **fields)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    home = tmp_path_factory.mktemp("market")
    homes.add(home, [_article(n) for n in range(9)])
    homes.build(home)
    return Chat.open(home).index()


def _all(index):
    """Return all that can be suggested of a version, in order."""
    every = [headline.title for headline in index.headlines((), 1000)]
    found = [h.title for h in index.headlines(["pasar"], 1000)]
    return every, found, [index.names(key, 1000) for key in ("", "s", "teluk w", "alv")]


def test_a_version_built_step_by_step_suggests_what_one_built_at_once_does(tmp_path):
    steps, once = tmp_path / "steps", tmp_path / "once"
    for home in (steps, once):
        home.mkdir()
    homes.add(steps, [_article(n) for n in range(7)])
    homes.build(steps)
    # Some go, one is changed, others come: of a name that none holds any more nothing stays.
    lost = [homes.article(20 + n, "Di sini Wijaya Kusuma Lama tinggal.") for n in range(3)]
    homes.add(steps, lost)
    homes.build(steps)
    assert Chat.open(steps).index().names("wijaya", 5) == [("Wijaya Kusuma Lama", 3)]
    with Archive.open(steps / FILE_NAME) as archive:
        archive.remove([one.id for one in (*lost, _article(2))], NOW)
    homes.add(steps, [_article(3, title="Judul Baru Pasar"), *map(_article, range(7, 12))])
    homes.build(steps)
    kept = [_article(n) for n in range(12) if n not in (2, 3)]
    homes.add(once, [_article(3, title="Judul Baru Pasar"), *kept])
    homes.build(once)
    assert _all(Chat.open(steps).index()) == _all(Chat.open(once).index())


def test_what_is_suggested_stands_in_the_archive(market):
    articles = [_article(n) for n in range(9)]
    bodies, titles = " ".join(a.body for a in articles), {a.title for a in articles}
    for typed in ("siapa siti", "PASAR", "alvarez", "di tel", "gun", "pasar di sungai p", "s", ""):
        found = suggest(market, typed)
        assert len(found.names) + len(found.titles) <= MOST
        assert all(name in bodies for name in found.names)
        assert titles.issuperset(found.titles)


def test_names_go_on_with_the_last_words(market):
    typed = "Kapan siti rah"
    found = suggest(market, typed)
    assert found.names == ("Siti Rahmawati",)
    assert typed[: found.start] + found.names[0] == "Kapan Siti Rahmawati"
    assert suggest(market, "siapa ALVAREZ").names == ("José Álvarez",), "accents, case, inner words"
    assert suggest(market, "rahm").names == ("Siti Rahmawati",)


def test_headlines_come_newest_first_by_every_word_that_says_something(market):
    assert suggest(market, "kapan pasar dib").titles[0] == "Pasar 8 Dibuka Gunung Ladang"
    assert suggest(market, "pasar dibuka di teluk").titles == tuple(
        f"Pasar {n} Dibuka Teluk Waru" for n in (7, 4, 1)
    )
    assert not suggest(market, "pasar dibuka di bulan").titles


def test_no_publisher_day_or_question_word_is_a_name(market):
    for typed in ("harian", "uji", "senin", "siapa", "yang", "di"):
        assert not suggest(market, typed).names, typed


def test_signs_of_a_search_language_are_words_like_others(market):
    for typed in (
        '"',
        "pasar*",
        'pasar" OR "x',
        "NEAR(pasar",
        "-pasar",
        "a_b pasar",
        "pasar\x00",
        "％",
    ):
        found = suggest(market, typed)
        assert len(found.titles) <= MOST


def test_a_name_is_in_capitals_within_a_sentence_and_nowhere_in_small_letters():
    told = "Presiden Jokowi datang. Lalu kata Presiden itu, presiden bertemu Ali bin Abi di A.com."
    held, plain = names_in([told])
    assert held == {"Ali bin Abi"} and plain == {"Presiden"}
    assert folded("José  Álvarez-LÓPEZ (1)") == "jose alvarez lopez 1"
    assert re.fullmatch(r"\w+( \w+)*", folded("a_b, c"))
