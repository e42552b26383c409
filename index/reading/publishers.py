"""Who published an article, under one name for the many ways to write it, and the article's id.

A publisher is known by its name, a host, a URL, or the dateline that a report opens with.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from index.files import word_table
from index.records import Article
from index.text import squeezed

TABLE = Path(__file__).with_name("publishers.txt")
"""One line a publisher: its name, then every other way that it is written, or a host of it."""

_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z]{2,12}(?::\d+)?", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|amp|mobile|wap)\.")


@functools.cache
def _names() -> dict[str, str]:
    table: dict[str, str] = {}
    for name, others in word_table(TABLE).items():
        for other in (name, *others):
            table.setdefault(other.lower(), name)
    return table


@functools.lru_cache(maxsize=10_000)
def canonical_publisher(name_or_host: str) -> str:
    """Return the one name of a publisher that is written in many ways, by name, host or URL.

    A section's host counts as its publisher ("finance.detik.com" is detikcom), a Tribun
    newspaper's as that newspaper. An unknown name stays as written, without "www.".
    """
    name = " ".join(name_or_host.split())
    if "://" in name:
        name = host_of(name) or name
    table = _names()
    low = _HOST_PREFIX.sub("", name.lower().rstrip("/"), count=1)
    if low in table:
        return table[low]
    if not _HOST.fullmatch(low):
        return name
    labels = low.split(":")[0].split(".")
    for first in range(1, len(labels) - 1):
        if known := table.get(".".join(labels[first:])):
            return known
    return ".".join(labels)


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(_names().values())


def is_known(publisher: str) -> bool:
    """Tell whether a name is the canonical one of a publisher in the table."""
    return publisher in _known()


def is_publisher(name: str) -> bool:
    """Tell whether a name is that of a publisher in the table, in whatever way, or a host."""
    return name.lower() in _names() or is_host(name)


def is_host(text: str) -> bool:
    """Tell whether a text is nothing but a host name ("news.contoh.co.id")."""
    return bool(_HOST.fullmatch(text))


def host_of(url: str) -> str:
    """Return a URL's host, "" where it has none or is no URL."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


# --- datelines -----------------------------------------------------------------------------------

_AGENCY = r"[A-Z][\w\-]{1,30}\.(?:COM|CO|ID|NET|com|co|id|net)(?:\.ID|\.id)?|ANTARA(?: News)?"
_CITY = r"[A-Z][A-Za-z.'’/\-]{1,24}(?: [A-Z][A-Za-z.'’\-]{1,24}){0,3}"
_DATELINE = re.compile(
    rf"(?P<host>(?:{_AGENCY}|CNN Indonesia),?\s{{1,3}})?(?P<city>{_CITY}(?:,\s?{_CITY})?)?"
    rf"(?P<agency>,?\s{{0,2}}\(?(?:{_AGENCY}|Antara(?: News)?|CNN Indonesia)\)?"
    r"|\s\([A-Z][\w. ]{2,30}\))?"
    r"\s{0,3}(?P<dash>-\s?-|[-–—])\s{0,3}(?=[\"“A-Z0-9(])"
)
_NAMED_HOST = re.compile(
    r"\b[A-Za-z0-9][\w\-]{1,30}\.(?:co\.id|com|co|id|net)\b|\bANTARA\b|\bCNN Indonesia\b", re.I
)
_PARAGRAPH = 100


def publisher_in(line: str) -> str:
    """Return the first publisher that a line names by its host; "" for none."""
    match = _NAMED_HOST.search(line)
    return canonical_publisher(match[0]) if match else ""


def publisher_of_dateline(line: str) -> str:
    """Return the publisher that a paragraph's dateline names; "" for none."""
    match = _DATELINE.match(line)
    return publisher_in(match[0]) if match else ""


def is_dateline(line: str) -> bool:
    """Tell whether a paragraph opens with its place or publisher: "KOTA, NAMA.COM -- ..."."""
    match = _DATELINE.match(line)
    if not match:
        return False
    return bool(match["host"] or match["agency"] or (match["city"] and len(line) >= _PARAGRAPH))


# --- identity ------------------------------------------------------------------------------------

