"""Names, values and limits of constraints in words."""

import math
from collections.abc import Iterable

from gaikan.config.stages import Range
from gaikan.language.words import Words, joined, plain, say
from gaikan.run_folder.picks_file import StageConstraint, Value

_MS, _SHARE = "ms", "%"
_UNITS = {
    "p50_ms": _MS,
    "p90_ms": _MS,
    "p99_ms": _MS,
    "mflops": "MFLOP",
    "model_bytes": "MB",
    "peak_rss_mb": "MB",
    "agreement": _SHARE,
    "accuracy": _SHARE,
    "balanced_accuracy": _SHARE,
    "escape_rate": _SHARE,
    "escape_bound": _SHARE,
    "overkill_rate": _SHARE,
    "ask_rate": _SHARE,
    "unseen_escape": _SHARE,
    "recall": _SHARE,
}


def called(name: str) -> Words:
    """The constraint's name in words; "recall.MODE" is that of a failure mode or class."""
    name, _, kind = name.partition(".")
    return say(f"k_{name}", kind=kind)


def worded(name: str, value: float | str) -> str:
    """A value of a constraint with its unit, the same in all languages."""
    if isinstance(value, str):
        return value
    unit = _UNITS.get(name.partition(".")[0], "")
    if name == "model_bytes":
        value /= 1e6
    shown = digits(100 * value if unit == _SHARE else value)
    text = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{text} {unit}".rstrip()


def measured_value(name: str, value: Value) -> Words:
    """The same, or that it was not measured."""
    return say("value_unknown") if value is None else plain(worded(name, value))


def digits(value: float | None) -> str:
    """A number with three significant digits, never in powers of ten; empty for None."""
    if value is None:
        return ""
    magnitude = int(f"{value:e}".partition("e")[2])
    return f"{value:.{max(0, 2 - magnitude)}f}"


def limited(limit: StageConstraint) -> Words:
    """A constraint as a formula, such as `p99 <= 3 ms`."""
    name = called(limit.name)
    if limit.names is not None:
        return say("figure_of", name=name, value=_one_of(limit.names))
    ends = (("limit_least", limit.min), ("limit_most", limit.max))
    given = [say(key, name=name, limit=worded(limit.name, v)) for key, v in ends if v is not None]
    return say("listed", texts=tuple(given))


def loosened(limit: StageConstraint, value: Value) -> Words:
    """The looser limit that `value` would meet, such as `p99 <= 4.2 ms instead of 3 ms`."""
    name = called(limit.name)
    if value is None:
        return say("constraint_unknown", name=name)
    if limit.names is not None or isinstance(value, str):
        names = _one_of(limit.names or ())
        return say("loosened_names", name=name, value=str(value), names=names)
    above = limit.max is not None and value > limit.max
    key, was = ("limit_most", limit.max) if above else ("limit_least", limit.min)
    assert was is not None
    needed = say(key, name=name, limit=worded(limit.name, enough(limit, value)))
    return say("loosened", limit=needed, was=worded(limit.name, was))


def missed(limit: StageConstraint, value: Value) -> Words:
    """A figure and the limit that it misses, such as `overkill rate 100 %, not <= 25 %`."""
    if limit.names is not None or value is None or isinstance(value, str):
        return loosened(limit, value)
    above = limit.max is not None and value > limit.max
    key, bound = ("missed_most", limit.max) if above else ("missed_least", limit.min)
    assert bound is not None
    figures = {"value": worded(limit.name, value), "limit": worded(limit.name, bound)}
    return say(key, name=called(limit.name), **figures)


def _one_of(names: Iterable[str]) -> Words:
    return joined(map(plain, names), say("or"))


def enough(limit: Range | StageConstraint, value: float) -> float:
    """The tightest limit of three digits that `value` meets."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    if limit.max is not None and value > limit.max:
        return math.ceil(value / unit) * unit
    return math.floor(value / unit) * unit
