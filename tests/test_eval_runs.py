"""Runs, scores, comparisons, reports and gates, through the command line on the sample archive."""

import datetime as dt
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from commands.main import app, run
from eval import compare, measures, provenance, report, runs
from eval import questions as sets
from eval.measures import Excerpt, Reply
from eval.questions import Question, QuestionSet
from eval.runs import Run
from index.errors import InputError
from index.records import Filter, Passage
from tests import homes
from tests.homes import HOSTILE, Page, tanya

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample" / "questions"
HELD = "d619f7af10abe36d"
"""An article of the sample."""


@pytest.fixture(scope="module")
def home(sample_home):
    return sample_home


@pytest.fixture(scope="module")
def made(home, tmp_path_factory):
    """Return a lexical run of the sample questions."""
    out = tmp_path_factory.mktemp("runs") / "lexical"
    assert tanya(home, "eval", "run", SAMPLE, "--mode", "lexical", "--out", out) == 0
    return out


def passage(article_id, text="Isi.", title="Judul"):
    return Passage(
        f"{article_id}#0", article_id, article_id, text, ((0, len(text)),), title, "Harian", "",
        dt.date(2024, 5, 6), "c",
    )  # fmt: skip


def hits(*pairs):
    return [homes.hit(passage(article), score=score) for article, score in pairs]


def answered(questions, relevant, texts, name="a"):
    """Return a judged run that found these texts for each question."""
    replies = {
        q: Reply(q, 1.0, articles=("a",) * bool(found), texts=tuple(found))
        for q, found in texts.items()
    }
    return runs.judge(QuestionSet(tuple(questions), relevant), Run(name, replies))


def values_of(name, run):
    (measure,) = (m for m in measures.SEARCHES[0].measures if m.name == name)
    return measures.values(measure, run.pairs())


# Scores worked by hand ---------------------------------------------------------------------------


def test_an_answer_is_looked_for_as_whole_words_whatever_case_and_spaces():
    assert measures.holds("Biaya  RP 120\nMiliar.", ["rp 120 miliar"])
    assert measures.holds("kata (Xie Feng)", ["", "xie feng"])
    assert not measures.holds("Ada 1120 kios", ["112"])
    assert not measures.holds("Ada kios", [""])


def test_answers_in_the_first_texts_worked_by_hand():
    relevant = {q: {"a": 1} for q in ("q1", "q2", "q3", "q4", "q5")}
    gold = {"q1": ["dua"], "q2": ["dua"], "q3": ["dua"], "q4": [], "q5": ["dua"]}
    texts = {
        "q1": ["Dua orang", "x"],
        "q2": ["x", "x", "x", "x", "dua"],
        "q3": ["x", "x", "x", "x", "x", "dua"],
        "q4": ["dua"],
    }
    run = answered([Question(q, "Apa?", tuple(a)) for q, a in gold.items()], relevant, texts)
    np.testing.assert_array_equal(values_of("ans@1", run), [1, 0, 0, np.nan, 0])
    np.testing.assert_array_equal(values_of("ans@5", run), [1, 1, 0, np.nan, 0])
    assert compare.mean(values_of("ans@5", run)) == 0.5
    assert compare.mean(np.array([np.nan])) is None


def test_recall_by_depth_worked_by_hand():
    relevant = {"q1": {"a": 1, "b": 2, "z": 0}, "q2": {"c": 1}}
    found = measures.recall_by_depth(relevant, {"q1": ["z", "a", "x", "b"]}, 5)
    np.testing.assert_allclose(found, [0, 0.25, 0.25, 0.5, 0.5])


def test_what_moved_is_told_by_how_far():
    relevant = {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}, "q4": {"a": 0, "b": 1}}
    of_a, of_b = (
        runs.judge(
            QuestionSet((), relevant),
            Run("x", {q: Reply(q, articles=tuple(found)) for q, found in ranked.items()}),
        )
        for ranked in ({"q1": "a", "q2": "xa", "q3": "a"}, {"q1": "a", "q2": "a", "q4": "a"})
    )
    moved = [
        (m.question.id, m.a.figures["rank"], m.b.figures["rank"], m.gain)
        for m in compare.moved(of_a, of_b)
    ]
    assert moved == [("q3", 1, None, -1), ("q2", 2, 1, 0.5)]


