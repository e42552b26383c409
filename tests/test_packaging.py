"""What pyproject.toml declares is what the code imports; the wheel itself: tests/wheel.sh."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PRODUCT = ("index", "qa", "eval", "commands", "page", "web")

# What an extra brings may be imported by these alone, which say what to install where it lacks.
WITH_EXTRA = {
    "mcp": {"mcp"},
    "milvus": {"pymilvus", "grpc", "milvus_lite"},
    "parquet": {"pyarrow"},
}
# Programs that `tanya eval bench --peer` measures, each in an environment that the user names.
PEERS = {"bm25s", "haystack", "llama_index", "txtai"}
# Imported by trafilatura alone, as a part of lxml that lxml does not bring.
BESIDE = {"lxml-html-clean"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def bounds(requirements):
    """Return the lower bound of each requirement by name; only lower bounds are allowed."""
    found = {}
    for requirement in requirements:
        if requirement.startswith("tanya-arsip["):
            continue
        name, _, bound = requirement.partition(">=")
        assert re.fullmatch(r"[\d.]+", bound), f"{requirement!r} is no lower bound"
        found[normal(name)] = tuple(map(int, bound.split(".")))
    return found


def third_party(paths):
    """Return the top names that files import, also inside functions, but the library's and ours."""
    names = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.partition(".")[0])
    ours = {path.stem for path in ROOT.glob("*.py")} | {*PRODUCT, "train", "tests"}
    return names - sys.stdlib_module_names - ours


known_distributions = functools.cache(packages_distributions)


def distributions(names):
    known = known_distributions()
    return {normal(known[name][0] if name in known else name) for name in names}


def product_files():
    return [*ROOT.glob("*.py"), *(p for name in PRODUCT for p in (ROOT / name).rglob("*.py"))]


def test_what_the_product_imports_is_declared_and_what_is_declared_is_imported():
    names = third_party(product_files()) - PEERS
    optional = set().union(*WITH_EXTRA.values())
    assert distributions(names - optional) | BESIDE == set(bounds(PROJECT["dependencies"]))
    for extra, allowed in WITH_EXTRA.items():
        assert distributions(names & allowed) == set(bounds(EXTRAS[extra]))


def test_what_training_and_tests_import_is_declared():
    core = set(bounds(PROJECT["dependencies"]))
    extras = set().union(*(bounds(extra) for extra in EXTRAS.values()))
    files = [*(ROOT / "train").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    # The fuzzer is installed by whoever fuzzes: it has no wheel for every Python.
    assert distributions(third_party(files)) <= core | extras | {"atheris"}


def test_the_lock_pins_all_that_is_declared_and_meets_the_bounds():
    pins = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.-]+)==([^; ]+)(?:; .+)?", line).groups()
            pins[normal(name)] = tuple(map(int, re.findall(r"\d+", version)))
    for requirements in (PROJECT["dependencies"], *EXTRAS.values()):
        for name, bound in bounds(requirements).items():
            assert pins[name] >= bound, name


@pytest.mark.parametrize("name", ["index", "qa", "eval", "commands", "page", "web"])
def test_packages_are_typed(name):
    assert (ROOT / name / "py.typed").exists()


def test_texts_name_no_file_that_the_wheel_lacks():
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"\b(docs|sample)/", node.value), f"{path}:{node.lineno}"


def test_the_command_tells_its_version():
    done = subprocess.run(
        [sys.executable, "-m", "commands.main", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"tanya {PROJECT['version']}\n"
