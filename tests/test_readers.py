"""Every kind of file, clean and dirty: what becomes an article, and what is told as a problem."""

import datetime as dt
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import clean
from index.errors import InputError
from index.reading import files, inputs, json_values, packed
from index.reading.files import find_files, read, size
from index.reading.publishers import article_id, canonical_publisher
from index.records import Article, ReadProblem

TODAY = dt.date(2026, 1, 10)
TITLE = "Pasar Ikan Sungailiat Dibuka Kembali"
FIRST = (
    "Pemerintah Kota Sungailiat membuka kembali pasar ikan setelah tiga bulan diperbaiki, "
    "Kamis (15/12/2016)."
)
SECOND = (
    "Wali kota berkata seluruh pedagang lama mendapat lapak tanpa membayar sewa sampai akhir "
    "tahun depan."
)
THIRD = '"Kami senang sekali dapat berjualan lagi di sini," kata Marwah, pedagang tenggiri.'


def outcomes(path: Path, **options: object) -> list[Article | ReadProblem]:
    return list(read(path, today=TODAY, **options))  # type: ignore[arg-type]


def articles(path: Path, **options: object) -> list[Article]:
    return [found for found in outcomes(path, **options) if isinstance(found, Article)]


def problems(path: Path) -> list[ReadProblem]:
    return [found for found in outcomes(path) if isinstance(found, ReadProblem)]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(path: Path, *rows: object) -> Path:
    return written(path, "".join(f"{json.dumps(row)}\n" for row in rows))


def row(tmp_path: Path, **fields: object) -> Article:
    (found,) = articles(lines(tmp_path / "satu.jsonl", {"text": FIRST, **fields}))
    return found


# --- finding -------------------------------------------------------------------------------------


def test_folders_are_walked_in_order_without_hidden_files_and_loops(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    names = [
        "c.txt",
        "b/a.jsonl.gz",
        "a.csv",
        ".rahasia.txt",
        ".git/x.txt",
        "gambar.png",
        "b/tanpa",
    ]
    for name in names:
        written(tmp_path / name, "isi")
    (tmp_path / "b" / "naik").symlink_to(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in find_files([tmp_path])]
    assert found == ["a.csv", "c.txt", "b/a.jsonl.gz", "b/tanpa"]
    assert find_files([tmp_path / "gambar.png"] * 2) == [tmp_path / "gambar.png"]


def test_missing_path_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tidak-ada"):
        find_files([tmp_path / "tidak-ada"])


def test_size_and_progress_count_the_stored_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"text": FIRST}).encode() * 1))
    told: list[int] = []
    assert articles(path, progress=told.append)
    assert sum(told) == size(path) == path.stat().st_size
    assert size(tmp_path / "tidak-ada") == 0


# --- JSON lines and JSON -------------------------------------------------------------------------


def test_all_fields_of_a_row(tmp_path: Path) -> None:
    fields = {
        "id": 17,
        "judul": TITLE,
        "isi": f"{FIRST}\r\n{SECOND}",
        "link": "https://bangka.tribunnews.com/2016/12/15/pasar?page=all",
        "tanggal": "Kamis, 15 Desember 2016 | 14:05 WIB",
        "source": "bangkapos.com",
        "author": "Rini Maharani, Bayu Aji",
        "editor": ["Siti", {"name": "Umar"}],
    }
    (found,) = articles(lines(tmp_path / "berita.jsonl", fields))
    assert found == Article(
        id="17",
        publisher="Bangka Pos",
        title=TITLE,
        body=f"{FIRST}\n{SECOND}",
        url="https://bangka.tribunnews.com/2016/12/15/pasar?page=all",
        published=dt.date(2016, 12, 15),
        authors=("Rini Maharani", "Bayu Aji"),
        editors=("Siti", "Umar"),
    )


def test_each_bad_line_is_a_problem_with_its_place_and_the_rest_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path / "berita.jsonl",
        "\n".join(
            [
                json.dumps({"text": FIRST}),
                "{rusak",
                "",
                json.dumps({"title": TITLE}),
                json.dumps({"title": TITLE, "text": "  "}),
                "[1, 2]",
                json.dumps({"text": SECOND}),
            ]
        ),
    )
    found = outcomes(path)
    assert [o.body for o in found if isinstance(o, Article)] == [FIRST, SECOND]
    told = {o.place: o.reason for o in found if isinstance(o, ReadProblem)}
    assert list(told) == [f"berita.jsonl:{number}" for number in (2, 4, 5, 6)]
    assert "not valid JSON: Expecting property name" in told["berita.jsonl:2"]
    assert "character 2" in told["berita.jsonl:2"] and "line 1" not in told["berita.jsonl:2"]
    assert "fields are title" in told["berita.jsonl:4"]
    assert told["berita.jsonl:5"] == "The article has no text."


