"""Broken and hostile bundles: one line, exit code 2, nothing written."""

import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from runner import gaikan
from small_bundle import CLASSES, Members, bundle, graph, images, zipped

from gaikan.bundle import archive


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    path = tmp_path_factory.mktemp("bundle") / "good.gaikan"
    bundle().save(path)
    return archive.load(path)


def with_card(members: Members, **values: Any) -> bytes:
    """`...` as a value takes the key out."""
    card = json.loads(members["model.json"]) | values
    card = {key: value for key, value in card.items() if value is not ...}
    return zipped(members | {"model.json": json.dumps(card).encode()})


def with_graph(members: Members, edit: Callable[[Any], None]) -> bytes:
    model = onnx.load_from_string(members["model.onnx"])
    edit(model.graph)
    return zipped(members | {"model.onnx": model.SerializeToString()})


def without(members: Members, name: str) -> Members:
    return {key: value for key, value in members.items() if key != name}


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def swapped(members: Members) -> bytes:
    """The graph of another bundle, the checksums of this one."""
    good = zipped(members)
    sums = zipfile.ZipFile(io.BytesIO(good)).read("SHA256SUMS")
    return zipped(members | {"model.onnx": graph(torch.float32, None, 1)}, sums)


def twice(members: Members) -> bytes:
    buffer = io.BytesIO(zipped(members))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "a") as file:
            file.writestr("model.json", b"{}")
    return buffer.getvalue()


def declaring(members: Members, size: int) -> bytes:
    """The sizes of model.onnx in the central directory say `size`, of a small member."""
    content = bytearray(zipped(members))
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"model.onnx"))
    content[entry + 20 : entry + 28] = size.to_bytes(4, "little") * 2
    return bytes(content)


def unknown_op(graph: Any) -> None:
    graph.node[0].op_type = "LaunchMissiles"


def reads_a_file(graph: Any) -> None:
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def other_input(graph: Any) -> None:
    graph.input[0].type.tensor_type.shape.dim[2].dim_value = 9


def no_margin(graph: Any) -> None:
    del graph.output[2]


def no_novelty(graph: Any) -> None:
    del graph.output[4]


def high_novelty(graph: Any) -> None:
    """The number of held-out parts that are as new, and not their share; all are."""
    for tensor in graph.initializer:
        if tensor.name.endswith("novelty.calibrated"):
            highest = np.full(tensor.dims, np.inf, np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(highest, tensor.name))
    (node,) = (node for node in graph.node if "novelty_p" in node.output)
    node.op_type = "ReduceSum"


def another_good_class() -> str:
    """A good class with which the verdict on blank images is another than the graph gives."""
    blank = CLASSES[int(bundle()(np.zeros((1, 1, 8, 8), np.uint8)).predicted[0])]
    return blank if blank != "ok" else "spur"


def no_anchors(graph: Any) -> None:
    (tensor,) = (tensor for tensor in graph.initializer if tensor.name == "anchors")
    tensor.name = "other"


def two_anchors(graph: Any) -> None:
    (tensor,) = (tensor for tensor in graph.initializer if tensor.name == "anchors")
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros((2, 128), np.float32), "anchors"))


