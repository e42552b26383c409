"""Fits a static embedder's token vectors to an archive: pairs out of it, training, saving.

A pair is a text of an article and a passage that it should find. The training is softmax over the
cosines of a batch, by Adam on those rows of the table that the batch touches. It is done with NumPy
and SciPy: four times as quick as torch, whose Adam goes through the whole table at each step.
"""

from __future__ import annotations

import math
import random
import shutil
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from index import chunking, text
from index.archive import BATCH, Archive
from index.embedding import StaticModel, Vectors
from index.records import Article

KINDS = ("headline", "lead", "rest", "words", "story")
"""What a pair's query is, and for which passage: the headline, for a passage without it; the first
sentence, for a later passage; a sentence, for the rest of its passage; some words of a sentence,
for its passage; the headline of a story at another publisher, for a passage of the story."""

HEADLINE, LEAD, REST, WORDS, STORY = range(5)
QUERY, TITLE, FIRST, LAST, AWAY, GROUP, KIND = range(7)

_SHORTEST = 6
"""Words of a sentence that is a query."""

_ASKED = 3
"""Sentences of a passage of which some words are a query."""

_WARM_UP = 50
_SMALLEST = 16
_TOKENISED = 10_000
_DECAYS = (0.9, 0.98)

Integers = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """Queries and their passages, as numbers of sentences in flat arrays.

    tokens int32 [T], starts int64 [S + 1]: sentence s is tokens[starts[s]:starts[s + 1]]. table
    int32 [N, 7], a row a pair: the query; the headline before the passage (-1 for none); the
    passage's first and last + 1 sentence; the sentence left out of it (-1 for none); the story,
    whose pairs are never set against each other; the kind.
    """

    tokens: npt.NDArray[np.int32]
    starts: Integers
    table: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: at most `passes` over the pairs, in batches of `batch`.

    `rate` is Adam's, as a share of the table's mean value. Of a text's tokens the share `away` is
    left out by chance, of a query of some words `away_words`.
    """

    passes: float = 12.0
    batch: int = 512
    rate: float = 0.015
    temperature: float = 0.05
    away: float = 0.1
    away_words: float = 0.5
    seed: int = 0


# Pairs -------------------------------------------------------------------------------------------


def make_pairs(
    archive: Archive,
    tokenizer: Any,
    *,
    max_tokens: int,
    without: Set[str] = frozenset(),
    never: Set[str] = frozenset(),
    most: int = 50_000,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pairs:
    """Make the pairs of at most `most` stories, chosen by `seed`.

    Articles of the stories `without` give none, nor does any with a headline of theirs; a sentence
    that is one of `never` is no query. Of a story's reprints the first gives passages, the others
    only their headlines.
    """
    ids = sorted(archive.fingerprints())
    random.Random(f"{seed}").shuffle(ids)
    forbidden = {
        key
        for article in _articles(archive, ids)
        if article.story_id in without and (key := _key(article.title))
    }
    made = _Pairs(random.Random(seed), tokenizer, max_tokens, never)
    for article in _articles(archive, ids):
        if len(made.runs) >= most:
            break
        if article.story_id not in without and _key(article.title) not in forbidden:
            made.add(article, archive.repeated_lines(article.publisher))
            progress(len(made.runs), min(most, len(ids)))
    return made.finish()


def _articles(archive: Archive, ids: Sequence[str]) -> Iterator[Article]:
    for begin in range(0, len(ids), BATCH):
        yield from (article for article, _ in archive.articles(ids[begin : begin + BATCH]))


def _key(title: str) -> str:
    return " ".join(text.words(title))


class _Pairs:
    """Collects sentences and pairs; `runs` are the passages of each story so far, in order."""

    def __init__(
        self, dice: random.Random, tokenizer: Any, max_tokens: int, never: Set[str]
    ) -> None:
        self.runs: dict[str, list[tuple[int, int]]] = {}
        self._dice = dice
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._never = never
        self._titles: dict[str, set[str]] = {}
        self._group = 0
        self._groups: dict[str, int] = {}
        self._waiting: list[str] = []
        self._tokens, self._starts = array("i"), array("q", [0])
        self._table = array("i")

    def add(self, article: Article, repeated: frozenset[str]) -> None:
        """Make the pairs of one article."""
        story, title = article.story_id or article.id, article.title.strip().rstrip(".")
        key = _key(title)
        self._group = self._groups.setdefault(story, len(self._groups))
        if story in self.runs:
            self._add_headline(story, title, key)
            return
        passages = chunking.passages(article, max_tokens=self._max_tokens, repeated=repeated)
        self.runs[story], self._titles[story] = [], {key}
        query, heading = (self._keep(title), self._keep(f"{title}.")) if key else (-1, -1)
        lead = -1
        for passage in passages:
            pieces = [article.body[start:end] for start, end in passage.spans]
            # A repeat of the headline would give the passage away.
            pieces = [piece for piece in pieces if _key(piece) != key]
            if not pieces:
                continue
            numbers = [self._keep(piece) for piece in pieces]
            run = (numbers[0], numbers[-1] + 1)
            self.runs[story].append(run)
            if key:
                self._pair(query, -1, run, -1, HEADLINE)
            if lead >= 0:
                self._pair(lead, -1, run, -1, LEAD)
            lead = numbers[0] if lead < 0 else lead
            self._ask(dict(zip(numbers, pieces, strict=True)), heading, run)

    def _add_headline(self, story: str, title: str, key: str) -> None:
        if key and key not in self._titles[story]:
            self._titles[story].add(key)
            query = self._keep(title)
            for run in self.runs[story]:
                self._pair(query, -1, run, -1, STORY)

    def _ask(self, pieces: Mapping[int, str], heading: int, run: tuple[int, int]) -> None:
        fit = [
            number
            for number, piece in pieces.items()
            if len(piece.split()) >= _SHORTEST and piece not in self._never
        ]
        if fit and len(pieces) > 1:
            query = self._dice.choice(fit)
            self._pair(query, heading, run, query, REST)
        for query in self._dice.sample(fit, min(_ASKED, len(fit))):
            self._pair(query, heading, run, -1, WORDS)

    def _keep(self, piece: str) -> int:
        """Keep a sentence and return its number; its tokens follow one space, as in a passage."""
        self._waiting.append(f" {piece}")
        number = len(self._starts) + len(self._waiting) - 2
        if len(self._waiting) >= _TOKENISED:
            self._tokenise()
        return number

    def _tokenise(self) -> None:
        for encoded in self._tokenizer.encode_batch_fast(self._waiting, add_special_tokens=False):
            self._tokens.extend(encoded.ids)
            self._starts.append(len(self._tokens))
        self._waiting.clear()

    def _pair(self, query: int, title: int, run: tuple[int, int], away: int, kind: int) -> None:
        self._table.extend((query, title, *run, away, self._group, kind))

    def finish(self) -> Pairs:
        """Return all as arrays, without the queries that have no token."""
        self._tokenise()
        starts = np.array(self._starts, np.int64)
        table = np.array(self._table, np.int32).reshape(-1, KIND + 1)
        known = np.diff(starts)[table[:, QUERY]] > 0
        return Pairs(np.array(self._tokens, np.int32), starts, table[known])


# Training ----------------------------------------------------------------------------------------


def train(
    made: Pairs,
    table: Vectors,
    plan: Plan,
    *,
    spent: Callable[[], float] = lambda: 0.0,
    progress: Callable[[float], None] = lambda done: None,
) -> Vectors:
    """Return token vectors [vocabulary, dimensions] fitted to the pairs; `table` stays as it is.

    `spent` tells which share of the time that it may take is over: at 1 the training ends. The rate
    falls to nothing by then, or by the end of the passes. `progress` is given the share done.
    """
    # A batch holds a story once, so that a small archive fills no big batch.
    batch = max(_SMALLEST, min(plan.batch, int(made.table[:, GROUP].max(initial=0)) // 2))
    generator = np.random.default_rng(plan.seed)
    adam = _Adam(table)
    scale = plan.rate * float(np.abs(table).mean())
    steps = max(1, math.ceil(plan.passes * len(made.table) / batch))
    for step, chosen in zip(range(steps), _batches(made, batch, generator), strict=False):
        done = max(step / steps, spent())
        if done >= 1:
            break
        rows, gradient = _gradient(made.table[chosen], made, adam.table, plan, generator)
        fall = 0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2
        adam.step(rows, gradient, scale * fall * min(1.0, (step + 1) / _WARM_UP))
        progress(done)
    return adam.table


def _batches(made: Pairs, batch: int, generator: np.random.Generator) -> Iterator[Integers]:
    """Yield the rows of one batch after the other, without end, one row a story."""
    while True:
        order = generator.permutation(len(made.table))
        for begin in range(0, len(order), batch):
            chosen = order[begin : begin + batch]
            _, first = np.unique(made.table[chosen, GROUP], return_index=True)
            yield chosen[first]


class _Adam:
    """Adam that leaves alone the rows without a gradient."""

    def __init__(self, table: Vectors) -> None:
        self.table = table.copy()
        self._mean = np.zeros_like(table)
        self._square = np.zeros_like(table)
        self._steps = 0

    def step(self, rows: Integers, gradient: Vectors, rate: float) -> None:
        self._steps += 1
        slow, slower = _DECAYS
        mean = slow * self._mean[rows] + (1 - slow) * gradient
        square = slower * self._square[rows] + (1 - slower) * gradient**2
        self._mean[rows], self._square[rows] = mean, square
        mean /= 1 - slow**self._steps
        square /= 1 - slower**self._steps
        self.table[rows] -= rate * mean / (np.sqrt(square) + 1e-12)


def _gradient(
    chosen: npt.NDArray[np.int32],
    made: Pairs,
    table: Vectors,
    plan: Plan,
    generator: np.random.Generator,
) -> tuple[Integers, Vectors]:
    """Return the rows of the table that a batch touches and the loss's slope there.

    The loss is the cross entropy of the right passage among the batch's, and by 0.3 of the right
    query among its queries.
    """
    from scipy.sparse import csr_matrix

    away = np.where(chosen[:, KIND] == WORDS, plan.away_words, plan.away)
    asked, of_asked = _thinned(*_bags(made, *_queries(made, chosen)), away, generator)
    away = np.full(len(chosen), plan.away)
    found, of_found = _thinned(*_bags(made, *_passages(made, chosen)), away, generator)
    sizes = np.concatenate([of_asked, of_found])
    rows, ids = np.unique(np.concatenate([asked, found]), return_inverse=True)
    weights = np.repeat(1 / np.maximum(sizes, 1), sizes).astype(np.float32)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    bags = csr_matrix((weights, ids, begins), shape=(len(sizes), len(rows)))
    means = bags @ table[rows]
    lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    queries, passages = units = np.split(means / lengths, 2)
    scores = queries @ passages.T / plan.temperature
    slope = 0.7 * _softmax(scores, axis=1) + 0.3 * _softmax(scores, axis=0)
    np.fill_diagonal(slope, slope.diagonal() - 1)
    slopes = np.concatenate([slope @ passages, slope.T @ queries])
    unit = np.concatenate(units)
    slopes -= unit * (slopes * unit).sum(axis=1, keepdims=True)
    return rows, np.asarray(bags.T @ (slopes / lengths), dtype=np.float32)


def _softmax(scores: Vectors, axis: int) -> Vectors:
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis=axis, keepdims=True))


def _queries(made: Pairs, chosen: npt.NDArray[np.int32]) -> tuple[Integers, Integers]:
    at = chosen[:, QUERY]
    return made.starts[at][:, None], made.starts[at + 1][:, None]


def _passages(made: Pairs, chosen: npt.NDArray[np.int32]) -> tuple[Integers, Integers]:
    """Return where in the tokens the passages lie: headline, sentences before and after a gap."""
    starts = made.starts
    title = np.maximum(chosen[:, TITLE], 0)
    gap = chosen[:, AWAY] >= 0
    before = np.where(gap, chosen[:, AWAY], chosen[:, LAST])
    after = np.where(gap, before + 1, before)
    headed = np.where(chosen[:, TITLE] >= 0, starts[title + 1], starts[title])
    begins = [starts[title], starts[chosen[:, FIRST]], starts[after]]
    ends = [headed, starts[before], starts[chosen[:, LAST]]]
    return np.stack(begins, axis=1), np.stack(ends, axis=1)


def _bags(made: Pairs, begins: Integers, ends: Integers) -> tuple[npt.NDArray[np.int32], Integers]:
    """Join each row's ranges of tokens: all ids, and how many belong to each row."""
    lengths = (ends - begins).ravel()
    shift = np.repeat(begins.ravel() - (np.cumsum(lengths) - lengths), lengths)
    return made.tokens[shift + np.arange(len(shift))], (ends - begins).sum(axis=1)


