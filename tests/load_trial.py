"""Lets many people ask at once while versions are published, and tells what came of it.

    python -m tests.load_trial HOME --questions FILE... --rate 5 --out FOLDER

HOME is a home to serve, which is written to: take a copy. FILE is JSONL, packed or not, with a
"question" a row, each asked once while they last. Questions arrive at random moments, so many a
second, whether or not those before were answered (a chat that still waits asks in a second tab), by
the page's own way and some by /api. `--code` serves another checkout than this one. Every answer is
checked: its quotes against the archive, its passages against the version that it names. FOLDER gets
turns.jsonl, memory.jsonl and load.png. Not run by the tests: it takes as long as it is told to.
"""

from __future__ import annotations

import argparse
import gzip
import html
import http.client
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from index import settings
from index.archive import FILE_NAME, Archive
from index.versions import Versions
from qa.history import History
from tests.asking import Site
from tests.watch_trial import say, story

ROOT = Path(__file__).parents[1]
FOLLOW_UPS = ("Kapan itu terjadi?", "Di mana?", "Mengapa begitu?", "Siapa yang mengatakannya?")
_FOLLOWS, _OPENS, _LISTS = 0.35, 0.2, 0.05
"""Shares of turns that follow one before, after which a cited article is opened, or all listed."""
_POLL = 4.0
"""Seconds between two looks of an open page at /page/status."""

_CITE = re.compile(r'<a class="ta-cite"[^>]* data-to="([^"]+)"[^>]* data-article="([^"]+)"')
_MARK = re.compile(r'<mark id="([^"]+)"[^>]*>(.*?)</mark>', re.DOTALL)
_LIST = re.compile(r' data-query="([^"]+)"')
_PLACE = re.compile(r'data-conversation="([^"]*)" data-number="(\d+)"')


@dataclass
class Asked:
    """A turn: when it arrived, seconds until its first words and its end, and what it was."""

    at: float
    way: str
    outcome: str = "lost"
    first: float | None = None
    whole: float = 0.0
    place: str = ""
    waited: int = 0
    problems: list[str] = field(default_factory=list)


