"""Several data sets in one configuration, or several configurations: which runs they make."""

from pathlib import Path

import pytest

from gaikan.config.plan import load_plan
from gaikan.config.toml_files import load_config
from gaikan.errors import ConfigError

TWO = """
seeds = 2
[[data]]
name = "boards"
train = "boards.parquet"
ok = "ok"
[[data]]
name = "tiles"
train = "tiles/train"
test = "tiles/test"
[train]
epochs = 5
"""


def toml(folder: Path, text: str, name: str = "parts.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_each_data_set_is_a_run_of_its_own(tmp_path: Path) -> None:
    plan = load_plan([toml(tmp_path, TWO)], {"seeds": 4})
    boards, tiles = (run.config for run in plan.runs)
    assert [boards.run_name, tiles.run_name] == ["boards", "tiles"]
    sources = [str(tmp_path / "boards.parquet"), str(tmp_path / "tiles/train")]
    assert [boards.data.train, tiles.data.train] == sources
    assert [boards.data.ok, tiles.data.ok] == ["ok", None]
    assert [boards.seeds, tiles.seeds] == [4, 4]
    assert [boards.train.epochs, tiles.train.epochs] == [5, 5]


def test_a_run_of_several_is_configured_as_if_it_stood_alone(tmp_path: Path) -> None:
    alone = 'seeds = 2\n[data]\ntrain = "boards.parquet"\nok = "ok"\n[train]\nepochs = 5\n'
    expected = load_config(toml(tmp_path, alone, "boards.toml"), {})
    assert load_plan([toml(tmp_path, TWO)], {}).runs[0].config == expected


@pytest.mark.parametrize("text", ["seeds = 1", '[data]\nok = "ok"', '[[data]]\nok = "ok"'])
def test_one_data_set_is_one_run_that_the_file_names(tmp_path: Path, text: str) -> None:
    (run,) = load_plan([toml(tmp_path, text)], {"data.train": "other.csv"}).runs
    assert run.config.run_name == "parts"
    assert run.config.data.train == "other.csv"


def test_without_a_file_the_default_is_run() -> None:
    (run,) = load_plan([], {}).runs
    assert run.config == load_config(None, {})


def test_several_files_are_a_run_each_and_may_hold_several_data_sets(tmp_path: Path) -> None:
    paths = [toml(tmp_path, TWO), toml(tmp_path, "", "terminals.toml")]
    plan = load_plan(paths, {})
    assert [run.name for run in plan.runs] == ["boards", "tiles", "terminals"]
    assert plan.folders(None) == (
        [Path("results/boards"), Path("results/tiles"), Path("results/terminals")],
        Path("results/summary"),
    )


def test_the_summary_of_one_file_is_named_after_it(tmp_path: Path) -> None:
    plan = load_plan([toml(tmp_path, TWO)], {})
    assert plan.folders(None)[1] == Path("results/parts-summary")
    out = tmp_path / "out"
    assert plan.folders(out) == ([out / "boards", out / "tiles"], out)


def edited(before: str, after: str) -> str:
    assert before in TWO
    return TWO.replace(before, after)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (edited('train = "tiles/train"', 'trian = "x"'), "'data.2.trian'; did you mean 'train'?"),
        (edited('name = "tiles"', 'nmae = "x"'), "'data.2.nmae'; did you mean 'name'?"),
        (edited('name = "tiles"', ""), "key 'data.2.name' is missing"),
        (edited('name = "tiles"', "name = 3"), "key 'data.2.name'"),
        (edited('name = "tiles"', 'name = "a/b"'), "key 'data.2.name': a name is letters"),
        (edited('name = "tiles"', 'name = ".."'), "key 'data.2.name': a name is letters"),
        (edited('"tiles"', '"boards"'), "key 'data.2.name': 'boards' would be the run folder of"),
        (edited('"tiles"', '"Boards"'), "(see "),
        (edited('train = "tiles/train"', 'shape = "9"'), "key 'data.2.shape': '9' is not HEIGHTx"),
        ("data = []", "key 'data': no data set in it"),
        ("data = ['terminals']", "key 'data.1': should be a table, not 'terminals'"),
        ("data = 3", "key 'data'"),
        (edited("epochs = 5", "epoch = 5"), "unknown key 'train.epoch'; did you mean 'epochs'?"),
    ],
)
def test_what_is_wrong_with_a_data_set_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_plan([toml(tmp_path, text)], {})
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/parts.toml: ")


@pytest.mark.parametrize("leaf", ["train", "test", "ok", "shape"])
def test_an_option_that_only_one_data_set_can_have_is_refused(tmp_path: Path, leaf: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_plan([toml(tmp_path, TWO)], {f"data.{leaf}": "8x8"})
    assert f"--{leaf}: which of the 2 data sets (boards, tiles) is meant?" in str(caught.value)


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    path = toml(tmp_path, "")
    with pytest.raises(ConfigError, match="'parts' would be the run folder of two data sets"):
        load_plan([path, path], {})


def test_a_run_may_not_lie_where_the_summary_does(tmp_path: Path) -> None:
    plan = load_plan([toml(tmp_path, edited('"tiles"', '"parts-summary"'))], {})
    with pytest.raises(ConfigError, match=r"key 'data\.2\.name': results/parts-summary is for"):
        plan.folders(None)


def test_a_summary_may_not_lie_in_a_run_folder(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds a run, and cannot hold a summary"):
        load_plan([toml(tmp_path, TWO)], {}).folders(tmp_path)
