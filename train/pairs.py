"""Builds what the embedder learns from: queries, and the runs of sentences that answer them.

Everything is kept as token ids of sentences, so that a batch is cut out of flat arrays: a passage
is a title (or none) and a run of sentences, less the one sentence that was taken away, if any.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from train import data

KINDS = ("title", "sentence", "keywords", "question", "entailed")

STOP = frozenset(
    """ada adalah agar akan akibat amat anda antara apa apabila apakah atas atau bagai bagi bahkan
    bahwa banyak baru beberapa begitu belum berada berbagai bila bisa boleh bukan dalam dan dapat
    dari demi demikian dengan di dia dimana diri dua guna hal hampir hanya harus hingga ia ini itu
    jadi jika juga kalau kami karena ke kembali kemudian kepada ketika kita lagi lain lalu maka
    masih masing maupun melalui mereka merupakan meski mungkin namun nya oleh pada para pernah pun
    saat saja salah sampai sang sangat satu saya se sebab sebagai sebelum sebuah secara sedang
    sehingga sejak sejumlah sekitar selain selama seluruh semua sementara seorang seperti serta
    sesuai setelah setiap sudah suatu supaya tak tanpa telah tentang terhadap termasuk tersebut
    tetapi the tiap tidak untuk yaitu yakni yang""".split()
)
ASK_NUMBER = "berapa|berapakah|berapa jumlah|kapan|kapankah|tahun berapa|pada tanggal berapa"
ASK_NAME = (
    "siapa|siapakah|di mana|dimana|dimanakah|apa nama|siapa nama|di manakah|ke mana|negara mana|apa"
)
ASK_OTHER = "apa|apakah|apa yang|mengapa|kenapa|bagaimana|bagaimanakah|yang mana|apa saja"
_NUMBER = re.compile(r"\d")
_EDGE = "\"'“”‘’()[]{}.,;:!?"


class Pairs(NamedTuple):
    """Queries and their passages, as numbers into flat arrays.

    tokens uint16 [T], starts int64 [S + 1] (sentence s is tokens[starts[s]:starts[s + 1]]);
    one row a pair: query, title, first, last, away (sentences; -1 for none; the passage is
    first..last - 1), group (pairs of one group are no negatives of each other), kind (in KINDS).
    """

    tokens: np.ndarray
    starts: np.ndarray
    table: np.ndarray


def forms_of_stems(texts: Iterator[str]) -> dict[str, list[str]]:
    """Return the other common words of the same stem for each word: "menembak" for "ditembak"."""
    import Stemmer

    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(data.words(text))
    stemmer = Stemmer.Stemmer("indonesian")
    families: defaultdict[str, list[str]] = defaultdict(list)
    for word, count in counts.items():
        if count >= 50 and word.isalpha() and len(word) > 4:
            families[stemmer.stemWord(word)].append(word)
    return {
        word: [other for other in family if other != word]
        for family in families.values()
        if 1 < len(family) <= 8
        for word in family
    }


class Asker:
    """Makes questions out of sentences, by rule: nobody reads them but the training."""

    def __init__(self, seed: int, forms: dict[str, list[str]]) -> None:
        self.random = random.Random(seed)
        self.forms = forms

    def question(self, sentence: str) -> str | None:
        """Return some of a sentence's words after a question word, in lower case."""
        parts = [word.strip(_EDGE) for word in sentence.split()]
        parts = [word for word in parts if word]
        chosen = self._pieces(parts)
        content = [i for i, w in enumerate(chosen) if w.lower() not in STOP]
        if len(content) < 3:
            return None
        asked = self._answer(chosen, content)
        pick = self.random
        most = pick.randint(3, 8)
        left = [i for i in content if i not in asked]
        if len(left) < 2:
            return None
        keys = [i for i in left if chosen[i][0].isupper() or _NUMBER.search(chosen[i])]
        kept = set(pick.sample(left, min(most, len(left))))
        kept.update(i for i in keys if pick.random() < 0.4)
        if pick.random() < 0.6:  # with the small words between, as people write
            low, high = min(kept), max(kept)
            kept.update(i for i in range(low, high) if i not in content and pick.random() < 0.7)
        body = [self._other_form(chosen[i]) for i in sorted(kept)]
        word = pick.choice(self._asking(chosen, asked).split("|"))
        body = [*body, word] if pick.random() < 0.15 else [word, *body]
        return " ".join(body).lower() + ("?" if pick.random() < 0.7 else "")

    def _pieces(self, parts: list[str]) -> list[str]:
        """Take a window out of a long sentence: questions are about one clause."""
        size = self.random.randint(8, 24)
        if len(parts) <= size:
            return parts
        first = self.random.randint(0, len(parts) - size)
        return parts[first : first + size]

    def _answer(self, chosen: list[str], content: list[int]) -> set[int]:
        """Choose the words that the question asks for: a name, a number, or any one word."""
        keys = [i for i in content if chosen[i][0].isupper() or _NUMBER.search(chosen[i])]
        start = self.random.choice(keys if keys and self.random.random() < 0.6 else content)
        asked = {start}
        if chosen[start][0].isupper():
            for step in (1, -1):
                i = start + step
                while 0 <= i < len(chosen) and chosen[i][0].isupper():
                    asked.add(i)
                    i += step
        return asked

    def _asking(self, chosen: list[str], asked: set[int]) -> str:
        words = [chosen[i] for i in asked]
        if any(_NUMBER.search(word) for word in words):
            return ASK_NUMBER
        return ASK_NAME if words[0][0].isupper() else ASK_OTHER

    def _other_form(self, word: str) -> str:
        others = self.forms.get(word.lower())
        if others and word.islower() and self.random.random() < 0.2:
            return self.random.choice(others)
        return word


