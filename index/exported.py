"""Articles as rows of JSON that bring an archive to another home exactly: written, and read again.

Such a row says `"as_archived": true`, and is then taken as it stands: nothing is tidied, guessed or
named anew, which was done when the article first came in.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from index.records import Article

MARK = "as_archived"


def line_of(article: Article) -> str:
    """Return an article as a line of JSON with its end."""
    return json.dumps(_row(article), ensure_ascii=False) + "\n"


def _row(article: Article) -> dict[str, object]:
    return {
        "id": article.id,
        "title": article.title,
        "text": article.body,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
        "publisher": article.publisher,
        "authors": article.authors,
        "editors": article.editors,
        "origin": article.origin,
        "retrieved": article.retrieved.isoformat() if article.retrieved else None,
        "story_id": article.story_id,
        MARK: True,
    }


def article_of(row: Mapping[str, object]) -> Article:
    """Return the article of a row that has the mark; raises ValueError where it was altered."""
    published, retrieved = row.get("published"), row.get("retrieved")
    article = Article(
        id=_text(row, "id"),
        publisher=_text(row, "publisher"),
        title=_text(row, "title"),
        body=_text(row, "text"),
        url=_text(row, "url"),
        published=dt.date.fromisoformat(_text(row, "published")) if published else None,
        authors=_names(row, "authors"),
        editors=_names(row, "editors"),
        origin=_text(row, "origin"),
        story_id=_text(row, "story_id"),
        retrieved=dt.datetime.fromisoformat(_text(row, "retrieved")) if retrieved else None,
    )
    if not article.id:
        raise ValueError("its id is empty")
    return article


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"its {name} is {value!r:.60} but must be a text")
    return value


def _names(row: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"its {name} are {value!r:.60} but must be a list of texts")
    return tuple(value)
