"""`hub:` sources end to end: the real `datasets`, in its own process, asks a hub on 127.0.0.1."""

import gzip
import io
import json
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hub_reader import Reader
from hub_server import HubServer, Revisions, commit_of
from PIL import Image
from pyarrow import parquet
from saying import in_english

from gaikan.data.columns import NOTHING
from gaikan.data.hub import COMMIT, notes_of_hub
from gaikan.data.image_columns import frames_from_image_column
from gaikan.data.text_columns import text_columns

pytestmark = pytest.mark.timeout(120)


def terminals(n_rows: int, seed: int) -> pa.Table:
    """A frame table of the shape of the original data sets."""
    values = np.random.default_rng(seed).normal(size=(1404, n_rows))
    columns = {f"data{i}": values[i] for i in range(1404)}
    modes = [f"mode {row % 3}" for row in range(n_rows)]
    return pa.table({**columns, "label": np.arange(n_rows) % 3, "fmode": modes})


def as_parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


TRAIN, TEST, OLD = terminals(7, seed=1), terminals(4, seed=2), terminals(5, seed=3)
MAIN_FILES = {"data/train-00000-of-00001.parquet": as_parquet(TRAIN), "README.md": b"# Terminals"}
KINDS = b"""---
configs:
- config_name: a
  data_files: a.csv
- config_name: b
  data_files: b.csv
---
"""
WRITTEN = b"data0,data1,label,group\n1,2.5,01,NA\n3,4,1,1E1\n5,6,10,null\n7,8,01,7\n"
HALF = b"data0,data1,label,group\n9,0.5,02,NA\n"
GERMAN = "data0;data1;label\n1,5;2;キズ\n3;4;01\n"
EXCEL = {  # file, content, and what is said of it
    "cp932": ("train.csv", GERMAN.replace("1,5", "1.5").replace(";", ",").encode("cp932"),
              ["train.csv is read as cp932"]),
    "utf16": ("train.csv", GERMAN.replace("1,5", "1.5").replace(";", "\t").encode("utf-16"),
              ["train.csv is read as utf-16", "train.csv is separated by a tab"]),
    "comma": ("train.csv", GERMAN.encode(),
              ["train.csv is separated by ';'", "train.csv has decimal commas"]),
    "all": ("train.csv", GERMAN.encode("cp932"),
            ["train.csv is read as cp932", "train.csv is separated by ';'",
             "train.csv has decimal commas"]),
    "tsv": ("train.tsv", GERMAN.replace("1,5", "1.5").replace(";", "\t").encode(),
            ["train.tsv is separated by a tab"]),
    "packed": ("train.csv.gz", gzip.compress(GERMAN.encode("cp932")),
               ["train.csv.gz is read as cp932", "train.csv.gz is separated by ';'",
                "train.csv.gz has decimal commas"]),
}  # fmt: skip
OLD_FILES = {"data/train-00000-of-00001.parquet": as_parquet(OLD)}


def image_table() -> pa.Table:
    """Grey images of value 0, 1, ... as the hub has them."""
    cells = []
    for value in range(6):
        content = io.BytesIO()
        Image.new("L", (8, 8), value).save(content, "PNG")
        cells.append({"bytes": content.getvalue(), "path": f"{value}.png"})
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["ok", "scratch"], "_type": "ClassLabel"},
    }
    table = pa.table({"image": pa.array(cells, kind), "label": [0, 1] * 3})
    return table.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )


def repos() -> dict[str, Revisions]:
    return {
        "maker/one": {"main": MAIN_FILES, "v1.0": OLD_FILES, "lots/old": OLD_FILES},
        "maker/two": {
            "main": {"train.parquet": as_parquet(TRAIN), "test.parquet": as_parquet(TEST)}
        },
        "maker/shards": {
            "main": {
                "data/train-00000-of-00002.parquet": as_parquet(TRAIN),
                "data/train-00001-of-00002.parquet": as_parquet(OLD),
            }
        },
        "maker/images": {"main": {"data/train-00000-of-00001.parquet": as_parquet(image_table())}},
        "maker/csv": {"main": {"train.csv": WRITTEN}},
        "maker/halves": {"main": {"train-0.csv": WRITTEN, "train-1.csv": HALF}},
        "maker/unlike": {"main": {"train-0.csv": WRITTEN, "train-1.csv": b"data0,label\n1,2\n"}},
        "maker/ragged": {"main": {"train.csv": WRITTEN + b"1,2,3\n"}},
        "maker/latin": {"main": {"train.csv": "data0,label\n1,défaut\n".encode("latin-1")}},
        **{f"maker/{name}": {"main": {file: text}} for name, (file, text, _) in EXCEL.items()},
        "maker/nothing": {"main": {"README.md": b"# Soon"}},
        "maker/rowless": {"main": {"train.parquet": as_parquet(TRAIN.slice(0, 0))}},
        "maker/headed": {"main": {"train.csv": b"data0,label\n"}},
        "maker/kinds": {"main": {"README.md": KINDS, "a.csv": b"x\n1\n", "b.csv": b"x\n2\n"}},
        "maker/torn": {"main": {"train.parquet": as_parquet(TRAIN)[:-100]}},
    }


