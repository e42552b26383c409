"""Tuning: the archive's pairs, a training that helps, a gate that keeps out what does not."""

import json
import random
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval import datasets, known_items, trials
from index import settings_file, tuning
from index.archive import FILE_NAME, Archive
from index.embedding import (
    MODEL_FOLDER,
    SentenceTransformerEmbedder,
    StaticEmbedder,
    open_embedder,
    read_static,
)
from index.errors import SettingsError
from index.records import Article
from index.settings import EmbeddingSettings, Settings
from tests import conftest, homes

ROOT = Path(__file__).parents[1]
ARTICLES, TOPICS, WORDS = 240, 12, 80
ONSETS = "b c d g h j k l m n p r s t w ng ny".split()
VOWELS = "a i u e o".split()


def tanya_command(home, *arguments):
    start = "from eval.cli import main; main()"
    return [sys.executable, "-c", start, "--home", str(home), *map(str, arguments)]


def tanya(home, *arguments):
    command = tanya_command(home, *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def made_up(dice):
    return "".join(dice.choice(ONSETS) + dice.choice(VOWELS) for _ in range(3))


def toy_articles():
    """Write articles of made-up words: a few are used all the time, most belong to a topic."""
    dice = random.Random(5)
    common = [made_up(dice) for _ in range(30)]
    topics = [[made_up(dice) for _ in range(WORDS)] for _ in range(TOPICS)]
    often = [1 / (rank + 4) for rank in range(WORDS)]
    for number in range(ARTICLES):
        topic = topics[number % TOPICS]
        own = sorted(set(dice.choices(topic, often, k=24)))

        def sentence(own=own):
            words = dice.sample(own, 6) + dice.choices(common, k=20)
            dice.shuffle(words)
            return " ".join(words).capitalize() + "."

        yield Article(
            id=f"t{number}",
            publisher="Harian Uji",
            title=" ".join(dice.sample(own, 3)).title(),
            body=" ".join(sentence() for _ in range(14)),
        )


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Return a home with the toy archive in it."""
    home = tmp_path_factory.mktemp("toy")
    homes.add(home, list(toy_articles()))
    return home


@pytest.fixture(scope="module")
def base():
    return read_static(MODEL_FOLDER)


@pytest.fixture(scope="module")
def trial(toy, base, tmp_path_factory):
    """Return what tries a table against the bundled one on questions about the toy archive."""
    folder = tmp_path_factory.mktemp("trial")
    with Archive.open(toy / FILE_NAME) as archive:
        known_items.make(archive, folder / "set", questions=80)
        found = datasets.load(folder / "set")
        corpus = trials.sample(
            archive, {"t1"}, [], max_tokens=160, most=10_000, progress=lambda done, total: None
        )
    asked = trials.Asked("known", found, own=True)
    bundled = open_embedder(EmbeddingSettings())

    def run(name, table):
        work = folder / name
        work.mkdir()
        tuning.save(table, base, work / "model")
        after = open_embedder(EmbeddingSettings(model=str(work / "model")))
        return trials.run([asked], corpus, (bundled, after), work, Settings())

    return run


def pairs_of(articles, home, base, **options):
    homes.add(home, articles)
    with Archive.open(home / FILE_NAME) as archive:
        return tuning.make_pairs(archive, base.tokenizer, max_tokens=160, **options)


def texts(made, base):
    """Return each pair as kind, query and passage, in the words of the vocabulary."""

    def words(begin, end):
        return base.tokenizer.decode(made.tokens[made.starts[begin] : made.starts[end]].tolist())

    found = []
    for query, title, first, last, away, _, kind in made.table.tolist():
        passage = words(title, title + 1) if title >= 0 else ""
        passage += "".join(words(n, n + 1) for n in range(first, last) if n != away)
        found.append((tuning.KINDS[kind], words(query, query + 1).strip(), passage.strip()))
    return found


def test_pairs_do_not_give_the_answer_away(tmp_path, base):
    body = "Padi Dipanen Lebih Awal\n" + "\n".join(
        conftest.sentence(random.Random(number)) for number in range(40)
    )
    made = pairs_of([homes.article(1, body, title="Padi dipanen lebih awal")], tmp_path, base)
    found = texts(made, base)
    assert {kind for kind, _, _ in found} == {"headline", "lead", "rest", "words"}
    for kind, query, passage in found:
        inside = query in passage
        assert inside == (kind == "words"), (kind, query, passage)
        assert ("padi dipanen lebih awal." in passage) == (kind in ("rest", "words"))


def test_what_is_held_out_gives_no_pair(tmp_path, base):
    articles = [conftest.article(number, sentences=30) for number in range(4)]
    twin = replace(conftest.article(9, sentences=30), title=articles[0].title.upper())
    homes.add(tmp_path, [*articles, twin])
    with Archive.open(tmp_path / FILE_NAME) as archive:
        never = articles[1].body.split(". ")[4] + "."
        made = tuning.make_pairs(
            archive, base.tokenizer, max_tokens=160, without={"a0"}, never={never}
        )
    found = texts(made, base)
    queries = {query for _, query, _ in found}
    passages = " ".join(passage for _, _, passage in found)
    for away in (articles[0], twin):
        assert away.body.split(". ")[5].lower() not in passages
        assert away.title.lower() not in queries
    assert never.lower() in passages
    assert never.lower() not in queries
    assert len(set(made.table[:, tuning.GROUP])) == 3


def test_a_reprint_gives_only_its_headline(tmp_path, base):
    first = conftest.article(1, sentences=30)
    reprint = replace(first, id="b", publisher="Kabar Lain", title="Judul Lain Sama Sekali")
    made = pairs_of([first, reprint], tmp_path, base)
    kinds = [tuning.KINDS[kind] for kind in made.table[:, tuning.KIND].tolist()]
    assert len(set(made.table[:, tuning.GROUP])) == 1
    assert kinds.count("story") == kinds.count("headline") > 1
    assert len(made.starts) - 1 < 40


def test_most_bounds_the_stories(tmp_path, base):
    made = pairs_of([conftest.article(n) for n in range(9)], tmp_path, base, most=5)
    assert len(set(made.table[:, tuning.GROUP])) == 5


def test_training_finds_more_of_the_archive(toy, base, trial):
    with Archive.open(toy / FILE_NAME) as archive:
        made = tuning.make_pairs(archive, base.tokenizer, max_tokens=160)
    before = base.table.copy()
    plan = tuning.Plan(passes=6, batch=128)
    told = []
    table = tuning.train(made, base.table, plan, progress=told.append)
    assert (base.table == before).all()
    assert told == sorted(told) and told[-1] < 1
    again = tuning.train(made, base.table, replace(plan, passes=0.2))
    assert (again == tuning.train(made, base.table, replace(plan, passes=0.2))).all()
    untouched = np.setdiff1d(np.arange(len(table)), made.tokens)
    assert (table[untouched] == before[untouched]).all()
    lines = trial("trained", table)
    dense = next(line for line in lines if line.mode == "dense")
    assert dense.rose and dense.verdict.comparison.b > dense.verdict.comparison.a + 0.05
    assert trials.better(lines)


def test_training_ends_with_its_time(toy, base):
    with Archive.open(toy / FILE_NAME) as archive:
        made = tuning.make_pairs(archive, base.tokenizer, max_tokens=160, most=50)
    clock = iter((0.0, 0.5, 1.0, 2.0))
    told = []
    tuning.train(
        made,
        base.table,
        tuning.Plan(passes=1000, batch=32),
        spent=lambda: next(clock),
        progress=told.append,
    )
    assert told == [0.0, 0.5]


def test_a_spoilt_model_is_not_kept(base, trial):
    spoilt = base.table[np.random.default_rng(0).permutation(len(base.table))]
    lines = trial("spoilt", spoilt)
    assert any(line.verdict.fell for line in lines if line.mode == "dense")
    assert not trials.better(lines)


def test_a_model_like_the_one_before_is_not_kept(base, trial):
    lines = trial("same", base.table)
    assert not any(line.verdict.fell for line in lines)
    assert not trials.better(lines)


def test_a_loss_elsewhere_outweighs_the_gain(base, trial):
    (gain, *_) = trial("gain", base.table)
    better = replace(gain.verdict.comparison, a=0.1, b=0.9, p=0.0001)
    gained = replace(gain, verdict=replace(gain.verdict, comparison=better, fell=False))
    lost = replace(gained, verdict=replace(gain.verdict, fell=True))
    others = replace(gained, asked=replace(gain.asked, own=False))
    assert trials.better([gained, gain])
    assert not trials.better([gained, lost])
    assert not trials.better([others, gain]), "a gain on other questions is no reason to rebuild"


def test_a_saved_model_is_one_for_both_readers(tmp_path, base):
    table = base.table + np.random.default_rng(1).normal(size=base.table.shape).astype(np.float32)
    tuning.save(table, base, tmp_path / "disetel")
    settings = EmbeddingSettings(model=str(tmp_path / "disetel"))
    quick, slow = open_embedder(settings), SentenceTransformerEmbedder(settings)
    assert isinstance(quick, StaticEmbedder)
    assert quick.name == slow.name and quick.name.startswith("disetel@")
    asked = ["Siapa bupati Teluk Waru?", "harga beras naik", "é 👧"]
    assert quick.embed_queries(asked) == pytest.approx(slow.embed_queries(asked), abs=1e-5)
    assert quick.embed_passages(asked) == pytest.approx(slow.embed_passages(asked), abs=1e-5)
    # int8 keeps a vector to a part in 254 of its greatest value
    kept = read_static(tmp_path / "disetel").table
    assert (np.abs(kept - table).max(axis=1) <= np.abs(table).max(axis=1) / 250).all()
    tuning.save(base.table, base, tmp_path / "lain" / "disetel")
    other = open_embedder(EmbeddingSettings(model=str(tmp_path / "lain" / "disetel")))
    assert other.name != quick.name


# The command -------------------------------------------------------------------------------------


def files(home):
    """Return the home's files but the lock, with what they hold."""
    return {
        path.relative_to(home): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name != ".lock" and not path.name.startswith(FILE_NAME)
    }


@pytest.fixture
def home(toy, tmp_path):
    shutil.copytree(toy, tmp_path / "home")
    (tmp_path / "home" / "tanya.toml").write_text(
        '# milik redaksi\n[embedding]\nmodel = "bundled"  # bawaan\n\n[chat]\ntitle = "Arsip"\n'
    )
    return tmp_path / "home"


def test_tune_use_build(home):
    done = tanya(home, "tune", "--use", "--name", "arsip")
    assert done.returncode == 0, done.stderr
    assert "all of the archive" in done.stdout and "held out 40" in done.stdout
    assert "kept: " in done.stdout and "tanya build" in done.stdout
    model = (home / "models" / "arsip").resolve()
    told = (home / "tanya.toml").read_text()
    assert told.startswith("# milik redaksi\n[embedding]\n") and "  # bawaan\n\n[chat]" in told
    assert tomllib.loads(told)["embedding"]["model"] == str(model)
    assert sorted(path.name for path in (home / "models").iterdir()) == [".lock", "arsip"]
    assert tanya(home, "build").returncode == 0
    status = json.loads(tanya(home, "status", "--json").stdout)
    assert status["model"].startswith("arsip@")


def test_an_interrupt_changes_nothing(home):
    before = files(home)
    process = subprocess.Popen(
        tanya_command(home, "tune", "--use"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (home / "models" / ".new" / "questions").exists():
        try:
            process.wait(timeout=0.02)
            break
        except subprocess.TimeoutExpired:
            continue
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err == "Stopped. Nothing was changed; no model was kept.\n" and not out
    assert files(home) == before


@pytest.mark.parametrize(
    ("settings", "arguments", "told", "status"),
    [
        ('[embedding]\nmodel = "lain/model"\n', [], "only a static model", 1),
        ("", ["--name", "../x"], "--name", 2),
        ("", ["--set", "tidak-ada"], "tidak-ada", 1),
    ],
)
def test_what_cannot_be_tuned_is_told(home, settings, arguments, told, status):
    (home / "tanya.toml").write_text(settings)
    done = tanya(home, "tune", *arguments)
    assert done.returncode == status
    assert told in done.stderr and done.stderr.count("\n") == 1


def test_a_small_archive_is_told(tmp_path):
    assert "tanya add" in tanya(tmp_path, "tune").stderr
    homes.add(tmp_path, homes.HARBOUR)
    done = tanya(tmp_path, "tune")
    assert done.returncode == 1
    assert "holds 4 articles" in done.stderr and "200" in done.stderr


# One key of tanya.toml ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[embedding]\nmodel = "/m\'s"\n'),
        ('[chat]\ntitle = "A"', '[chat]\ntitle = "A"\n\n[embedding]\nmodel = "/m\'s"\n'),
        ("[embedding]", '[embedding]\nmodel = "/m\'s"\n'),
        (
            "[embedding] # a\nbatch_size = 3\n",
            '[embedding] # a\nmodel = "/m\'s"\nbatch_size = 3\n',
        ),
        (
            "[embedding]\r\n  model='x'#a\r\n[llm]\r\nmodel = \"y\"\r\n",
            '[embedding]\r\n  model = "/m\'s"#a\r\n[llm]\r\nmodel = "y"\r\n',
        ),
        (
            '[llm]\nmodel = "y"\n[embedding]\n# model = "z"\nmodel = "a\\"b"\n',
            '[llm]\nmodel = "y"\n[embedding]\n# model = "z"\nmodel = "/m\'s"\n',
        ),
    ],
)
def test_only_the_key_changes(tmp_path, before, after):
    (tmp_path / "tanya.toml").write_bytes(before.encode())
    settings_file.change(tmp_path, "embedding", "model", "/m's")
    assert (tmp_path / "tanya.toml").read_bytes().decode() == after
    assert [path.name for path in tmp_path.iterdir()] == ["tanya.toml"]


@pytest.mark.parametrize(
    "content",
    [
        'embedding.model = "x"\n',
        'embedding = {model = "x"}\n',
        '[embedding]\nmodel = """\nx"""\n',
        "[embedding\n",
        '[chat]\ntitle = """\n[embedding]\n"""\n[embedding]\nmodel = "x"\n',
    ],
)
def test_an_unusual_file_is_left_alone(tmp_path, content):
    (tmp_path / "tanya.toml").write_text(content)
    with pytest.raises(SettingsError, match="embedding"):
        settings_file.change(tmp_path, "embedding", "model", "/m")
    assert (tmp_path / "tanya.toml").read_text() == content
