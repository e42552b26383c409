"""Brings the index up to the archive: only new, changed and removed articles are touched.

    versions/prepared/RECIPE/BATCH.npz   some articles' ids, fingerprints, spans, stems and vectors

What a build has finished stays in these files until its version is published, so that a build that
was stopped goes on where it was, and other machines can do a share of the work. The files name
articles by id and fingerprint: what changed meanwhile is not taken up.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import logging
import os
import shutil
import signal
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from index import chunking, clean, text
from index import manifest as manifests
from index.archive import Archive
from index.embedding import Embedder, passage_text
from index.engines.contract import Vectors
from index.errors import GateError, IndexDamagedError, InputError, TanyaError
from index.manifest import ARRAYS, IndexVersion, Recipe
from index.records import Article, Passage, Span
from index.refusals import writing
from index.settings import ChunkingSettings
from index.snapshot import IndexWriter
from index.store import ArticleEntry, fingerprints
from index.versions import PREPARED, Check, Versions

logger = logging.getLogger("tanya.index")

BATCH = 500

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, the work done, and the work in all."""

MOST_WORKERS = 4
"""More processes than this cut faster than one can write the index."""

_OPEN_FILES = 4
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build would do. `full` tells that the recipe changed, so that everything is redone."""

    recipe: Recipe
    full: bool
    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def work(self) -> int:
        """Return the number of articles to index or drop."""
        return len(self.new) + len(self.changed) + len(self.removed)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did; `version` is None if there was nothing to do.

    Of the articles indexed, `embedded` were embedded now and `taken_up` by a build before it that
    was stopped, or as a share. `damage` tells why it was not built on the live version, and that it
    was built on `base`, None where everything was built anew.
    """

    plan: Plan
    version: IndexVersion | None
    embedded: int
    taken_up: int = 0
    damage: str = ""
    base: str | None = None


@dataclass(frozen=True, slots=True)
class ShareReport:
    """What preparing a share did: articles `embedded` now, and how many it has in all."""

    articles: int
    embedded: int
    folder: Path


@dataclass(frozen=True, slots=True)
class _Ready:
    """Articles ready to be put: `passages`, `stems` and `vectors` are aligned."""

    articles: list[tuple[Article, str]]
    passages: list[Passage]
    stems: list[str]
    vectors: Vectors
    embedded: int


_FIELDS = 2
"""Counts the changes of what a version keeps of an article: 1 since its authors are kept, 2 since
headlines and names are found by how they begin."""


def rules() -> str:
    """Return the versions of this program's rules, as they stand in a recipe."""
    return f"fields {_FIELDS}, text {text.RULES}, clean {clean.RULES}, chunking {chunking.RULES}"


def recipe(engine: str, embedder: Embedder, chunks: ChunkingSettings) -> Recipe:
    """Return the recipe that the settings ask for."""
    return Recipe(engine, embedder.name, embedder.dimensions, chunks.max_tokens, rules())


def build(
    archive: Archive,
    versions: Versions,
    wanted: Recipe,
    embedder: Embedder,
    *,
    now: dt.datetime,
    full: bool = False,
    progress: Progress = lambda stage, done, total: None,
    check: Check = lambda index: None,
    workers: int | None = None,
    allow_removals: bool = False,
) -> BuildReport:
    """Build and publish the next version if the archive or the recipe changed.

    Anything that stops it, at any moment, leaves the live version as it was; so does what `check`
    raises on seeing the new version, whole but not yet live. What was embedded by then is taken up
    by the next build. Raises GateError where it would drop many articles that nobody removed,
    unless they are allowed to go. Many articles are cut in `workers` other processes; None: as the
    machine has.

    It builds on the live version; where that is damaged, on the newest whole one; where none is,
    or with `full`, on nothing.
    """
    job = _Job(archive, versions, wanted, embedder, now, progress, check, workers, allow_removals)
    damage, live = "", None
    with versions.lock(create=True), writing(archive.path.parent):
        versions.clear()
        try:
            live = versions.live()
        except IndexDamagedError as error:
            damage = str(error)
        for base in [None] if full else _bases(versions, live):
            try:
                report = job.build_on(base, live)
                break
            except IndexDamagedError as error:
                if base is None:
                    raise
                logger.error("%s", error)
                damage = damage or str(error)
        shutil.rmtree(versions.path(PREPARED), ignore_errors=True)
    return replace(report, damage=damage)


