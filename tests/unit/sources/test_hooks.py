"""Webhooks of Atlantis and HCP Terraform, taken as they are sent."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.change import Change
from driftband.model.moment import parse_moment
from driftband.model.report import Drifted
from driftband.sources.hooks import Hooked, HookError, read_atlantis, read_hcp, verify_hcp

NOW = parse_moment("2026-11-24T10:10:00Z")
LATER = parse_moment("2026-11-24T10:10:09Z")
WHOLE = Drifted(address="", resource_type="", module="", action="update", known_values=False)


def body(name: str, **changes: Any) -> bytes:
    sample = (Path(__file__).parent / f"samples/hooks/{name}.json").read_bytes()
    return orjson.dumps(orjson.loads(sample) | changes)


def apply_of(received: Any = NOW, **changes: Any) -> Change:
    (hooked,) = read_atlantis(body("atlantis_apply", **changes), received)
    assert hooked.change is not None
    return hooked.change


def test_an_apply_of_atlantis_is_a_change() -> None:
    change = apply_of()
    assert change == Change(
        id=change.id,
        kind="terraform_apply",
        status="succeeded",
        started_at=NOW,
        ended_at=NOW,
        workspace="acme/platform/network",
        commit="9f3c2a1b7d5e4f60718293a4b5c6d7e8f9012345",
        actor="erik",
        url="https://git.example.com/acme/platform/pull/318",
        summary="atlantis apply of network from pull request 318 into main",
    )
    assert apply_of(Success=False).status == "failed"


def test_the_same_apply_delivered_twice_is_one_change_and_another_apply_another() -> None:
    first = apply_of()
    assert apply_of(LATER).id == first.id
    pull = orjson.loads(body("atlantis_apply"))["Pull"]
    others = [
        apply_of(Success=False),
        apply_of(Workspace="staging"),
        apply_of(ProjectName="", Directory="infra/network"),
        apply_of(Pull=pull | {"HeadCommit": "0000000aaaaaaa"}),
        apply_of(Pull=pull | {"Num": 319}),
    ]
    assert len({first.id, *(other.id for other in others)}) == 6


def test_applies_of_a_branch_are_told_apart_by_when_they_came() -> None:
    pull = {"Num": 0, "HeadCommit": "main", "BaseBranch": "main"}
    first, second = apply_of(Pull=pull), apply_of(LATER, Pull=pull)
    assert first.id != second.id
    assert (first.commit, first.url, first.summary) == ("", "", "atlantis apply of network into main")


@pytest.mark.parametrize(
    ("project", "directory", "workspace", "expected"),
    [
        ("network", "infra/network", "default", "acme/platform/network"),
        ("", "infra/network", "default", "acme/platform/infra/network"),
        ("", "./infra/", "staging", "acme/platform/infra/staging"),
        ("", ".", "default", "acme/platform"),
        ("", ".", "", "acme/platform"),
        ("", ".", "prod", "acme/platform/prod"),
    ],
)
def test_how_a_project_of_atlantis_becomes_a_workspace(
    project: str, directory: str, workspace: str, expected: str
) -> None:
    assert apply_of(ProjectName=project, Directory=directory, Workspace=workspace).workspace == expected


def test_a_drift_detection_of_atlantis_is_a_report_for_each_project() -> None:
    network, database, root = read_atlantis(body("atlantis_drift"), NOW)
    assert [one.workspace for one in (network, database, root)] == [
        "acme/platform/network",
        "acme/platform/infra/db/staging",
        "acme/platform",
    ]
    assert network.report is not None
    assert database.report is not None
    assert root.report is not None
    assert network.report.drift == (WHOLE,)
    assert (network.report.complete, network.report.errored, network.report.timestamp) == (True, False, NOW)
    assert (database.report.drift, database.report.complete, database.report.read) == ((), True, 1)
    assert (root.report.errored, root.report.complete, root.report.drift) == (True, False, ())
    assert len({one.run for one in (network, database, root)}) == 3
    assert [one.run for one in read_atlantis(body("atlantis_drift"), LATER)] == [network.run, database.run, root.run]


@pytest.mark.parametrize("name", ["atlantis_apply", "atlantis_drift"])
def test_no_secret_of_atlantis_gets_in(name: str) -> None:
    assert "canary" in body(name).decode()
    assert "canary" not in repr(read_atlantis(body(name), NOW))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://dana:hunter2@git.example.com/", "git.example.com", "https://["]
)
def test_only_what_a_page_may_link_to_is_a_link(url: str) -> None:
    pull = orjson.loads(body("atlantis_apply"))["Pull"]
    assert apply_of(Pull=pull | {"URL": url}).url == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Success": "yes"}, "^Success: expected true or false, got another text"),
        ({"Repo": {}}, r"^Repo\.FullName: expected a text, got nothing"),
        ({"Repo": "acme/platform"}, "^Repo: expected a JSON object"),
        ({"Pull": {"Num": "318"}}, r"^Pull\.Num: expected a whole number"),
    ],
)
def test_a_wrong_apply_is_refused_with_its_place(changes: Any, message: str) -> None:
    with pytest.raises(HookError, match=message):
        apply_of(**changes)


def test_a_wrong_drift_detection_is_refused_with_its_place() -> None:
    with pytest.raises(HookError, match=r"^projects\[0\]\.has_drift: expected true or false"):
        read_atlantis(body("atlantis_drift", projects=[{"path": "x"}]), NOW)


def test_the_verification_of_hcp_tells_nothing() -> None:
    assert read_hcp(body("hcp_verification"), NOW) == ()


def run_of(name: str, **changes: Any) -> Hooked:
    (hooked,) = read_hcp(body(name, **changes), NOW)
    return hooked


def test_a_run_of_hcp_is_one_change_all_along() -> None:
    running, done = run_of("hcp_run_applying"), run_of("hcp_run_completed")
    assert done.change == Change(
        id="run-Kd8sLq2WmZx4Tn6B",
        kind="terraform_apply",
        status="succeeded",
        started_at=parse_moment("2026-11-24T09:40:00Z"),
        ended_at=parse_moment("2026-11-24T10:02:10Z"),
        workspace="prod-checkout",
        actor="erik",
        url="https://app.terraform.io/app/acme/workspaces/prod-checkout/runs/run-Kd8sLq2WmZx4Tn6B",
        summary="Raise the pool size",
    )
    assert running.change is not None
    assert (running.change.id, running.change.status) == (done.change.id, "running")
    assert (running.change.started_at, running.change.ended_at) == (parse_moment("2026-11-24T10:00:00Z"), None)
    errored = run_of("hcp_run_errored").change
    assert errored is not None
    assert errored.status == "failed"


def test_a_run_that_applied_nothing_is_no_change() -> None:
    assert read_hcp(body("hcp_run_planned_and_finished"), NOW) == ()


@pytest.mark.parametrize(
    "trigger", ["run:created", "run:planning", "run:needs_attention", "team:change_request", "new"]
)
def test_what_is_no_apply_tells_nothing(trigger: str) -> None:
    events = [{"trigger": trigger, "run_status": "planning", "run_updated_at": "2026-11-24T10:00:00Z"}]
    assert read_hcp(body("hcp_run_completed", notifications=events), NOW) == ()


def test_a_clock_that_runs_backwards_makes_no_interval_of_less_than_nothing() -> None:
    change = run_of("hcp_run_completed", run_created_at="2026-11-24T11:00:00Z").change
    assert change is not None
    assert change.started_at == change.ended_at


def test_drift_of_an_assessment_is_the_workspace_s_as_a_whole() -> None:
    hooked = run_of("hcp_assessment_drifted")
    assert (hooked.workspace, hooked.run) == ("prod-checkout", "asmtres-Dr1fted000000001")
    assert hooked.url == "https://app.terraform.io/app/acme/workspaces/prod-checkout"
    assert hooked.report is not None
    assert hooked.report.drift == (WHOLE,)
    assert (hooked.report.source, hooked.report.read, hooked.report.complete) == ("stream", 41, True)
    assert hooked.report.timestamp == parse_moment("2026-11-24T10:05:00Z")


def test_failed_checks_are_said_and_are_no_drift() -> None:
    report = run_of("hcp_assessment_check_failure").report
    assert report is not None
    assert (report.drift, report.errored, report.complete) == ((), False, True)
    assert report.errors == ("3 of the workspace's checks failed",)


def test_a_failed_assessment_closes_nothing() -> None:
    report = run_of("hcp_assessment_failed").report
    assert report is not None
    assert (report.errored, report.complete, report.drift) == (True, False, ())
    assert report.errors == ("Health Assessment Errored",)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("hcp_run_completed", {"workspace_name": None}, "^workspace_name: expected a text, got nothing"),
        ("hcp_run_completed", {"run_created_at": "soon"}, "^run_created_at: expected an RFC 3339 time"),
        ("hcp_run_completed", {"notifications": ["x"]}, r"^notifications\[0\]: expected a JSON object"),
        ("hcp_assessment_drifted", {"details": {}}, r"^details\.workspace_name: expected a text, got nothing"),
        ("hcp_assessment_drifted", {"trigger": 4}, "^trigger: expected a text, got a number"),
    ],
)
def test_a_wrong_notification_is_refused_with_its_place(name: str, changes: Any, message: str) -> None:
    with pytest.raises(HookError, match=message):
        read_hcp(body(name, **changes), NOW)


@pytest.mark.parametrize("read", [read_atlantis, read_hcp])
@pytest.mark.parametrize("other", [b"", b"{", b"[]", b"{}", b"null", b"\xff", b"[" * 99_999])
def test_anything_else_is_refused(read: Any, other: bytes) -> None:
    with pytest.raises(HookError, match="expected"):
        read(other, NOW)


def sign(content: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha512).hexdigest()


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_signatures_of_hcp_hold_for_their_body_and_secret_alone(content: bytes, secret: str) -> None:
    assert verify_hcp(content, sign(content, secret), secret)
    assert verify_hcp(content, sign(content, secret).upper(), secret)
    assert not verify_hcp(content + b" ", sign(content, secret), secret)
    assert not verify_hcp(content, sign(content, secret + "x"), secret)


@pytest.mark.parametrize("signature", [None, "", "nonsense", "ü" * 128, "0" * 128])
def test_other_signatures_do_not_hold(signature: str | None) -> None:
    assert not verify_hcp(b"{}", signature, "secret")


def test_nobody_signs_with_an_empty_secret() -> None:
    assert not verify_hcp(b"{}", sign(b"{}", ""), "")


def test_a_webhook_tells_one_thing() -> None:
    with pytest.raises(ValueError, match="either of a change or of a report"):
        Hooked(workspace="w", run="r")
