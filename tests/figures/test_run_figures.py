"""The figures of a run: nothing cut off, nothing over another, whatever the classes are called."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gaikan.data.frames import Frames
from gaikan.figures.run_figures import (
    accuracy_bars,
    confusion_heatmap,
    embedding_scatter,
    sample_grid,
)
from gaikan.figures.style import DPI, labels, pixels, save

HOSTILE = (
    "ok",
    "_hidden",
    "$5 and $6",
    "<b>&amp;",
    "欠け不良",
    "two\nlines",
    "x" * 60,
    "x" * 61,
    "a name with spaces that goes on and on for about sixty characters",
)
FORTY = (*HOSTILE, *(f"failure mode number {i} of the left housing" for i in range(31)))


def _frames(
    images: NDArray[Any], labels: list[int], classes: tuple[str, ...], groups: str = ""
) -> Frames:
    return Frames(
        source="parts",
        images=images,
        labels=np.array(labels, dtype=np.int64),
        classes=classes,
        keys=classes,
        rows=np.arange(len(labels)),
        groups=np.array(list(groups)) if groups else None,
    )


def _noise(n: int, channels: int = 1, side: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, channels, side, side), dtype=np.uint8)


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]


def _shades(figure: Figure) -> set[int]:
    """Shades of the images in a sample grid, without those of paper and hairline."""
    return set(np.unique(_mosaic(figure)).tolist()) - {255, 190}


def _mosaic(figure: Figure) -> NDArray[Any]:
    shown = figure.axes[0].images[0].get_array()
    assert shown is not None
    return np.asarray(shown)


def _flat(shades: list[int]) -> NDArray[np.uint8]:
    return np.array(shades, dtype=np.uint8)[:, None, None, None].repeat(8, 2).repeat(8, 3)


def _scatter(classes: tuple[str, ...], known: int | None = None) -> Figure:
    """Ten points around a centre for each class, on a ring; the first `known` have an anchor."""
    turn = np.linspace(0, 2 * np.pi, len(classes), endpoint=False)
    centres = 10 * np.column_stack([np.cos(turn), np.sin(turn)])
    points = centres.repeat(10, axis=0) + np.random.default_rng(0).normal(size=(10 * len(turn), 2))
    names = np.array(classes).repeat(10)
    shares = np.array([0.434, 0.2])
    return embedding_scatter(points, names, centres[:known], classes[:known], shares, "cnn-triplet")


def _legend(figure: Figure) -> list[str]:
    (legend,) = figure.findobj(Legend)
    assert isinstance(legend, Legend)
    return [text.get_text() for text in legend.get_texts()]


def _table(accuracy: list[float], variants: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Intervals of two points to each side; the first row is tied, the last one is a head."""
    mean = np.array(accuracy)
    kinds = ["anchor"] * (len(mean) - 1) + ["head"]
    tied = np.arange(len(mean)) == 0
    names = variants or [f"variant-{i}" for i in range(len(mean))]
    columns = {"variant": names, "accuracy": mean, "low": mean - 0.02, "high": mean + 0.02}
    return pd.DataFrame({**columns, "tied": tied, "kind": kinds})


def _matrix(
    counts: ArrayLike, actual: tuple[str, ...], predicted: tuple[str, ...] = ()
) -> pd.DataFrame:
    return pd.DataFrame(np.asarray(counts), index=list(actual), columns=list(predicted or actual))


def _numbers(figure: Figure) -> dict[tuple[float, float], Text]:
    """The numbers in the cells of a confusion matrix by (row, column)."""
    return {text.get_position()[::-1]: text for text in figure.axes[0].texts}


