"""Every screen, as axe sees it: nothing serious stands in anybody's way."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import homes
from tests.browser import ask, newest, served, visitor

WIDE = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = homes.harbour(tmp_path_factory.mktemp("harbour"))
    with served(home) as address:
        yield address


def findings(page):
    """Return what axe finds serious or critical, with the elements."""
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_axe_sees_what_is_wrong(chromium, address):
    with visitor(chromium, address, **WIDE) as page:
        page.evaluate("document.querySelector('#ta-main').append(document.createElement('button'))")
        assert [name for name, _ in findings(page)] == ["button-name"]


@pytest.mark.parametrize("options", [WIDE, PHONE], ids=["wide light", "phone dark"])
def test_no_screen_of_the_chat_keeps_anybody_out(chromium, address, options):
    with visitor(chromium, address, **options) as page:
        expect(page.locator("#ta-welcome h2")).to_be_visible()
        assert findings(page) == []
        page.locator("[data-do=filters]").click()
        assert findings(page) == []
        ask(page, "Siapa yang meresmikan Pelabuhan Batu Layar?")
        assert findings(page) == []
        newest(page).locator(".ta-cite").first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(page.locator("#ta-cited")).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
        newest(page).get_by_role("button", name="Tidak").click()
        assert findings(page) == []
        newest(page).get_by_role("tab").last.click()
        expect(newest(page).locator(".ta-found")).to_be_visible()
        assert findings(page) == []
        newest(page).get_by_role("tab").first.click()
        newest(page).get_by_role("link", name="Buka artikel").first.click()
        expect(page.locator("#ta-panel mark").first).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
        ask(page, "Siapa juara catur Wamena?")
        assert findings(page) == []
        page.locator("#ta-question").fill("Pelabu")
        expect(page.get_by_role("option").first).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
        if options is PHONE:
            page.get_by_role("button", name="Buka daftar percakapan").click()
        page.locator(".ta-listed summary").first.click()
        assert findings(page) == []


@pytest.mark.parametrize("path", ["/pengelola", "/api"])
@pytest.mark.parametrize("options", [WIDE, PHONE], ids=["wide light", "phone dark"])
def test_nor_do_the_other_pages(chromium, address, options, path):
    with visitor(chromium, address, **options) as page:
        page.goto(address + path)
        assert findings(page) == []
