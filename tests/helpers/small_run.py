"""A run folder as `gaikan bench` leaves it, drawn at random: nothing is trained or timed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from manifests import manifest

from gaikan.config.model import Config
from gaikan.run_folder.bench_files import write_manifest
from gaikan.run_folder.latency_rows import Row, write_rows

CLASSES = np.array(["ok", "open", "spur"])


@dataclass(frozen=True)
class Fake:
    """A variant: how well it tells good from defective, and its runtimes (label: p50 in ms)."""

    variant: str
    skill: float  # deviations between the ok margins of good and of defective parts, halved
    p50_ms: dict[str, float]
    model_bytes: int = 1_000_000
    mflops: float = 2.0
    agreement: float | None = 1.0
    threads: tuple[int, ...] = (1,)


FAKES = (
    Fake("mlp-triplet-mean_embedding", 1.2, {"onnxruntime-fp32": 0.1, "openvino-fp32": 0.12}),
    Fake("mlp-vanilla-mean_embedding", 1.1, {"onnxruntime-fp32": 0.1, "openvino-fp32": 0.12}),
    Fake("cnn-triplet-mean_embedding", 3.0, {"onnxruntime-fp32": 2.0}, 6_000_000, 36.0),
    Fake("cnn-vanilla-head", 2.5, {"onnxruntime-fp32": 2.0}, 6_000_000, 36.0),
)


def predictions(
    fakes: Sequence[Fake], seeds: int, parts: int, lots: int | None, rng: np.random.Generator
) -> pd.DataFrame:
    """As many validation parts (drawn anew for each seed) and test parts; half of them good."""
    frames = []
    for seed in range(seeds):
        for split in ("validation", "test"):
            label = np.where(rng.random(parts) < 0.5, 0, rng.integers(1, 3, parts))
            sample = np.sort(rng.permutation(2 * parts)[:parts])
            lot = None if lots is None else sample * lots // (2 * parts)
            for fake in fakes:
                ok_margin = rng.normal(np.where(label == 0, fake.skill, -fake.skill)).astype("f4")
                defect = np.where((label > 0) & (rng.random(parts) < 0.9), label, 1)
                columns = {
                    "variant": fake.variant,
                    "seed": seed,
                    "split": split,
                    "sample": sample,
                    "label": CLASSES[label],
                    "predicted": CLASSES[np.where(ok_margin > 0, 0, defect)],
                    "ok_margin": ok_margin,
                    "novelty_p": ((1 + rng.permutation(parts)) / (1 + parts)).astype("f4"),
                    "defect": CLASSES[defect],
                    "mode": np.array(["ok", "open", "long spur", "short spur"])[
                        label + (label == 2) * (sample % 2)
                    ],
                }
                if lot is not None:
                    columns["group"] = np.char.add("lot-", lot.astype(str))
                frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def row(fake: Fake, label: str, threads: int, **values: Any) -> Row:
    """One line of latency.csv, for single images."""
    runtime, precision, *device = label.split("-")
    known: dict[str, Any] = {
        "machine": "line-pc",
        "processor": "some processor",
        "cores": 4,
        "variant": fake.variant,
        "computation": fake.variant,
        "device": device[0] if device else "cpu",
        "threads": None if device else threads,
        "runtime": runtime,
        "precision": precision,
        "batch_size": 1,
        "includes_decode": False,
        "p50_ms": fake.p50_ms[label] / threads,
        "p90_ms": 1.1 * fake.p50_ms[label] / threads,
        "p99_ms": 1.5 * fake.p50_ms[label] / threads,
        "images_per_s": 1000 * threads / fake.p50_ms[label],
        "peak_rss_mb": 60.0,
        "model_bytes": fake.model_bytes,
        "mflops": fake.mflops,
        "agreement": fake.agreement,
        "accuracy": 0.9,
    }
    return Row(**(known | values))


def write_run(
    out: Path,
    fakes: Sequence[Fake] = FAKES,
    seeds: int = 2,
    parts: int = 600,
    lots: int | None = None,
    ok: str | None = "ok",
    config: dict[str, Any] | None = None,
) -> Path:
    """Writes manifest.json, accuracy.csv, predictions.parquet and latency.csv; gives the folder."""
    out.mkdir(parents=True, exist_ok=True)
    settings = Config.model_validate(config or {})
    write_manifest(out, manifest(config=settings, ok=ok))
    names = ["variant", "arch", "style", "anchor"]
    known = [[fake.variant, *fake.variant.split("-")] for fake in fakes]
    pd.DataFrame(known, columns=names).to_csv(out / "accuracy.csv", index=False)
    table = predictions(fakes, seeds, parts, lots, np.random.default_rng(0))
    if ok is None:
        table = table.drop(columns=["ok_margin", "defect"])
    text = [name for name in table if table[name].dtype.kind not in "if"]
    table.astype(dict.fromkeys(text, "category")).to_parquet(out / "predictions.parquet")
    rows = [row(fake, label, n) for fake in fakes for label in fake.p50_ms for n in fake.threads]
    write_rows(out / "latency.csv", rows)
    return out


def write_unseen(out: Path) -> None:
    """Writes `unseen.parquet` beside the predictions: without its mode each network is worse."""
    table = pd.read_parquet(out / "predictions.parquet").astype({"label": str, "mode": str})
    rng, frames = np.random.default_rng(1), []
    for (variant, seed), own in table.groupby(["variant", "seed"], observed=True):
        for mode in sorted(set(own["mode"]) - {"ok"}):
            good = (own["split"] == "validation") & (own["label"] == "ok")
            some = own[good | (own["mode"] == mode)]
            lower = np.where(some["label"] == "ok", 0, rng.uniform(0, 4, len(some)))
            margin = (some["ok_margin"] + lower).astype("f4")
            columns = {"variant": variant, "seed": seed, "without": mode, "ok_margin": margin}
            columns["predicted"] = np.where(margin > 0, "ok", some["defect"])
            frames.append(some[["split", "sample", "label", "novelty_p"]].assign(**columns))
    pd.concat(frames, ignore_index=True).to_parquet(out / "unseen.parquet")
