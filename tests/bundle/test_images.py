"""The images that a bundle reads: those of training, or one line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from runner import gaikan
from small_bundle import bundle, images
from small_parts import write_files, write_table

from gaikan.bundle.image_batch import CONVERTED
from gaikan.bundle.images import count, read_batches


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    some = images(12)
    expected = [str(path) for path in sorted(write_files(tmp_path, some))]
    for name in ("b", "a"):
        write_files(tmp_path / name / "c", some[:3])
    expected += [str(tmp_path / f"{name}/c/{i:03}.png") for name in "ab" for i in range(3)]
    read = list(read_batches([tmp_path], bundle().card, 4))
    assert [name for each in read for name in each.names] == expected


@pytest.mark.parametrize("size", [1, 7, 64])
def test_files_folders_and_tables_give_the_same_images(size: int, tmp_path: Path) -> None:
    some, made = images(20), bundle()
    files = write_files(tmp_path / "lot/inner", some)
    (tmp_path / "lot/notes.txt").touch()
    table = write_table(tmp_path / "parts.parquet", some.astype(np.int64))
    for paths in (files, [tmp_path / "lot"], [table], [*files[:5], table]):
        read = list(read_batches(paths, made.card, size))
        names = [name for each in read for name in each.names]
        pixels = np.concatenate([each.images for each in read])
        assert pixels.dtype == np.uint8
        assert len(names) == count(paths)
        for name, image in zip(names, pixels, strict=True):
            number = int(name.split(":")[-1] if ".parquet:" in name else Path(name).stem)
            np.testing.assert_array_equal(image, some[number])


def test_a_resized_image_is_that_of_training_and_is_counted(tmp_path: Path) -> None:
    from gaikan.data.sources import read_source

    for name, side in (("a", 16), ("b", 8)):
        write_files(tmp_path / "parts" / name, images(3, side, (1, side, side)))
    expected = read_source(str(tmp_path / "parts"), "train", (8, 8)).images
    read = [
        each
        for name in ("a", "b")
        for each in read_batches(sorted((tmp_path / "parts" / name).iterdir()), bundle().card, 64)
    ]
    np.testing.assert_array_equal(np.concatenate([each.images for each in read]), expected)
    resized = [each.changes["resized to what the model takes"] for each in read]
    assert resized == [3, 0]


def test_colour_becomes_grey_or_grey_colour_and_is_counted(tmp_path: Path) -> None:
    colour = Image.fromarray(images(1, 0, (8, 8, 3))[0])
    colour.save(tmp_path / "colour.png")
    colour.convert("L").save(tmp_path / "grey.png")
    paths = [tmp_path / "colour.png", tmp_path / "grey.png"]
    (read,) = read_batches(paths, bundle().card, 64)
    np.testing.assert_array_equal(read.images[0], read.images[1])
    assert read.changes == {CONVERTED: 1}
    (read,) = read_batches(paths, bundle(channels=3).card, 64)
    np.testing.assert_array_equal(read.images[0], np.asarray(colour).transpose(2, 0, 1))
    assert (read.images[1, 0] == read.images[1, 2]).all()
    assert read.changes == {CONVERTED: 1}


def test_float_bundles_read_deep_images_and_float_tables(tmp_path: Path) -> None:
    made = bundle(dtype=torch.float32)
    deep = np.random.default_rng(0).integers(0, 4096, (8, 8)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    deeper = replace(made.card, depth="16-bit", values=(0.0, 4095.0))
    (read,) = read_batches([tmp_path / "deep.png"], deeper, 64)
    np.testing.assert_array_equal(read.images[0, 0], deep.astype(np.float32))
    some = images(3).astype(np.float32) / 7
    (read,) = read_batches([write_table(tmp_path / "t.parquet", some)], made.card, 64)
    np.testing.assert_array_equal(read.images, some)


def broken_input(kind: str, folder: Path) -> Path:
    if kind == "deep":
        Image.fromarray(np.full((8, 8), 999, np.uint16)).save(folder / "deep.png")
        return folder / "deep.png"
    if kind == "damaged":
        (path,) = write_files(folder / "lot", images(1))
        path.write_bytes(path.read_bytes()[:60])
        return path
    if kind == "folder without images":
        (folder / "none").mkdir()
        return folder / "none"
    if kind == "no parquet":
        (folder / "no.parquet").write_bytes(b"no table")
        return folder / "no.parquet"
    values: Any = images(5).astype(np.float64)
    if kind == "fraction":
        values[3, 0, 0, 2] = 0.5
    if kind == "beyond bytes":
        values[4, 0, 1, 0] = 256
    if kind == "not a number":
        values[2, 0, 0, 0] = np.nan
    if kind == "other size":
        values = values[:, :, :6]
    if kind == "no rows":
        values = values[:0].astype(np.uint8)
    return write_table(folder / "parts.parquet", values)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("absent", "no such file or folder"),
        ("deep", "deep.png: 16-bit pixels, but the model was trained on 8-bit ones"),
        ("damaged", "not a readable image"),
        ("folder without images", "no images in this folder"),
        ("no parquet", "not a readable parquet file"),
        ("fraction", "column 'data2', row 3: 0.5 is not a whole number in 0..255"),
        ("beyond bytes", "column 'data8', row 4: 256.0 is not a whole number"),
        ("not a number", "column 'data0', row 2: nan is not a whole number"),
        ("other size", "48 pixel columns, but the model takes images of 1 x 8 x 8"),
        ("no rows", "no images"),
    ],
)
def test_bad_images_are_one_line_and_leave_nothing(
    kind: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    good = write_files(tmp_path / "good", images(2))
    bad = tmp_path / "absent" if kind == "absent" else broken_input(kind, tmp_path)
    out = tmp_path / "out.csv"
    options = ("--strict", "--csv", out, "--batch", "1")
    paths = (bad,) if kind == "no rows" else (*good, bad)
    assert gaikan("predict", tmp_path / "m.gaikan", *paths, *options) == 2
    stderr = capfd.readouterr().err
    assert stderr.count("\n") == 1
    assert words in stderr
    assert not list(tmp_path.glob("*out.csv*"))
