"""The list of all articles: what is in it, that its counts are what a click gives."""

import datetime as dt
import json
import random
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from index import text
from index.records import Filter, Match, Query, Turn
from page.search import pieces, tabs_html
from page.texts import period_words
from qa.answers import silent
from qa.chat import Chat
from qa.listing import MOST_BARS, PAGE, SORTS, Narrowing, chart_of
from tests import homes
from web import search

ASKED = homes.DIGGING_ASKED
PUBLISHERS = homes.DIGGING_PUBLISHERS
HOSTILE = homes.DIGGING_TITLE


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    home = tmp_path_factory.mktemp("arsip")
    homes.add(home, [*homes.digging(), *homes.REPRINT])
    homes.build(home)
    return Chat.open(home)


@pytest.fixture(scope="module")
def client(chat):
    app = FastAPI()
    app.include_router(search.router(chat))
    return TestClient(app)


ALL, ANY = Narrowing(), Filter()


def everything(chat, asked=ASKED, narrowing=ALL, sort="relevance", limits=ANY):
    """Return the entries of all pages."""
    query, entries, page, pages = Query(asked, limits), [], 1, 1
    while page <= pages:
        found = chat.listed(query, narrowing, sort, page)
        entries += found.entries
        page, pages = page + 1, found.pages
    return entries


def ids(entries):
    return [entry.passage.article_id for entry in entries]


def test_all_articles_that_hold_the_words_are_listed(chat):
    found = ids(everything(chat))
    about = {f"a{n}" for n in range(90) if n % 3 != 0}
    assert set(found) == about | {"ajahat"}
    assert len(found) == len(set(found)) == chat.listed(Query(ASKED)).total


