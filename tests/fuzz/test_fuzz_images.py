"""Image files with something wrong in them, to train on and to predict."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fuzzing import damaged, fuzz, valid_or_refused
from hypothesis import given
from hypothesis import strategies as st
from image_headers import bmp, png
from PIL import Image
from small_bundle import card

from gaikan.bundle.images import read_batches
from gaikan.data.sources import read_source
from gaikan.evaluation.source_facts import facts

pytestmark = pytest.mark.timeout(3600)
SIDE = 9
PIXELS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def written(mode: str, kind: str, **options: object) -> bytes:
    content = BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(content, kind, **options)
    return content.getvalue()


def rotated(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return written("RGB", kind, exif=exif.tobytes())


def pages(kind: str) -> bytes:
    other = Image.fromarray(PIXELS[::-1].copy())
    return written("RGB", kind, save_all=True, append_images=[other])


FILES = {
    "grey.png": written("L", "png"),
    "colour.png": written("RGB", "png"),
    "palette.png": written("P", "png"),
    "bits.png": written("1", "png"),
    "deep.png": written("I;16", "png"),
    "grey.jpg": written("L", "jpeg"),
    "rotated.jpg": rotated("jpeg"),
    "two.jpg": pages("mpo"),
    "inks.jpg": written("CMYK", "jpeg"),
    "grey.bmp": written("L", "bmp"),
    "colour.bmp": written("RGB", "bmp"),
    "grey.tif": written("L", "tiff"),
    "packed.tif": written("RGB", "tiff", compression="tiff_lzw"),
    "float.tif": written("F", "tiff"),
    "rotated.tif": rotated("tiff"),
    "pages.tif": pages("tiff"),
    "grey.webp": written("L", "webp"),
    "moving.webp": pages("webp"),
    "moving.png": pages("png"),
}


def train(folder: Path) -> None:
    frames = read_source(str(folder))
    assert len(frames) == 2
    assert frames.images.shape[0] == 2
    assert np.isfinite(frames.images).all()
    assert facts(frames)


def predict(path: Path, channels: int, dtype: str) -> None:
    made = card(shape=(channels, SIDE, SIDE), dtype=dtype)
    for batch in read_batches([path], made, 4):
        batch.refuse_unread()
        assert batch.images.shape == (1, channels, SIDE, SIDE)


def read(folder: Path, name: str, content: bytes, data: st.DataObject) -> None:
    for each in ("ok", "spur"):
        (folder / "parts" / each).mkdir(parents=True, exist_ok=True)
    (folder / "parts/ok/good.png").write_bytes(FILES["grey.png"])
    path = folder / "parts/spur" / name
    kind = path.suffix.removeprefix(".")
    dtype = data.draw(st.sampled_from(["uint8", "float32"]))
    channels = data.draw(st.sampled_from([1, 3]))
    path.write_bytes(content)
    try:
        valid_or_refused(f"{kind}, to train on", lambda: train(folder / "parts"), str(path))
        valid_or_refused(f"{kind}, to predict", lambda: predict(path, channels, dtype), str(path))
    finally:
        path.unlink()


@fuzz(150)
@given(st.data())
def test_fuzz_a_damaged_image(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*FILES]))
    content = data.draw(damaged(FILES[name]))
    read(tmp_path_factory.getbasetemp(), name, content, data)


SIZES = st.sampled_from([0, 1, SIDE, 5000, 60_000, 2**31 - 1]) | st.integers(0, 2**31 - 1)


@fuzz(60)
@given(SIZES, SIZES, st.integers(0, 32), st.integers(0, 7), st.binary(max_size=200), st.data())
def test_fuzz_a_header_that_declares_anything(
    tmp_path_factory: pytest.TempPathFactory,
    width: int,
    height: int,
    bits: int,
    colour: int,
    rest: bytes,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    read(folder, "declared.png", png(width, height, bits, colour, rest), data)
    read(folder, "declared.bmp", bmp(width, height, bits, colour, rest), data)
