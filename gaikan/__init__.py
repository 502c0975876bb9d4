"""gaikan: which small vision model to install at which inspection stage, and why."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaikan.estimators.anchor_classifier import AnchorClassifier
    from gaikan.estimators.inspection_classifier import InspectionClassifier

__version__ = "0.1.0"
__all__ = ["AnchorClassifier", "InspectionClassifier", "__version__"]

_MODULES = {
    "AnchorClassifier": "gaikan.estimators.anchor_classifier",
    "InspectionClassifier": "gaikan.estimators.inspection_classifier",
}


def __getattr__(name: str) -> object:
    """Imports an estimator when it is first asked for: the line lacks scikit-learn and torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        estimator: object = getattr(import_module(_MODULES[name]), name)
        return estimator
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{name} needs the harness ({error.name} is missing): pip install 'gaikan[bench]'"
        ) from None
