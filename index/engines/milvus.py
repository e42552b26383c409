"""The rows of a version in Milvus; the folder holds the manifest, the store and the stems.

    stems.db       each stem, its dimension in the lexical vectors, and how many rows hold it
    writing.json   while it is written: what to undo in Milvus if it is never published

Versions share a collection. Version v sees the rows that are below its first free row and that
died after v, so publishing it is only the switch of the home's LIVE file, an earlier version goes
on being whole, and what a killed build left is seen by none. A collection that somebody wrote to
after the version to build on (after a rollback, or from a copy of the home) is not written to:
its rows are copied into another one.

BM25 is the inner product of a question's vector, which has the stems' inverse document
frequencies, and a row's, which has the rest of the formula. Milvus' own BM25 would count the rows
of other versions too. The mean length of a row stands in every vector; when it has moved by more
than a tenth, the rows are copied with the new one.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from index import manifest as manifests
from index.bm25 import K1, B, idf
from index.engines.contract import Columns, Found, RowFilter, Rows, Terms, VectorKind, Vectors
from index.engines.milvus_server import ALIVE, BATCH, MOST_FOUND, Row, Server
from index.errors import IndexDamagedError
from index.sqlite import connect_finished, connect_new, select

NAME = "milvus/2"
"""The number counts layouts: a version of another one is built anew."""

MOST_DRIFT = 0.1
"""Share by which the mean length of a row may move before all rows are written anew."""

_STEMS, _SPOOL, _WRITING = "stems.db", "spool.db", "writing.json"
# Milvus takes no vector without a value; no stem has this dimension.
_NO_STEM = 0
# Each name of two forms in a question doubles the number of its vectors.
_MOST_NAMES = 5
_FIELDS = ("row", "died", "article", "day", "publisher", "length", "dense", "lexical")


class MilvusEngine:
    """Rows in a Milvus server, or in a file of Milvus Lite."""

    name = NAME

    def __init__(self, uri: str, dense_index: str = "FLAT") -> None:
        self._server = Server(uri)
        self._dense_index = dense_index

    def writer(
        self, folder: Path, base: Path | None, manifest: Mapping[str, Any], dimensions: int
    ) -> MilvusWriter:
        """Begin a version in `folder`, on top of the one in `base` if given."""
        return MilvusWriter(self._server, folder, base, manifest, dimensions, self._dense_index)

    def open(self, folder: Path, manifest: Mapping[str, Any], removed: Rows) -> MilvusIndex:
        """Open the version in `folder`; raises IndexDamagedError and EngineError."""
        return MilvusIndex(self._server, folder, manifest)

    def discard(self, folders: Sequence[Path], kept: Sequence[Path]) -> None:
        """Delete the rows that no version in `kept` sees, in the collections of `folders`.

        What an unfinished version marked as died is alive again. A collection that no kept
        version uses is dropped.
        """
        users: dict[str, list[_Place]] = {}
        for folder in kept:
            for place in _places(folder):
                users.setdefault(place.collection, []).append(place)
        server = self._server
        for collection in {p.collection for folder in folders for p in _places(folder)}:
            if collection not in users:
                server.drop(collection)
                continue
            if not server.load(collection):
                continue
            server.erase(collection, " and ".join(f"({p.unseen})" for p in users[collection]))
            latest = max(place.number for place in users[collection])
            died = f"died > {latest} and died < {ALIVE}"
            while rows := server.some(collection, died, _FIELDS, limit=BATCH):
                server.set_died(collection, rows, ALIVE)


class _Place:
    """Where a version's rows are: its collection, its number in it, and its first free row."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.collection = str(raw["collection"])
        self.number = int(raw["number"])
        self.next_row = int(raw["next_row"])

    @property
    def seen(self) -> str:
        """Return the filter of the version's rows."""
        return f"row < {self.next_row} and died > {self.number}"

    @property
    def unseen(self) -> str:
        return f"row >= {self.next_row} or died <= {self.number}"

    @property
    def later(self) -> str:
        """Return the filter of what was written to the collection after the version."""
        return f"row >= {self.next_row} or (died > {self.number} and died < {ALIVE})"


def _places(folder: Path) -> Iterator[_Place]:
    """Yield the collections that a folder names, complete or not, as far as it can be read."""
    for name in (manifests.FILE_NAME, _WRITING):
        try:
            raw = json.loads((folder / name).read_text(encoding="utf-8"))
            # Collections of earlier layouts are deleted too.
            if raw["recipe"]["engine"].partition("/")[0] == NAME.partition("/")[0]:
                yield _Place(raw)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