HOSTILE: dict[str, tuple[Callable[[Members], bytes], str]] = {
    "empty": (lambda m: b"", "not a bundle or a damaged one"),
    "text": (lambda m: b"no zip file at all\n" * 99, "not a bundle or a damaged one"),
    "truncated": (lambda m: zipped(m)[:-9000], "not a bundle or a damaged one"),
    "head cut off": (lambda m: zipped(m)[5000:], "damaged|declare"),
    "flipped bit": (lambda m: flipped(zipped(m), 5000), "damaged one"),
    "swapped member": (swapped, "'model.onnx' does not match its checksum"),
    "wrong checksum": (
        lambda m: zipped(m, b"".join(b"0" * 64 + b"  " + n.encode() + b"\n" for n in m)),
        "does not match its checksum",
    ),
    "checksums of none": (lambda m: zipped(m, b""), "does not list the members"),
    "checksums in prose": (lambda m: zipped(m, b"trust me"), "a line that is no checksum"),
    "../ name": (lambda m: zipped({**m, "../../evil": b"x"}), r"'\.\./\.\./evil' does not belong"),
    "absolute name": (lambda m: zipped({**m, "/etc/passwd": b"x"}), "does not belong"),
    "pickle": (lambda m: zipped({**m, "model.pkl": b"\x80\x04."}), "'model.pkl' does not belong"),
    "member twice": (twice, "occurs more than once"),
    "compressed": (lambda m: zipped(m, compression=zipfile.ZIP_DEFLATED), "is compressed"),
    "zip bomb": (
        lambda m: zipped({**m, "model.onnx": bytes(10**8)}, compression=zipfile.ZIP_DEFLATED),
        "is compressed",
    ),
    "giant declared size": (lambda m: declaring(m, 2**31), "declares 2147483648 bytes"),
    "overlapping members": (lambda m: declaring(m, len(m["model.onnx"]) + 9000), "damaged|declare"),
    "no graph": (lambda m: zipped(without(m, "model.onnx")), "'model.onnx' is missing"),
    "no embeddings": (
        lambda m: zipped(without(m, "validation-embeddings.f32")),
        "kept validation embeddings are missing",
    ),
    "labels of no class": (
        lambda m: zipped(m | {"validation-labels.u16": b"\xff\xff" * 30}),
        "labels do not fit",
    ),
    "embeddings that are not finite": (
        lambda m: zipped(m | {"validation-embeddings.f32": b"\xff" * 4 * 128 * 30}),
        "the kept embeddings hold values that no network gives",
    ),
    "half a character": (
        lambda m: zipped(m | {"model.json": m["model.json"].replace(b"spur", b"\\ud800")}),
        "key 'classes' is not a list",
    ),
    "JSON that ends": (lambda m: zipped(m | {"model.json": b'{"format": 1'}), "not JSON"),
    "JSON, deep": (lambda m: zipped(m | {"model.json": b"[" * 200_000}), "not JSON"),
    "JSON of a list": (lambda m: zipped(m | {"model.json": b"[]"}), "not an object"),
    "format 3": (lambda m: with_card(m, format=3), "key 'format' is not 2"),
    "format 1": (
        lambda m: with_card(m, format=1),
        "format 1, .* make it anew with `gaikan exp",
    ),
    "ask level above 1": (lambda m: with_card(m, ask_level=1.5), "key 'ask_level' is not"),
    "another good class": (
        lambda m: with_card(m, ok=another_good_class()),
        "the graph's verdicts",
    ),
    "without held_out": (lambda m: with_card(m, held_out=...), "key 'held_out' is missing"),
    "graph without novelty": (lambda m: with_graph(m, no_novelty), "novelty_p"),
    "p-values above 1": (lambda m: with_graph(m, high_novelty), "novelty p-values that are not"),
    "classes a text": (lambda m: with_card(m, classes="ok"), "key 'classes' is not a list"),
    "class a number": (lambda m: with_card(m, classes=["ok", 1, 2]), "key 'classes' is not"),
    "two classes alike": (lambda m: with_card(m, classes=["a", "a", "b"]), "key 'classes' is"),
    "too few classes": (lambda m: with_card(m, classes=["ok", "spur"]), "3 anchors in the graph"),
    "ok no class": (lambda m: with_card(m, ok="good"), "'good', which is no class"),
    "giant image": (lambda m: with_card(m, shape=[1, 10**6, 10**6]), "key 'shape' is not"),
    "shape of text": (lambda m: with_card(m, shape="1x8x8"), "key 'shape' is not"),
    "threshold NaN": (lambda m: with_card(m, threshold=float("nan")), "key 'threshold' is not"),
    "a level beyond every float": (
        lambda m: with_card(m, ask_level=10**400),
        "key 'ask_level' is not",
    ),
    "unknown runtime": (lambda m: with_card(m, runtime="pickle"), "key 'runtime' is not onnx"),
    "key missing": (lambda m: with_card(m, dtype=...), "key 'dtype' is missing"),
    "key too many": (lambda m: with_card(m, command="rm -rf /"), "unknown key 'command'"),
    "wrong dtype": (lambda m: with_card(m, dtype="float32"), "does not run on its images"),
    "graph of noise": (
        lambda m: zipped(m | {"model.onnx": np.random.default_rng(0).bytes(5000)}),
        "not an ONNX graph",
    ),
    "graph cut off": (lambda m: zipped(m | {"model.onnx": m["model.onnx"][:-99]}), "not an ONNX"),
    "unknown op": (lambda m: with_graph(m, unknown_op), "refuses the graph .*LaunchMissiles"),
    "graph reads a file": (lambda m: with_graph(m, reads_a_file), "from another file; refused"),
    "graph of other images": (
        lambda m: with_graph(m, other_input),
        "does not run on",
    ),
    "graph without margin": (lambda m: with_graph(m, no_margin), "margin"),
    "graph without anchors": (lambda m: with_graph(m, no_anchors), "no anchors"),
    "graph of two anchors": (lambda m: with_graph(m, two_anchors), "2 anchors in the graph"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_one_line_and_nothing_written(
    kind: str, members: Members, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, words = HOSTILE[kind]
    broken = tmp_path / "broken.gaikan"
    broken.write_bytes(make(members))
    Image.fromarray(images(1)[0, 0]).save(tmp_path / "part.png")
    before = sorted(tmp_path.rglob("*"))
    image, out = tmp_path / "part.png", tmp_path / "out"
    for command in (
        ("predict", broken, image, "--csv", out),
        ("enrol", broken, image, "--class", "n", "-o", out),
        ("time", broken, "--out", out),
    ):
        assert gaikan(*command) == 2
        stdout, stderr = capfd.readouterr()
        assert stdout == ""
        assert stderr.count("\n") == 1
        assert stderr.startswith(f"gaikan: {broken}: ")
        assert re.search(words, stderr), stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_the_bundle_they_were_made_from_is_good(members: Members, tmp_path: Path) -> None:
    (tmp_path / "good.gaikan").write_bytes(zipped(members))
    Image.fromarray(images(1)[0, 0]).save(tmp_path / "part.png")
    assert gaikan("predict", tmp_path / "good.gaikan", tmp_path / "part.png", "--json") == 0


@pytest.mark.parametrize("path", ["absent.gaikan", "."])
def test_a_path_that_is_no_file_is_one_line(
    path: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert gaikan("predict", tmp_path / path, tmp_path) == 2
    assert capfd.readouterr().err.count("\n") == 1
