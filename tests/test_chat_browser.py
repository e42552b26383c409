"""The chat in a real Chromium: what a reporter does with it, on a real archive and a real server.

Chromium is found by TANYA_CHROMIUM, then on the PATH. Without one the tests are skipped, but on a
build server (CI is set) they fail.
"""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from index.records import Article
from tests import homes

ROOT = Path(__file__).parent.parent
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000
FIRST = "Apa yang disepakati Wiranto dengan China?"
EVIL = (
    '<img src=x onerror="window.pwned=1"></script><script>window.pwned=1</script>'
    "![gambar](http://evil.example/a.png) ${window.pwned=1} {{value}}"
)
HOSTILE = Article(
    id='j"><img src=x onerror=window.pwned=1>',
    publisher="<b onmouseover=window.pwned=1>Koran Jahat</b>",
    title=f"Kebun kaktus raksasa {EVIL}",
    body=f"Zubaidah Kencana meresmikan kebun kaktus raksasa {EVIL} di Kalibiru.\n{EVIL}",
    url="javascript:window.pwned=1",
    published=dt.date(2024, 5, 6),
)
HOSTILE_QUESTION = "Apa yang diresmikan Zubaidah Kencana di Kalibiru?"


# A server and a browser --------------------------------------------------------------------------


def tanya(home, *arguments):
    command = [sys.executable, "-c", "from commands.main import main; main()", "--home", str(home)]
    subprocess.run([*command, *arguments], cwd=ROOT, check=True, capture_output=True)


