"""What a run was made with: questions, version, settings, code, machine."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.questions import Question, fingerprint
from index.errors import InputError
from index.manifest import IndexVersion
from index.settings import RetrievalSettings

if TYPE_CHECKING:
    from qa.chat import Chat

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
    Of answers there are also the settings of answers and of the language model, if any, and the
    file of conversations.
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
    answers: Plain | None = None
    llm: Plain | None = None
    conversations: str | None = None

    @property
    def of_answers(self) -> bool:
        """Tell whether the chat was asked, not only its search."""
        return self.answers is not None

    def row(self) -> dict[str, Any]:
        """Return it ready for JSON, without what the other kind of run has."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def difference(self, other: Provenance) -> str:
        """Return the name of the first thing that two runs were not made alike with; else ""."""
        alike = {
            "question set": self.set_hash == other.set_hash,
            "version of the index": (self.version, self.built) == (other.version, other.built),
            "recipe": self.recipe == other.recipe,
            "setting of retrieval": self.retrieval == other.retrieval,
            "setting of answers": (self.answers, self.llm) == (other.answers, other.llm),
            "commit of the code": self.code == other.code,
        }
        return next((name for name, same in alike.items() if not same), "")


def read(path: Path) -> Provenance:
    """Read the provenance of a run; raises OSError, ValueError, TypeError or KeyError."""
    row = json.loads(path.read_text(encoding="utf-8"))
    parts = {"code": Code(**row["code"]), "machine": Machine(**row["machine"])}
    found = Provenance(**{**row, **parts})
    if found.answers is not None:
        float(found.answers["min_confidence"])
    return found


def describe(
    folder: Path,
    asked: Sequence[Question],
    version: IndexVersion,
    retrieval: RetrievalSettings,
    mode: str,
    k: int,
    now: dt.datetime,
) -> Provenance:
    """Return the provenance of a search for a set's questions, made now on this machine.

    An empty `mode` is the settings' own. Raises InputError for an empty version.
    """
    if not version.passages:
        raise InputError("The index holds no articles: add some, then run `tanya build`.")
    return Provenance(
        date=now.isoformat(timespec="seconds"),
        set_name=folder.resolve().name,
        set_path=str(folder.resolve()),
        set_hash=fingerprint(asked),
        questions=len(asked),
        version=version.name,
        built=version.built.isoformat(timespec="seconds"),
        articles=version.articles,
        passages=version.passages,
        recipe=asdict(version.recipe),
        retrieval={**asdict(retrieval), "mode": mode or retrieval.mode, "k": k},
        code=code(),
        machine=machine(),
    )


def describe_answers(
    chat: Chat,
    folder: Path,
    asked: Sequence[Question],
    conversations: Path | None,
    now: dt.datetime,
) -> Provenance:
    """Return the provenance of the chat's answers to questions; raises as `describe`."""
    retrieval, llm = chat.settings.retrieval, chat.settings.llm
    version = chat.index().version
    return replace(
        describe(folder, asked, version, retrieval, "", retrieval.hits, now),
        answers=asdict(chat.settings.answers),
        llm={"model": llm.model, "temperature": llm.temperature} if llm.base_url else {},
        conversations=str(conversations or ""),
    )


def machine() -> Machine:
    """Describe this machine."""
    return Machine(os.cpu_count() or 0, _processor(), platform.system(), platform.python_version())


def _processor() -> str:
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", about, re.MULTILINE)
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
