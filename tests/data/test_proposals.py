"""What names propose."""

from pathlib import Path

import numpy as np
import pytest

from gaikan.data.frames import Frames
from gaikan.data.proposals import proposed_lot_columns, proposed_lot_names, proposed_ok


@pytest.mark.parametrize(
    ("classes", "good"),
    [
        (("crack", "OK"), "OK"),
        (("良品", "キズ"), "良品"),
        (("no_defect", "dent"), "no_defect"),
        (("good", "ok", "dent"), None),  # which of the two is not guessed
        (("not ok", "broken"), None),
        (("0", "1"), None),
    ],
)
def test_one_class_with_a_name_that_means_good_is_proposed(
    classes: tuple[str, ...], good: str | None
) -> None:
    assert proposed_ok(classes) == good


def of_files(names: list[str], labels: list[int]) -> Frames:
    n = len(names)
    return Frames(
        source="parts",
        images=np.zeros((n, 1, 2, 2), np.uint8),
        labels=np.array(labels),
        classes=("dent", "ok"),
        keys=("dent", "ok"),
        rows=np.arange(n),
        origins=np.array([f"parts/x/{name}.png" for name in names], object),
    )


BOARDS = ["board1_01", "board1_02", "board2_01", "board2_02"]


@pytest.mark.parametrize(
    ("names", "labels", "begins"),
    [
        (BOARDS, [0, 1, 0, 1], ["board1", "board2"]),
        (["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"], [0, 0, 1, 1, 1, 1], ["a", "b", "c"]),
        (["001", "002", "003", "004"], [0, 1, 0, 1], []),  # a number alone
        (["img_1", "img_2", "img_3", "img_4"], [0, 1, 0, 1], []),  # all begin alike
        (["ok_1", "ok_2", "dent_1", "dent_2"], [1, 1, 0, 0], []),  # only the class
        (["a_1", "b_1", "c_1", "d_1"], [0, 1, 0, 1], []),  # each on its own
    ],
)
def test_beginnings_of_file_names_that_several_images_share_may_be_lots(
    names: list[str], labels: list[int], begins: list[str]
) -> None:
    assert proposed_lot_names(of_files(names, labels)) == begins


def test_a_column_that_is_called_as_lots_are_is_proposed(tmp_path: Path) -> None:
    table = tmp_path / "parts.csv"
    table.write_text("path,label,Lot,remark\na.png,ok,7,x\n")
    assert proposed_lot_columns(str(table)) == ["Lot"]
    assert proposed_lot_columns(str(tmp_path)) == []
    assert proposed_lot_columns("terminals") == []
