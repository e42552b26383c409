"""Runs a command and writes its seconds, peak memory and exit status; a script without libraries.

    python -I -S bench_spawn.py FIGURES.json COMMAND...

What started a command counts towards its peak until it runs, so this small process starts it. The
memory of several processes is added up, what they share once, ten times a second.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

EVERY = 0.1


def main(out: str, command: list[str]) -> int:
    """Run the command, write the figures, return its exit status."""
    began = time.perf_counter()
    process = subprocess.Popen(command)
    highest = 0
    wait = 0.005
    while True:
        try:
            status = process.wait(wait)
            break
        except subprocess.TimeoutExpired:
            wait = EVERY
            family = _family(process.pid)
            # Of one process the kernel keeps the most by itself, and looking would slow it down.
            if len(family) > 1:
                highest = max(highest, sum(map(_bytes, family)))
    seconds = time.perf_counter() - began
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    figures = {"seconds": seconds, "peak_bytes": max(highest, largest), "status": status}
    Path(out).write_text(json.dumps(figures), encoding="utf-8")
    return status


def _family(number: int) -> list[int]:
    """Return a process and all below it that still run."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The name, in brackets, may hold anything; the parent is the second word after.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found = [number]
    for each in found:
        found.extend(parents.get(each, []))
    return found


def _bytes(number: int) -> int:
    try:
        told = Path(f"/proc/{number}/smaps_rollup").read_text()
    except OSError:
        return 0
    _, found, rest = told.partition("\nPss:")
    return int(rest.split()[0]) * 1024 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
