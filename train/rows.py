"""Makes the reader's training rows: questions with passages that answer and passages that do not.

    python -m train.rows DATA HOME BASE OUT

DATA is the folder of question sets, HOME an archive that holds the news and the sets' passages
with a live index (hard negatives come from its own retrieval), BASE holds tokenizer.json.
Articles are split five ways by their id: the rows say in which fold they fall.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from eval import questions
from index import settings
from index.chunking import passages as cut
from index.records import Article, Passage
from qa.question.follow_up import in_context
from qa.reader import Encoder
from train.data import rows

FOLDS = 5
NEWS = ("news", "pair", "miss", "turn")
"""Kinds of rows that are over news articles, among all passages of their article."""
MAX_TOKENS = 160
PAIRS = Path(__file__).parent / "matched_pairs.jsonl"
CONVERSATIONS = Path(__file__).parent / "conversations.jsonl"
HEARD = 0.7
"""How often a follow-up is read with the answer before; the product does not always have it."""
NEGATIVES = 8
"""Passages of other articles that a news question is also read with."""
UNANSWERED = 2
"""The same for a question that its article does not answer: another one may."""
MISLEADING = 8
"""The same for the sets over single passages, which have few of their own."""
STRAY = 0.15
"""How often a turn is followed by a question about another article."""

Pieces = npt.NDArray[np.uint16]


class Row(NamedTuple):
    """Pieces of the headline with its date, of the passage; first and last of the answer's pieces
    in the passage, or -1, -1."""

    header: Pieces
    passage: Pieces
    first: int
    last: int


class Group(NamedTuple):
    """A question, as asked and as typed in haste, with its passages.

    `kind` is the set, `fold` that of its article. `supports` is None but for a claim over one
    premise, for which it tells whether it is entailed.
    """

    kind: str
    fold: int
    questions: list[Pieces]
    rows: list[Row]
    supports: bool | None = None


@dataclass(frozen=True)
class Asked:
    """A question about one article: `answers` verbatim, best first; none where it is a miss."""

    question: str
    article_id: str
    answers: tuple[str, ...] = ()
    sentence: str = ""


def fold_of(article_id: str) -> int:
    """Return the fold of an article, 0 to 4."""
    return zlib.crc32(article_id.encode()) % FOLDS


def news_questions(data: Path) -> Iterator[Asked]:
    """Yield the questions as people ask, follow-ups by what is meant."""
    for row in rows(data / "news_questions/questions.jsonl.gz"):
        asked = row.get("standalone") or row["question"]
        yield Asked(asked, row["article_id"], tuple(row["answers"]), row.get("sentence", ""))


def pairs(bodies: dict[str, str], path: Path = PAIRS) -> Iterator[tuple[Asked, Asked]]:
    """Yield the matched pairs: one that its article answers, one that looks like it and is not.

    The file holds offsets in place of the articles' words; where an article's text is another
    than when the pair was written, the pair is left out.
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        body = bodies.get(row["article_id"], "")
        answer = _kept(body, row["start"], row["end"], row["check"])
        if answer:
            yield (
                Asked(row["question"], row["article_id"], (answer,)),
                Asked(row["near_miss"], row["article_id"]),
            )


def _kept(body: str, start: int, end: int, check: int) -> str:
    """Return the words at a place of an article; "" where others stand there by now."""
    words = body[start:end]
    return words if zlib.crc32(words.encode()) == check else ""


