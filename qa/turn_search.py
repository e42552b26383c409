"""Searches and reads for one turn: in one version of the index, and nothing twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

from index import text
from index.records import Evidence, Filter, Passage, Query, Reading
from index.settings import Settings
from index.snapshot import SearchIndex
from qa import confidence, timeline
from qa.confidence import Read, said_in
from qa.question import topic
from qa.question.follow_up import topic_stems
from qa.retriever import Retriever
from qa.stages import Stages

_STORIES, _STORIES_OF_YEARS = 30, 120
"""Stories that a topic is told from; that it is told from year by year."""
_RECENT, _SEVERAL = (31, 183), 3
"""Days before the newest article that the latest news are looked for in; how many are enough."""
_LAST_DAYS, _OF_EACH, _SURE_NEW = (3, 31, 366), 4, 0.5
"""Days before the newest article that the newest answer is looked for in; what may have changed is
looked for in the first two and in all days, of each in so many hits."""


_RARE = 0.002
"""Share of the passages that a word which names something stands in at most."""

_STORY, _ALIKE = 0.4, 0.45
"""Share of what a follow-up takes from the turns before that an article must hold to answer it;
else the cosine of its beginning with that of an article cited before."""


class TurnSearch:
    """Finds evidence for the queries of one turn and reads it.

    `kept` tells whether the archive still keeps what a passage was cut from; `stages` are told how
    long it takes.
    """

    def __init__(
        self,
        retriever: Retriever,
        index: SearchIndex,
        settings: Settings,
        read: Read,
        kept: Callable[[Passage], bool],
        stages: Stages,
    ) -> None:
        self._retriever = retriever
        self._index = index
        self._settings = settings
        self._reader = read
        self._kept = kept
        self.stages = stages
        self._found: dict[tuple[Query, int], Evidence] = {}
        self._known: dict[tuple[str, str], list[Reading]] = {}

    def within(self, query: Query) -> Evidence:
        """Read the articles that a follow-up is likely to be about, and no others."""
        with self.stages.during("search"):
            found = self._retriever.within(query, self._index, query.prefer)
        return self._read(found)

    def is_strange(self, words: str, cited: Evidence) -> bool:
        """Return whether words name something that the articles cited before do not know.

        So they do with two words that are rare in the archive and stand in none of them.
        """
        stems = text.query_stems(words)
        known = frozenset().union(*map(said_in, cited.hits))
        most = self._index.version.passages * _RARE
        counts = zip(stems, self._index.frequencies(stems), strict=True)
        return sum(0 < count <= most and stem not in known for stem, count in counts) >= 2

    def evidence(self, query: Query) -> Evidence:
        """Search and read; for the newest answer in the last days first, and ever further back."""
        newest = self._index.version.newest
        if query.kind == topic.DAYS:
            last = Filter(newest, newest).within(query.filter)
            asked = replace(query, filter=query.filter if query.filter.dated else last)
            with self.stages.during("search"):
                found = self._retriever.biggest(asked, self._index, timeline.EVENTS)
            return self._read(found)
        valued = query.kind not in topic.TOPICS
        if valued and query.recency and newest and not query.filter.dated:
            plainly = query.recency >= topic.PLAINLY_NEW
            least = self._settings.answers.min_confidence if plainly else _SURE_NEW
            for days in _LAST_DAYS if plainly else _LAST_DAYS[:2]:
                recent = replace(query, filter=_since(newest, days).within(query.filter))
                read = self._read(replace(self._retrieved(recent), query=query))
                if read.confidence >= least and _holds_the_names(read):
                    return read
        return self._unless_old(self._read(self.found(query)))

    def _unless_old(self, read: Evidence) -> Evidence:
        """Mark what answers a question of these days with news of long ago, or of no day."""
        newest = self._index.version.newest
        query = read.query
        if query.recency < topic.ONLY_NEW or query.filter.dated or newest is None:
            return read
        if query.kind in topic.TOPICS:
            shown = [read.hits[number - 1].passage for number in timeline.central(read)]
        else:
            shown = [reading.passage for reading in read.readings[:1]]
        oldest = newest - dt.timedelta(_RECENT[-1])
        if any(page.published and page.published >= oldest for page in shown):
            return read
        return replace(read, confidence=0.0, outdated=bool(shown))

    def found(self, query: Query) -> Evidence:
        """Search for a query; of a topic for its subject, for the latest news among the newest."""
        newest = self._index.version.newest
        undated = newest is not None and not query.filter.dated
        if query.kind not in topic.TOPICS:
            found = self._of_the_story(self._retrieved(query))
            if undated and newest and 0 < query.recency < topic.PLAINLY_NEW:
                found = self._with_newer(found, newest)
            return found
        wanted = replace(query, text=topic.subject(query.text))
        latest = query.kind == "latest" or query.recency > 0
        if latest and undated and newest:
            for days in _RECENT:
                recent = replace(wanted, filter=_since(newest, days).within(query.filter))
                found = replace(self._retrieved(recent, _STORIES), query=query)
                # Old news beside few new ones would pass for new.
                if len(timeline.about(found)) >= (1 if days == _RECENT[-1] else _SEVERAL):
                    return timeline.led(found)
        most = _STORIES_OF_YEARS if query.kind == "history" else _STORIES
        return timeline.led(replace(self._retrieved(wanted, most), query=query))

    def _retrieved(self, query: Query, hits: int = 0) -> Evidence:
        key = query, hits
        if key not in self._found:
            with self.stages.during("search"):
                self._found[key] = self._retriever.retrieve(query, self._index, hits=hits)
        return self._found[key]

    def _of_the_story(self, evidence: Evidence) -> Evidence:
        """Leave out of a follow-up's evidence what has nothing to do with the turns before.

        An article has to do with them that holds enough of the words that the follow-up takes from
        them, or begins like one that was cited.
        """
        query = evidence.query
        taken = topic_stems(query.text) if query.own else set()
        weights = {stem: weight for stem, weight in evidence.weights if stem in taken}
        if not weights or not evidence.hits:
            return evidence
        begins = [f"{hit.passage.article_id}#0" for hit in evidence.hits]
        sizes = zip(query.prefer, self._index.sizes(query.prefer), strict=True)
        cited = [f"{article_id}#0" for article_id, size in sizes if size]
        near = self._index.vectors(begins) @ self._index.vectors(cited).T
        alike = near.max(axis=1, initial=0.0).tolist()
        hits = tuple(
            hit
            for hit, cosine in zip(evidence.hits, alike, strict=True)
            if cosine >= _ALIKE or text.held(weights, said_in(hit)) >= _STORY
        )
        return replace(evidence, hits=hits)

    def _with_newer(self, found: Evidence, newest: dt.date) -> Evidence:
        """Put the first hits of the last days beside those of all times."""
        hits = {hit.passage.article_id: hit for hit in found.hits[:_OF_EACH]}
        for days in _LAST_DAYS[:2]:
            limits = _since(newest, days).within(found.query.filter)
            newer = self._retrieved(replace(found.query, filter=limits))
            for hit in newer.hits[:_OF_EACH]:
                hits.setdefault(hit.passage.article_id, hit)
        return replace(found, hits=tuple(sorted(hits.values(), key=lambda hit: -hit.score)))

    def _read(self, evidence: Evidence) -> Evidence:
        """Read what was found; a topic is told without reading, as sure as one hit covers it."""
        hits = tuple(hit for hit in evidence.hits if self._kept(hit.passage))
        evidence = replace(evidence, hits=hits)
        if evidence.query.kind == topic.DAYS:
            return replace(evidence, confidence=1.0 if hits else 0.0)
        if evidence.query.kind in topic.TOPICS:
            sure = timeline.covered_by_one(evidence, timeline.about(evidence))
            return replace(evidence, confidence=sure)
        with self.stages.during("read"):
            return confidence.judged(evidence, self._once, self._settings.reader.passages)

    def _once(self, question: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
        """Read passages, those that were read for the same question before from memory."""
        fresh = [(hit, page) for hit, page in pages if (question, page.id) not in self._known]
        for _, page in fresh:
            self._known[question, page.id] = []
        for reading in self._reader(question, fresh) if fresh else []:
            self._known[question, reading.passage.id].append(reading)
        return [
            replace(reading, hit=hit)
            for hit, page in pages
            for reading in self._known[question, page.id]
        ]


def _holds_the_names(read: Evidence) -> bool:
    """Return whether the article that answers holds all names and numbers of the question."""
    answering = read.hits[read.readings[0].hit - 1]
    return text.names_and_numbers(read.query.text) <= said_in(answering)


def _since(newest: dt.date, days: int) -> Filter:
    return Filter(after=newest - dt.timedelta(days))
