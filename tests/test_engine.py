"""What every search engine must do: values and order are compared with plain NumPy and Python."""

import dataclasses
import datetime as dt
import itertools
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import manifest, text
from index.engines import vectors
from index.errors import IndexDamagedError, ModelError
from index.records import Filter
from index.snapshot import SearchIndex
from tests.news import location_of, only_local
from tests.shelves import (
    ANY,
    DIMENSIONS,
    FILTERS,
    PUBLISHERS,
    WORDS,
    Shelf,
    assert_best,
    assert_whole,
    batch,
    questions,
    stems,
    written,
)


@pytest.fixture(scope="session", params=["local", "milvus", "plain"])
def location(request):
    """Return the location of each search engine in turn."""
    return location_of(request)


@pytest.fixture(scope="module")
def shelf(engine, tmp_path_factory):
    return Shelf(engine, tmp_path_factory.mktemp("rak"))


@pytest.fixture(scope="module")
def opened(shelf):
    """A version of one part; tests that only read share it."""
    return shelf.write(batch(f"a{n}" for n in range(60)))


@pytest.fixture
def own(engine, tmp_path):
    return Shelf(engine, tmp_path)


def rounds(shelf, most):
    """Return how many versions a test writes; each takes Milvus a second."""
    return 4 if shelf.engine.name.startswith("milvus") else most


def test_one_part(shelf, opened):
    assert_whole(shelf, opened)


def test_many_versions_with_changes_drops_and_merges(own):
    rng = random.Random(5)
    for number in range(versions := rounds(own, 14)):
        names = [f"a{rng.randrange(40)}" for _ in range(8)]
        gone = rng.sample(sorted(own.fingerprints), min(3, len(own.fingerprints)))
        fresh = batch(sorted(set(names)), seed=number, fingerprint=str(number))
        opened = own.write(fresh[:3], fresh[3:], drop=gone)
        assert_whole(own, opened, seed=number)
    assert own.number == versions


def test_earlier_versions_never_change(own):
    first = own.write(batch(["a1", "a2", "a3"]))
    before = dict(own.held)
    asked = questions(1)
    near = {"rel": 1e-5, "abs": 1e-6}  # one vector's product may round otherwise beside others

    def told(index):
        pairs = [(index.dense(v, 9, ANY), index.lexical(q, 9, ANY)) for q, v in asked]
        return [hit for pair in pairs for hits in pair for hit in hits]

    answers = told(first)
    for number in range(10):
        own.write(batch(["a2", f"b{number}"], seed=number), drop=["a1"])
    for index in (first, own.open(own.folder / "1")):
        again = told(index)
        assert [hit.passage_id for hit in again] == [hit.passage_id for hit in answers]
        assert [h.score for h in again] == pytest.approx([h.score for h in answers], **near)
        assert index.passages(list(before)) == [passage for passage, _ in before.values()]


@pytest.mark.parametrize("k", [0, -1, 1, 7, 1000, 10**9, 10**18])
def test_any_k(shelf, opened, k):
    (question, vector), *_ = questions(2)
    assert_best(opened.dense(vector, k, ANY), shelf.dense(vector), max(0, k))
    assert len(opened.lexical(question, k, ANY)) == max(0, min(k, len(shelf.matches(question))))
    for wanted in FILTERS:
        assert len(opened.dense(vector, k, wanted)) == max(0, min(k, len(shelf.passes(wanted))))


@given(
    after=st.none() | st.dates(dt.date(2023, 12, 30), dt.date(2024, 3, 3)),
    before=st.none() | st.dates(dt.date(2023, 12, 30), dt.date(2024, 3, 3)),
    publishers=st.sets(st.sampled_from((*PUBLISHERS, "Asing"))).map(tuple),
    seed=st.integers(0, 9),
)
@settings(max_examples=60)
def test_a_filter_is_as_filtering_afterwards(shelf, opened, after, before, publishers, seed):
    wanted = Filter(after, before, publishers)
    question, vector = questions(seed, 1)[0]
    passing = set(shelf.passes(wanted))
    for search, asked in ((opened.dense, vector), (opened.lexical, question)):
        every = {h.passage_id: h.score for h in search(asked, 10_000, ANY)}
        found = {h.passage_id: h.score for h in search(asked, 10_000, wanted)}
        kept = {name: score for name, score in every.items() if name in passing}
        assert found == pytest.approx(kept, rel=1e-5, abs=1e-6)


