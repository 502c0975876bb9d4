"""`labels.csv` as the page of next steps counts it."""

from pathlib import Path

import pytest

from gaikan.errors import ConfigError, DataError
from gaikan.run_folder.labels_file import (
    LABELS,
    DoubtedPart,
    count_doubted,
    refuse_filled,
    write_labels,
)

ROWS = [
    DoubtedPart("train", 3, "a:3", "ok", "yes", "crack", "0.900"),
    DoubtedPart("train", 4, "a:4", "ok", "", "crack", "0.600"),  # it comes next, but is not doubted
    DoubtedPart("train", 5, "a:5", "ok", "", "", "", correct="crack"),  # an earlier correction
    DoubtedPart("train", 6, "a:6", "ok", "yes", "crack", "0.800", correct="ok"),  # looked at
    DoubtedPart("test", 1, "b:1", "crack", "yes", "ok", "0.700"),
]


def test_doubted_training_labels_are_counted(tmp_path: Path) -> None:
    assert count_doubted(tmp_path) is None
    write_labels(tmp_path, ROWS)
    assert count_doubted(tmp_path) == 1


def test_a_spreadsheet_may_have_saved_it(tmp_path: Path) -> None:
    write_labels(tmp_path, ROWS)
    path = tmp_path / LABELS
    path.write_text(path.read_text("utf-8-sig").replace(",", ";"), "utf-16")
    assert count_doubted(tmp_path) == 1


def test_a_column_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text("part,row\ntrain,1\n")
    with pytest.raises(DataError, match=r"labels\.csv: column 'doubted' is missing"):
        count_doubted(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here refuses all reading")
def test_a_table_that_the_system_cannot_read_is_named(tmp_path: Path) -> None:
    (tmp_path / LABELS).symlink_to("/proc/self/mem")
    with pytest.raises(DataError, match=r"labels\.csv: not a readable CSV file"):
        count_doubted(tmp_path)


def test_a_table_that_somebody_worked_on_or_that_cannot_be_read_is_not_replaced(
    tmp_path: Path,
) -> None:
    refuse_filled(tmp_path)
    write_labels(tmp_path, [ROWS[0]])
    refuse_filled(tmp_path)
    write_labels(tmp_path, ROWS)
    with pytest.raises(ConfigError, match="holds corrections"):
        refuse_filled(tmp_path)
    (tmp_path / LABELS).write_text("")
    with pytest.raises(ConfigError, match="the file is empty; it would be replaced: move it away"):
        refuse_filled(tmp_path)
