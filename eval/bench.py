"""Measures speed and scale on archives of several sizes: a table, a plot, the figures as JSON.

Measured is the `tanya` command, or the product's classes in a process of their own. Every step is
kept in a file as soon as it is done, so that a bench that was stopped goes on where it was.

    python -m eval.bench MEASURE HOME OUT.json      # how it calls itself, for one of MEASURES
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from eval import bench_peers, provenance
from index import chunking, settings, text
from index.archive import FILE_NAME
from index.embedding import passage_text
from index.engines.contract import Vectors
from index.errors import InputError
from index.files import written_whole
from index.home import open_archive
from index.reading import files as reading
from index.records import Article, Filter, ReadProblem
from index.settings import ReaderSettings, Settings
from index.versions import LIVE, Versions
from qa.chat import Chat

Figures = dict[str, float]
"""Figures by name, in the unit that a name ends with: seconds, ms, bytes."""

WARM, MORE, CLIENTS, STARTS = 20, 100, 16, 3
"""Questions to warm up with; articles added to a finished archive; people who ask at once; times
that a command is started, after a first one."""

ASKED_OF, MOST_COMPARED = 5_000, 100_000
"""Passages that questions are about, the first of every size; passages that programs are given."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: archives of `sizes` passages, in ascending order; `out` keeps the figures.

    `data` is a folder of articles, None for made-up ones; `peers` are other programs by name, with
    the Python of their environment; `keep` leaves the archives in out/work.
    """

    sizes: tuple[int, ...]
    out: Path
    data: Path | None
    questions: int
    peers: Mapping[str, Path]
    seed: int
    keep: bool


def sizes_of(given: str) -> tuple[int, ...]:
    """Return the sizes of "10000,100000" in ascending order; raises InputError."""
    sizes = {int(size) for size in given.split(",") if size.strip().isdecimal()}
    if len(sizes) <= given.count(",") or min(sizes) < 100:
        raise InputError(
            f"it is {given!r} but must be different numbers of passages, each 100 or more, "
            "as in 10000,100000."
        )
    return tuple(sorted(sizes))


def peers_of(given: Sequence[str]) -> dict[str, Path]:
    """Return the Pythons of programs given as NAME=PYTHON, by name; raises InputError."""
    known = [peer for peer in bench_peers.PEERS if peer != bench_peers.OURS]
    found = {}
    for each in given:
        name, _, python = each.partition("=")
        if name not in known or not python:
            raise InputError(
                f"it is {each!r} but must be NAME=PYTHON with one of {', '.join(known)}."
            )
        # Not resolved: a link to Python tells by its own place which environment is meant.
        path = Path(python).expanduser().absolute()
        if path.is_dir() or not os.access(path, os.X_OK):
            raise InputError(
                f"there is no Python in {python!r}; make an environment with "
                f"{bench_peers.PEERS[name][1]} and name its bin/python."
            )
        found[name] = path
    return found


def run(plan: Plan, now: dt.datetime, progress: Callable[[str, int, int], None]) -> str:
    """Measure every size, then every program; write and return the tables as Markdown.

    `progress` gets what is measured, the work done and the work in all. Raises InputError.
    """
    _check_same(plan)
    work = plan.out / "work"
    work.mkdir(exist_ok=True)
    total, done = sum(plan.sizes) * len(STEPS), 0
    sizes = []
    for size in plan.sizes:
        home = work / str(size)
        files = {name: plan.out / f"size-{size}-{name}.json" for name in STEPS}
        if not all(path.exists() for path in files.values()):
            progress("articles", done, total)
            write_articles(plan, work)
            if not (home / FILE_NAME).exists():
                for path in files.values():
                    path.unlink(missing_ok=True)  # without its archive, a size begins anew
        figures: Figures = {}
        for name, path in files.items():
            progress(f"{size:,} passages: {name}", done, total)
            figures |= _kept(path, partial(STEPS[name], home))
            done += size
        sizes.append({"passages": figures["passages"], "figures": figures})
    compared = max((size for size in plan.sizes if size <= MOST_COMPARED), default=plan.sizes[0])
    peers = []
    pythons = {bench_peers.OURS: Path(sys.executable), **plan.peers}
    for name, python in pythons.items() if plan.peers else ():
        progress(f"{name} on {compared:,} passages", total, total)
        measure = partial(measure_peer, plan, name, python, work / str(compared))
        peers.append(_kept(plan.out / f"peer-{compared}-{name}.json", measure))
    bench = {
        "date": now.isoformat(timespec="seconds"),
        "questions": plan.questions,
        "seed": plan.seed,
        "code": asdict(provenance.code()),
        "machine": asdict(provenance.machine()),
        "made": plan.data.resolve().name if plan.data else "generated",
        "sizes": sizes,
        "peers": peers,
        "compared": compared,
    }
    _save(plan.out / "bench.json", bench)
    with written_whole(plan.out / "bench.md") as file:
        file.write(markdown(bench))
    draw(sizes, plan.out / "bench.svg")
    if not plan.keep:
        shutil.rmtree(work)
    return markdown(bench)


def _check_same(plan: Plan) -> None:
    """Raise InputError where the figures in the plan's folder are of another bench."""
    mine = {"data": str(plan.data or ""), "questions": plan.questions, "seed": plan.seed}
    mine["asked of"] = min(ASKED_OF, plan.sizes[0])
    kept = _kept(plan.out / "of.json", lambda: mine)
    if kept != mine:
        raise InputError(
            f"{plan.out} holds figures of another bench ({kept}): name another folder with --out, "
            "or delete it."
        )


