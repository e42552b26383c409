"""A version's manifest: its description and the size of every file, written last."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sqlite3
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any

from index.engines.contract import VectorKind
from index.errors import IndexDamagedError

FILE_NAME = "manifest.json"
FORMAT = 1

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


def write(folder: Path, version: IndexVersion, extra: Mapping[str, Any]) -> None:
    """Write the manifest of a folder that is otherwise complete, with some more values."""
    described = {"format": FORMAT, **dataclasses.asdict(version)}
    text = json.dumps(
        {**described, **extra, "files": _sizes(folder)},
        ensure_ascii=False,
        indent=1,
        default=methodcaller("isoformat"),
    )
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def read(folder: Path, engine: str = "") -> dict[str, Any]:
    """Read a manifest and compare every file's size with it; raises IndexDamagedError.

    `engine` is the name of the engine that must have made the version.
    """
    with reading(folder):
        manifest: dict[str, Any] = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise IndexDamagedError(
                f"Version {folder.name!r} has format {manifest['format']!r}, this program reads "
                f"{FORMAT}. Run `tanya build --full`."
            )
        for name, size in manifest["files"].items():
            if (folder / name).stat().st_size != size:
                raise ValueError(f"{name} is not {size} bytes long")
        made_by = version(manifest).recipe.engine
    if engine and made_by != engine:
        raise IndexDamagedError(
            f"Version {folder.name!r} was made by the engine {made_by!r}, the settings name "
            f"{engine!r}. Run `tanya build`, or mend `location` under [engine] in tanya.toml."
        )
    return manifest


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


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn what damaged files raise into IndexDamagedError."""
    try:
        yield
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        RuntimeError,
        sqlite3.Error,
        zipfile.BadZipFile,
    ) as error:
        raise IndexDamagedError(
            f"Version {folder.name!r} is damaged ({error}). "
            "Run `tanya rollback`, or `tanya build --full` to make it anew."
        ) from error


def _sizes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != FILE_NAME
    }
