"""Every variant of a run as a bundle: does it say what the run's predictions say?

    python bench/round_trip.py RUN [VARIANT...]

Exports each variant (first seed), lets `gaikan predict` loose on the run's test table and
compares the classes with `predictions.parquet`, part by part. A difference is listed with the
reference's margin; exit code 1 where there is any.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.images import read_batches
from gaikan.bundle.stream import Tally, predict
from gaikan.export.build import export
from gaikan.export.source import BundleChoice
from gaikan.run_folder.manifest import read_manifest
from gaikan.run_folder.run_variants import read_variants
from gaikan.variants import REFERENCE


def main() -> None:
    run, *chosen = sys.argv[1:]
    table = pd.read_parquet(Path(run) / "predictions.parquet")
    seed = int(table["seed"].min())
    test = table[(table["split"] == "test") & (table["seed"] == seed)]
    known = read_variants(Path(run)).items()
    variants = chosen or [name for name, each in known if each.arch != REFERENCE]
    source = Path(read_manifest(Path(run)).data.test.source)
    n_other = 0
    for variant in variants:
        other = differences(Path(run), seed, variant, source, test[test["variant"] == variant])
        print(f"{variant}: {len(other)} of {(test['variant'] == variant).sum()} differ", flush=True)
        if len(other):
            print(other.to_string(index=False))
        n_other += len(other)
    sys.exit(1 if n_other else 0)


def differences(
    run: Path, seed: int, variant: str, source: Path, expected: pd.DataFrame
) -> pd.DataFrame:
    """The rows of `expected` where the bundle, written and opened again, says another class."""
    choice = BundleChoice(variant, seed)
    bundle = export(run, choice, allow_drop=False, tell=lambda _: None).bundle
    with tempfile.TemporaryDirectory() as folder:
        bundle.save(Path(folder) / "part.gaikan")
        opened = Bundle.open(Path(folder) / "part.gaikan")
    batches = read_batches([source], opened.card, 64)
    lines = [line for some in predict(opened, batches, Tally()) for line in some]
    rows = pd.Series([line[1] for line in lines], name="bundle")
    found = expected.assign(bundle=rows.iloc[expected["sample"].to_numpy()].to_numpy())
    columns = ["sample", "label", "predicted", "bundle", "margin"]
    return found.loc[found["predicted"].astype(str) != found["bundle"], columns]


if __name__ == "__main__":
    main()
