"""Where the store has what a cell gave."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The store keys of a cell: of its network, and of its embeddings and anchors."""

    trained: str
    embedded: str
