"""Whether a bundle does what the network that it was made from does."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.decision import classes_of
from gaikan.data.frames import Frames
from gaikan.data.limits import at_once
from gaikan.errors import BundleError
from gaikan.export.novelty_score import Novelty
from gaikan.export.source import ExportSource
from gaikan.training.embed import embed
from gaikan.variants import HEAD

DISTANCE_TOLERANCE = 1e-4  # for fp32: float32 arithmetic in another order
_NEAR = 0.1  # of the largest distance; see `scale_of`
LARGEST_DROP = 0.01  # of accuracy by int8, on fit or validation images
_BATCH = 256


@dataclass(frozen=True)
class Parity:
    """A bundle against its network, on the fit or the validation images."""

    part: str
    images: int
    agreement: float  # share of equal classes
    ties: int  # parts of unequal class where the reference's own choice was within the tolerance
    distance_error: float  # largest, relative as `scale_of` says
    novelty_errors: int  # p-values beyond what float32 may make of the network's own
    accuracy: float
    reference_accuracy: float

    @property
    def drop(self) -> float:
        """Accuracy lost; negative where it rose."""
        return self.reference_accuracy - self.accuracy


def compare(
    part: str, bundle: Bundle, source: ExportSource, novelty: Novelty, frames: Frames
) -> Parity:
    """Compares the bundle with its network, which judges by `novelty`, on all `frames`.

    The network goes the path that made the run's figures: torch, then float64.
    """
    card = bundle.card
    step = at_once(frames.shape, _BATCH)
    decisions = [bundle(frames.images[i : i + step]) for i in range(0, len(frames), step)]
    predicted = np.concatenate([batch.predicted for batch in decisions])
    distances = np.concatenate([batch.distances for batch in decisions])
    novelty_p = np.concatenate([batch.novelty_p for batch in decisions])
    embeddings = embed(source.embedder, torch.from_numpy(frames.images))
    reference = source.distances(embeddings)
    low, high = novelty.p_range(embeddings)
    expected = classes_of(reference, card.ok_index, card.threshold)
    scale = scale_of(source, reference)
    doubtful = _is_tie(reference, scale, card.ok_index, card.threshold)
    return Parity(
        part=part,
        images=len(frames),
        agreement=float((predicted == expected).mean()),
        ties=int(((predicted != expected) & doubtful).sum()),
        distance_error=float((np.abs(distances - reference) / scale).max()),
        novelty_errors=int(((novelty_p < low - 1e-5) | (novelty_p > high + 1e-5)).sum()),
        accuracy=float((predicted == frames.labels).mean()),
        reference_accuracy=float((expected == frames.labels).mean()),
    )


def scale_of(source: ExportSource, reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """What an error of a distance is relative to, (N, K): the distance, unless that is small.

    Float32 embeddings differ by about 1e-6 of their size from those in float64, and so do the
    distances, however near the anchor is: a distance of 0.001 cannot be exact to 1e-4 of itself.
    Below a tenth of the largest distance, that tenth counts. The distances of a head, 1 - p, have
    the absolute error of p.
    """
    return np.maximum(reference, 1.0 if source.variant.anchor == HEAD else _NEAR * reference.max())


def _is_tie(
    distances: NDArray[np.float64],
    scale: NDArray[np.float64],
    ok: int | None,
    threshold: float | None,
) -> NDArray[np.bool_]:
    """Whether less than the tolerance decides a part's class, (N,)."""
    nearest = np.partition(distances, 1, axis=1)
    gap = nearest[:, 1] - nearest[:, 0]
    if ok is not None and threshold is not None:
        others = np.delete(distances, ok, axis=1).min(1)
        gap = np.minimum(gap, np.abs(others - distances[:, ok] - threshold))
    tie: NDArray[np.bool_] = gap <= 2 * DISTANCE_TOLERANCE * scale.min(1)
    return tie


def judge(precision: str, parities: list[Parity], allow_drop: bool) -> None:
    """Raises BundleError where fp32 differs at all, or int8 loses more than `LARGEST_DROP`."""
    for parity in parities:
        n_other = round((1 - parity.agreement) * parity.images)
        if precision == "fp32" and (
            n_other > parity.ties or not parity.distance_error <= DISTANCE_TOLERANCE  # NaN too
        ):
            raise BundleError(
                f"the exported graph differs from its network on {n_other} of {parity.images} "
                f"{parity.part} images, distances by up to {parity.distance_error:.1e} "
                f"({DISTANCE_TOLERANCE:.0e} allowed); not written"
            )
        if precision == "fp32" and parity.novelty_errors:
            raise BundleError(
                f"the exported graph gives {parity.novelty_errors} of {parity.images} "
                f"{parity.part} images another novelty p-value than its network; not written"
            )
        if precision == "int8" and parity.drop > LARGEST_DROP and not allow_drop:
            raise BundleError(
                f"int8 takes {100 * parity.drop:.1f} points of accuracy on {parity.images} "
                f"{parity.part} images ({100 * LARGEST_DROP:g} allowed); not written; "
                "--allow-drop writes it all the same"
            )
