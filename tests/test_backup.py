"""`tanya backup` and `tanya restore`: beside writing, over damaged homes, interrupted, damaged."""

import datetime as dt
import json
import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing

import pytest

from index import backup as backups
from index.archive import FILE_NAME, Archive
from index.errors import ArchiveError, BusyError, InputError
from index.home import open_archive
from index.records import Filter
from qa.history import History
from tests import homes
from tests.homes import tell
from tests.news import NOW, Home, add, article
from tests.operating import CHEAP
from web.users import Users

ASKED = "Kapan pelabuhan diresmikan?"


def quiet(what, done, total):
    """Show nothing."""


def make(home, to, progress=quiet):
    return backups.make(home, to, NOW, "uji", progress)


def restore(home, folder, **options):
    now = dt.datetime.now(dt.UTC)
    return backups.restore(home, folder, now, quiet, **options)


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """Return a built home with a conversation, an account and settings; tests take copies of it."""
    home = homes.harbour(tmp_path_factory.mktemp("pelabuhan"))
    History.of(home).begin("sari", "", ASKED, Filter(), NOW)
    Users(home, cost=CHEAP).add("sari", "lampu kuning di tepi", "operator")
    (home / "tanya.toml").write_text("[retrieval]\nhits = 9\n", encoding="utf-8")
    return home


@pytest.fixture
def home(lived, tmp_path):
    return shutil.copytree(lived, tmp_path / "home")


@pytest.fixture(scope="module")
def backup(lived, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cadangan") / "b"
    make(lived, folder)
    return folder


def kept(home):
    """Return what a home keeps: articles, rows of the other databases, version files, settings."""
    with open_archive(home) as archive:
        found = {"articles": archive.fingerprints()}
    for name in ("chats.db", "users.db"):
        with closing(sqlite3.connect(home / name)) as db:
            found[name] = list(db.iterdump())
    live = (home / "versions" / "LIVE").read_text(encoding="utf-8").strip()
    folder = home / "versions" / live
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            found[str(path.relative_to(folder))] = path.read_bytes()
    return {**found, "live": live, "settings": (home / "tanya.toml").read_bytes()}


def test_a_backup_holds_all_and_is_as_private(lived, backup, tmp_path):
    made = json.loads((backup / "backup.json").read_text(encoding="utf-8"))
    assert (made["articles"], made["version"], made["left_out"]) == (4, "000001", [])
    assert set(made["files"]) == {FILE_NAME, "chats.db", "users.db", "tanya.toml"}
    for name in ("chats.db", "users.db"):
        assert stat.S_IMODE((backup / name).stat().st_mode) == 0o600
    assert kept(backup) == kept(lived)
    done = tell(tmp_path / "baru", "restore", backup)
    assert done.returncode == 0, done.stderr
    assert kept(tmp_path / "baru") == kept(lived)
    for name in ("chats.db", "users.db"):
        assert stat.S_IMODE((tmp_path / "baru" / name).stat().st_mode) == 0o600


def test_a_backup_is_of_one_moment_while_articles_come_and_versions_go_live(tmp_path):
    home = Home(tmp_path / "home", "local")
    home.build(*range(40))
    begun, done = threading.Event(), threading.Event()

    def write():
        # Each round adds a pair: a backup has both of it or none.
        for number in range(100, 120, 2):
            home.add(number, number + 1)
            if number % 10 == 0:
                home.reopened().build()
                home.versions.prune(1)
            begun.set()
        done.set()

    writing = threading.Thread(target=write)
    writing.start()
    begun.wait(60)
    seen, last = [], False
    while not last:
        last = done.is_set()
        folder, restored = tmp_path / f"b{len(seen)}", Home(tmp_path / f"r{len(seen)}", "local")
        found = make(home.folder, folder)
        restore(restored.folder, folder)
        with open_archive(restored.folder) as archive:
            numbers = {int(a[1:]) for a in archive.fingerprints()}
        assert found.articles == len(numbers)
        assert all((n in numbers) == (n + 1 in numbers) for n in range(100, 120, 2))
        # The version came first: the archive has all that it has.
        assert found.version and set(restored.articles()) <= numbers
        seen.append(len(numbers))
    writing.join()
    assert seen == sorted(seen) and seen[-1] == 60
    restored.build()
    assert set(restored.articles()) == numbers


# Damaged homes ------------------------------------------------------------------------------------


def missing(home):
    for path in home.glob(f"{FILE_NAME}*"):
        path.unlink()


def truncated(home):
    path = home / FILE_NAME
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_database(home):
    (home / FILE_NAME).write_bytes(b"x" * 50_000)


def flipped(home):
    # The rows of the articles: each byte of the pages behind the first.
    path = home / FILE_NAME
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(byte ^ 0x20 for byte in content[4096:])
    path.write_bytes(content)


def versions_flipped(home):
    for path in (home / "versions" / "000001").rglob("*"):
        if path.is_file():
            path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))


def live_gone(home):
    (home / "versions" / "LIVE").unlink()


def all_gone(home):
    shutil.rmtree(home)


