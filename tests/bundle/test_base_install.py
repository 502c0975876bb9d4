"""What goes on a Raspberry Pi: a virtual environment with `pip install gaikan` and no more."""

import csv
import json
import subprocess
import sys
import venv
from pathlib import Path

import pandas as pd
import pytest
from runner import HEAVY
from runner import gaikan as harness
from small_bundle import bundle, images
from small_parts import write_files, write_labelled_table

from gaikan.bundle.bundle import Bundle
from gaikan.run_folder.latency_rows import read_rows
from gaikan.system.machine import cores

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of the environment. Skips where pip cannot build it, with its reason."""
    folder = tmp_path_factory.mktemp("base") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-compile"]
    pip += ["--retries", "1", "-c", str(ROOT / "constraints.txt"), str(ROOT)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip builds no environment here: {done.stderr.strip().splitlines()[-1]}")
    return python


def gaikan(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(python.with_name("gaikan")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_predict_time_and_enrol_need_no_more(python: Path, tmp_path: Path) -> None:
    absent = f"import importlib.util as u; print([m for m in {HEAVY!r} if u.find_spec(m)])"
    done = subprocess.run([python, "-c", absent], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

    model, files = tmp_path / "m.gaikan", write_files(tmp_path / "lot", images(9, 5))
    bundle().save(model)
    done = gaikan(python, "predict", model, tmp_path / "lot", "--csv", tmp_path / "out.csv")
    assert "9 images in " in done.stderr
    with (tmp_path / "out.csv").open(newline="") as file:
        found = {row["image"]: row["class"] for row in csv.DictReader(file)}
    expected = bundle()(images(9, 5)).predicted
    names = bundle().card.classes
    assert found == {str(file): names[i] for file, i in zip(files, expected, strict=True)}

    lot = tmp_path / "lot"
    (lot / "parts.csv").write_text("path,label\n" + "".join(f"{f.name},x\n" for f in files[:4]))
    done = gaikan(python, "predict", model, lot / "parts.csv")
    assert "4 images in " in done.stderr, done.stderr
    done = gaikan(python, "enrol", model, lot / "parts.csv", "--class", "x", "-o", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    for absent in ("parts.parquet", "pixels.csv", "saved"):
        (lot / absent).mkdir() if absent == "saved" else (lot / absent).write_text("data0\n1\n")
        if absent == "saved":
            (lot / "saved/state.json").touch()
        done = gaikan(python, "predict", model, lot / absent)
        assert done.returncode == 2
        assert "to read it needs pyarrow: pip install 'gaikan[bench]', or pyarrow" in done.stderr

    done = gaikan(python, "time", model, "--quick", "--machine-name", "pi")
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "m.latency.csv")
    assert {(r.machine, r.threads, r.batch_size, r.skipped) for r in rows} == {
        ("pi", threads, size, None) for threads in (1, cores()) for size in (1, 64)
    }

    new = tmp_path / "n.gaikan"
    done = gaikan(python, "enrol", model, files[0], "--class", "burr", "-o", new)
    assert done.returncode == 0, done.stderr
    assert Bundle.open(new).card.classes == (*names, "burr")


QUICK = """
seeds = 1
references = "none"
pictures = false
[data]
train = "{folder}/train.parquet"
test = "{folder}/test.parquet"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla"]
[train]
epochs = 6
batch_size = 32
[timing]
plan = "quick"
runtimes = ["torch-fp32", "onnxruntime-fp32", "openvino-fp32"]
"""


def test_what_a_default_run_picks_is_exported_and_predicts_with_no_more(
    python: Path, tmp_path: Path
) -> None:
    """Nothing is said of runtimes, and the quick timing answers both default stages."""
    write_labelled_table(tmp_path / "train.parquet", 900, 0, noise=40)
    write_labelled_table(tmp_path / "test.parquet", 90, 1, noise=40)
    table = pd.read_parquet(tmp_path / "test.parquet")
    pixels = table[[f"data{i}" for i in range(64)]].to_numpy()
    write_files(tmp_path / "lot", pixels.reshape(-1, 1, 8, 8))
    (tmp_path / "quick.toml").write_text(QUICK.format(folder=tmp_path))
    assert harness("bench", tmp_path / "quick.toml", "--out", tmp_path / "run") == 0
    assert {row.threads for row in read_rows(tmp_path / "run/latency.csv")} >= {1, cores()}
    stages = json.loads((tmp_path / "run/picks.json").read_bytes())["stages"]
    for name in ("intermediate", "final"):
        bundle, said = tmp_path / f"{name}.gaikan", tmp_path / f"{name}.csv"
        assert stages[name]["pick"]["bundle"]["needs"] == "pip install gaikan"
        assert harness("export", tmp_path / "run", "--stage", name, "--out", bundle) == 0
        done = gaikan(python, "predict", bundle, tmp_path / "lot", "--csv", said)
        assert done.returncode == 0, done.stderr
        expected = tmp_path / "expected.csv"
        assert harness("predict", bundle, tmp_path / "lot", "--csv", expected) == 0
        own, other = (pd.read_csv(path) for path in (said, expected))
        assert own["class"].tolist() == other["class"].tolist()
        assert len(own) == 90


def test_what_needs_the_harness_says_what_to_install(python: Path, tmp_path: Path) -> None:
    for command in (
        ("bench",),
        ("export", tmp_path, "--variant", "x", "-o", tmp_path / "m"),
        ("import", "w.pth", "--arch", "cnn", "--style", "triplet", "--train", "terminals"),
    ):
        done = gaikan(python, *command)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "pip install 'gaikan[bench]'" in done.stderr
