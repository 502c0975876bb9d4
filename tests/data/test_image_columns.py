"""Image data sets as the hub has them, and pixels in lists: parquet, part files, `datasets`."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image
from saying import in_english
from small_bundle import card

from gaikan.bundle.images import count, read_batches
from gaikan.data import part_files
from gaikan.data.columns import Asked
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(120)

NAMES = ["ok", "scratch", "dent"]
ROWS, SIDE = 12, 8
ENCODED = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def pixels(channels: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (ROWS, SIDE, SIDE, channels), np.uint8)


def encoded(image: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image.squeeze()).save(content, "PNG")
    return content.getvalue()


def features(**kinds: Any) -> dict[str, str]:
    return {"huggingface": json.dumps({"info": {"features": kinds}})}


CLASS_LABEL = {"names": NAMES, "_type": "ClassLabel"}


def table(images: NDArray[np.uint8], **columns: Any) -> pa.Table:
    """Column `image` of {bytes, path}, `label` with the names in the schema."""
    cells = [{"bytes": encoded(image), "path": f"{i}.png"} for i, image in enumerate(images)]
    held = {"image": pa.array(cells, ENCODED), "label": [i % 3 for i in range(len(images))]}
    metadata = features(image={"_type": "Image"}, label=CLASS_LABEL)
    return pa.table(held | columns).replace_schema_metadata(metadata)


def write(folder: Path, held: pa.Table) -> Path:
    pq.write_table(held, folder / "images.parquet", row_group_size=5)
    return folder / "images.parquet"


def read(path: Path, **asked: str) -> Frames:
    return read_source(str(path), asked=Asked(**asked))


def expected(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images.transpose(0, 3, 1, 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_and_the_names_of_their_classes_are_read(tmp_path: Path, channels: int) -> None:
    images = pixels(channels)
    frames = read(write(tmp_path, table(images)))
    assert (frames.images == expected(images)).all()
    assert frames.names.tolist() == [NAMES[i % 3] for i in range(ROWS)]
    assert frames.origin(4) == f"{tmp_path}/images.parquet:4 (4.png)"


def saved(folder: Path) -> datasets.Dataset:
    """By `datasets` itself."""
    kinds = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=NAMES))
    rows = {"image": [*map(Image.fromarray, pixels()[..., 0])], "label": [i % 3 for i in range(12)]}
    return datasets.Dataset.from_dict(rows, kinds)


WRITERS: dict[str, Callable[[Path], object]] = {
    "parquet": lambda path: saved(path).to_parquet(path / "x.parquet"),
    "saved": lambda path: saved(path).save_to_disk(path / "x"),
    "saved in pieces": lambda path: saved(path).save_to_disk(path / "x", num_shards=3),
    "parts": lambda path: [
        saved(path).shard(2, i).to_parquet(path / f"x/train-{i:05}-of-00002.parquet")
        for i in range(2)
    ],
}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_datasets_writes_is_read_by_training_and_prediction(tmp_path: Path, kind: str) -> None:
    datasets.disable_progress_bars()
    (tmp_path / "x").mkdir()
    WRITERS[kind](tmp_path)
    path = tmp_path / ("x.parquet" if kind == "parquet" else "x")
    frames = read(path)
    assert (frames.images == expected(pixels())).all()
    assert frames.names.tolist() == [NAMES[i % 3] for i in range(ROWS)]
    batches = list(read_batches([path], card(shape=(1, SIDE, SIDE)), 5))
    assert (np.concatenate([b.images for b in batches]) == frames.images).all()
    assert count([path]) == ROWS


def test_a_dictionary_of_data_sets_is_refused_with_one_to_give(tmp_path: Path) -> None:
    datasets.disable_progress_bars()
    both = datasets.DatasetDict({"train": saved(tmp_path), "test": saved(tmp_path)})
    both.save_to_disk(tmp_path / "x")
    with pytest.raises(DataError, match=r"holds the data sets test, train; give .*/x/test$"):
        read(tmp_path / "x")
    assert len(read(tmp_path / "x/train")) == ROWS


@pytest.mark.parametrize("kind", ["bytes", "no bytes, a path", "a path"])
def test_images_are_content_or_paths_relative_to_the_table(tmp_path: Path, kind: str) -> None:
    images = pixels()
    for i, image in enumerate(images):
        (tmp_path / f"{i}.png").write_bytes(encoded(image))
    cells: dict[str, pa.Array] = {
        "bytes": pa.array(map(encoded, images)),
        "no bytes, a path": pa.array([{"path": f"{i}.png"} for i in range(ROWS)], ENCODED),
        "a path": pa.array([f"{i}.png" for i in range(ROWS)]),
    }
    held = table(images).drop_columns("image").append_column("image", cells[kind])
    frames = read(write(tmp_path, held), **({"image": "image"} if kind == "a path" else {}))
    assert (frames.images == expected(images)).all()


def test_an_image_that_cannot_be_read_is_named_by_row(tmp_path: Path) -> None:
    cells = [{"bytes": encoded(image)} for image in pixels()]
    cells[7] = {"bytes": b"no image"}
    held = table(pixels()).set_column(0, "image", pa.array(cells, ENCODED))
    with pytest.raises(DataError, match=r"images\.parquet: column 'image', row 7: not a readable"):
        read(write(tmp_path, held))
    made = card(shape=(1, SIDE, SIDE))
    first, second, *_ = read_batches([tmp_path / "images.parquet"], made, 5)
    assert first.unread == {}
    assert second.unread[2].startswith(f"{tmp_path}/images.parquet: column 'image', row 7: not a ")


@pytest.mark.parametrize("label", [-1, 3, 2**62])
def test_a_label_without_a_name_is_named_by_row(tmp_path: Path, label: int) -> None:
    """-1: the test parts of the hub's contests have no labels."""
    held = table(pixels(), label=[0, 1, label] + [0] * 9)
    with pytest.raises(
        DataError, match=rf"column 'label', row 2: {label} is none of the 3 classes"
    ):
        read(write(tmp_path, held))


