"""The contrastive loss, against a naive loop."""

import pytest
import torch
from points import batch
from torch import Tensor

from gaikan.styles.siamese import Siamese, SiameseOptions
from gaikan.styles.targets import target_matrix

CLASSES = ("a", "b", "c")


SIZE = 128  # of the embedding, where a style has a head


def naive_siamese(points: Tensor, labels: Tensor, targets: Tensor, pulls: bool) -> float:
    same, apart = [], []
    for i in range(len(points)):
        for j in range(i):
            distance = float((points[i] - points[j]).norm())
            gap = float(targets[labels[i], labels[j]]) - distance
            if labels[i] == labels[j]:
                same.append(distance**2)
            else:
                apart.append(gap**2 if pulls or gap > 0 else 0.0)
    costly = [value for value in apart if value > 0]
    return sum(same) / len(same) + sum(costly) / max(1, len(costly))


@pytest.mark.parametrize("table", [None, {"a": {"b": 0.5, "c": 2.5}}])
def test_siamese_equals_a_naive_loop(table: dict[str, dict[str, float]] | None) -> None:
    points, labels = batch()
    style = Siamese(SiameseOptions(margin=1.2, targets=table), CLASSES, SIZE)
    targets = torch.from_numpy(target_matrix(table or {}, CLASSES, 1.2))
    expected = naive_siamese(points, labels, targets, table is not None)
    assert float(style(points, labels)) == pytest.approx(expected, rel=1e-6)
