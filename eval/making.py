"""Makes a question set of any archive: what people might ask of its own sentences, by kind.

Nothing here reads a language model: sentences become questions by their grammar (`phrasing`). What
is asked is shortened, said in other words, typed in haste or narrowed to a month, so that a search
must do more than find the same words.
"""

from __future__ import annotations

import calendar
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval import phrasing
from eval import questions as sets
from eval.phrasing import About, Asked
from eval.questions import Question
from index import clean, text
from index.archive import BATCH, Archive
from index.errors import InputError
from index.records import Article, Filter

KINDS = ("who", "when", "where", "howmany", "quote", "why", "headline") + (
    "paraphrase",
    "typo",
    "dated",
)
"""Kinds of questions, as many of each as the archive gives: those of `phrasing`, and of any of them
one in other words, one typed in haste, and a short one within the month of its article."""

FOLLOW_UPS = {"when": "Kapan itu?", "where": "Di mana itu?", "why": "Kenapa?"}
"""What may be asked next, where the same sentence tells more."""

_COUNTED = 5_000
"""Articles that tell how common a word is, and how it is written."""

_SPARE = 4
"""So many times the questions wanted are made: some fit other stories as well, and of the others
those are taken that most articles come near to."""

_TALKS = 0.1
"""Conversations for each question, at most."""

_ALIKE = 0.6
"""Share of a headline's stems that the sentence must have that says the same."""

_LEAST_SHARED = 2
"""Stems that a question has at least in common with what answers it."""

_CASED = re.compile(r"(?<=[a-z,] )[^\W\d_]+")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Item:
    """A question with its story.

    `probe` are the stems of what it was made of, which must not all stand elsewhere, `shared` those
    that it still has in common with the article, the rarest first. `then` is what may be asked
    next, with its answer.
    """

    kind: str
    question: Question
    story_id: str
    probe: tuple[str, ...]
    shared: tuple[str, ...]
    then: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Language:
    """What some articles tell of an archive's words: which are common, which are no names."""

    articles: int
    holding: Counter[str]
    small: Counter[str]
    capital: Counter[str]

    @classmethod
    def of(cls, articles: Iterator[Article]) -> _Language:
        holding: Counter[str] = Counter()
        small: Counter[str] = Counter()
        capital: Counter[str] = Counter()
        number = 0
        for number, article in enumerate(articles, start=1):  # noqa: B007
            holding.update(set(text.stems(article.body)))
            for word in set(_CASED.findall(article.body)):
                (small if word.islower() else capital)[word.lower()] += 1
        return cls(number, holding, small, capital)

    def rarity(self, stem: str) -> float:
        """Return a stem's inverse document frequency."""
        return math.log((self.articles + 1) / (self.holding[stem] + 1))

    def telling(self, stems: Sequence[str]) -> float:
        """Return how much some stems tell one article from others."""
        return sum(map(self.rarity, stems))

    def is_common(self, word: str) -> bool:
        """Tell whether a word in small letters is written so more often than with a capital.

        One that is not met may be any in a small archive: the bundled vocabulary holds plain words
        whole, rare names in pieces.
        """
        small, capital = self.small[word], self.capital[word]
        return small > capital or not (small or capital or len(text.tokens(f" {word}")) > 1)


