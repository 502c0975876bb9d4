"""The grid on a Dask cluster of two processes: the same bytes, whatever dies meanwhile."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster
from distributed.core import Status
from distributed.utils import get_mp_context
from driver import PRELOADED, scores
from runner import bench
from tiny import FOUR_CELLS, write_class

import gaikan
from gaikan.grid.cells import resolve_device, resolve_precision
from gaikan.grid.dask.runner import outcome
from gaikan.grid.dask.worker import TOPIC, WorkerFacts
from gaikan.grid.dask.workers import Workers

pytestmark = pytest.mark.timeout(180)

CELLS = 4
SOURCE = Path(gaikan.__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, `grid.toml` for four cells, and `local`, their run on this machine."""
    path = tmp_path_factory.mktemp("cluster")
    for place, name in enumerate(("ok", "open", "spur")):
        write_class(path / "parts" / name, 3 * place, 20, seed=0, contrast=20)
    (path / "grid.toml").write_text(FOUR_CELLS.format(folder=path, epochs=16))
    assert bench(path / "grid.toml", "--out", path / "local") == 0
    return path


@contextmanager
def two_workers(method: str) -> Iterator[LocalCluster]:
    """`method` is how their processes start, as `multiprocessing` names it."""
    settings = {
        # Else a worker that is being started again 15 s after it was killed is given up.
        "distributed.deploy.lost-worker-timeout": "1h",
        "distributed.worker.multiprocessing-method": method,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as both,
    ):
        yield both


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Its workers are copies of a process that has imported torch: a new one is there at once."""
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        get_mp_context().set_forkserver_preload(PRELOADED)
    with two_workers("forkserver") as both:
        yield both


@pytest.fixture
def spawned() -> Iterator[LocalCluster]:
    """Its workers take seconds to start again."""
    with two_workers("spawn") as both:
        yield both


def on(cluster: LocalCluster, folder: Path, out: Path, *options: str) -> int:
    address = cluster.scheduler_address.replace("tcp://", "dask://")
    return bench(folder / "grid.toml", "--out", out, "--executor", address, *options)


def scheduler(cluster: LocalCluster) -> Any:
    return cluster.scheduler


def allow(cluster: LocalCluster, failures: int) -> None:
    scheduler(cluster).allowed_failures = failures


def test_the_scores_are_those_of_the_local_run(
    folder: Path, cluster: LocalCluster, tmp_path: Path
) -> None:
    assert on(cluster, folder, tmp_path) == 0
    assert scores(tmp_path) == scores(folder / "local")
    manifest, local = (
        json.loads((out / "manifest.json").read_text()) for out in (tmp_path, folder / "local")
    )
    assert manifest["workers"] == 2
    assert manifest["made_from"] == local["made_from"]  # where it was trained does not count


class Killer:
    """Kills worker processes while they train; `victims` says whether a cell's is one."""

    def __init__(self, cluster: LocalCluster, victims: Callable[[str], bool], most: int) -> None:
        self.cluster, self.victims, self.most = cluster, victims, most
        self.killed: list[str] = []  # the cells that were at work
        self.charged: set[str] = set()  # those that Dask gives up, or has tried again, for it
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self) -> None:
        with Client(self.cluster.scheduler_address, set_as_default=False) as client:
            begun = threading.Event()

            def hear(event: tuple[float, dict[str, Any]]) -> None:
                if event[1]["epoch"] >= 2:
                    begun.set()

            client.subscribe_topic(TOPIC, hear)
            while len(self.killed) < self.most and not self.enough.is_set():
                if begun.wait(0.05):
                    begun.clear()
                    self.strike(client.processing())

    def strike(self, processing: dict[str, Any]) -> None:
        # A nanny whose worker was just killed has its address still, and the next one's process;
        # if that dies before it has connected, Dask gives up on it.
        nannies = {
            nanny.worker_address: nanny.pid
            for nanny in self.cluster.workers.values()
            if nanny.process and nanny.process.status is Status.running and nanny.pid
        }
        for address, keys in processing.items():
            cell = next(map(str, keys), "")
            if cell and address in nannies and self.victims(cell):
                try:
                    os.kill(nannies[address], signal.SIGKILL)
                except ProcessLookupError:  # killed just before, and its nanny does not know yet
                    return
                self.killed.append(cell)
                lost = keys if scheduler(self.cluster).allowed_failures == 0 else [cell]
                self.charged.update(named(str(key)) for key in lost)
                return

    def __enter__(self) -> "Killer":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.thread.join()


@pytest.mark.parametrize("allowed_failures", [3, 0])
def test_killed_workers_change_nothing(
    folder: Path, cluster: LocalCluster, tmp_path: Path, allowed_failures: int
) -> None:
    """With 0 allowed, the first death gives a KilledWorker, and the cell runs again, alone.

    Alone it would fail with a second death: that one meets a cell of another worker.
    """
    allow(cluster, failures=allowed_failures)
    with Killer(cluster, lambda cell: named(cell) not in killer.charged, most=2) as killer:
        assert on(cluster, folder, tmp_path) == 0
    assert len(killer.killed) == 2
    assert scores(tmp_path) == scores(folder / "local")


def named(key: str) -> str:
    """A task's key without what makes it unique."""
    return key.rpartition("-")[0]


