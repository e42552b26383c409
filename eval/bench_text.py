"""What a bench is made of: articles written by a seed, or read from a folder and then mixed."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index import chunking, text
from index.errors import InputError
from index.reading.files import find_files, read
from index.records import Article, ReadProblem

MORE = 100
"""Articles kept back, to be added to a finished archive."""

QUERIES, MORE_FILE, WRITTEN_UP = "queries.jsonl", "articles-more.jsonl", "made.json"

_ASKED_OF = 5_000
"""Passages of the first articles that all questions are about, so that every size holds them."""

_WORDS, _TOPICS, _TOPIC_WORDS = 60_000, 2_000, 150
_PUBLISHERS = 12
_OPENERS = ("Siapa", "Kapan", "Di mana", "Berapa", "Mengapa", "Apa", "Bagaimana")
_TELLING = (4, 6)
_SENTENCE = (8, 40)
_MIXED_OF, _MIXED_LENGTH = 40, 8
"""So many articles give their sentences to new ones of so many sentences."""

_ONSETS = "b c d g h j k l m n p r s t w y ng ny".split()
_VOWELS = "a a a i i u u e o".split()
_CODAS = ("", "", "", "", "n", "ng", "r", "s", "t", "k", "h")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: for each size its files, and how many articles of each kind they hold.

    The files of a size are those of the sizes below it and one more.
    """

    files: dict[int, list[str]]
    kinds: dict[int, dict[str, int]]


def generated(seed: int) -> Iterator[Article]:
    """Yield articles of made-up words without end; each depends on the seed and its number alone.

    Words are as frequent as Zipf's law has it. Every other word is one of the article's topic.
    """
    words = vocabulary(seed)
    weights = np.cumsum(1 / np.arange(3, _WORDS + 3))
    weights /= weights[-1]
    near = np.cumsum(1 / np.arange(8, _TOPIC_WORDS + 8))
    near /= near[-1]
    topics = np.random.default_rng(seed).integers(500, _WORDS, (_TOPICS, _TOPIC_WORDS))
    for number in itertools.count():
        dice = np.random.default_rng([seed, number])
        topic = topics[dice.integers(_TOPICS)]

        lengths = [int(dice.integers(5, 10))]
        lengths.extend(dice.integers(8, 22, int(dice.integers(4, 12))).tolist())
        count = sum(lengths)
        common = np.searchsorted(weights, dice.random(count))
        own = topic[np.searchsorted(near, dice.random(count))]
        picked = iter(np.where(dice.random(count) < 0.5, own, common).tolist())
        title, *sentences = (
            " ".join(words[at] for at in itertools.islice(picked, length)) for length in lengths
        )
        day = dt.date(2010, 1, 1) + dt.timedelta(int(dice.integers(5_800)))
        yield Article(
            id=f"buatan-{number:07d}",
            publisher=f"Harian {words[int(dice.integers(_PUBLISHERS))].title()}",
            title=title.title(),
            body=" ".join(f"{sentence.capitalize()}." for sentence in sentences),
            published=day,
        )


def vocabulary(seed: int) -> list[str]:
    """Return made-up words of one to four syllables, all different, the short ones first."""
    dice = random.Random(f"kata {seed}")
    found: dict[str, None] = {}
    while len(found) < _WORDS:
        syllables = 1 + min(3, int(len(found) ** 0.25 / 4) + dice.randrange(2))
        found["".join(map(_syllable, [dice] * syllables))] = None
    return list(found)


def _syllable(dice: random.Random) -> str:
    return dice.choice(_ONSETS) + dice.choice(_VOWELS) + dice.choice(_CODAS)


def gathered(folder: Path, seed: int) -> Iterator[tuple[str, Article]]:
    """Yield the articles of a folder with "published", then without end others with "mixed".

    Read are the files named articles.jsonl or articles.jsonl.gz below it; without one, all that
    `tanya add` reads. A mixed article has sentences of forty others, shuffled, and an id of its
    own. Raises InputError for a folder without articles.
    """
    named = sorted(p for p in folder.rglob("articles.jsonl*") if p.suffix in (".jsonl", ".gz"))
    files = named or find_files([folder])
    known: set[str] = set()
    for article in _read(files):
        if article.id not in known:
            known.add(article.id)
            yield "published", article
    if not known:
        raise InputError(f"{folder} holds no articles: name a folder of JSONL archives.")
    dice = random.Random(f"campuran {seed}")
    numbers = itertools.count()
    while True:
        some: list[Article] = []
        for article in _read(files):
            some.append(article)
            if len(some) == _MIXED_OF:
                yield from (("mixed", each) for each in _mixed(some, dice, numbers))
                some = []
        yield from (("mixed", each) for each in _mixed(some, dice, numbers))


def _read(files: Sequence[Path]) -> Iterator[Article]:
    for file in files:
        for item in read(file, publisher="", progress=lambda count: None):
            if not isinstance(item, ReadProblem):
                yield item


