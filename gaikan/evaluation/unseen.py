"""What becomes of a defect that training has not seen: called good, asked about, or caught."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.evaluation.failed_cell import FailedCell
from gaikan.language.words import Words, packed, say
from gaikan.novelty.conformal import highest_level
from gaikan.variants import REFERENCE, Variant

if TYPE_CHECKING:  # the report reads the table, and opens without torch
    from gaikan.evaluation.results import EvaluatedNetwork
    from gaikan.evaluation.without_mode import WithoutMode
    from gaikan.training.cell import Cell
    from gaikan.training.nearest_anchor import Decision

ASKED_GOOD = 0.05  # share of the good validation parts called good that a person is asked about
SHARES = ("escaped", "asked", "other_defect", "good_asked")


@dataclass(frozen=True)
class UnseenRow:
    """A line of `unseen.csv`: a variant of one seed, trained without `mode`; shares in 0..1.

    `escaped`, `asked` and `other_defect` add up to 1; `escaped` + `asked` is what escapes where
    nobody is asked. None where there is a `reason` why it was not measured.
    """

    variant: str
    arch: str
    style: str
    anchor: str
    mode: str
    seed: int
    parts: int  # test parts of the mode
    escaped: float | None = None  # called good, and nobody asked
    asked: float | None = None  # called good, but new: a person is asked
    other_defect: float | None = None  # called a defect that training knew
    good_asked: float | None = None  # of the good test parts called good
    reason: str = ""  # packed words


@dataclass(frozen=True)
class Unseen:
    """What a run tells of the modes that it left out."""

    table: pd.DataFrame  # unseen.csv
    parts: pd.DataFrame | None  # unseen.parquet; None where nothing could be left out
    failed: list[FailedCell] = field(default_factory=list)  # trainings without a mode


def unseen_rows(network: EvaluatedNetwork, left_out: WithoutMode) -> Iterator[UnseenRow]:
    """One a variant of a network that was trained without the mode.

    The level of asking is set on good validation parts: `ASKED_GOOD` of those that are called good.
    """
    experiment = left_out.experiment
    train, test = experiment.train, experiment.test
    assert experiment.ok is not None
    ok = train.classes.index(experiment.ok)
    p = {split: network.novelty_p(split, train.groups) for split in ("validation", "test")}
    held_out = train.labels[network.validation_rows]
    on_test = dict(network.decisions("test", ok))
    for variant, decision in network.decisions("validation", ok):
        usual = (held_out == ok) & (decision.predicted == ok)
        level = highest_level(p["validation"][usual], ASKED_GOOD)
        good = test.names == experiment.ok
        yield _row(variant, network.seed, left_out, on_test[variant], ok, p["test"] <= level, good)


def _row(
    variant: Variant,
    seed: int,
    left_out: WithoutMode,
    decision: Decision,
    ok: int,
    new: NDArray[np.bool_],
    good: NDArray[np.bool_],
) -> UnseenRow:
    called_good, unseen = decision.predicted == ok, left_out.unseen
    usual, row = good & called_good, _without_figures(variant, seed, left_out)
    if not row.parts:
        return replace(row, reason=packed(say("mode_not_in_test")))
    return replace(
        row,
        escaped=float((called_good & ~new)[unseen].mean()),
        asked=float((called_good & new)[unseen].mean()),
        other_defect=float((~called_good)[unseen].mean()),
        good_asked=float(new[usual].mean()) if usual.any() else None,
    )


def not_measured(cell: Cell, left_out: WithoutMode, reason: Words) -> Iterator[UnseenRow]:
    """One row for each anchor method of the cell, with the reason why nothing was measured."""
    for anchor in cell.anchors:
        row = _without_figures(cell.variant(anchor), cell.recipe.seed, left_out)
        yield replace(row, reason=packed(reason))


def _without_figures(variant: Variant, seed: int, left_out: WithoutMode) -> UnseenRow:
    parts = int(left_out.unseen.sum())
    return UnseenRow(variant.name, **asdict(variant), mode=left_out.mode, seed=seed, parts=parts)


def unseen_table(rows: Sequence[UnseenRow]) -> pd.DataFrame:
    """`unseen.csv`."""
    table = pd.DataFrame([asdict(row) for row in rows])
    return table.astype(dict.fromkeys(SHARES, float))


def unseen_summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row a variant, fewest escapes first: shares meaned over seeds, then over modes.

    `worst` is the largest share of one mode that escaped, of `worst_mode`; `modes` is how many
    were measured. Variants that lack a mode which others have stand last: a mean over other modes
    says something else. References are on the modes that networks were measured on. Empty where
    nothing was measured.
    """
    known = table[table["escaped"].notna()]
    of_networks = known.loc[known["arch"] != REFERENCE, "mode"]
    if len(of_networks):
        known = known[known["mode"].isin(of_networks)]
    by_mode = known.groupby(["variant", "mode"], sort=False)[list(SHARES)].mean().reset_index()
    rows = []
    for variant, part in by_mode.groupby("variant", sort=False):
        worst = part.sort_values("escaped", kind="stable").iloc[-1]
        means = part[list(SHARES)].mean().to_dict()
        rows.append(
            {"variant": variant, "modes": len(part), **means}
            | {"worst": worst["escaped"], "worst_mode": worst["mode"]}
        )
    columns = ["variant", "modes", *SHARES, "worst", "worst_mode"]
    summary = pd.DataFrame(rows, columns=columns)
    return summary.sort_values(
        ["modes", "escaped"], ascending=[False, True], kind="stable", ignore_index=True
    )
