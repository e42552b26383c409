"""Web archives: which records become articles, and what is told of the rest."""

import datetime as dt
import gzip
import zlib

import brotli
import pytest

from index.reading.files import read
from index.records import Article, ReadProblem

TODAY = dt.date(2026, 1, 10)
URL = "http://teluk.example/berita/1"
FIRST = (
    "TELUKSARI - Jembatan gantung Batu Lintang di Kabupaten Teluksari diresmikan oleh Bupati "
    "Rahmat Wiguna pada Senin pagi, kata warga Kafé Ibu."
)
SECOND = (
    "Biaya pembangunan jembatan mencapai Rp 6,2 miliar dan seluruhnya berasal dari anggaran "
    "kabupaten. Warga tidak lagi memutar sejauh 11 kilometer."
)
BODY = f"{FIRST}\n{SECOND}"


def page(head="", body=f"<p>{FIRST}</p><p>{SECOND}</p>"):
    return (
        f"<!DOCTYPE html><html><head><title>Jembatan Batu Lintang Diresmikan</title>{head}"
        "<meta property='og:type' content='article'></head><body>"
        f"<h1>Jembatan Batu Lintang Diresmikan</h1><article>{body}</article></body></html>"
    )


def record(block, kind="response", url=URL, *more, end="\r\n", length=None):
    block = block.encode() if isinstance(block, str) else block
    content = "application/http; msgtype=response" if kind == "response" else "text/html"
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Target-URI: {url}",
        "WARC-Date: 2025-06-18T08:00:00Z",
        f"Content-Type: {content}",
        f"Content-Length: {len(block) if length is None else length}",
        *more,
    ]
    return end.join([*lines, "", ""]).encode() + block + (end * 2).encode()


def sent(body, *headers, status="200 OK", end="\r\n", kind="text/html"):
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *headers]
    return end.join([*lines, "", ""]).encode() + body


def outcomes(tmp_path, *records, name="crawl-00001", **options):
    path = tmp_path / name
    path.write_bytes(b"".join(records))
    found = list(read(path, today=TODAY, **options))
    return (
        [o for o in found if isinstance(o, Article)],
        [o.reason for o in found if isinstance(o, ReadProblem)],
    )


@pytest.mark.parametrize("name", ["crawl-00001", "a.warc", "a.txt", "CC-NEWS-1.gz", "a.warc.gz"])
def test_a_page_under_each_name(tmp_path, name):
    records = [
        record(b"software: x\r\n", "warcinfo"),
        record(b"GET / HTTP/1.1\r\n\r\n", "request"),
        record(sent(page())),
        record(b"a: b", "metadata"),
    ]
    if name.endswith(".gz"):
        records = [gzip.compress(one) for one in records]
    (article,), told = outcomes(tmp_path, *records, name=name)
    assert (article.title, article.body) == ("Jembatan Batu Lintang Diresmikan", BODY)
    # When it was fetched is not when it was published.
    assert article.retrieved == dt.datetime(2025, 6, 18, 8, tzinfo=dt.UTC)
    assert article.published is None
    assert (article.url, article.publisher) == (URL, "teluk.example")
    assert told == []


def test_what_a_page_says_of_itself_counts_before_the_record(tmp_path):
    head = (
        "<link rel='canonical' href='https://teluk.example/jembatan'>"
        "<meta property='article:published_time' content='2025-06-17T14:05:00+07:00'>"
    )
    (article,), _ = outcomes(tmp_path, record(sent(page(head))))
    assert article.url == "https://teluk.example/jembatan"
    assert article.published == dt.date(2025, 6, 17)
    for written, url in ((f"<{URL}>", URL), (f"{URL}?q=kafé", f"{URL}?q=kafé")):
        (article,), _ = outcomes(tmp_path, record(sent(page()), "response", written))
        assert article.url == url


@pytest.mark.parametrize(
    ("header", "head", "encoding"),
    [
        ("text/html; charset=utf-8", "<meta charset='iso-8859-1'>", "utf-8"),
        ("text/html; charset=ISO-8859-1", "", "cp1252"),
        ('text/html;charset="windows-1252"', "<meta charset='utf-8'>", "cp1252"),
        ("text/html; charset=utf-8", "<meta charset='windows-1252'>", "cp1252"),
        ("text/html; charset=tidakada", "", "utf-8"),
        ("text/html", "<meta charset='windows-1252'>", "cp1252"),
        ("application/xhtml+xml", "", "utf-16"),
        ("", "", "utf-8"),
    ],
)
def test_charset_of_the_header_where_it_holds(tmp_path, header, head, encoding):
    (article,), _ = outcomes(tmp_path, record(sent(page(head).encode(encoding), kind=header)))
    assert article.body == BODY


