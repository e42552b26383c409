"""Runs every kind of trials: `make faults`; with --few a few of each, in one process, for tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults import damage, disk, kills, readers, tables
from tests.faults.forked import load
from tests.faults.stages import Stage
from tests.faults.tables import Chosen, Trial

_KINDS = ("kills", "serving", "damage", "disk", "readers")

_FEW_KILLS = ("add many", "remove", "build", "restore")
_FEW_DISKS = ("read-only home", "full disk: add")
_FEW_DAMAGED = (
    "archive.db missing",
    "lexical/*.fieldnorm one flip",
    "versions/LIVE emptied",
    "versions/parts/vectors.faiss 64 flips",
)


def few(disks: bool) -> Iterator[Trial]:
    """Yield some trials of each kind, on one stage."""

    def chosen(last: int, *names: str) -> Chosen:
        return Chosen(range(1, last + 1), names, time.monotonic() + 3600, quiet=False)

    with tempfile.TemporaryDirectory(prefix="tanya-faults-") as folder:
        stage = Stage(Path(folder))
        yield from kills.trials(stage, chosen(len(_FEW_KILLS), *_FEW_KILLS))
        if disks:
            yield from disk.trials(stage, chosen(1, *_FEW_DISKS))
        yield from readers.trials(stage, chosen(1), rounds=3)
        yield from damage.few(stage, _FEW_DAMAGED)


def _a_few() -> int:
    if reason := disk.refused("tests.faults"):
        tables.say(f"skipped: {reason}")
    load()
    table = tables.Table("a few of each", "tests.faults.KIND")
    table.run(few(disks=not reason), time.monotonic() + 3600)
    return table.show()


def main() -> int:
    """Run each kind in a process of its own; return 1 if any of them found something wrong."""
    if sys.argv[1:] == ["--few"]:
        return _a_few()
    chosen = tables.arguments(__doc__ or "", 300)
    failed = False
    for place, kind in enumerate(_KINDS):
        # Each gets its share of the time that is left; damage and disks have few random places.
        share = (chosen.until - time.monotonic()) / 60 / (len(_KINDS) - place)
        last = chosen.seeds[-1] if kind == "kills" else min(chosen.seeds[-1], chosen.seeds[0] + 9)
        seeds = ["--seeds", f"{chosen.seeds[0]}-{last}", "--minutes", f"{share:.2f}"]
        running = subprocess.Popen([sys.executable, "-m", f"tests.faults.{kind}", *seeds])
        try:
            failed = running.wait() != 0 or failed
        except KeyboardInterrupt:
            # It was told too, and shows its table.
            running.wait()
            return 1
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