def test_line_over_the_limit_is_a_problem_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "RECORD_LIMIT", 5_000)
    long = json.dumps({"text": "kata " * 5_000})
    path = written(tmp_path / "a.jsonl", f"{long}\n{json.dumps({'text': FIRST})}\n")
    problem, article = outcomes(path)
    assert isinstance(problem, ReadProblem) and problem.place == "a.jsonl:1"
    assert isinstance(article, Article) and article.body == FIRST
    listed = written(tmp_path / "a.json", f"[{long}, {json.dumps({'text': FIRST})}]")
    problem, article = outcomes(listed)
    assert isinstance(problem, ReadProblem) and isinstance(article, Article)


def test_hopeless_file_is_given_up(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", "bukan json\n" * 5_000)
    assert len(problems(path)) == files.HOPELESS + 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("daftar.json", [{"text": FIRST}, {"text": SECOND}]),
        ("bungkus.json", {"status": "ok", "articles": [{"text": FIRST}, {"text": SECOND}]}),
    ],
)
def test_json_lists(tmp_path: Path, name: str, content: object) -> None:
    for text in (json.dumps(content), json.dumps(content, indent=2)):
        assert [a.body for a in articles(written(tmp_path / name, text))] == [FIRST, SECOND]


def test_one_json_object_and_lines_under_a_wrong_name(tmp_path: Path) -> None:
    assert articles(written(tmp_path / "a.json", json.dumps({"text": FIRST}, indent=1)))
    two = f"{json.dumps({'text': FIRST})}\n{json.dumps({'text': SECOND})}\n"
    assert len(articles(written(tmp_path / "b.json", two))) == 2
    assert len(articles(written(tmp_path / "c.txt", two))) == 2


def test_broken_element_of_a_list_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    text = f'[{{"text": {json.dumps(FIRST)}}}, 5, {{text: 1}}, {{"text": {json.dumps(SECOND)}}}]'
    found = outcomes(written(tmp_path / "a.json", text))
    assert [type(o) for o in found] == [Article, ReadProblem, ReadProblem, Article]
    assert [o.place for o in found if isinstance(o, ReadProblem)] == ["a.json:2", "a.json:3"]
    cut = json.dumps([{"text": FIRST}, {"text": SECOND}])[:-20]
    found = outcomes(written(tmp_path / "b.json", cut))
    assert [type(o) for o in found] == [Article, ReadProblem]
    assert "cut short" in found[1].reason
    (article, problem) = outcomes(written(tmp_path / "c.json", f'[{{"text": "{FIRST}"}}] ekor'))
    assert isinstance(article, Article) and "not valid JSON" in problem.reason


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(JSON_VALUES, max_size=6), st.sampled_from([None, 2]), st.booleans(), st.integers(1, 60)
)
def test_json_list_is_cut_as_json_reads_it(
    values: list[object], indent: int | None, plain: bool, size: int
) -> None:
    text = json.dumps(values, ensure_ascii=plain, indent=indent)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(json_values.values(pieces, bool)) == values


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv_by_any_delimiter(tmp_path: Path, mark: str) -> None:
    header, cells = ["judul", "isi", "tanggal"], [TITLE, f'"{SECOND}\n{SECOND}"', "15/12/2016"]
    (found,) = articles(written(tmp_path / "a.csv", f"{mark.join(header)}\n{mark.join(cells)}\n"))
    assert (found.title, found.body) == (TITLE, f"{SECOND}\n{SECOND}")
    assert found.published == dt.date(2016, 12, 15)


def test_csv_problems_name_the_line(tmp_path: Path) -> None:
    text = f'title,text,text\nA,"{SECOND}\n{SECOND}",x\nB,,\nC,{SECOND},\n'
    found = outcomes(written(tmp_path / "a.csv", text))
    assert [o.place for o in found if isinstance(o, ReadProblem)] == ["a.csv:1", "a.csv:4"]
    assert [o.title for o in found if isinstance(o, Article)] == ["A", "C"]


