"""Parts that a user adds reach every table, figure, pick, bundle and page, by their whole names.

`extended_gaikan` is gaikan with an architecture, a style and an anchor method more, whose names
have hyphens and whose embedding has 7 numbers.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from extra_parts import TinyNet
from matplotlib.figure import Figure
from matplotlib.text import Text
from tiny import SIDE, write_class

from gaikan.bundle.bundle import Bundle
from gaikan.figures.critical_difference import critical_difference_diagram
from gaikan.figures.history_figure import history_figure
from gaikan.figures.latency_figures import latency_figures, pareto
from gaikan.figures.run_figures import accuracy_bars
from gaikan.figures.svg import width_of
from gaikan.run_folder.latency_rows import Row, read_rows
from gaikan.run_folder.run_variants import read_variants
from gaikan.variants import HEAD, Variant

pytestmark = pytest.mark.timeout(600)

# Not imported: it registers its parts where it runs.
PROGRAM = Path(__file__).parents[1] / "helpers/extended_gaikan.py"
NETWORK = "tiny-net-my-style"
OWN = {
    f"{NETWORK}-{anchor}": Variant("tiny-net", "my-style", anchor)
    for anchor in ("mean_embedding", "trimmed-mean", "head")
}
CHOSEN = f"{NETWORK}-trimmed-mean"
TOML = """
name = "{name}"
seeds = {seeds}
protocol = "{protocol}"
references = "{references}"
[data]
train = '{folder}/{name}'
ok = "ok"
[grid]
arch = ["cnn", "tiny-net"]
style = ["vanilla", "my-style"]
anchor = ["mean_embedding", "trimmed-mean"]
[style.my-style]
label_smoothing = 0.1
[train]
epochs = 1
batch_size = 16
[timing]
enabled = false
"""
STAGES = """
[stage.small]
model_bytes = { max = 100_000 }
[stage.all]
"""
CHECKED = ("markdown", "junit", "history")  # an option of `check` and the file it writes
TABLES = ("accuracy", "summary", "comparisons", "rates", "classes", "latency")


def extended(*commands: Sequence[str | Path]) -> str:
    """What the extended program says."""
    asked = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run(
        [sys.executable, str(PROGRAM), asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs and their summary; the first is timed, picked from and shown."""
    folder = tmp_path_factory.mktemp("contract")
    asked = {
        "first": {"seeds": 2, "protocol": "held-out", "references": "all"},
        "second": {"seeds": 1, "protocol": "original", "references": "none"},
    }
    for seed, (name, values) in enumerate(asked.items()):
        for place, label in ((0, "ok"), (4, "spur"), (8, "open")):
            write_class(folder / name / label, place, 20, seed)
        (folder / f"{name}.toml").write_text(TOML.format(folder=folder, name=name, **values))
    (folder / "stages.toml").write_text(STAGES)
    run = folder / "out/first"
    extended(
        ["bench", *(folder / f"{name}.toml" for name in asked), "--out", folder / "out"],
        ["time", run, "--quick", "--threads", "1", "--runtime", "onnxruntime-fp32"],
        ["pick", run, "--stages", folder / "stages.toml"],
        ["report", run],
    )
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    """The first."""
    return folder / "out/first"


@pytest.fixture(scope="module")
def made(folder: Path, run: Path) -> Path:
    """What is made of the first run: bundles, decisions, a check, and a run of imported weights."""
    made, copy = folder / "made", folder / "copy"
    made.mkdir()
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["machine"]["commit"] = "c" * 40
    (copy / "manifest.json").write_text(json.dumps(manifest))
    head = {"head.weight": torch.ones(3, 7), "head.bias": torch.zeros(3)}
    torch.save(TinyNet((1, SIDE, SIDE)).state_dict() | head, made / "weights.pt")
    part, baseline = made / "part.gaikan", f"--baseline={made / 'baseline.json'}"
    added = ["--arch", "tiny-net", "--style", "my-style"]
    written = [f"--{name}={made / name}" for name in CHECKED]
    extended(
        ["export", run, "--variant", CHOSEN, "-o", part],
        ["export", run, "--variant", f"{NETWORK}-head", "-o", made / "head.gaikan"],
        ["export", run, "--stage", "small", "-o", made / "small.gaikan"],
        ["predict", part, folder / "first", "--csv", made / "said.csv"],
        ["enrol", part, folder / "first/spur", "--class", "new", "-o", made / "more.gaikan"],
        ["time", part, "--quick", "--threads", "1", "--machine-name", "pi", "--out", made / "pi"],
        ["report", copy, "--latency", made / "pi"],
        ["check", copy, baseline, "--update"],
        ["check", copy, baseline, "--allow-inconclusive", *written],
        ["import", made / "weights.pt", *added, "--train", folder / "first", "--out", made / "run"],
    )
    return made


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_every_variant_by_its_whole_name(run: Path, name: str) -> None:
    table = pd.read_csv(run / f"{name}.csv")
    assert set(OWN) <= {*table["variant"], *table.get("other", ())}


