"""An archive is exported and comes back as it was; articles are taken out by what they are."""

import dataclasses
import datetime as dt
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.archive import FILE_NAME, Archive
from index.exported import MARK, article_of, line_of
from index.reading.files import read
from index.records import Article, ReadProblem
from tests import homes
from tests.homes import tanya
from tests.news import NOW, add, article

ROOT = Path(__file__).parents[1]


def stored(home):
    """Return every article of a home, in the archive's order."""
    with Archive.open(home / FILE_NAME) as archive:
        ids = list(archive.fingerprints())
        return [found for found, _ in archive.articles(ids)]


def kept(home):
    return [found.id for found in stored(home)]


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "rumah"
    days = ("2014-05-01", "2015-06-02", "2016-07-03", None)
    homes.add(
        home,
        [
            homes.article(
                f"{name}{number}",
                f"Panen {name} nomor {number} di Teluk Waru berlangsung tenang.",
                publisher=publisher,
                published=dt.date.fromisoformat(day) if day else None,
            )
            for name, publisher in (("p", "Harian Pesisir"), ("l", "Kabar Lereng"))
            for number, day in enumerate(days, start=1)
        ],
    )
    return home


# Export ------------------------------------------------------------------------------------------

# All that Unicode has but surrogates, and more often what text formats stumble over.
_ODD = st.sampled_from(list("\n\r\t\"'\\\x00\x0b\x85\u2028\u2029\ufeff&;<>") + ["&amp;", "</p>"])
_TEXTS = st.lists(_ODD | st.text(max_size=8)).map("".join)
_DATES = st.none() | st.dates()
_TIMES = st.datetimes(timezones=st.just(dt.UTC))
_ARTICLES = st.builds(
    Article,
    id=_TEXTS.filter(bool),
    publisher=_TEXTS,
    title=_TEXTS,
    body=_TEXTS,
    url=_TEXTS,
    published=_DATES,
    authors=st.lists(_TEXTS, max_size=2).map(tuple),
    editors=st.lists(_TEXTS, max_size=2).map(tuple),
    origin=_TEXTS,
    story_id=_TEXTS,
    retrieved=_TIMES,
)


_SOME = st.lists(_ARTICLES, min_size=1, max_size=6, unique_by=lambda each: each.id)


@given(_SOME)
def test_whatever_an_article_holds_is_read_as_it_was_written(tmp_path, articles):
    file = tmp_path / "arsip.jsonl"
    file.write_text("".join(map(line_of, articles)), encoding="utf-8", newline="")
    assert list(read(file)) == articles


@settings(max_examples=8)
@given(_SOME)
def test_whatever_an_archive_holds_comes_back_as_it_was(tmp_path_factory, articles):
    folder = tmp_path_factory.mktemp("pindah")
    with Archive.open(folder / "satu" / FILE_NAME, create=True) as archive:
        add(archive, articles)
    out = folder / "arsip.jsonl"
    assert tanya(folder / "satu", "export", "--out", out) == 0
    assert tanya(folder / "dua", "add", out) == 0
    assert stored(folder / "dua") == stored(folder / "satu")
    assert len(stored(folder / "dua")) == len(articles)


def test_stories_come_back_also_where_their_first_article_is_gone(tmp_path):
    home, other = tmp_path / "satu", tmp_path / "dua"
    body = article(1, sentences=12).body
    first, second, third = (article(n, body, publisher=f"Harian {n}") for n in (1, 2, 3))
    with Archive.open(home / FILE_NAME, create=True) as archive:
        add(archive, [first, second, third, article(4)])
        archive.remove([first.id], NOW)
    assert [each.story_id for each in stored(home)] == ["a1", "a1", "a4"]
    assert tanya(home, "export", "--out", tmp_path / "e.jsonl.gz") == 0
    assert tanya(other, "add", tmp_path / "e.jsonl.gz") == 0
    assert stored(other) == stored(home)
    assert homes.build(other).version.stories == homes.build(home).version.stories == 2


