"""`gaikan check --latency`: ratios of runtimes."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from checked_run import check
from small_run import Fake, row

from gaikan.check.baseline import Ratio
from gaikan.check.speed import ratios
from gaikan.run_folder.latency_rows import read_rows, write_rows

pytestmark = pytest.mark.timeout(120)


def timed(run: Path, milliseconds: float, ratio: float) -> None:
    """A latency table of a computation in the reference and in a faster runtime."""
    times = {"torch-fp32": milliseconds, "openvino-fp32": milliseconds / ratio}
    one = partial(row, Fake("mlp-vanilla-head", 0, times), threads=1, computation="mlp-head")
    low, high = ratio * 0.98, ratio * 1.02
    fast = one("openvino-fp32", speedup=ratio, speedup_low=low, speedup_high=high)
    write_rows(run / "latency.csv", [one("torch-fp32", speedup=1.0), fast])


def test_latency_is_compared_as_a_ratio_and_only_when_asked(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timed(run, 1.0, 4.0)
    baseline = run / "b.json"
    assert check(run, baseline, "--update") == 0
    timed(run, 9.0, 3.9)  # a slower machine
    assert check(run, baseline, "--latency") == 0
    timed(run, 1.0, 2.0)
    assert check(run, baseline) == 0
    capsys.readouterr()
    assert check(run, baseline, "--latency") == 1
    assert "failed: mlp-head openvino-fp32 cpu 1 thr: speed 4.00 -> 2.00" in capsys.readouterr().out


def test_only_the_reference_on_its_own_device_has_no_ratio(run: Path) -> None:
    timed(run, 1.0, 4.0)
    reference, fast = read_rows(run / "latency.csv")
    gpu = replace(fast, runtime=reference.runtime, device="cuda", threads=None)
    write_rows(run / "latency.csv", [reference, gpu])
    assert ratios(run) == {
        "mlp-head torch-fp32 cuda @ some processor": Ratio(ratio=4.0, low=4 * 0.98, high=4 * 1.02)
    }
