"""What is damaged is told and mended: every file of a version by every kind of damage, and more."""

import datetime as dt
import itertools
import json
import os
import random
import shutil
import sqlite3
import tempfile
import threading

import numpy as np
import pytest

from index import doctor
from index.archive import FILE_NAME, SCHEMA
from index.build import Finished
from index.doctor import DAMAGED, FOREIGN, LEFT_OVER
from index.errors import ArchiveError, IndexDamagedError
from index.home import OpenHome
from index.records import Filter
from index.versions import LIVE, NEW, PREPARED
from page import html
from qa.chat import Chat
from tests import homes
from tests.news import NOW, Home
from tests.operating import Served
from web.whole import keep_whole

ANY = Filter()
KINDS = ("truncated", "one flip", "64 flips", "emptied", "missing")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a home of two versions, the second of which shares some files with the first."""
    folder = tmp_path_factory.mktemp("utuh")
    homes.add(folder, homes.HARBOUR[:-1])
    homes.build(folder)
    homes.add(folder, homes.HARBOUR[-1:])
    homes.build(folder)
    return folder


@pytest.fixture
def home(kept, tmp_path):
    """Return a copy of it, of which the files that versions share are one."""
    folder = tmp_path / "rumah"
    shutil.copytree(kept, folder)
    for path in (kept / "versions" / "000002").rglob("*"):
        first = folder / "versions/000001" / path.relative_to(kept / "versions" / "000002")
        if path.is_file() and path.stat().st_nlink > 1:
            second = folder / path.relative_to(kept)
            second.unlink()
            os.link(first, second)
    return folder


def damage(path, kind, rng):
    """Damage a file in place, so that versions that share it share the damage."""
    content = bytearray(path.read_bytes())
    if kind == "missing":
        path.unlink()
        return
    if kind == "emptied":
        content.clear()
    elif kind == "truncated":
        del content[len(content) // 2 :]
    else:
        for at in rng.sample(range(len(content)), 1 if kind == "one flip" else 64):
            content[at] ^= 1 << rng.randrange(8)
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(content)


def found_in(index):
    """Return what a version finds."""
    vector = np.linspace(-1, 1, index.version.recipe.dimensions, dtype=np.float32)
    hits = [*index.dense(vector, 99, ANY), *index.lexical("pelabuhan kapal jembatan", 99, ANY)]
    ids = [hit.passage_id for hit in hits]
    return (
        *(hits, index.passages(ids), index.vectors(ids).tolist(), index.frequencies(["kapal"])),
        *(dict(index.authors()), index.headlines([], 9), index.names("p", 9)),
    )


# Every file, every kind of damage


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_is_served(kept, tmp_path, kind):
    """Wherever a file is damaged, a whole version answers, or the damage is told; always by name.

    Nothing of the process before is known to the one that opens the version.
    """
    whole = {name: found_in(Chat.open(kept).version(name)) for name in ("000001", "000002")}
    assert whole["000001"] != whole["000002"]
    told, served = 0, 0
    paths = sorted(p for p in (kept / "versions/000002").rglob("*") if p.is_file())
    for number, path in enumerate(paths):
        if path.suffix == ".lock" or (kind == "64 flips" and path.stat().st_size < 64):
            continue
        folder = tmp_path / str(number)
        name = path.relative_to(kept / "versions/000002").as_posix()
        shutil.copytree(kept, folder, ignore=shutil.ignore_patterns("chats.db"))
        damage(folder / "versions/000002" / name, kind, random.Random(f"{name} {kind}"))
        shared = path.stat().st_nlink > 1
        if shared:
            first = folder / "versions/000001" / name
            first.unlink(missing_ok=True)
            if kind != "missing":
                os.link(folder / "versions/000002" / name, first)
        chat = Chat.open(folder)
        if shared:
            with pytest.raises(IndexDamagedError, match=r"Version '000002' is damaged") as caught:
                chat.index()
            assert name in str(caught.value)
            told += 1
        else:
            assert found_in(chat.index()) == whole["000001"], name
            assert name in chat.trouble
            served += 1
        examined = doctor.examine(folder, NOW)
        assert not examined.healthy
        assert examined.whole == ([] if shared else ["000001"])
        assert any(fault.startswith(name) for fault in examined.versions[-1].faults)
        shutil.rmtree(folder)
    assert told > 5
    assert served > 5


def test_what_a_library_raises_is_told(home):
    """A bit that fell over changes no time, so that Tantivy meets it, and panics."""
    paths = [*home.glob("versions/*/lexical/*.fieldnorm")]
    for path in {path.stat().st_ino: path for path in paths}.values():
        rot(path, 96)
    with pytest.raises(IndexDamagedError, match="tanya doctor --repair"):
        Chat.open(home).index()


def test_a_question_that_meets_damage_is_answered_by_a_whole_version(home):
    chat = Chat.open(home)
    assert chat.index().version.name == "000002"
    database = next(p for p in home.glob("versions/000002/parts/*/passages.db") if _alone(p))
    database.write_bytes(b"\xa7" * database.stat().st_size)
    turn = chat.ask("Apa yang terjadi di pelabuhan?")
    assert turn.answer.evidence.version == "000001"
    assert "Meanwhile version 000001 answers" in chat.trouble
    assert chat.search("pelabuhan", 3)


def test_damage_is_found_beside_the_chat_and_told(home):
    """A bit that fell over: what answers is read whole at the start, and then by itself."""
    chat = Chat.open(home)
    vectors = next(p for p in home.glob("versions/000002/parts/*/vectors.faiss") if _alone(p))
    rot(vectors)
    assert found_in(chat.index()) != found_in(chat.version("000001"))
    stopped = threading.Event()
    stopped.set()
    # In a thread of its own: it lowers the priority of the one that it runs in.
    beside = threading.Thread(target=keep_whole, args=(chat, stopped))
    beside.start()
    beside.join()
    assert chat.index().version.name == "000001"
    told = html.freshness_html(chat.overview(), NOW)
    assert "Versi terbaru rusak; yang menjawab versi 000001." in told
    assert "vectors.faiss" not in told
    page = Served(home, trouble=chat.trouble).page()
    assert "vectors.faiss was altered" in page


def rot(path, at=-1):
    """Flip a bit as a disk does, which tells nobody of it."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _alone(path):
    return path.stat().st_nlink == 1