FIGURES: dict[str, Callable[[], Figure]] = {
    "grid": lambda: sample_grid(_frames(_noise(40), list(range(40)), FORTY)),
    "grid of one": lambda: sample_grid(_frames(_noise(1), [0], ("ok",))),
    "scatter": lambda: _scatter(HOSTILE),
    "scatter of many": lambda: _scatter(FORTY),
    "scatter of one": lambda: _scatter(("ok",)),
    "accuracy": lambda: accuracy_bars(_table(np.linspace(0.1, 0.9, 40).tolist(), FORTY)),
    "accuracy of one": lambda: accuracy_bars(_table([0.5])),
    "confusion": lambda: confusion_heatmap(_matrix(np.eye(9, dtype=int), HOSTILE), "$" * 99),
    "confusion of many": lambda: confusion_heatmap(_matrix(np.eye(40, dtype=int), FORTY), "t"),
    "confusion of one": lambda: confusion_heatmap(_matrix([[3]], ("ok",)), "t"),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())
def test_nothing_is_cut_off_whatever_the_classes_are_called(figure: Callable[[], Figure]) -> None:
    drawn = figure()
    pixels(drawn)
    across, up = drawn.get_size_inches()
    left, bottom, right, top = drawn.get_tightbbox().extents
    assert left >= -0.01
    assert bottom >= -0.01
    assert right <= across + 0.01
    assert top <= up + 0.01


def test_the_settings_of_matplotlib_stay_as_they_were() -> None:
    before = dict(mpl.rcParams)
    pixels(_scatter(HOSTILE))
    assert dict(mpl.rcParams) == before


def test_each_class_has_a_row_with_its_name_and_count() -> None:
    texts = _texts(sample_grid(_frames(_noise(5), [0, 1, 1, 1, 1], ("ok", "no_go"))))
    start = texts.index("ok")
    assert texts[start : start + 4] == ["ok", "n = 1", "no_go", "n = 4"]


def test_a_class_without_images_keeps_its_row() -> None:
    assert "n = 0" in _texts(sample_grid(_frames(_noise(2), [0, 0], ("ok", "ng"))))


def test_small_images_are_enlarged_by_a_whole_number_and_drawn_pixel_for_pixel() -> None:
    image = _noise(1, channels=3, side=40)
    figure = sample_grid(_frames(image, [0], ("ok",)))
    enlarged = image[0].transpose(1, 2, 0).repeat(3, axis=0).repeat(3, axis=1)
    mosaic = _mosaic(figure)
    np.testing.assert_array_equal(mosaic[5:125, 5:125], enlarged)
    left = round(figure.axes[0].get_window_extent().x0)
    np.testing.assert_array_equal(pixels(figure)[: len(mosaic), left:], mosaic)


def test_large_images_are_averaged_down() -> None:
    checks = np.indices((512, 512)).sum(axis=0)[None, None] % 2 * 200
    assert _shades(sample_grid(_frames(checks.astype(np.uint8), [0], ("ok",)))) == {100}


def test_images_are_picked_evenly_over_a_class() -> None:
    frames = _frames(_flat(list(range(101))), [0] * 101, ("ok",))
    assert _shades(sample_grid(frames, per_class=5)) == {0, 25, 50, 75, 100}


def test_every_group_of_a_class_is_shown() -> None:
    frames = _frames(_flat(list(range(22))), [0] * 22, ("ok",), groups="a" * 20 + "bc")
    assert _shades(sample_grid(frames, per_class=4)) == {0, 19, 20, 21}


def test_more_groups_than_places_give_one_image_each() -> None:
    frames = _frames(_flat(list(range(26))), [0] * 26, ("ok",), groups="abcdefghijklm" * 2)
    assert {shade % 13 for shade in _shades(sample_grid(frames, per_class=4))} == {0, 4, 8, 12}


def test_float_images_share_one_scale_that_an_outlier_does_not_stretch() -> None:
    images = np.linspace(-3, 5, 32 * 32, dtype=np.float32).reshape(1, 1, 32, 32)
    images[0, 0, 5, 5] = 1e9
    figure = sample_grid(_frames(images, [0], ("ok",)))
    assert len(_shades(figure)) > 200
    assert any("black -2.92, white 4.93" in text for text in _texts(figure))


def test_a_constant_float_image_is_drawn() -> None:
    images = np.full((1, 1, 8, 8), 7, dtype=np.float32)
    assert _shades(sample_grid(_frames(images, [0], ("ok",)))) == {0}


