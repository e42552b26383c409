"""The archive keeps every article as published, and tells what changed."""

import dataclasses
import datetime as dt
import random
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from index import archive as archives
from index.archive import Archive, content_hash
from index.errors import ArchiveError, BusyError
from index.sqlite import connect
from tests.news import NOW, add, article, sentence

LATER = NOW + dt.timedelta(days=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rumah" / archives.FILE_NAME


@pytest.fixture
def archive(path):
    with Archive.open(path, create=True) as opened:
        yield opened


def as_stored(given, archive, **fields):
    """Return the article as the archive should give it back."""
    return dataclasses.replace(given, **{"story_id": given.id, "retrieved": NOW, **fields})


def changed(before, after):
    return {i for i in before.keys() | after.keys() if before.get(i) != after.get(i)}


# What is in


def test_what_was_added_is_kept_as_published(archive, path):
    given = article(
        1,
        "  Baris satu.\r\n\n\tBaris dua…  ",
        authors=("Sari D.", "Tono"),
        editors=("Umi",),
        origin="Kantor Berita",
        published=None,
        retrieved=dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    )
    report = add(archive, [given, article(2)])
    assert (report.new, report.changed, report.same, report.duplicates) == (2, 0, 0, 0)
    stored = as_stored(given, archive, retrieved=given.retrieved)
    assert archive.get("a1") == stored
    with Archive.open(path) as again:
        assert again.get("a1") == stored
        assert again.get("a2") == as_stored(article(2), again)
        assert again.get("a3") is None


def test_articles_come_in_the_order_asked_for(archive):
    add(archive, [article(n) for n in range(1200)])
    ids = [f"a{n}" for n in range(1199, -1, -1)]
    found = archive.articles([*ids, "tidak ada"])
    assert [a.id for a, _ in found] == ids
    assert {a.id: f for a, f in found} == archive.fingerprints()


def test_adding_again_is_same(archive):
    articles = [article(n) for n in range(20)]
    add(archive, articles)
    fingerprints, changes = archive.fingerprints(), archive.changes()
    report = add(archive, articles, LATER)
    assert (report.new, report.changed, report.same) == (0, 0, 20)
    assert archive.fingerprints() == fingerprints
    assert archive.get("a3").retrieved == NOW
    add(archive, [article(99)])
    assert archive.changes() != changes


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Judul Lain"},
        {"body": "Isi lain sama sekali."},
        {"url": "https://contoh.example/lain"},
        {"published": None},
        {"published": dt.date(1999, 12, 31)},
        {"publisher": "Penerbit Lain"},
    ],
)
def test_a_change_gives_a_new_fingerprint(archive, fields):
    add(archive, [article(n) for n in range(5)])
    before = archive.fingerprints()
    report = add(archive, [article(3, **fields)], LATER)
    assert (report.new, report.changed, report.same) == (0, 1, 0)
    assert changed(before, archive.fingerprints()) == {"a3"}
    assert archive.get("a3") == as_stored(article(3, **fields), archive, retrieved=LATER)


def test_a_new_byline_needs_no_new_passages(archive):
    add(archive, [article(1)])
    before = archive.fingerprints()
    assert add(archive, [article(1, authors=("Sari",))]).changed == 1
    assert archive.fingerprints() == before
    assert archive.get("a1").authors == ("Sari",)


def test_the_same_id_twice_in_one_batch_is_a_change(archive):
    report = add(archive, [article(1), article(1, "Isi kedua.")])
    assert (report.new, report.changed) == (1, 1)
    assert archive.get("a1").body == "Isi kedua."


def test_earlier_texts_are_found_by_their_hash(archive):
    texts = [article(1, f"Isi ke-{n} tentang panen.") for n in range(3)]
    for one in texts:
        add(archive, [one])
    for one in texts:
        assert archive.get("a1", content_hash(one)).body == one.body
    assert archive.get("a1", "0" * 16) is None
    assert archive.get("a1").body == texts[-1].body


