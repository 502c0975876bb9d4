"""`gaikan export`: one file that inspects."""

from pathlib import Path
from typing import Annotated

import typer

from gaikan.commands.shared import BundleOut, needs_harness


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="What `gaikan bench` wrote")],
    out: BundleOut,
    variant: Annotated[str | None, typer.Option(help="Such as cnn-triplet-mean_embedding")] = None,
    stage: Annotated[str | None, typer.Option(help="Or: the pick of an inspection stage")] = None,
    seed: Annotated[int | None, typer.Option(help="Default: best on validation")] = None,
    runtime: Annotated[str | None, typer.Option(help="onnx (default) or openvino")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 (default) or int8")] = None,
    allow_drop: Annotated[bool, typer.Option("--allow-drop", help="Despite int8's loss")] = False,
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Though test contradicts the stage's ceiling")
    ] = False,
) -> None:
    """Write one file that inspects: raw image to class, verified against its network."""
    with needs_harness():
        from gaikan.export.build import export as build
        from gaikan.export.source import choose
    from rich.text import Text

    from gaikan.commands.terminal import open_console

    choice = choose(run, variant, stage, seed, runtime, precision, unconfirmed)
    console = open_console(soft_wrap=True)
    with console.status("") as status, needs_harness():
        bundle, parity = build(run, choice, allow_drop, lambda step: status.update(Text(step)))
    bundle.save(out)
    for split in parity:
        ties = f", {split.ties} of them ties" if split.ties else ""
        console.print(
            f"{split.part}: {split.images} images, same class on {_percent(split.agreement)}"
            f"{ties}; distances within {split.distance_error:.0e}; accuracy "
            f"{_percent(split.accuracy)}, of the network {_percent(split.reference_accuracy)}"
        )
    card = bundle.card
    console.print(
        f"{out}: {card.variant} seed {card.seed}, {card.runtime} {card.precision}, "
        f"{out.stat().st_size / 1e6:.1f} MB"
    )
    if card.unconfirmed is not None:
        console.print(f"unconfirmed: {card.unconfirmed}", style="yellow")


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
