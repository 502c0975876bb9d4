"""A cell of the grid that gave no network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a manifest is read without torch
    from gaikan.training.cell import Cell


@dataclass(frozen=True)
class FailedCell:
    """Which cell gave no network, and why."""

    cell: str  # its name as people read it
    arch: str
    style: str
    seed: int
    protocol: str
    reason: str

    @classmethod
    def of(cls, cell: "Cell", reason: str) -> "FailedCell":
        """From a cell and the reason of its failure."""
        recipe = cell.recipe
        return cls(cell.name, recipe.arch, recipe.style, recipe.seed, cell.protocol, reason)
