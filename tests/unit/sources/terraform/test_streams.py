"""Streams: lines that are broken, cut, or not Terraform's; and logs of applies."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from driftband.model.report import Renamed
from driftband.sources.terraform import ReportError, read_apply, read_report, redacted
from driftband.sources.terraform.stream import TRUNCATED

Stream = Callable[..., bytes]
SUMMARY = {"type": "change_summary", "changes": {"add": 0, "change": 0, "remove": 0, "operation": "plan"}}


def subject(address: str) -> dict[str, Any]:
    return {"addr": address, "resource_type": "aws_thing", "resource_key": None}


def hook(kind: str, address: str, action: str = "", at: str | None = None) -> dict[str, Any]:
    body = {"resource": subject(address), "action": action, "id_key": "id", "id_value": "canary-id"}
    return {"type": kind, "@timestamp": at, "hook": body}


def drifted(address: str, action: str, previous: str | None = None) -> dict[str, Any]:
    change = {"resource": subject(address), "action": action}
    return {
        "type": "resource_drift",
        "change": {**change, **({"previous_resource": subject(previous)} if previous else {})},
    }


def error(summary: str, address: str | None = None, severity: str = "error") -> dict[str, Any]:
    found = {"severity": severity, "summary": summary, "detail": "canary-detail", "snippet": {"code": "canary-code"}}
    return {"type": "diagnostic", "diagnostic": {**found, **({"address": address} if address else {})}}


def test_what_was_begun_and_not_ended_was_not_read(stream_of: Stream) -> None:
    lines = [hook("refresh_start", "a.x"), hook("refresh_start", "a.y"), hook("refresh_complete", "a.x"), SUMMARY]
    report = read_report(stream_of(*lines))
    assert (report.unread, report.complete, report.errored, report.read) == (("a.y",), False, False, 1)


def test_a_stream_without_a_summary_is_incomplete(stream_of: Stream) -> None:
    assert not read_report(stream_of()).complete
    assert read_report(stream_of(SUMMARY)).complete


def test_warnings_are_no_errors(stream_of: Stream) -> None:
    report = read_report(stream_of(error("careful", "a.x", "warning"), SUMMARY))
    assert (report.errored, report.complete, report.errors, report.unread) == (False, True, (), ())


def test_drift_and_moves_are_told_apart(stream_of: Stream) -> None:
    lines = [
        drifted("a.x", "update"),
        drifted("a.y", "delete"),
        drifted("a.new", "move", "a.old"),
        drifted("a.z", "noop"),
    ]
    lines += [drifted("a.both", "update", "a.was"), {**drifted("a.new", "move", "a.old"), "type": "planned_change"}]
    report = read_report(stream_of(*lines, SUMMARY))
    assert [(each.address, each.action, each.previous_address) for each in report.drift] == [
        ("a.x", "update", None),
        ("a.y", "delete", None),
        ("a.both", "update", "a.was"),
    ]
    assert report.renamed == (Renamed(source="a.old", target="a.new"), Renamed(source="a.was", target="a.both"))


@pytest.mark.parametrize("summary", ["Error acquiring the state lock", "Error locking state: in use"])
def test_locks_are_told(summary: str, stream_of: Stream) -> None:
    assert read_report(stream_of(error(summary))).locked
    assert not read_report(stream_of(error("no lock at all"))).locked


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_cut_last_line_leaves_the_stream_incomplete(end: str, stream_of: Stream) -> None:
    body = stream_of(drifted("a.x", "update"), SUMMARY) + b'{"@level":"info","type":"outp' + end.encode()
    report = read_report(body)
    assert (report.complete, report.errored, report.errors) == (False, False, (TRUNCATED,))
    assert len(report.drift) == 1
    assert read_report(redacted(body)) == report


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"refresh_start", canary',
        '{"type": "resource_drift"}}',
        '{"type":"resource_drift","change":3}',
        '{"a":\udcff}',
        "\udcff",
        "\0",
    ],
)
def test_a_broken_line_is_refused_by_its_number(line: str, stream_of: Stream) -> None:
    body = stream_of(drifted("a.x", "update")) + line.encode("utf-8", "surrogateescape") + b"\n" + stream_of(SUMMARY)
    with pytest.raises(ReportError, match=r"^line 3 of the stream is broken: ") as caught:
        read_report(body)
    assert "canary" not in str(caught.value)


def test_a_nested_line_is_refused(stream_of: Stream) -> None:
    with pytest.raises(ReportError, match=r"line 2 .* nested too deeply"):
        read_report(stream_of('{"type":"resource_drift","x":' + "[" * 9999 + "]" * 9999 + "}", SUMMARY))


def test_plain_text_and_other_programs_lines_are_passed_over(stream_of: Stream) -> None:
    strange = [
        "$ terraform plan -json",
        "",
        "[1, 2]",
        "3",
        '"text"',
        '{"level":"info","msg":"hi"}',
        '{"type":1,"change":"x"}',
    ]
    strange += [
        '{"type":"log","hook":5}',
        '{"type":"provision_progress","hook":{"output":"canary"}}',
        "\x1b[31mError\x1b[0m",
        "\r",
    ]
    body = (
        b"CI begins\r\n\r\n" + stream_of(*strange, drifted("a.x", "update"), SUMMARY).replace(b"\n", b"\r\n") + b"done"
    )
    report = read_report(body)
    assert (report.complete, len(report.drift)) == (True, 1)
    assert read_report(redacted(body)) == report
    assert b"canary" not in redacted(body)


def test_a_stream_must_say_which_terraform_wrote_it() -> None:
    for body in (
        b'{"@level":"info","type":"resource_drift"}',
        b'{"@level":"info","type":"log"}\n{"@level":"info","type":"log"}',
    ):
        with pytest.raises(ReportError, match="which Terraform wrote"):
            read_report(body)


def test_a_stream_of_one_line_is_a_stream(stream_of: Stream) -> None:
    body = stream_of()
    assert read_report(body).source == read_report(redacted(body)).source == "stream"
    assert read_report(body.replace(b"terraform", b"tofu")).tool == "opentofu"


def test_errors_are_redacted_and_then_cut(stream_of: Stream) -> None:
    secret = "ghp_" + "a1" * 18
    body = stream_of(error("x" * 290 + f" {secret}"), error(f"login at postgres://app:hunter2@db failed {'y' * 900}"))
    report = read_report(body)
    assert report.errors[0] == "x" * 290 + " <redacted"[:10]
    assert report.errors[1].startswith("login at postgres://app:<redacted>@db failed yyy")
    assert {len(each) for each in report.errors} == {300}
    safe = redacted(body)
    for canary in (b"ghp_", b"hunter2", b"canary"):
        assert canary not in safe
    assert redacted(safe) == safe
    assert read_report(safe) == report


def test_reading_data_sources_makes_no_apply(stream_of: Stream) -> None:
    lines = [hook("apply_start", "data.a.x", "read"), hook("apply_complete", "data.a.x", "read"), SUMMARY]
    assert read_report(stream_of(*lines)).complete
    with pytest.raises(ReportError, match="stream of a plan"):
        read_apply(None, stream_of(*lines))


@pytest.mark.parametrize(
    "line",
    [
        hook("apply_start", "a.x", "create"),
        {"type": "change_summary", "changes": {"operation": "apply"}},
        {"type": "change_summary", "changes": {"operation": "destroy"}},
    ],
)
def test_an_apply_is_no_report(line: Any, stream_of: Stream) -> None:
    with pytest.raises(ReportError, match="driftband change record"):
        read_report(stream_of(SUMMARY, line))


APPLIED = {"type": "change_summary", "changes": {"add": 1, "change": 2, "import": 3, "remove": 1, "operation": "apply"}}


def applying(stream_of: Stream, *more: Any) -> bytes:
    return stream_of(
        drifted("a.drifted", "update"),
        SUMMARY,
        hook("apply_start", "data.a.x", "read", "2026-11-24T00:00:01Z"),
        hook("apply_start", "module.m[0].a.x", "create", "2026-11-24T00:00:02.5Z"),
        hook("apply_start", "a.y", "update", "2026-11-24T00:00:03Z"),
        hook("apply_complete", "module.m[0].a.x", "create", "2026-11-24T00:00:04Z"),
        hook("apply_start", "module.m[0].a.x", "delete", "2026-11-24T00:00:05Z"),
        hook("apply_complete", "module.m[0].a.x", "delete", "2026-11-24T00:00:06Z"),
        *more,
    ).replace(b"2026-11-24T00:16:31.488960Z", b"2026-11-23T23:59:59Z")


def test_an_apply_tells_what_it_touched(stream_of: Stream) -> None:
    done = [hook("apply_complete", "a.y", "update", "2026-11-24T00:00:07Z"), APPLIED]
    applied = read_apply(None, applying(stream_of, *done))
    assert [(each.address, each.type, each.module, each.actions) for each in applied.resources] == [
        ("module.m[0].a.x", "aws_thing", "m", ("create", "delete")),
        ("a.y", "aws_thing", "", ("update",)),
    ]
    assert (applied.status, applied.summary) == ("succeeded", "1 added, 2 changed, 1 destroyed, 3 imported")
    assert applied.started_at
    assert applied.ended_at
    assert (applied.started_at.isoformat(), applied.ended_at.isoformat()) == (
        "2026-11-24T00:00:02.500000+00:00",
        "2026-11-24T00:00:07+00:00",
    )
    assert read_apply(None, redacted(applying(stream_of, *done))) == applied


def test_an_apply_without_a_summary_or_with_errors_has_failed(stream_of: Stream) -> None:
    cut = read_apply(None, applying(stream_of) + b'{"@lev')
    assert (cut.status, cut.errors) == ("failed", (TRUNCATED,))
    assert cut.summary == "1 added, 0 changed, 1 destroyed, 0 failed"
    failed = [hook("apply_errored", "a.y", "update"), error("no quota left", "a.y")]
    applied = read_apply(None, applying(stream_of, *failed))
    assert (applied.status, applied.errors) == ("failed", ("no quota left",))
    assert applied.summary == "1 added, 0 changed, 1 destroyed, 1 failed"
    assert read_apply(None, stream_of(error("Error acquiring the state lock"))).status == "failed"


def test_an_apply_has_its_values_from_the_plan_without_secrets(
    stream_of: Stream, plan_of: Callable[..., bytes]
) -> None:
    mask = {"p": True}
    change = {"actions": ["update"], "before": {"a": 1, "p": "hunter2-old"}, "after": {"a": 2, "p": "hunter2-new"}}
    change |= {"after_unknown": {"id": True}, "before_sensitive": mask, "after_sensitive": mask}
    item = {"address": "module.m[0].a.x", "type": "aws_thing", "change": change}
    calls = {"root_module": {"module_calls": {"m": {"source": "r/m", "version_constraint": "2.4.0"}}}}
    plan = plan_of(resource_changes=[item], configuration=calls, timestamp="2026-11-24T00:00:00Z")
    applied = read_apply(plan, applying(stream_of, error("cannot log in with hunter2-new")))
    assert "hunter2" not in repr(applied)
    assert applied.errors == ("cannot log in with <redacted>",)
    touched = applied.resources[0]
    assert (touched.module_version, touched.actions) == ("2.4.0", ("create", "delete"))
    assert [(each.path, each.before, each.after, each.sensitive) for each in touched.attributes] == [
        ("a", 1, 2, False),
        ("id", None, None, False),
        ("p", None, None, True),
    ]
    alone = read_apply(plan, None)
    assert (alone.started_at and alone.started_at.isoformat(), alone.ended_at) == ("2026-11-24T00:00:00+00:00", None)
    assert (alone.summary, alone.resources[0].actions) == ("0 to add, 1 to change, 0 to destroy", ("update",))
    assert read_apply(plan_of(errored=True), None).status == "failed"


def test_the_same_lines_twice_say_the_same(stream_of: Stream) -> None:
    lines = [json.dumps(error("down", "a.x"))] * 3
    report = read_report(stream_of(*lines))
    assert (report.errors, report.unread) == (("down",), ("a.x",))
