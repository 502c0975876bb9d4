"""`gaikan labels`: which labels of a run's data do networks doubt that never learned from them?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gaikan.data.corrections import TEST, TRAIN, Correction, read_corrections
from gaikan.data.folds import DEALS, deal_folds
from gaikan.data.frames import Frames
from gaikan.errors import ConfigError
from gaikan.evaluation.doubts import Doubts, doubt_labels
from gaikan.evaluation.experiment import Experiment
from gaikan.evaluation.out_of_fold import out_of_fold
from gaikan.evaluation.without_parts import Figures, figures_without
from gaikan.export.source import reread
from gaikan.grid.jobs import Watcher
from gaikan.report.labels_page import DoubtedImages, write_labels_page
from gaikan.run_folder.labels_file import YES, DoubtedPart, refuse_filled, write_labels
from gaikan.run_folder.manifest import Manifest, NetworkEntry
from gaikan.run_folder.predictions import read_predictions
from gaikan.run_folder.recipes import device_of, recipe_of
from gaikan.run_folder.whole import RunFolder
from gaikan.system.lock import locked
from gaikan.system.store import Store
from gaikan.variants import FROZEN


@dataclass(frozen=True)
class Labelling:
    """What the terminal shows at the end."""

    page: Path
    network: str  # whose recipe the networks of the folds have
    trainings: int
    images: dict[str, int]  # by part
    doubted: dict[str, int]  # by part
    figures: list[Figures]  # of each variant, best first


def label_run(run: Path, watcher: Watcher) -> Labelling:
    """Writes `labels.csv` and `labels.html` to the run folder.

    A network for each fold of each deal is trained, unless the store has it. Raises ConfigError
    where `labels.csv` holds a person's corrections, or no network of the run was trained here, and
    DataError where the images are no longer those of the run.
    """
    refuse_filled(run)
    folder = RunFolder.read(run)
    manifest, entry = folder.manifest, best_on_validation(folder)
    recipe = recipe_of(entry, run)
    watcher.stage("reading the images")
    experiment = reread(run, manifest)
    train, test = experiment.train, experiment.test
    parts, seeds = experiment.parts[entry.seed], range(entry.seed, entry.seed + DEALS)
    deals = [deal_folds(train, parts, seed) for seed in seeds]
    with locked(run):
        store = Store(run / "store")
        judged = out_of_fold(recipe, deals, device_of(manifest), train, test, store, watcher)
    watcher.stage("looking for doubted labels")
    doubts = doubt_labels(judged, train.labels, test.labels)
    earlier, trainings = _earlier(manifest), sum(map(len, deals))
    rows = {
        TRAIN: list(_rows(TRAIN, train, doubts.train, experiment)),
        TEST: list(_rows(TEST, test, doubts.test, experiment)),
    }
    figures = _figures(
        run, [int(i) for i in test.rows[doubts.test.index[: doubts.test.doubted]]], manifest.ok
    )
    write_labels(run, _with_earlier([*rows[TRAIN], *rows[TEST]], earlier))
    page = write_labels_page(
        run,
        manifest.name,
        entry.network,
        trainings,
        DoubtedImages.of_frames(TRAIN, train, doubts.train.index.tolist(), rows[TRAIN]),
        DoubtedImages.of_frames(TEST, test, doubts.test.index.tolist(), rows[TEST]),
        figures,
    )
    images = {TRAIN: len(train), TEST: len(test)}
    counts = {TRAIN: doubts.train.doubted, TEST: doubts.test.doubted}
    return Labelling(page, entry.network, trainings, images, counts, figures)


def best_on_validation(folder: RunFolder) -> NetworkEntry:
    """The network with the best variant on validation, of those that were trained here.

    Accuracy is the mean over seeds; the network is that of the first seed. Raises ConfigError
    where there is none.
    """
    for variant in folder.by_validation:
        for entry in folder.manifest.networks:
            trained = entry.recipe.train is not None and entry.recipe.style != FROZEN
            if trained and entry.network == variant.network:
                return entry
    raise ConfigError(f"{folder.out}: no network was trained here; `gaikan bench` trains some")


def _rows(
    part: str, frames: Frames, doubts: Doubts, experiment: Experiment
) -> Iterator[DoubtedPart]:
    classes = frames.classes
    held = [(str(seed), set(parts.validation.tolist())) for seed, parts in experiment.parts.items()]
    columns = (doubts.index.tolist(), doubts.proposed.tolist(), doubts.sure.tolist())
    for place, (index, proposed, sure) in enumerate(zip(*columns, strict=True)):
        seeds = [seed for seed, rows in held if index in rows] if part == TRAIN else []
        yield DoubtedPart(
            part=part,
            row=int(frames.rows[index]),
            image=frames.place(index),
            label=classes[frames.labels[index]],
            doubted=YES if place < doubts.doubted else "",
            proposed=classes[proposed],
            sure=f"{sure:.3f}",
            validation=" ".join(seeds),
        )


def _earlier(manifest: Manifest) -> tuple[Correction, ...]:
    """The corrections that the run was made with."""
    path = manifest.config.data.corrections
    return () if path is None else read_corrections(Path(path)).filled


def _with_earlier(rows: list[DoubtedPart], earlier: tuple[Correction, ...]) -> list[DoubtedPart]:
    """The table with the corrections that the run has already, so that it can take their place.

    Such a part has the label of its source again.
    """
    known = {(each.part, each.image, each.row): each for each in earlier}
    table = []
    for row in rows:
        before = known.pop((row.part, row.image, row.row), None)
        if before is not None:
            row = replace(row, label=before.label, correct=before.correct)
        table.append(row)
    for each in known.values():
        table.append(
            DoubtedPart(
                each.part, each.row, each.image, each.label, "", "", "", correct=each.correct
            )
        )
    return table


def _figures(run: Path, samples: list[int], ok: str | None) -> list[Figures]:
    columns = ("variant", "split", "sample", "label", "predicted")
    table = read_predictions(run / "predictions.parquet", columns, ()).to_pandas()
    return figures_without(table[table["split"] == "test"], samples, ok)
