"""A change that undoes another one ends a trouble: what moves then is no trouble of its own."""

from dataclasses import replace
from typing import Any

from driftband.correlate.lifecycle import advance
from driftband.correlate.subject import Reader
from driftband.correlate.undoing import undoing
from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change

from .test_suspects import CONTEXT, MINUTE, NOON, POOL, apply, finding

BACK = AttributeDiff(path=POOL.path, before=POOL.after, after=POOL.before)
OTHER = AttributeDiff(path="work_mem", before=1, after=2)
HIDDEN = AttributeDiff(path="password", sensitive=True)


def pairs(*changes: Change) -> dict[str, str]:
    reader = Reader(CONTEXT, ())
    acts = [reader.act(one) for one in changes]
    return {changes[one].id: changes[other].id for one, other in undoing(acts).items()}


def deploy(name: str, commit: str, **more: Any) -> Change:
    return replace(apply(name, kind="deploy", commit=commit, **more), resources=())


def test_what_puts_all_back_undoes_it() -> None:
    assert pairs(apply("a"), apply("b", attribute=BACK)) == {"b": "a"}
    assert pairs(apply("a"), apply("b", attribute=BACK), apply("c")) == {"b": "a", "c": "a"}
    assert pairs(deploy("a", "1"), deploy("b", "2"), deploy("c", "1")) == {"c": "b"}


def test_what_goes_on_or_goes_elsewhere_undoes_nothing() -> None:
    assert pairs(apply("a"), apply("b", attribute=replace(BACK, after=75))) == {}
    assert pairs(apply("a"), apply("b", attribute=BACK, workspace="prod/other")) == {}
    assert pairs(apply("a"), apply("b", attribute=OTHER), apply("c", attribute=OTHER)) == {}
    assert pairs(apply("a", attribute=HIDDEN), apply("b", attribute=HIDDEN)) == {}
    assert pairs(deploy("a", "1"), deploy("b", "2"), deploy("c", "3")) == {}
    assert pairs(deploy("a", "1"), deploy("b", "2"), deploy("c", "1", identity={"service": "cart"})) == {}


def test_what_puts_back_and_does_more_is_a_change_of_its_own() -> None:
    both = apply("b", attribute=BACK)
    (touched,) = both.resources
    assert pairs(apply("a"), replace(both, resources=(replace(touched, attributes=(BACK, OTHER)),))) == {}


def test_what_a_revert_moves_while_the_trouble_lasts_is_no_trouble_of_its_own() -> None:
    trouble = [finding("latency", signal="latency"), finding("errors", minute=2, signal="errors")]
    changes = [apply("bad"), apply("revert", 90, attribute=BACK)]
    first = advance((), trouble, changes[:1], CONTEXT, NOON + 80 * MINUTE)
    burst = finding("burst", minute=93, signal="connections")
    (incident,) = advance(first.incidents, [*trouble, burst], changes, CONTEXT, NOON + 93 * MINUTE).incidents
    assert incident.findings == ("latency", "errors", "burst")
    assert incident.suspects[0].change == "bad"
    unrelated = [changes[0], apply("unrelated", 90, attribute=OTHER)]
    both = advance(first.incidents, [*trouble, burst], unrelated, CONTEXT, NOON + 93 * MINUTE).incidents
    assert [one.suspects[0].change for one in both if "burst" in one.findings] == ["unrelated"]
