"""The neural reader: where a passage answers a question, and whether it does.

Nothing else knows of the model. Its weights, vocabulary and card stand in qa/model.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from index import text
from index.errors import ModelError
from index.records import Hit, Passage, Reading, Span

MODEL = Path(__file__).parent / "model"
QUESTION_PIECES, HEADER_PIECES, PASSAGE_PIECES = 64, 40, 280
"""The most pieces that are read at once of a question, a headline with its date, a passage."""

LONGEST_ANSWER = 40
"""Pieces; longer spans are not looked for."""

ROWS_KEPT = 3000
"""Rows, of some 5 kB with their logits, that are not read a second time: those of 300 questions."""

SENTENCES = 2
"""Of so many sentences of a passage the best answer is kept."""

_BEGIN, _END = 0, 2
_TITLE_CHARACTERS = 200

Floats = npt.NDArray[np.float32]


class Encoded(NamedTuple):
    """A question and a passage as the model reads them.

    `begin` is where the passage stands in `ids`; `offsets` are its pieces' characters in its text.
    """

    ids: list[int]
    begin: int
    offsets: list[tuple[int, int]]


class Encoder:
    """Puts a question and a passage into the model's token ids."""

    def __init__(self, tokenizer: Any) -> None:
        # A question is read with many passages, a headline with each passage of its article.
        self._pieces = functools.lru_cache(1024)(tokenizer.encode)

    @classmethod
    def load(cls, path: Path) -> Encoder:
        """Read a tokenizer file; raises ModelError where it is missing."""
        from tokenizers import Tokenizer

        if not path.is_file():
            raise ModelError(f"{str(path)!r} is missing; restore it.")
        return cls(Tokenizer.from_file(str(path)))

    def count(self, words: str) -> int:
        """Return the number of pieces of a text."""
        return len(self._pieces(words).ids)

    def encode(self, question: str, title: str, day: dt.date | None, passage: str) -> Encoded:
        """Return "<s> question </s></s> title, date </s> passage </s>", each part cut to size."""
        asked = self._pieces(question).ids[:QUESTION_PIECES]
        title = title[:_TITLE_CHARACTERS]
        header = self._pieces(f"{title}, {text.written(day).lower()}" if day else title)
        read = self._pieces(passage)
        ids = [_BEGIN, *asked, _END, _END, *header.ids[:HEADER_PIECES], _END]
        begin = len(ids)
        return Encoded(
            [*ids, *read.ids[:PASSAGE_PIECES], _END], begin, read.offsets[:PASSAGE_PIECES]
        )


class Found(NamedTuple):
    """The best answer in one sentence of a passage: characters of its text, and its score.

    `score` is the mean of the two ends' logits less that of none at all.
    """

    sentence: int
    start: int
    end: int
    score: float


