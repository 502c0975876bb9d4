"""`gaikan bench --learning-curve`, small."""

from pathlib import Path

import pandas as pd
import pytest
from runner import gaikan
from tiny import FOUR_CELLS, write_class

pytestmark = pytest.mark.timeout(300)


def bench(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    (folder / "tiny.toml").write_text(FOUR_CELLS.format(folder=folder, epochs=2))
    assert gaikan("bench", folder / "tiny.toml", "--out", folder / "out", *more) == 0
    return capsys.readouterr().out


def test_a_curve_is_of_the_best_network_and_goes_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (0, 4, 8):
        write_class(tmp_path / f"parts/class{place}", place, 40, 0)
    shown = bench(tmp_path, capsys, "--learning-curve")
    assert "at four times" in shown
    file = tmp_path / "out/learning_curve.csv"
    table = pd.read_csv(file, keep_default_na=False)
    best = pd.read_csv(tmp_path / "out/summary.csv").query("kind != 'reference'")
    best = best.sort_values("validation_accuracy", ascending=False, kind="stable")
    assert set(table["variant"]) == {best["variant"].iloc[0]}
    whole = table[table["mode"] == ""].groupby("seed")["images"].apply(sorted)
    assert set(whole.index) == {0, 1}
    assert all(len(sizes) == 4 and sizes[-1] >= 2 * sizes[-2] - 3 for sizes in whole)
    assert (table["wrong"] <= table["parts"]).all()
    scores = pd.read_csv(tmp_path / "out/accuracy.csv").query("split == 'validation'")
    for seed, rows in table[table["mode"] == ""].groupby("seed"):
        row = rows.sort_values("images").iloc[-1]
        own = scores[(scores["variant"] == row["variant"]) & (scores["seed"] == seed)]
        assert 1 - row["wrong"] / row["parts"] == pytest.approx(own["accuracy"].item(), abs=1e-6)

    before = file.read_bytes()
    assert "8 of 8 cells are stored" in bench(tmp_path, capsys, "--learning-curve")
    assert file.read_bytes() == before
    bench(tmp_path, capsys, "--epochs", "1")  # other networks
    assert not file.exists()


def test_too_few_images_are_told_and_leave_no_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (0, 4):
        write_class(tmp_path / f"parts/class{place}", place, 5, 0)
    shown = bench(tmp_path, capsys, "--learning-curve")
    assert "No learning curve: " in shown
    assert "bring 8 of each" in shown
    assert not (tmp_path / "out/learning_curve.csv").exists()
