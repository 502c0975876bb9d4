"""Which looser limits are offered to the nearest miss, and of which lots their figures are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from picking import picked
from small_run import Fake, write_run

from gaikan.config.model import FactoryConfig
from gaikan.config.stages import Share, Stage
from gaikan.run_folder.decisions import RunFiles
from gaikan.selection.candidates import Judging
from gaikan.selection.offers import is_no_limit
from gaikan.selection.reasons import limit_of, nearest_miss

BLIND = Fake("mlp-triplet-mean_embedding", 0.0, {"onnxruntime-fp32": 2.0})
SEEING = Fake("cnn-triplet-mean_embedding", 1.0, {"onnxruntime-fp32": 2.0})


@pytest.mark.parametrize(
    ("limits", "none"),
    [
        ({"escape_rate": Share(max=0.01), "overkill_rate": Share(max=0.01)}, (True, False)),
        ({"overkill_rate": Share(max=0.01)}, (True, False)),
        ({"balanced_accuracy": Share(min=0.999)}, (False, False)),
    ],
)
def test_what_a_network_that_has_learned_nothing_keeps_is_no_limit(
    limits: dict[str, Share], none: tuple[bool, bool], tmp_path: Path
) -> None:
    """The blind one calls every part defective."""
    out = write_run(tmp_path / "run", [BLIND, SEEING], seeds=1, parts=4000)
    table = pd.read_parquet(out / "predictions.parquet").astype({"predicted": str, "defect": str})
    blind = table["variant"] == BLIND.variant
    alike = table["ok_margin"].where(~blind, np.float32(-1))
    called = table["predicted"].where(~blind, table["defect"])
    table.assign(ok_margin=alike, predicted=called).to_parquet(out / "predictions.parquet")
    judging = Judging(RunFiles.read(out), FactoryConfig(), 0.2)
    stage = Stage(**limits)  # type: ignore[arg-type]
    found = {}
    for each in judging.candidates(stage):
        marks = [is_no_limit(limit_of(stage, name), each) for name in each.failed]
        found[each.variant] = any(marks)
    assert (found[BLIND.variant], found[SEEING.variant]) == none
    miss = nearest_miss(judging.candidates(stage), stage)
    assert miss is not None
    assert none[0] is False or miss.variant == SEEING.variant


def test_accuracy_that_the_commonest_class_alone_reaches_is_no_limit(tmp_path: Path) -> None:
    out = write_run(tmp_path / "run", [SEEING], seeds=1, ok=None)
    table = pd.read_parquet(out / "predictions.parquet").astype({"predicted": str})
    table["predicted"] = "spur"  # the rarest class
    table.astype({"predicted": "category"}).to_parquet(out / "predictions.parquet")
    _, stages = picked(out, "[stage.any]\naccuracy = { min = 0.9 }\n", tmp_path)
    miss = stages["any"]["nearest_miss"]
    assert miss["would_have_to_give"] == []
    assert miss["hopeless"].startswith("no limit worth the name would let it qualify: accuracy ")
    assert ", not >= 90 %" in miss["hopeless"]


def test_offers_hold_on_the_lots_that_chose_and_on_those_that_calibrate(tmp_path: Path) -> None:
    """Of 8 lots two choose; the figures on the card are of the others."""
    out = write_run(tmp_path / "run", [SEEING], seeds=1, lots=8)
    _, stages = picked(out, "[stage.any]\noverkill_rate = { max = 0.001 }\n", tmp_path)
    miss = stages["any"]["nearest_miss"]
    (offer,) = miss["would_have_to_give"]
    (check,) = [each for each in miss["checks"] if each["constraint"] == "overkill_rate"]
    offered = float(offer.split()[3]) / 100
    assert offered > check["value"] + 0.001
    assert offer.endswith(" % instead of 0.1 % (on the lots that chose)")
    looser = f"[stage.any]\noverkill_rate = {{ max = {offered} }}\n"
    assert picked(out, looser, tmp_path)[1]["any"]["pick"] is not None
