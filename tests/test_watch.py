"""What comes into folders and feeds is live soon, once, whatever happens meanwhile."""

import datetime as dt
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from index import build as builds
from index import watch
from index.archive import FILE_NAME, Archive
from index.engines.local import LocalEngine
from index.errors import BusyError
from index.fetch import Fetcher
from index.follow import Feeds
from index.home import OpenHome
from index.reading.publishers import article_id
from index.seen import Seen
from index.settings import ChunkingSettings, WatchSettings
from index.versions import Versions
from tests import homes
from tests.homes import tanya
from tests.news import article, sentence
from tests.web import Web, answers, drips, item, leads_to, news, rss
from web import audit

ROOT = Path(__file__).parents[1]
SETTINGS = WatchSettings(pause=0.0, seconds=5.0, max_bytes=500_000, max_items=10)


class Clock:
    """Time that passes only where a test says so; it is the time of day too."""

    def __init__(self):
        self.time = time.time()

    def __call__(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def web():
    with Web() as web:
        yield web


class House:
    """A home with its watcher, which another one can take the place of, as after a restart."""

    def __init__(self, folder, embedder, clock):
        self.home, self.embedder, self.clock = folder / "rumah", embedder, clock
        self.home.mkdir()
        self.inbox = folder / "masuk"
        self.inbox.mkdir()
        self.lines = []
        self.urls = ()
        self.settings = SETTINGS
        self.keep = 10
        self.open()

    def open(self, *folders):
        self.archive = Archive.open(self.home / FILE_NAME, create=True, wait=0.2)
        self.versions = Versions(self.home / "versions", LocalEngine())
        seen = Seen(self.home / "watch.db")
        fetcher = Fetcher(self.settings, sleep=self.clock.sleep, now=self.clock)
        self.feeds = Feeds(self.urls, seen, fetcher, self.settings, now=self.clock)
        self.folders = watch.Folders(
            folders or [self.inbox], seen, clock=self.clock, now=self.clock
        )
        recipe = builds.recipe("local", self.embedder, ChunkingSettings())
        self.watcher = watch.Watcher(
            OpenHome(self.archive, self.versions, recipe, self.embedder),
            self.folders,
            self.feeds,
            self.lines.append,
            keep=self.keep,
            clock=self.clock,
        )

    def write(self, name, *articles, end="\n"):
        """Write a file of rows; what reads the time of day takes it for old."""
        file = self.inbox / name
        rows = [
            json.dumps({"id": a.id, "title": a.title, "text": a.body, "source": a.publisher})
            for a in articles
        ]
        file.write_text("\n".join(rows) + end, encoding="utf-8")
        return file

    def look(self):
        """Make a pass a minute later; return the lines that it told."""
        self.clock.time += 60
        self.lines.clear()
        self.watcher.take(self.folders.look())
        return [line.partition(" ")[2].partition(" ")[2] for line in self.lines]

    def follow(self):
        """Make a pass with feeds; return what feeds brought, told as lines."""
        self.lines.clear()
        self.watcher.run_once(self.clock.sleep)
        return [line.partition(" ")[2].partition(" ")[2] for line in self.lines]

    def ids(self):
        return sorted(self.archive.fingerprints())

    def live(self):
        """Return the ids that the live version holds."""
        name = self.versions.live()
        return sorted(self.versions.indexed(name)) if name else []


@pytest.fixture
def house(tmp_path, embedder, clock):
    return House(tmp_path, embedder, clock)


# Folders -----------------------------------------------------------------------------------------


def test_what_is_new_or_changed_is_live_after_a_look(house):
    house.write("satu.jsonl", article(1), article(2))
    [line] = house.look()
    assert line.startswith("new 2 · changed 0 · problems 0 · version 000001 · ")
    assert house.live() == ["a1", "a2"]
    assert house.look() == []
    house.write("satu.jsonl", article(1, "Panen tahun ini lebih baik."), article(2), article(3))
    [line] = house.look()
    assert line.startswith("new 1 · changed 1 · problems 0 · version 000002 · ")
    assert house.live() == ["a1", "a2", "a3"]


def test_a_restart_reads_nothing_again(house, monkeypatch):
    house.write("satu.jsonl", article(1))
    house.look()
    house.open()
    assert house.folders.look() == watch.Look()
    assert house.look() == []
    # A file that was touched is read again, and nothing comes of it.
    os.utime(house.inbox / "satu.jsonl", (1, 1))
    assert len(house.folders.look().ready) == 1
    assert house.look() == []
    assert house.folders.look() == watch.Look()


@pytest.mark.parametrize(
    ("name", "half", "rest"),
    [
        ("a.jsonl", '{"id": "a1", "title": "Panen", "text": "Panen. ', 'Raya."}'),
        ("a.jsonl", '{"id": "a1", "title": "Panen", "text": "Panen raya."}\n{"id"', ': "a2"}'),
        ("a.csv", "id,title,text\na1,Panen,Panen ra", "ya.\n"),
        (
            "a.txt",
            "Panen Raya di Waru\n\nPanen di Teluk Waru berlangsung tenang kemarin se",
            "kali.",
        ),
    ],
)
def test_a_file_that_is_being_written_is_waited_for(house, name, half, rest):
    file = house.inbox / name
    now = house.clock.time

    def wrote(text, at):
        file.write_text(text, encoding="utf-8")
        os.utime(file, (now + at, now + at))

    def look(at):
        house.clock.time = now + at
        return house.folders.look()

    wrote(half, 0)
    assert [(len(found.ready), found.waiting) for found in (look(0), look(2))] == [(0, 1)] * 2
    wrote(half + " ", 3)
    assert (look(3).waiting, look(7).waiting) == (1, 1)
    wrote(half + rest, 8)
    assert look(8.5).waiting == 1
    assert len(look(9.6).ready) == 1


def test_a_file_without_an_end_is_read_when_nothing_more_comes(house):
    (house.inbox / "a.txt").write_text("Panen Raya\n\nPanen di Teluk Waru berlangsung tenang")
    assert house.folders.look().waiting == 1
    house.clock.time += 6
    assert len(house.folders.look().ready) == 1


def test_a_clock_of_another_machine_that_is_wrong_keeps_nothing_out(house):
    file = house.write("a.jsonl", article(1))
    ahead = house.clock.time + 5000
    os.utime(file, (ahead, ahead))
    assert house.folders.look().waiting == 1
    house.clock.time += 2
    assert len(house.folders.look().ready) == 1


def test_a_bad_file_is_told_once_and_tried_again_when_it_changes(house):
    bad = house.inbox / "a.csv"
    bad.write_text("nama,umur\nAni,7\n")
    house.write("b.jsonl", article(1))
    problem, done = house.look()
    assert "No column is named text" in problem and done.startswith(
        "new 1 · changed 0 · problems 1"
    )
    assert house.look() == []
    house.open()
    assert house.look() == []
    bad.write_text("id,title,text\na2,Panen,Panen raya di Teluk Waru.\n")
    assert house.look()[0].startswith("new 1")
    assert house.live() == ["a1", "a2"]


def test_a_folder_that_goes_away_is_told_once_and_comes_back(house):
    house.write("a.jsonl", article(1))
    house.look()
    away = house.inbox.with_name("jauh")
    house.inbox.rename(away)
    [line] = house.look()
    assert "There is no file or folder" in line and "until it is there" in line
    assert house.look() == []
    away.rename(house.inbox)
    house.write("b.jsonl", article(2))
    back, done = house.look()
    assert "It is back" in back and done.startswith("new 1 · changed 0")


def test_a_share_that_is_not_mounted_forgets_nothing_but_a_deleted_file_is_forgotten(house):
    file = house.write("a.jsonl", article(1))
    other = house.write("b.jsonl", article(2))
    house.look()
    kept = (
        file.rename(house.inbox.with_name("a.jsonl")),
        other.rename(house.inbox.with_name("b.jsonl")),
    )
    assert house.look() == []
    assert len(house.folders._read) == 2
    kept[1].rename(other)
    house.look()
    assert list(house.folders._read) == [str(other)]
    assert house.ids() == ["a1", "a2"]


def test_columns_are_mapped_as_by_add(tmp_path):
    (tmp_path / "masuk").mkdir()
    row = {"kepala": "Panen Padi di Waru", "uraian": f"{article(1).body}.", "siar": "2019-05-03"}
    (tmp_path / "masuk" / "lama.json").write_text(json.dumps([row]), encoding="utf-8")
    maps = [
        part for pair in ("title=kepala", "text=uraian", "date=siar") for part in ("--map", pair)
    ]
    assert tanya(tmp_path / "rumah", "watch", tmp_path / "masuk", "--once", *maps) == 0
    with Archive.open(tmp_path / "rumah" / FILE_NAME) as archive:
        [(found, _)] = archive.articles(list(archive.fingerprints()))
    assert (found.title, found.published) == ("Panen Padi di Waru", dt.date(2019, 5, 3))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_that_may_not_be_read_is_told_once_and_read_when_it_may(house):
    file = house.write("a.jsonl", article(1))
    file.chmod(0)
    assert "Permission denied" in house.look()[0]
    assert house.look() == []
    file.chmod(0o600)
    assert house.look()[0].startswith("new 1")


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_files_name_may_be_any_bytes(house):
    file = house.write("a.jsonl", article(1))
    file.rename(house.inbox / os.fsdecode(b"caf\xe9.jsonl"))
    assert house.look()[0].startswith("new 1")
    house.open()
    assert house.folders.look() == watch.Look()


def test_a_removed_article_leaves_the_index_and_stays_out(house):
    house.write("a.jsonl", article(1), article(2))
    house.look()
    with Archive.open(house.home / FILE_NAME) as archive:
        archive.remove(["a1"], dt.datetime.now(dt.UTC))
    house.look()
    assert "version 000002" in house.look()[0] or house.live() == ["a2"]
    os.utime(house.inbox / "a.jsonl", (1, 1))
    house.look()
    assert house.ids() == house.live() == ["a2"]


def test_what_was_added_but_not_built_is_built_at_the_next_start(house):
    homes.add(house.home, [article(1)])
    house.open()
    assert "version 000001" in house.look()[0]
    assert house.live() == ["a1"]


@contextmanager
def elsewhere(script):
    """Have a script hold something in another process while the block runs."""
    other = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        other.stdout.readline()
        yield
    finally:
        other.communicate(b"\n", timeout=60)


@pytest.mark.parametrize("held", ["build", "archive"])
def test_another_writer_is_told_once_and_waited_for(house, held):
    house.write("a.jsonl", article(1))
    (house.inbox / "b.csv").write_text("nama,umur\nAni,7\n")
    if held == "build":
        # In another process, for a lock holds against others only.
        command = f"""
from pathlib import Path
from index.engines.local import LocalEngine
from index.versions import Versions
with Versions(Path({str(house.home / "versions")!r}), LocalEngine()).lock(create=True):
    print("held", flush=True)
    input()
"""
    else:
        command = f"""
from index.sqlite import connect
connect({str(house.home / FILE_NAME)!r}).execute("BEGIN IMMEDIATE")
print("held", flush=True)
input()
"""
    with elsewhere(command):
        told = [line for _ in range(3) for line in house.look()]
        [busy] = [line for line in told if "Another process" in line]
        assert busy.endswith("It is tried again.")
        assert house.live() == []
    told += house.look()
    assert sum("No column" in line for line in told) == 1
    assert house.live() == house.ids() == ["a1"]


def test_old_versions_are_deleted(tmp_path, embedder, clock):
    house = House(tmp_path, embedder, clock)
    house.keep = 2
    house.open()
    for number in range(4):
        house.write(f"{number}.jsonl", article(number))
        house.look()
    assert house.versions.names() == ["000003", "000004"]


def test_one_watcher_a_home(tmp_path):
    script = f"""
from pathlib import Path
from index import watch
with watch.lock(Path({str(tmp_path)!r})):
    print("held", flush=True)
    input()
"""
    with elsewhere(script):
        with pytest.raises(BusyError, match="is watching for this home"), watch.lock(tmp_path):
            pass
    with watch.lock(tmp_path):
        pass


# Feeds -------------------------------------------------------------------------------------------


def body(number):
    rng = random.Random(number)
    return "\n".join(" ".join(sentence(rng) for _ in range(4)) for _ in range(3))


def publish(web, *numbers, date="", item_date="Mon, 04 May 2026 09:00:00 +0700", **headers):
    """Let the feed list these articles, each with its page."""
    for number in numbers:
        web.pages[f"/berita/{number}"] = answers(
            news(f"Panen Nomor {number} di Teluk Waru", body(number), date),
            Content_Type="text/html; charset=utf-8",
        )
    listed = [item(web.url(f"/berita/{n}"), f"Judul {n}", item_date) for n in numbers]
    web.pages["/feed"] = answers(rss(listed), **headers)


@pytest.fixture
def reader(tmp_path, embedder, clock, web):
    house = House(tmp_path, embedder, clock)
    house.urls = (web.url("/feed"),)
    house.open()
    return house


def stored(house):
    found = house.archive.articles(list(house.archive.fingerprints()))
    return [article for article, _ in found]


def test_the_page_behind_each_new_item_is_read_once(reader, web):
    publish(web, 1, 2)
    [line] = reader.follow()
    assert line.startswith("new 2 · changed 0 · problems 0 · version 000001")
    found = {article.url: article for article in stored(reader)}
    one = found[web.url("/berita/1")]
    assert one.title == "Panen Nomor 1 di Teluk Waru"
    assert one.body == body(1)
    assert one.published == dt.date(2026, 5, 4)
    assert one.id == article_id(None, one.publisher, one.url, one.title, one.body)
    publish(web, 1, 2, 3)
    assert reader.follow()[0].startswith("new 1")
    reader.open()
    assert reader.follow() == []
    assert [web.asked(f"/berita/{n}") for n in (1, 2, 3)] == [1, 1, 1]
    assert len(reader.live()) == 3


def test_the_date_of_the_page_goes_before_that_of_the_feed(reader, web):
    publish(web, 1, date="2026-05-01T10:00:00+07:00")
    reader.follow()
    assert stored(reader)[0].published == dt.date(2026, 5, 1)


def test_a_feed_that_did_not_change_is_asked_so_also_after_a_restart(reader, web):
    publish(web, 1, ETag='"satu"', Last_Modified="Mon, 04 May 2026 02:00:00 GMT")
    reader.follow()
    reader.open()
    web.pages["/feed"] = answers(status=304)
    assert reader.follow() == []
    asked = [visit for visit in web.visits if visit.path == "/feed"][-1].headers
    assert asked["if-none-match"] == '"satu"'
    assert asked["if-modified-since"] == "Mon, 04 May 2026 02:00:00 GMT"


def test_what_a_pass_may_not_read_is_read_by_the_next_though_the_feed_says_304(reader, web):
    publish(web, *range(25))
    reader.follow()
    assert len(reader.ids()) == SETTINGS.max_items == 10
    web.pages["/feed"] = answers(status=304)
    reader.open()
    assert reader.follow()[0].startswith("new 10")
    assert reader.follow()[0].startswith("new 5")
    assert reader.follow() == []
    assert all(web.asked(f"/berita/{n}") == 1 for n in range(25))


def test_a_feed_that_moved_for_good_is_told_and_asked_there(reader, web):
    publish(web, 1)
    web.pages["/baru"] = web.pages["/feed"]
    web.pages["/feed"] = leads_to("/baru", 301)
    told, done = reader.follow()
    assert web.url("/baru") in told and done.startswith("new 1")
    reader.open()
    assert reader.follow() == []
    assert (web.asked("/feed"), web.asked("/baru")) == (1, 2)


@pytest.mark.parametrize("status", [429, 503])
def test_a_feed_that_asks_us_to_wait_is_left_alone(reader, web, status):
    publish(web, 1)
    good = web.pages["/feed"]
    web.pages["/feed"] = answers("tunggu", status, Retry_After="3600")
    assert f"status {status}" in reader.follow()[0]
    web.pages["/feed"] = good
    reader.clock.time += 3500
    reader.open()
    assert reader.follow() == [] and web.asked("/feed") == 1
    reader.clock.time += 200
    assert reader.follow()[0].startswith("new 1")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (answers("<rss><channel>"), "cut short"),
        (answers("<html><body>bukan</body></html>"), "Known are RSS, Atom"),
        (answers(""), "It is no XML"),
        (answers("rusak", 500), "status 500"),
        (answers("hilang", 404), "status 404"),
        (answers("habis", 410), "leave it out"),
        (answers(b"x" * 500_001), "more than 500,000 bytes"),
        (drips(b"HTTP/1.1 200 OK\r\n\r\n", 0.02), "longer than"),
        (leads_to("ftp://contoh.example/"), "no address"),
        (
            answers('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><rss>&b;<item/></rss>'),
            "",
        ),
    ],
)
def test_trouble_with_a_feed_is_told_once_and_it_is_asked_less_and_less(
    tmp_path, embedder, clock, web, page, told
):
    house = House(tmp_path, embedder, clock)
    house.settings = WatchSettings(pause=0.0, seconds=0.4, max_bytes=500_000)
    house.urls = (web.url("/feed"),)
    house.open()
    web.pages["/feed"] = page
    first = house.follow()
    if not told:
        assert not any("root" in line for line in first)
        return
    assert len(first) == 1 and told in first[0] and web.url("/feed") in first[0]
    house.open()
    for _ in range(20):
        clock.time += 61
        assert house.follow() == []
    assert web.asked("/feed") <= 6


