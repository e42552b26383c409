"""Opens a home, searches it, and leads a turn from what was typed to a checked answer."""

from __future__ import annotations

import datetime as dt
import functools
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from threadpoolctl import threadpool_limits

from index import settings, text
from index.archive import Archive
from index.build import waiting
from index.embedding import Embedder, open_embedder
from index.errors import BusyError, IndexDamagedError, InputError, StoppingError
from index.home import open_archive
from index.manifest import IndexVersion
from index.records import Answer, Article, Evidence, Filter, Hit, Passage, Query, Reading, Turn
from index.related import Related, related
from index.settings import EmbeddingSettings, Settings
from index.snapshot import SearchIndex
from index.versions import Versions
from qa import answers, confidence, listing, llm, timeline
from qa.listing import Listing, Narrowing, Sort
from qa.question import topic, understand
from qa.question.conversation import subjects
from qa.question.follow_up import Subject, stands_alone
from qa.question.small_talk import REPLIES, SMALL_TALK, small_talk
from qa.question.spelling import Speller
from qa.question.understand import Understood
from qa.reader import reader
from qa.retriever import Retriever
from qa.stages import Stages
from qa.turn_search import TurnSearch

_Result = TypeVar("_Result")

_READ_FIRST = 10
"""So many articles of a search are ordered by reading."""


class _Draft(NamedTuple):
    """An answer as it grows; `central` are the hits at the centre of a topic, from 1."""

    meant: Understood
    answer: Answer
    central: Sequence[int]


_Write = Callable[[Understood, Evidence], Iterator[_Draft]]


@dataclass(frozen=True, slots=True)
class Overview:
    """The version that answers; `waiting` articles changed in the archive since it was built.

    `trouble` tells why that is not the live one, "" where it is.
    """

    version: IndexVersion
    waiting: int
    trouble: str = ""


