"""`latency.csv`, `.json` and samples: written, read, and kept where they still hold."""

from pathlib import Path

import pandas as pd

from gaikan.errors import DataError
from gaikan.run_folder.latency_facts import CSV, FACTS, TimingFacts, read_facts, timed_networks
from gaikan.run_folder.latency_rows import Row, machine_of, merge, read_rows, write_rows
from gaikan.run_folder.manifest import read_manifest
from gaikan.run_folder.result_tables import read_table
from gaikan.system.files import write

PAGE, SAMPLES = "latency.md", "latency_samples.parquet"


def own_rows(out: Path) -> list[Row]:
    """The rows that the run folder holds; none where it was not timed. Raises DataError."""
    try:
        return read_rows(out / CSV) if (out / CSV).exists() else []
    except DataError as error:
        raise DataError(f"{error}; delete it, and `gaikan time {out}` writes it anew") from None


def figure_places(rows: list[Row]) -> dict[str, tuple[str, str, bool]]:
    """What has figures of its own, by the ending of their file names.

    Machine, device, and whether decoding the image file is inside.
    """
    timed = [row for row in rows if row.p50_ms is not None]
    places = dict.fromkeys((row.machine, row.device, row.includes_decode) for row in timed)
    return {f"-{n}" if n > 1 else "": place for n, place in enumerate(places, start=1)}


def timing_files(out: Path) -> list[str]:
    """The files of a timing of this run, by name; some are not there."""
    try:
        places = figure_places(own_rows(out))
    except DataError:  # a damaged table does not say which figures there are of it
        places = {}
    kinds = ("latency", "throughput", "pareto")
    figures = [f"figures/{kind}{suffix}.png" for suffix in places for kind in kinds]
    return [CSV, PAGE, SAMPLES, FACTS, *figures]


def write_timing(out: Path, rows: list[Row], facts: TimingFacts, samples: pd.DataFrame) -> None:
    """The files of a timing; rows of other machines stay where they are of the same networks."""
    if timed_networks(out) == facts.networks:
        rows = merge([row for row in own_rows(out) if row.machine != facts.machine], rows)
    write(out / FACTS, facts.model_dump_json(indent=1) + "\n")
    write(out / SAMPLES, samples.to_parquet(index=False))
    write_rows(out / CSV, rows)


def merge_into(out: Path, others: list[Path]) -> list[Row]:
    """Adds other machines' tables to the run's; gives the rows of all.

    Raises DataError where a table has variants or networks that the run has not, or names its
    machine as another one is named, or as the one whose timing the run holds.
    """
    rows = own_rows(out)
    known = set(read_table(out, "accuracy")["variant"])
    networks = read_manifest(out).trained
    facts = read_facts(out)
    own = None if facts is None else facts.machine
    for path in others:
        added = read_rows(path)
        strangers = sorted({row.variant for row in added} - known)
        if strangers:
            raise DataError(f"{path}: variant {strangers[0]!r} is not in {out}/accuracy.csv")
        if any(row.network not in networks for row in added):
            raise DataError(
                f"{path}: timed on other networks than those of {out}, or does not say on which"
            )
        if any(row.machine == own for row in added):
            raise DataError(
                f"{path}: machine {own!r} is the one that {out} itself was timed on; "
                f"`gaikan time {out}` times it anew, another --machine-name sets it apart"
            )
        _refuse_namesakes(path, rows, added)
        rows = merge(rows, added)
    write_rows(out / CSV, rows)
    return rows


def _refuse_namesakes(path: Path, rows: list[Row], added: list[Row]) -> None:
    known = {row.machine: machine_of(row) for row in rows}
    for row in added:
        name, processor, cores = known.get(row.machine, machine_of(row))
        if (name, processor, cores) != machine_of(row):
            raise DataError(
                f"{path}: machine {name!r} is {row.processor} with {row.cores} cores, but the run "
                f"has another of that name ({processor}, {cores} cores); "
                "time it again with another --machine-name"
            )
