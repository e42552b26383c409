"""Versions of an index and, beside them, what they must hold and what searches must find."""

import datetime as dt
import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest

from index import manifest, text
from index.manifest import Recipe
from index.records import Filter, Passage
from index.snapshot import IndexWriter, SearchIndex
from index.store import ArticleEntry, fingerprints
from tests.news import NOW, PUBLISHERS

DIMENSIONS = 8
ANY = Filter()
AUTHORS = ("Sari Dewi", "Budi Raharjo", "O’Neil, R.")
WORDS = (
    "padi kapal sawah jembatan nelayan kopi hujan pasar sekolah bupati perahu bakau sungai gunung "
    "kampung listrik panen jalan kelapa teluk"
).split()


class Shelf:
    """Versions written one on top of the other, and beside them what they must hold."""

    def __init__(self, engine, folder):
        self.engine = engine
        self.folder = folder
        self.recipe = Recipe(engine.name, "toy@1", DIMENSIONS, 100, "uji")
        self.held = {}
        self.fingerprints = {}
        self.number = 0

    @property
    def live(self):
        return self.folder / str(self.number) if self.number else None

    def write(self, *batches, drop=()):
        """Write the next version with batches of (entry, [(passage, vector)]); return it, open."""
        writer = self.writer(str(self.number + 1))
        assert writer.indexed() == self.fingerprints
        writer.drop(drop)
        self._forget(drop)
        for batch in batches:
            entries = [entry for entry, _ in batch]
            pairs = [pair for _, pairs in batch for pair in pairs]
            self._forget(entry.id for entry in entries)
            self.fingerprints |= {entry.id: entry.fingerprint for entry in entries}
            self.held |= {passage.id: (passage, vector) for passage, vector in pairs}
            vectors = np.array([vector for _, vector in pairs], dtype=np.float32)
            writer.put(entries, [p for p, _ in pairs], vectors.reshape(-1, DIMENSIONS))
        assert writer.indexed() == self.fingerprints
        self.number += 1
        version = writer.finish(str(self.number), NOW)
        opened = self.open(self.live)
        kept = manifest.read(self.live, self.engine.name)
        assert opened.version == version == manifest.version(kept)
        assert fingerprints(self.live, kept) == self.fingerprints
        return opened

    def open(self, folder):
        return SearchIndex(self.engine, folder)

    def writer(self, name):
        return IndexWriter(self.engine, self.folder / name, self.live, self.recipe)

    def _forget(self, article_ids):
        for article_id in article_ids:
            self.fingerprints.pop(article_id, None)
            for passage_id in [i for i, (p, _) in self.held.items() if p.article_id == article_id]:
                del self.held[passage_id]

    # What the searches must find

    def passes(self, wanted):
        return [i for i, (passage, _) in self.held.items() if passes(passage, wanted)]

    def dense(self, vector, wanted=ANY):
        ids = self.passes(wanted)
        return {i: float(self.held[i][1] @ vector) for i in ids}

    def matches(self, question, wanted=ANY):
        asked = set(text.query_stems(question))
        return {i for i in self.passes(wanted) if asked & set(stems(self.held[i][0]))}

    def weight(self, question):
        """Return the sum of the idf of a question's stems."""
        counts = [set(stems(passage)) for passage, _ in self.held.values()]
        holding = [sum(stem in c for c in counts) for stem in text.query_stems(question)]
        return sum(math.log(1 + (len(counts) - n + 0.5) / (n + 0.5)) for n in holding)

    def bm25(self, question, k1=1.2, b=0.75):
        """Return the scores of Robertson's BM25 with the idf ln(1 + (N - n + 0.5) / (n + 0.5))."""
        counts = {i: Counter(stems(passage)) for i, (passage, _) in self.held.items()}
        average = sum(c.total() for c in counts.values()) / max(1, len(counts))
        scores = Counter()
        for stem in text.query_stems(question):
            holding = sum(1 for c in counts.values() if stem in c)
            idf = math.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
            for i, count in counts.items():
                if tf := count[stem]:
                    norm = k1 * (1 - b + b * count.total() / average)
                    scores[i] += idf * tf * (k1 + 1) / (tf + norm)
        return scores


def passes(passage, wanted):
    day = passage.published
    if wanted.dated and day is None:
        return False
    return (
        (wanted.after is None or day >= wanted.after)
        and (wanted.before is None or day <= wanted.before)
        and (not wanted.publishers or passage.publisher in wanted.publishers)
        and (not wanted.authors or bool(set(wanted.authors) & set(writers(passage.article_id))))
    )


def writers(article_id):
    """Return who wrote an article: nobody, one or two, by its id."""
    rng = random.Random(f"penulis {article_id}")
    return tuple(sorted(set(rng.choices(AUTHORS, k=rng.randrange(3)))))


