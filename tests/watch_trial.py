"""Runs `tanya watch` for a while as a newsroom would, kills it at times, and tells what came of it.

    python -m tests.watch_trial HOME --seconds 480 --items 2000

HOME is a home to watch for, which is written to: take a copy. Files with one new article each come
into a folder, a feed on loopback lists more and more items, and questions about the newest file are
asked until it is cited. Not run by the tests: it takes as long as it is told to.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from index import settings
from index.archive import FILE_NAME, Archive
from index.versions import Versions
from qa.chat import Chat
from tests.news import sentence
from tests.web import Web, answers, item, news, rss

ROOT = Path(__file__).parents[1]
_SYLLABLES = "ba be bi do du ga gu ka ke lo lu ma mi na no pa ra ri sa su ta wa ya".split()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def name_of(number: int) -> str:
    """Return a village's name that no other number has."""
    rng = random.Random(f"desa {number}")
    return "".join(rng.choice(_SYLLABLES) for _ in range(5)).title() + "ng"


def story(number: int) -> tuple[str, str, str]:
    """Return an article's headline and text, and a question that it answers."""
    rng = random.Random(number)
    name, tons = name_of(number), rng.randint(100, 999)
    first = f"Desa {name} memanen {tons} ton jagung pada musim ini, kata kepala desanya, Rabu."
    lines = [first, *(" ".join(sentence(rng) for _ in range(3)) for _ in range(3))]
    return (
        f"Panen Jagung di {name}",
        "\n".join(lines),
        f"Berapa ton jagung yang dipanen Desa {name}?",
    )


class Trial:
    """A folder, a feed, a watcher of both, and somebody who asks."""

    def __init__(self, home: Path, web: Web, folder: Path, items: int) -> None:
        self.home, self.web, self.folder, self.items = home, web, folder, items
        self.chat = Chat.open(home)
        self.log = (home / "trial.log").open("w")
        self.written: list[str] = []
        self.found: list[float] = []
        self.cited: list[float] = []
        self.peak = 0

    def start(self) -> None:
        command = [sys.executable, "-m", "commands.main", "--home", str(self.home), "watch"]
        options = [str(self.folder), "--feed", self.web.url("/feed"), "--every", "10s"]
        self.watcher = subprocess.Popen(
            [*command, *options], cwd=ROOT, stdout=self.log, stderr=self.log
        )

    def publish(self, count: int) -> None:
        """Let the feed list the newest 1,000 of so many items, lest it drop some unseen."""
        newest = range(count - 1, max(-1, count - 1001), -1)
        self.web.pages["/feed"] = answers(
            rss(item(self.web.url(f"/b/{n}"), story(10**6 + n)[0]) for n in newest),
            ETag=f'"{count}"',
        )

    def write(self, number: int) -> None:
        title, body, question = story(number)
        row = {"id": f"trial-{number}", "title": title, "text": body, "source": "Harian Uji"}
        beside = self.folder / f".{number}"
        beside.write_text(json.dumps(row) + "\n", encoding="utf-8")
        beside.rename(self.folder / f"{number}.jsonl")
        self.written.append(f"trial-{number}")
        self.question, self.arrived = question, time.monotonic()
        self.waits_found = self.waits_cited = True

    def ask(self) -> None:
        """Ask about the newest file; note when it was found and cited first."""
        answer = self.chat.ask(self.question).answer
        passed = time.monotonic() - self.arrived
        wanted = self.written[-1]
        hits = {hit.passage.article_id for hit in answer.evidence.hits}
        if self.waits_found and wanted in hits:
            self.waits_found = False
            self.found.append(passed)
        if self.waits_cited and wanted in {c.passage.article_id for c in answer.citations}:
            self.waits_cited = False
            self.cited.append(passed)

    def look_at_memory(self) -> None:
        try:
            status = Path(f"/proc/{self.watcher.pid}/status").read_text()
        except OSError:
            return
        self.peak = max(self.peak, *(int(x.split()[1]) for x in status.split("\n") if "VmHWM" in x))

    def run(self, seconds: float, every: float, kills: int) -> None:
        begun = time.monotonic()
        killed = number = 0
        next_file = begun + 5
        self.publish(1)
        self.start()
        while (passed := time.monotonic() - begun) < seconds:
            self.publish(min(self.items, 1 + int(self.items * passed / (0.9 * seconds))))
            patient = bool(number) and self.waits_cited and time.monotonic() < next_file + 60
            if time.monotonic() >= next_file and not patient:
                if number and self.waits_cited:
                    say(f"not cited in {every + 60:g} s: {self.written[-1]}")
                self.write(number)
                number += 1
                next_file = time.monotonic() + every
            if number and self.waits_cited:
                self.ask()
            self.look_at_memory()
            if passed > (killed + 1) * seconds / (kills + 1):
                self.watcher.kill()
                self.watcher.wait()
                killed += 1
                self.start()
                say(f"killed at {passed:.0f} s")
            time.sleep(0.2)
        self.publish(self.items)

    def finish(self, patience: float) -> None:
        """Wait until all is in, stop the watcher, and check that all is in once."""
        until = time.monotonic() + patience
        with Archive.open(self.home / FILE_NAME) as archive:
            while time.monotonic() < until and len(self.pages(archive)) < self.items:
                time.sleep(2)
            time.sleep(15)
            self.watcher.send_signal(signal.SIGTERM)
            say(f"stopped with status {self.watcher.wait(60)}")
            pages = self.pages(archive)
            say(
                f"files written {len(self.written)}, in the archive "
                f"{len(archive.present(self.written))}"
            )
            twice = len(pages) - len(set(pages))
            say(f"items {self.items}, in the archive {len(pages)}, twice {twice}")
            versions = Versions.of(self.home, settings.load(self.home).engine)
            indexed = versions.indexed(versions.live() or "")
            say(f"live version as the archive: {indexed == archive.fingerprints()}")
        asked = [visit.path for visit in self.web.visits if visit.path.startswith("/b/")]
        say(f"pages asked for {len(asked)}, again {len(asked) - len(set(asked))}")
        for what, times in (("found", self.found), ("cited", self.cited)):
            if times:
                say(
                    f"seconds until {what}: median {statistics.median(times):.1f}, "
                    f"worst {max(times):.1f}, of {len(times)}"
                )
        say(f"most memory {self.peak / 1024:.0f} MB, versions kept {len(versions.names())}")

    def pages(self, archive: Archive) -> list[str]:
        rows = archive.articles(list(archive.fingerprints()))
        return [a.url for a, _ in rows if a.url.startswith(self.web.url("/b/"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--every", type=float, default=8.0, help="seconds between two files")
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args()
    (given.home / "tanya.toml").write_text("[watch]\npause = 0.05\nmax_items = 1000\n")
    with Web() as web, tempfile.TemporaryDirectory() as folder:
        for number in range(given.items):
            title, body, _ = story(10**6 + number)
            web.pages[f"/b/{number}"] = answers(news(title, body), Content_Type="text/html")
        trial = Trial(given.home, web, Path(folder), given.items)
        trial.run(given.seconds, given.every, given.kills)
        trial.finish(given.seconds)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
