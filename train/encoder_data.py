"""Builds what the reading encoder learns from: questions beside windows of text, right and wrong.

    python -m train.encoder_data --data ../shared/data --out build/encoder.npz

A window is a run of sentences short enough for the encoder. Every question comes with the window
that answers it, the other windows of its passage, and the best windows of passages that BM25 finds
for it. Nothing here comes from a passage that judges the models.
"""

from __future__ import annotations

import argparse
import random
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from index import text
from train import data

Ints = npt.NDArray[np.int64]

MOST_QUESTION = 40
MOST_WINDOW = 72
PIECE_WORDS = 110
IDF_STEPS = (3.0, 5.0, 7.5)
ASKED, MET, FOUND = 0, 4, 8
"""First marks of a question's stem that the window lacks, one that it holds, and one in a window.

Each kind has four marks by inverse document frequency; mark 0 is any other token.
"""
MARKS = 13
NEGATIVES, DEPTH = 10, 30
FOLDS = 5
KINDS = ("idk", "squad", "idk_unanswerable", "squad_unanswerable", "cloze", "facqa")


# Reading texts -----------------------------------------------------------------------------------


class Text(NamedTuple):
    """A text as the encoder reads it.

    tokens: uint16 [T]; stems: the number of each token's stem, -1 for none, int32 [T];
    places: each token's first and last + 1 character [T, 2]; sentences: the first token of each,
    and T, [S + 1].
    """

    tokens: npt.NDArray[np.uint16]
    stems: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    sentences: npt.NDArray[np.int32]


class Asked(NamedTuple):
    """A question: its text, and the numbers and marks (from 1) of the stems that it is about."""

    text: Text
    about: Ints
    idf: npt.NDArray[np.float64]
    steps: npt.NDArray[np.uint8]


class Pair(NamedTuple):
    """Tokens and marks of a question and a window, each [T]; `asked` are the question's."""

    tokens: npt.NDArray[np.uint16]
    marks: npt.NDArray[np.uint8]
    asked: int


class Reader:
    """Cuts texts into tokens, numbering the stems as they come."""

    def __init__(self, tokenizer: Path = text.TOKENIZER_FILE) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self.stems: dict[str, int] = {}
        self._of_word: dict[str, int] = {}
        self._word = re.compile(r"rp(?=\d)|\d+(?:[.,]\d+)+|[^\W_]+")

    def number(self, stem: str) -> int:
        """Return a stem's number."""
        return self.stems.setdefault(stem, len(self.stems))

    def _numbers(self, words: Sequence[str]) -> list[int]:
        for word in words:
            if word not in self._of_word:
                stemmed = text.stems(word)
                self._of_word[word] = self.number(stemmed[0]) if stemmed else -1
        return [self._of_word[word] for word in words]

    def read(self, texts: Sequence[str]) -> list[Text]:
        """Return the tokens, stems and sentences of each text."""
        # The space makes the first word of a text the token that it is elsewhere.
        made = self._tokenizer.encode_batch([f" {t}" for t in texts], add_special_tokens=False)
        return [self._text(one, encoded) for one, encoded in zip(texts, made, strict=True)]

    def _text(self, one: str, encoded: Any) -> Text:
        places = np.array(encoded.offsets, dtype=np.int32).reshape(-1, 2) - 1
        found = list(self._word.finditer(one.lower())) if len(one.lower()) == len(one) else []
        begins = np.array([m.start() for m in found], dtype=np.int64)
        ends = np.array([m.end() for m in found], dtype=np.int64)
        stems = np.full(len(places), -1, dtype=np.int32)
        if found:
            numbers = np.array(self._numbers([m.group() for m in found]), dtype=np.int32)
            at = np.searchsorted(begins, places[:, 1] - 1, side="right") - 1
            inside = (at >= 0) & (places[:, 1] - 1 < ends[at])
            stems[inside] = numbers[at[inside]]
        spans = text.sentences(one)
        cuts = np.searchsorted(places[:, 1], [begin for begin, _ in spans], side="right")
        cuts = np.append(cuts, len(places)).astype(np.int32)
        cuts[0] = 0
        return Text(np.array(encoded.ids, dtype=np.uint16), stems, places, cuts)

    def ask(self, question: str, read: Text, idf_of: Any) -> Asked:
        """Return a question with its stems; `idf_of` gives the inverse document frequency of one.

        A stem that no passage holds is rare all the same.
        """
        stems = text.query_stems(question)
        idf = np.array([idf_of(stem) for stem in stems], dtype=np.float64)
        steps = 1 + np.searchsorted(IDF_STEPS, idf).astype(np.uint8)
        return Asked(read, np.array([self.number(s) for s in stems], dtype=np.int64), idf, steps)


