"""Runs of three variants drawn at random, and stages that ask something of them."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from small_run import Fake, row

from gaikan.config.model import Config, FactoryConfig
from gaikan.config.stages import Range, Share, Stage
from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions, RunFiles
from gaikan.run_folder.latency_rows import Row
from gaikan.run_folder.unseen_file import LeftOutMode, ScoredParts
from gaikan.selection.candidates import Candidate, Judging
from gaikan.variants import Variant

COSTS = FactoryConfig(defect_rate=0.1, escape_cost=50, overkill_cost=1)
PARTS, VARIANTS = 60, ("mlp-a-mean_image", "mlp-b-mean_image", "cnn-a-mean_image")


def random_run(seed: int, seeds: int = 2, lots: bool = False) -> RunFiles:
    """Three variants with whole ok margins; classes good (0), open (1) and spur (2)."""
    rng = np.random.default_rng(seed)
    novel = np.random.default_rng([seed, 1])  # its own: what else is drawn stays
    networks: list[NetworkDecisions] = []
    rows = []
    lot = np.arange(PARTS) % 4 if lots else None
    for variant in VARIANTS:
        skill = rng.integers(0, 7)
        for number in range(seeds):
            label = np.random.default_rng([seed, number]).integers(0, 3, PARTS)
            margin = np.where(label == 0, skill, -skill) + rng.integers(-4, 5, PARTS).astype(float)
            defect = np.where(rng.random(PARTS) < 0.8, np.maximum(label, 1), 1)
            predicted = np.where(margin > 0, 0, defect)
            mode = np.where(label == 2, 1, -1)
            p = (1 + novel.integers(0, PARTS, PARTS)) / (1 + PARTS)
            sample = np.arange(PARTS) + 30 * number
            part = DecidedParts(sample, label, predicted, defect, margin, mode, lot, p)
            without = _left_out(part, np.random.default_rng([seed, len(networks), 2]))
            known = Variant(*variant.split("-"))
            networks.append(NetworkDecisions(known, number, part, part, without))
        for label_, threads in (
            ("onnxruntime-fp32", 1),
            ("onnxruntime-int8", 1),
            ("onnxruntime-int8", 2),
        ):
            p50 = float(rng.choice([0.5, 1, 2, 4])) / threads
            rows.append(
                row(
                    Fake(variant, 0, {label_: p50 * threads}),
                    label_,
                    threads,
                    p50_low_ms=p50 * float(rng.choice([0.4, 0.9])),
                    p50_high_ms=p50 * float(rng.choice([1.1, 2.1])),
                    agreement=1.0 if "fp32" in label_ else float(rng.choice([0.9, 0.98, 0.999, 1])),
                    model_bytes=int(rng.integers(1, 4)),
                )
            )
    rows += [_elsewhere(variant, seed) for variant in VARIANTS]
    classes = ("ok", "open", "spur")
    return RunFiles(Path(), Config(), classes, ("round", "long"), 0, tuple(networks), tuple(rows))


def _left_out(part: DecidedParts, rng: np.random.Generator) -> tuple[LeftOutMode, ...]:
    """Networks without `open`, and without `spur`, which judge less well.

    That without `spur` calls every good part good.
    """

    def scored(of: int, lowest: int = -3) -> ScoredParts:
        sample = part.sample[part.label == of]
        margin = rng.integers(lowest, 6, len(sample)).astype(float)
        p = (1 + rng.integers(0, PARTS, len(sample))) / (1 + PARTS)
        return ScoredParts(sample, margin > 0, margin, p)

    return tuple(
        LeftOutMode(mode, scored(0, lowest), scored(of), scored(of))
        for of, mode, lowest in ((1, "open", -1), (2, "spur", 2))
    )


def _elsewhere(variant: str, seed: int) -> Row:
    """What the base install does not run: faster, slower or as the others."""
    p50 = float(np.random.default_rng([seed, VARIANTS.index(variant)]).choice([0.2, 1, 2]))
    return row(Fake(variant, 0, {"openvino-int8": p50}), "openvino-int8", 1, model_bytes=2)


def judging(run: RunFiles) -> Judging:
    return Judging(run, COSTS, 1.0)


_limit = st.sampled_from([0.0503, 0.1013, 0.2017, 0.3519, 0.6023, 0.9029])  # no share of 60


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    maybe: dict[str, st.SearchStrategy[Any]] = {
        "p50_ms": st.sampled_from([1.0, 2.0]).map(lambda x: Range(max=x)),
        "model_bytes": st.just(Range(max=2)),
        "threads": st.just(Range(max=1)),
        "agreement": st.just(Share(min=0.5)),
        "images_per_s": st.just(Range(min=600)),
        "accuracy": _limit.map(lambda x: Share(min=x)),
        "balanced_accuracy": _limit.map(lambda x: Share(min=x)),
        "escape_bound": _limit.map(lambda x: Share(max=x)),
        "escape_rate": _limit.map(lambda x: Share(max=x)),
        "overkill_rate": _limit.map(lambda x: Share(max=x)),
        "ask_rate": _limit.map(lambda x: Share(max=x)),
        "unseen_escape": _limit.map(lambda x: Share(max=x)),
        "runtimes": st.sampled_from([("onnxruntime-int8",), ("openvino-int8",)]),
        "recall": _limit.map(lambda x: {"long": Share(min=x), "open": Share(min=x / 2)}),
    }
    names = draw(st.sets(st.sampled_from(sorted(maybe)), max_size=4))
    values = {name: draw(maybe[name]) for name in sorted(names)}
    objective = draw(st.sampled_from(["accuracy", "escape", "overkill", "cost", "latency"]))
    return Stage(**values | {"objective": objective})


def key(candidate: Candidate, run: RunFiles) -> tuple[str, int, int]:
    place = next(i for i, line in enumerate(run.rows) if line is candidate.row)
    return candidate.variant, candidate.seed, place
