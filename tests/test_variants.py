"""Names of variants: which are legal, which are one's own, and where they are read back."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaikan.anchors import ANCHORS
from gaikan.config.model import Config
from gaikan.errors import ConfigError
from gaikan.grid.cells import axes
from gaikan.networks import NETWORKS
from gaikan.run_folder.run_variants import read_variants
from gaikan.styles import STYLES
from gaikan.variants import Variant, check_names

_names = st.lists(st.from_regex(r"\A[ab](-[ab]){0,2}\Z"), min_size=1, max_size=3, unique=True)


def test_a_name_is_made_of_its_parts() -> None:
    assert Variant("a-b", "c_d", "e-f").name == "a-b-c_d-e-f"
    assert Variant("a-b", "c_d", "e-f").network == "a-b-c_d"
    assert Variant.reference("knn").name == "reference-knn"
    kinds = [Variant("a", "b", "c"), Variant("a", "b", "head"), Variant.reference("knn")]
    assert [each.kind for each in kinds] == ["anchor", "head", "reference"]


def test_the_registered_names_are_good() -> None:
    check_names(NETWORKS, STYLES, ANCHORS)


@pytest.mark.parametrize("name", ["", "a b", "-a", "_a", "a.b", "a/b", "..", "é", "a\n", "外観"])
def test_a_name_that_is_no_part_of_a_file_name_is_refused(name: str) -> None:
    for place in range(3):
        names = [["a"], ["b"], ["c"]]
        names[place] = [name]
        with pytest.raises(ConfigError, match="a name is letters A to Z") as caught:
            check_names(*names)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "names", [(["reference"], ["b"], ["c"]), (["a"], ["b"], ["head"]), (["a"], ["b"], ["none"])]
)
def test_names_with_a_meaning_are_refused(names: tuple[list[str], ...]) -> None:
    with pytest.raises(ConfigError, match="this name has a meaning already; rename it"):
        check_names(*names)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((["a-b", "a"], ["c", "b-c"], ["d"]), "a-b + c + d and a + b-c + d"),
        ((["a"], ["b", "b-c"], ["d", "c-d"]), "a + b + c-d and a + b-c + d"),
        ((["a"], ["b", "b-c"], ["c-head"]), "a + b + c-head and a + b-c + head"),
        ((["a", "A"], ["b"], ["c"]), "a + b + c and A + b + c"),
    ],
)
def test_two_variants_of_one_name_are_refused(
    names: tuple[list[str], list[str], list[str]], words: str
) -> None:
    with pytest.raises(ConfigError, match=r"both are called '[\w-]+'; rename") as caught:
        check_names(*names)
    assert str(caught.value).startswith(words)


@given(_names, _names, _names)
def test_names_that_are_let_through_are_told_apart(
    archs: list[str], styles: list[str], anchors: list[str]
) -> None:
    parts = itertools.product(archs, styles, [*anchors, "head"])
    names = [Variant(*each).name for each in parts]
    try:
        check_names(archs, styles, anchors)
    except ConfigError:
        assert len(set(names)) < len(names)
    else:
        assert len(set(names)) == len(names)


def test_a_run_is_refused_where_a_registered_name_is_ambiguous(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(NETWORKS, "mlp-vanilla", NETWORKS["mlp"])
    monkeypatch.setitem(STYLES, "vanilla-vanilla", STYLES["vanilla"])
    with pytest.raises(ConfigError, match="both are called 'mlp-vanilla-vanilla-mean_image'"):
        axes(Config())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "not there"),
        ("", "column 'variant' is missing"),
        ("variant,arch,style\na,b,c\n", "column 'anchor' is missing"),
        ("variant,arch,style,anchor\n", "no row in it"),
        ("variant,arch,style,anchor\na-b-c,a,b\n", "variant 'a-b-c' is not what"),
        ("variant,arch,style,anchor\na-b-c,a,b,d\n", "variant 'a-b-c' is not what"),
        ("variant,arch,style,anchor\n\xff", "cannot be read"),
    ],
)
def test_an_odd_table_of_variants_is_refused_in_one_line(
    text: str | None, words: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "accuracy.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"accuracy\.csv: .*run `gaikan bench`") as caught:
        read_variants(tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
