"""Rendered terminals that are kept in a run's store."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from gaikan.data.kept import KeptSources
from gaikan.data.sources import read_source
from gaikan.system.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that has the test part, as a run leaves it."""
    sources = KeptSources(Store(tmp_path / "out/store"))
    sources.read("terminals", "test")
    assert not (tmp_path / "out").exists(), "reading writes nothing: the run may yet be refused"
    for key, content in sources.rendered.items():
        sources.store.save(key, content)
    return sources.store


@pytest.mark.parametrize("size", [None, (36, 39)])
def test_what_comes_back_is_what_was_rendered(store: Store, size: tuple[int, int] | None) -> None:
    sources = KeptSources(store)
    kept, rendered = sources.read("terminals", "test", size), read_source("terminals", "test")
    assert not sources.rendered
    for field in fields(rendered):
        assert np.array_equal(getattr(kept, field.name), getattr(rendered, field.name))
    assert kept.fingerprint == rendered.fingerprint


def test_the_other_part_is_not_taken_for_it(store: Store) -> None:
    sources = KeptSources(store)
    assert len(sources.read("terminals", "train")) == 3000
    assert len(sources.rendered) == 1


def test_a_flipped_byte_is_noticed_and_the_part_rendered_again(store: Store) -> None:
    (path,) = store.folder.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    sources = KeptSources(Store(store.folder))
    assert sources.read("terminals", "test").fingerprint == (
        read_source("terminals", "test").fingerprint
    )
    assert list(sources.rendered) == sources.store.damaged


def test_another_size_is_made_from_the_rendered_images(store: Store) -> None:
    assert KeptSources(store).read("terminals", "test", (20, 20)).shape == (1, 20, 20)
