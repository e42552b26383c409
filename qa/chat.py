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
from index.records import Answer, Evidence, Filter, Passage, Query, Reading, Turn
from index.settings import Settings
from index.waiting import waiting
from qa import answers, confidence, llm, timeline
from qa.confidence import Read
from qa.finder import Finder
from qa.question import follow_up, understand
from qa.question.follow_up import Before
from qa.question.understand import Understood
from qa.reader import reader

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
        if not understood and understand.is_courtesy(asked):
            raise InputError("Nothing is asked: type what you want to know of the archive.")
        notice = ""
        if len(asked) > understand.LONGEST:
            notice = f"Hanya {understand.LONGEST} karakter pertama pertanyaan yang dibaca."
        index = self._versions.current()
        before = _left_behind(conversation[-1]) if conversation else None
        meanings = (
            [Understood(understood)]
            if understood
            else self.meanings(asked, index, chosen, before, as_typed=as_typed)
        )
        for meant, draft in self._attempts(meanings, index):
            remarks = [notice, meant.notice, _lifted(meant), draft.remark]
            told = " ".join(filter(None, remarks))
            seconds = time.perf_counter() - began
            yield Turn(asked, meant.query, draft, told, seconds, meant.swaps)

    def _attempts(
        self, meanings: Sequence[Understood], index: SearchIndex
    ) -> Iterator[tuple[Understood, Answer]]:
        """Yield the drafts of the first meaning that is answered; of none, the first silence."""
        silence = None
        read, bodies = _once(), self._bodies()
        for number, meant in enumerate(meanings):
            evidence = self.find(meant.query, index)
            if meant.own and not _leant_on(meant, evidence):
                continue
            if meant.trial:
                other = self._retriever.retrieve(meanings[number + 1].query, index)
                if not _no_worse(evidence, other):
                    continue
            drafts = []
            growing = self._write(self._read(evidence, bodies, read), bodies)
            for draft in growing:
                drafts.append((meant, draft))
                if draft.claims:
                    break
            last = drafts[-1][1]
            doubtful = silence and meant.widened.dated and last.confidence < _ANOTHER_DAY
            if last.status == "no_evidence" or doubtful:
                silence = silence or drafts[-1]
                continue
            yield from drafts
            yield from ((meant, draft) for draft in growing)
            return
        if silence:
            yield silence

    def _read(self, evidence: Evidence, bodies: answers.BodyOf, read: Read) -> Evidence:
        """Read what was found; a topic is told without reading, as sure as one hit covers it."""
        hits = tuple(hit for hit in evidence.hits if bodies(hit.passage) is not None)
        evidence = replace(evidence, hits=hits)
        if evidence.query.kind in timeline.TOPICS:
            sure = timeline.covered_by_one(evidence, timeline.about(evidence))
            return replace(evidence, confidence=sure)
        return confidence.judged(evidence, read, self.settings.reader.passages)

    def find(self, query: Query, index: SearchIndex) -> Evidence:
        """Search for a query; of a topic for its subject, for the latest news among the newest."""
        if query.kind not in timeline.TOPICS:
            return self._retriever.retrieve(query, index)
        wanted = replace(query, text=timeline.subject(query.text))
        newest = index.version.newest
        if query.kind == "latest" and newest and not query.filter.dated:
            for days in _RECENT:
                recent = replace(query.filter, after=newest - dt.timedelta(days))
                found = self._retriever.retrieve(replace(wanted, filter=recent), index)
                found = replace(found, query=query)
                if len(timeline.about(found)) >= _SEVERAL:
                    return _with_leads(found)
        found = self._retriever.retrieve(wanted, index)
        return _with_leads(replace(found, query=query))

    def _write(self, evidence: Evidence, bodies: answers.BodyOf) -> Iterator[Answer]:
        chosen = self.settings.answers
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


_ANOTHER_DAY = 0.5
"""An answer from other days than were asked for must be likelier right than wrong."""


def _once() -> Read:
    """Return what reads for one turn: a passage that was read for the same question is not again.

    The meanings of a question find the same articles, most of them.
    """
    known: dict[tuple[str, str], list[Reading]] = {}

    def read(question: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
        fresh = [(hit, page) for hit, page in pages if (question, page.id) not in known]
        known.update({(question, page.id): [] for _, page in fresh})
        for reading in reader().read(question, fresh) if fresh else []:
            known[question, reading.passage.id].append(reading)
        return [replace(r, hit=hit) for hit, page in pages for r in known[question, page.id]]

    return read


def _with_leads(evidence: Evidence) -> Evidence:
    """Let an article whose headline tells the topic speak by its first passage."""
    hits = list(evidence.hits)
    for number, hit in enumerate(evidence.hits):
        headlined = timeline.in_headline(evidence, number + 1) >= timeline.HEADLINED
        if not hit.best or not headlined or not hit.passages[0].id.endswith("#0"):
            continue
        led = (*hits[:number], replace(hit, best=0), *hits[number + 1 :])
        if number + 1 in timeline.about(replace(evidence, hits=led)):
            hits[number] = led[number]
    return replace(evidence, hits=tuple(hits))


def _left_behind(turn: Turn) -> Before:
    """Return what a follow-up to a turn may lean on."""
    cited = dict.fromkeys(c.passage.article_id for c in turn.answer.citations)
    # A turn that found nothing leaves the articles of the one that it followed itself.
    articles = tuple(cited) or turn.query.prefer
    return Before(turn.query.text, turn.query.read, articles, turn.answer.short_answer)


_COVERED = 0.6
_LITTLE_COVERED = 0.25
"""Share of its own words that a likely follow-up must find; of a short one in a cited article."""


def _leant_on(meant: Understood, evidence: Evidence) -> bool:
    """Tell whether a question that may follow the one before finds its own words there."""
    among = meant.query.prefer if meant.cited else ()
    if meant.cited and not among:
        return False
    least = _LITTLE_COVERED if among and follow_up.is_short(meant.own) else _COVERED
    return follow_up.support(evidence, meant.own, among) >= least


def _no_worse(evidence: Evidence, other: Evidence) -> bool:
    """Tell whether a date's articles cover the question as well as all articles do."""
    if not evidence.hits:
        return False
    sure, elsewhere = confidence.covered(evidence), confidence.covered(other)
    undated = bool(other.hits) and other.hits[0].passage.published is None
    return sure > elsewhere or (sure == elsewhere and not undated)


def _lifted(meant: Understood) -> str:
    if not meant.widened:
        return ""
    return f"Tidak ada jawaban {understand.limits(meant.widened)}; hasil dari seluruh arsip."
