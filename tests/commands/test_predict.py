"""`gaikan predict` and `enrol` read what training reads, and say what they leave out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from runner import gaikan
from small_bundle import bundle, card, images
from small_parts import write_files

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.images import count, read_batches
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(120)


def table(path: Path, values: np.ndarray, **options: object) -> Path:
    flat = values.reshape(len(values), -1)
    frame = pd.DataFrame(flat, columns=[f"data{i}" for i in range(flat.shape[1])])
    frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]
    return path


@pytest.mark.parametrize("options", [{}, {"sep": ";"}, {"encoding": "utf-16"}])
def test_a_csv_table_of_pixels_is_read(tmp_path: Path, options: dict[str, str]) -> None:
    some = images(9)
    path = table(tmp_path / "parts.csv", some, **options)
    batches = list(read_batches([path], card(), 4))
    assert [batch.names[0] for batch in batches] == [f"{path}:{i}" for i in (0, 4, 8)]
    assert (np.concatenate([batch.images for batch in batches]) == some).all()
    assert count([path]) == 9


def test_a_csv_table_of_fractions_is_refused_by_a_model_of_bytes(tmp_path: Path) -> None:
    path = table(tmp_path / "parts.csv", images(3) + 0.5)
    with pytest.raises(DataError, match=r"column 'data0', row 0: .* is not a whole number"):
        list(read_batches([path], card(), 4))
    (batch,) = read_batches([path], bundle(dtype=torch.float32).card, 4)
    assert (batch.images == images(3) + np.float32(0.5)).all()


def test_what_a_folder_holds_beside_images_is_said_at_the_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    lot = tmp_path / "lot"
    write_files(lot / "inner", images(5))
    (lot / "notes.txt").touch()
    (lot / "gone.png").symlink_to("nowhere.png")
    (lot / "again.png").symlink_to("inner/000.png")
    Image.fromarray(images(1)[0, 0]).save(lot / "a.webp", lossless=True)
    assert gaikan("predict", tmp_path / "m.gaikan", lot) == 0
    out, err = capfd.readouterr()
    assert out.count("\n") == 1 + 6
    for words in ("1 file is no image", "1 link leads nowhere", "1 link leads to what is read"):
        assert words in err


def test_a_class_is_enrolled_from_a_table_of_paths(tmp_path: Path) -> None:
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "lot", images(4, 9))
    (tmp_path / "burrs.csv").write_text("path\n" + "".join(f"lot/{f.name}\n" for f in files))
    for name, given in (("a", tmp_path / "burrs.csv"), ("b", tmp_path / "lot")):
        out = tmp_path / f"{name}.gaikan"
        options = ("--class", "burr", "-o", out)
        assert gaikan("enrol", tmp_path / "m.gaikan", given, *options) == 0
    assert Bundle.open(tmp_path / "a.gaikan").model == Bundle.open(tmp_path / "b.gaikan").model


def test_a_csv_without_paths_or_pixels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("name,kind\na,b\n")
    with pytest.raises(DataError, match=r"x\.csv: no pixel columns"):
        list(read_batches([tmp_path / "x.csv"], card(), 4))


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("data0,data0,label\n1,2,a\n")
    with pytest.raises(DataError, match=r"x\.csv: column 'data0' occurs more than once"):
        list(read_batches([tmp_path / "x.csv"], card(), 4))


def test_a_name_on_the_hub_is_checked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'hub:x' does not name a data set on the hub"):
        list(read_batches([Path("hub:x")], card(), 4))
