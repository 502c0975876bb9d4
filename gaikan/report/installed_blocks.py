"""What a pick makes of the test parts as it is installed: with its own seed and threshold.

No pandas, so that `gaikan pick` starts quickly.
"""

from collections.abc import Sequence

from gaikan.language.words import Words, joined, plain, say
from gaikan.report.blocks import Block, Bullets, Heading, Paragraph, Table
from gaikan.run_folder.picks_file import Judged, PickedCandidate, PicksFile, StagePicks

_MOST_CLASSES = 25  # a larger matrix can't be read
_MOST_MISTAKES = 8


def installed(picks: PicksFile | None) -> list[tuple[str, StagePicks, PickedCandidate]]:
    """Each network that is picked once, under the names of all stages that install it."""
    stages: dict[object, tuple[list[str], StagePicks, PickedCandidate]] = {}
    for name, stage in {} if picks is None else picks.stages.items():
        pick = stage.pick
        if pick is not None:
            key = (pick.variant, pick.seed, pick.threshold, pick.ask_level)
            stages.setdefault(key, ([], stage, pick))[0].append(name)
    return [(", ".join(names), stage, pick) for names, stage, pick in stages.values()]


def moves_border(picks: PicksFile | None) -> bool:
    """Whether a pick tells good from defective by another border than its network's own."""
    return any(pick.threshold is not None for _, _, pick in installed(picks))


def about(stages: str, pick: PickedCandidate) -> Words:
    """Which network the figures are of, at which stages."""
    by = pick.decided_by
    return say("as_installed", stages=stages, variant=pick.variant, seed=pick.seed, by=by)


def matrix(stage: StagePicks) -> list[Block]:
    """Test parts by class and by what they were called; too many classes have no matrix."""
    counts = {(cell.actual, cell.called): _counted(cell) for cell in stage.judged}
    actual = list(dict.fromkeys(cell.actual for cell in stage.judged))
    called = sorted({cell.called for cell in stage.judged} | {*actual})
    if len(called) > _MOST_CLASSES:
        return [Paragraph(say("no_matrix", n=len(called)), small=True)]
    rows = [[row, *(counts.get((row, column), "0") for column in called)] for row in actual]
    columns = [say("c_actual"), *map(plain, called)]
    return [Paragraph(say("matrix_caption"), small=True), Table(columns, rows)]


def _counted(cell: Judged) -> str | Words:
    if not cell.asked:
        return str(cell.parts)
    return say("asked_in_cell", n=cell.parts, asked=cell.asked)


def mistakes(stage: StagePicks) -> Block:
    """The commonest mistakes in words."""
    cells = [(cell.actual, cell.called, cell.parts) for cell in stage.judged]
    return said_mistakes(cells, seeds=1)


def as_installed(stages: str, stage: StagePicks) -> list[Block]:
    """Matrix and mistakes of a stage's pick."""
    if stage.pick is None:
        return []
    return [Heading(about(stages, stage.pick)), *matrix(stage), mistakes(stage)]


def said_mistakes(cells: Sequence[tuple[str, str, int]], seeds: int) -> Block:
    """The commonest mistakes, such as "14 of 120 “spur” called “mousebite”".

    `cells` are (actual, called, parts) of `seeds` networks; sorted by the share of the class.
    """
    totals: dict[str, int] = {}
    for actual, _, n in cells:
        totals[actual] = totals.get(actual, 0) + n
    wrong = [cell for cell in cells if cell[0] != cell[1] and cell[2]]
    if not wrong:
        return Paragraph(say("no_mistakes"))
    wrong.sort(key=lambda cell: (-cell[2] / totals[cell[0]], *cell[:2]))
    over = say("seeds_together", n=seeds) if seeds > 1 else plain("")
    return Bullets(
        [
            joined(
                [say("confused", n=n, total=totals[actual], actual=actual, predicted=called), over],
                plain(""),
            )
            for actual, called, n in wrong[:_MOST_MISTAKES]
        ]
    )
