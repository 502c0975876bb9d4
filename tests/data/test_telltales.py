"""Classes told by their files or their exposure instead of the part."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from saying import in_english

from gaikan.data.sources import read_source
from gaikan.data.telltales import told_by_exposure, told_by_file

pytestmark = pytest.mark.timeout(120)

SIDE = 24


def parts(kind: int, n: int = 12) -> NDArray[np.uint8]:
    """Plain, scratched or dented, as on one line: (n, SIDE, SIDE)."""
    rng = np.random.default_rng(kind)
    images = rng.normal(110, 6, (n, SIDE, SIDE))
    for image in images:
        y, x = rng.integers(4, SIDE - 6, 2)
        if kind == 1:
            image[y : y + 2, 2:-2] += 90
        if kind == 2:
            image[y : y + 4, x : x + 4] -= 90
    return images.clip(0, 255).astype(np.uint8)


def notes(path: Path, save: object, n: int = 12) -> tuple[str, ...]:
    for kind, name in enumerate(("ok", "scratch", "dent")):
        (path / name).mkdir()
        for i, image in enumerate(parts(kind, n)):
            save(Image.fromarray(image), path / name / f"{i}", kind, i)  # type: ignore[operator]
    return in_english(read_source(str(path)).notes)


LEARN = "the network may learn the file, not the part"


def test_a_class_of_another_kind_of_file_is_named(tmp_path: Path) -> None:
    def save(image: Image.Image, path: Path, kind: int, i: int) -> None:
        image.save(f"{path}.{'jpg' if kind else 'png'}")

    assert notes(tmp_path, save) == (
        f"class 'ok': all 12 images are PNG, none of the 24 others: {LEARN}",
    )


def test_a_class_of_another_size_is_named_also_where_one_image_is_not(tmp_path: Path) -> None:
    def save(image: Image.Image, path: Path, kind: int, i: int) -> None:
        image = image.resize((30, 20)) if kind == 2 and i else image
        image.save(f"{path}.png")

    assert notes(tmp_path, save, 40)[1:] == (
        f"class 'dent': 39 of 40 images are 20 x 30, none of the 80 others: {LEARN}",
    )


def test_a_class_in_colour_or_with_transparency_is_named(tmp_path: Path) -> None:
    def save(image: Image.Image, path: Path, kind: int, i: int) -> None:
        if kind == 1:
            image = image.convert("RGBA")
            image.putalpha(200)
        image.save(f"{path}.png")

    told = notes(tmp_path, save)
    assert f"class 'scratch': all 12 images are in colour, none of the 24 others: {LEARN}" in told
    assert f"class 'scratch': all 12 images are transparent, none of the 24 others: {LEARN}" in told


@pytest.mark.parametrize("every", [2, 3])
def test_kinds_of_files_that_all_classes_have_are_not_remarked_on(
    tmp_path: Path, every: int
) -> None:
    def save(image: Image.Image, path: Path, kind: int, i: int) -> None:
        image.save(f"{path}.{'jpg' if i % every else 'png'}")

    assert not notes(tmp_path, save)


def test_two_classes_may_be_told_from_the_others_together() -> None:
    labels = np.repeat(["a", "b", "c", "d", "e"], 6)
    kinds = ["PNG" if label in "bd" else "BMP" for label in labels]
    (note,) = told_by_file({"kind": kinds}, labels)
    assert note.en == f"classes 'b', 'd': all 12 images are PNG, none of the 18 others: {LEARN}"
    kinds[0] = kinds[6] = "TIFF"
    assert not told_by_file({"kind": kinds}, labels)  # a sixth of `a` and `b` is neither
    assert not told_by_file({"kind": ["PNG"] * 3 + ["BMP"]}, np.array(["a", "a", "a", "b"]))


@pytest.mark.parametrize(("gain", "word"), [(1.4, "brighter"), (0.7, "darker")])
def test_a_class_of_another_exposure_is_named(gain: float, word: str) -> None:
    images = np.concatenate([parts(kind) for kind in range(3)])[:, None]
    labels = np.repeat(np.arange(3), 12)
    assert not told_by_exposure(images, labels, ("ok", "scratch", "dent"))
    lit = np.where((labels == 1)[:, None, None, None], (images * gain).clip(0, 255), images)
    for some in (lit.astype(np.uint8), lit.astype(np.float32) * 100 - 5000):
        (note,) = told_by_exposure(some, labels, ("ok", "scratch", "dent"))
        assert note.en.startswith(
            f"class 'scratch': its images are {word} throughout than all others"
        )
    some_lit = np.where((np.arange(36) % 2 == 0)[:, None, None, None], lit, images)
    assert not told_by_exposure(some_lit, labels, ("ok", "scratch", "dent"))
