"""What an escape ceiling promises for new parts, and where test does not confirm a pick."""

import numpy as np

from gaikan.config.stages import QUALITY, Stage
from gaikan.evaluation.bounds import lower_bound_over_groups
from gaikan.evaluation.counts import escaped, recall
from gaikan.evaluation.mean_squares import MeanSquares, Units
from gaikan.evaluation.statistics import LEVEL, Estimate, estimate
from gaikan.language.words import Words, say
from gaikan.run_folder.decisions import NetworkDecisions
from gaikan.run_folder.picks_file import Promise, Quality
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.constraint_words import called, measured_value, worded
from gaikan.selection.handed_over import settled
from gaikan.selection.lots import ENOUGH, fewest_lots
from gaikan.selection.quality import decide, of_kind
from gaikan.selection.unseen_modes import worst_share

_APART = 0.99  # confidence at which two figures are called apart
_MUCH = 0.5  # share of the good parts that may be rejected without a warning
_LEVEL_SAID = f"{100 * LEVEL:g} %"


def promise(judging: Judging, stage: Stage) -> Promise | None:
    """The promise of a stage's escape ceiling; None without one."""
    if not stage.ceilings:
        return None
    if "escape_bound" in stage.ceilings:
        headline, method, words = _on_the_bound(judging, stage.ceilings["escape_bound"])
    else:
        ceiling = worded("escape_rate", stage.ceilings["escape_rate"])
        headline, method, words = say("promise_none_on_rate", ceiling=ceiling), None, []
    return Promise(
        headline=headline,
        lots=judging.lots if "escape_bound" in stage.ceilings else None,
        method=method,
        level=LEVEL,
        networks=len(judging.run.networks),
        level_each=judging.calibration.level,
        holds_for=words,
    )


def _on_the_bound(judging: Judging, limit: float) -> tuple[Words, Words | None, list[Words]]:
    """(headline, method, what the promise rests on) of a ceiling on the escape bound."""
    asked = {"ceiling": worded("escape_bound", limit), "level": _LEVEL_SAID}
    found = fewest_lots(judging.run)
    if judging.lots is None and found is not None:
        key = "promise_none_one_lot" if found == 1 else "promise_none_few_lots"
        return say(key, n=found, enough=ENOUGH), None, [say("holds_on_same_lots")]
    words = [say("holds_for_epoch"), say("holds_for_ceiling")]
    method = say("method_sequence")
    if judging.calibration is judging:
        method = say("method_bonferroni")
        n, each = len(judging.run.networks), f"{100 * judging.level:.2f} %"
        words.insert(0, say("holds_for_each", n=n, level=each))
    if judging.lots is None:
        return say("promise_none_by_picture"), method, [say("holds_one_by_one", **asked), *words]
    if judging.calibration is not judging:
        words.insert(0, say("holds_by_other_lots", lots=judging.lots))
    bad = worded("escape_rate", 1 - (1 - LEVEL) ** (1 / judging.lots))
    words.append(say("holds_for_whole_lots", lots=judging.lots, bad=bad))
    return say("promise_lots", lots=judging.lots, **asked), method, words


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
        judged, modes = candidate.judged, judging.calibration.modes
        assert run.ok is not None
        worst = worst_share(judged.network, run.ok, judged.setting, "test", modes)
        values["unseen_escape"] = worst
    right = decide(part, run.ok, candidate.judged.threshold) == part.label
    for kind in stage.recall:
        parts = of_kind(part, kind, run.classes, run.modes)
        values[f"recall.{kind}"] = recall(right, parts)
    return values


def warnings(judging: Judging, candidate: Candidate, stage: Stage) -> list[Words]:
    """Sentences on where test does not confirm validation, and on what was not looked at."""
    tested = judging.on_test(candidate.judged)
    lines = [*_apart(judging, candidate), *_rejecting(candidate, stage)]
    refuted = contradicted(judging, candidate, stage)
    if refuted is not None:
        lines.append(say("wants_unconfirmed", refuted=refuted))
    for name, value in values_on_test(judging, candidate, stage).items():
        limit = stage.limits[name]
        if value is None:
            lines.append(say("no_test_parts", name=called(name)))
        elif refuted is not None and name in stage.ceilings:
            continue
        elif not limit.holds(value):
            lines.append(_falls_short(name, value, stage, tested))
    if stage.unseen_escape is not None and (lacking := _not_measured(judging)):
        lines.append(say("unseen_not_measured", modes=tuple(lacking)))
    machines = {row.machine for row in judging.run.rows}
    if stage.machine is None and len(machines) > 1:
        lines.append(say("on_other_machines", n=len(machines), machine=candidate.row.machine))
    if candidate.row.is_unreliable:
        lines.append(
            say("time_disturbed", share=measured_value("agreement", candidate.row.disturbed))
        )
    if candidate.row.agreement is None:
        lines.append(say("agreement_unknown"))
    return lines


def _not_measured(judging: Judging) -> list[str]:
    """Failure modes, or else classes, of validation parts that no network was trained without."""
    found = set[str]()
    for run in (judging.run, judging.calibration.run):
        for part in (network.validation for network in run.networks):
            codes, names = part.label, run.classes
            if part.mode is not None and (part.mode >= 0).any():
                codes, names = part.mode, run.modes
            told = (part.label != run.ok) & (codes >= 0)
            found |= {names[code] for code in np.unique(codes[told])}
    return sorted(found - judging.modes.known)


def contradicted(judging: Judging, candidate: Candidate, stage: Stage) -> Words | None:
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
    rates = {"ceiling": worded("escape_rate", min(broken)), "least": worded("escape_rate", least)}
    return say("refuted", seen=_seen(tested), level=_LEVEL_SAID, **rates)


def _seen(tested: Quality) -> Words:
    rate = measured_value("escape_rate", tested.escape_rate)
    return say("seen_on_test", escapes=tested.escapes, defects=tested.defects, rate=rate)


def _apart(judging: Judging, candidate: Candidate) -> list[Words]:
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
    validation, test = (worded("accuracy", float(side.mean[0])) for side in sides)
    return [say("sides_apart", validation=validation, test=test)]


def _rejecting(candidate: Candidate, stage: Stage) -> list[Words]:
    """A warning where the escape ceiling is met by rejecting most good parts."""
    overkill = candidate.judged.quality.overkill_rate
    if overkill is None or overkill < _MUCH or "overkill_rate" in stage.limits:
        return []
    return [say("rejects_much", share=worded("overkill_rate", overkill))]


def _falls_short(name: str, value: float, stage: Stage, tested: Quality) -> Words:
    limit = stage.limits[name]
    bound = limit.max if limit.max is not None and value > limit.max else limit.min
    assert bound is not None
    figures = {"value": worded(name, value), "limit": worded(name, bound)}
    if name != "escape_bound":
        return say("falls_short", name=called(name), **figures)
    seen, ceiling = _seen(tested), figures["limit"]
    if limit.max is not None and (tested.escape_rate or 0.0) > limit.max:
        return say("falls_short_of_ceiling", seen=seen, ceiling=ceiling)
    told = {"bound": figures["value"], "level": _LEVEL_SAID}
    return say("unconfirmed_by_test", seen=seen, ceiling=ceiling, **told)


def networks_of(judging: Judging, variant: str) -> list[NetworkDecisions]:
    """The networks of a variant, one per seed."""
    return [network for network in judging.run.networks if network.variant == variant]
