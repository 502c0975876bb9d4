"""`gaikan data`: facts and a picture of what a source holds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from runner import gaikan
from tiny import write_class

NAMES = ("良品", "キズ", "打痕")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    for place, name in enumerate(NAMES):
        write_class(tmp_path / "parts" / name, 3 * place, 3 + place, 0)
    return tmp_path / "parts"


def test_facts_are_lines_that_no_narrow_terminal_cuts(
    parts: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a long note the names of the facts were squeezed to nothing."""
    monkeypatch.setenv("COLUMNS", "40")
    (parts / "a text beside the folders of the classes.txt").touch()
    assert gaikan("data", parts) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "note         1 file is no image: left out (1 .txt)" in lines
    assert f"source       {parts}" in lines


MARKUP = ["[ng]kizu", "x[/a]", "[red]dent", "[link=file:///etc]", ":warning:", r"\[b]", "[@click]a"]


@pytest.mark.parametrize("kind", ["folder", "csv", "parquet"])
def test_names_of_classes_modes_and_lots_are_shown_as_they_are(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    """`[ng]kizu` is a style to what draws tables, `x[/a]` the end of one that never began."""
    names = MARKUP
    if kind == "folder":
        names = [name for name in MARKUP if "/" not in name]
        path = tmp_path / "[b]parts"
        for place, name in enumerate(names):
            write_class(path / name / "[lot]", 0, 3, place)
    else:
        path = tmp_path / f"[b]parts.{kind}"
        columns = {"data0": [*range(2 * len(names))], "label": [*"ab"] * len(names)}
        columns |= {"fmode": names * 2, "group": names * 2}
        table = pd.DataFrame(columns)
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    assert gaikan("data", path) == 0
    shown = capfd.readouterr().out
    assert f"source       {path}\n" in shown
    for name in names:
        assert name in shown


def test_a_picture_shows_images_of_every_class(parts: Path, tmp_path: Path) -> None:
    assert gaikan("data", parts, "--picture", tmp_path / "sub/sheet.png") == 0
    with Image.open(tmp_path / "sub/sheet.png") as sheet:
        assert sheet.mode == "L"
        drawn = np.asarray(sheet)
    rows = np.split(drawn[: len(drawn) // 3 * 3], 3)
    bright = [int((row > 100).sum() - (row == 255).sum()) for row in rows]
    assert all(bright), "each class has its row"
    assert gaikan("data", parts, "--picture", tmp_path / "again.png") == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "sub/sheet.png").read_bytes()


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet", "sheet.png.txt"])
def test_a_picture_of_another_kind_is_refused_before_anything_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    assert gaikan("data", tmp_path / "nothing", "--picture", tmp_path / name) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert "is a PNG file; name it so: sheet" in error
    assert not list(tmp_path.iterdir())