def test_a_feed_that_recovers_is_read_and_may_fail_anew(reader, web):
    web.pages["/feed"] = answers("rusak", 500)
    assert len(reader.follow()) == 1
    reader.clock.time += 61
    publish(web, 1)
    assert reader.follow()[0].startswith("new 1")
    web.pages["/feed"] = answers("rusak", 500)
    assert len(reader.follow()) == 1


def test_an_item_whose_page_fails_falls_back_to_the_feeds_own_text(reader, web):
    full = "".join(f"<p>{line}</p>" for line in body(7).split("\n"))
    web.pages["/feed"] = answers(
        rss(
            [
                item(
                    web.url("/hilang"), "Panen Tujuh", "Mon, 04 May 2026 09:00:00 +0700", full=full
                ),
                item(web.url("/hilang2"), "Panen Delapan", teaser="Hanya cuplikan."),
            ]
        )
    )
    problem, done = reader.follow()
    assert "hilang2" in problem and "404" in problem
    assert done.startswith("new 1 · changed 0 · problems 1")
    [found] = stored(reader)
    assert (found.title, found.url) == ("Panen Tujuh", web.url("/hilang"))
    assert found.published == dt.date(2026, 5, 4)
    assert found.body.replace("\n\n", "\n") == body(7)
    assert reader.follow() == []
    assert (web.asked("/hilang"), web.asked("/hilang2")) == (1, 1)