class MilvusIndex:
    """The rows of a version open for searching; safe to use from many threads."""

    def __init__(self, server: Server, folder: Path, manifest: Mapping[str, Any]) -> None:
        self._server = server
        self._folder = folder
        with manifests.reading(folder):
            self._total = int(manifest["passages"])
            self._dimensions = int(manifest["recipe"]["dimensions"])
            self._place = _Place(manifest)
            self._dense_index = str(manifest["dense_index"])
            self._stems = _Stems.read(folder)
        try:
            self._check()
        except BaseException:
            self._stems.close()
            raise

    def _check(self) -> None:
        """Compare the number of rows; from then on Milvus shows what the version's build wrote."""
        there = 0
        if self._server.load(self._place.collection):
            there = self._server.count(self._place.collection, self._place.seen)
            if there == self._total:
                return
        raise IndexDamagedError(
            f"Version {self._folder.name!r} has {self._total:,} passages, Milvus at "
            f"{self._server.uri!r} {there:,} of them. {manifests.REPAIR}"
        )

    def dense(self, vector: Vectors, k: int, wanted: RowFilter) -> Found:
        """Search by inner product; of unit vectors these are cosines. At most 16,384 are found."""
        return self._search("dense", [vector], k, wanted)

    def lexical(self, terms: Terms, k: int, wanted: RowFilter) -> Found:
        """Search by BM25; at most 16,384 are found.

        There is a vector for each choice of one form of each name, and a row scores by the best.
        """
        names = terms.names[:_MOST_NAMES]
        forms = [
            (dict.fromkeys(name.asked, 1.0), dict.fromkeys(name.other, boost))
            for name, boost in names
        ]
        single = dict.fromkeys(terms.stems, 1.0)
        stems = [*single, *(stem for pair in forms for form in pair for stem in form)]
        with manifests.reading(self._folder):
            known = self._stems.find(stems)
        queries = []
        for chosen in product(*forms):
            query: dict[int, float] = defaultdict(float)
            for form in (single, *chosen):
                for stem, weight in form.items():
                    if stem in known:
                        dimension, holding = known[stem]
                        query[dimension] += weight * idf(holding, self._total)
            queries.append(dict(query))
        return self._search("lexical", [query for query in queries if query], k, wanted)

    def _search(self, field: str, queries: Sequence[Any], k: int, wanted: RowFilter) -> Found:
        """Return the best of what any of the queries finds; a row counts with its best score."""
        best: dict[int, float] = {}
        if queries:
            found = self._server.search(
                self._place.collection,
                field,
                queries,
                min(k, MOST_FOUND),
                self._filter(wanted),
                self._dense_index,
            )
            for row, score in (hit for hits in found for hit in hits):
                best[row] = max(score, best.get(row, -math.inf))
        return np.array(list(best), np.int64), np.array(list(best.values()), np.float64)

    def _filter(self, wanted: RowFilter) -> str:
        """Return the filter in Milvus' language."""
        parts = [self._place.seen]
        if wanted.dated:
            parts.append(f"day >= {wanted.first_day} and day <= {wanted.last_day}")
        if wanted.publishers is not None:
            parts.append(f"publisher in {list(wanted.publishers)}")
        if wanted.articles is not None:
            parts.append(f"article in {wanted.articles.tolist()}")
        return " and ".join(parts)

    def vectors(self, rows: Rows) -> Vectors:
        """Return the vectors of rows as stored, float32 [len(rows), dimensions]."""
        there = self._server.get(self._place.collection, rows.tolist(), ("row", "dense"))
        found = np.zeros((len(rows), self._dimensions), dtype=np.float32)
        with manifests.reading(self._folder):
            for place, row in enumerate(rows.tolist()):
                found[place] = there[row]["dense"]
        return found

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in how many rows each stem stands, in the headline or the text."""
        with manifests.reading(self._folder):
            known = self._stems.find(stems)
        return [known[stem][1] if stem in known else 0 for stem in stems]

    def close(self) -> None:
        """Close the file of stems."""
        self._stems.close()


class MilvusWriter:
    """Writes the rows of one version: into a file at first, and into Milvus only by `finish`."""

    def __init__(
        self,
        server: Server,
        folder: Path,
        base: Path | None,
        manifest: Mapping[str, Any],
        dimensions: int,
        dense_index: str,
    ) -> None:
        self._server = server
        self._folder = folder
        self._dimensions = dimensions
        self._dense_index = dense_index
        self._base: _Place | None = None
        self._average = 0.0
        self._length = self._next_row = 0
        if base is not None:
            with manifests.reading(base):
                self._base = _Place(manifest)
                self._average = float(manifest["average"])
                self._length = int(manifest["length"])
                self._dense_index = str(manifest["dense_index"])
                self._next_row = self._base.next_row
        self._first_new = self._next_row
        self._counts: Counter[str] = Counter()
        self._gone: list[int] = []
        with manifests.reading(base or folder):
            self._stems = _Stems.create(folder, base)
        self._spool = _Spool(folder / _SPOOL)

    def add(self, part: str, columns: Columns, vectors: Vectors, stems: Sequence[str]) -> None:
        """Put rows by until `finish`."""
        for stemmed in stems:
            self._count(stemmed.split(), 1)
        self._spool.add(columns, vectors, stems)
        self._next_row += len(columns.row)

    def remove(self, articles: Sequence[int], rows: Sequence[int]) -> None:
        """Remove rows of earlier versions by `finish`, those of this one at once."""
        self._gone.extend(row for row in rows if row < self._first_new)
        for stems in self._spool.remove([row for row in rows if row >= self._first_new]):
            self._count(stems, -1)

    def _count(self, stems: Sequence[str], change: int) -> None:
        self._length += change * len(stems)
        for stem in set(stems):
            self._counts[stem] += change

    def merge(self, parts: Sequence[str], into: str, gone: Set[int]) -> None:
        """Do nothing: rows in Milvus know of no parts."""

    def finish(self, passages: int) -> tuple[tuple[VectorKind, ...], Mapping[str, Any]]:
        """Write to Milvus what was put by."""
        self._stems.count(self._counts)
        self._count_gone()
        place, before = self._begin(self._length / max(1, passages))
        if self._base is not None and place.collection == self._base.collection:
            for some in _batches(self._gone):
                there = self._server.get(place.collection, some, _FIELDS)
                self._server.set_died(place.collection, list(there.values()), place.number)
        elif self._base is not None:
            self._copy(self._base, place, before)
        for batch in self._spool.batches():
            known = self._stems.find(list({stem for _, stems in batch for stem in stems}))
            counted = [(row, Counter(known[s][0] for s in stems)) for row, stems in batch]
            self._insert(place, counted)
        self._server.flush(place.collection)
        self._stems.finish()
        self._spool.close()
        for name in (_SPOOL, _WRITING):
            (self._folder / name).unlink()
        values = {
            "collection": place.collection,
            "number": place.number,
            "average": self._average,
            "length": self._length,
            "dense_index": self._dense_index,
        }
        return (), values

    def abort(self) -> None:
        """Close what is open; Milvus is cleared of it when the folder is discarded."""
        self._stems.close()
        self._spool.close()

    def _count_gone(self) -> None:
        """Take the stems of removed rows out of the counts."""
        if self._base is None:
            return
        if not self._server.load(self._base.collection):
            raise IndexDamagedError(
                f"The version to build on is not in Milvus at {self._server.uri!r}. "
                f"{manifests.REPAIR}"
            )
        for some in _batches(self._gone):
            there = self._server.get(self._base.collection, some, ("row", "length", "lexical"))
            self._length -= sum(int(row["length"]) for row in there.values())
            dimensions = (int(stem) for row in there.values() for stem in row["lexical"])
            self._stems.lower(Counter(dimensions))

    def _begin(self, average: float) -> tuple[_Place, float]:
        """Choose the collection, and note it down before anything is written to it.

        The mean length that the rows of the version before were written with is returned too.
        """
        base, before = self._base, self._average
        moved = average > 0 and abs(before / average - 1) > MOST_DRIFT
        in_place = False
        if base is not None and not moved:
            in_place = not self._server.some(base.collection, base.later, ("row",), limit=1)
        if base is not None and in_place:
            raw: dict[str, Any] = {"collection": base.collection, "number": base.number + 1}
        else:
            raw = {"collection": f"tanya_{secrets.token_hex(6)}", "number": 1}
            self._average = average
        raw["next_row"] = self._next_row
        with (self._folder / _WRITING).open("w", encoding="utf-8") as file:
            json.dump({**raw, "recipe": {"engine": NAME}}, file)
            file.flush()
            os.fsync(file.fileno())
        if not in_place:
            self._server.create(raw["collection"], self._dimensions, self._dense_index)
        return _Place(raw), before

    def _copy(self, base: _Place, place: _Place, before: float) -> None:
        """Copy the rows that stay into another collection, with the new mean length."""
        gone = set(self._gone)
        for begin in range(0, self._first_new, BATCH):
            some = f"row >= {begin} and row < {begin + BATCH} and {base.seen}"
            rows = self._server.some(base.collection, some, _FIELDS, limit=BATCH)
            staying = [row for row in rows if row["row"] not in gone]
            self._insert(place, [(row, _stem_counts(row, before)) for row in staying])

    def _insert(self, place: _Place, batch: Sequence[tuple[Row, Mapping[int, int]]]) -> None:
        """Insert rows, each with how often each stem's dimension stands in it."""
        rows = []
        for row, counts in batch:
            norm = _norm(row["length"], self._average)
            weights = {stem: tf * (K1 + 1) / (tf + norm) for stem, tf in counts.items()}
            rows.append({**row, "died": ALIVE, "lexical": weights or {_NO_STEM: 1.0}})
        if rows:
            self._server.insert(place.collection, rows)


