"""What the columns and keys of rows mean, in Indonesian and English, by the words of their names.

`Tanggal Terbit`, `tanggal_publikasi`, `publishedAt` and `datepublished` are cut into words, and one
table says what each word means; where the names leave a choice, the values decide (`rows.py`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.errors import InputError

TARGETS = ("id", "title", "text", "url", "date", "publisher", "author", "editor")
"""What a column can hold of an article."""

# For each target its words, in groups of which the first counts most.
_NOUNS: Mapping[str, Sequence[str]] = {
    "id": ("id", "guid uuid oid"),
    "title": ("title judul headline heading titel",),
    "text": (
        "text",
        "body content contents isi konten teks plaintext",
        "naskah paragraf paragraph paragraphs sections narasi",
        "html",
        "artikel article berita story",
    ),
    "url": ("url", "link permalink canonical tautan href uri laman alamat address shortlink"),
    "date": (
        "published publish publishing pub terbit terbitan diterbitkan publikasi dipublikasikan "
        "publication tayang ditayangkan penayangan muat dimuat rilis dirilis release released "
        "issued posted unggah diunggah",
        "date datetime tanggal tgl",
        "time timestamp waktu epoch",
        "created creation dibuat",
        "updated update modified modify modification mod lastmod edited diperbarui perubahan "
        "diubah",
    ),
    "publisher": (
        "publisher penerbit",
        "source sumber",
        "media outlet newspaper koran portal situs harian",
        "site website publication publikasi agency",
        "domain host hostname",
    ),
    "author": (
        "author authors penulis reporter wartawan byline journalist jurnalis pewarta kontributor "
        "contributor writer creator pengarang",
    ),
    "editor": ("editor editors redaktur penyunting",),
}
# They hold a part of the text, and are taken where no column holds it.
_SUMMARIES = frozenset(
    """description deskripsi summary ringkasan excerpt abstract abstrak snippet cuplikan
    teaser""".split()
)
# Words that only say that it is an article's; alone, those among the nouns are its text.
_PLAIN = frozenset(
    """a an at by di dari for from in ke name nama of oleh on pada page post the to untuk utama web
    online article articles artikel berita news story item halaman doc document dokumen entry
    record first main full lengkap original asli utuh complete last""".split()
)
_BETTER = frozenset("main full lengkap utuh complete".split())
_WORSE = frozenset(
    """raw html clean cleaned bersih stemmed stemming preprocessed preprocessing processed
    tokenized normalized lower lowercase short meta seo og amp gmt translated english en""".split()
)
# What a column with one of these words holds is nothing that an article has here.
_OTHER = frozenset(
    """image images img gambar foto photo photos picture thumbnail thumb video audio caption logo
    icon avatar cover category categories kategori rubrik section kanal tag tags topic topics topik
    label labels class keyword keywords kunci comment comments komentar reply likes like share
    shares views view dibaca count jumlah total length panjang size words kata token tokens chars
    crawl crawled crawler crawling scrape scraped scraping scraper download downloaded unduh
    fetched fetch retrieved accessed diakses akses diambil ambil collected indexed imported
    inserted added language lang bahasa locale country negara region provinsi kota city location
    lokasi status type tipe jenis format kind version rank score skor sentiment sentimen hash
    checksum fingerprint slug parent related terkait previous next prev email phone bio twitter
    facebook role event kejadian expired expires expiry deadline birth lahir start end file
    filename filedate filepath path localpath rss feed template referrer number nomor no index idx
    unnamed row rownum subtitle subjudul dateline license copyright""".split()
)
_WORDS = (
    frozenset(word for groups in _NOUNS.values() for group in groups for word in group.split())
    | _SUMMARIES
    | _PLAIN
    | _WORSE
    | _OTHER
)
_SUMMARY_RANK = 20.0
_URL_BY_VALUE = 9.0


@functools.lru_cache(maxsize=10_000)
def words_of(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case: "publishedAt", "tgl_terbit" and "maintext" have two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name.strip())
    found: list[str] = []
    for token in re.findall(r"[^\W\d_]+", spaced.lower()):
        found.extend(_cut(token) or (token,))
    return tuple(found)


def _cut(token: str) -> tuple[str, ...]:
    """Cut what was written without a space into known words; empty where it is not made of them."""
    if token in _WORDS or not 5 <= len(token) <= 30:
        return ()
    ways: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(2, len(token) + 1):
        for start in range(max(0, end - 14), end - 1):
            word = token[start:end]
            # Words of two letters stand everywhere by chance, but "postid" and "publishedat".
            fits = word in _WORDS and (len(word) > 2 or (word in ("id", "at") and start))
            if start in ways and fits and end not in ways:
                ways[end] = (*ways[start], word)
    return ways.get(len(token), ())


class Meaning(NamedTuple):
    """What a name may mean: targets with a rank, the lower the surer.

    Without targets it is `known` to be something else, or not known.
    """

    ranks: Mapping[str, float]
    known: bool


@functools.lru_cache(maxsize=10_000)
def meaning(name: str) -> Meaning:
    """Return what a name may mean."""
    *parents, last = re.split(r"\.(?=\S)", name)
    words = words_of(last)
    said = frozenset(words)
    if not said or said & _OTHER:
        return Meaning({}, True)
    found = {
        target: min(n for n, group in enumerate(groups) if said & set(group.split()))
        for target, groups in _NOUNS.items()
        if any(said & set(group.split()) for group in groups)
    }
    strange = len(said - _WORDS)
    rank = strange + 3 * len(said & _WORSE) - 0.5 * bool(said & _BETTER) + 0.5 * len(parents)
    if said & _SUMMARIES:
        # "author_description" is of the author.
        return Meaning({"text": _SUMMARY_RANK} if found.keys() <= {"text"} else {}, True)
    if not found:
        return Meaning({}, not strange)
    ranks = {target: value + rank for target, value in _settled(found, said).items()}
    return Meaning(ranks, True)


def _settled(found: dict[str, int], said: frozenset[str]) -> Mapping[str, float]:
    """Decide what a name means of which several words mean something."""
    others = found.keys() - {"text"}
    if others and found.get("text") == len(_NOUNS["text"]) - 1:
        del found["text"]
    if "date" in found:
        return _settled_date(found, said)
    if people := found.keys() & {"author", "editor"}:
        # "author_url" and "penulis_id" are of the author, not of the article.
        is_person = not found.keys() & {"url", "id", "title"}
        return {person: 0 for person in people} if is_person else {}
    if "url" in found:
        if "publisher" in found:
            return {"url": 2, "publisher": 5 + found["publisher"]}
        return {"url": found["url"] + 3 * (len(found) > 1)}
    if "id" in found:
        return _settled_id(found, said)
    if "publisher" in found:
        return _settled_publisher(found, said)
    return {"title": found["title"]} if "title" in found else {"text": found["text"]}


def _settled_id(found: Mapping[str, int], said: frozenset[str]) -> Mapping[str, float]:
    if "publisher" in found:
        return {}
    if "title" in found:
        # "title_id" beside "title_en" is the Indonesian one.
        return {"id": 4, "title": 2}
    return {"id": found["id"] + 0.1 * len(said), "url": _URL_BY_VALUE}


def _settled_publisher(found: Mapping[str, int], said: frozenset[str]) -> Mapping[str, float]:
    if "title" in found:
        return {"publisher": found["publisher"] + 1}
    if "text" in found:
        return {"text": 4}
    by_value = {"url": _URL_BY_VALUE} if said & {"source", "sumber"} else {}
    return {"publisher": found["publisher"], **by_value}


def _settled_date(found: dict[str, int], said: frozenset[str]) -> Mapping[str, float]:
    dates = [n for n, group in enumerate(_NOUNS["date"]) if said & set(group.split())]
    rest = {target: rank for target, rank in found.items() if target != "date"}
    if dates == [0] and "by" in said:
        return {"publisher": 1}
    if dates == [0] and rest and not said & {"publication", "publikasi"}:
        # "published_url" is a URL.
        return _settled(dict(rest), said)
    ranks: dict[str, float] = {"date": 0 if dates[0] == 0 else max(dates)}
    if "publisher" in rest and len(said) == 1:
        ranks["publisher"] = rest["publisher"]
    return ranks


# --- what the user says of names -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that the user mapped: pairs of a target and a name."""

    mapped: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, written: Sequence[str]) -> Columns:
        """Read "date=siar" and the like; raises InputError."""
        pairs: list[tuple[str, str]] = []
        for each in written:
            target, _, name = (part.strip() for part in each.partition("="))
            if not is_pair(each):
                raise InputError(
                    f"The column map {each!r} cannot be used; write it as TARGET=COLUMN, as in "
                    f"date=siar, where TARGET is one of {', '.join(TARGETS)}."
                )
            pairs.append((target, name))
        return cls(tuple(pairs))


