"""The rows of a version as files beside its store: FAISS for vectors, Tantivy for BM25.

    parts/0001/vectors.*     see vectors; position p holds the vector of row[p]
    parts/0001/columns.npz   per position: row, day, publisher, article; for filters
    lexical/                 the Tantivy index over all parts

Tantivy's segments are never written again, so the next version links to them and writes new ones.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import manifest as manifests
from index.engines.contract import (
    Columns,
    Found,
    RowFilter,
    Rows,
    Synonym,
    Terms,
    VectorKind,
    Vectors,
)
from index.engines.vectors import FLAT, NewVectors, PartVectors
from index.files import link_tree, temporary_prefix

_HEAP, _SMALL_HEAP = 256_000_000, 32_000_000
"""Bytes that Tantivy's writer gathers before it writes a segment; fewer on top of another version,
to which a build adds little as a rule."""
_COPIED = 50_000
_COLUMNS, _LEXICAL = "columns.npz", "lexical"
_WRITTEN_AGAIN = ("meta.json", ".managed.json")

Bools = npt.NDArray[np.bool_]


class LocalEngine:
    """Rows in files on a local disk."""

    name = "local"

    def writer(
        self, folder: Path, base: Path | None, manifest: Mapping[str, Any], dimensions: int
    ) -> LocalWriter:
        """Begin a version in `folder`, on top of the one in `base` if given."""
        return LocalWriter(folder, base, manifest, dimensions)

    def open(self, folder: Path, manifest: Mapping[str, Any], removed: Rows) -> LocalIndex:
        """Open the version in `folder`; raises IndexDamagedError."""
        return LocalIndex(folder, manifest, removed)

    def discard(self, folders: Sequence[Path], kept: Sequence[Path]) -> None:
        """Do nothing: a version is all in its folder."""


class LocalIndex:
    """The rows of a version open for searching; safe to use from many threads."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any], removed: Rows) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._opened_vectors: list[PartVectors] | None = None
        with manifests.reading(folder):
            self._dimensions = int(manifest["recipe"]["dimensions"])
            parts = {folder / name: _read_columns(folder / name) for name in manifest["parts"]}
            self._parts = {part: columns for part, columns in parts.items() if len(columns.row)}
            self._columns = list(self._parts.values())
            self._firsts = [int(columns.row[0]) for columns in self._columns]
            # For 1,000,000 rows this takes 35 ms, too long to do at each question.
            gone = [np.isin(columns.row, removed, assume_unique=True) for columns in self._columns]
            self._present = [None if not there.any() else ~there for there in gone]
            lexical = _open_lexical(folder / _LEXICAL)
            self._schema: Any = lexical.schema
            self._searcher: Any = lexical.searcher()
        # Many codes take a quarter of a second to read, and lexical search goes without.
        if all(kind["kind"] == FLAT for kind in manifest.get("vectors", ())):
            self._part_vectors()

    def dense(self, vector: Vectors, k: int, wanted: RowFilter) -> Found:
        """Search every part; inner products of unit vectors are cosines."""
        scores, rows = [], []
        with manifests.reading(self._folder):
            for at, columns in enumerate(self._columns):
                part, allowed = self._part_vectors()[at], self._allowed(at, wanted)
                some, positions = part.search(vector, k, allowed)
                scores.append(some)
                rows.append(columns.row[positions])
            return np.concatenate(rows), np.concatenate(scores)

    def _part_vectors(self) -> list[PartVectors]:
        with self._lock, manifests.reading(self._folder):
            if self._opened_vectors is None:
                self._opened_vectors = [PartVectors(part) for part in self._parts]
            return self._opened_vectors

    def _allowed(self, at: int, wanted: RowFilter) -> Bools | None:
        """Return which rows of a part may be found; None means all of them."""
        columns, allowed = self._columns[at], self._present[at]
        if not wanted:
            return allowed
        allowed = np.ones(len(columns.row), np.bool_) if allowed is None else allowed.copy()
        if wanted.dated:
            allowed &= (columns.day >= wanted.first_day) & (columns.day <= wanted.last_day)
        if wanted.publishers is not None:
            allowed &= np.isin(columns.publisher, wanted.publishers)
        if wanted.articles is not None:
            allowed &= np.isin(columns.article, wanted.articles)
        return allowed

    def lexical(self, terms: Terms, k: int, wanted: RowFilter) -> Found:
        """Search by Tantivy's BM25, which has k1 1.2 and b 0.75."""
        with manifests.reading(self._folder):
            result = self._searcher.search(self._query(terms, wanted), limit=k, count=False)
            rows = self._searcher.fast_field_values("row", [address for _, address in result.hits])
            scores = np.array([score for score, _ in result.hits], dtype=np.float64)
            return np.array(rows, dtype=np.int64), scores

    def _query(self, terms: Terms, wanted: RowFilter) -> Any:
        from tantivy import FieldType, Occur, Query

        schema = self._schema
        matches = self._any_of(terms.stems, [self._either(*name) for name in terms.names])
        if not wanted:
            return matches
        passing = []
        if wanted.dated:
            days = (wanted.first_day, wanted.last_day)
            passing.append(Query.range_query(schema, "day", FieldType.Integer, *days))
        if wanted.publishers is not None:
            each = [Query.term_query(schema, "publisher", code) for code in wanted.publishers]
            passing.append(Query.boolean_query([(Occur.Should, query) for query in each]))
        if wanted.articles is not None:
            passing.append(Query.term_set_query(schema, "article", wanted.articles.tolist()))
        must = [matches, *(Query.const_score_query(query, 0.0) for query in passing)]
        return Query.boolean_query([(Occur.Must, query) for query in must])

    def _either(self, name: Synonym, boost: float) -> Any:
        from tantivy import Query

        asked, other = self._any_of(name.asked), self._any_of(name.other)
        return Query.disjunction_max_query([asked, Query.boost_query(other, boost)])

    def _any_of(self, stems: Sequence[str], others: Sequence[Any] = ()) -> Any:
        from tantivy import Occur, Query

        queries = [*(Query.term_query(self._schema, "text", stem) for stem in stems), *others]
        return Query.boolean_query([(Occur.Should, query) for query in queries])

    def vectors(self, rows: Rows) -> Vectors:
        """Return the vectors of rows as stored, float32 [len(rows), dimensions]."""
        found = np.zeros((len(rows), self._dimensions), dtype=np.float32)
        with manifests.reading(self._folder):
            part_of = np.searchsorted(self._firsts, rows, side="right") - 1
            for at in np.unique(part_of).tolist():
                mine = np.flatnonzero(part_of == at)
                positions = np.searchsorted(self._columns[at].row, rows[mine])
                found[mine] = self._part_vectors()[at].take(positions)
        return found

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in how many rows each stem stands, in the headline or the text.

        A removed row counts until Tantivy merges the segment that it is in.
        """
        with manifests.reading(self._folder):
            return [int(self._searcher.doc_freq("text", stem)) for stem in stems]

    def close(self) -> None:
        """Do nothing: memory-mapped files go with the object."""


class LocalWriter:
    """Writes the rows of one version; see the module's docstring for the files."""

    def __init__(
        self, folder: Path, base: Path | None, manifest: Mapping[str, Any], dimensions: int
    ) -> None:
        self._folder = folder
        self._dimensions = dimensions
        self._kinds: dict[str, VectorKind] = {}
        self._new: _NewPart | None = None
        self._writer: Any = None
        self._heap = _SMALL_HEAP if base else _HEAP
        if base is None:
            (folder / _LEXICAL).mkdir()
        else:
            link_tree(base / _LEXICAL, folder / _LEXICAL, copied=_WRITTEN_AGAIN)
            with manifests.reading(base):
                self._kinds = _kinds(folder, manifest)

    def add(self, part: str, columns: Columns, vectors: Vectors, stems: Sequence[str]) -> None:
        """Add rows to the part's files and to Tantivy's index."""
        from tantivy import Document

        if self._new is None:
            self._new = _NewPart(self._folder, part, self._dimensions)
        self._new.add(columns, vectors)
        writer = self._lexical()
        listed = (column.tolist() for column in columns)
        for row, article, day, publisher, stemmed in zip(*listed, stems, strict=True):
            values = {"row": row, "article": article, "day": day, "publisher": publisher}
            writer.add_document(Document(**values, text=stemmed))

    def remove(self, articles: Sequence[int], rows: Sequence[int]) -> None:
        """Remove the rows of articles from Tantivy's index; their vectors go with a merge."""
        writer = self._lexical()
        for article in articles:
            writer.delete_documents_by_term("article", article)

    def merge(self, parts: Sequence[str], into: str, gone: Set[int]) -> None:
        """Write the columns and vectors of some parts as one."""
        self._finish_part()
        target = _NewPart(self._folder, into, self._dimensions)
        for part in parts:
            target.take(self._folder / part, gone)
            del self._kinds[part]
        self._kinds[into] = target.finish()

    def finish(self, passages: int) -> tuple[tuple[VectorKind, ...], Mapping[str, Any]]:
        """Write out what is not yet; how the vectors of each part are searched is in its order."""
        self._finish_part()
        lexical = self._folder / _LEXICAL
        if self._writer is not None:
            self._writer.commit()
            self._writer.wait_merging_threads()
            self._writer = None
        elif not (lexical / "meta.json").exists():
            _new_lexical(lexical)
        for lock in lexical.glob(".tantivy-*.lock"):
            lock.unlink()
        return tuple(self._kinds.values()), {}

    def abort(self) -> None:
        """Close what is open."""
        if self._new is not None:
            self._new.vectors.abort()
            self._new = None
        # A rollback would fail where the writer did (a full disk), and hide what happened.
        self._writer = None

    def _finish_part(self) -> None:
        if self._new is not None:
            self._kinds[self._new.name] = self._new.finish()
            self._new = None

    def _lexical(self) -> Any:
        if self._writer is None:
            folder = self._folder / _LEXICAL
            there = (folder / "meta.json").exists()
            index = _open_lexical(folder) if there else _new_lexical(folder)
            self._writer = index.writer(heap_size=self._heap, num_threads=1)
        return self._writer


