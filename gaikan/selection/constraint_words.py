"""Names, values and limits of constraints in words."""

import math

from gaikan.config.stages import Range
from gaikan.run_folder.picks_file import StageConstraint, Value

_MS, _SHARE = "ms", "%"
_WORDS = {  # constraint: what it is called, and its unit
    "device": ("device", ""),
    "machine": ("machine", ""),
    "runtimes": ("runtime", ""),
    "threads": ("threads", ""),
    "p50_ms": ("p50", _MS),
    "p90_ms": ("p90", _MS),
    "p99_ms": ("p99", _MS),
    "images_per_s": ("images per second", ""),
    "mflops": ("operations", "MFLOP"),
    "model_bytes": ("model file", "MB"),
    "peak_rss_mb": ("peak memory", "MB"),
    "agreement": ("agreement with the reference", _SHARE),
    "accuracy": ("accuracy", _SHARE),
    "balanced_accuracy": ("balanced accuracy", _SHARE),
    "escape_rate": ("escape rate", _SHARE),
    "escape_bound": ("escape bound", _SHARE),
    "overkill_rate": ("overkill rate", _SHARE),
    "ask_rate": ("good parts asked", _SHARE),
    "unseen_escape": ("unseen escape rate", _SHARE),
    "cost": ("cost of 1,000 parts", ""),
}


def called(name: str) -> str:
    """The constraint's name in words."""
    if name.startswith("recall."):
        return f"recall of {name.removeprefix('recall.')}"
    return _WORDS[name][0]


def worded(name: str, value: Value) -> str:
    """A value of a constraint with its unit."""
    if value is None:
        return "not measured"
    if isinstance(value, str):
        return value
    unit = _SHARE if name.startswith("recall.") else _WORDS[name][1]
    if name == "model_bytes":
        value /= 1e6
    shown = digits(100 * value if unit == _SHARE else value)
    text = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{text} {unit}".rstrip()


def digits(value: float | None) -> str:
    """A number with three significant digits, never in powers of ten; empty for None."""
    if value is None:
        return ""
    magnitude = int(f"{value:e}".partition("e")[2])
    return f"{value:.{max(0, 2 - magnitude)}f}"


def limited(limit: StageConstraint) -> str:
    """A constraint as a formula, such as `p99 <= 3 ms`."""
    name = called(limit.name)
    if limit.names is not None:
        return f"{name} {' or '.join(limit.names)}"
    low = "" if limit.min is None else f"{name} >= {worded(limit.name, limit.min)}"
    high = "" if limit.max is None else f"{name} <= {worded(limit.name, limit.max)}"
    return " and ".join(filter(None, (low, high)))


def loosened(limit: StageConstraint, value: Value) -> str:
    """The looser limit that `value` would meet, such as `p99 <= 4.2 ms instead of 3 ms`."""
    name = called(limit.name)
    if value is None:
        return f"{name} was not measured"
    if limit.names is not None or isinstance(value, str):
        return f"{name} {value} instead of {' or '.join(limit.names or ())}"
    above = limit.max is not None and value > limit.max
    sign, was = ("<=", limit.max) if above else (">=", limit.min)
    needed = worded(limit.name, enough(limit, value))
    return f"{name} {sign} {needed} instead of {worded(limit.name, was)}"


def enough(limit: Range | StageConstraint, value: float) -> float:
    """The tightest limit of three digits that `value` meets."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    if limit.max is not None and value > limit.max:
        return math.ceil(value / unit) * unit
    return math.floor(value / unit) * unit
