"""Compares ways to analyse Indonesian text by plain BM25 on a question set, with paired tests.

    python -m train.analysis --home HOME --set sets/facqa

The passages are those of the home's live version, so the set's corpus must be in it. Each analysis
gives the terms of a word; BM25 (k1 1.2, b 0.75) is computed exactly over all of them. The last part
asks the questions anew with every acronym written out, or abbreviated, and with dates in figures.
Sastrawi is compared where it is installed: pip install PySastrawi.
"""

from __future__ import annotations

import argparse
import functools
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval import datasets, scores
from index import text
from index.acronyms import LEAST_RATE, Acronyms, introduced

Analysis = Callable[[Sequence[str]], list[list[str]]]
"""Gives the terms of each word."""

K1, B = 1.2, 0.75
DEPTH = 300


@dataclass(frozen=True)
class Corpus:
    """Passages as word numbers end to end: `word` and `passage` are int64 [W]; `articles` [P]."""

    vocabulary: list[str]
    word: npt.NDArray[np.int64]
    passage: npt.NDArray[np.int64]
    articles: list[str]
    texts: list[str]


def read_corpus(home: Path) -> Corpus:
    """Read the passages of a home's live version, each with its headline."""
    live = home / "versions" / (home / "versions" / "LIVE").read_text().strip()
    number: dict[str, int] = {}
    word: list[int] = []
    lengths: list[int] = []
    articles: list[str] = []
    texts: list[str] = []
    for path in sorted(live.glob("parts/*/passages.db")):
        with sqlite3.connect(path) as db:
            for article, title, body in db.execute(
                "SELECT a.id, a.title, p.text FROM passage p JOIN article a ON a.number = p.article"
            ):
                found = text.words(f"{title}\n{body}")
                word.extend(number.setdefault(w, len(number)) for w in found)
                lengths.append(len(found))
                articles.append(article)
                texts.append(body)
    passage = np.repeat(np.arange(len(lengths)), lengths)
    return Corpus(list(number), np.array(word), passage, articles, texts)


