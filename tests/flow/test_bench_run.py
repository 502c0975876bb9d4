"""`gaikan bench` end to end, small: first in a process of its own, then again in this one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runner import bench, command_line
from scipy.stats import binomtest

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 2
[data]
train = "{folder}/train.parquet"
test = "{folder}/test.parquet"
ok = "ok"
[grid]
arch = ["mlp"]
[timing]
enabled = false
[train]
epochs = 3
batch_size = 32
"""


def write_table(path: Path, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    pixels = rng.integers(0, 60, (rows, 64)) + 60 * np.eye(3, 64, dtype=int)[labels].cumsum(1)
    data = {f"data{i}": pixels[:, i].astype(np.uint8) for i in range(64)}
    modes = np.array(["ok", "spur", "open"])[labels]
    pq.write_table(pa.table({**data, "label": labels, "fmode": modes}), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    write_table(path / "train.parquet", 120, 0)
    write_table(path / "test.parquet", 60, 1)
    (path / "tiny.toml").write_text(TOML.format(folder=path))
    command = command_line("bench", path / "tiny.toml", "--out", path / "out")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


def store(folder: Path) -> dict[str, float]:
    return {p.name: p.stat().st_mtime for p in (folder / "out/store").glob("*.safetensors")}


def test_every_file_of_a_run_is_there(folder: Path) -> None:
    out = folder / "out"
    for name in ("manifest.json", "accuracy.md", "report.md", "report.html", "figures/samples.png"):
        assert (out / name).stat().st_size > 0
    for name in ("summary", "comparisons", "rates", "classes", "leaks"):
        assert len(pd.read_csv(out / f"{name}.csv").columns) > 5
    assert len(list((out / "confusion").glob("*.csv"))) == 7 + 6
    assert len(list((out / "confusion").glob("*.png"))) == 7 + 6
    assert len(list((out / "figures").glob("scatter-*.png"))) == 3


def test_the_tables_have_their_columns(folder: Path) -> None:
    scores = pd.read_csv(folder / "out/accuracy.csv")
    assert ",".join(scores.columns) == (
        "variant,arch,style,anchor,seed,split,n,accuracy,balanced_accuracy,macro_f1,"
        "escape_rate,overkill_rate,escapes,defects,overkills,goods"
    )
    assert len(scores) == (7 + 6) * 2 * 2
    table = pd.read_parquet(folder / "out/predictions.parquet")
    assert ",".join(table.columns) == (
        "variant,seed,split,sample,label,predicted,distance,margin,novelty_p,"
        "ok_margin,defect,mode,origin"
    )


def test_the_scores_are_those_of_the_predictions(folder: Path) -> None:
    table = pd.read_parquet(folder / "out/predictions.parquet")
    right = table["label"].astype(str) == table["predicted"].astype(str)
    shares = right.groupby([table["variant"], table["seed"], table["split"]], observed=True).mean()
    for row in pd.read_csv(folder / "out/accuracy.csv").to_dict("records"):
        share = shares[row["variant"], row["seed"], row["split"]]
        assert row["accuracy"] == pytest.approx(share, abs=1e-6)


def test_the_rates_are_those_of_the_predictions(folder: Path) -> None:
    table = pd.read_parquet(folder / "out/predictions.parquet")
    test = table[table["split"] == "test"]
    for row in pd.read_csv(folder / "out/rates.csv").to_dict("records"):
        own = test[test["variant"] == row["variant"]]
        defective = own[own["label"] != "ok"]
        escapes = defective["predicted"].astype(str).eq("ok").groupby(defective["seed"]).sum()
        assert list(map(int, row["escapes"].split())) == escapes.tolist()
        assert row["defects"] == len(defective) / 2
        worst = binomtest(int(escapes.max()), row["defects"], alternative="less")
        assert row["escape_bound"] == pytest.approx(worst.proportion_ci(0.95).high, rel=1e-5)


def test_all_pairs_are_compared_and_the_best_are_marked(folder: Path) -> None:
    pairs = pd.read_csv(folder / "out/comparisons.csv")
    assert len(pairs) == 13 * 12 / 2
    assert (pairs["p_holm"] >= pairs["p"]).all()
    scores = pd.read_csv(folder / "out/accuracy.csv").query("split == 'test'")
    means = scores.groupby("variant")["accuracy"].mean()
    for row in pairs.to_dict("records"):
        assert row["difference"] == pytest.approx(
            means[row["variant"]] - means[row["other"]], abs=1e-5
        )
    lines = (folder / "out/accuracy.md").read_text().splitlines()[2 : 2 + 13]
    behind = set(pairs[pairs["p"] / 2 * 12 < 0.05]["other"])
    for line in lines:
        variant, mark = (cell.strip() for cell in line.split("|")[1:3])
        assert (mark == "=") == (variant not in behind)


def test_leaks_stand_in_the_report_and_the_manifest(folder: Path) -> None:
    leaks = json.loads((folder / "out/manifest.json").read_text())["leaks"]
    assert leaks["test_parts_with_exact_copy_in_training"] == 0
    report = (folder / "out/report.md").read_text()
    assert "## Leak audit\n\nNo leak was found" in report


def test_training_learned_something(folder: Path) -> None:
    scores = pd.read_csv(folder / "out/accuracy.csv")
    assert scores["accuracy"].max() > 0.6


def test_a_second_run_trains_nothing_and_says_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, table = store(folder), folder / "out/accuracy.csv"
    scores, written = table.read_bytes(), table.stat().st_mtime_ns
    assert bench(folder / "tiny.toml", "--out", folder / "out") == 0
    said = capsys.readouterr().out
    assert "6 of 6 cells are stored" in said
    assert "Nothing has changed since the last run here" in said
    assert store(folder) == before
    assert table.stat().st_mtime_ns == written

    (folder / "out/figures/samples.png").unlink()
    assert bench(folder / "tiny.toml", "--out", folder / "out") == 0
    assert "Nothing has changed" not in capsys.readouterr().out
    assert (folder / "out/figures/samples.png").exists()
    assert table.read_bytes() == scores


def test_a_flipped_byte_is_noticed_and_the_cell_rebuilt(folder: Path) -> None:
    scores = (folder / "out/accuracy.csv").read_bytes()
    entry = max((folder / "out/store").glob("*.safetensors"), key=lambda p: p.stat().st_size)
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1
    entry.write_bytes(content)
    assert bench(folder / "tiny.toml", "--out", folder / "out", "--no-pictures") == 0
    manifest = json.loads((folder / "out/manifest.json").read_text())
    assert manifest["damaged_store_entries"] == [entry.name.split(".")[0]]
    assert (folder / "out/accuracy.csv").read_bytes() == scores


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--train", "nowhere.parquet"], "nowhere.parquet: no such file or folder"),
        (["--ok", "gone"], "no class, label or failure mode 'gone'"),
        (["--out", "/dev/null/x"], "--out /dev/null/x: cannot be written"),
        (["--out", ""], "--out: is empty"),
        (["--train", ""], "'': no such file or folder"),
        (["--test", ""], "command line: key 'data.test'"),
        (["--seeds", "0"], "command line: key 'seeds'"),
        (["--device", "tpu"], "command line: key 'device'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(folder / "tiny.toml", *arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_images_that_are_all_the_same_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = {f"data{i}": np.full(40, i, np.uint8) for i in range(64)}
    path, out = tmp_path / "same.parquet", tmp_path / "out"
    pq.write_table(pa.table({**pixels, "label": np.arange(40) % 3, "fmode": ["ok"] * 40}), path)
    assert bench(folder / "tiny.toml", "--train", path, "--out", out) == 2
    error = capsys.readouterr().err
    assert error == f"gaikan: {path}: all 40 images are the same; bring the real ones\n"
    assert not out.exists()


def test_a_test_on_the_training_parts_is_refused_before_anything_is_trained(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, out = folder / "train.parquet", tmp_path / "out"
    same = shutil.copy(train, tmp_path / "same.parquet")
    assert bench(folder / "tiny.toml", "--train", train, "--test", same, "--out", out) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        f"gaikan: {same}: the test source has the very images of the training source, and"
    )
    assert error.count("\n") == 1
    assert not out.exists()


QUICK = ("--seeds", "1", "--epochs", "1", "--references", "none", "--no-pictures")


def test_what_spoils_the_figures_is_told_in_the_terminal(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(test: Path) -> str:
        out = tmp_path / test.stem
        assert bench(folder / "tiny.toml", "--test", test, "--out", out, *QUICK) == 0
        return " ".join(capsys.readouterr().out.split())

    said = "{n} of {n} test parts are also in training, so the test figures say nothing of new"
    again = pq.read_table(folder / "train.parquet").slice(1)
    pq.write_table(again, tmp_path / "again.parquet")
    assert said.format(n=again.num_rows) in told(tmp_path / "again.parquet")
    table = pq.read_table(folder / "test.parquet").to_pandas()
    table.loc[table.index[:8], ["label", "fmode"]] = [7, "dent"]
    table.to_parquet(tmp_path / "new.parquet")
    new = told(tmp_path / "new.parquet")
    assert "its 8 test parts can only be classified wrong" in new
    assert "also in training" not in new


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ('runtimes = ["abacus"]', "no runtime 'abacus'; there are torch-fp32"),
        ("threads = [4096]", "timing on 4096 threads: this machine has"),
        ('plan = "endless"', "key 'timing.plan'"),
    ],
)
def test_a_timing_that_cannot_be_is_refused_before_anything_is_trained(
    folder: Path, tmp_path: Path, asked: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = (folder / "tiny.toml").read_text().replace("enabled = false", asked)
    (tmp_path / "timed.toml").write_text(toml)
    assert bench(tmp_path / "timed.toml", "--out", tmp_path / "out") == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        (["--help"], ("torch", "pandas", "matplotlib")),
        (["data", "terminals"], ("torch", "sklearn", "matplotlib")),
    ],
)
def test_what_is_quick_imports_nothing_heavy(command: list[str], heavy: tuple[str, ...]) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from gaikan.cli import app;"
        f"assert CliRunner().invoke(app, {command!r}).exit_code == 0;"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_run_toml_of_a_run_folder_goes_on_in_that_folder(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "mine"
    assert bench(folder / "tiny.toml", *QUICK, "--no-timing", "--out", out) == 0
    capsys.readouterr()
    assert bench(out / "run.toml") == 0
    assert "3 of 3 cells are stored" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    copied = shutil.copy(out / "run.toml", tmp_path / "run.toml")
    assert bench(copied, *QUICK, "--no-timing") == 0  # in no run folder
    assert (tmp_path / "results").is_dir()