def test_articles_are_those_of_the_best_passages(shelf, opened):
    for question, _ in questions(4, 3):
        for wanted in FILTERS:
            scored = opened.lexical(question, 10_000, wanted)
            whole = shelf.weight(question)
            least = 0.6 * min(whole, scored[0].score) if scored else 0.0
            expected = {}
            for passage_id, score in ((s.passage_id, s.score) for s in scored):
                if score >= least:
                    expected.setdefault(shelf.held[passage_id][0].article_id, (passage_id, score))
            found, complete = opened.matches(question, 10_000, wanted, 0.6)
            assert complete
            assert {m.article_id: (m.passage_id, m.score) for m in found} == expected
            assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
            for match in found:
                passage = shelf.held[match.passage_id][0]
                told = (match.story_id, match.publisher, match.published)
                assert told == (passage.story_id, passage.publisher, passage.published)


def test_the_newest_articles_of_a_filter(shelf, opened):
    for wanted in FILTERS:
        passing = {shelf.held[i][0].article_id: shelf.held[i][0] for i in shelf.passes(wanted)}
        found = opened.newest(wanted, 10_000)
        assert {m.article_id for m in found} == set(passing)
        days = [m.published or dt.date.min for m in found]
        assert days == sorted(days, reverse=True)
        assert opened.newest(wanted, 3) == found[:3]


def test_both_days_of_a_filter_are_inside_and_undated_articles_outside(own):
    days = [dt.date(2024, 5, 1), dt.date(2024, 5, 2), dt.date(2024, 5, 3), None]
    made = []
    for number, day in enumerate(days):
        entry, [(passage, vector)] = written(f"a{number}", random.Random(number), passages=1)
        passage = dataclasses.replace(passage, published=day, text="kapal", title="")
        made.append((dataclasses.replace(entry, published=day), [(passage, vector)]))
    opened = own.write(made)

    def found(after, before):
        hits = opened.lexical("kapal", 9, Filter(after, before))
        near = opened.dense(made[0][1][0][1], 9, Filter(after, before))
        assert {h.passage_id for h in hits} == {h.passage_id for h in near}
        return sorted(h.passage_id for h in hits)

    assert found(None, None) == ["a0#0", "a1#0", "a2#0", "a3#0"]
    assert found(days[1], None) == ["a1#0", "a2#0"]
    assert found(None, days[1]) == ["a0#0", "a1#0"]
    assert found(days[1], days[1]) == ["a1#0"]
    assert found(dt.date.min, None) == found(None, dt.date.max) == ["a0#0", "a1#0", "a2#0"]
    assert (opened.version.oldest, opened.version.newest) == (days[0], days[2])


def test_bm25_values(own):
    opened = own.write(batch((f"a{n}" for n in range(80)), title=""))
    for question, _ in questions(3, 20):
        expected = own.bm25(question)
        for hit in opened.lexical(question, 10_000, ANY):
            assert hit.score == pytest.approx(expected.pop(hit.passage_id), rel=1e-4)
        assert not +expected


def test_bm25_order_of_texts_of_one_length(own):
    opened = own.write(batch((f"a{n}" for n in range(50)), title="padi kapal", length=20))
    for question, _ in questions(4, 20):
        expected = own.bm25(question)
        found = [expected[hit.passage_id] for hit in opened.lexical(question, 30, ANY)]
        assert found == pytest.approx(sorted(expected.values(), reverse=True)[:30], rel=1e-4)


@pytest.mark.parametrize("question", ["", "?!", "zebra", "zebra unta", "\0", "\ud800", "OR *:*"])
def test_questions_that_match_nothing(opened, question):
    assert opened.lexical(question, 10, ANY) == []


@pytest.mark.parametrize("question", ["kapal" * 20_000, "kapal " * 20_000, 'text:"kapal" +kapal^2'])
def test_hostile_questions(opened, question):
    opened.lexical(question, 10, ANY)


def test_a_vector_without_any_direction_finds_nothing(opened):
    assert opened.dense(np.zeros(DIMENSIONS, dtype=np.float32), 10, ANY) == []


def test_an_empty_index(own):
    for opened in (own.write(), own.write([])):
        assert opened.version.articles == opened.version.passages == 0
        assert (opened.version.oldest, opened.version.publishers) == (None, ())
        for question, vector in questions(6):
            for wanted in FILTERS:
                assert opened.dense(vector, 5, wanted) == opened.lexical(question, 5, wanted) == []
        assert opened.passages([]) == []
        assert opened.vectors([]).shape == (0, DIMENSIONS)
        assert opened.frequencies(["kapal"]) == [0]
    assert_whole(own, own.write(batch(["a1", "a2"])))
    assert_whole(own, own.write(drop=["a1", "a2"]))


