"""Measures speed and scale: archives of several sizes, the product's own commands, other programs.

Every figure is of the product as it is used: the `tanya` command, or its public parts in a process
of their own. What is finished is kept, so that a bench that was stopped goes on.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from eval import bench_peers, bench_text, bench_work, provenance
from eval.bench_commands import Clock, Progress, save, spawn, tanya
from eval.bench_text import Made
from index import settings
from index.archive import FILE_NAME
from index.engines.opening import open_engine
from index.errors import InputError
from index.versions import Versions

SIZES = (10_000, 100_000, 1_000_000)
MOST_COMPARED = 100_000
"""Passages that other programs are compared at, at most."""

PEERS = tuple(name for name in bench_peers.PEERS if name != "plain")
OURS, PLAIN = "tanya", "plain"
DEPTHS = (10, 100)
PEER_SECONDS = 60.0
"""How long a program is asked at each depth; slower ones are asked fewer questions."""

_STARTS = 3
_REMOVED = 10
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "RAYON")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, where; `peers` are programs by name with their environment's Python.

    `data` is a folder of articles, or None for made-up ones.
    """

    sizes: tuple[int, ...]
    out: Path
    data: Path | None = None
    questions: int = 200
    peers: Mapping[str, Path] | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured of one size: figures by name, and how many articles of each kind it has."""

    passages: int
    kinds: Mapping[str, int]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Peer:
    """What was measured of one program; times are in milliseconds by depth.

    `asked` is how many questions it answered at each depth in its time, at least; `found` is the
    share of these whose article is among the first ten passages.
    """

    name: str
    versions: Mapping[str, str]
    build_seconds: float
    peak_bytes: float
    median_ms: Mapping[int, float]
    p95_ms: Mapping[int, float]
    found: float
    asked: int


@dataclass(frozen=True, slots=True)
class Bench:
    """All that a bench found. `compared` is the number of passages that `peers` were given.

    `without` tells of a program that could not be measured.
    """

    made: str
    sizes: tuple[Size, ...]
    peers: tuple[Peer, ...]
    without: tuple[str, ...]
    compared: int


def check(plan: Plan) -> None:
    """Raise InputError for a plan that cannot be carried out."""
    if not plan.sizes or min(plan.sizes) < 100 or len(set(plan.sizes)) < len(plan.sizes):
        raise InputError(f"The sizes {plan.sizes!r} must be different numbers, each 100 or more.")
    for name, python in (plan.peers or {}).items():
        if name not in PEERS:
            raise InputError(f"The program {name!r} is not known; known: {', '.join(PEERS)}.")
        if not os.access(python, os.X_OK) or python.is_dir():
            raise InputError(
                f"{name}: there is no Python in {str(python)!r}; make an environment with "
                f"{' '.join(bench_peers.PEERS[name][1])} and name its bin/python."
            )
    if plan.data is not None and not plan.data.is_dir():
        raise InputError(f"--data is {str(plan.data)!r} but must be a folder of JSONL archives.")


def run(plan: Plan, progress: Progress = lambda doing, done, total: None) -> Bench:
    """Measure every size, then every program; raises InputError, also where a command fails."""
    check(plan)
    sizes = tuple(sorted(plan.sizes))
    work = plan.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    _same_bench(plan, sizes)
    compared = max((size for size in sizes if size <= MOST_COMPARED), default=sizes[0])
    clock = Clock(progress, _weights(sizes, compared, len(plan.peers or {})))
    with clock.during("articles"):
        made = _articles(plan, sizes, work, clock)
    found: list[Size] = []
    beside: tuple[tuple[Peer, ...], tuple[str, ...]] = ((), ())
    for size in sizes:
        place = _place(size, made, work)
        figures = _measured(plan, place, STEPS, clock)
        if size == compared:
            beside = _compared(plan, place, clock)
        found.append(Size(int(figures["passages"]), made.kinds[size], figures))
    origin = "generated" if plan.data is None else plan.data.resolve().name
    return Bench(origin, tuple(found), *beside, compared)


def clear(plan: Plan) -> None:
    """Delete the archives and vectors that the figures were measured on."""
    shutil.rmtree(plan.out / "work", ignore_errors=True)


def described(plan: Plan, bench: Bench, now: dt.datetime) -> dict[str, Any]:
    """Return all of a bench as JSON takes it, with what it depends on."""
    return {
        "date": now.isoformat(timespec="seconds"),
        "questions": plan.questions,
        "seed": plan.seed,
        "clients": bench_work.CLIENTS,
        "code": asdict(provenance.code()),
        "machine": asdict(provenance.machine()),
        **asdict(bench),
    }


# Articles and one size ---------------------------------------------------------------------------


def _same_bench(plan: Plan, sizes: Sequence[int]) -> None:
    """Remember what the figures in a folder are of; raises InputError where they are of another."""
    data = str(plan.data.resolve()) if plan.data else ""
    asked_of = bench_text.asked_of(sizes[0])
    mine = {"data": data, "questions": plan.questions, "seed": plan.seed, "asked of": asked_of}
    path = plan.out / "of.json"
    if not path.exists():
        save(path, mine)
    known = json.loads(path.read_text(encoding="utf-8"))
    if known != mine:
        told = ", ".join(f"{key} {known.get(key)!r}" for key in mine if known.get(key) != mine[key])
        raise InputError(
            f"{plan.out} holds figures of another bench ({told}): name another folder with --out, "
            "or delete it."
        )


def _articles(plan: Plan, sizes: Sequence[int], work: Path, clock: Clock) -> Made:
    if plan.data is None:
        articles = (("made up", article) for article in bench_text.generated(plan.seed))
    else:
        articles = bench_text.gathered(plan.data, plan.seed)  # type: ignore[assignment]
    return bench_text.write(
        work,
        sizes,
        articles,
        plan.questions,
        max_tokens=settings.Settings().chunking.max_tokens,
        seed=plan.seed,
        progress=clock.share,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one size is measured: its home, its folder of vectors, its articles."""

    size: int
    home: Path
    vectors: Path
    articles: tuple[Path, ...]
    more: Path
    work: Path


