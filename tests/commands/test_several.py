"""`gaikan bench` on several data sets, for real and small."""

from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock
from rich.console import Console
from runner import bench
from tiny import write_class

from gaikan.commands.several import bench_all
from gaikan.config.model import Config
from gaikan.config.plan import load_plan

pytestmark = pytest.mark.timeout(300)

GRID = """
seeds = 1
references = "none"
[grid]
arch = ["mlp"]
style = ["vanilla"]
[timing]
enabled = false
[train]
epochs = 2
batch_size = 16
"""
DATA = """
[[data]]
name = "{name}"
train = "{folder}/{name}"
"""


def write_toml(path: Path, folder: Path, *names: str) -> Path:
    path.write_text(GRID + "".join(DATA.format(name=name, folder=folder) for name in names))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets, `two.toml` for both, and `out`, what came of it."""
    path = tmp_path_factory.mktemp("many")
    for number, name in enumerate(("bolts", "nuts")):
        for place, kind in enumerate(("ok", "open", "spur")):
            write_class(path / name / kind, 3 * place, 20, seed=number, contrast=20)
    assert bench(write_toml(path / "two.toml", path, "bolts", "nuts"), "--out", path / "out") == 0
    return path


def written(out: Path) -> dict[Path, int]:
    """When each file of the runs was written, but for locks."""
    paths = [path for name in ("bolts", "nuts") for path in (out / name).rglob("*")]
    return {path: path.stat().st_mtime_ns for path in paths if path.is_file() and path.suffix}


def test_each_data_set_has_its_run_and_all_have_one_summary(folder: Path) -> None:
    out = folder / "out"
    for name in ("bolts", "nuts"):
        assert (out / name / "report.html").stat().st_size > 0
    for name in ("summary.md", "critical_difference.png", "critical_difference.svg"):
        assert (out / name).stat().st_size > 0
    page = (out / "summary.md").read_text()
    assert "[bolts](bolts/report.html)" in page
    assert "[nuts](nuts/report.html)" in page
    assert "2 data sets are few" in page


def test_the_ranks_are_those_of_the_runs_accuracies(folder: Path) -> None:
    table = pd.read_csv(folder / "out/summary.csv")
    assert table.columns.tolist() == ["variant", "data_set", "accuracy", "rank"]
    assert len(table) == 3 * 2
    for name, part in table.groupby("data_set"):
        scores = pd.read_csv(folder / f"out/{name}/accuracy.csv").query("split == 'test'")
        expected = scores.set_index("variant")["accuracy"]
        own = part.set_index("variant")
        assert own["accuracy"].to_dict() == pytest.approx(expected.to_dict(), abs=1e-5)
        assert own["rank"].to_dict() == expected.rank(ascending=False).to_dict()


def test_again_with_nothing_changed_keeps_every_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out"
    before, summary = written(out), (out / "summary.md").read_bytes()
    drawing = (out / "critical_difference.svg").read_bytes()
    reports = [out / name / page for name in ("bolts", "nuts") for page in PAGES]
    assert bench(folder / "two.toml", "--out", out) == 0
    assert capsys.readouterr().out.count("Nothing has changed since the last run here") == 2
    after = written(out)
    assert before.keys() == after.keys()
    assert {path for path in before if before[path] != after[path]} <= set(reports)
    assert (out / "summary.md").read_bytes() == summary
    assert (out / "critical_difference.svg").read_bytes() == drawing


PAGES = ("report.html", "report.md")  # written anew at the end of every command, as for one run


def test_a_run_may_not_lie_in_the_folder_of_a_summary(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out"
    before = sorted(out.iterdir())
    assert bench(write_toml(tmp_path / "one.toml", folder, "bolts"), "--out", out) == 2
    expected = f"gaikan: {out}: holds a summary of several runs; choose another --out\n"
    assert capsys.readouterr().err == expected
    assert sorted(out.iterdir()) == before


def test_several_files_do_what_one_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = (folder / "out/summary.csv").read_bytes()
    for name in ("bolts", "nuts"):
        own = DATA.format(name=name, folder=folder).replace("[[data]]", "[data]")
        (folder / f"{name}.toml").write_text(GRID + own.replace(f'name = "{name}"\n', ""))
    files = [folder / "bolts.toml", folder / "nuts.toml"]
    assert bench(*files, "--out", folder / "out") == 0
    assert capsys.readouterr().out.count("Nothing has changed since the last run here") == 2
    assert (folder / "out/summary.csv").read_bytes() == summary


def test_a_data_set_that_fails_is_reported_and_the_others_are_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.parquet").write_bytes(b"no parquet")
    toml = write_toml(folder / "three.toml", folder, "broken", "bolts", "nuts")
    toml.write_text(toml.read_text().replace(f"{folder}/broken", f"{folder}/broken.parquet"))
    alone = pd.read_csv(folder / "out/summary.csv")
    assert bench(toml, "--out", folder / "out") == 1
    said = capsys.readouterr().out
    assert said.count("failed broken: ") == 2  # as it happens, and at the end
    page = (folder / "out/summary.md").read_text()
    assert f"**Failed: broken: {folder}/broken.parquet: not a readable parquet file" in page
    assert pd.read_csv(folder / "out/summary.csv").equals(alone)


def test_a_data_set_that_failed_is_not_ranked_by_what_an_earlier_run_left(folder: Path) -> None:
    with FileLock(folder / "out/nuts/.lock"):
        assert bench(folder / "two.toml", "--out", folder / "out") == 1
    page = (folder / "out/summary.md").read_text()
    assert "**Failed: nuts: " in page
    assert "another gaikan run is writing here" in page
    assert "needs at least 2 data sets (here: 1)" in page
    assert set(pd.read_csv(folder / "out/summary.csv")["data_set"]) == {"bolts"}
    assert not list((folder / "out").glob("critical_difference.*"))


def test_an_accident_in_one_data_set_spares_the_others(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def fails(config: Config, out: Path) -> bool:
        asked.append(config.run_name)
        raise ZeroDivisionError("of no use")

    plan = load_plan([folder / "two.toml"], {})
    assert not bench_all(plan, tmp_path / "out", fails, Console())
    assert asked == ["bolts", "nuts"]
    assert "ZeroDivisionError: of no use" in (tmp_path / "out/summary.md").read_text()
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "arguments", "words"),
    [
        ("{folder}/nuts", "{folder}/gone", [], "two.toml: key 'data.2.train': {folder}/gone: no s"),
        ("{folder}/nuts", "hub:x", [], "two.toml: key 'data.2.train': 'hub:x' does not name"),
        ("vanilla", "vanila", [], "two.toml: key 'grid.style': no style 'vanila'"),
        ("", "", ["--train", "terminals"], "--train: which of the 2 data sets (bolts, nuts)"),
        ("", "", ["--device", "tpu"], "command line: key 'device'"),
        ("", "", ["--out", "/dev/null/x"], "--out /dev/null/x: cannot be written"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_trained(
    folder: Path,
    tmp_path: Path,
    before: str,
    after: str,
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, after, words = (text.format(folder=folder) for text in (before, after, words))
    toml = (folder / "two.toml").read_text().replace(before, after)
    (tmp_path / "two.toml").write_text(toml)
    assert bench(tmp_path / "two.toml", "--out", tmp_path / "out", *arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
