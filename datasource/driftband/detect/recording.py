"""From what a detector says of a series to findings and their steps."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from driftband.detect.event import Event
from driftband.model.finding import Finding, Transition, step
from driftband.model.identity import identity_of
from driftband.model.moment import from_ms, show_moment
from driftband.model.series import Labels
from driftband.model.signal import Rule

Link = Callable[[Rule, Labels, int, int], str | None]
"""Makes a link to where a subject can be looked at from one instant to another (epoch ms), None where there is nothing."""

AROUND_MS = 3_600_000
"""How far before its beginning and after its last step a finding is shown."""
OPENED_AS = "severity_at_opening"
"""The evidence that keeps the severity a finding opened with: a label of a series must not move."""


def finding_id(signal: str, kind: str, labels: Labels, opened: int) -> str:
    """Return the id of a finding of a series: the same for whoever comes to it, and whenever."""
    content = orjson.dumps([signal, kind, labels, opened])
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Makes findings of events. names: of the identity labels. interval: of the watcher (ms)."""

    names: Sequence[str]
    interval: int
    link: Link

    def record(self, rule: Rule, event: Event, known: Finding | None) -> tuple[Finding, Transition] | None:
        """Return the finding after an event, and its step.

        known: the finding as it is; None before it opens, and where it is gone or was closed by other means: then there
        is nothing to tell.
        """
        if event.what == "opened":
            return self._opened(rule, event)
        if known is None or known.state == "closed":
            return None
        at = from_ms(event.at)
        evidence = {**self._evidence(rule, event), OPENED_AS: known.evidence.get(OPENED_AS, known.severity)}
        if event.what == "closed":
            # How bad it was stays on record; that it is calm now is why it closes.
            return step(known, at, event.reason, state="closed", closed_at=at, last_seen_at=at, evidence=evidence)
        return step(
            known, at, event.reason, severity=event.severity, score=event.score, last_seen_at=at, evidence=evidence
        )

    def _opened(self, rule: Rule, event: Event) -> tuple[Finding, Transition]:
        opened, about = from_ms(event.opened), event.resource
        before = None if event.reopens is None else finding_id(rule.name, event.kind, event.labels, event.reopens)
        finding = Finding(
            id=finding_id(rule.name, event.kind, event.labels, event.opened),
            layer=rule.layer,
            kind=event.kind,
            class_="drift",
            signal=rule.name,
            identity=identity_of({**dict(event.labels), **event.identity}, self.names),
            workspace=about.workspace if about else "",
            address=about.resource.address if about else "",
            resource_type=about.resource.resource_type if about else "",
            module=about.resource.module if about else "",
            severity=event.severity,
            score=event.score,
            opened_at=opened,
            last_seen_at=from_ms(event.at),
            window_from=from_ms(event.since - self.interval),
            reason=event.reason,
            evidence={**self._evidence(rule, event), OPENED_AS: event.severity},
            reopens=before,
        )
        told = Transition(finding=finding.id, at=opened, state="open", class_="drift", reason=event.reason)
        return finding, told

    def _evidence(self, rule: Rule, event: Event) -> dict[str, Any]:
        return {
            "query": rule.expr,
            "link": self.link(rule, event.labels, event.since - AROUND_MS, event.at + AROUND_MS),
            "labels": dict(event.labels),
            "unit": rule.unit,
            "since": show_moment(from_ms(event.since)),
            **event.evidence,
        }


def subject(finding: Finding) -> tuple[str, Labels]:
    """Return the kind and the series of a finding that a recorder made."""
    labels: Mapping[str, str] = finding.evidence.get("labels", {})
    return finding.kind, tuple(sorted(labels.items()))
