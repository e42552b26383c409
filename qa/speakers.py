"""Tells who speaks: whom a question about words asks for, and to whom a sentence gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index import text

_NAME = r"[A-Z][\w'’.-]*(?: (?:bin |dan |de )?[A-Z][\w'’.-]*)*"
_VERB = (
    r"(?:kata|ujar|ucap|tutur|tegas|ungkap|imbuh|papar|jelas|tambah|terang|sebut|cetus|lanjut|"
    r"sambung|pungkas|tulis|jawab|klaim|tandas)"
)
_AFTER = re.compile(rf"(?:[\"”’],? *|\b){_VERB} ((?:[a-z-]+ ){{0,3}}{_NAME})")
_ACCORDING = re.compile(rf"\b[Mm]enurut ((?:[a-z-]+ ){{0,3}}{_NAME})")
_BEFORE = re.compile(
    rf"^\W*(?:[^\"“,]{{3,80}}, )?((?:[A-Za-z-]+ ){{0,4}}{_NAME})"
    r"(?: \([^)]*\))?(?:,[^,\"“]{3,60},)?(?: [a-z]+){0,2} "
    r"(?:mengatakan|berkata|menyatakan|menyebut|menilai|menegaskan|menjelaskan|mengaku|"
    r"mengungkap(?:kan)?|menuturkan|menambahkan|memastikan|menyampaikan|berharap|mengimbau|"
    r"menanggapi|berpendapat|berpesan|memaparkan|mengklaim|membantah|mengeklaim|menyoroti)\b"
)
_POINTS_BACK = re.compile(
    rf"[\"”’],? *{_VERB}(?:nya\b| (?:dia|ia|beliau)\b)|^\W*(?:{_VERB}nya|[Dd]ia|[Ii]a|[Bb]eliau)\b",
)
_QUOTED = re.compile(r"^[\"“'‘]")
_READ = 1000
"""Characters of a sentence that are read."""
_ROLES = frozenset(
    stem
    for word in "kepala ketua wakil menteri presiden gubernur bupati wali kota walikota direktur "
    "utama juru bicara jubir sekretaris jenderal dirjen deputi kapolres kapolri kapolda panglima "
    "anggota pengamat ekonom analis ceo kementerian dinas badan republik indonesia pak bu bapak "
    "ibu pihak tim mantan eks".split()
    for stem in text.stems(word)
)
_ASKED = re.compile(
    r"\b(?:kata|ujar|ucap|tutur|pernyataan|komentar|tanggapan|pendapat|respons|reaksi|pesan|"
    r"imbauan|harapan|(?:di)?(?:katakan|sampaikan|ungkapkan|nyatakan|tegaskan|ucapkan|jelaskan|"
    r"tuturkan|kemukakan))(?: oleh| dari)? (?P<who>.+?)"
    r"(?= (?:soal|tentang|mengenai|terkait|atas|terhadap|ihwal|menyangkut|saat|usai|setelah|"
    r"ketika|pada|di|dalam|kepada|untuk)\b|[?(]|$)",
    re.IGNORECASE,
)


def asked_for(question: str) -> frozenset[str]:
    """Return the stems of whose words a question asks for; none, if of nobody's."""
    found = _ASKED.search(question)
    stems = frozenset(text.query_stems(found["who"])) if found else frozenset()
    return stems - _ROLES or stems


def speakers(pieces: Sequence[str]) -> list[str]:
    """Return to whom each sentence of a passage gives its words, as written; "" for nobody.

    A quotation that names nobody, and one of "dia", is of who spoke last.
    """
    found: list[str] = []
    last = ""
    for piece in pieces:
        piece = piece[:_READ]
        match = _AFTER.search(piece) or _ACCORDING.search(piece) or _BEFORE.search(piece)
        if match:
            last = match[1].rstrip(".")
            found.append(last)
        elif _POINTS_BACK.search(piece) or _QUOTED.match(piece):
            found.append(last)
        else:
            found.append("")
    return found


def spoken_by(pieces: Sequence[str], who: frozenset[str]) -> list[int]:
    """Tell of each sentence of a passage: 1 it is their word, -1 another's, 0 nobody's.

    Who speaks for an office or a company ("Kepala BPOM Taruna Ikrar") is it from then on.
    """
    known = set(who)
    said = []
    for speaker in speakers(pieces):
        stems = set(text.stems(speaker))
        names = {stem for name in re.findall(_NAME, speaker) for stem in text.stems(name)}
        if stems & who:
            known |= names - _ROLES
        said.append(0 if not speaker else 1 if stems & known else -1)
    return said
