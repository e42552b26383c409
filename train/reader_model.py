"""The reader as a torch module: some of E5's layers and four small heads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

POSITIONS = 384
_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class ReaderModel(nn.Module):
    """Reads (question, passage) pairs.

    The word embedding is kept in int8 with a scale a row, and is not trained. `spans` scores each
    token as an answer's first and last, token 0 as none; `verdicts` scores from token 0 whether the
    passage answers the question, and whether it supports the claim that stands in its place.
    """

    def __init__(self, pieces: int, width: int, layers: int, heads: int, inner: int) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=1,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=inner,
            max_position_embeddings=POSITIONS,
            type_vocab_size=1,
            layer_norm_eps=1e-12,
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.register_buffer("words", torch.zeros(pieces, width, dtype=torch.int8))
        self.register_buffer("scales", torch.ones(pieces, 1))
        self.spans = nn.Linear(width, 2)
        self.verdicts = nn.Linear(width, 2)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score token ids [rows, length], of which `mask` [rows, length] are real.

        Returns spans [rows, length, 2] and verdicts [rows, 2], as logits.
        """
        embedded = nn.functional.embedding(ids, self.words) * nn.functional.embedding(
            ids, self.scales
        )
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        with torch.autocast(hidden.device.type, enabled=False):
            return self.spans(hidden.float()), self.verdicts(hidden[:, 0].float())


def start(base: Path, layers: int) -> ReaderModel:
    """Return a reader that begins with evenly spread layers of the encoder in `base`."""
    with np.load(base / "base.npz") as file:
        raw: Mapping[str, np.ndarray] = {name: file[name].astype(np.float32) for name in file.files}
    words = raw["emb.word"]
    deep = 1 + max(int(name[1:].split(".")[0]) for name in raw if name[0] == "l")
    model = ReaderModel(len(words), words.shape[1], layers, 12, raw["l0.fi.w"].shape[0])
    scales = np.abs(words).max(axis=1, keepdims=True) / 127 + 1e-12
    model.words.copy_(torch.tensor(np.round(words / scales).astype(np.int8)))
    model.scales.copy_(torch.tensor(scales))
    state = {
        "embeddings.position_embeddings.weight": raw["emb.pos"][:POSITIONS],
        "embeddings.token_type_embeddings.weight": raw["emb.type"][:1],
        "embeddings.LayerNorm.weight": raw["emb.ln.w"],
        "embeddings.LayerNorm.bias": raw["emb.ln.b"],
    }
    for layer, old in enumerate(range(0, deep, deep // layers)):
        for short, name in _NAMES.items():
            state[f"encoder.layer.{layer}.{name}.weight"] = raw[f"l{old}.{short}.w"]
            state[f"encoder.layer.{layer}.{name}.bias"] = raw[f"l{old}.{short}.b"]
    missing, unexpected = model.encoder.load_state_dict(
        {name: torch.tensor(array) for name, array in state.items()}, strict=False
    )
    if unexpected or any("word_embeddings" not in m and "position_ids" not in m for m in missing):
        raise ValueError(f"{base} does not fit: missing {missing}, unexpected {unexpected}")
    model.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    return model