class _NewPart:
    """The columns and vectors of a part being written."""

    def __init__(self, folder: Path, name: str, dimensions: int) -> None:
        self.name = name
        self.vectors = NewVectors(folder / name, dimensions)
        self._folder = folder / name
        self._columns: list[Columns] = []

    def add(self, columns: Columns, vectors: Vectors) -> None:
        self._columns.append(columns)
        self.vectors.add(vectors)

    def take(self, part: Path, gone: Set[int]) -> None:
        """Copy a part but the rows of articles that are gone."""
        columns = _read_columns(part)
        kept = np.flatnonzero(~np.isin(columns.article, list(gone)))
        self._columns.append(Columns(*(column[kept] for column in columns)))
        vectors = PartVectors(part)
        for begin in range(0, len(kept), _COPIED):
            self.vectors.add(vectors.take(kept[begin : begin + _COPIED]))

    def finish(self) -> VectorKind:
        columns = Columns(*map(np.concatenate, zip(*self._columns, strict=True)))
        np.savez(self._folder / _COLUMNS, **columns._asdict())
        return self.vectors.finish()


def _read_columns(part: Path) -> Columns:
    with manifests.ARRAYS, np.load(part / _COLUMNS) as columns:
        return Columns(*(columns[name] for name in Columns._fields))


