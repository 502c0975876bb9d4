"""`learning_curve.csv`: wrong validation parts by the number of images learned from."""

from pathlib import Path

from gaikan.errors import ConfigError, first_line
from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.language.words import Words, packed, unpacked
from gaikan.run_folder.result_tables import read_table_if_any
from gaikan.system.files import write

CURVE, CURVE_PICTURE = "learning_curve.csv", "figures/learning_curve.png"
REFUSED = "learning_curve.json"  # why there is no curve, where one was asked for


def write_curve(out: Path, counts: ErrorCounts) -> None:
    """Writes the table. Raises UnwritableError."""
    (out / REFUSED).unlink(missing_ok=True)
    write(out / CURVE, counts.table.to_csv(index=False))


def refuse_curve(out: Path, reason: Words) -> None:
    """Says why there is no curve, in place of an older one. Raises UnwritableError."""
    remove_curve(out)
    write(out / REFUSED, packed(reason) + "\n")


def read_refusal(out: Path) -> Words | None:
    """Why there is no curve; None where there is one, or nobody asked for it."""
    try:
        return unpacked((out / REFUSED).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{out / REFUSED}: cannot be read ({first_line(error)})") from None


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
    for name in (CURVE, CURVE_PICTURE, REFUSED):
        (out / name).unlink(missing_ok=True)
