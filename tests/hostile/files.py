"""Hostile files and folders, made by code: each maker writes one into an empty folder."""

import bz2
import gzip
import io
import json
import lzma
import os
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.hostile.corpus import OUTSIDE, SENTINEL, row

SECRET = "rahasia di luar folder yang tidak boleh dibaca siapa pun"
"""What stands in a file beside the folder that is added: it must never be in the archive."""

BODY = (
    "Tugu Zamrud setinggi 15 meter diresmikan Bupati Rahmat Hidayat di lapangan desa. Warga "
    "menonton sejak pagi hari. Biaya pembangunan mencapai Rp 3 miliar menurut panitia desa itu. "
    "Panitia berharap tugu itu menjadi tempat berkumpul warga setiap sore dan hari libur. "
)
ARTICLE = row("berkas", 1, text=BODY)
LINE = json.dumps(ARTICLE).encode() + b"\n"
PAGE = (
    "<html><head><title>Tugu Zamrud diresmikan bupati</title>"
    '<meta property="og:type" content="article"></head>'
    f"<body><article><h1>Tugu Zamrud diresmikan bupati</h1><p>{BODY}</p></article></body></html>"
)
ITEM = (
    "<item><title>Tugu Zamrud</title><link>https://contoh.example/a</link>"
    f"<description>{BODY * 3}</description></item>"
)


def _rss(before: str = "", item: str = ITEM) -> bytes:
    return (
        f'<?xml version="1.0"?>{before}<rss version="2.0"><channel>{item}</channel></rss>'.encode()
    )


def _laughs(deep: int = 12, kind: str = "rss") -> bytes:
    entities = '<!ENTITY a0 "tertawa">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, deep)
    )
    item = f"<item><title>&a{deep - 1};</title><description>&a{deep - 1};</description></item>"
    return _rss(f"<!DOCTYPE {kind} [{entities}]>", item)


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Two members of one name are meant.
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def _tar(*members: tarfile.TarInfo, data: bytes = LINE) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return file.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def _warc(*records: tuple[str, bytes, int | str | None]) -> bytes:
    parts = []
    for kind, block, length in records:
        said = len(block) if length is None else length
        head = (
            f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://contoh.example/a\r\n"
            f"Content-Type: application/http\r\nContent-Length: {said}\r\n\r\n"
        )
        parts.append(head.encode() + block + b"\r\n\r\n")
    return b"".join(parts)


def _response(headers: str = "", body: bytes = PAGE.encode()) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{headers}\r\n".encode() + body


def _jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in rows)


def _bomb(packed: Callable[[bytes], bytes], byte: bytes, megabytes: int = 300) -> bytes:
    """Pack megabytes of a byte, in streams of one megabyte behind each other."""
    return packed(byte * 1_000_000) * megabytes


