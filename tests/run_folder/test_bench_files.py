"""What a run writes, and what goes with the run before it."""

from pathlib import Path

from manifests import manifest

from gaikan.run_folder.bench_files import write_manifest
from gaikan.run_folder.manifest import NetworkEntry, NetworkRecipe
from gaikan.system.store import Keys


def trained(key: str) -> NetworkEntry:
    return NetworkEntry(
        network="mlp-triplet",
        seed=0,
        store=Keys(key, key),
        recipe=NetworkRecipe(arch="mlp", style="triplet", seed=0),
        best_epoch=1,
        losses=(0.5,),
        validation_scores={"1": 0.5},
        seconds=1.0,
    )


def test_picks_among_other_networks_go_with_them(tmp_path: Path) -> None:
    def run(*keys: str) -> None:
        write_manifest(tmp_path, manifest(networks=tuple(map(trained, keys))))

    run("a", "b")
    (tmp_path / "picks.json").write_text("{}")
    run("a", "b")
    assert (tmp_path / "picks.json").exists()
    run("a", "c")
    assert not (tmp_path / "picks.json").exists()


def test_what_an_earlier_run_wrote_goes_and_nothing_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for path in (out / "old.csv", out / "new.csv", tmp_path / "outside.csv"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for names in (("old.csv", "new.csv", "../outside.csv"), ("new.csv",)):
        write_manifest(out, manifest(files=dict.fromkeys(names, "0")))
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "new.csv"]
    assert (tmp_path / "outside.csv").exists()
