"""Measures retrieval by the embedder, by BM25 and by both, over the whole news archive.

    python -m train.evaluate --model index/model --work build --fuse
    python -m train.evaluate --weights build/embedder.npy --tokenizer build/tokenizer.json ...

Exact search. The passages are all news articles cut to about 110 words with the title in front,
and the passages of one set of questions; any part of a question's own passage is relevant, and so
is a text of the same first hundred letters: BM25 cannot tell such copies apart, so that their order
is luck.
"""

from __future__ import annotations

import argparse
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train import data
from train.data import Text

DEPTH = 100
SETS = ("facqa", "idk_valid", "idk_held_out", "gemma")
"""facqa and idk_valid judge; the other two are for choosing settings."""
ASKING = frozenset(
    """apa apakah siapa siapakah kapan kapankah di dimana dimanakah mana manakah kemana berapa
    berapakah mengapa kenapa mengapakah bagaimana bagaimanakah yang adalah itu nama sebutkan
    ada dan dari oleh pada untuk dengan ke dalam""".split()
)


class Corpus(NamedTuple):
    """Passages in order of section: first the news, then each set's own.

    parents: the article or passage that each was cut from; sections: the last + 1 row of each.
    """

    texts: list[str]
    parents: np.ndarray
    sections: dict[str, tuple[int, int]]


class Asked(NamedTuple):
    """A set's questions and the parent that is relevant to each."""

    texts: list[str]
    relevant: np.ndarray


class Found(NamedTuple):
    """The best rows and their scores, [Q, DEPTH], best first; row -1 for none."""

    rows: np.ndarray
    scores: np.ndarray


def question_sets(folder: Path) -> dict[str, data.QuestionSet]:
    """Read the sets; the gemma questions are asked over articles that stand in the news."""
    training = data.question_set(folder / "idk_mrc", "train_")
    gemma = data.question_set(folder / "news_qa_gemma")
    file = folder / "news_qa_gemma" / "passages.jsonl.gz"
    article = {row["id"]: row.get("article_id", row["id"]) for row in data.rows(file)}
    plain = [q for q in gemma.questions if "tersebut" not in q.text.lower()][::4]
    return {
        "facqa": data.question_set(folder / "facqa_dev"),
        "idk_valid": data.question_set(folder / "idk_mrc", "valid_"),
        "idk_held_out": data.split_held_out(training)[1],
        "gemma": data.QuestionSet(
            [data.Question(q.id, q.text, article[q.passage_id]) for q in plain], []
        ),
    }


def read_corpus(folder: Path, sets: dict[str, data.QuestionSet]) -> tuple[Corpus, dict[str, Asked]]:
    """Cut every text into passages and look up what is relevant."""
    cut: list[str] = []
    parents = array("i")
    numbers: dict[str, int] = {}
    openings: dict[str, int] = {}
    sections: dict[str, tuple[int, int]] = {}

    def add(text: Text) -> None:
        opening = "".join(data.words(text.text))[:100]
        parent = numbers[text.id] = openings.setdefault(opening, len(openings))
        for passage in data.cut(text.text):
            cut.append(data.headed(text.title, " ".join(passage)))
            parents.append(parent)

    for text in data.texts(folder / "news" / "articles.jsonl.gz"):
        add(text)
    sections["news"] = (0, len(cut))
    for name, asked in sets.items():
        first = len(cut)
        for passage in asked.passages:
            add(passage)
        sections[name] = (first, len(cut))
    questions = {}
    for name, asked in sets.items():  # a few gemma articles are not in the archive
        kept = [q for q in asked.questions if q.passage_id in numbers]
        relevant = np.array([numbers[q.passage_id] for q in kept])
        questions[name] = Asked([q.text for q in kept], relevant)
    return Corpus(cut, np.array(parents), sections), questions


