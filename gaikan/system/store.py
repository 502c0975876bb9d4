"""The store: finished work, found by the hash of everything that determined it."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from gaikan.system.files import write, writing

_KEY = re.compile("[0-9a-f]{32}").fullmatch

Tensors = dict[str, NDArray[Any]]  # of each the type that it was packed with


@dataclass(frozen=True)
class Keys:
    """The keys of a cell of the grid: of its network, and of its embeddings and anchors."""

    trained: str
    embedded: str


def key_of(description: object) -> str:
    """32 hexadecimal digits of the sha256 of a JSON-able description."""
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def pack(tensors: Tensors, metadata: object) -> bytes:
    """Arrays and a JSON-able description as one safetensors file."""
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    return safetensors.numpy.save(contiguous, {"gaikan": json.dumps(metadata)})


def unpack(content: bytes) -> tuple[Tensors, Any]:
    """The arrays and the description of `pack`."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    return safetensors.numpy.load(content), json.loads(header["__metadata__"]["gaikan"])


class Store:
    """Entries `<key>.<sha256 of the content>.safetensors` in one folder.

    The checksum in the name makes entry and checksum appear in one rename: after a kill there
    is either the whole entry or none. An entry whose content does not match its name is
    removed, and its key noted in `damaged`; the caller then makes it anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []

    def load(self, key: str) -> bytes | None:
        """The content under `key`; None where there is none or it is damaged."""
        if not _KEY(key):  # a manifest may have been tampered with: its keys must not be paths
            return None
        for path in sorted(self.folder.glob(f"{key}.*.safetensors")):
            content = path.read_bytes()
            if path.name == _entry_name(key, content):
                return content
            self.damaged.append(key)
            with writing(path):
                path.unlink()
        return None

    def save(self, key: str, content: bytes) -> None:
        """Keeps `content` under `key`."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write(self.folder / _entry_name(key, content), content)


def _entry_name(key: str, content: bytes) -> str:
    return f"{key}.{hashlib.sha256(content).hexdigest()}.safetensors"