def _place(size: int, made: Made, work: Path) -> _Place:
    return _Place(
        size,
        work / f"home-{size}",
        work / f"vectors-{size}",
        tuple(work / name for name in made.files[size]),
        work / bench_text.MORE_FILE,
        work,
    )


def _measured(
    plan: Plan, place: _Place, steps: Mapping[str, _Step], clock: Clock
) -> Mapping[str, float]:
    """Do those steps of a size that are not done yet, each kept as soon as it is."""
    path = plan.out / f"size-{place.size}.json"
    figures: dict[str, float] = {}
    done: list[str] = []
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        figures, done = known["figures"], known["done"]
    # Without its archive, an unfinished size begins anew.
    if steps.keys() - set(done) and not (place.home / FILE_NAME).exists():
        figures, done = {}, []
    for name, step in steps.items():
        with clock.during(f"{place.size:,} passages: {name}"):
            if name not in done:
                figures.update(step(place, clock))
                done.append(name)
                save(path, {"figures": figures, "done": done})
    return figures


def _add(place: _Place, clock: Clock) -> Mapping[str, float]:
    shutil.rmtree(place.home, ignore_errors=True)
    told = tanya(place.home, ["add", *place.articles], clock)
    return {"add_seconds": told["seconds"], "add_peak_bytes": told["peak_bytes"]}


def _build(place: _Place, clock: Clock) -> Mapping[str, float]:
    shutil.rmtree(place.home / "versions", ignore_errors=True)
    told = tanya(place.home, ["build"], clock)
    engine = open_engine(settings.load(place.home).engine, place.home)
    versions = Versions(place.home / "versions", engine)
    live = versions.live() or ""
    version = versions.describe(live)
    return {
        "build_seconds": told["seconds"],
        "build_peak_bytes": told["peak_bytes"],
        "passages": version.passages,
        "articles": version.articles,
        "stories": version.stories,
        **_disk(place.home, versions.path(live)),
    }


def _disk(home: Path, version: Path) -> dict[str, float]:
    """Return the bytes on disk by kind; the archive's with its write-ahead log."""
    found = dict.fromkeys(("archive", "vectors", "lexical", "texts", "other"), 0.0)
    found["archive"] = sum(path.stat().st_size for path in home.glob(f"{FILE_NAME}*"))
    for path in version.rglob("*"):
        if path.is_file():
            found[_kind_of(path.relative_to(version))] += path.stat().st_size
    return {**{f"disk_{kind}_bytes": size for kind, size in found.items()},
            "disk_bytes": sum(found.values())}  # fmt: skip


