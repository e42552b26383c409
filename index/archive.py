"""The archive: every article as published, in SQLite (WAL), with identity, changes and stories.

Near-duplicates (an agency story at several publishers) are labelled with one story, not deleted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from index import clean, pages, stories
from index.errors import ArchiveError, BusyError, TanyaError
from index.reading import publishers
from index.records import Article, Filter
from index.refusals import sentence
from index.sqlite import connect_logged, frozen, is_writable, select, traces, transaction
from index.stories import MinHash
from index.text import encodable

FILE_NAME = "archive.db"
BATCH = 500

# Thousands of texts by one template (prices, weather, quakes) share bands; only the newest of them
# are compared, or adding would take ever longer.
_BAND_LOOKED = 100
# More changes than this are not looked up one by one: everything is compared.
_MOST_CHANGES = 50_000

# A line counts as a publisher's boilerplate from this many articles and this share of them.
_REPEATS, _REPEAT_SHARE = 10, 0.01


@dataclass(slots=True)
class AddReport:
    """What adding articles did. `duplicates` of the new and changed ones joined a known story.

    `renamed` ones came with the id of another article and got one of their own; `taken` has some of
    these ids, with the titles of the article that has it and of the one that came.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    duplicates: int = 0
    removed_earlier: int = 0
    renamed: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    taken: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the archive holds."""

    articles: int
    stories: int
    newest: dt.date | None
    oldest: dt.date | None
    undated: int


@dataclass(frozen=True, slots=True)
class EarlierText:
    """A text that an article had before, `content` its hash.

    `since` is when it was first seen, None if that is not known, `until` when it was replaced.
    """

    content: str
    title: str
    since: dt.datetime | None
    until: dt.datetime


def content_hash(article: Article) -> str:
    """Return the hash of the text that offsets and passages depend on (16 hex digits)."""
    return _hash(article.title, article.body)


def _hash(*parts: str) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _storable(article: Article) -> Article:
    """Return the article in text that SQLite can hold."""
    values: dict[str, Any] = {
        name: encodable(getattr(article, name))
        for name in ("id", "publisher", "title", "body", "url", "origin")
    }
    for name in ("authors", "editors"):
        values[name] = tuple(map(encodable, getattr(article, name)))
    return replace(article, **values)


# Migrations: one function each, run once, in order; the number reached is SQLite's user_version.
# Each runs inside a transaction, so it must not use `executescript`, which would end it.


def _create(db: sqlite3.Connection) -> None:
    script = """
        CREATE TABLE article (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, publisher TEXT NOT NULL,
            title TEXT NOT NULL, body TEXT NOT NULL, url TEXT NOT NULL, published TEXT,
            authors TEXT NOT NULL, editors TEXT NOT NULL, origin TEXT NOT NULL,
            story_id TEXT NOT NULL, retrieved TEXT NOT NULL, content TEXT NOT NULL,
            repeated TEXT NOT NULL DEFAULT '', fingerprint TEXT NOT NULL);
        CREATE INDEX article_fingerprint ON article (id, fingerprint);
        CREATE INDEX article_published ON article (published);
        CREATE INDEX article_story ON article (story_id);
        CREATE INDEX article_publisher ON article (publisher);
        CREATE TABLE earlier (
            id TEXT NOT NULL, content TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
            replaced TEXT NOT NULL, PRIMARY KEY (id, content)) WITHOUT ROWID;
        CREATE TABLE removed (id TEXT PRIMARY KEY, removed TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE signature (seq INTEGER PRIMARY KEY, minhash BLOB NOT NULL);
        CREATE TABLE band (
            key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID;
        CREATE TABLE line (key INTEGER PRIMARY KEY, count INTEGER NOT NULL);
        CREATE TABLE candidate (
            publisher TEXT NOT NULL, line TEXT NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (publisher, line)) WITHOUT ROWID;
        CREATE TABLE repeated (
            publisher TEXT NOT NULL, line TEXT NOT NULL,
            PRIMARY KEY (publisher, line)) WITHOUT ROWID
        """
    for statement in script.split(";"):
        db.execute(statement)


def _log_changes(db: sqlite3.Connection) -> None:
    # The token tells apart two copies of an archive that were written to differently.
    db.execute(
        """CREATE TABLE change (number INTEGER PRIMARY KEY, id TEXT NOT NULL,
             token TEXT NOT NULL DEFAULT (hex(randomblob(8))))"""
    )
    db.execute("INSERT INTO change (id) VALUES ('')")
    for event, row in (("INSERT", "new"), ("UPDATE OF fingerprint", "new"), ("DELETE", "old")):
        db.execute(
            f"""CREATE TRIGGER article_{event.split()[0].lower()} AFTER {event} ON article
                BEGIN INSERT INTO change (id) VALUES ({row}.id); END"""
        )


def _keep_pages(db: sqlite3.Connection) -> None:
    db.execute(
        """CREATE TABLE page (
            id TEXT NOT NULL, number INTEGER NOT NULL, publisher TEXT NOT NULL,
            title TEXT NOT NULL, body TEXT NOT NULL, url TEXT NOT NULL, published TEXT,
            authors TEXT NOT NULL, editors TEXT NOT NULL, origin TEXT NOT NULL,
            PRIMARY KEY (id, number)) WITHOUT ROWID"""
    )


def _count_by_publisher_and_day(db: sqlite3.Connection) -> None:
    # Without it, to count them reads every body.
    db.execute("CREATE INDEX article_publisher_published ON article (publisher, published)")
    db.execute("DROP INDEX article_publisher")


_MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _create,
    _log_changes,
    _keep_pages,
    _count_by_publisher_and_day,
)
SCHEMA = len(_MIGRATIONS)
"""The newest layout of the archive's database that this program reads."""


class Archive:
    """Every article as published. Open it with `Archive.open`; use it from one thread."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self.path = db, path
        self._repeated: dict[str, frozenset[str]] = {}
        self._repeated_of = -1

    @classmethod
    def open(cls, path: Path, *, create: bool = False, wait: float = 30) -> Archive:
        """Open the archive, migrated as needed; raises ArchiveError.

        Without `create` nothing is made, and one that may not be written is opened to be read.
        Another process that is writing is waited for, here and later, `wait` seconds; then
        BusyError is raised.
        """
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            db = connect_logged(path, create=create, wait=wait)
            try:
                db.execute("PRAGMA cache_size=-65536")
                _migrate(db, path, create=create)
            except BaseException:
                db.close()
                raise
        except sqlite3.Error as error:
            raise _explained(error, path) from error
        return cls(db, path)

    @property
    def is_outdated(self) -> bool:
        """Tell whether it must be opened again: where it cannot be written, others' writing is
        not seen.
        """
        return self._db in frozen and frozen[self._db] != traces(self.path.resolve())

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def add(self, articles: Iterable[Article], now: dt.datetime) -> Iterator[AddReport]:
        """Add articles, a transaction per 500; yield the report so far after each transaction.

        What was yielded is committed, so an interrupt loses at most the transaction under way.
        """
        report = AddReport()
        batch: list[Article] = []
        for article in articles:
            batch.append(_storable(article))
            if len(batch) >= BATCH:
                report = self._add_batch(batch, now, report)
                batch = []
                yield report
        if batch:
            report = self._add_batch(batch, now, report)
        self._learn_repeated_lines()
        yield report

    def _add_batch(
        self, batch: Sequence[Article], now: dt.datetime, before: AddReport
    ) -> AddReport:
        # A copy, so that no report tells of articles that were rolled back.
        report = replace(before, examples=[*before.examples], taken=[*before.taken])
        lines: Counter[tuple[str, str]] = Counter()
        with self._transaction():
            for article in batch:
                self._add_one(article, now, report, lines)
            self._count_lines(lines)
        del report.examples[5:], report.taken[5:]
        return report

    def _add_one(
        self,
        article: Article,
        now: dt.datetime,
        report: AddReport,
        lines: Counter[tuple[str, str]],
    ) -> None:
        known = self._row("WHERE id = ?", article.id)
        if known is not None and publishers.is_another(known, article):
            report.renamed += 1
            report.taken.append((known.id, known.title, article.title))
            own = publishers.article_id(
                None, article.publisher, article.url, article.title, article.body
            )
            article = replace(article, id=own)
            known = self._row("WHERE id = ?", own)
        out = self._db.execute("SELECT removed FROM removed WHERE id = ?", (article.id,)).fetchone()
        if out and out[0]:
            report.removed_earlier += 1
            return
        if out:
            self._db.execute("DELETE FROM removed WHERE id = ?", (article.id,))
        article = self._with_other_pages(article, known)
        if known is not None:
            # Nobody takes a publisher back by saying nothing of it.
            article = replace(article, publisher=article.publisher or known.publisher)
            if _published_alike(known, article):
                report.same += 1
                return
            self._keep_earlier(known, now)
            self._forget_signature(known.id)
            report.changed += 1
        else:
            report.new += 1
            lines.update((article.publisher, key) for key in _line_keys(article.body))
        minhash = stories.minhash_of(article)
        story, like = self._story(article, minhash)
        # An article out of another archive brings its story along.
        story = article.story_id or story
        if like:
            report.duplicates += 1
            report.examples.append((article.title, like))
        stored = replace(article, story_id=story, retrieved=article.retrieved or now)
        self._write(stored, minhash)

    def _with_other_pages(self, article: Article, known: Article | None) -> Article:
        """Keep a page of an article over several, and return it joined with those kept before.

        An article that is no page, and of which no pages are kept, is returned as it is.
        """
        kept: dict[int, Article] = {}
        if known is not None:
            rows = self._db.execute(
                """SELECT id, publisher, title, body, url, published, authors, editors, origin, '',
                     '', number FROM page WHERE id = ?""",
                (article.id,),
            )
            kept = {row[11]: _article(row) for row in rows}
        if not kept and not pages.number_of(article):
            return article
        if not kept and known is not None:
            kept = {max(pages.number_of(known), 1): replace(known, story_id="", retrieved=None)}
        found = pages.placed(kept, replace(article, retrieved=None))
        self._db.execute("DELETE FROM page WHERE id = ?", (article.id,))
        self._db.executemany(
            "INSERT INTO page VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(article.id, number, *_told(page)) for number, page in found.items()],
        )
        return replace(pages.joined(found), retrieved=article.retrieved)

    def _keep_earlier(self, known: Article, now: dt.datetime) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO earlier VALUES (?, ?, ?, ?, ?)",
            (known.id, content_hash(known), known.title, known.body, now.isoformat()),
        )

    def _write(self, article: Article, minhash: MinHash | None) -> None:
        found = _line_keys(article.body) & self.repeated_lines(article.publisher)
        repeated = _hash(*sorted(found)) if found else ""
        row = (
            article.id,
            *_told(article),
            article.story_id,
            article.retrieved.isoformat() if article.retrieved else "",
            content_hash(article),
            repeated,
            _fingerprint(article, repeated),
        )
        seq = self._db.execute(_INSERT, row).fetchone()[0]
        if minhash is not None:
            self._db.execute(
                "INSERT OR REPLACE INTO signature VALUES (?, ?)", (seq, minhash.tobytes())
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO band VALUES (?, ?)",
                [(key, seq) for key in stories.band_keys(minhash)],
            )

    def remove(self, article_ids: Sequence[str], now: dt.datetime) -> list[str]:
        """Remove articles with every earlier text; return the ids that were there.

        A removed id is remembered, so that adding the same files again does not bring it back.
        """
        gone: list[str] = []
        with self._transaction():
            for article_id in article_ids:
                self._forget_signature(article_id)
                if self._db.execute("DELETE FROM article WHERE id = ?", (article_id,)).rowcount:
                    gone.append(article_id)
                    self._db.execute("DELETE FROM earlier WHERE id = ?", (article_id,))
                    self._db.execute("DELETE FROM page WHERE id = ?", (article_id,))
                    self._db.execute(
                        "INSERT OR REPLACE INTO removed VALUES (?, ?)",
                        (article_id, now.isoformat()),
                    )
        return gone

    def allow_again(self, article_ids: Sequence[str]) -> list[str]:
        """Let removed articles be added again; return those."""
        # Until one is, its row tells that it is gone on purpose.
        again = "UPDATE removed SET removed = '' WHERE id = ? AND removed != ''"
        with self._transaction():
            return [
                article_id
                for article_id in article_ids
                if self._db.execute(again, (article_id,)).rowcount
            ]

    def removed_earlier(self, article_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that were removed on purpose and did not come again."""
        return {i for (i,) in select(self._db, "SELECT id FROM removed WHERE id IN", article_ids)}

    # Reading

    def get(self, article_id: str, content: str = "") -> Article | None:
        """Return an article or None; with `content`, the text that had that hash, if still kept."""
        article = self._row("WHERE id = ?", article_id)
        if article is None or not content or content_hash(article) == content:
            return article
        earlier = self._db.execute(
            "SELECT title, body FROM earlier WHERE id = ? AND content = ?", (article_id, content)
        ).fetchone()
        return replace(article, title=earlier[0], body=earlier[1]) if earlier else None

    def earlier(self, article_id: str) -> list[EarlierText]:
        """Return the texts that an article had before, the last one first; `get` has them whole."""
        rows = self._db.execute(
            """SELECT e.content, e.title, e.replaced, e.content = a.content FROM earlier e
               JOIN article a USING (id) WHERE id = ? ORDER BY e.replaced""",
            (article_id,),
        )
        found: list[EarlierText] = []
        since = None
        for content, title, replaced, current in rows:
            until = dt.datetime.fromisoformat(replaced)
            # What was told anew beside the same text, an author say, replaced no text.
            if not current:
                found.append(EarlierText(content, title, since, until))
            since = until
        return found[::-1]

    def of_story(self, article: Article, most: int) -> list[Article]:
        """Return at most so many other articles of an article's story, the oldest first."""
        rows = self._db.execute(
            f"{_SELECT} WHERE story_id = ? AND id != ? ORDER BY published, seq LIMIT ?",
            (article.story_id, article.id, most),
        )
        return [_article(row) for row in rows]

    def saying(
        self, words: Sequence[str], publisher: str, first: dt.date, last: dt.date, most: int
    ) -> list[Article]:
        """Return at most so many articles of a publisher that open with one of some words.

        They stand anywhere in the headline or in the first 300 characters; both days count.
        """
        said = " OR ".join(["title || char(10) || substr(body, 1, 300) LIKE ?"] * len(words))
        days = first.isoformat(), last.isoformat()
        # The plus keeps SQLite from going through all that a publisher ever wrote.
        rows = self._db.execute(
            f"""{_SELECT} WHERE +publisher = ? AND published BETWEEN ? AND ? AND ({said})
                ORDER BY published, seq LIMIT ?""",
            (publisher, *days, *(f"%{word}%" for word in words), most),
        )
        return [_article(row) for row in rows]

    def articles(self, article_ids: Sequence[str]) -> list[tuple[Article, str]]:
        """Return these articles with their fingerprints, in this order, without unknown ones."""
        rows = select(self._db, f"{_SELECT} WHERE id IN", article_ids)
        found = {row[0]: (_article(row), str(row[11])) for row in rows}
        return [found[article_id] for article_id in article_ids if article_id in found]

    def chosen(self, by: Filter) -> list[tuple[str, str, dt.date | None]]:
        """Return (id, publisher, date) of the articles that pass a filter, oldest article first.

        Its authors are not looked at.
        """
        marks = ",".join("?" * len(by.publishers))
        tests = {
            "published >= ?": [by.after.isoformat()] if by.after else [],
            "published <= ?": [by.before.isoformat()] if by.before else [],
            f"publisher IN ({marks})": by.publishers,
        }
        asked = {test: values for test, values in tests.items() if values}
        rows = self._db.execute(
            f"""SELECT id, publisher, published FROM article
                WHERE {" AND ".join(asked) or "true"} ORDER BY seq""",
            [value for values in asked.values() for value in values],
        )
        return [(row[0], row[1], _date(row[2])) for row in rows]

    def publishers(self) -> list[str]:
        """Return the publishers of all articles, in order; "" where some name none."""
        rows = self._db.execute("SELECT DISTINCT publisher FROM article ORDER BY publisher")
        return [row[0] for row in rows]

    def published_counts(self) -> list[tuple[str, dt.date | None, int]]:
        """Return (publisher, date, number of articles), for each pair that there is."""
        rows = self._db.execute(
            "SELECT publisher, published, count(*) FROM article GROUP BY publisher, published"
        )
        return [(publisher, _date(day), count) for publisher, day, count in rows]

    def newest_bodies(self, count: int) -> list[str]:
        """Return the texts of the articles that were published last, the newest first."""
        rows = self._db.execute(
            "SELECT body FROM article WHERE published IS NOT NULL ORDER BY published DESC LIMIT ?",
            (count,),
        )
        return [row[0] for row in rows]

    def present(self, article_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that the archive holds."""
        return {i for (i,) in select(self._db, "SELECT id FROM article WHERE id IN", article_ids)}

    def fingerprints(self, article_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return each article's fingerprint, oldest article first; of these articles, if given.

        It changes when the article's passages would.
        """
        if article_ids is None:
            return dict(self._db.execute("SELECT id, fingerprint FROM article ORDER BY +seq"))
        query = "SELECT seq, id, fingerprint FROM article WHERE id IN"
        found = select(self._db, query, article_ids)
        return {article_id: fingerprint for _, article_id, fingerprint in sorted(found)}

    def state(self) -> str:
        """Return a name for what the archive holds now, for `changed_since`."""
        row = self._db.execute("SELECT number, token FROM change ORDER BY number DESC LIMIT 1")
        return "{}:{}".format(*row.fetchone())

    def changed_since(self, state: str) -> list[str] | None:
        """Return the ids added, changed or removed since; None if that is not known, or is much."""
        number, _, token = state.partition(":")
        known = self._db.execute(
            "SELECT 1 FROM change WHERE number = ? AND token = ?", (number, token)
        ).fetchone()
        if not known:
            return None
        query = "SELECT id FROM change WHERE number > ? ORDER BY number LIMIT ?"
        found = self._db.execute(query, (int(number), _MOST_CHANGES + 1)).fetchall()
        return list({row[0]: None for row in found}) if len(found) <= _MOST_CHANGES else None

    def repeated_lines(self, publisher: str) -> frozenset[str]:
        """Return the keys of the lines that this publisher repeats in many articles."""
        # Another process may have learned lines; the fingerprints already tell of those.
        written = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if written != self._repeated_of:
            self._repeated.clear()
            self._repeated_of = written
        if publisher not in self._repeated:
            rows = self._db.execute("SELECT line FROM repeated WHERE publisher = ?", (publisher,))
            self._repeated[publisher] = frozenset(row[0] for row in rows)
        return self._repeated[publisher]

    def changes(self) -> tuple[int, int]:
        """Return a value that differs after any write, by this process or another."""
        return (
            int(self._db.execute("PRAGMA data_version").fetchone()[0]),
            self._db.total_changes,
        )

    def counts(self, stories: int | None = None) -> Counts:
        """Count articles and stories, and find the newest and oldest date.

        `stories` is their number where it is known: to count a million takes a tenth of a second.
        """
        # Each by its own index: together they would read every body.
        row = self._db.execute(
            """SELECT (SELECT count(*) FROM article),
                 coalesce(?, (SELECT count(*) FROM (SELECT DISTINCT story_id FROM article))),
                 (SELECT max(published) FROM article), (SELECT min(published) FROM article),
                 (SELECT count(*) FROM article WHERE published IS NULL)""",
            (stories,),
        ).fetchone()
        return Counts(row[0], row[1], _date(row[2]), _date(row[3]), row[4])

    # Stories

    def _story(self, article: Article, minhash: MinHash | None) -> tuple[str, str]:
        """Return the article's story and the title of the article that it repeats ("" if none)."""
        if minhash is None:
            return article.id, ""
        for similarity, seq in self._alike(minhash)[:20]:
            if similarity < stories.SAME_STORY:
                break
            other = self._row("WHERE seq = ?", seq)
            if other and other.id != article.id and stories.same_story(article, other, similarity):
                return other.story_id, other.title or other.id
        return article.id, ""

    def _alike(self, minhash: MinHash) -> list[tuple[float, int]]:
        """Return the similarity and seq of articles that share a band, the most alike first."""
        near = {
            row[0]
            for key in stories.band_keys(minhash)
            for row in self._db.execute(
                "SELECT seq FROM band WHERE key = ? ORDER BY seq DESC LIMIT ?", (key, _BAND_LOOKED)
            )
        }
        query = "SELECT seq, minhash FROM signature WHERE seq IN"
        found = list(select(self._db, query, sorted(near)))
        theirs = np.frombuffer(b"".join(blob for _, blob in found), dtype=np.uint32)
        similarity = (theirs.reshape(-1, stories.PERMUTATIONS) == minhash).mean(axis=1).tolist()
        pairs = zip(similarity, (seq for seq, _ in found), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[0], pair[1]))

    def _forget_signature(self, article_id: str) -> None:
        row = self._db.execute(
            "SELECT s.seq, s.minhash FROM article a JOIN signature s USING (seq) WHERE a.id = ?",
            (article_id,),
        ).fetchone()
        if row:
            keys = stories.band_keys(np.frombuffer(row[1], dtype=np.uint32))
            self._db.executemany(
                "DELETE FROM band WHERE key = ? AND seq = ?", [(key, row[0]) for key in keys]
            )
            self._db.execute("DELETE FROM signature WHERE seq = ?", (row[0],))

    # Lines that a publisher repeats

    def _count_lines(self, lines: Counter[tuple[str, str]]) -> None:
        for (publisher, line), count in lines.items():
            key = stories.key_of(f"{publisher}\0{line}".encode())
            total = self._db.execute(
                """INSERT INTO line VALUES (?, ?)
                   ON CONFLICT (key) DO UPDATE SET count = count + excluded.count
                   RETURNING count""",
                (key, count),
            ).fetchone()[0]
            if total >= _REPEATS:
                self._db.execute(
                    "INSERT OR REPLACE INTO candidate VALUES (?, ?, ?)", (publisher, line, total)
                )

    def _learn_repeated_lines(self) -> None:
        with self._transaction():
            learned = self._db.execute(
                """INSERT INTO repeated SELECT c.publisher, c.line FROM candidate c
                   JOIN (SELECT publisher, count(*) AS articles FROM article GROUP BY publisher) p
                     ON p.publisher = c.publisher AND c.count >= p.articles * ?
                   WHERE NOT EXISTS (SELECT 1 FROM repeated r
                     WHERE r.publisher = c.publisher AND r.line = c.line)
                   RETURNING publisher""",
                (_REPEAT_SHARE,),
            ).fetchall()
            for publisher in {row[0] for row in learned}:
                self._repeated.pop(publisher, None)
                self._mark_repeated(publisher)

    def _mark_repeated(self, publisher: str) -> None:
        """Give the articles that hold a newly learned line a new fingerprint."""
        lines = self.repeated_lines(publisher)
        ids = self._db.execute(
            "SELECT id FROM article WHERE publisher = ? AND instr(body, char(10))", (publisher,)
        ).fetchall()
        for (article_id,) in ids:
            article = self._row("WHERE id = ?", article_id)
            if article is None:
                continue
            found = _line_keys(article.body) & lines
            if found:
                repeated = _hash(*sorted(found))
                self._db.execute(
                    "UPDATE article SET repeated = ?, fingerprint = ? WHERE id = ?",
                    (repeated, _fingerprint(article, repeated), article_id),
                )

    # Plumbing

    def _row(self, where: str, value: str | int) -> Article | None:
        row = self._db.execute(f"{_SELECT} {where}", (value,)).fetchone()
        return _article(row) if row else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with transaction(self._db):
                yield
        except BaseException as error:
            self._repeated.clear()
            if isinstance(error, sqlite3.Error):
                raise _explained(error, self.path) from error
            raise


def _explained(error: sqlite3.Error, path: Path) -> TanyaError:
    """Return the error to raise for one of SQLite's."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return BusyError("Another process is writing the archive; try again when it is done.")
    return ArchiveError(sentence(error, path))


_COLUMNS = (
    "id publisher title body url published authors editors origin story_id retrieved content "
    "repeated fingerprint"
).split()
_INSERT = f"""INSERT INTO article ({", ".join(_COLUMNS)})
    VALUES ({", ".join("?" * len(_COLUMNS))}) ON CONFLICT (id)
    DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])} RETURNING seq"""
_SELECT = f"SELECT {', '.join(_COLUMNS[:11])}, fingerprint FROM article"


def _told(article: Article) -> tuple[str | None, ...]:
    """Return what an article tells, publisher to origin, as its columns hold it."""
    return (
        article.publisher,
        article.title,
        article.body,
        article.url,
        article.published.isoformat() if article.published else None,
        json.dumps(article.authors, ensure_ascii=False),
        json.dumps(article.editors, ensure_ascii=False),
        article.origin,
    )


def _article(row: Sequence[Any]) -> Article:
    return Article(
        id=row[0],
        publisher=row[1],
        title=row[2],
        body=row[3],
        url=row[4],
        published=_date(row[5]),
        authors=tuple(json.loads(row[6])),
        editors=tuple(json.loads(row[7])),
        origin=row[8],
        story_id=row[9],
        retrieved=dt.datetime.fromisoformat(row[10]) if row[10] else None,
    )


def _date(value: str | None) -> dt.date | None:
    return dt.date.fromisoformat(value) if value else None


def _migrate(db: sqlite3.Connection, path: Path, *, create: bool) -> None:
    version = _schema(db)
    if not (version or create or db.execute("SELECT 1 FROM sqlite_schema").fetchone()):
        raise ArchiveError(f"{path} is empty: restore it (`tanya restore BACKUP`).")
    if 0 < version < len(_MIGRATIONS) and not is_writable(path):
        raise ArchiveError(
            f"{path} is of an older Tanya Arsip: open it once where it may be written."
        )
    while version < len(_MIGRATIONS):
        with transaction(db):
            # Another process may have been first.
            version = _schema(db)
            for migrate in _MIGRATIONS[version : version + 1]:
                migrate(db)
                version += 1
                db.execute(f"PRAGMA user_version = {version}")
    check_schema(db, path)


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raise ArchiveError where a newer program wrote the archive."""
    if (version := _schema(db)) > len(_MIGRATIONS):
        raise ArchiveError(
            f"{path} was written by a newer Tanya Arsip (schema {version}). Update the program."
        )


def _schema(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _published_alike(known: Article, article: Article) -> bool:
    return replace(known, story_id="", retrieved=None) == replace(
        article, story_id="", retrieved=None
    )


def _fingerprint(article: Article, repeated: str) -> str:
    return _hash(
        content_hash(article),
        article.publisher,
        article.url,
        article.published.isoformat() if article.published else "",
        article.story_id,
        repeated,
    )


def _line_keys(body: str) -> frozenset[str]:
    if "\n" not in body:
        return frozenset()
    return frozenset(key for line in body.split("\n") if (key := clean.line_key(line)))
