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
from gaikan.report import figures, trust
from gaikan.report.findings import Findings
from gaikan.report.gallery import gallery, most_confident_mistakes
from gaikan.report.pca import project
from gaikan.report.tables import accuracy_rows, caption, markdown
from gaikan.results import Network
from gaikan.score import confusion
from gaikan.shopfloor import worst_confusions

Manifest = dict[str, Any]


def write_tables(out: Path, found: Findings) -> None:
    """`accuracy.csv`, `accuracy.md` and, for scripts, the other tables."""
    write(out / "accuracy.csv", found.scores.to_csv(index=False, float_format="%.6f"))
    write(out / "accuracy.md", f"{_table(found.summary)}\n\n{found.about}\n")
    frames = {
        "comparisons": found.comparisons,
        "leaks": found.leaks.pairs,
        "classes": found.classes,
        "rates": found.rates,
        "modes": found.modes,
    }
    for name, frame in frames.items():
        if frame is not None:
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
    best = str(summary["variant"].iloc[0])
    mistakes = most_confident_mistakes(found.table, best)
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


def about(summary: pd.DataFrame, experiment: Experiment) -> str:
    """The caption of the accuracy table."""
    groups = experiment.test.groups
    n_groups = None if groups is None else len(np.unique(groups))
    seeds = int(summary["seeds"].max())
    return caption(seeds, len(experiment.test), n_groups, "original" in summary)


def write_report(out: Path, manifest: Manifest, found: Findings) -> None:
    """`report.md`: all of it on one page."""
    environment = Environment(
        loader=PackageLoader("gaikan.report"),
        autoescape=False,  # Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    summary = found.summary
    best_first = [str(variant) for variant in summary["variant"]]
    judged = found.judged
    leak_header, leak_rows = trust.leak_rows(judged, found.leaks)
    best = next(variant for variant in best_first if variant in judged.variants)
    page = environment.get_template("report.md.jinja").render(
        manifest=manifest,
        table=_table(summary),
        about=found.about,
        reference=trust.reference_sentence(summary),
        variants=best_first,
        networks=sorted(
            {v.rpartition("-")[0] for v in summary.loc[summary["kind"] != "reference", "variant"]}
        ),
        leaks=found.leaks.sentences(),
        leak_table=markdown(leak_header, leak_rows) if leak_rows else None,
        rates=_rates(found),
        best=best,
        confusions=worst_confusions(judged, best),
        classes=markdown(*trust.recall_rows(found.classes, best_first, found.ok is not None)),
        modes=None
        if found.modes is None
        else markdown(*trust.recall_rows(found.modes, best_first, found.ok is not None)),
        mistakes=(out / "figures/mistakes.png").exists(),
    )
    write(out / "report.md", page)


def _rates(found: Findings) -> str | None:
    """The shop-floor section; None without a good class or without a part of either kind."""
    rates = found.rates
    if rates is None:
        return None
    grouped = found.judged.groups is not None
    paragraphs = [markdown(*trust.rate_rows(rates)), trust.rates_caption(rates, grouped)]
    header, rows = trust.factory_rows(rates, found.factory)
    if rows:
        paragraphs.append(markdown(header, rows))
    if rates["defects"].iloc[0]:
        paragraphs.append(trust.smallest_shown(rates))
    return "\n\n".join(paragraphs)


def write_manifest(out: Path, manifest: Manifest) -> None:
    """`manifest.json`."""
    write(out / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
