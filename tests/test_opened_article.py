"""An article as it is opened: paragraphs, what belongs to it, what changed, and its routes."""

import datetime as dt
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from index.archive import FILE_NAME, Archive, EarlierText, content_hash
from index.edits import edits
from index.related import Related, corrects
from page.article import Opened, article_html
from page.paragraphs import LONGEST_SHOWN, fitting, left_out, paragraphs
from qa.chat import Chat
from tests import homes
from web import article as routes

TODAY = dt.date(2026, 11, 26)


def days(number):
    return dt.datetime(2026, 5, number, 8, tzinfo=dt.UTC)


# Paragraphs --------------------------------------------------------------------------------------


def shown(body, quotes=()):
    return [
        "".join(piece.text for piece in paragraph.pieces)
        for paragraph in paragraphs(body, "", list(quotes))
    ]


def test_a_line_is_a_paragraph_and_the_page_of_the_publisher_an_aside():
    body = "Warga mengungsi ke balai desa.\n\nBaca juga: Harga Cabai Turun\n  Air surut sore hari."
    found = paragraphs(body, "", [])
    assert shown(body) == [line.strip() for line in body.split("\n") if line]
    assert [paragraph.aside for paragraph in found] == [False, True, False]


def test_lines_that_a_scraper_broke_in_a_sentence_are_one_paragraph():
    body = (
        "Gubernur meresmikan pelabuhan baru yang menelan biaya besar di\nBatu Layar\n"
        "pada hari Selasa bersama warga.\nProyek itu sempat tertunda karena gelombang, kata\n"
        "Rahmat Hidayat\nkepada wartawan yang datang ke sana."
    )
    assert len(shown(body)) == 2