class Trial:
    """A server, people who ask it, an operator who publishes, and what was seen of them."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.home: Path = given.home
        self.rng = random.Random(given.seed)
        self.turns: list[Asked] = []
        self.beside: dict[str, list[float]] = {"status": [], "article": [], "list": [], "next": []}
        self.failed: Counter[str] = Counter()
        self.memory: list[dict[str, float]] = []
        self.cookies = [secrets.token_urlsafe(16) for _ in range(given.chats)]
        self.talks: list[tuple[str, int]] = [("", 0)] * given.chats
        self.questions = questions(given.questions, self.rng)
        self.over = threading.Event()
        self._archive = threading.local()
        self.published: list[float] = []

    # People ------------------------------------------------------------------------------------

    def ask(self, number: int, chat: int, question: str, api: bool, luck: Sequence[float]) -> None:
        """Ask one question and look at the answer as a person would."""
        turn = Asked(time.monotonic() - self.begun, "api" if api else "page")
        self.turns.append(turn)
        begun = time.monotonic()
        shown = ""
        try:
            if api:
                self.ask_api(turn, question)
            else:
                shown = self.ask_page(turn, begun, chat, question, luck[0] < _FOLLOWS)
        except (OSError, ValueError, http.client.HTTPException) as error:
            turn.problems.append(f"{type(error).__name__}: {error}"[:200])
        turn.whole = time.monotonic() - begun
        if turn.outcome == "answered" and shown:
            self.look(chat, shown, luck)

    def ask_page(self, turn: Asked, begun: float, chat: int, asked: str, follows: bool) -> str:
        talk, before = self.talks[chat]
        follows = follows and bool(talk)
        self.talks[chat] = ("", 0)
        text = FOLLOW_UPS[before % len(FOLLOW_UPS)] if follows else asked
        sent = {"text": text, "conversation": talk if follows else ""}
        shown = ""
        for shown in self.site.turns(self.cookies[chat], sent):
            turn.waited += "data-ahead" in shown
            if turn.first is None and 'class="ta-answer"' in shown:
                turn.first = time.monotonic() - begun
        if 'aria-busy="false"' not in shown:
            raise ValueError(f"not complete: {shown[-80:]!r}")
        if 'role="alert"' in shown:
            turn.outcome = "busy" if "sibuk" in shown else "error"
            if turn.outcome == "error":
                turn.problems.append(re.sub("<[^>]+>", " ", shown)[-200:])
            return shown
        turn.outcome = "answered" if 'class="ta-answer"' in shown else "silent"
        found = _PLACE.search(shown)
        if found:
            turn.place = f"{found[1]} {found[2]}"
            self.talks[chat] = (found[1], before + 1) if before < 3 else ("", 0)
        turn.problems += self.untrue(shown)
        return shown

    def ask_api(self, turn: Asked, question: str) -> None:
        with self.site.opened("POST", "/api/ask", "", {"question": question}) as response:
            row = json.loads(response.read())
            if response.status in (429, 503):
                turn.outcome = "busy"
                return
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}: {row}")
        turn.outcome = "answered" if row["status"] == "answered" else "silent"
        for cited in row["citations"]:
            bodies = self.texts(cited["article_id"])
            if all(body[cited["start"] : cited["end"]] != cited["quote"] for body in bodies):
                turn.problems.append(f"not archived: {cited['article_id']} {cited['quote']!r}")

    def untrue(self, shown: str) -> list[str]:
        """Return what is wrong with the highlights of an answer."""
        marks = {name: html.unescape(words) for name, words in _MARK.findall(shown)}
        wrong = []
        for name, sent in _CITE.findall(shown):
            named = json.loads(html.unescape(sent))
            [(start, end)] = named["spans"]
            article = self.archive().get(named["id"], named["content"])
            if article is None or article.body[start:end] != marks.get(name):
                wrong.append(f"{named['id']}[{start}:{end}] is not {marks.get(name)!r}")
        return wrong

    def look(self, chat: int, shown: str, luck: Sequence[float]) -> None:
        """Do what a page, or the person before it, does after an answer."""
        cookie = self.cookies[chat]
        self.timed("/page/conversations", "", cookie)
        if luck[1] < _OPENS and (cited := _CITE.search(shown)):
            named = json.loads(html.unescape(cited[2]))
            spans = json.dumps(named["spans"])
            known = {"id": named["id"], "content": named["content"], "spans": spans}
            self.timed("/page/article", "article", cookie, **known)
        if luck[2] < _LISTS and (listed := _LIST.search(shown)):
            query = json.loads(html.unescape(listed[1]))
            query = {name: value for name, value in query.items() if value}
            self.timed("/page/search", "list", cookie, **query)
        if found := _PLACE.search(shown):
            self.timed("/page/next", "next", cookie, conversation=found[1], turn=found[2])

    def timed(self, path: str, kind: str, cookie: str, **query: object) -> None:
        begun = time.monotonic()
        try:
            status, _ = self.site.get(path, cookie, **query)
        except (OSError, http.client.HTTPException) as error:
            self.failed[f"{path}: {type(error).__name__}"] += 1
            return
        if status != 200:
            self.failed[f"{path}: HTTP {status}"] += 1
        elif kind:
            self.beside[kind].append(time.monotonic() - begun)

    def poll(self, chats: int) -> None:
        """Ask for the status as so many open pages do."""
        while not self.over.wait(_POLL / chats):
            self.timed("/page/status", "status", self.rng.choice(self.cookies))

    def archive(self) -> Archive:
        if not hasattr(self._archive, "opened"):
            self._archive.opened = Archive.open(self.home / FILE_NAME)
        opened: Archive = self._archive.opened
        return opened

    def texts(self, article_id: str) -> list[str]:
        names = ["", *(each.content for each in self.archive().earlier(article_id))]
        return [a.body for name in names if (a := self.archive().get(article_id, name))]

    # The operator ------------------------------------------------------------------------------

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "commands.main", "--home", str(self.home)] + [
            *map(str, arguments)
        ]

    def publish(self) -> None:
        """Add a few new articles and change a few, and build; so many times, evenly spread."""
        for number in range(self.given.publish):
            due = self.begun + (number + 0.5) * self.given.seconds / self.given.publish
            if self.over.wait(max(0.0, due - time.monotonic())):
                return
            rows = []
            for n in (
                *range(5 * number, 5 * number + 5),
                *range(max(0, 5 * number - 5), 5 * number),
            ):
                title, body, _ = story(10**7 + n)
                body += f"\nDiperbarui pada hitungan ke-{number}."
                row = {"id": f"load-{n}", "title": title, "text": body, "source": "Harian Uji"}
                rows.append(json.dumps(row))
            file = self.given.out / "new.jsonl"
            file.write_text("\n".join(rows) + "\n", encoding="utf-8")
            for arguments in (("add", file), ("build",)):
                done = subprocess.run(
                    self.command(*arguments), cwd=self.given.code, capture_output=True, text=True
                )
                if done.returncode:
                    self.failed[f"tanya {arguments[0]}: {done.stderr[-200:]}"] += 1
            self.published.append(time.monotonic() - self.begun)

    def watch(self, process: int) -> None:
        """Note the server's memory and processor time each second."""
        clock = os.sysconf("SC_CLK_TCK")
        while not self.over.wait(1):
            try:
                status = Path(f"/proc/{process}/status").read_text()
                used = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                return
            kept = dict(re.findall(r"(VmRSS|Threads):\s+(\d+)", status))
            self.memory.append(
                {
                    "at": time.monotonic() - self.begun,
                    "megabytes": int(kept["VmRSS"]) / 1024,
                    "threads": int(kept["Threads"]),
                    "cpu": (int(used[11]) + int(used[12])) / clock,
                }
            )

    # The whole -----------------------------------------------------------------------------------

    def run(self) -> None:
        with (self.given.out / "server.log").open("w") as log:
            server = subprocess.Popen(
                self.command("serve", "--port", 0),
                cwd=self.given.code,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": str(self.given.code)},
            )
            assert server.stdout is not None
            line = server.stdout.readline()
            self.site = Site(line[line.index("http") :].split()[0])
            time.sleep(self.given.warm)
            self.begun = time.monotonic()
            helpers = [
                threading.Thread(target=self.watch, args=(server.pid,)),
                threading.Thread(target=self.poll, args=(self.given.chats,)),
                threading.Thread(target=self.publish),
            ]
            for helper in helpers:
                helper.start()
            self.arrive()
            self.over.set()
            for helper in helpers:
                helper.join()
            begun = time.monotonic()
            server.send_signal(signal.SIGTERM)
            say(f"stopped with status {server.wait(60)} in {time.monotonic() - begun:.1f} s")
            server.stdout.close()

    def arrive(self) -> None:
        """Let questions come at random moments, without waiting for answers."""
        due = self.begun
        with ThreadPoolExecutor(600) as people:
            for number in range(10**9):
                due += self.rng.expovariate(self.given.rate)
                if due > self.begun + self.given.seconds:
                    break
                time.sleep(max(0.0, due - time.monotonic()))
                chat = self.rng.randrange(self.given.chats)
                api = self.rng.random() < self.given.api
                luck = [self.rng.random() for _ in range(3)]
                question = self.questions[number % len(self.questions)]
                people.submit(self.ask, number, chat, question, api, luck)