def turns(
    bodies: dict[str, str], rng: random.Random, path: Path = CONVERSATIONS
) -> Iterator[tuple[Asked, str]]:
    """Yield the turns of written conversations, follow-ups as the reader reads them, and each as
    it is searched for. The file is like that of the matched pairs; a turn without offsets is one
    that its article does not answer.
    """
    other = None
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        body = bodies.get(row["article_id"], "")
        first = asked = heard = ""
        opening = None
        for question, *place in row["turns"]:
            answer = _kept(body, *place) if place else ""
            if place and not answer:
                continue
            previous = heard if rng.random() < HEARD else ""
            read = in_context(question, first, asked, previous) if first else question
            answers = (answer,) if answer else ()
            yield Asked(read, row["article_id"], answers), f"{question} {first}"
            first, asked, heard = first or question, question, answer
            if other and rng.random() < STRAY:
                stray = in_context(other.question, first, asked, heard)
                yield Asked(stray, row["article_id"]), other.question
                yield replace(other, question=stray), other.question
            opening = opening or Asked(question, row["article_id"], answers)
        other = opening or other


def news_turns(data: Path, rng: random.Random) -> Iterator[tuple[Asked, str]]:
    """Yield the follow-ups of the news questions like `turns`."""
    before = {row["id"]: row for row in rows(data / "news_questions/questions.jsonl.gz")}
    for row in before.values():
        last = before.get(row.get("after") or "")
        if last:
            heard = next(iter(last["answers"]), "") if rng.random() < HEARD else ""
            read = in_context(row["question"], "", last["question"], heard)
            yield (
                Asked(read, row["article_id"], tuple(row["answers"]), row.get("sentence", "")),
                row["standalone"],
            )


SHORTENED = {"yang": "yg", "tidak": "gak", "dengan": "dgn", "untuk": "utk", "berapa": "brp"}


def hasty(question: str, rng: random.Random) -> str:
    """Return a question as it is typed in haste: small letters, no mark, now and then a slip."""
    words = question.lower().rstrip(" ?.").split()
    for at, word in enumerate(words):
        if rng.random() < 0.3:
            words[at] = SHORTENED.get(word, word)
        elif len(word) > 4 and word.isalpha() and rng.random() < 0.06:
            cut = rng.randrange(1, len(word) - 1)
            slip = word[cut + 1] + word[cut] if rng.random() < 0.5 else word[cut + 1]
            words[at] = word[:cut] + slip + word[cut + 2 :]
    return " ".join(words)


def written_about() -> set[str]:
    """Return the articles that the project's own evaluations ask about: they train nothing."""
    lines = questions.WRITTEN.read_text(encoding="utf-8").splitlines()
    return {article for line in lines for article in json.loads(line)["articles"]}


def span_in(passage: str, asked: Asked) -> tuple[int, int] | None:
    """Return where the best answer stands in a passage's text, in its sentence where that is given.

    Without a sentence, of several places the one amid most of the question's words counts.
    """
    for answer in asked.answers:
        low = high = 0
        if asked.sentence:
            low = passage.find(asked.sentence)
            high = low + len(asked.sentence)
        places = [] if low < 0 else list(_places(passage, answer, low, high or len(passage)))
        if places:
            words = set(asked.question.lower().split())

            def amid(at: int) -> int:
                around = passage[max(at - 150, 0) : at + 150]
                return len(words & set(around.lower().split()))  # noqa: B023

            at = max(places, key=amid)
            return at, at + len(answer)
    return None


def _places(text: str, part: str, low: int, high: int) -> Iterator[int]:
    at = text.find(part, low, high)
    while at >= 0:
        if not (text[at - 1 : at].isalnum() or text[at + len(part) : at + len(part) + 1].isalnum()):
            yield at
        at = text.find(part, at + 1, high)


def made_article(article_id: str, body: str) -> list[Passage]:
    """Cut the passage of a question set as an article of the archive would be."""
    return cut(Article(article_id, "", "", body), max_tokens=MAX_TOKENS)


