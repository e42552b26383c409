"""The `tanya` command as other programs call it, by its exit status and what it prints.

Its streams and exit status are tried in processes of their own, what commands do, in this one.
"""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from commands.main import app, home_first, run
from tests.homes import run_tanya
from tests.homes import tell as tanya

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample" / "articles"
CITATION_KEYS = {
    "number",
    "article_id",
    "title",
    "publisher",
    "published",
    "url",
    "quote",
    "start",
    "end",
    "also_in",
}
ROW_KEYS = {
    "id",
    "question",
    "standalone",
    "filter",
    "status",
    "short_answer",
    "confidence",
    "claims",
    "citations",
    "answerer",
    "version",
    "seconds",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("sample")
    added = run_tanya(home, "add", SAMPLE)
    assert added.returncode == 0, added.stderr
    assert "new 42" in added.stdout and "problems 0" in added.stdout
    built = run_tanya(home, "build")
    assert built.returncode == 0, built.stderr
    return home


def one_line(done):
    assert done.stderr.startswith("tanya: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_adding_and_building_again_does_nothing(home):
    assert "new 0 · changed 0 · same 42" in tanya(home, "add", SAMPLE).stdout
    assert "Nothing to do" in tanya(home, "build").stdout


def test_status_as_json(home):
    status = json.loads(run_tanya(home, "status", "--json").stdout)
    assert status["articles"] == status["indexed_articles"] == 42
    assert status["stories"] < 42
    assert status["waiting_new"] == status["waiting_changed"] == status["waiting_removed"] == 0
    assert status["version"].isdigit()


def test_ask_answers_the_first_example_with_its_citation(home):
    done = run_tanya(home, "ask", "Apa yang disepakati Wiranto dengan China?", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    row = json.loads(done.stdout)
    assert set(row) == ROW_KEYS
    assert row["status"] == "answered"
    assert "siber" in " ".join(claim["text"] for claim in row["claims"])
    for citation in row["citations"]:
        assert set(citation) == CITATION_KEYS
    assert row["citations"][0]["published"] == "2016-12-15"


def test_ask_for_a_person_to_read(home):
    done = tanya(home, "ask", "Apa yang disepakati Wiranto dengan China?")
    assert "[1]" in done.stdout and "“" in done.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--after", "2016-12-09", "--before", "2016-12-15"], "(9-15 Desember 2016)"),
        (["--after", "2016-11-09", "--before", "2016-12-15"], "(9 November - 15 Desember 2016)"),
        (["--after", "2015-11-09", "--before", "2016-12-15"], "9 November 2015 - 15 Desember 2016"),
        (["--after", "2016-12-15", "--before", "2016-12-15"], "(15 Desember 2016)"),
        (["--after", "2016-12-15"], "(sejak 15 Desember 2016)"),
        (["--before", "2016-12-15", "--publisher", "kabarlembayung"],
         "(sampai 15 Desember 2016, kabarlembayung.id)"),
        ([], None),
    ],
)  # fmt: skip
def test_the_filter_in_force_is_told(home, capsys, options, told):
    assert run(app, ["--home", str(home), "ask", "Di mana banjir terjadi?", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not any(line.endswith(" ") for line in lines)
    if told:
        assert lines[0].startswith("Dipahami sebagai: Di mana banjir terjadi?") and told in lines[0]
    else:
        assert not lines[0].startswith("Dipahami")


def test_lines_are_folded_for_a_terminal_only(home, monkeypatch):
    question = "Apa yang disepakati Wiranto dengan China?"
    monkeypatch.setenv("COLUMNS", "40")
    plain = tanya(home, "ask", question).stdout
    assert max(map(len, plain.splitlines())) > 80
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from commands.main import main; main()", "--home", str(home)]
    done = subprocess.Popen(
        [*command, "ask", question],
        cwd=ROOT,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    told = b""
    try:
        while part := os.read(ours, 4096):
            told += part
    except OSError:
        pass  # The terminal was closed from the other side.
    os.close(ours)
    assert done.wait() == 0
    lines = told.decode("utf-8").splitlines()
    assert all(len(line) <= 40 or " " not in line.strip() for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(plain.split())


def test_a_batch_follows_conversations(home, tmp_path):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        '{"id": "a", "question": "Apa yang disepakati Wiranto dengan China?"}\n'
        '{"id": "b", "question": "Kapan itu terjadi?", "after": "a"}\n',
        encoding="utf-8",
    )
    out = tmp_path / "answers.jsonl"
    assert tanya(home, "ask", "--batch", questions, "--out", out).returncode == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert "Wiranto" in rows[1]["standalone"]
    assert all(set(row) == ROW_KEYS for row in rows)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('{"id": "a", "question": "banjir"}\n{"id": "b", "question": "?"}', "q.jsonl:2"),
        ('{"id": "a", "question": "banjir"}\n{"id": "a", "question": "gempa"}', "twice"),
        ('{"id": "a", "question": "banjir", "after": "z"}', "'z'"),
        ("[1]", "q.jsonl:1"),
        ("\n{", "q.jsonl:2 is not JSON: Expecting property name"),
    ],
)
def test_a_broken_batch_names_its_row_and_writes_nothing(home, tmp_path, rows, said):
    (tmp_path / "q.jsonl").write_text(rows, encoding="utf-8")
    out = tmp_path / "out"
    done = tanya(home, "ask", "--batch", tmp_path / "q.jsonl", "--out", out)
    assert done.returncode == 1
    assert said in one_line(done)
    assert not out.exists()


def test_a_batch_is_never_its_own_result(home, tmp_path):
    batch = tmp_path / "q.jsonl"
    batch.write_text('{"id": "a", "question": "banjir"}\n', encoding="utf-8")
    (tmp_path / "link").symlink_to(batch)
    for command, out in (("ask", batch), ("search", tmp_path / "link")):
        done = tanya(home, command, "--batch", batch, "--out", out)
        assert done.returncode == 2 and "is the batch itself" in one_line(done)
    assert batch.read_text(encoding="utf-8") == '{"id": "a", "question": "banjir"}\n'


def test_what_a_batch_did_is_told(home, tmp_path):
    batch = tmp_path / "q.jsonl"
    batch.write_text('{"id": "a", "question": "banjir"}\n', encoding="utf-8")
    out = tmp_path / "out"
    assert "1 answer written to" in tanya(home, "ask", "--batch", batch, "--out", out).stdout
    assert "1 question searched," in tanya(home, "search", "--batch", batch, "--out", out).stdout
    done = tanya(home, "ask", "--batch", batch, "--out", tmp_path / "none" / "out")
    assert done.returncode == 1 and ".part" not in one_line(done)
    assert "none/out cannot be written: No such file" in done.stderr


def test_a_batch_takes_whatever_json_holds(home, tmp_path):
    batch = tmp_path / "q.jsonl"
    odd = json.dumps({"id": "a", "question": "banjir \u2028 Karangtirta"}, ensure_ascii=False)
    half = '{"id": "b", "question": "banjir \\ud83d"}'
    batch.write_text(f"\ufeff{odd}\n\n{half}\n", encoding="utf-8")
    assert tanya(home, "ask", "--batch", batch, "--out", tmp_path / "out").returncode == 0
    assert len((tmp_path / "out").read_text(encoding="utf-8").split("\n")) == 3


def test_a_run_cannot_hold_an_id_with_a_space(home, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"id": "a b", "question": "banjir"}', encoding="utf-8")
    done = tanya(home, "search", "--batch", tmp_path / "q.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 1 and "'a b'" in one_line(done)


def test_without_arguments_the_help_is_shown(home):
    done = tanya(home, "eval")
    assert done.returncode == 2
    assert "compare" in done.stderr and len(done.stderr.splitlines()) > 5


def test_search_writes_a_trec_run_that_eval_scores(home, tmp_path):
    questions = ROOT / "sample" / "questions"
    run = tmp_path / "run.trec"
    done = tanya(
        home, "search", "--batch", questions / "queries.jsonl", "--out", run, "--mode", "lexical"
    )
    assert done.returncode == 0, done.stderr
    for line in run.read_text(encoding="utf-8").splitlines():
        _, q0, _, rank, score, _ = line.split(" ")
        assert q0 == "Q0" and int(rank) >= 1 and float(score) > 0
    scored = tanya(home, "eval", "score", questions / "qrels.tsv", run)
    first = float(scored.stdout.splitlines()[1].split()[1])
    assert first > 0.7
    compared = tanya(home, "eval", "compare", questions / "qrels.tsv", run, run)
    assert "+0.0000" in compared.stdout


def test_search_as_json_lines(home):
    done = tanya(home, "search", "kerja sama siber", "-k", 3, "--json", "--mode", "lexical")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["rank"] for row in rows] == [1, 2, 3]


def test_filters_narrow_the_search(home):
    done = tanya(
        home, "search", "banjir", "--json", "--mode", "lexical", "--before", "2019-12-31", "-k", 50
    )
    dates = [json.loads(line)["published"] for line in done.stdout.splitlines()]
    assert dates and all(date <= "2019-12-31" for date in dates)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["ask", "???"], 2, "QUESTION"),
        (["ask", "   "], 2, "QUESTION"),
        (["search", "?"], 2, "QUESTION"),
        (["ask"], 2, "QUESTION"),
        (["ask", "--batch", "/tidak/ada", "--out", "x"], 1, "There is no /tidak/ada.\n"),
        (["ask", "banjir", "--after", "kemarin"], 2, "YYYY-MM-DD"),
        (["ask", "banjir", "--after", "2020-01-01", "--before", "2019-01-01"], 2, "later"),
        (["ask", "banjir", "--publisher", "Koran Mars"], 1, "Koran Mars"),
        (["search", "banjir", "--mode", "ajaib"], 2, "ajaib"),
        (["search", "banjir", "-k", "0"], 2, "-k"),
        (["add", "/tidak/ada"], 1, "/tidak/ada"),
        (["remove", "tidak-ada"], 1, "tidak-ada"),
        (["rollback"], 1, "no version before"),
        (["terbang"], 2, "terbang"),
        (["serve", "--port", "70000"], 2, "65535"),
        (["eval", "score", "/tidak/ada", "/tidak/ada"], 1, "/tidak/ada"),
    ],
)
def test_problems_are_told_in_one_line(home, arguments, status, said):
    done = tanya(home, *arguments)
    assert done.returncode == status, done.stderr
    assert said in one_line(done)


