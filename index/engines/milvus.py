"""Versions whose passages are in Milvus; the folder holds the manifest and the articles.

    manifest.json   the version's description, its collection, its number in it, its first free row
    catalog.db      articles, stems with their frequencies, acronyms; see milvus_catalog
    writing.json    while it is written: what to undo in Milvus if it is never published

Versions share a collection. Version v sees the rows that are below its first free row and that
died after v, so publishing it is only the switch of the home's LIVE file, an earlier version goes
on being whole, and what a killed build left is seen by none. A collection that somebody wrote to
after the version to build on (after a rollback, or from a copy of the home) is not written to:
its rows are copied into another one.

BM25 is the inner product of a question's vector, which has the stems' inverse document
frequencies, and a passage's, which has the rest of the formula. Milvus' own BM25 would count the
rows of other versions too. The mean length of a passage stands in every row; when it has moved by
more than a tenth, the rows are copied with the new one.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from index import chunking, text
from index import manifest as manifests
from index.acronyms import Acronyms, introduced
from index.embedding import Vectors
from index.engines.contract import ArticleEntry, IndexVersion, Recipe
from index.engines.milvus_catalog import FILE_NAME as CATALOG
from index.engines.milvus_catalog import Catalog, CatalogArticle, slot
from index.engines.milvus_server import ALIVE, BATCH, MOST_FOUND, Row, Server
from index.errors import IndexDamagedError, ModelError
from index.records import Filter, Passage, Scored
from index.sqlite import connect

NAME = "milvus"
WRITING = "writing.json"
SPOOL = "spool.db"

K1, B = 1.2, 0.75
MOST_DRIFT = 0.1
UNDATED = 0

# Milvus takes no vector without a value; no question has this dimension.
_NO_STEM = 0
# Each acronym in a question doubles the number of its vectors.
_MOST_SYNONYMS = 5
_FIELDS = ("row", "died", "day", "publisher", "text", "spans", "dense", "lexical")


class MilvusEngine:
    """Versions in a Milvus server, or in a file of Milvus Lite."""

    name = NAME

    def __init__(self, uri: str, dense_index: str = "FLAT") -> None:
        self._server = Server(uri)
        self._dense_index = dense_index

    def writer(self, folder: Path, base: Path | None, recipe: Recipe) -> MilvusWriter:
        """Begin a version in `folder`, on top of the one in `base` if given."""
        return MilvusWriter(self._server, folder, base, recipe, self._dense_index)

    def open(self, folder: Path) -> MilvusIndex:
        """Open the version in `folder`; raises IndexDamagedError and EngineError."""
        return MilvusIndex(self._server, folder)

    def describe(self, folder: Path) -> IndexVersion:
        """Return the version's description; Milvus is not asked."""
        return manifests.version(manifests.read(folder))

    def indexed(self, folder: Path, article_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return the fingerprint of each article in the version; Milvus is not asked."""
        manifests.read(folder, NAME)
        with manifests.reading(folder):
            catalog = Catalog.read(folder / CATALOG)
            try:
                known = catalog.fingerprints()
                return known if article_ids is None else _among(known, article_ids)
            finally:
                catalog.close()

    def discard(self, folders: Sequence[Path], kept: Sequence[Path]) -> None:
        """Delete the rows that no version in `kept` sees, in the collections of `folders`.

        What an unfinished version marked as died is alive again. A collection that no kept
        version uses is dropped.
        """
        users: dict[str, list[_Place]] = {}
        for folder in kept:
            for place in _places(folder):
                users.setdefault(place.collection, []).append(place)
        for collection in {p.collection for folder in folders for p in _places(folder)}:
            if not self._server.exists(collection):
                continue
            if collection not in users:
                self._server.drop(collection)
                continue
            self._server.load(collection)
            self._server.erase(collection, " and ".join(f"({p.unseen})" for p in users[collection]))
            _revive(self._server, collection, max(place.number for place in users[collection]))


class _Place:
    """Where a version's rows are: its collection, its number in it, and its first free row."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.collection = str(raw["collection"])
        self.number = int(raw["number"])
        self.next_row = int(raw["next_row"])

    @property
    def seen(self) -> str:
        """Return the filter of the version's rows."""
        return f"row < {self.next_row} and died > {self.number}"

    @property
    def unseen(self) -> str:
        return f"row >= {self.next_row} or died <= {self.number}"

    @property
    def later(self) -> str:
        """Return the filter of what was written to the collection after the version."""
        return f"row >= {self.next_row} or (died > {self.number} and died < {ALIVE})"


def _among(known: Mapping[str, str], article_ids: Sequence[str]) -> dict[str, str]:
    return {article_id: known[article_id] for article_id in article_ids if article_id in known}


def _places(folder: Path) -> Iterator[_Place]:
    """Yield the collections that a folder names, complete or not, as far as it can be read."""
    for name in (manifests.FILE_NAME, WRITING):
        try:
            raw = json.loads((folder / name).read_text(encoding="utf-8"))
            if raw["recipe"]["engine"] == NAME:
                yield _Place(raw)
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _revive(server: Server, collection: str, number: int) -> None:
    while rows := server.some(
        collection, f"died > {number} and died < {ALIVE}", _FIELDS, limit=BATCH
    ):
        server.set_died(collection, rows, ALIVE)


class MilvusIndex:
    """A version open for searching; safe to use from many threads."""

    def __init__(self, server: Server, folder: Path) -> None:
        manifest = manifests.read(folder, NAME)
        self._server = server
        self._folder = folder
        self._version = manifests.version(manifest)
        with manifests.reading(folder):
            self._place = _Place(manifest)
            self._dense_index = str(manifest["dense_index"])
            self._publishers = {p: code for code, p in enumerate(manifest["publisher_codes"])}
            self._catalog = Catalog.read(folder / CATALOG)
        self._lock = threading.Lock()
        self._known_acronyms: Acronyms | None = None
        try:
            self._check()
        except BaseException:
            self._catalog.close()
            raise

    def _check(self) -> None:
        """Compare the number of rows; from then on Milvus shows what the version's build wrote."""
        there = 0
        if self._server.exists(self._place.collection):
            self._server.load(self._place.collection)
            there = self._server.count(self._place.collection, self._place.seen)
            if there == self._version.passages:
                return
        raise IndexDamagedError(
            f"Version {self._folder.name!r} has {self._version.passages:,} passages, Milvus at "
            f"{self._server.uri!r} {there:,} of them. Run `tanya rollback`, or "
            "`tanya build --full` to make it anew."
        )

    @property
    def version(self) -> IndexVersion:
        return self._version

    def dense(self, vector: Vectors, k: int, wanted: Filter) -> list[Scored]:
        """Search by inner product; of unit vectors these are cosines. At most 16,384 are found."""
        query = np.ascontiguousarray(vector.reshape(-1), dtype=np.float32)
        if len(query) != self._version.recipe.dimensions:
            raise ModelError(
                f"The question's vector has {len(query)} dimensions, the index "
                f"{self._version.recipe.dimensions}; run `tanya build` with the model in use."
            )
        if not query.any():
            return []
        return self._search("dense", [query], k, wanted)

    def lexical(self, question: str, k: int, wanted: Filter) -> list[Scored]:
        """Search by BM25 (k1 1.2, b 0.75) over the stems of headline and text.

        At most 16,384 are found.
        """
        queries = [query for query in self._lexical_queries(question) if query]
        return self._search("lexical", queries, k, wanted) if queries else []

    def _lexical_queries(self, question: str) -> list[dict[int, float]]:
        """Return the question's vector with each choice of one form of each of its acronyms.

        A passage scores by the best of them: by the form that it holds.
        """
        terms = text.query_stems(question)
        total = self._version.passages
        synonyms = self._acronyms().expansions(question, terms, self.frequencies, total)
        forms = [
            (dict.fromkeys(s.asked, 1.0), dict.fromkeys(s.other, boost))
            for s, boost in synonyms[:_MOST_SYNONYMS]
        ]
        replaced = {stem for asked, _ in forms for stem in asked}
        single = dict.fromkeys((term for term in terms if term not in replaced), 1.0)
        known = self._catalog.stems([*single, *(s for pair in forms for f in pair for s in f)])
        queries = []
        for chosen in product(*forms):
            query: dict[int, float] = defaultdict(float)
            for form in (single, *chosen):
                for stem, weight in form.items():
                    if stem in known:
                        dimension, holding = known[stem]
                        query[dimension] += weight * _idf(holding, total)
            queries.append(dict(query))
        return queries

    def _acronyms(self) -> Acronyms:
        with self._lock:
            if self._known_acronyms is None:
                with manifests.reading(self._folder):
                    self._known_acronyms = Acronyms(self._catalog.acronyms())
            return self._known_acronyms

    def _search(self, field: str, queries: Sequence[Any], k: int, wanted: Filter) -> list[Scored]:
        """Return the best of what any of the queries finds; a row counts with its best score."""
        k = min(k, self._version.passages, MOST_FOUND)
        passing = self._filter(wanted)
        if k < 1 or passing is None:
            return []
        best: dict[int, float] = {}
        for hits in self._server.search(
            self._place.collection, field, queries, k, passing, self._dense_index
        ):
            for row, score in hits:
                best[row] = max(score, best.get(row, -math.inf))
        found = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:k]
        with manifests.reading(self._folder):
            ids = self._catalog.passage_ids(row for row, _ in found)
        return [Scored(i, score) for i, (_, score) in zip(ids, found, strict=True)]

    def _filter(self, wanted: Filter) -> str | None:
        """Return the filter in Milvus' language; None if nothing can pass."""
        parts = [self._place.seen]
        if wanted.dated:
            low = wanted.after.toordinal() if wanted.after else UNDATED + 1
            parts.append(f"day >= {low}")
        if wanted.before:
            parts.append(f"day <= {wanted.before.toordinal()}")
        if wanted.publishers:
            codes = [self._publishers[p] for p in wanted.publishers if p in self._publishers]
            if not codes:
                return None
            parts.append(f"publisher in {codes}")
        if wanted.authors:
            with manifests.reading(self._folder):
                rows = self._catalog.rows_by(wanted.authors)
            if not rows:
                return None
            parts.append(f"row in {rows}")
        return " and ".join(parts)

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the passages with these ids, in this order."""
        found, articles = self._get(passage_ids, ("row", "text", "spans"))
        return [
            _passage(passage_id, article, found[passage_id])
            for passage_id, article in zip(passage_ids, articles, strict=True)
        ]

    def sizes(self, article_ids: Sequence[str]) -> list[int]:
        """Return how many passages each article has, 0 for an unknown one."""
        with manifests.reading(self._folder):
            known = self._catalog.articles(article_ids)
        return [known[i].slots if i in known else 0 for i in article_ids]

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """Return the passages' vectors as stored, float32 [len(passage_ids), dimensions]."""
        found, _ = self._get(passage_ids, ("row", "dense"))
        out = np.zeros((len(passage_ids), self._version.recipe.dimensions), dtype=np.float32)
        for number, passage_id in enumerate(passage_ids):
            out[number] = found[passage_id]["dense"]
        return out

    def authors(self) -> Mapping[str, int]:
        """Return who wrote articles, with how many; those who wrote most first."""
        with manifests.reading(self._folder):
            return self._catalog.authors()

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """Return in how many passages each stem stands, in the headline or the text."""
        known = self._catalog.stems(stems)
        return [known[stem][1] if stem in known else 0 for stem in stems]

    def close(self) -> None:
        """Close the catalogue."""
        self._catalog.close()

    def _get(
        self, passage_ids: Sequence[str], fields: Sequence[str]
    ) -> tuple[dict[str, Row], list[CatalogArticle]]:
        """Return the rows by passage id, and the article of each passage."""
        with manifests.reading(self._folder):
            known = self._catalog.articles({i.rpartition("#")[0] for i in passage_ids})
        rows: dict[str, int] = {}
        articles = []
        for passage_id in passage_ids:
            article = known.get(passage_id.rpartition("#")[0])
            number = slot(passage_id)
            if article is None or not 0 <= number < article.slots:
                raise self._missing(passage_id)
            rows[passage_id] = article.first_row + number
            articles.append(article)
        there = self._server.get(self._place.collection, list(rows.values()), fields)
        for passage_id, row in rows.items():
            if row not in there:
                raise self._missing(passage_id)
        return {passage_id: there[row] for passage_id, row in rows.items()}, articles

    def _missing(self, passage_id: str) -> IndexDamagedError:
        return IndexDamagedError(
            f"Passage {passage_id!r} is not in version {self._version.name!r}; "
            "run `tanya build --full`."
        )


