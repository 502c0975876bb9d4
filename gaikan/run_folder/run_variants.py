"""The variants of a run folder by name, from its `accuracy.csv`.

Without pandas, which `gaikan pick` has no time to import.
"""

import csv
from pathlib import Path

from gaikan.errors import ConfigError
from gaikan.variants import Variant

_COLUMNS = ("variant", "arch", "style", "anchor")
_AGAIN = "run `gaikan bench` on this folder again (it trains nothing anew)"


def read_variants(out: Path) -> dict[str, Variant]:
    """Each variant of the run in `out`, in the order of its table.

    Raises ConfigError naming file and column or variant.
    """
    path = out / "accuracy.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            for column in _COLUMNS:
                if column not in (table.fieldnames or ()):
                    raise ConfigError(f"{path}: column {column!r} is missing; {_AGAIN}")
            rows = list(dict.fromkeys(tuple(row[c] or "" for c in _COLUMNS) for row in table))
    except FileNotFoundError:
        raise ConfigError(f"{path}: not there; {_AGAIN}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); {_AGAIN}") from None
    if not rows:
        raise ConfigError(f"{path}: no row in it; {_AGAIN}")
    found = {}
    for name, *parts in rows:
        found[name] = Variant(*parts)
        if found[name].name != name:
            raise ConfigError(
                f"{path}: variant {name[:80]!r} is not what its arch, style and anchor make; "
                f"{_AGAIN}"
            )
    return found
