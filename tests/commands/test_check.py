"""`gaikan check` on a small trained run: what fails, what passes, what is written."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import here
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import regressions
import smoke_parts
from hypothesis import given
from hypothesis import strategies as st
from runner import gaikan

from gaikan.check import baseline as baseline_module
from gaikan.check import frozen_networks
from gaikan.check.baseline import Baseline, Ratio
from gaikan.check.decision_marks import LETTERS, decoded, encoded, whole
from gaikan.check.speed import ratios
from gaikan.config.toml_files import load_config
from gaikan.run_folder.latency_rows import Row, read_rows, write_rows
from gaikan.training.cell import resident

pytestmark = pytest.mark.timeout(120)

TOML = """
seeds = 4
references = "none"
[data]
train = "{folder}/train.parquet"
test = "{folder}/test.parquet"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla", "triplet"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = 3
batch_size = 32
precision = "fp32"
"""
FAILED = {
    "cell": "mlp-x seed 0",
    "arch": "mlp",
    "style": "x",
    "seed": 0,
    "protocol": "held-out",
    "reason": "y",
}
VARIANTS = ["mlp-vanilla-mean_embedding", "mlp-vanilla-head", "mlp-triplet-mean_embedding"]
VICTIM = VARIANTS[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`run`, a trained run, and `baseline.json`, made of it."""
    path = tmp_path_factory.mktemp("check")
    for part in ("train", "test"):
        pq.write_table(smoke_parts.table(part, 12), path / f"{part}.parquet")
    (path / "small.toml").write_text(TOML.format(folder=path))
    here.train_here(load_config(path / "small.toml", {}), path / "run")
    edit(path / "run", lambda manifest: manifest["machine"].update(commit="c" * 40))
    assert check(path / "run", path / "baseline.json", "--update") == 0
    return path


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed."""
    for name in ("manifest.json", "predictions.parquet"):
        (tmp_path / "run").mkdir(exist_ok=True)
        shutil.copy(folder / "run" / name, tmp_path / "run" / name)
    (tmp_path / "run/store").symlink_to(folder / "run/store")
    return tmp_path / "run"


def check(run: Path, baseline: Path, *options: str | Path) -> int:
    """`gaikan check` on a wide terminal; the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        return gaikan("check", run, "--baseline", baseline, *options)


