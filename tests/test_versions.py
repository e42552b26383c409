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

from index import build as builds
from index import manifest
from index.archive import FILE_NAME, Archive
from index.errors import BusyError, IndexDamagedError, IndexMissingError, IndexUnreadableError
from index.records import Filter
from index.settings import ChunkingSettings
from index.versions import LIVE, NEW, PREPARED, disk_bytes
from tests.news import NOW, Home, only_local, write_as_before

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
def test_prune_keeps_the_version_that_answers_for_a_damaged_live_one(home):
    for number in range(3):
        home.build(number)
    rot(own_file(home, "000003", "vectors.faiss"))
    assert home.versions.prune(1) == ["000001"]
    assert home.versions.names() == ["000002", "000003"]
    assert not home.versions.verify()
    assert home.articles() == [0, 1]


@only_local
def test_an_open_version_answers_after_it_was_pruned(home):
    home.build(*range(30))
    held = home.versions.current()
    home.build(*range(30, 60))
    home.versions.prune(1)
    assert home.versions.names() == ["000002"]
    assert home.articles(held) == list(range(30))
    assert len(held.passages([f"a{n}#0" for n in range(30)])) == 30


@only_local
def test_what_is_asked_of_a_version_that_was_pruned_meanwhile_is_asked_of_the_live_one(home):
    home.build(1)
    held = home.versions.current()
    other = home.reopened()
    other.build(2)
    other.versions.prune(1)
    # Names are counted in a file of their own, opened when they are first asked for.
    with pytest.raises(IndexDamagedError) as caught:
        held.names("", 3)
    assert home.versions.suspect(held, caught.value)
    assert home.versions.trouble == ""
    assert home.articles() == [1, 2]


@only_local
def test_a_folder_in_the_place_of_live_is_replaced(home):
    home.build(1)
    home.build(2)
    live = home.folder / "versions" / "LIVE"
    live.unlink()
    live.mkdir()
    with pytest.raises(IndexDamagedError, match="names no version"):
        home.versions.live()
    assert home.versions.rollback() == "000002"
    assert home.articles() == [1, 2]


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


def damaged(call):
    with pytest.raises(IndexDamagedError, match="tanya doctor --repair") as caught:
        call()
    assert "\n" not in str(caught.value)


def version_files_of(home, version, name):
    return [*home.versions.path(version).rglob(name)]


def own_file(home, version, name):
    """Return the file of a version that no other one shares."""
    (found,) = (p for p in version_files_of(home, version, name) if p.stat().st_nlink == 1)
    return found


def rot(path):
    """Flip a bit as a disk does, which tells nobody of it."""
    stat = path.stat()
    flip(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def flip(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 4]))


@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b'{"format": 1}', b""])
def test_a_manifest_of_something_else_is_told(home, content):
    home.build(1)
    (home.versions.path("000001") / "manifest.json").write_bytes(content)
    damaged(home.versions.current)
    damaged(lambda: home.versions.describe("000001"))
    damaged(lambda: home.versions.indexed("000001"))


@only_local
def test_a_newer_version_is_refused_by_name(home):
    home.build(1)
    home.build(2)
    manifest = home.versions.path("000002") / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"format": 1', b'"format": 2'))
    damaged(lambda: home.versions.describe("000002"))
    manifest.write_bytes(b'{"format": 2}')
    for call in (home.versions.current, home.build, lambda: home.versions.switch("000002")):
        with pytest.raises(IndexUnreadableError, match="newer Tanya Arsip .*upgrade") as caught:
            call()
        assert "--full" not in str(caught.value)
    assert home.versions.rollback() == "000001"


@only_local
def test_a_version_of_the_first_release_opens_and_gets_checksums(home):
    home.build(1)
    write_as_before(home.versions.path("000001"))
    assert home.articles() == [1]
    assert home.build(2) == "000002"
    assert manifest.has_checksums(home.versions.path("000002"))
    assert home.articles() == [1, 2]


@pytest.mark.parametrize(
    "content", [b"", b"rusak\n", b"\xff\xfe\x00", b"../x", "²".encode(), b"000009"]
)
def test_a_garbage_live_file_is_told_and_mended(home, content):
    home.build(1)
    home.build(2)
    live = home.versions.path(LIVE)
    live.write_bytes(content)
    reopened = home.reopened()
    assert home.articles(reopened.versions.current()) == [1, 2]
    assert "Meanwhile version 000002 answers" in reopened.versions.trouble
    assert home.reopened().versions.rollback() == "000002"
    assert home.articles() == [1, 2]
    live.write_bytes(content)
    assert home.build() == "000003"
    assert home.articles() == [1, 2]


