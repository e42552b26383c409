"""Cuts an article into passages: whole sentences packed under a token budget, kept as offsets."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence

from index import clean, text
from index.archive import content_hash
from index.records import Article, Passage, Span

RULES = 1
"""Raised whenever passages come out differently: a recipe is compared by it."""

_WORD = re.compile(r"\S+")


def passages(
    article: Article, *, max_tokens: int, repeated: frozenset[str] = frozenset()
) -> list[Passage]:
    """Cut an article into passages of at most `max_tokens` tokens each, in reading order.

    `repeated` are the keys of lines that the publisher repeats; they and other boilerplate are in
    no passage. A sentence over the budget is cut between words, a word over it wherever it must. An
    article that is nothing but boilerplate gives no passage.
    """
    return passages_of(article, cut(article, max_tokens=max_tokens, repeated=repeated))


def cut(
    article: Article, *, max_tokens: int, repeated: frozenset[str] = frozenset()
) -> list[tuple[Span, ...]]:
    """Return the spans of each passage; see `passages`."""
    kept = clean.kept_spans(article.body, title=article.title, repeated=repeated)
    sentences = _sentences(article.body, kept)
    pieces: list[tuple[Span, int]] = []
    for span, count in zip(sentences, _counts(article.body, sentences), strict=True):
        pieces.extend(_fit(article.body, span, count, max_tokens))
    return _pack(pieces, max_tokens)


def passages_of(article: Article, cuts: Sequence[tuple[Span, ...]]) -> list[Passage]:
    """Return the passages of an article that was cut before."""
    content = content_hash(article)
    return [
        Passage(
            id=f"{article.id}#{number}",
            article_id=article.id,
            story_id=article.story_id,
            text=join(article.body, spans),
            spans=spans,
            title=article.title,
            publisher=article.publisher,
            url=article.url,
            published=article.published,
            content=content,
        )
        for number, spans in enumerate(cuts)
    ]


def stems(found: Sequence[Passage]) -> list[str]:
    """Return what the lexical search indexes of each passage: stems of headline and text."""
    titles: dict[str, str] = {}
    out = []
    for passage in found:
        title = titles.get(passage.title)
        if title is None:
            title = titles[passage.title] = " ".join(text.stems(passage.title))
        out.append(f"{title} {' '.join(text.stems(passage.text))}")
    return out


def _sentences(body: str, kept: Sequence[Span]) -> list[Span]:
    """Return the sentences of the kept spans; the dateline stands alone, so as not to be quoted."""
    found: list[Span] = []
    # A kept span holds a line break only where a scraper broke a sentence.
    body = body.replace("\n", " ")
    for number, (start, end) in enumerate(kept):
        begin = text.dateline_end(body, start, end) if number == 0 else start
        if begin > start:
            found.extend(text.sentences(body, start, begin))
        found.extend(text.sentences(body, begin, end))
    return found


def join(body: str, spans: Sequence[Span]) -> str:
    """Return the text of the spans joined by single spaces."""
    return " ".join(body[start:end] for start, end in spans)


def _pack(pieces: Sequence[tuple[Span, int]], budget: int) -> list[tuple[Span, ...]]:
    """Spread the sentences evenly over as few passages as the budget allows."""
    total = sum(count for _, count in pieces)
    if not total:
        return []
    # Even passages: a last one of a single short sentence would be found for its shortness.
    target = total / -(-total // budget)
    packed: list[list[Span]] = [[]]
    used = 0
    for span, count in pieces:
        full = used + count > budget or used + count / 2 > target
        if packed[-1] and full:
            packed.append([])
            used = 0
        packed[-1].append(span)
        used += count
    return [tuple(spans) for spans in packed]


def _counts(body: str, spans: Sequence[Span]) -> list[int]:
    # The space that joins a sentence to the one before it can cost a token, or save one.
    bare = text.count_tokens([body[start:end] for start, end in spans])
    joined = text.count_tokens([f" {body[start:end]}" for start, end in spans])
    return list(map(max, bare, joined))


def _fit(body: str, span: Span, count: int, budget: int) -> list[tuple[Span, int]]:
    """Cut one sentence, each time between the words nearest its middle, to pieces in the budget."""
    start, end = span
    if count <= budget or end - start < 2:
        return [(span, count)]
    left = right = start + (end - start) // 2
    words = [match.span() for match in _WORD.finditer(body, start, end)]
    if len(words) > 1:
        cut = min(max(1, bisect(words, (left, left))), len(words) - 1)
        left, right = words[cut - 1][1], words[cut][0]
    pieces = [(start, left), (right, end)]
    return [
        fitted
        for piece, size in zip(pieces, _counts(body, pieces), strict=True)
        for fitted in _fit(body, piece, size, budget)
    ]