def _bases(versions: Versions, live: str | None) -> Iterator[str | None]:
    """Yield the versions to build on, each for where those before it are damaged; None is none."""
    if live is not None:
        yield live
    yield from versions.whole(but=(live,) if live else ())
    yield None


@dataclass(frozen=True, slots=True)
class _Job:
    """What `build` was asked for."""

    archive: Archive
    versions: Versions
    wanted: Recipe
    embedder: Embedder
    now: dt.datetime
    progress: Progress
    check: Check
    workers: int | None
    allow_removals: bool

    def build_on(self, base: str | None, live: str | None) -> BuildReport:
        """Build on a version, or on nothing; raises IndexDamagedError where it is damaged."""
        archive, versions = self.archive, self.versions
        before = versions.describe(base) if base is not None else None
        if before is None or before.recipe != self.wanted:
            base = before = None
        # Read before the articles: what changes meanwhile is looked at again by the next build.
        state = archive.state()
        # All others are as they were when the version before was built.
        touched = archive.changed_since(before.state if before else "")
        indexed = versions.indexed(base, touched) if base else {}
        plan = Plan(
            self.wanted, base is None, *_differences(archive.fingerprints(touched), indexed)
        )
        if not plan.work and base and base == live:
            return BuildReport(plan, None, 0)
        if not self.allow_removals:
            _keep_from_loss(archive, versions, plan, before.articles if before else 0)
        writer: IndexWriter | None = None
        try:
            writer = versions.begin(self.wanted, base)
            writer.drop([*plan.changed, *plan.removed])
            finished = Finished(versions.path(PREPARED), self.wanted)
            embedded, taken_up = _index(
                archive, writer, self.embedder, plan, finished, self.progress, self.workers
            )
            self.progress("publish", 0, 1)
            version = versions.publish(writer, self.now, self.check, state)
            self.progress("publish", 1, 1)
        except BaseException as error:
            versions.give_up(writer)
            # Damage makes libraries raise anything, and so does a full disk.
            if base and not isinstance(error, (TanyaError, KeyboardInterrupt, SystemExit)):
                manifests.assert_whole(versions.path(base))
            raise
        return BuildReport(plan, version, embedded, taken_up, base=base)


# More is not dropped unasked, and never all.
_LOST, _LOST_SHARE = 100, 0.1


def _keep_from_loss(archive: Archive, versions: Versions, plan: Plan, indexed: int) -> None:
    """Raise GateError where the archive lacks many articles of the version before, unremoved.

    What `tanya remove` took out is gone on purpose; all else is only where the archive is not the
    one that the version was built from, or lost a part. `indexed` counts what the version holds.
    """
    gone = plan.removed
    if plan.full:
        before = _last_indexed(versions)
        there = archive.present(before)
        indexed, gone = len(before), tuple(a for a in before if a not in there)
    lost = len(gone) - len(archive.removed_earlier(gone))
    many = lost >= _LOST and lost > _LOST_SHARE * indexed
    if many or (lost and not archive.counts(0).articles):
        raise GateError(
            f"The archive lacks {lost:,} of the {indexed:,} articles of the version before, and "
            "nobody removed them: restore it (`tanya restore BACKUP`), or let them go with `tanya "
            "build --allow-removals`. Nothing was changed."
        )


def _last_indexed(versions: Versions) -> list[str]:
    """Return the ids of the articles of the live version, else of the newest that can be read."""
    names = versions.names()[::-1]
    with suppress(IndexDamagedError):
        names = [name for name in [versions.live()] if name] + names
    for name in names:
        with suppress(IndexDamagedError):
            folder = versions.path(name)
            return list(fingerprints(folder, manifests.read(folder)))
    return []


