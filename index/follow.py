"""Follows feeds: asks them for what is new, and reads the page behind each new item.

What a feed lists is remembered before its pages are read, so nothing is lost when that is stopped,
and no page is read twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from index.errors import FetchError
from index.fetch import Fetched, Fetcher
from index.reading import page
from index.reading.dates import WIB, date_of
from index.reading.feeds import Entry, entries
from index.reading.inputs import InputFile, buffered, wide_encoding
from index.reading.publishers import article_id, canonical_publisher, host_of
from index.records import Article, ReadProblem
from index.seen import Feed, Item, Seen
from index.settings import WatchSettings

# Items that are articles, or lead to one.
_KINDS = ("article", "teasers", "items without text")

_PAGES = ("", "text/html", "application/xhtml+xml")

# An item whose page fails so often for the moment is given up.
_TRIES = 5

_DAY = 86_400.0
_FIRST_WAIT, _LONGEST_WAIT = 60.0, _DAY
_LONGEST_ASKED = 30 * _DAY
_GONE = 30 * _DAY


@dataclass(frozen=True, slots=True)
class Found:
    """What following feeds brought; `item` is finished once an article is in the archive."""

    outcome: Article | ReadProblem
    item: Item | None = None


class Feeds:
    """The feeds that a home follows."""

    def __init__(
        self,
        urls: Sequence[str],
        seen: Seen,
        fetcher: Fetcher,
        settings: WatchSettings,
        *,
        publisher: str = "",
        zone: dt.timezone = WIB,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._urls = tuple(dict.fromkeys(urls))
        self._seen, self._fetcher, self._settings = seen, fetcher, settings
        self._publisher, self._zone, self._now = publisher, zone, now
        self._given: set[tuple[str, str]] = set()

    def read(self) -> Iterator[Found]:
        """Ask every feed that may be asked, then read pages, of each feed so many as are set.

        Feeds take turns, so that the pause between two requests to a host is used for another.
        """
        for url in self._urls:
            yield from self._ask(self._seen.feed(url))
        waiting = (self._seen.waiting(url, self._settings.max_items) for url in self._urls)
        for item in itertools.chain.from_iterable(itertools.zip_longest(*waiting)):
            if item is not None and (item.feed, item.key) not in self._given:
                for found in self._read_page(item):
                    self._given.add((item.feed, item.key))
                    yield found

    def finish(self, items: Iterable[Item]) -> None:
        """Remember that items are in the archive, or are none for it."""
        items = list(items)
        self._seen.finish(items)
        self._given.difference_update((item.feed, item.key) for item in items)

    # Feeds

    def _ask(self, feed: Feed) -> Iterator[Found]:
        host = host_of(feed.address)
        if self._now() < max(feed.due, self._seen.host(host)[0]):
            return
        try:
            answer = self._fetcher.get(
                feed.address, etag=feed.etag, modified=feed.modified, trusted=host_of(feed.url)
            )
        except FetchError as error:
            yield from self._failed(feed, f"{error}.", error.retry)
            return
        if answer.status == 304:
            self._seen.keep_feed(replace(feed, due=0.0, failures=0, told=""))
        elif answer.status == 410:
            yield from self._failed(feed, "The feed is gone for good; leave it out.", _GONE)
        elif answer.status != 200:
            if answer.status in (429, 503):
                self._pause(host, answer.retry)
            reason = f"It answers with status {answer.status}; it is asked again later."
            yield from self._failed(feed, reason, answer.retry)
        else:
            yield from self._take(feed, answer)

    def _take(self, feed: Feed, answer: Fetched) -> Iterator[Found]:
        try:
            listed = entries(answer.content, answer.url)
        except ValueError as error:
            yield from self._failed(feed, f"It cannot be read. {error}", None)
            return
        trusted = host_of(feed.url) if answer.private else ""
        items = [_item(feed.url, e, answer.url, trusted) for e in listed if e.kind in _KINDS]
        if answer.moved and answer.moved != feed.address:
            reason = f"The feed has moved to {answer.moved} for good; name that one from now on."
            yield Found(ReadProblem(feed.url, reason))
        known = Feed(feed.url, answer.moved or feed.address, answer.etag, answer.modified)
        self._seen.keep_feed(known, items, self._now())

    def _failed(self, feed: Feed, reason: str, retry: float | None) -> Iterator[Found]:
        """Put a feed off; tell why, unless that was the last thing told of it."""
        self._seen.keep_feed(
            replace(
                feed,
                due=self._now() + _wait(feed.failures, retry),
                failures=feed.failures + 1,
                told=reason,
            )
        )
        if reason != feed.told:
            yield Found(ReadProblem(feed.url, reason))

    # Pages

    def _read_page(self, item: Item) -> Iterator[Found]:
        """Read the page of an item; yield nothing where it is to be tried again."""
        if not item.link:
            yield Found(self._own_text(item, "The item names no page."), item)
            return
        host = host_of(item.link)
        until, failures = self._seen.host(host)
        if self._now() < until:
            return
        try:
            answer = self._fetcher.get(item.link, trusted=item.trusted)
        except FetchError as error:
            if not error.lasting:
                self._pause(host, error.retry)
                yield from self._again(item, f"{error}.")
            else:
                yield Found(self._own_text(item, f"{error}."), item)
            return
        reason = f"It answers with status {answer.status}."
        if answer.status in (429, 503):
            self._pause(host, answer.retry)
            if answer.retry is None:
                yield from self._again(item, reason)
            return
        if failures:
            self._seen.keep_host(host, 0.0, 0)
        if answer.status >= 500:
            yield from self._again(item, reason)
        elif answer.status != 200:
            yield Found(self._own_text(item, reason), item)
        else:
            yield Found(self._article(item, answer), item)

    def _again(self, item: Item, reason: str) -> Iterator[Found]:
        """Leave an item for another time, or give it up."""
        if item.tries + 1 >= _TRIES:
            yield Found(self._own_text(item, reason), item)
        else:
            self._seen.count_try(item)

    def _pause(self, host: str, retry: float | None) -> None:
        failures = self._seen.host(host)[1]
        self._seen.keep_host(host, self._now() + _wait(failures, retry), failures + 1)

    def _article(self, item: Item, answer: Fetched) -> Article | ReadProblem:
        """Read an item's page: its address is the item's, so is its date where it has none."""
        if answer.kind not in _PAGES:
            return self._own_text(item, f"It is {answer.kind}, not a page.")
        publisher = self._publisher or host_of(item.link)
        file = InputFile(
            item.link,
            publisher,
            self._today(),
            buffered(answer.content),
            wide_encoding(answer.content[:4096]),
            zone=self._zone,
        )
        found = next(page.read(file))
        if isinstance(found, ReadProblem):
            return self._own_text(item, found.reason)
        return replace(
            found,
            id=article_id(None, found.publisher, item.link, found.title, found.body),
            url=item.link,
            published=found.published or date_of(item.date, self._today(), self._zone),
        )

    def _own_text(self, item: Item, reason: str) -> Article | ReadProblem:
        """Return the article that the feed itself holds, a problem where it holds a teaser."""
        if not item.text:
            return ReadProblem(item.link or item.feed, reason)
        publisher = canonical_publisher(self._publisher or host_of(item.link or item.feed))
        return Article(
            id=article_id(None, publisher, item.link, item.title, item.text),
            publisher=publisher,
            title=item.title,
            body=item.text,
            url=item.link,
            published=date_of(item.date, self._today(), self._zone),
        )

    def _today(self) -> dt.date:
        return dt.datetime.fromtimestamp(self._now()).date()


def _wait(failures: int, retry: float | None) -> float:
    """Return the seconds to wait after so many failures before, or as the other side asks."""
    if retry is not None:
        return min(retry, _LONGEST_ASKED)
    return min(_FIRST_WAIT * 2.0 ** min(failures, 20), _LONGEST_WAIT)


def _item(feed: str, entry: Entry, base: str, trusted: str) -> Item:
    try:
        link = urljoin(base, entry.link) if entry.link else ""
        urlsplit(link)
    except ValueError:
        link = ""
    text = "\0".join((entry.title, entry.published, entry.text)).encode("utf-8", "replace")
    key = entry.id or link or hashlib.blake2b(text, digest_size=16).hexdigest()
    own = entry.text if entry.kind == "article" else ""
    return Item(feed, key, link, entry.title, entry.published, own, trusted)
