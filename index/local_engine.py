"""One version as a folder: FAISS for vectors, Tantivy for BM25, SQLite for passages.

    manifest.json            the version's description and the size of every file; written last
    parts/0001/vectors.faiss inner-product index; position p holds the vector of row[p]
    parts/0001/passages.db   articles and passages of the part
    parts/0001/columns.npz   per position: row, day, publisher, article; for filters
    lexical/                 the Tantivy index over all parts
    removed.npz              rows and articles of the parts that are no longer there

A part is never written again: the next version links to it, adds a part of its own and a new
removed.npz. Tantivy's segments are immutable too, so they are linked and only new ones written.
When parts pile up they are merged, again into a part of the version being written. Rows keep their
numbers through a merge, and the rows of a part are all below those of the next.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
import threading
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import manifest as manifests
from index import text
from index.acronyms import Acronyms, Synonym, introduced
from index.embedding import Vectors
from index.engine import ArticleEntry, IndexVersion, Recipe
from index.errors import IndexDamagedError, ModelError
from index.records import Filter, Passage, Scored

UNDATED = 0

_HEAP = 256_000_000
_SMALL_HEAP = 32_000_000
_COPIED = 50_000
_ASKED = 10_000
_NEVER_LINKED = ("meta.json", ".managed.json", ".tantivy-writer.lock", ".tantivy-meta.lock")

# More parts than this are merged; so is everything once this share of all rows is removed.
MOST_PARTS = 8
MOST_REMOVED = 0.3
# The first part is left out of a merge while the others together are below this share of it.
SMALL_SHARE = 0.3

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Part:
    """One part open for reading; `rows` ascend, and the arrays are aligned with them."""

    folder: Path
    rows: Rows
    day: npt.NDArray[np.int32]
    publisher: npt.NDArray[np.int32]
    article: npt.NDArray[np.int64]
    db: sqlite3.Connection


class LocalEngine:
    """Versions as folders on a local disk."""

    name = "local"

    def writer(self, folder: Path, base: Path | None, recipe: Recipe) -> LocalWriter:
        """Begin a version in `folder`, on top of the one in `base` if given."""
        return LocalWriter(folder, base, recipe)

    def open(self, folder: Path) -> LocalIndex:
        """Open the version in `folder`; raises IndexDamagedError."""
        return LocalIndex(folder)

    def describe(self, folder: Path) -> IndexVersion:
        """Return the version's description."""
        return manifests.version(manifests.read(folder))

    def indexed(self, folder: Path) -> dict[str, str]:
        """Return the fingerprint of each article in the version."""
        manifest = manifests.read(folder, self.name)
        with manifests.reading(folder):
            known = _read_articles(folder, manifest["parts"], _read_removed(folder)[1])
        return {article_id: fingerprint for article_id, (_, fingerprint) in known.items()}

    def discard(self, folders: Sequence[Path], kept: Sequence[Path]) -> None:
        """Do nothing: a version is all in its folder."""