def _kinds(folder: Path, manifest: Mapping[str, Any]) -> dict[str, VectorKind]:
    """Return how the vectors of each part are searched, in the parts' order."""
    parts, kinds = manifest["parts"], manifests.version(manifest).vectors
    # Versions from before there were several kinds say nothing: they compare all vectors.
    if not kinds:
        kinds = tuple(VectorKind(FLAT, len(_read_columns(folder / p).row), 1.0) for p in parts)
    return dict(zip(parts, kinds, strict=True))


def _new_lexical(folder: Path) -> Any:
    from tantivy import Index, SchemaBuilder

    builder = SchemaBuilder()
    builder.add_integer_field("row", fast=True)
    builder.add_integer_field("article", indexed=True)
    builder.add_integer_field("day", fast=True, indexed=True)
    builder.add_integer_field("publisher", indexed=True)
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    return Index(builder.build(), path=str(folder))


def _open_lexical(folder: Path) -> Any:
    from tantivy import Index

    if os.access(folder, os.W_OK):
        return Index.open(str(folder))
    # Tantivy locks a file beside the index, also to read it; what it has opened stays open.
    # Its watcher may make a lock there while the folder is deleted.
    with tempfile.TemporaryDirectory(
        prefix=temporary_prefix(), ignore_cleanup_errors=True
    ) as links:
        for path in folder.iterdir():
            if path.suffix != ".lock":
                os.symlink(path.absolute(), Path(links) / path.name)
        return Index.open(links)
