"""What is Milvus' own: where it is, how versions share its rows, and its errors."""

import dataclasses
import fcntl
import shutil
import sys

import numpy as np
import pytest

from index import manifest
from index.archive import FILE_NAME, Archive
from index.engines.milvus import MilvusEngine
from index.engines.milvus_server import Server
from index.engines.opening import open_engine
from index.errors import (
    EngineError,
    IndexDamagedError,
    IndexMissingError,
    IndexUnreadableError,
    SettingsError,
)
from index.records import Filter
from index.settings import EngineSettings
from index.versions import NEW, Versions
from tests import homes
from tests.homes import INTRODUCING, OTHERS
from tests.homes import run_tanya as tanya
from tests.news import NOW, Home, engine_at
from tests.shelves import Shelf, assert_whole, batch, questions

ANY = Filter()
EVERYTHING = "row >= 0"


@pytest.fixture
def server(milvus):
    return Server(milvus)


@pytest.fixture
def home(tmp_path, milvus):
    return Home(tmp_path, f"milvus+{milvus}")


@pytest.fixture
def own(milvus, tmp_path):
    return Shelf(MilvusEngine(milvus), tmp_path)


def collection(home, name):
    return manifest.read(home.versions.path(name))["collection"]


# Where it is


@pytest.mark.parametrize(
    "location",
    ["", "milvus", "milvus+", "milvus+http://", "http://localhost:19530", "milvus+file:x", "faiss"],
)
def test_a_wrong_location_is_told(location, tmp_path):
    with pytest.raises(SettingsError, match=r"milvus\+http://HOST:PORT") as caught:
        open_engine(EngineSettings(location), tmp_path)
    assert repr(location) in str(caught.value)


def test_a_server_that_is_not_there_is_told(tmp_path):
    pytest.importorskip("pymilvus")
    (tmp_path / "tanya.toml").write_text('[engine]\nlocation = "milvus+http://127.0.0.1:9"\n')
    homes.add(tmp_path, homes.HARBOUR)
    done = homes.tell(tmp_path, "build")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tanya: There is no Milvus at 'http://127.0.0.1:9'")
    assert done.stderr.count("\n") == 1
    assert homes.tell(tmp_path, "status", "--json").returncode == 0


def test_a_client_that_is_not_installed_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(SettingsError, match=r'pip install "tanya-arsip\[milvus\]"'):
        Home(tmp_path, "milvus+http://127.0.0.1:9").build(1)


def test_a_file_of_another_process_is_told(tmp_path):
    pytest.importorskip("milvus_lite")
    (tmp_path / "uji.db").mkdir()
    with (tmp_path / "uji.db" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EngineError, match="One process at a time"):
            Server(str(tmp_path / "uji.db")).load("apa saja")


def test_the_commands_work_on_a_file_in_the_home(tmp_path):
    pytest.importorskip("milvus_lite")
    (tmp_path / "tanya.toml").write_text('[engine]\nlocation = "milvus+file:uji.db"\n')
    homes.add(tmp_path, homes.HARBOUR)
    built = tanya(tmp_path, "build")
    assert (built.returncode, built.stderr) == (0, "")
    assert (tmp_path / "uji.db").is_dir()
    asked = tanya(tmp_path, "ask", "Siapa yang meresmikan Pelabuhan Batu Layar?")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "Gubernur Rahmat Hidayat" in asked.stdout


def test_another_engine_builds_anew(tmp_path, milvus):
    local, other = Home(tmp_path, "local"), Home(tmp_path, f"milvus+{milvus}")
    local.build(1, 2)
    with pytest.raises(IndexUnreadableError, match="made by the engine 'local'.*'milvus/2'"):
        other.versions.current()
    assert other.build() == "000002"
    assert other.articles() == [1, 2]
    with pytest.raises(IndexUnreadableError, match="made by the engine 'milvus/2'.*'local'"):
        local.versions.current()
    assert local.build() == "000003"
    assert local.articles() == [1, 2]


# The same as the local engine


