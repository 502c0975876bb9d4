"""A stage that limits what escapes of failure modes that training has not seen."""

import json
from collections.abc import Set
from pathlib import Path

import pandas as pd
import pytest
from picking import picked
from runner import gaikan
from small_run import FAKES, write_run, write_unseen

from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.lots import divided

STAGE = "[stage.line]\nask_rate = {{ max = 0.1 }}\nunseen_escape = {{ max = {most} }}\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    out = write_run(tmp_path / "run")
    write_unseen(out)
    return out


def test_the_worst_mode_on_validation_is_what_is_limited(run: Path, tmp_path: Path) -> None:
    code, stages = picked(run, STAGE.format(most=0.9), tmp_path)
    stage = stages["line"]
    pick = stage["pick"]
    assert code == 0
    table = pd.read_parquet(run / "unseen.parquet")
    own = table[(table["variant"] == pick["variant"]) & (table["seed"] == pick["seed"])]
    by_split = {
        split: [mode for mode in pick["unseen"] if mode["split"] == split]
        for split in ("validation", "test")
    }
    for split, modes in by_split.items():
        assert {mode["mode"] for mode in modes} == {"long spur", "open", "short spur"}
        rates = [mode["escape_rate"] for mode in modes]
        assert rates == sorted(rates, reverse=True)
        for mode in modes:
            parts = own[(own["without"] == mode["mode"]) & (own["split"] == split)]
            parts = parts[parts["label"] != "ok"]
            assert mode["parts"] == len(parts)
            called_good = (parts["predicted"] == "ok").sum()  # no ceiling moves the border
            assert mode["escapes"] + mode["asks"] == called_good
    (check,) = [check for check in pick["checks"] if check["constraint"] == "unseen_escape"]
    assert check["value"] == by_split["validation"][0]["escape_rate"] <= 0.9
    assert check["test"] == by_split["test"][0]["escape_rate"]


