"""What `gaikan check` writes for others: job summary, JUnit, history, pytest."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd
import pytest
from checked_run import RECIPE, VARIANTS, VICTIM, check, other_recipe, spoil

pytestmark = pytest.mark.timeout(120)


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