def test_before_the_first_build(tmp_path):
    done = run_tanya(tmp_path / "none", "ask", "banjir")
    assert done.returncode == 1 and "tanya add" in one_line(done)
    assert "tanya add" in one_line(tanya(tmp_path / "none", "build"))
    assert tanya(tmp_path / "none", "status").returncode == 1


def test_broken_settings_are_told(tmp_path):
    (tmp_path / "tanya.toml").write_text("[retrieval]\nmodus = 'x'\n", encoding="utf-8")
    done = tanya(tmp_path, "ask", "banjir")
    assert done.returncode == 1
    assert "modus" in one_line(done)


def test_files_that_are_no_articles_are_told_and_do_not_stop_the_rest(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "kosong.txt").write_bytes(b"")
    (folder / "biner.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "baik.jsonl").write_text(
        json.dumps({"id": "x1", "title": "Uji", "text": "Hujan turun di Bukit Lada. " * 9}) + "\n"
    )
    done = tanya(tmp_path / "home", "add", folder)
    assert done.returncode == 0
    assert "new 1" in done.stdout and "problems 2" in done.stdout
    assert "kosong.txt" in done.stderr and "biner.txt" in done.stderr
    assert "without a date: 1 article," in done.stdout
    assert "without a publisher: 1 article;" in done.stdout
    named = tanya(tmp_path / "home", "add", folder, "--publisher", "Harian Kita").stdout
    assert "without a publisher" not in named


