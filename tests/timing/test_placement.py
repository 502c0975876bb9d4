"""Which threads and cores a runtime works on."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import small_networks

from gaikan.system import machine
from gaikan.timing.measure import Turn, too_many_cores
from gaikan.timing.models import write_gemm
from gaikan.timing.placement import settle
from gaikan.timing.runtimes import RUNTIMES
from gaikan.timing.torch_model import GEMM_SIZE

ALL = machine.core_numbers()
PLACED = pytest.mark.skipif(
    len(ALL) < 2 or not sys.platform.startswith("linux"), reason="one core, or not Linux"
)
IMAGES = np.ones((64, GEMM_SIZE), np.float32)


@pytest.fixture(autouse=True)
def unbound() -> Iterator[None]:
    """Later tests have all cores again."""
    yield
    machine.stay_on(ALL)


@pytest.mark.parametrize("runtime", ["onnxruntime-fp32", "openvino-fp32", "openvino-int8"])
def test_on_one_thread_the_caller_computes(runtime: str, tmp_path: Path) -> None:
    """To wake another thread for every image costs more than a small network."""
    model = RUNTIMES[runtime].load(write_gemm(tmp_path).folder, 1)
    model(IMAGES)
    own, whole = time.thread_time(), time.process_time()
    for _ in range(20):
        model(IMAGES)
    assert time.thread_time() - own > 0.8 * (time.process_time() - whole)


def test_a_runtime_that_uses_more_cores_than_it_was_given_is_found_out() -> None:
    honest = Turn(np.full(10, 0.2), None, cpu=2.1)
    busy = Turn(np.full(10, 0.2), None, cpu=3.9)
    assert too_many_cores(1, [[honest]]) is None
    reason = too_many_cores(1, [[busy]])
    assert reason is not None
    assert reason.en == "set to 1 threads, it kept 1.9 cores busy"
    assert too_many_cores(2, [[busy]]) is None


@PLACED
def test_openvino_s_threads_get_a_core_each_and_the_caller_the_first(tmp_path: Path) -> None:
    """Also those of a model that is loaded later, which still has all the cores to compute on."""
    folder = write_gemm(tmp_path).folder
    for _ in range(2):
        machine.stay_on(ALL)
        model = RUNTIMES["openvino-fp32"].load(folder, 2)
        assert model.beside
        few = IMAGES[:8]  # fast enough to tell by on a busy machine too
        settle(lambda: model(few), ALL)  # noqa: B023
        assert machine.core_numbers() == {min(ALL)}
        own, whole = time.thread_time(), time.process_time()
        for _ in range(50):
            model(IMAGES)
        spent = time.process_time() - whole
        assert spent - (time.thread_time() - own) > 0.5 * spent


@PLACED
def test_threads_that_sleep_and_threads_that_spin_are_told_apart() -> None:
    """A query that hands over to one thread, while another never stops."""
    long = bytes(2**24)
    asked, done, ended = threading.Event(), threading.Event(), threading.Event()

    def spin() -> None:
        while not ended.is_set():
            hashlib.sha256(long)  # without the interpreter's lock

    def serve() -> None:
        while asked.wait() and not ended.is_set():
            asked.clear()
            done.set()

    def query() -> None:
        done.clear()
        asked.set()
        done.wait()

    spinning, serving = threading.Thread(target=spin), threading.Thread(target=serve)
    spinning.start()
    serving.start()
    try:
        first, second = sorted(ALL)[:2]
        settle(query, {first, second})
        assert spinning.native_id is not None
        assert serving.native_id is not None
        assert os.sched_getaffinity(spinning.native_id) == {second}
        assert os.sched_getaffinity(serving.native_id) == machine.core_numbers() == {first}
    finally:
        ended.set()
        asked.set()


def test_slow_queries_place_no_thread() -> None:
    """A few of them do not tell a thread that spins from one that sleeps."""
    settle(lambda: time.sleep(0.02), ALL)
    assert machine.core_numbers() == ALL


LOADED = """
import os
import sys
from gaikan.timing.runtime_process import Server, SessionParts
from gaikan.timing.runtimes import RUNTIMES

folder = sys.argv[1]
server = Server(RUNTIMES["onnxruntime-fp32"], 2)
server.use(SessionParts(folder + "/sample.npy", ("ok", "a", "b", "c")))
for name in ("first", "second", "third"):
    server.load(name, folder)
    print(len(os.listdir("/proc/self/task")))
"""


@PLACED
def test_the_models_of_a_process_share_the_threads_of_onnx_runtime(tmp_path: Path) -> None:
    """Otherwise the threads of one that has just predicted take the cores from the next."""
    trained = small_networks.trained("mlp", 1)
    small_networks.exporter().write(trained, small_networks.IMAGES, tmp_path, {})
    np.save(tmp_path / "sample.npy", small_networks.IMAGES)
    told = subprocess.run([sys.executable, "-c", LOADED, tmp_path], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    first, *later = told.stdout.split()
    assert later == [first, first]
    assert told.stderr == ""
