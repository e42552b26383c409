"""The questions on the empty page are made of the newest stories, and this archive answers them."""

import datetime as dt
import threading

from qa.chat import Chat
from qa.examples import MOST, Examples, examples
from tests import homes

KNOWN = (
    "Siapa yang meresmikan Pelabuhan Batu Layar?",
    "Berapa rumah yang terendam di Sungai Pinang pada Januari 2023?",
    "Siapa penemu planet Wurmala?",
)


def test_they_are_of_the_newest_stories_one_of_each(tmp_path):
    places = ("Muara Jati", "Teluk Waru", "Gunung Ladang", "Danau Biru", "Batu Layar", "Pulau Rusa")
    homes.add(
        tmp_path,
        [
            homes.article(
                n,
                f"Jembatan {place} diresmikan Gubernur Rahmat Hidayat pada {n + 1} Mei 2026. "
                f"Warga menonton upacara sampai sore di tepi sungai {n}.",
                title=f"Jembatan {place} Diresmikan",
                published=dt.date(2026, 5, n + 1),
            )
            for n, place in enumerate(places)
        ],
    )
    homes.build(tmp_path)
    chat = Chat.open(tmp_path)
    found = examples(chat, KNOWN)
    assert found[0] == "Kapan Jembatan Pulau Rusa diresmikan Gubernur Rahmat Hidayat?"
    assert 2 <= len(found) <= MOST and len(set(found)) == len(found)
    for asked in found:
        assert chat.ask(asked).answer.status == "answered"


def test_where_they_are_too_few_others_are_made_of_names(tmp_path):
    chat = Chat.open(tmp_path)
    body = (
        "Pada Senin warga melihat Rangga Wirayudha membuka pasar. Bupati Rangga Wirayudha pulang."
    )
    homes.add(
        tmp_path,
        [
            homes.article(
                n, f"{body} Hari ke-{n}.", title="Rangga Wirayudha Buka Pasar",
                published=dt.date(2026, 4, n),
            )
            for n in range(1, 4)
        ],
    )  # fmt: skip
    homes.build(tmp_path)
    assert examples(chat, KNOWN) == ("Apa kabar terbaru soal Rangga Wirayudha?",)


def test_known_ones_serve_where_there_are_no_others_and_each_version_has_its_own(tmp_path):
    body = "Banjir itu merendam 340 rumah di Sungai Pinang pada Januari 2023. Warga mengungsi."
    homes.add(tmp_path, [homes.article(1, body, published=dt.date(2023, 1, 12))])
    homes.build(tmp_path)
    chat = Chat.open(tmp_path)
    kept = Examples(chat, KNOWN)
    while kept.ready() is None:
        _join()
    assert KNOWN[1] in kept.ready() and KNOWN[2] not in kept.ready()
    homes.harbour(tmp_path)
    assert kept.ready() is None, "another version, other examples"
    _join()
    assert kept.ready()


def _join():
    for thread in threading.enumerate():
        if thread.name == "examples":
            thread.join()
