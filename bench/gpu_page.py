"""`gpu.json` as tables for the README."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


def page(found: Json) -> str:
    """Markdown; a phase without figures has its reason in place of its table."""
    machine = found["machine"]
    packages = machine["packages"]
    head = f"{machine['gpu'] or machine['processor']}, {machine['cores']} cores, "
    head += f"PyTorch {packages['torch']}, CUDA {found['cuda']}, code {machine['commit']}"
    parts = [head]
    for name, title, table in (
        ("train", "Training", _training),
        ("speed", "Inference", _speed),
        ("transfer", "A query's parts, ms", _transfer),
        ("memory", "Memory, MB", _memory),
        ("tests", "Device tests", _tests),
    ):
        phase = found[name]
        failed = phase.get("failed")
        parts += [f"**{title}**", f"failed: {failed}" if failed else table(phase)]
    return "\n\n".join(parts) + "\n"


def _training(phase: Json) -> str:
    runs = {name: run for name, run in phase.items() if name != "repeats"}
    networks = next(iter(runs.values()))["cells"]
    rows = [
        [name, f"{run['seconds']:.1f}"]
        + [
            f"{run['cells'][n]['seconds']:.1f} s, {_percent(run['cells'][n]['accuracy'])}"
            for n in networks
        ]
        for name, run in runs.items()
    ]
    same = "the same bytes" if phase["repeats"] else "other bytes"
    return f"{_table(['run', 'all, s', *networks], rows)}\n\nTrained again: {same}."


def _speed(phase: Json) -> str:
    rows = []
    for row in phase["rows"]:
        score = phase["scores"].get(row["runtime"], {}).get(row["network"], {})
        figures = [_three(row.get(key)) for key in ("p99_ms", "device_p50_ms")]
        where = [row["network"], row["runtime"], str(row.get("batch_size", ""))]
        shares = [_percent(score.get("accuracy")), _percent(score.get("agreement"))]
        p50 = row.get("skipped", _three(row.get("p50_ms")))
        rows.append([*where, p50, *figures, _three(row.get("images_per_s")), *shares])
    columns = ["network", "runtime", "batch", "p50 ms", "p99 ms", "on device", "images/s"]
    return _table([*columns, "acc. %", "same class %"], rows)


def _transfer(phase: Json) -> str:
    keys = ["there_ms", "there_pinned_ms", "device_ms", "back_ms", "whole_ms"]
    return _places(phase, keys, ["there", "there, pinned", "device", "back", "whole query"])


def _memory(phase: Json) -> str:
    return _places(phase, ["allocated_mb", "reserved_mb"], ["allocated", "reserved"])


def _tests(phase: Json) -> str:
    return str(phase["summary"])


def _places(phase: Json, keys: Sequence[str], columns: Sequence[str]) -> str:
    rows = [
        [row["network"], row["runtime"], str(row["batch_size"])]
        + [_three(row[key]) for key in keys]
        for row in phase["rows"]
    ]
    return _table(["network", "runtime", "batch", *columns], rows)


def _three(figure: float | None) -> str:
    """Three digits, and no exponent."""
    if figure is None:
        return ""
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
