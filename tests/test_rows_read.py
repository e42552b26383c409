"""Rows under every name, in every shape and in nearly valid containers; what is told of them."""

import csv
import datetime as dt
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.archive import Archive
from index.errors import InputError
from index.reading import inputs, json_values
from index.reading.cells import has_words, is_nothing, people_in, stub_of
from index.reading.dates import ZONES, date_of
from index.reading.fields import Columns, meaning, plan
from index.reading.files import read
from index.records import Article, ReadProblem
from tests import homes

TODAY = dt.date(2026, 1, 10)
TITLE = "Dermaga Teluk Waru Selesai"
TEXT = "Dermaga Teluk Waru selesai dibangun dan dipakai nelayan mulai pekan ini, kata Marwah."
OTHER = "Petani kopi di Lereng Sawo menolak harga baru karena ongkos angkut naik dua kali lipat."
URL = "https://pesisir.example/r/7"


def outcomes(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read(path, today=TODAY, **options))


def articles(found):
    return [each for each in found if isinstance(each, Article)]


def told(found):
    return [each for each in found if isinstance(each, ReadProblem)]


def one(tmp_path, row, **options):
    (found,) = articles(outcomes(tmp_path / "satu.json", json.dumps(row), **options))
    return found


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("date", "Tanggal Terbit|tanggal_publikasi|publishedAt|date_publish|waktu_tayang|PubDate"),
        ("date", "DATE-PUBLISHED|tglmuat|publishing_date|first published at|Tgl. Rilis|createdAt"),
        ("text", "maintext|isi berita|IsiBerita|articleBody|full_text|page_content|Konten|naskah"),
        ("title", "Judul Berita|headline|post_title|judulArtikel|TITLE"),
        ("url", "Link|link_berita|tautan|source_url|articleUrl|Permalink"),
        ("publisher", "Media|Nama Media|sumber|source_name|site-name|source_domain|penerbit"),
        ("author", "penulis|Author Name|Nama Penulis|wartawan|dc:creator|reporters_author"),
        ("editor", "editor|Redaktur|penyunting_naskah|Nama Editor"),
        ("id", "id|_id|article_id|ID Berita|newsId|post-id|guid"),
    ],
)
def test_a_name_is_known_by_its_words(target, names):
    for name in names.split("|"):
        assert plan((name,), Columns()).names[target] == (name,), name


@pytest.mark.parametrize(
    "name",
    "image_url|urlToImage|author_id|URL Gambar|date_download|jumlah_kata|content_length|kategori"
    "|text_hash|filename|penulis_url|language|Unnamed: 0|crawled_at".split("|"),
)
def test_a_name_of_something_else_is_used_for_nothing(name):
    assert meaning(name).ranks == {} and meaning(name).known


@pytest.mark.parametrize("name", ["siar", "kolom_7", "catatan", "xyz", "validate", "idea"])
def test_a_strange_name_is_not_known(name):
    assert not meaning(name).known


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"date_download": "2025-06-20", "date_publish": "2025-06-18"}, "2025-06-18"),
        ({"updated_at": "2025-06-20", "published_at": "2025-06-18"}, "2025-06-18"),
        ({"date": "N/A", "created": "2025-06-18"}, "2025-06-18"),
        ({"time": "14:05", "tanggal": "18 Juni 2025"}, "2025-06-18"),
        ({"lastmod": "2025-06-18"}, "2025-06-18"),
        ({"published": True, "date": "2025-06-18"}, "2025-06-18"),
    ],
)
def test_the_date_of_publication_wins(tmp_path, row, expected):
    assert str(one(tmp_path, {"text": TEXT, **row}).published) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["10/21/2025 20:43", "10/7/2025 20:51"], ["2025-10-21", "2025-10-07"]),
        (["21/10/2025", "7/10/2025"], ["2025-10-21", "2025-10-07"]),
        (["7/10/2025", "8/10/2025"], ["2025-10-07", "2025-10-08"]),
        # No order fits both: each is read by itself, day first where that can be.
        (["10/21/2025", "21/10/2025", "7/10/2025"], ["2025-10-21", "2025-10-21", "2025-10-07"]),
    ],
)
def test_the_dates_of_a_column_have_one_order(tmp_path, dates, expected):
    lines = [f"{TITLE} {n},{day},{TEXT}" for n, day in enumerate(dates)]
    found = outcomes(tmp_path / "a.csv", "\n".join(["judul,tanggal,isi", *map(_quoted, lines)]))
    assert [str(each.published) for each in articles(found)] == expected