def _norm(length: int, average: float) -> float:
    """Return what BM25 adds to a stem's count in a row of so many stems.

    The length is rounded down as Tantivy stores it (Lucene's SmallFloat), so that both rank alike.
    """
    over = length - 24
    shift = max(0, over.bit_length() - 4)
    rounded = length if over < 0 else 24 + (over >> shift << shift)
    return K1 * (1 - B + B * rounded / average) if length else 0.0


def _stem_counts(row: Row, average: float) -> dict[int, int]:
    """Return how often each stem's dimension stands in a row, from the weights that it has."""
    norm = _norm(row["length"], average)
    weights = {int(stem): weight for stem, weight in row["lexical"].items() if int(stem)}
    return {stem: round(w * norm / (K1 + 1 - w)) for stem, w in weights.items()}


def _batches(values: Sequence[int]) -> Iterator[Sequence[int]]:
    return (values[begin : begin + BATCH] for begin in range(0, len(values), BATCH))


class _Stems:
    """The stems of one version, by dimension: read from any thread, or written by one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._lock = threading.Lock()

    @classmethod
    def read(cls, folder: Path) -> _Stems:
        """Open the stems of a finished version."""
        return cls(connect_finished(folder / _STEMS))

    @classmethod
    def create(cls, folder: Path, base: Path | None) -> _Stems:
        """Begin with a copy of the stems of `base`, or with none."""
        if base is not None:
            shutil.copyfile(base / _STEMS, folder / _STEMS)
        db = connect_new(folder / _STEMS)
        if base is None:
            db.execute(
                """CREATE TABLE stem (dimension INTEGER PRIMARY KEY, stem TEXT NOT NULL UNIQUE,
                rows INTEGER NOT NULL)"""
            )
        db.execute("BEGIN")
        return cls(db)

    def find(self, stems: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (dimension, rows) of each stem that stands in a row."""
        query = "SELECT stem, dimension, rows FROM stem WHERE rows > 0 AND stem IN"
        with self._lock:
            rows = select(self._db, query, stems)
            return {stem: (dimension, n) for stem, dimension, n in rows}

    def count(self, changes: Mapping[str, int]) -> None:
        """Add to the number of rows that each stem stands in; new stems get a dimension."""
        self._db.executemany(
            """INSERT INTO stem (stem, rows) VALUES (?, ?)
            ON CONFLICT (stem) DO UPDATE SET rows = rows + excluded.rows""",
            ((stem, change) for stem, change in changes.items() if change),
        )

    def lower(self, counts: Mapping[int, int]) -> None:
        """Take away from the number of rows of each dimension."""
        query = "UPDATE stem SET rows = rows - ? WHERE dimension = ?"
        self._db.executemany(query, ((n, dimension) for dimension, n in counts.items()))

    def finish(self) -> None:
        """Write everything out and close the file."""
        self._db.execute("COMMIT")
        self._db.close()

    def close(self) -> None:
        self._db.close()


