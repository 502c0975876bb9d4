"""What the tests of `gaikan check` do to a small trained run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import smoke_parts
from runner import gaikan

VARIANTS = ["mlp-vanilla-mean_embedding", "mlp-vanilla-head", "mlp-triplet-mean_embedding"]
VICTIM = VARIANTS[2]
NAMES = list(smoke_parts.MODES)


def check(run: Path, baseline: Path, *options: str | Path) -> int:
    """`gaikan check` on a wide terminal; the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        return gaikan("check", run, "--baseline", baseline, *options)


def edit(run: Path, change: Any) -> None:
    """Changes the manifest."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def spoil(run: Path, variant: str, share: float) -> None:
    """Makes wrong so much of the test decisions of a variant that were right."""
    table = pd.read_parquet(run / "predictions.parquet")
    labels, predicted = (table[name].to_numpy(str) for name in ("label", "predicted"))
    own = (table["variant"].eq(variant) & table["split"].eq("test")).to_numpy()
    right = np.flatnonzero(own & (labels == predicted))
    some = np.random.default_rng(0).choice(right, round(share * len(right)), replace=False)
    after = dict(zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True))
    wrong = predicted.copy()
    wrong[some] = [after[name] for name in predicted[some].tolist()]
    table.assign(predicted=wrong).to_parquet(run / "predictions.parquet")


def drop(run: Path, rows: Any) -> None:
    """Removes the marked rows of the predictions."""
    table = pd.read_parquet(run / "predictions.parquet")
    table[~rows(table)].to_parquet(run / "predictions.parquet")


def verdicts(text: str) -> dict[tuple[str, str], str]:
    """By figure and variant, from the Markdown."""
    found, figure = {}, ""
    for line in text.splitlines():
        if "<summary>" in line:
            figure = line.partition("<summary>")[2].partition("</summary>")[0]
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and cells[0].startswith("mlp-"):
            found[figure, cells[0]] = cells[-1].partition(",")[0]
    return found


RECIPE = "other recipe: train.weight_decay 0.5, baseline 0.01 (mlp-vanilla, mlp-triplet)"


def other_recipe(run: Path) -> None:
    """One as `RECIPE` tells it."""

    def change(manifest: Any) -> None:
        for network in manifest["networks"]:
            network["recipe"]["train"]["weight_decay"] = 0.5

    edit(run, change)
