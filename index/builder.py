"""Brings the index up to the archive: only new, changed and removed articles are touched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index import chunking, clean, text
from index.archive import Archive
from index.embedding import Embedder, passage_text
from index.engine import ArticleEntry, IndexVersion, IndexWriter, Progress, Recipe
from index.records import Article
from index.settings import ChunkingSettings
from index.versions import Check, Versions

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
    """What a build did; `version` is None if there was nothing to do."""

    plan: Plan
    version: IndexVersion | None
    embedded: int


def recipe(engine: str, embedder: Embedder, chunks: ChunkingSettings) -> Recipe:
    """Return the recipe that the settings ask for."""
    rules = f"text {text.RULES}, clean {clean.RULES}, chunking {chunking.RULES}"
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
) -> BuildReport:
    """Build and publish the next version if the archive or the recipe changed.

    Anything that stops it, at any moment, leaves the live version as it was; so does what `check`
    raises on seeing the new version, whole but not yet live.
    """
    with versions.lock():
        # A full build must work where the live version is damaged.
        live = None if full else versions.live()
        anew = live is None or versions.describe(live).recipe != wanted
        writer = versions.begin(wanted, from_live=not anew)
        try:
            plan = _plan(archive, writer, wanted, anew)
            if not plan.work and not anew:
                writer.abort()
                return BuildReport(plan, None, 0)
            writer.drop([*plan.changed, *plan.removed])
            embedded = _index(archive, writer, embedder, plan, progress)
            progress("publish", 0, 1)
            version = versions.publish(writer, now, check)
            progress("publish", 1, 1)
        except BaseException:
            writer.abort()
            raise
    return BuildReport(plan, version, embedded)


def waiting(archive: Archive, indexed: dict[str, str]) -> tuple[int, int, int]:
    """Count the new, changed and removed articles that the next build would index."""
    want = archive.fingerprints()
    new = sum(1 for article_id in want if article_id not in indexed)
    changed = sum(1 for a, f in want.items() if a in indexed and indexed[a] != f)
    removed = sum(1 for article_id in indexed if article_id not in want)
    return new, changed, removed


def _plan(archive: Archive, writer: IndexWriter, wanted: Recipe, full: bool) -> Plan:
    want = archive.fingerprints()
    have = writer.indexed()
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
    progress: Progress,
) -> int:
    todo = [*plan.new, *plan.changed]
    progress("index", 0, len(todo))
    done = 0
    for batch in _batches(todo):
        articles = archive.articles(batch)
        _put(archive, writer, embedder, articles, plan.recipe.max_tokens)
        done += len(articles)
        progress("index", done, len(todo))
    return done


def _put(
    archive: Archive,
    writer: IndexWriter,
    embedder: Embedder,
    articles: Sequence[tuple[Article, str]],
    max_tokens: int,
) -> None:
    entries = []
    passages = []
    for article, fingerprint in articles:
        repeated = archive.repeated_lines(article.publisher)
        passages.extend(chunking.passages(article, max_tokens=max_tokens, repeated=repeated))
        entries.append(
            ArticleEntry(
                article.id,
                fingerprint,
                article.story_id,
                article.publisher,
                article.published,
            )
        )
    writer.put(entries, passages, embedder.embed_passages([passage_text(p) for p in passages]))


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), BATCH):
        yield ids[begin : begin + BATCH]
