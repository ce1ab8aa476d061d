from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftband.client.change import Said, change_of, made_just_now
from driftband.client.environment import Job
from driftband.model.attribute import AttributeDiff
from driftband.model.change import Touched
from driftband.model.report import Applied

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
BEFORE = NOW - timedelta(minutes=2)
JOB = Job(ci="github", run="4711-1-apply", commit="9f3c2a1", actor="dana", url="https://ci.example/4711")
APPLIED = Applied(
    tool="terraform", started_at=BEFORE, ended_at=BEFORE + timedelta(minutes=1), status="failed", summary="1 updated"
)


def test_an_apply_is_what_the_log_says_by_whom_the_ci_says() -> None:
    change = change_of(Said(workspace="prod/a"), JOB, APPLIED, NOW)
    assert change.id == "github-4711-1-apply:terraform_apply:prod/a"
    assert (change.kind, change.status) == ("terraform_apply", "failed")
    assert (change.started_at, change.ended_at) == (APPLIED.started_at, APPLIED.ended_at)
    assert (change.commit, change.actor, change.url) == ("9f3c2a1", "dana", "https://ci.example/4711")


def test_the_caller_has_the_last_word() -> None:
    said = Said(
        id="mine", kind="deploy", status="succeeded", workspace="w", commit="abcdef0", actor="erin", url="https://x.example",
        summary="s", started_at=NOW - timedelta(hours=1), ended_at=NOW, identity={"service": "checkout"},
    )  # fmt: skip
    change = change_of(said, JOB, APPLIED, NOW)
    for name in (
        "id",
        "kind",
        "status",
        "workspace",
        "commit",
        "actor",
        "url",
        "summary",
        "started_at",
        "ended_at",
        "identity",
    ):
        assert getattr(change, name) == getattr(said, name)


def test_told_again_it_is_the_same_change_and_run_again_another() -> None:
    later = NOW + timedelta(minutes=5)
    assert change_of(Said(), JOB, APPLIED, NOW).id == change_of(Said(), JOB, APPLIED, later).id
    again = Job(ci="github", run="4711-2-apply")
    assert change_of(Said(), again, APPLIED, NOW).id != change_of(Said(), JOB, APPLIED, NOW).id


def test_a_run_may_touch_several_workspaces_and_services() -> None:
    said = [Said(workspace="a"), Said(workspace="b"), Said(kind="deploy", identity={"service": "x"})]
    said += [Said(kind="deploy", identity={"service": "y"}), Said(kind="manual")]
    assert len({change_of(one, JOB, None, NOW).id for one in said}) == len(said)


def test_where_nothing_counts_the_runs_the_applys_time_does() -> None:
    job = Job(ci="atlantis", run="acme/infra/12/9f3c2a1", counted=False)
    other = Applied(tool="terraform", started_at=NOW, ended_at=NOW, status="succeeded", summary="")
    first, second = (change_of(Said(), job, applied, NOW).id for applied in (APPLIED, other))
    assert first != second
    assert first == change_of(Said(), job, APPLIED, NOW + timedelta(hours=1)).id


def test_the_run_of_hcp_terraform_is_the_one_of_its_own_notification() -> None:
    assert change_of(Said(), Job(ci="hcp-terraform", run="run-abc"), APPLIED, NOW).id == "run-abc"


def test_without_a_ci_the_content_is_the_key() -> None:
    said = Said(kind="manual", summary="restarted", started_at=BEFORE)
    assert change_of(said, Job(), None, NOW).id == change_of(said, Job(), None, NOW + timedelta(hours=1)).id
    assert change_of(said, Job(), None, NOW).id.startswith("manual-")


def test_times_that_nobody_tells_are_now_and_a_running_change_has_no_end() -> None:
    change = change_of(Said(kind="deploy"), JOB, None, NOW)
    assert (change.started_at, change.ended_at) == (NOW, NOW)
    assert change_of(Said(kind="deploy", status="running", started_at=BEFORE), JOB, None, NOW).ended_at is None
    assert change_of(Said(kind="deploy", ended_at=BEFORE), JOB, None, NOW).started_at == BEFORE
    ahead = change_of(Said(started_at=NOW + timedelta(hours=1)), JOB, None, NOW)
    assert ahead.ended_at == ahead.started_at
    with pytest.raises(ValueError, match="ended_at must not be before"):
        change_of(Said(started_at=NOW, ended_at=BEFORE), JOB, None, NOW)


@pytest.mark.parametrize(
    ("summary", "url", "expected"),
    [
        ("pool size", "https://ci.example/1", "pool size (https://g.example/pull/12)"),
        ("", "https://ci.example/1", "https://g.example/pull/12"),
        ("see https://g.example/pull/12", "", "see https://g.example/pull/12"),
        ("pool size", "https://g.example/pull/12", "pool size"),
    ],
)
def test_the_pull_request_is_linked_once(summary: str, url: str, expected: str) -> None:
    job = Job(ci="github", run="1", url=url, pull_request="https://g.example/pull/12")
    assert change_of(Said(summary=summary), job, None, NOW).summary == expected


def test_an_old_plan_says_nothing_of_when_it_was_applied() -> None:
    assert made_just_now(APPLIED, NOW) == APPLIED
    for now in (NOW + timedelta(days=1), BEFORE - timedelta(minutes=1)):
        change = change_of(Said(), JOB, made_just_now(APPLIED, now), now)
        assert change.started_at == min(now, APPLIED.ended_at or now)


def test_a_failed_apply_says_why() -> None:
    assert change_of(Said(), JOB, replace(APPLIED, errors=("out of quota",)), NOW).summary == "1 updated; out of quota"


def test_a_huge_apply_stays_within_what_the_server_takes() -> None:
    attributes = tuple(AttributeDiff(path=f"a[{number}]", before=1, after=2) for number in range(600))
    touched = tuple(Touched(address=f"x.y[{number}]", attributes=attributes) for number in range(20_005))
    applied = replace(APPLIED, resources=touched, summary="x" * 3000)
    said = Said(workspace="w" * 150, kind="deploy", identity={"service": "s" * 200})
    change = change_of(said, JOB, applied, NOW)
    assert (len(change.resources), len(change.resources[0].attributes), len(change.summary)) == (20_000, 500, 2000)
    assert len(change.id) == 200
    assert change.id != change_of(replace(said, identity={"service": "s" * 201}), JOB, applied, NOW).id