def _kept(path: Path, measure: Callable[[], Any]) -> Any:
    """Return what the file holds; what is measured now, if there is none, is kept in it."""
    if not path.exists():
        _save(path, measure())
    return json.loads(path.read_text(encoding="utf-8"))


def _save(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        json.dump(value, file, indent=1)


_WORDS, _TOPICS, _TOPIC_WORDS = 60_000, 2_000, 150
_SYLLABLES = [a + b for a in (*"bcdghjklmnprstwy", "ng", "ny") for b in "aiueo"]
_OPENERS = ("Siapa", "Kapan", "Di mana", "Berapa", "Mengapa", "Apa", "Bagaimana")


def made_up_articles(seed: int) -> Iterator[Article]:
    """Yield articles of made-up words without end; each depends on the seed and its number alone.

    Words are as frequent as Zipf's law has it; every other one is of the article's topic.
    """
    longer = (itertools.product(_SYLLABLES, repeat=n) for n in (2, 3))
    words = ["".join(w) for w in itertools.islice(itertools.chain(*longer), _WORDS)]
    rng = np.random.default_rng(seed)
    rng.shuffle(words)
    topics = rng.integers(500, _WORDS, (_TOPICS, _TOPIC_WORDS))
    for number in itertools.count():
        rng = np.random.default_rng([seed, number])
        topic = topics[rng.integers(_TOPICS)]
        sentences = []
        for length in rng.integers(8, 22, rng.integers(5, 13)):
            common = (_WORDS ** rng.random(length)).astype(int) - 1
            own = topic[(_TOPIC_WORDS ** rng.random(length)).astype(int) - 1]
            picked = np.where(rng.random(length) < 0.5, own, common)
            sentences.append(" ".join(words[rank] for rank in picked).capitalize())
        yield Article(
            id=f"buatan-{number:07d}",
            publisher=f"Harian {words[rng.integers(12)].title()}",
            title=sentences[0],
            body=" ".join(f"{sentence}." for sentence in sentences[1:]),
            published=dt.date(2010, 1, 1) + dt.timedelta(int(rng.integers(5_800))),
        )


def articles_of(folder: Path, seed: int) -> Iterator[tuple[str, Article]]:
    """Yield the articles of a folder with "published", then without end others with "mixed".

    Read are the files named articles.jsonl or articles.jsonl.gz below it, else all that `tanya add`
    reads. A mixed article has eight sentences of forty others. Raises InputError without articles.
    """
    named = sorted(p for p in folder.rglob("articles.jsonl*") if p.suffix in (".jsonl", ".gz"))
    files = named or reading.find_files([folder])

    def read() -> Iterator[Article]:
        found = (item for file in files for item in reading.read(file))
        return (item for item in found if not isinstance(item, ReadProblem))

    known: set[str] = set()
    for article in read():
        if article.id not in known:
            known.add(article.id)
            yield "published", article
    if not known:
        raise InputError(f"{folder} holds no articles: name a folder of JSONL archives.")
    rng, numbers = random.Random(seed), itertools.count()
    while True:
        articles = read()
        while some := list(itertools.islice(articles, 40)):
            pool = [a.body[start:end] for a in some for start, end in text.sentences(a.body)]
            rng.shuffle(pool)
            for begin in range(0, len(pool), 8):
                body = " ".join(" ".join(pool[begin : begin + 8]).split())
                title, name = " ".join(body.split()[:8]), f"campuran-{next(numbers):07d}"
                yield "mixed", replace(rng.choice(some), id=name, title=title, body=body, url="")


def write_articles(plan: Plan, work: Path) -> None:
    """Write the articles of each size to SIZE.jsonl, MORE articles and questions, if not there.

    kinds.json counts the articles. Raises InputError for too few articles to ask about.
    """
    written = work / "kinds.json"
    if written.exists() and json.loads(written.read_text()).keys() == set(map(str, plan.sizes)):
        return
    articles = (("made_up", article) for article in made_up_articles(plan.seed))
    if plan.data is not None:
        articles = articles_of(plan.data, plan.seed)  # type: ignore[assignment]
    max_tokens = Settings().chunking.max_tokens
    passages, asked = 0, []
    kinds = {size: Counter[str]() for size in plan.sizes}
    with ExitStack() as stack:
        files = {s: stack.enter_context((work / f"{s}.jsonl").open("w")) for s in plan.sizes}
        while passages < plan.sizes[-1]:
            kind, article = next(articles)
            if not (cut := len(chunking.passages(article, max_tokens=max_tokens))):
                continue
            for size in plan.sizes:
                if passages < size:
                    files[size].write(_line(article))
                    kinds[size][f"articles_{kind}"] += 1
            if passages < min(ASKED_OF, plan.sizes[0]):
                asked.append(article)
            passages += cut
    with (work / "more.jsonl").open("w") as file:
        file.writelines(_line(article) for _, article in itertools.islice(articles, MORE))
    _save(work / "questions.json", questions_about(asked, plan.questions + WARM, plan.seed))
    _save(written, kinds)


def _line(article: Article) -> str:
    row = {"id": article.id, "title": article.title, "url": article.url, "text": article.body}
    row |= {"publisher": article.publisher, "date": str(article.published or "")}
    return json.dumps(row) + "\n"


def questions_about(articles: Sequence[Article], count: int, seed: int) -> list[tuple[str, str]]:
    """Return questions of five longer words of a sentence with its article's id, or raise."""
    rng = random.Random(seed)
    found = []
    for article in articles:
        for start, end in text.sentences(article.body)[1:]:
            words = [word.strip(".,;:!?()[]\"'“”‘’") for word in article.body[start:end].split()]
            longer = [word for word in words if len(word) > 3]
            if 5 <= len(longer) <= 30:
                asked = f"{rng.choice(_OPENERS)} {' '.join(rng.sample(longer, 5))}?"
                found.append((asked, article.id))
    if len(found) < count:
        raise InputError(
            f"The first articles gave {len(found)} questions, {count} are needed: ask for fewer "
            "with --questions, or for larger --sizes."
        )
    return rng.sample(found, count)


def questions(home: Path) -> list[tuple[str, str]]:
    """Return the questions with their articles' ids; the last WARM are to warm up with."""
    return [(asked, of) for asked, of in json.loads((home.parent / "questions.json").read_text())]


def run_command(
    command: Sequence[str | Path], work: Path, environment: Mapping[str, str] | None = None
) -> tuple[float, int]:
    """Run a command; return its seconds and peak memory in bytes. Raises InputError if it fails.

    The peak of several processes is that of their sum, seen ten times a second.
    """
    argv, errors = [str(part) for part in command], work / "stderr.txt"
    process, peak = None, 0
    try:
        with errors.open("wb") as stderr, _interrupts_held():
            began = time.perf_counter()
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env={**os.environ, **(environment or {})},
                cwd=Path(__file__).parents[1],
                start_new_session=True,
            )
        with open(os.pidfd_open(process.pid), "rb", buffering=0) as ended:
            while not select.select([ended], [], [], 0.1)[0]:
                peak = max(peak, _memory_of_all(process.pid))
        seconds = time.perf_counter() - began
    except BaseException:
        if process is not None:
            os.killpg(process.pid, signal.SIGTERM)  # what it started is to end too
        raise
    finally:
        if process is not None:
            process.wait()
    if process.returncode:
        last = errors.read_text(encoding="utf-8", errors="replace").strip()[-400:]
        raise InputError(f"A command of the bench failed ({last!r}): {' '.join(argv)}")
    return seconds, peak


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until the block is left: within Popen it would leave a command unknown."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _memory_of_all(first: int) -> int:
    """Return the bytes of a process with all that it started: its peak, or what they share now."""
    family = [first]
    for pid in family:
        with suppress(OSError):
            for path in Path(f"/proc/{pid}/task").glob("*/children"):
                family.extend(map(int, path.read_text().split()))
    file, key = ("status", "VmHWM") if len(family) == 1 else ("smaps_rollup", "Pss")
    return sum(memory(pid, file, key) for pid in family)


