"""What an escape ceiling promises for new parts, and where test does not confirm a pick."""

import numpy as np

from gaikan.config.stages import QUALITY, Stage
from gaikan.evaluation.bounds import lower_bound_over_groups
from gaikan.evaluation.counts import escaped, recall
from gaikan.evaluation.mean_squares import MeanSquares, Units
from gaikan.evaluation.statistics import LEVEL, Estimate, estimate
from gaikan.run_folder.decisions import NetworkDecisions
from gaikan.run_folder.picks_file import Promise, Quality
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.constraint_words import called, worded
from gaikan.selection.handed_over import settled
from gaikan.selection.lots import ENOUGH, fewest_lots
from gaikan.selection.quality import decide, of_kind
from gaikan.selection.unseen_modes import worst_share

_APART = 0.99  # confidence at which two figures are called apart
_MUCH = 0.5  # share of the good parts that may be rejected without a warning


def promise(judging: Judging, stage: Stage) -> Promise | None:
    """The promise of a stage's escape ceiling; None without one."""
    if not stage.ceilings:
        return None
    if "escape_bound" in stage.ceilings:
        headline, method, words = _on_the_bound(judging, stage.ceilings["escape_bound"])
    else:
        headline, method, words = _on_the_rate(stage), "none", []
    return Promise(
        headline=headline,
        lots=judging.lots if "escape_bound" in stage.ceilings else None,
        method=method,
        level=LEVEL,
        networks=len(judging.run.networks),
        level_each=judging.calibration.level,
        holds_for=words,
    )


def _on_the_rate(stage: Stage) -> str:
    ceiling = worded("escape_rate", stage.ceilings["escape_rate"])
    return (
        f"not promised for new lots: the ceiling of {ceiling} is on the rate as validation shows "
        "it; escape_bound promises more"
    )


def _on_the_bound(judging: Judging, limit: float) -> tuple[str, str, list[str]]:
    """(headline, method, what the promise rests on) of a ceiling on the escape bound."""
    ceiling, level = worded("escape_bound", limit), f"{100 * LEVEL:g} %"
    found = fewest_lots(judging.run)
    if judging.lots is None and found is not None:
        lots = f"{found} validation lot{'s have' if found != 1 else ' has'} defective parts"
        headline = f"not promised for new lots: {lots}, and {ENOUGH} are needed"
        return headline, "none", [_ON_THE_SAME_LOTS]
    words = [
        "Validation parts had also chosen the epoch of each network, which the bound does not "
        "account for, and each stage's promise stands alone",
        "It holds for a ceiling fixed beforehand, not for one chosen after seeing the picks",
    ]
    method = "fixed-sequence testing of thresholds (Learn then Test)"
    if judging.calibration is judging:
        method = "fixed-sequence testing of thresholds, Bonferroni over networks (Learn then Test)"
        n, each = len(judging.run.networks), f"{100 * judging.level:.2f} %"
        words.insert(0, f"It holds for whichever of the {n} networks is picked: {each} each")
    if judging.lots is None:
        headline = (
            "not promised for new lots: validation was divided by picture; parts of one lot may "
            "stand on both sides"
        )
        words.insert(0, f"At most {ceiling} with {level} confidence {_ONE_BY_ONE}")
        return headline, method, words
    if judging.calibration is not judging:
        words.insert(
            0,
            f"The variant was chosen on the other lots, with which all other candidates are "
            f"judged too; {judging.lots} lots calibrate the one chosen",
        )
    bad = worded("escape_rate", 1 - (1 - LEVEL) ** (1 / judging.lots))
    words.append(
        f"Whole lots: were none of {judging.lots} lots bad, up to {bad} of all lots may still be"
    )
    headline = (
        f"at most {ceiling} on new lots with {level} confidence, shown by {judging.lots} lots"
    )
    return headline, method, words


_ON_THE_SAME_LOTS = "The ceiling holds on these lots; test, with lots of its own, may fall short"
_ONE_BY_ONE = "on parts that are drawn one by one, as if there were no lots"


def values_on_test(judging: Judging, candidate: Candidate, stage: Stage) -> dict[str, float | None]:
    """Test figures by constraint, for the constraints on how good the decisions are."""
    part, run = candidate.judged.network.test, judging.run
    tested = judging.on_test(candidate.judged)
    values: dict[str, float | None] = {
        name: getattr(tested, name)
        for name in QUALITY
        if name in stage.limits and name != "unseen_escape"
    }
    if stage.unseen_escape is not None:
        judged = candidate.judged
        assert run.ok is not None
        worst = worst_share(judged.network, run.ok, judged.setting, "test")
        values["unseen_escape"] = worst
    right = decide(part, run.ok, candidate.judged.threshold) == part.label
    for kind in stage.recall:
        parts = of_kind(part, kind, run.classes, run.modes)
        values[f"recall.{kind}"] = recall(right, parts)
    return values


