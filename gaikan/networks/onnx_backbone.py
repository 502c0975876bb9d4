"""A network that others trained, as an ONNX file: computed by ONNX Runtime, never trained here."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gaikan.errors import ConfigError, first_line
from gaikan.networks.shape import ImageShape, Network

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PLACEHOLDER = "gaikan::Backbone"  # the node that stands for the file's graph in an exported one
_EXTERNAL = b"\n\x08location\x12"  # a weight's entry that names the file which holds it


class OnnxBackbone(Network):
    """(N, C, H, W) float32 -> (N, D) float32; of a map (N, D, h, w) the mean over its places.

    `model` (B,) uint8 holds the file's bytes. Grey images are given to each channel of a network
    that takes more. Raises ConfigError, without the file's name, where it is no such network.
    """

    model: Tensor

    def __init__(self, shape: ImageShape, model: Tensor) -> None:
        super().__init__(shape)
        self.register_buffer("model", model)
        self._session = _session(self.content)
        self._input, self.channels = _input(self._session, shape)
        self._raw: tuple[int, ...] = ()  # of what one image gives: (D,) or (D, h, w)
        self._raw = tuple(self._run(torch.zeros((2, *shape)))[0].shape)
        self.embedding_size = self._raw[0]

    @property
    def content(self) -> bytes:
        """The file, byte for byte."""
        return self.model.cpu().numpy().tobytes()

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of normalised images. In an export, a placeholder for the file's graph."""
        if torch.onnx.is_in_onnx_export():
            found = torch.onnx.ops.symbolic(
                PLACEHOLDER,
                (self._repeated(images),),
                dtype=torch.float32,
                shape=(images.shape[0], *self._raw),
                version=1,
            )
        else:
            found = self._run(images)
        return found.mean((2, 3)) if len(self._raw) == 3 else found

    def _repeated(self, images: Tensor) -> Tensor:
        return images.expand(-1, self.channels, -1, -1)

    def _run(self, images: Tensor) -> Tensor:
        given = self._repeated(images).contiguous().cpu().numpy()
        try:
            (found,) = self._session.run(None, {self._input: given})
        except Exception as error:  # each of ONNX Runtime's own kinds
            size = " x ".join(map(str, given.shape[1:]))
            reason = first_line(error)
            raise ConfigError(f"it does not take images of {size}: {reason}") from None
        if found.ndim not in (2, 4) or len(found) != len(given):
            size = " x ".join(map(str, found.shape))
            raise ConfigError(
                f"of 2 images it gives {size}; N x D is needed, or a map N x D x h x w"
            )
        return torch.from_numpy(found).to(images.device)


def _session(content: bytes) -> "InferenceSession":
    """The file in ONNX Runtime, on one thread: figures do not depend on the number of cores."""
    import onnxruntime

    if _EXTERNAL in content:
        raise ConfigError(
            "its weights are in files beside it; save them inside "
            "(torch.onnx.export: external_data=False)"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # each of ONNX Runtime's own kinds
        raise ConfigError(f"no ONNX file that ONNX Runtime reads: {first_line(error)}") from None


def _input(session: "InferenceSession", shape: ImageShape) -> tuple[str, int]:
    """Name and channels of the only input, for images of `shape`. Raises ConfigError."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ConfigError(f"it has {len(inputs)} inputs and {len(outputs)} outputs; one of each")
    (given,), (found,) = inputs, outputs
    for value in (given, found):
        if value.type != "tensor(float)":
            raise ConfigError(f"{value.name!r} is a {value.type}; float32 is needed")
    if len(given.shape) != 4:
        raise ConfigError(f"{given.name!r} has {len(given.shape)} axes; N x C x H x W is needed")
    # A size that is not fixed is a name or None.
    batch, channels, *size = (n if isinstance(n, int) else None for n in given.shape)
    if batch is not None:
        raise ConfigError(f"it takes {batch} images at a time; export it with a dynamic batch axis")
    channels = shape[0] if channels is None else channels
    if channels != shape[0] and shape[0] != 1:
        raise ConfigError(f"it takes images of {channels} channels; these have {shape[0]}")
    if any(n not in (None, own) for n, own in zip(size, shape[1:], strict=True)):
        wanted = "x".join(str(n or own) for n, own in zip(size, shape[1:], strict=True))
        raise ConfigError(
            f"it takes images of {wanted}; these are {shape[1]}x{shape[2]}: say --shape {wanted}"
        )
    return str(given.name), channels
