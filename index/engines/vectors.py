"""The vectors of one part on disk: compared one by one where they are few, by codes where many.

    vectors.faiss   few rows: the vectors, float32; many rows: 4-bit codes in lists of near vectors
    exact.npy       many rows only: the vectors in float16, [rows, dimensions], by position

A search of many rows takes the best by their codes, several times what is asked for, and orders
those by the float16 vectors, so that scores are cosines in every part. It reads most of the lists:
the hundred best passages for a short question are scattered, and a tenth of the lists, enough for
a question that resembles its passage, would miss a quarter of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.engines.contract import VectorKind, Vectors
from index.manifest import ARRAYS

FEW = 100_000
"""Rows up to which every vector of a part is compared."""

FLAT, CODED = "flat", "ivf-pq"

CODES_FILE, EXACT_FILE = "vectors.faiss", "exact.npy"
_RAW_FILE = "vectors.raw"

_WANTED_RECALL = 0.985
_DEPTH, _LEAST_DEPTH = 4, 600
"""Rows that are read for the exact order: so many times what is asked for, and so many more."""
_EXACT_ROWS = 20_000
"""Rows up to which those that a filter leaves are compared one by one, which takes some 10 ms."""

_TRAINED_ON, _ROUNDS = 20_000, 10
_ASKED, _NOISE = 128, 1.5
"""Questions that recall is measured with, and how far they are moved away from passages: so much
noise gives them cosines as far below 1 as those of real questions (0.55 first, 0.29 hundredth)."""
_BLOCK = 50_000

Positions = npt.NDArray[np.int64]
Allowed = npt.NDArray[np.bool_]


class NewVectors:
    """The vectors of a part being written to `folder`; kept on disk until `finish`."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        self._folder = folder
        self._dimensions = dimensions
        self._rows = 0
        self._raw = (folder / _RAW_FILE).open("wb")

    def add(self, vectors: Vectors) -> None:
        """Append vectors [N, dimensions]."""
        self._raw.write(np.ascontiguousarray(vectors, dtype=np.float32).data)
        self._rows += len(vectors)

    def abort(self) -> None:
        """Close the file."""
        self._raw.close()

    def finish(self) -> VectorKind:
        """Write what a search needs; tell how it will search and how much that finds."""
        import faiss

        self._raw.close()
        path = self._folder / _RAW_FILE
        shape = (self._rows, self._dimensions)
        raw = np.memmap(path, np.float32, "r", shape=shape) if self._rows else np.zeros(shape, "f4")
        if self._rows <= FEW:
            flat = faiss.IndexFlatIP(self._dimensions)
            flat.add(np.ascontiguousarray(raw))
            faiss.write_index(flat, str(self._folder / CODES_FILE))
            kind = VectorKind(FLAT, self._rows, 1.0)
        else:
            kind = _write_coded(self._folder, raw)
        del raw
        path.unlink()
        return kind


class PartVectors:
    """The vectors of a finished part, memory-mapped; safe to search from many threads."""

    def __init__(self, folder: Path) -> None:
        import faiss

        self._index: Any = faiss.read_index(str(folder / CODES_FILE), faiss.IO_FLAG_MMAP_IFC)
        self._exact: Any = None
        if hasattr(self._index, "nlist"):
            with ARRAYS:
                self._exact = np.load(folder / EXACT_FILE, mmap_mode="r")
            if self._exact.shape != (self._index.ntotal, self._index.d):
                raise ValueError(f"{EXACT_FILE} has shape {self._exact.shape}")

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, k: int, allowed: Allowed | None) -> tuple[Vectors, Positions]:
        """Return inner products with `vector` [dimensions] and positions, at most k, best first.

        `allowed` [rows] tells which rows may be found; if there are k of them, k are found.
        """
        left = len(self) if allowed is None else int(np.count_nonzero(allowed))
        k = min(k, left)
        if k < 1:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        if self._exact is None:
            return self._nearest(vector, k, allowed)
        depth = _DEPTH * k + _LEAST_DEPTH
        near = np.zeros(0, np.int64)
        if left > max(depth, _EXACT_ROWS):
            # A filter can leave rows of few lists alone, so that every list must be read.
            probes = self._index.nprobe if left > len(self) // 2 else self._index.nlist
            # In the order of the file, which a disk reads much faster than another.
            near = np.sort(self._nearest(vector, depth, allowed, probes)[1])
        if len(near) < k:
            near = np.arange(len(self)) if allowed is None else np.flatnonzero(allowed)
        scores = np.concatenate([part @ vector for part in self._blocks(near)])
        order = np.lexsort((near, -scores))[:k]
        return scores[order], near[order]

    def _nearest(
        self, vector: Vectors, k: int, allowed: Allowed | None, probes: int = 0
    ) -> tuple[Vectors, Positions]:
        import faiss

        # Of each thread its own setting: one question should not take both cores from another.
        faiss.omp_set_num_threads(1)
        wanted: dict[str, Any] = {"nprobe": probes} if probes else {}
        if allowed is not None:
            # The selector keeps a pointer into `bits`, which must live as long as the search.
            bits = np.packbits(allowed, bitorder="little")
            wanted["sel"] = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
        kind = faiss.SearchParametersIVF if probes else faiss.SearchParameters
        parameters = kind(**wanted) if wanted else None
        scores, positions = self._index.search(vector.reshape(1, -1), k, params=parameters)
        found = positions[0] >= 0
        return scores[0][found], positions[0][found]

    def take(self, positions: Positions) -> Vectors:
        """Return the vectors at these positions, float32 [len(positions), dimensions]."""
        if self._exact is None:
            return np.asarray(self._index.reconstruct_batch(positions), dtype=np.float32)
        return np.asarray(self._exact[positions], dtype=np.float32)

    def _blocks(self, positions: Positions) -> Iterator[Vectors]:
        for begin in range(0, len(positions), _BLOCK):
            yield self.take(positions[begin : begin + _BLOCK])


