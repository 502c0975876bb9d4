"""How a run differs from the baseline in what it was made with."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from pydantic import JsonValue

from gaikan.check.baseline import Baseline, BaselineSource, recipes
from gaikan.check.run_answers import CheckedRun
from gaikan.run_folder.manifest import SourceEntry

Kind = Literal["missing", "data", "recipe", "seeds", "inconclusive", "inference"]
Changes = Iterator[tuple[Kind, str]]  # and a sentence


def changes(tested: CheckedRun, baseline: Baseline) -> Changes:
    """Variants that are missing, other data, another recipe, fewer seeds."""
    for variant in baseline.variants:
        if variant not in tested.answers:
            yield "missing", f"{variant}: missing from the run"
    yield from _data(tested, baseline)
    yield from _recipes(tested, baseline)
    yield from _seeds(tested, baseline)


def _data(tested: CheckedRun, baseline: Baseline) -> Changes:
    for part, now in tested.manifest.data.both:
        before = baseline.data[part]
        if now.fingerprint != before.fingerprint:
            yield "data", f"other {part} data: {_source(now)}, baseline {_source(before)}"
    if tested.manifest.ok != baseline.ok:
        ok, was = (name or "none" for name in (tested.manifest.ok, baseline.ok))
        yield "data", f"other good class: {ok}, baseline {was}"


def _source(source: SourceEntry | BaselineSource) -> str:
    return f"{source.source} ({source.images} images, {source.fingerprint[:8]})"


def _recipes(tested: CheckedRun, baseline: Baseline) -> Changes:
    """One sentence per change, with all networks that have it."""
    changed: defaultdict[str, list[str]] = defaultdict(list)
    now = recipes(tested.manifest)
    for network, before in baseline.recipes.items():
        if network in now:
            a, b = dict(_flat(now[network])), dict(_flat(before))
            for key in sorted({*a, *b}):
                if a.get(key) != b.get(key):
                    changed[f"{key} {a.get(key)!r}, baseline {b.get(key)!r}"].append(network)
    for change, networks in changed.items():
        yield "recipe", f"other recipe: {change} ({', '.join(networks)})"


def _flat(table: dict[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _seeds(tested: CheckedRun, baseline: Baseline) -> Changes:
    fewer: defaultdict[str, list[str]] = defaultdict(list)
    for variant, scores in baseline.variants.items():
        answers = tested.answers.get(variant)
        if answers is not None and len(answers.seeds) < len(scores.seeds):
            fewer[f"{len(answers.seeds)} seeds, baseline {len(scores.seeds)}"].append(variant)
    for counts, variants in fewer.items():
        yield "seeds", f"fewer seeds: {counts} ({', '.join(variants)})"


def notes(tested: CheckedRun, baseline: Baseline) -> Iterator[str]:
    """Differences that do not fail the check, such as another machine."""
    run = tested.manifest
    facts = {
        "precision": (run.precision, baseline.precision),
        "device": (run.device, baseline.device),
        "processor": (run.machine.processor, baseline.machine.get("processor")),
    }
    for name, (now, before) in facts.items():
        if now != before:
            yield f"{name} {now}, baseline {before}: networks differ as those of other seeds do"
    added = [variant for variant in tested.answers if variant not in baseline.variants]
    if added:
        yield f"not in the baseline: {', '.join(added)}"
