"""What to install at which inspection stage, and why: the content of `picks.json` as blocks.

No pandas, so that `gaikan pick` starts quickly.
"""

from gaikan.language.words import Words, joined, placed, plain, say
from gaikan.report.blocks import Alert, Block, Bullets, Cards, Paragraph, Picture, StageCard, Table
from gaikan.report.cautions import of_pick
from gaikan.report.markdown_table import percent
from gaikan.report.unseen_modes_said import unseen_at_setting, unseen_counted
from gaikan.run_folder import picks_file
from gaikan.selection.bundles import BUNDLES
from gaikan.selection.constraint_words import called, digits, measured_value, worded

Cells = list[list[str | Words]]


TREE = Picture(picks_file.TREE, say("tree"))


def overview(picks: picks_file.PicksFile, tree: Block = TREE) -> list[Block]:
    """A card a stage, escapes against overkill there, and the tree of all variants."""
    cards = [_card(name, stage) for name, stage in picks.stages.items()]
    curves = [
        Picture(picks_file.CURVES.format(stage=name), say("curves", stage=name))
        for name in picks.stages
        if picks.ok is not None
    ]
    return [
        Cards(cards),
        *curves,
        tree,
        Paragraph(say("decisions_are"), small=True),
    ]


def reasons(name: str, stage: picks_file.StagePicks) -> list[Block]:
    """Everything that was weighed for a stage's pick."""
    told = {"asking_is": stage.asking, "beyond_is": stage.beyond}
    texts = [say(key, text=text) for key, text in told.items() if text is not None]
    about = [say("stage_is", text=stage.description)] if stage.description.en else []
    why = say("why_is", text=stage.why)
    blocks: list[Block] = [Paragraph(text) for text in (*about, why, *texts)]
    chosen = stage.pick or stage.nearest_miss
    if chosen is not None:
        blocks += _chosen(chosen)
    if stage.pick is not None:
        bounds = [each.why for each in stage.binding] or [say("nothing")]
        blocks += [Paragraph(say("binding")), Bullets(bounds)]
    if stage.runners_up:
        blocks += [Paragraph(say("runners_up")), _runners_up(stage.runners_up)]
    blocks += [Paragraph(say("nearest_of_each")), _each_variant(stage)]
    blocks += [Paragraph(say("steps")), _steps(stage)]
    if any(point.escape_rate is not None for point in stage.asking_curve):
        drawn = picks_file.ASKING_CURVE.format(stage=name)
        blocks.append(Picture(drawn, say("asking_curve", stage=name)))
    blocks.append(Picture(picks_file.MAP.format(stage=name), say("pick_map", stage=name)))
    promise = stage.promise
    if promise is not None:
        blocks += [Paragraph(say("promise", headline=promise.headline))]
        method = [] if promise.method is None else [say("method", method=promise.method)]
        rests_on = [*method, *(say("sentence", text=text) for text in promise.holds_for)]
        blocks += [Bullets(rests_on)] * bool(rests_on)
    return blocks


def milliseconds(p50: float | None, p99: float | None) -> Words:
    """What a part takes."""
    if p99 is None:
        return say("milliseconds_alone", p50=digits(p50))
    return say("milliseconds", p50=digits(p50), p99=digits(p99))


def runs_on(label: str, threads: int | None, machine: str) -> Words:
    """A runtime, how many threads it has, and where."""
    return joined([placed(label, threads), plain(machine)], say("comma"))


def _card(name: str, stage: picks_file.StagePicks) -> StageCard:
    """What is installed at a stage; where nothing qualifies, what comes nearest."""
    title = say("stage", name=name)
    goal = [(say("f_asked"), _asked(stage))]
    alerts = of_pick(stage)
    promised = stage.promise is None or stage.promise.lots is not None
    if stage.promise is not None:
        goal = [(say("f_promise"), stage.promise.headline), *goal]
    if stage.pick is not None:
        figures = [*_figures(stage.pick, promised), *goal]
        return StageCard(title, plain(stage.pick.variant), figures, alerts)
    near, figures = stage.nearest_miss, goal
    if near is None:
        alerts.append(Alert(say("why_is", text=stage.why)))
    else:
        figures = [(say("f_nearest"), plain(near.variant)), *_figures(near, promised=False), *goal]
        alerts.append(Alert(would_qualify(near), serious=False))
    return StageCard(title, say("nothing_qualifies"), figures, alerts, found=False)


