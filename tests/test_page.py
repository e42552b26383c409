"""Only the article of a page: no teasers and links around it, no list that calls itself one."""

import datetime as dt
import json
import time
from pathlib import Path

import pytest

from index import clean
from index.reading.files import read
from index.records import SOME_PAGE, Article, ReadProblem

TODAY = dt.date(2026, 1, 10)
TITLE = "Jembatan Gantung Karang Anyar Dibuka Lagi"
OWN = (
    "KARANG ANYAR - Jembatan gantung di atas Sungai Wai Lirang dibuka lagi setelah empat bulan "
    "diperbaiki.",
    "Camat Yuliana Pratiwi meminta warga menuntun sepeda motor ketika melewati jembatan itu.",
    "Perbaikan jembatan sepanjang 84 meter menelan biaya Rp 6,2 miliar dari anggaran kabupaten.",
    "Sebelumnya 300 murid menyeberang dengan rakit setiap pagi, kata kepala sekolah, Darmawan.",
)
OTHERS = (
    ("Pedagang ikan pindah ke pasar baru", "Dinas pasar memindahkan 140 pedagang ikan hari Rabu."),
    ("Putri Teluksari juara piala gubernur", "Tim putri menang enam gol tanpa balas di stadion."),
    ("Penyanyi kampung rilis album ketiga", "Album itu direkam selama empat bulan di studio."),
    ("Harga cabai naik menjelang hari raya", "Harga cabai rawit naik menjadi Rp 90.000 sekilo."),
)
META = (
    f"<title>{TITLE} - Harian Teluk</title><meta property='og:type' content='article'>"
    "<meta property='article:published_time' content='2025-06-18T14:05:00+07:00'>"
    "<link rel='canonical' href='https://teluk.example/r/1201/jembatan-gantung-dibuka'>"
)


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def each(shape: str) -> str:
    return "".join(shape.format(n=n, head=h, text=t) for n, (h, t) in enumerate(OTHERS))


def page(body: str, head: str = META) -> str:
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'>{head}</head><body>"
        f"<nav><a href='/'>Beranda</a></nav>{body}<footer>Hak cipta</footer></body></html>"
    )


def outcome(tmp_path: Path, html: str) -> Article | ReadProblem:
    path = tmp_path / "halaman.html"
    path.write_text(html, encoding="utf-8")
    (found,) = read(path, today=TODAY)
    return found


def news(tmp_path: Path, html: str) -> list[str]:
    found = outcome(tmp_path, html)
    assert isinstance(found, Article), found
    spans = clean.kept_spans(found.body, title=found.title)
    return [found.body[start:end] for start, end in spans]


@pytest.mark.parametrize(
    "others",
    [
        "<ul>"
        + each("<li><div><a href='/r/{n}'><span>{head}</span></a><p>{text}</p></div></li>")
        + "</ul>",
        each("<article><h3><a href='/r/{n}'>{head}</a></h3><p>{text}</p><i>1 jam</i></article>"),
        each("<div><a href='/r/{n}'><h3>{head}</h3><p>{text}</p></a></div>"),
        "<ul>" + each("<li><a href='/r/{n}'>{head}</a> {text}</li>") + "</ul>",
        each("<h4><a href='/r/{n}'>{head}</a></h4><p>{text}</p>"),
        "<p>Baca Juga</p>" + each("<p><a href='/r/{n}'>{head}</a></p><p>{text}</p>"),
        "<div><h3>Berita Lainnya</h3>" + each("<p>{text}</p>") + "</div>",
        "<div class='related-news'>" + each("<p>{text}</p>") + "</div>",
    ],
)
def test_teasers_of_other_articles_are_left_out(tmp_path: Path, others: str) -> None:
    assert news(tmp_path, page(f"<div><h1>{TITLE}</h1>{paragraphs(*OWN)}{others}</div>")) == [*OWN]
    first = page(f"<div><div>{others}</div><div><h1>{TITLE}</h1>{paragraphs(*OWN)}</div></div>")
    if "Lainnya" not in others:
        assert news(tmp_path, first) == [*OWN]


