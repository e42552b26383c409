"""Charts of the operator's page: numbers of articles as bars, in the units of their SVG."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from page import texts

DAYS = 60
_MOST_MONTHS = 240

# A bar stands in a column of ten units, in a chart that is a hundred high.
_COLUMN, _BAR, _HEIGHT = 10.0, 8.0, 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its left edge, top and height, and the days and articles that it stands for."""

    x: float
    y: float
    height: float
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one width beside each other, oldest first; `most` is what the highest stands for."""

    title: str
    heard: str
    bars: Sequence[Bar]
    most: int
    bar_width: float = _BAR
    height: float = _HEIGHT

    @property
    def width(self) -> float:
        """Return its width."""
        return _COLUMN * len(self.bars)


def charts(days: Mapping[dt.date, int]) -> list[Chart]:
    """Return the articles by month, and by day of the last sixty days that there are."""
    if not days:
        return []
    last = max(days)
    months: Counter[dt.date] = Counter()
    for day, count in days.items():
        months[day.replace(day=1)] += count
    ends = _months(min(months), max(months))
    by_month = [(texts.month_words(month), months[month]) for month in ends]
    span = [last - dt.timedelta(days=back) for back in reversed(range(DAYS))]
    by_day = [(texts.date_words(day), days.get(day, 0)) for day in span]
    return [
        _chart(texts.BY_MONTH, by_month),
        _chart(texts.BY_DAY.format(texts.date_words(last)), by_day),
    ]


def _months(first: dt.date, last: dt.date) -> list[dt.date]:
    numbers = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    return [dt.date(number // 12, number % 12 + 1, 1) for number in numbers[-_MOST_MONTHS:]]


def _chart(title: str, counted: Iterable[tuple[str, int]]) -> Chart:
    found = list(counted)
    words, most = max(found, key=lambda each: each[1])
    bars = []
    for number, (label, count) in enumerate(found):
        # Few are still seen beside many.
        height = max(_HEIGHT * count / most, 1.0) if count else 0.0
        x = _COLUMN * number + (_COLUMN - _BAR) / 2
        bars.append(Bar(x, round(_HEIGHT - height, 2), round(height, 2), label, count))
    heard = texts.CHART_HEARD.format(title, texts.number_words(most), words)
    return Chart(title, heard, bars, most)
