"""Which code a result depends on: the modules that make it, and a hash of their code."""

import ast
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path

ROOT = Path(__file__).parents[2]  # the folder that the package is in

# Entries of these dicts are not followed: a network depends on its own architecture alone.
REGISTRIES = {"gaikan.networks": "NETWORKS", "gaikan.styles": "STYLES", "gaikan.anchors": "ANCHORS"}

# Modules that do not count. What they bring to a result is in its key by value, and none of their
# functions runs in a cell. They are edited often, and each edit would repeat all work for nothing.
CARRIERS = {
    "gaikan",  # the version; the estimators, where they are asked for
    "gaikan.system.code",  # the key itself
    "gaikan.config.model",  # the recipe
    "gaikan.data.frames",  # images and labels, by their fingerprint
    "gaikan.errors",  # the reason why there is no result
    "gaikan.language.words",  # how a report says things
    "gaikan.evaluation.experiment",  # what is timed, by the key of its own store entry
    "gaikan.system.files",  # the result, into a file that is named after its checksum
}

_BY_NAME = re.compile(r"(gaikan(?:\.\w+)+)(?::\w+)?").fullmatch  # as a table of loaders has them

Component = Callable[..., object]  # a class or function that a registry names


@cache
def code_version(*starts: str | Component, root: Path = ROOT) -> str:
    """A hash of the code of all modules that `starts` lead to, and of the names of `starts`.

    Comments, docstrings and layout do not count: editing them retrains nothing. Raises
    ModuleNotFoundError.
    """
    names = [_name(start) for start in starts]
    code = {module: _source(module, root).code for module in closure(*starts, root=root)}
    text = json.dumps([sorted(names), code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def closure(*starts: str | Component, root: Path = ROOT) -> set[str]:
    """The modules of gaikan, and of the packages of `starts`, that `starts` lead to by imports.

    A start is the name of a module, or a component. Imports within functions count, those for
    type checkers alone do not. `root` is the folder that the package is in. Raises
    ModuleNotFoundError.
    """
    queue = [_name(start).partition(":")[0] for start in starts]
    packages = {"gaikan", *(name.partition(".")[0] for name in queue)}
    seen: set[str] = set()
    while queue:
        name = queue.pop()
        if name.partition(".")[0] in packages and name not in seen | CARRIERS:
            seen.add(name)
            queue += _imported(name, root)
    return seen


def package_version() -> str:
    """A hash of every file of the package, comments included."""
    folder = ROOT / "gaikan"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def _name(start: str | Component) -> str:
    return start if isinstance(start, str) else f"{start.__module__}:{start.__qualname__}"


@dataclass(frozen=True)
class _Source:
    """The code of a module that runs, and the modules that it names."""

    code: str
    modules: tuple[str, ...]  # imported: these exist
    possible: tuple[str, ...]  # imported names, and texts in the code: some are modules


def _source(name: str, root: Path) -> _Source:
    file = _file(name, root)
    if file is None:
        raise ModuleNotFoundError(f"no module {name!r}, whose code a result depends on", name=name)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return _parsed(file.read_bytes(), package, REGISTRIES.get(name))


def _file(name: str, root: Path) -> Path | None:
    """The file of a module; None where there is no such module."""
    path = root.joinpath(*name.split("."))
    for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
        if file.is_file():
            return file
    if name.startswith("gaikan."):
        return None
    try:
        spec = find_spec(name)  # a component may be in a package of the user's
    except ModuleNotFoundError:
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _imported(name: str, root: Path) -> list[str]:
    """The modules that `name` imports, in its functions too, with the packages they are in."""
    source = _source(name, root)
    modules = [*source.modules, *(module for module in source.possible if _file(module, root))]
    parents = {module[: dot.start()] for module in modules for dot in re.finditer(r"\.", module)}
    return [*modules, *(parent for parent in parents if _file(parent, root))]


@cache
def _parsed(text: bytes, package: str, registry: str | None) -> _Source:
    """A module's text, taken apart; cached, as every cell of a grid needs the same modules."""
    tree = ast.parse(text)
    _OnlyWhatRuns().visit(tree)
    if registry is not None:
        _drop_entries(tree, registry)
    modules, possible = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            modules.append(module)
            possible += [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            by_name = _BY_NAME(node.value)
            possible += [by_name[1]] if by_name else []
    return _Source(ast.dump(tree), tuple(modules), tuple(possible))


class _OnlyWhatRuns(ast.NodeTransformer):
    """Leaves out docstrings and what is for type checkers alone."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Puts None in place of a docstring."""
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Expr(ast.Constant(None))
        visited: ast.AST = super().visit(node)
        return visited

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Puts its `else` in place of `if TYPE_CHECKING:`."""
        self.generic_visit(node)
        types_only = ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        return node.orelse if types_only else node


def _drop_entries(tree: ast.Module, registry: str) -> None:
    """Empties the dict called `registry`, and removes the imports of its entries."""
    (entries,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == registry
        and isinstance(node.value, ast.Dict)
    )
    named = {node.id for node in ast.walk(entries) if isinstance(node, ast.Name)}
    entries.keys, entries.values = [], []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            node.names = [a for a in node.names if (a.asname or a.name) not in named]
    tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom) or node.names]
