"""Between incidents and their rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from driftband.model.incident import Entry, Incident, Suspect

_INCIDENT = (
    "id", "title", "state", "severity", "verdict", "opened_at", "acknowledged_at", "acknowledged_by", "resolved_at",
    "calm_since", "owner", "root", "merged_into",
)  # fmt: skip


def of_incident(incident: Incident, announced: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of an incident; its findings and timeline have tables of their own."""
    return {
        **{name: getattr(incident, name) for name in _INCIDENT},
        "identity": dict(incident.identity),
        "suspects": [[s.change, s.score, list(s.reasons)] for s in incident.suspects],
        "context": dict(incident.context),
        "announced": dict(announced),
    }


def to_incident(row: RowMapping, findings: Sequence[str], timeline: Iterable[Entry]) -> Incident:
    """Return the incident of a row."""
    return Incident(
        **{name: row[name] for name in _INCIDENT},
        identity=row["identity"],
        suspects=tuple(Suspect(change=c, score=s, reasons=tuple(r)) for c, s, r in row["suspects"]),
        context=row["context"],
        findings=tuple(findings),
        timeline=tuple(timeline),
    )


def announced_of(incident: Incident, commits: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the labels of driftband_incident, but for its id and those of its identity.

    commits: of changes, by their ids. url: where a person reads about the incident.
    """
    suspect = incident.suspect
    return {
        **incident.identity,
        "title": incident.title,
        "severity": incident.severity,
        "verdict": incident.verdict,
        "suspect": suspect.change if suspect else "",
        "suspect_commit": commits.get(suspect.change, "") if suspect else "",
        "url": url,
    }


def version_of(incident: Incident, commits: Mapping[str, str]) -> dict[str, Any]:
    """Return what an incident's version says, without its interval."""
    suspect = incident.suspect
    return {
        "incident": incident.id,
        "state": incident.state,
        "findings": len(incident.findings),
        "title": incident.title,
        "severity": incident.severity,
        "verdict": incident.verdict,
        "identity": dict(incident.identity),
        "suspect": suspect.change if suspect else "",
        "suspect_commit": commits.get(suspect.change, "") if suspect else "",
        "suspect_score": suspect.score if suspect else None,
    }
