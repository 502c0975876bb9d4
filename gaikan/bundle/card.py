"""`model.json`, the card of a bundle: what the bundle holds, checked key by key when read."""

import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gaikan.errors import BundleError
from gaikan.variants import Variant

FORMAT = 2
_HALF = re.compile("[\ud800-\udfff]").search  # half a character, which UTF-8 cannot hold
_LARGEST_IMAGE = 2**24  # numbers in one image


@dataclass(frozen=True)
class Card:
    """The content of `model.json`. `metrics` are those of the network as the run judged it.

    Where `refit` is given, the bundle's network is another one, which learned from the validation
    part too; `refit` says what is known of it, and what is not.
    """

    arch: str
    style: str
    anchor: str  # method, or `head`
    seed: int
    stage: str | None
    runtime: str  # onnx or openvino
    precision: str  # fp32 or int8
    shape: tuple[int, int, int]  # channels, height, width
    dtype: str  # uint8 or float32
    depth: str | None  # of the training images' files; None: they were numbers of a table
    values: tuple[float, float]  # smallest and largest pixel of the training images
    classes: tuple[str, ...]
    ok: str | None  # name of the class that means good
    threshold: float | None  # on the ok margin; None: the nearest anchor decides
    ask_level: float | None  # a part called good with a novelty p-value up to it is asked about
    held_out: int  # scores of held-out parts that the p-value ranks a part among; 0: it is 1
    training: dict[str, Any]  # fingerprint of the training data, key of the network
    metrics: dict[str, Any]
    parity: dict[str, Any]  # how the bundle compared with the network it was made from
    versions: dict[str, Any]
    enrolled: list[dict[str, Any]] = field(default_factory=list)
    unconfirmed: str | None = None  # how test contradicts the stage's escape ceiling
    refit: dict[str, Any] | None = None  # images, epochs, change on test; None: as judged

    @property
    def variant(self) -> str:
        """The variant's name; `model.json` states it beside its parts."""
        return Variant(self.arch, self.style, self.anchor).name

    @property
    def ok_index(self) -> int | None:
        """Index of the good class."""
        return None if self.ok is None else self.classes.index(self.ok)

    def to_json(self) -> bytes:
        """The content of `model.json`."""
        named = {"format": FORMAT, "variant": self.variant}
        text = json.dumps(named | asdict(self), indent=1, ensure_ascii=False)
        return (text + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Card":
        """The card in a `model.json`. Raises BundleError naming the missing or wrong key."""
        try:
            values = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"model.json: not JSON ({error})") from None
        if not isinstance(values, dict):
            raise BundleError("model.json: not an object")
        found = values.pop("format", None)
        if found == 1:
            raise BundleError(
                "a bundle of format 1, which does not tell what is new to it; make it anew with "
                "`gaikan export` from its run, after `gaikan bench` and `gaikan pick` again"
            )
        if found != FORMAT:
            raise BundleError(
                f"model.json: key 'format' is not {FORMAT}, the one this version reads"
            )
        variant = values.pop("variant", None)
        keys = [attribute.name for attribute in fields(cls)]
        for key in keys:
            if key not in values:
                raise BundleError(f"model.json: key {key!r} is missing")
            valid, expected = _RULES[key]
            if not valid(values[key]):
                raise BundleError(f"model.json: key {key!r} is not {expected}")
        unknown = sorted(set(values) - set(keys))
        if unknown:
            raise BundleError(f"model.json: unknown key {unknown[0][:80]!r}")
        tuples = {key: tuple(values[key]) for key in ("shape", "values", "classes")}
        card = cls(**(values | tuples))
        if variant != card.variant:
            raise BundleError(
                f"model.json: key 'variant' is not {card.variant[:80]!r}, as arch, style and "
                "anchor make it"
            )
        if card.ok is not None and card.ok not in card.classes:
            raise BundleError(f"model.json: key 'ok' names {card.ok[:80]!r}, which is no class")
        if card.threshold is not None and card.ok is None:
            raise BundleError("model.json: key 'threshold' without 'ok'")
        if card.ask_level is not None and card.ok is None:
            raise BundleError("model.json: key 'ask_level' without 'ok'")
        return card


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 1000 and not _HALF(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max  # JSON has whole numbers that no float holds


def _is_level(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(_is_whole(size) and size > 0 for size in value)
        and math.prod(value) <= _LARGEST_IMAGE
    )


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _are_classes(value: Any) -> bool:
    texts = isinstance(value, list) and all(map(_is_text, value))
    return texts and 2 <= len(value) <= 65535 and len(set(value)) == len(value)


def _one_of(*names: str) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, str) and value in names, " or ".join(names)


def _or_null(valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or valid(value)


_TEXT = (_is_text, "a text")
_OBJECT = (lambda value: isinstance(value, dict), "an object")
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "arch": _TEXT,
    "style": _TEXT,
    "anchor": _TEXT,
    "seed": (_is_whole, "a whole number"),
    "stage": (_or_null(_is_text), "a text or null"),
    "runtime": _one_of("onnx", "openvino"),
    "precision": _one_of("fp32", "int8"),
    "shape": (_is_shape, "three sizes: channels, height, width"),
    "dtype": _one_of("uint8", "float32"),
    "depth": (_or_null(_is_text), "a text or null"),
    "values": (_is_range, "two numbers: smallest and largest pixel"),
    "classes": (_are_classes, "a list of two or more different names"),
    "ok": (_or_null(_is_text), "a text or null"),
    "threshold": (_or_null(_is_number), "a number or null"),
    "ask_level": (_or_null(_is_level), "a number from 0 to 1, or null"),
    "held_out": (_is_whole, "a whole number"),
    "training": _OBJECT,
    "metrics": _OBJECT,
    "parity": _OBJECT,
    "versions": _OBJECT,
    "enrolled": (
        lambda value: isinstance(value, list) and all(isinstance(v, dict) for v in value),
        "a list of objects",
    ),
    "unconfirmed": (_or_null(_is_text), "a text or null"),
    "refit": (lambda value: value is None or isinstance(value, dict), "an object or null"),
}
