"""Differences of attributes: paths, sets, normalisation, what is unknown and what is long."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.attribute import AttributeDiff
from driftband.sources.terraform.difference import UNKNOWN, Difference, overlaid
from driftband.sources.terraform.documents import ProviderSchema
from driftband.sources.terraform.marks import HIDDEN, Hidden
from driftband.sources.terraform.sets import PLAIN, Form, Schemas

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)
objects = st.dictionaries(st.text(max_size=4), trees, max_size=5)


def changed(before: Any, after: Any, form: Form = PLAIN) -> dict[str, tuple[Any, Any]]:
    return {each.path: (each.before, each.after) for each in Difference(before, after, form).attributes}


def of_sets(*names: str) -> Form:
    return Form(inside=dict.fromkeys(names, Form(is_set=True)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, {"a": (1, 2)}),
        ({"a": 1}, {}, {"a": (1, None)}),
        ({"a": True}, {"a": 1}, {"a": (True, 1)}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, {"a.b.c": (1, 2)}),
        ({"tags": {"cost.center": "a"}}, {"tags": {"cost.center": "b"}}, {'tags["cost.center"]': ("a", "b")}),
        ({"tags": {'a"b': "a"}}, {"tags": {'a"b': "b"}}, {'tags["a\\"b"]': ("a", "b")}),
        ({"tags": {"1a": "a"}}, {"tags": {"1a": "b"}}, {'tags["1a"]': ("a", "b")}),
        ({"tags": None}, {"tags": {"team": "b"}}, {"tags.team": (None, "b")}),
        (
            {"ingress": [{"port": 80, "cidr": ["a"]}]},
            {"ingress": [{"port": 81, "cidr": ["b", "c"]}]},
            {"ingress[0].port": (80, 81), "ingress[0].cidr": (["a"], ["b", "c"])},
        ),
        ({"l": ["a", "b"]}, {"l": ["b", "a"]}, {"l": (["a", "b"], ["b", "a"])}),
        ({"l": [{"a": 1}]}, {"l": [{"a": 1}, {"a": 2}]}, {"l": ([{"a": 1}], [{"a": 1}, {"a": 2}])}),
        ({"l": [""]}, {"l": []}, {"l": ([""], [])}),
        ({"a": "1"}, {"a": "1.0"}, {"a": ("1", "1.0")}),
        ({"a": 0}, {"a": None}, {"a": (0, None)}),
        ({"a": False}, {"a": None}, {"a": (False, None)}),
        (None, {"a": 1, "b": None, "c": []}, {"a": (None, 1)}),
    ],
)
def test_what_differs_is_told_by_path(before: Any, after: Any, expected: dict[str, Any]) -> None:
    assert changed(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ""),
        (None, []),
        (None, {}),
        ("", []),
        (None, [[]]),
        (None, [{}]),
        ([], [None]),
        ({}, {"create": None, "delete": ""}),
        ('{"a": 1, "b": [2]}', '{"b":[2],"a":1}'),
        ('\n[{"a":1.0}]', '[ {"a": 1} ]'),
    ],
)
def test_what_is_only_written_differently_is_normalised(before: Any, after: Any) -> None:
    for one, other in ((before, after), (after, before)):
        difference = Difference({"x": one, "y": 1}, {"x": other, "y": 1})
        assert difference.attributes == []
        assert difference.normalised == ["x"]


@pytest.mark.parametrize(
    ("before", "after"), [('{"a":1}', '{"a":true}'), ('{"a":1}', '{"a":1'), ('{"a":null}', "{}"), ("{}", "[]")]
)
def test_texts_of_unequal_json_differ(before: str, after: str) -> None:
    assert changed({"x": before}, {"x": after}) == {"x": (before, after)}


def test_a_set_is_compared_as_a_set() -> None:
    form = of_sets("s")
    assert not changed({"s": ["a", "b"]}, {"s": ["b", "a"]}, form)
    assert not Difference({"s": ["a", "b"]}, {"s": ["b", "a"]}, form).normalised
    assert changed({"s": ["a", "b", "c"]}, {"s": ["d", "c", "b"]}, form) == {"s": (["a"], ["d"])}
    assert changed({"s": None}, {"s": ["a"]}, form) == {"s": ([], ["a"])}
    assert changed({"s": [True]}, {"s": [1]}, form) == {"s": ([True], [1])}


def test_a_set_of_objects_shows_whole_elements_and_normalises_them() -> None:
    form = of_sets("s")
    before = {"s": [{"port": 80, "note": None}, {"port": 443, "note": "tls"}]}
    assert changed(before, {"s": [{"port": 443, "note": "tls"}, {"port": 81, "note": None}]}, form) == {
        "s": ([{"port": 80, "note": None}], [{"port": 81, "note": None}])
    }
    difference = Difference(before, {"s": [{"port": 443, "note": "tls"}, {"port": 80, "note": ""}]}, form)
    assert (difference.attributes, difference.normalised) == ([], ["s"])


def test_sets_are_told_by_the_schema_of_a_provider() -> None:
    schema = """{
        "aws_thing": {"version": 1, "block": {
            "attributes": {
                "s": {"type": ["set", "string"]},
                "l": {"type": ["list", "string"]},
                "m": {"type": ["map", ["set", "string"]]},
                "o": {"type": ["list", ["object", {"s": ["set", "number"]}]]},
                "n": {"nested_type": {"nesting_mode": "list", "attributes": {"s": {"type": ["set", "string"]}}}},
                "k": {"nested_type": {"nesting_mode": "map", "attributes": {"s": {"type": ["set", "string"]}}}}
            },
            "block_types": {
                "b": {"nesting_mode": "set", "block": {"attributes": {"x": {"type": "string"}}}},
                "c": {"nesting_mode": "list", "block": {"attributes": {"s": {"type": ["set", "string"]}}}},
                "d": {"nesting_mode": "list", "block": {"attributes": {"l": {"type": ["list", "string"]}}}}
            }
        }},
        "unused": {"block": {"attributes": {"s": {"type": ["set", "string"]}}}}
    }"""
    schemas = Schemas({"p": ProviderSchema(resource_schemas=_raw(schema))})
    pair, turned = ["a", "b"], ["b", "a"]
    before = {"s": pair, "l": pair, "m": {"k": pair}, "o": [{"s": [1, 2]}], "n": [{"s": pair}], "k": {"z": {"s": pair}}}
    after = {"s": turned, "l": turned, "m": {"k": turned}, "o": [{"s": [2, 1]}], "n": [{"s": turned}]}
    after |= {"k": {"z": {"s": turned}}, "b": [{"x": "2"}, {"x": "1"}], "c": [{"s": turned}]}
    before |= {"b": [{"x": "1"}, {"x": "2"}], "c": [{"s": pair}]}
    assert changed(before, after, schemas.form("p", "aws_thing")) == {"l": (pair, turned)}
    # What is kept of the schemas tells the same.
    reduced = schemas.reduced()
    assert reduced["p"]["resource_schemas"].keys() == {"aws_thing"}
    assert reduced["p"]["resource_schemas"]["aws_thing"]["block"]["block_types"].keys() == {"b", "c"}
    again = Schemas({"p": ProviderSchema(resource_schemas=_raw(json.dumps(reduced["p"]["resource_schemas"])))})
    assert again.form("p", "aws_thing").attribute("c") == schemas.form("p", "aws_thing").attribute("c")
    assert changed(before, after, again.form("p", "aws_thing")) == {"l": (pair, turned)}
    assert again.reduced() == reduced


def _raw(text: str) -> Any:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])


def test_a_secret_says_only_that_it_changed() -> None:
    assert Difference({"p": HIDDEN}, {"p": Hidden(2)}).attributes == [AttributeDiff(path="p", sensitive=True)]
    assert Difference({"p": HIDDEN}, {"p": None}).attributes == [AttributeDiff(path="p", sensitive=True)]
    assert Difference({"p": [HIDDEN, 1]}, {"p": [HIDDEN]}).attributes == [AttributeDiff(path="p", sensitive=True)]
    assert Difference({"p": HIDDEN}, {"p": HIDDEN}).attributes == []
    assert Difference({"s": [HIDDEN, "a"]}, {"s": [Hidden(2), "a"]}, of_sets("s")).attributes == [
        AttributeDiff(path="s", sensitive=True)
    ]
    assert changed({"s": [HIDDEN, "a"]}, {"s": ["b", HIDDEN]}, of_sets("s")) == {"s": (["a"], ["b"])}


def test_what_is_known_after_the_apply_alone_has_no_value() -> None:
    after = overlaid({"a": 1, "l": [{"x": 1}], "t": {}}, {"id": True, "l": [{"y": True}], "t": {}, "o": {"p": True}})
    assert after == {"a": 1, "l": [{"x": 1, "y": UNKNOWN}], "t": {}, "id": UNKNOWN, "o": {"p": UNKNOWN}}
    assert changed({"a": 1, "id": "x", "l": [{"x": 1, "y": 2}]}, after) == {
        "id": ("x", None),
        "l[0].y": (2, None),
        "o.p": (None, None),
    }
    assert changed({"l": [1]}, overlaid({"l": [1]}, {"l": [False, True]})) == {"l": ([1], [1, None])}
    assert overlaid({"a": 1}, {"a": False, "b": False}) == {"a": 1}
    assert overlaid(None, True) is UNKNOWN


def test_long_values_are_told_by_their_size() -> None:
    long, short = "x" * 5000, "y" * 4000
    assert changed({"a": long, "b": short}, {"a": "z", "b": [long]}) == {
        "a": ("(a long value, 5,002 bytes)", "z"),
        "b": (short, "(a long value, 5,004 bytes)"),
    }
    assert changed({"a": "é" * 2100}, {"a": "\x00" * 900}) == {
        "a": ("(a long value, 4,202 bytes)", "(a long value, 5,402 bytes)")
    }


@given(objects)
def test_equal_values_do_not_differ(value: Any) -> None:
    difference = Difference(value, value)
    assert difference.attributes == []
    assert difference.normalised == []


@given(objects, objects)
def test_differences_are_the_same_in_both_directions(before: Any, after: Any) -> None:
    there, back = Difference(before, after), Difference(after, before)
    assert there.normalised == back.normalised
    assert [(each.path, each.before, each.after) for each in there.attributes] == [
        (each.path, each.after, each.before) for each in back.attributes
    ]


@given(st.lists(trees, max_size=5), st.randoms())
def test_the_order_in_a_set_tells_nothing(elements: list[Any], random: Any) -> None:
    turned = list(elements)
    random.shuffle(turned)
    assert not Difference({"s": elements}, {"s": turned}, of_sets("s")).attributes
