"""Suspects: what a person who is woken would say of plain cases, and no more than that."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.correlate.context import Context
from driftband.correlate.lifecycle import advance
from driftband.correlate.scene import Scene
from driftband.correlate.score import ACCUSED, MOST, suspects
from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change, Touched
from driftband.model.finding import Finding

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONTEXT = Context(edges=(("checkout", "orders"), ("web", "checkout")), changes_since=NOON - timedelta(days=2))
POOL = AttributeDiff(path="max_connections", before=500, after=50)
TAG = AttributeDiff(path='tags["cost.center"]', before="a", after="b")


def finding(name: str, service: str = "checkout", minute: float = 0, **more: Any) -> Finding:
    at = NOON + minute * MINUTE
    given = {"layer": "behavioral", "kind": "band_breach", "severity": "warning", "signal": "latency", **more}
    return Finding(
        id=name, class_="drift", identity={"service": service}, opened_at=at, last_seen_at=at, reason="moved", **given
    )


def apply(
    name: str, ended: float = -1, service: str = "checkout", *, attribute: AttributeDiff = POOL, **more: Any
) -> Change:
    """Return an apply of two minutes. ended: minutes after noon, when the first finding opens."""
    kind = "aws_db_parameter_group"
    touched = Touched(
        address=f"module.{service}.{kind}.main", type=kind, module=service, actions=("update",), attributes=(attribute,)
    )
    given = {
        "kind": "terraform_apply", "status": "succeeded", "workspace": f"prod/{service}", "identity": {"service": service}, **more,
    }  # fmt: skip
    return Change(
        id=name, started_at=NOON + (ended - 2) * MINUTE, ended_at=NOON + ended * MINUTE, resources=(touched,), **given
    )


def accused(findings: list[Finding], changes: list[Change]) -> str | None:
    """Return the change that an incident names as its explanation."""
    (one,) = advance((), findings, changes, CONTEXT, max(one.opened_at for one in findings)).incidents
    return one.suspects[0].change if one.verdict == "explained" else None


def scores(findings: list[Finding], changes: list[Change]) -> dict[str, float]:
    return {one.change: one.score for one in suspects(findings, changes, CONTEXT)}


def test_an_apply_that_ended_moments_before_its_only_signal_moved_is_accused() -> None:
    for ended in (-0.2, -1.0, -3.0, -6.0):
        assert accused([finding("latency")], [apply("the-apply", ended)]) == "the-apply"


def test_the_more_of_the_service_moves_the_surer_it_is() -> None:
    alone = scores([finding("latency")], [apply("a")])["a"]
    both = scores([finding("latency"), finding("cpu", minute=1, signal="cpu")], [apply("a")])["a"]
    assert ACCUSED <= alone < both


def test_nobody_is_accused_for_what_happened_hours_ago_or_will_happen() -> None:
    assert accused([finding("latency")], [apply("long-ago", -240)]) is None
    assert scores([finding("latency")], [apply("later", 12)]) == {}


def test_tags_and_another_environment_are_no_explanation() -> None:
    there = replace(finding("latency"), identity={"service": "checkout", "env": "prod"})
    staging = apply("staging", identity={"service": "checkout", "env": "staging"})
    for change in (apply("tags", attribute=TAG), staging):
        assert accused([there], [change]) is None
        found = suspects([there], [change], CONTEXT)
        assert any("against it" in reason for one in found for reason in one.reasons)


def test_the_only_change_of_the_day_is_no_explanation_of_what_does_not_say_what_it_is() -> None:
    source = replace(finding("source", kind="source_unreachable", severity="error", signal=""), identity={})
    changes = [apply("the-only-one", -1)]
    assert accused([source], changes) is None
    (one,) = suspects([source], changes, CONTEXT)
    assert one.reasons[0].startswith("weak evidence")
    assert "it touched checkout; what moved does not say what it is" in one.reasons


def test_two_that_are_equally_near_get_the_same_and_nobody_is_accused() -> None:
    found = scores([finding("latency"), finding("cpu", signal="cpu")], [apply("one"), apply("two")])
    assert found["one"] == found["two"] < ACCUSED


def test_a_service_that_is_changed_all_the_time_proves_less_than_one_that_never_is() -> None:
    busy = [apply(f"before-{n}", -40.0 * n) for n in range(4, 17)]
    moved = [finding("latency")]
    assert scores(moved, [apply("a"), *busy])["a"] < scores(moved, [apply("a")])["a"]


def test_a_change_of_what_is_called_explains_its_callers() -> None:
    moved = [finding("pool", "orders", signal="db_pool"), finding("slow", "checkout", 1), finding("web", "web", 2)]
    found = suspects(moved, [apply("orders", service="orders"), apply("web", service="web")], CONTEXT)
    assert found[0].change == "orders"
    assert "3 of the 3 subjects that moved are its own or depend on them" in found[0].reasons


def test_what_the_first_suspect_cannot_have_moved_has_a_suspect_of_its_own() -> None:
    ours = [finding("pool", "orders", signal="db_pool"), finding("slow", "checkout", 1)]
    strange = finding("mail", "mailer", 9, signal="queue")
    # It began too late to have moved orders, and in time for the mailer.
    late = apply("late", 8, "mailer")
    found = scores([*ours, strange], [apply("orders", service="orders"), late])
    assert list(found) == ["orders", "late"]
    assert found["late"] < ACCUSED < found["orders"]
    assert "late" not in scores(ours, [apply("orders", service="orders"), late])


moved = st.lists(
    st.tuples(st.sampled_from(["checkout", "orders", "web", "mailer", ""]), st.integers(0, 30)), min_size=1, max_size=5
)
made = st.lists(st.tuples(st.sampled_from(["checkout", "orders", "web", "mailer"]), st.integers(-300, 30)), max_size=6)


@settings(deadline=None, max_examples=40)
@given(moved, made, st.randoms(use_true_random=False))
def test_scores_are_shares_of_one_whole_in_whatever_order_all_is_handed_over(
    moved_: list[tuple[str, int]], made_: list[tuple[str, int]], draw: random.Random
) -> None:
    findings = [finding(f"f{n}", service, minute) for n, (service, minute) in enumerate(moved_)]
    changes = [apply(f"c{n}", ended, service) for n, (service, ended) in enumerate(made_)]
    found = suspects(findings, changes, CONTEXT)
    assert len(found) <= MOST
    assert all(0 < one.score <= 1 for one in found)
    assert sum(one.score for one in found) <= 1.001
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    draw.shuffle(findings)
    draw.shuffle(changes)
    assert suspects(findings, changes, CONTEXT) == found


@settings(deadline=None, max_examples=40)
@given(moved, made)
def test_what_is_weighed_together_scores_as_if_it_were_weighed_alone(
    moved_: list[tuple[str, int]], made_: list[tuple[str, int]]
) -> None:
    findings = [finding(f"f{n}", service, minute) for n, (service, minute) in enumerate(moved_)]
    here = Scene(findings, [apply(f"c{n}", ended, service) for n, (service, ended) in enumerate(made_)], CONTEXT)
    strands = here.strands(findings)
    assert here.court.scores(strands, 0.0) == [alone for one in strands for alone in here.court.scores([one], 0.0)]
