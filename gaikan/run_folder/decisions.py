"""What picking needs of a run folder: every network's decisions, every timing, what is good."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gaikan.config.model import Config
from gaikan.errors import ConfigError
from gaikan.run_folder.latency_facts import timed_networks
from gaikan.run_folder.latency_rows import Row, read_rows
from gaikan.run_folder.manifest import Manifest, read_manifest
from gaikan.run_folder.predictions import (
    floats,
    read_predictions,
    text_column,
    whole_numbers,
)
from gaikan.run_folder.run_variants import read_variants
from gaikan.run_folder.unseen_file import LeftOutMode, read_unseen
from gaikan.variants import REFERENCE, Variant

Codes = NDArray[np.int64]
_COLUMNS = ("variant", "seed", "split", "sample", "label", "predicted", "novelty_p")


@dataclass(frozen=True, eq=False)
class DecidedParts:
    """Decisions of one network on N parts, in the order of `sample`; each array is (N,).

    Classes, modes and groups are indices into the names of `RunFiles`; -1 is none.
    """

    sample: Codes  # row in the source
    label: Codes
    predicted: Codes  # by the nearest anchor
    defect: Codes | None  # the nearest class that is not good; with a good class
    ok_margin: NDArray[np.float64] | None
    mode: Codes | None
    group: Codes | None
    novelty_p: NDArray[np.float64]  # conformal: small where it is unlike the fit images

    def __len__(self) -> int:
        return len(self.label)

    def at(self, rows: Codes) -> "DecidedParts":
        """Some of the parts."""
        told = (self.defect, self.mode, self.group)
        defect, mode, group = (None if codes is None else codes[rows] for codes in told)
        margin = None if self.ok_margin is None else self.ok_margin[rows]
        known = self.sample[rows], self.label[rows], self.predicted[rows]
        return DecidedParts(*known, defect, margin, mode, group, self.novelty_p[rows])

    @cached_property
    def class_sizes(self) -> Codes:
        """Parts of each class that occurs."""
        counts = np.bincount(self.label)
        return counts[counts > 0]


@dataclass(frozen=True, eq=False)
class NetworkDecisions:
    """One trained variant; networks of one seed have the same validation parts."""

    parts: Variant
    seed: int
    validation: DecidedParts
    test: DecidedParts
    # What became of each failure mode where the network was trained without it; none: not told.
    left_out: tuple[LeftOutMode, ...] = ()

    @property
    def variant(self) -> str:
        """Its name."""
        return self.parts.name


@dataclass(frozen=True)
class RunFiles:
    """A run folder as far as picking goes."""

    out: Path
    config: Config
    classes: tuple[str, ...]
    modes: tuple[str, ...]
    ok: int | None  # index of the good class
    networks: tuple[NetworkDecisions, ...]
    rows: tuple[Row, ...]  # of latency.csv, those that were timed

    @classmethod
    def read(cls, out: Path) -> "RunFiles":
        """Raises ConfigError or DataError in one line where a file is missing, old or damaged."""
        manifest = read_manifest(out)
        ok = manifest.ok
        rows = _timed(out, manifest)
        of_ok = ("ok_margin", "defect")
        needed = (*_COLUMNS, *(of_ok if ok is not None else ()))
        optional = tuple({*of_ok, "mode", "group"} - {*needed})
        table = read_predictions(out / "predictions.parquet", needed, optional)
        names = {name: _names(table, name) for name in ("label", "predicted", "defect", "mode")}
        classes = tuple(sorted({*names["label"], *names["predicted"], *names["defect"]}))
        if ok is not None and ok not in classes:
            raise ConfigError(f"{out}/predictions.parquet: no part of the good class {ok!r}")
        good = None if ok is None else classes.index(ok)
        networks = _networks(out, table, classes, read_unseen(out, ok))
        return cls(out, manifest.config, classes, names["mode"], good, networks, tuple(rows))


def timing_of(out: Path) -> str | None:
    """Which timing a folder holds: sha256 of its `latency.csv`; None where there is none."""
    path = out / "latency.csv"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _timed(out: Path, manifest: Manifest) -> list[Row]:
    path = out / "latency.csv"
    if not path.exists():
        raise ConfigError(f"{out}: not timed (no latency.csv); `gaikan time {out}` does that")
    timed = timed_networks(out)  # none: only tables of other machines are there
    if timed is not None and timed != manifest.trained:
        raise ConfigError(f"{path}: timed on other networks; `gaikan time {out}` times these")
    rows = [row for row in read_rows(path) if row.p50_ms is not None]
    if not rows:
        raise ConfigError(f"{path}: nothing in it was timed; `gaikan time {out}` does that")
    return rows


def _all_parts(table: pa.Table, classes: tuple[str, ...]) -> DecidedParts:
    """The parts of all rows of the table, in their order; columns that it lacks are None."""

    def codes(name: str) -> Codes | None:
        return text_column(table, name)[0] if name in table.column_names else None

    def recoded(name: str) -> Codes:
        own, names = text_column(table, name)
        return np.array([*map(classes.index, names), -1], np.int64)[own]

    margin, defect = None, None
    if "ok_margin" in table.column_names:
        margin = floats(table, "ok_margin")
    if "defect" in table.column_names:
        defect = recoded("defect")
    numbers = whole_numbers(table, "sample"), recoded("label"), recoded("predicted")
    novelty_p = floats(table, "novelty_p")
    return DecidedParts(*numbers, defect, margin, codes("mode"), codes("group"), novelty_p)


def _names(table: pa.Table, name: str) -> tuple[str, ...]:
    return tuple(text_column(table, name)[1]) if name in table.column_names else ()


def _networks(
    out: Path,
    table: pa.Table,
    classes: tuple[str, ...],
    left_out: Mapping[tuple[str, int], tuple[LeftOutMode, ...]],
) -> tuple[NetworkDecisions, ...]:
    whole, seed = _all_parts(table, classes), whole_numbers(table, "seed")
    variant, variants = text_column(table, "variant")
    split, splits = text_column(table, "split")
    order = np.lexsort((whole.sample, split, seed, variant))
    keys = np.stack([variant, seed, split])[:, order]
    starts = np.flatnonzero(np.diff(keys, axis=1, prepend=-1).any(0))
    parts: dict[tuple[str, int], dict[str, DecidedParts]] = {}
    for start, rows in zip(starts, np.split(order, starts[1:]), strict=True):
        name, part = variants[keys[0, start]], splits[keys[2, start]]
        parts.setdefault((name, int(keys[1, start])), {})[part] = _as_told(whole.at(rows))
    known = read_variants(out)
    strangers = {name for name, _ in parts} - known.keys()
    if strangers:
        raise ConfigError(
            f"{out}/predictions.parquet: variant {min(strangers)[:80]!r} is not in accuracy.csv; "
            "run `gaikan bench` on this folder again (it trains nothing anew)"
        )
    networks = [  # classical classifiers are never timed, and not to be installed
        NetworkDecisions(
            known[name], seed, both["validation"], both["test"], left_out.get((name, seed), ())
        )
        for (name, seed), both in parts.items()
        if known[name].arch != REFERENCE and {"validation", "test"} <= set(both)
    ]
    _check_novelty(out, networks)
    _check_same_parts(out, networks)
    return tuple(networks)


def _as_told(part: DecidedParts) -> DecidedParts:
    """Without lots where only the other source tells them: its parts are not all of one."""
    untold = part.group is not None and (part.group < 0).all()
    return replace(part, group=None) if untold else part


def _check_novelty(out: Path, networks: list[NetworkDecisions]) -> None:
    """Only references, which are never picked, may lack p-values."""
    for network in networks:
        for part in (network.validation, network.test):
            if not ((part.novelty_p > 0) & (part.novelty_p <= 1)).all():
                raise ConfigError(
                    f"{out}/predictions.parquet: column 'novelty_p' of {network.variant} has cells "
                    "that are not in 0..1; run `gaikan bench` again"
                )


def _check_same_parts(out: Path, networks: list[NetworkDecisions]) -> None:
    """Variants are compared part by part."""
    if not networks:
        raise ConfigError(f"{out}/predictions.parquet: no network in it")
    first: dict[int, NetworkDecisions] = {}
    for network in networks:
        other = first.setdefault(network.seed, network)
        for own, known in ((network.validation, other.validation), (network.test, other.test)):
            if not np.array_equal(own.sample, known.sample):
                raise ConfigError(
                    f"{out}/predictions.parquet: {network.variant} and {other.variant} of seed "
                    f"{network.seed} judge different parts; run `gaikan bench` again"
                )
