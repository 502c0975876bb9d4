"""`gaikan enrol`: another class in a bundle, from a handful of images."""

from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.commands.shared import BundleFile, BundleOut, ImageColumn, ImagePaths, say_left_out
from gaikan.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.bundle.card import Card
    from gaikan.bundle.enrolment import Enrolment

_FEW = 5  # images: of fewer, one odd image moves the anchor far


def enrol(
    bundle: BundleFile,
    images: ImagePaths,
    name: Annotated[
        str, typer.Option("--class", help="The class; one that is there gets a new anchor")
    ],
    out: BundleOut,
    image_column: ImageColumn = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the file that --out names")
    ] = False,
) -> None:
    """Add a failure mode, or replace an anchor, from a handful of images; nothing is trained."""
    from gaikan.bundle.bundle import Bundle
    from gaikan.bundle.enrolment import enrol as add
    from gaikan.bundle.images import read_batches
    from gaikan.commands.terminal import open_console
    from gaikan.data.listing import LeftOut
    from gaikan.data.names import composed, look_alike, told_alike

    if out.exists() and not replace:
        raise ConfigError(f"--out {out}: is there already; name another file, or say --replace")
    model = Bundle.open(bundle)
    left_out = LeftOut()
    enrolled = add(model, name, read_batches(images, model.card, 64, left_out, image_column))
    enrolled.bundle.save(out)
    console = open_console(soft_wrap=True)
    say_left_out(console, left_out)
    like = look_alike(composed(name), model.card.classes)
    if like:
        console.print(told_alike("classes", [*like, name]).en, markup=False)
    good = enrolled.replaced and composed(name) == model.card.ok
    _show_anchor(console, name, enrolled, good)
    _show_after(console, enrolled, model.card, good)
    console.print(f"{out}: {len(enrolled.bundle.card.classes)} classes")


def _show_anchor(console: "Console", name: str, enrolled: "Enrolment", good: bool) -> None:
    """Prints what the anchor was made from, and its distances; `good`: this class means good."""
    for change, n in enrolled.changes.items():
        console.print(f"{n} of {enrolled.images} images {change}")
    verb = "replaced" if enrolled.replaced else "added"
    count = "1 image" if enrolled.images == 1 else f"{enrolled.images} images"
    console.print(f"{name!r} {verb} from {count}; distances of its anchor:")
    if enrolled.moved is not None:
        console.print(f"  {enrolled.moved:9.4f}  from where it was")
    for other, distance in sorted(enrolled.distances.items(), key=lambda item: item[1]):
        console.print(f"  {distance:9.4f}  {other}")
    cautions = []
    if enrolled.images < _FEW:
        cautions.append(f"so few images may put the anchor far off: {_FEW} or more are better")
    if good:
        cautions.append("this class means good: other parts escape now, and nothing is promised")
    same = [other for other, distance in enrolled.distances.items() if distance == 0]
    if same:
        cautions.append(
            f"its anchor is that of {same[0]!r}, and one of the two is never called: were these "
            "images enrolled before?"
        )
    for caution in cautions:
        console.print(caution, style="yellow", markup=False)


def _show_after(console: "Console", enrolled: "Enrolment", card: "Card", good: bool) -> None:
    """Prints what the new anchor changes for kept parts, and what it leaves unproven."""
    console.print(f"{enrolled.changed} of {enrolled.kept} kept validation parts change class")
    if card.refit is not None:
        console.print("  the network learned from these parts: of new ones more may change")
    for counts, outcome in ((enrolled.lost, "no longer right"), (enrolled.gained, "right now")):
        if counts:
            parts = ", ".join(f"{label} {n}" for label, n in counts.items())
            console.print(f"  {outcome}: {parts}")
    if card.threshold is not None:
        fitted = "the stage's threshold was fitted on the old anchors"
        console.print(f"{fitted}; fit it anew when you can")
    if card.ask_level is not None and good:
        console.print(
            "what is asked about was set with the old anchor; parts like the new images "
            "may look new all the same"
        )
