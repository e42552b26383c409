"""Whatever happens to a build, one whole version is live; and published files never change."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.errors import BusyError, IndexDamagedError, IndexMissingError
from index.records import Filter
from index.versions import LIVE, NEW, disk_bytes
from tests.news import NOW, Home, only_local

ROOT = Path(__file__).parent.parent
ANY = Filter()


@pytest.fixture
def home(tmp_path, location):
    return Home(tmp_path, location)


def hashes(folder):
    """Return the hash of every file, but for lock files that searching leaves."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


# Crashes

# The child adds one article and builds, and is killed at a step of it.
CHILD = """
import os, signal, sys
from pathlib import Path
from index import build as builds, manifest, store
from index.engines import local, milvus_server, vectors
from index.snapshot import IndexWriter
from tests.news import Home

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def before(owner, name, of=""):
    work = getattr(owner, name)
    def wrapped(*args, **kwargs):
        if not of or of in map(Path, args):
            die()
        return work(*args, **kwargs)
    setattr(owner, name, wrapped)

def after(owner, name, skip=0, of=""):
    work, calls = getattr(owner, name), []
    def wrapped(*args, **kwargs):
        result = work(*args, **kwargs)
        if not of or of in map(Path, args):
            calls.append(1)
        if len(calls) > skip:
            die()
        return result
    setattr(owner, name, wrapped)

home = Home(Path(sys.argv[1]), sys.argv[2])
builds.BATCH = 2
new, live = home.versions.path(".new"), home.versions.path("LIVE")
{
    "first put": lambda: after(IndexWriter, "put"),
    "second put": lambda: after(IndexWriter, "put", skip=1),
    "before finish": lambda: before(IndexWriter, "finish"),
    "after vectors": lambda: after(vectors.NewVectors, "finish"),
    "before merge": lambda: before(store.StoreWriter, "merge"),
    "after merge": lambda: after(store.StoreWriter, "merge"),
    "before acronyms": lambda: before(store.StoreWriter, "_write_acronyms"),
    "before lexical": lambda: before(local.LocalWriter, "finish"),
    "before manifest": lambda: before(manifest, "write"),
    "before flush": lambda: before(milvus_server.Server, "flush"),
    "after manifest": lambda: after(IndexWriter, "finish"),
    "before rename": lambda: before(os, "rename", of=new),
    "after rename": lambda: after(os, "rename", of=new),
    "before switch": lambda: before(os, "replace", of=live),
    "after switch": lambda: after(os, "replace", of=live),
}[sys.argv[3]]()
home.build(*map(int, sys.argv[4:]))
os._exit(3)
"""
STEPS = (
    *("first put", "second put", "before finish", "before merge", "after merge"),
    *("before acronyms", "before lexical", "after vectors", "before manifest", "after manifest"),
    *("before rename", "after rename", "before switch", "after switch"),
)
IN_MILVUS = ("before flush", "after rename", "after switch")
EVERYWHERE = pytest.mark.parametrize(
    ("location", "step"),
    [*(("local", step) for step in STEPS), *(("milvus", step) for step in IN_MILVUS)],
    indirect=["location"],
)


def crash(home, step, *numbers):
    arguments = [str(home.folder), home.location, step, *map(str, numbers)]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@EVERYWHERE
def test_a_killed_build_leaves_a_whole_version_live(home, step):
    home.build(1, 2, 3)
    crash(home, step, 4, 5, 6, 7)
    switched = step == "after switch"
    reopened = home.reopened()
    assert reopened.versions.live() == ("000002" if switched else "000001")
    assert reopened.articles() == ([1, 2, 3, 4, 5, 6, 7] if switched else [1, 2, 3])
    assert reopened.build(8) is not None
    assert reopened.articles() == [1, 2, 3, 4, 5, 6, 7, 8]
    left = {path.name for path in reopened.versions.path(LIVE).parent.iterdir()}
    assert left == {LIVE, ".lock", *reopened.versions.names()}
    for name in reopened.versions.names():
        assert reopened.versions.describe(name).name == name


