"""The driver is killed, interrupted, doubled, or loses its sense of time."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Driver, driver, lines, resumes, scores, training, wait_for, workers
from runner import bench, command_line

pytest_plugins = ["undisturbed"]
pytestmark = pytest.mark.timeout(180)

Lacking = Callable[[Path, int], list[dict[str, str]]]

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def test_a_driver_killed_in_training_goes_on_where_it_stopped(
    reference: Path, tmp_path: Path, lacking: Lacking, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking(tmp_path, 1)
    with driver(reference, tmp_path) as process:
        wait_for(lambda: training(tmp_path), process)
        (worker,) = workers(process)
        process.kill()
        wait_for(lambda: not worker.is_running())  # nobody trains for nobody
    assert not (tmp_path / "accuracy.csv").exists()
    resumes(reference, tmp_path)
    assert "3 of 4 cells are stored" in capsys.readouterr().out


def test_a_driver_killed_in_writing_a_cell_keeps_no_half_of_it(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    (cell,) = lacking(tmp_path, 1)
    die_in(f"/.{cell['embedded']}.", reference, tmp_path)
    assert list(tmp_path.glob(f"store/{cell['trained']}.*"))
    assert not list(tmp_path.glob(f"store/{cell['embedded']}.*"))
    resumes(reference, tmp_path)


@pytest.mark.parametrize("file", ["accuracy.csv", "manifest.json"])
def test_a_driver_killed_in_writing_the_report_writes_it_again(
    reference: Path, tmp_path: Path, lacking: Lacking, file: str
) -> None:
    lacking(tmp_path, 0)
    die_in(f"/.{file}.", reference, tmp_path)
    assert not (tmp_path / file).exists()
    resumes(reference, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["files"] == json.loads((reference / "out/manifest.json").read_text())["files"]


def die_in(part: str, reference: Path, out: Path) -> None:
    process = Driver(reference, out, dies_in=part)
    _, error = process.communicate()
    assert process.returncode == -signal.SIGKILL, error
    assert list(out.rglob(".*.tmp"))


def test_ctrl_c_is_one_line_and_the_run_goes_on_later(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    lacking(tmp_path, 1)
    with driver(reference, tmp_path) as process:
        wait_for(lambda: training(tmp_path), process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert lines(error) == ["gaikan: interrupted; the same command goes on where it stopped"]
    resumes(reference, tmp_path)


def test_ctrl_c_while_the_workers_start_is_one_line_too(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    lacking(tmp_path, 1)
    with driver(reference, tmp_path) as process:
        wait_for(lambda: bool(workers(process)), process)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert lines(error) == ["gaikan: interrupted; the same command goes on where it stopped"]


def test_a_second_driver_on_the_folder_is_refused_and_harms_nothing(
    reference: Path, tmp_path: Path, lacking: Lacking, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking(tmp_path, 1)
    with driver(reference, tmp_path) as process:
        wait_for(lambda: training(tmp_path), process)
        assert bench(reference / "grid.toml", "--out", tmp_path) == 2
        (error,) = lines(capsys.readouterr().err)
        assert error == (
            f"gaikan: {tmp_path}: another gaikan run is writing here; "
            "wait for it or choose another --out"
        )
        process.communicate(timeout=90)
    assert process.returncode == 0
    assert scores(tmp_path) == scores(reference / "out")


@pytest.mark.skipif(FAKETIME is None, reason="no libfaketime here (apt install libfaketime)")
def test_a_clock_that_is_stepped_back_changes_nothing(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    out, clock = tmp_path / "out", tmp_path / "clock"
    lacking(out, 1)
    clock.write_text("+3d")
    environment = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    command = command_line("bench", reference / "grid.toml", "--out", out)
    with subprocess.Popen(command, env=os.environ | environment) as process:
        wait_for(lambda: training(out) or process.poll() is not None)
        assert process.poll() is None
        clock.write_text("-3d")
        process.wait(90)
    assert process.returncode == 0
    written = (out / "accuracy.csv").stat().st_mtime, (out / ".lock").stat().st_mtime
    assert abs(time.time() - written[0]) < 86400  # the file system's clock is not the process's
    assert scores(out) == scores(reference / "out")
    seconds = json.loads((out / "manifest.json").read_text())["seconds"]
    assert 0 < seconds["training"] < seconds["all"] < 300


@pytest.mark.parametrize("days", [-3, 3])
def test_no_file_s_time_counts(
    reference: Path, tmp_path: Path, days: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(reference / "out", tmp_path / "out")
    when = time.time() + 86400 * days
    for number, path in enumerate(sorted(out.rglob("*"))):
        os.utime(path, (when, when + number))
    resumes(reference, out)
    said = capsys.readouterr().out
    assert "4 of 4 cells are stored" in said
    assert "Nothing has changed since the last run here" in said
