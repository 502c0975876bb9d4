"""The files of a run: tables, confusion matrices, figures, manifest."""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gaikan.errors import ConfigError
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.mistakes import most_confident_mistakes
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.score import confusion
from gaikan.figures import run_figures
from gaikan.figures.gallery import gallery
from gaikan.figures.pca import project
from gaikan.report import trust_words
from gaikan.report.accuracy_table import accuracy_rows, caption
from gaikan.report.findings import Findings
from gaikan.run_folder.latency_files import timing_files
from gaikan.report.markdown_table import markdown
from gaikan.report.pages import HTML, MARKDOWN
from gaikan.report.strings import Words
from gaikan.run_folder.manifest import read_manifest
from gaikan.system.files import write

Manifest = dict[str, Any]

_PICKED = ("picks.json", "picks.md", "figures/tree.svg", "figures/sensitivity-*.svg")
_ALWAYS = (
    *("accuracy.csv", "accuracy.md", "summary.csv", "comparisons.csv", "classes.csv", "rates.csv"),
    *("modes.csv", "leaks.csv", "leaked.csv", "predictions.parquet"),
    *("figures/samples.png", "figures/accuracy.png", "figures/mistakes.png"),
)


def names(found: Findings, networks: list[EvaluatedNetwork]) -> list[str]:
    """What a run writes, but for its manifest, timing, picks and pages; some not in every run."""
    variants = found.table["variant"].unique()
    of_variants = [f"confusion/{name}.{kind}" for name in variants for kind in ("csv", "png")]
    return [*_ALWAYS, *of_variants, *(_scatter(network) for network in _drawn(networks))]


def checksums(out: Path, names: Iterable[str]) -> dict[str, str]:
    """sha256 of those of the files that are in the folder."""
    paths = {name: out / name for name in sorted(names)}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in paths.items()
        if path.is_file()
    }


def write_tables(out: Path, found: Findings) -> None:
    """`accuracy.csv`, `accuracy.md` and, for scripts, the other tables."""
    write(out / "accuracy.csv", found.scores.to_csv(index=False, float_format="%.6f"))
    write(out / "accuracy.md", f"{_table(found.summary)}\n\n{found.about.en}\n")
    leaks, leaked = found.leaks, trust_words.leak_accuracy(found.judged, found.leaks)
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
        figure = run_figures.confusion_heatmap(counts, f"{variant}, test")
        run_figures.save(figure, out / f"confusion/{variant}.png")


def write_figures(
    out: Path, experiment: Experiment, networks: list[EvaluatedNetwork], found: Findings
) -> None:
    """`figures/`: samples, accuracy, mistakes, one scatter a network (its first seed)."""
    summary = found.summary
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    run_figures.save(run_figures.sample_grid(experiment.train), folder / "samples.png")
    run_figures.save(
        run_figures.accuracy_bars(summary.assign(tied=summary["tied"].eq(True))),
        folder / "accuracy.png",
    )
    best = str(summary.loc[summary["kind"] != "reference", "variant"].iloc[0])
    mistakes = most_confident_mistakes(found.table, best)
    (folder / "mistakes.png").unlink(missing_ok=True)
    if len(mistakes):
        title = f"Most confident mistakes of {best}, test"
        run_figures.save(gallery(mistakes, experiment.test, title), folder / "mistakes.png")
    for network in _drawn(networks):
        anchor = network.cell.anchors[-1]
        arrays = network.embedded
        points, anchors, explained = project(arrays["test"], arrays[f"anchors.{anchor}"])
        figure = run_figures.embedding_scatter(
            points,
            experiment.test.names,
            anchors,
            experiment.train.classes,
            explained,
            f"{network.cell.network}: test embeddings, seed {network.seed}, {anchor} anchors",
        )
        run_figures.save(figure, out / _scatter(network))


def _drawn(networks: list[EvaluatedNetwork]) -> list[EvaluatedNetwork]:
    """Those of the first seed."""
    first = min(network.seed for network in networks)
    return [network for network in networks if network.seed == first]


def _scatter(network: EvaluatedNetwork) -> str:
    return f"figures/scatter-{network.cell.network}.png"


def about(summary: pd.DataFrame, experiment: Experiment) -> Words:
    """The caption of the accuracy table."""
    groups = experiment.test.groups
    n_groups = None if groups is None else len(np.unique(groups))
    seeds = int(summary["seeds"].max())
    return caption(seeds, len(experiment.test), n_groups, "original" in summary)


def write_manifest(out: Path, manifest: Manifest) -> None:
    """`manifest.json`; what an earlier run alone has written goes, and picks among its networks."""
    try:
        before = read_manifest(out)
    except ConfigError:  # the folder's first run
        before = {"networks": []}
    _remove(out, before.get("files", {}).keys() - manifest["files"].keys())
    stored = [[each["store"] for each in other["networks"]] for other in (before, manifest)]
    if stored[0] != stored[1]:
        _remove_picks(out)
    write(out / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def remove_run(out: Path) -> None:
    """Removes what the run, its timing, picks and pages have written; its store stays.

    The manifest goes last: until then it says what else is to go.
    """
    try:
        tables = read_manifest(out).get("files", {})
    except ConfigError:  # it has not ended, or its manifest is damaged
        tables = {}
    _remove(out, [*tables, *timing_files(out), HTML, MARKDOWN])
    _remove_picks(out)
    _remove(out, ["manifest.json"])


def _remove(out: Path, names: Iterable[str]) -> None:
    for name in names:
        if (out / name).resolve().is_relative_to(out.resolve()):
            (out / name).unlink(missing_ok=True)


def _remove_picks(out: Path) -> None:
    for path in [path for pattern in _PICKED for path in out.glob(pattern)]:
        path.unlink()
