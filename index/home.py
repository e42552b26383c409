"""What stands in a home directory, opened: its archive, its versions, and what builds the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from index import settings
from index.archive import FILE_NAME, Archive
from index.errors import ArchiveError, InputError
from index.versions import Versions, disk_bytes, has_versions

if TYPE_CHECKING:
    from index.embedding import Embedder
    from index.manifest import Recipe


def open_archive(home: Path, *, create: bool = False) -> Archive:
    """Open the home's archive; without `create`, which is for adding, nothing is ever made.

    Raises InputError where there is none yet. One that is gone or emptied beside versions raises
    ArchiveError, whoever opens it: a new one would take the place of all that they were built from.
    """
    path = home / FILE_NAME
    size = path.stat().st_size if path.exists() else -1
    if size < 1:
        if has_versions(home):
            what = "There is no archive.db" if size else "archive.db is empty"
            raise ArchiveError(
                f"{what} in {str(home)!r} though versions exist: restore it (`tanya restore "
                "BACKUP`), or move versions/ away to begin a new archive."
            )
        if not create:
            raise InputError(f"There is no archive in {str(home)!r} yet: run `tanya add PATH`.")
    return Archive.open(path, create=create)


def open_versions(home: Path) -> Versions:
    """Return the home's versions."""
    return Versions.of(home, settings.load(home).engine)


@dataclass(frozen=True, slots=True)
class OpenHome:
    """What a build takes of a home: its archive, its versions, and how its settings make one."""

    archive: Archive
    versions: Versions
    recipe: Recipe
    embedder: Embedder

    @classmethod
    @contextmanager
    def open(cls, home: Path, *, create: bool = False) -> Iterator[Self]:
        """Open a home as its settings say; raises InputError as `open_archive` does."""
        from index.build import recipe
        from index.embedding import open_embedder

        chosen = settings.load(home)
        versions = Versions.of(home, chosen.engine)
        embedder = open_embedder(chosen.embedding)
        wanted = recipe(versions.engine, embedder, chosen.chunking)
        with open_archive(home, create=create) as archive:
            yield cls(archive, versions, wanted, embedder)


def status(home: Path, now: dt.datetime) -> dict[str, Any]:
    """Return what a home holds and what waits to be built, as `tanya status --json` has it.

    Raises InputError where there is no archive.
    """
    from index.build import waiting

    with open_archive(home) as archive:
        versions = open_versions(home)
        live = versions.live()
        version = versions.describe(live) if live else None
        new, changed, removed = waiting(archive, versions, live)
        up_to_date = version and not (new or changed or removed)
        counts = archive.counts(version.stories if version and up_to_date else None)
    return {
        "home": str(home),
        "articles": counts.articles,
        "stories": counts.stories,
        "undated": counts.undated,
        "newest_article": counts.newest.isoformat() if counts.newest else None,
        "oldest_article": counts.oldest.isoformat() if counts.oldest else None,
        "version": live,
        "versions": len(versions.names()),
        "indexed_articles": version.articles if version else 0,
        "indexed_passages": version.passages if version else 0,
        "indexed_stories": version.stories if version else 0,
        "built": version.built.isoformat(timespec="seconds") if version else None,
        "age_seconds": round((now - version.built).total_seconds()) if version else None,
        "waiting_new": new,
        "waiting_changed": changed,
        "waiting_removed": removed,
        "model": version.recipe.model if version else None,
        "vectors": [asdict(kind) for kind in version.vectors] if version else [],
        "archive_bytes": (home / FILE_NAME).stat().st_size,
        "index_bytes": disk_bytes([versions.path(name) for name in versions.names()]),
        "publishers": dict(version.publishers) if version else {},
    }
