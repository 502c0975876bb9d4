"""The data of the page's scatter, parts, planes and anchors, as values for JSON."""

from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.figures.pca import project
from gaikan.figures.thumbnails import COLUMNS, Sheet
from gaikan.report.parts import TestParts
from gaikan.run_folder.whole import RunFolder
from gaikan.training.stored_network import StoredEmbeddings
from gaikan.variants import HEAD, Variant

STEPS = 4000  # of a plane's longer side: coordinates are whole numbers, which are short

Floats = NDArray[np.float64]


class ShownVariant(TypedDict):
    """What a variant called each part, and its anchors (K, 2) in its network's plane."""

    name: str
    network: str
    anchors: list[list[int]]
    called: list[int]


def scatter_data(folder: RunFolder, parts: TestParts, sheet: Sheet) -> dict[str, object]:
    """Classes and modes are listed once, then meant by index; variants share a network's plane."""
    known = folder.manifest.classes
    classes = [*known, *sorted(set(parts.labels.tolist()) - set(known))]
    shown = parts.first.iloc[parts.chosen]
    modes, lots = (
        sorted(shown[name].dropna().unique()) if name in shown else [] for name in ("mode", "group")
    )
    networks = dict.fromkeys(entry.network for entry in parts.run.networks)
    planes: dict[str, dict[str, object]] = {}
    variants: list[ShownVariant] = []
    for network in networks:
        embedded = parts.embedded(network)
        if embedded is not None:  # None where its training failed
            own = [variant for variant in folder.parts.values() if variant.network == network]
            planes[network], anchors = _plane(parts, embedded)
            variants += _variants(parts, own, classes, anchors)
    order = {variant: rank for rank, variant in enumerate(folder.variants)}
    return {
        "classes": classes,
        "modes": modes,
        "lots": lots,
        "label": _numbers(shown["label"], classes),
        "mode": _numbers(shown["mode"], modes) if modes else [],
        "lot": _numbers(shown["group"], lots) if lots else [],
        "origin": shown["origin"].tolist(),
        "tile": {"width": sheet.width, "height": sheet.height, "columns": COLUMNS},
        "planes": planes,
        "variants": sorted(variants, key=lambda v: order.get(v["name"], len(order))),
        "first": folder.shown[0],
    }


def _numbers(names: "pd.Series[str]", known: list[str]) -> list[int]:
    index = {name: i for i, name in enumerate(known)}
    return [index.get(name, -1) for name in names]


def _plane(
    parts: TestParts, embedded: StoredEmbeddings
) -> tuple[dict[str, object], dict[str, NDArray[np.int_]]]:
    """The plane of a network of the first seed, and the anchors (K, 2) in it by method."""
    methods = list(parts.run.anchors)
    anchors = np.concatenate([embedded.anchors[method] for method in methods])
    points, marks, explained = project(embedded.test, anchors)
    drawable = np.concatenate([points[parts.chosen], marks])
    low = drawable.min(0)
    span = float((drawable.max(0) - low).max()) or 1.0
    steps = ((drawable - low) / span * STEPS).round().astype(int)
    shown = steps[: len(parts.chosen)]
    by_method = steps[len(parts.chosen) :].reshape(len(methods), -1, 2)
    plane = {
        "x": shown[:, 0].tolist(),
        "y": shown[:, 1].tolist(),
        "size": steps.max(0).tolist(),
        "explained": [round(float(share), 3) for share in explained],
    }
    return plane, dict(zip(methods, by_method, strict=True))


def _variants(
    parts: TestParts,
    variants: list[Variant],
    classes: list[str],
    anchors: dict[str, NDArray[np.int_]],
) -> list[ShownVariant]:
    table = parts.predictions[parts.predictions["seed"] == parts.seed]
    shown: list[ShownVariant] = []
    for variant in variants:
        own = table[table["variant"] == variant.name]
        called = _numbers(own["predicted"].iloc[parts.chosen], classes)
        drawn = [] if variant.anchor == HEAD else anchors[variant.anchor].tolist()
        shown.append(
            {"name": variant.name, "network": variant.network, "anchors": drawn, "called": called}
        )
    return shown
