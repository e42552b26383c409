"""Answers measured: figures worked by hand, and the command on the sample archive."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from commands.qa import turn_row
from eval import compare, judging, measures, provenance, report, runs, tables
from eval import questions as sets
from eval.measures import Excerpt, Reply
from eval.questions import FIRST, FOLLOW_UP, OPENING, Meaning, Question
from eval.runs import Run
from index.errors import InputError
from index.records import Filter
from index.settings import AnswerSettings
from qa.chat import Chat
from tests import homes
from tests.homes import HOSTILE, Page, tanya

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample" / "questions"
CONVERSATIONS = SAMPLE / "conversations.jsonl"


@pytest.fixture(scope="module")
def home(sample_home):
    return sample_home


def reads(home, folder, told):
    """Make a folder the same home under other settings; return it."""
    for name in ("archive.db", "versions"):
        (folder / name).symlink_to(home / name)
    (folder / "tanya.toml").write_text(told, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made_and_told(home, tmp_path_factory):
    """Return the answers to the sample's questions and conversations, and what was printed.

    Little is read for each, which is quick, and enough in an archive of this size.
    """
    folder = reads(home, tmp_path_factory.mktemp("answers"), "[reader]\npassages = 3\n")
    out = folder / "sample"
    done = homes.tell(folder, "eval", "answers", SAMPLE, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


@pytest.fixture(scope="module")
def made(made_and_told):
    return made_and_told[0]


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
    home = homes.harbour(tmp_path_factory.mktemp("harbour"))
    return home, small_set(home / "set", HARBOUR_SET, "q1\ta1\t1\nq2\ta9\t1\n")


def pair(number=1, *, right=None, sure=0.5, answerable=True, answered=True, short="", **more):
    """Return a question and its answer with the figures that are given."""
    shown = None if right is None else float(right and answered)
    would = None if right is None else float(right)
    figures = {"shown": shown, "would_show": would, "exact": shown, "overlap": shown, **more}
    one = Question(f"q{number}", "Apa?", ("dua",) * answerable, answerable)
    return one, Reply(
        one.id, 10.0 * number, figures, standalone="Apa?",
        status="answered" if answered else "no_evidence", short=short, confidence=sure,
        claims=("Satu dua.",) * answered, answerer="extractive",
    )  # fmt: skip


def run_of(pairs):
    """Return a run of these questions and answers."""
    questions, replies = ({each.id: each for each in some} for some in zip(*pairs, strict=True))
    return Run("x", replies, questions, of_answers=True)


def ask_all(chat, asked, relevant=(), version="000001"):
    """Yield the rows of answers to these questions."""
    return runs.ask(asked, runs.answering(chat, asked, dict(relevant), version, turn_row))


def about(home, folder):
    """Return the provenance of answers to a set."""
    asked = sets.load_asked(folder)
    return provenance.describe_answers(Chat.open(home), folder, asked, None, homes.NOW)


# Text against gold strings, by hand --------------------------------------------------------------


def test_normalised_as_squad():
    assert measures.normalised("  Rp1.200,-  (“Dua”) ") == "rp1200 dua"
    assert measures.normalised("Jum'at ke-2 Al-Qur’an") == "jumat ke 2 al quran"
    assert measures.exact("Xie Feng.", ["xie  feng"]) == 1
    assert measures.exact("", [""]) == measures.exact("-", ["."]) == 0
    # Two of three words are shared with two: F1 = 2 * 2 / (3 + 2).
    assert measures.overlap("Duta Xie Feng", ["satu", "Xie Feng"]) == pytest.approx(0.8)
    assert measures.overlap("", ["Xie Feng"]) == 0
    assert measures.overlap("dua dua", ["dua"]) == pytest.approx(2 / 3)


def test_a_gold_string_stands_as_whole_words():
    assert measures.holds("lahir pada tahun 1915 M.[2] Ayahanda", ["1915 M"])
    assert measures.holds("usia ke-195 tahun (AS/NHC)", ["x", "195 TAHUN"])
    assert measures.holds("pada (15/12/2016), di", ["15/12/2016"])
    assert measures.holds("biaya Rp 1.200", ["rp 1200"])
    assert not measures.holds("naik 1,5 persen", ["5 persen"])
    assert not measures.holds("Ada 1120 kios", ["112", "", "?"])


@pytest.mark.parametrize(
    ("claim", "quotes", "supported"),
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
def test_what_quotes_support(claim, quotes, supported):
    assert judging.is_supported(claim, quotes) is supported


def test_how_a_follow_up_must_be_understood():
    def meant(standalone, **meaning):
        known = Meaning(**{"alone": False, "words": (), "absent": (), **meaning})
        asked = Question("q", "Siapa dubesnya?", part=FOLLOW_UP, meaning=known)
        return judging.is_understood(asked, standalone)

    told = "Siapa dubesnya (Wiranto, China)?"
    assert meant(told, words=("Wiranto", "Jepang|China"))
    assert not meant(told, words=("Wiranto", "Jepang"))
    assert not meant(told, words=("Wiranto",), absent=("China",))
    assert meant("siapa dubesnya", alone=True) and not meant(told, alone=True)


# Measures, by hand -------------------------------------------------------------------------------


def test_measures_of_answerable_questions_by_hand():
    pairs = [
        pair(1, right=True, short="dua", words=10.0),
        pair(2, right=False, words=20.0),
        pair(3, right=True, answered=False),
        pair(4, answerable=False),
        pair(5, answerable=False, answered=False),
    ]
    found = compare.summarise(run_of(pairs))
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
    found = compare.summarise(run_of([pair(1, right=True), pair(2)]))
    told = {s.measure: s.questions for group in found.groups.values() for s in group}
    assert (told["coverage"], told["accuracy"], told["AURC"], found.without_gold) == (2, 1, 1, 1)
    lines = tables.answer_lines(replace(found, answerers={"llm:x": 2}), "000001", 0.25)
    assert lines[-2] == "Answers written by llm:x 2."
    assert lines[-1].startswith("1 answerable questions have no gold string")


def test_risk_by_coverage_by_hand():
    sure = np.array([0.9, 0.5, 0.7, 0.5])
    good = np.array([1.0, 1.0, 0.0, 0.0])
    # In order: right, wrong, then two alike of which one is right.
    risk = measures.risk_by_coverage(sure, good)
    np.testing.assert_allclose(risk, [0, 1 / 2, 1.5 / 3, 2 / 4])
    assert measures.aurc(sure, good) == pytest.approx(0.375)
    assert np.isnan(measures.aurc(sure[:0], good[:0]))


def test_what_is_held_back_is_on_the_curve():
    pairs = [pair(1, right=True, sure=0.1, answered=False), pair(2, answerable=False, sure=0.3)]
    sure, good = measures.by_rightness(pairs)
    assert (sure.tolist(), good.tolist()) == ([0.1, 0.3], [1, 0])


def test_auroc_by_hand():
    sure, positive = np.array([0.9, 0.4, 0.4, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    # Of four pairs three are in order and one is level.
    assert measures.auroc(sure, positive) == pytest.approx(3.5 / 4)
    assert np.isnan(measures.auroc(sure, np.ones(4)))


def test_reliability_and_calibration_error_by_hand():
    sure, good = np.array([0.05, 0.91, 1.0, 0.97]), np.array([1.0, 1.0, 1.0, 0.0])
    low, high = measures.reliability(sure, good)
    assert (low.questions, low.confidence, low.accuracy) == (1, 0.05, 1)
    assert (high.low, high.high, high.questions) == (0.9, 1.0, 3)
    assert high.confidence == pytest.approx(0.96) and high.accuracy == pytest.approx(2 / 3)
    expected = (0.95 + 3 * (0.96 - 2 / 3)) / 4
    assert measures.calibration_error(sure, good) == pytest.approx(expected)


def test_two_runs_by_hand():
    a = [pair(n, right=n > 6, sure=0.4) for n in range(10)] + [pair(20, answerable=False)]
    b = [pair(n, right=n != 7, sure=0.4 + n / 100) for n in range(10)]
    b += [pair(20, answerable=False, answered=False), pair(21, right=True)]
    b[9] = (replace(b[9][0], text="Lain?"), b[9][1])
    of_a, of_b = run_of(a), run_of(b)
    both = compare.paired(of_a, of_b)
    assert [question.id for question, _, _ in both] == [*(f"q{n}" for n in range(9)), "q20"]
    found = {c.measure: c for c in compare.compare(of_a, of_b)}
    accuracy = found["accuracy"]
    assert (accuracy.a, accuracy.b) == (pytest.approx(2 / 9), pytest.approx(8 / 9))
    assert (accuracy.wins, accuracy.ties, accuracy.losses) == (7, 1, 1)
    assert (found["declined"].a, found["declined"].b) == (0, 1)
    assert "words" not in found and "f accuracy" not in found
    assert set(found) < set(compare.names(of_answers=True))
    # The unanswerable one has the most confidence in both.
    assert (found["AUROC"].a, found["AUROC"].b) == (0, 0)
    before = measures.by_rightness([(question, one) for question, one, _ in both])
    assert found["1 - AURC"].a == pytest.approx(1 - measures.aurc(*before))
    assert found["1 - AURC"].b > found["1 - AURC"].a
    moved = compare.moved(of_a, of_b)
    assert [m.question.id for m in moved[:2]] == ["q7", "q6"] and moved[0].gain == -1.5
    assert moved[-1].question.id == "q20" and moved[-1].gain == 1


def test_confidence_is_compared_question_by_question():
    kinds = [n % 2 == 0 for n in range(40)]
    a = [pair(n, right=k or None, answerable=k, sure=n / 40) for n, k in enumerate(kinds)]
    b = [
        (question, replace(r, confidence=r.confidence / 4 + question.answerable / 2))
        for question, r in a
    ]
    found = {c.measure: c for c in compare.compare(run_of(a), run_of(b))}
    assert found["AUROC"].b == 1
    assert found["AUROC"].low > 0 and found["AUROC"].p < 0.01
    same = {c.measure: c for c in compare.compare(run_of(a), run_of(a))}
    assert (same["AUROC"].p, same["AUROC"].low, same["AUROC"].high) == (1, 0, 0)


# The command -------------------------------------------------------------------------------------


def test_answers_of_the_sample(made):
    rows = [json.loads(line) for line in (made / "answers.jsonl").read_text("utf-8").splitlines()]
    told = json.loads((made / "scores.json").read_text("utf-8"))
    scores = {g: {s["measure"]: s for s in found} for g, found in told["groups"].items()}
    assert len(rows) == told["questions"] == 60 + 157
    assert scores["answers"]["accuracy"]["value"] > 0.5
    assert scores["citations"]["verbatim"]["value"] == 1
    assert scores["citations"]["supported"]["value"] == 1
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


def test_conversations_are_understood(made):
    lines = (made / "answers.jsonl").read_text("utf-8").splitlines()
    standalone = {row["id"]: row["standalone"] for row in map(json.loads, lines)}
    rows = [json.loads(line) for line in CONVERSATIONS.read_text("utf-8").splitlines()]
    missed = []
    for row in rows:
        meaning = Meaning(row.get("alone", False), row.get("contains", ()), row.get("absent", ()))
        asked = Question(row["_id"], row["text"], meaning=meaning)
        if not judging.is_understood(asked, standalone[asked.id]):
            missed.append((asked.id, standalone[asked.id]))
    assert len(rows) > 150
    assert len(missed) <= 0.05 * len(rows), missed


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
    first, second, third = ask_all(chat, sets.load_asked(folder))
    assert first["status"] == "no_evidence" and first["confidence"] > 0
    assert (first["figures"]["shown"], first["figures"]["would_show"]) == (0, 1)
    assert third["figures"]["would_show"] is None


def test_a_changed_quote_is_not_verbatim(harbour):
    home, _ = harbour
    chat = Chat.open(home)
    turn = chat.ask(HARBOUR_SET[0]["text"])
    asked = Question("q1", "Apa?", ("Rp 120 miliar",))
    assert judging.answer_figures(chat, asked, turn, {"a1"})["verbatim"] == 1
    citations = tuple(replace(c, quote=f"{c.quote} ") for c in turn.answer.citations)
    changed = replace(turn, answer=replace(turn.answer, citations=citations))
    found = judging.answer_figures(chat, asked, changed, {"a2"})
    assert (found["verbatim"], found["cited"]) == (0, 0)
    assert 0 < found["relevant"] <= 1


def test_it_goes_on_where_it_stopped(harbour, tmp_path, capsys):
    home, folder = harbour
    out = tmp_path / "out"
    chat = Chat.open(home)
    with pytest.raises(KeyboardInterrupt), runs.kept(out, about(home, folder)) as kept:
        for row in ask_all(chat, sets.load_asked(folder)):
            kept.put({**row, "seconds": 7.0})
            assert len((out / "answers.jsonl").read_text("utf-8").splitlines()) == 1
            raise KeyboardInterrupt
    with pytest.raises(InputError, match="not complete"):
        runs.load(out)
    with (out / "answers.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "q2", "ques')
    assert tanya(home, "eval", "answers", folder, "--out", out) == 0
    assert "1 question is there already" in capsys.readouterr().err
    found = runs.load(out).replies
    assert list(found) == ["q1", "q2", "q3"]
    assert found["q1"].milliseconds == 7000 > found["q2"].milliseconds
    # The turn before was asked again, so that the follow-up has its conversation.
    assert "Batu Layar" in found["q2"].standalone
    assert tanya(home, "eval", "answers", folder, "--out", out) == 1
    assert "--replace" in capsys.readouterr().err
    assert tanya(home, "eval", "answers", folder, "--out", out, "--replace") == 0
    assert runs.load(out).replies["q1"].milliseconds < 7000


def test_it_does_not_go_on_with_other_settings(harbour, tmp_path):
    home, folder = harbour
    made = about(home, folder)
    with runs.kept(tmp_path / "out", made) as kept:
        kept.put({"id": "q1"})
    with runs.kept(tmp_path / "out", made) as kept:
        assert list(kept.rows) == ["q1"]
    for other, named in (
        (replace(made, answers={**made.answers, "min_confidence": 0.5}), "setting of answers"),
        (replace(made, version="000002"), "version"),
        (replace(made, set_hash="f"), "question set"),
    ):
        with pytest.raises(InputError, match=named), runs.kept(tmp_path / "out", other):
            pass
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").touch()
    for again in (False, True):
        with (
            pytest.raises(InputError, match="holds no answers"),
            runs.kept(tmp_path / "theirs", made, again=again),
        ):
            pass


def test_stopped_by_the_keyboard(home, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from commands.main import main; main()", "--home", str(home)]
    command += ["eval", "answers", str(SAMPLE), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        file = out / "answers.jsonl"
        while process.poll() is None and not (file.is_file() and file.stat().st_size):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
    assert process.returncode == 1
    assert "of 217 questions are asked; run the same command again" in told
    assert not (out / "scores.json").exists()


def test_the_table_fits_the_screen(made_and_told, harbour, capsys):
    small, folder = harbour
    _, told = made_and_told
    lines = told.partition("\nNext:")[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("217 questions") and any("verbatim" in line for line in lines)
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
        Question(f"q{n}", text, ("340",), filter=Filter(publishers=names))
        for n, names in enumerate(((), ("kabar hulu",), ("Koran Bulan",)))
    ]
    found = ask_all(Chat.open(home), asked)
    assert next(found)["filter"]["publishers"] == []
    assert next(found)["filter"]["publishers"] == ["Kabar Hulu"]
    with pytest.raises(InputError, match="Koran Bulan"):
        next(found)


def test_rows_that_cannot_be_read_are_told(harbour, tmp_path):
    home, folder = harbour
    made = about(home, folder)
    out = tmp_path / "out"
    foreign = "holds no answers of this program .*: run `tanya eval answers` again"
    with runs.kept(out, made) as kept:
        kept.put({"id": "q1", "question": "\ud800"})
        kept.finish("{}")
    with pytest.raises(InputError, match=foreign):
        runs.load(out)
    lines = (out / "answers.jsonl").read_bytes()
    (out / "answers.jsonl").write_bytes(b"no JSON\n" + lines)
    with pytest.raises(InputError, match=foreign):
        runs.load(out)
    (out / "answers.jsonl").write_bytes(lines + '{"id": "é'.encode()[:-1])
    (out / "scores.json").unlink()
    with runs.kept(out, made) as kept:
        assert list(kept.rows) == ["q1"]
    (out / "provenance.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=foreign), runs.kept(out, made):
        pass


def test_another_version_going_live_is_told(harbour):
    home, folder = harbour
    with pytest.raises(InputError, match="000001 of the index went live"):
        next(ask_all(Chat.open(home), sets.load_asked(folder), version="000000"))


# Two folders, and the report ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def stricter(home, made, tmp_path_factory):
    """Return the sample's answers by a chat that reads little and is silent more often."""
    told = "[reader]\npassages = 1\n[answers]\nmin_confidence = 0.9\n"
    folder = reads(home, tmp_path_factory.mktemp("stricter"), told)
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
    assert capsys.readouterr().out.startswith("2 questions")  # the first of each file
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
    run = runs.load(made)
    cited = (Excerpt(1, HOSTILE, "", HOSTILE, HOSTILE, HOSTILE),)
    hostile = []
    for n in range(10):
        question, reply = pair(
            n, right=False, sure=n / 10, answered=n % 3 > 0, answerable=n % 2 > 0, short=HOSTILE
        )
        claims = (HOSTILE, "<b>") if n % 3 else ()
        more = {"standalone": f"{HOSTILE}?", "claims": claims, "citations": cited}
        named = replace(question, id=f"<q{n}>", text=HOSTILE, answers=(HOSTILE,))
        hostile.append((named, replace(reply, id=named.id, **more)))
    told = replace(run.provenance, conversations=HOSTILE)
    bad = replace(run_of(hostile), name="</svg>", provenance=told)
    page = report.answers_page([bad, replace(bad, name=HOSTILE)])
    parsed = Page(page)
    assert not {"script", "img"} & set(parsed.tags)
    assert "onerror" not in dict(parsed.attributes)
    assert "\x07" not in page and "\ud800" not in page
    assert "&lt;script&gt;" in page
    page.encode("utf-8")
