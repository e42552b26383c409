"""What was asked and not answered, gathered by subject: what the archive lacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from index.text import query_stems
from qa.question.small_talk import small_talk


class Asked(NamedTuple):
    """A question as it was understood, when it was asked, and how the version answered it."""

    when: dt.datetime
    question: str
    status: str
    version: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask the same and got no answer: the newest in words, and how many."""

    question: str
    count: int
    newest: dt.datetime
    version: str


def gaps(asked: Iterable[Asked]) -> list[Gap]:
    """Return what no answer was found to, newest first.

    Questions of the same stems count as one. What was answered later is left out: the archive has
    it by now. Small talk asks nothing.
    """
    found: dict[frozenset[str], Gap] = {}
    for each in sorted(asked, key=lambda each: each.when):
        if small_talk(each.question):
            continue
        key = frozenset(query_stems(each.question))
        before = found.pop(key, None)
        if each.status != "answered":
            count = before.count + 1 if before else 1
            found[key] = Gap(each.question, count, each.when, each.version)
    return list(reversed(found.values()))
