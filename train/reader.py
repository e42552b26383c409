"""Trains the reader on the rows of train.rows, and exports it for the product.

    python -m train.reader fit BASE OUT --rows reading.npz --minutes 20
    python -m train.reader fit BASE NEXT --from OUT --rows news.npz reading.npz
    python -m train.reader export BASE NEXT qa/model

Rows of fold 0 are left out unless --all is given, so that what is measured on fold 0 was not
trained on. OUT is written every few minutes and at the end: an interrupted run loses little.
"""

from __future__ import annotations

import argparse
import random
import shutil
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from eval.measures import auroc
from qa.reader import LONGEST_ANSWER
from train.reader_model import ReaderModel, start
from train.rows import NEWS, Group, read

WARM_STEPS = 80
SHARED, ANSWERS, SUPPORTS = 0.5, 0.5, 1.0
"""Weights of the losses beside that of each passage's span: one softmax over all passages of a
question (Clark and Gardner 2018), whether a passage answers, whether a premise supports."""
TYPED = 0.3
"""How often a question is read as it is typed in haste."""
EVALUATIONS = 12
"""So many times in a run the held-out rows are read, and the best weights are kept."""
BARRED = -1e4


class Batch(NamedTuple):
    """What a step reads. Rows stand group by group; `width` is the length of the longest.

    ids, mask, barred [rows, width]: barred is minus a lot where no answer may begin or end.
    wanted [rows, 2]: first and last piece, 0 for none. group [rows]: which question it is.
    claims [rows]: 1 supported, 0 not, -1 no claim.
    """

    ids: Tensor
    mask: Tensor
    barred: Tensor
    wanted: Tensor
    group: Tensor
    claims: Tensor

    def to(self, device: str) -> Batch:
        """Return the batch on a device."""
        return Batch(*(part.to(device, non_blocking=True) for part in self))


def drawn(
    groups: Sequence[Group], replay: float, others: int, rng: random.Random
) -> Iterator[Group]:
    """Yield what one pass over `groups` reads: all of the news and a share of the sets, each with
    one wording of its question and `others` of the passages that do not answer it."""
    for group in groups:
        if group.kind in NEWS or rng.random() < replay:
            right = [row for row in group.rows if row.first >= 0]
            wrong = [row for row in group.rows if row.first < 0]
            typed = len(group.questions) > 1 and rng.random() < TYPED
            yield group._replace(
                questions=[group.questions[typed]],
                rows=right + rng.sample(wrong, min(others, len(wrong))),
            )


def batches(groups: Sequence[Group], tokens: int) -> Iterator[list[Group]]:
    """Yield groups of like length together, so that little is padded."""
    batch: list[Group] = []
    for group in sorted(groups, key=_length):
        batch.append(group)
        if sum(len(g.rows) for g in batch) * _length(group) >= tokens:
            yield batch
            batch = []
    if batch:
        yield batch


def _length(group: Group) -> int:
    longest = max(len(row.header) + len(row.passage) for row in group.rows)
    return longest + len(group.questions[0]) + 5


def tensors(batch: Sequence[Group]) -> Batch:
    """Put groups into tensors, the way `qa.reader.Encoder` puts a question and a passage."""
    size, width = sum(len(g.rows) for g in batch), max(map(_length, batch))
    width += -width % 8
    ids = np.ones((size, width), dtype=np.int64)
    mask = np.zeros((size, width), dtype=np.float32)
    barred = np.zeros((size, width), dtype=np.float32)
    wanted = np.zeros((size, 2), dtype=np.int64)
    at = 0
    for group in batch:
        asked = group.questions[0]
        for row in group.rows:
            begin = len(asked) + len(row.header) + 4
            end = begin + len(row.passage)
            ids[at, 0] = 0
            ids[at, 1 : len(asked) + 1] = asked
            ids[at, len(asked) + 1 : len(asked) + 3] = 2
            ids[at, len(asked) + 3 : begin - 1] = row.header
            ids[at, begin - 1] = ids[at, end] = 2
            ids[at, begin:end] = row.passage
            mask[at, : end + 1] = 1
            barred[at, 1:begin] = barred[at, end:] = BARRED
            if row.first >= 0:
                wanted[at] = begin + row.first, begin + row.last
            at += 1
    supported = [-1.0 if g.supports is None else float(g.supports) for g in batch for _ in g.rows]
    numbers = [n for n, g in enumerate(batch) for _ in g.rows]
    parts = map(torch.from_numpy, (ids, mask, barred, wanted))
    return Batch(*parts, torch.tensor(numbers), torch.tensor(supported))


