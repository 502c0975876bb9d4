"""How many runs have scored the same test part."""

from pathlib import Path

from manifests import manifest

from gaikan.run_folder.bench_files import write_manifest
from gaikan.run_folder.manifest import SourceEntries
from gaikan.run_folder.scorings import runs_that_scored


def run(folder: Path, made_from: str, test: str = "f", *before: str) -> None:
    """Leaves the manifest of a run that scored the part `test`."""
    whole = manifest(made_from=made_from, test_scored_by=(*before, made_from))
    source = whole.data.test.model_copy(update={"fingerprint": test})
    data = SourceEntries(train=whole.data.train, test=source)
    write_manifest(folder, whole.model_copy(update={"data": data}))


def test_runs_of_the_same_test_part_count_once_each(tmp_path: Path) -> None:
    assert runs_that_scored(tmp_path / "new", "f", "own") == ("own",)
    run(tmp_path / "one", "a")
    run(tmp_path / "two", "b")
    run(tmp_path / "other", "c", "g")
    assert runs_that_scored(tmp_path / "new", "f", "own") == ("a", "b", "own")
    assert runs_that_scored(tmp_path / "one", "f", "a") == ("a", "b")


def test_a_run_that_was_replaced_still_counts(tmp_path: Path) -> None:
    run(tmp_path / "one", "b", "f", "a")
    assert runs_that_scored(tmp_path / "one", "f", "c") == ("a", "b", "c")


def test_a_damaged_manifest_does_not_count(tmp_path: Path) -> None:
    run(tmp_path / "one", "a")
    (tmp_path / "one/manifest.json").write_text("{", encoding="utf-8")
    assert runs_that_scored(tmp_path / "new", "f", "own") == ("own",)
