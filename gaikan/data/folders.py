"""Images out of files, of any size, grey or colour: folders with a class a subfolder, and lists."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gaikan.data.annotations import Annotations, labelled
from gaikan.data.frames import Frames, Images, Names
from gaikan.data.image_files import DecodedImage, Opener, Size, opener
from gaikan.data.layout import listed_by_folders
from gaikan.data.limits import refuse_too_large
from gaikan.data.room import room
from gaikan.data.telltales import told_by_file
from gaikan.data.unread import refusal
from gaikan.errors import DataError
from gaikan.language.words import Words, say


def frames_from_folder(folder: Path, source: str, size: Size | None) -> Frames:
    """The images of a folder, one class a subfolder, in the order of their sorted paths."""
    found = listed_by_folders(folder, source)
    told = Annotations(
        labels=np.asarray(found.labels, np.str_),
        groups=None if found.groups is None else np.asarray(found.groups, np.str_),
    )
    return frames_of_files(found.files, told, source, size, found.notes)


def frames_of_files(
    files: Sequence[Path], told: Annotations, source: str, size: Size | None, notes: Sequence[Words]
) -> Frames:
    """Frames of image files, in their order."""
    opened = ((str(path), opener(path)) for path in files)
    return frames_of_images(opened, told, source, size, notes)


def frames_of_images(
    openers: Iterable[tuple[str, Opener]],
    told: Annotations,
    source: str,
    size: Size | None,
    notes: Sequence[Words],
) -> Frames:
    """Frames of images of any size, grey or colour, each with where it comes from.

    Images of other sizes are resized (bilinear) to `size` or else to the most common size, one
    colour image makes all RGB, and notes say how many were changed. Raises DataError where some
    have more bits a pixel than others.
    """
    origins, decoded = _read(openers, source, size)
    _refuse_two_depths(decoded, origins, told.labels, source)
    target = decoded[0].image.size[::-1]
    is_colour = any(each.is_colour for each in decoded)
    frames = labelled(
        _stacked(decoded, target, is_colour),
        told,
        source,
        [*_changes(decoded, target, is_colour), *_telltales(decoded, told.labels), *notes],
        np.array(origins, object),
    )
    return replace(frames, depth=decoded[0].depth)


def _read(
    openers: Iterable[tuple[str, Opener]], source: str, size: Size | None
) -> tuple[list[str], list[DecodedImage]]:
    """Origins and images, all of one size.

    Raises DataError where they are too large together, and one for all that cannot be read.
    """
    origins: list[str] = []
    decoded: list[DecodedImage] = []
    again: dict[int, Opener] = {}
    unread: list[DataError] = []
    n_images = numbers = 0
    for origin, read in openers:
        n_images += 1
        try:
            image = read(size)
        except DataError as error:
            unread.append(error)
        if unread:  # the others are read to count them, and not kept
            continue
        if size is None and image.is_jpeg:
            again[len(decoded)] = read
        origins.append(origin)
        decoded.append(image)
        numbers += image.image.width * image.image.height * len(image.image.getbands())
        width, itemsize = numbers // len(decoded), 4 if image.image.mode == "F" else 1
        refuse_too_large(source, len(decoded), "numbers", width, itemsize)
    if unread:
        raise refusal(unread, n_images, source)
    target = size or Counter(image.size for image in decoded).most_common(1)[0][0]
    for i, image in enumerate(decoded):
        if image.image.size != target[::-1]:  # a JPEG is read as it is where the size is known
            decoded[i] = again[i](target) if i in again else image.fitted(target)
    return origins, decoded


def _stacked(decoded: list[DecodedImage], size: Size, is_colour: bool) -> Images:
    """(N, C, H, W), uint8 or of more than 8 bits float32."""
    dtype = np.float32 if any(each.image.mode == "F" for each in decoded) else np.uint8
    images: Images = room((len(decoded), 3 if is_colour else 1, *size), dtype)
    for filled, each in zip(images, decoded, strict=True):
        filled[...] = each.values(3 if is_colour else 1)
    return images


def _refuse_two_depths(
    decoded: list[DecodedImage], origins: list[str], labels: Names, source: str
) -> None:
    """Raises DataError: 255 of 255 beside 255 of 65535 would be a class that is told by that."""
    depths = Counter(each.depth for each in decoded)
    if len(depths) == 1:
        return
    kinds = []
    for depth, n in depths.most_common():
        classes = Counter(
            str(label) for each, label in zip(decoded, labels, strict=True) if each.depth == depth
        )
        kinds.append(f"{n} {depth} ({', '.join(f'{c} {m}' for c, m in sorted(classes.items()))})")
    first = next(o for o, each in zip(origins, decoded, strict=True) if each.depth == depth)
    raise DataError(
        f"{source}: images of several bit depths: {', '.join(kinds)}; the first {depth} one is "
        f"{first}; bring all to one depth, as the line will have"
    )


def _changes(decoded: list[DecodedImage], size: Size, is_colour: bool) -> list[Words]:
    """A sentence for each kind of change, and how many images it was made to."""
    changes = {
        "resized": sum(each.size != size for each in decoded),
        "grey": is_colour and sum(not each.is_colour for each in decoded),
        "transparent": sum(each.is_transparent for each in decoded),
        "several": sum(each.n_pictures > 1 for each in decoded),
    }
    told = {"total": len(decoded), "height": size[0], "width": size[1]}
    return [say(f"images_{change}", n=n, **told) for change, n in changes.items() if n]


def _telltales(decoded: list[DecodedImage], labels: Names) -> list[Words]:
    traits = {
        "kind": [each.kind for each in decoded],
        "size": [f"{each.size[0]} x {each.size[1]}" for each in decoded],
        "colour": ["colour" if each.is_colour else "grey" for each in decoded],
        "transparency": ["transparent" if each.is_transparent else "opaque" for each in decoded],
    }
    return told_by_file(traits, labels)
