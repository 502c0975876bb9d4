"""The commands from the pick to the line: export, predict, enrol, and timing a bundle."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaikan.errors import ConfigError, GaikanError, one_line
from gaikan.system.files import replacing

if TYPE_CHECKING:
    from rich.console import Console

    from gaikan.bundle.stream import Line, Tally
    from gaikan.timing.options import TimingOptions


def named_path(text: str) -> Path:
    """Not the working folder where a variable of the shell was not set. Raises ConfigError."""
    if not text:
        raise ConfigError("--out: is empty; name a path")
    return Path(text)


BundleFile = Annotated[Path, typer.Argument(metavar="BUNDLE", help="What `gaikan export` wrote")]
ImagePaths = Annotated[
    list[Path], typer.Argument(metavar="IMAGES...", help="Image files, folders, .parquet tables")
]
BundleOut = Annotated[
    Path,
    typer.Option(
        "--out", "-o", parser=named_path, metavar="FILE", help="The new bundle: part.gaikan"
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (export, predict, enrol):
        app.command()(command)


@contextmanager
def needs_harness() -> Iterator[None]:
    """A missing package becomes one line that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise GaikanError(
            f"this command needs the harness ({error.name} is missing): pip install 'gaikan[bench]'"
        ) from None


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="What `gaikan bench` wrote")],
    out: BundleOut,
    variant: Annotated[str | None, typer.Option(help="Such as cnn-triplet-mean_embedding")] = None,
    stage: Annotated[str | None, typer.Option(help="Or: the pick of an inspection stage")] = None,
    seed: Annotated[int | None, typer.Option(help="Default: best on validation")] = None,
    runtime: Annotated[str | None, typer.Option(help="onnx (default) or openvino")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 (default) or int8")] = None,
    allow_drop: Annotated[bool, typer.Option("--allow-drop", help="Despite int8's loss")] = False,
) -> None:
    """Write one file that inspects: raw image to class, verified against its network."""
    with needs_harness():
        from gaikan.export.build import export as build
        from gaikan.export.source import choose
    from rich.console import Console

    choice = choose(run, variant, stage, seed, runtime, precision)
    console = Console(highlight=False, soft_wrap=True)
    with console.status("") as status, needs_harness():
        bundle, parity = build(run, choice, allow_drop, status.update)
    bundle.save(out)
    for each in parity:
        ties = f", {each.ties} of them ties" if each.ties else ""
        console.print(
            f"{each.part}: {each.images} images, same class on {_percent(each.agreement)}{ties}; "
            f"distances within {each.distance_error:.0e}; accuracy {_percent(each.accuracy)}, "
            f"of the network {_percent(each.reference_accuracy)}"
        )
    card = bundle.card
    console.print(
        f"{out}: {card.variant} seed {card.seed}, {card.runtime} {card.precision}, "
        f"{out.stat().st_size / 1e6:.1f} MB"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def predict(
    bundle: BundleFile,
    images: ImagePaths,
    csv: Annotated[Path | None, typer.Option(help="Write the decisions to this file")] = None,
    json: Annotated[bool, typer.Option("--json", help="A JSON object a line, on stdout")] = False,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="Images at a time")] = 64,
) -> None:
    """Classify images with a bundle. Needs no more than `pip install gaikan`."""
    if csv is not None and json:
        raise ConfigError("--csv and --json: choose one")
    from rich.console import Console

    from gaikan.bundle.bundle import Bundle
    from gaikan.bundle.images import count, read_batches
    from gaikan.bundle.stream import COLUMNS, Tally, csv_text, json_line
    from gaikan.bundle.stream import predict as decide

    model = Bundle.open(bundle)
    batches = read_batches(images, model.card, batch)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    tally, started = Tally(), time.perf_counter()
    lines = _with_progress(decide(model, batches, tally), count(images), console)
    if csv is not None:
        try:
            with replacing(csv) as file:
                file.write(f"{','.join(COLUMNS)}\n".encode())
                for some in lines:
                    file.write(csv_text(some).encode(errors="surrogateescape"))
        except OSError as error:
            raise ConfigError(f"--csv {csv}: cannot be written ({error.strerror})") from None
    elif json:
        # A file's name need not be text: as bytes it comes out as it is.
        with suppress(AttributeError):
            sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        for some in lines:
            sys.stdout.write("".join(f"{json_line(line)}\n" for line in some))
    else:
        sys.stdout.write(f"{'class':<16} {'verdict':<9} {'distance':>9} {'margin':>9}  image\n")
        for some in lines:
            sys.stdout.write("".join(map(_text, some)))
    _sum_up(console, tally, time.perf_counter() - started)


