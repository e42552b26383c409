"""Order and confidence of what was read: features by hand, rounds, and files that do not fit."""

import dataclasses
import datetime as dt
import json
import math

import numpy as np
import pytest

from index.errors import ModelError
from qa import confidence, silence
from qa.confidence import CONFIDENCE, ORDER, ROUND, SHORT, Logistic
from tests import homes

MARKET = (
    "Pasar Lereng ditutup karena banjir pada 3 Mei 2026.",
    "Bupati Rukmana meninjau pasar itu kemarin pagi.",
)
PORT = ("Pelabuhan Waru dibuka pada 3 Mei 2026 oleh Bupati Rukmana.",)


def market(asked="Mengapa Pasar Lereng ditutup?"):
    day = dt.date(2026, 5, 4)
    pages = [homes.passage("a", MARKET, "Pasar Tutup", day), homes.passage("b", PORT, "Pelabuhan")]
    return homes.evidence(asked, *pages), pages


def features(evidence, readings):
    row = confidence.row(evidence, readings, confidence.words_of(evidence))
    return dict(zip(CONFIDENCE, row.tolist(), strict=True))


def test_a_logistic_regression_by_hand():
    model = Logistic(
        ("a", "b"), np.array([1.0, 0.0]), np.array([2.0, 1.0]), np.array([1.0, -1.0]), 0.5
    )
    assert model.logits(np.array([[3.0, 0.5]])) == pytest.approx([1.0])
    assert model.probability(np.array([3.0, 0.5])) == pytest.approx(1 / (1 + math.exp(-1)))


def test_features_by_hand():
    evidence, pages = market()
    read = [
        homes.reading(1, pages[0], "karena banjir", 3.0),
        homes.reading(1, pages[0], "kemarin", 1.0),
        homes.reading(2, pages[1], "Bupati Rukmana", -1.0),
    ]
    found = features(evidence, read)
    assert (found["span"], found["answers"], found["margin"]) == (3.0, 3.0, 2.0)
    assert (found["agreement"], found["why"], found["quote"]) == (0, 1, 0)
    assert found["coverage"] == found["best_coverage"] == pytest.approx(1.0)
    assert (found["names"], found["numbers"], found["years"], found["unknown"]) == (0, 0, 0, 0)


def test_what_the_article_lacks_is_told():
    evidence, pages = market("Kapan Zulkarnain menutup Pasar Lereng tahun 2019?")
    found = features(evidence, [homes.reading(1, pages[0], "3 Mei 2026")])
    assert found["names"] == pytest.approx(1 / 3)
    assert (found["numbers"], found["years"], found["unknown"]) == (1, 1, 1)
    assert found["coverage"] < 1


def test_the_day_of_publication_counts_as_said():
    evidence, pages = market("Kapan Pasar Lereng ditutup, 4 Mei?")
    assert features(evidence, [homes.reading(1, pages[0], "3 Mei 2026")])["numbers"] == 0


def test_other_articles_agree_or_not():
    asked = "Siapa yang datang pada 3 Mei 2026?"
    evidence, pages = market(asked)
    first = homes.reading(1, pages[0], "Bupati Rukmana", 2.0)
    same = homes.reading(2, pages[1], "Bupati Rukmana", 1.0)
    other = homes.reading(2, pages[1], "Pelabuhan Waru", 1.0)
    agreeing, differing = features(evidence, [first, same]), features(evidence, [first, other])
    assert (agreeing["agreement"], differing["agreement"]) == (1, 0)
    assert agreeing["margin"] == 8.0 and differing["margin"] == 1.0


def test_an_answer_that_repeats_the_question_is_told():
    evidence, pages = market("Berapa harga di Pasar Lereng 3 Mei 2026?")
    assert features(evidence, [homes.reading(1, pages[0], "3 Mei 2026")])["echo"] == 1
    assert features(evidence, [homes.reading(1, pages[0], "karena banjir")])["echo"] == 0


def many(count):
    """Return evidence of many articles of one passage each."""
    pages = [homes.passage(f"x{n}", (f"Kabar nomor {n} dari Desa Sagara.",)) for n in range(count)]
    return homes.evidence("Apa kabar Desa Sagara?", *pages)


def reader_that_finds(score):
    calls = []

    def read(question, pages):
        calls.append([page.id for _, page in pages])
        return [
            dataclasses.replace(homes.reading(number, page, "Sagara"), span=score, answers=score)
            for number, page in pages
        ]

    return read, calls


def test_reading_stops_when_it_is_sure():
    read, calls = reader_that_finds(30.0)
    evidence = confidence.judged(many(3 * ROUND), read, 100)
    assert len(calls) == 1 and len(calls[0]) == ROUND
    assert evidence.confidence >= confidence.fitted().undecided[0][1]


