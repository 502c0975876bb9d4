"""Models that take turns in processes of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from small_networks import IMAGES, exporter, trained

from gaikan.timing.measure import Rule, SamplingPlan
from gaikan.timing.runtime_process import Case, SessionParts
from gaikan.timing.runtimes import RUNTIMES
from gaikan.timing.session import session

TINY = SamplingPlan(Rule(0.002, 4), Rule(0.002, 2), (1, 3), rounds=3, warm_up=0.01)


def test_a_batch_that_would_take_too_long_is_left_out(tmp_path: Path) -> None:
    folder = exporter().write(trained("mlp", 1), IMAGES, tmp_path / "model", {})[0]
    np.save(tmp_path / "sample.npy", IMAGES)
    parts = SessionParts(str(tmp_path / "sample.npy"), ("ok", "a", "b", "c"))
    setting = RUNTIMES["onnxruntime-fp32"].setting(1)
    cases = [(setting, Case("mlp", size)) for size in (1, 3)]
    with session([setting], parts, lambda *_: None) as open_session:
        open_session.load({"mlp": folder})
        open_session.measure(cases, replace(TINY, longest=1e-9), np.random.default_rng(0))
    measured = open_session.measured
    assert [case.batch_size for _, case in measured.turns] == [1]  # however long it takes
    ((left_out, reason),) = measured.left_out.items()
    assert left_out == (setting, Case("mlp", 3))
    assert reason.startswith("a batch of 3 takes about 0.0 s; --thorough")
