"""The summary of several runs in words: rows for a terminal, sentences, `summary.md`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gaikan.evaluation.statistics import LEVEL
from gaikan.report.markdown_table import Rows, inline, markdown, percent
from gaikan.summary.standings import Standings

HEADER = ["variant", "mean rank", "won", "tied", "lost", "acc."]
FEW = 10  # data sets; Demšar and the approximations of the tests ask for as many
PAGE = "summary.md"
DIAGRAM = "critical_difference"

_PERCENT = f"{100 * (1 - LEVEL):.0f} %"


@dataclass(frozen=True)
class Failed:
    """A data set without figures."""

    name: str
    reason: str


def rank_rows(table: Standings) -> tuple[list[str], Rows]:
    """Header and rows, one row per ranked variant; they fit 80 columns."""
    rows = []
    for row in table.ranked.reset_index().to_dict("records"):
        counts = [f"{row[count]:.0f}" for count in HEADER[2:5]]
        rows.append([row["variant"], f"{row['rank']:.2f}", *counts, percent(row["accuracy"])])
    return HEADER, rows


def verdict(table: Standings) -> list[str]:
    """What the ranks show and what they do not, one line of text per test."""
    n_variants, n = table.ranks.shape
    test, difference = table.friedman, table.critical_difference
    if test is None or difference is None:
        return [f"No test of the mean ranks: it {table.missing}."]
    result = "variants differ" if test.p < 1 - LEVEL else "no difference between variants is shown"
    lines = [
        f"Friedman test, {n_variants} variants on {n} data sets: chi2 = {test.chi2:.2f}, "
        f"{_p(test.p)} by permutation: {result}."
    ]
    nemenyi = (
        f"Nemenyi: two differ where their mean ranks are {difference:.2f} or more apart "
        f"({_PERCENT} over all pairs)"
    )
    if difference > n_variants - 1:
        lines.append(
            f"{nemenyi}, which {n} data sets cannot show: even a variant that is first on all of "
            f"them is at most {n_variants - 1} from the last."
        )
    else:
        lines.append(f"{nemenyi}: {_apart(table, difference)}.")
    if n < FEW:
        lines.append(
            f"{n} data sets are few: such a test has little power, and variants that it cannot "
            f"tell apart may well differ. {FEW} or more would say more."
        )
    return lines


def _apart(table: Standings, difference: float) -> str:
    """How many pairs of mean ranks are at least `difference` apart, in words."""
    pairs = list(combinations(table.ranked["rank"], 2))
    n_apart = sum(abs(a - b) >= difference for a, b in pairs)
    return f"{n_apart or 'none'} of the {len(pairs)} pairs"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def caption() -> str:
    """What the columns mean."""
    return (
        "Test accuracy in %, mean over seeds and data sets. Rank: 1 is the most accurate; each "
        "data set counts once, whatever its size. Softmax heads and classical references are "
        "ranked with the others. Won, tied, lost: against each other variant on each data set; "
        "tied where that run's own comparison (Holm-corrected over all its pairs, "
        f"{_PERCENT}) cannot tell the two apart."
    )


def left_out(table: Standings) -> list[str]:
    """One line per variant that is not ranked, with the reason."""
    return [f"{variant}: not ranked: {why}" for variant, why in table.left_out.items()]


def page(
    title: str, table: Standings, failed: Sequence[Failed], reports: Mapping[str, str | None]
) -> str:
    """`summary.md`; `reports` has each data set's report, as a path from the page."""
    parts = [f"# {inline(title)}"]
    parts += [f"**Failed: {inline(run.name)}: {inline(run.reason)}**" for run in failed]
    if len(table.ranked):
        parts += [markdown(*rank_rows(table)), caption()]
    parts.append("\n\n".join([*verdict(table), *_approximations(table)]))
    if table.critical_difference is not None:
        parts.append(f"![critical-difference diagram]({DIAGRAM}.svg)")
        parts.append(
            "Mean ranks, the best at the left. Grey bars join variants that cannot be told apart "
            "(dots: those that are meant); CD is the critical difference, to scale."
        )
    if len(table.accuracy):
        parts += ["## Test accuracy of each variant on each data set", _accuracies(table)]
        parts.append("In %. =: may be that data set's best.")
    if table.left_out:
        parts.append("\n".join(f"- {inline(line)}" for line in left_out(table)))
    parts.append("\n".join(f"- [{inline(name)}]({path})" for name, path in reports.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _approximations(table: Standings) -> list[str]:
    test = table.friedman
    if test is None:
        return []
    first, second = test.freedom
    return [
        "The usual approximations, for many data sets: "
        f"chi2 with {first} degrees of freedom, {_p(test.p_chi2)}; Iman and Davenport's "
        f"F({first}, {second}) = {test.f:.2f}, {_p(test.p_f)}. Method: J. Demšar, Statistical "
        "Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006."
    ]


def _accuracies(table: Standings) -> str:
    """A table of variant x data set, ranked variants first."""
    unranked = [variant for variant in table.accuracy.index if variant in table.left_out]
    variants = [*table.ranked.index, *unranked]
    tied = {data_set.name: data_set.may_be_best for data_set in table.data_sets}
    shares = table.accuracy.loc[variants].to_numpy(float)
    rows = []
    for variant, row in zip(variants, shares, strict=True):
        marks = [" =" if variant in ties else "" for ties in tied.values()]
        cells = [percent(share) + mark for share, mark in zip(row, marks, strict=True)]
        rows.append([variant, *cells])
    return markdown(["variant", *tied], rows)