@pytest.mark.parametrize("sort", SORTS)
def test_pages_are_the_list_in_pieces(chat, sort):
    whole = ids(everything(chat, sort=sort))
    for page in (1, 2, 3):
        found = chat.listed(Query(ASKED), sort=sort, page=page)
        assert ids(found.entries) == whole[(page - 1) * PAGE : page * PAGE]
        assert found.first == (page - 1) * PAGE + 1
    last = chat.listed(Query(ASKED), page=10**9)
    assert last.page == last.pages == -(-len(whole) // PAGE)
    assert chat.listed(Query(ASKED), page=-4).page == 1


def test_by_date_all_are_in_order_and_undated_ones_last(chat):
    for sort, sign in (("newest", -1), ("oldest", 1)):
        entries = everything(chat, sort=sort)
        days = [entry.passage.published for entry in entries]
        dated = [day for day in days if day]
        assert dated == sorted(dated, key=lambda day: sign * day.toordinal())
        assert 0 < len(dated) < len(days)
        assert days == dated + [None] * (len(days) - len(dated))
        assert set(ids(entries)) == set(ids(everything(chat)))


DAYS = st.none() | st.dates(dt.date(2017, 12, 1), dt.date(2025, 6, 1))


@given(st.none() | st.sampled_from([*PUBLISHERS, "Asing"]), DAYS, DAYS, st.booleans())
@how(max_examples=12, deadline=None)
def test_every_count_is_what_narrowing_by_it_gives(chat, publisher, first, last, undated):
    now = Narrowing(publisher, first, last, undated)
    found = chat.listed(Query(ASKED), now)
    entries = everything(chat, narrowing=now)
    assert found.total == len(entries)
    for entry in entries:
        day = entry.passage.published
        assert publisher in (None, entry.passage.publisher)
        assert not undated or day is None
        if not undated and (first or last):
            assert day is not None
            assert (first or day) <= day <= (last or day)
    for name, stories in found.publishers:
        assert chat.listed(Query(ASKED), Narrowing(name, first, last, undated)).total == stories
    rng = random.Random(repr(now))
    for period in rng.sample([*found.years, *found.chart], min(4, len(found.chart))):
        chosen = Narrowing(publisher, period.first, period.last)
        assert chat.listed(Query(ASKED), chosen).total == period.stories
    assert chat.listed(Query(ASKED), Narrowing(publisher, undated=True)).total == found.undated


def test_a_filter_of_the_question_lists_what_narrowing_lists(chat):
    first, last = dt.date(2019, 1, 1), dt.date(2022, 6, 30)
    limits = Filter(first, last, (PUBLISHERS[1],))
    within = everything(chat, limits=limits)
    narrowed = everything(chat, narrowing=Narrowing(PUBLISHERS[1], first, last))
    assert set(ids(within)) == set(ids(narrowed)) != set()
    assert [name for name, _ in chat.listed(Query(ASKED, limits)).publishers] == [PUBLISHERS[1]]


def test_a_story_is_listed_once_and_its_other_articles_are_named(chat):
    asked = "satelit Nusadirgantara mengorbit"
    found = chat.listed(Query(asked))
    (entry,) = found.entries
    assert (found.total, found.articles) == (1, 3)
    told = {entry.passage.publisher, *(other.publisher for other in entry.others)}
    assert told == {"Kabar Hulu", "Harian Uji", "Harian Pagi"}
    assert found.publishers == (("Harian Pagi", 1), ("Harian Uji", 1), ("Kabar Hulu", 1))
    for name, _ in found.publishers:
        (entry,) = chat.listed(Query(asked), Narrowing(name)).entries
        assert entry.passage.publisher == name
        assert name not in {other.publisher for other in entry.others}


def test_the_sentence_is_archived_text_and_its_words_are_of_the_question(chat):
    asked = set(text.query_stems(ASKED))
    for entry in everything(chat):
        passage = entry.passage
        body = chat.article(passage.article_id, passage.content).body
        start, end = entry.sentence
        assert body[start:end] == passage.sentence(entry.sentence)
        assert "Kolam Zamrud" in body[start:end]
        assert {body[a:b].lower() for a, b in entry.words} >= {"kolam", "zamrud"}
        for a, b in entry.words:
            assert start <= a < b <= end
            assert set(text.stems(body[a:b])) <= asked
        told = list(pieces(body[start:end], entry.words, start))
        assert "".join(words for words, _ in told) == body[start:end]


def test_the_other_form_of_a_name_is_marked_too(tmp_path):
    homes.add(tmp_path, [*homes.INTRODUCING, *homes.OTHERS])
    homes.build(tmp_path)
    found = Chat.open(tmp_path).listed(Query("Badan Air Bersih Daerah Teluk Jati"))
    entry = next(e for e in found.entries if e.passage.article_id == "a10")
    body = entry.passage.text
    assert {body[a:b] for a, b in entry.words} == {"BABD", "Teluk", "Jati"}


@pytest.mark.parametrize("asked", ["", "?!", "Ada berita apa?", "xqzvbk wqxz"])
def test_without_words_that_are_there_nothing_is_listed(chat, asked):
    found = chat.listed(Query(asked))
    assert (found.total, found.entries, found.publishers, found.chart) == (0, (), (), ())
    assert (found.page, found.pages, found.complete) == (1, 1, True)


def test_the_news_of_some_days_are_all_articles_of_them(chat):
    days = Filter(dt.date(2020, 1, 1), dt.date(2020, 12, 31))
    entries = everything(chat, "Ada berita apa saja?", limits=days)
    dates = [dt.date(2018, 1, 10) + dt.timedelta(days=29 * n) for n in range(90) if n % 9 != 1]
    assert len(entries) == sum(day.year == 2020 for day in dates)
    found = [entry.passage.published for entry in entries]
    assert found == sorted(found, reverse=True)
    assert chat.listed(Query(ASKED, Filter(publishers=("Asing",)))).total == 0
    assert chat.listed(Query("Ada berita apa?", Filter(publishers=("Asing",)))).total == 0


def test_what_is_removed_is_listed_no_more(tmp_path):
    homes.harbour(tmp_path)
    chat = Chat.open(tmp_path)
    asked = Query("banjir Sungai Pinang")
    assert set(ids(chat.listed(asked).entries)) == {"a2", "a3"}
    assert homes.tanya(tmp_path, "remove", "a3") == 0
    assert ids(chat.listed(asked).entries) == ["a2"]


def test_more_passages_than_are_looked_at_are_said_to_be_more(chat):
    index = chat.index()
    some, complete = index.matches(ASKED, 7, Filter(), 0.5)
    assert (len(some), complete) == (7, False)
    whole, complete = index.matches(ASKED, 1000, Filter(), 0.5)
    assert complete
    assert whole[:7] == some


def match(number, day):
    return Match(f"a{number}#0", f"a{number}", f"a{number}", "Uji", day)


@given(st.lists(st.none() | st.dates(), max_size=30))
def test_a_chart_counts_every_dated_story_once_and_is_never_long(days):
    matches = [match(n, day) for n, day in enumerate(days)]
    chart = chart_of(matches)
    dated = [day for day in days if day]
    assert sum(period.stories for period in chart) == len(dated)
    assert len(chart) <= max(MOST_BARS, len(dated))
    for one, other in zip(chart, chart[1:], strict=False):
        assert one.first <= one.last < other.first
    for day in dated:
        assert sum(period.first <= day <= period.last for period in chart) == 1


def test_a_chart_has_months_without_a_gap_and_years_over_longer():
    months = [match(1, dt.date(2019, 11, 3)), match(2, dt.date(2020, 2, 28))]
    chart = chart_of(months)
    assert [(p.first.month, p.stories) for p in chart] == [(11, 1), (12, 0), (1, 0), (2, 1)]
    assert chart[-1].last == dt.date(2020, 2, 29)
    years = [match(1, dt.date(2010, 1, 1)), match(2, dt.date(2014, 1, 1))]
    chart = chart_of(years)
    assert [(p.first.year, p.stories) for p in chart] == [
        (2010, 1),
        (2011, 0),
        (2012, 0),
        (2013, 0),
        (2014, 1),
    ]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2019-01-01", "2019-12-31", "2019"),
        ("2016-01-01", "2019-12-31", "2016 – 2019"),
        ("2019-03-01", "2019-03-31", "Maret 2019"),
        ("2019-03-01", "2020-02-29", "Maret 2019 – Februari 2020"),
        ("9999-12-01", "9999-12-31", "Desember 9999"),
        ("2019-03-02", "2019-03-31", "2 Maret 2019 – 31 Maret 2019"),
    ],
)
def test_a_period_is_said_in_the_fewest_words(first, last, words):
    assert period_words(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) == words