def windows(read: Text) -> list[tuple[int, int]]:
    """Return the longest runs of sentences of at most MOST_WINDOW tokens, as token ranges.

    A longer sentence is a window of its own, and is cut short when it is read.
    """
    cuts = read.sentences.tolist()
    found: list[tuple[int, int]] = []
    last = 0
    for first in range(len(cuts) - 1):
        end = max(last, first + 1)
        while end < len(cuts) - 1 and cuts[end + 1] - cuts[first] <= MOST_WINDOW:
            end += 1
        if end > last and cuts[end] - cuts[first] > MOST_WINDOW and end - first > 1:
            continue
        if end > last:
            found.append((cuts[first], cuts[end]))
            last = end
    return found or [(0, len(read.tokens))]


def coverage(asked: Asked, read: Text, ranges: Sequence[tuple[int, int]]) -> list[float]:
    """Return the share, by inverse document frequency, of the question's stems in each range."""
    total = float(asked.idf.sum()) or 1.0
    return [
        float(asked.idf[np.isin(asked.about, read.stems[a:b])].sum()) / total for a, b in ranges
    ]


def pair(asked: Asked, read: Text, begin: int, end: int) -> Pair:
    """Put a question beside the window [begin, end) of a text."""
    end = min(end, begin + MOST_WINDOW + 8)
    inside = read.stems[begin:end]
    met = np.isin(asked.about, inside)
    question = asked.text.stems[:MOST_QUESTION]
    marks = np.zeros(len(question) + end - begin, dtype=np.uint8)
    for stem, step, holds in zip(asked.about, asked.steps, met, strict=True):
        marks[: len(question)][question == stem] = step + (MET if holds else ASKED)
        if holds:
            marks[len(question) :][inside == stem] = step + FOUND
    tokens = np.concatenate([asked.text.tokens[:MOST_QUESTION], read.tokens[begin:end]])
    return Pair(tokens, marks, len(question))


# Passages and their BM25 -------------------------------------------------------------------------


class Piece(NamedTuple):
    """Sentences of a text, about a passage long; `start` is its place in the text."""

    parent: str
    start: int
    text: str


def pieces(parent: str, whole: str) -> list[Piece]:
    """Cut a text at sentence ends into pieces of at most PIECE_WORDS words."""
    cuts: list[list[int]] = []
    size = PIECE_WORDS + 1
    for begin, end in text.sentences(whole):
        length = len(whole[begin:end].split())
        if size + length > PIECE_WORDS:
            cuts.append([begin, end])
            size = 0
        cuts[-1][1] = end
        size += length
    return [Piece(parent, begin, whole[begin:end]) for begin, end in cuts]


class Searched:
    """BM25 (k1 1.2, b 0.75) over texts already read, by sparse matrices."""

    def __init__(self, texts: Sequence[Text], stems: int) -> None:
        from scipy import sparse

        rows, columns, counts = [], [], []
        for number, read in enumerate(texts):
            # A stem counts once a word; words of several tokens repeat it, which matters little.
            found, times = np.unique(read.stems[read.stems >= 0], return_counts=True)
            rows.append(np.full(len(found), number))
            columns.append(found)
            counts.append(times)
        row, column, count = (np.concatenate(part) for part in (rows, columns, counts))
        length = np.array([len(read.tokens) for read in texts], dtype=np.float64)
        held = np.bincount(column, minlength=stems)
        self.idf = np.log(1 + (len(texts) - held + 0.5) / (held + 0.5))
        norm = 1.2 * (0.25 + 0.75 * length / length.mean())
        weight = self.idf[column] * count * 2.2 / (count + norm[row])
        shape = (stems, len(texts))
        self._postings = sparse.csr_matrix((weight, (column, row)), shape=shape)

    def search(self, questions: Sequence[Asked], depth: int) -> Iterator[Ints]:
        """Yield each question's best texts by number, best first."""
        from scipy import sparse

        stems = self._postings.shape[0]
        for first in range(0, len(questions), 256):
            batch = questions[first : first + 256]
            row = np.repeat(np.arange(len(batch)), [len(q.about) for q in batch])
            column = np.concatenate([q.about for q in batch])
            known = column < stems
            ones = np.ones(int(known.sum()))
            asked = sparse.csr_matrix(
                (ones, (row[known], column[known])), shape=(len(batch), stems)
            )
            scores = (asked @ self._postings).tocsr()
            for number in range(len(batch)):
                begin, end = scores.indptr[number : number + 2]
                values = scores.data[begin:end]
                order = np.argsort(-values, kind="stable")[:depth]
                yield scores.indices[begin:end][order].astype(np.int64)


