"""Accuracy against the number of images learned from, with what more of them may bring."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter, ScalarFormatter

from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.evaluation.learning_curve import BEYOND, trusted_curve
from gaikan.figures.colours import PALETTE
from gaikan.figures.style import fixed, sheet, styled
from gaikan.language.words import Language, say

_STEPS = 40


@styled
def learning_curve_figure(counts: ErrorCounts, language: Language = "en") -> Figure:
    """A line a variant: dots are means over seeds, the band is 80 % of the curves that fit."""
    figure = sheet(6.4, 4.0, say("learned_title").said(language))
    axes = fixed(figure, 0.8, 0.7, 5.3, 2.7)
    ticks = np.zeros(0)
    for number, (variant, sizes) in enumerate(counts.sizes().items()):
        colour = PALETTE[number % len(PALETTE)]
        shares = 1 - (sizes.wrong / sizes.parts[:, None]).mean(0)
        axes.plot(sizes.images, shares, "o", color=colour, ms=4, label=variant)
        ticks = np.concatenate([sizes.images, sizes.images[-1] * np.array([2, BEYOND])])
        if (curve := trusted_curve(sizes)) is None:
            continue
        images = np.geomspace(sizes.images[0], BEYOND * sizes.images[-1], _STEPS)
        middle, low, high = np.array([curve.accuracy(float(n)) for n in images]).T
        axes.plot(images, middle, color=colour, lw=1)
        axes.fill_between(images, low, high, color=colour, alpha=0.15, lw=0)
    axes.set_xscale("log")
    axes.set_xticks(np.unique(ticks.round()))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel(say("learned_across").said(language))
    axes.grid(axis="y")
    axes.legend(loc="lower right")
    return figure
