"""A change put together from what Terraform, the CI and the caller say; the caller has the last word."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from driftband.client.environment import Job
from driftband.model.change import Change, ChangeKind, ChangeStatus, Touched
from driftband.model.moment import show_moment
from driftband.model.report import Applied

# What the server takes of one change. A large apply is recorded in part rather than not at all.
MOST_RESOURCES = 20_000
MOST_ATTRIBUTES = 500
LONGEST_SUMMARY = 2000
LONGEST_ID = 200
_SOON = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the caller says; empty or None for nothing."""

    id: str = ""
    kind: ChangeKind | None = None
    status: ChangeStatus | None = None
    workspace: str = ""
    commit: str = ""
    actor: str = ""
    url: str = ""
    summary: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    identity: Mapping[str, str] = field(default_factory=dict)


def change_of(said: Said, job: Job, applied: Applied | None, now: datetime) -> Change:
    """Return the change; ValueError where it contradicts itself. ``now`` stands in where nobody tells a time."""
    status = said.status or (applied.status if applied else "succeeded")
    started = said.started_at or (applied.started_at if applied else None)
    ended = said.ended_at or (applied.ended_at if applied else None)
    if ended is None and status != "running":
        ended = max(now, started) if started else now
    workspace = said.workspace or job.workspace
    kind = said.kind or ("terraform_apply" if applied else "other")
    begun = started or min(now, ended or now)
    return Change(
        id=said.id or _within(_id(said, job, kind, workspace, applied.started_at if applied else None, begun)),
        kind=kind,
        status=status,
        started_at=begun,
        ended_at=None if status == "running" else ended,
        workspace=workspace,
        commit=said.commit or job.commit,
        actor=said.actor or job.actor,
        url=said.url or job.url,
        summary=_summary(said.summary or _told(applied), job)[:LONGEST_SUMMARY],
        identity=said.identity,
        resources=tuple(map(_bounded, applied.resources[:MOST_RESOURCES])) if applied else (),
    )


def _id(said: Said, job: Job, kind: str, workspace: str, applied_at: datetime | None, begun: datetime) -> str:
    """Return a key that is the same when the same is told again, by HCP Terraform's own notification too.

    A CI's run may touch several workspaces and services. Where nothing counts the runs, the apply's own time does.
    """
    identity = ",".join(f"{name}={value}" for name, value in sorted(said.identity.items()))
    parts = [f"{job.ci}-{job.run}", kind, workspace, identity if kind != "terraform_apply" else ""]
    if not job.counted and applied_at:
        parts.append(show_moment(applied_at))
    if job.ci == "hcp-terraform" and kind == "terraform_apply":
        return job.run
    if job.run:
        return ":".join(part for part in parts if part)
    facts = (kind, workspace, identity, show_moment(begun), said.commit or job.commit, said.actor, said.summary)
    return f"{kind}-{hashlib.sha256(chr(0).join(facts).encode()).hexdigest()[:20]}"


def _within(key: str) -> str:
    if len(key) <= LONGEST_ID:
        return key
    return f"{key[: LONGEST_ID - 21]}-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _bounded(touched: Touched) -> Touched:
    if len(touched.attributes) <= MOST_ATTRIBUTES:
        return touched
    return replace(touched, attributes=touched.attributes[:MOST_ATTRIBUTES])


def made_just_now(planned: Applied, now: datetime) -> Applied:
    """Return what a plan without an apply's log tells: one that is older was made long before it was applied."""
    stale = planned.started_at is None or not now - _SOON <= planned.started_at <= now
    return replace(planned, started_at=None) if stale else planned


def _told(applied: Applied | None) -> str:
    if applied is None:
        return ""
    return f"{applied.summary}; {applied.errors[0]}" if applied.errors else applied.summary


def _summary(text: str, job: Job) -> str:
    if not job.pull_request or job.pull_request in text or job.pull_request == job.url:
        return text
    return f"{text} ({job.pull_request})" if text else job.pull_request
