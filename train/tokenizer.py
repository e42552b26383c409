"""Trains the byte-level BPE vocabulary that tiktoken and `tokenizers` share.

    python -m train.tokenizer --out build/tokenizer.json

An id below the first special token is also the token's merge rank, which is all that tiktoken
needs (see `index.text.encoding`). Special tokens stand last and have no merge, so that no text
produces them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from train import data

PATTERN = r" ?[\p{L}\p{M}]+| ?\p{N}{1,4}| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+"
"""Words, numbers (a year is one piece), punctuation, white space. tiktoken reads it too."""

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[SPARE{i}]" for i in range(11)))
SIZE = 32_000


def training_texts(folder: Path, news_times: int, leads_every: int) -> Iterator[str]:
    """Yield texts: news several times, every so many-th Wikipedia lead, questions, IndoNLI."""
    kept_out = data.judged(folder)
    for text in data.training_news(folder, kept_out):
        for _ in range(news_times):
            yield f" {text.title}"
            yield f" {text.text}"
    for number, text in enumerate(data.training_leads(folder, kept_out, least=12, alike=200)):
        if number % leads_every == 0:
            yield f" {text.title}"
            yield f" {text.text}"
    for name, prefix in (("idk_mrc", "train_"), ("squad_id_mt", "")):
        training, _ = data.split_held_out(data.question_set(folder / name, prefix))
        yield from (f" {q.text}" for q in training.questions)
        yield from (f" {p.text}" for p in training.passages)
    for sentence, support in data.entailed(folder):
        yield f" {sentence}"
        yield f" {support}"


def train(texts: Iterator[str], size: int) -> str:
    """Train a vocabulary of `size` ids and return its tokenizer.json."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        show_progress=True,
    )
    tokenizer.train_from_iterator(texts, trainer)
    parts = json.loads(tokenizer.to_str())
    vocabulary = parts["model"]["vocab"]
    if len(vocabulary) != 256 + len(parts["model"]["merges"]):
        raise SystemExit("two merges made one token: ids would not be ranks; change --leads-every")
    for name in SPECIAL:
        vocabulary[name] = len(vocabulary)
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Train and save."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="the folder of sets")
    options.add_argument("--out", type=Path, required=True, help="the tokenizer.json to write")
    options.add_argument("--size", type=int, default=SIZE)
    options.add_argument("--news-times", type=int, default=3)
    options.add_argument("--leads-every", type=int, default=2)
    given = options.parse_args()
    saved = train(training_texts(given.data, given.news_times, given.leads_every), given.size)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(saved, encoding="utf-8")
    print(f"{given.out}: {given.size} ids, {len(saved) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