def test_a_comparison_leaves_out_what_does_not_apply():
    a = {"ans@1": np.array([1, np.nan, 0.0]), "R@1": np.array([1.0, 1.0, 1.0])}
    b = {"ans@1": np.array([0, 1.0, np.nan]), "R@1": np.full(3, np.nan)}
    (only,) = compare.compare_values(a, b)
    assert (only.measure, only.a, only.b, only.losses) == ("ans@1", 1.0, 0.0, 1)


def test_the_randomisation_test_worked_by_hand():
    # Three equal losses: two of the eight ways to give signs move the mean as far.
    found = compare.compare_values({"R@1": np.ones(3)}, {"R@1": np.zeros(3)})[0]
    assert found.p == pytest.approx(0.25, abs=0.02)
    assert (found.low, found.high) == (-1.0, -1.0)
    assert found.fell(0.5) and not found.fell(0.05)
    gain = compare.compare_values({"R@1": np.zeros(3)}, {"R@1": np.ones(3)})[0]
    assert not gain.fell(1.0)


def test_an_article_of_a_run_is_named_as_the_archive_names_it(tmp_path):
    path = tmp_path / "r.trec"
    path.write_text("q1 Q0 dua kata 1 3.5 x\nq1 Q0 b 2 3 x\n", encoding="utf-8")
    assert runs.read_trec(path) == {"q1": {sets.archived_id("dua kata"): 3.5, "b": 3.0}}


def test_scores_are_32_bit_numbers_as_in_trec_eval():
    # These two are one number in 32 bits.
    ranked = {"b": 20.000001, "a": 20.000002, "c": 1.0}
    assert measures.ranking(ranked) == ("b", "a", "c")


# Making runs -------------------------------------------------------------------------------------


def test_equal_scores_keep_their_order():
    """The order of the search is the run's, however near or equal the scores are."""
    pairs = [("a", 31.4), ("b", 31.4), ("c", 31.3999999), ("d", 31.399999), ("e", -2.0)]
    row = runs.search_row("q", 1.0, hits(*pairs))
    (reply,) = runs.search_run("r", [row]).replies.values()
    assert reply.articles == ("a", "b", "c", "d", "e")
    assert row["ranked"][0] == ("a", 31.4)
    values = [np.float32(value) for _, value in row["ranked"]]
    assert all(one > other for one, other in zip(values, values[1:], strict=False))


def test_a_run_is_read_as_it_was_written(made):
    loaded = runs.load(made)
    assert sorted(p.name for p in made.iterdir()) == ["questions.jsonl", "run.json", "run.trec"]
    assert loaded.name == "lexical"
    assert len(loaded.replies) == 60
    first = loaded.replies["s01"]
    assert first.milliseconds > 0
    assert tuple(f.article_id for f in first.found) == first.articles[:5]
    rows = (json.loads(line) for line in (made / "questions.jsonl").read_text("utf-8").splitlines())
    ranked = {row["id"]: tuple(article for article, _ in row["ranked"]) for row in rows}
    assert {i: reply.articles for i, reply in loaded.replies.items()} == ranked


def test_the_passages_of_a_run_are_the_archives_own(home, made):
    from index.archive import FILE_NAME, Archive

    with Archive.open(home / FILE_NAME) as archive:
        for line in (made / "questions.jsonl").read_text("utf-8").splitlines():
            for found in json.loads(line)["found"]:
                body, text = archive.get(found["article_id"]).body, found["text"]
                assert body[found["start"] : found["start"] + 20] == text[:20]
                assert body[found["end"] - 10 : found["end"]] == text[-10:]


