"""Measures and comparisons, against values worked out by hand."""

import gzip
import json

import numpy as np
import pytest

from eval import compare, measures, runs
from eval import questions as sets
from eval.measures import Reply
from eval.runs import Run
from index.errors import InputError


def judged(relevant, ranked, **more):
    """Return a run of {question: articles, best first}, judged."""
    replies = {q: Reply(q, articles=tuple(articles)) for q, articles in ranked.items()}
    return runs.judge(sets.QuestionSet((), relevant), Run("a", replies, **more))


def value_of(name, run):
    return measures.values(MEASURES[name], run.pairs())


MEASURES = {m.name: m for m in measures.SEARCHES[0].measures}


def test_measures_of_a_run_worked_by_hand():
    relevant = {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 1}}
    run = judged(relevant, {"q1": ["a", "x"], "q2": ["x", "y", "b"]})
    np.testing.assert_allclose(value_of("R@1", run), [1, 0, 0])
    np.testing.assert_allclose(value_of("RR@10", run), [1, 1 / 3, 0])
    np.testing.assert_allclose(value_of("R@10", run), [1, 1, 0])
    np.testing.assert_allclose(value_of("nDCG@10", run), [1, 1 / np.log2(4), 0])
    assert [reply.figures["rank"] for _, reply in run.pairs()] == [1, 3, None]


def test_every_measure_has_a_name_of_its_own_and_a_meaning():
    names = [m.name for m in (*measures.RANKED, *measures.GOLD_FOUND)]
    assert len(set(names)) == len(names) and all(measures.MEANINGS[name] for name in names)
    assert set(names[:5]) == set(measures.ranking_figures({"q": {"a": 1}}, {})["q"]) - {"rank"}
    assert compare.names(of_answers=False) == names
    assert {m.depth for m in measures.RANKED} == {1, 10, 100}


def test_all_measures_rank_ties_alike(tmp_path):
    """The greater id first, as trec_eval: ir_measures alone has RR@10 the other way round."""
    path = tmp_path / "r.trec"
    lines = (f"q Q0 {article} {n} 1.0 x\n" for n, article in enumerate("abc", start=1))
    path.write_text("".join(lines), encoding="utf-8")
    assert runs.load(path).replies["q"].articles == ("c", "b", "a")
    for rank, article in enumerate("cba", start=1):
        run = runs.judge(sets.QuestionSet((), {"q": {article: 1}}), runs.load(path))
        (reply,) = (reply for _, reply in run.pairs())
        assert reply.figures["RR@10"] == pytest.approx(1 / rank)
        assert reply.figures["nDCG@10"] == pytest.approx(1 / np.log2(1 + rank))
        assert reply.figures["R@1"] == float(rank == 1) and reply.figures["rank"] == rank


def test_a_comparison_with_itself_is_a_tie():
    run = judged({"q": {"a": 1}}, {"q": ["a"]})
    found = compare.compare(run, run)
    assert [c.measure for c in found] == [m.name for m in measures.RANKED]
    for comparison in found:
        assert (comparison.wins, comparison.ties, comparison.losses) == (0, 1, 0)
        assert comparison.p == 1.0


def test_a_clear_gain_is_significant_and_a_single_one_is_not():
    none = {"R@1": np.zeros(40)}
    many = {"R@1": np.r_[np.ones(20), np.zeros(20)]}
    one = {"R@1": np.r_[np.ones(1), np.zeros(39)]}
    gain = compare.compare_values(none, many)[0]
    assert gain.p < 0.001 and gain.low > 0 and gain.wins == 20
    assert compare.compare_values(none, one)[0].p > 0.5


def test_judgements_in_both_forms(tmp_path):
    beir, trec = tmp_path / "beir.tsv", tmp_path / "trec.txt"
    beir.write_text("query-id\tcorpus-id\tscore\nq1\ta\t2\n", encoding="utf-8")
    trec.write_text("q1 0 a 2\n", encoding="utf-8")
    assert sets.read_qrels(beir) == sets.read_qrels(trec) == {"q1": {"a": 2}}


