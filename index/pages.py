"""Articles that were published over several pages: one article, its texts in the pages' order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from index import text
from index.reading.publishers import page_of
from index.records import SOME_PAGE, Article

Pages = Mapping[int, Article]
"""The pages of one article by their numbers, each with its own text."""

# Of two texts of one page most lines are the same; two pages of one article share none.
_SAME_PAGE = 0.3
# Of a page the article in one piece has most lines, others where it was corrected meanwhile.
_MOSTLY = 0.6
# A correction takes out less than what other pages hold.
_CORRECTED = 0.8


def number_of(article: Article) -> int:
    """Return which page of its article this is, as it says itself or by its URL; see Article."""
    return article.page or page_of(article.url)[1]


def placed(pages: Pages, article: Article) -> dict[int, Article]:
    """Return the pages with this one put in its place, instead of the one that stood there."""
    number = number_of(article)
    pages = dict(pages)
    if number == SOME_PAGE:
        number = next((n for n, page in pages.items() if _shares(page, article)), 0)
        if not number and 1 in pages and _opens(article) and not _opens(pages[1]):
            pages = {n + 1: page for n, page in pages.items()}
        number = number or (max(pages) + 1 if 1 in pages else 1)
    if number in pages and not number_of(pages[number]) and _holds(pages[number], article):
        # What stands there is the article in one piece.
        return pages
    if not number:
        # A page that tells of no others may be the article in one piece, in place of its pages.
        pages = {n: page for n, page in pages.items() if not _shares(page, article, _MOSTLY)}
    pages[max(number, 1)] = replace(article, page=0)
    return dict(sorted(pages.items()))


def joined(pages: Pages) -> Article:
    """Return the whole article: what is told of it is the first page's, else the next one's.

    A page whose text another holds whole ("all on one page") adds nothing.
    """
    ordered = [page for _, page in sorted(pages.items())]
    bodies: list[str] = []
    lines: set[str] = set()
    for page in ordered:
        if not (own := _lines(page)) <= lines:
            bodies.append(page.body)
            lines |= own
    first = ordered[0]
    return replace(
        first,
        body="\n\n".join(bodies),
        published=next((page.published for page in ordered if page.published), None),
        authors=tuple(dict.fromkeys(name for page in ordered for name in page.authors)),
        editors=tuple(dict.fromkeys(name for page in ordered for name in page.editors)),
        origin=next((page.origin for page in ordered if page.origin), ""),
        page=0,
    )


def _opens(article: Article) -> bool:
    """Tell whether a page opens with a dateline, as the first one does."""
    return text.dateline_end(article.body, 0, len(article.body)) > 0


def _shares(page: Article, other: Article, part: float = _SAME_PAGE) -> bool:
    """Tell whether two texts share this part of the shorter one's lines."""
    mine, theirs = _lines(page), _lines(other)
    return len(mine & theirs) >= part * min(len(mine), len(theirs))


def _holds(whole: Article, page: Article) -> bool:
    """Tell whether a text holds another, and a good deal more than a correction takes out."""
    return _lines(page) < _lines(whole) and len(page.body) < _CORRECTED * len(whole.body)


def _lines(article: Article) -> set[str]:
    return {text.squeezed(line) for line in article.body.split("\n") if line.strip()}
