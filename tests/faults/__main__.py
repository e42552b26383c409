"""Runs every kind of trials: `make faults`."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.faults import tables

_KINDS = ("kills", "serving", "damage", "disk", "readers")


def main() -> int:
    """Run each kind in a process of its own; return 1 if any of them found something wrong."""
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