class Reader:
    """Reads passages with the shipped model; safe to use from many threads."""

    def __init__(self, encoder: Encoder, session: Any) -> None:
        self._encoder = encoder
        self._session = session
        # A core a passage is faster than all cores in turn, and people who ask at once share them.
        self._cores = ThreadPoolExecutor(os.cpu_count() or 1, "reader")
        # What many ask at once, what was tried before it is suggested, what is asked again.
        self._known = functools.lru_cache(ROWS_KEPT)(self._row)

    @classmethod
    def load(cls, folder: Path = MODEL) -> Reader:
        """Open the model of a folder; raises ModelError."""
        session = cls.load_session(folder)
        return cls(Encoder.load(folder / "tokenizer.json"), session)

    @staticmethod
    def load_session(folder: Path) -> Any:
        """Open the network of a folder in onnxruntime; raises ModelError."""
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as broken

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_mem_pattern = False  # rows are of all lengths: a plan for each is only kept
        options.log_severity_level = 3
        path = folder / "reader.onnx"
        try:
            return onnxruntime.InferenceSession(
                path.read_bytes(),
                options,
                providers=["CPUExecutionProvider"],
                # The fused norm of onnxruntime 1.32 takes eight times as long as the two it joins.
                disabled_optimizers=["SkipLayerNormFusion"],
            )
        except (OSError, broken.Fail, broken.InvalidProtobuf, broken.InvalidGraph) as error:
            raise ModelError(f"{str(path)!r} cannot be read ({error}); restore it.") from error

    def read(self, question: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
        """Read passages, each with the number of its hit; return a reading for each good sentence.

        The readings come passage by passage, without an order of their own.
        """
        parts = [(hit, page, part) for hit, page in pages for part in self._parts(page)]
        encoded = [
            self._encoder.encode(question, page.title, page.published, part.text)
            for _, page, part in parts
        ]
        readings = []
        for (hit, page, part), read, (spans, verdicts) in zip(
            parts, encoded, self._run([read.ids for read in encoded]), strict=True
        ):
            for found in best_spans(spans, read, part.spans):
                start, end = _in_body(part, found)
                sentence = part.spans[found.sentence]
                readings.append(
                    Reading(hit, page, start, end, sentence, found.score, float(verdicts[0]))
                )
        return readings

    def supports(self, claim: str, shown: str) -> float:
        """Return the logit that a text, of which the first PASSAGE_PIECES count, proves a claim."""
        ids = self._encoder.encode(claim, "", None, shown).ids
        return float(self._run([ids])[0][1][1])

    def _parts(self, page: Passage) -> list[Passage]:
        """Cut a passage that is longer than the model reads between its sentences."""
        if self._encoder.count(page.text) <= PASSAGE_PIECES:
            return [page]
        parts: list[list[int]] = [[]]
        used = 0
        sentences = page.sentences()
        for number, sentence in enumerate(sentences):
            count = self._encoder.count(sentence)
            if parts[-1] and used + count > PASSAGE_PIECES:
                parts.append([])
                used = 0
            parts[-1].append(number)
            used += count
        return [
            replace(
                page,
                spans=tuple(page.spans[n] for n in part),
                text=" ".join(sentences[n] for n in part),
            )
            for part in parts
        ]

    def _run(self, rows: Sequence[list[int]]) -> list[tuple[Floats, Floats]]:
        """Return each row's logits: spans [length, 2] and verdicts [2]; a row to a core."""
        return list(
            self._cores.map(self._known, (np.array(ids, dtype=np.int64).tobytes() for ids in rows))
        )

    def _row(self, row: bytes) -> tuple[Floats, Floats]:
        ids = np.frombuffer(row, dtype=np.int64)
        given = {
            "ids": ids[None, :],
            "mask": np.ones((1, len(ids)), dtype=np.float32),
        }
        spans, verdicts = self._session.run(None, given)
        return spans[0], verdicts[0]


_lock = threading.Lock()


def reader() -> Reader:
    """Return the shipped reader, opened at first use; raises ModelError."""
    with _lock:
        return _opened()


def is_open() -> bool:
    """Tell whether the shipped reader was opened already."""
    return _opened.cache_info().currsize > 0


@functools.cache
def _opened() -> Reader:
    return Reader.load()


def best_spans(spans: Floats, read: Encoded, sentences: Sequence[Span]) -> Iterator[Found]:
    """Yield the best answer in each of the SENTENCES best sentences of a passage.

    `spans` are the logits [length, 2] of the encoded row; no answer goes over a sentence's end.
    """
    pieces = len(read.offsets)
    if not pieces or not sentences:
        return
    none = float(spans[0].sum())
    inside = spans[read.begin : read.begin + pieces]
    ends = np.cumsum([end - start + 1 for start, end in sentences])
    # A piece's first character may be the space before its word, which no sentence holds.
    lasts = np.array([end - 1 for _, end in read.offsets])
    place = np.minimum(np.searchsorted(ends, lasts, side="right"), len(sentences) - 1)
    found = []
    for sentence in dict.fromkeys(place.tolist()):
        these = np.flatnonzero(place == sentence)
        low = int(these[0])
        first, last = inside[these, 0], inside[these, 1]
        both = first[:, None] + last[None]
        count = len(these)
        allowed = np.triu(np.ones((count, count), dtype=np.bool_))
        allowed &= ~np.triu(np.ones((count, count), dtype=np.bool_), LONGEST_ANSWER)
        best = int(np.where(allowed, both, -np.inf).argmax())
        one, other = divmod(best, count)
        start, end = read.offsets[low + one][0], read.offsets[low + other][1]
        found.append(Found(sentence, start, end, (float(both[one, other]) - none) / 2))
    yield from sorted(found, key=lambda one: -one.score)[:SENTENCES]


def _in_body(passage: Passage, found: Found) -> Span:
    """Return the offsets in the archived body of an answer in a passage's text, trimmed."""
    begin = sum(end - start + 1 for start, end in passage.spans[: found.sentence])
    low, high = passage.spans[found.sentence]
    words = passage.text[begin : begin + high - low]
    start, end = trimmed(words, max(found.start - begin, 0), min(found.end - begin, high - low))
    return low + start, low + end


_BRACKETS = ("()", "[]", "“”", "‘’", '""', "''")
_LOOSE = " \t\n,;:.!?-–—/"


def trimmed(words: str, start: int, end: int) -> Span:
    """Move the ends of an answer to whole words, without loose signs or half brackets."""
    while start > 0 and words[start - 1].isalnum() and words[start : start + 1].isalnum():
        start -= 1
    while end < len(words) and words[end].isalnum() and words[end - 1 : end].isalnum():
        end += 1
    moved = True
    while moved and start < end:
        part = words[start:end]
        halves = {sign for pair in _BRACKETS if _odd(part, pair) for sign in pair}
        below_zero = part[0] == "-" and part[1:2].isdigit() and not words[start - 1 : start].strip()
        moved = part[0] in halves or (part[0] in _LOOSE and not below_zero)
        start += moved
        if not moved and (part[-1] in halves or part[-1] in _LOOSE):
            end, moved = end - 1, True
    return start, max(start, end)


def _odd(part: str, pair: str) -> bool:
    left, right = part.count(pair[0]), part.count(pair[1])
    return bool(left % 2) if pair[0] == pair[1] else left != right


def order(hits: Sequence[Hit]) -> list[tuple[int, Passage]]:
    """Return the passages of the hits in the order in which to read them, with their hits' numbers.

    The passages that were found come first, those around them in the best articles next.
    """
    ranked = [
        (rank + _BESIDE * (place != hit.best) + _AWAY * abs(place - hit.best), rank, place)
        for rank, hit in enumerate(hits)
        for place in range(len(hit.passages))
    ]
    return [(rank + 1, hits[rank].passages[place]) for _, rank, place in sorted(ranked)]


_BESIDE, _AWAY = 0.9, 0.25
"""How many places an article's other passages wait, and each step away from the one found."""
