"""Finds the passages for a query: both searches, fusion, one hit a story."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace

from index import text
from index.embedding import Embedder, Vectors
from index.engine import SearchIndex
from index.errors import ModelError
from index.records import Evidence, Hit, Passage, Query, Scored
from index.settings import RetrievalSettings
from qa import ranking
from qa.ranking import Ranker


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage_id: str
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    bm25: float = 0.0
    cosine: float = 0.0


class Retriever:
    """Searches one index at a time; `embedder` is asked for only where vectors are needed, by the
    name of the index's model.

    With a `ranker`, hybrid search ranks by it; without one, by the fused score. `archived` tells
    which article ids are still in the archive: a removed one is found no more from that moment.
    """

    def __init__(
        self,
        settings: RetrievalSettings,
        embedder: Callable[[str], Embedder],
        ranker: Callable[[], Ranker] | None = None,
        archived: Callable[[Sequence[str]], Set[str]] = frozenset,
    ) -> None:
        self._settings = settings
        self._embedder = embedder
        self._ranker = ranker
        self._archived = archived

    def retrieve(self, query: Query, index: SearchIndex, *, mode: str = "") -> Evidence:
        """Return the best hits, one a story, best first; the first ones with what stands beside.

        What answers often stands in the passage before or after the one that was found.
        """
        candidates = self._candidates(query, index, self._settings.candidates, mode)
        candidates = _preferred(candidates, query, index)
        hits = self._one_per(candidates, index, lambda passage: passage.story_id)
        shown = _widened(hits[: self._settings.hits], index)
        return Evidence(query, shown, index.version.name, _leaning(query, index))

    def articles(self, query: Query, index: SearchIndex, k: int, *, mode: str = "") -> list[Hit]:
        """Return the best passage of each of the k best articles, best first."""
        # An article may fill several of the best places, so that more than k passages are needed.
        depth = max(self._settings.candidates, 3 * k)
        candidates = self._candidates(query, index, depth, mode)
        return self._one_per(candidates, index, lambda passage: passage.article_id)[:k]

    def _one_per(
        self,
        candidates: Sequence[_Candidate],
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
            hits.append(Hit(passage, best.score, best.dense_rank, best.lexical_rank, tuple(others)))
        return hits

    def _candidates(
        self, query: Query, index: SearchIndex, depth: int, mode: str
    ) -> list[_Candidate]:
        mode = mode or self._settings.mode
        lexical = index.lexical(query.text, depth, query.filter) if mode != "dense" else []
        if mode == "lexical":
            return [
                _Candidate(s.passage_id, s.score, None, rank)
                for rank, s in enumerate(lexical, start=1)
            ]
        embedder = self._embedder(index.version.recipe.model)
        if embedder.name != index.version.recipe.model:
            raise ModelError(
                f"The index was built with the embedding model {index.version.recipe.model!r}, the "
                f"settings name {embedder.name!r}: run `tanya build`, or change embedding.model."
            )
        vector = embedder.embed_queries([query.text])[0]
        dense = index.dense(vector, depth, query.filter)
        if mode == "dense":
            return [
                _Candidate(s.passage_id, s.score, rank, None)
                for rank, s in enumerate(dense, start=1)
            ]
        fused = self._fuse(lexical, dense, index, vector)
        # The trees saw no follow-up: they take the topic before it for what is asked.
        if self._ranker is None or query.own or not fused:
            return fused
        return _rank(query, fused, index, self._ranker())

    def _fuse(
        self,
        lexical: Sequence[Scored],
        dense: Sequence[Scored],
        index: SearchIndex,
        vector: Vectors,
    ) -> list[_Candidate]:
        """Mix the BM25 score, as a share of the best one, with the cosine.

        A passage that only one search brought gets its cosine all the same, and no BM25.
        """
        lexical_rank = {s.passage_id: rank for rank, s in enumerate(lexical, start=1)}
        dense_rank = {s.passage_id: rank for rank, s in enumerate(dense, start=1)}
        best = lexical[0].score if lexical else 1.0
        bm25 = {s.passage_id: s.score / best for s in lexical}
        cosine = {s.passage_id: s.score for s in dense}
        rest = [passage_id for passage_id in lexical_rank if passage_id not in cosine]
        if rest:
            cosine.update(zip(rest, (index.vectors(rest) @ vector).tolist(), strict=True))
        weight = self._settings.dense_weight
        fused = [
            _Candidate(
                passage_id,
                (1 - weight) * bm25.get(passage_id, 0.0) + weight * cosine[passage_id],
                dense_rank.get(passage_id),
                lexical_rank.get(passage_id),
                bm25.get(passage_id, 0.0) * best,
                cosine[passage_id],
            )
            for passage_id in cosine
        ]
        return sorted(fused, key=lambda c: (-c.score, c.passage_id))


_WIDE = 3
"""Of how many hits the passages beside are read too."""


def _widened(hits: Sequence[Hit], index: SearchIndex) -> tuple[Hit, ...]:
    """Join to the passage of each of the best hits those before and after it in its article."""
    sizes = index.sizes([hit.passage.article_id for hit in hits[:_WIDE]])
    beside: list[list[str]] = []
    for hit, size in zip(hits, sizes, strict=False):
        article_id, _, number = hit.passage.id.rpartition("#")
        places = range(max(int(number) - 1, 0), min(int(number) + 2, size))
        beside.append([f"{article_id}#{place}" for place in places])
    read = iter(index.passages([passage_id for some in beside for passage_id in some]))
    wide = []
    for hit, some in zip(hits, beside, strict=False):
        passages = [next(read) for _ in some]
        joined = replace(
            hit.passage,
            text=" ".join(passage.text for passage in passages),
            spans=tuple(span for passage in passages for span in passage.spans),
        )
        wide.append(replace(hit, passage=joined))
    return (*wide, *hits[len(wide) :])


_TOPIC = 0.25
"""How much a word that a follow-up takes from the question before weighs beside its own."""


def _leaning(query: Query, index: SearchIndex) -> tuple[tuple[str, float], ...]:
    weights = _weights(query.text, index)
    if not query.own:
        return weights
    own = set(text.stems(query.own))
    return tuple((stem, w if stem in own else _TOPIC * w) for stem, w in weights)


_PREFERENCE = (0.15, 0.35)
"""What a passage of a preferred article gains as a share of the best score, and what it gains more
for holding all of a follow-up's own words."""


