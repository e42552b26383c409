"""Cuts an archived body into paragraphs that read well; no character of a quote is changed."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import NamedTuple

from index import clean
from index.records import Span
from index.text import sentences

# A body is shown whole up to this; of a longer one its beginning and what is around its quotes.
LONGEST_SHOWN = 60_000
_BEGINNING = 10_000
_AROUND = 300
_LONGEST_QUOTE = 4_000
_MOST_QUOTES = 50

# Some scrapers leave no breaks at all: a line longer than this is cut after sentences.
_LONG_LINE, _PARAGRAPH = 900, 400
_COMMAS = re.compile(r"[\s,]*(?=\S)")
_JOINT = re.compile(r"[\s,]*,[\s,]*")
_LAST_JOINT = re.compile(r"(?<=[.?!\"”])[\s,]+$")
# The end of a quotation that stands apart: it belongs to the sentence before.
_STRAY_QUOTE = re.compile(r"[\"”]\s")


class Piece(NamedTuple):
    """A run of characters of a paragraph; `start` is where it begins in the body."""

    text: str
    quoted: bool
    start: int


class Paragraph(NamedTuple):
    """A paragraph in pieces. An `aside` is what the publisher's page put between paragraphs.

    `gap` is how many characters before it are not shown.
    """

    pieces: tuple[Piece, ...]
    aside: bool
    gap: int


def fitting(spans: Iterable[Span], length: int) -> list[Span]:
    """Return the spans that can be shown in a body of this length, in order, joined if they touch.

    Empty ones, and those that are no sentence by their length or beyond the body, are left out.
    """
    joined: list[Span] = []
    for start, end in sorted(set(spans))[:_MOST_QUOTES]:
        if not 0 <= start < end <= length or end - start > _LONGEST_QUOTE:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def paragraphs(body: str, title: str, quotes: Sequence[Span]) -> list[Paragraph]:
    """Return a body in paragraphs, of a very long one a part; `quotes` are `fitting` spans.

    Each quote is exactly one piece, and stands in one paragraph.
    """
    found: list[Paragraph] = []
    shown = 0
    for begin, stop in _shown(body, quotes):
        part = body[begin:stop]
        inside = [(a - begin, b - begin) for a, b in quotes if begin <= a and b <= stop]
        gap = begin - shown
        for (start, end), news in _extents(part, title, inside):
            pieces = tuple(
                Piece(part[a:b], quoted, begin + a) for a, b, quoted in _pieces(start, end, inside)
            )
            aside = not (news or any(piece.quoted for piece in pieces))
            found.append(Paragraph(pieces, aside, gap))
            gap = 0
        shown = stop
    return found


def left_out(body: str, quotes: Sequence[Span]) -> int:
    """Return how many characters at a body's end `paragraphs` does not show."""
    return len(body) - _shown(body, quotes)[-1][1]


def _shown(body: str, quotes: Sequence[Span]) -> list[Span]:
    if len(body) <= LONGEST_SHOWN:
        return [(0, len(body))]
    found = [(0, _BEGINNING)]
    for start, end in quotes:
        near, far = max(start - _AROUND, 0), min(end + _AROUND, len(body))
        if near <= found[-1][1]:
            found[-1] = (found[-1][0], max(far, found[-1][1]))
        else:
            found.append((near, far))
    return found


def _extents(body: str, title: str, quotes: Sequence[Span]) -> Iterator[tuple[Span, bool]]:
    """Yield the extent of each paragraph, and whether news stands in it."""
    kept = clean.kept_spans(body, title=title)
    ends = [end for _, end in kept]
    for start, end in _joined(merge(_lines(body), quotes), kept):
        if end - start > _LONG_LINE:
            yield from ((cut, True) for cut in _cut(body, start, end, quotes))
        else:
            at = bisect_right(ends, start)
            yield (start, end), at < len(kept) and kept[at][0] < end


def _lines(body: str) -> Iterator[Span]:
    for found in re.finditer(r"[^\n]+", body):
        line = found[0]
        if line.strip():
            start = found.start() + len(line) - len(line.lstrip())
            yield start, start + len(line.strip())


def _joined(lines: Iterable[Span], kept: Sequence[Span]) -> Iterator[Span]:
    """Yield lines and quotes, sorted, as paragraphs.

    What overlaps is one, and so are lines that one span of kept text stands in.
    """
    starts = [start for start, _ in kept]
    begin = end = -1
    for start, stop in lines:
        at = bisect_left(starts, end)
        if start < end or (end >= 0 and at and kept[at - 1][1] > start):
            end = max(end, stop)
            continue
        if end >= 0:
            yield begin, end
        begin, end = start, stop
    if end >= 0:
        yield begin, end


def _cut(body: str, start: int, end: int, quotes: Sequence[Span]) -> Iterator[Span]:
    """Cut a long line after sentences, first where a scraper joined paragraphs by a comma."""
    begin = last = start
    for first, stop in sentences(body, start, end):
        inside = any(a < first and last < b for a, b in quotes)
        first = first if inside else _after_comma(body, first, stop, quotes)
        joint = _JOINT.fullmatch(body, last, first)
        stray = _STRAY_QUOTE.match(body, first)
        if last > begin and not inside and not stray and (joint or last - begin >= _PARAGRAPH):
            yield begin, last
            begin = first
        last = stop
    tail = _LAST_JOINT.search(body, max(begin, end - 10), end)
    if tail and not any(b > tail.start() and a < end for a, b in quotes):
        end = tail.start()
    yield begin, end


def _after_comma(body: str, first: int, stop: int, quotes: Sequence[Span]) -> int:
    """Return where a sentence begins without the comma that joined it to the one before."""
    lead = _COMMAS.match(body, first, stop)
    after = lead.end() if lead else first
    return first if any(first <= a < after for a, _ in quotes) else after


def _pieces(start: int, end: int, quotes: Sequence[Span]) -> Iterator[tuple[int, int, bool]]:
    """Yield what a paragraph consists of, by turns outside (False) and inside (True) a quote."""
    at = start
    for a, b in quotes[bisect_left(quotes, (start, 0)) :]:
        if b > end:
            break
        if a > at:
            yield at, a, False
        yield a, b, True
        at = b
    if end > at:
        yield at, end, False
