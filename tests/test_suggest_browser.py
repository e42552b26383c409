"""Suggestions, next questions, examples and small talk in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests import homes
from tests.browser import ROOT, ask, newest, overflow, served, visitor

HOSTILE = homes.article(
    90,
    "Bupati Rahmat Hidayat meresmikan Jembatan <img src=x onerror=window.pwned=1> pada 4 Mei 2026.",
    title='Kaktus <img src=x onerror=window.pwned=1> "raksasa"',
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("suggest")
    assert homes.tanya(home, "add", ROOT / "sample" / "articles") == 0
    homes.add(home, [HOSTILE])
    assert homes.tanya(home, "build") == 0
    with served(home) as where:
        yield where


def type_in(page, words):
    page.locator("#ta-question").fill("")
    page.locator("#ta-question").press_sequentially(words)


def test_names_and_headlines_are_suggested_and_taken_by_keys(chromium, address):
    with visitor(chromium, address) as page:
        box, options = page.locator("#ta-question"), page.locator("#ta-suggest [role=option]")
        type_in(page, "Berapa kios di wolasi")
        expect(options.first).to_be_visible()
        expect(box).to_have_attribute("aria-expanded", "true")
        assert page.locator("#ta-suggest [aria-selected=true]").count() == 0
        box.press("ArrowDown")
        chosen = page.locator("#ta-suggest [aria-selected=true]")
        expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id"))
        words = chosen.inner_text()
        box.press("Enter")
        expect(page.locator("#ta-suggest")).to_be_hidden()
        assert box.input_value().endswith(words)
        assert page.locator(".ta-turn").count() == 0, "taken, not asked"
        expect(box).to_be_focused()
        assert overflow(page) <= 0


def test_enter_asks_where_nothing_is_chosen_and_escape_closes(chromium, address):
    with visitor(chromium, address) as page:
        box, listed = page.locator("#ta-question"), page.locator("#ta-suggest")
        type_in(page, "Pasar Sentral Wolasi")
        expect(listed).to_be_visible()
        box.press("Escape")
        expect(listed).to_be_hidden()
        assert box.input_value() == "Pasar Sentral Wolasi"
        type_in(page, "Berapa kios yang terbakar di Pasar Sentral Wolasi")
        expect(listed).to_be_visible()
        box.press("Enter")
        expect(newest(page)).to_have_attribute("aria-busy", "false")
        expect(newest(page).locator(".ta-question")).to_have_text(re.compile("^Berapa kios"))
        expect(listed).to_be_hidden()


def test_a_word_that_is_still_being_composed_is_left_alone(chromium, address):
    with visitor(chromium, address) as page:
        asked = []
        page.on("request", lambda r: "/page/suggest" in r.url and asked.append(r.url))
        page.evaluate(
            """() => {
              const box = document.getElementById('ta-question');
              box.value = 'pasar';
              box.dispatchEvent(new InputEvent('input', {isComposing: true, bubbles: true}));
            }"""
        )
        type_in(page, "wolasi")
        expect(page.locator("#ta-suggest")).to_be_visible()
        assert asked and not any("pasar" in url for url in asked)


def test_a_click_takes_one_and_nothing_in_it_is_markup(chromium, address):
    with visitor(chromium, address) as page:
        type_in(page, "kaktus")
        option = page.locator("#ta-suggest [role=option]").first
        expect(option).to_have_text(HOSTILE.title)
        option.click()
        expect(page.locator("#ta-question")).to_have_value(HOSTILE.title)
        expect(page.locator("#ta-question")).to_be_focused()
        assert page.evaluate("window.pwned") is None


def test_next_questions_stand_under_the_newest_answer_and_ask(chromium, address):
    with visitor(chromium, address, viewport={"width": 390, "height": 844}) as page:
        ask(page, "Berapa kios yang terbakar di Pasar Sentral Wolasi?")
        button = page.locator(".ta-next button").first
        expect(button).to_be_visible()
        assert button.bounding_box()["height"] >= 24 and overflow(page) <= 0
        words = button.inner_text()
        button.click()
        expect(page.locator("#ta-turns .ta-turn")).to_have_count(2)
        expect(newest(page).locator(".ta-question")).to_have_text(words)
        assert page.locator("#ta-turn-1 .ta-next").count() == 0
        assert newest(page).locator(".ta-cite").count() > 0


def test_examples_come_when_they_are_ready_and_are_answered(chromium, address):
    with visitor(chromium, address) as page:
        example = page.locator(".ta-examples button").first
        expect(example).to_be_visible()
        words = example.inner_text()
        example.click()
        expect(newest(page).locator(".ta-question")).to_have_text(words)
        expect(newest(page).locator(".ta-cite").first).to_be_visible()


def test_small_talk_is_a_turn_without_sources(chromium, address):
    with visitor(chromium, address) as page:
        ask(page, "kamu siapa?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("dikutip dari artikel")
        assert newest(page).locator(".ta-card, .ta-none, .ta-cite").count() == 0
