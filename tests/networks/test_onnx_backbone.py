"""Networks that others trained: the same numbers as ONNX Runtime's own, and files that are none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from tiny_backbone import GREY, loaded, write_backbone

from gaikan.errors import ConfigError
from gaikan.export.inspector import exported
from gaikan.networks import NETWORKS


@pytest.mark.parametrize("channels", [1, 3, "channels"])
@pytest.mark.parametrize("pooled", [True, False])
def test_embeddings_are_those_of_the_file(
    tmp_path: Path, channels: int | str, pooled: bool
) -> None:
    path = write_backbone(tmp_path / "b.onnx", channels, pooled=pooled)
    images = np.random.default_rng(0).normal(size=(5, *GREY)).astype(np.float32)
    given = np.repeat(images, channels, 1) if isinstance(channels, int) else images
    (expected,) = onnxruntime.InferenceSession(path).run(None, {"image": given})
    if not pooled:
        assert expected.shape[2:] == (6, 5)
        expected = expected.mean((2, 3))
    network = loaded(path)
    laid_out = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(network(laid_out).numpy(), expected, rtol=1e-4, atol=1e-6)
    assert network.embedding_size == 12


def test_it_is_carried_by_its_tensors(tmp_path: Path) -> None:
    path = write_backbone(tmp_path / "b.onnx")
    state = loaded(path).state_dict()
    assert state["model"].numpy().tobytes() == path.read_bytes()


def _two_outputs(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("relu", TensorProto.FLOAT, None))


def _integers(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT32
    model.graph.node.insert(0, helper.make_node("Cast", ["image"], ["real"], to=1))
    model.graph.node[1].input[0] = "real"


def _vector(model: onnx.ModelProto) -> None:
    model.graph.node.append(
        helper.make_node("ReduceMean", ["embedding"], ["one"], axes=[1], keepdims=0)
    )
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("one", TensorProto.FLOAT, ["n"]))


def _flat_input(model: onnx.ModelProto) -> None:
    del model.graph.input[0].type.tensor_type.shape.dim[3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_two_outputs, "1 inputs and 2 outputs"),
        (_integers, "'image' is a tensor(int32); float32 is needed"),
        (_vector, "of 2 images it gives 2; N x D is needed"),
        (_flat_input, "no ONNX file that ONNX Runtime reads|has 3 axes"),
    ],
)
def test_other_graphs_are_refused(
    tmp_path: Path, change: Callable[[onnx.ModelProto], None], said: str
) -> None:
    path = write_backbone(tmp_path / "b.onnx")
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    with pytest.raises(ConfigError) as raised:
        loaded(path)
    assert any(part in str(raised.value) for part in said.split("|"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"size": (224, 224)}, "takes images of 224x224; these are 12x10: say --shape 224x224"),
        ({"size": (24, "w")}, "takes images of 24x10; these are 12x10: say --shape 24x10"),
        ({"batch": 1}, "1 images at a time; export it with a dynamic batch axis"),
    ],
)
def test_a_fixed_size_is_told_with_its_remedy(
    tmp_path: Path, made: dict[str, tuple[int | str, ...]], said: str
) -> None:
    path = write_backbone(tmp_path / "b.onnx", **made)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=said):
        loaded(path)


def test_a_fixed_size_that_is_the_images_own_is_taken(tmp_path: Path) -> None:
    assert loaded(write_backbone(tmp_path / "b.onnx", size=GREY[1:])).channels == 1


def test_colour_is_not_given_to_a_grey_network(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="images of 1 channels; these have 3"):
        loaded(write_backbone(tmp_path / "b.onnx"), (3, 12, 10))


def test_what_fails_only_when_it_runs_is_told(tmp_path: Path) -> None:
    path = write_backbone(tmp_path / "b.onnx", channels="any")  # its weights are of one
    with pytest.raises(ConfigError, match="does not take images of 3 x 12 x 10: "):
        loaded(path, (3, 12, 10))


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    path = write_backbone(tmp_path / "b.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, size_threshold=0, location="w.bin")
    with pytest.raises(ConfigError, match="weights are in files beside it"):
        loaded(path)


@pytest.mark.parametrize("content", [b"not a network", b"\0", b"\x08\x08"])
def test_what_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.onnx").write_bytes(content)
    with pytest.raises(ConfigError, match="no ONNX file that ONNX Runtime reads"):
        loaded(tmp_path / "b.onnx")


def test_a_network_that_torch_exports_gives_the_same_embeddings(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = NETWORKS["resnet"](GREY).eval()
        images = torch.randn(5, *GREY)
    batch = ({0: torch.export.Dim("batch", min=1)},)
    model = exported(network, (images,), ["image"], ["embedding"], batch)
    (tmp_path / "b.onnx").write_bytes(model.SerializeToString())
    with torch.inference_mode():
        found, expected = loaded(tmp_path / "b.onnx")(images), network(images)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-3, atol=1e-5)
