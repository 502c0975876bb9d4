"""Names, values and limits of constraints in words."""

import math

from gaikan.config.stages import Range
from gaikan.run_folder.picks_file import Value

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
    shown = 100 * value if unit == _SHARE else value
    return f"{_digits(shown)} {unit}".rstrip()


def _digits(value: float) -> str:
    """Three significant digits, or all of a larger whole part, without trailing zeros."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def limited(name: str, limit: Range | tuple[str, ...]) -> str:
    """A constraint as a formula, such as `p99 <= 3 ms`."""
    if isinstance(limit, tuple):
        return f"{called(name)} {' or '.join(limit)}"
    low = "" if limit.min is None else f"{called(name)} >= {worded(name, limit.min)}"
    high = "" if limit.max is None else f"{called(name)} <= {worded(name, limit.max)}"
    return " and ".join(filter(None, (low, high)))


def loosened(name: str, limit: Range | tuple[str, ...], value: Value) -> str:
    """The looser limit that `value` would meet, such as `p99 <= 4.2 ms instead of 3 ms`."""
    if value is None:
        return f"{called(name)} was not measured"
    if isinstance(limit, tuple) or isinstance(value, str):
        allowed = " or ".join(limit) if isinstance(limit, tuple) else ""
        return f"{called(name)} {value} instead of {allowed}"
    needed = enough(limit, value)
    sign, was = (
        ("<=", limit.max) if limit.max is not None and value > limit.max else (">=", limit.min)
    )
    return f"{called(name)} {sign} {worded(name, needed)} instead of {worded(name, was)}"


def enough(limit: Range, value: float) -> float:
    """The tightest limit of three digits that `value` meets."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    if limit.max is not None and value > limit.max:
        return math.ceil(value / unit) * unit
    return math.floor(value / unit) * unit
