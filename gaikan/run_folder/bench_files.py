"""The files that `gaikan bench` itself writes, and their removal."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from gaikan.evaluation.findings import Findings
from gaikan.evaluation.results import EvaluatedNetwork
from gaikan.evaluation.score import confusion
from gaikan.run_folder.curve_file import remove_curve
from gaikan.run_folder.file_names import AGAIN, HTML, MARKDOWN
from gaikan.run_folder.labels_file import LABELS, LABELS_PAGE, refuse_filled
from gaikan.run_folder.latency_files import timing_files
from gaikan.run_folder.manifest import MANIFEST, Manifest, read_manifest, read_manifest_if_any
from gaikan.run_folder.unseen_file import UNSEEN_PARTS
from gaikan.system.files import write

_PICKED = (
    *("picks.json", "picks.md", "asking.csv", "figures/tree.svg"),
    *("figures/escapes-*.svg", "figures/asking-*.svg", "figures/sensitivity-*.svg"),
)
_ALWAYS = (
    *("accuracy.csv", "accuracy.md", "summary.csv", "comparisons.csv", "classes.csv", "rates.csv"),
    *("modes.csv", "unseen.csv", UNSEEN_PARTS, "leaks.csv", "leaked.csv", "copies.csv"),
    "predictions.parquet",
    *("figures/samples.png", "figures/accuracy.png", "figures/mistakes.png"),
    *("figures/copies.png", "figures/unseen.png"),
)


def names(found: Findings, networks: list[EvaluatedNetwork], pictures: bool) -> list[str]:
    """What a run writes, but for its manifest, timing, picks and pages; some not in every run."""
    variants = found.table["variant"].unique()
    of_variants = [f"confusion/{name}.{kind}" for name in variants for kind in ("csv", "png")]
    scatters = [scatter_name(network.cell.network) for network in first_seed(networks)]
    found_names = [*_ALWAYS, *of_variants, *scatters]
    return [name for name in found_names if pictures or not name.endswith(".png")]


def first_seed(networks: list[EvaluatedNetwork]) -> list[EvaluatedNetwork]:
    """Those of the first seed."""
    first = min(network.seed for network in networks)
    return [network for network in networks if network.seed == first]


def scatter_name(network: str) -> str:
    """The file of a network's picture."""
    return f"figures/scatter-{network}.png"


def checksums(out: Path, names: Iterable[str]) -> dict[str, str]:
    """sha256 of those of the files that are in the folder."""
    there = [name for name in sorted(names) if (out / name).is_file()]
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in there}


def write_tables(out: Path, found: Findings, classes: tuple[str, ...]) -> None:
    """Every table of the run, predictions and confusion matrices included."""
    write(out / "predictions.parquet", found.table.to_parquet(index=False))
    if found.unseen is None or found.unseen.parts is None:
        (out / UNSEEN_PARTS).unlink(missing_ok=True)
    else:
        write(out / UNSEEN_PARTS, found.unseen.parts.to_parquet(index=False))
    write(out / "accuracy.csv", found.scores.to_csv(index=False, float_format="%.6f"))
    frames = {
        "summary": found.summary,
        "leaked": found.leaked if len(found.leaked) else None,
        "comparisons": found.comparisons,
        "leaks": found.leaks.pairs,
        "copies": found.leaks.copies if len(found.leaks.pairs) else None,
        "classes": found.classes,
        "rates": found.rates,
        "modes": found.modes,
        "unseen": None if found.unseen is None else found.unseen.table,
    }
    for name, frame in frames.items():
        if frame is None:  # nor is one of an earlier run in this folder
            (out / f"{name}.csv").unlink(missing_ok=True)
        else:
            write(out / f"{name}.csv", frame.to_csv(index=False, float_format="%.6g"))
    for variant, counts in confusions(found, classes).items():
        write(out / f"confusion/{variant}.csv", counts.to_csv(index_label="actual"))


def confusions(found: Findings, classes: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """By variant: test counts summed over seeds, rows actual, columns predicted."""
    test = found.table[found.table["split"] == "test"]
    counts = {}
    for variant, part in test.groupby("variant", sort=False, observed=True):
        actual, predicted = (part[name].to_numpy(str) for name in ("label", "predicted"))
        counts[str(variant)] = confusion(actual, predicted, classes)
    return counts


def reseal(out: Path) -> None:
    """Writes the checksums of the run's pictures anew, once they have been drawn anew.

    Those of its tables stay: one that is damaged is still seen to be.
    """
    manifest = read_manifest(out)
    drawn = checksums(out, (name for name in manifest.files if name.endswith(".png")))
    write_manifest(out, manifest.model_copy(update={"files": manifest.files | drawn}))


def write_manifest(out: Path, manifest: Manifest) -> None:
    """`manifest.json`; what an earlier run alone has written goes, and picks among its networks."""
    before = read_manifest_if_any(out)
    if before is not None:
        _remove(out, before.files.keys() - manifest.files.keys())
    if before is None or before.trained != manifest.trained:
        _remove_picks(out)
        remove_curve(out)
    write(out / MANIFEST, manifest.model_dump_json(indent=1) + "\n")


def remove_run(out: Path) -> None:
    """Removes what the run, its timing, picks, labels and pages have written; its store stays.

    Raises ConfigError where a person has worked on the labels. The manifest goes last: until then
    it says what else is to go.
    """
    refuse_filled(out)
    before = read_manifest_if_any(out)
    tables = () if before is None else before.files
    _remove(out, [LABELS, LABELS_PAGE, *tables, *timing_files(out), HTML, MARKDOWN, AGAIN])
    _remove_picks(out)
    remove_curve(out)
    _remove(out, [MANIFEST])


def _remove(out: Path, names: Iterable[str]) -> None:
    for name in names:
        if (out / name).resolve().is_relative_to(out.resolve()):
            (out / name).unlink(missing_ok=True)


def _remove_picks(out: Path) -> None:
    for path in [path for pattern in _PICKED for path in out.glob(pattern)]:
        path.unlink()
