"""What holds for the loss of every style."""

import pytest
import torch
from points import batch

from gaikan.styles import STYLES, Style

CLASSES = ("a", "b", "c")


SIZE = 128  # of the embedding, where a style has a head


def every_style() -> list[Style]:
    torch.manual_seed(0)
    styles = [style(style.options_type(), CLASSES, SIZE) for style in STYLES.values()]
    return [style.double() for style in styles]


@pytest.mark.parametrize("index", range(len(STYLES)), ids=list(STYLES))
def test_the_order_of_a_batch_does_not_matter(index: int) -> None:
    points, labels = torch.randn(18, SIZE, dtype=torch.float64), torch.arange(18) % 3
    style, order = every_style()[index], torch.randperm(18)
    expected = style(points, labels).item()
    assert style(points[order], labels[order]).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["siamese", "triplet", "supcon"])
def test_class_numbers_do_not_matter(name: str) -> None:
    points, labels = batch()
    style = STYLES[name](STYLES[name].options_type(), CLASSES, SIZE)
    expected = style(points, labels).item()
    assert float(style(points, (labels + 1) % 3)) == pytest.approx(expected)
