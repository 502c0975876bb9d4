"""Which bundle runs as a row of `latency.csv` was timed, and what has to be installed for it."""

from dataclasses import dataclass

from gaikan.run_folder.latency_rows import Row, runtime_of

BASE = "pip install gaikan"
_RUNTIMES = "pip install 'gaikan[runtimes]'"


@dataclass(frozen=True)
class InBundle:
    """A kind of bundle, as `gaikan export` makes it."""

    runtime: str  # onnx or openvino
    precision: str  # fp32 or int8
    needs: str  # the command that installs what it runs with


_BUNDLES = {
    "onnxruntime-fp32": InBundle("onnx", "fp32", BASE),
    "onnxruntime-int8": InBundle("onnx", "int8", BASE),
    "openvino-fp32": InBundle("openvino", "fp32", _RUNTIMES),
    "openvino-int8": InBundle("openvino", "int8", _RUNTIMES),
}
ON_BASE = tuple(label for label, held in _BUNDLES.items() if held.needs == BASE)


def bundle_of(row: Row) -> InBundle | None:
    """The bundle that runs as the row was timed; None where no bundle does."""
    return _BUNDLES.get(runtime_of(row))


def installing(row: Row) -> str:
    """What the bundle needs, as a sentence's part."""
    held = bundle_of(row)
    if held is None:
        return f"no bundle holds {runtime_of(row)}: a bundle has {', '.join(_BUNDLES)}"
    return f"its bundle ({held.runtime} {held.precision}) needs `{held.needs}`"
