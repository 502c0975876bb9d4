"""The files of a run that people hand on, with something wrong in them."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzzing import JSON_VALUES, TEXTS, altered, damaged, fuzz, json_text, valid_or_refused
from hypothesis import given
from hypothesis import strategies as st
from odd_tables import TYPES, made
from runner import bench, gaikan
from small_run import Fake, row
from tiny import write_class

from gaikan.check.baseline import Baseline
from gaikan.check.check_tables import as_markdown, headline
from gaikan.check.history import COLUMNS, read_history
from gaikan.check.outcome import Settings
from gaikan.check.outcome import check as compare
from gaikan.check.run_answers import CheckedRun as Checked
from gaikan.errors import ConfigError, DataError
from gaikan.export.source import BundleChoice, load_source, picked
from gaikan.report.content import document
from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.latency_tables import fastest_rows, skipped_lines
from gaikan.report.markdown_page import page
from gaikan.report.parts import TestParts
from gaikan.run_folder.decisions import RunFiles
from gaikan.run_folder.latency_rows import read_rows, write_rows
from gaikan.run_folder.whole import RunFolder
from gaikan.selection.unseen_modes import BorderAndLevel, JudgedModes, worst_share
from gaikan.timing.timed_run import TimedRun as Timed

pytestmark = pytest.mark.timeout(3600)
TOML = """
name = "tiny"
seeds = 2
references = "none"
unseen = true
pictures = false
[data]
train = '{folder}/parts'
ok = "ok"
[grid]
arch = ["mlp"]
style = ["triplet"]
[train]
epochs = 1
batch_size = 16
[timing]
enabled = false
"""
STAGES = """
[stage.line]
threads = { max = 1 }
runtimes = ["onnxruntime-fp32"]
escape_bound = { max = 0.9 }
recall = { spur = { min = 0.0 } }
[stage.never]
p50_ms = { max = 1e-9 }
"""
FACTS = {
    "key": "k",
    "machine": "line-pc",
    "processor": "some processor",
    "cores": 4,
    "threads": [1],
    "plan": {
        "name": "quick",
        "batches": [1, 64],
        "warm_up": 0.1,
        "more_rounds": 0,
        "longest": None,
        "single": {"seconds": 1.0, "queries": 64},
        "offline": {"seconds": 1.0, "queries": 10},
        "rounds": 3,
        "head_batches": [1],
    },
    "scored_seeds": [0],
    "scored_images": 6,
    "includes_decode": False,
    "once_per_computation": [
        {"model": "m", "runtime": "r", "threads": 1, "value": 1.0, "low": None, "high": None}
    ],
    "batch_memory": 2**30,
    "ran": 0.99,
    "roofline": [
        {
            "precision": "fp32",
            "threads": 1,
            "gemm_gflops": 50.0,
            "library": "torch",
            "bandwidth_gb_per_s": {"8388608": 9.5},
        }
    ],
    "seconds": 10.0,
    "processor_seconds": 9.0,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run, timed in name only, picked, and made a baseline of."""
    folder = tmp_path_factory.mktemp("run")
    for place, name in ((0, "ok"), (4, "spur"), (8, "open")):
        write_class(folder / "parts" / name, place, 14, seed=0, contrast=60)
    (folder / "tiny.toml").write_text(TOML.format(folder=folder))
    out = folder / "out"
    assert bench(folder / "tiny.toml", "--out", out) == 0
    names = ("mlp-triplet-mean_image", "mlp-triplet-mean_embedding")
    fakes = [Fake(name, 1, {"onnxruntime-fp32": 0.1}) for name in names]
    write_rows(out / "latency.csv", [row(fake, "onnxruntime-fp32", 1) for fake in fakes])
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["machine"]["commit"] = "c" * 40
    (out / "manifest.json").write_text(json.dumps(manifest))
    networks = [each["store"]["trained"] for each in manifest["networks"]]
    (out / "latency.json").write_text(json.dumps({"networks": networks} | FACTS))
    (folder / "stages.toml").write_text(STAGES)
    assert gaikan("pick", out, "--stages", folder / "stages.toml") == 1
    assert gaikan("check", out, "--baseline", out / "baseline.json", "--update") == 0
    return out


