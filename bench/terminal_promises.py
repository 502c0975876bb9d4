"""Whether the default stages keep, on lots that nobody has seen, what they promise on terminals.

`python bench/terminal_promises.py OUT [SEEDS] [ARCH] [EPOCHS]` trains a vanilla network for each
base seed, on 25 lots drawn from 100, and picks for both default stages, and for both without their
limits of overkill, which a network that is trained little does not meet: once with the validation
lots of the split, as a run does, and `DRAWS` times with ten others of the 75 lots that were not
drawn, which had no part in training. The pick's figures on 25 test lots, drawn from another 100,
are what a page shows; its figures on 100 lots more are the truth. The folder OUT keeps the
networks, which are not trained again, and gets picks.csv, a row a pick that was asked for. Nothing
is timed: every network counts as fast, with its own operations.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gaikan.config.model import Config, FactoryConfig
from gaikan.config.stages import Stage
from gaikan.config.toml_files import load_config
from gaikan.data.frames import Frames
from gaikan.data.split import split
from gaikan.data.terminals import CLASSES, LOT_SIZES, in_lots, render
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.grid.cells import cells
from gaikan.report.markdown_table import markdown, percent
from gaikan.run_folder.decisions import Codes, DecidedParts, NetworkDecisions, RunFiles
from gaikan.run_folder.latency_rows import Row
from gaikan.seeds import stream
from gaikan.selection.asked import DEFAULTS
from gaikan.selection.candidates import Judging
from gaikan.selection.choose import pick
from gaikan.selection.picks import choosing
from gaikan.selection.quality import decide, quality
from gaikan.selection.ties import Ties
from gaikan.system.files import write
from gaikan.timing.models import TrainedFiles, size_of
from gaikan.training.cell import Arrays, Cell, work
from gaikan.training.nearest_anchor import Decision

OK = CLASSES.index("ok")
POOL, TRAINED_ON, VALIDATION, SHOWN = 100, 25, 10, 25  # lots
DRAWS = 20  # of validation lots, for each base seed
STAGES = DEFAULTS | {
    f"{name}, any overkill": stage.model_copy(update={"overkill_rate": None})
    for name, stage in DEFAULTS.items()
}
COLUMNS = ["seed", "lots", "stage", "variant", "validation", "shown", "accuracy", "escape"]
COLUMNS += ["overkill"]
_TRAIN, _TEST = LOT_SIZES["train"], LOT_SIZES["test"]


@dataclass(frozen=True)
class Parts:
    """Rendered terminals: `POOL` lots to train on or to validate with, as many to show, and fresh.

    All are embedded in one batch.
    """

    train: Frames
    images: NDArray[np.uint8]  # of the three pools, one after the other
    labels: Codes

    @classmethod
    def rendered(cls) -> "Parts":
        """Takes half a minute."""
        sizes = {1000: _TRAIN, 2000: _TEST, 3000: _TEST}
        pools = [render(range(first, first + POOL), size) for first, size in sizes.items()]
        images, labels = (np.concatenate(arrays) for arrays in zip(*pools, strict=True))
        return cls(in_lots(range(1000, 1000 + POOL), *pools[0]), images, labels)


@dataclass(frozen=True)
class Trained:
    """A variant's decisions on its own validation part, and on all lots."""

    network: NetworkDecisions  # its test part are all the lots
    row: Row


def rows_of(lots: Codes, size: int, first: int = 0) -> Codes:
    """The rows of equally large lots, where the first lot of their pool begins at a row."""
    rows: Codes = first + (np.sort(lots)[:, None] * size + np.arange(size)).ravel()
    return rows


def decided(
    labels: Codes, lots: Codes, decision: Decision, novelty_p: NDArray[np.float32]
) -> DecidedParts:
    """Decisions on N parts, as picking reads them from a run."""
    nearest, defect, margin = decision.predicted, decision.defect, decision.ok_margin
    rows, p = np.arange(len(labels)), novelty_p.astype(np.float64)
    return DecidedParts(rows, labels, nearest, defect, margin, None, lots, p)


def stored(cell: Cell, train: Frames, parts: Parts, folder: Path) -> tuple[bytes, bytes]:
    """The network of a cell and its embeddings, from the folder or made now."""
    paths = [folder / f"{cell.recipe.seed}.{what}" for what in ("trained", "embedded")]
    if not all(path.exists() for path in paths):
        arrays = Arrays(train.images, train.labels, CLASSES, parts.images, train.fingerprint)
        done = work(cell, arrays, None, lambda *_: None)
        assert done.trained is not None, done.failure
        assert done.embedded is not None
        for path, content in zip(paths, (done.trained, done.embedded), strict=True):
            write(path, content)
    network, embeddings = (path.read_bytes() for path in paths)
    return network, embeddings


def trained(cell: Cell, train: Frames, parts: Parts, folder: Path) -> Iterator[Trained]:
    """The variants of a cell."""
    stored_network, embeddings = stored(cell, train, parts, folder)
    network = EvaluatedNetwork.of(cell, stored_network, embeddings)
    files = TrainedFiles.of(stored_network, embeddings)
    mflops = size_of(files.module, files.shape, torch.float32)[1]
    on_all = dict(network.decisions("test", OK))
    assert train.groups is not None
    own = np.unique(train.groups, return_inverse=True)[1].astype(np.int64)[cell.validation_rows]
    lot = np.arange(3 * POOL).repeat(np.repeat([_TRAIN, _TEST, _TEST], POOL))
    p = {split: network.novelty_p(split, train.groups) for split in ("validation", "test")}
    for variant, decision in network.decisions("validation", OK):
        held_out = train.labels[cell.validation_rows]
        validation = decided(held_out, own, decision, p["validation"])
        everything = decided(parts.labels, lot, on_all[variant], p["test"])
        decisions = NetworkDecisions(variant, cell.recipe.seed, validation, everything)
        yield Trained(decisions, row(variant.name, mflops))


