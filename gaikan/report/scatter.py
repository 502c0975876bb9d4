"""What the scatter of a page draws: parts, planes and anchors, as JSON-able values."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.figures.pca import project
from gaikan.figures.thumbnails import COLUMNS, Sheet
from gaikan.report.parts import TestParts
from gaikan.run_folder.whole import RunFolder
from gaikan.variants import HEAD, Variant

STEPS = 4000  # a plane's longer side; places are whole numbers, which are short

Floats = NDArray[np.float64]


def scatter_data(folder: RunFolder, parts: TestParts, sheet: Sheet) -> dict[str, Any]:
    """Names are given once and then by number; a network's plane serves all its variants."""
    known = folder.manifest.classes
    classes = [*known, *sorted(set(parts.labels.tolist()) - set(known))]
    shown = parts.first.iloc[parts.chosen]
    modes = sorted(shown["mode"].dropna().unique()) if "mode" in shown else []
    networks = dict.fromkeys(entry.network for entry in parts.run.networks)
    planes = [_plane(parts, network, classes, folder.parts) for network in networks]
    order = {variant: rank for rank, variant in enumerate(folder.variants)}
    variants = [v for plane in planes if plane is not None for v in plane.pop("variants")]
    return {
        "classes": classes,
        "modes": modes,
        "label": _numbers(shown["label"], classes),
        "mode": _numbers(shown["mode"], modes) if modes else [],
        "row": shown["sample"].tolist(),
        "tile": {"width": sheet.width, "height": sheet.height, "columns": COLUMNS},
        "planes": {plane["network"]: plane for plane in planes if plane is not None},
        "variants": sorted(variants, key=lambda v: order.get(v["name"], len(order))),
        "first": folder.shown[0],
    }


def _numbers(names: "pd.Series[str]", known: list[str]) -> list[int]:
    place = {name: i for i, name in enumerate(known)}
    return [place.get(name, -1) for name in names]


def _plane(
    parts: TestParts, network: str, classes: list[str], known: dict[str, Variant]
) -> dict[str, Any] | None:
    """The plane of a network of the first seed, and its variants; None where it failed."""
    arrays = parts.embedded(network)
    if arrays is None:
        return None
    methods = list(parts.run.anchors)
    anchors = np.concatenate([arrays[f"anchors.{method}"] for method in methods])
    points, marks, explained = project(arrays["test"], anchors)
    places = np.concatenate([points[parts.chosen], marks])
    low = places.min(0)
    span = float((places.max(0) - low).max()) or 1.0
    whole = ((places - low) / span * STEPS).round().astype(int)
    shown = whole[: len(parts.chosen)]
    split = whole[len(parts.chosen) :].reshape(len(methods), -1, 2)
    drawn = dict(zip(methods, split, strict=True))
    own = [variant for variant in known.values() if variant.network == network]
    return {
        "network": network,
        "x": shown[:, 0].tolist(),
        "y": shown[:, 1].tolist(),
        "size": whole.max(0).tolist(),
        "explained": [round(float(share), 3) for share in explained],
        "variants": _variants(parts, own, classes, drawn),
    }


def _variants(
    parts: TestParts,
    variants: list[Variant],
    classes: list[str],
    anchors: dict[str, NDArray[np.int_]],
) -> list[dict[str, Any]]:
    """Each decision of a network, anchors (K, 2) by method: anchors drawn, and classes called."""
    table = parts.predictions[parts.predictions["seed"] == parts.seed]
    found = []
    for variant in variants:
        own = table[table["variant"] == variant.name]
        called = _numbers(own["predicted"].iloc[parts.chosen], classes)
        drawn = [] if variant.anchor == HEAD else anchors[variant.anchor].tolist()
        place = {"name": variant.name, "network": variant.network}
        found.append(place | {"anchors": drawn, "called": called})
    return found
