"""Names from data that would lead out of a folder, break a line or a table: in every command."""

import csv
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from runner import bench, gaikan
from small_run import Fake, row

from gaikan.config.toml_files import load_config
from gaikan.errors import ConfigError, GaikanError
from gaikan.run_folder.latency_rows import write_rows
from gaikan.run_folder.whole import RunFolder
from gaikan.system.files import file_name
from gaikan.system.store import Store, key_of

pytestmark = pytest.mark.timeout(300)

NAMES = (
    "../../etc/x",
    "a/b",
    "con",
    "nul\0l",
    "x" * 300,
    "x" * 299 + "y",
    "\U0001f600 \u202e",
    "<script>alert(1)</script>",
    "a|b\nc | d",
    "\x1b[31m$\\frac",
)
OK = "a/b"
SIDE = 10
TOML = """
seeds = 2
references = "none"
[data]
train = '{folder}/train.parquet'
test = '{folder}/test.parquet'
ok = "a/b"
[grid]
arch = ["mlp"]
style = ["triplet"]
[train]
epochs = 2
batch_size = 32
[timing]
enabled = false
[stage.line]
threads = {{ max = 1 }}
recall = {{ "a|b\\nc | d" = {{ min = 0.0 }} }}
"""


def images(rows: int, seed: int) -> np.ndarray:
    """Noise with a bright row that makes the class, (N, H, W) uint8."""
    found = np.random.default_rng(seed).integers(0, 120, (rows, SIDE, SIDE), np.uint8)
    for image, label in zip(found, labels(rows), strict=True):
        image[label] += np.uint8(60)
    return found


def labels(rows: int) -> np.ndarray:
    return np.arange(rows) % len(NAMES)