class Maker:
    """Turns questions into groups of rows; none of questions about the articles `left_out`."""

    def __init__(
        self,
        encoder: Encoder,
        near: Callable[[str], list[Passage]],
        left_out: Collection[str] = (),
    ) -> None:
        self.encoder = encoder
        self.near = near
        self.left_out = left_out
        self.lost = 0
        self.rng = random.Random(0)

    def pieces(self, question: str) -> Pieces:
        """Return the pieces of a question, as many as are read."""
        ids = self.encoder.encode(question, "", None, "").ids
        return np.array(ids[1:-4], dtype=np.uint16)

    def row(self, passage: Passage, span: tuple[int, int] | None) -> Row:
        """Return the row of a passage with the answer's characters in its text."""
        # A title lost now and then, so that untitled articles are read as well.
        bare = self.rng.random() < 0.1
        title, day = ("", None) if bare else (passage.title, passage.published)
        read = self.encoder.encode("", title, day, passage.text)
        header = np.array(read.ids[3 : read.begin - 1], dtype=np.uint16)
        body = np.array(read.ids[read.begin : -1], dtype=np.uint16)
        inside = [
            n
            for n, (a, b) in enumerate(read.offsets)
            if span and b > span[0] and a < span[1] and b > a
        ]
        if not inside:
            return Row(header, body, -1, -1)
        return Row(header, body, inside[0], inside[-1])

    def groups(
        self,
        kind: str,
        asked: Asked,
        own: Sequence[Passage],
        *,
        most: int,
        others: int,
        query: str = "",
    ) -> Iterator[Group]:
        """Yield the question's group: the answering passage, `most` others of its article, and
        passages of other articles; nothing where the answer is in no passage. Others are found by
        `query`, the question where that is empty."""
        if asked.article_id in self.left_out:
            return
        spans = [span_in(passage.text, asked) for passage in own]
        right = next((n for n, span in enumerate(spans) if span), None)
        if asked.answers and right is None:
            self.lost += 1
            return
        made = []
        rest = [passage for n, passage in enumerate(own) if n != right]
        if right is not None:
            made.append(self.row(own[right], spans[right]))
        # Those that hold the question's words are the ones that mislead.
        words = set(asked.question.lower().split())
        rest.sort(key=lambda p: -len(words & set(p.text.lower().split())))
        for passage in rest[:most]:
            if right is None or not any(a in passage.text for a in asked.answers):
                made.append(self.row(passage, None))
        if others:
            stories = {passage.story_id for passage in own}
            wrong = [
                passage
                for passage in self.near(query or asked.question)
                if passage.story_id not in stories
                and passage.article_id != asked.article_id
                and not any(a.lower() in passage.text.lower() for a in asked.answers)
            ]
            for passage in wrong[:others]:
                made.append(self.row(passage, None))
        if made:
            typed = [asked.question, hasty(asked.question, self.rng)]
            yield Group(kind, fold_of(asked.article_id), list(map(self.pieces, typed)), made)


def reading_sets(data: Path, maker: Maker) -> Iterator[Group]:
    """Yield the groups of the sets over single passages: FacQA, IDK-MRC, translated SQuAD."""
    for name, folder in (
        ("facqa", "facqa_dev/"),
        ("idk", "idk_mrc/train_"),
        ("squad", "squad_id_mt/"),
    ):
        bodies = {r["id"]: r["text"] for r in rows(data / f"{folder}passages.jsonl.gz")}
        for row in rows(data / f"{folder}qa.jsonl.gz"):
            asked = Asked(row["question"], row["passage_id"], tuple(row["answers"]))
            own = made_article(row["passage_id"], bodies[row["passage_id"]])
            others = MISLEADING if asked.answers and name != "squad" else 0
            yield from maker.groups(name, asked, own, most=1, others=others)


def entailment(data: Path, maker: Maker) -> Iterator[Group]:
    """Yield IndoNLI's training pairs, a claim in the question's place."""
    for row in rows(data / "indonli/pairs.jsonl.gz"):
        if row["split"] == "train":
            read = maker.encoder.encode("", "", None, row["premise"])
            premise = np.array(read.ids[read.begin : -1], dtype=np.uint16)
            claim = [maker.pieces(row["hypothesis"])]
            rows_ = [Row(premise[:0], premise, -1, -1)]
            yield Group("nli", 1, claim, rows_, row["label"] == "e")


