"""`tanya build --gate`: a version that finds less never goes live, and nothing of it stays."""

import shutil
from pathlib import Path

import pytest

from eval import questions as sets
from eval.questions import Question
from index import build as builds
from index.archive import FILE_NAME, Archive
from index.embedding import open_embedder
from index.engines.local import LocalEngine
from index.errors import GateError
from index.settings import Settings
from index.versions import NEW, Versions
from tests.homes import tanya
from tests.news import NOW, add, article

ARTICLES = 40
OTHER = "Isi berita ini diganti seluruhnya oleh redaksi dengan teks yang lain sama sekali."


def change(home, articles):
    """Add articles to the home's archive."""
    with Archive.open(home / FILE_NAME, create=True) as archive:
        add(archive, articles)


def configure(home, more):
    """Add to the home's settings."""
    with (home / "tanya.toml").open("a", encoding="utf-8") as file:
        file.write(more)


def spoiled(numbers):
    """Return those articles with another text under the same id."""
    return [article(n, f"{OTHER} Nomor {n}.", title="Berita") for n in numbers]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a home with one version, and a question for each of its articles.

    What its searches find is not ordered by reading: each gate searches for all questions twice.
    """
    folder = tmp_path_factory.mktemp("gate")
    home = folder / "home"
    home.mkdir()
    (home / "tanya.toml").write_text("[reader]\nsearch = false\n", encoding="utf-8")
    articles = [article(number) for number in range(ARTICLES)]
    change(home, articles)
    sets.write(
        folder / "set",
        [Question(a.id, a.body.partition(".")[0]) for a in articles],
        {a.id: {a.id: 1} for a in articles},
    )
    assert tanya(home, "build") == 0
    return folder


@pytest.fixture
def place(built, tmp_path):
    """Return a copy of the built home and of its set, to be changed."""
    shutil.copytree(built, tmp_path / "place")
    return tmp_path / "place"


def live(home):
    return Versions(home / "versions", LocalEngine()).live()


def versions(home):
    return sorted(p.name for p in (home / "versions").iterdir() if p.is_dir())


def test_a_version_that_finds_less_does_not_go_live(place, capsys):
    home = place / "home"
    before = sorted(p for p in (home / "versions").rglob("*") if p.is_file())
    change(home, spoiled(range(20)))
    assert tanya(home, "build", "--gate", place / "set") == 1
    told = capsys.readouterr()
    assert live(home) == "000001" and versions(home) == ["000001"]
    assert sorted(p for p in (home / "versions").rglob("*") if p.is_file()) == before
    assert any(line.startswith("gate: R@10") and "FELL" in line for line in told.out.splitlines())
    assert told.err.startswith("tanya: The new version finds significantly less on set")
    assert "version 000001 stays live" in told.err and told.err.count("\n") == 1
    assert tanya(home, "search", "jembatan gantung") == 0


def test_it_goes_live_without_the_gate(place):
    home = place / "home"
    change(home, spoiled(range(20)))
    assert tanya(home, "build", "--gate", place / "set") == 1
    assert tanya(home, "build") == 0
    assert live(home) == "000002"


def test_a_version_as_good_goes_live(place, capsys):
    home = place / "home"
    change(home, [article(number) for number in range(100, 110)])
    assert tanya(home, "build", "--gate", place / "set") == 0
    told = capsys.readouterr().out
    assert live(home) == "000002" and versions(home) == ["000001", "000002"]
    assert told.count("gate: ") == 5 and "FELL" not in told and "version 000002" in told


def test_a_fall_within_chance_goes_live(place, capsys):
    home = place / "home"
    change(home, spoiled([0]))
    assert tanya(home, "build", "--gate", place / "set") == 0
    assert live(home) == "000002"
    recall = next(r for r in capsys.readouterr().out.splitlines() if r.startswith("gate: R@10 "))
    assert " 1.0000 -> 0.9750 " in recall and recall.endswith("ok")


def test_a_gain_goes_live(place, capsys):
    home = place / "home"
    change(home, spoiled(range(20)))
    assert tanya(home, "build") == 0
    change(home, [article(number) for number in range(20)])
    assert tanya(home, "build", "--gate", place / "set") == 0
    assert live(home) == "000003"


def test_the_first_version_has_nothing_to_be_compared_with(built, tmp_path, capsys):
    change(tmp_path, [article(1)])
    assert tanya(tmp_path, "build", "--gate", built / "set") == 0
    assert "nothing to compare" in capsys.readouterr().out
    assert live(tmp_path) == "000001"


def test_a_gate_without_its_set_builds_nothing(place, capsys):
    home = place / "home"
    change(home, [article(100)])
    assert tanya(home, "build", "--gate", place / "none") == 1
    assert "none" in capsys.readouterr().err
    assert versions(home) == ["000001"]


def test_a_set_of_another_archive_is_no_gate(place, capsys):
    home = place / "home"
    (home / "tanya.toml").unlink()  # With so few questions, the gate may read.
    asked = [Question(i, "Di mana jembatan?") for i in ("a1", "lain")]
    sets.write(place / "other", asked, {"a1": {"tidak-ada": 1}})
    change(home, [article(100)])
    assert tanya(home, "build", "--gate", place / "other") == 1
    assert "No question has a relevant article" in capsys.readouterr().err
    assert versions(home) == ["000001"]
    held = article(1).id
    sets.write(place / "other", asked, {"a1": {held: 1}, "lain": {"tidak-ada": 1}})
    assert tanya(home, "build", "--gate", place / "other") == 0
    told = capsys.readouterr().out
    assert "gate: 1 of 2 questions has no relevant article in this archive.\n" in told


def test_another_recipe_is_held_to_the_same(place, capsys):
    home = place / "home"
    configure(home, "[chunking]\nmax_tokens = 40\n")
    assert tanya(home, "build", "--gate", place / "set") == 0
    assert live(home) == "000002" and "gate: RR@10" in capsys.readouterr().out


def test_another_model_is_compared_with_a_run_of_the_live_version(place, tmp_path, capsys):
    """The live version cannot be searched with another model: a run made before stands for it."""
    home = place / "home"
    assert tanya(home, "eval", "run", place / "set", "--out", place / "before") == 0
    bundled = Path(builds.__file__).parent / "model"
    copy = tmp_path / "other-model"
    shutil.copytree(bundled, copy)
    (copy / "extra.txt").write_text("another model", encoding="utf-8")
    configure(home, f"[embedding]\nmodel = '{copy}'\n")
    capsys.readouterr()
    assert tanya(home, "build", "--gate", place / "set") == 1
    assert "--gate-run RUN" in capsys.readouterr().err and versions(home) == ["000001"]
    gated = ("build", "--gate", place / "set", "--gate-run", place / "before")
    assert tanya(home, *gated) == 0
    assert live(home) == "000002"
    change(home, spoiled(range(20)))
    assert tanya(home, *gated) == 1
    assert live(home) == "000002"


def test_a_run_of_other_questions_is_no_base(place, capsys):
    home = place / "home"
    assert tanya(home, "eval", "run", place / "set", "--out", place / "before") == 0
    sets.write(place / "other", [Question("a1", "Lain?")], {"a1": {article(1).id: 1}})
    change(home, [article(100)])
    gated = ("build", "--gate", place / "other", "--gate-run", place / "before")
    assert tanya(home, *gated) == 1
    assert "other questions" in capsys.readouterr().err and versions(home) == ["000001"]
    assert tanya(home, "build", "--gate-run", place / "before") == 2


@pytest.mark.parametrize("error", [GateError("no"), KeyboardInterrupt()])
def test_whatever_a_check_raises_leaves_the_live_version(place, error):
    home = place / "home"
    change(home, [article(100)])
    embedder = open_embedder(Settings().embedding)
    held = Versions(home / "versions", LocalEngine())
    seen = []

    def check(index):
        seen.append((index.version.name, index.version.articles, held.live()))
        raise error

    with Archive.open(home / FILE_NAME) as archive, pytest.raises(type(error)):
        recipe = builds.recipe(held.engine, embedder, Settings().chunking)
        builds.build(archive, held, recipe, embedder, now=NOW, check=check)
    assert seen == [("000002", ARTICLES + 1, "000001")]
    assert held.live() == "000001" and held.names() == ["000001"]
    assert not (home / "versions" / NEW).exists()
    assert tanya(home, "build") == 0 and held.live() == "000002"
