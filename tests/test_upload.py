"""Files that are dropped on the operator's page: taken, added, built, and deleted again."""

import asyncio
import gzip
import json
import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from index import reports
from index.archive import FILE_NAME, Archive
from index.errors import InputError
from index.home import open_versions
from index.settings import UploadSettings
from qa.chat import Chat
from tests.operating import HERE, Served
from web.upload import FOLDER, Uploads, safe_parts
from web.work import Task

ROW = {
    "text": "Bupati Rukmana meresmikan jembatan gantung Karangsono pada 5 Mei 2025. Warga senang.",
    "title": "Jembatan Gantung Karangsono Diresmikan",
    "date": "2025-05-05",
}
PATIENCE = 120


def sent(served, files, **options):
    """Send files, as (path, content), as the page does; return the answer to the last request."""
    named = [{"path": path, "size": len(content)} for path, content in files]
    begun = served.client.post("/page/upload/begin", json={"files": named})
    assert begun.status_code == 200, begun.text
    upload, wanted = begun.json()["upload"], begun.json()["wanted"]
    for number in wanted:
        put(served, upload, number, files[number][1])
    return served.client.post(f"/page/upload/{upload}/add", json=options)


def put(served, upload, number, content, status=200):
    answer = served.client.post(
        f"/page/upload/{upload}/{number}",
        content=content,
        headers={"content-type": "application/octet-stream", "origin": HERE},
    )
    assert answer.status_code == status, answer.text
    return answer


def begun(served, *files):
    named = [{"path": path, "size": size} for path, size in files]
    return served.client.post("/page/upload/begin", json={"files": named})


def left(home):
    return sorted((home / FOLDER).rglob("*")) if (home / FOLDER).exists() else []


# The whole way --------------------------------------------------------------------------------


def test_dropped_files_are_added_built_and_answered_from(tmp_path):
    served = Served(tmp_path)
    lines = "\n".join([json.dumps(ROW), "{rusak"]).encode()
    files = [
        ("berita/2025/jembatan.jsonl.gz", gzip.compress(lines)),
        ("berita/foto.jpg", b"\xff\xd8\xff"),
        ("berita/.rahasia.txt", b"Tidak untuk dibaca siapa pun di sini."),
        ("../../luar.txt", b"Pasar ikan Teluk Waru dibuka lagi sesudah diperbaiki warga desa."),
    ]
    answer = sent(served, files, build=True, publisher=" Harian\nUji ")
    assert answer.json() == {"work": 1}
    served.worker.wait(PATIENCE)
    state = served.worker.state
    assert (state.error, state.version, state.running) == (None, "000001", False)
    assert (state.ingest.new, state.ingest.problems) == (2, 1)
    assert left(tmp_path) == []
    assert not (tmp_path.parent / "luar.txt").exists()
    [report] = reports.last(tmp_path)
    assert (report.kind, report.named) == ("upload", ("jembatan.jsonl.gz", "luar.txt"))
    page = served.client.get("/page/operator/work").text
    assert "Versi 000001 selesai dibangun" in page
    assert "jembatan.jsonl.gz:2" in page
    with Archive.open(tmp_path / FILE_NAME) as archive:
        assert archive.publishers() == ["Harian Uji"]
    turn = Chat.open(tmp_path).ask("Siapa yang meresmikan jembatan gantung Karangsono?")
    assert "Rukmana" in turn.answer.claims[0].text


def test_what_holds_no_article_is_told_and_leaves_nothing(tmp_path):
    served = Served(tmp_path)
    with open_versions(tmp_path).lock(create=True):
        assert sent(served, [("kosong.json", b"{}")], build=True).status_code == 200
        served.worker.wait(PATIENCE)
        page = served.client.get("/page/operator/work").text
        assert "Tidak ada artikel yang terbaca" in page
        assert "kosong.json" in page
        assert left(tmp_path) == []
        # A writer's lock that another process holds is told, and what was added stays.
        assert sent(served, [("a.jsonl", json.dumps(ROW).encode())], build=True).is_success
        served.worker.wait(PATIENCE)
        assert "sedang dipakai" in served.client.get("/page/operator/work").text
    with Archive.open(tmp_path / FILE_NAME) as archive:
        assert archive.counts().articles == 1
    assert open_versions(tmp_path).live() is None


def test_one_task_at_a_time_and_the_upload_waits(tmp_path):
    served = Served(tmp_path)
    upload = begun(served, ("a.txt", 3)).json()["upload"]
    put(served, upload, 0, b"abc")
    served.worker.start(Task(tmp_path))
    assert served.client.post("/page/operator/build", json={}).status_code == 409
    assert served.client.post(f"/page/upload/{upload}/add", json={}).status_code == 409
    assert [path.name for path in left(tmp_path) if path.is_file()] == [".lock", "a.txt"]
    served.worker.wait(PATIENCE)
    assert isinstance(served.worker.state.error, InputError)
    assert "tidak selesai" in served.client.get("/page/operator/work").text


# Bounds ---------------------------------------------------------------------------------------


