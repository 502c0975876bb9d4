"""What size costs: time and peak memory of describing, training, scoring and exporting.

`python bench/scale.py FOLDER IMAGES [SEEDS]` writes a frame table of so many images of 36 x 39
to FOLDER, once, and runs on it, each command in a process of its own: `gaikan data`; `gaikan
bench` of the mlp, triplet, one epoch of the recipe (which is four of the mlp), with a test part
split off; `gaikan export`. Adds a line to FOLDER/scale.csv. `python bench/scale.py FOLDER` alone
prints the lines as a table and draws FOLDER/scale.png. Linux only: memory is read from /proc.

Memory is the largest sum over all processes of a command of what each has for itself and its
share of what they share (PSS; mapped files count), looked at every tenth second; and the largest
single process's (RSS).
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from gaikan.data.terminals import terminals
from gaikan.report.markdown_table import markdown
from gaikan.system.machine import processor

STEPS = ("data", "bench", "export")

_AT_ONCE = 50_000
_LOT = 2_000  # at most: a tenth of a small table
_NOISE = 8  # grey levels, each way


def write_parts(path: Path, count: int) -> None:
    """`count` images: rendered terminals, each moved, and with noise and light of its own lot."""
    base, rng = terminals("train"), np.random.default_rng(0)
    lot = min(_LOT, max(1, count // 10))
    columns = [f"data{i}" for i in range(base.images[0].size)]
    schema = pa.schema(
        [(name, pa.uint8()) for name in columns]
        + [("label", pa.int64()), ("fmode", pa.string()), ("group", pa.string())]
    )
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for start in range(0, count, _AT_ONCE):
            n = min(_AT_ONCE, count - start)
            lots = (np.arange(start, start + n) // lot).astype(str)
            chosen = rng.integers(0, len(base), n)
            light = np.random.default_rng(1).uniform(0.7, 1.2, 10_000)[lots.astype(int)]
            images = base.images[chosen, 0]
            for axis in (1, 2):
                shifts = rng.integers(-2, 3, n)
                for shift in range(-2, 3):
                    images[shifts == shift] = np.roll(images[shifts == shift], shift, axis)
            pixels = images.reshape(n, -1) * light[:, None].astype(np.float32)
            pixels += rng.integers(-_NOISE, _NOISE + 1, pixels.shape, np.int8)
            pixels = pixels.clip(0, 255).astype(np.uint8)
            held = [pa.array(np.ascontiguousarray(column)) for column in pixels.T]
            labels = base.labels[chosen]
            modes = np.asarray(base.classes)[labels]
            writer.write_table(
                pa.table([*held, pa.array(labels), pa.array(modes), pa.array(lots)], schema)
            )


def measured(command: list[str]) -> dict[str, float]:
    """Seconds, processor seconds, GB of all its processes together, and of the largest one."""
    started, before = time.perf_counter(), _processor_seconds()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    together, largest = 0, 0
    while process.poll() is None:
        shares, sizes = [0], [0]
        with suppress(psutil.NoSuchProcess):
            for each in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    info = each.memory_full_info()
                    shares.append(info.pss)
                    sizes.append(info.rss)
        together, largest = max(together, sum(shares)), max(largest, *sizes)
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return {
        "s": round(time.perf_counter() - started, 1),
        "cpu_s": round(_processor_seconds() - before, 1),
        "gb": round(together / 1e9, 2),
        "largest_gb": round(largest / 1e9, 2),
    }


def _processor_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def measure(folder: Path, images: int, seeds: int) -> None:
    source, run = folder / f"{images}.parquet", folder / f"run-{images}-{seeds}"
    folder.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        with tempfile.TemporaryDirectory(dir=folder) as name:
            write_parts(Path(name) / source.name, images)
            (Path(name) / source.name).rename(source)
    shutil.rmtree(run, ignore_errors=True)
    config = folder / "scale.toml"
    config.write_text(
        'references = "none"\n[grid]\narch = ["mlp"]\nstyle = ["triplet"]\n'
        "[train]\nepochs = 1\n[timing]\nenabled = false\n"
    )
    variant, bundle = "mlp-triplet-mean_embedding", run / "part.gaikan"
    steps = {
        "data": f"data {source}",
        "bench": f"bench {config} --train {source} --ok ok --seeds {seeds} --out {run}",
        "export": f"export {run} --variant {variant} -o {bundle}",
    }
    line: dict[str, object] = {"images": images, "seeds": seeds, "processor": processor()}
    for step, command in steps.items():
        found = measured([str(Path(sys.executable).with_name("gaikan")), *command.split()])
        line |= {f"{step}_{name}": value for name, value in found.items()}
        print(step, line, flush=True)
    table = folder / "scale.csv"
    pd.DataFrame([line]).to_csv(table, mode="a", header=not table.exists(), index=False)


def show(folder: Path) -> None:
    """The lines as a Markdown table, and the picture."""
    table = pd.read_csv(folder / "scale.csv").drop_duplicates(["images", "seeds"], keep="last")
    table = table.sort_values(["seeds", "images"])
    rows = [
        [f"{line['images']:,}", str(line["seeds"])]
        + [
            text
            for step in STEPS
            for text in (f"{line[f'{step}_cpu_s']:.0f}", f"{line[f'{step}_largest_gb']:.1f}")
        ]
        + [f"{line['bench_gb']:.1f}"]
        for line in table.to_dict("records")
    ]
    header = ["images", "seeds", *(f"{step} {unit}" for step in STEPS for unit in ("CPU s", "GB"))]
    header.append("bench, all its processes GB")
    print(markdown(header, rows))
    one = table[table["seeds"] == 1]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for step, marker in zip(STEPS, "os^", strict=True):
        axes[0].loglog(one["images"], one[f"{step}_cpu_s"], f"{marker}-", label=step)
        axes[1].loglog(one["images"], one[f"{step}_largest_gb"], f"{marker}-", label=step)
    ends = one["images"].iloc[[0, -1]]
    axes[0].loglog(
        ends, one["bench_cpu_s"].iloc[-1] * ends / ends.iloc[-1], "--", c="0.6", label="linear"
    )
    for axis, title in zip(
        axes, ("processor time, s", "peak of the largest process, GB"), strict=True
    ):
        axis.set(xlabel="images of 36 x 39", ylabel=title)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter("{x:,.12g}")
            side.set_minor_formatter("")
        axis.grid(alpha=0.3)
    axes[1].set_yticks([0.2, 0.5, 1, 2, 4])
    axes[0].legend(frameon=False)
    figure.savefig(folder / "scale.png", dpi=110)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        show(Path(sys.argv[1]))
    else:
        measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
