"""The versions of one home: write, publish, open, roll back, prune; and which one is live.

versions/000001/   a complete version
versions/LIVE      the live version's name; replaced in one atomic step
versions/.new/     a version being written
versions/prepared/ what a stopped build has finished, and shares of the next one; see index.build
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from typing import Self

import numpy as np

from index import manifest as manifests
from index.engines.contract import Engine
from index.engines.opening import open_engine
from index.errors import IndexDamagedError, IndexMissingError, NotFoundError
from index.files import locked, sync, written_whole
from index.manifest import IndexVersion, Recipe
from index.records import Filter
from index.settings import EngineSettings
from index.snapshot import IndexWriter, SearchIndex
from index.store import fingerprints

FOLDER = "versions"
LIVE = "LIVE"
NEW = ".new"
PREPARED = "prepared"

_NOTHING = "Nothing is indexed yet: run `tanya add PATH`, then `tanya build`."

Check = Callable[[SearchIndex], None]
"""Looks at a version before it goes live; raises whatever must keep it from that."""


class Versions:
    """The versions below `folder`, read and written by `engine`."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._folder = folder
        self._engine = engine
        self._lock = threading.Lock()
        self._open: SearchIndex | None = None
        self._open_name = ""

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
        if not _is_name(name):
            raise IndexDamagedError(
                f"{self._folder / LIVE} names no version ({name!r}). Run `tanya rollback`."
            )
        return name

    def path(self, name: str) -> Path:
        """Return the folder of a version."""
        return self._folder / name

    def current(self) -> SearchIndex:
        """Return the live version, open; the same object until another one is live.

        Whoever holds an earlier one can go on with it. Raises IndexMissingError before the first
        build.
        """
        with self._lock:
            name = self.live()
            if name is None:
                raise IndexMissingError(_NOTHING)
            if self._open is None or self._open_name != name:
                # The one before is left to the garbage collector: a question may still use it.
                self._open, self._open_name = self._open_live(name)
            return self._open

    def _open_live(self, name: str) -> tuple[SearchIndex, str]:
        try:
            return SearchIndex(self._engine, self._folder / name), name
        except IndexDamagedError:
            # It may have been replaced and pruned since its name was read.
            latest = self.live()
            if latest is None or latest == name:
                raise
            return SearchIndex(self._engine, self._folder / latest), latest

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

    def begin(self, recipe: Recipe, *, from_live: bool) -> IndexWriter:
        """Begin the next version, on top of the live one if asked; leftovers are cleared away."""
        self._recover()
        live = self.live() if from_live else None
        base = self._folder / live if live else None
        return IndexWriter(self._engine, self._folder / NEW, base, recipe)

    def publish(
        self, writer: IndexWriter, built: dt.datetime, check: Check, state: str
    ) -> IndexVersion:
        """Finish the version being written, check that it opens, and make it the live one.

        Until the last step, the replacement of one small file, the version before stays live. What
        `check` raises discards the new version.
        """
        names = self.names()
        name = f"{int(names[-1]) + 1 if names else 1:06d}"
        version = writer.finish(name, built, state)
        new = self._folder / NEW
        index = SearchIndex(self._engine, new)
        try:
            check(index)
        except BaseException:
            index.close()
            self._recover()
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
            for name in reversed(self.names()):
                if (live is None or name < live) and self._is_whole(name):
                    self._switch(name)
                    return name
        raise IndexMissingError(
            f"There is no version before {live or 'the first'}; nothing was changed. "
            "`tanya build --full` makes one anew."
        )

    def switch(self, name: str) -> None:
        """Make another kept version live, an earlier or a later one.

        Raises NotFoundError where there is none of that name, IndexDamagedError for a damaged one.
        """
        with self.lock():
            if name not in self.names():
                kept = ", ".join(self.names()) or "none"
                raise NotFoundError(f"There is no version {name!r}; kept are {kept}.")
            if not self._is_whole(name):
                raise IndexDamagedError(
                    f"Version {name} is damaged; nothing was changed. Take another one."
                )
            self._switch(name)

    def prune(self, keep: int) -> list[str]:
        """Delete versions but the newest `keep` and the live one; return the deleted names."""
        with self.lock():
            live = self.live()
            names = self.names()
            gone = [name for name in names[: max(0, len(names) - keep)] if name != live]
            kept = [self._folder / name for name in names if name not in gone]
            self._engine.discard([self._folder / name for name in gone], kept)
            for name in gone:
                shutil.rmtree(self._folder / name)
        return gone

    def _recover(self) -> None:
        """Clear away what a build left that did not publish, in its folder and in the engine."""
        new = self._folder / NEW
        if new.exists():
            self._engine.discard([new], [self._folder / name for name in self.names()])
            shutil.rmtree(new)

    def _is_whole(self, name: str) -> bool:
        try:
            with closing(SearchIndex(self._engine, self._folder / name)) as index:
                # Big parts read their vectors at the first search.
                dimensions = index.version.recipe.dimensions
                index.dense(np.ones(dimensions, dtype=np.float32), 1, Filter())
        except IndexDamagedError:
            return False
        return True

    def _switch(self, name: str) -> None:
        with written_whole(self._folder / LIVE, durable=True) as file:
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
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and _is_name(p.name))


def _is_name(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _sync_tree(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        sync(path)
