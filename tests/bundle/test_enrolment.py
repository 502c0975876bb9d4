"""Classes that are added to a bundle, against torch."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from runner import gaikan
from small_bundle import CLASSES, anchors, bundle, embedded, images
from small_parts import write_files

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.decision import ASK
from gaikan.bundle.enrolment import enrol
from gaikan.bundle.graph import anchors_of
from gaikan.bundle.image_batch import ImageBatch
from gaikan.bundle.images import read_batches


def batch(some: NDArray[np.uint8]) -> list[ImageBatch]:
    return [ImageBatch([str(i) for i in range(len(some))], some)]


@pytest.mark.parametrize("name", ["burr", "open"])
@pytest.mark.parametrize("threshold", [None, 0.05])
def test_an_enrolled_anchor_is_the_mean_and_changes_are_counted(
    name: str, threshold: float | None
) -> None:
    made, some = bundle(threshold=threshold), images(4, 9)
    found = enrol(made, name, batch(some))
    mean = embedded(some).astype(np.float64).mean(0)
    old = anchors().astype(np.float64)
    new = np.vstack([old, mean]) if name == "burr" else np.vstack([old[:2], mean])
    got = anchors_of(found.bundle.model)
    np.testing.assert_allclose(got, new, rtol=1e-4, atol=1e-6)
    assert found.bundle.card.classes == (CLASSES if name == "open" else (*CLASSES, name))
    assert found.replaced == (name == "open")
    for other, distance in found.distances.items():
        place = found.bundle.card.classes.index(other)
        assert distance == pytest.approx(np.linalg.norm(new[place] - mean), rel=1e-4)
    assert set(found.distances) == set(found.bundle.card.classes) - {name}
    # The kept parts are those images: the bundles themselves say who changes.
    parts = images(30, 2)
    before, after = made(parts).predicted, found.bundle(parts).predicted
    assert made.kept is not None
    assert found.changed == sum(a != b for a, b in zip(before, after, strict=True)) > 0
    lost = [int(y) for a, b, y in zip(before, after, made.kept.labels, strict=True) if a == y != b]
    assert found.lost == {CLASSES[y]: lost.count(y) for y in sorted(set(lost))}


def test_a_mean_image_is_not_rounded() -> None:
    some = images(4, 9)
    found = enrol(bundle("mean_image"), "burr", batch(some))
    expected = embedded(some.astype(np.float64).mean(0, keepdims=True).astype(np.float32))[0]
    np.testing.assert_allclose(anchors_of(found.bundle.model)[3], expected, rtol=1e-4, atol=1e-6)


def test_the_order_and_the_batches_of_the_images_do_not_matter() -> None:
    some = images(6, 9)
    split = [ImageBatch([], some[4:]), ImageBatch([], some[:4])]
    a, b = (enrol(bundle(), "burr", batches) for batches in (batch(some), split))
    np.testing.assert_allclose(anchors_of(a.bundle.model), anchors_of(b.bundle.model), atol=1e-6)


def test_a_bundle_is_enrolled_again_and_again(tmp_path: Path) -> None:
    current = bundle()
    for i, name in enumerate(("burr", "bent", "刻印")):
        current = enrol(current, name, batch(images(2, 20 + i))).bundle
    current.save(tmp_path / "m.gaikan")
    back = Bundle.open(tmp_path / "m.gaikan")
    assert back.card.classes == (*CLASSES, "burr", "bent", "刻印")
    assert [note["class"] for note in back.card.enrolled] == ["burr", "bent", "刻印"]
    some = images(1, 22)
    np.testing.assert_array_equal(back(some).distances, current(some).distances)


def test_enrolling_on_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "new", images(3, 9))
    out = tmp_path / "n.gaikan"
    assert gaikan("enrol", tmp_path / "m.gaikan", *files, "--class", "burr", "-o", out) == 0
    stdout = capfd.readouterr().out
    assert "'burr' added from 3 images" in stdout
    assert "of 30 kept validation parts change class" in stdout
    assert len(Bundle.open(out).card.classes) == 4
    assert "so few images may put the anchor far off: 5 or more are better" in stdout
    assert "means good" not in stdout
    assert "its anchor is that of" not in stdout
    asked = ("--class", "dent", "-o", tmp_path / "d.gaikan")
    assert gaikan("enrol", out, *files, *asked) == 0
    assert "its anchor is that of 'burr', and one of the two is never called" in (
        " ".join(capfd.readouterr().out.split())
    )


def test_a_new_anchor_of_the_good_class_is_warned_of(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    files = write_files(tmp_path / "new", images(5, 9))
    out = tmp_path / "n.gaikan"
    assert gaikan("enrol", tmp_path / "m.gaikan", *files, "--class", "ok", "-o", out) == 0
    stdout = capfd.readouterr().out
    assert "this class means good: other parts escape now, and nothing is promised" in stdout
    assert "so few images" not in stdout


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    (file,) = write_files(tmp_path / "lot", images(1))
    out = tmp_path / "n.gaikan"
    out.write_bytes(b"mine")
    command = ("enrol", tmp_path / "m.gaikan", file, "--class", "burr", "-o", out)
    assert gaikan(*command) == 2
    assert capfd.readouterr().err.splitlines() == [
        f"gaikan: --out {out}: is there already; name another file, or say --replace"
    ]
    assert out.read_bytes() == b"mine"
    assert gaikan(*command, "--replace") == 0
    assert "burr" in Bundle.open(out).card.classes


def test_a_composed_and_a_decomposed_name_are_one_class() -> None:
    some = batch(images(2, 9))
    decomposed = unicodedata.normalize("NFD", "バリ")
    first = enrol(bundle(), decomposed, some)
    assert first.bundle.card.classes == (*CLASSES, "バリ")
    assert enrol(first.bundle, decomposed, some).replaced
    assert enrol(first.bundle, "バリ", some).replaced


@pytest.mark.parametrize(("name", "is_told"), [("SPUR", True), ("spur ", True), ("spurs", False)])
def test_a_new_class_that_looks_like_another_is_told(
    tmp_path: Path, name: str, is_told: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle().save(tmp_path / "m.gaikan")
    (file,) = write_files(tmp_path / "lot", images(1))
    options = ("--class", name, "-o", tmp_path / "n.gaikan")
    assert gaikan("enrol", tmp_path / "m.gaikan", file, *options) == 0
    told = f"'spur' and {name!r} differ in case, width or spaces only"
    assert (told in capfd.readouterr().out) == is_told


def test_images_that_are_brought_to_the_model_are_counted(tmp_path: Path) -> None:
    write_files(tmp_path, images(3, 0, (1, 16, 16)))
    found = enrol(bundle(), "n", read_batches([tmp_path], bundle().card, 2))
    assert found.changes == {"resized to what the model takes": 3}


def test_an_enrolled_class_changes_nothing_about_what_looks_new() -> None:
    """Novelty is of what the network was trained on, not of its anchors."""
    before, some = bundle(ask_level=0.5), images(400, 5)
    batch = ImageBatch([f"{i}.png" for i in range(3)], images(3, 9))
    for name in ("burr", "ok"):
        after = enrol(before, name, [batch]).bundle
        np.testing.assert_array_equal(after(some).novelty_p, before(some).novelty_p)
        asked = (after(some).predicted == 0) & (before(some).novelty_p <= 0.5)
        assert asked.any()
        np.testing.assert_array_equal(after(some).verdict == ASK, asked)
