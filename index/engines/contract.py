"""What a search engine must do: keep rows of numbers, and find the best of them in two ways.

A row is one passage: its number, its article's, its day and publisher as numbers, a vector and
stems. Texts, names and ids stay in the passage store, see index.store. A third engine is a class
for each protocol here and a line in index.engines.opening.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

UNDATED = 0
"""The day of a passage without a date; others have their ordinal, `date.toordinal()`."""
LAST_DAY = dt.date.max.toordinal()

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer[Any]]
Found = tuple[Rows, npt.NDArray[np.floating[Any]]]
"""Rows and their scores, aligned, in any order; a higher score is a better one."""


class Columns(NamedTuple):
    """What an engine knows of N passages but vectors and stems; arrays [N], rows ascending."""

    row: Rows
    article: Rows
    day: Rows
    publisher: Rows


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows may be found: those of some days, both inclusive, publishers and articles.

    None means all. A filter of days begins after UNDATED, so that undated rows fail it.
    """

    first_day: int = UNDATED
    last_day: int = LAST_DAY
    publishers: tuple[int, ...] | None = None
    articles: Rows | None = None

    @property
    def dated(self) -> bool:
        """Tell whether the filter asks for a date."""
        return self.first_day > UNDATED

    def __bool__(self) -> bool:
        return self.dated or self.publishers is not None or self.articles is not None


@dataclass(frozen=True, slots=True)
class Synonym:
    """Stems that a question holds, and the stems of the other form of the same name."""

    asked: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a question asks of the lexical search: stems, and names that have two forms.

    A row scores the sum of BM25 over `stems`, and for each of `names` the better of that over the
    form asked for and `boost` times that over the other form; see index.bm25.
    """

    stems: tuple[str, ...]
    names: tuple[tuple[Synonym, float], ...] = ()
    """(asked and other form, boost)"""


@dataclass(frozen=True, slots=True)
class VectorKind:
    """How some of the vectors are searched: `kind` "flat" compares all of these `rows`.

    `recall` is the share of the 100 best that a search finds, measured when they were written.
    """

    kind: str
    rows: int
    recall: float


class RowIndex(Protocol):
    """The rows of one version, open for searching from any thread; they never change."""

    def dense(self, vector: Vectors, k: int, wanted: RowFilter) -> Found:
        """Return at least the k best rows by inner product with `vector` [dimensions], if any."""
        ...

    def lexical(self, terms: Terms, k: int, wanted: RowFilter) -> Found:
        """Return at least the k best rows by BM25, of those that hold any of the terms."""
        ...

    def vectors(self, rows: Rows) -> Vectors:
        """Return the vectors of rows that are there, float32 [len(rows), dimensions]."""
        ...

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in about how many rows each stem stands; removed ones may still count."""
        ...

    def close(self) -> None:
        """Release files and memory."""
        ...


class RowWriter(Protocol):
    """Writes the rows of one version; nobody sees them until the version is published."""

    def add(self, part: str, columns: Columns, vectors: Vectors, stems: Sequence[str]) -> None:
        """Add rows, above all earlier ones, with vectors [N, dimensions] and stems by spaces.

        They belong to a part of the store, a folder of that name: an engine may keep files in it.
        """
        ...

    def remove(self, articles: Sequence[int], rows: Sequence[int]) -> None:
        """Remove all rows of these articles: `rows`, of earlier versions or of this one."""
        ...

    def merge(self, parts: Sequence[str], into: str, gone: Set[int]) -> None:
        """Move the rows of some parts, but those of articles `gone`, into another one.

        The folders of `parts` are deleted next.
        """
        ...

    def finish(self, passages: int) -> tuple[tuple[VectorKind, ...], Mapping[str, Any]]:
        """Write everything out; return what describes the vectors, and values for the manifest.

        There are `passages` rows that are not removed.
        """
        ...

    def abort(self) -> None:
        """Give up; the folder may be deleted afterwards."""
        ...


class Engine(Protocol):
    """Keeps the rows of versions, each of which has a folder with its manifest and its store."""

    @property
    def name(self) -> str: ...

    def writer(
        self, folder: Path, base: Path | None, manifest: Mapping[str, Any], dimensions: int
    ) -> RowWriter:
        """Begin a version in `folder`, on top of the one in `base`, whose manifest is given.

        The parts of `base` are in `folder` already, with all files that are in them.
        """
        ...

    def open(self, folder: Path, manifest: Mapping[str, Any], removed: Rows) -> RowIndex:
        """Open a version, rows but the `removed` of its parts; raises IndexDamagedError."""
        ...

    def discard(self, folders: Sequence[Path], kept: Sequence[Path]) -> None:
        """Free what the versions in `folders` hold elsewhere; the caller deletes them next.

        A folder may be unfinished; the versions in `kept`, all others of the home, stay whole.
        """
        ...
