"""`gaikan bench --unseen`: every defect is left out of training once, and told of in the run."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from runner import bench
from tiny import write_class

from gaikan.flow import unseen_run
from gaikan.language.words import say, unpacked
from gaikan.training.cell import Cell, Finished

CONFIG = """
seeds = 2
references = "none"
unseen = true
[data]
train = "{folder}/train"
test = "{folder}/test"
ok = "ok"
[grid]
arch = ["mlp"]
style = ["vanilla"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = 6
batch_size = 16
"""


class Done(NamedTuple):
    code: int
    said: str


def run(*arguments: str | Path) -> Done:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = bench(*arguments)
    return Done(code, said.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unseen")
    for part, seed in (("train", 0), ("test", 1)):
        for name, place in (("ok", 1), ("burr", 5), ("crack", 9)):
            write_class(folder / part / name, place, 30, seed)
    (folder / "parts.toml").write_text(CONFIG.format(folder=folder))
    done = run(folder / "parts.toml", "--out", folder / "out")
    assert done.code == 0, done.said
    (folder / "said").write_text(done.said)
    return folder


def test_each_defect_has_a_row_for_each_variant_and_seed(folder: Path) -> None:
    table = pd.read_csv(folder / "out/unseen.csv", keep_default_na=False)
    networks = table[table["arch"] == "mlp"]
    assert len(networks) == 2 * 2 * 2  # head and anchors, seeds, modes
    assert len(table) == len(networks) + 2 * 2
    assert set(table["mode"]) == {"burr", "crack"}
    assert (table["parts"] == 30).all()
    assert (table["reason"] == "").all()
    shares = table[["escaped", "asked", "other_defect"]].astype(float)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)


def test_its_parts_are_those_of_the_run_and_its_shares_are_theirs(folder: Path) -> None:
    parts = pd.read_parquet(folder / "out/unseen.parquet")
    run_parts = pd.read_parquet(folder / "out/predictions.parquet")
    table = pd.read_csv(folder / "out/unseen.csv", keep_default_na=False)
    rows = table[table["arch"] == "mlp"]
    shares = rows[["escaped", "asked"]].astype(float).sum(axis=1)
    assert len(parts.groupby(["variant", "seed", "without"], observed=True)) == len(rows)
    for row, share in zip(rows.itertuples(), shares, strict=True):
        own, known = (
            some[(some["variant"] == row.variant) & (some["seed"] == row.seed)]
            for some in (parts, run_parts)
        )
        own = own[own["without"] == row.mode]
        for split in ("validation", "test"):
            kept = [row.mode, "ok"] if split == "validation" else [row.mode]
            expected = known[(known["split"] == split) & known["label"].isin(kept)]
            found = own[own["split"] == split].sort_values("sample")
            assert found["sample"].tolist() == expected["sample"].sort_values().tolist()
            assert set(found["label"]) == set(kept)
        good = own["predicted"] == "ok"
        assert row.mode not in set(own["predicted"])
        assert (good == (own["ok_margin"] > 0)).all()
        assert own["novelty_p"].between(0, 1).all()
        unasked = good[own["split"] == "test"].mean()
        assert share == pytest.approx(unasked, abs=1e-5)


def test_it_stands_in_the_terminal_and_on_the_page_with_its_figure(folder: Path) -> None:
    assert "Defects that training has not seen" in (folder / "said").read_text()
    page = (folder / "out/report.md").read_text()
    assert "## Defects that training has not seen" in page
    assert "| reference-good_only" in page
    assert (folder / "out/figures/unseen.png").stat().st_size > 0


def test_a_second_run_trains_nothing_and_one_without_the_flag_forgets_the_table(
    folder: Path,
) -> None:
    stored = sorted((folder / "out/store").iterdir())
    again = run(folder / "parts.toml", "--out", folder / "out")
    assert "Nothing has changed" in again.said
    assert sorted((folder / "out/store").iterdir()) == stored
    without = run(folder / "parts.toml", "--out", folder / "out", "--no-unseen")
    assert without.code == 0, without.said
    assert sorted((folder / "out/store").iterdir()) == stored
    assert not (folder / "out/unseen.csv").exists()
    assert not (folder / "out/unseen.parquet").exists()
    assert not (folder / "out/figures/unseen.png").exists()


def test_without_a_good_class_nothing_is_trained(folder: Path, tmp_path: Path) -> None:
    text = (folder / "parts.toml").read_text().replace('ok = "ok"\n', "")
    (tmp_path / "parts.toml").write_text(text)
    done = run(tmp_path / "parts.toml", "--out", tmp_path / "out")
    assert done.code == 2
    assert "--unseen: which class is good is not known" in done.said
    assert not (tmp_path / "out").exists()


def test_with_one_defect_the_reason_is_told(folder: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("ok", "burr"):
            target = tmp_path / part / name
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(folder / part / name)
    (tmp_path / "parts.toml").write_text(CONFIG.format(folder=tmp_path))
    done = run(tmp_path / "parts.toml", "--out", tmp_path / "out", "--seeds", "1")
    assert done.code == 0, done.said
    table = pd.read_csv(tmp_path / "out/unseen.csv", keep_default_na=False)
    own = table[table["arch"] == "mlp"]
    assert [*map(unpacked, own["reason"])] == [say("mode_is_the_only_one")]
    assert "Without burr not measured" in (tmp_path / "out/report.md").read_text()
    limit = "[stage.new]\nunseen_escape = { max = 0.1 }\n"
    (tmp_path / "limit.toml").write_text(CONFIG.format(folder=tmp_path) + limit)
    done = run(tmp_path / "limit.toml", "--out", tmp_path / "limited")
    assert done.code == 2
    assert "key 'stage.new.unseen_escape': no failure mode can be left out" in done.said
    assert not (tmp_path / "limited").exists()


def test_a_training_without_a_mode_that_fails_is_told_and_tried_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the memory of a device is short for a while."""
    text = CONFIG.format(folder=folder).replace("seeds = 2", "seeds = 1")
    (tmp_path / "parts.toml").write_text(text)
    arguments = (tmp_path / "parts.toml", "--out", tmp_path / "out")

    def short(todo: list[Cell], *_: object) -> list[Finished]:
        return [Finished(failure="out of memory") for _ in todo]

    with monkeypatch.context() as patched:
        patched.setattr(unseen_run, "run_cells", short)
        first = run(*arguments)
    assert first.code == 1
    failed = json.loads((tmp_path / "out/manifest.json").read_bytes())["failed"]
    assert [cell["cell"] for cell in failed] == [
        "mlp-vanilla seed 0 without burr",
        "mlp-vanilla seed 0 without crack",
    ]
    second = run(*arguments)
    assert second.code == 0, second.said
    table = pd.read_csv(tmp_path / "out/unseen.csv", keep_default_na=False)
    assert (table["reason"] == "").all()
    assert json.loads((tmp_path / "out/manifest.json").read_bytes())["failed"] == []
    assert "Nothing has changed" in run(*arguments).said


def test_a_mode_that_test_lacks_is_judged_by_its_validation_parts(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "test").mkdir()
    for name in ("ok", "burr"):
        (tmp_path / "test" / name).symlink_to(folder / "test" / name)
    (tmp_path / "train").symlink_to(folder / "train")
    text = CONFIG.format(folder=tmp_path).replace("seeds = 2", "seeds = 1")
    (tmp_path / "parts.toml").write_text(text)
    done = run(tmp_path / "parts.toml", "--out", tmp_path / "out")
    assert done.code == 0, done.said
    table = pd.read_csv(tmp_path / "out/unseen.csv", keep_default_na=False)
    lacking = table[table["reason"] != ""]
    assert {*lacking["mode"]} == {"crack"}
    assert all(unpacked(each) == say("mode_not_in_test") for each in lacking["reason"])
    parts = pd.read_parquet(tmp_path / "out/unseen.parquet")
    own = parts[(parts["without"] == "crack") & (parts["label"] == "crack")]
    assert len(own)
    assert {*own["split"]} == {"validation"}
    assert "Without crack not measured: the test part has none of it" in done.said
