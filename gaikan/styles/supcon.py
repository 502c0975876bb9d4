"""Supcon: a softmax over the batch, in which an image is to find those of its class."""

from pydantic import Field

from gaikan.styles import base
from gaikan.styles.metric_learning import PackagedStyle


class SupConOptions(base.StyleOptions):
    """The keys of `[style.supcon]`."""

    temperature: float = Field(0.1, gt=0, description="lower: the nearest images count for more")


class SupCon(PackagedStyle):
    """Supervised contrastive loss: Khosla et al., NeurIPS 2020, eq. 2, on one view of each."""

    options_type = SupConOptions
    loss_name = "SupConLoss"
