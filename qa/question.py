"""Turns what a person typed into a `Query`: a question that stands alone, its kind, its filter."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from index import text
from index.errors import InputError
from index.records import Filter, Query

LONGEST = 2000
"""Characters of a question that are read."""

KINDS = (
    ("latest", r"\b(kabar terbaru|berita terbaru|terkini|update)\b"),
    ("development", r"\b(perkembangan|kelanjutan|kronologi)\b"),
    ("howmany", r"\bberapa(kah)?\b"),
    ("why", r"\b(mengapa(kah)?|kenapa|apa (penyebab|sebab|alasan)\w*|ngapain)\b"),
    ("when", r"\b(kapan(kah)?|bilamana|tanggal berapa|tahun berapa|hari apa)\b"),
    ("where", r"\b(di ?mana(kah)?|ke ?mana(kah)?|dari ?mana(kah)?|lokasi\w* (apa|mana))\b"),
    ("quote", r"\b(apa|bagaimana) (kata|ujar|ucap|pernyataan|komentar|tanggapan|pendapat)\b"),
    ("who", r"\bsiapa(kah)?\b"),
    ("how", r"\b(bagaimana(kah)?|gimana)\b"),
    ("what", r"\b(apa|apa saja|apaan|manakah|mana)\b"),
    ("yesno", r"\b(apakah|benarkah|betulkah|adakah|sudahkah|bisakah)\b"),
)
_KINDS = tuple((kind, re.compile(pattern)) for kind, pattern in KINDS)
_WHEN_COUNT = re.compile(r"\b(tanggal|tahun|bulan|pukul|jam|hari) berapa\b")
_YESNO_START = re.compile(r"^\s*(benarkah|betulkah|adakah|sudahkah|bisakah)\b")

# Words that point back at what was said before.
_REFERENCES = frozenset("itu tersebut tadi dia ia beliau mereka ini nya begitu".split())
_LEADS = re.compile(r"^(lalu|terus|kemudian|dan|bagaimana dengan|gimana dengan|kalau)\b")
_CLITIC = re.compile(r"^\w{3,}nya$")
_LEXICAL_NYA = frozenset("hanya tanya punya nya bertanya menanya hubungannya sebenarnya".split())


def understand(asked: str, earlier: Sequence[str] = (), chosen: Filter = Filter()) -> Query:  # noqa: B008
    """Return the query that a question stands for.

    `earlier` are the standalone questions of the conversation so far, oldest first; `chosen` is
    the filter that the person set.
    """
    question = " ".join(asked[:LONGEST].split())
    kind = kind_of(question)
    if earlier and is_follow_up(question):
        question = _standalone(question, earlier[-1])[:LONGEST]
    return Query(question, chosen, kind)


def kind_of(question: str) -> str:
    """Return what is asked for: one of the names in KINDS, or "other"."""
    lowered = question.lower()
    if _YESNO_START.search(lowered):
        return "yesno"
    if _WHEN_COUNT.search(lowered):
        return "when"
    for kind, pattern in _KINDS:
        if pattern.search(lowered):
            return kind
    return "other"


def is_follow_up(question: str) -> bool:
    """Tell whether a question leans on the one before it."""
    found = text.words(question)
    content = [w for w in found if w not in text.QUESTION_WORDS and w not in text.STOP_WORDS]
    if _LEADS.search(question.lower()) or len(content) < 2:
        return True
    if any(_CLITIC.match(word) and word not in _LEXICAL_NYA for word in found):
        return len(content) <= 3 and not _names(question)
    return bool(_REFERENCES & set(found)) and len(content) <= 4 and not _names(question)


def _names(question: str) -> list[str]:
    return [word for word in question.split()[1:] if word[:1].isupper()]


def _standalone(question: str, before: str) -> str:
    """Put the topic words of the question before behind this one's own."""
    own = [w for w in question.rstrip(" ?.!").split() if w.lower() not in _REFERENCES]
    said = {stem for word in own for stem in text.stems(word)}
    topic = [
        word
        for word in before.rstrip(" ?.!").split()
        if not set(text.words(word)) & (text.QUESTION_WORDS | text.STOP_WORDS | _REFERENCES)
        and not set(text.stems(word)) & said
    ]
    return f"{' '.join([*own, *topic])}?"


def resolve_publishers(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the index's own spellings of publishers; raises InputError for one it does not hold.

    A name that is not spelled exactly as in the index stands for all that differ from it only by
    case, punctuation or ".com".
    """
    by_key: dict[str, list[str]] = {}
    for name in known:
        by_key.setdefault(_key(name), []).append(name)
    resolved: list[str] = []
    for name in names:
        matches = [name] if name in known else by_key.get(_key(name), [])
        if not matches:
            near = difflib.get_close_matches(_key(name), list(by_key), n=3, cutoff=0.5)
            hint = ", ".join(repr(by_key[key][0]) for key in near) or "see `tanya status`"
            raise InputError(f"The index holds no publisher {name!r}; did you mean {hint}?")
        resolved.extend(matches)
    return tuple(dict.fromkeys(resolved))


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower().removeprefix("www.")).removesuffix("com")
