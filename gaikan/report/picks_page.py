"""Picks for people: a short table, and the page with all reasons."""

from collections.abc import Iterable

from gaikan.config.stages import Stage
from gaikan.report.markdown_table import Rows, markdown, measured
from gaikan.run_folder.latency_rows import runtime_of
from gaikan.selection.bundles import installing
from gaikan.selection.candidates import Candidate, Judging
from gaikan.selection.constraint_words import called, limited, worded
from gaikan.selection.picks import Picks, StagePick, over_seeds
from gaikan.selection.promise import values_on_test
from gaikan.selection.quality import Quality
from gaikan.selection.reasons import limit_of, place, would_have_to_give

RUNTIME_RULE = (
    "Decisions are those of the reference runtime. A runtime that gives another class to a share "
    "of the test images is charged with it: each figure is taken as if that share of the "
    "validation parts were errors of its kind."
)


_NO_OK = "No class means good (--ok): escapes are not known, and no stage limits them."


def short_rows(picks: Picks) -> tuple[list[str], Rows]:
    """One line a stage, which fits a terminal of 80 columns."""
    header = ["stage", "pick", "p50 ms", "acc.", "test", "esc.", "test"]
    rows = []
    for each in picks.stages:
        chosen = each.choice.pick
        if chosen is None:
            rows.append([each.name, "nothing qualifies", *[""] * 5])
            continue
        figures = chosen.judged.quality, picks.judging.on_test(chosen.judged)
        shares = [_percent(getattr(q, n)) for n in ("accuracy", "escape_rate") for q in figures]
        p50 = worded("p50_ms", chosen.row.p50_ms).removesuffix(" ms")
        rows.append([each.name, chosen.variant, p50, *shares])
    return measured(header, rows)


def short_lines(picks: Picks) -> list[str]:
    """What the short table leaves out: where a pick runs, its warnings, what misses."""
    lines = []
    for each in picks.stages:
        chosen, miss = each.choice.pick, each.nearest_miss
        if chosen is not None:
            lines.append(f"{each.name}: {installed(chosen)}")
            if each.stage.runtimes is not None or chosen.row.device == "cuda":
                lines.append(f"{each.name}: {installing(chosen.row)}")
            lines += [f"{each.name}: warning: {words}" for words in each.warnings]
        else:
            why = each.why if miss is None else missed(miss, each.stage)
            lines.append(f"{each.name}: {why}")
        if each.beyond is not None:
            lines.append(f"{each.name}: {each.beyond}")
    return [*lines, *[_NO_OK] * (picks.judging.run.ok is None)]


def installed(chosen: Candidate) -> str:
    """Seed, runtime and threshold in words."""
    threshold = chosen.judged.threshold
    border = (
        "nearest anchor decides"
        if threshold is None
        else f"good where the ok margin exceeds {threshold:.4g}"
    )
    return f"seed {chosen.seed} in {place(chosen)}; {border}"


def missed(miss: Candidate, stage: Stage) -> str:
    """The nearest miss and what would have to give, in words."""
    gives = " and ".join(would_have_to_give(miss, stage))
    return f"nearest: {miss.variant} in {place(miss)} qualifies with {gives}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def page(picks: Picks, figures: dict[str, str]) -> str:
    """`picks.md`; `figures` are paths of maps by stage, and of the tree under an empty name."""
    header, rows = short_rows(picks)
    parts = ["# Which one to install", markdown(header, rows)]
    parts.append(
        "In %, of validation parts, on which the choice was made, and of test parts, which only "
        "confirm it."
    )
    if picks.judging.run.ok is None:
        parts.append(_NO_OK)
    parts.append(f"![The variants as a tree, with the picks]({figures['']})")
    for each in picks.stages:
        parts += _stage(picks.judging, each, figures[each.name])
    parts.append(f"All candidates with every constraint are in picks.json. {RUNTIME_RULE}")
    return "\n\n".join(parts) + "\n"