def _kind_of(path: Path) -> str:
    if path.parts[0] == "lexical":
        return "lexical"
    if "vector" in path.name or path.suffix in (".faiss", ".npy"):
        return "vectors"
    return "texts" if path.suffix == ".db" else "other"


def _start(place: _Place, clock: Clock) -> Mapping[str, float]:
    """Time commands from nothing to their end, the median of three; files are in memory."""
    asked = bench_work.questions(place.work)[0][0].text
    commands: dict[str, list[str | Path]] = {
        "help": ["--help"],
        "status": ["status"],
        "search": ["search", asked, "--mode", "lexical"],
        "ask": ["ask", asked],
    }
    figures = {}
    for name, command in commands.items():
        told = [tanya(place.home, command, clock) for _ in range(_STARTS + 1)][1:]
        figures[f"{name}_seconds"] = statistics.median(t["seconds"] for t in told)
    return figures


def _worked(kind: str) -> _Step:
    def step(place: _Place, clock: Clock) -> Mapping[str, float]:
        return {k: float(v) for k, v in _work(kind, place, clock)[0].items()}

    return step


def _work(
    kind: str, place: _Place, clock: Clock, environment: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], dict[str, float]]:
    """Let bench_work measure; return its figures, and its seconds and peak memory."""
    place.vectors.mkdir(exist_ok=True)
    if not (place.vectors / bench_text.QUERIES).exists():
        shutil.copy2(place.work / bench_text.QUERIES, place.vectors)
    out = place.vectors / f"{kind}.json"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "eval.bench_work",
        kind,
        place.home,
        place.vectors,
        out,
    ]
    told = spawn(command, place.work, clock, environment)
    figures: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return figures, told


def _grow(place: _Place, clock: Clock) -> Mapping[str, float]:
    """Add and index a hundred articles, then remove ten; each until the new version is live."""
    with place.articles[0].open(encoding="utf-8") as file:
        ids = [json.loads(next(file))["id"] for _ in range(_REMOVED)]
    home = place.home.with_name(f"{place.home.name}-grown")
    shutil.rmtree(home, ignore_errors=True)
    # Other measures need the archive as it was. Files of a version are never written again.
    shutil.copytree(place.home / "versions", home / "versions", copy_function=os.link)
    for path in place.home.glob(f"{FILE_NAME}*"):
        shutil.copy2(path, home)
    steps: dict[str, list[str | Path]] = {
        "more_add": ["add", place.more],
        "more_build": ["build"],
        "remove": ["remove", *ids],
        "remove_build": ["build"],
    }
    figures = {
        f"{name}_seconds": tanya(home, arguments, clock)["seconds"]
        for name, arguments in steps.items()
    }
    shutil.rmtree(home)
    return figures


_Step = Callable[[_Place, Clock], Mapping[str, float]]

STEPS: Mapping[str, _Step] = {
    "add": _add,
    "build": _build,
    "start": _start,
    "evidence": _worked("evidence"),
    "answers": _worked("answers"),
    "profile": _worked("profile"),
    "serve-evidence": _worked("serve-evidence"),
    "serve-answers": _worked("serve-answers"),
    "export": _worked("export"),
    "recall": _worked("recall"),
    "grow": _grow,
}
"""What is measured of a size, in this order."""


# Other programs ----------------------------------------------------------------------------------


def _compared(plan: Plan, place: _Place, clock: Clock) -> tuple[tuple[Peer, ...], tuple[str, ...]]:
    """Measure our own index, the plain one and each program on the same passages and vectors.

    Returns them with a line for each that could not be measured.
    """
    pythons = {PLAIN: Path(sys.executable), **(plan.peers or {})}
    found: list[Peer] = []
    without: list[str] = []
    with clock.during(f"{OURS} with given vectors"):
        found.extend(_kept(plan, OURS, place, lambda: _ours(place, plan, clock)))
    for name, python in pythons.items():
        runner = _Runner(name, python, place, clock)
        with clock.during(name):
            try:
                found.extend(_kept(plan, name, place, partial(runner.measure, plan)))
            except InputError as error:
                if name != PLAIN:
                    raise
                without.append(f"{PLAIN}: {error}")
    return tuple(found), tuple(without)


