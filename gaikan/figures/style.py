"""The look that all figures share: sizes, colours, names as labels, and how a figure is saved."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image
from rich.cells import cell_len

from gaikan.figures.colours import INK, QUIET, RULE
from gaikan.language.words import Language
from gaikan.system.files import replacing

Floats = NDArray[np.float64]

DPI = 144
# 7 colours and 10 markers: 70 classes look different.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", ">")

JAPANESE_FONTS = (
    *("Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAGothic"),
    *("TakaoGothic", "VL Gothic", "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic"),
    "WenQuanYi Zen Hei",
)


@cache
def families() -> list[str]:
    """Font families to draw with: matplotlib's own, then the installed ones with Japanese."""
    found = _japanese()
    if not found:
        _add_new_fonts()
        found = _japanese()
    return ["DejaVu Sans", *found]


def _japanese() -> list[str]:
    """Those families with Japanese that matplotlib knows of."""
    known = set(font_manager.get_font_names())
    return [family for family in JAPANESE_FONTS if family in known]


def _add_new_fonts() -> None:
    """Tells matplotlib of fonts that were installed after it wrote its list of them."""
    fonts = font_manager.fontManager
    for path in {*font_manager.findSystemFonts()} - {entry.fname for entry in fonts.ttflist}:
        with suppress(Exception):  # whatever a damaged file makes of the reader
            fonts.addfont(path)


# Decorates every function that builds or draws a figure; matplotlib's global settings stay.
styled = rc_context(
    {
        "font.family": families(),
        "font.size": 9,
        "axes.labelcolor": INK,
        "axes.edgecolor": "#999999",
        "axes.linewidth": 0.7,
        "axes.axisbelow": True,
        "text.color": INK,
        "xtick.color": "#999999",
        "ytick.color": "#999999",
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "legend.fontsize": 8,
        "legend.frameon": False,
    }
)


def drawn_language(language: Language) -> Language:
    """The language that pictures can have: English where no installed font has other letters."""
    return language if len(families()) > 1 else "en"


@cache
def _written(character: str) -> str:
    fonts = [font_manager.get_font(font_manager.findfont(family)) for family in families()]
    if character.isprintable() and any(font.get_char_index(ord(character)) for font in fonts):
        return character
    return character.encode("unicode_escape").decode()


def _shorten(text: str, columns: int) -> str:
    """The text, its middle left out where it is wider than `columns` characters."""
    if cell_len(text) <= columns:
        return text
    tail = len(text)
    while cell_len(text[tail - 1 :]) <= (columns - 1) // 2:
        tail -= 1
    head = 0
    while cell_len(text[: head + 1]) + 1 + cell_len(text[tail:]) <= columns:
        head += 1
    return f"{text[:head]}…{text[tail:]}"


def labels(names: Iterable[str], columns: int = 28) -> dict[str, str]:
    r"""The text for each name in a figure: one line, at most about `columns` characters wide.

    A character that no installed font has is written as its code point (`\u6b20`) instead of as an
    empty box, which would make names alike. Names that shorten to the same text get a number. `$`
    is escaped, for it would start a formula.
    """
    drawn = {name: "".join(_written(character) for character in name) for name in names}
    short = {name: _shorten(text, columns) for name, text in drawn.items()}
    repeats = Counter(short.values())
    for number, (name, text) in enumerate(short.items(), start=1):
        unique = text if repeats[text] == 1 else f"{text} #{number}"
        short[name] = unique.replace("$", r"\$")
    return short


@styled
def text_inches(texts: Iterable[str], points: float) -> Floats:
    """Width and height of each text at a font size, (N, 2) inches."""
    figure = Figure(dpi=DPI)
    FigureCanvasAgg(figure)
    drawn = [figure.text(0, 0, text, size=points) for text in texts]
    return np.array([text.get_window_extent().size for text in drawn]) / DPI