_OWN_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|igshid|igsh|_ga|_gl|mc_cid|mc_eid|ref|ref_src|source|single"
    r"|showpage|tag_from|lgn_method|google_btn|amp|outputtype|_kiosk_\w+|medium|campaign",
    re.IGNORECASE,
)
_PAGE_WORD = r"page|halaman|hal|laman|paged|pg|page_?(?:num|no)"
_PAGE_KEY = re.compile(_PAGE_WORD, re.IGNORECASE)
_PAGE_PATH = re.compile(rf"(?:(?:{_PAGE_WORD})[/-])?(\d{{1,3}})", re.IGNORECASE)


def article_id(own: object, publisher: str, url: str, title: str, body: str) -> str:
    """Return an article's id: the input's own; else of publisher and URL; else of what it says.

    An own id with unusual characters or over 100 of them is replaced by its hash. Hashes are the
    first 16 hexadecimal digits of SHA-256.
    """
    text = " ".join(str(own).split()) if isinstance(own, str | int | float) else ""
    if text:
        return text if _OWN_ID.fullmatch(text) else _hash("id", text)
    if address := canonical_url(url):
        return _hash("url", publisher, address)
    return _hash("text", publisher, title, body)


def is_another(one: Article, other: Article) -> bool:
    """Tell whether two articles of one id are not one that was corrected.

    Exports that number their rows give one id to many articles: these have other titles, other
    texts, and other URLs or, where no URL tells, other publishers or a number for an id.
    """
    if one.title and squeezed(one.title) == squeezed(other.title):
        return False
    first, second = canonical_url(one.url), canonical_url(other.url)
    if first and first == second:
        return False
    publishers = {one.publisher, other.publisher} - {""}
    is_number = re.fullmatch(r"\d{1,9}(?:\.0)?", one.id)
    if not (first and second) and len(publishers) < 2 and not is_number:
        return False
    return not _alike(one.body, other.body)


def _alike(one: str, other: str) -> bool:
    """Tell whether two texts share half of their words, as one and its correction do."""
    first, second = set(squeezed(one).split()), set(squeezed(other).split())
    return 2 * len(first & second) >= len(first | second)


def _hash(*parts: str) -> str:
    data = "\x1f".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(data).hexdigest()[:16]


def canonical_url(url: str) -> str:
    """Return the part of a URL that names the article: no scheme, www., page or tracking."""
    return page_of(url)[0]


def page_of(url: str) -> tuple[str, int]:
    """Return the address of a URL's article, and which page of the article it is; 0 where not said.

    The address has no scheme, www., fragment, page ("?page=2", "/halaman/2", "/2" after a slug) or
    tracking, so that all pages have one.
    """
    if not url:
        return "", 0
    try:
        parts = urlsplit(url if "://" in url else f"//{url.lstrip('/')}")
        query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return url, 0
    path, number = _off_page(parts.path.rstrip("/"))
    kept = []
    for key, value in query:
        if _PAGE_KEY.fullmatch(key) and (key.lower() == "page" or _is_page(value)):
            number = int(value) if re.fullmatch(r"\d{1,3}", value) else number
        elif not _TRACKING.fullmatch(key):
            kept.append((key, value))
    host = _HOST_PREFIX.sub("", parts.netloc.lower(), count=1)
    tail = f"?{urlencode(sorted(kept))}" if kept else ""
    return f"{host}{path}{tail}", number


def _is_page(value: str) -> bool:
    return bool(re.fullmatch(r"\d{1,3}|all|semua", value, re.IGNORECASE))


def _off_page(path: str) -> tuple[str, int]:
    """Split a path into the article's and the number of the page that it ends with, 0 for none.

    A bare number is a page only after the words of a headline ("/harga-cabai-naik/2"): else it is
    the article's own.
    """
    rest, _, last = path.rpartition("/")
    before, _, word = rest.rpartition("/")
    if _PAGE_KEY.fullmatch(word) and last.isdecimal():
        rest, last = before, f"{word}/{last}"
    found = _PAGE_PATH.fullmatch(last)
    slug = rest.rpartition("/")[2]
    named = slug.count("-") >= 3 or slug.lower().endswith((".html", ".htm"))
    if not found:
        return path, 0
    if last.isdecimal() and not (named and len(last) <= 2 and re.search("[A-Za-z]", slug)):
        return path, 0
    return rest, int(found[1])