def row(variant: str, mflops: float) -> Row:
    """A timing that meets every limit of time."""
    return Row(
        machine="none",
        processor="none",
        cores=1,
        variant=variant,
        computation=variant,
        device="cpu",
        threads=1,
        runtime="onnxruntime",
        precision="fp32",
        batch_size=1,
        includes_decode=False,
        p50_ms=1.0,
        p90_ms=1.0,
        p99_ms=1.0,
        model_bytes=1,
        mflops=mflops,
        agreement=1.0,
    )


def outcomes(
    seed: int, parts: Parts, keys: dict[str, object], folder: Path
) -> Iterator[dict[str, object]]:
    """What is picked for each stage, with the split's validation lots and with those drawn."""
    config = load_config(None, keys | {"base_seed": seed, "seeds": 1})
    known, *others = np.split(stream(seed, "lots").permutation(POOL), [TRAINED_ON])
    train = parts.train.take(rows_of(known, _TRAIN))
    todo = cells(config, "cpu", {seed: split(train, seed)}, train)
    networks = [one for cell in todo for one in trained(cell, train, parts, folder)]
    yield from picked(networks, None, seed)
    rng = stream(seed, "validation lots")
    for _ in range(DRAWS):
        yield from picked(networks, rng.choice(others[0], VALIDATION, replace=False), seed)


def picked(
    networks: list[Trained], validation: Codes | None, seed: int
) -> Iterator[dict[str, object]]:
    """Picks, with the split's validation part or these lots; shares in 0..1."""
    first = POOL * _TRAIN
    shown = rows_of(stream(seed, "shown").permutation(POOL)[:SHOWN], _TEST, first)
    fresh = rows_of(np.arange(POOL), _TEST, first + POOL * _TEST)
    judged = []
    for one in networks:
        own, everything = one.network.validation, one.network.test
        if validation is not None:
            own = everything.at(rows_of(validation, _TRAIN))
        judged.append(replace(one.network, validation=own, test=everything.at(shown)))
    rows = tuple(one.row for one in networks)
    run = RunFiles(Path(), Config(), CLASSES, (), OK, tuple(judged), rows)
    strict = Judging(run, FactoryConfig(), max(*map(ceiling, STAGES.values())))
    ways = Ties(strict), Ties(strict.at_even_odds())
    for name, stage in STAGES.items():
        ties = choosing(*ways, stage)
        judging = ties.judging
        outcome: dict[str, object] = {"seed": seed, "stage": name}
        outcome["lots"] = "own" if validation is None else "drawn"
        chosen = pick(judging.candidates(stage), stage, ties).pick
        chosen = chosen and judging.calibrated(chosen, stage)
        if chosen is not None and not chosen.failed:
            network = chosen.judged.network
            whole = next(o.network for o in networks if o.network.variant == network.variant)
            part = whole.test.at(fresh)
            called = decide(part, OK, chosen.judged.threshold)
            truth = quality(part, called, OK, FactoryConfig())
            outcome |= {
                "variant": chosen.variant,
                "validation": judging.on_validation(chosen.judged).accuracy,
                "shown": judging.on_test(chosen.judged).accuracy,
                "accuracy": truth.accuracy,
                "escape": truth.escape_rate,
                "overkill": truth.overkill_rate,
            }
        yield outcome


def ceiling(stage: Stage) -> float:
    """The limit of escapes that a stage has."""
    (limit,) = stage.ceilings.values()
    return limit


def table(path: Path) -> str:
    """A Markdown table: a row a stage and kind of validation lots; figures in %."""
    found = pd.read_csv(path)
    rows = []
    for (lots, name), own in found.groupby(["lots", "stage"], sort=False):
        picks = own[own["variant"].notna()]
        limit = ceiling(STAGES[str(name)])
        kept = (picks["escape"] <= limit).mean()
        means = picks[["escape", "overkill", "accuracy"]].mean()
        off = [(picks[side] - picks["accuracy"]).mean() for side in ("shown", "validation")]
        shares = [limit, kept, picks["escape"].max(), *means, *off]
        counts = f"{len(picks)} of {len(own)}"
        rows.append([str(lots), str(name), counts, *map(percent, shares)])
    columns = ["validation lots", "stage", "picked", "ceiling", "kept", "most escapes", "escapes"]
    columns += ["overkill", "accuracy", "test less the truth", "validation less the truth"]
    return markdown(columns, rows)


def main(out: str, seeds: str = "50", arch: str = "mlp", epochs: str = "8") -> None:
    """Trains what the folder lacks, and prints the table."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    parts = Parts.rendered()
    keys = {"grid.arch": [arch], "grid.style": ["vanilla"], "train.epochs": int(epochs)}
    rows = [row for seed in range(int(seeds)) for row in outcomes(seed, parts, keys, folder)]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / "picks.csv", index=False)
    print(table(folder / "picks.csv"))


if __name__ == "__main__":
    main(*sys.argv[1:])