def test_a_cell_that_kills_its_workers_fails_alone_and_can_be_resumed(
    folder: Path, cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    allow(cluster, failures=0)
    with Killer(cluster, lambda cell: "mlp-triplet seed 1" in cell, most=99) as killer:
        assert on(cluster, folder, tmp_path) == 1
    assert len(killer.killed) >= 2
    assert "its Dask worker died, also when it ran alone" in capsys.readouterr().out
    (failure,) = json.loads((tmp_path / "manifest.json").read_text())["failed"]
    assert failure["cell"] == "mlp-triplet seed 1"
    allow(cluster, failures=3)
    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)  # the last one killed is being started again
    assert on(cluster, folder, tmp_path) == 0
    assert f"{CELLS - 1} of {CELLS} cells are stored" in capsys.readouterr().out
    assert scores(tmp_path) == scores(folder / "local")


def test_a_result_that_is_lost_while_it_is_fetched_is_cancelled(spawned: LocalCluster) -> None:
    """The last workers die, and with them the images that it could be computed from again."""

    class Slow:
        def __reduce__(self) -> Any:
            time.sleep(60)  # on its way to the client
            return int, ()

    allow(spawned, failures=0)
    with Client(spawned.scheduler_address, set_as_default=False) as client:
        (images,) = client.scatter([b"images"], broadcast=True, hash=False)
        task = client.submit(lambda _: Slow(), images, pure=False)
        wait_for(lambda: task.status == "finished")
        (holder,) = (state.address for state in scheduler(spawned).tasks[task.key].who_has)
        fetched = outcome(client, task)
        nannies = sorted(spawned.workers.values(), key=lambda n: bool(n.worker_address == holder))
        for left, nanny in zip((1, 0), nannies, strict=True):  # the one that has it last
            os.kill(nanny.pid, signal.SIGKILL)
            wait_for(lambda left=left: len(names(spawned)) == left)  # type: ignore[misc]
        with pytest.raises(CancelledError):
            fetched.result(30)


@contextmanager
def worker(cluster: LocalCluster, *options: str, path: Path | None = None) -> Iterator[None]:
    """One more worker, from the package in `path`; there when the block begins."""
    program = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
    fixed = ["--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--name", "more"]
    source = path or SOURCE
    with subprocess.Popen(
        [*program, *fixed, *options],
        cwd=source,  # from there -m imports first
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(lambda: "more" in names(cluster))
            yield
        finally:
            process.terminate()
            process.wait(30)
            wait_for(lambda: "more" not in names(cluster))


def names(cluster: LocalCluster) -> set[str]:
    return {str(state.name) for state in list(scheduler(cluster).workers.values())}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_only_workers_with_the_resources_count_and_several_threads_run_one_cell_at_a_time(
    folder: Path, cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with worker(cluster, "--resources", "GPU=1", "--nthreads", "3"):
        assert on(cluster, folder, tmp_path, "--worker-resources", "GPU=0.3") == 0
    assert "start more workers, each with --nthreads 1" in " ".join(capsys.readouterr().out.split())
    assert json.loads((tmp_path / "manifest.json").read_text())["workers"] == 1
    assert scores(tmp_path) == scores(folder / "local")


def test_a_worker_with_other_code_is_refused(
    folder: Path, cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(Path(gaikan.__file__).parent, tmp_path / "gaikan")
    with (tmp_path / "gaikan/training/train.py").open("a") as file:
        file.write("# edited\n")
    with worker(cluster, "--nthreads", "1", path=tmp_path):
        assert on(cluster, folder, tmp_path / "out") == 2
    error = capsys.readouterr().err.strip()
    assert "Dask worker tcp://127.0.0.1:" in error
    assert error.count("(code ") == 2
    assert error.count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_a_worker_that_lacks_the_package_is_named(
    folder: Path, cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gaikan").mkdir()  # hides the installed one
    (tmp_path / "gaikan/__init__.py").touch()
    with worker(cluster, "--nthreads", "1", path=tmp_path):
        assert on(cluster, folder, tmp_path / "out") == 2
    error = capsys.readouterr().err.strip()
    assert "No module named 'gaikan." in error
    assert error.count("\n") == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--worker-resources", "GPU=1"], "has no worker with GPU=1 among its 2; start one with"),
        (["--device", "cuda"], "no CUDA device on Dask worker tcp://127.0.0.1:"),
    ],
)
def test_workers_that_lack_what_is_asked_are_refused(
    folder: Path,
    cluster: LocalCluster,
    tmp_path: Path,
    options: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert on(cluster, folder, tmp_path / "out", *options) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert error.count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_no_scheduler_is_one_line_within_seconds(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    options = ["--out", str(tmp_path / "out"), "--executor", "dask://127.0.0.1:1"]
    assert bench(folder / "grid.toml", *options) == 2
    assert time.monotonic() - started < 15
    error = capsys.readouterr().err.strip()
    assert error.startswith("gaikan: no Dask scheduler answers at 127.0.0.1:1 ")
    assert error.count("\n") == 0


def having(cuda: bool, bf16: bool) -> WorkerFacts:
    return WorkerFacts(machine={}, versions={}, cuda=cuda, bf16={"cpu": bf16, "cuda": cuda})


@pytest.mark.parametrize(
    ("each", "device", "precision"),
    [
        ([having(True, False), having(True, False)], "cuda", "bf16"),
        ([having(True, True), having(False, True)], "cpu", "bf16"),
        ([having(False, True), having(False, False)], "cpu", "fp32"),
    ],
)
def test_what_is_chosen_is_what_all_workers_have(
    each: list[WorkerFacts], device: str, precision: str
) -> None:
    workers = {f"tcp://w{i}:1": facts for i, facts in enumerate(each)}
    hardware = Workers(workers, dict.fromkeys(workers, 1)).hardware
    assert resolve_device("auto", hardware) == device
    assert resolve_precision("auto", device, hardware) == precision