def test_where_none_keeps_the_limit_the_nearest_miss_says_what_it_would_have_to_be(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, stages = picked(run, STAGE.format(most=0.001), tmp_path)
    assert code == 1
    miss = stages["line"]["nearest_miss"]
    (gives,) = miss["would_have_to_give"]
    assert gives.startswith("unseen escape rate <= ")
    assert gives.endswith(" % instead of 0.1 %")
    assert "unseen escape rate" in capsys.readouterr().out
    limit = float(gives.split()[4]) / 100
    code, stages = picked(run, STAGE.format(most=limit), tmp_path)
    assert code == 0
    assert stages["line"]["pick"]["variant"] == miss["variant"]
    page = (run / "picks.md").read_text()
    assert "Measured on 3 modes, which are no sample of the defects to come: not promised" in page
    assert "Modes left out, validation" in page


def test_where_asking_would_keep_the_limit_it_is_told_with_what_share(
    run: Path, tmp_path: Path
) -> None:
    _, stages = picked(run, STAGE.format(most=0.001), tmp_path)
    gives = stages["line"]["nearest_miss"]["would_have_to_give"][0]
    limit = float(gives.split()[4]) / 100
    code, stages = picked(run, f"[stage.line]\nunseen_escape = {{ max = {limit} }}\n", tmp_path)
    assert code == 1
    assert "of good parts asked (ask_rate = { max = 0." in stages["line"]["asking"]
    code, stages = picked(run, STAGE.format(most=limit), tmp_path)
    assert code == 0
    assert stages["line"]["asking"].endswith("without, nothing would qualify")


def test_the_load_curve_tells_of_unseen_modes_too(run: Path, tmp_path: Path) -> None:
    _, stages = picked(run, STAGE.format(most=0.9), tmp_path)
    curve = stages["line"]["asking_curve"]
    for split in ("validation", "test"):
        points = [point for point in curve if point["split"] == split]
        for kind in ("unseen_mean", "unseen_worst"):
            shares = [point[kind] for point in points]
            assert shares == sorted(shares, reverse=True)
            assert shares[0] > shares[-1]
        assert all(point["unseen_mean"] <= point["unseen_worst"] for point in points)
    own = next(p for p in curve if (p["split"], p["share"]) == ("validation", 0.1))
    assert own["unseen_worst"] == stages["line"]["pick"]["unseen"][0]["escape_rate"]
    assert "not seen by training" in (run / "figures/asking-line.svg").read_text()
    table = pd.read_csv(run / "asking.csv")
    assert table["unseen_worst"].tolist() == pytest.approx([p["unseen_worst"] for p in curve])


def test_without_unseen_a_stage_that_limits_it_is_refused_and_the_picture_is_as_it_was(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, before = picked(run, "[stage.line]\nask_rate = { max = 0.1 }\n", tmp_path)
    assert before["line"]["pick"]["unseen"]
    (run / "unseen.parquet").unlink()
    assert gaikan("pick", run, "--stages", tmp_path / "stages.toml") == 0
    stage = json.loads((run / "picks.json").read_bytes())["stages"]["line"]
    assert stage["pick"]["unseen"] == []
    assert {point["unseen_worst"] for point in stage["asking_curve"]} == {None}
    assert "not seen by training" not in (run / "figures/asking-line.svg").read_text()
    (tmp_path / "stages.toml").write_text(STAGE.format(most=0.5))
    capsys.readouterr()
    assert gaikan("pick", run, "--stages", tmp_path / "stages.toml") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "key 'stage.line.unseen_escape': this run left no failure mode out" in line
    assert "`gaikan bench --unseen`" in line


def test_a_network_that_lacks_a_mode_is_not_measured(run: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(run / "unseen.parquet")
    lacking = (table["variant"] == FAKES[2].variant) & (table["without"] == "open")
    table[~lacking].to_parquet(run / "unseen.parquet")
    _, stages = picked(run, STAGE.format(most=1), tmp_path)
    for candidate in stages["line"]["candidates"]:
        measured = candidate["values"]["unseen_escape"] is not None
        assert measured == (candidate["variant"] != FAKES[2].variant) == candidate["qualifies"]


def without_validation_parts(run: Path, seed: int, samples: Set[int] | None = None) -> None:
    """Takes a seed's validation parts of `open`, all or these `samples`, out of its file."""
    table = pd.read_parquet(run / "unseen.parquet")
    own = (table["seed"] == seed) & (table["without"] == "open") & (table["split"] == "validation")
    own &= table["label"] != "ok"
    if samples is not None:
        own &= table["sample"].isin(samples)
    assert own.any()
    table[~own].to_parquet(run / "unseen.parquet")


def measured(run: Path, tmp_path: Path) -> set[tuple[int, bool, bool]]:
    """Of all candidates: seed, whether the worst mode is known, whether it qualifies."""
    candidates = picked(run, STAGE.format(most=1), tmp_path)[1]["line"]["candidates"]
    values = [(each, each["values"]["unseen_escape"]) for each in candidates]
    return {(each["seed"], value is not None, each["qualifies"]) for each, value in values}


def test_a_seed_without_parts_of_a_mode_that_another_seed_has_is_not_measured(
    run: Path, tmp_path: Path
) -> None:
    without_validation_parts(run, 1)
    assert measured(run, tmp_path) == {(0, True, True), (1, False, False)}
    without_validation_parts(run, 0)  # now no seed has any: the mode is none of those measured
    assert measured(run, tmp_path) == {(0, True, True), (1, True, True)}
    (own,) = json.loads((run / "picks.json").read_bytes())["stages"].values()
    (warning,) = [each for each in own["warnings"] if each["key"] == "unseen_not_measured"]
    assert len(warning["values"]["modes"]) == 1


def test_lots_that_choose_may_lack_a_mode_but_not_all_lots(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", lots=8)
    write_unseen(run)
    choosing, _ = divided(RunFiles.read(run))
    own = next(network for network in choosing.networks if network.seed == 1)
    without_validation_parts(run, 1, {*own.validation.sample.tolist()})
    assert measured(run, tmp_path) == {(0, True, True), (1, True, True)}
    without_validation_parts(run, 1)
    assert measured(run, tmp_path) == {(0, True, True), (1, False, False)}


def test_a_run_of_a_stage_that_limits_it_needs_unseen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "line.toml").write_text(STAGE.format(most=0.1))
    assert gaikan("bench", tmp_path / "line.toml", "--out", tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "key 'stage.line.unseen_escape': needs --unseen (unseen = true)" in line
    assert not (tmp_path / "out").exists()


def test_modes_that_test_alone_tells_are_not_said_to_be_unmeasured(
    run: Path, tmp_path: Path
) -> None:
    """Classes were left out then; a part without a mode has none either."""
    table = pd.read_parquet(run / "predictions.parquet")
    table["mode"] = table["mode"].where(table["split"] == "test", None)
    table.to_parquet(run / "predictions.parquet")
    unseen = pd.read_parquet(run / "unseen.parquet").astype({"without": str})
    unseen = unseen[unseen["without"] != "short spur"].replace({"without": {"long spur": "spur"}})
    unseen.astype({"without": "category"}).to_parquet(run / "unseen.parquet")
    _, stages = picked(run, STAGE.format(most=1), tmp_path)
    assert {mode["mode"] for mode in stages["line"]["pick"]["unseen"]} == {"open", "spur"}
    warnings = stages["line"]["warnings"]
    assert not any(each.startswith("the limit on unseen escape") for each in warnings)
