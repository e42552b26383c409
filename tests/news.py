"""What tests of the index share: articles written by a seed, a toy embedder, engines and homes."""

import datetime as dt
import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pytest

from index import build as builds
from index import chunking, text
from index.archive import FILE_NAME, Archive
from index.engines.opening import open_engine
from index.records import Article, Filter
from index.settings import ChunkingSettings, EngineSettings
from index.versions import Versions
from tests.plain_engine import PlainEngine

NOW = dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC)


class ToyEmbedder:
    """A text's vector is the sum of its stems' random vectors: alike texts are near each other."""

    def __init__(self, name="toy@1", dimensions=16):
        self.name = name
        self.dimensions = dimensions
        self.embedded = 0
        self._of_stem = {}

    def embed_queries(self, texts):
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for vector, content in zip(vectors, texts, strict=True):
            for stem in text.stems(content):
                vector += self._stem(stem)
            vector /= max(float(np.linalg.norm(vector)), 1e-12)
        return vectors

    def embed_passages(self, texts):
        self.embedded += len(texts)
        return self.embed_queries(texts)

    def _stem(self, stem):
        if stem not in self._of_stem:
            seed = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], "big")
            self._of_stem[stem] = np.random.default_rng(seed).normal(size=self.dimensions)
        return self._of_stem[stem]


def location_of(request):
    """Return the location that the name of an engine stands for."""
    if request.param == "milvus":
        return f"milvus+{request.getfixturevalue('milvus')}"
    return request.param


only_local = pytest.mark.parametrize("location", ["local"], indirect=True)


def engine_at(location):
    """Return the engine at a location, or the plain one."""
    if location == PlainEngine.name:
        return PlainEngine()
    return open_engine(EngineSettings(location), Path())


def write_as_before(folder, change=lambda kept: None):
    """Write a version's manifest, changed, as the first release did: without checksums."""
    path = folder / "manifest.json"
    kept = json.loads(path.read_bytes())
    del kept["checksum"], kept["checksums"]
    change(kept)
    path.write_text(json.dumps(kept), encoding="utf-8")


PUBLISHERS = ("Harian Pesisir", "Kabar Lereng", "Suara Muara")
_WHO = (
    "Bupati Rukmana",
    "Kepala desa",
    "Nelayan Teluk Waru",
    "Petani kopi",
    "Panitia",
    "Warga Kampung Sawo",
    "Guru honorer",
    "Pengusaha batik",
    "Pelatih renang",
    "Sopir angkutan",
)
_DID = (
    "meresmikan",
    "menolak",
    "memperbaiki",
    "membicarakan",
    "menjual",
    "mengunjungi",
    "mendata",
    "mengusulkan",
    "menunda",
    "membersihkan",
)
_WHAT = (
    "jembatan gantung",
    "pasar ikan",
    "irigasi sawah",
    "sekolah dasar",
    "lomba perahu",
    "bibit kelapa",
    "jalan tembus",
    "puskesmas pembantu",
    "tanggul sungai",
    "pameran kerajinan",
)
_WHEN = (
    "pada pagi hari",
    "sesudah hujan reda",
    "menjelang panen",
    "di tengah kemarau",
    "bersama keluarga",
    "tanpa bantuan pusat",
    "dengan biaya sendiri",
    "atas saran pamong",
)


def sentence(rng):
    """Return a sentence of news that no other seed is likely to write."""
    parts = (rng.choice(_WHO), rng.choice(_DID), rng.choice(_WHAT), rng.choice(_WHEN))
    return f"{' '.join(parts)} sebanyak {rng.randint(2, 999)} kali."


def article(number, body=None, *, sentences=4, **fields):
    """Return an article written by its number, but for what is given."""
    rng = random.Random(f"artikel {number}")
    values = {
        "id": f"a{number}",
        "publisher": PUBLISHERS[rng.randrange(len(PUBLISHERS))],
        "title": f"{rng.choice(_WHAT).title()} dan {rng.choice(_WHAT).title()}",
        "body": " ".join(sentence(rng) for _ in range(sentences)) if body is None else body,
        "url": f"https://contoh.example/berita/{number}",
        "published": dt.date(2024, 1, 1) + dt.timedelta(days=rng.randrange(500)),
    }
    return Article(**{**values, **fields})


def add(archive, articles, now=NOW):
    """Add articles and return the last report."""
    return list(archive.add(articles, now))[-1]


class OpenHome:
    """An archive, open, and versions that are built from it."""

    def __init__(self, folder, location, name="versions"):
        self.folder = folder
        self.location = location
        self.archive = Archive.open(folder / FILE_NAME, create=True)
        self.versions = Versions(folder / name, engine_at(location))
        self.embedder = ToyEmbedder()
        self.chunks = ChunkingSettings(max_tokens=40)

    def reopened(self):
        """Return the home as another process would open it."""
        return OpenHome(self.folder, self.location)

    def build(self, **options):
        wanted = builds.recipe(self.versions.engine, self.embedder, self.chunks)
        return builds.build(self.archive, self.versions, wanted, self.embedder, now=NOW, **options)

    def expected(self):
        """Return every passage that the archive should give."""
        return [
            passage
            for found, _ in self.archive.articles(list(self.archive.fingerprints()))
            for passage in chunking.passages(
                found,
                max_tokens=self.chunks.max_tokens,
                repeated=self.archive.repeated_lines(found.publisher),
            )
        ]


class Home:
    """One home with an archive and its versions."""

    def __init__(self, folder, location):
        self.folder = folder
        self.location = location
        self.versions = Versions(folder / "versions", engine_at(location))
        self.embedder = ToyEmbedder()

    def reopened(self):
        """Return the home as another process would open it."""
        return Home(self.folder, self.location)

    def add(self, *numbers, **fields):
        with Archive.open(self.folder / FILE_NAME, create=True) as archive:
            add(archive, [article(number, **fields) for number in numbers])

    def remove(self, *numbers):
        with Archive.open(self.folder / FILE_NAME) as archive:
            archive.remove([f"a{number}" for number in numbers], NOW)

    def build(self, *numbers, **options):
        """Add articles and build; return the version's name, or None if there was nothing to do."""
        if numbers:
            self.add(*numbers)
        recipe = builds.recipe(self.versions.engine, self.embedder, ChunkingSettings())
        with Archive.open(self.folder / FILE_NAME, create=True) as archive:
            report = builds.build(archive, self.versions, recipe, self.embedder, now=NOW, **options)
        return report.version.name if report.version else None

    def articles(self, index=None):
        """Return the numbers of the articles that a search for any of them finds."""
        index = index or self.versions.current()
        vector = np.ones(self.embedder.dimensions, dtype=np.float32)
        found = {hit.passage_id.partition("#")[0] for hit in index.dense(vector, 10_000, Filter())}
        assert len(index.lexical("sebanyak kali", 10_000, Filter())) >= len(found)
        return sorted(int(article_id[1:]) for article_id in found)
