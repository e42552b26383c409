"""Measures and comparisons, against values worked out by hand."""

import gzip
import json

import numpy as np
import pytest

from eval import datasets, imports, scores
from index.errors import InputError


def test_measures_of_a_run_worked_by_hand():
    relevant = {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 1}}
    run = {"q1": {"a": 3.0, "x": 2.0}, "q2": {"x": 3.0, "y": 2.0, "b": 1.0}}
    values = scores.score(relevant, run)
    np.testing.assert_allclose(values["R@1"], [1, 0, 0])
    np.testing.assert_allclose(values["RR@10"], [1, 1 / 3, 0])
    np.testing.assert_allclose(values["R@10"], [1, 1, 0])
    np.testing.assert_allclose(values["nDCG@10"], [1, 1 / np.log2(4), 0])


def test_a_comparison_with_itself_is_a_tie():
    values = scores.score({"q": {"a": 1}}, {"q": {"a": 1.0}})
    for comparison in scores.compare(values, values, rounds=200):
        assert (comparison.wins, comparison.ties, comparison.losses) == (0, 1, 0)
        assert comparison.p == 1.0


def test_a_clear_gain_is_significant_and_a_single_one_is_not():
    none = {"R@1": np.zeros(40)}
    many = {"R@1": np.r_[np.ones(20), np.zeros(20)]}
    one = {"R@1": np.r_[np.ones(1), np.zeros(39)]}
    gain = scores.compare(none, many)[0]
    assert gain.p < 0.001 and gain.low > 0 and gain.wins == 20
    assert scores.compare(none, one)[0].p > 0.5


def test_judgements_in_both_forms(tmp_path):
    beir, trec = tmp_path / "beir.tsv", tmp_path / "trec.txt"
    beir.write_text("query-id\tcorpus-id\tscore\nq1\ta\t2\n", encoding="utf-8")
    trec.write_text("q1 0 a 2\n", encoding="utf-8")
    assert datasets.read_qrels(beir) == datasets.read_qrels(trec) == {"q1": {"a": 2}}


@pytest.mark.parametrize("line", ["q1 a", "q1\ta\tbanyak"])
def test_a_broken_judgement_names_its_line(tmp_path, line):
    path = tmp_path / "q.tsv"
    path.write_text(f"query-id\tcorpus-id\tscore\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match="q.tsv:2"):
        datasets.read_qrels(path)


def test_an_article_id_may_hold_a_space(tmp_path):
    path = tmp_path / "q.tsv"
    path.write_text("query-id\tcorpus-id\tscore\nq1\tdua kata\t1\n", encoding="utf-8")
    assert datasets.read_qrels(path) == {"q1": {"dua kata": 1}}


def test_no_judgements_are_an_error(tmp_path):
    path = tmp_path / "q.tsv"
    path.write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    with pytest.raises(InputError, match="no relevance"):
        datasets.read_qrels(path)


def test_a_broken_run_names_its_line(tmp_path):
    path = tmp_path / "r.trec"
    path.write_text("q1 Q0 a 1 banyak x\n", encoding="utf-8")
    with pytest.raises(InputError, match="r.trec:1"):
        scores.read_run(path)


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity"])
def test_a_score_that_ranks_nothing_names_its_line(tmp_path, value):
    path = tmp_path / "r.trec"
    path.write_text(f"q1 Q0 a 1 2.5 x\nq1 Q0 b 2 {value} x\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"r\.trec:2.*'{value}'"):
        scores.read_run(path)


def test_an_empty_run_is_an_error(tmp_path):
    (tmp_path / "r.trec").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no result"):
        scores.read_run(tmp_path / "r.trec")


def test_import_makes_a_set_that_loads(tmp_path):
    def write(name, row):
        with gzip.open(tmp_path / name, "wt", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    write("passages.jsonl.gz", {"id": "p1", "text": "Sumur itu sedalam dua belas meter."})
    question = {"id": "q1", "question": "Berapa dalam sumur?", "passage_id": "p1"}
    write("qa.jsonl.gz", {**question, "answers": ["dua belas meter"]})
    assert imports.import_passages(tmp_path, tmp_path / "set") == 1
    loaded = datasets.load(tmp_path / "set")
    assert loaded.questions[0].answers == ("dua belas meter",)
    assert loaded.relevant == {"q1": {"p1": 1}}


def test_the_sample_questions_are_sound():
    sample = datasets.load(datasets.Path(__file__).parents[1] / "sample" / "questions")
    ids = [question.id for question in sample.questions]
    assert len(ids) == len(set(ids)) == 60
    for question in sample.questions:
        assert question.answerable == bool(question.answers) == (question.id in sample.relevant)
        assert not question.follows or ids.index(question.follows) < ids.index(question.id)
