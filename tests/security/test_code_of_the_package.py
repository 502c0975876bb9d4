"""What the code must not do, whatever it is given: read from the syntax trees of the package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "gaikan"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Formats and programs that run code of whoever wrote the data. `multiprocessing` pickles too, but
# only what gaikan's own processes tell each other through pipes.
NO_IMPORTS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
NO_CALLS = {"eval", "exec", "compile", "__import__"}  # the built-in ones, not `module.eval()`
NO_METHODS = {
    ("yaml", "load"),
    ("os", "system"),
    ("os", "popen"),
    ("pd", "read_pickle"),
    ("tempfile", "mktemp"),
    ("torch", "jit"),
    ("torch", "hub"),
}
NO_ARGUMENTS = {("weights_only", False), ("allow_pickle", True), ("shell", True)}
NO_ARGUMENTS |= {("trust_remote_code", True)}
NEEDED_ARGUMENTS = {
    ("np", "load"): ("allow_pickle", False),
    ("torch", "load"): ("weights_only", True),
}


def findings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name for name in names if name.partition(".")[0] in NO_IMPORTS)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place = node.value.id, node.attr
            if place in NO_METHODS:
                yield ".".join(place)
        if isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id in NO_CALLS:
        yield node.func.id
    given = {
        (keyword.arg, keyword.value.value)
        for keyword in node.keywords
        if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool)
    }
    yield from (f"{name}={value}" for name, value in given & NO_ARGUMENTS)
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        place = node.func.value.id.replace("numpy", "np"), node.func.attr
        needed = NEEDED_ARGUMENTS.get(place)
        if needed is not None and needed not in given:
            yield f"{'.'.join(place)} without {needed[0]}={needed[1]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_is_read_is_run(path: Path) -> None:
    assert list(findings(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.parallel",
        "eval(text)",
        "exec(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=trusted)",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
        "load_dataset(name, trust_remote_code=True)",
    ],
)
def test_what_it_looks_for_is_found(code: str) -> None:
    assert list(findings(ast.parse(code)))


def test_what_is_harmless_is_not_found() -> None:
    code = "module.eval()\nre.compile(x)\nnp.load(p, allow_pickle=False)\njson.load(f)"
    assert list(findings(ast.parse(code))) == []
    assert list(findings(ast.parse("torch.load(p, map_location=d, weights_only=True)"))) == []