def test_a_body_without_breaks_is_cut_after_sentences():
    body = " ".join(f"Warga desa nomor {n} mengungsi ke balai desa yang jauh." for n in range(60))
    cut = shown(body)
    assert len(cut) > 3
    assert all(part.endswith(".") and len(part) < 600 for part in cut)
    joined = body.replace("jauh. Warga desa nomor 5 ", "jauh.,Warga desa nomor 5 ")
    assert shown(joined)[1].startswith("Warga desa nomor 5 ")
    quote = (0, len(body) // 2)
    assert len(shown(body, [quote])[0]) >= len(body) // 2


bodies = st.text(alphabet='aB. ,\n"<&é', max_size=300).flatmap(
    lambda text: st.sampled_from([text, f"{text} " * 40])
)
cuts = st.lists(st.tuples(st.integers(-5, 400), st.integers(-5, 400)), max_size=6)


@given(bodies, cuts)
def test_each_quote_is_one_piece_and_nothing_else_is_lost(body, spans):
    quotes = fitting(spans, len(body))
    pieces = [piece for each in paragraphs(body, "", quotes) for piece in each.pieces]
    assert [(p.start, p.start + len(p.text)) for p in pieces if p.quoted] == quotes
    assert all(body[p.start : p.start + len(p.text)] == p.text for p in pieces)
    told = "".join(piece.text for piece in pieces)
    assert [c for c in told if c not in ", \n"] == [c for c in body if c not in ", \n"]


@given(cuts, st.integers(0, 300))
def test_spans_that_do_not_fit_are_left_out(spans, length):
    found = fitting(spans, length)
    assert all(0 <= start < end <= length for start, end in found)
    assert all(a[1] < b[0] for a, b in zip(found, found[1:], strict=False))
    inside = {n for a, b in spans if 0 <= a < b <= length for n in range(a, b)}
    assert inside == {n for a, b in found for n in range(a, b)}


def test_of_a_long_body_the_beginning_and_the_quotes_are_shown():
    body = "Warga mengungsi.\n" * 20_000
    quotes = [(200_005, 200_020), (300_000, 300_010)]
    found = paragraphs(body, "", quotes)
    assert [body[a:b] for a, b in quotes] == [
        piece.text for each in found for piece in each.pieces if piece.quoted
    ]
    characters = sum(len(piece.text) for each in found for piece in each.pieces)
    assert characters < LONGEST_SHOWN
    assert 0 < sum(each.gap for each in found) + left_out(body, quotes) < len(body) - characters


# What changed ------------------------------------------------------------------------------------

lines = st.lists(st.sampled_from([f"Kalimat {n}." for n in range(8)]), max_size=12)


@given(lines, lines)
def test_edits_lead_from_one_text_to_the_other(before, after):
    found = edits("\n".join(before), "\n".join(after))
    assert [s for p in found if p.kind != "added" for s in p.sentences] == before
    assert [s for p in found if p.kind != "removed" for s in p.sentences] == after
    assert before != after or [piece.kind for piece in found] in ([], ["kept"])


def test_one_sentence_that_changed_is_one_change():
    before = "Biaya Rp 210 miliar. Warga senang. Kapal sandar."
    after = "Biaya Rp 120 miliar. Warga senang.  Kapal\nsandar. Proyek selesai."
    found = [(piece.kind, piece.sentences) for piece in edits(before, after.replace("\n", " "))]
    assert found == [
        ("removed", ("Biaya Rp 210 miliar.",)),
        ("added", ("Biaya Rp 120 miliar.",)),
        ("kept", ("Warga senang.", "Kapal sandar.")),
        ("added", ("Proyek selesai.",)),
    ]


# Corrections -------------------------------------------------------------------------------------

HARBOUR = replace(homes.HARBOUR[0], story_id="s")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"title": "Ralat: Biaya Pelabuhan", "story_id": "s"}, True),
        ({"title": "RALAT Biaya Pelabuhan Batu Layar", "story_id": "s"}, True),
        ({"title": "[Koreksi] Gubernur Resmikan Pelabuhan", "story_id": "s"}, True),
        ({"title": "Gubernur Resmikan Pelabuhan (Ralat)", "story_id": "s"}, True),
        ({"body": "KOREKSI REDAKSI: biaya pelabuhan Rp 120 miliar.", "story_id": "s"}, True),
        ({"title": "Ralat Berita", "body": "Ralat: dalam Gubernur Resmikan Pelabuhan Batu Layar."},
         True),
        ({"body": "Berita ini mengalami ralat dari judul sebelumnya: \"Gubernur Resmikan Pelabuhan "
                  "Batu Layar\" JAKARTA - Pelabuhan diresmikan."}, True),
        ({"title": "Ralat: Harga Cabai"}, False),
        ({"title": "Gubernur Ralat Ucapannya soal Pelabuhan", "story_id": "s"}, False),
        ({"title": "RALAT UCAPAN SOAL PELABUHAN", "story_id": "s"}, False),
        ({"title": "Koreksi Harga Saham Pelabuhan", "story_id": "s"}, False),
        ({"title": "Koreksi-koreksi di Pelabuhan", "story_id": "s"}, False),
        ({"title": "Rawan Koreksi", "body": "Gubernur Resmikan Pelabuhan Batu Layar."}, False),
        ({"title": "Ralat: Biaya", "story_id": "s", "publisher": "Koran Lain"}, False),
        ({"title": "Ralat: Biaya", "story_id": "s", "published": dt.date(2025, 3, 3)}, False),
        ({"title": "Ralat: Biaya", "story_id": "s", "published": None}, False),
    ],
)  # fmt: skip
def test_a_correction_is_labelled_and_of_this_article(fields, found):
    body = fields.pop("body", "Isi berita.")
    other = homes.article("r", body, **{"published": dt.date(2025, 3, 5), **fields})
    assert corrects(other, HARBOUR) is found


def test_no_article_without_a_publisher_or_story_is_corrected():
    bare = replace(HARBOUR, publisher="", story_id="")
    assert not corrects(homes.article("r", "Ralat: isi.", publisher="", title="Ralat: x"), bare)


# The archive and the routes ----------------------------------------------------------------------

FIRST = HARBOUR.body.replace("Rp 120 miliar", "Rp 210 miliar")
SECOND = HARBOUR.body.replace("setahun", "dua tahun")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    told = replace(homes.HARBOUR[0], authors=("Rini Maharani",))
    ralat = homes.article(
        "k",
        "Ralat: Gubernur Resmikan Pelabuhan Batu Layar. Biayanya Rp 120 miliar.",
        title="Ralat: Biaya Pelabuhan",
        published=dt.date(2025, 3, 6),
    )
    with Archive.open(home / FILE_NAME, create=True) as archive:
        for day, body in ((1, FIRST), (2, SECOND), (3, HARBOUR.body)):
            list(archive.add([replace(told, body=body)], days(day)))
        # The same text, told of another author, is no earlier text.
        list(archive.add([replace(told, editors=("Bayu Aji",)), ralat, *homes.REPRINT], days(4)))
    return home


@pytest.fixture(scope="module")
def client(home):
    app = FastAPI()
    app.include_router(routes.router(Chat.open(home), lambda: TODAY))
    with TestClient(app) as client:
        yield client


class Read(HTMLParser):
    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.marks, self.here, self.text, self.links, self._in = [], "", "", [], ()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag == "mark":
            self.marks.append("")
            self._in = dict(attrs)
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        self._in = () if tag == "mark" else self._in

    def handle_data(self, data):
        self.text += data
        if self._in != ():
            self.marks[-1] += data
            if self._in.get("class") == "here":
                self.here += data


