"""What several tests share: a toy embedder, and articles written by a seed."""

import datetime as dt
import hashlib
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from index import text
from index.engines.opening import open_engine
from index.records import Article
from index.settings import EngineSettings
from tests import homes
from tests.plain_engine import PlainEngine

settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "wild", parent=settings.get_profile("house"), derandomize=False, max_examples=1000
)
settings.load_profile("house")

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


@pytest.fixture
def embedder():
    return ToyEmbedder()


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory):
    """Return a home with the sample's articles, built; tests leave its archive as it is."""
    home = tmp_path_factory.mktemp("sample")
    assert homes.tanya(home, "add", Path(__file__).parents[1] / "sample" / "articles") == 0
    assert homes.tanya(home, "build") == 0
    return home


@pytest.fixture(scope="session")
def milvus(tmp_path_factory):
    """Return the URI of a Milvus Lite that serves the whole run, also other processes."""
    manager = pytest.importorskip("milvus_lite.server_manager").server_manager_instance
    path = str(tmp_path_factory.mktemp("milvus") / "uji.db")
    yield manager.start_and_get_uri(path)
    manager.release_server(path)


@pytest.fixture(scope="session", params=["local", "milvus"])
def location(request):
    """Return the location of each search engine in turn."""
    return location_of(request)


def location_of(request):
    """Return the location that the name of an engine stands for."""
    if request.param == "milvus":
        return f"milvus+{request.getfixturevalue('milvus')}"
    return request.param


@pytest.fixture(scope="session")
def engine(location):
    """Return each search engine in turn."""
    return engine_at(location)


only_local = pytest.mark.parametrize("location", ["local"], indirect=True)


def engine_at(location):
    """Return the engine at a location, or the plain one."""
    if location == PlainEngine.name:
        return PlainEngine()
    return open_engine(EngineSettings(location), Path())


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
