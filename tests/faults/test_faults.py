"""A few trials of each kind; `make faults` runs them at length, with other seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = ("add many", "share", "restore", "user add")


def tried(kind, *arguments):
    """Run trials in a process that may fork; return what it printed."""
    command = [sys.executable, "-m", f"tests.faults.{kind}", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if "skipped: " in ended.stdout:
        pytest.skip(ended.stdout.partition("skipped: ")[2])
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux has pidfd_open")


def test_a_killed_command_loses_nothing_and_ends_as_usual_when_it_is_run_again():
    only = [word for name in KILLS for word in ("--only", name)]
    assert "FAILED" not in tried("kills", "--seeds", "1-4", *only)


def test_on_a_full_disk_it_is_said_so_and_nothing_is_lost():
    only = ("--only", "read-only home", "--only", "full disk: add")
    assert "told" in tried("disk", "--seed", "1", *only)


def test_no_answer_is_torn_while_versions_are_built_rolled_back_and_pruned():
    assert "none torn" in tried("readers", "--seed", "1")