def test_csv_row_that_an_open_quote_took_in_is_told(tmp_path: Path) -> None:
    rows = [
        "id,judul,isi",
        f"hk-1,Satu,{SECOND}",
        f'hk-2,"Dua,{SECOND}',
        f'hk-3,"Tiga","{THIRD.replace(chr(34), chr(34) * 2)}"',
        f'hk-4,Empat,"{SECOND}\nhk-5, lima, enam"',
    ]
    found = outcomes(written(tmp_path / "a.csv", "\n".join(rows) + "\n"))
    assert [o.id for o in found if isinstance(o, Article)] == ["hk-1", "hk-4"]
    (problem,) = [o for o in found if isinstance(o, ReadProblem)]
    assert problem.place == "a.csv:3"
    assert "not closed" in problem.reason and "2 lines" in problem.reason


def test_an_id_that_stands_twice_keeps_its_first_text(tmp_path: Path) -> None:
    rows = [{"id": "hk-1", "text": FIRST}, {"id": "hk-1", "text": SECOND}]
    rows += [{"id": "hk-1", "text": FIRST}, {"url": "https://a.id/b", "text": FIRST}]
    rows += [{"url": "https://a.id/b", "text": SECOND}]
    for name, content in (
        ("a.jsonl", "\n".join(map(json.dumps, rows))),
        ("a.json", json.dumps(rows)),
        (
            "a.csv",
            "id,url,text\n"
            + "".join(f'{r.get("id", "")},{r.get("url", "")},"{r["text"]}"\n' for r in rows),
        ),
    ):
        found = outcomes(written(tmp_path / name, content))
        # A page that was crawled twice may have changed meanwhile.
        bodies = [o.body for o in found if isinstance(o, Article)]
        assert bodies == [FIRST, FIRST, FIRST, SECOND]
        problems = [o for o in found if isinstance(o, ReadProblem)]
        (problem,) = [o for o in problems if "No column" not in o.reason]
        assert problem.place == f"{name}:{3 if name == 'a.csv' else 2}"
        assert "The id 'hk-1' stands twice" in problem.reason


def test_csv_without_a_text_column(tmp_path: Path) -> None:
    (problem,) = outcomes(written(tmp_path / "a.csv", "nama,umur\nRini,30\n"))
    assert isinstance(problem, ReadProblem)
    assert "nama, umur" in problem.reason


def test_csv_without_a_title_column_says_so(tmp_path: Path) -> None:
    found = outcomes(written(tmp_path / "a.csv", f"tajuk,isi\n{TITLE},{FIRST}\n"))
    problem, article = found
    assert isinstance(problem, ReadProblem) and "tajuk, isi" in problem.reason
    assert isinstance(article, Article) and article.title == ""


def test_csv_header_that_cannot_be_read(tmp_path: Path) -> None:
    (problem,) = outcomes(written(tmp_path / "a.csv", "title,te\rxt\nA,B\n"))
    assert isinstance(problem, ReadProblem) and problem.place == "a.csv:1"


def test_list_syntax_becomes_paragraphs(tmp_path: Path) -> None:
    assert row(tmp_path, text=str([FIRST, SECOND])).body == f"{FIRST}\n{SECOND}"
    assert row(tmp_path, text=[FIRST, SECOND]).body == f"{FIRST}\n{SECOND}"
    assert row(tmp_path, text=f"['{FIRST}").body == f"['{FIRST}"


