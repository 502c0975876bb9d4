"""The content-addressed store: what is kept comes back whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaikan.system.files import sweep
from gaikan.system.store import Store, Tensors, key_of, pack, unpack

KEY = key_of("an entry")


def small_entry() -> bytes:
    return pack({"embeddings": np.arange(3, dtype=np.float32)}, {"seed": 0})


def stored(folder: Path) -> tuple[Store, Path]:
    """A store with one small entry, and the entry's file."""
    store = Store(folder)
    store.save(KEY, small_entry())
    (path,) = folder.iterdir()
    return store, path


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.bool_])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3, 4)])
def test_arrays_come_back_as_they_were(dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    back = unpack(pack({"anchors": array}, {}))[0]["anchors"]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert (back == array).all()


def test_a_transposed_view_comes_back_as_it_was() -> None:
    view = np.arange(12, dtype=np.float32).reshape(3, 4).T[::2]
    assert (unpack(pack({"view": view}, {}))[0]["view"] == view).all()


def test_every_array_keeps_its_name() -> None:
    arrays: Tensors = {name: np.full(2, i) for i, name in enumerate(("test", "head.bias", "検査"))}
    back, _ = unpack(pack(arrays, {}))
    assert {name: array.tolist() for name, array in back.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }


@pytest.mark.parametrize(
    "description", [{}, None, [1, "two"], {"classes": ["正常", "spur"], "losses": [0.1, 1e-30]}]
)
def test_the_description_comes_back_as_it_was(description: Any) -> None:
    assert unpack(pack({"x": np.zeros(1)}, description))[1] == description


def test_the_same_arrays_make_the_same_bytes() -> None:
    assert small_entry() == small_entry()


def test_an_entry_comes_back_byte_for_byte(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    assert store.load(KEY) == small_entry()
    assert not store.damaged


def test_a_key_without_entry_gives_none_and_no_damage(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    assert store.load(key_of("another")) is None
    assert not store.damaged


def test_a_flipped_byte_in_any_place_is_noticed(tmp_path: Path) -> None:
    store, path = stored(tmp_path)
    content = small_entry()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert store.load(KEY) is None, f"byte {place}"
    assert store.damaged == [KEY] * len(content)


def test_a_lengthened_entry_is_noticed(tmp_path: Path) -> None:
    store, path = stored(tmp_path)
    path.write_bytes(small_entry() + b"\0")
    assert store.load(KEY) is None


def test_a_damaged_entry_is_removed_and_can_be_made_anew(tmp_path: Path) -> None:
    store, path = stored(tmp_path)
    path.write_bytes(b"damaged")
    store.load(KEY)
    assert not path.exists()
    store.save(KEY, small_entry())
    assert store.load(KEY) == small_entry()


def test_another_entry_in_its_place_is_noticed(tmp_path: Path) -> None:
    store, path = stored(tmp_path)
    path.write_bytes(pack({"embeddings": np.ones(3, np.float32)}, {"seed": 1}))
    assert store.load(KEY) is None


def test_a_whole_entry_beside_a_damaged_one_of_its_key_is_found(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    (tmp_path / f"{KEY}.{'0' * 64}.safetensors").write_bytes(b"damaged")
    assert store.load(KEY) == small_entry()


def test_half_written_files_are_no_entries_and_are_swept(tmp_path: Path) -> None:
    store, path = stored(tmp_path)
    half = tmp_path / f".{path.name}.4711.tmp"
    path.rename(half)
    assert store.load(KEY) is None
    assert not store.damaged
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_sweeping_keeps_the_entries(tmp_path: Path) -> None:
    store, _ = stored(tmp_path)
    sweep(tmp_path)
    assert store.load(KEY) == small_entry()


def test_saving_leaves_the_entry_and_nothing_else(tmp_path: Path) -> None:
    store, path = stored(tmp_path)
    store.save(KEY, small_entry())
    assert list(tmp_path.iterdir()) == [path]


def test_the_order_of_a_description_does_not_count() -> None:
    one = {"arch": "mlp", "train": {"epochs": 1, "batch_size": 8}}
    other = {"train": {"batch_size": 8, "epochs": 1}, "arch": "mlp"}
    assert key_of(one) == key_of(other)


def test_different_descriptions_have_different_keys() -> None:
    descriptions: list[Any] = [
        {"seed": 0},
        {"seed": 1},
        {"seed": "0"},
        {"seed": 0.5},
        {"seed": [0]},
        {"seed": None},
        {"speed": 0},
        {"seed": 0, "arch": "mlp"},
        {"seed": {"arch": "mlp"}},
        ["vanilla", "triplet"],
        ["triplet", "vanilla"],
        ["vanillatriplet"],
    ]
    assert len({key_of(description) for description in descriptions}) == len(descriptions)
