"""What the chat writes on its page: words, escaping, and the law that a highlight is the quote."""

import ast
import asyncio
import dataclasses
import datetime as dt
import json
import shutil
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from index.errors import IndexDamagedError
from index.manifest import IndexVersion, Recipe
from index.records import (
    Answer,
    Article,
    Citation,
    Claim,
    Evidence,
    Filter,
    Passage,
    Query,
    Turn,
)
from index.related import Related
from page import html, texts
from page.article import Opened, article_html, unread_html
from page.templates import render
from qa.chat import Chat, Overview
from qa.history import History
from qa.question.small_talk import SMALL_TALK
from tests import homes
from tests.asking import taken
from web.answering import Answering, Request, read_request

EVIL = (
    '<img src=x onerror="window.pwned=1"></script><script>window.pwned=1</script>'
    "![x](http://evil.example/a.png) [klik](http://evil.example) ${window.pwned=1} {{value}} ' \" `"
)
OURS = set(
    "a article aside bdi blockquote br button code del details div em footer form h1 h2 h3 h4 "
    "header i input ins label li mark p pre q section small span strong summary ul".split()
)


class Page(HTMLParser):
    """Reads HTML as a browser would: its elements, its text, and what is highlighted."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.marks = []
        self.text = ""
        self._inside_mark = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "mark":
            self._inside_mark = True
            self.marks.append("")

    def handle_endtag(self, tag):
        if tag == "mark":
            self._inside_mark = False

    def handle_data(self, data):
        self.text += data
        if self._inside_mark:
            self.marks[-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def assert_harmless(source):
    page = Page(source)
    for tag, attributes in page.elements:
        assert tag in OURS, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            address = attributes.get(name, "#")
            assert address.startswith(("#", "/?", "/page/", "http://", "https://"))
    return page


def passage(body, start, end, **fields):
    values = {
        "id": "a1#0",
        "article_id": "a1",
        "story_id": "a1",
        "text": body[start:end],
        "spans": ((start, end),),
        "title": "Pasar Terbakar",
        "publisher": "Harian Uji",
        "url": "https://uji.example/1",
        "published": dt.date(2016, 12, 15),
        "content": "c1",
    }
    return Passage(**{**values, **fields})


def cite(number, body, quote, **fields):
    start = body.index(quote)
    also = fields.pop("also_in", ())
    where = passage(body, start, start + len(quote), **fields)
    return Citation(number, where, quote, start, start + len(quote), also)


def turn(citations=(), claims=(), *, status="answered", hits=(), **fields):
    query = fields.pop("query", Query("Apa yang terbakar?"))
    answer = Answer(
        status,
        fields.pop("short", ""),
        tuple(claims),
        tuple(citations),
        tuple(fields.pop("dropped", ())),
        0.9,
        Evidence(query, tuple(hits), "000001"),
        "extractive",
    )
    return Turn(fields.pop("question", query.text), query, answer, **fields)


def archive(*articles):
    known = {article.id: article for article in articles}
    return lambda article_id, content: known.get(article_id)


# Words -------------------------------------------------------------------------------------------


def test_dates_are_written_as_in_the_paper():
    assert texts.date_words(dt.date(2016, 12, 15)) == "15 Desember 2016"
    assert texts.date_words(None) == "tanpa tanggal"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "baru saja"),
        (59, "baru saja"),
        (60, "1 menit lalu"),
        (3599, "59 menit lalu"),
        (3600, "1 jam lalu"),
        (86_400, "1 hari lalu"),
        (30 * 86_400, "1 Januari 2026"),
    ],
)
def test_freshness_is_written_in_the_largest_unit(seconds, words):
    then = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    assert texts.ago_words(then, then + dt.timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("15/12/2016", "2016-12-15", "2016-12-15"),
        (" 5-1-2020 ", "2020-01-05", "2020-01-05"),
        ("2016-12-15", "2016-12-15", "2016-12-15"),
        ("15 Desember 2016", "2016-12-15", "2016-12-15"),
        ("1 des 2016", "2016-12-01", "2016-12-01"),
        ("Februari 2024", "2024-02-01", "2024-02-29"),
        ("12/2016", "2016-12-01", "2016-12-31"),
        ("2016", "2016-01-01", "2016-12-31"),
    ],
)
def test_dates_are_read_as_people_type_them(typed, first, last):
    assert str(texts.parse_day(typed)) == first
    assert str(texts.parse_day(typed, last=True)) == last


@pytest.mark.parametrize("typed", ["31/02/2020", "kemarin", "1/1/20", "ma 2020", "13/2020", "0"])
def test_a_wrong_date_is_named_and_an_example_given(typed):
    with pytest.raises(ValueError, match="tidak dikenali. Contoh: 15/12/2016") as error:
        texts.parse_day(typed)
    assert typed in str(error.value)


def test_no_date_is_no_limit():
    assert texts.parse_day("  ") is None
    assert texts.parse_filter("", "", None) == Filter()


def test_a_filter_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="1 Januari 2021.*jatuh sesudah.*31 Desember 2020"):
        texts.parse_filter("2021", "2020", [])


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Filter(), ""),
        (Filter(after=dt.date(2016, 1, 1)), "sejak 1 Januari 2016"),
        (Filter(before=dt.date(2016, 1, 1)), "sampai 1 Januari 2016"),
        (
            Filter(dt.date(2016, 1, 1), dt.date(2017, 1, 1), ("A",)),
            "1 Januari 2016 – 1 Januari 2017 · A",
        ),
        (Filter(publishers=tuple("ABCDE")), "A, B, C, 2 penerbit lain"),
    ],
)
def test_a_filter_is_put_in_words(chosen, words):
    assert texts.filter_words(chosen) == words


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://uji.example/a?b=1&c=2", True),
        ("http://uji.example", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//uji.example", False),
        ("https://", False),
        ("http://[", False),
        ("uji.example/a", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url, linked):
    assert texts.safe_url(url) == (url if linked else "")


def test_freshness_line():
    now = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    version = IndexVersion(
        "000007",
        now - dt.timedelta(minutes=5),
        Recipe("local", "bundled", 256, 160, ""),
        1042,
        3000,
        900,
        dt.date(2026, 4, 1),
        dt.date(2014, 1, 1),
        (("A", 1000), ("B", 40), ("", 2)),
    )
    overview = Overview(version, waiting=3)
    line = assert_harmless(html.freshness_html(overview, now)).text
    assert line == (
        "1.042 artikel · 2 penerbit · 2014 sampai 1 April 2026 · indeks diperbarui 5 menit lalu · "
        "3 artikel menunggu tanya build"
    )


# The quote ---------------------------------------------------------------------------------------

BODY = (
    "JAKARTA -- Pasar  Wolasi terbakar.\n\n"
    "Api menghanguskan 412 dari\u00a0530 kios.  Tidak ada korban jiwa.\n"
    "Baca juga: Kapal karam"
)


def test_the_paragraph_is_the_lines_around_the_quote():
    start = BODY.index("Tidak ada")
    begin, stop = html.paragraph_of(BODY, start, start + 10)
    assert BODY[begin:stop].startswith("Api menghanguskan")
    assert BODY[begin:stop].endswith("korban jiwa.")


@given(
    st.text(alphabet="ab <>&\"'\n\t\u00a0é.", min_size=1, max_size=80),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=4),
)
def test_what_is_highlighted_is_exactly_the_body(body, cuts):
    spans = sorted((min(a, b), min(max(a, b), len(body))) for a, b in cuts)
    spans = [(a, b) for a, b in spans if a < b]
    apart = [s for n, s in enumerate(spans) if all(s[0] >= e[1] for e in spans[:n])]
    page = Page(html.marked(body, (0, len(body)), [(span, "") for span in apart]))
    assert page.marks == [body[start:end] for start, end in apart]
    assert "".join(page.text.split()) == "".join(body.split())


@given(st.integers(0, 2000), st.integers(1, 300))
def test_a_long_paragraph_is_shortened_around_the_whole_quote(start, length):
    body = " ".join(f"kata{n}" for n in range(300))
    start = min(start, len(body) - 1)
    end = min(start + length, len(body))
    page = Page(html.excerpt(body, [((start, end), "")]))
    assert page.marks == [body[start:end]]
    assert len(page.text) <= (end - start) + 1000
    shown = page.text.removeprefix("… ").removesuffix(" …")
    assert shown in body


def test_a_card_holds_every_quote_of_its_article():
    article = Article("a1", "Harian Uji", "Pasar Terbakar", BODY)
    first = cite(1, BODY, "Api menghanguskan 412 dari\u00a0530 kios.")
    second = cite(2, BODY, "Pasar  Wolasi terbakar.")
    third = cite(3, BODY, "Tidak ada korban jiwa.")
    shown = turn(
        [first, second, third],
        [Claim("Api menghanguskan 412 kios.", (1, 3)), Claim("Pasar Wolasi terbakar.", (2,))],
    )
    page = assert_harmless(html.turn_html(shown, 4, Filter(), archive(article)))
    assert page.marks == [second.quote, first.quote, third.quote]
    assert len(page.all("article")) == 1
    assert len(page.all("blockquote")) == 2
    ids = {attributes["id"] for attributes in page.all("mark")}
    cited = [a["data-to"] for a in page.all("a") if "data-to" in a]
    assert cited == ["ta-mark-4-1", "ta-mark-4-3", "ta-mark-4-2"]
    assert set(cited) == ids
    assert "15 Desember 2016" in page.text
    assert "Baca juga" not in page.text


def test_quotes_that_overlap_are_each_shown_whole():
    article = Article("a1", "Harian Uji", "Pasar Terbakar", BODY)
    quotes = ["Api menghanguskan 412", "menghanguskan 412 dari", "412"]
    cited = [cite(n, BODY, quote) for n, quote in enumerate(quotes, start=1)]
    shown = turn(cited, [Claim("x", (1, 2, 3))])
    page = Page(html.turn_html(shown, 1, Filter(), archive(article)))
    assert page.marks == quotes


def test_links_ask_for_the_text_that_the_quote_was_cut_from():
    article = Article("a1", "Harian Uji", "Pasar Terbakar", BODY)
    quote = cite(1, BODY, "Tidak ada korban jiwa.")
    page = Page(html.turn_html(turn([quote], [Claim("x", (1,))]), 1, Filter(), archive(article)))
    wanted = [link["data-article"] for link in page.all("a") if "data-article" in link]
    start = BODY.index(quote.quote)
    spans = [[start, start + len(quote.quote)]]
    asked = {"id": "a1", "content": "c1", "spans": spans}
    assert list(map(json.loads, wanted)) == [asked, asked]


def test_a_removed_article_leaves_its_quote():
    quote = cite(1, BODY, "Tidak ada korban jiwa.")
    page = Page(html.turn_html(turn([quote], [Claim("x", (1,))]), 1, Filter(), archive()))
    assert page.marks == ["Tidak ada korban jiwa."]
    assert "tidak lagi tersimpan" in page.text
    assert "Buka artikel" not in page.text


def test_other_publishers_of_the_story_are_named():
    article = Article("a1", "Harian Uji", "Pasar Terbakar", BODY)
    other = Article("b2", "Koran Lain", "Pasar Ludes", "Isi.")
    quote = cite(1, BODY, "Tidak ada korban jiwa.", also_in=("b2", "gone"))
    shown = turn([quote], [Claim("x", (1,))])
    page = Page(html.turn_html(shown, 1, Filter(), archive(article, other)))
    assert "Juga di: Koran Lain" in page.text


# Hostile archives and visitors -------------------------------------------------------------------


def test_what_articles_hold_stays_text():
    body = f"Wali kota datang. {EVIL} Warga senang.\n{EVIL}"
    article = Article(
        'x"><b', EVIL, EVIL, body, "javascript:alert(1)", authors=(EVIL,), origin=EVIL
    )
    fields = {"article_id": article.id, "title": EVIL, "publisher": EVIL, "url": article.url}
    quote = cite(1, body, f"{EVIL} Warga", **fields, also_in=(article.id,))
    shown = turn(
        [quote],
        [Claim(EVIL, (1,))],
        short=EVIL,
        question=EVIL,
        query=Query(EVIL + "?", Filter(publishers=(EVIL,))),
        notice=EVIL,
        dropped=[Claim(EVIL, (9,))],
    )
    page = assert_harmless(html.turn_html(shown, 1, Filter(), archive(article)))
    assert page.marks == [quote.quote]
    assert page.text.count(" ".join(EVIL.split())) >= 8
    assert not [a for a in page.all("a") if not a["href"].startswith(("/?", "/page/reference?"))]
    span = (quote.start, quote.end)
    opened = Opened(
        article,
        dataclasses.replace(article, body=EVIL),
        Related((article,), (article,)),
        [span],
        "c",
    )
    read = assert_harmless(article_html(opened, dt.date(2026, 5, 1)))
    assert read.marks == [quote.quote]
    assert_harmless(unread_html(EVIL, EVIL))
    hits = [homes.hit(quote.passage)]
    silent = turn(status="no_evidence", hits=hits, question=EVIL)
    assert_harmless(html.turn_html(silent, 1, Filter(publishers=(EVIL,)), archive(article)))
    assert_harmless(html.error_html(EVIL, "c", 1, IndexDamagedError(EVIL)))
    assert_harmless(html.error_html(EVIL, "c", 1, RuntimeError(EVIL)))
    assert_harmless(html.refused_html(EVIL, {"text": EVIL}))
    for name, values in (
        ("next.html", {"label": "Lanjutan", "questions": [EVIL]}),
        ("examples.html", {"questions": [EVIL]}),
        ("suggest.html", {"groups": [("Judul", 0, [EVIL])]}),
    ):
        assert_harmless(render(name, **values))
    said = turn(question=EVIL, query=Query(EVIL, kind=SMALL_TALK), notice=EVIL)
    assert_harmless(html.turn_html(said, 1, Filter(), archive(article)))


def test_an_unexpected_error_keeps_its_details_to_the_log():
    assert "rahasia" not in html.error_html("Apa?", "c", 1, RuntimeError("rahasia"))


# States ------------------------------------------------------------------------------------------


def test_silence_offers_the_closest_articles():
    body = "Harga cabai turun di pasar induk."
    hits = [homes.hit(passage(body, 0, len(body), article_id=f"a{n}")) for n in range(5)]
    shown = turn(status="no_evidence", hits=hits)
    page = assert_harmless(html.turn_html(shown, 1, Filter(), archive()))
    assert "Jawabannya tidak ditemukan di arsip." in page.text
    assert "Mungkin terkait" in page.text
    assert len(page.all("article")) == 3
    assert "Salin" not in page.text


def test_unproven_sentences_are_counted_and_can_be_seen():
    shown = turn(status="unsupported", dropped=[Claim("Satu.", (1,)), Claim("Dua.", (1,))])
    page = assert_harmless(html.turn_html(shown, 1, Filter(), archive()))
    assert "2 kalimat jawabannya tidak dapat dibuktikan" in page.text
    assert "2 kalimat tidak lolos pemeriksaan sumber" in page.text
    assert "Satu." in page.text


def test_what_was_understood_is_shown_only_where_it_differs():
    same = turn(question="  Apa yang\nterbakar? ", query=Query("Apa yang terbakar?"))
    assert "Dipahami sebagai" not in html.turn_html(same, 1, Filter(), archive())
    other = turn(question="Lalu di mana?", query=Query("di mana pasar terbakar?"))
    page = Page(html.turn_html(other, 1, Filter(), archive()))
    assert "Dipahami sebagai: di mana pasar terbakar?" in page.text
    assert [i["value"] for i in page.all("input")] == ["di mana pasar terbakar?"]


def requests(page):
    return [json.loads(b["data-ask"]) for b in page.all("button") if "data-ask" in b]


def test_a_filter_that_was_read_from_the_question_can_be_taken_off_and_changed():
    read = Filter(dt.date(2016, 1, 1), dt.date(2016, 12, 31), (EVIL,))
    shown = turn(query=Query("Apa yang terbakar?", read, read=read), question="Berita 2016?")
    page = assert_harmless(html.turn_html(shown, 3, Filter(), archive()))
    assert "Terbit: 2016×" in page.text
    assert f"Penerbit: {EVIL}×" in page.text
    again = {"text": "Berita 2016?", "turn": 3}
    days = {"after": "2016-01-01", "before": "2016-12-31"}
    assert requests(page) == [
        {**again, "limits": {"after": "", "before": "", "publishers": [EVIL], "authors": []}},
        {**again, "limits": {**days, "publishers": [], "authors": []}},
    ]
    fields = {i["name"]: i["value"] for i in page.all("input")}
    assert fields == {"text": "Apa yang terbakar?", "after": "01/01/2016", "before": "31/12/2016"}


def test_a_date_of_the_fact_is_offered_as_a_filter():
    year = Filter(dt.date(1998, 1, 1), dt.date(1998, 12, 31))
    shown = turn(query=Query("Siapa presiden pada 1998?", named=year))
    page = assert_harmless(html.turn_html(shown, 1, Filter(), archive()))
    assert "Coba hanya artikel 1998" in page.text
    assert "Dipahami sebagai" not in page.text
    (request,) = requests(page)
    assert read_request(request).limits == year


def test_a_corrected_spelling_is_shown_and_can_be_undone():
    shown = turn(notice=f"Menampilkan hasil untuk {EVIL}.", swaps=(("Wirnato", "Wiranto"),))
    page = assert_harmless(html.turn_html(shown, 2, Filter(), archive()))
    assert f"Menampilkan hasil untuk {EVIL}. Cari seperti yang diketik" in page.text
    assert requests(page) == [{"text": shown.question, "turn": 2, "typed": True}]
    plain = turn(notice="Hanya 2000 karakter pertama.")
    assert not requests(Page(html.turn_html(plain, 2, Filter(), archive())))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2019-01-01", "2019-12-31", "2019"),
        ("2020-02-01", "2020-02-29", "Februari 2020"),
        ("2016-12-15", "2016-12-15", "15 Desember 2016"),
        ("2018-01-01", "2020-12-31", "1 Januari 2018 – 31 Desember 2020"),
        ("2019-01-01", "", "sejak 1 Januari 2019"),
        ("", "2019-01-01", "sampai 1 Januari 2019"),
    ],
)
def test_days_are_written_in_few_words(first, last, words):
    limits = {"after": first, "before": last, "publishers": [3, None]}
    days = read_request({"text": "Apa?", "limits": limits}).limits
    assert texts.days_words(days) == words
    assert days.publishers == ()


def test_a_very_long_question_is_shown_shortened():
    asked = "mengapa " * 1000
    page = Page(html.turn_html(turn(question=asked), 1, Filter(), archive()))
    assert len(page.text) < 5000
    assert "mengapa…" in page.text or "mengapa …" in page.text


def test_a_copied_answer_carries_its_citations():
    quote = cite(1, BODY, "Tidak ada korban jiwa.")
    shown = turn([quote], [Claim("Tidak ada korban jiwa.", (1,))], short="Tidak ada")
    assert texts.plain_text(shown) == (
        "Apa yang terbakar?\n\nTidak ada korban jiwa. [1]\n\nSumber:\n"
        "[1] Pasar Terbakar (Harian Uji, 15 Desember 2016) https://uji.example/1\n"
        "    “Tidak ada korban jiwa.”"
    )


def test_the_short_answer_is_bold_in_the_sentence_once():
    quote = cite(1, BODY, "Tidak ada korban jiwa.")
    claims = [Claim("Tidak ada <korban>, tidak ada kerugian.", (1,))] * 2
    page = html.turn_html(turn([quote], claims, short="ada <korban>"), 1, Filter(), archive())
    assert page.count("Tidak <strong>ada &lt;korban&gt;</strong>, tidak ada kerugian.") == 1
    assert page.count("<strong>") == 1


# What happens on the page ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return homes.harbour(tmp_path_factory.mktemp("harbour"))


@pytest.fixture
def answering(home):
    return Answering(Chat.open(home, today=lambda: dt.date(2025, 3, 1)), History(None))


def shown(answering, text, **sent):
    """Ask as the page does; return what it was shown, step by step, and what is kept."""
    steps = taken(app.answered(answering, {"text": text, **sent}, "ani"))
    place = Page(steps[-1]).all("section")
    kept = answering.history.turns("ani", place[0]["data-conversation"]) if place else []
    return steps, kept


def test_an_answer_grows_and_joins_the_conversation(answering):
    steps, [kept] = shown(answering, "Siapa yang meresmikan Pelabuhan Batu Layar?")
    assert "Menelusuri arsip…" in steps[0]
    assert "Rahmat Hidayat" in steps[-1]
    assert Page(steps[-1]).marks == [c.quote for c in kept.turn.answer.citations]
    steps, kept = shown(answering, "Kapan itu?", conversation=kept.conversation)
    assert [each.number for each in kept] == [1, 2]
    assert "Dipahami sebagai" in steps[-1]


@pytest.mark.parametrize("nothing", ["", "  \n", "?!…", None])
def test_no_question_is_no_turn(answering, nothing):
    [only], kept = shown(answering, nothing)
    assert "Tulis dulu pertanyaan Anda." in only
    assert not kept
    assert not answering.history.conversations("ani")


@pytest.mark.parametrize("sent", [None, "x", [], 3])
def test_what_the_page_did_not_write_is_no_request(answering, sent):
    [only] = taken(app.answered(answering, sent, "ani"))
    assert "tidak terbaca" in only


def test_a_request_takes_only_what_it_understands():
    request = read_request({"text": " Apa? ", "turn": "1", "limits": 3, "publishers": [1, "a"]})
    assert request == Request("Apa?", chosen=Filter(publishers=("a",)))


def test_a_wrong_date_stops_the_question(answering):
    [only], kept = shown(answering, "Apa kabar?", after="kemarin dulu")
    assert "“kemarin dulu” tidak dikenali" in only
    assert not kept


def test_the_filter_holds_for_the_answer(answering):
    _, [kept] = shown(answering, "Berapa rumah yang terendam di Sungai Pinang?", before="2023")
    assert {c.passage.published.year for c in kept.turn.answer.citations} == {2023}
    assert kept.chosen == Filter(before=dt.date(2023, 12, 31))
    _, [kept] = shown(answering, "Apa kata Rahmat?", publishers=["Kabar Hulu"])
    hits = kept.turn.answer.evidence.hits
    assert {hit.passage.publisher for hit in hits} == {"Kabar Hulu"}


def test_a_filter_of_the_question_can_be_lifted_and_changed(answering):
    asked = "Apa kabar banjir Sungai Pinang bulan lalu?"
    steps, [kept] = shown(answering, asked)
    query = kept.turn.query
    assert query.read == Filter(dt.date(2025, 2, 1), dt.date(2025, 2, 28))
    assert "95 rumah" in steps[-1]
    again = {"conversation": kept.conversation, "turn": 1}
    free = {"after": "", "before": "", "publishers": []}
    _, kept = shown(answering, asked, limits=free, **again)
    assert kept[1].turn.query == dataclasses.replace(query, filter=Filter(), read=Filter())
    changed = {"after": "2023", "before": "2023", "publishers": ["Kabar Hulu"]}
    steps, kept = shown(answering, "Berapa rumah terendam?", limits=changed, edited=True, **again)
    query = kept[2].turn.query
    assert (query.text, query.kind) == ("Berapa rumah terendam?", "howmany")
    assert query.filter == Filter(
        dt.date(2023, 1, 1), dt.date(2023, 12, 31), publishers=("Kabar Hulu",)
    )
    assert "340 rumah" in steps[-1]
    [only], _ = shown(answering, "Apa?", limits={"after": "31/02/2020"}, **again)
    assert "“31/02/2020” tidak dikenali" in only


def test_a_correction_can_be_undone(answering):
    steps, [kept] = shown(answering, "Siapa gubernur yang meresmikan Pelabuhn Batu Layar?")
    assert "Cari seperti yang diketik" in steps[-1]
    assert "Rahmat Hidayat" in steps[-1]
    again = {"conversation": kept.conversation, "turn": 1, "typed": True}
    _, kept = shown(answering, kept.question, **again)
    assert kept[1].turn.query.text == kept[1].question
    for turn_number in (0, 7, "x", None):
        _, kept = shown(answering, "Apa itu?", turn=turn_number)
        assert len(kept) == 1


def test_an_unexpected_error_is_logged_and_the_chat_goes_on(home, tmp_path, caplog):
    broken = tmp_path / "home"
    shutil.copytree(home, broken)
    with closing(sqlite3.connect(broken / "archive.db")) as db:
        db.execute("ALTER TABLE article RENAME TO elsewhere")
    answering = Answering(Chat.open(broken), History(None))
    steps, [kept] = shown(answering, "Siapa yang meresmikan Pelabuhan Batu Layar?")
    assert "kesalahan di luar dugaan" in steps[-1]
    assert kept.turn is None
    assert "a question failed" in caplog.text or "was not answered" in caplog.text
    with closing(sqlite3.connect(broken / "archive.db")) as db:
        db.execute("ALTER TABLE elsewhere RENAME TO article")
    steps, kept = shown(answering, kept.question, conversation=kept.conversation)
    assert "Rahmat Hidayat" in steps[-1]
    assert [each.turn is None for each in kept] == [True, False]


def test_an_answer_is_kept_though_nobody_waits_for_it(answering):
    async def first():
        steps = app.answered(answering, {"text": "Siapa yang meresmikan Pelabuhan?"}, "ani")
        step = await anext(steps)
        await steps.aclose()
        return step

    place = Page(asyncio.run(first())).all("section")[0]
    while answering.running():
        threading.Event().wait(0.01)
    [kept] = answering.history.turns("ani", place["data-conversation"])
    assert "Rahmat Hidayat" in str(kept.turn)


# The page ----------------------------------------------------------------------------------------


def luminance(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("palette", html.palettes(), ids=["light", "dark"])
def test_every_text_colour_stands_out_as_wcag_aa_asks(palette):
    pairs = [(ink, on) for ink in ("ink", "soft", "accent") for on in ("paper", "sheet", "tint")]
    pairs += [("on-accent", "accent"), ("on-mark", "mark"), ("accent", "mark")]
    for ink, on in pairs:
        light, dark = sorted((luminance(palette[ink]), luminance(palette[on])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, on)


def test_the_palettes_have_the_same_colours():
    light, dark = html.palettes()
    assert len(light) == 10
    assert light.keys() == dark.keys()


def test_every_wording_has_a_name_of_its_own():
    """Two of one name would silently be the last of them everywhere."""
    tree = ast.parse((html.FOLDER / "texts.py").read_text())
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    names = [
        name.id
        for node in assigned
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    ]
    assert len(names) > 200
    assert not [name for name, count in Counter(names).items() if count > 1]


def test_nothing_is_fetched_from_elsewhere():
    scripts = "".join(path.read_text() for path in html.FOLDER.glob("*.js"))
    assert "://" not in html.head() + scripts
    for path in html.FOLDER.glob("*.css"):
        style = path.read_text()
        assert "url(" not in style
        assert "@import" not in style
