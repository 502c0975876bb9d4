"""What a source's names propose: which class means good, and what may be a lot."""

import re
from pathlib import Path

import numpy as np

from gaikan.data.frames import Frames

# What a class of good parts is called: compared without case, spaces, '-' and '_'.
_GOOD = {
    *("ok", "good", "normal", "pass", "passed", "fine", "nodefect", "defectfree", "nondefective"),
    *("io", "gut", "良品", "正常", "合格", "良"),
}
_LOTS = {"lot", "batch", "board", "panel", "wafer", "tile", "tray", "shift", "serial", "part_id"}
_LOTS |= {"lot_id", "batch_id", "board_id", "panel_id", "serial_number", "ロット", "基板"}
_FEWEST = 2  # images of a lot on average, so that a name is no lot of its own
_LAST_NUMBER = re.compile(r"[\W_]+[^\W_]*\d+$")


def proposed_ok(classes: tuple[str, ...]) -> str | None:
    """The only class with a name that means good; None where there is none, or are several."""
    good = [name for name in classes if re.sub(r"[\s_-]", "", name).casefold() in _GOOD]
    return good[0] if len(good) == 1 else None


def proposed_lot_columns(source: str) -> list[str]:
    """The columns of a table in one file that are called as lots are. Raises DataError."""
    return [name for name in _column_names(Path(source)) if name.casefold() in _LOTS]


def _column_names(path: Path) -> list[str]:
    if path.suffix.lower() == ".csv":
        from gaikan.data.csv_files import open_csv

        return list(open_csv(path).names)
    if path.suffix.lower() == ".parquet" and path.is_file():
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    return []


def proposed_lot_names(frames: Frames) -> list[str]:
    """What the names of image files begin with, where that may be a lot; else nothing.

    `board12_03.png` and `board12_04.png` begin with `board12`. It is no lot where nearly every
    image has one of its own, where all have the same, or where it only says the class.
    """
    if frames.origins is None:
        return []
    stems = [Path(str(origin)).stem for origin in frames.origins]
    if not all(map(_LAST_NUMBER.search, stems)):
        return []
    begins = np.array([_LAST_NUMBER.sub("", stem) for stem in stems])
    found = np.unique(begins)
    pairs = {*zip(begins.tolist(), frames.labels.tolist(), strict=True)}
    only_classes = len(found) <= len(frames.classes) and len(pairs) == len(found)
    if len(found) < 2 or _FEWEST * len(found) > len(stems) or only_classes:
        return []
    return [str(name) for name in found]