def _quoted(line):
    title, day, text = line.split(",", 2)
    return f'{title},{day},"{text}"'


def test_a_title_ends_before_its_site(tmp_path):
    row = {"text": TEXT, "url": URL}
    assert one(tmp_path, {**row, "judul": f"{TITLE} | pesisir.example"}).title == TITLE
    assert one(tmp_path, {**row, "judul": f"{TITLE} - Lengkap"}).title == f"{TITLE} - Lengkap"


@pytest.mark.parametrize(
    ("row", "url", "publisher"),
    [
        ({"source": "kabar_pesisir.csv", "link": URL}, URL, "pesisir.example"),
        ({"source": URL, "source-hostname": "Harian Pesisir"}, URL, "Harian Pesisir"),
        ({"source": "Harian Pesisir", "link": URL}, URL, "Harian Pesisir"),
        ({"sumber": "pesisir.example", "url": URL}, URL, "pesisir.example"),
        ({"publisher": "pesisir.example", "source": "Kantor Kabar"}, "", "pesisir.example"),
        ({"source_url": "https://pesisir.example/"}, "", "pesisir.example"),
        ({"url": "Tidak Ditemukan", "permalink": URL}, URL, "pesisir.example"),
        ({"publication": "Harian Pesisir", "date": "2025-06-18"}, "", "Harian Pesisir"),
    ],
)
def test_values_decide_what_names_leave_open(tmp_path, row, url, publisher):
    found = one(tmp_path, {"text": TEXT, **row})
    assert (found.url, found.publisher) == (url, publisher)


def test_the_whole_text_is_taken_before_its_beginning(tmp_path):
    row = {"content": "Dermaga Teluk Waru... [+70 chars]", "full_text": TEXT, "raw_text": OTHER}
    assert one(tmp_path, row).body == TEXT
    assert one(tmp_path, {"content": "[Removed]", "body": TEXT}).body == TEXT
    assert one(tmp_path, {"title": TITLE, "description": TEXT}).body == TEXT


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "b-17", "article_id": "c-1"}, "b-17"),
        ({"id": 3, "article_id": "kabar-223"}, "kabar-223"),
        ({"id": 3, "guid": "https://pesisir.example/?p=3"}, "3"),
        ({"_id": {"$oid": "650c1f"}}, "650c1f"),
        ({"id": "N/A", "_id": "x9"}, "x9"),
    ],
)
def test_the_id_is_the_rows_own(tmp_path, row, expected):
    assert one(tmp_path, {"text": TEXT, **row}).id == expected


# --- what the user maps, and what is told --------------------------------------------------------

STRANGE = "kepala_kabar,siar,uraian_panjang,laman_asal\n" + "".join(
    f"{TITLE} {n},{n + 1} Juni 2025,{' '.join([OTHER] * 4)} {n},https://pesisir.example/r/{n}\n"
    for n in range(4)
)


def test_columns_that_were_not_used_are_told_with_the_map_that_takes_them(tmp_path):
    first = told(outcomes(tmp_path / "a.csv", STRANGE))
    assert "--map text=uraian_panjang" in " ".join(problem.reason for problem in first)
    maps = ["text=uraian_panjang"]
    found = outcomes(tmp_path / "a.csv", STRANGE, columns=Columns.parse(maps))
    assert len(articles(found)) == 4 and articles(found)[0].published is None
    (note,) = [problem for problem in told(found) if problem.note]
    assert "'siar'" in note.reason and "--map date=siar" in note.reason
    maps += ["date=Siar", "title=KEPALA KABAR"]
    found = outcomes(tmp_path / "a.csv", STRANGE, columns=Columns.parse(maps))
    assert (articles(found)[0].title, str(articles(found)[0].published)) == (
        f"{TITLE} 0",
        "2025-06-01",
    )
    assert told(found) == []


def test_what_is_known_to_be_no_articles_date_is_told_only_where_none_is_there(tmp_path):
    rows = [{"text": f"{TEXT} {n}", "crawled_at": "2025-06-20"} for n in range(3)]
    (note,) = told(outcomes(tmp_path / "a.json", json.dumps(rows)))
    assert note.note and "'crawled_at'" in note.reason
    rows = [{**row, "date": "2025-06-18"} for row in rows]
    assert told(outcomes(tmp_path / "a.json", json.dumps(rows))) == []


def test_a_map_goes_into_nested_fields_and_before_known_names(tmp_path):
    row = {"text": TEXT, "date": "2025-06-18", "meta": {"siar": "2025-06-11"}}
    columns = Columns.parse(["date=meta.siar"])
    assert str(one(tmp_path, row, columns=columns).published) == "2025-06-11"