NO_COLUMNS = Columns()


def is_pair(written: str) -> bool:
    """Tell whether a text is a target and a name, as in "date=siar"."""
    target, _, name = written.partition("=")
    return target.strip() in TARGETS and bool(squeezed(name))


def squeezed(name: str) -> str:
    """Return a name as it is compared: without case, spaces and marks ("" for none but these)."""
    return "".join(re.findall(r"[^\W_]+|\.(?=\w)", name.strip().lower()))


@dataclass(frozen=True, slots=True)
class Plan:
    """Which names of a row to try for each target, best first; what is not `known`; what is."""

    names: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    other: tuple[str, ...]
    mapped: frozenset[tuple[str, str]]

    @property
    def has_text(self) -> bool:
        """Tell whether a name promises a text, not only a summary."""
        return any(meaning(n).ranks.get("text", 0) < _SUMMARY_RANK for n in self.names["text"])

    def is_summary(self, name: str) -> bool:
        """Tell whether a name that is tried for the text promises a part of it only."""
        return meaning(name).ranks.get("text", 0) >= _SUMMARY_RANK


@functools.lru_cache(maxsize=2_000)
def plan(names: tuple[str, ...], columns: Columns) -> Plan:
    """Decide for the names of a row, in their order, what each is tried for."""
    given = {squeezed(name): name for name in reversed(names)}
    mapped = {
        (target, wanted): given[squeezed(wanted)]
        for target, wanted in columns.mapped
        if squeezed(wanted) in given
    }
    tried: dict[str, tuple[str, ...]] = {}
    for target in TARGETS:
        ranked = sorted(
            (meaning(name).ranks[target], number, name)
            for number, name in enumerate(names)
            if target in meaning(name).ranks and name not in mapped.values()
        )
        if target == "text" and ranked and ranked[0][0] < _SUMMARY_RANK:
            ranked = [each for each in ranked if each[0] < _SUMMARY_RANK]
        first = [name for (wanted, _), name in mapped.items() if wanted == target]
        tried[target] = (*first, *(name for _, _, name in ranked))
    left = [n for n in names if not meaning(n).ranks and n not in mapped.values()]
    return Plan(
        tried,
        tuple(name for name in left if not meaning(name).known),
        tuple(name for name in left if meaning(name).known),
        frozenset(mapped),
    )


def opens(name: str) -> bool:
    """Tell whether an object under this name may hold fields of the article: "metadata", "doc"."""
    words = set(words_of(name))
    is_other = words & (_OTHER | _SUMMARIES) and words != {"rss"}
    return bool(words) and not meaning(name).ranks and not is_other


def is_known(name: str) -> bool:
    """Tell whether a name is certainly that of an article's column, as in a table's header."""
    is_name = re.fullmatch(r"[\w .:/()-]{1,40}", name) is not None
    return is_name and bool(meaning(name).ranks) and set(words_of(name)) <= _WORDS
