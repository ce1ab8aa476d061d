from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.moment import from_ms, to_ms
from driftband.sources.sample.estate import CHECKOUT, estate
from driftband.sources.sample.evidence import Rule, Scan, Told, evidence
from driftband.sources.sample.moves import MOVES
from driftband.sources.sample.script import Script
from driftband.sources.sample.works import APPLIES
from driftband.sources.sample.world import World

NOW = datetime(2026, 11, 24, 10, 17, 42, tzinfo=UTC)


@cache
def told(now: datetime = NOW) -> tuple[Told, ...]:
    return tuple(evidence(Script.at(to_ms(now)), now))


def changes(now: datetime = NOW) -> list[Change]:
    return [one.what for one in told(now) if isinstance(one.what, Change)]


def scans(workspace: str) -> list[Scan]:
    return [one.what for one in told() if isinstance(one.what, Scan) and one.what.about.workspace == workspace]


def test_the_same_four_hours_tell_the_same() -> None:
    later = NOW + timedelta(minutes=40)
    assert Script.at(to_ms(later)) == Script.at(to_ms(NOW))
    assert told(later)[: len(told())] == told()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400 * 1440))
def test_it_is_told_in_order_and_never_before_it_was(minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    found = told(now)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert found[-1].at <= now
    for one in found:
        match one.what:
            case Change(ended_at=began) | AuditEvent(at=began):
                assert began is not None
                assert began <= one.at
            case Scan(about, _):
                assert about.started_at is not None
                assert about.started_at <= one.at
            case Rule(fields):
                assert str(fields["expires_at"]) > str(now)
    ids = [change.id for change in changes(now)]
    assert len(ids) == len(set(ids))


def test_the_incident_is_an_apply_that_another_one_takes_back() -> None:
    begin, end = (from_ms(at) for at in Script.at(to_ms(NOW)).incident)
    bad, good = (c for c in changes() if "fewer database connections" in c.summary)
    for change, at in ((bad, begin), (good, end)):
        assert change.started_at < at < (change.ended_at or at)
        assert (change.kind, change.workspace, change.identity["service"]) == ("terraform_apply", CHECKOUT, "checkout")
        assert "module.db.aws_db_parameter_group.main" in {touched.address for touched in change.resources}
    moved = [[(a.path, a.before, a.after) for t in c.resources for a in t.attributes] for c in (bad, good)]
    assert ("data.DB_POOL_SIZE", "40", "6") in moved[0]
    assert moved[1] == [(path, after, before) for path, before, after in moved[0]]


def test_identities_are_labels_of_the_sample_metrics() -> None:
    world = World(lambda: to_ms(NOW))
    known = {
        tuple(dict(labels)[name] for name in ("service", "env", "region"))
        for labels in world.series()
        if dict(labels)["__name__"] == "http_requests_total"
    }
    services = {
        tuple(c.identity[name] for name in ("service", "env", "region")) for c in changes() if "service" in c.identity
    }
    assert services == known


def test_releases_are_the_restarts_of_the_metrics() -> None:
    script = Script.at(to_ms(NOW))
    releases = [c for c in changes() if c.kind == "deploy"]
    assert len(releases) >= 15
    for change in releases:
        first, last = to_ms(change.started_at) // 60_000, to_ms(change.ended_at or NOW) // 60_000
        for pod in (0, 1):
            days = {first // 1440, last // 1440}
            restarts = [m for day in days for m in script.restarts(change.identity["service"], pod, day)]
            assert any(first <= minute <= last for minute in restarts)


def test_every_move_and_every_apply_is_of_a_resource_that_is_declared() -> None:
    declared = estate()
    assert sum(map(len, declared.values())) >= 30
    for move in MOVES:
        resource = declared[move.workspace][move.address]
        if move.path and not move.only_written and not isinstance(move.before, list):
            assert resource.attributes[move.path] == move.before
    for apply in APPLIES:
        assert all(address in declared[apply.workspace] for address, *_ in apply.moves)


def test_a_scan_shows_what_was_applied_and_finds_the_state_locked_while_it_is() -> None:
    begin = from_ms(Script.at(to_ms(NOW)).incident[0])
    by_time = {scan.about.started_at: scan.report for scan in scans(CHECKOUT)}
    assert by_time[begin].locked
    pool = [
        {r.address: r for r in report.resources or ()}["module.app.kubernetes_config_map_v1.checkout"].attributes[
            "data.DB_POOL_SIZE"
        ]
        for at in (begin - timedelta(hours=2), begin + timedelta(hours=2))
        for report in (by_time[at],)
    ]
    assert pool == ["40", "40"]
    serials = [scan.about.serial for scan in scans(CHECKOUT)]
    assert serials == sorted(serials, key=lambda serial: serial or 0)
    assert len({replace(scan.about, run="", started_at=None, serial=None, commit="") for scan in scans(CHECKOUT)}) == 1