class Builder:
    """Collects sentences and pairs; `finish` turns the sentences into token ids."""

    def __init__(self, asker: Asker, seed: int) -> None:
        self.sentences: list[str] = []
        self.table = array("i")
        self.asker = asker
        self.random = random.Random(seed)
        self.groups = 0

    def sentence(self, text: str) -> int:
        """Keep a sentence and return its number."""
        self.sentences.append(text)
        return len(self.sentences) - 1

    def pair(self, query: str, title: int, run: tuple[int, int], away: int, kind: str) -> None:
        """Keep a pair of the newest group; `run` is the passage's first and last + 1 sentence."""
        number = self.sentence(query)
        self.table.extend((number, title, *run, away, self.groups, KINDS.index(kind)))

    def title_of(self, title: str) -> int:
        """Keep a title as passages begin with it, or return -1 for none."""
        title = title.strip().rstrip(".")
        return self.sentence(f"{title}.") if title else -1

    def article(self, title: str, text: str, asked: int) -> None:
        """Make the pairs of one article: of its title, its sentences and `asked` questions each."""
        heading = self.title_of(title)
        for passage in data.cut(text, self.random.choice((110, 110, 110, 70))):
            if sum(len(s.split()) for s in passage) < 12:
                continue
            self.groups += 1
            numbers = [self.sentence(s) for s in passage]
            whole = (numbers[0], numbers[-1] + 1)
            if heading >= 0:
                self.pair(title, -1, whole, -1, "title")
            if len(passage) > 1:
                taken = self.random.randrange(len(passage))
                away = numbers[taken] if self.random.random() < 0.5 else -1
                self.pair(passage[taken], heading, whole, away, "sentence")
            for _ in range(asked):
                self._ask(passage, numbers, heading)

    def _ask(self, passage: list[str], numbers: list[int], heading: int) -> None:
        """Make a question of one sentence; the passage is sometimes just a few sentences."""
        at = self.random.randrange(len(passage))
        question = self.asker.question(passage[at])
        if question is None:
            return
        first, last, title = 0, len(passage), heading
        if self.random.random() < 0.3:
            first = max(0, at - self.random.randrange(2))
            last = min(last, at + 1 + self.random.randrange(2))
            title = -1
        away = numbers[at] if last - first > 1 and self.random.random() < 0.1 else -1
        run = (numbers[first], numbers[last - 1] + 1)
        self.pair(question, title, run, away, "keywords")

    def questions(self, asked: data.QuestionSet) -> None:
        """Make the pairs of real questions: the part of the passage is not known, so all of it."""
        runs: dict[str, tuple[int, int, int]] = {}
        for passage in asked.passages:
            numbers = [self.sentence(s) for s in data.sentences(passage.text)]
            self.groups += 1
            runs[passage.id] = (numbers[0], numbers[-1] + 1, self.groups)
            for _ in range(3):
                self._ask(data.sentences(passage.text), numbers, -1)
        for question in asked.questions:
            first, last, group = runs[question.passage_id]
            query = self.sentence(question.text)
            row = (query, -1, first, last, -1, group, KINDS.index("question"))
            self.table.extend(row)

    def finish(self, tokenizer_file: Path) -> Pairs:
        """Turn the sentences into ids, each after one space, and return all as arrays."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        tokens = array("H")
        starts = array("q", [0])
        step = 20_000
        for begin in range(0, len(self.sentences), step):
            batch = [f" {s}" for s in self.sentences[begin : begin + step]]
            for encoded in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                tokens.extend(encoded.ids)
                starts.append(len(tokens))
        table = np.frombuffer(self.table, dtype=np.int32).reshape(-1, 7).copy()
        return Pairs(np.array(tokens, np.uint16), np.array(starts, np.int64), table)


def build(folder: Path, tokenizer_file: Path, leads: int, seed: int) -> Pairs:
    """Make every pair from the texts that may train a shipped model."""
    kept_out = data.judged(folder)
    news = list(data.training_news(folder, kept_out))
    wiki = list(data.training_leads(folder, kept_out, least=25, alike=30))
    random.Random(seed).shuffle(wiki)
    wiki = wiki[:leads]
    print(f"{len(news)} news articles, {len(wiki)} Wikipedia leads", flush=True)
    forms = forms_of_stems(text.text for text in (*news, *wiki))
    builder = Builder(Asker(seed, forms), seed)
    for text in news:
        builder.article(text.title, text.text, asked=6)
    for text in wiki:
        builder.article(text.title, text.text, asked=2)
    print(f"{len(builder.table) // 7} pairs made by rule", flush=True)
    for name, prefix in (("idk_mrc", "train_"), ("squad_id_mt", "")):
        training, _ = data.split_held_out(data.question_set(folder / name, prefix))
        builder.questions(training)
        print(f"{name}: {len(training.questions)} questions", flush=True)
    for sentence, support in data.entailed(folder):
        builder.groups += 1
        numbers = [builder.sentence(s) for s in data.sentences(support)]
        builder.pair(sentence, -1, (numbers[0], numbers[-1] + 1), -1, "entailed")
    return builder.finish(tokenizer_file)


def save(pairs: Pairs, path: Path, about: dict[str, object]) -> None:
    """Write the pairs and, beside them, what they were made of."""
    np.savez(path, tokens=pairs.tokens, starts=pairs.starts, table=pairs.table)
    path.with_suffix(".json").write_text(json.dumps(about, indent=1))


def load(path: Path) -> Pairs:
    """Read saved pairs."""
    kept = np.load(path)
    return Pairs(kept["tokens"], kept["starts"], kept["table"])


def main() -> None:
    """Make the pairs and save them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="the folder of sets")
    options.add_argument("--tokenizer", type=Path, required=True, help="from train.tokenizer")
    options.add_argument("--out", type=Path, required=True, help="the .npz to write")
    options.add_argument("--leads", type=int, default=250_000)
    options.add_argument("--seed", type=int, default=7)
    given = options.parse_args()
    made = build(given.data, given.tokenizer, given.leads, given.seed)
    kinds = np.bincount(made.table[:, 6], minlength=len(KINDS)).tolist()
    about = {"pairs": dict(zip(KINDS, kinds, strict=True)), "tokens": len(made.tokens)}
    save(made, given.out, about)
    print(f"{given.out}: {about}")


if __name__ == "__main__":
    main()
