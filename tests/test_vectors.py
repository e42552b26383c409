"""Vectors on disk: few are all compared; of many, a search by codes finds nearly the same."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from index.engines import vectors
from index.engines.vectors import CODED, FLAT, NewVectors, PartVectors

ROWS, DIMENSIONS = 6_000, 16


def unit(values):
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def made(rows=ROWS, dimensions=DIMENSIONS, seed=0):
    """Return unit vectors that crowd around some topics, as passages do."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(40, dimensions))
    return unit(topics[rng.integers(40, size=rows)] + rng.normal(size=(rows, dimensions)))


def write(folder, values, *, batch=1000):
    folder.mkdir()
    new = NewVectors(folder, values.shape[1])
    for begin in range(0, len(values), batch):
        new.add(values[begin : begin + batch])
    return new.finish()


def make_500_many(patch):
    """Make a part of 500 rows a large one, so that a filter's few rows are few for it too."""
    patch.setattr(vectors, "FEW", 500)
    patch.setattr(vectors, "_EXACT_ROWS", 300)
    patch.setattr(vectors, "_LEAST_DEPTH", 100)


@pytest.fixture
def many(monkeypatch):
    make_500_many(monkeypatch)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the kind, the vectors and the folder of a large part, which tests only read."""
    folder, values = tmp_path_factory.mktemp("banyak") / "bagian", made()
    with pytest.MonkeyPatch.context() as patch:
        make_500_many(patch)
        return write(folder, values), values, folder


@pytest.fixture
def coded(written, many):
    kind, values, folder = written
    return kind, values, PartVectors(folder)


def best(values, asked, k, allowed=None):
    scores = values @ asked
    if allowed is not None:
        scores = np.where(allowed, scores, -2)
    return np.argsort(-scores, kind="stable")[:k]


def share_found(part, values, asked, k, allowed=None):
    found = [
        len(set(part.search(one, k, allowed)[1].tolist()) & set(best(values, one, k, allowed)))
        for one in asked
    ]
    return np.mean(found) / k


@pytest.mark.parametrize("rows", [0, 1, 499, 500, 501])
def test_the_kind_goes_by_size(tmp_path, many, rows):
    kind = write(tmp_path / "bagian", made(rows))
    assert (kind.kind, kind.rows) == (CODED if rows > 500 else FLAT, rows)
    assert len(PartVectors(tmp_path / "bagian")) == rows
    left = {path.name for path in (tmp_path / "bagian").iterdir()}
    assert left == {"vectors.faiss", *(["exact.npy"] if rows > 500 else [])}


def test_few_vectors_are_all_compared(tmp_path):
    values = made(300)
    assert write(tmp_path / "bagian", values).recall == 1.0
    part = PartVectors(tmp_path / "bagian")
    for one in made(5, seed=1):
        scores, positions = part.search(one, 20, None)
        assert positions.tolist() == best(values, one, 20).tolist()
        assert scores == pytest.approx(values[positions] @ one, abs=1e-6)
    assert np.array_equal(part.take(np.array([5, 2, 5])), values[[5, 2, 5]])


def test_of_many_vectors_nearly_all_of_the_best_are_found(coded):
    kind, values, part = coded
    assert 0.95 <= kind.recall <= 1
    for asked in (made(30, seed=1), values[:30]):
        assert share_found(part, values, asked, 50) > 0.95


def test_scores_are_cosines_best_first(coded):
    _, values, part = coded
    for one in made(10, seed=2):
        scores, positions = part.search(one, 30, None)
        assert len(set(positions.tolist())) == 30
        assert scores == pytest.approx(values[positions] @ one, abs=2e-3)
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)


@pytest.mark.parametrize("left", [1, 7, 30, 299])
def test_a_filter_that_leaves_few_rows_finds_every_one(coded, left):
    _, _, part = coded
    rng = np.random.default_rng(left)
    allowed = np.zeros(ROWS, dtype=np.bool_)
    allowed[rng.choice(ROWS, left, replace=False)] = True
    scores, positions = part.search(made(1, seed=3)[0], 1000, allowed)
    assert sorted(positions.tolist()) == np.flatnonzero(allowed).tolist()
    assert len(scores) == left


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_a_filter_that_leaves_many_rows_finds_nearly_as_many(coded, share):
    _, values, part = coded
    allowed = np.random.default_rng(4).random(ROWS) < share
    asked = made(20, seed=5)
    for one in asked:
        assert allowed[part.search(one, 50, allowed)[1]].all()
    assert share_found(part, values, asked, 50, allowed) > 0.95


def test_a_filter_that_leaves_one_topic_alone(coded):
    _, values, part = coded
    asked, other = made(2, seed=6)
    # Rows of another topic stand in lists that a search without a filter may never read.
    other = other - asked * (asked @ other)
    allowed = values @ other > np.quantile(values @ other, 0.8)
    assert len(part.search(asked, 50, allowed)[1]) == 50
    assert share_found(part, values, [asked], 50, allowed) > 0.9


@pytest.mark.parametrize("k", [0, 1, ROWS, 10**9])
def test_any_k(coded, k):
    _, values, part = coded
    asked = made(1, seed=7)[0]
    _, positions = part.search(asked, k, None)
    assert len(positions) == min(k, ROWS)
    assert part.search(asked, k, np.zeros(ROWS, dtype=np.bool_))[1].tolist() == []


def test_vectors_come_back_in_half_precision(coded):
    _, values, part = coded
    taken = part.take(np.array([5, 5_999, 0]))
    assert taken.dtype == np.float32
    assert taken == pytest.approx(values[[5, 5_999, 0]], abs=1e-3)


@pytest.mark.parametrize("dimensions", [1, 2, 7, 256])
def test_any_number_of_dimensions(tmp_path, many, dimensions):
    values = made(600, dimensions)
    assert write(tmp_path / "bagian", values).kind == CODED
    part = PartVectors(tmp_path / "bagian")
    assert len(part.search(values[0], 50, None)[1]) == 50


def test_vectors_without_a_direction_and_equal_ones_do_no_harm(tmp_path, many):
    values = np.zeros((700, DIMENSIONS), dtype=np.float32)
    values[100:] = made(1)
    kind = write(tmp_path / "bagian", values)
    part = PartVectors(tmp_path / "bagian")
    scores, _ = part.search(values[-1], 50, None)
    assert kind.rows == 700
    assert scores == pytest.approx(np.ones(50), abs=2e-3)


def test_written_twice_it_is_the_same(tmp_path, many):
    kinds = [write(tmp_path / name, made(), batch=size) for name, size in (("a", 17), ("b", 6000))]
    assert kinds[0] == kinds[1]
    parts = [PartVectors(tmp_path / name) for name in "ab"]
    for one in made(10, seed=8):
        first, second = (part.search(one, 40, None) for part in parts)
        assert first[1].tolist() == second[1].tolist()


def test_many_threads_find_what_one_finds(coded):
    _, _, part = coded
    asked = list(made(40, seed=9))
    allowed = np.random.default_rng(1).random(ROWS) < 0.5

    def ask(one):
        return [part.search(one, 20, rows)[1].tolist() for rows in (None, allowed)]

    alone = [ask(one) for one in asked]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, asked * 4)) == alone * 4


def test_files_that_do_not_belong_together_are_told(tmp_path, many):
    assert write(tmp_path / "bagian", made(600)).kind == CODED
    np.save(tmp_path / "bagian" / "exact.npy", np.zeros((3, DIMENSIONS), dtype=np.float16))
    with pytest.raises(ValueError, match="shape"):
        PartVectors(tmp_path / "bagian")
