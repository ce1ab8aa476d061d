"""What is wanted against what is there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.grafana.installation import Held, Piece, Step, differences, to_install, to_remove

LEAVES = st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from(["", "a"])
JSON = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2)
SECRET = "hunter22"
FOLDER = Piece(kind="folder", uid="driftband", content={"title": "driftband"})
SOURCE = Piece(kind="data source", uid="driftband", content={"url": "http://a"}, secrets={"secureJsonData.x": SECRET})
RULES = Piece(kind="rule group", uid="drift", content={"rules": {"one": {"for": "5m"}}})
WANTED = [RULES, SOURCE, FOLDER]


def there(piece: Piece, **more: Any) -> Held:
    return Held(kind=piece.kind, uid=piece.uid, **{"content": piece.content, **more})


def actions(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.action, step.kind) for step in steps]


def test_what_is_missing_is_made_in_the_order_of_what_stands_on_what() -> None:
    steps = to_install(WANTED, [])
    assert actions(steps) == [("create", "folder"), ("create", "data source"), ("create", "rule group")]


def test_what_is_there_is_kept() -> None:
    steps = to_install(WANTED, [there(piece) for piece in WANTED])
    assert {step.action for step in steps} == {"keep"}
    assert not any(step.changes or step.lines for step in steps)


def test_what_differs_is_shown_and_a_secret_is_not() -> None:
    held = [there(SOURCE, content={"url": "http://b", "id": 7, "secureJsonData": {"x": ""}})]
    (_, step, _) = to_install(WANTED, held)
    assert (step.action, step.lines) == ("change", ('url: "http://b" -> "http://a"',))
    assert SECRET not in repr(SOURCE)


def test_secrets_are_written_again_where_that_is_asked_for() -> None:
    steps = to_install(WANTED, [there(piece) for piece in WANTED], renew_secrets=True)
    assert [step.uid for step in steps if step.changes] == ["driftband"]
    assert SECRET not in repr(steps)


def test_what_is_not_ours_is_refused() -> None:
    (_, step, _) = to_install(WANTED, [there(SOURCE, not_ours="a person's")])
    assert (step.action, step.lines, step.changes) == ("refuse", ("a person's",), False)


def test_what_an_earlier_version_made_goes_first_and_what_others_made_stays() -> None:
    old = Held(kind="dashboard", uid="driftband-old", content={})
    others = Held(kind="dashboard", uid="driftband-mine", content={}, not_ours="a person's")
    steps = to_install(WANTED, [old, others])
    assert (steps[0].action, steps[0].uid) == ("remove", "driftband-old")
    assert "driftband-mine" not in [step.uid for step in steps]


def test_removing_goes_the_other_way_and_leaves_what_is_not_ours() -> None:
    held = [there(FOLDER, has_others="1 dashboard"), there(SOURCE, not_ours="a person's"), there(RULES)]
    steps = to_remove(held)
    assert actions(steps) == [("remove", "rule group"), ("leave", "data source"), ("leave", "folder")]
    assert [step.lines for step in steps] == [(), ("a person's",), ("1 dashboard",)]


@pytest.mark.parametrize(
    ("held", "wanted", "said"),
    [
        ({"a": 1, "more": 2}, {"a": 1}, []),
        ({"labels": {"a": "x", "b": "y"}}, {"labels": {"a": "x"}}, ['labels.b: "y" -> (gone)']),
        ({"rules": {"old": {}}}, {"rules": {"new": {"x": 1}}}, ['rules.new: (none) -> {"x": 1}', "rules.old: {} -> (gone)"]),
        ({}, {"empty": [], "no": False, "nothing": None}, []),
        ({}, {"a": 0}, ["a: (none) -> 0"]),
        ({"a": True}, {"a": 1}, ["a: true -> 1"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a: [1, 2] -> [1]"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ["a[0].b: 1 -> 2"]),
    ],
    ids=["added by Grafana", "label gone", "rule renamed", "left out", "zero", "truth", "shorter", "within"],
)  # fmt: skip
def test_differences_are_named(held: Any, wanted: Any, said: list[str]) -> None:
    assert sorted(differences(held, wanted)) == said


@given(JSON)
def test_the_same_does_not_differ(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(LEAVES, LEAVES)
def test_what_is_told_apart_is_told(one: Any, other: Any) -> None:
    same = one == other and isinstance(one, bool) == isinstance(other, bool)
    assert (list(differences({"labels": {"x": one}}, {"labels": {"x": other}})) == []) == same


def test_much_that_differs_is_cut_short() -> None:
    wanted = Piece(kind="rule group", uid="drift", content={str(n): n for n in range(1, 40)})
    (step,) = to_install([wanted], [there(wanted, content={})])
    assert len(step.lines) == 13
    assert step.lines[-1] == "and 27 more"