# --- text as scraped -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scraped", "published"),
    [
        ("Toko &quot;Maju&quot; &amp;nbsp;&#8211; tutup", 'Toko "Maju" \xa0– tutup'),
        ("Kata dia, â€œlapak itu cukup.â€\x9d", "Kata dia, “lapak itu cukup.”"),
        ("Kafe CafÃ© Bangka buka", "Kafe Café Bangka buka"),
        ("Pasar\x00 ikan\x07 buka\u200b", "Pasar ikan buka"),
        ("Satu\r\nDua\rTiga_x000D_\nEmpat", "Satu\nDua\nTiga\nEmpat"),
        ("<p>Satu <b>kata</b></p><p>Dua</p>", "Satu kata\n\nDua"),
        ("<script>var a = '<p>';</script>Pasar buka", "Pasar buka"),
        ("Suhu < 5 dan > 3 derajat", "Suhu < 5 dan > 3 derajat"),
        ("Lihat https://a.id/?x=1&copy=2", "Lihat https://a.id/?x=1&copy=2"),
        ("Rusak \ud800 sedikit", "Rusak  sedikit"),
        ("beras\ngula\nminyak", "beras\ngula\nminyak"),
    ],
)
def test_what_a_scrape_did_is_undone(tmp_path: Path, scraped: str, published: str) -> None:
    assert row(tmp_path, text=scraped, title="-").body == published


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(tmp_path: Path, encoding: str, packed: bool) -> None:
    said = "“Café itu buka – akhirnya,” kata Marwah."
    for name, content in (
        ("a.txt", f"{TITLE}\n\n{said}\n\n{SECOND}"),
        (
            "a.jsonl",
            json.dumps({"title": TITLE, "text": f"{said}\n\n{SECOND}"}, ensure_ascii=False),
        ),
        ("a.csv", f'title,text\n{TITLE},"{said}\n\n{SECOND}"\n'),
    ):
        data = content.encode(encoding)
        path = tmp_path / (f"{name}.gz" if packed else name)
        (found,) = articles(written(path, gzip.compress(data) if packed else data))
        assert (found.title, found.body) == (TITLE, f"{said}\n\n{SECOND}")


def test_broken_utf8_keeps_the_rest(tmp_path: Path) -> None:
    data = f"{TITLE}\n\n“Buka,” katanya. {SECOND}".encode().replace(b"Buka", b"Bu\xe2\x80ka")
    (found,) = articles(written(tmp_path / "a.txt", data))
    assert "katanya" in found.body and "“" in found.body


# --- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "2016-12-15",
        "2016-12-14T23:30:00Z",
        "2016-12-15 00:10:00+07:00",
        "2016/12/15",
        "20161215",
        "15/12/2016",
        "15-12-2016 14:05",
        "15.12.2016",
        "12/15/2016",
        "15 Des 2016",
        "15 Desember 2016",
        "Kamis, 15 Desember 2016 | 14:05 WIB",
        "Kamis (15/12/2016)",
        "Dec 15, 2016",
        "Thu, 15 Dec 2016 14:05:00 +0700",
        1481785500,
        1481785500000,
        "1481785500",
        "1481785500000",
        1481785500.5,
        20161215,
        "20161215 0710",
        42719,
        "42719.25",
    ],
)
def test_dates_in_many_forms(tmp_path: Path, value: object) -> None:
    assert row(tmp_path, date=value).published == dt.date(2016, 12, 15)


@pytest.mark.parametrize(
    "value",
    ["", "kemarin", "2 jam lalu", "31/02/2016", "2099-01-01", "0001-01-01", 0, -5, 1e300, True]
    + [None, "99999999999999999999", float("nan"), float("inf"), "2016", ["x"], {"a": 1}],
)
def test_date_that_says_nothing_is_none(tmp_path: Path, value: object) -> None:
    assert row(tmp_path, date=value).published is None


def test_a_date_that_cannot_be_used_is_told_and_the_article_kept(tmp_path: Path) -> None:
    dates = ["31/02/2016", "kemarin", "2099-01-01", "", "-", "null", "0000-00-00", None, 0, True]
    url = "https://contoh.id/read/2016/12/15/pasar-ikan"
    rows = [{"text": f"{FIRST} {n}", "date": date} for n, date in enumerate(dates)]
    path = lines(tmp_path / "a.jsonl", *rows, {"text": SECOND, "date": "31/02/2016", "url": url})
    found = outcomes(path)
    assert sum(isinstance(o, Article) for o in found) == len(dates) + 1
    told = {o.place: o.reason for o in found if isinstance(o, ReadProblem)}
    assert list(told) == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"]
    assert "'31/02/2016'" in told["a.jsonl:1"] and "kept" in told["a.jsonl:1"]


def test_two_days_ahead_is_the_limit(tmp_path: Path) -> None:
    assert row(tmp_path, date="2026-01-12").published == dt.date(2026, 1, 12)
    assert row(tmp_path, date="2026-01-13").published is None