def test_a_column_of_images_twice_is_refused_by_both(tmp_path: Path) -> None:
    held = table(pixels()).select(["image", "label"])
    held = held.append_column("image", held.column("image"))
    path = write(tmp_path, held)
    with pytest.raises(DataError, match=r"column 'image' occurs more than once"):
        read(path)
    with pytest.raises(DataError, match=r"column 'image' occurs more than once"):
        list(read_batches([path], card(shape=(1, SIDE, SIDE)), 5))


def test_a_long_name_of_a_column_is_cut_in_messages(tmp_path: Path) -> None:
    cells = pa.array([b"no image"] * ROWS)
    path = write(tmp_path, pa.table({"x" * 5000: cells, "label": [0, 1] * 6}))
    with pytest.raises(DataError) as caught:
        read(path)
    assert len(str(caught.value)) < 1000  # of which five rows are named


def test_the_only_class_label_is_the_label(tmp_path: Path) -> None:
    held = table(pixels(), image_file_path=[f"/x/{i}.png" for i in range(ROWS)])
    held = held.rename_columns(["image", "labels", "image_file_path"])
    held = held.replace_schema_metadata(features(labels=CLASS_LABEL))
    assert read(write(tmp_path, held)).classes == ("dent", "ok", "scratch")


def test_of_two_labels_or_images_one_is_asked_for(tmp_path: Path) -> None:
    held = table(pixels())
    held = held.append_column("mask", held.column("image")).append_column(
        "fine", held.column("label")
    )
    held = held.rename_columns(["image", "coarse", "mask", "fine"])
    path = write(tmp_path, held.replace_schema_metadata(None))
    with pytest.raises(DataError, match=r"--image-column NAME; there are 'image', 'mask'"):
        read(path)
    with pytest.raises(DataError, match=r"--label-column NAME; there are 'coarse', 'fine'"):
        read(path, image="image")
    assert read(path, image="image", label="fine").classes == ("0", "1", "2")


def test_images_of_several_sizes_are_resized_and_said(tmp_path: Path) -> None:
    cells = [{"bytes": encoded(image)} for image in pixels()]
    cells[3] = {"bytes": encoded(np.full((4, 6), 9, np.uint8))}
    held = table(pixels()).set_column(0, "image", pa.array(cells, ENCODED))
    frames = read(write(tmp_path, held))
    assert in_english(frames.notes) == (f"1 of 12 images resized to {SIDE} x {SIDE}",)
    assert (frames.images[3] == 9).all()


