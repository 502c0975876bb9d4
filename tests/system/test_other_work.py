"""What else had the processor: counters read from files, the rule, and a real load."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gaikan.system.other_work import Counters, is_disturbed

START = Counters(at=10.0, own=3.0, waited=0.5, busy=100.0, stolen=1.0, throttled=4, cores=8)


def after(seconds: float = 1.0, threads: int = 1, others: float = 0.0, **moved: float) -> Counters:
    """One second later, all of it used by the own threads and `others` cores by other work."""
    moved = {"waited": 0.0, "stolen": 0.0, "throttled": 0, **moved}
    return replace(
        START,
        at=START.at + seconds,
        own=START.own + threads * seconds,
        busy=(START.busy or 0) + (threads + others) * seconds,
        waited=(START.waited or 0) + moved["waited"],
        stolen=(START.stolen or 0) + moved["stolen"],
        throttled=(START.throttled or 0) + int(moved["throttled"]),
    )


@pytest.mark.parametrize(
    ("later", "threads", "disturbed"),
    [
        (after(), 1, False),
        (after(others=0.05), 1, False),  # a quiet system's own work
        (after(others=0.7), 1, False),  # under a tenth of 8 cores, and there is room
        (after(others=1.0), 1, True),
        (after(threads=8, others=0.05), 8, False),
        (after(threads=8, others=0.5), 8, True),  # no core was left for it
        (after(waited=0.04), 1, False),
        (after(waited=0.1), 1, True),
        (after(threads=8, waited=2.0), 8, False),  # for one another
        (after(stolen=0.2), 1, True),
        (after(throttled=1), 1, True),
        (after(seconds=0.01, others=1.0), 1, False),  # one tick: the counter is no finer
        (after(seconds=0.1, others=2.0), 1, True),
    ],
)
def test_the_rule(later: Counters, threads: int, disturbed: bool) -> None:
    assert is_disturbed(START, later, threads) is disturbed


def test_what_is_not_counted_disturbs_nothing_and_without_any_count_nothing_is_known() -> None:
    blind = replace(START, waited=None, busy=None, stolen=None, throttled=None)
    assert is_disturbed(blind, replace(blind, at=11.0), 1) is None
    assert is_disturbed(replace(blind, waited=0.0), replace(blind, at=11.0, waited=0.5), 1) is True
    assert is_disturbed(replace(blind, busy=0.0), replace(blind, at=11.0, busy=0.0), 1) is False
    assert is_disturbed(replace(blind, waited=0.0), replace(blind, at=11.0, waited=0.5), 2) is None


def test_counters_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    (tmp_path / "proc/self/task/7").mkdir(parents=True)
    (tmp_path / "proc/self/task/9").mkdir()
    (tmp_path / "proc/self/task/7/schedstat").write_text("100 2500000000 3\n")
    (tmp_path / "proc/self/task/9/schedstat").write_text("100 500000000 3\n")
    fields = "100 20 30 4000 500 6 7 80 0 0"
    (tmp_path / "proc/stat").write_text(f"cpu  {fields}\ncpu0 {fields}\ncpu1 {fields}\nintr 1 2\n")
    for core in (0, 1):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text("3\n")
    found, ticks = Counters.now(tmp_path), os.sysconf("SC_CLK_TCK")
    assert (found.waited, found.throttled, found.cores) == (3.0, 6, 2)
    assert found.busy == pytest.approx((100 + 20 + 30 + 6 + 7) / ticks)  # neither idle nor stolen
    assert found.stolen == pytest.approx(80 / ticks)


@pytest.mark.parametrize("content", [None, "", "cpu\n", "intr 5\n"])
def test_a_system_without_them_tells_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/stat").write_text(content)
    found = Counters.now(tmp_path)
    assert (found.waited, found.busy, found.stolen, found.throttled) == (None,) * 4


@pytest.fixture
def one_core() -> Iterator[None]:
    """This process on one core alone, with another that keeps the same core busy."""
    if not hasattr(os, "sched_setaffinity") or Counters.now().waited is None:
        pytest.skip("no Linux, or a kernel that does not count waiting")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])  # inherits the core
    try:
        yield
    finally:
        busy.kill()
        busy.wait()
        os.sched_setaffinity(0, before)


def test_a_process_that_keeps_the_core_busy_is_noticed(one_core: None) -> None:
    time.sleep(0.3)  # until it has started
    before = Counters.now()
    ends = time.perf_counter() + 0.5
    while time.perf_counter() < ends:
        pass
    later = Counters.now()
    assert is_disturbed(before, later, 1) is True
    assert (later.waited or 0) - (before.waited or 0) > 0.05
