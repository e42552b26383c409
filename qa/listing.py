"""All articles about a question as a list: sorted, narrowed and counted; nothing is read for it.

What is listed is a story, once, by its best article that passes; the others of it are named. So
every count is one of stories: it tells how many a list narrowed by it has.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from index import text
from index.records import Match, Passage, Query, Span
from index.snapshot import SearchIndex
from qa.question import topic
from qa.question.answer_type import answer_type
from qa.retriever import Retriever, weights_of
from qa.timeline import ABOUT

PAGE = 20
"""Entries on a page."""
MOST = 5_000
"""Passages, the best by their words, of which the articles are listed."""
MOST_BARS = 48
"""Months of a chart; what is spread over more is counted by years."""
_BY_BOTH = 2 * PAGE
"""Articles that both searches order; all others are in the order of their words alone."""

Sort = Literal["relevance", "newest", "oldest"]
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a person narrows a list by: one publisher, None for all, and one period.

    `first` and `last` are inclusive, and either may be open; an article without a date is in no
    period. `undated` lets only those through.
    """

    publisher: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    undated: bool = False

    @property
    def timed(self) -> bool:
        """Tell whether there is a period."""
        return self.undated or self.first is not None or self.last is not None

    def by_publisher(self, match: Match) -> bool:
        """Tell whether an article passes as far as publishers go."""
        return self.publisher is None or match.publisher == self.publisher

    def by_period(self, match: Match) -> bool:
        """Tell whether an article passes as far as its date goes."""
        day = match.published
        if self.undated or day is None:
            return day is None and (self.undated or not self.timed)
        return (self.first or day) <= day <= (self.last or day)


