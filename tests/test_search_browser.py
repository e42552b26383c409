"""All articles behind a turn in a real Chromium: the tabs, the list, what it is narrowed by."""

import re

import pytest
from playwright.sync_api import expect

from tests import homes
from tests.browser import ask, newest, overflow, served, visitor

ASKED = homes.DIGGING_ASKED
HOSTILE = "Kolam Zamrud dibuka"
REFUSED = "Siapa yang memecat wali kota Gxqwz?"
TURNS = (ASKED, HOSTILE, REFUSED)


@pytest.fixture(scope="module")
def address(tmp_path_factory, chromium):
    """The address of a chat over articles about a pond."""
    home = tmp_path_factory.mktemp("kolam")
    homes.add(home, homes.digging())
    homes.build(home)
    with served(home) as running:
        yield running


@pytest.fixture(scope="module")
def asked(chromium, address):
    """A visitor's page with a conversation of three turns; the last one is a refusal."""
    with visitor(chromium, address) as opened:
        for question in TURNS:
            ask(opened, question)
        yield opened


@pytest.fixture
def page(asked):
    """The conversation, opened again."""
    asked.goto(asked.url)
    expect(asked.locator("#ta-turns .ta-turn")).to_have_count(len(TURNS))
    yield asked
    assert asked.evaluate("window.pwned") is None


def turn(page, question=ASKED):
    return page.locator("#ta-turns .ta-turn").nth(TURNS.index(question))


def tab(turn, name="Semua artikel"):
    return turn.get_by_role("tab", name=name)


def listed(turn, count):
    """Open the list and wait until it has so many articles; return it."""
    if tab(turn).get_attribute("aria-selected") == "false":
        tab(turn).click()
    expect(turn.locator(".ta-found-sum")).to_have_text(f"{count} artikel")
    return turn.locator(".ta-every")


def years(found):
    lines = found.locator(".ta-entries .ta-byline").all_inner_texts()
    return [match and int(match[0]) for match in (re.search(r"\d{4}$", line) for line in lines)]


def test_the_tabs_are_tabs_and_say_how_many_articles_there_are(page):
    first = turn(page)
    first.scroll_into_view_if_needed()
    answer, every = tab(first, "Jawaban"), tab(first)
    expect(every).to_have_text("Semua artikel (61)")
    for each in (answer, every):
        expect(page.locator(f"#{each.get_attribute('aria-controls')}")).to_have_count(1)
    answer.focus()
    page.keyboard.press("ArrowRight")
    expect(every).to_be_focused()
    expect(every).to_have_attribute("aria-selected", "true")
    expect(first.get_by_role("tabpanel")).to_have_count(1)
    expect(first.get_by_role("tabpanel", name="Semua artikel")).to_contain_text("61 artikel")
    expect(first.locator(".beside")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(answer).to_be_focused()
    expect(first.locator(".beside")).to_be_visible()
    page.keyboard.press("Tab")
    expect(every).not_to_be_focused()


def test_publishers_years_sorting_and_pages(page):
    first = turn(page)
    found = listed(first, 61)
    expect(found.locator(".ta-entries > li")).to_have_count(20)
    facet = found.locator("[data-key='publisher-Kabar Hulu']")
    count = facet.locator("b").inner_text()
    facet.focus()
    page.keyboard.press("Enter")
    listed(first, count)
    expect(facet).to_have_attribute("aria-pressed", "true")
    expect(facet).to_be_focused()
    expect(page.locator("#ta-heard")).to_have_text(f"{count} artikel")
    lines = found.locator(".ta-entries .ta-byline").all_inner_texts()
    assert all(line.startswith("Kabar Hulu · ") for line in lines)
    year = found.locator("[data-key=year-2020]")
    count = year.locator("b").inner_text()
    year.click()
    listed(first, count)
    expect(found.locator(".ta-chip")).to_have_text(["Terbit: 2020×", "Penerbit: Kabar Hulu×"])
    for left in (1, 0):
        found.locator(".ta-chip button").first.click()
        expect(found.locator(".ta-chip")).to_have_count(left)
    listed(first, 61)
    found.get_by_role("button", name="Terlama").click()
    expect(found.locator(".ta-byline").first).to_contain_text("2018")
    assert years(found) == sorted(years(found))
    found.get_by_role("button", name="Berikutnya").click()
    expect(found).to_contain_text("Halaman 2 dari 4")
    expect(found.locator(".ta-entries")).to_have_attribute("start", "21")


def test_the_chart_is_brushed_by_a_pointer_and_by_keys(page):
    first = turn(page)
    found = listed(first, 61)
    bars = found.locator(".ta-bar")
    to, start = (bars.nth(n).bounding_box() for n in (1, 3))
    counts = [int(bars.nth(n).get_attribute("aria-label").split()[1]) for n in range(6)]
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 9)
    page.mouse.down()
    page.mouse.move(to["x"] + to["width"] / 2, to["y"] + 200, steps=3)
    expect(found.locator(".ta-brushed")).to_have_text("2019 – 2021")
    page.mouse.up()
    listed(first, sum(counts[1:4]))
    expect(found.locator(".ta-chip")).to_have_text("Terbit: 2019 – 2021×")
    expect(found.locator(".ta-bar.on")).to_have_count(3)
    assert set(years(found)) == {2019, 2020, 2021}

    found.get_by_role("button", name="Lepas Terbit").click()
    listed(first, 61)
    bars.first.focus()
    page.keyboard.press("ArrowRight")
    expect(bars.nth(1)).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(found.locator(".ta-brushed")).to_have_text("2019 – 2020")
    page.keyboard.press("Enter")
    listed(first, sum(counts[1:3]))
    expect(found.locator(".ta-chip")).to_have_text("Terbit: 2019 – 2020×")
    expect(bars.nth(2)).to_be_focused()


