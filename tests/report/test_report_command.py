"""`gaikan report`: what the page and the Markdown of a run say, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from runner import gaikan

from gaikan.config.toml_files import load_config
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.latency_rows import read_rows, write_rows
from gaikan.run_folder.picks_file import read_picks
from gaikan.selection.asked import DEFAULTS

pytestmark = pytest.mark.timeout(300)


def test_it_is_made_anew_and_opened_without_torch_or_the_data(out: Path, tmp_path: Path) -> None:
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    before = (copy / "report.html").read_text().replace(str(out), str(copy))
    (copy / "report.html").unlink()
    (copy / "report.md").unlink()
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" > '{tmp_path}/opened'\n")
    browser.chmod(0o755)
    code = "import sys; sys.modules['torch'] = None; from gaikan.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "report", str(copy), "--open"],
        env=os.environ | {"BROWSER": f"{browser} %s"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (copy / "report.html").read_text() == before
    assert "gaikan pick RUN" in (copy / "report.md").read_text()
    assert (tmp_path / "opened").read_text().strip() == (copy / "report.html").as_uri()


def test_it_is_small_and_its_markdown_has_the_same_content(out: Path) -> None:
    page = (out / "report.html").read_text()
    assert len(page.encode()) < 1_000_000
    markdown = (out / "report.md").read_text()
    titles = [line.removeprefix("## ") for line in markdown.splitlines() if line[:3] == "## "]
    assert len(titles) == 10
    assert all(f'<span lang="en">{title}</span>' in page for title in titles)
    for variant in pd.read_csv(out / "summary.csv")["variant"]:
        assert f"| {variant} " in markdown
        assert f"<td>{variant}</td>" in page
    assert "\\<script>alert(1)\\</script>" in markdown
    assert "<img" not in markdown.replace("\\<img", "")


def test_an_old_timing_is_not_shown_for_new_networks(timed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "out"
    shutil.copytree(timed, copy)
    facts = {"networks": ["of an earlier run"], "machine": "here"}
    (copy / "latency.json").write_text(json.dumps(facts))
    (copy / "picks.json").unlink()
    assert gaikan("report", copy) == 0
    assert "latency.csv is of other networks" in (copy / "report.md").read_text()
    assert "onnxruntime" not in (copy / "report.md").read_text()


def test_picks_of_an_earlier_timing_are_told(timed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "out"
    shutil.copytree(timed, copy)
    assert "from an earlier timing" not in (copy / "report.md").read_text()
    rows = read_rows(copy / "latency.csv")
    write_rows(copy / "latency.csv", rows[:-1])
    assert gaikan("report", copy) == 0
    assert "from an earlier timing" in (copy / "report.md").read_text()


def test_the_configuration_that_it_shows_makes_the_same_run(out: Path) -> None:
    again, first = (load_config(path, {}) for path in (out / AGAIN, out.parent / "tiny.toml"))
    assert again.stage == DEFAULTS  # what is picked for can be changed
    assert again.model_copy(update={"stage": {}}) == first
    assert (out / AGAIN).read_text() in (out / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--lang", "fr"], "--lang fr: there are en and ja"),
        (["--latency", "missing.csv"], "missing.csv: no readable latency table"),
    ],
)
def test_bad_arguments_are_one_line(
    out: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gaikan("report", out, *arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("manifest.json", "no run folder"),
        ("summary.csv", "summary.csv: not there; run `gaikan bench`"),
        ("predictions.parquet", "predictions.parquet: "),
        ("store", "is missing or damaged"),
    ],
)
def test_a_folder_that_is_not_whole_is_one_line(
    out: Path, tmp_path: Path, missing: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    path = copy / missing
    path.unlink() if path.is_file() else shutil.rmtree(path)
    assert gaikan("report", copy) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_tables_say_that_they_know_no_border_of_a_stage(timed: Path, tmp_path: Path) -> None:
    told = "Every variant as it decides by itself"
    for objective, times in (("accuracy", 0), ("overkill", 2)):
        copy = shutil.copytree(timed, tmp_path / objective)
        limit = "escape_rate = { max = 1.0 }" if times else ""
        stage = f'[stage.any]\nobjective = "{objective}"\nagreement = {{ min = 0 }}\n{limit}\n'
        (tmp_path / "stages.toml").write_text(stage)
        gaikan("pick", copy, "--stages", tmp_path / "stages.toml")
        picks = read_picks(copy / "picks.json")
        assert picks is not None
        assert [pick.threshold is not None for pick in picks.picked] == [times > 0]
        assert gaikan("report", copy) == 0
        sections = (copy / "report.md").read_text().split("\n## ")
        having = [text.partition("\n")[0] for text in sections if told in text]
        assert having[:2] == ["Accuracy", "On the shop floor: escapes and overkill"][:times]
