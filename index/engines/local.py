"""One version as a folder: FAISS for vectors, Tantivy for BM25, SQLite for passages.

    manifest.json            the version's description and the size of every file; written last
    parts/0001/vectors.*     see vectors; position p holds the vector of row[p]
    parts/0001/passages.db   articles and passages of the part
    parts/0001/columns.npz   per position: row, day, publisher, article; for filters
    lexical/                 the Tantivy index over all parts
    removed.npz              rows and articles of the parts that are no longer there
    acronyms.json            acronyms, what they stand for, and how many articles say so

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

from index import chunking, text
from index import manifest as manifests
from index.acronyms import Acronyms, Synonym, introduced
from index.embedding import Vectors
from index.engines.contract import ArticleEntry, IndexVersion, Recipe, VectorKind
from index.engines.vectors import FLAT, NewVectors, PartVectors
from index.errors import IndexDamagedError, ModelError
from index.records import Filter, Passage, Scored
from index.sqlite import connect

UNDATED = 0

_HEAP = 256_000_000
_SMALL_HEAP = 32_000_000
_COPIED = 50_000
_ASKED = 10_000
_NEVER_LINKED = ("meta.json", ".managed.json", ".tantivy-writer.lock", ".tantivy-meta.lock")

# More parts than this are merged; so is everything once this share of all rows is removed.
MOST_PARTS = 8
MOST_REMOVED = 0.3
# A part is left out of a merge while those after it together are below this share of it.
SMALL_SHARE = 0.3

_ACRONYMS = "acronyms.json"

_REMEMBERED, _KEPT_READ = 100_000, 4_096

Rows = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


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

    def indexed(self, folder: Path, article_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return the fingerprint of each article in the version; of these, if given."""
        manifest = manifests.read(folder, self.name)
        with manifests.reading(folder):
            removed = _read_removed(folder)[1]
            known = _read_articles(folder, manifest["parts"], removed, article_ids)
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
        self._known_authors: Mapping[str, int] | None = None
        self._opened_vectors: list[PartVectors] | None = None
        # What a question finds is asked for several times: its vectors, its passages.
        self._row_of: dict[str, int] = {}
        self._read: dict[str, Passage] = {}
        with manifests.reading(folder):
            rows, self._removed_articles = _read_removed(folder)
            self._parts = _open_parts(folder, manifest["parts"])
            # For 1,000,000 rows this takes 35 ms, too long to do at each question.
            gone = [np.isin(part.rows, rows, assume_unique=True) for part in self._parts]
            self._present = [None if not there.any() else ~there for there in gone]
            self._lexical: Any = _open_lexical(folder / "lexical")
            self._searcher = self._lexical.searcher()
        self._firsts = [int(part.rows[0]) for part in self._parts]
        # Many codes take a quarter of a second to read, and lexical search goes without.
        if all(kind.kind == FLAT for kind in self._version.vectors):
            self._part_vectors()
        self._schema = self._lexical.schema

    @property
    def version(self) -> IndexVersion:
        return self._version

    def dense(self, vector: Vectors, k: int, wanted: Filter) -> list[Scored]:
        """Search every part and merge; inner products of unit vectors are cosines."""
        query = np.ascontiguousarray(vector.reshape(-1), dtype=np.float32)
        if len(query) != self._version.recipe.dimensions:
            raise ModelError(
                f"The question's vector has {len(query)} dimensions, the index "
                f"{self._version.recipe.dimensions}; run `tanya build` with the model in use."
            )
        k = min(k, self._version.passages)
        if not query.any() or k < 1:
            return []
        scores, rows = [], []
        for at, part in enumerate(self._parts):
            some, positions = self._part_vectors()[at].search(query, k, self._allowed(at, wanted))
            scores.append(some)
            rows.append(part.rows[positions])
        score, row = np.concatenate(scores), np.concatenate(rows)
        best = np.lexsort((row, -score))[:k]
        ids = self._passage_ids(row[best].tolist())
        return [Scored(i, value) for i, value in zip(ids, score[best].tolist(), strict=True)]

    def _part_vectors(self) -> list[PartVectors]:
        with self._lock, manifests.reading(self._folder):
            if self._opened_vectors is None:
                self._opened_vectors = [PartVectors(part.folder) for part in self._parts]
            return self._opened_vectors

    def _allowed(self, at: int, wanted: Filter) -> Bools | None:
        """Return which rows of a part may be found; None means all of them."""
        part, allowed = self._parts[at], self._present[at]
        if not wanted:
            return allowed
        allowed = np.ones(len(part.rows), dtype=np.bool_) if allowed is None else allowed.copy()
        if wanted.dated:
            allowed &= part.day != UNDATED
        if wanted.after:
            allowed &= part.day >= wanted.after.toordinal()
        if wanted.before:
            allowed &= part.day <= wanted.before.toordinal()
        if wanted.publishers:
            codes = [self._publishers[p] for p in wanted.publishers if p in self._publishers]
            allowed &= np.isin(part.publisher, codes)
        if wanted.authors:
            allowed &= np.isin(part.article, self._written_by(wanted.authors))
        return allowed

    def _written_by(self, authors: Sequence[str]) -> list[int]:
        """Return the numbers of the articles of any of these authors."""
        with self._lock, manifests.reading(self._folder):
            asked = "SELECT article FROM author WHERE name IN"
            parts = [part for part in self._parts if _keeps_authors(part.db)]
            found = (_select(part.db, asked, list(authors)) for part in parts)
            return sorted({number for rows in found for (number,) in rows})

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
        if wanted.authors:
            numbers = self._written_by(wanted.authors)
            if not numbers:
                return None
            theirs = Query.term_set_query(schema, "article", numbers)
            must.append((Occur.Must, Query.const_score_query(theirs, 0.0)))
        return Query.boolean_query(must)

    def _either(self, synonym: Synonym, boost: float) -> Any:
        from tantivy import Query

        asked, other = (_any_of(self._schema, s, []) for s in (synonym.asked, synonym.other))
        return Query.disjunction_max_query([asked, Query.boost_query(other, boost)])

    def _acronyms(self) -> Acronyms:
        with self._lock:
            if self._known_acronyms is None:
                with manifests.reading(self._folder):
                    dbs = [part.db for part in self._parts]
                    counts = _read_acronyms(self._folder, dbs, self._removed_articles)
                self._known_acronyms = Acronyms(counts)
            return self._known_acronyms

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order."""
        with self._lock:
            found = {i: self._read[i] for i in passage_ids if i in self._read}
        unread = [i for i in dict.fromkeys(passage_ids) if i not in found]
        rows = self._rows(unread)
        fresh: dict[str, Passage] = {}
        with self._lock, manifests.reading(self._folder):
            for at, mine in self._by_part(rows).items():
                for row in _select(self._parts[at].db, f"{_SELECT_PASSAGE} WHERE p.row IN", mine):
                    passage = _passage(row)
                    fresh[passage.id] = passage
            if len(self._read) + len(fresh) > _KEPT_READ:
                self._read.clear()
            self._read.update(fresh if len(fresh) <= _KEPT_READ else {})
        found.update(fresh)
        return [found[passage_id] for passage_id in passage_ids]

    def sizes(self, article_ids: Sequence[str]) -> list[int]:
        """Return how many passages each article has, 0 for an unknown one."""
        found: dict[str, int] = {}
        asked = "SELECT id, number, passages FROM article WHERE id IN"
        with self._lock, manifests.reading(self._folder):
            for part in self._parts:
                for article_id, number, count in _select(part.db, asked, list(article_ids)):
                    if number not in self._removed_articles:
                        found[article_id] = count
        return [found.get(article_id, 0) for article_id in article_ids]

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the passages' vectors as stored, float32 [len(passage_ids), dimensions]."""
        rows = np.array(self._rows(passage_ids), dtype=np.int64)
        out = np.zeros((len(rows), self._version.recipe.dimensions), dtype=np.float32)
        part_of = np.searchsorted(self._firsts, rows, side="right") - 1
        for at in np.unique(part_of).tolist():
            mine = np.flatnonzero(part_of == at)
            positions = np.searchsorted(self._parts[at].rows, rows[mine])
            out[mine] = self._part_vectors()[at].take(positions)
        return out

    def authors(self) -> Mapping[str, int]:
        """Return who wrote articles, with how many; those who wrote most first."""
        with self._lock, manifests.reading(self._folder):
            if self._known_authors is None:
                counts: Counter[str] = Counter()
                for part in self._parts:
                    if not _keeps_authors(part.db):
                        continue
                    counts.update(
                        name
                        for number, name in part.db.execute(_AUTHORS)
                        if number not in self._removed_articles
                    )
                self._known_authors = dict(counts.most_common())
            return self._known_authors

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in how many passages each stem stands, in the headline or the text.

        A removed passage counts until Tantivy merges the segment that it is in.
        """
        return [int(self._searcher.doc_freq("text", stem)) for stem in stems]

    def close(self) -> None:
        """Close the passages' databases."""
        for part in self._parts:
            part.db.close()

    def _rows(self, passage_ids: Sequence[str]) -> list[int]:
        """Return the rows of passages; raises IndexDamagedError for an unknown one."""
        with self._lock, manifests.reading(self._folder):
            found = {i: self._row_of[i] for i in passage_ids if i in self._row_of}
            missing = set(passage_ids) - found.keys()
            for part in reversed(self._parts):
                if not missing:
                    break
                articles = list({passage_id.rpartition("#")[0] for passage_id in missing})
                for row, number, article_id, place in _select(part.db, _SELECT_ROW, articles):
                    passage_id = f"{article_id}#{place}"
                    if passage_id in missing and number not in self._removed_articles:
                        found[passage_id] = row
                missing -= found.keys()
            self._remember(found)
        if missing:
            raise IndexDamagedError(
                f"Passage {min(missing)!r} is not in version {self._version.name!r}; "
                "run `tanya build --full`."
            )
        return [found[passage_id] for passage_id in passage_ids]

    def _remember(self, found: Mapping[str, int]) -> None:
        if len(self._row_of) > _REMEMBERED:
            self._row_of.clear()
        self._row_of.update(found)

    def _by_part(self, rows: Sequence[int]) -> dict[int, list[int]]:
        by_part: dict[int, list[int]] = {}
        for row in rows:
            by_part.setdefault(bisect(self._firsts, row) - 1, []).append(row)
        return by_part

    def _passage_ids(self, rows: Sequence[int]) -> list[str]:
        ids: dict[int, str] = {}
        with self._lock, manifests.reading(self._folder):
            for at, mine in self._by_part(rows).items():
                for row, article_id, number in _select(self._parts[at].db, _SELECT_ID, mine):
                    ids[row] = f"{article_id}#{number}"
            self._remember({passage_id: row for row, passage_id in ids.items()})
        return [ids[row] for row in rows]