def _thinned(
    ids: npt.NDArray[np.int32],
    sizes: Integers,
    away: npt.NDArray[np.float64],
    generator: np.random.Generator,
) -> tuple[npt.NDArray[np.int32], Integers]:
    """Leave out tokens by chance, so that no text is learned by heart, but not the first."""
    kept = generator.random(len(ids)) >= np.repeat(away, sizes)
    kept[(np.cumsum(sizes) - sizes)[sizes > 0]] = True
    row = np.repeat(np.arange(len(sizes)), sizes)
    return ids[kept], np.bincount(row[kept], minlength=len(sizes))


# Saving ------------------------------------------------------------------------------------------


def save(table: Vectors, base: StaticModel, folder: Path) -> None:
    """Write a model like `base` with other token vectors into a new folder.

    The vectors are int8 with a float32 scale a token, as sentence-transformers reads them too.
    """
    from safetensors.numpy import save_file

    shutil.copytree(base.folder, folder, ignore=shutil.ignore_patterns("*.safetensors", "*.md"))
    scale = np.maximum(np.abs(table).max(axis=1), 1e-12) / 127
    tensors = {
        "embeddings": np.rint(table / scale[:, None]).astype(np.int8),
        "weights": scale.astype(np.float32),
    }
    path = folder / base.part / "model.safetensors"
    save_file(tensors, str(path))
    path.chmod(0o644)
