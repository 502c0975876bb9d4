"""The content of a report as blocks, in their order, from the files of a run folder."""

from shlex import quote

from gaikan import __version__
from gaikan.language.words import Filling, Words, joined, plain, say
from gaikan.report import blocks, cautions, trust_words
from gaikan.report.accuracy_table import accuracy_rows, caption
from gaikan.report.curve_blocks import curve_blocks
from gaikan.report.installed_blocks import (
    about,
    installed,
    matrix,
    mistakes,
    moves_border,
    said_mistakes,
)
from gaikan.report.latency_blocks import latency_blocks
from gaikan.report.latency_tables import fastest_of
from gaikan.report.markdown_table import percent
from gaikan.report.next_section import next_section
from gaikan.report.pick_section import pick_section
from gaikan.report.reproduce import again_toml
from gaikan.report.unseen_blocks import unseen_section
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.whole import RunFolder
from gaikan.selection.constraint_words import digits

_NAMES = 8  # so many classes are named in the headline


_COUNTED = (("escapes", "defects"), ("overkills", "goods"))


def document(folder: RunFolder) -> blocks.Document:
    """The whole report."""
    sections: list[tuple[str, list[blocks.Block]]] = [
        ("pick", pick_section(folder)),
        ("next", next_section(folder)),
        ("accuracy", _accuracy(folder)),
        ("floor", _floor(folder)),
        ("unseen", unseen_section(folder.unseen)),
        ("curve", curve_blocks(folder)),
        ("confusion", _confusion(folder)),
        ("parts", [blocks.Picture("figures/samples.png", say("samples_picture"))]),
        ("scatter", [blocks.Live("scatter", _scatters(folder))]),
        ("latency", latency_blocks(folder.latency, folder.timing) or [_said("not_timed")]),
        ("leaks", _leaks(folder)),
        ("mistakes", _mistakes(folder)),
        ("environment", _environment(folder)),
    ]
    return blocks.Document(
        say("title_run", name=folder.manifest.name),
        _headline(folder),
        _alerts(folder),
        [
            blocks.ReportSection(name, say(f"s_{name}"), section)
            for name, section in sections
            if section
        ],
    )


def _said(key: str, /, **values: Filling) -> blocks.Paragraph:
    return blocks.Paragraph(say(key, **values))


def _headline(folder: RunFolder) -> list[Words]:
    manifest = folder.manifest
    train, test = manifest.data.train, manifest.data.test
    references = int((folder.summary["kind"] == "reference").sum())
    n_seeds = len(manifest.seeds)
    channels, height, width = train.shape
    classes, ok, weights = manifest.classes, manifest.ok, manifest.weights
    names = plain(", ".join(classes[:_NAMES]))
    if len(classes) > _NAMES:
        names = say("and_more", names=names, n=len(classes) - _NAMES)
    return [
        say(
            "headline" if weights is None else "headline_imported",
            file=None if weights is None else weights.file,
            variants=len(folder.summary) - references,
            references=say("and_references", n=references) if references else "",
            train=train.images,
            source=train.source,
            test=test.images,
            test_source=test.source,
            seeds=say("n_seeds", n=n_seeds) if n_seeds > 1 else say("one_seed"),
        ),
        say(
            "parts_are",
            height=height,
            width=width,
            channels=say("grey") if channels == 1 else say("colour", n=channels),
            classes=len(classes),
            names=names,
            good=say("means_good", ok=ok) if ok is not None else say("no_good"),
        ),
    ]


def _alerts(folder: RunFolder) -> list[blocks.Alert]:
    failed = [say("failed", **vars(cell)) for cell in folder.manifest.failed]
    stale = {"stale_timing": folder.timing_stale, "stale_picks": folder.picks_stale}
    void = [*failed, *(say(key) for key, is_stale in stale.items() if is_stale)]
    return [*map(blocks.Alert, void), *cautions.of_run(folder)]