def test_date_from_the_url(tmp_path: Path) -> None:
    url = "https://contoh.id/read/2016/12/15/pasar-ikan"
    assert row(tmp_path, url=url).published == dt.date(2016, 12, 15)


# --- identity and publishers ---------------------------------------------------------------------


def test_own_id_is_kept_where_it_is_usual() -> None:
    assert article_id(" a-1:b.c_D ", "P", "", "T", "B") == "a-1:b.c_D"
    assert article_id(7, "P", "", "T", "B") == "7"
    for odd in ("dua kata", "x" * 101, "a/b"):
        found = article_id(odd, "P", "", "T", "B")
        assert len(found) == 16 and found == article_id(odd, "Q", "", "", "")


def test_id_of_a_url_forgets_what_does_not_name_the_page() -> None:
    first = article_id("", "P", "https://www.contoh.id/a/b/?utm_source=x&id=3#komentar", "T", "B")
    again = article_id(None, "P", "http://m.contoh.id/a/b?id=3&fbclid=9&page=all", "U", "C")
    other = article_id(None, "P", "http://contoh.id/a/b?id=4", "T", "B")
    assert first == again != other
    assert first != article_id(None, "Q", "http://contoh.id/a/b?id=3", "T", "B")


def test_id_of_a_text_depends_on_all_of_it() -> None:
    ids = {article_id("", *parts) for parts in (("P", "", "T", "B"), ("P", "", "T", "C"))}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("news.detik.com", "detikcom"),
        ("finance.detik.com", "detikcom"),
        ("https://www.detik.com/x", "detikcom"),
        ("CNN Indonesia", "CNN Indonesia"),
        ("cnnindonesia.com", "CNN Indonesia"),
        ("antaranews", "ANTARA"),
        ("jatim.antaranews.com", "ANTARA"),
        ("BANGKAPOS.COM", "Bangka Pos"),
        ("bangka.tribunnews.com", "Bangka Pos"),
        ("kaltim.tribunnews.com", "Tribun Kaltim"),
        ("megapolitan.kompas.com", "Kompas.com"),
        ("m.tempo.co", "Tempo"),
        (" Harian  Contoh ", "Harian Contoh"),
        ("www.contoh.id", "contoh.id"),
        ("", ""),
        ("http://[rusak", "http://[rusak"),
    ],
)
def test_canonical_publisher(written: str, expected: str) -> None:
    assert canonical_publisher(written) == expected
    assert canonical_publisher(expected) == expected


def test_given_publisher_fills_in_only_where_the_input_has_none(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"text": FIRST, "source": "tempo.co"}, {"text": SECOND})
    assert [a.publisher for a in articles(path, publisher="bangkapos")] == ["Tempo", "Bangka Pos"]
    assert row(tmp_path, url="https://sport.detik.com/a").publisher == "detikcom"


def test_missing_title_is_the_first_line_if_that_is_a_headline(tmp_path: Path) -> None:
    found = row(tmp_path, text=f"{TITLE}\n{FIRST}")
    assert (found.title, found.body) == (TITLE, FIRST)
    found = row(tmp_path, text=f"{FIRST}\n{SECOND}")
    assert (found.title, found.body) == ("", f"{FIRST}\n{SECOND}")


# --- raw crawl text ------------------------------------------------------------------------------


def text_article(tmp_path: Path, *paragraphs: str, end: str = "\n\n", **options: object) -> Article:
    (found,) = articles(written(tmp_path / "a.txt", end.join(paragraphs)), **options)
    return found


CRAWLED = (
    TITLE,
    'Kami senang sekali dapat berjualan ..."',
    TITLE,
    "Rini Maharani",
    "Wali kota meninjau pasar ikan yang diperbaiki di Sungailiat, Rabu (14/12/2016).",
    f"BANGKAPOS.COM, SUNGAILIAT -- {FIRST}",
    "Baca: Nelayan Muntok Keluhkan Solar Langka",
    SECOND,
    THIRD,
    "Penulis : Rini Maharani",
    "Editor: bayu",
    "Sumber: Kompas.com",
    "Ikuti kami di",
    "KOMENTAR",
    "BERITA TERKINI",
    "© 2019 Harian Contoh",
    "All Right Reserved",
)


