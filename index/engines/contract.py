"""The contracts between a search engine and the rest; engines stand behind them unseen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.embedding import Vectors
from index.records import Filter, Passage, Scored


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the passages of a version were made with; another recipe means another build.

    `model` names the embedding model and its weights, `max_tokens` is a passage's budget, and
    `rules` counts the versions of our text, cleaning and chunking rules.
    """

    engine: str
    model: str
    dimensions: int
    max_tokens: int
    rules: str


@dataclass(frozen=True, slots=True)
class VectorKind:
    """How some of the vectors are searched: `kind` "flat" compares all of these `rows`.

    `recall` is the share of the 100 best that a search finds, measured when they were written.
    """

    kind: str
    rows: int
    recall: float


@dataclass(frozen=True, slots=True)
class IndexVersion:
    """One published version of the index. `publishers` holds (name, articles), biggest first.

    `vectors` tells how the vectors are searched, where the engine knows. `state` is the archive's
    at the time, from which the next build goes on.
    """

    name: str
    built: dt.datetime
    recipe: Recipe
    articles: int
    passages: int
    stories: int
    newest: dt.date | None
    oldest: dt.date | None
    publishers: tuple[tuple[str, int], ...]
    vectors: tuple[VectorKind, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class ArticleEntry:
    """An article in the index: its fingerprint tells whether it must be indexed again."""

    id: str
    fingerprint: str
    story_id: str
    publisher: str
    published: dt.date | None
    authors: tuple[str, ...] = ()


class SearchIndex(Protocol):
    """One version, open for searching from any thread; it never changes."""

    @property
    def version(self) -> IndexVersion: ...

    def dense(self, vector: Vectors, k: int, wanted: Filter) -> list[Scored]:
        """Return at most k passages by cosine similarity to `vector` [dimensions], best first."""
        ...

    def lexical(self, question: str, k: int, wanted: Filter) -> list[Scored]:
        """Return at most k passages by BM25 over the question's stems, best first."""
        ...

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order; an unknown id is an error."""
        ...

    def sizes(self, article_ids: Sequence[str]) -> list[int]:
        """Return how many passages each article has: its ids "#0" and on; 0 for an unknown one."""
        ...

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the passages' vectors, float32 [len(passage_ids), dimensions]."""
        ...

    def authors(self) -> Mapping[str, int]:
        """Return who wrote articles that can be found, with how many, those of most first."""
        ...

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in about how many passages each stem stands; removed ones may still count."""
        ...

    def close(self) -> None:
        """Release files and memory."""
        ...


class IndexWriter(Protocol):
    """Writes the next version from the one before it; nobody sees it until `finish`."""

    def indexed(self, article_ids: Sequence[str] | None = None) -> Mapping[str, str]:
        """Return the fingerprint of each article in the version so far; of these, if given."""
        ...

    def drop(self, article_ids: Sequence[str]) -> None:
        """Remove articles and their passages."""
        ...

    def put(
        self,
        articles: Sequence[ArticleEntry],
        passages: Sequence[Passage],
        vectors: Vectors,
        stems: Sequence[str] = (),
    ) -> None:
        """Add articles with their passages and vectors [len(passages), dimensions].

        An article without passages is kept too, so that it is not tried at every build. `stems`
        are those of each passage's headline and text, joined by spaces, if the caller has them.
        """
        ...

    def finish(self, name: str, built: dt.datetime, state: str = "") -> IndexVersion:
        """Write everything out, check it, and return the version's description."""
        ...

    def abort(self) -> None:
        """Give up; the folder may be deleted afterwards."""
        ...


class SearchEngine(Protocol):
    """Reads and writes versions as folders."""

    @property
    def name(self) -> str: ...

    def writer(self, folder: Path, base: Path | None, recipe: Recipe) -> IndexWriter:
        """Begin a version in the empty `folder`, on top of the version in `base` if given."""
        ...

    def open(self, folder: Path) -> SearchIndex:
        """Open a version; raises IndexDamagedError."""
        ...

    def describe(self, folder: Path) -> IndexVersion:
        """Return a version's description without opening it for search."""
        ...

    def indexed(self, folder: Path, article_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return the fingerprint of each article in a version, or of those of these that it has.

        The version is not opened for search.
        """
        ...

    def discard(self, folders: Sequence[Path], kept: Sequence[Path]) -> None:
        """Free what the versions in `folders` hold elsewhere; the caller deletes them next.

        A folder may be unfinished; the versions in `kept`, all others of the home, stay whole.
        """
        ...


Progress = Callable[[str, int, int], None]
"""Called with a stage's name, the work done, and the work in all."""
