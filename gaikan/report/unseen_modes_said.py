"""Failure modes that training has not seen, at the setting of a pick: in a sentence, as a table."""

from collections.abc import Sequence

from gaikan.language.words import Words, say
from gaikan.report.blocks import Block, Paragraph, Table
from gaikan.report.markdown_table import percent
from gaikan.run_folder.picks_file import UnseenMode


def unseen_counted(modes: Sequence[UnseenMode]) -> Words:
    """The worst of the modes of one side, which stands first, and their mean."""
    worst = modes[0]
    return say(
        "unseen_counted",
        mode=worst.mode,
        modes=len(modes),
        n=worst.escapes,
        total=worst.parts,
        share=percent(worst.escape_rate),
        bound=percent(worst.escape_bound),
        mean=percent(sum(mode.escape_rate for mode in modes) / len(modes)),
    )


def unseen_at_setting(modes: Sequence[UnseenMode]) -> list[Block]:
    """What the figures are, and a row a mode, worst on validation first; nothing without any."""
    on_validation = [mode for mode in modes if mode.split == "validation"]
    if not on_validation:
        return []
    on_test = {mode.mode: mode for mode in modes if mode.split == "test"}
    rows: list[list[str | Words]] = [
        [
            mode.mode,
            _counted(mode),
            percent(mode.escape_bound),
            percent(mode.asks / mode.parts) if any(each.asks for each in modes) else "",
            _counted(on_test[mode.mode]) if mode.mode in on_test else "",
        ]
        for mode in on_validation
    ]
    columns = ["mode", "on_validation", "bound", "asked", "on_test"]
    caption = Paragraph(say("unseen_at_setting", modes=len(on_validation)))
    return [caption, Table.of(columns, rows)]


def _counted(mode: UnseenMode) -> Words:
    share = f"{percent(mode.escape_rate)} %"
    return say("counted", share=share, n=mode.escapes, total=mode.parts)
