"""What a user can have or leave out: small runs of every pair of it, from bench to check."""

import json
import random
import re
from functools import cache
from html.parser import HTMLParser
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browser import chromium, complaints, show
from numpy.typing import NDArray
from PIL import Image
from runner import gaikan

from gaikan.bundle.bundle import Bundle
from gaikan.run_folder.picks_file import read_picks

SIDE, TRAIN, TEST, LOTS = 12, 20, 8, 5  # pixels; images of a class; lots of a source
SEED = 70  # of 120 orders of the cases, the one whose covering takes the least time
OTHER_BASELINE = Path(__file__).parents[2] / "results/baseline.json"
CLASSES = ("ok", "burr", "crack", "dent", "stain")


class Case(NamedTuple):
    """One run."""

    ok: bool  # whether a class means good
    lots: str  # which of the sources tell them
    test: str  # the test source: none, whole, or with parts of the good class and one lot alone
    seeds: int
    classes: int
    folder: bool  # a table otherwise
    colour: bool
    modes: str  # which of the sources tell them
    references: bool
    pictures: bool
    timing: bool

    @property
    def possible(self) -> bool:
        """A folder tells neither lots nor failure modes; a table is grey."""
        if self.test == "none" and {self.lots, self.modes} & {"train", "test"}:
            return False
        return self.lots == self.modes == "none" if self.folder else not self.colour

    @property
    def name(self) -> str:
        """What it has, for pytest."""
        there = [name for name, level in self.settings if level is True]
        levels = [f"{name}_{getattr(self, name)}" for name in ("lots", "modes", "test")]
        return "-".join((f"seeds{self.seeds}", f"classes{self.classes}", *levels, *there))

    @property
    def settings(self) -> list[tuple[str, object]]:
        """Each factor and its level."""
        return list(zip(self._fields, self, strict=True))

    @property
    def pairs(self) -> set[tuple[object, object]]:
        """Every two levels that meet in this run."""
        return set(combinations(self.settings, 2))


YES_OR_NO = (False, True)
LEVELS = {
    "lots": ("none", "both", "test"),
    "test": ("none", "whole", "good"),
    "seeds": (1, 2, 3),
    "classes": (2, 5),
    "modes": ("none", "both", "train"),
}


@cache
def possible_cases() -> tuple[Case, ...]:
    levels: list[tuple[Any, ...]] = [LEVELS.get(name, YES_OR_NO) for name in Case._fields]
    found = [case for each in product(*levels) if (case := Case(*each)).possible]
    return tuple(random.Random(SEED).sample(found, len(found)))


@cache
def covering() -> tuple[Case, ...]:
    """Few runs in which every two levels meet: always the run with most pairs that are new."""
    left = set().union(*(case.pairs for case in possible_cases()))
    found = []
    while left:
        found.append(max(possible_cases(), key=lambda case: len(case.pairs & left)))
        left -= found[-1].pairs
    return tuple(found)


