"""The content-addressed store: finished work by the hash of everything that determined it."""

import ast
import hashlib
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from gaikan.system.files import write, writing

_KEY = re.compile("[0-9a-f]{32}").fullmatch

Tensors = dict[str, NDArray[Any]]


def key_of(description: Any) -> str:
    """32 hexadecimal digits of the sha256 of a JSON-able description."""
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def code_version(*modules: str) -> str:
    """A hash of the modules' code and that of the modules of their own package they import.

    Comments, docstrings and layout do not count: editing them retrains nothing.
    """
    seen: dict[str, str] = {}
    queue = list(modules)
    while queue:
        name = queue.pop()
        spec = find_spec(name)
        if name in seen or spec is None or spec.origin is None or spec.submodule_search_locations:
            continue
        seen[name], imported = _code(Path(spec.origin).read_text(encoding="utf-8"))
        package = name.rpartition(".")[0]
        if package != "gaikan":
            queue += [module for module in imported if module.startswith(package + ".")]
    return key_of(seen)


@cache
def _code(text: str) -> tuple[str, list[str]]:
    """What of a module's text is code, and the modules that it imports from.

    Kept, as every cell of a grid asks for the same few modules.
    """
    tree = ast.parse(text)
    imported = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
    ]
    return ast.dump(_without_docstrings(tree)), imported


def package_version() -> str:
    """A hash of every file of the package, text and all."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Expr(ast.Constant(None))
    return tree


def pack(tensors: Tensors, metadata: Any) -> bytes:
    """Arrays and a JSON-able description as one safetensors file."""
    whole = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    return safetensors.numpy.save(whole, {"gaikan": json.dumps(metadata)})


def unpack(content: bytes) -> tuple[Tensors, Any]:
    """The arrays and the description of `pack`."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    return safetensors.numpy.load(content), json.loads(header["__metadata__"]["gaikan"])


class Store:
    """Entries `<key>.<sha256 of the content>.safetensors` in one folder.

    The checksum in the name makes entry and checksum appear in one rename: after a kill there
    is either the whole entry or none. An entry whose content does not match its name is
    removed, and its key noted in `damaged`; whoever asks for it makes it anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []

    def load(self, key: str) -> bytes | None:
        """The content under `key`; None where there is none or it is damaged."""
        if not _KEY(key):  # of a manifest that was tampered with: no path, no pattern
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
