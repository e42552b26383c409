"""What a run was made with: questions, version, settings, code, machine."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from index.manifest import IndexVersion
from index.settings import RetrievalSettings

Plain = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run was made; `cpu` is the processor's own name."""

    cpus: int
    cpu: str
    system: str
    python: str


@dataclass(frozen=True, slots=True)
class Code:
    """The commit of the code, and whether files differed from it; "" where there is none."""

    commit: str
    altered: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """All that a run's figures depend on.

    `set_hash` is of the questions with their answers and filters, `recipe` and `retrieval` are
    the version's recipe and the settings of retrieval with the mode and depth that were used.
    """

    date: str
    set_name: str
    set_path: str
    set_hash: str
    questions: int
    version: str
    built: str
    articles: int
    passages: int
    recipe: Plain
    retrieval: Plain
    code: Code
    machine: Machine


@dataclass(frozen=True, slots=True)
class Asked:
    """Which questions a run asks: the set's name, place, hash and size."""

    name: str
    path: str
    hash: str
    questions: int


def describe(
    asked: Asked,
    version: IndexVersion,
    retrieval: RetrievalSettings,
    mode: str,
    k: int,
    now: dt.datetime,
) -> Provenance:
    """Return the provenance of a run of `asked` on a version, made now on this machine.

    An empty `mode` is the settings' own.
    """
    return Provenance(
        date=now.isoformat(timespec="seconds"),
        set_name=asked.name,
        set_path=asked.path,
        set_hash=asked.hash,
        questions=asked.questions,
        version=version.name,
        built=version.built.isoformat(timespec="seconds"),
        articles=version.articles,
        passages=version.passages,
        recipe=asdict(version.recipe),
        retrieval={**asdict(retrieval), "mode": mode or retrieval.mode, "k": k},
        code=code(),
        machine=machine(),
    )


def machine() -> Machine:
    """Describe this machine."""
    return Machine(os.cpu_count() or 0, _processor(), platform.system(), platform.python_version())


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1] if found else platform.machine()


def code(folder: Path = Path(__file__).parents[1]) -> Code:
    """Return the commit checked out in the folder of the code, if it is one of git's."""
    if not (folder / ".git").exists():
        return Code("", False)
    commit = _git(folder, "rev-parse", "HEAD")
    return Code(commit, bool(commit and _git(folder, "status", "--porcelain")))


def _git(folder: Path, *arguments: str) -> str:
    try:
        # Reading must not refresh git's index, which another process may be writing.
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
