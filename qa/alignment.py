"""Aligns a question with the sentence that may answer it: which of its words nothing bears out.

Words are compared by the bundled model's vectors, so that "wafat" bears out "meninggal". The
learned score is decomposable attention (Parikh and others, 2016), trained by train/alignment.py.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from index import text
from index.embedding import MODEL_FOLDER, StaticEmbedder, Vectors
from index.errors import ModelError
from index.records import Evidence
from index.settings import EmbeddingSettings
from qa.ranking import Stems

MODEL_FILE = Path(__file__).parent / "alignment.npz"

Floats = npt.NDArray[np.float32]

LONGEST_QUESTION, LONGEST_PART, LONGEST = 24, 60, 90
"""Words that are read of a question, of a sentence or headline, and of these together."""

ASKED = 8
SAID = 7
"""Marks of a question's word (see `_marks`), of a word that may answer (see `_said`)."""

NAMES = (
    "verb_alike",  # how like its likest word in the sentence the least borne out verb is
    "common_alike",  # the least borne out word that is neither name nor number
    "common_alike_hit",  # in the whole hit
    "all_alike",
    "lacks_most_around",  # weight of what the sentences around lack, times how unlike their words
    "lacking_around",  # words that the sentence, its neighbours and the headline lack
    "names_alike",
    "subject",  # share of the question's weight before "adalah"
)


@dataclass(frozen=True)
class Pair:
    """A question and what may answer it, word by word.

    `asked` float32 [Q, ASKED] and `said` [W, SAID] are marks of the words, whose vectors are
    `question` [Q, D] and `answer` [W, D]; `same` [Q, W] tells which are the same word; `values`
    are in the order of NAMES.
    """

    question: Vectors
    asked: Floats
    answer: Vectors
    said: Floats
    same: npt.NDArray[np.bool_]
    values: Floats


class Words:
    """Vectors of single words by the bundled model, the last ones kept."""

    def __init__(self, most: int = 20_000) -> None:
        self._embedder = StaticEmbedder(EmbeddingSettings(), MODEL_FOLDER)
        self._most = most
        self._known: dict[str, Vectors] = {}

    def of(self, words: Sequence[str]) -> Vectors:
        """Return float32 [len(words), D]."""
        known = self._known
        new = [word for word in dict.fromkeys(words) if word not in known]
        if new:
            if len(known) + len(new) > self._most:
                known = self._known = {w: known[w] for w in words if w in known}
            known.update(zip(new, self._embedder.embed_queries(new), strict=True))
        if not words:
            return np.zeros((0, self._embedder.dimensions), dtype=np.float32)
        return np.stack([known[word] for word in words])


@functools.cache
def words() -> Words:
    """Return the word vectors that every thread shares."""
    return Words()


# What stands opposite each other -----------------------------------------------------------------

_VERB = re.compile(r"(me[mnl]?|meng|meny|di|ber|ter|be|pe)\w{3,}")
_BARE_VERBS = frozenset(
    "lahir wafat meninggal tewas mulai usai jatuh terjadi tiba pergi datang menang kalah mati "
    "tumbuh hidup tinggal bangun pindah keluar masuk tutup buka berhenti selesai berakhir gugur "
    "menikah pensiun mundur naik turun bubar rilis tayang".split()
)
_NO_VERBS = frozenset(
    "dimana mengapa bagaimana berapa berapakah dimanakah mengapakah bagaimanakah terhadap dengan "
    "menurut tersebut tentang terbesar tertinggi terpanjang terkecil terbaru pertama terakhir "
    "mereka negara daerah".split()
)
_DEFINES = re.compile(r"\b(adalah|ialah|merupakan|yakni|yaitu|disebut)\b|\(")


def is_verb(word: str) -> bool:
    """Tell whether a word looks like a verb."""
    if word in _NO_VERBS:
        return False
    return word in _BARE_VERBS or (len(word) > 4 and _VERB.fullmatch(word) is not None)


def read(
    evidence: Evidence, hit: int, pieces: Sequence[str], place: int, short: str, stems: Stems
) -> Pair:
    """Lay a question beside the sentence at `place` of a hit, both counted from 0.

    `pieces` are the hit's sentences, `short` is the short answer in that sentence, "" for none.
    """
    passage = evidence.hits[hit].passage
    best, before = pieces[place], pieces[place - 1] if place else ""
    asked = text.words(evidence.query.text)[:LONGEST_QUESTION]
    parts = [text.words(part)[:LONGEST_PART] for part in (best, before, passage.title)]
    around = text.words(" ".join([*pieces[max(0, place - 1) : place + 2], passage.title]))
    whole = text.words(f"{passage.text} {passage.title}")
    known = stems.of({*asked, *parts[0], *parts[1], *parts[2], *around, *whole})
    marks = _marks(evidence, asked, known, [set(parts[0]), set(around), set(whole)])
    said, flags = _said(parts, set(text.words(short)), known, {known[word] for word in asked})
    vectors = words()
    question, answer = vectors.of(asked), vectors.of(said)
    same = np.array([[mine == theirs for theirs in said] for mine in asked], dtype=np.bool_)
    subject = _DEFINES.search(best)
    before_it = text.words(best[: subject.start()]) if subject else []
    defined = {known.get(word, "") for word in before_it}
    values = _values(
        asked,
        question,
        marks,
        [vectors.of(list(dict.fromkeys(some))) for some in (text.words(best), around, whole)],
        np.array([known[word] in defined for word in asked], dtype=np.bool_),
    )
    return Pair(question, marks, answer, flags, same.reshape(len(asked), len(said)), values)


