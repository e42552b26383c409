"""Articles over several pages are one, whatever comes first and however the pages are named."""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from index.archive import AddReport, Archive
from index.reading.publishers import article_id, page_of
from index.records import SOME_PAGE, Article

NOW = dt.datetime(2026, 1, 10, tzinfo=dt.UTC)
URL = "https://teluk.example/r/501/banjir-rendam-tiga-kecamatan"
TEXTS = (
    "TELUKSARI, TELUK.ID - Banjir merendam 412 rumah.\nBupati membuka dapur umum di balai desa.",
    "Tanggul jebol sepanjang 30 meter.\nPetugas menutupnya dengan 900 karung pasir.",
    "Perbaikan menelan Rp 4,8 miliar.\nPengungsi menerima 3 ton beras dari provinsi.",
)
WHOLE = "\n\n".join(TEXTS)


def article(url: str, body: str, page: int = 0) -> Article:
    own = article_id(None, "Harian Teluk", url, "Banjir", body)
    return Article(own, "Harian Teluk", "Banjir", body, url, dt.date(2025, 6, 18), page=page)


def added(path: Path, *batches: Sequence[Article]) -> list[AddReport]:
    with Archive.open(path, create=True) as archive:
        return [list(archive.add(batch, NOW))[-1] for batch in batches]


def kept(path: Path) -> list[Article]:
    with Archive.open(path) as archive:
        return [found for found, _ in archive.articles(list(archive.fingerprints()))]


