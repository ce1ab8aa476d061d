"""However late and however often one looks, incidents have the story that they would have had."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.correlate.catching_up import CaughtUp, catch_up
from driftband.correlate.context import Context
from driftband.correlate.lifecycle import advance
from driftband.model.finding import Finding

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONTEXT = Context(changes_since=NOON - 60 * MINUTE)
LAST = 120


def finding(number: int, service: str, opened: int, lasts: int) -> Finding:
    at, end = NOON + opened * MINUTE, NOON + (opened + lasts) * MINUTE
    return Finding(
        id=f"f{number}", layer="behavioral", kind="band_breach", class_="drift", state="closed", severity="warning",
        signal="latency", identity={"service": service}, opened_at=at, last_seen_at=end, closed_at=end, reason="moved",
    )  # fmt: skip


def as_of(one: Finding, now: datetime) -> Finding:
    assert one.closed_at is not None
    return one if one.closed_at <= now else replace(one, state="open", closed_at=None)


class Looker:
    """Looks at what has happened by an instant."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self.known: dict[str, Any] = {}
        self.deeds: list[tuple[datetime, Any]] = []
        self._until = NOON - MINUTE
        self._looked = NOON - MINUTE

    def look(self, minute: int, most: int = 10_000) -> CaughtUp:
        now = NOON + minute * MINUTE
        there = [as_of(f, now) for f in self._findings if f.opened_at <= now]
        instants = {at for f in there for at in (f.opened_at, f.closed_at) if at and self._looked < at <= now}
        made = catch_up(
            advance, tuple(self.known.values()), there, (), CONTEXT,
            instants=instants, since=self._until, now=now, most=most,
        )  # fmt: skip
        self.known, self._until = dict(made.known), made.until
        self._looked = now if made.whole else made.until
        self.deeds += [(at, deed) for at, decision in made.steps for deed in decision.deeds]
        return made


troubles = st.lists(
    st.tuples(st.sampled_from(["checkout", "orders", "cart"]), st.integers(0, 90), st.integers(1, 20)), max_size=8
)


@settings(deadline=None, max_examples=60)
@given(troubles, st.lists(st.integers(0, LAST), max_size=8), st.integers(1, 5))
def test_when_one_looks_changes_nothing(told: list[tuple[str, int, int]], looks: list[int], most: int) -> None:
    findings = [finding(number, *one) for number, one in enumerate(told)]
    once, often, in_parts = Looker(findings), Looker(findings), Looker(findings)
    once.look(LAST)
    for minute in [*sorted(looks), LAST]:
        often.look(minute)
    while not in_parts.look(LAST, most).whole:
        pass
    assert (often.known, often.deeds) == (once.known, once.deeds)
    assert (in_parts.known, in_parts.deeds) == (once.known, once.deeds)
    assert all(i.state == "resolved" for i in once.known.values())


def test_an_incident_ends_by_time_alone_and_one_knows_when() -> None:
    looker = Looker([finding(1, "checkout", 0, 10)])
    assert looker.look(9).next_end(CONTEXT) is None
    assert looker.look(11).next_end(CONTEXT) == NOON + 12 * MINUTE
    assert looker.look(30).next_end(CONTEXT) is None
    (incident,) = looker.known.values()
    assert incident.resolved_at == NOON + 12 * MINUTE
    assert [(at, deed) for at, (_, deed, _) in looker.deeds] == [(NOON, "opened"), (NOON + 12 * MINUTE, "resolved")]


def test_a_storm_is_decided_on_in_a_few_steps() -> None:
    storm = [
        replace(finding(n, "checkout", 0, 60), opened_at=NOON + n * timedelta(milliseconds=7)) for n in range(3000)
    ]
    looker = Looker(storm)
    assert len(looker.look(1).steps) == 1
    (incident,) = looker.known.values()
    assert len(incident.findings) == 3000
    assert [deed for _, (_, deed, _) in looker.deeds] == ["opened"]
