"""Decides what a word, a stem, a sentence and a token is; nothing else in the project does."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

from index.records import Span

if TYPE_CHECKING:
    import tiktoken

RULES = 3
"""Raised whenever words, stems or sentences come out differently: a recipe is compared by it."""

TOKENIZER_FILE = Path(__file__).parent / "model" / "0_StaticEmbedding" / "tokenizer.json"

_NO_LETTERS = re.compile(r"[\W_]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"rp(?=\d)|\d+(?:[.,]\d+)+|[^\W_]+")

_WRITTEN_WORD = re.compile(_WORD.pattern, re.IGNORECASE)

QUESTION_WORDS = frozenset(
    "apa apakah siapa siapakah kapan kapankah bilakah mana manakah dimana dimanakah kemana "
    "darimana berapa berapakah mengapa mengapakah kenapa gimana bagaimana bagaimanakah adakah "
    "bisakah sebutkan jelaskan tolong dong sih ya kah kok apaan ngapain".split()
)
STOP_WORDS = frozenset(
    "yang di ke dari dan atau dengan untuk pada dalam oleh adalah ialah merupakan itu ini tersebut "
    "para si sang akan telah sudah sedang bisa dapat ada juga saja pun agar supaya sebagai karena "
    "tentang terhadap antara bahwa maka lalu serta nya".split()
)


# Each month as it is written out, in short or otherwise, and in English or in datelines only.
_MONTHS = (
    ("Januari", "jan", "january"),
    ("Februari", "pebruari feb", "february peb"),
    ("Maret", "mar", "march mrt"),
    ("April", "apr", ""),
    ("Mei", "", "may"),
    ("Juni", "jun", "june"),
    ("Juli", "jul", "july"),
    ("Agustus", "agust agu agt", "august aug ags"),
    ("September", "sept sep", ""),
    ("Oktober", "okt", "october oct"),
    ("November", "nopember nov", "nop"),
    ("Desember", "des", "december dec"),
)
MONTHS = tuple(name for name, *_ in _MONTHS)


def month_numbers(*, published: bool = False) -> dict[str, int]:
    """Return the number of each month by its names in lower case, the usual Indonesian ones.

    `published` adds what stands in publishers' dates: English, and "mrt", else a train in Jakarta.
    """
    return {
        name: number
        for number, (full, others, rare) in enumerate(_MONTHS, start=1)
        for name in (full.lower(), *others.split(), *(rare.split() if published else ()))
    }


def written(day: dt.date | None) -> str:
    """Return a day as newspapers write it: "15 Desember 2016"; "" for None."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if day else ""


def counted(number: int, noun: str) -> str:
    """Return a number with its English noun: "1 run", "2 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


_FULL_DATE = re.compile(r"\b(\d{1,2})[/-](\d{1,2})[/-]((?:19|20)\d\d)\b")
_SHORT_DATE = re.compile(r"\((\d{1,2})/(\d{1,2})()\)")


def words(text: str) -> list[str]:
    """Split a text into lower-case words; "1.200" is one word, "anak-anak" and "Rp3,5" two.

    A date in figures, "15/12/2016" or "(15/12)", has the words of "15 desember 2016".
    """
    return _WORD.findall(_folded(text))


def word_spans(text: str) -> list[Span]:
    """Find the words of a text as it is written, as offsets; "15/12/2016" has three."""
    return [match.span() for match in _WRITTEN_WORD.finditer(text)]


def encodable(text: str) -> str:
    """Return a text with U+FFFD for each lone surrogate, half a character as JSON may hold.

    SQLite, tokenizers and files refuse those. All others stay where they are.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


JOINERS = "\u200c\u200d"
_MOST_MARKS = 4
"""Combining marks on one letter: the most that a script writes."""


def seen(text: str) -> str:
    """Return a text without what is not seen, turns text round, or steers a terminal.

    Control characters become blanks, but for line ends and tabs. Joiners, which emoji and some
    scripts need, stay; of combining marks in a row the first four do.
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if char in "\n\t" or (kind[0] != "C" and kind not in ("Zl", "Zp") and marks <= _MOST_MARKS):
            kept.append(char)
        elif kind in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif char in JOINERS:
            kept.append(char)
    return "".join(kept)


def seen_line(text: str) -> str:
    """Return what is seen of a text, on one line."""
    return " ".join(seen(text).split())


def squeezed(text: str) -> str:
    """Return a text's letters and digits in lower case, to tell whether two say the same."""
    return _NO_LETTERS.sub(" ", text.lower()).strip()


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower()
    if "/" in folded or "-" in folded:
        folded = _SHORT_DATE.sub(_spell_date, _FULL_DATE.sub(_spell_date, folded))
    return folded


