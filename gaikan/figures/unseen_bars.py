"""The figure of defects that training has not seen: how many escape, and how many are asked."""

import pandas as pd
from matplotlib.figure import Figure

from gaikan.figures import style
from gaikan.figures.colours import INK, PALETTE
from gaikan.language.words import Language, say


@style.styled
def unseen_bars(summary: pd.DataFrame, language: Language = "en") -> Figure:
    """A bar a variant in the order of `summary`: escaped (dark) and asked (light), in %.

    Their sum is what escapes where nobody is asked; a diamond marks the mode that escapes most.
    Columns: `variant`, `escaped`, `asked`, `worst`, shares in 0..1.
    """
    names = style.labels(summary["variant"], columns=44)
    variants = [names[name] for name in summary["variant"]]
    width = style.text_inches(variants, 9)[:, 0].max() + 5
    figure = style.sheet(width, 1.1 + 0.26 * len(summary))
    axes = style.flowing(figure, below_title=0)
    rows, escaped = range(len(summary)), 100 * summary["escaped"]
    axes.barh(rows, escaped, 0.6, color=PALETTE[1], label=say("unseen_nobody").said(language))
    asked = say("unseen_asked").said(language)
    axes.barh(rows, 100 * summary["asked"], 0.6, escaped, color="#f3c9a8", label=asked)
    most = say("unseen_worst").said(language)
    (worst,) = axes.plot(100 * summary["worst"], rows, "D", label=most)
    worst.set(markersize=5, markeredgecolor=INK, markerfacecolor="white")
    axes.set_yticks(rows, variants)
    axes.set_ylim(len(summary) - 0.5, -0.5)
    axes.set_xlim(0, None)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel(say("unseen_across").said(language))
    figure.legend(loc="outside lower center", ncols=2)
    return figure