def prepare(
    archive: Archive,
    versions: Versions,
    wanted: Recipe,
    embedder: Embedder,
    share: tuple[int, int],
    *,
    progress: Progress = lambda stage, done, total: None,
    workers: int | None = None,
) -> ShareReport:
    """Embed share i of n of what the next build needs, (1, n) to (n, n), and publish nothing.

    The files in the report's folder may be copied into the same folder of another home with the
    same archive; the next build there takes them up.
    """
    number, shares = share
    if not 1 <= number <= shares:
        raise InputError(f"There is no share {number} of {shares}; they are 1 to {shares}.")
    with versions.lock(create=True), writing(archive.path.parent):
        live = versions.live()
        same = live is not None and versions.describe(live).recipe == wanted
        indexed = versions.indexed(live) if live and same else {}
        finished = Finished(versions.path(PREPARED), wanted)
        # By the place in the archive, which is the same on every machine that holds a copy of it.
        mine = [
            (a, f)
            for place, (a, f) in enumerate(archive.fingerprints().items())
            if place // BATCH % shares == number - 1 and indexed.get(a) != f
        ]
        todo = [a for a, f in mine if (a, f) not in finished]
        embedded = 0
        progress("prepare", 0, len(todo))
        for done in _ready(
            archive, embedder, todo, wanted.max_tokens, finished, workers, keep=True
        ):
            embedded += done.embedded
            progress("prepare", embedded, len(todo))
        return ShareReport(len(mine), embedded, finished.folder)


def waiting(archive: Archive, versions: Versions, live: str | None) -> tuple[int, int, int]:
    """Count the new, changed and removed articles that the next build would index."""
    touched = archive.changed_since(versions.describe(live).state) if live else None
    indexed = versions.indexed(live, touched) if live else {}
    new, changed, removed = _differences(archive.fingerprints(touched), indexed)
    return len(new), len(changed), len(removed)


_Ids = tuple[str, ...]


def _differences(want: Mapping[str, str], have: Mapping[str, str]) -> tuple[_Ids, _Ids, _Ids]:
    """Return the ids of new, changed and removed articles, of two mappings to fingerprints."""
    new = tuple(a for a in want if a not in have)
    changed = tuple(a for a, f in want.items() if a in have and have[a] != f)
    return new, changed, tuple(a for a in have if a not in want)


def _index(
    archive: Archive,
    writer: IndexWriter,
    embedder: Embedder,
    plan: Plan,
    finished: Finished,
    progress: Progress,
    workers: int | None,
) -> tuple[int, int]:
    todo = [*plan.new, *plan.changed]
    progress("index", 0, len(todo))
    done = embedded = 0
    budget = plan.recipe.max_tokens
    keep = len(todo) > BATCH
    for ready in _ready(archive, embedder, todo, budget, finished, workers, keep=keep):
        entries = [
            ArticleEntry(a.id, fingerprint, a.story_id, a.publisher, a.published, a.authors)
            for a, fingerprint in ready.articles
        ]
        writer.put(entries, ready.passages, ready.vectors, ready.stems)
        done += len(ready.articles)
        embedded += ready.embedded
        progress("index", done, len(todo))
    return embedded, done - embedded


def _ready(
    archive: Archive,
    embedder: Embedder,
    todo: Sequence[str],
    max_tokens: int,
    finished: Finished,
    workers: int | None,
    *,
    keep: bool,
) -> Iterator[_Ready]:
    """Yield the articles batch by batch, cut and embedded; `keep` what is embedded for later."""
    if workers is None:
        workers = workers_for(len(todo))
    with cutter(max_tokens, workers) as begin:
        some = (todo[at : at + BATCH] for at in range(0, len(todo), BATCH))
        batches = (_begin(archive, batch, finished, begin) for batch in some)
        for articles, known, fresh in ahead(batches, workers):
            yield _embed(articles, known, fresh, embedder, finished if keep else None)


