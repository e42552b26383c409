"""Markdown as text: what its marks mean is kept, the marks are not; and the front matter of a file.

A text that merely holds asterisks, brackets or dashes is left as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

_ADDRESS = (
    r"(?:https?://|www\.|/|#|mailto:)[^\s()<>]{0,1000}(?:\([^\s()]{0,100}\)[^\s()<>]{0,500})?"
)
_TITLE = r"""(?:\s{1,3}(?:"[^"\n]{0,300}"|'[^'\n]{0,300}'))?"""
_IMAGE = re.compile(
    rf"!\[[^\[\]\n]{{0,600}}\]\(\s?(?:{_ADDRESS}|[^\s()]{{1,300}}\.\w{{3,4}}){_TITLE}\s?\)"
)
_LINK = re.compile(rf"\[([^\[\]\n]{{1,600}})\]\(\s?<?{_ADDRESS}>?{_TITLE}\s?\)")
_NAMED_LINK = re.compile(r"\[([^\[\]\n]{1,600})\](?:\[([^\[\]\n]{0,60})\])?")
_ADDRESS_LINE = re.compile(
    r"^ {0,3}\[([^\[\]\n]{1,60})\]: {1,4}<?https?://\S{1,1000}.{0,200}$", re.MULTILINE
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]\n]{1,40}\](?:: ?)?")
_TABLE_RULE = re.compile(r"^ {0,3}\|?(?: *:?-{2,}:? *\|){1,40} *(?::?-{2,}:?)? *\n?", re.MULTILINE)
_TABLE_EDGE = re.compile(r"^ {0,3}\| *(?=\S.*\|)|(?<=\S) *\| *$", re.MULTILINE)
_STRONG = re.compile(r"(?<![\w*\\])(\*\*|__)(?=[^\s*_])([^\n]{0,600}?[^\s*_\\])\1(?![\w*])")
_BOLD = re.compile(r"(?<![\w*\\])\*\*(?=[^\s*])[^\n]{0,600}?[^\s*\\]\*\*(?![\w*])")
_EMPHASIS = re.compile(r"(?<![\w*_\\])([*_])(?=[^\s*_])([^*_\n]{0,300}?[^\s*_\\])\1(?![\w*_])")
_HEADING = re.compile(r"^ {0,3}#{1,6} {1,8}(?=\S)", re.MULTILINE)
_HEADINGS = re.compile(r"\A# +\S.{0,300}\n\s*\n|^ {0,3}#{2,6} +\S", re.MULTILINE)
_QUOTE = re.compile(r"^(?: {0,3}> ?)+", re.MULTILINE)
_BULLET = re.compile(r"^ {0,3}[*+-] +(?=\S)", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(r"^ {0,3}(?:(?:\* ?){3,}|(?:- ?){3,}|(?:_ ?){3,}|=+)$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!>~|-])")
_HARD_BREAK = re.compile(r"(?:(?<! ) {2,}|\\)$", re.MULTILINE)


def plain(text: str, *, certain: bool = False) -> str:
    """Return what a Markdown text says; any other text as it is.

    It is one for `certain`, or if it has a link, an image, words in bold, a heading of the second
    rank, or one of the first above all else; a pair of asterisks or a line that begins with one is
    not enough. Items of lists begin with "- ".
    """
    if not certain:
        if not any(mark in text for mark in ("](", "**", "# ")):
            return text
        if not any(mark.search(text) for mark in (_IMAGE, _LINK, _BOLD, _HEADINGS)):
            return text
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    if named := {match[1].lower() for match in _ADDRESS_LINE.finditer(text)}:
        text = _NAMED_LINK.sub(
            lambda link: link[1] if (link[2] or link[1]).lower() in named else link[0],
            _ADDRESS_LINE.sub("", text),
        )
    text = _FOOTNOTE.sub("", text)
    if _TABLE_RULE.search(text):
        text = _TABLE_EDGE.sub("", _TABLE_RULE.sub("", text))
    text = _HEADING.sub("", _RULE.sub("", _FENCE.sub("", text)))
    text = _BULLET.sub("- ", _QUOTE.sub("", text))
    text = _EMPHASIS.sub(r"\2", _STRONG.sub(r"\2", text))
    return _ESCAPED.sub(r"\1", _HARD_BREAK.sub("", text)).strip()


# --- front matter --------------------------------------------------------------------------------

_FRONT = re.compile(
    r"(?P<mark>---|\+\+\+)[ \t]*\n(?P<told>.{0,20000}?)\n(?:(?P=mark)|\.\.\.)[ \t]*(?:\n|\Z)",
    re.DOTALL,
)
_KEY = re.compile(r"([A-Za-z][\w .-]{0,60}):(?:[ \t]+(.*))?$")
_NAME_WITHIN = re.compile(r"\{[^{}]{0,300}?\b(?:name|nama):[ \t]*([^,{}]{1,300})[^{}]{0,300}\}")
_ITEM = re.compile(r"\s*-[ \t]+(?:(?:name|nama):[ \t]+)?(.+)$")


def front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """Split a file's text into what its front matter tells and the rest; ({}, text) without one.

    Front matter is YAML between lines of "---" or TOML between lines of "+++". Values are strings
    and lists of them (of YAML), and whatever TOML knows.
    """
    found = _FRONT.match(text)
    if not found:
        return {}, text
    told: Mapping[str, object]
    if found["mark"] == "+++":
        try:
            told = tomllib.loads(found["told"])
        except tomllib.TOMLDecodeError:
            return {}, text
    else:
        told = _yaml(found["told"])
    if not told:
        return {}, text
    return told, text[found.end() :].lstrip()


def _yaml(text: str) -> dict[str, object]:
    """Read the YAML that front matter is made of: keys with a string, or with a list of strings.

    Of objects in a list the name is read, of deeper values only their first line's key.
    """
    told: dict[str, object] = {}
    key = ""
    for line in _NAME_WITHIN.sub(r"\1", text).split("\n"):
        if found := _KEY.match(line):
            key = found[1].strip()
            value = (found[2] or "").strip()
            told[key] = _list(value) if value.startswith("[") else _unquoted(value)
        elif key and (item := _ITEM.match(line)):
            before = told[key]
            told[key] = [*(before if isinstance(before, list) else ()), _unquoted(item[1])]
        elif key and line.strip() and line[0] in " \t" and isinstance(told[key], str):
            told[key] = f"{told[key]} {_unquoted(line)}".lstrip(">| ").strip()
    return told


def _list(value: str) -> list[str]:
    items = re.findall(r"\"[^\"]*\"|'[^']*'|[^,\[\]]+", value)
    return [unquoted for item in items if (unquoted := _unquoted(item))]


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        return value[1:-1].replace('\\"', '"').replace("''", "'")
    return value.partition(" #")[0].rstrip()
