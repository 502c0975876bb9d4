"""Image folders, good and bad."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runner import bench
from saying import in_english
from tiny import SIDE, write_class

from gaikan.data.frames import Frames
from gaikan.data.image_files import open_image
from gaikan.data.sources import read_source
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(120)

SHARED = Path(__file__).parents[3] / "shared/data"
with_shared_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of three grey images each."""
    for place, name in enumerate(("ok", "spur")):
        write_class(tmp_path / "parts" / name, place, 3, seed=0)
    return tmp_path / "parts"


def read(folder: Path, size: tuple[int, int] | None = None) -> Frames:
    return read_source(str(folder), "train", size)


def encoded(ending: str) -> bytes:
    content = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)
    Image.fromarray(pixels).save(content, ending)
    return content.getvalue()


def test_pixels_and_classes_are_those_of_the_files(folder: Path) -> None:
    frames = read(folder)
    assert frames.images.shape == (6, 1, SIDE, SIDE)
    assert frames.images.dtype == np.uint8
    assert (frames.classes, frames.labels.tolist()) == (("ok", "spur"), [0, 0, 0, 1, 1, 1])
    last = np.asarray(Image.open(folder / "spur/002.png"))
    assert (frames.images[5, 0] == last).all()
    assert not in_english(frames.notes)


def test_an_image_of_every_ending_is_read(folder: Path) -> None:
    for ending in ("png", "jpg", "JPEG", "bmp", "tif", "TIFF"):
        Image.new("L", (SIDE, SIDE)).save(folder / f"ok/more.{ending}")
    assert len(read(folder)) == 6 + 6


@pytest.mark.parametrize("content", [b"", b"no image", encoded("png")[:-40], encoded("jpeg")[:99]])
def test_an_unreadable_image_is_named(folder: Path, content: bytes) -> None:
    (folder / "spur/broken.png").write_bytes(content)
    with pytest.raises(DataError, match=r"/spur/broken\.png: not a readable image .*anew$"):
        read(folder)


def test_images_that_cannot_be_read_are_counted_in_one_refusal(folder: Path) -> None:
    """Told one a run, a person with a hundred of them would run a hundred times."""
    for number in range(7):
        (folder / f"spur/{number}.png").write_bytes(b"no image" if number else b"")
    with pytest.raises(DataError) as refused:
        read(folder)
    broken = ", ".join(f"spur/{number}.png" for number in (1, 2, 3, 4))
    assert str(refused.value) == (
        f"{folder}: 7 of 13 images cannot be read: spur/0.png: not a readable image (the file is "
        f"empty), delete it or save it anew; {broken}: not a readable image (damaged, or none of "
        "PNG, JPEG, BMP, TIFF, WEBP), delete it or save it anew; and 2 more"
    )


def test_each_of_several_faults_has_its_own_remedy(folder: Path) -> None:
    (folder / "ok/broken.png").write_bytes(b"no image")
    Image.new("CMYK", (SIDE, SIDE)).save(folder / "spur/inks.jpg")
    with pytest.raises(DataError, match=r"anew; spur/inks\.jpg: .*, save it as grey or RGB$"):
        read(folder)


@pytest.mark.parametrize("ending", ["png", "jpeg", "bmp", "tiff"])
def test_a_damaged_image_is_read_or_refused_without_crash_or_warning(
    folder: Path, ending: str
) -> None:
    rng, content = np.random.default_rng(0), encoded(ending)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, min(len(content), 200), 2):
            damaged[place] ^= int(rng.integers(1, 256))
        (folder / "ok/000.png").write_bytes(damaged)
        with suppress(DataError):
            read(folder)


def test_mixed_sizes_become_the_most_common_one_and_a_note_says_so(folder: Path) -> None:
    for name in ("ok", "spur"):
        Image.new("L", (20, 7), 90).save(folder / name / "wide.png")
    frames = read(folder)
    assert frames.shape == (1, SIDE, SIDE)
    assert (frames.images[frames.labels == 0][-1] == 90).all()
    assert in_english(frames.notes) == (f"2 of 8 images resized to {SIDE} x {SIDE}",)


def test_a_size_that_is_asked_for_wins_over_the_most_common(folder: Path) -> None:
    Image.new("L", (9, 6)).save(folder / "ok/other.png")
    frames = read(folder, size=(6, 9))
    assert frames.shape == (1, 6, 9)
    assert in_english(frames.notes) == ("6 of 7 images resized to 6 x 9",)


def test_one_colour_image_makes_all_colour(folder: Path) -> None:
    grey = read(folder).images[:, 0]
    Image.new("RGB", (SIDE, SIDE), (200, 100, 50)).save(folder / "spur/red.png")
    images = read(folder).images
    assert images.shape == (7, 3, SIDE, SIDE)
    assert images[6, :, 4, 4].tolist() == [200, 100, 50]
    assert all((images[:6, channel] == grey).all() for channel in range(3))
    assert in_english(read(folder).notes) == (
        "6 of 7 images are grey and read as colour, as others are",
    )


