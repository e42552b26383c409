"""What is said where nothing is answered: what the archive lacks, and what comes nearest."""

from __future__ import annotations

from collections.abc import Sequence

from index import text
from index.records import Evidence, Passage, Reading, Span
from qa import timeline
from qa.confidence import headline, said_in, showable
from qa.question.follow_up import names

_SIGNS = "\"'“”‘’()[].,;:?!"


def reason(evidence: Evidence) -> str:
    """Return in a sentence why a question was not answered, as far as words tell."""
    if not evidence.hits:
        return "Tidak ada artikel yang cocok dengan pertanyaan ini."
    if evidence.outdated:
        return _outdated(evidence)
    if unknown := _quoted(unknown_names(evidence)):
        return f"{unknown} tidak disebut di artikel mana pun yang cocok dengan pertanyaan ini."
    known = names(evidence.query.text)
    needed = {stem for name in known for stem in text.stems(name)}
    said = [there for hit in evidence.hits if needed <= (there := said_in(hit))]
    if known and said:
        everything = frozenset().union(*said)
        common = text.QUESTION_WORDS | text.STOP_WORDS
        content = [w for w in _words(evidence.query.text) if set(text.words(w)) - common]
        lacking = [word for word in content if not _holds(everything, word)]
        count = f"sedikitnya {len(said)}" if len(said) == len(evidence.hits) else str(len(said))
        about = f"Arsip memuat {count} artikel yang menyebut {', '.join(known)}"
        if lacking:
            return f"{about}, tetapi tidak menyebut {_quoted(lacking)}."
        return f"{about}, tetapi tidak satu pun jelas menjawab pertanyaan ini."
    return "Tidak ada kalimat di arsip yang cukup kuat untuk dijadikan jawaban."


def _outdated(evidence: Evidence) -> str:
    pages = [r.passage for r in evidence.readings[:1]] or [hit.passage for hit in evidence.hits]
    newest = max((page.published for page in pages if page.published), default=None)
    message = f"dari {text.written(newest)}" if newest else "tidak bertanggal"
    return f"Yang ditanyakan adalah yang terbaru; artikel terdekat di arsip {message}."


def nearest(evidence: Evidence) -> Reading | None:
    """Return the likeliest reading of what is not answered, if it shares a word with it."""
    asked = set(text.query_stems(evidence.query.text))
    for reading in evidence.readings[:3]:
        if asked & set(text.stems(reading.words)):
            return reading
    return None


Told = tuple[Passage, Span]
"""A passage, and the sentence of it that is told in place of an answer."""


def telling(evidence: Evidence) -> Told | None:
    """Return the sentence that holds most of the question, of those that cover it; None of none.

    With its headline it covers the question as an article that is about a topic does: it holds all
    names and numbers, and most of the weight.
    """
    covers, weights = timeline.covering(evidence), timeline.topic(evidence)
    best, found = -1.0, None
    for passage in [hit.passage for hit in evidence.hits]:
        head = set(text.stems(headline(passage)))
        for span, sentence in zip(passage.spans, passage.sentences(), strict=True):
            stems = set(text.stems(sentence))
            share = text.held(weights, stems)
            if share > best and covers(head | stems) and showable(" ".join(sentence.split())):
                best, found = share, (passage, span)
    return found


def unknown_names(evidence: Evidence) -> list[str]:
    """Return the names of the question, as written, that not even one of the hits holds."""
    said = frozenset().union(*map(said_in, evidence.hits))
    # As if another word stood before it: a first word is no name.
    words = _words(evidence.query.text)[1:]
    named = [word for word in words if word and text.names_and_numbers(f"- {word}")]
    return [name for name in named if not _holds(said, name)]


def _words(question: str) -> list[str]:
    """Return the words of a question as written, without the signs around them."""
    return [word.strip(_SIGNS) for word in question.split()]


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _holds(said: frozenset[str], word: str) -> bool:
    return said.issuperset(text.stems(word))
