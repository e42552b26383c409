"""Dates as publishers write them: in rows, in lines of a page, in URLs; numbers and words.

Patterns read the usual forms, for an archive has a million dates and dateparser takes a hundred
times as long; it reads what is left.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import NamedTuple

from index.text import month_numbers

_MONTHS = month_numbers(published=True)
_MONTH_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT = re.compile(
    r"^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(?:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?$"
)
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4})(?!\d)")
_NAMED = re.compile(
    rf"(?<!\d)(\d{{1,2}})[\s\-/]+({_MONTH_NAMES})\b\.?,?[\s\-/]*(\d{{4}})(?!\d)", re.I
)
_NAME_FIRST = re.compile(
    rf"\b({_MONTH_NAMES})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})(?!\d)", re.I
)
_URL_DATE = re.compile(
    r"/((?:19|20)\d{2})/(\d{1,2})/(\d{1,2})/|/((?:19|20)\d{2})(\d{2})(\d{2})\d{6}-"
)
_DATE_WORDS = re.compile(
    rf"\b(?:{_MONTH_NAMES}|senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad|monday|tuesday"
    r"|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun|wib|wita|wit|pukul|jam"
    r"|am|pm|gmt|utc|dipublikasikan|diterbitkan|diperbarui|dimuat|tayang|terbit|tanggal|published"
    r"|publish|posted|updated?|last|on|at|pada|diunggah|oleh)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\W{0,3}(?:T|pukul|jam|at)?\s?(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.]\d{2}(?:[.,]\d+)?)?"
    r"\s?(?P<half>[ap]m)?\s?(?P<zone>Z|(?:GMT|UTC)?\s?[+-]\d{1,2}:?(?:\d{2})?|GMT|UTC)(?!\w)",
    re.IGNORECASE,
)
_YEAR_LAST = re.compile(
    rf"\b({_MONTH_NAMES})\s+(\d{{1,2}})\s+(\d{{1,2}}:\d{{2}}(?::\d{{2}})?)\s+((?:[A-Z]{{3,4}}|[+-]\d{{4}})\s+)?"
    r"(\d{4})$",
    re.IGNORECASE,
)
_EARLIEST = 1800

ZONES = {
    name: dt.timezone(dt.timedelta(hours=hours), name)
    for name, hours in (("WIB", 7), ("WITA", 8), ("WIT", 9))
}
"""The time zones of Indonesia."""

WIB = ZONES["WIB"]


def date_of(value: object, today: dt.date, zone: dt.timezone = WIB) -> dt.date | None:
    """Return the calendar date that a value tells: of an instant that in `zone`, else as written.

    An instant says how far it is from UTC ("Z", "GMT", "+0000"), or is a number, also one in a
    text: seconds since 1970, or thousandths or smaller parts of them. A number may be YYYYMMDD too,
    or the days that spreadsheets count since the end of 1899.
    None for no date, for one before 1800, and for one more than two days after `today`.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _likely(_epoch_date(value, zone), today)
    return _likely(_written_date(str(value).strip()[:200], zone), today)


def date_in(line: str, today: dt.date) -> dt.date | None:
    """Return the first full date in a line of text, under the same limits."""
    return _likely(_first_date(line), today)


def date_in_url(url: str, today: dt.date) -> dt.date | None:
    """Return the date that a URL's path holds ("/2016/12/15/"), under the same limits."""
    match = _URL_DATE.search(url)
    return _likely(_calendar(*filter(None, match.groups())), today) if match else None


def beside_date(line: str) -> str | None:
    """Return what a short line holds besides a full date, or None where it holds no date."""
    if len(line) > 110 or not any(char.isdigit() for char in line) or not _first_date(line):
        return None
    rest = _DATE_WORDS.sub(" ", line)
    return " ".join(re.sub(r"[\d|:/,()–—\-]+|\s\.|\.$", " ", rest).split())


