"""The files of a run: tables, confusion matrices, figures, manifest."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gaikan.errors import ConfigError
from gaikan.experiment import Experiment
from gaikan.files import write
from gaikan.manifest import read_manifest
from gaikan.report import figures, trust
from gaikan.report.findings import Findings
from gaikan.report.gallery import gallery
from gaikan.report.markdown import markdown
from gaikan.report.mistakes import most_confident_mistakes
from gaikan.report.pca import project
from gaikan.report.tables import accuracy_rows, caption
from gaikan.report.words import Words
from gaikan.results import Network
from gaikan.score import confusion

Manifest = dict[str, Any]

_PICKED = ("picks.json", "picks.md", "figures/tree.svg", "figures/sensitivity-*.svg")
_OWN = (  # `gaikan time` and `gaikan pick` write theirs; the pages are made of all of them
    *("accuracy.*", "summary.csv", "comparisons.csv", "classes.csv", "rates.csv", "modes.csv"),
    *("leaks.csv", "leaked.csv", "predictions.parquet"),
    *("confusion/*.csv", "confusion/*.png", "figures/scatter-*.png"),
    *("figures/samples.png", "figures/accuracy.png", "figures/mistakes.png"),
)


def checksums(out: Path) -> dict[str, str]:
    """sha256 of what `gaikan bench` itself has written to the folder, by path within it."""
    paths = sorted(path for pattern in _OWN for path in out.glob(pattern))
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def write_tables(out: Path, found: Findings) -> None:
    """`accuracy.csv`, `accuracy.md` and, for scripts, the other tables."""
    write(out / "accuracy.csv", found.scores.to_csv(index=False, float_format="%.6f"))
    write(out / "accuracy.md", f"{_table(found.summary)}\n\n{found.about.en}\n")
    leaks, leaked = found.leaks, trust.leak_accuracy(found.judged, found.leaks)
    frames = {
        "summary": found.summary,
        "leaked": leaked if len(leaked) else None,
        "comparisons": found.comparisons,
        "leaks": leaks.pairs,
        "classes": found.classes,
        "rates": found.rates,
        "modes": found.modes,
    }
    for name, frame in frames.items():
        if frame is None:  # nor is one of an earlier run in this folder
            (out / f"{name}.csv").unlink(missing_ok=True)
        else:
            write(out / f"{name}.csv", frame.to_csv(index=False, float_format="%.6g"))


def _table(summary: pd.DataFrame) -> str:
    return markdown(*accuracy_rows(summary, wide=True))


def write_predictions(out: Path, table: pd.DataFrame) -> None:
    """`predictions.parquet`."""
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    write(out / "predictions.parquet", content.getvalue())


def write_confusions(out: Path, table: pd.DataFrame, classes: tuple[str, ...]) -> None:
    """`confusion/<variant>.csv` and `.png`: test counts, summed over seeds."""
    test = table[table["split"] == "test"]
    for variant, part in test.groupby("variant", sort=False, observed=True):
        counts = confusion(part["label"].to_numpy(str), part["predicted"].to_numpy(str), classes)
        write(out / f"confusion/{variant}.csv", counts.to_csv(index_label="actual"))
        figure = figures.confusion_heatmap(counts, f"{variant}, test")
        figures.save(figure, out / f"confusion/{variant}.png")
    variants = {str(variant) for variant in test["variant"].unique()}
    for kind in ("csv", "png"):
        _remove_others(out, f"confusion/*.{kind}", variants)


def _remove_others(out: Path, pattern: str, names: set[str]) -> None:
    """Those of an earlier run in this folder: files whose name without suffix is none of these."""
    for path in out.glob(pattern):
        if path.stem not in names:
            path.unlink()


def write_figures(
    out: Path, experiment: Experiment, networks: list[Network], found: Findings
) -> None:
    """`figures/`: samples, accuracy, mistakes, one scatter a network (its first seed)."""
    summary = found.summary
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    figures.save(figures.sample_grid(experiment.train), folder / "samples.png")
    figures.save(
        figures.accuracy_bars(summary.assign(tied=summary["tied"].eq(True))),
        folder / "accuracy.png",
    )
    best = str(summary.loc[summary["kind"] != "reference", "variant"].iloc[0])
    mistakes = most_confident_mistakes(found.table, best)
    (folder / "mistakes.png").unlink(missing_ok=True)
    if len(mistakes):
        title = f"Most confident mistakes of {best}, test"
        figures.save(gallery(mistakes, experiment.test, title), folder / "mistakes.png")
    for network in networks:
        recipe = network.cell.recipe
        if recipe.seed == min(other.cell.recipe.seed for other in networks):
            anchor = network.cell.anchors[-1]
            arrays = network.embedded
            points, anchors, explained = project(arrays["test"], arrays[f"anchors.{anchor}"])
            figure = figures.embedding_scatter(
                points,
                experiment.test.names,
                anchors,
                experiment.train.classes,
                explained,
                f"{network.cell.network}: test embeddings, seed {recipe.seed}, {anchor} anchors",
            )
            figures.save(figure, folder / f"scatter-{network.cell.network}.png")
    names = {f"scatter-{network.cell.network}" for network in networks}
    _remove_others(out, "figures/scatter-*.png", names)


def about(summary: pd.DataFrame, experiment: Experiment) -> Words:
    """The caption of the accuracy table."""
    groups = experiment.test.groups
    n_groups = None if groups is None else len(np.unique(groups))
    seeds = int(summary["seeds"].max())
    return caption(seeds, len(experiment.test), n_groups, "original" in summary)


def write_manifest(out: Path, manifest: Manifest) -> None:
    """`manifest.json`; picks that were made among other networks go."""
    try:
        before = read_manifest(out)["networks"]
    except ConfigError:  # the folder's first run
        before = []
    if [each["store"] for each in before] != [each["store"] for each in manifest["networks"]]:
        for path in [path for pattern in _PICKED for path in out.glob(pattern)]:
            path.unlink()
    write(out / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
