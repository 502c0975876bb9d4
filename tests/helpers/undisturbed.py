"""One small run that nothing disturbs; what the others must be equal to."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from runner import bench
from tiny import FOUR_CELLS, write_class


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, `grid.toml` for four cells, and `out`, the run of them."""
    path = tmp_path_factory.mktemp("faults")
    for place, name in enumerate(("ok", "open", "spur")):
        write_class(path / "parts" / name, 3 * place, 20, seed=0, contrast=20)
    (path / "grid.toml").write_text(FOUR_CELLS.format(folder=path, epochs=16))
    assert bench(path / "grid.toml", "--out", path / "out") == 0
    return path


@pytest.fixture
def lacking(reference: Path) -> Callable[[Path, int], list[dict[str, str]]]:
    """Copies the reference's store to a run folder, but for the last cells.

    Gives their store keys, `trained` and `embedded`.
    """

    def copy(out: Path, cells: int) -> list[dict[str, str]]:
        networks = json.loads((reference / "out/manifest.json").read_text())["networks"]
        keys: list[dict[str, str]] = [each["store"] for each in networks[len(networks) - cells :]]
        left_out = [f"{key}.*" for each in keys for key in each.values()]
        shutil.copytree(
            reference / "out/store", out / "store", ignore=shutil.ignore_patterns(*left_out)
        )
        return keys

    return copy