# The rest of a home


def findings(home):
    return {(each.kind, each.what) for each in doctor.examine(home, NOW).findings}


def test_a_healthy_home(home):
    before = {path for path in home.rglob("*")}
    found = doctor.examine(home, NOW)
    assert found.healthy
    assert found.whole == ["000001", "000002"]
    assert found.articles == len(homes.HARBOUR)
    assert {path for path in home.rglob("*")} == before
    told = homes.tell(home, "doctor", "--json")
    assert told.returncode == 0
    assert json.loads(told.stdout)["healthy"] is True


@pytest.mark.parametrize("content", [b"", b"bukan basis data" * 400])
def test_an_archive_that_is_none_is_told_and_stays(home, content):
    (home / FILE_NAME).write_bytes(content)
    told = homes.tell(home, "doctor", "--repair")
    assert told.returncode == 1
    assert "tanya restore" in told.stdout
    assert (home / FILE_NAME).read_bytes() == content


def test_an_archive_that_is_missing_is_told(tmp_path, home):
    (home / FILE_NAME).unlink()
    assert findings(home) == {(DAMAGED, FILE_NAME)}
    assert not (home / FILE_NAME).exists()
    assert findings(tmp_path / "kosong") == {(DAMAGED, FILE_NAME)}
    assert not (tmp_path / "kosong").exists()


def test_altered_texts_and_newer_archives_are_told(home):
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute("UPDATE article SET body = replace(body, 'a', 'e') WHERE seq = 2")
    db.close()
    (found,) = doctor.examine(home, NOW).findings
    assert "The text of 1 articles was altered" in found.problem
    with sqlite3.connect(home / FILE_NAME) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    assert findings(home) == {(FOREIGN, FILE_NAME)}


def test_other_databases_and_settings_are_told(home):
    for name in ("chats.db", "watch.db"):
        (home / name).write_bytes(b"rusak" * 1000)
    assert findings(home) == {(DAMAGED, "chats.db"), (DAMAGED, "watch.db")}
    (home / "tanya.toml").write_text("[engine\n")
    assert (DAMAGED, "tanya.toml") in findings(home)


def test_a_version_of_another_engine_is_no_damage(home):
    (home / "tanya.toml").write_text('[engine]\nlocation = "milvus+file:uji.db"\n')
    assert findings(home) == {(FOREIGN, "version 000002")}


# Mending


