"""The tables of a run folder, read back: `accuracy.csv`, `summary.csv` and the like."""

from pathlib import Path

import pandas as pd

from gaikan.errors import ConfigError, first_line

# Columns of text: a class may be called "001" or "NA".
_TEXT = (
    *("variant", "arch", "style", "anchor", "split", "other", "kind"),
    *("escapes", "overkills", "target", "mode", "reason"),
)
_YES_OR_NO = ("tied", "differs")
_AGAIN = "run `gaikan bench` on this folder again"

_RECALLS = ("variant", "kind", "parts", "seeds", "right", "recall", "low", "high")
_COLUMNS = {
    "accuracy": ("variant", "arch", "style", "anchor", "seed", "split", "n", "accuracy"),
    "comparisons": ("variant", "other", "difference", "low", "high", "p_holm", "differs"),
    "summary": (
        *("variant", "kind", "seeds", "accuracy", "balanced_accuracy", "validation_accuracy"),
        *("escape_rate", "overkill_rate", "low", "high", "tied"),
    ),
    "rates": (
        *("variant", "escapes", "defects", "defect_lots", "equal_defect_lots"),
        *("escape_rate", "escape_bound", "escape_bound_picked"),
        *("overkills", "goods", "overkill_rate", "overkill_bound"),
    ),
    "classes": _RECALLS,
    "modes": _RECALLS,
    "unseen": (
        *("variant", "arch", "mode", "seed", "parts"),
        *("escaped", "asked", "other_defect", "good_asked", "reason"),
    ),
    "leaked": ("variant", "kind", "parts", "accuracy"),
    "learning_curve": ("variant", "seed", "images", "mode", "parts", "wrong"),
}


def read_table(out: Path, name: str) -> pd.DataFrame:
    """The table `name` of the run in `out`; cells of `tied` and `differs` True, False or None.

    Raises ConfigError naming file and column where it is missing, empty or of another kind.
    """
    path = out / f"{name}.csv"
    try:
        with path.open(encoding="utf-8") as file:
            columns = file.readline().strip().split(",")
        empty = {column: [""] for column in columns if column not in _TEXT}
        text = dict.fromkeys((*_TEXT, *_YES_OR_NO), str)
        table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=empty)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not there; {_AGAIN}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read ({first_line(error)}); {_AGAIN}") from None
    for column in _COLUMNS[name]:
        if column not in table:
            raise ConfigError(f"{path}: column {column!r} is missing; {_AGAIN}")
    if table.empty and name == "comparisons":  # of one variant
        return table
    if table.empty:
        raise ConfigError(f"{path}: no row in it; {_AGAIN}")
    for column in table.columns:
        if column in _YES_OR_NO:
            known = {"True": True, "False": False}
            table[column] = [known.get(text) for text in table[column]]
        elif column not in _TEXT and not pd.api.types.is_numeric_dtype(table[column]):
            raise ConfigError(f"{path}: column {column!r} holds what is no number; {_AGAIN}")
    return table


def read_table_if_any(out: Path, name: str) -> pd.DataFrame | None:
    """The table, or None where the run has not written it."""
    return read_table(out, name) if (out / f"{name}.csv").exists() else None
