"""The first section of a report: what to install at which inspection stage, and why."""

from typing import Any

from gaikan.figures.latency_labels import digits
from gaikan.report.accuracy_table import percent
from gaikan.report.blocks import Block, Bullets, Cards, Fold, Paragraph, Picture, StageCard, Table
from gaikan.report.latency_tables import fastest_of
from gaikan.report.markdown_table import measured
from gaikan.report.strings import Words, joined, plain, say, threads_said
from gaikan.run_folder.whole import RunFolder
from gaikan.selection.constraint_words import worded

TREE, MAP = "figures/tree.svg", "figures/sensitivity-{stage}.svg"
Stage = dict[str, Any]  # of picks.json, described in gaikan.selection
Candidate = dict[str, Any]


def pick_section(folder: RunFolder) -> list[Block]:
    """The picks; before there are any, the most accurate variant, and how to pick."""
    if folder.picks is None:
        return [Paragraph(say("no_picks")), Cards([_best(folder)])]
    stages: dict[str, Stage] = folder.picks["stages"]
    blocks: list[Block] = [Cards([_card(name, stage) for name, stage in stages.items()])]
    if folder.picture(TREE):
        blocks.append(Picture(TREE, say("tree")))
    for name, stage in stages.items():
        blocks.append(Fold(say("reasons", stage=name), _reasons(folder, name, stage)))
    return blocks


def _best(folder: RunFolder) -> StageCard:
    best = folder.best
    interval = f"{percent(best['low'])}-{percent(best['high'])}"
    shares = {"share": percent(best["accuracy"]), "interval": interval}
    known = "share_with_interval" if percent(best["low"]) else "share_alone"
    figures = [(say("f_accuracy"), say(known, **shares))]
    tied = int(folder.summary["tied"].eq(True).sum()) - 1
    if tied > 0 and best["variant"] == folder.variants[0]:  # ties are with the best of all
        figures.append((say("f_tied"), say("others", n=tied)))
    figures += _rates(folder, str(best["variant"]))
    times = [r for (_, v), r in fastest_of(folder.latency).items() if v == best["variant"]]
    if times:
        row = min(times, key=lambda row: row.p50_ms or 0)
        figures.append((say("f_latency"), _milliseconds(row.p50_ms, row.p99_ms)))
        runtime = f"{row.runtime} {row.precision}"
        figures.append((say("f_runs"), _runs_on(runtime, row.threads, row.machine)))
    return StageCard(say("most_accurate"), plain(str(best["variant"])), figures, [])


def _rates(folder: RunFolder, variant: str) -> list[tuple[Words, Words]]:
    rates = folder.rates
    if rates is None or variant not in set(rates["variant"]):
        return []
    row = rates[rates["variant"] == variant].iloc[0]
    found = []
    for kind, parts in (("escape", "defects"), ("overkill", "goods")):
        if row[parts]:
            share, bound = percent(row[f"{kind}_rate"]), percent(row[f"{kind}_bound"])
            text = say(f"{kind}_mean", share=share, total=row[parts], bound=bound)
            found.append((say(f"f_{kind}"), text))
    return found


def _milliseconds(p50: float | None, p99: float | None) -> Words:
    if p99 is None:
        return say("milliseconds_alone", p50=digits(p50))
    return say("milliseconds", p50=digits(p50), p99=digits(p99))


def _runs_on(runtime: str, threads: int | None, machine: str) -> Words:
    return joined([_place(runtime, threads), plain(machine)], say("comma"))


def _place(runtime: str, threads: int | None) -> Words:
    """A runtime, and how many threads it has."""
    return joined([plain(runtime), threads_said(threads)], say("comma"))


