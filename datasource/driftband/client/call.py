"""One request to driftband's API, as it is sent, and as it waits in a spool. It carries no token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

WRITES = ("/driftband/v1/changes", "/driftband/v1/drift-reports")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A POST of a JSON document (or of JSON lines), redacted already; a GET where it says so. query: without empty values."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: Literal["GET", "POST"] = "POST"

    def json(self) -> dict[str, Any]:
        """Return the form of a spool's line."""
        return {"method": "POST", "path": self.path, "query": dict(self.query), "body": self.body.decode()}


def read_call(document: Any) -> Call:
    """Return the call of a spool's line; ValueError where it is another thing, without repeating it."""
    match document:
        case {"method": "POST", "path": str(path), "query": dict(query), "body": str(body)} if path in WRITES:
            if all(isinstance(value, str) for value in query.values()):
                return Call(path=path, query=query, body=body.encode())
    raise ValueError("not a call that driftband has spooled")


def report_call(body: bytes, workspace: str, run: str, **told: str | int | None) -> Call:
    """Return the call that reports a redacted plan or stream; ``told``: lineage, serial, commit, started_at."""
    known = {name: str(value) for name, value in told.items() if value not in {None, ""}}
    return Call(path="/driftband/v1/drift-reports", query={"workspace": workspace, "run": run, **known}, body=body)


def change_call(body: bytes) -> Call:
    """Return the call that records a change."""
    return Call(path="/driftband/v1/changes", query={}, body=body)
