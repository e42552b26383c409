"""One turn of a conversation, from what was typed to a checked answer."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from index import text
from index.archive import FILE_NAME, Archive
from index.build import waiting
from index.errors import InputError
from index.manifest import IndexVersion
from index.records import Answer, Evidence, Filter, Passage, Query, Reading, Turn
from index.settings import Settings
from index.snapshot import SearchIndex
from qa import answers, confidence, llm, timeline
from qa.finder import Finder
from qa.question import topic, understand
from qa.question.conversation import SMALL_TALK, is_small_talk, subjects
from qa.question.understand import Understood
from qa.reader import reader
from qa.turn_search import TurnSearch

_Draft = tuple[Understood, Answer]


@dataclass(frozen=True, slots=True)
class Overview:
    """The live version; `waiting` articles changed in the archive since it was built."""

    version: IndexVersion
    waiting: int


class Chat(Finder):
    """Answers questions over the archive of one home; safe to use from many threads."""

    def __init__(
        self, home: Path, chosen: Settings, today: Callable[[], dt.date] = dt.date.today
    ) -> None:
        super().__init__(home, chosen, today)
        # The matrices of one question are small: a second thread for them only spins, on the core
        # that the next question wants.
        threadpool_limits(1, user_api="blas")
        self._answerer = answers.ExtractiveAnswerer(chosen.answers)
        self._llm = llm.Server(chosen.llm, os.environ) if chosen.llm.base_url else None
        self._waiting: tuple[object, int] = (None, 0)
        self._counting = threading.Lock()

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
        *,
        as_typed: bool = False,
    ) -> Iterator[Turn]:
        """Answer a question as it grows: claims come one by one, the last turn is complete.

        `conversation` are the turns before, oldest first; `chosen` is the filter that the person
        set; `understood` replaces what the question would be understood as; `as_typed` corrects no
        spelling. Raises
        IndexMissingError before the first build and InputError for an empty question.
        """
        began = time.perf_counter()
        # A lone surrogate, half a character, can be neither searched nor written out.
        asked = asked.encode("utf-8", "replace").decode("utf-8")
        if not any(char.isalnum() for char in asked):
            raise InputError("The question is empty: type what you want to know.")
        notice = ""
        if len(asked) > understand.LONGEST:
            notice = f"Hanya {understand.LONGEST} karakter pertama pertanyaan yang dibaca."
        index = self._versions.current()
        if not understood and is_small_talk(asked):
            yield _small_talk(asked, index.version.name)
            return
        before = subjects(conversation)
        meanings = (
            [Understood(understood)]
            if understood
            else self.meanings(asked, index, chosen, before, as_typed=as_typed)
        )
        for meant, draft in self._attempts(meanings, index):
            route = _route(meant) if conversation and draft.claims else ""
            told_apart = (route, _lifted(meant), draft.remark, _as_of(meant, draft))
            remarks = [notice, meant.notice, *told_apart]
            message = " ".join(filter(None, remarks))
            seconds = time.perf_counter() - began
            yield Turn(asked, meant.query, draft, message, seconds, meant.swaps)

    def _attempts(self, meanings: Sequence[Understood], index: SearchIndex) -> Iterator[_Draft]:
        """Yield the drafts of the first meaning that is answered; of none, the first silence.

        A follow-up is read in the articles cited before first, and answered from there where they
        are sure enough, or at least as sure as what the archive brings.
        """
        bodies = self.bodies()
        search = self.turn_search(index, bodies)
        here = next((meant for meant in meanings if meant.within), None)
        cited = search.within(here.query) if here else None
        strange = cited and here and search.is_strange(here.own, cited)
        rest = [m for m in meanings if not m.within and (strange or not m.if_strange)]
        sure = cited.confidence if cited else 0.0
        silence = None
        if sure < _SURE_HERE:
            silence = yield from self._first_answered(rest, search, bodies, sure)
            if silence is None:
                return
        if here and cited:
            yield from ((here, draft) for draft in self._write(cited, bodies))
        elif silence:
            yield silence

    def _first_answered(
        self,
        meanings: Sequence[Understood],
        search: TurnSearch,
        bodies: answers.BodyOf,
        sure: float,
    ) -> Generator[_Draft, None, _Draft | None]:
        """Yield the drafts of the first meaning that is answered with more confidence than `sure`.

        Returns the first silence if there is none, else None.
        """
        silence: _Draft | None = None
        for number, meant in enumerate(meanings):
            if meant.trial and not _no_worse(
                search.found(meant.query), search.found(meanings[number + 1].query)
            ):
                continue
            drafts = []
            growing = self._write(search.evidence(meant.query), bodies)
            for draft in growing:
                drafts.append((meant, draft))
                if draft.claims:
                    break
            last = drafts[-1][1]
            another = meant.widened.dated or meant.sure_only
            first = silence is None and not meant.sure_only
            doubtful = another and not first and last.confidence < _ANOTHER_DAY
            if last.status == "no_evidence" or doubtful or last.confidence <= sure:
                silence = silence or drafts[-1]
                continue
            yield from drafts
            yield from ((meant, draft) for draft in growing)
            return None
        return silence

    def turn_search(self, index: SearchIndex, bodies: answers.BodyOf) -> TurnSearch:
        """Return what searches and reads a version for one turn."""

        def kept(passage: Passage) -> bool:
            return bodies(passage) is not None

        return TurnSearch(self._retriever, index, self.settings, _read, kept)

    def _write(self, evidence: Evidence, bodies: answers.BodyOf) -> Iterator[Answer]:
        chosen = self.settings.answers
        if self._llm is None:
            return answers.answer(evidence, self._answerer, bodies, chosen)
        return llm.answer(evidence, self._llm, self._answerer, bodies, chosen)

    def overview(self) -> Overview:
        """Return what the live version holds; raises IndexMissingError before the first build."""
        version = self._versions.current().version
        return Overview(version, self._count_waiting(version.name))

    def bodies(self) -> answers.BodyOf:
        """Return a look-up of archived bodies that asks the archive once an article."""
        known: dict[tuple[str, str], str | None] = {}

        def body_of(passage: Passage) -> str | None:
            key = (passage.article_id, passage.content)
            if key not in known:
                article = self.article(*key)
                known[key] = article.body if article else None
            return known[key]

        return body_of

    def _count_waiting(self, version: str) -> int:
        with self._lock:
            state = (version, self._open_archive().changes())
        # Counting many changes takes seconds, in which questions need the archive: so by a
        # connection of its own, and one at a time. Meanwhile the number is the one before.
        if self._waiting[0] != state and self._counting.acquire(blocking=False):
            try:
                with Archive.open(self.home / FILE_NAME) as archive:
                    count = sum(waiting(archive, self._versions, version))
                self._waiting = (state, count)
            finally:
                self._counting.release()
        return self._waiting[1]


_ANOTHER_DAY = 0.5
"""An answer from other days than were asked for must be likelier right than wrong."""


_SURE_HERE = 0.5
"""How sure an article cited before must be of a follow-up for the archive not to be searched."""


def _read(question: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
    """Read passages; the model is opened at the first one."""
    return reader().read(question, pages)


def _small_talk(asked: str, version: str) -> Turn:
    """Return the turn of one who asks nothing."""
    query = Query(asked, kind=SMALL_TALK)
    nothing = answers.silent(Evidence(query, (), version), answers.ExtractiveAnswerer.name)
    return Turn(asked, query, nothing, "Silakan: tanyakan apa saja tentang isi arsip.")


def _no_worse(evidence: Evidence, other: Evidence) -> bool:
    """Return whether a date's articles cover the question as well as all articles do."""
    if not evidence.hits:
        return False
    sure, elsewhere = confidence.covered(evidence), confidence.covered(other)
    undated = bool(other.hits) and other.hits[0].passage.published is None
    return sure > elsewhere or (sure == elsewhere and not undated)