def test_the_parts_stand_in_their_own_columns(run: Path) -> None:
    table = pd.read_csv(run / "accuracy.csv")
    rows = table[["variant", "arch", "style", "anchor"]].drop_duplicates().itertuples(index=False)
    parts = {name: Variant(*each) for name, *each in rows}
    assert parts == read_variants(run)
    assert {name: parts[name] for name in OWN} == OWN
    assert parts["reference-knn"] == Variant("reference", "knn", "none")
    assert list(dict.fromkeys(table["arch"])) == ["cnn", "tiny-net", "reference"]
    kinds = pd.read_csv(run / "summary.csv").set_index("variant")["kind"]
    assert {name: kinds[name] for name in OWN} == {name: OWN[name].kind for name in OWN}
    assert kinds["reference-knn"] == "reference"


def test_predictions_and_the_manifest_have_them(run: Path) -> None:
    assert set(OWN) <= set(pd.read_parquet(run / "predictions.parquet")["variant"])
    manifest = json.loads((run / "manifest.json").read_text())
    own = [each["recipe"] for each in manifest["networks"] if each["network"] == NETWORK]
    assert [(each["arch"], each["style"]) for each in own] == [("tiny-net", "my-style")] * 2
    assert own[0]["options"] == {"label_smoothing": 0.1}
    assert manifest["anchors"] == ["mean_embedding", "trimmed-mean"]
    for name in OWN:
        assert {f"confusion/{name}.csv", f"confusion/{name}.png"} <= set(manifest["files"])
    assert f"figures/scatter-{NETWORK}.png" in manifest["files"]


def test_the_summary_of_several_data_sets_ranks_them(folder: Path) -> None:
    page = (folder / "out/summary.md").read_text()
    ranked = page[: page.index("Friedman")]
    assert all(name in ranked for name in OWN)
    drawn = (folder / "out/critical_difference.svg").exists()
    assert drawn == ("![critical-difference diagram]" in page)
    ranks = pd.Series({name: 1.0 + i for i, name in enumerate(OWN)})
    assert set(OWN) <= texts(critical_difference_diagram(ranks, 1.0))


def test_the_original_protocol_scores_them(folder: Path) -> None:
    table = pd.read_csv(folder / "out/second/summary.csv").set_index("variant")
    assert table.loc[list(OWN), "original"].notna().all()


def test_every_row_of_latency_names_their_computation_and_network(run: Path) -> None:
    stored = {each["seed"]: each["store"]["trained"] for each in networks(run, NETWORK)}
    rows = [row for row in read_rows(run / "latency.csv") if row.variant in OWN]
    assert {row.variant for row in rows if row.p50_ms is not None} == set(OWN)
    for row in rows:
        decision = "head" if OWN[row.variant].anchor == HEAD else "anchors"
        assert row.computation == f"tiny-net-{decision}"
        assert row.network == stored[0]
    timed = {(row.variant, row.batch_size): row.accuracy for row in rows}
    accuracy = pd.read_csv(run / "accuracy.csv")
    first = accuracy[(accuracy["seed"] == 0) & (accuracy["split"] == "test")]
    for name, share in first.set_index("variant")["accuracy"].items():
        if name in OWN:
            assert timed[str(name), 1] == pytest.approx(share, abs=1e-6)


def networks(run: Path, name: str) -> list[dict[str, Any]]:
    found = json.loads((run / "manifest.json").read_text())["networks"]
    return [each for each in found if each["network"] == name]


def texts(figure: Figure) -> set[str]:
    """Every text of a figure: ticks, titles, legends, notes."""
    figure.draw_without_rendering()
    return {each.get_text().strip() for each in figure.findobj(Text) if isinstance(each, Text)}


def test_figures_name_them(run: Path) -> None:
    summary = pd.read_csv(run / "summary.csv")
    assert set(OWN) <= texts(accuracy_bars(summary.assign(tied=summary["tied"].eq("True"))))
    drawn = latency_figures(read_rows(run / "latency.csv"))
    for name in ("latency", "throughput"):
        assert {"tiny-net-anchors", "tiny-net-head"} <= texts(drawn[name])
        assert (run / f"figures/{name}.png").exists()


