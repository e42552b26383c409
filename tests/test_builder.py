"""A build touches what changed, and comes out as if everything had been built anew."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index import builder, chunking, text
from index.archive import FILE_NAME, Archive
from index.records import Filter
from index.settings import ChunkingSettings
from index.versions import Versions
from tests.conftest import NOW, ToyEmbedder, add, article, engine_at

ANY = Filter()
CHUNKS = ChunkingSettings(max_tokens=40)


class Home:
    """An archive, open, and versions that are built from it."""

    def __init__(self, folder, location, name="versions"):
        self.location = location
        self.archive = Archive.open(folder / FILE_NAME)
        self.versions = Versions(folder / name, engine_at(location))
        self.embedder = ToyEmbedder()
        self.chunks = CHUNKS

    def build(self, **options):
        wanted = builder.recipe(self.versions.engine, self.embedder, self.chunks)
        return builder.build(self.archive, self.versions, wanted, self.embedder, now=NOW, **options)

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


@pytest.fixture
def home(tmp_path, location):
    made = Home(tmp_path, location)
    yield made
    made.archive.close()


def contents(home):
    """Return all that the live version holds, and what its searches find."""
    index = home.versions.current()
    ids = [passage.id for passage in home.expected()]
    version = dataclasses.replace(index.version, name="", built=NOW)
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
    fresh = Home(folder, home.location, "anew")
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


@given(steps=st.lists(STEPS, min_size=3, max_size=14))
@settings(max_examples=8)
@example(steps=[("slogan", 12), ("build",), ("slogan", 24), ("add", 1, None, 9), ("remove", 14)])
@example(steps=[step for n in range(10) for step in (("add", n, None, 3), ("build",))])
@example(steps=[("add", 1, "Baca juga: Ini", 1), ("build",), ("add", 2, None, 9), ("build",)])
@example(steps=[("add", 1, None, 9), ("build",), ("remove", 1), ("build",), ("add", 1, None, 9)])
def test_builds_in_between_change_nothing(location, steps):
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), location)
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
    assert builder.waiting(home.archive, home.versions.indexed("000001")) == (1, 1, 1)
    report = home.build()
    assert report.plan.new == ("a99",)
    assert report.plan.changed == ("a3",)
    assert report.plan.removed == ("a5",)
    assert (report.plan.work, report.plan.full, report.embedded) == (3, False, 2)
    assert home.embedder.embedded == 2
    assert builder.waiting(home.archive, home.versions.indexed("000002")) == (0, 0, 0)


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
    monkeypatch.setattr(builder, "BATCH", 4)
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
    monkeypatch.setattr(builder, "BATCH", 2)
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
