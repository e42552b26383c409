"""Dates in a question: from Indonesian words to the days that they name, counted from `today`."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from index.text import month_numbers


@dataclass(frozen=True, slots=True)
class When:
    """Days that a question names, both ends inclusive; None is open.

    The words stand at [start, end) of the question. A `relative` one ("minggu lalu") depends on
    the day of asking.
    """

    after: dt.date | None
    before: dt.date | None
    start: int
    end: int
    relative: bool = False


# 1 Syawal as the government of Indonesia fixed it; from 2027 on as its calendar foresees it.
LEBARAN = {
    day.year: day
    for day in map(
        dt.date.fromisoformat,
        "2007-10-13 2008-10-01 2009-09-20 2010-09-10 2011-08-31 2012-08-19 2013-08-08 2014-07-28 "
        "2015-07-17 2016-07-06 2017-06-25 2018-06-15 2019-06-05 2020-05-24 2021-05-13 2022-05-02 "
        "2023-04-22 2024-04-10 2025-03-31 2026-03-21 2027-03-10 2028-02-27 2029-02-15 "
        "2030-02-05".split(),
    )
}
_SEASON = dt.timedelta(days=7)
"""A feast is reported on from a week before to a week after."""

Days = tuple[dt.date, dt.date]
_DAY = dt.timedelta(days=1)
_NUMBERS = {
    word: number
    for number, word in enumerate(
        "satu dua tiga empat lima enam tujuh delapan sembilan sepuluh".split(), start=1
    )
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate("senin selasa rabu kamis jumat|jum'at sabtu ahad".split())
    for name in names.split("|")
}
_ORDINALS = {"pertama": 1, "kedua": 2, "ketiga": 3, "keempat": 4, "terakhir": 0}

_MONTHS = month_numbers()
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>(?:19|20)\d\d)(?![\d.,]*\d|%|\w|-an\b)"
_COUNT = rf"(?P<count>\d{{1,3}}|se(?=\w)|{'|'.join(_NUMBERS)})"
# A bare year must not be a count or a part of something else: "2019 orang", "Rp 2019", "B-2019".
_NO_YEAR = r"(?<![\d\w.,/\-–])(?<!rp )(?<!rp\. )(?<!nomor )(?<!no\. )(?<!no )(?<!pasal )"
_UNITS = (
    r"(?!\s*(?:orang|rumah|meter|kilometer|km|kg|kilogram|ton|hektare|hektar|unit|kios|warga|jiwa|"
    r"kasus|buah|ekor|lembar|persen|penumpang|penonton|peserta|rupiah|dolar|juta|ribu|miliar|"
    r"triliun|kali|jam|hari|menit|titik|kepala keluarga|kk|siswa|pelajar|mahasiswa)\b)"
)


def of_months(year: int, first: int | None = None, last: int | None = None) -> Days:
    """Return the first and the last day of a year, of one of its months, or of several."""
    begin, end = (1, 12) if first is None else (first, last or first)
    return dt.date(year, begin, 1), dt.date(year, end, calendar.monthrange(year, end)[1])


def without(words: str, found: Sequence[When]) -> str:
    """Return words without the dates that were found in them, in order."""
    for when in reversed(found):
        words = f"{words[: when.start]} {words[when.end :]}"
    return words


def _back(today: dt.date, months: int) -> tuple[int, int]:
    """Return the year and month that many months before today's."""
    count = today.year * 12 + today.month - 1 - months
    return count // 12, count % 12 + 1


def _week(day: dt.date, back: int = 0) -> Days:
    monday = day - dt.timedelta(days=day.weekday() + 7 * back)
    return monday, monday + 6 * _DAY


# What stands alone as a date ---------------------------------------------------------------------

_Match = re.Match[str]


def _full(m: _Match, _: dt.date) -> Days:
    day = dt.date(int(m["y"]), _month_of(m["m"]), int(m["d"]))
    return (_first_of(m, day) if m["d0"] else day), day


def _first_of(m: _Match, last: dt.date) -> dt.date:
    """Return the first day of a span that ends with `last`: "25" or "28 April" before "3 Mei"."""
    month = _month_of(m["m0"]) if m["m0"] else last.month
    return dt.date(last.year - (month > last.month), month, int(m["d0"]))