def make(
    archive: Archive,
    out: Path,
    *,
    questions: int = 500,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> int:
    """Write a set of at most `questions` questions to `out`; return their number.

    Each is of one article picked by `seed`, of the KINDS in turn. Relevant are the article and its
    whole story; what answers is a part of the sentence, or the sentence. A question whose words all
    stand in one sentence of another story is left out. Some are also written as conversations, with
    a question that follows. Raises InputError if the archive holds nothing to ask about.
    """
    ids = sorted(archive.fingerprints())
    random.Random(f"{seed}").shuffle(ids)
    counted = ids[:_COUNTED]
    total = len(counted) + 2 * len(ids)

    def read(some: Sequence[str], done: int) -> Iterator[Article]:
        for begin in range(0, len(some), BATCH):
            progress(done + begin, total)
            yield from (article for article, _ in archive.articles(some[begin : begin + BATCH]))

    language = _Language.of(read(counted, 0))
    items: dict[str, _Item] = {}
    made: Counter[str] = Counter()
    for article in read(ids, len(counted)):
        if len(items) >= _SPARE * questions:
            break
        rng = random.Random(f"{seed} {article.id}")
        item = None if article.story_id in items else _item(article, archive, language, made, rng)
        if item:
            items[article.story_id] = item
            made[item.kind] += 1
    stories, rivals = _judged(read(ids, len(counted) + len(ids)), items)
    left = [item for item in items.values() if item.story_id in stories]
    left.sort(key=lambda item: -rivals[item.story_id])
    chosen = _of_each_kind(left, questions)
    if not chosen:
        raise InputError(
            "The archive holds no sentence to make a question of: add articles of several "
            "sentences, written with capitals and full stops."
        )
    _write(out, chosen, stories, questions)
    return len(chosen)


def _of_each_kind(items: Sequence[_Item], most: int) -> list[_Item]:
    """Return at most so many items, of the kinds in turn, in order of kind."""
    kinds = {kind: [item for item in items if item.kind == kind] for kind in KINDS}
    turns = [found[at] for at in range(len(items)) for found in kinds.values() if at < len(found)]
    return sorted(turns[:most], key=lambda item: KINDS.index(item.kind))


def _write(
    out: Path, chosen: Sequence[_Item], stories: dict[str, list[str]], questions: int
) -> None:
    asked: list[Question] = []
    relevant: dict[str, dict[str, int]] = {}
    talks: list[Question] = []
    numbers: Counter[str] = Counter()
    for item in chosen:
        numbers[item.kind] += 1
        question = replace(
            item.question, id=f"{item.kind}-{numbers[item.kind]:03d}", kind=item.kind
        )
        asked.append(question)
        relevant[question.id] = dict.fromkeys(stories[item.story_id], 1)
        if item.then and len(talks) < 2 * _TALKS * questions:
            opening = replace(question, id=f"{question.id}-first")
            follow_up, answer = item.then
            later = Question(f"{question.id}-next", follow_up, (answer,), follows=opening.id)
            talks += [opening, later]
    sets.write(out, asked, relevant, talks)


# One article -------------------------------------------------------------------------------------


def _item(
    article: Article, archive: Archive, language: _Language, made: Counter[str], rng: random.Random
) -> _Item | None:
    """Make a question of an article, of the kind that there are fewest of; None if none serves."""
    repeated = archive.repeated_lines(article.publisher)
    about = About(
        language.is_common, phrasing.people(article.body), frozenset(article.title.split())
    )
    sentences = list(_sentences(article, repeated))
    found = [(asked, s) for s in sentences for asked in phrasing.questions(s, about)]
    found += _headline(article, about, sentences)
    rng.shuffle(found)
    for kind in sorted(KINDS, key=lambda kind: made[kind]):
        items = [
            (item, asked, sentence)
            for asked, sentence in found
            if (item := _of_kind(kind, asked, sentence, article, language, rng))
        ]
        if items:
            # The less it shares with its article, the harder it is to find.
            item, asked, sentence = min(items, key=lambda made: language.telling(made[0].shared))
            others = [a for a, s in found if s == sentence and a.kind != asked.kind]
            return _with_next(item, others)
    return None


def _sentences(article: Article, repeated: frozenset[str]) -> Iterator[str]:
    """Yield the article's sentences that are its own and stand in it once, on one line each."""
    # A kept span holds a line break only where a scraper broke a sentence.
    body = article.body.replace("\n", " ")
    kept = clean.kept_spans(article.body, title=article.title, repeated=repeated)
    for number, (start, end) in enumerate(kept):
        begin = start if number else text.dateline_end(body, start, end)
        for first, last in text.sentences(body, begin, end):
            sentence = " ".join(body[first:last].split())
            if not clean.is_boilerplate(sentence) and body.count(body[first:last]) == 1:
                yield sentence


def _headline(
    article: Article, about: About, sentences: Sequence[str]
) -> Iterator[tuple[Asked, str]]:
    """Yield the question of the headline, with the first sentence that says what it says."""
    asked = phrasing.headline(article.title, about)
    stems = set(text.query_stems(article.title))
    for sentence in sentences[:5] if asked else ():
        if len(stems & set(text.stems(sentence))) >= _ALIKE * len(stems):
            yield Asked("headline", asked, sentence, article.title), sentence
            return


def _of_kind(
    kind: str,
    asked: Asked,
    sentence: str,
    article: Article,
    language: _Language,
    rng: random.Random,
) -> _Item | None:
    """Return a question as one of a kind; None where it cannot be."""
    short, chosen = phrasing.shortened(asked.text, rng), Filter()
    if kind == "paraphrase":
        short = asked.text
        body = phrasing.in_other_words(short, rng, most=4)
        serves = body != short and asked.kind != "headline"
    elif kind == "typo":
        body, serves = phrasing.typed(short, rng), True
    elif kind == "dated":
        body, chosen, serves = short, _month(article), article.published is not None
    else:
        body, serves = phrasing.in_other_words(short, rng, most=4), kind == asked.kind
    if not serves:
        return None
    stems = set(text.stems(f"{article.title} {sentence}"))
    probe, shared = (
        tuple(s for s in text.query_stems(said) if s in stems) for said in (short, body)
    )
    if len(shared) < _LEAST_SHARED:
        return None
    shared = tuple(sorted(shared, key=lambda stem: (-language.rarity(stem), stem)))
    answer = asked.answer if asked.answer and asked.answer in sentence else sentence
    question = Question("", body, (answer,), filter=chosen)
    return _Item(kind, question, article.story_id, probe, shared)


def _month(article: Article) -> Filter:
    day = article.published
    if day is None:
        return Filter()
    last = calendar.monthrange(day.year, day.month)[1]
    return Filter(day.replace(day=1), day.replace(day=last))


def _with_next(item: _Item, others: Sequence[Asked]) -> _Item:
    """Return an item with what may be asked next, if the same sentence tells it."""
    for asked in others:
        if asked.kind in FOLLOW_UPS and item.kind in ("who", "when", "where", "howmany"):
            return replace(item, then=(FOLLOW_UPS[asked.kind], asked.answer))
    return item


# All articles ------------------------------------------------------------------------------------


def _judged(
    articles: Iterator[Article], items: dict[str, _Item]
) -> tuple[dict[str, list[str]], Counter[str]]:
    """Return the articles of each story whose question fits no other, and how many rivals it has.

    One that fits has all words that a question was made of in its headline and one sentence. A
    rival holds what the question shares with its article, or all but one word of it, and answers
    nothing: a search must tell it from the answer.
    """
    by_stem: dict[str, list[_Item]] = {}
    for item in items.values():
        by_stem.setdefault(item.shared[0], []).append(item)
    stories: dict[str, list[str]] = {story: [] for story in items}
    rivals: Counter[str] = Counter()
    for article in articles:
        if article.story_id in stories:
            stories[article.story_id].append(article.id)
        stems = set(text.stems(f"{article.title}\n{article.body}"))
        for stem in by_stem.keys() & stems:
            for item in by_stem[stem]:
                if item.story_id == article.story_id:
                    continue
                if stems.issuperset(item.probe) and _fits(article, item):
                    stories.pop(item.story_id, None)
                elif sum(each not in stems for each in item.shared) < 2:
                    rivals[item.story_id] += _is_within(article, item.question.filter)
    return {story: sorted(found) for story, found in stories.items()}, rivals


def _is_within(article: Article, month: Filter) -> bool:
    first, last, day = month.after, month.before, article.published
    return not (first and last) or bool(day and first <= day <= last)


def _fits(article: Article, item: _Item) -> bool:
    if not _is_within(article, item.question.filter):
        return False
    missing = set(item.probe) - set(text.stems(article.title))
    body = article.body
    return any(missing.issubset(text.stems(body[begin:end])) for begin, end in text.sentences(body))
