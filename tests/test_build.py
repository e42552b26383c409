"""A build touches what changed, and comes out as if everything had been built anew."""

import dataclasses
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index import archive as archives
from index import build as builds
from index import text
from index.archive import FILE_NAME
from index.build import waiting
from index.errors import InputError
from index.records import Filter
from index.settings import ChunkingSettings
from index.versions import PREPARED
from tests.news import (
    NOW,
    OpenHome,
    ToyEmbedder,
    add,
    article,
    only_local,
    write_as_before,
)

ANY = Filter()


@pytest.fixture
def home(tmp_path, location):
    made = OpenHome(tmp_path, location)
    yield made
    made.archive.close()


def contents(home):
    """Return all that the live version holds, and what its searches find."""
    index = home.versions.current()
    ids = [passage.id for passage in home.expected()]
    version = dataclasses.replace(index.version, name="", built=NOW, vectors=(), state="")
    asked = ["bupati meresmikan jembatan", "nelayan teluk waru", "sebanyak 12 kali", "harga"]
    vectors = home.embedder.embed_queries(asked)
    return {
        "version": dataclasses.replace(version, publishers=tuple(sorted(version.publishers))),
        "indexed": home.versions.indexed(home.versions.live()),
        "passages": index.passages(ids),
        "vectors": index.vectors(ids).tolist(),
        "dense": [
            {hit.passage_id: hit.score for hit in index.dense(vector, 10_000, ANY)}
            for vector in vectors
        ],
        "lexical": [
            {hit.passage_id for hit in index.lexical(question, 10_000, ANY)} for question in asked
        ],
    }


def assert_as_built_anew(home, folder):
    fresh = OpenHome(folder, home.location, "anew")
    fresh.build()
    mine, theirs = contents(home), contents(fresh)
    # The last bit of a sum may depend on how many vectors are searched at a time.
    theirs["dense"] = [pytest.approx(scores, abs=1e-6) for scores in theirs["dense"]]
    for name, value in theirs.items():
        assert mine[name] == value, name
    assert mine["passages"] == home.expected()
    assert set(mine["dense"][0]) == {passage.id for passage in mine["passages"]}
    fresh.archive.close()


BODIES = st.sampled_from(
    [
        None,
        "Baca juga: Harga Cabai Naik",
        "Harga cabai turun. Pedagang pasar ikan mengeluh.\nKabar dekat dari kampung Anda",
        "Kabar dekat dari kampung Anda",
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 11), BODIES, st.integers(1, 12)),
    st.tuples(st.just("add"), st.integers(0, 11), BODIES, st.integers(1, 12)),
    st.tuples(st.just("remove"), st.integers(0, 11)),
    st.tuples(st.just("slogan"), st.integers(12, 30)),
    st.tuples(st.just("build")),
)


def do(home, step, *values):
    if step == "add":
        number, body, sentences = values
        add(home.archive, [article(number, body, sentences=sentences)])
    elif step == "remove":
        home.archive.remove([f"a{values[0]}"], NOW)
        home.archive.allow_again([f"a{values[0]}"])
    elif step == "slogan":
        for begin in range(values[0], values[0] + 12, 4):
            some = [article(n, sentences=2, publisher="P") for n in range(begin, begin + 4)]
            lines = [f"{one.body}\nKabar dekat dari kampung Anda" for one in some]
            add(home.archive, map(lambda a, b: dataclasses.replace(a, body=b), some, lines))
    else:
        home.build()


MANY_STEPS = st.lists(STEPS, min_size=3, max_size=14)


@given(steps=MANY_STEPS)
@settings(max_examples=12)
@example(steps=[step for n in range(10) for step in (("add", n, None, 3), ("build",))])
@example(steps=[("add", 1, "Baca juga: Ini", 1), ("build",), ("add", 2, None, 9), ("build",)])
def test_builds_in_between_change_nothing(steps):
    assert_steps_change_nothing("local", steps)


