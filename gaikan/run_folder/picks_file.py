"""`picks.json`: what is picked at each stage, and why; written and read back as these models.

Sentences are in no language: each is the key of a string with what fills it, which `picks.md` and
the page word. Shares are in 0..1; a figure that was not measured is null. `runtime`, `precision`
and `device` are as in `latency.csv`; `threads` is null on a GPU.
"""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gaikan.config.stages import Objective, is_constraint
from gaikan.errors import ConfigError
from gaikan.language.words import Words, placed, say
from gaikan.run_folder.latency_rows import runtime_label
from gaikan.system import json_files

PICKS, TREE, MAP = "picks.json", "figures/tree.svg", "figures/sensitivity-{stage}.svg"
CURVES = "figures/escapes-{stage}.svg"
ASKING, ASKING_CURVE = "asking.csv", "figures/asking-{stage}.svg"
Side = Literal["validation", "test"]
Count = Annotated[int, Field(lt=2**63)]
Value = Count | float | str | None  # of a constraint


def _known(name: str) -> str:
    if not is_constraint(name):
        raise ValueError(f"no constraint {name[:80]!r}")
    return name


_Name = Annotated[str, AfterValidator(_known)]


class _Part(BaseModel):
    """An object of the file; keys that it does not know may be there: a later version's."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )


class StageConstraint(_Part):
    """What a stage asks for: a range, or one of some names."""

    name: _Name
    min: float | None
    max: float | None
    names: list[str] | None = Field(alias="is")


class CheckedConstraint(_Part):
    """A constraint, and what a candidate makes of it on validation and on test."""

    constraint: _Name
    value: Value
    min: float | None
    max: float | None
    names: list[str] | None = Field(alias="is")
    passed: bool
    test: Value  # null too where it is no figure of parts


class Quality(_Part):
    """Figures on N parts; None where no part of the kind was seen, or no class means good."""

    n: Count
    accuracy: float
    balanced_accuracy: float  # mean recall over the classes that occur
    escapes: Count | None  # defective parts called good
    defects: Count | None
    escape_rate: float | None
    escape_bound: float | None  # upper bound of it
    overkills: Count | None  # good parts called defective
    goods: Count | None
    overkill_rate: float | None
    cost: float | None  # of 1,000 parts, where the factory's costs are told
    # Called good, but a person is asked: neither escapes nor overkills. None: nothing is asked.
    good_asks: Count | None
    defect_asks: Count | None
    ask_rate: float | None  # of good parts
    ask_bound: float | None  # upper bound of it


class UnseenMode(_Part):
    """Parts of a failure mode, judged by a network that was trained without it."""

    split: Side
    mode: str
    parts: Count
    escapes: Count  # called good, and nobody asked
    asks: Count  # called good, and a person is asked
    escape_rate: float
    escape_bound: float  # upper bound of it, of this mode alone


class Judged(_Part):
    """How many parts of a class were given a class."""

    actual: str
    called: str
    parts: Count
    asked: Count  # of these, because they are new to the network


class PickTiming(_Part):
    """Figures of time and size, as in `latency.csv`."""

    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    images_per_s: float | None
    mflops: float | None
    model_bytes: int | None
    peak_rss_mb: float | None
    agreement: float | None


class InBundle(_Part):
    """A kind of bundle, as `gaikan export` makes it."""

    runtime: Literal["onnx", "openvino"]
    precision: Literal["fp32", "int8"]
    needs: str  # the command that installs what it runs with


class PlacedNetwork(_Part):
    """A network, where it runs, and its threshold."""

    variant: str
    seed: int
    machine: str
    device: str
    runtime: str
    precision: str
    threads: int | None
    threshold: float | None  # on the ok margin; None: the nearest anchor decides
    ask_level: float | None  # of the novelty p-value; None: nothing is asked

    @property
    def label(self) -> str:
        """Its runtime, as stages and `--runtime` name it."""
        return runtime_label(self.runtime, self.precision, self.device)

    @property
    def place(self) -> Words:
        """Its runtime and threads in words."""
        return placed(self.label, self.threads)

    @property
    def decided_by(self) -> Words:
        """What tells good from defective, and from what is asked about, in words."""
        by = say("without_threshold")
        if self.threshold is not None:
            by = say("with_threshold", value=f"{self.threshold:.4g}")
        if self.ask_level is None:
            return by
        return say("with_asking", by=by, level=f"{self.ask_level:.3g}")


class WeighedCandidate(PlacedNetwork):
    """Something that could be installed at a stage, with its value of each constraint."""

    qualifies: bool
    values: dict[_Name, Value]
    failed: list[_Name]
    accuracy: float  # on the validation parts that choose


class PickedCandidate(PlacedNetwork):
    """A candidate that a person looks at."""

    batch_size: int
    bundle: InBundle | None  # None: no bundle holds it
    timing: PickTiming
    validation: Quality  # of this network with this threshold
    test: Quality
    unseen: list[UnseenMode]  # of validation, then of test, that which escapes most first
    checks: list[CheckedConstraint]


class RunnerUp(PickedCandidate):
    """The best candidate of another variant."""

    why: Words  # it was not picked


class NearestMiss(PickedCandidate):
    """Where nothing qualifies: what fails least."""

    would_have_to_give: list[Words]  # empty where nothing sensible would do
    hopeless: Words | None  # why none would


class BindingConstraints(_Part):
    """Constraints without which another would be picked; several where none binds alone."""

    constraints: list[_Name]
    instead: str  # a variant
    why: Words


class Promise(_Part):
    """What holds for the true escape rate of the pick, and of what parts."""

    headline: Words
    lots: int | None  # that speak for new ones; None: nothing is promised for new lots
    method: Words | None  # None: by none, nothing is promised
    level: float
    networks: int  # that might have been picked
    level_each: float  # of each one's bound
    holds_for: list[Words]


class AskingPoint(_Part):
    """Escapes of a candidate if a person is asked about a share of the good parts."""

    split: Side
    share: float  # of good validation parts, at most: the stage's `ask_rate`
    level: float  # of the novelty p-value that the share means
    good_asks: Count
    goods: Count
    ask_rate: float | None  # of good parts, as seen
    ask_bound: float | None
    defect_asks: Count
    escapes: Count
    defects: Count
    escape_rate: float | None
    escape_bound: float | None
    # Of failure modes that training has not seen; None where none was left out of it.
    unseen_mean: float | None  # share that escapes, mean over modes
    unseen_worst: float | None  # of the mode that escapes most
    unseen_mode: str | None  # which it is


class PickStep(_Part):
    """A span of latency budgets over which the pick stays the same; None: nothing qualifies."""

    ceiling: float | None
    from_ms: float
    to_ms: float | None  # None: and above
    variant: str | None = None
    runtime: str | None = None
    precision: str | None = None
    threads: int | None = None
    accuracy: float | None = None
    escape_rate: float | None = None

    @property
    def label(self) -> str:
        """The runtime's label; nothing where nothing is picked."""
        if self.runtime is None or self.precision is None:
            return ""
        return runtime_label(self.runtime, self.precision, "cpu" if self.threads else "cuda")


