"""Watches folders and feeds: what is new or changed there is added, built, and live in seconds.

Folders are looked at again and again, which works on every file system; network shares tell of no
changes. A look that takes long is followed by a longer pause.
"""

from __future__ import annotations

import datetime as dt
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from index import build as builds
from index import reports, settings
from index.adding import Reader
from index.archive import AddReport
from index.errors import (
    ArchiveError,
    BusyError,
    DiskError,
    EngineError,
    FetchError,
    GateError,
    IndexDamagedError,
    InputError,
)
from index.fetch import Fetcher, netloc_of
from index.files import locked
from index.follow import Feeds, Found
from index.home import OpenHome
from index.reading.dates import ZONES
from index.reading.files import find_files, read
from index.records import Article, ReadProblem
from index.refusals import sentence
from index.seen import FILE_NAME, Seen, Signature

Published = Callable[[str, AddReport], None]

LOOK = 1.0
"""Seconds between two looks at the folders."""

# A look may take this share of the time.
_LOOK_SHARE = 0.1
# A file is read when nothing was written to it for so many seconds; longer where its end looks as
# if more will come.
_SETTLED, _HALF_SETTLED = 1.0, 5.0
# Pages of feeds come one every few seconds: so many seconds, or so many pages, make one version.
_GATHERED, _MOST_GATHERED = 10.0, 100
_TRY_AGAIN = 5.0
_OPEN_AGAIN = 60.0
_ONCE = 60.0
_PROBLEMS_TOLD = 20

_PASSING = (BusyError, ArchiveError, DiskError, EngineError, GateError, OSError, sqlite3.Error)
"""Another process is writing, a disk is full, a server is away: the next pass may do better."""


def lock(home: Path) -> AbstractContextManager[None]:
    """Be the one watcher of a home; raises BusyError if another process is."""
    home.mkdir(parents=True, exist_ok=True)
    return locked(home / ".watch.lock", "is watching for this home")


def check_feeds(urls: Sequence[str]) -> None:
    """Raise InputError for the first that is no address of a feed."""
    for url in urls:
        try:
            netloc_of(url)
        except FetchError as error:
            raise InputError(f"{error}.") from error


@contextmanager
def opened(
    home: Path,
    folders: Sequence[Path],
    feeds: Sequence[str],
    reader: Reader,
    say: Callable[[str], None],
    publisher: str = "",
    published: Published = lambda version, report: None,
) -> Iterator[Watcher]:
    """Open the one watcher of a home, as its settings say; raises BusyError if another has it.

    `published` is told of each version that is made, and of what was added since the one before.
    """
    chosen = settings.load(home)
    with (
        lock(home),
        OpenHome.open(home, create=True) as inside,
        closing(Seen(home / FILE_NAME)) as seen,
    ):
        followed = None
        if feeds:
            fetcher, zone = Fetcher(chosen.watch), ZONES[chosen.add.timezone]
            followed = Feeds(feeds, seen, fetcher, chosen.watch, publisher=publisher, zone=zone)
        watched = Folders(folders, seen)
        journal = reports.Journal(home, reports.begin("watch", [*folders, *feeds], _utc_now()))
        keep = chosen.watch.keep
        yield Watcher(
            inside,
            watched,
            followed,
            say,
            reader=reader,
            keep=keep,
            note=journal.note,
            published=published,
        )


@dataclass(slots=True)
class Look:
    """What a look at the folders found: files to read, files to wait for, and problems."""

    ready: list[tuple[Path, Signature]] = field(default_factory=list)
    waiting: int = 0
    problems: list[ReadProblem] = field(default_factory=list)