@given(steps=MANY_STEPS)
@settings(max_examples=2)  # a build takes Milvus half a second
@example(steps=[("slogan", 12), ("build",), ("slogan", 24), ("add", 1, None, 9), ("remove", 14)])
@example(steps=[("add", 1, None, 9), ("build",), ("remove", 1), ("build",), ("add", 1, None, 9)])
def test_nor_do_builds_of_any_engine(location, steps):
    assert_steps_change_nothing(location, steps)


def assert_steps_change_nothing(location, steps):
    with tempfile.TemporaryDirectory() as folder:
        home = OpenHome(Path(folder), location)
        for step in steps:
            do(home, *step)
        home.build()
        assert_as_built_anew(home, Path(folder))
        home.archive.close()


def test_only_new_and_changed_articles_are_embedded(home):
    add(home.archive, [article(n) for n in range(30)])
    report = home.build()
    assert (report.plan.full, len(report.plan.new), report.embedded) == (True, 30, 30)
    assert home.embedder.embedded == len(home.expected()) == report.version.passages
    add(home.archive, [article(n) for n in range(28)])
    add(home.archive, [article(3, "Isi baru tentang panen."), article(99, sentences=1)])
    home.archive.remove(["a5"], NOW)
    home.embedder.embedded = 0
    assert waiting(home.archive, home.versions, "000001") == (1, 1, 1)
    report = home.build()
    assert report.plan.new == ("a99",)
    assert report.plan.changed == ("a3",)
    assert report.plan.removed == ("a5",)
    assert (report.plan.work, report.plan.full, report.embedded) == (3, False, 2)
    assert home.embedder.embedded == 2
    assert waiting(home.archive, home.versions, "000002") == (0, 0, 0)


def test_nothing_to_do_makes_no_version(home):
    add(home.archive, [article(1)])
    first = home.build().version
    home.embedder.embedded = 0
    report = home.build()
    assert (report.version, report.embedded, report.plan.work) == (None, 0, 0)
    assert home.embedder.embedded == 0
    assert home.versions.names() == [first.name]
    assert home.versions.current().version == first
    assert home.build(full=True).version.name == "000002"
    assert home.embedder.embedded == first.passages


def test_an_empty_archive_builds_an_empty_version(home):
    assert home.build().version.articles == 0
    assert home.build().version is None
    add(home.archive, [article(1)])
    assert home.build().version.articles == 1


def change_model(home):
    home.embedder = ToyEmbedder("toy@2", dimensions=8)


def change_budget(home):
    home.chunks = ChunkingSettings(max_tokens=80)


@pytest.mark.parametrize("change", [change_model, change_budget])
def test_another_recipe_builds_all_anew_beside_the_live_version(home, change):
    add(home.archive, [article(n) for n in range(5)])
    home.build()
    held = home.versions.current()
    before = held.dense(home.embedder.embed_queries(["jembatan"])[0], 9, ANY)
    asked = home.embedder.embed_queries(["jembatan"])[0]
    change(home)
    home.embedder.embedded = 0
    report = home.build()
    assert (report.plan.full, len(report.plan.new), report.embedded) == (True, 5, 5)
    assert home.embedder.embedded == len(home.expected())
    assert home.versions.current().version.recipe == report.plan.recipe
    assert home.versions.current().passages([p.id for p in home.expected()]) == home.expected()
    assert held.dense(asked, 9, ANY) == before
    assert home.build().version is None


def test_other_rules_build_all_anew(home, monkeypatch):
    add(home.archive, [article(1)])
    home.build()
    monkeypatch.setattr(text, "RULES", text.RULES + 1)
    assert home.build().plan.full


def test_an_article_of_nothing_but_boilerplate_is_not_tried_again(home):
    add(home.archive, [article(1, "Baca juga: Harga Cabai Naik"), article(2, "")])
    report = home.build()
    assert (report.version.articles, report.version.passages, report.embedded) == (2, 0, 2)
    assert home.build().version is None
    add(home.archive, [article(3)])
    report = home.build()
    assert (report.version.articles, report.embedded) == (3, 1)
    assert len(home.versions.current().lexical(article(3).body, 9, ANY)) == len(home.expected())


