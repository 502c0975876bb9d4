"""What the networks of a grid decide on a part; they are trained where a store lacks them."""

from collections.abc import Iterator
from pathlib import Path

from gaikan.commands.progress import GridProgress
from gaikan.commands.terminal import open_console
from gaikan.config.model import Config
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.grid.cells import cells, resolve_device, run_cells
from gaikan.system.store import Store
from gaikan.training.nearest_anchor import Decision
from gaikan.variants import Variant


def decisions(
    config: Config,
    parts: dict[int, Parts],
    train: Frames,
    test: Frames,
    folder: Path,
    split: str = "test",
) -> Iterator[tuple[Variant, Decision]]:
    """Of each variant and seed, on the `split`; networks are kept in `folder`/store."""
    todo = cells(config, resolve_device(config.device), parts, train)
    folder.mkdir(parents=True, exist_ok=True)
    with GridProgress(open_console(stderr=True)) as progress:
        finished = run_cells(todo, train, test, Store(folder / "store"), progress)
    for cell, result in zip(todo, finished, strict=True):
        assert result.trained is not None, result.failure
        assert result.embedded is not None
        network = EvaluatedNetwork.of(cell, result.trained, result.embedded)
        yield from network.decisions(split, None)
