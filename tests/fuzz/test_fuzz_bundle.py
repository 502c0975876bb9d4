"""Bundles with something wrong in them: the archive, the card, the graph, the kept parts."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fuzzing import JSON_VALUES, altered, damaged, fuzz, json_text, valid_or_refused
from hypothesis import given
from hypothesis import strategies as st
from small_bundle import bundle, zipped

from gaikan.bundle import archive
from gaikan.bundle.bundle import Bundle
from gaikan.bundle.enrolment import enrol
from gaikan.bundle.image_batch import ImageBatch
from gaikan.bundle.stream import Tally, csv_text, json_line, predict

pytestmark = pytest.mark.timeout(3600)


@cache
def members() -> dict[str, bytes]:
    made = bundle()
    assert made.kept is not None
    return {
        archive.CARD: made.card.to_json(),
        archive.MODEL: made.model,
        archive.EMBEDDINGS: made.kept.embeddings.astype("<f4").tobytes(),
        archive.LABELS: made.kept.labels.astype("<u2").tobytes(),
    }


def use(path: Path) -> None:
    """Opens a bundle, and predicts and enrols with it."""
    model = Bundle.open(path)
    blank = np.zeros((2, *model.card.shape), model.card.dtype)
    batch = ImageBatch(["a", "b"], blank)
    for lines in predict(model, [batch], Tally()):
        assert len(csv_text(lines).encode()) > 0
        assert all(json.loads(json_line(line).encode()) for line in lines)
    enrol(model, "new", [batch]).bundle.save(path.with_name("new.gaikan"))


def read(folder: Path, what: str, content: bytes) -> None:
    path = folder / "odd.gaikan"
    path.write_bytes(content)
    valid_or_refused(f"bundle, {what}", lambda: use(path))


@fuzz(40)
@given(st.data())
def test_fuzz_a_damaged_bundle(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The weights are most of it and hardly matter: where the archive begins or ends, it does."""
    content = zipped(members())
    part = data.draw(st.sampled_from([slice(0, 3000), slice(-1500, None), slice(None)]))
    begin, end, _ = part.indices(len(content))
    harmed = data.draw(damaged(content[part]))
    read(tmp_path_factory.getbasetemp(), "archive", content[:begin] + harmed + content[end:])


@fuzz(60)
@given(st.data())
def test_fuzz_another_card(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    card = json.loads(members()[archive.CARD])
    odd = json_text(data.draw(altered(card, JSON_VALUES)))
    content = data.draw(st.just(odd) | damaged(members()[archive.CARD]))
    read(tmp_path_factory.getbasetemp(), "card", zipped({**members(), archive.CARD: content}))


@fuzz(30)
@given(st.data())
def test_fuzz_a_damaged_graph(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Where its nodes are, and its inputs and outputs: with the checksum that it then has."""
    model = members()[archive.MODEL]
    part = data.draw(st.sampled_from([slice(0, 4000), slice(-600, None)]))
    begin, end, _ = part.indices(len(model))
    content = model[:begin] + data.draw(damaged(model[part])) + model[end:]
    read(tmp_path_factory.getbasetemp(), "graph", zipped({**members(), archive.MODEL: content}))


@fuzz(20)
@given(st.data())
def test_fuzz_damaged_kept_parts(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([archive.EMBEDDINGS, archive.LABELS, "SHA256SUMS"]))
    if name == "SHA256SUMS":
        sums = zipped(members())
        content = zipped(members(), data.draw(damaged(sums[-2000:-1500])))
    else:
        content = zipped({**members(), name: data.draw(damaged(members()[name]))})
    read(tmp_path_factory.getbasetemp(), "kept parts", content)
