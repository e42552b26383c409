"""By whom: the publishers and the authors that a question names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from index import text
from index.errors import InputError


def tidy(words: str) -> str:
    """Mend a question that words were taken out of."""
    words = re.sub(r"\s+([?,.!])", r"\1", " ".join(words.split()))
    words = re.sub(r"^[,.\s]+|[,\s]+(?=\?$)", "", words)
    return f"{words[:1].upper()}{words[1:]}"


# Publishers --------------------------------------------------------------------------------------

_CITED = re.compile(
    r"\b(?:menurut|versi|dilansir|melansir|dikutip|mengutip|diberitakan|dimuat|dilaporkan|ditulis|"
    r"(?:kata\s+)?(?:berita|kabar|artikel|laporan|liputan|tulisan)(?=\s+(?:di|dari|pada|oleh)\b)|"
    r"(?:di|dari|pada)\s+(?=(?:koran|harian|media|portal|situs|laman|surat kabar|berita)\b)|"
    r"(?P<bare>di|dari)(?=\s))"
    r"(?:\s+(?:di|dari|pada|oleh|dalam))?(?P<kind>\s+(?:koran|harian|media|portal|situs|laman|"
    r"surat kabar|berita)(?=\s))*\s+",
    re.IGNORECASE,
)
_ABOUT_PAPERS = re.compile(
    r"\b(karyawan|wartawan|jurnalis|redaksi|redaktur|pemimpin|saham|kantor|pemilik|pelanggan|"
    r"oplah|pendiri|didirikan|situs|pembaca)\b",
    re.IGNORECASE,
)


def without_publisher(question: str, publishers: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Take "menurut Kompas" out of a question; return the publishers that it means.

    A publisher that a question is about is left in it.
    """
    if not publishers:
        return question, ()
    known = _by_key(publishers)
    for cue in _CITED.finditer(question):
        if cue["bare"] and _ABOUT_PAPERS.search(question):
            continue
        # "Harian Samudra" may be a paper's whole name, or "harian" only say what it is.
        for begin in (cue.start("kind"), cue.end()):
            found = _publisher_at(question[max(begin, 0) :], known, bool(cue["bare"]))
            if begin >= 0 and found:
                names, rest = found
                left = f"{question[: cue.start()]} {rest}".rstrip()
                end = "?" if question.endswith("?") and not left.endswith("?") else ""
                return tidy(left + end), names
    return question, ()


def _publisher_at(
    said: str, known: Mapping[str, Sequence[str]], bare: bool
) -> tuple[tuple[str, ...], str] | None:
    """Return the publishers that some words begin with, and the words after them."""
    words = said.split()
    for length in range(min(4, len(words)), 0, -1):
        name = " ".join(words[:length]).rstrip("?,.!")
        names = known.get(_key(name))
        only = " ".join(words[length : length + 1]).strip(",?").lower() == "saja"
        # "di antara" is no paper; "di detik.com", "di Antara" and "dari antara saja" are.
        plain = name.islower() and "." not in name and len(name) < 8
        if names and (only or not (bare and plain)):
            return tuple(names), " ".join(words[length + only :])
    return None


def resolve_publishers(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the index's own spellings of publishers; raises InputError for one it does not hold.

    A name that is not spelled exactly as in the index stands for all that differ from it only by
    case, punctuation or a domain's end (".com", ".id").
    """
    by_key = _by_key(known)
    resolved: list[str] = []
    for name in names:
        matches = [name] if name in known else by_key.get(_key(name), [])
        if not matches:
            near = difflib.get_close_matches(_key(name), list(by_key), n=3, cutoff=0.5)
            meant = ", ".join(repr(by_key[key][0]) for key in near)
            hint = (
                f"did you mean {meant}?" if meant else "`tanya status` lists those that it holds."
            )
            raise InputError(f"The index holds no publisher {name!r}; {hint}")
        resolved.extend(matches)
    return tuple(dict.fromkeys(resolved))


_DOMAIN = re.compile(r"\.(com|co\.id|co|or\.id|id|net|org|tv|news)$")


def _by_key(names: Sequence[str]) -> dict[str, list[str]]:
    by_key: dict[str, list[str]] = {}
    for name in names:
        if _key(name):
            by_key.setdefault(_key(name), []).append(name)
    return by_key


def _key(name: str) -> str:
    name = _DOMAIN.sub("", name.lower().removeprefix("www.").strip())
    return re.sub(r"[\W_]+", "", name).removesuffix("com")


# Authors -----------------------------------------------------------------------------------------

_WRITTEN = re.compile(
    r"\b(?:(?:tulisan|artikel|berita|liputan|laporan|karya|reportase)(?:nya)?"
    r"(?: (?:oleh|dari|karya))?|(?:yang )?ditulis(?: oleh)?|"
    r"(?:penulis|wartawan|jurnalis|reporter))\s+",
    re.IGNORECASE,
)
_LONGEST_NAME = 5


def without_author(question: str, known: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Take "tulisan Sari Dewi" out of a question; return the authors that it means.

    Only a name that the archive knows as an author's is taken, and one word is too little of it.
    """
    by_key: Mapping[str, Sequence[str]] = {}
    for cue in _WRITTEN.finditer(question):
        by_key = by_key or _by_words(known)
        words = question[cue.end() :].split()
        for length in range(min(_LONGEST_NAME, len(words)), 1, -1):
            found = by_key.get(_words(" ".join(words[:length])))
            if found:
                rest = f"{question[: cue.start()]} {' '.join(words[length:])}".rstrip(" ?")
                return tidy(f"{rest}?" if question.endswith("?") else rest), tuple(found)
    return question, ()


def resolve_authors(names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the index's own spellings of authors; raises InputError for one it does not hold."""
    by_key = _by_words(known)
    resolved: list[str] = []
    for name in names:
        found = by_key.get(_words(name))
        if not found:
            near = difflib.get_close_matches(_words(name), list(by_key), n=3, cutoff=0.6)
            meant = ", ".join(repr(by_key[key][0]) for key in near)
            hint = f"did you mean {meant}?" if meant else "an article's page tells who wrote it."
            raise InputError(f"The index holds no author {name!r}; {hint}")
        resolved.extend(found)
    return tuple(dict.fromkeys(resolved))


def _by_words(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_words(name), []).append(name)
    return found


def _words(name: str) -> str:
    return " ".join(text.words(name))
