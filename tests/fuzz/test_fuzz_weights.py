"""Weights files with something wrong in them."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from fuzzing import TEXTS, VALUES, damaged, fuzz, valid_or_refused
from hypothesis import example, given
from hypothesis import strategies as st
from tiny import SIDE, write_class

from gaikan.config.toml_files import load_config
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.data.split import split
from gaikan.grid.cells import cells
from gaikan.networks import NETWORKS
from gaikan.training.weights import Weights, imported

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]


def saved(state: Any, **options: Any) -> bytes:
    content = io.BytesIO()
    torch.save(state, content, **options)
    return content.getvalue()


@cache
def state() -> dict[str, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = dict(NETWORKS["mlp"]((1, SIDE, SIDE)).state_dict())
    return network | {"head.weight": torch.zeros(2, 128), "head.bias": torch.zeros(2)}


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    folder = tmp_path_factory.mktemp("weights")
    for place, name in ((0, "ok"), (4, "spur")):
        write_class(folder / name, place, 6, seed=0)
    return read_source(str(folder))


def read(folder: Path, content: bytes, style: str, train: Frames) -> None:
    path = folder / "odd.pth"
    path.write_bytes(content)
    valid_or_refused(f"weights, {style}", lambda: use(path, style, train), str(path))


def use(path: Path, style: str, train: Frames) -> None:
    weights = Weights.read(path, None, None, None)
    asked = {"seeds": 1, "grid.arch": ["mlp"], "grid.style": [style]}
    parts = {0: split(train, 0)}
    (cell,) = cells(load_config(None, asked), "cpu", parts, train)
    assert imported(cell, weights, train)[1]


STYLES = st.sampled_from(["vanilla", "triplet"])
TENSORS = st.sampled_from(
    [
        torch.zeros(0),
        torch.tensor(1.0),
        torch.full((2,), torch.nan),
        torch.zeros(2, 128, dtype=torch.float64),
        torch.zeros(2, 128, dtype=torch.complex64),
        torch.zeros(2, dtype=torch.bool),
        torch.zeros(2, dtype=torch.bfloat16),
        torch.ones(2, 128).to_sparse(),
        torch.zeros(1).expand(10**12),
        torch.zeros(2, device="meta"),
        torch.nn.Parameter(torch.zeros(2)),
    ]
)


@st.composite
def odd_states(draw: st.DrawFn) -> Any:
    found: Any = dict(state())
    if draw(st.booleans()):
        del found["head.weight"], found["head.bias"]
    name = draw(st.sampled_from([*found]))
    tensor = found[name]
    match draw(
        st.sampled_from(["tensor", "value", "drop", "rename", "type", "shape", "prefix", "all"])
    ):
        case "tensor":
            found[name] = draw(TENSORS)
        case "value":
            found[name] = draw(VALUES)
        case "drop":
            del found[name]
        case "rename":
            found[draw(TEXTS | st.integers())] = found.pop(name)
        case "type":
            kinds = [torch.float16, torch.float64, torch.int64, torch.uint8, torch.complex64]
            found[name] = tensor.to(draw(st.sampled_from(kinds)))
        case "shape":
            found[name] = tensor[None]
        case "prefix":
            found = {f"embedding_net.{key}": value for key, value in found.items()}
        case "all":
            found = draw(VALUES | TENSORS | st.lists(TENSORS, max_size=2))
    return found


@fuzz(25)
@given(odd_states(), STYLES)
@example({1: torch.zeros(2)}, "vanilla")
@example(dict(state()) | {"head.bias": torch.zeros(2, device="meta")}, "vanilla")
@example(dict(state()) | {"norm1.num_batches_tracked": torch.tensor(1j)}, "vanilla")
@example(dict(state()) | {"head.bias": torch.full((2,), torch.nan)}, "vanilla")
def test_fuzz_weights_with_other_tensors(
    tmp_path_factory: pytest.TempPathFactory, train: Frames, odd: Any, style: str
) -> None:
    read(tmp_path_factory.getbasetemp(), saved(odd), style, train)


@pytest.mark.parametrize("zipped", [True, False])
@fuzz(25)
@given(st.data())
def test_fuzz_damaged_weights(
    tmp_path_factory: pytest.TempPathFactory, train: Frames, zipped: bool, data: st.DataObject
) -> None:
    """Where the archive begins or ends: between lie the values."""
    content = saved(state(), _use_new_zipfile_serialization=zipped)
    part = data.draw(st.sampled_from([slice(0, 2500), slice(-2500, None)]))
    begin, end, _ = part.indices(len(content))
    odd = content[:begin] + data.draw(damaged(content[part])) + content[end:]
    read(tmp_path_factory.getbasetemp(), odd, data.draw(STYLES), train)
