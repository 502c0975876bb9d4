"""Bundles: graph edits, streams, decisions and enrolment, against independent references."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from small_bundle import CLASSES, anchors, bundle, embedded, graph, images
from test_hostile_bundles import gaikan

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.enrolment import enrol
from gaikan.bundle.graph import anchors_of, embedding_graph, fields, with_anchors
from gaikan.bundle.images import ImageBatch, count, read_batches
from gaikan.errors import BundleError
from gaikan.run_folder.latency_rows import read_rows

HEAVY = ("torch", "pandas", "scipy", "sklearn", "matplotlib", "datasets", "onnx")


def batch(some: NDArray[np.uint8]) -> list[ImageBatch]:
    return [ImageBatch([str(i) for i in range(len(some))], some)]


def run(model: bytes, some: NDArray[Any]) -> list[NDArray[Any]]:
    results: list[NDArray[Any]] = onnxruntime.InferenceSession(model).run(None, {"images": some})
    return results


@given(st.binary(max_size=60))
def test_noise_is_read_as_fields_or_refused(noise: bytes) -> None:
    try:
        found = list(fields(noise))
    except BundleError:
        return
    assert b"".join(field.encoded for field in found) == noise


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=9), st.binary(max_size=200), st.text())
def test_fields_are_those_that_protobuf_writes(whole: list[int], raw: bytes, name: str) -> None:
    dims = [number - 2**63 for number in whole]
    tensor = onnx.TensorProto(dims=dims, raw_data=raw, name=name)
    found = list(fields(tensor.SerializeToString()))
    assert [f.value for f in found if f.number == 1] == [number % 2**64 for number in dims]
    assert b"".join(f.content for f in found if f.number == 9) == raw
    assert b"".join(f.content for f in found if f.number == 8).decode() == name


@pytest.mark.parametrize("n_classes", [2, 3, 9])
@pytest.mark.parametrize("threshold", [None, 0.05])
def test_a_graph_with_other_anchors_is_what_onnx_makes_of_it(
    n_classes: int, threshold: float | None
) -> None:
    model = graph(torch.uint8, threshold, 1)
    new = embedded(images(n_classes, 7)) + np.float32(0.02)
    edited = with_anchors(model, new)
    np.testing.assert_array_equal(anchors_of(edited), new)
    reference = onnx.load_from_string(model)
    (tensor,) = (t for t in reference.graph.initializer if t.name == "anchors")
    tensor.CopyFrom(onnx.numpy_helper.from_array(new, "anchors"))
    assert onnx.load_from_string(edited) == reference
    onnx.checker.check_model(edited, full_check=True)
    some = images(40, 8)
    predicted, distances, margin = run(edited, some)
    expected = np.linalg.norm(embedded(some)[:, None] - new, axis=2)
    np.testing.assert_allclose(distances, expected, rtol=1e-4)
    np.testing.assert_allclose(margin, np.diff(np.sort(expected))[:, 0], atol=1e-5)
    if threshold is None:
        np.testing.assert_array_equal(predicted, expected.argmin(1))
    else:
        is_ok = expected[:, 1:].min(1) - expected[:, 0] > threshold
        np.testing.assert_array_equal(predicted == 0, is_ok)


def test_a_graph_up_to_the_embedding_takes_fractions_of_a_grey_level() -> None:
    some = images(5).astype(np.float32) + np.float32(0.37)
    found = run(embedding_graph(graph(torch.uint8, None, 1)), some)
    assert len(found) == 1
    np.testing.assert_allclose(found[0], embedded(some), rtol=1e-4, atol=1e-6)


def test_a_bundle_comes_back_as_it_was_and_the_same_content_is_the_same_file(
    tmp_path: Path,
) -> None:
    made = bundle()
    for name in ("a", "b"):
        made.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    back = Bundle.open(tmp_path / "a")
    assert (back.card, back.model) == (made.card, made.model)
    assert back.kept is not None
    assert made.kept is not None
    np.testing.assert_array_equal(back.kept.embeddings, made.kept.embeddings)
    np.testing.assert_array_equal(back.kept.labels, made.kept.labels)


def test_openvino_decides_as_onnx_runtime_does() -> None:
    made = bundle()
    card = made.card.__class__(**{**made.card.__dict__, "runtime": "openvino"})
    other, some = Bundle(card, made.model, made.kept), images(50, 4)
    a, b = made(some), other(some)
    np.testing.assert_array_equal(a.predicted, b.predicted)
    np.testing.assert_allclose(a.distances, b.distances, rtol=1e-4)


# Streams


def write_files(folder: Path, some: NDArray[np.uint8]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:03}.png" for i in range(len(some))]
    for path, image in zip(paths, some, strict=True):
        Image.fromarray(image[0]).save(path)
    return paths


def write_table(path: Path, some: NDArray[Any]) -> Path:
    flat = some.reshape(len(some), math.prod(some.shape[1:]))
    columns = {f"data{i}": flat[:, i] for i in range(flat.shape[1])}
    pq.write_table(pa.table(columns), path, row_group_size=10_000)
    return path


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    some = images(12)
    expected = [str(path) for path in sorted(write_files(tmp_path, some))]
    for name in ("b", "a"):
        write_files(tmp_path / name / "c", some[:3])
    expected += [str(tmp_path / f"{name}/c/{i:03}.png") for name in "ab" for i in range(3)]
    read = list(read_batches([tmp_path], bundle().card, 4))
    assert [name for each in read for name in each.names] == expected


@pytest.mark.parametrize("size", [1, 7, 64])
def test_files_folders_and_tables_give_the_same_images(size: int, tmp_path: Path) -> None:
    some, made = images(20), bundle()
    files = write_files(tmp_path / "lot/inner", some)
    (tmp_path / "lot/notes.txt").touch()
    table = write_table(tmp_path / "parts.parquet", some.astype(np.int64))
    for paths in (files, [tmp_path / "lot"], [table], [*files[:5], table]):
        read = list(read_batches(paths, made.card, size))
        names = [name for each in read for name in each.names]
        pixels = np.concatenate([each.images for each in read])
        assert pixels.dtype == np.uint8
        assert len(names) == count(paths)
        for name, image in zip(names, pixels, strict=True):
            number = int(name.split(":")[-1] if ".parquet:" in name else Path(name).stem)
            np.testing.assert_array_equal(image, some[number])


def test_a_resized_image_is_that_of_training_and_is_counted(tmp_path: Path) -> None:
    from gaikan.data.sources import read_source

    for name, side in (("a", 16), ("b", 8)):
        write_files(tmp_path / "parts" / name, images(3, side, (1, side, side)))
    expected = read_source(str(tmp_path / "parts"), "train", (8, 8)).images
    read = [
        each
        for name in ("a", "b")
        for each in read_batches(sorted((tmp_path / "parts" / name).iterdir()), bundle().card, 64)
    ]
    np.testing.assert_array_equal(np.concatenate([each.images for each in read]), expected)
    assert [each.resized for each in read] == [3, 0]


def test_colour_becomes_grey_or_grey_colour_and_is_counted(tmp_path: Path) -> None:
    colour = Image.fromarray(images(1, 0, (8, 8, 3))[0])
    colour.save(tmp_path / "colour.png")
    colour.convert("L").save(tmp_path / "grey.png")
    paths = [tmp_path / "colour.png", tmp_path / "grey.png"]
    (read,) = read_batches(paths, bundle().card, 64)
    np.testing.assert_array_equal(read.images[0], read.images[1])
    assert read.converted == 1
    (read,) = read_batches(paths, bundle(channels=3).card, 64)
    np.testing.assert_array_equal(read.images[0], np.asarray(colour).transpose(2, 0, 1))
    assert (read.images[1, 0] == read.images[1, 2]).all()
    assert read.converted == 1


def test_float_bundles_read_deep_images_and_float_tables(tmp_path: Path) -> None:
    made = bundle(dtype=torch.float32)
    deep = np.random.default_rng(0).integers(0, 4096, (8, 8)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    (read,) = read_batches([tmp_path / "deep.png"], made.card, 64)
    np.testing.assert_array_equal(read.images[0, 0], deep.astype(np.float32))
    some = images(3).astype(np.float32) / 7
    (read,) = read_batches([write_table(tmp_path / "t.parquet", some)], made.card, 64)
    np.testing.assert_array_equal(read.images, some)


def broken_input(kind: str, folder: Path) -> Path:
    if kind == "deep":
        Image.fromarray(np.full((8, 8), 999, np.uint16)).save(folder / "deep.png")
        return folder / "deep.png"
    if kind == "damaged":
        (path,) = write_files(folder / "lot", images(1))
        path.write_bytes(path.read_bytes()[:60])
        return path
    if kind == "folder without images":
        (folder / "none").mkdir()
        return folder / "none"
    if kind == "no parquet":
        (folder / "no.parquet").write_bytes(b"no table")
        return folder / "no.parquet"
    values: Any = images(5).astype(np.float64)
    if kind == "fraction":
        values[3, 0, 0, 2] = 0.5
    if kind == "beyond bytes":
        values[4, 0, 1, 0] = 256
    if kind == "not a number":
        values[2, 0, 0, 0] = np.nan
    if kind == "other size":
        values = values[:, :, :6]
    if kind == "no rows":
        values = values[:0].astype(np.uint8)
    return write_table(folder / "parts.parquet", values)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("absent", "no such file or folder"),
        ("deep", "more than 8 bits a pixel"),
        ("damaged", "not a readable image"),
        ("folder without images", "no images in this folder"),
        ("no parquet", "not a readable parquet file"),
        ("fraction", "column 'data2', row 3: 0.5 is not a whole number in 0..255"),
        ("beyond bytes", "column 'data8', row 4: 256.0 is not a whole number"),
        ("not a number", "column 'data0', row 2: nan is not a whole number"),
        ("other size", "48 pixel columns, but the model takes images of 1 x 8 x 8"),
        ("no rows", "no images"),
    ],
)
def test_bad_images_are_one_line_and_leave_nothing(
    kind: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    good = write_files(tmp_path / "good", images(2))
    bad = tmp_path / "absent" if kind == "absent" else broken_input(kind, tmp_path)
    out = tmp_path / "out.csv"
    options = ("--csv", out, "--batch", "1")
    paths = (bad,) if kind == "no rows" else (*good, bad)
    assert gaikan("predict", tmp_path / "m.gaikan", *paths, *options) == 2
    stderr = capfd.readouterr().err
    assert stderr.count("\n") == 1
    assert words in stderr
    assert not list(tmp_path.glob("*out.csv*"))


# Decisions


@pytest.mark.parametrize("threshold", [None, 0.05])
def test_csv_and_json_say_what_torch_says(
    threshold: float | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    some = images(30, 5)
    bundle(threshold=threshold).save(tmp_path / "m.gaikan")
    table = write_table(tmp_path / "parts.parquet", some)
    distances = np.linalg.norm(embedded(some)[:, None] - anchors(), axis=2)
    predicted = distances.argmin(1)
    if threshold is not None:
        is_ok = distances[:, 1:].min(1) - distances[:, 0] > threshold
        predicted = np.where(is_ok, 0, 1 + distances[:, 1:].argmin(1))
        assert (predicted != distances.argmin(1)).any()
    out = tmp_path / "out.csv"
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--csv", out, "--batch", "7") == 0
    assert "30 images in " in capfd.readouterr().err
    assert gaikan("predict", tmp_path / "m.gaikan", table, "--json") == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    with out.open(newline="", encoding="utf-8") as file:
        for i, (row, line) in enumerate(zip(csv.DictReader(file), lines, strict=True)):
            assert row["image"] == line["image"] == f"{table}:{i}"
            assert row["class"] == line["class"] == CLASSES[predicted[i]]
            assert row["verdict"] == line["verdict"] == ("defective" if predicted[i] else "ok")
            assert line["distance"] == pytest.approx(distances[i].min(), rel=1e-4)
            two = np.sort(distances[i])
            assert float(row["margin"]) == pytest.approx(two[1] - two[0], abs=1e-5)


def test_a_part_without_finite_distances_is_of_no_class(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle(dtype=torch.float32).save(tmp_path / "m.gaikan")
    pixels = np.full((2, 8, 8), 90, np.float32)
    pixels[1, 3, 4] = 3e38  # a number, of which the network makes none
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{i}.tif")
    files = [tmp_path / "0.tif", tmp_path / "1.tif"]
    assert gaikan("predict", tmp_path / "m.gaikan", *files, "--csv", tmp_path / "out.csv") == 2
    stderr = capfd.readouterr().err
    assert stderr.startswith(f"gaikan: {files[1]}: gives no finite distances")
    assert not (tmp_path / "out.csv").exists()


# Enrolment


@pytest.mark.parametrize("name", ["burr", "open"])
@pytest.mark.parametrize("threshold", [None, 0.05])
def test_an_enrolled_anchor_is_the_mean_and_changes_are_counted(
    name: str, threshold: float | None
) -> None:
    made, some = bundle(threshold=threshold), images(4, 9)
    found = enrol(made, name, batch(some))
    mean = embedded(some).astype(np.float64).mean(0)
    old = anchors().astype(np.float64)
    new = np.vstack([old, mean]) if name == "burr" else np.vstack([old[:2], mean])
    got = anchors_of(found.bundle.model)
    np.testing.assert_allclose(got, new, rtol=1e-4, atol=1e-6)
    assert found.bundle.card.classes == (CLASSES if name == "open" else (*CLASSES, name))
    assert found.replaced == (name == "open")
    for other, distance in found.distances.items():
        place = found.bundle.card.classes.index(other)
        assert distance == pytest.approx(np.linalg.norm(new[place] - mean), rel=1e-4)
    assert set(found.distances) == set(found.bundle.card.classes) - {name}
    # The kept parts are those images: the bundles themselves say who changes.
    parts = images(30, 2)
    before, after = made(parts).predicted, found.bundle(parts).predicted
    assert made.kept is not None
    assert found.changed == sum(a != b for a, b in zip(before, after, strict=True)) > 0
    lost = [int(y) for a, b, y in zip(before, after, made.kept.labels, strict=True) if a == y != b]
    assert found.lost == {CLASSES[y]: lost.count(y) for y in sorted(set(lost))}


def test_a_mean_image_is_not_rounded() -> None:
    some = images(4, 9)
    found = enrol(bundle("mean_image"), "burr", batch(some))
    expected = embedded(some.astype(np.float64).mean(0, keepdims=True).astype(np.float32))[0]
    np.testing.assert_allclose(anchors_of(found.bundle.model)[3], expected, rtol=1e-4, atol=1e-6)


def test_the_order_and_the_batches_of_the_images_do_not_matter() -> None:
    some = images(6, 9)
    split = [ImageBatch([], some[4:]), ImageBatch([], some[:4])]
    a, b = (enrol(bundle(), "burr", batches) for batches in (batch(some), split))
    np.testing.assert_allclose(anchors_of(a.bundle.model), anchors_of(b.bundle.model), atol=1e-6)


def test_a_bundle_is_enrolled_again_and_again(tmp_path: Path) -> None:
    current = bundle()
    for i, name in enumerate(("burr", "bent", "刻印")):
        current = enrol(current, name, batch(images(2, 20 + i))).bundle
    current.save(tmp_path / "m.gaikan")
    back = Bundle.open(tmp_path / "m.gaikan")
    assert back.card.classes == (*CLASSES, "burr", "bent", "刻印")
    assert [note["class"] for note in back.card.enrolled] == ["burr", "bent", "刻印"]
    some = images(1, 22)
    np.testing.assert_array_equal(back(some).distances, current(some).distances)


def test_enrolling_on_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "new", images(3, 9))
    out = tmp_path / "n.gaikan"
    assert gaikan("enrol", tmp_path / "m.gaikan", *files, "--class", "burr", "-o", out) == 0
    stdout = capfd.readouterr().out
    assert "'burr' added from 3 images" in stdout
    assert "of 30 kept validation parts change class" in stdout
    assert len(Bundle.open(out).card.classes) == 4


# The base install


def test_the_line_needs_no_harness(tmp_path: Path) -> None:
    """Packages of the harness cannot be imported, as where only `pip install gaikan` was run."""
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "lot", images(3))
    table = write_table(tmp_path / "parts.parquet", images(3))
    out = tmp_path / "n.gaikan"
    commands = [
        ["predict", str(tmp_path / "m.gaikan"), str(tmp_path / "lot"), str(table)],
        ["enrol", str(tmp_path / "m.gaikan"), str(files[0]), "--class", "n", "-o", str(out)],
        ["time", str(tmp_path / "m.gaikan"), "--quick", "--out", str(tmp_path / "t.csv")],
    ]
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError("refused: " + name, name=name)
sys.meta_path.insert(0, Refuse())
from gaikan.cli import main
for command in {commands!r}:
    sys.argv = ["gaikan", *command]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code
print(sorted(m for m in {HEAVY!r} if m in sys.modules))
sys.argv = ["gaikan", "export", "run", "--variant", "v", "-o", "x"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr
    assert {row.batch_size for row in read_rows(tmp_path / "t.csv")} == {1, 64}
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.returncode == 2
    assert "pip install 'gaikan[bench]'" in done.stderr.splitlines()[-1]


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    bundle().save(tmp_path / "m.gaikan")
    peaks = []
    for n in (10_000, 100_000):
        table = write_table(tmp_path / f"{n}.parquet", images(n))
        code = (
            "from gaikan.cli import app; from gaikan.timing.footprint import peak_rss_mb;"
            f"app(['predict', {str(tmp_path / 'm.gaikan')!r}, {str(table)!r},"
            f" '--csv', {str(tmp_path / 'out.csv')!r}], standalone_mode=False);"
            "print(peak_rss_mb())"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        peaks.append(float(done.stdout))
    assert peaks[1] < peaks[0] + 4  # 90,000 images more are 5.8 MB, their lines 40