def test_an_older_version_takes_the_place_of_a_damaged_one(home):
    damage(home / "versions/000002/acronyms.json", "emptied", random.Random(1))
    told = homes.tell(home, "doctor")
    assert told.returncode == 1
    assert "version 000002: acronyms.json has 0 bytes of" in told.stdout
    told = homes.tell(home, "doctor", "--repair")
    assert told.returncode == 0
    assert "Version 000001 is live" in told.stdout
    assert "Deleted 000002" in told.stdout
    chat = Chat.open(home)
    assert (chat.index().version.name, chat.trouble) == ("000001", "")


def test_a_version_is_built_anew_where_none_is_whole(home, kept):
    for path in home.glob("versions/*/parts/*/columns.npz"):
        path.unlink()
    told = homes.tell(home, "doctor", "--repair")
    assert told.returncode == 0
    assert "Version 000003 was built anew" in told.stdout
    assert doctor.examine(home, NOW).whole == ["000003"]
    # Only the order of equals may differ, for the rows have other numbers.
    found = {hit.passage_id for hit in found_in(Chat.open(home).index())[0]}
    assert found == {hit.passage_id for hit in found_in(Chat.open(kept).index())[0]}


def test_what_cannot_be_mended_says_so(home):
    for path in home.glob("versions/*/parts/*/columns.npz"):
        path.unlink()
    (home / FILE_NAME).write_bytes(b"rusak" * 1000)
    with pytest.raises(ArchiveError, match="restore"):
        doctor.repair(doctor.examine(home, NOW), NOW)
    assert len([*home.glob("versions/00*")]) == 2


@pytest.mark.parametrize("content", [None, b"rusak"])
def test_which_version_is_live_is_mended(home, content):
    live = home / "versions" / LIVE
    live.unlink()
    if content:
        live.write_bytes(content)
    assert findings(home) == {(DAMAGED, LIVE)}
    doctor.repair(doctor.examine(home, NOW), NOW)
    assert live.read_text() == "000002\n"
    assert doctor.examine(home, NOW).healthy


def test_leftovers_are_deleted_and_nothing_else(home, monkeypatch, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    process = next(n for n in itertools.count(400_000) if not doctor._runs(n))
    made = [
        *(home / "versions" / NEW, home / "versions" / PREPARED / "0123"),
        temporary / f"tanya-{process}-uji",
    ]
    kept = temporary / f"tanya-{os.getpid()}-uji"
    for folder in (*made, kept):
        folder.mkdir(parents=True)
    stopped, running = home / "reports.part", home / "lain.part"
    for path in (stopped, running):
        path.write_text("x")
    hours_ago = (NOW - dt.timedelta(hours=2)).timestamp()
    os.utime(stopped, (hours_ago, hours_ago))
    os.utime(running, (NOW.timestamp(), NOW.timestamp()))
    others = temporary / f"tanya-{process}-lain"
    others.mkdir()
    os.chown(others, os.getuid() + 1, -1) if os.getuid() == 0 else others.rmdir()
    wanted = {(LEFT_OVER, str(path)) for path in (*made, stopped)}
    assert findings(home) == wanted
    assert doctor.examine(home, NOW).healthy
    with Home(home, "local").versions.lock():
        assert findings(home) == {each for each in wanted if "versions" not in each[1]}
    done = doctor.repair(doctor.examine(home, NOW), NOW)
    assert len(done) == len(made) + 1
    assert kept.is_dir()
    assert running.exists()
    assert not doctor.examine(home, NOW).findings


def test_a_stopped_build_is_not_left_over(home):
    homes.add(home, [homes.article(99, "Kapal baru tiba di dermaga timur pada Senin pagi.")])
    (home / "versions" / PREPARED / "lain").mkdir(parents=True)

    with OpenHome.open(home) as opened:
        wanted = Finished(home / "versions" / PREPARED, opened.recipe).folder
    wanted.mkdir()
    assert findings(home) == {(LEFT_OVER, str(home / "versions" / PREPARED / "lain"))}


def test_damaged_accounts_and_folders_of_no_process_are_told(home, tmp_path, monkeypatch):
    (home / "users.db").write_bytes(b"x" * 5000)
    left = tmp_path / f"tanya-{10**30}-a"
    left.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    found = {(each.kind, each.what) for each in doctor.examine(home, NOW).findings}
    assert found == {(DAMAGED, "users.db"), (LEFT_OVER, str(left))}


def test_a_disk_that_refuses_for_a_moment_does_not_end_the_watch(home):
    chat, looked = Chat.open(home), []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            looked.append(timeout)
            return len(looked) == 2

    live = home / "versions" / LIVE
    live.unlink()
    live.mkdir()
    keep_whole(chat, Stop())
    assert len(looked) == 2
