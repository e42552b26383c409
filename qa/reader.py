"""The neural reader: where a passage answers a question, and whether it does.

Nothing else knows of the model. Its weights, vocabulary and card stand in qa/model.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, NamedTuple

from index import text

QUESTION_PIECES, HEADER_PIECES, PASSAGE_PIECES = 48, 40, 280
"""The most pieces that are read of a question, of a headline with its date, of a passage."""

_BEGIN, _END = 0, 2


class Encoded(NamedTuple):
    """A question and a passage as the model reads them.

    `begin` is where the passage stands in `ids`; `offsets` are its pieces' characters in its text.
    """

    ids: list[int]
    begin: int
    offsets: list[tuple[int, int]]


class Encoder:
    """Puts a question (or a claim) and a passage into the model's token ids."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, path: Path) -> Encoder:
        """Read a tokenizer file."""
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_file(str(path)))

    def encode(self, question: str, title: str, day: dt.date | None, passage: str) -> Encoded:
        """Return "<s> question </s></s> title, date </s> passage </s>", each part cut to size."""
        asked = self._tokenizer.encode(question).ids[:QUESTION_PIECES]
        written = f"{day.day} {text.MONTHS[day.month - 1]} {day.year}" if day else ""
        header = self._tokenizer.encode(f"{title[:200]}, {written}" if written else title[:200])
        read = self._tokenizer.encode(passage)
        ids = [_BEGIN, *asked, _END, _END, *header.ids[:HEADER_PIECES], _END]
        begin = len(ids)
        return Encoded(
            [*ids, *read.ids[:PASSAGE_PIECES], _END], begin, read.offsets[:PASSAGE_PIECES]
        )
