"""A version's manifest: its description, the size and checksum of every file, and its own; last.

    {
     "checksum": SHA-256 of all but this line,
     "format": 1, ..., "files": {NAME: bytes}, "checksums": {NAME: SHA-256}}

A file that is linked from the version below keeps the checksum that it has there: to compute it
again would take damage for what was meant.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import hashlib
import json
import os
import re
import sqlite3
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any

from index.engines.contract import VectorKind
from index.errors import DiskError, IndexDamagedError, IndexUnreadableError
from index.refusals import sentence

FILE_NAME = "manifest.json"
FORMAT = 1

REPAIR = "Run `tanya doctor --repair`."

_OWN = re.compile(rb'\{\n "checksum": "([0-9a-f]{64})",\n')

ARRAYS = threading.RLock()
"""Held while numpy reads a file: Python 3.11's ast, which it does so by, fails in two threads."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the passages of a version were made with; another recipe means another build.

    `model` names the embedding model and its weights, `max_tokens` is a passage's budget, and
    `rules` counts the versions of our text, cleaning and chunking rules.
    """

    engine: str
    model: str
    dimensions: int
    max_tokens: int
    rules: str


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """One published version of the index. `publishers` holds (name, articles), biggest first.

    `vectors` tells how the vectors are searched, where the engine knows. `state` is the archive's
    at the time, from which the next build goes on.
    """

    name: str
    built: dt.datetime
    recipe: Recipe
    articles: int
    passages: int
    stories: int
    newest: dt.date | None
    oldest: dt.date | None
    publishers: tuple[tuple[str, int], ...]
    vectors: tuple[VectorKind, ...] = ()
    state: str = ""


Read = MutableMapping[tuple[int, ...], str]
"""The checksums of files that were read, by device, inode, size and time of the last change."""


def write(
    folder: Path,
    version: IndexVersion,
    extra: Mapping[str, Any],
    base: Path | None = None,
    below: Mapping[str, Any] | None = None,
) -> None:
    """Write the manifest of a folder that is otherwise complete, with some more values.

    `base` is the version that it was written on top of, `below` its manifest. Raises
    IndexDamagedError where files of it that are not linked, but were read to write others, are
    not as they were published.
    """
    names = _names(folder)
    described = {"format": FORMAT, **dataclasses.asdict(version), **extra}
    described["files"] = {name: (folder / name).stat().st_size for name in names}
    described["checksums"] = _checksums(folder, names, base, (below or {}).get("checksums", {}))
    text = json.dumps(described, ensure_ascii=False, indent=1, default=methodcaller("isoformat"))
    raw = text.encode()
    own = hashlib.sha256(raw).hexdigest()
    (folder / FILE_NAME).write_bytes(b'{\n "checksum": "%s",' % own.encode() + raw[1:])


def _checksums(
    folder: Path, names: list[str], base: Path | None, before: Mapping[str, str]
) -> dict[str, str]:
    """Return each file's checksum: what it has in the version below if it is linked from there."""
    linked = set()
    if base is not None:
        for name in before:
            with reading(base):
                there = (base / name).stat()
                if name in names and os.path.samestat(there, (folder / name).stat()):
                    linked.add(name)
                elif checksum(base / name) != before[name]:
                    raise ValueError(f"{name} was altered")
    return {n: before[n] if n in linked else checksum(folder / n) for n in names}


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, which is read at some 1.2 GB a second."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(folder: Path, engine: str = "") -> dict[str, Any]:
    """Read a manifest and compare the files with it; raises IndexDamagedError.

    All must have their sizes; those that were altered, or copied, after the manifest was written
    must have their checksums too. Raises IndexUnreadableError for a version of a newer program, or
    of another engine than `engine`.
    """
    with reading(folder):
        manifest = _manifest(folder)
        for fault in _faults(folder, manifest, _LATE, whole=False):
            raise ValueError(fault)
        made_by = version(manifest).recipe.engine
    if engine and made_by != engine:
        raise IndexUnreadableError(
            f"Version {folder.name!r} was made by the engine {made_by!r}, the settings name "
            f"{engine!r}. Run `tanya build`, or mend `location` under [engine] in tanya.toml."
        )
    return manifest


_LATE: Read = {}
# Status and search ask for the same manifest again and again.


def faults(folder: Path, known: Read | None = None, *, whole: bool = True) -> list[str]:
    """Return what is damaged in a version: of each file its name and what is wrong with it.

    `whole` reads every file, else those alone that `read` does. Files in `known`, as linked into
    another version, are not read again. Raises IndexUnreadableError as `read` does.
    """
    known = known if known is not None else {} if whole else _LATE
    try:
        with reading(folder):
            manifest = _manifest(folder)
            version(manifest)
            return list(_faults(folder, manifest, known, whole=whole))
    except IndexDamagedError as error:
        return [f"{FILE_NAME} cannot be used: {error.__cause__ or error}"]


