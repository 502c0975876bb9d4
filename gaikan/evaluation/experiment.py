"""What a run works on: both sources in one set of classes, and the parts of each seed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gaikan.config.model import Config, DataConfig
from gaikan.config.stages import check_stages
from gaikan.data.classes import align, resolve_ok
from gaikan.data.columns import Asked
from gaikan.data.corrections import TEST, TRAIN, corrected, read_corrections
from gaikan.data.frames import Frames
from gaikan.data.run_sources import RunSources, Source
from gaikan.data.shapes import ShapeError
from gaikan.data.sources import read_source
from gaikan.data.split import Parts, lacking, split, split_off_test
from gaikan.errors import DataError, one_line


@dataclass(frozen=True)
class Experiment:
    """The training images, the test images, and how each seed divides the former."""

    train: Frames
    test: Frames  # its classes are those of `train`, then those that training lacks
    parts: dict[int, Parts]  # by seed: fit and validation rows of `train`
    ok: str | None  # name of the good class
    sources: RunSources  # as they were read, before a test part was split off


def prepare(config: Config, read: Callable[..., Frames] = read_source) -> Experiment:
    """Reads the sources with `read`, checks them, and splits; `read` is called like `read_source`.

    Without a test source `terminals` has its own test lots; of any other source a part is split
    off first, by the base seed alone, so that all seeds report on the same parts. Where nothing
    says of what height and width a training table is, it is that of the test source. Corrected
    labels move no part from one side to another. Raises DataError.
    """
    data = config.data
    train, test = _read_both(data, read)
    check_images(data.train, train)
    made = None if data.corrections is None else read_corrections(Path(data.corrections))
    before = train.labels
    if test is None:
        training_rows, test_rows = split_off_test(train, config.base_seed)
        whole = train if made is None else corrected(train, made)
        sources = RunSources(train=_source(data.train, whole))
        train, test, before = (
            whole.take(training_rows),
            whole.take(test_rows),
            before[training_rows],
        )
    else:
        if made is not None:
            train, test = corrected(train, made.of(TRAIN)), corrected(test, made.of(TEST))
        sources = RunSources(
            train=_source(data.train, train), test=_source(str(_test_name(data)), test)
        )
    ok = resolve_ok(train, data.ok or ("ok" if data.train == "terminals" else None))
    kinds = [*train.classes, *([] if train.modes is None else train.modes.tolist())]
    has_costs = config.factory.defect_rate is not None
    not_unseen = None if config.unseen else "needs --unseen (unseen = true), which measures it"
    check_stages(config.stage, kinds, ok is not None, has_costs, "configuration", not_unseen)
    uncorrected = replace(train, labels=before)
    parts = {seed: split(uncorrected, seed) for seed in config.all_seeds}
    _check_classes(train, parts)
    return Experiment(train, test, parts, ok, sources)


def check_images(name: str, train: Frames) -> None:
    """Raises DataError where nothing can be learned from the training source."""
    if len(train.classes) < 2:
        raise DataError(f"{name}: only one class, {train.classes[0]!r}; at least 2 needed")
    if np.array_equal(train.images.min(0), train.images.max(0)):
        raise DataError(f"{name}: all {len(train)} images are the same; bring the real ones")


def _read_both(data: DataConfig, read: Callable[..., Frames]) -> tuple[Frames, Frames | None]:
    """The training source, and the test source aligned to it; None where there is none."""
    asked = Asked(data.image_column, data.label_column)
    test_name = _test_name(data)
    try:
        train = read(data.train, "train", data.size, asked)
    except ShapeError:
        if test_name is None:
            raise
        train = read(data.train, "train", read(test_name, "test", None, asked).shape[1:], asked)
    if test_name is None:
        return train, None
    # An image folder's most common size may differ between the parts; training's counts.
    size = data.size or (train.shape[1], train.shape[2])
    test = align(train, read(test_name, "test", size, asked))
    if test.fingerprint == train.fingerprint:
        raise DataError(
            f"{test_name}: the test source has the very images of the training source, and would "
            "say nothing of new parts; leave it out: then some parts are set aside for the test"
        )
    return train, test


def _test_name(data: DataConfig) -> str | None:
    return data.test or ("terminals" if data.train == "terminals" else None)


def _check_classes(train: Frames, parts: dict[int, Parts]) -> None:
    """Raises DataError where corrections have left a class without a part to learn or to choose."""
    for seed, part in parts.items():
        for name, rows in (("fit", part.fit), ("validation", part.validation)):
            if (lost := lacking(train, rows)) is not None:
                raise DataError(
                    f"{train.source}: the corrections leave no {name} part of class {lost!r} to "
                    f"seed {seed}; add images of it"
                )


def _source(name: str, frames: Frames) -> Source:
    shape = " x ".join(map(str, frames.shape))
    return Source(
        name=one_line(name), images=len(frames), shape=shape, fingerprint=frames.fingerprint
    )
