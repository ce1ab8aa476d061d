"""Atlantis's HTTP webhooks.

Source of the forms: runatlantis/atlantis, ``ApplyResult`` in server/events/webhooks/webhooks.go (``event: apply``; Go's own
field names, since it has no JSON tags) and ``DriftResult`` in server/events/webhooks/drift.go (``event: drift``). Neither
tells when it happened, nor which tool ran, nor is it signed: Atlantis adds the headers of ``--webhook-http-headers``, which
may carry a token.

``CloneURL`` holds Atlantis's own password for the repository, and a project's ``error`` the output of its steps: neither
is read.
"""

import hashlib
import re
from datetime import datetime

from driftband.model.change import Change
from driftband.sources.fields import Fields, link, read_json
from driftband.sources.hooks.hooked import Hooked, HookError, told

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_MOST_PROJECTS = 10_000


def read_atlantis(body: bytes, received_at: datetime) -> tuple[Hooked, ...]:
    """Read a webhook: an apply is a change, a drift detection one report for each project.

    The workspace is ``owner/repo/project``, or its directory where it has no name, and ``/workspace`` unless that is
    ``default``; for the directory ``.`` it is ``owner/repo``.

    Raises:
        HookError: where it is neither, or a field is not as expected.
    """
    fields = Fields.of(read_json(body, HookError), "", HookError)
    if "detection_id" in fields.raw:
        return _drift(fields, received_at)
    if "Success" in fields.raw and "Repo" in fields.raw:
        return (_apply(fields, received_at),)
    raise HookError("expected Atlantis's webhook of the event apply (Repo, Success, ...) or drift (detection_id, ...)")


def _apply(fields: Fields, received_at: datetime) -> Hooked:
    repo, pull = fields.inner("Repo"), fields.inner("Pull")
    success = fields.raw.get("Success")
    if not isinstance(success, bool):
        raise fields.refuse("Success", "true or false")
    workspace = _workspace(
        repo.text("FullName"),
        fields.optional("ProjectName"),
        fields.optional("Directory"),
        fields.optional("Workspace"),
    )
    head = pull.optional("HeadCommit")
    commit = head if _COMMIT.fullmatch(head) else ""
    # An apply without a pull request has a branch there, which many applies share; then only the time tells them apart.
    told_apart = (commit, success) if commit else (head, success, received_at.isoformat())
    change = Change(
        id=_key(repo.inner("VCSHost").optional("Hostname"), workspace, pull.number("Num"), *told_apart),
        kind="terraform_apply",
        status="succeeded" if success else "failed",
        started_at=received_at,
        ended_at=received_at,
        workspace=workspace,
        commit=commit,
        actor=fields.inner("User").optional("Username") or pull.optional("Author"),
        url=link(pull.optional("URL")),
        summary=_summary(fields, pull),
    )
    return Hooked(workspace=workspace, run=change.id, url=change.url, change=change)


def _summary(fields: Fields, pull: Fields) -> str:
    """Say which apply it was; not with the pull request's own text, in which anything may stand."""
    where = fields.optional("ProjectName") or fields.optional("Directory") or "."
    number, base = pull.number("Num"), pull.optional("BaseBranch")
    request = f" from pull request {number}" if number else ""
    return f"atlantis apply of {where}{request}" + (f" into {base}" if base else "")


def _drift(fields: Fields, received_at: datetime) -> tuple[Hooked, ...]:
    repository, detection = fields.text("repository"), fields.text("detection_id")
    if len(fields.values("projects")) > _MOST_PROJECTS:
        raise fields.refuse("projects", f"at most {_MOST_PROJECTS} projects")
    return tuple(_project(project, repository, detection, received_at) for project in fields.objects("projects"))


def _project(project: Fields, repository: str, detection: str, received_at: datetime) -> Hooked:
    """Read one project. What Atlantis calls drift is what a plan would do: it may be code that was not applied yet."""
    workspace = _workspace(
        repository, project.optional("project_name"), project.optional("path"), project.optional("workspace")
    )
    has_drift = project.raw.get("has_drift")
    if not isinstance(has_drift, bool):
        raise project.refuse("has_drift", "true or false")
    if project.raw.get("error"):
        report = told("failed", received_at, errors=("Atlantis could not plan the project; its log says why",))
    else:
        report = told("drifted" if has_drift else "clean", received_at)
    return Hooked(workspace=workspace, run=_key(detection, workspace), report=report)


def _workspace(repository: str, project: str, directory: str, workspace: str) -> str:
    where = project or directory.removeprefix("./").strip("/")
    parts = (repository, "" if where == "." else where, "" if workspace == "default" else workspace)
    return "/".join(filter(None, parts))


def _key(*parts: object) -> str:
    return "atlantis-" + hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
