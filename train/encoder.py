"""Trains the reading encoder: a small transformer that reads a question beside a window of text.

    python -m train.encoder_data --data ../shared/data --out build/encoder.npz
    python -m train.encoder --groups build/encoder.npz --out build/encoder.pt

It says whether the window answers the question, and where. The token vectors start from the bundled
embedder's, and the first layer attends to like tokens. Each token is also marked by whether its
stem stands on the other side, and by its inverse document frequency. With `--minilm` (a folder of
all-MiniLM-L6-v2) the layers start from MiniLM's first ones, the token vectors from MiniLM's for the
same or a translated word, or a mix of those of the words that the bundled embedder finds near (as
FOCUS does: Dobler and de Melo, 2023). Stop it at any time: it goes on from its checkpoint, also
with more `--steps`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from train.encoder_data import FOUND, KINDS, MARKS, MOST_QUESTION, MOST_WINDOW
from train.encoder_words import WORDS

if TYPE_CHECKING:
    import torch

WARM, DOWN = 100, 0.35
LONGEST = MOST_QUESTION + MOST_WINDOW + 16
SHARES = {
    "idk": 0.36,
    "squad": 0.34,
    "idk_unanswerable": 0.08,
    "squad_unanswerable": 0.08,
    "cloze": 0.14,
    "facqa": 0.0,
}
"""The share of each kind of group in training, unless `--shares` says otherwise."""


# The model ---------------------------------------------------------------------------------------


class Shape(NamedTuple):
    """The sizes of the model."""

    layers: int
    size: int
    heads: int
    inner: int


def build(shape: Shape, vocabulary: int) -> Any:
    """Return the untrained encoder: layers normalised after each part, as BERT's are."""
    import torch
    from torch import nn
    from torch.nn import functional

    layers, size, heads, inner = shape

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.mixed = nn.Linear(size, 3 * size), nn.Linear(size, size)
            self.wide, self.narrow = nn.Linear(size, inner), nn.Linear(inner, size)
            self.after_mixed = nn.LayerNorm(size, eps=1e-12)
            self.after_narrow = nn.LayerNorm(size, eps=1e-12)

        def forward(self, x: torch.Tensor, mask: torch.Tensor, away: float) -> torch.Tensor:
            count, length, _ = x.shape
            parts = self.qkv(x).view(count, length, 3, heads, size // heads).permute(2, 0, 3, 1, 4)
            seen = functional.scaled_dot_product_attention(*parts, attn_mask=mask)
            seen = self.mixed(seen.transpose(1, 2).reshape(count, length, size))
            x = self.after_mixed(x + functional.dropout(seen, away, self.training))
            held = self.narrow(functional.gelu(self.wide(x)))
            return self.after_narrow(x + functional.dropout(held, away, self.training))

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.away = 0.1
            self.words = nn.Embedding(vocabulary, size)
            self.places = nn.Embedding(LONGEST, size)
            self.sides = nn.Embedding(2, size)
            self.marks = nn.Embedding(MARKS, size)
            self.first = nn.LayerNorm(size, eps=1e-12)
            self.layers = nn.ModuleList([Layer() for _ in range(layers)])
            self.inner, self.answers = nn.Linear(size, size), nn.Linear(size, 1)
            self.spans = nn.Linear(size, 2)
            self.counts = nn.Linear(MARKS - 1, 1)
            steps = torch.arange(1.0, 5.0)
            start = torch.cat([-steps, steps, torch.zeros(4)])
            self.counts.weight.data.copy_(start[None])

        def forward(
            self,
            tokens: torch.Tensor,
            sides: torch.Tensor,
            marks: torch.Tensor,
            mask: torch.Tensor,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            """Return whether each window answers [B], and where: first, last [B, T, 2]; logits."""
            at = torch.arange(tokens.shape[1], device=tokens.device)
            x = self.words(tokens) + self.places(at) + self.sides(sides) + self.marks(marks)
            x = functional.dropout(self.first(x), self.away, self.training)
            for layer in self.layers:
                x = layer(x, mask[:, None, None, :], self.away)
            # How much of the question the window holds need not be learned from the tokens.
            count = functional.one_hot(marks, MARKS)[:, :, 1:].sum(dim=1).float()
            asked = (count * (torch.arange(MARKS - 1, device=count.device) < FOUND)).sum(dim=1)
            shares = self.counts(count / (1 + asked[:, None]))
            answers = self.answers(torch.tanh(self.inner(x[:, 0]))) + shares
            return answers[:, 0].float(), self.spans(x).float()

    return Encoder()


def start_from(model: Any, minilm: Path, embedder: Path) -> str:
    """Copy MiniLM's first layers, and token vectors for the bundled vocabulary; tell how many."""
    import torch
    from safetensors.torch import load_file

    old = load_file(str(minilm / "model.safetensors"))
    old = {name.removeprefix("bert."): value.float() for name, value in old.items()}
    with torch.no_grad():
        for number, layer in enumerate(model.layers):
            _copy_layer(layer, old, f"encoder.layer.{number}.")
        model.places.weight.copy_(old["embeddings.position_embeddings.weight"][:LONGEST])
        model.sides.weight.copy_(old["embeddings.token_type_embeddings.weight"])
        model.first.weight.copy_(old["embeddings.LayerNorm.weight"])
        model.first.bias.copy_(old["embeddings.LayerNorm.bias"])
        model.marks.weight.normal_(0, 0.02)
        model.marks.weight[0].zero_()
        vectors = old["embeddings.word_embeddings.weight"].numpy()
        words = (minilm / "vocab.txt").read_text(encoding="utf-8").splitlines()
        made, count = _token_vectors(vectors, words, embedder)
        model.words.weight.copy_(torch.from_numpy(made))
    return f"{count} of {len(made)} token vectors taken over"


def start_small(model: Any, embedder: Path) -> None:
    """Start from the bundled embedder's token vectors, attending to like tokens at first."""
    import torch
    from safetensors.numpy import load_file

    part = embedder / "0_StaticEmbedding" / "model.safetensors"
    table = load_file(str(part))["embeddings"].astype(np.float32)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
    with torch.no_grad():
        model.words.weight.copy_(torch.from_numpy(table))
        for part in (model.places, model.sides, model.marks):
            part.weight.normal_(0, 0.02)
        size = table.shape[1]
        same = 0.5 * torch.eye(size)
        first = model.layers[0].qkv.weight
        first[:size] = 0.3 * first[:size] + same
        first[size : 2 * size] = 0.3 * first[size : 2 * size] + same


def _copy_layer(layer: Any, old: dict[str, torch.Tensor], name: str) -> None:
    import torch

    for kind in ("weight", "bias"):
        parts = [old[f"{name}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
        getattr(layer.qkv, kind).copy_(torch.cat(parts))
        for mine, theirs in (
            ("mixed", "attention.output.dense"),
            ("after_mixed", "attention.output.LayerNorm"),
            ("wide", "intermediate.dense"),
            ("narrow", "output.dense"),
            ("after_narrow", "output.LayerNorm"),
        ):
            getattr(getattr(layer, mine), kind).copy_(old[f"{name}{theirs}.{kind}"])


def _token_vectors(
    vectors: np.ndarray, words: list[str], embedder: Path, near: int = 8, sharp: float = 0.07
) -> tuple[np.ndarray, int]:
    """Return a vector for each token of the bundled vocabulary, and how many were taken over."""
    from safetensors.numpy import load_file

    part = embedder / "0_StaticEmbedding"
    raw = json.loads((part / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = raw["model"]["vocab"]
    static = load_file(str(part / "model.safetensors"))["embeddings"].astype(np.float32)
    static /= np.maximum(np.linalg.norm(static, axis=1, keepdims=True), 1e-9)
    number = {word: at for at, word in enumerate(words)}
    taken: dict[int, int] = {}
    for token, at in vocabulary.items():
        twin = _twin(token, number)
        if twin is not None:
            taken[at] = twin
    made = np.zeros((len(vocabulary), vectors.shape[1]), np.float32)
    known = np.array(sorted(taken))
    made[known] = vectors[[taken[at] for at in known]]
    # A piece of a word is near many words by chance; only whole words lend their vectors.
    lenders = [at for token, at in vocabulary.items() if at in taken and token.startswith("Ġ")]
    rest = np.setdiff1d(np.arange(len(vocabulary)), known)
    for first in range(0, len(rest), 2_000):
        some = rest[first : first + 2_000]
        alike = static[some] @ static[lenders].T
        best = np.argpartition(-alike, near, axis=1)[:, :near]
        share = np.exp(np.take_along_axis(alike, best, axis=1) / sharp)
        share /= share.sum(axis=1, keepdims=True)
        made[some] = np.einsum("nk,nkd->nd", share, made[np.array(lenders)[best]])
    # A mix is shorter than what it was mixed of.
    length = np.linalg.norm(made[rest], axis=1, keepdims=True)
    usual = np.linalg.norm(made[lenders], axis=1).mean()
    made[rest] *= np.where(length > 0, usual / np.maximum(length, 1e-9), 1.0)
    return made, len(known)


def _twin(token: str, number: dict[str, int]) -> int | None:
    """Return MiniLM's number of the same token, or of a translation."""
    bare = token.removeprefix("Ġ")
    if bare in WORDS and WORDS[bare] in number:
        return number[WORDS[bare]]
    if token.startswith("[") and token in number:
        return number[token]
    whole = token.startswith("Ġ") or not bare.isalpha()
    if whole and bare in number and (len(bare) > 2 or not bare.isalpha()):
        return number[bare]
    if not whole and f"##{bare}" in number:
        return number[f"##{bare}"]
    return None


# Batches -----------------------------------------------------------------------------------------


class Batch(NamedTuple):
    """Padded pairs [B, T]; `sizes` are the pairs of each group; spans count from the padded row."""

    tokens: torch.Tensor
    sides: torch.Tensor
    marks: torch.Tensor
    mask: torch.Tensor
    spans: torch.Tensor
    labels: torch.Tensor
    sizes: list[int]


class Ends(NamedTuple):
    """The numbers of the tokens that begin, part and fill a row."""

    begin: int
    part: int
    fill: int

    @classmethod
    def read(cls, embedder: Path) -> Ends:
        """Read them from the bundled vocabulary."""
        path = embedder / "0_StaticEmbedding" / "tokenizer.json"
        vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
        return cls(vocabulary["[CLS]"], vocabulary["[SEP]"], vocabulary["[PAD]"])


def padded(
    tokens: list[np.ndarray], marks: list[np.ndarray], asked: list[int], ends: Ends
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return tokens, sides, marks (int64) and mask (bool), each [B, T]."""
    import torch

    length = max(len(row) for row in tokens) + 3
    out = np.full((len(tokens), length), ends.fill, dtype=np.int64)
    sides, said = np.zeros_like(out), np.zeros_like(out)
    mask = np.zeros(out.shape, dtype=np.bool_)
    for at, (row, mark, half) in enumerate(zip(tokens, marks, asked, strict=True)):
        end = len(row) + 3
        out[at, 0], out[at, half + 1], out[at, end - 1] = ends.begin, ends.part, ends.part
        out[at, 1 : half + 1], out[at, half + 2 : end - 1] = row[:half], row[half:]
        said[at, 1 : half + 1], said[at, half + 2 : end - 1] = mark[:half], mark[half:]
        sides[at, half + 2 : end] = 1
        mask[at, :end] = True
    made = [torch.from_numpy(part) for part in (out, sides, said, mask)]
    return made[0], made[1], made[2], made[3]


class Sampler:
    """Draws batches of groups: the right window, and wrong ones, the best found more often."""

    def __init__(
        self, made: Any, ends: Ends, shares: dict[str, float], seed: int, without: int = -1
    ) -> None:
        # An npz archive reads an array anew at every access.
        self.made = {name: made[name] for name in made.files}
        self.ends = ends
        self.random = np.random.default_rng(seed)
        kinds = self.made["kinds"]
        kept = self.made["folds"] != without if without >= 0 else kinds >= 0
        self.of_kind = [np.flatnonzero((kinds == k) & kept) for k in range(len(KINDS))]
        share = np.array(
            [shares[k] * bool(len(g)) for k, g in zip(KINDS, self.of_kind, strict=True)]
        )
        self.shares = share / share.sum()
        self.queues: list[list[int]] = [[] for _ in KINDS]

    def batch(self, groups: int, wrong: int) -> Batch:
        """Return so many groups of one right and `wrong` wrong windows, or fewer."""
        import torch

        pairs, sizes = [], []
        for kind in self.random.choice(len(KINDS), groups, p=self.shares):
            chosen = self._pairs(self._next(kind), wrong)
            pairs.extend(chosen)
            sizes.append(len(chosen))
        made = self.made
        rows = [slice(made["starts"][p], made["starts"][p + 1]) for p in pairs]
        asked = [int(made["asked"][p]) for p in pairs]
        tokens = [made["tokens"][row] for row in rows]
        marks = [made["marks"][row] for row in rows]
        spans = made["spans"][pairs] + np.where(made["spans"][pairs] >= 0, 2, 0)
        labels = torch.from_numpy(made["labels"][pairs].astype(np.float32))
        parts = padded(tokens, marks, asked, self.ends)
        return Batch(*parts, torch.from_numpy(spans), labels, sizes)

    def _next(self, kind: int) -> int:
        if not self.queues[kind]:
            self.queues[kind] = self.random.permutation(self.of_kind[kind]).tolist()
        return self.queues[kind].pop()

    def _pairs(self, group: int, wrong: int) -> list[int]:
        begin, end = self.made["groups"][group : group + 2].tolist()
        if not self.made["labels"][begin]:
            return list(range(begin, min(end, begin + 2)))
        others = np.arange(begin + 1, end)
        if not len(others):
            return [begin]
        chance = 1 / (3 + np.arange(len(others)))
        count = min(wrong, len(others))
        some = self.random.choice(others, count, replace=False, p=chance / chance.sum())
        return [begin, *some.tolist()]


def _read(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the model's logits, read in two halves by length so that less is padding."""
    import torch
    from torch.nn import functional

    lengths = batch.mask.sum(dim=1)
    order = torch.argsort(lengths)
    answers, spans = [], []
    for rows in torch.chunk(order, 2):
        end = int(lengths[rows].max())
        parts = (batch.tokens, batch.sides, batch.marks, batch.mask)
        answer, span = model(*(part[rows, :end] for part in parts))
        answers.append(answer)
        spans.append(functional.pad(span, (0, 0, 0, batch.mask.shape[1] - end)))
    back = torch.argsort(order)
    return torch.cat(answers)[back], torch.cat(spans)[back]


def loss_of(model: Any, batch: Batch) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Return the loss and its parts: which window answers, whether each does, and where."""
    import torch
    from torch.nn import functional

    answers, spans = _read(model, batch)
    whether = functional.binary_cross_entropy_with_logits(answers, batch.labels)
    right = batch.labels > 0
    at = torch.repeat_interleave(
        torch.arange(len(batch.sizes), device=answers.device),
        torch.tensor(batch.sizes, device=answers.device),
    )
    rows = torch.full((len(batch.sizes), max(batch.sizes)), -1e4, device=answers.device)
    place = torch.cat([torch.arange(size) for size in batch.sizes]).to(answers.device)
    rows[at, place] = answers
    answered = torch.zeros(len(batch.sizes), dtype=torch.bool, device=answers.device)
    answered[at[right]] = True
    which = -functional.log_softmax(rows[answered], dim=1)[:, 0].mean()
    inside = batch.mask & (batch.sides == 1)
    spans = spans[right].masked_fill(~inside[right][:, :, None], -1e4)
    where = functional.cross_entropy(spans[:, :, 0], batch.spans[right, 0])
    where = where + functional.cross_entropy(spans[:, :, 1], batch.spans[right, 1])
    return which + 0.5 * whether + 0.25 * where, (which, whether, where)


# Training ----------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How to train."""

    shape: Shape
    steps: int
    groups: int
    wrong: int
    rate: float
    word_rate: float
    seed: int


def rate_at(step: int, steps: int) -> float:
    """Return the share of the learning rate: a short warm-up, level, down in the last third.

    So a run can be lengthened until it is on its way down.
    """
    left = (steps - step) / (steps * DOWN)
    return min((step + 1) / WARM, 1.0, max(0.02, left))


def train(model: Any, sampler: Sampler, plan: Plan, given: argparse.Namespace) -> Iterator[int]:
    """Train, from the checkpoint if there is one; yield the step after every save."""
    import torch

    place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(place).train()
    slow = [p for n, p in model.named_parameters() if n.startswith(("layers", "places", "first"))]
    fast = [
        p for n, p in model.named_parameters() if not n.startswith(("layers", "places", "first"))
    ]
    adam = torch.optim.AdamW(
        [{"params": slow, "share": plan.rate}, {"params": fast, "share": plan.word_rate}],
        lr=plan.rate,
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    step = _resume(model, adam, plan, given.out)
    sampler.random = np.random.default_rng(plan.seed + step)
    began, saved, seen = time.monotonic(), time.monotonic(), 0
    shown = np.zeros(3)
    while step < plan.steps:
        for group in adam.param_groups:
            group["lr"] = group["share"] * rate_at(step, plan.steps)
        batch = sampler.batch(plan.groups, plan.wrong)
        batch = Batch(*[part.to(place) for part in batch[:6]], batch.sizes)
        with torch.autocast(place.type, torch.bfloat16):
            loss, parts = loss_of(model, batch)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        values = np.array([part.item() for part in parts])
        shown = 0.98 * shown + 0.02 * values if shown.any() else values
        seen += int(batch.mask.sum())
        step += 1
        if step % 50 == 0:
            speed = seen / (time.monotonic() - began)
            named = "which {:.3f} whether {:.3f} where {:.3f}".format(*shown)
            print(f"step {step} {named} {speed:.0f} tokens/s", flush=True)
        if time.monotonic() - saved > 60 * given.minutes or step == plan.steps:
            state = {"shape": list(plan.shape), "step": step, "model": model.state_dict()}
            torch.save(state | {"adam": adam.state_dict()}, given.out)
            yield step
            saved = time.monotonic()


def _resume(model: Any, adam: Any, plan: Plan, path: Path) -> int:
    import torch

    if not path.exists():
        return 0
    kept = torch.load(path, weights_only=True)
    if kept["shape"] != list(plan.shape):
        raise SystemExit(f"{path} has another shape, {kept['shape']!r}; give a new --out")
    model.load_state_dict(kept["model"])
    adam.load_state_dict(kept["adam"])
    return int(kept["step"])


def load(path: Path) -> Any:
    """Return a trained encoder, ready to read."""
    import torch

    kept = torch.load(path, weights_only=True, map_location="cpu")
    model = build(Shape(*kept["shape"]), len(kept["model"]["words.weight"]))
    model.load_state_dict(kept["model"])
    return model.eval()


def main() -> None:
    """Read the command line and train."""
    import torch

    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--groups", type=Path, required=True, help="from train.encoder_data")
    read.add_argument("--minilm", type=Path, help="start from this model's folder")
    read.add_argument("--start", type=Path, help="start from this trained encoder instead")
    read.add_argument("--embedder", type=Path, default=Path("index/model"))
    read.add_argument("--out", type=Path, required=True, help="the checkpoint")
    read.add_argument("--layers", type=int, default=2)
    read.add_argument("--steps", type=int, default=1_200)
    read.add_argument("--batch", type=int, default=16, help="questions of a step")
    read.add_argument("--wrong", type=int, default=4, help="wrong windows of a question")
    read.add_argument("--rate", type=float, default=1e-3)
    read.add_argument("--word-rate", type=float, default=1e-3)
    read.add_argument("--minutes", type=float, default=10, help="between checkpoints")
    read.add_argument("--shares", default="", help="e.g. facqa=1,idk=0.2; others none")
    read.add_argument("--without", type=int, default=-1, help="leave this fold out")
    read.add_argument("--threads", type=int, default=1)
    read.add_argument("--seed", type=int, default=7)
    given = read.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    size, heads, inner = (384, 12, 1536) if given.minilm else (256, 4, 768)
    shape = Shape(given.layers, size, heads, inner)
    plan = Plan(
        shape, given.steps, given.batch, given.wrong, given.rate, given.word_rate, given.seed
    )
    vocabulary = given.embedder / "0_StaticEmbedding" / "tokenizer.json"
    count = len(json.loads(vocabulary.read_text(encoding="utf-8"))["model"]["vocab"])
    model = build(shape, count)
    if given.start:
        model.load_state_dict(load(given.start).state_dict())
    elif given.minilm:
        print(start_from(model, given.minilm, given.embedder), flush=True)
    else:
        start_small(model, given.embedder)
    shares = dict.fromkeys(KINDS, 0.0) if given.shares else SHARES
    named = (part.split("=") for part in given.shares.split(",") if part)
    shares |= {kind: float(share) for kind, share in named}
    ends = Ends.read(given.embedder)
    sampler = Sampler(np.load(given.groups), ends, shares, given.seed, given.without)
    for step in train(model, sampler, plan, given):
        print(f"saved at step {step}", flush=True)


if __name__ == "__main__":
    main()
