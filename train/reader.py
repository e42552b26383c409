"""Trains the reader on the rows of train.rows, and exports it for the product.

    python -m train.reader fit BASE OUT --rows reading.jsonl.gz --minutes 20
    python -m train.reader fit BASE NEXT --from OUT --rows news.jsonl.gz reading.jsonl.gz
    python -m train.reader mean BASE MIXED --of OUT NEXT
    python -m train.reader export BASE MIXED qa/model

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

import torch
from torch import Tensor, nn

from train.reader_model import ReaderModel, start
from train.rows import NEWS, Group, read

TOKENS_A_STEP = 3200
OTHERS = 2
"""Passages that do not answer, drawn anew at each pass, beside the one that does."""
WARM_STEPS = 80
SHARED, ANSWERS, SUPPORTS = 0.5, 0.5, 1.0
"""Weights of the losses beside that of each passage's span: one softmax over all passages of a
question (Clark and Gardner 2018), whether a passage answers, whether a premise supports."""


def drawn(groups: Sequence[Group], replay: float, rng: random.Random) -> Iterator[Group]:
    """Yield what one pass over `groups` reads: all of the news and a share of the sets."""
    for group in groups:
        if group.kind in NEWS or rng.random() < replay:
            right = [row for row in group.rows if row.first]
            wrong = [row for row in group.rows if not row.first]
            yield group._replace(rows=right + rng.sample(wrong, min(OTHERS, len(wrong))))


def batches(
    groups: Sequence[Group], replay: float, rng: random.Random, chunk: int = 400
) -> Iterator[list[Group]]:
    """Yield groups for ever, those of like length together, so that little is padded."""
    while True:
        once = list(drawn(groups, replay, rng))
        rng.shuffle(once)
        for at in range(0, len(once), chunk):
            found: list[list[Group]] = []
            batch: list[Group] = []
            near = sorted(once[at : at + chunk], key=_length)
            for group in near:
                batch.append(group)
                if sum(len(g.rows) for g in batch) * _length(group) >= TOKENS_A_STEP:
                    found.append(batch)
                    batch = []
            if batch:
                found.append(batch)
            rng.shuffle(found)
            yield from found


def _length(group: Group) -> int:
    return max(len(row.ids) for row in group.rows)


def tensors(batch: Sequence[Group]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ids, mask, what no answer may touch (minus a lot) [rows, length], spans [rows, 2]."""
    rows = [row for group in batch for row in group.rows]
    length = max(len(row.ids) for row in rows)
    ids = torch.ones(len(rows), length, dtype=torch.long)
    mask, barred = torch.zeros(len(rows), length), torch.zeros(len(rows), length)
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        mask[number, : len(row.ids)] = 1
        barred[number, 1 : row.begin] = -1e4
        barred[number, len(row.ids) - 1 :] = -1e4
    return ids, mask, barred, torch.tensor([(row.first, row.last) for row in rows])


def loss_of(model: ReaderModel, batch: Sequence[Group]) -> Tensor:
    """Return the batch's loss; see SHARED."""
    ids, mask, barred, wanted = tensors(batch)
    spans, verdicts = model(ids, mask)
    spans = spans + barred.unsqueeze(-1)
    claims = torch.tensor([g.supports is not None for g in batch for _ in g.rows])
    total = spans.new_zeros(())
    asked = ~claims
    if asked.any():
        for end in (0, 1):
            total = total + nn.functional.cross_entropy(spans[asked][..., end], wanted[asked, end])
        answers = (wanted[asked, 0] > 0).float()
        total = total / 2 + ANSWERS * nn.functional.binary_cross_entropy_with_logits(
            verdicts[asked, 0], answers
        )
    if claims.any():
        right = torch.tensor([float(g.supports or 0) for g in batch for _ in g.rows])[claims]
        share = claims.float().mean()
        total = total * (1 - share) + SUPPORTS * share * (
            nn.functional.binary_cross_entropy_with_logits(verdicts[claims, 1], right)
        )
    shared, count, at = spans.new_zeros(()), 0, 0
    for group in batch:
        these = slice(at, at + len(group.rows))
        at += len(group.rows)
        right_rows = [n for n, row in enumerate(group.rows) if row.first]
        if len(group.rows) > 1 and len(right_rows) == 1:
            width = spans.shape[1] - 1
            for end in (0, 1):
                target = right_rows[0] * width + int(wanted[these][right_rows[0], end]) - 1
                logits = spans[these, 1:, end].reshape(1, -1)
                shared = shared + nn.functional.cross_entropy(logits, torch.tensor([target])) / 2
            count += 1
    return total + SHARED * shared / max(count, 1)