def _of_no_year(m: _Match, today: dt.date) -> Days:
    """Read days of a month without a year as the last such days."""
    month, day = _month_of(m["m"]), int(m["d"])
    last = dt.date(today.year - ((month, day) > (today.month, today.day)), month, day)
    return (_first_of(m, last) if m["d0"] else last), last


def _numeric(m: _Match, _: dt.date) -> Days:
    year = int(m["y"])
    day = dt.date(year + 2000 if year < 100 else year, int(m["m"]), int(m["d"]))
    return day, day


def _month_of(word: str) -> int:
    return _MONTHS[word.lower().rstrip(".")]


def _month_year(m: _Match, _: dt.date) -> Days:
    month = _month_of(m["m"])
    first, last = of_months(int(m["year"]), _month_of(m["m0"]) if m["m0"] else month, month)
    if m["part"]:
        bounds = {"awal": (1, 10), "pertengahan": (11, 20), "akhir": (21, last.day)}
        begin, end = bounds[m["part"].lower()]
        return first.replace(day=begin), last.replace(day=end)
    return first, last


def _plain_year(m: _Match, _: dt.date) -> Days:
    year = int(m["year"])
    if m["y0"]:
        return dt.date(int(m["y0"]), 1, 1), dt.date(year, 12, 31)
    if not m["part"]:
        return of_months(year)
    thirds = {"awal": (1, 4), "pertengahan": (5, 8), "akhir": (9, 12)}
    return of_months(year, *thirds[m["part"].lower()])


def _week_of_month(m: _Match, _: dt.date) -> Days:
    first, last = of_months(int(m["year"]), _month_of(m["m"]))
    number = _ORDINALS[m["nth"].lower()]
    if number == 0:
        return last - 6 * _DAY, last
    begin = first + (number - 1) * 7 * _DAY
    return begin, begin + 6 * _DAY


def _feast(m: _Match, _: dt.date) -> Days:
    year = int(m["year"])
    if m["feast"].lower() == "natal":
        day = dt.date(year, 12, 25)
    else:
        day = LEBARAN[year]
    if m["feast"].lower() in ("ramadan", "ramadhan", "puasa"):
        return day - 30 * _DAY, day - _DAY
    return day - _SEASON, day + _SEASON


_PART = r"(?:(?P<part>awal|pertengahan|akhir)\s+)?"
_TO = r"\s*(?:-|–|\bsampai(?:\s+dengan)?|\bhingga|\bs\.?d\.?)\s*"
_FROM = rf"(?:(?P<d0>\d{{1,2}})(?:\s+(?P<m0>{_NAMES}))?(?:{_TO}|\s+dan\s+)(?:tanggal\s+)?(?=\d))"
_ABSOLUTE: tuple[tuple[re.Pattern[str], Callable[[_Match, dt.date], Days]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (
            rf"(?<!\d)(?:tanggal\s+)?{_FROM}?"
            rf"(?P<d>\d{{1,2}})[\s-]+(?P<m>{_NAMES})\b\.?,?[\s-]+(?:tahun\s+)?(?P<y>\d{{4}})(?!\d)",
            _full,
        ),
        # Without a year only where it is plain that days are meant.
        (rf"(?<!\d){_FROM}(?P<d>\d{{1,2}})\s+(?P<m>{_NAMES})\b(?!\s*\d)", _of_no_year),
        (rf"\btanggal\s+(?P<d>\d{{1,2}})\s+(?P<m>{_NAMES})\b(?P<d0>)(?!\s*\d)", _of_no_year),
        (
            r"(?<![\d/])(?:tanggal\s+)?(?P<d>\d{1,2})[/-](?P<m>\d{1,2})[/-]"
            r"(?P<y>(?:19|20)\d\d|\d\d)(?![\d/])",
            _numeric,
        ),
        (r"(?<!\d)(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)", _numeric),
        (
            r"\b(?:pekan|minggu)\s+(?P<nth>pertama|kedua|ketiga|keempat|terakhir)\s+(?:di\s+|pada\s+)?"
            rf"(?:bulan\s+)?(?P<m>{_NAMES})\s+(?:tahun\s+)?{_YEAR}",
            _week_of_month,
        ),
        (
            r"\b(?:hari\s+raya\s+|libur\s+|mudik\s+|musim\s+)*(?P<feast>lebaran|id[ul]*\s*fitri|natal|"
            rf"ramadh?an|puasa)\s+(?:tahun\s+)?{_YEAR}",
            _feast,
        ),
        (
            rf"\b{_PART}(?:bulan\s+)?(?:(?P<m0>{_NAMES})(?:{_TO}|\s+dan\s+)(?:bulan\s+)?)?"
            rf"(?P<m>{_NAMES})\s+(?:tahun\s+)?{_YEAR}",
            _month_year,
        ),
        (
            rf"{_NO_YEAR}\b{_PART}(?:tahun\s+)?"
            rf"(?:(?P<y0>(?:19|20)\d\d)\s*(?:-|–|sampai|hingga)\s*)?{_YEAR}{_UNITS}",
            _plain_year,
        ),
    )
)