def memory(pid: int | str, file: str, key: str) -> int:
    """Return what a file of /proc tells of a process, in bytes; 0 if the process has ended."""
    with suppress(OSError):
        content = Path(f"/proc/{pid}/{file}").read_text(errors="replace")
        return sum(1024 * int(kb) for kb in re.findall(rf"^{key}:\s+(\d+)", content, re.MULTILINE))
    return 0


def tanya(home: Path, *arguments: str | Path) -> tuple[float, int]:
    """Run the `tanya` command; see `run_command`."""
    start = "from commands.main import main; main()"
    return run_command([sys.executable, "-c", start, "--home", home, *arguments], home.parent)


def add(home: Path) -> Figures:
    """Add all articles to a new archive; count them by kind."""
    shutil.rmtree(home, ignore_errors=True)
    seconds, peak = tanya(home, "add", home.with_suffix(".jsonl"))
    kinds = json.loads((home.parent / "kinds.json").read_text())[home.name]
    return {**kinds, "add_seconds": seconds, "add_peak_bytes": peak}


def build(home: Path) -> Figures:
    """Build the first version; tell what it holds and its bytes on disk."""
    shutil.rmtree(home / "versions", ignore_errors=True)
    seconds, peak = tanya(home, "build")
    versions = Versions.of(home, settings.load(home).engine)
    version = versions.describe(versions.live() or "")
    folder = versions.path(version.name)

    def size(folder: Path, *patterns: str) -> int:
        paths = {path for pattern in patterns for path in folder.rglob(pattern)}
        return sum(path.stat().st_size for path in paths if path.is_file())

    archive = size(home, f"{FILE_NAME}*")
    return {
        "articles": version.articles,
        "passages": version.passages,
        "stories": version.stories,
        "build_seconds": seconds,
        "build_peak_bytes": peak,
        "disk_bytes": archive + size(folder, "*"),
        "disk_archive_bytes": archive,
        "disk_texts_bytes": size(folder, "*.db"),
        "disk_vectors_bytes": size(folder, "*.faiss", "*.npy"),
        "disk_lexical_bytes": size(folder, "lexical/**/*"),
    }


