"""The gallery of mistakes."""

import numpy as np
import pandas as pd

from gaikan.data.frames import Frames
from gaikan.evaluation.mistakes import most_confident_mistakes
from gaikan.figures.gallery import gallery
from gaikan.figures.style import pixels


def test_the_gallery_shows_the_most_confident_mistakes_once_each() -> None:
    table = pd.DataFrame(
        {
            "variant": "v",
            "split": ["test"] * 5 + ["validation"],
            "seed": [0, 0, 0, 1, 1, 0],
            "sample": [0, 1, 2, 1, 2, 3],
            "label": "ok",
            "predicted": ["spur", "spur", "ok", "spur", "spur", "spur"],
            "distance": 1.0,
            "margin": [0.1, 0.5, 9.0, 0.7, 0.2, 9.0],
            "origin": "parts/ok/a name that is far longer than there is room for $.png",
            "group": ["lot-1", None] * 3,
        }
    )
    found = most_confident_mistakes(table, "v")
    assert found["sample"].tolist() == [1, 2, 0]
    assert found["margin"].tolist() == [0.7, 0.2, 0.1]
    images = np.zeros((3, 1, 12, 12), np.uint8)
    images[1] = 255
    labels = np.zeros(3, np.int64)
    test = Frames("s", images, labels, ("ok", "spur"), ("0", "1"), np.arange(3))
    drawn = pixels(gallery(found, test, "mistakes of v"))
    assert drawn.min() == 0
    assert (drawn != 255).any()