def edit(run: Path, change: Any) -> None:
    """Changes the manifest."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def spoil(run: Path, variant: str, share: float) -> None:
    """Makes wrong so much of the test decisions of a variant that were right."""
    table = pd.read_parquet(run / "predictions.parquet")
    labels, predicted = (table[name].to_numpy(str) for name in ("label", "predicted"))
    own = (table["variant"].eq(variant) & table["split"].eq("test")).to_numpy()
    right = np.flatnonzero(own & (labels == predicted))
    some = np.random.default_rng(0).choice(right, round(share * len(right)), replace=False)
    after = dict(zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True))
    wrong = predicted.copy()
    wrong[some] = [after[name] for name in predicted[some].tolist()]
    table.assign(predicted=wrong).to_parquet(run / "predictions.parquet")


NAMES = list(smoke_parts.MODES)


def drop(run: Path, rows: Any) -> None:
    """Removes the marked rows of the predictions."""
    table = pd.read_parquet(run / "predictions.parquet")
    table[~rows(table)].to_parquet(run / "predictions.parquet")


def verdicts(text: str) -> dict[tuple[str, str], str]:
    """By figure and variant, from the Markdown."""
    found, figure = {}, ""
    for line in text.splitlines():
        if "<summary>" in line:
            figure = line.partition("<summary>")[2].partition("</summary>")[0]
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and cells[0].startswith("mlp-"):
            found[figure, cells[0]] = cells[-1].partition(",")[0]
    return found


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


@given(st.lists(st.tuples(st.integers(0, 51), st.integers(0, 51)), max_size=60))
def test_decisions_come_back_from_their_line(pairs: list[tuple[int, int]]) -> None:
    predicted, actual = np.array(pairs, np.int64).reshape(-1, 2).T
    line = encoded(predicted, actual)
    assert (decoded(line, actual) == predicted).all()
    assert whole(line, len(pairs), LETTERS)
    assert not whole(line + "1", len(pairs), LETTERS)
    assert not whole("?" + line, len(pairs) + 1, LETTERS)


def test_a_line_of_decisions_is_readable() -> None:
    actual = np.zeros(43, np.int64)
    predicted = actual.copy()
    predicted[[37, 40]] = 1, 2
    assert encoded(predicted, actual) == "37b2c2"


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


RECIPE = "other recipe: train.weight_decay 0.5, baseline 0.01 (mlp-vanilla, mlp-triplet)"


def other_recipe(run: Path) -> None:
    def change(manifest: Any) -> None:
        for network in manifest["networks"]:
            network["recipe"]["train"]["weight_decay"] = 0.5

    edit(run, change)


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


def test_without_room_for_decisions_figures_are_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(baseline_module, "MOST_BYTES", 1)
    assert check(folder / "run", tmp_path / "b.json", "--update") == 0
    assert "without (too many" in capsys.readouterr().out
    assert check(folder / "run", tmp_path / "b.json", "--allow-inconclusive") == 0
    assert "3 variants not paired" in capsys.readouterr().out


def test_other_seeds_are_paired_by_part(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    table["seed"] += 100
    table.to_parquet(run / "predictions.parquet")
    assert check(run, folder / "baseline.json", "--allow-inconclusive") == 0
    assert "3 variants paired by part, 192 test parts" in capsys.readouterr().out


UNSURE = "of 12 lines inconclusive: "


def test_what_rules_no_change_out_is_inconclusive_in_every_output_and_fails_unless_it_is_allowed(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three seeds against four others: intervals of ten points and more."""
    drop(run, lambda table: table["seed"] > 2)
    table = pd.read_parquet(run / "predictions.parquet")
    table["seed"] += 100
    table.to_parquet(run / "predictions.parquet")
    written = run / "m.md", run / "j.xml", run / "h.csv"
    options: list[str | Path] = [
        "--markdown",
        written[0],
        "--junit",
        written[1],
        "--history",
        written[2],
    ]
    options.append("--allow-seeds")
    assert check(run, folder / "baseline.json", *options) == 1
    said = capsys.readouterr().out
    assert UNSURE in said
    assert said.splitlines()[-1].startswith("INCONCLUSIVE: nothing is shown to be worse; --allow")
    assert "passed" not in said
    found = verdicts(written[0].read_text())
    assert "cannot tell" in set(found.values()) <= {"cannot tell", "same"}
    suite = ElementTree.parse(written[1]).getroot()[0]
    unsure = {
        (c.attrib["name"], c.attrib["classname"]) for c in suite if c.find("skipped") is not None
    }
    own = {(f, f"gaikan.{v}") for (f, v), verdict in found.items() if verdict == "cannot tell"}
    assert own <= unsure
    failed = [case.attrib["classname"] for case in suite if case.find("failure") is not None]
    assert failed == ["gaikan.inconclusive"]
    history = pd.read_csv(written[2])
    assert history["verdict"].tolist() == ["inconclusive"] * len(VARIANTS)
    assert check(run, folder / "baseline.json", *options, "--allow-inconclusive") == 0
    said = capsys.readouterr().out
    assert "lines inconclusive: a change beyond the margin" in said.split("allowed: ")[2]
    assert said.splitlines()[-1].startswith("passed: 3 variants")
    assert "lines inconclusive" in said.splitlines()[-1]


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_inconclusive(
    folder: Path, run: Path, seeds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    drop(run, lambda table: table["seed"] >= seeds)
    options = ("--allow-seeds", "--markdown", run / "m.md")
    assert check(run, folder / "baseline.json", *options) == 1
    assert f"{UNSURE}fewer than 3 seeds; more seeds would tell more" in capsys.readouterr().out
    assert set(verdicts((run / "m.md").read_text()).values()) == {"cannot tell"}
    assert check(run, folder / "baseline.json", *options, "--allow-inconclusive") == 0


def test_what_such_a_run_would_find_is_one_line(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(run, folder / "baseline.json") == 0
    assert "No decision turned right or wrong." in capsys.readouterr().out
    spoil(run, VICTIM, 0.12)
    assert check(run, folder / "baseline.json") == 1
    said = capsys.readouterr().out
    found = re.search(r"this run would find a drop of accuracy of (\S+) \((\S+)\)", said)
    assert found
    assert float(found[1]) >= 1
    assert found[2] == VICTIM


def test_the_job_summary_is_appended_to(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "summary.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert check(folder / "run", folder / "baseline.json") == 0
    assert (tmp_path / "summary.md").read_text().startswith("before\n### gaikan check passed")


def words(root: ElementTree.Element) -> set[tuple[str, str]]:
    """Every tag with each of its attributes."""
    return {(element.tag, name) for element in root.iter() for name in ["", *element.attrib]}


def test_the_junit_file_has_the_words_that_pytest_uses_and_counts_right(
    folder: Path, run: Path
) -> None:
    (run / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 0\n"
        "@pytest.mark.skip\ndef test_skipped(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "test_some.py", "--junitxml", "pytest.xml"]
    subprocess.run(command, cwd=run, capture_output=True, check=False)
    spoil(run, VICTIM, 0.12)
    other_recipe(run)
    assert check(run, folder / "baseline.json", "--allow-recipe", "--junit", run / "j.xml") == 1
    ours = ElementTree.parse(run / "j.xml").getroot()
    assert words(ours) - words(ElementTree.parse(run / "pytest.xml").getroot()) == set()
    suite = ours[0]
    assert int(suite.attrib["tests"]) == len(suite) == 4 * len(VARIANTS) + 2
    for tag, count in (("failure", "failures"), ("skipped", "skipped")):
        assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{tag}")) > 0


def test_history_gets_a_line_a_variant_and_a_plot(folder: Path, run: Path) -> None:
    path = run / "history.csv"
    assert check(run, folder / "baseline.json", "--history", path) == 0
    spoil(run, VICTIM, 0.12)
    assert check(run, folder / "baseline.json", "--history", path) == 1
    table = pd.read_csv(path)
    assert table["variant"].tolist() == 2 * table["variant"].tolist()[: len(VARIANTS)]
    assert set(table["commit"]) == {"c" * 40}
    assert table["verdict"].eq("WORSE").tolist() == [False] * 5 + [True]
    scores = pd.read_csv(folder / "run/accuracy.csv").query("split == 'test'")
    own = scores[scores["variant"] == VICTIM]["accuracy"]
    first = table[table["variant"] == VICTIM].iloc[0]
    assert first["accuracy"] == pytest.approx(own.mean(), abs=1e-5)
    assert first["error"] == pytest.approx(own.sem(), abs=1e-5)
    assert path.with_suffix(".png").stat().st_size > 0


def pytest_on(run: Path, baseline: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest with the plugin and nothing else, where there are no tests."""
    command = [sys.executable, "-m", "pytest", "-p", "gaikan.check.pytest_plugin", "-v", *options]
    return subprocess.run(
        [*command, "--gaikan-run", str(run), "--gaikan-baseline", str(baseline)],
        cwd=run,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pytest_has_a_test_a_variant(folder: Path, run: Path) -> None:
    spoil(run, VICTIM, 0.12)
    other_recipe(run)
    done = pytest_on(run, folder / "baseline.json")
    assert done.returncode == 1, done.stdout + done.stderr
    for variant in VARIANTS:
        assert f"gaikan[{variant}] {'FAILED' if variant == VICTIM else 'PASSED'}" in done.stdout
    assert "gaikan[recipe] FAILED" in done.stdout
    assert RECIPE in done.stdout
    chosen = pytest_on(run, folder / "baseline.json", "-k", "head")
    assert chosen.returncode == 0
    assert "1 passed, 4 deselected" in chosen.stdout
    table = pd.read_parquet(run / "predictions.parquet")
    table[table["seed"] == 0].to_parquet(run / "predictions.parquet")
    unsure = pytest_on(run, folder / "baseline.json", "-k", "head or inconclusive", "-rs")
    assert unsure.returncode == 1
    assert "gaikan[mlp-vanilla-head] SKIPPED" in unsure.stdout
    assert "inconclusive: mlp-vanilla-head: accuracy" in unsure.stdout
    assert "gaikan[inconclusive] FAILED" in unsure.stdout
    broken = pytest_on(run, run / "none.json")
    assert broken.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no such baseline" in broken.stderr


def timed(run: Path, milliseconds: float, ratio: float) -> None:
    """A latency table of two computations, and one of them in a faster runtime."""
    row = Row(
        machine="m",
        processor="p",
        cores=2,
        variant="mlp-vanilla-head",
        computation="mlp-head",
        device="cpu",
        threads=1,
        runtime="torch",
        precision="fp32",
        batch_size=1,
        includes_decode=False,
        p50_ms=milliseconds,
        speedup=1.0,
    )
    fast = replace(
        row,
        runtime="openvino",
        p50_ms=milliseconds / ratio,
        speedup=ratio,
        speedup_low=ratio * 0.98,
        speedup_high=ratio * 1.02,
    )
    write_rows(run / "latency.csv", [row, fast])


def test_latency_is_compared_as_a_ratio_and_only_when_asked(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timed(run, 1.0, 4.0)
    baseline = run / "b.json"
    assert check(run, baseline, "--update") == 0
    timed(run, 9.0, 3.9)  # a slower machine
    assert check(run, baseline, "--latency") == 0
    timed(run, 1.0, 2.0)
    assert check(run, baseline) == 0
    capsys.readouterr()
    assert check(run, baseline, "--latency") == 1
    assert "failed: mlp-head openvino-fp32 cpu 1 thr: speed 4.00 -> 2.00" in capsys.readouterr().out


def test_only_the_reference_on_its_own_device_has_no_ratio(run: Path) -> None:
    timed(run, 1.0, 4.0)
    reference, fast = read_rows(run / "latency.csv")
    gpu = replace(fast, runtime=reference.runtime, device="cuda", threads=None)
    write_rows(run / "latency.csv", [reference, gpu])
    assert ratios(run) == {
        "mlp-head torch-fp32 cuda @ p": Ratio(ratio=4.0, low=4 * 0.98, high=4 * 1.02)
    }


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


def test_damaged_decisions_are_noticed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = json.loads((folder / "baseline.json").read_text())
    held["decisions"][VICTIM]["2"] += "1"
    (tmp_path / "b.json").write_text(json.dumps(held))
    assert check(folder / "run", tmp_path / "b.json") == 2
    assert f"decisions of {VICTIM} seed 2 are damaged" in capsys.readouterr().err