@pytest.mark.parametrize("mode", ["1", "LA"])
def test_bilevel_and_grey_with_alpha_stay_grey(folder: Path, mode: str) -> None:
    Image.new("L", (SIDE, SIDE), 255).convert(mode).save(folder / "ok/other.png")
    frames = read(folder)
    assert frames.shape == (1, SIDE, SIDE)
    assert (frames.images[3] == 255).all()


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_other_colour_modes_become_rgb(folder: Path, mode: str) -> None:
    Image.new("RGB", (SIDE, SIDE), (255, 0, 0)).convert(mode).save(folder / "ok/other.tif")
    assert read(folder).images[3, :, 0, 0].tolist() == [255, 0, 0]


def test_sixteen_bit_images_keep_their_values_as_floats(folder: Path) -> None:
    deep = np.full((SIDE, SIDE), 40_000, np.uint16)
    for path in folder.glob("*/*.png"):
        Image.fromarray(deep).save(path)
    frames = read(folder)
    assert frames.images.dtype == np.float32
    assert (frames.images == 40_000).all()
    assert frames.depth == "16-bit"


@pytest.mark.parametrize("mode", ["I;16", "RGB", "1"])
def test_images_of_two_bit_depths_are_refused_with_the_classes_of_each(
    folder: Path, mode: str
) -> None:
    """One coloured or grey image of 8 bits among deep ones, or the other way round."""
    for i, path in enumerate(sorted(folder.glob("*/*.png"))):
        one = np.full((SIDE, SIDE), 9, np.uint8)
        deep = Image.fromarray(one.astype(np.uint16))
        odd = deep if mode == "I;16" else Image.fromarray(one).convert(mode)
        most = Image.fromarray(one) if mode == "I;16" else deep
        (odd if i == 4 else most).save(path)
    many, few = ("8-bit", "16-bit") if mode == "I;16" else ("16-bit", "8-bit")
    with pytest.raises(DataError) as raised:
        read(folder)
    assert f"5 {many} (ok 3, spur 2), 1 {few} (spur 1)" in str(raised.value)
    assert f"the first {few} one is {folder}/spur/001.png" in str(raised.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_with_a_pixel_that_is_not_finite_is_named(folder: Path, value: float) -> None:
    deep = np.zeros((SIDE, SIDE), np.float32)
    deep[3, 4] = value
    Image.fromarray(deep).save(folder / "ok/deep.tif")
    with pytest.raises(DataError, match=r"ok/deep\.tif: holds pixels that are not finite"):
        read(folder)


def test_files_that_are_no_images_are_left_out_and_counted(folder: Path) -> None:
    (folder / "ok/notes.txt").touch()
    (folder / "ok/.DS_Store").touch()
    frames = read(folder)
    assert len(frames) == 6
    assert in_english(frames.notes) == (
        "1 file is no image: left out (1 .txt)",
        "1 hidden or of a system (such as .DS_Store, @eaDir): left out",
    )


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no class folders in it; expected .*/<class>/\*\.png"):
        read(tmp_path)


def test_images_beside_the_class_folders_do_not_count(tmp_path: Path) -> None:
    write_class(tmp_path, 0, 2, seed=0)
    with pytest.raises(DataError, match="no class folders"):
        read(tmp_path)


def test_an_empty_class_folder_is_named(folder: Path) -> None:
    (folder / "open").mkdir()
    with pytest.raises(DataError, match="parts/open: no images in this class folder"):
        read(folder)


def test_a_single_class_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_class(tmp_path / "parts/ok", 0, 6, seed=0)
    assert bench("--train", tmp_path / "parts", "--out", tmp_path / "out") == 2
    stderr = capsys.readouterr().err
    assert "parts: only one class, 'ok'; at least 2 needed" in stderr
    assert stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@with_shared_data
def test_the_magnetic_tiles_are_read() -> None:
    frames = read(SHARED / "tiles/train")
    assert frames.classes == ("blowhole", "break", "crack", "fray", "ok", "uneven")
    assert frames.images.shape == (803, 1, 128, 128)
    assert np.bincount(frames.labels).tolist() == [69, 51, 32, 19, 571, 61]


@with_shared_data
def test_the_deeppcb_table_is_read() -> None:
    frames = read(SHARED / "deeppcb_train.parquet")
    assert frames.images.shape == (9473, 1, 36, 39)
    assert frames.images.dtype == np.uint8
    assert frames.classes == ("ok", "open", "short", "mousebite", "spur", "copper", "pin-hole")
    assert frames.groups is not None
    assert len(np.unique(frames.groups)) > 1


@pytest.mark.parametrize(
    ("name", "remedy"), [("lot", "name the images in it"), ("nope.png", "correct its path")]
)
def test_the_remedy_is_of_what_is_wrong(name: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "lot").mkdir()
    with pytest.raises(DataError, match=f"{name}: not a readable image .*; {remedy}$"):
        open_image(tmp_path / name)
