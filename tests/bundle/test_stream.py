"""What `gaikan predict` says of each image, against torch."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from runner import gaikan
from small_bundle import CLASSES, anchors, bundle, embedded, images, novelty
from small_parts import write_table

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.decision import VERDICTS


@pytest.mark.parametrize("threshold", [None, 0.05])
def test_csv_and_json_say_what_torch_says(
    threshold: float | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    some = images(30, 5)
    bundle(threshold=threshold).save(tmp_path / "m.gaikan")
    table = write_table(tmp_path / "parts.parquet", some)
    distances = np.linalg.norm(embedded(some)[:, None] - anchors(), axis=2)
    predicted = distances.argmin(1)
    if threshold is not None:
        is_ok = distances[:, 1:].min(1) - distances[:, 0] > threshold
        predicted = np.where(is_ok, 0, 1 + distances[:, 1:].argmin(1))
        assert (predicted != distances.argmin(1)).any()
    out = tmp_path / "out.csv"
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--csv", out, "--batch", "7") == 0
    assert "30 images in " in capfd.readouterr().err
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--json") == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    with out.open(newline="", encoding="utf-8") as file:
        for i, (row, line) in enumerate(zip(csv.DictReader(file), lines, strict=True)):
            assert row["image"] == line["image"] == f"{table}:{i}"
            assert row["class"] == line["class"] == CLASSES[predicted[i]]
            assert row["verdict"] == line["verdict"] == ("defective" if predicted[i] else "ok")
            assert line["distance"] == pytest.approx(distances[i].min(), rel=1e-4)
            two = np.sort(distances[i])
            assert float(row["margin"]) == pytest.approx(two[1] - two[0], abs=1e-5)


def test_a_part_without_finite_distances_is_of_no_class(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = bundle(dtype=torch.float32)
    replace(made, card=replace(made.card, values=(0.0, 3e38))).save(tmp_path / "m.gaikan")
    pixels = np.full((2, 1, 8, 8), 90, np.float32)
    pixels[1, 0, 3, 4] = 3e38  # a number, of which the network makes none
    table = write_table(tmp_path / "parts.parquet", pixels)
    options = ("--strict", "--csv", tmp_path / "out.csv")
    assert gaikan("predict", tmp_path / "m.gaikan", table, *options) == 2
    stderr = capfd.readouterr().err
    assert stderr.startswith(f"gaikan: {table}:1: gives no finite distances")
    assert not (tmp_path / "out.csv").exists()


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    bundle().save(tmp_path / "m.gaikan")
    peaks = []
    for n in (10_000, 100_000):
        table = write_table(tmp_path / f"{n}.parquet", images(n))
        code = (
            "from gaikan.cli import app; from gaikan.timing.footprint import peak_rss_mb;"
            f"app(['predict', {str(tmp_path / 'm.gaikan')!r}, {str(table)!r},"
            f" '--csv', {str(tmp_path / 'out.csv')!r}], standalone_mode=False);"
            "print(peak_rss_mb())"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        peaks.append(float(done.stdout))
    assert peaks[1] < peaks[0] + 4  # 90,000 images more are 5.8 MB, their lines 40


def asking() -> tuple[NDArray[np.uint8], Bundle]:
    """200 images, and a bundle that asks about some of those that it calls good."""
    some = images(200, 5)
    p = novelty().p_values(embedded(some))[bundle()(some).predicted == 0]
    return some, bundle(ask_level=float(np.quantile(p, 0.4, method="lower")))


def test_a_part_called_good_that_looks_new_is_asked_about_and_can_stop_the_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    some, made = asking()
    made.save(tmp_path / "m.gaikan")
    table = write_table(tmp_path / "parts.parquet", some)
    p, good = novelty().p_values(embedded(some)), made(some).predicted == 0
    new = p <= np.float32(made.card.ask_level)
    assert (good & new).any()
    assert (good & ~new).any()
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--json", "--fail-on", "ask") == 1
    said = capfd.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    expected = np.where(~good, "defective", np.where(new, "ask", "ok"))
    assert [line["verdict"] for line in lines] == expected.tolist()
    assert [line["class"] == "ok" for line in lines] == good.tolist()
    np.testing.assert_allclose([line["novelty_p"] for line in lines], p, atol=1e-5)
    assert f"{(good & new).sum()} images called good, but new to the model" in said.err


@pytest.mark.parametrize(
    ("verdict", "fail_on", "code"),
    [
        *(("ok", None, 0), ("ask", None, 0), ("defective", None, 0)),
        *(("ok", "ask", 0), ("ask", "ask", 1), ("defective", "ask", 1)),
        *(("ok", "defective", 0), ("ask", "defective", 0), ("defective", "defective", 1)),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(
    verdict: str, fail_on: str | None, code: int, tmp_path: Path
) -> None:
    some, made = asking()
    made.save(tmp_path / "m.gaikan")
    found, order = made(some).verdict, ("ok", "ask", "defective")
    worst_first = reversed(order[: order.index(verdict) + 1])
    rows = [np.flatnonzero(found == VERDICTS.index(each))[0] for each in worst_first]
    table = write_table(tmp_path / "parts.parquet", some[rows])
    options = () if fail_on is None else ("--fail-on", fail_on)
    out = tmp_path / "out.csv"
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--csv", out, *options) == code


def test_verdicts_to_fail_on_need_a_good_class(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle(ok=None).save(tmp_path / "m.gaikan")
    table = write_table(tmp_path / "parts.parquet", images(2))
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--fail-on", "ask") == 2
    assert "no class of this bundle means good" in capfd.readouterr().err
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--json") == 0
    assert [json.loads(x)["verdict"] for x in capfd.readouterr().out.splitlines()] == ["", ""]
