"""The versions of one home: write, publish, open, roll back, prune; and which one is live.

versions/000001/   a complete version
versions/LIVE      the live version's name; replaced in one atomic step
versions/.new/     a version being written
versions/prepared/ what a stopped build has finished, and shares of the next one; see index.build
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from index import manifest as manifests
from index.engines.contract import Engine
from index.engines.opening import open_engine
from index.errors import (
    IndexDamagedError,
    IndexMissingError,
    IndexUnreadableError,
    NotFoundError,
    TanyaError,
)
from index.files import locked, sync, written_whole
from index.manifest import IndexVersion, Recipe
from index.records import Filter
from index.settings import EngineSettings
from index.snapshot import IndexWriter, SearchIndex
from index.store import fingerprints

logger = logging.getLogger("tanya.index")

FOLDER = "versions"
LIVE = "LIVE"
NEW = ".new"
PREPARED = "prepared"

_NOTHING = "Nothing is indexed yet: run `tanya add PATH`, then `tanya build`."

Check = Callable[[SearchIndex], None]
"""Looks at a version before it goes live; raises whatever must keep it from that."""


class _Id(NamedTuple):
    """A version as it stands: one of the same name may be made after it was deleted."""

    name: str
    inode: int
    written: int


class Versions:
    """The versions below `folder`, read and written by `engine`."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._folder = folder
        self._engine = engine
        # Held only to look and to set: who opens or reads files holds the other one, or none.
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._open: SearchIndex | None = None
        self._open_id = self._live_id = _Id("", 0, 0)
        self._trouble = ""
        self._damaged: dict[_Id, str] = {}

    @classmethod
    def of(cls, home: Path, settings: EngineSettings) -> Self:
        """Return the versions of a home, in the engine that its settings name."""
        return cls(home / FOLDER, open_engine(settings, home))

    @property
    def engine(self) -> str:
        """Return the name of the engine."""
        return self._engine.name

    # Reading

    def names(self) -> list[str]:
        """Return the names of all complete versions, oldest first."""
        return _names(self._folder)

    def live(self) -> str | None:
        """Return the live version's name, or None before the first build."""
        try:
            name = (self._folder / LIVE).read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            name = "a folder"
        if not _is_name(name):
            raise IndexDamagedError(
                f"{self._folder / LIVE} names no version ({name!r}). {manifests.REPAIR}"
            )
        return name

    def path(self, name: str) -> Path:
        """Return the folder of a version."""
        return self._folder / name

    @property
    def trouble(self) -> str:
        """Return why another version than the live one answers; "" where the live one does."""
        with self._lock:
            return self._trouble

    def current(self) -> SearchIndex:
        """Return the live version, open; the same object until another one is live.

        Where it is damaged, the newest whole one is returned, see `trouble`. Whoever holds an
        earlier one can go on with it. Raises IndexMissingError before the first build, and
        IndexDamagedError where no version is whole.
        """
        live = self._identify_live()
        with self._lock:
            if self._open is not None and self._live_id == live:
                return self._open
        with self._opening:
            live = self._identify_live()
            if self._open is None or self._live_id != live:
                # The one before is left to the garbage collector: a question may still use it.
                index, own, trouble = self._open_best(live)
                with self._lock:
                    self._open, self._open_id, self._live_id = index, own, live
                    self._trouble = trouble
                if trouble:
                    logger.error("%s", trouble)
            return self._open

    def _identify_live(self) -> _Id:
        """Return which version is live, of no name where LIVE is damaged."""
        try:
            name = self.live()
        except IndexDamagedError:
            return _Id("", 0, 0)
        if name is None:
            if names := self.names():
                raise IndexMissingError(
                    f"No version is live, and {len(names)} are kept: run `tanya build`, or "
                    "`tanya doctor --repair`."
                )
            raise IndexMissingError(_NOTHING)
        return self._identify(name)

    def _identify(self, name: str) -> _Id:
        with suppress(OSError):
            stat = (self._folder / name / manifests.FILE_NAME).stat()
            return _Id(name, stat.st_ino, stat.st_mtime_ns)
        return _Id(name, 0, 0)

    def _open_best(self, live: _Id) -> tuple[SearchIndex, _Id, str]:
        """Return the live version, or the newest whole one, and why it is that one."""
        try:
            if live in self._damaged or not live.name:
                raise IndexDamagedError(self._damaged.get(live) or "LIVE names no version.")
            return SearchIndex(self._engine, self._folder / live.name), live, ""
        except IndexDamagedError as error:
            # It may have been replaced and pruned since its name was read.
            latest = self._identify_live()
            if latest != live:
                return self._open_best(latest)
            self._damaged[live] = str(error)
            for name in self.whole(but=(live.name,)):
                with suppress(IndexDamagedError, IndexUnreadableError):
                    index = SearchIndex(self._engine, self._folder / name)
                    trouble = f"{error} Meanwhile version {name} answers."
                    return index, self._identify(name), trouble
            raise IndexDamagedError(
                f"{error} No other version is whole; that makes one from the archive."
            ) from error

    def whole(self, but: Container[str] = ()) -> Iterator[str]:
        """Yield the versions of which every file is as it was published, to be taken in this order.

        Those before the live one come first, the newest first. Every file of each is read, one that
        several share once.
        """
        try:
            live = number(self.live() or "")
        except IndexDamagedError:
            live = -1
        read: manifests.Read = {}
        for name in sorted(self.names()[::-1], key=lambda name: number(name) > live):
            own = self._identify(name)
            if name in but or own in self._damaged:
                continue
            try:
                faults = manifests.faults(self._folder / name, read)
            except IndexUnreadableError:
                continue
            if not faults:
                yield name
            else:
                self._damaged[own] = f"Version {name!r} is damaged ({faults[0]})."

    def verify(self, *, every: bool = True) -> bool:
        """Read every file of the version that answers; tell whether all is as it was published.

        Without `every`, those are read that changed since. What is damaged answers no more: the
        newest whole version does. Raises what `current` does.
        """
        return not self._suspect(self.current(), every=every)

    def suspect(self, index: SearchIndex, error: IndexDamagedError) -> bool:
        """Tell whether an open version is damaged, of which a search told so, or there no more.

        Then `current` is another one; see `verify`.
        """
        return self._suspect(index, str(error))

    def _suspect(self, index: SearchIndex, told: str = "", *, every: bool = True) -> bool:
        name = index.version.name
        folder = self._folder / name
        with self._lock:
            own = self._open_id if self._open is index else self._identify(name)
        faults = manifests.faults(folder, {} if every else None, whole=every)
        if self._identify(name) != own:
            # Pruned or replaced meanwhile: what was asked of it is asked of the one that is live.
            return bool(told)
        if faults:
            told = f"Version {name!r} is damaged ({faults[0]}). {manifests.REPAIR}"
        elif not told or manifests.has_checksums(folder):
            return False
        self._mark(own, told)
        return True

    def _mark(self, own: _Id, told: str) -> None:
        with self._opening, self._lock:
            self._damaged[own] = told
            if self._open_id == own:
                # Chosen anew by the next who asks.
                self._open = None

    def opened(self, name: str) -> SearchIndex:
        """Return a version, open; raises NotFoundError for one that is not there."""
        if name == self.live():
            return self.current()
        names = self.names()
        if name not in names:
            known = ", ".join(names[-5:]) or "none: run `tanya build`"
            raise NotFoundError(f"There is no version {name[:60]!r}; the newest are {known}.")
        return SearchIndex(self._engine, self._folder / name)

    def describe(self, name: str) -> IndexVersion:
        """Return the description of a version without opening it for search."""
        return manifests.version(manifests.read(self._folder / name))

    def indexed(self, name: str, article_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return the fingerprint of each article in a version, or of those of these that it has.

        The version is not opened for search.
        """
        folder = self._folder / name
        return fingerprints(folder, manifests.read(folder, self._engine.name), article_ids)

    # Writing

    def lock(self, *, create: bool = False) -> AbstractContextManager[None]:
        """Hold the writer's lock; raises BusyError if another process has it.

        Raises IndexMissingError where no version was ever begun, unless one is to be created.
        """
        if create:
            self._folder.mkdir(parents=True, exist_ok=True)
        elif not self._folder.is_dir():
            raise IndexMissingError(_NOTHING)
        return locked(self._folder / ".lock", "is building this index")

    def begin(self, recipe: Recipe, base: str | None) -> IndexWriter:
        """Begin the next version, on top of another if given; leftovers are cleared away."""
        self.clear()
        below = self._folder / base if base else None
        return IndexWriter(self._engine, self._folder / NEW, below, recipe)

    def give_up(self, writer: IndexWriter | None) -> None:
        """Clear away a version that was begun and is not published."""
        if writer is not None:
            writer.abort()
        # What ended the build is told, not that the disk or a server refuses this too.
        with suppress(TanyaError, OSError):
            self.clear()

    def publish(
        self, writer: IndexWriter, built: dt.datetime, check: Check, state: str
    ) -> IndexVersion:
        """Finish the version being written, check that it opens, and make it the live one.

        Until the last step, the replacement of one small file, the version before stays live. What
        `check` raises discards the new version.
        """
        names = self.names()
        name = f"{number(names[-1]) + 1 if names else 1:06d}"
        version = writer.finish(name, built, state)
        new = self._folder / NEW
        index = SearchIndex(self._engine, new)
        try:
            check(index)
        except BaseException:
            index.close()
            self.clear()
            raise
        index.close()
        _sync_tree(new)
        os.rename(new, self._folder / name)
        sync(self._folder)
        self._switch(name)
        return version

    def rollback(self) -> str:
        """Make the version before the live one live; return its name.

        A damaged version is passed over. Where it is not known which one is live, the newest is
        taken.
        """
        with self.lock():
            try:
                live = self.live()
            except IndexDamagedError:
                live = None
            for name in self.whole(but=(live,) if live else ()):
                earlier = live is None or number(name) < number(live)
                if earlier and not self.opening_faults(name):
                    self._switch(name)
                    return name
        raise IndexMissingError(
            f"There is no version before {live or 'the first'} that is whole; nothing was changed. "
            "`tanya build` makes one of the archive as it is."
        )

    def switch(self, name: str) -> None:
        """Make another kept version live, an earlier or a later one.

        Raises NotFoundError where there is none of that name, IndexDamagedError for a damaged one.
        """
        with self.lock():
            if name not in self.names():
                kept = ", ".join(self.names()) or "none"
                raise NotFoundError(f"There is no version {name!r}; kept are {kept}.")
            if manifests.faults(self._folder / name) or self.opening_faults(name):
                raise IndexDamagedError(
                    f"Version {name} is damaged; nothing was changed. Take another one."
                )
            self._switch(name)

    def prune(self, keep: int) -> list[str]:
        """Delete versions but the newest `keep` and the live one; return the deleted names.

        Where the live one is damaged, the one that answers for it is kept too.
        """
        with self.lock():
            live = self.live()
            names = self.names()
            gone = [name for name in names[: max(0, len(names) - keep)] if name != live]
            with suppress(IndexUnreadableError):
                if gone and live and manifests.faults(self._folder / live):
                    answers = next(self.whole(but=(live,)), None)
                    gone = [name for name in gone if name != answers]
            self._delete(gone)
        return gone

    def delete(self, gone: Sequence[str]) -> None:
        """Delete versions, of which none is live."""
        with self.lock():
            self._delete([name for name in gone if name != self.live()])

    def _delete(self, gone: Sequence[str]) -> None:
        kept = [self._folder / name for name in self.names() if name not in gone]
        self._engine.discard([self._folder / name for name in gone], kept)
        for name in gone:
            shutil.rmtree(self._folder / name)

    def clear(self) -> None:
        """Clear away what a build left that did not publish, in its folder and in the engine."""
        new = self._folder / NEW
        if new.exists():
            self._engine.discard([new], [self._folder / name for name in self.names()])
            shutil.rmtree(new)

    def opening_faults(self, name: str) -> list[str]:
        """Open a version and search it; return what is wrong. Raises EngineError of a server."""
        try:
            with closing(SearchIndex(self._engine, self._folder / name)) as index:
                # Big parts read their vectors at the first search.
                dimensions = index.version.recipe.dimensions
                index.dense(np.ones(dimensions, dtype=np.float32), 1, Filter())
                index.lexical("berita", 1, Filter())
        except (IndexDamagedError, IndexUnreadableError) as error:
            return [str(error)]
        return []

    def _switch(self, name: str) -> None:
        # No file takes a folder's place.
        with suppress(OSError):
            (self._folder / LIVE).rmdir()
        name_live(self._folder, name)


def name_live(folder: Path, name: str) -> None:
    """Write down which of the versions below a folder is live, in one step."""
    with written_whole(folder / LIVE, durable=True) as file:
        file.write(name + "\n")


def has_versions(home: Path) -> bool:
    """Tell whether a home has, or had, a version."""
    return (home / FOLDER / LIVE).exists() or bool(_names(home / FOLDER))


def disk_bytes(folders: Sequence[Path]) -> int:
    """Return the bytes on disk of the folders, a file linked into several counted once."""
    seen: dict[int, int] = {}
    for folder in folders:
        # What another process prunes meanwhile takes no room any more.
        for root, _, names in os.walk(folder):
            for name in names:
                with suppress(FileNotFoundError):
                    stat = os.stat(os.path.join(root, name))
                    seen[stat.st_ino] = stat.st_size
    return sum(seen.values())


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    found = (p.name for p in folder.iterdir() if _is_name(p.name) and p.is_dir())
    return sorted(found, key=number)


def number(name: str) -> int:
    """Return a version's number: "1000000" comes after "999999"; -1 for what names no version."""
    return int(name) if _is_name(name) else -1


def _is_name(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        sync(path)
