"""What holds of any input whatever: laws that hypothesis tries in the tests, and atheris at length.

Each takes one input and fails by an AssertionError, or by what the code under it raises.
"""

import datetime as dt
import re
import unicodedata
from pathlib import Path

from commands.terminal import shown
from index import chunking, clean
from index.reading import files
from index.records import Article, Passage, ReadProblem
from qa import llm
from qa.question import small_talk
from qa.question.understand import understand
from qa.references import safe_url

TODAY = dt.date(2026, 1, 2)
JOINERS = "\u200c\u200d"


def reads(path: Path) -> list[Article]:
    """Read a file: articles that can be kept, problems that can be told, nothing raised."""
    outcomes = list(files.read(path, today=TODAY))
    assert outcomes, "nothing is said of a file"
    found = []
    for outcome in outcomes:
        if isinstance(outcome, ReadProblem):
            assert outcome.reason.strip() and len(outcome.reason) <= 1_001, outcome
            continue
        whole = [outcome.id, outcome.publisher, outcome.title, outcome.body, outcome.url]
        whole += [*outcome.authors, *outcome.editors, outcome.origin]
        for part in whole:
            part.encode()
            assert "\0" not in part
        assert outcome.body.strip() or outcome.title.strip(), outcome
        assert outcome.published is None or outcome.published <= TODAY + dt.timedelta(2)
        found.append(outcome)
    return found


def cleans(body: str, title: str = "") -> None:
    """Cut a body: kept spans lie in it in order, and passages map back to it."""
    at = 0
    for start, end in clean.kept_spans(body, title=title):
        assert at <= start < end <= len(body)
        assert body[start:end].strip()
        at = end
    article = Article("a", "Uji", title, body)
    for passage in chunking.passages(article, max_tokens=60):
        mapped(passage, body)


def mapped(passage: Passage, body: str) -> None:
    """Hold a passage against its body: each sentence is body[start:end]."""
    assert passage.spans
    for span, sentence in zip(passage.spans, passage.sentences(), strict=True):
        assert sentence == body[slice(*span)]


def understood(asked: str) -> None:
    """Understand a question: at least one meaning, whose text is bounded."""
    small_talk.small_talk(asked)
    meanings = understand(asked, today=TODAY)
    assert meanings
    for meant in meanings:
        assert len(meant.query.text) <= 4 * 2000
        days = meant.query.filter
        assert not (days.after and days.before and days.after > days.before)


def claimed(pieces: list[str]) -> None:
    """Cut a stream of words into claims: each on one line, with bounded numbers of citations."""
    sentences = llm.Sentences()
    claims = [claim for piece in pieces for claim in sentences.feed(piece)]
    claims += sentences.finish()
    for claim in claims:
        assert claim.text == " ".join(claim.text.split())
        assert any(map(str.isalpha, claim.text))
        assert all(isinstance(number, int) and 0 <= number < 1_010 for number in claim.cited)
        assert len(claim.cited) == len(set(claim.cited))


def linked(url: str) -> None:
    """Make a link of an address: a plain web address without an account, or nothing."""
    safe = safe_url(url)
    if safe:
        assert re.match(r"(?i:https?)://[^/?#@\\]+(?:[/?#]|$)", safe), safe
        assert safe.isprintable() and not re.search(r"\s", safe)


def printed(value: str) -> None:
    """Print a text: one line, no character that a terminal obeys or that turns text round."""
    line = shown(value)
    for char in line:
        steers = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        assert not steers or char in JOINERS, hex(ord(char))
