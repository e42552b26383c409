"""The questions on the empty page are ones that this archive answers."""

import datetime as dt

from qa.chat import Chat
from qa.examples import examples
from tests import homes

KNOWN = ("Siapa yang meresmikan Pelabuhan Batu Layar?", "Siapa penemu planet Wurmala?")


def test_known_questions_stay_where_the_archive_answers_them(tmp_path):
    homes.add(tmp_path, homes.HARBOUR)
    homes.build(tmp_path)
    both = (KNOWN[0], "Berapa rumah yang terendam di Sungai Pinang pada Januari 2023?")
    assert examples(Chat.open(tmp_path), both) == both


def test_others_are_made_of_the_newest_articles(tmp_path):
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
    homes.add(tmp_path, homes.HARBOUR)
    homes.build(tmp_path)
    assert examples(chat, KNOWN)[0] == KNOWN[0], "another version, other examples"
