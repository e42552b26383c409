"""One other program's hybrid search over passages and vectors that are given; a script of its own.

    PYTHON bench_peers.py NAME FOLDER

It runs in that program's environment, so it imports nothing of ours. FOLDER holds passages.jsonl
(id, text), vectors.npy (float32, a row a passage), queries.jsonl (text), queries.npy and plan.json
({"depths", "seconds", "warm"}). One JSON object goes to standard output; see `measure`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

Search = Callable[[str, Any, int], list[str]]
"""Takes a question, its vector and how many passages are wanted; returns their ids."""


@dataclass(frozen=True)
class Given:
    """What every program gets: `vectors` is aligned with `ids` and `texts`."""

    ids: list[str]
    texts: list[str]
    vectors: Any
    questions: list[str]
    asked: Any


def read(folder: Path) -> Given:
    """Read passages, questions and the vectors of both."""
    with (folder / "passages.jsonl").open(encoding="utf-8") as file:
        passages = [json.loads(line) for line in file]
    with (folder / "queries.jsonl").open(encoding="utf-8") as file:
        questions = [json.loads(line)["text"] for line in file]
    return Given(
        [row["id"] for row in passages],
        [row["text"] for row in passages],
        np.load(folder / "vectors.npy"),
        questions,
        np.load(folder / "queries.npy"),
    )


def plain(given: Given) -> Search:
    """Build exact inner products by FAISS and BM25 by bm25s, joined by reciprocal ranks."""
    import bm25s
    import faiss
    import Stemmer

    # What every program is held to; FAISS does not always read it from the environment.
    faiss.omp_set_num_threads(1)
    vectors = faiss.IndexFlatIP(given.vectors.shape[1])
    vectors.add(given.vectors)
    stemmer = Stemmer.Stemmer("indonesian")
    words = bm25s.BM25()
    words.index(
        bm25s.tokenize(given.texts, stopwords=[], stemmer=stemmer, show_progress=False),
        show_progress=False,
    )

    def search(question: str, vector: Any, k: int) -> list[str]:
        _, near = vectors.search(vector[None], k)
        tokens = bm25s.tokenize([question], stopwords=[], stemmer=stemmer, show_progress=False)
        said, scores = words.retrieve(tokens, k=k, show_progress=False)
        lexical = [at for at, score in zip(said[0].tolist(), scores[0], strict=True) if score > 0]
        return [given.ids[at] for at in _joined([near[0].tolist(), lexical])[:k]]

    return search


def _joined(rankings: list[list[int]]) -> list[int]:
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, at in enumerate(ranking, start=1):
            scores[at] = scores.get(at, 0.0) + 1 / (60 + rank)
    return sorted(scores, key=lambda at: -scores[at])


def txtai(given: Given) -> Search:
    """Build txtai's hybrid index with stored content; vectors come from a transform function."""
    from txtai import Embeddings

    vectors = dict(zip(given.texts, given.vectors, strict=True))
    vectors.update(zip(given.questions, given.asked, strict=True))
    index = Embeddings(
        {
            "method": "external",
            "transform": lambda texts: np.array([vectors[text] for text in texts]),
            "hybrid": True,
            "content": True,
        }
    )
    index.index(zip(given.ids, given.texts, strict=True))
    return lambda question, vector, k: [row["id"] for row in index.search(question, k)]


def haystack(given: Given) -> Search:
    """Build Haystack's store in memory; both its retrievers joined by reciprocal rank fusion."""
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
    store.write_documents(
        [
            Document(id=name, content=text, embedding=vector.tolist())
            for name, text, vector in zip(given.ids, given.texts, given.vectors, strict=True)
        ]
    )
    words = InMemoryBM25Retriever(store)
    near = InMemoryEmbeddingRetriever(store)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def search(question: str, vector: Any, k: int) -> list[str]:
        lexical = words.run(query=question, top_k=k)["documents"]
        dense = near.run(query_embedding=vector.tolist(), top_k=k)["documents"]
        found = joiner.run(documents=[lexical, dense], top_k=k)["documents"]
        return [document.id for document in found]

    return search