@pytest.fixture(scope="module")
def hub() -> Iterator[HubServer]:
    with HubServer(repos()) as server:
        yield server


@pytest.fixture(scope="module")
def reader(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with Reader(hub.endpoint, tmp_path_factory.mktemp("home")) as process:
        yield process


@pytest.fixture(scope="module", params=["gone", "broken"])
def silent(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    """Reads from a hub that is gone or answers 500, after v1.0 and then main were loaded."""
    home = tmp_path_factory.mktemp("home")
    with HubServer(repos()) as server:
        with Reader(server.endpoint, home) as before:
            assert not before.read("hub:maker/one").error
            assert not before.read("hub:maker/one@v1.0").error
            assert not before.read("datasets:maker/csv").error, "loaded by `datasets`, too"
            assert not before.read("hub:maker/halves").error
        if request.param == "gone":
            server.stop()
        server.broken = HTTPStatus.INTERNAL_SERVER_ERROR
        with Reader(server.endpoint, home) as process:
            yield process


def test_a_table_arrives_complete_and_equal(hub: HubServer, reader: Reader) -> None:
    table = reader.read("hub:maker/one").table
    assert table.equals(TRAIN)
    assert table.schema.metadata[COMMIT] == commit_of(MAIN_FILES).encode()
    assert notes_of_hub(table) == []
    (file,) = (path for path in MAIN_FILES if path.endswith(".parquet"))
    assert f"GET /datasets/maker/one/resolve/{commit_of(MAIN_FILES)}/{file}" in hub.asked


def test_images_arrive_with_the_names_of_their_classes(reader: Reader) -> None:
    table = reader.read("hub:maker/images").table
    found = text_columns(table.schema, NOTHING, "made", "image")
    frames = frames_from_image_column(table, [table], "image", found, "made", Path(), None)
    assert frames.names.tolist() == ["ok", "scratch"] * 3
    assert frames.images[:, 0, 0, 0].tolist() == [*range(6)]


def test_texts_of_csv_files_are_as_they_are_written(reader: Reader) -> None:
    table = reader.read("hub:maker/csv").table
    assert table["data0"].to_pylist() == [1, 3, 5, 7]
    assert table["data1"].to_pylist() == [2.5, 4, 6, 8]
    assert table["label"].to_pylist() == ["01", "1", "10", "01"]
    assert table["group"].to_pylist() == ["NA", "1E1", "null", "7"]


@pytest.mark.parametrize("name", EXCEL)
def test_csv_files_are_read_as_local_ones_whatever_program_wrote_them(
    reader: Reader, name: str
) -> None:
    table = reader.read(f"hub:maker/{name}").table
    assert table["data0"].to_pylist() == [1.5, 3]
    assert table["data1"].to_pylist() == [2, 4]
    assert table["label"].to_pylist() == ["キズ", "01"]
    assert [*in_english(notes_of_hub(table))] == EXCEL[name][2]


def test_csv_files_of_one_split_are_one_table(reader: Reader) -> None:
    table = reader.read("hub:maker/halves").table
    assert table["label"].to_pylist() == ["01", "1", "10", "01", "02"]
    assert table["data0"].to_pylist() == [1, 3, 5, 7, 9]


def test_csv_files_of_a_silent_hub_are_not_read_in_another_way(silent: Reader) -> None:
    error = silent.read("hub:maker/csv").error
    assert "does not answer, and CSV files are not read from the cache: try again when" in error
    assert "no copy of it from an earlier run: try" in silent.read("hub:maker/halves").error


def test_files_of_one_split_are_one_table(reader: Reader) -> None:
    assert reader.read("hub:maker/shards").table.equals(pa.concat_tables([TRAIN, OLD]))


@pytest.mark.parametrize(("split", "expected"), [("train", TRAIN), ("test", TEST)])
def test_the_named_split_is_read(reader: Reader, split: str, expected: pa.Table) -> None:
    assert reader.read(f"hub:maker/two:{split}").table.equals(expected)


@pytest.mark.parametrize("revision", ["v1.0", "lots/old", commit_of(OLD_FILES)])
def test_the_named_revision_is_read(reader: Reader, revision: str) -> None:
    assert reader.read(f"hub:maker/one@{revision}:train").table.equals(OLD)


def test_a_new_commit_is_read_although_an_old_one_is_in_the_cache(
    hub: HubServer, reader: Reader
) -> None:
    hub.repos["maker/moving"] = {"main": OLD_FILES}
    assert reader.read("hub:maker/moving").table.equals(OLD)
    hub.repos["maker/moving"] = {"main": MAIN_FILES}
    assert reader.read("hub:maker/moving").table.equals(TRAIN)


def test_an_old_copy_never_stands_in_for_a_commit_without_data(
    hub: HubServer, reader: Reader
) -> None:
    hub.repos["maker/emptied"] = {"main": OLD_FILES}
    assert reader.read("hub:maker/emptied").table.equals(OLD)
    hub.repos["maker/emptied"] = {"main": {"README.md": b"# Taken down"}}
    assert commit_of(OLD_FILES) in reader.read("hub:maker/emptied").error


def test_a_folder_of_the_same_name_does_not_hide_the_hub(hub: HubServer, reader: Reader) -> None:
    hub.repos["maker/folder"] = {"main": MAIN_FILES}
    folder = reader.home / "maker" / "folder"
    folder.mkdir(parents=True)
    (folder / "train.csv").write_text("label\n1\n")
    assert reader.read("hub:maker/folder").table.equals(TRAIN)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("two", "several splits: name one that it has (train, test), for example hub:maker/two:tr"),
        ("two:lots", "no split 'lots': name one that it has (train, test)"),
        ("one@v1.0:test", "no split 'test': name one that it has (train), for example hub:maker/o"),
        ("one@v9", "'maker/one' has no revision 'v9': name one of its branches, tags or commits"),
        ("absent", "has no data set 'maker/absent', or it is private: check the name, or log in"),
        ("nothing", "the data set has no data files"),
        ("rowless", "has no rows"),
        ("headed", "has no rows"),
        ("unlike", "train-1.csv has other columns than train-0.csv"),
        ("ragged", "train.csv: not a readable CSV file (line 6 has 3 cells, the first 4; mend"),
        ("latin", "train.csv: not a readable CSV file: its text is neither UTF-8, UTF-16 nor"),
        ("kinds", "several configurations and no default one"),
        ("torn", "cannot be loaded (ArrowInvalid: Parquet magic bytes not found"),
    ],
)
def test_a_failure_is_one_line_that_names_the_source(reader: Reader, name: str, says: str) -> None:
    outcome = reader.read(f"hub:maker/{name}")
    assert outcome.error.startswith(f"hub:maker/{name}: ")
    assert says in outcome.error
    assert len(outcome.error.splitlines()) == 1
    assert outcome.seconds < 15


