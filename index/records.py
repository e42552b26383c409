"""The values that cross module borders: frozen and typed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

SOME_PAGE = -1


@dataclass(frozen=True, slots=True)
class Article:
    """One article as published. `origin` is the agency that it was taken from, if it says so.

    `page` is which page of an article over several it is: 0 where nothing says that it is one,
    SOME_PAGE where nothing says which. In the archive an article is whole.
    """

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
    page: int = 0


@dataclass(frozen=True, slots=True)
class ReadProblem:
    """Something in the input that is no article, and why, for a person; `place` is file and row.

    A `note` tells of articles that were read: nothing is lost, but it should be known.
    """

    place: str
    reason: str
    note: bool = False


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

    def sentence(self, span: Span) -> str:
        """Return the text of one of the passage's sentences, as archived."""
        if span not in self.spans:
            raise ValueError(f"{span!r} is no sentence of the passage {self.id!r}")
        return self.sentences()[self.spans.index(span)]

    def sentences(self) -> list[str]:
        """Return the text of each sentence, as archived; `text` joins them by single spaces."""
        found, at = [], 0
        for start, end in self.spans:
            found.append(self.text[at : at + end - start])
            at += end - start + 1
        return found

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
    """Which articles may answer. Both dates are inclusive; no publishers, or authors, means all.

    An article without a date fails every filter that has one.
    """

    after: dt.date | None = None
    before: dt.date | None = None
    publishers: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    @property
    def dated(self) -> bool:
        """Tell whether the filter asks for a date."""
        return self.after is not None or self.before is not None

    def __bool__(self) -> bool:
        return self.dated or bool(self.publishers or self.authors)

    def admits(self, passage: Passage) -> bool:
        """Tell whether a passage's article passes the dates and publishers."""
        day = passage.published
        if self.dated and day is None:
            return False
        early = self.after is not None and day is not None and day < self.after
        late = self.before is not None and day is not None and day > self.before
        return not (early or late) and (not self.publishers or passage.publisher in self.publishers)

    def within(self, first: Filter) -> Filter:
        """Return `first` with this filter's dates, publishers or authors where it has none."""
        days = first if first.dated else self
        publishers, authors = first.publishers or self.publishers, first.authors or self.authors
        return Filter(days.after, days.before, publishers, authors)


@dataclass(frozen=True, slots=True)
class Scored:
    """A passage found by one search; a higher score is a better one."""

    passage_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """An article whose headline or text holds a question's words, and its best passage by BM25."""

    passage_id: str
    article_id: str
    story_id: str
    publisher: str
    published: dt.date | None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a search brought, with what each search says of it.

    Ranks count from 1; None: not found that way. `score` mixes the BM25 score and `cosine`.
    """

    passage_id: str
    score: float
    cosine: float = 0.0
    lexical_rank: int | None = None
    dense_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An article to read: its passages in order, and the candidate that it was found by.

    `best` is the place of the passage that speaks for it: the candidate's, and after reading that
    of its best reading. `also_in` are the other articles of the same story among the candidates.
    `score` orders the hits: higher is better.
    """

    passages: tuple[Passage, ...]
    best: int
    candidate: Candidate
    score: float
    also_in: tuple[str, ...] = ()

    @property
    def passage(self) -> Passage:
        """Return the passage that speaks for the article."""
        return self.passages[self.best]

    @property
    def around(self) -> str:
        """Return the headline and the text of that passage and of those beside it."""
        beside = self.passages[max(self.best - 1, 0) : self.best + 2]
        return " ".join([self.passage.title, *(passage.text for passage in beside)])


@dataclass(frozen=True, slots=True)
class Query:
    """What a question was understood as.

    `read` is the part of the filter that stood in the question; `named` is a date in it that is not
    a filter. `prefer` are ids of articles that a follow-up is likely to be about, `own` the words
    that it does not take from the question before; "" where all are its own. `reads` is what
    the reader reads where that is not `text`: an English question as typed, a follow-up with what
    was said before. `recency`
    is how much less likely, as a logit, a newer answer may be than the best and go before it; 0
    where age does not matter.
    """

    text: str
    filter: Filter = field(default_factory=Filter)
    kind: str = "other"
    read: Filter = field(default_factory=Filter)
    named: Filter = field(default_factory=Filter)
    prefer: tuple[str, ...] = ()
    own: str = ""
    reads: str = ""
    recency: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found in one sentence: where in it the answer stands, and how likely.

    `hit` counts from 1; `passage` is the sentence's passage there. `start` and `end` are the
    answer's offsets into the archived body, `sentence` those of the sentence around it. `span` and
    `answers` are the model's scores that the answer stands there and that the passage answers;
    `score` is what readings are ordered by: higher is better.
    """

    hit: int
    passage: Passage
    start: int
    end: int
    sentence: Span
    span: float
    answers: float
    score: float = 0.0

    @property
    def words(self) -> str:
        """Return the sentence as it is shown, on one line."""
        return " ".join(self.passage.sentence(self.sentence).split())

    @property
    def short(self) -> str:
        """Return the answer in the sentence, on one line."""
        begin = self.sentence[0]
        text = self.passage.sentence(self.sentence)
        return " ".join(text[self.start - begin : self.end - begin].split())


@dataclass(frozen=True, slots=True)
class Evidence:
    """The articles found for a query, best first, and the version that they came from.

    `weights` are the query's stems with their inverse document frequencies. `readings` are what was
    read in them, best first, `confidence` the probability that what they say answers, and `short`
    the answer in a few words, "" where it is not likely to be right; all are empty before reading.
    It is `outdated` if the question asks for what is new, and only old articles tell of it.
    """

    query: Query
    hits: tuple[Hit, ...]
    version: str
    weights: tuple[tuple[str, float], ...] = ()
    readings: tuple[Reading, ...] = ()
    confidence: float = 0.0
    short: str = ""
    outdated: bool = False


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
class Timings:
    """Seconds that each stage of a turn took; `write` is also the check of what was written."""

    understand: float = 0.0
    search: float = 0.0
    read: float = 0.0
    write: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer in a conversation; `notice` is a remark for the person.

    `swaps` are words whose spelling was corrected, (typed, meant). `timings` say how long it took,
    and nothing of what it is.
    """

    question: str
    query: Query
    answer: Answer
    notice: str = ""
    seconds: float = 0.0
    swaps: tuple[tuple[str, str], ...] = ()
    timings: Timings = field(default=Timings(), compare=False)
