"""What a version in Milvus keeps beside it, in one SQLite file: its articles, stems and acronyms.

An article has `slots` rows in Milvus from `first_row` on: passage "{id}#{n}" is row first_row + n.
A stem's number is its dimension in the lexical vectors.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.engines.contract import ArticleEntry
from index.records import Passage
from index.sqlite import connect

FILE_NAME = "catalog.db"

_ASKED = 10_000
_SCHEMA = """
    CREATE TABLE article (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
        story_id TEXT NOT NULL, publisher TEXT NOT NULL, published TEXT,
        title TEXT NOT NULL, url TEXT NOT NULL, content TEXT NOT NULL,
        first_row INTEGER NOT NULL, slots INTEGER NOT NULL, passages INTEGER NOT NULL);
    CREATE INDEX article_row ON article (first_row) WHERE slots > 0;
    CREATE TABLE stem (
        dimension INTEGER PRIMARY KEY, stem TEXT NOT NULL UNIQUE, passages INTEGER NOT NULL);
    CREATE TABLE acronym (article INTEGER NOT NULL, short TEXT NOT NULL, meaning TEXT NOT NULL);
    CREATE INDEX acronym_article ON acronym (article);
    CREATE TABLE author (name TEXT NOT NULL, article INTEGER NOT NULL,
        PRIMARY KEY (name, article)) WITHOUT ROWID;
    CREATE INDEX author_article ON author (article);
"""
_ARTICLE = "number, id, story_id, publisher, published, title, url, content, first_row, slots"


@dataclass(frozen=True, slots=True)
class CatalogArticle:
    """An article as the catalogue holds it; `published` is an ISO date or None."""

    number: int
    id: str
    story_id: str
    publisher: str
    published: str | None
    title: str
    url: str
    content: str
    first_row: int
    slots: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What all articles together hold."""

    articles: int
    passages: int
    stories: int
    newest: str | None
    oldest: str | None
    publishers: tuple[tuple[str, int], ...]


