"""Which bundle runs in the runtime of a row of `latency.csv`, and what it needs installed."""

from gaikan.run_folder.picks_file import InBundle

BASE = "pip install gaikan"
_RUNTIMES = "pip install 'gaikan[runtimes]'"


BUNDLES = {
    "onnxruntime-fp32": InBundle(runtime="onnx", precision="fp32", needs=BASE),
    "onnxruntime-int8": InBundle(runtime="onnx", precision="int8", needs=BASE),
    "openvino-fp32": InBundle(runtime="openvino", precision="fp32", needs=_RUNTIMES),
    "openvino-int8": InBundle(runtime="openvino", precision="int8", needs=_RUNTIMES),
}
ON_BASE = tuple(label for label, held in BUNDLES.items() if held.needs == BASE)


def bundle_of(label: str) -> InBundle | None:
    """The bundle that runs in a runtime, by its label; None where no bundle does."""
    return BUNDLES.get(label)


def installing(label: str) -> str:
    """What the bundle in a runtime needs, as a sentence's part."""
    held = bundle_of(label)
    if held is None:
        return f"no bundle holds {label}: a bundle has {', '.join(BUNDLES)}"
    return f"its bundle ({held.runtime} {held.precision}) needs `{held.needs}`"
