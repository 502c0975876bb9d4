"""`picks.json`, in the form that the package's docstring gives."""

import json
from dataclasses import asdict
from typing import Any

from gaikan.config.stages import TIMING, Range, Stage
from gaikan.run_folder.decisions import timing_of
from gaikan.selection.bundles import bundle_of
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.picks import Picks, SeedMean, StagePick, over_seeds
from gaikan.selection.promise import values_on_test
from gaikan.selection.reasons import limit_of, would_have_to_give
from gaikan.selection.sensitivity import Sensitivity

FORMAT = 1
Object = dict[str, Any]


def to_json(picks: Picks) -> str:
    """The content of the file, a line for each key of a stage: deep indents are slow to write."""
    run = picks.judging.run
    stages = {each.name: _lines(_stage(picks.judging, each), 2) for each in picks.stages}
    lines = {
        "format": str(FORMAT),
        "timing": _line(timing_of(run.out)),
        "ok": _line(None if run.ok is None else run.classes[run.ok]),
        "stages": _braced(stages, 1),
    }
    return _braced(lines, 0) + "\n"


def _lines(content: Object, depth: int) -> str:
    return _braced({key: _line(value) for key, value in content.items()}, depth)


def _braced(texts: dict[str, str], depth: int) -> str:
    """An object of values that are JSON already, one a line."""
    indent = " " * depth
    inside = ",\n".join(f"{indent} {_line(key)}: {text}" for key, text in texts.items())
    return f"{{\n{inside}\n{indent}}}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _stage(judging: Judging, found: StagePick) -> Object:
    stage, miss, chosen = found.stage, found.nearest_miss, found.choice.pick
    return {
        "description": stage.description,
        "objective": stage.objective,
        "constraints": [
            {"name": name} | _limit(stage, name) for name in (*stage.allowed, *stage.limits)
        ],
        "pick": None if chosen is None else _candidate(judging, chosen, stage),
        "why": found.why,
        "warnings": list(found.warnings),
        "binding": [
            {"constraints": each.constraints, "instead": each.instead.variant, "why": each.why}
            for each in found.binding
        ],
        "runners_up": [
            _candidate(judging, each, stage) | {"why": why} for each, why in found.runners_up
        ],
        "nearest_miss": None
        if miss is None
        else _candidate(judging, miss, stage)
        | {"would_have_to_give": would_have_to_give(miss, stage)},
        "beyond": found.beyond,
        "promise": None if found.promise is None else asdict(found.promise),
        "sensitivity": _sensitivity(found.sensitivity),
        "candidates": [_brief(each) for each in found.candidates],
    }


def _limit(stage: Stage, name: str) -> Object:
    limit = limit_of(stage, name)
    if isinstance(limit, Range):
        return {"min": limit.min, "max": limit.max, "is": None}
    return {"min": None, "max": None, "is": list(limit)}


def _place(candidate: Candidate) -> Object:
    row = candidate.row
    return {
        "variant": candidate.variant,
        "seed": candidate.seed,
        "machine": row.machine,
        "device": row.device,
        "runtime": row.runtime,
        "precision": row.precision,
        "threads": row.threads,
        "threshold": candidate.judged.threshold,
    }


def _brief(candidate: Candidate) -> Object:
    return _place(candidate) | {
        "qualifies": not candidate.failed,
        "values": candidate.values,
        "failed": list(candidate.failed),
    }


def _candidate(judging: Judging, candidate: Candidate, stage: Stage) -> Object:
    tested, bundle = values_on_test(judging, candidate, stage), bundle_of(candidate.row)
    return _place(candidate) | {
        "batch_size": candidate.row.batch_size,
        "bundle": None if bundle is None else asdict(bundle),
        "timing": {name: getattr(candidate.row, name) for name in TIMING if name != "threads"},
        "validation": asdict(judging.on_validation(candidate.judged)),
        "test": asdict(judging.on_test(candidate.judged)),
        "mean_over_seeds": _mean(over_seeds(judging, candidate.variant, stage)),
        "checks": [
            {"constraint": name, "value": value}
            | _limit(stage, name)
            | {"passed": name not in candidate.failed, "test": tested.get(name)}
            for name, value in candidate.values.items()
        ],
    }


def _mean(found: SeedMean | None) -> Object | None:
    return None if found is None else asdict(found)


def _sensitivity(found: Sensitivity) -> Object:
    return {
        "latency": found.latency,
        "escape": found.ceiling,
        "budgets": list(found.budgets),
        "ceilings": list(found.ceilings),
        "picks": [[each and each.variant for each in row] for row in found.picks],
        "steps": [
            {"ceiling": step.ceiling, "from_ms": step.from_ms, "to_ms": step.to_ms}
            | _step(step.pick)
            for step in found.steps()
        ],
    }


def _step(candidate: Candidate | None) -> Object:
    names = ("variant", "runtime", "precision", "threads", "accuracy", "escape_rate")
    if candidate is None:
        return dict.fromkeys(names)
    quality = candidate.judged.quality
    held = _place(candidate) | {
        "accuracy": quality.accuracy,
        "escape_rate": quality.escape_rate,
    }
    return {name: held[name] for name in names}