class Folders:
    """Finds the files that are new or changed since they were read."""

    def __init__(
        self,
        paths: Sequence[Path],
        seen: Seen,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._paths = [Path(os.path.abspath(path)) for path in paths]
        self._seen, self._clock, self._now = seen, clock, now
        self._read = seen.files()
        self._changing: dict[Path, tuple[Signature, float]] = {}
        self._put_off: dict[Path, float] = {}
        self._away: set[Path] = set()

    def look(self) -> Look:
        """Look at every folder. One that cannot be read is told once, and again when it is back."""
        look = Look()
        listed: dict[Path, None] = {}
        whole: list[Path] = []
        for folder in self._paths:
            try:
                files = find_files([folder])
            except (InputError, OSError) as error:
                # A share whose server is gone fails in its own way.
                if folder not in self._away:
                    self._away.add(folder)
                    reason = f"{error} Nothing is taken from it until it is there."
                    look.problems.append(ReadProblem(str(folder), reason))
                continue
            if folder in self._away:
                self._away.remove(folder)
                look.problems.append(ReadProblem(str(folder), "It is back."))
            listed.update(dict.fromkeys(files))
            # A share that is not mounted looks like an empty folder.
            whole.extend([folder] if files else [])
        for file in listed:
            signature = signature_of(file)
            if signature is None or self._read.get(_name(file)) == signature:
                continue
            if self._clock() < self._put_off.get(file, 0.0):
                continue
            if self._is_settled(file, signature):
                look.ready.append((file, signature))
            else:
                look.waiting += 1
        self._forget_gone(listed, whole)
        return look

    def away(self) -> list[Path]:
        """Return the folders that the last look could not read."""
        return sorted(self._away)

    def keep(self, read: Sequence[tuple[Path, Signature]]) -> None:
        """Remember files as they were when their articles went into the archive."""
        named = [(_name(file), signature) for file, signature in read]
        self._seen.keep_files(named)
        self._read.update(named)

    def put_off(self, file: Path) -> bool:
        """Leave a file alone for a while, for it cannot be opened; tell whether it is the first."""
        first = file not in self._put_off
        self._put_off[file] = self._clock() + _OPEN_AGAIN
        return first

    def _is_settled(self, file: Path, signature: Signature) -> bool:
        known, since = self._changing.get(file, (None, 0.0))
        if known != signature:
            since = self._clock()
            self._changing[file] = signature, since
        # Both clocks, for those of other machines are wrong at times.
        quiet = max(self._clock() - since, self._now() - signature.modified / 1e9)
        if quiet < _SETTLED or (quiet < _HALF_SETTLED and _ends_half(file)):
            return False
        del self._changing[file]
        return True

    def _forget_gone(self, listed: dict[Path, None], folders: Sequence[Path]) -> None:
        names = {_name(file) for file in listed}
        begins = tuple(f"{_name(folder)}{os.sep}" for folder in folders)
        gone = [name for name in self._read if name not in names and name.startswith(begins)]
        if gone:
            self._seen.keep_files((), gone)
        for name in gone:
            del self._read[name]
        self._changing = {file: known for file, known in self._changing.items() if file in listed}


def _name(file: Path) -> str:
    """Return a file's name as text that can be stored; names on disk may be any bytes."""
    return os.fsencode(file).decode("utf-8", "backslashreplace")


def signature_of(file: Path) -> Signature | None:
    """Return what tells that a file changed; None where it is not there."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return Signature(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


_ENDS_OF_JSON = (b"}", b"]")
_ENDS = (*_ENDS_OF_JSON, b">", b".", b"!", b"?", b'"', b")", "”".encode())


def _ends_half(file: Path) -> bool:
    """Tell whether a file ends as if more will come: in the middle of a line, a row, a page."""
    try:
        with file.open("rb") as content:
            if content.read(2) == b"\x1f\x8b":
                return False
            content.seek(-min(64, content.seek(0, os.SEEK_END)), os.SEEK_END)
            end = content.read()
    except OSError:
        return True
    ends = _ENDS_OF_JSON if ".json" in file.name.lower() else _ENDS
    return not end.endswith(b"\n") and not end.rstrip().endswith(ends)


class Watcher:
    """Brings what folders and feeds have into a home's archive and index, pass by pass."""

    def __init__(
        self,
        home: OpenHome,
        folders: Folders,
        feeds: Feeds | None,
        say: Callable[[str], None],
        *,
        reader: Reader = read,
        keep: int = 10,
        note: reports.Note = lambda added, told, failure: None,
        published: Published = lambda version, report: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._folders, self._feeds, self._say = folders, feeds, say
        self._reader, self._keep, self._note, self._clock = reader, keep, note, clock
        self._published = published
        self._told: list[ReadProblem] = []
        version = None
        # A damaged version is built anew at the first pass.
        with suppress(IndexDamagedError):
            live = home.versions.live()
            version = home.versions.describe(live) if live else None
        self._last_state = home.archive.state()
        self._built = version.state if version and version.recipe == home.recipe else ""
        if version is None and not home.archive.counts().articles:
            self._built = self._last_state
        self._gathered: list[Found] = []
        self._gathered_since = 0.0
        self._not_before = 0.0
        self._trouble: Exception | None = None

    def run_once(self, wait: Callable[[float], object] = time.sleep) -> None:
        """Take what is there now; files that are being written are waited for, a minute at most.

        Raises what kept it from building, where that did not end by then, and InputError for a
        folder that is not there, once all else is taken.
        """
        if self._feeds is not None:
            self._gathered.extend(self._feeds.read())
        until = self._clock() + _ONCE
        while True:
            look = self._folders.look()
            self.take(look)
            refused = isinstance(self._trouble, GateError)  # by what no second try changes
            if refused or not (look.waiting or self._trouble) or self._clock() >= until:
                break
            wait(LOOK)
        if self._trouble is not None:
            raise self._trouble
        if away := self._folders.away():
            raise InputError(f"Not looked at: {', '.join(repr(str(path)) for path in away)}.")

    def run(self, every: float, wait: Callable[[float], object] = time.sleep) -> None:
        """Watch until something is raised here; ask the feeds all `every` seconds."""
        inbox: _Inbox = queue.Queue(_MOST_GATHERED)
        if self._feeds is not None:
            arguments = (self._feeds, inbox, every)
            threading.Thread(target=_follow, args=arguments, name="feeds", daemon=True).start()
        while True:
            begun = self._clock()
            look = self._folders.look()
            took = self._clock() - begun
            self._gather(inbox)
            self.take(look)
            wait(max(LOOK, took / _LOOK_SHARE))

    def _gather(self, inbox: _Inbox) -> None:
        while len(self._gathered) < _MOST_GATHERED and not inbox.empty():
            found = inbox.get()
            if isinstance(found, BaseException):
                raise found
            if not self._gathered:
                self._gathered_since = self._clock()
            self._gathered.append(found)

    def take(self, look: Look) -> None:
        """Make one pass: add what was found, build, tell what was done."""
        self._tell(look.problems)
        begun = self._clock()
        if begun < self._not_before:
            return
        full = len(self._gathered) >= _MOST_GATHERED
        ripe = look.ready or full or begun - self._gathered_since >= _GATHERED
        reading = _Reading(look.ready, self._gathered if ripe else [], self._reader)
        version = ""
        report = AddReport()
        try:
            if look.ready or reading.found:
                for so_far in self._home.archive.add(reading.articles(), _utc_now()):
                    report = so_far
                    self._remember(reading)
            version = self._build(report)
            self._trouble = None
        except _PASSING as error:
            self._not_before = self._clock() + _TRY_AGAIN
            if isinstance(error, OSError | sqlite3.Error):
                error = DiskError(sentence(error, self._home.archive.path))
            if str(error) != str(self._trouble):
                self._say(f"{_stamp()} {error} It is tried again.")
            self._trouble = error
        if version:
            self._published(version, report)
        self._tell_unread(reading)
        if report.new or report.changed or version or (look.ready and reading.told):
            self._say(
                f"{_stamp()} new {report.new:,} · changed {report.changed:,} · "
                f"problems {reading.told:,} · version {version or '-'} · "
                f"{self._clock() - begun:.1f} s"
            )
        self._note(report, self._told, str(self._trouble or ""))
        self._told.clear()

    def _remember(self, reading: _Reading) -> None:
        """Note what is in the archive, so that no restart reads it again; tell its problems."""
        if reading.files_done:
            self._folders.keep(reading.files_done)
            reading.files_done.clear()
        if self._feeds is not None and reading.found_done:
            self._feeds.finish(found.item for found in reading.found_done if found.item)
            done = {id(found) for found in reading.found_done}
            self._gathered = [found for found in self._gathered if id(found) not in done]
            reading.found_done.clear()
        self._tell(reading.problems)
        reading.told += sum(not problem.note for problem in reading.problems)
        reading.problems.clear()

    def _build(self, report: AddReport) -> str:
        """Build if the archive is not as it was built; return the new version's name or "".

        What another process adds is left until it is quiet for a look.
        """
        state = self._home.archive.state()
        quiet = report.new or report.changed or state == self._last_state
        self._last_state = state
        if state == self._built or not quiet:
            return ""
        archive, versions = self._home.archive, self._home.versions
        built = builds.build(
            archive, versions, self._home.recipe, self._home.embedder, now=_utc_now()
        )
        self._built = state
        if len(versions.names()) > self._keep:
            versions.prune(self._keep)
        return built.version.name if built.version else ""

    def _tell_unread(self, reading: _Reading) -> None:
        """Tell once of each file that cannot be opened, and leave it for a while."""
        told = [problem for file, problem in reading.unread if self._folders.put_off(file)]
        self._tell(told)
        reading.told += len(told)

    def _tell(self, problems: Sequence[ReadProblem]) -> None:
        self._told.extend(problems)
        for problem in problems[:_PROBLEMS_TOLD]:
            self._say(f"{_stamp()} {problem.place}: {problem.reason}")
        if len(problems) > _PROBLEMS_TOLD:
            self._say(f"{_stamp()} and {len(problems) - _PROBLEMS_TOLD:,} more problems")


@dataclass(slots=True)
class _Reading:
    """Reads files and takes what feeds brought; the lists `..._done` tell what was read whole.

    `problems` are theirs, `told` counts those that were told. `unread` are files that cannot be
    opened or whose disk fails, with the problem.
    """

    files: Sequence[tuple[Path, Signature]]
    found: Sequence[Found]
    reader: Reader
    files_done: list[tuple[Path, Signature]] = field(default_factory=list)
    found_done: list[Found] = field(default_factory=list)
    problems: list[ReadProblem] = field(default_factory=list)
    told: int = 0
    unread: list[tuple[Path, ReadProblem]] = field(default_factory=list)

    def articles(self) -> Iterator[Article]:
        """Yield the articles; what is done when one is yielded stands before it."""
        for file, signature in self.files:
            problems: list[ReadProblem] = []
            for outcome in self.reader(file):
                if isinstance(outcome, Article):
                    yield outcome
                else:
                    problems.append(outcome)
            if signature_of(file) != signature:
                continue  # written to or gone meanwhile: it is looked at again
            if problems and not _is_readable(file):
                self.unread.append((file, problems[-1]))
                continue
            self.problems.extend(problems)
            self.files_done.append((file, signature))
        for found in self.found:
            if isinstance(found.outcome, Article):
                yield found.outcome
            else:
                self.problems.append(found.outcome)
            self.found_done.append(found)


def _is_readable(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            while content.read(1 << 20):
                pass
    except OSError:
        return False
    return True


_Inbox = queue.Queue[Found | BaseException]
"""What feeds brought, and last what ended the asking of them, for the watcher to raise."""


def _follow(feeds: Feeds, inbox: _Inbox, every: float) -> None:
    """Ask feeds all `every` seconds, for ever, in a thread of its own: sites may be slow."""
    try:
        while True:
            begun = time.monotonic()
            for found in feeds.read():
                inbox.put(found)
            time.sleep(max(LOOK, every - (time.monotonic() - begun)))
    except BaseException as error:
        inbox.put(error)


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _stamp() -> str:
    return dt.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
