"""What `gaikan data` says of a source that `gaikan bench` would refuse."""

from pathlib import Path

import pytest
from runner import bench, gaikan
from tiny import write_class

SOURCES = {  # images by class, or by class and lot
    "one": {"ok": 9},
    "few": {"ok": 9, "dent": 2},
    "fewer": {"ok": 9, "dent": 1},
    "of-one-lot": {"ok/A": 9, "dent/A": 9},
    "of-two-lots": {"ok/A": 9, "ok/B": 9, "dent/A": 9, "dent/B": 9},
}


def write_source(folder: Path, images: dict[str, int]) -> Path:
    for place, (name, n) in enumerate(images.items()):
        write_class(folder / name, 2 * place, n, 0)
    return folder


@pytest.mark.parametrize("name", SOURCES)
def test_what_bench_refuses_is_a_warning_in_the_same_words(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = write_source(tmp_path / name, SOURCES[name])
    assert gaikan("data", source) == 0
    said = capfd.readouterr().out.splitlines()
    assert bench("--train", source, "--out", tmp_path / "run") == 2
    refusal = capfd.readouterr().err.strip().removeprefix("gaikan: ")
    first = next(line for line in said if line.startswith("Warning: "))
    assert first.endswith(f": {refusal}.")
    assert sum(line.startswith("Warning: ") for line in said) == (2 if name == "fewer" else 1)


def test_with_a_test_source_of_its_own_less_is_enough(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gaikan("data", write_source(tmp_path / "few", SOURCES["few"]))
    assert "Warning: as --train without a --test, " in capfd.readouterr().out


def test_of_a_source_that_bench_takes_nothing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gaikan("data", write_source(tmp_path / "parts", {"ok": 9, "dent": 3}))
    assert "Warning" not in capfd.readouterr().out
