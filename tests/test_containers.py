"""Packed files, archives and folders: what in them is read, and what is told as passed over."""

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import os
import socket
import tarfile
import zipfile
from collections import Counter

import pytest

from index.reading import packed
from index.reading.files import find_files, read
from index.records import Article, ReadProblem
from tests import homes

TODAY = dt.date(2026, 1, 10)
TITLE = "Pasar Ikan Teluksari Dibuka Kembali"
TEXT = "Bupati Rukmana meresmikan pasar ikan nomor {} pada pagi hari bersama warga desa."
ROWS = "".join(json.dumps({"title": TITLE, "text": TEXT.format(n)}) + "\n" for n in range(3))
PLAIN = f"{TITLE}\n\n{TEXT.format('satu')}"
FEED = (
    "<rss version='2.0'><channel><title>Harian Teluk</title><item><title>Umpan</title>"
    f"<description>{TEXT.format(7) * 4}</description></item></channel></rss>"
)
FILES = {
    "berita/a.txt": PLAIN.encode(),
    "berita/b.jsonl.gz": gzip.compress(ROWS.encode()),
    "umpan": FEED.encode(),
    "../../naik.txt": PLAIN.encode(),
    ".rahasia.txt": PLAIN.encode(),
    "__MACOSX/berita/._a.txt": b"\x00\x05",
    "gambar/x.png": b"\x89PNG",
    "gambar/y.png": b"\x89PNG",
    "surat.docx": b"PK\x03\x04",
}
READ = {"a!berita/a.txt", "a!berita/b.jsonl.gz", "a!umpan", "a!../../naik.txt"}


