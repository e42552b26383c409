"""Cuts E5's 250,037 pieces to those that Indonesian and English news use.

    python -m train.vocabulary e5-small-q4.bin DATA OUT

writes OUT/tokenizer.json and OUT/base.npz, the encoder with the kept rows of its embedding.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from train import e5
from train.data import rows

SIZE = 40_000
_SHORT = 2
"""Pieces of so few Latin letters, digits and signs are kept whether seen or not: they spell any
word that has no piece of its own."""


def tokenizer(base: e5.Base, kept: list[int] | None = None) -> Tokenizer:
    """Return the Unigram tokenizer of all pieces, or of those kept, in their order."""
    kept = list(range(len(base.pieces))) if kept is None else kept
    pieces = [(base.pieces[i], float(base.scores[i])) for i in kept]
    made = Tokenizer(models.Unigram(pieces, unk_id=kept.index(base.unk)))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return made


def texts(data: Path) -> Iterator[str]:
    """Yield what the pieces are counted in; counts say nothing of the texts themselves."""
    for row in rows(data / "news/articles.jsonl.gz"):
        yield f"{row.get('title') or ''}\n{row['text']}"
    for number, row in enumerate(rows(data / "wiki_leads/articles.jsonl.gz")):
        if number % 8 == 0:
            yield f"{row['title']}\n{row['text']}"
    for name in ("idk_mrc/train_passages", "squad_id_mt/passages", "facqa_dev/passages"):
        yield from (row["text"] for row in rows(data / f"{name}.jsonl.gz"))
    for name in ("idk_mrc/train_qa", "squad_id_mt/qa", "news_questions/questions"):
        yield from (row["question"] for row in rows(data / f"{name}.jsonl.gz"))


def choose(base: e5.Base, found: Iterable[str], size: int) -> list[int]:
    """Return the ids of the pieces to keep: special ones, short ones, then those seen most."""
    whole = tokenizer(base)
    counts: Counter[int] = Counter()
    batch: list[str] = []
    for text in found:
        batch.append(text)
        if len(batch) == 2000:
            counts.update(i for e in whole.encode_batch(batch) for i in e.ids)
            batch = []
    counts.update(i for e in whole.encode_batch(batch) for i in e.ids)
    special = [base.bos, base.pad, base.eos, base.unk]
    short = [
        i
        for i, piece in enumerate(base.pieces)
        if len(piece.lstrip("▁")) <= _SHORT and all(c == "▁" or ord(c) < 0x250 for c in piece)
    ]
    often = [i for i, _ in counts.most_common()]
    kept = list(dict.fromkeys([*special, *sorted({*special, *short}), *often]))[:size]
    total = sum(counts.values())
    print(f"{len(kept)} pieces kept cover {sum(counts[i] for i in kept) / total:.5f} of {total:,}")
    return kept


def main() -> None:
    """Cut the vocabulary and write the tokenizer and the encoder's weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("e5", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    base = e5.read(args.e5)
    kept = choose(base, texts(args.data), SIZE)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer(base, kept).save(str(args.out / "tokenizer.json"), pretty=False)
    weights = dict(base.weights)
    weights["emb.word"] = weights["emb.word"][kept]
    np.savez(args.out / "base.npz", **{k: v.astype(np.float16) for k, v in weights.items()})


if __name__ == "__main__":
    main()
