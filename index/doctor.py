"""Examines a home, file by file: what is damaged, what is left over, what can be done; and does it.

Nothing is written by `examine`. `repair` never touches the archive.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from index import archive as archives
from index import build as builds
from index import manifest as manifests
from index import settings
from index.errors import (
    ArchiveError,
    BusyError,
    EngineError,
    IndexDamagedError,
    IndexMissingError,
    IndexUnreadableError,
    TanyaError,
)
from index.files import TEMPORARY
from index.home import OpenHome, open_versions
from index.records import Article
from index.seen import FILE_NAME as WATCH
from index.sqlite import connect_still, quick_check
from index.versions import LIVE, NEW, PREPARED, Versions

CHATS, ACCOUNTS = "chats.db", "users.db"

Progress = Callable[[str, int, int], None]
"""Called with what is examined, the bytes done, and the bytes in all."""

DAMAGED, LEFT_OVER, FOREIGN = "damaged", "left over", "foreign"

_STOPPED = dt.timedelta(hours=1)
"""A file that is being written, and was not for so long, is left over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, and what can be done.

    `kind` is DAMAGED, LEFT_OVER, or FOREIGN: whole, of a newer program or another search engine.
    """

    kind: str
    what: str
    problem: str
    advice: str


@dataclass(frozen=True, slots=True)
class VersionState:
    """A version: `faults` names each damaged file; none where it is whole.

    One of the first release has no checksums: its sizes were compared, and it was opened.
    """

    name: str
    live: bool
    faults: tuple[str, ...]
    checksums: bool


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found of a home."""

    home: Path
    articles: int | None
    versions: tuple[VersionState, ...]
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Tell whether nothing is wrong; what a stopped program left harms nothing."""
        return all(finding.kind == LEFT_OVER for finding in self.findings)

    @property
    def whole(self) -> list[str]:
        """Return the names of the versions that are whole, oldest first."""
        return [version.name for version in self.versions if not version.faults]


def examine(
    home: Path, now: dt.datetime, progress: Progress = lambda what, done, total: None
) -> Examination:
    """Read everything in a home and tell what is wrong; it may be asked and built meanwhile."""
    looked = _Examiner(home, progress)
    looked.archive()
    looked.database(CHATS, "Move it away: conversations begin anew.")
    looked.database(ACCOUNTS, "See what `tanya restore` can bring back; nobody can log in.")
    looked.database(WATCH, "Delete it: the watcher reads everything once more.")
    versions = looked.settings()
    if versions is not None:
        looked.versions(versions)
        looked.live(versions)
    looked.leftovers(versions, now)
    return Examination(home, looked.articles, tuple(looked.states), tuple(looked.findings))


class _Examiner:
    """Gathers what is found of one home."""

    def __init__(self, home: Path, progress: Progress) -> None:
        self.home = home
        self.articles: int | None = None
        self.states: list[VersionState] = []
        self.findings: list[Finding] = []
        self._progress = progress

    def _find(self, kind: str, what: str, problem: object, advice: str) -> None:
        self.findings.append(Finding(kind, what, " ".join(str(problem).split()), advice))

    def settings(self) -> Versions | None:
        try:
            return open_versions(self.home)
        except TanyaError as error:
            self._find(DAMAGED, settings.FILE_NAME, error, "Mend the file.")
            return None

    # Databases

    def archive(self) -> None:
        """Check the archive's pages, and each article's text against its hash."""
        name, restore = archives.FILE_NAME, "See what `tanya restore` can bring back."
        path = self.home / name
        if not path.exists():
            self._find(DAMAGED, name, "There is none.", restore)
            return
        self._progress(name, 0, path.stat().st_size)
        try:
            with closing(connect_still(path)) as db:
                schema = int(db.execute("PRAGMA user_version").fetchone()[0])
                if schema > archives.SCHEMA:
                    problem = f"It was written by a newer Tanya Arsip (schema {schema})."
                    self._find(FOREIGN, name, problem, "Upgrade the program.")
                    return
                if not schema:
                    self._find(DAMAGED, name, "It is empty, or no archive.", restore)
                    return
                if problem := quick_check(db):
                    self._find(DAMAGED, name, problem, restore)
                self._altered(db, restore)
                self.articles = int(db.execute("SELECT count(*) FROM article").fetchone()[0])
        except sqlite3.Error as error:
            self._find(DAMAGED, name, error, restore)

    def _altered(self, db: sqlite3.Connection, restore: str) -> None:
        rows = db.execute("SELECT id, title, body, content FROM article")
        altered = [i for i, title, body, content in rows if _hash(title, body) != content]
        if altered:
            problem = f"The text of {len(altered):,} articles was altered, of {altered[0]!r} first."
            self._find(DAMAGED, archives.FILE_NAME, problem, restore)

    def database(self, name: str, advice: str) -> None:
        path = self.home / name
        if not path.exists():
            return
        self._progress(name, 0, path.stat().st_size)
        try:
            with closing(connect_still(path)) as db:
                if problem := quick_check(db):
                    self._find(DAMAGED, name, problem, advice)
        except sqlite3.Error as error:
            self._find(DAMAGED, name, error, advice)

    # Versions

    def versions(self, versions: Versions) -> None:
        """Read every file of every version, one that several share once."""
        live = _live(versions)
        read: manifests.Read = {}
        names = versions.names()
        for at, name in enumerate(names):
            folder = versions.path(name)
            self._progress(f"version {name}", at, len(names))
            checked = False
            try:
                if not (faults := manifests.faults(folder, read)):
                    checked = manifests.has_checksums(folder)
                    if self._is_foreign(versions, name, name == live):
                        continue
                    if name == live or not checked:
                        faults = _opening_faults(versions, name)
            except IndexUnreadableError as error:
                self._find(FOREIGN, f"version {name}", error, "Nothing else is wrong with it.")
                continue
            except EngineError as error:
                self._find(DAMAGED, f"version {name}", error, "Start the search engine's server.")
                continue
            if not folder.is_dir():
                # Pruned meanwhile.
                continue
            self.states.append(VersionState(name, name == live, tuple(faults), checked))
        for state in self.states:
            if state.faults:
                more = f", and {len(state.faults) - 1} more" if len(state.faults) > 1 else ""
                told = f"{state.faults[0]}{more}"
                self._find(DAMAGED, f"version {state.name}", told, manifests.REPAIR)

    def _is_foreign(self, versions: Versions, name: str, live: bool) -> bool:
        """Tell whether another engine made a version, which matters of the live one alone."""
        engine = versions.describe(name).recipe.engine
        if engine != versions.engine and live:
            problem = f"The engine {engine!r} made it, tanya.toml names {versions.engine!r}."
            advice = "Run `tanya build`, or mend `location` under [engine] in tanya.toml."
            self._find(FOREIGN, f"version {name}", problem, advice)
        return engine != versions.engine

    def live(self, versions: Versions) -> None:
        """Look at which version is live."""
        try:
            live = versions.live()
        except IndexDamagedError as error:
            self._find(DAMAGED, LIVE, error, manifests.REPAIR)
            return
        names = versions.names()
        if live is None and names:
            self._find(DAMAGED, LIVE, "No version is live.", manifests.REPAIR)
        if live is not None and live not in names:
            self._find(DAMAGED, LIVE, f"There is no version {live!r}.", manifests.REPAIR)

    # What is left over

    def leftovers(self, versions: Versions | None, now: dt.datetime) -> None:
        """Look for what stopped programs left; in versions/ nothing is while a build is under way.

        What they leave in temporary folders bears their process' number.
        """
        found = [p for p in (*self.home.glob("*.part"), *self.home.glob("reports/*.part"))]
        found = [p for p in found if _age(p, now) > _STOPPED]
        for path in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*-*"):
            process = path.name.removeprefix(TEMPORARY).partition("-")[0]
            if process.isdecimal() and _is_ours(path) and not _runs(int(process)):
                found.append(path)
        if versions is not None:
            found += _left_of_builds(self.home, versions)
        for path in sorted(found):
            self._find(LEFT_OVER, str(path), "A stopped program left it.", manifests.REPAIR)


def _age(path: Path, now: dt.datetime) -> dt.timedelta:
    with suppress(OSError):
        return now - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return dt.timedelta()


def _hash(title: str, body: str) -> str:
    return archives.content_hash(Article("", "", title, body))


def _live(versions: Versions) -> str | None:
    with suppress(IndexDamagedError):
        return versions.live()
    return None


def _opening_faults(versions: Versions, name: str) -> list[str]:
    """Open a version and its databases, and search it; return what is wrong."""
    folder = versions.path(name)
    if not manifests.has_checksums(folder):
        for path in folder.rglob("*.db"):
            with manifests.reading(folder), closing(connect_still(path)) as db:
                if problem := quick_check(db):
                    return [f"{path.relative_to(folder).as_posix()}: {problem}"]
    return versions.opening_faults(name)


def _left_of_builds(home: Path, versions: Versions) -> list[Path]:
    folder = versions.path(NEW).parent
    there = [path for path in (folder / NEW, folder / f"{LIVE}.part") if path.exists()]
    prepared = folder / PREPARED
    if there or prepared.exists():
        with suppress(BusyError, OSError), versions.lock():
            return there + (_unwanted(home, versions) if prepared.exists() else [])
    return []


def _unwanted(home: Path, versions: Versions) -> list[Path]:
    """Return what was prepared for builds that will not come: by another recipe, or for nothing."""
    wanted: Path | None = None
    try:
        with OpenHome.open(home) as opened:
            live = versions.live()
            same = live is not None and versions.describe(live).recipe == opened.recipe
            if not same or any(builds.waiting(opened.archive, versions, live)):
                wanted = builds.Finished(versions.path(PREPARED), opened.recipe).folder
    except (TanyaError, sqlite3.Error):
        # What is damaged may have to be built anew.
        return []
    return [path for path in versions.path(PREPARED).iterdir() if path != wanted]


def _is_ours(path: Path) -> bool:
    """Tell whether a file is this user's; others' programs are not ours to tidy up after."""
    try:
        return path.lstat().st_uid == os.getuid()
    except FileNotFoundError:
        return False


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except OSError:
        pass
    return True


# Mending -----------------------------------------------------------------------------------------


def repair(
    found: Examination,
    now: dt.datetime,
    progress: builds.Progress = lambda stage, done, total: None,
) -> list[str]:
    """Mend what can be mended; return what was done, a sentence each.

    The newest whole version becomes live; where none is, one is built anew from the archive. Then
    damaged versions go, and leftovers. Raises BusyError while something is built, and ArchiveError
    where a version must be made of an archive that is not whole.
    """
    home = found.home
    versions = open_versions(home)
    done = []
    damaged = [state.name for state in found.versions if state.faults]
    wrong = {finding.what for finding in found.findings if finding.kind == DAMAGED}
    if LIVE in wrong or _live(versions) in damaged:
        if found.whole:
            done.append(f"Version {_make_live(versions, found.whole)} is live.")
        elif archives.FILE_NAME in wrong:
            raise ArchiveError(
                "No version is whole, and the archive is not: restore the home from a backup, "
                "`tanya restore`."
            )
        else:
            with OpenHome.open(home) as opened:
                made = opened.archive, opened.versions, opened.recipe, opened.embedder
                report = builds.build(*made, now=now, full=True, progress=progress)
            name = report.version.name if report.version else ""
            done.append(f"Version {name} was built anew from the archive, and is live.")
    if damaged:
        versions.delete(damaged)
        done.append(f"Deleted {', '.join(damaged)}: damaged.")
    for finding in found.findings:
        if finding.kind == LEFT_OVER:
            done.append(_remove(versions, Path(finding.what)))
    return [each for each in done if each]


def _make_live(versions: Versions, whole: list[str]) -> str:
    with suppress(IndexMissingError):
        return versions.rollback()
    versions.switch(whole[-1])
    return whole[-1]


def _remove(versions: Versions, path: Path) -> str:
    """Remove what was left over; what a build wrote meanwhile stays."""
    if path == versions.path(NEW):
        with versions.lock():
            versions.clear()
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
    return "" if path.exists() else f"Deleted {path}: left over."