@pytest.mark.parametrize("written", ["datum=siar", "date", "date=", "=siar", "date=-"])
def test_a_map_that_cannot_be_is_an_error(written):
    with pytest.raises(InputError, match="TARGET=COLUMN"):
        Columns.parse([written])


def test_a_mapped_column_that_is_nowhere_is_told(tmp_path):
    columns = Columns.parse(["date=siaran"])
    found = outcomes(tmp_path / "a.json", json.dumps({"text": TEXT}), columns=columns)
    (note,) = told(found)
    assert "'siaran'" in note.reason and len(articles(found)) == 1


def test_the_command_maps_by_option_and_settings(tmp_path, capsys):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "x1", "uraian_x": TEXT, "siar": "2025-06-18T23:00:00Z"}))
    home = tmp_path / "rumah"
    assert homes.tanya(home, "add", path, "--map", "tanggal=siar") == 2
    home.mkdir(exist_ok=True)
    (home / "tanya.toml").write_text('[add]\nmap = ["date=siar"]\ntimezone = "WIT"\n')
    assert homes.tanya(home, "add", path, "--map", "text=uraian_x") == 0
    with Archive.open(home / "archive.db") as archive:
        assert archive.get("x1").published == dt.date(2025, 6, 19)
    (home / "tanya.toml").write_text('[add]\nmap = ["siar"]\n')
    assert homes.tanya(home, "add", path) == 1
    assert "add.map is ('siar',) but must be pairs" in capsys.readouterr().err


# --- shapes --------------------------------------------------------------------------------------

WORDPRESS = {
    "id": 12,
    "date": "2025-06-18T14:05:00",
    "guid": {"rendered": "https://pesisir.example/?p=12"},
    "link": URL,
    "title": {"rendered": "Dermaga &#8220;Teluk Waru&#8221; Selesai"},
    "content": {"rendered": f"<p>{TEXT}</p>\n<p>{OTHER} &amp; lain</p>", "protected": False},
    "excerpt": {"rendered": "<p>Dermaga [&hellip;]</p>"},
    "author": 3,
    "_embedded": {"author": [{"id": 3, "name": "Rini Maharani"}]},
}


def test_an_article_of_wordpress(tmp_path):
    found = one(tmp_path, [WORDPRESS])
    assert (found.id, found.title, found.url) == ("12", "Dermaga “Teluk Waru” Selesai", URL)
    assert (found.published, found.authors) == (dt.date(2025, 6, 18), ("Rini Maharani",))
    assert [line for line in found.body.split("\n") if line] == [TEXT, f"{OTHER} & lain"]


ROW = {"title": TITLE, "text": TEXT, "date": "2025-06-18"}
SECOND = {"title": "Harga Kopi", "text": OTHER, "date": "2025-06-19"}


@pytest.mark.parametrize(
    "value",
    [
        {"status": "ok", "articles": [ROW, SECOND]},
        {"response": {"numFound": 2, "docs": [ROW, SECOND]}},
        {"hits": {"total": 2, "hits": [{"_id": "1", "_source": ROW}, {"_source": SECOND}]}},
        {"data": {"posts": {"edges": [{"node": ROW}, {"node": SECOND}]}}},
        {"data": [{"type": "berita", "attributes": ROW}, {"attributes": SECOND}]},
        {"rows": [{"id": "a", "doc": ROW}, {"id": "b", "doc": SECOND}]},
        {"title": "Umpan", "items": [ROW, SECOND]},
        {"kumpulan_kami": [ROW, SECOND], "total": 2},
        [[ROW], [SECOND]],
        {"0": ROW, "1": SECOND},
        {name: {"0": ROW[name], "1": SECOND[name]} for name in ROW},
        {name: [ROW[name], SECOND[name]] for name in ROW},
        {"columns": list(ROW), "data": [list(ROW.values()), list(SECOND.values())]},
        {"schema": {"fields": [{"name": "index"}]}, "data": [ROW, SECOND]},
        [list(ROW), list(ROW.values()), list(SECOND.values())],
        {"values": [list(ROW), list(ROW.values()), list(SECOND.values())]},
        [{"page_content": each["text"], "metadata": each | {"text": 1}} for each in (ROW, SECOND)],
        {"@graph": [{"@type": "WebSite", "name": "Kabar", "url": URL}, ROW, SECOND]},
        {"articles": [{"title": r["title"], "summary": r["text"], "date": r["date"]}
                      for r in (ROW, SECOND)]},
        [{"@type": "NewsArticle", **ROW}, {"@type": "WebSite", "name": "x"}, SECOND],
        {"rss": {"channel": {"title": "Kabar", "item": [ROW, SECOND]}}},
        {"posts": [{**ROW, "status": "published"}, {**SECOND, "status": "publish"}]},
    ],
)  # fmt: skip
def test_rows_in_any_wrapping(tmp_path, value):
    for name, text in (
        ("a.json", json.dumps(value)),
        ("b.json", json.dumps(value, indent=1)),
        ("c.jsonl", json.dumps(value)),
    ):
        found = outcomes(tmp_path / name, text)
        assert [(a.title, a.body, str(a.published)) for a in articles(found)] == [
            (TITLE, TEXT, "2025-06-18"),
            ("Harga Kopi", OTHER, "2025-06-19"),
        ]
        assert [each for each in told(found) if not each.note] == []