def would_qualify(near: picks_file.NearestMiss) -> Words:
    """With what limits the nearest miss would qualify, or why with none."""
    if near.hopeless is not None:
        return say("note", text=near.hopeless)
    return say("would_qualify", gives=tuple(near.would_have_to_give))


def _asked(stage: picks_file.StagePicks) -> Words:
    """Objective and constraints."""
    limits = [
        say("figure_of", name=called(limit.name), value=_limit(limit.name, limit))
        for limit in stage.constraints
    ]
    goal = say(f"o_{stage.objective}")
    return say("asked", goal=goal, limits=joined(limits, say("comma"))) if limits else goal


def _figures(candidate: picks_file.PickedCandidate, promised: bool) -> list[tuple[Words, Words]]:
    """What a candidate does on validation and on test, and what it runs on."""
    test, timing = candidate.test, candidate.timing
    right = {"validation": percent(candidate.validation.accuracy), "test": percent(test.accuracy)}
    figures = [(say("f_accuracy"), say("right_on_both", **right))]
    for side, seen in (("validation", candidate.validation), ("test", test)):
        if seen.defects:
            escapes = {"share": percent(seen.escape_rate), "bound": percent(seen.escape_bound)}
            if side == "validation" and not promised:
                escapes["bound"] = ""
            key = "escape_counted" if escapes["bound"] else "escape_counted_alone"
            counted = say(key, n=seen.escapes, total=seen.defects, **escapes)
            figures.append((say(f"f_escape_{side}"), counted))
    for side, seen in (("validation", candidate.validation), ("test", test)):
        if seen.goods:
            share = percent(seen.overkill_rate)
            counted = say("overkill_counted", n=seen.overkills, total=seen.goods, share=share)
            figures.append((say(f"f_overkill_{side}"), counted))
    for side, seen in (("validation", candidate.validation), ("test", test)):
        if seen.good_asks is not None:
            figures.append((say(f"f_ask_{side}"), _asks(seen)))
    for side in ("validation", "test"):
        left_out = [mode for mode in candidate.unseen if mode.split == side]
        if left_out:
            figures.append((say(f"f_unseen_{side}"), unseen_counted(left_out)))
    if timing.p50_ms is not None:
        figures.append((say("f_latency"), milliseconds(timing.p50_ms, timing.p99_ms)))
    on = runs_on(candidate.label, candidate.threads, candidate.machine)
    bundle = say("no_bundle", labels=", ".join(BUNDLES))
    if candidate.bundle is not None:
        bundle = say("bundle", **dict(candidate.bundle))
    return [*figures, (say("f_runs"), on), (say("f_bundle"), bundle)]


def _asks(seen: picks_file.Quality) -> Words:
    """How many good and defective parts a person is asked about."""
    shares = {"share": percent(seen.ask_rate), "bound": percent(seen.ask_bound)}
    of_defective = {"defects": seen.defect_asks, "of": seen.defects}
    return say("ask_counted", n=seen.good_asks, total=seen.goods, **shares, **of_defective)


def _limit(
    constraint: str, limit: picks_file.StageConstraint | picks_file.CheckedConstraint
) -> Words:
    """What a constraint asks for: "2 ms to 5 ms", "≤ 5 ms", "≥ 2 ms", or names."""
    if limit.names is not None:
        return plain(", ".join(limit.names))
    low, high = (_worded(constraint, end) for end in (limit.min, limit.max))
    if low and high:
        return say("from_to", low=low, to=high)
    return plain(f"≤ {high}" if high else f"≥ {low}")


def _worded(name: str, value: picks_file.Value) -> str:
    """A figure with its unit; nothing for what there is not."""
    return "" if value is None else worded(name, value)


