"""Answers measured: figures worked by hand, and the command on the sample archive."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from commands.main import app, run
from commands.qa import turn_row
from eval import (
    answer_compare,
    answer_figures,
    answer_reports,
    answer_scores,
    answer_tables,
    answers,
)
from eval.answer_figures import Asked, Meaning
from eval.answer_scores import FIRST, FOLLOW_UP, OPENING, Cited, Figures, Reply
from eval.datasets import Question
from index.errors import InputError
from index.records import Filter
from index.settings import AnswerSettings
from qa.chat import Chat
from tests import homes
from tests.test_eval_runs import HOSTILE, Page

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample" / "questions"


def tanya(home, *arguments):
    """Run a command line in this process; return its exit status."""
    return run(app, ["--home", str(home), *map(str, arguments)])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    assert tanya(home, "add", ROOT / "sample" / "articles") == 0
    assert tanya(home, "build") == 0
    return home


@pytest.fixture(scope="module")
def made(home, tmp_path_factory):
    """Return the answers to the sample's questions and conversations."""
    out = tmp_path_factory.mktemp("answers") / "sample"
    assert tanya(home, "eval", "answers", SAMPLE, "--out", out) == 0
    return out


def small_set(folder, rows, qrels="query-id\tcorpus-id\tscore\n"):
    folder.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "queries.jsonl").write_text(lines, encoding="utf-8")
    if "\t1" in qrels:
        (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    return folder


HARBOUR_SET = (
    {
        "_id": "q1",
        "text": "Berapa biaya pembangunan pelabuhan Batu Layar?",
        "answers": ["Rp 120 miliar"],
    },
    {"_id": "q2", "text": "Kapan diresmikan?", "answers": ["4 Maret 2025"], "follows": "q1"},
    {"_id": "q3", "text": "Siapa juara bulu tangkis dunia 1994?", "answerable": False},
)


@pytest.fixture(scope="module")
def harbour(tmp_path_factory):
    """Return a small home and a set that is asked of it."""
    home = tmp_path_factory.mktemp("harbour")
    homes.add(home, homes.HARBOUR)
    homes.build(home)
    return home, small_set(home / "set", HARBOUR_SET, "q1\ta1\t1\nq2\ta9\t1\n")


def reply(number=1, *, right=None, sure=0.5, answerable=True, answered=True, **more):
    """Return an answer with the figures that are told."""
    shown = None if right is None else float(right and answered)
    would = None if right is None else float(right)
    return Reply(
        f"q{number}", "Apa?", "Apa?", more.pop("part", FIRST), answerable, ("dua",) * answerable,
        "answered" if answered else "no_evidence", more.pop("short", ""), sure,
        ("Satu dua.",) * answered, (), "extractive", 10.0 * number,
        Figures(shown, would, exact=shown, overlap=shown, **more),
    )  # fmt: skip


# Text against gold strings, by hand --------------------------------------------------------------


def test_normalised_as_squad():
    assert answer_scores.folded("  Rp1.200,-  (“Dua”) ") == "rp1200 dua"
    assert answer_scores.exact("Xie Feng.", ["xie  feng"]) == 1
    assert answer_scores.exact("", [""]) == answer_scores.exact("-", ["."]) == 0
    # Two of three words are shared with two: F1 = 2 * 2 / (3 + 2).
    assert answer_scores.overlap("Duta Xie Feng", ["satu", "Xie Feng"]) == pytest.approx(0.8)
    assert answer_scores.overlap("", ["Xie Feng"]) == 0
    assert answer_scores.overlap("dua dua", ["dua"]) == pytest.approx(2 / 3)


def test_a_gold_string_stands_as_whole_words():
    assert answer_scores.holds("lahir pada tahun 1915 M.[2] Ayahanda", ["1915 M"])
    assert answer_scores.holds("usia ke-195 tahun (AS/NHC)", ["x", "195 TAHUN"])
    assert answer_scores.holds("pada (15/12/2016), di", ["15/12/2016"])
    assert answer_scores.holds("biaya Rp 1.200", ["rp 1200"])
    assert not answer_scores.holds("naik 1,5 persen", ["5 persen"])
    assert not answer_scores.holds("Ada 1120 kios", ["112", "", "?"])


@pytest.mark.parametrize(
    ("claim", "quotes", "borne"),
    [
        ("Biaya Rp 120 miliar.", ["Pelabuhan itu menelan biaya Rp 120 miliar."], True),
        ("Biaya Rp 130 miliar.", ["Pelabuhan itu menelan biaya Rp 120 miliar."], False),
        ("Kata Rahmat, kapal bisa sandar.", ["Kapal bisa sandar.", "Gubernur Rahmat hadir."], True),
        ("Kata Dewi, kapal bisa sandar.", ["Kapal bisa sandar.", "Gubernur Rahmat hadir."], False),
        ("Ada lima korban.", ["Ada korban di desa."], False),
        ("Bupati tidak hadir.", ["Bupati hadir di balai desa."], False),
        ("Harga cabai naik lagi.", ["Harga cabai turun lagi di pasar."], False),
        ("Diresmikan Selasa (4/3/2025).", ["Diresmikan pada Selasa, 4 Maret 2025."], True),
        ("Diresmikan Selasa (5/3/2025).", ["Diresmikan pada Selasa, 4 Maret 2025."], False),
        ("warga  tidak mau", ["Kini warga tidak mau. Belum pasti."], True),
        ("Semua senang sekali.", ["Kapal bisa sandar."], False),
        ("Apa saja.", [], False),
    ],
)
def test_what_quotes_bear_out(claim, quotes, borne):
    assert answer_figures.bears_out(claim, quotes) is borne


def test_how_a_follow_up_must_be_understood():
    def meant(standalone, **meaning):
        told = Meaning(**{"alone": False, "words": (), "absent": (), **meaning})
        asked = Asked(Question("q", "Siapa dubesnya?"), FOLLOW_UP, told)
        return answer_figures.is_meant(asked, standalone)

    told = "Siapa dubesnya (Wiranto, China)?"
    assert meant(told, words=("Wiranto", "Jepang|China"))
    assert not meant(told, words=("Wiranto", "Jepang"))
    assert not meant(told, words=("Wiranto",), absent=("China",))
    assert meant("siapa dubesnya", alone=True) and not meant(told, alone=True)


# Measures, by hand -------------------------------------------------------------------------------


def test_measures_of_answerable_questions_by_hand():
    replies = [
        reply(1, right=True, short="dua", words=10.0),
        reply(2, right=False, words=20.0),
        reply(3, right=True, answered=False),
        reply(4, answerable=False),
        reply(5, answerable=False, answered=False),
    ]
    found = answer_compare.summary(replies)
    told = {s.measure: (s.value, s.questions) for group in found.groups.values() for s in group}
    assert told["accuracy"] == (pytest.approx(1 / 3), 3)
    assert told["coverage"] == (pytest.approx(2 / 3), 3)
    assert told["precision"] == (0.5, 2)
    assert told["short"] == (0.5, 2) and told["EM given"] == (1, 1) and told["words"] == (15, 2)
    assert told["declined"] == (0.5, 2)
    assert told["right given"] == (pytest.approx(1 / 3), 3)
    assert told["right"] == (0.4, 5)
    assert (found.questions, found.answerable, found.unanswerable) == (5, 3, 2)
    assert found.median == 30 and found.slow == pytest.approx(48)


def test_a_question_without_gold_counts_in_coverage_only():
    found = answer_compare.summary([reply(1, right=True), reply(2)])
    told = {s.measure: s.questions for group in found.groups.values() for s in group}
    assert (told["coverage"], told["accuracy"], told["AURC"], found.without_gold) == (2, 1, 1, 1)
    lines = answer_tables.score_lines(replace(found, answerers={"llm:x": 2}), "000001", 0.25)
    assert lines[-2] == "Answers written by llm:x 2."
    assert lines[-1].startswith("1 answerable questions have no gold string")


def test_risk_by_coverage_by_hand():
    sure = np.array([0.9, 0.5, 0.7, 0.5])
    good = np.array([1.0, 1.0, 0.0, 0.0])
    # In order: right, wrong, then two alike of which one is right.
    risk = answer_scores.risk_by_coverage(sure, good)
    np.testing.assert_allclose(risk, [0, 1 / 2, 1.5 / 3, 2 / 4])
    assert answer_scores.area(sure, good) == pytest.approx(0.375)
    assert np.isnan(answer_scores.area(sure[:0], good[:0]))


def test_what_is_held_back_is_on_the_curve():
    replies = [reply(1, right=True, sure=0.1, answered=False), reply(2, answerable=False, sure=0.3)]
    sure, good = answer_scores.judged(replies)
    assert (sure.tolist(), good.tolist()) == ([0.1, 0.3], [1, 0])


def test_auroc_by_hand():
    sure, positive = np.array([0.9, 0.4, 0.4, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    # Of four pairs three are in order and one is level.
    assert answer_scores.auroc(sure, positive) == pytest.approx(3.5 / 4)
    assert np.isnan(answer_scores.auroc(sure, np.ones(4)))


def test_reliability_and_calibration_error_by_hand():
    sure, good = np.array([0.05, 0.91, 1.0, 0.97]), np.array([1.0, 1.0, 1.0, 0.0])
    low, high = answer_scores.reliability(sure, good)
    assert (low.questions, low.confidence, low.accuracy) == (1, 0.05, 1)
    assert (high.low, high.high, high.questions) == (0.9, 1.0, 3)
    assert high.confidence == pytest.approx(0.96) and high.accuracy == pytest.approx(2 / 3)
    expected = (0.95 + 3 * (0.96 - 2 / 3)) / 4
    assert answer_scores.calibration_error(sure, good) == pytest.approx(expected)


def test_two_folders_by_hand():
    a = [reply(n, right=n > 6, sure=0.4) for n in range(10)] + [reply(20, answerable=False)]
    b = [reply(n, right=n != 7, sure=0.4 + n / 100) for n in range(10)]
    b += [reply(20, answerable=False, answered=False), reply(21, right=True)]
    b[9] = replace(b[9], question="Lain?")
    pairs = answer_compare.paired(a, b)
    assert [one.id for one, _ in pairs] == [*(f"q{n}" for n in range(9)), "q20"]
    found = {c.measure: c for c in answer_compare.compare(pairs)}
    accuracy = found["accuracy"]
    assert (accuracy.a, accuracy.b) == (pytest.approx(2 / 9), pytest.approx(8 / 9))
    assert (accuracy.wins, accuracy.ties, accuracy.losses) == (7, 1, 1)
    assert (found["declined"].a, found["declined"].b) == (0, 1)
    assert "words" not in found and "f accuracy" not in found
    # The unanswerable one has the most confidence in both.
    assert (found["AUROC"].a, found["AUROC"].b) == (0, 0)
    assert found["1 - AURC"].a == pytest.approx(1 - answer_scores.area(*_judged(pairs, 0)))
    assert found["1 - AURC"].b > found["1 - AURC"].a
    moved = answer_compare.moved(pairs)
    assert [m.a.id for m in moved[:2]] == ["q7", "q6"] and moved[0].gain == -1.5
    assert moved[-1].a.id == "q20" and moved[-1].gain == 1


def _judged(pairs, side):
    return answer_scores.judged([pair[side] for pair in pairs])


def test_confidence_is_compared_question_by_question():
    kinds = [n % 2 == 0 for n in range(40)]
    a = [reply(n, right=k or None, answerable=k, sure=n / 40) for n, k in enumerate(kinds)]
    b = [replace(r, confidence=r.confidence / 4 + r.answerable / 2) for r in a]
    found = {c.measure: c for c in answer_compare.compare(list(zip(a, b, strict=True)))}
    assert found["AUROC"].b == 1
    assert found["AUROC"].low > 0 and found["AUROC"].p < 0.01
    same = {c.measure: c for c in answer_compare.compare(list(zip(a, a, strict=True)))}
    assert (same["AUROC"].p, same["AUROC"].low, same["AUROC"].high) == (1, 0, 0)


# The command -------------------------------------------------------------------------------------


def test_answers_of_the_sample(made):
    rows = [json.loads(line) for line in (made / "answers.jsonl").read_text("utf-8").splitlines()]
    told = json.loads((made / "scores.json").read_text("utf-8"))
    scores = {g: {s["measure"]: s for s in found} for g, found in told["groups"].items()}
    assert len(rows) == told["questions"] == 60 + 157
    assert scores["answers"]["accuracy"]["value"] > 0.5
    assert scores["citations"]["verbatim"]["value"] == 1
    assert scores["citations"]["borne out"]["value"] == 1
    assert scores["citations"]["cit recall"]["value"] <= scores["answers"]["accuracy"]["value"]
    assert scores["abstention"]["AUROC"]["value"] > 0.7
    assert scores[FOLLOW_UP]["understood"]["value"] > 0.9
    assert {row["part"] for row in rows} == {FIRST, OPENING, FOLLOW_UP}
    silent = [row for row in rows if row["status"] == "no_evidence"]
    least = AnswerSettings().min_confidence
    assert silent and all(row["confidence"] < least for row in silent)
    # Nothing is found where a filter leaves no article; else the best candidate has its confidence.
    assert sum(row["confidence"] > 0 for row in silent) >= len(silent) - 1
    about = json.loads((made / "provenance.json").read_text("utf-8"))
    assert about["version"] == "000001" and about["answers"]["min_confidence"] == least


def test_rows_are_those_of_a_batch(harbour, tmp_path):
    home, folder = harbour
    asked, batch, out = folder / "queries.jsonl", tmp_path / "batch.jsonl", tmp_path / "out"
    assert tanya(home, "ask", "--batch", asked, "--out", batch) == 0
    assert tanya(home, "eval", "answers", folder, "--out", out) == 0
    both = [
        [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in (batch, out / "answers.jsonl")
    ]
    for row in (row for rows in both for row in rows):
        del row["seconds"]
    for plain, ours in zip(*both, strict=True):
        assert plain == {name: ours[name] for name in plain}
    first, second, third = both[1]
    assert first["figures"]["shown"] == first["figures"]["cited"] == 1
    # The follow-up is answered by the harbour's article; the judgements name another.
    assert second["after"] == "q1" and second["part"] == FOLLOW_UP
    assert second["figures"]["shown"] == 1 and second["figures"]["cited"] == 0
    assert third["figures"]["shown"] is None and third["status"] == "no_evidence"


def test_what_would_have_been_shown_is_known(harbour, tmp_path):
    home, folder = harbour
    strict = tmp_path / "home"
    strict.mkdir()
    for name in ("archive.db", "versions"):
        (strict / name).symlink_to(home / name)
    (strict / "tanya.toml").write_text("[answers]\nmin_confidence = 1.0\n", encoding="utf-8")
    chat = Chat.open(strict)
    asked = answers.read(folder)
    first, second, third = answers.ask(chat, asked, {}, "000001", turn_row)
    assert first["status"] == "no_evidence" and first["confidence"] > 0
    assert (first["figures"]["shown"], first["figures"]["would_show"]) == (0, 1)
    assert third["figures"]["would_show"] is None


def test_a_changed_quote_is_not_verbatim(harbour):
    home, _ = harbour
    chat = Chat.open(home)
    turn = chat.ask(HARBOUR_SET[0]["text"])
    asked = Asked(Question("q1", "Apa?", ("Rp 120 miliar",)), FIRST)
    assert answer_figures.figures(chat, asked, turn, {"a1"}).verbatim == 1
    citations = tuple(replace(c, quote=f"{c.quote} ") for c in turn.answer.citations)
    changed = replace(turn, answer=replace(turn.answer, citations=citations))
    found = answer_figures.figures(chat, asked, changed, {"a2"})
    assert (found.verbatim, found.cited) == (0, 0)
    assert 0 < found.relevant <= 1


def test_it_goes_on_where_it_stopped(harbour, tmp_path, capsys):
    home, folder = harbour
    out = tmp_path / "out"
    chat = Chat.open(home)
    asked = answers.read(folder)
    made = answers.describe(chat, asked, folder, None, homes.NOW)
    with pytest.raises(KeyboardInterrupt), answers.kept(out, made) as (rows, put):
        for row in answers.ask(chat, asked, {}, "000001", turn_row, rows):
            put({**row, "seconds": 7.0})
            assert len((out / "answers.jsonl").read_text("utf-8").splitlines()) == 1
            raise KeyboardInterrupt
    with pytest.raises(InputError, match="not complete"):
        answers.load(out)
    with (out / "answers.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "q2", "ques')
    assert tanya(home, "eval", "answers", folder, "--out", out) == 0
    assert "1 answer is there already" in capsys.readouterr().err
    found = answers.load(out)
    assert [r.id for r in found.replies] == ["q1", "q2", "q3"]
    assert found.replies[0].milliseconds == 7000 > found.replies[1].milliseconds
    # The turn before was asked again, so that the follow-up has its conversation.
    assert "Batu Layar" in found.replies[1].standalone
    assert tanya(home, "eval", "answers", folder, "--out", out) == 1
    assert "--replace" in capsys.readouterr().err
    assert tanya(home, "eval", "answers", folder, "--out", out, "--replace") == 0
    assert answers.load(out).replies[0].milliseconds < 7000


def test_it_does_not_go_on_with_other_settings(harbour, tmp_path):
    home, folder = harbour
    chat = Chat.open(home)
    made = answers.describe(chat, answers.read(folder), folder, None, homes.NOW)
    with answers.kept(tmp_path / "out", made):
        pass
    with answers.kept(tmp_path / "out", made):
        pass
    for other, named in (
        (replace(made, answers={**made.answers, "min_confidence": 0.5}), "setting of answers"),
        (replace(made, provenance=replace(made.provenance, version="000002")), "version"),
        (replace(made, provenance=replace(made.provenance, set_hash="f")), "question set"),
    ):
        with pytest.raises(InputError, match=named), answers.kept(tmp_path / "out", other):
            pass
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").touch()
    for again in (False, True):
        with (
            pytest.raises(InputError, match="holds no answers"),
            answers.kept(tmp_path / "theirs", made, again=again),
        ):
            pass


def test_stopped_by_the_keyboard(home, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from commands.main import main; main()", "--home", str(home)]
    command += ["eval", "answers", str(SAMPLE), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        file = out / "answers.jsonl"
        while process.poll() is None and not (file.is_file() and file.stat().st_size):
            pass
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
    assert process.returncode == 1
    assert "of 217 questions are answered; run the same command again" in told
    assert not (out / "scores.json").exists()


def test_the_table_fits_the_screen(home, harbour, tmp_path, capsys):
    small, folder = harbour
    assert tanya(home, "eval", "answers", SAMPLE, "--limit", 20) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("40 questions") and any("verbatim" in line for line in lines)
    assert tanya(small, "eval", "answers", folder, "--limit", 1, "--json") == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 1


def test_errors_are_one_line(harbour, tmp_path, capsys):
    home, folder = harbour

    def told(*arguments, home=home):
        assert tanya(home, "eval", *arguments) in (1, 2)
        line = capsys.readouterr().err.strip()
        assert "\n" not in line
        return line

    assert "no question set" in told("answers", tmp_path / "none")
    without = small_set(tmp_path / "without", [{"_id": "q", "text": "Apa?"}])
    assert "no gold strings" in told("answers", without)
    rows = [{"_id": "q", "text": "Apa?", "answers": ["a"], "follows": "z"}]
    assert "'z'" in told("answers", small_set(tmp_path / "follows", rows))
    twice = tmp_path / "more.jsonl"
    twice.write_text(json.dumps(HARBOUR_SET[0]), encoding="utf-8")
    assert "'q1' stands" in told("answers", folder, "--conversations", twice)
    assert "tanya build" in told("answers", folder, home=tmp_path / "empty")
    assert "SET and two runs" in told("compare", folder, folder)
    assert "OUT.html" in told("report", tmp_path / "r.html")


def test_a_publisher_of_a_question_narrows_its_answer(harbour):
    home, _ = harbour
    text = "Berapa rumah yang terendam banjir Sungai Pinang?"
    asked = [
        Asked(Question(f"q{n}", text, ("340",), filter=Filter(publishers=names)), FIRST)
        for n, names in enumerate(((), ("kabar hulu",), ("Koran Bulan",)))
    ]
    found = answers.ask(Chat.open(home), asked, {}, "000001", turn_row)
    assert next(found)["filter"]["publishers"] == []
    assert next(found)["filter"]["publishers"] == ["Kabar Hulu"]
    with pytest.raises(InputError, match="Koran Bulan"):
        next(found)


def test_rows_that_cannot_be_read_are_told(harbour, tmp_path):
    home, folder = harbour
    made = answers.describe(Chat.open(home), answers.read(folder), folder, None, homes.NOW)
    out = tmp_path / "out"
    with answers.kept(out, made) as (_, put):
        put({"id": "q1", "question": "\ud800"})
    answers.finish(out, {})
    with pytest.raises(InputError, match="An answer cannot be read"):
        answers.load(out)
    lines = (out / "answers.jsonl").read_bytes()
    (out / "answers.jsonl").write_bytes(b"no JSON\n" + lines)
    with pytest.raises(InputError, match="cannot be read as answers"):
        answers.load(out)
    (out / "answers.jsonl").write_bytes(lines + '{"id": "é'.encode()[:-1])
    (out / "scores.json").unlink()
    with answers.kept(out, made) as (rows, _):
        assert list(rows) == ["q1"]
    (out / "provenance.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="of this program"), answers.kept(out, made):
        pass


def test_another_version_going_live_is_told(harbour):
    home, folder = harbour
    with pytest.raises(InputError, match="000001 of the index went live"):
        next(answers.ask(Chat.open(home), answers.read(folder), {}, "000000", turn_row))


# Two folders, and the report ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def stricter(home, made, tmp_path_factory):
    """Return the sample's answers by a chat that is silent more often."""
    folder = tmp_path_factory.mktemp("stricter")
    for name in ("archive.db", "versions"):
        (folder / name).symlink_to(home / name)
    (folder / "tanya.toml").write_text("[answers]\nmin_confidence = 0.9\n", encoding="utf-8")
    assert tanya(folder, "eval", "answers", SAMPLE, "--out", folder / "strict") == 0
    return folder / "strict"


def test_compare_and_gate_take_answers(home, made, stricter, capsys):
    assert tanya(home, "eval", "compare", made, stricter, "--show", 3) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "A sample · B strict · 217 questions" and max(map(len, told)) <= 80
    assert any(line.startswith("f understood") for line in told)
    assert any(line.endswith("no answer") for line in told)
    assert tanya(home, "eval", "compare", SAMPLE, made, stricter, "--json") == 0
    row = json.loads(capsys.readouterr().out)
    coverage = next(m for m in row["measures"] if m["measure"] == "coverage")
    assert coverage["b"] < coverage["a"] and coverage["p"] < 0.01 and coverage["wins"] == 0
    assert row["moved"][0]["a"]["right"] != row["moved"][0]["b"]["right"]
    assert tanya(home, "eval", "gate", made, stricter) == 1
    assert "coverage" in capsys.readouterr().err
    assert tanya(home, "eval", "gate", made, stricter, "--measure", "declined") == 0
    assert tanya(home, "eval", "gate", made, stricter, "--measure", "RR@10") == 2
    assert "'RR@10'" in capsys.readouterr().err
    assert tanya(home, "eval", "compare", made, SAMPLE) == 1
    assert "holds no answers" in capsys.readouterr().err


def test_a_gate_takes_only_answers_to_the_same_questions(home, made, tmp_path, capsys):
    fewer = tmp_path / "fewer"
    assert tanya(home, "eval", "answers", SAMPLE, "--limit", 1, "--out", fewer) == 0
    assert tanya(home, "eval", "gate", made, fewer) == 1
    assert "asked other questions" in capsys.readouterr().err


def test_a_report_of_answers_overwrites_only_pages(home, made, tmp_path, capsys):
    mine = tmp_path / "catatan.txt"
    mine.write_text("penting", encoding="utf-8")
    for out in (mine, made):
        assert tanya(home, "eval", "report", out, made) == 1
        assert "the first argument is the HTML file to write" in capsys.readouterr().err
    assert mine.read_text(encoding="utf-8") == "penting"
    assert tanya(home, "eval", "report", tmp_path / "r.html", made) == 0
    assert "1 folder of answers reported" in capsys.readouterr().out


def test_judgements_of_another_archive_are_noted(harbour, tmp_path, capsys):
    home, folder = harbour
    assert tanya(home, "eval", "answers", folder) == 0
    note = "Note: 1 of 2 questions has no relevant article in this archive.\n"
    assert note in capsys.readouterr().err
    asked = small_set(tmp_path / "other", HARBOUR_SET, "q1\tx\t1\nq2\tx\t1\n")
    assert tanya(home, "eval", "answers", asked) == 0
    assert "Note: No question has a relevant article" in capsys.readouterr().err
    (asked / "qrels.tsv").write_text("q9\ta1\t1\n", encoding="utf-8")
    assert tanya(home, "eval", "answers", asked) == 0
    assert "names no question of queries.jsonl" in capsys.readouterr().err


def test_a_report_of_answers_is_whole_and_alone(home, made, stricter, tmp_path):
    out = tmp_path / "both.html"
    assert tanya(home, "eval", "report", made) == 0
    assert tanya(home, "eval", "report", out, made, stricter) == 0
    for path, plots in ((made / "report.html", 3), (out, 3)):
        content = path.read_text(encoding="utf-8")
        page = Page(content)
        assert page.tags.count("svg") == plots
        assert not {"script", "img", "link"} & set(page.tags)
        assert len(page.ids) == len(set(page.ids))
        for title in ("Measures", "By kind", "Conversations", "Answered wrong", "How the answers"):
            assert f"<h2>{title}" in content
    assert "<h2>Against the first" in content and "min_confidence 0.9" in content


def test_hostile_text_stays_text_in_a_report_of_answers(made):
    folder = answers.load(made)
    cited = (Cited(1, HOSTILE, "", HOSTILE, HOSTILE, HOSTILE),)
    hostile = [
        replace(
            reply(n, right=False, sure=n / 10, answered=n % 3 > 0, answerable=n % 2 > 0),
            id=f"<q{n}>", question=HOSTILE, standalone=f"{HOSTILE}?", short=HOSTILE,
            gold=(HOSTILE,), claims=(HOSTILE, "<b>") if n % 3 else (), citations=cited,
        )
        for n in range(10)
    ]  # fmt: skip
    more = replace(folder.made, conversations=HOSTILE)
    bad = replace(folder, name="</svg>", replies=tuple(hostile), made=more)
    page = answer_reports.page([bad, replace(bad, name=HOSTILE)])
    parsed = Page(page)
    assert not {"script", "img"} & set(parsed.tags)
    assert "onerror" not in dict(parsed.attributes)
    assert "\x07" not in page and "\ud800" not in page
    assert "&lt;script&gt;" in page
    page.encode("utf-8")