class MilvusWriter:
    """Writes one version: all of it is put by in the folder, and into Milvus only by `finish`."""

    def __init__(
        self, server: Server, folder: Path, base: Path | None, recipe: Recipe, dense_index: str
    ) -> None:
        self._server = server
        self._folder = folder
        self._recipe = recipe
        self._dense_index = dense_index
        self._base: _Place | None = None
        self._average = 0.0
        self._length = self._next_row = self._next_article = 0
        self._publishers: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._gone: list[CatalogArticle] = []
        folder.mkdir(parents=True, exist_ok=True)
        if base is not None:
            self._take_over(base)
        with manifests.reading(base or folder):
            self._catalog = Catalog.create(folder / CATALOG, base / CATALOG if base else None)
            self._known = self._catalog.fingerprints()
        self._first_new = self._next_row
        self._spool = _Spool(folder / SPOOL)

    def _take_over(self, base: Path) -> None:
        manifest = manifests.read(base, NAME)
        with manifests.reading(base):
            self._base = _Place(manifest)
            self._average = float(manifest["average"])
            self._length = int(manifest["length"])
            self._next_row = self._base.next_row
            self._next_article = int(manifest["next_article"])
            self._dense_index = str(manifest["dense_index"])
            self._publishers = {p: code for code, p in enumerate(manifest["publisher_codes"])}

    def indexed(self, article_ids: Sequence[str] | None = None) -> Mapping[str, str]:
        """Return the fingerprint of each article in the version so far."""
        return self._known if article_ids is None else _among(self._known, article_ids)

    def drop(self, article_ids: Sequence[str]) -> None:
        """Remove articles and their passages; unknown ids are passed over."""
        there = [article_id for article_id in article_ids if self._known.pop(article_id, None)]
        for article in self._catalog.articles(there).values():
            self._catalog.remove(article)
            if article.first_row < self._first_new:
                self._gone.append(article)
            else:
                for stems in self._spool.remove(_rows(article)):
                    self._count(stems, -1)

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
        mine: dict[str, list[tuple[Passage, Any, list[str]]]] = {e.id: [] for e in articles}
        for passage, vector, found in zip(
            passages, vectors, stems or chunking.stems(passages), strict=True
        ):
            mine[passage.article_id].append((passage, vector, found.split()))
        for entry in {entry.id: entry for entry in articles}.values():
            self._put(entry, mine[entry.id])

    def _put(self, entry: ArticleEntry, written: Sequence[tuple[Passage, Any, list[str]]]) -> None:
        first, number = self._next_row, self._next_article
        self._next_article += 1
        self._next_row += self._catalog.add(number, entry, [p for p, *_ in written], first)
        self._catalog.add_authors(number, entry.authors)
        self._catalog.add_acronyms(number, {i for p, *_ in written for i in introduced(p.text)})
        self._known[entry.id] = entry.fingerprint
        for passage, vector, stems in written:
            self._count(stems, 1)
            code = self._publishers.setdefault(passage.publisher, len(self._publishers))
            day = passage.published.toordinal() if passage.published else UNDATED
            row = {
                "row": first + slot(passage.id),
                "day": day,
                "publisher": code,
                "text": passage.text,
                "spans": json.dumps(passage.spans),
            }
            self._spool.add(row, stems, vector)

    def _count(self, stems: Sequence[str], change: int) -> None:
        self._length += change * len(stems)
        for stem in set(stems):
            self._counts[stem] += change

    def finish(self, name: str, built: dt.datetime, state: str = "") -> IndexVersion:
        """Write to Milvus what was put by, then the manifest."""
        self._count_gone()
        self._catalog.count_stems(self._counts)
        version = self._describe(name, built, state)
        average = self._length / max(1, version.passages)
        place = self._begin(average)
        if self._base is not None and place.collection == self._base.collection:
            self._mark_gone(place)
        elif self._base is not None:
            self._copy(self._base, place)
        for batch in self._spool.batches():
            self._insert(place, batch)
        self._server.flush(place.collection)
        self._catalog.finish()
        self._spool.close()
        (self._folder / SPOOL).unlink()
        extra = {
            "collection": place.collection,
            "number": place.number,
            "next_row": place.next_row,
            "next_article": self._next_article,
            "average": self._average,
            "length": self._length,
            "dense_index": self._dense_index,
            "publisher_codes": list(self._publishers),
        }
        (self._folder / WRITING).unlink()
        manifests.write(self._folder, version, extra)
        return version

    def abort(self) -> None:
        """Close what is open; Milvus is cleared of it when the folder is discarded."""
        self._catalog.close()
        self._spool.close()

    def _describe(self, name: str, built: dt.datetime, state: str) -> IndexVersion:
        totals = self._catalog.totals()
        return IndexVersion(
            name=name,
            built=built,
            recipe=self._recipe,
            articles=totals.articles,
            passages=totals.passages,
            stories=totals.stories,
            newest=dt.date.fromisoformat(totals.newest) if totals.newest else None,
            oldest=dt.date.fromisoformat(totals.oldest) if totals.oldest else None,
            publishers=totals.publishers,
            state=state,
        )

    def _count_gone(self) -> None:
        if self._base is None:
            return
        if not self._server.exists(self._base.collection):
            raise IndexDamagedError(
                f"The live version is not in Milvus at {self._server.uri!r}. "
                "Run `tanya build --full` to make it anew."
            )
        self._server.load(self._base.collection)
        for articles in _batches(self._gone):
            wanted = [row for article in articles for row in _rows(article)]
            there = self._server.get(self._base.collection, wanted, ("row", "text"))
            for article in articles:
                title = text.stems(article.title)
                for row in _rows(article):
                    if row in there:
                        self._count([*title, *text.stems(there[row]["text"])], -1)

    def _begin(self, average: float) -> _Place:
        """Choose the collection, and note it down before anything is written to it."""
        base = self._base
        moved = average > 0 and abs(self._average / average - 1) > MOST_DRIFT
        if base is not None and not moved:
            in_place = not self._server.some(base.collection, base.later, ("row",), limit=1)
        else:
            in_place = False
        if base is not None and in_place:
            raw = {"collection": base.collection, "number": base.number + 1}
        else:
            raw = {"collection": f"tanya_{secrets.token_hex(6)}", "number": 1}
            self._average = average
        place = _Place({**raw, "next_row": self._next_row})
        noted = {**raw, "next_row": self._next_row, "recipe": {"engine": NAME}}
        _write_synced(self._folder / WRITING, json.dumps(noted))
        if not in_place:
            self._server.create(place.collection, self._recipe.dimensions, self._dense_index)
        return place

    def _mark_gone(self, place: _Place) -> None:
        for articles in _batches(self._gone):
            wanted = [row for article in articles for row in _rows(article)]
            there = self._server.get(place.collection, wanted, _FIELDS)
            self._server.set_died(place.collection, list(there.values()), place.number)

    def _copy(self, base: _Place, place: _Place) -> None:
        """Copy the rows that stay into another collection, with the new mean length."""
        staying = (a for a in self._catalog.all_articles() if a.first_row < self._first_new)
        for articles in _batches(staying):
            wanted = [row for article in articles for row in _rows(article)]
            there = self._server.get(base.collection, wanted, _FIELDS)
            batch = []
            for article in articles:
                title = text.stems(article.title)
                for row in _rows(article):
                    if row in there:
                        stems = [*title, *text.stems(there[row]["text"])]
                        batch.append((there[row], stems))
            self._insert(place, batch)

    def _insert(self, place: _Place, batch: Sequence[tuple[Row, Sequence[str]]]) -> None:
        known = self._catalog.stems(list({stem for _, stems in batch for stem in stems}))
        rows = [
            {**row, "died": ALIVE, "lexical": self._weights(stems, known)} for row, stems in batch
        ]
        if rows:
            self._server.insert(place.collection, rows)

    def _weights(
        self, stems: Sequence[str], known: Mapping[str, tuple[int, int]]
    ) -> dict[int, float]:
        """Return BM25's weight of each stem in a passage, without the stem's rarity."""
        norm = K1 * (1 - B + B * _rounded(len(stems)) / self._average) if stems else 0.0
        counts = Counter(stems)
        found = {known[s][0]: tf * (K1 + 1) / (tf + norm) for s, tf in counts.items()}
        return found or {_NO_STEM: 1.0}


