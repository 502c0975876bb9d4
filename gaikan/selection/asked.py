"""The stages that are asked for, and whether this run can answer them."""

from collections.abc import Iterable
from pathlib import Path

from gaikan.config import FactoryConfig, load_config
from gaikan.errors import ConfigError
from gaikan.selection.run_files import RunFiles
from gaikan.stages import CEILINGS, Range, Share, Stage
from gaikan.timing.runtimes import RUNTIMES

# What `bench/stages.toml` spells out. Sizes and times hold for a small industrial PC or a
# Raspberry Pi at the line, ceilings for the bound of the escape rate.
DEFAULTS = {
    "intermediate": Stage(
        description="at the line, between two steps: small and quick on one thread of a small PC",
        device="cpu",
        threads=Range(max=1),
        p90_ms=Range(max=1.0),
        model_bytes=Range(max=4_000_000),
        escape_bound=Share(max=0.1),
    ),
    "final": Stage(
        description="before shipping: whatever it takes to let next to nothing through",
        escape_bound=Share(max=0.02),
    ),
}


def stages_of(run: RunFiles, file: Path | None) -> tuple[dict[str, Stage], FactoryConfig]:
    """Stages and costs of a file, or else of the run's own configuration, or else the default.

    The default stages limit escapes only where a class means good. Raises ConfigError in one
    line that names file and key.
    """
    config, where = run.config, f"{run.out}/manifest.json"
    if file is not None:
        config, where = load_config(file, {}), str(file)
        if not config.stage:
            raise ConfigError(f"{where}: no [stage.NAME] in it; see bench/stages.toml")
    costs = config.factory if config.factory.defect_rate is not None else run.config.factory
    stages = config.stage or DEFAULTS
    if not config.stage and run.ok is None:
        stages = {
            name: stage.model_copy(update=dict.fromkeys(CEILINGS)) for name, stage in stages.items()
        }
    for name, stage in stages.items():
        _check(run, stage, costs, f"{where}: key 'stage.{name}")
    return stages, costs


def _check(run: RunFiles, stage: Stage, costs: FactoryConfig, at: str) -> None:
    if run.ok is None and stage.needs_ok is not None:
        raise ConfigError(
            f"{at}': {stage.needs_ok} needs a class that means good, and the run has none; "
            "say --ok when running `gaikan bench`"
        )
    if stage.objective == "cost" and costs.defect_rate is None:
        raise ConfigError(
            f"{at}.objective': a cost needs [factory] with defect_rate, escape_cost, overkill_cost"
        )
    for kind in stage.recall:
        _known(kind, f"{at}.recall'", "failure mode or class", [*run.modes, *run.classes])
    for label in stage.runtimes or ():
        _known(label, f"{at}.runtimes'", "runtime", RUNTIMES)
    if stage.machine is not None:
        machines = [row.machine for row in run.rows]
        _known(stage.machine, f"{at}.machine'", "machine", machines)
    sizes = {row.batch_size for row in run.rows} - {None}
    if stage.batch_size not in sizes:
        timed = ", ".join(map(str, sorted(size for size in sizes if size is not None)))
        raise ConfigError(f"{at}.batch_size': not timed at {stage.batch_size}, only at {timed}")


def _known(name: str, at: str, what: str, known: Iterable[str]) -> None:
    names = list(dict.fromkeys(known))
    if name not in names:
        raise ConfigError(f"{at}: no {what} {name!r} in this run; there are {', '.join(names)}")