def loss_of(model: nn.Module, batch: Batch) -> Tensor:
    """Return the batch's loss; see SHARED."""
    spans, verdicts = model(batch.ids, batch.mask)
    spans = spans + batch.barred.unsqueeze(-1)
    asked = (batch.claims < 0).float()
    has = (batch.wanted[:, 0] > 0).float()
    ends = sum(
        nn.functional.cross_entropy(spans[..., end], batch.wanted[:, end], reduction="none")
        for end in (0, 1)
    )
    answers = nn.functional.binary_cross_entropy_with_logits(verdicts[:, 0], has, reduction="none")
    supports = nn.functional.binary_cross_entropy_with_logits(
        verdicts[:, 1], batch.claims.clamp(min=0), reduction="none"
    )
    total = (asked * (ends / 2 + ANSWERS * answers) + (1 - asked) * SUPPORTS * supports).mean()
    # One softmax over all passages of a question that one of them answers.
    count = int(batch.group[-1]) + 1
    rows = torch.logsumexp(spans[:, 1:], dim=1).float()
    best = rows.detach().amax(0)
    summed = rows.new_zeros(count, 2).index_add(0, batch.group, (rows - best).exp())
    whole = summed.clamp(min=1e-30).log() + best
    aim = spans.gather(1, batch.wanted.unsqueeze(1)).squeeze(1)
    sizes = torch.zeros_like(whole[:, 0]).index_add(0, batch.group, torch.ones_like(has))
    counted = has * (sizes[batch.group] > 1)
    shared = ((whole[batch.group] - aim).mean(-1) * counted).sum() / counted.sum().clamp(min=1)
    return total + SHARED * shared


