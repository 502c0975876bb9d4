"""Inspection stages: what each asks of the variant that is installed there."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gaikan.errors import ConfigError


class TomlSection(BaseModel):
    """A table of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Range(TomlSection):
    """Limits of one figure, inclusive; at least one of the two is given."""

    min: float | None = Field(None, ge=0)
    max: float | None = Field(None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _table(cls, value: object) -> object:
        if not isinstance(value, dict | Range):
            raise ValueError("a limit is a table such as { max = 5 }")
        return value

    @model_validator(mode="after")
    def _possible(self) -> "Range":
        if self.min is None and self.max is None:
            raise ValueError("neither min nor max is given")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} exceeds max {self.max:g}: nothing can meet it")
        return self

    def holds(self, value: float | None) -> bool:
        """Whether a figure is within; one that was not measured is not."""
        if value is None:
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


class Share(Range):
    """Limits of a share, 0 to 1."""

    min: float | None = Field(None, ge=0, le=1)
    max: float | None = Field(None, ge=0, le=1)


Objective = Literal["accuracy", "escape", "overkill", "cost", "latency"]
# Keys of a stage that limit a figure: of `latency.csv`, and of quality.
TIMING = (
    "threads",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "images_per_s",
    "mflops",
    "model_bytes",
    "peak_rss_mb",
    "agreement",
)
QUALITY = (
    "accuracy",
    "balanced_accuracy",
    "escape_rate",
    "escape_bound",
    "overkill_rate",
    "ask_rate",
    "unseen_escape",
)
NAMES = ("device", "machine", "runtimes")  # keys that say which names are allowed
CEILINGS = ("escape_rate", "escape_bound")  # figures that the threshold is moved for


