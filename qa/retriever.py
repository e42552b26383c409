"""Finds the articles for a query: both searches, fusion, one hit a story, its passages fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace

from index import text
from index.bm25 import idf
from index.embedding import Embedder
from index.engines.contract import Vectors
from index.errors import ModelError
from index.records import Candidate, Evidence, Hit, Passage, Query, Scored
from index.settings import RetrievalSettings
from index.snapshot import SearchIndex

MOST_PASSAGES = 24
"""Of a long article so many passages are fetched, those around the one that was found."""


class Retriever:
    """Searches one index at a time; `embedder` is asked for only where vectors are needed, by the
    name of the index's model.

    `archived` tells which article ids are still in the archive: a removed one is found no more
    from that moment.
    """

    def __init__(
        self,
        settings: RetrievalSettings,
        embedder: Callable[[str], Embedder],
        archived: Callable[[Sequence[str]], Set[str]] = frozenset,
    ) -> None:
        self._settings = settings
        self._embedder = embedder
        self._archived = archived

    def retrieve(self, query: Query, index: SearchIndex, *, hits: int = 0) -> Evidence:
        """Return the best articles, one a story, best first, each with its passages.

        There are at most `hits` of them, by default as many as the settings say.
        """
        depth = max(self._settings.candidates, 2 * hits)
        candidates = self._candidates(query, index, depth, self._settings.mode)
        candidates = _preferred(candidates, query, index)
        found = self._one_per(candidates, index, lambda passage: passage.story_id)
        whole = _whole(found[: hits or self._settings.hits], index)
        return Evidence(query, whole, index.version.name, weights_of(query, index))

    def within(self, query: Query, index: SearchIndex, article_ids: Sequence[str]) -> Evidence:
        """Return these articles, as far as they pass the query's filter, best first."""
        archived = self._archived(list(article_ids))
        ids = [article_id for article_id in article_ids if article_id in archived]
        sizes = index.sizes(ids)
        wanted = [
            f"{article_id}#{n}"
            for article_id, size in zip(ids, sizes, strict=True)
            for n in range(min(size, MOST_PASSAGES))
        ]
        found = [p for p in index.passages(wanted) if query.filter.admits(p)]
        weights = weights_of(query, index)
        if not found:
            return Evidence(query, (), index.version.name, weights)
        vector = self._vector(query, index)
        cosines = (index.vectors([passage.id for passage in found]) @ vector).tolist()
        by_article: dict[str, list[tuple[float, float, Passage]]] = {}
        dense, known = self._settings.dense_weight, dict(weights)
        for passage, cosine in zip(found, cosines, strict=True):
            share = text.held(known, set(text.stems(f"{passage.title} {passage.text}")))
            score = (1 - dense) * share + dense * cosine
            by_article.setdefault(passage.article_id, []).append((score, cosine, passage))
        hits = []
        for scored in by_article.values():
            place = max(range(len(scored)), key=lambda n: scored[n][0])
            score, cosine, passage = scored[place]
            candidate = Candidate(passage.id, score, cosine=cosine)
            hits.append(Hit(tuple(p for _, _, p in scored), place, candidate, score))
        hits.sort(key=lambda hit: -hit.score)
        return Evidence(query, tuple(hits), index.version.name, weights)

    def biggest(self, query: Query, index: SearchIndex, k: int) -> Evidence:
        """Return the k stories of the query's days that most articles are about, biggest first.

        Articles are of one story where their first passages are alike; the most central one speaks.
        """
        found = index.dense(self._vector(query, index), _DAYS_PASSAGES, query.filter)
        ids = [s.passage_id for s in found if s.passage_id.endswith("#0")]
        archived = self._archived([i.rpartition("#")[0] for i in ids])
        ids = [i for i in ids if i.rpartition("#")[0] in archived]
        hits: list[Hit] = []
        if ids:
            vectors = index.vectors(ids)
            alike = vectors @ vectors.T >= _ONE_STORY
            while len(hits) < k and alike.any():
                place = int(alike.sum(axis=1).argmax())
                same = alike[place].nonzero()[0]
                (passage,) = index.passages([ids[place]])
                size = len(same) / len(ids)
                also = tuple(ids[n].rpartition("#")[0] for n in same if n != place)
                hits.append(Hit((passage,), 0, Candidate(passage.id, size), size, also))
                alike[same], alike[:, same] = False, False
        return Evidence(query, tuple(hits), index.version.name)

    def articles(
        self, query: Query, index: SearchIndex, k: int, *, mode: str, whole: int = 0
    ) -> Evidence:
        """Return the k best articles, best first, the first `whole` with all their passages.

        The others have the passage that they were found by.
        """
        # An article may fill several of the best places, so that more than k passages are needed.
        depth = max(self._settings.candidates, 3 * k)
        candidates = self._candidates(query, index, depth, mode)
        hits = self._one_per(candidates, index, lambda passage: passage.article_id)[:k]
        hits = [*_whole(hits[:whole], index), *hits[whole:]]
        return Evidence(query, tuple(hits), index.version.name, weights_of(query, index))

    def _one_per(
        self,
        candidates: Sequence[Candidate],
        index: SearchIndex,
        key: Callable[[Passage], str],
    ) -> list[Hit]:
        """Keep the best passage of each group, telling in which other articles the group stands."""
        passages = index.passages([c.passage_id for c in candidates])
        archived = self._archived(list({passage.article_id for passage in passages}))
        groups: dict[str, list[int]] = {}
        for number, passage in enumerate(passages):
            if passage.article_id in archived:
                groups.setdefault(key(passage), []).append(number)
        hits = []
        for numbers in groups.values():
            best, passage = candidates[numbers[0]], passages[numbers[0]]
            others = dict.fromkeys(passages[number].article_id for number in numbers)
            others.pop(passage.article_id)
            hits.append(Hit((passage,), 0, best, best.score, tuple(others)))
        return hits

    def _candidates(
        self, query: Query, index: SearchIndex, depth: int, mode: str
    ) -> list[Candidate]:
        lexical = index.lexical(query.text, depth, query.filter) if mode != "dense" else []
        if mode == "lexical":
            return [
                Candidate(s.passage_id, s.score, lexical_rank=rank)
                for rank, s in enumerate(lexical, start=1)
            ]
        vector = self._vector(query, index)
        dense = index.dense(vector, depth, query.filter)
        if mode == "dense":
            return [
                Candidate(s.passage_id, s.score, cosine=s.score, dense_rank=rank)
                for rank, s in enumerate(dense, start=1)
            ]
        return self._fuse(lexical, dense, index, vector)

    def _vector(self, query: Query, index: SearchIndex) -> Vectors:
        embedder = self._embedder(index.version.recipe.model)
        if embedder.name != index.version.recipe.model:
            raise ModelError(
                f"The index was built with the embedding model {index.version.recipe.model!r}, the "
                f"settings name {embedder.name!r}: run `tanya build`, or change embedding.model."
            )
        vector: Vectors = embedder.embed_queries([query.text])[0]
        return vector

    def _fuse(
        self,
        lexical: Sequence[Scored],
        dense: Sequence[Scored],
        index: SearchIndex,
        vector: Vectors,
    ) -> list[Candidate]:
        """Mix the BM25 score, as a share of the best one, with the cosine.

        A passage that only one search brought gets its cosine all the same, and no BM25.
        """
        lexical_rank = {s.passage_id: rank for rank, s in enumerate(lexical, start=1)}
        dense_rank = {s.passage_id: rank for rank, s in enumerate(dense, start=1)}
        best = lexical[0].score if lexical else 1.0
        bm25 = {s.passage_id: s.score for s in lexical}
        cosine = {s.passage_id: s.score for s in dense}
        rest = [passage_id for passage_id in lexical_rank if passage_id not in cosine]
        if rest:
            cosine.update(zip(rest, (index.vectors(rest) @ vector).tolist(), strict=True))
        weight = self._settings.dense_weight
        fused = [
            Candidate(
                passage_id,
                (1 - weight) * bm25.get(passage_id, 0.0) / best + weight * cosine[passage_id],
                cosine[passage_id],
                lexical_rank.get(passage_id),
                dense_rank.get(passage_id),
            )
            for passage_id in cosine
        ]
        return sorted(fused, key=lambda c: (-c.score, c.passage_id))


