"""The bench: articles by a seed, every step through the real command, other programs, errors."""

import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from commands.main import app, run
from eval import bench, bench_commands, bench_peers, bench_tables, bench_text, bench_work
from index import chunking, text
from index.errors import InputError

ROOT = Path(__file__).parents[1]


def tanya(*arguments):
    return run(app, ["eval", "bench", *map(str, arguments)])


def first(count, seed=0):
    return list(itertools.islice(bench_text.generated(seed), count))


def made_up(seed=0):
    return (("made up", article) for article in bench_text.generated(seed))


def write_articles(folder, count, begin=0):
    """Write an archive of generated articles as a person's folder would hold it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"id": a.id, "title": a.title, "text": a.body, "date": str(a.published)}
        for a in first(begin + count)[begin:]
    ]
    path = folder / "articles.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def fake_peer(path, body):
    """Write a program that is started as an environment's Python would be."""
    path.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


ANSWERS = """
folder = sys.argv[3]
ids = [json.loads(line)["id"] for line in open(folder + "/passages.jsonl")]
asked = [json.loads(line) for line in open(folder + "/queries.jsonl")]
plan = json.load(open(folder + "/plan.json"))
measured = asked[: -plan["warm"]]
found = [[i for i in ids if i.startswith(row["article"] + "#")] for row in measured[::2]]
search = {"asked": len(measured), "median_ms": 7.0, "p95_ms": 9.0, "found": [*found, []]}
print(json.dumps({
    "peer": sys.argv[2], "versions": {"txtai": "0.0"}, "passages": len(ids), "build_seconds": 3.0,
    "searches": {str(k): search for k in plan["depths"]}, "peak_bytes": 10**12,
}))
"""


# Articles ----------------------------------------------------------------------------------------


def test_generated_articles_depend_on_the_seed_and_their_number_alone():
    assert first(30) == first(40)[:30]
    assert first(5) != first(5, seed=1)
    assert len({article.id for article in first(200)}) == 200
    told = first(1)[0]
    assert told.title and told.published and told.publisher.startswith("Harian ")


def test_generated_words_are_as_frequent_as_zipf_has_it():
    words = bench_text.vocabulary(0)
    assert len(words) == len(set(words)) == 60_000
    counts = Counter(word for a in first(400) for word in a.body.casefold().split())
    ranked = sorted(counts.values(), reverse=True)
    slope = np.polyfit(np.log(np.arange(10, 1000)), np.log(ranked[10:1000]), 1)[0]
    assert -1.3 < slope < -0.6
    assert sum(1 for count in ranked if count == 1) > 0.2 * len(ranked)


def test_sizes_share_their_articles_and_questions(tmp_path):
    made = bench_text.write(tmp_path / "a", [200, 500], made_up(), 10, max_tokens=160)
    assert made.files == {
        200: ["articles-200.jsonl"],
        500: ["articles-200.jsonl", "articles-500.jsonl"],
    }
    rows = [
        json.loads(line)
        for name in [*made.files[500], bench_text.MORE_FILE]
        for line in (tmp_path / "a" / name).read_text(encoding="utf-8").splitlines()
    ]
    assert len(rows) == made.kinds[500]["made up"] + bench_text.MORE
    written = first(made.kinds[200]["made up"])
    counts = [len(chunking.passages(article, max_tokens=160)) for article in written]
    assert sum(counts) >= 200 > sum(counts[:-1])
    assert len({row["id"] for row in rows}) == len(rows)
    asked, warm = bench_work.questions(tmp_path / "a")
    assert (len(asked), len(warm)) == (10, bench_text.WARM)
    bodies = {article.id: article.body.casefold() for article in written}
    for each in asked:
        words = each.text.rstrip("?").casefold().split()
        assert all(word in bodies[each.article] for word in words[-4:])


def test_what_was_written_is_kept(tmp_path):
    again = [
        bench_text.write(tmp_path, [200], articles, 10, max_tokens=160)
        for articles in (made_up(), made_up(seed=5))
    ]
    assert again[0] == again[1]


def test_a_folder_s_articles_come_first_and_then_mixtures(tmp_path):
    write_articles(tmp_path / "b", 60, begin=20)
    write_articles(tmp_path / "a", 60)
    (tmp_path / "a" / "questions.jsonl").write_text('{"question": "Siapa?"}\n')
    found = list(itertools.islice(bench_text.gathered(tmp_path, 0), 400))
    assert found == list(itertools.islice(bench_text.gathered(tmp_path, 0), 400))
    kinds = Counter(kind for kind, _ in found)
    assert kinds["published"] == 80  # those of b that stand in a too come once
    assert [article.id for _, article in found[:60]] == [article.id for article in first(60)]
    mixed = [article for kind, article in found if kind == "mixed"]
    assert len({article.id for article in mixed}) == len(mixed) == 320
    known = {
        a.body[start:end]: a.id for _, a in found[:80] for start, end in text.sentences(a.body)
    }
    sources = {known[mixed[0].body[a:b]] for a, b in text.sentences(mixed[0].body)}
    assert len(sources) > 2