class Stage(TomlSection):
    """`[stage.NAME]`: constraints on what is installed, and what is best within them.

    Figures of time and size are those of `latency.csv` at `batch_size`; figures of quality are
    of validation parts. A limit on the escape rate or its bound moves the border between good
    and defective so that it holds (`selection.threshold`).
    """

    description: str = Field("", description="shown beside the pick")
    objective: Objective = Field("accuracy", description="what is best among what qualifies")
    device: Literal["cpu", "cuda"] | None = Field(
        None, description="none: either", examples=["cpu"]
    )
    machine: str | None = Field(None, description="as `latency.csv` names it", examples=["line-pc"])
    runtimes: tuple[str, ...] | None = Field(
        None,
        strict=False,
        min_length=1,
        description="none: those of the base install",
        examples=[("openvino-int8",)],
    )
    batch_size: int = Field(1, ge=1, description="images at a time, for all figures of time")
    threads: Range | None = Field(
        None, description="of a CPU; a GPU meets any limit", examples=[{"max": 1}]
    )
    p50_ms: Range | None = Field(
        None, description="median time of a query, milliseconds", examples=[{"max": 2.0}]
    )
    p90_ms: Range | None = Field(
        None, description="met by 90 % of all queries, milliseconds", examples=[{"max": 3.0}]
    )
    p99_ms: Range | None = Field(
        None, description="met by 99 % of all queries, milliseconds", examples=[{"max": 5.0}]
    )
    images_per_s: Range | None = Field(
        None, description="throughput at batch_size, images a second", examples=[{"min": 100}]
    )
    mflops: Range | None = Field(
        None, description="operations for one image, millions", examples=[{"max": 50}]
    )
    model_bytes: Range | None = Field(
        None, description="size of the model's file, bytes", examples=[{"max": 10_000_000}]
    )
    peak_rss_mb: Range | None = Field(
        None, description="most memory that the process holds, MB", examples=[{"max": 500}]
    )
    agreement: Share | None = Field(
        Share(min=0.99), description="test parts that the runtime gives the reference's class"
    )
    accuracy: Share | None = Field(
        None, description="share of all parts given their class", examples=[{"min": 0.95}]
    )
    balanced_accuracy: Share | None = Field(
        None, description="mean over the classes of that share", examples=[{"min": 0.9}]
    )
    escape_rate: Share | None = Field(
        None, description="share of defective parts called good", examples=[{"max": 0.01}]
    )
    escape_bound: Share | None = Field(
        None, description="upper 95 % bound of the escape rate", examples=[{"max": 0.03}]
    )
    overkill_rate: Share | None = Field(
        None, description="share of good parts called defective", examples=[{"max": 0.05}]
    )
    ask_rate: Share | None = Field(
        None,
        description="good parts that a person is asked about; none: nothing is asked",
        examples=[{"max": 0.03}],
    )
    unseen_escape: Share | None = Field(
        None,
        description="of each failure mode, left out of training: share called good, not asked",
        examples=[{"max": 0.1}],
    )
    recall: dict[str, Share] = Field(
        default_factory=dict,
        description="by failure mode or class: share right of all its parts",
        examples=[{"open": {"min": 0.9}}],
    )

    @model_validator(mode="after")
    def _asks_at_most(self) -> "Stage":
        if self.ask_rate is not None and (self.ask_rate.min is not None or not self.ask_rate.max):
            raise ValueError("ask_rate is a table such as { max = 0.03 }, more than 0, without min")
        return self

    @property
    def asks(self) -> float | None:
        """The share of good parts that may be asked about; None where nothing is asked."""
        return None if self.ask_rate is None else self.ask_rate.max

    @property
    def limits(self) -> dict[str, Range]:
        """Every limit on a figure, by its name; a failure mode's is `recall.MODE`."""
        limits = {name: value for name, value in self if isinstance(value, Range)}
        return limits | {f"recall.{kind}": limit for kind, limit in self.recall.items()}

    @property
    def allowed(self) -> dict[str, tuple[str, ...]]:
        """The names that are allowed, by key of `NAMES`."""
        given = {key: getattr(self, key) for key in NAMES}
        return {
            key: names if isinstance(names, tuple) else (names,)
            for key, names in given.items()
            if names is not None
        }

    @property
    def ceilings(self) -> dict[str, float]:
        """The limits on escapes that the border between good and defective is moved to meet."""
        limits = {name: limit.max for name, limit in self.limits.items() if name in CEILINGS}
        return {name: most for name, most in limits.items() if most is not None}

    @property
    def needs_ok(self) -> str | None:
        """The first thing in the stage that needs a class that means good; None without any."""
        names = (*CEILINGS, "overkill_rate", "ask_rate", "unseen_escape")
        needing = [name for name in names if name in self.limits]
        if self.objective in ("escape", "overkill", "cost"):
            needing.append(f"objective '{self.objective}'")
        return needing[0] if needing else None


def check_stages(
    stages: Mapping[str, Stage],
    kinds: Iterable[str],
    has_ok: bool,
    has_costs: bool,
    where: str,
    not_unseen: str | None,
) -> None:
    """Checks that the data can answer what the stages ask; `kinds`: classes and failure modes.

    `not_unseen`: why no failure mode is left out of training, if none is. Raises ConfigError naming
    `where` and key.
    """
    for name, stage in stages.items():
        key = f"{where}: key 'stage.{name}"
        if stage.needs_ok is not None and not has_ok:
            raise ConfigError(
                f"{key}': {stage.needs_ok} needs a class that means good; say --ok CLASS"
            )
        if stage.unseen_escape is not None and not_unseen is not None:
            raise ConfigError(f"{key}.unseen_escape': {not_unseen}")
        if stage.objective == "cost" and not has_costs:
            raise ConfigError(
                f"{key}.objective': a cost needs [factory] defect_rate, escape_cost, overkill_cost"
            )
        for kind in stage.recall:
            check_known(kind, kinds, "failure mode or class", f"{key}.recall'")


def check_known(name: str, names: Iterable[str], kind: str, where: str) -> None:
    """Raises ConfigError where `name`, of a thing of this `kind`, is none of `names`."""
    known = list(dict.fromkeys(names))
    if name not in known:
        raise ConfigError(f"{where}: no {kind} {name!r}; there are {', '.join(known)}")


def is_constraint(name: str) -> bool:
    """Whether `name` is a key by which a stage sets a limit."""
    return name in (*NAMES, *TIMING, *QUALITY) or name.startswith("recall.")
