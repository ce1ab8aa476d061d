"""A strict stand-in for a driftband server, on a real socket: it takes what SHAPES.md says and nothing else."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

TOKEN = "write-token-of-the-tests"
QUERY = {"workspace", "run", "lineage", "serial", "commit", "started_at"}
CHANGE = {
    "id", "kind", "status", "started_at", "ended_at", "workspace", "commit", "actor", "url", "summary", "identity", "resources",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer that is given instead of the usual one. cut: the connection is dropped without one."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class StandIn:
    """The server. ``replies`` are given first, one a request; ``findings`` go into the answers to reports."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.status = "clean"
        self.findings: list[dict[str, Any]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, target: str, headers: Callable[[str], str | None], body: bytes) -> Reply:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, strict_parsing=True) if parts.query else [])
        self.requests.append((parts.path, query, body))
        if self.replies:
            return self.replies.pop(0)
        if headers("Authorization") != f"Bearer {TOKEN}":
            return _problem(401, "Unauthorized", "a write token is needed")
        reply = self._take(parts.path, query, body)
        if reply.status in {200, 201}:
            self.taken.append((parts.path, query, body))
        return reply

    def _take(self, path: str, query: dict[str, str], body: bytes) -> Reply:
        if path == "/driftband/v1/drift-reports":
            if not {"workspace", "run"} <= query.keys() <= QUERY:
                return _problem(400, "Bad Request", "workspace and run are needed, and nothing that is not known")
            run = {"id": query["run"], "workspace": query["workspace"], "status": self.status, "tool": "terraform"}
            return Reply(
                body={"run": run, "opened": len(self.findings), "still_open": 0, "closed": 0, "findings": self.findings}
            )
        if path == "/driftband/v1/changes":
            change = json.loads(body)
            if query or not {"id", "kind", "started_at"} <= change.keys() <= CHANGE:
                return _problem(400, "Bad Request", "id, kind and started_at are needed, and nothing that is not known")
            return Reply(status=201, body=change)
        return _problem(404, "Not Found", "")


def _problem(status: int, title: str, detail: str) -> Reply:
    return Reply(
        status=status,
        body={"title": title, "status": status, "detail": detail},
        headers={"Content-Type": "application/problem+json"},
    )


def _handler(server: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = server.answer(self.path, self.headers.get, body)
            if reply.cut:
                self.close_connection = True
                self.connection.close()
                return
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
