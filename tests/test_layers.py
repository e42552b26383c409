"""Which package may import which, no cycles, and nothing heavy on the way in."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each package, and the module `app`, with those that it may import.
MAY_IMPORT = {
    "index": {"index"},
    "qa": {"index", "qa"},
    "eval": {"index", "qa", "eval"},
    "page": {"index", "qa", "page"},
    "web": {"index", "qa", "eval", "page", "web"},
    "app": {"index", "qa", "page", "web", "app"},
    "commands": {"index", "qa", "eval", "page", "web", "app", "commands"},
    "train": {"index", "qa", "eval", "train"},
}
PACKAGES = ("index", "qa", "eval", "page", "web", "commands", "train")

HEAVY = (
    "brotli",
    "datasketch",
    "faiss",
    "feedparser",
    "gradio",
    "httpx2",
    "matplotlib",
    "mcp",
    "milvus_lite",
    "onnxruntime",
    "openai",
    "pandas",
    "pymilvus",
    "sentence_transformers",
    "tantivy",
    "tokenizers",
    "torch",
    "trafilatura",
)


def modules():
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    found = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {**found, ROOT / "app.py": "app"}


MODULES = {path: name for path, name in modules().items() if path.name != "__init__.py"}
NAMES = set(MODULES.values())


def package(name):
    return name.partition(".")[0]


def imported(path):
    """Yield every module that a file imports, also inside functions and for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in NAMES else node.module


@pytest.mark.parametrize("path", MODULES, ids=MODULES.values())
def test_a_package_imports_none_above_it(path):
    name = MODULES[path]
    ours = {i for i in imported(path) if package(i) in (*PACKAGES, "app", "tests")}
    assert ours <= NAMES, "imports of ours go to modules, never to packages or tests"
    assert {package(i) for i in ours} <= MAY_IMPORT[package(name)]


def test_no_module_imports_itself_by_way_of_others():
    ours = {name: NAMES & set(imported(path)) for path, name in MODULES.items()}
    order = TopologicalSorter(ours)
    order.prepare()  # raises CycleError, which names the modules


def test_packages_import_nothing():
    for name in PACKAGES:
        assert not list(imported(ROOT / name / "__init__.py"))


def test_engines_see_only_rows():
    names = "acronyms archive chunking clean embedding records store text".split()
    texts = {f"index.{name}" for name in names}
    for path, name in MODULES.items():
        if name.startswith("index.engines."):
            assert not texts & set(imported(path)), name


def test_no_test_imports_another():
    """Nor does a script in its text; what several tests share is in modules of other names."""
    for path in sorted((ROOT / "tests").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(from|import) tests[. ](import )?(test_|conftest)", text), path.name


def test_one_module_decides_what_tokens_and_stems_are():
    users = {
        name
        for path, name in MODULES.items()
        if package(name) != "train" and {"tiktoken", "Stemmer"} & set(map(package, imported(path)))
    }
    # Other programs that a bench runs stem as their own users would have them.
    assert users == {"index.text", "eval.bench_peers"}


def test_nothing_heavy_is_imported_on_the_way_in():
    names = [name for name in MODULES.values() if package(name) != "train"]
    script = (
        f"import sys, importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        f"    heavy = [h for h in {HEAVY!r} if h in sys.modules]\n"
        "    assert not heavy, (name, heavy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