def test_the_pareto_figure_has_a_point_a_variant_and_names_those_on_its_line(run: Path) -> None:
    rows = [r for r in read_rows(run / "latency.csv") if r.runtime == "onnxruntime" and r.p50_ms]
    figure = pareto(rows, "t")
    (points,) = [line for line in figure.axes[0].lines if line.get_label() == "onnxruntime-fp32"]
    assert len(np.asarray(points.get_xdata())) == len({row.variant for row in rows})
    alone: list[Row] = [row for row in rows if row.variant == CHOSEN]
    assert CHOSEN in texts(pareto(alone, "t"))


def test_what_is_picked_where_only_they_fit_is_theirs(run: Path) -> None:
    stages = json.loads((run / "picks.json").read_text())["stages"]
    variants = read_variants(run)
    assert variants[stages["small"]["pick"]["variant"]].arch == "tiny-net"
    assert set(OWN) <= {each["variant"] for each in stages["all"]["candidates"]}
    page = (run / "picks.md").read_text()
    assert all(name in page for name in OWN)
    assert stages["small"]["pick"]["variant"] in (run / "figures/sensitivity-small.svg").read_text()


def test_in_the_tree_no_name_runs_into_the_next_column(run: Path) -> None:
    root = ElementTree.parse(run / "figures/tree.svg").getroot()
    found: dict[str, float] = {}
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        found.setdefault(element.text or "", float(element.attrib["x"]))
    columns = ["my-style", "tiny-net", "trimmed-mean"]
    left = [found[name] for name in columns]
    for name, at, following in zip(columns, left, left[1:], strict=False):
        assert at + width_of(name) < following


def test_both_pages_have_them(run: Path) -> None:
    pages = [(run / name).read_text() for name in ("report.md", "report.html", "latency.md")]
    for page in pages:
        assert all(name in page for name in OWN)
    data = json.loads(pages[1].split('id="data">')[1].split("</script>")[0])
    drawn = {each["name"]: each for each in data["variants"] if each["name"] in OWN}
    assert {each["network"] for each in drawn.values()} == {NETWORK} <= set(data["planes"])
    counts = {name: len(each["anchors"]) for name, each in drawn.items()}
    assert counts == {name: 0 if OWN[name].anchor == HEAD else 3 for name in OWN}


def card(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("model.json"))
    return found


def test_a_bundle_says_what_it_is_and_decides_as_its_network(made: Path) -> None:
    parts = {"variant": CHOSEN, "arch": "tiny-net", "style": "my-style", "anchor": "trimmed-mean"}
    assert parts.items() <= card(made / "part.gaikan").items()
    bundle = Bundle.open(made / "part.gaikan")
    assert bundle.kept is not None
    assert bundle.kept.embeddings.shape[1] == 7
    said = pd.read_csv(made / "said.csv")
    assert len(said) == 60
    actual = said["image"].map(lambda path: Path(path).parent.name)
    assert (said["class"] == actual).mean() > 0.5  # of three classes


def test_the_pick_of_a_stage_and_a_head_can_be_exported(run: Path, made: Path) -> None:
    stages = json.loads((run / "picks.json").read_text())["stages"]
    assert card(made / "small.gaikan")["variant"] == stages["small"]["pick"]["variant"]
    assert card(made / "head.gaikan")["variant"] == f"{NETWORK}-head"


def test_a_bundle_is_enrolled_timed_and_merged(folder: Path, made: Path) -> None:
    assert Bundle.open(made / "more.gaikan").card.classes == ("ok", "open", "spur", "new")
    for table in (made / "pi", folder / "copy/latency.csv"):
        own = [row for row in read_rows(table) if row.machine == "pi"]
        assert {(row.variant, row.computation) for row in own} == {(CHOSEN, "tiny-net-anchors")}


def test_a_check_names_them_in_everything_it_writes(made: Path) -> None:
    baseline = json.loads((made / "baseline.json").read_text())
    assert set(OWN) <= set(baseline["variants"])
    assert NETWORK in baseline["recipes"]
    for name in CHECKED:
        assert all(variant in (made / name).read_text() for variant in OWN)
    assert set(OWN) <= texts(history_figure(pd.read_csv(made / "history")))


def test_weights_of_an_added_architecture_are_imported(made: Path) -> None:
    assert OWN.items() <= read_variants(made / "run").items()