def test_the_run_is_what_search_finds(home, made, tmp_path):
    out = tmp_path / "search.trec"
    batch = SAMPLE / "queries.jsonl"
    searched = tanya(
        home, "search", "--batch", batch, "--out", out, "--mode", "lexical", "-k", "100"
    )
    assert searched == 0
    unfiltered = {q.id for q in sets.load(SAMPLE).questions if not q.filter}
    ours, theirs = (
        [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        for path in (made / "run.trec", out)
    )
    assert len(unfiltered) > 50
    assert [o for o in ours if o[0] in unfiltered] == [t for t in theirs if t[0] in unfiltered]


def test_provenance_tells_all_that_figures_depend_on(home, made):
    told = json.loads((made / "run.json").read_text(encoding="utf-8"))
    asked = sets.load(SAMPLE).questions
    assert told["set_name"] == "questions"
    assert told["set_hash"] == sets.fingerprint(asked)
    assert (told["version"], told["questions"], told["articles"]) == ("000001", 60, 42)
    assert told["recipe"]["model"].startswith("bundled@") and told["recipe"]["max_tokens"] == 160
    assert told["retrieval"]["mode"] == "lexical" and told["retrieval"]["k"] == 100
    assert told["retrieval"]["candidates"] == 100
    assert told["machine"]["cpus"] >= 1 and told["machine"]["cpu"]
    assert told["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert dt.datetime.fromisoformat(told["date"]).tzinfo
    assert str(home) not in json.dumps(told)


def test_the_commit_of_the_code(tmp_path):
    assert provenance.code(tmp_path) == provenance.Code("", False)

    def git(*arguments):
        mine = ["-c", "user.name=Uji", "-c", "user.email=uji@contoh.example"]
        done = subprocess.run(
            ["git", *mine, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init")
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    git("add", "a.py")
    git("commit", "-m", "a")
    assert provenance.code(tmp_path) == provenance.Code(git("rev-parse", "HEAD"), False)
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert provenance.code(tmp_path).altered


def test_a_questions_own_filter_holds(home, tmp_path):
    asked = Question("a", "Di mana banjir terjadi?")
    dated = replace(asked, id="b", filter=Filter(dt.date(2017, 1, 1), dt.date(2018, 12, 31)))
    published = replace(asked, id="c", filter=Filter(publishers=("KABARLEMBAYUNG",)))
    sets.write(tmp_path / "set", [asked, dated, published], {"a": {HELD: 1}})
    assert tanya(home, "eval", "run", tmp_path / "set", "--out", tmp_path / "run", "-k", "40") == 0
    outcomes = runs.load(tmp_path / "run").replies
    assert not {f.published[:4] for f in outcomes["a"].found} <= {"2017", "2018"}
    assert {f.published[:4] for f in outcomes["b"].found} <= {"2017", "2018"}
    assert len(outcomes["b"].found) > 0
    assert len({f.publisher for f in outcomes["c"].found}) == 1


def test_an_unknown_publisher_of_a_question_is_told(home, tmp_path, capsys):
    asked = Question("a", "Di mana?", filter=Filter(publishers=("Koran Bulan",)))
    sets.write(tmp_path / "set", [asked], {"a": {HELD: 1}})
    assert tanya(home, "eval", "run", tmp_path / "set", "--out", tmp_path / "run") == 1
    assert "Koran Bulan" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_a_set_of_another_archive_is_told_before_anything_is_searched(home, tmp_path, capsys):
    asked = [Question(i, "Di mana banjir?") for i in "abc"]
    sets.write(tmp_path / "set", asked, {i: {"x": 1} for i in "abc"})
    run = ("eval", "run", tmp_path / "set", "--out", tmp_path / "run")
    assert tanya(home, *run) == 1
    err = capsys.readouterr().err
    assert "No question has a relevant article in this archive" in err and err.count("\n") == 1
    sets.write(tmp_path / "set", asked, {"a": {HELD: 1}, "b": {"x": 1}, "c": {"x": 1}})
    assert tanya(home, *run) == 0
    told = capsys.readouterr()
    assert told.err == "Note: 2 of 3 questions have no relevant article in this archive.\n"
    assert told.out.startswith("3 questions searched")


def test_a_run_that_cannot_be_written_is_told_by_its_own_name(home, tmp_path, capsys):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert tanya(home, "eval", "run", SAMPLE, "--out", tmp_path / "file" / "run") == 1
    err = capsys.readouterr().err
    assert f"{tmp_path / 'file' / 'run'} cannot be written" in err and ".part" not in err


def test_a_home_without_an_archive_stays_as_it_is(tmp_path, capsys):
    home = tmp_path / "home"
    home.mkdir()
    assert tanya(home, "eval", "run", SAMPLE, "--out", tmp_path / "run") == 1
    assert "tanya add" in capsys.readouterr().err
    assert list(home.iterdir()) == [] and list(tmp_path.iterdir()) == [home]


@pytest.fixture
def about(made):
    return runs.load(made).provenance


def row_of(question, score=1.0):
    return runs.search_row(question, 1.0, hits(("a", score)))


def trec_of(kept):
    return "".join(runs.trec_lines(i, row["ranked"], "lexical") for i, row in kept.rows.items())


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_stops_a_run_at_once_leaves_nothing_behind(tmp_path, about, error):
    with pytest.raises(error), runs.kept(tmp_path / "run", about):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_run_goes_on_where_it_stopped(tmp_path, about):
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), runs.kept(out, about) as kept:
        kept.put(row_of("q1"))
        raise KeyboardInterrupt
    with pytest.raises(InputError, match="is not complete: run its `tanya eval run` again"):
        runs.load(out)
    with pytest.raises(InputError, match="begun with another version"):
        with runs.kept(out, replace(about, version="000009")):
            pass
    with runs.kept(out, about) as kept:
        assert list(kept.rows) == ["q1"]
        kept.put(row_of("q2"))
        kept.finish(trec_of(kept))
    assert list(runs.load(out).replies) == ["q1", "q2"]
    assert (out / "run.trec").read_text("utf-8").startswith("q1 Q0 a 1 1.000000 tanya-lexical\n")


def test_the_search_of_a_set_goes_on_where_it_stopped(home, tmp_path, capsys, monkeypatch):
    whole = runs.searching
    out = tmp_path / "run"
    search = ("eval", "run", SAMPLE, "--mode", "lexical", "--out", out)

    def stopping(*arguments):
        reply_to = whole(*arguments)

        def some(asked):
            if asked.id == "s03":
                raise KeyboardInterrupt
            return reply_to(asked)

        return some

    monkeypatch.setattr(runs, "searching", stopping)
    assert tanya(home, *search) == 1
    assert "Stopped: 2 of 60 questions are asked; run the same" in capsys.readouterr().err
    monkeypatch.undo()
    assert tanya(home, *search) == 0
    assert "2 questions are there already" in capsys.readouterr().err
    assert list(runs.load(out).replies) == [q.id for q in sets.load(SAMPLE).questions]


def test_an_earlier_run_gives_way_only_when_told_and_only_to_a_whole_one(tmp_path, about):
    out = tmp_path / "run"
    with runs.kept(out, about) as kept:
        kept.put(row_of("before"))
        kept.finish(trec_of(kept))
    with pytest.raises(InputError, match="--replace"), runs.kept(out, about):
        pass
    with pytest.raises(KeyboardInterrupt), runs.kept(out, about, again=True) as kept:
        kept.put(row_of("after"))
        raise KeyboardInterrupt
    assert list(runs.load(out).replies) == ["before"]
    with runs.kept(out, about, again=True) as kept:
        assert list(kept.rows) == ["after"]
        kept.finish(trec_of(kept))
    assert list(runs.load(out).replies) == ["after"]
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path, about):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="delete that first"):
        with runs.kept(tmp_path / "letters", about, again=True):
            pass
    assert (tmp_path / "letters" / "a.txt").exists()


def test_an_empty_question_is_told_before_any_is_asked():
    asked = [Question("a", "Apa?"), Question("b", "?")]
    with pytest.raises(InputError, match="'b' is empty"):
        next(runs.ask(asked, lambda each: {}))


# A set of another program's ids ------------------------------------------------------------------


def test_a_set_imported_and_added_scores_as_it_must(tmp_path, capsys):
    """The archive rewrites ids as MIRACL's and BEIR's may be; runs and judgements follow."""
    ids = ("4148#0", "[12]", "dua kata", "biasa-1")
    texts = (
        "Pelabuhan Batu Layar diresmikan gubernur. Biayanya Rp 120 miliar.",
        "Banjir merendam 340 rumah di Sungai Pinang. Warga mengungsi ke balai desa.",
        "Tim voli putri Melati Timur menjuarai turnamen. Pelatihnya Dewi Anggraini.",
        "Harga cabai turun di pasar induk. Pedagang mengeluh sepi pembeli.",
    )
    asked = ("Pelabuhan Batu Layar", "Banjir Sungai Pinang", "Juara voli putri", "Harga cabai")
    beir = tmp_path / "beir"
    (beir / "qrels").mkdir(parents=True)

    def lines(name, rows):
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (beir / name).write_text(content, encoding="utf-8")

    lines(
        "corpus.jsonl",
        [{"_id": i, "title": "", "text": t} for i, t in zip(ids, texts, strict=True)],
    )
    lines("queries.jsonl", [{"_id": f"q{n}", "text": text} for n, text in enumerate(asked)])
    judged = "".join(f"q{n}\t{i}\t1\n" for n, i in enumerate(ids))
    (beir / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", "utf-8")
    home, out = tmp_path / "home", tmp_path / "set"
    assert tanya(home, "eval", "import", beir, out) == 0
    assert tanya(home, "add", out / "corpus.jsonl") == 0
    assert tanya(home, "build") == 0
    assert tanya(home, "eval", "run", out, "--mode", "lexical", "--out", tmp_path / "run") == 0
    theirs = tmp_path / "theirs.trec"
    theirs.write_text("".join(f"q{n} Q0 {i} 1 9 x\n" for n, i in enumerate(ids)), "utf-8")
    capsys.readouterr()
    for judgements in (out, beir / "qrels" / "test.tsv"):
        scored = ("eval", "score", judgements, tmp_path / "run", theirs, "--json")
        assert tanya(home, *scored) == 0
        for row in json.loads(capsys.readouterr().out):
            assert row["measures"]["R@1"] == row["measures"]["nDCG@10"] == 1


# Scoring and comparing ---------------------------------------------------------------------------


def trec(path, ranked):
    """Write a TREC run of {question: articles, best first}."""
    rows = [
        f"{question} Q0 {article} {rank} {100 - rank} x\n"
        for question, articles in ranked.items()
        for rank, article in enumerate(articles, start=1)
    ]
    path.write_text("".join(rows), encoding="utf-8")
    return path


def test_scores_of_our_run_and_of_another_program(home, made, tmp_path, capsys):
    other = trec(tmp_path / "other.trec", {"s01": ["d619f7af10abe36d"], "s02": ["nobody"]})
    assert tanya(home, "eval", "score", SAMPLE, made, other, "--json") == 0
    ours, theirs = json.loads(capsys.readouterr().out)
    loaded = runs.judge(sets.load(SAMPLE), runs.load(made))
    assert ours["measures"]["RR@10"] == pytest.approx(values_of("RR@10", loaded).mean())
    assert ours["measures"]["ans@5"] >= ours["measures"]["ans@1"] > 0.5
    assert ours["median_milliseconds"] <= ours["p95_milliseconds"]
    assert ours["provenance"]["version"] == "000001"
    assert theirs["measures"]["R@1"] == pytest.approx(1 / 48)
    assert theirs["measures"]["ans@1"] == pytest.approx(1 / 48)
    assert theirs["answers_by_article"] and theirs["provenance"] is None


def test_the_table_of_scores_fits_the_screen(home, made, tmp_path, capsys):
    other = trec(tmp_path / "other.trec", {"s01": ["d619f7af10abe36d"]})
    assert tanya(home, "eval", "score", SAMPLE, made, other) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split()[:3] == ["run", "R@1", "RR@10"]
    assert lines[2].split()[0] == "other" and lines[2].count("*") == 2
    assert any("whole article" in line for line in lines)


def test_without_an_archive_another_programs_answers_stay_blank(made, tmp_path, capsys):
    other = trec(tmp_path / "other.trec", {"s01": ["d619f7af10abe36d"]})
    assert tanya(tmp_path / "nowhere", "eval", "score", SAMPLE, other) == 0
    assert "*" not in capsys.readouterr().out
    assert not (tmp_path / "nowhere").exists()


def test_a_file_of_judgements_alone_serves(home, made, tmp_path, capsys):
    qrels = tmp_path / "judged.txt"
    qrels.write_text("s01 0 d619f7af10abe36d 1\n", encoding="utf-8")
    assert tanya(home, "eval", "score", qrels, made, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["measures"]["R@1"] == 1 and "ans@1" not in row["measures"]


def test_a_run_of_other_questions_is_noted(home, made, tmp_path, capsys):
    other = [Question("s01", "Pertanyaan lain?")]
    sets.write(tmp_path / "set", other, {"s01": {"d619f7af10abe36d": 1}})
    assert tanya(home, "eval", "score", tmp_path / "set", made) == 0
    assert "lexical asked other questions" in capsys.readouterr().err


def test_questions_without_results_are_noted(home, made, tmp_path, capsys):
    one = trec(tmp_path / "one.trec", {"s01": [HELD]})
    assert tanya(home, "eval", "score", SAMPLE, made, one) == 0
    assert capsys.readouterr().err == "Note: 47 of 48 questions have no result in one.\n"
    none = trec(tmp_path / "none.trec", {"lain": [HELD]})
    assert tanya(home, "eval", "score", SAMPLE, none) == 1
    assert "no result for any question" in capsys.readouterr().err
    (tmp_path / "empty.trec").write_bytes(b"")
    assert tanya(home, "eval", "compare", SAMPLE, made, tmp_path / "empty.trec") == 1
    assert "holds no result" in capsys.readouterr().err


def test_kinds_of_questions_have_a_line_each_where_the_set_tells_them(home, tmp_path, capsys):
    asked = [
        Question("1", "Satelit Nusadirgantara?", kind="who"),
        Question("2", "Xyzzy?", kind="when"),
        Question("3", "Apa kabar?"),
    ]
    sets.write(tmp_path / "set", asked, {q.id: {HELD: 1} for q in asked})
    trec = tmp_path / "theirs.trec"
    trec.write_text(f"1 Q0 {HELD} 1 2.0 x\n2 Q0 b 1 3.0 x\n2 Q0 {HELD} 2 2.0 x\n")
    assert tanya(home, "eval", "score", tmp_path / "set", trec) == 0
    lines = capsys.readouterr().out.splitlines()
    kinds = [line.split() for line in lines if line.startswith(("who", "when"))]
    assert kinds == [["who", "1", "1.000", "1.000"], ["when", "1", "0.000", "0.500"]]
    sets.write(tmp_path / "plain", asked[2:], {"3": {HELD: 1}})
    trec.write_text(f"3 Q0 {HELD} 1 2.0 x\n")
    assert tanya(home, "eval", "score", tmp_path / "plain", trec) == 0
    assert "by kind" not in capsys.readouterr().out


def test_a_comparison_notes_that_one_run_is_cut(home, made, tmp_path, capsys):
    ours = {q: r.articles for q, r in runs.load(made).replies.items()}
    cut = trec(tmp_path / "cut.trec", {q: a[:10] for q, a in ours.items()})
    assert tanya(home, "eval", "compare", SAMPLE, made, cut) == 0
    err = capsys.readouterr().err
    assert err == "Note: cut goes 10 articles deep, lexical 100: R@100 is not comparable.\n"
    assert tanya(home, "eval", "compare", SAMPLE, cut, cut) == 0
    assert tanya(home, "eval", "compare", SAMPLE, made, made) == 0
    assert capsys.readouterr().err == ""
    five = Run("five", {q: Reply(q, articles=tuple("abcde")) for q in "ab"})
    whole = Run("whole", {q: Reply(q, articles=found) for q, found in (("a", "x"), ("b", "xy"))})
    assert "nDCG@10, R@10, R@100 are not comparable" in compare.unevenness(five, whole)
    assert compare.unevenness(whole, whole) == ""


def test_a_comparison_tells_what_moved(home, made, tmp_path, capsys):
    ours = {q: r.articles for q, r in runs.load(made).replies.items()}
    worse = {**ours, "s01": ["bukan", *ours["s01"]], "s40": []}
    b = trec(tmp_path / "b.trec", worse)
    assert tanya(home, "eval", "compare", SAMPLE, made, b, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    moved = {row["id"]: row for row in told["moved"]}
    assert list(moved) == ["s40", "s01"]
    assert (moved["s01"]["rank_a"], moved["s01"]["rank_b"]) == (1, 2)
    assert (moved["s40"]["rank_a"], moved["s40"]["rank_b"]) == (1, None)
    assert moved["s01"]["question"] == "Apa yang disepakati Wiranto dengan China?"
    assert moved["s01"]["first_a"]["article_id"] == "d619f7af10abe36d"
    assert moved["s01"]["first_a"]["title"] and moved["s01"]["first_b"]["title"] == ""
    recall = {m["measure"]: m for m in told["measures"]}["R@1"]
    assert recall["losses"] == 2 and recall["wins"] == 0
    assert "ans@1" not in {m["measure"] for m in told["measures"]}
    assert tanya(home, "eval", "compare", SAMPLE, made, b) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("   1 -> 2    Apa yang disepakati") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["score", "tidak-ada", "x"], "tidak-ada"),
        (["score", SAMPLE, "tidak-ada.trec"], "tidak-ada.trec"),
        (["score", SAMPLE, SAMPLE], "tanya eval run"),
        (["compare", SAMPLE, "tidak-ada.trec", "b"], "tidak-ada.trec"),
        (["gate", SAMPLE, "tidak-ada.trec", "b"], "tidak-ada.trec"),
        (["report", "r.html", "tidak-ada.trec"], "tidak-ada.trec"),
        (["run", "tidak-ada", "--out", "x"], "tidak-ada"),
        (["import", "tidak-ada", "x"], "There is no tidak-ada."),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    home, tmp_path, monkeypatch, capsys, arguments, told
):
    monkeypatch.chdir(tmp_path)
    assert tanya(home, "eval", *arguments) == 1
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_evaluating_files_opens_no_model(made):
    script = (
        "import sys\nfrom commands.main import app, run\n"
        f"assert run(app, ['--home', 'none', 'eval', 'gate', {str(SAMPLE)!r}, *[{str(made)!r}] * 2]"
        ") == 0\nheavy = {'torch', 'gradio', 'faiss', 'tantivy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["import", "make", "run", "score", "compare", "report", "gate"])
def test_every_command_shows_an_example(name, capsys):
    assert run(app, ["eval", name, "--help"]) == 0
    assert "Example: tanya eval" in " ".join(capsys.readouterr().out.split())


# Gates on files ----------------------------------------------------------------------------------


def test_a_gate_stops_a_clear_fall_and_nothing_else(home, made, tmp_path, capsys):
    ours = {q: r.articles for q, r in runs.load(made).replies.items()}
    worse = trec(tmp_path / "worse.trec", {q: ["bukan", *a] for q, a in ours.items()})
    one = trec(tmp_path / "one.trec", {**ours, "s01": ["bukan", *ours["s01"]]})
    assert tanya(home, "eval", "gate", SAMPLE, made, worse) == 1
    told = capsys.readouterr()
    fell = {line.split()[0] for line in told.out.splitlines() if line.endswith("FELL")}
    assert fell >= {"R@1", "RR@10"} and "R@100" not in fell
    assert "fell significantly" in told.err
    assert tanya(home, "eval", "gate", SAMPLE, worse, made) == 0
    assert tanya(home, "eval", "gate", SAMPLE, made, one) == 0
    assert tanya(home, "eval", "gate", SAMPLE, made, worse, "--measure", "R@100") == 0
    assert tanya(home, "eval", "gate", SAMPLE, made, worse, "--alpha", "0") == 0


def test_a_gate_takes_only_runs_of_the_same_questions(home, made, tmp_path, capsys):
    asked = [Question("s01", "Pertanyaan lain?")]
    sets.write(tmp_path / "set", asked, {"s01": {HELD: 1}})
    other = tmp_path / "other"
    assert tanya(home, "eval", "run", tmp_path / "set", "--out", other) == 0
    assert "1 question searched" in capsys.readouterr().out
    judgements = tmp_path / "judged.txt"
    judgements.write_text(f"s01 0 {HELD} 1\n", encoding="utf-8")
    for judged, base, new, told in (
        (SAMPLE, other, made, "'other' asked other questions than"),
        (SAMPLE, made, other, "'other' asked other questions than"),
        (judgements, made, other, "'lexical' and 'other' asked other questions"),
    ):
        assert tanya(home, "eval", "gate", judged, base, new) == 1
        output = capsys.readouterr()
        assert told in output.err and output.err.count("\n") == 1 and output.out == ""
    assert tanya(home, "eval", "gate", judgements, made, made) == 0


def test_a_gate_by_a_measure_that_is_none(home, made, capsys):
    assert tanya(home, "eval", "gate", SAMPLE, made, made, "--measure", "MAP") == 2
    assert "'MAP'" in capsys.readouterr().err


# The report --------------------------------------------------------------------------------------


def test_a_report_is_whole_and_alone(home, made, tmp_path):
    other = trec(tmp_path / "other.trec", {"s01": ["d619f7af10abe36d"]})
    out = tmp_path / "report.html"
    assert tanya(home, "eval", "report", out, made, other) == 0
    content = out.read_text(encoding="utf-8")
    page = Page(content)
    assert page.tags.count("svg") == 5
    assert "script" not in page.tags and "img" not in page.tags and "link" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    outside = [v for n, v in page.attributes if n in ("src", "href") and not v.startswith("#")]
    assert not outside and "@import" not in content
    for title in ("Measures", "Against the first run", "By kind", "By year", "Recall by depth"):
        assert f"<h2>{title}" in content
    assert "not found" in content and "hash" in content and "2016" in content
    assert "scroll it sideways" in content
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.trec", "report.html"]


def test_hostile_text_stays_text():
    found = Excerpt(1, "a<b>", HOSTILE, HOSTILE, "2024-01-01", HOSTILE)
    asked = QuestionSet(
        tuple(Question(f"<q{n}>", HOSTILE, (HOSTILE,)) for n in range(6)),
        {f"<q{n}>": {"z": 1} for n in range(6)},
    )
    replies = {
        q: Reply(q, 1.0 + n, articles=("a<b>",), found=(found,), texts=(HOSTILE,))
        for n, q in enumerate(asked.relevant)
    }
    judged = [runs.judge(asked, Run(name, replies)) for name in (HOSTILE, "_lain", "</svg>")]
    page = report.search_page(HOSTILE, asked.relevant, judged, lambda ids: {"z": "2024<i>"})
    parsed = Page(page)
    assert not {"script", "img"} & set(parsed.tags)
    assert "onerror" not in dict(parsed.attributes)
    assert "\x07" not in page and "\ud800" not in page
    assert parsed.tags.count("svg") == 5
    page.encode("utf-8")


def test_a_report_overwrites_only_pages(home, made, tmp_path, capsys):
    mine, page = tmp_path / "catatan.txt", tmp_path / "lama.html"
    mine.write_text("penting", encoding="utf-8")
    page.write_text("<!DOCTYPE html><p>lama", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for out in (mine, made, made / "run.trec", tmp_path / "folder"):
        assert tanya(home, "eval", "report", out, made, "--set", SAMPLE) == 1
        assert "the first argument is the HTML file to write" in capsys.readouterr().err
    assert mine.read_text(encoding="utf-8") == "penting"
    assert tanya(home, "eval", "report", page, made) == 0
    assert capsys.readouterr().out == f"1 run reported in {page}\n"
    assert "<h2>Measures" in page.read_text(encoding="utf-8")
    assert tanya(home, "eval", "report", tmp_path / "none" / "r.html", made) == 1
    err = capsys.readouterr().err
    assert "none/r.html cannot be written" in err and ".part" not in err


def test_a_report_without_the_set_is_told(home, tmp_path, capsys):
    other = trec(tmp_path / "other.trec", {"s01": ["a"]})
    assert tanya(home, "eval", "report", tmp_path / "r.html", other) == 1
    assert "--set SET" in capsys.readouterr().err


def test_only_what_two_runs_share_is_compared():
    asked = QuestionSet((Question("q", "Apa?", ("dua",)),), {"q": {"a": 1}})
    ours = runs.judge(asked, Run("a", {"q": Reply("q", articles=("a",), texts=("dua",))}))
    other = Run("b", {"q": Reply("q", articles=("a",))})
    theirs = runs.judge(asked, other, lambda ids: {"a": "satu dua"})
    assert theirs.by_article and values_of("ans@1", theirs)[0] == 1
    ranked = {m.name for m in measures.RANKED}
    for one, two in ((ours, theirs), (theirs, ours)):
        assert {c.measure for c in compare.compare(one, two)} == ranked
    assert "ans@1" in {c.measure for c in compare.compare(ours, ours)}
