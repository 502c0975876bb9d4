"""`learning_curve.csv`: wrong validation parts by the number of images learned from."""

from pathlib import Path

from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.run_folder.result_tables import read_table_if_any
from gaikan.system.files import write

CURVE, CURVE_PICTURE = "learning_curve.csv", "figures/learning_curve.png"


def write_curve(out: Path, counts: ErrorCounts) -> None:
    """Writes the table. Raises UnwritableError."""
    write(out / CURVE, counts.table.to_csv(index=False))


def read_curve(out: Path) -> ErrorCounts | None:
    """None where the run has none. Raises ConfigError naming file and column."""
    table = read_table_if_any(out, "learning_curve")
    return None if table is None else ErrorCounts(table)


def remove_curve(out: Path) -> None:
    """Removes the table and its picture, which are of networks that were here before."""
    for name in (CURVE, CURVE_PICTURE):
        (out / name).unlink(missing_ok=True)
