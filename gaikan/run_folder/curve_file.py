"""`learning_curve.csv`: wrong validation parts by the number of images learned from."""

from pathlib import Path

from gaikan.errors import ConfigError
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
    if table is None:
        return None
    table["mode"] = table["mode"].fillna("")
    for column in ("seed", "images", "parts", "wrong"):
        if not (table[column] >= (column in ("images", "parts"))).all():  # empty cells neither
            raise _bad(out, f"column {column!r} holds what is no count")
    if (table["wrong"] > table["parts"]).any():
        raise _bad(out, "more parts are wrong than were judged")
    if table.duplicated(["variant", "seed", "images", "mode"]).any():
        raise _bad(out, "a row stands in it twice")
    return ErrorCounts(table)


def _bad(out: Path, what: str) -> ConfigError:
    return ConfigError(f"{out / CURVE}: {what}; run `gaikan bench --learning-curve` again")


def remove_curve(out: Path) -> None:
    """Removes the table and its picture, which are of networks that were here before."""
    for name in (CURVE, CURVE_PICTURE):
        (out / name).unlink(missing_ok=True)
