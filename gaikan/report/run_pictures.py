"""Writes the pictures of a run, and `accuracy.md`."""

from pathlib import Path

import pandas as pd

from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.findings import Findings
from gaikan.evaluation.mistakes import most_confident_mistakes
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.unseen import unseen_summary
from gaikan.figures import run_figures
from gaikan.figures.copy_pairs import copy_pairs
from gaikan.figures.gallery import gallery
from gaikan.figures.pca import project
from gaikan.figures.style import save
from gaikan.figures.unseen_bars import unseen_bars
from gaikan.report.accuracy_table import accuracy_rows
from gaikan.report.markdown_table import markdown
from gaikan.report.unseen_blocks import PICTURE
from gaikan.run_folder.bench_files import confusions, first_seed, scatter_name
from gaikan.system.files import write


def write_accuracy_page(out: Path, summary: pd.DataFrame, about: str) -> None:
    """Writes `accuracy.md`: the accuracy table, and its caption `about`."""
    table = markdown(*accuracy_rows(summary, wide=True))
    write(out / "accuracy.md", f"{table}\n\n{about}\n")


def write_pictures(
    out: Path, experiment: Experiment, networks: list[EvaluatedNetwork], findings: Findings
) -> None:
    """Writes `figures/` (samples, accuracy, mistakes, copies, scatters) and the matrices."""
    for variant, counts in confusions(findings, experiment.test.classes).items():
        figure = run_figures.confusion_heatmap(counts, f"{variant}, test")
        save(figure, out / f"confusion/{variant}.png")
    summary = findings.summary
    folder = out / "figures"
    save(run_figures.sample_grid(experiment.train), folder / "samples.png")
    bars = run_figures.accuracy_bars(summary.assign(tied=summary["tied"].eq(True)))
    save(bars, folder / "accuracy.png")
    best = str(summary.loc[summary["kind"] != "reference", "variant"].iloc[0])
    mistakes = most_confident_mistakes(findings.table, best)
    (folder / "mistakes.png").unlink(missing_ok=True)
    if len(mistakes):
        title = f"Most confident mistakes of {best}, test"
        save(gallery(mistakes, experiment.test, title), folder / "mistakes.png")
    pairs = findings.leaks.pairs
    near = pairs[pairs["kind"] == "near"]
    (folder / "copies.png").unlink(missing_ok=True)
    if len(near):
        figure = copy_pairs(near, experiment.train, experiment.test, "Are these of one part?")
        save(figure, folder / "copies.png")
    (out / PICTURE).unlink(missing_ok=True)
    unseen = None if findings.unseen is None else unseen_summary(findings.unseen.table)
    if unseen is not None and len(unseen):
        save(unseen_bars(unseen), out / PICTURE)
    for network in first_seed(networks):
        anchor = network.cell.anchors[-1]
        embedded = network.embedded
        points, anchors, explained = project(embedded.test, embedded.anchors[anchor])
        figure = run_figures.embedding_scatter(
            points,
            experiment.test.names,
            anchors,
            experiment.train.classes,
            explained,
            f"{network.cell.network}: test embeddings, seed {network.seed}, {anchor} anchors",
        )
        save(figure, out / scatter_name(network))
