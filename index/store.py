"""The passage store of one version: articles, passages, authors, acronyms, and what a filter means.

    parts/0001/passages.db   articles and passages of the part, in SQLite
    removed.npz              rows and articles of the parts that are no longer there
    names.db                 names, and how many articles hold each: see `index.names`
    acronyms.json            acronyms, what they stand for, and how many articles say so

A passage is a row and an article a number, given once; engines know them by these alone. A part is
never written again: the next version links to it, adds a part of its own and a new removed.npz.
When parts pile up they are merged, again into a part of the version being written. Rows keep their
numbers through a merge, and the rows of a part are all below those of the next. An engine may keep
files of its own in a part's folder.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import heapq
import json
import sqlite3
import threading
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from index import manifest as manifests
from index.acronyms import Acronyms, introduced
from index.engines.contract import LAST_DAY, UNDATED, Columns, RowFilter, Rows
from index.errors import IndexDamagedError
from index.files import link_tree
from index.names import Names, NamesWriter, folded
from index.records import Filter, Match, Passage
from index.sqlite import connect_finished, connect_new, finished_uri, select

# More parts than this are merged; so is everything once this share of all rows is removed.
MOST_PARTS = 8
MOST_REMOVED = 0.3
# A part is left out of a merge while those after it together are below this share of it.
SMALL_SHARE = 0.3

_DATABASE, _REMOVED, _ACRONYMS = "passages.db", "removed.npz", "acronyms.json"
_REMEMBERED, _KEPT_READ = 100_000, 4_096
"""Passages of which the row is remembered, and which are kept as read."""

_SCHEMA = """
    CREATE TABLE article (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
        story_id TEXT NOT NULL, publisher TEXT NOT NULL, published TEXT,
        title TEXT NOT NULL, url TEXT NOT NULL, content TEXT NOT NULL,
        passages INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE passage (
        row INTEGER PRIMARY KEY, article INTEGER NOT NULL, number INTEGER NOT NULL,
        spans TEXT NOT NULL, text TEXT NOT NULL);
    CREATE TABLE acronym (article INTEGER NOT NULL, short TEXT NOT NULL, meaning TEXT NOT NULL);
    CREATE TABLE author (name TEXT NOT NULL, article INTEGER NOT NULL,
        PRIMARY KEY (name, article)) WITHOUT ROWID;
"""
_SCHEMA_OF_HEADLINES = """
    CREATE TABLE headline (rank INTEGER PRIMARY KEY, article INTEGER NOT NULL);
    CREATE VIRTUAL TABLE headline_words USING fts5(
        words, content='', columnsize=0, detail=none, prefix='2 3');
"""
_KEYS = {"article": "number", "passage": "article", "acronym": "article", "author": "article"}
"""Each table's column of the article's number."""
_INDEXES = """
    CREATE UNIQUE INDEX passage_article ON passage (article, number);
    CREATE INDEX article_story ON article (story_id);
"""


@dataclass(frozen=True, slots=True)
class ArticleEntry:
    """An article in the index: its fingerprint tells whether it must be indexed again."""

    id: str
    fingerprint: str
    story_id: str
    publisher: str
    published: dt.date | None
    authors: tuple[str, ...] = ()


class Totals(NamedTuple):
    """What all articles of a version hold; `publishers` are (name, articles), biggest first."""

    articles: int
    passages: int
    stories: int
    newest: dt.date | None
    oldest: dt.date | None
    publishers: tuple[tuple[str, int], ...]


class Headline(NamedTuple):
    """The headline of an article."""

    title: str
    article_id: str
    story_id: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Parts that were merged `into` another one, but for articles `gone`."""

    parts: tuple[str, ...]
    into: str
    gone: frozenset[int]


# Reading -----------------------------------------------------------------------------------------


class Store:
    """The passages of a finished version; safe to use from many threads."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._acronyms: Acronyms | None = None
        self._authors: Mapping[str, int] | None = None
        # What a question finds is asked for several times: its rows, its passages.
        self._row_of: dict[str, int] = {}
        self._read: dict[str, Passage] = {}
        self._parts: list[sqlite3.Connection] = []
        self._names: Names | None = None
        self._firsts: list[int] = []
        try:
            with manifests.reading(folder):
                names = manifest["publisher_codes"]
                self._publishers = {name: code for code, name in enumerate(names)}
                self.removed, self._gone = _read_removed(folder)
                for part in manifest["parts"]:
                    self._open(folder / part)
        except BaseException:
            self.close()
            raise

    def _open(self, part: Path) -> None:
        db = connect_finished(part / _DATABASE)
        self._parts.append(db)
        (first,) = db.execute("SELECT min(row) FROM passage").fetchone()
        if first is None:
            # Articles of nothing but boilerplate leave a part without rows.
            self._parts.pop().close()
        else:
            self._firsts.append(first)

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order; an unknown id is an error."""
        with self._lock, manifests.reading(self._folder):
            found = {i: self._read[i] for i in passage_ids if i in self._read}
            fresh: dict[str, Passage] = {}
            rows = self.rows([i for i in dict.fromkeys(passage_ids) if i not in found])
            for db, mine in self._by_part(rows):
                some = map(_passage, select(db, _SELECT_PASSAGE, mine))
                fresh.update((passage.id, passage) for passage in some)
            if len(self._read) + len(fresh) > _KEPT_READ:
                self._read.clear()
            self._read.update(fresh if len(fresh) <= _KEPT_READ else {})
            found.update(fresh)
            return [found[passage_id] for passage_id in passage_ids]

    def rows(self, passage_ids: Sequence[str]) -> list[int]:
        """Return the rows of passages; raises IndexDamagedError for an unknown one."""
        with self._lock, manifests.reading(self._folder):
            found = {i: self._row_of[i] for i in passage_ids if i in self._row_of}
            missing = set(passage_ids) - found.keys()
            for db in reversed(self._parts):
                if not missing:
                    break
                articles = list({passage_id.rpartition("#")[0] for passage_id in missing})
                for row, number, passage_id in select(db, _SELECT_ROW, articles):
                    if passage_id in missing and number not in self._gone:
                        found[passage_id] = row
                missing -= found.keys()
            self._remember(found)
        if missing:
            raise IndexDamagedError(
                f"Passage {min(missing)!r} is not in version {self._folder.name!r}. "
                f"{manifests.REPAIR}"
            )
        return [found[passage_id] for passage_id in passage_ids]

    def ids(self, rows: Sequence[int]) -> list[str]:
        """Return the ids of the passages in these rows, in this order."""
        ids: dict[int, str] = {}
        with self._lock, manifests.reading(self._folder):
            for db, mine in self._by_part(rows):
                ids.update((row, passage_id) for row, passage_id in select(db, _SELECT_ID, mine))
            self._remember({passage_id: row for row, passage_id in ids.items()})
            return [ids[row] for row in rows]

    def matches(self, rows: Sequence[int], scores: Sequence[float]) -> list[Match]:
        """Return the articles of these rows in this order, each with the first of its rows."""
        found: dict[int, tuple[Any, ...]] = {}
        with self._lock, manifests.reading(self._folder):
            for db, mine in self._by_part(rows):
                found.update((row, tuple(told)) for row, *told in select(db, _SELECT_MATCH, mine))
            first: dict[str, Match] = {}
            for row, score in zip(rows, scores, strict=True):
                match = _match(found[row], score)
                first.setdefault(match.article_id, match)
        return list(first.values())

    def newest(self, wanted: Filter, k: int) -> list[Match]:
        """Return the k newest articles that pass a filter, undated ones last."""
        where, values = ["p.number = 0"], list[str]()
        if wanted.publishers:
            where.append(f"a.publisher IN ({','.join('?' * len(wanted.publishers))})")
            values += wanted.publishers
        if wanted.authors:
            names = ",".join("?" * len(wanted.authors))
            where.append(f"a.number IN (SELECT article FROM author WHERE name IN ({names}))")
            values += wanted.authors
        if wanted.dated:
            where.append("a.published BETWEEN ? AND ?")
            ends = (wanted.after or dt.date.min, wanted.before or dt.date.max)
            values += [end.isoformat() for end in ends]
        query = f"SELECT a.number, {_MATCH} WHERE {' AND '.join(where)}"
        query += " ORDER BY a.published DESC, a.id"
        found: list[Match] = []
        with self._lock, manifests.reading(self._folder):
            for db in self._parts_with("author") if wanted.authors else self._parts:
                there = (told for told in db.execute(query, values) if told[0] not in self._gone)
                found += [_match(told, 0.0) for _, *told in islice(there, k)]
        found.sort(key=lambda match: match.published or dt.date.min, reverse=True)
        return found[:k]

    def sizes(self, article_ids: Sequence[str]) -> list[int]:
        """Return how many passages each article has: its ids "#0" and on; 0 for an unknown one."""
        found: dict[str, int] = {}
        query = "SELECT id, number, passages FROM article WHERE id IN"
        with self._lock, manifests.reading(self._folder):
            for db in self._parts:
                rows = select(db, query, article_ids)
                found.update((i, count) for i, number, count in rows if number not in self._gone)
        return [found.get(article_id, 0) for article_id in article_ids]

    def authors(self) -> Mapping[str, int]:
        """Return who wrote articles that can be found, with how many, those of most first."""
        with self._lock, manifests.reading(self._folder):
            if self._authors is None:
                counts: Counter[str] = Counter()
                for db in self._parts_with("author"):
                    pairs = db.execute(_AUTHORS)
                    counts.update(name for number, name in pairs if number not in self._gone)
                self._authors = dict(counts.most_common())
            return self._authors

    def acronyms(self) -> Acronyms:
        """Return the acronyms that the articles introduce."""
        with self._lock, manifests.reading(self._folder):
            if self._acronyms is None:
                path = self._folder / _ACRONYMS
                if path.exists():
                    read = json.loads(path.read_text(encoding="utf-8"))
                    counts = Counter({(short, long): count for short, long, count in read})
                else:
                    counts = _count_acronyms(self._parts_with("acronym"), self._gone)
                self._acronyms = Acronyms(counts)
            return self._acronyms

    def headlines(self, words: Sequence[str], k: int) -> list[Headline]:
        """Return at most k headlines with all of these words, the newest first; of no words, any.

        Words are folded as by `index.names`; of the last one its beginning is enough. What several
        articles have for a headline comes once.
        """
        query, values = _NEWEST, list[str]()
        if words:
            wanted = " ".join(f'"{word}"' for word in words) + "*"
            query, values = _HEADLINES, [wanted]
        found: dict[str, Headline] = {}
        with self._lock, manifests.reading(self._folder):
            dbs = self._parts_with("headline")
            for _, number, *headline in heapq.merge(
                *(db.execute(query, values) for db in dbs), reverse=True
            ):
                if number not in self._gone:
                    found.setdefault(folded(headline[0]), Headline(*headline))
                if len(found) == k:
                    break
        return list(found.values())

    def names(self, key: str, k: int) -> list[tuple[str, int]]:
        """Return names that begin, at one of their words, as `key`; see `Names.beginning`."""
        with self._lock, manifests.reading(self._folder):
            if self._names is None:
                self._names = Names(self._folder)
            return self._names.beginning(key, k)

    def row_filter(self, wanted: Filter) -> RowFilter | None:
        """Return what a filter means for rows; None if no row can pass."""
        publishers: tuple[int, ...] | None = None
        articles: Rows | None = None
        if wanted.publishers:
            known = self._publishers
            publishers = tuple(known[name] for name in wanted.publishers if name in known)
        if wanted.authors:
            query = "SELECT article FROM author WHERE name IN"
            with self._lock, manifests.reading(self._folder):
                dbs = self._parts_with("author")
                numbers = {n for db in dbs for (n,) in select(db, query, wanted.authors)}
            articles = np.array(sorted(numbers), dtype=np.int64)
        if publishers == () or (articles is not None and not len(articles)):
            return None
        first = wanted.after.toordinal() if wanted.after else UNDATED + wanted.dated
        last = wanted.before.toordinal() if wanted.before else LAST_DAY
        return RowFilter(first, last, publishers, articles)

    def close(self) -> None:
        """Close the databases."""
        for db in self._parts:
            db.close()
        if self._names is not None:
            self._names.close()

    def _parts_with(self, table: str) -> list[sqlite3.Connection]:
        """Return the parts that are not older than a table; a rollback may bring back others."""
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return [db for db in self._parts if db.execute(query, (table,)).fetchone()]

    def _by_part(self, rows: Sequence[int]) -> Iterator[tuple[sqlite3.Connection, list[int]]]:
        by_part: dict[int, list[int]] = {}
        for row in rows:
            by_part.setdefault(bisect(self._firsts, row) - 1, []).append(row)
        return ((self._parts[at], mine) for at, mine in by_part.items())

    def _remember(self, found: Mapping[str, int]) -> None:
        if len(self._row_of) > _REMEMBERED:
            self._row_of.clear()
        self._row_of.update(found)


def fingerprints(
    folder: Path, manifest: Mapping[str, Any], article_ids: Sequence[str] | None = None
) -> dict[str, str]:
    """Return the fingerprint of each article in a version, or of those of these that it has."""
    with manifests.reading(folder), ExitStack() as stack:
        gone = _read_removed(folder)[1]
        files = [folder / part / _DATABASE for part in manifest["parts"]]
        dbs = [stack.enter_context(closing(connect_finished(file))) for file in files]
        known = _articles(dbs, gone, article_ids)
        return {i: fingerprint for i, (_, fingerprint) in known.items()}


# Writing -----------------------------------------------------------------------------------------


class StoreWriter:
    """Writes the store of one version, on top of the one in `base` if given."""

    def __init__(self, folder: Path, base: Path | None, manifest: Mapping[str, Any]) -> None:
        self._folder = folder
        self._parts: dict[str, sqlite3.Connection] = {}
        self._new: _NewPart | None = None
        self._put: dict[str, tuple[int, str]] = {}
        self._publishers: dict[str, int] = {}
        self._next_row = self._next_article = 0
        self._gone: set[int] = set()
        self._removed: set[int] = set()
        self._names = NamesWriter(folder, base)
        if base is not None:
            with manifests.reading(base):
                names = manifest["publisher_codes"]
                self._publishers = {name: code for code, name in enumerate(names)}
                self._next_row, self._next_article = manifest["next_row"], manifest["next_article"]
                parts = list(manifest["parts"])
                rows, gone = _read_removed(base)
            self._gone, self._removed = set(gone), set(rows.tolist())
            for part in parts:
                link_tree(base / part, folder / part)
                self._open(part)

    def _open(self, part: str) -> None:
        self._parts[part] = connect_finished(self._folder / part / _DATABASE)

    def indexed(self, article_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return the fingerprint of each article in the version so far; of these, if given."""
        return {i: fingerprint for i, (_, fingerprint) in self._known(article_ids).items()}

    def _known(self, article_ids: Sequence[str] | None) -> dict[str, tuple[int, str]]:
        with manifests.reading(self._folder):
            known = _articles(self._parts.values(), self._gone, article_ids)
        if article_ids is None:
            return known | self._put
        return known | {i: self._put[i] for i in article_ids if i in self._put}

    def drop(self, article_ids: Sequence[str]) -> tuple[list[int], list[int]]:
        """Remove articles; return their numbers and rows. Unknown ids are passed over."""
        known = self._known(article_ids)
        numbers = [number for number, _ in known.values()]
        dbs = list(self._parts.values())
        # Without an index yet, the new part is read only where it must hold one of them.
        if self._new and known.keys() & self._put.keys():
            dbs.append(self._new.db)
        query = "SELECT row, article, text FROM passage WHERE article IN"
        rows = []
        texts: dict[int, list[str]] = {}
        with manifests.reading(self._folder):
            for db in dbs:
                for row, number, piece in select(db, query, numbers):
                    rows.append(row)
                    texts.setdefault(number, []).append(piece)
        self._names.count(texts.values(), -1)
        for article_id in known:
            self._put.pop(article_id, None)
        self._gone.update(numbers)
        self._removed.update(rows)
        return numbers, rows

    def put(
        self, entries: Sequence[ArticleEntry], passages: Sequence[Passage]
    ) -> tuple[str, Columns]:
        """Add articles that are not there; return their part and the passages' columns."""
        if self._new is None:
            self._new = _NewPart(self._folder, self._next_part())
        by_id = {entry.id: entry for entry in entries}
        numbers = {i: number for number, i in enumerate(by_id, start=self._next_article)}
        self._next_article += len(by_id)
        self._put.update({i: (numbers[i], entry.fingerprint) for i, entry in by_id.items()})
        known = self._publishers
        columns = Columns(
            np.arange(self._next_row, self._next_row + len(passages), dtype=np.int64),
            np.array([numbers[p.article_id] for p in passages], dtype=np.int64),
            np.array([_day(p.published) for p in passages], dtype=np.int32),
            np.array([known.setdefault(p.publisher, len(known)) for p in passages], dtype=np.int32),
        )
        self._next_row += len(passages)
        self._new.add(by_id.values(), numbers, passages, columns.row.tolist())
        texts: dict[str, list[str]] = {}
        for passage in passages:
            texts.setdefault(passage.article_id, []).append(passage.text)
        self._names.count(texts.values(), 1)
        return self._new.name, columns

    def merge(self) -> Merge | None:
        """Finish the new part, and merge parts where they pile up; see `Merge`.

        Those from the first part on that is not much larger than all after it are merged, so that
        a large part is written again only when the archive has grown by a share of it. All are
        where much is removed.
        """
        if self._new is not None:
            self._finish(self._new)
            self._new = None
        sizes: list[int] = []
        lasts: list[int] = []
        for db in self._parts.values():
            count, last = db.execute(_SIZE).fetchone()
            sizes.append(count)
            lasts.append(last if last is not None else lasts[-1] if lasts else -1)
        begin = 0
        if len(self._removed) <= MOST_REMOVED * sum(sizes):
            if len(sizes) <= MOST_PARTS:
                return None
            while begin < len(sizes) - 2 and sum(sizes[begin + 1 :]) <= SMALL_SHARE * sizes[begin]:
                begin += 1
        merged, into = tuple(self._parts)[begin:], self._next_part()
        target = _NewPart(self._folder, into)
        gone: set[int] = set()
        for part in merged:
            gone |= target.take(self._folder / part, self._gone)
            self._parts.pop(part).close()
        self._finish(target)
        self._gone -= gone
        if begin:
            removed = sorted(self._removed)
            self._removed = set(removed[: bisect(removed, lasts[begin - 1])])
        else:
            self._removed.clear()
        return Merge(merged, into, frozenset(gone))

    def finish(self) -> tuple[Totals, Mapping[str, Any]]:
        """Write what is not in the parts; return what there is, and values for the manifest.

        Call `merge` first, which finishes the parts.
        """
        np.savez(
            self._folder / _REMOVED,
            rows=np.array(sorted(self._removed), dtype=np.int64),
            articles=np.array(sorted(self._gone), dtype=np.int64),
        )
        for db in self._parts.values():
            db.execute("CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY)")
            db.executemany("INSERT INTO gone VALUES (?)", ((number,) for number in self._gone))
        self._write_acronyms()
        self._names.finish()
        totals = self._totals()
        self.abort()
        extra = {
            "publisher_codes": list(self._publishers),
            "parts": list(self._parts),
            "next_row": self._next_row,
            "next_article": self._next_article,
        }
        return totals, extra

    def abort(self) -> None:
        """Close what is open."""
        self._names.abort()
        for db in self._parts.values():
            db.close()
        if self._new is not None:
            self._new.db.close()

    def _finish(self, part: _NewPart) -> None:
        part.finish()
        self._open(part.name)

    def _next_part(self) -> str:
        last = max((int(name.rpartition("/")[2]) for name in self._parts), default=0)
        return f"parts/{last + 1:04d}"

    def _write_acronyms(self) -> None:
        """Put by what a question needs of the acronyms; counting takes a third of a second."""
        counts = _count_acronyms(self._parts.values(), self._gone)
        meanings = {a: " ".join(names) for a, names in Acronyms(counts).meanings.items()}
        written = json.dumps([(*pair, counts[pair]) for pair in sorted(meanings.items())])
        (self._folder / _ACRONYMS).write_text(written, encoding="utf-8")

    def _totals(self) -> Totals:
        publishers: Counter[str] = Counter()
        days: list[str] = []
        passages = 0
        for db in self._parts.values():
            for publisher, articles, count, *some in db.execute(_BY_PUBLISHER):
                publishers[publisher] += articles
                passages += count
                days.extend(filter(None, some))
        return Totals(
            articles=publishers.total(),
            passages=passages,
            stories=_stories(list(self._parts.values())),
            newest=dt.date.fromisoformat(max(days)) if days else None,
            oldest=dt.date.fromisoformat(min(days)) if days else None,
            publishers=tuple(publishers.most_common()),
        )


class _NewPart:
    """A part being written."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        (folder / name).mkdir(parents=True)
        self.db = connect_new(folder / name / _DATABASE)
        self.db.executescript(f"{_SCHEMA} BEGIN;")

    def add(
        self,
        entries: Iterable[ArticleEntry],
        numbers: Mapping[str, int],
        passages: Sequence[Passage],
        rows: Sequence[int],
    ) -> None:
        """Add articles by their numbers, and passages by their rows."""
        first = {p.article_id: p for p in reversed(passages)}
        counts = Counter(p.article_id for p in passages)
        for entry in entries:
            number, some = numbers[entry.id], first.get(entry.id)
            values = (number, entry.id, entry.fingerprint, entry.story_id, entry.publisher)
            day = entry.published.isoformat() if entry.published else None
            text = (some.title, some.url, some.content) if some else ("", "", "")
            # The id of an article that was put before, and is removed, is free again.
            self.db.execute(
                "INSERT OR REPLACE INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, day, *text, counts[entry.id]),
            )
            names = ((name, number) for name in entry.authors)
            self.db.executemany("INSERT OR IGNORE INTO author VALUES (?, ?)", names)
        self.db.executemany(
            "INSERT INTO passage VALUES (?, ?, ?, ?, ?)",
            (
                (row, numbers[p.article_id], p.id.rpartition("#")[2], json.dumps(p.spans), p.text)
                for row, p in zip(rows, passages, strict=True)
            ),
        )
        learned = {(numbers[p.article_id], *pair) for p in passages for pair in introduced(p.text)}
        self.db.executemany("INSERT INTO acronym VALUES (?, ?, ?)", sorted(learned))

    def take(self, part: Path, removed: Set[int]) -> set[int]:
        """Copy a part but its removed articles; return the numbers of those."""
        self.db.execute("COMMIT")
        self.db.execute("ATTACH ? AS old", (finished_uri(part / _DATABASE),))
        self.db.execute("BEGIN")
        # What was put first of an article that was put twice has passages, and no article.
        numbers = self.db.execute(
            "SELECT number FROM old.article UNION SELECT article FROM old.passage"
        )
        gone = {row[0] for row in numbers} & removed
        self.db.execute("CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY)")
        self.db.executemany("INSERT INTO gone VALUES (?)", ((number,) for number in gone))
        for table, key in _KEYS.items():
            there = f"WHERE {key} NOT IN (SELECT number FROM gone)"
            self.db.execute(f"INSERT INTO main.{table} SELECT * FROM old.{table} {there}")
        self.db.execute("DROP TABLE temp.gone")
        self.db.execute("COMMIT")
        self.db.execute("DETACH old")
        self.db.execute("BEGIN")
        return gone

    def finish(self) -> None:
        self.db.execute("COMMIT")
        self.db.executescript(_INDEXES)
        self._index_headlines()
        self.db.close()

    def _index_headlines(self) -> None:
        """Index the headlines, each ranked by its day and then by what hangs on its id alone."""
        self.db.executescript(f"{_SCHEMA_OF_HEADLINES} BEGIN;")
        titled = "SELECT id, number, published, title FROM article WHERE passages > 0"
        rows = self.db.execute(f"{titled} AND title != ''").fetchall()
        ranked = {_rank(day, i): (number, title) for i, number, day, title in rows}
        self.db.executemany(
            "INSERT INTO headline VALUES (?, ?)", ((r, n) for r, (n, _) in ranked.items())
        )
        self.db.executemany(
            "INSERT INTO headline_words (rowid, words) VALUES (?, ?)",
            ((rank, folded(ranked[rank][1])) for rank in sorted(ranked)),
        )
        self.db.execute("INSERT INTO headline_words (headline_words) VALUES ('optimize')")
        self.db.execute("COMMIT")


_THERE = "FROM article WHERE number NOT IN (SELECT number FROM gone)"
_BY_PUBLISHER = (
    "SELECT publisher, count(*), sum(passages), min(published), max(published) "
    f"{_THERE} GROUP BY publisher"
)
_SIZE = "SELECT (SELECT count(*) FROM passage), (SELECT max(row) FROM passage)"
_AUTHORS = """SELECT article, name FROM author JOIN article a ON a.number = article
    WHERE a.passages > 0"""
_ID = "a.id || '#' || p.number"
_OF_ARTICLE = "FROM passage p JOIN article a ON a.number = p.article"
_SELECT_PASSAGE = f"""SELECT {_ID}, a.id, a.story_id, p.text, p.spans, a.title, a.publisher, a.url,
    a.published, a.content {_OF_ARTICLE} WHERE p.row IN"""
_SELECT_ROW = f"SELECT p.row, a.number, {_ID} {_OF_ARTICLE} WHERE a.id IN"
_SELECT_ID = f"SELECT p.row, {_ID} {_OF_ARTICLE} WHERE p.row IN"
_NEWEST = """SELECT h.rank, number, title, id, story_id FROM headline h
    JOIN article ON number = article ORDER BY h.rank DESC"""
_HEADLINES = """SELECT w.rowid, number, title, id, story_id FROM headline_words w
    JOIN headline h ON h.rank = w.rowid JOIN article ON number = article
    WHERE headline_words MATCH ? ORDER BY w.rowid DESC"""
_MATCH = f"{_ID}, a.id, a.story_id, a.publisher, a.published {_OF_ARTICLE}"
_SELECT_MATCH = f"SELECT p.row, {_MATCH} WHERE p.row IN"
_SELECT_ARTICLE = "SELECT id, number, fingerprint FROM article"


def _articles(
    dbs: Iterable[sqlite3.Connection], gone: Set[int], article_ids: Sequence[str] | None
) -> dict[str, tuple[int, str]]:
    """Return (number, fingerprint) of each article that is there; of these, if given."""
    known: dict[str, tuple[int, str]] = {}
    for db in dbs:
        rows: Iterable[Sequence[Any]] = (
            db.execute(_SELECT_ARTICLE)
            if article_ids is None
            else select(db, f"{_SELECT_ARTICLE} WHERE id IN", article_ids)
        )
        known.update((i, (number, f)) for i, number, f in rows if number not in gone)
    return known


def _stories(dbs: Sequence[sqlite3.Connection]) -> int:
    """Count the stories of all parts; those of the first, the largest as a rule, by its index."""
    if not dbs:
        return 0
    first, *others = dbs
    distinct = f"SELECT DISTINCT story_id {_THERE}"
    found = {story for db in others for (story,) in db.execute(distinct)}
    total = int(first.execute(f"SELECT count(*) FROM ({distinct})").fetchone()[0])
    # A story of several groups of values would come several times.
    known = {story for (story,) in select(first, f"{distinct} AND story_id IN", list(found))}
    return total + len(found - known)


def _count_acronyms(dbs: Iterable[sqlite3.Connection], gone: Set[int]) -> Counter[tuple[str, str]]:
    """Count the articles that introduce each (acronym, meaning)."""
    query = "SELECT article, short, meaning FROM acronym"
    rows = (row for db in dbs for row in db.execute(query))
    return Counter((short, meaning) for article, short, meaning in rows if article not in gone)


def _passage(row: Sequence[Any]) -> Passage:
    passage_id, article_id, story_id, text, raw, title, publisher, url, published, content = row
    spans = tuple((start, end) for start, end in json.loads(raw))
    day = dt.date.fromisoformat(published) if published else None
    return Passage(
        passage_id, article_id, story_id, text, spans, title, publisher, url, day, content
    )


def _match(row: Sequence[Any], score: float) -> Match:
    passage_id, article_id, story_id, publisher, published = row
    day = dt.date.fromisoformat(published) if published else None
    return Match(passage_id, article_id, story_id, publisher, day, score)


def _rank(published: str | None, article_id: str) -> int:
    """Return a number, at most 63 bits, that is higher the newer an article is, and its own."""
    day = dt.date.fromisoformat(published).toordinal() if published else 0
    own = hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=5).digest()
    return day << 40 | int.from_bytes(own, "big")


def _day(published: dt.date | None) -> int:
    return published.toordinal() if published else UNDATED


def _read_removed(folder: Path) -> tuple[Rows, frozenset[int]]:
    with manifests.ARRAYS, np.load(folder / _REMOVED) as removed:
        return removed["rows"], frozenset(removed["articles"].tolist())
