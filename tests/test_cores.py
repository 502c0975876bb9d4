"""Which threads and cores a runtime works on."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gaikan import machine
from gaikan.timing.measure import Turn, too_many_cores
from gaikan.timing.models import write_gemm
from gaikan.timing.runtimes import RUNTIMES
from gaikan.timing.torch_model import GEMM_SIZE
from gaikan.timing.worker import Server

ALL = machine.core_numbers()
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
    assert reason == "set to 1 threads, it kept 1.9 cores busy"
    assert too_many_cores(2, [[busy]]) is None


@pytest.mark.skipif(len(ALL) < 2, reason="one core: nowhere else to go")
@pytest.mark.parametrize("runtime", ["openvino-fp32", "onnxruntime-fp32"])
def test_the_caller_stays_on_the_first_core_where_openvino_computes_beside_it(
    runtime: str, tmp_path: Path
) -> None:
    """The threads that compute may use all cores, also those of a model that is loaded later."""
    folder = str(write_gemm(tmp_path).folder)
    server = Server(RUNTIMES[runtime], 2)
    for _ in range(2):
        model = server._load(folder)
        model(IMAGES)
        assert machine.core_numbers() == ({min(ALL)} if runtime == "openvino-fp32" else ALL)
        own, whole = time.thread_time(), time.process_time()
        for _ in range(50):
            model(IMAGES)
        others = time.process_time() - whole - (time.thread_time() - own)
        assert others > 0.2 * (time.process_time() - whole)
