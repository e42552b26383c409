"""The chat in a real Chromium: what a reporter does with it, on a real archive and server."""

import datetime as dt
import json
import re

import httpx2
import pytest
from playwright.sync_api import expect

from index.records import Article
from tests import homes
from tests.browser import ROOT, ask, browsing, newest, overflow, served, visitor, wait_for
from web import audit

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


@pytest.fixture(scope="module")
def sample(tmp_path_factory, chromium):
    """The address of a chat over the sample archive and one hostile article."""
    home = tmp_path_factory.mktemp("sample")
    homes.add(home, [HOSTILE])
    assert homes.tanya(home, "add", ROOT / "sample" / "articles") == 0
    assert homes.tanya(home, "build") == 0
    with served(home) as address:
        yield address


@pytest.fixture
def page(chromium, sample):
    with visitor(chromium, sample) as opened:
        yield opened


def set_filter(page, after="", before=""):
    if not page.locator("#ta-after").is_visible():
        page.locator("[data-do=filters]").click()
    page.locator("#ta-after").fill(after)
    page.locator("#ta-before").fill(before)
    page.locator("#ta-before").blur()


# A reporter's work -------------------------------------------------------------------------------


def test_ask_read_its_proof_and_open_the_article(page):
    expect(page).to_have_title("Tanya Arsip")
    expect(page.locator("html")).to_have_attribute("lang", "id")
    expect(page.locator(".ta-freshness")).to_contain_text("43 artikel")
    ask(page, FIRST)
    expect(newest(page).locator(".ta-answer")).to_contain_text("siber")
    expect(page.locator("#ta-heard")).to_contain_text("Jawaban:")

    cited = newest(page).locator(".ta-cite").last
    mark = page.locator(f"#{cited.get_attribute('data-to')}")
    expect(mark).to_be_in_viewport()
    quote = " ".join(mark.inner_text().split())
    card = newest(page).locator(".ta-card").filter(has=mark)
    expect(card).to_contain_text("15 Desember 2016")
    expect(card).to_contain_text("jurnalnusa.com")

    opener = card.get_by_role("link", name="Buka artikel")
    opener.click()
    reader = page.locator("#ta-panel")
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
    expect(page.locator("#ta-turns .ta-question")).to_have_text([FIRST, "Kapan itu terjadi?"])
    understood = newest(page).locator(".ta-aside").first
    expect(understood).to_contain_text("Dipahami sebagai:")
    expect(understood).to_contain_text("Wiranto")
    page.get_by_role("button", name="Perbaiki").click()
    corrected = "Kapan Pasar Sentral Wolasi terbakar?"
    page.get_by_label("Tulis pertanyaan yang Anda maksud").fill(corrected)
    page.get_by_role("button", name="Tanyakan ulang").click()
    wait_for(page, corrected)
    expect(newest(page)).to_contain_text("Wolasi")
    expect(page.locator("#ta-turns .ta-question")).to_have_count(3)
    page.get_by_role("button", name="Percakapan baru").first.click()
    expect(page.locator(".ta-welcome")).to_be_visible()
    expect(page.locator("#ta-turns .ta-turn")).to_have_count(0)


def test_dates_narrow_the_answer(page):
    question = "Bagaimana pembangunan Bendungan Waelomata?"
    ask(page, question)
    assert not all("2019" in line for line in newest(page).locator(".ta-byline").all_inner_texts())
    set_filter(page, "31/02/2020")
    expect(page.locator("#ta-hint")).to_contain_text("“31/02/2020” tidak dikenali")
    page.locator("#ta-question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#ta-question")).to_have_value(question)
    set_filter(page, "Agustus 2019", "2019")
    expect(page.locator("#ta-applied")).to_contain_text("1 Agustus 2019 – 31 Desember 2019")
    expect(page.locator("#ta-hint")).to_be_empty()
    ask(page, question)
    expect(newest(page).locator("p.ta-aside")).to_contain_text("1 Agustus 2019 – 31 Desember 2019")
    lines = newest(page).locator(".ta-byline").all_inner_texts()
    assert lines
    assert all("2019" in line for line in lines)
    page.get_by_role("button", name="Hapus saringan").click()
    expect(page.locator("#ta-applied")).to_contain_text("semua tanggal, semua penerbit")


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
    expect(page.locator("#ta-turns .ta-question")).to_have_count(3)
    expect(newest(page)).to_have_attribute("aria-busy", "false")
    expect(chip).to_have_count(0)
    expect(page.locator("#ta-applied")).to_contain_text("semua tanggal, semua penerbit")