@pytest.mark.parametrize("end", ["\n\n", "\r\n", "\n", "\r\n\r\n"])
def test_crawled_page(tmp_path: Path, end: str) -> None:
    found = text_article(tmp_path, *CRAWLED, end=end)
    assert (found.title, found.publisher, found.origin) == (TITLE, "Bangka Pos", "Kompas.com")
    assert (found.authors, found.editors) == (("Rini Maharani",), ("bayu",))
    assert found.published == dt.date(2016, 12, 15)
    assert found.body.startswith("BANGKAPOS.COM, SUNGAILIAT --")
    assert found.body.endswith(THIRD)
    spans = clean.kept_spans(found.body, title=found.title)
    kept = [found.body[start:stop] for start, stop in spans]
    assert kept == [f"BANGKAPOS.COM, SUNGAILIAT -- {FIRST}", SECOND, THIRD]


def test_date_line_under_the_headline_and_no_dateline(tmp_path: Path) -> None:
    when = "Jumat, 16 Desember 2016 08:00 WIB"
    found = text_article(tmp_path, TITLE, when, "Penulis: Rini Maharani, Bayu Aji", FIRST, SECOND)
    assert found.published == dt.date(2016, 12, 16)
    assert found.authors == ("Rini Maharani", "Bayu Aji")
    assert found.body == f"{FIRST}\n\n{SECOND}"


def test_publisher_and_date_on_one_line(tmp_path: Path) -> None:
    found = text_article(tmp_path, TITLE, "Kompas.com - 16/12/2016, 08:00 WIB", FIRST, SECOND)
    assert (found.publisher, found.published) == ("Kompas.com", dt.date(2016, 12, 16))
    assert found.body.startswith("Pemerintah")


def test_updated_date_counts_less(tmp_path: Path) -> None:
    head = ("Diperbarui: 20 Desember 2016", "Diterbitkan: 16 Desember 2016")
    assert text_article(tmp_path, TITLE, *head, FIRST).published == dt.date(2016, 12, 16)


def test_report_line_names_the_author(tmp_path: Path) -> None:
    report = "Laporan Wartawan Bangka Pos, Rini Maharani"
    found = text_article(tmp_path, TITLE, report, f"BANGKAPOS.COM, BELINYU - {FIRST}")
    assert "Rini Maharani" in found.authors
    assert found.body.startswith("BANGKAPOS.COM")


def test_only_an_origin_at_the_foot(tmp_path: Path) -> None:
    found = text_article(tmp_path, TITLE, FIRST, SECOND, "Sumber : Antara")
    assert (found.origin, found.authors) == ("ANTARA", ())
    assert found.body == f"{FIRST}\n\n{SECOND}"


def test_title_and_paragraphs_only(tmp_path: Path) -> None:
    found = text_article(tmp_path, TITLE, SECOND, THIRD, publisher="bangkapos.com")
    assert (found.title, found.publisher, found.published) == (TITLE, "Bangka Pos", None)
    assert found.body == f"{SECOND}\n\n{THIRD}"


def test_lead_before_a_dateline_is_not_taken_for_a_caption(tmp_path: Path) -> None:
    found = text_article(tmp_path, TITLE, SECOND, f"SUNGAILIAT, CONTOH.COM - {FIRST}")
    assert found.body.startswith(SECOND)


def test_headlines_after_the_foot_are_cut_but_paragraphs_are_not(tmp_path: Path) -> None:
    cut = text_article(tmp_path, TITLE, FIRST, SECOND, "BERITA TERKINI", "Harga Cabai Turun Lagi")
    assert cut.body == f"{FIRST}\n\n{SECOND}"
    kept = text_article(tmp_path, TITLE, FIRST, "KOMENTAR", SECOND)
    assert kept.body.endswith(SECOND)


def test_text_without_a_title(tmp_path: Path) -> None:
    found = text_article(tmp_path, FIRST, SECOND)
    assert (found.title, found.body) == ("", f"{FIRST}\n\n{SECOND}")
    assert text_article(tmp_path, "Pasar").body == "Pasar"


def test_same_page_has_the_same_id(tmp_path: Path) -> None:
    assert text_article(tmp_path, *CRAWLED).id == text_article(tmp_path, *CRAWLED, end="\n\n").id


# --- HTML ----------------------------------------------------------------------------------------

