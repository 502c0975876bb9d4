"""The command line: what the terminal cannot show, and arguments that are no text."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runner import HEAVY, gaikan
from small_bundle import bundle, images
from small_parts import write_files
from tiny import write_class

from gaikan import __version__

ODD = os.fsdecode("kキズ".encode("cp932"))


def written(encoding: str, *arguments: str | Path) -> tuple[int, bytes]:
    """Exit code of a command, and what it writes to a terminal of that encoding."""
    held_by = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        shown = [io.TextIOWrapper(held, encoding, write_through=True) for held in held_by]
        patch.setattr(sys, "stdout", shown[0])
        patch.setattr(sys, "stderr", shown[1])
        code = gaikan(*arguments)
    return code, b"".join(held.getvalue() for held in held_by)  # not closed, while `shown` is there


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, and images whose folders have names that only some encodings have."""
    path = tmp_path_factory.mktemp("names")
    bundle().save(path / "m.gaikan")
    write_files(path / "lot", images(3))
    for place, name in enumerate(("キズ", "é ± ø", "ok")):
        write_class(path / "parts" / name, place, 2, 0)
    return path


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "latin-1"])
def test_no_command_stops_at_a_name_that_the_terminal_cannot_show(
    folder: Path, encoding: str
) -> None:
    model, parts, new = folder / "m.gaikan", folder / "parts", folder / "n.gaikan"
    shown = b"".join("キズ".encode(encoding, errors="backslashreplace").splitlines())
    for command in (
        ("data", parts, "--picture", folder / "キズ.png"),
        ("predict", model, parts),
        ("data", folder / "キズø"),
    ):
        code, text = written(encoding, *command)
        assert code == (2 if command[-1] == folder / "キズø" else 0), text
        assert shown in text
    options = ("--class", "éø", "-o", new, "--replace")
    assert written(encoding, "enrol", model, folder / "lot", *options)[0] == 0
    code, text = written(encoding, "predict", new, parts, "--json")
    told = [json.loads(line) for line in text.decode(encoding).splitlines() if line[:1] == "{"]
    assert code == 0
    assert {Path(each["image"]).parent.name for each in told} == {"キズ", "é ± ø", "ok"}
    assert written(encoding, "predict", new, parts, "--csv", folder / "said.csv")[0] == 0
    assert "キズ" in (folder / "said.csv").read_text("utf-8")


ARGUMENTS: dict[str, tuple[str, ...]] = {
    "source": ("data", ODD),
    "train": ("bench", "--train", ODD),
    "toml": ("bench", f"{ODD}.toml"),
    "out": ("bench", "--out", ODD),
    "image": ("predict", "m.gaikan", f"{ODD}.png"),
    "csv": ("predict", "m.gaikan", "lot", "--csv", ODD),
    "class": ("enrol", "m.gaikan", "lot", "-o", "n.gaikan", "--class", ODD),
    "bundle": ("time", ODD),
}


@pytest.mark.parametrize("what", ARGUMENTS)
def test_an_argument_that_is_no_text_is_one_line_with_its_bytes_escaped(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = written("ascii", *ARGUMENTS[what])
    assert code == 2
    assert text.count(b"\n") == 1
    assert rb"k\udc83L\udc83Y" in text
    assert not list(tmp_path.iterdir())


def test_the_version_is_shown_without_importing_what_is_heavy() -> None:
    heavy = f"print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    program = f"import sys, atexit; atexit.register(lambda: {heavy})\n"
    program += "from gaikan.cli import main; sys.argv[1:] = ['--version']; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"gaikan {__version__}\n")
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_names_of_commands(shell: str) -> None:
    """As the shell asks it, by the variables that the installed completion sets."""
    variables = {"_GAIKAN_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        variables |= {"COMP_WORDS": "gaikan en", "COMP_CWORD": "1"}
    else:
        variables |= {
            "_TYPER_COMPLETE_ARGS": "gaikan en",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
    program = "from gaikan.cli import main; import sys; sys.argv = ['gaikan']; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | variables,
    )
    assert "enrol" in done.stdout, done
    assert "predict" not in done.stdout, done  # as the help would have it