def start(home: Path) -> Figures:
    """Time commands from their start to their end, the median of STARTS; files are in memory."""
    asked, _ = questions(home)[0]
    figures = {}
    for command in (["--help"], ["status"], ["search", asked, "--mode", "lexical"], ["ask", asked]):
        seconds = [tanya(home, *command)[0] for _ in range(1 + STARTS)]
        figures[f"{command[0].strip('-')}_seconds"] = statistics.median(seconds[1:])
    return figures


def grow(home: Path) -> Figures:
    """Add MORE articles and build on top, in a copy."""
    grown = home.with_name(f"{home.name}-grown")
    shutil.rmtree(grown, ignore_errors=True)
    # Files of a version are never written again.
    shutil.copytree(home / "versions", grown / "versions", copy_function=os.link)
    for path in home.glob(f"{FILE_NAME}*"):
        shutil.copy2(path, grown)
    add_seconds, _ = tanya(grown, "add", home.with_name("more.jsonl"))
    build_seconds, _ = tanya(grown, "build")
    shutil.rmtree(grown)
    return {"add_100_more_seconds": add_seconds, "build_100_more_seconds": build_seconds}


def search(mode: str, home: Path) -> Figures:
    """Time `Chat.search` without reading; the share of questions whose article is found."""
    chat = Chat(home, replace(Settings(), reader=ReaderSettings(search=False)))
    figures, replies = _timed(mode, lambda asked: chat.search(asked, 10, mode=mode), home)
    found = [[i for h in hits for i in (h.passage.article_id, *h.also_in)] for hits in replies]
    return {**figures, f"{mode}_found_10": _found_share(found, home)}


