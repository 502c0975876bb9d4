"""What a report says of the picks as they are installed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runner import gaikan
from small_run import write_run

from gaikan.report.blocks import Bullets, Paragraph, Table
from gaikan.report.installed_blocks import installed, matrix, said_mistakes
from gaikan.run_folder.picks_file import Judged, PicksFile, StagePicks, read_picks


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = write_run(tmp_path_factory.mktemp("run"))
    assert gaikan("pick", out) == 0
    return out


def picks_of(run: Path) -> PicksFile:
    picks = read_picks(run / "picks.json")
    assert picks is not None
    return picks


def matrix_of(stage: StagePicks) -> Table:
    """The only table of the stage's matrix."""
    (table,) = (block for block in matrix(stage) if isinstance(block, Table))
    return table


def test_the_matrix_is_of_the_installed_seed_with_its_threshold(run: Path) -> None:
    table = pd.read_parquet(run / "predictions.parquet").query("split == 'test'")
    table = table.astype({"label": str, "predicted": str, "defect": str})
    thresholds = []
    for stage in picks_of(run).stages.values():
        pick = stage.pick
        assert pick is not None
        own = table[(table["variant"] == pick.variant) & (table["seed"] == pick.seed)]
        called = own["predicted"]
        if pick.threshold is not None:
            called = own["defect"].mask(own["ok_margin"] > pick.threshold, "ok")
        expected = pd.crosstab(own["label"], called)
        shown = matrix_of(stage)
        assert [column.en for column in shown.columns[1:]] == [*expected.columns]
        assert [row[0] for row in shown.rows] == [*expected.index]
        counts = np.array([row[1:] for row in shown.rows]).astype(int)
        assert (counts == expected.to_numpy()).all()
        right = sum(cell.parts for cell in stage.judged if cell.actual == cell.called)
        assert pick.test.accuracy == pytest.approx(right / pick.test.n)
        thresholds.append(pick.threshold)
    assert any(threshold is not None for threshold in thresholds)


def test_picks_md_has_matrix_and_mistakes_of_each_stage(run: Path) -> None:
    text = (run / "picks.md").read_text()
    for name, stage in picks_of(run).stages.items():
        assert stage.pick is not None
        assert f"As installed at {name}: {stage.pick.variant}, seed {stage.pick.seed}" in text
    assert text.count("Test parts by this network alone.") == 2


def test_a_network_that_several_stages_install_is_shown_once(run: Path) -> None:
    picks = picks_of(run)
    one = picks.stages["final"]
    empty = one.model_copy(update={"pick": None})
    twice = picks.model_copy(update={"stages": {"a": one, "none": empty, "b": one}})
    assert [name for name, *_ in installed(twice)] == ["a, b"]
    assert installed(None) == []


def test_a_matrix_of_very_many_classes_is_left_out(run: Path) -> None:
    stage = picks_of(run).stages["final"]
    cells = [Judged(actual=f"{i:02}", called=f"{i:02}", parts=1, asked=0) for i in range(26)]
    (said,) = matrix(stage.model_copy(update={"judged": cells}))
    assert isinstance(said, Paragraph)
    assert "26 classes" in said.text.en
    assert len(matrix(stage.model_copy(update={"judged": cells[:25]}))) == 2


def test_mistakes_are_spelled_out_worst_first() -> None:
    cells = [
        ("mousebite", "mousebite", 49),
        ("mousebite", "spur", 1),
        ("spur", "mousebite", 14),
        ("spur", "spur", 106),
    ]
    said = said_mistakes(cells, seeds=1)
    assert isinstance(said, Bullets)
    assert [words.en for words in said.items] == [
        "14 of 120 “spur” called “mousebite”",
        "1 of 50 “mousebite” called “spur”",
    ]
    twice = said_mistakes(cells, seeds=2)
    assert isinstance(twice, Bullets)
    assert twice.items[0].en.endswith("(2 seeds together)")
    none = said_mistakes(cells[:1], seeds=1)
    assert isinstance(none, Paragraph)
    assert none.text.en == "No test part was called wrong."
