"""The picks of a run: their figures, and what is said of them."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from picking import picked, stages_in_english
from runner import gaikan
from scipy.stats import binomtest
from small_run import FAKES, Fake, row, write_run

from gaikan.run_folder.latency_rows import write_rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


def with_margins(table: pd.DataFrame, margins: "pd.Series[float]") -> pd.DataFrame:
    """Predictions with other ok margins, and the classes that the nearest anchor then gives."""
    nearest = table["defect"].astype(str).mask(margins > 0, "ok").astype("category")
    return table.assign(ok_margin=margins, predicted=nearest)


def test_the_figures_are_those_of_the_predictions_at_the_threshold(run: Path) -> None:
    gaikan("pick", run)
    table = pd.read_parquet(run / "predictions.parquet").astype({"predicted": str, "defect": str})
    for stage in json.loads((run / "picks.json").read_bytes())["stages"].values():
        pick = stage["pick"]
        own = table[(table["variant"] == pick["variant"]) & (table["seed"] == pick["seed"])]
        for split in ("validation", "test"):
            part, figures = own[own["split"] == split], pick[split]
            border = pick["threshold"] or 0.0  # null: the nearest anchor's, where the margin is 0
            said = np.where(part["ok_margin"] > border, "ok", part["defect"])
            defective = (part["label"] != "ok").to_numpy()
            assert figures["accuracy"] == pytest.approx((said == part["label"].astype(str)).mean())
            assert figures["escapes"] == (said[defective] == "ok").sum()
            assert figures["overkills"] == (said[~defective] != "ok").sum()
            networks = (
                1 if split == "test" else table[["variant", "seed"]].drop_duplicates().shape[0]
            )
            bound = binomtest(figures["escapes"], figures["defects"], alternative="less")
            assert figures["escape_bound"] == pytest.approx(
                bound.proportion_ci(1 - 0.05 / networks).high
            )
        ceiling = next(c for c in pick["checks"] if c["constraint"] == "escape_bound")
        assert ceiling["value"] == pick["validation"]["escape_bound"] <= ceiling["max"]
        assert ceiling["test"] == pick["test"]["escape_bound"]


def test_of_six_lots_the_figures_are_of_those_that_had_no_part_in_the_choice(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path / "run", lots=6)
    _, stages = picked(run, "[stage.any]\nescape_bound = { max = 0.2 }\n", tmp_path)
    pick, promise = stages["any"]["pick"], stages["any"]["promise"]
    assert promise["lots"] == 4
    table = pd.read_parquet(run / "predictions.parquet").query("split == 'validation'")
    own = table[(table["variant"] == pick["variant"]) & (table["seed"] == pick["seed"])]
    sizes = own["group"].value_counts()
    pairs = [sizes.sum() - sizes[a] - sizes[b] for a, b in combinations(sizes.index, 2)]
    assert pick["validation"]["n"] in pairs
    assert pick["validation"]["escape_bound"] <= 0.2
    assert "shown by 4 lots" in (run / "picks.md").read_text()


def test_every_candidate_is_there_with_every_constraint(run: Path) -> None:
    gaikan("pick", run)
    for stage in json.loads((run / "picks.json").read_bytes())["stages"].values():
        names = [constraint["name"] for constraint in stage["constraints"]]
        assert len(stage["candidates"]) == 2 * len(FAKES)  # each in ONNX Runtime
        for candidate in stage["candidates"]:
            assert [*candidate["values"]] == names
            assert candidate["qualifies"] == (not candidate["failed"])


def test_without_a_pick_the_nearest_miss_says_what_would_have_to_give(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fast = "[stage.fast]\np99_ms = { max = 0.12 }\naccuracy = { min = 0.8 }\n"
    fast += "escape_bound = { max = 0.5 }\n"
    code, stages = picked(run, fast, tmp_path)
    assert code == 1
    assert stages["fast"]["pick"] is None
    miss = stages["fast"]["nearest_miss"]
    assert stages["fast"]["promise"] is None
    assert miss["would_have_to_give"] == ["p99 <= 0.15 ms instead of 0.12 ms"]
    assert "p99 <= 0.15 ms instead of 0.12 ms" in capsys.readouterr().out.replace("\n", " ")
    code, stages = picked(run, fast.replace("0.12", "0.15"), tmp_path)
    assert code == 0
    assert stages["fast"]["pick"]["variant"] == miss["variant"]


def test_a_pick_that_test_does_not_bear_out_is_warned_of(run: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    worse = (table["split"] == "test") & (table["label"] != "ok")
    table = with_margins(table, table["ok_margin"].mask(worse, table["ok_margin"] + 5))
    changed = write_run(tmp_path / "run")
    table.to_parquet(changed / "predictions.parquet")
    assert gaikan("pick", changed) == 0
    for stage in stages_in_english(changed).values():
        escapes, defects = stage["pick"]["test"]["escapes"], stage["pick"]["test"]["defects"]
        least = binomtest(escapes, defects, alternative="greater").proportion_ci(0.95).low
        (ceiling,) = (c["max"] for c in stage["constraints"] if c["name"] == "escape_bound")
        assert least > ceiling
        assert f"{escapes} of {defects} defective test parts escape" in stage["contradicted"]
        assert any(stage["contradicted"] in warning for warning in stage["warnings"])
    assert "- **Warning: test contradicts the" in (changed / "picks.md").read_text()
    gaikan("pick", run)
    stages = stages_in_english(run)
    assert [stage["contradicted"] for stage in stages.values()] == [None, None]


def test_a_pick_that_rejects_most_good_parts_is_warned_of(run: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet")
    good = (table["split"] == "validation") & (table["label"] == "ok")
    table = with_margins(table, table["ok_margin"].mask(good, table["ok_margin"].min() - 1))
    changed = write_run(tmp_path / "run")
    table.to_parquet(changed / "predictions.parquet")
    ceiling = "[stage.any]\nescape_bound = { max = 0.2 }\n"
    _, stages = picked(changed, ceiling, tmp_path)
    warning = "rejects 100 % of the good validation parts; limit overkill_rate to rule that out"
    assert warning in stages["any"]["warnings"]
    _, stages = picked(run, ceiling, tmp_path)
    assert not any("good validation parts" in each for each in stages["any"]["warnings"])


def test_a_runtime_that_disagrees_is_not_picked_silently(tmp_path: Path) -> None:
    good = Fake("mlp-triplet-mean_embedding", 3.0, {"onnxruntime-fp32": 2.0})
    stage = "[stage.any]\nescape_bound = { max = 0.1 }\n"
    for agreement, expected in ((0.9, "fp32"), (None, "fp32"), (1.0, "int8")):
        fast = Fake(good.variant, 3.0, {"onnxruntime-int8": 0.1}, agreement=agreement)
        out = write_run(tmp_path / str(agreement), [good])
        more = write_run(tmp_path / "fast", [fast])
        lines = (more / "latency.csv").read_text().splitlines()[1:]
        (out / "latency.csv").write_text((out / "latency.csv").read_text() + "\n".join(lines))
        _, stages = picked(out, stage, tmp_path)
        assert stages["any"]["pick"]["precision"] == expected


def test_a_runtimes_disagreement_is_charged_to_the_escape_ceiling(tmp_path: Path) -> None:
    fake = Fake("mlp-triplet-mean_embedding", 3.0, {"onnxruntime-int8": 0.1}, agreement=0.995)
    out = write_run(tmp_path / "run", [fake], seeds=1)
    _, stages = picked(out, "[stage.any]\nescape_bound = { max = 0.05 }\n", tmp_path)
    (check,) = (c for c in stages["any"]["pick"]["checks"] if c["constraint"] == "escape_bound")
    figures = stages["any"]["pick"]["validation"]
    charged = figures["escape_bound"] + 0.005 * figures["n"] / figures["defects"]
    assert check["value"] == pytest.approx(charged)
    assert check["value"] <= 0.05


@pytest.mark.parametrize(
    ("lots", "moved", "told"), [(20, 2, True), (20, 0, False), (None, 2, False)]
)
def test_test_figures_that_lots_do_not_explain_are_told(
    lots: int | None, moved: float, told: bool, tmp_path: Path
) -> None:
    out = write_run(tmp_path / "run", lots=lots)
    table = pd.read_parquet(out / "predictions.parquet")
    bad = (table["split"] == "test") & (table["label"] != "ok")
    table = with_margins(table, table["ok_margin"].mask(bad, table["ok_margin"] + moved))
    table.to_parquet(out / "predictions.parquet")
    _, stages = picked(out, "[stage.any]\n", tmp_path)
    words = "further apart than lots explain"
    assert any(words in warning for warning in stages["any"]["warnings"]) == told


@pytest.mark.parametrize(("share", "told"), [(0.5, True), (0.0, False), (None, False)])
def test_a_pick_that_rests_on_a_disturbed_timing_says_so(
    share: float | None, told: bool, tmp_path: Path
) -> None:
    fake = Fake("mlp-triplet-mean_embedding", 3.0, {"onnxruntime-fp32": 0.1})
    out = write_run(tmp_path / "run", [fake])
    write_rows(out / "latency.csv", [row(fake, "onnxruntime-fp32", 1, disturbed=share)])
    _, stages = picked(out, "[stage.any]\n", tmp_path)
    words = "other programs used the processor in 50 % of the rounds"
    assert any(words in warning for warning in stages["any"]["warnings"]) == told


def test_nothing_is_said_of_asking_where_the_pick_is_the_same_without(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    limits = "escape_rate = { max = 1 }\nask_rate = { max = 0.1 }"
    _, stages = picked(run, f"[stage.line]\n{limits}\n", tmp_path)
    assert stages["line"]["pick"]["validation"]["good_asks"]
    assert stages["line"]["asking"] is None
