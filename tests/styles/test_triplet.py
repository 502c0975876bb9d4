"""The triplet loss, against a naive loop and against pytorch-metric-learning."""

import pytest
import torch
from points import batch
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from torch import Tensor
from torch.autograd import gradcheck

from gaikan.styles import Style
from gaikan.styles.siamese import Siamese, SiameseOptions
from gaikan.styles.triplet import Triplet, TripletOptions

CLASSES = ("a", "b", "c")
SIZE = 128  # of the embedding, where a style has a head
MINING = ["batch_all", "semihard", "hard"]


def triplet(mining: str, margin: float = 0.5) -> Triplet:
    options = TripletOptions.model_validate({"margin": margin, "mining": mining})
    return Triplet(options, CLASSES, SIZE)


def naive_triplet(points: Tensor, labels: Tensor, margin: float, mining: str) -> float:
    n = len(points)
    d = [[float((points[i] - points[j]).norm()) for j in range(n)] for i in range(n)]
    values = []
    for a in range(n):
        positives = [p for p in range(n) if p != a and labels[p] == labels[a]]
        negatives = [q for q in range(n) if labels[q] != labels[a]]
        if mining == "hard":
            values.append(max(d[a][p] for p in positives) - min(d[a][q] for q in negatives))
            continue
        for p in positives:
            for q in negatives:
                if mining == "batch_all" or d[a][q] > d[a][p]:
                    values.append(d[a][p] - d[a][q])
    violations = [v + margin for v in values if v + margin > 0]
    return sum(violations) / max(1, len(violations))


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 1e-4), (torch.float64, 1e-7)])
def test_triplet_equals_a_naive_loop(mining: str, dtype: torch.dtype, rtol: float) -> None:
    points, labels = batch(dtype)
    expected = naive_triplet(points, labels, 0.5, mining)
    assert float(triplet(mining)(points, labels)) == pytest.approx(expected, rel=rtol)


def test_batch_all_equals_pytorch_metric_learning() -> None:
    points, labels = batch()
    expected = TripletMarginLoss(margin=0.5)(points, labels)
    assert float(triplet("batch_all")(points, labels)) == pytest.approx(float(expected), rel=1e-6)


def test_hard_equals_pytorch_metric_learning() -> None:
    points, labels = batch()
    expected = TripletMarginLoss(margin=0.5)(points, labels, BatchHardMiner()(points, labels))
    assert float(triplet("hard")(points, labels)) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize(
    "style",
    [
        *(triplet(mining) for mining in MINING),
        Siamese(SiameseOptions(), CLASSES, SIZE).double(),
        Siamese(SiameseOptions(targets={"a": {"b": 0.5}}), CLASSES, SIZE).double(),
    ],
    ids=[*MINING, "siamese", "siamese with targets"],
)
def test_the_gradient_is_that_of_small_differences(style: Style) -> None:
    points, labels = batch(torch.float64)
    assert gradcheck(lambda x: style(x, labels), points.clone().requires_grad_())


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("labels", [torch.zeros(6).long(), torch.arange(6)])
def test_a_batch_without_triplets_costs_nothing(mining: str, labels: Tensor) -> None:
    points = batch()[0][:6].clone().requires_grad_()
    loss = triplet(mining)(points, labels)
    loss.backward()
    assert loss.detach().item() == 0
    assert points.grad is not None
    assert torch.equal(points.grad, torch.zeros_like(points))


def test_equal_embeddings_have_a_finite_gradient() -> None:
    points = torch.ones(6, 4, requires_grad=True)
    triplet("batch_all")(points, torch.arange(6) % 2).backward()
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()