# Questions ---------------------------------------------------------------------------------------


class Item(NamedTuple):
    """A question on a text, with where its answer stands; (0, 0) and "" if it has none there."""

    kind: str
    question: str
    parent: str
    answer: str
    span: tuple[int, int]


def items(folder: Path, kind: str, prefix: str, out: frozenset[str]) -> Iterator[Item]:
    """Yield the questions of a set whose passages are not in `out`; answers must be literal."""
    passages = {row["id"]: row["text"] for row in data.rows(folder / f"{prefix}passages.jsonl.gz")}
    for row in data.rows(folder / f"{prefix}qa.jsonl.gz"):
        whole, question = passages[row["passage_id"]], " ".join(row["question"].split())
        if row["passage_id"] in out or len(question) < 8:
            continue
        if not row["answerable"]:
            yield Item(f"{kind}_unanswerable", question, row["passage_id"], "", (0, 0))
            continue
        span = _locate(question, whole, row)
        if span:
            answer = whole[span[0] : span[1]]
            yield Item(kind, question, row["passage_id"], answer, span)


def _locate(question: str, whole: str, row: dict[str, Any]) -> tuple[int, int] | None:
    answer = row["answers"][0].strip()
    if row.get("answer_starts"):
        start = row["answer_starts"][0]
        return (
            (start, start + len(answer)) if whole[start : start + len(answer)] == answer else None
        )
    wanted = set(text.query_stems(question))
    best: tuple[int, tuple[int, int]] | None = None
    pattern = rf"(?<!\w){re.escape(answer)}(?!\w)"
    for found in re.finditer(pattern, whole, re.IGNORECASE):
        near = text.stems(whole[max(0, found.start() - 150) : found.end() + 150])
        score = len(wanted & set(near))
        if best is None or score > best[0]:
            best = (score, found.span())
    return best[1] if best and answer else None