# The fragment ------------------------------------------------------------------------------------


class Hits(homes.Page):
    VOID = ("meta", "br", "rect")

    def datas(self, name):
        return [value for key, value in self.attributes if key == name]


def fragment(client, **params):
    reply = client.get("/page/search", params=params)
    assert reply.status_code == 200
    return reply.text


def test_the_fragment_lists_and_narrows(client):
    page = Hits(fragment(client, q=ASKED))
    assert page.tags.count("li") > PAGE
    assert page.datas("data-count") == ["61"]
    assert page.datas("aria-haspopup") == ["dialog"] * PAGE
    narrowed = fragment(client, q=ASKED, only=PUBLISHERS[1], since="2019-01-01", sort="newest")
    assert "Terbit: sejak 1 Januari 2019" in narrowed
    assert "Penerbit: Kabar Hulu" in narrowed
    assert fragment(client, q=ASKED, year=2020) == fragment(
        client, q=ASKED, since="2020-01-01", until="2020-12-31"
    )
    assert "Tanpa tanggal" in fragment(client, q=ASKED, undated=True)
    assert "Penerbit: Tanpa penerbit" in fragment(client, q=ASKED, unnamed=True)
    assert "tidak ada artikel" in fragment(client, q="xqzvbk").lower()
    assert "memenuhi semua pilihan" in fragment(client, q=ASKED, only="Asing")


def test_hostile_titles_names_and_words_stay_text(client):
    for params in ({"q": f"Kolam Zamrud {HOSTILE}"}, {"q": ASKED, "only": HOSTILE, "page": 2}):
        html = fragment(client, **params)
        page = Hits(html)
        assert "script" not in page.tags
        assert not {name for name, _ in page.attributes if name.startswith("on")}
        assert "49 $" not in html
    assert "&lt;script&gt;" in fragment(client, q="Kolam Zamrud dibuka")
    html = fragment(client, q=ASKED, only=PUBLISHERS[2])
    assert "Suara &amp; &lt;b&gt;Muara" in html


@pytest.mark.parametrize(
    "params",
    [
        {"since": "kemarin"},
        {"year": 0},
        {"year": 10_000},
        {"sort": "asal"},
        {"page": "x"},
        {"q": "a" * 4001},
    ],
)
def test_wrong_values_are_refused(client, params):
    assert client.get(f"/page/search?{urlencode(params)}").status_code == 422


def test_before_the_first_build_the_fragment_says_what_to_do(tmp_path):
    app = FastAPI()
    app.include_router(search.router(Chat.open(tmp_path)))
    reply = TestClient(app).get("/page/search?q=apa")
    assert "Arsip belum diindeks" in reply.text


def test_the_tab_asks_for_what_the_turn_was_understood_as():
    limits = Filter(dt.date(2019, 1, 1), None, ('Koran "Pagi"',), ("Ani",))
    nothing = silent(homes.evidence("Siapa?"), "extractive")
    turn = Turn("itu?", Query(f"Kapan {HOSTILE}", limits), nothing)
    html = tabs_html(turn, 3, "<p>isi</p>")
    page = homes.Page(html)
    assert page.tags.count("p") == 1
    (sent,) = [value for name, value in page.attributes if name == "data-query"]
    assert json.loads(sent) == {
        "q": f"Kapan {HOSTILE}",
        "after": "2019-01-01",
        "before": "",
        "publisher": ['Koran "Pagi"'],
        "author": ["Ani"],
    }
    assert sorted(i for i in page.ids if i) == [
        "ta-every-3",
        "ta-reply-3",
        "ta-tab-every-3",
        "ta-tab-reply-3",
    ]
