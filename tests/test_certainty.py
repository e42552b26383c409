"""Certainty: what a hit lacks of the question, opposites, and the calibration's straight lines."""

import numpy as np
import pytest

from qa import certainty, extractive, sentences
from qa.ranking import Stems
from tests.test_sentences import evidence, passage

BRIDGE = ("Jembatan Sawo rusak diterjang banjir besar.", "Warga menolak usul bupati.")


def named(asked, best=0):
    found = evidence(asked, passage("a", BRIDGE), passage("b", ("Harga kopi naik di Lereng.",)))
    pages = sentences.read_pages(found, Stems())
    rows = sentences.features(pages, found)
    scores = np.array([2.0, 1.5, 0.5])
    pair = extractive.laid_beside(found, pages, best, "", Stems())
    values = certainty.features(found, pages, rows, scores, best, None, np.zeros(0), pair, 0.5)
    return dict(zip(certainty.NAMES, values.tolist(), strict=True))


def test_features_by_hand():
    found = named("Apakah Jembatan Sawo rusak diterjang 9 ombak?")
    assert found["score"] == 2 and found["ahead"] == 0.5 and found["ahead_hit"] == 1.5
    # Six terms of equal weight: of them "9" and "ombak" stand nowhere.
    assert found["lacks_numbers"] == found["lacks_others"] == pytest.approx(1 / 6)
    assert found["lacks_names"] == 0
    assert found["lacking"] == 2
    assert found["aligned"] == 0.5
    assert named("Apakah Jembatan Kenanga rusak?")["lacks_names"] == pytest.approx(1 / 3)


def test_an_opposite_a_denial_and_a_superlative_are_seen():
    plain = named("Siapa yang menolak usul bupati?", best=1)
    assert (plain["opposed"], plain["denied"], plain["extremes"]) == (0, 0, 0)
    assert named("Siapa yang menerima usul bupati?", best=1)["opposed"] == 1
    assert named("Apa yang tidak rusak diterjang banjir?")["denied"] == 1
    assert named("Jembatan terpanjang mana yang rusak?")["extremes"] == 1


def test_calibration_is_a_straight_line_between_knots():
    knots = np.array([[0.0, 1.0, 3.0], [0.1, 0.5, 0.9]])
    told = [certainty.calibrated(score, knots) for score in (-5, 0, 0.5, 2, 9)]
    assert told == pytest.approx([0.1, 0.1, 0.3, 0.7, 0.9])
