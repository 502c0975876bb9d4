"""The tree of all variants as a list, for pages that are too narrow for the picture."""

import pandas as pd

from gaikan.language.words import Words, joined, plain, say
from gaikan.report.blocks import Branch, Picture, Tree
from gaikan.report.latency_tables import fastest_of
from gaikan.report.markdown_table import percent
from gaikan.run_folder.run_variants import read_variants
from gaikan.run_folder.whole import RunFolder
from gaikan.selection.constraint_words import worded
from gaikan.variants import REFERENCE, Variant


def with_branches(folder: RunFolder, picture: Picture) -> Tree:
    """The picture with its branches: style, architecture, anchor, with the picture's figures."""
    known = [each for each in read_variants(folder.out).values() if each.arch != REFERENCE]
    paths: dict[str, dict[str, list[Branch]]] = {}
    for each in known:
        paths.setdefault(each.style, {}).setdefault(each.arch, []).append(_leaf(folder, each))
    branches = [
        Branch(plain(style), [Branch(plain(arch), leaves) for arch, leaves in archs.items()])
        for style, archs in paths.items()
    ]
    seeds = len(folder.manifest.seeds)
    about = say("tree_figures_mean" if seeds > 1 else "tree_figures", n=len(known), seeds=seeds)
    return Tree(picture, branches, [about, say("tree_times")])


def _leaf(folder: RunFolder, variant: Variant) -> Branch:
    """Its anchor and figures, and the stages that install it."""
    name, times = variant.name, fastest_of(folder.latency)
    found = {"tree_accuracy": _share(folder.summary, name, "accuracy")}
    if folder.rates is not None:
        found["tree_escapes"] = _share(folder.rates, name, "escape_rate")
    p50 = [row.p50_ms for (_, of), row in times.items() if of == name and row.p50_ms is not None]
    found["tree_p50"] = worded("p50_ms", min(p50)) if p50 else ""
    figures = [say("figure_of", name=say(key), value=text) for key, text in found.items() if text]
    text: Words = say("tree_leaf", anchor=variant.anchor, figures=joined(figures, say("comma")))
    picks = {} if folder.picks is None else folder.picks.stages
    stages = [stage for stage, of in picks.items() if of.pick and of.pick.variant == name]
    return Branch(text, [], stages)


def _share(table: pd.DataFrame, variant: str, column: str) -> str:
    row = table.loc[table["variant"] == variant, column]
    share = percent(None if row.empty else float(row.iloc[0]))
    return f"{share} %" if share else ""