class Walk:
    """One case through every command, each of which has to end well or say why not."""

    def __init__(self, case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.case, self.folder, self.capsys = case, folder, capsys
        self.out = folder / "run"

    def through_every_command(self) -> Path:
        """The page that is left at the end."""
        self.bench()
        self.report()
        self.time()
        self.pick()
        self.export()
        self.check()
        return self.out / "report.html"

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        """Exit code and what was said; an error would be on stderr, which stays empty."""
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("COLUMNS", "200")
            code = gaikan(*arguments)
        said, error = self.capsys.readouterr()
        assert not error, error
        assert not nonsense(said), said
        return code, said

    def bench(self) -> None:
        write_data(self.case, self.folder)
        (self.folder / "case.toml").write_text(toml(self.case, self.folder))
        code, said = self.run("bench", self.folder / "case.toml", "--out", self.out)
        assert code == 0, said
        if self.case.pictures:
            self.pages()
        if self.case.timing:
            self.picks()
        else:
            assert "Not timed, so nothing is picked" in said

    def report(self) -> None:
        assert self.run("report", self.out)[0] == 0
        self.pages()

    def time(self) -> None:
        """Where `bench` has not done it: with the same settings it would be the same again."""
        if self.case.timing:
            return
        timed = ("--quick", "--runtime", "onnxruntime-fp32", "--threads", "1")
        assert self.run("time", self.out, *timed)[0] == 0
        self.pages()

    def pick(self) -> None:
        """By the default stages, which may find nothing; then by one that takes the best."""
        code, said = self.run("pick", self.out)
        assert code == (0 if self.picks() else 1), said
        (self.folder / "stages.toml").write_text("[stage.any]\nagreement = { min = 0 }\n")
        code, said = self.run("pick", self.out, "--stages", self.folder / "stages.toml")
        assert (code, self.picks()) == (0, True), said
        self.report()

    def export(self) -> None:
        path = self.folder / "any.gaikan"
        code, said = self.run("export", self.out, "--stage", "any", "--out", path)
        assert code == 0, said
        assert Bundle.open(path).card.ok == (good(self.case) if self.case.ok else None)

    def check(self) -> None:
        """Against itself, where it has the seeds for it, and against a baseline of other parts."""
        if self.case.seeds > 1:
            clean_commit(self.out)
            own = self.folder / "baseline.json"
            assert self.run("check", self.out, "--baseline", own, "--update")[0] == 0
            self.judged(own)
        assert self.judged(OTHER_BASELINE) == 1

    def judged(self, baseline: Path) -> int:
        code, said = self.run("check", self.out, "--baseline", baseline)
        assert code in (0, 1)
        assert ("passed" in said) if code == 0 else re.search("failed|inconclusive", said), said
        return code

    def picks(self) -> bool:
        """Whether every stage has a pick; each that has none says why."""
        found = read_picks(self.out / "picks.json")
        assert found is not None
        page = (self.out / "picks.md").read_text()
        assert not nonsense(page), page
        for name, stage in found.stages.items():
            card = page.partition(f"**Stage: {name}: ")[2].partition("\n\n**Stage: ")[0]
            if stage.pick is None:
                assert card.startswith("Nothing qualifies**")
                told = "It would qualify with |no border .* makes it qualify: "
                assert re.search(told, card), card
            else:
                assert card.startswith(f"{stage.pick.variant}**")
        return len(found.picked) == len(found.stages)

    def pages(self) -> None:
        page = Page()
        page.feed((self.out / "report.html").read_text(encoding="utf-8"))
        page.close()
        assert page.open == []
        assert "mlp-vanilla-mean_embedding" in page.text
        for name in ("report.md", "accuracy.md", "latency.md"):
            if (self.out / name).exists():
                text = (self.out / name).read_text(encoding="utf-8")
                assert not nonsense(text), f"{name}: {nonsense(text)}"
                assert not empty_columns(text), f"{name}: {empty_columns(text)}"
        assert not nonsense(page.text), nonsense(page.text)


class Page(HTMLParser):
    """A page's visible text, and the elements that were never closed."""

    _VOID = ("meta", "br", "img", "link", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += f" {data}"


def open_all(pages: list[Path], folder: Path) -> None:
    """Opens every page in a browser, which has nothing to complain of."""
    assert pages, "no run left a page"
    with chromium(folder) as browser:
        for page in pages:
            show(browser, page)
            assert not complaints(browser)
            body = browser.find_element("tag name", "body").text
            assert not nonsense(body), nonsense(body)


def nonsense(text: str) -> list[str]:
    """What a program says where a person would say something else."""
    words = "nan|None|NaN|inf|NaT|NA|undefined|Traceback|False|True"
    return re.findall(rf".*\b(?:{words})\b.*", text)


def empty_columns(markdown: str) -> list[str]:
    """Tables with a column that has a name and not a single cell."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        lines = table.split("\n")[:-1]
        header, _, *rows = ([cell.strip() for cell in line.split("|")] for line in lines)
        for name, *cells in zip(header, *rows, strict=True):
            if name and not any(cells):
                found.append(f"{name!r} of {header}")
    return found


def good(case: Case) -> str:
    """The name of the good class: a table without failure modes has numbers."""
    return "ok" if case.folder or (case.modes != "none" and case.classes > 2) else "0"


def toml(case: Case, folder: Path) -> str:
    def source(part: str) -> str:
        return str(folder / (part if case.folder else f"{part}.parquet"))

    data = [f'train = "{source("train")}"']
    data += [f'test = "{source("test")}"'] * (case.test != "none")
    data += [f'ok = "{"ok" if case.folder else 0}"'] * case.ok
    lines = "\n".join(data)
    return f"""
seeds = {case.seeds}
references = "{"all" if case.references else "none"}"
pictures = {str(case.pictures).lower()}
[data]
{lines}
[grid]
arch = ["mlp"]
style = ["vanilla"]
anchor = ["mean_embedding"]
[train]
epochs = 1
batch_size = 32
precision = "fp32"
[timing]
enabled = {str(case.timing).lower()}
plan = "quick"
runtimes = ["onnxruntime-fp32"]
threads = [1]
"""


def write_data(case: Case, folder: Path) -> None:
    for number, (part, size) in enumerate((("train", TRAIN), ("test", TEST))):
        if part == "test" and case.test == "none":
            continue
        images, labels = drawn(case, size, number)
        if part == "test" and case.test == "good":
            images, labels = images[labels == 0], labels[labels == 0]
        (write_folder if case.folder else write_table)(case, folder / part, images, labels)


def drawn(case: Case, size: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noise with a bright bar that makes the class: (N, SIDE, SIDE) and (N,)."""
    labels = np.arange(case.classes * size) % case.classes
    rng = np.random.default_rng([20, seed])
    images = rng.integers(0, 120, (len(labels), SIDE, SIDE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] += np.uint8(15)  # not to be told without mistakes
    return images, labels


def write_folder(
    case: Case, folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / CLASSES[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(image)
        (picture.convert("RGB") if case.colour else picture).save(path)


def write_table(
    case: Case, path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    """Of two classes the defective one has two failure modes, of five each class is one."""
    columns: dict[str, Any] = {
        f"data{i}": pixels for i, pixels in enumerate(images.reshape(len(images), -1).T)
    }
    columns["label"] = labels
    if case.modes in ("both", path.name):
        modes = np.asarray(CLASSES)[labels]
        if case.classes == 2:
            modes[(labels == 1) & (np.arange(len(labels)) % 4 == 1)] = "chip"
        columns["fmode"] = modes
    if case.lots in ("both", path.name):
        lots = 1 if len(set(labels)) == 1 else LOTS
        place = np.arange(len(labels)) * lots // len(labels)
        columns["group"] = np.char.add(f"{path.name}-", place.astype(str))
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))


def clean_commit(run: Path) -> None:
    """As if the tree had no changes: a baseline is of a commit."""
    manifest = json.loads((run / "manifest.json").read_bytes())
    manifest["machine"]["commit"] = "c" * 40
    (run / "manifest.json").write_text(json.dumps(manifest))