def test_a_folder_without_articles_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no articles"):
        next(bench_text.gathered(tmp_path, 0))


def test_too_few_sentences_for_the_questions_are_told(tmp_path):
    with pytest.raises(InputError, match="520 are needed"):
        bench_text.write(tmp_path, [100], made_up(), 500, max_tokens=160)


# The whole bench ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def benched(tmp_path_factory):
    """Return the folder of a bench of 300 passages, and the program that it was compared with."""
    out = tmp_path_factory.mktemp("bench")
    peer = fake_peer(tmp_path_factory.mktemp("peer") / "python", ANSWERS)
    arguments = ["--sizes", 300, "--questions", 10, "--out", out, "--peer", f"txtai={peer}"]
    assert tanya(*arguments) == 0
    return out, arguments


def test_a_bench_measures_every_figure_of_its_table(benched):
    out, _ = benched
    told = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    (size,) = told["sizes"]
    figures = size["figures"]
    wanted = {row.figure for rows in bench_tables.SECTIONS.values() for row in rows}
    assert not wanted - figures.keys()
    assert not [name for name, value in figures.items() if not value > 0]
    assert size["kinds"] == {"made up": figures["articles"]}
    assert 300 <= size["passages"] < 320
    assert figures["recall_100"] == 1
    assert figures["found_10"] >= 0.9
    assert figures["evidence_ms"] <= figures["evidence_p95_ms"] <= figures["evidence_p99_ms"]
    parts = ("archive", "vectors", "lexical", "texts", "other")
    assert figures["disk_bytes"] == sum(figures[f"disk_{part}_bytes"] for part in parts)
    assert figures["build_peak_bytes"] > 30e6
    assert told["machine"]["cpus"] and told["questions"] == 10


def test_programs_are_compared_on_the_same_passages(benched):
    out, _ = benched
    told = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    peers = {peer["name"]: peer for peer in told["peers"]}
    assert {bench.OURS, "txtai"} <= peers.keys()
    assert told["compared"] == 300
    # The program found the right article for every other question, in the order asked.
    assert peers["txtai"]["found"] == pytest.approx(1 / 6)
    assert peers["txtai"]["median_ms"] == {"10": 7.0, "100": 7.0}
    assert peers[bench.OURS]["found"] >= 0.9


def test_a_bench_is_written_for_people_too(benched):
    out, _ = benched
    page = (out / "bench.md").read_text(encoding="utf-8")
    assert "| to evidence, median | ms |" in page
    assert "articles of made-up words" in page and "![How each grows" in page
    line = next(line for line in page.splitlines() if line.startswith("| txtai"))
    assert "txtai 0.0" in line and "×)" in line
    for row in re.findall(r"^\|.*\|$", page, re.MULTILINE):
        assert row.count("|") in (4, 10)
    drawn = (out / "bench.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn and drawn.rstrip().endswith("</svg>")
    assert not (out / "work").exists()


def test_a_finished_size_is_kept(benched, monkeypatch):
    out, arguments = benched
    before = (out / "bench.json").read_text(encoding="utf-8")
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("size-*.json")}
    assert tanya(*arguments) == 0
    assert kept == {path.name: path.stat().st_mtime_ns for path in out.glob("size-*.json")}
    after = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    assert after["sizes"] == json.loads(before)["sizes"]


def test_figures_of_another_bench_are_left_alone(benched, capsys):
    out, arguments = benched
    assert tanya(*arguments, "--seed", 3) == 1
    assert "figures of another bench (seed 0)" in capsys.readouterr().err


def test_a_bench_that_was_stopped_goes_on_where_it_was(tmp_path):
    place = bench._place(100, bench_text.Made({100: []}, {}), tmp_path)
    clock = bench_commands.Clock(lambda doing, done, total: None, [1.0] * 9)
    plan = bench.Plan((100,), tmp_path)
    done = []

    def add(place, clock):
        done.append("add")
        place.home.mkdir(exist_ok=True)
        (place.home / "archive.db").touch()
        return {"add_seconds": 1.0}

    def stopped(place, clock):
        raise KeyboardInterrupt

    def build(place, clock):
        done.append("build")
        return {"build_seconds": 2.0}

    with pytest.raises(KeyboardInterrupt):
        bench._measured(plan, place, {"add": add, "build": stopped}, clock)
    steps = {"add": add, "build": build}
    for _ in range(2):
        found = bench._measured(plan, place, steps, clock)
        assert found == {"add_seconds": 1.0, "build_seconds": 2.0}
    assert done == ["add", "build"]
    # Without its archive, what is left to do has nothing to stand on.
    (place.home / "archive.db").unlink()
    bench._measured(plan, place, {**steps, "more": build}, clock)
    assert done == ["add", "build", "add", "build", "build"]


