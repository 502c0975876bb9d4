"""The runs that are asked for: one for each data set of each TOML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from gaikan.config.checked import validated
from gaikan.config.model import Config, DataConfig, Name
from gaikan.config.toml_files import Values, configured, origin, read_values
from gaikan.errors import ConfigError, shown

RESULTS = Path("results")


class NamedData(DataConfig):
    """A table of `[[data]]`."""

    name: Name = Field("", description="names the run folder; needed where there are several")


@dataclass(frozen=True)
class PlannedRun:
    """One run, and the file and table that describe its data set."""

    config: Config
    file: str
    table: str  # "data", or "data.2" of several

    @property
    def name(self) -> str:
        """The name of its run folder."""
        return self.config.run_name


@dataclass(frozen=True)
class BenchPlan:
    """The runs of one command; no two have the same name."""

    runs: tuple[PlannedRun, ...]
    summary: str  # name of the folder that compares them, beside theirs

    def folders(self, out: Path | None) -> tuple[list[Path], Path]:
        """The run folders, and the summary's; `out` is what `--out` gives.

        Raises ConfigError where the summary's is that of a run.
        """
        runs = [(out or RESULTS) / run.name for run in self.runs]
        summary = out or RESULTS / self.summary
        for run, folder in zip(self.runs, runs, strict=True):
            if folder == summary:
                raise ConfigError(f"{_key(run)}: {summary} is for the summary; choose another name")
        if (summary / "manifest.json").exists():
            raise ConfigError(
                f"{summary}: holds a run, and cannot hold a summary of several too; "
                "choose another --out"
            )
        return runs, summary


def load_plan(paths: Sequence[Path], overrides: Mapping[str, object]) -> BenchPlan:
    """The runs of the TOML files, with `overrides` on top; without a file, the default run.

    Raises ConfigError naming file, table and key.
    """
    asked: Sequence[Path | None] = paths or [None]
    files = [(origin(path), read_values(path)) for path in asked]
    runs = [run for where, values in files for run in _runs(where, values, overrides)]
    for number, run in enumerate(runs):
        for before in runs[:number]:
            # Of two names that differ in case, some file systems make one folder.
            if run.name.casefold() == before.name.casefold():
                raise ConfigError(
                    f"{_key(run)}: {run.name!r} would be the run folder of two data sets "
                    f"(see {_key(before)}); name one of them otherwise"
                )
    options = [key.partition(".")[2] for key in overrides if key.startswith("data.")]
    if len(runs) > 1 and options:
        names = ", ".join(run.name for run in runs)
        raise ConfigError(
            f"--{options[0]}: which of the {len(runs)} data sets ({names}) is meant? "
            f"Write it into their tables"
        )
    name = files[0][1].get("name") if len(files) == 1 else None
    return BenchPlan(tuple(runs), f"{name}-summary" if name else "summary")


def _runs(where: str, values: Values, overrides: Mapping[str, object]) -> list[PlannedRun]:
    """The runs of one file, one a data set."""
    tables = values.get("data", {})
    if not isinstance(tables, list):
        return [PlannedRun(configured(values, overrides, where), where, "data")]
    if not tables:
        raise ConfigError(f"{where}: key 'data': no data set in it; leave it out for terminals")
    runs = []
    for number, table in enumerate(tables, start=1):
        key = f"data.{number}"
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: key '{key}': should be a table, not {shown(table)}")
        name = validated(NamedData, table, where, key).name
        if not name and len(tables) > 1:
            raise ConfigError(
                f"{where}: key '{key}.name' is missing: it names the run folder of this data set"
            )
        data = {option: value for option, value in table.items() if option != "name"}
        config = configured(values | {"data": data}, overrides, where)
        runs.append(PlannedRun(config.model_copy(update={"name": name or config.name}), where, key))
    return runs


def _key(run: PlannedRun) -> str:
    """The file and key that name the run folder, for errors."""
    return f"{run.file}: key '{'name' if run.table == 'data' else f'{run.table}.name'}'"
