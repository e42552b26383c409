"""Text as scraped to text as published: encodings, entities, tags, wrong decoding, control marks.

Also the values that a scrape's rows and pages hold: texts, names, and whose scrape it is.
"""

from __future__ import annotations

import ast
import codecs
import datetime as dt
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from index import clean
from index.records import ReadProblem


@dataclass(frozen=True, slots=True)
class Scrape:
    """What every article of one file shares: its name, the user's publisher, the day of reading."""

    name: str
    publisher: str
    today: dt.date

    def problem(self, reason: str, row: int | None = None) -> ReadProblem:
        """Make a problem with its place."""
        return ReadProblem(self.name if row is None else f"{self.name}:{row}", reason)


def shortened(value: object) -> str:
    """Return a value as a message shows it: 80 characters at most."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


# --- bytes to text -------------------------------------------------------------------------------

_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w\-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^<>]{0,100}?encoding\s*=\s*[\"']([\w\-]{2,40})")


def wide_encoding(head: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 encoding of a file's first bytes, None for any other."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[0:400:2], head[1:400:2]
    if len(odd) >= 8 and odd.count(0) > 0.8 * len(odd) and even.count(0) == 0:
        return "utf-16-le"
    if len(odd) >= 8 and even.count(0) > 0.8 * len(even) and odd.count(0) == 0:
        return "utf-16-be"
    return None


def decode(data: bytes, encoding: str | None = None) -> str:
    """Decode text of unknown encoding: UTF-8 where it is, else Windows-1252; never fails."""
    if encoding is not None:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    good = sum(1 for char in text if char > "\x7f" and char != "\ufffd")
    # Broken UTF-8 still has more whole characters than broken ones; Windows-1252 has none.
    if good >= text.count("\ufffd"):
        return text
    return data.decode("cp1252", "replace").replace("\ufffd", "")


def decode_page(data: bytes, encoding: str | None = None) -> str:
    """Decode an HTML page by its byte order mark or its own declaration, where that holds.

    Control characters, which a parser of HTML refuses, are gone.
    """
    return _CONTROL.sub("", _declared(data, encoding))


def _declared(data: bytes, encoding: str | None) -> str:
    named = _CHARSET.search(data[:8192]) or _XML_ENCODING.match(data[:400].lstrip())
    if encoding is not None or data.startswith(codecs.BOM_UTF8) or named is None:
        return decode(data, encoding)
    name = named[1].decode("ascii").lower()
    if name in ("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"):
        name = "cp1252"
    try:
        return data.decode(name)
    except (LookupError, UnicodeDecodeError):
        return decode(data)


# --- text as scraped to text as published --------------------------------------------------------

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BROKEN = re.compile(
    r"â(?:€|\x80|\x81|\x84|„|‚)|[ÃÂ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ ]"
    r"|ðŸ|ð\x9f|ï¿½|ï»¿|[\x80-\x9f]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\u2028\u2029]|_x000D_\n?")
_TAG = re.compile(
    r"</?(?P<name>p|br|div|span|a|b|i|u|em|strong|h[1-6]|ul|ol|li|table|tbody|thead|tr|td|th|img"
    r"|figure|figcaption|blockquote|section|article|font|center|hr|iframe|small|sup|sub|header"
    r"|footer|html|body|head|title|meta|link|input|form|label|button|ins|del|pre|code|amp-\w{1,20})"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
# A script or comment without its end is matched up to the text's end, and kept: one pass will do.
_SCRIPT = re.compile(
    r"<(script|style|noscript)\b[^<>]{0,2000}>.*?(?:(?P<end></\1)[^>]*>?|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?(?:(?P<end>-->)|\Z)", re.DOTALL)
_INLINE_TAGS = frozenset("span a b i u em strong font small sup sub ins del code label".split())


def tidied(text: str) -> str:
    """Undo what a scrape did to a text: tags, entities, wrong decoding, control characters."""
    text = _LINE_END.sub("\n", text)
    if "<" in text:
        text = _without_tags(text)
    if "&" in text and _ENTITY.search(text):
        text = _decoded(text)
    if _BROKEN.search(text):
        text = _mended(text)
    return _CONTROL.sub("", text).strip()


def _decoded(text: str) -> str:
    # Twice, because "&amp;nbsp;" is common; an entity without its semicolon may be a URL's "&copy".
    for _ in range(2):
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return _without_tags(text) if "<" in text else text


def _without_tags(text: str) -> str:
    text = _COMMENT.sub(_cut, _SCRIPT.sub(_cut, text))
    return _TAG.sub(lambda m: "" if m["name"].lower() in _INLINE_TAGS else "\n", text)


def _cut(match: re.Match[str]) -> str:
    return "" if match["end"] else match[0]


def _mended(text: str) -> str:
    import ftfy
    from ftfy.fixes import fix_c1_controls

    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _BROKEN.search(line) and len(line) < 200_000:
            lines[number] = str(fix_c1_controls(ftfy.fix_encoding(line)))
    return "\n".join(lines)


# --- values of rows and pages --------------------------------------------------------------------


def one_line(value: object) -> str:
    """Return a string or number as one line of published text; "" for any other value."""
    return " ".join(tidied(str(value)).split()) if isinstance(value, str | int | float) else ""


def squeezed(line: str) -> str:
    """Return a line's letters and digits in lower case, to tell whether two say the same."""
    return re.sub(r"[\W_]+", " ", line.lower()).strip()


def name_of(value: object) -> str:
    """Return a name from a string, or from an object that has one."""
    return one_line(value.get("name")) if isinstance(value, dict) else one_line(value)


def people(value: object) -> tuple[str, ...]:
    """Return the people that a string, an object with a name, or a list of these names."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        return tuple(dict.fromkeys(person for part in value for person in people(part)))
    return clean.names(one_line(value))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as first written, each once whatever its capitals."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return tuple(found.values())


def text_of(value: object) -> str:
    """Return an article's text from a JSON or CSV value: a string, or a list of paragraphs."""
    if isinstance(value, list):
        return "\n".join(filter(None, (tidied(part) for part in value if isinstance(part, str))))
    if not isinstance(value, str):
        return ""
    if re.match(r"\s*\[\s*[\"']", value) and value.rstrip().endswith("]") and len(value) < 10**6:
        try:
            parts = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return tidied(value)
        return text_of(parts) if isinstance(parts, list) else tidied(value)
    return _rejoined(tidied(value))


def _rejoined(text: str) -> str:
    """Join lines that a scraper broke inside a sentence, around what was a link or italic.

    Only where a line without a stop goes on in lower case and one of both is long, so that short
    lists and tags keep their lines.
    """
    pieces: list[str] = []
    last, length = "", 0
    for line in text.split("\n"):
        stripped = line.strip()
        goes_on = bool(last and stripped) and _goes_on(last, length, stripped)
        if not goes_on:
            pieces.append("\n")
            length = 0
        elif not (last == "(" or stripped[0] in "),.;"):
            pieces.append(" ")
        pieces.append(stripped if goes_on else line.rstrip())
        last = stripped[-1:]
        length += len(stripped)
    return "".join(pieces).strip()


def _goes_on(last: str, length: int, line: str) -> bool:
    """Tell whether a line goes on with a sentence whose line so far is `length` long."""
    if last == "(" or line[0] == ")" or (line[0] in ",;." and line[1:2] in ("", " ")):
        return True
    if not line[0].islower() or last in '.!?:;"”’)>':
        return False
    return length >= 40 or len(line) >= 40
