"""Networks as files for the processes that time them."""

from pathlib import Path

import pytest
import torch
from small_networks import SHAPE, trained

from gaikan.networks import NETWORKS
from gaikan.timing.torch_model import (
    DecisionTensors,
    Product,
    load_module,
    save_network,
    save_product,
)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("arch", NETWORKS)
def test_a_saved_network_is_the_same_one_without_a_pickled_module(
    arch: str, seed: int, tmp_path: Path
) -> None:
    module = trained(arch, seed).module
    weight = next(p for p in module.parameters() if p.dim() > 1)
    weight.data = weight.data.transpose(0, 1).contiguous().transpose(0, 1)
    save_network(module, arch, SHAPE, tmp_path)
    read = load_module(tmp_path / "model.pt")
    assert repr(read) == repr(module)
    assert isinstance(read, DecisionTensors)
    assert read.embedder.how == module.embedder.how == ("source", "local", "image")[seed % 3]
    for own, other in zip(module.state_dict().items(), read.state_dict().items(), strict=True):
        assert own[0] == other[0]
        assert torch.equal(own[1], other[1])
        assert own[1].stride() == other[1].stride()


def test_a_saved_product_is_the_same_one(tmp_path: Path) -> None:
    product = Product()
    save_product(product, tmp_path)
    rows = torch.rand(3, product.network.in_features)
    assert torch.equal(load_module(tmp_path / "model.pt")(rows)[0], product(rows)[0])


def test_a_pickled_module_is_refused(tmp_path: Path) -> None:
    torch.save(Product(), tmp_path / "model.pt")
    with pytest.raises(Exception, match="weights_only"):
        load_module(tmp_path / "model.pt")