def test_a_script_in_a_data_set_is_not_run(hub: HubServer, reader: Reader, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    code = f"open({str(trace)!r}, 'w')\nimport datasets\n"
    code += "class Script(datasets.GeneratorBasedBuilder): ..."
    hub.repos["maker/script"] = {"main": {"script.py": code.encode()}}
    outcome = reader.read("hub:maker/script")
    assert outcome.error.startswith("hub:maker/script: ")
    assert "\n" not in outcome.error
    assert not trace.exists()


def test_a_refused_token_says_how_to_log_in(
    hub: HubServer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "broken", HTTPStatus.FORBIDDEN)
    assert "`hf auth login` or a token in HF_TOKEN" in reader.read("hub:maker/one").error


def test_neither_success_nor_failure_prints_anything(reader: Reader) -> None:
    assert not reader.read("hub:maker/one").error
    assert reader.read("hub:maker/torn").error
    assert reader.printed() == ""


def test_a_silent_hub_is_named_within_seconds(silent: Reader) -> None:
    outcome = silent.read("hub:maker/two:train")
    assert outcome.error.startswith(f"hub:maker/two:train: {silent.endpoint} ")
    assert "(status 500)" in outcome.error or "Connection refused" in outcome.error
    assert "no copy of it from an earlier run" in outcome.error
    assert outcome.error.endswith("or give a .parquet or .csv file instead")
    assert outcome.seconds < 15


@pytest.mark.parametrize(
    ("source", "expected"), [("hub:maker/one", TRAIN), ("hub:maker/one@v1.0", OLD)]
)
def test_the_cache_stands_in_for_a_silent_hub(
    silent: Reader, source: str, expected: pa.Table
) -> None:
    outcome = silent.read(source)
    assert outcome.table.equals(expected)
    (note,) = notes_of_hub(outcome.table)
    assert silent.endpoint in note.en
    assert outcome.seconds < 15


def test_the_cache_gives_no_revision_that_it_has_not_seen(silent: Reader) -> None:
    assert "no copy of it" in silent.read("hub:maker/one@lots/old").error


def test_a_hub_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        Reader(f"http://127.0.0.1:{deaf.getsockname()[1]}", tmp_path) as process,
    ):
        outcome = process.read("hub:maker/one")
    assert "no answer in" in outcome.error or "timed out" in outcome.error
    assert outcome.seconds < 15
