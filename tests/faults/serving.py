"""Kills the server while it answers, and while it adds and builds what was dropped on its page.

    python -m tests.faults.serving                   `make faults` runs it with the others

A question that was answered stays kept; the work on an upload ends with the server, and the next
one clears its files away.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

from index.settings import UploadSettings
from page import texts
from qa.chat import Chat
from qa.history import History
from tests.faults import facts, tables
from tests.faults.facts import Facts
from tests.faults.forked import Running, forked, load
from tests.faults.kills import LEFTOVERS, kept
from tests.faults.stages import Stage, command
from tests.faults.tables import Chosen, Trial
from web.answering import Answering
from web.upload import FOLDER, Uploads

_BEGINS, _ENDS, _LIMIT = 120.0, 20.0, 300.0


class Serving:
    """Trials on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._before = self._facts(stage.built)
        home = stage.copy(stage.built, "reference")
        stage.must(home, "add", stage.many)
        stage.must(home, "build")
        self._after = self._facts(home)

    def _facts(self, home: Path) -> Facts:
        found = forked(lambda: facts.facts(home, ask=False), self.stage.folder / "scratch")
        if not isinstance(found.value, Facts):
            raise RuntimeError(f"the home cannot be read: {found.last_words}")
        return found.value

    # A server that adds and builds

    def upload(self, seed: int) -> Trial:
        """Drop files on the operator's page, and kill the server while it works on them."""
        rng = random.Random(f"upload {seed}")
        home = self.stage.copy(self.stage.built, "home")
        running = Running(
            command(home, "serve", "--port", "0"), self.stage.folder / "server", None, _LIMIT
        )
        number = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        after = rng.uniform(0, 12)
        problems = []
        try:
            problems += _dropped(_address(running), self.stage.many)
            time.sleep(after)
        finally:
            running.send(number)
            left = _outlived(running.group)
            ended = running.ended()
        if left:
            problems.append(f"{left} processes outlive the server")
        if "Traceback" in ended.err:
            problems.append(f"a traceback: {ended.last_words}")
        try:
            problems += self._left(home)
        except RuntimeError as error:
            problems.append(str(error))
        what = f"{number.name} {after:.1f} s after an upload"
        return Trial("serve upload", seed, what, "killed" if ended.killed else "ended", problems)

    def _left(self, home: Path) -> Iterator[str]:
        found = self._facts(home)
        if found.indexed not in (self._before.indexed, self._after.indexed):
            yield "the live version is neither the old nor the new one"
        if not found.archived.fingerprints.items() >= self._before.archived.fingerprints.items():
            yield "articles are lost"
        self.stage.must(home, "add", self.stage.many)
        self.stage.must(home, "build")
        final = self._facts(home)
        if final.archived != self._after.archived:
            yield "the archive is another one in the end"
        if final.indexed is None or self._after.indexed is None:
            yield "there is no version in the end"
        elif final.indexed.found != self._after.indexed.found:
            yield "searches find other passages in the end"
        # As the next server does when it begins.
        Uploads(home, UploadSettings())
        yield from (f"left over: {name}" for name in kept(home) & LEFTOVERS)
        yield from (f"left over: {path.name}" for path in (home / FOLDER).glob("*"))

    # A server that answers

    def answering(self, seed: int) -> Trial:
        """Answer questions as the page has them answered, and kill the process meanwhile."""
        rng = random.Random(f"answering {seed}")
        home = self.stage.copy(self.stage.built, "home")
        running = Running(lambda: _answering(home), self.stage.folder / "server", None, _LIMIT)
        while b"dijawab" not in running.out() and running.runs():
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 3))
        running.send(signal.SIGKILL)
        ended = running.ended()
        told = ended.out.count("dijawab\n")

        def job() -> tuple[int, int]:
            with closing(History.of(home)) as history:
                kept = list(history.all_turns())
            return len(kept), sum(turn.turn is not None for turn in kept)

        found = forked(job, self.stage.folder / "scratch").value
        problems = []
        if found is None:
            problems.append("the conversations cannot be read")
        elif found[1] < told or found[0] > told + 1:
            problems.append(f"{told} were answered, {found[1]} of {found[0]} are kept")
        with suppress(RuntimeError):
            if self._facts(home) != self._before:
                problems.append("the home is another one")
        return Trial("serve answers", seed, f"after {told} answers", "killed", problems)


def _answering(home: Path) -> None:
    answering = Answering(Chat.open(home), History.of(home))
    while True:
        if texts.NOT_ANSWERED not in facts.asked_on_page(answering):
            tables.say("dijawab")


def _address(running: Running) -> str:
    until = time.monotonic() + _BEGINS
    while time.monotonic() < until and running.runs():
        for word in running.out().decode(errors="replace").split():
            if word.startswith("http://"):
                return urlsplit(word).netloc
        time.sleep(0.1)
    raise RuntimeError("the server does not begin")


def _dropped(address: str, folder: Path) -> Iterator[str]:
    """Send the files of a folder as the operator's page does, and have them built."""
    with closing(http.client.HTTPConnection(address, timeout=60)) as server:

        def post(path: str, content: bytes, kind: str = "application/json") -> bytes:
            headers = {"content-type": kind, "origin": f"http://{address}"}
            server.request("POST", path, content, headers)
            answer = server.getresponse()
            told = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} was answered by {answer.status}: {told!r}")
            return told

        files = [(f"map/{file.name}", file.read_bytes()) for file in sorted(folder.iterdir())]
        try:
            named = [{"path": name, "size": len(content)} for name, content in files]
            begun = json.loads(post("/page/upload/begin", json.dumps({"files": named}).encode()))
            upload = f"/page/upload/{begun['upload']}"
            for number in begun["wanted"]:
                post(f"{upload}/{number}", files[number][1], "application/octet-stream")
            post(f"{upload}/add", b'{"build": true}')
        except (RuntimeError, OSError) as error:
            yield f"the upload failed: {error}"


def _outlived(group: int) -> int:
    """Return how many processes of a group run on after the first one has ended."""
    until = time.monotonic() + _ENDS
    while (left := sum(1 for _ in _members(group))) and time.monotonic() < until:
        time.sleep(0.2)
    return left


def _members(group: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, _, of_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state != "Z":
                yield int(folder.name)


def trials(stage: Stage, chosen: Chosen) -> Iterator[Trial]:
    """Yield two trials for each seed."""
    serving = Serving(stage)
    for seed in chosen.seeds:
        if chosen.takes("serve answers"):
            yield serving.answering(seed)
        if chosen.takes("serve upload"):
            yield serving.upload(seed)


def main() -> int:
    """Run trials as the command line says; return the exit status."""
    chosen = tables.arguments(__doc__ or "", 20)
    load()
    import gradio  # noqa: F401

    import app  # noqa: F401
    from web import server  # noqa: F401

    with tempfile.TemporaryDirectory(prefix="tanya-faults-") as folder:
        table = tables.Table("kills of the server", "tests.faults.serving")
        table.run(trials(Stage(Path(folder)), chosen), chosen.until, quiet=chosen.quiet)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