def _spell_date(date: re.Match[str]) -> str:
    day, month = int(date[1]), int(date[2])
    if not (1 <= day <= 31 and 1 <= month <= len(MONTHS)):
        return date[0]
    return f" {day} {MONTHS[month - 1].lower()} {date[3]} "


_stemmers = threading.local()


def _stem_words() -> Callable[[list[str]], list[str]]:
    # A Snowball stemmer keeps state while it works, so threads cannot share one.
    stem: Callable[[list[str]], list[str]] | None = getattr(_stemmers, "stem", None)
    if stem is None:
        import Stemmer

        stem = Stemmer.Stemmer("indonesian").stemWords
        _stemmers.stem = stem
    return stem


def stems(text: str) -> list[str]:
    """Return the stem of every word, in order: what the lexical search indexes."""
    return _stem_words()(words(text))


def query_stems(text: str) -> list[str]:
    """Return the distinct stems of a question that say what it is about, in order.

    Question words and stop words are dropped, unless nothing else is left.
    """
    found = words(text)
    kept = [word for word in found if word not in QUESTION_WORDS and word not in STOP_WORDS]
    return list(dict.fromkeys(_stem_words()(kept or found)))


def held(weights: Mapping[str, float], stems: Set[str]) -> float:
    """Return which share of some words, by their weights, stands among `stems`; 0 of no words."""
    total = sum(weights.values())
    return sum(weight for stem, weight in weights.items() if stem in stems) / (total or 1.0)


# Sentences ---------------------------------------------------------------------------------------

_END = re.compile(r"[.!?…]+[\"”’')\]]*|\n")
_ABBREVIATIONS = frozenset(
    "dr drs dra ir h hj prof st tn ny sdr sdri no nomor jl jln gg tgl hlm hal rp mr mrs ms kh ust "
    "a.n u.b d.a s.d dll dsb dst cq kec kab kel ds rt rw sh se mm jr sr vs al bin wr yth kol "
    "letkol brigjen mayjen letjen jenderal irjen kombes akbp kompol iptu ipda aiptu bripka kapt "
    "lettu serka pt cv tbk inc ltd co phd sp spd mpd msi ssos sag mag".split()
)
_QUOTES = re.compile(r"\"([^\"\n]{1,400})\"|“([^”\n]{1,400})”")
_LAST_WORD = re.compile(r"([^\W\d_]+(?:\.[^\W\d_]+)*)$")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Find the sentences of text[start:end] as offsets into `text`, trimmed of white space.

    A line break ends a sentence. A quotation is not cut inside, so that it keeps its speaker;
    neither is an abbreviation ("Dr.", "No.", "H.") nor a number ("1.200").
    """
    stop = len(text) if end is None else end
    part = text[start:stop]
    quoted = [match.span() for match in _QUOTES.finditer(part)]
    found: list[Span] = []
    begin = quote = 0
    for match in _END.finditer(part):
        at, after = match.span()
        while quote < len(quoted) and quoted[quote][1] < after:
            quote += 1
        inside = quote < len(quoted) and quoted[quote][0] < at and after < quoted[quote][1]
        if part[at] == "\n" or (not inside and _ends_sentence(part, begin, at, after)):
            _keep(part, begin, after, start, found)
            begin = _skip_list_comma(part, after)
    _keep(part, begin, len(part), start, found)
    return found


def _ends_sentence(part: str, begin: int, at: int, after: int) -> bool:
    if after >= len(part):
        return True
    following = part[after]
    glued = not following.isspace()
    if glued and not _glued_boundary(part, at, after):
        return False
    if part[at] == "." and after == at + 1:
        before = _LAST_WORD.search(part, max(begin, at - 20), at)
        word = before.group(1) if before else ""
        if len(word) == 1 or word.lower() in _ABBREVIATIONS:
            return False
    if glued:
        return True
    rest = part[after : after + 40].lstrip()
    if not rest:
        return True
    return not rest[0].islower() or _mostly_lower(part)


def _glued_boundary(part: str, at: int, after: int) -> bool:
    """Tell whether "dia.Menurut" or the list remnant "massal.,Seusai" is a sentence's end."""
    if part.startswith(",", after) and part[at] == ".":
        return part[after + 1 : after + 2] in ('"', "“") or part[after + 1 : after + 2].isupper()
    before, following = part[max(0, at - 2) : at], part[after : after + 2]
    return len(before) == 2 and before.islower() and following.istitle() and following.isalpha()


