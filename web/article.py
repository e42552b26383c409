"""Archived articles, opened beside the conversation, and references to them."""

from __future__ import annotations

import datetime as dt
import logging
import re
import sqlite3
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, Response

from index.errors import TanyaError
from index.records import Span
from page import texts
from page.article import Opened, article_html, unread_html
from qa import references
from qa.chat import Chat

logger = logging.getLogger("tanya.web")

_SPANS = re.compile(r"\d{1,9}-\d{1,9}(?:,\d{1,9}-\d{1,9}){0,49}")
_FORMS = {
    "text": (references.reference, "text/plain", "txt"),
    "bibtex": (references.bibtex, "application/x-bibtex", "bib"),
    "ris": (references.ris, "application/x-research-info-systems", "ris"),
}

_Id = Annotated[str, Query(alias="id", max_length=2000)]
_Content = Annotated[str, Query(max_length=64)]


def router(chat: Chat, today: Callable[[], dt.date] = dt.date.today) -> APIRouter:
    """Return the routes of archived articles."""
    routes = APIRouter()

    @routes.get("/page/article", response_class=HTMLResponse)
    def opened(
        identity: _Id,
        content: _Content = "",
        spans: Annotated[str, Query(max_length=4000)] = "",
    ) -> str:
        if spans and not _SPANS.fullmatch(spans):
            return unread_html(texts.NO_ARTICLE, texts.REQUEST_UNREADABLE)
        try:
            found = _opened(chat, identity, content, _read(spans))
        except (TanyaError, sqlite3.Error) as error:
            logger.warning("article %r cannot be read: %s", identity, error)
            return unread_html(texts.NOT_OPENED, texts.ARCHIVE_UNREADABLE)
        if found is None:
            return unread_html(texts.NO_ARTICLE, texts.ARTICLE_GONE)
        return article_html(found, today())

    @routes.get("/page/reference")
    def reference(identity: _Id, content: _Content = "", form: str = "text") -> Response:
        if form not in _FORMS:
            raise HTTPException(400, f"No form {form[:40]!r}: {', '.join(_FORMS)}.")
        try:
            article = chat.article(identity, content) or chat.article(identity)
        except (TanyaError, sqlite3.Error) as error:
            logger.warning("article %r cannot be read: %s", identity, error)
            raise HTTPException(503, texts.ARCHIVE_UNREADABLE) from error
        if article is None:
            raise HTTPException(404, texts.ARTICLE_GONE)
        written, kind, ending = _FORMS[form]
        name = f"{references.key(article)}.{ending}"
        return Response(
            written(article, today()).encode("utf-8", "replace"),
            media_type=f"{kind}; charset=utf-8",
            headers={
                "content-disposition": f'attachment; filename="{name}"',
                "x-content-type-options": "nosniff",
            },
        )

    return routes


def _read(spans: str) -> list[Span]:
    pairs = (pair.split("-") for pair in spans.split(",") if pair)
    return [(int(start), int(end)) for start, end in pairs]


def _opened(chat: Chat, article_id: str, content: str, spans: list[Span]) -> Opened | None:
    """Return an article's text of a hash, or its text of today where that one is not kept."""
    current = chat.article(article_id)
    if current is None:
        return None
    related = chat.related(current)
    article = chat.article(article_id, content)
    if article is None:
        return Opened(current, current, related, replaced=True)
    earlier = next((text for text in related.earlier if text.content == content), None)
    return Opened(article, current, related, spans, content, earlier)
