"""What may train the bundled models, what only judges them, and how texts are cut.

The licences of the data decide: only the rows that this module calls training texts reach a model.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

NEWS_THAT_MAY_TRAIN = frozenset({"click_id", "indosum_dev"})
PASSAGE_WORDS = 110
SHINGLE = 8
"""So many words in a row that stand in two texts make them copies of each other."""

_SENTENCE_END = re.compile(r"""(?<=[.!?])["”’')\]]*\s+(?=["“‘'(\[]*[A-Z0-9])|\n+""")
_SENTENCE_END_LOWER = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"\w+")


class Text(NamedTuple):
    """A title ("" where there is none) and the text below it."""

    id: str
    title: str
    text: str


class Question(NamedTuple):
    """A question and the passage that answers it."""

    id: str
    text: str
    passage_id: str


class QuestionSet(NamedTuple):
    """Questions with the passages that they are asked over."""

    questions: list[Question]
    passages: list[Text]


def rows(path: Path) -> Iterator[dict]:
    """Yield the rows of a gzipped JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def texts(path: Path, datasets: frozenset[str] | None = None) -> Iterator[Text]:
    """Yield the texts of a file, only those of `datasets` if given."""
    for row in rows(path):
        if datasets is None or row["dataset"] in datasets:
            yield Text(row["id"], row.get("title") or "", row["text"])


def question_set(folder: Path, prefix: str = "") -> QuestionSet:
    """Read a folder of questions, only the answerable ones, with all its passages."""
    questions = [
        Question(row["id"], " ".join(row["question"].split()), row["passage_id"])
        for row in rows(folder / f"{prefix}qa.jsonl.gz")
        if row["answerable"]
    ]
    return QuestionSet(questions, list(texts(folder / f"{prefix}passages.jsonl.gz")))


def held_out(passage_id: str) -> bool:
    """Tell whether a training passage is one of the tenth kept for choosing settings."""
    return zlib.crc32(passage_id.encode()) % 10 == 0


def split_held_out(whole: QuestionSet) -> tuple[QuestionSet, QuestionSet]:
    """Return (for training, held out), cut by passage."""
    halves = []
    for wanted in (False, True):
        halves.append(
            QuestionSet(
                [q for q in whole.questions if held_out(q.passage_id) is wanted],
                [p for p in whole.passages if held_out(p.id) is wanted],
            )
        )
    return halves[0], halves[1]


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text."""
    return _WORD.findall(text.lower())


def shingles(text: str) -> list[int]:
    """Return a hash for every run of SHINGLE words of a text."""
    parts = words(text)
    return [hash(tuple(parts[i : i + SHINGLE])) for i in range(len(parts) - SHINGLE + 1)]


class Judged:
    """The passages that judge the models, so that no copy of them trains one."""

    def __init__(self, passages: Iterable[Text]) -> None:
        self.all: set[int] = set()
        self.openings: set[int] = set()
        for passage in passages:
            found = shingles(passage.text)
            self.all.update(found)
            self.openings.update(found[:1])

    def copies(self, text: str) -> bool:
        """Tell whether a text opens inside a judged passage, or holds the opening of one."""
        found = shingles(text)
        return bool(found) and (found[0] in self.all or not self.openings.isdisjoint(found))


def judged(data: Path) -> Judged:
    """Read every passage that no training text may copy."""
    passages = question_set(data / "facqa_dev").passages
    passages += question_set(data / "idk_mrc", "valid_").passages
    passages += split_held_out(question_set(data / "idk_mrc", "train_"))[1].passages
    return Judged(passages)


def training_news(data: Path, kept_out: Judged) -> Iterator[Text]:
    """Yield the news articles that may train a shipped model."""
    for text in texts(data / "news" / "articles.jsonl.gz", NEWS_THAT_MAY_TRAIN):
        if not kept_out.copies(text.text):
            yield text


def training_leads(
    data: Path, kept_out: Judged, least: int = 0, alike: int = 1 << 30
) -> Iterator[Text]:
    """Yield Wikipedia leads of `least` words or more, at most `alike` of one wording.

    Bots wrote hundreds of thousands of leads: two have one wording when their first words that
    are neither a name nor a number are the same.
    """
    seen: Counter[str] = Counter()
    for text in texts(data / "wiki_leads" / "articles.jsonl.gz"):
        parts = text.text.split()
        if len(parts) < least or kept_out.copies(text.text):
            continue
        wording = " ".join([w for w in parts[:40] if w.islower()][:6])
        seen[wording] += 1
        if seen[wording] <= alike:
            yield text


def entailed(data: Path) -> Iterator[tuple[str, str]]:
    """Yield (sentence, text that supports it) of IndoNLI, its training part only."""
    for row in rows(data / "indonli" / "pairs.jsonl.gz"):
        if row["label"] == "e" and row["split"] == "train":
            yield row["hypothesis"], row["premise"]


def sentences(text: str) -> list[str]:
    """Cut a text into sentences, roughly."""
    ends = _SENTENCE_END_LOWER if text.islower() else _SENTENCE_END
    return [" ".join(part.split()) for part in ends.split(text) if part.strip()]


def cut(text: str, most: int = PASSAGE_WORDS) -> list[list[str]]:
    """Pack a text's sentences into passages of at most `most` words (a longer sentence alone)."""
    passages: list[list[str]] = []
    size = most + 1
    for sentence in sentences(text):
        length = len(sentence.split())
        if size + length > most:
            passages.append([])
            size = 0
        passages[-1].append(sentence)
        size += length
    return passages