DAMAGE = [missing, truncated, no_database, flipped, versions_flipped, live_gone, all_gone]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_backup_goes_over_a_damaged_home(lived, home, backup, damage):
    damage(home)
    if home.exists():
        before = sorted(home.rglob("*"))
        with pytest.raises(InputError, match="--force"):
            restore(home, backup)
        assert sorted(home.rglob("*")) == before
    done = tell(home, "restore", backup, "--force")
    assert done.returncode == 0, done.stderr
    assert kept(home) == kept(lived)
    told = tell(home, "status", "--json")
    assert json.loads(told.stdout)["waiting_new"] == 0
    assert "Batu Layar" in tell(home, "search", "pelabuhan", "--mode", "lexical").stdout


def test_what_stood_there_is_kept_aside(home, backup):
    with Archive.open(home / FILE_NAME) as archive:
        add(archive, [article(9)])
    done = restore(home, backup, force=True)
    with open_archive(home) as archive:
        assert "a9" not in archive.fingerprints()
    with open_archive(done.replaced) as archive:
        assert "a9" in archive.fingerprints()


def test_a_chat_that_is_open_goes_on_over_what_was_restored(home, backup):
    with Archive.open(home / FILE_NAME) as chat:
        add(chat, [article(9)])
        restore(home, backup, force=True)
        assert sorted(chat.fingerprints()) == ["a1", "a2", "a3", "a4"]


def test_a_damaged_database_that_is_open_elsewhere_is_left(home, backup):
    with Archive.open(home / FILE_NAME), Home(home, "local").versions.lock():
        with pytest.raises(BusyError):
            restore(home, backup, force=True)


# What is no backup --------------------------------------------------------------------------------


class Stop(Exception):
    """What interrupts."""


@pytest.mark.parametrize("stage", ["version", FILE_NAME, "users.db", "write"])
def test_an_interrupted_backup_never_looks_like_one(home, tmp_path, stage):
    to = tmp_path / "b"

    def stop(what, done, total):
        if what == stage:
            raise Stop

    with pytest.raises(Stop):
        make(home, to, stop)
    assert not to.exists()
    assert not list(tmp_path.glob(".b.part"))
    make(home, to)
    with pytest.raises(InputError, match="already"):
        make(home, to)


@pytest.mark.parametrize("name", [FILE_NAME, "chats.db", "tanya.toml", "backup.json"])
def test_a_damaged_backup_is_refused_and_the_home_left(home, backup, tmp_path, name):
    bad = shutil.copytree(backup, tmp_path / "b")
    content = bytearray((bad / name).read_bytes())
    content[len(content) // 2] ^= 4
    content[len(content) // 3] ^= 4
    (bad / name).write_bytes(content)
    before = kept(home)
    with pytest.raises((ArchiveError, InputError)):
        restore(home, bad, force=True)
    assert kept(home) == before
    assert not list(home.glob("replaced-*"))


def test_a_damaged_version_in_a_backup_is_told_and_built_anew(backup, lived, tmp_path):
    bad = shutil.copytree(backup, tmp_path / "b")
    # One bit, and a file that stays as old as it was: only its checksum tells.
    path = next((bad / "versions" / "000001").rglob("vectors*"))
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    done = tell(tmp_path / "baru", "restore", bad)
    assert done.returncode == 1
    assert "left out: " in done.stderr and "Next: tanya build" in done.stdout
    assert tell(tmp_path / "baru", "build").returncode == 0
    with open_archive(tmp_path / "baru") as ours, open_archive(lived) as theirs:
        assert ours.fingerprints() == theirs.fingerprints()


def rot(path):
    """Change a bit as a disk does, which tells of no change."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_rotten_version_is_neither_taken_nor_restored(home, backup, tmp_path):
    bad = shutil.copytree(backup, tmp_path / "b")
    for folder in (home, bad):
        rot(next(path for path in (folder / "versions" / "000001").rglob("*.db")))
    made = make(home, tmp_path / "c")
    assert made.version == ""
    assert "'000001' is damaged (names.db was altered)" in made.left_out[0]
    done = restore(tmp_path / "baru", bad).backup
    assert done.version == "" and "altered" in done.left_out[0]


def test_a_backup_whose_live_file_is_garbage_gives_its_articles(backup, tmp_path):
    bad = shutil.copytree(backup, tmp_path / "b")
    for number, content in enumerate((b"\xff\xfe\x00", b"../../versions/000001")):
        (bad / "versions" / "LIVE").write_bytes(content)
        done = restore(tmp_path / f"r{number}", bad).backup
        assert (done.version, done.articles) == ("", 4) and "LIVE" in done.left_out[0]


def test_a_newer_programs_backup_is_refused_by_name(backup, tmp_path):
    newer = shutil.copytree(backup, tmp_path / "b")
    row = json.loads((newer / "backup.json").read_text(encoding="utf-8"))
    (newer / "backup.json").write_text(json.dumps({**row, "format": 2}), encoding="utf-8")
    with pytest.raises(InputError, match="newer Tanya Arsip .uji.. Update"):
        restore(tmp_path / "baru", newer)
