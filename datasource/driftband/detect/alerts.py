"""Alerts of others as findings: what an alert means, and what it does to the findings that are known. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from driftband.model.alert import Alert
from driftband.model.finding import Finding, Severity, Transition, step
from driftband.model.identity import identity_of
from driftband.model.moment import show_moment, to_ms

Meaning = Literal["trouble", "evidence_missing", "own", "about_driftband"]

OWN = "driftband"
"""The label that our rules carry, and the uid of our data source; the value ``self``: it is about driftband itself."""
_OWN_RULE = re.compile(r"/alerting/(?:grafana/)?driftband-[^/]+/")
_ABOUT_SELF = re.compile(r"/alerting/(?:grafana/)?driftband-self-[^/]+/")
_NO_EVIDENCE = frozenset({"DatasourceNoData", "DatasourceError"})
_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("critical", "crit", "fatal", "emergency", "page", "p1", "sev1"), "critical"),
    **dict.fromkeys(("error", "high", "major", "p2", "sev2"), "error"),
    **dict.fromkeys(("info", "information", "informational", "low", "none", "notice", "debug", "p4", "p5"), "info"),
}
_SUMMARIES = ("summary", "description", "message", "title")
_SUBJECTS = ("instance", "pod", "node", "host", "hostname")
MOST_NOTES = 20


def meaning(alert: Alert, signals: frozenset[str]) -> Meaning:
    """Return what an alert means. signals: the names of those that driftband watches.

    Whether a label ``finding`` or ``incident`` names one of ours only the ledger can tell.
    """
    labels = alert.labels
    about_self = labels.get(OWN) == "self" or _ABOUT_SELF.search(alert.generator) is not None
    if about_self or (alert.name in _NO_EVIDENCE and labels.get("datasource_uid") == OWN):
        return "about_driftband"
    if alert.name in _NO_EVIDENCE:
        return "evidence_missing"
    ours = OWN in labels or _OWN_RULE.search(alert.generator) is not None
    if ours or labels.get("signal") in signals or labels.get("finding") or labels.get("incident"):
        return "own"
    return "trouble"


def alert_key(alert: Alert) -> str:
    """Return what a repeat of an alert has in common with it: fingerprint, start and status."""
    return _digest(alert.fingerprint, to_ms(alert.starts_at), alert.status)


def finding_id(alert: Alert) -> str:
    """Return the id of the finding that an alert opens or closes."""
    return _digest(alert.fingerprint, to_ms(alert.starts_at))


def _digest(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=10).hexdigest()


def severity_of(alert: Alert) -> Severity:
    """Return the severity that an alert's label says, in the words of many; ``warning`` where it says nothing."""
    return _SEVERITIES.get(alert.labels.get("severity", "").strip().lower(), "warning")