class LocalWriter:
    """Writes one version; see the module's docstring for the folder."""

    def __init__(self, folder: Path, base: Path | None, recipe: Recipe) -> None:
        self._folder = folder
        self._recipe = recipe
        self._publishers: dict[str, int] = {}
        self._parts: list[str] = []
        self._kinds: dict[str, VectorKind] = {}
        self._next_row = 0
        self._next_article = 0
        self._removed_articles: set[int] = set()
        self._put: dict[str, tuple[int, str]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lexical").mkdir()
        if base is not None:
            self._take_over(base)
        self._old_parts = tuple(self._parts)
        self._new: _NewPart | None = None
        self._lexical: Any = None

    def indexed(self, article_ids: Sequence[str] | None = None) -> Mapping[str, str]:
        """Return the fingerprint of each article in the version so far; of these, if given."""
        found = self._known(article_ids)
        return {article_id: fingerprint for article_id, (_, fingerprint) in found.items()}

    def _known(self, article_ids: Sequence[str] | None) -> dict[str, tuple[int, str]]:
        with manifests.reading(self._folder):
            old = _read_articles(self._folder, self._old_parts, self._removed_articles, article_ids)
        if article_ids is None:
            return old | self._put
        return old | {i: self._put[i] for i in article_ids if i in self._put}

    def drop(self, article_ids: Sequence[str]) -> None:
        """Remove articles and their passages; unknown ids are passed over."""
        for article_id, (number, _) in self._known(article_ids).items():
            self._put.pop(article_id, None)
            self._removed_articles.add(number)
            self._lexical_writer().delete_documents_by_term("article", number)

    def put(
        self,
        articles: Sequence[ArticleEntry],
        passages: Sequence[Passage],
        vectors: Vectors,
        stems: Sequence[str] = (),
    ) -> None:
        """Add articles with their passages; one that is there already is replaced."""
        if vectors.shape != (len(passages), self._recipe.dimensions):
            raise ModelError(
                f"{len(passages)} passages need vectors of shape "
                f"{(len(passages), self._recipe.dimensions)}, not {vectors.shape}."
            )
        self.drop([entry.id for entry in articles])
        part = self._part()
        numbers: dict[str, int] = {}
        for entry in articles:
            numbers[entry.id] = self._next_article
            self._put[entry.id] = (self._next_article, entry.fingerprint)
            self._next_article += 1
        by_article = {entry.id: entry for entry in articles}
        first = {p.article_id: p for p in reversed(passages)}
        part.add_articles(
            [(numbers[entry.id], entry, first.get(entry.id)) for entry in by_article.values()]
        )
        codes = [self._publishers.setdefault(p.publisher, len(self._publishers)) for p in passages]
        rows = range(self._next_row, self._next_row + len(passages))
        self._next_row += len(passages)
        part.add_passages(rows, [numbers[p.article_id] for p in passages], codes, passages, vectors)
        stems = stems or chunking.stems(passages)
        self._add_lexical(rows, [numbers[p.article_id] for p in passages], codes, passages, stems)

    def finish(self, name: str, built: dt.datetime, state: str = "") -> IndexVersion:
        """Write the manifest last, so that a folder with one is complete."""
        if self._new is not None:
            self._kinds[self._parts[-1]] = self._new.finish()
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
        self._write_acronyms()
        version = self._describe(name, built, state)
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
            self._new.abort()
            self._new = None
        # A rollback would fail where the writer did (a full disk), and hide what happened.
        self._lexical = None

    def _take_over(self, base: Path) -> None:
        manifest = manifests.read(base)
        self._publishers = {name: code for code, name in enumerate(manifest["publisher_codes"])}
        self._parts = list(manifest["parts"])
        kinds = manifests.version(manifest).vectors
        # Versions from before there were several kinds say nothing: they compare all vectors.
        kinds = kinds or tuple(VectorKind(FLAT, _size(base / p), 1.0) for p in self._parts)
        self._kinds = dict(zip(self._parts, kinds, strict=True))
        self._next_row, self._next_article = manifest["next_row"], manifest["next_article"]
        for part in self._parts:
            _link_tree(base / part, self._folder / part)
        _link_tree(base / "lexical", self._folder / "lexical")
        with manifests.reading(base):
            self._removed_articles = set(_read_removed(base)[1])

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
        """Merge parts where they pile up, dropping removed articles for good.

        Those from the first part on that is not much larger than all after it are merged, so that
        a large part is written again only when the archive has grown by a share of it.
        """
        sizes = [_size(self._folder / name) for name in self._parts]
        removed = sum(_size(self._folder / name, self._removed_articles) for name in self._parts)
        if removed > MOST_REMOVED * sum(sizes):
            self._merge(0)
        elif len(sizes) > MOST_PARTS:
            begin = 0
            while begin < len(sizes) - 2 and sum(sizes[begin + 1 :]) <= SMALL_SHARE * sizes[begin]:
                begin += 1
            self._merge(begin)

    def _merge(self, begin: int) -> None:
        """Replace the parts from number `begin` on by one."""
        merged = self._parts[begin:]
        name = self._next_part()
        target = _NewPart(self._folder / name, self._recipe.dimensions)
        for part in merged:
            gone = target.take(self._folder / part, self._removed_articles)
            self._removed_articles -= gone
        self._kinds[name] = target.finish()
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
            heap = _SMALL_HEAP if self._old_parts else _HEAP
            self._lexical = index.writer(heap_size=heap, num_threads=1)
        return self._lexical

    def _add_lexical(
        self,
        rows: Sequence[int],
        numbers: Sequence[int],
        codes: Sequence[int],
        passages: Sequence[Passage],
        stems: Sequence[str],
    ) -> None:
        from tantivy import Document

        writer = self._lexical_writer()
        for row, number, code, passage, stemmed in zip(
            rows, numbers, codes, passages, stems, strict=True
        ):
            document = Document()
            document.add_integer("row", row)
            document.add_integer("article", number)
            document.add_integer("day", _day(passage.published))
            document.add_integer("publisher", code)
            document.add_text("text", stemmed)
            writer.add_document(document)

    def _write_removed(self) -> None:
        rows: list[int] = []
        numbers = np.array(sorted(self._removed_articles), dtype=np.int64)
        for part in self._parts:
            with manifests.ARRAYS, np.load(self._folder / part / "columns.npz") as columns:
                rows.extend(columns["row"][np.isin(columns["article"], numbers)].tolist())
        np.savez(
            self._folder / "removed.npz",
            rows=np.array(sorted(rows), dtype=np.int64),
            articles=numbers,
        )

    def _write_acronyms(self) -> None:
        """Put by what a question needs of the acronyms; counting takes a third of a second."""
        counts: Counter[tuple[str, str]] = Counter()
        for part in self._parts:
            with closing(_readonly(self._folder / part / "passages.db")) as db:
                counts.update(_count_acronyms(db, self._removed_articles))
        meanings = {a: " ".join(names) for a, names in Acronyms(counts).meanings.items()}
        written = json.dumps([(*pair, counts[pair]) for pair in sorted(meanings.items())])
        (self._folder / _ACRONYMS).write_text(written, encoding="utf-8")

    def _describe(self, name: str, built: dt.datetime, state: str) -> IndexVersion:
        publishers: Counter[str] = Counter()
        days: list[str] = []
        passages = 0
        for part in self._parts:
            with closing(_without(self._folder / part, self._removed_articles)) as db:
                for publisher, articles, count, *some in db.execute(
                    "SELECT publisher, count(*), sum(passages), min(published), max(published) "
                    f"{_THERE} GROUP BY publisher"
                ):
                    publishers[publisher] += articles
                    passages += count
                    days.extend(filter(None, some))
        return IndexVersion(
            name=name,
            built=built,
            recipe=self._recipe,
            articles=publishers.total(),
            passages=passages,
            stories=_stories([self._folder / p for p in self._parts], self._removed_articles),
            newest=dt.date.fromisoformat(max(days)) if days else None,
            oldest=dt.date.fromisoformat(min(days)) if days else None,
            publishers=tuple(publishers.most_common()),
            vectors=tuple(self._kinds[part] for part in self._parts),
            state=state,
        )


_THERE = "FROM article WHERE number NOT IN (SELECT number FROM gone)"


def _without(part: Path, removed: Set[int]) -> sqlite3.Connection:
    """Open a part's database with a table of the articles that are gone."""
    db = _readonly(part / "passages.db")
    db.execute("CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY)")
    db.executemany("INSERT INTO gone VALUES (?)", ((number,) for number in removed))
    return db


def _stories(parts: Sequence[Path], removed: Set[int]) -> int:
    """Count the stories of all parts; those of the first, the largest as a rule, by its index."""
    found: set[str] = set()
    for part in parts[1:]:
        with closing(_without(part, removed)) as db:
            found.update(row[0] for row in db.execute(f"SELECT DISTINCT story_id {_THERE}"))
    for part in parts[:1]:
        with closing(_without(part, removed)) as db:
            distinct = f"SELECT count(*) FROM (SELECT DISTINCT story_id {_THERE})"
            total = int(db.execute(distinct).fetchone()[0])
            known = _select(db, f"SELECT DISTINCT story_id {_THERE} AND story_id IN", list(found))
            # A story of several groups of questions would be told several times.
            return total + len(found) - len({row[0] for row in known})
    return 0


class _NewPart:
    """A part being written."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.vectors = NewVectors(folder, dimensions)
        self.rows: list[int] = []
        self.days: list[int] = []
        self.publishers: list[int] = []
        self.articles: list[int] = []
        self.db = connect(folder / "passages.db")
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
            CREATE TABLE author (name TEXT NOT NULL, article INTEGER NOT NULL,
                PRIMARY KEY (name, article)) WITHOUT ROWID;
            BEGIN;
            """
        )

    def add_articles(self, articles: Sequence[tuple[int, ArticleEntry, Passage | None]]) -> None:
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
        self.db.executemany(
            "INSERT OR IGNORE INTO author VALUES (?, ?)",
            ((name, number) for number, entry, _ in articles for name in entry.authors),
        )

    def add_passages(
        self,
        rows: Sequence[int],
        numbers: Sequence[int],
        codes: Sequence[int],
        passages: Sequence[Passage],
        vectors: Vectors,
    ) -> None:
        self.vectors.add(vectors)
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
        with manifests.ARRAYS, np.load(part / "columns.npz") as columns:
            keep = ~np.isin(columns["article"], list(removed))
            self.rows.extend(columns["row"][keep].tolist())
            self.days.extend(columns["day"][keep].tolist())
            self.publishers.extend(columns["publisher"][keep].tolist())
            self.articles.extend(columns["article"][keep].tolist())
        vectors, kept = PartVectors(part), np.flatnonzero(keep)
        for begin in range(0, len(kept), _COPIED):
            self.vectors.add(vectors.take(kept[begin : begin + _COPIED]))
        with closing(_readonly(part / "passages.db")) as db:
            numbers = {row[0] for row in db.execute("SELECT number FROM article")}
            gone = numbers & removed
            for table, key in (
                ("article", "number"),
                ("passage", "article"),
                ("acronym", "article"),
                ("author", "article"),
            ):
                at = [row[1] for row in db.execute(f"PRAGMA table_info({table})")].index(key)
                rows = (row for row in db.execute(f"SELECT * FROM {table}") if row[at] not in gone)
                marks = ",".join("?" * len(db.execute(f"PRAGMA table_info({table})").fetchall()))
                self.db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        return gone

    def abort(self) -> None:
        self.db.close()
        self.vectors.abort()

    def finish(self) -> VectorKind:
        self.db.execute("COMMIT")
        self.db.execute("CREATE UNIQUE INDEX passage_article ON passage (article, number)")
        self.db.execute("CREATE INDEX article_story ON article (story_id)")
        self.db.close()
        np.savez(
            self.folder / "columns.npz",
            row=np.array(self.rows, dtype=np.int64),
            day=np.array(self.days, dtype=np.int32),
            publisher=np.array(self.publishers, dtype=np.int32),
            article=np.array(self.articles, dtype=np.int64),
        )
        return self.vectors.finish()


