"""What one value of a row says: a text, a name, a date as it is wrapped; or nothing at all."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from index import clean
from index.reading.fields import words_of
from index.reading.publishers import is_host
from index.reading.scraped import distinct, one_line, text_of

# --- nothing -------------------------------------------------------------------------------------

_WHAT = (
    "author|title|date|text|content|source|name|page|article|description|penulis|judul|tanggal|isi"
    "|teks|konten|sumber|nama|halaman|berita|artikel|data|url|link"
)
_MARKS = re.compile(r"[\W_]+")
_NOTHING = re.compile(
    r"n a|na|none|null|nil|nan|nat|undefined|unknown|anonymous|anonim|empty|kosong|blank|removed"
    rf"|deleted|dihapus|(?:\d{{3}} )?(?:(?:maaf|sorry|this|the) )?(?:(?:{_WHAT}) )*"
    r"(?:(?:ini|is|was) )?(?:not|no|tidak|tak|belum|tanpa|unavailable)"
    r"(?: (?:ada|found|available|ditemukan|tersedia|diketahui|disebutkan|dicantumkan|specified"
    rf"|provided|given|known|applicable|defined|{_WHAT}))*"
)


def is_nothing(value: object) -> bool:
    """Tell whether a value says that there is none: empty, NaN, "-", "N/A", "Tidak Ditemukan"."""
    if isinstance(value, str):
        return not value.strip() if len(value) > 60 else _says_nothing(value)
    if isinstance(value, float):
        return value != value
    return value is None or value in ([], {}, ())


@functools.lru_cache(maxsize=10_000)
def _says_nothing(text: str) -> bool:
    said = " ".join(_MARKS.sub(" ", text.lower()).split())
    return not said or _NOTHING.fullmatch(said) is not None


# --- items that are no published articles --------------------------------------------------------

# What an export holds besides articles. Types that a site made up itself ("berita") are kept.
_NO_ARTICLES = {
    "page": "pages",
    "attachment": "attachments",
    "nav_menu_item": "menu items",
    "revision": "revisions",
    "comment": "comments",
    "settings": "settings",
    "template": "templates",
    "custom_css": "styles",
    "customize_changeset": "styles",
    "oembed_cache": "caches",
    "user_request": "requests",
    "product": "products",
    "shop_order": "orders",
}
_STATUSES = {
    "draft": "drafts",
    "auto-draft": "drafts",
    "pending": "drafts",
    "future": "drafts",
    "scheduled": "drafts",
    "unpublished": "drafts",
    "private": "private posts",
    "trash": "deleted posts",
    "trashed": "deleted posts",
    "soft_trashed": "deleted posts",
    "deleted": "deleted posts",
}


def left_out(kind: str, status: str) -> str:
    """Return what an item of an export is that is no published article, in the plural; else ""."""
    kind = kind.strip().lower()
    if kind in _NO_ARTICLES or kind.startswith(("wp_", "acf-", "elementor_")):
        return _NO_ARTICLES.get(kind, kind)
    return _STATUSES.get(status.strip().lower(), "")


# --- values in their wrappings -------------------------------------------------------------------

# MongoDB, WordPress, XML as JSON, Firestore, PHP, headlines in parts.
_WRAPPINGS = (
    "$oid $date $numberLong $numberInt $numberDouble $numberDecimal rendered #text _text $t "
    "__cdata @value value iso date datetime _seconds seconds main"
).split()


def plain(value: object) -> object:
    """Return a text or a number out of what it is wrapped in, the first one that is something."""
    if isinstance(value, Mapping):
        inner = next((value[name] for name in _WRAPPINGS if name in value), None)
        return None if inner is value else plain(inner)
    if isinstance(value, list | tuple):
        return next((found for part in value if not is_nothing(found := plain(part))), None)
    if isinstance(value, str) and len(value) < 10_000 and value[:1] in "[{":
        parsed = unpacked(value)
        return value if parsed is value else plain(parsed)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def unpacked(value: str) -> object:
    """Return the list or object that a text holds as JSON or as Python writes it; else the text."""
    text = value.strip()
    if (text[:1], text[-1:]) not in (("[", "]"), ("{", "}")) or len(text) > 10**6:
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            found: object = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return found if isinstance(found, list | dict) else value
    return value


# --- texts ---------------------------------------------------------------------------------------

# One of these is the text; the rest of an object says the same in another form, or is no text.
_LEAVES = "rendered plaintext text plain html raw value isi teks content body #text".split()
_PARTS = frozenset(
    """sections section paragraphs paragraph paragraf blocks block children content contents body
    data items elements nodes summary lead headline heading title judul isi konten teks text
    """.split()
)


def text_in(value: object) -> str:
    """Return an article's text: a string, paragraphs, or these in sections and blocks."""
    if isinstance(value, str):
        parsed = unpacked(value)
        if parsed is value or not (text := text_in(parsed)):
            return text_of(value)
        return text
    return text_of(list(_paragraphs(value))).strip()


