"""The latency section of a report: tables, figures, and how it was timed."""

from collections.abc import Sequence

from gaikan.language.words import Filling, Words, joined, plain, say, threads_said
from gaikan.report import latency_tables
from gaikan.report.blocks import Block, Bullets, Fold, Heading, Paragraph, Picture, Table
from gaikan.report.markdown_table import percent
from gaikan.run_folder.latency_facts import TimingFacts
from gaikan.run_folder.latency_files import figure_places
from gaikan.run_folder.latency_rows import Row

_IDLE = 0.9  # a timed thread has the processor for at least this share on an idle machine
_PICTURES = ("pareto", "latency", "throughput")
_FASTEST = ["variant", "fastest", "threads", "p50", "p99", "images_per_s"]
_FASTEST += ["runtime_accuracy", "torch_accuracy"]


def latency_blocks(rows: list[Row], facts: TimingFacts | None) -> list[Block]:
    """The section for the rows of `latency.csv`; `facts` tell how the run's own timing was done.

    Empty without rows.
    """
    if not rows:
        return []
    bounds = [say("boundary")]
    if any(row.includes_decode for row in rows):
        bounds.append(say("with_decoding"))
    blocks: list[Block] = [Paragraph(joined(bounds))]
    for name in dict.fromkeys(row.machine for row in rows):
        own = [row for row in rows if row.machine == name]
        where = say("machine_is", name=name, processor=own[0].processor, cores=own[0].cores)
        blocks.append(Heading(where))
        here = facts if facts is not None and facts.machine == name else None
        if here is not None and here.ran is not None and here.ran < _IDLE:  # other work had it too
            blocks.append(Paragraph(say("busy", ran=percent(here.ran))))
        blocks += _of_machine(own, rows)
        if here is not None:
            blocks.append(Fold(say("how_timed"), [Paragraph(t) for t in _explained(here)]))
    return blocks


def _of_machine(own: list[Row], rows: list[Row]) -> list[Block]:
    timed = [row for row in own if row.p50_ms is not None]
    blocks: list[Block] = []
    marked = [row for row in timed if row.is_unreliable]
    if marked:
        blocks.append(Paragraph(say("disturbed", n=len(marked), total=len(timed))))
    if timed:
        blocks += [Paragraph(say("fastest")), _table(_FASTEST, latency_tables.fastest_rows(own)[1])]
        for suffix, (machine, device, decode) in figure_places(rows).items():
            if machine == own[0].machine:
                inside = [say("decoding_inside")] if decode else []
                where = joined([plain(machine), plain(device), *inside], say("comma"))
                blocks += [
                    Picture(f"figures/{name}{suffix}.png", say(f"timed_title_{name}", where=where))
                    for name in _PICTURES
                ]
        blocks.append(Fold(say("one_at_a_time"), [_table(*latency_tables.single_rows(timed))]))
        batches: list[Block] = [_table(*latency_tables.batch_rows(timed))]
        took = [f"{s:.1f} s ({name})" for name, s in latency_tables.compilation(timed).items()]
        if took:
            batches.append(Paragraph(say("compiled", took=", ".join(took))))
        blocks.append(Fold(say("in_batches"), batches))
    columns, agreement = latency_tables.agreement_rows(own)
    if agreement:
        blocks.append(Fold(say("own_predictions"), [_table(columns, agreement)]))
    skipped = latency_tables.skipped_lines(own)
    if skipped:
        blocks += [Paragraph(say("skipped")), Bullets(skipped)]
    return blocks


def _table(columns: list[str], rows: Sequence[Sequence[str | Words]]) -> Table:
    return Table.of(columns, rows, filtered=len(rows) > 8)


def _explained(facts: TimingFacts) -> list[Words]:
    plan = facts.plan
    times = {"seconds": plan.single.seconds, "queries": plan.single.queries}
    times |= {"batch_seconds": plan.offline.seconds, "batch_queries": plan.offline.queries}
    seeds = ", ".join(map(str, facts.scored_seeds))
    text = [
        say("plan", rounds=plan.rounds, threads=facts.threads[-1], **times),
        *([say("more_rounds", most=plan.more_rounds)] if plan.more_rounds else []),
        say("scored", seeds=seeds, images=facts.scored_images),
    ]
    if plan.head_batches:
        text.append(say("head_batches", sizes=", ".join(map(str, plan.head_batches))))
    most = facts.batch_memory
    known = most is not None and say("batch_memory", gigabytes=most / 1e9)
    text.append(known or say("memory_unknown"))
    ratios = [check.value for check in facts.once_per_computation]
    if ratios:
        text.append(say("same_speed", n=len(ratios), low=min(ratios), high=max(ratios)))
    for roof in facts.roofline:
        sizes = roof.bandwidth_gb_per_s.items()
        speeds = [
            say("bandwidth", speed=f"{speed:.0f}", size=f"{size / 2**20:g}")
            for size, speed in sizes
        ]
        rates: dict[str, Filling] = {"gflops": roof.gemm_gflops, "library": roof.library}
        rates |= {"threads": threads_said(roof.threads), "speeds": joined(speeds, say("comma"))}
        text.append(say("roofline", precision=roof.precision, **rates))
    took = say("timing_took", seconds=facts.seconds, processor=facts.processor_seconds)
    return [*text, took]
