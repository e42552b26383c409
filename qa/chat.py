"""One turn of a conversation, from what was typed to a checked answer."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from index.archive import FILE_NAME, Archive
from index.engine import SearchIndex
from index.errors import InputError
from index.records import Answer, Evidence, Filter, Passage, Query, Turn
from index.settings import Settings
from index.waiting import waiting
from qa import answers, extractive, follow_up, llm, question
from qa.finder import Finder
from qa.follow_up import Before
from qa.question import Reading

_RECENT, _SEVERAL = (31, 366), 3
"""Days before the newest article that the latest news are looked for in; how many are enough."""


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
        if not understood and question.is_courtesy(asked):
            raise InputError("Nothing is asked: type what you want to know of the archive.")
        notice = ""
        if len(asked) > question.LONGEST:
            notice = f"Hanya {question.LONGEST} karakter pertama pertanyaan yang dibaca."
        index = self._versions.current()
        before = _left_behind(conversation[-1]) if conversation else None
        readings = (
            [Reading(understood)]
            if understood
            else self._readings(asked, index, chosen, before, as_typed=as_typed)
        )
        for reading, draft in self._attempts(readings, index):
            remarks = [notice, reading.notice, _lifted(reading), draft.remark]
            told = " ".join(filter(None, remarks))
            seconds = time.perf_counter() - began
            yield Turn(asked, reading.query, draft, told, seconds, reading.swaps)

    def _attempts(
        self, readings: Sequence[Reading], index: SearchIndex
    ) -> Iterator[tuple[Reading, Answer]]:
        """Yield the drafts of the first reading that is answered; of none, the first silence."""
        silence = None
        for number, reading in enumerate(readings):
            evidence = self._evidence(reading.query, index)
            if reading.own and not _leant_on(reading, evidence):
                continue
            if reading.trial:
                other = self._retriever.retrieve(readings[number + 1].query, index)
                if not _no_worse(evidence, other):
                    continue
            drafts = []
            growing = self._write(evidence)
            for draft in growing:
                drafts.append((reading, draft))
                if draft.claims:
                    break
            last = drafts[-1][1]
            doubtful = silence and reading.widened.dated and last.confidence < _ANOTHER_DAY
            if last.status == "no_evidence" or doubtful:
                silence = silence or drafts[-1]
                continue
            yield from drafts
            yield from ((reading, draft) for draft in growing)
            return
        if silence:
            yield silence

    def _evidence(self, query: Query, index: SearchIndex) -> Evidence:
        """Search for a query; of a topic for its subject, for the latest news among the newest."""
        if query.kind not in extractive.TOPICS:
            return self._retriever.retrieve(query, index)
        wanted = replace(query, text=extractive.subject(query.text))
        newest = index.version.newest
        if query.kind == "latest" and newest and not query.filter.dated:
            for days in _RECENT:
                recent = replace(query.filter, after=newest - dt.timedelta(days))
                found = self._retriever.retrieve(replace(wanted, filter=recent), index)
                found = replace(found, query=query)
                if len(extractive.about(found)) >= _SEVERAL:
                    return _with_leads(found, index)
        found = self._retriever.retrieve(wanted, index)
        return _with_leads(replace(found, query=query), index)

    def _write(self, evidence: Evidence) -> Iterator[Answer]:
        bodies, chosen = self._bodies(), self.settings.answers
        if self._llm is None:
            return answers.answer(evidence, self._answerer, bodies, chosen)
        return llm.answer(evidence, self._llm, self._answerer, bodies, chosen)

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


_ANOTHER_DAY = 0.6
"""How sure an answer must be that is from other days than were asked for."""


def _with_leads(evidence: Evidence, index: SearchIndex) -> Evidence:
    """Let an article whose headline tells the topic speak by its first passage."""
    told = [
        number
        for number, hit in enumerate(evidence.hits)
        if extractive.in_headline(evidence, number + 1) >= extractive.HEADLINED
        and not hit.passage.id.endswith("#0")
    ]
    firsts = index.passages([f"{evidence.hits[n].passage.article_id}#0" for n in told])
    hits = list(evidence.hits)
    for number, passage in zip(told, firsts, strict=True):
        led = (*hits[:number], replace(hits[number], passage=passage), *hits[number + 1 :])
        if number + 1 in extractive.about(replace(evidence, hits=led)):
            hits[number] = led[number]
    return replace(evidence, hits=tuple(hits))


def _left_behind(turn: Turn) -> Before:
    """Return what a follow-up to a turn may lean on."""
    cited = dict.fromkeys(c.passage.article_id for c in turn.answer.citations)
    # A turn that found nothing leaves the articles of the one that it followed itself.
    articles = tuple(cited) or turn.query.prefer
    return Before(turn.query.text, turn.query.read, articles, turn.answer.short_answer)


_BORNE_OUT = 0.6
_LITTLE_BORNE_OUT = 0.25
"""Share of its own words that a likely follow-up must find; of a short one in a cited article."""


def _leant_on(reading: Reading, evidence: Evidence) -> bool:
    """Tell whether a question that may follow the one before finds its own words there."""
    among = reading.query.prefer if reading.cited else ()
    if reading.cited and not among:
        return False
    least = _LITTLE_BORNE_OUT if among and follow_up.is_short(reading.own) else _BORNE_OUT
    return follow_up.support(evidence, reading.own, among) >= least


def _no_worse(evidence: Evidence, other: Evidence) -> bool:
    """Tell whether a date's articles bear the question out as well as all articles do."""
    if not evidence.hits:
        return False
    sure, elsewhere = answers.confidence(evidence), answers.confidence(other)
    undated = bool(other.hits) and other.hits[0].passage.published is None
    return sure > elsewhere or (sure == elsewhere and not undated)


def _lifted(reading: Reading) -> str:
    if not reading.widened:
        return ""
    return f"Tidak ada jawaban {question.limits(reading.widened)}; hasil dari seluruh arsip."