def chunked(body):
    cut = [body[at : at + 100] for at in range(0, len(body), 100)]
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(one), one) for one in cut) + b"0\r\n\r\n"


HTML = page().encode()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Encoding: gzip"], gzip.compress(HTML)),
        (["Content-Encoding: gzip"], HTML),
        (["Content-Encoding: deflate"], zlib.compress(HTML)),
        (["Content-Encoding: deflate"], zlib.compress(HTML)[2:-4]),
        (["Content-Encoding: br"], brotli.compress(HTML)),
        (["Content-Encoding: br"], HTML),
        (["Transfer-Encoding: chunked"], chunked(HTML)),
        (["Transfer-Encoding: chunked"], HTML),
        (["Transfer-Encoding: chunked", "Content-Encoding: gzip"], chunked(gzip.compress(HTML))),
    ],
)
def test_what_http_did_is_undone_also_where_the_crawler_did_so(tmp_path, headers, body):
    (article,), told = outcomes(tmp_path, record(sent(body, *headers)))
    assert (article.body, told) == (BODY, [])


def test_a_page_that_unpacks_without_end_is_no_article(tmp_path):
    bomb = gzip.compress(b"<html>" + b"<p>a" * 20_000_000)
    found, told = outcomes(tmp_path, record(sent(bomb, "Content-Encoding: gzip")))
    assert (found, told) == ([], ["Left out of 1 records: pages without an article 1."])


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_what_else_a_crawl_fetched_is_counted_in_one_line(tmp_path, end):
    records = [
        record(sent(page(), end=end), end=end),
        record(sent(page(), status="404 Not Found")),
        record(sent("", "Location: /x", status="301 Moved Permanently")),
        record(sent(b"\xff\xd8\xff", kind="image/jpeg")),
        record(
            sent("User-agent: *", kind="text/plain"), "response", "http://teluk.example/robots.txt"
        ),
        record(sent(page()), "response", URL, "WARC-Truncated: length"),
        record(sent(""), "revisit"),
        record(sent(page(body="")), "response", "http://teluk.example/"),
        record(page(), "resource", "http://teluk.example/berita/2"),
        record("2025 1.2.3.4", "response", "dns:teluk.example"),
    ]
    found, told = outcomes(tmp_path, *records)
    assert [a.url for a in found] == [URL, "http://teluk.example/berita/2"]
    assert told == [
        "Left out of 10 records: not HTML 3, errors and redirects 2, cut short 1, "
        "unchanged since an earlier visit 1, pages without an article 1."
    ]


def test_a_damaged_record_spoils_no_other(tmp_path):
    good = record(sent(page()))
    for bad in (
        b"sampah\r\n\r\n",
        record(sent(page()), length=30),
        record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html"),
        record(b"bukan http"),
        b"WARC/1.0\r\nContent-Length: -5\r\n\r\n",
        b"WARC/1.0\r\n" + b"x" * 200_000 + b"\r\n\r\n",
    ):
        found, _ = outcomes(tmp_path, good.replace(b"berita/1", b"berita/0"), bad, good)
        assert [a.url for a in found] == ["http://teluk.example/berita/0", URL]


def test_a_file_that_is_cut_short_gives_what_came_before(tmp_path):
    records = [record(sent(page()), "response", f"{URL}{n}") for n in range(3)]
    whole = b"".join(records)
    found, told = outcomes(tmp_path, whole[:-200])
    assert len(found) == 2 and told == ["Left out of 3 records: cut short 1."]
    packed = b"".join(map(gzip.compress, records))
    found, told = outcomes(tmp_path, packed[:-200], name="a.warc.gz")
    assert len(found) == 2 and len(told) == 1 and "cut short" in told[0]


def test_a_file_without_pages_is_one_problem(tmp_path):
    found, told = outcomes(tmp_path, record(b"software: x\r\n", "warcinfo"))
    assert (found, told) == ([], ["The file holds no article."])
    found, told = outcomes(tmp_path, *[record("teks saja", "conversion")] * 1_500)
    assert (found, told) == ([], ["Left out of 1,500 records: texts without a page 1,500."])