# ------------------------------------------------------------------------------------------------
# Lists of pixels


def lists(images: NDArray[Any], depth: int) -> pa.Array:
    """Of each image: 1 flat, 2 rows of pixels, 3 rows of pixels of channels."""
    shaped = {1: images.reshape(ROWS, -1), 2: images[..., 0], 3: images}[depth]
    return pa.array(shaped.tolist())


@pytest.mark.parametrize(
    ("depth", "channels", "options"),
    [(1, 1, {"shape": [[8, 8]] * 12}), (1, 3, {"shape": [[8, 8, 3]] * 12}), (2, 1, {}), (3, 3, {})],
)
def test_lists_of_pixels_are_read(
    tmp_path: Path, depth: int, channels: int, options: dict[str, Any]
) -> None:
    images = pixels(channels)
    held = pa.table({"pixels": lists(images, depth), "label": ["a", "b"] * 6, **options})
    path = write(tmp_path, held)
    frames = read(path)
    assert frames.images.dtype == np.uint8
    assert (frames.images == expected(images)).all()
    taken = card(shape=(channels, SIDE, SIDE))
    assert (
        np.concatenate([b.images for b in read_batches([path], taken, 5)]) == frames.images
    ).all()


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 64), pa.large_list(pa.int64())])
def test_lists_of_any_kind_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    values: NDArray[Any] = pixels().reshape(ROWS, -1)
    if pa.types.is_fixed_size_list(kind):
        values = values + np.float32(0.5)
    held = pa.table({"pixels": pa.array(values.tolist(), kind), "label": ["a", "b"] * 6})
    frames = read_source(str(write(tmp_path, held)), size=(8, 8))
    assert (frames.images.reshape(ROWS, -1) == values).all()


def test_the_shape_of_lists_may_stand_in_the_metadata(tmp_path: Path) -> None:
    images = pixels(3)
    held = pa.table({"pixels": lists(images, 1), "label": ["a", "b"] * 6})
    path = write(tmp_path, held.replace_schema_metadata({"shape": "[8, 8, 3]"}))
    assert (read(path).images == expected(images)).all()


def test_arrays_of_datasets_are_read(tmp_path: Path) -> None:
    kinds = datasets.Features(
        image=datasets.Array2D((SIDE, SIDE), "uint8"), label=datasets.Value("string")
    )
    rows = {"image": pixels()[..., 0].tolist(), "label": ["a", "b"] * 6}
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(rows, kinds).save_to_disk(tmp_path / "x")
    assert (read(tmp_path / "x").images == expected(pixels())).all()


def test_shapes_that_differ_by_row_are_brought_to_one(tmp_path: Path) -> None:
    shapes = [[8, 8]] * 11 + [[4, 6]]
    cells = [[7] * (h * w) for h, w in shapes]
    held = pa.table({"pixels": cells, "shape": shapes, "label": ["a", "b"] * 6})
    frames = read(write(tmp_path, held))
    assert frames.shape == (1, 8, 8)
    assert (frames.images == 7).all()
    assert in_english(frames.notes) == ("1 of 12 images resized to 8 x 8",)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an empty list": ({"p": [[1.0] * 4] * 5 + [[]]}, "column 'p', row 5: a value is empty"),
    "an empty cell": ({"p": [[1.0] * 4] * 5 + [None]}, "column 'p', row 5: a value is empty"),
    "an empty value": ({"p": [[1.0] * 4] * 5 + [[1, None, 1, 1]]}, "row 5: a value is empty"),
    "several lengths": (
        {"p": [[1.0] * 4] * 5 + [[1.0]]},
        "different numbers of values, and",
    ),
    "not finite": ({"p": [[1.0] * 4] * 5 + [[np.nan] * 4]}, "row 5: holds a value that is not fin"),
    "ragged": ({"p": [[[1], [1]]] * 5 + [[[1], [1, 2]]]}, "row 5: its lists are of different len"),
    "another shape": ({"p": [[1] * 4] * 6, "shape": [[2, 3]] * 6}, "row 0: 4 values are not 2 x 3"),
    "no shape": ({"p": [[1] * 4] * 6, "shape": ["2x2"] * 6}, "row 0: its 'shape' is '2x2'; expec"),
    "four channels": ({"p": [[[[1] * 4] * 2] * 2] * 6}, "its shape says 2 x 2 x 4"),
}