@dataclass
class Settling:
    """The findings of alerts while a webhook is taken. known: those that are kept already, of the alerts' fingerprints.

    What has come of it: ``moved``, by id, and ``steps``.
    """

    names: Sequence[str]
    received_at: datetime
    known: dict[str, Finding]
    moved: dict[str, Finding] = field(default_factory=dict)
    steps: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Gather what is known by fingerprint."""
        self._by_fingerprint: dict[str, list[str]] = {}
        for finding in self.known.values():
            self._by_fingerprint.setdefault(str(finding.evidence.get("fingerprint")), []).append(finding.id)

    def take(self, alert: Alert, kind: str) -> str:
        """Let an alert open or close its finding; return the finding's id. A repeat changes nothing."""
        key = finding_id(alert)
        finding = self.known.get(key)
        if finding is None:
            finding = self._open(alert, key, kind)
        if alert.status == "resolved" and finding.state != "closed":
            ended = min(alert.ends_at or self.received_at, self.received_at)
            self._close(finding, ended, "the alert is resolved")
        return key

    def _open(self, alert: Alert, key: str, kind: str) -> Finding:
        others = [self.known[other] for other in self._by_fingerprint.get(alert.fingerprint, ())]
        before = max((f for f in others if f.opened_at <= alert.starts_at), key=_opened, default=None)
        after = min((f for f in others if f.opened_at > alert.starts_at), key=_opened, default=None)
        finding = replace(opened(alert, self.names, self.received_at, key, kind), reopens=before.id if before else None)
        self._keep(
            finding, Transition(finding=key, at=finding.opened_at, state="open", class_="drift", reason=finding.reason)
        )
        self._by_fingerprint.setdefault(alert.fingerprint, []).append(key)
        if before is not None and before.state != "closed":
            self._close(before, finding.opened_at, "the alert fires anew; its end was not told")
        if after is not None:
            self._close(finding, after.opened_at, "the alert fired anew later; its end was not told")
        return self.known[key]

    def _close(self, finding: Finding, at: datetime, reason: str) -> None:
        at = max(at, finding.opened_at)
        self._keep(*step(finding, at, reason, state="closed", closed_at=at, last_seen_at=at))

    def _keep(self, finding: Finding, transition: Transition) -> None:
        self.known[finding.id] = self.moved[finding.id] = finding
        self.steps.append(transition)


def _opened(finding: Finding) -> datetime:
    return finding.opened_at


def opened(alert: Alert, names: Sequence[str], received_at: datetime, key: str, kind: str) -> Finding:
    """Return the finding that an alert opens. names: of identity labels.

    Where nothing is known, ``evidence_missing``, it is nobody's trouble: it has no identity, and says what is not known.
    """
    missing = kind == "evidence_missing"
    identity = {} if missing else identity_of(alert.labels, names)
    at = min(alert.starts_at, received_at)
    name = alert.labels.get("rulename", alert.name) if missing else alert.name
    subject = next((alert.labels[label] for label in _SUBJECTS if label in alert.labels), "" if identity else name)
    return Finding(
        id=key,
        layer="runtime",
        kind=kind,
        class_="drift",
        address=alert.labels.get("datasource_uid", name) if missing else subject,
        signal=name,
        identity=identity,
        severity="info" if missing else severity_of(alert),
        opened_at=at,
        last_seen_at=max(at, received_at),
        reason=_reason(alert, name, missing),
        evidence={
            "link": alert.link or None,
            **({"image": alert.image} if alert.image else {}),
            "source": alert.source,
            "fingerprint": alert.fingerprint,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "values": dict(alert.values),
        },
    )


def _reason(alert: Alert, name: str, missing: bool) -> str:
    if missing:
        why = "has no data" if alert.name == "DatasourceNoData" else "cannot be evaluated"
        return f"the rule {name} {why}: whether all is well is not known"
    said = next((alert.annotations[key] for key in _SUMMARIES if alert.annotations.get(key)), "")
    return f"{name}: {said}" if said else f"the alert {name} fires"


def named(alert: Alert, known: Iterable[Finding]) -> Finding | None:
    """Return which of the findings that an own alert may mean it means, the youngest; None where there is none.

    Labels that both have must agree: a signal has findings of many services.
    """
    fits = [
        finding
        for finding in known
        if all(alert.labels.get(name, value) == value for name, value in finding.identity.items())
    ]
    return max(fits, key=lambda f: (f.state == "open", f.opened_at), default=None)


def noted(evidence: Mapping[str, Any], alert: Alert) -> dict[str, Any]:
    """Return a finding's evidence with an alert noted that our own series raised about it."""
    at = alert.ends_at if alert.status == "resolved" and alert.ends_at else alert.starts_at
    note = {
        "name": alert.name,
        "source": alert.source,
        "status": alert.status,
        "at": show_moment(at),
        "link": alert.link or None,
    }
    return {**evidence, "alerts": [*evidence.get("alerts", ())[-MOST_NOTES + 1 :], note]}
