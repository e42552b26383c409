"""What a bench measures inside a process of its own, so that nothing before counts.

    python -m eval.bench_work KIND HOME WORK OUT.json

HOME is a built home, WORK the folder of the questions and of what is exported; see KINDS.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.bench_text import QUERIES, WARM
from index import build as builds
from index import chunking, settings
from index.archive import BATCH, FILE_NAME, Archive
from index.embedding import Embedder, Vectors, open_embedder, passage_text
from index.engines.contract import ArticleEntry, IndexVersion, SearchIndex
from index.engines.opening import open_engine
from index.records import Evidence, Filter, Passage, Query, Reading, Scored
from qa import answers, confidence
from qa.chat import Chat
from qa.question import understand
from qa.question.answer_type import answer_type
from qa.question.spelling import Speller
from qa.reader import reader
from qa.retriever import Retriever

Figures = dict[str, float]

CLIENTS = 16
DEPTH = 100
TODAY = dt.date(2026, 6, 1)
_COMPARED = 50_000
_PASSAGES, _VECTORS, _QUERIES = "passages.jsonl", "vectors.npy", "queries.npy"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the article that it was made of."""

    text: str
    article: str


def questions(work: Path) -> tuple[list[Asked], list[Asked]]:
    """Return the questions to measure, and those to warm up with."""
    with (work / QUERIES).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found = [Asked(row["text"], row["article"]) for row in rows]
    return found[:-WARM], found[-WARM:]


