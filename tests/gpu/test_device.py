"""What only a GPU can show. `bench/gpu.sh` runs this where there is little but PyTorch."""

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.export.inspector import AnchorDistance, HeadDistance
from gaikan.networks import NETWORKS, Embedder, ImageShape
from gaikan.styles import STYLES
from gaikan.system.store import unpack
from gaikan.timing.measure import Rule, SamplingPlan
from gaikan.timing.runtime_process import Case, SessionParts
from gaikan.timing.runtimes import RUNTIMES, ModelFolder
from gaikan.timing.session import session
from gaikan.timing.torch_model import DecisionTensors, save_network
from gaikan.timing.torch_runtimes import cuda_bandwidth, cuda_peak
from gaikan.training.cell import Arrays, Cell, Finished, work
from gaikan.training.embed import embed
from gaikan.training.train import Recipe

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

SHAPE: ImageShape = (3, 20, 24)
IMAGES = np.random.default_rng(0).integers(0, 256, (9, *SHAPE), np.uint8)
OF_CUDA = [name for name, runtime in RUNTIMES.items() if runtime.device == "cuda"]
# What `gaikan bench` imports beyond what this file does.
WHOLE_RUN = (
    "typer",
    "rich",
    "PIL",
    "pandas",
    "pyarrow",
    "sklearn",
    "matplotlib",
    "jinja2",
    "tabulate",
    "filelock",
)