def test_add_remove_rollback_prune(tmp_path):
    rows = [
        {"id": f"n{n}", "title": f"Berita {n}", "text": f"Kambing nomor {n} lari ke Bukit Lada."}
        for n in range(3)
    ]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    home = tmp_path / "home"
    assert tanya(home, "add", file).returncode == 0
    assert tanya(home, "build").returncode == 0
    assert tanya(home, "remove", "n1").returncode == 0
    found = tanya(home, "build").stdout
    assert "removed 1" in found and "embedded 0" in found
    hits = tanya(home, "search", "kambing", "--mode", "lexical", "--json").stdout
    assert "n1" not in hits and "n0" in hits
    assert "removed earlier" in tanya(home, "add", file).stdout
    assert "000001" in tanya(home, "rollback").stdout
    hits = tanya(home, "search", "kambing", "--mode", "lexical", "--json").stdout
    assert "n1" not in hits and "n0" in hits
    assert tanya(home, "prune", "--keep", 1).returncode == 0
    status = json.loads(tanya(home, "status", "--json").stdout)
    assert status["version"] == "000001" and status["versions"] == 2


def test_the_home_may_stand_behind_the_command(home, tmp_path):
    def status(*arguments):
        command = [sys.executable, "-c", "from commands.main import main; main()", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    for arguments in (("--home", str(home)), (f"--home={home}",)):
        done = status("status", *arguments, "--json")
        assert json.loads(done.stdout)["home"] == str(home), done.stderr
    done = status("status", "--home")
    assert done.returncode == 2 and "--home" in one_line(done)
    assert home_first(["ask", "--", "--home", "x"]) == ["ask", "--", "--home", "x"]
    assert home_first(["--home", "a", "ask", "--home", "b"]) == [
        "--home",
        "a",
        "--home",
        "b",
        "ask",
    ]


def test_help_names_what_is_typed(capsys):
    for command in ("gate", "compare"):
        assert run(app, ["eval", command, "--help"]) == 0
        assert "[SET] A B" in capsys.readouterr().out
    assert run(app, ["serve", "--help"]) == 0
    assert "-1" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["add", "watch", "remove", "export", "ask", "search", "prune", "serve"]
)
def test_help_names_what_an_option_takes(capsys, command):
    assert run(app, [command, "--help"]) == 0
    options = capsys.readouterr().out.partition("Options:")[2]
    assert "-h, --help" in options and "<list" not in options and "<path" not in options