def test_a_typing_mistake_is_put_right_and_can_be_left_as_typed(page):
    typed = "Siapa duta besar yang menemui Wirnato?"
    ask(page, typed)
    notice = newest(page).locator(".ta-notice")
    expect(notice).to_contain_text("Menampilkan hasil untuk “Wiranto”, bukan “Wirnato”.")
    expect(newest(page).locator(".ta-answer")).to_contain_text("Xie Feng")
    notice.get_by_role("button", name="Cari seperti yang diketik").click()
    wait_for(page, typed, 2)
    expect(notice).to_have_count(0)
    expect(newest(page)).not_to_contain_text("Dipahami sebagai")


def test_publishers_narrow_the_answer(page):
    page.locator("[data-do=filters]").click()
    page.get_by_role("checkbox", name=re.compile("kabarlembayung")).check()
    page.keyboard.press("Escape")
    expect(page.locator("#ta-filter-row")).to_be_hidden()
    expect(page.locator("#ta-applied")).to_contain_text("kabarlembayung.id")
    ask(page, "Bagaimana kapal karam di Lemoa ditemukan?")
    lines = newest(page).locator(".ta-byline").all_inner_texts()
    assert lines
    assert all("kabarlembayung.id" in line for line in lines)


def test_an_unanswerable_question_is_met_honestly_and_the_filter_can_be_dropped(page):
    set_filter(page, before="2015")
    # The label changes when the page has taken the date in.
    expect(page.locator("#ta-applied")).to_contain_text("2015")
    ask(page, FIRST)
    expect(newest(page)).to_contain_text("Jawabannya tidak ditemukan di arsip.")
    expect(newest(page)).to_contain_text("Pencarian dibatasi: sampai 31 Desember 2015")
    newest(page).get_by_role("button", name="Tanya lagi tanpa saringan").click()
    expect(newest(page)).to_contain_text("siber")
    expect(page.locator("#ta-applied")).to_contain_text("semua tanggal, semua penerbit")


@pytest.mark.parametrize("nothing", ["", "   ", "?!…"])
def test_an_empty_question_is_asked_for(page, nothing):
    page.locator("#ta-question").fill(nothing)
    page.get_by_role("button", name="Tanya", exact=True).click()
    expect(page.locator("#ta-hint")).to_have_text("Tulis dulu pertanyaan Anda.")
    page.locator("#ta-question").press_sequentially("Me")
    expect(page.locator("#ta-hint")).to_be_empty()
    expect(page.locator(".ta-welcome")).to_be_visible()


def test_a_very_long_question_is_cut_and_the_page_says_so(page):
    page.locator("#ta-question").fill("Mengapa pasar terbakar " * 150)
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
    page.route("**/page/article**", lambda route: route.abort())
    newest(page).get_by_role("link", name="Buka artikel").first.click()
    expect(page.locator("#ta-panel")).to_contain_text("Server tidak menjawab.")
    page.get_by_role("button", name="Tutup").click()
    page.unroute("**/page/article**")
    newest(page).get_by_role("link", name="Buka artikel").first.click()
    expect(page.locator("#ta-panel").locator("mark").first).to_be_visible()


