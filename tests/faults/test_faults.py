"""A few trials of each kind; `make faults` runs them at length, with other seeds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux has pidfd_open")
def test_nothing_is_lost_shown_wrong_or_left_over_after_kills_damage_and_full_disks():
    # In a process of its own, for the trials are forked from one that has no threads.
    command = [sys.executable, "-m", "tests.faults", "--few"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "none torn" in ended.stdout and "killed" in ended.stdout
