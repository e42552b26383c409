"""Reads `tanya.toml` into one frozen dataclass a section; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from index.errors import SettingsError

FILE_NAME = "tanya.toml"
DEFAULT_HOME = "tanya-data"
BUNDLED_MODEL = "bundled"


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Which model embeds. `model` is "bundled", a folder, or a sentence-transformers name.

    The prompts are put before each text; None leaves them to the model's own configuration.
    """

    model: str = BUNDLED_MODEL
    query_prompt: str | None = None
    passage_prompt: str | None = None
    batch_size: int = 256
    download: bool = False


@dataclass(frozen=True, slots=True)
class ChunkingSettings:
    """How articles are cut: `max_tokens` is a passage's budget in tokens of the bundled BPE."""

    max_tokens: int = 160


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the index is: `location` is "local", a Milvus server or a file of Milvus Lite.

    `dense_index` is what Milvus searches vectors by: "FLAT" (all of them) or "HNSW" (a graph).
    """

    location: str = "local"
    dense_index: str = "FLAT"


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are found: mode "hybrid", "lexical" or "dense"; `candidates` from each search.

    Hybrid search orders what both searches bring by a mixture of the two scores, of which
    `dense_weight`, from 0 to 1, is the dense one's share.
    """

    mode: str = "hybrid"
    candidates: int = 100
    dense_weight: float = 0.15
    hits: int = 10


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """How much is read for a question: at most `passages`, fewer where the answer is sure before.

    With `search`, `tanya search` orders the first ten articles by reading them too.
    """

    passages: int = 12
    search: bool = True


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """When and how much is answered; below `min_confidence` the archive is said to be silent."""

    min_confidence: float = 0.22
    max_sentences: int = 3


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Which OpenAI-compatible server writes answers; an empty `base_url` is none.

    `key_env` names the environment variable that holds the key, for a server that wants one.
    `timeout` seconds are waited for the first word and between two. The prompt's tokens are counted
    with the bundled vocabulary, the answer's by the server.
    """

    base_url: str = ""
    model: str = ""
    key_env: str = ""
    timeout: float = 20.0
    max_prompt_tokens: int = 3000
    max_answer_tokens: int = 500
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The browser chat: its name, examples, and where it is served."""

    title: str = "Tanya Arsip"
    host: str = "127.0.0.1"
    port: int = 7860
    examples: tuple[str, ...] = ()


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


def resolve_home(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the home directory: the given one, else TANYA_HOME, else ./tanya-data."""
    return given or Path(environ.get("TANYA_HOME") or DEFAULT_HOME)


def load(home: Path) -> Settings:
    """Read `home/tanya.toml`; without the file every value is its default.

    Raises SettingsError for broken TOML, unknown sections or keys, and values out of range.
    """
    path = home / FILE_NAME
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}. Mend the file or remove it."
        ) from error
    settings = parse(raw, str(path))
    check(settings, str(path))
    return settings


def parse(raw: Mapping[str, Any], place: str) -> Settings:
    """Turn parsed TOML into Settings; `place` names the file in messages."""
    sections = {f.name: f.default_factory for f in dataclasses.fields(Settings)}
    values: dict[str, Any] = {}
    for name, content in raw.items():
        section = sections.get(name)
        if section is None or section is dataclasses.MISSING:
            raise SettingsError(f"{place}: unknown section {name!r}; known: {', '.join(sections)}.")
        if not isinstance(content, dict):
            raise SettingsError(f"{place}: {name!r} must be a section, written [{name}].")
        values[name] = _section(section(), content, f"{place}: [{name}]")
    return Settings(**values)


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


def check(settings: Settings, place: str) -> None:
    """Raise SettingsError where a value is outside its range."""
    rules = [
        (
            settings.retrieval.mode in ("hybrid", "lexical", "dense"),
            "retrieval.mode",
            settings.retrieval.mode,
            "hybrid, lexical or dense",
        ),
        (
            0 <= settings.retrieval.dense_weight <= 1,
            "retrieval.dense_weight",
            settings.retrieval.dense_weight,
            "from 0 to 1",
        ),
        (
            1 <= settings.retrieval.candidates <= 10_000,
            "retrieval.candidates",
            settings.retrieval.candidates,
            "from 1 to 10000",
        ),
        (
            1 <= settings.retrieval.hits <= 100,
            "retrieval.hits",
            settings.retrieval.hits,
            "from 1 to 100",
        ),
        (
            20 <= settings.chunking.max_tokens <= 2000,
            "chunking.max_tokens",
            settings.chunking.max_tokens,
            "from 20 to 2000",
        ),
        (
            settings.engine.dense_index in ("FLAT", "HNSW"),
            "engine.dense_index",
            settings.engine.dense_index,
            "FLAT or HNSW",
        ),
        (
            1 <= settings.reader.passages <= 1000,
            "reader.passages",
            settings.reader.passages,
            "from 1 to 1000",
        ),
        (
            0 <= settings.answers.min_confidence <= 1,
            "answers.min_confidence",
            settings.answers.min_confidence,
            "from 0 to 1",
        ),
        (
            1 <= settings.answers.max_sentences <= 10,
            "answers.max_sentences",
            settings.answers.max_sentences,
            "from 1 to 10",
        ),
        (
            bool(settings.embedding.model.strip()),
            "embedding.model",
            settings.embedding.model,
            '"bundled", a folder or a model\'s name',
        ),
        (
            settings.embedding.batch_size >= 1,
            "embedding.batch_size",
            settings.embedding.batch_size,
            "1 or more",
        ),
        (0 <= settings.chat.port <= 65535, "chat.port", settings.chat.port, "from 0 to 65535"),
        *_llm_rules(settings.llm),
    ]
    for holds, name, value, wanted in rules:
        if not holds:
            raise SettingsError(f"{place}: {name} is {value!r} but must be {wanted}.")


def _llm_rules(llm: LlmSettings) -> list[tuple[bool, str, object, str]]:
    named = llm.key_env[:4] + "…"  # more of it might be the key itself
    return [
        (
            not llm.base_url or _is_address(llm.base_url),
            "llm.base_url",
            llm.base_url,
            'an address such as "http://127.0.0.1:11434/v1", without a key in it',
        ),
        (
            bool(llm.model.strip()) or not llm.base_url,
            "llm.model",
            llm.model,
            "the name of a model of that server",
        ),
        (
            re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", llm.key_env) is not None,
            "llm.key_env",
            named,
            "the name of an environment variable, never the key itself",
        ),
        (0 < llm.timeout <= 600, "llm.timeout", llm.timeout, "above 0, at most 600"),
        (
            1000 <= llm.max_prompt_tokens <= 1_000_000,
            "llm.max_prompt_tokens",
            llm.max_prompt_tokens,
            "from 1000 to 1000000",
        ),
        (
            50 <= llm.max_answer_tokens <= 100_000,
            "llm.max_answer_tokens",
            llm.max_answer_tokens,
            "from 50 to 100000",
        ),
        (0 <= llm.temperature <= 2, "llm.temperature", llm.temperature, "from 0 to 2"),
    ]


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return fits and url.isascii() and url.isprintable() and not set("@?# ") & set(url)
