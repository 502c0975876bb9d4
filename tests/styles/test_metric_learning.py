"""Losses of pytorch-metric-learning, against naive loops of their papers."""

import math
import sys
from pathlib import Path

import pytest
import torch
from points import batch
from runner import gaikan
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn import functional as F

from gaikan.styles import STYLES, Style
from gaikan.styles.metric_learning import PackagedStyle
from gaikan.styles.proxy_anchor import ProxyAnchor, ProxyAnchorOptions
from gaikan.styles.supcon import SupCon, SupConOptions

CLASSES, SIZE = ("a", "b", "c"), 8
PACKAGED = [name for name, style in STYLES.items() if issubclass(style, PackagedStyle)]


def proxy_anchor(options: ProxyAnchorOptions) -> ProxyAnchor:
    torch.manual_seed(0)
    return ProxyAnchor(options, CLASSES, SIZE).double()


def cosine(one: Tensor, other: Tensor) -> float:
    return float(F.cosine_similarity(one, other, dim=0))


def naive_supcon(points: Tensor, labels: Tensor, temperature: float) -> float:
    n, losses = len(points), []
    near = [[math.exp(cosine(a, b) / temperature) for b in points] for a in points]
    for i in range(n):
        others = [j for j in range(n) if j != i]
        same = [j for j in others if labels[j] == labels[i]]
        total = sum(near[i][j] for j in others)
        losses.append(-sum(math.log(near[i][p] / total) for p in same) / len(same))
    return sum(losses) / n


def naive_proxy_anchor(
    points: Tensor, labels: Tensor, proxies: Tensor, m: float, a: float
) -> float:
    own, other = 0.0, 0.0
    for k, proxy in enumerate(proxies):
        similar = [cosine(point, proxy) for point in points]
        pairs = list(zip(similar, labels.tolist(), strict=True))
        own += math.log(1 + sum(math.exp(-a * (s - m)) for s, label in pairs if label == k))
        other += math.log(1 + sum(math.exp(a * (s + m)) for s, label in pairs if label != k))
    return (own + other) / len(proxies)


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float32, 1e-4), (torch.float64, 1e-7)])
def test_supcon_equals_a_naive_loop(dtype: torch.dtype, rtol: float) -> None:
    points, labels = batch(dtype)
    style = SupCon(SupConOptions(temperature=0.3), CLASSES, SIZE)
    expected = naive_supcon(points, labels, 0.3)
    assert float(style(points, labels)) == pytest.approx(expected, rel=rtol)


def test_proxy_anchor_equals_a_naive_loop() -> None:
    points, labels = batch()
    style = proxy_anchor(ProxyAnchorOptions(margin=0.2, alpha=5))
    (proxies,) = style.parameters()
    assert proxies.shape == (len(CLASSES), SIZE)
    expected = naive_proxy_anchor(points, labels, proxies.detach(), 0.2, 5)
    assert style(points, labels).item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", PACKAGED)
def test_lengths_other_than_1_cost_their_square(name: str) -> None:
    points, labels = batch()  # of length 1
    torch.manual_seed(0)
    style = STYLES[name](STYLES[name].options_type(), CLASSES, SIZE).double()
    expected = style(points, labels).item()
    assert isinstance(style, PackagedStyle)
    added = style.length_weight * (3 - 1) ** 2
    assert style(3 * points, labels).item() == pytest.approx(expected + added)


@pytest.mark.parametrize(
    "style",
    [SupCon(SupConOptions(), CLASSES, SIZE), proxy_anchor(ProxyAnchorOptions(alpha=5))],
    ids=PACKAGED,
)
def test_the_gradient_is_that_of_small_differences(style: Style) -> None:
    points, labels = batch(torch.float64)
    assert gradcheck(lambda x: style(x, labels), points.clone().requires_grad_())


@pytest.mark.parametrize("name", PACKAGED)
def test_without_the_extra_one_line_says_what_to_install(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_metric_learning", None)  # as where it is missing
    (tmp_path / "x.toml").write_text(f'[grid]\nstyle = ["{name}"]\n')
    assert gaikan("bench", tmp_path / "x.toml", "--out", tmp_path / "out") == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "pip install 'gaikan[styles]'" in said
    assert not (tmp_path / "out").exists()
