"""`gaikan check` on a small trained run: what fails and what passes."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import regressions
from checked_run import RECIPE, VARIANTS, VICTIM, check, drop, edit, other_recipe, spoil, verdicts

from gaikan.training.cell import resident

pytestmark = pytest.mark.timeout(120)


def test_a_run_passes_against_its_own_baseline(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(folder / "run", folder / "baseline.json", "--markdown", tmp_path / "m.md") == 0
    found = verdicts((tmp_path / "m.md").read_text())
    assert len(found) == 4 * len(VARIANTS)
    assert set(found.values()) == {"same"}
    said = capsys.readouterr().out
    assert "passed: 3 variants" in said
    assert "3 variants paired by part and seed, 192 test parts" in said
    assert "frozen networks mlp-vanilla: all distances are as they were" in said


def test_a_mistake_in_inference_fails_whatever_is_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = [f"--allow-{kind}" for kind in ("missing", "data", "recipe", "seeds")]
    resident.cache_clear()
    with regressions.own_statistics():
        options = (*allowed, "--allow-inconclusive")
        assert check(folder / "run", folder / "baseline.json", *options) == 1
    said = capsys.readouterr().out
    assert "failed: frozen mlp-vanilla, mean_embedding: distances moved by " in said
    assert said.splitlines()[-1] == "FAILED: 2 reasons"


def test_a_variant_that_is_worse_fails_and_is_named(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(run, VICTIM, 0.12)
    written = run / "m.md", run / "j.xml"
    options = ("--markdown", written[0], "--junit", written[1])
    assert check(run, folder / "baseline.json", *options) == 1
    found = verdicts(written[0].read_text())
    assert found["accuracy", VICTIM] == "WORSE"
    assert {v for (_, variant), v in found.items() if variant != VICTIM} == {"same"}
    said = capsys.readouterr().out
    assert f"failed: {VICTIM}: accuracy" in said
    suite = ElementTree.parse(written[1]).getroot().find("testsuite")
    assert suite is not None
    failed = [case.attrib for case in suite if case.find("failure") is not None]
    assert {case["classname"] for case in failed} <= {f"gaikan.{VICTIM}", "gaikan.inconclusive"}
    assert {"classname": f"gaikan.{VICTIM}", "name": "accuracy", "time": "0"} in failed
    assert suite.attrib["failures"] == str(len(failed))


def test_a_drop_below_the_margin_passes(folder: Path, run: Path) -> None:
    spoil(run, VICTIM, 0.12)
    assert check(run, folder / "baseline.json", "--margin", "30") == 0


def test_a_rise_is_reported_and_passes(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(run, VICTIM, 0.12)
    assert check(run, run / "lower.json", "--update") == 0
    assert check(folder / "run", run / "lower.json", "--allow-inconclusive") == 0
    assert f"baseline can be raised: {VICTIM}: accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "text", "flag"),
    [
        (
            lambda run: drop(run, lambda t: t["variant"] == VICTIM),
            f"{VICTIM}: missing from the run",
            "--allow-missing",
        ),
        (other_recipe, RECIPE, "--allow-recipe"),
        (
            lambda run: drop(run, lambda t: t["seed"] == 3),
            f"fewer seeds: 3 seeds, baseline 4 ({', '.join(VARIANTS)})",
            "--allow-seeds",
        ),
        (
            lambda run: edit(run, lambda m: m["data"]["train"].update(fingerprint="f" * 64)),
            "other train data: ",
            "--allow-data",
        ),
    ],
)
def test_what_changed_is_named_and_fails_unless_it_is_allowed(
    folder: Path, run: Path, change: Any, text: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(run)
    assert check(run, folder / "baseline.json") == 1
    assert f"failed: {text}" in capsys.readouterr().out
    assert check(run, folder / "baseline.json", flag) == 0
    assert f"allowed: {text}" in capsys.readouterr().out


def test_another_machine_does_not_fail(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def other(manifest: Any) -> None:
        manifest["precision"], manifest["machine"]["processor"] = "bf16", "another"
        for network in manifest["networks"]:
            network["recipe"]["train"]["precision"] = "bf16"

    edit(run, other)
    assert check(run, folder / "baseline.json") == 0
    said = capsys.readouterr().out
    assert "precision bf16, baseline fp32" in said
    assert "processor another, baseline " in said


def test_other_test_parts_are_compared_unpaired_by_lots(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = json.loads((folder / "baseline.json").read_text())
    held["data"]["test"]["fingerprint"], held["frozen"] = "f" * 64, None
    (tmp_path / "b.json").write_text(json.dumps(held))
    options = ("--allow-data", "--allow-inconclusive", "--markdown", tmp_path / "m.md")
    assert check(folder / "run", tmp_path / "b.json", *options) == 0
    assert "3 variants not paired" in capsys.readouterr().out
    (row,) = [line for line in (tmp_path / "m.md").read_text().splitlines() if VARIANTS[0] in line][
        :1
    ]
    low, high = (float(bound) for bound in row.split("|")[5].split(" to "))
    figure = held["variants"][VARIANTS[0]]["figures"]["accuracy"]
    assert high == pytest.approx(-low)
    assert high > 100 * 1.64 * np.sqrt(2) * figure["error"]  # its own interval, twice


def test_other_seeds_are_paired_by_part(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    table["seed"] += 100
    table.to_parquet(run / "predictions.parquet")
    assert check(run, folder / "baseline.json", "--allow-inconclusive") == 0
    assert "3 variants paired by part, 192 test parts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "{b}"], "nowhere: no run folder"),
        (["{run}", "nowhere.json"], "nowhere.json: no such baseline"),
        (["{run}", "{run}/manifest.json"], "manifest.json: key 'format': field required"),
        (["{run}", "{run}/predictions.parquet"], "predictions.parquet: not JSON"),
        (["{run}", "{b}", "--latency"], "--latency: {run} was not timed"),
        (["{run}", "{b}", "--history", "{b}"], "--history"),
        (["{run}", "{b}", "--junit", "/dev/null/x"], "/dev/null/x: cannot be written"),
        (["{run}", "{b}", "--update", "--junit", "x"], "--update compares nothing"),
    ],
)
def test_unusable_input_is_one_line_and_exit_code_2(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"run": folder / "run", "b": folder / "baseline.json"}
    run, baseline, *options = (argument.format(**names) for argument in arguments)
    assert check(Path(run), Path(baseline), *options) == 2
    said = capsys.readouterr().err
    assert words.format(**names) in said
    assert said.count("\n") == 1
