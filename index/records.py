"""The values that cross module borders: frozen and typed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Article:
    """One article as published. `origin` is the agency that it was taken from, if it says so."""

    id: str
    publisher: str
    title: str
    body: str
    url: str = ""
    published: dt.date | None = None
    authors: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    origin: str = ""
    story_id: str = ""
    retrieved: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadProblem:
    """Something in the input that is no article, told for a person; `place` is file and row."""

    place: str
    reason: str


Span = tuple[int, int]
"""Half-open character offsets [start, end) into an article's body as archived."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of sentences of one article.

    `spans` are the sentences' offsets into the archived body, in order; `text` is those sentences
    joined by single spaces, so removed boilerplate between two sentences is in [start, end) but not
    in `text`. `content` is the hash of the article's text that the offsets belong to.
    """

    id: str
    article_id: str
    story_id: str
    text: str
    spans: tuple[Span, ...]
    title: str
    publisher: str
    url: str
    published: dt.date | None
    content: str

    @property
    def start(self) -> int:
        """Return where the passage begins in the archived body."""
        return self.spans[0][0]

    @property
    def end(self) -> int:
        """Return where the passage ends in the archived body (exclusive)."""
        return self.spans[-1][1]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which articles may answer. Both dates are inclusive; no publishers means all of them.

    An article without a date fails every filter that has one.
    """

    after: dt.date | None = None
    before: dt.date | None = None
    publishers: tuple[str, ...] = ()

    @property
    def dated(self) -> bool:
        """Tell whether the filter asks for a date."""
        return self.after is not None or self.before is not None

    def __bool__(self) -> bool:
        return self.dated or bool(self.publishers)

    def within(self, first: Filter) -> Filter:
        """Return `first` with this filter's dates or publishers where it has none of its own."""
        days = first if first.dated else self
        return Filter(days.after, days.before, first.publishers or self.publishers)


@dataclass(frozen=True, slots=True)
class Scored:
    """A passage found by one search; a higher score is a better one."""

    passage_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in the ranking that answers draw on. Ranks count from 1; None: not found that way.

    `also_in` are the other articles of the same story among the candidates.
    """

    passage: Passage
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    also_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What a question was understood as.

    `read` is the part of the filter that stood in the question; `named` is a date in it that is not
    a filter. `prefer` are ids of articles that a follow-up is likely to be about, `own` the words
    that it does not take from the question before; "" where all are its own.
    """

    text: str
    filter: Filter = field(default_factory=Filter)
    kind: str = "other"
    read: Filter = field(default_factory=Filter)
    named: Filter = field(default_factory=Filter)
    prefer: tuple[str, ...] = ()
    own: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The passages found for a query, best first, and the version that they came from.

    `weights` are the query's stems with their inverse document frequencies.
    """

    query: Query
    hits: tuple[Hit, ...]
    version: str
    weights: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer and the hits (numbered from 1) that it cites."""

    text: str
    cited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """A proof: `quote == archived body[start:end]`, always.

    `number` is what claims cite; `also_in` are other articles that carry the same story.
    """

    number: int
    passage: Passage
    quote: str
    start: int
    end: int
    also_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `status` is "answered", "no_evidence" or "unsupported".

    `claims` cite `citations` by number (from 1, in order of first use). `dropped` are claims that
    failed the check. `confidence` is in [0, 1]. `remark` tells the person how it came to be, where
    that was not as intended.
    """

    status: str
    short_answer: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    dropped: tuple[Claim, ...]
    confidence: float
    evidence: Evidence
    answerer: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer in a conversation; `notice` is a remark for the person.

    `swaps` are words whose spelling was corrected, (typed, meant).
    """

    question: str
    query: Query
    answer: Answer
    notice: str = ""
    seconds: float = 0.0
    swaps: tuple[tuple[str, str], ...] = ()
