"""`terminals` out of a run's store: rendering them takes longer than the rest of a second run."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gaikan.data.columns import NOTHING, Asked
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.system.code import code_version
from gaikan.system.store import Store, key_of, pack, unpack


@dataclass(frozen=True)
class KeptSources:
    """Reads sources, `terminals` from the `store` where they are in it."""

    store: Store
    rendered: dict[str, bytes] = field(default_factory=dict)  # what the store lacks, by its key

    def read(
        self,
        source: str,
        part: Literal["train", "test"] = "train",
        size: tuple[int, int] | None = None,
        asked: Asked = NOTHING,
    ) -> Frames:
        """As `read_source`."""
        if source != "terminals":
            return read_source(source, part, size, asked)
        from gaikan.data.terminals import LOTS, SIZE, in_lots, terminals

        if size not in (None, SIZE):
            return read_source(source, part, size)
        code = code_version("gaikan.data.terminals")
        key = key_of({"terminals": part, "code": code, "numpy": np.__version__})
        content = self.store.load(key)
        if content is None:
            frames = terminals(part)
            self.rendered[key] = pack({"images": frames.images, "labels": frames.labels}, {})
            return frames
        tensors, _ = unpack(content)
        return in_lots(LOTS[part], tensors["images"], tensors["labels"])
