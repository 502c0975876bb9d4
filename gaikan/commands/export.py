"""`gaikan export`: one file that inspects."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import BundleOut, needs_harness
from gaikan.errors import ConfigError, GaikanError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.export.refit import Refit


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
    refit: Annotated[
        bool, typer.Option("--refit", help="Train it again, on fit and validation images together")
    ] = False,
) -> None:
    """Write one file that inspects: raw image to class, verified against its network."""
    with needs_harness():
        from gaikan.export.build import export as build
        from gaikan.export.source import choose
        from gaikan.selection.exported import export_cautions
    from rich.text import Text

    from gaikan.commands.progress import GridProgress
    from gaikan.commands.terminal import open_console

    _check_out(out)
    choice = choose(run, variant, stage, seed, runtime, precision, unconfirmed)
    console = open_console(soft_wrap=True)
    if refit:
        with GridProgress(console) as progress, needs_harness():
            exported = build(run, choice, allow_drop, progress.stage, progress)
    else:
        with console.status("") as status, needs_harness():
            exported = build(run, choice, allow_drop, lambda step: status.update(Text(step)))
    exported.bundle.save(out)
    for split in exported.parities:
        ties = f", {split.ties} of them ties" if split.ties else ""
        console.print(
            f"{split.part}: {split.images} images, same class on {_percent(split.agreement)}"
            f"{ties}; distances within {split.distance_error:.0e}; accuracy "
            f"{_percent(split.accuracy)}, of the network {_percent(split.reference_accuracy)}"
        )
    if exported.refit is not None:
        _show_refit(console, exported.refit)
    card = exported.bundle.card
    console.print(
        f"{out}: {card.variant} seed {card.seed}, {card.runtime} {card.precision}, "
        f"{out.stat().st_size / 1e6:.1f} MB"
    )
    for caution in export_cautions(run, card):
        console.print(caution.en, style="yellow")
    if card.unconfirmed is not None:
        console.print(f"unconfirmed: {card.unconfirmed}", style="yellow")


def _check_out(out: Path) -> None:
    """Raises ConfigError for what is no bundle, or has classes that a person has added."""
    from gaikan.bundle.bundle import Bundle

    if not out.exists():
        return
    try:
        enrolled = Bundle.open(out).card.enrolled
    except GaikanError:
        raise ConfigError(
            f"--out {out}: is there already, and is no bundle of this version; move it away, or "
            "name another file"
        ) from None
    if enrolled:
        raise ConfigError(
            f"--out {out}: is there already, with classes that were enrolled; move it away, or "
            "name another file"
        )


def _show_refit(console: "Console", refit: "Refit") -> None:
    """Says which figures are of the network in the bundle, and which are not."""
    console.print(
        f"refit: this network learned from all {refit.images} training images, {refit.epochs} "
        "epochs: what fit and validation show above says nothing of new parts"
    )
    console.print("refit: on test, from the judged network to this one, by the same border:")
    for change in refit.changes:
        console.print(f"  {change}")
    console.print(
        "refit: picks, threshold and promise are of the judged network, which learned from the "
        "fit part alone",
        style="yellow",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