def test_a_hit_opens_the_article_and_a_hostile_headline_is_text(page):
    first = turn(page)
    found = listed(first, 61)
    title = found.locator(".ta-entries h4 button").first
    words = title.inner_text()
    title.click()
    expect(page.locator("#ta-panel")).to_contain_text(words)
    page.locator("#ta-panel [data-do=close]").click()
    hostile = listed(turn(page, HOSTILE), 1)
    expect(hostile.locator("h4")).to_have_text(homes.DIGGING_TITLE)


def test_a_refusal_has_the_tab_too(page):
    refused = turn(page, REFUSED)
    expect(refused.locator(".ta-none")).to_be_visible()
    tab(refused).click()
    expect(refused.locator(".ta-found-sum")).to_contain_text("artikel")


def test_a_server_that_is_gone_is_said(page):
    first = turn(page)
    found = listed(first, 61)
    page.route("**/page/search*", lambda route: route.abort())
    found.get_by_role("button", name="Terbaru").click()
    expect(page.locator("#ta-heard")).to_contain_text("Server tidak menjawab")
    expect(first.locator(".ta-found-sum")).to_have_text("61 artikel")
    page.unroute("**/page/search*")


def test_on_a_phone_all_of_it_is_in_reach(chromium, address):
    size = {"width": 390, "height": 844}
    with visitor(chromium, address, viewport=size, has_touch=True, is_mobile=True) as page:
        ask(page, ASKED)
        first = newest(page)
        expect(tab(first)).to_have_text("Semua artikel (61)")
        found = listed(first, 61)
        assert overflow(page) <= 0
        expect(found.locator("[data-key='publisher-Kabar Hulu']")).to_be_hidden()
        found.locator("summary", has_text="Penerbit").tap()
        facet = found.locator("[data-key='publisher-Kabar Hulu']")
        count = facet.locator("b").inner_text()
        facet.tap()
        listed(first, count)
        expect(facet).to_be_visible()
        bar = found.locator(".ta-bar").nth(2)
        count = bar.get_attribute("aria-label").split()[1]
        bar.tap()
        listed(first, count)
        assert overflow(page) <= 0
        for each in found.locator("button:visible:not(.ta-bar)").all():
            box = each.bounding_box()
            assert min(box["width"], box["height"]) >= 24, each.inner_text()
