"""English questions to an Indonesian archive: a small dictionary of news words, no more."""

from __future__ import annotations

import re
from collections.abc import Callable

from qa.question import lexicon

_PHRASES: tuple[tuple[str, str], ...] = (
    (r"^what (?:did|does|has|have|had) (.+?) (?:say|said|says|comment)\b", r"apa kata \1"),
    (r"^(?:is|are|was|were|did|does|do|has|have|had|can|will)\b", "apakah"),
    (r"^what caused\b", "apa penyebab"),
    (r"^(?:what is|what's|whats) the latest\b(?: news)?", "kabar terbaru"),
    (r"\blatest news\b", "kabar terbaru"),
    (r"^(?:what|which) year\b", "tahun berapa"),
    (r"^what time\b", "jam berapa"),
    (r"\bhow (?:many|much)\b", "berapa"),
    (r"\bhow (?:long|old|big|large|far|high|tall|deep)\b", "berapa"),
    (r"\blast (week|month|year)\b", r"\1 lalu"),
    (r"\bthis (week|month|year)\b", r"\1 ini"),
    (r"\b(?:in the )?(?:last|past) (\d+) (day|week|month|year)s?\b", r"\1 \2 terakhir"),
    (r"\b(\d+) (day|week|month|year)s? ago\b", r"\1 \2 lalu"),
    (r"\byesterday\b", "kemarin"),
    (r"\btoday\b", "hari ini"),
    (r"\bbetween (\S+) and\b", r"antara \1 dan"),
    (r"\b(?:prime minister)\b", "perdana menteri"),
    (r"\b(?:vice president)\b", "wakil presiden"),
    (r"\b(?:state|national) budget\b", "anggaran negara"),
    (r"\bcell ?phone\b", "ponsel"),
)
_DROPPED = frozenset(
    "the a an of in on at to by for from is are was were be been being do does did has have had "
    "that this these those it its he she they them his her their there as into than then so "
    "will would can could should i you we me us our your please tell many much some any all "
    "most more took take place get got say said says".split()
)
_QUESTION = re.compile(
    r"^\s*(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|did|does|do|has|have|"
    r"tell me|what's|whats)\b",
    re.IGNORECASE,
)
# Words of Indonesian that no English question holds ("di", "yang"), and of English likewise.
_INDONESIAN = frozenset(
    "yang di ke dari dan dengan untuk pada dalam oleh adalah itu ini apa siapa kapan mana berapa "
    "mengapa kenapa bagaimana tidak akan telah sudah soal tentang saat ada para".split()
)
_ENGLISH = _DROPPED - {"a", "do", "me", "as", "so"} | frozenset(
    "who what when where why how which about and".split()
)

NOTICE = (
    "Arsip ini berbahasa Indonesia: dari pertanyaan berbahasa Inggris hanya nama, angka, dan "
    "sebagian kata yang dipahami."
)


# What the phrases turn into is kept, whether the archive holds the word or not.
_TURNED = frozenset(word for _, meaning in _PHRASES for word in meaning.split())


def is_english(question: str) -> bool:
    """Return whether a question is put in English: it has English function words and no others."""
    found = re.findall(r"[^\W_]+", question.lower())
    if set(found) & _INDONESIAN:
        return False
    links = sum(word in _ENGLISH for word in found)
    if links and _QUESTION.search(question):
        return True
    known = sum(lexicon.meanings("english").get(word, word).lower() != word for word in found)
    return links >= 2 or (links > 0 and links + known > 2)


def to_indonesian(question: str, archived: Callable[[str], bool]) -> str:
    """Put an English question into the Indonesian words that it can be searched by.

    Names and numbers stay; of the other words stay those that the dictionary knows, in Indonesian,
    and those that the archive holds, as `archived` tells of each.
    """
    text = question.strip().rstrip("?!. ")
    text = text.lower() if text.isupper() else text
    for pattern, meaning in _PHRASES:
        text = re.sub(pattern, meaning, text, flags=re.IGNORECASE)
    kept = [word for number, word in enumerate(text.split()) if _kept(word, number, archived)]
    said = " ".join(_said(word) for word in kept)
    return f"{said[:1].upper()}{said[1:]}?" if said else question


def _bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word.strip("\"“”‘’'()[],;:?!."))


def _kept(word: str, number: int, archived: Callable[[str], bool]) -> bool:
    bare = _bare(word)
    lowered = bare.lower()
    if number and _is_acronym(bare):
        return True
    if not bare or lowered in _DROPPED:
        return False
    if (
        lowered in lexicon.meanings("english")
        or lowered in _TURNED
        or (number and bare[0].isupper())
        or any(map(str.isdigit, bare))
    ):
        return True
    return archived(bare)


def _is_acronym(word: str) -> bool:
    """Return whether a word is written as a name's letters: WHO is not "who"."""
    return len(word) > 1 and word.isalpha() and word.isupper()


def _said(word: str) -> str:
    bare = _bare(word)
    if _is_acronym(bare):
        return bare
    return lexicon.meanings("english").get(bare.lower(), bare)
