"""Writes the pictures of a run, and `accuracy.md`."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from gaikan.data.frames import Frames
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
from gaikan.language.words import Language, say
from gaikan.report.accuracy_table import accuracy_rows
from gaikan.report.markdown_table import markdown
from gaikan.report.unseen_blocks import PICTURE
from gaikan.run_folder.bench_files import confusions, first_seed, scatter_name
from gaikan.system.files import write
from gaikan.training.stored_network import StoredEmbeddings


def write_accuracy_page(out: Path, summary: pd.DataFrame, about: str) -> None:
    """Writes `accuracy.md`: the accuracy table, and its caption `about`."""
    table = markdown(*accuracy_rows(summary, wide=True))
    write(out / "accuracy.md", f"{table}\n\n{about}\n")


@dataclass(frozen=True)
class EmbeddedNetwork:
    """A network of the first seed, whose test embeddings are drawn."""

    network: str
    seed: int
    anchor: str  # the method of the anchors that are drawn
    embedded: StoredEmbeddings


@dataclass(frozen=True)
class PictureSources:
    """What the pictures of a run show."""

    train: Frames
    test: Frames
    predictions: pd.DataFrame
    summary: pd.DataFrame
    confusions: dict[str, pd.DataFrame]  # by variant
    pairs: pd.DataFrame  # of `leaks.csv`
    unseen: pd.DataFrame | None
    networks: list[EmbeddedNetwork]

    @classmethod
    def of(
        cls, experiment: Experiment, networks: list[EvaluatedNetwork], findings: Findings
    ) -> "PictureSources":
        """Of a run that has just ended."""
        drawn = [
            EmbeddedNetwork(each.cell.network, each.seed, each.cell.anchors[-1], each.embedded)
            for each in first_seed(networks)
        ]
        return cls(
            experiment.train,
            experiment.test,
            findings.table,
            findings.summary,
            confusions(findings, experiment.test.classes),
            findings.leaks.pairs,
            None if findings.unseen is None else findings.unseen.table,
            drawn,
        )


def write_pictures(out: Path, run: PictureSources, language: Language = "en") -> None:
    """Writes `figures/` (samples, accuracy, mistakes, copies, scatters) and the matrices.

    Those of timing, picks and learning curve have writers of their own.
    """
    for variant, counts in run.confusions.items():
        title = say("matrix_title", variant=variant)
        figure = run_figures.confusion_heatmap(counts, title, language)
        save(figure, out / f"confusion/{variant}.png")
    folder, summary = out / "figures", run.summary
    save(run_figures.sample_grid(run.train, language=language), folder / "samples.png")
    bars = run_figures.accuracy_bars(summary.assign(tied=summary["tied"].eq(True)), language)
    save(bars, folder / "accuracy.png")
    best = str(summary.loc[summary["kind"] != "reference", "variant"].iloc[0])
    mistakes = most_confident_mistakes(run.predictions, best)
    (folder / "mistakes.png").unlink(missing_ok=True)
    if len(mistakes):
        title = say("wrong_title", variant=best)
        save(gallery(mistakes, run.test, title, language), folder / "mistakes.png")
    near = run.pairs[run.pairs["kind"] == "near"]
    (folder / "copies.png").unlink(missing_ok=True)
    if len(near):
        save(copy_pairs(near, run.train, run.test, language), folder / "copies.png")
    (out / PICTURE).unlink(missing_ok=True)
    unseen = None if run.unseen is None else unseen_summary(run.unseen)
    if unseen is not None and len(unseen):
        save(unseen_bars(unseen, language), out / PICTURE)
    for network in run.networks:
        save(_scatter(run, network, language), out / scatter_name(network.network))


def _scatter(run: PictureSources, drawn: EmbeddedNetwork, language: Language) -> Figure:
    embedded, anchor = drawn.embedded, drawn.anchor
    points, anchors, explained = project(embedded.test, embedded.anchors[anchor])
    title = say("embedded_title", network=drawn.network, seed=drawn.seed, anchor=anchor)
    return run_figures.embedding_scatter(
        points, run.test.names, anchors, run.train.classes, explained, title, language
    )
