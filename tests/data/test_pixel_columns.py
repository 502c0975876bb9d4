"""Row groups of parquet files that are not as the file says."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_bundle import card

from gaikan.bundle.images import read_batches
from gaikan.data.large import LargeTable
from gaikan.data.pixel_columns import read_group
from gaikan.errors import DataError

ROWS, NAMES = 1000, [f"data{i}" for i in range(4)]
REASON = r"row group 0 is to have 1001 rows and holds 1000\); write it again"


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "parts.parquet"
    columns = {name: pa.array([i] * ROWS, pa.uint8()) for i, name in enumerate(NAMES)}
    pq.write_table(pa.table(columns | {"label": ["a", "b"] * (ROWS // 2)}), path)
    return path


@pytest.fixture
def short(whole: Path) -> Path:
    """The same rows in a group that is said to have one more: the last such number in the file."""
    content = whole.read_bytes()
    at = content.rindex(b"\x16\xd0\x0f")  # 1000 in Thrift's compact protocol
    whole.write_bytes(content[:at] + b"\x16\xd2\x0f" + content[at + 3 :])
    assert pq.ParquetFile(whole).metadata.row_group(0).num_rows == ROWS + 1
    return whole


def test_a_group_is_read_as_pyarrow_reads_it(whole: Path) -> None:
    file = pq.ParquetFile(whole)
    assert read_group(file, 0, NAMES, "it").equals(file.read_row_group(0, NAMES))


def test_a_group_with_fewer_rows_than_told_is_refused_to_train_on(short: Path) -> None:
    with pytest.raises(DataError, match=REASON):
        LargeTable(short).pixels(NAMES, str(short))


def test_a_group_with_fewer_rows_than_told_is_refused_to_predict(short: Path) -> None:
    with pytest.raises(DataError, match=REASON):
        list(read_batches([short], card(shape=(1, 2, 2)), 64))