def test_an_export_is_read_by_others_too(home, tmp_path):
    assert tanya(home, "export", "--out", tmp_path / "e.jsonl.gz") == 0
    with gzip.open(tmp_path / "e.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert [row["id"] for row in rows] == kept(home)
    assert rows[0]["text"].startswith("Panen p nomor 1")
    assert (rows[0]["published"], rows[3]["published"]) == ("2014-05-01", None)


def test_what_was_exported_twice_is_the_same(home, tmp_path, capfdbinary):
    assert tanya(home, "export") == 0
    told = capfdbinary.readouterr()
    assert tanya(home, "export", "--out", tmp_path / "e.jsonl") == 0
    assert told.out == (tmp_path / "e.jsonl").read_bytes()
    assert b"8 articles written to -" in told.err
    assert tanya(home, "add", tmp_path / "e.jsonl") == 0
    assert b"new 0 \xc2\xb7 changed 0 \xc2\xb7 same 8" in capfdbinary.readouterr().out


def test_an_export_can_be_narrowed(home, tmp_path):
    out = tmp_path / "e.jsonl"
    assert tanya(home, "export", "--out", out, "--publisher", "kabar lereng") == 0
    assert len(out.read_text().splitlines()) == 4
    assert (
        tanya(home, "export", "--out", out, "--after", "2015-01-01", "--before", "2016-01-01") == 0
    )
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["ap2", "al2"]


def test_an_export_that_holds_nothing_or_cannot_be_written_is_told(home, tmp_path, capsys):
    out = tmp_path / "e.jsonl"
    assert tanya(home, "export", "--out", out, "--after", "2030-01-01") == 1
    assert "nothing was written" in capsys.readouterr().err
    assert tanya(home, "export", "--out", tmp_path / "tidak" / "ada.jsonl") == 1
    assert "cannot be written" in capsys.readouterr().err
    assert tanya(tmp_path / "kosong", "export", "--out", out) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", ""),
        ("id", 7),
        ("text", None),
        ("published", "kemarin"),
        ("authors", "Sari"),
        ("editors", [1]),
        ("retrieved", "2020-13-01"),
    ],
)
def test_a_row_of_an_export_that_was_altered_is_told(tmp_path, name, value):
    row = {**json.loads(line_of(article(1, retrieved=NOW))), name: value}
    file = tmp_path / "e.jsonl"
    file.write_text(json.dumps(row) + "\n" + line_of(article(2)), encoding="utf-8")
    problem, good = read(file)
    assert isinstance(problem, ReadProblem) and problem.place == "e.jsonl:1"
    assert "export" in problem.reason
    assert good == article(2)


def test_the_mark_alone_decides_that_a_row_is_taken_as_it_stands(tmp_path):
    row = json.loads(line_of(dataclasses.replace(article(1), title="Panen &amp; pasar")))
    assert article_of(row).title == "Panen &amp; pasar"
    file = tmp_path / "e.jsonl"
    file.write_text(json.dumps({**row, MARK: False}), encoding="utf-8")
    [found] = read(file)
    assert found.title == "Panen & pasar"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the command is stopped at a pipe")
@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_an_export_that_is_stopped_leaves_no_file(home, tmp_path, name):
    out = tmp_path / name
    # What is written goes into a pipe that nobody empties, and does not fit in, so it waits there.
    body = random.Random(1).randbytes(300_000).hex()
    homes.add(home, [homes.article("besar", body)])
    os.mkfifo(tmp_path / f"{name}.part")
    command = [sys.executable, "-m", "commands.main", "--home", str(home), "export", "--out", out]
    done = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    reader = os.open(tmp_path / f"{name}.part", os.O_RDONLY)
    done.send_signal(signal.SIGINT)
    os.close(reader)
    _, told = done.communicate(timeout=60)
    assert done.returncode == 1 and told.count(b"\n") == 1
    assert not out.exists() and not (tmp_path / f"{name}.part").exists()


# Remove ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--publisher", "Harian Pesisir"], "al1 al2 al3 al4"),
        (["--publisher", "harian pesisir", "--publisher", "Kabar Lereng"], ""),
        (["--before", "2015-06-02"], "ap3 ap4 al3 al4"),
        (["--after", "2015-06-02"], "ap1 ap4 al1 al4"),
        (["--after", "2015-01-01", "--before", "2015-12-31"], "ap1 ap3 ap4 al1 al3 al4"),
        (["--publisher", "Kabar Lereng", "--before", "2014-12-31"], "ap1 ap2 ap3 ap4 al2 al3 al4"),
    ],
)
def test_articles_are_removed_by_what_they_are(home, options, left):
    assert tanya(home, "remove", "--yes", *options) == 0
    assert kept(home) == left.split()