_WEIGHT, _IN_BEST, _AROUND, _IN_HIT, _NAME, _NUMBER, _IS_VERB, _ASKING = range(ASKED)


def _marks(
    evidence: Evidence, asked: Sequence[str], known: Mapping[str, str], held: Sequence[set[str]]
) -> Floats:
    """Return for each word its weight; whether sentence, surroundings, hit hold it; its kind."""
    weights = dict(evidence.weights)
    total = sum(weights.values()) or 1.0
    named = {
        word.strip("\"'“”‘’([.,?)").lower()
        for word in evidence.query.text.split()[1:]
        if word.lstrip("\"'“‘([")[:1].isupper()
    }
    stems = [{known[word] for word in some} for some in held]
    rows = [
        [
            weights.get(known[word], 0.0) / total,
            *(known[word] in some for some in stems),
            word in named,
            word[0].isdigit(),
            is_verb(word),
            word in text.QUESTION_WORDS,
        ]
        for word in asked
    ]
    return np.array(rows, dtype=np.float32).reshape(len(asked), ASKED)


def _said(
    parts: Sequence[Sequence[str]], short: set[str], known: Mapping[str, str], asked: set[str]
) -> tuple[list[str], Floats]:
    """Return the words of sentence, sentence before and headline, with their marks.

    Which of the three it is, whether a word is the question's, in the short answer, how near to
    that it stands, and whether it is a number.
    """
    said = [(word, part) for part, some in enumerate(parts) for word in some][:LONGEST]
    at = [n for n, (word, part) in enumerate(said) if not part and word in short]
    middle = float(np.mean(at)) if at else -1.0
    rows = []
    for number, (word, part) in enumerate(said):
        near = 1 / (1 + abs(number - middle) / 3) if at and not part else 0.0
        rows.append(
            [
                *(part == n for n in range(3)),
                known[word] in asked,
                not part and word in short,
                near,
                word[0].isdigit(),
            ]
        )
    return [word for word, _ in said], np.array(rows, dtype=np.float32).reshape(len(said), SAID)


def _values(
    asked: Sequence[str],
    question: Vectors,
    marks: Floats,
    others: Sequence[Vectors],
    subject: npt.NDArray[np.bool_],
) -> Floats:
    content = np.array(
        [w not in text.STOP_WORDS and w not in text.QUESTION_WORDS for w in asked], dtype=np.bool_
    )
    held = marks[:, [_IN_BEST, _AROUND, _IN_HIT]] > 0
    alike = np.zeros((len(asked), len(others)), dtype=np.float32)
    for column, vectors in enumerate(others):
        if len(vectors) and len(asked):
            alike[:, column] = (question @ vectors.T).max(axis=1)
    alike = np.where(held, 1.0, alike)
    name, number, verb = (marks[:, n] > 0 for n in (_NAME, _NUMBER, _IS_VERB))
    common = content & ~name & ~number
    weight = marks[:, _WEIGHT] * content

    def least(of: npt.NDArray[np.bool_], column: int) -> float:
        return float(alike[of, column].min(initial=1.0))

    lacks = weight * ~held[:, 1] * (1 - alike[:, 1])
    return np.array(
        [
            least(verb & ~name & content, 0),
            least(common, 0),
            least(common, 2),
            least(content, 0),
            float(lacks.max(initial=0.0)),
            float((content & ~held[:, 1]).sum()),
            least(name & content, 1),
            float(weight[subject].sum()),
        ],
        dtype=np.float32,
    )


# The learned score -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aligner:
    """The trained attention; `weights` are named as train/alignment.py saves them."""

    weights: Mapping[str, Floats]

    @classmethod
    def load(cls, path: Path = MODEL_FILE) -> Aligner:
        """Read the shipped weights; raises ModelError."""
        try:
            with np.load(path, allow_pickle=False) as read:
                weights = {name: read[name].astype(np.float32) for name in read.files}
            if weights["compare.weight"].shape[1] < ASKED + SAID + 2:
                raise ValueError("other marks")
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise ModelError(
                f"The model {str(path)!r} cannot be read ({error!r}); restore the file."
            ) from error
        return cls(weights)

    def score(self, pair: Pair) -> float:
        """Return the logarithm of the odds that the sentence answers the question."""
        w = self.weights
        if not len(pair.question) or not len(pair.answer):
            return 0.0
        mine = _unit(pair.question @ w["attend.weight"].T)
        theirs = _unit(pair.answer @ w["attend.weight"].T)
        near = mine @ theirs.T
        share = near * w["sharpness"] + w["sameness"] * pair.same
        share = np.exp(share - share.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        asked = pair.question @ w["project.weight"].T
        found = share @ (pair.answer @ w["project.weight"].T)
        cosine = (_unit(asked) * _unit(found)).sum(axis=1, keepdims=True)
        best = near.max(axis=1, keepdims=True)
        seen = np.hstack([np.abs(asked - found), pair.asked, share @ pair.said, best, cosine])
        for name in ("compare", "compare2"):
            seen = np.maximum(seen @ w[f"{name}.weight"].T + w[f"{name}.bias"], 0)
        pooled = np.concatenate(
            [(seen * pair.asked[:, :1]).sum(axis=0), seen.mean(axis=0), seen.max(axis=0)]
        )
        hidden = np.maximum(w["judge.weight"] @ pooled + w["judge.bias"], 0)
        return float((w["judge2.weight"] @ hidden + w["judge2.bias"])[0])


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-8), dtype=np.float32)