@pytest.mark.parametrize(
    "between",
    [
        "<p><strong>Baca juga: Penyanyi kampung merilis album ketiga di studio.</strong></p>",
        "<p><b>Baca juga: <a href='/r/2'>Penyanyi kampung merilis album ketiga</a></b></p>",
        "<p><b>Pilihan Editor: <a href='/r/2'>Penyanyi kampung merilis album ketiga</a></b></p>",
        "<p>Artikel lainnya: " + each("<a href='/r/{n}'>{head}</a>, ") + "</p>",
        "<p>Baca juga:</p><ul>" + each("<li>{head}</li>") + "</ul>",
        "<p>Baca juga</p><ul>" + each("<li><a href='/r/{n}'>{head}</a></li>") + "</ul>",
        "<p><a href='/r/2'>Penyanyi kampung merilis album ketiga di studio.</a></p>",
        "<div><p>Video: Penyanyi kampung merilis album</p></div>",
        "<figure><img><figcaption>Penyanyi kampung di studio.</figcaption></figure>",
        "<p>Suasana di studio © teluk.example/foto</p>",
        "<blockquote class='twitter-tweet'><p>Selamat atas album ketiga kita.</p></blockquote>",
        "<div>Bagikan Facebook Twitter WhatsApp Salin tautan</div>",
        "<section><h3>Harian Premium</h3><p>Pilih paket</p><p>Rp 25.000 per bulan</p>"
        "<p>Berlangganan untuk membaca semua artikel premium.</p><a href='/m'>Masuk</a></section>",
        "<div style='display:none'><p>Penyanyi kampung merilis album ketiga di studio.</p></div>",
    ],
)
def test_what_stands_between_paragraphs_is_left_out(tmp_path: Path, between: str) -> None:
    html = page(f"<div><h1>{TITLE}</h1>{paragraphs(*OWN[:2])}{between}{paragraphs(*OWN[2:])}</div>")
    assert news(tmp_path, html) == [*OWN]


def test_link_to_another_article_inside_a_paragraph_is_left_out(tmp_path: Path) -> None:
    link = "<b>Baca juga:</b> <a href='/r/2'>Penyanyi kampung merilis album ketiga</a>"
    html = page(f"<div><h1>{TITLE}</h1><p>{OWN[0]} {link} {OWN[1]}</p>{paragraphs(*OWN[2:])}</div>")
    assert news(tmp_path, html) == [f"{OWN[0]} {OWN[1]}", *OWN[2:]]


def test_words_of_labels_in_a_sentence_are_no_label(tmp_path: Path) -> None:
    told = "Berita lainnya datang dari <a href='/x'>pasar baru di kota</a>, foto dari <a>Ani</a>."
    html = page(f"<div><h1>{TITLE}</h1>{paragraphs(*OWN, told)}</div>")
    assert news(tmp_path, html)[-1].endswith("dari pasar baru di kota, foto dari Ani.")


def test_short_items_of_a_list_and_headings_are_the_article(tmp_path: Path) -> None:
    items = ("Membawa kartu penduduk.", "Memakai pelampung", "Tidak membawa ternak.")
    listed = "<ol>" + "".join(f"<li>{item}</li>" for item in items) + "</ol>"
    parts = (f"<h3>Pukul sembilan</h3><p>{OWN[1]}</p>", f"<h3>Pukul sepuluh</h3><p>{OWN[2]}</p>")
    links = "<p>Baca juga:</p><ul>" + each("<li><a href='/r/{n}'>{head}</a></li>") + "</ul>"
    html = page(f"<article><h1>{TITLE}</h1>{''.join(parts)}{listed}{links}</article>")
    lines = ["Pukul sembilan", OWN[1], "Pukul sepuluh", OWN[2], *items]
    assert news(tmp_path, html) == lines


def test_links_of_the_article_itself_are_kept(tmp_path: Path) -> None:
    linked = (
        f"<a href='/tag/x'>Camat Yuliana Pratiwi</a>{OWN[1].removeprefix('Camat Yuliana Pratiwi')}"
    )
    html = page(
        f"<div><h1><a href='#'>{TITLE}</a></h1>{paragraphs(OWN[0], linked, *OWN[2:])}</div>"
    )
    assert news(tmp_path, html) == [*OWN]


def test_short_article_after_a_link_is_no_teaser(tmp_path: Path) -> None:
    html = page(f"<div><p><a href='/r/2'>{OTHERS[2][0]}</a></p>{paragraphs(OWN[0])}</div>")
    assert news(tmp_path, html) == [OWN[0]]


