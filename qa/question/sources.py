"""By whom: the publishers and the authors that a question names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

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
    known = _by_key(publishers, _key)
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


def resolve_publishers(names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the index's own spellings of publishers; raises InputError for one it does not hold.

    A name that is not spelled exactly as in the index stands for all that differ from it only by
    case, punctuation or a domain's end (".com", ".id").
    """
    resolved: list[str] = []
    for name in names:
        rest = "`tanya status` lists those that it holds."
        resolved += (
            [name] if name in known else _resolved(name, known, _key, "publisher", 0.5, rest)
        )
    return tuple(dict.fromkeys(resolved))


def _resolved(
    name: str,
    known: Iterable[str],
    key: Callable[[str], str],
    kind: str,
    likeness: float,
    otherwise: str,
) -> list[str]:
    """Return the known names of the same key; raises InputError, naming those that are like it."""
    by_key = _by_key(known, key)
    if found := by_key.get(key(name)):
        return found
    near = difflib.get_close_matches(key(name), list(by_key), n=3, cutoff=likeness)
    meant = ", ".join(repr(by_key[like][0]) for like in near)
    hint = f"did you mean {meant}?" if meant else otherwise
    raise InputError(f"The index holds no {kind} {name!r}; {hint}")


def _by_key(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    by_key: dict[str, list[str]] = {}
    for name in names:
        if key(name):
            by_key.setdefault(key(name), []).append(name)
    return by_key


_DOMAIN = re.compile(r"\.(com|co\.id|co|or\.id|id|net|org|tv|news)$")


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
        by_key = by_key or _by_key(known, _words)
        words = question[cue.end() :].split()
        for length in range(min(_LONGEST_NAME, len(words)), 1, -1):
            found = by_key.get(_words(" ".join(words[:length])))
            if found:
                rest = f"{question[: cue.start()]} {' '.join(words[length:])}".rstrip(" ?")
                return tidy(f"{rest}?" if question.endswith("?") else rest), tuple(found)
    return question, ()


def resolve_authors(names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the index's own spellings of authors; raises InputError for one it does not hold."""
    resolved: list[str] = []
    for name in names:
        rest = "an article's page tells who wrote it."
        resolved += _resolved(name, known, _words, "author", 0.6, rest)
    return tuple(dict.fromkeys(resolved))


def _words(name: str) -> str:
    return " ".join(text.words(name))