class Catalog:
    """The catalogue of one version: read from any thread, or written by one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._lock = threading.Lock()

    @classmethod
    def read(cls, path: Path) -> Catalog:
        """Open a published catalogue, which nobody writes to."""
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return cls(connect(uri, uri=True, check_same_thread=False))

    @classmethod
    def create(cls, path: Path, base: Path | None) -> Catalog:
        """Begin a catalogue as a copy of `base`, or empty."""
        if base is not None:
            shutil.copyfile(base, path)
        db = connect(path)
        # Nobody reads it before it is complete, so a journal would only cost time.
        db.execute("PRAGMA journal_mode=OFF")
        db.execute("PRAGMA synchronous=OFF")
        if base is None:
            db.executescript(_SCHEMA)
        db.execute("BEGIN")
        return cls(db)

    # Reading

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprint of each article."""
        with self._lock:
            return dict(self._db.execute("SELECT id, fingerprint FROM article"))

    def articles(self, ids: Iterable[str]) -> dict[str, CatalogArticle]:
        """Return the articles that are there, by id."""
        rows = self._select(f"SELECT {_ARTICLE} FROM article WHERE id IN", list(ids))
        return {row[1]: CatalogArticle(*row) for row in rows}

    def all_articles(self) -> Iterator[CatalogArticle]:
        """Yield every article that has rows, in their order."""
        query = f"SELECT {_ARTICLE} FROM article WHERE slots > 0 ORDER BY first_row"
        for row in self._db.execute(query):
            yield CatalogArticle(*row)

    def passage_ids(self, rows: Iterable[int]) -> list[str]:
        """Return the ids of the passages in these rows, in this order."""
        query = """SELECT id, first_row FROM article WHERE slots > 0 AND first_row <= ?
            ORDER BY first_row DESC LIMIT 1"""
        found = []
        with self._lock:
            for row in rows:
                article_id, first = self._db.execute(query, (row,)).fetchone()
                found.append(f"{article_id}#{row - first}")
        return found

    def stems(self, stems: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (dimension, passages) of each stem that stands in a passage."""
        query = "SELECT stem, dimension, passages FROM stem WHERE passages > 0 AND stem IN"
        return {stem: (dimension, n) for stem, dimension, n in self._select(query, stems)}

    def acronyms(self) -> Counter[tuple[str, str]]:
        """Count the articles that introduce each (acronym, meaning)."""
        query = "SELECT short, meaning, count(*) FROM acronym GROUP BY short, meaning"
        with self._lock:
            return Counter({(short, long): n for short, long, n in self._db.execute(query)})

    def authors(self) -> dict[str, int]:
        """Return the authors with the number of their articles, those of most first."""
        query = (
            "SELECT name, count(*) FROM author b JOIN article a ON a.number = b.article "
            "WHERE a.passages > 0 GROUP BY name ORDER BY 2 DESC, 1"
        )
        with self._lock:
            if not self._keeps_authors():
                return {}
            return dict(self._db.execute(query).fetchall())

    def rows_by(self, authors: Sequence[str]) -> list[int]:
        """Return the rows of the articles of any of these authors."""
        if not self._keeps_authors():
            return []
        found = self._select(
            "SELECT a.first_row, a.slots FROM article a JOIN author b ON b.article = a.number "
            "WHERE b.name IN",
            list(authors),
        )
        return sorted({row for first, slots in found for row in range(first, first + slots)})

    def _keeps_authors(self) -> bool:
        """Tell whether the catalogue is younger than the filter by author."""
        asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'author'"
        return self._db.execute(asked).fetchone() is not None

    def totals(self) -> Totals:
        """Return what all articles together hold."""
        with self._lock:
            one = "SELECT count(*), coalesce(sum(passages), 0), count(DISTINCT story_id), "
            values = self._db.execute(f"{one} max(published), min(published) FROM article")
            articles, passages, stories, newest, oldest = values.fetchone()
            publishers = self._db.execute(
                "SELECT publisher, count(*) FROM article GROUP BY publisher ORDER BY 2 DESC, 1"
            )
            return Totals(articles, passages, stories, newest, oldest, tuple(publishers.fetchall()))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _select(self, query: str, values: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        with self._lock:
            for begin in range(0, len(values), _ASKED):
                some = values[begin : begin + _ASKED]
                marks = ",".join("?" * len(some))
                found.extend(self._db.execute(f"{query} ({marks})", some))
        return found

    # Writing

    def add(
        self, number: int, entry: ArticleEntry, passages: Sequence[Passage], first_row: int
    ) -> int:
        """Add an article; return the number of rows that its passages take."""
        slots = max((slot(passage.id) for passage in passages), default=-1) + 1
        first = passages[0] if passages else None
        self._db.execute(
            "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                entry.id,
                entry.fingerprint,
                entry.story_id,
                entry.publisher,
                entry.published.isoformat() if entry.published else None,
                first.title if first else "",
                first.url if first else "",
                first.content if first else "",
                first_row,
                slots,
                len(passages),
            ),
        )
        return slots

    def add_acronyms(self, number: int, pairs: Iterable[tuple[str, str]]) -> None:
        """Add the acronyms that an article introduces."""
        rows = ((number, *pair) for pair in sorted(pairs))
        self._db.executemany("INSERT INTO acronym VALUES (?, ?, ?)", rows)

    def add_authors(self, number: int, names: Iterable[str]) -> None:
        """Add who wrote an article."""
        rows = ((name, number) for name in names)
        self._db.executemany("INSERT OR IGNORE INTO author VALUES (?, ?)", rows)

    def remove(self, article: CatalogArticle) -> None:
        """Remove an article."""
        self._db.execute("DELETE FROM article WHERE number = ?", (article.number,))
        self._db.execute("DELETE FROM acronym WHERE article = ?", (article.number,))
        self._db.execute("DELETE FROM author WHERE article = ?", (article.number,))

    def count_stems(self, changes: Mapping[str, int]) -> None:
        """Add to the number of passages that each stem stands in; new stems get a dimension."""
        self._db.executemany(
            """INSERT INTO stem (stem, passages) VALUES (?, ?)
            ON CONFLICT (stem) DO UPDATE SET passages = passages + excluded.passages""",
            ((stem, change) for stem, change in changes.items() if change),
        )

    def finish(self) -> None:
        """Write everything out and close the file."""
        self._db.execute("COMMIT")
        self._db.close()


def slot(passage_id: str) -> int:
    """Return a passage's number in its article; -1 for what is no passage's id."""
    number = passage_id.rpartition("#")[2]
    # "#01" would name the same passage as "#1".
    if number.isascii() and number.isdigit() and str(int(number)) == number:
        return int(number)
    return -1
