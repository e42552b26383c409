"""An archived article as it is opened beside the conversation: what article.html shows of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from index.archive import EarlierText
from index.edits import Kind, edits
from index.records import Article, Span
from index.related import Related
from page.paragraphs import fitting, left_out, paragraphs
from page.templates import render
from qa.references import reference

# Texts longer than this are not compared, and no more sentences and characters of one are shown.
_LONGEST_COMPARED = 100_000
_MOST_CHANGES, _LONGEST_CHANGE = 60, 1_000


@dataclass(frozen=True, slots=True)
class Opened:
    """An article to be shown.

    `current` is its text of today, `earlier` which of its other texts it is, if it is one, `spans`
    what to highlight, the first of them to be scrolled to. It is `replaced` if the text that was
    asked for is not kept.
    """

    article: Article
    current: Article
    related: Related
    spans: Sequence[Span] = ()
    content: str = ""
    earlier: EarlierText | None = None
    replaced: bool = False


class Change(NamedTuple):
    """Sentences in a comparison of two texts; `hidden` more of them are not shown."""

    kind: Kind
    sentences: tuple[str, ...]
    hidden: int = 0


def article_html(opened: Opened, today: dt.date) -> str:
    """Return an opened article: its text with the quotes in it, and what belongs to it."""
    body = opened.article.body
    quotes = fitting(opened.spans, len(body))
    first = opened.spans[0][0] if opened.spans else -1
    return render(
        "article.html",
        opened=opened,
        article=opened.article,
        paragraphs=paragraphs(body, opened.article.title, quotes),
        left_out=left_out(body, quotes),
        here=next((start for start, end in quotes if start <= first < end), -1),
        unfit=bool(opened.spans) and not quotes,
        changes=changes(opened.article, opened.current) if opened.earlier else None,
        reference=reference(opened.article, today),
        address=address,
        request=request,
    )


def unread_html(title: str, reason: str) -> str:
    """Return what stands in place of an article that cannot be shown."""
    return render("article_missing.html", title=title, reason=reason)


def changes(before: Article, after: Article) -> list[Change] | None:
    """Return what became of a text, in order; None where it is too long to be compared."""
    if max(len(before.body), len(after.body)) > _LONGEST_COMPARED:
        return None
    found: list[Change] = []
    left = _MOST_CHANGES
    for piece in edits(before.body, after.body):
        some = [_cut(sentence) for sentence in piece.sentences]
        if piece.kind == "kept":
            found.append(Change("kept", (), len(some)))
            continue
        found.append(Change(piece.kind, tuple(some[:left]), len(some[left:])))
        if len(some) > left:
            break
        left -= len(some)
    return found


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST_CHANGE else f"{sentence[:_LONGEST_CHANGE]} …"


def request(article_id: str, content: str = "", spans: Sequence[Span] = ()) -> str:
    """Return what a button or link of an article carries for the script that opens it."""
    return json.dumps({"id": article_id, "content": content, "spans": list(spans)})


def written(spans: Sequence[Span]) -> str:
    """Return spans as they stand in addresses: "12-40,95-120"."""
    return ",".join(f"{start}-{end}" for start, end in spans)


def address(
    article_id: str,
    content: str = "",
    spans: Sequence[Span] = (),
    conversation: str = "",
    answer: int = 0,
) -> str:
    """Return the page's address of an article, beside an answer of a conversation if given."""
    named = {
        "percakapan": conversation,
        "jawaban": answer,
        "artikel": article_id,
        "teks": content,
        "sorot": written(spans),
    }
    kept = {name: value for name, value in named.items() if value}
    return f"/?{urlencode(kept, errors='replace')}" if kept else "/"
