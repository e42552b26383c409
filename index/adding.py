"""What `tanya add` reads: the files as the settings say, and what there is to tell of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from index.archive import AddReport, Archive
from index.reading.dates import ZONES
from index.reading.fields import Columns
from index.reading.files import Passed, Progress, read
from index.reading.inputs import Outcome
from index.records import Article, ReadProblem
from index.settings import AddSettings

Reader = Callable[..., Iterator[Outcome]]
"""Reads a file; takes `progress` and `passed` by name, as `index.reading.files.read` does."""


def reader(chosen: AddSettings, publisher: str = "", column_map: Sequence[str] = ()) -> Reader:
    """Return what reads a file as the settings and a command's options say.

    Of two maps for a target the first is tried first, so that a command's goes before the
    settings'. Raises InputError for a map that is none.
    """
    columns = Columns.parse([*column_map, *chosen.map])
    return partial(read, publisher=publisher, columns=columns, zone=ZONES[chosen.timezone])


@dataclass(slots=True)
class Intake:
    """What was read on the way to the archive: problems, notes, and articles that lack something.

    `undated` articles cannot be found by a date, `unnamed` ones not by a publisher. `passed` are
    the files that were passed over, `added` is what the archive has of the rest by now.
    """

    problems: list[ReadProblem] = field(default_factory=list)
    notes: list[ReadProblem] = field(default_factory=list)
    undated: int = 0
    unnamed: int = 0
    passed: Passed = field(default_factory=Counter)
    added: AddReport = field(default_factory=AddReport)

    def add(
        self,
        archive: Archive,
        files: Sequence[Path],
        read_file: Reader,
        now: dt.datetime,
        progress: Progress,
    ) -> Iterator[AddReport]:
        """Add the articles of files; yield the report so far after each transaction.

        `progress` gets the bytes read since its last call.
        """
        read_file = partial(read_file, progress=progress, passed=self.passed)
        for report in archive.add(self.articles(files, read_file), now):
            self.added = report
            yield report

    def articles(self, files: Sequence[Path], read_file: Reader) -> Iterator[Article]:
        """Yield the articles of the files, and note all else."""
        for file in files:
            for outcome in read_file(file):
                if isinstance(outcome, ReadProblem):
                    (self.notes if outcome.note else self.problems).append(outcome)
                    continue
                self.undated += outcome.published is None
                self.unnamed += not outcome.publisher
                yield outcome