def test_counts(archive):
    assert archive.counts() == archives.Counts(0, 0, None, None, 0)
    days = [dt.date(2020, 5, 1), dt.date(2021, 6, 2), None]
    add(archive, [article(n, published=day, publisher="P") for n, day in enumerate(days)])
    assert archive.counts() == archives.Counts(3, 3, days[1], days[0], 1)
    assert archive.counts(stories=7).stories == 7


def test_a_publisher_stays_where_the_next_adding_names_none(archive):
    add(archive, [article(1, publisher="Harian Kita")])
    assert add(archive, [article(1, publisher="")]).same == 1
    assert add(archive, [article(1, "Isi baru.", publisher="")]).changed == 1
    assert archive.get("a1").publisher == "Harian Kita"
    assert add(archive, [article(1, "Isi baru.", publisher="Kabar Hulu")]).changed == 1
    assert archive.get("a1").publisher == "Kabar Hulu"


# What is out


def test_a_removed_article_stays_out_until_allowed_again(archive):
    add(archive, [article(1), article(1, "Isi baru."), article(2)])
    old = content_hash(article(1))
    assert archive.remove(["a1", "a9"], NOW) == ["a1"]
    assert archive.get("a1") is archive.get("a1", old) is None
    assert list(archive.fingerprints()) == ["a2"]
    report = add(archive, [article(1), article(2)])
    assert (report.new, report.same, report.removed_earlier) == (0, 1, 1)
    assert archive.allow_again(["a1", "a2"]) == ["a1"]
    assert add(archive, [article(1)]).new == 1
    assert archive.get("a1", old) == as_stored(article(1), archive)
    assert archive.remove(["a1"], NOW) == ["a1"]


def test_a_removed_reprint_is_no_longer_compared_with(archive):
    add(archive, [article(1, sentences=8)])
    archive.remove(["a1"], NOW)
    assert add(archive, [article(2, article(1, sentences=8).body)]).duplicates == 0
    assert archive.get("a2").story_id == "a2"


# Stories


def test_a_reprint_joins_the_story(archive):
    original = article(1, sentences=12, publisher="Kantor Berita", published=dt.date(2024, 3, 1))
    reprint = article(
        2,
        f"TELUK WARU - {original.body} Baca selengkapnya di koran besok pagi.",
        publisher="Harian Pesisir",
        published=dt.date(2024, 3, 2),
    )
    report = add(archive, [original, article(3, sentences=12), reprint])
    assert report.duplicates == 1
    assert report.examples == [(reprint.title, original.title)]
    assert archive.get("a2").story_id == archive.get("a1").story_id == "a1"
    assert archive.get("a3").story_id == "a3"
    assert archive.counts().stories == 2
    third = dataclasses.replace(reprint, id="a4", publisher="Suara Muara")
    add(archive, [third])
    assert archive.get("a4").story_id == "a1"


def test_a_daily_template_with_other_numbers_is_another_story(archive):
    rng = random.Random(7)

    def prices(number, day):
        rows = " ".join(
            f"Harga {name} hari ini dipatok {rng.randint(1000, 99999)} rupiah per kilogram di "
            "pasar induk menurut pantauan dinas perdagangan."
            for name in ("beras", "cabai rawit", "bawang merah", "telur ayam", "gula pasir")
        )
        return article(number, rows, publisher="P", published=dt.date(2024, 3, day))

    report = add(archive, [prices(n, 1 + n) for n in range(5)])
    assert report.duplicates == 0
    assert archive.counts().stories == 5


@pytest.mark.parametrize(("days", "stories"), [(3, 1), (40, 2)])
def test_an_edited_text_joins_only_near_its_date(archive, days, stories):
    rng = random.Random(3)
    base = [sentence(rng).replace("sebanyak", "lebih dari").rsplit(" ", 2)[0] for _ in range(16)]
    edited = [*base[:14], "Panitia berterima kasih kepada semua tamu undangan yang hadir."]
    start = dt.date(2024, 3, 1)
    one = article(1, ". ".join(base), published=start)
    two = article(2, ". ".join(edited), published=start + dt.timedelta(days=days))
    add(archive, [one, two])
    assert archive.counts().stories == stories


