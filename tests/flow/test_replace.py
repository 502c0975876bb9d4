"""A run replaces another one only where it is told to."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from runner import bench, gaikan
from tiny import write_class

from gaikan.config.model import path_name
from gaikan.networks import NETWORKS

pytestmark = pytest.mark.timeout(300)

TOML = """
seeds = 1
references = "none"
[grid]
arch = ["mlp"]
style = ["vanilla"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = 1
batch_size = 16
"""


def write_parts(folder: Path, seed: int, count: int = 12) -> None:
    for place, name in enumerate(("ok", "open")):
        write_class(folder / name, 3 * place, count, seed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts in colour and in grey, `grid.toml`, and `run`, a whole run of the former."""
    path = tmp_path_factory.mktemp("replace")
    for seed, name in enumerate(("colour", "grey")):
        write_parts(path / name / "train", seed)
        write_parts(path / name / "test", 10 + seed, 6)
    (path / "grid.toml").write_text(TOML)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert bench("grid.toml", "--train", "colour/train", "--out", "run") == 0
    return path


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, with all that."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(out: Path) -> dict[str, bytes]:
    """The run's files; the lock is none of them."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that the command ends with, with nothing changed in the folder `run`."""
    before = files(Path("run"))
    assert bench("grid.toml", *arguments, "--out", "run") == 2
    said = capsys.readouterr()
    assert "epoch" not in said.out
    assert files(Path("run")) == before
    assert said.err.count("\n") == 1
    return said.err


def quick(*arguments: str) -> int:
    """`gaikan bench` without pictures, which take longer than it trains."""
    return bench(*arguments, "--no-pictures")


REMEDY = "; choose another --out, or --replace that run\n"
OF_COLOUR = "gaikan: run: holds a run of train colour/train (24 of 1 x 12 x 12), and this one is of"


def test_a_run_of_other_training_images_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, "--train", "grey/train")
    assert error == f"{OF_COLOUR} train grey/train (24 of 1 x 12 x 12){REMEDY}"


def test_a_run_of_other_test_images_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, "--train", "colour/train", "--test", "colour/test")
    both = "train colour/train (24 of 1 x 12 x 12), test colour/test (12 of 1 x 12 x 12)"
    assert error == f"{OF_COLOUR} {both}{REMEDY}"


def test_images_that_have_changed_under_their_name_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("colour/train")
    write_parts(Path("colour/train"), seed=7)
    error = refused(capsys, "--train", "colour/train")
    assert "of train colour/train (24 of 1 x 12 x 12), whose pixels, labels, modes or g" in error
    write_parts(Path("colour/train"), seed=7, count=13)
    error = refused(capsys, "--train", "colour/train")
    assert error == f"{OF_COLOUR} train colour/train (26 of 1 x 12 x 12){REMEDY}"


@pytest.mark.parametrize("change", ["epochs = 2", "base_seed = 3", "seeds = 2", "other path"])
def test_another_run_of_the_same_images_goes_on(here: Path, change: str) -> None:
    key = change.partition(" ")[0]
    lines = [change if line.startswith(f"{key} ") else line for line in TOML.splitlines()]
    text = "\n".join(lines if change in lines or key == "other" else [change, *lines])
    Path("grid.toml").write_text(text)
    train = str(here / "colour/train") if key == "other" else "colour/train"
    assert quick("grid.toml", "--train", train, "--out", "run") == 0