def test_reading_goes_on_while_it_is_undecided():
    after = ((0.0, 0.7), (0.05, 0.3))
    at = {1: [0.01, 0.6, 0.7, 1.0], 2: [0.01, 0.05, 0.29, 0.3], 9: [0.01, 0.05, 0.29, 0.3]}
    stops = {n: [confidence.is_decided(c, n, after) for c in these] for n, these in at.items()}
    one, later = [False, False, True, True], [True, False, False, True]
    assert stops == {1: one, 2: later, 9: later}


@pytest.mark.parametrize(("budget", "rounds"), [(3, [3]), (ROUND + 2, [ROUND, 2])])
def test_reading_stops_when_the_budget_is_spent(budget, rounds):
    read, calls = reader_that_finds(-30.0)
    evidence = confidence.judged(many(3 * ROUND), read, budget)
    assert [len(call) for call in calls] == rounds
    assert len({page for call in calls for page in call}) == budget
    assert evidence.confidence < 0.5 and evidence.short == ""


def test_without_hits_nothing_is_read():
    read, calls = reader_that_finds(1.0)
    empty = dataclasses.replace(many(0), confidence=0.0)
    assert confidence.judged(empty, read, 10) == empty
    assert calls == []


def test_a_hit_turns_to_the_passage_that_answers():
    pages = [homes.passage("a", (f"Bagian {n} dari kabar panjang itu.",), number=n) for n in (0, 1)]
    evidence = dataclasses.replace(many(0), hits=(homes.hit(*pages, best=0),))

    def read(question, given):
        return [
            dataclasses.replace(homes.reading(n, page, "Bagian"), span=9.0 * (page.id == "a#1"))
            for n, page in given
        ]

    found = confidence.judged(evidence, read, 10)
    assert found.hits[0].passage.id == "a#1"
    assert found.readings[0].passage.id == "a#1"
    assert found.hits[0].passages == tuple(pages)


def test_articles_are_ordered_by_reading_those_unread_after():
    evidence = many(4)
    readings = tuple(
        homes.reading(n, evidence.hits[n - 1].passage, "Sagara", score)
        for n, score in ((3, 2.0), (1, -4.0))
    )
    hits = confidence.by_reading(dataclasses.replace(evidence, readings=readings))
    assert [hit.passage.article_id for hit in hits] == ["x2", "x0", "x1", "x3"]
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 1 for score in scores[:2]) and all(score <= 1 for score in scores[2:])


def test_names_that_no_article_holds():
    evidence, _ = market("Kapan Rukmana dan Zulfahmi Qodari meninjau Pasar Lereng?")
    assert silence.unknown_names(evidence) == ["Zulfahmi", "Qodari"]


def test_another_year_covers_a_question_by_half():
    asked = "Mengapa Pasar Lereng ditutup"
    same = confidence.covered(market(f"{asked} pada 2026?")[0])
    other = confidence.covered(market(f"{asked} pada 2019?")[0])
    assert same == pytest.approx(1.0)
    assert 0 < other < same / 2


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        ("Panen raya dimulai hari Senin.", True),
        ("Panen raya dimulai.", False),
        ("Apakah panen raya jadi dimulai?", False),
        ('"Apakah panen raya jadi dimulai?"', False),
        ("WANASIGRA, KABAR LERENG, Senin --", False),
    ],
)
def test_stumps_and_questions_are_not_shown(piece, expected):
    assert confidence.showable(piece) is expected


def fitted_row(names):
    size = len(names)
    return {
        "names": names,
        "mean": [0.0] * size,
        "scale": [1.0] * size,
        "weights": [0.0] * size,
        "bias": 0.0,
    }


@pytest.mark.parametrize("wrong", ["", "{}", '{"order": 1}', "names"])
def test_fitted_models_that_do_not_fit_are_told(tmp_path, wrong):
    whole = {"order": ORDER, "confidence": CONFIDENCE, "short": SHORT}
    raw = {name: fitted_row(names) for name, names in whole.items()}
    text = json.dumps({**raw, "undecided": [[0, 0.8]], "least_short": 0.5, "shares": [0.6, 0.1]})
    (tmp_path / "confidence.json").write_text(text)
    assert confidence.fitted(tmp_path).undecided == ((0, 0.8),)
    broken = text.replace("coverage", "cover") if wrong == "names" else wrong
    (tmp_path / "confidence.json").write_text(broken)
    confidence.fitted.cache_clear()
    with pytest.raises(ModelError, match="confidence.json"):
        confidence.fitted(tmp_path)