class LocalIndex:
    """A version open for searching; safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        manifest = manifests.read(folder, LocalEngine.name)
        self._version = manifests.version(manifest)
        self._folder = folder
        self._publishers = {name: code for code, name in enumerate(manifest["publisher_codes"])}
        self._lock = threading.Lock()
        self._known_acronyms: Acronyms | None = None
        with manifests.reading(folder):
            rows, self._removed_articles = _read_removed(folder)
            self._parts = _open_parts(folder, manifest["parts"])
            # For 1,000,000 rows this takes 35 ms, too long to do at each question.
            self._gone = [np.isin(part.rows, rows, assume_unique=True) for part in self._parts]
            self._vectors = [_open_vectors(part.folder) for part in self._parts]
            self._lexical: Any = _open_lexical(folder / "lexical")
            self._searcher = self._lexical.searcher()
        self._firsts = [int(part.rows[0]) for part in self._parts]
        self._schema = self._lexical.schema

    @property
    def version(self) -> IndexVersion:
        return self._version

    def dense(self, vector: Vectors, k: int, wanted: Filter) -> list[Scored]:
        """Search every part and merge; inner products of unit vectors are cosines."""
        query = np.ascontiguousarray(vector.reshape(1, -1), dtype=np.float32)
        if query.shape[1] != self._version.recipe.dimensions:
            raise ModelError(
                f"The question's vector has {query.shape[1]} dimensions, the index "
                f"{self._version.recipe.dimensions}; run `tanya build` with the model in use."
            )
        k = min(k, self._version.passages)
        if not query.any() or k < 1:
            return []
        found: list[tuple[float, int]] = []
        for at in range(len(self._parts)):
            found.extend(self._dense_part(at, query, k, wanted))
        found.sort(key=lambda pair: (-pair[0], pair[1]))
        best = found[:k]
        ids = self._passage_ids([row for _, row in best])
        return [Scored(i, score) for i, (score, _) in zip(ids, best, strict=True)]

    def _dense_part(
        self, at: int, query: Vectors, k: int, wanted: Filter
    ) -> Iterator[tuple[float, int]]:
        import faiss

        part = self._parts[at]
        allowed = self._allowed(at, wanted)
        parameters = None
        if allowed is not None:
            if not allowed.any():
                return
            # The selector keeps a pointer into `bits`, which must live as long as the search.
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        k = min(k, len(part.rows))
        scores, positions = self._vectors[at].search(query, k, params=parameters)
        for score, position in zip(scores[0].tolist(), positions[0].tolist(), strict=True):
            if position >= 0:
                yield score, int(part.rows[position])

    def _allowed(self, at: int, wanted: Filter) -> npt.NDArray[np.bool_] | None:
        """Return which rows of a part may be found; None means all of them."""
        part, gone = self._parts[at], self._gone[at]
        if not wanted and not gone.any():
            return None
        allowed = ~gone
        if wanted.dated:
            allowed &= part.day != UNDATED
        if wanted.after:
            allowed &= part.day >= wanted.after.toordinal()
        if wanted.before:
            allowed &= part.day <= wanted.before.toordinal()
        if wanted.publishers:
            codes = [self._publishers[p] for p in wanted.publishers if p in self._publishers]
            allowed &= np.isin(part.publisher, codes)
        return allowed

    def lexical(self, question: str, k: int, wanted: Filter) -> list[Scored]:
        """Search by BM25 (k1 1.2, b 0.75) over the stems of headline and text.

        An acronym and what it stands for count as one: a passage scores by the form that it holds.
        """
        terms = text.query_stems(question)
        k = min(k, self._version.passages)
        if not terms or k < 1:
            return []
        query = self._lexical_query(question, terms, wanted)
        if query is None:
            return []
        result = self._searcher.search(query, limit=k, count=False)
        addresses = [address for _, address in result.hits]
        rows = self._searcher.fast_field_values("row", addresses)
        found = sorted(
            ((float(score), int(row)) for (score, _), row in zip(result.hits, rows, strict=True)),
            key=lambda pair: (-pair[0], pair[1]),
        )
        ids = self._passage_ids([row for _, row in found])
        return [Scored(i, score) for i, (score, _) in zip(ids, found, strict=True)]

    def _lexical_query(self, question: str, terms: Sequence[str], wanted: Filter) -> Any:
        from tantivy import FieldType, Occur, Query

        schema = self._schema
        total = self._version.passages
        synonyms = self._acronyms().expansions(question, terms, self.frequencies, total)
        single = [term for term in terms if not any(term in s.asked for s, _ in synonyms)]
        matches = _any_of(schema, single, [self._either(s, boost) for s, boost in synonyms])
        if not wanted:
            return matches
        must = [(Occur.Must, matches)]
        if wanted.dated:
            low = wanted.after.toordinal() if wanted.after else UNDATED + 1
            high = wanted.before.toordinal() if wanted.before else dt.date.max.toordinal()
            days = Query.range_query(schema, "day", FieldType.Integer, low, high)
            must.append((Occur.Must, Query.const_score_query(days, 0.0)))
        if wanted.publishers:
            codes = [self._publishers[p] for p in wanted.publishers if p in self._publishers]
            if not codes:
                return None
            some = Query.boolean_query(
                [(Occur.Should, Query.term_query(schema, "publisher", code)) for code in codes]
            )
            must.append((Occur.Must, Query.const_score_query(some, 0.0)))
        return Query.boolean_query(must)

    def _either(self, synonym: Synonym, boost: float) -> Any:
        from tantivy import Query

        asked, other = (_any_of(self._schema, s, []) for s in (synonym.asked, synonym.other))
        return Query.disjunction_max_query([asked, Query.boost_query(other, boost)])

    def _acronyms(self) -> Acronyms:
        with self._lock:
            if self._known_acronyms is None:
                counts: Counter[tuple[str, str]] = Counter()
                with manifests.reading(self._folder):
                    for part in self._parts:
                        for article, *pair in _read_acronyms(part.db):
                            if article not in self._removed_articles:
                                counts[pair[0], pair[1]] += 1
                self._known_acronyms = Acronyms(counts)
            return self._known_acronyms

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order."""
        return [_passage(row) for row in self._rows(passage_ids)]

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the passages' vectors as stored, float32 [len(passage_ids), dimensions]."""
        out = np.zeros((len(passage_ids), self._version.recipe.dimensions), dtype=np.float32)
        for number, found in enumerate(self._rows(passage_ids)):
            at = self._part_of(found[0])
            position = int(np.searchsorted(self._parts[at].rows, found[0]))
            out[number] = self._vectors[at].reconstruct(position)
        return out

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in how many passages each stem stands, in the headline or the text.

        A removed passage counts until Tantivy merges the segment that it is in.
        """
        return [int(self._searcher.doc_freq("text", stem)) for stem in stems]

    def close(self) -> None:
        """Close the passages' databases."""
        for part in self._parts:
            part.db.close()

    def _rows(self, passage_ids: Sequence[str]) -> list[Sequence[Any]]:
        missing = set(passage_ids)
        found: dict[str, Sequence[Any]] = {}
        with self._lock, manifests.reading(self._folder):
            for part in reversed(self._parts):
                articles = list({passage_id.rpartition("#")[0] for passage_id in missing})
                for row in _select(part.db, f"{_SELECT_PASSAGE} WHERE a.id IN", articles):
                    passage_id = f"{row[2]}#{row[3]}"
                    if passage_id in missing and row[1] not in self._removed_articles:
                        found[passage_id] = row
                missing -= found.keys()
                if not missing:
                    break
        if missing:
            raise IndexDamagedError(
                f"Passage {min(missing)!r} is not in version {self._version.name!r}; "
                "run `tanya build --full`."
            )
        return [found[passage_id] for passage_id in passage_ids]

    def _part_of(self, row: int) -> int:
        return bisect(self._firsts, row) - 1

    def _passage_ids(self, rows: Sequence[int]) -> list[str]:
        by_part: dict[int, list[int]] = {}
        for row in rows:
            by_part.setdefault(self._part_of(row), []).append(row)
        ids: dict[int, str] = {}
        with self._lock, manifests.reading(self._folder):
            for at, mine in by_part.items():
                for row, article_id, number in _select(self._parts[at].db, _SELECT_ID, mine):
                    ids[row] = f"{article_id}#{number}"
        return [ids[row] for row in rows]


