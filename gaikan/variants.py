"""What a variant is, and the one place where its name is made: no name is ever taken apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Literal

from gaikan.errors import ConfigError

HEAD = "head"  # the anchor method of a network's own softmax decision
REFERENCE = "reference"  # the architecture of a classical classifier
_NO_ANCHOR = "none"
_LEGAL = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*").fullmatch

Kind = Literal["anchor", "head", "reference"]


def network_name(arch: str, style: str) -> str:
    """What the variants of one trained network share."""
    return f"{arch}-{style}"


@dataclass(frozen=True)
class Variant:
    """Architecture, training style and anchor method: a row of every table.

    A classical reference is of `REFERENCE` instead of an architecture; its name stands for the
    style, and it has no anchors.
    """

    arch: str
    style: str
    anchor: str

    @classmethod
    def reference(cls, name: str) -> "Variant":
        """The classical reference of that name."""
        return cls(REFERENCE, name, _NO_ANCHOR)

    @property
    def network(self) -> str:
        """Architecture and style."""
        return network_name(self.arch, self.style)

    @property
    def name(self) -> str:
        """As every file and page calls it: `{arch}-{style}-{anchor}`, `reference-{name}`."""
        return self.network if self.anchor == _NO_ANCHOR else f"{self.network}-{self.anchor}"

    @property
    def kind(self) -> Kind:
        """By anchors, by its own head, or a classical reference."""
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
    for axis, (names, taken) in axes.items():
        for name in names:
            if not _LEGAL(name):
                raise ConfigError(
                    f"{axis} {name!r}: a name is letters A to Z, digits, '-' and '_', and begins "
                    "with a letter or digit; rename it"
                )
            if name in taken:
                raise ConfigError(f"{axis} {name!r}: this name has a meaning already; rename it")
    known: dict[str, Variant] = {}
    for parts in product(axes["arch"][0], axes["style"][0], [*axes["anchor"][0], HEAD]):
        variant = Variant(*parts)
        # Not by case either: the names become those of files.
        other = known.setdefault(variant.name.lower(), variant)
        if other != variant:
            both = " and ".join(f"{v.arch} + {v.style} + {v.anchor}" for v in (other, variant))
            raise ConfigError(f"{both}: both are called {variant.name!r}; rename one of the parts")
