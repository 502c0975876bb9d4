"""`baseline.json`: what a run scored, with what, and (where there is room) every test decision."""

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, JsonValue, model_validator

from gaikan.check.decision_marks import LETTERS, decoded, encoded, whole
from gaikan.check.measures import Index, measured
from gaikan.check.run_answers import CheckedRun
from gaikan.config.stages import TomlSection
from gaikan.data.frames import Names
from gaikan.errors import ConfigError
from gaikan.evaluation.mean_squares import MeanSquares, Units
from gaikan.evaluation.statistics import Estimate, estimate
from gaikan.run_folder.manifest import Manifest, SourceEntry
from gaikan.system import json_files
from gaikan.system.files import write

MOST_BYTES = 200_000  # of the file, which is committed and read in diffs


class Figure(TomlSection):
    """A mean over seeds and parts, with its error for new seeds and new parts (or lots)."""

    mean: float = Field(ge=0, le=1)
    error: float | None = Field(ge=0)  # standard error; none where all parts are of one lot
    freedom: float = Field(gt=0)

    @classmethod
    def of(cls, single: Estimate) -> "Figure":
        """From an estimate of one mean."""
        mean, error, freedom = (float(a[0]) for a in (single.mean, single.error, single.freedom))
        known = None if math.isnan(error) else round(error, 6)
        return cls(mean=round(mean, 6), error=known, freedom=round(freedom, 2))

    @property
    def estimate(self) -> Estimate:
        """The same as arrays (1,)."""
        error = math.nan if self.error is None else self.error
        return Estimate(*(np.array([value]) for value in (self.mean, error, self.freedom)))


class Scored(TomlSection):
    """A variant's seeds, and its test figures by the name of the measure."""

    seeds: list[int]
    figures: dict[str, Figure]


class Ratio(TomlSection):
    """How many times as fast as the reference runtime, with its 95 % interval."""

    ratio: float
    low: float | None
    high: float | None


class BaselineSource(TomlSection):
    """One of the two sources of a run."""

    source: str
    images: int
    fingerprint: str

    @classmethod
    def of(cls, entry: SourceEntry) -> "BaselineSource":
        """From that of the manifest."""
        return cls.model_validate(entry, from_attributes=True)


class Baseline(TomlSection):
    """What later runs are compared with.

    `recipes` are by network, without what may differ from machine to machine: the seed, and the
    precision that `auto` becomes. `decisions[variant][seed]` is a line of `decision_marks`.
    """

    format: Literal[1]
    commit: str | None
    made: str
    machine: dict[str, JsonValue]
    device: str
    precision: str
    data: dict[Literal["train", "test"], BaselineSource]
    ok: str | None
    classes: dict[str, str]  # letter to name
    variants: dict[str, Scored]
    recipes: dict[str, dict[str, JsonValue]]
    latency: dict[str, Ratio] | None = None
    decisions: dict[str, dict[str, str]] | None = None
    frozen: str | None  # sha256 of the file of frozen networks; None where they were too large

    @model_validator(mode="after")
    def _whole(self) -> "Baseline":
        if set(self.data) != {"train", "test"}:
            raise ValueError("data is that of train and of test")
        for variant, scores in self.variants.items():
            if len(scores.seeds) < 2:
                raise ValueError(f"{variant} has 1 seed: nothing shows how training varies")
            for seed in scores.seeds if self.decisions is not None else ():
                line = (self.decisions or {}).get(variant, {}).get(str(seed), "")
                if not whole(line, self.data["test"].images, self.classes):
                    raise ValueError(f"decisions of {variant} seed {seed} are damaged")
        return self

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """Raises ConfigError naming file, key and remedy."""
        try:
            content = path.read_bytes()
        except OSError:
            raise ConfigError(
                f"{path}: no such baseline; `gaikan check RUN --baseline {path} --update` makes it"
            ) from None
        return json_files.read(cls, content, path, "`gaikan check RUN --update` makes it anew")

    def predicted(self, variant: str, seeds: tuple[int, ...], actual: Index) -> Index:
        """The stored decisions (S, N) on parts of class `actual` (N,)."""
        assert self.decisions is not None
        return np.stack([decoded(self.decisions[variant][str(seed)], actual) for seed in seeds])


def scored(tested: CheckedRun, groups: Names | None) -> dict[str, Scored]:
    """The figures of every variant; parts of one lot (`groups` (N,)) err together."""
    scores = {}
    for variant, answers in tested.answers.items():
        figures = {}
        for measure in measured(tested.actual, tested.ok):
            values = measure.of(answers.predicted, tested.actual, tested.ok)[None]
            own = None if groups is None else groups[measure.parts(tested.actual, tested.ok)]
            figures[measure.name] = Figure.of(estimate(MeanSquares.of(Units.of(values, own))))
        scores[variant] = Scored(seeds=list(answers.seeds), figures=figures)
    return scores


def recipes(manifest: Manifest) -> dict[str, dict[str, JsonValue]]:
    """By network, what it was trained with, without its seed and precision."""
    named = dict.fromkeys(("seed", "arch", "style"), True)
    run_dependent: dict[str, bool | set[str]] = {**named, "train": {"precision"}}
    return {n.network: n.recipe.model_dump(exclude=run_dependent) for n in manifest.networks}


def check_fit(tested: CheckedRun) -> None:
    """Raises ConfigError where the run cannot be a baseline.

    Its commit does not tell what was run, a training failed, or a variant has a single seed,
    which does not show how much training varies.
    """
    manifest = tested.manifest
    reasons = {
        "the tree had changes that are in no commit": str(manifest.machine.commit).endswith(
            "-dirty"
        ),
        "a training failed": bool(manifest.failed),
        "it has a single seed": min(len(a.seeds) for a in tested.answers.values()) < 2,
    }
    for reason, holds in reasons.items():
        if holds:
            raise ConfigError(f"{tested.folder}: not fit for a baseline: {reason}")


def make(
    tested: CheckedRun,
    groups: Names | None,
    latency: dict[str, Ratio] | None,
    frozen: str | None,
) -> Baseline:
    """The baseline of a run; without decisions where the file would be larger than `MOST_BYTES`.

    `groups` (N,) are the lots of the test parts, `frozen` is the sha256 of the frozen networks.
    """
    manifest = tested.manifest
    baseline = Baseline(
        format=1,
        commit=manifest.machine.commit,
        made=datetime.now(UTC).date().isoformat(),
        machine=asdict(manifest.machine),
        device=manifest.device,
        precision=manifest.precision,
        data={part: BaselineSource.of(source) for part, source in manifest.data.both},
        ok=manifest.ok,
        classes=dict(zip(LETTERS, tested.classes, strict=False)),
        variants=scored(tested, groups),
        recipes=recipes(manifest),
        latency=latency,
        frozen=frozen,
    )
    if len(tested.classes) > len(LETTERS):
        return baseline
    full = baseline.model_copy(update={"decisions": _decisions(tested)})
    return full if len(_text(full).encode()) <= MOST_BYTES else baseline


def save(baseline: Baseline, path: Path) -> None:
    """Writes the file, the same bytes for the same baseline."""
    write(path, _text(baseline))


def _text(baseline: Baseline) -> str:
    return json.dumps(baseline.model_dump(), indent=1, ensure_ascii=False) + "\n"


def _decisions(tested: CheckedRun) -> dict[str, dict[str, str]]:
    return {
        variant: {
            str(seed): encoded(row, tested.actual)
            for seed, row in zip(answers.seeds, answers.predicted, strict=True)
        }
        for variant, answers in tested.answers.items()
    }