def _preferred(candidates: list[_Candidate], query: Query, index: SearchIndex) -> list[_Candidate]:
    """Move up the passages of the articles that a follow-up is likely to be about."""
    ids = [c.passage_id for c in candidates if c.passage_id.rpartition("#")[0] in query.prefer]
    if not ids:
        return candidates
    weights = dict(_weights(query.own, index)) if query.own else {}
    total = sum(weights.values()) or 1.0
    gains = {}
    for passage in index.passages(ids):
        said = weights.keys() & text.stems(passage.text)
        share = sum(weights[stem] for stem in said) / total
        gains[passage.id] = (_PREFERENCE[0] + _PREFERENCE[1] * share) * candidates[0].score
    moved = [replace(c, score=c.score + gains.get(c.passage_id, 0.0)) for c in candidates]
    return sorted(moved, key=lambda c: (-c.score, c.passage_id))


def _rank(
    query: Query, fused: Sequence[_Candidate], index: SearchIndex, ranker: Ranker
) -> list[_Candidate]:
    """Order by the learned ranker; a score falls from 1 with the distance to the best."""
    passages = index.passages([c.passage_id for c in fused])
    scores = ranker.scores(
        query.text,
        query.kind,
        _weights(query.text, index),
        [
            ranking.Candidate(passage, c.bm25, c.cosine, c.lexical_rank, c.dense_rank)
            for c, passage in zip(fused, passages, strict=True)
        ],
    )
    gaps = scores.max() - scores
    ranked = [
        replace(c, score=1 / (1 + gap / 4)) for c, gap in zip(fused, gaps.tolist(), strict=True)
    ]
    return sorted(ranked, key=lambda c: (-c.score, c.passage_id))


def _weights(question: str, index: SearchIndex) -> tuple[tuple[str, float], ...]:
    """Return the question's stems with BM25's inverse document frequency."""
    stems = text.query_stems(question)
    total = index.version.passages
    return tuple(
        (stem, math.log(1 + (total - min(count, total) + 0.5) / (count + 0.5)))
        for stem, count in zip(stems, index.frequencies(stems), strict=True)
    )
