"""`latency_samples.parquet`: every query that was timed."""

import numpy as np
import pandas as pd

from gaikan.timing.measure import Turn
from gaikan.timing.runtime_process import Case
from gaikan.timing.runtimes import Setting


def samples_table(samples: list[tuple[Setting, Case, list[Turn]]]) -> pd.DataFrame:
    """One row a query: what was computed in which runtime and round, and in how many seconds."""
    frames = []
    for setting, case, turns in samples:
        counts = [len(turn.seconds) for turn in turns]
        on_device = [
            np.full(len(turn.seconds), np.nan) if turn.device is None else turn.device
            for turn in turns
        ]
        columns = {
            "computation": case.model,
            "device": setting.runtime.device,
            "threads": pd.array([setting.threads] * sum(counts), dtype="Int16"),
            "runtime": setting.runtime.name,
            "precision": setting.runtime.precision,
            "batch_size": np.int32(case.batch_size),
            "round": np.repeat(np.arange(len(turns), dtype=np.int16), counts),
            "seconds": np.concatenate([turn.seconds for turn in turns]).astype(np.float32),
            "device_seconds": np.concatenate(on_device).astype(np.float32),
        }
        frames.append(pd.DataFrame(columns))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    text = ["computation", "device", "runtime", "precision"]
    return table.astype({name: "category" for name in text if name in table})
