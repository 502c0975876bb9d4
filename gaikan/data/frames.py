"""`Frames`: labelled images of parts in one compact array, the form that every source takes."""

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaikan.data.room import gathered
from gaikan.language.words import Words

Images = NDArray[np.uint8] | NDArray[np.float32]
Labels = NDArray[np.int64]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Frames:
    """N labelled images.

    `labels` index `classes`, the names to show; `keys` are the same classes as the source has
    them (integer labels, folder names), by which two sources are matched. `modes` (failure
    modes) and `groups` (lot, board, serial number) are absent where the source has none. `rows`
    gives each image's row in its source, which stays the same through `take`. `origins` are the
    files that the images are of, absent where they are rows of one table. `depth` is that of image
    files (8-bit, 16-bit, float), absent where the pixels are numbers of a table. `notes` are
    remarks of the reader that a report repeats.
    """

    source: str
    images: Images  # (N, C, H, W)
    labels: Labels  # (N,)
    classes: tuple[str, ...]
    keys: tuple[str, ...]
    rows: Labels  # (N,)
    modes: Names | None = None  # (N,)
    groups: Names | None = None  # (N,)
    notes: tuple[Words, ...] = ()
    origins: NDArray[np.object_] | None = None  # (N,) of str
    depth: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def names(self) -> Names:
        """The class name of each image, (N,)."""
        return np.asarray(self.classes, dtype=np.str_)[self.labels]

    def origin(self, index: int) -> str:
        """Where the image at `index` can be looked up: its file, or source and row."""
        if self.origins is None:
            return f"{self.source}:{self.rows[index]}"
        return str(self.origins[index])

    def place(self, index: int) -> str:
        """As `origin`, without the folder of the source: `ok/lot2/001.png`, `parts.csv:17`."""
        origin = self.origin(index)
        folder = next((each for each in self._folders if origin.startswith(each)), "")
        return origin[len(folder) :]

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        """What files of the source may begin with: it is a folder, or a table in one."""
        if self.source.startswith("hub:"):
            return ()
        path = Path(self.source)
        plain = os.path.normpath(path.parent)  # as the paths in a table are
        return tuple(f"{folder}{os.sep}" for folder in (path, path.parent, plain))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over all that a result can depend on: pixels, labels, groups, names."""
        digest = hashlib.sha256()
        digest.update(repr((self.images.shape, str(self.images.dtype), self.classes)).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        for column in (self.modes, self.groups):
            digest.update(b"\0" if column is None else "\0".join(column.tolist()).encode())
        return digest.hexdigest()

    def take(self, index: NDArray[np.int64]) -> "Frames":
        """The images at `index` (M,), in that order."""
        return replace(
            self,
            images=gathered(self.images, index),
            labels=self.labels[index],
            modes=None if self.modes is None else self.modes[index],
            groups=None if self.groups is None else self.groups[index],
            rows=self.rows[index],
            origins=None if self.origins is None else self.origins[index],
        )
