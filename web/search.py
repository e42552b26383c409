"""All articles that match a question, as a list beside its answer."""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from index.errors import TanyaError
from index.records import Filter
from index.records import Query as Question
from page import texts
from page.search import listing_html, unlisted_html
from qa.chat import Chat
from qa.listing import Narrowing, Sort
from qa.question.dates import of_months

logger = logging.getLogger("tanya.web")

_Name = Annotated[str, Query(max_length=500)]
_Names = Annotated[list[_Name], Query(max_length=500)]


def router(chat: Chat) -> APIRouter:
    """Return the route of the list."""
    routes = APIRouter()

    @routes.get("/page/search", response_class=HTMLResponse)
    def listed(
        q: Annotated[str, Query(max_length=4000)] = "",
        after: dt.date | None = None,
        before: dt.date | None = None,
        publisher: _Names = [],  # noqa: B006
        author: _Names = [],  # noqa: B006
        only: _Name | None = None,
        unnamed: bool = False,
        since: dt.date | None = None,
        until: dt.date | None = None,
        year: Annotated[int | None, Query(ge=dt.MINYEAR, le=dt.MAXYEAR)] = None,
        undated: bool = False,
        sort: Sort = "relevance",
        page: int = 1,
    ) -> str:
        """List what matches `q` within the filter of its first four names.

        The others narrow the list: `only` one publisher, or with `unnamed` what has none; from
        `since` to `until`, or of one `year`, or what is `undated`.
        """
        if year is not None:
            since, until = of_months(year)
        limits = Filter(after, before, tuple(publisher), tuple(author))
        narrowing = Narrowing("" if unnamed else only, since, until, undated)
        try:
            return listing_html(chat.listed(Question(q, limits), narrowing, sort, page))
        except (TanyaError, OSError, sqlite3.Error) as error:
            logger.warning("nothing can be listed: %s", error)
            return unlisted_html(texts.error_words(error))

    return routes