def test_repeated_lines_leave_the_index_when_they_are_learned(home):
    def with_slogan(number):
        body = f"{article(number, sentences=1).body}\nKabar dekat dari kampung halaman Anda"
        return article(number, body, publisher="P")

    add(home.archive, [with_slogan(n) for n in range(9)])
    home.build()
    assert len(home.versions.current().lexical("kampung halaman", 99, ANY)) >= 9
    add(home.archive, [with_slogan(9)])
    report = home.build()
    assert (len(report.plan.new), len(report.plan.changed)) == (1, 9)
    assert home.versions.current().lexical("halaman", 99, ANY) == []


def test_progress_is_told(home, monkeypatch):
    monkeypatch.setattr(builds, "BATCH", 4)
    add(home.archive, [article(n) for n in range(10)])
    told = []
    home.build(progress=lambda *values: told.append(values))
    assert told == [
        *[("index", done, 10) for done in (0, 4, 8, 10)],
        ("publish", 0, 1),
        ("publish", 1, 1),
    ]


@pytest.mark.parametrize("stage", ["index", "publish"])
def test_an_interrupt_leaves_the_live_version(home, stage):
    add(home.archive, [article(n) for n in range(3)])
    home.build()
    before = contents(home)
    home.archive.remove(["a0"], NOW)
    add(home.archive, [article(n) for n in range(3, 6)])

    def stop(at, done, total):
        if at == stage:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            home.build(progress=stop)
    assert home.versions.names() == ["000001"]
    home.archive.remove(["a1", "a2", "a3", "a4", "a5"], NOW)
    home.archive.allow_again(["a0", "a1", "a2"])
    add(home.archive, [article(n) for n in range(3)])
    assert contents(home) == before
    add(home.archive, [article(7)])
    assert home.build().version.articles == 4


class FailingEmbedder(ToyEmbedder):
    """Fails at a later batch, as a model out of memory does."""

    def embed_passages(self, texts):
        if self.embedded:
            raise MemoryError
        return super().embed_passages(texts)


def test_a_failing_model_leaves_the_live_version(home, monkeypatch):
    add(home.archive, [article(1)])
    home.build()
    monkeypatch.setattr(builds, "BATCH", 2)
    add(home.archive, [article(n) for n in range(2, 8)])
    home.embedder = FailingEmbedder()
    with pytest.raises(MemoryError):
        home.build()
    assert home.versions.current().version.articles == 1
    home.embedder = ToyEmbedder()
    assert home.build().version.articles == 7
    assert home.versions.names() == ["000001", "000002"]


def test_articles_removed_while_building_are_left_out(home):
    add(home.archive, [article(n) for n in range(4)])
    home.build()
    add(home.archive, [article(1, "Isi baru."), article(5), article(6)])

    def interfere(stage, done, total):
        if (stage, done) == ("index", 0):
            home.archive.remove(["a1", "a5"], NOW)

    assert home.build(progress=interfere).version.articles == 4
    assert home.versions.indexed("000002").keys() == {"a0", "a2", "a3", "a6"}
    assert home.build().version is None


def test_vectors_are_those_of_headline_and_text(home):
    add(home.archive, [article(1, "Satu kalimat saja.", title="Judul"), article(2, title="")])
    home.build()
    passages = home.expected()
    expected = [f"Judul. {passages[0].text}", *(passage.text for passage in passages[1:])]
    stored = home.versions.current().vectors([passage.id for passage in passages])
    assert np.array_equal(stored, ToyEmbedder().embed_passages(expected))


# What changed since


def test_an_archive_that_went_another_way_is_compared_whole(home, tmp_path):
    add(home.archive, [article(n) for n in range(5)])
    home.build()
    other = copied(home, tmp_path / "salinan")
    add(home.archive, [article(10)])
    add(other.archive, [article(20)])
    other.archive.remove(["a2"], NOW)
    home.build()
    shutil.copytree(home.versions.path("x").parent, other.versions.path("x").parent)
    assert waiting(other.archive, other.versions, "000002") == (1, 0, 2)
    other.build()
    assert other.versions.indexed("000003").keys() == {"a0", "a1", "a3", "a4", "a20"}
    other.archive.close()


