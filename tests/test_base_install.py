"""What goes on a Raspberry Pi: a virtual environment with `pip install gaikan` and no more."""

import csv
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from small_bundle import bundle, images
from test_bundle import HEAVY, write_files

from gaikan.bundle.bundle import Bundle
from gaikan.run_folder.latency_rows import read_rows

ROOT = Path(__file__).parent.parent
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

    done = gaikan(python, "time", model, "--quick", "--machine-name", "pi")
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "m.latency.csv")
    assert {(r.machine, r.batch_size, r.skipped) for r in rows} == {
        ("pi", 1, None),
        ("pi", 64, None),
    }

    new = tmp_path / "n.gaikan"
    done = gaikan(python, "enrol", model, files[0], "--class", "burr", "-o", new)
    assert done.returncode == 0, done.stderr
    assert Bundle.open(new).card.classes == (*names, "burr")


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
