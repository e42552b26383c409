"""Trains the static embedder: one vector a token, a text is the mean of its tokens' vectors.

    python -m train.embedder --tokenizer build/tokenizer.json --pairs build/pairs.npz \\
        --work build --out index/model

In-batch softmax over cosines, both ways round. The second half of the training draws its batches
from neighbourhoods of passages that the model itself finds alike, which makes the negatives hard.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from train import pairs
from train.pairs import KINDS, Pairs

if TYPE_CHECKING:
    import torch

SIZE = 256
MOST_TOKENS = 260
QUERY, TITLE, FIRST, LAST, AWAY, GROUP, KIND = range(7)

FILES = {
    "modules.json": [
        {
            "idx": 0,
            "name": "0",
            "path": "0_StaticEmbedding",
            "type": "sentence_transformers.sentence_transformer.modules.static_embedding"
            ".StaticEmbedding",
        },
        {
            "idx": 1,
            "name": "1",
            "path": "1_Normalize",
            "type": "sentence_transformers.base.modules.normalize.Normalize",
        },
    ],
    "config_sentence_transformers.json": {
        "model_type": "SentenceTransformer",
        "prompts": {"query": " ", "document": " ", "passage": " "},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    },
    "1_Normalize/config.json": {
        "module_input_name": "sentence_embedding",
        "module_output_name": "sentence_embedding",
    },
}
"""What a sentence-transformers folder says about itself; both prompts are one space."""


class Plan(NamedTuple):
    """How to train. `shares` says how much of a batch each kind of pair gets, in KINDS' order."""

    steps: int
    batch: int
    rate: float
    temperature: float
    near_from: float
    near_share: float
    shares: tuple[float, ...]
    away: float
    seed: int


