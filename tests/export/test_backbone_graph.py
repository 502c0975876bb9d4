"""A network that others trained inside an exported graph: what it computes alone."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tiny_backbone import GREY, loaded, write_backbone

from gaikan.errors import ConfigError
from gaikan.export.backbone_graph import with_backbone
from gaikan.export.inspector import AnchorDistance, Decide, Inspector, to_onnx
from gaikan.export.novelty_score import Novelty, NoveltyScore
from gaikan.networks import Embedder
from gaikan.novelty.gaussian import familiarity


@pytest.mark.parametrize(("opset", "pooled"), [(11, False), (17, True), (22, True)])
def test_the_graph_computes_what_the_network_does(tmp_path: Path, opset: int, pooled: bool) -> None:
    path = write_backbone(tmp_path / "b.onnx", channels=3, pooled=pooled, opset=opset)
    network = loaded(path)
    embedder = Embedder(network, torch.tensor([9.0]), torch.tensor([30.0]), "image")
    rng = np.random.default_rng(0)
    anchors = rng.normal(size=(4, network.embedding_size)).astype(np.float32)
    novelty = Novelty(familiarity(anchors), np.arange(9, dtype=np.float32))
    inspector = Inspector(embedder, Decide(AnchorDistance(anchors)), NoveltyScore(novelty))
    images = rng.integers(0, 256, (7, *GREY), np.uint8)
    graph = to_onnx(inspector, GREY, torch.uint8)
    assert {opset.domain for opset in graph.opset_import} == {""}
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    found = session.run(None, {"images": images})
    expected = inspector(torch.from_numpy(images))
    for output, exact in zip(found, expected, strict=True):
        np.testing.assert_allclose(output, exact.numpy(), rtol=1e-4, atol=1e-5)


def test_a_graph_that_cannot_be_converted_is_told_with_its_remedy(tmp_path: Path) -> None:
    model = onnx.load(write_backbone(tmp_path / "b.onnx", opset=11))
    other = onnx.load(write_backbone(tmp_path / "c.onnx", opset=17))
    model.graph.node[1].op_type = "Unheard"
    with pytest.raises(ConfigError, match="from opset 11 to 17: "):
        with_backbone(other, model.SerializeToString())
