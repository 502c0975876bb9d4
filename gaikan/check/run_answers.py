"""The test decisions of a run that is checked, and its manifest."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gaikan.check.measures import Index
from gaikan.data.frames import Names
from gaikan.errors import DataError
from gaikan.run_folder.manifest import Manifest, read_manifest
from gaikan.run_folder.predictions import read_predictions

COLUMNS = ("variant", "seed", "split", "sample", "label", "predicted")


@dataclass(frozen=True)
class Answers:
    """The test decisions of a variant, which has one network per seed."""

    seeds: tuple[int, ...]  # ascending
    predicted: Index  # (S, N) index of a class

    def at(self, seeds: tuple[int, ...]) -> Index:
        """The rows (s, N) of these seeds."""
        return self.predicted[[self.seeds.index(seed) for seed in seeds]]


@dataclass(frozen=True)
class CheckedRun:
    """What the check reads of a run folder."""

    folder: Path
    manifest: Manifest
    classes: tuple[str, ...]  # those of the networks, then those that only test parts have
    actual: Index  # (N,) index of a class
    answers: dict[str, Answers]  # by variant

    @property
    def ok(self) -> int | None:
        """Index of the good class; None where no class means good."""
        name = self.manifest.ok
        return None if name is None else self.classes.index(name)

    @classmethod
    def read(cls, folder: Path) -> "CheckedRun":
        """Raises ConfigError or DataError, naming the file, where the run is not whole."""
        manifest = read_manifest(folder)
        path = folder / "predictions.parquet"
        table = _read_predictions(path)
        first = table[(table["variant"] == table["variant"].iloc[0])]
        first = first[first["seed"] == first["seed"].iloc[0]]
        labels = first["label"].to_numpy(str)
        known = manifest.classes
        classes = (*known, *sorted(set(labels.tolist()) - set(known)))
        if manifest.ok is not None and manifest.ok not in classes:
            raise DataError(f"{path}: no part of the good class {manifest.ok!r}")
        code = {name: i for i, name in enumerate(classes)}
        answers = {
            str(variant): _answers(path, str(variant), part, code, len(labels))
            for variant, part in table.groupby("variant", sort=False, observed=True)
        }
        return cls(folder, manifest, classes, _coded(labels, code, path), answers)


def lots(tested: CheckedRun) -> Names | None:
    """The lot of each test part (N,), from the source itself; None where it has no lots.

    Raises DataError where the source is no longer what the run was tested on.
    """
    from gaikan.export.source import reread

    test = reread(tested.folder, tested.manifest).test
    return None if test.groups is None else test.groups[np.argsort(test.rows)]


def _coded(names: Names, code: dict[str, int], path: Path) -> Index:
    try:
        return np.array([code[name] for name in names.tolist()], np.int64)
    except KeyError as error:
        raise DataError(f"{path}: predicts {error}, a class that there is not") from None


def _answers(
    path: Path, variant: str, part: pd.DataFrame, code: dict[str, int], n_parts: int
) -> Answers:
    seeds, rows = [], []
    for seed, own in part.groupby("seed"):
        if len(own) != n_parts:
            raise DataError(
                f"{path}: {variant} seed {seed} has {len(own)} test parts, "
                f"others {n_parts}; run `gaikan bench` again"
            )
        seeds.append(int(str(seed)))
        rows.append(_coded(own["predicted"].to_numpy(str), code, path))
    return Answers(tuple(seeds), np.stack(rows))


def _read_predictions(path: Path) -> pd.DataFrame:
    """The test rows, in the order of the parts."""
    table: pd.DataFrame = read_predictions(path, COLUMNS, ()).to_pandas()
    test = table[table["split"] == "test"]
    if test.empty:
        raise DataError(f"{path}: no test rows; run `gaikan bench` again")
    return test.sort_values("sample", kind="stable")