def _count_acronyms(db: sqlite3.Connection, removed: Set[int]) -> Counter[tuple[str, str]]:
    # Versions of earlier rules, which a rollback may bring back, have no such table.
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'acronym'").fetchone():
        return Counter()
    rows = db.execute("SELECT article, short, meaning FROM acronym")
    return Counter((short, meaning) for article, short, meaning in rows if article not in removed)


def _read_acronyms(
    folder: Path, dbs: Sequence[sqlite3.Connection], removed: Set[int]
) -> Counter[tuple[str, str]]:
    """Return how many articles introduce each acronym with the meaning that it is taken for."""
    counts: Counter[tuple[str, str]] = Counter()
    if (folder / _ACRONYMS).exists():
        for short, meaning, count in json.loads((folder / _ACRONYMS).read_text(encoding="utf-8")):
            counts[short, meaning] = count
    else:
        for db in dbs:
            counts.update(_count_acronyms(db, removed))
    return counts


def _any_of(schema: Any, stems: Sequence[str], others: Sequence[Any]) -> Any:
    from tantivy import Occur, Query

    queries = [*(Query.term_query(schema, "text", stem) for stem in stems), *others]
    return Query.boolean_query([(Occur.Should, query) for query in queries])


_AUTHORS = """SELECT article, name FROM author JOIN article a ON a.number = article
    WHERE a.passages > 0"""
