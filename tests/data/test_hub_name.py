"""How `hub:` sources are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaikan.data.hub_name import HubName, parse_hub
from gaikan.errors import DataError


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hub:maker/one", HubName("maker/one")),
        ("hub:maker/one:test", HubName("maker/one", None, "test")),
        ("hub:maker/one@v1.0", HubName("maker/one", "v1.0")),
        ("hub:Ma_ker/o.n-e@refs/pr/1:a.b", HubName("Ma_ker/o.n-e", "refs/pr/1", "a.b")),
    ],
)
def test_a_source_is_split_into_its_parts(source: str, expected: HubName) -> None:
    assert parse_hub(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "hub:",
        "maker/one",
        "hub:one",
        "hub:maker/",
        "hub:/one",
        "hub:maker/one/two",
        "hub:maker/one@",
        "hub:maker/one:",
        "hub:maker/one:train@v1",
        "hub:maker/one@../../main",
        "hub:maker/one:train[:10]",
        "hub:maker/-one",
        "hub:maker/o--ne",
        "hub:maker/o..ne",
        "hub:maker/one.git",
        "hub:maker/" + "n" * 97,
        "hub: maker/one",
        "hub:maker/one\n",
    ],
)
def test_a_malformed_source_shows_the_grammar(source: str) -> None:
    with pytest.raises(DataError, match=r"write hub:owner/name\[@revision\]\[:split\]") as raised:
        parse_hub(source)
    assert len(str(raised.value).splitlines()) == 1


@given(st.text() | st.text("hub:ownr/am.-_@ v1\n", max_size=30).map("hub:o/n{}".format))
def test_any_text_is_a_hub_name_or_a_data_error(text: str) -> None:
    try:
        name = parse_hub(text)
    except DataError as error:
        message = str(error)
    else:
        message = "read"
        revision = f"@{name.revision}" if name.revision else ""
        split = f":{name.split}" if name.split else ""
        assert text == f"hub:{name.owner_name}{revision}{split}"
    assert len(message.splitlines()) == 1
