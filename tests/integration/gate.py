"""A gateway as those before Mimir: it wants headers, serves under a path, and passes on to a real Prometheus."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests


class _Gate(BaseHTTPRequestHandler):
    """Lets through to a Prometheus whoever brings what the server's ``wanted`` says, as Mimir's gateways do."""

    def do_GET(self) -> None:
        self._pass(None)

    def do_POST(self) -> None:
        self._pass(self.rfile.read(int(self.headers["Content-Length"])))

    def _pass(self, body: bytes | None) -> None:
        server: Any = self.server
        server.seen.append({name: self.headers.get(name) for name in server.wanted})
        if server.seen[-1] != server.wanted or not self.path.startswith("/prometheus/"):
            return self._answer(401, b"no org id", "text/plain")
        headers = {"Content-Type": self.headers.get("Content-Type", "")}
        url = server.target + self.path.removeprefix("/prometheus")
        answer = requests.request(self.command, url, data=body, headers=headers, timeout=30)
        return self._answer(answer.status_code, answer.content, answer.headers["Content-Type"])

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def gate(target: str, wanted: Mapping[str, str]) -> Iterator[Any]:
    """Run a gate to ``target`` that wants these headers; ``url`` is its address, ``seen`` what requests had of them."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Gate)
    server.target, server.wanted, server.seen = target, dict(wanted), []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/prometheus"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
