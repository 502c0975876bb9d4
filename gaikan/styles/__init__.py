"""Training styles. To add one: a file in this folder and a line in `STYLES`."""

from gaikan.styles.base import Style, StyleOptions
from gaikan.styles.siamese import Siamese
from gaikan.styles.triplet import Triplet
from gaikan.styles.vanilla import Vanilla

STYLES: dict[str, type[Style]] = {"vanilla": Vanilla, "siamese": Siamese, "triplet": Triplet}

__all__ = ["STYLES", "Style", "StyleOptions"]