class Period(NamedTuple):
    """How many `stories` have an article from `first` to `last`, both inclusive."""

    first: dt.date
    last: dt.date
    stories: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A story in a list: its best article, the sentence of it that holds most of the question.

    `sentence` and the `words` of the question in it are offsets into the archived body, the
    `title_words` into the headline. `others` are the story's other articles.
    """

    passage: Passage
    sentence: Span
    words: tuple[Span, ...]
    title_words: tuple[Span, ...]
    others: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """One page, from 1, of the `total` stories that match and pass; they are of `articles`.

    Each of `publishers` and each period of `years` and `chart` comes with how many stories a list
    has that is narrowed by it in place of what its kind is narrowed by now; `undated` with how
    many that are of articles without a date. `chart` has months, or years, without a gap where
    there are not too many. It is not `complete` if more passages match than are looked at.
    """

    entries: tuple[Entry, ...]
    total: int
    articles: int
    page: int
    pages: int
    publishers: tuple[tuple[str, int], ...]
    years: tuple[Period, ...]
    undated: int
    chart: tuple[Period, ...]
    complete: bool
    narrowing: Narrowing
    sort: Sort

    @property
    def first(self) -> int:
        """Return the number, from 1, of the first entry of the page."""
        return (self.page - 1) * PAGE + 1


def listing(
    query: Query,
    index: SearchIndex,
    retriever: Retriever,
    archived: Callable[[Sequence[str]], Set[str]],
    mode: str,
    narrowing: Narrowing = Narrowing(),  # noqa: B008
    sort: Sort = "relevance",
    page: int = 1,
) -> Listing:
    """Return a page of the articles that hold the words of a query and pass its filter.

    See `SearchIndex.matches` for what holds them. A query for the news of some days has no words of
    its own, and all articles of its filter match. `archived` and `mode` are as a retriever has
    them. A page that is not there is the nearest one that is.
    """
    query = replace(query, text=_subject(query.text))
    matches, complete = _matches(query, index, retriever, mode)
    there = archived([match.article_id for match in matches])
    matches = [match for match in matches if match.article_id in there]
    of_publisher = [match for match in matches if narrowing.by_publisher(match)]
    in_period = [match for match in matches if narrowing.by_period(match)]
    passing = [match for match in of_publisher if narrowing.by_period(match)]
    leads = _sorted(_first_of_each(passing), sort)
    pages = max(1, -(-len(leads) // PAGE))
    page = min(max(page, 1), pages)
    shown = leads[(page - 1) * PAGE : page * PAGE]
    return Listing(
        _entries(shown, matches, _weights(query, index), index),
        len(leads),
        len(passing),
        page,
        pages,
        _counted(in_period),
        _periods(of_publisher, _year)[::-1],
        len(_first_of_each(match for match in of_publisher if match.published is None)),
        chart_of(of_publisher),
        complete,
        narrowing,
        sort,
    )


def _subject(question: str) -> str:
    return topic.subject(question) if answer_type(question) in topic.TOPICS else question


def _matches(
    query: Query, index: SearchIndex, retriever: Retriever, mode: str
) -> tuple[list[Match], bool]:
    """Return the articles that match, best first or of some days the newest, and if that is all."""
    if topic.asks_for_days(query.text):
        found = index.newest(query.filter, MOST) if query.filter else []
        return found, len(found) < MOST
    found, complete = index.matches(query.text, MOST, query.filter, ABOUT)
    best = retriever.articles(query, index, _BY_BOTH, mode=mode).hits if found else ()
    rank = {hit.passage.article_id: number for number, hit in enumerate(best)}
    return sorted(found, key=lambda match: rank.get(match.article_id, len(rank))), complete


def _first_of_each(matches: Iterable[Match]) -> list[Match]:
    """Return the first article of each story."""
    first: dict[str, Match] = {}
    for match in matches:
        first.setdefault(match.story_id, match)
    return list(first.values())


def _sorted(matches: list[Match], sort: Sort) -> list[Match]:
    """Return articles by date, undated ones last and those of a day as they come."""
    if sort == "relevance":
        return matches
    sign = -1 if sort == "newest" else 1

    def key(match: Match) -> tuple[bool, int]:
        day = match.published
        return day is None, sign * day.toordinal() if day else 0

    return sorted(matches, key=key)


def _counted(matches: Iterable[Match]) -> tuple[tuple[str, int], ...]:
    """Return each publisher with the stories that it has an article of, those of most first."""
    counts = Counter(name for name, _ in {(match.publisher, match.story_id) for match in matches})
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


# Time --------------------------------------------------------------------------------------------

_Bounds = tuple[dt.date, dt.date]


def _year(day: dt.date) -> _Bounds:
    return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)


def _month(day: dt.date) -> _Bounds:
    last = calendar.monthrange(day.year, day.month)[1]
    return day.replace(day=1), day.replace(day=last)


def _periods(
    matches: Iterable[Match], bounds: Callable[[dt.date], _Bounds], gaps: Iterable[_Bounds] = ()
) -> tuple[Period, ...]:
    """Return the periods with how many stories have an article in each, oldest first."""
    dated = {(bounds(day), match.story_id) for match in matches if (day := match.published)}
    counts: Counter[_Bounds] = Counter(period for period, _ in dated)
    every = sorted({*counts, *gaps})
    return tuple(Period(*period, counts[period]) for period in every)


def chart_of(matches: Sequence[Match]) -> tuple[Period, ...]:
    """Return the months of some articles, or the years where there are too many months.

    What is between them is there too, but between years that are too many themselves.
    """
    days = [match.published for match in matches if match.published]
    if not days:
        return ()
    first, last = min(days), max(days)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months < MOST_BARS:
        each = ((first.year * 12 + first.month - 1 + n) for n in range(months + 1))
        gaps = [_month(dt.date(n // 12, n % 12 + 1, 1)) for n in each]
        return _periods(matches, _month, gaps)
    years = range(first.year, last.year + 1)
    gaps = [_year(dt.date(year, 1, 1)) for year in years] if len(years) <= MOST_BARS else []
    return _periods(matches, _year, gaps)


# What is shown of an article ---------------------------------------------------------------------


def _entries(
    shown: Sequence[Match],
    matches: Iterable[Match],
    weights: Mapping[str, float],
    index: SearchIndex,
) -> tuple[Entry, ...]:
    stories: dict[str, list[Match]] = {match.story_id: [] for match in shown}
    for match in matches:
        if match.story_id in stories:
            stories[match.story_id].append(match)
    passages = index.passages([match.passage_id for match in shown])
    return tuple(
        _entry(passage, [m for m in stories[lead.story_id] if m is not lead], weights)
        for lead, passage in zip(shown, passages, strict=True)
    )


def _weights(query: Query, index: SearchIndex) -> dict[str, float]:
    """Return the weights of a query's stems, and of the other forms of the names in it."""
    weights = dict(weights_of(query, index))
    for name in index.synonyms(query.text):
        worth = sum(weights.get(stem, 0.0) for stem in name.asked) / len(name.other)
        weights.update((stem, worth) for stem in name.other if stem not in weights)
    return weights


def _entry(passage: Passage, others: Sequence[Match], weights: Mapping[str, float]) -> Entry:
    """Return the entry of an article; its sentence is the first that holds most of the weights."""
    spans = passage.spans
    sentences = passage.sentences()
    shares = [text.held(weights, set(text.stems(sentence))) for sentence in sentences]
    best = shares.index(max(shares))
    begin = spans[best][0]
    words = tuple((begin + a, begin + b) for a, b in _asked(sentences[best], weights))
    return Entry(passage, spans[best], words, _asked(passage.title, weights), tuple(others))


def _asked(words: str, weights: Mapping[str, float]) -> tuple[Span, ...]:
    """Return where the words of the question stand in a text."""
    spans = text.word_spans(words)
    return tuple(
        (start, end) for start, end in spans if weights.keys() & set(text.stems(words[start:end]))
    )
