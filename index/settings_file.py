"""Changes one key of a person's tanya.toml and leaves every other character of it as it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from pathlib import Path

from index.errors import SettingsError
from index.settings import FILE_NAME

_HEADER = re.compile(r"^[ \t]*\[[^\n]*$", re.MULTILINE)
_TEXT = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'"


def change(home: Path, section: str, key: str, value: str) -> None:
    """Set a text in the home's tanya.toml, which is made if it is not there.

    Raises SettingsError where that cannot be done without touching anything else.
    """
    path = (home / FILE_NAME).resolve()
    try:
        before = path.read_bytes().decode() if path.exists() else ""
        after = changed(before, section, key, value)
        beside = path.with_name(f".{path.name}.part")
        beside.write_bytes(after.encode())
        if path.exists():
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be changed: {error}. Mend the file first.") from error


def changed(content: str, section: str, key: str, value: str) -> str:
    """Return the TOML with that text under [section]; raises SettingsError."""
    told = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    try:
        wanted = tomllib.loads(content)
        wanted.setdefault(section, {})[key] = value
        after = _edited(content, section, key, told)
        if tomllib.loads(after) == wanted:
            return after
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        pass
    raise SettingsError(f"{FILE_NAME} is written in an unusual way: put {told} under [{section}].")


def _edited(content: str, section: str, key: str, told: str) -> str:
    end = "\r\n" if "\r\n" in content else "\n"
    header = re.search(rf"^[ \t]*\[[ \t]*{section}[ \t]*\][^\n]*$", content, re.MULTILINE)
    if not header:
        gap = end if content.endswith("\n") or not content else end * 2
        return f"{content}{gap if content else ''}[{section}]{end}{told}{end}"
    following = _HEADER.search(content, header.end())
    stop = following.start() if following else len(content)
    line = re.compile(rf"^([ \t]*){key}[ \t]*=[ \t]*(?:{_TEXT})", re.MULTILINE)
    found = line.search(content, header.end(), stop)
    if found:
        return content[: found.start()] + found[1] + told + content[found.end() :]
    rest = content[header.end() :] or end
    return content[: header.end()].rstrip("\r") + end + told + rest