def _whole(hits: Sequence[Hit], index: SearchIndex) -> tuple[Hit, ...]:
    """Fetch all passages of the hits' articles at once."""
    sizes = index.sizes([hit.passage.article_id for hit in hits])
    wanted: list[list[str]] = []
    places = []
    for hit, size in zip(hits, sizes, strict=True):
        article_id, _, number = hit.passage.id.rpartition("#")
        first = max(0, min(int(number) - MOST_PASSAGES // 2, size - MOST_PASSAGES))
        wanted.append([f"{article_id}#{n}" for n in range(first, min(first + MOST_PASSAGES, size))])
        places.append(int(number) - first)
    found = iter(index.passages([passage_id for some in wanted for passage_id in some]))
    return tuple(
        replace(hit, passages=tuple(next(found) for _ in some), best=place)
        for hit, some, place in zip(hits, wanted, places, strict=True)
    )


_DAYS_PASSAGES, _ONE_STORY = 4000, 0.62
"""Passages of some days that are looked through; the cosine from which two articles tell one story,
chosen on a day of 237 and a week of 794 articles."""

_TOPIC = 0.25
"""How much a word that a follow-up takes from the question before weighs beside its own."""


def weights_of(query: Query, index: SearchIndex) -> tuple[tuple[str, float], ...]:
    """Return the query's stems with their weights; those that a follow-up only takes over less."""
    weights = _weights(query.text, index)
    if not query.own:
        return weights
    own = set(text.stems(query.own))
    return tuple((stem, w if stem in own else _TOPIC * w) for stem, w in weights)


_PREFERENCE = (0.15, 0.35)
"""What a passage of a preferred article gains as a share of the best score, and what it gains more
for holding all of a follow-up's own words."""


def _preferred(candidates: list[Candidate], query: Query, index: SearchIndex) -> list[Candidate]:
    """Move up the passages of the articles that a follow-up is likely to be about."""
    ids = [c.passage_id for c in candidates if c.passage_id.rpartition("#")[0] in query.prefer]
    if not ids:
        return candidates
    weights = dict(_weights(query.own, index)) if query.own else {}
    gains = {}
    for passage in index.passages(ids):
        share = text.held(weights, set(text.stems(passage.text)))
        gains[passage.id] = (_PREFERENCE[0] + _PREFERENCE[1] * share) * candidates[0].score
    moved = [replace(c, score=c.score + gains.get(c.passage_id, 0.0)) for c in candidates]
    return sorted(moved, key=lambda c: (-c.score, c.passage_id))


def _weights(question: str, index: SearchIndex) -> tuple[tuple[str, float], ...]:
    """Return the question's stems with their inverse document frequency."""
    stems = text.query_stems(question)
    total = index.version.passages
    return tuple(
        (stem, idf(holding, total))
        for stem, holding in zip(stems, index.frequencies(stems), strict=True)
    )
