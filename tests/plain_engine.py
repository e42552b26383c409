"""A search engine of NumPy and counting: what a third engine needs, and a check of the others."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from index.bm25 import K1, B
from index.engines.contract import Columns


class PlainEngine:
    """Rows in one file a version, written anew each time."""

    name = "plain"

    def writer(self, folder, base, manifest, dimensions):
        return PlainWriter(folder, base, dimensions)

    def open(self, folder, manifest, removed):
        return PlainIndex(folder)

    def discard(self, folders, kept):
        pass


class PlainWriter:
    def __init__(self, folder, base, dimensions):
        self._folder = folder
        self._dimensions = dimensions
        self._rows = {}
        if base is not None:
            columns, vectors, stems = read(base)
            self.add("", columns, vectors, stems)

    def add(self, part, columns, vectors, stems):
        for *numbers, vector, stemmed in zip(*columns, vectors, stems, strict=True):
            self._rows[int(numbers[0])] = (*map(int, numbers), vector, stemmed)

    def remove(self, articles, rows):
        for row in rows:
            del self._rows[row]

    def merge(self, parts, into, gone):
        pass

    def finish(self, passages):
        assert passages == len(self._rows)
        *columns, vectors, stems = list(zip(*self._rows.values(), strict=True)) or [()] * 6
        np.savez(
            self._folder / "rows.npz",
            columns=np.array(columns, dtype=np.int64),
            vectors=np.array(vectors, dtype=np.float32).reshape(-1, self._dimensions),
            stems=np.array("\n".join(stems)),
        )
        return (), {}

    def abort(self):
        pass


class PlainIndex:
    def __init__(self, folder):
        self._columns, self._vectors, stems = read(folder)
        self._counts = [Counter(stemmed.split()) for stemmed in stems]
        self._holding = Counter(stem for counts in self._counts for stem in counts)
        lengths = [counts.total() for counts in self._counts]
        average = max(1, sum(lengths)) / max(1, len(lengths))
        self._norms = [K1 * (1 - B + B * length / average) for length in lengths]

    def dense(self, vector, k, wanted):
        rows = np.flatnonzero(self._passing(wanted))
        return self._columns.row[rows], self._vectors[rows] @ vector

    def lexical(self, terms, k, wanted):
        scores = np.array([self._score(n, terms) for n in range(len(self._counts))])
        rows = np.flatnonzero(self._passing(wanted) & (scores > 0))
        return self._columns.row[rows], scores[rows]

    def _score(self, place, terms):
        forms = [
            max(self._bm25(place, name.asked), boost * self._bm25(place, name.other))
            for name, boost in terms.names
        ]
        return self._bm25(place, terms.stems) + sum(forms)

    def _bm25(self, place, stems):
        counts, norm = self._counts[place], self._norms[place]
        found = [(counts[stem], self._holding[stem]) for stem in stems if counts[stem]]
        total = len(self._counts)
        idf = [math.log(1 + (total - holding + 0.5) / (holding + 0.5)) for _, holding in found]
        return sum(w * tf * (K1 + 1) / (tf + norm) for w, (tf, _) in zip(idf, found, strict=True))

    def _passing(self, wanted):
        passing = np.ones(len(self._columns.row), dtype=np.bool_)
        if wanted.dated:
            days = self._columns.day
            passing &= (days >= wanted.first_day) & (days <= wanted.last_day)
        if wanted.publishers is not None:
            passing &= np.isin(self._columns.publisher, wanted.publishers)
        if wanted.articles is not None:
            passing &= np.isin(self._columns.article, wanted.articles)
        return passing

    def vectors(self, rows):
        return self._vectors[np.searchsorted(self._columns.row, rows)]

    def frequencies(self, stems):
        return [self._holding[stem] for stem in stems]

    def close(self):
        pass


def read(folder):
    """Return the columns, vectors and stems of a version."""
    with np.load(folder / "rows.npz") as file:
        columns = Columns(*file["columns"].reshape(len(Columns._fields), -1))
        stems = str(file["stems"]).split("\n")[: len(columns.row)]
        return columns, file["vectors"], stems
