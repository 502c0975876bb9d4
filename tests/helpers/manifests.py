"""A whole manifest, as a run without a network would write it."""

from typing import Any

from gaikan.config.model import Config
from gaikan.run_folder.manifest import (
    ConstantImages,
    LeakCounts,
    Manifest,
    RunSeconds,
    SourceEntries,
    SourceEntry,
)
from gaikan.system.machine import MachineFacts


def manifest(**changes: Any) -> Manifest:
    """One with these keys changed."""
    source = SourceEntry(
        source="parts",
        images=3,
        shape=(1, 8, 8),
        dtype="uint8",
        fingerprint="f",
        groups=None,
        effective_groups=None,
        notes=(),
    )
    leaks = LeakCounts(
        test_parts_with_exact_copy_in_training=0,
        test_parts_with_near_copy_in_training=0,
        test_parts_named_as_one_in_training=0,
        test_parts_searched_for_near_copies=3,
        validation_images_with_copy_in_fit={"0": 0},
        pairs={},
        pairs_with_different_labels=0,
        groups_in_training_and_test=(),
        test_parts_of_those_groups=0,
        constant_images=ConstantImages(training=0, test=0),
        identical_images_with_different_labels=0,
    )
    whole = Manifest(
        name="run",
        config=Config(),
        seeds=(0,),
        device="cpu",
        precision="fp32",
        normalise="source",
        data=SourceEntries(train=source, test=source),
        classes=("ok", "open", "spur"),
        ok="ok",
        networks=(),
        failed=(),
        leaks=leaks,
        skipped=(),
        anchors=("mean_embedding",),
        timing_inputs="0" * 32,
        damaged_store_entries=(),
        machine=MachineFacts.here("cpu"),
        weights=None,
        made_from="0" * 32,
        test_scored_by=("0" * 32,),
        seconds=RunSeconds(training=1.0, all=1.0),
        files={},
    )
    return whole.model_copy(update=changes)
