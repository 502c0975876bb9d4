"""`gaikan new`: a configuration to begin with."""

import re
from pathlib import Path

import pytest
from runner import bench, gaikan
from tiny import write_class

from gaikan.config.commented import is_table
from gaikan.config.model import Config
from gaikan.config.stages import Stage
from gaikan.config.toml_files import load_config
from gaikan.flow.new_config import config_text

PAGE = Path(__file__).parents[2] / "docs/configuration.md"


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    for place, name in enumerate(("良品", "キズ")):
        for lot in range(4):
            write_class(tmp_path / "data/parts" / name / f"lot{lot}", 3 * place, 3, lot)
    return tmp_path / "data/parts"


def test_the_file_is_the_defaults_with_the_source_and_the_good_class(
    parts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gaikan("new", "data/parts", "--out", "plans/mine.toml") == 0
    said = capfd.readouterr().out
    assert '24 images of 2 classes: "キズ" 12, "良品" 12' in said
    assert "4 lots" in said
    made = load_config(tmp_path / "plans/mine.toml", {})
    assert Path(made.data.train).resolve() == parts.resolve()
    told = {"name": "mine", "data": {"train": made.data.train, "ok": "良品"}}
    assert made == Config.model_validate(told)


def test_the_file_runs_as_it_is(parts: Path, tmp_path: Path) -> None:
    toml = tmp_path / "mine.toml"
    assert gaikan("new", parts, "-o", toml) == 0
    few = ("--seeds", 1, "--epochs", 1, "--references", "none", "--no-timing", "--no-pictures")
    assert bench(toml, "--out", tmp_path / "run", *map(str, few)) == 0


def test_a_file_that_is_there_is_never_replaced(
    parts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "mine.toml"
    toml.write_text("seeds = 1")
    assert gaikan("new", parts, "-o", toml) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert toml.read_text() == "seeds = 1"


@pytest.mark.parametrize("source", ["nothing", "empty", "notes.txt", "table.csv"])
def test_a_bad_source_is_one_line_and_leaves_no_file(
    source: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("notes.txt").write_text("x")
    Path("table.csv").write_text("name,kind\na,b\n")
    before = sorted(tmp_path.iterdir())
    assert gaikan("new", source) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_every_key_of_every_table_is_in_the_file() -> None:
    text = config_text({"train": "terminals"}, [])
    for name in Config.model_fields:
        assert re.search(rf"^#?(\[{name}[].]|{name} = )", text, re.MULTILINE), name
    for name, field in Stage.model_fields.items():
        assert is_table(field) or re.search(rf"^#{name} = ", text, re.MULTILINE), name


def test_the_page_shows_the_file_as_it_is_written(tmp_path: Path) -> None:
    """Write it anew: gaikan new terminals --out x.toml, and put that between the fences."""
    path = tmp_path / "terminals.toml"
    assert gaikan("new", "terminals", "-o", path) == 0
    assert f"```toml\n{path.read_text('utf-8')}```" in PAGE.read_text("utf-8")


def test_what_bench_would_refuse_is_said_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_class(tmp_path / "one/ok", 1, 30, 0)
    assert gaikan("new", tmp_path / "one", "-o", tmp_path / "one.toml") == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "`gaikan bench` refuses this" in said
    assert "only one class, 'ok'" in said
