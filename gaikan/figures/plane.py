"""Two axes of shares in an SVG drawing, by the square root, so that few errors have room."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaikan.figures.colours import QUIET, RULE
from gaikan.figures.svg import Drawing
from gaikan.language.words import Words

Floats = NDArray[np.float64]

_TICKS = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
_APART = 26  # pixels between ticks, at least


@dataclass(frozen=True)
class Plane:
    """A rectangle of the drawing, in pixels, in which shares from 0 to `most` have their place."""

    left: float
    top: float
    width: float
    height: float
    most: tuple[float, float]  # across, up

    def across(self, share: float) -> float:
        """The pixel of a share on the horizontal axis."""
        return self.left + self.width * float(np.sqrt(min(share, self.most[0]) / self.most[0]))

    def up(self, share: float) -> float:
        """The pixel of a share on the vertical axis."""
        part = float(np.sqrt(min(share, self.most[1]) / self.most[1]))
        return self.top + self.height * (1 - part)

    def axes(self, drawing: Drawing, across: Words, up: Words) -> None:
        """Both axes with their names, ticks in % and a grid."""
        bottom, right = self.top + self.height, self.left + self.width
        for share, x in self._ticks([self.across(share) for share in _TICKS], self.most[0]):
            drawing.path(f"M{x:.1f} {self.top:.1f}V{bottom:.1f}", RULE, 1)
            drawing.text(x, bottom + 13, f"{100 * share:g}", size=11, anchor="middle")
        for share, y in self._ticks([self.up(share) for share in _TICKS], self.most[1]):
            drawing.path(f"M{self.left:.1f} {y:.1f}H{right:.1f}", RULE, 1)
            drawing.text(self.left - 7, y, f"{100 * share:g}", size=11, anchor="end")
        drawing.text(self.left, self.top - 12, up, size=11, fill=QUIET)
        drawing.text(right, bottom + 30, across, size=11, fill=QUIET, anchor="end")

    @staticmethod
    def _ticks(pixels: list[float], most: float) -> list[tuple[float, float]]:
        """(share, pixel) of the ticks that have room; 0 always."""
        kept: list[tuple[float, float]] = []
        for share, pixel in zip(_TICKS, pixels, strict=True):
            if share <= most and (not kept or abs(pixel - kept[-1][1]) >= _APART):
                kept.append((share, pixel))
        return kept

    def line(self, across: Floats, up: Floats) -> str:
        """A path through points (N,), N >= 1, that rise as they go left, cut at the rectangle."""
        low, high = self.most
        inside = (across <= low) & (up <= high)
        points = np.stack([across, up])[:, inside]
        if across[0] > low and across[-1] < low:
            points = np.c_[[low, np.interp(-low, -across, up)], points]
        if up[-1] > high and up[0] < high:
            points = np.c_[points, [np.interp(high, up, across), high]]
        pixels = [(round(self.across(x)), round(self.up(y))) for x, y in points.T if y <= high]
        return "M" + "L".join(f"{x} {y}" for x, y in dict.fromkeys(pixels)) if pixels else ""