def test_more_than_the_settings_allow_is_refused_before_a_byte_comes(tmp_path):
    (tmp_path / "tanya.toml").write_text("[upload]\nmax_megabytes = 2\nmax_files = 3\n")
    served = Served(tmp_path)
    assert begun(served, ("a.txt", 2_000_001)).status_code == 400
    assert begun(served, *[(f"{n}.txt", 1) for n in range(4)]).status_code == 400
    assert begun(served, ("foto.jpg", 10**12), ("a.txt", 1_500_000)).status_code == 200
    # Those under way count too.
    refused = begun(served, ("b.txt", 600_000))
    assert refused.status_code == 400
    assert "paling banyak 2 MB" in refused.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": "a.txt"},
        {"files": [1]},
        {"files": [{"path": "a.txt"}]},
        {"files": [{"path": "a.txt", "size": "viel"}]},
        {"files": [{"path": "a.txt", "size": None}]},
    ],
)
def test_a_list_of_files_that_is_none_is_refused(tmp_path, body):
    assert Served(tmp_path).client.post("/page/upload/begin", json=body).status_code == 422


def test_a_file_must_be_as_long_as_it_was_said_to_be(tmp_path):
    served = Served(tmp_path)
    upload = begun(served, ("a.txt", 10), ("b.txt", 10)).json()["upload"]
    put(served, upload, 0, b"x" * 11, status=400)
    put(served, upload, 0, b"x" * 9, status=400)
    assert [path.name for path in left(tmp_path) if path.is_file()] == [".lock"]
    put(served, upload, 0, b"x" * 10)
    put(served, upload, 7, b"x", status=404)
    put(served, "0" * 32, 0, b"x", status=404)


def test_nothing_is_wanted_of_what_is_not_read(tmp_path):
    answer = begun(Served(tmp_path), ("a/foto.jpg", 5), ("a/__MACOSX/b.txt", 5), (".c.txt", 5))
    assert answer.json()["wanted"] == []
    assert answer.json()["passed"] == [[".jpg", 1]]
    assert left(tmp_path) == []


# Interrupted ----------------------------------------------------------------------------------


def test_an_upload_that_is_cancelled_or_left_is_deleted(tmp_path):
    clock = [0.0]
    uploads = Uploads(tmp_path, UploadSettings(), clock=lambda: clock[0])
    cancelled, *_ = uploads.begin([("a.txt", 3)])
    idle, *_ = uploads.begin([("b.txt", 3)])
    uploads.cancel(cancelled)
    uploads.cancel(cancelled)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [idle]
    clock[0] = 599.0
    uploads.sweep()
    assert (tmp_path / FOLDER / idle).exists()
    clock[0] = 601.0
    uploads.sweep()
    assert left(tmp_path) == []


def test_what_a_server_left_that_ended_is_deleted_by_the_next(tmp_path):
    ended = tmp_path / FOLDER / ("0" * 32) / "files" / "000000"
    ended.mkdir(parents=True)
    (ended / "a.txt").write_text("separuh")
    (tmp_path / FOLDER / ("0" * 32) / ".lock").write_text("1")
    running = Uploads(tmp_path, UploadSettings())
    assert left(tmp_path) == []
    name, *_ = running.begin([("a.txt", 3)])
    Uploads(tmp_path, UploadSettings())
    assert (tmp_path / FOLDER / name).exists()
    running.cancel(name)


def test_a_browser_that_goes_away_in_the_middle_leaves_no_half_file(tmp_path):
    uploads = Uploads(tmp_path, UploadSettings())
    name, *_ = uploads.begin([("a.txt", 10)])

    async def chunks(*pieces):
        for piece in pieces:
            if piece is None:
                raise ClientDisconnect
            yield piece

    with pytest.raises(ClientDisconnect):
        asyncio.run(uploads.write(name, 0, chunks(b"xxxxx", None)))
    assert [path.name for path in left(tmp_path) if path.is_file()] == [".lock"]
    asyncio.run(uploads.write(name, 0, chunks(b"xxxxx", b"yyyyy")))
    [written] = uploads.files(name).rglob("*.txt")
    assert written.read_bytes() == b"xxxxxyyyyy"
    # What is being read is not written to.
    with pytest.raises(InputError):
        asyncio.run(uploads.write(name, 0, chunks(b"z" * 10)))
    uploads.cancel(name)


# Names ----------------------------------------------------------------------------------------


@given(st.text(st.characters(codec="utf-16", categories=None), max_size=40))
def test_names_are_safe_for_any_disk(path):
    parts = safe_parts(path)
    assert parts
    for part in parts:
        assert part not in ("", ".", "..")
        assert not {"/", "\\", "\0"} & set(part)
        assert part.isprintable()
        assert len(os.fsencode(part)) <= 150
        assert part == unicodedata.normalize("NFC", part)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("berita/a.txt", ["berita", "a.txt"]),
        ("../../etc/passwd", ["etc", "passwd"]),
        ("C:\\berita\\a.txt", ["C:", "berita", "a.txt"]),
        ("a\x00b\n.html", ["a_b_.html"]),
        ("", ["_"]),
        ("..", ["_"]),
        ("x" * 300 + ".jsonl.gz", ["x" * 120 + "x" * 21 + ".jsonl.gz"]),
    ],
)
def test_names_keep_what_tells_their_kind(path, parts):
    assert safe_parts(path) == parts