class _Spool:
    """Rows put by until Milvus gets them."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            """CREATE TABLE passage (row INTEGER PRIMARY KEY, day INTEGER, publisher INTEGER,
            text TEXT, spans TEXT, stems TEXT, dense BLOB)"""
        )
        self._db.execute("BEGIN")

    def add(self, row: Row, stems: Sequence[str], vector: Any) -> None:
        values = (*row.values(), " ".join(stems), np.asarray(vector, dtype=np.float32).tobytes())
        self._db.execute("INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def remove(self, rows: range) -> list[list[str]]:
        """Remove rows; return the stems of each."""
        between = "FROM passage WHERE row >= ? AND row < ?"
        bounds = (rows.start, rows.stop)
        found = [stems.split() for (stems,) in self._db.execute(f"SELECT stems {between}", bounds)]
        self._db.execute(f"DELETE {between}", bounds)
        return found

    def batches(self) -> Iterator[list[tuple[Row, list[str]]]]:
        """Yield the rows with their stems, some at a time."""
        cursor = self._db.execute("SELECT * FROM passage ORDER BY row")
        while some := cursor.fetchmany(BATCH):
            yield [
                (
                    {
                        "row": row,
                        "day": day,
                        "publisher": publisher,
                        "text": content,
                        "spans": spans,
                        "dense": np.frombuffer(dense, dtype=np.float32),
                    },
                    stems.split(),
                )
                for row, day, publisher, content, spans, stems, dense in some
            ]

    def close(self) -> None:
        self._db.close()


def _rows(article: CatalogArticle) -> range:
    return range(article.first_row, article.first_row + article.slots)


def _batches(articles: Sequence[CatalogArticle] | Iterator[CatalogArticle]) -> Iterator[Any]:
    """Yield lists of articles with about BATCH rows in all."""
    batch: list[CatalogArticle] = []
    rows = 0
    for article in articles:
        batch.append(article)
        rows += article.slots
        if rows >= BATCH:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _rounded(length: int) -> int:
    """Round a length down as Tantivy stores it (Lucene's SmallFloat), so that both rank alike."""
    over = length - 24
    shift = max(0, over.bit_length() - 4)
    return length if over < 0 else 24 + (over >> shift << shift)


def _idf(holding: int, total: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _passage(passage_id: str, article: CatalogArticle, row: Row) -> Passage:
    return Passage(
        id=passage_id,
        article_id=article.id,
        story_id=article.story_id,
        text=row["text"],
        spans=tuple((start, end) for start, end in json.loads(row["spans"])),
        title=article.title,
        publisher=article.publisher,
        url=article.url,
        published=dt.date.fromisoformat(article.published) if article.published else None,
        content=article.content,
    )


def _write_synced(path: Path, content: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
