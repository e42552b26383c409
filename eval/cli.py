"""The `tanya` command, last part: evaluation; and the entry point of all of it."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from index.cli import run
from qa.cli import app

measures = typer.Typer(help="Measure retrieval on question sets.", no_args_is_help=True)
app.add_typer(measures, name="eval")

Qrels = Annotated[Path, typer.Argument(help="qrels.tsv of a question set, or a TREC qrels file.")]


@measures.command("import")
def import_set(
    source: Annotated[Path, typer.Argument(help="Folder with passages and qa, .jsonl.gz each.")],
    out: Annotated[Path, typer.Argument(help="Folder of the question set to write.")],
    prefix: Annotated[str, typer.Option(help="What the file names begin with.")] = "",
) -> None:
    """Turn passages with questions into a question set; add its corpus.jsonl to the archive.

    Example: tanya eval import data/facqa_dev sets/facqa; tanya add sets/facqa/corpus.jsonl
    """
    from eval import datasets

    count = datasets.import_passages(source, out, prefix=prefix)
    typer.echo(f"{count:,} questions written to {out}")


@measures.command()
def score(
    qrels: Qrels,
    runs: Annotated[list[Path], typer.Argument(help="TREC runs, as `tanya search --batch`.")],
) -> None:
    """Score TREC runs.

    Example: tanya search --batch set/queries.jsonl --out bm25.trec --mode lexical -k 100;
    tanya eval score set/qrels.tsv bm25.trec
    """
    from eval import datasets, scores

    relevant = datasets.read_qrels(qrels)
    typer.echo(f"{'run':<24}" + "".join(f"{name:>10}" for name in scores.MEASURES))
    for path in runs:
        values = scores.score(relevant, scores.read_run(path))
        shown = "".join(f"{values[name].mean():>10.4f}" for name in scores.MEASURES)
        typer.echo(f"{path.stem[:23]:<24}{shown}")
    typer.echo(f"{len(relevant):,} questions")


@measures.command()
def compare(qrels: Qrels, a: Path, b: Path) -> None:
    """Compare TREC run B with run A: difference, 95% interval, paired randomisation test."""
    from eval import datasets, scores

    relevant = datasets.read_qrels(qrels)
    of_a = scores.score(relevant, scores.read_run(a))
    of_b = scores.score(relevant, scores.read_run(b))
    typer.echo(f"{'measure':<9}{'A':>8}{'B':>8}{'B - A':>9}  95% interval      p       +/=/-")
    for c in scores.compare(of_a, of_b):
        typer.echo(
            f"{c.measure:<9}{c.a:>8.4f}{c.b:>8.4f}{c.b - c.a:>+9.4f}  "
            f"[{c.low:+.4f}, {c.high:+.4f}]  {c.p:.4f}  {c.wins}/{c.ties}/{c.losses}"
        )


def main() -> None:
    """Run `tanya` and leave with its exit status."""
    if os.environ.get("TANYA_DEBUG"):
        logging.basicConfig(level=logging.DEBUG)
    sys.exit(run(app))
