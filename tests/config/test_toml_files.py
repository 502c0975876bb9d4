"""Paths in a configuration file."""

from pathlib import Path

import pytest

from gaikan.config.toml_files import load_config, seen_from
from gaikan.errors import ConfigError


def test_a_source_is_named_as_the_file_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "results/run").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert seen_from(Path("results/run/run.toml"), "parts") == "../../parts"
    assert seen_from(Path("results/run/run.toml"), "terminals") == "terminals"


def test_behind_a_link_it_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "large/disk/run").mkdir(parents=True)
    (tmp_path / "results").symlink_to(tmp_path / "large/disk")
    monkeypatch.chdir(tmp_path)
    assert seen_from(Path("results/run/run.toml"), "parts") == str(tmp_path / "parts")


def test_a_folder_of_images_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a folder; for one of images: --train"):
        load_config(tmp_path, {})