LINKED = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "Organization", "name": "Harian Contoh"},
        {
            "@type": "NewsArticle",
            "headline": TITLE,
            "datePublished": "2016-12-15T23:50:00+07:00",
            "author": [{"@type": "Person", "name": "Rini Maharani"}],
            "publisher": {"@type": "Organization", "name": "Harian Contoh"},
            "mainEntityOfPage": {"@id": "https://contoh.id/berita/pasar-ikan"},
        },
    ],
}
MENU = "".join(f'<li><a href="/k{n}">Kabar Kota Nomor {n}</a></li>' for n in range(30))


def page(head: str, article: str) -> str:
    return (
        f"<!DOCTYPE html><html><head>{head}</head><body><nav><ul>{MENU}</ul></nav>"
        f"<div class='isi'><h1>{TITLE}</h1>{article}</div>"
        f"<div class='lain'><ul>{MENU}</ul></div><footer>Hak cipta Harian Contoh</footer></body>"
    )


PARAGRAPHS = f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><p>{SECOND} Begitu pula tahun lalu.</p>"


def test_html_by_its_linked_data(tmp_path: Path) -> None:
    head = f"<title>x</title><script type='application/ld+json'>{json.dumps(LINKED)}</script>"
    (found,) = articles(written(tmp_path / "a.html", page(head, PARAGRAPHS)))
    assert (found.title, found.publisher) == (TITLE, "Harian Contoh")
    assert found.published == dt.date(2016, 12, 15)
    assert found.authors == ("Rini Maharani",)
    assert found.url == "https://contoh.id/berita/pasar-ikan"
    assert found.body.split("\n")[:3] == [FIRST, SECOND, THIRD]
    assert "Kabar Kota" not in found.body and "Hak cipta" not in found.body


def test_html_by_its_meta_tags(tmp_path: Path) -> None:
    head = (
        f"<title>{TITLE} - Harian Contoh</title><meta property='og:type' content='article'>"
        "<meta property='og:site_name' content='Harian Contoh'>"
        f"<meta property='og:title' content='{TITLE} - Harian Contoh'>"
        "<meta property='article:published_time' content='2016-12-15T08:00:00+07:00'>"
        "<meta name='author' content='Rini Maharani'>"
        "<link rel='canonical' href='https://contoh.id/berita/pasar-ikan'>"
    )
    (found,) = articles(written(tmp_path / "a.htm", page(head, PARAGRAPHS)))
    assert (found.title, found.publisher) == (TITLE, "Harian Contoh")
    assert found.published == dt.date(2016, 12, 15)
    assert found.authors == ("Rini Maharani",)


def test_html_lead_that_stands_loose_is_kept_and_credits_are_fields(tmp_path: Path) -> None:
    loose = (
        f"<div>{FIRST}<br><br>{SECOND}<p>{THIRD}</p><p>{SECOND} Begitu pula tahun lalu.</p></div>"
    )
    signed = "<p>Penulis: Rini Maharani</p><p>Editor: Bayu Aji</p>"
    head = "<title>x</title><meta property='og:type' content='article'>"
    (found,) = articles(written(tmp_path / "a.html", page(head, loose + signed)))
    assert found.body.startswith(f"{FIRST}\n{SECOND}\n{THIRD}")
    assert (found.authors, found.editors) == (("Rini Maharani",), ("Bayu Aji",))
    assert "Penulis" not in found.body


def test_html_in_its_declared_encoding(tmp_path: Path) -> None:
    text = page(
        "<meta charset='windows-1252'><title>x</title>", PARAGRAPHS.replace("tenggiri", "café")
    )
    (found,) = articles(written(tmp_path / "a.html", text.encode("cp1252")))
    assert "pedagang café" in found.body


@pytest.mark.parametrize(
    "text",
    [
        page("<title>Beranda</title><link rel='canonical' href='https://contoh.id/'>", PARAGRAPHS),
        page("<title>Hasil pencarian: pasar</title>", PARAGRAPHS),
        page("<title>404 Halaman tidak ditemukan</title>", "<p>Maaf, halaman tidak ada.</p>"),
        page("<title>Harian Contoh</title>", ""),
        page("<title>x</title>", f"<p>{SECOND[:-1]} (Foto: Rini Maharani)</p>"),
        "<html></html>",
        "<html>",
    ],
)
def test_page_that_is_no_article_is_a_problem(tmp_path: Path, text: str) -> None:
    (problem,) = outcomes(written(tmp_path / "a.html", text))
    assert isinstance(problem, ReadProblem)
    assert problem.place == "a.html" and problem.reason


