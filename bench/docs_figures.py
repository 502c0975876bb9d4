"""Makes every output and picture that the pages show anew: `python bench/docs_figures.py`.

All of it is of one run, `gaikan bench` in `results/docs/`, which goes on where it was interrupted.
Between `<!-- begin NAME -->` and `<!-- end -->` stands what `shown()` has under that name.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from gaikan.data.sources import read_source

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs/figures"
WORK = ROOT / "results/docs"  # where the commands run, as a reader would run them
RUN = WORK / "results/terminals"
BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """README.md, and all pages in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def fill(text: str, blocks: dict[str, str]) -> str:
    """The page `text` with `blocks` between its markers; KeyError names one that is not there."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]}\n\n{found[3]}", text)


def output(command: str, codes: tuple[int, ...] = (0,), **env: str) -> list[str]:
    """The lines that a command prints on stdout, 100 columns wide."""
    done = subprocess.run(
        command.split(),
        cwd=WORK,
        env=os.environ | {"COLUMNS": "100"} | env,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode not in codes:
        sys.exit(f"{command}: exit code {done.returncode}")
    return [line.rstrip() for line in done.stdout.splitlines()]


def as_code(lines: list[str]) -> str:
    """Lines as a block of Markdown that stays as it is."""
    return "\n".join(f"    {line}".rstrip() for line in lines)


def table_of(path: Path, n: int = 0) -> str:
    """The first Markdown table of a page, or its first `n` rows."""
    found = re.search(r"(^\|.*\|\n)+", path.read_text(), re.MULTILINE)
    rows = found[0].splitlines() if found else []
    return "\n".join(rows[: n + 2] if n else rows)


def latency() -> str:
    """The fastest runtime of each variant, below the machine and what disturbed the timing."""
    path = RUN / "latency.md"
    machine = path.read_text().partition("\n### ")[2].partition("\n|")[0]
    return f"{machine.strip()}\n\n{table_of(path)}"


def screen() -> list[str]:
    """What a terminal shows at the end of a run, from the answer on; a dumb one has 80 columns."""
    lines = output("gaikan bench", FORCE_COLOR="1", TERM="dumb")
    first = next(i for i, line in enumerate(lines) if line.startswith("intermediate: "))
    return ["$ gaikan bench", *lines[first:]]


def write_parts() -> None:
    """Folders of pictures to predict and to enrol: test terminals, and good ones with a hole."""
    frames = read_source("terminals", "test")
    for folder in ("lot", "holes"):
        shutil.rmtree(WORK / folder, ignore_errors=True)
        (WORK / folder).mkdir(parents=True)
    for i in range(4):
        Image.fromarray(frames.images[i, 0]).save(WORK / f"lot/{i:04}.png")
    for i in np.flatnonzero(frames.names == "ok")[:5]:
        pixels = frames.images[i, 0].copy()
        pixels[16:20, 17:21] = 15
        Image.fromarray(pixels).save(WORK / f"holes/{i:04}.png")


def shown() -> dict[str, str]:
    """Every block by its name."""
    write_parts()
    bundle, larger = "part.gaikan", "new.gaikan"
    for name in (bundle, larger):
        (WORK / name).unlink(missing_ok=True)
    commands = {
        "picks": "gaikan pick results/terminals",
        "export": f"gaikan export results/terminals --stage intermediate -o {bundle}",
        "predict": f"gaikan predict {bundle} lot/",
        "enrol": f"gaikan enrol {bundle} --class hole holes/ -o {larger}",
    }
    printed = {
        name: [f"$ {command}", *output(command, (0, 1))] for name, command in commands.items()
    }
    printed["line"] = printed["export"] + printed["predict"]
    printed["enrol-short"] = [*printed["enrol"][:5], "    ...", *printed["enrol"][-3:]]
    accuracy = RUN / "accuracy.md"
    printed["screen"] = screen()
    return {name: as_code(lines) for name, lines in printed.items()} | {
        "accuracy": table_of(accuracy),
        "latency": latency(),
    }


def copy_pictures() -> None:
    """The run's pictures that pages show; the matrix is that of the variant in front."""
    figures = RUN / "figures"
    for name in ("accuracy.png", "samples.png", "tree.svg", "escapes-intermediate.svg"):
        shutil.copyfile(figures / name, FIGURES / name)
    front = table_of(RUN / "accuracy.md", 1).splitlines()[-1].split("|")[1].strip()
    shutil.copyfile(RUN / f"confusion/{front}.png", FIGURES / "confusion.png")


def main() -> None:
    """Runs the grid and fills the pages."""
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gaikan", "bench"], cwd=WORK, check=True)
    blocks = shown()
    copy_pictures()
    for page in pages():
        page.write_text(fill(page.read_text(), blocks))


if __name__ == "__main__":
    main()