def write(path: Path, found: Iterable[Group]) -> None:
    """Write groups, pieces met twice once, and print how many rows of which set they hold."""
    kept: dict[bytes, int] = {}

    def place(pieces: Pieces) -> int:
        return kept.setdefault(pieces.tobytes(), len(kept))

    kinds: list[str] = []
    counts: dict[str, list[int]] = {}
    groups, rows_ = [], []
    for group in found:
        if group.kind not in counts:
            kinds.append(group.kind)
        count = counts.setdefault(group.kind, [0, 0])
        count[0] += 1
        count[1] += len(group.rows)
        asked = [place(pieces) for pieces in group.questions]
        supports = -1 if group.supports is None else int(group.supports)
        groups.append(
            (kinds.index(group.kind), group.fold, asked[0], asked[-1], len(group.rows), supports)
        )
        rows_ += [(place(r.header), place(r.passage), r.first, r.last) for r in group.rows]
    print(path, {kind: f"{a} groups, {b} rows" for kind, (a, b) in counts.items()}, flush=True)
    np.savez(
        path,
        kinds=np.array(kinds),
        groups=np.array(groups, dtype=np.int32),
        rows=np.array(rows_, dtype=np.int32),
        pieces=np.frombuffer(b"".join(kept), dtype=np.uint16),
        lengths=np.array([len(raw) // 2 for raw in kept], dtype=np.int32),
    )


def read(path: Path) -> list[Group]:
    """Return the groups of a file that `write` wrote."""
    with np.load(path) as file:
        kept = np.split(file["pieces"], np.cumsum(file["lengths"])[:-1])
        kinds, groups, found = (
            file["kinds"].tolist(),
            file["groups"].tolist(),
            file["rows"].tolist(),
        )
    out, at = [], 0
    for kind, fold, asked, typed, size, supports in groups:
        these = [Row(kept[h], kept[p], a, b) for h, p, a, b in found[at : at + size]]
        at += size
        questions = [kept[asked], kept[typed]] if typed != asked else [kept[asked]]
        supported = None if supports < 0 else bool(supports)
        out.append(Group(kinds[kind], fold, questions, these, supported))
    return out


def main() -> None:
    """Make OUT/reading.npz and OUT/news.npz."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "home", "base", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    encoder = Encoder.load(args.base / "tokenizer.json")

    from qa.chat import Chat

    chosen = settings.load(args.home)
    unread = replace(chosen, reader=replace(chosen.reader, search=False))
    chat = Chat(args.home, unread, lambda: dt.date(2026, 6, 1))
    index = chat.index()

    def near(question: str) -> list[Passage]:
        return [hit.passage for hit in chat.search(question, 12)]

    def own(article_id: str) -> list[Passage]:
        (size,) = index.sizes([article_id])
        return index.passages([f"{article_id}#{n}" for n in range(size)])

    maker = Maker(encoder, near, written_about())
    write(
        args.out / "reading.npz",
        [*entailment(args.data, maker), *reading_sets(args.data, maker)],
    )

    def news() -> Iterator[Group]:
        for asked in news_questions(args.data):
            others = NEGATIVES if asked.answers else UNANSWERED
            yield from maker.groups("news", asked, own(asked.article_id), most=3, others=others)
        bodies = {row["id"]: row["text"] for row in rows(args.data / "news/articles.jsonl.gz")}
        for good, miss in pairs(bodies):
            passages = own(good.article_id)
            yield from maker.groups("pair", good, passages, most=3, others=NEGATIVES)
            yield from maker.groups("miss", miss, passages, most=3, others=UNANSWERED)
        both = (*turns(bodies, maker.rng), *news_turns(args.data, maker.rng))
        for asked, query in both:
            found = own(asked.article_id)
            others = NEGATIVES if asked.answers else UNANSWERED
            yield from maker.groups("turn", asked, found, most=4, others=others, query=query)

    write(args.out / "news.npz", news())
    print(f"{maker.lost} questions whose answer stands in no passage")


if __name__ == "__main__":
    main()