def test_a_scatter_names_each_axis_with_its_share_of_the_variance() -> None:
    axes = _scatter(HOSTILE).axes[0]
    assert axes.get_xlabel() == "PC 1 (43 % of variance)"
    assert axes.get_ylabel() == "PC 2 (20 % of variance)"


def test_both_axes_of_a_scatter_have_one_scale() -> None:
    figure = _scatter(("ok", "ng"))
    pixels(figure)
    to_pixels = figure.axes[0].transData.get_matrix()
    assert to_pixels[0, 0] == pytest.approx(to_pixels[1, 1], rel=1e-3)


def test_each_anchor_has_the_name_of_its_class_beside_it() -> None:
    notes = [text for text in _scatter(("ok", "ng")).axes[0].texts if isinstance(text, Annotation)]
    assert {note.get_text(): np.round(note.xy).tolist() for note in notes} == {
        "ok": [10, 0],
        "ng": [-10, 0],
    }


def test_names_of_anchors_at_one_place_do_not_cover_each_other() -> None:
    origin, names = np.zeros((12, 2)), tuple("abcdefghijkl")
    figure = embedding_scatter(origin, np.array(names), origin, names, np.zeros(2), "collapsed")
    pixels(figure)
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])


def test_more_anchors_than_have_room_carry_their_number_in_the_legend() -> None:
    figure = _scatter(FORTY)
    assert [text.get_text() for text in figure.axes[0].texts] == [str(i) for i in range(1, 41)]
    assert _legend(figure)[1] == " 2: _hidden (10)"


def test_each_of_forty_classes_has_its_own_colour_and_marker() -> None:
    clouds = [c for c in _scatter(FORTY).axes[0].collections if isinstance(c, PathCollection)]
    anchors = [cloud for cloud in clouds if len(np.asarray(cloud.get_offsets())) == 1]
    colours = [to_rgb(np.asarray(anchor.get_facecolor())[0]) for anchor in anchors]
    shapes = [np.asarray(anchor.get_paths()[0].vertices).tobytes() for anchor in anchors]
    assert len(set(zip(colours, shapes, strict=True))) == 40


def test_a_class_without_an_anchor_is_in_the_legend() -> None:
    entries = _legend(_scatter(("ok", "ng", "_new"), known=2))
    assert entries == [" ok (10)", " ng (10)", " _new (10)", " anchor of a class"]


def test_variants_are_listed_best_first_with_their_figures() -> None:
    axes = accuracy_bars(_table([0.5, 0.9])).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["variant-1", "variant-0"]
    assert [text.get_text() for text in axes.texts] == [
        "90.0   88.0 to 92.0",
        "50.0   48.0 to 52.0",
    ]
    assert axes.yaxis_inverted()


def test_the_error_bars_span_the_intervals() -> None:
    (bars,) = accuracy_bars(_table([0.9, 0.5])).axes[0].findobj(LineCollection)
    assert isinstance(bars, LineCollection)
    ends = [np.asarray(segment)[:, 0].tolist() for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [[0.88, 0.92], [0.48, 0.52]])


def test_tied_rows_are_filled_and_heads_are_diamonds_as_the_legend_says() -> None:
    figure = accuracy_bars(_table([0.9, 0.5, 0.4]))
    marks = {line.get_label(): line for line in figure.axes[0].lines}
    legend = _legend(figure)
    tied, behind, head = (marks[label] for label in legend)
    assert [list(np.asarray(mark.get_ydata())) for mark in (tied, behind, head)] == [[0], [1], [2]]
    assert [mark.get_marker() for mark in (tied, behind, head)] == ["o", "o", "D"]
    assert tied.get_markerfacecolor() != behind.get_markerfacecolor() == "white"
    assert legend[0] == "may be the best"
    assert legend[2].startswith("softmax head")


def test_a_row_without_an_interval_shows_its_accuracy_alone() -> None:
    table = _table([1.0, 1.0]).assign(low=np.nan, high=np.nan)
    axes = accuracy_bars(table).axes[0]
    assert [text.get_text() for text in axes.texts] == ["100.0", "100.0"]
    assert axes.get_xlim()[1] < 1.01


