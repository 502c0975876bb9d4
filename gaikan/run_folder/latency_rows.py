"""`latency.csv`: one row per variant x device x threads x runtime x precision x batch size.

Needs nothing but Python, so that a Raspberry Pi can write it.
"""

import csv
import io
import math
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from gaikan.errors import DataError, shown
from gaikan.language.words import Words, packed, unpacked
from gaikan.system.files import write
from gaikan.variants import HEAD


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of `latency.csv`; None, an empty cell, is what was not measured."""

    machine: str  # a name, and below what the machine is: rows of several machines share a file
    processor: str
    cores: int
    variant: str
    computation: str  # what is timed once for all variants that share it: cnn-anchors, mlp-head
    device: str  # cpu or cuda
    threads: int | None
    runtime: str
    precision: str
    batch_size: int | None
    includes_decode: bool  # whether reading and decoding the image file is inside
    network: str | None = None  # store key of one that was timed: which networks these are
    queries: int | None = None
    p50_ms: float | None = None  # wall clock, raw image in memory to class name and distance
    p50_low_ms: float | None = None  # 95 % interval of the median
    p50_high_ms: float | None = None
    p90_ms: float | None = None  # empty below 64 queries
    p99_ms: float | None = None  # empty below 662 queries
    max_ms: float | None = None
    device_p50_ms: float | None = None  # cuda: images already there, the device's own events
    images_per_s: float | None = None
    images_per_s_low: float | None = None
    images_per_s_high: float | None = None
    best_batch: bool | None = None  # most images a second of this variant, runtime and threads
    speedup: float | None = None  # over the reference runtime, same threads and batch size
    speedup_low: float | None = None
    speedup_high: float | None = None
    disturbed: float | None = None  # share of the rounds in which other work had the processor too
    cpu_s_per_1000: float | None = None  # processor seconds of all threads for 1,000 images
    load_ms: float | None = None  # model file to ready, in a process of its own
    cold_start_ms: float | None = None  # the first query after it
    peak_rss_mb: float | None = None  # of a process that only predicts, up to this batch size
    model_bytes: int | None = None
    parameters: int | None = None
    mflops: float | None = None  # floating-point operations for one image, millions
    roofline_share: float | None = None  # of what the machine's arithmetic and memory allow
    accuracy: float | None = None  # of this runtime's own predictions, test part
    reference_accuracy: float | None = None  # of the reference runtime's, same networks
    # Share of test parts given the reference's class; of a bundle timed alone, the share of
    # validation images on which its export found it so.
    agreement: float | None = None
    max_distance_error: float | None = None
    skipped: Words | None = None  # why there are no figures

    @property
    def is_unreliable(self) -> bool:
        """Whether other work had the processor in half of the rounds, or in more.

        With fewer, the median over rounds lies among those that nothing disturbed.
        """
        return (self.disturbed or 0.0) >= 0.5


def runtime_label(name: str, precision: str, device: str) -> str:
    """How tables, `--runtime` and the configuration name a runtime."""
    return f"{name}-{precision}" + ("-cuda" if device == "cuda" else "")


def runtime_of(row: Row) -> str:
    """The label of the row's runtime."""
    return runtime_label(row.runtime, row.precision, row.device)


def computation_of(arch: str, decision: str) -> str:
    """The name of what all variants of that architecture and kind of decision share."""
    return f"{arch}-{HEAD if decision == HEAD else 'anchors'}"


def machine_of(row: Row) -> tuple[str, str, int]:
    """The machine's name and what it is."""
    return row.machine, row.processor, row.cores


def key(row: Row) -> tuple[object, ...]:
    """What tells a row from all others."""
    setting = row.device, row.threads, row.runtime, row.precision, row.batch_size
    return machine_of(row), row.variant, *setting, row.includes_decode


def write_rows(path: Path, rows: list[Row]) -> None:
    """Writes the table; figures with six digits."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Row)]
    table.writerow(names)
    table.writerows([[_cell(getattr(row, name)) for name in names] for row in rows])
    write(path, text.getvalue())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Words):
        return packed(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def read_rows(path: Path) -> list[Row]:
    """The rows of a table. Raises DataError naming file, line and column."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            names = list(table.fieldnames or ())
            missing = [field.name for field in fields(Row) if field.name not in names]
            if missing:
                raise DataError(
                    f"{path}: column {missing[0]!r} is missing; "
                    "a latency table is what `gaikan time` writes"
                )
            return [_row(path, table.line_num, cells) for cells in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no readable latency table: {error}") from None


_WANTED = {bool: "true or false", str: "a text", Words: "a text"}
_WANTED |= {int: "a whole number >= 0", float: "a finite number >= 0"}
_BELOW = {int: 2**63, float: math.inf}


def _row(path: Path, line: int, cells: dict[str, str | None]) -> Row:
    values: dict[str, Any] = {}
    for name, (kind, optional) in _columns().items():
        text = cells[name]
        try:
            values[name] = None if optional and not text else _parsed(kind, text or "")
        except ValueError:
            wanted = _WANTED[kind] + " or empty" * optional
            raise DataError(
                f"{path}: line {line}, column {name!r}: {shown(text)} is not {wanted}"
            ) from None
    return Row(**values)


@cache
def _columns() -> dict[str, tuple[type, bool]]:
    """The kind of value of each column, and whether a cell may be empty."""
    hints = {name: get_args(hint) or (hint,) for name, hint in get_type_hints(Row).items()}
    return {name: (kinds[0], len(kinds) > 1) for name, kinds in hints.items()}


def _parsed(kind: type, text: str) -> Any:
    """A cell that is not empty. Raises ValueError."""
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if kind is str and text:
        return text
    if kind is Words:
        return unpacked(text)
    if kind in _BELOW and 0 <= (value := kind(text)) < _BELOW[kind]:
        return value
    raise ValueError


def merge(rows: list[Row], others: list[Row]) -> list[Row]:
    """`rows` and `others`; where a key occurs in both, the row of `others` stands."""
    return list(({key(row): row for row in rows} | {key(row): row for row in others}).values())