@contextmanager
def served(home):
    """Serve a home as `python app.py` does; yield its address."""
    log = home / "serve.log"
    with log.open("w") as errors:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--port", "0"],
            cwd=home,
            env={**os.environ, "TANYA_HOME": str(home), "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = server.stdout.readline()
            assert "http://" in line, log.read_text()
            yield line[line.index("http://") :].strip()
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()


@pytest.fixture(scope="module")
def chromium():
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


@pytest.fixture(scope="module")
def sample(tmp_path_factory, chromium):
    """The address of a chat over the sample archive and one hostile article."""
    home = tmp_path_factory.mktemp("sample")
    homes.add(home, [HOSTILE])
    tanya(home, "add", str(ROOT / "sample" / "articles"))
    tanya(home, "build")
    with served(home) as address:
        yield address


@contextmanager
def visitor(chromium, address, **options):
    """Open the chat as a new visitor; in the end, nothing was asked of other hosts or broken."""
    options = {"viewport": {"width": 1280, "height": 800}, **options}
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    strange = []
    context.on("request", lambda r: r.url.startswith((address, "data:")) or strange.append(r.url))
    context.on("response", lambda r: r.status < 400 or strange.append(f"{r.status} {r.url}"))
    page = context.new_page()
    page.on("pageerror", lambda error: strange.append(str(error)))
    try:
        page.goto(address)
        expect(page.locator(".ta-freshness")).not_to_have_text("Membaca indeks…")
        yield page
        assert not strange
    finally:
        context.close()


@pytest.fixture
def page(chromium, sample):
    with visitor(chromium, sample) as opened:
        yield opened


expect.set_options(timeout=PATIENCE)


def newest(page):
    return page.locator("#ta-live .ta-turn")


def ask(page, question):
    """Type a question and wait until its answer is complete."""
    box = page.locator("#ta-question textarea")
    box.fill(question)
    for _ in range(20):
        box.press("Enter")
        try:
            # A question is not taken in the few milliseconds in which the one before ends.
            expect(newest(page).locator(".ta-question")).to_have_text(question, timeout=1500)
            break
        except AssertionError:
            expect(box).to_have_value(question)
    wait_for(page, question)


def wait_for(page, question):
    expect(newest(page).locator(".ta-question")).to_have_text(question)
    expect(newest(page)).to_have_attribute("aria-busy", "false")


def set_filter(page, after="", before=""):
    summary = page.locator("#ta-filters > button")
    if not page.locator("#ta-after textarea").is_visible():
        summary.click()
    first, last = page.locator("#ta-after textarea"), page.locator("#ta-before textarea")
    for _ in range(5):
        first.fill(after)
        last.fill(before)
        # On a busy machine the last word of the answer before comes late and takes them away.
        page.wait_for_timeout(200)
        if (first.input_value(), last.input_value()) == (after, before):
            break


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


# A reporter's work -------------------------------------------------------------------------------


def test_ask_an_example_read_its_proof_and_open_the_article(page):
    expect(page).to_have_title("Tanya Arsip")
    expect(page.locator("html")).to_have_attribute("lang", "id")
    expect(page.locator(".ta-freshness")).to_contain_text("43 artikel")
    example = page.locator(".ta-examples button").first
    expect(example).to_have_text(FIRST)
    example.click()
    wait_for(page, FIRST)
    expect(newest(page).locator(".ta-answer")).to_contain_text("siber")
    expect(page.locator("#ta-heard")).to_contain_text("Jawaban:")

    cited = newest(page).locator(".ta-cite").last
    mark = page.locator(f"#{cited.get_attribute('data-to')}")
    cited.click()
    expect(mark).to_be_in_viewport()
    expect(mark).to_be_focused()
    quote = " ".join(mark.inner_text().split())
    card = newest(page).locator(".ta-card").filter(has=mark)
    expect(card).to_contain_text("15 Desember 2016")
    expect(card).to_contain_text("jurnalnusa.com")

    opener = card.get_by_role("button", name="Buka artikel")
    opener.click()
    reader = page.get_by_role("dialog")
    expect(reader.locator("h2")).to_have_text(
        "Wiranto dan Dubes China Sepakat Perkuat Kerja Sama Keamanan Siber"
    )
    expect(reader.locator("mark").first).to_be_in_viewport()
    marks = [" ".join(text.split()) for text in reader.locator("mark").all_inner_texts()]
    assert quote in marks
    expect(reader).to_contain_text("Adapun Xie Feng menilai")
    page.keyboard.press("Escape")
    expect(reader).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    reader.get_by_role("button", name="Tutup").click()
    expect(reader).to_be_hidden()


def test_a_follow_up_is_understood_corrected_and_asked_again(page):
    ask(page, FIRST)
    ask(page, "Kapan itu terjadi?")
    expect(page.locator("#ta-history .ta-question")).to_have_text([FIRST])
    understood = newest(page).locator(".ta-aside").first
    expect(understood).to_contain_text("Dipahami sebagai:")
    expect(understood).to_contain_text("Wiranto")
    page.get_by_role("button", name="Perbaiki").click()
    corrected = "Kapan Pasar Sentral Wolasi terbakar?"
    page.get_by_label("Tulis pertanyaan yang Anda maksud").fill(corrected)
    page.get_by_role("button", name="Tanyakan ulang").click()
    wait_for(page, corrected)
    expect(newest(page)).to_contain_text("Wolasi")
    expect(page.locator("#ta-history .ta-question")).to_have_count(2)
    page.get_by_role("button", name="Percakapan baru").click()
    expect(page.locator(".ta-welcome")).to_be_visible()
    expect(page.locator("#ta-history .ta-turn")).to_have_count(0)


def test_dates_narrow_the_answer(page):
    question = "Bagaimana pembangunan Bendungan Waelomata?"
    ask(page, question)
    assert not all("2019" in line for line in newest(page).locator(".ta-byline").all_inner_texts())
    set_filter(page, "31/02/2020")
    expect(page.get_by_role("alert")).to_contain_text("“31/02/2020” tidak dikenali")
    page.locator("#ta-question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#ta-question textarea")).to_have_value(question)
    set_filter(page, "Agustus 2019", "2019")
    expect(page.locator("#ta-filters > button")).to_contain_text(
        "1 Agustus 2019 – 31 Desember 2019"
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    ask(page, question)
    expect(newest(page).locator("p.ta-aside")).to_contain_text("1 Agustus 2019 – 31 Desember 2019")
    lines = newest(page).locator(".ta-byline").all_inner_texts()
    assert lines
    assert all("2019" in line for line in lines)
    page.get_by_role("button", name="Hapus saringan").click()
    expect(page.locator("#ta-filters > button")).to_contain_text("semua tanggal, semua penerbit")


def test_a_date_in_the_question_is_a_chip_that_can_be_changed_and_taken_off(page):
    question = "Berapa rumah yang terendam waktu banjir Karangtirta tahun 2019?"
    ask(page, question)
    chip = newest(page).locator(".ta-chip")
    expect(chip).to_contain_text("Terbit: 2019")
    expect(newest(page).locator(".ta-byline").first).to_contain_text("2019")
    newest(page).get_by_role("button", name="Perbaiki").click()
    expect(newest(page).get_by_label("Dari tanggal")).to_have_value("01/01/2019")
    newest(page).get_by_label("Dari tanggal").fill("2023")
    newest(page).get_by_label("Sampai tanggal").fill("2023")
    newest(page).get_by_label("Tulis pertanyaan yang Anda maksud").fill(
        "Berapa rumah yang terendam banjir Karangtirta?"
    )
    newest(page).get_by_role("button", name="Tanyakan ulang").click()
    wait_for(page, "Berapa rumah yang terendam banjir Karangtirta?")
    expect(chip).to_contain_text("Terbit: 2023")
    expect(newest(page).locator(".ta-byline").first).to_contain_text("2023")
    chip.get_by_role("button", name="Tanya lagi tanpa batas").click()
    expect(page.locator("#ta-history .ta-question")).to_have_count(2)
    expect(newest(page)).to_have_attribute("aria-busy", "false")
    expect(chip).to_have_count(0)
    expect(page.locator("#ta-filters > button")).to_contain_text("semua tanggal, semua penerbit")


def test_a_typing_mistake_is_put_right_and_can_be_left_as_typed(page):
    typed = "Siapa duta besar yang menemui Wirnato?"
    ask(page, typed)
    notice = newest(page).locator(".ta-notice")
    expect(notice).to_contain_text("Menampilkan hasil untuk “Wiranto”, bukan “Wirnato”.")
    expect(newest(page).locator(".ta-answer")).to_contain_text("Xie Feng")
    notice.get_by_role("button", name="Cari seperti yang diketik").click()
    expect(page.locator("#ta-history .ta-question")).to_have_count(1)
    wait_for(page, typed)
    expect(notice).to_have_count(0)
    expect(newest(page)).not_to_contain_text("Dipahami sebagai")


def test_publishers_narrow_the_answer(page):
    page.locator("#ta-filters > button").click()
    page.locator("#ta-publishers input").click()
    page.get_by_role("option", name=re.compile("kabarlembayung")).click()
    page.keyboard.press("Escape")
    expect(page.locator("#ta-filters > button")).to_contain_text("kabarlembayung.id")
    ask(page, "Bagaimana kapal karam di Lemoa ditemukan?")
    lines = newest(page).locator(".ta-byline").all_inner_texts()
    assert lines
    assert all("kabarlembayung.id" in line for line in lines)


def test_an_unanswerable_question_is_met_honestly_and_the_filter_can_be_dropped(page):
    set_filter(page, before="2015")
    # The label changes when the page has taken the date in.
    expect(page.locator("#ta-filters > button")).to_contain_text("2015")
    ask(page, FIRST)
    expect(newest(page)).to_contain_text("Jawabannya tidak ditemukan di arsip.")
    expect(newest(page)).to_contain_text("Pencarian dibatasi: sampai 31 Desember 2015")
    newest(page).get_by_role("button", name="Tanya lagi tanpa saringan").click()
    expect(newest(page)).to_contain_text("siber")
    expect(page.locator("#ta-filters > button")).to_contain_text("semua tanggal, semua penerbit")


@pytest.mark.parametrize("nothing", ["", "   ", "?!…"])
def test_an_empty_question_is_asked_for(page, nothing):
    page.locator("#ta-question textarea").fill(nothing)
    page.get_by_role("button", name="Tanya", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Tulis dulu pertanyaan Anda.")
    page.locator("#ta-question textarea").press_sequentially("Me")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".ta-welcome")).to_be_visible()


