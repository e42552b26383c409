"""Trains qa/alignment.npz: whether a sentence bears a question out, by attention over word vectors.

Called by train/sentences.py, which has the questions with the sentences that would answer them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qa.alignment import ASKED, LONGEST, LONGEST_QUESTION, SAID, Aligner, Pair

WIDTH, JUDGE = 96, 64
EPOCHS, BATCH, RATE = 4, 64, 1e-3

Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class Padded:
    """Pairs as arrays of one shape; the vectors stay float16, for there are many."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        count, wide = len(pairs), pairs[0].question.shape[1]
        self.question = np.zeros((count, LONGEST_QUESTION, wide), np.float16)
        self.answer = np.zeros((count, LONGEST, wide), np.float16)
        self.asked = np.zeros((count, LONGEST_QUESTION, ASKED), np.float32)
        self.said = np.zeros((count, LONGEST, SAID), np.float32)
        self.same = np.zeros((count, LONGEST_QUESTION, LONGEST), np.bool_)
        self.lengths = np.array([(len(p.question), len(p.answer)) for p in pairs])
        for at, pair in enumerate(pairs):
            q, a = self.lengths[at]
            self.question[at, :q], self.asked[at, :q] = pair.question, pair.asked
            self.answer[at, :a], self.said[at, :a] = pair.answer, pair.said
            self.same[at, :q, :a] = pair.same

    def batch(self, at: Places) -> list[Any]:
        """Return some of the pairs as tensors."""
        import torch

        parts = (self.question, self.asked, self.answer, self.said, self.same, self.lengths)
        return [torch.from_numpy(part[at].astype(np.float32)) for part in parts]


def network(wide: int) -> Any:
    """Return the untrained network; `qa.alignment.Aligner.score` computes the same."""
    import torch
    from torch import nn
    from torch.nn import functional as f

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend = nn.Linear(wide, WIDTH, bias=False)
            self.project = nn.Linear(wide, WIDTH, bias=False)
            self.compare = nn.Linear(WIDTH + ASKED + SAID + 2, WIDTH)
            self.compare2 = nn.Linear(WIDTH, WIDTH)
            self.judge, self.judge2 = nn.Linear(3 * WIDTH, JUDGE), nn.Linear(JUDGE, 1)
            self.sharpness = nn.Parameter(torch.tensor(8.0))
            self.sameness = nn.Parameter(torch.tensor(3.0))
            self.some, self.more = nn.Dropout(0.2), nn.Dropout(0.3)

        def forward(self, q: Any, asked: Any, a: Any, said: Any, same: Any, lengths: Any) -> Any:
            real = torch.arange(LONGEST_QUESTION) < lengths[:, :1]
            padding = torch.arange(LONGEST) >= lengths[:, 1:]
            mine, theirs = f.normalize(self.attend(q), dim=-1), f.normalize(self.attend(a), dim=-1)
            near = mine @ theirs.transpose(1, 2)
            share = near * self.sharpness + self.sameness * same
            share = share.masked_fill(padding[:, None, :], -1e4).softmax(-1)
            asks = self.some(self.project(q))
            found = share @ self.some(self.project(a))
            best = near.masked_fill(padding[:, None, :], -1).amax(-1, keepdim=True)
            cosine = f.cosine_similarity(asks, found, dim=-1)[..., None]
            seen = torch.cat([(asks - found).abs(), asked, share @ said, best, cosine], -1)
            seen = self.compare2(self.some(self.compare(seen).relu())).relu() * real[..., None]
            mean = seen.sum(1) / lengths[:, :1].clamp(min=1)
            pooled = torch.cat([(seen * asked[..., :1]).sum(1), mean, seen.amax(1)], -1)
            return self.judge2(self.more(self.judge(pooled).relu()))[:, 0]

    return Network()


def fit(
    padded: Padded, labels: Values, weights: Values, at: npt.NDArray[np.int64], seed: int
) -> Any:
    """Train on the pairs `at`; labels are in [0, 1]."""
    import torch
    from torch.nn import functional as f

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    generator = np.random.default_rng(seed)
    net = network(padded.question.shape[2])
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02)
    steps = EPOCHS * (len(at) // BATCH) + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    targets, masses = torch.from_numpy(labels), torch.from_numpy(weights)
    for _ in range(EPOCHS):
        order = generator.permutation(at)
        for begin in range(0, len(order) - BATCH + 1, BATCH):
            some = order[begin : begin + BATCH]
            told = net(*padded.batch(some)).double()
            loss = f.binary_cross_entropy_with_logits(told, targets[some], weight=masses[some])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
            optimiser.step()
            schedule.step()
    return net.eval()


def saved(net: Any, path: Path | None = None) -> Aligner:
    """Return the trained network as the product reads it; write it to `path`."""
    weights = {
        name: tensor.detach().numpy().astype(np.float16)
        for name, tensor in net.state_dict().items()
    }
    if path:
        np.savez_compressed(path, **weights)
    return Aligner({name: values.astype(np.float32) for name, values in weights.items()})
