"""`gaikan predict` goes on where an image cannot be read, and says so; `--strict` stops."""

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runner import gaikan
from small_bundle import bundle, images
from small_parts import write_files

from gaikan.bundle.bundle import Bundle

pytestmark = pytest.mark.timeout(120)
Said = list[dict[str, str]]


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    """Nine images, of which the fourth is torn, and a bundle beside them."""
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "lot", images(9))
    files[3].write_bytes(files[3].read_bytes()[:40])
    return tmp_path / "lot"


def table(lot: Path, kind: str, cells: list[str]) -> Path:
    path = lot.parent / f"parts.{kind}"
    frame = pd.DataFrame({"path": cells})
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    return path


def encoded(lot: Path) -> Path:
    cells = [{"bytes": file.read_bytes(), "path": None} for file in sorted(lot.iterdir())]
    pd.DataFrame({"image": cells}).to_parquet(lot.parent / "parts.parquet")
    return lot.parent / "parts.parquet"


def names(lot: Path) -> list[str]:
    return [f"lot/{i:03}.png" for i in range(9)]


SOURCES: dict[str, Callable[[Path], list[Path]]] = {
    "folder": lambda lot: [lot],
    "files": lambda lot: sorted(lot.iterdir()),
    "csv": lambda lot: [table(lot, "csv", names(lot))],
    "parquet": lambda lot: [table(lot, "parquet", names(lot))],
    "encoded": lambda lot: [encoded(lot)],
    "stdin": lambda lot: [Path("-")],
}


def predicted(lot: Path, sources: list[Path], *options: str) -> tuple[int, Said]:
    """Exit code and rows; the files of the lot are named on stdin."""
    said = lot.parent / "said.csv"
    listed = b"\n".join(os.fsencode(file) for file in sorted(lot.iterdir()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
        code = gaikan("predict", lot.parent / "m.gaikan", *sources, "--csv", said, *options)
    if not said.exists():
        return code, []
    with said.open(newline="", encoding="utf-8") as file:
        return code, list(csv.DictReader(file))


@pytest.mark.parametrize("size", ["2", "64"])
@pytest.mark.parametrize("kind", SOURCES)
def test_the_others_are_decided_and_each_row_is_in_its_place(
    lot: Path, kind: str, size: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, rows = predicted(lot, SOURCES[kind](lot), "--batch", size)
    assert code == 1
    assert "1 image could not be read" in capfd.readouterr().err
    expected = bundle()(images(9)).predicted
    classes = [bundle().card.classes[i] for i in expected]
    assert [row["class"] for row in rows] == [*classes[:3], "", *classes[4:]]
    assert [bool(row["error"]) for row in rows] == [i == 3 for i in range(9)]
    assert (rows[3]["verdict"], rows[3]["distance"], rows[3]["margin"]) == ("unread", "", "")
    assert "not a readable image" in rows[3]["error"]
    assert {row["verdict"] for row in rows} - {"unread"} <= {"ok", "defective"}


@pytest.mark.parametrize("kind", SOURCES)
def test_strict_stops_at_it_in_one_line_and_writes_nothing(
    lot: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert predicted(lot, SOURCES[kind](lot), "--strict") == (2, [])
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert "not a readable image" in error


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("cell", ["lot/gone.png", "", "lot", "x" * 5000])
def test_a_path_that_leads_to_no_file_is_a_row(lot: Path, kind: str, cell: str) -> None:
    path = table(lot, kind, ["lot/000.png", cell or '""', "lot/001.png"])
    code, rows = predicted(lot, [path])
    assert code == 1
    assert [row["verdict"] == "unread" for row in rows] == [False, True, False]
    assert "row 1" in rows[1]["error"]


def test_a_file_whose_name_is_no_text_is_a_row_of_its_escaped_name(lot: Path) -> None:
    odd = os.fsencode(lot) + b"/" + "キズ.png".encode("cp932")
    shutil.move(lot / "000.png", os.fsdecode(odd))
    for source in (lot, Path("-")):
        code, rows = predicted(lot, [source])
        assert code == 1
        (row,) = [row for row in rows if "not in UTF-8" in row["error"]]
        assert row["image"].endswith(r"\udc83L\udc83Y.png")


def test_without_any_image_that_can_be_read_there_are_rows_all_the_same(lot: Path) -> None:
    for file in lot.iterdir():
        file.write_bytes(b"no image")
    code, rows = predicted(lot, [lot])
    assert code == 1
    assert [row["verdict"] for row in rows] == ["unread"] * 9


def test_json_has_null_for_what_there_is_not(lot: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert gaikan("predict", lot.parent / "m.gaikan", lot, "--json") == 1
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [each["error"] is None for each in told] == [i != 3 for i in range(9)]
    assert (told[3]["class"], told[3]["verdict"], told[3]["margin"]) == (None, "unread", None)
    assert gaikan("predict", lot.parent / "m.gaikan", lot) == 1
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 1 + 9
    assert "unread" in lines[4]


def test_an_anchor_is_made_of_all_images_or_not_at_all(
    lot: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--class", "burr", "-o", lot.parent / "n.gaikan")
    assert gaikan("enrol", lot.parent / "m.gaikan", lot, *options) == 2
    assert "003.png: not a readable image" in capfd.readouterr().err
    assert not (lot.parent / "n.gaikan").exists()


def test_an_image_without_finite_distances_is_a_row(tmp_path: Path) -> None:
    import torch

    made = bundle(dtype=torch.float32)
    made = replace(made, card=replace(made.card, values=(0.0, 3e38)))
    made.save(tmp_path / "m.gaikan")
    values = images(3).astype(np.float32)
    values[1] = 3e38
    frame = pd.DataFrame(values.reshape(3, -1), columns=[f"data{i}" for i in range(64)])
    frame.to_parquet(tmp_path / "parts.parquet")
    assert not np.isfinite(Bundle.open(tmp_path / "m.gaikan")(values).distances[1]).all()
    (tmp_path / "lot").mkdir()
    code, rows = predicted(tmp_path / "lot", [tmp_path / "parts.parquet"])
    assert code == 1
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert predicted(tmp_path / "lot", [tmp_path / "parts.parquet"], "--strict")[0] == 2
