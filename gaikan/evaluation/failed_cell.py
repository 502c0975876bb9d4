"""A cell of the grid that gave no network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a manifest is read without torch
    from gaikan.training.cell import Cell


@dataclass(frozen=True)
class FailedCell:
    """A cell that gave no network."""

    cell: str  # its name, for people
    arch: str
    style: str
    seed: int
    protocol: str
    reason: str

    @classmethod
    def of(cls, cell: "Cell", reason: str) -> "FailedCell":
        """Why `cell` failed."""
        recipe = cell.recipe
        return cls(cell.name, recipe.arch, recipe.style, recipe.seed, cell.protocol, reason)
