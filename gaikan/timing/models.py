"""Trained networks as the model files that the runtimes load: PyTorch, ONNX, ONNX in int8."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gaikan.bundle.graph import DECISION, INPUT
from gaikan.data.frames import Images
from gaikan.errors import first_line
from gaikan.export.inspector import AnchorDistance, HeadDistance, distance_of, exported
from gaikan.export.quantized import quantized
from gaikan.language.words import Words, say
from gaikan.networks import NETWORKS, Embedder, ImageShape, OnnxBackbone
from gaikan.timing.runtimes import INT8_MODEL, MODEL, TORCH_MODEL, ModelFolder
from gaikan.timing.torch_model import (
    GEMM_SIZE,
    DecisionTensors,
    Product,
    save_network,
    save_product,
)
from gaikan.training.stored_network import StoredEmbeddings, StoredNetwork
from gaikan.variants import HEAD, Variant, network_name

if TYPE_CHECKING:
    from onnx import ModelProto

_IR_VERSION = 10  # which ONNX Runtime reads from 1.20 on


@dataclass(frozen=True)
class TrainedFiles:
    """A network of a run: what it is, and all its decisions."""

    arch: str
    style: str
    seed: int
    shape: ImageShape
    module: DecisionTensors

    @property
    def network(self) -> str:
        """Architecture and style."""
        return network_name(self.arch, self.style)

    @property
    def backbone(self) -> OnnxBackbone | None:
        """The network where it is one that others trained."""
        network = self.module.embedder.network
        return network if isinstance(network, OnnxBackbone) else None

    @property
    def variants(self) -> list[Variant]:
        """One for each decision of the module, in its order."""
        return [Variant(self.arch, self.style, decision) for decision in self.module.decisions]

    @classmethod
    def of(cls, trained: bytes, embedded: bytes) -> "TrainedFiles":
        """From the two store entries of a cell."""
        stored, decisions = StoredNetwork.unpack(trained), StoredEmbeddings.unpack(embedded)
        distances = {name: distance_of(decisions, name) for name in decisions.names}
        module = DecisionTensors(stored.embedder(), distances)
        return cls(stored.arch, stored.style, stored.seed, stored.shape, module)


def size_of(module: DecisionTensors, shape: ImageShape, dtype: torch.dtype) -> tuple[int, float]:
    """Parameters (with those of a linear head), and operations for one image, millions.

    Operations are torch's count: two for each multiply-add of convolutions and matrix products.
    """
    parameters = sum(parameter.numel() for parameter in module.embedder.parameters())
    for distance in module.distances.values():
        if isinstance(distance, HeadDistance):
            parameters += distance.weight.numel() + distance.bias.numel()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        module(torch.zeros((1, *shape), dtype=dtype))
    return parameters, counter.get_total_flops() / 1e6


class Exporter:
    """Writes models as ONNX. A graph is traced once an architecture, then filled with weights.

    Tracing takes seconds, filling and optimising a tenth of one.
    """

    def __init__(self, dtype: torch.dtype, n_classes: int, anchors: list[str]) -> None:
        self.dtype, self.n_classes, self.anchors = dtype, n_classes, anchors
        self._traced: dict[tuple[str, ImageShape, str], ModelProto] = {}

    def write(
        self, trained: TrainedFiles, calibration: Images, all_of_it: Path, alone: dict[str, Path]
    ) -> tuple[ModelFolder, dict[str, ModelFolder]]:
        """A network with all decisions, and with one `alone` for each of the folders given."""
        models, missing = self._models(trained, calibration)
        if trained.backbone is not None:
            missing[TORCH_MODEL] = say("onnx_network")
        folders = {name: ModelFolder(folder, missing) for name, folder in alone.items()}
        whole = ModelFolder(all_of_it, missing)
        if TORCH_MODEL not in missing:
            save_network(trained.module, trained.arch, trained.shape, whole.folder)
            for name, folder in folders.items():
                only = trained.module.only(name)
                save_network(only, trained.arch, trained.shape, folder.folder)
        for file, model in models.items():
            _save(model, all_of_it / file)
            for name, folder in folders.items():
                _save(pruned(model, name), folder.folder / file)
        return whole, folders

    def _models(
        self, trained: TrainedFiles, calibration: Images
    ) -> tuple[dict[str, "ModelProto"], dict[str, Words]]:
        """By the name of their file: the ONNX models, and why some are missing."""
        if absent := _missing_package():
            return {}, dict.fromkeys((MODEL, INT8_MODEL), absent)
        try:
            model = self._filled(trained)
        except Exception as error:  # whatever the exporter says is the reason in the rows
            return {}, dict.fromkeys((MODEL, INT8_MODEL), say("no_onnx", error=first_line(error)))
        try:
            return {MODEL: model, INT8_MODEL: quantized(model, calibration)}, {}
        except Exception as error:
            return {MODEL: model}, {INT8_MODEL: say("no_int8", error=first_line(error))}

    def _filled(self, trained: TrainedFiles) -> "ModelProto":
        from onnx import numpy_helper
        from onnxscript import optimizer

        model = self._trace(trained)
        state = {
            name: value.numpy()
            for name, value in trained.module.state_dict().items()
            if not name.endswith(("num_batches_tracked", "network.model"))
        }
        filled = type(model)()
        filled.CopyFrom(model)
        for initializer in filled.graph.initializer:
            name = initializer.name
            if name in state:
                value = state.pop(name)
                assert tuple(initializer.dims) == value.shape, name
                initializer.CopyFrom(numpy_helper.from_array(value, name))
        assert not state, f"not in the traced graph: {sorted(state)}"
        return optimizer.optimize(pruned(filled, *trained.module.decisions))

    def _trace(self, trained: TrainedFiles) -> "ModelProto":
        arch, shape, how = trained.arch, trained.shape, trained.module.embedder.how
        if (arch, shape, how) not in self._traced:
            mean, std = torch.zeros(shape[0]), 2 * torch.ones(shape[0])
            network = trained.backbone or NETWORKS[arch](shape)
            embedder = Embedder(network, mean, std, how)
            anchors = np.zeros((self.n_classes, network.embedding_size), np.float32)
            distances: dict[str, nn.Module] = {
                name: AnchorDistance(anchors.copy()) for name in self.anchors
            }
            distances[HEAD] = HeadDistance(anchors.copy(), anchors[:, 0].copy())
            module = DecisionTensors(embedder, distances)
            example = torch.zeros((2, *shape), dtype=self.dtype)
            self._traced[arch, shape, how] = exported(
                module,
                (example,),
                [INPUT],
                _outputs(distances),
                ({0: torch.export.Dim("batch", min=1)},),
                optimize=False,
            )
        return self._traced[arch, shape, how]


def _missing_package() -> Words | None:
    """Which package keeps models from being exported; None where all are there."""
    absent = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    return say("not_installed", package=absent[0]) if absent else None


def _outputs(decisions: Iterable[str]) -> list[str]:
    return [f"{output}.{name}" for name in decisions for output in DECISION]


def pruned(model: "ModelProto", *decisions: str) -> "ModelProto":
    """The ONNX model with those decisions alone."""
    from onnx.utils import Extractor

    return Extractor(model).extract_model([INPUT], _outputs(decisions))


def _save(model: "ModelProto", path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())


def write_gemm(folder: Path) -> ModelFolder:
    """A product of two square matrices as a model: what the machine's arithmetic can do."""
    size = GEMM_SIZE
    product = Product()
    save_product(product, folder)
    if absent := _missing_package():
        return ModelFolder(folder, dict.fromkeys((MODEL, INT8_MODEL), absent))
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(product.network.weight.detach().numpy(), "weight")
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name in (INPUT, "product")
    ]
    node = helper.make_node("MatMul", [INPUT, "weight"], ["product"], "product")
    graph = helper.make_graph([node], "gemm", values[:1], values[1:], [weight])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=_IR_VERSION
    )
    _save(model, folder / MODEL)
    _save(quantized(model, np.ones((64, size), np.float32)), folder / INT8_MODEL)
    return ModelFolder(folder)
