"""What the first rows of a file look like, where their names do not say it: told once a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from index.reading import cells
from index.reading.dates import date_of
from index.reading.fields import Plan
from index.reading.inputs import InputFile
from index.records import Article, ReadProblem

_FIRST_ROWS = 50
_COUNT = re.compile(r"\d{1,6}(?:\.0)?")
_LIKE = {"date": "dates", "url": "addresses of pages", "text": "long texts"}


class Looks:
    """Looks at the fields of a file's first rows that were not used."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self.rows = 0
        self.ids: list[object] = []
        self.mapped: set[tuple[str, str]] = set()
        # In how many rows a field holds something, and in how many that looks like a target's.
        self.filled: Counter[str] = Counter()
        self.alike: Counter[tuple[str, str]] = Counter()
        self.unknown: set[str] = set()
        self.missing: Counter[str] = Counter()

    def see(self, plan: Plan, fields: Mapping[str, object], own_id: object, found: object) -> None:
        """Take in a row and what was read of it."""
        self.mapped |= plan.mapped
        if self.rows >= _FIRST_ROWS:
            return
        self.rows += 1
        self.ids.append(own_id)
        self.unknown.update(plan.unknown)
        is_article = isinstance(found, Article)
        self.missing["text"] += not is_article
        self.missing["date"] += not (is_article and found.published)  # type: ignore[attr-defined]
        self.missing["url"] += not (is_article and found.url)  # type: ignore[attr-defined]
        for name in plan.unknown + plan.other:
            value = cells.plain(fields[name])
            if not cells.is_nothing(value):
                self.filled[name] += 1
                self.alike[name, self._looks_like(value)] += 1

    def _looks_like(self, value: object) -> str:
        if isinstance(value, int | float):
            is_time = not isinstance(value, bool) and value >= 1e9
            return "date" if is_time and date_of(value, self.file.today) else ""
        written = str(value).strip()
        if re.match(r"https?://[^/\s]+/\S+$", written):
            return "url"
        if len(written) >= 200 and written.count(" ") >= 20:
            return "text"
        # Five digits may be a postcode or a count.
        if 5 < len(written) <= 60 and date_of(written, self.file.today):
            return "date"
        return ""

    def notes(self) -> Iterator[ReadProblem]:
        """Yield what should be known of the file, each thing once."""
        for (name, target), count in self.alike.items():
            is_most = 2 * count > self.filled[name] and 2 * self.filled[name] > self.rows
            is_missing = 2 * self.missing[target] > self.rows
            if target and is_most and (name in self.unknown or is_missing):
                yield self._note(
                    f"{name!r} holds what looks like {_LIKE[target]} and was not used. If that is "
                    f"what the articles lack, map it: --map {target}={name}."
                )
        for target, name in self.file.columns.mapped:
            if self.rows and (target, name) not in self.mapped:
                yield self._note(f"No row has the column {name!r} of --map {target}={name}.")
        if self._ids_count_rows():
            yield self._note(
                f"The ids look like row numbers ({self.ids[0]}, {self.ids[1]}, ...), which other "
                "files have too; of two articles with one number the later gets an id of its own. "
                "A column of real ids is better: --map id=COLUMN."
            )

    def _ids_count_rows(self) -> bool:
        numbers = [str(each) for each in self.ids]
        if len(numbers) < 2 or not all(map(_COUNT.fullmatch, numbers)):
            return False
        counted = [int(float(number)) for number in numbers]
        return counted[0] <= 1 and counted == [counted[0] + n for n in range(len(counted))]

    def _note(self, reason: str) -> ReadProblem:
        return self.file.problem(reason, note=True)