@styled
def sheet(width: float, height: float, title: str = "") -> Figure:
    """An empty figure of `width` x `height` inches, wider where its title needs it."""
    heading = labels([title], columns=90)[title]
    width = max(width, text_inches([heading], 10)[0, 0] + 0.2)
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.text(0.1 / width, 1 - 0.1 / height, heading, va="top", size=10)
    return figure


def flowing(figure: Figure, below_title: float) -> Axes:
    """Axes that fill the figure but for their labels and legend, from `below_title` inches down."""
    room = 1 - below_title / figure.get_figheight()
    figure.set_layout_engine("constrained", rect=(0, 0, 1, room))
    return figure.add_subplot()


def fixed(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes whose place and size are given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def name_beside(axes: Axes, marks: Floats, texts: list[str], others: Floats | None = None) -> None:
    """Writes its text beside each of the marks (K, 2), clear of the other marks where possible.

    `others` (M, 2) are marks without a text. The axes' limits and place must not change any more.
    """
    positions = axes.transData.transform(marks)
    page = axes.get_window_extent().extents
    marked = positions if others is None else axes.transData.transform(np.vstack([marks, others]))
    taken = np.hstack([marked - 12, marked + 12])
    sizes = text_inches(texts, 8) * DPI
    for mark, position, text, size in zip(marks, positions, texts, sizes, strict=True):
        candidates = position + _around(size)
        outside = np.maximum(page[:2] - candidates, 0) + np.maximum(candidates + size - page[2:], 0)
        boxes = np.hstack([candidates, candidates + size])
        best = int((outside.sum(axis=1) * 100 + _overlap(boxes, taken)).argmin())
        taken = np.vstack([taken, boxes[best]])
        offset = (candidates[best] - position) * 72 / DPI
        line = {"arrowstyle": "-", "color": QUIET, "linewidth": 0.7} if best > 7 else None
        note = axes.annotate(text, mark, offset, textcoords="offset points", arrowprops=line)
        halo = withStroke(linewidth=2.5, foreground="white")
        note.set(size=8, path_effects=[halo], zorder=4, in_layout=False)


def _around(size: Floats) -> Floats:
    """Lower left corners (M, 2) in pixels for a box of `size` around the origin, nearest first."""
    ways = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)])
    reaches = np.array([18, 30, 46, 66, 92, 122])
    centres = ways * (reaches[:, np.newaxis, np.newaxis] + size / 2)
    return centres.reshape(-1, 2) - size / 2


def _overlap(boxes: Floats, taken: Floats) -> Floats:
    """The area that each of the boxes (M, 4) shares with those taken (T, 4), (M,)."""
    low = np.maximum(boxes[:, np.newaxis, :2], taken[:, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], taken[:, 2:])
    shared: Floats = (high - low).clip(min=0).prod(axis=2).sum(axis=1)
    return shared


def readable_on(colour: Floats) -> str:
    """Black or white: what reads better on red, green, blue (3,) in 0..1.

    By relative luminance, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance. Its two contrasts
    are equal at 0.18; on a saturated blue white still reads better a little above that.
    """
    channels = np.asarray(colour)
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.22 else "white"


@styled
def pixels(figure: Figure) -> NDArray[np.uint8]:
    """The figure drawn on white, (H, W, 3)."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _is_photograph(image: AxesImage) -> bool:
    shown = image.get_array()
    return shown is not None and shown.ndim == 3


def save(figure: Figure, path: Path) -> None:
    """Writes the figure as a PNG that is the same, byte for byte, for the same figure.

    It holds nothing but pixels and their size. To keep files small, a figure without colours is
    written in shades of grey, and one without photographs in 256 colours, which alters at most the
    rims of its letters and marks.
    """
    drawn = pixels(figure)
    image = Image.fromarray(drawn)
    if (drawn == drawn[..., :1]).all():
        image = image.convert("L")
    elif not any(_is_photograph(shown) for axes in figure.axes for shown in axes.images):
        image = image.quantize()
    with replacing(path) as file:
        image.save(file, format="PNG", dpi=(DPI, DPI))
