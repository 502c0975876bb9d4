"""Images as the model takes them: its size and channels, on its scale, and what was changed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gaikan.bundle.card import Card
from gaikan.data.channels import to_channels
from gaikan.data.frames import Images
from gaikan.data.image_files import SEVERAL, TRANSPARENT, DecodedImage, Opener
from gaikan.data.value_range import ValueRange
from gaikan.errors import DataError

CONVERTED = "converted between grey and colour to what the model takes"
_BYTES = "whole numbers in 0..255 as the model's training images are"


@dataclass(frozen=True)
class ImageBatch:
    """Images (N, C, H, W) as the bundle takes them; counts what was changed to fit them."""

    names: list[str]  # where each image comes from; unreadable ones are among them
    images: Images  # those that could be read
    changes: Counter[str] = field(default_factory=Counter)
    unread: dict[int, str] = field(default_factory=dict)  # by index in `names`: why

    def refuse_unread(self) -> None:
        """Raises DataError where an image could not be read."""
        if self.unread:
            raise DataError(self.unread[min(self.unread)])


def fitted(names: list[str], openers: Iterable[Opener], card: Card) -> ImageBatch:
    """The images, read one by one, in the size and with the channels of the model."""
    images: Any = np.empty((len(names), *card.shape), card.dtype)
    unread: dict[int, str] = {}
    changes = Counter[str]()
    for row, (name, read) in enumerate(zip(names, openers, strict=True)):
        try:
            image = read(card.shape[1:])
        except DataError as error:
            unread[row] = str(error)
            continue
        values = image.values(card.shape[0])
        _refuse_other_depth(image, values, card, name)
        images[row - len(unread)] = values
        changes += _changes(image, card)
    return ImageBatch(names, images[: len(names) - len(unread)], changes, unread)


def _refuse_other_depth(image: DecodedImage, values: Images, card: Card, name: str) -> None:
    """Raises DataError where its numbers do not mean what the training images' did.

    Dark and bright images of 8 bits are on one scale; of more bits a camera may fill any number.
    """
    known = card.depth or ("8-bit" if card.dtype == "uint8" else None)
    if None not in (known, image.depth) and image.depth != known:
        raise DataError(
            f"{name}: {image.depth} pixels, but the model was trained on {known} ones; bring it "
            "to their depth and scale"
        )
    if card.dtype != "uint8":
        ValueRange(*card.values).refuse_far(values, name)
    elif values.dtype != np.uint8:
        raise DataError(f"{name}: its values are not {_BYTES}")


def _changes(image: DecodedImage, card: Card) -> Counter[str]:
    """What was changed in an image for the model, or left out."""
    changes = {
        "resized to what the model takes": image.size != card.shape[1:],
        CONVERTED: image.is_colour != (card.shape[0] == 3),
        TRANSPARENT: image.is_transparent,
        SEVERAL: image.n_pictures > 1,
    }
    return Counter([change for change, is_made in changes.items() if is_made])


def as_taken(origins: list[str], images: Images, card: Card, path: Path) -> ImageBatch:
    """Images out of numbers, as the model takes them. Raises DataError."""
    if images.shape[2:] != card.shape[1:]:
        given, taken = (" x ".join(map(str, s)) for s in (images.shape[1:], card.shape))
        raise DataError(f"{path}: its images are {given}, but the model takes {taken}")
    if images.dtype == np.float32 and card.dtype == "uint8":
        raise DataError(f"{path}: its values are not {_BYTES}")
    ValueRange(*card.values).refuse_far(images, f"{origins[0]} to {origins[-1]}")
    changes = Counter({CONVERTED: len(images) * (images.shape[1] != card.shape[0])})
    taken_as: Images = to_channels(images, card.shape[0]).astype(card.dtype)
    return ImageBatch(origins, taken_as, +changes)
