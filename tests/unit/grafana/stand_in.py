"""A stand-in for Grafana's annotations API, as strict as Grafana 12.2: it takes what that takes, and no more."""

import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Any]
Turn = Callable[[str, str], Answer | None]
"""Told method and path, answers in place of the stand-in, or leaves it to it with None."""

TOKEN = "glsa_canary-token"
_FIELDS = {"panelId", "time", "timeEnd", "tags", "text"}


class Loopback:
    """A server on loopback, running within a ``with``: ``_handle`` is given each request."""

    def __init__(self, path: str = "") -> None:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand_in._handle(self)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        raise NotImplementedError


class GrafanaStandIn(Loopback):
    """Running within a ``with``. held: its annotations by id. asked: method and path of each request."""

    def __init__(self) -> None:
        super().__init__("/grafana")
        self.held: dict[int, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.turn: Turn = lambda _method, _path: None
        self._next = 1

    def hold(self, **annotation: Any) -> int:
        """Keep an annotation as somebody else would have made it."""
        number, self._next = self._next, self._next + 1
        self.held[number] = {"id": number, "time": 1, "timeEnd": 1, "text": "of a person", "tags": [], **annotation}
        return number

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        method, parts = request.command, urlsplit(request.path)
        path = parts.path.removeprefix("/grafana/api")
        self.asked.append(f"{method} {path}")
        answer = self.turn(method, path)
        if answer is None:
            answer = self._answer(request, method, path, parts.query, json.loads(body) if body else None)
        status, content = answer
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        with suppress(ConnectionError):  # the client may have given up
            request.send_response(status)
            request.send_header("Content-Type", "text/html" if isinstance(content, bytes) else "application/json")
            request.send_header("Content-Length", str(len(sent)))
            request.end_headers()
            request.wfile.write(sent)

    def _answer(self, request: Any, method: str, path: str, query: str, body: Any) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        one = re.fullmatch(r"/annotations/(\d+)", path)
        if one is None and path != "/annotations":
            return 404, {"message": "Not found"}
        if one is not None and int(one[1]) not in self.held:
            return 404, {"message": "Annotation not found"}
        match method, one:
            case "GET", None:
                return 200, self._listed(parse_qsl(query, strict_parsing=True))
            case "GET", found:
                return 200, self.held[int(found[1])]
            case "POST", None:
                return self._written(self.hold(text=""), body, "Annotation added")
            case "PUT", found if found is not None:
                return self._written(int(found[1]), body, "Annotation updated")
        return 405, {"message": "Method not allowed"}

    def _listed(self, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
        assert {name for name, _ in query} <= {"tags", "type", "limit"}
        wanted = [_pair(value) for name, value in query if name == "tags"]
        return [
            one
            for one in self.held.values()
            # As a database without regard to case finds them.
            if all(any(_matches(_pair(tag), pair) for tag in one["tags"]) for pair in wanted)
        ]

    def _written(self, number: int, body: Any, message: str) -> Answer:
        assert body.keys() <= _FIELDS
        refused = not body["text"] or sum(len(tag.encode()) + 3 for tag in body["tags"]) + 2 > 500
        if refused:
            if message == "Annotation added":
                del self.held[number]
            return 400, {"message": "Failed to save annotation"}
        old = self.held[number]
        # 0 and null are "not given"; a new one without an end is an instant.
        time = body["time"] or old["time"]
        end = body["timeEnd"] or (time if message == "Annotation added" else old["timeEnd"])
        self.held[number] = {"id": number, "time": time, "timeEnd": end, "text": body["text"], "tags": body["tags"]}
        return 200, {"message": message, **({"id": number} if message == "Annotation added" else {})}


def _pair(tag: str) -> tuple[str, str]:
    key, _, value = tag.partition(":")
    return key.strip(), value.partition(":")[0].strip()


def _matches(tag: tuple[str, str], wanted: tuple[str, str]) -> bool:
    return tag[0].lower() == wanted[0].lower() and (not wanted[1] or tag[1].lower() == wanted[1].lower())
