"""`gaikan bench --learning-curve`: the installed variants again, on fewer images."""

from dataclasses import dataclass
from pathlib import Path

from gaikan.config.model import Config
from gaikan.data.fewer import TooFewError
from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.evaluation.failed_cell import FailedCell
from gaikan.evaluation.fewer_images import count_errors, smaller_cells
from gaikan.figures.learning_curve_figure import learning_curve_figure
from gaikan.figures.style import save
from gaikan.flow.bench_run import find_place, lay_out
from gaikan.grid.cells import run_cells
from gaikan.grid.jobs import Watcher
from gaikan.language.words import Words, say
from gaikan.run_folder.curve_file import CURVE_PICTURE, refuse_curve, write_curve
from gaikan.run_folder.whole import RunFolder
from gaikan.system.lock import locked
from gaikan.system.store import Store
from gaikan.training.cell import GivenCell
from gaikan.variants import Variant


@dataclass(frozen=True)
class CurveOutcome:
    """Counts of the curve, or why there are none; and the cells that failed."""

    counts: ErrorCounts | None
    refused: Words | None
    failed: list[FailedCell]


def curve_run(config: Config, out: Path, watcher: Watcher) -> CurveOutcome:
    """Trains what the store lacks, and writes `learning_curve.csv` and its picture.

    The curve is of the picked variants, without picks of the one that is best on validation. Where
    lots or images are too few, or nothing of it was trained here, the folder says so instead.
    """
    variants = curve_variants(RunFolder.read(out))
    place = find_place(config, watcher)
    work = lay_out(config, place, Store(out / "store"), None)
    networks = {variant.network for variant in variants}
    whole = [
        cell
        for cell in work.cells
        if cell.network in networks
        and cell.protocol == "held-out"
        and not isinstance(cell, GivenCell)
    ]
    train, test = work.experiment.train, work.experiment.test
    with locked(out):
        try:
            if not whole:
                raise TooFewError(say("nothing_trained_here"))
            todo = [*whole, *smaller_cells(whole, train)]
        except TooFewError as error:
            refuse_curve(out, error.words)
            return CurveOutcome(None, error.words, [])
        finished = run_cells(todo, train, test, work.store, watcher, place.cluster)
        counts = count_errors(todo, finished, train).of({variant.name for variant in variants})
        write_curve(out, counts)
        if config.pictures:
            save(learning_curve_figure(counts), out / CURVE_PICTURE)
    failed = [
        FailedCell.of(cell, result.failure or "unknown")
        for cell, result in zip(todo, finished, strict=True)
        if result.trained is None or result.embedded is None
    ]
    return CurveOutcome(counts, None, failed)


def curve_variants(folder: RunFolder) -> list[Variant]:
    """The picked variants; without picks the one of a network that is best on validation."""
    if folder.picks is not None and folder.picks.picked and not folder.picks_stale:
        names = dict.fromkeys(pick.variant for pick in folder.picks.picked)
        return [folder.parts[name] for name in names]
    return folder.by_validation[:1]