class PickSensitivity(_Part):
    """Picks by escape ceiling and latency budget; all else is as the stage asks."""

    latency: _Name  # the constraint that varies
    escape: _Name | None  # the other; None: the stage has no ceiling
    budgets: list[float]  # ms, ascending
    ceilings: list[float | None]
    picks: list[list[str | None]]  # variants, a row a ceiling and a column a budget
    steps: list[PickStep]


class StagePicks(_Part):
    """What is picked at a stage, and everything that was weighed for it."""

    description: Words
    objective: Objective
    constraints: list[StageConstraint]
    pick: PickedCandidate | None
    why: Words
    judged: list[Judged]  # test parts by the pick as installed; empty without a pick
    contradicted: Words | None  # how test contradicts the escape ceiling of the pick
    warnings: list[Words]  # such as: test falls short of what validation met
    binding: list[BindingConstraints]
    runners_up: list[RunnerUp]
    nearest_miss: NearestMiss | None  # None too where the timing cannot judge the stage
    beyond: Words | None  # what a runtime that the base install lacks would gain
    promise: Promise | None  # None without a pick, and without an escape ceiling
    asking: Words | None  # what asking a person gains, where it decides what is picked
    asking_curve: list[AskingPoint]  # of the pick or the nearest miss
    sensitivity: PickSensitivity
    candidates: list[WeighedCandidate]  # best first, then those that fail least

    @model_validator(mode="after")
    def _consistent(self) -> "StagePicks":
        names = {limit.name for limit in self.constraints}
        if not all(names <= set(candidate.values) for candidate in self.candidates):
            raise ValueError("a candidate lacks the value of a constraint")
        return self


class PicksFile(_Part):
    """The whole file."""

    format: Literal[1]
    timing: str | None  # sha256 of the `latency.csv` that was picked from
    ok: str | None  # the class that means good
    stages: dict[str, StagePicks]

    @property
    def picked(self) -> list[PickedCandidate]:
        """What is picked, stage by stage, where anything is."""
        return [stage.pick for stage in self.stages.values() if stage.pick is not None]

    def to_json(self) -> str:
        """The file's text, a line for each key of a stage: deep indents are slow to write."""
        content = self.model_dump()
        stages = {
            name: _braced({key: _line(value) for key, value in stage.items()}, 2)
            for name, stage in content["stages"].items()
        }
        lines = {key: _line(content[key]) for key in ("format", "timing", "ok")}
        return _braced(lines | {"stages": _braced(stages, 1)}, 0) + "\n"


def _braced(texts: dict[str, str], depth: int) -> str:
    """An object of values that are JSON already, one a line."""
    indent = " " * depth
    inside = ",\n".join(f"{indent} {_line(key)}: {text}" for key, text in texts.items())
    return f"{{\n{inside}\n{indent}}}"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_picks(path: Path) -> PicksFile | None:
    """The content of the file; None where there is none. Raises ConfigError naming file and key."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    return json_files.read(PicksFile, content, path, "`gaikan pick` writes it anew")
