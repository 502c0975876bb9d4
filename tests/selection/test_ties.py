"""Ties between variants that lack different seeds; limits on the escape bound."""

from pathlib import Path

import numpy as np
import pytest
from small_run import Fake, row

from gaikan.config.model import Config, FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.run_folder.decisions import DecidedParts, NetworkDecisions, RunFiles
from gaikan.selection.candidates import Judging
from gaikan.selection.ties import Ties
from gaikan.variants import Variant

PARTS = 60
FIRST, SECOND, THIRD = "mlp-a-mean_image", "mlp-b-mean_image", "cnn-a-mean_image"


def run(seeds: dict[str, tuple[int, ...]], wrong: dict[str, int]) -> RunFiles:
    """Variants with these seeds, each with the first parts wrong; a third of them are good."""
    label = np.arange(PARTS) % 3
    networks, rows = [], []
    for variant, own in seeds.items():
        said = np.where(np.arange(PARTS) < wrong[variant], (label + 1) % 3, label)
        margin = np.where(said == 0, 1.0, -1.0)
        defect, p = np.maximum(said, 1), np.ones(PARTS)
        part = DecidedParts(np.arange(PARTS), label, said, defect, margin, None, None, p)
        networks += [NetworkDecisions(Variant(*variant.split("-")), s, part, part) for s in own]
        rows.append(row(Fake(variant, 0, {"onnxruntime-fp32": 1}), "onnxruntime-fp32", 1))
    classes = ("ok", "open", "spur")
    return RunFiles(Path(), Config(), classes, (), 0, tuple(networks), tuple(rows))


def told_apart(files: RunFiles, one: str, other: str) -> bool:
    judging = Judging(files, FactoryConfig(), 1.0)
    candidates = {candidate.variant: candidate for candidate in judging.candidates(Stage())}
    among = tuple(sorted(candidates))
    return Ties(judging).told_apart(candidates[one], candidates[other], among, Stage())


@pytest.mark.parametrize(("wrong", "apart"), [(2, False), (20, True)])
def test_two_are_compared_on_the_seeds_that_both_have(wrong: int, apart: bool) -> None:
    """Whatever a third lacks."""
    errors = {FIRST: 1, SECOND: wrong, THIRD: 1}
    for third in ((0, 1, 2), (0,), (3,)):
        files = run({FIRST: (0, 1, 2), SECOND: (0, 1, 2), THIRD: third}, errors)
        assert told_apart(files, FIRST, SECOND) == apart
    files = run({FIRST: (0, 1), SECOND: (1, 2), THIRD: (2, 0)}, errors)
    assert told_apart(files, FIRST, SECOND) == apart


def test_without_a_seed_in_common_nothing_is_tied() -> None:
    files = run({FIRST: (0,), SECOND: (1,), THIRD: (0,)}, {FIRST: 1, SECOND: 1, THIRD: 1})
    assert told_apart(files, FIRST, SECOND)
    assert not told_apart(files, FIRST, THIRD)


def test_a_limit_on_the_escape_bound_is_judged_by_the_bound() -> None:
    """Also where only `min` is given, and a stage without the limit was judged before."""
    files = run({FIRST: (0,)}, {FIRST: 9})
    judging = Judging(files, FactoryConfig(), 1.0)
    (network,) = files.networks
    without = judging.judged(network, Stage())
    assert without.values["escape_bound"] is None
    limited = judging.judged(network, Stage(escape_bound=Share(min=0.01)))
    bound, rate = limited.values["escape_bound"], limited.values["escape_rate"]
    assert bound is not None
    assert rate is not None
    assert bound > rate
    for ceiling, met in ((bound - 0.01, True), (bound + 0.01, False)):
        stage = Stage(escape_bound=Share(min=ceiling))
        (candidate,) = judging.candidates(stage)
        assert ("escape_bound" not in candidate.failed) == met