_SELECT_PASSAGE = """SELECT p.row, a.number, a.id, p.number, a.story_id, p.text, p.spans, a.title,
    a.publisher, a.url, a.published, a.content
    FROM passage p JOIN article a ON a.number = p.article"""
_SELECT_ROW = """SELECT p.row, a.number, a.id, p.number
    FROM passage p JOIN article a ON a.number = p.article WHERE a.id IN"""
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
    folder: Path, parts: Sequence[str], removed: Set[int], article_ids: Sequence[str] | None
) -> dict[str, tuple[int, str]]:
    """Return the number and fingerprint of each article that is there; of these, if given."""
    known: dict[str, tuple[int, str]] = {}
    query = "SELECT id, number, fingerprint FROM article"
    for part in parts:
        with closing(_readonly(folder / part / "passages.db")) as db:
            rows = (
                db.execute(query)
                if article_ids is None
                else (_select(db, f"{query} WHERE id IN", article_ids))
            )
            for article_id, number, fingerprint in rows:
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
    return connect(uri, uri=True, check_same_thread=False)


def _open_parts(folder: Path, names: Sequence[str]) -> list[_Part]:
    """Open the parts that hold passages; articles of nothing but boilerplate leave one empty."""
    parts = [_open_part(folder / name) for name in names]
    for part in parts:
        if not len(part.rows):
            part.db.close()
    return [part for part in parts if len(part.rows)]


def _open_part(folder: Path) -> _Part:
    with manifests.ARRAYS, np.load(folder / "columns.npz") as columns:
        return _Part(
            folder,
            columns["row"],
            columns["day"],
            columns["publisher"],
            columns["article"],
            _readonly(folder / "passages.db"),
        )


def _size(part: Path, among: Set[int] | None = None) -> int:
    """Return how many rows a part has; of these articles, if given."""
    with manifests.ARRAYS, np.load(part / "columns.npz") as columns:
        if among is None:
            return len(columns["row"])
        return int(np.isin(columns["article"], list(among)).sum())


def _read_removed(folder: Path) -> tuple[Rows, frozenset[int]]:
    with manifests.ARRAYS, np.load(folder / "removed.npz") as removed:
        return removed["rows"], frozenset(removed["articles"].tolist())


def _keeps_authors(db: sqlite3.Connection) -> bool:
    """Tell whether a part is younger than the filter by author; an older one is searched on."""
    asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'author'"
    return db.execute(asked).fetchone() is not None


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