DATA: dict[str, tuple[str, bytes]] = {
    # packed
    "gzip-newlines": ("a.jsonl.gz", _bomb(gzip.compress, b"\n")),
    "gzip-blank-rows": ("a.jsonl.gz", _bomb(gzip.compress, b"{}\n")),
    "gzip-letters": ("a.txt.gz", _bomb(gzip.compress, b"a")),
    "gzip-commas": ("a.csv.gz", _bomb(gzip.compress, b",")),
    "gzip-brackets": ("a.json.gz", _bomb(gzip.compress, b"[")),
    "gzip-angles": ("a.xml.gz", gzip.compress(b"<rss><channel>") + _bomb(gzip.compress, b"<a>")),
    "gzip-twice": ("a.jsonl.gz", gzip.compress(gzip.compress(LINE))),
    "gzip-cut": ("a.jsonl.gz", gzip.compress(LINE * 50)[:-9]),
    "gzip-name": (
        "a.jsonl.gz",
        b"\x1f\x8b\x08\x08\0\0\0\0\0\xff../../x\0" + gzip.compress(LINE)[10:],
    ),
    "gzip-empty": ("a.jsonl.gz", gzip.compress(b"")),
    "gzip-head": ("a.jsonl.gz", b"\x1f\x8b\x08\xff" + b"\xff" * 200),
    "bzip2-bomb": ("a.jsonl.bz2", _bomb(bz2.compress, b"\n", 300)),
    "xz-bomb": ("a.jsonl.xz", _bomb(lambda b: lzma.compress(b, preset=0), b"a", 300)),
    "xz-memory": ("a.jsonl.xz", b"\xfd7zXZ\0\0\4\xe6\xd6\xb4F\2\0!\1\x28" + b"\0" * 40),
    "zip-slip": ("a.zip", _zip(("../../luar.jsonl", LINE), ("/tmp/luar.jsonl", LINE))),
    "zip-name": ("a.zip", _zip((f"<img src=x onerror={SENTINEL}>\n\x1b[2J.jsonl", LINE))),
    "zip-bomb": ("a.zip", _zip(*((f"{n}.jsonl", b"\n" * 30_000_000) for n in range(8)))),
    "zip-nested": (
        "a.zip",
        _zip(
            (
                "b.zip",
                _zip(("c.zip", _zip(("d.jsonl", LINE)))),
            )
        ),
    ),
    "zip-twice": ("a.zip", _zip(("a.jsonl", LINE), ("a.jsonl", LINE * 2))),
    "zip-many": ("a.zip", _zip(*((f"{n}.txt", b"") for n in range(5_000)))),
    "zip-lie": (
        "a.zip",
        _zip(("a.jsonl", LINE)).replace(struct.pack("<I", len(LINE)), b"\1\0\0\0"),
    ),
    "zip-cut": ("a.zip", _zip(("a.jsonl", LINE * 30))[:-30]),
    "zip-zip64": (
        "a.zip",
        _zip(("a.jsonl", LINE))[:-22] + b"PK\x06\x06" + b"\xff" * 60 + b"PK\5\6" + b"\xff" * 18,
    ),
    "zip-comment": ("a.zip", _zip(("a.jsonl", LINE))[:-2] + b"\xff\xff" + b"PK\5\6" * 8_000),
    "tar-links": (
        "a.tar",
        _tar(
            _member("a.jsonl", tarfile.SYMTYPE, "/etc/passwd"),
            _member("b.jsonl", tarfile.LNKTYPE, "../rahasia.txt"),
            _member("c.jsonl"),
        ),
    ),
    "tar-devices": (
        "a.tar",
        _tar(
            _member("a.txt", tarfile.CHRTYPE),
            _member("b.txt", tarfile.BLKTYPE),
            _member("c.txt", tarfile.FIFOTYPE),
            _member("d.jsonl"),
        ),
    ),
    "tar-absolute": ("a.tar", _tar(_member("/etc/a.jsonl"), _member("../../b.jsonl"))),
    "tar-size": (
        "a.tar",
        _tar(_member("a.jsonl")).replace(b"%011o" % len(LINE), b"77777777777", 1),
    ),
    "tar-pax": ("a.tar", _tar(_member("x/" * 400 + "a.jsonl"))),
    "tar-sparse": ("a.tar", _tar(_member("a.jsonl", tarfile.GNUTYPE_SPARSE)) + LINE),
    "tar-cut": ("a.tar", _tar(_member("a.jsonl"))[:700]),
    "tar-gzip-bomb": (
        "a.tar.gz",
        gzip.compress(_tar(_member("a.jsonl"), data=b"\n" * 30_000_000)) * 1,
    ),
    # JSON
    "json-deep": ("a.json", b"[" * 200_000),
    "json-deep-objects": ("a.json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "json-deep-lines": ("a.jsonl", b'{"text":' + b"[" * 50_000 + b"]" * 50_000 + b"}\n" + LINE),
    "json-numbers": (
        "a.jsonl",
        b'{"id": ' + b"9" * 100_000 + b', "text": "' + BODY.encode() + b'"}\n',
    ),
    "json-exponent": (
        "a.json",
        b'[{"id": 1e999999999, "title": -0, "text": "' + BODY.encode() + b'"}]',
    ),
    "json-twice": (
        "a.jsonl",
        b'{"text": "a", "text": "' + BODY.encode() + b'", "id": 1, "id": 2}\n',
    ),
    "json-nan": ("a.jsonl", b'{"id": NaN, "date": Infinity, "text": "' + BODY.encode() + b'"}\n'),
    "json-surrogates": (
        "a.jsonl",
        b'{"text": "\\ud800 ' + BODY.encode() + b'", "title": "\\udc00"}\n',
    ),
    "json-nulls": ("a.jsonl", b'{"text": "\\u0000 ' + BODY.encode() + b'", "id": "a\\u0000"}\n'),
    "json-keys": ("a.jsonl", _jsonl({"text": BODY, **{"k" * n: n for n in range(1, 1_500)}})),
    "json-long-key": ("a.jsonl", _jsonl({"k" * 1_000_000: 1, "text": BODY})),
    "json-python": ("a.jsonl", b"{'text': __import__('os').system('true'), 'title': 'x'}\n"),
    "json-python-deep": ("a.jsonl", b"{'text': " + b"(" * 5_000 + b")" * 5_000 + b"}\n"),
    "json-wrapped": ("a.jsonl", _jsonl({"text": json.dumps([json.dumps([BODY])] * 500)})),
    "json-columns": ("a.json", json.dumps({"text": {str(n): "x" for n in range(20_000)}}).encode()),
    "json-unclosed": ("a.json", b'[{"text": "' + b"a" * 3_000_000),
    "json-escapes": ("a.json", b'[{"text": "' + b"\\" * 1_000_001),
    "json-commas": ("a.json", b"[" + b"," * 1_000_000 + b"]"),
    "json-comments": ("a.json", b"/*" * 300_000),
    "json-spaces": ("a.json", b"[" + b" " * 3_000_000 + b"]"),
    # CSV
    "csv-columns": ("a.csv", b"text," + b"a," * 1_000_000 + b"\n" + b"x," * 1_000_000 + b"\n"),
    "csv-open-quote": ("a.csv", b'title,text\n"a,"' + BODY.encode() * 2_000),
    "csv-quotes": ("a.csv", b"title,text\n" + b'"' * 500_000 + b"\n"),
    "csv-formula": ("a.csv", f'title,text\n"=HYPERLINK(""https://{OUTSIDE}"")",{BODY}\n'.encode()),
    "csv-nulls": ("a.csv", b"title,text\n\0\0,\0" + BODY.encode() + b"\n"),
    "csv-headers-twice": ("a.csv", b"text,text,text,title,title\n" + b"a,b,c,d,e\n" * 50),
    "csv-ragged": ("a.csv", b"title,text\n" + b"a\n" * 3_000 + b"a,b,c,d\n" * 3_000),
    "csv-no-end": ("a.csv", b"title;text;" + b"x" * 12_000_000),
    # XML and feeds
    "xml-laughs": ("a.xml", _laughs()),
    "xml-laughs-deep": ("a.rss", _laughs(40)),
    "xml-quadratic": (
        "a.xml",
        _rss(
            f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>',
            f"<item><title>{'&a;' * 20_000}</title></item>",
        ),
    ),
    "xml-xxe": (
        "a.xml",
        _rss(
            '<!DOCTYPE rss [<!ENTITY a SYSTEM "rahasia.txt"><!ENTITY b SYSTEM "file:///etc/passwd">]>',
            f"<item><title>&a;</title><description>&a; &b; {BODY * 3}</description></item>",
        ),
    ),
    "xml-parameter": (
        "a.xml",
        _rss(f'<!DOCTYPE rss [<!ENTITY % a SYSTEM "https://{OUTSIDE}/a.dtd"> %a;]>'),
    ),
    "xml-dtd": ("a.xml", _rss(f'<!DOCTYPE rss SYSTEM "https://{OUTSIDE}/a.dtd">')),
    "xml-include": ("a.xml", _rss(item='<xi:include xmlns:xi="x" href="rahasia.txt"/>' + ITEM)),
    "xml-style": ("a.xml", _rss(f'<?xml-stylesheet href="https://{OUTSIDE}/a.xsl"?>')),
    "xml-deep": ("a.xml", b"<rss><channel><item>" + b"<a>" * 100_000),
    "xml-item-deep": ("a.xml", _rss(item="<item>" * 50_000)),
    "xml-unclosed": ("a.xml", b"<rss><channel>" + ITEM.encode() * 3 + b"<item><![CDATA["),
    "xml-attributes": ("a.xml", b"<rss " + b"a='b' " * 200_000 + b"><channel>" + ITEM.encode()),
    "xml-long-tag": ("a.xml", b"<rss><channel><" + b"a" * 3_000_000),
    "xml-doctype-open": ("a.xml", b"<!DOCTYPE " + b"[<" * 500_000),
    "feed-script": (
        "a.xml",
        _rss(item=ITEM.replace("Tugu Zamrud", "<![CDATA[<script>x</script>]]>")),
    ),
    "feed-items": ("a.xml", _rss(item="<item/>" * 50_000)),
    "feed-links": ("a.xml", _rss(item=ITEM.replace("https://contoh.example/a", "javascript:1"))),
    "feed-encoding": ("a.xml", _rss().replace(b'"1.0"', b'"1.0" encoding="hex"')),
    "jsonfeed-deep": (
        "a.json",
        b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 100_000,
    ),
    # HTML
    "html-deep": ("a.html", b"<html><body>" + b"<div>" * 100_000 + BODY.encode()),
    "html-deep-spans": ("a.html", PAGE.replace("<p>", "<p>" + "<b>" * 50_000).encode()),
    "html-tables": ("a.html", PAGE.replace("<p>", "<table><tr><td>" * 3_000).encode()),
    "html-attributes": ("a.html", PAGE.replace("<p>", f"<p {'a=b ' * 100_000}>").encode()),
    "html-scripts": ("a.html", PAGE.replace("<p>", "<script>" * 20_000).encode()),
    "html-comment": ("a.html", PAGE.replace("<p>", "<!--" * 50_000).encode()),
    "html-headings": ("a.html", PAGE.replace("<p>", "<h1>a b c</h1>" * 10_000 + "<p>").encode()),
    "html-metas": (
        "a.html",
        PAGE.replace("<title>", "<meta name=a content=b>" * 30_000 + "<title>").encode(),
    ),
    "html-ld-deep": (
        "a.html",
        PAGE.replace(
            "</head>", f'<script type="application/ld+json">{"[" * 50_000}</script></head>'
        ).encode(),
    ),
    "html-ld-types": (
        "a.html",
        PAGE.replace(
            "</head>",
            '<script type="application/ld+json">{"@type": ["NewsArticle"], "headline": {"a": []}, '
            '"author": [[[]], 5, null], "datePublished": {"x": 1}, "mainEntityOfPage": [5], '
            '"url": {}, "publisher": [], "articleBody": {"x": ["y"]}, "editor": 7}</script></head>',
        ).encode(),
    ),
    "html-base": (
        "a.html",
        PAGE.replace("<title>", f'<base href="https://{OUTSIDE}/"><title>').encode(),
    ),
    "html-charset": ("a.html", PAGE.replace("<title>", "<meta charset=utf-7><title>").encode()),
    "html-charset-hex": ("a.html", PAGE.replace("<title>", "<meta charset=hex><title>").encode()),
    "html-charset-idna": ("a.html", PAGE.replace("<title>", "<meta charset=idna><title>").encode()),
    "html-charset-utf16": (
        "a.html",
        PAGE.replace("<title>", "<meta charset=utf-16><title>").encode(),
    ),
    "html-nulls": ("a.html", PAGE.replace("<p>", "<p>\0\0").encode()),
    "html-paragraphs": ("a.html", PAGE.replace("<p>", "<p>a" * 100_000).encode()),
    "html-links": ("a.html", PAGE.replace("<p>", "<a href=/a>a b c</a>" * 30_000 + "<p>").encode()),
    # WARC
    "warc-lie-long": (
        "a.warc",
        _warc(("response", _response(), 10**14), ("response", _response(), None)),
    ),
    "warc-lie-short": (
        "a.warc",
        _warc(("response", _response(), 60), ("response", _response(), None)),
    ),
    "warc-lie-negative": ("a.warc", _warc(("response", _response(), -5))),
    "warc-lie-digits": ("a.warc", _warc(("response", _response(), "\u0665\u0665"))),
    "warc-lie-huge": ("a.warc", _warc(("response", _response(), "9" * 5_000))),
    "warc-headers": ("a.warc", b"WARC/1.0\r\n" + b"A: b\r\n" * 200_000 + b"\r\n"),
    "warc-long-line": ("a.warc", b"WARC/1.0\r\nA: " + b"b" * 3_000_000),
    "warc-chunks": (
        "a.warc",
        _warc(("response", _response("Transfer-Encoding: chunked\r\n", b"FFFFFFFF\r\nx"), None)),
    ),
    "warc-chunks-one": (
        "a.warc",
        _warc(
            ("response", _response("Transfer-Encoding: chunked\r\n", b"1\r\na\r\n" * 300_000), None)
        ),
    ),
    "warc-gzip-bomb": (
        "a.warc",
        _warc(
            (
                "response",
                _response("Content-Encoding: gzip\r\n", gzip.compress(b"a" * 50_000_000)),
                None,
            )
        ),
    ),
    "warc-brotli": (
        "a.warc",
        _warc(("response", _response("Content-Encoding: br\r\n", b"\xff" * 99), None)),
    ),
    "warc-uri": (
        "a.warc",
        _warc(("response", _response(), None)).replace(
            b"https://contoh.example/a", b"javascript:1\x1b[2J"
        ),
    ),
    "warc-charset": (
        "a.warc",
        _warc(("response", _response().replace(b"text/html", b"text/html; charset=idna"), None)),
    ),
    # text and encodings
    "text-bom-twice": ("a.txt", b"\xef\xbb\xbf\xef\xbb\xbf" + BODY.encode()),
    "text-utf16": ("a.txt", BODY.encode("utf-16")),
    "text-utf32-odd": ("a.txt", BODY.encode("utf-32")[:-3]),
    "text-latin1": ("a.txt", ("caf\u00e9 " + BODY).encode("latin-1")),
    "text-overlong": ("a.txt", b"\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80 " + BODY.encode()),
    "text-mixed": ("a.txt", b"\xff\xfe\x80" * 30 + BODY.encode() * 5),
    "text-bidi": ("a.txt", f"\u202e{BODY}\u2067".encode()),
    "text-front-matter": ("a.md", b"---\ntitle: " + b"[" * 5_000 + b"\n---\n" + BODY.encode()),
    "text-front-open": ("a.md", b"---\n" + b"a: b\n" * 50_000),
    "text-entities": ("a.txt", b"&amp;" * 300_000 + BODY.encode()),
    "text-tags": ("a.txt", b"<p " * 200_000 + BODY.encode()),
    "text-mojibake": ("a.txt", "Ã¢â‚¬â„¢".encode() * 30_000 + BODY.encode()),
    "text-markdown": ("a.md", b"![" * 50_000 + b"](" * 50_000 + BODY.encode()),
    "text-binary": ("a.txt", bytes(range(256)) * 100),
    "name-none": ("berita", BODY.encode()),
    "name-lies": ("a.jsonl", PAGE.encode()),
    "name-double": ("a.html.txt.jsonl.csv", LINE),
}
"""Files by name: what each is called, and its bytes."""


