"""The rows in a value of JSON, in whatever shape programs write them.

Lists, answers of programs with a list in them, objects within objects, tables by column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from index.reading.fields import Columns, opens, plan, words_of
from index.reading.json_values import WRAPPERS

_DEEPEST = 4


def rows_in(value: object, columns: Columns) -> Iterator[object]:
    """Yield the rows of a value, each with the fields of its inner objects as "inner.name".

    What is no row is yielded as it is.
    """
    if isinstance(value, list) and any(isinstance(part, list | dict) for part in value):
        for part in value:
            yield from rows_in(part, columns)
        return
    if not isinstance(value, dict):
        yield value
    elif not _is_action(value):
        yield from _rows_of(value, columns)


def _rows_of(value: dict[str, object], columns: Columns) -> Iterator[object]:
    parts: list[object] = list(value.values())
    if _all_rows(parts, columns):
        # By a key each, as pandas' orient="index".
        yield from rows_in(parts, columns)
        return
    table = _table(value, columns)
    row = flat(value, columns)
    if table is not None:
        for part in table:
            yield flat(part, columns)
    elif not _has_text(row, columns) and (lists := _lists_of_rows(row, columns)):
        for each in lists:
            yield from rows_in(each, columns)
    elif not _is_thing(row, columns):
        yield row


def _is_thing(row: Mapping[str, object], columns: Columns) -> bool:
    """Tell whether an object of a web page's linked data is no article, but its site."""
    is_other = not re.search("Article|Posting|Report|^$", str(row.get("@type", "")))
    return is_other and not plan(tuple(row), columns).has_text


def _is_action(value: dict[str, object]) -> bool:
    """Tell whether an object is a line of Elasticsearch's bulk files that says what to do."""
    if len(value) != 1 or not value.keys() & {"index", "create", "update", "delete"}:
        return False
    (told,) = value.values()
    return isinstance(told, dict) and all(name.startswith("_") for name in told)


def flat(row: Mapping[str, object], columns: Columns, depth: int = 0) -> dict[str, object]:
    """Return a row with the fields of objects like "_source" and "metadata" beside its own."""
    found: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dict) and depth < _DEEPEST and _opens(name, value, columns):
            for inner, part in flat(value, columns, depth + 1).items():
                found.setdefault(f"{name}.{inner}", part)
        else:
            found[name] = value
    return found


def _opens(name: str, value: dict[str, object], columns: Columns) -> bool:
    return opens(name) or is_row(value, columns)


def is_row(value: object, columns: Columns) -> bool:
    """Tell whether a value is an object with a text and something else of an article."""
    if not isinstance(value, dict):
        return False
    row = flat(value, columns, 1)
    names = plan(tuple(row), columns).names
    others = (names[target] for target in ("title", "url", "date"))
    return _has_text(row, columns) and any(others)


def _all_rows(parts: Sequence[object], columns: Columns) -> bool:
    if not parts or not all(isinstance(part, dict) for part in parts):
        return False
    return all(is_row(part, columns) for part in parts)


def _has_text(row: Mapping[str, object], columns: Columns) -> bool:
    """Tell whether a row has a text, also an empty one, and not other rows in its place."""
    tried = plan(tuple(row), columns)
    if not tried.has_text or tried.names["title"]:
        return tried.has_text
    return not all(_holds_rows("", row[name], columns) for name in tried.names["text"])


def _lists_of_rows(row: Mapping[str, object], columns: Columns) -> list[object]:
    return [part for name, part in row.items() if _holds_rows(name, part, columns)]


def _holds_rows(name: str, value: object, columns: Columns) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if not isinstance(value[0], dict):
        return is_header(value[0], columns)
    words = words_of(name.rpartition(".")[2])
    is_named = bool(words) and set(words) <= WRAPPERS
    first = flat(value[0], columns)
    tried = plan(tuple(first), columns)
    # Under such a name a summary is a text too, and the article may stand behind its site.
    if is_named and (_has_text(first, columns) or (tried.names["text"] and tried.names["title"])):
        return True
    if any(is_row(part, columns) for part in (value[:20] if is_named else value[:1])):
        return True
    return not tried.has_text and bool(_lists_of_rows(first, columns))


# --- tables --------------------------------------------------------------------------------------


def is_header(value: object, columns: Columns) -> bool:
    """Tell whether a list is the names of a table's columns."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    if not all(isinstance(name, str) and len(name) < 80 for name in value):
        return False
    tried = plan(tuple(value), columns)
    return tried.has_text and any(tried.names[target] for target in ("title", "url", "date"))


def _table(value: dict[str, Any], columns: Columns) -> Iterator[dict[str, object]] | None:
    """Return the rows of a table that stands column by column, or with its names apart."""
    parts = list(value.values())
    if parts and all(isinstance(part, dict) for part in parts):
        # By row number, as pandas writes them if it is not told otherwise.
        numbers = dict.fromkeys(key for part in parts for key in part)
        if not numbers or not all(key.isdecimal() for key in numbers):
            return None
        return ({name: part.get(key) for name, part in value.items()} for key in numbers)
    lists = [part for part in parts if isinstance(part, list)]
    if len(lists) == len(parts) and len(set(map(len, lists))) == 1:
        if is_header(list(value), columns):
            return (dict(zip(value, cells, strict=True)) for cells in zip(*lists, strict=True))
    tables = [part for part in lists if _is_table(part)]
    names = next((part for part in parts if tables and is_header(part, columns)), None)
    if names is None:
        return None
    return (dict(zip(names, cells, strict=False)) for table in tables for cells in table)


def _is_table(value: list[object]) -> bool:
    return bool(value) and all(isinstance(cells, list) for cells in value)
