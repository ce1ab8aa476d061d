"""Audit events: who did what, as CloudTrail, Kubernetes or anything else recorded it."""

from driftband.sources.audit.body import read_audit_events
from driftband.sources.audit.errors import AuditError

__all__ = ["AuditError", "read_audit_events"]
