"""Backups of a home: made while it is asked, added to and built; put back over what is damaged.

    BACKUP/backup.json        what it holds; written last
    BACKUP/archive.db, ...    every database of the home; tanya.toml; eval/
    BACKUP/versions/000012    the live version, or the newest whole one; versions/LIVE names it

A backup is laid out as a home. All else in a home can be made again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index import archive as archives
from index import manifest as manifests
from index import settings
from index.errors import (
    ArchiveError,
    BusyError,
    IndexDamagedError,
    IndexUnreadableError,
    InputError,
)
from index.files import link_or_copy, locked, sync, written_whole
from index.home import open_archive, open_versions
from index.refusals import sentence
from index.sqlite import (
    connect,
    connect_existing,
    connect_finished,
    connect_still,
    quick_check,
)
from index.text import encodable
from index.versions import FOLDER, LIVE, Versions, has_versions, name_live, number

FILE_NAME = "backup.json"
FORMAT = 1

_FILES = (settings.FILE_NAME,)
_FOLDERS = ("eval",)
_PAGES = 4096

Progress = Callable[[str, int, int], None]
"""Called with what is copied or checked, the work done, and the work in all."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `files` has each file but the version's with its size and SHA-256.

    `version` is "" where there is none, `passages` are its. `left_out` tells what is not in it, and
    why. One that was copied by hand says nothing of `made`, `home`, `program` and `files`.
    """

    made: str
    home: str
    program: str
    articles: int
    version: str
    passages: int
    files: dict[str, tuple[int, str]]
    left_out: tuple[str, ...] = ()
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back; `replaced` has what stood there, None where nothing did."""

    backup: Backup
    replaced: Path | None


# Making ------------------------------------------------------------------------------------------


def make(home: Path, to: Path, now: dt.datetime, program: str, progress: Progress) -> Backup:
    """Make a backup of a home in a new folder, which appears under its name when it is whole.

    All in it was checked. Raises InputError where the folder is there, ArchiveError where the
    archive is damaged, and BusyError while another process makes the same backup.
    """
    with open_archive(home):
        pass
    if os.path.lexists(to):
        raise InputError(f"There is already a {str(to)!r}: name another folder.")
    beside = to.with_name(f".{to.name}.part")
    beside.mkdir(parents=True, exist_ok=True)
    with locked(beside / ".lock", "is making this backup"):
        # What an interrupted one left.
        _clear(path for path in beside.iterdir() if path.name != ".lock")
        try:
            made = _fill(home, beside, now, program, progress)
            (beside / ".lock").unlink()
            progress("write", 0, 1)
            for path in (*beside.rglob("*"), beside):
                sync(path)
            os.rename(beside, to)
            sync(to.parent)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    return made


def _fill(home: Path, to: Path, now: dt.datetime, program: str, progress: Progress) -> Backup:
    left_out: list[str] = []
    # Before the archive, which then holds all of its articles.
    version, passages = _take_version(open_versions(home), to, left_out, progress)
    for name in [*_databases(home, but=archives.FILE_NAME), archives.FILE_NAME]:
        try:
            _copy_database(home / name, to / name, progress)
        except (ArchiveError, sqlite3.Error) as error:
            told = sentence(error, home / name) if isinstance(error, sqlite3.Error) else str(error)
            if name == archives.FILE_NAME:
                raise ArchiveError(f"{told} No backup was made.") from error
            (to / name).unlink(missing_ok=True)
            left_out.append(told)
    _copy_plain(home, to)
    with closing(connect_finished(to / archives.FILE_NAME)) as db:
        articles = int(db.execute("SELECT count(*) FROM article").fetchone()[0])
    files = {name: _told(to / name) for name in (*_databases(to), *_present(to, _FILES))}
    where = encodable(str(home.absolute()))
    made = Backup(
        now.isoformat(), where, program, articles, version, passages, files, tuple(left_out)
    )
    with written_whole(to / FILE_NAME) as file:
        json.dump(dataclasses.asdict(made), file, ensure_ascii=False, indent=1)
    return made


def _take_version(
    versions: Versions, to: Path, left_out: list[str], progress: Progress
) -> tuple[str, int]:
    """Take the live version, or where it is damaged the newest whole one, and what it holds."""
    names = versions.names()[::-1]
    with suppress(IndexDamagedError):
        names = list(dict.fromkeys([*filter(None, [versions.live()]), *names]))
    for at, name in enumerate(names):
        target = to / FOLDER / name
        progress("version", at, len(names))
        try:
            engine = versions.describe(name).recipe.engine
            if engine != "local":
                left_out.append(f"Version {name} stands in {engine}, which has its own backups.")
                continue
            _link_or_copy(versions.path(name), target)
            passages = _checked_version(target)
        except (IndexDamagedError, IndexUnreadableError, FileNotFoundError) as error:
            shutil.rmtree(target, ignore_errors=True)
            # It may have been pruned meanwhile.
            if versions.path(name).exists():
                left_out.append(str(error))
            continue
        name_live(to / FOLDER, name)
        return name, passages
    if set(versions.names()) - set(names):
        return _take_version(versions, to, left_out, progress)
    return "", 0


