"""The chat in a real Chromium: a server over a home, and a visitor of it."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parent.parent
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@contextmanager
def served(home, port=0):
    """Serve a home as `python app.py` does; yield its address, without the last slash."""
    log = home / "serve.log"
    with log.open("w") as errors:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--port", str(port)],
            cwd=home,
            env={**os.environ, "TANYA_HOME": str(home), "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = server.stdout.readline()
            assert "http://" in line, log.read_text()
            yield line[line.index("http://") :].strip().rstrip("/")
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()


@contextmanager
def chromium_opened():
    """Start Chromium, found by TANYA_CHROMIUM or on the PATH; without one the test is skipped.

    On a build server (CI is set) it fails.
    """
    named = os.environ.get("TANYA_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = named or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        message = "no Chromium: set TANYA_CHROMIUM to its path, or install one"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def visitor(chromium, address, **options):
    """Open the chat as a new visitor; in the end, nothing was asked of other hosts or broken."""
    with browsing(chromium, address, **options) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator(".ta-freshness")).not_to_have_text("Membaca indeks…")
        yield page


@contextmanager
def browsing(chromium, address, **options):
    """Begin as a new visitor, whose pages ask nothing of other hosts and do not break."""
    options = {"viewport": {"width": 1280, "height": 800}, **options}
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    strange = []
    ours = (address, "data:", f"blob:{address}")
    context.on("request", lambda r: r.url.startswith(ours) or strange.append(r.url))
    context.on("response", lambda r: r.status < 400 or strange.append(f"{r.status} {r.url}"))
    context.on("weberror", lambda error: strange.append(str(error.error)))
    try:
        yield context
        assert not strange
    finally:
        context.close()


def newest(page):
    """Return the turn that stands last in the conversation."""
    return page.locator("#ta-turns .ta-turn").last


def ask(page, question):
    """Type a question and wait until its answer is complete and in its place."""
    # One that failed gives way to the next.
    before = page.locator("#ta-turns .ta-turn:not(:has([data-restore]))").count()
    page.locator("#ta-question").fill(question)
    page.locator("#ta-question").press("Enter")
    wait_for(page, question, before + 1)


def wait_for(page, question, count=None):
    """Wait until the answer to a question is complete, as turn `count` of those shown."""
    if count:
        expect(page.locator("#ta-turns .ta-turn")).to_have_count(count)
    expect(newest(page).locator(".ta-question")).to_have_text(question)
    expect(newest(page)).to_have_attribute("aria-busy", "false")


def overflow(page):
    """Return how many pixels wider than the window the page is."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
