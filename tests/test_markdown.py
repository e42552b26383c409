"""Markdown is read as text, a text that only looks like it is left alone; front matter tells."""

import datetime as dt
import time
from pathlib import Path

import pytest

from index.reading.files import read
from index.reading.markdown import front_matter, plain
from index.reading.scraped import text_of
from index.records import Article

TODAY = dt.date(2026, 1, 10)
FIRST = "Pemerintah Kota Sungailiat membuka kembali pasar ikan setelah tiga bulan diperbaiki."
SECOND = "Wali kota berkata seluruh pedagang lama mendapat lapak tanpa membayar sewa tahun ini."


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        (f"**BITUNG, KABAR.ID** -- {FIRST}", f"BITUNG, KABAR.ID -- {FIRST}"),
        (f"![Pasar ikan](https://a.id/b.jpg)\n\n{FIRST}", FIRST),
        ("Kata [wali kota](https://a.id/b_(c) 'Profil') itu.", "Kata wali kota itu."),
        ("Kata [wali kota][1] itu.\n\n[1]: https://a.id/b\n\n**Selesai**.", None),
        (
            "**Kata** [Wali Kota] itu [sic].\n\n[wali kota]: https://a.id/b",
            "Kata Wali Kota itu [sic].",
        ),
        (f"**Satu**[^1] hal.\n\n[^1]: {FIRST}", f"Satu hal.\n\n{FIRST}"),
        (
            "**Harga**\n\n| Jenis | Rp |\n|---|---:|\n| Beras | 12.500 |",
            "Harga\n\nJenis | Rp\nBeras | 12.500",
        ),
        (f"## Pasar *baru*\n\n{FIRST}", f"Pasar baru\n\n{FIRST}"),
        (f"# Pasar baru\n\n{FIRST}", f"Pasar baru\n\n{FIRST}"),
        (
            "**Kata dia:**\n\n> Lapak cukup.\n> Sewa bebas.",
            "Kata dia:\n\nLapak cukup.\nSewa bebas.",
        ),
        ("**Harga:**\n* beras\n+ gula", "Harga:\n- beras\n- gula"),
        (r"**Syarat** 2 \* 3 dan \[a\]", "Syarat 2 * 3 dan [a]"),
    ],
)
def test_marks_are_read(marked: str, said: str | None) -> None:
    assert text_of(marked) == (said or "Kata wali kota itu.\n\n\n\nSelesai.")
    assert plain(plain(marked)) == plain(marked)


@pytest.mark.parametrize(
    "text",
    [
        "Hasil 2 * 3 * 4 dan 2 ** 3 ** 4 ditulis di papan.",
        "Ia berteriak b*ngs*t dan k**t*l kepada **wasit itu.",
        "*) Penulis adalah dosen di Sungailiat.",
        "* beras\n* gula",
        "# beras\n# gula",
        "Pasal [2] (huruf a) dan [lihat](lampiran dua) tetap berlaku.",
        "> 5 persen\n> 10 persen",
        "__init__ dan nama_berkas_panjang",
        "--- jeda ---",
    ],
)
def test_text_that_merely_holds_marks_is_left_alone(text: str) -> None:
    assert text_of(text) == text


YAML = """---
title: "Pasar ikan: dibuka lagi"
date: 2025-06-19T08:00:00+07:00
authors:
  - Rini Maharani
  - 'Bayu Aji'
source_url: https://kabar.example/r/1702?page=all
site: Kabar Bitung # nama
---
"""
TOML = """+++
judul = "Pasar ikan: dibuka lagi"
tanggal = 2025-06-19
penulis = ["Rini Maharani", "Bayu Aji"]
url = "https://kabar.example/r/1702?page=all"
publisher = "Kabar Bitung"
+++
"""
OTHER = """---
layout: post
Headline: Pasar ikan: dibuka lagi
publishedAt: 19 Juni 2025
byline:
  - name: Rini Maharani
    role: reporter
  - {role: reporter, nama: Bayu Aji}
tags: [pasar, ikan]
canonicalUrl: https://kabar.example/r/1702?page=all
sumber: Kabar Bitung
editor: N/A
...
"""


@pytest.mark.parametrize("told", [YAML, TOML, OTHER])
@pytest.mark.parametrize("name", ["a.md", "a.txt", "a"])
def test_front_matter_tells_what_its_file_is(tmp_path: Path, told: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(f"{told}\n# Pasar ikan: dibuka lagi\n\n{FIRST}\n\n{SECOND}\n", encoding="utf-8")
    (found,) = read(path, today=TODAY)
    assert isinstance(found, Article)
    assert (found.title, found.publisher) == ("Pasar ikan: dibuka lagi", "Kabar Bitung")
    assert (found.published, found.authors) == (
        dt.date(2025, 6, 19),
        ("Rini Maharani", "Bayu Aji"),
    )
    assert found.url == "https://kabar.example/r/1702?page=all"
    assert found.body == f"{FIRST}\n\n{SECOND}"


def test_first_line_under_front_matter_is_text_unless_it_is_the_title(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(f"---\ntitle: Kabar\n---\nPasar ikan dibuka lagi\n\n{FIRST}\n\n{SECOND}")
    (found,) = read(path, today=TODAY)
    assert isinstance(found, Article)
    assert found.title == "Kabar" and found.body.startswith("Pasar ikan dibuka lagi\n\n")


@pytest.mark.parametrize(
    "text", [f"---\n{FIRST}\n---\n{SECOND}", "---\n\n---", "+++\nrusak = \n+++\nisi", "---\na: b"]
)
def test_rule_or_damage_is_no_front_matter(text: str) -> None:
    assert front_matter(text) == ({}, text)


def test_markdown_file_without_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(f"# Pasar ikan dibuka lagi\n*Rini Maharani*\n\n{FIRST}\n\n> {SECOND}\n")
    (found,) = read(path, today=TODAY)
    assert isinstance(found, Article)
    assert found.title == "Pasar ikan dibuka lagi"
    assert found.body.endswith(f"{FIRST}\n\n{SECOND}")


@pytest.mark.parametrize(
    "piece", ["**a", "[a", "![", "> ", "# ", "  ", "---\n", "__", "[a](", "\\"]
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    began = time.process_time()
    plain(f"**x** {piece * (400_000 // len(piece))}")
    assert time.process_time() - began < 5
