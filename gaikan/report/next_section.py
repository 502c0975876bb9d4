"""The section of next steps, from the files of a run folder."""

from gaikan.errors import DataError
from gaikan.language.words import plain, say
from gaikan.report.blocks import Block, Code, Paragraph
from gaikan.report.next_steps import next_steps
from gaikan.report.run_facts import NextStep, RunFacts
from gaikan.run_folder.labels_file import count_doubted
from gaikan.run_folder.result_tables import read_table
from gaikan.run_folder.whole import RunFolder


def steps_of(folder: RunFolder, doubted: int | None) -> list[NextStep]:
    """Of a run folder with so many doubted labels; picks of an earlier timing count for nothing."""
    return next_steps(
        RunFacts(
            run=folder.out,
            picks=None if folder.picks_stale else folder.picks,
            scores=read_table(folder.out, "accuracy"),
            curve=folder.curve,
            doubted=doubted,
            images=folder.manifest.data.train.images,
        )
    )


def next_section(folder: RunFolder) -> list[Block]:
    """Each step and its command; nothing where no figure says what to do.

    `labels.csv`, which people work on, stops no page: where it cannot be read, a line says why.
    """
    doubted, unread = None, ""
    try:
        doubted = count_doubted(folder.out)
    except DataError as error:
        unread = str(error)
    steps = steps_of(folder, doubted)
    section: list[Block] = [Paragraph(say("next_caption"), small=True)] if steps else []
    for step in steps:
        section += [Paragraph(step.words), Code(step.command)]
    return [*section, Paragraph(plain(unread))] if unread else section