def tokenised(corpus: Corpus, tokenizer_file: Path, cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the passages' tokens uint16 [T] and starts int64 [N + 1], kept in `cache`."""
    if cache.exists():
        kept = np.load(cache)
        if len(kept["starts"]) == len(corpus.texts) + 1:
            return kept["tokens"], kept["starts"]
    tokens, starts = tokens_of(corpus.texts, tokenizer_file)
    np.savez(cache, tokens=tokens, starts=starts)
    return tokens, starts


def tokens_of(texts: list[str], tokenizer_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return all texts' tokens, each after one space, and where each text starts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokens, starts = array("H"), array("q", [0])
    for begin in range(0, len(texts), 10_000):
        batch = [f" {text}" for text in texts[begin : begin + 10_000]]
        for encoded in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            tokens.extend(encoded.ids)
            starts.append(len(tokens))
    return np.array(tokens, np.uint16), np.array(starts, np.int64)


def vectors(weights: np.ndarray, tokens: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the unit vector of each text, float32 [N, D]."""
    import torch
    from torch.nn import functional

    made = []
    matrix = torch.from_numpy(weights)
    for first in range(0, len(starts) - 1, 20_000):
        part = starts[first : first + 20_001]
        ids = torch.from_numpy(tokens[part[0] : part[-1]].astype(np.int32))
        offsets = torch.from_numpy((part[:-1] - part[0]).astype(np.int32))
        mean = functional.embedding_bag(ids, matrix, offsets, mode="mean")
        made.append(functional.normalize(mean, dim=-1).numpy())
    return np.concatenate(made)


def weights_of(folder: Path) -> np.ndarray:
    """Return a saved model's token vectors, float32 [V, D]."""
    from safetensors.numpy import load_file

    kept = load_file(str(folder / "0_StaticEmbedding" / "model.safetensors"))
    return kept["embeddings"].astype(np.float32) * kept["weights"][:, None]


def allowed(corpus: Corpus, name: str) -> np.ndarray:
    """Return the rows searched for a set: the news and its own."""
    first, last = corpus.sections[name]
    return np.concatenate([np.arange(corpus.sections["news"][1]), np.arange(first, last)])


def dense(asked: np.ndarray, passages: np.ndarray, rows: np.ndarray) -> Found:
    """Search exactly by cosine."""
    import torch

    searched = torch.from_numpy(passages[rows])
    best, scores = [], []
    for first in range(0, len(asked), 256):
        score = torch.from_numpy(asked[first : first + 256]) @ searched.T
        top = score.topk(DEPTH, dim=1)
        best.append(rows[top.indices.numpy()])
        scores.append(top.values.numpy())
    return Found(np.concatenate(best), np.concatenate(scores))


def stemmed(stem: Callable[[str], str], text: str, asking: bool = False) -> str:
    """Return a text's stems, less the question words when it asks."""
    found = data.words(text)
    if asking:
        found = [word for word in found if word not in ASKING] or found
    return " ".join(stem(word) for word in found)


def stems() -> Callable[[str], str]:
    """Return Snowball's Indonesian stemmer."""
    import Stemmer

    return Stemmer.Stemmer("indonesian").stemWord


def lexical_index(corpus: Corpus, folder: Path) -> object:
    """Open the BM25 index of the passages, made if it is not there."""
    import tantivy

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("body", tokenizer_name="whitespace")
    schema.add_integer_field("row", stored=True)
    fresh = not (folder / "meta.json").exists()
    folder.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(schema.build(), path=str(folder))
    if fresh:
        stem = stems()
        writer = index.writer(heap_size=300_000_000, num_threads=1)
        for row, text in enumerate(corpus.texts):
            writer.add_document(tantivy.Document(body=[stemmed(stem, text)], row=[row]))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
    return index


def lexical(index: object, asked: list[str], corpus: Corpus, name: str) -> Found:
    """Search by BM25 (k1 1.2, b 0.75), rows of other sets left out."""
    import tantivy

    searcher = index.searcher()
    first, last = corpus.sections[name]
    news = corpus.sections["news"][1]
    rows = np.full((len(asked), DEPTH), -1)
    scores = np.zeros((len(asked), DEPTH), np.float32)
    stem = stems()
    for number, text in enumerate(asked):
        terms = [
            (
                tantivy.Occur.Should,
                tantivy.Query.term_query(index.schema, "body", term, index_option="freq"),
            )
            for term in stemmed(stem, text, asking=True).split()
        ]
        hits = searcher.search(tantivy.Query.boolean_query(terms), 2 * DEPTH).hits
        kept = 0
        for score, address in hits:
            row = searcher.doc(address)["row"][0]
            if kept < DEPTH and (row < news or first <= row < last):
                rows[number, kept], scores[number, kept] = row, score
                kept += 1
    return Found(rows, scores)


def ranks(found: np.ndarray, parents: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return the rank (from 1) of the first relevant row of each question; 0 for none."""
    right = (parents[found] == relevant[:, None]) & (found >= 0)
    return np.where(right.any(axis=1), right.argmax(axis=1) + 1, 0)


def measures(rank: np.ndarray) -> dict[str, float]:
    """Return R@1, MRR@10, R@10 and R@100 of first relevant ranks."""
    hit = rank > 0
    return {
        "R@1": float((rank == 1).mean()),
        "MRR@10": float(np.where(hit & (rank <= 10), 1 / np.maximum(rank, 1), 0).mean()),
        "R@10": float((hit & (rank <= 10)).mean()),
        "R@100": float((hit & (rank <= 100)).mean()),
    }


class Both(NamedTuple):
    """Candidates of both searches, [Q, 2 * DEPTH]: row (-1 for none), BM25 (0 for none), cosine."""

    rows: np.ndarray
    lexical: np.ndarray
    cosine: np.ndarray


def union(by_words: Found, by_vector: Found, asked: np.ndarray, passages: np.ndarray) -> Both:
    """Join both searches; a candidate that BM25 did not return has the score 0."""
    rows = np.concatenate([by_words.rows, by_vector.rows], axis=1)
    score = np.concatenate([by_words.scores, np.zeros_like(by_vector.scores)], axis=1)
    for number in range(len(rows)):
        rows[number, DEPTH:][np.isin(rows[number, DEPTH:], by_words.rows[number])] = -1
    cosine = np.einsum("qd,qkd->qk", asked, passages[rows])
    return Both(rows, score, cosine)


def soft_matches(
    both: Both,
    weights: np.ndarray,
    asked: tuple[np.ndarray, np.ndarray],
    passages: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return how well each question's tokens are met by their nearest token of each candidate.

    The mean over the question's tokens, weighted by the length of a token's vector, of the best
    cosine (0 at least) with a token of the passage, [Q, 2 * DEPTH] (MaxSim of ColBERT, without
    context). asked, passages: tokens and starts.
    """
    length = np.linalg.norm(weights, axis=1)
    unit = weights / np.maximum(length, 1e-9)[:, None]
    tokens, starts = passages
    score = np.zeros(both.rows.shape, np.float32)
    for number, candidates in enumerate(both.rows):
        query = asked[0][asked[1][number] : asked[1][number + 1]]
        rows = candidates[candidates >= 0]
        held = np.concatenate([tokens[starts[row] : starts[row + 1]] for row in rows])
        sizes = starts[rows + 1] - starts[rows]
        met = unit[query] @ unit[held].T
        best = np.maximum.reduceat(met, np.cumsum(sizes) - sizes, axis=1)
        share = length[query] / length[query].sum()
        score[number, candidates >= 0] = share @ np.maximum(best, 0)
    return score


def fused(both: Both, weight: float, by_best: bool) -> np.ndarray:
    """Return the candidates' rows, best first, by BM25 + weight * cosine.

    `by_best` divides BM25 by its best score, so that a long question counts no more than a short.
    """
    best = np.maximum(both.lexical.max(axis=1, keepdims=True), 1e-9) if by_best else 1.0
    score = np.where(both.rows >= 0, both.lexical / best + weight * both.cosine, -np.inf)
    order = np.argsort(-score, axis=1, kind="stable")
    return np.take_along_axis(both.rows, order, axis=1)


def show(name: str, how: str, rank: np.ndarray) -> None:
    """Print one line of figures."""
    figures = "  ".join(f"{k} {v:.3f}" for k, v in measures(rank).items())
    print(f"{name:13} {how:20} {figures}  ({len(rank)} questions)", flush=True)


def report(given: argparse.Namespace) -> None:
    """Measure every set."""
    sets = question_sets(given.data)
    corpus, asked = read_corpus(given.data, sets)
    tokenizer_file = given.tokenizer or given.model / "0_StaticEmbedding" / "tokenizer.json"
    weights = np.load(given.weights) if given.weights else weights_of(given.model)
    began = time.monotonic()
    tokens, starts = tokenised(corpus, tokenizer_file, given.work / "passages.npz")
    print(f"{len(starts) - 1} passages, {len(tokens)} tokens, {time.monotonic() - began:.1f} s")
    passages = vectors(weights, tokens, starts)
    index = lexical_index(corpus, given.work / "bm25") if given.fuse else None
    for name in given.sets.split(","):
        query_tokens = tokens_of(asked[name].texts, tokenizer_file)
        queries = vectors(weights, *query_tokens)
        by_vector = dense(queries, passages, allowed(corpus, name))
        right = asked[name].relevant
        show(name, "dense", ranks(by_vector.rows, corpus.parents, right))
        if index is None:
            continue
        by_words = lexical(index, asked[name].texts, corpus, name)
        show(name, "BM25", ranks(by_words.rows, corpus.parents, right))
        both = union(by_words, by_vector, queries, passages)
        reached = ranks(both.rows, corpus.parents, right) > 0
        print(f"{name:13} union of both        R@100+100 {reached.mean():.3f}")
        soft = both._replace(cosine=soft_matches(both, weights, query_tokens, (tokens, starts)))
        for how, joined, by_best, tried in (
            ("BM25/best + {:g} cos", both, True, (0.25, 0.5, 0.75, 1, 1.5, 2, 3)),
            ("BM25 + {:g} cos", both, False, (2, 4, 8, 12, 16, 20, 30)),
            ("BM25 + {:g} soft", soft, False, (4, 8, 16, 32, 64)),
        ):
            for weight in tried:
                order = fused(joined, weight, by_best)
                show(name, how.format(weight), ranks(order, corpus.parents, right))


def main() -> None:
    """Read the command line and measure."""
    read = argparse.ArgumentParser(description=__doc__)
    read.add_argument("--data", type=Path, default=Path("../shared/data"))
    read.add_argument("--model", type=Path, default=Path("index/model"))
    read.add_argument("--weights", type=Path, help="a .npy of token vectors, instead of --model")
    read.add_argument("--tokenizer", type=Path, help="with --weights")
    read.add_argument("--work", type=Path, required=True, help="for cached passages and BM25")
    read.add_argument("--sets", default=",".join(SETS))
    read.add_argument("--fuse", action="store_true", help="measure BM25 and the fusion too")
    report(read.parse_args())


if __name__ == "__main__":
    main()
