"""The losses, against naive loops and against pytorch-metric-learning."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn import functional as F

from gaikan.errors import ConfigError
from gaikan.styles import STYLES, Style
from gaikan.styles.distance import pairwise
from gaikan.styles.siamese import Siamese, SiameseOptions
from gaikan.styles.targets import target_matrix
from gaikan.styles.triplet import Triplet, TripletOptions

CLASSES = ("a", "b", "c")
SIZE = 128  # of the embedding, where a style has a head
MINING = ["batch_all", "semihard", "hard"]


def batch(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    points = F.normalize(torch.randn(18, 8, generator=generator, dtype=dtype))
    return points, torch.arange(18) % 3


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


def gradient(loss: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    at = points.clone().requires_grad_()
    (result,) = torch.autograd.grad(loss(at), at)
    return result


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


def test_distances_and_their_gradient_are_those_of_differences() -> None:
    points, _ = batch(torch.float64)
    torch.manual_seed(0)
    weights = torch.randn(len(points), len(points), dtype=torch.float64)
    theirs = partial(torch.cdist, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.allclose(pairwise(points), theirs(points, points), rtol=1e-7)
    assert torch.allclose(
        gradient(lambda x: (pairwise(x) * weights).sum(), points),
        gradient(lambda x: (theirs(x, x) * weights).sum(), points),
        rtol=1e-7,
    )


def test_near_embeddings_keep_their_distance() -> None:
    points = torch.full((3, 128), 100.0)
    points[1, 0] += 0.01
    expected = float(points[1, 0] - 100)
    distances = pairwise(points)
    assert float(distances[0, 1]) == pytest.approx(expected, rel=1e-4)
    assert distances[0, 2] == 0
    assert distances.diagonal().count_nonzero() == 0


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


@pytest.mark.parametrize("name", ["siamese", "triplet"])
def test_class_numbers_do_not_matter(name: str) -> None:
    points, labels = batch()
    style = STYLES[name](STYLES[name].options_type(), CLASSES, SIZE)
    expected = style(points, labels).item()
    assert float(style(points, (labels + 1) % 3)) == pytest.approx(expected)


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


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"a": {"z": 1.0}}, "no class 'z'"),
        ({"a": {"b": -1.0}}, "not a distance"),
        ({"a": {"a": 1.0}}, "distance 0 to itself"),
        ({"a": {"b": 1.0}, "b": {"a": 2.0}}, "the other way round"),
    ],
)
def test_a_wrong_target_names_its_place(table: dict[str, dict[str, float]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        target_matrix(table, CLASSES, 1.0)