def _skip_list_comma(part: str, after: int) -> int:
    return after + 1 if part.startswith(",", after) else after


@functools.lru_cache(maxsize=256)
def _mostly_lower(part: str) -> bool:
    # Some archives were lower-cased by whoever scraped them; there "." and a space must do.
    return sum(map(str.isupper, part)) * 200 < len(part)


def _keep(part: str, begin: int, after: int, offset: int, found: list[Span]) -> None:
    piece = part[begin:after]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    if right > left:
        found.append((offset + begin + left, offset + begin + right))


_DATELINE = re.compile(
    r"(?=[^\n]{0,80}?\s[-–—]{1,2}\s)"
    r"(?:[A-Z][\w.'/]*|[(),/]|\s){1,24}?\s*[-–—]{1,2}\s+(?=[\"“‘A-Z0-9])"
)
_NEWSROOM = re.compile(r"\.(?i:com|co|id|net|tv)\b|\(|--|–|—|CNN|^[A-Z]{4,}\b|^\w{4,} ?-")
_LONGEST_DATELINE = 60


def dateline_end(text: str, start: int, end: int) -> int:
    """Return where an article's dateline ("BITUNG, KABAR.ID -- ") ends; `start` if it has none."""
    found = _DATELINE.match(text, start, min(end, start + _LONGEST_DATELINE + 20))
    if not found or found.end() - start > _LONGEST_DATELINE:
        return start
    return found.end() if _NEWSROOM.search(found.group()) else start


# Tokens ------------------------------------------------------------------------------------------


@functools.cache
def encoding() -> tiktoken.Encoding:
    """Build tiktoken's encoding from the bundled vocabulary; it expects `fold`ed text.

    Ids equal those of the `tokenizers` library for the same file.
    """
    import tiktoken

    raw = json.loads(TOKENIZER_FILE.read_text(encoding="utf-8"))
    byte_of = {char: byte for byte, char in _byte_characters().items()}
    vocabulary: dict[str, int] = raw["model"]["vocab"]
    # Ids after the bytes and the merges are spare names ("[MASK]") that no text may yield.
    spoken = 256 + len(raw["model"]["merges"])
    ranks = {
        bytes(byte_of[char] for char in token): rank
        for token, rank in vocabulary.items()
        if rank < spoken
    }
    special = {token: rank for token, rank in vocabulary.items() if rank >= spoken}
    pattern = raw["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"]
    return tiktoken.Encoding(
        name="tanya-bpe", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special
    )


def fold(text: str) -> str:
    """Lower-case a text as the bundled vocabulary expects (one character at a time)."""
    # str.lower() looks at a final sigma's neighbours, the tokenizers library does not.
    return text.replace("Σ", "σ").lower()


# tiktoken's matcher overflows on a million spaces in a row; so long a run counts as one space.
_LONG_SPACE = re.compile(r"(?<!\s)\s{10000,}")


def tokens(text: str) -> list[int]:
    """Return the token ids of a text."""
    found: list[int] = encoding().encode_ordinary(_LONG_SPACE.sub(" ", fold(text)))
    return found


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Return the number of tokens of each text."""
    return [len(tokens(text)) for text in texts]


def _byte_characters() -> dict[int, str]:
    """Return the byte-level BPE alphabet: a printable character for each byte (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in printable}
    spare = 256
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(spare)
            spare += 1
    return table


# Names and numbers -------------------------------------------------------------------------------

NUMERALS = frozenset(
    "satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas belas puluh puluhan "
    "ratus ratusan ribu ribuan juta jutaan miliar triliun persen seorang sebuah setengah".split()
)


def names_and_numbers(sentence: str) -> set[str]:
    """Return the stems of a sentence's names, but for its first word, and of its numbers."""
    found: set[str] = set()
    for number, word in enumerate(sentence.split()):
        bare = word.lstrip("\"'“‘([")
        if (number and bare[:1].isupper()) or any(char.isdigit() for char in bare):
            found.update(stems(bare))
    return found