@only_local
@pytest.mark.parametrize("step", ["second put", "before finish", "before switch"])
def test_a_killed_first_build_leaves_nothing_live(home, step):
    home.add(1)
    crash(home, step, 2, 3, 4)
    assert home.versions.live() is None
    with pytest.raises(IndexMissingError, match="tanya build"):
        home.versions.current()
    assert home.build() is not None
    assert home.articles() == [1, 2, 3, 4]


# Which version is live


def test_versions_are_numbered_and_described(home):
    assert home.versions.names() == []
    assert home.versions.live() is None
    with pytest.raises(IndexMissingError, match="tanya add"):
        home.versions.current()
    assert [home.build(n) for n in range(3)] == ["000001", "000002", "000003"]
    assert home.versions.names() == ["000001", "000002", "000003"]
    assert home.versions.live() == "000003"
    version = home.versions.describe("000002")
    assert (version.name, version.built, version.articles) == ("000002", NOW, 2)
    assert home.versions.indexed("000001").keys() == {"a0"}


def test_rollback_goes_back_one_by_one(home):
    for number in range(3):
        home.build(number)
    assert home.versions.rollback() == "000002"
    assert home.articles() == [0, 1]
    assert home.versions.rollback() == "000001"
    assert home.articles() == [0]
    with pytest.raises(IndexMissingError, match="nothing was changed"):
        home.versions.rollback()
    assert home.versions.live() == "000001"
    assert home.build() == "000004"
    assert home.articles() == [0, 1, 2]
    with pytest.raises(IndexMissingError):
        Home(home.folder / "baru", home.location).versions.rollback()


def test_prune_keeps_the_newest_and_the_live_one(home):
    for number in range(5):
        home.build(number)
    assert home.versions.prune(9) == []
    assert home.versions.prune(3) == ["000001", "000002"]
    home.versions.rollback()
    home.versions.rollback()
    assert home.versions.prune(1) == ["000004"]
    assert home.versions.names() == ["000003", "000005"]
    assert home.articles() == [0, 1, 2]
    assert home.build(9) == "000006"
    assert home.articles() == [0, 1, 2, 3, 4, 9]


@only_local
def test_an_open_version_answers_after_it_was_pruned(home):
    home.build(*range(30))
    held = home.versions.current()
    home.build(*range(30, 60))
    home.versions.prune(1)
    assert home.versions.names() == ["000002"]
    assert home.articles(held) == list(range(30))
    assert len(held.passages([f"a{n}#0" for n in range(30)])) == 30


def test_live_reload(home):
    home.build(1)
    first = home.versions.current()
    assert home.versions.current() is first
    other = home.reopened()
    other.build(2)
    second = home.versions.current()
    assert second is not first
    assert home.versions.current() is second
    assert (home.articles(first), home.articles(second)) == ([1], [1, 2])
    other.versions.rollback()
    assert home.articles() == [1]


@only_local
def test_live_reload_after_another_process_published(home):
    home.build(1, 2, 3)
    first = home.versions.current()
    crash(home, "after switch", 4)
    assert home.versions.current() is not first
    assert (home.articles(first), home.articles()) == ([1, 2, 3], [1, 2, 3, 4])


def test_readers_see_whole_versions_while_others_are_published(home):
    home.build(0)
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            index = home.versions.current()
            seen.append((index.version.name, tuple(home.articles(index))))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for number in range(1, 6):
            home.build(number)
        stop.set()
        for reader in readers:
            reader.result()
    assert set(seen) <= {(f"{n + 1:06d}", tuple(range(n + 1))) for n in range(6)}


# One writer


def test_two_writers(home):
    home.build(1)
    other = home.reopened()
    with home.versions.lock():
        with pytest.raises(BusyError, match=str(os.getpid())):
            other.build(2)
        with pytest.raises(BusyError):
            other.versions.rollback()
        assert other.articles() == [1], "readers never wait"
    assert other.build() == "000002"


@only_local
def test_a_killed_writer_holds_no_lock(home):
    home.build(1)
    crash(home, "before finish", 2)
    with home.versions.lock():
        pass


# Damage


def damaged(home, call):
    with pytest.raises(IndexDamagedError, match="tanya rollback|tanya build --full") as caught:
        call(home)
    assert "\n" not in str(caught.value)


def open_and_search(home):
    home.articles(home.reopened().versions.current())
    home.versions.current().passages(["a1#0"])