def test_the_same_is_found_as_by_the_local_engine(tmp_path, milvus):
    local, other = Home(tmp_path, "local"), Home(tmp_path / "milvus", f"milvus+{milvus}")
    local.add(*range(60), sentences=30)
    local.build(*range(60, 100))
    shutil.copytree(tmp_path, other.folder, ignore=lambda *_: ["milvus", "versions"])
    other.build()
    mine, theirs = other.versions.current(), local.versions.current()
    for question in ("bupati meresmikan jembatan", "nelayan teluk waru", "sebanyak 12 kali"):
        vector = local.embedder.embed_queries([question])[0]
        found = {hit.passage_id: hit.score for hit in mine.dense(vector, 999, ANY)}
        expected = {hit.passage_id: hit.score for hit in theirs.dense(vector, 999, ANY)}
        assert found == pytest.approx(expected, abs=1e-5)
        found = {hit.passage_id: hit.score for hit in mine.lexical(question, 999, ANY)}
        expected = {hit.passage_id: hit.score for hit in theirs.lexical(question, 999, ANY)}
        assert found == pytest.approx(expected, rel=1e-5)
    assert dataclasses.replace(mine.version, built=NOW, recipe=theirs.version.recipe, state="") == (
        dataclasses.replace(theirs.version, built=NOW, vectors=(), state="")
    )


def test_acronyms_find_the_other_form(tmp_path, milvus):
    homes.add(tmp_path, [*INTRODUCING, *OTHERS])
    found = []
    for name, location in (("local", "local"), ("milvus", f"milvus+{milvus}")):
        home = tmp_path / name
        home.mkdir()
        shutil.copy(tmp_path / FILE_NAME, home)
        homes.build(home, location)
        index = Versions(home / "versions", engine_at(location)).current()
        found.append(
            [
                {hit.passage_id: hit.score for hit in index.lexical(question, 10, ANY)}
                for question in ("BABD di Teluk Jati?", "Badan Air Bersih Daerah di Teluk Jati")
            ]
        )
    assert {"a10#0", "a11#0"} <= found[1][0].keys()
    assert found[1] == [pytest.approx(scores, rel=1e-4) for scores in found[0]]


def test_a_graph_finds_most_of_what_all_vectors_do(tmp_path, milvus):
    shelf = Shelf(MilvusEngine(milvus, "HNSW"), tmp_path)
    opened = shelf.write(batch(f"a{n}" for n in range(200)))
    for _, vector in questions(1):
        best = sorted(shelf.dense(vector).items(), key=lambda pair: -pair[1])[:10]
        found = opened.dense(vector, 10, ANY)
        assert len({i for i, _ in best} & {hit.passage_id for hit in found}) >= 9


def test_bm25_follows_the_mean_length(own):
    own.write(batch((f"a{n}" for n in range(30)), title="", length=5))
    short = own.open(own.live)
    before = short.lexical("kapal", 999, ANY)
    opened = own.write(batch((f"b{n}" for n in range(60)), title="", length=40))
    for question, _ in questions(3, 10):
        expected = own.bm25(question)
        for hit in opened.lexical(question, 999, ANY):
            assert hit.score == pytest.approx(expected.pop(hit.passage_id), rel=1e-4)
        assert not +expected
    assert short.lexical("kapal", 999, ANY) == before


# Versions share a collection


def test_a_build_writes_only_what_changed(home, server, monkeypatch):
    home.build(*range(40))
    inserted = []
    insert = Server.insert
    monkeypatch.setattr(
        Server, "insert", lambda self, c, rows: [insert(self, c, rows), inserted.extend(rows)]
    )
    home.remove(3)
    home.build(40)
    assert collection(home, "000002") == collection(home, "000001")
    assert len(inserted) == sum(
        passage.startswith("a40#") for passage in passage_ids(home.versions.current())
    )
    assert home.articles() == [n for n in range(41) if n != 3]


def passage_ids(index):
    vector = np.ones(index.version.recipe.dimensions, dtype=np.float32)
    return [hit.passage_id for hit in index.dense(vector, 16_000, ANY)]