def test_short_notes_are_never_the_same_story(archive):
    add(archive, [article(n, "Warga diminta waspada.", title="Waspada") for n in range(3)])
    assert archive.counts().stories == 3


def test_a_changed_article_leaves_its_story(archive):
    body = article(1, sentences=12).body
    add(archive, [article(1, body), article(2, body, published=article(1).published)])
    assert archive.get("a2").story_id == "a1"
    before = archive.fingerprints()
    add(archive, [article(2, sentences=12)])
    assert archive.get("a2").story_id == "a2"
    assert changed(before, archive.fingerprints()) == {"a2"}


# Lines that a publisher repeats

SLOGAN = "Kabar dekat dari kampung halaman Anda"


def with_slogan(number, **fields):
    return article(number, f"{article(number).body}\n{SLOGAN}", **{"publisher": "P", **fields})


def test_repeated_lines_are_learned_and_change_their_articles_only(archive):
    add(archive, [with_slogan(n) for n in range(9)])
    add(archive, [article(n, publisher="P") for n in range(20, 30)])
    add(archive, [with_slogan(n, publisher="Q") for n in range(40, 45)])
    assert archive.repeated_lines("P") == frozenset()
    before = archive.fingerprints()
    add(archive, [with_slogan(9)])
    (key,) = archive.repeated_lines("P")
    assert key == SLOGAN.lower()
    assert archive.repeated_lines("Q") == frozenset()
    holders = {f"a{n}" for n in range(10)}
    assert changed(before, archive.fingerprints()) == holders
    before = archive.fingerprints()
    add(archive, [with_slogan(10), article(31, publisher="P")])
    assert changed(before, archive.fingerprints()) == {"a10", "a31"}
    assert add(archive, [with_slogan(3)]).same == 1
    assert archive.get("a3").body.endswith(SLOGAN)


def test_lines_that_another_process_learned_are_known(archive, path):
    assert archive.repeated_lines("P") == frozenset()
    with Archive.open(path) as other:
        add(other, [with_slogan(n) for n in range(10)])
    assert archive.repeated_lines("P") == {SLOGAN.lower()}


# Interrupts, other writers, other files


def test_an_interrupt_keeps_what_was_committed(archive, path):
    def stopped():
        yield from (article(n) for n in range(700))
        raise KeyboardInterrupt

    reports = archive.add(stopped(), NOW)
    assert next(reports).new == 500
    with pytest.raises(KeyboardInterrupt):
        next(reports)
    with Archive.open(path) as again:
        assert again.counts().articles == 500
        report = add(again, (article(n) for n in range(700)))
    assert (report.new, report.same) == (200, 500)


def test_a_fault_in_a_transaction_keeps_nothing_of_it(archive):
    add(archive, [article(1)])
    before = archive.fingerprints()
    with pytest.raises(AttributeError):
        add(archive, [article(2), article(3, published="bukan tanggal")])
    assert archive.fingerprints() == before
    assert add(archive, [article(2)]).new == 1


