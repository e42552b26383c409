"""What is told, and that nothing is made or lost, where a home misses a part or a disk refuses."""

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from index.archive import FILE_NAME, Archive
from index.errors import ArchiveError, DiskError, GateError
from index.home import open_archive
from index.records import Filter
from tests import homes
from tests.homes import tell
from tests.news import NOW, Home, add, article
from tests.operating import Served

ROOT = Path(__file__).parents[1]
READING = [
    ["ask", "Kapan pelabuhan diresmikan?"],
    ["search", "pelabuhan"],
    ["status"],
    ["export"],
    ["build"],
    ["build", "--full"],
    ["eval", "run", ROOT / "sample" / "questions", "--out", "run"],
    ["backup", "cadangan"],
]


@pytest.fixture(scope="module")
def harbour(tmp_path_factory):
    """Return a built home; tests take copies of it."""
    return homes.harbour(tmp_path_factory.mktemp("pelabuhan"))


@pytest.fixture
def home(harbour, tmp_path):
    return shutil.copytree(harbour, tmp_path / "home")


def held(folder):
    """Return the files below a folder, with what is in them, but for SQLite's own and the log."""
    return {
        path.relative_to(folder): path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
        if not path.name.endswith((".lock", "-shm", "-wal", "audit.jsonl"))
    }


def articles(home):
    with open_archive(home) as archive:
        return archive.fingerprints()


# The archive is gone ------------------------------------------------------------------------------


@pytest.mark.parametrize("emptied", [False, True], ids=["missing", "empty"])
def test_an_archive_gone_beside_versions_is_told_and_nothing_is_made(home, tmp_path, emptied):
    (tmp_path / "q.jsonl").write_text('{"id": "q1", "question": "Kapan?"}\n', encoding="utf-8")
    for path in home.glob(f"{FILE_NAME}*"):
        path.unlink()
    if emptied:
        (home / FILE_NAME).touch()
    before = held(tmp_path)
    for command in READING:
        done = tell(home, *command)
        assert done.returncode == 1, command
        assert f"{FILE_NAME} " in done.stderr and "tanya restore" in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert held(tmp_path) == before, command
    for command in (["prune"], ["rollback"], ["add", tmp_path / "q.jsonl"]):
        tell(home, *command)
        assert held(tmp_path).items() <= before.items(), command


# A build that would lose articles -----------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return the folder of a built home with 1,200 articles."""
    folder = tmp_path_factory.mktemp("banyak")
    home = Home(folder, "local")
    home.add(*range(1_200), sentences=1)
    home.build()
    return folder


@pytest.mark.parametrize(
    ("lost", "full", "refused"),
    [(121, False, True), (120, False, False), (121, True, True), (99, True, False)],
)
def test_a_build_keeps_from_losing_a_tenth_that_nobody_removed(many, tmp_path, lost, full, refused):
    home = Home(shutil.copytree(many, tmp_path / "home"), "local")
    with Archive.open(home.folder / FILE_NAME) as archive:
        archive._db.execute("DELETE FROM article WHERE seq <= ?", (lost,))
    if not refused:
        assert home.build(full=full) == "000002"
        return
    with pytest.raises(GateError, match=f"lacks {lost} of the 1,200 .*--allow-removals"):
        home.build(full=full)
    assert home.versions.live() == "000001"
    assert home.build(full=full, allow_removals=True) == "000002"


def test_what_somebody_removed_is_not_lost(many, tmp_path):
    home = Home(shutil.copytree(many, tmp_path / "home"), "local")
    home.remove(*range(700))
    assert home.build() == "000002"
    assert len(home.articles()) == 500


def test_all_is_never_dropped_unasked_by_command_page_or_watcher(home):
    with Archive.open(home / FILE_NAME) as archive:
        archive._db.execute("DELETE FROM article")
    refused = tell(home, "build")
    assert refused.returncode == 1 and "lacks 4 of the 4 articles" in refused.stderr
    served = Served(home)
    served.client.post("/page/operator/build", json={})
    served.worker.wait(60)
    assert isinstance(served.worker.state.error, GateError)
    folder = home / "berita"
    folder.mkdir()
    watched = tell(home, "watch", folder, "--once")
    assert "lacks 4 of the 4 articles" in watched.stdout + watched.stderr
    assert Home(home, "local").versions.live() == "000001"
    assert tell(home, "build", "--allow-removals").returncode == 0