def _card(name: str, stage: Stage) -> StageCard:
    """What is installed at a stage; where nothing qualifies, what comes nearest."""
    title = say("stage", name=name)
    goal = (say("f_asked"), _asked(stage))
    warnings = [say("warning", text=text) for text in stage["warnings"]]
    pick, near = stage["pick"], stage["nearest_miss"]
    if pick is not None:
        answer = plain(pick["variant"])
        return StageCard(title, answer, [*_figures(pick), goal], warnings)
    figures = [goal]
    if near is None:
        warnings.append(_sentence(stage["why"]))
    if near is not None:
        figures = [(say("f_nearest"), plain(near["variant"])), *_figures(near), goal]
        gives = joined(map(plain, near["would_have_to_give"]), say("and"))
        warnings.append(say("would_qualify", gives=gives))
    return StageCard(title, say("nothing_qualifies"), figures, warnings, found=False)


def _asked(stage: Stage) -> Words:
    """Objective and constraints."""
    limits = [
        say("limited", constraint=_called(limit["name"]), limit=_limit(limit["name"], limit))
        for limit in stage["constraints"]
    ]
    goal = say(f"o_{stage['objective']}")
    return say("asked", goal=goal, limits=joined(limits, say("comma"))) if limits else goal


def _figures(candidate: Candidate) -> list[tuple[Words, Words]]:
    """What a candidate does on test, and what it runs on."""
    test, timing = candidate["test"], candidate["timing"]
    figures = [(say("f_accuracy"), say("share_alone", share=percent(test["accuracy"])))]
    if test["defects"]:
        escapes = {"n": test["escapes"], "total": test["defects"]}
        escapes |= {"share": percent(test["escape_rate"]), "bound": percent(test["escape_bound"])}
        figures.append((say("f_escape"), say("escape_counted", **escapes)))
    if test["goods"]:
        overkills = {"n": test["overkills"], "total": test["goods"]}
        overkills["share"] = percent(test["overkill_rate"])
        figures.append((say("f_overkill"), say("overkill_counted", **overkills)))
    if timing["p50_ms"] is not None:
        times = _milliseconds(timing["p50_ms"], timing["p99_ms"])
        figures.append((say("f_latency"), times))
    runtime = f"{candidate['runtime']} {candidate['precision']}"
    on = _runs_on(runtime, candidate["threads"], candidate["machine"])
    return [*figures, (say("f_runs"), on), (say("f_bundle"), _bundle(candidate["bundle"]))]


def _bundle(bundle: dict[str, str] | None) -> Words:
    """What `gaikan export` makes of a candidate, and what that needs."""
    return say("no_bundle") if bundle is None else say("bundle", **bundle)


def _reasons(folder: RunFolder, name: str, stage: Stage) -> list[Block]:
    blocks: list[Block] = []
    texts = (stage["description"], stage["why"], stage["beyond"])
    blocks += [Paragraph(_sentence(text)) for text in texts if text]
    chosen = stage["pick"] or stage["nearest_miss"]
    if chosen is not None:
        blocks += _chosen(chosen)
    if stage["binding"]:
        whys = [plain(found["why"]) for found in stage["binding"]]
        blocks += [Paragraph(say("binding")), Bullets(whys)]
    if stage["runners_up"]:
        blocks += [Paragraph(say("runners_up")), _runners_up(stage["runners_up"])]
    blocks += [Paragraph(say("nearest_of_each")), _each_variant(stage)]
    if stage["promise"] is not None:
        blocks += _promise(stage["promise"])
    steps = stage["sensitivity"]["steps"]
    if steps:
        blocks += [Paragraph(say("steps")), _steps(steps)]
    path = MAP.format(stage=name)
    if folder.picture(path):
        blocks.append(Picture(path, say("pick_map", stage=name)))
    return blocks


def _sentence(text: str) -> Words:
    return plain(f"{text[0].upper()}{text[1:]}.")


def _called(constraint: str) -> Words:
    """A constraint's name in words; "recall.MODE" is that of a failure mode."""
    name, _, kind = constraint.partition(".")
    return say(f"k_{name}", kind=kind)


