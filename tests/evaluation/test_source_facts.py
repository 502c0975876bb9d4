"""What `gaikan data` says of a source: counts, and where images can be looked up."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tiny import write_class

from gaikan.data.sources import read_source
from gaikan.evaluation.source_facts import counts, facts


def test_a_folder_is_counted_by_class_with_lots_and_the_first_file(tmp_path: Path) -> None:
    for place, name in enumerate(("ok/a", "ok/b", "spur/a")):
        write_class(tmp_path / name, place, 3, seed=place)
    header, rows = counts(read_source(str(tmp_path)))
    assert header == ["class", "label", "images", "lots", "the first"]
    assert rows == [
        ["ok", "ok", "6", "2", "ok/a/000.png"],
        ["spur", "spur", "3", "1", "spur/a/000.png"],
    ]


def test_images_that_repeat_are_named_by_their_files(tmp_path: Path) -> None:
    for place, name in enumerate(("ok", "spur")):
        write_class(tmp_path / name, place, 3, seed=place)
    (tmp_path / "spur/001.png").write_bytes((tmp_path / "ok/002.png").read_bytes())
    found = [fact for name, fact in facts(read_source(str(tmp_path))) if name == "problem"]
    assert (
        found[0] == "1 images repeat an earlier one exactly (such as ok/002.png and spur/001.png)"
    )


def test_a_row_of_a_table_is_named_by_file_and_row(tmp_path: Path) -> None:
    table = pa.table(
        {"data0": [5, 6, 7, 7], "label": [1, 0, 0, 1], "fmode": ["x", "ok", "ok", "x"]}
    )
    pq.write_table(table, tmp_path / "parts.parquet")
    frames = read_source(str(tmp_path / "parts.parquet"))
    header, rows = counts(frames)
    assert header == ["class", "label", "images", "failure modes", "the first"]
    assert [row[-1] for row in rows] == ["parts.parquet:1", "parts.parquet:0"]
    assert any("(such as parts.parquet:2 and parts.parquet:3)" in fact for _, fact in facts(frames))
