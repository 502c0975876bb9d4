"""What commands print: names and paths as they are, and nothing cut where it is no terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from runner import gaikan
from small_run import write_run

from gaikan import cli
from gaikan.commands.progress import StepProgress
from gaikan.commands.terminal import open_console, show_failed, table

ODD = ("[ng]kizu", "x[/a]", ":smile:", "[bold]")


def test_names_in_tables_and_lines_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console = open_console()
    console.print(table(["variant", *ODD], [[name, *ODD] for name in ODD], title="[/b]"))
    console.print("x[/a]")
    show_failed(console, "mlp[/]", "no class [ng]kizu")
    title, header, *rows, path, failed = capsys.readouterr().out.splitlines()
    assert (title.strip(), path, failed) == ("[/b]", "x[/a]", "failed mlp[/]: no class [ng]kizu")
    assert header.split() == ["variant", *ODD]
    assert [row.split() for row in rows] == [[name, *ODD] for name in ODD]


def test_names_in_a_progress_bar_are_no_markup() -> None:
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=100, color_system=None)
    with StepProgress(console, "[title]") as steps:
        steps("x[/a] of [ng]kizu", 1, 2)
    assert "[title]" in shown.getvalue()
    assert "x[/a] of [ng]kizu" in shown.getvalue()


def test_a_folder_with_brackets_is_shown_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_run(tmp_path / "x[/a]")
    assert gaikan("pick", out) == 0
    assert f"{out}/picks.md" in capsys.readouterr().out
    gaikan("report", out / "[no]")
    assert f"{out}/[no]: no run folder" in capsys.readouterr().err


def test_only_a_terminal_has_a_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words, cells = "many words " * 20, ["a-name-of-forty-letters-that-is-not-short"] * 7
    monkeypatch.delenv("COLUMNS", raising=False)
    for columns in (None, "80"):
        if columns is not None:
            monkeypatch.setenv("COLUMNS", columns)
        console = open_console()
        console.print(words)
        console.print(table(["name"] * 7, [cells]))
        shown = capsys.readouterr().out
        if columns is None:
            assert shown.splitlines()[0].strip() == words.strip()
            assert shown.splitlines()[2].split() == cells
        else:
            assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("interrupted", [True, False])
def test_an_error_that_ctrl_c_has_led_to_says_that_it_was_interrupted(
    interrupted: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As within torch's exporter, which fails while it handles the interruption."""

    def fails() -> None:
        try:
            raise KeyboardInterrupt if interrupted else RuntimeError
        except BaseException:
            raise AttributeError("no attribute 'exc'")  # noqa: B904

    monkeypatch.setattr(cli, "app", fails)
    monkeypatch.setattr("sys.argv", ["gaikan"])
    with pytest.raises(SystemExit if interrupted else AttributeError) as ended:
        cli.main()
    if isinstance(ended.value, SystemExit):
        assert ended.value.code == 130
        assert capsys.readouterr().err == "gaikan: interrupted\n"
