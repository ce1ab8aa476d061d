"""Grouping: the same incidents in whatever order findings are handed over, and every move on the record."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.correlate.context import Context
from driftband.correlate.grouping import Grouping, group
from driftband.correlate.lifecycle import advance
from driftband.correlate.scene import Scene
from driftband.model.finding import Finding

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EDGES = (("checkout", "orders"), ("checkout", "cart"), ("orders", "stock"))
CONTEXT = Context(edges=EDGES)
SIGNALS = ("latency", "cpu", "errors", "memory")


def finding(name: str, service: str = "checkout", minute: float = 0, **more: Any) -> Finding:
    at = NOON + minute * MINUTE
    given = {
        "layer": "behavioral", "kind": "band_breach", "severity": "warning", "signal": "latency",
        "identity": {"service": service} if service else {}, **more,
    }  # fmt: skip
    return Finding(id=name, class_="drift", opened_at=at, last_seen_at=at, reason=f"{name} moved", **given)


def grouped(findings: list[Finding], context: Context = CONTEXT) -> Grouping:
    return group({}, findings, Scene(findings, (), context))


def parts(made: Grouping) -> set[frozenset[str]]:
    return {frozenset(f.id for f in one.findings) for one in made.groups.values()}


def test_a_victim_joins_what_it_calls_and_a_stranger_does_not() -> None:
    root = finding("root", "orders", 0, signal="cpu")
    victim = finding("victim", "checkout", 1)
    stranger = finding("stranger", "mailer", 1)
    assert parts(grouped([root, victim, stranger])) == {frozenset({"root", "victim"}), frozenset({"stranger"})}


def test_a_series_that_two_detectors_speak_of_is_one_trouble_however_late_the_second_one_is() -> None:
    breach = finding("breach", minute=0)
    shift = finding("shift", minute=95, kind="level_shift")
    assert parts(grouped([breach, shift])) == {frozenset({"breach", "shift"})}


def test_a_series_that_had_come_back_is_another_trouble() -> None:
    breach = finding("breach", minute=0, state="closed", closed_at=NOON + 20 * MINUTE)
    shift = finding("shift", minute=95, kind="level_shift")
    made = grouped([replace(breach, state="open", closed_at=None), shift])
    assert len(parts(made)) == 1
    after = group({"first": (breach,)}, [shift], Scene([breach, shift], (), CONTEXT))
    assert len(after.groups) == 2


def test_what_a_second_detector_says_later_does_not_make_newcomers_victims_of_it() -> None:
    breach = finding("breach", "orders", 0)
    shift = finding("shift", "orders", 95, kind="level_shift")
    new = finding("new", "checkout", 96)
    assert parts(grouped([breach, shift, new])) == {frozenset({"breach", "shift"}), frozenset({"new"})}


def test_one_series_with_two_findings_is_one_page() -> None:
    breach = finding("breach", minute=0)
    shift = finding("shift", minute=60, kind="level_shift")
    first = advance((), [breach], (), CONTEXT, NOON)
    second = advance(first.incidents, [breach, shift], (), CONTEXT, NOON + 60 * MINUTE)
    (incident,) = second.incidents
    assert incident.findings == ("breach", "shift")
    assert [deed for _, deed, _ in (*first.deeds, *second.deeds)] == ["opened", "updated"]


def test_a_storm_at_one_service_and_its_callers_is_one_incident() -> None:
    storm = [finding(f"f{n:03}", ("orders", "checkout")[n % 2], n / 250, signal=SIGNALS[n % 4]) for n in range(500)]
    assert len(grouped(storm).groups) == 1


troubles = st.lists(
    st.builds(
        lambda service, minute, signal, layer: (service, minute, signal, layer),
        st.sampled_from(["checkout", "orders", "cart", "stock", "mailer", ""]),
        st.integers(0, 60),
        st.sampled_from(SIGNALS),
        st.sampled_from(["behavioral", "runtime", "configuration"]),
    ),
    min_size=1,
    max_size=8,
)


def told(given: list[tuple[str, int, str, Any]]) -> list[Finding]:
    return [
        finding(f"f{n:02}", service, minute, signal=signal, layer=layer, address="a" if not service else "")
        for n, (service, minute, signal, layer) in enumerate(given)
    ]


@settings(deadline=None, max_examples=25)
@given(troubles, st.randoms(use_true_random=False))
def test_the_order_in_which_findings_are_handed_over_changes_nothing(
    given_: list[tuple[str, int, str, Any]], draw: random.Random
) -> None:
    findings = told(given_)
    shuffled = findings[:]
    draw.shuffle(shuffled)
    one, other = grouped(findings), grouped(shuffled)
    assert parts(one) == parts(other)
    assert one.moves == other.moves
    assert set(one.groups) == set(other.groups)


@settings(deadline=None, max_examples=25)
@given(troubles)
def test_a_finding_is_in_one_group_or_loose_and_nowhere_else(given_: list[tuple[str, int, str, Any]]) -> None:
    findings = told(given_)
    made = grouped(findings)
    placed = [f.id for one in made.groups.values() for f in one.findings] + [f.id for f in made.loose]
    assert sorted(placed) == [f.id for f in findings]


@settings(deadline=None, max_examples=25)
@given(troubles)
def test_what_has_come_to_rest_stays_and_every_move_is_on_the_record(given_: list[tuple[str, int, str, Any]]) -> None:
    known: dict[str, Any] = {}
    findings = told(given_)
    for minute in sorted({int((f.opened_at - NOON) / MINUTE) for f in findings}):
        now = NOON + minute * MINUTE
        seen = [f for f in findings if f.opened_at <= now]
        before = {f: one.id for one in known.values() if one.merged_into is None for f in one.findings}
        decision = advance(tuple(known.values()), seen, (), CONTEXT, now)
        known |= {one.id: one for one in decision.incidents}
        assert advance(tuple(known.values()), seen, (), CONTEXT, now).incidents == ()
        after = {f: one.id for one in known.values() if one.merged_into is None for f in one.findings}
        for name, there in after.items():
            if before.get(name, there) != there:
                steps = {entry.what for entry in known[there].timeline if entry.at == now}
                assert steps & {"merged", "split"}


def test_two_incidents_become_one_when_the_edge_between_them_becomes_known() -> None:
    root, victim = finding("root", "orders", 0, signal="cpu"), finding("victim", "checkout", 1)
    apart = advance((), [root, victim], (), Context(), NOON + MINUTE)
    assert len(apart.incidents) == 2
    made = advance(apart.incidents, [root, victim], (), CONTEXT, NOON + 2 * MINUTE)
    taken = next(one for one in made.incidents if one.merged_into)
    kept = next(one for one in made.incidents if one.id == taken.merged_into)
    assert set(kept.findings) == {"root", "victim"}
    assert (kept.timeline[-1].what, taken.state) == ("merged", "resolved")


def test_a_part_that_nothing_ties_any_more_becomes_an_incident_of_its_own() -> None:
    root, victim = finding("root", "orders", 0, signal="cpu"), finding("victim", "checkout", 1)
    together = advance((), [root, victim], (), CONTEXT, NOON + MINUTE)
    assert len(together.incidents) == 1
    made = advance(together.incidents, [root, victim], (), Context(), NOON + 2 * MINUTE)
    assert sorted(len(one.findings) for one in made.incidents) == [1, 1]
    assert all("split" in {entry.what for entry in one.timeline} for one in made.incidents)


def test_what_comes_back_belongs_to_the_incident_that_it_was_in() -> None:
    root = finding("root", "orders", 0, signal="errors")
    gone = finding("gone", "checkout", 4, signal="errors", state="closed", closed_at=NOON + 30 * MINUTE)
    first = advance((), [root, gone], (), CONTEXT, NOON + 31 * MINUTE)
    (incident,) = first.incidents
    assert incident.findings == ("root", "gone")
    back = finding("back", "checkout", 50, signal="errors", reopens="gone")
    (incident,) = advance(first.incidents, [root, gone, back], (), CONTEXT, NOON + 50 * MINUTE).incidents
    assert incident.findings == ("root", "gone", "back")
    assert incident.timeline[-1].reason == "1 finding joined: checkout: it has come back (100%)"
