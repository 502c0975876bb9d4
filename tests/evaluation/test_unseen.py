"""How the shares of unseen defects are summed up."""

from dataclasses import replace

import numpy as np
import pandas as pd

from gaikan.evaluation.unseen import SHARES, UnseenRow, unseen_summary, unseen_table
from gaikan.language.words import packed, plain
from gaikan.report.unseen_blocks import unseen_reasons


def row(variant: str, mode: str, seed: int, escaped: float | None, asked: float = 0) -> UnseenRow:
    arch, style, anchor = variant.split("-")
    if escaped is None:
        return UnseenRow(variant, arch, style, anchor, mode, seed, 10, reason="it diverged")
    other = 1 - escaped - asked
    return UnseenRow(variant, arch, style, anchor, mode, seed, 10, escaped, asked, other, 0.04)


def test_the_summary_means_seeds_then_modes_and_names_the_worst() -> None:
    rows = [
        *(
            row("cnn-triplet-mean_image", "bent", seed, escaped, 0.2)
            for seed, escaped in enumerate((0, 0.2))
        ),
        row("cnn-triplet-mean_image", "crack", 0, 0.3),
        row("mlp-triplet-mean_image", "bent", 0, 0.05),
        row("mlp-triplet-mean_image", "crack", 0, 0.1),
        row("mlp-vanilla-mean_image", "bent", 0, 0),
        row("mlp-vanilla-mean_image", "crack", 0, None),
    ]
    found = unseen_summary(unseen_table(rows))
    assert found["variant"].tolist() == [
        "mlp-triplet-mean_image",
        "cnn-triplet-mean_image",
        "mlp-vanilla-mean_image",  # of one mode alone
    ]
    assert found["modes"].tolist() == [2, 2, 1]
    np.testing.assert_allclose(found["escaped"], [0.075, 0.2, 0])
    np.testing.assert_allclose(found["asked"], [0, 0.1, 0])
    np.testing.assert_allclose(found[[*SHARES[:3]]].sum(axis=1), 1)
    assert found["worst_mode"].tolist() == ["crack", "crack", "bent"]


def test_of_nothing_measured_there_is_no_summary() -> None:
    table = unseen_table([row("mlp-vanilla-mean_image", "crack", 0, None)])
    assert unseen_summary(table).empty
    assert pd.isna(table["escaped"]).all()


def test_the_reference_is_summed_up_on_the_modes_that_networks_were_measured_on() -> None:
    rows = [
        row("mlp-vanilla-mean_image", "bent", 0, 0.1),
        row("mlp-vanilla-mean_image", "crack", 0, None),
        row("reference-good_only-none", "bent", 0, 0.3),
        row("reference-good_only-none", "crack", 0, 0.9),
    ]
    found = unseen_summary(unseen_table(rows))
    assert found["variant"].tolist() == ["mlp-vanilla-mean_image", "reference-good_only-none"]
    np.testing.assert_allclose(found["escaped"], [0.1, 0.3])


def test_what_was_not_measured_is_named_with_its_networks_where_others_were() -> None:
    rows = [
        row("mlp-vanilla-mean_image", "bent", 0, 0.1),
        row("mlp-vanilla-mean_image", "bent", 1, None),
        row("cnn-triplet-mean_image", "bent", 1, None),
        row("mlp-vanilla-mean_image", "crack", 0, None),
        row("reference-good_only-none", "crack", 0, 0.5),
    ]
    table = unseen_table(
        [
            replace(each, reason=packed(plain("it diverged"))) if each.reason else each
            for each in rows
        ]
    )
    assert [words.en for words in unseen_reasons(table)] == [
        "mlp-vanilla seed 1, cnn-triplet seed 1 without bent not measured: it diverged.",
        "Without crack not measured: it diverged.",
    ]