def _checked_version(folder: Path) -> int:
    """Read every file of a version and return how many passages it holds.

    Raises IndexDamagedError where it is not whole, IndexUnreadableError where it cannot be told.
    """
    manifests.assert_whole(folder)
    return manifests.version(manifests.read(folder)).passages


def _link_or_copy(source: Path, target: Path) -> None:
    """Link the files of a version, which are never written again, or copy them to another disk."""
    locks = shutil.ignore_patterns("*.lock")
    try:
        shutil.copytree(source, target, copy_function=link_or_copy, ignore=locks)
    except shutil.Error as error:
        raise FileNotFoundError(str(error)) from error


def _copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy a database as it is at one moment, and check the copy; raises ArchiveError."""
    with closing(connect_existing(source)) as ours, closing(_connect_private(target)) as theirs:
        # Without it the copy would begin anew at each write of another process.
        ours.execute("BEGIN")
        ours.execute("SELECT 1 FROM sqlite_schema").fetchone()
        theirs.execute("PRAGMA journal_mode=OFF")
        theirs.execute("PRAGMA synchronous=OFF")
        _pour(ours, theirs, source.name, progress)
    if source.name == archives.FILE_NAME:
        # All others are about people, and stay private.
        shutil.copymode(source, target)
    check_database(target, source)


def _connect_private(path: Path) -> sqlite3.Connection:
    """Make a database that only this user reads: it may hold accounts."""
    path.touch(0o600)
    return connect(path)


def _pour(
    ours: sqlite3.Connection, theirs: sqlite3.Connection, name: str, progress: Progress
) -> None:
    def show(_: int, left: int, pages: int) -> None:
        progress(name, pages - left, pages)

    ours.backup(theirs, pages=_PAGES, progress=show)


def check_database(path: Path, named: Path) -> None:
    """Raise ArchiveError where a database that nobody writes is damaged; `named` is its name."""
    try:
        with closing(connect_still(path)) as db:
            fault = quick_check(db)
    except sqlite3.DatabaseError as error:
        fault = str(error)
    if fault:
        raise ArchiveError(f"{str(named)!r} is damaged ({fault}).")


def _databases(home: Path, but: str = "") -> list[str]:
    return sorted(path.name for path in home.glob("*.db") if path.is_file() and path.name != but)


def _present(home: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if (home / name).exists()]


def _copy_plain(source: Path, target: Path) -> None:
    for name in _present(source, _FILES):
        shutil.copy2(source / name, target / name)
    for name in _present(source, _FOLDERS):
        shutil.copytree(source / name, target / name)


def _told(path: Path) -> tuple[int, str]:
    return path.stat().st_size, manifests.checksum(path)


def _clear(paths: Iterator[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


# Putting back ------------------------------------------------------------------------------------


def examine(folder: Path, progress: Progress = lambda what, done, total: None) -> Backup:
    """Read every file of a backup and return what it holds, its version only if that is whole.

    Raises InputError for what is none or of a newer program, ArchiveError where it is damaged.
    """
    there = folder / archives.FILE_NAME
    if not there.is_file():
        raise InputError(f"{str(folder)!r} is no backup: there is no {archives.FILE_NAME} in it.")
    made = _read(folder) if (folder / FILE_NAME).exists() else None
    names = _databases(folder)
    for at, name in enumerate(names):
        progress(f"check {name}", at, len(names))
        check_database(folder / name, folder / name)
    for name, told in (made.files if made else {}).items():
        if not (folder / name).is_file() or _told(folder / name) != tuple(told):
            raise ArchiveError(
                f"{name} in {str(folder)!r} is not as it was written; take another backup."
            )
    with closing(connect_still(there)) as db:
        archives.check_schema(db, there)
        articles = int(db.execute("SELECT count(*) FROM article").fetchone()[0])
    left_out = list(made.left_out) if made else []
    version, passages = "", 0
    with suppress(FileNotFoundError):
        version = (folder / FOLDER / LIVE).read_text(encoding="utf-8", errors="replace").strip()
    if version and number(version) < 0:
        left_out.append(f"{LIVE} names no version ({version[:60]!r}).")
        version = ""
    try:
        passages = _checked_version(folder / FOLDER / version) if version else 0
    except (IndexDamagedError, IndexUnreadableError) as error:
        left_out.append(str(error))
        version = ""
    if made is None:
        made = Backup("", "", "", articles, version, passages, {})
    return dataclasses.replace(
        made, articles=articles, version=version, passages=passages, left_out=tuple(left_out)
    )


def _read(folder: Path) -> Backup:
    try:
        row: dict[str, Any] = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if row["format"] > FORMAT:
            raise InputError(
                f"{str(folder)!r} was made by a newer Tanya Arsip ({row['program']}). Update the "
                "program."
            )
        return Backup(**{**row, "left_out": tuple(row["left_out"])})
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveError(
            f"{FILE_NAME} in {str(folder)!r} is damaged ({error}); take another backup."
        ) from error


def restore(
    home: Path, folder: Path, now: dt.datetime, progress: Progress, *, force: bool = False
) -> Restored:
    """Put a backup back into a home, once all of it was checked.

    What stands in its way is kept in the home's folder replaced-TIME; without `force` that raises
    InputError. Databases are written within SQLite's transactions, so that a running chat goes on.
    Raises BusyError where a build goes on, or a damaged database is open in another process.
    """
    found = examine(folder, progress)
    if home.exists() and home.samefile(folder):
        raise InputError(f"{str(folder)!r} is the home itself: name a backup.")
    in_the_way = _present(home, (*_databases(folder), *_FILES, *_FOLDERS))
    in_the_way += [FOLDER] if has_versions(home) else []
    if in_the_way and not force:
        raise InputError(
            f"{str(home)!r} has {', '.join(in_the_way)}: --force puts the backup in their "
            "place, and keeps them in a folder of their own."
        )
    versions = home / FOLDER
    versions.mkdir(parents=True, exist_ok=True)
    aside = home / f"replaced-{now:%Y%m%dT%H%M%S.%f}"
    with locked(versions / ".lock", "is building this index"):
        staged = versions / ".restored"
        shutil.rmtree(staged, ignore_errors=True)
        try:
            if found.version:
                _link_or_copy(folder / FOLDER / found.version, staged)
                _checked_version(staged)
            for name in _databases(folder):
                _put_database(folder / name, home / name, aside, progress)
            for name in _present(folder, (*_FILES, *_FOLDERS)):
                _set_aside(home / name, aside)
            _copy_plain(folder, home)
            _put_version(versions, staged, found.version, aside / FOLDER)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            # Empty where what was in the way could not be put aside.
            with suppress(OSError):
                aside.rmdir()
    with open_archive(home):
        pass
    return Restored(found, aside if aside.exists() else None)


def _set_aside(path: Path, aside: Path) -> None:
    if os.path.lexists(path):
        aside.mkdir(parents=True, exist_ok=True)
        os.rename(path, aside / path.name)


def _put_database(source: Path, target: Path, aside: Path, progress: Progress) -> None:
    """Put a database in another's place, which is kept aside."""
    with closing(connect_still(source)) as new:
        if target.exists():
            aside.mkdir(parents=True, exist_ok=True)
            try:
                with closing(connect_existing(target)) as old:
                    with closing(_connect_private(aside / target.name)) as kept:
                        _pour(old, kept, target.name, progress)
                    _pour(new, old, target.name, progress)
                return
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # SQLite does not take it for a database, so that it cannot be written over.
                (aside / target.name).unlink(missing_ok=True)
                if _is_open(target):
                    raise BusyError(
                        f"{str(target)!r} is damaged and open in another process: stop the chat "
                        "and what writes, then run it again."
                    ) from error
        beside = target.with_name(f".{target.name}.part")
        beside.unlink(missing_ok=True)
        with closing(_connect_private(beside)) as to:
            to.execute("PRAGMA journal_mode=OFF")
            _pour(new, to, target.name, progress)
    shutil.copymode(source, beside)
    sync(beside)
    # A log without its database would be taken for the new one's.
    for end in ("", "-wal", "-shm"):
        _set_aside(target.with_name(target.name + end), aside)
    os.rename(beside, target)
    sync(target.parent)


def _is_open(path: Path) -> bool:
    """Tell whether another process has a database open: SQLite then locks these bytes of it."""
    try:
        import fcntl
    except ImportError:
        # Windows moves no file that is open.
        return False
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 512, 1 << 30)
        except OSError:
            return True
    return False


def _put_version(versions: Path, staged: Path, name: str, aside: Path) -> None:
    """Make the staged version the live one, and put the others aside."""
    others = [path for path in versions.iterdir() if path.name.isdigit()]
    if name:
        _set_aside(versions / name, aside)
        os.rename(staged, versions / name)
        sync(versions)
        name_live(versions, name)
    for path in others:
        if path.name != name:
            _set_aside(path, aside)
    if not name:
        _set_aside(versions / LIVE, aside)