@pytest.mark.parametrize("line", ["q1 a", "q1\ta\tbanyak"])
def test_a_broken_judgement_names_its_line(tmp_path, line):
    path = tmp_path / "q.tsv"
    path.write_text(f"query-id\tcorpus-id\tscore\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match="q.tsv:2"):
        sets.read_qrels(path)


def test_an_article_is_named_as_the_archive_names_it(tmp_path):
    path = tmp_path / "q.tsv"
    path.write_text("query-id\tcorpus-id\tscore\nq1\tdua kata\t1\n", encoding="utf-8")
    assert sets.read_qrels(path) == {"q1": {sets.archived_id("dua kata"): 1}}
    assert sets.archived_id("a.1:b_c-2") == "a.1:b_c-2"
    for unusual in ("dua kata", "4148#0", "[12]", 20 * "panjang"):
        found = sets.archived_id(unusual)
        assert found != unusual and sets.archived_id(found) == found


def test_an_article_may_be_judged_twice_but_not_otherwise(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("q1 0 a 1\nq1 0 a 1\n", encoding="utf-8")
    assert sets.read_qrels(path) == {"q1": {"a": 1}}
    path.write_text("q1 0 a 1\nq1 0 a 0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"q\.txt:2 judges 'a' again"):
        sets.read_qrels(path)


def test_no_judgements_are_an_error(tmp_path):
    path = tmp_path / "q.tsv"
    path.write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    with pytest.raises(InputError, match="no relevance"):
        sets.read_qrels(path)


def test_a_broken_run_names_its_line(tmp_path):
    path = tmp_path / "r.trec"
    path.write_text("q1 Q0 a 1 banyak x\n", encoding="utf-8")
    with pytest.raises(InputError, match="r.trec:1"):
        runs.read_trec(path)


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity"])
def test_a_score_that_ranks_nothing_names_its_line(tmp_path, value):
    path = tmp_path / "r.trec"
    path.write_text(f"q1 Q0 a 1 2.5 x\nq1 Q0 b 2 {value} x\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"r\.trec:2.*'{value}'"):
        runs.read_trec(path)


def test_an_article_that_stands_twice_names_its_line(tmp_path):
    path = tmp_path / "r.trec"
    path.write_text("q1 Q0 a 1 2 x\nq2 Q0 a 1 2 x\nq1 Q0 a 2 1 x\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"r\.trec:3: the article 'a' stands twice for 'q1'"):
        runs.read_trec(path)


def test_an_empty_run_is_an_error(tmp_path):
    (tmp_path / "r.trec").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no result"):
        runs.read_trec(tmp_path / "r.trec")


def test_import_makes_a_set_that_loads(tmp_path):
    def write(name, row):
        with gzip.open(tmp_path / name, "wt", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    write("passages.jsonl.gz", {"id": "p1", "text": "Sumur itu sedalam dua belas meter."})
    question = {"id": "q1", "question": "Berapa dalam sumur?", "passage_id": "p1"}
    write("qa.jsonl.gz", {**question, "answers": ["dua belas meter"]})
    assert sets.import_set(tmp_path, tmp_path / "set") == 1
    loaded = sets.load(tmp_path / "set")
    assert loaded.questions[0].answers == ("dua belas meter",)
    assert loaded.relevant == {"q1": {"p1": 1}}


def test_the_sample_questions_are_sound():
    sample = sets.load(sets.Path(__file__).parents[1] / "sample" / "questions")
    ids = [question.id for question in sample.questions]
    assert len(ids) == len(set(ids)) == 60
    for question in sample.questions:
        assert question.answerable == bool(question.answers) == (question.id in sample.relevant)
        assert not question.follows or ids.index(question.follows) < ids.index(question.id)
