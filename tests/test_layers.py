"""The house plan's order of modules: nobody imports from below, and nothing heavy on the way in."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("index", "qa", "eval")

# As in the README; `readers` and its helpers stand below `clean`, with which they read bylines.
ORDER = (
    "index.errors",
    "index.records",
    "index.settings",
    "index.settings_file",
    "index.text",
    "index.acronyms",
    "index.clean",
    "index.scraped",
    "index.dates",
    "index.publishers",
    "index.raw_text",
    "index.html_page",
    "index.readers",
    "index.archive",
    "index.chunking",
    "index.embedding",
    "index.tuning",
    "index.engine",
    "index.manifest",
    "index.vectors",
    "index.local_engine",
    "index.milvus_server",
    "index.milvus_catalog",
    "index.milvus_engine",
    "index.engines",
    "index.versions",
    "index.waiting",
    "index.prepared",
    "index.builder",
    "qa.question.dates",
    "qa.question.english",
    "qa.question.spelling",
    "qa.question.sources",
    "qa.question.topic",
    "qa.question.follow_up",
    "qa.question.conversation",
    "qa.question.understand",
    "qa.retriever",
    "qa.reader",
    "qa.confidence",
    "qa.silence",
    "qa.finder",
    "qa.timeline",
    "qa.seeker",
    "qa.trees",
    "qa.support",
    "qa.answers",
    "qa.llm",
    "qa.chat",
    "qa.examples",
    "eval.files",
    "eval.datasets",
    "eval.imports",
    "eval.known_items",
    "eval.scores",
    "eval.provenance",
    "eval.runs",
    "eval.tables",
    "eval.plots",
    "eval.markup",
    "eval.reports",
    "eval.gates",
    "eval.answer_scores",
    "eval.answer_compare",
    "eval.answer_figures",
    "eval.answers",
    "eval.written",
    "eval.answer_tables",
    "eval.answer_reports",
    "eval.trials",
    "eval.bench_spawn",
    "eval.bench_commands",
    "eval.bench_peers",
    "eval.bench_text",
    "eval.bench_work",
    "eval.bench",
    "eval.bench_tables",
    "index.cli",
    "qa.cli",
    "eval.tuning_cli",
    "eval.answer_cli",
    "eval.bench_cli",
    "eval.cli",
    "app",
)
assert len(set(ORDER)) == len(ORDER)

# `tanya serve` starts the chat, which stands below every command line.
ALLOWED = {("qa.cli", "app")}

HEAVY = (
    "datasketch",
    "faiss",
    "gradio",
    "httpx2",
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
    app = ROOT / "app.py"
    found = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {**found, **({app: "app"} if app.exists() else {})}


def imported(path):
    """Yield every module that a file imports, also inside functions and for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in ORDER else node.module


MODULES = {path: name for path, name in modules().items() if path.name != "__init__.py"}


@pytest.mark.parametrize("path", MODULES, ids=MODULES.values())
def test_a_module_imports_only_from_above(path):
    name = MODULES[path]
    assert name in ORDER, f"give {name} its place in ORDER and in the README's table"
    below = set(ORDER[ORDER.index(name) :])
    ours = {i for i in imported(path) if i.partition(".")[0] in (*PACKAGES, "app", "tests")}
    assert not {i for i in ours & below if (name, i) not in ALLOWED}
    assert ours <= set(ORDER), "imports of ours go to modules, never to packages or tests"


def test_packages_import_nothing():
    for package in PACKAGES:
        assert not list(imported(ROOT / package / "__init__.py"))


def test_one_module_decides_what_tokens_and_stems_are():
    users = {
        name
        for path, name in MODULES.items()
        if {"tiktoken", "Stemmer"} & {i.partition(".")[0] for i in imported(path)}
    }
    # Other programs that a bench runs stem as their own users would have them.
    assert users == {"index.text", "eval.bench_peers"}


def test_nothing_heavy_is_imported_on_the_way_in():
    names = list(MODULES.values())
    script = (
        f"import sys, importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        f"    heavy = [h for h in {HEAVY!r} if h in sys.modules]\n"
        "    assert not heavy, (name, heavy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