def test_visitors_do_not_see_each_other(chromium, sample):
    with visitor(chromium, sample) as one, visitor(chromium, sample) as other:
        ask(one, FIRST)
        ask(other, "Kapan Pasar Sentral Wolasi terbakar?")
        ask(one, "Kapan itu terjadi?")
        ask(other, "Kapan itu terjadi?")
        expect(newest(one).locator(".ta-aside").first).to_contain_text("Wiranto")
        expect(newest(other).locator(".ta-aside").first).to_contain_text("Wolasi")
        expect(one.locator("#ta-turns .ta-question")).to_have_text([FIRST, "Kapan itu terjadi?"])
        expect(one.locator(".ta-listed")).to_have_count(1)


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
        newest(page).get_by_role("link", name="Buka artikel").first.click()
        expect(page.locator("#ta-panel").locator(".text")).to_be_visible()
        assert overflow(page) <= 0
        box = page.locator("#ta-panel").bounding_box()
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
    card.get_by_role("link", name="Buka artikel").click()
    reader = page.locator("#ta-panel")
    expect(reader.locator(".text")).to_contain_text("![gambar](http://evil.example/a.png)")
    assert EVIL in reader.locator("mark").first.inner_text()
    page.keyboard.press("Escape")
    ask(page, f"{EVIL} apa?")
    assert page.locator("#ta-page img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate("window.pwned") is None


# An archive that changes while the page is open --------------------------------------------------


def test_the_page_follows_the_archive(chromium, tmp_path):
    with served(tmp_path) as address, visitor(chromium, address) as page:
        expect(page.locator(".ta-welcome")).to_contain_text("Arsip belum diindeks")
        expect(page.locator(".ta-welcome")).to_contain_text("tanya build")
        ask(page, "Siapa yang meresmikan Pelabuhan Batu Layar?")
        expect(newest(page)).to_contain_text("Arsip belum diindeks")
        question = page.locator("#ta-question").input_value()
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
        expect(page.locator("#ta-turns .ta-turn")).to_have_count(1)
        ask(page, "Berapa rumah yang terendam di Sungai Pinang?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("340 rumah")

        live = tmp_path / "versions" / "LIVE"
        name = live.read_text()
        live.write_text("rusak")
        ask(page, "Berapa rumah yang terendam di Sungai Pinang?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("340 rumah")
        expect(page.locator(".ta-freshness")).to_contain_text("Versi terbaru rusak")
        live.write_text(name)
        ask(page, "Siapa yang meresmikan Pelabuhan Batu Layar?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("Rahmat Hidayat")


def test_the_settings_name_the_chat_and_its_examples(chromium, tmp_path):
    examples = ["Apa <b>itu</b>?", 'Siapa "dia"?']
    (tmp_path / "tanya.toml").write_text(
        f'[chat]\ntitle = "Arsip <Uji>"\nexamples = {json.dumps(examples)}\n'
    )
    homes.harbour(tmp_path)
    with served(tmp_path) as address, visitor(chromium, address) as page:
        expect(page).to_have_title("Arsip <Uji>")
        expect(page.locator("h1")).to_have_text("Arsip <Uji>")
        expect(page.locator(".ta-examples button")).to_have_text(examples)


# Conversations that stay -------------------------------------------------------------------------


def questions(page):
    return page.locator("#ta-turns .ta-question")


def test_a_conversation_opens_again_after_a_reload_and_in_another_tab(chromium, sample):
    with browsing(chromium, sample) as context:
        page = context.new_page()
        page.goto(sample)
        ask(page, FIRST)
        ask(page, "Kapan itu terjadi?")
        answer = newest(page).locator(".ta-answer").inner_text()
        page.reload()
        expect(questions(page)).to_have_text([FIRST, "Kapan itu terjadi?"])
        assert newest(page).locator(".ta-answer").inner_text() == answer
        ask(page, "Siapa duta besarnya?")
        expect(newest(page).locator(".ta-answer")).to_contain_text("Xie Feng")
        other = context.new_page()
        other.goto(page.url)
        expect(questions(other)).to_have_count(3)
        other.goto(sample)
        other.locator(".ta-listed a").first.click()
        expect(questions(other)).to_have_count(3)


def test_a_question_typed_before_the_page_has_started_is_asked(chromium, sample):
    with browsing(chromium, sample) as context:
        page = context.new_page()
        held = []
        page.route("**/page/assets/main.js", lambda route: held.append(route))
        page.goto(sample)
        page.locator("#ta-question").fill(FIRST)
        page.locator("#ta-question").press("Enter")
        (script,) = held
        script.continue_()
        wait_for(page, FIRST, 1)


def test_back_and_forward_go_through_what_was_shown(page):
    ask(page, FIRST)
    ask(page, "Kapan Pasar Sentral Wolasi terbakar?")
    newest(page).get_by_role("link", name="Buka artikel").first.click()
    expect(page.locator("#ta-panel mark").first).to_be_visible()
    page.go_back()
    expect(page.locator("#ta-panel")).to_be_hidden()
    expect(questions(page)).to_have_count(2)
    page.go_back()
    expect(page).to_have_url(re.compile("jawaban=1"))
    expect(questions(page).first).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#ta-welcome")).to_be_visible()
    page.go_forward()
    expect(questions(page)).to_have_count(2)


def test_a_conversation_is_renamed_found_exported_and_deleted(page):
    ask(page, FIRST)
    page.get_by_role("button", name="Percakapan baru").first.click()
    ask(page, "Kapan Pasar Sentral Wolasi terbakar?")
    listed = page.locator(".ta-listed")
    expect(listed).to_have_count(2)
    menu = listed.first.locator("summary")
    menu.click()
    listed.first.get_by_role("button", name="Ganti nama").click()
    listed.first.get_by_label("Nama percakapan").fill("Kebakaran <b>pasar</b>")
    page.keyboard.press("Enter")
    expect(listed.first.locator("a").first).to_contain_text("Kebakaran <b>pasar</b>")
    page.get_by_label("Cari percakapan").fill("siber")
    expect(listed).to_have_count(1)
    expect(listed.first).to_contain_text(FIRST)
    page.get_by_label("Cari percakapan").fill("")
    expect(listed).to_have_count(2)
    for form, begin in (("Markdown", b"# Kebakaran"), ("Word", b"PK"), ("JSON", b"{")):
        menu.click()
        with page.expect_download() as download:
            listed.first.get_by_role("link", name=f"Unduh {form}").click()
        assert download.value.path().read_bytes().startswith(begin)
        assert re.fullmatch(r"[\w.-]+", download.value.suggested_filename)
        page.keyboard.press("Escape")
    page.on("dialog", lambda dialog: dialog.accept())
    menu.click()
    listed.first.get_by_role("button", name="Hapus").click()
    expect(listed).to_have_count(1)
    expect(page.locator("#ta-welcome")).to_be_visible()
    expect(questions(page)).to_have_count(0)


def test_an_unsent_question_waits_in_its_conversation(page):
    page.locator("#ta-question").fill("Belum selesai")
    page.reload()
    expect(page.locator("#ta-question")).to_have_value("Belum selesai")
    page.locator("#ta-question").fill("")
    ask(page, FIRST)
    page.locator("#ta-question").fill("Lalu bagaimana")
    page.get_by_role("button", name="Percakapan baru").first.click()
    expect(page.locator("#ta-question")).to_have_value("")
    page.locator(".ta-listed a").first.click()
    expect(page.locator("#ta-question")).to_have_value("Lalu bagaimana")


def test_conversations_outlive_the_server_and_stay_with_their_browser(chromium, tmp_path):
    homes.harbour(tmp_path)
    with served(tmp_path) as address, browsing(chromium, address) as context:
        page = context.new_page()
        page.goto(address)
        ask(page, "Siapa yang meresmikan Pelabuhan Batu Layar?")
        place, cookies = page.url, context.cookies()
        counted = httpx2.get(f"{address}/metrics").text
        assert 'tanya_questions_total{door="page",status="answered"} 1.0' in counted
        assert 'route="/gradio_api/queue/join",status="200"} 1.0' in counted
        assert httpx2.get(f"{address}/readyz").status_code == 200
    [row] = [row for row in audit.rows(tmp_path) if row["event"] == "question"]
    assert (row["door"], row["address"]) == ("page", "127.0.0.1")
    said = [line for line in (tmp_path / "serve.log").read_text().splitlines() if "tanya" in line]
    assert sum(f"[{row['request_id']}]" in line for line in said) == 2, said
    port = address.rpartition(":")[2]
    with served(tmp_path, port) as address:
        with browsing(chromium, address) as context:
            context.add_cookies(cookies)
            page = context.new_page()
            page.goto(place)
            expect(newest(page).locator(".ta-answer")).to_contain_text("Rahmat Hidayat")
        stranger = chromium.new_context()
        page = stranger.new_page()
        page.goto(place)
        expect(page.locator("#ta-turns")).to_contain_text("tidak ada di sini")
        expect(page.locator(".ta-listed")).to_have_count(0)
        stranger.close()


def test_the_look_is_chosen_and_stays(page):
    page.get_by_role("button", name="Tampilan gelap atau terang").click()
    scheme = "getComputedStyle(document.body).colorScheme"
    assert page.evaluate(scheme) == "dark"
    page.reload()
    expect(page.locator("#ta-welcome h2")).to_be_visible()
    assert page.evaluate(scheme) == "dark"


def test_the_keyboard_leads_everywhere(page):
    page.locator("#ta-question").blur()
    page.keyboard.press("/")
    page.keyboard.type(FIRST)
    page.keyboard.press("Enter")
    wait_for(page, FIRST, 1)
    box = page.locator("#ta-question")
    box.press("ArrowUp")
    expect(box).to_have_value(FIRST)
    box.press("ArrowDown")
    expect(box).to_have_value("")
    newest(page).get_by_role("link", name="Buka artikel").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ta-panel mark").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ta-panel")).to_be_hidden()


def test_days_are_picked_by_presets_counted_from_the_newest_day(page):
    page.locator("[data-do=filters]").click()
    expect(page.locator("#ta-counted-from")).to_contain_text("2 Maret 2026")
    page.get_by_role("button", name="30 hari").click()
    expect(page.locator("#ta-applied .ta-chip")).to_contain_text("sejak 1 Februari 2026")
    page.locator("#ta-applied").get_by_role("button", name="Tanpa saringan").click()
    expect(page.locator("#ta-applied")).to_have_text("semua tanggal, semua penerbit")
