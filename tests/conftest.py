"""Fixtures that several tests share, and how hypothesis tries."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import homes
from tests.news import ToyEmbedder, engine_at, location_of

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


def pytest_xdist_auto_num_workers():
    """Return three workers for two cores: a third of their time goes by in waiting for servers."""
    return (os.cpu_count() or 1) * 3 // 2


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


# Not for the session: while it runs, so does an event loop in this thread.
@pytest.fixture(scope="module")
def chromium():
    """Return a running Chromium."""
    from tests.browser import chromium_opened

    with chromium_opened() as browser:
        yield browser


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


@pytest.fixture(scope="session")
def engine(location):
    """Return each search engine in turn."""
    return engine_at(location)
