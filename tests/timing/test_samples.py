"""The table of all queries."""

from pathlib import Path

import numpy as np
import pandas as pd

from gaikan.timing.measure import Turn
from gaikan.timing.runtime_process import Case
from gaikan.timing.runtimes import RUNTIMES
from gaikan.timing.samples import samples_table


def test_samples_of_a_gpu_and_of_a_processor_share_a_table(tmp_path: Path) -> None:
    seconds, on_device = np.array([0.25, 0.5]), np.array([0.125, 0.375])
    gpu = Turn(seconds, on_device, cpu=0.1)
    samples = [
        (RUNTIMES["torch-fp16-cuda"].setting(1), Case("cnn-anchors", 1), [gpu, gpu]),
        (RUNTIMES["torch-fp32"].setting(2), Case("cnn-anchors", 1), [Turn(seconds, None, 0.1)]),
    ]
    samples_table(samples).to_parquet(tmp_path / "samples.parquet")
    table = pd.read_parquet(tmp_path / "samples.parquet")
    assert table["round"].tolist() == [0, 0, 1, 1, 0, 0]
    assert table["threads"].tolist() == [pd.NA] * 4 + [2, 2]
    assert table["seconds"].tolist() == [0.25, 0.5] * 3
    assert table["device_seconds"].tolist()[:4] == [0.125, 0.375] * 2
    assert table["device_seconds"].isna().tolist() == [False] * 4 + [True] * 2
