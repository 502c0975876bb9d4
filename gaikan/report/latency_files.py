"""`latency.csv`, `.json`, `.md`, samples: written, and kept where they still hold."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gaikan.errors import DataError
from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.markdown_page import markdown
from gaikan.run_folder import latency_facts
from gaikan.run_folder.latency_facts import FACTS
from gaikan.run_folder.latency_rows import Row, machine_of, merge, read_rows, write_rows
from gaikan.run_folder.manifest import read_manifest
from gaikan.run_folder.result_tables import read_table
from gaikan.system.files import write

if TYPE_CHECKING:  # `gaikan report` needs no torch
    from gaikan.timing.time_networks import Timing

CSV, PAGE, SAMPLES = "latency.csv", "latency.md", "latency_samples.parquet"


def own_rows(out: Path) -> list[Row]:
    """The rows that the run folder holds; none where it was not timed. Raises DataError."""
    try:
        return read_rows(out / CSV) if (out / CSV).exists() else []
    except DataError as error:
        raise DataError(f"{error}; delete it, and `gaikan time {out}` writes it anew") from None


def read_facts(out: Path) -> dict[str, Any] | None:
    """What the last timing in the run folder left; None where there is no table with it."""
    return latency_facts.read_facts(out) if (out / CSV).exists() else None


def write_timing(out: Path, timing: "Timing", csv: Path | None = None) -> None:
    """The files of a timing; with `csv`, that table alone, to be merged elsewhere."""
    if csv is not None:
        write_rows(csv, timing.rows)
        return
    before = read_facts(out)
    rows = timing.rows
    if before is not None and before["networks"] == timing.facts["networks"]:
        others = [r for r in own_rows(out) if r.machine != timing.facts["machine"]]
        rows = merge(others, rows)
    write(out / FACTS, json.dumps(timing.facts, indent=1) + "\n")
    _write_samples(out / SAMPLES, timing)
    write_rows(out / CSV, rows)
    write_tables(out)


def write_tables(out: Path) -> list[Row]:
    """`latency.md` and the figures, from `latency.csv`; gives its rows."""
    from gaikan.figures.latency_figures import latency_figures
    from gaikan.figures.style import save

    rows = own_rows(out)
    (out / "figures").mkdir(parents=True, exist_ok=True)
    for name, figure in latency_figures(rows).items():
        save(figure, out / f"figures/{name}.png")
    write(out / PAGE, markdown(latency_blocks(rows, read_facts(out))))
    return rows


def _write_samples(path: Path, timing: "Timing") -> None:
    frames = []
    for setting, case, turns in timing.samples:
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
    content = io.BytesIO()
    table.astype({name: "category" for name in text if name in table}).to_parquet(
        content, index=False
    )
    write(path, content.getvalue())


def merge_into(out: Path, others: list[Path]) -> list[Row]:
    """Adds other machines' tables to the run's, and writes its pages anew.

    Raises DataError where a table has variants or networks that the run has not, or names its
    machine as another one is named, or as the one whose timing the run holds.
    """
    rows = own_rows(out)
    known = set(read_table(out, "accuracy")["variant"])
    networks = {each["store"]["trained"] for each in read_manifest(out)["networks"]}
    own = (read_facts(out) or {}).get("machine")
    for path in others:
        added = read_rows(path)
        strangers = sorted({row.variant for row in added} - known)
        if strangers:
            raise DataError(f"{path}: variant {strangers[0]!r} is not in {out}/accuracy.csv")
        if any(row.network not in networks for row in added):
            raise DataError(
                f"{path}: timed on other networks than those of {out}, or does not say on which"
            )
        if any(row.machine == own for row in added):
            raise DataError(
                f"{path}: machine {own!r} is the one that {out} itself was timed on; "
                f"`gaikan time {out}` times it anew, another --machine-name sets it apart"
            )
        _refuse_namesakes(path, rows, added)
        rows = merge(rows, added)
    write_rows(out / CSV, rows)
    return write_tables(out)


def _refuse_namesakes(path: Path, rows: list[Row], added: list[Row]) -> None:
    known = {row.machine: machine_of(row) for row in rows}
    for row in added:
        name, processor, cores = known.get(row.machine, machine_of(row))
        if (name, processor, cores) != machine_of(row):
            raise DataError(
                f"{path}: machine {name!r} is {row.processor} with {row.cores} cores, but the run "
                f"has another of that name ({processor}, {cores} cores); "
                "time it again with another --machine-name"
            )
