"""Which settings, a runtime with its number of threads on a machine, a stage may have."""

from gaikan.config.stages import TIMING, Range, Stage
from gaikan.run_folder.latency_rows import Row, machine_of, runtime_of
from gaikan.run_folder.picks_file import Value
from gaikan.selection.bundles import ON_BASE

Met = tuple[dict[str, Value], tuple[str, ...]]  # values of constraints, and those not met


def met_by_row(row: Row, stage: Stage) -> Met:
    """The constraints on where and how fast it runs."""
    allowed = stage.allowed
    values: dict[str, Value] = {
        name: runtime_of(row) if name == "runtimes" else getattr(row, name) for name in allowed
    }
    failed = [name for name, names in allowed.items() if values[name] not in names]
    for name, limit in stage.limits.items():
        if name in TIMING:
            value = values[name] = getattr(row, name)
            if not (limit.holds(value) or _exempt(name, value, row, limit)):
                failed.append(name)
    return values, tuple(failed)


def at_batch_size(rows: tuple[Row, ...], batch_size: int) -> list[Row]:
    """Rows at a batch size; those that include decoding only where there is no other."""
    first: dict[object, Row] = {}
    for row in sorted(rows, key=lambda row: row.includes_decode):
        if row.batch_size == batch_size:
            first.setdefault((machine_of(row), row.variant, runtime_of(row), row.threads), row)
    return list(first.values())


def asked_for(row: Row, stage: Stage) -> bool:
    """Whether the base install runs it or the stage names its runtime or a GPU."""
    label = runtime_of(row)
    if stage.runtimes is None and stage.device == "cuda" and row.device == "cuda":
        return True
    return label in ON_BASE or label in (stage.runtimes or ())


def _exempt(name: str, value: float | None, row: Row, limit: Range) -> bool:
    """A GPU has no threads to limit; agreement may be unknown where `min = 0` asks for none."""
    if name == "threads":
        return row.device == "cuda"
    return name == "agreement" and value is None and not limit.min