def test_ids_come_from_a_file_and_are_narrowed_by_other_options(
    home, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "ids"
    file.write_text("ap1\n  al2 \r\n\nal3\ntidak-ada\n", encoding="utf-8")
    assert tanya(home, "remove", "--from-file", file, "--publisher", "Kabar Lereng", "--yes") == 0
    assert kept(home) == "ap1 ap2 ap3 ap4 al1 al4".split()
    assert "1 id of the file not in the archive" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("ap2\nap4\n"))
    assert tanya(home, "remove", "--from-file", "-", "--yes") == 0
    assert kept(home) == "ap1 ap3 al1 al4".split()


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, 4), ("n\n", 1, 8), ("", 1, 8)])
def test_the_count_is_shown_and_asked_about(home, monkeypatch, capsys, answer, status, left):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert tanya(home, "remove", "--publisher", "Kabar Lereng") == status
    told, problem = capsys.readouterr()
    assert "4 articles:" in told and ("Nothing was removed" in problem) == (answer == "n\n")
    assert "Kabar Lereng: 4 (undated 1 · 2014 1 · 2015 1 · 2016 1)" in told
    assert len(kept(home)) == left


def test_what_was_removed_stays_out_until_it_is_let_in(home, tmp_path, capsys):
    tanya(home, "export", "--out", tmp_path / "e.jsonl")
    (tmp_path / "ids").write_text("ap1\nap2\n")
    assert tanya(home, "remove", "--from-file", tmp_path / "ids", "--yes") == 0
    assert tanya(home, "add", tmp_path / "e.jsonl") == 0
    assert "2 were removed earlier" in capsys.readouterr().out
    assert kept(home)[:2] == ["ap3", "ap4"]
    assert tanya(home, "remove", "--undo", "--from-file", tmp_path / "ids") == 0
    assert "allowed again 2" in capsys.readouterr().out
    assert tanya(home, "add", tmp_path / "e.jsonl") == 0
    assert sorted(kept(home))[-2:] == ["ap3", "ap4"] and len(kept(home)) == 8


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "Name an ARTICLE_ID"),
        (["ap1", "--publisher", "Kabar Lereng"], 2, "not both"),
        (["ap1", "--from-file", "x"], 2, "not both"),
        (["--undo", "--before", "2020-01-01"], 2, "--undo"),
        (["--from-file", "-"], 2, "--yes"),
        (["--from-file", "tidak-ada", "--yes"], 1, "There is no tidak-ada"),
        (["--before", "2020", "--yes"], 2, "YYYY-MM-DD"),
        (["--after", "2020-01-01", "--before", "2019-01-01", "--yes"], 2, "later"),
        (["--publisher", "Kabar Lembah", "--yes"], 1, "Kabar Lereng"),
        (["--before", "1990-01-01", "--yes"], 1, "nothing was removed"),
        (["ap1", "tidak-ada"], 1, "'tidak-ada'"),
    ],
)
def test_what_is_asked_wrongly_is_told_and_removes_nothing_else(
    home, capsys, arguments, status, said
):
    assert tanya(home, "remove", *arguments) == status
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert len(kept(home)) == (7 if arguments[:1] == ["ap1"] and len(arguments) == 2 else 8)


def test_the_sample_can_be_taken_out_again(tmp_path):
    home = tmp_path / "rumah"
    homes.add(home, [article(1)])
    assert tanya(home, "add", ROOT / "sample" / "articles") == 0
    assert tanya(home, "remove", "--from-file", ROOT / "sample" / "ids.txt", "--yes") == 0
    assert kept(home) == ["a1"]


def test_a_large_removal_does_not_take_long(tmp_path):
    home = tmp_path / "rumah"
    homes.add(home, [homes.article(n, f"Panen nomor {n}.") for n in range(3000)])
    begun = time.perf_counter()
    assert tanya(home, "remove", "--publisher", "Harian Uji", "--yes") == 0
    assert time.perf_counter() - begun < 20
    assert kept(home) == []
