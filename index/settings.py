"""Reads `tanya.toml` into one frozen dataclass a section; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from index.errors import SettingsError
from index.reading.fields import TARGETS, is_pair
from index.refusals import sentence
from index.text import encodable

FILE_NAME = "tanya.toml"
DEFAULT_HOME = "tanya-data"
BUNDLED_MODEL = "bundled"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be: `wanted` says it in words, `fits` tells whether a value is that."""

    wanted: str
    fits: Callable[[Any], bool]


def _ruled(default: Any, wanted: str, fits: Callable[[Any], bool]) -> Any:
    return field(default=default, metadata={"rule": Rule(wanted, fits)})


def _within(default: float, low: float, high: float) -> Any:
    return _ruled(default, f"from {low} to {high}", lambda value: low <= value <= high)


def _one_of(default: str, *names: str) -> Any:
    *first, last = names
    return _ruled(default, f"{', '.join(first)} or {last}", lambda value: value in names)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return fits and url.isascii() and url.isprintable() and not set("@?# ") & set(url)


@dataclass(frozen=True, slots=True)
class AddSettings:
    """How files are read: `map` has columns under names that are not known, "date=siar".

    `timezone` is where an instant's date is taken: WIB, WITA or WIT.
    """

    map: tuple[str, ...] = _ruled(
        (),
        f'pairs such as "date=siar", with one of {", ".join(TARGETS)} on the left',
        lambda pairs: all(is_pair(pair) for pair in pairs),
    )
    timezone: str = _one_of("WIB", "WIB", "WITA", "WIT")


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Which model embeds. `model` is "bundled", a folder, or a sentence-transformers name.

    The prompts are put before each text; None leaves them to the model's own configuration.
    """

    model: str = _ruled(
        BUNDLED_MODEL, '"bundled", a folder or a model\'s name', lambda name: bool(name.strip())
    )
    query_prompt: str | None = None
    passage_prompt: str | None = None
    batch_size: int = _ruled(256, "1 or more", lambda size: size >= 1)
    download: bool = False


@dataclass(frozen=True, slots=True)
class ChunkingSettings:
    """How articles are cut: `max_tokens` is a passage's budget in tokens of the bundled BPE."""

    max_tokens: int = _within(160, 20, 2000)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the index is: `location` is "local", a Milvus server or a file of Milvus Lite.

    `dense_index` is what Milvus searches vectors by: "FLAT" (all of them) or "HNSW" (a graph).
    """

    location: str = "local"
    dense_index: str = _one_of("FLAT", "FLAT", "HNSW")


MODES = ("hybrid", "lexical", "dense")
"""Ways to search: both searches mixed, by words alone, by vectors alone."""


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are found: mode "hybrid", "lexical" or "dense"; `candidates` from each search.

    Hybrid search orders what both searches bring by a mixture of the two scores, of which
    `dense_weight`, from 0 to 1, is the dense one's share.
    """

    mode: str = _one_of("hybrid", *MODES)
    candidates: int = _within(100, 1, 10_000)
    dense_weight: float = _within(0.15, 0, 1)
    hits: int = _within(10, 1, 100)


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """How much is read for a question: at most `passages`, fewer where the answer is sure before.

    With `search`, `tanya search` orders the first ten articles by reading them too.
    """

    passages: int = _within(12, 1, 1000)
    search: bool = True


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """When and how much is answered; below `min_confidence` the archive is said to be silent."""

    min_confidence: float = _within(0.22, 0, 1)
    max_sentences: int = _within(3, 1, 10)


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Which OpenAI-compatible server writes answers; an empty `base_url` is none.

    `key_env` names the environment variable that holds the key, for a server that wants one.
    `timeout` seconds are waited for the first word and between two. The prompt's tokens are counted
    with the bundled vocabulary, the answer's by the server.
    """

    base_url: str = _ruled(
        "",
        'an address such as "http://127.0.0.1:11434/v1", without a key in it',
        lambda url: not url or _is_address(url),
    )
    model: str = ""
    key_env: str = _ruled(
        "",
        "the name of an environment variable, never the key itself",
        lambda name: re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", name) is not None,
    )
    timeout: float = _ruled(20.0, "above 0, at most 600", lambda value: 0 < value <= 600)
    max_prompt_tokens: int = _within(3000, 1000, 1_000_000)
    max_answer_tokens: int = _within(500, 50, 100_000)
    temperature: float = _within(0.0, 0, 2)


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The browser chat: its name, examples, where it is served, and if conversations are kept.

    News that are more than `stale_after` days old are said to be; after 0 days they never are.
    """

    title: str = "Tanya Arsip"
    host: str = "127.0.0.1"
    port: int = _within(7860, 0, 65535)
    examples: tuple[str, ...] = ()
    keep: bool = True
    stale_after: int = _within(0, 0, 36_500)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written of what goes on: the log, to standard error, and the audit log, in the home.

    Of the audit log, `audit_keep` full files of `audit_megabytes` stay beside the one written to.
    """

    format: str = _one_of("lines", "lines", "json")
    level: str = _one_of("info", "debug", "info", "warning", "error")
    audit: bool = True
    audit_megabytes: int = _within(20, 1, 100_000)
    audit_keep: int = _within(5, 1, 1_000)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How `tanya watch` asks for feeds and pages, and how many versions it keeps.

    `agent` is what it calls itself. Between two requests to a host are at least `pause` seconds;
    a request may take `seconds`, bring `max_bytes` and be redirected `max_redirects` times; of a
    feed `max_items` pages are read each time.
    """

    agent: str = _ruled(
        "tanya-arsip",
        "a name of printable ASCII characters",
        lambda name: bool(name.strip()) and name.isascii() and name.isprintable(),
    )
    pause: float = _within(2.0, 0, 3600)
    seconds: float = _ruled(20.0, "above 0, at most 600", lambda value: 0 < value <= 600)
    max_bytes: int = _within(10_000_000, 1000, 1_000_000_000)
    max_redirects: int = _within(5, 0, 20)
    max_items: int = _within(50, 1, 100_000)
    keep: int = _within(10, 1, 100_000)


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How much may be dropped on the operator's page at a time, in millions of bytes and files."""

    max_megabytes: int = _within(500, 1, 1_000_000)
    max_files: int = _within(5_000, 1, 100_000)