def _mixed(
    articles: Sequence[Article], dice: random.Random, numbers: Iterator[int]
) -> Iterator[Article]:
    sentences = [a.body[start:end] for a in articles for start, end in text.sentences(a.body)]
    dice.shuffle(sentences)
    for begin in range(0, len(sentences), _MIXED_LENGTH):
        some = sentences[begin : begin + _MIXED_LENGTH]
        yield Article(
            id=f"campuran-{next(numbers):07d}",
            publisher=dice.choice(articles).publisher,
            title=" ".join(some[0].split()[:8]),
            body=" ".join(" ".join(sentence.split()) for sentence in some),
            published=dt.date(2010, 1, 1) + dt.timedelta(dice.randrange(5_800)),
        )


def write(
    folder: Path,
    sizes: Sequence[int],
    articles: Iterator[tuple[str, Article]],
    questions: int,
    *,
    max_tokens: int,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Made:
    """Write articles for archives of so many passages each, MORE articles, and questions.

    A passage is what the product cuts at `max_tokens`, but for lines that a publisher repeats. What
    was written before for the same sizes is kept. Raises InputError for too few to ask about.
    """
    known = _written_before(folder, sizes)
    if known is not None:
        return known
    folder.mkdir(parents=True, exist_ok=True)
    asking = _Asking(questions, asked_of(sizes[0]), seed)
    count, names, files, kinds = 0, [], {}, {}
    tally: Counter[str] = Counter()
    for size in sizes:
        names.append(f"articles-{size}.jsonl")
        with (folder / names[-1]).open("w", encoding="utf-8") as file:
            while count < size:
                kind, article = next(articles)
                passages = len(chunking.passages(article, max_tokens=max_tokens))
                if not passages:
                    continue
                asking.see(article, count)
                count += passages
                tally[kind] += 1
                file.write(_line(article))
                progress(min(count, sizes[-1]), sizes[-1])
        files[size], kinds[size] = list(names), dict(tally)
    with (folder / MORE_FILE).open("w", encoding="utf-8") as file:
        file.writelines(_line(article) for _, article in itertools.islice(articles, MORE))
    asking.write(folder / QUERIES)
    made = Made(files, kinds)
    told = {"sizes": list(sizes), "files": files, "kinds": kinds}
    (folder / WRITTEN_UP).write_text(json.dumps(told), encoding="utf-8")
    return made


def asked_of(size: int) -> int:
    """Return how many passages the questions are about where the smallest size is so large."""
    return min(_ASKED_OF, size)


def _written_before(folder: Path, sizes: Sequence[int]) -> Made | None:
    try:
        told = json.loads((folder / WRITTEN_UP).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if told["sizes"] != list(sizes):
        return None
    return Made(
        {int(size): names for size, names in told["files"].items()},
        {int(size): kinds for size, kinds in told["kinds"].items()},
    )


def _line(article: Article) -> str:
    row = {
        "id": article.id,
        "title": article.title,
        "text": article.body,
        "publisher": article.publisher,
        "url": article.url,
        "date": article.published.isoformat() if article.published else None,
    }
    return json.dumps({k: v for k, v in row.items() if v}, ensure_ascii=False) + "\n"


WARM = 20
"""Questions beyond those that are measured, to warm up with."""


class _Asking:
    """Picks articles to ask about, each as likely as the next, and writes the questions."""

    def __init__(self, questions: int, within: int, seed: int) -> None:
        self._wanted = questions + WARM
        self._within = within
        self._dice = random.Random(f"tanya {seed}")
        self._seen = 0
        self._kept: list[tuple[str, str]] = []

    def see(self, article: Article, before: int) -> None:
        """Consider an article that `before` passages stand in front of."""
        if before >= self._within:
            return
        spans = text.sentences(article.body)[1:]
        fit = [article.body[a:b] for a, b in spans if _fits(article.body[a:b])]
        for sentence in self._dice.sample(fit, min(2, len(fit))):
            self._seen += 1
            pair = (article.id, sentence)
            if len(self._kept) < self._wanted:
                self._kept.append(pair)
            elif (at := self._dice.randrange(self._seen)) < self._wanted:
                self._kept[at] = pair

    def write(self, path: Path) -> None:
        """Write the questions; raises InputError if the articles gave too few."""
        if len(self._kept) < self._wanted:
            raise InputError(
                f"The first articles gave {len(self._kept)} questions, {self._wanted} are needed "
                f"({WARM} to warm up): ask for fewer with --questions, or for larger --sizes."
            )
        self._dice.shuffle(self._kept)
        with path.open("w", encoding="utf-8") as file:
            for number, (article_id, sentence) in enumerate(self._kept):
                opener = _OPENERS[number % len(_OPENERS)]
                row = {
                    "_id": f"q{number}",
                    "text": f"{opener} {self._remembered(sentence)}?",
                    "article": article_id,
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _remembered(self, sentence: str) -> str:
        words = [w.strip(".,;:!?()[]\"'“”‘’") for w in sentence.split()]
        telling = [w for w in words if len(w) > 2 and w.casefold() not in text.STOP_WORDS]
        count = min(len(telling), self._dice.randint(*_TELLING))
        picked = sorted(self._dice.sample(range(len(telling)), count))
        return " ".join(telling[at] for at in picked)


def _fits(sentence: str) -> bool:
    return (
        _SENTENCE[0] <= len(sentence.split()) <= _SENTENCE[1]
        and sum(map(str.isalpha, sentence)) > 30
    )
