"""One version of the index, written and searched: its store and its engine's rows as one."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index import chunking, text
from index import manifest as manifests
from index.bm25 import idf
from index.engines.contract import Engine, Found, Synonym, Terms, Vectors
from index.errors import ModelError
from index.manifest import IndexVersion, Recipe
from index.records import Filter, Match, Passage, Scored
from index.store import ArticleEntry, Headline, Store, StoreWriter


class SearchIndex:
    """One version, open for searching from any thread; it never changes."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        """Open the version in `folder`; raises IndexDamagedError, and EngineError of a server."""
        manifest = manifests.read(folder, engine.name)
        self.version = manifests.version(manifest)
        self._store = Store(folder, manifest)
        try:
            self._rows = engine.open(folder, manifest, self._store.removed)
        except BaseException:
            self._store.close()
            raise

    def dense(self, vector: Vectors, k: int, wanted: Filter) -> list[Scored]:
        """Return at most k passages by cosine similarity to `vector` [dimensions], best first."""
        query = np.ascontiguousarray(vector.reshape(-1), dtype=np.float32)
        if len(query) != self.version.recipe.dimensions:
            raise ModelError(
                f"The question's vector has {len(query)} dimensions, the index "
                f"{self.version.recipe.dimensions}; run `tanya build` with the model in use."
            )
        k = min(k, self.version.passages)
        passing = self._store.row_filter(wanted)
        if k < 1 or passing is None or not query.any():
            return []
        return self._best(self._rows.dense(query, k, passing), k)

    def lexical(self, question: str, k: int, wanted: Filter) -> list[Scored]:
        """Return at most k passages by BM25 (k1 1.2, b 0.75) over the question's stems, best first.

        The stems are those of headline and text. An acronym and what it stands for count as one: a
        passage scores by the form that it holds.
        """
        found = self._lexical(question, k, wanted)
        return self._best(found, k) if found else []

    def matches(
        self, question: str, k: int, wanted: Filter, share: float
    ) -> tuple[list[Match], bool]:
        """Return the articles whose passages hold a question, best first, and whether that is all.

        At most k passages are looked at, the best by BM25. Those hold it that score at least a
        `share` of what a passage of average length scores where each stem of the question stands
        once, or of the best score where that is less.
        """
        found = self._lexical(question, k, wanted)
        if found is None or not len(found[0]):
            return [], True
        stems = text.query_stems(question)
        holding = self.frequencies(stems)
        whole = sum(idf(some, self.version.passages) for some in holding)
        rows, scores = _ordered(found, k)
        held = int((scores >= share * min(whole, scores[0])).sum())
        return self._store.matches(rows[:held].tolist(), scores[:held].tolist()), held < k

    def newest(self, wanted: Filter, k: int) -> list[Match]:
        """Return the k newest articles that pass a filter, undated ones last, by their begin."""
        return self._store.newest(wanted, k)

    def synonyms(self, question: str) -> list[Synonym]:
        """Return the names of a question that have another form, which counts as much."""
        return [name for name, _ in self._names(question)]

    def _names(self, question: str) -> list[tuple[Synonym, float]]:
        return self._store.acronyms().expansions(
            question, text.query_stems(question), self.frequencies, self.version.passages
        )

    def _lexical(self, question: str, k: int, wanted: Filter) -> Found | None:
        terms = text.query_stems(question)
        k = min(k, self.version.passages)
        passing = self._store.row_filter(wanted)
        if k < 1 or passing is None or not terms:
            return None
        names = self._names(question)
        replaced = {stem for name, _ in names for stem in name.asked}
        stems = tuple(term for term in terms if term not in replaced)
        return self._rows.lexical(Terms(stems, tuple(names)), k, passing)

    def _best(self, found: Found, k: int) -> list[Scored]:
        rows, scores = _ordered(found, k)
        ids = self._store.ids(rows.tolist())
        return [Scored(i, score) for i, score in zip(ids, scores.tolist(), strict=True)]

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order; an unknown id is an error."""
        return self._store.passages(passage_ids)

    def sizes(self, article_ids: Sequence[str]) -> list[int]:
        """Return how many passages each article has: its ids "#0" and on; 0 for an unknown one."""
        return self._store.sizes(article_ids)

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the passages' vectors as stored, float32 [len(passage_ids), dimensions]."""
        return self._rows.vectors(np.array(self._store.rows(passage_ids), dtype=np.int64))

    def authors(self) -> Mapping[str, int]:
        """Return who wrote articles that can be found, with how many, those of most first."""
        return self._store.authors()

    def headlines(self, words: Sequence[str], k: int) -> list[Headline]:
        """Return at most k headlines with all of these words, the newest first."""
        return self._store.headlines(words, k)

    def names(self, key: str, k: int) -> list[tuple[str, int]]:
        """Return at most k names that begin, at one of their words, as a folded key does.

        Each comes with the number of articles that hold it, those of most first.
        """
        return self._store.names(key, k)

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in about how many passages each stem stands; removed ones may still count."""
        return self._rows.frequencies(stems)

    def close(self) -> None:
        """Release files and memory."""
        self._rows.close()
        self._store.close()


def _ordered(found: Found, k: int) -> Found:
    """Return the k best rows with their scores, best first."""
    rows, scores = found
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


class IndexWriter:
    """Writes a version into an empty `folder`, on top of the one in `base`; seen after `finish`."""

    def __init__(self, engine: Engine, folder: Path, base: Path | None, recipe: Recipe) -> None:
        self._folder, self._base = folder, base
        self._recipe = recipe
        folder.mkdir(parents=True, exist_ok=True)
        manifest: Mapping[str, Any] = manifests.read(base, engine.name) if base else {}
        self._below = manifest
        self._store = StoreWriter(folder, base, manifest)
        try:
            self._rows = engine.writer(folder, base, manifest, recipe.dimensions)
        except BaseException:
            self._store.abort()
            raise

    def indexed(self, article_ids: Sequence[str] | None = None) -> Mapping[str, str]:
        """Return the fingerprint of each article in the version so far; of these, if given."""
        return self._store.indexed(article_ids)

    def drop(self, article_ids: Sequence[str]) -> None:
        """Remove articles and their passages; unknown ids are passed over."""
        articles, rows = self._store.drop(article_ids)
        if articles:
            self._rows.remove(articles, rows)

    def put(
        self,
        articles: Sequence[ArticleEntry],
        passages: Sequence[Passage],
        vectors: Vectors,
        stems: Sequence[str] = (),
    ) -> None:
        """Add articles with their passages and vectors [len(passages), dimensions].

        One that is there already is replaced. An article without passages is kept too, so that it
        is not tried at every build. `stems` are those of each passage's headline and text, joined
        by spaces, if the caller has them.
        """
        if vectors.shape != (len(passages), self._recipe.dimensions):
            raise ModelError(
                f"{len(passages)} passages need vectors of shape "
                f"{(len(passages), self._recipe.dimensions)}, not {vectors.shape}."
            )
        self.drop([entry.id for entry in articles])
        part, columns = self._store.put(articles, passages)
        self._rows.add(part, columns, vectors, stems or chunking.stems(passages))

    def finish(self, name: str, built: dt.datetime, state: str = "") -> IndexVersion:
        """Write everything out, the manifest last; return the version's description.

        Raises IndexDamagedError where what was read of the base is not as it was published.
        """
        merge = self._store.merge()
        if merge is not None:
            self._rows.merge(merge.parts, merge.into, merge.gone)
            for part in merge.parts:
                shutil.rmtree(self._folder / part)
        totals, of_store = self._store.finish()
        vectors, of_engine = self._rows.finish(totals.passages)
        version = IndexVersion(name, built, self._recipe, *totals, vectors, state)
        extra = {**of_store, **of_engine}
        manifests.write(self._folder, version, extra, self._base, self._below)
        return version

    def abort(self) -> None:
        """Give up; the folder may be deleted afterwards."""
        self._store.abort()
        self._rows.abort()