def _kept(plan: Plan, name: str, place: _Place, measure: Callable[[], list[Peer]]) -> list[Peer]:
    path = plan.out / f"peer-{name}-{place.size}.json"
    if not path.exists():
        save(path, [asdict(peer) for peer in measure()])
    rows = json.loads(path.read_text(encoding="utf-8"))
    for row in rows:
        for times in ("median_ms", "p95_ms"):
            row[times] = {int(depth): ms for depth, ms in row[times].items()}
    return [Peer(**row) for row in rows]


def _ours(place: _Place, plan: Plan, clock: Clock) -> list[Peer]:
    _prepare(place, plan, clock)
    told, cost = _work("write-index", place, clock, _one_thread())
    told["peak_bytes"] = max(told["peak_bytes"], cost["peak_bytes"])
    told["versions"] = {name: metadata.version(name) for name in ("faiss-cpu", "tantivy")}
    return [_peer(OURS, told, place)]


@dataclass(frozen=True, slots=True)
class _Runner:
    """Runs one program's script in its own environment."""

    name: str
    python: Path
    place: _Place
    clock: Clock

    def measure(self, plan: Plan) -> list[Peer]:
        """Return what the program's process printed; raises InputError where it printed none."""
        _prepare(self.place, plan, self.clock)
        out = self.place.vectors / f"{self.name}.json"
        command: list[str | Path] = [
            self.python,
            Path(bench_peers.__file__),
            self.name,
            self.place.vectors,
        ]
        cost = spawn(command, self.place.work, self.clock, _one_thread(), out)
        try:
            told = json.loads(out.read_text(encoding="utf-8"))
            told["peak_bytes"] = max(told["peak_bytes"], cost["peak_bytes"])
            return [_peer(self.name, told, self.place)]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self.name}: {str(self.python)!r} printed no figures ({error!r}); "
                "is that the Python of its environment?"
            ) from error


def _prepare(place: _Place, plan: Plan, clock: Clock) -> None:
    """Write what programs are given, where the size's own measures have not left it."""
    if not (place.vectors / "vectors.npy").exists():
        if not (place.home / FILE_NAME).exists():
            _add(place, clock)
        _work("export", place, clock)
    told = {"depths": DEPTHS, "seconds": PEER_SECONDS, "warm": bench_text.WARM}
    save(place.vectors / "plan.json", told)


def _peer(name: str, told: Mapping[str, Any], place: _Place) -> Peer:
    asked, _ = bench_work.questions(place.work)
    searches = {int(depth): search for depth, search in told["searches"].items()}
    answered = min(search["asked"] for search in searches.values())
    hits = [
        each.article in {found.rpartition("#")[0] for found in ids}
        for each, ids in zip(asked, searches[min(DEPTHS)]["found"][:answered], strict=False)
    ]
    return Peer(
        name,
        told.get("versions", {}),
        told["build_seconds"],
        told["peak_bytes"],
        {depth: search["median_ms"] for depth, search in searches.items()},
        {depth: search["p95_ms"] for depth, search in searches.items()},
        sum(hits) / max(1, len(hits)),
        answered,
    )


def _one_thread() -> dict[str, str]:
    """Return what holds every program to one thread, and the transformers' side quiet."""
    limits = {f"{name}_NUM_THREADS": "1" for name in _THREADS}
    return {**limits, "TOKENIZERS_PARALLELISM": "false", "HAYSTACK_TELEMETRY_ENABLED": "False"}


# How long it takes -------------------------------------------------------------------------------


_FIXED = {"start": 25.0, "evidence": 8.0, "answers": 10.0, "profile": 10.0, "grow": 15.0}
_A_THOUSAND = {"articles": 0.3, "add": 1.0, "build": 1.0, "export": 0.4, "recall": 0.05}
"""About how many seconds a step takes, whatever the size, and more for a thousand passages."""


def _weights(sizes: Sequence[int], compared: int, peers: int) -> list[float]:
    """Return about how many seconds each stretch of the clock takes, in order."""
    weights = [_A_THOUSAND["articles"] * sizes[-1] / 1000]
    for size in sizes:
        weights.extend(
            _FIXED.get(name, 4.0) + _A_THOUSAND.get(name, 0.02) * size / 1000 for name in STEPS
        )
        if size == compared:
            weights.extend([60.0] * (2 + peers))
    return weights
