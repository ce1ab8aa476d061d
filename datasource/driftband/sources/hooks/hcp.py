"""Notifications of HCP Terraform and Terraform Enterprise, of the destination type ``generic``.

Source of the forms: HashiCorp's "Notification configurations API reference", sections "Notification payload" (runs are
version 1, health assessments version 2) and "Notification authenticity". They tell how many resources have drifted, and not
which; they do not tell of the end of a drift.
"""

import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote, urlsplit

from driftband.model.change import Change, ChangeStatus
from driftband.sources.fields import Fields, link, read_json
from driftband.sources.hooks.hooked import Hooked, HookError, told

_STATUS: dict[str, ChangeStatus] = {"run:applying": "running", "run:completed": "succeeded", "run:errored": "failed"}
_CHANGED_NOTHING = frozenset({"planned_and_finished", "planned_and_saved", "discarded", "policy_soft_failed"})
"""How runs end that were not applied."""


def verify_hcp(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether ``X-TFE-Notification-Signature`` is the hex HMAC-SHA512 of the body by the notification's token.

    Without a token nothing is verified: HCP Terraform does not sign then, and anybody can sign with an empty one.
    """
    if not secret or not signature:
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode())


def read_hcp(body: bytes, received_at: datetime) -> tuple[Hooked, ...]:
    """Read a notification: of an apply a change, of a health assessment a report; of anything else nothing.

    The verification on saving a configuration, stages before the apply, runs that ended without one, and triggers not known
    here tell nothing. A run's change has the run's id all along. Its start is when the apply began where that was notified
    (``run:applying``), else when the run was created: a run may wait for its approval in between.

    Raises:
        HookError: where it is no notification, or a field is not as expected.
    """
    fields = Fields.of(read_json(body, HookError), "", HookError)
    if "payload_version" not in fields.raw:
        raise HookError("expected a generic notification of HCP Terraform: it has a payload_version")
    if fields.optional("trigger").startswith("assessment:"):
        return _assessment(fields, received_at)
    changes = (_run(fields, event) for event in fields.objects("notifications"))
    return tuple(hooked for hooked in changes if hooked is not None)


def _run(fields: Fields, event: Fields) -> Hooked | None:
    status = _STATUS.get(event.optional("trigger"))
    ended = event.optional("run_status")
    if status is None or ended in _CHANGED_NOTHING:
        return None
    workspace, run, updated = fields.text("workspace_name"), fields.text("run_id"), event.moment("run_updated_at")
    created = fields.moment("run_created_at", updated)
    change = Change(
        id=run,
        kind="terraform_apply",
        status=status,
        started_at=updated if status == "running" else min(created, updated),
        ended_at=None if status == "running" else updated,
        workspace=workspace,
        actor=event.optional("run_updated_by") or fields.optional("run_created_by"),
        url=link(fields.optional("run_url")),
        summary=fields.optional("run_message") or event.optional("message"),
    )
    return Hooked(workspace=workspace, run=run, url=change.url, change=change)


def _assessment(fields: Fields, received_at: datetime) -> tuple[Hooked, ...]:
    details = fields.inner("details")
    result = details.inner("new_assessment_result")
    workspace, run = details.text("workspace_name"), result.text("id")
    at = result.moment("created_at", received_at)
    trigger = fields.text("trigger")
    drifted = trigger == "assessment:drifted" or result.raw.get("drifted") is True
    checks = result.number("checks_failed") + result.number("checks_errored")
    errors = (f"{checks} of the workspace's checks failed",) if checks else ()
    if trigger == "assessment:failed" or result.raw.get("succeeded") is False:
        report = told("failed", at, errors=(fields.optional("message") or "the health assessment failed",))
    else:
        read = result.number("resources_drifted") + result.number("resources_undrifted")
        report = told("drifted" if drifted else "clean", at, read=read, errors=errors)
    return (Hooked(workspace=workspace, run=run, url=_page(details, result), report=report),)


def _page(details: Fields, result: Fields) -> str:
    """Return the workspace's page: the address that comes along is the API's, which a browser cannot open."""
    given = link(result.optional("url"))
    organization, workspace = details.optional("organization_name"), details.optional("workspace_name")
    if not given or not organization:
        return given
    return f"https://{urlsplit(given).netloc}/app/{quote(organization, safe='')}/workspaces/{quote(workspace, safe='')}"
