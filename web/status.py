"""What the index holds now: asked for by each open page every few seconds."""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from index.errors import IndexMissingError, TanyaError
from index.manifest import stale_days
from page import html, texts
from qa.chat import Chat

logger = logging.getLogger("tanya.web")


def router(chat: Chat) -> APIRouter:
    """Return the routes that tell of the live version."""
    routes = APIRouter()

    @routes.get("/page/status")
    def status(known: Annotated[str, Query(max_length=64)] = "") -> dict[str, object]:
        """Tell what is live; of a version that the page has `known` before, only how it stands."""
        try:
            overview = chat.overview()
        except IndexMissingError:
            return {"version": "", "line": html.index_notice_html(texts.NO_INDEX)}
        except (TanyaError, OSError, sqlite3.Error) as error:
            logger.warning("the overview cannot be read: %s", error)
            return {"version": None, "line": html.index_notice_html(texts.INDEX_UNREADABLE)}
        version = overview.version
        now = dt.datetime.now(dt.UTC)
        stale = stale_days(version, chat.settings.chat.stale_after, now)
        line = html.freshness_html(overview, now, stale)
        if version.name == known:
            return {"version": known, "line": line}
        return {
            "version": version.name,
            "line": line,
            "newest": version.newest.isoformat() if version.newest else "",
            "newest_words": texts.date_words(version.newest) if version.newest else "",
            "publishers": [
                {"name": name, "count": texts.number_words(count)}
                for name, count in version.publishers
                if name
            ],
        }

    @routes.get("/page/welcome", response_class=HTMLResponse)
    def welcome() -> str:
        try:
            chat.index()
        except TanyaError:
            return html.missing_html()
        return html.welcome_html()

    return routes
