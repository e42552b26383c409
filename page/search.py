"""The list of all articles behind a turn: its tabs, its entries, what it is narrowed by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from index.records import Filter, Span, Turn
from page import texts
from page.article import request
from page.templates import render
from qa.listing import SORTS, Entry, Listing, Period

_FACETS = 8
"""Publishers and years that are shown at once; the others unfold."""
_LOWEST = 4
"""Percent of the chart's height that a bar has at least, so that it is seen."""


def tabs_html(turn: Turn, number: int, reply: str) -> str:
    """Return a turn's reply, which is HTML, with the tab of all articles beside it."""
    named = limits(turn.query.filter)
    sent = {"publisher": named.pop("publishers"), "author": named.pop("authors"), **named}
    query = {"q": turn.query.text, **sent}
    return render("tabs.html", number=number, reply=reply, query=json.dumps(query))


def limits(chosen: Filter) -> dict[str, object]:
    """Return a filter as the page's scripts send it."""
    return {
        "after": chosen.after.isoformat() if chosen.after else "",
        "before": chosen.before.isoformat() if chosen.before else "",
        "publishers": list(chosen.publishers),
        "authors": list(chosen.authors),
    }


def listing_html(listing: Listing) -> str:
    """Return a page of a list, with what it can be narrowed by."""
    return render(
        "search.html",
        listing=listing,
        sorts=SORTS,
        facets=_FACETS,
        heights=_heights(listing.chart),
        chosen=_is_chosen(listing),
        change=_change,
        request=request,
        entries=[(entry, *_texts(entry)) for entry in listing.entries],
    )


def unlisted_html(reason: str) -> str:
    """Return what stands in place of a list that cannot be made."""
    return render("unlisted.html", reason=reason)


def pieces(words: str, spans: tuple[Span, ...], begin: int = 0) -> Iterator[tuple[str, bool]]:
    """Yield a text, which begins at offset `begin`, in pieces: those at the spans are marked."""
    at = 0
    for start, end in spans:
        yield words[at : start - begin], False
        yield words[start - begin : end - begin], True
        at = end - begin
    yield words[at:], False


def _texts(entry: Entry) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return the headline and the sentence of an entry in pieces, the question's words marked."""
    title, sentence = entry.passage.title, entry.passage.sentence(entry.sentence)
    headed = pieces(title, entry.title_words) if title.strip() else [(texts.UNTITLED, False)]
    return list(headed), list(pieces(sentence, entry.words, entry.sentence[0]))


def _heights(chart: Sequence[Period]) -> list[int]:
    """Return the height of each bar in percent."""
    highest = max((period.stories for period in chart), default=0)
    return [max(_LOWEST, 100 * p.stories // highest) if p.stories else 0 for p in chart]


def _is_chosen(listing: Listing) -> set[Period]:
    """Return the periods that lie in the one that a list is narrowed by."""
    narrowing = listing.narrowing
    if narrowing.undated or not narrowing.timed:
        return set()
    return {
        period
        for period in (*listing.years, *listing.chart)
        if (narrowing.first is None or narrowing.first <= period.first)
        and (narrowing.last is None or period.last <= narrowing.last)
    }


def _change(**values: object) -> str:
    """Return what a button changes in the request for a list; dates as they are written in it."""
    return json.dumps(values, default=str)
