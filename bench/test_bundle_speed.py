"""How fast a bundle predicts: the whole pipeline against a bare session on the same graph."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from contest import Contest

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.card import Card
from gaikan.bundle.image_batch import ImageBatch
from gaikan.bundle.stream import Tally, csv_text, predict
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.export.inspector import AnchorDistance, Decide, Inspector, to_onnx
from gaikan.export.novelty_score import Novelty, NoveltyScore
from gaikan.networks import NETWORKS, Embedder
from gaikan.novelty.gaussian import familiarity

BATCH = 64  # the default of `gaikan predict`
DEEPPCB = Path(__file__).parents[2] / "shared/data/deeppcb_test.parquet"


@pytest.fixture(scope="module")
def frames() -> Frames:
    """4,353 circuit-board images where they are, else rendered terminals."""
    return read_source(str(DEEPPCB) if DEEPPCB.exists() else "terminals", "test")


def bundle(arch: str, frames: Frames) -> Bundle:
    """Untrained: weights change nothing about speed."""
    statistics = torch.tensor([float(frames.images.mean())]), torch.tensor([50.0])
    embedder = Embedder(NETWORKS[arch](frames.shape), *statistics).eval()
    anchors = np.random.default_rng(0).normal(size=(len(frames.classes), 128)).astype(np.float32)
    card = Card(
        arch=arch,
        style="triplet",
        anchor="mean_embedding",
        seed=0,
        stage=None,
        runtime="onnx",
        precision="fp32",
        shape=frames.shape,
        dtype="uint8",
        depth=None,
        values=(0.0, 255.0),
        classes=frames.classes,
        ok="ok",
        threshold=None,
        ask_level=None,
        held_out=0,
        training={},
        metrics={},
        parity={},
        versions={},
    )
    drawn = np.random.default_rng(1).normal(size=(300, 128)).astype(np.float32)
    novelty = Novelty(familiarity(drawn), np.linspace(1, 9, 999, dtype=np.float32))
    decide = Decide(AnchorDistance(anchors))
    inspector = Inspector(
        embedder, decide, NoveltyScore(novelty), frames.classes.index("ok"), ask_level=None
    )
    model = to_onnx(inspector, frames.shape, torch.uint8).SerializeToString()
    return Bundle(card, model, None)


@pytest.mark.parametrize("arch", NETWORKS)
def test_predicting_is_nine_tenths_of_the_bare_session(
    contest: Contest, frames: Frames, arch: str
) -> None:
    """Images in memory to CSV lines, and `session.run` on the same graph and batches."""
    made = bundle(arch, frames)
    session = onnxruntime.InferenceSession(made.model, providers=["CPUExecutionProvider"])
    images: Any = frames.images
    parts = [images[at : at + BATCH] for at in range(0, len(images), BATCH)]
    batches = [ImageBatch([f"lot/{i:06}.png" for i in range(len(part))], part) for part in parts]

    def ours() -> int:
        tally = Tally()
        with Path(os.devnull).open("wb") as file:
            for lines in predict(made, batches, tally):
                file.write(csv_text(lines).encode())
        return tally.images

    def bare() -> int:
        for part in parts:
            session.run(None, {"images": part})
        return len(images)

    assert contest.ratio(ours, bare, rounds=9) >= 0.9
