"""References to an archived article: as Indonesian papers write them, in BibTeX and in RIS.

Names stay as published: an Indonesian name has no family name to be put first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from urllib.parse import urlsplit

from index.records import Article
from index.text import seen_line, written

_LONGEST = 500
_MANY = 3
_SINGLE = str.maketrans({'"': "'", "“": "‘", "”": "’", "„": "‘"})
# A backslash before a brace would not save it: BibTeX counts braces whatever stands before them.
_LATEX = str.maketrans(
    {
        **{char: f"\\{char}" for char in "$&#%_"},
        "\\": r"{\textbackslash}",
        "{": r"{\textbraceleft}",
        "}": r"{\textbraceright}",
        "~": r"{\textasciitilde}",
        "^": r"{\textasciicircum}",
    }
)
_MONTH_KEYS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def reference(article: Article, accessed: dt.date) -> str:
    """Return a reference in words: who, year, “headline”, publisher, day, address, day of access.

    The publisher stands for an author that is not known, "t.t." for a year.
    """
    publisher, day, url = _line(article.publisher), article.published, safe_url(article.url)
    title = _line(article.title).translate(_SINGLE)
    named = f"“{title}”" if title else "[Tanpa judul]"
    year = str(day.year) if day else "t.t."
    who = _people(article) or publisher
    parts = [
        *((who, year, named) if who else (named, year)),
        ", ".join(filter(None, [publisher, written(day)])),
    ]
    said = " ".join(f"{part.removesuffix('.')}." for part in parts if part)
    return f"{said} {url} (diakses {written(accessed)})." if url else said


def bibtex(article: Article, accessed: dt.date) -> str:
    """Return a BibTeX entry in UTF-8: an @article of its publisher and day, without these @misc."""
    publisher, day, url = _line(article.publisher), article.published, safe_url(article.url)
    authors = [_line(name) for name in article.authors or (article.publisher,)]
    whole = publisher and day
    fields = {
        "author": " and ".join(_braced(name) for name in authors if name),
        "title": _braced(_line(article.title) or "Tanpa judul"),
        "journal" if whole else "howpublished": publisher.translate(_LATEX),
        "year": str(day.year) if day else "",
        "day": str(day.day) if day else "",
        "url": url.replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D"),
        "urldate": accessed.isoformat() if url else "",
        "language": "indonesian",
    }
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    if day:
        lines.insert(-1, f"  month = {_MONTH_KEYS[day.month - 1]},\n")
    return f"@{'article' if whole else 'misc'}{{{key(article)},\n{''.join(lines)}}}\n"


def ris(article: Article, accessed: dt.date) -> str:
    """Return a RIS record: a tag and its value on each line, which end in CRLF."""
    publisher, day, url = _line(article.publisher), article.published, safe_url(article.url)
    tags = [
        ("TY", "NEWS"),
        *(("AU", _line(name)) for name in article.authors or (article.publisher,)),
        ("TI", _line(article.title) or "Tanpa judul"),
        ("T2", publisher),
        ("PY", f"{day:%Y}" if day else ""),
        ("DA", f"{day:%Y/%m/%d}" if day else ""),
        ("UR", url),
        ("Y2", f"{accessed:%Y/%m/%d}" if url else ""),
        ("LA", "id"),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in tags if value) + "ER  - \r\n"


def key(article: Article) -> str:
    """Return an article's key in BibTeX: who and year, to be read, and a hash that is its own."""
    who = (article.authors or (article.publisher,))[0]
    plain = unicodedata.normalize("NFKD", who).encode("ascii", "ignore").decode()
    words = re.sub("[^a-z0-9]", "", plain.lower())[:20] or "artikel"
    year = article.published.year if article.published else "tt"
    own = hashlib.blake2b(article.id.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"{words}{year}-{own}"


def safe_url(url: str) -> str:
    """Return a web address that may become a link, without what logs in; "" for any other."""
    if any(char.isspace() or not char.isprintable() for char in url):
        return ""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return url if host == parts.netloc else parts._replace(netloc=host).geturl()


def _people(article: Article) -> str:
    names = [name for name in map(_line, article.authors) if name]
    if len(names) > _MANY:
        return f"{names[0]} dkk."
    return " dan ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _line(text: str) -> str:
    """Return a text on one line, without what is not seen and what turns text round."""
    line = seen_line(text[: 4 * _LONGEST])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _braced(name: str) -> str:
    """Return a name that BibTeX takes as it is, also one with "and" or a comma in it."""
    return f"{{{name.translate(_LATEX)}}}"
