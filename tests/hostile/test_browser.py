"""Hostile articles answered in a real Chromium: no script runs, nothing leaves the page."""

import httpx2
import pytest
from playwright.sync_api import expect

from tests import homes
from tests.browser import ask, browsing, served
from tests.hostile import corpus

GROUPS = ("markup", "templates", "markdown", "injections", "url")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("rumah")
    made = {n: r for n, r in corpus.rows(1).items() if n.startswith(GROUPS) or "bidi" in n}
    file = home / "jahat.jsonl"
    file.write_bytes(corpus.lines(made))
    assert homes.tanya(home, "add", file) == 0
    assert homes.tanya(home, "build") == 0
    with served(home) as address:
        yield address


def untouched(page):
    """Hold that no script of an article ran, and that the page is still its own."""
    assert page.evaluate(f"window.{corpus.SENTINEL}") is None
    # Gradio has a <base> of its own in the head, so only what holds articles is looked at.
    within = "#ta-turns, #ta-panel, main"
    assert page.locator(within).locator("iframe, object, embed, base, marquee").count() == 0
    assert (
        page.evaluate(
            "[...document.querySelectorAll('#ta-turns *, #ta-panel *, main *')]"
            ".filter(e => [...e.attributes].some(a => /^on/i.test(a.name))).length"
        )
        == 0
    )
    links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.protocol)")
    assert set(links) <= {"http:", "https:", "blob:"}


def test_no_screen_runs_what_articles_hold_and_nothing_leaves_it(chromium, address):
    with browsing(chromium, address) as context:
        dialogs, broken = [], []
        page = context.new_page()
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda m: "Content Security" in m.text and broken.append(m.text))
        page.goto(address)
        for question in (corpus.ASKED, f"Apa kabar {corpus.TOPIC} {corpus.MARKUP['script']}?"):
            ask(page, question)
            untouched(page)
        # All articles, a page after the other.
        page.get_by_role("tab", name="Semua artikel").first.click()
        expect(page.locator(".ta-entries > li").first).to_be_visible()
        untouched(page)
        # An article beside them.
        page.get_by_role("tab", name="Jawaban").first.click()
        page.locator("#ta-turns [data-do=read]:visible").first.click()
        expect(page.locator("#ta-panel-title")).to_be_visible()
        untouched(page)
        # What is suggested while typing.
        page.keyboard.press("Escape")
        page.locator("#ta-question").fill(corpus.TOPIC)
        untouched(page)
        # The operator's page, and the list of programs.
        for path in ("/pengelola", "/api"):
            page.goto(f"{address}{path}")
            untouched(page)
        assert not dialogs and not broken


def test_no_body_and_no_header_breaks_a_route(address):
    with httpx2.Client(base_url=address, timeout=60) as client:
        for name, body in corpus.BODIES.items():
            for path in ("/api/ask", "/page/filter", "/mcp"):
                sent = {"content-type": "application/json", "origin": address}
                told = client.post(path, content=body, headers=sent)
                assert told.status_code < 500, (name, path, told.text[:300])
                assert "Traceback" not in told.text
        for name, headers in corpus.HEADERS.items():
            for path in ("/", "/healthz", "/api/search?q=tugu", "/page/article?id=..%2F..%2Fx"):
                told = client.get(path, headers=headers)
                assert told.status_code < 500, (name, path)
                assert "jahat.example" not in str(dict(told.headers))
                assert corpus.MARKUP["script"] not in told.text