def questions(files: Sequence[Path], rng: random.Random) -> list[str]:
    """Return the questions of some files in a random order."""
    found = []
    for path in files:
        opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8")
        with opened as lines:
            found += [json.loads(line)["question"] for line in lines if line.strip()]
    rng.shuffle(found)
    return found


# What came of it ---------------------------------------------------------------------------------


def torn(home: Path, turns: Sequence[Asked]) -> list[str]:
    """Return what is wrong with the kept turns: a version never published, or one of no version."""
    versions = Versions.of(home, settings.load(home).engine)
    names = set(versions.names())
    places = {turn.place: turn for turn in turns if turn.place}
    wrong, cited = [], []
    with Archive.open(home / FILE_NAME) as archive:
        for kept in History.of(home).all_turns():
            if places.pop(f"{kept.conversation} {kept.number}", None) is None:
                continue
            if kept.turn is None:
                wrong.append(f"{kept.conversation} {kept.number}: not kept")
                continue
            version = kept.turn.answer.evidence.version
            if version not in names:
                wrong.append(f"{kept.conversation} {kept.number}: version {version!r}")
                continue
            for c in kept.turn.answer.citations:
                article = archive.get(c.passage.article_id, c.passage.content)
                if article is None or article.body[c.start : c.end] != c.quote:
                    wrong.append(f"{kept.conversation} {kept.number}: {c.quote!r}")
                cited.append((version, c.passage))
    for version in sorted({version for version, _ in cited}):
        index = versions.opened(version)
        for passage in {p.id: p for v, p in cited if v == version}.values():
            if index.passages([passage.id])[0].content != passage.content:
                wrong.append(f"{passage.id} is not of version {version}")
        index.close()
    say(
        f"quotes compared with their versions: {len(cited)}, versions answered from: "
        f"{len({version for version, _ in cited})} of {len(names)}"
    )
    return wrong + [f"{place}: shown, but not in the history" for place in places]


