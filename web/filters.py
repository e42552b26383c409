"""The filter that a visitor sets: what they typed, read and put in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from index.records import Filter
from page import texts

_Typed = Annotated[str, Query(max_length=100)]


def router() -> APIRouter:
    """Return the route that reads a filter."""
    routes = APIRouter()

    @routes.get("/page/filter")
    def read(
        after: _Typed = "",
        before: _Typed = "",
        publisher: Annotated[list[str] | None, Query(max_length=500)] = None,
    ) -> dict[str, object]:
        """Return what a filter lets through as chips, or a `hint` of what is wrong with it."""
        try:
            chosen = texts.parse_filter(after, before, publisher)
        except ValueError as error:
            return {"hint": str(error), "chips": []}
        chips = [{"kind": "publisher", "value": name, "words": name} for name in chosen.publishers]
        if days := texts.days_words(Filter(chosen.after, chosen.before)):
            chips.insert(0, {"kind": "days", "value": "", "words": days})
        return {"hint": "", "chips": chips}

    return routes