_ANSWERS = (
    (
        "kapan",
        re.compile(
            r"(?:tanggal |tahun )?\d{1,2} (?:Januari|Februari|Maret|April|Mei|Juni|Juli|Agustus|"
            r"September|Oktober|November|Desember)(?: \d{4})?|(?<=tahun )\d{4}"
        ),
    ),
    (
        "berapa",
        re.compile(
            r"Rp ?\d[\d.,]*\d(?: (?:ribu|juta|miliar|triliun))?|\b\d[\d.,]*(?= (?:orang|persen|"
            r"meter|km|unit|kali|gol|poin|hektare|kilogram|kilometer|tahun|jam|menit|hari))"
        ),
    ),
    ("di mana", re.compile(r"(?<=\bdi )[A-Z][\w’'-]+(?:,? [A-Z][\w’'-]+)*")),
    (
        "siapa",
        re.compile(
            r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)+(?=,? (?:mengatakan|menyatakan|menjelaskan|menilai|"
            r"mengaku|adalah seorang|menambahkan|menyebut))"
        ),
    ),
)


def cloze(piece: Piece, chance: random.Random) -> Item | None:
    """Make a question of some words of a sentence, and what was left out of it the answer."""
    spans = text.sentences(piece.text)
    found = [
        (word, match.span(), span)
        for span in spans
        for word, pattern in _ANSWERS
        for match in pattern.finditer(piece.text, span[0], span[1])
    ]
    if not found:
        return None
    asking, (begin, end), span = chance.choice(found)
    rest = f"{piece.text[span[0] : begin]} {piece.text[end : span[1]]}".split()
    kept = [w.strip(".,\"“”'()") for w in rest if chance.random() < 0.6][: chance.randint(5, 11)]
    about = text.query_stems(" ".join(kept))
    if len(about) < 3:
        return None
    words = [asking, *kept] if chance.random() < 0.7 else [*kept, asking]
    place = (piece.start + begin, piece.start + end)
    return Item("cloze", " ".join(words), piece.parent, piece.text[begin:end], place)


# Groups ------------------------------------------------------------------------------------------


class Groups:
    """Collects pairs in flat arrays: a group is a question's pairs, the right one first."""

    def __init__(self) -> None:
        self.tokens, self.marks = array("H"), array("B")
        self.starts, self.asked = array("q", [0]), array("B")
        self.spans, self.labels = array("h"), array("B")
        self.groups, self.kinds = array("q", [0]), array("B")
        self.folds = array("B")

    def add(self, made: Pair, label: int, span: tuple[int, int] = (-1, -1)) -> None:
        """Add a pair; `span` is the answer's first and last token in the pair."""
        self.tokens.extend(made.tokens.tolist())
        self.marks.extend(made.marks.tolist())
        self.starts.append(len(self.tokens))
        self.asked.append(made.asked)
        self.spans.extend(span)
        self.labels.append(label)

    def close(self, kind: str, parent: str) -> None:
        """End a group of a question on the passage `parent`."""
        self.groups.append(len(self.labels))
        self.kinds.append(KINDS.index(kind))
        self.folds.append(fold_of(parent))

    def save(self, path: Path) -> None:
        """Write the arrays."""
        np.savez(
            path,
            tokens=np.array(self.tokens, dtype=np.uint16),
            marks=np.array(self.marks, dtype=np.uint8),
            starts=np.array(self.starts, dtype=np.int64),
            asked=np.array(self.asked, dtype=np.int64),
            spans=np.array(self.spans, dtype=np.int64).reshape(-1, 2),
            labels=np.array(self.labels, dtype=np.uint8),
            groups=np.array(self.groups, dtype=np.int64),
            kinds=np.array(self.kinds, dtype=np.uint8),
            folds=np.array(self.folds, dtype=np.uint8),
        )


def fold_of(passage: str) -> int:
    """Return a passage's fold, by its id."""
    return zlib.crc32(passage.encode()) % FOLDS


def token_span(read: Text, begin: int, end: int) -> tuple[int, int]:
    """Return the first and the last + 1 token of the characters [begin, end)."""
    first = int(np.searchsorted(read.places[:, 1], begin, side="right"))
    return first, max(first + 1, int(np.searchsorted(read.places[:, 0], end, side="left")))


def add_right(groups: Groups, asked: Asked, read: Text, answer: tuple[int, int]) -> bool:
    """Add the best window that holds the answer, then the others that do not."""
    ranges = windows(read)
    covered = coverage(asked, read, ranges)
    order = sorted(range(len(ranges)), key=lambda at: -covered[at])
    first, last = token_span(read, *answer)
    held = [at for at in order if ranges[at][0] <= first and last <= ranges[at][1]]
    held = [at for at in held if last - ranges[at][0] <= MOST_WINDOW]
    if not held:
        return False
    begin, end = ranges[held[0]]
    made = pair(asked, read, begin, end)
    groups.add(made, 1, (made.asked + first - begin, made.asked + last - 1 - begin))
    said = read.tokens[first:last].tobytes()
    for at in order:
        begin, end = ranges[at]
        if said not in read.tokens[begin:end].tobytes():
            groups.add(pair(asked, read, begin, end), 0)
    return True


def build(given: argparse.Namespace) -> Groups:
    """Read everything, search for the negatives, and return all groups."""
    chance = random.Random(given.seed)
    reader, found = Reader(), _material(given, chance)
    passages = [piece for some, _ in found for piece in some]
    asked_items = [item for _, some in found for item in some]
    texts = reader.read([piece.text for piece in passages])
    searched = Searched(texts, len(reader.stems))
    count = len(searched.idf)

    def idf_of(stem: str) -> float:
        number = reader.stems.get(stem, count)
        return float(searched.idf[number]) if number < count else 12.0

    read = reader.read([item.question for item in asked_items])
    asked = [reader.ask(i.question, r, idf_of) for i, r in zip(asked_items, read, strict=True)]
    at_parent: dict[str, list[int]] = {}
    for number, piece in enumerate(passages):
        at_parent.setdefault(piece.parent, []).append(number)
    groups = Groups()
    best = searched.search(asked, DEPTH)
    for item, question, near in zip(asked_items, asked, best, strict=True):
        _add_group(groups, item, question, near, at_parent[item.parent], passages, texts)
    return groups


def _add_group(
    groups: Groups,
    item: Item,
    asked: Asked,
    near: Ints,
    own: Sequence[int],
    passages: Sequence[Piece],
    texts: Sequence[Text],
) -> None:
    if item.answer:
        (begin, end), home = item.span, -1
        for number in own:
            piece = passages[number]
            if piece.start <= begin and end <= piece.start + len(piece.text):
                home = number
        if home < 0:
            return
        start = passages[home].start
        if not add_right(groups, asked, texts[home], (begin - start, end - start)):
            return
    else:
        for number in own[:2]:
            ranges = windows(texts[number])
            covered = coverage(asked, texts[number], ranges)
            at = int(np.argmax(covered))
            groups.add(pair(asked, texts[number], *ranges[at]), 0)
        groups.close(item.kind, item.parent)
        return
    added, answer = 0, item.answer.lower()
    for number in near.tolist():
        if number in own or added == NEGATIVES:
            continue
        read = texts[number]
        ranges = windows(read)
        covered = coverage(asked, read, ranges)
        at = int(np.argmax(covered))
        # Another passage with the answer and most of the question may answer it just as well.
        if len(answer) > 3 and covered[at] > 0.6 and answer in passages[number].text.lower():
            continue
        groups.add(pair(asked, read, *ranges[at]), 0)
        added += 1
    groups.close(item.kind, item.parent)


Material = list[tuple[list[Piece], list[Item]]]


def _material(given: argparse.Namespace, chance: random.Random) -> Material:
    """Return the pieces and questions of every source."""
    folder: Path = given.data
    found: Material = []
    idk = list(data.rows(folder / "idk_mrc" / "train_passages.jsonl.gz"))
    out = frozenset(row["id"] for row in idk if data.held_out(row["id"]))
    squad = list(data.rows(folder / "squad_id_mt" / "passages.jsonl.gz"))
    facqa = list(data.rows(folder / "facqa_dev" / "passages.jsonl.gz"))
    for rows, name, kind, prefix in (
        ((facqa, "facqa_dev", "facqa", ""),)
        if given.facqa
        else ((idk, "idk_mrc", "idk", "train_"), (squad, "squad_id_mt", "squad", ""))
    ):
        cut = [p for row in rows if row["id"] not in out for p in pieces(row["id"], row["text"])]
        found.append((cut, list(items(folder / name, kind, prefix, out))))
    kept_out = data.judged(folder)
    news = _some(data.training_news(folder, kept_out), given.news, chance)
    leads = _some(data.training_leads(folder, kept_out, 30, 5), given.leads, chance)
    for texts in (news, leads):
        cut = [piece for one in texts for piece in pieces(one.id, one.text)[:3]]
        made = [item for piece in cut if (item := cloze(piece, chance))]
        chance.shuffle(made)
        found.append((cut, made[: given.cloze]))
    return found


def _some(texts: Iterable[data.Text], count: int, chance: random.Random) -> list[data.Text]:
    every = list(texts)
    return chance.sample(every, min(count, len(every)))


def main() -> None:
    """Read the command line and build."""
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--data", type=Path, default=Path("../shared/data"))
    read.add_argument("--out", type=Path, required=True)
    read.add_argument("--news", type=int, default=9_000, help="articles to search for negatives")
    read.add_argument("--leads", type=int, default=12_000, help="Wikipedia leads, likewise")
    read.add_argument("--cloze", type=int, default=4_000, help="made-up questions of each")
    read.add_argument("--facqa", action="store_true", help="its questions alone, to tune by folds")
    read.add_argument("--seed", type=int, default=7)
    given = read.parse_args()
    groups = build(given)
    groups.save(given.out)
    kinds = np.bincount(np.array(groups.kinds), minlength=len(KINDS))
    print(dict(zip(KINDS, kinds.tolist(), strict=True)), len(groups.labels), "pairs")


if __name__ == "__main__":
    main()
