"""`learning_curve.csv`, read back."""

from pathlib import Path

import pytest

from gaikan.errors import ConfigError
from gaikan.run_folder.curve_file import CURVE, read_curve, write_curve

HEADER = "variant,seed,images,lots,mode,parts,wrong"
GOOD = [f"mlp-{style}-head,0,{n},,{mode},20,{w}" for style in ("a", "b") for n, w in
        ((10, 9), (20, 5), (40, 2)) for mode in ("", "NA")]  # fmt: skip


def written(out: Path, rows: list[str], header: str = HEADER) -> Path:
    (out / CURVE).write_text("\n".join([header, *rows]) + "\n")
    return out


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    counts = read_curve(written(tmp_path, GOOD))
    assert counts is not None
    assert counts.modes == ["NA"]
    write_curve(tmp_path, counts)
    again = read_curve(tmp_path)
    assert again is not None
    for variant, sizes in counts.sizes().items():
        assert sizes.wrong.tolist() == [[9, 5, 2]] == again.sizes()[variant].wrong.tolist()


def test_a_run_without_one_has_none(tmp_path: Path) -> None:
    assert read_curve(tmp_path) is None


def test_a_seed_that_lacks_a_size_is_left_out(tmp_path: Path) -> None:
    counts = read_curve(written(tmp_path, [*GOOD, "mlp-a-head,1,10,,,20,8"]))
    assert counts is not None
    assert counts.sizes()["mlp-a-head"].wrong.tolist() == [[9, 5, 2]]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([], "no row"),
        (["mlp-a-head,0,10,,,20,21"], "more parts are wrong"),
        (["mlp-a-head,0,0,,,20,2"], "'images' holds what is no count"),
        (["mlp-a-head,0,10,,,20,"], "'wrong' holds what is no count"),
        (["mlp-a-head,0,10,,,20,-1"], "'wrong' holds what is no count"),
        (["mlp-a-head,0,10,,,0,0"], "'parts' holds what is no count"),
        (["mlp-a-head,0,ten,,,20,2"], "'images' holds what is no number"),
        (["mlp-a-head,0,10,,,20,2"] * 2, "twice"),
    ],
)
def test_what_is_no_such_table_is_named(tmp_path: Path, rows: list[str], what: str) -> None:
    with pytest.raises(ConfigError, match=rf"learning_curve.csv: .*{what}"):
        read_curve(written(tmp_path, rows))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="column 'wrong' is missing"):
        read_curve(written(tmp_path, ["mlp-a-head,0,10,,,20"], HEADER.removesuffix(",wrong")))