def opened(client, article_id, **asked):
    reply = client.get("/page/article", params={"id": article_id, **asked})
    assert reply.status_code == 200
    return Read(reply.text)


def test_an_article_opens_at_its_quotes_with_all_that_belongs_to_it(client):
    quotes = ["Gubernur Rahmat Hidayat", "Rp 120 miliar"]
    spans = [(HARBOUR.body.index(q), HARBOUR.body.index(q) + len(q)) for q in quotes[::-1]]
    page = opened(client, "a1", spans=",".join(f"{a}-{b}" for a, b in spans))
    assert page.marks == quotes
    assert page.here == "Rp 120 miliar"
    assert "Oleh Rini Maharani" in page.text
    assert "Penerbitnya meralat artikel ini" in page.text
    assert "/?artikel=ak" in page.links
    assert page.text.count("terlihat sejak") == 1
    assert page.text.count("terlihat sampai") == 1
    assert "(diakses 26 November 2026)" in client.get("/page/article?id=a1").text


def test_an_earlier_text_says_when_it_was_seen_and_what_changed(client):
    content = content_hash(replace(HARBOUR, body=FIRST))
    start = FIRST.index("Rp 210")
    page = opened(client, "a1", content=content, spans=f"{start}-{start + 13}")
    assert page.marks == ["Rp 210 miliar"]
    assert "Ini teks lama" in page.text
    assert "Dihapus: Pembangunan pelabuhan itu menelan biaya Rp 210 miliar." in page.text
    assert "Ditambahkan: Pembangunan pelabuhan itu menelan biaya Rp 120 miliar." in page.text
    assert "Teks yang sedang dibuka" in page.text


def test_the_story_at_other_publishers_is_linked(client):
    page = opened(client, "ar1")
    assert {"/?artikel=ar0", "/?artikel=ar2"} <= set(page.links)
    assert "Penerbitnya meralat" not in page.text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"article_id": "tidak-ada"}, "sudah dihapus"),
        ({"article_id": ""}, "sudah dihapus"),
        ({"article_id": "a1\x00' OR 1"}, "sudah dihapus"),
        ({"article_id": "a1", "spans": "x"}, "tidak terbaca"),
        ({"article_id": "a1", "spans": "1-2," * 60}, "tidak terbaca"),
        ({"article_id": "a1", "spans": "9-3"}, "jadi tidak disorot"),
        ({"article_id": "a1", "spans": "0-999999999"}, "jadi tidak disorot"),
        ({"article_id": "a1", "content": "0" * 16, "spans": "0-9"}, "tidak lagi tersimpan"),
    ],
)
def test_what_cannot_be_shown_is_told(client, asked, words):
    page = opened(client, **asked)
    assert words in page.text
    assert page.marks == []


@pytest.mark.parametrize(
    ("form", "kind", "begins", "ending"),
    [
        ("text", "text/plain", "Rini Maharani. 2025. ", "txt"),
        ("bibtex", "application/x-bibtex", "@article{rinimaharani2025-", "bib"),
        ("ris", "application/x-research-info-systems", "TY  - NEWS\r\n", "ris"),
    ],
)
def test_references_are_files(client, form, kind, begins, ending):
    reply = client.get("/page/reference", params={"id": "a1", "form": form})
    assert reply.headers["content-type"] == f"{kind}; charset=utf-8"
    assert reply.text.startswith(begins)
    name = reply.headers["content-disposition"]
    assert name.startswith('attachment; filename="rinimaharani2025-')
    assert name.endswith(f'.{ending}"')


def test_no_reference_of_what_is_not_there(client):
    assert client.get("/page/reference?id=x").status_code == 404
    assert client.get("/page/reference?id=a1&form=docx").status_code == 400


@pytest.mark.parametrize("line", ["a\n", "\n", "Ab. ", "a\tb", "&"])
def test_the_page_of_a_huge_article_is_bounded_and_marks_what_is_cited(line):
    body = line * (800_000 // len(line)) + "Akhir."
    article = replace(HARBOUR, body=body)
    spans = [(start, start + 40) for start in range(0, 800_000, 16_000)]
    before = EarlierText("c", "Judul", None, days(1))
    current = replace(article, body=body[::-1])
    asked = Opened(article, current, Related(), spans, "c", before)
    page = article_html(asked, TODAY)
    assert len(page) < 600_000
    assert Read(page).marks == [body[start:end] for start, end in spans]