def _plain(folder: Path) -> None:
    (folder / "baik.jsonl").write_bytes(LINE)


def _link_out(folder: Path) -> None:
    _plain(folder)
    (folder / "luar.txt").symlink_to("/etc/passwd")
    (folder / "tetangga.txt").symlink_to(folder.parent / "rahasia.txt")
    (folder / "naik").symlink_to(folder.parent)


def _link_loop(folder: Path) -> None:
    _plain(folder)
    (folder / "diri").symlink_to("diri")
    (folder / "putar").symlink_to(folder)
    (folder / "b").mkdir()
    (folder / "b" / "c").symlink_to(folder / "b")
    (folder / "dua.jsonl").symlink_to(folder / "baik.jsonl")


def _link_proc(folder: Path) -> None:
    _plain(folder)
    (folder / "lingkungan.txt").symlink_to("/proc/self/environ")
    (folder / "nol").symlink_to("/dev/zero")
    (folder / "acak.txt").symlink_to("/dev/urandom")


def _fifo(folder: Path) -> None:
    _plain(folder)
    os.mkfifo(folder / "pipa.jsonl")


def _sparse(folder: Path) -> None:
    _plain(folder)
    with (folder / "jarang.jsonl").open("wb") as file:
        file.truncate(300_000_000)


def _names(folder: Path) -> None:
    for name in (
        "baris\nbaru.jsonl",
        "--home.jsonl",
        "-k",
        f"<img src=x onerror={SENTINEL}>.jsonl",
        "\x1b[2J\x1b]0;judul\x07.jsonl",
        "\u202elnosj.jsonl",
        "spasi  .jsonl ",
        "'; drop table.jsonl",
        "$(true).jsonl",
        "*.jsonl",
        "a" * 240 + ".jsonl",
    ):
        (folder / name).write_bytes(LINE)
    raw = os.fsencode(folder)
    Path(os.fsdecode(raw + b"/bukan-\xff\xfe.jsonl")).write_bytes(LINE)


