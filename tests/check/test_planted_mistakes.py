"""Mistakes that are planted in the harness, in small trainings: `gaikan check` tells them.

`bench/regressions.py` does the same on the smoke grid; bench/README.md has its table.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import here
import pyarrow.parquet as pq
import pytest
import regressions
import smoke_parts

from gaikan.check.baseline import Baseline, make
from gaikan.check.frozen_networks import FrozenNetworks, changed, freeze
from gaikan.check.outcome import CheckOutcome
from gaikan.check.run_answers import CheckedRun, lots
from gaikan.config.model import Config
from gaikan.config.toml_files import load_config
from gaikan.evaluation.verdict_names import INCONCLUSIVE
from gaikan.training.cell import resident

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 7
references = "none"
[data]
train = "{folder}/train.parquet"
test = "{folder}/test.parquet"
ok = "ok"
[grid]
arch = ["cnn"]
style = ["triplet"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = 10
batch_size = 16
precision = "fp32"
"""
Plant = Callable[[], regressions.Plant]
Outcome = Callable[[Plant], CheckOutcome]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("regressions")
    for part, lot_size in (("train", 18), ("test", 40)):
        pq.write_table(smoke_parts.table(part, lot_size), folder / f"{part}.parquet")
    (folder / "small.toml").write_text(TOML.format(folder=folder))
    return load_config(folder / "small.toml", {})


@pytest.fixture(scope="module")
def right(config: Config, tmp_path_factory: pytest.TempPathFactory) -> CheckedRun:
    """A run without a mistake."""
    tested = here.train_here(config, tmp_path_factory.mktemp("right") / "run")
    committed = replace(tested.manifest.machine, commit="c" * 40)
    return replace(tested, manifest=tested.manifest.model_copy(update={"machine": committed}))


@pytest.fixture(scope="module")
def baseline(right: CheckedRun) -> Baseline:
    return make(right, lots(right), None, None)


@pytest.fixture(scope="module")
def frozen(right: CheckedRun) -> FrozenNetworks:
    found = freeze(right)
    assert found is not None
    return found


@pytest.fixture
def outcome(
    config: Config, right: CheckedRun, baseline: Baseline, frozen: FrozenNetworks, tmp_path: Path
) -> Outcome:
    """The check of what a mistake makes of the run."""

    def planted(plant: Plant) -> CheckOutcome:
        found = regressions.planted(plant, config, right, baseline, frozen, tmp_path / "run")
        tested = CheckedRun.read(tmp_path / "run")
        assert tested.manifest.networks[0].recipe == right.manifest.networks[0].recipe
        return found

    return planted


@pytest.mark.parametrize(
    "plant",
    [
        regressions.wrong_anchors,
        regressions.dropout,
        regressions.flipped_margin,
        regressions.half_the_epochs,
    ],
)
def test_a_mistake_is_caught_by_its_figures_alone(plant: Plant, outcome: Outcome) -> None:
    found = outcome(plant)
    assert {finding.kind for finding in found.findings} <= {INCONCLUSIVE, "inference"}
    assert found.worse


def test_a_mistake_that_changes_no_figure_beyond_noise_is_caught_by_frozen_networks(
    outcome: Outcome,
) -> None:
    found = outcome(regressions.own_statistics)
    assert any(line.difference for line in found.lines)
    assert not found.worse
    assert "inference" in {finding.kind for finding in found.findings}
    assert not found.passed


@pytest.mark.parametrize("plant", regressions.AT_PREDICTION)
def test_every_mistake_of_inference_moves_frozen_distances_without_any_training(
    plant: Plant, frozen: FrozenNetworks
) -> None:
    resident.cache_clear()
    with plant():
        (sentence,) = changed(frozen)
    assert sentence.startswith("frozen cnn-triplet, mean_embedding: distances moved by ")
    assert list(changed(frozen)) == []