def test_what_is_replaced_goes_and_the_users_own_files_stay(here: Path) -> None:
    own = {name: f"my {name}".encode() for name in ("note.txt", "figures/mine.png")}
    timed = ("latency.csv", "latency.md", "latency.json", "latency_samples.parquet")
    for name in (*own, *timed, "picks.json", "picks.md", "figures/tree.svg"):
        (here / "run" / name).write_bytes(own.get(name, b"of colour"))
    before = files(here / "run")
    assert {"report.html", "accuracy.csv", "figures/scatter-mlp-vanilla.png"} < before.keys()
    arguments = ("grid.toml", "--train", "grey/train", "--out", "run", "--no-pictures")
    assert bench(*arguments, "--replace") == 0
    after = files(here / "run")
    stored = {name: content for name, content in before.items() if name.startswith("store/")}
    assert own.items() | stored.items() <= after.items()
    assert {name for name in after if name.endswith(".png")} == {"figures/mine.png"}
    assert not after.keys() & {*timed, "picks.json", "picks.md", "report.html", "figures/tree.svg"}
    manifest = json.loads(after["manifest.json"])
    assert manifest["data"]["train"]["source"] == "grey/train"
    assert bench(*arguments) == 0


def test_labels_of_what_is_replaced_go_but_never_somebodys_work(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, page = Path("run/labels.csv"), Path("run/labels.html")
    header = "part,row,image,label,doubted,proposed,sure,validation,correct\n"
    table.write_text(f"{header}train,1,a,ok,yes,open,0.9,,open\n")
    page.write_text("of colour")
    before = files(here / "run")
    error = refused(capsys, "--train", "grey/train", "--replace")
    assert "run/labels.csv: holds corrections, and would be replaced; move it away" in error
    assert files(here / "run") == before
    table.write_text(f"{header}train,1,a,ok,yes,open,0.9,,\n")
    assert quick("grid.toml", "--train", "grey/train", "--out", "run", "--replace") == 0
    assert not table.exists()
    assert not page.exists()


def test_a_table_of_labels_that_cannot_be_read_stops_no_page(here: Path) -> None:
    Path("run/labels.csv").write_text("part,row\ntrain,1\n")
    assert gaikan("report", "run") == 0
    page = Path("run/report.html").read_text()
    assert "labels.csv: column &#39;doubted&#39; is missing; move it away" in page


def test_a_file_outside_that_a_manifest_names_is_not_removed(here: Path) -> None:
    (here / "mine.csv").write_text("mine")
    path = here / "run/manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"files": {"../mine.csv": "0", "accuracy.csv": "0"}}))
    assert quick("grid.toml", "--train", "grey/train", "--out", "run", "--replace") == 0
    assert (here / "mine.csv").read_text() == "mine"


def test_replacing_the_same_images_keeps_the_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(here / "run")
    assert bench("grid.toml", "--train", "colour/train", "--out", "run", "--replace") == 0
    assert "Nothing has changed since the last run here" in capsys.readouterr().out
    pages = {"report.html", "report.md"}
    changed = {name for name, content in files(here / "run").items() if before[name] != content}
    assert changed <= pages


def test_an_unfinished_run_is_another_run_too(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its networks are hours of work that the same command goes on with."""
    shutil.rmtree("run")
    with monkeypatch.context() as patch:
        patch.setattr("gaikan.flow.bench_run.train_grid", interrupted)
        assert quick("grid.toml", "--train", "colour/train", "--out", "run") == 130
    assert not Path("run/manifest.json").exists()
    capsys.readouterr()
    error = refused(capsys, "--train", "grey/train")
    assert "run: holds an unfinished run of train colour/train (24 of 1 x 12 x 12), and" in error
    assert quick("grid.toml", "--train", "colour/train", "--out", "run") == 0
    shutil.rmtree("run")
    with monkeypatch.context() as patch:
        patch.setattr("gaikan.flow.bench_run.train_grid", interrupted)
        quick("grid.toml", "--train", "colour/train", "--out", "run")
    assert quick("grid.toml", "--train", "grey/train", "--out", "run", "--replace") == 0


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "run: holds another run (there is no sources.json)"),
        ("{", "run/sources.json: not JSON ("),
        ("{}", "run/sources.json: key 'train': field required"),
    ],
)
def test_a_run_that_does_not_say_of_what_is_refused_and_can_be_replaced(
    here: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    Path("run/sources.json").unlink()
    if content is not None:
        Path("run/sources.json").write_text(content)
    error = refused(capsys, "--train", "colour/train")
    assert error.startswith(f"gaikan: {words}")
    assert error.endswith(REMEDY)
    assert quick("grid.toml", "--train", "colour/train", "--out", "run", "--replace") == 0


def test_of_several_data_sets_one_that_would_replace_another_stops_all(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def two(second: str) -> str:
        tables = [("first", "colour"), ("second", second)]
        data = [f'[[data]]\nname = "{name}"\ntrain = "{of}/train"\n' for name, of in tables]
        return TOML + "".join(data)

    Path("two.toml").write_text(two("grey"))
    assert quick("two.toml", "--out", "both") == 0
    before = files(Path("both"))
    shutil.rmtree("both/first")
    Path("two.toml").write_text(two("colour"))
    capsys.readouterr()
    assert quick("two.toml", "--out", "both") == 2
    error = capsys.readouterr().err
    assert error.startswith("gaikan: two.toml: both/second: holds a run of train grey/train (24 of")
    assert error.endswith(REMEDY)
    assert not Path("both/first").exists()
    assert (
        files(Path("both/second")).items()
        <= {name.removeprefix("second/"): content for name, content in before.items()}.items()
    )
    assert quick("two.toml", "--out", "both", "--replace") == 0
    sources = [json.loads(Path(f"both/{name}/sources.json").read_text()) for name, _ in NAMES]
    assert [each["train"]["name"] for each in sources] == ["colour/train"] * 2


NAMES = (("first", "colour"), ("second", "grey"))


def test_an_import_of_other_weights_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("old", "new")):
        torch.manual_seed(seed)
        (here / name).mkdir()
        torch.save(NETWORKS["mlp"]((1, 12, 12)).state_dict(), here / name / "best.pth")
    options = ("--arch", "mlp", "--style", "triplet", "--train", "colour/train")
    assert gaikan("import", "old/best.pth", *options) == 0
    assert gaikan("import", "old/best.pth", *options) == 0
    assert Path("results/old-best/manifest.json").exists()
    assert gaikan("import", "new/best.pth", *options) == 0
    assert Path("results/new-best/manifest.json").exists()
    capsys.readouterr()
    into = ("--out", "results/old-best")
    assert gaikan("import", "new/best.pth", *options, *into) == 2
    error = capsys.readouterr().err
    assert ", weights old/best.pth, and this one is of train colour/train (24 of" in error
    assert error.endswith(f", weights new/best.pth{REMEDY}")
    assert bench("grid.toml", "--train", "colour/train", *into) == 2
    assert gaikan("import", "new/best.pth", *options, *into, "--replace") == 0


def test_two_folders_of_one_name_are_two_runs(here: Path) -> None:
    settings = ("--seeds", "1", "--epochs", "1", "--references", "none", "--no-timing")
    for name in ("colour", "grey"):
        assert quick("--train", f"{here}/{name}/train", *settings) == 0
    assert sorted(path.name for path in Path("results").iterdir()) == ["colour-train", "grey-train"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("terminals", "terminals"),
        ("parts.parquet", "parts"),
        ("boards/train.parquet", "boards-train"),
        ("data/boards/TRAIN.CSV", "boards-TRAIN"),
        ("../colour/train/", "colour-train"),
        ("./train", "train"),
        ("../train", "train"),
        ("/train", "train"),
        ("lots/2024.05", "lots-2024.05"),
        ("my parts/lot 7!", "my-parts-lot-7"),
        ("端子/良品", "端子-良品"),
        ("x" * 200 + "/train", "train"),
        ("hub:owner/name", "name"),
        ("hub:owner/name@v1:train", "name-v1-train"),
        ("caf\udce9/train", "caf-train"),
        ("..", ""),
    ],
)
def test_a_run_is_named_after_the_folder_and_the_name_of_its_images(source: str, name: str) -> None:
    assert path_name(source) == name
