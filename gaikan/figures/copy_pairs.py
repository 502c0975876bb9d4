"""A figure of pairs of images that may be copies, side by side."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gaikan.data.frames import Frames
from gaikan.figures.colours import QUIET
from gaikan.figures.style import sheet, styled
from gaikan.language.words import Language, say

_COLUMNS, _ROWS = 4, 4
_WIDTH, _WORDS = 2.15, 0.75  # inches: width of a pair, height of the text around it
_BETWEEN = 0.04  # of the width of an image


@styled
def copy_pairs(
    pairs: pd.DataFrame, train: Frames, test: Frames, language: Language = "en"
) -> Figure:
    """Near pairs of `leaks.csv`, with which parts they are and how alike.

    Those between training and test, which flatter the figures, or all where there are none. From
    the least alike, which ask for a look, to the most; of many, some evenly in between. Each image
    has an intensity scale of its own.
    """
    across = pairs[pairs["first_part"] != pairs["second_part"]]
    pairs = across if len(across) else pairs
    ordered = pairs.sort_values("similarity", kind="stable", ignore_index=True)
    n_shown = min(len(ordered), _COLUMNS * _ROWS)
    shown = ordered.iloc[np.linspace(0, len(ordered) - 1, n_shown).round().astype(int)]
    height, width = train.shape[1:]
    rows = -(-n_shown // _COLUMNS)
    tall = min(max(_WIDTH / 2 * height / width, 0.5), 2.0) + _WORDS
    figure = sheet(_WIDTH * _COLUMNS, rows * tall + 0.4, say("copies_title").said(language))
    room = 1 - 0.3 / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0, 0, 1, room), h_pad=0.08)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axis in axes.flat[n_shown:]:
        axis.set_axis_off()
    sources = {"train": train, "test": test}
    index = {part: {int(row): i for i, row in enumerate(of.rows)} for part, of in sources.items()}
    for axis, pair in zip(axes.flat, shown.to_dict("records"), strict=False):
        both = ("first", "second")
        ends = [(str(pair[f"{end}_part"]), int(pair[f"{end}_sample"])) for end in both]
        images = [_contrast(sources[part].images[index[part][row]]) for part, row in ends]
        gap = np.ones((height, max(1, round(_BETWEEN * width)), 3))
        axis.imshow(np.concatenate([images[0], gap, images[1]], 1), interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([])
        likeness = say("copies_similarity", value=f"{pair['similarity']:.2f}")
        axis.set_title(likeness.said(language), size=8)
        named = [say(f"copies_{part}", row=row) for part, row in ends]
        axis.set_xlabel(" | ".join(end.said(language) for end in named), size=7, color=QUIET)
    return figure


def _contrast(image: NDArray[Any]) -> NDArray[np.float64]:
    """An image (C, H, W) as colours (H, W, 3) in 0..1, dark as black and bright as white."""
    values = image.astype(np.float64)
    low, high = np.percentile(values, (1, 99))
    unit = ((values - low) / (high - low if high > low else 1.0)).clip(0, 1)
    return np.broadcast_to(unit, (3, *image.shape[1:])).transpose(1, 2, 0)