def assert_whole(folder: Path) -> None:
    """Read every file of a version; raises IndexDamagedError unless all are as published."""
    if found := faults(folder):
        raise _damaged(folder, found[0])


def has_checksums(folder: Path) -> bool:
    """Tell whether a version that can be read has them; those of the first release have none."""
    return "checksums" in read(folder)


def _manifest(folder: Path) -> dict[str, Any]:
    """Read a manifest and compare it with its own checksum."""
    raw = (folder / FILE_NAME).read_bytes()
    own = _OWN.match(raw)
    if own and hashlib.sha256(b"{\n" + raw[own.end() :]).hexdigest().encode() != own[1]:
        raise ValueError(f"{FILE_NAME} was altered")
    try:
        manifest: dict[str, Any] = json.loads(raw)
        made = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{FILE_NAME} is none: {error}") from error
    if type(made) is int and made > FORMAT:
        raise IndexUnreadableError(
            f"Version {folder.name!r} was made by a newer Tanya Arsip (format {made}, this one "
            f"reads {FORMAT}): upgrade the program. Nothing is damaged."
        )
    if made != FORMAT:
        raise ValueError(f"the format is {made!r}")
    # The first release wrote neither.
    if bool(own) != ("checksums" in manifest) or bool(own) != ("checksum" in manifest):
        raise ValueError(f"{FILE_NAME} was altered")
    return manifest


def _faults(
    folder: Path, manifest: Mapping[str, Any], known: Read, *, whole: bool
) -> Iterator[str]:
    written = (folder / FILE_NAME).stat().st_mtime_ns
    expected = manifest.get("checksums", {})
    for name, size in manifest["files"].items():
        try:
            stat = (folder / name).stat()
            if stat.st_size != size:
                yield f"{name} has {stat.st_size:,} bytes of {size:,}"
            elif name in expected and (whole or stat.st_mtime_ns >= written):
                key = (stat.st_dev, stat.st_ino, size, stat.st_mtime_ns)
                if key not in known:
                    known[key] = checksum(folder / name)
                if known[key] != expected[name]:
                    yield f"{name} was altered"
        except (FileNotFoundError, NotADirectoryError):
            yield f"{name} is missing"
        except OSError as error:
            if error.errno in _NO_DAMAGE:
                raise
            yield f"{name} cannot be read ({error.strerror})"


def version(manifest: Mapping[str, Any]) -> IndexVersion:
    """Return the description that a manifest holds."""
    return IndexVersion(
        name=manifest["name"],
        built=dt.datetime.fromisoformat(manifest["built"]),
        recipe=Recipe(**manifest["recipe"]),
        articles=manifest["articles"],
        passages=manifest["passages"],
        stories=manifest["stories"],
        newest=dt.date.fromisoformat(manifest["newest"]) if manifest["newest"] else None,
        oldest=dt.date.fromisoformat(manifest["oldest"]) if manifest["oldest"] else None,
        publishers=tuple((name, count) for name, count in manifest["publishers"]),
        vectors=tuple(VectorKind(**kind) for kind in manifest.get("vectors", ())),
        state=str(manifest.get("state", "")),
    )


def stale_days(version: IndexVersion, after: int, now: dt.datetime) -> int:
    """Return how many days the news are behind, 0 where these are not more than `after`.

    Nothing is stale `after` 0 days. They count from the newest article or, for an article dated
    ahead may hide that nothing comes, from the build, if that is earlier.
    """
    built = version.built.date()
    days = (now.date() - min(version.newest or built, built)).days
    return days if 0 < after < days else 0


_NO_DAMAGE = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM)

_DAMAGE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError),
    *(ArithmeticError, MemoryError, struct.error, zlib.error, sqlite3.Error, zipfile.BadZipFile),
)


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn what damaged files make the search libraries raise into IndexDamagedError.

    Raises DiskError where it is the system that refuses them.
    """
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno in _NO_DAMAGE:
            raise DiskError(sentence(error, folder)) from error
        raise _damaged(folder, error) from error
    except BaseException as error:
        # Tantivy's panics are no Exception, and their class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(folder, error) from error


def _damaged(folder: Path, reason: object) -> IndexDamagedError:
    told = " ".join(str(reason).split())[:200]
    return IndexDamagedError(f"Version {folder.name!r} is damaged ({told}). {REPAIR}")


def _names(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != FILE_NAME
    ]
