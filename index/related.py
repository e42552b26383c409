"""Finds what else the archive holds of an article: its story, corrections, earlier texts."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from index.archive import Archive, EarlierText
from index.records import Article
from index.text import squeezed

_MOST = 20
"""Articles of a story, and of corrections, that are returned."""

# A correction follows within days; to look for later ones is to go through months of articles.
_DAYS = 14
_CANDIDATES = 50
_WORDS = ("ralat", "koreksi", "pembetulan")
_LABEL = re.compile(
    r"\W{0,3}(?:(?:ralat|koreksi|pembetulan)"
    r"(?:\s+(?:redaksi|berita|artikel|judul|foto))?\s{0,2}(?:[]:)|/]|[–—-]\s)"
    r"|(?-i:RALAT\b(?=.*[a-z])))",
    re.IGNORECASE,
)
_LABEL_AT_END = re.compile(r"[(\[](?:ralat|koreksi|pembetulan)[)\]]\W*$", re.IGNORECASE)
_CORRECTS = re.compile(
    r"\b(?:(?:me)?ralat|(?:meng)?koreksi|pembetulan)(?:kan|i)?\b.{0,80}?"
    r"\b(?:berita|artikel|judul|pemberitaan|laporan)\b"
    r"|\b(?:berita|artikel|judul|pemberitaan)\b.{0,60}?\b(?:di)?(?:ralat|koreksi)\b",
    re.IGNORECASE | re.DOTALL,
)
_OPENING, _NAMED_WITHIN = 300, 3_000
_FEWEST_WORDS = 4
"""Words of a headline that is not found by chance in another text."""


@dataclass(frozen=True, slots=True)
class Related:
    """What belongs to an article: `story` at others, `corrections` of it, its `earlier` texts."""

    story: tuple[Article, ...] = ()
    corrections: tuple[Article, ...] = ()
    earlier: tuple[EarlierText, ...] = ()


def related(archive: Archive, article: Article) -> Related:
    """Return what belongs to an article; nothing stands in two of its places."""
    story = archive.of_story(article, _MOST)
    candidates = [*story]
    if article.published and article.publisher:
        last = min(article.published, dt.date.max - dt.timedelta(_DAYS)) + dt.timedelta(_DAYS)
        candidates += archive.saying(
            _WORDS, article.publisher, article.published, last, _CANDIDATES
        )
    corrections = {other.id: other for other in candidates if corrects(other, article)}
    return Related(
        tuple(other for other in story if other.id not in corrections),
        tuple(corrections.values())[:_MOST],
        tuple(archive.earlier(article.id)),
    )


def corrects(other: Article, article: Article) -> bool:
    """Tell whether another article is a correction of this one.

    It is one of the same publisher's, not older, that is labelled a correction in its headline or
    at its beginning and is of the same story or names the article by its whole headline; or that
    says in its opening that it corrects an article, and names this one.
    """
    if other.id == article.id or not article.publisher or other.publisher != article.publisher:
        return False
    if article.published and (not other.published or other.published < article.published):
        return False
    opening = other.body[:_OPENING]
    labelled = any(map(_LABEL.match, (other.title, opening))) or bool(
        _LABEL_AT_END.search(other.title)
    )
    if labelled and article.story_id and other.story_id == article.story_id:
        return True
    return bool(labelled or _CORRECTS.search(opening)) and _names(other, article)


def _names(other: Article, article: Article) -> bool:
    headline = squeezed(article.title)
    if headline.count(" ") < _FEWEST_WORDS - 1:
        return False
    # Its own headline may be the corrected article's, with or without a label.
    text = squeezed(other.body[:_NAMED_WITHIN])
    return f" {headline} " in f" {text} "