class Drawn(torch.utils.data.IterableDataset[Batch]):
    """Batches for ever, drawn by as many workers as there are."""

    def __init__(self, groups: Sequence[Group], args: argparse.Namespace) -> None:
        self.groups, self.args = groups, args

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        rng = random.Random(self.args.seed * 100 + number)
        mine = list(self.groups[number::workers])
        while True:
            rng.shuffle(mine)
            once = list(drawn(mine, self.args.replay, self.args.others, rng))
            chunk = max(400, self.args.tokens // 16)
            for at in range(0, len(once), chunk):
                found = list(batches(once[at : at + chunk], self.args.tokens))
                rng.shuffle(found)
                yield from map(tensors, found)


class Figures(NamedTuple):
    """How held-out questions are read, each among its own passages."""

    right: float
    exact: float
    auroc: float

    def whole(self) -> float:
        """Return one number to choose weights by."""
        return self.right + self.exact + self.auroc


@torch.no_grad()
def figures(model: nn.Module, held: Sequence[Group], tokens: int, device: str) -> Figures:
    """Read each question with its passages: is the right one best, its span the answer's, and do
    the best scores tell answerable questions from others?"""
    model.eval()
    right, exact, scores, labels = [], [], [], []
    for some in batches(held, tokens):
        batch = tensors(some).to(device)
        with half(device):
            spans, _ = model(batch.ids, batch.mask)
        spans = spans.float() + batch.barred.unsqueeze(-1)
        pairs = spans[:, :, None, 0] + spans[:, None, :, 1]
        near = torch.ones(pairs.shape[1:], device=device).triu().tril(LONGEST_ANSWER - 1)
        pairs = pairs.masked_fill(near == 0, 2 * BARRED)
        pairs[:, 0] = 2 * BARRED
        best, place = pairs.flatten(1).max(1)
        score = ((best - spans[:, 0].sum(-1)) / 2).tolist()
        firsts, lasts = (place // pairs.shape[2]).tolist(), (place % pairs.shape[2]).tolist()
        wanted, at = batch.wanted.tolist(), 0
        for group in some:
            these = range(at, at + len(group.rows))
            at += len(group.rows)
            top = max(these, key=score.__getitem__)
            scores.append(score[top])
            labels.append(any(wanted[n][0] for n in these))
            if labels[-1]:
                right.append(wanted[top][0] > 0)
                exact.append(wanted[top] == [firsts[top], lasts[top]])
    model.train()
    return Figures(
        float(np.mean(right)),
        float(np.mean(exact)),
        auroc(np.array(scores), np.array(labels) * 1.0),
    )


def half(device: str) -> torch.autocast:
    """Compute in bfloat16 where that is fast."""
    return torch.autocast(device, torch.bfloat16, enabled=device != "cpu")


def ready(model: ReaderModel, args: argparse.Namespace) -> None:
    """Set the dropout, and leave the lowest layers as they are: they know what words are."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            # Dropping attention weights costs a fifth of the time on a CPU.
            small = name.endswith("self.dropout") and args.device == "cpu"
            module.p = 0.0 if small else args.dropout
    for part in (model.encoder.embeddings, *model.encoder.encoder.layer[: args.frozen]):
        part.requires_grad_(False)


def keep_if_better(
    model: ReaderModel, held: Sequence[Group], best: float, args: argparse.Namespace
) -> float:
    """Save weights that read held-out rows better than any before; return the best figure."""
    if not held:
        save(model, args.out)
        return best
    now = figures(model, held, args.tokens, args.device)
    print(f"held out: {now.right:.4f} {now.exact:.4f} {now.auroc:.4f}", flush=True)
    if now.whole() > best:
        save(model, args.out)
    return max(now.whole(), best)


def fit(args: argparse.Namespace) -> None:
    """Train for args.minutes; the learning rate falls linearly to args.last of its height over the
    last args.fall of the time. A running mean of the weights is what is measured and kept."""
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    model = start(args.base, args.layers)
    if args.begin:
        model.load_state_dict(torch.load(args.begin))
    model.to(args.device)
    found = [group for path in args.rows for group in read(path)]
    held = [g for g in found if g.fold == 0 and g.supports is None]
    held = rng.sample(held, min(args.held, len(held)))
    groups = [g for g in found if args.all or g.fold != 0]
    print(len(groups), "groups,", sum(len(g.rows) for g in groups), "rows", flush=True)
    ready(model, args)
    learned = [p for p in model.parameters() if p.requires_grad]
    kept = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.keep))
    optimizer = torch.optim.AdamW(
        learned, lr=args.rate, weight_decay=0.01, fused=args.device != "cpu"
    )
    model.train()
    loader = torch.utils.data.DataLoader(
        Drawn(groups, args), batch_size=None, num_workers=args.workers
    )
    begin = time.time()
    seen, mean, best, evaluation = 0, 0.0, 0.0, 1
    for step, batch in enumerate(loader, start=1):
        done = (time.time() - begin) / 60 / args.minutes
        if done >= evaluation / EVALUATIONS:
            evaluation += 1
            best = keep_if_better(kept.module, held, best, args)
        if done >= 1:
            break
        fall = min(1.0, (1 - done) / args.fall)
        for group in optimizer.param_groups:
            group["lr"] = (
                args.rate * min(1, step / WARM_STEPS) * (args.last + fall * (1 - args.last))
            )
        with half(args.device):
            loss = loss_of(model, batch.to(args.device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        kept.update_parameters(model)
        seen += len(batch.ids)
        if step % 50 == 0:
            mean = loss.item() if step == 50 else 0.8 * mean + 0.2 * loss.item()
            print(f"{step} steps, {seen} rows, loss {mean:.3f}, {done:.0%}", flush=True)


def save(model: ReaderModel, path: Path) -> None:
    """Write the weights whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(model.state_dict(), part)
    part.replace(path)


def export(args: argparse.Namespace) -> None:
    """Write OUT as int8 ONNX, with the tokenizer, into the folder args.folder."""
    model = start(args.base, args.layers).eval()
    model.load_state_dict(torch.load(args.out))
    args.folder.mkdir(parents=True, exist_ok=True)
    write_onnx(model, args.folder)
    shutil.copy(args.base / "tokenizer.json", args.folder / "tokenizer.json")


def write_onnx(model: ReaderModel, folder: Path) -> None:
    """Write a model as folder/reader.onnx, its matrices in int8 with a scale a column."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model.encoder.set_attn_implementation("eager")
    whole = folder / "whole.onnx"
    axes = {"ids": {0: "rows", 1: "length"}, "mask": {0: "rows", 1: "length"}}
    with warnings.catch_warnings():
        # The newer exporter needs a package more, and gives the same numbers.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.randint(5, 20, (2, 20)), torch.ones(2, 20)),
            str(whole),
            input_names=["ids", "mask"],
            output_names=["spans", "verdicts"],
            dynamic_axes={**axes, "spans": {0: "rows", 1: "length"}, "verdicts": {0: "rows"}},
            dynamo=False,
            opset_version=17,
        )
    quantize_dynamic(
        whole,
        folder / "reader.onnx",
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
    )
    whole.unlink()


def main() -> None:
    """Train or export."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("fit")
    two = commands.add_parser("export")
    for command in (one, two):
        command.add_argument("base", type=Path)
        command.add_argument("out", type=Path)
        command.add_argument("--layers", type=int, default=12)
    one.add_argument("--rows", type=Path, nargs="+", required=True)
    one.add_argument("--from", dest="begin", type=Path)
    one.add_argument("--minutes", type=float, default=60)
    one.add_argument("--rate", type=float, default=1.5e-4)
    one.add_argument("--last", type=float, default=0.0, help="share of the rate at the end")
    one.add_argument("--fall", type=float, default=1.0, help="share of the time the rate falls")
    one.add_argument("--frozen", type=int, default=4, help="lowest layers that do not learn")
    one.add_argument("--dropout", type=float, default=0.0)
    one.add_argument("--replay", type=float, default=1.0, help="share of the sets in each pass")
    one.add_argument("--others", type=int, default=2, help="wrong passages beside the right one")
    one.add_argument("--tokens", type=int, default=3200, help="pieces that a step reads")
    one.add_argument("--keep", type=float, default=0.99, help="decay of the mean of the weights")
    one.add_argument("--held", type=int, default=300, help="held-out questions that choose")
    one.add_argument("--workers", type=int, default=0)
    one.add_argument("--device", default="cpu")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--all", action="store_true", help="train on fold 0 as well")
    one.set_defaults(run=fit)
    two.add_argument("folder", type=Path)
    two.set_defaults(run=export)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
