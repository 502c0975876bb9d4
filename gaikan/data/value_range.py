"""On what scale the pixels of a source are, and whether two sources are on the same one."""

from dataclasses import dataclass

import numpy as np

from gaikan.data.frames import Frames, Images
from gaikan.errors import DataError
from gaikan.language.words import Words, say

# Between 4, by which 10 bits differ from 8, and 16, by which 12 bits differ from 8 and 16 from 12.
FAR = 8.0
_MILD = 2.0  # a factor that a change of exposure makes
_MANY, _FEWEST = 0.5, 4  # test images darker than all training images, a share and a number
_SAMPLE = 2000  # images, evenly spaced, that stand for all
_INNER = 0.01  # share of images whose extremes do not count: one hot pixel is no scale


@dataclass(frozen=True)
class ValueRange:
    """Smallest and largest pixel of a source, but for a few images."""

    low: float
    high: float

    @classmethod
    def of(cls, images: Images) -> "ValueRange":
        """Of images (N, C, H, W)."""
        some = images[:: max(1, len(images) // _SAMPLE)]
        low = np.quantile(some.min((1, 2, 3)).astype(np.float64), _INNER)
        high = np.quantile(some.max((1, 2, 3)).astype(np.float64), 1 - _INNER)
        return cls(float(low), float(high))

    @property
    def largest(self) -> float:
        """The largest distance from 0."""
        return max(abs(self.low), abs(self.high))

    def times(self, other: "ValueRange") -> float:
        """By which factor one is larger than the other: from 0, or from its lowest; 1 or more."""
        pairs = ((self.largest, other.largest), (self.high - self.low, other.high - other.low))
        return max(_ratio(*pair) for pair in pairs)

    def refuse_far(self, images: Images, where: str) -> None:
        """Raises DataError where images (N, C, H, W) are on another scale than this, training's.

        Only the distance from 0 counts, as a single part may have hardly any contrast.
        """
        given = ValueRange(float(images.min()), float(images.max()))
        if _ratio(given.largest, self.largest) >= FAR:
            raise DataError(
                f"{where}: values {given}, but the model was trained on {self}; bring them to "
                "that scale"
            )

    @property
    def words(self) -> Words:
        """Both ends."""
        return say("from_to", low=f"{self.low:.6g}", to=f"{self.high:.6g}")

    def __str__(self) -> str:
        return self.words.en


def _ratio(one: float, other: float) -> float:
    small, large = sorted((one, other))
    if large == 0:
        return 1.0
    return large / small if small else np.inf


def compare_values(train: Frames, test: Frames) -> list[Words]:
    """What is to be said where the values of `test` are not quite those of `train`.

    Raises DataError where they are on another scale: no figure of that test part would be of the
    parts. A few 8-bit files that are dark are not: such is their exposure.
    """
    ranges = ValueRange.of(train.images), ValueRange.of(test.images)
    ours, theirs = (
        span.words if depth is None else say("values_of_files", range=span.words, depth=depth)
        for depth, span in zip((train.depth, test.depth), ranges, strict=True)
    )
    depths = {frames.depth for frames in (train, test) if frames.depth is not None}
    times = ranges[0].times(ranges[1])
    if len(depths) > 1 or (times >= FAR and (train.depth, test.depth) != ("8-bit", "8-bit")):
        raise DataError(
            f"{test.source}: values {theirs.en}, but those of {train.source} are {ours.en}; bring "
            "both to one bit depth and scale, as the line will have"
        )
    sources = {"source": test.source, "train": train.source}
    if times >= _MILD:
        return [say("values_exposure", ours=ours, theirs=theirs, **sources)]
    if train.images.dtype != test.images.dtype:
        return [say("values_fractions", ours=ours, theirs=theirs, **sources)]
    return _other_brightness(train, test)


def _other_brightness(train: Frames, test: Frames) -> list[Words]:
    """A note where many test images are darker, or brighter, than any training image."""
    known, given = (
        frames.images[:: max(1, len(frames) // _SAMPLE)].mean((1, 2, 3), np.float64)
        for frames in (train, test)
    )
    notes = []
    for word, outside in (("darker", given < known.min()), ("brighter", given > known.max())):
        if outside.mean() > _MANY and outside.sum() >= _FEWEST:
            told = {"source": test.source, "train": train.source}
            notes.append(say(f"images_{word}", share=f"{100 * outside.mean():.0f}", **told))
    return notes
