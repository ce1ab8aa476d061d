"""What the life of incidents leaves in the store, on SQLite and on PostgreSQL; correlation is told what to say."""

from typing import Any

import pytest
from sqlalchemy import update

from driftband import app_incidents
from driftband.model.incident import Incident
from driftband.model.refusal import ConflictError, UnknownError
from driftband.store import incident_writing, incidents, watching
from driftband.store.database import Database
from driftband.store.tables_watching import watch_progress
from driftband.web.listing import Wanted

from .incident_story import MINUTE, NOON, ONCALL, Story, key

EVERY = ("open", "acknowledged", "resolved")


@pytest.fixture
def story(database: Database) -> Story:
    return Story(database)


def wanted(limit: int = 100, after: Any = None, **equal: str) -> Wanted:
    return Wanted(equal=equal, since=None, until=None, after=after, limit=limit)


def test_an_incident_opens_grows_resolves_and_comes_back_on_the_record(story: Story) -> None:
    story.open("checkout")
    story.look()
    (opened,) = story.room.page(wanted(), EVERY)
    assert (opened.id, opened.state, opened.findings, opened.owner) == (
        "i-checkout",
        "open",
        (key("checkout"),),
        "payments",
    )
    story.close("checkout")
    story.look(1)
    assert story.room.one("i-checkout").state == "resolved"
    assert story.room.page(wanted(), ("open", "acknowledged")) == []
    story.open("checkout", kind="level_shift")
    story.look(1)
    again = story.room.one("i-checkout")
    assert (again.state, again.resolved_at) == ("open", None)
    assert [(e.at, e.what) for e in again.timeline] == [
        (NOON, "opened"), (NOON + MINUTE, "resolved"), (NOON + 2 * MINUTE, "opened"),
    ]  # fmt: skip
    assert story.told() == [(1, "opened", "open"), (2, "resolved", "resolved"), (3, "opened", "open")]


def test_nothing_is_decided_where_nothing_has_moved(story: Story) -> None:
    story.open("checkout")
    for _ in range(3):
        story.look()
    assert len(story.asked) == 1
    story.change("deploy-1")
    story.look()
    assert len(story.asked) == 2
    story.look(10)
    assert len(story.asked) == 2
    assert story.told() == [(1, "opened", "open")]


def test_correlation_is_handed_what_it_needs(story: Story) -> None:
    story.change("before", commit="9f3c2a1")
    story.now += MINUTE
    story.open("checkout")
    story.open("gone", kind="evidence_missing", severity="info")
    story.look()
    asked = story.asked[-1]
    assert [a["now"] for a in story.asked] == [NOON, NOON + MINUTE]
    assert [f.id for f in asked["findings"]] == [key("checkout")]
    assert [c.id for c in asked["changes"]] == ["before"]
    assert asked["context"].identity == ("service",)
    assert asked["context"].changes_since == story.now - 24 * 60 * MINUTE
    story.close("checkout")
    story.look(1)
    assert [i.id for i in story.asked[-1]["known"]] == ["i-checkout"]


def test_what_was_missed_is_decided_at_its_instants(story: Story) -> None:
    """A watcher that begins in the past tells of troubles that are long over; each has the story that it would have had."""
    story.open("checkout")
    story.now += MINUTE
    story.open("orders")
    story.close("checkout")
    story.now += MINUTE
    story.close("orders")
    story.now += 14 * 24 * 60 * MINUTE
    story.look()
    assert [a["now"] for a in story.asked] == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]
    assert story.asked[0]["context"].changes_since == NOON - 24 * 60 * MINUTE
    checkout, orders = (story.room.one(f"i-{name}") for name in ("checkout", "orders"))
    assert (checkout.opened_at, checkout.resolved_at) == (NOON, NOON + MINUTE)
    assert (orders.opened_at, orders.resolved_at) == (NOON + MINUTE, NOON + 2 * MINUTE)
    assert [v for _, v in story.series("driftband_incident", NOON)] == [1.0]
    assert [la["service"] for la, _ in story.series("driftband_incident", NOON + MINUTE)] == ["orders"]
    assert story.told() == []


def test_what_came_and_went_while_nobody_looked_calls_nobody(story: Story) -> None:
    story.open("known")
    story.look()
    story.now += MINUTE
    story.open("checkout")
    story.now += MINUTE
    for name in ("checkout", "known"):
        story.close(name)
    story.look(1)
    assert {i.id: i.state for i in story.room.page(wanted(), EVERY)} == {
        "i-checkout": "resolved",
        "i-known": "resolved",
    }
    assert story.told() == [(1, "opened", "open"), (2, "resolved", "resolved")]