def test_a_writer_waits_for_another(archive, path):
    other = connect(path, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    begun = threading.Event()

    def articles():
        begun.set()
        yield article(1)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(add, archive, articles())
        assert begun.wait(10)
        assert other.execute("SELECT count(*) FROM article").fetchone() == (0,)
        other.execute("COMMIT")
        assert done.result().new == 1
    other.close()


def test_a_writer_that_waited_long_enough_says_so(archive, path):
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    with Archive.open(path, wait=0) as impatient:
        with pytest.raises(BusyError, match="try again"):
            add(impatient, [article(1)])
        with pytest.raises(BusyError):
            impatient.remove(["a1"], NOW)
        assert impatient.counts().articles == 0, "readers never wait"
        other.execute("ROLLBACK")
        assert add(impatient, [article(1)]).new == 1
    other.close()


def test_many_may_open_a_new_archive_at_once(path):
    ready = threading.Barrier(6)

    def work(number):
        ready.wait()
        with Archive.open(path, create=True) as opened:
            return add(opened, [article(number)]).new

    path.parent.mkdir()
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == 6


def test_a_migration_runs_once_and_whole(path, monkeypatch):
    with Archive.open(path, create=True) as old:
        add(old, [article(1)])
    runs = []

    def add_column(db):
        runs.append(1)
        db.execute("ALTER TABLE article ADD COLUMN rubric TEXT NOT NULL DEFAULT ''")
        if len(runs) == 1:
            raise sqlite3.OperationalError("disk I/O error")

    known = archives._MIGRATIONS
    monkeypatch.setattr(archives, "_MIGRATIONS", (*known, add_column))
    with pytest.raises(ArchiveError):
        Archive.open(path)
    for _ in range(2):
        with Archive.open(path) as new:
            assert new.get("a1") == as_stored(article(1), new)
    assert len(runs) == 2
    monkeypatch.setattr(archives, "_MIGRATIONS", known)
    with pytest.raises(ArchiveError, match="newer"):
        Archive.open(path)


@pytest.mark.parametrize("content", [b"bukan basis data, hanya teks biasa\n" * 100, b"SQLite"])
def test_a_file_that_is_no_archive(tmp_path, content):
    path = tmp_path / "archive.db"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="backup"):
        Archive.open(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_archive(tmp_path):
    with pytest.raises(ArchiveError):
        Archive.open(tmp_path)


def test_damage_that_sqlite_quotes_is_told(path):
    Archive.open(path, create=True).close()
    held = path.read_bytes()
    spoilt = held.replace(b"indexarticle_story", b"indexarticle_st\xeery")
    spoilt = spoilt.replace(b"CREATE INDEX article_story", b"CREATE INDEZ article_story")
    path.write_bytes(spoilt)
    with pytest.raises(ArchiveError, match=r"is damaged \(malformed.*st\\xeery"):
        Archive.open(path)


def test_a_damaged_archive_is_told(path):
    with Archive.open(path, create=True) as opened:
        add(opened, [article(n) for n in range(200)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)
    with Archive.open(path) as opened, pytest.raises(ArchiveError):
        add(opened, [article(n) for n in range(300)])


# Hostile text


@pytest.mark.parametrize(
    "odd",
    [
        "a\0b",
        "\ud800 sendiri",
        "\udfff\ud800",
        "👩\u200d👧",
        "é e\u0301 ﬁ",
        "' \"; --",
        "\u2028",
    ],
)
def test_odd_text_is_kept(archive, odd):
    body = f"{odd} di awal.\nDan {odd} di akhir {odd}"
    fields = {"id": f"a{odd}", "title": odd, "publisher": odd, "authors": (odd,), "origin": odd}
    given = article(1, body, **fields)
    add(archive, [given])
    kept = odd.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    stored = archive.get(f"a{kept}")
    assert stored.body == given.body.replace(odd, kept)
    assert len(stored.body) == len(given.body), "offsets stay"
    assert (stored.title, stored.publisher, stored.authors) == (kept, kept, (kept,))
    assert add(archive, [given]).same == 1
    assert archive.get(stored.id, content_hash(stored)) == stored


@pytest.mark.parametrize("article_id", ["", "a#b#1", "100%", "../../etc", "a b\n", "x" * 5000, "É"])
def test_any_id_will_do(archive, article_id):
    given = article(1, id=article_id)
    add(archive, [given, article(2)])
    assert archive.get(article_id) == as_stored(given, archive)
    assert archive.remove([article_id], NOW) == [article_id]
    assert list(archive.fingerprints()) == ["a2"]


def test_a_template_of_thousands_does_not_slow_adding_down(archive):
    names = " ".join(f"pasar{n} harga{n % 7} terpantau" for n in range(50))

    def prices(number):
        return article(number, f"{names} {number * 37 % 997} dan {number * 91 % 983} rupiah.")

    steps = Counter()

    def work(name, numbers):
        archive._db.set_progress_handler(lambda: steps.update([name]), 1000)
        add(archive, map(prices, numbers))
        archive._db.set_progress_handler(None, 0)

    work("first", range(300))
    work("early", range(300, 350))
    work("between", range(350, 650))
    work("late", range(650, 700))
    assert steps["late"] < 1.5 * steps["early"]
