"""Proxy anchor: a learned vector for each class, near to its images and far from the others'."""

from pydantic import Field

from gaikan.styles import base
from gaikan.styles.metric_learning import PackagedStyle


class ProxyAnchorOptions(base.StyleOptions):
    """The keys of `[style.proxy_anchor]`."""

    margin: float = Field(0.1, gt=0, description="of the cosine, towards each side")
    alpha: float = Field(32.0, gt=0, description="higher: the hardest images count for more")


class ProxyAnchor(PackagedStyle):
    """Kim, Kim, Cho, Kwak, "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020, eq. 4."""

    options_type = ProxyAnchorOptions
    loss_name = "ProxyAnchorLoss"
    has_proxies = True
    length_weight = 10.0  # its gradient is steeper, by `alpha`