class Chat:
    """Searches and answers over the archive of one home; safe to use from many threads."""

    def __init__(
        self, home: Path, chosen: Settings, today: Callable[[], dt.date] = dt.date.today
    ) -> None:
        # The matrices of one question are small: a second thread for them only spins, on the core
        # that the next question wants.
        threadpool_limits(1, user_api="blas")
        self.home = home
        self.settings = chosen
        self._today = today
        self._versions = Versions.of(home, chosen.engine)
        self._retriever = Retriever(chosen.retrieval, self.embedder, self._present)
        self._answerer = answers.ExtractiveAnswerer(chosen.answers)
        self._llm = llm.Server(chosen.llm, os.environ) if chosen.llm.base_url else None
        self._lock = threading.RLock()
        self._archive: Archive | None = None
        self._embedder: Embedder | None = None
        self._embedders: dict[str, Embedder] = {}
        self._missed: set[str] = set()
        self._speller: Speller | None = None
        self._waiting: tuple[object, int] = (None, 0)
        self._counting = threading.Lock()
        self._answering = 0
        self._aside = threading.Lock()
        self._quiet = threading.Condition()
        self._stopped = threading.Event()

    @classmethod
    def open(cls, home: Path, today: Callable[[], dt.date] = dt.date.today) -> Chat:
        """Open what a home directory holds; reads only its settings. Raises SettingsError.

        `today` gives the day from which "minggu lalu" in a question is counted.
        """
        return cls(home, settings.load(home), today)

    # What the home holds -------------------------------------------------------------------------

    def index(self) -> SearchIndex:
        """Return the live version, open; raises IndexMissingError before the first build.

        Where that is damaged it is the newest whole one, see `trouble`.
        """
        return self._versions.current()

    @property
    def trouble(self) -> str:
        """Return why another version than the live one answers; "" where the live one does."""
        return self._versions.trouble

    def kept_versions(self) -> int:
        """Return how many versions are kept."""
        return len(self._versions.names())

    def verify(self, *, every: bool = True) -> bool:
        """Tell whether the version that answers is whole; if not, another answers from now on.

        See `Versions.verify`.
        """
        return self._versions.verify(every=every)

    def _with_index(self, work: Callable[[SearchIndex], _Result]) -> _Result:
        """Do something with the live version; where it turns out damaged, with a whole one."""
        index = self.index()
        try:
            return work(index)
        except IndexDamagedError as error:
            if not self._versions.suspect(index, error):
                raise
            return work(self.index())

    def version(self, name: str) -> SearchIndex:
        """Return a version, open; raises NotFoundError for one that is not there."""
        return self._versions.opened(name)

    def overview(self) -> Overview:
        """Return what the live version holds; raises IndexMissingError before the first build."""
        version = self.index().version
        return Overview(version, self._count_waiting(version.name), self.trouble)

    @property
    def llm_trouble(self) -> str:
        """Return why the language model is not asked now; "" where it is, or there is none."""
        return self._llm.trouble if self._llm else ""

    def publishers(self) -> list[str]:
        """Return the publishers of the live version, biggest first."""
        return [name for name, _ in self.index().version.publishers]

    def article(self, article_id: str, content: str = "") -> Article | None:
        """Return an archived article; `content` picks the text that a passage was cut from."""
        with self._lock:
            return self._open_archive().get(article_id, content)

    def related(self, article: Article) -> Related:
        """Return what else the archive holds of an article."""
        # By a connection of its own: it goes through weeks of articles, and no question waits for
        # one who reads.
        with open_archive(self.home) as archive:
            return related(archive, article)

    def earlier_texts(self, article_id: str) -> list[str]:
        """Return the hashes of an article's earlier texts, for `article`; the last one first."""
        with self._lock:
            return [each.content for each in self._open_archive().earlier(article_id)]

    def newest_bodies(self, count: int) -> list[str]:
        """Return the texts of the articles that were published last, the newest first."""
        with self._lock:
            return self._open_archive().newest_bodies(count)

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

    def _present(self, article_ids: Sequence[str]) -> set[str]:
        with self._lock:
            return self._open_archive().present(article_ids)

    def _open_archive(self) -> Archive:
        if self._archive is not None and self._archive.is_outdated:
            self._archive.close()
            self._archive = None
        if self._archive is None:
            self._archive = open_archive(self.home)
        return self._archive

    def _count_waiting(self, version: str) -> int:
        with self._lock:
            state = (version, self._open_archive().changes())
        # Counting many changes takes seconds, in which questions need the archive: so by a
        # connection of its own, and one at a time. Meanwhile the number is the one before.
        if self._waiting[0] != state and self._counting.acquire(blocking=False):
            try:
                with open_archive(self.home) as archive:
                    count = sum(waiting(archive, self._versions, version))
                self._waiting = (state, count)
            finally:
                self._counting.release()
        return self._waiting[1]

    # Searching -----------------------------------------------------------------------------------

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
        speller = self._speller
        if speller is None or speller.index is not index:
            speller = self._speller = Speller(index)
        return understand.understand(
            text.encodable(asked),
            subjects,
            chosen,
            today=self._today(),
            index=index,
            speller=None if as_typed else speller,
        )

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
        if index is None:
            return self._with_index(lambda live: self._search(asked, k, mode, chosen, live))
        return self._search(asked, k, mode, chosen, index)

    def _search(
        self, asked: str, k: int, mode: str, chosen: Filter, index: SearchIndex
    ) -> list[Hit]:
        mode = mode or self.settings.retrieval.mode
        whole = _READ_FIRST if mode == "hybrid" and self.settings.reader.search else 0
        for meant in self.meanings(asked, index, chosen):
            if meant.trial:
                continue
            found = self._retriever.articles(
                meant.query, index, max(k, whole), mode=mode, whole=whole
            )
            if found.hits:
                first = replace(found, hits=found.hits[:whole])
                read = confidence.judged(first, self._read, self.settings.reader.passages)
                return [*confidence.by_reading(read), *found.hits[whole:]][:k]
        return []

    def listed(
        self,
        query: Query,
        narrowing: Narrowing = Narrowing(),  # noqa: B008
        sort: Sort = "relevance",
        page: int = 1,
    ) -> Listing:
        """Return a page of all articles that match a query; see `qa.listing`."""
        mode = self.settings.retrieval.mode
        return self._with_index(
            lambda index: listing.listing(
                query, index, self._retriever, self._present, mode, narrowing, sort, page
            )
        )

    def turn_search(
        self,
        index: SearchIndex,
        bodies: answers.BodyOf,
        stages: Stages | None = None,
        read: confidence.Read | None = None,
    ) -> TurnSearch:
        """Return what searches and reads a version for one turn, and tells `stages` how long."""

        def kept(passage: Passage) -> bool:
            return bodies(passage) is not None

        read = read or self._read
        return TurnSearch(self._retriever, index, self.settings, read, kept, stages or Stages())

    def _read(self, question: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
        """Read passages; the model is opened at the first one. Raises StoppingError."""
        if self._stopped.is_set():
            raise StoppingError("The server is being stopped; ask again in a minute.")
        return reader().read(question, pages)

    def stop(self, seconds: float) -> bool:
        """Let whatever is answered end with StoppingError as soon as it would read on.

        Return whether all has ended in so many seconds.
        """
        self._stopped.set()
        with self._quiet:
            self._quiet.notify_all()
            ended = self._quiet.wait_for(lambda: not self._answering, seconds)
        if aside := self._aside.acquire(timeout=seconds):
            self._aside.release()
        return ended and aside

    # Answering -----------------------------------------------------------------------------------

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
        away: llm.Away = nullcontext,
    ) -> Iterator[Turn]:
        """Answer a question as it grows: claims come one by one, the last turn is complete.

        `conversation` are the turns before, oldest first; `chosen` is the filter that the person
        set; `understood` replaces what the question would be understood as; `as_typed` corrects no
        spelling; `away` is entered while a language model's server is waited for. Raises
        IndexMissingError before the first build and InputError for an empty question.
        """
        with self._quiet:
            self._answering += 1
        try:
            yield from self._stream(asked, conversation, chosen, understood, as_typed, away)
        finally:
            with self._quiet:
                self._answering -= 1
                self._quiet.notify_all()

    def ask_aside(self, asked: str, patience: float) -> Turn | None:
        """Answer a question that nobody waits for, while no other is being answered.

        Returns None where that takes more than `patience` seconds.
        """
        until = time.monotonic() + patience
        if not self._aside.acquire(timeout=max(patience, 0)):
            return None

        def read(question: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
            with self._quiet:
                left = until - time.monotonic()
                if not self._quiet.wait_for(lambda: not self._answering, left):
                    raise BusyError("Others are being answered.")
            return self._read(question, pages)

        try:
            read("", ())
            *_, turn = self._stream(asked, (), Filter(), None, as_typed=False, read=read)
            return turn
        except BusyError:
            return None
        finally:
            self._aside.release()

    def _stream(
        self,
        asked: str,
        conversation: Sequence[Turn],
        chosen: Filter,
        understood: Query | None,
        as_typed: bool,
        away: llm.Away = nullcontext,
        read: confidence.Read | None = None,
    ) -> Iterator[Turn]:
        asked = question_of(asked)
        given = (asked, conversation, chosen, understood, as_typed, away, read)
        index = self.index()
        try:
            yield from self._stream_from(index, *given)
        except IndexDamagedError as error:
            if not self._versions.suspect(index, error):
                raise
            # What was shown of it is replaced.
            yield from self._stream_from(self.index(), *given)

    def _stream_from(
        self,
        index: SearchIndex,
        asked: str,
        conversation: Sequence[Turn],
        chosen: Filter,
        understood: Query | None,
        as_typed: bool,
        away: llm.Away,
        read: confidence.Read | None,
    ) -> Iterator[Turn]:
        began = time.perf_counter()
        cut = ""
        if len(asked) > understand.LONGEST:
            cut = f"Hanya {understand.LONGEST} karakter pertama pertanyaan yang dibaca."
        if not understood and (kind := small_talk(asked)):
            yield _said(asked, REPLIES[kind], index.version.name)
            return
        stages = Stages()
        with stages.during("understand"):
            meanings = (
                [Understood(understood)]
                if understood
                else self.meanings(asked, index, chosen, subjects(conversation), as_typed=as_typed)
            )
        bodies = self.bodies()
        search = self.turn_search(index, bodies, stages, read)
        write = functools.partial(self._write, bodies=bodies, stages=stages, away=away)
        for draft in self._attempts(meanings, search, write):
            meant, answer = draft.meant, draft.answer
            route = _route(meant) if conversation and answer.claims else ""
            remarks = (cut, meant.notice, route, _lifted(meant), answer.remark, _as_of(draft))
            notice = " ".join(filter(None, remarks))
            seconds = time.perf_counter() - began
            turn = Turn(asked, meant.query, answer, notice, seconds, meant.swaps)
            yield replace(turn, timings=stages.timings)

    def _attempts(
        self, meanings: Sequence[Understood], search: TurnSearch, write: _Write
    ) -> Iterator[_Draft]:
        """Yield the drafts of the first meaning that is answered; of none, the first silence.

        A follow-up is read in the articles cited before first, and answered from there where they
        are sure enough, or at least as sure as what the archive brings.
        """
        here = next((meant for meant in meanings if meant.within), None)
        cited = search.within(here.query) if here else None
        strange = cited and here and search.is_strange(here.own, cited)
        rest = [m for m in meanings if not m.within and (strange or not m.if_strange)]
        sure = cited.confidence if cited else 0.0
        silence = None
        if sure < _SURE_HERE:
            silence = yield from self._first_answered(rest, search, write, sure)
            if silence is None:
                return
        if here and cited:
            growing = write(here, cited)
            first = next(growing)
            # Where nothing answers, what is said of the whole archive is what the person must know.
            if silence is None or first.answer.claims:
                yield first
                yield from growing
                return
        if silence is None:
            return
        # Nothing said before answers it: so perhaps it is a question of its own, if it can be.
        alone = [m for m in meanings if m.if_strange and m not in rest and _says_enough(m)]
        if (yield from self._first_answered(alone, search, write, _SURE_HERE)) or not alone:
            yield silence

    def _first_answered(
        self,
        meanings: Sequence[Understood],
        search: TurnSearch,
        write: _Write,
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
            growing = write(meant, search.evidence(meant.query))
            for draft in growing:
                drafts.append(draft)
                if draft.answer.claims:
                    break
            last = drafts[-1].answer
            another = meant.widened.dated or meant.sure_only
            first = silence is None and not meant.sure_only
            doubtful = another and not first and last.confidence < _ANOTHER_DAY
            if last.status == "no_evidence" or doubtful or last.confidence <= sure:
                silence = silence or drafts[-1]
                continue
            yield from drafts
            yield from growing
            return None
        return silence

    def _write(
        self,
        meant: Understood,
        evidence: Evidence,
        bodies: answers.BodyOf,
        stages: Stages,
        away: llm.Away,
    ) -> Iterator[_Draft]:
        central = timeline.central(evidence) if meant.query.kind in topic.TOPICS else ()
        chosen = self.settings.answers
        if self._llm is None:
            growing = answers.answer(evidence, self._answerer, bodies, chosen)
        else:
            growing = llm.answer(evidence, self._llm, self._answerer, bodies, chosen, away)
        return (_Draft(meant, draft, central) for draft in stages.over("write", growing))


def question_of(typed: str) -> str:
    """Return a question as it can be read; raises InputError for an empty one."""
    if not any(char.isalnum() for char in typed):
        raise InputError("The question is empty: type what you want to know.")
    return text.encodable(typed)


_ANOTHER_DAY = 0.5
"""An answer from other days than were asked for must be likelier right than wrong."""


_SURE_HERE = 0.5
"""How sure an article cited before must be of a follow-up for the archive not to be searched."""


def _says_enough(meant: Understood) -> bool:
    """Return whether a question may be one of its own: by its words, or as one for news of X."""
    return stands_alone(meant.own) or meant.query.kind in topic.TOPICS


def _no_worse(evidence: Evidence, other: Evidence) -> bool:
    """Return whether a date's articles cover the question as well as all articles do."""
    if not evidence.hits:
        return False
    sure, elsewhere = confidence.covered(evidence), confidence.covered(other)
    undated = bool(other.hits) and other.hits[0].passage.published is None
    return sure > elsewhere or (sure == elsewhere and not undated)


# What is said beside an answer -------------------------------------------------------------------


def _said(asked: str, reply: str, version: str) -> Turn:
    """Return the turn of one who asks nothing."""
    query = Query(asked, kind=SMALL_TALK)
    nothing = answers.silent(Evidence(query, (), version), answers.ExtractiveAnswerer.name)
    return Turn(asked, query, nothing, reply)


def _route(meant: Understood) -> str:
    """Say of a turn of a conversation where it was looked for."""
    if meant.within:
        return "Dari artikel yang sudah dikutip."
    if meant.query.prefer or meant.query.own:
        return "Dari seluruh arsip, dengan topik sebelumnya."
    return "Dibaca sebagai topik baru."


def _lifted(meant: Understood) -> str:
    if not meant.widened:
        return ""
    return f"Tidak ada jawaban {understand.limits(meant.widened)}; hasil dari seluruh arsip."


def _as_of(draft: _Draft) -> str:
    """Say of what day the shown is, where the newest was asked for; the stories of each year."""
    query, answer = draft.meant.query, draft.answer
    if not answer.claims:
        return ""
    if query.kind == "history":
        years = timeline.by_year(answer.evidence, draft.central)
        counts = ", ".join(f"{year}: {len(numbers)}" for year, numbers in years)
        return f"Berita tentang topik ini menurut tahun: {counts}."
    if query.kind in topic.TOPICS:
        found, shown = len(draft.central), len(answer.claims)
        cited = [day for c in answer.citations if (day := c.passage.published)]
        newest = text.written(max(cited)) if query.kind == "latest" and cited else ""
        of_all = f"{shown} dari {found} berita yang ditemukan tentang ini." if found > shown else ""
        return " ".join(filter(None, [newest and f"Yang terbaru dari {newest}.", of_all]))
    if query.kind == topic.DAYS:
        days = understand.limits(answer.evidence.query.filter)
        return f"Berita terbesar {days}, menurut banyaknya artikel."
    if not query.recency:
        return ""
    day = answer.citations[0].passage.published
    return f"Per {text.written(day)}." if day else "Artikel yang dikutip tidak bertanggal."
