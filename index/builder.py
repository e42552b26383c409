"""Brings the index up to the archive: only new, changed and removed articles are touched."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index import chunking, clean, prepared, text
from index.archive import Archive
from index.embedding import Embedder, Vectors, passage_text
from index.engine import ArticleEntry, IndexVersion, IndexWriter, Progress, Recipe
from index.errors import InputError
from index.prepared import Cut, Cutter, Finished, Task
from index.records import Article, Passage
from index.settings import ChunkingSettings
from index.versions import PREPARED, Check, Versions

BATCH = 500


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
    was stopped, or as a share.
    """

    plan: Plan
    version: IndexVersion | None
    embedded: int
    taken_up: int = 0


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


_FIELDS = 1
"""Counts the changes of what a version keeps of an article: 1 since its authors are kept."""


def recipe(engine: str, embedder: Embedder, chunks: ChunkingSettings) -> Recipe:
    """Return the recipe that the settings ask for."""
    rules = f"fields {_FIELDS}, text {text.RULES}, clean {clean.RULES}, chunking {chunking.RULES}"
    return Recipe(engine, embedder.name, embedder.dimensions, chunks.max_tokens, rules)


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
) -> BuildReport:
    """Build and publish the next version if the archive or the recipe changed.

    Anything that stops it, at any moment, leaves the live version as it was; so does what `check`
    raises on seeing the new version, whole but not yet live. What was embedded by then is taken up
    by the next build. Many articles are cut in `workers` other processes; None: as the machine has.
    """
    with versions.lock():
        # A full build must work where the live version is damaged.
        live = None if full else versions.live()
        before = versions.describe(live) if live is not None else None
        anew = before is None or before.recipe != wanted
        writer = versions.begin(wanted, from_live=not anew)
        try:
            # Read before the articles: what changes meanwhile is looked at again by the next build.
            state = archive.state()
            since = before.state if before is not None and not anew else ""
            plan = _plan(archive, writer, wanted, anew, since)
            if not plan.work and not anew:
                writer.abort()
                return BuildReport(plan, None, 0)
            writer.drop([*plan.changed, *plan.removed])
            finished = Finished(versions.path(PREPARED), wanted)
            embedded, taken_up = _index(
                archive, writer, embedder, plan, finished, progress, workers
            )
            progress("publish", 0, 1)
            version = versions.publish(writer, now, check, state)
            progress("publish", 1, 1)
        except BaseException:
            writer.abort()
            raise
        shutil.rmtree(versions.path(PREPARED), ignore_errors=True)
    return BuildReport(plan, version, embedded, taken_up)


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
    with versions.lock():
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


def _plan(archive: Archive, writer: IndexWriter, wanted: Recipe, full: bool, since: str) -> Plan:
    # All others are as they were when the version before was built.
    touched = archive.changed_since(since)
    want = archive.fingerprints(touched)
    have = writer.indexed(touched)
    return Plan(
        recipe=wanted,
        full=full,
        new=tuple(a for a in want if a not in have),
        changed=tuple(a for a, f in want.items() if a in have and have[a] != f),
        removed=tuple(a for a in have if a not in want),
    )


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
        workers = prepared.workers_for(len(todo), BATCH)
    with prepared.cutter(max_tokens, workers) as begin:
        batches = (_begin(archive, batch, finished, begin) for batch in _batches(todo))
        for articles, known, fresh in prepared.ahead(batches, workers):
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
    at = 0
    all_of = dict(known)
    for one in fresh:
        all_of[one.id] = one, vectors[at : at + len(one.cuts)]
        at += len(one.cuts)
    order = [article.id for article, _ in articles]
    return _Ready(
        articles,
        [passage for i in order for passage in passages_of[i]],
        [stems for i in order for stems in all_of[i][0].stems],
        np.concatenate([vectors[:0], *(all_of[i][1] for i in order)]),
        len(fresh),
    )


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), BATCH):
        yield ids[begin : begin + BATCH]
