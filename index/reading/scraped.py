"""Text as scraped to text as published: entities, tags, wrong decoding, control characters.

Also the texts and names that values of rows and pages hold.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from index import clean
from index.reading.markdown import plain
from index.reading.publishers import is_publisher

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
    return without_controls(text).strip()


def without_controls(text: str) -> str:
    """Drop control characters, which mean nothing and which parsers of HTML refuse."""
    return _CONTROL.sub("", text)


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


def name_of(value: object) -> str:
    """Return a name from a string, or from an object that has one."""
    return one_line(value.get("name")) if isinstance(value, dict) else one_line(value)


def people(value: object) -> tuple[str, ...]:
    """Return the people that a string, an object with a name, or a list of these names."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, list):
        return persons(person for part in value for person in people(part))
    return persons(clean.names(one_line(value)))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as first written, each once whatever its capitals."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return tuple(found.values())


# Newspapers are called so, and so are people.
_GIVEN_NAMES = frozenset(("fajar", "gatra", "surya", "viva"))


def persons(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct names that are of people, not of publishers or their newsrooms."""
    return distinct(
        name
        for name in names
        if name.lower() in _GIVEN_NAMES or not is_publisher(name.removeprefix("Tim "))
    )


def text_of(value: object) -> str:
    """Return an article's text from a JSON or CSV value: a string, or a list of paragraphs."""
    if isinstance(value, list):
        return "\n".join(filter(None, (text_of(part) for part in value if isinstance(part, str))))
    return plain(tidied(value)) if isinstance(value, str) else ""