def stems(passage):
    return text.stems(passage.title) + text.stems(passage.text)


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def written(article_id, rng, *, passages=None, length=None, title=None, fingerprint="1"):
    """Return an article's entry with its passages and vectors."""
    day = dt.date(2024, 1, 1) + dt.timedelta(days=rng.randrange(60))
    shared = {
        "article_id": article_id,
        "story_id": f"s{rng.randrange(5)}",
        "title": " ".join(rng.choices(WORDS, k=3)) if title is None else title,
        "publisher": rng.choice(PUBLISHERS),
        "url": f"https://contoh.example/{article_id}",
        "published": None if rng.random() < 0.2 else day,
        "content": f"{rng.randrange(1000):016x}",
    }
    pairs = []
    for number in range(rng.randint(1, 4) if passages is None else passages):
        content = " ".join(rng.choices(WORDS, k=length or rng.randint(3, 30)))
        spans = ((number * 500, number * 500 + len(content)),)
        passage = Passage(f"{article_id}#{number}", text=content, spans=spans, **shared)
        pairs.append((passage, unit(np.array([rng.gauss(0, 1) for _ in range(DIMENSIONS)]))))
    entry = ArticleEntry(
        article_id,
        fingerprint,
        shared["story_id"],
        shared["publisher"],
        shared["published"],
        writers(article_id),
    )
    return entry, pairs


def batch(names, seed=0, **fields):
    return [written(name, random.Random(f"{name} {seed}"), **fields) for name in names]


def questions(seed, count=5):
    rng = random.Random(f"tanya {seed}")
    return [
        (
            " ".join(rng.choices([*WORDS, "siapa", "zebra"], k=3)),
            unit(np.array([rng.gauss(0, 1) for _ in range(DIMENSIONS)])),
        )
        for _ in range(count)
    ]


FILTERS = (
    ANY,
    Filter(after=dt.date(2024, 1, 20)),
    Filter(before=dt.date(2024, 1, 20)),
    Filter(after=dt.date(2024, 1, 10), before=dt.date(2024, 1, 30), publishers=PUBLISHERS[:1]),
    Filter(publishers=PUBLISHERS[1:]),
    Filter(after=dt.date(2024, 3, 1), before=dt.date(2024, 1, 1)),
    Filter(publishers=("Penerbit Asing",)),
    Filter(authors=AUTHORS[:1]),
    Filter(after=dt.date(2024, 1, 20), publishers=PUBLISHERS[1:], authors=AUTHORS),
    Filter(authors=("Orang Lain",)),
    Filter(after=dt.date.min, before=dt.date.max),
)


def assert_best(found, expected, k):
    """Compare hits with {id: score}, where equal scores may come in any order."""
    best = sorted(expected.values(), reverse=True)[:k]
    assert [hit.score for hit in found] == pytest.approx(best, abs=1e-5)
    assert [hit.score for hit in found] == sorted((h.score for h in found), reverse=True)
    assert len({hit.passage_id for hit in found}) == len(found)
    for hit in found:
        assert hit.score == pytest.approx(expected[hit.passage_id], abs=1e-5)


def assert_whole(shelf, opened, seed=0):
    """Compare everything that an open version answers with what it must hold."""
    version = opened.version
    entries = shelf.fingerprints
    assert (version.articles, version.passages) == (len(entries), len(shelf.held))
    assert sum(count for _, count in version.publishers) == len(entries)
    found = {passage.article_id for passage, _ in shelf.held.values()}
    wrote = Counter(name for article_id in found for name in writers(article_id))
    assert dict(opened.authors()) == wrote
    ids = random.Random(seed).sample(list(shelf.held), len(shelf.held))
    assert opened.passages(ids) == [shelf.held[i][0] for i in ids]
    stored = opened.vectors(ids)
    assert stored.shape == (len(ids), DIMENSIONS) and stored.dtype == np.float32
    assert np.array_equal(stored, np.array([shelf.held[i][1] for i in ids]).reshape(stored.shape))
    for (question, vector), wanted in itertools.product(questions(seed, 3), FILTERS):
        assert_best(opened.dense(vector, 10, wanted), shelf.dense(vector, wanted), 10)
        every = opened.lexical(question, 10_000, ANY)
        assert {hit.passage_id for hit in every} == shelf.matches(question)
        assert all(hit.score > 0 for hit in every)
        passing = {h.passage_id: h.score for h in every if h.passage_id in shelf.passes(wanted)}
        assert_best(opened.lexical(question, 10_000, wanted), passing, 10_000)
        assert_best(opened.lexical(question, 4, wanted), passing, 4)