def test_a_page_that_fails_for_the_moment_is_tried_again_and_given_up(reader, web):
    publish(web, 1, 2)
    good = web.pages["/berita/1"]
    web.pages["/berita/1"] = answers("rusak", 500)
    web.pages["/berita/2"] = answers("rusak", 500)
    assert reader.follow() == []
    web.pages["/berita/1"] = good
    assert reader.follow()[0].startswith("new 1")
    lines = [line for _ in range(6) for line in reader.follow()]
    assert len([line for line in lines if "/berita/2" in line]) == 1
    assert web.asked("/berita/2") == 5


def test_a_site_that_asks_us_to_wait_is_left_alone_and_loses_nothing(reader, web):
    publish(web, 1, 2, 3)
    good = web.pages["/berita/1"]
    web.pages["/berita/1"] = answers("tunggu", 429, Retry_After="600")
    assert reader.follow() == []
    assert web.asked("/berita/2") == 0
    web.pages["/berita/1"] = good
    reader.open()
    reader.follow()
    assert web.asked("/berita/2") == 0
    reader.clock.time += 601
    assert reader.follow()[0].startswith("new 3")


def test_a_public_feeds_item_may_not_lead_to_a_private_address(reader, web):
    """The feed's host is trusted, another port of the same machine is not."""
    with Web() as inner:
        inner.pages["/admin"] = answers(news("Rahasia", body(1)), Content_Type="text/html")
        web.pages["/feed"] = answers(rss([item(inner.url("/admin"))]))
        assert "private address" in reader.follow()[0]
        assert inner.visits == [] and reader.ids() == []