def test_series_of_photos_is_its_captions(tmp_path: Path) -> None:
    photos = "".join(f"<div class='caption'><p>{text}</p></div>" for text in OWN)
    assert news(tmp_path, page(f"<div><h1>{TITLE}</h1>{photos}</div>")) == [*OWN]


def test_rest_of_an_article_behind_a_click_is_kept(tmp_path: Path) -> None:
    rest = f"<div style='display: none'>{paragraphs(*OWN[2:])}</div>"
    html = page(f"<div><h1>{TITLE}</h1>{paragraphs(*OWN[:2])}{rest}</div>")
    assert news(tmp_path, html) == [*OWN]


def test_newsrooms_are_no_authors_of_a_page(tmp_path: Path) -> None:
    linked = {"@type": "NewsArticle", "headline": TITLE, "author": {"name": "Tim Okezone"}}
    head = f"{META}<script type='application/ld+json'>{json.dumps(linked)}</script>"
    signed = "<p>Penulis: Surya, Rini Maharani - detikOto</p><p>Editor: Redaksi</p>"
    found = outcome(tmp_path, page(f"<div>{paragraphs(*OWN)}{signed}</div>", head))
    assert isinstance(found, Article)
    assert (found.authors, found.editors) == (("Surya", "Rini Maharani"), ())


def test_parts_of_the_publisher_are_no_people_of_a_page(tmp_path: Path) -> None:
    named = [{"name": "Rini Maharani, Harian Teluk TV"}, {"name": "Harian Sutrisno"}]
    linked = {"@type": "NewsArticle", "headline": TITLE, "author": named}
    linked |= {"editor": {"name": "Bayu Aji"}, "publisher": {"name": "Harian Teluk"}}
    head = f"{META}<script type='application/ld+json'>{json.dumps(linked)}</script>"
    found = outcome(tmp_path, page(f"<div>{paragraphs(*OWN)}</div>", head))
    assert isinstance(found, Article)
    assert (found.authors, found.editors) == (("Rini Maharani", "Harian Sutrisno"), ("Bayu Aji",))


def test_declared_text_tells_which_paragraphs_belong(tmp_path: Path) -> None:
    linked = {"@type": "NewsArticle", "headline": TITLE, "articleBody": " ".join(OWN)}
    head = f"{META}<script type='application/ld+json'>{json.dumps(linked)}</script>"
    others = paragraphs(*(text for _, text in OTHERS))
    html = page(f"<div><h1>{TITLE}</h1>{paragraphs(*OWN)}{others}</div>", head)
    assert news(tmp_path, html) == [*OWN]


LISTED = each("<div><h3><a href='/r/{n}/x'>{head}</a></h3><p>{text}</p><i>Pukul 09:40</i></div>")
CLAIM = "<title>Harian Teluk</title><meta property='og:type' content='article'>"
LINKED = [{"@type": "NewsArticle", "headline": head} for head, _ in OTHERS]


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (LISTED, CLAIM),
        (f"<h1>Kabar Daerah</h1><p>{OWN[1]}</p>{LISTED}", CLAIM),
        (each("<p><a href='/r/{n}/x'>{head}</a></p><p>{text}</p>"), CLAIM),
        (
            f"<h1>Banjir</h1><p>{OWN[1]}</p>" + each("<p><a href='/r/{n}'>{head}</a></p>") * 3,
            CLAIM,
        ),
        (
            f"<h1>Banjir</h1>{LISTED}",
            CLAIM + "<link rel='canonical' href='https://teluk.example/tag/banjir'>",
        ),
        (each("<div><a href='/foto/{n}'><img src='{n}.jpg'><p>{head}</p></a></div>") * 2, CLAIM),
        (
            f"<h1>Ekonomi</h1>{LISTED}",
            f"{CLAIM}<script type='application/ld+json'>{json.dumps(LINKED)}</script>",
        ),
        (
            paragraphs(*(text for _, text in OTHERS)) * 2,
            CLAIM + '<script type="application/ld+json">{"@type":"CollectionPage"}</script>',
        ),
    ],
)
def test_list_that_calls_itself_an_article_is_refused(tmp_path: Path, body: str, head: str) -> None:
    found = outcome(tmp_path, page(body, head))
    assert isinstance(found, ReadProblem)
    assert "list of articles" in found.reason or "index page" in found.reason


