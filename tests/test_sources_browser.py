"""The sources of an answer in a real Chromium: quotes on the spot, articles, references."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from index.archive import FILE_NAME, Archive
from tests import homes
from tests.browser import ask, browsing, newest, overflow, served

COST = "Berapa biaya pembangunan Pelabuhan Batu Layar?"
SATELLITE = "Dari mana Satelit Nusadirgantara diluncurkan?"
QUOTE = "Pembangunan pelabuhan itu menelan biaya Rp 120 miliar."
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def address(tmp_path_factory, chromium):
    """The address of a chat over a harbour that was told of twice, and a story of three."""
    home = tmp_path_factory.mktemp("sources")
    told = replace(homes.HARBOUR[0], authors=("Rini Maharani",))
    with Archive.open(home / FILE_NAME, create=True) as archive:
        before = replace(told, body=told.body.replace("Rp 120 miliar", "Rp 210 miliar"))
        for day, body in ((1, before), (3, told)):
            list(archive.add([body], dt.datetime(2026, 5, day, 8, tzinfo=dt.UTC)))
    homes.add(home, [*homes.HARBOUR[1:], *homes.REPRINT])
    homes.build(home)
    with served(home) as address:
        yield address


@pytest.fixture(scope="module")
def answered(chromium, address):
    """A visitor who was answered, and the answer's address."""
    with browsing(chromium, address) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(address)
        ask(page, COST)
        yield context, page.url


@pytest.fixture
def page(answered):
    context, url = answered
    page = context.new_page()
    page.goto(url)
    expect(cited(page)).to_be_visible()
    yield page
    page.close()


def cited(page):
    return newest(page).locator(".ta-cite").first


def popover(page):
    return page.get_by_role("dialog", name="Lihat sumber 1")


def panel(page):
    return page.get_by_role("complementary", name="Artikel dari arsip")


def in_window(page, element):
    box, size = element.bounding_box(), page.viewport_size
    inside = box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    return inside and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def test_a_citation_shows_its_quote_when_the_mouse_rests_on_it(page):
    cited(page).hover()
    expect(popover(page)).to_contain_text("Gubernur Resmikan Pelabuhan Batu Layar")
    expect(popover(page)).to_contain_text("Harian Uji · 4 Maret 2025")
    expect(popover(page).locator("mark")).to_have_text(QUOTE)
    expect(popover(page)).to_contain_text("diresmikan Gubernur Rahmat Hidayat")
    assert in_window(page, popover(page))
    newest(page).locator(".ta-question").hover()
    expect(popover(page)).to_have_count(0)


def test_a_quote_stays_under_the_mouse_and_does_not_follow_one_that_passes_by(page):
    page.clock.install()
    cited(page).hover()
    page.clock.run_for(100)
    newest(page).locator(".ta-question").hover()
    page.clock.run_for(1000)
    expect(popover(page)).to_have_count(0)
    cited(page).hover()
    page.clock.run_for(1000)
    popover(page).get_by_text("Harian Uji").hover()
    page.clock.run_for(1000)
    expect(popover(page)).to_be_visible()