def bags(
    tokens: np.ndarray, begins: np.ndarray, ends: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    """Join each row's ranges of tokens.

    begins, ends: int64 [B, R]. Returns ids int32 and each row's offset into them, int32 [B].
    """
    import torch

    lengths = np.maximum(ends - begins, 0)
    spare = np.cumsum(lengths, axis=1) - MOST_TOKENS
    lengths = np.clip(lengths - np.maximum(spare, 0), 0, None)
    flat = lengths.ravel()
    shift = np.repeat(begins.ravel() - (np.cumsum(flat) - flat), flat)
    ids = tokens[shift + np.arange(len(shift))].astype(np.int32)
    rows = lengths.sum(axis=1)
    offsets = (np.cumsum(rows) - rows).astype(np.int32)
    return torch.from_numpy(ids), torch.from_numpy(offsets)


def query_bags(made: Pairs, chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the queries of the chosen pairs as bags of tokens."""
    at = made.table[chosen, QUERY]
    return bags(made.tokens, made.starts[at][:, None], made.starts[at + 1][:, None])


def passage_bags(made: Pairs, chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the passages of the chosen pairs: the title, the run of sentences less one."""
    row = made.table[chosen]
    starts = made.starts
    titled = row[:, TITLE] >= 0
    title = np.where(titled, row[:, TITLE], 0)
    away = np.where(row[:, AWAY] >= 0, row[:, AWAY], row[:, LAST])
    after = np.where(row[:, AWAY] >= 0, row[:, AWAY] + 1, row[:, LAST])
    begins = [starts[title], starts[row[:, FIRST]], starts[after]]
    ends = [np.where(titled, starts[title + 1], 0), starts[away], starts[row[:, LAST]]]
    return bags(made.tokens, np.stack(begins, axis=1), np.stack(ends, axis=1))


def thinned(
    ids: torch.Tensor, offsets: torch.Tensor, away: float, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Leave out tokens by chance, so that a query is not learned by heart."""
    import torch

    kept = random.random(len(ids), dtype=np.float32) >= away
    kept[offsets.numpy()] = True
    before = np.cumsum(kept) - kept
    return ids[torch.from_numpy(kept)], torch.from_numpy(before[offsets.numpy()].astype(np.int32))


def first_weights(made: Pairs, count: int, seed: int) -> torch.Tensor:
    """Return random vectors, longer for rarer tokens (by inverse document frequency)."""
    import torch

    held = np.zeros(count, np.int64)
    for first in range(0, len(made.starts) - 1, 200_000):
        starts = made.starts[first : first + 200_001]
        tokens = made.tokens[starts[0] : starts[-1]].astype(np.int64)
        sentence = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        once = np.unique(sentence * count + tokens)
        held += np.bincount(once % count, minlength=count)
    rarity = np.log((len(made.starts) + 1) / (held + 20))
    made_up = torch.Generator().manual_seed(seed)
    vectors = torch.randn(count, SIZE, generator=made_up)
    return vectors * torch.from_numpy(rarity / rarity.mean()).float()[:, None]


class Sampler:
    """Draws batches: a share of each kind, and later neighbours together."""

    def __init__(self, made: Pairs, plan: Plan) -> None:
        self.plan = plan
        self.random = np.random.default_rng(plan.seed)
        self.groups = made.table[:, GROUP]
        self.of_kind = [np.flatnonzero(made.table[:, KIND] == k) for k in range(len(KINDS))]
        self.near: list[np.ndarray] = []

    def batch(self) -> np.ndarray:
        """Return the numbers of a batch's pairs, one pair a passage."""
        plan = self.plan
        if self.near and self.random.random() < plan.near_share:
            chosen = self._neighbours()
        else:
            counts = self.random.multinomial(plan.batch, np.array(plan.shares) / sum(plan.shares))
            parts = [
                self.random.choice(numbers, size=count)
                for numbers, count in zip(self.of_kind, counts, strict=True)
                if len(numbers)
            ]
            chosen = np.concatenate(parts)
        _, first = np.unique(self.groups[chosen], return_index=True)
        return chosen[first]

    def _neighbours(self) -> np.ndarray:
        taken: list[np.ndarray] = []
        size = 0
        while size < self.plan.batch:
            near = self.near[self.random.integers(len(self.near))]
            taken.append(self.random.permutation(near)[:64])
            size += len(taken[-1])
        return np.concatenate(taken)

    def find_neighbours(self, made: Pairs, weights: np.ndarray, lists: int) -> None:
        """Cluster the passages by the model's own vectors; rare kinds count several times."""
        import faiss

        shares = np.array(self.plan.shares) / sum(self.plan.shares)
        sizes = [int(share * 300_000) for share in shares]
        kept = [
            self.random.choice(numbers, size=min(size, 8 * len(numbers)))
            for numbers, size in zip(self.of_kind, sizes, strict=True)
            if len(numbers)
        ]
        chosen = np.concatenate(kept)
        vectors = np.concatenate(
            [
                embed(weights, *passage_bags(made, chosen[i : i + 20_000]))
                for i in range(0, len(chosen), 20_000)
            ]
        )
        faiss.omp_set_num_threads(2)
        means = faiss.Kmeans(SIZE, lists, niter=4, seed=self.plan.seed, spherical=True)
        means.cp.max_points_per_centroid = 30
        means.train(vectors)
        _, nearest = means.index.search(vectors, 1)
        order = np.argsort(nearest[:, 0], kind="stable")
        cuts = np.flatnonzero(np.diff(nearest[order, 0])) + 1
        self.near = [part for part in np.split(chosen[order], cuts) if len(part) >= 4]


def embed(weights: np.ndarray, ids: torch.Tensor, offsets: torch.Tensor) -> np.ndarray:
    """Return unit vectors, float32 [B, SIZE]."""
    import torch
    from torch.nn import functional

    with torch.inference_mode():
        mean = functional.embedding_bag(ids, torch.from_numpy(weights), offsets, mode="mean")
        return functional.normalize(mean, dim=-1).numpy()


def loss_of(
    weights: torch.Tensor, made: Pairs, chosen: np.ndarray, plan: Plan, random: np.random.Generator
) -> torch.Tensor:
    """Return the softmax loss of a batch, both ways round."""
    import torch
    from torch.nn import functional

    sides = []
    for side in (query_bags(made, chosen), passage_bags(made, chosen)):
        ids, offsets = thinned(*side, plan.away, random) if plan.away else side
        mean = functional.embedding_bag(ids, weights, offsets, mode="mean")
        sides.append(functional.normalize(mean, dim=-1))
    scores = sides[0] @ sides[1].T / plan.temperature
    right = torch.arange(len(chosen))
    onward = functional.cross_entropy(scores, right)
    return 0.7 * onward + 0.3 * functional.cross_entropy(scores.T, right)


def rate_at(step: int, plan: Plan) -> float:
    """Return the learning rate: a short warm-up, then a cosine down to a fiftieth."""
    if step < 100:
        return plan.rate * (step + 1) / 100
    done = (step - 100) / max(1, plan.steps - 100)
    return plan.rate * float(0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))


def train(made: Pairs, plan: Plan, count: int, checkpoint: Path) -> Iterator[np.ndarray]:
    """Train, from the checkpoint if there is one; yield the weights now and then, and at last."""
    import torch

    torch.set_num_threads(2)
    sampler = Sampler(made, plan)
    step = 0
    weights = torch.nn.Parameter(first_weights(made, count, plan.seed))
    adam = torch.optim.Adam([weights], lr=plan.rate, betas=(0.9, 0.98), fused=True)
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        if kept["plan"] != list(plan):
            raise SystemExit(
                f"{checkpoint} is of another plan, {kept['plan']!r}; give a new --name"
            )
        step = kept["step"]
        weights.data.copy_(kept["weights"])
        adam.load_state_dict(kept["adam"])
        sampler.random = np.random.default_rng(plan.seed + step)
        if step >= plan.steps:
            yield weights.detach().numpy()
    began, shown = time.monotonic(), 0.0
    refresh = max(1, plan.steps // 4)
    while step < plan.steps:
        late = step >= plan.near_from * plan.steps
        if plan.near_share and late and (not sampler.near or step % refresh == 0):
            sampler.find_neighbours(made, weights.detach().numpy(), lists=2_500)
        for group in adam.param_groups:
            group["lr"] = rate_at(step, plan)
        loss = loss_of(weights, made, sampler.batch(), plan, sampler.random)
        adam.zero_grad(set_to_none=False)
        loss.backward()
        adam.step()
        shown = 0.98 * shown + 0.02 * loss.item() if shown else loss.item()
        step += 1
        if step % 250 == 0:
            seconds = time.monotonic() - began
            print(f"step {step} loss {shown:.3f} {seconds:.0f} s", flush=True)
        if step % 1_000 == 0 or step == plan.steps:
            state = {"plan": list(plan), "step": step, "weights": weights.data}
            torch.save(state | {"adam": adam.state_dict()}, checkpoint)
            yield weights.detach().numpy()


def save_model(weights: np.ndarray, tokenizer_file: Path, folder: Path) -> None:
    """Write a sentence-transformers folder with int8 vectors and a float32 scale each.

    The layout is model2vec's, which StaticEmbedding reads and unfolds to float32 by itself.
    """
    from safetensors.numpy import save_file

    place = folder / "0_StaticEmbedding"
    for made in (place, folder / "1_Normalize"):
        made.mkdir(parents=True, exist_ok=True)
    scale = np.maximum(np.abs(weights).max(axis=1), 1e-12) / 127
    small = {
        "embeddings": np.rint(weights / scale[:, None]).astype(np.int8),
        "weights": scale.astype(np.float32),
    }
    save_file(small, str(place / "model.safetensors"))
    (place / "model.safetensors").chmod(0o644)
    (place / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    for name, content in FILES.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def options() -> argparse.Namespace:
    """Read the command line."""
    read = argparse.ArgumentParser(description=__doc__)
    read.add_argument("--tokenizer", type=Path, required=True)
    read.add_argument("--pairs", type=Path, required=True, help="from train.pairs")
    read.add_argument("--work", type=Path, required=True, help="for checkpoints")
    read.add_argument("--out", type=Path, help="the model folder to write")
    read.add_argument("--name", default="embedder", help="of the checkpoint")
    read.add_argument("--steps", type=int, default=9_000)
    read.add_argument("--batch", type=int, default=1_024)
    read.add_argument("--rate", type=float, default=0.05)
    read.add_argument("--temperature", type=float, default=0.05)
    read.add_argument("--near-from", type=float, default=0.6, help="share of steps before it")
    read.add_argument("--near-share", type=float, default=0.3, help="share of batches from then")
    read.add_argument("--shares", default="0.13,0.12,0.57,0.15,0.03", help=f"of {KINDS}")
    read.add_argument("--away", type=float, default=0.2, help="share of tokens left out by chance")
    read.add_argument("--seed", type=int, default=7)
    return read.parse_args()


def main() -> None:
    """Train and save."""
    given = options()
    shares = tuple(float(share) for share in given.shares.split(","))
    plan = Plan(
        given.steps,
        given.batch,
        given.rate,
        given.temperature,
        given.near_from,
        given.near_share,
        shares,
        given.away,
        given.seed,
    )
    vocabulary = json.loads(given.tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    made = pairs.load(given.pairs)
    checkpoint = given.work / f"{given.name}.pt"
    for weights in train(made, plan, len(vocabulary), checkpoint):
        np.save(given.work / f"{given.name}.npy", weights)
        if given.out:
            save_model(weights, given.tokenizer, given.out)


if __name__ == "__main__":
    main()