def write_table(path: Path, rows: int, seed: int) -> None:
    pixels = images(rows, seed).reshape(rows, -1)
    data = {f"data{i}": pixels[:, i] for i in range(SIDE * SIDE)}
    modes = pa.array([NAMES[label] for label in labels(rows)])
    groups = pa.array([f"../lot|\n{row % 7}" for row in range(rows)])
    pq.write_table(pa.table({**data, "label": labels(rows), "fmode": modes, "group": groups}), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`deep/in/out` is a run that was timed in name only, picked, checked and exported."""
    path = tmp_path_factory.mktemp("names")
    write_table(path / "train.parquet", 160, 0)
    write_table(path / "test.parquet", 80, 1)
    (path / "odd.toml").write_text(TOML.format(folder=path))
    out = path / "deep/in/out"
    assert bench(path / "odd.toml", "--out", out) == 0
    variants = pd.read_csv(out / "summary.csv")["variant"]
    fakes = [Fake(name, 1, {"onnxruntime-fp32": 0.1}) for name in variants]
    machine = "<b>pi|\n../x"
    write_rows(out / "latency.csv", [row(f, "onnxruntime-fp32", 1, machine=machine) for f in fakes])
    assert gaikan("pick", out) == 0
    assert gaikan("report", out) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["machine"]["commit"] = "c" * 40
    (out / "manifest.json").write_text(json.dumps(manifest))
    baseline = path / "baseline.json"
    assert gaikan("check", out, "--baseline", baseline, "--update") == 0
    reports = ("--markdown", path / "check.md", "--junit", path / "check.xml")
    history = ("--history", path / "history.csv")
    allowed = "--allow-inconclusive"  # of one seed
    assert gaikan("check", out, "--baseline", baseline, *reports, *history, allowed) == 0
    assert gaikan("export", out, "--stage", "line", "--out", path / "odd.gaikan") == 0
    return path


def test_whatever_became_a_file_has_a_plain_name_inside_the_folder(folder: Path) -> None:
    expected = {
        "deep",
        "train.parquet",
        "test.parquet",
        "odd.toml",
        "baseline.json",
        "baseline.frozen.safetensors",
        "check.md",
    }
    expected |= {"check.xml", "history.csv", "history.png", "odd.gaikan"}
    assert {path.name for path in folder.iterdir()} == expected
    assert [path.name for path in (folder / "deep").iterdir()] == ["in"]
    assert [path.name for path in (folder / "deep/in").iterdir()] == ["out"]
    made = [path.relative_to(folder / "deep/in/out") for path in folder.rglob("deep/in/out/**/*")]
    assert len(made) > 20
    for path in made:
        assert re.fullmatch(r"[A-Za-z0-9_./-]+", str(path)), path


def test_tables_for_scripts_have_every_name_as_it_is(folder: Path) -> None:
    out = folder / "deep/in/out"
    confusion = out / "confusion/mlp-triplet-mean_embedding.csv"
    with confusion.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][1:] == list(NAMES)
    assert [row[0] for row in rows[1:]] == list(NAMES)
    predicted = pd.read_parquet(out / "predictions.parquet")
    assert set(predicted["label"]) == set(NAMES)
    assert json.loads((out / "manifest.json").read_text())["classes"] == list(NAMES)


@pytest.mark.parametrize("name", ["report.md", "picks.md", "accuracy.md", "../../../check.md"])
def test_a_row_of_a_markdown_table_is_one_line_of_as_many_cells(folder: Path, name: str) -> None:
    text = (folder / "deep/in/out" / name).read_text()
    assert not re.search(r"(?<!\\)<script", text)
    tables = re.split(r"\n(?!\|)", text)
    counts = [
        {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines() if line[:1] == "|"}
        for table in tables
    ]
    assert any(counts)
    assert all(len(count) <= 1 for count in counts)
    assert "\0" not in text
    assert "\x1b" not in text


class Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def test_no_name_is_markup_in_the_page_or_the_pictures(folder: Path) -> None:
    page = Scripts()
    page.feed((folder / "deep/in/out/report.html").read_text())
    assert page.tags.count("script") == 2
    assert page.tags.count("b") == 0
    for picture in (folder / "deep/in/out/figures").glob("*.svg"):
        assert not ElementTree.parse(picture).findall(".//{*}script")
    assert ElementTree.parse(folder / "check.xml").getroot().tag == "testsuites"


def test_a_prediction_has_names_as_they_are_and_a_line_each(folder: Path, tmp_path: Path) -> None:
    """The image whose name is no text has its reason there, and its name escaped."""
    odd = [b"a\nb.png", b"caf\xe9.png", b"=1+1|,.png", "\u2028\x1b[31m.png".encode()]
    for name in odd:
        Image.fromarray(images(1, 0)[0]).save(tmp_path / "part.png")
        os.rename(tmp_path / "part.png", os.fsencode(tmp_path) + b"/" + name)  # noqa: PTH104
    bundle = folder / "odd.gaikan"

    def predicted(*options: str | Path) -> bytes:
        program = [sys.executable, "-c", "from gaikan.cli import main; main()", "predict"]
        command = [*program, bundle, tmp_path, *options]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 1, done.stderr
        return done.stdout

    lines = predicted().splitlines()
    assert len(lines) == 1 + len(odd)
    assert b"\x1b" not in b"".join(lines)
    told = [json.loads(line) for line in predicted("--json").decode().split("\n")[:-1]]
    whole = {os.fsencode(tmp_path) + b"/" + name for name in odd}
    assert {os.fsencode(line["image"]) for line in told} == whole
    assert {line["class"] for line in told} <= {*NAMES, None}
    assert ["not in UTF-8" in (line["error"] or "") for line in told].count(True) == 1
    table = folder.with_name("said.csv")
    predicted("--csv", table)
    escaped = {os.fsdecode(name).encode(errors="backslashreplace").decode() for name in whole}
    with table.open(newline="", encoding="utf-8") as file:
        assert {line["image"] for line in csv.DictReader(file)} == escaped


def test_a_class_may_be_enrolled_under_any_name(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(images(1, 3)[0]).save(tmp_path / "part.png")
    command = ("enrol", folder / "odd.gaikan", tmp_path / "part.png", "--class", "../../new|\n")
    assert gaikan(*command, "-o", tmp_path / "new.gaikan") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"part.png", "new.gaikan"}


# ------------------------------------------------------------------------------------------------
# Names that do become files


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "a/b", "../x", "/etc/x", "a\0b", "x" * 300])
def test_a_run_or_a_stage_of_such_a_name_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(f"name = {json.dumps(name)}")
    with pytest.raises(ConfigError, match="key 'name': a name is letters"):
        load_config(path, {})
    path.write_text(f"[stage.{json.dumps(name)}]")
    with pytest.raises(ConfigError, match="a stage's name is letters"):
        load_config(path, {})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("..", ""),
        ("a/../b", "a-..-b"),
        ("a b", "a-b"),
        ("x" * 300, "x" * 150),
        ("\u90e8" * 99, "\u90e8" * 50),
    ],
)
def test_a_file_name_of_any_text_is_a_plain_one(text: str, name: str) -> None:
    assert file_name(text) == name


def test_a_key_that_is_a_path_neither_reads_nor_removes_a_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    outside = tmp_path / f"x.{'0' * 64}.safetensors"
    outside.touch()
    store.save(key_of("held"), b"content")
    for key in ("../x", "*", "", str(tmp_path / "x")):
        assert store.load(key) is None
    assert outside.exists()
    assert store.damaged == []


def test_a_report_shows_no_file_from_outside_its_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").touch()
    (tmp_path / "secret.csv").write_text("actual,a\na,1\n")
    run = RunFolder.read(folder / "deep/in/out")
    (tmp_path / "link").symlink_to(run.out)
    up = os.path.relpath(tmp_path, run.out.resolve())
    assert run.picture(f"{up}/secret.png") is None
    assert run.picture("figures/samples.png") is not None
    assert run.picture(f"figures/{'x' * 300}.png") is None
    with pytest.raises(ConfigError, match="is no variant's name"):
        run.confusion(f"../{up}/secret")


def test_an_error_is_one_line_whatever_it_names() -> None:
    error = str(GaikanError("a\nb\r\x1b[31m\u2028 caf\udce9 \u00e9 \u90e8 \U0001f600"))
    assert error == r"a\nb\r\x1b[31m\u2028 caf\udce9 é 部 😀"
