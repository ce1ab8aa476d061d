"""What reports do to the ledger, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from driftband.detect.moves import moves_of
from driftband.detect.noise import propose
from driftband.model.attribute import AttributeDiff
from driftband.model.refusal import ConflictError
from driftband.model.report import Drifted, Renamed, Report

from .ledger_story import NOON, ROLE, Ledger, deleted, drifted, plan, planned, resource

STREAM = Report(source="stream", tool="terraform", read=1)


def test_drift_opens_stays_and_closes_when_reality_goes_back(ledger: Ledger) -> None:
    assert ledger.report(plan()).run.status == "clean"
    first = ledger.report(plan(drifted()))
    assert (first.run.status, first.run.opened, first.run.still_open, first.run.closed) == ("drifted", 1, 0, 0)
    (finding,) = first.findings
    assert (finding.kind, finding.class_, finding.severity) == ("attribute_changed", "drift", "warning")
    assert finding.identity == {"service": "orders", "env": "prod"}
    assert (finding.opened_at, finding.window_from) == (NOON + timedelta(hours=2), NOON + timedelta(hours=1))
    again = ledger.report(plan(drifted()))
    assert (again.run.opened, again.run.still_open, again.run.closed) == (0, 1, 0)
    over = ledger.report(plan())
    assert (over.run.status, over.run.closed) == ("clean", 1)
    (closed,) = ledger.every()
    assert (closed.state, closed.closed_at) == ("closed", NOON + timedelta(hours=4))
    assert closed.reason == "reality is what was declared again"
    assert ledger.story(closed.id) == [("open", "drift"), ("closed", "drift")]


def test_what_comes_back_is_a_new_finding_that_names_the_old_one(ledger: Ledger) -> None:
    (first,) = ledger.report(plan(drifted())).findings
    ledger.report(plan())
    (second,) = ledger.report(plan(drifted())).findings
    assert (second.reopens, second.id != first.id) == (first.id, True)


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (plan(errored=True, complete=False, errors=("no connection",)), "failed"),
        (plan(drifted(address="postgresql_role.other"), errored=True, complete=False), "partial"),
        (plan(complete=False), "partial"),
        (plan(resources=(), read=0), "suspect"),
        (Report(source="stream", tool="terraform", errored=True, complete=False, locked=True), "locked"),
        (replace(STREAM, errored=True, complete=False), "failed"),
    ],
)
def test_only_a_complete_run_closes(ledger: Ledger, report: Report, status: str) -> None:
    ledger.report(plan())
    (finding,) = ledger.report(plan(drifted())).findings
    taken = ledger.report(report)
    assert (taken.run.status, taken.run.closed) == (status, 0)
    assert ledger.open()[0] == finding
    assert len(ledger.open()) == (2 if status == "partial" and report.drift else 1)


def test_another_lineage_is_suspect_and_touches_nothing_until_it_is_adopted(ledger: Ledger) -> None:
    ledger.report(plan(drifted()), lineage="one")
    taken = ledger.report(plan(), lineage="two")
    assert taken.run.status == "suspect"
    assert "lineage two" in taken.run.reason
    assert len(ledger.open()) == 1
    assert ledger.report(plan(), lineage="two", adopt=True).run.status == "clean"
    assert ledger.open() == []
    assert ledger.report(plan(), lineage="one").run.status == "suspect"


def test_an_older_run_is_kept_on_record_alone(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    late = ledger.report(plan(), started_at=NOON - timedelta(hours=5))
    assert (late.run.superseded, late.run.closed, len(ledger.open())) == (True, 0, 1)
    opening = ledger.report(plan(drifted(address="postgresql_role.b")), started_at=NOON - timedelta(hours=5))
    assert (opening.run.opened, len(ledger.open())) == (0, 1)


def test_a_clock_ahead_does_not_hide_later_runs(ledger: Ledger) -> None:
    ahead = ledger.report(plan(drifted()), started_at=NOON + timedelta(days=3))
    assert "ahead" in ahead.run.reason
    assert ledger.report(plan()).run.closed == 1


def test_the_same_body_twice_is_one_run_and_another_is_a_conflict(ledger: Ledger) -> None:
    first = ledger.report(plan(drifted()), run="k")
    again = ledger.report(plan(drifted()), run="k")
    assert (again.known, again.run, again.findings) == (True, first.run, first.findings)
    with pytest.raises(ConflictError, match="another plan"):
        ledger.report(plan(), run="k")
    assert len(ledger.every()) == 1


def test_a_stream_and_a_plan_under_one_key_are_one_run(ledger: Ledger) -> None:
    ledger.report(plan())
    seen = Drifted(address=ROLE, resource_type="postgresql_role", module="role", action="update", known_values=False)
    stream = ledger.report(replace(STREAM, drift=(seen,)), run="k")
    assert (stream.run.status, stream.findings[0].class_) == ("drifted", "provisional")
    whole = ledger.report(plan(drifted()), run="k")
    assert (whole.run.status, whole.run.opened, whole.run.still_open) == ("drifted", 1, 0)
    (finding,) = whole.findings
    assert (finding.id, finding.class_, finding.attributes[0].after) == (stream.findings[0].id, "drift", 3)


def test_a_stream_whose_plan_shows_only_noise_ends_clean(ledger: Ledger) -> None:
    seen = Drifted(address=ROLE, resource_type="postgresql_role", module="role", action="update", known_values=False)
    noise = Drifted(
        address=ROLE, resource_type="postgresql_role", module="role", action="update", normalised=("roles",)
    )
    ledger.report(replace(STREAM, drift=(seen,)), run="k")
    whole = ledger.report(plan(noise), run="k")
    assert whole.run.status == "clean"
    assert [(f.class_, f.alarming) for f in ledger.open()] == [("normalisation", False)]


def test_findings_follow_a_rename(ledger: Ledger) -> None:
    (finding,) = ledger.report(plan(drifted())).findings
    moved = "postgresql_role.report"
    renamed = (Renamed(source=ROLE, target=moved),)
    taken = ledger.report(plan(drifted(address=moved), renamed=renamed, resources=(resource(moved),)))
    assert (taken.run.opened, taken.run.still_open) == (0, 1)
    assert [(f.id, f.address) for f in ledger.open()] == [(finding.id, moved)]


def test_the_series_of_a_finding_keeps_its_labels_through_renames(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    (opened,) = ledger.series("driftband_drift")
    before = ROLE
    for address in ('module.roles["ro"].postgresql_role.this', "a_role.report"):
        renamed = (Renamed(source=before, target=address),)
        ledger.report(plan(drifted(address=address), renamed=renamed, resources=(resource(address),)))
        before = address
    (finding,) = ledger.open()
    assert (finding.address, finding.module, finding.resource_type) == ("a_role.report", "", "a_role")
    for equal in ({}, *({name: opened.labels[name]} for name in ("address", "module", "resource_type", "finding"))):
        (interval,) = ledger.series("driftband_drift", **equal)
        assert (interval.labels, interval.start) == (opened.labels, opened.start)


def test_what_a_run_does_not_show_follows_a_rename_too(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    moved = "module.elsewhere.postgresql_role.report"
    here = resource(moved, connection_limit=3)
    ledger.report(plan(renamed=(Renamed(source=ROLE, target=moved),), resources=(here,)))
    assert [(f.address, f.module, f.class_) for f in ledger.open()] == [(moved, "elsewhere", "accepted_undeclared")]
    assert {i.labels["address"] for i in ledger.series("driftband_drift")} == {ROLE}


def test_what_the_state_took_over_stays_until_the_code_says_so_too(ledger: Ledger) -> None:
    (finding,) = ledger.report(plan(drifted())).findings
    taken_over = plan(resources=(resource(connection_limit=3),))
    kept = ledger.report(taken_over)
    assert (kept.run.status, kept.run.still_open, len(kept.findings)) == ("drifted", 1, 1)
    assert [(f.id, f.class_, f.state) for f in ledger.open()] == [(finding.id, "accepted_undeclared", "open")]
    ledger.report(replace(taken_over, planned=(planned(),)))
    assert [f.class_ for f in ledger.open()] == ["accepted_undeclared"]
    codified = ledger.report(replace(taken_over, planned=()))
    assert codified.run.closed == 1
    assert ledger.every()[0].reason == "the code says so too"


def test_a_deletion_that_the_state_took_over_stays_until_the_code_forgets_it_too(ledger: Ledger) -> None:
    other = resource("postgresql_role.other")
    ledger.report(plan(deleted(), resources=(resource(), other), read=2))
    gone = plan(resources=(other,))
    ledger.report(gone)
    assert [f.class_ for f in ledger.open()] == ["accepted_undeclared"]
    again = replace(planned(), actions=("create",))
    ledger.report(replace(gone, planned=(again,)))
    assert [f.class_ for f in ledger.open()] == ["accepted_undeclared"]
    ledger.report(replace(gone, planned=()))
    assert ledger.open() == []


def test_pending_changes_are_kept_and_alarm_nobody(ledger: Ledger) -> None:
    pending = plan(planned=(planned(before=5, after=9),))
    taken = ledger.report(pending)
    assert (taken.run.status, taken.run.opened) == ("clean", 0)
    assert [(f.kind, f.class_) for f in taken.findings] == [("pending_change", "pending")]
    ledger.report(plan())
    assert [f.class_ for f in ledger.open()] == ["pending"]
    ledger.report(plan(planned=()))
    assert ledger.open() == []


def test_drift_that_a_normal_plan_would_not_undo_is_ignored_until_a_plan_says_otherwise(ledger: Ledger) -> None:
    taken = ledger.report(plan(drifted(), planned=()), serial=4)
    assert (taken.run.status, taken.findings[0].class_) == ("clean", "ignored")
    assert ledger.report(plan(drifted()), serial=4).run.status == "clean"
    assert ledger.report(plan(drifted()), serial=5).run.status == "clean"
    assert ledger.report(plan(drifted(), planned=(planned(),)), serial=5).run.opened == 1
    assert [f.class_ for f in ledger.open()] == ["drift"]


def test_a_plan_made_before_the_drift_says_nothing_of_it(ledger: Ledger) -> None:
    ledger.report(plan(planned=()), serial=4)
    assert ledger.report(plan(drifted()), serial=4).run.status == "drifted"


def test_a_deletion_that_a_normal_plan_would_not_undo_stays_ignored(ledger: Ledger) -> None:
    assert ledger.report(plan(deleted(), planned=())).run.status == "clean"
    assert ledger.report(plan(deleted())).run.status == "clean"
    assert [f.class_ for f in ledger.open()] == ["ignored"]
    assert ledger.report(plan(deleted(), planned=(replace(planned(), actions=("create",)),))).run.opened == 1


def test_another_attribute_of_what_a_plan_ignored_is_drift(ledger: Ledger) -> None:
    ledger.report(plan(drifted(), planned=()))
    assert ledger.report(plan(drifted(path="owner", before="a", after="b"))).run.status == "drifted"


def test_a_secret_attribute_leaves_no_value_behind(ledger: Ledger) -> None:
    secret = replace(drifted(), attributes=(AttributeDiff(path="password", sensitive=True),))
    (finding,) = ledger.report(plan(secret)).findings
    assert (finding.severity, finding.json()["attributes"]) == ("error", [{"path": "password", "sensitive": True}])
    ledger.report(plan())
    assert "secret" in ledger.every()[0].reason


def test_a_resource_that_is_deleted_after_it_had_changed_is_another_finding(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    taken = ledger.report(plan(deleted()))
    assert (taken.run.opened, taken.run.closed) == (1, 1)
    assert [(f.kind, f.state) for f in ledger.every()] == [("attribute_changed", "closed"), ("deleted_outside", "open")]


def test_a_report_of_the_workspace_as_a_whole_closes_no_resource(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    whole = Drifted(address="", resource_type="", module="", action="update", known_values=False)
    ledger.report(replace(STREAM, drift=(whole,)))
    assert [(f.address, f.kind) for f in ledger.open()] == [("", "workspace_drifted"), (ROLE, "attribute_changed")]
    ledger.report(plan(drifted()))
    assert [f.address for f in ledger.open()] == [ROLE]


def test_hostile_addresses_are_kept_short_and_visible(ledger: Ledger) -> None:
    hostile = 'a.b["\x00\x1b[31m' + "x" * 5000 + '"]'
    (finding,) = ledger.report(plan(drifted(address=hostile))).findings
    assert finding.address.startswith('a.b["\\x00\\x1b[31mxxx')
    assert len(finding.address) == 600
    assert ledger.report(plan(drifted(address=hostile))).run.still_open == 1


def test_a_stream_does_not_end_what_the_state_took_over(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    ledger.report(plan(resources=(resource(connection_limit=3),)))
    assert [f.class_ for f in ledger.open()] == ["accepted_undeclared"]
    kept = ledger.report(STREAM)
    assert (kept.run.status, kept.run.closed) == ("drifted", 0)
    assert [(f.class_, f.state) for f in ledger.open()] == [("accepted_undeclared", "open")]


def test_a_size_that_keeps_moving_while_its_finding_is_open_is_learned(ledger: Ledger) -> None:
    sizes = [6, 7, 5, 9]
    for size in sizes:
        ledger.report(plan(drifted(path="desired_capacity", before=5, after=size + 10)))
    (finding,) = ledger.open()
    assert [move.after for move in moves_of(finding)] == [size + 10 for size in sizes]
    assert [move.at for move in moves_of(finding)] == [NOON + timedelta(hours=n) for n in range(1, 5)]
    (proposal,) = propose(moves_of(finding))
    assert (proposal.attribute, proposal.examples) == ("desired_capacity", (ROLE,))


def test_the_moves_of_a_secret_are_not_remembered(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.report(plan(replace(drifted(), attributes=(AttributeDiff(path="password", sensitive=True),))))
    assert "moves" not in ledger.open()[0].evidence