def network(arch: str, how: str = "source") -> DecisionTensors:
    rng = np.random.default_rng(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mean, std = torch.rand(3) * 100, 50 + torch.rand(3)
        embedder = Embedder(NETWORKS[arch](SHAPE), mean, std, how)
    anchors, head = (rng.normal(size=(4, 128)).astype(np.float32) for _ in range(2))
    decisions = {"a": AnchorDistance(anchors), "head": HeadDistance(head, head[:, 0].copy())}
    return DecisionTensors(embedder, {**decisions})


@pytest.mark.parametrize("arch", NETWORKS)
@pytest.mark.parametrize("label", OF_CUDA)
def test_cuda_runtimes_predict_as_the_reference_does(label: str, arch: str, tmp_path: Path) -> None:
    module = network(arch)
    save_network(module, arch, SHAPE, tmp_path)
    loaded = RUNTIMES[label].load(tmp_path, None)
    for images in (IMAGES, IMAGES[::-1].copy(), IMAGES[:1]):  # a captured graph sees new images
        with torch.inference_mode():
            expected = module(torch.from_numpy(images))
        found = loaded(images)
        for k in (1, 4):  # the distances of both decisions
            own = np.asarray(found[k], np.float32)
            np.testing.assert_allclose(own, expected[k].numpy(), rtol=0.02, atol=0.05)
    device = loaded.on_device(IMAGES)
    assert device is not None
    assert 0 < device() < 1


def test_fp32_of_a_gpu_is_not_tf32(tmp_path: Path) -> None:
    module = network("cnn")
    save_network(module, "cnn", SHAPE, tmp_path)
    with torch.inference_mode():
        expected = module(torch.from_numpy(IMAGES))[1].numpy()
    found = RUNTIMES["torch-fp32-cuda"].load(tmp_path, None)(IMAGES)[1]
    np.testing.assert_allclose(np.asarray(found, np.float32), expected, rtol=1e-4, atol=1e-4)
    torch.backends.cudnn.allow_tf32 = True  # as it is by default
    own = embed(module.embedder, torch.from_numpy(IMAGES))
    on_gpu = embed(module.embedder.cuda(), torch.from_numpy(IMAGES))
    np.testing.assert_allclose(on_gpu, own, rtol=1e-4, atol=1e-4)


def cell(arch: str, style: str, precision: str, device: str, n_parts: int) -> Cell:
    settings = TrainConfig(epochs=12, batch_size=32, precision=precision, normalise="source")  # type: ignore[arg-type]
    options = STYLES[style].options_type().model_dump()
    recipe = Recipe(arch, style, options, settings, AugmentConfig(shift=0.1), seed=0)
    rows = np.arange(n_parts)
    return Cell(recipe, rows[::2], rows[1::2], ("mean_image", "mean_embedding"), device)


def parts() -> Arrays:
    """Four classes of 40 parts, told by where a bright bar is."""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(4), 40)
    images = rng.integers(0, 120, (160, *SHAPE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 4 * label + 2 : 4 * label + 5] += np.uint8(100)
    return Arrays(images, labels, ("a", "b", "c", "d"), images[1::2], "bars")


def trained(done: Finished) -> bytes:
    assert done.failure is None
    assert done.trained is not None
    return b"".join(array.tobytes() for _, array in sorted(unpack(done.trained)[0].items()))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("arch", NETWORKS)
def test_a_training_on_the_gpu_learns_as_one_on_the_processor_does(
    arch: str, style: str, precision: str
) -> None:
    if STYLES[style].package is not None:
        pytest.importorskip("pytorch_metric_learning", reason="needs gaikan[styles]")
    data = parts()
    for device in ("cuda", "cpu"):
        done = work(cell(arch, style, precision, device, 160), data, None, lambda *_: None)
        assert done.failure is None
        assert done.embedded is not None
        arrays = unpack(done.embedded)[0]
        gaps = arrays["test"][:, None] - arrays["anchors.mean_embedding"]
        right = np.square(gaps).sum(2).argmin(1) == data.labels[1::2]
        assert right.mean() > 0.9, device


def test_a_training_in_fp32_gives_the_same_bytes_again() -> None:
    data = parts()
    once, again = (
        trained(work(cell("cnn", "triplet", "fp32", "cuda", 160), data, None, lambda *_: None))
        for _ in range(2)
    )
    assert once == again


def test_memory_of_a_gpu_grows_with_the_batch_and_its_speed_is_measured(tmp_path: Path) -> None:
    save_network(network("cnn"), "cnn", SHAPE, tmp_path)
    loaded = RUNTIMES["torch-fp16-cuda"].load(tmp_path, None)
    small, large = (
        cuda_peak(lambda size=size: loaded(np.resize(IMAGES, (size, *SHAPE))))  # type: ignore[misc]
        for size in (16, 1024)
    )
    assert large > small + 500 * np.prod(SHAPE)
    assert all(speed > 1e9 for speed in cuda_bandwidth().values())


def test_processes_of_every_cuda_runtime_are_timed_in_turns(tmp_path: Path) -> None:
    save_network(network("cnn"), "cnn", SHAPE, tmp_path)
    np.save(tmp_path / "images.npy", IMAGES)
    settings = [RUNTIMES[label].setting(1) for label in OF_CUDA]
    plan = SamplingPlan(Rule(0, 5), Rule(0, 2), (1, 64), rounds=2, warm_up=0.05)
    with session(
        settings, SessionParts(str(tmp_path / "images.npy"), ("a", "b", "c", "d")), lambda *_: None
    ) as opened:
        opened.load({"cnn": ModelFolder(tmp_path)})
        cases = [(s, Case("cnn", size)) for s in settings for size in plan.batches]
        opened.measure(cases, plan, np.random.default_rng(0))
        assert opened.measured.refused == {}
        for setting in settings:
            for size in plan.batches:
                for turn in opened.measured.turns[setting, Case("cnn", size)]:
                    assert turn.device is not None
                    assert 0 < np.median(turn.device) < np.median(turn.seconds)


@pytest.mark.skipif(not all(map(find_spec, WHOLE_RUN)), reason="gaikan's bench is not all here")
def test_a_run_on_cuda_has_its_rows(tmp_path: Path) -> None:
    import pandas as pd
    from runner import command_line
    from tiny import write_class

    for place, name in enumerate(("ok", "open", "spur")):
        write_class(tmp_path / "parts" / name, 3 * place, 20, seed=0, contrast=20)
    tables = []
    for device in ("cuda", "cpu"):
        out = tmp_path / device
        command = command_line(
            "bench", "--train", tmp_path / "parts", "--device", device, "--out", out,
            "--seeds", "1", "--epochs", "2", "--no-timing",
        )  # fmt: skip
        subprocess.run(command, capture_output=True, check=True)
        assert json.loads((out / "manifest.json").read_text())["device"] == device
        tables.append(pd.read_csv(out / "accuracy.csv"))
    identity = ["variant", "seed", "split", "n"]
    assert tables[0][identity].equals(tables[1][identity])
