"""What `gaikan check --update` keeps, and which baselines it makes and takes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from checked_run import VARIANTS, VICTIM, check, drop, edit

from gaikan.check import baseline as baseline_module
from gaikan.check import frozen_networks
from gaikan.check.baseline import Baseline

pytestmark = pytest.mark.timeout(120)


FAILED = {
    "cell": "mlp-x seed 0",
    "arch": "mlp",
    "style": "x",
    "seed": 0,
    "protocol": "held-out",
    "reason": "y",
}


def test_a_network_too_large_for_the_repository_is_not_frozen(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(frozen_networks, "MOST_BYTES", 400_000)
    assert check(folder / "run", tmp_path / "b.json", "--update") == 0
    assert "frozen networks: none" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.json"]
    assert check(folder / "run", tmp_path / "b.json") == 0
    assert "the baseline holds no frozen networks" in capsys.readouterr().out


def test_a_baseline_without_its_frozen_networks_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "baseline.json", tmp_path / "b.json")
    assert check(folder / "run", tmp_path / "b.json") == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/b.frozen.safetensors: not there" in said
    assert said.count("\n") == 1


def test_a_store_without_the_networks_makes_no_baseline(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "store").unlink()
    assert check(run, run / "b.json", "--update") == 2
    assert "the store lacks mlp-vanilla seed 0" in capsys.readouterr().err
    assert not list(run.glob("b.*"))


def test_the_baseline_holds_the_figures_of_the_run_and_what_made_them(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.glob("baseline.*")) < 2_000_000
    held = Baseline.read(folder / "baseline.json")
    scores = pd.read_csv(folder / "run/accuracy.csv").query("split == 'test'")
    means = scores.groupby("variant")[["accuracy", "balanced_accuracy", "escape_rate"]].mean()
    for variant in VARIANTS:
        for name in means:
            figure = held.variants[variant].figures[str(name)]
            assert figure.mean == pytest.approx(means[name][variant], abs=1e-5)
            assert figure.error is not None
            assert figure.error > 0
    manifest = json.loads((folder / "run/manifest.json").read_text())
    assert held.commit == "c" * 40
    assert held.data["test"].fingerprint == manifest["data"]["test"]["fingerprint"]
    assert held.machine == manifest["machine"]
    train = held.recipes["mlp-triplet"]["train"]
    assert isinstance(train, dict)
    assert train["epochs"] == 10
    assert not {"seed", "arch", "style"} & held.recipes["mlp-triplet"].keys()
    assert "precision" not in train


def test_updating_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert check(folder / "run", tmp_path / "again.json", "--update") == 0
    for end in (".json", ".frozen.safetensors"):
        again = (tmp_path / f"again{end}").read_bytes()
        assert again == (folder / f"baseline{end}").read_bytes()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m["machine"].update(commit="c" * 40 + "-dirty"), "in no commit"),
        (lambda m: m["failed"].append(FAILED), "a training failed"),
    ],
)
def test_a_run_that_is_not_fit_makes_no_baseline(
    run: Path, change: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(run, change)
    assert check(run, run / "b.json", "--update") == 2
    assert reason in capsys.readouterr().err
    assert not (run / "b.json").exists()


def test_a_single_seed_makes_no_baseline(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drop(run, lambda table: table["seed"] > 0)
    assert check(run, run / "b.json", "--update") == 2
    assert "single seed" in capsys.readouterr().err


def test_without_room_for_decisions_figures_are_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(baseline_module, "MOST_BYTES", 1)
    assert check(folder / "run", tmp_path / "b.json", "--update") == 0
    assert "without (too many" in capsys.readouterr().out
    assert check(folder / "run", tmp_path / "b.json", "--allow-inconclusive") == 0
    assert "3 variants not paired" in capsys.readouterr().out


def test_damaged_decisions_are_noticed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = json.loads((folder / "baseline.json").read_text())
    held["decisions"][VICTIM]["2"] += "1"
    (tmp_path / "b.json").write_text(json.dumps(held))
    assert check(folder / "run", tmp_path / "b.json") == 2
    assert f"decisions of {VICTIM} seed 2 are damaged" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["[stage.line]", "[1, 2]", '{"seeds": 3}'])
def test_a_file_that_is_no_baseline_is_not_replaced(
    content: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "line.toml"
    other.write_text(content)
    assert check(folder / "run", other, "--update") == 2
    assert f"--baseline {other}: is there already, and is no baseline" in capsys.readouterr().err
    assert other.read_text() == content
    old = tmp_path / "old.json"
    old.write_text('{"format": 0, "variants": {}}')
    assert check(folder / "run", old, "--update") == 0
