"""Models of 8-bit integers."""

from pathlib import Path

import onnx
from small_networks import IMAGES, exporter, trained

from gaikan.export.quantized import quantized
from gaikan.timing.models import pruned


def test_int8_leaves_the_decision_in_fp32_and_the_model_as_it_was(tmp_path: Path) -> None:
    exporter().write(trained("mlp", 1), IMAGES, tmp_path, {})
    model = pruned(onnx.load(tmp_path / "model.onnx"), "head")
    before = model.SerializeToString()
    int8 = quantized(model, IMAGES)
    assert model.SerializeToString() == before
    weights = {i.name: i.data_type for i in int8.graph.initializer}
    assert weights["decisions.head.distance.weight"] == 1  # FLOAT
    assert "embedder.network.fc1.weight" not in weights
