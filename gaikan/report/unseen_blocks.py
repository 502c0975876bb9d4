"""Tables and words on defects that training has not seen."""

import pandas as pd

from gaikan.evaluation.unseen import ASKED_GOOD, unseen_summary
from gaikan.language.words import Words, joined, plain, say, unpacked
from gaikan.report import blocks
from gaikan.report.markdown_table import Rows, percent
from gaikan.variants import REFERENCE

PICTURE = "figures/unseen.png"


def unseen_rows(table: pd.DataFrame) -> tuple[list[str], Rows]:
    """Header and rows of the summary in %, fewest escapes first."""
    header = ["variant", "no one asked", "escape", "worst", "of", "asked", "caught", "good asked"]
    return header, _rows(table)


def _rows(table: pd.DataFrame) -> Rows:
    return [
        [
            str(row["variant"]),
            percent(row["escaped"] + row["asked"]),
            percent(row["escaped"]),
            percent(row["worst"]),
            str(row["worst_mode"]),
            percent(row["asked"]),
            percent(row["other_defect"]),
            percent(row["good_asked"]),
        ]
        for row in unseen_summary(table).to_dict("records")
    ]


def unseen_caption(table: pd.DataFrame) -> Words:
    """What the figures of the summary are."""
    measured = table[table["escaped"].notna()]
    return say("unseen_caption", modes=measured["mode"].nunique(), good=percent(ASKED_GOOD))


def unseen_reasons(table: pd.DataFrame) -> list[Words]:
    """Why a mode, or a variant without it, was not measured; and where nobody was asked."""
    networks = table[table["escaped"].notna() & (table["arch"] != REFERENCE)]
    measured = {*networks["mode"]}  # by some network at least
    reasons = []
    for (mode, reason), rows in table[table["escaped"].isna()].groupby(
        ["mode", "reason"], sort=False
    ):
        said = {"mode": plain(str(mode)), "reason": unpacked(str(reason))}
        if mode in measured:
            names = rows["arch"] + "-" + rows["style"] + " seed " + rows["seed"].astype(str)
            said["networks"] = joined(map(plain, names.unique()), plain(", "))
        reasons.append(say("unseen_reason_of" if mode in measured else "unseen_reason", **said))
    nobody = len(networks) and not networks[["asked", "good_asked"]].any(axis=None)
    return [*reasons, say("unseen_nobody_asked")] if nobody else reasons


def unseen_section(table: pd.DataFrame | None) -> list[blocks.Block]:
    """The section of the report; nothing where the run left no defect out."""
    if table is None:
        return []
    reasons = unseen_reasons(table)
    section: list[blocks.Block] = []
    if table["escaped"].notna().any():
        keys = ("variant", "unasked", "escape", "worst", "worst_mode", "asked", "caught")
        section = [
            blocks.Table.of([*keys, "good_asked"], _rows(table), filtered=True),
            blocks.Paragraph(unseen_caption(table), small=True),
            blocks.Picture(PICTURE, say("unseen_picture")),
            blocks.Fold(say("unseen_by_mode"), [_by_mode(table)]),
        ]
    return [*section, *([blocks.Bullets(reasons)] if reasons else [])]


def _by_mode(table: pd.DataFrame) -> blocks.Table:
    """A row a variant and a column a mode: the share in % that escapes behind asking."""
    measured = table[table["escaped"].notna()]
    shares = measured.pivot_table("escaped", "variant", "mode", sort=False)
    best_first = unseen_summary(table)["variant"]
    modes = [plain(str(mode)) for mode in shares.columns]
    rows = [[str(name), *map(percent, shares.loc[name])] for name in best_first]
    return blocks.Table.of(["variant", *modes], rows, filtered=True)