def _text(line: "Line") -> str:
    name, label, verdict, distance, margin = line
    figures = f"{distance:>9.4f} {margin:>9.4f}"
    return f"{one_line(label):<16} {verdict:<9} {figures}  {one_line(name)}\n"


def _with_progress(
    batches: "Iterator[list[Line]]", total: int, console: "Console"
) -> "Iterator[list[Line]]":
    """The same, with a bar on a terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("images"), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)
        for lines in batches:
            yield lines
            bar.advance(task, len(lines))


def _sum_up(console: "Console", tally: "Tally", seconds: float) -> None:
    classes = ", ".join(f"{name} {n}" for name, n in tally.classes.most_common())
    pace = f"{seconds:.1f} s ({tally.images / seconds:.0f} a second)"
    console.print(f"{tally.images} images in {pace}: {classes}")
    for n, what in ((tally.resized, "resized"), (tally.converted, "converted grey/colour")):
        if n:
            console.print(f"{n} of {tally.images} images {what} to what the model takes")


def enrol(
    bundle: BundleFile,
    images: ImagePaths,
    name: Annotated[
        str, typer.Option("--class", help="The class; one that is there gets a new anchor")
    ],
    out: BundleOut,
) -> None:
    """Add a failure mode, or replace an anchor, from a handful of images; nothing is trained."""
    from rich.console import Console

    from gaikan.bundle.bundle import Bundle
    from gaikan.bundle.enrol import enrol as add
    from gaikan.bundle.images import read_batches

    model = Bundle.open(bundle)
    found = add(model, name, read_batches(images, model.card, 64))
    found.bundle.save(out)
    console = Console(highlight=False, soft_wrap=True)
    what = "replaced" if found.replaced else "added"
    images_ = "1 image" if found.images == 1 else f"{found.images} images"
    console.print(f"{name!r} {what} from {images_}; distances of its anchor:")
    if found.moved is not None:
        console.print(f"  {found.moved:9.4f}  from where it was")
    for other, distance in sorted(found.distances.items(), key=lambda item: item[1]):
        console.print(f"  {distance:9.4f}  {other}")
    console.print(f"{found.changed} of {found.kept} kept validation parts change class")
    for counts, says in ((found.lost, "no longer right"), (found.gained, "right now")):
        if counts:
            parts = ", ".join(f"{label} {n}" for label, n in counts.items())
            console.print(f"  {says}: {parts}")
    if model.card.threshold is not None:
        console.print(
            "the stage's threshold was fitted on the old anchors; fit it anew when you can"
        )
    console.print(f"{out}: {len(found.bundle.card.classes)} classes")


def time_bundle(path: Path, options: "TimingOptions", out: Path | None) -> None:
    """`gaikan time BUNDLE`: writes the rows that `gaikan report RUN --latency` merges."""
    if options.runtimes is not None or options.include_decode:
        raise ConfigError(
            f"{path}: a bundle is timed in its own runtime and without decoding; leave out "
            "--runtime and --include-decode"
        )
    from rich.console import Console

    from gaikan.bundle.bundle import Bundle
    from gaikan.commands.terminal import StepProgress, table
    from gaikan.run_folder.latency_rows import write_rows
    from gaikan.timing.time_bundle import time_bundle

    bundle = Bundle.open(path)
    console = Console(highlight=False, soft_wrap=True)
    with StepProgress(console, "timing") as steps:
        rows = time_bundle(bundle, options, steps)
    out = out or path.with_name(f"{path.stem}.latency.csv")
    try:
        write_rows(out, rows)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    card = bundle.card
    console.print(f"{card.variant}, {card.runtime} {card.precision}, on {rows[0].processor}:")
    header = ["threads", "batch", "p50 ms", "p99 ms", "images/s", "peak MB"]
    cells = [
        [str(row.threads), str(row.batch_size or row.skipped)]
        + [
            f"{value:.4g}" if value else ""
            for value in (row.p50_ms, row.p99_ms, row.images_per_s, row.peak_rss_mb)
        ]
        for row in rows
    ]
    console.print(table(header, cells))
    console.print(f"{out}: to be merged by `gaikan report RUN --latency {out.name}`")