@pytest.mark.parametrize(
    ("around", "number"),
    [
        ("", 0),
        ("<div><span>1</span> <a href='?page=2'>2</a> <a href='?page=3'>3</a></div>", 1),
        ("<div><a href='?page=1'>1</a> <b>2</b> <a href='?page=3'>3</a></div>", 2),
        ("<ul><li><a href='?page=1'>1</a></li><li class='active'><a href='?page=2'>2</a></ul>", 2),
        ("<a href='?page=1'>1</a> <a href='?page=2'>2</a> <a href='?page=2'>Selanjutnya</a>", -1),
        ("<a href='/r/7/berita-lain-lagi?page=2'>2</a>", 0),
        ("<p>Halaman 2 dari 3 <a href='?page=1'>Awal</a> <a href='?page=3'>Terus</a></p>", 2),
        ("<p><a href='?page=2'>Selanjutnya »</a></p>", 1),
        ("<p><a href='?page=2'>« Sebelumnya</a></p>", 3),
        ("<p><a href='?page=2'>Komentar</a></p>", -1),
        ("<link rel='prev' href='https://teluk.example/r/1201/jembatan-gantung-dibuka/2'>", 3),
        ("<link rel='next' href='https://teluk.example/r/1201/jembatan-gantung-dibuka/2'>", 1),
        ("<p><b>1</b> <a href='/r/1201/jembatan-gantung-dibuka/2'>2</a></p>", 1),
        ("<p><a href='/r/1201/jembatan-gantung-dibuka/12'>Kabar lain dari kota</a></p>", 0),
    ],
)
def test_number_of_a_page(tmp_path: Path, around: str, number: int) -> None:
    found = outcome(tmp_path, page(f"<div><h1>{TITLE}</h1>{paragraphs(*OWN)}</div>{around}"))
    assert isinstance(found, Article)
    assert found.page == number
    assert SOME_PAGE == -1


@pytest.mark.parametrize("mark", [" - Halaman 2", " (Halaman 2)", ": Hal. 2", " | Page 2 of 3"])
def test_title_tells_the_number_of_a_page(tmp_path: Path, mark: str) -> None:
    text = f"<div><h1>{TITLE}{mark}</h1>{paragraphs(*OWN)}</div>"
    first = outcome(tmp_path, page(text.replace(mark, "")))
    for own in ("", "/2"):
        head = META.replace(TITLE, TITLE + mark).replace("dibuka'>", f"dibuka{own}'>")
        found = outcome(tmp_path, page(text, head))
        assert isinstance(found, Article) and isinstance(first, Article)
        assert (found.title, found.page, found.id) == (TITLE, 2, first.id)


def test_bare_number_of_an_address_is_a_page_where_the_other_pages_are_linked(
    tmp_path: Path,
) -> None:
    text = f"<div><h1>{TITLE}</h1>{paragraphs(*OWN)}</div>"
    pager = "<p><a href='/r/banjir'>1</a> <a href='/r/banjir/2'>2</a></p>"
    found = {}
    for own in ("/r/banjir", "/r/banjir/2", "/r/banjir/3"):
        head = f"<title>{TITLE}</title><link rel='canonical' href='https://teluk.example{own}'>"
        for links in (pager, ""):
            found[own, links] = outcome(tmp_path, page(text + links, head))
    pages = [found["/r/banjir/2", pager], found["/r/banjir/3", pager]]
    assert [article.page for article in pages] == [2, 3]  # type: ignore[union-attr]
    assert {article.id for article in pages} == {found["/r/banjir", pager].id}  # type: ignore[union-attr]
    alone = found["/r/banjir/2", ""]
    assert isinstance(alone, Article)
    assert (alone.page, alone.id == found["/r/banjir", ""].id) == (0, False)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "piece",
    [
        "<div class='related'>",
        "<div><a href='/r/1'>Judul berita lain</a><p>Kalimat pendek tentang berita lain itu.</p>",
        "<a href='?page=2'>2</a> ",
        "<p>Berita Lainnya</p>",
        "<p>Baca juga</p><li>Judul</li>",
    ],
)
def test_hostile_page_takes_linear_time(tmp_path: Path, piece: str) -> None:
    began = time.process_time()
    outcome(tmp_path, page(f"<div>{paragraphs(*OWN)}{piece * (100_000 // len(piece))}</div>"))
    assert time.process_time() - began < 20