@pytest.mark.parametrize("most", [0, 2, 3])
def test_many_changes_are_compared_whole(home, monkeypatch, most):
    add(home.archive, [article(n) for n in range(5)])
    home.build()
    monkeypatch.setattr(archives, "_MOST_CHANGES", most)
    state = home.versions.current().version.state
    add(home.archive, [article(1, "Isi baru."), article(7)])
    home.archive.remove(["a3"], NOW)
    since = home.archive.changed_since(state)
    assert since == (["a1", "a7", "a3"] if most == 3 else None)
    plan = home.build().plan
    assert (plan.new, plan.changed, plan.removed) == (("a7",), ("a1",), ("a3",))
    assert home.archive.changed_since(home.archive.state()) == []


@pytest.mark.parametrize("state", ["", "1", "1:", "x:y", "99999:00", "0:"])
def test_a_state_of_no_archive_says_nothing(home, state):
    add(home.archive, [article(1)])
    assert home.archive.changed_since(state) is None


def test_a_version_from_before_states_is_compared_whole(home):
    add(home.archive, [article(n, sentences=1) for n in range(3)])
    home.build()
    (home.versions.path("000001") / "acronyms.json").unlink()

    def change(kept):
        del kept["state"], kept["vectors"], kept["files"]["acronyms.json"]

    write_as_before(home.versions.path("000001"), change)
    again = home.reopened()
    assert waiting(again.archive, again.versions, "000001") == (0, 0, 0)
    assert len(again.versions.current().passages([p.id for p in home.expected()])) == 3
    add(again.archive, [article(7)])
    assert again.build().plan.new == ("a7",)
    again.archive.close()


# In several processes


