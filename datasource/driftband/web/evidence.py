"""Our own API: evidence in, and what became of it out. Format: SHAPES in docs/api.md."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import orjson
from flask import Blueprint, Response, request

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.ignore import Ignore
from driftband.model.refusal import RefusedError
from driftband.model.run import About, Run, Taken
from driftband.web.bodies import json_object, moment_of, text
from driftband.web.listing import Wanted, known_alone, moment, paged, wanted
from driftband.web.problems import refusals

PREFIX = "/driftband/v1"
LONGEST_NAME = 200
_LAYERS = ("configuration", "runtime", "behavioral")
_CLASSES = ("drift", "accepted_undeclared", "pending", "normalisation", "provisional", "ignored")
_REPORT = ("workspace", "run", "lineage", "serial", "commit", "started_at", "adopt")
_PAGE = ("limit", "cursor")
_FINDING = ("layer", "workspace", "kind", "class", "severity", "address", "signal")
_CHANGE = ("workspace", "kind", "status", "commit")
_ARGUMENTS = {
    "take_report": _REPORT,
    "take_inventory": _REPORT,
    "show_inventory": ("workspace",),
    "list_runs": ("workspace", *_PAGE),
    "list_findings": ("state", *_FINDING, "since", "until", *_PAGE),
    "list_changes": (*_CHANGE, "since", "until", *_PAGE),
}


class Evidence(Protocol):
    """What the API stands on. Every method may raise RefusedError."""

    def report(self, body: bytes, about: About) -> Taken:
        """Take a drift report."""

    def stock(self, body: bytes, about: About) -> int:
        """Take a state as the inventory of a workspace, and return how many resources it has."""

    def resources(self, workspace: str) -> list[dict[str, Any]]:
        """Return the inventory of a workspace."""

    def findings(self, part: Wanted) -> list[Finding]:
        """Return findings, one more than wanted where there are more."""

    def finding(self, finding_id: str) -> tuple[Finding, list[dict[str, Any]]]:
        """Return a finding and its story."""

    def accept(self, finding_id: str, by: str, reason: str, until: datetime | None) -> Finding:
        """Accept a finding."""

    def runs(self, part: Wanted) -> list[Run]:
        """Return runs."""

    def change(self, fields: Mapping[str, Any]) -> tuple[Change, bool]:
        """Take a change, and tell whether it is new."""

    def changes(self, part: Wanted) -> list[Change]:
        """Return changes."""

    def one_change(self, change_id: str) -> Change:
        """Return a change."""

    def ignores(self) -> tuple[list[Ignore], list[dict[str, Any]]]:
        """Return the ignore rules, and those that history proposes."""

    def ignore(self, fields: Mapping[str, Any]) -> tuple[Ignore, bool]:
        """Add an ignore rule, and tell whether it is new."""

    def unignore(self, rule_id: str) -> None:
        """Take an ignore rule back."""

    def audit(self, body: bytes) -> tuple[int, int]:
        """Take audit events, and return how many there were and how many findings they attributed."""

    def hook(self, kind: str, body: bytes) -> dict[str, Any]:
        """Take a webhook of a CI."""


def blueprint(evidence: Evidence) -> Blueprint:
    """Return the routes under ``/driftband/v1``."""
    api = Blueprint("evidence", __name__, url_prefix=PREFIX)
    refusals(api)

    @api.before_request
    def refuse_unknown_arguments() -> None:
        name = str(request.endpoint).removeprefix("evidence.")
        if not name.startswith("hook_"):  # whoever set a webhook up may have arguments of its own in its address
            known_alone(request.args, _ARGUMENTS.get(name, ()))

    _reports(api, evidence)
    _findings(api, evidence)
    _changes(api, evidence)
    _ignores(api, evidence)
    return api


def _reports(api: Blueprint, evidence: Evidence) -> None:
    @api.post("/drift-reports")
    def take_report() -> Response:
        taken = evidence.report(request.get_data(), _about())
        return answer(taken.json(), 200 if taken.known else 201)

    @api.post("/inventory")
    def take_inventory() -> Response:
        about = _about()
        return answer({"workspace": about.workspace, "resources": evidence.stock(request.get_data(), about)}, 201)

    @api.get("/inventory")
    def show_inventory() -> Response:
        return answer({"resources": evidence.resources(_workspace())})

    @api.get("/runs")
    def list_runs() -> Response:
        part = wanted(request.args, ("workspace",), {})
        return answer(paged("runs", evidence.runs(part), part.limit, "at", "place"))


def _findings(api: Blueprint, evidence: Evidence) -> None:
    @api.get("/findings")
    def list_findings() -> Response:
        part = wanted(request.args, _FINDING, {"layer": _LAYERS, "class": _CLASSES})
        state = request.args.get("state", "open")
        if state not in ("open", "closed", "accepted", "all"):
            raise RefusedError("state must be one of open, closed, accepted, all")
        if state != "all":
            part.equal["state"] = state
        return answer(paged("findings", evidence.findings(part), part.limit, "opened_at"))

    @api.get("/findings/<finding_id>")
    def show_finding(finding_id: str) -> Response:
        finding, story = evidence.finding(finding_id)
        return answer({**finding.json(), "timeline": story})

    @api.post("/findings/<finding_id>/accept")
    def accept(finding_id: str) -> Response:
        fields = json_object(("by", "reason", "until"))
        by, reason = text(fields, "by"), text(fields, "reason")
        return answer(evidence.accept(finding_id, by, reason, moment_of(fields, "until")).json())


def _changes(api: Blueprint, evidence: Evidence) -> None:
    @api.post("/changes")
    def take_change() -> Response:
        change, new = evidence.change(json_object(None))
        return answer(change.json(), 201 if new else 200)

    @api.get("/changes")
    def list_changes() -> Response:
        part = wanted(request.args, _CHANGE, {})
        return answer(paged("changes", evidence.changes(part), part.limit, "started_at"))

    @api.get("/changes/<path:change_id>")
    def show_change(change_id: str) -> Response:
        return answer(evidence.one_change(change_id).json())

    @api.post("/audit-events")
    def take_audit_events() -> Response:
        taken, attributed = evidence.audit(request.get_data())
        return answer({"events": taken, "attributed": attributed}, 201)

    for name in ("atlantis", "hcp-terraform"):
        _hook(api, evidence, name)


def _hook(api: Blueprint, evidence: Evidence, name: str) -> None:
    @api.post(f"/hooks/{name}", endpoint=f"hook_{name.replace('-', '_')}")
    def take_hook() -> Response:
        return answer(evidence.hook(name, request.get_data()))


def _ignores(api: Blueprint, evidence: Evidence) -> None:
    @api.get("/ignores")
    def list_ignores() -> Response:
        rules, proposals = evidence.ignores()
        return answer({"ignores": [rule.json() for rule in rules], "proposals": proposals})

    @api.post("/ignores")
    def add_ignore() -> Response:
        names = ("workspace", "address", "resource_type", "attribute", "reason", "owner", "expires_at")
        fields = json_object(names)
        texts = {name: text(fields, name, required=name in ("reason", "owner")) for name in names[:-1]}
        rule, new = evidence.ignore({**texts, "expires_at": moment_of(fields, "expires_at")})
        return answer(rule.json(), 201 if new else 200)

    @api.delete("/ignores/<rule_id>")
    def remove_ignore(rule_id: str) -> Response:
        evidence.unignore(rule_id)
        return Response(status=204)


def _about() -> About:
    values = request.args
    for name in ("run", "lineage", "commit"):
        if len(values.get(name, "")) > LONGEST_NAME or not values.get(name, "").isprintable():
            raise RefusedError(f"{name} must be printable, of at most {LONGEST_NAME} characters")
    serial = values.get("serial", "")
    if serial and not (serial.isascii() and serial.isdigit() and len(serial) <= 18):  # noqa: PLR2004 - 63 bits
        raise RefusedError("serial must be a whole number, as in the state")
    return About(
        workspace=_workspace(),
        run=values.get("run", ""),
        lineage=values.get("lineage", ""),
        serial=int(serial) if serial else None,
        commit=values.get("commit", ""),
        started_at=moment(values, "started_at"),
        adopt=values.get("adopt", "") in ("true", "1"),
    )


def _workspace() -> str:
    name: str = request.args.get("workspace", "")
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise RefusedError(
            f"?workspace= is needed: a name such as prod/network, printable, of at most {LONGEST_NAME} characters"
        )
    return name


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """Return JSON."""
    return Response(orjson.dumps(value), status, content_type="application/json")
