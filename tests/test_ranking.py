"""The ranker: features by hand, the answering passage first, and nothing that breaks it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import text
from index.errors import ModelError
from index.records import Passage
from qa import ranking
from qa.question import kind_of

HARBOUR = (
    "Pelabuhan Teluk Waru kembali dibuka pada Senin, 3 Maret 2025.",
    "Kapal feri pertama berangkat pukul 07.00 dengan 120 penumpang.",
)
BRIDGE = (
    "Jembatan gantung di Kampung Sawo rusak diterjang banjir.",
    "Warga memperbaiki jembatan itu bersama-sama.",
)
COFFEE = ("Harga kopi di Pasar Lereng naik menjadi Rp85.000 per kilogram.", "Petani gembira.")


def passage(name, sentences, title="Kabar hari ini"):
    spans, at = [], 0
    for sentence in sentences:
        spans.append((at, at + len(sentence)))
        at += len(sentence) + 1
    return Passage(
        f"{name}#0", name, name, " ".join(sentences), tuple(spans), title, "Uji", "", None, "c"
    )


def candidates(*passages, bm25=5.0, cosine=0.4):
    return [
        ranking.Candidate(p, bm25, cosine, rank, rank) for rank, p in enumerate(passages, start=1)
    ]


def weights(question, heaviest=None):
    return tuple((stem, heaviest or 4.0) for stem in text.query_stems(question))


def rows(question, *passages, weighted=None, **searched):
    matrix = ranking.features(
        question,
        kind_of(question),
        weights(question) if weighted is None else weighted,
        candidates(*passages, **searched),
        ranking.Stems(),
    )
    return [dict(zip(ranking.NAMES, row.tolist(), strict=True)) for row in matrix]


@pytest.fixture(scope="module")
def ranker():
    return ranking.Ranker.load()


# Features ----------------------------------------------------------------------------------------


def test_features_by_hand():
    """Stems pelabuhan 3, teluk 3, waru 3, buka 1: ten in all."""
    question = "Kapan Pelabuhan Teluk Waru dibuka?"
    stems = text.query_stems(question)
    weighted = tuple(zip(stems, (3.0, 3.0, 3.0, 1.0), strict=True))
    harbour, bridge = rows(
        question,
        passage("a", HARBOUR),
        passage("b", ("Teluk itu indah.", "Kapal lama tidak lagi dibuka.")),
        weighted=weighted,
    )
    assert harbour["covered"] == harbour["sentence"] == harbour["window_12"] == pytest.approx(1)
    assert harbour["covered_exact"] == pytest.approx(1)
    assert harbour["lacks"] == harbour["lacks_most"] == 0
    # "Teluk" stands seven words before "dibuka": 0.3 + 0.1 together, 0.3 in one sentence.
    assert bridge["covered"] == pytest.approx(0.4)
    assert bridge["sentence"] == pytest.approx(0.3)
    assert bridge["two_sentences"] == bridge["window_12"] == pytest.approx(0.4)
    assert bridge["near"] == pytest.approx(0.3 + 0.1 / (1 + 7 / 10))
    assert bridge["lacks"] == 2
    assert bridge["lacks_most"] == pytest.approx(0.3)
    assert bridge["covered_squared"] == pytest.approx((9 + 1) / (9 + 9 + 9 + 1))
    # The question's neighbours weigh 6, 6 and 4; "kembali" stands between the last two.
    assert harbour["pairs"] == pytest.approx(1)
    assert harbour["pairs_tight"] == pytest.approx(12 / 16)
    assert bridge["pairs"] == 0
    assert harbour["names"] == pytest.approx(1)
    assert bridge["names"] == pytest.approx(1 / 3)
    # Senin, Maret and 2025 are dates; "3" is left as a number.
    assert (harbour["new_dates"], harbour["new_numbers"]) == (3, 1)
    assert (harbour["offers"], bridge["offers"]) == (1, 0)
    assert harbour["covered_below_best"] == 0
    assert bridge["covered_below_best"] == pytest.approx(-0.6)


def test_search_scores_by_hand():
    question = "harga kopi"
    pair = [
        ranking.Candidate(passage("a", COFFEE), 8.0, 0.5, 1, None),
        ranking.Candidate(passage("b", BRIDGE), 0.0, 0.7, None, 1),
    ]
    matrix = ranking.features(question, "other", weights(question), pair, ranking.Stems())
    first, second = (dict(zip(ranking.NAMES, row.tolist(), strict=True)) for row in matrix)
    assert (first["bm25_of_best"], second["bm25_of_best"]) == (1, 0)
    assert first["cosine_below_best"] == pytest.approx(-0.2)
    assert first["fused"] == pytest.approx(0.85 + 0.15 * 0.5)
    assert second["fused"] == pytest.approx(0.15 * 0.7)
    assert first["lexical_rank"] == 0
    assert second["lexical_rank"] == pytest.approx(math.log(1000))


def test_the_headline_counts_but_not_as_text():
    (row,) = rows("harga kopi", passage("a", BRIDGE, title="Harga kopi naik"))
    assert row["covered"] == pytest.approx(1)
    assert row["covered_text"] == 0


def test_a_match_does_not_reach_into_the_next_passage():
    first, second = rows(
        "jembatan rusak", passage("a", ("Ada jembatan.",)), passage("b", ("Rusak semua.",))
    )
    assert first["window_50"] == second["window_50"] == pytest.approx(0.5)
    assert first["two_sentences"] == pytest.approx(0.5)
    assert first["pairs"] == 0


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("Siapa ketua panitia?", "Kini ketua panitia ialah Rukmana.", "Kini ketua panitia pergi."),
        ("Berapa harga kopi?", "Harga kopi kini 85.000 rupiah.", "Harga kopi kini tinggi."),
        ("Di mana jembatan rusak?", "Jembatan rusak itu di Sawo.", "Jembatan rusak parah."),
        ("Mengapa jembatan rusak?", "Jembatan rusak karena banjir.", "Jembatan rusak parah."),
    ],
)
def test_a_sentence_offers_what_is_asked_for(question, yes, no):
    good, bad = rows(question, passage("a", (yes,)), passage("b", (no,)))
    assert (good["offers"], bad["offers"]) == (1, 0)


# Ranking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answering"),
    [
        ("Kapan Pelabuhan Teluk Waru dibuka kembali?", HARBOUR),
        ("Berapa harga kopi di Pasar Lereng?", COFFEE),
        ("Di mana jembatan gantung yang rusak diterjang banjir?", BRIDGE),
    ],
)
def test_the_answering_passage_comes_first(ranker, question, answering):
    some = candidates(*(passage(str(n), p) for n, p in enumerate((HARBOUR, BRIDGE, COFFEE))))
    scores = ranker.scores(question, kind_of(question), weights(question), some)
    best = some[int(np.argmax(scores))].passage
    assert best.text == " ".join(answering)


@given(st.permutations(range(6)), st.integers(0, 2))
def test_the_order_of_candidates_does_not_matter(order, asked):
    ranker = ranking.Ranker.load()
    question = ("Kapan feri berangkat?", "Berapa harga kopi?", "Siapa memperbaiki jembatan?")[asked]
    some = candidates(
        *(
            passage(str(n), p, title=t)
            for n, (p, t) in enumerate(
                (p, t) for p in (HARBOUR, BRIDGE, COFFEE) for t in ("", "Kopi dan feri")
            )
        )
    )
    scores = ranker.scores(question, kind_of(question), weights(question), some)
    again = ranker.scores(
        question, kind_of(question), weights(question), [some[number] for number in order]
    )
    assert np.allclose(scores[list(order)], again)


def test_what_is_not_read_stays_behind_in_the_order_found(ranker):
    question = "Berapa harga kopi?"
    some = [
        ranking.Candidate(passage(f"{n:03}", COFFEE), 9.0 - n / 50, 0.3, n + 1, None)
        for n in range(120)
    ]
    scores = ranker.scores(question, "howmany", weights(question), some)
    read = ranking.shortlist(some)
    assert read == list(range(64))
    assert scores[64:].max() < scores[:64].min()
    assert (np.diff(scores[64:]) < 0).all()


HOSTILE = {
    "no headline": passage("a", COFFEE, title=""),
    "long": passage("b", ("kopi harga naik " * 3_400,)),
    "empty": Passage("c#0", "c", "c", "", ((0, 0),), "", "", "", None, ""),
    "no spans": Passage("d#0", "d", "d", "Harga kopi.", (), "", "", "", None, ""),
    "marks": passage("e", ("?!. … —", "😀 \ud800 \x00"), title="***"),
    "capital with a dot": passage("f", ("İSTANBUL kopi ǅ ﬁ ½.",)),
}


@pytest.mark.parametrize("question", ["Berapa harga kopi?", "", "????", "kopi " * 400, "İ ﬁ 1.200"])
def test_hostile_input_gives_finite_scores(ranker, question):
    some = candidates(*HOSTILE.values(), bm25=0.0, cosine=0.0)
    for weighted in (weights(question), (), tuple((f"s{n}", 1.0) for n in range(100))):
        matrix = ranking.features(question, "other", weighted, some, ranking.Stems())
        assert matrix.shape == (len(some), len(ranking.NAMES))
        assert np.isfinite(matrix).all()
        assert np.isfinite(ranker.scores(question, "other", weighted, some)).all()


def test_no_candidates_no_scores(ranker):
    assert ranker.scores("kopi", "other", weights("kopi"), []).shape == (0,)


def test_few_remembered_stems_change_nothing():
    question, some = "Berapa harga kopi?", candidates(*HOSTILE.values())
    many, few = ranking.Stems(), ranking.Stems(most=1)
    for _ in range(2):
        args = (question, "howmany", weights(question), some)
        assert np.array_equal(ranking.features(*args, many), ranking.features(*args, few))


# Trees -------------------------------------------------------------------------------------------

TREE = """feature_names={names}
Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
threshold=0.5 0.25
decision_type=0 0
left_child=1 -1
right_child=-2 -3
leaf_value=1 10 100
end of trees
"""


def test_a_tree_by_hand(tmp_path):
    """Feature 0 over 0.5: leaf 1 (10); else feature 1 at most 0.25: leaf 0 (1), over: leaf 2."""
    trees = ranking.Trees(TREE.format(names=" ".join(ranking.NAMES)).splitlines())
    found = np.zeros((5, len(ranking.NAMES)), dtype=np.float32)
    found[:, 0] = (0.6, 0.5, 0.5, 0.9, 0.0)
    found[:, 1] = (0.0, 0.25, 0.26, 0.9, 0.9)
    assert trees.predict(found).tolist() == [10, 1, 100, 10, 100]


def test_the_trees_agree_with_lightgbm():
    lightgbm = pytest.importorskip("lightgbm")
    booster = lightgbm.Booster(model_file=str(ranking.RANKER_FILE))
    found = np.random.default_rng(3).normal(size=(500, len(ranking.NAMES))).astype(np.float32)
    trees = ranking.Trees(ranking.RANKER_FILE.read_text().splitlines())
    assert np.allclose(trees.predict(found), booster.predict(found), atol=1e-9)


@pytest.mark.parametrize("content", ["", "feature_names=a b\n", TREE.format(names="a b")])
def test_a_broken_ranker_is_told(tmp_path, content):
    path = tmp_path / "ranker.txt"
    path.write_text(content)
    with pytest.raises(ModelError, match="ranker"):
        ranking.Ranker.load(path)


def test_the_shipped_ranker_is_small():
    assert ranking.RANKER_FILE.stat().st_size < 1_000_000
