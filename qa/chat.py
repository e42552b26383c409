"""One turn of a conversation, from what was typed to a checked answer; opens all from a home."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index import archive as archives
from index import builder, settings
from index.archive import Archive
from index.embedding import Embedder, open_embedder
from index.errors import InputError
from index.local_engine import LocalEngine
from index.records import Article, Filter, Hit, Passage, Query, Turn
from index.settings import Settings
from index.versions import Versions
from qa import answers, question
from qa.ranking import Ranker
from qa.retriever import Retriever

VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Overview:
    """What the live version holds; `waiting` articles changed in the archive since it was built."""

    version: str
    built: dt.datetime
    articles: int
    passages: int
    stories: int
    newest: dt.date | None
    oldest: dt.date | None
    publishers: tuple[tuple[str, int], ...]
    waiting: int


class Chat:
    """Answers questions over the archive of one home; safe to use from many threads."""

    def __init__(self, home: Path, chosen: Settings) -> None:
        self.home = home
        self.settings = chosen
        self._versions = Versions(home / VERSIONS, LocalEngine())
        ranker = self.ranker if chosen.retrieval.ranker else None
        self._retriever = Retriever(chosen.retrieval, self.embedder, ranker, self._present)
        self._answerer = answers.ExtractiveAnswerer(chosen.answers)
        self._lock = threading.RLock()
        self._archive: Archive | None = None
        self._embedder: Embedder | None = None
        self._ranker: Ranker | None = None
        self._waiting: tuple[object, int] = (None, 0)

    @classmethod
    def open(cls, home: Path) -> Chat:
        """Open the chat of a home directory; reads only its settings. Raises SettingsError."""
        return cls(home, settings.load(home))

    def ask(
        self,
        asked: str,
        conversation: Sequence[Turn] = (),
        chosen: Filter = Filter(),  # noqa: B008
        understood: Query | None = None,
    ) -> Turn:
        """Answer a question; see `stream`."""
        *_, turn = self.stream(asked, conversation, chosen, understood)
        return turn

    def stream(
        self,
        asked: str,
        conversation: Sequence[Turn] = (),
        chosen: Filter = Filter(),  # noqa: B008
        understood: Query | None = None,
    ) -> Iterator[Turn]:
        """Answer a question as it grows: claims come one by one, the last turn is complete.

        `conversation` are the turns before, oldest first; `chosen` is the filter that the person
        set; `understood` replaces what the question would be understood as. Raises
        IndexMissingError before the first build and InputError for an empty question.
        """
        began = time.perf_counter()
        # A lone surrogate, half a character, can be neither searched nor written out.
        asked = asked.encode("utf-8", "replace").decode("utf-8")
        if not any(char.isalnum() for char in asked):
            raise InputError("The question is empty: type what you want to know.")
        notice = ""
        if len(asked) > question.LONGEST:
            notice = f"Hanya {question.LONGEST} karakter pertama pertanyaan yang dibaca."
        index = self._versions.current()
        query = understood or question.understand(
            asked, [turn.query.text for turn in conversation], chosen
        )
        evidence = self._retriever.retrieve(query, index)
        for draft in answers.answer(
            evidence, self._answerer, self._bodies(), self.settings.answers
        ):
            yield Turn(asked, query, draft, notice, time.perf_counter() - began)

    def search(
        self,
        asked: str,
        k: int,
        *,
        mode: str = "",
        chosen: Filter = Filter(),  # noqa: B008
    ) -> list[Hit]:
        """Return the best passage of each of the k best articles, best first."""
        query = question.understand(asked, (), chosen)
        return self._retriever.articles(query, self._versions.current(), k, mode=mode)

    def overview(self) -> Overview:
        """Return what the live version holds; raises IndexMissingError before the first build."""
        version = self._versions.current().version
        return Overview(
            version.name,
            version.built,
            version.articles,
            version.passages,
            version.stories,
            version.newest,
            version.oldest,
            version.publishers,
            self._count_waiting(version.name),
        )

    def article(self, article_id: str, content: str = "") -> Article | None:
        """Return an archived article; `content` picks the text that a passage was cut from."""
        with self._lock:
            return self._open_archive().get(article_id, content)

    def embedder(self) -> Embedder:
        """Return the embedding model of the settings, loaded at first use."""
        with self._lock:
            if self._embedder is None:
                self._embedder = open_embedder(self.settings.embedding)
            return self._embedder

    def ranker(self) -> Ranker:
        """Return the learned ranker, loaded at first use."""
        with self._lock:
            if self._ranker is None:
                self._ranker = Ranker.load()
            return self._ranker

    def publishers(self) -> list[str]:
        """Return the publishers of the live version, biggest first."""
        return [name for name, _ in self._versions.current().version.publishers]

    def _present(self, article_ids: Sequence[str]) -> set[str]:
        with self._lock:
            return self._open_archive().present(article_ids)

    def _bodies(self) -> answers.BodyOf:
        """Return a look-up of archived bodies that asks the archive once an article."""
        known: dict[tuple[str, str], str | None] = {}

        def body_of(passage: Passage) -> str | None:
            key = (passage.article_id, passage.content)
            if key not in known:
                article = self.article(*key)
                known[key] = article.body if article else None
            return known[key]

        return body_of

    def _open_archive(self) -> Archive:
        if self._archive is None:
            self._archive = Archive.open(self.home / archives.FILE_NAME)
        return self._archive

    def _count_waiting(self, version: str) -> int:
        with self._lock:
            archive = self._open_archive()
            state = (version, archive.changes())
            if self._waiting[0] != state:
                indexed = self._versions.indexed(version)
                self._waiting = (state, sum(builder.waiting(archive, indexed)))
            return self._waiting[1]
