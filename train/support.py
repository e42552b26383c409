"""Trains qa/support.txt on IndoNLI's training pairs: `python -m train.support --pairs PAIRS`.

Prints AUROC on its validation pairs (entailed against the rest) and what thresholds let through.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from eval import datasets
from qa import support
from train.sentences import _settings

TREES = 200


def main() -> None:
    """Read the command line, train and report."""
    import lightgbm
    from sklearn.metrics import roc_auc_score

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=support.MODEL_FILE)
    options = parser.parse_args()
    rows = list(datasets.rows(options.pairs, ("premise", "hypothesis", "label", "split")))
    features = np.stack([support.features(row["hypothesis"], row["premise"]) for row in rows])
    entailed = np.array([row["label"] == "e" for row in rows])
    trains = np.array([row["split"] == "train" for row in rows])
    data = lightgbm.Dataset(
        features[trains], entailed[trains].astype(int), feature_name=list(support.NAMES)
    )
    booster = lightgbm.train(_settings("binary", 0.05), data, TREES)
    booster.save_model(options.out)
    told = np.asarray(booster.predict(features[~trains]))
    labels = entailed[~trains]
    shared = features[~trains, support.NAMES.index("stems")]
    print(f"AUROC {roc_auc_score(labels, told):.3f}; of words {roc_auc_score(labels, shared):.3f}")
    for least in (0.2, 0.3, 0.35, 0.4, 0.5, 0.6):
        passed = told >= least
        print(
            f"at {least:.2f}: {passed[labels].mean():.3f} of the entailed pass, "
            f"{passed[~labels].mean():.3f} of the others"
        )


if __name__ == "__main__":
    main()