def test_what_began_long_ago_is_told_once_it_is_known_to_be_there_still(story: Story) -> None:
    watching.enrol(story.database, {"checkout": "digest"}, NOON)
    for name in ("checkout", "orders"):
        story.open(name)
    story.now += 24 * 60 * MINUTE
    story.open("new")
    story.look()
    assert story.told() == [(1, "opened", "open")]
    story.fits = ()
    story.room.tell_late(story.now)
    story.fits = (ONCALL,)
    story.room.acknowledge("i-new", "dana")
    assert len(story.told()) == 2
    story.room.tell_late(story.now)  # orders is of no signal that is being caught up on
    assert story.told() == [(1, "opened", "open")] * 2 + [(2, "acknowledged", "acknowledged")]
    with story.database.write() as connection:
        connection.execute(update(watch_progress).values(evaluated_until=story.now))
    for _ in range(2):
        story.room.tell_late(story.now)
        assert [deed for _, deed, _ in story.told()] == ["opened"] * 3 + ["acknowledged"]
    story.close("checkout")
    story.look(1)
    assert [deed for _, deed, _ in story.told()] == ["opened"] * 3 + ["acknowledged", "resolved"]


def test_much_that_was_missed_is_made_up_for_in_parts(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_incidents, "INSTANTS_AT_ONCE", 3)
    for number in range(8):
        story.open(f"s{number}")
        story.now += MINUTE
    story.now += 60 * MINUTE
    for looks in (3, 6, 8, 8):
        story.look()
        assert len(story.room.page(wanted(), EVERY)) == looks
    assert [a["now"] for a in story.asked][:8] == [NOON + n * MINUTE for n in range(8)]


def test_what_arrives_late_is_decided_when_it_arrives(story: Story) -> None:
    story.open("checkout")
    story.look(5)
    story.now -= 10 * MINUTE
    story.open("orders")
    story.look(20)
    assert [a["now"] for a in story.asked] == [NOON, NOON + 15 * MINUTE]
    assert story.room.one("i-orders").opened_at == NOON + 15 * MINUTE


