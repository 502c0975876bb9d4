"""What a run works on: both sources in one set of classes, and the parts of each seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaikan.config.model import Config
from gaikan.config.stages import check_stages
from gaikan.data.classes import align, resolve_ok
from gaikan.data.columns import Asked
from gaikan.data.frames import Frames
from gaikan.data.run_sources import RunSources, Source
from gaikan.data.shapes import ShapeError
from gaikan.data.sources import read_source
from gaikan.data.split import Parts, split, split_off_test
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
    says of what height and width a training table is, it is that of the test source. Raises
    DataError.
    """
    data = config.data
    asked = Asked(data.image_column, data.label_column)
    test_name = data.test or ("terminals" if data.train == "terminals" else None)
    try:
        train = read(data.train, "train", data.size, asked)
    except ShapeError:
        if test_name is None:
            raise
        train = read(data.train, "train", read(test_name, "test", None, asked).shape[1:], asked)
    if len(train.classes) < 2:
        raise DataError(f"{data.train}: only one class, {train.classes[0]!r}; at least 2 needed")
    if np.array_equal(train.images.min(0), train.images.max(0)):
        raise DataError(f"{data.train}: all {len(train)} images are the same; bring the real ones")
    train_source, test_source = _source(data.train, train), None
    if test_name is None:
        training_rows, test_rows = split_off_test(train, config.base_seed)
        train, test = train.take(training_rows), train.take(test_rows)
    else:
        # An image folder's most common size may differ between the parts; training's counts.
        size = data.size or (train.shape[1], train.shape[2])
        test = align(train, read(test_name, "test", size, asked))
        test_source = _source(test_name, test)
    ok = resolve_ok(train, data.ok or ("ok" if data.train == "terminals" else None))
    kinds = [*train.classes, *([] if train.modes is None else train.modes.tolist())]
    has_costs = config.factory.defect_rate is not None
    check_stages(config.stage, kinds, ok is not None, has_costs, "configuration")
    parts = {seed: split(train, seed) for seed in config.all_seeds}
    return Experiment(train, test, parts, ok, RunSources(train=train_source, test=test_source))


def _source(name: str, frames: Frames) -> Source:
    shape = " x ".join(map(str, frames.shape))
    return Source(
        name=one_line(name), images=len(frames), shape=shape, fingerprint=frames.fingerprint
    )