def chosen(args: argparse.Namespace) -> list[Group]:
    """Return the groups that may be trained on."""
    groups = [g for path in args.rows for g in read(path) if args.all or g.fold != 0]
    print(len(groups), "groups,", sum(len(g.rows) for g in groups), "rows", flush=True)
    return groups


def fit(args: argparse.Namespace) -> None:
    """Train for args.minutes; the learning rate falls linearly to args.last of its height."""
    torch.manual_seed(0)
    rng = random.Random(args.seed)
    model = start(args.base, args.layers)
    if args.begin:
        model.load_state_dict(torch.load(args.begin))
    groups = chosen(args)
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            # Dropping attention weights costs a fifth of the time.
            module.p = 0.0 if name.endswith("self.dropout") else args.dropout
    # The lowest layers know what words are; leaving them as they are saves a fifth of the time.
    for part in (model.encoder.embeddings, *model.encoder.encoder.layer[: args.frozen]):
        part.requires_grad_(False)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=args.rate, weight_decay=0.01)
    model.train()
    begin = saved = time.time()
    seen, mean = 0, 0.0
    for step, batch in enumerate(batches(groups, args.replay, rng), start=1):
        done = (time.time() - begin) / 60 / args.minutes
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1, step / WARM_STEPS) * (1 - done * (1 - args.last))
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        seen += sum(len(g.rows) for g in batch)
        mean = 0.98 * mean + 0.02 * float(loss)
        if step % 50 == 0:
            shown = mean / (1 - 0.98**step)
            print(f"{step} steps, {seen} rows, loss {shown:.3f}, {done:.0%}", flush=True)
        if time.time() - saved > 300:
            save(model, args.out)
            saved = time.time()
    save(model, args.out)


def save(model: ReaderModel, path: Path) -> None:
    """Write the weights whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(model.state_dict(), part)
    part.replace(path)


def mean(args: argparse.Namespace) -> None:
    """Write the mean of several runs' weights, which forgets less than the last of them."""
    model = start(args.base, args.layers)
    states = [torch.load(path) for path in args.of]
    mixed = dict(states[0])
    for name, _ in model.named_parameters():
        mixed[name] = torch.stack([state[name] for state in states]).mean(0)
    model.load_state_dict(mixed)
    save(model, args.out)


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
    """Train, mix or export."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("fit")
    two = commands.add_parser("export")
    three = commands.add_parser("mean")
    for command in (one, two, three):
        command.add_argument("base", type=Path)
        command.add_argument("out", type=Path)
        command.add_argument("--layers", type=int, default=12)
    one.add_argument("--rows", type=Path, nargs="+", required=True)
    one.add_argument("--from", dest="begin", type=Path)
    one.add_argument("--minutes", type=float, default=60)
    one.add_argument("--rate", type=float, default=1.5e-4)
    one.add_argument("--last", type=float, default=0.0, help="share of the rate at the end")
    one.add_argument("--frozen", type=int, default=4, help="lowest layers that do not learn")
    one.add_argument("--dropout", type=float, default=0.0)
    one.add_argument("--replay", type=float, default=1.0, help="share of the sets in each pass")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--all", action="store_true", help="train on fold 0 as well")
    one.set_defaults(run=fit)
    two.add_argument("folder", type=Path)
    two.set_defaults(run=export)
    three.add_argument("--of", type=Path, nargs="+", required=True)
    three.set_defaults(run=mean)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