def _route(meant: Understood) -> str:
    """Tell of a turn of a conversation where it was looked for."""
    if meant.within:
        return "Dari artikel yang sudah dikutip."
    if meant.query.prefer or meant.query.own:
        return "Dari seluruh arsip, dengan topik sebelumnya."
    return "Dibaca sebagai topik baru."


def _as_of(meant: Understood, draft: Answer) -> str:
    """Tell the day of what is shown, where the newest was asked for; the stories of each year."""
    if meant.query.kind == "history" and draft.claims:
        years = timeline.by_year(draft.evidence)
        counts = ", ".join(f"{year}: {len(numbers)}" for year, numbers in years)
        return f"Berita tentang topik ini menurut tahun: {counts}."
    if meant.query.kind in topic.TOPICS:
        found, shown = len(timeline.central(draft.evidence)), len(draft.claims)
        message = (
            f"{shown} dari {found} berita yang ditemukan tentang ini." if found > shown else ""
        )
        cited = [day for c in draft.citations if (day := c.passage.published)]
        if meant.query.kind == "latest" and cited:
            message = f"Yang terbaru dari {text.written(max(cited))}. {message}".strip()
        return message if draft.claims else ""
    if meant.query.kind == topic.DAYS and draft.claims:
        days = understand.limits(draft.evidence.query.filter)
        return f"Berita terbesar {days}, menurut banyaknya artikel."
    if not (meant.query.recency and draft.citations):
        return ""
    day = draft.citations[0].passage.published
    return f"Per {text.written(day)}." if day else "Artikel yang dikutip tidak bertanggal."


def _lifted(meant: Understood) -> str:
    if not meant.widened:
        return ""
    return f"Tidak ada jawaban {understand.limits(meant.widened)}; hasil dari seluruh arsip."
