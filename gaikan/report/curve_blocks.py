"""What more images would bring, in words and tables, from the counts of `learning_curve.csv`."""

from dataclasses import dataclass

from gaikan.evaluation.error_counts import ALL_PARTS, ErrorCounts
from gaikan.evaluation.learning_curve import BEYOND, Gain, trusted_curve
from gaikan.language.words import Words, say
from gaikan.report import blocks
from gaikan.report.markdown_table import percent
from gaikan.run_folder.curve_file import CURVE_PICTURE
from gaikan.run_folder.whole import RunFolder


@dataclass(frozen=True)
class KindGain:
    """What twice the images bring for a variant, on all parts or on those of one mode."""

    variant: str
    mode: str  # `ALL_PARTS`, or a failure mode
    now: float  # accuracy at the largest size
    gain: Gain


def gains(counts: ErrorCounts, mode: str = ALL_PARTS) -> list[KindGain]:
    """Of each variant whose curve may be extended."""
    return [
        KindGain(variant, mode, sizes.accuracy, curve.gain(2))
        for variant, sizes in counts.sizes(mode).items()
        if (curve := trusted_curve(sizes)) is not None
    ]


def mode_gains(counts: ErrorCounts, variant: str) -> list[KindGain]:
    """Of each failure mode, that which gains most first."""
    own = counts.of({variant})
    found = [each for mode in own.modes for each in gains(own, mode)]
    return sorted(found, key=lambda each: -each.gain.gain)


def surest_mode(counts: ErrorCounts, variant: str) -> KindGain | None:
    """The mode that gains most, of those whose 80 % interval is above half a point."""
    sure = [each for each in mode_gains(counts, variant) if each.gain.low > _HALF_POINT]
    return sure[0] if sure else None


_HALF_POINT = 0.005


def points(gain: Gain) -> tuple[str, Words]:
    """(gain, interval) in points."""
    ends = {"low": f"{100 * gain.low:+.1f}", "to": f"{100 * gain.high:+.1f}"}
    return f"{100 * gain.gain:+.1f}", say("from_to", **ends)


def curve_rows(counts: ErrorCounts) -> tuple[list[str], list[list[str | Words]]]:
    """Header and rows for a terminal: a line a variant."""
    header = ["variant", "images", "acc.", "at twice", "80 %", "at four times", "80 %"]
    rows = []
    for variant, sizes in counts.sizes().items():
        row: list[str | Words] = [variant, f"{sizes.images[-1]:.0f}", percent(sizes.accuracy)]
        if (curve := trusted_curve(sizes)) is not None:
            for times in (2, BEYOND):
                row += points(curve.gain(times))
        rows.append(row + [""] * (len(header) - len(row)))
    return header, rows


def curve_lines(counts: ErrorCounts) -> list[Words]:
    """The caption, and for each variant the mode that gains most."""
    known = ", ".join(f"{n:.0f}" for n in next(iter(counts.sizes().values())).images)
    lines = [say("curve_caption", sizes=known, beyond=f"{BEYOND:g}")]
    for variant, sizes in counts.sizes().items():
        if trusted_curve(sizes) is None:
            lines.append(say("curve_none", variant=variant))
            continue
        best = surest_mode(counts, variant)
        if best is None:
            lines.append(say("curve_unclear", variant=variant))
            continue
        gain, interval = points(best.gain)
        lines.append(
            say("curve_gains_most", variant=variant, mode=best.mode, gain=gain, interval=interval)
        )
    return lines


def curve_blocks(folder: RunFolder) -> list[blocks.Block]:
    """The section of the page; nothing where no learning curve was asked for."""
    counts, refused = folder.curve, folder.curve_refused
    if counts is None:
        return [] if refused is None else [blocks.Paragraph(say("curve_refused", reason=refused))]
    _, rows = curve_rows(counts)
    columns = ["variant", "images", "accuracy", "twice", "interval80", "four_times", "interval80"]
    caption, *lines = curve_lines(counts)
    section: list[blocks.Block] = [
        blocks.Table.of(columns, rows),
        blocks.Paragraph(caption, small=True),
        blocks.Bullets(lines),
    ]
    if folder.picture(CURVE_PICTURE):
        section.append(blocks.Picture(CURVE_PICTURE, say("curve_picture")))
    for variant in counts.sizes():
        modes = mode_gains(counts, variant)
        table: list[list[str | Words]] = [
            [each.mode, percent(each.now), *points(each.gain)] for each in modes
        ]
        of_modes = blocks.Table.of(["mode", "recall_now", "twice", "interval80"], table)
        if table:
            section.append(blocks.Fold(say("curve_modes", variant=variant), [of_modes]))
    return section
