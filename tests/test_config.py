"""The configuration: what it accepts, and how it refuses."""

from pathlib import Path

import numpy as np
import pytest

from gaikan.anchors import ANCHORS
from gaikan.config.model import load_config
from gaikan.data.frames import Frames
from gaikan.data.split import Parts
from gaikan.errors import ConfigError
from gaikan.grid.cells import axes, cells
from gaikan.networks import NETWORKS
from gaikan.styles import STYLES


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "parts.toml"
    path.write_text(text)
    return path


def test_the_names_accepted_are_the_registries() -> None:
    assert axes(load_config(None, {})) == ([*NETWORKS], [*STYLES], [*ANCHORS])


def test_the_full_configuration_is_the_default() -> None:
    full = load_config(Path(__file__).parents[1] / "bench/full.toml", {})
    default = load_config(None, {})
    assert axes(full) == axes(default)
    assert (full.run_name, full.train, full.augment) == (
        default.run_name,
        default.train,
        default.augment,
    )


def test_the_file_names_the_run(tmp_path: Path) -> None:
    assert load_config(toml(tmp_path, "seeds = 2"), {}).run_name == "parts"


def test_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    assert load_config(toml(tmp_path, "[train]\nepochs = 9"), {"train.epochs": 2}).train.epochs == 2


def test_who_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^command line: key 'train\.epochs'"):
        load_config(toml(tmp_path, "[train]\nepochs = 9"), {"train.epochs": -2})
    with pytest.raises(ConfigError, match=r"parts\.toml: key 'seeds'"):
        load_config(toml(tmp_path, 'seeds = "x"'), {"train.epochs": -2})


def test_what_an_option_completes_is_good(tmp_path: Path) -> None:
    config = load_config(toml(tmp_path, 'worker_resources = "GPU=1"'), {"executor": "dask://h:1"})
    assert config.executor == "dask://h:1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sedes = 3", "unknown key 'sedes'; did you mean 'seeds'?"),
        ("[train]\nepoch = 3", "unknown key 'train.epoch'; did you mean 'epochs'?"),
        ("seeds = 'three'", "key 'seeds'"),
        ("[augment]\nflip = 'up'", "key 'augment.flip'"),
        ("[data]\nshape = '36'", "is not HEIGHTxWIDTH"),
        ("seeds = ", "not a TOML file"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(toml(tmp_path, text), {})
    assert words in str(caught.value)
    assert "parts.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[grid]\narch = ['vit']", "no arch 'vit'; there are mlp, cnn"),
        ("[style.quad]\nmargin = 1", "no style 'quad'"),
        ("[style.triplet]\nmargins = 1.0", "unknown key 'style.triplet.margins'"),
    ],
)
def test_a_component_that_is_not_there_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        axes(load_config(toml(tmp_path, text), {}))
    assert words in str(caught.value)


def test_target_distances_come_from_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_text(",ok,spur\nok,0,2\nspur,,0\n")
    config = load_config(toml(tmp_path, "[style.siamese]\ntargets = 'far.csv'"), {})
    assert config.style["siamese"]["targets"] == {
        "ok": {"ok": 0.0, "spur": 2.0},
        "spur": {"spur": 0.0},
    }


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: no such configuration file"):
        load_config(tmp_path / "gone.toml", {})


def test_the_mlp_trains_longer_in_larger_batches() -> None:
    config = load_config(None, {"train.epochs": 5, "train.batch_size": 32, "seeds": 1})
    parts = {0: Parts(fit=np.arange(6), validation=np.arange(6, 9))}
    images = np.zeros((9, 1, 4, 4), np.uint8)
    source = Frames("made", images, np.arange(9) % 2, ("a", "b"), ("0", "1"), np.arange(9))
    trains = {c.recipe.arch: c.recipe.train for c in cells(config, "cpu", parts, source)}
    assert (trains["cnn"].epochs, trains["cnn"].batch_size) == (5, 32)
    assert (trains["mlp"].epochs, trains["mlp"].batch_size) == (18, 64)
