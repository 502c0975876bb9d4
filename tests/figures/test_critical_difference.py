"""The critical-difference diagram, as drawn."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from gaikan.anchors import ANCHORS
from gaikan.evaluation.ranks import critical_difference
from gaikan.figures.critical_difference import critical_difference_diagram, svg
from gaikan.figures.style import pixels, save
from gaikan.networks import NETWORKS
from gaikan.styles import STYLES

PAGE = 8.27  # A4, inches
USUAL = [name for name, style in STYLES.items() if style.package is None]
VARIANTS = [
    *(f"{arch}-{style}-{anchor}" for arch in NETWORKS for style in USUAL for anchor in ANCHORS),
    *(f"{arch}-vanilla-head" for arch in NETWORKS),
    *(f"reference-{name}" for name in ("svm", "knn", "logistic", "random_forest")),
    "reference-nearest_centroid",
]


def mean_ranks(n: int, seed: int = 0) -> pd.Series:
    at = np.sort(np.random.default_rng(seed).uniform(1, n, n))
    return pd.Series(at, VARIANTS[:n])


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.axes[0].texts if text.get_text()]


@pytest.mark.parametrize("n", [3, 4, 8, 19, 26])
def test_every_name_and_rank_is_there_and_none_covers_another(n: int) -> None:
    ranks = mean_ranks(n)
    figure = critical_difference_diagram(ranks, 2.0)
    pixels(figure)
    drawn = texts(figure)
    words = [text.get_text() for text in drawn]
    assert "CD = 2.00" in words
    for variant, rank in ranks.items():
        assert variant in words
        assert f"{rank:.2f}" in words
    boxes = [text.get_window_extent() for text in drawn]
    page = figure.bbox
    for i, box in enumerate(boxes):
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1
        for other in boxes[:i]:
            assert not box.overlaps(other)


def test_the_variants_of_the_default_grid_fit_a_page() -> None:
    width, height = critical_difference_diagram(mean_ranks(26), 2.0).get_size_inches()
    assert len(VARIANTS) == 26
    assert width < PAGE
    assert height < 0.6 * PAGE


def test_it_is_drawn_without_colours() -> None:
    drawn = pixels(critical_difference_diagram(mean_ranks(8), 2.0)).astype(int)
    assert np.ptp(drawn, axis=2).max() == 0


def test_a_leader_stands_at_each_mean_rank() -> None:
    ranks = pd.Series([1.0, 2.5, 4.0], ["a", "b", "c"])
    axes = critical_difference_diagram(ranks, 0.5).axes[0]
    leaders = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == 3]
    first, middle, last = (float(np.asarray(line.get_xdata())[0]) for line in leaders)
    ticks = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert first == pytest.approx(ticks["1"])
    assert middle == pytest.approx((first + last) / 2)
    assert last - first == pytest.approx(3 * (ticks["2"] - ticks["1"]))


def test_a_difference_longer_than_the_axis_still_fits() -> None:
    figure = critical_difference_diagram(mean_ranks(3), critical_difference(3, 2))
    width = figure.get_figwidth()
    for line in figure.axes[0].lines:
        across = np.asarray(line.get_xdata())
        assert across.min() >= 0
        assert across.max() <= width


def test_the_files_are_the_same_for_the_same_figure(tmp_path: Path) -> None:
    written = []
    for name in ("one.png", "two.png"):
        figure = critical_difference_diagram(mean_ranks(8), 2.0)
        drawing = svg(figure)
        save(figure, tmp_path / name)
        written.append((drawing, (tmp_path / name).read_bytes()))
    assert written[0] == written[1]
    root = ElementTree.fromstring(written[0][0])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    with Image.open(tmp_path / "one.png") as image:
        assert image.mode == "L"