class _Spool:
    """Rows put by until Milvus gets them."""

    def __init__(self, path: Path) -> None:
        self._db = connect_new(path)
        self._db.execute(
            """CREATE TABLE new (row INTEGER PRIMARY KEY, article INTEGER, day INTEGER,
            publisher INTEGER, stems TEXT, dense BLOB)"""
        )
        self._db.execute("BEGIN")

    def add(self, columns: Columns, vectors: Vectors, stems: Sequence[str]) -> None:
        """Add rows with their vectors and stems."""
        listed = (column.tolist() for column in columns)
        dense = (vector.astype(np.float32).tobytes() for vector in vectors)
        rows = zip(*listed, stems, dense, strict=True)
        self._db.executemany("INSERT INTO new VALUES (?, ?, ?, ?, ?, ?)", rows)

    def remove(self, rows: Sequence[int]) -> list[list[str]]:
        """Remove rows; return the stems of each."""
        query = "DELETE FROM new WHERE row = ? RETURNING stems"
        return [self._db.execute(query, (row,)).fetchone()[0].split() for row in rows]

    def batches(self) -> Iterator[list[tuple[Row, list[str]]]]:
        """Yield the rows with their stems, some at a time."""
        cursor = self._db.execute("SELECT * FROM new ORDER BY row")
        while some := cursor.fetchmany(BATCH):
            batch = []
            for *numbers, stemmed, dense in some:
                stems = stemmed.split()
                row = dict(zip(Columns._fields, numbers, strict=True))
                vector = np.frombuffer(dense, dtype=np.float32)
                batch.append(({**row, "length": len(stems), "dense": vector}, stems))
            yield batch

    def close(self) -> None:
        self._db.close()