def test_pages_of_another_kind_are_no_articles(reader, web):
    web.pages["/a.pdf"] = answers(b"%PDF-1.4", Content_Type="application/pdf")
    web.pages["/feed"] = answers(
        rss([item(web.url("/a.pdf")), item("http://[::1", "Tanpa alamat")])
    )
    told = reader.follow()
    assert any("application/pdf" in line for line in told)
    assert web.asked("/a.pdf") == 1 and reader.ids() == []


def test_an_article_that_was_added_before_is_not_new(reader, web):
    publish(web, 1)
    reader.follow()
    os.unlink(reader.home / "watch.db")
    for end in ("-wal", "-shm"):
        (reader.home / f"watch.db{end}").unlink(missing_ok=True)
    reader.open()
    assert reader.follow() == []
    assert web.asked("/berita/1") == 2 and len(reader.ids()) == 1


def test_what_ends_the_following_of_feeds_ends_the_watcher(reader, web):
    publish(web, 1)
    reader.feeds._seen.close()
    waits = iter([0.05] * 100)
    with pytest.raises(sqlite3.ProgrammingError):
        reader.watcher.run(3600.0, lambda _: time.sleep(next(waits)))


# Processes ---------------------------------------------------------------------------------------


def start(home, *arguments):
    command = [sys.executable, "-m", "commands.main", "--home", str(home), "watch"]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write(folder, number):
    """Put a file with two articles into a folder as a careful program does."""
    beside = folder / f".{number}"
    with beside.open("w", encoding="utf-8") as file:
        for n in (2 * number, 2 * number + 1):
            one = article(n)
            file.write(json.dumps({"id": one.id, "title": one.title, "text": one.body}) + "\n")
    beside.rename(folder / f"{number}.jsonl")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watcher_that_is_stopped_ends_in_order(tmp_path, number):
    folder = tmp_path / "masuk"
    folder.mkdir()
    write(folder, 0)
    os.utime(folder / "0.jsonl", (1, 1))
    watcher = start(tmp_path / "rumah", folder)
    hurry = threading.Timer(100, watcher.kill)
    hurry.start()
    while "new 2" not in (line := watcher.stdout.readline()):
        assert line, watcher.stderr.read()
    hurry.cancel()
    second = start(tmp_path / "rumah", folder)
    _, told = second.communicate(timeout=60)
    assert second.returncode == 1 and "is watching for this home" in told
    watcher.send_signal(number)
    _, told = watcher.communicate(timeout=60)
    assert watcher.returncode == 0 and told.startswith("Stopped.") and told.count("\n") == 1
    assert tanya(tmp_path / "rumah", "watch", folder, "--once") == 0
    built = next(audit.rows(tmp_path / "rumah"))
    assert (built["event"], built["version"], built["new"] > 0) == ("build", "000001", True)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_at_any_moment_nothing_is_lost_or_twice(tmp_path, web, capsys):
    rng = random.Random(7)
    home, folder = tmp_path / "rumah", tmp_path / "masuk"
    folder.mkdir()
    home.mkdir()
    (home / "tanya.toml").write_text("[watch]\npause = 0.0\nmax_items = 5\n")
    publish(web, *range(100, 112))
    for kill in range(4):
        write(folder, kill)
        watcher = start(home, folder, "--feed", web.url("/feed"), "--every", "1s")
        watcher.stdout.readline()
        time.sleep(rng.uniform(0.1, 2.5))
        watcher.kill()
        watcher.communicate(timeout=60)
    for _ in range(4):
        assert tanya(home, "watch", folder, "--feed", web.url("/feed"), "--once") == 0
    with Archive.open(home / FILE_NAME) as archive:
        found = archive.fingerprints()
        assert len(found) == 4 * 2 + 12
        urls = [one.url for one, _ in archive.articles(list(found)) if one.url]
        assert len(set(urls)) == 12
    versions = Versions(home / "versions", LocalEngine())
    assert versions.indexed(versions.live()) == found
    capsys.readouterr()
    assert tanya(home, "watch", folder, "--feed", web.url("/feed"), "--once") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "FOLDER"),
        (["masuk", "--every", "sebentar"], 2, "sebentar"),
        (["masuk", "--every", "0m"], 2, "0m"),
        (["--feed", "contoh.example/rss"], 2, "http://HOST"),
        (["--feed", "http://contoh.example/rss", "--feed", "masuk"], 2, "'masuk'"),
        (["masuk", "--map", "isi=uraian"], 2, "'isi=uraian'"),
        (["tidak-ada", "--once"], 1, "tidak-ada"),
    ],
)
def test_what_is_asked_wrongly_is_told(tmp_path, capsys, arguments, status, said):
    assert tanya(tmp_path, "watch", *arguments) == status
    assert said in capsys.readouterr().err


def test_once_does_not_wait_for_ever(house):
    def write_on(seconds):
        house.clock.sleep(seconds)
        (house.inbox / "a.txt").write_text("Panen " * int(house.clock.time % 1e6))
        os.utime(house.inbox / "a.txt", (house.clock.time, house.clock.time))

    write_on(1)
    house.watcher.run_once(write_on)
    assert house.ids() == []