def test_a_kill_between_any_two_steps_of_the_writing_leaves_nothing_half_written(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    story.open("checkout")
    story.open("orders")
    for module, name in (
        (incident_writing.incidents, "save"),
        (incident_writing.notifications, "owe"),
        (incident_writing, "_owe"),
        (incident_writing.incident_progress, "note"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, killed)
            with pytest.raises(KilledError):
                story.look()
        assert story.room.page(wanted(), EVERY) == []
        assert story.told() == []
    story.look()
    assert sorted(i.id for i in story.room.page(wanted(), EVERY)) == ["i-checkout", "i-orders"]
    assert story.told() == [(1, "opened", "open"), (1, "opened", "open")]


def test_a_look_on_what_somebody_has_changed_meanwhile_is_thought_again(story: Story) -> None:
    story.open("checkout")
    story.look()
    story.open("checkout", kind="level_shift", severity="error")
    inner, acted = story.room.advance, list[Incident]()

    def slow(*told: Any) -> Any:
        if not acted:
            acted.append(story.room.acknowledge("i-checkout", "dana"))
        return inner(*told)

    object.__setattr__(story.room, "advance", slow)
    story.suspect = "deploy-1"
    story.look(1)
    now = story.room.one("i-checkout")
    assert (now.state, now.acknowledged_by, now.verdict) == ("acknowledged", "dana", "explained")
    assert [e.what for e in now.timeline] == ["opened", "acknowledged", "updated"]
    assert [deed for _, deed, _ in story.told()] == ["opened", "acknowledged", "updated"]


def test_a_person_acts_once_and_is_told_of_once(story: Story) -> None:
    story.open("checkout")
    story.look()
    story.now += MINUTE
    assert story.room.acknowledge("i-checkout", "dana").acknowledged_at == NOON + MINUTE
    assert story.room.acknowledge("i-checkout", "kim").acknowledged_by == "dana"
    story.now += MINUTE
    over = story.room.resolve("i-checkout", "dana")
    assert (over.state, over.resolved_at) == ("resolved", NOON + 2 * MINUTE)
    assert story.room.resolve("i-checkout", "kim") == over
    with pytest.raises(ConflictError, match="resolved already"):
        story.room.acknowledge("i-checkout", "kim")
    with pytest.raises(UnknownError, match="no incident 'x'"):
        story.room.resolve("x", "kim")
    assert [deed for _, deed, _ in story.told()] == ["opened", "acknowledged", "resolved"]
    assert [(e.what, e.reason) for e in story.room.one("i-checkout").timeline][1:] == [
        ("acknowledged", "by dana"), ("resolved", "resolved by dana"),
    ]  # fmt: skip


def test_an_incident_that_a_person_ended_is_known_while_its_findings_are_open(story: Story) -> None:
    story.open("checkout")
    story.look()
    story.room.resolve("i-checkout", "dana")
    story.look(24 * 60)
    story.change("deploy-1")
    story.look()
    assert [(i.id, i.state) for i in story.asked[-1]["known"]] == [("i-checkout", "resolved")]
    story.close("checkout")
    story.look(1)
    assert [(i.id, i.state) for i in story.asked[-1]["known"]] == [("i-checkout", "resolved")]


def test_who_is_next_is_told_once_where_nobody_acknowledges(story: Story) -> None:
    def escalated(incident: Any, told: Any, now: Any) -> tuple[str, ...]:
        assert incident["state"] == "open"
        return ("boss",) if "boss" not in told and now >= told[ONCALL] + 5 * MINUTE else ()

    object.__setattr__(story.room, "escalated", escalated)
    story.open("checkout")
    story.open("orders")
    story.look()
    story.room.acknowledge("i-orders", "dana")
    for minute in (4, 5, 6):
        story.room.escalate(NOON + minute * MINUTE)
        assert story.told("boss") == ([] if minute < 5 else [(1, "opened", "open")])
    assert [e.what for e in story.room.one("i-checkout").timeline] == ["opened", "escalated"]
    assert [d for _, d, _ in story.told()] == ["opened", "opened", "acknowledged"]
    story.room.resolve("i-checkout", "dana")
    assert story.told("boss")[-1] == (2, "resolved", "resolved")


def test_the_series_say_what_was_announced_and_what_is(story: Story) -> None:
    story.change("deploy-1", commit="9f3c2a1")
    story.open("checkout")
    story.look()
    story.suspect = "deploy-1"
    story.open("checkout2", severity="error")
    story.change("deploy-2")
    story.look(5)
    story.room.acknowledge("i-checkout", "dana")
    story.now += 5 * MINUTE
    story.close("checkout")
    story.look()
    first = {
        "incident": "i-checkout", "title": "checkout moved", "severity": "warning", "verdict": "unexplained", "suspect": "",
        "suspect_commit": "", "url": "https://driftband.example/incidents/i-checkout", "service": "checkout",
    }  # fmt: skip
    for minute in (0, 4, 9):
        found = [f for f in story.series("driftband_incident", NOON + minute * MINUTE) if f[0]["service"] == "checkout"]
        assert found == [(first, 1.0)], minute
    assert not [f for f in story.series("driftband_incident", NOON + 10 * MINUTE) if f[0]["service"] == "checkout"]

    def info(minute: float) -> dict[str, str]:
        (labels,) = [
            la
            for la, _ in story.series("driftband_incident_info", NOON + minute * MINUTE)
            if la["service"] == "checkout"
        ]
        return labels

    assert info(4) == {**first, "state": "open", "suspect_score": ""}
    explained = {"verdict": "explained", "suspect": "deploy-1", "suspect_commit": "9f3c2a1", "suspect_score": "0.90"}
    assert info(6) == {**first, **explained, "severity": "error", "state": "acknowledged"}
    assert info(11)["state"] == "resolved"
    assert not [f for f in story.series("driftband_incident_info", NOON + 41 * MINUTE) if f[0]["service"] == "checkout"]


def test_pages_have_each_incident_once(story: Story) -> None:
    for number in range(7):
        story.open(f"s{number}")
        story.look(1)
    seen, after = list[str](), None
    while True:
        part = story.room.page(wanted(limit=2, after=after), EVERY)
        seen += [i.id for i in part[:2]]
        if len(part) < 3:
            break
        after = (part[1].opened_at, part[1].id)
    assert seen == [f"i-s{n}" for n in reversed(range(7))]
    assert story.room.page(wanted(owner="nobody"), EVERY) == []


def test_hostile_words_are_kept_as_they_are(story: Story) -> None:
    name = "x\0'; drop table incidents; --<script>\n"
    story.open(name)
    story.look()
    (kept,) = story.room.page(wanted(), EVERY)
    assert "drop table incidents" in kept.title
    assert "\0" not in kept.title


def test_what_is_older_than_the_retention_goes(story: Story) -> None:
    story.open("checkout")
    story.look()
    story.close("checkout")
    story.look(1)
    with story.database.write() as connection:
        incidents.forget(connection, NOON + MINUTE, 100)
        assert len(incidents.by_ids(connection, ["i-checkout"])) == 1
        incidents.forget(connection, NOON + 2 * MINUTE, 100)
        assert incidents.by_ids(connection, ["i-checkout"]) == []
        assert incidents.of_findings(connection, [key("checkout")]) == {}
    assert story.series("driftband_incident", NOON) == []
