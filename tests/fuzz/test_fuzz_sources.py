"""Tables of paths and of images, CSV files of any program, and folders, with something wrong."""

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzzing import JSON_VALUES, ODD_TEXTS, TEXTS, altered, damaged, fuzz, valid_or_refused
from hypothesis import given
from hypothesis import strategies as st
from odd_tables import ROWS, arrays, describe
from PIL import Image
from saying import in_english
from small_bundle import card

from gaikan.bundle.images import count, read_batches
from gaikan.data.listing import LeftOut

pytestmark = pytest.mark.timeout(7200)
SIDE = 4
SIZES = st.sampled_from([None, None, (2, 2), (4, 4)])


def encoded(value: int, mode: str = "L") -> bytes:
    content = io.BytesIO()
    Image.new("L", (SIDE, SIDE), value).convert(mode).save(content, "PNG")
    return content.getvalue()


@contextmanager
def folder() -> Iterator[Path]:
    """`pictures/0.png` ... in a folder of its own."""
    with TemporaryDirectory(prefix="gaikan-fuzz-") as name:
        path = Path(name)
        (path / "pictures").mkdir()
        for i in range(ROWS):
            (path / f"pictures/{i}.png").write_bytes(encoded(i * 40))
        yield path


def read(kind: str, path: Path, data: st.DataObject) -> None:
    """What training and prediction do with it."""
    size = data.draw(SIZES)
    dtype = data.draw(st.sampled_from(["uint8", "float32"]))
    made = card(shape=(data.draw(st.sampled_from([1, 3])), SIDE, SIDE), dtype=dtype)

    def predict() -> None:
        left_out = LeftOut()
        count([path])
        for batch in read_batches([path], made, 4, left_out):
            n_read = len(batch.names) - len(batch.unread)
            assert batch.images.shape == (n_read, *made.shape)
            assert all(reason.strip() for reason in batch.unread.values())
            assert batch.images.dtype == np.dtype(dtype)
        assert all(note.strip() for note in in_english(left_out.notes()))

    valid_or_refused(f"{kind}, to train on", lambda: describe(path, size))
    valid_or_refused(f"{kind}, to predict", predict)


# ------------------------------------------------------------------------------------------------
# CSV files


def rows_of_text(kind: str) -> str:
    if kind == "pixels":
        lines = ["data0,data1,data2,data3,label,fmode,group"]
        lines += [f"{i},{i + 1},2,3,キズ{i % 2},,lot" for i in range(ROWS)]
    else:
        lines = ["path,label,group"]
        lines += [f"pictures/{i}.png,キズ{i % 2},lot{i % 3}" for i in range(ROWS)]
    return "\n".join(lines) + "\n"


@fuzz(60)
@given(
    st.sampled_from(["pixels", "paths"]),
    st.sampled_from([",", ";", "\t", "|", '","']),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932", "euc_jp"]),
    st.booleans(),
    st.data(),
)
def test_fuzz_a_damaged_csv_of_any_dialect(
    kind: str, separator: str, encoding: str, has_header: bool, data: st.DataObject
) -> None:
    text = rows_of_text(kind).replace(",", separator)
    if not has_header:
        text = text.partition("\n")[2]
    content = text.encode(encoding)
    if data.draw(st.booleans()):
        content = data.draw(damaged(content))
    with folder() as path:
        (path / "parts.csv").write_bytes(content)
        read(f"csv of {kind}", path / "parts.csv", data)


@fuzz(40)
@given(st.binary(max_size=300), st.data())
def test_fuzz_any_bytes_as_csv(content: bytes, data: st.DataObject) -> None:
    with folder() as path:
        (path / "parts.csv").write_bytes(content)
        read("csv of any bytes", path / "parts.csv", data)


CELLS = TEXTS | st.sampled_from(["pictures/0.png", "0", "1.png", "../x", "/", "pictures", "C:\\x"])


@fuzz(60)
@given(
    st.lists(
        st.sampled_from(["path", "image_id", "label", "fmode", "group", "kind"]) | ODD_TEXTS,
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_fuzz_a_table_of_paths(names: list[str], data: st.DataObject) -> None:
    rows = data.draw(
        st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=4)
    )
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in [names, *rows]]
    text = "".join(",".join(row) + "\n" for row in quoted)
    with folder() as path:
        (path / "parts.csv").write_text(text, errors="replace", newline="")
        read("csv of odd paths", path / "parts.csv", data)


# ------------------------------------------------------------------------------------------------
# Tables of images

FEATURES = {"info": {"features": {"label": {"names": ["ok", "spur"], "_type": "ClassLabel"}}}}
COLUMN = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def image_table() -> dict[str, pa.Array]:
    cells = [{"bytes": encoded(i), "path": f"{i}.png"} for i in range(ROWS)]
    return {"image": pa.array(cells, COLUMN), "label": pa.array([0, 1] * 3)}