# Programs and commands ---------------------------------------------------------------------------


def given(folder):
    """Write what a program is given: twelve passages, each asked about once."""
    words = bench_text.vocabulary(0)[1000:1240]
    texts = [" ".join(words[at : at + 20]) for at in range(0, 240, 20)]
    vectors = np.eye(12, 16, dtype=np.float32)
    rows = [{"id": f"a{at}#0", "text": each} for at, each in enumerate(texts)]
    asked = [{"text": " ".join(each.split()[3:7])} for each in texts]
    for name, some in (("passages", rows), ("queries", asked)):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "queries.npy", vectors)
    plan = {"depths": [3, 5], "seconds": 30, "warm": 2}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")


def test_the_plain_program_runs_as_a_script_of_its_own(tmp_path):
    pytest.importorskip("bm25s")
    given(tmp_path)
    command = [sys.executable, bench_peers.__file__, "plain", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["passages"] == 12 and told["build_seconds"] > 0 and told["peak_bytes"] > 1e7
    for depth, search in told["searches"].items():
        assert search["asked"] == 10
        assert [ids[0] for ids in search["found"]] == [f"a{at}#0" for at in range(10)]
        assert all(len(ids) <= int(depth) for ids in search["found"])
    assert told["versions"].keys() == {"faiss-cpu", "bm25s"}


def test_the_script_needs_nothing_of_ours():
    source = Path(bench_peers.__file__).read_text(encoding="utf-8")
    assert not re.search(r"^\s*(from|import) (index|qa|eval)\b", source, re.MULTILINE)


def test_a_command_s_memory_is_its_own_and_its_children_s(tmp_path):
    clock = bench_commands.Clock(lambda doing, done, total: None, [1.0])
    ballast = np.ones(60_000_000)  # of this process, and of nobody else's
    small = bench_commands.spawn([sys.executable, "-c", "pass"], tmp_path, clock)
    assert small["peak_bytes"] < 40e6 and ballast[0]
    child = "import time; x = bytearray(80_000_000); time.sleep(0.6)"
    parent = (
        "import subprocess, sys\n"
        f"all = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]\n"
        "for each in all: each.wait()"
    )
    both = bench_commands.spawn([sys.executable, "-c", parent], tmp_path, clock)
    assert both["peak_bytes"] > 160e6
    assert both["seconds"] > 0.6


def test_a_command_that_fails_is_told(tmp_path):
    clock = bench_commands.Clock(lambda doing, done, total: None, [1.0])
    with pytest.raises(InputError, match="kaput"):
        command = [sys.executable, "-c", "import sys; sys.exit('kaput')"]
        bench_commands.spawn(command, tmp_path, clock)


def test_the_clock_goes_on_and_ends_where_it_said():
    told = []
    clock = bench_commands.Clock(lambda *given: told.append(given), [2.0, 6.0])
    with clock.during("satu"):
        clock.share(1, 2)
        clock.tick()
    with clock.during("dua"):
        clock.share(1, 3)
    assert [done for _, done, _ in told[:2]] == [0.0, 1.0]
    assert told[-2:] == [("dua", 4.0, 8.0), ("dua", 8.0, 8.0)]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--peer", "milvus=/bin/sh"], 1, "'milvus' is not known; known: txtai, haystack"),
        (["--peer", "txtai=/no/such/python"], 1, "no Python in '/no/such/python'"),
        (["--peer", "txtai"], 2, "'txtai' but must be NAME=PYTHON"),
        (["--sizes", "banyak"], 2, "'banyak' but must be numbers"),
        (["--sizes", "500,500"], 1, "must be different numbers"),
        (["--sizes", "20"], 1, "each 100 or more"),
        (["--data", "no-such-folder"], 1, "no-such-folder' but must be a folder"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_told(tmp_path, capsys, arguments, status, message):
    assert tanya("--out", tmp_path / "x", *arguments) == status
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
    assert not (tmp_path / "x" / "work").exists()


def test_a_program_that_prints_no_figures_is_told(tmp_path):
    place = bench._place(100, bench_text.Made({100: []}, {}), tmp_path)
    place.vectors.mkdir()
    np.save(place.vectors / "vectors.npy", np.zeros((1, 2)))
    clock = bench_commands.Clock(lambda doing, done, total: None, [1.0])
    peer = fake_peer(tmp_path / "python", "print('halo')")
    assert os.access(peer, os.X_OK)
    runner = bench._Runner("txtai", peer, place, clock)
    with pytest.raises(InputError, match="txtai: .* printed no figures"):
        runner.measure(bench.Plan((100,), tmp_path))
