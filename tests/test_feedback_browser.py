"""Was it right? In a real Chromium: said on the page, collected, and measured."""

import json

import pytest
from playwright.sync_api import expect

from eval import questions as sets
from page import texts
from tests import homes
from tests.browser import ask, newest, overflow, served, visitor

HARBOUR, CHESS = "Siapa yang meresmikan Pelabuhan Batu Layar?", "Siapa juara catur Wamena?"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return homes.harbour(tmp_path_factory.mktemp("harbour"))


@pytest.fixture(scope="module")
def address(home):
    with served(home) as served_at:
        yield served_at


def test_what_a_reporter_says_of_answers_becomes_a_set_that_is_measured(
    chromium, address, home, tmp_path, capsys
):
    with visitor(chromium, address) as page:
        ask(page, HARBOUR)
        newest(page).locator("[data-do=judge-good]").click()
        said = newest(page).locator(".ta-verdict-said")
        expect(said).to_contain_text(texts.THANKS_GOOD)
        expect(said).to_be_focused()
        ask(page, CHESS)
        refused = newest(page)
        expect(refused.locator(".ta-verdict-asked")).to_contain_text(texts.WAS_IT_RIGHT_TO_REFUSE)
        refused.locator("[data-do=judge-bad]").click()
        refused.get_by_label(texts.RIGHT_ANSWER).fill("Rahmat Hidayat")
        refused.get_by_label(texts.RIGHT_ARTICLE).fill(homes.HARBOUR[0].url)
        refused.get_by_role("button", name=texts.SEND_VERDICT).click()
        expect(refused.locator(".ta-verdict-said")).to_contain_text(texts.THANKS_REFUSED_BAD)
        page.reload()
        feet = page.locator("#ta-turns .ta-verdict-said")
        expect(feet.first).to_contain_text(texts.THANKS_GOOD)
        expect(feet.last).to_contain_text(texts.THANKS_REFUSED_BAD)
    assert homes.tanya(home, "eval", "collect", tmp_path / "set") == 0
    assert homes.tanya(home, "eval", "answers", tmp_path / "set", "--out", tmp_path / "run") == 0
    rows = map(json.loads, (tmp_path / "run" / "answers.jsonl").read_text().splitlines())
    shown = {row["question"]: row["figures"]["shown"] for row in rows}
    assert shown == {HARBOUR: 1.0, CHESS: 0.0}
    assert len(sets.load(tmp_path / "set").relevant) == 2


@pytest.mark.parametrize("dark", [False, True])
def test_the_form_by_keyboard_on_a_phone(chromium, address, dark):
    scheme = "dark" if dark else "light"
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    with visitor(chromium, address, **phone) as page:
        ask(page, HARBOUR)
        foot = newest(page).locator(".ta-verdict")
        no = foot.locator("[data-do=judge-bad]")
        no.focus()
        page.keyboard.press("Enter")
        expect(no).to_have_attribute("aria-expanded", "true")
        expect(foot.get_by_label(texts.VERDICT_REASONS["wrong"])).to_be_focused()
        assert overflow(page) <= 0
        for button in foot.locator("button, input[type=radio]").all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 18
        page.keyboard.press("Escape")
        expect(foot.locator("form")).to_be_hidden()
        expect(no).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(foot.locator(".ta-verdict-said")).to_contain_text("sudah usang")
        foot.locator("[data-do=unjudge]").press("Enter")
        expect(foot.locator("[data-do=judge-good]")).to_be_focused()
