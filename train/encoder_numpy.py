"""Writes a trained encoder as small integers, and reads with it by NumPy alone.

    python -m train.encoder_numpy --encoder build/encoder.pt --out build/encoder.safetensors
    python -m train.encoder_numpy --encoder build/encoder.pt --out ... --found build/facqa.pkl

With `--found` it tells how long the best twenty passages of a question take, and how far the
scores are from the trained encoder's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from train.encoder_data import FOUND, MARKS, Pair

Floats = npt.NDArray[np.float32]


def write(encoder: Path, out: Path) -> None:
    """Write each matrix as int8 with a float32 scale a row, and the rest as float32."""
    import torch
    from safetensors.numpy import save_file

    kept = torch.load(encoder, weights_only=True, map_location="cpu")
    tensors: dict[str, npt.NDArray[np.generic]] = {}
    for name, value in kept["model"].items():
        matrix = value.float().numpy()
        if matrix.ndim == 2 and matrix.size > 4_096:
            scale = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
            tensors[name] = np.rint(matrix / scale).astype(np.int8)
            tensors[f"{name}.scale"] = scale.astype(np.float32)
        else:
            tensors[name] = matrix
    save_file(tensors, str(out), {"heads": str(kept["shape"][2])})


class NumpyEncoder:
    """Reads questions beside windows; safe to use from many threads."""

    def __init__(self, path: Path, ends: tuple[int, int]) -> None:
        from safetensors import safe_open

        self._begin, self._part = ends
        with safe_open(str(path), "numpy") as file:
            self._heads = int(file.metadata()["heads"])
            raw = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # The word vectors stay small: only those of a question's windows are unfolded.
        self._words, self._word_scale = raw.pop("words.weight"), raw.pop("words.weight.scale")
        self._of = {
            name: (value * raw[f"{name}.scale"] if f"{name}.scale" in raw else value)
            for name, value in raw.items()
            if not name.endswith(".scale")
        }
        self._layers = 1 + max(int(n.split(".")[1]) for n in self._of if n.startswith("layers."))

    def read(self, pairs: Sequence[Pair]) -> tuple[Floats, list[Floats]]:
        """Return whether each window answers [B], and its tokens' first and last logits [T, 2]."""
        parts = [self._row(pair) for pair in pairs]
        lengths = np.array([len(tokens) for tokens, *_ in parts])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        tokens, sides, marks = (np.concatenate(column) for column in zip(*parts, strict=True))
        places = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        x = self._words[tokens] * self._word_scale[tokens]
        x += self._of["places.weight"][places] + self._of["sides.weight"][sides]
        x += self._of["marks.weight"][marks]
        x = self._normal(x, "first")
        for layer in range(self._layers):
            x = self._layer(x, starts, f"layers.{layer}")
        spans = self._linear(x, "spans")
        inner = np.tanh(self._linear(x[starts[:-1]], "inner"))
        answers = self._linear(inner, "answers") + self._counted(marks, starts)
        windows = [
            spans[end - 1 - (len(pair.tokens) - pair.asked) : end - 1]
            for pair, end in zip(pairs, starts[1:], strict=True)
        ]
        return answers[:, 0], windows

    def _row(self, pair: Pair) -> tuple[npt.NDArray[np.int64], ...]:
        half, length = pair.asked, len(pair.tokens) + 3
        tokens = np.empty(length, dtype=np.int64)
        marks = np.zeros(length, dtype=np.int64)
        tokens[0], tokens[half + 1], tokens[-1] = self._begin, self._part, self._part
        tokens[1 : half + 1], tokens[half + 2 : -1] = pair.tokens[:half], pair.tokens[half:]
        marks[1 : half + 1], marks[half + 2 : -1] = pair.marks[:half], pair.marks[half:]
        return tokens, (np.arange(length) > half + 1).astype(np.int64), marks

    def _counted(self, marks: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> Floats:
        hot = (marks[:, None] == np.arange(1, MARKS)).astype(np.float32)
        count = np.add.reduceat(hot, starts[:-1], axis=0)
        share = count / (1 + count[:, :FOUND].sum(axis=1, keepdims=True))
        return self._linear(share, "counts")

    def _linear(self, x: Floats, name: str) -> Floats:
        return np.asarray(x @ self._of[f"{name}.weight"].T + self._of[f"{name}.bias"])

    def _normal(self, x: Floats, name: str) -> Floats:
        x = x - x.mean(axis=1, keepdims=True)
        x /= np.sqrt(np.einsum("td,td->t", x, x)[:, None] / x.shape[1] + 1e-12)
        x *= self._of[f"{name}.weight"]
        x += self._of[f"{name}.bias"]
        return x

    def _layer(self, x: Floats, starts: npt.NDArray[np.int64], name: str) -> Floats:
        size = x.shape[1]
        width = size // self._heads
        parts = self._linear(x, f"{name}.qkv").reshape(len(x), 3, self._heads, width)
        seen = np.empty((len(x), self._heads, width), dtype=np.float32)
        for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            query, key, value = parts[begin:end].transpose(1, 2, 0, 3)
            score = query @ key.transpose(0, 2, 1) * np.float32(width**-0.5)
            score -= score.max(axis=2, keepdims=True)
            np.exp(score, out=score)
            score /= score.sum(axis=2, keepdims=True)
            seen[begin:end] = (score @ value).transpose(1, 0, 2)
        mixed = self._linear(seen.reshape(len(x), size), f"{name}.mixed")
        x = self._normal(x + mixed, f"{name}.after_mixed")
        wide = self._linear(x, f"{name}.wide")
        # Gaussian error units by their usual approximation: NumPy has no erf.
        bent = wide * wide
        bent *= np.float32(0.044715 * 0.7978845608)
        bent += np.float32(0.7978845608)
        bent *= wide
        np.tanh(bent, out=bent)
        bent += 1
        bent *= wide
        bent *= np.float32(0.5)
        return self._normal(x + self._linear(bent, f"{name}.narrow"), f"{name}.after_narrow")


def main() -> None:
    """Read the command line, write, and measure if asked to."""
    from train import encoder_evaluate
    from train.encoder import Ends, load

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--found", type=Path)
    parser.add_argument("--questions", type=int, default=100)
    given = parser.parse_args()
    write(given.encoder, given.out)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.1f} MB")
    if not given.found:
        return
    found = encoder_evaluate.unpickle(given.found)
    scorer = encoder_evaluate.Scorer(load(given.encoder))
    reader = NumpyEncoder(given.out, Ends.read(Path("index/model"))[:2])
    wall, work, tokens, away = [], [], 0, 0.0
    fused = encoder_evaluate.fused(found)
    for number in range(min(given.questions, len(found.weights))):
        begin, end = found.pairs.starts[number : number + 2]
        best = begin + np.argsort(-fused[begin:end], kind="stable")[: encoder_evaluate.DEPTH]
        passages = [found.texts[at] for at in best]
        fresh = encoder_evaluate.Scorer(scorer.model)
        fresh.reader = scorer.reader
        clocks = time.perf_counter(), time.process_time()
        asked = fresh.ask(found.pairs.questions[number].text, found.weights[number])
        pairs, _, _ = fresh.windows(asked, passages)
        ready = time.process_time()
        answers, _ = reader.read(pairs)
        wall.append(time.perf_counter() - clocks[0])
        work.append((ready - clocks[1], time.process_time() - ready))
        tokens += sum(len(p.tokens) + 3 for p in pairs)
        away = max(away, float(np.abs(answers - scorer.logits(pairs)[0]).max()))
    cut, read = np.median(np.array(work), axis=0) * 1e3
    print(
        f"{tokens / len(wall):.0f} tokens a question; processor time {cut:.0f} ms to cut the texts "
        f"and {read:.0f} ms to read them, wall {np.median(wall) * 1e3:.0f} ms; "
        f"farthest from the trained encoder {away:.3f}"
    )


if __name__ == "__main__":
    main()
