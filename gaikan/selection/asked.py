"""The stages to pick for, and whether the timing of the run can answer them."""

import math
from collections.abc import Sequence
from pathlib import Path

from gaikan.config.model import FactoryConfig
from gaikan.config.plan import load_plan
from gaikan.config.stages import CEILINGS, Range, Share, Stage, check_known, check_stages
from gaikan.errors import ConfigError
from gaikan.language.words import Words, joined, plain, say, threads_said
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.bundles import ON_BASE
from gaikan.selection.candidates import Candidate
from gaikan.selection.constraint_words import called
from gaikan.timing.measure import PLANS
from gaikan.timing.runtimes import RUNTIMES

_LINE, _SHIPPING = say("stage_intermediate"), say("stage_final")
_MOST_ACCURATE = say("stage_final_without_ok")
_OURS = (_LINE, _SHIPPING, _MOST_ACCURATE)

# `bench/stages.toml` has them too. The budget of `intermediate` is that of a Raspberry Pi, wherever
# the run was timed: one core of it takes about 10 ms for 20 million operations.
DEFAULTS = {
    "intermediate": Stage(
        description=_LINE.en,
        device="cpu",
        threads=Range(max=1),
        p90_ms=Range(max=10),
        mflops=Range(max=20),
        model_bytes=Range(max=40_000_000),
        escape_bound=Share(max=0.1),
        overkill_rate=Share(max=0.25),
    ),
    "final": Stage(
        description=_SHIPPING.en,
        escape_bound=Share(max=0.03),
        overkill_rate=Share(max=0.25),
    ),
}
_NO_ESCAPES = dict.fromkeys((*CEILINGS, "overkill_rate"))
WITHOUT_OK = {
    name: stage.model_copy(update={**_NO_ESCAPES, "description": about.en})
    for (name, stage), about in zip(DEFAULTS.items(), (_LINE, _MOST_ACCURATE), strict=True)
}


def stages_of(run: RunFiles, file: Path | None) -> tuple[dict[str, Stage], FactoryConfig]:
    """(stages, costs) of the file, if given, else of the run; without any, the default stages.

    The default stages limit escapes and overkill only where a class means good. Raises ConfigError
    in one line that names file and key.
    """
    config, where = run.config, f"{run.out}/manifest.json"
    if file is not None:
        config, where = load_plan([file], {}).runs[0].config, str(file)  # all have its stages
        if not config.stage:
            raise ConfigError(f"{where}: no [stage.NAME] in it; see bench/stages.toml")
    costs = config.factory if config.factory.defect_rate is not None else run.config.factory
    stages = config.stage or DEFAULTS
    if not config.stage and run.ok is None:
        stages = WITHOUT_OK
    kinds = [*run.modes, *run.classes]
    left_out = any(network.left_out for network in run.networks)
    check_stages(
        stages,
        kinds,
        run.ok is not None,
        costs.defect_rate is not None,
        where,
        None if left_out else _not_unseen(run),
    )
    for name, stage in stages.items():
        _check_timed(run, stage, f"{where}: key 'stage.{name}")
    return stages, costs


def _not_unseen(run: RunFiles) -> str:
    """Why the run can tell nothing of failure modes that training has not seen."""
    if run.config.unseen:
        return f"no failure mode could be left out of training; why: {run.out}/unseen.csv"
    return (
        "this run left no failure mode out of training; `gaikan bench --unseen` on the same "
        "folder does (what is trained stays)"
    )


def description(stage: Stage) -> Words:
    """What a stage is, in its author's words; those of the usual two are in all languages."""
    return {words.en: words for words in _OURS}.get(stage.description, plain(stage.description))


def _check_timed(run: RunFiles, stage: Stage, where: str) -> None:
    for label in stage.runtimes or ():
        check_known(label, RUNTIMES, "runtime", f"{where}.runtimes'")
    if stage.machine is not None:
        machines = [row.machine for row in run.rows]
        check_known(stage.machine, machines, "timed machine", f"{where}.machine'")
    sizes = sorted({row.batch_size for row in run.rows if row.batch_size is not None})
    if stage.batch_size not in sizes:
        timed, default = (", ".join(map(str, s)) for s in (sizes, PLANS["default"].batches))
        remedy = f"; `gaikan time RUN` times {default}"
        raise ConfigError(
            f"{where}.batch_size': not timed at {stage.batch_size}, only at {timed}"
            + (remedy if stage.batch_size in PLANS["default"].batches else "")
        )


_LEFT_OUT = ("p90_ms", "p99_ms", "peak_rss_mb")  # a quick timing does not measure these


def not_timed(stage: Stage, candidates: Sequence[Candidate]) -> Words | None:
    """Which constraint was not measured on any candidate, and the command that measures it.

    None where the timing can answer the stage.
    """
    if not candidates:
        labels = joined(map(plain, (*(stage.runtimes or ()), *ON_BASE)), say("or"))
        return say("not_timed_in", labels=labels)
    rows = {c.row: c for c in candidates if not {*stage.allowed} & {*c.failed}}
    allowed = rows.values()
    if stage.threads is not None and rows and all("threads" in c.failed for c in allowed):
        least = 1 if stage.threads.min is None else math.ceil(stage.threads.min)
        counts = {least} | {row.threads for row in rows if row.threads is not None}
        options = " ".join(f"--threads {count}" for count in sorted(counts))
        return say("not_timed_with", threads=_threads(stage.threads), options=options)
    for name in _LEFT_OUT:
        if name in stage.limits and rows and all(c.values[name] is None for c in allowed):
            return say("not_timed_figure", name=called(name))
    return None


def _threads(limit: Range) -> Words:
    low, high = limit.min, limit.max
    if high is not None and high in (1, low):
        return threads_said(round(high))
    if high is None:
        return say("threads_at_least", n=f"{low:g}")
    if low is None:
        return say("threads_at_most", n=f"{high:g}")
    return say("threads_between", low=f"{low:g}", high=f"{high:g}")
