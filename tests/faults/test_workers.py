"""The processes that train are killed: of the local pool, and of a Dask cluster."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client
from driver import driver, lines, resumes, scores, training, wait_for, workers
from runner import bench

pytest_plugins = ["undisturbed"]
pytestmark = pytest.mark.timeout(180)

Lacking = Callable[[Path, int], list[dict[str, str]]]


def test_a_worker_killed_in_mid_cell_costs_that_training_alone(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    lacking(tmp_path, 1)
    with driver(reference, tmp_path) as process:
        wait_for(lambda: training(tmp_path), process)
        workers(process)[0].kill()
        out, error = process.communicate(timeout=90)
    assert (process.returncode, error) == (0, "")
    assert "3 of 4 cells are stored" in out
    assert scores(tmp_path) == scores(reference / "out")


def test_a_cell_whose_worker_is_killed_again_fails_and_can_be_run_again(
    reference: Path, tmp_path: Path, lacking: Lacking
) -> None:
    lacking(tmp_path, 1)
    with driver(reference, tmp_path) as process:
        for _ in range(2):
            wait_for(lambda: bool(workers(process)), process)
            (worker,) = workers(process)
            worker.kill()
            wait_for(lambda: not worker.is_running())  # noqa: B023
        out, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "failed mlp-triplet seed 1: its process was killed (out of memory?)" in out
    (failure,) = json.loads((tmp_path / "manifest.json").read_text())["failed"]
    assert failure["reason"] == "its process was killed (out of memory?)"
    resumes(reference, tmp_path)


class Dask:
    """A scheduler at one address, and a worker."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.executor = ["--executor", f"dask://{self.address}"]
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        scheduler = self._run("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        wait_for(self._answers)
        self.processes = [scheduler, self._run("worker", self.address, "--nthreads", "1")]
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(1)

    def _run(self, what: str, *options: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *options]
        return subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # with the worker's nanny
        )

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, how: signal.Signals) -> None:
        """Ends the scheduler so, and then the worker, which has none any longer."""
        for process, number in zip(self.processes, (how, signal.SIGKILL), strict=True):
            os.killpg(process.pid, number)
            process.wait(30)
        self.processes = []


@pytest.fixture
def dask() -> Iterator[Dask]:
    both = Dask()
    both.start()
    yield both
    if both.processes:
        both.stop(signal.SIGKILL)


def entries(out: Path) -> int:
    return len(list(out.glob("store/*.safetensors")))


@contextmanager
def once_stored(out: Path, strike: Callable[[], None]) -> Iterator[None]:
    """Strikes when the block has stored a cell: its network, and its embeddings."""
    before = entries(out)

    def watch() -> None:
        wait_for(lambda: entries(out) >= before + 2)
        strike()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


def test_a_scheduler_that_goes_and_comes_back_costs_the_cells_at_work(
    reference: Path, tmp_path: Path, lacking: Lacking, dask: Dask
) -> None:
    lacking(tmp_path, 2)
    before = entries(tmp_path)
    with driver(reference, tmp_path, *dask.executor) as process:
        wait_for(lambda: entries(tmp_path) >= before + 2, process)
        dask.stop(signal.SIGKILL)
        dask.start()
        out, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (0, "")
    said = lines(out)
    lost = f"lost the Dask scheduler at {dask.address}; what has ended is stored; waiting for it"
    assert said.count(lost) == 1
    assert scores(tmp_path) == scores(reference / "out")


def test_a_scheduler_that_stays_away_is_one_line_and_the_run_goes_on_later(
    reference: Path,
    tmp_path: Path,
    lacking: Lacking,
    dask: Dask,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gaikan.grid.dask.runner.PATIENCE_SECONDS", 2)
    lacking(tmp_path, 2)
    with once_stored(tmp_path, lambda: dask.stop(signal.SIGTERM)):
        assert bench(reference / "grid.toml", "--out", tmp_path, *dask.executor) == 2
    (error,) = lines(capsys.readouterr().err)
    assert error == (
        f"gaikan: no Dask scheduler with workers at {dask.address} for 2 s; "
        "what has ended is stored, and the same command goes on where it stopped"
    )
    resumes(reference, tmp_path)