def _stage(judging: Judging, found: StagePick, figure: str) -> Iterable[str]:
    stage, chosen, miss = found.stage, found.choice.pick, found.nearest_miss
    yield f"## {found.name}"
    if stage.description:
        yield f"{stage.description[0].upper()}{stage.description[1:]}."
    limits = [limited(name, limit_of(stage, name)) for name in (*stage.allowed, *stage.limits)]
    yield f"Wanted: best {_objective(stage)} with {', '.join(limits) or 'no constraint'}."
    if chosen is not None:
        yield f"**{chosen.variant}**, {installed(chosen)}."
        yield f"Why: {found.why}."
        yield f"To install: {installing(chosen.row)}."
        yield from (f"**Warning:** {words}." for words in found.warnings)
        yield markdown(*measured(*_check_rows(judging, chosen, stage)))
        yield markdown(*_figure_rows(judging, chosen, stage))
        yield _bullets("What binds", [each.why for each in found.binding])
        yield _bullets("Runners-up", [f"{c.variant}: {why}" for c, why in found.runners_up])
    elif miss is not None:
        yield f"**Nothing qualifies.** The {missed(miss, stage)}."
        yield markdown(*measured(*_check_rows(judging, miss, stage)))
    else:
        yield f"**Nothing qualifies**: {found.why}."
    if found.beyond is not None:
        yield f"{found.beyond[0].upper()}{found.beyond[1:]}."
    yield "Each variant where it comes nearest to qualifying (x: fails):"
    yield markdown(*_variant_rows(found))
    yield "How the pick changes with the limits; all else as above:"
    yield markdown(*measured(*_step_rows(found)))
    yield f"![What is picked as limits vary]({figure})"
    if found.promise is not None:
        yield _bullets("What the escape ceiling promises", list(found.promise.holds_for))


def _objective(stage: Stage) -> str:
    return {"cost": "expected cost", "latency": "p50"}.get(stage.objective, stage.objective)


def _bullets(title: str, lines: list[str]) -> str:
    return f"{title}:\n\n" + "\n".join(f"- {line}" for line in lines or ["nothing"])


def _check_rows(judging: Judging, candidate: Candidate, stage: Stage) -> tuple[list[str], Rows]:
    tested = values_on_test(judging, candidate, stage)
    rows = []
    for name, value in candidate.values.items():
        limit = limit_of(stage, name)
        on = worded(name, tested[name]) if name in tested else ""
        met = "fails" if name in candidate.failed else "meets"
        rows.append([limited(name, limit), worded(name, value), met, on])
    return ["constraint", "value", "", "on test"], rows


def _figure_rows(judging: Judging, chosen: Candidate, stage: Stage) -> tuple[list[str], Rows]:
    mean = over_seeds(judging, chosen.variant, stage)
    columns = {
        "validation": judging.on_validation(chosen.judged),
        "test": judging.on_test(chosen.judged),
    }
    if mean is not None and mean.seeds > 1:
        columns |= {
            f"validation, {mean.seeds} seeds": mean.validation,
            f"test, {mean.seeds} seeds": mean.test,
        }
    names = ["accuracy", "balanced_accuracy"]
    if judging.run.ok is not None:
        names += ["escape_rate", "escape_bound", "overkill_rate"]
    if chosen.judged.quality.cost is not None:
        names.append("cost")
    rows = [[called(n), *(_figure(n, each) for each in columns.values())] for n in names]
    return ["", *columns], rows


def _figure(name: str, figures: Quality) -> str:
    """A figure, with its counts where they are of one network."""
    counts = {
        "escape_rate": (figures.escapes, figures.defects),
        "overkill_rate": (figures.overkills, figures.goods),
    }
    words = worded(name, getattr(figures, name))
    seen, parts = counts.get(name, (None, None))
    return f"{words} ({seen} of {parts})" if isinstance(seen, int) else words


def _variant_rows(found: StagePick) -> tuple[list[str], Rows]:
    """A line a variant: where it qualifies and is best, or else fails least."""
    order = [*found.choice.tied, *found.choice.rest]
    order += sorted(found.candidates, key=lambda each: (len(each.failed), -each.merit))
    names = (*found.stage.allowed, *found.stage.limits)
    lines: dict[str, list[str]] = {}
    for each in order:
        cells = [
            worded(name, each.values[name]) + (" x" if name in each.failed else "")
            for name in names
        ]
        accuracy = worded("accuracy", each.judged.quality.accuracy)
        lines.setdefault(each.variant, [each.variant, place(each), accuracy, *cells])
    return ["variant", "runtime", "accuracy", *map(called, names)], list(lines.values())


def _step_rows(found: StagePick) -> tuple[list[str], Rows]:
    map_ = found.sensitivity
    header = [called(map_.latency), "pick", "runtime", "accuracy", "escape rate"]
    rows = []
    for step in map_.steps():
        above = step.to_ms is None
        span = [f"{step.from_ms:g} ms{' and above' if above else f' to {step.to_ms:g} ms'}"]
        if map_.ceiling is not None:
            span.insert(0, worded(map_.ceiling, step.ceiling))
        if step.pick is None:
            rows.append([*span, "nothing qualifies", "", "", ""])
            continue
        figures, row = step.pick.judged.quality, step.pick.row
        threads = "" if row.threads is None else f", {row.threads}"
        escapes = figures.escape_rate
        rows.append(
            [
                *span,
                step.pick.variant,
                f"{runtime_of(row)}{threads}",
                worded("accuracy", figures.accuracy),
                "" if escapes is None else worded("escape_rate", escapes),
            ]
        )
    return ([] if map_.ceiling is None else [called(map_.ceiling)]) + header, rows