ROLES = ("reader", "editor", "operator")
"""What somebody may do, each what those before may: ask; judge answers and add articles; all."""


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_header(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9-]+", name) is not None


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Who is let in, and whose word is taken for it.

    `trusted` are addresses and networks of proxies, which say from where and by which scheme a
    request comes. With `behind_proxy` they also name its user in `user_header`, and may name a
    role in `role_header`; else `roles` has it, in pairs "NAME=ROLE", or it is `role`. A session
    ends after `idle_hours` without a request, and after `session_days` in any case. The server may
    be called by the names `allowed_hosts`, beside its own address and this machine's.
    """

    behind_proxy: bool = False
    trusted: tuple[str, ...] = _ruled(
        (),
        'addresses and networks such as "10.0.0.5" and "10.0.0.0/24"',
        lambda found: all(map(_is_network, found)),
    )
    user_header: str = _ruled("X-Remote-User", "the name of a header", _is_header)
    role_header: str = _ruled(
        "", 'the name of a header, or "" for none', lambda name: not name or _is_header(name)
    )
    roles: tuple[str, ...] = _ruled(
        (),
        f'pairs such as "budi=operator", with one of {", ".join(ROLES)} on the right',
        lambda pairs: all(
            name.strip() and role in ROLES for name, _, role in (p.rpartition("=") for p in pairs)
        ),
    )
    role: str = _one_of("reader", *ROLES)
    idle_hours: float = _ruled(12.0, "above 0, at most 8760", lambda value: 0 < value <= 8760)
    session_days: float = _ruled(30.0, "above 0, at most 365", lambda value: 0 < value <= 365)
    allowed_hosts: tuple[str, ...] = _ruled(
        (),
        'names of hosts such as "arsip.contoh.example", without a port',
        lambda names: all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names),
    )


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """How much is asked of the server: so many questions wait at most, none longer than `patience`.

    An answer that would take longer, in seconds from its question, is not begun. One user, or one
    address of users without a name, may send `requests` and `questions` a minute, which a browser
    on the machine itself is free of; `at_once` requests of theirs are served side by side, and
    `streams` of answers may be open. There are `connections`, `connections_by_address` of one.
    """

    waiting: int = _within(60, 1, 10_000)
    patience: float = _within(10.0, 1, 3600)
    requests: int = _within(3000, 10, 1_000_000)
    questions: int = _within(60, 1, 1_000_000)
    at_once: int = _within(16, 1, 1000)
    streams: int = _within(100, 1, 10_000)
    connections: int = _within(800, 10, 100_000)
    connections_by_address: int = _within(400, 5, 100_000)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one home directory."""

    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    chunking: ChunkingSettings = field(default_factory=ChunkingSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    reader: ReaderSettings = field(default_factory=ReaderSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    llm: LlmSettings = field(default_factory=LlmSettings)
    chat: ChatSettings = field(default_factory=ChatSettings)
    log: LogSettings = field(default_factory=LogSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    add: AddSettings = field(default_factory=AddSettings)
    upload: UploadSettings = field(default_factory=UploadSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    limits: LimitsSettings = field(default_factory=LimitsSettings)


def resolve_home(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the home directory: the given one, else TANYA_HOME, else ./tanya-data.

    Raises SettingsError for a name that is not UTF-8.
    """
    home = given or Path(environ.get("TANYA_HOME") or DEFAULT_HOME)
    if encodable(str(home)) != str(home):
        raise SettingsError(
            f"The home {str(home)!r} has a name that is not UTF-8, which search libraries cannot "
            "open. Give it another name, or a link of another name."
        )
    return home


def load(home: Path) -> Settings:
    """Read `home/tanya.toml`; without the file every value is its default.

    Raises SettingsError for broken TOML, unknown sections or keys, and values out of range.
    """
    path = home / FILE_NAME
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {sentence(error)}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}. Mend the file or remove it."
        ) from error
    return parse(raw, str(path))


def parse(raw: Mapping[str, Any], place: str) -> Settings:
    """Turn parsed TOML into Settings; `place` names the file in messages; raises SettingsError."""
    sections = {f.name: f.default_factory for f in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    for name, content in raw.items():
        section = sections.get(name)
        if section is None or section is dataclasses.MISSING:
            raise SettingsError(f"{place}: unknown section {name!r}; known: {', '.join(sections)}.")
        if not isinstance(content, dict):
            raise SettingsError(f"{place}: {name!r} must be a section, written [{name}].")
        values[name] = _section(section(), content, f"{place}: [{name}]")
    settings = Settings(**values)
    _check(settings, place)
    return settings


def _section(default: Any, content: Mapping[str, Any], place: str) -> Any:
    known = {f.name: f for f in dataclasses.fields(default)}
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in known:
            raise SettingsError(f"{place}: unknown key {key!r}; known: {', '.join(known)}.")
        values[key] = _typed(value, getattr(default, key), f"{place} {key}")
    return dataclasses.replace(default, **values)


def _typed(value: Any, default: Any, place: str) -> Any:
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SettingsError(f"{place} must be a list of texts, not {value!r}.")
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = str if default is None else type(default)
    if type(value) is not expected:
        raise SettingsError(f"{place} must be of type {expected.__name__}, not {value!r}.")
    return value


def _check(settings: Settings, place: str) -> None:
    """Raise SettingsError where a value is outside its range."""
    for section in dataclasses.fields(Settings):
        values = getattr(settings, section.name)
        for each in dataclasses.fields(values):
            rule: Rule | None = each.metadata.get("rule")
            value = getattr(values, each.name)
            if rule and not rule.fits(value):
                _refuse(f"{section.name}.{each.name}", value, rule.wanted, place)
    if settings.llm.base_url and not settings.llm.model.strip():
        _refuse("llm.model", settings.llm.model, "the name of a model of that server", place)


def _refuse(name: str, value: object, wanted: str, place: str) -> NoReturn:
    if name == "llm.key_env":
        value = f"{str(value)[:4]}…"  # more of it might be the key itself
    raise SettingsError(f"{place}: {name} is {value!r} but must be {wanted}.")
