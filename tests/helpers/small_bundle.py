"""A small bundle with random weights: 1 x 8 x 8 images, three classes, no training."""

import hashlib
import io
import zipfile
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from gaikan.bundle.bundle import Bundle, Kept
from gaikan.bundle.card import Card
from gaikan.export.inspector import AnchorDistance, Decide, Inspector, Threshold, to_onnx
from gaikan.export.novelty_score import Novelty, NoveltyScore
from gaikan.networks import NETWORKS, Embedder, ImageShape
from gaikan.novelty.conformal import calibration
from gaikan.novelty.gaussian import familiarity

SHAPE: ImageShape = (1, 8, 8)
CLASSES = ("ok", "spur", "open")


def images(n: int, seed: int = 0, shape: ImageShape = SHAPE) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


@cache
def embedder(channels: int = 1) -> Embedder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        statistics = torch.full((channels,), 120.0), torch.full((channels,), 60.0)
        return Embedder(NETWORKS["mlp"]((channels, *SHAPE[1:])), *statistics).eval()


@torch.inference_mode()
def embedded(some: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """By torch: what a bundle is compared with."""
    found: NDArray[np.float32] = embedder(some.shape[1])(torch.from_numpy(some)).numpy()
    return found


def anchors(channels: int = 1) -> NDArray[np.float32]:
    return embedded(images(len(CLASSES), 1, (channels, *SHAPE[1:]))) + np.float32(0.01)


def novelty(channels: int = 1) -> Novelty:
    """Of 20 images that it knows, ranked among 40 that were held out."""
    known, held_out = (
        embedded(images(n, seed, (channels, *SHAPE[1:]))) for n, seed in ((20, 3), (40, 4))
    )
    known_parts = familiarity(known)
    return Novelty(known_parts, calibration(known_parts.score(held_out)))


@cache
def graph(
    dtype: torch.dtype,
    threshold: float | None,
    channels: int,
    ok: int | None = 0,
    ask_level: float | None = None,
) -> bytes:
    limit = None if threshold is None else Threshold(0, threshold)
    decide = Decide(AnchorDistance(anchors(channels)), limit)
    shape, score = (channels, *SHAPE[1:]), NoveltyScore(novelty(channels))
    model = to_onnx(Inspector(embedder(channels), decide, score, ok, ask_level), shape, dtype)
    content: bytes = model.SerializeToString()
    return content


def card(**values: object) -> Card:
    known: dict[str, object] = {
        "arch": "mlp",
        "style": "triplet",
        "anchor": "mean_embedding",
        "seed": 0,
        "stage": None,
        "runtime": "onnx",
        "precision": "fp32",
        "shape": SHAPE,
        "dtype": "uint8",
        "depth": None,
        "values": (0.0, 255.0),
        "classes": CLASSES,
        "ok": "ok",
        "threshold": None,
        "ask_level": None,
        "held_out": 40,
        "training": {},
        "metrics": {},
        "parity": {},
        "versions": {},
    }
    return Card(**(known | values))  # type: ignore[arg-type]


def bundle(
    anchor: str = "mean_embedding",
    dtype: torch.dtype = torch.uint8,
    threshold: float | None = None,
    channels: int = 1,
    ok: str | None = "ok",
    ask_level: float | None = None,
) -> Bundle:
    """30 validation parts are kept, labelled with the nearest class but for every fifth."""
    shape = (channels, *SHAPE[1:])
    points = embedded(images(30, 2, shape))
    nearest = np.linalg.norm(points[:, None] - anchors(channels), axis=2).argmin(1)
    labels = np.where(np.arange(30) % 5 == 0, (nearest + 1) % 3, nearest)
    kept = Kept(points, labels.astype(np.uint16))
    description = card(
        anchor=anchor,
        dtype=str(dtype).removeprefix("torch."),
        threshold=threshold,
        shape=shape,
        ok=ok,
        ask_level=ask_level,
    )
    good = None if ok is None else CLASSES.index(ok)
    return Bundle(description, graph(dtype, threshold, channels, good, ask_level), kept)


Members = dict[str, bytes]


def zipped(
    members: Members, sums: bytes | None = None, compression: int = zipfile.ZIP_STORED
) -> bytes:
    """An archive of the members, with their true checksums unless `sums` are given."""
    if sums is None:
        lines = [f"{hashlib.sha256(v).hexdigest()}  {k}\n" for k, v in members.items()]
        sums = "".join(lines).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in {**members, "SHA256SUMS": sums}.items():
            file.writestr(name, content)
    return buffer.getvalue()