def _write_coded(folder: Path, raw: npt.NDArray[np.float32]) -> VectorKind:
    """Train on a sample, write codes and float16 vectors, and measure how much a search finds."""
    import faiss

    faiss.omp_set_num_threads(os.cpu_count() or 1)
    rows, dimensions = raw.shape
    rng = np.random.default_rng(rows)
    exact = np.lib.format.open_memmap(folder / EXACT_FILE, "w+", np.float16, raw.shape)
    index = _empty(rows, dimensions)
    index.train(raw[np.sort(rng.choice(rows, min(rows, _TRAINED_ON), replace=False))])
    for begin in range(0, rows, _BLOCK):
        block = np.ascontiguousarray(raw[begin : begin + _BLOCK])
        exact[begin : begin + _BLOCK] = block
        index.add(block)
    exact.flush()
    del exact
    faiss.write_index(index, str(folder / CODES_FILE))
    asked = _questions(raw, rng)
    best = _truth(raw, asked)
    faiss.omp_set_num_threads(1)
    found = PartVectors(folder)
    recall = 0.0
    for eighths in (4, 5, 6, 7, 8):
        found._index.nprobe = index.nprobe = max(1, index.nlist * eighths // 8)
        recall = _recall(found, asked, best)
        if recall >= _WANTED_RECALL:
            break
    # The number of lists to read is kept in the file.
    faiss.write_index(index, str(folder / CODES_FILE))
    return VectorKind(CODED, rows, round(recall, 4))


def _empty(rows: int, dimensions: int) -> Any:
    import faiss

    lists = max(1, min(1024, int(rows**0.5 / 4)))
    pieces = dimensions // 2 if dimensions % 2 == 0 else dimensions
    coarse = faiss.IndexFlatIP(dimensions)
    index = faiss.IndexIVFPQFastScan(
        coarse, dimensions, lists, pieces, 4, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = False
    for training in (index.cp, index.pq.cp):
        training.niter = _ROUNDS
        training.seed = 1
        training.min_points_per_centroid = 1
    return index


def _questions(raw: npt.NDArray[np.float32], rng: np.random.Generator) -> Vectors:
    """Return unit vectors as far from the passages as questions are, [N, dimensions]."""
    asked = raw[np.sort(rng.choice(len(raw), min(len(raw), _ASKED), replace=False))]
    noise = rng.normal(size=asked.shape)
    asked = asked + _NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    lengths = np.linalg.norm(asked, axis=1, keepdims=True)
    return np.asarray(asked / np.maximum(lengths, 1e-12), dtype=np.float32)


_MEASURED = 100


def _truth(raw: npt.NDArray[np.float32], asked: Vectors) -> Positions:
    """Return the positions of the best rows for each question, [N, at most 100], in any order."""
    k = min(_MEASURED, len(raw))
    scores = np.zeros((len(asked), 0), dtype=np.float32)
    best = np.zeros((len(asked), 0), dtype=np.int64)
    for begin in range(0, len(raw), _BLOCK):
        block = raw[begin : begin + _BLOCK]
        scores = np.hstack([scores, asked @ block.T])
        rows = np.arange(begin, begin + len(block))
        best = np.hstack([best, np.broadcast_to(rows, (len(asked), len(rows)))])
        if scores.shape[1] > k:
            kept = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            scores = np.take_along_axis(scores, kept, axis=1)
            best = np.take_along_axis(best, kept, axis=1)
    return best


def _recall(vectors: PartVectors, asked: Vectors, best: Positions) -> float:
    shared = [
        len(np.intersect1d(vectors.search(one, best.shape[1], None)[1], rows))
        for one, rows in zip(asked, best, strict=True)
    ]
    return sum(shared) / best.size
