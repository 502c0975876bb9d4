"""Anchor methods. To add one: a file in this folder and a line in `ANCHORS`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gaikan.anchors.fit import FitPart
from gaikan.anchors.mean_embedding import mean_embedding
from gaikan.anchors.mean_image import mean_image

AnchorMethod = Callable[[FitPart], NDArray[np.float32]]

ANCHORS: dict[str, AnchorMethod] = {"mean_image": mean_image, "mean_embedding": mean_embedding}

__all__ = ["ANCHORS", "AnchorMethod", "FitPart"]
