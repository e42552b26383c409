"""Nothing leaves the page in a real Chromium, and its policy is never in the way."""

import re

import pytest
from playwright.sync_api import expect

from tests import homes
from tests.browser import ask, browsing, newest, served

QUESTION = "Siapa yang meresmikan Pelabuhan Batu Layar?"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = homes.harbour(tmp_path_factory.mktemp("home"))
    # Visitors from elsewhere come by a proxy, which says so.
    few = '[serve]\ntrusted = ["127.0.0.1"]\n[limits]\nquestions = 1\n'
    (home / "tanya.toml").write_text(few)
    with served(home) as where:
        yield where


def test_all_pages_ask_this_server_alone_and_break_no_rule(chromium, address):
    told, asked = [], set()
    with browsing(chromium, address) as context:
        context.on("console", lambda message: told.append(message.text))
        context.on("request", lambda r: asked.add((r.method, r.url.removeprefix(address))))
        page = context.new_page()
        page.goto(address)
        ask(page, QUESTION)
        expect(newest(page).locator(".ta-answer")).to_contain_text("Rahmat Hidayat")
        page.locator(".ta-card [data-do=read]").first.click()
        expect(page.locator("#ta-panel mark").first).to_be_visible()
        page.reload()
        expect(newest(page).locator(".ta-answer")).to_contain_text("Rahmat Hidayat")
        for other in ("/pengelola", "/api"):
            page.goto(address + other)
            expect(page.locator("h1")).to_be_visible()
    # What the browser says of the policy, and of anything else that went wrong.
    assert told == []
    gradios = {path.partition("?")[0] for _, path in asked if "/gradio_api/" in path}
    assert gradios == {"/gradio_api/queue/join", "/gradio_api/queue/data"}


# Chromium lifts the policy for what a debugger evaluates, but not for what that leaves for later.
MADE = """text => new Promise((resolve) => setTimeout(() => {
  try { resolve(Function('value', text)('x')); } catch (error) { resolve(error.name); }
}))"""
WRITTEN = """() => {
  document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.pwned = 1">');
  const script = document.createElement('script');
  script.textContent = 'window.pwned = 1';
  document.body.append(script);
}"""


def test_text_is_not_made_a_function(chromium, address):
    with browsing(chromium, address) as context:
        page = context.new_page()
        page.goto(address)
        assert page.evaluate(MADE, "return `${value}`;") == "x"
        assert page.evaluate(MADE, 'return "\\u0061";') == "a"
        for text in ("return value + 1;", "return `${value}${1}`;", 'return "a" + (() => "b")();'):
            assert page.evaluate(MADE, text) == "EvalError"
        with page.expect_console_message(lambda m: "event handler" in m.text):
            page.evaluate(WRITTEN)
        assert page.evaluate("window.pwned") is None


def test_who_asks_too_much_is_told_when_to_ask_again(chromium, address):
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    with browsing(chromium, address, extra_http_headers=elsewhere) as context:
        page = context.new_page()
        page.goto(address)
        ask(page, QUESTION)
        ask(page, f"{QUESTION} Kapan?")
        expect(newest(page).locator("[role=alert]")).to_contain_text(
            re.compile(r"Sedang sibuk; coba lagi dalam \d+ detik\.")
        )
        expect(page.locator("#ta-question")).to_have_value(f"{QUESTION} Kapan?")
        expect(newest(page).get_by_role("button", name="Tanyakan lagi")).to_be_visible()
        expect(page.locator("#ta-turns .ta-turn")).to_have_count(2)


def test_a_question_that_does_not_get_through_comes_back(chromium, address):
    with browsing(chromium, address) as context:
        page = context.new_page()
        page.goto(address)
        page.route("**/queue/join*", lambda route: route.abort())
        page.locator("#ta-question").fill(QUESTION)
        page.locator("#ta-question").press("Enter")
        expect(page.locator("#ta-hint")).to_contain_text("Server tidak menjawab")
        expect(page.locator("#ta-question")).to_have_value(QUESTION)
        page.unroute("**/queue/join*")
        expect(page.locator("#ta-send")).to_be_enabled()
