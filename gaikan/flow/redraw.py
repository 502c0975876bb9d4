"""`gaikan report --redraw`: the pictures of a run drawn anew, from its files and images."""

from pathlib import Path

from gaikan.errors import ConfigError
from gaikan.evaluation.mistakes import MISTAKE_COLUMNS
from gaikan.export.source import reread
from gaikan.figures.learning_curve_figure import learning_curve_figure
from gaikan.figures.style import drawn_language, save
from gaikan.flow.bench_run import find_leaks
from gaikan.language.words import Language
from gaikan.report.latency_page import write_latency_page
from gaikan.report.run_pictures import EmbeddedNetwork, PictureSources, write_pictures
from gaikan.run_folder.bench_files import reseal
from gaikan.run_folder.curve_file import CURVE_PICTURE
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.predictions import read_predictions
from gaikan.run_folder.whole import RunFolder
from gaikan.system.lock import locked
from gaikan.timing.timed_run import TimedRun
from gaikan.training.stored_network import StoredEmbeddings


def redraw(out: Path, language: Language) -> Language:
    """Draws every picture but those of picks, which have all languages; returns the words' one.

    That is English where no installed font can draw `language`. Raises ConfigError where `out` is
    no whole run or has no pictures, DataError where its images are not there or are others.
    """
    folder = RunFolder.read(out)
    if not folder.manifest.config.pictures:
        raise ConfigError(
            f"{out}: this run has no pictures to draw anew (pictures = false); `gaikan bench "
            f"{out / AGAIN} --out {out} --pictures` draws them (it trains nothing anew)"
        )
    sources = _sources(folder)
    drawn = drawn_language(language)
    with locked(out):
        write_pictures(out, sources, drawn)
        if folder.latency:
            write_latency_page(out, language=drawn)
        if folder.curve is not None:
            save(learning_curve_figure(folder.curve, drawn), out / CURVE_PICTURE)
        reseal(out)
    return drawn


def _sources(folder: RunFolder) -> PictureSources:
    run, experiment = TimedRun.read(folder.out), reread(folder.out, folder.manifest)
    path = folder.out / "predictions.parquet"
    predictions = read_predictions(path, MISTAKE_COLUMNS, ("group",)).to_pandas()
    networks = [
        EmbeddedNetwork(
            entry.network,
            entry.seed,
            run.anchors[-1],
            StoredEmbeddings.unpack(run.entry(entry.store.embedded)),
        )
        for entry in run.scored(all_seeds=False)
    ]
    return PictureSources(
        experiment.train,
        experiment.test,
        predictions,
        folder.summary,
        {name: folder.confusion(name) for name in folder.variants},
        find_leaks(experiment, run.store).pairs,
        folder.unseen,
        networks,
    )