class Bm25:
    """Exact BM25 over a corpus under one analysis of its words."""

    def __init__(self, corpus: Corpus, analysis: Analysis) -> None:
        from scipy import sparse

        self.corpus = corpus
        self.place: dict[str, int] = {}
        given = analysis(corpus.vocabulary)
        terms, passages = [], []
        for at in range(max(map(len, given))):
            of_word = np.array(
                [self._number(g[at]) if at < len(g) else -1 for g in given], dtype=np.int64
            )
            term = of_word[corpus.word]
            terms.append(term[term >= 0])
            passages.append(corpus.passage[term >= 0])
        term, passage = np.concatenate(terms), np.concatenate(passages)
        count = len(corpus.articles)
        matrix = sparse.csc_matrix(
            (np.ones(len(term), np.float32), (passage, term)), shape=(count, len(self.place))
        )
        matrix.sum_duplicates()
        length = np.asarray(matrix.sum(axis=1)).ravel()
        self.holding = np.diff(matrix.indptr)
        self.idf = np.log(1 + (count - self.holding + 0.5) / (self.holding + 0.5))
        norm = K1 * (1 - B + B * length / length.mean())
        matrix.data = matrix.data * (K1 + 1) / (matrix.data + norm[matrix.indices])
        matrix.data *= np.repeat(self.idf, self.holding)
        self.matrix = matrix

    def _number(self, term: str) -> int:
        return self.place.setdefault(term, len(self.place))

    def score(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return every passage's score, float32 [P]."""
        out = np.zeros(len(self.corpus.articles), np.float32)
        for term in terms:
            if (at := self.place.get(term)) is not None:
                begin, end = self.matrix.indptr[at : at + 2]
                out[self.matrix.indices[begin:end]] += self.matrix.data[begin:end]
        return out

    def worth(self, terms: Sequence[str]) -> float:
        """Return the sum of the terms' inverse document frequencies."""
        return float(sum(self.idf[self.place[t]] for t in terms if t in self.place))


# The analyses ------------------------------------------------------------------------------------

_CLITIC = re.compile(r"(\w{3,}?)(?:nya|lah|kah|pun)")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")


def surface(words: Sequence[str]) -> list[list[str]]:
    """Leave every word as it is."""
    return [[word] for word in words]


def snowball(words: Sequence[str]) -> list[list[str]]:
    """Stem as the product does."""
    return [[(text.stems(word) or [word])[0]] for word in words]


def clitics(words: Sequence[str]) -> list[list[str]]:
    """Take off only -nya, -lah, -kah and -pun."""
    found = ((word, _CLITIC.fullmatch(word)) for word in words)
    return [[match[1] if match else word] for word, match in found]


def plain_numbers(words: Sequence[str]) -> list[list[str]]:
    """Stem, and write 1.200 as 1200."""
    return snowball(
        [re.sub(r"[.,]", "", w) if _THOUSANDS.fullmatch(w) else w for w in words],
    )


def both(one: Analysis, other: Analysis) -> Analysis:
    """Give a word the terms of two analyses."""

    def analysis(words: Sequence[str]) -> list[list[str]]:
        pairs = zip(one(words), other(words), strict=True)
        return [[f"1{a[0]}", f"2{b[0]}"] for a, b in pairs]

    return analysis


def sastrawi() -> Analysis | None:
    """Return the analysis by Sastrawi's dictionary and rules; None where it is not installed."""
    try:
        from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
        from Sastrawi.Stemmer.Stemmer import Stemmer
        from Sastrawi.Stemmer.StemmerFactory import StemmerFactory
    except ImportError:
        return None
    stemmer = Stemmer(ArrayDictionary(StemmerFactory().get_words()))
    stem = functools.cache(stemmer.stem_singular_word)
    return lambda words: [[stem(w) if w.isascii() and w.isalpha() else w] for w in words]


def analyses() -> Iterator[tuple[str, Analysis]]:
    """Yield each analysis with its name; the first is the product's."""
    yield "Snowball", snowball
    yield "no stems", surface
    yield "clitics only", clitics
    yield "Snowball and surface", both(snowball, surface)
    yield "1.200 as 1200", plain_numbers
    if (other := sastrawi()) is not None:
        yield "Sastrawi", other
        yield "Sastrawi and surface", both(other, surface)
        yield "Sastrawi and Snowball", both(other, snowball)


# Questions ---------------------------------------------------------------------------------------


def asked(question: str, *, stop: bool = True) -> list[str]:
    """Return a question's distinct words; `stop` drops question and stop words."""
    found = text.words(question)
    kept = [w for w in found if w not in text.QUESTION_WORDS and w not in text.STOP_WORDS]
    return list(dict.fromkeys((kept or found) if stop else found))


Scorer = Callable[[str], npt.NDArray[np.float32]]


def measure(
    corpus: Corpus, scorer: Scorer, questions: Mapping[str, str], relevant: scores.Relevant
) -> scores.PerQuestion:
    """Return every measure of a scorer of passages, an article counting by its best one."""
    run: dict[str, dict[str, float]] = {}
    for name, question in questions.items():
        values = scorer(question)
        best = np.argpartition(-values, DEPTH)[:DEPTH]
        best = best[np.lexsort((best, -values[best]))]
        found: dict[str, float] = {}
        for at in best[values[best] > 0].tolist():
            # Equal scores keep their order.
            found.setdefault(corpus.articles[at], float(values[at]) - 1e-6 * len(found))
        run[name] = found
    return scores.score({name: relevant[name] for name in questions}, run)


def learn(corpus: Corpus) -> Acronyms:
    """Learn the acronyms as a version does: from how many articles introduce each."""
    pairs = {
        (article, *pair)
        for article, body in zip(corpus.articles, corpus.texts, strict=True)
        for pair in introduced(body)
    }
    return Acronyms(Counter((short, meaning) for _, short, meaning in pairs))


def respelled(question: str, meanings: Mapping[str, Sequence[str]]) -> str:
    """Write the question's acronyms out, or else abbreviate what stands for one."""
    written = question
    for short in set(re.findall(r"\b[A-Z]{2,}\b", question)):
        if short.lower() in meanings:
            written = re.sub(rf"\b{short}\b", " ".join(meanings[short.lower()]).title(), written)
    if written == question:
        for short, names in meanings.items():
            pattern = rf"\b{re.escape(' '.join(names))}\b"
            written = re.sub(pattern, short.upper(), written, flags=re.IGNORECASE)
    return written


_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(text.MONTHS)}) ((?:19|20)\d\d)\b", re.IGNORECASE)


def in_figures(question: str) -> str:
    """Write the question's dates as 15/12/2016."""

    def figures(date: re.Match[str]) -> str:
        return f"{date[1]}/{text.MONTHS.index(date[2].lower()) + 1}/{date[3]}"

    return _DATE.sub(figures, question)


