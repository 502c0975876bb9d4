"""Pictures of a run, drawn anew in either language."""

import shutil
from pathlib import Path

import pytest
from runner import bench, gaikan
from tiny import write_class

from gaikan.figures import style

pytestmark = pytest.mark.timeout(200)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redraw")
    for place, name in enumerate(("ok", "spur")):
        write_class(folder / "parts" / name, 5 * place, 12, seed=0)
        write_class(folder / "later" / name, 5 * place, 6, seed=1)
    (folder / "own.toml").write_text(
        'seeds = 1\n[data]\ntrain = "parts"\ntest = "later"\nok = "ok"\n'
        '[grid]\narch = ["mlp"]\nstyle = ["vanilla"]\n'
        "[train]\nepochs = 1\nbatch_size = 8\n[timing]\nenabled = false\n"
    )
    assert bench(folder / "own.toml", "--out", folder / "run") == 0
    return folder / "run"


def pictures(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run.rglob("*.png"))}


def test_they_are_drawn_in_the_language_asked_for_and_back(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    english = pictures(run)
    assert "accuracy.png" in english
    if len(style.families()) == 1:
        pytest.skip("no font with Japanese here (Debian: fonts-noto-cjk)")
    assert gaikan("report", run, "--redraw", "--lang", "ja") == 0
    japanese = pictures(run)
    assert japanese.keys() == english.keys()
    assert [name for name in english if english[name] == japanese[name]] == []
    assert gaikan("report", run, "--redraw") == 0
    assert pictures(run) == english
    assert "fonts" not in capsys.readouterr().out


def test_a_run_stays_whole_when_it_is_redrawn(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("samples", "accuracy"):
        (run / f"figures/{name}.png").write_bytes(b"damaged")
    assert gaikan("report", run, "--redraw") == 0
    capsys.readouterr()
    assert bench(run.parent / "own.toml", "--out", run) == 0
    assert "Nothing has changed" in capsys.readouterr().out


def test_a_table_that_is_damaged_is_still_seen_to_be(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = run / "accuracy.csv"
    whole = table.read_bytes()
    table.write_bytes(whole.replace(b"mlp", b"cnn"))
    assert gaikan("report", run, "--redraw") == 0
    capsys.readouterr()
    assert bench(run.parent / "own.toml", "--out", run) == 0
    assert "Nothing has changed" not in capsys.readouterr().out
    assert table.read_bytes() == whole


def test_without_a_font_they_stay_english_and_the_terminal_says_so(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    english = pictures(run)
    monkeypatch.setattr(style, "families", lambda: ["DejaVu Sans"])
    assert gaikan("report", run, "--redraw", "--lang", "ja") == 0
    assert "No installed font has Japanese letters" in " ".join(capsys.readouterr().out.split())
    assert pictures(run) == english


def test_images_that_are_gone_are_named_and_nothing_is_drawn(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, parts, elsewhere = pictures(run), run.parent / "parts", run.parent / "elsewhere"
    parts.rename(elsewhere)
    try:
        assert gaikan("report", run, "--redraw", "--lang", "ja") == 2
    finally:
        elsewhere.rename(parts)
    assert str(parts) in capsys.readouterr().err
    assert pictures(run) == before


def test_of_a_run_without_pictures_none_is_drawn_until_bench_is_asked_to(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    shutil.copytree(run, out)
    assert bench(out / "run.toml", "--out", out, "--no-pictures") == 0
    assert pictures(out) == {}
    capsys.readouterr()
    assert gaikan("report", out, "--redraw") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert pictures(out) == {}
    command = line.split("`")[1].split()
    assert command[:2] == ["gaikan", "bench"]
    assert bench(*command[2:]) == 0
    assert pictures(out).keys() == pictures(run).keys()
