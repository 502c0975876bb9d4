"""README.md and docs/ say what is there: links, commands with their options, configurations."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer
from docs_figures import FIGURES, ROOT, pages

from gaikan.cli import app
from gaikan.config.plan import load_plan

README = ROOT / "README.md"
LINKING = [*pages(), ROOT / "bench/README.md", ROOT / "SECURITY.md"]
PATHS = [str(page.relative_to(ROOT)) for page in LINKING]
COMMANDS: dict[str, click.Command] = vars(typer.main.get_command(app))["commands"]
_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def without_code(text: str) -> str:
    """A page's text without blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_lines(page: Path) -> list[str]:
    """Each line of a page that stands in a block of code, as it would be typed."""
    text = page.read_text()
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for line in without_code(text).splitlines() if line.startswith("    ")]
    lines += [line for block in fenced for line in block.splitlines()]
    return [line.strip().removeprefix("$ ") for line in lines]


def gaikan_commands() -> list[str]:
    """All commands of gaikan that the pages show, also behind `nox -s check --`."""
    lines = [line for page in pages() for line in code_lines(page)]
    lines = [re.sub(r"^(python -m )?nox -s (bench|check) --", r"gaikan \2", line) for line in lines]
    return sorted({line for line in lines if re.match(r"gaikan [a-z]", line)})


@pytest.mark.parametrize("path", PATHS)
def test_each_link_of_a_page_leads_somewhere(path: str) -> None:
    page = ROOT / path
    for found in _LINK.finditer(without_code(page.read_text())):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if "://" in target:
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize("line", gaikan_commands())
def test_each_command_of_a_page_has_the_options_that_it_shows(line: str) -> None:
    _, name, *words = shlex.split(line, comments=True)
    known = {
        text for option in COMMANDS[name].params for text in (*option.opts, *option.secondary_opts)
    }
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= known


def test_pages_show_every_command() -> None:
    shown = {line.split()[1] for line in gaikan_commands()}
    assert shown == set(COMMANDS)


@pytest.mark.parametrize("page", [p for p in pages() if "```toml" in p.read_text()], ids=str)
def test_each_configuration_of_a_page_is_one(page: Path, tmp_path: Path) -> None:
    for i, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    ):
        written = tmp_path / f"{i}.toml"
        written.write_text(block)
        for table in re.findall(r'"([^" ]+\.(?:parquet|csv|onnx))"', block):
            (tmp_path / table).parent.mkdir(exist_ok=True)
            (tmp_path / table).touch()
        assert load_plan([written], {}).runs


def test_readme_is_read_in_minutes() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_the_test_command_of_readme_is_that_of_ci() -> None:
    (command,) = [line for line in code_lines(README) if line.endswith("nox -s tests")]
    assert command in (ROOT / ".ci/run").read_text().splitlines()


def test_each_picture_of_the_pages_is_shown() -> None:
    text = "".join(page.read_text() for page in pages())
    assert not [path.name for path in FIGURES.iterdir() if f"figures/{path.name}" not in text]


def test_the_table_of_rooms_names_each_room() -> None:
    page = (ROOT / "docs/extending.md").read_text()
    table = page.partition("## The rooms")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)/`", table)) - {"gaikan"}
    assert named == {path.parent.name for path in (ROOT / "gaikan").glob("*/__init__.py")}
