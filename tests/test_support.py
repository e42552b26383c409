"""Support: a claim is supported by words, and broken by opposites and negations."""

import pytest

from index import text
from qa import support

SHOWN = "Harga beras di Pasar Lereng naik 5 persen pada Maret karena panen gagal, kata Dewi."


def named(claim, shown=SHOWN):
    return dict(zip(support.NAMES, support.features(claim, shown).tolist(), strict=True))


def test_features_by_hand():
    found = named("Harga beras naik 7 persen.")
    assert found["stems"] == found["words"] == pytest.approx(4 / 5)
    assert (found["missing"], found["missing_numbers"], found["missing_names"]) == (1, 1, 0)
    assert (found["first"], found["last"], found["length"]) == (1, 1, 5)
    assert found["negations_differ"] == 1
    assert named("Harga naik menurut Ratna.")["missing_names"] == 1
    assert named("Semua harga beras naik.")["intense"] == 1


@pytest.mark.parametrize(
    ("claim", "shown", "count"),
    [
        ("harga turun", "harga naik", 1),
        ("harga menurun", "harga dinaikkan", 1),
        ("kota terkecil", "kota terbesar", 1),
        ("tim itu kalah", "tim itu menang", 1),
        ("harga naik", "harga naik lalu turun", 0),
        ("usul diterima", "usul ditolak", 1),
        ("harga naik", "harga tetap", 0),
    ],
)
def test_opposites_are_counted(claim, shown, count):
    assert support.opposed(text.words(claim), text.words(shown)) == count


def test_negation_near_the_same_words():
    assert named("Beras tidak naik.", "Beras naik tajam.")["negation_near"] == 0
    assert named("Beras tidak naik.", "Beras tidak naik tajam.")["negation_near"] == 1


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Harga beras di Pasar Lereng naik.", "Harga beras di Pasar Lereng tidak naik."),
        ("Harga beras naik 5 persen.", "Harga gula dan minyak naik 5 persen."),
        ("Harga beras naik pada Maret.", "Hanya harga beras yang tidak pernah naik."),
    ],
)
def test_the_score_tells_support_from_none(better, worse):
    assert support.score(better, SHOWN) > support.score(worse, SHOWN) + 0.1


@pytest.mark.parametrize("claim", ["", "?", "tidak", "yang di"])
def test_odd_claims_have_a_score(claim):
    assert 0 <= support.score(claim, SHOWN) <= 1
    assert 0 <= support.score(SHOWN, claim) <= 1
