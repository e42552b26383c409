"""Known-item questions from any archive: a person half remembers a sentence and looks for it.

The words come from the article, so such a set tells a better retrieval from a worse one on this
archive; it favours the lexical search over what people ask in words of their own.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval import questions as sets
from eval.questions import Question
from index import clean, text
from index.archive import BATCH, Archive
from index.errors import InputError
from index.records import Article

SHORTEST, LONGEST = 8, 32
"""Words of a sentence that a question is made of."""

FEWEST, MOST = 4, 6
"""Words of a question."""

_COUNTED = 5_000
"""Articles that tell how common a word is."""

_COMMON = 0.1
"""Share of the articles from which a word is too common to be remembered."""

_LEAD = 2
"""First sentences left alone: they say what the headline says, which is searched too."""

_RUN = 3
"""Words in a row that a question may not share with the article."""

_TELLING = 3
"""Rarest words of a sentence, of which a question has at least one."""

_SPARE = 2
"""So many times the questions wanted are made, since some fit other stories as well."""

_TRIES = 20
_WHOLE = re.compile(r"^[^\W_a-z].*[.!?][\"”’')]*$", re.DOTALL)
_WORD = re.compile(r"\w[\w.,/-]*\w|\w")


@dataclass(frozen=True, slots=True)
class _Item:
    """A question with its story; `probe` are the words that must not all stand elsewhere."""

    text: str
    sentence: str
    article_id: str
    story_id: str
    probe: tuple[str, ...]


def make(
    archive: Archive,
    out: Path,
    *,
    questions: int = 500,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write a set of at most `questions` known-item questions to `out`; return their number.

    A question is four to six words of one later sentence of an article picked by `seed`, in
    another order, so that no three words in a row are the article's.
    Relevant are the article and its whole story; the sentence is the answer to show. A question
    whose words all stand in an article of another story is left out. Raises InputError if the
    archive holds nothing to ask about.
    """
    ids = sorted(archive.fingerprints())
    random.Random(f"{seed}").shuffle(ids)
    rarity = _rarity(archive, ids[:_COUNTED])
    items: dict[str, _Item] = {}
    for article in _articles(archive, ids):
        if len(items) >= _SPARE * questions:
            break
        if article.story_id not in items:
            item = _item(article, archive, rarity, random.Random(f"{seed} {article.id}"))
            if item:
                items[article.story_id] = item
    stories = _unique(archive, ids, items, progress)
    chosen = [item for item in items.values() if item.story_id in stories][:questions]
    if not chosen:
        raise InputError(
            "The archive holds no article to make a question of: add articles of several sentences."
        )
    asked = [
        Question(f"known-{number:04d}", item.text, (item.sentence,))
        for number, item in enumerate(chosen, start=1)
    ]
    relevant = {
        question.id: dict.fromkeys(stories[item.story_id], 1)
        for question, item in zip(asked, chosen, strict=True)
    }
    sets.write(out, asked, relevant)
    return len(asked)


def _articles(archive: Archive, ids: Sequence[str]) -> Iterator[Article]:
    for begin in range(0, len(ids), BATCH):
        yield from (article for article, _ in archive.articles(ids[begin : begin + BATCH]))


def _rarity(archive: Archive, ids: Sequence[str]) -> Callable[[str], float]:
    """Return a word's inverse document frequency by these articles."""
    counts: Counter[str] = Counter()
    for article in _articles(archive, ids):
        counts.update(set(text.words(article.body)))
    return lambda word: math.log((len(ids) + 1) / (counts[word] + 1))


def _item(
    article: Article, archive: Archive, rarity: Callable[[str], float], rng: random.Random
) -> _Item | None:
    """Make a question of one sentence of the article, or None if none serves."""
    repeated = archive.repeated_lines(article.publisher)
    kept = clean.kept_spans(article.body, title=article.title, repeated=repeated)
    # A kept span holds a line break only where a scraper broke a sentence.
    body = article.body.replace("\n", " ")
    sentences = [
        body[start:end] for begin, stop in kept for start, end in text.sentences(body, begin, stop)
    ]
    later = sentences[_LEAD:]
    rng.shuffle(later)
    headline = set(text.stems(article.title))
    runs = _runs(text.words(f"{article.title}\n{article.body}"))
    for sentence in later:
        if sentences.count(sentence) == 1 and _serves(sentence):
            found = _shorten(sentence, headline, runs, rarity, rng)
            if found:
                probe = tuple(sorted(set(text.words(found)), key=lambda w: (-rarity(w), w)))
                return _Item(found, sentence, article.id, article.story_id, probe)
    return None


def _serves(sentence: str) -> bool:
    """Tell whether this is a whole sentence of news of a fair length."""
    count = len(text.words(sentence))
    return (
        SHORTEST <= count <= LONGEST
        and _WHOLE.match(sentence) is not None
        and not clean.is_boilerplate(sentence)
        and sum(map(str.isalpha, sentence)) >= 0.7 * len(sentence)
    )


def _shorten(
    sentence: str,
    headline: set[str],
    runs: set[tuple[str, ...]],
    rarity: Callable[[str], float],
    rng: random.Random,
) -> str:
    """Return some telling words of a sentence in another order; "" if it has too few.

    At least one of them is not in the headline; none is common, and none a bare number, which
    nobody remembers.
    """
    words = {
        word: rarity(key)
        for word in dict.fromkeys(_WORD.findall(sentence))
        if len(key := "".join(text.words(word))) > 2
        and key.isalpha()
        and key not in text.STOP_WORDS
        and key not in text.QUESTION_WORDS
        and rarity(key) > -math.log(_COMMON)
    }
    if len(words) < FEWEST + 1:
        return ""
    by_rarity = sorted(words, key=lambda word: (-words[word], word))
    size = rng.randint(FEWEST, min(MOST, len(words) - 1))
    telling = rng.choice(by_rarity[:_TELLING])
    rest = [word for word in by_rarity if word != telling]
    chosen = [telling, *rng.sample(rest, size - 1)]
    if {stem for word in chosen for stem in text.stems(word)} <= headline:
        return ""
    for _ in range(_TRIES):
        rng.shuffle(chosen)
        asked = " ".join(chosen)
        if not _runs(text.words(asked)) & runs:
            return asked.lower()
    return ""


def _runs(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}


def _unique(
    archive: Archive,
    ids: Sequence[str],
    items: dict[str, _Item],
    progress: Callable[[int, int], None],
) -> dict[str, list[str]]:
    """Return the articles of each story whose question fits no other story, in order of id."""
    by_word: dict[str, list[_Item]] = {}
    for item in items.values():
        by_word.setdefault(item.probe[0], []).append(item)
    stories: dict[str, list[str]] = {story: [] for story in items}
    for done, article in enumerate(_articles(archive, ids), start=1):
        if article.story_id in stories:
            stories[article.story_id].append(article.id)
        words = set(text.words(f"{article.title}\n{article.body}"))
        for word in by_word.keys() & words:
            for item in by_word[word]:
                if item.story_id != article.story_id and words.issuperset(item.probe):
                    stories.pop(item.story_id, None)
        if done % BATCH == 0:
            progress(done, len(ids))
    return {story: sorted(articles) for story, articles in stories.items()}