def with_synonyms(index: Bm25, known: Acronyms) -> Scorer:
    """Score an acronym and its meaning by the better one, each worth what was asked for."""

    def scorer(question: str) -> npt.NDArray[np.float32]:
        terms = text.query_stems(question)
        out = np.zeros(len(index.corpus.articles), np.float32)
        for synonym in known.synonyms(question):
            short = min(synonym.asked, synonym.other, key=len)[0]
            holding = index.holding[index.place[short]] if short in index.place else 0
            if known.introductions.get(short, 0) < LEAST_RATE * holding:
                continue
            if set(synonym.asked) <= set(terms):
                boost = index.worth(synonym.asked) / max(index.worth(synonym.other), 1e-9)
                other = index.score(synonym.other) * np.float32(boost)
                out += np.maximum(index.score(synonym.asked), other)
                terms = [term for term in terms if term not in synonym.asked]
        return out + index.score(terms)

    return scorer


def report(name: str, values: scores.PerQuestion, base: scores.PerQuestion | None) -> None:
    """Print a line: the measures, and the paired tests against `base`."""
    chosen = ("R@1", "RR@10", "R@10")
    line = f"{name:32}" + "".join(f"{values[m].mean():8.4f}" for m in (*chosen, "R@100"))
    if base is not None:
        compared = scores.compare({m: base[m] for m in chosen}, {m: values[m] for m in chosen})
        line += "".join(f"   {c.b - c.a:+.4f} p {c.p:.3f}" for c in compared)
    print(line, flush=True)


def compare(home: Path, folder: Path) -> None:
    """Print the table of one question set."""
    corpus = read_corpus(home)
    asked_set = datasets.load(folder)
    relevant = asked_set.relevant
    questions = {q.id: q.text for q in asked_set.questions if q.id in relevant}
    print(f"{len(questions):,} questions, {len(corpus.articles):,} passages")
    print(f"{'':32}" + "".join(f"{m:>8}" for m in ("R@1", "RR@10", "R@10", "R@100")))
    base: scores.PerQuestion | None = None
    for name, analysis in analyses():
        index = Bm25(corpus, analysis)

        def scorer(
            question: str, index: Bm25 = index, analysis: Analysis = analysis
        ) -> npt.NDArray[np.float32]:
            return index.score([t for terms in analysis(asked(question)) for t in terms])

        values = measure(corpus, scorer, questions, relevant)
        report(name, values, base)
        base = values if base is None else base
    index = Bm25(corpus, snowball)
    _variants(corpus, index, questions, relevant, base)


def _variants(
    corpus: Corpus,
    index: Bm25,
    questions: Mapping[str, str],
    relevant: scores.Relevant,
    base: scores.PerQuestion | None,
) -> None:
    def every_word(question: str) -> npt.NDArray[np.float32]:
        return index.score([t for (t,) in snowball(asked(question, stop=False))])

    def plain(question: str) -> npt.NDArray[np.float32]:
        return index.score(text.query_stems(question))

    known = learn(corpus)
    synonyms = with_synonyms(index, known)
    report("no stop words dropped", measure(corpus, every_word, questions, relevant), base)
    report("acronyms", measure(corpus, synonyms, questions, relevant), base)
    attested = {a: m for a, m in known.meanings.items() if _attested(a, known, index)}
    changes = (
        ("acronyms respelled", lambda question: respelled(question, attested)),
        ("dates in figures", in_figures),
    )
    for name, change in changes:
        changed = {i: new for i, q in questions.items() if (new := change(q)) != q}
        if not changed:
            continue
        print(f"{len(changed)} questions asked anew, {name}:")
        report(
            "as they were",
            measure(corpus, plain, {i: questions[i] for i in changed}, relevant),
            None,
        )
        before = measure(corpus, plain, changed, relevant)
        report("asked anew", before, None)
        report("asked anew, acronyms known", measure(corpus, synonyms, changed, relevant), before)


def _attested(acronym: str, known: Acronyms, index: Bm25) -> bool:
    stem = text.stems(acronym)[0]
    introductions = known.introductions[stem]
    return introductions >= 10 and introductions >= LEAST_RATE * index.holding[index.place[stem]]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--set", type=Path, required=True)
    options = parser.parse_args()
    compare(options.home, options.set)


if __name__ == "__main__":
    main()
