"""Short answers: which runs of words are candidates, and what is said of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import sentences, spans
from qa.ranking import Stems
from tests.test_sentences import evidence, passage


def runs(piece, asked="Siapa yang meresmikan pelabuhan?"):
    found = evidence(asked, passage("a", (piece,)))
    question = sentences.read_question(found, Stems())
    tokens = spans.read_tokens([piece], question, Stems())
    firsts, lasts = spans.candidates(tokens, question.sought.kind)
    texts = [piece[tokens.starts[a] : tokens.ends[b]] for a, b in zip(firsts, lasts, strict=True)]
    scores = np.zeros(1)
    rows = np.zeros((1, len(sentences.NAMES)), dtype=np.float32)
    values = spans.features(tokens, question, firsts, lasts, scores, rows)
    named = [dict(zip(spans.NAMES, row.tolist(), strict=True)) for row in values]
    return dict(zip(texts, named, strict=True))


ANY = "Apa yang meresmikan pelabuhan?"
HARBOUR = "Pelabuhan diresmikan oleh Gubernur Rahmat Hidayat (54) pada 4 Maret 2025, kata warga."


@pytest.mark.parametrize(
    "short", ["Gubernur Rahmat Hidayat", "Rahmat Hidayat", "4 Maret 2025", "2025", "warga"]
)
def test_a_likely_answer_is_a_candidate(short):
    assert short in runs(HARBOUR, asked=ANY)


@pytest.mark.parametrize(
    "short", ["oleh Gubernur", "Hidayat (54", "54)", "pada 4", "2025,", "kata warga."]
)
def test_a_run_that_begins_or_ends_badly_is_none(short):
    assert short not in runs(HARBOUR, asked=ANY)


@pytest.mark.parametrize(
    ("asked", "fitting", "other"),
    [
        ("Siapa yang meresmikan pelabuhan?", "Rahmat Hidayat", "4 Maret 2025"),
        ("Kapan pelabuhan diresmikan?", "4 Maret 2025", "Rahmat Hidayat"),
        ("Tahun berapa pelabuhan diresmikan?", "2025", "Maret"),
        ("Berapa usia gubernur?", "54", "Rahmat Hidayat"),
        ("Di mana pelabuhan diresmikan?", "Rahmat Hidayat", "Maret 2025"),
    ],
)
def test_the_kind_that_is_sought_decides(asked, fitting, other):
    found = runs(HARBOUR, asked)
    assert fitting in found and other not in found


def test_a_word_that_only_opens_a_sentence_is_no_name():
    assert "Namun" not in runs("Namun warga menolak.", asked="Apa nama desa itu?")


def test_a_bracket_may_stand_inside():
    assert "Liga Nasional (LN)" in runs("Partainya adalah Liga Nasional (LN) sejak lama.")


def test_no_run_crosses_a_quotation_or_is_too_long():
    found = runs(
        'Ia berkata "kapal besar tiba" lalu pergi ke utara bersama banyak orang kampung itu'
    )
    assert not any('"' in short for short in found)
    assert max(len(short.split()) for short in found) <= spans.LONGEST


def test_features_by_hand():
    found = runs(HARBOUR, asked="Apa yang diresmikan di pelabuhan?")
    whole, part = found["Gubernur Rahmat Hidayat"], found["Rahmat"]
    assert (whole["length"], whole["names"], whole["titles"], whole["new_names"]) == (3, 2, 1, 2)
    assert (whole["whole"], part["whole"]) == (1, 0)
    # "diresmikan" shares its stem with the question: two words before "Gubernur".
    assert (whole["term_before"], whole["from_start"]) == (2, 3)
    assert whole["near_before"] == pytest.approx(0.5 * 0.85**2 + 0.5 * 0.85**3)
    assert (found["4 Maret 2025"]["dates"], found["4 Maret 2025"]["counts"]) == (2, 1)
    assert found["Pelabuhan"]["said"] == 1


def test_the_unit_asked_for_is_seen():
    found = runs("Nelayan menangkap 12 ton ikan.", asked="Berapa ton ikan ditangkap?")
    assert found["12 ton"]["head_last"] == 1
    assert found["12"]["head_after"] == 1


@given(st.text(max_size=200))
def test_every_candidate_is_a_part_of_the_sentence(piece):
    for short in runs(piece):
        assert short in piece and short.strip() == short