@only_local
def test_the_newest_whole_version_answers_for_a_damaged_one(home):
    for number in range(3):
        home.build(number)
    flip(own_file(home, "000003", "vectors.faiss"))
    (home.versions.path("000002") / "names.db").unlink()
    reopened = home.reopened()
    assert home.articles(reopened.versions.current()) == [0]
    assert "'000003'" in reopened.versions.trouble
    assert "vectors.faiss was altered" in reopened.versions.trouble
    assert reopened.versions.current() is reopened.versions.current()
    assert home.versions.rollback() == "000001"
    reopened.versions.current()
    assert reopened.versions.trouble == ""


@only_local
def test_what_is_damaged_while_it_answers_is_found(home):
    home.build(0)
    home.build(1)
    assert home.articles() == [0, 1]
    assert home.versions.verify()
    rot(own_file(home, "000002", "vectors.faiss"))
    assert home.versions.verify(every=False)
    assert not home.versions.verify()
    assert home.articles() == [0]
    assert "Meanwhile version 000001 answers" in home.versions.trouble
    flip(own_file(home, "000001", "acronyms.json"))
    assert not home.versions.verify(every=False)
    damaged(home.versions.current)
    # Another of the same name is another version.
    shutil.rmtree(home.versions.path("000002"))
    assert home.build(2) == "000002"
    assert home.articles() == [0, 1, 2]
    assert home.versions.trouble == ""


@only_local
@pytest.mark.parametrize("name", ["columns.npz", "names.db", "manifest.json"])
def test_a_build_takes_nothing_from_a_damaged_version(home, name):
    home.build(1, 2)
    home.build(3)
    for path in version_files_of(home, "000002", name):
        flip(path)
    before = {path.stat().st_ino for path in version_files_of(home, "000002", "columns.npz")}
    shared = name == "columns.npz"
    with Archive.open(home.folder / FILE_NAME) as archive:
        recipe = builds.recipe(home.versions.engine, home.embedder, ChunkingSettings())
        report = builds.build(archive, home.versions, recipe, home.embedder, now=NOW)
    assert "'000002'" in report.damage
    assert (report.base, report.plan.full) == ((None, True) if shared else ("000001", False))
    after = {path.stat().st_ino for path in version_files_of(home, "000003", "columns.npz")}
    assert len(before & after) == (0 if shared else 1)
    assert home.reopened().articles() == [1, 2, 3]


@only_local
def test_a_linked_file_keeps_its_checksum_and_a_rotten_one_is_not_written_anew(home):
    home.build(1, 2)
    rot(own_file(home, "000001", "vectors.faiss"))
    assert home.build(3) == "000002"
    assert manifest.faults(home.versions.path("000002")) == ["parts/0001/vectors.faiss was altered"]
    for number in range(4, 12):
        home.build(number)
    # By then the parts were merged, and the rotten one would have been taken for whole.
    folder = home.versions.path(home.versions.live())
    assert manifest.faults(folder) == []
    assert len(version_files_of(home, folder.name, "vectors.faiss")) < 9
    assert home.articles() == [1, 2, *range(3, 12)]


def test_a_rollback_passes_over_damaged_versions(home):
    for number in range(3):
        home.build(number)
    version_files_of(home, "000002", "manifest.json")[0].unlink()
    assert home.versions.rollback() == "000001"
    assert home.articles() == [0]


def test_a_build_replaces_a_damaged_version(home):
    home.build(1, 2)
    version_files_of(home, "000001", "manifest.json")[0].unlink()
    damaged(home.versions.current)
    assert home.build() == "000002"
    assert home.articles() == [1, 2]


@only_local
def test_versions_are_ordered_by_their_numbers(home):
    home.build(1)
    for path in (home.versions.path("000001"), home.versions.path("000001") / "manifest.json"):
        assert path.exists()
    home.versions.path("000001").rename(home.versions.path("999999"))
    home.versions.path(LIVE).write_text("999999\n")
    assert home.build(2) == "1000000"
    assert home.build(3) == "1000001"
    assert home.versions.names() == ["999999", "1000000", "1000001"]
    assert home.articles() == [1, 2, 3]
    assert home.versions.rollback() == "1000000"
    assert home.versions.rollback() == "999999"
    assert home.versions.prune(1) == ["1000000"]


@only_local
def test_a_build_with_nothing_to_do_leaves_nothing(home):
    home.build(1)
    home.versions.path(NEW).mkdir()
    (home.versions.path(PREPARED) / "lama").mkdir(parents=True)
    assert home.build() is None
    assert {path.name for path in home.versions.path(LIVE).parent.iterdir()} == {
        *(LIVE, ".lock", "000001")
    }


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