def test_rows_that_were_not_published_are_counted_and_left_out(tmp_path):
    page = {**SECOND, "post_status": "publish", "post_type": "page", "type": "page"}
    rows = [
        {**ROW, "type": "page"},
        page,
        *({**SECOND, "post_status": s} for s in ("draft", "Private", "trash", "future")),
    ]
    found = outcomes(tmp_path / "a.json", json.dumps({"db": [{"data": {"posts": rows}}]}))
    assert [each.title for each in articles(found)] == [TITLE]
    (problem,) = told(found)
    assert "6 rows: drafts 2, pages 1, private posts 1, deleted posts 1" in problem.reason


def test_a_page_that_stands_in_a_row_is_read_as_a_page(tmp_path):
    head = (
        "<meta property='og:type' content='article'><meta property='og:site_name' content='Kabar'>"
    )
    menu = "<nav><a href='/'>Beranda</a><a href='/opini'>Opini</a></nav>"
    code = f"<!DOCTYPE html><html><head><title>{TITLE}</title>{head}</head>"
    code += (
        f"<body>{menu}<article><h1>{TITLE}</h1><p>{TEXT}</p><p>{OTHER}</p></article></body></html>"
    )
    for name in ("html", "raw_html", "content"):
        found = one(tmp_path, {name: code, "url": URL, "tanggal": "2025-06-18"})
        assert (found.title, found.body.split(), found.publisher) == (
            TITLE, f"{TEXT} {OTHER}".split(), "Kabar",
        )  # fmt: skip
        assert (found.url, str(found.published)) == (URL, "2025-06-18")
    assert one(tmp_path, {"html": code, "text": TEXT}).body == TEXT
    fragment = f"<html><body><p>{TEXT}</p></body></html>"
    assert one(tmp_path, {"title": TITLE, "content": fragment}).body == TEXT


@pytest.mark.parametrize(
    "body",
    [
        [TEXT, OTHER],
        {"sections": [{"headline": [], "paragraphs": [TEXT]}, {"paragraphs": [OTHER]}]},
        [{"type": "text", "content": f"<p>{TEXT}</p>"}, {"type": "gallery", "id": 4}, OTHER],
        {"blocks": [{"type": "paragraph", "data": {"text": t}} for t in (TEXT, OTHER)]},
        {
            "type": "doc",
            "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": part} for part in parts]}
                for parts in ((TEXT[:9], TEXT[9:]), (OTHER,))
            ],
        },
        json.dumps([TEXT, OTHER]),
        json.dumps({"blocks": [{"type": "paragraph", "data": {"text": t}} for t in (TEXT, OTHER)]}),
    ],
)
def test_a_text_in_parts(tmp_path, body):
    assert one(tmp_path, {"title": TITLE, "body": body}).body == f"{TEXT}\n{OTHER}"


def test_values_of_mongodb_and_other_stores(tmp_path):
    row = {"text": TEXT, "_id": {"$oid": "ab12"}}
    for date in (
        {"$date": "2025-06-18T23:05:00Z"},
        {"$date": {"$numberLong": "1750287900000"}},
        {"date": "2025-06-19 06:05:00.000000", "timezone": "Asia/Jakarta"},
        {"_seconds": 1750287900, "_nanoseconds": 0},
        ["2025-06-19"],
        '{"$date": "2025-06-18T23:05:00Z"}',
    ):
        found = one(tmp_path, {**row, "date": date})
        assert (found.id, str(found.published)) == ("ab12", "2025-06-19")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ([{"name": "Rini Maharani"}, {"name": "Bayu Aji"}], ("Rini Maharani", "Bayu Aji")),
        ([{"first_name": "Rini", "last_name": "Maharani"}], ("Rini Maharani",)),
        ("['Rini Maharani', 'Bayu Aji']", ("Rini Maharani", "Bayu Aji")),
        ("Rini Maharani; Bayu Aji", ("Rini Maharani", "Bayu Aji")),
        ("N/A", ()),
        ("Tidak Ditemukan", ()),
        (["Rini Maharani", "-", "None"], ("Rini Maharani",)),
        ("https://pesisir.example/penulis/rini", ()),
        ("pesisir.example", ()),
        (3, ()),
    ],
)
def test_people(value, names):
    assert people_in(value) == names


