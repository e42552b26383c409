"""Articles as rows of JSON that bring an archive to another home exactly: written, and read again.

Lists of ids too, by which articles are removed.

Such a row says `"as_archived": true`, and is then taken as it stands: nothing is tidied, guessed or
named anew, which was done when the article first came in.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from typing_extensions import TypedDict

from index.files import read_lines, written_whole
from index.records import Article

if TYPE_CHECKING:
    from index.archive import Archive

MARK = "as_archived"

STANDARD = Path("-")
"""Stands for standard input and output where a file is named."""

_AT_ONCE = 500


class ArticleRow(TypedDict):
    """An article as archived, under the names of an export."""

    id: str
    title: str
    text: str
    url: str
    published: str | None
    publisher: str
    authors: list[str]
    editors: list[str]
    origin: str
    retrieved: str | None
    story_id: str


def write(
    archive: Archive, article_ids: Sequence[str], out: Path, progress: Callable[[int], None]
) -> int:
    """Write articles to a file, or standard output, as lines of JSON; return how many there were.

    `progress` gets the number written since its last call. Raises InputError where `out` cannot be
    written; what stops it leaves no file.
    """
    written = 0
    with _opened(out) as file:
        for at in range(0, len(article_ids), _AT_ONCE):
            some = archive.articles(article_ids[at : at + _AT_ONCE])
            file.writelines(line_of(article) for article, _ in some)
            written += len(some)
            progress(len(some))
    return written


@contextmanager
def _opened(out: Path) -> Iterator[TextIO]:
    if out != STANDARD:
        with written_whole(out) as file:
            yield file
        return
    # The terminal's own encoding may lack letters that the archive has.
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
    try:
        yield file
        file.flush()
    finally:
        file.detach()


def ids_in(path: Path) -> list[str]:
    """Return the ids of a file, or of standard input: one a line, blanks around them cut off.

    Raises InputError where it cannot be read.
    """
    if path == STANDARD:
        written = sys.stdin.read().split("\n")
    else:
        written = read_lines(path, "a list of ids")
    return list(dict.fromkeys(filter(None, map(str.strip, written))))


def line_of(article: Article) -> str:
    """Return an article as a line of JSON with its end."""
    return json.dumps({**row_of(article), MARK: True}, ensure_ascii=False) + "\n"


def row_of(article: Article) -> ArticleRow:
    """Return the row of an article."""
    return {
        "id": article.id,
        "title": article.title,
        "text": article.body,
        "url": article.url,
        "published": article.published.isoformat() if article.published else None,
        "publisher": article.publisher,
        "authors": list(article.authors),
        "editors": list(article.editors),
        "origin": article.origin,
        "retrieved": article.retrieved.isoformat() if article.retrieved else None,
        "story_id": article.story_id,
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