@pytest.mark.parametrize("name", BAD)
def test_lists_that_are_no_images_are_refused(tmp_path: Path, name: str) -> None:
    columns, words = BAD[name]
    path = write(tmp_path, pa.table({**columns, "label": ["a", "b"] * 3}))
    with pytest.raises(DataError) as caught:
        read(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("at", [3, 11])
def test_tables_are_read_a_few_rows_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(part_files, "_ROWS", 5)
    values: list[Any] = pixels().reshape(ROWS, -1).tolist()
    values[at][0] = 300
    frames = read_source(
        str(write(tmp_path, pa.table({"p": values, "label": ["a", "b"] * 6}))), size=(8, 8)
    )
    assert frames.images.dtype == np.float32
    assert frames.images.reshape(ROWS, -1).tolist() == values
    values[at][0] = None
    with pytest.raises(DataError, match=rf"column 'p', row {at}: a value is empty"):
        read(write(tmp_path, pa.table({"p": values, "label": ["a", "b"] * 6})), image="p")
    values[at] = [1] * 81
    with pytest.raises(DataError, match=r"column 'p': its rows have different numbers of values"):
        read(write(tmp_path, pa.table({"p": values, "label": ["a", "b"] * 6})))
    for i in range(ROWS):
        (tmp_path / f"{i}.png").write_bytes(encoded(pixels()[i]))
    paths = [f"{i if i != at else 'x'}.png" for i in range(ROWS)]
    cells = pa.array([{"path": path} for path in paths], ENCODED)
    for column in (cells, pa.array(paths)):
        path = write(tmp_path, pa.table({"path": column, "label": ["a", "b"] * 6}))
        with pytest.raises(DataError, match=rf"column 'path': a row leads to no file, row {at} to"):
            read(path)


# ------------------------------------------------------------------------------------------------
# Part files


def parts(rows: int, seed: int, label: list[str] | None = None) -> pa.Table:
    values = np.random.default_rng(seed).integers(0, 256, (rows, 4), np.uint8)
    data = {f"data{i}": values[:, i] for i in range(4)}
    return pa.table({**data, "label": label or ["a", "b"] * (rows // 2)})


def test_a_folder_of_part_files_is_one_table(tmp_path: Path) -> None:
    """As Spark writes it."""
    for i in range(2):
        pq.write_table(parts(4, i), tmp_path / f"part-0000{i}.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "._SUCCESS.crc").touch()
    frames = read(tmp_path)
    whole = pa.concat_tables([parts(4, 0), parts(4, 1)])
    assert frames.fingerprint == read(write(tmp_path, whole)).fingerprint
    assert frames.origin(5) == f"{tmp_path}/part-00001.parquet:1"
    assert frames.rows.tolist() == [*range(8)]


def test_hive_partitions_are_columns_of_text(tmp_path: Path) -> None:
    for label in ("01", "1"):
        for lot in ("a b", "c"):
            folder = tmp_path / f"label={label}/group={lot.replace(' ', '%20')}"
            folder.mkdir(parents=True)
            pq.write_table(parts(2, 0).drop_columns("label"), folder / "0.parquet")
    frames = read(tmp_path)
    assert frames.classes == ("01", "1")
    assert frames.groups is not None
    assert frames.groups.tolist() == ["a b", "a b", "c", "c"] * 2


def test_part_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(parts(4, 0), tmp_path / "a.parquet")
    pq.write_table(parts(4, 0).rename_columns([*"0123", "label"]), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet: has other columns than a\.parquet"):
        read(tmp_path)


@pytest.mark.parametrize(
    "names", [("train-0.parquet", "test-0.parquet"), ("train/0.parquet", "test/0.parquet")]
)
def test_files_of_several_parts_are_not_read_as_one(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pq.write_table(parts(4, 0), tmp_path / name)
    with pytest.raises(DataError, match=r"files of several parts \(test, train\)"):
        read(tmp_path)