# --- nearly valid containers ---------------------------------------------------------------------

A, B = json.dumps({"title": TITLE, "text": TEXT}), json.dumps({"title": "B", "text": OTHER})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", f"[{A}][{B}]"),
        ("a.json", f"[\n{A}\n]\n[\n{B}\n]\n"),
        ("a.jsonl", f"{A},\n{B},\n"),
        ("a.json", f"{A},\n{B},\n"),
        ("a.jsonl", f"[\n{A}\n{B}\n]\n"),
        ("a.jsonl", f"[{A},\n{B}]\n"),
        ("a.jsonl", f"{A}\n]\n[{B}\n"),
        ("a.json", f"[{A},{B},]"),
        ("a.json", f"[{A[:-1]}, }}, {B[:-1]},}}]"),
        ("a.jsonl", f"{A[:-1]},}}\n{B}\n"),
        ("a.json", f"[{A[:-1]}, \"n\": NaN}}, {B}]"),
        ("a.json", f"\ufeff[{A}]\ufeff[{B}]"),
        ("a.jsonl", f"\ufeff{A}\n\ufeff{B}\n"),
        ("a.jsonl", f"{A}{B}\n"),
        ("a.json", f"{A}{B}"),
        ("a.jsonl", f"\x1e{A}\n\x1e{B}\n"),
        ("a.json", f"[{json.loads(A)!r}, {json.loads(B)!r}]"),
        ("a.jsonl", "\n".join(json.dumps(json.loads(each), indent=2) for each in (A, B))),
        ("a.jsonl", f'{{"articles": [{A}, {B}]}}'),
        ("a.json", f"// ekspor\n[\n{A}, // satu\n/* dua */ {B}\n] /* akhir */"),
        ("a.jsonl", "".join(f'{{"_id": ObjectId("{n}"), "jumlah": NumberLong(5), {each[1:]}\n'
                            for n, each in (("a7", A), ("a8", B)))),
        ("a.json", f"[{A[:-1]}, \"n\": \"jum\\'at\"}}, {B}]"),
        ("a.csv", f"title,text\n{TITLE},{TEXT}\ntitle,text\nB,{OTHER}\n"),
        ("a.csv", f"Laporan Berita\nDicetak: 3 Mei\n\ntitle;text\n{TITLE};{TEXT}\nB;{OTHER}\n"),
        ("a.csv", f'sep=;\ntitle;text\n{TITLE};"{TEXT}"\nB;{OTHER}\n'),
        ("a.csv", f'\ufeffsep=|\ntitle|text\n{TITLE}|"{TEXT}"\nB|{OTHER}\n'),
        ("a.csv", f'"sep=,"\n\ntitle,text\n{TITLE},"{TEXT}"\nB,{OTHER}\n'),
    ],
)  # fmt: skip
def test_what_is_nearly_valid_is_read(tmp_path, name, content):
    found = outcomes(tmp_path / name, content)
    assert [(each.title, each.body) for each in articles(found)] == [(TITLE, TEXT), ("B", OTHER)]
    assert told(found) == []


@pytest.mark.parametrize("content", ["[{}, {}", '{{"status": "ok", "articles": [{}, {}'])
def test_a_list_cut_short_gives_what_came_before_and_says_so(tmp_path, content):
    for end in range(1, len(B), 7):
        found = outcomes(tmp_path / "a.json", content.format(A, B[:-end]))
        assert [each.title for each in articles(found)] == [TITLE]
        (problem,) = told(found)
        assert "cut short" in problem.reason


def test_a_broken_row_costs_only_itself(tmp_path):
    broken = B.replace("kopi", 'ko"pi')
    for name, content in (("a.json", f"[{A}, {broken}, {A}]"), ("a.jsonl", f"{A}\n{broken}\n{A}")):
        found = outcomes(tmp_path / name, content)
        assert len(articles(found)) == 2
        (problem,) = told(found)
        assert problem.place == f"{name}:2" and "not valid JSON" in problem.reason