def _likely(date: dt.date | None, today: dt.date) -> dt.date | None:
    if date is None or date.year < _EARLIEST or date > today + dt.timedelta(days=2):
        return None
    return date


def _epoch_date(value: float, zone: dt.timezone) -> dt.date | None:
    if 30_000 <= value < 60_000:
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(value))
    seconds = abs(value)
    # Milliseconds, microseconds, nanoseconds; the largest is some time in the year 5138.
    while 1e11 <= seconds < 1e20:
        seconds /= 1000
    # 0 and small numbers are a missing date, not 1970.
    if value < 0 or not 1e8 <= seconds < 1e11:
        return _written_date(str(int(value)), zone) if 18_000_101 <= value < 1e8 else None
    return dt.datetime.fromtimestamp(seconds, zone).date()


@functools.lru_cache(maxsize=20_000)
def _written_date(text: str, zone: dt.timezone) -> dt.date | None:
    if not text or not any(char.isdigit() for char in text):
        return None
    if re.fullmatch(r"\d{10}|\d{13}|\d{16}|\d{19}|\d{5}(?:\.\d+)?|\d{9,}\.\d+", text):
        return _epoch_date(float(text), zone)
    text = _COMPACT.sub(r"\1-\2-\3 \4:\5\6", _YEAR_LAST.sub(r"\1 \2, \5 \3 \4", text))
    if first := _first_place(text):
        return _in_zone(first.date, text[first.end :], zone)
    return _parsed_date(text, zone)


def _in_zone(date: dt.date, behind: str, zone: dt.timezone) -> dt.date:
    """Return the date in a zone of an instant whose time and offset stand behind its date."""
    match = _TIME.match(behind)
    if not match:
        return date
    hour, minute = int(match["hour"]), int(match["minute"])
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"].lower() == "pm")
    offset = re.search(r"([+-])(\d{1,2}):?(\d{2})?", match["zone"])
    away = int(f"{offset[1]}1") * (int(offset[2]) * 60 + int(offset[3] or 0)) if offset else 0
    if abs(away) > 14 * 60:
        return date
    try:
        there = dt.time(hour, minute, tzinfo=dt.timezone(dt.timedelta(minutes=away)))
        return dt.datetime.combine(date, there).astimezone(zone).date()
    except (ValueError, OverflowError):
        return date


class _Place(NamedTuple):
    start: int
    end: int
    date: dt.date


def _first_date(text: str) -> dt.date | None:
    place = _first_place(text)
    return place.date if place else None


def _first_place(text: str) -> _Place | None:
    """Find the first full date in a text, in any of the usual ways to write one."""
    found: list[_Place] = []
    for pattern, order in (
        (_ISO, "ymd"),
        (_DAY_FIRST, "dmy"),
        (_NAMED, "dmy"),
        (_NAME_FIRST, "mdy"),
    ):
        match = pattern.search(text)
        if match and (date := _calendar(*(match[order.index(part) + 1] for part in "ymd"))):
            found.append(_Place(match.start(), match.end(), date))
    return min(found) if found else None


def _calendar(year: str, month: str, day: str) -> dt.date | None:
    number = _MONTHS.get(month.lower()) or int(month)
    days = int(day)
    if number > 12 >= days:
        number, days = days, number
    try:
        return dt.date(int(year), number, days)
    except ValueError:
        return None


def _parsed_date(text: str, zone: dt.timezone) -> dt.date | None:
    # Only absolute dates: "2 jam lalu" would be counted from the day of reading.
    if len(text) > 60 or not re.search(r"[^\W\d]{3}|\d\D\d", text):
        return None
    import dateparser

    found = dateparser.parse(
        text,
        languages=["id", "en"],
        settings={
            "DATE_ORDER": "DMY",
            "REQUIRE_PARTS": ["day", "month", "year"],
            "PARSERS": ["absolute-time"],
        },
    )
    if not found:
        return None
    date: dt.date = (found.astimezone(zone) if found.tzinfo else found).date()
    return date