def _chosen(candidate: Candidate) -> list[Block]:
    threshold = candidate["threshold"]
    deciding = (
        say("without_threshold")
        if threshold is None
        else say("with_threshold", value=f"{threshold:.4g}")
    )
    blocks: list[Block] = [
        Paragraph(say("seed_installed", seed=candidate["seed"], threshold=deciding))
    ]
    seeds = candidate["mean_over_seeds"]
    if seeds is not None and seeds["seeds"] > 1:
        mean = {"n": seeds["seeds"], "accuracy": percent(seeds["test"]["accuracy"])}
        blocks.append(Paragraph(say("mean_of_seeds", **mean)))
    rows: list[list[str | Words]] = [
        [
            _called(check["constraint"]),
            worded(check["constraint"], check["value"]),
            _limit(check["constraint"], check),
            "✓" if check["passed"] else "✗",
            "" if check["test"] is None else worded(check["constraint"], check["test"]),
        ]
        for check in candidate["checks"]
    ]
    keys = ("constraint", "on_validation", "limit", "met", "on_test")
    table = Table(*measured([say(f"c_{key}") for key in keys], rows))
    return [*blocks, Paragraph(say("checked")), table]


def _limit(constraint: str, ends: dict[str, Any]) -> str:
    """What a constraint asks for: "2 ms to 5 ms", "≤ 5 ms", "≥ 2 ms", or names."""
    if ends["is"] is not None:
        return ", ".join(map(str, ends["is"]))
    low, high = (
        None if ends[end] is None else worded(constraint, ends[end]) for end in ("min", "max")
    )
    if low and high:
        return f"{low} to {high}"
    return f"≤ {high}" if high else f"≥ {low}"


def _figure(value: float | None) -> str:
    return digits(value) if isinstance(value, float) else "" if value is None else str(value)


def _runners_up(candidates: list[Candidate]) -> Table:
    keys = ("variant", "runtime", "accuracy", "escape", "p50_fastest", "why")
    rows: list[list[str | Words]] = [
        [
            each["variant"],
            _place(f"{each['runtime']} {each['precision']}", each["threads"]),
            percent(each["test"]["accuracy"]),
            percent(each["test"]["escape_rate"]),
            _figure(each["timing"]["p50_ms"]),
            each["why"],
        ]
        for each in candidates
    ]
    return Table(*measured([say(f"c_{key}") for key in keys], rows))


def _each_variant(stage: Stage) -> Table:
    """Each variant's candidate that fails least, with its value of each constraint."""
    best: dict[str, dict[str, Any]] = {}
    for candidate in sorted(stage["candidates"], key=lambda each: len(each["failed"])):
        best.setdefault(candidate["variant"], candidate)
    names = [limit["name"] for limit in stage["constraints"]]
    rows: list[list[str | Words]] = [
        [
            each["variant"],
            _place(f"{each['runtime']} {each['precision']}", each["threads"]),
            *(
                worded(name, each["values"][name]) + (" ✗" if name in each["failed"] else "")
                for name in names
            ),
        ]
        for each in best.values()
    ]
    columns = [say("c_variant"), say("c_runtime")]
    return Table(columns + [_called(name) for name in names], rows)


def _promise(promise: dict[str, Any]) -> list[Block]:
    said = say(
        "promise",
        level=percent(promise["level"]),
        method=promise["method"],
        networks=promise["networks"],
    )
    return [Paragraph(said), Bullets([plain(text) for text in promise["holds_for"]])]


def _steps(steps: list[dict[str, Any]]) -> Table:
    keys = ["ceiling", "from", "to", "variant", "runtime"]
    keys += ["validation_accuracy", "validation_escape"]
    rows: list[list[str | Words]] = [
        [
            "" if step["ceiling"] is None else f"{percent(step['ceiling'])} %",
            _figure(step["from_ms"]),
            _figure(step["to_ms"]),
            step["variant"] or say("nothing_qualifies"),
            _place(f"{step['runtime']} {step['precision']}", step["threads"])
            if step["variant"]
            else "",
            percent(step["accuracy"]),
            percent(step["escape_rate"]),
        ]
        for step in steps
    ]
    return Table(*measured([say(f"c_{key}") for key in keys], rows))