@given(st.integers(1, 50), st.integers(0, 200), st.booleans())
def test_pieces_of_any_size_read_alike(size, end, listed):
    text = f"[{A}, {B}][{A}]" if listed else f'{{"n": 1, "data": [{A}, {B}]}} {A}'
    text = text[: len(text) - end]
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    whole = list(json_values.values([text], lambda value: True))
    assert list(json_values.values(pieces, lambda value: True)) == whole


def test_large_lists_are_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "RECORD_LIMIT", 2_000)
    rows = [{"id": f"b-{n}", "title": f"Kabar {n}", "text": f"{TEXT} {n}"} for n in range(300)]
    for value in (rows, {"ok": 1, "articles": rows}, {"hits": {"hits": rows}}, {"lain": rows}):
        found = outcomes(tmp_path / "a.json", json.dumps(value))
        assert [each.id for each in articles(found)] == [row["id"] for row in rows]
        assert told(found) == []
    table = {"title": {str(n): f"Kabar {n}" for n in range(90)}}
    table["text"] = {str(n): f"{TEXT} {n}" for n in range(90)}
    assert len(articles(outcomes(tmp_path / "a.json", json.dumps(table)))) == 90


def test_parquet_is_read_in_batches(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    when = dt.datetime(2025, 6, 18, 23, 5, tzinfo=dt.UTC)
    rows = [
        {"id": f"b-{n}", "judul": f"Kabar {n}", "isi": [TEXT, str(n)], "terbit": when}
        for n in range(450)
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    for name in ("a.parquet", "a.bin", "a"):
        found = outcomes(tmp_path / name, data)
        assert [each.id for each in articles(found)] == [row["id"] for row in rows]
        assert told(found) == [] and found[0].body == f"{TEXT}\n0"
        assert found[0].published == dt.date(2025, 6, 19)
    found = outcomes(tmp_path / "b.parquet", data[: len(data) // 2])
    assert articles(found) == [] and "damaged" in told(found)[0].reason


def test_raw_line_breaks_in_json_lines_cost_no_row(tmp_path):
    parts = [A.replace("mulai", "\n\n\tmulai"), "rusak", B.replace("harga", "harga\n")]
    found = outcomes(tmp_path / "a.jsonl", "\n".join([*parts, A[:-9], B]))
    assert [each.title for each in articles(found)] == [TITLE, "B", "B"]
    assert articles(found)[0].body == TEXT.replace("mulai", "\n\n\tmulai")
    assert [each.place for each in told(found)] == ["a.jsonl:4", "a.jsonl:7"]


def test_cells_too_many_are_the_rest_of_a_last_text_and_else_told(tmp_path):
    found = outcomes(tmp_path / "a.csv", f"judul,isi\n{TITLE},{TEXT}\nB,{OTHER}\n")
    assert [each.body for each in articles(found)] == [TEXT, OTHER] and told(found) == []
    found = outcomes(tmp_path / "a.csv", f"isi,judul\n{OTHER},B\n{TEXT},{TITLE}\n")
    (note,) = told(found)
    assert note.note and "1 rows have more cells" in note.reason and "line 3" in note.reason


def test_elasticsearchs_bulk_lines_and_scripts_are_read_past(tmp_path):
    bulk = f'{{"index": {{"_id": "1"}}}}\n{A}\n{{"create": {{}}}}\n{B}\n'
    for name, content in (
        ("a.jsonl", bulk),
        ("a.json", f"var data = [{A}, {B}];"),
        ("a.json", f"callback([{A}, {B}]);\n"),
        ("a.json", f"// kumpulan\n[{A}, {B}]"),
    ):
        found = outcomes(tmp_path / name, content)
        assert [each.title for each in articles(found)] == [TITLE, "B"] and told(found) == []


# --- ids of several exports ----------------------------------------------------------------------


def table(*rows):
    out = io.StringIO()
    csv.writer(out).writerows([["ID", "judul", "isi", "url"], *rows])
    return out.getvalue()


HOAX = table(
    (1, TITLE, TEXT, "https://pesisir.example/a/1"),
    (2, "Dua", f"{TEXT} Dua.", "https://pesisir.example/a/2"),
)
NEWS = table(
    (1, "Harga Kopi", OTHER, "https://lereng.example/b/9"),
    (2, "Tiga", f"{OTHER} Tiga.", "https://lereng.example/b/8"),
)


def test_two_exports_that_number_their_rows_are_both_kept(tmp_path, capsys):
    for name, content in (("hoaks.csv", HOAX), ("kabar.csv", NEWS)):
        (tmp_path / name).write_text(content)
        assert homes.tanya(tmp_path, "add", tmp_path / name) == 0
    told = capsys.readouterr()
    assert "look like row numbers" in told.err
    assert "2 came with the id of another article" in told.out and "'1' is" in told.out
    with Archive.open(tmp_path / "archive.db") as archive:
        before = archive.fingerprints()
        assert len(before) == 4 and archive.get("1").title == TITLE
    for names in (("hoaks.csv", "kabar.csv"), ("kabar.csv", "hoaks.csv")):
        assert homes.tanya(tmp_path, "add", *(tmp_path / name for name in names)) == 0
        assert "new 0 · changed 0 · same 4" in capsys.readouterr().out
    with Archive.open(tmp_path / "archive.db") as archive:
        assert archive.fingerprints() == before


def test_both_halves_of_a_glued_export_are_kept(tmp_path):
    glued = HOAX + NEWS.partition("\n")[2]
    (tmp_path / "a.csv").write_text(glued)
    assert homes.tanya(tmp_path, "add", tmp_path / "a.csv") == 0
    with Archive.open(tmp_path / "archive.db") as archive:
        assert len(archive.fingerprints()) == 4


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ({"id": "7", "title": "A", "body": TEXT}, {"body": OTHER}, 1),  # the same title
        ({"id": "7", "url": URL, "title": "A", "body": TEXT}, {"title": "B", "body": OTHER}, 1),
        ({"id": "7", "title": "A", "body": TEXT}, {"title": "B", "body": f"{TEXT} Baru."}, 1),
        ({"id": "b-7", "title": "A", "body": TEXT}, {"title": "B", "body": OTHER}, 1),
        ({"id": "7", "title": "A", "body": TEXT}, {"title": "B", "body": OTHER}, 2),
        ({"id": "7.0", "title": "A", "body": TEXT}, {"title": "B", "body": OTHER}, 2),
        (
            {"id": "b-7", "title": "A", "body": TEXT},
            {"title": "B", "body": OTHER, "publisher": "Q"},
            2,
        ),
        ({"id": "b-7", "title": "A", "body": TEXT}, {"body": OTHER, "publisher": "Q"}, 1),
        (
            {"id": "b-7", "title": "A", "body": TEXT, "url": URL},
            {"title": "B", "body": OTHER, "url": f"{URL}8"},
            2,
        ),
    ],
)
def test_a_correction_replaces_and_another_article_does_not(tmp_path, first, second, kept):
    homes.add(tmp_path, [Article(**{"publisher": "P", **first})])
    homes.add(tmp_path, [Article(**{"publisher": "P", **first, **second})])
    with Archive.open(tmp_path / "archive.db") as archive:
        assert len(archive.fingerprints()) == kept
        assert archive.get(first["id"]).body == (first if kept == 2 else second)["body"]


# --- bodies without words, stubs, placeholders ---------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [", ,\n,,", "SCROLL TO CONTINUE WITH CONTENT", "[Removed]", "Tidak Ditemukan", "N/A", "null"]
    + ["-", "...", "\n  Teluk Waru, Kabar Pesisir -- ,\n,\n, ,\n", "ADVERTISEMENT\n\n- - -", "nan"]
    + ["Berita tidak ditemukan", "404 Not Found", "Loading...", "Baca selengkapnya di sini"]
    + ["[+311 chars]", "<p></p>", "&nbsp;", "Tanpa isi", "No content available", "[Galeri foto]"]
    + ["Maaf, halaman yang Anda tuju tidak ditemukan", "Error: the URL could not be retrieved"]
    + ["Baca juga:\n- Harga Kopi Naik\n- Dermaga Baru", "pesisir.example", "Isi berita tidak ada"]
    + ["Maaf, artikel ini tidak tersedia", "This content is not available", "Teks tidak ada"],
)
def test_a_body_without_words_is_a_problem_of_its_row(tmp_path, text):
    for name, content in (
        ("a.jsonl", f"{A}\n{json.dumps({'title': TITLE, 'text': text})}\n"),
        ("a.json", json.dumps([json.loads(A), {"title": TITLE, "text": text}])),
    ):
        found = outcomes(tmp_path / name, content)
        assert [each.body for each in articles(found)] == [TEXT]
        (problem,) = told(found)
        assert problem.place == f"{name}:2" and "no text" in problem.reason


@pytest.mark.parametrize(
    "text",
    [
        "Berita itu tidak ada hubungannya dengan pasar",
        "Pasar buka",
        "R2",
        "beras\ngula",
        "Tidak ada hujan hari ini",
    ],
)
def test_a_short_body_has_words(text):
    assert has_words(text)


@pytest.mark.parametrize(
    ("mark", "left"),
    [
        ("… [+2219 chars]", "…"),
        (" [+45 chars]", ""),
        ("... [+15 karakter]", "..."),
        (" [...]", ""),
        (" […]", ""),
        ("... Baca selengkapnya di pesisir.example", "..."),
        (" Klik di sini untuk membaca berita selengkapnya.", ""),
        ("\n\nSelengkapnya »", ""),
        ("… Read more", "…"),
        (" Continue reading Dermaga Teluk Waru →", ""),
        (" The post Dermaga appeared first on Harian Pesisir.", ""),
    ],
)
def test_a_stub_loses_its_mark_and_is_counted(tmp_path, mark, left):
    rows = [{"title": TITLE, "text": TEXT + mark}, {"title": "B", "text": OTHER}]
    found = outcomes(tmp_path / "a.json", json.dumps(rows))
    assert [each.body for each in articles(found)] == [TEXT + left, OTHER]
    (note,) = told(found)
    assert note.note and note.reason.startswith("1 article") and "row 1" in note.reason


def test_whole_texts_are_no_stubs():
    for text in (
        TEXT,
        f"{TEXT} Aturan selengkapnya akan diumumkan besok.",
        f"{' '.join([TEXT] * 20)} Baca selengkapnya di sini.",
        f"Harga [naik] {TEXT}",
    ):
        assert stub_of(text) == (text, False)


def test_placeholders_are_nothing(tmp_path):
    nothing = "N/A|Tidak Ditemukan|None|nan|-|Unknown|Penulis tidak diketahui|[Deleted]".split("|")
    for value in nothing:
        assert is_nothing(value)
        row = {"text": TEXT, "judul": value, "penulis": value, "sumber": value, "tanggal": value}
        found = outcomes(tmp_path / "a.json", json.dumps(row))
        (article,) = articles(found)
        assert (article.title, article.authors, article.publisher) == ("", (), "")
        assert told(found) == []
    for value in ("Nona", "Tidak Ada Hujan di Waru", "Nanda", "Noah"):
        assert not is_nothing(value)


# --- time zones ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wib", "wit"),
    [
        ("2025-06-18T23:05:00Z", 19, 19),
        ("2025-06-18T15:30:00Z", 18, 19),
        ("2025-06-18T16:59:59.123+00:00", 18, 19),
        ("Wed, 18 Jun 2025 23:17:40 GMT", 19, 19),
        ("Wed, 18 Jun 2025 23:17:40 +0000", 19, 19),
        ("Wed Jun 18 23:19:24 +0000 2025", 19, 19),
        ("Thu Jun 19 2025 00:05:00 GMT+0700 (WIB)", 19, 19),
        ("2025-06-18 23:05:00 +0000 UTC", 19, 19),
        ("20250618T230500Z", 19, 19),
        ("6/18/2025 11:05 PM UTC", 19, 19),
        ("2025-06-18 23:05:00", 18, 18),
        ("18 Juni 2025 23:30 WIT", 18, 18),
        ("2025-06-18", 18, 18),
        (1750287900, 19, 19),
        (1750287900123, 19, 19),
        ("1750287900000", 19, 19),
        (1750287900000000, 19, 19),
        ("1750258800", 18, 19),
    ],
)
def test_an_instant_is_dated_in_indonesia(value, wib, wit):
    assert date_of(value, TODAY) == dt.date(2025, 6, wib)
    assert date_of(value, TODAY, ZONES["WIT"]) == dt.date(2025, 6, wit)


def test_a_pages_date_is_dated_in_indonesia(tmp_path):
    page = (
        "<html><head><meta property='og:type' content='article'><title>Dermaga Teluk Waru</title>"
        "<meta property='article:published_time' content='2025-06-18T15:30:00Z'></head>"
        f"<body><article><h1>{TITLE}</h1><p>{TEXT}</p><p>{OTHER}</p><p>{TEXT} {OTHER}</p></article>"
    )
    for zone, day in (("WIB", 18), ("WIT", 19)):
        (found,) = articles(outcomes(tmp_path / "a.html", page, zone=ZONES[zone]))
        assert found.published == dt.date(2025, 6, day)