def test_articles_without_passages_are_kept(own):
    bare = batch(["kosong"], passages=0)
    assert_whole(own, own.write(bare))
    assert_whole(own, own.write(batch(["a1", "a2", "a3"])))
    assert_whole(own, own.write(batch(["hampa"], passages=0)))
    assert_whole(own, own.write(batch(["a4"])))
    assert_whole(own, own.write(batch(["a4"], passages=0, fingerprint="2")))
    assert_whole(own, own.write(drop=["kosong", "a2"]))


def test_removed_articles_vanish(own):
    own.write(batch(f"a{n}" for n in range(20)))
    gone = {i for i, (passage, _) in own.held.items() if passage.article_id in ("a3", "a4")}
    opened = own.write(drop=["a3", "a4", "tidak ada"])
    assert_whole(own, opened)
    for passage_id in gone:
        with pytest.raises(IndexDamagedError):
            opened.passages([passage_id])
        with pytest.raises(IndexDamagedError):
            opened.vectors([passage_id])
    assert_whole(own, own.write(batch(["a3"], seed=1)))


def test_an_article_put_again_replaces(own):
    own.write(batch(["a1", "a2"], passages=4))
    opened = own.write(batch(["a1"], seed=1, passages=2, fingerprint="2"))
    assert len(own.held) == 6
    assert_whole(own, opened)


def test_an_article_put_twice_into_one_version_replaces(own):
    twice = own.write(
        batch(["a1", "a2"], passages=3), batch(["a1"], seed=1, passages=2, fingerprint="2")
    )
    assert_whole(own, twice)
    for number in range(rounds(own, 12)):
        assert_whole(own, own.write(batch([f"b{number}"]), batch([f"b{number}"], seed=1)))


def test_an_unknown_passage_is_told(opened):
    for unknown in ("a1#99", "b1#0", "a1", "", "#", "a1#0#0", "a1#00"):
        with pytest.raises(IndexDamagedError, match="tanya doctor --repair"):
            opened.passages(["a1#0", unknown])


def test_many_passages_at_once(shelf, opened):
    ids = list(shelf.held) * 300
    assert len(opened.passages(ids)) == len(ids) > 30_000
    with pytest.raises(IndexDamagedError):
        opened.passages([f"b{n}#0" for n in range(40_000)])


@pytest.mark.parametrize(
    "article_id",
    ["a#b", "a#1", "#", "100%", "../x", "a b", "'; --", "É\u0301", "a\0b", "x" * 3000],
)
def test_any_article_id_will_do(own, article_id):
    opened = own.write(batch([article_id, "a", "a#1#2"]))
    assert_whole(own, opened)
    assert_whole(own, own.write(drop=[article_id]))


def test_odd_publishers_are_told_apart(own):
    names = ["Koran", "koran", "Koran ", "", "Ko\0ran", "Kor\u0301an", "😀", "a b:c*"]
    made = []
    for number, name in enumerate(names):
        entry, [(passage, vector)] = written(f"a{number}", random.Random(number), passages=1)
        passage = dataclasses.replace(passage, publisher=name, text="kapal")
        made.append((dataclasses.replace(entry, publisher=name), [(passage, vector)]))
    opened = own.write(made)
    for number, name in enumerate(names):
        wanted = Filter(publishers=(name,))
        hits = [*opened.lexical("kapal", 9, wanted), *opened.dense(made[0][1][0][1], 9, wanted)]
        assert [hit.passage_id for hit in hits] == [f"a{number}#0"] * 2
    assert dict(opened.version.publishers) == dict.fromkeys(names, 1)


def test_frequencies(shelf, opened):
    asked = [*text.stems(" ".join(WORDS)), "zebra", ""]
    counts = Counter(stem for passage, _ in shelf.held.values() for stem in set(stems(passage)))
    assert opened.frequencies(asked) == [counts[stem] for stem in asked]


def test_eight_threads_find_what_one_finds(opened):
    asked = list(itertools.product(questions(8, 10), FILTERS))

    def ask(pair):
        (question, vector), wanted = pair
        hits = [*opened.dense(vector, 9, wanted), *opened.lexical(question, 9, wanted)]
        return hits, opened.passages([hit.passage_id for hit in hits])

    alone = [ask(pair) for pair in asked]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, asked * 4)) == alone * 4