@pytest.fixture(scope="module")
def out(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, to be harmed file by file."""
    copy = tmp_path_factory.mktemp("copy") / "out"
    shutil.copytree(whole, copy)
    return copy


def unseen_in(out: Path) -> None:
    run = RunFiles.read(out)
    modes = JudgedModes.of(run.networks, choosing=False)
    for network in run.networks:
        worst_share(network, run.ok or 0, BorderAndLevel(0.1, 0.5), "test", modes)


Use = Callable[[Path], object]
USES: dict[str, Use] = {
    "pick": RunFiles.read,
    "check": lambda out: checked(Checked.read(out), Baseline.read(out / "baseline.json")),
    "time": lambda out: Timed.read(out).scored(all_seeds=False),
    "report": lambda out: page(document(RunFolder.read(out))),
    "parts of a report": lambda out: TestParts.read(RunFolder.read(out)),
    "export": lambda out: load_source(out, BundleChoice("mlp-triplet-mean_image", 0)),
}


def checked(tested: Checked, baseline: Baseline) -> None:
    outcome = compare(tested, lambda: None, baseline, None, Settings())
    assert headline(outcome)
    assert as_markdown(outcome)


def use(out: Path, whole: Path, name: str, content: bytes, uses: dict[str, Use]) -> None:
    """Puts the content in place of a file, uses the folder, puts the file back."""
    try:
        for command, function in uses.items():
            (out / name).write_bytes(content)
            valid_or_refused(f"{name}, to {command}", lambda f=function: f(out), str(out))  # type: ignore[misc]
    finally:
        shutil.copy(whole / name, out / name)


def some(*commands: str) -> dict[str, Use]:
    return {command: USES[command] for command in commands}


def json_of(whole: Path, name: str, data: st.DataObject) -> bytes:
    content = (whole / name).read_bytes()
    if data.draw(st.integers(0, 4)) == 0:
        return data.draw(damaged(content))
    return json_text(data.draw(altered(json.loads(content), JSON_VALUES)))


def test_a_name_of_an_architecture_that_is_none_harms_no_export(whole: Path, out: Path) -> None:
    """Found by fuzzing: the store says what was trained."""
    manifest = json.loads((whole / "manifest.json").read_text())
    for network in manifest["networks"]:
        network["recipe"]["arch"] = "tiny"
    use(out, whole, "manifest.json", json_text(manifest), some("export"))


def test_a_manifest_without_what_has_a_default_makes_a_report(whole: Path, out: Path) -> None:
    """Found by fuzzing."""
    manifest = json.loads((whole / "manifest.json").read_text())
    del manifest["config"]["factory"]
    use(out, whole, "manifest.json", json_text(manifest), some("report"))


@pytest.mark.parametrize(
    ("left_out", "words"),
    [(None, "no test rows"), (1, "column 'sample': not the same test parts of every variant")],
)
def test_predictions_without_all_test_rows_are_refused(
    whole: Path, out: Path, left_out: int | None, words: str
) -> None:
    """Found by fuzzing."""
    content, table = io.BytesIO(), pq.read_table(whole / "predictions.parquet")
    pq.write_table(table.slice(0, table.num_rows - (left_out or table.num_rows)), content)

    def refused(folder: Path) -> None:
        with pytest.raises(ConfigError, match=rf"predictions\.parquet: {words}"):
            TestParts.read(RunFolder.read(folder))

    use(out, whole, "predictions.parquet", content.getvalue(), {"parts of a report": refused})


def test_a_number_too_large_for_a_history_is_refused(tmp_path: Path) -> None:
    """Found by fuzzing."""
    path = tmp_path / "history.csv"
    path.write_text(f"{','.join(COLUMNS)}\n" + ",".join(["9" * 400] * len(COLUMNS)) + "\n")
    with pytest.raises(DataError, match=r"history\.csv: no readable history"):
        read_history(path)


@fuzz(20)
@given(st.data())
def test_fuzz_another_manifest(whole: Path, out: Path, data: st.DataObject) -> None:
    use(out, whole, "manifest.json", json_of(whole, "manifest.json", data), USES)


@fuzz(20)
@given(st.data())
def test_fuzz_other_picks(whole: Path, out: Path, data: st.DataObject) -> None:
    uses = {"export": lambda out: picked(out, "line", other=False)}
    use(out, whole, "picks.json", json_of(whole, "picks.json", data), some("report") | uses)


@fuzz(15)
@given(st.data())
def test_fuzz_other_facts_of_a_timing(whole: Path, out: Path, data: st.DataObject) -> None:
    use(out, whole, "latency.json", json_of(whole, "latency.json", data), some("pick", "report"))


@fuzz(20)
@given(st.data())
def test_fuzz_another_baseline(whole: Path, out: Path, data: st.DataObject) -> None:
    use(out, whole, "baseline.json", json_of(whole, "baseline.json", data), some("check"))


# ------------------------------------------------------------------------------------------------
# Tables


def csv_of(path: Path, data: st.DataObject) -> bytes:
    content = path.read_bytes()
    if data.draw(st.integers(0, 2)) == 0:
        return data.draw(damaged(content))
    rows = list(csv.reader(io.StringIO(content.decode())))
    cells = TEXTS | st.sampled_from(["0", "-1", "inf", "nan", "1e308", "9" * 400, "1.5", "true"])
    odd = data.draw(altered(rows, cells))
    file = io.StringIO()
    writer = csv.writer(file)
    for line in odd if isinstance(odd, list) else [odd]:
        writer.writerow(line if isinstance(line, list) else [line])
    return file.getvalue().encode(errors="replace")


def rows_of(out: Path) -> None:
    rows = read_rows(out / "latency.csv")
    assert latency_blocks(rows, None) or not rows
    assert fastest_rows(rows)
    assert skipped_lines(rows) is not None
    write_rows(out / "again.csv", rows)


@fuzz(20)
@given(st.data())
def test_fuzz_another_latency_table(whole: Path, out: Path, data: st.DataObject) -> None:
    uses = some("pick", "report") | {"read": rows_of}
    use(out, whole, "latency.csv", csv_of(whole / "latency.csv", data), uses)


@fuzz(15)
@given(st.data())
def test_fuzz_another_history(out: Path, data: st.DataObject) -> None:
    path = out.with_name("history.csv")
    good = out.with_name("good.csv")
    line = [
        "2026-01-01T00:00:00",
        "c" * 40,
        "abc",
        "mlp-x",
        "3",
        "0.5",
        "0.5",
        "",
        "",
        "0.1",
        "passed",
    ]
    good.write_text(f"{','.join(COLUMNS)}\n" + f"{','.join(line)}\n" * 2)
    path.write_bytes(csv_of(good, data))
    valid_or_refused("history.csv", lambda: read_history(path), str(path))


@st.composite
def odd_predictions(draw: st.DrawFn, path: Path) -> bytes:
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged(path.read_bytes()))
    table = pq.read_table(path)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, table.num_columns - 1))
        name = table.column_names[place]
        match draw(
            st.sampled_from(["retype", "retype", "drop", "rename", "rows", "twice", "none"])
        ):
            case "retype":
                array = made(draw(st.sampled_from([*TYPES])))
                many = pa.concat_arrays([array] * (table.num_rows // len(array) + 1))
                table = table.set_column(place, name, many[: table.num_rows])
            case "drop":
                table = table.remove_column(place)
            case "rename":
                names = [*table.column_names]
                names[place] = draw(TEXTS)
                table = table.rename_columns(names)
            case "rows":
                table = table.slice(draw(st.integers(0, table.num_rows)))
            case "twice":
                table = table.append_column(name, table.column(place))
            case "none":
                held = table.column(place).to_pylist()
                held[draw(st.integers(0, len(held) - 1)) if held else 0 :][:1] = [None]
                table = table.set_column(place, name, pa.array(held, table.schema.types[place]))
        if not table.num_columns:
            break
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()


@fuzz(15)
@given(st.data())
def test_fuzz_other_predictions(whole: Path, out: Path, data: st.DataObject) -> None:
    content = data.draw(odd_predictions(whole / "predictions.parquet"))
    uses = some("pick", "check", "parts of a report")
    use(out, whole, "predictions.parquet", content, uses)


@fuzz(15)
@given(st.data())
def test_fuzz_other_parts_of_unseen_modes(whole: Path, out: Path, data: st.DataObject) -> None:
    content = data.draw(odd_predictions(whole / "unseen.parquet"))
    use(out, whole, "unseen.parquet", content, {"pick": unseen_in})
