"""What fuzzing found in the readers of a run folder's files, one case a kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifests import manifest
from small_run import write_run
from test_hostile_bundles import gaikan

from gaikan.check.baseline import Baseline
from gaikan.errors import ConfigError
from gaikan.run_folder.latency_facts import read_facts
from gaikan.run_folder.picks_file import read_picks
from gaikan.run_folder.predictions import read_predictions

pytestmark = pytest.mark.timeout(300)
DEEP = "[" * 100_000
ROWS = 4
COLUMNS = ("variant", "seed", "label")


@pytest.fixture(scope="module")
def picked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The content of a `picks.json`."""
    out = write_run(tmp_path_factory.mktemp("run"), config={"stage": {"line": {}}})
    assert gaikan("pick", out) == 0
    found: dict[str, Any] = json.loads((out / "picks.json").read_text())
    read = read_picks(out / "picks.json")
    assert read is not None
    assert json.loads(read.to_json()) == found
    return found


PICKS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no list of stages": (lambda p: p.update(stages=1), "key 'stages'"),
    "no reason": (lambda p: p["stages"]["line"].pop("why"), "key 'stages.line.why'"),
    "a pick of text": (lambda p: p["stages"]["line"].update(pick="x"), "key 'stages.line.pick'"),
    "an unknown constraint": (
        lambda p: p["stages"]["line"]["constraints"][0].update(name="colour"),
        "no constraint 'colour'",
    ),
    "a value that is missing": (
        lambda p: p["stages"]["line"]["candidates"][0].update(values={}),
        "a candidate lacks the value of a constraint",
    ),
    "another format": (lambda p: p.update(format=2), "key 'format'"),
}


@pytest.mark.parametrize("kind", PICKS)
def test_odd_picks_are_refused(kind: str, picked: dict[str, Any], tmp_path: Path) -> None:
    change, words = PICKS[kind]
    odd = json.loads(json.dumps(picked))
    change(odd)
    (tmp_path / "picks.json").write_text(json.dumps(odd))
    with pytest.raises(ConfigError, match=r"picks\.json: .*`gaikan pick` writes it anew") as caught:
        read_picks(tmp_path / "picks.json")
    assert words in str(caught.value)


NETWORK = {
    "network": "mlp-triplet",
    "seed": 0,
    "store": {"trained": "a", "embedded": "b"},
    "recipe": {"arch": "mlp", "style": "triplet"},
}
MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "a network of text": ({"networks": ["mlp"]}, "key 'networks.0'"),
    "no list": ({"networks": 1}, "key 'networks'"),
    "a network without a store": (
        {"networks": [{k: v for k, v in NETWORK.items() if k != "store"}]},
        "key 'networks.0.store'",
    ),
    "no anchors": ({"anchors": None}, "key 'anchors'"),
    "what is skipped without a reason": (
        {"networks": [], "skipped": [{"what": "x"}]},
        "key 'skipped.0.why'",
    ),
    "packages of a number": ({"networks": [], "machine": {"packages": 1}}, "key 'machine."),
    "seconds of nothing": ({"networks": [], "seconds": {}}, "key 'seconds."),
    "half a character": ({"networks": [], "name": "\ud800"}, "not JSON"),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_an_odd_manifest_is_refused_in_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, words = MANIFESTS[kind]
    whole = json.loads(manifest().model_dump_json())
    (tmp_path / "manifest.json").write_text(json.dumps(whole | odd))
    for command in (("pick", tmp_path), ("time", tmp_path), ("report", tmp_path)):
        assert gaikan(*command) == 2
        said = capsys.readouterr().err
        assert "manifest.json: " in said
        assert said.count("\n") == 1
    assert words in said or "is missing" in said


@pytest.mark.parametrize("name", ["manifest.json", "picks.json", "baseline.json", "latency.json"])
def test_nesting_without_an_end_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(DEEP)
    (tmp_path / "latency.csv").touch()
    readers: dict[str, Callable[[], object]] = {
        "manifest.json": lambda: gaikan("pick", tmp_path),
        "picks.json": lambda: read_picks(path),
        "baseline.json": lambda: Baseline.read(path),
        "latency.json": lambda: read_facts(tmp_path),
    }
    if name == "latency.json":  # a damaged one is as good as none
        assert readers[name]() is None
    elif name == "manifest.json":
        assert readers[name]() == 2
    else:
        with pytest.raises(ConfigError, match=rf"{name}: not JSON \((nested|recursion) "):
            readers[name]()


@pytest.mark.parametrize("facts", ["null", "1", "[]", "{}", '{"networks": 1}'])
def test_facts_that_are_none_are_none(facts: str, tmp_path: Path) -> None:
    (tmp_path / "latency.json").write_text(facts)
    (tmp_path / "latency.csv").touch()
    assert read_facts(tmp_path) is None


PREDICTIONS: dict[str, tuple[str, Any, str]] = {
    "seeds of text": ("seed", pa.array(["a"] * ROWS), "column 'seed' holds string"),
    "seeds of time": ("seed", pa.array([1] * ROWS, pa.duration("s")), "holds duration"),
    "an empty seed": ("seed", pa.array([1, 2, 3, None]), "column 'seed' has empty cells"),
    "names of numbers": ("variant", pa.array([1] * ROWS), "column 'variant' holds int64"),
    "nested names": ("label", pa.array([[1]] * ROWS), "column 'label' holds list"),
    "bytes": ("label", pa.array([b"\xff"] * ROWS), "column 'label' holds binary"),
    "no text": ("label", pa.array([b"\xff"] * ROWS).view(pa.string()), "cannot be read"),
}


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_odd_predictions_are_refused(kind: str, tmp_path: Path) -> None:
    name, column, words = PREDICTIONS[kind]
    held = {"variant": pa.array(["x"] * ROWS), "seed": [0] * ROWS, "label": ["ok"] * ROWS}
    good = tmp_path / "good.parquet"
    pq.write_table(pa.table(held), good)
    assert read_predictions(good, COLUMNS, ()).num_rows == ROWS
    pq.write_table(pa.table(held | {name: column}), tmp_path / "odd.parquet")
    with pytest.raises(ConfigError, match=r"odd\.parquet: ") as caught:
        read_predictions(tmp_path / "odd.parquet", COLUMNS, ())
    assert words in str(caught.value)


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    arrays = [pa.array(["x"] * ROWS), pa.array([0] * ROWS), *[pa.array(["ok"] * ROWS)] * 2]
    table = pa.Table.from_arrays(arrays, [*COLUMNS, "label"])
    pq.write_table(table, tmp_path / "odd.parquet")
    with pytest.raises(ConfigError, match="column 'label' occurs more than once"):
        read_predictions(tmp_path / "odd.parquet", COLUMNS, ())


def test_a_baseline_without_a_test_source_is_refused(tmp_path: Path) -> None:
    held = json.loads((Path(__file__).parents[1] / "results/baseline.json").read_text())
    del held["data"]["test"]
    (tmp_path / "b.json").write_text(json.dumps(held))
    with pytest.raises(ConfigError, match=r"b\.json: .*data is that of train and of test"):
        Baseline.read(tmp_path / "b.json")