# Disks --------------------------------------------------------------------------------------------


@contextmanager
def mounted(folder, *arguments):
    """Mount something on a folder; skips the test where that is not allowed."""
    done = subprocess.run(["mount", *map(str, arguments), folder], capture_output=True)
    if done.returncode:
        pytest.skip(f"mounting is not allowed: {done.stderr!r}")
    try:
        yield folder
    finally:
        # A database may still be open in it, until the garbage collector comes.
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def read_only(home):
    with mounted(home, "--bind", home):
        subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
        yield home


@pytest.mark.skipif(shutil.which("mount") is None, reason="nothing mounts here")
@pytest.mark.parametrize("log", ["none", "alone", "both", "open"])
def test_a_read_only_home_is_read_with_all_that_was_kept(home, tmp_path, log):
    path = home / FILE_NAME
    archive = Archive.open(path)
    kept = {}
    if log != "none":
        add(archive, [article(7)])
        # As a crash leaves them.
        kept = {p: p.read_bytes() for p in home.glob(f"{FILE_NAME}*")}
    if log != "open":
        archive.close()
        for each, content in kept.items():
            each.write_bytes(content)
        if log == "alone":
            path.with_name(f"{FILE_NAME}-shm").unlink()
    before = held(home)
    with read_only(home):
        found = tell(home, "status", "--json")
        assert found.returncode == 0, found.stderr
        assert f'"articles": {4 if log == "none" else 5},' in found.stdout
        searched = tell(home, "search", "pelabuhan", "--mode", "lexical")
        assert "Pelabuhan Batu Layar" in searched.stdout, searched.stderr
        assert tell(home, "export", "--out", tmp_path / "a.jsonl").returncode == 0
        for command in (["build"], ["add", tmp_path / "a.jsonl"], ["prune"], ["rollback"]):
            refused = tell(home, *command)
            assert refused.returncode == 1
            assert "read-only" in refused.stderr and "backup" not in refused.stderr, refused.stderr
        assert held(home) == before
    archive.close()
    assert tell(home, "build").returncode == 0


@pytest.mark.skipif(shutil.which("mount") is None, reason="nothing mounts here")
def test_a_read_only_home_keeps_conversations_in_memory_and_says_why_versions_stay(home, caplog):
    with read_only(home):
        served = Served(home)
        assert "000001" in served.page()
        for path, body in (("live", {"version": "000001"}), ("prune", {"keep": 1})):
            answer = served.client.post(f"/page/operator/{path}", json=body)
            assert answer.status_code == 409
            assert "tidak dapat ditulisi" in answer.json()["detail"]
        begun = served.history.begin("sari", "", "Kapan?", Filter(), NOW)
        assert served.history.spares
        assert [t.question for t in served.history.turns("sari", begun[0])] == ["Kapan?"]
    assert "read-only" in caplog.text and "There is no" not in caplog.text


@pytest.mark.skipif(shutil.which("mount") is None, reason="nothing mounts here")
def test_a_full_disk_is_told_and_all_goes_on_once_there_is_room(tmp_path):
    folder = tmp_path / "penuh"
    folder.mkdir()
    calm = Home(tmp_path / "tenang", "local")
    calm.add(*range(300), sentences=20)
    calm.build()
    with mounted(folder, "-t", "tmpfs", "-o", "size=24m", "tanya-test"):
        home = Home(folder, "local")
        home.add(*range(100), sentences=20)
        home.build()
        ballast = folder / "ballast"
        full = 0
        for spare in (0, 40_000, 400_000, 900_000):
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            os.truncate(ballast, ballast.stat().st_size - spare)
            try:
                home.add(*range(100, 300), sentences=20)
                home.build()
            except (ArchiveError, DiskError) as error:
                assert "is full. Free some room" in str(error) and "None" not in str(error)
                full += 1
            assert home.versions.live() == "000001" and len(home.articles()) == 100
        ballast.unlink()
        assert full == 4
        home.add(*range(100, 300), sentences=20)
        home.build()
        assert articles(folder) == articles(tmp_path / "tenang")
        assert home.articles() == calm.articles() == list(range(300))