def llamaindex(given: Given) -> Search:
    """Build LlamaIndex's FAISS store and BM25 retriever, joined by its fusion; no LLM."""
    import faiss
    import Stemmer
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import QueryBundle, TextNode
    from llama_index.retrievers.bm25 import BM25Retriever
    from llama_index.vector_stores.faiss import FaissVectorStore

    faiss.omp_set_num_threads(1)
    width = given.vectors.shape[1]
    nodes = [
        TextNode(id_=name, text=text, embedding=vector.tolist())
        for name, text, vector in zip(given.ids, given.texts, given.vectors, strict=True)
    ]
    store = StorageContext.from_defaults(
        vector_store=FaissVectorStore(faiss_index=faiss.IndexFlatIP(width))
    )
    # Every node has its vector, and so has every question: nothing is embedded.
    index = VectorStoreIndex(nodes, storage_context=store, embed_model=MockEmbedding(width))
    words = BM25Retriever(nodes, stemmer=Stemmer.Stemmer("indonesian"), language=[])
    near = index.as_retriever()
    fused = QueryFusionRetriever(
        [near, words], llm=MockLLM(), mode="reciprocal_rerank", num_queries=1, use_async=False
    )

    def search(question: str, vector: Any, k: int) -> list[str]:
        near.similarity_top_k = words.similarity_top_k = fused.similarity_top_k = k
        asked = QueryBundle(question, embedding=vector.tolist())
        return [found.node.node_id for found in fused.retrieve(asked)]

    return search


PEERS: dict[str, tuple[Callable[[Given], Search], tuple[str, ...]]] = {
    "plain": (plain, ("faiss-cpu", "bm25s")),
    "txtai": (txtai, ("txtai", "faiss-cpu")),
    "haystack": (haystack, ("haystack-ai",)),
    "llamaindex": (
        llamaindex,
        ("llama-index-core", "llama-index-retrievers-bm25", "bm25s", "faiss-cpu"),
    ),
}
"""Each program's builder, and the distributions whose versions are told."""


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Build, warm up, ask; return seconds, milliseconds a question, memory, versions and ids.

    At each depth as many of the questions are asked as the plan's seconds allow, one at least.
    """
    build, distributions = PEERS[name]
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    given = read(folder)
    began = time.perf_counter()
    search = build(given)
    built = time.perf_counter() - began
    return {
        "peer": name,
        "versions": {each: metadata.version(each) for each in distributions},
        "passages": len(given.ids),
        "build_seconds": built,
        "searches": {str(k): asked(search, given, k, plan) for k in plan["depths"]},
        "peak_bytes": peak_bytes(),
    }


def asked(search: Search, given: Given, k: int, plan: dict[str, Any]) -> dict[str, Any]:
    """Ask the questions one at a time; return how many, median and 95th percentile, ids found.

    The plan's last `warm` questions are asked before and not measured.
    """
    pairs = list(zip(given.questions, given.asked, strict=True))
    until = time.perf_counter() + plan["seconds"] / 4
    measured, warm = pairs[: -plan["warm"]], pairs[-plan["warm"] :]
    for question, vector in warm:
        search(question, vector, k)
        if time.perf_counter() > until:
            break
    spent: list[float] = []
    found: list[list[str]] = []
    until = time.perf_counter() + plan["seconds"]
    for question, vector in measured:
        began = time.perf_counter()
        ids = search(question, vector, k)
        spent.append((time.perf_counter() - began) * 1000)
        found.append(ids[:10])
        if time.perf_counter() > until:
            break
    middle, slow = np.percentile(spent, [50, 95]).tolist()
    return {"asked": len(spent), "median_ms": middle, "p95_ms": slow, "found": found}


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    told = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(told.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))) + "\n")