def test_html_under_another_name_is_read_as_html(tmp_path: Path) -> None:
    (found,) = articles(written(tmp_path / "a.txt", page("<title>x</title>", PARAGRAPHS)))
    assert found.title == TITLE


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("robots.txt", "User-agent: *\nDisallow: /admin/\nSitemap: https://a.id/s.xml\n", "words"),
        ("url.txt", "".join(f"https://a.id/{n}-pasar-ikan-baru\n" for n in range(9)), "words"),
        ("Makefile", "semua:\n\techo\n", "words"),
        ("berita.txt", f"-- dump\nINSERT INTO `berita` VALUES (1,'{FIRST}');\n", "SQL"),
    ],
)  # fmt: skip
def test_what_programs_keep_in_text_files_is_no_article(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (problem,) = outcomes(written(tmp_path / name, content))
    assert isinstance(problem, ReadProblem) and said in problem.reason


# --- files that are no good ----------------------------------------------------------------------


def test_files_that_cannot_be_read_are_problems(tmp_path: Path) -> None:
    for name, content in (
        ("kosong.txt", b""),
        ("putih.txt", b" \n\n "),
        ("kosong.jsonl", b"\n\n"),
        ("kosong.json", b"[]"),
        ("gambar.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        ("biner.txt", bytes(range(32)) * 40),
        ("dokumen.pdf", b"%PDF-1.7 ..."),
        ("aneh.xyz", b"isi"),
        ("palsu.jsonl.gz", b"\x1f\x8b" + b"bukan gzip"),
    ):
        found = outcomes(written(tmp_path / name, content))
        assert [type(o) for o in found] == [ReadProblem], name
        assert found[0].place == name
    assert isinstance(outcomes(tmp_path / "tidak-ada.txt")[0], ReadProblem)
    assert isinstance(outcomes(tmp_path)[0], ReadProblem)


def test_gzip_cut_short_gives_what_came_before(tmp_path: Path) -> None:
    rows = "".join(
        json.dumps({"id": n, "text": f"{SECOND} {n * 7919}"}) + "\n" for n in range(3_000)
    )
    packed = gzip.compress(rows.encode())
    found = outcomes(written(tmp_path / "a.jsonl.gz", packed[: len(packed) // 2]))
    assert isinstance(found[0], Article)
    assert isinstance(found[-1], ReadProblem) and "cut short" in found[-1].reason


def test_gzip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "UNPACKED_LIMIT", 1_000_000)
    bomb = gzip.compress(b"\n" * 30_000_000)
    (problem,) = outcomes(written(tmp_path / "a.jsonl.gz", bomb))
    assert isinstance(problem, ReadProblem) and "unpacks" in problem.reason


def test_text_over_the_limit_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "RECORD_LIMIT", 1_000)
    (problem,) = outcomes(written(tmp_path / "a.txt", f"{SECOND}\n" * 100))
    assert isinstance(problem, ReadProblem)


BYTES = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [
                b"{",
                b"}",
                b"[",
                b"]",
                b'"text": ',
                b'"a b"',
                b",",
                b"\n",
                b"title,text\n",
                b"\x1f\x8b",
            ]
            + [
                b"<html>",
                b"<p>",
                b"</p>",
                b"<!--",
                b"\xff\xfe",
                b"\x00",
                b"\\",
                b"\xe2\x80",
                b"15/12/2016",
            ]
            + [FIRST.encode(), b"Penulis: A", b"Baca juga: ", b"&amp;", b"['x', ", b"\xef\xbb\xbf"]
        ),
        max_size=25,
    ).map(b"".join),
)
NAMES = st.sampled_from(["a.txt", "a.jsonl", "a.json", "a.csv", "a.html", "a.jsonl.gz", "a", "a.x"])


@settings(max_examples=200, deadline=None)
@given(BYTES, NAMES)
def test_any_bytes_give_an_article_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = written(tmp_path_factory.getbasetemp() / name, data)
    found = outcomes(path)
    assert found
    for outcome in found:
        if isinstance(outcome, Article):
            assert outcome.id and outcome.body and outcome.body == outcome.body.strip()
            f"{outcome}".encode()
        else:
            assert outcome.place.startswith(name) and outcome.reason
