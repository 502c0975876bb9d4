"""Which bundle runs in a runtime, and what it needs installed."""

from gaikan.language.words import Words, say
from gaikan.run_folder.picks_file import InBundle

BASE = "pip install gaikan"
_RUNTIMES = "pip install 'gaikan[runtimes]'"


# By the label of the runtime that the bundle runs in.
BUNDLES = {
    "onnxruntime-fp32": InBundle(runtime="onnx", precision="fp32", needs=BASE),
    "onnxruntime-int8": InBundle(runtime="onnx", precision="int8", needs=BASE),
    "openvino-fp32": InBundle(runtime="openvino", precision="fp32", needs=_RUNTIMES),
    "openvino-int8": InBundle(runtime="openvino", precision="int8", needs=_RUNTIMES),
}
ON_BASE = tuple(label for label, bundle in BUNDLES.items() if bundle.needs == BASE)


def installing(label: str) -> Words:
    """What the bundle in a runtime needs installed, as part of a sentence."""
    bundle = BUNDLES.get(label)
    if bundle is None:
        return say("not_bundled", label=label, labels=", ".join(BUNDLES))
    return say("installing", **dict(bundle))