def _chosen(candidate: picks_file.PickedCandidate) -> list[Block]:
    by = candidate.decided_by
    return [
        Paragraph(say("seed_installed", seed=candidate.seed, threshold=by)),
        _quality(candidate),
        Paragraph(say("checked")),
        _checks(candidate.checks),
        *unseen_at_setting(candidate.unseen),
    ]


def _quality(candidate: picks_file.PickedCandidate) -> Table:
    """Figures of the network as it is installed."""
    sides = {"c_on_validation": candidate.validation, "c_on_test": candidate.test}
    columns = [say(key) for key in sides]
    names = ["accuracy", "balanced_accuracy", "escape_rate", "escape_bound", "overkill_rate"]
    names.append("ask_rate")
    rows: Cells = [
        [called(name), *(_figure(name, each) for each in sides.values())]
        for name in [*names, "cost"]
    ]
    return Table([plain(""), *columns], [row for row in rows if any(row[1:])])


def _figure(name: str, figures: picks_file.Quality) -> str | Words:
    """A figure, with its counts."""
    counts = {
        "escape_rate": (figures.escapes, figures.defects),
        "overkill_rate": (figures.overkills, figures.goods),
        "ask_rate": (figures.good_asks, figures.goods),
    }
    words = _worded(name, getattr(figures, name))
    n, total = counts.get(name, (None, None))
    return say("counted", share=words, n=n, total=total) if words and n is not None else words


def _checks(checks: list[picks_file.CheckedConstraint]) -> Table:
    rows: Cells = [
        [
            called(check.constraint),
            measured_value(check.constraint, check.value),
            _limit(check.constraint, check),
            "✓" if check.passed else "✗",
            _worded(check.constraint, check.test),
        ]
        for check in checks
    ]
    columns = ["constraint", "on_validation", "limit", "met", "on_test"]
    return Table.of(columns, rows)


def _runners_up(candidates: list[picks_file.RunnerUp]) -> Table:
    rows: Cells = [
        [
            each.variant,
            placed(each.label, each.threads),
            worded("accuracy", each.test.accuracy),
            _worded("escape_rate", each.test.escape_rate),
            digits(each.timing.p50_ms),
            each.why,
        ]
        for each in candidates
    ]
    columns = ["variant", "runtime", "test_accuracy", "test_escape", "p50", "why"]
    return Table.of(columns, rows)


def _each_variant(stage: picks_file.StagePicks) -> Table:
    """Each variant's best candidate, or else that which fails least."""
    best: dict[str, picks_file.WeighedCandidate] = {}
    for candidate in stage.candidates:
        best.setdefault(candidate.variant, candidate)
    names = [limit.name for limit in stage.constraints]
    rows: Cells = []
    for each in best.values():
        values = [_value(each, name) for name in names]
        place = placed(each.label, each.threads)
        rows.append([each.variant, place, worded("accuracy", each.accuracy), *values])
    columns = [say(f"c_{key}") for key in ("variant", "runtime", "accuracy")]
    return Table(columns + [called(name) for name in names], rows)


def _value(candidate: picks_file.WeighedCandidate, name: str) -> Words:
    """What a candidate makes of a constraint, marked where that fails."""
    value = measured_value(name, candidate.values[name])
    return say("value_fails", value=value) if name in candidate.failed else value


def _steps(stage: picks_file.StagePicks) -> Table:
    """The pick by escape ceiling and latency budget."""
    varied = stage.sensitivity
    rows: Cells = [
        [
            "" if varied.escape is None else _worded(varied.escape, step.ceiling),
            _budgets(step),
            step.variant or say("nothing_qualifies"),
            placed(step.label, step.threads) if step.variant else "",
            _worded("accuracy", step.accuracy),
            _worded("escape_rate", step.escape_rate),
        ]
        for step in varied.steps
    ]
    columns: list[str | Words] = ["ceiling", called(varied.latency), "variant", "runtime"]
    columns += ["validation_accuracy", "validation_escape"]
    return Table.of(columns, rows)


def _budgets(step: picks_file.PickStep) -> Words:
    if step.to_ms is None:
        return say("from_up", low=f"{step.from_ms:g}")
    return say("from_to", low=f"{step.from_ms:g} ms", to=f"{step.to_ms:g} ms")