def shares(values: Sequence[float]) -> str:
    """Return the median, the 95th percentile and the worst."""
    if not values:
        return "none"
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 1.0)]
    return "median {:.2f}  95% {:.2f}  worst {:.2f} s".format(*at) + f"  of {len(ordered)}"


def tell(trial: Trial, wrong: Sequence[str]) -> None:
    """Print the table."""
    turns, seconds = trial.turns, trial.given.seconds
    outcomes = Counter(turn.outcome for turn in turns)
    done = [turn for turn in turns if turn.outcome in ("answered", "silent")]
    say(
        f"turns {len(turns)} in {seconds:g} s ({len(turns) / seconds:.2f} a second), "
        f"chats {trial.given.chats}, versions published {len(trial.published)}"
    )
    say("outcomes: " + ", ".join(f"{name} {count}" for name, count in outcomes.most_common()))
    for way in ("page", "api"):
        say(f"{way}, complete:     {shares([t.whole for t in done if t.way == way])}")
    say(f"page, first words:  {shares([t.first for t in done if t.first is not None])}")
    say(f"busy, told after:   {shares([t.whole for t in turns if t.outcome == 'busy'])}")
    for name, times in trial.beside.items():
        say(f"{name + ':':<19} {shares(times)}")
    problems = [problem for turn in turns for problem in turn.problems]
    say(
        f"problems: {len(problems)}; torn or untrue as kept: {len(wrong)}; "
        f"requests beside that failed: {sum(trial.failed.values())}"
    )
    for problem in [*problems[:5], *wrong[:5], *map(str, trial.failed.most_common(5))]:
        say(f"    {problem}")
    memory = [point["megabytes"] for point in trial.memory]
    if len(memory) > 10:
        tenth = len(memory) // 10
        second, last = (sum(some) / tenth for some in (memory[tenth : 2 * tenth], memory[-tenth:]))
        used = trial.memory[-1]["cpu"] - trial.memory[0]["cpu"]
        cores = used / trial.memory[-1]["at"]
        say(
            f"memory: {memory[0]:.0f} MB at first, {second:.0f} in the second tenth, {last:.0f} in "
            f"the last, peak {max(memory):.0f}; threads {max(p['threads'] for p in trial.memory)}"
        )
        say(f"processor: {cores:.2f} cores, {used / max(1, len(done)):.3f} s for each turn done")


def plot(trial: Trial, path: Path) -> None:
    """Draw latency and memory over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(10, 7), sharex=True)
    colours = {
        "answered": "blue",
        "silent": "cyan",
        "busy": "orange",
        "error": "red",
        "lost": "red",
    }
    for outcome, colour in colours.items():
        some = [t for t in trial.turns if t.outcome == outcome]
        above.plot(
            [t.at for t in some],
            [t.whole for t in some],
            ".",
            ms=3,
            color=f"tab:{colour}",
            label=f"{outcome} {len(some)}",
        )
    above.set_ylabel("seconds until complete")
    above.legend(loc="upper left", ncols=5, fontsize=8)
    below.plot([p["at"] for p in trial.memory], [p["megabytes"] for p in trial.memory])
    below.set_ylabel("server's memory, MB")
    below.set_ylim(0)
    below.set_xlabel(f"seconds; {trial.given.rate:g} turns a second; dashed: versions")
    for at in trial.published:
        below.axvline(at, color="0.7", ls="--", lw=0.7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=5.0, help="turns a second")
    parser.add_argument("--publish", type=int, default=20, help="versions")
    parser.add_argument("--api", type=float, default=0.1, help="share of turns that go to /api")
    parser.add_argument("--code", type=Path, default=ROOT, help="a checkout to serve")
    parser.add_argument("--warm", type=float, default=8, help="seconds before the first question")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    given.out, given.home, given.code = (p.resolve() for p in (given.out, given.home, given.code))
    trial = Trial(given)
    trial.run()
    wrong = torn(given.home, trial.turns)
    tell(trial, wrong)
    for name, rows in (("turns", [*map(asdict, trial.turns)]), ("memory", trial.memory)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (given.out / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    plot(trial, given.out / "load.png")


if __name__ == "__main__":
    main()