def test_a_build_after_a_rollback_leaves_the_later_version_alone(home):
    home.build(*range(40))
    home.remove(1)
    home.build(40)
    later = home.versions.current()
    home.versions.rollback()
    assert home.articles() == list(range(40))
    with Archive.open(home.folder / FILE_NAME) as archive:
        archive.allow_again(["a1"])
    home.remove(2)
    home.build(41, 1)
    assert collection(home, "000003") != collection(home, "000001")
    assert home.articles() == [n for n in range(42) if n != 2]
    assert home.articles(later) == [n for n in range(41) if n != 1]


def test_prune_deletes_what_no_version_sees(home, server):
    home.build(*range(40))
    home.remove(1, 2)
    home.build(40)
    home.build(41)
    shared = collection(home, "000003")
    assert collection(home, "000001") == shared
    held = server.count(shared, EVERYTHING)
    assert home.versions.prune(2) == ["000001"]
    assert server.count(shared, EVERYTHING) < held
    assert home.articles() == [n for n in range(42) if n not in (1, 2)]
    assert home.versions.rollback() == "000002"
    assert home.articles() == [n for n in range(41) if n not in (1, 2)]


def test_prune_drops_a_collection_without_versions(home, server):
    home.build(1)
    first = collection(home, "000001")
    home.build(full=True)
    assert server.load(first)
    home.versions.prune(1)
    assert not server.load(first)
    assert home.articles() == [1]


def test_a_build_that_was_cut_off_is_undone_by_the_next(home, server, monkeypatch):
    home.build(*range(40))
    held = server.count(collection(home, "000001"), EVERYTHING)

    def cut(*_):
        raise KeyboardInterrupt

    home.remove(5)
    with monkeypatch.context() as patch:
        patch.setattr(Server, "flush", cut)
        patch.setattr(Versions, "clear", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            home.build(40, 41)
    assert server.count(collection(home, "000001"), EVERYTHING) > held
    assert home.articles() == list(range(40))
    # What the build was cut off from is no longer wanted.
    home.remove(40)
    with Archive.open(home.folder / FILE_NAME) as archive:
        archive.allow_again(["a5"])
    assert home.build(5) == "000002"
    assert collection(home, "000002") == collection(home, "000001")
    assert home.articles() == [n for n in range(42) if n != 40]
    assert not home.versions.path(NEW).exists()


def test_a_first_build_that_was_cut_off_leaves_no_collection(home, server, monkeypatch):
    made = []
    create = Server.create
    monkeypatch.setattr(Server, "create", lambda s, c, *a: [create(s, c, *a), made.append(c)])
    with monkeypatch.context() as patch:
        patch.setattr(Server, "flush", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            home.build(1)
    home.build(2)
    assert [server.load(name) for name in made] == [False, True]


def test_a_copied_home_does_not_write_to_the_first_ones_rows(home, tmp_path):
    home.build(*range(30))
    shutil.copytree(tmp_path, tmp_path / "salinan")
    copy = Home(tmp_path / "salinan", home.location)
    home.build(30)
    copy.remove(4)
    copy.build(31)
    assert home.articles() == list(range(31))
    assert copy.articles() == [n for n in range(32) if n not in (4, 30)]


def test_rows_that_are_copied_stay_the_same(own):
    own.write(batch((f"a{n}" for n in range(20)), length=5))
    assert_whole(own, own.write(batch((f"b{n}" for n in range(20)), length=40), drop=["a3"]))


# Damage


def test_rows_that_are_missing_are_told(home, server):
    home.build(*range(30))
    home.build(30)
    server.erase(collection(home, "000002"), "row == 7")
    with pytest.raises(IndexDamagedError, match="of them.*tanya doctor --repair"):
        home.reopened().versions.current()
    with pytest.raises(IndexMissingError):
        home.versions.rollback()
    assert home.build(full=True) == "000003"
    assert home.articles() == list(range(31))


def test_a_collection_that_is_missing_is_told(home, server):
    home.build(1, 2)
    server.drop(collection(home, "000001"))
    with pytest.raises(IndexDamagedError, match="0 of them.*tanya doctor --repair"):
        home.reopened().versions.current()
    assert home.build(3) == "000002"
    assert home.articles() == [1, 2, 3]


def test_a_passage_of_any_length_is_kept(own):
    assert_whole(own, own.write(batch(["a1"], passages=1, length=20_000)))
