"""Homes and files that trials start from, made once; what is in them is written by seeds."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from commands.main import app, home_first, run
from index.archive import FILE_NAME, Archive
from index.records import Article, Filter
from qa.chat import Chat
from qa.history import History
from tests import homes, news
from tests.faults import facts
from tests.faults.forked import Ended, Moment, forked

SETTINGS = "[reader]\npassages = 2\nsearch = false\n"
"""Of `tanya.toml`: trials ask thousands of questions, and few words answer them."""

FIRST, SECOND, WAITING = range(40), range(40, 60), range(60, 90)
"""Articles of the first version, of the second one, and those that wait to be built."""

MANY = 1_100
"""Articles of the big files: three transactions of adding."""

CROWD = 2_200
"""Articles from which a build cuts in other processes."""


PASSWORD = "perahu-di-teluk-waru-77"


def command(home: Path, *arguments: object) -> Callable[[], int]:
    """Return the job that runs a command line as `tanya` does, a password on standard input."""

    def job() -> int:
        sys.stdin = io.StringIO(f"{PASSWORD}\n")
        return run(app, home_first(["--home", str(home), *map(str, arguments)]))

    return job


@dataclass(frozen=True)
class Stage:
    """A folder of homes and files, each made when it is first asked for."""

    folder: Path

    def done(self, home: Path, *arguments: object, moment: Moment | None = None) -> Ended:
        """Run a command in a process of its own."""
        return forked(command(home, *arguments), self.folder / "scratch", moment)

    def must(self, home: Path, *arguments: object) -> None:
        """Run a command that nothing disturbs; raises RuntimeError where it fails."""
        ended = self.done(home, *arguments)
        if ended.status:
            raise RuntimeError(f"{arguments} ended with {ended.status}: {ended.err}")

    def copy(self, home: Path, name: str) -> Path:
        """Return a copy of a home to be spoilt, in the place of the last of that name.

        Files that several versions share are shared in it too.
        """
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        linked: dict[int, str] = {}

        def copied(source: str, to: str) -> None:
            number = os.stat(source).st_ino
            if number in linked:
                os.link(linked[number], to)
            else:
                linked[number] = to
                shutil.copy2(source, to)

        shutil.copytree(home, target, copy_function=copied)
        return target

    @property
    def beside(self) -> Path:
        """Return the folder of what commands write outside of a home."""
        return self.folder / "beside"

    def clear(self) -> None:
        """Empty what a trial before wrote outside of its home."""
        for folder in (self.beside, self.folder / "scratch" / "tmp"):
            shutil.rmtree(folder, ignore_errors=True)
        self.beside.mkdir()

    # Homes

    @cached_property
    def built(self) -> Path:
        """Return a home of three versions, the last one live and on parts of those before."""
        home = self.folder / "built"
        home.mkdir(parents=True)
        (home / "tanya.toml").write_text(SETTINGS)
        for number, articles in enumerate((FIRST, SECOND)):
            some = [news.article(n) for n in articles]
            self.add(home, some if number else [*homes.HARBOUR, *some])
            self.must(home, "build")
        self.must(home, "remove", "a3", "a4", "a5")
        self.must(home, "build")
        return home

    @cached_property
    def waiting(self) -> Path:
        """Return that home with new, changed and removed articles that wait to be built."""
        home = self.copy(self.built, "waiting")
        changed = [replace(news.article(n), body=news.article(1000 + n).body) for n in range(5)]
        self.add(home, [news.article(n) for n in WAITING] + changed[:3])
        self.must(home, "remove", *(f"a{n}" for n in range(20, 25)))
        return home

    @cached_property
    def furnished(self) -> Path:
        """Return a home with a file of each kind, and articles that only the archive's log has."""
        home = self.copy(self.built, "furnished")
        folder = self.folder / "files" / "diamati"
        folder.mkdir(parents=True)
        (folder / "satu.jsonl").write_text(_row(70))
        self.must(home, "watch", folder, "--once")
        self.must(home, "user", "add", "budi")

        def job() -> None:
            history = History.of(home)
            kept, number = history.begin("satu", "", facts.ASKED, Filter(), news.NOW)
            history.finish(kept, number, Chat.open(home).ask(facts.ASKED))
            history.close()
            # A process that ends here leaves its log.
            archive = Archive.open(home / FILE_NAME)
            news.add(archive, [news.article(n) for n in range(71, 75)])
            os.kill(os.getpid(), signal.SIGKILL)

        ended = forked(job, self.folder / "scratch")
        if not ended.killed:
            raise RuntimeError(f"the home was not furnished: {ended.err}")
        return home

    @cached_property
    def backup(self) -> Path:
        """Return a backup of the home that waits."""
        self.must(self.waiting, "backup", self.folder / "backup")
        return self.folder / "backup"

    @cached_property
    def spoilt(self) -> Path:
        """Return a home whose live version is damaged, with what a build left that was ended."""
        home = self.copy(self.built, "spoilt")
        live = home / "versions" / "000003"
        part = max((live / "parts").iterdir())
        (part / "vectors.faiss").write_bytes(b"rusak")
        shutil.copytree(home / "versions" / "000001", home / "versions" / ".new")
        return home

    @cached_property
    def shared(self) -> Path:
        """Return the home that waits, with what a share of the build has prepared."""
        home = self.copy(self.waiting, "shared")
        self.must(home, "build", "--shard", "1/1")
        return home

    @cached_property
    def crowded(self) -> Path:
        """Return a home with so many articles that a build begins other processes."""
        home = self.copy(self.built, "crowded")
        self.add(home, [news.article(n, sentences=1) for n in range(5000, 5000 + CROWD)])
        return home

    def add(self, home: Path, articles: Iterable[Article]) -> None:
        """Add articles as any program does."""

        def job() -> None:
            with Archive.open(home / FILE_NAME, create=True) as archive:
                news.add(archive, list(articles))

        ended = forked(job, self.folder / "scratch")
        if ended.status:
            raise RuntimeError(f"the articles were not added: {ended.err}")

    # Files

    @cached_property
    def plain(self) -> Path:
        """Return a file of many articles, one JSON object a line."""
        file = self.folder / "files" / "banyak.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(_row(n) for n in range(2000, 2000 + MANY)))
        return file

    @cached_property
    def gzipped(self) -> Path:
        """Return the same, packed by gzip."""
        file = self.folder / "files" / "kempa.jsonl.gz"
        file.write_bytes(gzip.compress(self.plain.read_bytes(), 1))
        return file

    @cached_property
    def zipped(self) -> Path:
        """Return a zip of some files of articles."""
        file = self.folder / "files" / "kempa.zip"
        file.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for first in range(2000, 2700, 100):
                rows = "".join(_row(n) for n in range(first, first + 100))
                packed.writestr(f"{first}.jsonl", rows)
        return file

    @cached_property
    def many(self) -> Path:
        """Return a folder of many files with an article each."""
        folder = self.folder / "files" / "map"
        folder.mkdir(parents=True)
        for number in range(2000, 2120):
            (folder / f"{number}.jsonl").write_text(_row(number))
        return folder

    @cached_property
    def ids(self) -> Path:
        """Return a file with the ids of many articles of the home that is built."""
        file = self.folder / "files" / "ids.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"a{n}\n" for n in range(10, 50)))
        return file


def _row(number: int) -> str:
    article = news.article(number, sentences=2)
    fields = ("id", "title", "body", "publisher", "url")
    row = {name: getattr(article, name) for name in fields}
    return json.dumps(row | {"date": str(article.published)}) + "\n"