def _paragraphs(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        if value and all(_is_run(part) for part in value):
            yield "".join(str(part["text"]) for part in value)
            return
        for part in value:
            yield from _paragraphs(part)
    elif isinstance(value, Mapping):
        for name in _LEAVES:
            if isinstance(value.get(name), str):
                yield value[name]
                return
        for name, part in value.items():
            if isinstance(part, list | dict | str) and set(words_of(str(name))) & _PARTS:
                yield from _paragraphs(part)


def _is_run(value: object) -> bool:
    """Tell whether a value is a part of a paragraph, as editors of the web store them."""
    if not isinstance(value, Mapping) or not isinstance(value.get("text"), str):
        return False
    return value.get("type", value.get("_type")) in ("text", "span")


_BARE_DATELINE = re.compile(r"[^\W\d_][\w .,'’()/]{1,80}?\s*[-–—]+[\W_]*")
_WALL = re.compile(
    r"(?:just a moment|loading|memuat|please (?:wait|enable|turn on)|enable javascript|"
    r"you need to enable|access denied|akses ditolak|forbidden|checking your browser|"
    r"verify(?:ing)? (?:that )?you are|(?:sorry,? )?you have been blocked|video player|"
    r"javascript is (?:disabled|required))\b",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"(?:[^\n.!?]{0,60}\W)?(?:halaman|page|konten|content|artikel|article|berita|url|video)\b"
    r"[^\n.!?]{0,40} (?:(?:tidak|belum) (?:ada|dapat dimuat|ditemukan|tersedia)|"
    r"(?:not|no longer) (?:be )?(?:available|exist|found|loaded|retrieved))\W*",
    re.IGNORECASE,
)
_POINTERS = re.compile(
    r"^[ \t]*(?:baca|simak|lihat)(?: juga| pula)?\s?:[ \t]*\n(?:[ \t]*[-*•].*(?:\n|\Z))+",
    re.IGNORECASE | re.M,
)


def has_words(text: str) -> bool:
    """Tell whether a text says anything but a dateline, links and the words of a page's frame."""
    if len(text) < 200 and (_WALL.match(text) or _MISSING.fullmatch(text.strip())):
        return False
    return any(_says(line.strip()) for line in _POINTERS.sub("", text).split("\n"))


def _says(line: str) -> bool:
    if not re.search(r"[^\W\d_]{2}|[^\W\d_]\d|\d[^\W\d_]", line) or is_nothing(line):
        return False
    if re.fullmatch(r"\[[^\[\]]{1,40}\]", line):  # "[video]"
        return False
    return not (clean.is_boilerplate(line) or _BARE_DATELINE.fullmatch(line) or is_host(line))


class Stub(NamedTuple):
    """A text without the mark of what was left out of it; `short` where it is not the whole."""

    text: str
    short: bool


_COUNTED = re.compile(
    r"\s*[\[(]\s*\+?\s*\d[\d.,]*\s*(?:more\s+)?(?:chars?|characters?|karakter|words|kata)\s*[\])]$",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(r"\s*[\[(]\s*(?:\.{2,}|…|more|selengkapnya)\s*(?:\.{2,}|…)?\s*[\])]$", re.I)
_OPENS = r"(?:(?:^|\n|(?<=[.!?…\"”\])])\s|\s[\[(«>]|\s[-–—]\s)\s*)"
_REST = r"(?:[^\n.!?…]|[.!?](?=\S)){0,250}[.!?…»>\])]*$"
_ELSEWHERE = re.compile(
    rf"{_OPENS}(?:(?:klik|silakan|silahkan|untuk|kunjungi)\b[^\n.!?]{{0,50}}\s)?"
    r"(?:(?:(?:(?:mem)?baca|simak|lihat|cek|ikuti|berita|artikel|info(?:rmasi)?|ulasan)\s){1,3}"
    r"selengkapnya\b|selengkapnya\b(?=\W*$|\s+(?:di|klik|pada|melalui)\b|\s?:))"
    rf"{_REST}|{_OPENS}(?:(?:continue|keep) reading|read (?:more|on|the (?:full|rest|whole)|full)"
    rf"\b|the post\b(?=.{{1,200}}appeared first on)){_REST}",
    re.IGNORECASE,
)
# A reference at the end of a longer text is a line of its page, which cleaning knows.
_TEASER = 1_000


def stub_of(text: str, longest: int = 400) -> Stub:
    """Cut off the mark that a text's rest was left out, "[+2219 chars]" or "Baca selengkapnya".

    A text that merely ends in "..." is one where it has fewer than `longest` characters.
    """
    short = False
    marks = (_COUNTED, _ELSEWHERE, _ELLIPSIS, _ELSEWHERE) if len(text) < _TEASER else (_COUNTED,)
    for mark in marks:
        if match := mark.search(text, max(0, len(text) - 400)):
            text, short = text[: match.start()].rstrip(), True
    return Stub(text, short or (len(text) < longest and text.endswith(("...", "…"))))


# --- names ---------------------------------------------------------------------------------------


def name_in(value: object) -> str:
    """Return a name from a text, or from an object or list that has one; "" for none."""
    if isinstance(value, str):
        parsed = unpacked(value)
        if parsed is value:
            return "" if is_nothing(value) else one_line(value)
        value = parsed
    if isinstance(value, list | tuple):
        return next(filter(None, map(name_in, value)), "")
    if not isinstance(value, Mapping):
        return ""
    by_word: dict[str, object] = {}
    for name, part in value.items():
        for word in words_of(str(name)):
            by_word.setdefault(word, part)
    given = [name_in(by_word.get(word)) for word in ("first", "last")]
    if all(given):
        return " ".join(given)
    words = ("name", "nama", "display", "fullname", "original", "title", "rendered", "value")
    hosts = ("domain", "hostname", "host", "url")
    return next(filter(None, (name_in(by_word.get(word)) for word in words + hosts)), "")


_BY = re.compile(r"^(?:(?:ditulis )?oleh|by|penulis|reporter|wartawan)\b\s*:?\s*", re.IGNORECASE)
_NOT_AVAILABLE = re.compile(r"\bn\s?/\s?a\b", re.IGNORECASE)


def people_in(value: object) -> tuple[str, ...]:
    """Return the people that a text, an object with a name, or a list of these names."""
    if isinstance(value, str) and (parsed := unpacked(value)) is not value:
        value = parsed
    if isinstance(value, list | tuple):
        return distinct(person for part in value for person in people_in(part))
    # The slash would make two people of it.
    name = _BY.sub("", _NOT_AVAILABLE.sub("", name_in(value)))
    if is_nothing(name) or "://" in name or is_host(name):
        return ()
    return tuple(person for person in clean.names(name) if not is_nothing(person))
