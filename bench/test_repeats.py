"""Whether two timings of the same grid say the same: one after the other, and beside other work."""

import subprocess
import sys
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
from gaikan.system.other_work import Counters
from gaikan.timing.options import TimingOptions
from gaikan.timing.time_networks import time_run
from gaikan.timing.timed_run import TimedRun

RUNTIMES = ("onnxruntime-fp32", "onnxruntime-int8", "openvino-fp32", "openvino-int8")
Place = tuple[str, str, str, int | None, int | None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default grid. Speed does not depend on weights: one epoch trains enough."""
    folder = tmp_path_factory.mktemp("run")
    config = Config(
        seeds=1,
        train=TrainConfig(epochs=1),
        references="none",
        timing=TimingConfig(enabled=False),
        pictures=False,
    )
    with GridProgress(Console(quiet=True)) as progress:
        bench(config, folder, progress)
    return folder


def timed(folder: Path) -> dict[Place, Row]:
    """A row of each computation, which variants share, in each runtime, threads and batch."""
    timing = time_run(TimedRun.read(folder), TimingOptions(), lambda *_: None)
    return {
        (row.computation, row.runtime, row.precision, row.threads, row.batch_size): row
        for row in timing.rows
        if row.p50_ms is not None
    }


def p50(row: Row) -> float:
    assert row.p50_ms is not None
    return row.p50_ms


@pytest.fixture(scope="module")
def first(run: Path) -> dict[Place, Row]:
    return timed(run)


def test_two_timings_agree(
    run: Path, first: dict[Place, Row], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of single images on all cores, in the runtimes that a bundle has."""
    second, most = timed(run), TimingOptions().all_threads[-1]
    compared = [
        place
        for place in first.keys() & second.keys()
        if f"{place[1]}-{place[2]}" in RUNTIMES and place[3:] == (most, 1)
    ]
    turned, errors = [], []
    for one, other in combinations(compared, 2):
        before, after = (p50(rows[one]) / p50(rows[other]) for rows in (first, second))
        errors.append(abs(after / before - 1))
        if max(before, 1 / before) > 1.1 and (before > 1) != (after > 1):
            turned.append((one, other, before, after))
    with capsys.disabled():
        print(
            f"\n{len(errors)} ratios: median error {median(errors):.3f}, most {max(errors):.3f}, "
            f"{len(turned)} turned"
        )
    assert not turned
    assert median(errors) <= 0.05


def test_what_a_busy_core_has_disturbed_is_marked(
    run: Path, first: dict[Place, Row], capsys: pytest.CaptureFixture[str]
) -> None:
    if Counters.now().busy is None:
        pytest.skip("this system does not tell what else has the processor")
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = timed(run)
    finally:
        busy.kill()
        busy.wait()
    off = {
        place: max(p50(row) / p50(first[place]), p50(first[place]) / p50(row))
        for place, row in beside.items()
        if place in first
    }
    marked = {place for place, row in beside.items() if row.is_unreliable}
    far = {place for place, factor in off.items() if factor > 1.15}
    with capsys.disabled():
        print(f"\n{len(off)} figures, {len(far)} off by over 15 %, {len(marked)} marked")
    assert far <= marked