def _names_broken(folder: Path) -> None:
    for name in ("x\ny.jsonl", "\x1b[2J.csv", "\u202e.xml", os.fsdecode(b"\xff.json")):
        (folder / name).write_bytes(b"{rusak")


def _deep(folder: Path) -> None:
    inner = folder
    for _ in range(150):
        inner = inner / "dalam"
        inner.mkdir()
    (inner / "a.jsonl").write_bytes(LINE)


def _many(folder: Path) -> None:
    for number in range(2_000):
        (folder / f"{number}.txt").write_bytes(b"")


def _directory_named(folder: Path) -> None:
    (folder / "berita.jsonl").mkdir()
    (folder / "berita.jsonl" / "a.jsonl").write_bytes(LINE)


def _unreadable(folder: Path) -> None:
    _plain(folder)
    (folder / "tertutup.jsonl").write_bytes(LINE)
    (folder / "tertutup.jsonl").chmod(0)


def _parquet(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    same = pa.array(["a" * 1_000] * 200_000)
    table = pa.table({"title": same, "text": same})
    parquet.write_table(table, folder / "bom.parquet", compression="gzip")


def _parquet_damaged(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / "rusak.parquet"
    parquet.write_table(pa.table({"title": ["a"], "text": [BODY]}), path)
    data = bytearray(path.read_bytes())
    for at in range(8, len(data) - 8, 7):
        data[at] ^= 0x55
    path.write_bytes(bytes(data))
    (folder / "kosong.parquet").write_bytes(b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1")


TREES: dict[str, Callable[[Path], None]] = {
    "tree-link-out": _link_out,
    "tree-link-loop": _link_loop,
    "tree-link-proc": _link_proc,
    "tree-fifo": _fifo,
    "tree-sparse": _sparse,
    "tree-names": _names,
    "tree-names-broken": _names_broken,
    "tree-deep": _deep,
    "tree-many": _many,
    "tree-directory": _directory_named,
    "tree-unreadable": _unreadable,
    "tree-parquet-bomb": _parquet,
    "tree-parquet-damaged": _parquet_damaged,
}
"""Folders by name: what fills each."""

FILES = (*DATA, *TREES)


def make(name: str, folder: Path) -> None:
    """Write a hostile file or folder's content into an empty folder."""
    if name in TREES:
        TREES[name](folder)
    else:
        called, data = DATA[name]
        (folder / called).write_bytes(data)


_OF_TARGET = {
    "page": "html",
    "json": "json",
    "lines": "json",
    "csv": "csv",
    "text": "text",
    "feed": ("xml", "feed", "jsonfeed"),
    "warc": "warc",
    "packed": ("gzip", "zip", "tar", "bzip2", "xz"),
}


def seeds(target: str) -> list[bytes]:
    """Return the small files of a fuzz target's kind."""
    kinds = _OF_TARGET.get(target, ())
    sound = {
        "page": [PAGE.encode()],
        "lines": [LINE],
        "json": [json.dumps([ARTICLE]).encode()],
        "csv": [f'title,text,date\n"Tugu","{BODY}",2024-01-01\n'.encode()],
        "feed": [_rss()],
        "warc": [_warc(("response", _response(), None))],
        "packed": [gzip.compress(LINE), _zip(("a.jsonl", LINE)), _tar(_member("a.jsonl"))],
    }
    files = [data for name, (_, data) in DATA.items() if kinds and name.startswith(kinds)]
    return [*sound.get(target, []), *(data for data in files if len(data) <= 4096)]
