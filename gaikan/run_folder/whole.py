"""A run folder as its report reads it: tables, not what made them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from gaikan.errors import ConfigError
from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.language.words import Words
from gaikan.run_folder.curve_file import read_curve, read_refusal
from gaikan.run_folder.decisions import timing_of
from gaikan.run_folder.latency_facts import TimingFacts, read_facts, timed_networks
from gaikan.run_folder.latency_files import own_rows
from gaikan.run_folder.latency_rows import Row
from gaikan.run_folder.manifest import Manifest, read_manifest
from gaikan.run_folder.picks_file import PICKS, PicksFile, read_picks
from gaikan.run_folder.result_tables import read_table, read_table_if_any
from gaikan.run_folder.run_variants import read_variants
from gaikan.variants import Variant


@dataclass(frozen=True)
class RunFolder:
    """What `gaikan bench`, `gaikan time` and `gaikan pick` left in a folder."""

    out: Path
    manifest: Manifest
    summary: pd.DataFrame  # best first
    parts: dict[str, Variant]  # by name, of all variants
    rates: pd.DataFrame | None  # with an ok class, best first
    classes: pd.DataFrame
    modes: pd.DataFrame | None
    unseen: pd.DataFrame | None  # where the run left defects out of training
    curve: ErrorCounts | None  # with --learning-curve
    curve_refused: Words | None  # why there is none, though it was asked for
    leaked: pd.DataFrame | None  # where training has copies of test parts
    latency: list[Row]  # empty where it was not timed
    timing: TimingFacts | None
    timing_stale: bool  # whether there are rows, but of networks that were here before
    picks: PicksFile | None
    picks_stale: bool  # whether there are some, but from an earlier timing

    @classmethod
    def read(cls, out: Path) -> "RunFolder":
        """Raises ConfigError and DataError where `out` is no run folder, or not a whole one."""
        manifest = read_manifest(out)
        summary = read_table(out, "summary")
        timed = timed_networks(out)
        stale = timed is not None and timed != manifest.trained
        rows = [] if stale else own_rows(out)
        picks = _picks(out / PICKS, summary)
        return cls(
            out,
            manifest,
            summary,
            read_variants(out),
            rates=read_table_if_any(out, "rates"),
            classes=read_table(out, "classes"),
            modes=read_table_if_any(out, "modes"),
            unseen=read_table_if_any(out, "unseen"),
            curve=read_curve(out),
            curve_refused=read_refusal(out),
            leaked=read_table_if_any(out, "leaked"),
            latency=rows,
            timing=read_facts(out),
            timing_stale=stale,
            picks=picks,
            picks_stale=picks is not None and picks.timing != timing_of(out),
        )

    @property
    def variants(self) -> list[str]:
        """All of them, best on test first."""
        return [str(name) for name in self.summary["variant"]]

    @cached_property
    def shown(self) -> list[str]:
        """The variants that the page looks at closely: those picked, or else the best network's."""
        picked = [] if self.picks is None else [pick.variant for pick in self.picks.picked]
        return list(dict.fromkeys(picked)) or [str(self.best["variant"])]

    @property
    def by_validation(self) -> list[Variant]:
        """Those that can be installed, best on validation first."""
        own = self.summary[self.summary["kind"] != "reference"]
        ranked = own.sort_values("validation_accuracy", ascending=False, kind="stable")
        return [self.parts[str(name)] for name in ranked["variant"]]

    @cached_property
    def best(self) -> pd.Series:
        """The row of `summary` of the best on test that can be installed: no reference."""
        return self.summary[self.summary["kind"] != "reference"].iloc[0]

    def picture(self, path: str) -> Path | None:
        """The file at `path` in the folder, where it is there; never one outside of it."""
        found = self.out / path
        try:
            return found if found.is_file() and _within(self.out, found) else None
        except OSError:  # a name that is too long for any file
            return None

    def confusion(self, variant: str) -> pd.DataFrame:
        """Counts, actual by predicted class; raises ConfigError where they are missing."""
        path = self.out / f"confusion/{variant}.csv"
        if not _within(self.out, path):
            raise ConfigError(f"{self.out}/summary.csv: {variant!r} is no variant's name")
        try:
            table = pd.read_csv(path, dtype={"actual": str}, keep_default_na=False)
        except OSError:
            raise ConfigError(f"{path} is missing; run `gaikan bench` on it again") from None
        return table.set_index("actual")


def _picks(path: Path, summary: pd.DataFrame) -> PicksFile | None:
    """The picks, of variants that there are."""
    picks = read_picks(path)
    for name, stage in {} if picks is None else picks.stages.items():
        if stage.pick is not None and stage.pick.variant not in set(summary["variant"]):
            raise ConfigError(
                f"{path}: stage {name!r} has a variant that is not in this run; "
                "`gaikan pick` writes it anew"
            )
    return picks


def _within(folder: Path, path: Path) -> bool:
    """Whether a path made of a name in the folder's own files leads to a file of the folder."""
    return path.resolve().is_relative_to(folder.resolve())