@cache
def image_parquet() -> bytes:
    table = pa.table(image_table()).replace_schema_metadata({"huggingface": json.dumps(FEATURES)})
    content = io.BytesIO()
    pq.write_table(table, content, compression="none", use_dictionary=False)
    return content.getvalue()


@fuzz(60)
@given(st.data())
def test_fuzz_a_damaged_parquet_of_images(data: st.DataObject) -> None:
    content = data.draw(damaged(image_parquet()))
    with folder() as path:
        (path / "images.parquet").write_bytes(content)
        read("parquet of images", path / "images.parquet", data)


@fuzz(60)
@given(
    altered(FEATURES, JSON_VALUES), st.sampled_from(["image", "label", "shape", "path"]), st.data()
)
def test_fuzz_a_parquet_of_images_with_other_columns(
    features: Any, name: str, data: st.DataObject
) -> None:
    columns = image_table() | {name: data.draw(arrays())}
    metadata = {"huggingface": json.dumps(features)}
    if data.draw(st.booleans()):
        metadata["shape"] = json.dumps(data.draw(JSON_VALUES))
    with folder() as path:
        table = pa.table(columns).replace_schema_metadata(
            {k: v.encode(errors="surrogatepass") for k, v in metadata.items()}
        )
        pq.write_table(table, path / "images.parquet")
        read("parquet of odd columns", path / "images.parquet", data)


NUMBER = st.integers(-1, 300) | st.floats(width=32) | st.none()
LISTS = st.recursive(
    st.lists(NUMBER, max_size=4), lambda inner: st.lists(inner, max_size=3), max_leaves=6
)


@fuzz(60)
@given(st.lists(LISTS, min_size=ROWS, max_size=ROWS), st.data())
def test_fuzz_lists_of_pixels(cells: list[Any], data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        cells = [cells[0]] * ROWS
    columns: dict[str, Any] = {"pixels": cells, "label": [0, 1] * 3}
    if data.draw(st.booleans()):
        side = st.integers(-1, 5)
        columns["shape"] = [data.draw(st.lists(side, max_size=4))] * ROWS
    try:
        table = pa.table(columns)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return  # no such column can be
    with folder() as path:
        pq.write_table(table, path / "lists.parquet")
        read("parquet of lists", path / "lists.parquet", data)


@fuzz(20)
@given(st.data())
def test_fuzz_a_damaged_data_set_on_disk(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = tmp_path_factory.getbasetemp() / "saved"
    if not good.exists():
        datasets.disable_progress_bars()
        rows = {"image": [*map(encoded, range(ROWS))], "label": ["a", "b"] * 3}
        datasets.Dataset.from_dict(rows).save_to_disk(good)
    with folder() as path:
        shutil.copytree(good, path / "saved")
        files = sorted((path / "saved").iterdir())
        file = data.draw(st.sampled_from(files))
        file.write_bytes(data.draw(damaged(file.read_bytes())))
        read("data set on disk", path / "saved", data)


# ------------------------------------------------------------------------------------------------
# Folders

FOLDERS = [
    "ok",
    "spur",
    "train",
    "test",
    "val",
    "ground_truth",
    "@eaDir",
    ".x",
    "label=a",
    "lot",
    "",
]
FILES = ["0.png", "1.PNG", "2.webp", "x.gif", ".y.png", "part-0.parquet", "train-1.parquet", "n"]
ENTRY = st.tuples(
    st.lists(st.sampled_from(FOLDERS) | ODD_TEXTS, max_size=3),
    st.sampled_from(FILES),
    st.sampled_from(["image", "image", "image", "bytes", "link", "loop", "folder"]),
)


@fuzz(80)
@given(st.lists(ENTRY, max_size=8), st.data())
def test_fuzz_a_folder_of_anything(
    entries: list[tuple[list[str], str, str]], data: st.DataObject
) -> None:
    with folder() as path:
        root = path / "root"
        root.mkdir()
        for folders, name, kind in entries:
            try:
                place = root.joinpath(*(f.strip("/") for f in folders if ".." not in f))
                place.mkdir(parents=True, exist_ok=True)
                put(place / name, kind, path)
            except (OSError, ValueError):
                continue  # no such name can be
        read("folder", root, data)


def put(path: Path, kind: str, base: Path) -> None:
    if kind == "image":
        path.write_bytes(image_parquet() if path.suffix == ".parquet" else encoded(7))
    elif kind == "bytes":
        path.write_bytes(b"\xff\x00no image")
    elif kind == "link":
        path.symlink_to(base / "pictures/0.png")
    elif kind == "loop":
        path.symlink_to("..")
    else:
        path.mkdir()
