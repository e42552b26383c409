"""Fuzzes a law with atheris: `python -m tests.hostile.fuzz NAME --seconds 600`.

atheris is no dependency: `pip install atheris` brings it where it has a wheel. Each way to fall is
told once, its input kept in the folder of `--found`; each becomes a test of tests/hostile.
"""

import argparse
import hashlib
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

READERS = {
    "page": ".html",
    "json": ".json",
    "lines": ".jsonl",
    "csv": ".csv",
    "text": ".md",
    "feed": ".xml",
    "warc": ".warc",
    "packed": "",
}
NAMES = (*READERS, "clean", "question", "claim", "url", "terminal")
SLOW = 2.0
"""Seconds of CPU for one input of at most 4 kB: more is told as a way to fall."""


def law(name: str, folder: Path) -> Callable[[bytes], None]:
    """Return what a target does with an input."""
    from tests.hostile import laws

    if name in READERS:
        path = folder / f"berita{READERS[name]}"

        def read(data: bytes) -> None:
            path.write_bytes(data)
            laws.reads(path)

        return read
    if name == "claim":
        return lambda data: laws.claimed(data.decode("utf-8", "replace").split("\0"))
    of = {
        "clean": laws.cleans,
        "question": laws.understood,
        "url": laws.linked,
        "terminal": laws.printed,
    }
    return lambda data: of[name](data.decode("utf-8", "replace"))


def main() -> None:
    """Fuzz one target for so many seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()) / "tanya-fuzz")
    chosen = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["index", "qa", "commands", "feedparser"]):
        from tests.hostile import laws  # noqa: F401
    corpus = chosen.found / f"corpus-{chosen.name}"
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(chosen.name, corpus)
    tried = law(chosen.name, corpus.parent)
    ways: set[str] = set()

    def once(data: bytes) -> None:
        began = time.process_time()
        how = ""
        try:
            tried(data)
        except Exception as error:
            how = "".join(traceback.format_exception(error))
            way = "".join(traceback.format_tb(error.__traceback__)[-2:]) + type(error).__name__
        if not how and time.process_time() - began > SLOW:
            way = how = f"slow: {time.process_time() - began:.1f} s for {len(data)} bytes"
            way = f"slow {len(data) // 500}"
        if how and way not in ways:
            ways.add(way)
            name = f"{chosen.name}-{hashlib.blake2b(data, digest_size=6).hexdigest()}"
            (chosen.found / name).write_bytes(data)
            sys.stderr.write(f"FOUND {name}\n{how}\n")

    # libFuzzer ends the process itself, so nothing stands behind this.
    options = [f"-max_total_time={chosen.seconds}", f"-seed={chosen.seed}", "-max_len=4096"]
    quiet = ["-verbosity=1", "-timeout=60", "-rss_limit_mb=4000", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, *quiet, str(corpus)], once)
    atheris.Fuzz()


def seeds(name: str, corpus: Path) -> None:
    """Write the inputs to begin with: those of the hostile corpus of this kind."""
    from tests.hostile import corpus as hostile

    for number, data in enumerate(hostile.seeds(name)):
        (corpus / f"seed-{number}").write_bytes(data[:4096])


if __name__ == "__main__":
    main()
