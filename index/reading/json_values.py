"""The values of a JSON text of any size, one by one, also where the text is only nearly JSON.

Lists that were glued together, commas too many, NaN, Python's quotes and an end that is missing are
read past; what is broken is told in its place, and reading goes on behind it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from index.reading import inputs

# Raw newlines and tabs stand in many scrapes' strings.
_DECODER = json.JSONDecoder(strict=False)
_COMMENT = r"//[^\n]*\n|/\*.*?\*/"
_SPACE = re.compile(rf"(?:[\s\ufeff\x00\x1e]+|{_COMMENT})*", re.DOTALL)
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_STRING = r'("[^"\\]*(?:\\.[^"\\]*)*")'
_LATE_COMMA = re.compile(rf"{_STRING}|,(?=\s*[\]}}])", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# Comments, and values as MongoDB's shell writes them: ObjectId("6f"), NumberLong(5).
_NO_JSON = re.compile(
    rf"{_STRING}|{_COMMENT}|\b(?:new )?[A-Z][A-Za-z]+\(\s*({_STRING[1:-1]}|-?\d+)\s*\)", re.DOTALL
)
# A script around the value, or a comment before it.
_PROLOGUE = re.compile(
    r"(?:\s*(?://[^\n]*\n|/\*.*?\*/|(?:var|let|const|export|default)\s|[\w$.]+\s*[=(](?!=)))+",
    re.DOTALL,
)
_NEXT_ROW = re.compile(r"\}[\s,\]\[\ufeff]*(?=\{\s*[\"'}])")
_COLUMNS = re.compile(r"\{\s*\"[^\"]{1,80}\"\s*:\s*\{\s*\"0\"\s*:")

WRAPPERS = frozenset(
    """articles article data items item results result posts post response responses docs documents
    hits news rows records berita artikel entries edges value values content payload output list
    stories feed nodes graph""".split()
)
"""Keys that hold the articles of an answer of a program."""

_DEEPEST, _DEEPEST_VALUE = 100, 1_000
_TOO_DEEP = "Its lists stand deeper in each other than those of articles do; the rest was left."
_CUT = "The file is cut short here; what came before was read."

COLUMNS_LIMIT = 200_000_000
"""A table that is written column by column is read whole, so it may have this many characters."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of a JSON text that could not be read, and why."""

    reason: str


class _UnreadError(Exception):
    """No value can be read here: it is `open` where it goes on behind what may be held."""

    def __init__(self, reason: str, is_open: bool) -> None:
        super().__init__(reason)
        self.reason, self.open = reason, is_open


def loads(text: str) -> object:
    """Return the one value of a text that is JSON; raises ValueError or RecursionError."""
    return _DECODER.decode(text)


def values(pieces: Iterable[str], is_wanted: Callable[[object], bool]) -> Iterator[object]:
    """Yield the values of a list, or of lists and objects one after the other, as they come.

    Of an object that is too large to be held, or that is cut short, the values come that are
    wanted, and those of its lists. A Broken stands in the place of what cannot be read.
    """
    return _Walk(pieces, is_wanted).values()