NAMED = {
    "query": ("", "?page=2", "?page=3"),
    "first too": ("?page=1", "?page=2", "?page=3"),
    "halaman": ("?halaman=1", "?halaman=2", "?halaman=3"),
    "path": ("", "/2", "/3"),
    "page path": ("/page/1", "/page/2/", "/page/3"),
    "tracked": ("?utm_source=x", "?page=2&fbclid=3", "?ref=a&page=3#isi"),
}


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED)
def test_pages_are_one_article_in_their_order_whatever_came_first(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    pages = [article(URL + name, text) for name, text in zip(names, TEXTS, strict=True)]
    for number, order in enumerate(itertools.permutations(pages)):
        together, apart = tmp_path / f"t{number}.db", tmp_path / f"a{number}.db"
        added(together, order)
        added(apart, *([page] for page in order))
        for path in (together, apart):
            (found,) = kept(path)
            assert (found.body, found.url) == (WHOLE, pages[0].url)
        (again,) = added(apart, pages)
        assert (again.new, again.changed, again.same) == (0, 0, 3)


def test_corrected_page_replaces_that_page_only(tmp_path: Path) -> None:
    pages = [article(URL + name, text) for name, text in zip(NAMED["query"], TEXTS, strict=True)]
    added(tmp_path / "a.db", pages)
    for number in range(3):
        corrected = replace(pages[number], body=f"{TEXTS[number]}\nDitambah satu kalimat.")
        added(tmp_path / "a.db", [corrected])
        (found,) = kept(tmp_path / "a.db")
        assert found.body == WHOLE.replace(TEXTS[number], corrected.body)
        added(tmp_path / "a.db", [pages[number]])
    assert kept(tmp_path / "a.db")[0].body == WHOLE


def test_text_of_all_pages_on_one_makes_the_others_superfluous(tmp_path: Path) -> None:
    added(tmp_path / "a.db", [article(f"{URL}?page=2", TEXTS[1])], [article(URL, WHOLE)])
    assert kept(tmp_path / "a.db")[0].body == WHOLE
    (again,) = added(tmp_path / "a.db", [article(f"{URL}?page=2", TEXTS[1])])
    assert again.same == 1


def test_article_in_one_piece_is_not_lost_to_its_first_page(tmp_path: Path) -> None:
    first = article(URL, TEXTS[0], SOME_PAGE)
    added(tmp_path / "a.db", [article(f"{URL}?page=all", WHOLE)], [first])
    assert kept(tmp_path / "a.db")[0].body == WHOLE
    pages = [article(f"{URL}?page={n}", text) for n, text in enumerate(TEXTS, start=1)]
    added(tmp_path / "b.db", pages, [article(f"{URL}?page=all", WHOLE)])
    assert kept(tmp_path / "b.db")[0].body == WHOLE
    pages[2] = replace(pages[2], body=f"{pages[2].body}\nSawah kering.\nTanggul utuh.")
    whole = "\n\n".join(page.body for page in pages).replace("4,8", "5,1")
    added(tmp_path / "c.db", pages, [article(f"{URL}?page=all", whole)])
    assert kept(tmp_path / "c.db")[0].body == whole


def test_pages_under_one_address_are_told_apart_by_their_text(tmp_path: Path) -> None:
    pages = [article(URL, text, SOME_PAGE) for text in TEXTS[:2]]
    for number, order in enumerate((pages, pages[::-1])):
        path = tmp_path / f"{number}.db"
        added(path, order)
        assert kept(path)[0].body == "\n\n".join(TEXTS[:2])
        corrected = replace(pages[1], body=f"{TEXTS[1]}\nDitambah satu kalimat.")
        added(path, [corrected])
        assert kept(path)[0].body == f"{TEXTS[0]}\n\n{corrected.body}"
        assert added(path, [pages[0], corrected])[0].same == 2


def test_article_that_is_no_page_is_replaced_by_its_correction(tmp_path: Path) -> None:
    added(tmp_path / "a.db", [article(URL, TEXTS[0])], [article(URL, TEXTS[1])])
    assert kept(tmp_path / "a.db")[0].body == TEXTS[1]


def test_people_of_all_pages_are_told_and_removal_takes_all(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = replace(article(URL, TEXTS[0]), authors=("Rini Maharani",))
    last = replace(article(f"{URL}?page=2", TEXTS[1]), published=None, editors=("Bayu Aji",))
    added(path, [last, first])
    (found,) = kept(path)
    assert (found.authors, found.editors) == (("Rini Maharani",), ("Bayu Aji",))
    assert found.published == first.published
    with Archive.open(path) as archive:
        earlier = archive.get(found.id)
        assert earlier is not None
        archive.remove([found.id], NOW)
        assert list(archive.add([first], NOW))[-1].removed_earlier == 1
        archive.allow_again([found.id])
        list(archive.add([first], NOW))
        assert archive.get(found.id).body == TEXTS[0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "address", "number"),
    [
        ("https://a.id/r/501", "a.id/r/501", 0),
        ("https://a.id/r/0/2", "a.id/r/0/2", 0),
        ("https://a.id/kota-bandung-raya/12", "a.id/kota-bandung-raya/12", 0),
        ("https://a.id/2025/06/18", "a.id/2025/06/18", 0),
        ("https://a.id/r/harga-cabai-naik-lagi/2", "a.id/r/harga-cabai-naik-lagi", 2),
        ("https://a.id/r/501.html/3", "a.id/r/501.html", 3),
        ("https://a.id/r/harga-cabai-naik-lagi/12345", "a.id/r/harga-cabai-naik-lagi/12345", 0),
        ("https://a.id/r/5/page/2", "a.id/r/5", 2),
        ("https://a.id/r/5/halaman-2", "a.id/r/5", 2),
        ("https://www.a.id/r/5?id=3&halaman=2", "a.id/r/5?id=3", 2),
        ("https://a.id/r/5?page=all", "a.id/r/5", 0),
        ("https://a.id/?p=1234", "a.id?p=1234", 0),
        ("https://a.id/r?hal=berita&id=4", "a.id/r?hal=berita&id=4", 0),
        ("http://[rusak", "http://[rusak", 0),
        ("", "", 0),
    ],
)
def test_address_and_page_of_a_url(url: str, address: str, number: int) -> None:
    assert page_of(url) == (address, number)