def test_a_citation_is_read_by_keyboard(page):
    newest(page).locator(".ta-answer").evaluate("e => { e.tabIndex = -1; e.focus(); }")
    page.keyboard.press("Tab")
    expect(cited(page)).to_be_focused()
    expect(popover(page).locator("mark")).to_have_text(QUOTE)
    expect(cited(page)).to_have_accessible_description(re.compile(QUOTE))
    page.keyboard.press("Tab")
    expect(popover(page).get_by_role("link", name="Buka artikel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(popover(page)).to_have_count(0)
    expect(cited(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page).locator("mark.here")).to_have_text(QUOTE)
    page.keyboard.press("Escape")
    expect(cited(page)).to_be_focused()
    for key in ("Shift+Tab", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(panel(page).locator("mark.here")).to_have_text(QUOTE)
    expect(popover(page)).to_have_count(0)
    cited(page).focus()
    expect(popover(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(popover(page)).to_have_count(0)
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(cited(page)).to_be_focused()


def test_a_tap_shows_the_quote_and_the_article_fills_a_phone(chromium, address, answered):
    with browsing(chromium, address, **PHONE) as context:
        context.add_cookies(answered[0].cookies())
        page = context.new_page()
        page.goto(answered[1])
        cited(page).tap()
        expect(popover(page).locator("mark")).to_have_text(QUOTE)
        assert in_window(page, popover(page))
        assert overflow(page) <= 0
        expect(panel(page)).to_be_hidden()
        newest(page).locator(".ta-question").tap()
        expect(popover(page)).to_have_count(0)
        cited(page).tap()
        popover(page).get_by_role("link", name="Buka artikel").tap()
        expect(panel(page).locator("mark.here")).to_be_in_viewport()
        box = panel(page).bounding_box()
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
        assert overflow(page) <= 0
        page.go_back()
        expect(panel(page)).to_be_hidden()
        expect(newest(page)).to_contain_text("Rp 120 miliar")


def test_an_article_opens_at_its_quote_and_back_closes_it_first(page):
    alone = page.url
    cited(page).click()
    expect(panel(page).locator("mark.here")).to_have_text(QUOTE)
    expect(panel(page).locator("mark.here")).to_be_in_viewport()
    expect(panel(page)).to_contain_text("Oleh Rini Maharani")
    expect(page).to_have_url(re.compile("jawaban=1&artikel=a1&teks=.*&sorot="))
    expect(cited(page)).to_be_in_viewport()
    beside = page.url
    panel(page).get_by_role("link", name="Gubernur Resmikan Pelabuhan").click()
    expect(panel(page)).to_contain_text("Ini teks lama")
    page.go_back()
    expect(panel(page).locator("mark.here")).to_have_text(QUOTE)
    assert page.url == beside
    page.go_back()
    expect(panel(page)).to_be_hidden()
    assert page.url == alone
    page.go_forward()
    expect(panel(page).locator("mark.here")).to_have_text(QUOTE)
    page.reload()
    expect(panel(page).locator("mark.here")).to_be_in_viewport()
    expect(newest(page)).to_contain_text("Rp 120 miliar")


def test_closing_goes_back_to_the_conversation_however_many_articles_were_open(page):
    alone = page.url
    cited(page).click()
    panel(page).get_by_role("link", name="Gubernur Resmikan Pelabuhan").click()
    panel(page).get_by_role("link", name="Buka teks terbaru").click()
    expect(panel(page)).not_to_contain_text("Ini teks lama")
    panel(page).get_by_role("button", name="Tutup").click()
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(alone)


def test_a_citation_is_a_link_to_the_answer_with_the_article_beside_it(page):
    link = cited(page).get_attribute("href")
    page.goto(page.url.partition("/?")[0] + link)
    expect(newest(page)).to_contain_text("Rp 120 miliar")
    expect(panel(page).locator("mark.here")).to_have_text(QUOTE)
    panel(page).get_by_role("link", name="Gubernur Resmikan Pelabuhan").click()
    expect(panel(page)).to_contain_text("Ini teks lama")
    panel(page).get_by_role("button", name="Tutup").click()
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/\?percakapan=[^&]+&jawaban=1$"))


def test_an_earlier_text_shows_what_changed(page):
    cited(page).click()
    expect(panel(page)).to_contain_text("Teks sebelumnya")
    panel(page).get_by_role("link", name="Gubernur Resmikan Pelabuhan").click()
    expect(panel(page)).to_contain_text(re.compile(r"terlihat sampai \d Mei 2026 pukul"))
    expect(panel(page).locator("del")).to_contain_text("Rp 210 miliar")
    expect(panel(page).locator("ins")).to_contain_text("Rp 120 miliar")
    panel(page).get_by_role("link", name="Lihat perubahannya").click()
    expect(panel(page).locator("ins")).to_be_in_viewport()


def test_references_are_copied_and_downloaded(page):
    words = "Rini Maharani. 2025. “Gubernur Resmikan Pelabuhan Batu Layar”. Harian Uji, 4 Maret"
    menu = newest(page).locator(".ta-card").first.locator(".ta-refs")
    menu.locator("summary").click()
    assert in_window(page, menu.locator(".ta-menu-body"))
    with page.expect_download() as download:
        menu.get_by_role("link", name="Unduh BibTeX").click()
    assert download.value.suggested_filename.startswith("rinimaharani2025-")
    menu.get_by_role("button", name="Salin rujukan").click()
    expect(menu).to_contain_text("Tersalin")
    assert page.evaluate("navigator.clipboard.readText()").startswith(words)
    page.evaluate("navigator.clipboard.writeText('')")
    cited(page).click()
    panel(page).get_by_role("button", name="Salin rujukan").click()
    expect(panel(page).get_by_role("button", name="Tersalin")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(words)


def test_the_sources_stay_beside_the_answer_that_is_read(page):
    beside = newest(page).locator(".beside")
    newest(page).locator(".said").evaluate("e => { e.style.minHeight = '3000px'; }")
    page.mouse.wheel(0, 1500)
    expect(beside.locator(".ta-card").first).to_be_in_viewport(ratio=0.99)
    assert beside.evaluate("e => e.scrollHeight <= e.clientHeight")


def test_the_story_opens_at_another_publisher(page):
    page.get_by_role("button", name="Percakapan baru").first.click()
    ask(page, SATELLITE)
    cited(page).click()
    story = panel(page).get_by_role("region", name="Berita yang sama")
    expect(story.get_by_role("link")).to_have_count(2)
    name = panel(page).locator(".facts strong").inner_text()
    story.get_by_role("link").first.click()
    expect(panel(page).locator(".facts strong")).not_to_have_text(name)
    expect(story.get_by_role("link")).to_have_count(2)
