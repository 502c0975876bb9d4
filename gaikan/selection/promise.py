"""What an escape ceiling promises for new parts, and where test does not confirm a pick."""

import numpy as np

from gaikan.config.stages import QUALITY, Stage
from gaikan.evaluation.counts import recall
from gaikan.evaluation.statistics import LEVEL
from gaikan.run_folder.decisions import NetworkDecisions
from gaikan.run_folder.picks_file import Promise, Quality
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.constraint_words import called, worded
from gaikan.selection.quality import decide, of_kind
from gaikan.selection.threshold import groups_that_count

_MUCH = 0.5  # share of the good parts that may be rejected without a warning


def promise(judging: Judging, stage: Stage) -> Promise | None:
    """The promise of a stage's escape ceiling; None without one."""
    if not stage.ceilings:
        return None
    n = len(judging.run.networks)
    if "escape_bound" not in stage.ceilings:
        method = "none"
        words = [
            f"The ceiling of {worded('escape_rate', stage.ceilings['escape_rate'])} is on the rate "
            "as validation shows it, and promises nothing for other parts; escape_bound does",
        ]
    else:
        method = "fixed-sequence testing of thresholds, Bonferroni over networks (Learn then Test)"
        ceiling = worded("escape_bound", stage.ceilings["escape_bound"])
        words = [
            f"With {100 * LEVEL:g} % confidence the escape rate of whichever of the {n} networks "
            f"is picked is at most {ceiling} on new parts: its thresholds were tested from the "
            f"strictest down, each network at {100 * judging.level:.2f} % (Bonferroni)",
            _parts(judging),
            "Validation parts had also chosen the epoch of each network, which the bound does not "
            "account for, and each stage's promise stands alone",
            "It holds for a ceiling fixed beforehand, not for one chosen after seeing the picks",
        ]
    return Promise(
        method=method, level=LEVEL, networks=n, level_each=judging.level, holds_for=words
    )


def _parts(judging: Judging) -> str:
    parts = [network.validation for network in judging.run.networks]
    counts = {len(np.unique(part.group)) for part in parts if part.group is not None}
    if not counts:
        return "New parts: such as the validation parts, each drawn independently of the others"
    if any(groups_that_count(part) is None for part in parts):
        return (
            f"New parts: of the same {min(counts)} groups as the validation parts. So few groups "
            "say next to nothing of others; test, with groups of its own, may fall short"
        )
    count = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return (
        f"New parts: of new groups such as the {count} of validation. Where escapes occur, the "
        "bound allows, roughly, for how much groups differ; where no group shows any, groups "
        "cannot be seen to differ and parts count as independent"
    )


def values_on_test(judging: Judging, candidate: Candidate, stage: Stage) -> dict[str, float | None]:
    """Test figures by constraint, for the constraints on how good the decisions are."""
    part, run = candidate.judged.network.test, judging.run
    tested = judging.on_test(candidate.judged)
    values: dict[str, float | None] = {
        name: getattr(tested, name) for name in QUALITY if name in stage.limits
    }
    right = decide(part, run.ok, candidate.judged.threshold) == part.label
    for kind in stage.recall:
        parts = of_kind(part, kind, run.classes, run.modes)
        values[f"recall.{kind}"] = recall(right, parts)
    return values


def warnings(judging: Judging, candidate: Candidate, stage: Stage) -> list[str]:
    """Sentences on where test does not confirm validation, and on what was not looked at."""
    tested = judging.on_test(candidate.judged)
    lines = _rejecting(candidate, stage)
    for name, value in values_on_test(judging, candidate, stage).items():
        limit = stage.limits[name]
        if value is None:
            lines.append(f"test has no parts to confirm {called(name)} on")
        elif not limit.holds(value):
            lines.append(_falls_short(name, value, stage, tested))
    machines = {row.machine for row in judging.run.rows}
    if stage.machine is None and len(machines) > 1:
        lines.append(f"timed on {len(machines)} machines; the pick is for {candidate.row.machine}")
    if candidate.row.agreement is None:
        lines.append("how far this runtime agrees with the reference was not measured")
    return lines


def _rejecting(candidate: Candidate, stage: Stage) -> list[str]:
    """A warning where the escape ceiling is met by rejecting most good parts."""
    overkill = candidate.judged.quality.overkill_rate
    if overkill is None or overkill < _MUCH or "overkill_rate" in stage.limits:
        return []
    share = worded("overkill_rate", overkill)
    return [f"rejects {share} of the good validation parts; limit overkill_rate to rule that out"]


def _falls_short(name: str, value: float, stage: Stage, tested: Quality) -> str:
    limit = stage.limits[name]
    bound = limit.max if limit.max is not None and value > limit.max else limit.min
    if name != "escape_bound":
        figure = f"{called(name)} {worded(name, value)}"
        return f"test falls short: {figure}, not {worded(name, bound)} as on validation"
    rate, ceiling = tested.escape_rate or 0.0, worded(name, bound)
    seen = f"{tested.escapes} of {tested.defects} defective test parts escape"
    seen += f" ({worded('escape_rate', rate)})"
    if limit.max is not None and rate > limit.max:
        return f"test falls short: {seen}, more than the ceiling of {ceiling}"
    return (
        f"test does not confirm the escape ceiling of {ceiling} by itself: {seen}, at most "
        f"{worded(name, value)} with {100 * LEVEL:g} % confidence"
    )


def networks_of(judging: Judging, variant: str) -> list[NetworkDecisions]:
    """The networks of a variant, one per seed."""
    return [network for network in judging.run.networks if network.variant == variant]