def _accuracy(folder: RunFolder) -> list[blocks.Block]:
    manifest, summary = folder.manifest, folder.summary
    reference = trust_words.reference_sentence(summary)
    captions = [caption(summary, manifest.data.test, manifest.config.factory)]
    captions += _not_by_borders(folder)
    if len(manifest.test_scored_by) > 1:
        captions.append(say("scored_often", n=len(manifest.test_scored_by)))
    if folder.rates is not None:
        captions.append(say("escapes_caption"))
    if folder.latency:
        captions.append(say("p50_caption"))
    return [
        accuracy_table(folder),
        blocks.Paragraph(joined(captions), small=True),
        *([] if reference is None else [blocks.Paragraph(reference)]),
        blocks.Picture("figures/accuracy.png", say("accuracy_picture")),
        blocks.Paragraph(say("comparisons_file"), small=True),
    ]


def _not_by_borders(folder: RunFolder) -> list[Words]:
    """That a table has figures without the borders of stages, where a pick has one."""
    return [say("not_by_borders")] if moves_border(folder.picks) else []


def accuracy_table(folder: RunFolder) -> blocks.Table:
    """One row per variant, best first: accuracy, escapes and overkills, and p50."""
    _, rows = accuracy_rows(folder.summary, wide=True)
    cost = ["cost"] if "cost" in folder.summary else []
    keys = ["variant", "tied", *cost, "accuracy", "interval", "balanced", "validation"]
    if "original" in folder.summary:
        keys += ["original", "optimism", "interval"]
    columns: list[str | Words] = [*keys]
    if folder.rates is not None:
        columns += ["escape", "bound", "overkill"]
        shares = folder.rates.set_index("variant")[["escape_rate", "escape_bound", "overkill_rate"]]
        known = {name: list(map(percent, row)) for name, *row in shares.itertuples()}
        rows = [row + known.get(row[0], ["", "", ""]) for row in rows]
    fastest = fastest_of(folder.latency)
    machines = list(dict.fromkeys(machine for machine, _ in fastest))
    for machine in machines:
        one = len(machines) == 1
        columns.append("p50_fastest" if one else say("c_p50_on", machine=machine))
        times = {name: row.p50_ms for (host, name), row in fastest.items() if host == machine}
        rows = [[*row, digits(times.get(row[0]))] for row in rows]
    return blocks.Table.of(columns, rows, filtered=True)


def _floor(folder: RunFolder) -> list[blocks.Block]:
    """Escapes, overkills and their cost; nothing where no class means good."""
    rates = folder.rates
    if rates is None:
        return []
    first = rates.iloc[0]
    _, rows = trust_words.rate_rows(rates)
    escapes, overkills = (say(f"c_{n}_of", n=first[of]) for n, of in _COUNTED)
    rate = ("percent", "bound")
    columns: list[str | Words] = ["variant", escapes, *rate, overkills, *rate]
    grouped = folder.manifest.data.test.groups is not None
    rates_are = trust_words.rates_caption(rates, grouped)
    section: list[blocks.Block] = [
        blocks.Table.of(columns, rows),
        blocks.Paragraph(joined([rates_are, *_not_by_borders(folder)]), small=True),
    ]
    lowest = trust_words.lowest_bound(rates)
    section += [] if lowest is None else [blocks.Paragraph(lowest)]
    columns, costs = trust_words.factory_rows(rates, folder.manifest.config.factory)
    if costs:
        section.append(blocks.Table.of(columns, costs))
    if first["defects"]:
        section.append(blocks.Paragraph(trust_words.smallest_shown(rates)))
    return section


def _confusion(folder: RunFolder) -> list[blocks.Block]:
    """Confusion matrices: those of the picks as installed, or of the best; the others folded."""
    pictures: dict[str, blocks.Block] = {
        variant: blocks.Picture(f"confusion/{variant}.png", say("confusion_of", variant=variant))
        for variant in folder.variants
    }
    caption = blocks.Paragraph(say("confusion_caption"), small=True)
    picked = installed(folder.picks)
    if picked:
        section = []
        for name, stage, pick in picked:
            section += [blocks.Heading(about(name, pick)), *matrix(stage)]
        title = say("nearest_matrices", n=len(pictures))
        return [*section, blocks.Fold(title, [caption, *pictures.values()])]
    section = [caption, pictures.pop(str(folder.best["variant"]))]
    if pictures:
        title = say("other_matrices", n=len(pictures))
        section.append(blocks.Fold(title, [*pictures.values()]))
    return section


