"""The bench: articles by a seed, real commands on a tiny archive, interruption, other programs."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from commands.main import app, run
from eval import bench, bench_peers
from index import chunking, text
from index.errors import InputError

ROOT = Path(__file__).parents[1]


def tanya(*arguments):
    return run(app, ["eval", "bench", *map(str, arguments)])


def plan(sizes, out, questions=10, seed=0, data=None):
    return bench.Plan(tuple(sizes), out, data, questions, {}, seed, keep=False)


def first(count, seed=0):
    return list(itertools.islice(bench.made_up_articles(seed), count))


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_archive(folder, count, begin=0):
    """Write an archive of made-up articles as a person's folder would hold it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": a.id, "title": a.title, "text": a.body} for a in first(begin + count)[begin:]]
    path = folder / "articles.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


# Articles ----------------------------------------------------------------------------------------


def test_made_up_articles_depend_on_the_seed_and_their_number_alone():
    assert first(30) == first(40)[:30]
    assert first(5) != first(5, seed=1)
    assert len({article.id for article in first(200)}) == 200
    (article,) = first(1)
    assert article.title and article.published and article.publisher.startswith("Harian ")


def test_made_up_words_are_as_frequent_as_zipf_has_it():
    counts = Counter(word for a in first(400) for word in a.body.casefold().split())
    ranked = sorted(counts.values(), reverse=True)
    slope = np.polyfit(np.log(np.arange(10, 1000)), np.log(ranked[10:1000]), 1)[0]
    assert -1.3 < slope < -0.6
    assert sum(1 for count in ranked if count == 1) > 0.2 * len(ranked)


def test_sizes_share_their_articles_and_questions(tmp_path):
    bench.write_articles(plan([200, 500], tmp_path), tmp_path)
    small, large, more = (lines(tmp_path / f"{name}.jsonl") for name in (200, 500, "more"))
    assert large[: len(small)] == small
    assert len({row["id"] for row in [*large, *more]}) == len(large) + bench.MORE
    kinds = json.loads((tmp_path / "kinds.json").read_text())
    assert kinds == {
        str(n): {"articles_made_up": len(of)} for n, of in ((200, small), (500, large))
    }
    articles = first(len(small))
    counts = [len(chunking.passages(article, max_tokens=160)) for article in articles]
    assert sum(counts) >= 200 > sum(counts[:-1])
    asked = bench.questions(tmp_path / "200")
    assert len(asked) == 10 + bench.WARM
    bodies = {article.id: article.body.casefold() for article in articles}
    for question, article_id in asked:
        words = question.rstrip("?").casefold().split()
        assert all(word in bodies[article_id] for word in words[-5:])


def test_articles_that_were_written_are_kept(tmp_path):
    bench.write_articles(plan([200], tmp_path), tmp_path)
    before = (tmp_path / "200.jsonl").read_bytes()
    bench.write_articles(plan([200], tmp_path, seed=5), tmp_path)
    assert (tmp_path / "200.jsonl").read_bytes() == before


def test_a_folder_s_articles_come_first_and_then_mixtures(tmp_path):
    write_archive(tmp_path / "b", 60, begin=20)
    write_archive(tmp_path / "a", 60)
    (tmp_path / "a" / "questions.jsonl").write_text('{"question": "Siapa?"}\n')
    found = list(itertools.islice(bench.articles_of(tmp_path, 0), 400))
    assert found == list(itertools.islice(bench.articles_of(tmp_path, 0), 400))
    kinds = Counter(kind for kind, _ in found)
    assert kinds["published"] == 80  # those of b that stand in a too come once
    assert [article.id for _, article in found[:60]] == [article.id for article in first(60)]
    mixed = [article for kind, article in found if kind == "mixed"]
    assert len({article.id for article in mixed}) == len(mixed) == 320
    known = {
        a.body[start:end]: a.id for _, a in found[:80] for start, end in text.sentences(a.body)
    }
    assert len({known[mixed[0].body[a:b]] for a, b in text.sentences(mixed[0].body)}) > 2


def test_a_folder_without_articles_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no articles"):
        next(bench.articles_of(tmp_path, 0))