def _begin(
    archive: Archive, batch: Sequence[str], finished: Finished, begin: Cutter
) -> Callable[[], tuple[list[tuple[Article, str]], dict[str, tuple[Cut, Vectors]], list[Cut]]]:
    """Begin to cut those articles of a batch that are not finished; return how to wait for it."""
    articles = archive.articles(batch)
    known = {}
    tasks = []
    for article, fingerprint in articles:
        taken = finished.take(article.id, fingerprint)
        if taken is not None:
            known[article.id] = taken
        else:
            repeated = archive.repeated_lines(article.publisher)
            tasks.append(Task(article, fingerprint, repeated))
    wait = begin(tasks) if tasks else list
    return lambda: (articles, known, wait())


def _embed(
    articles: list[tuple[Article, str]],
    known: dict[str, tuple[Cut, Vectors]],
    fresh: Sequence[Cut],
    embedder: Embedder,
    finished: Finished | None,
) -> _Ready:
    cuts = {one.id: one.cuts for one in (*(taken for taken, _ in known.values()), *fresh)}
    passages_of = {a.id: chunking.passages_of(a, cuts[a.id]) for a, _ in articles}
    texts = [passage_text(p) for one in fresh for p in passages_of[one.id]]
    vectors = embedder.embed_passages(texts)
    if finished is not None and fresh:
        finished.keep(fresh, vectors)
    all_of = known | {one.id: (one, mine) for one, mine in _aligned(fresh, vectors)}
    order = [article.id for article, _ in articles]
    return _Ready(
        articles,
        [passage for i in order for passage in passages_of[i]],
        [stems for i in order for stems in all_of[i][0].stems],
        np.concatenate([vectors[:0], *(all_of[i][1] for i in order)]),
        len(fresh),
    )


class Cut(NamedTuple):
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


def _aligned(articles: Sequence[Cut], vectors: Vectors) -> Iterator[tuple[Cut, Vectors]]:
    """Yield each article with the vectors of its passages, of those of all, in order."""
    at = 0
    for one in articles:
        yield one, vectors[at : at + len(one.cuts)]
        at += len(one.cuts)


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
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # A forked process would hold locks of threads that it does not have.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), begin_worker)

    def begin(tasks: Sequence[Task]) -> Callable[[], list[Cut]]:
        future: Future[list[Cut]] | None = None
        with suppress(BrokenProcessPool):
            future = pool.submit(cut, tasks, max_tokens)

        def wait() -> list[Cut]:
            # The system may end a worker, for want of memory as a rule; one process needs less.
            with suppress(BrokenProcessPool):
                if future is not None:
                    return future.result()
            return cut(tasks, max_tokens)

        return wait

    try:
        yield begin
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def begin_worker() -> None:
    """Let a process that works for another end with it, and leave Ctrl-C to that one."""
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


def workers_for(articles: int) -> int:
    """Return how many processes are worth starting beside this one for so many articles."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MOST_WORKERS, (cores or 1) - 1) if articles > 4 * BATCH else 0


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
        self._read = functools.lru_cache(_OPEN_FILES)(_read)
        for path in sorted(self.folder.glob("*.npz")):
            for key in _keys(path):
                self._files[key] = path

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._files

    def take(self, article_id: str, fingerprint: str) -> tuple[Cut, Vectors] | None:
        """Return an article with its vectors [passages, dimensions]; None if it is not there."""
        key = (article_id, fingerprint)
        path = self._files.get(key)
        return self._read(path, self._dimensions).get(key) if path else None

    def keep(self, done: Sequence[Cut], vectors: Vectors) -> None:
        """Write a file of articles with their vectors, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        written = json.dumps(done).encode()
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
    try:
        with ARRAYS, path.open("rb") as raw, np.load(raw) as file:
            vectors = np.asarray(file["vectors"], dtype=np.float32)
            rows = json.loads(file["articles"].tobytes())
        articles = [
            Cut(article_id, fingerprint, tuple(map(_spans, cuts)), tuple(stems))
            for article_id, fingerprint, cuts, stems in rows
        ]
    except _DAMAGED:
        return {}
    if vectors.shape != (sum(len(one.cuts) for one in articles), dimensions):
        return {}
    return {(one.id, one.fingerprint): (one, mine) for one, mine in _aligned(articles, vectors)}


def _spans(passage: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple((int(start), int(end)) for start, end in passage)
