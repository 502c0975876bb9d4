"""A figure of the test parts that a variant is most confidently wrong about."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gaikan.data.frames import Frames, Images
from gaikan.figures.colours import QUIET
from gaikan.figures.style import labels, sheet, styled
from gaikan.language.words import Language, Words, said, say

_COLUMNS = 6
_PLACE = 30  # characters of what tells where a part comes from
_WIDTH, _WORDS = 1.45, 1.1  # inches: width of an image, height of the text above and below it


@styled
def gallery(
    mistakes: pd.DataFrame, test: Frames, title: str | Words, language: Language = "en"
) -> Figure:
    """Images with actual and predicted class, distance, margin, and where they come from.

    All share one intensity scale: 0..255 for uint8, the range of the images shown for float32.
    """
    index_of_row = {int(row): i for i, row in enumerate(test.rows)}
    shown = np.asarray([index_of_row[int(sample)] for sample in mistakes["sample"]], np.int64)
    images = _shown(test.images[shown])
    names = labels({*mistakes["label"].astype(str), *mistakes["predicted"].astype(str)}, columns=14)
    rows = -(-len(images) // _COLUMNS)
    height = min(max(_WIDTH * images.shape[1] / images.shape[2], 0.6), 2.0) + _WORDS
    figure = sheet(_WIDTH * _COLUMNS, rows * height + 0.4, said(title, language))
    room = 1 - 0.3 / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0, 0, 1, room), h_pad=0.08)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axis in axes.flat[len(images) :]:
        axis.set_axis_off()
    for axis, image, row in zip(axes.flat, images, mistakes.to_dict("records"), strict=False):
        axis.imshow(image, interpolation="nearest", cmap="gray", vmin=0, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
        called = {name: names[str(row[name])] for name in ("label", "predicted")}
        axis.set_title(say("wrong_called", **called).said(language), size=8)
        values = {name: f"{row[name]:.3f}" for name in ("distance", "margin")}
        figures = say("wrong_figures", **values).said(language)
        axis.set_xlabel(f"{figures}\n{_place(row, language)}", size=6.5, color=QUIET)
    return figure


def _place(row: dict[Hashable, Any], language: Language) -> str:
    """Where a part comes from, and its lot on a line of its own."""
    lot = row.get("group")
    texts = [str(row["origin"])]
    if lot is not None and not pd.isna(lot):
        texts.append(say("wrong_lot", lot=str(lot)).said(language))
    return "\n".join(labels([text], _PLACE)[text] for text in texts)


def _shown(images: Images) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Images (N, C, H, W) as grey (N, H, W) or colour (N, H, W, 3) in 0..1."""
    values = images.astype(np.float64)
    low, high = (0.0, 255.0) if images.dtype == np.uint8 else (values.min(), values.max())
    unit = (values - low) / (high - low if high > low else 1.0)
    return unit.transpose(0, 2, 3, 1) if images.shape[1] == 3 else unit.mean(1)
