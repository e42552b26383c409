"""The login in a real Chromium: in, a question asked, out, and nothing left behind."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import homes
from tests.browser import PATIENCE, ask, newest, overflow, served
from tests.operating import CHEAP
from web.users import Users

GOOD = "hujan di bulan juni"
ASKED = "Siapa yang meresmikan Pelabuhan Batu Layar?"
WIDE = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = homes.harbour(tmp_path_factory.mktemp("akun"))
    Users(home, cost=CHEAP).add("ani", GOOD)
    Users(home, cost=CHEAP).add("budi", GOOD, "operator")
    return home


@pytest.fixture(scope="module")
def address(home):
    with served(home) as address:
        yield address


def new(chromium, **options):
    context = chromium.new_context(**{**WIDE, **options})
    context.set_default_timeout(PATIENCE)
    return context


def log_in(page, name="ani"):
    page.get_by_label("Nama").fill(name)
    page.get_by_label("Kata sandi").fill(GOOD)
    page.keyboard.press("Enter")


def test_who_logs_out_leaves_nothing_to_the_back_button(chromium, address):
    with new(chromium) as context:
        page = context.new_page()
        page.goto(f"{address}/")
        expect(page).to_have_title("Masuk")
        log_in(page)
        ask(page, ASKED)
        expect(newest(page)).to_contain_text("Rahmat Hidayat")
        expect(newest(page)).not_to_contain_text("Apakah jawaban ini benar?")
        side = page.locator("#ta-side")
        expect(side).to_contain_text("Masuk sebagai ani")
        expect(side.get_by_role("link", name="Pengelola")).to_have_count(0)
        expect(side).to_contain_text("Batu Layar")
        place = page.url
        page.locator("#ta-question").fill("Rahasia yang belum dikirim")
        page.get_by_role("button", name="Keluar").click()
        expect(page).to_have_title("Masuk")
        page.go_back()
        expect(page).to_have_title("Masuk")
        expect(page.locator("body")).not_to_contain_text("Batu Layar")
        assert (
            page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('ta-draft'))") == []
        )
        page.goto(place)
        expect(page).to_have_title("Masuk")
        # Somebody else at the same browser, then the first one at another.
        log_in(page, "budi")
        expect(page.locator("#ta-side")).to_contain_text("Masuk sebagai budi")
        expect(page.get_by_role("link", name="Pengelola")).to_be_visible()
        expect(page.locator("#ta-turns")).not_to_contain_text("Rahmat Hidayat")
        expect(page.locator("#ta-conversations")).not_to_contain_text("Batu Layar")
        page.get_by_role("link", name="Pengelola").click()
        expect(page.locator(".op-head")).to_contain_text("budi")
        page.get_by_role("button", name="Keluar").click()
        expect(page).to_have_title("Masuk")
    with new(chromium) as context:
        page = context.new_page()
        page.goto(place)
        log_in(page)
        expect(newest(page)).to_contain_text("Rahmat Hidayat")


def test_a_session_that_is_ended_elsewhere_sends_an_open_page_to_the_login(chromium, address, home):
    with new(chromium) as context:
        page = context.new_page()
        page.goto(f"{address}/")
        log_in(page)
        expect(page.locator(".ta-freshness")).to_contain_text("artikel")
        Users(home, cost=CHEAP).set_role("ani", "reader")
        expect(page).to_have_title("Masuk")


@pytest.mark.parametrize("options", [WIDE, PHONE], ids=["wide light", "phone dark"])
def test_the_login_keeps_nobody_out(chromium, address, options):
    with new(chromium, java_script_enabled=True, **options) as context:
        page = context.new_page()
        page.goto(f"{address}/masuk")
        assert overflow(page) <= 0
        expect(page.get_by_label("Nama")).to_be_focused()
        page.keyboard.type("ani")
        page.keyboard.press("Tab")
        page.keyboard.type("salah sekali")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Nama atau kata sandi salah.")
        expect(page.get_by_label("Nama")).to_have_value("ani")
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found] == []
        assert overflow(page) <= 0


def test_the_login_works_without_a_script(chromium, address):
    with new(chromium, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/pengelola")
        log_in(page, "budi")
        expect(page).to_have_title("Pengelola")
