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
from runner import gaikan
from small_bundle import CLASSES, anchors, bundle, embedded, images
from small_parts import write_table


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