def test_too_few_sentences_for_the_questions_are_refused(tmp_path):
    with pytest.raises(InputError, match="5020 are needed"):
        bench.write_articles(plan([100], tmp_path, questions=5000), tmp_path)


# The whole bench ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def benched(tmp_path_factory):
    """Return the folder and arguments of a bench of 300 passages that was stopped once.

    Beside them are the first step's figures when it was stopped, and what it said.
    """
    out = tmp_path_factory.mktemp("bench")
    arguments = ["--sizes", "300", "--questions", "10", "--out", str(out)]
    command = [sys.executable, "-m", "commands.main", "eval", "bench", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    first_step = out / "size-300-add.json"
    while not first_step.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    stopped = (process.returncode, said, first_step.read_text(encoding="utf-8"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bench, "STARTS", 1)  # of a second each
        assert tanya(*arguments) == 0
    return out, arguments, stopped


def test_a_bench_that_was_stopped_goes_on_where_it_was(benched):
    out, _, (status, said, first_step) = benched
    assert status == 1
    assert said == f"Stopped. Run it again with --out {out} to go on.\n"
    figures = json.loads((out / "bench.json").read_text(encoding="utf-8"))["sizes"][0]["figures"]
    assert json.loads(first_step).items() <= figures.items()


def test_a_bench_measures_every_figure(benched):
    out, _, _ = benched
    found = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    (size,) = found["sizes"]
    figures = size["figures"]
    assert figures.keys() >= {
        *("add_seconds", "add_peak_bytes", "build_seconds", "build_peak_bytes"),
        *("help_seconds", "status_seconds", "search_seconds", "ask_seconds"),
        *(f"{mode}_median_ms" for mode in ("hybrid", "lexical", "dense", "answer")),
        *(f"disk_{kind}_bytes" for kind in ("archive", "texts", "vectors", "lexical")),
        *("answers_a_second", "chat_resident_bytes", "chat_private_bytes"),
        *("add_100_more_seconds", "build_100_more_seconds"),
    }
    assert not [name for name, value in figures.items() if not value > 0]
    assert figures["articles_made_up"] == figures["articles"]
    assert 300 <= size["passages"] < 320
    assert figures["recall_100"] == 1
    assert figures["hybrid_found_10"] >= 0.9
    for name in ("hybrid", "lexical", "dense", "answer"):
        assert figures[f"{name}_median_ms"] <= figures[f"{name}_p95_ms"]
    parts = [figures[f"disk_{part}_bytes"] for part in ("archive", "texts", "vectors", "lexical")]
    assert 0.9 * figures["disk_bytes"] < sum(parts) < figures["disk_bytes"]
    assert figures["build_peak_bytes"] > 30e6
    assert found["machine"]["cpus"] and found["questions"] == 10


def test_a_bench_is_written_for_people_too(benched):
    out, _, _ = benched
    page = (out / "bench.md").read_text(encoding="utf-8")
    assert "| hybrid median ms |" in page and "| build peak MB |" in page
    assert "![How each grows" in page and "other programs" not in page
    assert {row.count("|") for row in re.findall(r"^\|.*\|$", page, re.MULTILINE)} == {3}
    drawn = (out / "bench.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn and drawn.rstrip().endswith("</svg>")
    assert not (out / "work").exists()


PEER = """
passages = [json.loads(line)["id"] for line in open(sys.argv[3] + "/passages.jsonl")]
plan = json.load(open(sys.argv[3] + "/plan.json"))
figures = {"build_seconds": 3.0, "k10_median_ms": 7.0}
found = [passages for query in plan["queries"][: -plan["warm"] : 2]]
peer = {"versions": {"txtai": "0.0"}, "figures": figures, "found": [*found, []]}
json.dump(peer, open(sys.argv[4], "w"))
"""


def test_finished_figures_are_kept_and_programs_compared_later(benched, tmp_path, capsys):
    out, arguments, _ = benched
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport json, sys\n{PEER}", encoding="utf-8")
    python.chmod(0o755)
    before = {path: path.stat().st_mtime_ns for path in out.glob("size-*.json")}
    assert tanya(*arguments, "--peer", f"txtai={python}") == 0
    assert before == {path: path.stat().st_mtime_ns for path in out.glob("size-*.json")}
    found = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    ours, txtai = found["peers"]
    assert found["compared"] == 300
    assert ours["name"] == bench_peers.OURS and ours["figures"]["found_10"] >= 0.9
    assert ours["figures"]["peak_bytes"] > 30e6
    # The program found every article for the five queries that it was asked, then none.
    assert txtai["figures"]["found_10"] == pytest.approx(5 / 6)
    shown = capsys.readouterr().out
    assert shown == (out / "bench.md").read_text(encoding="utf-8") + "\n"
    assert "| k10 median ms |" in shown and "txtai 0.0" in shown


def test_figures_of_another_bench_are_left_alone(benched, capsys):
    out, arguments, _ = benched
    assert tanya(*arguments, "--seed", 3) == 1
    assert "figures of another bench" in capsys.readouterr().err


# Programs and commands ---------------------------------------------------------------------------


def test_our_own_index_is_measured_on_given_vectors(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    texts = [f"{a.title}. {a.body}" for a in first(12)]
    rows = [{"id": f"a{at}#0", "text": each} for at, each in enumerate(texts)]
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    queries = [" ".join(each.split()[3:7]) for each in texts]
    (tmp_path / "plan.json").write_text(json.dumps({"queries": queries, "warm": 2}))
    for name in ("vectors", "queries"):
        np.save(tmp_path / f"{name}.npy", np.eye(12, 16, dtype=np.float32))
    found = bench_peers.measure(*bench_peers.PEERS[bench_peers.OURS], tmp_path)
    assert [ids[0] for ids in found["found"]] == [f"a{at}#0" for at in range(10)]
    assert found["figures"]["k10_asked"] == found["figures"]["k100_asked"] == 10
    assert found["versions"].keys() == {"faiss-cpu", "tantivy"}


def test_the_script_for_other_programs_imports_nothing_of_ours():
    source = Path(bench_peers.__file__).read_text(encoding="utf-8")
    assert not re.search(r"^(from|import) (index|qa|eval)\b", source, re.MULTILINE)


def test_ctrl_c_while_a_command_is_started_ends_that_command_too(tmp_path, monkeypatch):
    class Interrupted(subprocess.Popen):
        started = []

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.started.append(self)
            os.kill(os.getpid(), signal.SIGINT)  # before anybody has the process

    monkeypatch.setattr(bench.subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.run_command(["sleep", "600"], tmp_path)
    assert Interrupted.started[0].poll() == -signal.SIGTERM
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_command_s_memory_is_its_own_and_its_children_s(tmp_path):
    ballast = np.ones(60_000_000)  # of this process, and of nobody else's
    command = [sys.executable, "-c", "import time; time.sleep(0.4)"]
    _, small = bench.run_command(command, tmp_path)
    assert small < 40e6 and ballast[0]
    child = "import time; x = bytearray(80_000_000); time.sleep(0.6)"
    parent = (
        "import subprocess, sys\n"
        f"all = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]\n"
        "for each in all: each.wait()"
    )
    seconds, both = bench.run_command([sys.executable, "-c", parent], tmp_path)
    assert both > 160e6
    assert seconds > 0.6


def test_a_command_that_fails_is_named(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('kaput')"]
    with pytest.raises(InputError, match="kaput"):
        bench.run_command(command, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--peer", "milvus=/bin/sh"],
            "'milvus=/bin/sh' but must be NAME=PYTHON with one of txtai",
        ),
        (["--peer", "txtai=/no/such/python"], "no Python in '/no/such/python'"),
        (["--peer", "txtai"], "'txtai' but must be NAME=PYTHON"),
        (["--sizes", "banyak"], "'banyak' but must be different numbers"),
        (["--sizes", "500,500"], "'500,500' but must be different numbers"),
        (["--sizes", "20"], "each 100 or more"),
        (["--data", "no-such-folder"], "no-such-folder"),
    ],
)
def test_arguments_that_cannot_be_carried_out_are_wrong_usage(tmp_path, capsys, arguments, message):
    assert tanya("--out", tmp_path / "x", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "x").exists()
