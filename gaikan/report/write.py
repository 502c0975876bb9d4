"""The files of a run: tables, confusion matrices, figures, report, manifest."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from gaikan.experiment import Experiment
from gaikan.files import write
from gaikan.report import figures
from gaikan.report.pca import project
from gaikan.report.tables import accuracy_rows, caption, markdown
from gaikan.results import Network
from gaikan.score import confusion

Manifest = dict[str, Any]


def write_tables(out: Path, scores: pd.DataFrame, summary: pd.DataFrame, about: str) -> None:
    """`accuracy.csv` and `accuracy.md`."""
    write(out / "accuracy.csv", scores.to_csv(index=False, float_format="%.6f"))
    write(out / "accuracy.md", f"{_table(summary)}\n\n{about}\n")


def write_frame(out: Path, name: str, frame: pd.DataFrame) -> None:
    """A table for scripts, p values to six digits however small."""
    write(out / name, frame.to_csv(index=False, float_format="%.6g"))


def _table(summary: pd.DataFrame) -> str:
    return markdown(*accuracy_rows(summary, bool(summary["escape_rate"].notna().any())))


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


def write_figures(
    out: Path, experiment: Experiment, networks: list[Network], summary: pd.DataFrame
) -> None:
    """`figures/`: samples, accuracy, and one scatter a network (its first seed)."""
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    figures.save(figures.sample_grid(experiment.train), folder / "samples.png")
    figures.save(
        figures.accuracy_bars(summary.assign(tied=summary["tied"].eq(True))),
        folder / "accuracy.png",
    )
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


def about(summary: pd.DataFrame, experiment: Experiment) -> str:
    """The caption of the accuracy table."""
    groups = experiment.test.groups
    n_groups = None if groups is None else len(np.unique(groups))
    return caption(int(summary["seeds"].max()), len(experiment.test), n_groups)


def write_report(out: Path, manifest: Manifest, summary: pd.DataFrame, about: str) -> None:
    """`report.md`: all of it on one page."""
    environment = Environment(
        loader=PackageLoader("gaikan.report"),
        autoescape=False,  # Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.md.jinja").render(
        manifest=manifest,
        table=_table(summary),
        about=about,
        variants=summary["variant"].tolist(),
        networks=sorted(
            {str(v).rpartition("-")[0] for v in summary["variant"]},
        ),
    )
    write(out / "report.md", page)


def write_manifest(out: Path, manifest: Manifest) -> None:
    """`manifest.json`."""
    write(out / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
