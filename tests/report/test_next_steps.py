"""What would make a run better: each kind of advice, and none without a figure."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from curves import counts
from runner import gaikan
from small_run import write_run

from gaikan.report.next_steps import next_steps
from gaikan.report.run_facts import RunFacts
from gaikan.run_folder.picks_file import PicksFile, StagePicks, WeighedCandidate, read_picks

NONE = RunFacts(Path("my run"), None, pd.DataFrame(), None, None, 1000)


@pytest.fixture(scope="module")
def picks(tmp_path_factory: pytest.TempPathFactory) -> PicksFile:
    out = write_run(tmp_path_factory.mktemp("run"))
    assert gaikan("pick", out) == 0
    found = read_picks(out / "picks.json")
    assert found is not None
    return found


def stage_with(picks: PicksFile, **changes: object) -> PicksFile:
    """One stage alone, changed."""
    stage = next(stage for stage in picks.stages.values() if stage.pick is not None)
    return picks.model_copy(update={"stages": {"final": stage.model_copy(update=changes)}})


def only(picks: PicksFile) -> StagePicks:
    (stage,) = picks.stages.values()
    return stage


def test_no_advice_without_a_figure() -> None:
    assert next_steps(NONE) == []


def test_a_curve_that_falls_asks_for_images_and_names_the_mode() -> None:
    (step,) = next_steps(replace(NONE, curve=counts(600, 400, 240)))
    assert "with twice the 400, most on bent" in step.words.en
    again = "gaikan bench 'my run/run.toml' --learning-curve --out 'my run-more'"
    assert step.command == again
    assert 0.02 < step.worth < 0.2
    assert f"{100 * step.worth:+.1f} points" in step.words.en


def test_two_sizes_are_no_curve_and_no_advice() -> None:
    assert next_steps(replace(NONE, curve=counts(600, 400))) == []


def test_without_an_error_there_is_nothing_to_gain() -> None:
    assert next_steps(replace(NONE, curve=counts(0, 0, 0))) == []


def test_doubted_labels_are_counted() -> None:
    (step,) = next_steps(replace(NONE, doubted=30))
    assert "30 doubted labels of 1000 training images (3.0 %)" in step.words.en
    assert step.command == "gaikan labels 'my run'"
    assert next_steps(replace(NONE, doubted=0)) == []


def test_a_better_network_that_only_takes_longer_is_named(picks: PicksFile) -> None:
    stage = only(stage_with(picks))
    assert stage.pick is not None
    (own,) = [each for each in stage.candidates if each.qualifies and is_pick(each, stage)]
    own = own.model_copy(update={"accuracy": 0.5})  # of the parts that chose: others judge the pick
    values = {**own.values, "p90_ms": 12.5}
    dear = own.model_copy(
        update={
            "variant": "cnn-dear-head",
            "values": values,
            "accuracy": 0.521,
            "failed": ["p90_ms"],
        }
    )
    seed = dear.model_copy(update={"variant": own.variant, "seed": 9, "accuracy": 0.9})
    given = stage_with(picks, candidates=[own, dear, seed])
    facts = replace(NONE, picks=given, scores=scores(0.0, stage))
    (step,) = [each for each in next_steps(facts) if "cnn-dear-head" in each.words.en]
    assert "2.1 points more" in step.words.en
    assert "12.5 ms" in step.words.en
    assert step.command == "gaikan pick 'my run' --stages 'my run/run.toml'"
    worse = dear.model_copy(update={"failed": ["p90_ms", "escape_bound"]})
    facts = replace(facts, picks=stage_with(picks, candidates=[own, worse]))
    assert not [each for each in next_steps(facts) if "cnn-dear-head" in each.words.en]


def is_pick(each: WeighedCandidate, stage: StagePicks) -> bool:
    pick = stage.pick
    assert pick is not None
    place = (pick.variant, pick.seed, pick.label, pick.threads)
    return (each.variant, each.seed, each.label, each.threads) == place


def scores(overkill: float, stage: StagePicks) -> pd.DataFrame:
    """`accuracy.csv` with what the nearest anchor alone rejects."""
    assert stage.pick is not None
    row = {"variant": stage.pick.variant, "seed": stage.pick.seed, "split": "validation"}
    row["n"] = stage.pick.validation.n
    return pd.DataFrame([{**row, "overkill_rate": overkill, "escape_rate": 0.2}])


def test_a_threshold_that_costs_more_than_it_must_is_named(picks: PicksFile) -> None:
    stage = only(stage_with(picks))
    assert stage.pick is not None
    quality = stage.pick.validation.model_copy(
        update={"overkill_rate": 0.2, "goods": 500, "n": 1000, "escape_rate": 0.03}
    )
    moved = stage.pick.model_copy(update={"threshold": 0.5, "validation": quality})
    alone = stage_with(picks, pick=moved, candidates=[])
    (step,) = next_steps(replace(NONE, picks=alone, scores=scores(0.05, stage)))
    assert step.worth == pytest.approx(0.075)
    assert "rejects 20.0 % of the good validation parts" in step.words.en
    assert "3.0 instead of 20.0 % escapes" in step.words.en
    assert "validation parts, without it 5.0 %;" not in step.words.en  # other lots
    assert "parts of the lots that set it, without it 5.0 % of" in step.words.en
    same = scores(0.05, stage).assign(n=1000)
    (step,) = next_steps(replace(NONE, picks=alone, scores=same))
    assert "validation parts, without it 5.0 %;" in step.words.en
    assert next_steps(replace(NONE, picks=alone, scores=scores(0.2, stage))) == []
    plain = stage_with(picks, pick=moved.model_copy(update={"threshold": None}), candidates=[])
    assert next_steps(replace(NONE, picks=plain, scores=scores(0.05, stage))) == []


def test_the_three_that_are_worth_most_come_first(picks: PicksFile) -> None:
    facts = replace(NONE, picks=picks, scores=scores(0.0, next(iter(picks.stages.values()))))
    steps = next_steps(replace(facts, curve=counts(600, 400, 240), doubted=400))
    worths = [step.worth for step in steps]
    assert worths == sorted(worths, reverse=True)
    assert len(steps) == 3
    assert "doubted" in steps[0].words.en
