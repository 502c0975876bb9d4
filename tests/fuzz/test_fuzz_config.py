"""Configurations, stages and target distances with something wrong in them."""

import csv
import io
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from fuzzing import SCALARS, TEXTS, altered, damaged, fuzz, valid_or_refused
from hypothesis import example, given
from hypothesis import strategies as st

from gaikan.config.model import Config
from gaikan.config.plan import BenchPlan, load_plan
from gaikan.config.toml_files import load_config
from gaikan.grid.cells import axes
from gaikan.styles.siamese import SiameseOptions
from gaikan.styles.targets import target_matrix
from gaikan.timing.options import TimingOptions

pytestmark = pytest.mark.timeout(3600)
BENCH = Path(__file__).parents[2] / "bench"
CLASSES = ("ok", "spur", "open")
FULL: dict[str, Any] = {
    "name": "parts",
    "seeds": 2,
    "base_seed": 1,
    "device": "cpu",
    "protocol": "original",
    "references": "none",
    "data": {"train": "terminals", "test": "x.parquet", "ok": "ok", "shape": "36x39"},
    "grid": {"arch": ["mlp"], "style": ["siamese"], "anchor": ["mean_image"]},
    "train": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1, "precision": "fp32"},
    "augment": {"shift": 0.1, "flip": "both", "noise": 0.5},
    "factory": {"defect_rate": 0.1, "escape_cost": 5.0, "overkill_cost": 1.0},
    "timing": {"enabled": False, "plan": "quick", "runtimes": ["torch-fp32"], "threads": [1]},
    "style": {
        "siamese": {"margin": 1.5, "targets": {"ok": {"spur": 2.0}}},
        "triplet": {"margin": 0.5},
    },
    "stage": {
        "line": {
            "objective": "latency",
            "runtimes": ["torch-fp32"],
            "p90_ms": {"max": 5},
            "escape_bound": {"max": 0.1},
            "recall": {"spur": {"min": 0.5}},
        }
    },
}
MOMENTS = st.sampled_from([date(2000, 1, 1), time(1), datetime(2000, 1, 1, 1)])


def tables(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)


VALUES = SCALARS | MOMENTS | st.recursive(SCALARS | MOMENTS, tables, max_leaves=5)


def toml(value: Any) -> str:
    """A TOML value; tables inline."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{text(key)} = {toml(v)}' for key, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).lower() if value is not None else '"none"'


def text(value: str) -> str:
    return '"' + re.sub(r'[\x00-\x1f"\\\x7f]', lambda c: f"\\u{ord(c[0]):04x}", value) + '"'


def document(value: Any) -> bytes:
    top = value if isinstance(value, dict) else {"name": value}
    lines = "".join(f"{text(key)} = {toml(inner)}\n" for key, inner in top.items())
    return lines.encode(errors="surrogatepass")


def read(path: Path) -> None:
    held: list[BenchPlan] = []
    where = (str(path.parent), "/dev/zero")
    valid_or_refused("configuration", lambda: held.append(load_plan([path], {})), *where)
    if held:
        valid_or_refused("configuration, its names", lambda: held[0].folders(None))
        for run in held[0].runs:
            valid_or_refused("configuration, its names", lambda c=run.config: check(c))  # type: ignore[misc]


def check(config: Config) -> None:
    """What a run does with it before it reads any data."""
    axes(config)
    TimingOptions.of(config.timing.plan, config.timing.runtimes, config.timing.threads)
    assert config.run_name
    assert Path("results", config.run_name).resolve().parent == Path("results").resolve()
    assert len(config.run_name.encode()) < 250
    assert len(config.all_seeds) < 10_000
    for name in config.stage:
        assert Path("x", name).resolve().parent == Path("x").resolve()
        assert len(name.encode()) < 220


MANY = FULL | {"data": [FULL["data"] | {"name": "a"}, {"train": "b.csv", "name": "b"}]}
MANY |= {"executor": "dask://10.0.0.5:8786", "worker_resources": {"GPU": 1}}


@fuzz(120)
@given(altered(FULL, VALUES).map(document) | altered(MANY, VALUES).map(document))
@example(b"seeds = 1" + b"0" * 5000)
@example(b"seeds = 0x" + b"f" * 5000)
@example(b"seeds = 1" + b"0" * 30)
@example(b"name = '..'")
@example(b"x = " + b"[" * 100_000)
@example(b'"a\\nb" = 1')
@example(b"[train]\nlearning_rate = inf")
@example(b"[style.siamese]\ntargets = 'a\\u0000b.csv'".replace(b"'", b'"'))
@example(b"[style.siamese]\ntargets = '/dev/zero'")
@example(b"[stage." + b"a" * 300 + b"]")
def test_fuzz_a_configuration_with_another_key_or_value(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.toml"
    path.write_bytes(content)
    read(path)


@pytest.mark.parametrize("name", ["full.toml", "stages.toml", "smoke.toml"])
@fuzz(40)
@given(st.data())
def test_fuzz_a_damaged_configuration(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(data.draw(damaged((BENCH / name).read_bytes())))
    read(path)


TARGETS = [["", *CLASSES], ["ok", "0", "2", "3"], ["spur", "2", "", "1.5"], ["open", "3", "", "0"]]


@fuzz(60)
@given(st.one_of(altered(TARGETS, TEXTS).map(lambda rows: table(rows)), damaged(b"a,b\nok,1\n")))
@example(b"")
def test_fuzz_target_distances(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "far.csv").write_bytes(content)
    (folder / "targets.toml").write_text("[style.siamese]\ntargets = 'far.csv'")
    names = ("far.csv", "style.siamese.targets")
    valid_or_refused("target distances", lambda: matrix(folder / "targets.toml"), *names)


def matrix(path: Path) -> None:
    config = load_config(path, {})
    axes(config)
    options = SiameseOptions.model_validate(config.style["siamese"])
    found = target_matrix(options.targets or {}, CLASSES, 1.0)
    assert (found == found.T).all()
    assert (found >= 0).all()


def table(rows: Any) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    for row in rows if isinstance(rows, list) else [rows]:
        writer.writerow(row if isinstance(row, list) else [row])
    return file.getvalue().encode(errors="surrogatepass")
