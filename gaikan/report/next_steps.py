"""What would make it better: things to do, each with a figure of the run and a command."""

from shlex import quote

from gaikan.config.stages import TIMING
from gaikan.language.words import Filling, plain, say
from gaikan.report.curve_blocks import gains, points, surest_mode
from gaikan.report.markdown_table import percent
from gaikan.report.nothing_qualifies import without_pick
from gaikan.report.run_facts import NextStep, RunFacts
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.picks_file import PlacedNetwork, StagePicks
from gaikan.selection.constraint_words import called, measured_value

_MOST = 3  # besides what a stage needs at which nothing qualifies
_LEAST = 0.005  # a step about a smaller share of the parts is none


def next_steps(facts: RunFacts) -> list[NextStep]:
    """What lets something qualify, then the three that are worth most; none without a figure."""
    stages = {} if facts.picks is None else facts.picks.stages
    steps = [_labels(facts), *_images(facts)]
    first: list[NextStep] = []
    for name, stage in stages.items():
        if stage.pick is None:
            first += without_pick(facts, name, stage)
        steps += [_network(facts, name, stage), _threshold(facts, name, stage)]
    found = [step for step in steps if step is not None and step.worth >= _LEAST]
    return [*first, *sorted(found, key=lambda step: -step.worth)[:_MOST]]


def _labels(facts: RunFacts) -> NextStep | None:
    if not facts.doubted:
        return None
    share = facts.doubted / facts.images
    words = say("next_labels", n=facts.doubted, total=facts.images, share=percent(share))
    return NextStep(share, words, f"gaikan labels {facts.folder}")


def _images(facts: RunFacts) -> list[NextStep]:
    """Where the whole 80 % interval is a gain."""
    if facts.curve is None:
        return []
    steps: list[NextStep] = []
    for each in gains(facts.curve):
        if each.gain.low <= 0:
            continue
        best = surest_mode(facts.curve, each.variant)
        gain, interval = points(each.gain)
        mode = plain("")
        if best is not None:
            mode = say("next_mode", mode=best.mode, gain=points(best.gain)[0])
        images = f"{each.gain.images / 2:.0f}"
        values: dict[str, Filling] = {"gain": gain, "interval": interval}
        values |= {"images": images, "mode": mode}
        words = say("next_images", variant=each.variant, **values)
        out = quote(f"{facts.run}-more")
        command = f"gaikan bench {facts.file} --learning-curve --out {out}"
        steps.append(NextStep(each.gain.gain, words, command))
    return sorted(steps, key=lambda step: -step.worth)[:1]


def _network(facts: RunFacts, name: str, stage: StagePicks) -> NextStep | None:
    """The most accurate other variant that fails on nothing but its price: time and size.

    Another seed of the picked variant is no better one. Both figures are of the parts that chose;
    the pick's own on the page are of those that judged it afterwards.
    """
    pick = stage.pick
    if pick is None:
        return None
    own = [each for each in stage.candidates if _is_same(each, pick)]
    others = [each for each in stage.candidates if each.variant != pick.variant]
    dear = [each for each in others if each.failed and {*each.failed} <= {*TIMING}]
    if not own or not dear:
        return None
    best = max(dear, key=lambda each: each.accuracy)
    gain = best.accuracy - own[0].accuracy
    failed = [
        say("figure_of", name=called(key), value=measured_value(key, best.values[key]))
        for key in best.failed
    ]
    found = say("variant_in", variant=best.variant, place=best.place)
    told: dict[str, Filling] = {"found": found, "failed": tuple(failed)}
    told |= {"gain": f"{100 * gain:.1f}", "file": str(facts.run / AGAIN)}
    words = say("next_network", stage=name, **told)
    return NextStep(gain, words, facts.pick_again)


def _is_same(one: PlacedNetwork, other: PlacedNetwork) -> bool:
    """Whether both are one network in one place; its border may be set by other parts."""
    places = [(e.variant, e.seed, e.machine, e.label, e.threads) for e in (one, other)]
    return places[0] == places[1]


def _threshold(facts: RunFacts, name: str, stage: StagePicks) -> NextStep | None:
    """Where the threshold rejects good parts that the nearest anchor keeps."""
    pick, scores = stage.pick, facts.scores
    if pick is None or pick.threshold is None or pick.validation.overkill_rate is None:
        return None
    own = (scores["variant"] == pick.variant) & (scores["split"] == "validation")
    row = scores[own & (scores["seed"] == pick.seed)]
    if row.empty or row["overkill_rate"].isna().any():
        return None
    judged, nearest = pick.validation, row.iloc[0]
    more = (judged.overkill_rate or 0) - float(nearest["overkill_rate"])
    rates = {
        "overkill": percent(judged.overkill_rate),
        "nearest": percent(float(nearest["overkill_rate"])),
        "escapes": percent(judged.escape_rate),
        "nearest_escapes": percent(float(nearest["escape_rate"])),
    }
    worth = more * (judged.goods or 0) / judged.n
    same = int(nearest["n"]) == judged.n  # else other lots chose it, which the border left out
    of = {
        "lots": plain("") if same else say("lots_of_border"),
        "all": "" if same else say("lots_all"),
    }
    words = say("next_threshold", stage=name, file=str(facts.run / AGAIN), **of, **rates)
    return NextStep(worth, words, facts.pick_again)