def zipped(files, method=zipfile.ZIP_DEFLATED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        archive.writestr("kosong/", b"")
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(files, mode="w"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind in (("tautan.txt", tarfile.SYMTYPE), ("pipa.txt", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
    return data.getvalue()


def outcomes(path, content=None, passed=None):
    if content is not None:
        path.write_bytes(content)
    found = list(read(path, today=TODAY, passed=passed))
    return (
        [o for o in found if isinstance(o, Article)],
        {o.place: o.reason for o in found if isinstance(o, ReadProblem)},
    )


# --- packed files --------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.bz2", "a.jsonl.xz", "a"])
def test_a_packed_file_whatever_its_name(tmp_path, pack, name):
    found, told = outcomes(tmp_path / name, pack(ROWS.encode()))
    assert [a.body for a in found] == [TEXT.format(n) for n in range(3)] and told == {}


# Level 1, for bzip2 gives out whole blocks alone.
@pytest.mark.parametrize("pack", [gzip.compress, lambda d: bz2.compress(d, 1), lzma.compress])
def test_a_packed_file_that_is_cut_short(tmp_path, pack):
    rows = "".join(json.dumps({"id": n, "text": TEXT.format(n**7)}) + "\n" for n in range(3_000))
    data = pack(rows.encode())
    found, told = outcomes(tmp_path / "a", data[: len(data) * 2 // 3])
    assert len(found) > 1_000
    assert "cut short" in " ".join(told.values())
    found, told = outcomes(tmp_path / "b", data[:200])
    assert "cut short" in " ".join(told.values())


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.xml"])
def test_a_file_of_blanks_is_a_bomb(tmp_path, monkeypatch, pack, name):
    monkeypatch.setattr(packed, "BLANK_LIMIT", 200_000)
    found, told = outcomes(tmp_path / name, pack(b"\n" * 1_000_000))
    assert found == [] and list(told) == [name]
    assert "megabytes of blanks" in told[name]


@pytest.mark.parametrize("kind", ["zip", "tar", "gz"])
def test_what_unpacks_beyond_reason_stops_the_whole_file(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(packed, "UNPACKED_LIMIT", 200_000)
    same = (json.dumps({"id": "x", "text": TEXT}) + "\n").encode() * 5_000
    files = {"a.jsonl": same, "b.jsonl": ROWS.encode()}
    content = {
        "zip": lambda: zipped(files),
        "tar": lambda: tarred(files, "w:gz"),
        "gz": lambda: gzip.compress(same),
    }[kind]()
    _, told = outcomes(tmp_path / "a", content)
    assert told["a"].startswith("It unpacks to more than")


def test_progress_is_told_by_the_bytes_read_and_each_byte_once(tmp_path):
    files = {f"{n}.jsonl": (ROWS + os.urandom(200_000).hex()).encode() for n in range(4)}
    for name, content in (("a.zip", zipped(files)), ("a.tgz", tarred(files, "w:gz"))):
        (tmp_path / name).write_bytes(content)
        told = []
        list(read(tmp_path / name, today=TODAY, progress=told.append))
        assert sum(told) == len(content)
        assert max(told) <= 1 << 18 and len(told) > 5


# --- archives ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [zipped(FILES), zipped(FILES, zipfile.ZIP_STORED), zipped(FILES, zipfile.ZIP_LZMA)]
    + [tarred(FILES, mode) for mode in ("w", "w:gz", "w:bz2", "w:xz")],
    ids=["zip", "stored", "lzma", "tar", "tgz", "tar.bz2", "tar.xz"],
)
def test_members_are_read_as_files_of_a_folder_would_be(tmp_path, content):
    passed = Counter()
    found, told = outcomes(tmp_path / "a", content, passed)
    assert sorted(a.title for a in found) == [TITLE] * 5 + ["Umpan"]
    assert passed == {".png": 2, ".docx": 1}
    assert told == {}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert not (tmp_path.parent.parent / "naik.txt").exists()


def test_problems_name_the_member_and_the_row(tmp_path):
    files = {"x/a.jsonl": ROWS.encode() + b"{rusak\n", "kosong.txt": b"", "b.txt": PLAIN.encode()}
    files["rusak.jsonl.gz"] = gzip.compress(ROWS.encode())[:40]
    for name, content in (("a.zip", zipped(files)), ("a.tar", tarred(files))):
        found, told = outcomes(tmp_path / name, content)
        assert len(found) == 4
        assert set(told) == {
            f"{name}!x/a.jsonl:4",
            f"{name}!kosong.txt",
            f"{name}!rusak.jsonl.gz",
        }


@pytest.mark.parametrize("inner", [zipped(FILES), tarred(FILES), tarred(FILES, "w:gz")])
def test_an_archive_in_an_archive_is_told(tmp_path, inner):
    for outer in (zipped({"b.zip": inner}), tarred({"b.tar": inner})):
        found, told = outcomes(tmp_path / "a", outer)
        assert found == []
        assert len(told) == 1 and "within a packed file" in next(iter(told.values()))


def test_encrypted_members_are_counted_and_the_others_read(tmp_path):
    data = bytearray(zipped({"a.txt": PLAIN.encode(), "b.txt": PLAIN.encode()}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(b"a.txt", data.find(signature)) - (30 if flags == 6 else 46) + flags] |= 1
    found, told = outcomes(tmp_path / "a.zip", bytes(data))
    assert len(found) == 1
    assert told == {"a.zip": "Left out as encrypted: 1. Unpack it, and add the folder."}


@pytest.mark.parametrize("content", [zipped(FILES), tarred(FILES), tarred(FILES, "w:gz")])
def test_a_damaged_archive_is_told_wherever_it_is_cut(tmp_path, content):
    for cut in (30, 700, len(content) // 2, len(content) - 30):
        _, told = outcomes(tmp_path / "a.zip", content[:cut])
        tail = content[cut:].strip(b"\0")
        assert told or not tail


def test_too_many_members_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MEMBERS_LIMIT", 3)
    files = {f"{n}.txt": PLAIN.encode() for n in range(5)}
    for content in (zipped(files), tarred(files)):
        found, told = outcomes(tmp_path / "a", content)
        assert len(found) <= 3
        assert list(told) == ["a"] and "more than 3 members" in told["a"]


def test_an_archive_of_nothing_known_is_a_problem(tmp_path):
    for content in (zipped({"x.png": b"x"}), tarred({"x.png": b"x"}), zipped({})):
        found, told = outcomes(tmp_path / "a", content)
        assert found == [] and "no file of a known kind" in told["a"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.docx", {"word/document.xml": bytes(20_000), "[Content_Types].xml": b"<a/>"}, "Word"),
        ("a.xlsx", {"[Content_Types].xml": b"<a/>", "xl/workbook.xml": b"<a/>"}, "Excel"),
        ("a.pptx", {"[Content_Types].xml": b"<a/>", "ppt/presentation.xml": b"<a/>"}, "PowerPoint"),
        ("a.odt", {"mimetype": b"application/vnd.oasis.opendocument.text"}, "OpenDocument"),
        ("a.epub", {"mimetype": b"application/epub+zip"}, "EPUB"),
        ("a.pdf", b"%PDF-1.4", "PDF"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office"),
        ("a.rtf", b"{\\rtf1\\ansi Halo}", "RTF"),
    ],
)
def test_office_files_are_told_with_what_to_do(tmp_path, name, content, said):
    data = content if isinstance(content, bytes) else zipped(content, zipfile.ZIP_STORED)
    if isinstance(content, dict) and "mimetype" in content:
        # It must stand first, as the folder of the helper does not let it.
        stored = io.BytesIO()
        with zipfile.ZipFile(stored, "w") as archive:
            archive.writestr("mimetype", content["mimetype"])
        data = stored.getvalue()
    for given in (name, "tanpa-akhiran"):
        found, told = outcomes(tmp_path / given, data)
        assert found == []
        assert said in told[given] and "CSV" in told[given]


# --- folders -------------------------------------------------------------------------------------


def test_links_out_of_a_folder_are_skipped_and_links_in_it_read_once(tmp_path):
    outside = tmp_path / "luar"
    outside.mkdir()
    (outside / "rahasia.txt").write_text(PLAIN)
    folder = tmp_path / "berita"
    (folder / "dalam").mkdir(parents=True)
    (folder / "dalam" / "a.txt").write_text(PLAIN)
    (folder / "0-tautan.txt").symlink_to(folder / "dalam" / "a.txt")
    (folder / "1-folder").symlink_to(folder / "dalam")
    (folder / "2-luar.txt").symlink_to(outside / "rahasia.txt")
    (folder / "3-luar").symlink_to(outside)
    (folder / "4-patah.txt").symlink_to(outside / "tidak-ada")
    passed = Counter()
    found = find_files([folder], passed)
    assert [path.resolve() for path in found] == [folder / "dalam" / "a.txt"]
    assert passed == {"links that lead out of the folder": 2, "broken links": 1}
    # What a person names is read.
    assert find_files([folder / "2-luar.txt"]) == [folder / "2-luar.txt"]


def test_pipes_and_sockets_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipa.txt")
    (tmp_path / "a.txt").write_text(PLAIN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "soket.txt"))
        passed = Counter()
        assert find_files([tmp_path], passed) == [tmp_path / "a.txt"]
        assert passed == {"pipes, sockets or devices": 2}
        for name in ("pipa.txt", "soket.txt"):
            assert find_files([tmp_path / name]) == [tmp_path / name]
            found, told = outcomes(tmp_path / name)
            assert found == [] and "no file" in told[name]


def test_a_suffix_is_what_looks_like_one(tmp_path):
    for name in ("crawl.00001", "Berita 3.5", "catatan. tanpa akhiran", "a.TXT", "b.txt.xz"):
        (tmp_path / name).write_text(PLAIN)
    for name in ("a.mp3", "b.7z", "c.tar.zst"):
        (tmp_path / name).write_text(PLAIN)
    passed = Counter()
    assert len(find_files([tmp_path], passed)) == 5
    assert passed == {".mp3": 1, ".7z": 1, ".zst": 1}


def test_add_tells_what_it_passed_over(tmp_path, capsys):
    folder = tmp_path / "berita"
    folder.mkdir()
    (folder / "a.txt").write_text(PLAIN)
    for name in ("a.pdf", "b.pdf", "c.docx"):
        (folder / name).write_bytes(b"%PDF")
    (folder / "b.zip").write_bytes(zipped({"d.pdf": b"%PDF", "d.txt": TEXT.encode()}))
    assert homes.tanya(tmp_path / "rumah", "add", folder) == 0
    shown = capsys.readouterr().out
    assert "new 2" in shown and "problems 0" in shown
    assert "passed over 4 files: 3 .pdf, 1 .docx." in shown and ".warc" in shown


@pytest.mark.parametrize("names", [[], ["a.pdf", "b.docx"], [".tersembunyi.txt"]])
def test_a_folder_of_nothing_known_ends_with_status_1(tmp_path, capsys, names):
    folder = tmp_path / "berita"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"%PDF")
    assert homes.tanya(tmp_path / "rumah", "add", folder) == 1
    shown = capsys.readouterr()
    assert "no file of a known kind" in shown.err and str(folder) in shown.err
    assert ("1 .pdf, 1 .docx" in shown.out) == ("a.pdf" in names)
    assert not (tmp_path / "rumah").exists()


def test_files_without_an_article_end_with_status_1(tmp_path, capsys):
    (tmp_path / "a.txt").write_bytes(b"")
    assert homes.tanya(tmp_path / "rumah", "add", tmp_path / "a.txt") == 1
    assert "No article could be read" in capsys.readouterr().err
