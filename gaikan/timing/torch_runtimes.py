"""Runs a stored module in PyTorch, on the processor or on CUDA."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from gaikan.networks import Embedder
from gaikan.timing.runtimes import Images, Loaded, Outputs
from gaikan.timing.torch_model import Product, load_module

_NARROW = {"bf16": torch.bfloat16, "fp16": torch.float16}
_GRAPH_WARM_UP = 3
_COPIES = 50


class Narrow(nn.Module):
    """A network whose convolutions and products are done in `dtype`; float32 in and out.

    Its weights are converted once. Autocast converts them at every call, which slows down single
    images, and computes what comes after the network in `dtype` as well.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
            elif isinstance(layer, nn.Linear):
                layer.to(dtype)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images."""
        embeddings: Tensor = self.network(images.to(self.dtype))
        return embeddings.float()


def read_module(path: Path, device: str, precision: str) -> nn.Module:
    """The module, its convolutions and products in that precision; distances are in float32."""
    module = load_module(path, device)
    if precision in _NARROW:
        for holder in [m for m in module.modules() if isinstance(m, Embedder | Product)]:
            holder.network = Narrow(holder.network, _NARROW[precision])
    return module.eval()


@dataclass
class Eager(Loaded):
    """A module on the processor."""

    module: Callable[[Tensor], tuple[Tensor, ...]]
    threads: int | None

    def __call__(self, images: Images) -> Outputs:
        """Raw images to outputs."""
        with torch.inference_mode():
            return [output.numpy() for output in self.module(torch.from_numpy(images))]


def eager(path: Path, threads: int, precision: str) -> Loaded:
    """PyTorch; in fp32, what all other runtimes are compared with."""
    torch.set_num_threads(threads)
    return Eager(read_module(path, "cpu", precision), torch.get_num_threads())


def compiled(path: Path, threads: int, precision: str) -> Loaded:
    """`torch.compile`, for any batch size; compiling is part of the cold start."""
    torch.set_num_threads(threads)
    module = torch.compile(read_module(path, "cpu", precision), dynamic=True)
    return Eager(module, torch.get_num_threads())


@dataclass
class Cuda(Loaded):
    """A module on the GPU: images go there and outputs come back within the call."""

    module: Callable[[Tensor], tuple[Tensor, ...]]
    threads: int | None = None

    def _predict(self, images: Tensor) -> tuple[Tensor, ...]:
        with torch.inference_mode():
            return self.module(images)

    def __call__(self, images: Images) -> Outputs:
        """Raw images to outputs; the copies back wait for the GPU."""
        return [out.cpu().numpy() for out in self._predict(torch.from_numpy(images).cuda())]

    def on_device(self, images: Images) -> Callable[[], float] | None:
        """The time of network and decision, by CUDA events, on images that lie on the GPU."""
        resident = torch.from_numpy(images).cuda()
        return _by_events(lambda: self._predict(resident))


def _by_events(run: Callable[[], object]) -> Callable[[], float]:
    """A query that gives the seconds that `run` takes on the GPU."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]

    def query() -> float:
        """Once more, from an idle GPU on."""
        torch.cuda.synchronize()
        begin.record()
        run()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / 1e3

    return query


def cuda(path: Path, threads: int, precision: str) -> Loaded:
    """PyTorch on the GPU; in fp32, without TF32."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return Cuda(read_module(path, "cuda", precision))


def cuda_bandwidth() -> dict[int, float]:
    """Bytes a second of copying within the GPU's memory, by size of both blocks together, bytes."""
    speeds = {}
    for size in (2**23, 2**28):  # within the GPU's cache, and beyond it
        pair = torch.zeros((2, size // 2), dtype=torch.uint8, device="cuda")
        query = _by_events(lambda pair=pair: pair[0].copy_(pair[1]))  # type: ignore[misc]
        speeds[size] = size / min(query() for _ in range(_COPIES))
    return speeds


def cuda_batch_memory() -> int:
    """Bytes of the GPU's memory that one batch may take: a quarter."""
    return torch.cuda.get_device_properties(0).total_memory // 4


def cuda_peak(run: Callable[[], object]) -> int:
    """Bytes of the GPU's memory that this process held at most while `run` worked."""
    torch.cuda.reset_peak_memory_stats()
    run()
    return torch.cuda.max_memory_allocated()


class CudaGraph(Cuda):
    """A captured graph for each batch size: all its kernels start in one launch."""

    graphs: dict[tuple[int, ...], tuple[torch.cuda.CUDAGraph, Tensor, tuple[Tensor, ...]]]

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module)
        self.graphs = {}

    def _captured(self, images: Images) -> tuple[torch.cuda.CUDAGraph, Tensor, tuple[Tensor, ...]]:
        if images.shape not in self.graphs:
            static = torch.from_numpy(images).cuda()
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):  # libraries choose their kernels before the capture
                for _ in range(_GRAPH_WARM_UP):
                    self._predict(static)
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                outputs = self._predict(static)
            self.graphs[images.shape] = graph, static, outputs
        return self.graphs[images.shape]

    def __call__(self, images: Images) -> Outputs:
        """Copies the images into the graph's own memory, replays, copies the outputs back."""
        graph, static, outputs = self._captured(images)
        static.copy_(torch.from_numpy(images))
        graph.replay()
        return [output.cpu().numpy() for output in outputs]

    def on_device(self, images: Images) -> Callable[[], float] | None:
        """The time of the replay alone, by CUDA events, on images that lie on the GPU."""
        return _by_events(self._captured(images)[0].replay)


def cuda_graph(path: Path, threads: int, precision: str) -> Loaded:
    """PyTorch on the GPU; each batch size is captured once as a graph."""
    return CudaGraph(read_module(path, "cuda", precision))