def test_help_shows_examples():
    done = tanya("unused", "ask", "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout


def test_shares_are_embedded_apart_and_taken_up(home, tmp_path):
    other = tmp_path / "home"
    other.mkdir()
    assert tanya(other, "add", SAMPLE).returncode == 0
    for share, said in (("1/2", "42 articles (embedded 42)"), ("2/2", "nothing falls to it")):
        done = tanya(other, "build", "--shard", share)
        assert done.returncode == 0 and said in done.stdout, done.stderr
    assert json.loads(tanya(other, "status", "--json").stdout)["version"] is None
    built = tanya(other, "build").stdout
    assert "embedded 0 articles" in built and "taken up 42" in built


@pytest.mark.parametrize("share", ["2", "0/2", "3/2", "a/b", "1/0", "-1/2"])
def test_a_share_that_is_none_is_told(home, share):
    done = tanya(home, "build", "--shard", share)
    assert done.returncode in (1, 2)
    assert "share" in one_line(done) or "shard" in one_line(done)


def test_status_tells_how_vectors_are_searched(home):
    assert "flat" in tanya(home, "status").stdout
    kinds = json.loads(tanya(home, "status", "--json").stdout)["vectors"]
    assert [(kind["kind"], kind["recall"]) for kind in kinds] == [("flat", 1.0)]


@pytest.mark.parametrize("name", ["baris\ndua", "50%41 ?x=1&mode=ro#frag", "file:sp ace"])
def test_a_home_and_files_of_any_name(tmp_path, name):
    home = tmp_path / name
    source = tmp_path / os.fsdecode(b"berita-\xff\n%?#.jsonl")
    row = {"title": "Bendungan \ud800 Wanatirta", "body": "Bendungan Wanatirta diresmikan. \udfff"}
    source.write_text(json.dumps(row), encoding="ascii")
    out = tmp_path / os.fsdecode(b"keluar-\xff")
    for command in (
        ["add", source],
        ["build"],
        ["ask", "Kapan Bendungan \udcff Wanatirta diresmikan?"],
        ["search", "bendungan \udcff"],
        ["export", "--out", out.with_suffix(".jsonl")],
        ["backup", out],
        ["restore", out, "--force"],
        ["status"],
    ):
        done = tanya(home, *command)
        assert done.returncode == 0, (command, done.stderr)


def test_a_home_whose_name_is_not_utf_8_is_told(tmp_path):
    done = tanya(tmp_path / os.fsdecode(b"latin-\xe9"), "status")
    assert one_line(done) and "is not UTF-8" in done.stderr
