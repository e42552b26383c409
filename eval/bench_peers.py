"""Another program's hybrid search over given passages and vectors, for `tanya eval bench --peer`.

    PYTHON bench_peers.py NAME FOLDER OUT.json

It runs in that program's environment, so that only `tanya` imports anything of ours. FOLDER holds
passages.jsonl (id, text), vectors.npy (float32, a row a passage), plan.json (queries, warm) and
queries.npy (float32, a row a query); `measure` tells what comes into OUT.json.
"""

from __future__ import annotations

import atexit
import datetime as dt
import itertools
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

OURS = "tanya"

SECONDS = 60.0
"""How long a program is asked at each depth: slow ones are asked fewer queries."""

Search = Callable[[str, Any, int], list[str]]
"""Takes a query's text, its vector and the depth k; returns the ids of k passages, best first."""

Build = Callable[[list[str], list[str], Any], Search]
"""Takes the passages' ids, texts and vectors, float32 [passages, dimensions]."""


def txtai(ids: list[str], texts: list[str], vectors: Any) -> Search:
    """Build txtai's hybrid index with stored content; vectors come from a transform function."""
    from txtai import Embeddings

    known = dict(zip(texts, vectors, strict=True))

    def transform(some: list[str]) -> Any:
        return np.array([known[text] for text in some])

    index = Embeddings(method="external", transform=transform, hybrid=True, content=True)
    index.index(zip(ids, texts, strict=True))

    def search(query: str, vector: Any, k: int) -> list[str]:
        known[query] = vector
        return [row["id"] for row in index.search(query, k)]

    return search


def haystack(ids: list[str], texts: list[str], vectors: Any) -> Search:
    """Build Haystack's store in memory; both its retrievers joined by reciprocal rank fusion."""
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers import in_memory
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
    rows = zip(ids, texts, vectors.tolist(), strict=True)
    store.write_documents([Document(id=i, content=t, embedding=v) for i, t, v in rows])
    bm25 = in_memory.InMemoryBM25Retriever(store)
    dense = in_memory.InMemoryEmbeddingRetriever(store)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def search(query: str, vector: Any, k: int) -> list[str]:
        lists = [
            bm25.run(query=query, top_k=k)["documents"],
            dense.run(query_embedding=vector.tolist(), top_k=k)["documents"],
        ]
        return [found.id for found in joiner.run(documents=lists, top_k=k)["documents"]]

    return search


def llamaindex(ids: list[str], texts: list[str], vectors: Any) -> Search:
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

    faiss.omp_set_num_threads(1)  # it does not always read this from the environment
    width = vectors.shape[1]
    rows = zip(ids, texts, vectors.tolist(), strict=True)
    nodes = [TextNode(id_=i, text=t, embedding=v) for i, t, v in rows]
    store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(width))
    context = StorageContext.from_defaults(vector_store=store)
    # Every node has its vector, and so has every query: nothing is embedded.
    model = MockEmbedding(width)
    dense = VectorStoreIndex(nodes, storage_context=context, embed_model=model).as_retriever()
    bm25 = BM25Retriever(nodes, stemmer=Stemmer.Stemmer("indonesian"), language=[])
    fusion = QueryFusionRetriever(
        [dense, bm25], llm=MockLLM(), mode="reciprocal_rerank", num_queries=1, use_async=False
    )

    def search(query: str, vector: Any, k: int) -> list[str]:
        dense.similarity_top_k = bm25.similarity_top_k = fusion.similarity_top_k = k
        bundle = QueryBundle(query, embedding=vector.tolist())
        return [found.node.node_id for found in fusion.retrieve(bundle)]

    return search


def tanya(ids: list[str], texts: list[str], vectors: Any) -> Search:
    """Write a version of our own index to disk and open it there; both scores mixed."""
    from index.engines.local import LocalEngine
    from index.files import temporary_prefix
    from index.manifest import Recipe
    from index.records import Passage, Query
    from index.settings import RetrievalSettings
    from index.snapshot import IndexWriter, SearchIndex
    from index.store import ArticleEntry
    from qa.question.answer_type import answer_type
    from qa.retriever import Retriever

    embedder: Any = SimpleNamespace(name="given", dimensions=vectors.shape[1])
    folder = Path(tempfile.mkdtemp(prefix=temporary_prefix()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    recipe = Recipe("local", "given", vectors.shape[1], 0, "")
    writer = IndexWriter(LocalEngine(), folder, None, recipe)
    passages = []
    for name, text in zip(ids, texts, strict=True):
        article = name.rpartition("#")[0]
        spans = ((0, len(text)),)
        passages.append(Passage(name, article, article, text, spans, "", "", "", None, ""))
    starts = [row for row, name in enumerate(ids) if name.endswith("#0")]
    for begin, end in itertools.pairwise([*starts[::500], len(ids)]):
        names = dict.fromkeys(passage.article_id for passage in passages[begin:end])
        entries = [ArticleEntry(name, "", name, "", None) for name in names]
        writer.put(entries, passages[begin:end], vectors[begin:end])
    writer.finish("000001", dt.datetime.now(dt.UTC))
    index = SearchIndex(LocalEngine(), folder)

    def search(query: str, vector: Any, k: int) -> list[str]:
        embedder.embed_queries = lambda texts: vector[None]
        retriever = Retriever(RetrievalSettings(hits=k), lambda model: embedder, set)
        evidence = retriever.retrieve(Query(query, kind=answer_type(query)), index)
        return [hit.passage.id for hit in evidence.hits]

    return search


PEERS: dict[str, tuple[Build, str]] = {
    OURS: (tanya, "faiss-cpu tantivy"),
    "txtai": (txtai, "txtai faiss-cpu"),
    "haystack": (haystack, "haystack-ai"),
    "llamaindex": (
        llamaindex,
        "llama-index-core llama-index-retrievers-bm25 llama-index-vector-stores-faiss faiss-cpu",
    ),
}
"""Each program's builder, and the packages to install for it, whose versions are reported."""


def measure(build: Build, packages: str, folder: Path) -> dict[str, Any]:
    """Build and search; return the packages' versions, figures, and the ids found at depth 10.

    Queries come one at a time; the last `warm` ones come first and are not measured. Of the others
    as many are asked at each depth as fit in SECONDS, at least one.
    """
    with (folder / "passages.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    ids, texts = [row["id"] for row in rows], [row["text"] for row in rows]
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    pairs = list(zip(plan["queries"], np.load(folder / "queries.npy"), strict=True))
    vectors = np.load(folder / "vectors.npy")
    began = time.perf_counter()
    search = build(ids, texts, vectors)
    figures = {"build_seconds": time.perf_counter() - began}
    found: dict[int, list[list[str]]] = {}
    for k in (10, 100):
        for some in (pairs[-plan["warm"] :], pairs[: -plan["warm"]]):
            spent, found[k] = [], []
            end = time.perf_counter() + SECONDS
            for query, vector in some:
                began = time.perf_counter()
                found[k].append(search(query, vector, k))
                spent.append((time.perf_counter() - began) * 1000)
                if time.perf_counter() > end:
                    break
        median, p95 = np.percentile(spent, [50, 95]).tolist()
        figures |= {f"k{k}_median_ms": median, f"k{k}_p95_ms": p95, f"k{k}_asked": len(spent)}
    versions = {package: metadata.version(package) for package in packages.split()}
    return {"versions": versions, "figures": figures, "found": found[10]}


if __name__ == "__main__":
    measured = measure(*PEERS[sys.argv[1]], Path(sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(measured), encoding="utf-8")
