"""Proves that tiktoken and `tokenizers` give the same ids, and counts tokens per word.

python -m train.check_tokenizer --tokenizer index/model/0_StaticEmbedding/tokenizer.json
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from train import data
from train.tokenizer import PATTERN, encoding, lower

if TYPE_CHECKING:
    import tiktoken
    from tokenizers import Tokenizer

ODD = (
    "ΣΑΣ ΟΔΟΣ. Σ",
    "İSTANBUL Iı ǅ ẞ Straße ﬁ",
    "😀👨‍👩‍👧‍👦🇮🇩 👍🏽",
    "e\u0301a\u0300\u0301\u0302 \u0301",
    "nul\x00nul \x00",
    "1234567890123456789 ١٢٣٤٥ ½ Ⅷ 2\u00b2",
    "a \u00a0b\u2003c\u3000d\u0085e\u2028f\x1cg\x1fh\u180ei\u200bj\ufeff",
    "  \n\n  akhir \t ",
    "[MASK] [PAD] <|endoftext|>",
    "ᬩᬮᬶ ꦗꦮ 北京 नमस्ते สวัสดี",
    "\ue000\U0010ffff\ufffd",
    "",
)
ALPHABET = "abcABC Σσςİı.,!?'\"-  \n\t\u00a0\u0301\u200d\x000123456789€é½٣ ᬩ北😀🇮🇩"


def real_lines(folder: Path, most: int) -> Iterator[str]:
    """Yield sentences of every kind of news, dirty scrapes among them."""
    yield from (row["text"] for row in data.rows(folder / "news_misc_dirty" / "sample.jsonl.gz"))
    news = data.texts(folder / "news" / "articles.jsonl.gz")
    lines = itertools.chain.from_iterable(data.sentences(text.text) for text in news)
    yield from itertools.islice(lines, 0, 10 * most, 10)


def random_lines(count: int, seed: int) -> Iterator[str]:
    """Yield odd strings: any code points, and a small alphabet in which rules collide."""
    pick = random.Random(seed)
    for _ in range(count):
        if pick.random() < 0.5:
            yield "".join(pick.choices(ALPHABET, k=pick.randint(1, 60)))
        else:
            yield "".join(chr(_code_point(pick)) for _ in range(pick.randint(1, 30)))


def _code_point(pick: random.Random) -> int:
    """Return any code point of this Python's Unicode but a surrogate."""
    while True:
        point = pick.randrange(0x110000 if pick.random() < 0.3 else 0x3000)
        if unicodedata.category(chr(point)) not in ("Cs", "Cn"):
            return point


def every_character() -> Iterator[str]:
    """Yield every code point but surrogates between letters, digits, spaces and alone."""
    for point in range(0x110000):
        if not 0xD800 <= point <= 0xDFFF:
            letter = chr(point)
            yield f"{letter}a {letter}1{letter} {letter}{letter}."


def differing(
    lines: Iterable[str], tokenizer: Tokenizer, other: tiktoken.Encoding
) -> tuple[int, list[str]]:
    """Return how many lines were compared and those whose ids differ."""
    count = 0
    different = []
    for batch in _batched(lines):
        count += len(batch)
        encoded = tokenizer.encode_batch_fast(list(batch), add_special_tokens=False)
        for line, one in zip(batch, encoded, strict=True):
            if one.ids != other.encode_ordinary(lower(line)):
                different.append(line)
    return count, different


def _batched(lines: Iterable[str]) -> Iterator[list[str]]:
    lines = iter(lines)
    while batch := list(itertools.islice(lines, 5_000)):
        yield batch


def tokens_a_word(folder: Path, other: tiktoken.Encoding) -> float:
    """Return tokens per word of news that trained nothing (detik_2026)."""
    news = data.texts(folder / "news" / "articles.jsonl.gz", frozenset({"detik_2026"}))
    texts = [text.text for text in news]
    tokens = sum(len(other.encode_ordinary(lower(f" {text}"))) for text in texts)
    return tokens / sum(len(text.split()) for text in texts)


def first_ids(whole: tiktoken.Encoding, count: int) -> tiktoken.Encoding:
    """Return the vocabulary of only the first `count` ids, to compare with."""
    import tiktoken

    kept = {whole.decode_single_token_bytes(number): number for number in range(count)}
    return tiktoken.Encoding(
        f"first-{count}", pat_str=PATTERN, mergeable_ranks=kept, special_tokens={}
    )


def main() -> int:
    """Compare, print, and return 1 where assigned characters differ."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tokenizer", type=Path, required=True)
    options.add_argument("--data", type=Path, default=Path("../shared/data"))
    options.add_argument("--lines", type=int, default=60_000)
    options.add_argument("--seed", type=int, default=7)
    given = options.parse_args()
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(given.tokenizer))
    other = encoding(given.tokenizer.read_text(encoding="utf-8"))
    failed = 0
    for name, lines in (
        ("odd texts", ODD),
        ("real lines", real_lines(given.data, given.lines)),
        ("random lines", random_lines(given.lines, given.seed)),
        ("every character", every_character()),
    ):
        count, different = differing(lines, tokenizer, other)
        newer = [d for d in different if any(unicodedata.category(c) == "Cn" for c in d)]
        failed += len(different) - len(newer)
        print(f"{name}: {count} compared, {len(different)} differ", end="")
        print(f", {len(newer)} of them by characters newer than this Python's Unicode")
        for line in [d for d in different if d not in newer][:10]:
            print(f"    {line!r}")
    print(f"tokens per word of held-out news: {tokens_a_word(given.data, other):.3f}")
    for size in (4_000, 16_000):
        few = tokens_a_word(given.data, first_ids(other, size))
        print(f"    with its first {size} ids only: {few:.3f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
