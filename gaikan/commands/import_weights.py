"""`gaikan import`: weights of the original script become a run folder like any other."""

from pathlib import Path
from typing import Annotated

import typer

from gaikan.commands.shared import (
    ImageColumn,
    LabelColumn,
    Replace,
    Shape,
    named_path,
    needs_harness,
)


def import_(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="torch.save of a state dict")],
    arch: Annotated[str, typer.Option(help="What the network is: cnn, resnet or mlp")],
    style: Annotated[str, typer.Option(help="How it was trained: vanilla, siamese or triplet")],
    train: Annotated[str, typer.Option(help="Source of the parts that anchors are taken from")],
    test: Annotated[str | None, typer.Option(help="Source of the test part")] = None,
    ok: Annotated[str | None, typer.Option(help="Class or failure mode that means good")] = None,
    classes: Annotated[
        str | None, typer.Option(help="Names, with commas, by the labels it was trained on")
    ] = None,
    mean: Annotated[
        float | None,
        typer.Option(help="It was trained on (pixel - mean) / std; default: of the fit images"),
    ] = None,
    std: Annotated[float | None, typer.Option(help="See --mean; raw pixels: 0 and 1")] = None,
    shape: Shape = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    out: Annotated[
        Path | None,
        typer.Option(parser=named_path, metavar="DIR", help="Run folder; default results/WEIGHTS"),
    ] = None,
    replace: Replace = False,
) -> None:
    """Score weights of the original script; then `time`, `pick` and `export` as of any run."""
    with needs_harness():
        from gaikan.config.model import path_name
        from gaikan.config.plan import RESULTS
        from gaikan.config.toml_files import load_config
        from gaikan.flow import bench_run
        from gaikan.training.weights import Weights
    from gaikan.commands.closing import show_closing
    from gaikan.commands.progress import GridProgress
    from gaikan.commands.terminal import open_console

    names = None if classes is None else tuple(name.strip() for name in classes.split(","))
    read = Weights.read(weights, names, mean, std)
    name = path_name(str(weights)) or "imported"
    out = out or RESULTS / name
    asked = {
        "name": name,
        "seeds": 1,
        "data.train": train,
        "data.test": test,
        "data.ok": ok,
        "data.shape": shape,
        "data.image_column": image_column,
        "data.label_column": label_column,
        "grid.arch": [arch],
        "grid.style": [style],
        "train.normalise": "source",  # not trained on images normalised one by one
        "references": "none",
        "timing.enabled": False,
    }
    config = load_config(None, {key: value for key, value in asked.items() if value is not None})
    console = open_console()
    with GridProgress(console) as progress:
        outcome = bench_run.bench(config, out, progress, read, replace)
    show_closing(console, outcome.out)
    console.print(f"Report: {outcome.out / 'report.html'}", soft_wrap=True)