def _found_share(found: Sequence[Sequence[str]], home: Path) -> float:
    """Return the share of the questions whose article is among the ids found for them."""
    pairs = zip(questions(home), found, strict=False)
    return sum(article_id in ids for (_, article_id), ids in pairs) / len(found)


def answers(home: Path) -> Figures:
    """Time whole answers of the chat one at a time, then count those of CLIENTS at once."""
    chat = Chat.open(home)
    figures, _ = _timed("answer", chat.ask, home)
    figures["chat_resident_bytes"] = memory("self", "status", "VmRSS")
    figures["chat_private_bytes"] = memory("self", "status", "RssAnon")
    asked = [question for question, _ in questions(home)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        list(clients.map(chat.ask, asked[:-WARM]))
        figures["answers_a_second"] = len(asked[:-WARM]) / (time.perf_counter() - began)
    return figures


def _timed(name: str, ask: Callable[[str], Any], home: Path) -> tuple[Figures, list[Any]]:
    """Warm up and ask one at a time; return the median and 95th percentile, and the replies."""
    asked = [question for question, _ in questions(home)]
    for question in asked[-WARM:]:
        ask(question)
    milliseconds, replies = [], []
    for question in asked[:-WARM]:
        began = time.perf_counter()
        replies.append(ask(question))
        milliseconds.append((time.perf_counter() - began) * 1000)
    median, p95 = np.percentile(milliseconds, [50, 95]).tolist()
    return {f"{name}_median_ms": median, f"{name}_p95_ms": p95}, replies


def recall(home: Path) -> Figures:
    """Return the share of the dense search's first 100 with a product as high as the 100th's."""
    chat = Chat.open(home)
    index, embedder, ids = chat.index(), chat.embedder(), passage_ids(chat)

    def embed(some: Sequence[str]) -> Vectors:
        # What the index keeps may be less exact.
        return embedder.embed_passages([passage_text(each) for each in index.passages(some)])

    asked = embedder.embed_queries([question for question, _ in questions(home)])
    best = np.full((len(asked), 100), -np.inf, dtype=np.float32)
    for begin in range(0, len(ids), 10_000):
        products = asked @ embed(ids[begin : begin + 10_000]).T
        best = np.partition(np.hstack([best, products]), -100, axis=1)[:, -100:]
    shares = []
    for vector, bound in zip(asked, best.min(axis=1) - 1e-5, strict=True):
        found = [scored.passage_id for scored in index.dense(vector, 100, Filter())]
        shares.append(float((embed(found) @ vector >= bound).sum()) / 100)
    return {"recall_100": statistics.mean(shares)}


def passage_ids(chat: Chat) -> list[str]:
    """Return the ids of all passages of the live version."""
    with open_archive(chat.home) as archive:
        ids = list(archive.fingerprints())
    sizes = zip(ids, chat.index().sizes(ids), strict=True)
    return [f"{article_id}#{n}" for article_id, size in sizes for n in range(size)]


def export(home: Path) -> None:
    """Write passages and questions with their vectors to HOME.given, as bench_peers reads them."""
    chat, given = Chat.open(home), home.with_suffix(".given")
    given.mkdir(exist_ok=True)
    ids = passage_ids(chat)
    with (given / "passages.jsonl").open("w") as file:
        for passage in chat.index().passages(ids):
            file.write(json.dumps({"id": passage.id, "text": passage_text(passage)}) + "\n")
    asked = [question for question, _ in questions(home)]
    _save(given / "plan.json", {"queries": asked, "warm": WARM})
    np.save(given / "queries.npy", chat.embedder().embed_queries(asked))
    np.save(given / "vectors.npy", chat.index().vectors(ids))


def in_process(measure: str, home: Path) -> Any:
    """Return what one of MEASURES finds in a process of its own."""
    out = home.with_suffix(".out")
    run_command([sys.executable, "-m", "eval.bench", measure, home, out], home.parent)
    return json.loads(out.read_text())


MEASURES: Mapping[str, Callable[[Path], Figures | None]] = {
    **{mode: partial(search, mode) for mode in ("hybrid", "lexical", "dense")},
    **{measure.__name__: measure for measure in (answers, recall, export)},
}
STEPS: Mapping[str, Callable[[Path], Figures]] = {
    **{step.__name__: step for step in (add, build, start)},
    **{name: partial(in_process, name) for name in MEASURES if name != "export"},
    "grow": grow,
}
"""What is measured of a size, in this order, on the archive in its home."""


def measure_peer(plan: Plan, name: str, python: Path, home: Path) -> dict[str, Any]:
    """Return name, versions and figures of one program on the archive's passages and vectors."""
    given, out = home.with_suffix(".given"), home.with_suffix(".out")
    if not (given / "vectors.npy").exists():
        if not (home / "versions" / LIVE).exists():
            write_articles(plan, home.parent)
            add(home)
            build(home)
        in_process("export", home)
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
    environment = {f"{library}_NUM_THREADS": "1" for library in libraries}
    environment |= {"TOKENIZERS_PARALLELISM": "false", "HAYSTACK_TELEMETRY_ENABLED": "False"}
    environment["TMPDIR"] = str(given)
    # Beside the script of another program must lie no modules of ours.
    ours = name == bench_peers.OURS
    script = ["-m", "eval.bench_peers"] if ours else [shutil.copy(bench_peers.__file__, given)]
    _, peak = run_command([python, *script, name, given, out], home.parent, environment)
    peer: dict[str, Any] = json.loads(out.read_text())
    found = [[name.rpartition("#")[0] for name in ids] for ids in peer.pop("found")]
    peer["figures"] |= {"peak_bytes": peak, "found_10": _found_share(found, home)}
    return {"name": name, **peer}


def markdown(bench: Mapping[str, Any]) -> str:
    """Return the tables of sizes and of programs, with what they were measured on."""
    machine, code = bench["machine"], bench["code"]
    lines = [
        f"# Speed and scale, {bench['date'][:10]}",
        f"{machine['cpus']} cores of {machine['cpu']}, {machine['system']}, Python "
        f"{machine['python']}; code {code['commit'][:7] or 'unknown'}"
        f"{' and changes' if code['altered'] else ''}; {bench['questions']} questions; articles "
        f"{bench['made']}.",
        table({f"{s['passages']:,} passages": s["figures"] for s in bench["sizes"]}),
        "![How each grows with the archive](bench.svg)",
    ]
    if bench["peers"]:
        lines += [
            "## Beside other programs",
            f"{bench['compared']:,} passages with their vectors given, so that no build embeds; "
            "one thread each. k10, k100: so many passages are searched for.",
            table({peer["name"]: peer["figures"] for peer in bench["peers"]}),
            *(
                f"{p['name']}: " + ", ".join(map(" ".join, p["versions"].items()))
                for p in bench["peers"]
            ),
        ]
    return "\n\n".join(lines) + "\n"


def table(columns: Mapping[str, Figures]) -> str:
    """Return a Markdown table with a row a figure; bytes as megabytes, "-" where there is none."""
    names = dict.fromkeys(name for figures in columns.values() for name in figures)
    rows = [["", *columns], ["---", *["---:"] * len(columns)]]
    rows += [[named(n), *(shown(n, figures.get(n)) for figures in columns.values())] for n in names]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def named(name: str) -> str:
    """Return a figure's name for people."""
    return name.replace("_", " ").replace("bytes", "MB")


def shown(name: str, value: float | None) -> str:
    """Return a figure with as many digits as it deserves."""
    if value is None:
        return "-"
    if name.endswith("bytes"):
        value = value / 1e6
    elif isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 3 if value <= 1 else 2}f}"


def draw(sizes: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw how seconds, milliseconds, memory and disk grow with the archive, as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    panels = {
        "seconds": lambda name: name.endswith("_seconds"),
        "milliseconds": lambda name: name.endswith("_ms"),
        "memory, MB": lambda name: name.endswith("bytes") and not name.startswith("disk"),
        "on disk, MB": lambda name: name.startswith("disk"),
    }
    passages = [size["passages"] for size in sizes]
    style: Any = {"svg.hashsalt": "tanya", "font.size": 9, "axes.grid": True, "grid.alpha": 0.2}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(12, 7), layout="constrained")
        for axes, (title, wanted) in zip(figure.subplots(2, 2).flat, panels.items(), strict=True):
            for name in filter(wanted, sizes[0]["figures"]):
                scale = 1e6 if name.endswith("bytes") else 1
                values = [size["figures"][name] / scale for size in sizes]
                axes.loglog(passages, values, "o-", markersize=4, label=named(name))
            axes.set_xticks(passages, [f"{count:,}" for count in passages], minor=False)
            axes.minorticks_off()
            axes.set(xlabel="passages", title=title)
            axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(MEASURES[sys.argv[1]](Path(sys.argv[2]))))
