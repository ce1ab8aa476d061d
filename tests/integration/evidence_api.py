"""The evidence API as a sender and a reader use it, against a running service."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from driftband.model.moment import show_moment

from .driftband_server import DriftbandServer

CAPTURES = Path(__file__).parents[1] / "captures"
PREFIX = "/driftband/v1"
A0 = "a0_first_refresh_after_create_noise"
A = "a_clean_refresh_only"
B = "b_attr_drift"
B2 = "b2_local_file_content_drift"
C = "c_deleted_outside"
D2 = "d2_sensitive_drift_md5"
E = "e_normal_plan_drift_and_changes"
G1 = "g1_provider_unreachable"
H = "h_state_locked"
T2 = "t2_tofu_drift_refresh_only"
ROLE = 'module.role["orders"].postgresql_role.this'

StartApi = Callable[..., "Api"]


def capture(name: str, kind: str = "plan.json") -> bytes:
    return (CAPTURES / name / kind).read_bytes()


def now() -> datetime:
    return datetime.now(UTC)


class Api:
    """A service's evidence API, with a token where it wants one."""

    def __init__(self, server: DriftbandServer, store: str, token: str = "") -> None:
        self.server, self.store = server, store
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.request(
            method, f"{self.server.url}{PREFIX}{path}", headers=headers, timeout=120, allow_redirects=False, **more
        )

    def post(self, path: str, body: Any, **arguments: Any) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, data=data, params=_written(arguments))

    def get(self, path: str, **arguments: Any) -> Any:
        answer = self.ask("GET", path, params=_written(arguments))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def report(self, body: bytes | str, workspace: str, **arguments: Any) -> Any:
        """Report a body, or a capture's plan by its name, and return what became of it."""
        content = capture(body) if isinstance(body, str) else body
        answer = self.post("/drift-reports", content, workspace=workspace, **arguments)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def change(self, **fields: Any) -> Any:
        answer = self.post("/changes", _written(fields))
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def findings(self, workspace: str, **arguments: Any) -> list[Any]:
        found = self.get("/findings", workspace=workspace, **arguments)
        assert found["next"] is None
        return sorted(found["findings"], key=lambda f: (f["address"] or "", f["opened_at"]))

    def open(self, workspace: str) -> dict[str, str]:
        """Return the class of what is open, by address."""
        return {f["address"]: f["class"] for f in self.findings(workspace)}

    def instant(self, query: str, at: datetime | None = None) -> list[tuple[dict[str, str], float]]:
        """Return the labels and the value of each series."""
        arguments = {"time": at.timestamp()} if at else {}
        answer = requests.get(
            f"{self.server.url}/api/v1/query", params={"query": query, **arguments}, headers=self.headers, timeout=60
        )
        assert answer.status_code == 200, answer.text
        result = answer.json()["data"]["result"]
        return [({k: v for k, v in s["metric"].items() if k != "__name__"}, float(s["value"][1])) for s in result]

    def drifted(self, workspace: str, at: datetime | None = None) -> dict[str, str]:
        """Return the class of what ``driftband_drift`` has, by address."""
        found = self.instant(f'driftband_drift{{workspace="{workspace}"}}', at)
        return {labels["address"]: labels["class"] for labels, _ in found}


def _written(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: show_moment(v) if isinstance(v, datetime) else v for k, v in fields.items() if v is not None}


@contextmanager
def serving(folder: Path, store: str, token: str = "", **settings: Any) -> Iterator[Api]:
    """Start a service on a store."""
    with DriftbandServer(folder, **{"prometheus": {"url": "sample:"}, "store": store, **settings}) as server:
        yield Api(server, store, token)


def refused(answer: requests.Response, status: int, *words: str) -> str:
    """Assert that an answer is a problem that a person understands, and return its text."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    text = f"{problem['title']} {problem.get('detail', '')}"
    assert 5 < len(text) < 1000
    assert "Traceback" not in text
    for word in words:
        assert word in text, text
    return text