class LocalWriter:
    """Writes one version; see the module's docstring for the folder."""

    def __init__(self, folder: Path, base: Path | None, recipe: Recipe) -> None:
        self._folder = folder
        self._recipe = recipe
        self._publishers: dict[str, int] = {}
        self._parts: list[str] = []
        self._next_row = 0
        self._next_article = 0
        self._removed_articles: set[int] = set()
        self._known: dict[str, tuple[int, str]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lexical").mkdir()
        if base is not None:
            self._take_over(base)
        self._fresh = not self._parts
        self._new: _NewPart | None = None
        self._lexical: Any = None

    def indexed(self) -> Mapping[str, str]:
        """Return the fingerprint of each article in the version so far."""
        return {article_id: fingerprint for article_id, (_, fingerprint) in self._known.items()}

    def drop(self, article_ids: Sequence[str]) -> None:
        """Remove articles and their passages; unknown ids are passed over."""
        writer = self._lexical_writer()
        for article_id in article_ids:
            if article_id not in self._known:
                continue
            number, _ = self._known.pop(article_id)
            self._removed_articles.add(number)
            writer.delete_documents_by_term("article", number)

    def put(
        self, articles: Sequence[ArticleEntry], passages: Sequence[Passage], vectors: Vectors
    ) -> None:
        """Add articles with their passages; one that is there already is replaced."""
        if vectors.shape != (len(passages), self._recipe.dimensions):
            raise ModelError(
                f"{len(passages)} passages need vectors of shape "
                f"{(len(passages), self._recipe.dimensions)}, not {vectors.shape}."
            )
        self.drop([entry.id for entry in articles if entry.id in self._known])
        part = self._part()
        numbers: dict[str, int] = {}
        for entry in articles:
            numbers[entry.id] = self._next_article
            self._known[entry.id] = (self._next_article, entry.fingerprint)
            self._next_article += 1
        by_article = {entry.id: entry for entry in articles}
        first = {p.article_id: p for p in reversed(passages)}
        part.add_articles(
            (numbers[entry.id], entry, first.get(entry.id)) for entry in by_article.values()
        )
        codes = [self._publishers.setdefault(p.publisher, len(self._publishers)) for p in passages]
        rows = range(self._next_row, self._next_row + len(passages))
        self._next_row += len(passages)
        part.add_passages(rows, [numbers[p.article_id] for p in passages], codes, passages, vectors)
        self._add_lexical(rows, [numbers[p.article_id] for p in passages], codes, passages)

    def finish(self, name: str, built: dt.datetime) -> IndexVersion:
        """Write the manifest last, so that a folder with one is complete."""
        if self._new is not None:
            self._new.finish()
            self._new = None
        self._merge_parts()
        if self._lexical is not None:
            self._lexical.commit()
            self._lexical.wait_merging_threads()
            self._lexical = None
        elif not (self._folder / "lexical" / "meta.json").exists():
            _new_lexical(self._folder / "lexical")
        self._write_removed()
        for lock in (self._folder / "lexical").glob(".tantivy-*.lock"):
            lock.unlink()
        version = self._describe(name, built)
        extra = {
            "publisher_codes": list(self._publishers),
            "parts": self._parts,
            "next_row": self._next_row,
            "next_article": self._next_article,
        }
        manifests.write(self._folder, version, extra)
        return version

    def abort(self) -> None:
        """Close what is open."""
        if self._new is not None:
            self._new.db.close()
            self._new = None
        # A rollback would fail where the writer did (a full disk), and hide what happened.
        self._lexical = None

    def _take_over(self, base: Path) -> None:
        manifest = manifests.read(base)
        self._publishers = {name: code for code, name in enumerate(manifest["publisher_codes"])}
        self._parts = list(manifest["parts"])
        self._next_row, self._next_article = manifest["next_row"], manifest["next_article"]
        for part in self._parts:
            _link_tree(base / part, self._folder / part)
        _link_tree(base / "lexical", self._folder / "lexical")
        with manifests.reading(base):
            self._removed_articles = set(_read_removed(base)[1])
            self._known = _read_articles(base, self._parts, self._removed_articles)

    def _part(self) -> _NewPart:
        if self._new is None:
            name = self._next_part()
            self._parts.append(name)
            self._new = _NewPart(self._folder / name, self._recipe.dimensions)
        return self._new

    def _next_part(self) -> str:
        last = max((int(name.rpartition("/")[2]) for name in self._parts), default=0)
        return f"parts/{last + 1:04d}"

    def _merge_parts(self) -> None:
        """Merge parts where they pile up, dropping removed articles for good."""
        sizes = [self._size(name) for name in self._parts]
        total = sum(sizes)
        removed = sum(self._size(name, removed=True) for name in self._parts)
        if total and removed > MOST_REMOVED * total:
            self._merge(0)
        elif len(sizes) > MOST_PARTS:
            self._merge(0 if total - sizes[0] > SMALL_SHARE * sizes[0] else 1)

    def _size(self, part: str, *, removed: bool = False) -> int:
        with np.load(self._folder / part / "columns.npz") as columns:
            if not removed:
                return len(columns["row"])
            return int(np.isin(columns["article"], list(self._removed_articles)).sum())

    def _merge(self, begin: int) -> None:
        """Replace the parts from number `begin` on by one."""
        merged = self._parts[begin:]
        name = self._next_part()
        target = _NewPart(self._folder / name, self._recipe.dimensions)
        for part in merged:
            gone = target.take(self._folder / part, self._removed_articles)
            self._removed_articles -= gone
        target.finish()
        self._parts = [*self._parts[:begin], name]
        for part in merged:
            shutil.rmtree(self._folder / part)

    def _lexical_writer(self) -> Any:
        if self._lexical is None:
            folder = self._folder / "lexical"
            index = (
                _open_lexical(folder) if (folder / "meta.json").exists() else _new_lexical(folder)
            )
            self._schema = index.schema
            heap = _HEAP if self._fresh else _SMALL_HEAP
            self._lexical = index.writer(heap_size=heap, num_threads=1)
        return self._lexical

    def _add_lexical(
        self,
        rows: Sequence[int],
        numbers: Sequence[int],
        codes: Sequence[int],
        passages: Sequence[Passage],
    ) -> None:
        from tantivy import Document

        writer = self._lexical_writer()
        titles: dict[str, str] = {}
        for row, number, code, passage in zip(rows, numbers, codes, passages, strict=True):
            title = titles.get(passage.article_id)
            if title is None:
                title = titles[passage.article_id] = " ".join(text.stems(passage.title))
            document = Document()
            document.add_integer("row", row)
            document.add_integer("article", number)
            document.add_integer("day", _day(passage.published))
            document.add_integer("publisher", code)
            document.add_text("text", f"{title} {' '.join(text.stems(passage.text))}")
            writer.add_document(document)

    def _write_removed(self) -> None:
        rows: list[int] = []
        numbers = np.array(sorted(self._removed_articles), dtype=np.int64)
        for part in self._parts:
            with np.load(self._folder / part / "columns.npz") as columns:
                rows.extend(columns["row"][np.isin(columns["article"], numbers)].tolist())
        np.savez(
            self._folder / "removed.npz",
            rows=np.array(sorted(rows), dtype=np.int64),
            articles=numbers,
        )

    def _describe(self, name: str, built: dt.datetime) -> IndexVersion:
        publishers: Counter[str] = Counter()
        stories: set[str] = set()
        days: list[str] = []
        passages = 0
        for part in self._parts:
            with closing(_readonly(self._folder / part / "passages.db")) as db:
                for number, story, publisher, published, count in db.execute(
                    "SELECT number, story_id, publisher, published, passages FROM article"
                ):
                    if number not in self._removed_articles:
                        publishers[publisher] += 1
                        stories.add(story)
                        passages += count
                        if published:
                            days.append(published)
        return IndexVersion(
            name=name,
            built=built,
            recipe=self._recipe,
            articles=publishers.total(),
            passages=passages,
            stories=len(stories),
            newest=dt.date.fromisoformat(max(days)) if days else None,
            oldest=dt.date.fromisoformat(min(days)) if days else None,
            publishers=tuple(publishers.most_common()),
        )


class _NewPart:
    """A part being written."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        import faiss

        folder.mkdir(parents=True)
        self.folder = folder
        self.vectors = faiss.IndexFlatIP(dimensions)
        self.rows: list[int] = []
        self.days: list[int] = []
        self.publishers: list[int] = []
        self.articles: list[int] = []
        self.db = sqlite3.connect(folder / "passages.db", isolation_level=None)
        # Nobody reads the part before it is complete, so a journal would only cost time.
        self.db.execute("PRAGMA journal_mode=OFF")
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.executescript(
            """
            CREATE TABLE article (
                number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
                story_id TEXT NOT NULL, publisher TEXT NOT NULL, published TEXT,
                title TEXT NOT NULL, url TEXT NOT NULL, content TEXT NOT NULL,
                passages INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE passage (
                row INTEGER PRIMARY KEY, article INTEGER NOT NULL, number INTEGER NOT NULL,
                spans TEXT NOT NULL, text TEXT NOT NULL);
            CREATE TABLE acronym (
                article INTEGER NOT NULL, short TEXT NOT NULL, meaning TEXT NOT NULL);
            BEGIN;
            """
        )

    def add_articles(self, articles: Iterator[tuple[int, ArticleEntry, Passage | None]]) -> None:
        self.db.executemany(
            """INSERT OR REPLACE INTO article (number, id, fingerprint, story_id, publisher,
                 published, title, url, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
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
                )
                for number, entry, first in articles
            ),
        )

    def add_passages(
        self,
        rows: Sequence[int],
        numbers: Sequence[int],
        codes: Sequence[int],
        passages: Sequence[Passage],
        vectors: Vectors,
    ) -> None:
        self.vectors.add(np.ascontiguousarray(vectors, dtype=np.float32))
        self.rows.extend(rows)
        self.articles.extend(numbers)
        self.publishers.extend(codes)
        self.days.extend(_day(passage.published) for passage in passages)
        self.db.executemany(
            "INSERT INTO passage VALUES (?, ?, ?, ?, ?)",
            (
                (row, number, int(p.id.rpartition("#")[2]), json.dumps(p.spans), p.text)
                for row, number, p in zip(rows, numbers, passages, strict=True)
            ),
        )
        learned = {
            (number, *pair)
            for number, passage in zip(numbers, passages, strict=True)
            for pair in introduced(passage.text)
        }
        self.db.executemany("INSERT INTO acronym VALUES (?, ?, ?)", sorted(learned))
        self.db.executemany(
            "UPDATE article SET passages = ? WHERE number = ?",
            [(count, number) for number, count in Counter(numbers).items()],
        )

    def take(self, part: Path, removed: set[int]) -> set[int]:
        """Copy a part but its removed articles; return the numbers of those."""
        with np.load(part / "columns.npz") as columns:
            keep = ~np.isin(columns["article"], list(removed))
            self.rows.extend(columns["row"][keep].tolist())
            self.days.extend(columns["day"][keep].tolist())
            self.publishers.extend(columns["publisher"][keep].tolist())
            self.articles.extend(columns["article"][keep].tolist())
        vectors = _open_vectors(part)
        for begin in range(0, len(keep), _COPIED):
            some = vectors.reconstruct_n(begin, min(_COPIED, len(keep) - begin))
            self.vectors.add(np.ascontiguousarray(some[keep[begin : begin + _COPIED]]))
        with closing(_readonly(part / "passages.db")) as db:
            numbers = {row[0] for row in db.execute("SELECT number FROM article")}
            gone = numbers & removed
            for table, key in (
                ("article", "number"),
                ("passage", "article"),
                ("acronym", "article"),
            ):
                at = [row[1] for row in db.execute(f"PRAGMA table_info({table})")].index(key)
                rows = (row for row in db.execute(f"SELECT * FROM {table}") if row[at] not in gone)
                marks = ",".join("?" * len(db.execute(f"PRAGMA table_info({table})").fetchall()))
                self.db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return gone

    def finish(self) -> None:
        import faiss

        self.db.execute("COMMIT")
        self.db.execute("CREATE UNIQUE INDEX passage_article ON passage (article, number)")
        self.db.close()
        faiss.write_index(self.vectors, str(self.folder / "vectors.faiss"))
        np.savez(
            self.folder / "columns.npz",
            row=np.array(self.rows, dtype=np.int64),
            day=np.array(self.days, dtype=np.int32),
            publisher=np.array(self.publishers, dtype=np.int32),
            article=np.array(self.articles, dtype=np.int64),
        )