def test_cells_hold_their_count_and_zeros_are_blank() -> None:
    numbers = _numbers(confusion_heatmap(_matrix([[5, 0], [2, 3]], ("ok", "ng")), "t"))
    assert {place: text.get_text() for place, text in numbers.items()} == {
        (0, 0): "5",
        (1, 0): "2",
        (1, 1): "3",
    }


def test_cells_are_coloured_by_their_share_of_the_row() -> None:
    figure = confusion_heatmap(_matrix([[30, 10], [0, 0]], ("ok", "ng")), "t")
    assert _mosaic(figure).tolist() == [[0.75, 0.25], [0, 0]]


def test_numbers_are_white_on_dark_cells_and_black_on_light_ones() -> None:
    numbers = _numbers(confusion_heatmap(_matrix([[9, 1], [0, 1]], ("ok", "ng")), "t"))
    assert numbers[0, 0].get_color() == "white"
    assert numbers[0, 1].get_color() == "black"


def test_axes_of_a_confusion_matrix_say_what_is_what() -> None:
    figure = confusion_heatmap(_matrix([[5, 1], [0, 7]], ("ok", "$ng$")), "cnn $1$")
    axes, bar = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ok (6)", r"\$ng\$ (7)"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ok", r"\$ng\$"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual (n)")
    assert bar.get_ylabel() == "share of the actual class"
    assert r"cnn \$1\$" in _texts(figure)


def test_right_answers_are_framed_where_a_class_has_no_column() -> None:
    matrix = _matrix([[1, 1], [1, 1], [1, 1]], ("new", "ok", "ng"), ("ok", "ng"))
    patches = confusion_heatmap(matrix, "t").axes[0].patches
    assert [p.get_xy() for p in patches if isinstance(p, Rectangle)] == [(-0.5, 0.5), (0.5, 1.5)]


@pytest.mark.parametrize(("n", "numbers"), [(25, 25), (26, 0)])
def test_more_than_25_classes_leave_the_numbers_out(n: int, numbers: int) -> None:
    matrix = _matrix(np.eye(n, dtype=int), FORTY[:n])
    assert len(_numbers(confusion_heatmap(matrix, "t"))) == numbers


def test_labels_stay_apart_after_shortening() -> None:
    shown = labels(FORTY)
    assert len(set(shown.values())) == len(FORTY)
    assert max(map(len, shown.values())) <= 32


@pytest.mark.parametrize(
    ("name", "label"),
    [("a$b$", r"a\$b\$"), ("two\nlines", r"two\nlines"), ("\U000fffff", r"\U000fffff"), ("é", "é")],
)
def test_a_label_is_one_line_of_characters_that_a_font_has(name: str, label: str) -> None:
    assert labels([name])[name] == label


def test_a_wide_script_counts_double_when_a_label_is_shortened() -> None:
    assert len(labels(["検" * 60], columns=21)["検" * 60]) <= 21


def test_a_figure_is_saved_byte_for_byte_the_same(tmp_path: Path) -> None:
    save(_scatter(("ok", "ng")), tmp_path / "a.png")
    save(_scatter(("ok", "ng")), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_a_saved_figure_holds_nothing_but_pixels_and_their_size(tmp_path: Path) -> None:
    save(_scatter(("ok", "ng")), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        assert image.info.keys() == {"dpi"}
        assert image.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(self: Image.Image, fp: BinaryIO, **_: object) -> None:
        fp.write(b"half")
        raise OSError("no space left")

    (tmp_path / "a.png").write_bytes(b"old")
    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        save(_scatter(("ok", "ng")), tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_colour_images_keep_all_their_colours_when_saved(tmp_path: Path) -> None:
    figure = sample_grid(_frames(_noise(1, channels=3, side=64), [0], ("ok",)))
    save(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), pixels(figure))


@pytest.mark.parametrize("name", ["scatter", "confusion"])
def test_a_figure_is_a_small_file(name: str, tmp_path: Path) -> None:
    save(FIGURES[name](), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 150_000
