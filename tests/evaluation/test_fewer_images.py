"""Cells of a learning curve: fewer images, as many steps."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_cell import cell

from gaikan.data.frames import Frames
from gaikan.evaluation.fewer_images import SHARES, smaller_cells


def test_fewer_images_are_learned_from_in_as_many_steps() -> None:
    labels = np.arange(160) % 2
    names = ("ok", "open")
    train = Frames("parts", np.zeros((160, 1, 8, 8), np.uint8), labels, names, names, labels)
    one = cell("mlp-vanilla")
    recipe = replace(one.recipe, train=one.recipe.train.model_copy(update={"epochs": 6}))
    whole = replace(
        one, recipe=recipe, fit_rows=np.arange(128), validation_rows=np.arange(128, 160)
    )
    smaller = smaller_cells([whole], train)
    assert [len(each.fit_rows) for each in smaller] == [128 * share for share in SHARES]
    for each in smaller:
        assert set(each.fit_rows) < set(whole.fit_rows)
        assert each.validation_rows is whole.validation_rows
        unchanged = each.recipe.train.model_copy(update={"epochs": 6})
        assert replace(each.recipe, train=unchanged) == recipe


@pytest.mark.parametrize("images", [40, 60, 100, 130, 200, 400, 1800])
def test_a_last_batch_that_is_not_full_is_a_step_too(images: int) -> None:
    labels = np.arange(images) % 2
    names = ("ok", "open")
    train = Frames("parts", np.zeros((images, 1, 2, 2), np.uint8), labels, names, names, labels)
    one = cell("mlp-vanilla")
    settings = one.recipe.train.model_copy(update={"epochs": 24, "batch_size": 64})
    recipe = replace(one.recipe, train=settings)
    rows = np.arange(images)
    whole = replace(one, recipe=recipe, fit_rows=rows, validation_rows=rows)
    for each in smaller_cells([whole], train):
        batches = -(-len(each.fit_rows) // 64)
        steps = each.recipe.train.epochs * batches
        assert abs(steps - 24 * -(-images // 64)) <= batches / 2
