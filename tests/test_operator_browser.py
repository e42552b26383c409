"""The operator's page in a real Chromium: files dropped on it, a build, and a way back."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.browser import ask, browsing, newest, overflow, served

# A process is started for what the page has done, in milliseconds.
PATIENCE = 120_000
QUESTION = "Siapa yang meresmikan jembatan gantung Karangsono?"
ARTICLE = (
    "Jembatan Gantung Karangsono Diresmikan\n\n"
    "Bupati Rukmana Wirajaya meresmikan jembatan gantung Karangsono pada 5 Mei 2025. "
    "Jembatan sepanjang 80 meter itu menghubungkan dua desa."
)

DROP = """([name, content]) => {
    const data = new DataTransfer();
    data.items.add(new File([content], name, {type: 'text/plain'}));
    for (const kind of ['dragenter', 'dragover', 'drop'])
        document.getElementById('op-drop').dispatchEvent(
            new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data}));
}"""


@pytest.fixture
def home(sample_home, tmp_path):
    """A home of its own with the sample, built."""
    shutil.copytree(sample_home, tmp_path / "home")
    return tmp_path / "home"


def test_a_dropped_file_is_built_asked_about_and_rolled_back(chromium, home):
    with served(home) as address, browsing(chromium, address, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator(".ta-sample")).to_contain_text("remove --from-file")
        page.locator("#ta-side-foot").get_by_role("link", name="Pengelola").click()
        expect(page).to_have_title("Pengelola")
        expect(page.locator("body")).to_have_class("op dark")

        # Its script takes what is dropped.
        page.wait_for_load_state("load")
        page.evaluate(DROP, ["jembatan.txt", ARTICLE])
        work = page.locator("#op-work")
        expect(work).to_contain_text("Versi 000002 selesai dibangun", timeout=PATIENCE)
        expect(work).to_contain_text("1 baru")
        expect(page.locator("#op-state")).to_contain_text("43")
        expect(page.locator("tr.live")).to_contain_text("000002")
        expect(page.locator("#ta-heard")).to_contain_text("Versi 000002")

        chat = context.new_page()
        chat.goto(address)
        expect(chat.locator(".ta-freshness")).to_contain_text("43 artikel")
        ask(chat, QUESTION)
        expect(newest(chat)).to_contain_text("Rukmana Wirajaya")
        expect(chat.locator(".ta-sample")).to_have_count(0)

        page.get_by_role("button", name="Hidupkan: 000001").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Batal").click()
        expect(page.locator("tr.live")).to_contain_text("000002")
        page.get_by_role("button", name="Hidupkan: 000001").click()
        dialog.get_by_role("button", name="Hidupkan").click()
        expect(page.locator("tr.live")).to_contain_text("000001")
        ask(chat, QUESTION)
        expect(newest(chat)).not_to_contain_text("Rukmana Wirajaya")

        # The next build takes up all that the archive has.
        page.get_by_role("button", name="Bangun sekarang").click()
        expect(work).to_contain_text("Versi 000003 selesai dibangun", timeout=PATIENCE)
        page.get_by_label("Sisakan versi terbaru").fill("1")
        page.get_by_role("button", name="Pangkas").click()
        dialog.get_by_role("button", name="Pangkas").click()
        expect(page.locator("#op-facts tr.live")).to_contain_text("000003")
        expect(page.get_by_role("button", name="Hidupkan")).to_have_count(0)


def test_the_page_fits_a_phone_and_files_are_chosen_there(chromium, home, tmp_path):
    folder = tmp_path / "berita" / "2025"
    folder.mkdir(parents=True)
    (tmp_path / "foto.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "kosong.txt").write_text("", encoding="utf-8")
    (folder / "foto.jpg").write_bytes(b"\xff\xd8\xff")
    phone = {"viewport": {"width": 390, "height": 844}}
    with served(home) as address, browsing(chromium, address, **phone) as context:
        page = context.new_page()
        page.goto(f"{address}/pengelola")
        assert overflow(page) <= 0
        page.locator("#op-files").set_input_files(tmp_path / "foto.jpg")
        expect(page.get_by_role("alert")).to_contain_text("Yang dilewati: 1 .jpg")
        page.locator("#op-folder").set_input_files(tmp_path / "berita")
        expect(page.locator("#op-work")).to_contain_text(
            "Tidak ada artikel yang terbaca", timeout=PATIENCE
        )
        expect(page.locator("#op-work")).to_contain_text("kosong.txt")
        assert overflow(page) <= 0