def test_a_very_long_question_is_cut_and_the_page_says_so(page):
    page.locator("#ta-question textarea").fill("Mengapa pasar terbakar " * 150)
    page.get_by_role("button", name="Tanya", exact=True).click()
    expect(newest(page)).to_have_attribute("aria-busy", "false")
    expect(newest(page).locator(".ta-notice")).to_contain_text("2000 karakter")
    assert overflow(page) <= 0


def test_an_answer_is_copied_with_its_citations(chromium, sample):
    permissions = ["clipboard-read", "clipboard-write"]
    with visitor(chromium, sample, permissions=permissions) as page:
        ask(page, FIRST)
        page.get_by_role("button", name="Salin jawaban").click()
        expect(page.get_by_role("button", name="Tersalin")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(FIRST)
        assert "[1] Wiranto dan Dubes China" in copied
        expect(page.get_by_role("button", name="Salin jawaban")).to_be_visible()


def test_an_article_that_cannot_be_fetched_says_so(page):
    ask(page, FIRST)
    page.route("**/component_server**", lambda route: route.abort())
    newest(page).get_by_role("button", name="Buka artikel").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Server tidak menjawab.")
    page.get_by_role("button", name="Tutup").click()
    page.unroute("**/component_server**")
    newest(page).get_by_role("button", name="Buka artikel").first.click()
    expect(page.get_by_role("dialog").locator("mark").first).to_be_visible()


def test_a_reloaded_page_begins_afresh_and_works(page):
    ask(page, FIRST)
    page.reload()
    expect(page.locator(".ta-welcome")).to_be_visible()
    ask(page, "Kapan Pasar Sentral Wolasi terbakar?")
    expect(page.locator(".ta-turn")).to_have_count(1)


def test_visitors_do_not_see_each_other(chromium, sample):
    with visitor(chromium, sample) as one, visitor(chromium, sample) as other:
        ask(one, FIRST)
        ask(other, "Kapan Pasar Sentral Wolasi terbakar?")
        ask(one, "Kapan itu terjadi?")
        ask(other, "Kapan itu terjadi?")
        expect(newest(one).locator(".ta-aside").first).to_contain_text("Wiranto")
        expect(newest(other).locator(".ta-aside").first).to_contain_text("Wolasi")
        expect(one.locator("#ta-history .ta-question")).to_have_text([FIRST])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(chromium, sample, scheme):
    phone = {"width": 390, "height": 844}
    with visitor(chromium, sample, viewport=phone, color_scheme=scheme) as page:
        assert overflow(page) <= 0
        dark = page.evaluate("getComputedStyle(document.body).colorScheme")
        assert dark == scheme
        ask(page, FIRST)
        assert overflow(page) <= 0
        set_filter(page, "2016")
        assert overflow(page) <= 0
        beside, said = (newest(page).locator(part).bounding_box() for part in (".beside", ".said"))
        assert beside["y"] >= said["y"] + said["height"]
        newest(page).get_by_role("button", name="Buka artikel").first.click()
        expect(page.get_by_role("dialog").locator(".text")).to_be_visible()
        assert overflow(page) <= 0
        box = page.get_by_role("dialog").bounding_box()
        assert box["x"] >= 0
        assert box["width"] < 391


def test_chips_and_their_form_fit_on_a_phone(chromium, sample):
    with visitor(chromium, sample, viewport={"width": 390, "height": 844}) as page:
        ask(page, "Menurut Jurnal Nusa, apa berita Wirnato dan China pada 15 Desember 2016?")
        expect(newest(page).locator(".ta-chip")).to_have_count(2)
        expect(newest(page).locator(".ta-notice")).to_contain_text("Wiranto")
        newest(page).get_by_role("button", name="Perbaiki").click()
        expect(newest(page).get_by_label("Sampai tanggal")).to_have_value("15/12/2016")
        assert overflow(page) <= 0


def test_hostile_articles_are_inert(page):
    ask(page, HOSTILE_QUESTION)
    card = newest(page).locator(".ta-card").first
    expect(card).to_contain_text('Kebun kaktus raksasa <img src=x onerror="window.pwned=1">')
    expect(card).to_contain_text("<b onmouseover=window.pwned=1>Koran Jahat</b>")
    expect(newest(page).locator(".ta-answer")).to_contain_text("${window.pwned=1} {{value}}")
    card.get_by_role("button", name="Buka artikel").click()
    reader = page.get_by_role("dialog")
    expect(reader.locator(".text")).to_contain_text("![gambar](http://evil.example/a.png)")
    assert EVIL in reader.locator("mark").first.inner_text()
    page.keyboard.press("Escape")
    ask(page, f"{EVIL} apa?")
    assert page.locator("#ta-page img, #ta-reader img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate("window.pwned") is None


# An archive that changes while the page is open --------------------------------------------------


def test_the_page_follows_the_archive(chromium, tmp_path):
    with served(tmp_path) as address, visitor(chromium, address) as page:
        expect(page.locator(".ta-welcome")).to_contain_text("Arsip belum diindeks")
        expect(page.locator(".ta-welcome")).to_contain_text("tanya build")
        ask(page, "Siapa yang meresmikan Pelabuhan Batu Layar?")
        expect(newest(page)).to_contain_text("Arsip belum diindeks")
        question = page.locator("#ta-question textarea").input_value()
        assert question == "Siapa yang meresmikan Pelabuhan Batu Layar?"

        homes.add(tmp_path, homes.HARBOUR[:1])
        homes.build(tmp_path)
        expect(page.locator(".ta-freshness")).to_contain_text("1 artikel")
        expect(page.locator(".ta-welcome")).to_contain_text("Apa yang ingin Anda telusuri?")
        ask(page, question)
        expect(newest(page).locator(".ta-answer")).to_contain_text("Rahmat Hidayat")

        homes.add(tmp_path, homes.HARBOUR[1:2])
        expect(page.locator(".ta-freshness")).to_contain_text("1 artikel menunggu tanya build")
        homes.build(tmp_path)
        expect(page.locator(".ta-freshness")).to_contain_text("2 artikel · 2 penerbit")
        expect(page.locator(".ta-freshness .waiting")).to_have_count(0)
        expect(page.locator("#ta-history .ta-turn, #ta-live .ta-turn")).to_have_count(1)
        ask(page, "Berapa rumah yang terendam di Sungai Pinang?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("340 rumah")

        live = tmp_path / "versions" / "LIVE"
        name = live.read_text()
        live.write_text("rusak")
        ask(page, "Berapa rumah yang terendam?")
        expect(newest(page)).to_contain_text("Indeks tidak lengkap atau berubah")
        live.write_text(name)
        ask(page, "Siapa yang meresmikan Pelabuhan Batu Layar?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("Rahmat Hidayat")


def test_the_settings_name_the_chat_and_its_examples(chromium, tmp_path):
    examples = ["Apa <b>itu</b>?", 'Siapa "dia"?']
    (tmp_path / "tanya.toml").write_text(
        f'[chat]\ntitle = "Arsip <Uji>"\nexamples = {json.dumps(examples)}\n'
    )
    homes.add(tmp_path, homes.HARBOUR)
    homes.build(tmp_path)
    with served(tmp_path) as address, visitor(chromium, address) as page:
        expect(page).to_have_title("Arsip <Uji>")
        expect(page.locator("h1")).to_have_text("Arsip <Uji>")
        expect(page.locator(".ta-examples button")).to_have_text(examples)