class _Walk:
    """A place in a text that is read as it is needed: `text` from `at` on is held."""

    def __init__(self, pieces: Iterable[str], is_wanted: Callable[[object], bool]) -> None:
        self.pieces = iter(pieces)
        self.is_wanted = is_wanted
        self.text, self.at, self.ended = "", 0, False
        self.entered: list[str] = []
        """The brackets that are open around this place, none of a value that was read whole."""

    def values(self) -> Iterator[object]:
        self.peek()
        if script := _PROLOGUE.match(self.text, self.at):
            self.at = script.end()
        while char := self.peek():
            if len(self.entered) > _DEEPEST:
                yield Broken(_TOO_DEEP)
                return
            if char == "," or (char in ";)" and not self.entered):
                self.at += 1
            elif char in "]}":
                # One too many is read past.
                self.at += 1
                if self.entered and self.entered[-1] == ("[" if char == "]" else "{"):
                    self.entered.pop()
            elif char == "[" and not self.entered:
                self.enter()
            elif self.entered and self.entered[-1] == "{":
                yield from self.member()
            else:
                yield from self.element(char)
        if self.entered:
            yield Broken(_CUT)

    def element(self, char: str) -> Iterator[object]:
        """Read a value of a list, or one that stands alone."""
        try:
            yield self.value()
        except _UnreadError as unread:
            if unread.open and char in "[{" and (char == "[" or not self.entered):
                if _COLUMNS.match(self.text, self.at):
                    yield from self.whole()
                else:
                    self.enter()
            else:
                yield from self.skipped(unread)

    def member(self) -> Iterator[object]:
        """Read a key and its value, of an object that is not held as a whole."""
        try:
            key = self.value()
            if self.peek() != ":":
                raise _UnreadError(
                    f"Expecting ':' behind {inputs.shortened(repr(key))}", not self.peek()
                )
            self.at += 1
            char = self.peek()
            if char in ("[", "{") and str(key).lower() in WRAPPERS:
                self.enter()
                return
            value = self.value()
        except _UnreadError as unread:
            if unread.open and not self.ended and self.text[self.at] in "[{":
                self.enter()
            else:
                yield from self.skipped(unread)
        else:
            # Most say something of the whole: "status", "totalResults".
            if self.is_wanted(value):
                yield value

    def enter(self) -> None:
        self.entered.append(self.text[self.at])
        self.at += 1

    def value(self, limit: int | None = None) -> object:
        """Decode the value here and go behind it; raises _UnreadError, and stays."""
        limit = limit or inputs.RECORD_LIMIT
        while True:
            held = len(self.text) - self.at
            try:
                found, end = _DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                reason = getattr(error, "msg", str(error))
                behind = getattr(error, "pos", self.at) - self.at
                told = f"{reason}, character {behind + 1}"
                unended = reason.startswith("Unterminated")
                # At the end of what is held it may be the text's next piece that makes it whole.
                if not unended and behind + 16 < held:
                    return self.mended(told)
                if held <= limit and self.more(held):
                    continue
                if not unended and self.ended and behind < len(self.text[self.at :].rstrip()):
                    return self.mended(told)
                raise _UnreadError(told, True) from None
            else:
                if end < len(self.text) or not self.more(held):
                    self.at = end
                    return found

    def mended(self, reason: str) -> object:
        """Decode a value as programs write it that is nearly JSON; raises _UnreadError."""
        end = self.end_of_value()
        part = self.text[self.at : end]
        mend = ast.literal_eval if part[1:].lstrip()[:1] == "'" else _nearly_json
        try:
            found = mend(part)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            pass
        else:
            self.at = end
            return found
        raise _UnreadError(reason, False)

    def end_of_value(self) -> int:
        """Return where the brackets that open here are closed, `at` where that is not known."""
        while self.text[self.at] in "[{":
            depth = 0
            for match in _BRACKET.finditer(self.text, self.at):
                depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match[0], 0)
                if not depth:
                    return match.end()
                if depth > _DEEPEST_VALUE:
                    return self.at
            held = len(self.text) - self.at
            if held > inputs.RECORD_LIMIT or not self.more(held):
                break
        return self.at

    def skipped(self, unread: _UnreadError) -> Iterator[object]:
        """Go to the next row, or to the end, and tell what was left out."""
        end = self.at if unread.open else self.end_of_value()
        # A quote too many hides the brackets behind it, so what looks like a row is one.
        if match := _NEXT_ROW.search(self.text, self.at, max(end, self.at)):
            end = match.end()
        while end == self.at and self.at < len(self.text):
            if match := _NEXT_ROW.search(self.text, self.at):
                end = match.end()
                break
            # The mark itself may be cut by the end of what is held.
            self.at = end = max(self.at, len(self.text) - 100)
            if not self.more(0):
                end = len(self.text)
                self.entered.clear()
                break
            end = self.at
        self.at = end
        if unread.open and self.ended and self.at == len(self.text):
            yield Broken(_CUT)
        elif unread.open:
            yield Broken(inputs.TOO_LONG)
        else:
            yield Broken(f"This is not valid JSON: {unread.reason}.")

    def whole(self) -> Iterator[object]:
        """Read a table that stands column by column, which cannot be read in parts."""
        try:
            yield self.value(COLUMNS_LIMIT)
        except _UnreadError:
            self.at = len(self.text)
            for _ in self.pieces:
                pass
            yield Broken(
                "It is a table written column by column, which is cut short or larger than "
                f"{COLUMNS_LIMIT // 1_000_000} MB. Write it row by row, as JSON lines."
            )

    def peek(self) -> str:
        """Return the next character that is no space, "" at the end."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            char = self.text[self.at : self.at + 1]
            held = len(self.text) - self.at
            # A comment may end in what is not held yet.
            if (char and char != "/") or held > inputs.RECORD_LIMIT or not self.more(held):
                return char

    def more(self, held: int) -> bool:
        """Hold more of the text, at least twice as much; False at its end."""
        parts = [self.text[self.at :]]
        self.at = 0
        wanted = max(1, held)
        for piece in self.pieces:
            parts.append(piece)
            wanted -= len(piece)
            if wanted <= 0:
                break
        else:
            self.ended = True
        self.text = "".join(parts)
        return len(parts) > 1


def _nearly_json(text: str) -> object:
    text = _NO_JSON.sub(lambda match: match[1] or match[2] or "", text)
    text = _ESCAPE.sub(lambda match: match[0] if match[1] in '"\\/bfnrtu' else match[1], text)
    return loads(_LATE_COMMA.sub(lambda match: match[1] or "", text))