def version_files(home):
    folder = home.versions.path("000002")
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


@only_local
def test_a_truncated_or_missing_file_is_told(home):
    home.build(1, 2)
    home.build(3)
    kept = home.folder / "cadangan"
    shutil.copytree(home.versions.path("000002"), kept)
    files = version_files(home)
    assert len(files) > 8
    for path in files:
        content = path.read_bytes()
        path.unlink()
        damaged(home, open_and_search)
        path.write_bytes(content[: len(content) // 2])
        damaged(home, open_and_search)
        damaged(home, Home.build)
        path.write_bytes(content)
    open_and_search(home)
    assert hashes(home.versions.path("000002")) == hashes(kept)


@only_local
@pytest.mark.parametrize(
    "name",
    ["manifest.json", "removed.npz", "columns.npz", "passages.db", "vectors.faiss", "meta.json"]
    + ["acronyms.json"],
)
def test_an_overwritten_file_is_told(home, name):
    home.build(1, 2)
    for path in version_files_of(home, "000001", name):
        path.write_bytes(b"\xa7" * path.stat().st_size)
    damaged(home, open_and_search)


def version_files_of(home, version, name):
    return [*home.versions.path(version).rglob(name)]


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"null", b'{"format": 1}', b'{"format": 99}', b""]
)
def test_a_manifest_of_something_else_is_told(home, content):
    home.build(1)
    (home.versions.path("000001") / "manifest.json").write_bytes(content)
    damaged(home, open_and_search)
    with pytest.raises(IndexDamagedError):
        home.versions.describe("000001")
    with pytest.raises(IndexDamagedError):
        home.versions.indexed("000001")


@pytest.mark.parametrize(
    "content", [b"", b"rusak\n", b"\xff\xfe\x00", b"../x", "²".encode(), b"000009"]
)
def test_a_garbage_live_file_is_told_and_mended(home, content):
    home.build(1)
    home.build(2)
    live = home.versions.path(LIVE)
    live.write_bytes(content)
    damaged(home, open_and_search)
    damaged(home, Home.build)
    assert home.reopened().versions.rollback() == "000002"
    assert home.articles() == [1, 2]
    live.write_bytes(content)
    assert home.build(full=True) == "000003"
    assert home.articles() == [1, 2]


def test_a_rollback_passes_over_damaged_versions(home):
    for number in range(3):
        home.build(number)
    version_files_of(home, "000002", "manifest.json")[0].unlink()
    assert home.versions.rollback() == "000001"
    assert home.articles() == [0]


def test_a_full_build_replaces_a_damaged_version(home):
    home.build(1, 2)
    version_files_of(home, "000001", "manifest.json")[0].unlink()
    damaged(home, Home.build)
    assert home.build(full=True) == "000002"
    assert home.articles() == [1, 2]


def test_other_things_in_the_folder_are_passed_over(home):
    home.build(1)
    folder = home.versions.path(LIVE).parent
    (folder / "catatan.txt").write_text("bukan versi")
    (folder / "123").write_text("bukan folder")
    (folder / "²").mkdir()
    (folder / "lama").mkdir()
    assert home.versions.names() == ["000001"]
    assert home.build(2) == "000002"
    assert home.versions.prune(1) == ["000001"]
    assert (folder / "lama").is_dir()


# What was published stays as it is


@only_local
def test_no_published_file_is_ever_written_again(home):
    home.build(*range(20))
    published = {}
    for number in range(2, 13):
        name = f"{number - 1:06d}"
        published[name] = hashes(home.versions.path(name))
        home.remove(number)
        home.add(number + 20, number + 40)
        home.add(15, body=f"Isi yang ke-{number} tentang panen sebanyak 3 kali.")
        assert home.build() == f"{number:06d}"
        home.articles()
    for name, content in published.items():
        assert hashes(home.versions.path(name)) == content
    assert len(version_files_of(home, "000012", "vectors.faiss")) <= 8, "parts were merged"
    assert not home.versions.path(NEW).exists()
    for _ in range(11):
        home.versions.rollback()
    assert home.articles() == list(range(20))
    folders = [home.versions.path(name) for name in home.versions.names()]
    assert disk_bytes(folders) < sum(disk_bytes([folder]) for folder in folders)
