"""Opens a home and searches it: the live version, its models and its archive. Nothing answers."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from index import archive as archives
from index import settings
from index.archive import Archive
from index.embedding import Embedder, open_embedder
from index.records import Article, Evidence, Filter, Hit
from index.settings import EmbeddingSettings, Settings
from index.snapshot import SearchIndex
from index.versions import Versions
from qa import confidence
from qa.question import understand
from qa.question.follow_up import Subject
from qa.question.spelling import Speller
from qa.question.understand import Understood
from qa.reader import reader
from qa.retriever import Retriever

_READ_FIRST = 10
"""So many articles of a search are ordered by reading."""


class Finder:
    """Searches the archive of one home; safe to use from many threads."""

    def __init__(
        self, home: Path, chosen: Settings, today: Callable[[], dt.date] = dt.date.today
    ) -> None:
        self.home = home
        self.settings = chosen
        self._versions = Versions.of(home, chosen.engine)
        self._retriever = Retriever(chosen.retrieval, self.embedder, self._present)
        self._lock = threading.RLock()
        self._archive: Archive | None = None
        self._embedder: Embedder | None = None
        self._embedders: dict[str, Embedder] = {}
        self._missed: set[str] = set()
        self._speller: Speller | None = None
        self._today = today

    @classmethod
    def open(cls, home: Path, today: Callable[[], dt.date] = dt.date.today) -> Self:
        """Open what a home directory holds; reads only its settings. Raises SettingsError.

        `today` gives the day from which "minggu lalu" in a question is counted.
        """
        return cls(home, settings.load(home), today)

    def search(
        self,
        asked: str,
        k: int,
        *,
        mode: str = "",
        chosen: Filter = Filter(),  # noqa: B008
        index: SearchIndex | None = None,
    ) -> list[Hit]:
        """Return the k best articles, best first; hybrid search orders the first ten by reading.

        `index` is another version to search than the live one.
        """
        index = index or self._versions.current()
        mode = mode or self.settings.retrieval.mode
        reads = mode == "hybrid" and self.settings.reader.search
        found: list[Hit] = []
        for meant in self.meanings(asked, index, chosen):
            if not meant.trial and not found:
                whole = _READ_FIRST if reads else 0
                most = max(k, whole)
                evidence = self._retriever.articles(
                    meant.query, index, most, mode=mode, whole=whole
                )
                found = self._by_reading(evidence) if reads else list(evidence.hits)
        return found[:k]

    def _by_reading(self, evidence: Evidence) -> list[Hit]:
        first = replace(evidence, hits=evidence.hits[:_READ_FIRST])
        read = confidence.judged(first, reader().read, self.settings.reader.passages)
        return [*confidence.by_reading(read), *evidence.hits[_READ_FIRST:]]

    def index(self) -> SearchIndex:
        """Return the live version, open; raises IndexMissingError before the first build."""
        return self._versions.current()

    def article(self, article_id: str, content: str = "") -> Article | None:
        """Return an archived article; `content` picks the text that a passage was cut from."""
        with self._lock:
            return self._open_archive().get(article_id, content)

    def newest_bodies(self, count: int) -> list[str]:
        """Return the texts of the articles that were published last, the newest first."""
        with self._lock:
            return self._open_archive().newest_bodies(count)

    def embedder(self, model: str = "") -> Embedder:
        """Return the embedding model of the settings, loaded at first use.

        Where `model`, an index's, is another, the settings are read anew: an index that was built
        with another model is picked up too. Raises ModelError and SettingsError.
        """
        with self._lock:
            if self._embedder is None:
                self._embedder = self._load(self.settings.embedding)
            # A turn under way, or one after a rollback, has an index of the model before.
            if model and model not in self._embedders:
                chosen = settings.load(self.home).embedding
                # The same settings may name a folder with new weights; one look at it is enough.
                if chosen != self.settings.embedding or model not in self._missed:
                    self._embedder = self._load(chosen)
                    self.settings = replace(self.settings, embedding=chosen)
                    self._missed.add(model)
            return self._embedders.get(model, self._embedder)

    def _load(self, chosen: EmbeddingSettings) -> Embedder:
        embedder = open_embedder(chosen)
        self._embedders[embedder.name] = embedder
        return embedder

    def publishers(self) -> list[str]:
        """Return the publishers of the live version, biggest first."""
        return [name for name, _ in self._versions.current().version.publishers]

    def _present(self, article_ids: Sequence[str]) -> set[str]:
        with self._lock:
            return self._open_archive().present(article_ids)

    def meanings(
        self,
        asked: str,
        index: SearchIndex,
        chosen: Filter = Filter(),  # noqa: B008
        subjects: Sequence[Subject] = (),
        *,
        as_typed: bool = False,
    ) -> list[Understood]:
        """Return what a question may be understood as; see `qa.question.understand`."""
        speller = None if as_typed else self._speller_of(index)
        return understand.understand(
            asked, subjects, chosen, today=self._today(), index=index, speller=speller
        )

    def _speller_of(self, index: SearchIndex) -> Speller:
        speller = self._speller
        if speller is None or speller.index is not index:
            speller = self._speller = Speller(index)
        return speller

    def _open_archive(self) -> Archive:
        if self._archive is None:
            self._archive = Archive.open(self.home / archives.FILE_NAME)
        return self._archive