def warnings(judging: Judging, candidate: Candidate, stage: Stage) -> list[str]:
    """Sentences on where test does not confirm validation, and on what was not looked at."""
    tested = judging.on_test(candidate.judged)
    lines = [*_apart(judging, candidate), *_rejecting(candidate, stage)]
    refuted = contradicted(judging, candidate, stage)
    if refuted is not None:
        lines.append(f"{refuted}; `gaikan export` wants --unconfirmed")
    for name, value in values_on_test(judging, candidate, stage).items():
        limit = stage.limits[name]
        if value is None:
            lines.append(f"test has no parts to confirm {called(name)} on")
        elif refuted is not None and name in stage.ceilings:
            continue
        elif not limit.holds(value):
            lines.append(_falls_short(name, value, stage, tested))
    machines = {row.machine for row in judging.run.rows}
    if stage.machine is None and len(machines) > 1:
        lines.append(f"timed on {len(machines)} machines; the pick is for {candidate.row.machine}")
    if candidate.row.is_unreliable:
        share = worded("agreement", candidate.row.disturbed)
        lines.append(
            f"its time is not to be relied on: other work had the processor in {share} of the "
            "rounds; `gaikan time RUN` on a quiet machine measures it again"
        )
    if candidate.row.agreement is None:
        lines.append("how far this runtime agrees with the reference was not measured")
    return lines


def contradicted(judging: Judging, candidate: Candidate, stage: Stage) -> str | None:
    """How test contradicts an escape ceiling of the stage; None where it does not.

    It does where the lower 95 % bound of test's escape rate, by lots, is above the ceiling.
    """
    part, ok = candidate.judged.network.test, judging.run.ok
    tested = judging.on_test(candidate.judged)
    if not stage.ceilings or not tested.defects:
        return None
    defective = part.label != ok
    predicted = decide(part, ok, candidate.judged.threshold)
    after = settled(part, predicted, ok, candidate.judged.ask_level)
    escapes = escaped(part.label, after, ok)[defective]
    least = lower_bound_over_groups(escapes, None if part.group is None else part.group[defective])
    broken = [limit for limit in stage.ceilings.values() if least > limit]
    if not broken:
        return None
    return (
        f"test contradicts the escape ceiling of {worded('escape_rate', min(broken))}: "
        f"{_seen(tested)}, at least {worded('escape_rate', least)} with {100 * LEVEL:g} % "
        "confidence"
    )


def _seen(tested: Quality) -> str:
    rate = worded("escape_rate", tested.escape_rate)
    return f"{tested.escapes} of {tested.defects} defective test parts escape ({rate})"


def _apart(judging: Judging, candidate: Candidate) -> list[str]:
    """A warning where accuracy on validation and on test differ by more than lots explain.

    By Welch's t over lots, with the fewer degrees of freedom of the two: cautious.
    """
    ok, network = judging.run.ok, candidate.judged.network
    sides = []
    for part in (network.validation, network.test):
        if part.group is None or len(np.unique(part.group)) < 2:
            return []
        right = decide(part, ok, candidate.judged.threshold) == part.label
        sides.append(estimate(MeanSquares.of(Units.of(right[None, None, :], part.group))))
    seen, tested = sides
    apart = Estimate(
        seen.mean - tested.mean,
        np.hypot(seen.error, tested.error),
        np.minimum(seen.freedom, tested.freedom),
    )
    if not abs(apart.mean[0]) > apart.half_width(_APART)[0]:
        return []
    shares = (worded("accuracy", float(side.mean[0])) for side in sides)
    return [
        "accuracy is {} on validation and {} on test, further apart than lots explain: parts of "
        "one lot may stand on both sides of validation, or test is of other parts".format(*shares)
    ]


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
    seen = _seen(tested)
    if limit.max is not None and rate > limit.max:
        return f"test falls short: {seen}, more than the ceiling of {ceiling}"
    return (
        f"test does not confirm the escape ceiling of {ceiling} by itself: {seen}, at most "
        f"{worded(name, value)} with {100 * LEVEL:g} % confidence"
    )


def networks_of(judging: Judging, variant: str) -> list[NetworkDecisions]:
    """The networks of a variant, one per seed."""
    return [network for network in judging.run.networks if network.variant == variant]
