"""Image files decoded: upright, in full depth, or refused by name."""

import os
import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from image_headers import png
from numpy.typing import NDArray
from PIL import Image
from saying import in_english
from small_bundle import bundle, card, images

from gaikan.bundle.images import read_batches
from gaikan.data.image_files import open_image
from gaikan.data.sources import read_source
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(300)

H, W = 20, 32
GREY = np.random.default_rng(0).integers(0, 256, (H, W), np.uint8)
RGB = np.random.default_rng(1).integers(0, 256, (H, W, 3), np.uint8)


def tiff(values: NDArray[np.generic], photometric: int = 1, **tags: tuple[int, ...]) -> bytes:
    """Uncompressed, little-endian, of (H, W) or (H, W, bands): much of it Pillow cannot write."""
    height, width, *bands = values.shape
    n_bands = bands[0] if bands else 1
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    raw = values.astype(values.dtype.newbyteorder("<")).tobytes()
    entries: dict[int, tuple[int, ...]] = {
        256: (width,),
        257: (height,),
        258: (8 * values.dtype.itemsize,) * n_bands,
        259: (1,),
        262: (photometric,),
        273: (8,),
        277: (n_bands,),
        278: (height,),
        279: (len(raw),),
        339: (kind,) * n_bands,
    }
    entries |= {int(key[1:]): value for key, value in tags.items()}
    start = 8 + len(raw) + len(raw) % 2
    more = b""
    directory = struct.pack("<H", len(entries))
    for tag, numbers in sorted(entries.items()):
        packed = b"".join(struct.pack("<I", n) for n in numbers)
        directory += struct.pack("<HHI", tag, 4, len(numbers))
        if len(numbers) == 1:
            directory += packed
        else:
            directory += struct.pack("<I", start + 2 + 12 * len(entries) + 4 + len(more))
            more += packed
    return (
        b"II*\0" + struct.pack("<I", start) + raw + b"\0" * (len(raw) % 2)
        + directory + struct.pack("<I", 0) + more
    )  # fmt: skip


def png16(values: NDArray[np.uint16]) -> bytes:
    """16 bits a channel of (H, W, 2), (H, W, 3) or (H, W, 4), which Pillow cannot write."""
    height, width, bands = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, 16, {2: 4, 3: 2, 4: 6}[bands], rows)


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    content = BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


# ------------------------------------------------------------------------------------------------
# Upright

UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a),
}  # by the EXIF orientation, TIFF 6.0 section 8


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["TIFF", "TIFF, packed", "PNG", "WEBP"])
def test_an_image_that_is_not_square_is_shown_upright(
    tmp_path: Path, orientation: int, kind: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name, pixels in (("grey", GREY), ("deep", GREY.astype(np.uint16) * 100), ("colour", RGB)):
        if (name != "colour" and kind == "WEBP") or (name == "deep" and kind == "PNG"):
            continue
        packed = {"compression": "tiff_lzw"} if "packed" in kind else {}
        options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {**packed}
        path = tmp_path / name
        image = Image.fromarray(pixels)
        image.save(path, kind.split(",")[0], exif=exif, **options)
        decoded = open_image(path)
        expected = UPRIGHT[orientation](pixels)
        np.testing.assert_array_equal(np.asarray(decoded.image), expected)
        assert decoded.size == expected.shape[:2]


def test_training_and_the_line_read_turned_images_alike(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("ok", "spur"):
        (tmp_path / name).mkdir()
        Image.fromarray(GREY).save(tmp_path / name / "0.tif", exif=exif)
    frames = read_source(str(tmp_path))
    assert (frames.images[:, 0] == UPRIGHT[6](GREY)).all()
    (batch,) = read_batches([tmp_path], card(shape=(1, W, H)), 4)
    assert (batch.images == frames.images).all()
    assert not batch.changes


# ------------------------------------------------------------------------------------------------
# In full depth, or refused

DEEP = RGB.astype(np.uint16) * 16


def pages(kind: str) -> bytes:
    page = Image.fromarray(RGB)
    other = Image.fromarray(RGB[::-1].copy())
    return written(page, kind, save_all=True, append_images=[other, page])


REFUSED = {
    "colour16.png": (png16(DEEP), "16 bits a channel"),
    "alpha16.png": (png16(np.dstack([DEEP, DEEP[..., 0]])), "16 bits a channel"),
    "grey_alpha16.png": (png16(DEEP[..., :2]), "16 bits a channel"),
    "colour16.tif": (tiff(DEEP, 2), "16 bits a channel"),
    "pages.tif": (pages("TIFF"), "3 pages in one file"),
    "moving.png": (pages("PNG"), "3 pages in one file"),
    "moving.webp": (pages("WEBP"), "3 pages in one file"),
    "signed8.tif": (tiff(GREY.astype(np.int8)), "signed"),
    "signed16.tif": (tiff(GREY.astype(np.int16) - 90), "signed"),
    "signed32.tif": (tiff(GREY.astype(np.int32)), "signed or 32-bit"),
    "whole32.tif": (tiff(GREY.astype(np.uint32)), "32-bit whole numbers"),
    "white0.tif": (tiff(GREY.astype(np.uint16), 0), "white is 0"),
    "white0_float.tif": (tiff(GREY.astype(np.float32), 0), "white is 0"),
    "infrared.tif": (tiff(np.dstack([RGB, GREY]), 2), "4 bands a pixel"),
    "unnamed.tif": (tiff(np.dstack([RGB, GREY]), 2, _338=(0,)), "4 bands a pixel"),
    "five.tif": (tiff(np.dstack([RGB, GREY, GREY]), 2, _338=(0, 0)), "5 bands a pixel"),
    "two.tif": (tiff(np.dstack([GREY, GREY]), 1, _338=(0,)), "2 bands a pixel"),
    "inks.tif": (written(Image.fromarray(RGB).convert("CMYK"), "TIFF"), "colours as CMYK"),
    "inks.jpg": (written(Image.fromarray(RGB).convert("CMYK"), "JPEG"), "colours as CMYK"),
    "lab.tif": (tiff(RGB, 8), "colours as LAB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_pixels_is_refused_by_name_everywhere(name: str, tmp_path: Path) -> None:
    content, words = REFUSED[name]
    for each in ("ok", "spur"):
        (tmp_path / each).mkdir()
    Image.fromarray(GREY).save(tmp_path / "spur/good.png")
    path = tmp_path / "ok" / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as trained:
        read_source(str(tmp_path))
    with pytest.raises(DataError, match=words) as predicted:
        next(read_batches([path], card(shape=(1, H, W)), 4)).refuse_unread()
    assert str(trained.value) == str(predicted.value)
    assert str(trained.value).startswith(f"{path}: ")


SIXTEEN = GREY.astype(np.uint16) * 257
HALF = np.full_like(GREY, 128)  # as transparent
READ = {
    "white0.tif": (tiff(255 - GREY, 0), GREY, "8-bit"),
    "sixteen.tif": (tiff(SIXTEEN), SIXTEEN, "16-bit"),
    "big_endian.tif": (written(Image.fromarray(SIXTEEN.astype(">u2")), "TIFF"), SIXTEEN, "16-bit"),
    "sixteen.png": (written(Image.fromarray(SIXTEEN), "PNG"), SIXTEEN, "16-bit"),
    "float.tif": (tiff(GREY.astype(np.float32) / 7), GREY.astype(np.float32) / 7, "float"),
    "palette.png": (written(Image.fromarray(GREY).convert("P"), "PNG"), GREY, "8-bit"),
    "bilevel.png": (written(Image.fromarray(GREY > 90), "PNG"), 255 * (GREY > 90), "8-bit"),
    "colour.tif": (tiff(RGB, 2), RGB, "8-bit"),
    "grey_alpha.tif": (tiff(np.dstack([GREY, GREY]), 1, _338=(2,)), GREY, "8-bit"),
    "multiplied.tif": (tiff(np.dstack([GREY // 2, HALF]), 1, _338=(1,)), GREY // 2 * 2, "8-bit"),
    "colour_multiplied.tif": (
        tiff(np.dstack([RGB // 2, HALF]), 2, _338=(1,)),
        RGB // 2 * 2,
        "8-bit",
    ),
    "colour.webp": (written(Image.fromarray(RGB), "WEBP", lossless=True), RGB, "8-bit"),
}


@pytest.mark.parametrize("name", READ)
def test_pixels_are_what_the_file_says(name: str, tmp_path: Path) -> None:
    content, expected, depth = READ[name]
    (tmp_path / name).write_bytes(content)
    for decoded in (open_image(tmp_path / name), open_image("a cell", content)):
        worst = np.abs(np.asarray(decoded.image).astype(np.float64) - expected).max()
        assert worst <= 2 * ("multiplied" in name)  # 255 / 128 is not quite 2
        assert decoded.depth == depth


@pytest.mark.parametrize("bands", ["LA", "RGBA"])
def test_transparency_is_left_out_and_counted_by_both(bands: str, tmp_path: Path) -> None:
    pixels = GREY if bands == "LA" else RGB
    for n, name in enumerate(("ok", "spur")):
        (tmp_path / name).mkdir()
        for i in range(3):
            alpha = np.where((GREY < 99) & (n + i == 0), 3, 255).astype(np.uint8)
            whole = Image.fromarray(np.dstack([pixels, alpha]))
            whole.save(tmp_path / name / f"{i}.png")
    frames = read_source(str(tmp_path))
    shown = pixels[None] if bands == "LA" else pixels.transpose(2, 0, 1)
    assert (frames.images == shown).all()
    assert in_english(frames.notes) == ("1 of 6 images have transparency, which is left out",)
    (batch,) = read_batches([tmp_path], card(shape=frames.shape), 8)
    assert batch.changes == {"have transparency, which is left out": 1}


def test_the_first_picture_of_a_camera_file_is_read_and_the_others_are_counted(
    tmp_path: Path,
) -> None:
    """An MPO: behind the photograph stands its preview, or what a screen needs to brighten it."""
    picture = Image.fromarray(RGB)
    for name in ("ok", "spur"):
        (tmp_path / name).mkdir()
        picture.save(tmp_path / name / "0.jpg", "MPO", save_all=True, append_images=[picture])
    frames = read_source(str(tmp_path))
    words = "have several pictures in the file, of which the first is read"
    assert in_english(frames.notes) == (f"2 of 2 images {words}",)
    (batch,) = read_batches([tmp_path], card(shape=(3, H, W)), 8)
    assert batch.changes == {words: 2}
    assert (batch.images == frames.images).all()


# ------------------------------------------------------------------------------------------------
# Photographs


def photograph(path: Path, height: int, width: int, orientation: int = 1) -> None:
    """A smooth scene with an edge, as a JPEG."""
    y, x = np.mgrid[:height, :width]
    grey = 128 + 60 * np.sin(y / height * 5) + 40 * (x > width / 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(grey.astype(np.uint8)).save(path, quality=90, exif=exif)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_photograph_is_the_same_on_the_line_and_close_to_one_decoded_in_full(
    tmp_path: Path, orientation: int
) -> None:
    for name in ("ok", "spur"):
        (tmp_path / name).mkdir()
        photograph(tmp_path / name / "0.jpg", 700, 400, orientation)
    asked = read_source(str(tmp_path), size=(24, 40))
    (batch,) = read_batches([tmp_path], card(shape=(1, 24, 40)), 8)
    assert (asked.images == batch.images).all()
    full = open_image(tmp_path / "ok/0.jpg").fitted((24, 40)).values(1)
    assert np.abs(asked.images[0].astype(int) - full).mean() < 1
    assert in_english(asked.notes) == ("2 of 2 images resized to 24 x 40",)


def test_where_the_most_common_size_counts_photographs_are_read_as_the_line_does(
    tmp_path: Path,
) -> None:
    for name in ("ok", "spur"):
        (tmp_path / name).mkdir()
        for i in range(2):
            Image.fromarray(images(1, i, (1, 24, 40))[0, 0]).save(tmp_path / name / f"{i}.png")
    photograph(tmp_path / "ok/photo.jpg", 400, 700)
    frames = read_source(str(tmp_path))
    (batch,) = read_batches([tmp_path], card(shape=frames.shape), 8)
    assert (frames.images == batch.images).all()
    assert in_english(frames.notes) == ("1 of 5 images resized to 24 x 40",)


def test_photographs_of_12_megapixels_are_resized_as_they_are_read(tmp_path: Path) -> None:
    """Forty of them, held at once, would take 480 MB in grey."""
    photograph(tmp_path / "0.jpg", 3000, 4000)
    for name in ("ok", "spur"):
        (tmp_path / "lot" / name).mkdir(parents=True)
        for i in range(20):
            os.link(tmp_path / "0.jpg", tmp_path / "lot" / name / f"{i}.jpg")
    bundle().save(tmp_path / "m.gaikan")
    code = f"""
from pathlib import Path
from gaikan.bundle.bundle import Bundle
from gaikan.bundle.images import read_batches
from gaikan.data.sources import read_source
from gaikan.timing.footprint import peak_rss_mb
card = Bundle.open(Path({str(tmp_path / "m.gaikan")!r})).card
before = peak_rss_mb()
frames = read_source({str(tmp_path / "lot")!r}, size=(64, 64))
assert len(frames) == 40
assert sum(len(b.names) for b in read_batches([Path({str(tmp_path / "lot")!r})], card, 64)) == 40
print(peak_rss_mb() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100
