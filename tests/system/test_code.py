"""Which code a key covers: all that a cell runs, and nothing of the other cells'."""

import hashlib
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_cell import CELLS, cell, frames

import gaikan
from gaikan.anchors import ANCHORS
from gaikan.grid.cells import cell_code, keys
from gaikan.networks import NETWORKS
from gaikan.styles import STYLES
from gaikan.styles.supcon import SupCon
from gaikan.system import code
from gaikan.system.code import CARRIERS, ROOT, closure, code_version, package_version
from gaikan.system.store import Keys
from gaikan.training.cell import CHOOSING

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "gaikan").rglob("*.py")
)


def trained(name: str) -> set[str]:
    """What the key of the cell's network covers."""
    return closure(*cell_code(cell(name).recipe, CHOOSING))


def embedded(name: str) -> set[str]:
    """What the key of its embeddings covers."""
    return closure(*cell_code(cell(name).recipe, *CELLS[name]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a copy of the package."""
    shutil.copytree(ROOT / "gaikan", tmp_path / "gaikan", ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path


def keys_at(root: Path, name: str) -> Keys:
    code_version.cache_clear()
    return keys(cell(name), frames(), frames(), root)


def file_of(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.fixture(autouse=True)
def _nothing_worked_out() -> Iterator[None]:
    code_version.cache_clear()
    yield
    code_version.cache_clear()


@pytest.mark.parametrize("name", CELLS)
def test_an_edit_of_any_module_changes_the_keys_that_cover_it_and_no_others(
    root: Path, name: str
) -> None:
    before, of_training, of_embedding = keys_at(root, name), trained(name), embedded(name)
    assert before == keys_at(ROOT, name)
    covered = of_training | of_embedding
    assert covered < {*MODULES}
    for module in covered:
        content = file_of(root, module).read_bytes()
        edit(root, module)
        after = keys_at(root, name)
        file_of(root, module).write_bytes(content)
        assert (after.trained != before.trained) == (module in of_training), module
        assert after.embedded != before.embedded, module
    for module in {*MODULES} - covered:
        edit(root, module)
    assert keys_at(root, name) == before


def edit(root: Path, module: str) -> None:
    with file_of(root, module).open("a") as file:
        file.write("\nADDED = 1\n")


# Runs the cell in a process of its own and notes every gaikan module of which a function is called.
WATCHED = """
import json, sys
from tiny_cell import cell, frames
from gaikan.training.cell import Arrays, work

def watched(trained):
    called = set()
    data = Arrays.of(frames(), frames())
    sys.setprofile(lambda frame, *_: called.add(frame.f_globals.get("__name__", "")))
    try:
        finished = work(cell(sys.argv[1]), data, trained, lambda *_: None)
    finally:
        sys.setprofile(None)
    assert finished.failure is None, finished.failure
    return finished.trained, sorted(name for name in called if name.split(".")[0] == "gaikan")

content, training = watched(None)
print(json.dumps([training, watched(content)[1]]))
"""


@pytest.mark.parametrize("name", CELLS)
def test_every_module_that_a_training_really_runs_counts_in_its_key(name: str) -> None:
    command = [sys.executable, "-c", WATCHED, name]
    folder = Path(__file__).parents[1] / "helpers"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    training, embedding = (set(modules) for modules in json.loads(done.stdout))
    arch, style = name.split("-")
    assert {"gaikan.training.train", f"gaikan.networks.{arch}", f"gaikan.styles.{style}"} < training
    own_anchors = {ANCHORS[anchor].__module__ for anchor in CELLS[name]}  # taken after it
    assert training - own_anchors - trained(name) == set()
    assert embedding - embedded(name) == set()
    assert not training & CARRIERS


def test_a_network_depends_on_what_chooses_its_epoch_and_on_no_other_component() -> None:
    chosen_by = {
        "gaikan.anchors.mean_embedding",
        "gaikan.anchors.fit",
        "gaikan.training.nearest_anchor",
    }
    mlp, cnn = trained("mlp-vanilla"), trained("cnn-triplet")
    assert chosen_by <= mlp & cnn
    assert mlp - cnn == {"gaikan.networks.mlp", "gaikan.styles.vanilla"}
    assert cnn - mlp == {
        "gaikan.networks.cnn",
        "gaikan.networks.first_layer",
        "gaikan.styles.triplet",
        "gaikan.styles.distance",
    }
    assert embedded("cnn-triplet") - cnn == {"gaikan.anchors.mean_image"}


def test_a_loss_of_a_package_counts_its_adapter_and_the_version_of_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = cell("mlp-vanilla")
    packaged = replace(one, recipe=replace(one.recipe, style="supcon"))
    adapter = {"gaikan.styles.supcon", "gaikan.styles.metric_learning"}
    assert adapter <= closure(*cell_code(packaged.recipe, CHOOSING))
    before = [keys(each, frames(), frames()) for each in (one, packaged)]
    monkeypatch.setattr(SupCon, "package", "torch")  # any other that is installed
    after = [keys(each, frames(), frames()) for each in (one, packaged)]
    assert after[0] == before[0]
    assert after[1].trained != before[1].trained


@pytest.mark.parametrize(
    ("registry", "component"),
    [("networks", "cnn"), ("styles", "triplet"), ("anchors", "mean_image")],
)
def test_a_new_component_retrains_nothing(root: Path, registry: str, component: str) -> None:
    """A file and a registry line, the import included."""
    before = [keys_at(root, name) for name in CELLS]
    folder = root / "gaikan" / registry
    shutil.copy(folder / f"{component}.py", folder / "new.py")
    text = (folder / "__init__.py").read_text()
    entry = next(name for name in (component, component.title()) if f" import {name}\n" in text)
    added = text.replace(
        f"from gaikan.{registry}.{component} import {entry}\n",
        f"from gaikan.{registry}.{component} import {entry}\n"
        f"from gaikan.{registry}.new import {entry} as New\n",
    ).replace(" = {", ' = {"new": New, ')
    assert added.count("New") == 2
    (folder / "__init__.py").write_text(added)
    assert [keys_at(root, name) for name in CELLS] == before


def test_another_class_of_the_same_file_is_another_component(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "made_up_networks.py").write_text("class A: pass\nclass B(A): pass\n")
    module = importlib.import_module("made_up_networks")
    assert code_version(module.A) != code_version(module.B)


@pytest.mark.parametrize("name", ["gaikan.nowhere", "gaikan.networks.Cnn", "nowhere", "no.where"])
def test_a_name_that_is_no_modules_is_an_error(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=name):
        code_version(name)


def test_an_import_of_a_module_that_is_gone_is_an_error(root: Path) -> None:
    (root / "gaikan/seeds.py").unlink()
    with pytest.raises(ModuleNotFoundError, match=r"gaikan\.seeds"):
        keys_at(root, "mlp-vanilla")


def test_what_is_left_out_is_there_and_would_be_met(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(MODULES) >= CARRIERS
    monkeypatch.setattr(code, "CARRIERS", set())
    assert (
        closure(*cell_code(cell("mlp-vanilla").recipe)) | closure("gaikan.timing.time_networks")
        > CARRIERS
    )


def test_each_registry_leads_to_none_of_its_entries() -> None:
    reached = closure(*code.REGISTRIES)
    for registry in (NETWORKS, STYLES, ANCHORS):
        entries: set[str] = {entry.__module__ for entry in registry.values()}
        assert entries
        assert not entries & reached


WAYS = {
    "import made_up.helper": True,
    "from made_up import helper": True,
    "from made_up.helper import pairwise": True,
    "from . import helper": True,
    "from .helper import pairwise": True,
    "def loss():\n    from made_up.helper import pairwise": True,
    "try:\n    import made_up.helper\nexcept ImportError:\n    pass": True,
    "if TYPE_CHECKING:\n    from made_up.helper import pairwise": False,
    "if not TYPE_CHECKING:\n    from made_up.helper import pairwise": True,
    "from made_up import other": False,
    "'''import made_up.helper'''": False,
}


@pytest.fixture
def made_up(tmp_path: Path) -> Callable[[str, str], str]:
    """The code version of a style with a text, in a package whose `helper` has another."""

    def version(style: str, helper: str) -> str:
        package = tmp_path / "made_up"
        package.mkdir(exist_ok=True)
        for name, text in {"__init__": "", "other": "", "style": style, "helper": helper}.items():
            (package / f"{name}.py").write_text(text)
        code_version.cache_clear()
        return code_version("made_up.style", root=tmp_path)

    return version


@pytest.mark.parametrize("text", WAYS)
def test_what_is_imported_counts_however_it_is_imported(
    made_up: Callable[[str, str], str], text: str
) -> None:
    changes = made_up(text, "pairwise = 1") != made_up(text, "pairwise = 2")
    assert changes == WAYS[text]


def test_a_module_that_is_loaded_by_its_name_counts() -> None:
    assert "gaikan.timing.torch_runtimes" in closure("gaikan.timing.runtimes")


CODE = '''"""A style."""

def loss(distance, margin):
    """The loss."""
    return distance - margin  # of a pair
'''


@pytest.mark.parametrize(
    ("edited", "counts"),
    [
        (CODE.replace("A style.", "A training style."), False),
        (CODE.replace("The loss.", "The loss of a pair."), False),
        (CODE.replace("# of a pair", "# of two images"), False),
        (CODE.replace("distance - margin", "(distance\n        - margin)"), False),
        (CODE.replace("distance - margin", "distance + margin"), True),
        (CODE + "\nMARGIN = 1\n", True),
    ],
)
def test_only_code_counts_in_a_code_version(
    made_up: Callable[[str, str], str], edited: str, counts: bool
) -> None:
    assert (made_up(edited, "") != made_up(CODE, "")) == counts


def test_the_version_of_the_package_counts_every_file_of_it() -> None:
    folder = Path(gaikan.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(folder)).encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    assert package_version() == digest.hexdigest()[:32]
