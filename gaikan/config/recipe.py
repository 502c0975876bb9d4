"""The recipe of a run as typed models: how networks are trained, how images may be changed."""

from typing import Literal

from pydantic import Field

from gaikan.config.stages import TomlSection


class TrainConfig(TomlSection):
    """`[train]`: the recipe that all cells share."""

    epochs: int = Field(
        24,
        ge=1,
        le=100_000,
        description="of cnn and resnet; the mlp trains 3.5 times as many",
    )
    batch_size: int = Field(
        64,
        ge=8,
        le=2**20,
        description="of the cnn; the resnet's is twice that, the mlp's three times",
    )
    learning_rate: float = Field(
        2e-3, gt=0, description="peak of the one-cycle schedule; the resnet's is four times that"
    )
    weight_decay: float = Field(1e-2, ge=0, description="of AdamW, for all weights")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="of the forward and backward pass; auto: bf16 where it is native"
    )
    normalise: Literal["auto", "source", "image", "local"] = Field(
        "auto",
        description="by mean and deviation of the fit part (source), then of each image too "
        "(image), then of each pixel's neighbourhood too (local); auto: local where brightness "
        "varies much from image to image of a class, else source",
    )


class AugmentConfig(TomlSection):
    """`[augment]`: how an image may be changed and still show the same part."""

    shift: float = Field(
        0.08,  # 3 pixels of 36 or 39
        ge=0,
        le=1,
        description="largest shift each way, as a share of the height and of the width",
    )
    flip: Literal["none", "horizontal", "vertical", "both"] = Field(
        "none", description="right for a circuit board, wrong for a part with a left and a right"
    )
    turn: float = Field(0.0, ge=0, le=180, description="largest turn each way, in degrees")
    zoom: float = Field(
        0.0, ge=0, le=1, description="largest share that height and width each grow or shrink by"
    )
    brightness: float = Field(0.0, ge=0, description="largest change, in image deviations")
    noise: float = Field(0.0, ge=0, description="deviation of added noise, in image deviations")
    erase: float = Field(
        0.0,
        ge=0,
        le=1,
        description="largest share of the height and of the width that a grey rectangle covers",
    )
