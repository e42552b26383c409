"""Articles made ready for the index: cut and stemmed in other processes, and kept when embedded.

    versions/prepared/RECIPE/BATCH.npz   some articles' ids, fingerprints, spans, stems and vectors

What a build has finished stays in these files until its version is published, so that a build that
was stopped goes on where it was, and other machines can do a share of the work. The files name
articles by id and fingerprint: what changed meanwhile is not taken up.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index import chunking
from index.embedding import Vectors
from index.engine import Recipe
from index.manifest import ARRAYS
from index.records import Article, Span

MOST_WORKERS = 4
"""More processes than this cut faster than one can write the index."""

_OPEN_FILES = 4
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Cut:
    """An article cut into passages: the spans of each, and the stems of its headline and text."""

    id: str
    fingerprint: str
    cuts: tuple[tuple[Span, ...], ...]
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """An article to cut; `repeated` are the lines that its publisher repeats."""

    article: Article
    fingerprint: str
    repeated: frozenset[str]


def cut(tasks: Sequence[Task], max_tokens: int) -> list[Cut]:
    """Cut articles into passages and stem them."""
    found = []
    for task in tasks:
        cuts = chunking.cut(task.article, max_tokens=max_tokens, repeated=task.repeated)
        stems = chunking.stems(chunking.passages_of(task.article, cuts))
        found.append(Cut(task.article.id, task.fingerprint, tuple(cuts), tuple(stems)))
    return found


# In other processes ------------------------------------------------------------------------------

Cutter = Callable[[Sequence[Task]], Callable[[], list[Cut]]]
"""Begins to cut articles; what it returns waits for the result."""


@contextmanager
def cutter(max_tokens: int, workers: int) -> Iterator[Cutter]:
    """Cut in so many processes beside this one; 0: in this one, when the result is asked for."""
    if not workers:
        yield lambda tasks: lambda: cut(tasks, max_tokens)
        return
    from multiprocessing import get_context

    # A forked process would hold locks of threads that it does not have.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker)

    def begin(tasks: Sequence[Task]) -> Callable[[], list[Cut]]:
        try:
            future: Future[list[Cut]] = pool.submit(cut, tasks, max_tokens)
        except BrokenProcessPool:
            return lambda: cut(tasks, max_tokens)
        return lambda: _result(future, tasks, max_tokens)

    try:
        yield begin
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[list[Cut]], tasks: Sequence[Task], max_tokens: int) -> list[Cut]:
    try:
        return future.result()
    except BrokenProcessPool:
        # The system ended a worker, for want of memory as a rule; one process needs less.
        return cut(tasks, max_tokens)


def _begin_worker() -> None:
    from multiprocessing import parent_process

    # Ctrl-C reaches every process of the terminal; the first one says what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def ahead(batches: Iterable[Callable[[], Any]], workers: int) -> Iterator[Any]:
    """Yield each result in order, keeping a few begun before they are asked for."""
    begun: deque[Callable[[], Any]] = deque()
    for wait in batches:
        begun.append(wait)
        if len(begun) > (workers + _AHEAD if workers else 0):
            yield begun.popleft()()
    while begun:
        yield begun.popleft()()


def workers_for(articles: int, batch: int) -> int:
    """Return how many processes are worth starting beside this one for so many articles."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MOST_WORKERS, (cores or 1) - 1) if articles > 4 * batch else 0


# What is finished --------------------------------------------------------------------------------


class Finished:
    """The finished articles of one recipe, in files of `folder`."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        # Passages and vectors do not depend on the engine.
        made_with = (recipe.model, recipe.dimensions, recipe.max_tokens, recipe.rules)
        digest = hashlib.blake2b(repr(made_with).encode(), digest_size=8)
        self.folder = folder / digest.hexdigest()
        self._dimensions = recipe.dimensions
        self._files: dict[tuple[str, str], Path] = {}
        self._open: dict[Path, dict[tuple[str, str], tuple[Cut, Vectors]]] = {}
        for path in sorted(self.folder.glob("*.npz")):
            for key in _keys(path):
                self._files[key] = path

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._files

    def take(self, article_id: str, fingerprint: str) -> tuple[Cut, Vectors] | None:
        """Return an article with its vectors [passages, dimensions]; None if it is not there."""
        key = (article_id, fingerprint)
        path = self._files.get(key)
        if path is None:
            return None
        if path not in self._open:
            while len(self._open) >= _OPEN_FILES:
                del self._open[next(iter(self._open))]
            self._open[path] = _read(path, self._dimensions)
        return self._open[path].get(key)

    def keep(self, done: Sequence[Cut], vectors: Vectors) -> None:
        """Write a file of articles with their vectors, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        articles = [(one.id, one.fingerprint, one.cuts, one.stems) for one in done]
        written = json.dumps(articles).encode()
        name = hashlib.blake2b(written, digest_size=12).hexdigest()
        keys = json.dumps([(one.id, one.fingerprint) for one in done]).encode()
        beside = self.folder / f".{name}"
        with beside.open("wb") as file:
            np.savez(
                file,
                keys=np.frombuffer(keys, dtype=np.uint8),
                articles=np.frombuffer(written, dtype=np.uint8),
                vectors=vectors,
            )
        os.replace(beside, self.folder / f"{name}.npz")


_DAMAGED = (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile)


def _keys(path: Path) -> list[tuple[str, str]]:
    """Return what a file holds; nothing if it is damaged, for it can be made again."""
    try:
        with ARRAYS, path.open("rb") as raw, np.load(raw) as file:
            return [(str(i), str(f)) for i, f in json.loads(file["keys"].tobytes())]
    except _DAMAGED:
        return []


def _read(path: Path, dimensions: int) -> dict[tuple[str, str], tuple[Cut, Vectors]]:
    found: dict[tuple[str, str], tuple[Cut, Vectors]] = {}
    try:
        with ARRAYS, path.open("rb") as raw, np.load(raw) as file:
            vectors = np.asarray(file["vectors"], dtype=np.float32)
            articles = json.loads(file["articles"].tobytes())
        at = 0
        for article_id, fingerprint, cuts, stems in articles:
            spans = tuple(tuple((int(a), int(b)) for a, b in passage) for passage in cuts)
            one = Cut(article_id, fingerprint, spans, tuple(stems))
            found[article_id, fingerprint] = one, vectors[at : at + len(spans)]
            at += len(spans)
        if vectors.shape != (at, dimensions):
            return {}
    except _DAMAGED:
        return {}
    return found