def _read_acronyms(db: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    # Versions of earlier rules, which a rollback may bring back, have no such table.
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'acronym'").fetchone():
        yield from db.execute("SELECT article, short, meaning FROM acronym")


def _any_of(schema: Any, stems: Sequence[str], others: Sequence[Any]) -> Any:
    from tantivy import Occur, Query

    queries = [*(Query.term_query(schema, "text", stem) for stem in stems), *others]
    return Query.boolean_query([(Occur.Should, query) for query in queries])


_SELECT_PASSAGE = """SELECT p.row, a.number, a.id, p.number, a.story_id, p.text, p.spans, a.title,
    a.publisher, a.url, a.published, a.content
    FROM passage p JOIN article a ON a.number = p.article"""
_SELECT_ID = """SELECT p.row, a.id, p.number FROM passage p JOIN article a ON a.number = p.article
    WHERE p.row IN"""


def _select(db: sqlite3.Connection, query: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Run a query that ends in IN, for as many values as SQLite takes at a time."""
    for begin in range(0, len(values), _ASKED):
        some = values[begin : begin + _ASKED]
        yield from db.execute(f"{query} ({','.join('?' * len(some))})", some)


def _passage(row: Sequence[Any]) -> Passage:
    return Passage(
        id=f"{row[2]}#{row[3]}",
        article_id=row[2],
        story_id=row[4],
        text=row[5],
        spans=tuple((start, end) for start, end in json.loads(row[6])),
        title=row[7],
        publisher=row[8],
        url=row[9],
        published=dt.date.fromisoformat(row[10]) if row[10] else None,
        content=row[11],
    )


def _read_articles(
    folder: Path, parts: Sequence[str], removed: Set[int]
) -> dict[str, tuple[int, str]]:
    """Return the number and fingerprint of each article that is there."""
    known: dict[str, tuple[int, str]] = {}
    for part in parts:
        with closing(_readonly(folder / part / "passages.db")) as db:
            for article_id, number, fingerprint in db.execute(
                "SELECT id, number, fingerprint FROM article"
            ):
                if number not in removed:
                    known[article_id] = (number, fingerprint)
    return known


def _link_tree(source: Path, target: Path) -> None:
    """Link every file of `source` into `target`; what the next writer rewrites is copied."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.name in _NEVER_LINKED:
            if not path.name.endswith(".lock"):
                shutil.copy2(path, target / path.name)
            continue
        try:
            os.link(path, target / path.name)
        except OSError:
            shutil.copy2(path, target / path.name)


def _readonly(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def _open_parts(folder: Path, names: Sequence[str]) -> list[_Part]:
    """Open the parts that hold passages; articles of nothing but boilerplate leave one empty."""
    parts = [_open_part(folder / name) for name in names]
    for part in parts:
        if not len(part.rows):
            part.db.close()
    return [part for part in parts if len(part.rows)]


def _open_part(folder: Path) -> _Part:
    with np.load(folder / "columns.npz") as columns:
        return _Part(
            folder,
            columns["row"],
            columns["day"],
            columns["publisher"],
            columns["article"],
            _readonly(folder / "passages.db"),
        )


def _open_vectors(folder: Path) -> Any:
    import faiss

    # One question should not take both cores from another.
    faiss.omp_set_num_threads(1)
    return faiss.read_index(str(folder / "vectors.faiss"), faiss.IO_FLAG_MMAP_IFC)


def _read_removed(folder: Path) -> tuple[Rows, frozenset[int]]:
    with np.load(folder / "removed.npz") as removed:
        return removed["rows"], frozenset(removed["articles"].tolist())


def _day(published: dt.date | None) -> int:
    return published.toordinal() if published else UNDATED


def _new_lexical(folder: Path) -> Any:
    from tantivy import Index, SchemaBuilder

    builder = SchemaBuilder()
    builder.add_integer_field("row", fast=True)
    builder.add_integer_field("article", indexed=True)
    builder.add_integer_field("day", fast=True, indexed=True)
    builder.add_integer_field("publisher", indexed=True)
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    return Index(builder.build(), path=str(folder))


def _open_lexical(folder: Path) -> Any:
    from tantivy import Index

    return Index.open(str(folder))