_RELATIVE_WORDS = re.compile(
    r"\b(?:(?P<day>hari\s+ini|kemarin\s+lusa|kemarin|semalam|tadi\s+(?:malam|pagi|siang|sore))"
    r"|(?P<end>awal|pertengahan|akhir)\s+(?P<of>minggu|pekan|bulan|tahun)\s+"
    r"(?P<when>ini|lalu|kemarin|yang\s+lalu)"
    r"|(?P<few>beberapa|sejumlah)\s+(?P<fewer>hari|minggu|pekan|bulan|tahun)\s+"
    r"(?:terakhir|ini|belakangan|ke\s+belakang)(?:\s+ini)?"
    r"|(?P<unit>minggu|pekan|bulan|tahun)\s+(?P<which>ini|lalu|kemarin|yang\s+lalu)"
    rf"|(?:dalam\s+|selama\s+)?{_COUNT}\s*(?P<units>hari|minggu|pekan|bulan|tahun)\s+"
    r"(?P<how>terakhir(?:\s+ini)?|belakangan(?:\s+ini)?|ke\s+belakang|(?:yang\s+)?lalu)"
    rf"|(?:(?P<d>\d{{1,2}})\s+)?(?:bulan\s+)?(?P<m>{_NAMES})\s+(?P<mwhich>lalu|ini|kemarin|"
    r"tahun\s+(?:lalu|ini))"
    rf"|(?:hari\s+)?(?P<weekday>{'|'.join(_WEEKDAYS)})\s+(?:lalu|kemarin))\b(?!\s*\d)",
    re.IGNORECASE,
)


def _relative(m: _Match, today: dt.date) -> Days:
    if m["day"]:
        word = " ".join(m["day"].lower().split())
        days = {"hari ini": 0, "kemarin": 1, "semalam": 1, "tadi malam": 1, "kemarin lusa": 2}
        day = today - days.get(word, 0) * _DAY
        return day, day
    if m["end"]:
        unit, back = m["of"].lower(), 0 if m["when"].lower() == "ini" else 1
        return _part_of(*_span_back(unit, back, today), m["end"].lower())
    if m["few"]:
        return _since(m["fewer"].lower(), _FEW, today), today
    if m["unit"]:
        return _span_back(m["unit"].lower(), 0 if m["which"].lower() == "ini" else 1, today)
    if m["units"]:
        said = m["count"].lower()
        count = 1 if said == "se" else _NUMBERS.get(said) or int(said)
        if m["how"].lower().endswith("lalu"):
            return _span_back(m["units"].lower(), count, today)
        return _since(m["units"].lower(), count, today), today
    if m["weekday"]:
        back = (today.weekday() - _WEEKDAYS[m["weekday"].lower()] - 1) % 7 + 1
        return today - back * _DAY, today - back * _DAY
    return _named_month(m, today)


_FEW = 4
"""What "beberapa hari" is taken for, so many and no more."""


def _part_of(first: dt.date, last: dt.date, part: str) -> Days:
    """Return the beginning, the middle or the end of a span; of a week the end is its weekend."""
    days = (last - first).days + 1
    third = days / 3
    if part == "awal":
        return first, first + (round(third) - 1) * _DAY
    if part == "akhir":
        return last - (round(third) - 1) * _DAY, last
    return first + round(third) * _DAY, last - round(third) * _DAY


