"""Whether two timings of the same grid, one after the other, say the same."""

from itertools import combinations
from pathlib import Path
from statistics import median

import pytest
from rich.console import Console

from gaikan.commands.progress import GridProgress
from gaikan.config.model import Config, TimingConfig
from gaikan.config.recipe import TrainConfig
from gaikan.flow.bench_run import bench
from gaikan.run_folder.latency_rows import Row
from gaikan.timing.options import TimingOptions
from gaikan.timing.time_networks import time_run
from gaikan.timing.timed_run import TimedRun

RUNTIMES = ("onnxruntime-fp32", "onnxruntime-int8", "openvino-fp32", "openvino-int8")


def typical(rows: list[Row]) -> dict[tuple[str, str, str], float]:
    """p50 of single images by computation, which variants share, runtime and precision."""
    return {
        (row.computation, row.runtime, row.precision): row.p50_ms
        for row in rows
        if row.batch_size == 1 and row.p50_ms is not None
    }


def test_two_timings_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Speed does not depend on weights: one epoch trains enough."""
    config = Config(
        seeds=1,
        train=TrainConfig(epochs=1),
        references="none",
        timing=TimingConfig(enabled=False),
    )
    with GridProgress(Console(quiet=True)) as progress:
        bench(config, tmp_path, progress)
    options = TimingOptions(runtimes=RUNTIMES, threads=(TimingOptions().all_threads[-1],))
    first, second = (
        typical(time_run(TimedRun.read(tmp_path), options, lambda *_: None).rows) for _ in range(2)
    )
    assert first.keys() == second.keys()
    turned, errors = [], []
    for one, other in combinations(first, 2):
        before, after = first[one] / first[other], second[one] / second[other]
        errors.append(abs(after / before - 1))
        if max(before, 1 / before) > 1.1 and (before > 1) != (after > 1):
            turned.append((one, other, before, after))
    with capsys.disabled():
        print(f"\n{len(errors)} ratios: median error {median(errors):.3f}, most {max(errors):.3f}")
    assert not turned
    assert median(errors) <= 0.05