def _scatters(folder: RunFolder) -> list[blocks.Picture]:
    return [
        blocks.Picture(path, say("scatter_of", network=network))
        for network in dict.fromkeys(entry.network for entry in folder.manifest.networks)
        if folder.picture(path := f"figures/scatter-{network}.png")
    ]


def _leaks(folder: RunFolder) -> list[blocks.Block]:
    leaks, total = folder.manifest.leaks, folder.manifest.data.test.images
    sentences = trust_words.leak_sentences(leaks, total)
    searched = leaks.test_parts_searched_for_near_copies
    sample = [_said("leak_sample", n=searched, total=total)] if searched < total else []
    if not sentences and not leaks.pairs:
        return [_said("no_leak"), *sample]
    section: list[blocks.Block] = [blocks.Bullets(sentences or [say("no_leak")]), *sample]
    if folder.leaked is not None:
        section += [_said("leak_table"), blocks.Table(*trust_words.leak_rows(folder.leaked))]
    if folder.picture("figures/copies.png"):
        picture = blocks.Picture("figures/copies.png", say("copies_picture"))
        section += [_said("leak_look"), picture]
    return [*section, *([_said("leak_file")] if leaks.pairs else [])]


def _mistakes(folder: RunFolder) -> list[blocks.Block]:
    section: list[blocks.Block] = []
    for name, stage, pick in installed(folder.picks):
        section += [blocks.Heading(about(name, pick)), mistakes(stage)]
    if not section:
        best, seeds = str(folder.best["variant"]), int(folder.summary["seeds"].max())
        cells = [
            (str(actual), str(called), int(n))
            for actual, row in folder.confusion(best).iterrows()
            for called, n in zip(row.index, row.tolist(), strict=True)
        ]
        section = [blocks.Heading(say("mistakes_of", variant=best)), said_mistakes(cells, seeds)]
    stills = [blocks.Picture("figures/mistakes.png", say("mistakes_picture"))]
    section.append(blocks.Live("gallery", stills if folder.picture(stills[0].path) else []))
    for recalls, key in ((folder.classes, "recall_classes"), (folder.modes, "recall_modes")):
        if recalls is not None:
            table = trust_words.recall_rows(
                recalls, folder.variants, folder.manifest.ok is not None
            )
            by = [blocks.Paragraph(text, small=True) for text in _not_by_borders(folder)]
            section.append(blocks.Fold(say(key), [*by, blocks.Table.of(*table, filtered=True)]))
    return section


def _environment(folder: RunFolder) -> list[blocks.Block]:
    manifest = folder.manifest
    machine, took, again = manifest.machine, manifest.seconds, folder.out / AGAIN
    prints = [
        say(
            "fingerprint_of",
            part=say(f"part_{part}"),
            source=source.source,
            images=source.images,
            fingerprint=source.fingerprint,
        )
        for part, source in manifest.data.both
    ]
    seeds = ", ".join(map(str, manifest.seeds))
    packages = ", ".join(
        f"{name} {version}" for name, version in machine.packages.items() if version
    )
    if manifest.weights is not None:
        trained = say("not_trained", file=manifest.weights.file)
    else:
        by = say(f"by_{manifest.normalise}")
        on = {"device": manifest.device, "precision": manifest.precision}
        trained = say("trained_on", normalised=by, **on)
    here = vars(machine) | {"processor": machine.gpu or machine.processor, "trained": trained}
    facts = [
        say("ran_on", **here),
        say("took", training=f"{took.training:.0f}", all=f"{took.all:.0f}"),
        say("code_is", commit=machine.commit or say("unknown"), seeds=seeds),
        say("packages", packages=packages),
    ]
    facts += [say("not_measured", what=item.what, why=item.why) for item in manifest.skipped]
    return [
        blocks.Bullets(facts),
        _said("fingerprints"),
        blocks.Bullets(prints),
        _said("reproduce", file=quote(str(again)), run=quote(str(folder.out))),
        blocks.Code(again_toml(manifest.config, again, manifest.ok)),
        blocks.Paragraph(say("made_by", version=__version__), small=True),
    ]