def _span_back(unit: str, count: int, today: dt.date) -> Days:
    """Return the whole calendar day, week, month or year that many of them before today's."""
    if unit == "hari":
        return today - count * _DAY, today - count * _DAY
    if unit in ("minggu", "pekan"):
        return _week(today, count)
    if unit == "bulan":
        return of_months(*_back(today, count))
    return of_months(today.year - count)


def _since(unit: str, count: int, today: dt.date) -> dt.date:
    if unit == "bulan" or unit == "tahun":
        year, month = _back(today, count * (12 if unit == "tahun" else 1))
        return dt.date(year, month, min(today.day, calendar.monthrange(year, month)[1]))
    return today - count * (1 if unit == "hari" else 7) * _DAY


def _named_month(m: _Match, today: dt.date) -> Days:
    month = _month_of(m["m"])
    which = " ".join(m["mwhich"].lower().split())
    year = today.year - (which == "tahun lalu")
    if which in ("lalu", "kemarin") and month >= today.month:
        year -= 1
    if m["d"]:
        day = dt.date(year, month, int(m["d"]))
        return day, day
    return of_months(year, month)


# Dates joined to spans ---------------------------------------------------------------------------

_RANGE = re.compile(
    r"\b(?:sampai|hingga|dan)\b|s\.?d\.?\s|\d{1,2}\s*[-–]\s*\d{1,2}\s+[a-z]|\d{4}\s*[-–]\s*\d{4}",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*(?:(dan)|sampai(?:\s+dengan)?|hingga|s\.?d\.?|-|–|ke)\s*", re.IGNORECASE)
_LEAD = re.compile(
    r"\b(?:(?P<since>sejak|mulai(?:\s+dari)?|dari)|(?P<later>setelah|sesudah|selepas|pasca)"
    r"|(?P<until>sampai(?:\s+dengan)?|hingga)|(?P<earlier>sebelum)|(?P<between>antara)"
    r"|pada|di|selama|dalam|per|untuk)\s+(?:tahun\s+|bulan\s+|tanggal\s+|hari\s+)?$",
    re.IGNORECASE,
)


def dates(question: str, today: dt.date) -> list[When]:
    """Return the dates and spans of days that a question names, in order."""
    found = sorted(_found(question, today), key=lambda w: (w.start, -w.end))
    apart: list[When] = []
    for when in found:
        if not apart or when.start >= apart[-1].end:
            apart.append(when)
    return [_with_lead(question, when, span) for when, span in _joined(question, apart)]


def _found(question: str, today: dt.date) -> Iterator[When]:
    for pattern, read in (*_ABSOLUTE, (_RELATIVE_WORDS, _relative)):
        relative = read is _relative
        for match in pattern.finditer(question):
            # A law's year is a part of its name.
            law = re.search(r"(nomor|no\.?)\s*\d+\s*$", question[: match.start()], re.IGNORECASE)
            try:
                first, last = read(match, today)
            except (ValueError, KeyError, OverflowError):
                continue
            if relative or not law:
                yield When(first, last, *match.span(), relative)


def _joined(question: str, apart: list[When]) -> list[tuple[When, bool]]:
    """Join two dates that are the ends of one span; tell of each whether it was joined."""
    joined: list[tuple[When, bool]] = []
    for when in apart:
        first = joined[-1][0] if joined else None
        between = _JOINED.fullmatch(question[first.end : when.start]) if first else None
        if first and between and first.after and when.after and first.after <= when.after:
            lead = _LEAD.search(question[: first.start])
            if not between[1] or (lead and lead["between"]):
                both = first.relative or when.relative
                span = When(first.after, when.before, first.start, when.end, both)
                joined[-1] = (span, True)
                continue
        joined.append((when, False))
    return joined


def _with_lead(question: str, when: When, span: bool) -> When:
    """Take in the words before a date; "sejak", "sebelum" and the like open one of its ends."""
    lead = _LEAD.search(question[: when.start])
    if not lead:
        return when
    span = span or bool(_RANGE.search(question[when.start : when.end]))
    when = replace(when, start=lead.start())
    if span:
        return when
    if lead["since"]:
        return replace(when, before=None)
    if lead["later"] and when.before:
        return replace(when, after=when.before + _DAY, before=None)
    if lead["until"]:
        return replace(when, after=None)
    if lead["earlier"] and when.after:
        return replace(when, after=None, before=when.after - _DAY)
    return when
