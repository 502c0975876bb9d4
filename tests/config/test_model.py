"""The configuration: what it accepts, and how it refuses."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from gaikan.anchors import ANCHORS
from gaikan.config.toml_files import load_config
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
    everything = {"grid.arch": [*NETWORKS], "grid.style": [*STYLES], "grid.anchor": [*ANCHORS]}
    assert axes(load_config(None, everything)) == ([*NETWORKS], [*STYLES], [*ANCHORS])


def test_by_default_styles_of_an_extra_are_left_out() -> None:
    usual = ["vanilla", "siamese", "triplet"]
    assert axes(load_config(None, {})) == ([*NETWORKS], usual, [*ANCHORS])


def test_the_full_configuration_is_the_default() -> None:
    full = load_config(Path(__file__).parents[2] / "bench/full.toml", {})
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
        ("[grid]\narch = ['vit']", "no arch 'vit'; there are mlp, resnet, cnn"),
        ("[style.quad]\nmargin = 1", "no style 'quad'"),
        ("[style.triplet]\nmargins = 1.0", "unknown key 'style.triplet.margins'"),
        ("[style.supcon]\ntemperature = 0", "key 'style.supcon.temperature'"),
        ("[style.proxy_anchor]\nmargins = 1", "unknown key 'style.proxy_anchor.margins'"),
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


TEXT = 'seeds = 1\n# 外観検査\n[data]\ntrain = "parts"\nok = "ok"\n'


def test_relative_sources_are_relative_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[data]\ntrain = {!r}\ntest = {!r}"
    (tmp_path / "in").mkdir()
    monkeypatch.chdir("/")
    for given, found in (
        ("parts", f"{tmp_path}/in/parts"),
        ("../parts.csv", f"{tmp_path}/parts.csv"),
        ("/data/x", "/data/x"),
        ("terminals", "terminals"),
        ("hub:a/b@v1:test", "hub:a/b@v1:test"),
    ):
        data = load_config(toml(tmp_path / "in", text.format(given, given)), {}).data
        assert (data.train, data.test) == (found, found)
    assert load_config(toml(tmp_path, ""), {"data.train": "parts"}).data.train == "parts"


def test_a_link_on_the_way_to_a_source_is_followed_as_the_system_does(tmp_path: Path) -> None:
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "near").symlink_to(tmp_path / "far/away")
    path = toml(tmp_path / "far/away", '[data]\ntrain = "../parts"')
    found = load_config(tmp_path / "near" / path.name, {}).data.train
    assert Path(found).resolve() == tmp_path / "far/parts"


def test_class_names_in_keys_are_composed(tmp_path: Path) -> None:
    decomposed, composed = (unicodedata.normalize(form, "バリ") for form in ("NFD", "NFC"))
    (tmp_path / "far.csv").write_text(f",ok,{decomposed}\nok,0,2\n{decomposed},2,0\n")
    text = (
        f'[style.siamese]\ntargets = "far.csv"\n[stage.x.recall]\n"{decomposed}" = {{ min = 0.5 }}'
    )
    config = load_config(toml(tmp_path, text), {})
    targets = config.style["siamese"]["targets"]
    assert isinstance(targets, dict)
    assert [*targets] == ["ok", composed]
    recall = config.stage["x"].recall
    assert recall is not None
    assert [*recall] == [composed]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932", "utf-16"])
def test_a_table_of_targets_is_read_as_spreadsheets_write_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "far.csv").write_bytes(",良品,キズ\n良品,,2.5\n".encode(encoding))
    config = load_config(toml(tmp_path, "[style.siamese]\ntargets = 'far.csv'"), {})
    assert config.style["siamese"]["targets"] == {"良品": {"キズ": 2.5}}


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load_config(tmp_path / "bom.toml", {}).data.train == f"{tmp_path}/parts"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode("cp932"), "its text is cp932, which TOML is not; save it as UTF-8"),
        (TEXT.encode("utf-16"), "its text is utf-16, which TOML is not; save it as UTF-8"),
        (TEXT.encode("euc_jp"), "its text is neither UTF-8, UTF-16 nor Japanese cp932; save it"),
        (b'[data]\ntrain = "C:\\users\\x"', "a path with backslashes stands in 'single quotes'"),
        (b'[data]\ntrain = "C:\\data\\x"', "a path with backslashes stands in 'single quotes'"),
        (b'[data]\ntrain = "a\\u0000b"', "key 'data.train': has a control character"),
        (b'[data]\ntrain = "C:\\temp\\new"', "a path with backslashes stands in 'single quotes'"),
    ],
)
def test_a_file_of_windows_is_told_what_to_change(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "parts.toml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "parts.toml", {})
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/parts.toml: ")


def test_a_path_of_windows_in_single_quotes_stays_as_it_is(tmp_path: Path) -> None:
    config = load_config(toml(tmp_path, "[data]\ntrain = 'C:\\parts\\new'"), {})
    assert config.data.train == "C:\\parts\\new"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: no such configuration file"):
        load_config(tmp_path / "gone.toml", {})


def test_architectures_train_for_their_own_epochs_in_their_own_batches() -> None:
    config = load_config(None, {"train.epochs": 5, "train.batch_size": 32, "seeds": 1})
    parts = {0: Parts(fit=np.arange(6), validation=np.arange(6, 9))}
    images = np.zeros((9, 1, 4, 4), np.uint8)
    source = Frames("made", images, np.arange(9) % 2, ("a", "b"), ("0", "1"), np.arange(9))
    trains = {c.recipe.arch: c.recipe.train for c in cells(config, "cpu", parts, source)}
    assert (trains["cnn"].epochs, trains["cnn"].batch_size) == (5, 32)
    assert (trains["resnet"].epochs, trains["resnet"].batch_size) == (5, 64)
    assert trains["resnet"].learning_rate == 4 * trains["cnn"].learning_rate
    assert (trains["mlp"].epochs, trains["mlp"].batch_size) == (18, 96)
