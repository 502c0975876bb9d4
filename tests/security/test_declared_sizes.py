"""Small files that declare far more than a machine can hold: one line, before memory is taken."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_bundle
from image_headers import bmp, png
from PIL import Image, TiffImagePlugin

from gaikan.data.sources import read_source
from gaikan.errors import DataError
from gaikan.system import machine

pytestmark = pytest.mark.timeout(300)
SIDE = 60_000
# One process for many commands, each a line of JSON, with a limit on what it may allocate: far less
# than 60,000 x 60,000 bytes, and enough for the libraries themselves.
PROGRAM = """
import contextlib, io, json, resource, sys
from gaikan.cli import main
import onnxruntime, pyarrow.parquet
from gaikan.flow import bench_run
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 2**30, held + 2**30))
for line in sys.stdin:
    sys.argv, code, error = ["gaikan", *json.loads(line)], 0, io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(error):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    print(json.dumps([code, error.getvalue()]), flush=True)
"""
Gaikan = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def gaikan() -> Iterator[Gaikan]:
    """Runs a command in a process that may allocate little; exit code, and what stderr said."""
    # Arrow's own pool may reserve a gigabyte of addresses at its first byte.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def run(*arguments: str | Path) -> tuple[int, str]:
            print(json.dumps([str(word) for word in arguments]), file=asked, flush=True)
            code, stderr = json.loads(answers.readline())
            return code, stderr

        yield run
        asked.close()


def tiff(path: Path) -> None:
    """A tag for each thing that a reader asks for, and no pixels."""
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in ((256, SIDE), (257, SIDE), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1)):
        ifd[tag] = value
    ifd[278], ifd[279] = SIDE, SIDE**2 % 2**32
    with path.open("wb") as file:
        file.write(b"II*\0\x08\0\0\0")
        ifd.save(file)


BOMBS: dict[str, Callable[[Path], object]] = {
    "bomb.png": lambda path: path.write_bytes(png(SIDE, SIDE, 8, 0, b"\0" * 100)),
    "bomb.bmp": lambda path: path.write_bytes(bmp(SIDE, SIDE, 24, 0, b"\0" * 100)),
    "bomb.tif": tiff,
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_image_bomb_is_refused_in_one_line_everywhere(
    name: str, gaikan: Gaikan, tmp_path: Path
) -> None:
    for place, kind in enumerate(("ok", "spur")):
        (tmp_path / "parts" / kind).mkdir(parents=True)
        Image.new("L", (9, 9), place).save(tmp_path / "parts" / kind / "good.png")
    bomb = tmp_path / "parts/spur" / name
    BOMBS[name](bomb)
    assert bomb.stat().st_size < 1000
    bundle = tmp_path / "small.gaikan"
    small_bundle.bundle().save(bundle)
    commands: list[tuple[str | Path, ...]] = [
        ("data", tmp_path / "parts"),
        ("predict", "--strict", bundle, bomb),
    ]
    if name == "bomb.png":
        commands.append(("bench", "--train", tmp_path / "parts", "--out", tmp_path / "out"))
    for command in commands:
        code, stderr = gaikan(*command)
        assert (code, stderr.count("\n")) == (2, 1), stderr
        assert f"{bomb}: image refused, it declares too many pixels" in stderr
    assert not (tmp_path / "out").exists()


def test_a_table_that_declares_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, path = 3_000_000, tmp_path / "bomb.parquet"
    column = np.zeros(rows, np.uint8)
    pq.write_table(pa.table({f"data{i}": column for i in range(4)} | {"label": column}), path)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(machine, "memory", lambda: 10**8)
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    with pytest.raises(DataError, match=r"bomb\.parquet: 3000000 x 3 labels take 0\.1 GB"):
        read_source(str(path))


def test_a_long_text_that_a_million_rows_share_is_refused(gaikan: Gaikan, tmp_path: Path) -> None:
    rows, path = 1_000_000, tmp_path / "bomb.parquet"
    indices = pa.array(np.zeros(rows, np.int32))
    label = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 10**6]))
    pixels = {f"data{i}": np.zeros(rows, np.uint8) for i in range(4)}
    pq.write_table(pa.table(pixels | {"label": label}), path)
    assert path.stat().st_size < 2_000_000
    code, stderr = gaikan("data", path)
    assert (code, stderr.count("\n")) == (2, 1), stderr
    assert "'label' has a text of 1000000 characters; a name has at most 1000" in stderr


def test_many_images_that_are_large_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("ok", "spur"):
        (tmp_path / kind).mkdir()
        for number in range(5):
            Image.new("L", (1000, 1000)).save(tmp_path / kind / f"{number}.png")
    monkeypatch.setattr(machine, "memory", lambda: 4 * 10**7)
    assert len(read_source(str(tmp_path))) == 10
    monkeypatch.setattr(machine, "memory", lambda: 3 * 10**7)
    with pytest.raises(DataError, match=r"8 x 1000000 numbers take 0\.0 GB"):
        read_source(str(tmp_path))


def test_an_image_of_another_kind_under_a_known_ending_is_refused(
    gaikan: Gaikan, tmp_path: Path
) -> None:
    """EPS would be handed to Ghostscript, which runs programs."""
    (tmp_path / "ok").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "ok/page.eps")
    (tmp_path / "ok/page.eps").rename(tmp_path / "ok/page.png")
    code, stderr = gaikan("data", tmp_path)
    assert (code, stderr.count("\n")) == (2, 1)
    assert "page.png: not a readable image" in stderr
