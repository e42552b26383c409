"""Turns texts into vectors: the `Embedder` contract and its sentence-transformers side."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from index.engines.contract import Vectors
from index.errors import ModelError
from index.records import Passage
from index.settings import BUNDLED_MODEL, EmbeddingSettings
from index.text import encodable

MODEL_FOLDER = Path(__file__).parent / "model"


class Embedder(Protocol):
    """Embeds questions and passages into one space of unit vectors.

    `name` identifies the model and its exact weights: vectors of two names are never mixed.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return float32 [len(texts), dimensions], rows of length 1 (or 0 for no known token)."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 [len(texts), dimensions], rows of length 1 (or 0 for no known token)."""
        ...


def open_embedder(settings: EmbeddingSettings) -> Embedder:
    """Open the embedding model of the settings; raises ModelError.

    A static model (a table of token vectors) is read without torch, which takes seconds to import.
    """
    folder = _locate(settings)
    if folder == MODEL_FOLDER:
        return ModelEmbedder(settings, folder, _load_bundled)
    if folder is not None and _is_static(folder):
        return ModelEmbedder(settings, folder, functools.partial(load_static, folder))
    return ModelEmbedder(settings, folder, functools.partial(load_transformer, settings, folder))


def passage_text(passage: Passage) -> str:
    """Return what is embedded of a passage: its headline and its text."""
    return f"{passage.title}. {passage.text}" if passage.title else passage.text


class Model(NamedTuple):
    """A model as loaded: `encode` takes texts and what is put before each of them, if anything.

    `prompts` are its own, for a "query" and a "passage".
    """

    dimensions: int
    prompts: Mapping[str, str]
    encode: Callable[[list[str], str | None], Vectors]


class ModelEmbedder:
    """The model of the settings: the bundled one, a folder, or a name on the model hub.

    It is loaded at the first text, so that opening an index stays quick.
    """

    def __init__(
        self, settings: EmbeddingSettings, folder: Path | None, load: Callable[[], Model]
    ) -> None:
        self._settings = settings
        self._name = _identify(settings, folder)
        self._load = load
        self._lock = threading.Lock()
        self._loaded: Model | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return self._model().dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions with the query prompt."""
        return self._embed(texts, "query", self._settings.query_prompt)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages with the passage prompt."""
        return self._embed(texts, "passage", self._settings.passage_prompt)

    def _embed(self, texts: Sequence[str], role: str, prompt: str | None) -> Vectors:
        model = self._model()
        if not texts:
            return np.zeros((0, model.dimensions), dtype=np.float32)
        if prompt is None:
            prompt = model.prompts.get(role) or None
        vectors = model.encode([encodable(text) for text in texts], prompt)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all():
            raise ModelError(
                "The embedding model gave values that are not numbers; use another model."
            )
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    def _model(self) -> Model:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded


_STATIC_BATCH = 256


def _is_static(folder: Path) -> bool:
    """Tell whether the folder holds one StaticEmbedding, normalised or not, and nothing else."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [module["type"].rpartition(".")[2] for module in modules]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])


@functools.cache
def _load_bundled() -> Model:
    """Read the bundled model once a process, whatever opens it."""
    return load_static(MODEL_FOLDER)


def load_static(folder: Path) -> Model:
    """Read a static model with NumPy, which gives the same vectors; raises ModelError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        config = json.loads(
            (folder / "config_sentence_transformers.json").read_text(encoding="utf-8")
        )
        part = folder / modules[0]["path"]
        described = (part / "tokenizer.json").read_text(encoding="utf-8")
        # Of a file that is none, the tokenizers library tells with a bare Exception.
        json.loads(described)["model"]
        tokenizer = Tokenizer.from_str(described)
        tensors = load_file(part / "model.safetensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(
            f"The embedding model in {str(folder)!r} cannot be read ({error}); "
            "restore its folder, or choose another with embedding.model in tanya.toml."
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    table = tensors.get("embedding.weight", tensors.get("embeddings"))
    if table is None:
        raise ModelError(f"The embedding model in {str(folder)!r} holds no token vectors.")
    table = table.astype(np.float32)
    # Quantised tables come with the length of each token's vector beside its direction.
    if "weights" in tensors:
        table *= tensors["weights"].astype(np.float32)[:, None]

    def encode(texts: list[str], prompt: str | None) -> Vectors:
        out = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
        for begin in range(0, len(texts), _STATIC_BATCH):
            some = [(prompt or "") + text for text in texts[begin : begin + _STATIC_BATCH]]
            encoded = tokenizer.encode_batch_fast(some, add_special_tokens=False)
            for at, tokens in enumerate(encoded, start=begin):
                if tokens.ids:
                    out[at] = table[tokens.ids].mean(axis=0)
        return out

    return Model(table.shape[1], config.get("prompts") or {}, encode)


def load_transformer(settings: EmbeddingSettings, folder: Path | None) -> Model:
    """Load any sentence-transformers model, with torch; raises ModelError."""
    if folder is not None or not settings.download:
        # The hub is asked only when the operator said so.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(
            str(folder or settings.model),
            device="cpu",
            local_files_only=folder is not None or not settings.download,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
        raise ModelError(
            f"The embedding model {settings.model!r} cannot be loaded ({reason}). Download it "
            "where the hub can be reached (set embedding.download = true, or run `hf download "
            f"{settings.model} --local-dir FOLDER`) and set embedding.model to that folder; "
            'or use embedding.model = "bundled".'
        ) from error

    def encode(texts: list[str], prompt: str | None) -> Vectors:
        vectors = model.encode(
            texts,
            prompt=prompt,
            batch_size=settings.batch_size,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    return Model(int(model.get_embedding_dimension()), model.prompts or {}, encode)


def _locate(settings: EmbeddingSettings) -> Path | None:
    """Return the model's folder, or None if it is a name for the hub."""
    if settings.model == BUNDLED_MODEL:
        return MODEL_FOLDER
    folder = Path(settings.model).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or settings.model.startswith("."):
        raise ModelError(
            f"There is no embedding model in {settings.model!r}; set embedding.model in tanya.toml "
            'to a folder saved by sentence-transformers, or to "bundled".'
        )
    return None


def _identify(settings: EmbeddingSettings, folder: Path | None) -> str:
    prompts = hashlib.sha256(repr((settings.query_prompt, settings.passage_prompt)).encode())
    if folder is None:
        return f"{settings.model}@{prompts.hexdigest()[:12]}"
    weights = hashlib.sha256(prompts.digest())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".safetensors", ".bin", ".txt", ".model"):
            weights.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                weights.update(hashlib.file_digest(file, "sha256").digest())
    name = BUNDLED_MODEL if settings.model == BUNDLED_MODEL else folder.name
    return f"{name}@{weights.hexdigest()[:12]}"
