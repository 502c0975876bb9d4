"""A variant of the grid, and the one place where its name is made."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Literal

from gaikan.errors import ConfigError

HEAD = "head"  # the anchor method of a network's own softmax decision
FROZEN = "frozen"  # the style of a network that others trained
REFERENCE = "reference"  # the architecture of a classical classifier
_NO_ANCHOR = "none"
_LEGAL = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*").fullmatch

Kind = Literal["anchor", "head", "reference"]


def network_name(arch: str, style: str) -> str:
    """The name of a trained network, which begins the names of its variants."""
    return f"{arch}-{style}"


@dataclass(frozen=True)
class Variant:
    """Architecture, training style and anchor method: a row of every table.

    A classical reference has `REFERENCE` as its architecture, its name as its style, no anchors.
    """

    arch: str
    style: str
    anchor: str

    @classmethod
    def reference(cls, name: str) -> "Variant":
        """The classical reference called `name`."""
        return cls(REFERENCE, name, _NO_ANCHOR)

    @property
    def network(self) -> str:
        """The name of the trained network that this variant uses."""
        return network_name(self.arch, self.style)

    @property
    def name(self) -> str:
        """The name in every file and page: `{arch}-{style}-{anchor}`, or `reference-{name}`."""
        return self.network if self.anchor == _NO_ANCHOR else f"{self.network}-{self.anchor}"

    @property
    def kind(self) -> Kind:
        """What decides: the nearest anchor, the network's head, or a classical reference."""
        if self.arch == REFERENCE:
            return "reference"
        return "head" if self.anchor == HEAD else "anchor"


def check_names(archs: Iterable[str], styles: Iterable[str], anchors: Iterable[str]) -> None:
    """Raises ConfigError where a component's name is not legal, or two variants have one name."""
    axes = {
        "arch": ([*archs], (REFERENCE,)),
        "style": ([*styles], ()),
        "anchor": ([*anchors], (HEAD, _NO_ANCHOR)),
    }
    for axis, (names, reserved) in axes.items():
        for name in names:
            if not _LEGAL(name):
                raise ConfigError(
                    f"{axis} {name!r}: a name is letters A to Z, digits, '-' and '_', and begins "
                    "with a letter or digit; rename it"
                )
            if name in reserved:
                raise ConfigError(f"{axis} {name!r}: this name has a meaning already; rename it")
    known: dict[str, Variant] = {}
    for parts in product(axes["arch"][0], axes["style"][0], [*axes["anchor"][0], HEAD]):
        variant = Variant(*parts)
        # Files are named after variants, and some systems do not tell upper from lower case.
        other = known.setdefault(variant.name.lower(), variant)
        if other != variant:
            pair = " and ".join(f"{v.arch} + {v.style} + {v.anchor}" for v in (other, variant))
            raise ConfigError(f"{pair}: both are called {variant.name!r}; rename one of the parts")
