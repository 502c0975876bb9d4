"""`unseen.parquet`, read back: parts of failure modes that a network was trained without."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaikan.errors import ConfigError
from gaikan.run_folder.predictions import (
    AGAIN,
    floats,
    read_predictions,
    text_column,
    whole_numbers,
)

UNSEEN_PARTS = "unseen.parquet"
_COLUMNS = (
    *("variant", "seed", "without", "split", "sample", "label", "predicted"),
    *("ok_margin", "novelty_p"),
)
_GOOD, _VALIDATION, _TEST = range(3)  # kinds of its parts


@dataclass(frozen=True, eq=False)
class ScoredParts:
    """P parts as one network sees them; each array is (P,)."""

    sample: NDArray[np.int64]  # row in the source
    called_good: NDArray[np.bool_]  # by the nearest anchor
    ok_margin: NDArray[np.float64]
    novelty_p: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LeftOutMode:
    """What a network that was trained without a failure mode makes of it."""

    mode: str
    good: ScoredParts  # good validation parts, by which its border and level are set
    validation: ScoredParts  # of the mode
    test: ScoredParts  # of the mode


def read_unseen(out: Path, ok: str | None) -> dict[tuple[str, int], tuple[LeftOutMode, ...]]:
    """By variant and seed, in the order of the modes; nothing where no mode was left out.

    Nothing of a network either that lacks a mode which another of its seed has: its worst mode
    would be the worst of others. Raises ConfigError naming file and column.
    """
    path = out / UNSEEN_PARTS
    if ok is None or not path.exists():
        return {}
    table = read_predictions(path, _COLUMNS, ())
    if not table.num_rows:
        return {}
    (variant, variants), (mode, modes) = (text_column(table, key) for key in ("variant", "without"))
    (split, splits), (label, labels) = (text_column(table, key) for key in ("split", "label"))
    predicted, classes = text_column(table, "predicted")
    parts = ScoredParts(
        whole_numbers(table, "sample"),
        np.equal(predicted, _place(ok, classes)),
        floats(table, "ok_margin"),
        floats(table, "novelty_p"),
    )
    if not ((parts.novelty_p > 0) & (parts.novelty_p <= 1)).all():
        raise ConfigError(f"{path}: column 'novelty_p' has cells that are not in 0..1; {AGAIN}")
    kind = np.where(label == _place(ok, labels), _GOOD, _VALIDATION)
    kind[split == _place("test", splits)] = _TEST
    keys = np.stack([variant, whole_numbers(table, "seed"), mode, kind])
    order = np.lexsort(keys[::-1])
    starts = np.flatnonzero(np.diff(keys[:, order], axis=1, prepend=-1).any(0))
    found: dict[tuple[str, int], dict[str, dict[int, ScoredParts]]] = {}
    for start, rows in zip(starts, np.split(order, starts[1:]), strict=True):
        of_variant, of_seed, of_mode, of_kind = keys[:, order[start]].tolist()
        network = found.setdefault((variants[of_variant], of_seed), {})
        network.setdefault(modes[of_mode], {})[of_kind] = _at(parts, rows)
    return _complete({key: _left_out(of_modes) for key, of_modes in found.items()})


def _left_out(of_modes: dict[str, dict[int, ScoredParts]]) -> tuple[LeftOutMode, ...]:
    """Those modes of which validation has a part."""
    nothing = ScoredParts(*(np.zeros(0, kind) for kind in (np.int64, np.bool_, float, float)))
    return tuple(
        LeftOutMode(mode, *(kinds.get(kind, nothing) for kind in (_GOOD, _VALIDATION, _TEST)))
        for mode, kinds in of_modes.items()
        if _VALIDATION in kinds
    )


def _place(name: str, names: list[str]) -> int:
    """Where a name is; -2, which no row has, where it is not there."""
    return names.index(name) if name in names else -2


def _at(parts: ScoredParts, rows: NDArray[np.int64]) -> ScoredParts:
    return ScoredParts(*(values[rows] for values in vars(parts).values()))


def _complete(
    found: dict[tuple[str, int], tuple[LeftOutMode, ...]],
) -> dict[tuple[str, int], tuple[LeftOutMode, ...]]:
    """Those that have every mode that a network of their seed has."""
    known: dict[int, set[str]] = {}
    for (_, seed), modes in found.items():
        known.setdefault(seed, set()).update(each.mode for each in modes)
    return {key: modes for key, modes in found.items() if 0 < len(modes) == len(known[key[1]])}
