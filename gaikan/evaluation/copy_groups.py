"""Files whose names tell of one part, and `copies.csv`: groups that keep copies together."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gaikan.data.frames import Frames, Names
from gaikan.data.listing import ending_of, is_image

Index = NDArray[np.int64]


def named_alike(train: Frames, test: Frames) -> Index:
    """Pairs (P, 2) of files of one name in one folder but for the ending: `a.bmp` and `a.jpg`.

    Numbers of images, those of `test` after those of `train`; each with the first of its name.
    """
    names = [*_files(train), *_files(test)]
    first: dict[str, int] = {}
    pairs = [
        (first.setdefault(name[: -len(ending_of(name))].casefold(), number), number)
        for number, name in enumerate(names)
        if is_image(name)
    ]
    different = [(a, b) for a, b in pairs if names[a] != names[b]]
    return np.asarray(different, np.int64).reshape(-1, 2)


def _files(frames: Frames) -> list[str]:
    return [""] * len(frames) if frames.origins is None else frames.origins.tolist()


def copy_groups(train: Frames, test: Frames, pairs: Index) -> pd.DataFrame:
    """`copies.csv`: every image of both sources, in their order, with a group.

    The images of `pairs` (P, 2) are of one group, and with them their lots. `path` is empty where
    the images are no files; `copies` says of how many pairs an image is.
    """
    n_images = len(train) + len(test)
    lots = np.concatenate([_lots(train, "train"), _lots(test, "test")])
    each, lot = np.unique(lots, return_inverse=True)
    ends = lot[pairs]
    links = coo_array((np.ones(len(pairs)), ends.T), shape=(len(each), len(each)))
    component = connected_components(links, directed=False)[1]
    named = np.unique(component, return_index=True)[1]  # by the first lot in it
    both = (train, test)
    columns = {
        "path": np.concatenate([[_path(name) for name in _files(frames)] for frames in both]),
        "label": np.concatenate([frames.names for frames in both]),
        "fmode": np.concatenate(
            [np.full(len(each), "") if each.modes is None else each.modes for each in both]
        ),
        "group": each[named[component[lot]]],
        "copies": np.bincount(pairs.ravel(), minlength=n_images),
        "part": np.repeat(["train", "test"], [len(train), len(test)]),
        "sample": np.concatenate([frames.rows for frames in both]),
    }
    return pd.DataFrame(columns)


def _lots(frames: Frames, part: str) -> Names:
    """The lot of each image (N,); its own where the source has none."""
    if frames.groups is not None:
        return frames.groups
    return np.asarray([f"{part}-{row}" for row in frames.rows.tolist()], np.str_)


def _path(name: str) -> str:
    """Absolute, so that it holds wherever `copies.csv` is taken."""
    return str(Path(name).absolute()) if is_image(name) else ""