@pytest.mark.parametrize("dimensions", [1, DIMENSIONS - 1, DIMENSIONS + 1])
def test_wrong_dimensions_are_told(own, opened, dimensions):
    with pytest.raises(ModelError, match=str(dimensions)):
        opened.dense(np.ones(dimensions, dtype=np.float32), 5, ANY)
    entry, pairs = written("a1", random.Random(1), passages=2)
    writer = own.writer("baru")
    with pytest.raises(ModelError, match=str(DIMENSIONS)):
        writer.put([entry], [p for p, _ in pairs], np.ones((2, dimensions), dtype=np.float32))
    writer.abort()


def test_a_writer_that_gives_up_leaves_its_base_alone(own):
    own.write(batch(["a1", "a2"]))
    writer = own.writer("batal")
    writer.drop(["a1"])
    entry, pairs = written("a3", random.Random(1), passages=1)
    writer.put([entry], [pairs[0][0]], pairs[0][1].reshape(1, -1))
    writer.abort()
    assert_whole(own, own.open(own.live))
    assert_whole(own, own.write(batch(["a3"])))


def test_a_folder_that_is_no_version_is_told(engine, tmp_path):
    for call in (partial(SearchIndex, engine), manifest.read):
        with pytest.raises(IndexDamagedError, match="tanya"):
            call(tmp_path / "tidak ada")


def test_sizes_of_articles(shelf, opened):
    counts = Counter(passage.article_id for passage, _ in shelf.held.values())
    asked = [*counts, "nobody's", ""]
    assert opened.sizes(asked) == [counts[article_id] for article_id in asked]


# Many vectors, of which a search reads codes


@pytest.fixture
def coded(monkeypatch):
    """Let parts of 60 rows search by codes, and filters be met by them too."""
    monkeypatch.setattr(vectors, "FEW", 60)
    monkeypatch.setattr(vectors, "_EXACT_ROWS", 0)
    monkeypatch.setattr(vectors, "_LEAST_DEPTH", 20)


def assert_near(shelf, opened, seed=0):
    """Compare what a search by codes finds: all of it must be right, and most of the best."""
    found_best = asked = 0
    for (_, vector), wanted in itertools.product(questions(seed, 4), FILTERS):
        expected = shelf.dense(vector, wanted)
        found = opened.dense(vector, 10, wanted)
        assert len(found) == min(10, len(expected))
        assert [hit.score for hit in found] == sorted((h.score for h in found), reverse=True)
        for hit in found:
            assert hit.score == pytest.approx(expected[hit.passage_id], abs=2e-3)
        best = sorted(expected, key=lambda i: -expected[i])[:10]
        found_best += len({hit.passage_id for hit in found} & set(best))
        asked += len(best)
    assert found_best >= 0.9 * asked
    ids = list(shelf.held)
    stored = np.array([shelf.held[i][1] for i in ids])
    assert opened.vectors(ids) == pytest.approx(stored, abs=1e-3)
    assert opened.passages(ids) == [shelf.held[i][0] for i in ids]


@only_local
def test_removed_and_changed_articles_vanish_from_codes_too(own, coded):
    opened = own.write(batch(f"a{n}" for n in range(150)))
    assert [kind.kind for kind in opened.version.vectors] == [vectors.CODED]
    rng = random.Random(7)
    for number in range(1, 13):
        gone = rng.sample(sorted(own.fingerprints), 9)
        names = {f"a{rng.randrange(200)}" for _ in range(9)} | {f"b{number}{n}" for n in range(30)}
        fresh = batch(sorted(names), seed=number, fingerprint=str(number))
        opened = own.write(fresh[:20], fresh[20:], drop=gone)
        assert_near(own, opened, seed=number)
        assert sum(kind.rows for kind in opened.version.vectors) >= len(own.held)
    kinds = {kind.kind for kind in opened.version.vectors}
    assert kinds == {vectors.CODED} and len(opened.version.vectors) <= 8
    assert_near(own, own.write(drop=rng.sample(sorted(own.fingerprints), 150)))


@only_local
def test_a_large_part_is_not_written_again_for_small_ones(own):
    own.write(batch(f"a{n}" for n in range(80)))
    first = own.open(own.live).version.vectors[0]
    for number in range(30):
        opened = own.write(batch([f"b{number}"], passages=1))
        assert opened.version.vectors[0] == first
        assert len(opened.version.vectors) <= 8
    assert_whole(own, opened)