@only_local
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_number_of_processes_changes_nothing(home, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(builds, "BATCH", 4)
    add(home.archive, [article(n, sentences=1 + n % 7) for n in range(30)])
    home.build(workers=workers)
    assert_as_built_anew(home, tmp_path)
    rows = home.versions.current()._store.rows([passage.id for passage in home.expected()])
    assert rows == list(range(len(rows)))


def test_a_few_articles_start_no_process():
    assert builds.workers_for(100) == 0
    assert 0 <= builds.workers_for(10**6) <= builds.MOST_WORKERS


def test_a_worker_that_is_ended_is_done_without():
    tasks = [builds.Task(article(n), "1", frozenset()) for n in range(3)]
    with builds.cutter(40, 1) as begin:
        first = begin(tasks)()
        for worker in multiprocessing.active_children():
            os.kill(worker.pid, signal.SIGKILL)
        assert [begin(tasks)() for _ in range(3)] == [first] * 3
    assert first == builds.cut(tasks, 40)


# Stopped and gone on


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(builds, "BATCH", 3)


def stop_at(done):
    def stop(stage, at, total):
        if (stage, at) == ("index", done):
            raise KeyboardInterrupt

    return stop


def passages_of(home, *numbers):
    ids = {f"a{number}" for number in numbers}
    return sum(passage.article_id in ids for passage in home.expected())


def test_a_stopped_build_goes_on_where_it_was(home, tmp_path, small_batches):
    add(home.archive, [article(n) for n in range(10)])
    with pytest.raises(KeyboardInterrupt):
        home.build(progress=stop_at(6))
    assert home.embedder.embedded == passages_of(home, *range(6))
    home.embedder.embedded = 0
    report = home.build()
    assert (report.embedded, report.taken_up) == (4, 6)
    assert home.embedder.embedded == passages_of(home, 6, 7, 8, 9)
    assert_as_built_anew(home, tmp_path)
    assert not home.versions.path(PREPARED).exists()


def test_what_changed_since_is_embedded_again(home, tmp_path, small_batches):
    add(home.archive, [article(n) for n in range(10)])
    with pytest.raises(KeyboardInterrupt):
        home.build(progress=stop_at(9))
    add(home.archive, [article(1, "Isi baru tentang panen."), article(20)])
    home.archive.remove(["a4"], NOW)
    report = home.build()
    assert (report.embedded, report.taken_up) == (3, 7)
    assert_as_built_anew(home, tmp_path)


def test_another_recipe_takes_nothing_up(home, tmp_path, small_batches):
    add(home.archive, [article(n) for n in range(10)])
    with pytest.raises(KeyboardInterrupt):
        home.build(progress=stop_at(9))
    change_budget(home)
    assert home.build().taken_up == 0
    assert home.versions.current().passages([p.id for p in home.expected()]) == home.expected()


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_damaged_file_is_made_again(home, tmp_path, small_batches, keep):
    add(home.archive, [article(n) for n in range(10)])
    with pytest.raises(KeyboardInterrupt):
        home.build(progress=stop_at(6))
    one, other = sorted(home.versions.path(PREPARED).rglob("*.npz"))
    content = one.read_bytes()
    one.write_bytes(content[:keep])
    middle = len(content) // 2
    content = other.read_bytes()
    other.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    assert home.build().embedded >= 7
    assert_as_built_anew(home, tmp_path)


CHILD = """
import os, signal, sys
from pathlib import Path
from index import build as builds
from tests.news import OpenHome

def die(stage, done, total):
    if [stage, str(done)] == sys.argv[2:4]:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    builds.BATCH = 3
    OpenHome(Path(sys.argv[1]), "local").build(progress=die, workers=int(sys.argv[4]))
"""


@only_local
@pytest.mark.parametrize(("done", "workers"), [(3, 0), (9, 0), (6, 1)])
def test_a_killed_build_goes_on_where_it_was(home, tmp_path, small_batches, done, workers):
    add(home.archive, [article(n) for n in range(11)])
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    arguments = [str(tmp_path), "index", str(done), str(workers)]
    killed = subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert home.versions.live() is None
    report = home.build()
    assert (report.embedded, report.taken_up) == (11 - done, done)
    assert home.embedder.embedded == passages_of(home, *range(done, 11))
    assert_as_built_anew(home, tmp_path)


# Shares


def copied(home, folder):
    """Return a home with the same archive and no version."""
    folder.mkdir()
    home.archive._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(home.folder / FILE_NAME, folder)
    return OpenHome(folder, home.location)


def prepare(home, number, shares):
    wanted = builds.recipe(home.versions.engine, home.embedder, home.chunks)
    return builds.prepare(home.archive, home.versions, wanted, home.embedder, (number, shares))


def test_shares_of_several_machines_come_out_as_one_build(home, tmp_path, small_batches):
    add(home.archive, [article(n) for n in range(20)])
    embedded = []
    for number in (1, 2, 3):
        other = copied(home, tmp_path / f"mesin{number}")
        report = prepare(other, number, 3)
        assert other.versions.live() is None
        embedded.append(report.embedded)
        assert prepare(other, number, 3).embedded == 0
        folder = home.versions.path(PREPARED) / report.folder.name
        shutil.copytree(report.folder, folder, dirs_exist_ok=True)
        other.archive.close()
    assert sum(embedded) == 20 and min(embedded) > 3
    report = home.build()
    assert (report.embedded, report.taken_up, home.embedder.embedded) == (0, 20, 0)
    assert_as_built_anew(home, tmp_path)


def test_a_share_is_of_what_the_next_build_needs(home, small_batches):
    add(home.archive, [article(n) for n in range(10)])
    home.build()
    add(home.archive, [article(2, "Isi baru."), article(10), article(11)])
    assert sum(prepare(home, number, 2).embedded for number in (1, 2)) == 3
    report = home.build()
    assert (report.embedded, report.taken_up) == (0, 3)


@pytest.mark.parametrize("share", [(0, 2), (3, 2), (1, 0)])
def test_a_share_that_is_none_is_told(home, share):
    with pytest.raises(InputError, match="share"):
        prepare(home, *share)
