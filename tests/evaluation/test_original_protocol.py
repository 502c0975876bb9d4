"""The original protocol: what it draws, where its anchors come from, and its optimism."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runner import bench
from tiny import write_class

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.data.frames import Frames
from gaikan.errors import DataError
from gaikan.evaluation.original_protocol import draw, optimism, original_cells, right_answers
from gaikan.evaluation.rates import JudgedParts
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.report.markdown_table import are_figures
from gaikan.training.cell import Arrays, Cell, work
from gaikan.training.train import Recipe

pytestmark = pytest.mark.timeout(120)


def some(n: int, seed: int) -> Frames:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = rng.integers(0, 100, (n, 1, 12, 12), np.uint8)
    images[np.arange(n), 0, 3 * labels] += 90
    return Frames("some", images, labels, ("ok", "a", "b"), ("0", "1", "2"), np.arange(n))


def test_a_draw_is_60_percent_with_replacement_of_every_class() -> None:
    train = some(200, 0)
    rows = draw(train, 3)
    assert len(rows) == 120
    assert len(np.unique(rows)) < 110
    assert set(train.labels[rows]) == {0, 1, 2}
    assert (rows == draw(train, 3)).all()
    assert (rows != draw(train, 4)).any()


def test_a_class_that_no_draw_holds_is_named_as_the_reason() -> None:
    train = some(3, 0)  # three rows of three classes: two drawn never have all
    with pytest.raises(DataError, match="too rare for the bootstrap draw"):
        draw(train, 0)


def test_anchors_come_from_the_labels_of_the_first_1000_test_rows(tmp_path: Path) -> None:
    train, test = some(90, 0), some(1050, 1)
    recipe = Recipe(
        "mlp",
        "vanilla",
        {"label_smoothing": 0.0},
        TrainConfig(epochs=1, precision="fp32", normalise="source"),
        AugmentConfig(),
        0,
    )
    rows = np.arange(90)
    (cell,) = original_cells(
        [Cell(recipe, rows[:60], rows[60:], ("mean_image", "mean_embedding"), "cpu")], train
    )
    assert cell.name == "mlp-vanilla seed 0, original protocol"
    assert not np.isin(cell.validation_rows, cell.fit_rows).any()
    result = work(cell, Arrays.of(train, test), None, lambda epoch, loss: None)
    assert result.trained is not None
    assert result.embedded is not None
    network = EvaluatedNetwork.of(cell, result.trained, result.embedded)
    right = right_answers(network, test)
    assert set(right) == {f"mlp-vanilla-{a}" for a in ("mean_image", "mean_embedding", "head")}

    embeddings, labels = network.embedded.test[:1000], test.labels[:1000]
    anchors = np.stack([embeddings[labels == c].mean(0) for c in range(3)])
    nearest = [np.linalg.norm(anchors - point, axis=1).argmin() for point in embeddings]
    assert (right["mlp-vanilla-mean_embedding"] == (nearest == labels)).mean() > 0.995
    assert len(right["mlp-vanilla-mean_image"]) == 1000


def test_optimism_is_against_the_same_rows_and_seeds() -> None:
    rng = np.random.default_rng(0)
    predicted = np.where(rng.random((1, 2, 1500)) < 0.6, "ok", "a")
    predicted[:, :, 1000:] = "a"  # rows that the original never scored
    judged = JudgedParts(("v",), (0, 1), predicted, np.full(1500, "ok"), None, None)
    original = rng.random((2, 1000)) < 0.8
    found = optimism([{"v": original[0]}, {"v": original[1]}], judged).iloc[0]
    held_out = (predicted[0, :, :1000] == "ok").mean()
    assert found["original"] == pytest.approx(original.mean())
    assert found["optimism"] == pytest.approx(original.mean() - held_out)
    assert found["optimism_low"] < found["optimism"] < found["optimism_high"]
    assert len(optimism([{"v": original[0]}], judged)) == 0  # a seed is missing


def test_an_optimism_is_a_figure_and_stands_to_the_right() -> None:
    row = ["mlp-vanilla-head", "+1.2", "-0.5 to +3.0", "", "-"]
    assert are_figures([row], 5) == [False, True, True, True, False]


def test_a_run_shows_both_protocols_and_keeps_them_apart(tmp_path: Path) -> None:
    for place, name in enumerate(("ok", "open", "spur")):
        write_class(tmp_path / "parts" / name, 3 * place, 20, seed=0, contrast=20)
    text = """
seeds = 1
protocol = "{protocol}"
references = "none"
pictures = false
[data]
train = "{folder}/parts"
[grid]
arch = ["mlp"]
style = ["triplet"]
[train]
epochs = 2
batch_size = 16
[timing]
enabled = false
"""
    tables, pages = [], []
    for protocol in ("held-out", "original"):
        path = tmp_path / f"{protocol}.toml"
        path.write_text(text.format(folder=tmp_path, protocol=protocol))
        assert bench(path, "--out", tmp_path / "out") == 0
        tables.append((tmp_path / "out/accuracy.csv").read_bytes())
        pages.append((tmp_path / "out/accuracy.md").read_text())
    assert tables[0] == tables[1]
    assert "original protocol" not in pages[0]
    assert "original protocol" in pages[1]
    assert set(pd.read_csv(tmp_path / "out/accuracy.csv")["split"]) == {"validation", "test"}