class Pipeline:
    """From a question to evidence as the chat goes, by the public parts that it is made of.

    What is given instead of a part, such as one that tells its time, takes that part's place.
    """

    def __init__(
        self,
        chat: Chat,
        index: SearchIndex | None = None,
        embedder: Embedder | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.chat = chat
        self._live = chat.index()
        self._speller = Speller(self._live)
        self._archive = Archive.open(chat.home / FILE_NAME)
        self._lock = threading.Lock()
        self._meter = meter
        self._index = index or self._live
        self._retriever = Retriever(
            chat.settings.retrieval,
            (lambda _: embedder) if embedder else chat.embedder,
            self._present,
        )

    def understand(self, asked: str) -> Query:
        """Return what a question is first understood as."""
        meanings = understand.understand(
            asked, today=TODAY, index=self._live, speller=self._speller
        )
        return meanings[0].query

    def find(self, query: Query) -> Evidence:
        """Return the evidence for a query."""
        return self._retriever.retrieve(query, self._index)

    def evidence(self, asked: str) -> Evidence:
        """Go the whole way."""
        return self.find(self.understand(asked))

    def _present(self, article_ids: Sequence[str]) -> Set[str]:
        with self._lock:
            if self._meter is None:
                return self._archive.present(article_ids)
            found: Set[str] = self._meter.told("archive", self._archive.present, article_ids)
            return found


@dataclass(slots=True)
class Meter:
    """Adds up the milliseconds of the parts of one question."""

    spent: Figures = field(default_factory=dict)

    def told(self, part: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function and count its time to a part."""
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            self.spent[part] = self.spent.get(part, 0.0) + (time.perf_counter() - began) * 1000


class _MeteredIndex:
    """An index that tells the time of each of its searches."""

    def __init__(self, index: SearchIndex, meter: Meter) -> None:
        self._index, self._meter = index, meter

    @property
    def version(self) -> IndexVersion:
        return self._index.version

    def dense(self, vector: Vectors, k: int, wanted: Filter) -> list[Scored]:
        found: list[Scored] = self._meter.told("dense", self._index.dense, vector, k, wanted)
        return found

    def lexical(self, asked: str, k: int, wanted: Filter) -> list[Scored]:
        found: list[Scored] = self._meter.told("lexical", self._index.lexical, asked, k, wanted)
        return found

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Passages, vectors, frequencies, and whatever else the retriever reads.
        return lambda *given: self._meter.told("fetch", getattr(self._index, name), *given)


class _MeteredEmbedder:
    def __init__(self, embedder: Embedder, meter: Meter) -> None:
        self._embedder, self._meter = embedder, meter
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self.embed_passages = embedder.embed_passages

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        found: Vectors = self._meter.told("embed", self._embedder.embed_queries, texts)
        return found


def ask_evidence(home: Path, work: Path) -> Figures:
    """Time a question's way to evidence, one at a time, and what it finds."""
    asked, warm = questions(work)
    pipeline = Pipeline(Chat.open(home, lambda: TODAY))
    for each in warm:
        pipeline.evidence(each.text)
    spent, found = [], 0
    for each in asked:
        began = time.perf_counter()
        evidence = pipeline.evidence(each.text)
        spent.append((time.perf_counter() - began) * 1000)
        found += any(each.article in (h.passage.article_id, *h.also_in) for h in evidence.hits)
    return {**_percentiles("evidence", spent), "found_10": found / len(asked)}


def ask_answers(home: Path, work: Path) -> Figures:
    """Time whole answers of the chat, one at a time; tell the memory that it holds afterwards."""
    asked, warm = questions(work)
    chat = Chat.open(home, lambda: TODAY)
    for each in warm:
        chat.ask(each.text)
    spent = []
    for each in asked:
        began = time.perf_counter()
        chat.ask(each.text)
        spent.append((time.perf_counter() - began) * 1000)
    told = memory()
    return {
        **_percentiles("answer", spent),
        "resident_bytes": told["VmRSS"],
        "private_bytes": told["RssAnon"],
    }


def profile(home: Path, work: Path) -> Figures:
    """Time the parts of a question, in milliseconds a question, by their means."""
    asked, warm = questions(work)
    chat, meter = Chat.open(home, lambda: TODAY), Meter()
    pipeline = Pipeline(
        chat,
        _MeteredIndex(chat.index(), meter),
        _MeteredEmbedder(chat.embedder(), meter),
        meter,
    )
    budget, passages = chat.settings.reader.passages, 0

    def read(asked: str, pages: Sequence[tuple[int, Passage]]) -> list[Reading]:
        nonlocal passages
        passages += len(pages)
        return reader().read(asked, pages)

    totals: Figures = {}
    for number, each in enumerate([*warm, *asked]):
        meter.spent = {}
        query = meter.told("understand", pipeline.understand, each.text)
        inner = set(meter.spent)
        began = time.perf_counter()
        evidence = pipeline.find(query)
        whole = (time.perf_counter() - began) * 1000
        known = sum(ms for part, ms in meter.spent.items() if part not in inner)
        meter.spent["fuse"] = whole - known
        if number == len(warm):
            passages = 0
        evidence = meter.told("read", confidence.judged, evidence, read, budget)
        meter.told("answer", _answered, evidence, chat)
        if number >= len(warm):
            for part, ms in meter.spent.items():
                totals[part] = totals.get(part, 0.0) + ms
    parts = {f"part_{part}": ms / len(asked) for part, ms in totals.items()}
    return {**parts, "passages_read": passages / len(asked)}


def _answered(evidence: Evidence, chat: Chat) -> None:
    chosen = chat.settings.answers
    known: dict[tuple[str, str], str | None] = {}

    def body_of(passage: Passage) -> str | None:
        key = (passage.article_id, passage.content)
        if key not in known:
            article = chat.article(*key)
            known[key] = article.body if article else None
        return known[key]

    for _ in answers.answer(evidence, answers.ExtractiveAnswerer(chosen), body_of, chosen):
        pass


def serve_evidence(home: Path, work: Path) -> Figures:
    """Count evidence a second for CLIENTS people at once, in one process as the chat's."""
    pipeline = Pipeline(Chat.open(home, lambda: TODAY))
    return {"evidence_a_second": _together(pipeline.evidence, work)}


def serve_answers(home: Path, work: Path) -> Figures:
    """Count whole answers a second for CLIENTS people at once."""
    return {"answers_a_second": _together(Chat.open(home, lambda: TODAY).ask, work)}


def _together(ask: Callable[[str], object], work: Path) -> float:
    asked, warm = questions(work)
    for each in warm:
        ask(each.text)
    with ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        for _ in clients.map(ask, [each.text for each in asked]):
            pass
        return len(asked) / (time.perf_counter() - began)


def export(home: Path, work: Path) -> Figures:
    """Write all passages of the archive, their vectors and the questions' for other programs."""
    chosen = settings.load(home)
    embedder = open_embedder(chosen.embedding)
    raw = work / "vectors.raw"
    count = 0
    began = time.perf_counter()
    with (
        Archive.open(home / FILE_NAME) as archive,
        (work / _PASSAGES).open("w", encoding="utf-8") as out,
        raw.open("wb") as vectors,
    ):
        for _, passages in _cut(archive, chosen.chunking.max_tokens):
            texts = [passage_text(passage) for passage in passages]
            for passage, whole in zip(passages, texts, strict=True):
                row = {"id": passage.id, "text": whole}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            embedder.embed_passages(texts).tofile(vectors)
            count += len(passages)
    seconds = time.perf_counter() - began
    stored = np.memmap(raw, np.float32, "r", shape=(count, embedder.dimensions))
    np.save(work / _VECTORS, stored)
    raw.unlink()
    asked, warm = questions(work)
    np.save(work / _QUERIES, embedder.embed_queries([each.text for each in [*asked, *warm]]))
    return {"embedding_seconds": seconds}


def _cut(archive: Archive, max_tokens: int) -> Iterator[tuple[list[ArticleEntry], list[Passage]]]:
    """Yield the archive's articles as the index knows them, and their passages, a batch a time."""
    ids = list(archive.fingerprints())
    for begin in range(0, len(ids), BATCH):
        entries, passages = [], []
        for article, fingerprint in archive.articles(ids[begin : begin + BATCH]):
            repeated = archive.repeated_lines(article.publisher)
            passages.extend(chunking.passages(article, max_tokens=max_tokens, repeated=repeated))
            entries.append(
                ArticleEntry(
                    article.id,
                    fingerprint,
                    article.story_id,
                    article.publisher,
                    article.published,
                )
            )
        yield entries, passages


def recall(home: Path, work: Path) -> Figures:
    """Compare the first DEPTH of the dense search with those by exact inner products.

    A passage counts as right if its product is no less than the last exact one's, since copies of a
    text have equal products.
    """
    index = Chat.open(home, lambda: TODAY).index()
    vectors = np.load(work / _VECTORS, mmap_mode="r")
    asked = np.load(work / _QUERIES)[:-WARM]
    with (work / _PASSAGES).open(encoding="utf-8") as file:
        places = {json.loads(line)["id"]: at for at, line in enumerate(file)}
    depth = min(DEPTH, len(places))
    best = np.full((len(asked), depth), -np.inf, dtype=np.float32)
    for begin in range(0, len(vectors), _COMPARED):
        products = asked @ np.asarray(vectors[begin : begin + _COMPARED]).T
        both = np.concatenate([best, products], axis=1)
        best = np.partition(both, -depth, axis=1)[:, -depth:]
    least = best.min(axis=1) - 1e-5
    shares = []
    for vector, bound in zip(asked, least.tolist(), strict=True):
        found = [places[s.passage_id] for s in index.dense(vector, depth, Filter())]
        exact = vectors[sorted(found)] @ vector
        shares.append(float((exact >= bound).sum()) / depth)
    return {"recall_100": float(np.mean(shares))}


class _Given:
    """An embedder that looks up the vectors of the questions; passages have theirs."""

    def __init__(self, embedder: Embedder, asked: Sequence[str], vectors: Vectors) -> None:
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self._of = dict(zip(asked, vectors, strict=True))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._of[text] for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError("passages come with their vectors")


def write_index(home: Path, work: Path) -> dict[str, Any]:
    """Do what other programs are measured at: index given vectors, then search without embedding.

    Returned is what they print.
    """
    chosen = settings.load(home)
    plan = json.loads((work / "plan.json").read_text(encoding="utf-8"))
    embedder = open_embedder(chosen.embedding)
    vectors = np.load(work / _VECTORS)
    with Archive.open(home / FILE_NAME) as archive:
        cut = list(_cut(archive, chosen.chunking.max_tokens))
    engine = open_engine(chosen.engine, work)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        began = time.perf_counter()
        target = Path(folder) / "version"
        writer = engine.writer(target, None, builds.recipe(engine.name, embedder, chosen.chunking))
        at = 0
        for entries, passages in cut:
            writer.put(entries, passages, vectors[at : at + len(passages)])
            at += len(passages)
        writer.finish("000001", dt.datetime.now(dt.UTC))
        with closing(engine.open(target)) as index:
            built = time.perf_counter() - began
            asked = [each.text for part in questions(work) for each in part]
            given = _Given(embedder, asked, np.load(work / _QUERIES))
            return {
                "build_seconds": built,
                "passages": at,
                "searches": {str(k): _search(index, given, k, home, work) for k in plan["depths"]},
                "peak_bytes": memory()["VmHWM"],
            }


def _search(index: SearchIndex, given: Embedder, k: int, home: Path, work: Path) -> dict[str, Any]:
    chosen = replace(settings.load(home).retrieval, mode="hybrid", hits=k)
    retriever = Retriever(chosen, lambda _: given, set)
    asked, warm = questions(work)
    for each in warm:
        retriever.retrieve(Query(each.text, kind=answer_type(each.text)), index)
    spent, found = [], []
    for each in asked:
        began = time.perf_counter()
        evidence = retriever.retrieve(Query(each.text, kind=answer_type(each.text)), index)
        spent.append((time.perf_counter() - began) * 1000)
        found.append([hit.passage.id for hit in evidence.hits[:10]])
    middle, slow = np.percentile(spent, [50, 95]).tolist()
    return {"asked": len(spent), "median_ms": middle, "p95_ms": slow, "found": found}


def _percentiles(name: str, spent: Sequence[float]) -> Figures:
    middle, slow, slowest = np.percentile(spent, [50, 95, 99]).tolist()
    return {f"{name}_ms": middle, f"{name}_p95_ms": slow, f"{name}_p99_ms": slowest}


def memory() -> dict[str, float]:
    """Return this process's memory in bytes by the kernel's names for it."""
    told = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    lines = (line.split() for line in told.splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024.0 for words in lines if words[-1] == "kB"}


KINDS: Mapping[str, Callable[[Path, Path], Mapping[str, Any]]] = {
    "evidence": ask_evidence,
    "answers": ask_answers,
    "profile": profile,
    "serve-evidence": serve_evidence,
    "serve-answers": serve_answers,
    "export": export,
    "recall": recall,
    "write-index": write_index,
}


def main(kind: str, home: str, work: str, out: str) -> None:
    """Do one of KINDS and write its figures."""
    figures = KINDS[kind](Path(home), Path(work))
    Path(out).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
