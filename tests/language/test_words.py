"""What gaikan says, in two languages."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import gaikan
from gaikan import language
from gaikan.config import stages
from gaikan.language.words import Words, joined, packed, plain, say, strings, unpacked

TABLES = sorted(Path(language.__file__).parent.glob("*.toml"))
NOT_JAPANESE = {"space"}  # nothing stands between Japanese sentences
OWN_FIELDS = {"either"}  # what has no words, such as the address of a picture


def test_every_string_has_both_languages_and_the_same_fields() -> None:
    for key, texts in strings().items():
        assert len(texts) == 2, key
        assert all(texts) or key in NOT_JAPANESE, key
        english, japanese = (_fields(text) for text in texts)
        assert english == japanese or key in OWN_FIELDS, key


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_a_sentence_ends_in_its_languages_full_stop() -> None:
    for key, (english, japanese) in strings().items():
        assert english.endswith(".") == japanese.endswith("。"), key


def test_no_two_tables_have_a_key_in_common() -> None:
    keys = [key for table in TABLES for key in tomllib.loads(table.read_text(encoding="utf-8"))]
    assert len(keys) == len({*keys}) == len(strings())


def literal_calls() -> Iterator[tuple[list[str], set[str | None]]]:
    """Of each `say("key", ...)`: its keys (of `x if y else z` two), and what it fills in."""
    for node in code():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "_said"):
            first = node.args[0]
            each = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            keys = [str(key.value) for key in each if isinstance(key, ast.Constant)]
            if keys:
                yield keys, {keyword.arg for keyword in node.keywords}  # None: **values


@cache
def code() -> list[ast.AST]:
    paths = Path(gaikan.__file__).parent.rglob("*.py")
    return [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]


def test_every_text_that_the_code_names_is_there() -> None:
    named = [key for keys, _ in literal_calls() for key in keys]
    assert len(named) > 300
    assert {*named} - {*strings()} == set()


def test_every_call_fills_in_what_its_text_wants_and_nothing_else() -> None:
    for keys, filled in literal_calls():
        wanted = {field for key in keys for text in strings()[key] for field in _fields(text)}
        assert filled - {None} <= wanted, keys
        assert None in filled or filled == wanted, keys


def test_every_text_is_used() -> None:
    """By its name in code or template, or by one that is put together of words in the code."""
    names = {getattr(node, kind, None) for node in code() for kind in ("id", "attr", "arg", "name")}
    words = names | {node.value for node in code() if isinstance(node, ast.Constant)}
    templates = Path(gaikan.__file__).parent.rglob("*.jinja")
    used = {key for path in templates for key in re.findall(r'say\("(\w+)"', path.read_text())}
    patterns = [_pattern(node) for node in code() if isinstance(node, ast.JoinedStr)]
    for key in strings().keys() - used - words:
        found = [match.groups() for each in patterns if (match := each.fullmatch(key))]
        assert any(words.issuperset(groups) for groups in found), key


def _pattern(node: ast.JoinedStr) -> re.Pattern[str]:
    """What such an f-string gives; that which is all hole gives nothing."""
    texts = [getattr(part, "value", "") for part in node.values]
    holes = [isinstance(part, ast.FormattedValue) for part in node.values]
    if all(holes):
        return re.compile("(?!)")
    pairs = zip(texts, holes, strict=True)
    return re.compile("".join("(.+)" if hole else re.escape(text) for text, hole in pairs))


def test_every_constraint_and_objective_of_a_stage_has_a_name() -> None:
    names = {*stages.TIMING, *stages.QUALITY, *stages.NAMES, "recall", "cost"}
    assert {key.removeprefix("k_") for key in strings() if key.startswith("k_")} == names
    objectives = {key.removeprefix("o_") for key in strings() if key.startswith("o_")}
    assert objectives == set(get_args(stages.Objective))


def test_words_are_filled_in_by_language() -> None:
    said = say("and_more", names=say("unknown"), n=3)
    assert (said.en, said.ja) == ("unknown and 3 more", "不明 ほか 3")


def test_several_texts_make_a_list_and_sentences_a_row() -> None:
    three = say("listed", texts=("a", say("unknown"), "c"))
    assert (three.en, three.ja) == ("a, unknown and c", "a、不明、c")
    assert [say("listed", texts=texts).en for texts in ((), ("a",))] == ["", "a"]
    row = joined([say("sentence", text="a"), say("sentence", text="b")])
    assert (row.en, row.ja) == ("a. b.", "a。b。")


@pytest.mark.parametrize(
    ("key", "values", "what"),
    [
        ("no_such_text", {}, "no text 'no_such_text'"),
        ("and_more", {"n": 3}, "text 'and_more' wants other values"),
        (
            "fingerprint_of",
            dict.fromkeys(("part", "source", "images", "fingerprint"), "x"),
            "wants",
        ),
    ],
)
def test_words_that_cannot_be_said_are_refused(key: str, values: dict[str, str], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Words(key, dict(values))


FILLED = st.recursive(
    st.builds(plain, st.text()),
    lambda inner: st.one_of(
        st.builds(lambda a, n: say("and_more", names=a, n=n), inner, st.integers()),
        st.builds(lambda a: say("listed", texts=tuple(a)), st.lists(inner, max_size=3)),
    ),
    max_leaves=6,
)


@given(FILLED)
def test_words_come_back_from_a_cell(words: Words) -> None:
    back = unpacked(packed(words))
    assert (back.en, back.ja) == (words.en, words.ja)


NO_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner | st.dictionaries(st.text(), inner)),
    max_leaves=4,
)


@given(
    st.text()
    | st.builds(lambda text: '{"key": "and_more", "values": ' + text, st.text())
    | st.builds(
        lambda key, values: json.dumps({"key": key, "values": values}),
        st.sampled_from(sorted(strings())) | NO_VALUES,
        NO_VALUES,
    )
)
@example('{"key":"no_cuda","values":[]}')
@example('{"key":"c_target","values":{"target":1' + 400 * "0" + "}}")  # no float is so large
def test_a_cell_that_nobody_packed_says_what_stands_in_it(cell: str) -> None:
    assert unpacked(cell).en == cell
