"""Training styles. To add one: a file in this folder and a line in `STYLES`."""

from gaikan.styles.base import Style, StyleOptions
from gaikan.styles.proxy_anchor import ProxyAnchor
from gaikan.styles.siamese import Siamese
from gaikan.styles.supcon import SupCon
from gaikan.styles.triplet import Triplet
from gaikan.styles.vanilla import Vanilla

STYLES: dict[str, type[Style]] = {
    "vanilla": Vanilla,
    "siamese": Siamese,
    "triplet": Triplet,
    "supcon": SupCon,
    "proxy_anchor": ProxyAnchor,
}

__all__ = ["STYLES", "Style", "StyleOptions"]
