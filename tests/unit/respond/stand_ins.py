"""Strict stand-ins for receivers, on real sockets of loopback: each checks every field and every limit that it knows."""

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

ROUTING_KEY = "R0UT1NGKEY0FTHETESTS000000000000"
SECRET = "secret-of-the-webhook"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer. cut: the connection is dropped without one; accept: the usual is done with the message before."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    accept: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class StandIn:
    """A server; ``replies`` are given instead of the usual answer, the first one first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply] = []
        self.faults: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        reply = self.replies.pop(0) if self.replies else None
        if reply is None or reply.accept:
            usual = self.usual(asked)
            return usual if reply is None else reply
        return reply

    def usual(self, asked: Asked) -> Reply:
        del asked
        return Reply()


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = stand_in.take(Asked(path=self.path, headers=headers, body=body))
            if reply.cut:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def do_GET(self) -> None:
            stand_in.faults.append(f"GET {self.path}")
            self.send_error(405)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)"
_EVENT = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
_CHANGE = {"summary", "source", "timestamp", "custom_details"}


class PagerDuty(StandIn):
    """The Events API: alerts by their keys, with the states that people see. alerts: all there ever were, by key."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, list[str]] = {}
        self.pages = 0
        self.changes: list[dict[str, Any]] = []

    def usual(self, asked: Asked) -> Reply:
        errors = self._errors(asked)
        if errors:
            self.faults += errors
            body = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
            return Reply(status=400, body=json.dumps(body).encode())
        event = asked.json
        answer = {"status": "success", "message": "Event processed"}
        if asked.path == "/v2/change/enqueue":
            self.changes.append(event)
        else:
            self._do(event["event_action"], event["dedup_key"])
            answer["dedup_key"] = event["dedup_key"]
        return Reply(status=202, body=json.dumps(answer).encode())

    def _do(self, action: str, key: str) -> None:
        states = self.alerts.setdefault(key, [])
        is_open = bool(states) and states[-1] != "resolved"
        if action == "trigger" and not is_open:
            states.append("triggered")
            self.pages += 1
        elif action == "acknowledge" and is_open and states[-1] == "triggered":
            states.append("acknowledged")
        elif action == "resolve" and is_open:
            states.append("resolved")

    def _errors(self, asked: Asked) -> list[str]:
        if asked.path not in {"/v2/enqueue", "/v2/change/enqueue"}:
            return [f"no such path {asked.path}"]
        if not asked.headers["content-type"].startswith("application/json") or len(asked.body) > 512 * 1024:
            return [f"{asked.headers['content-type']}, {len(asked.body)} bytes"]
        event = asked.json
        errors = [f"Length of 'routing_key' is incorrect ({event.get('routing_key')})"] * (
            event.get("routing_key") != ROUTING_KEY
        )
        if asked.path == "/v2/change/enqueue":
            errors += [f"unknown {name}" for name in event.keys() - {"routing_key", "payload", "links"}]
            return errors + self._payload_errors(event.get("payload"), _CHANGE, {"summary"}) + self._link_errors(event)
        errors += [f"unknown {name}" for name in event.keys() - _EVENT]
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            errors.append("event_action is invalid")
        if not isinstance(event.get("dedup_key"), str) or not 0 < len(event["dedup_key"]) <= 255:
            errors.append("dedup_key is invalid")
        if event.get("event_action") == "trigger":
            errors += self._payload_errors(event.get("payload"), _PAYLOAD, {"summary", "source", "severity"})
            errors += self._link_errors(event) + self._image_errors(event)
            if not re.fullmatch(r"https?://\S+", event.get("client_url", "http://x")):
                errors.append("client_url is invalid")
        return errors

    @staticmethod
    def _payload_errors(payload: Any, known: set[str], needed: set[str]) -> list[str]:
        if not isinstance(payload, dict):
            return ["payload is missing"]
        errors = [f"payload has unknown {name}" for name in payload.keys() - known]
        errors += [f"payload lacks {name}" for name in needed if not payload.get(name)]
        errors += [
            f"{name} is no text" for name in payload.keys() - {"custom_details"} if not isinstance(payload[name], str)
        ]
        if len(payload.get("summary", "")) > 1024:
            errors.append("summary is too long")
        if payload.get("severity", "info") not in {"critical", "error", "warning", "info"}:
            errors.append("severity is invalid")
        if not re.fullmatch(_ISO, payload.get("timestamp", "2026-01-01T00:00:00Z")):
            errors.append("timestamp is invalid")
        if not isinstance(payload.get("custom_details", {}), dict):
            errors.append("custom_details is no object")
        return errors

    @staticmethod
    def _link_errors(event: Mapping[str, Any]) -> list[str]:
        return [
            "link is invalid"
            for link in event.get("links", [])
            if not link.keys() <= {"href", "text"} or not re.fullmatch(r"https?://\S+", link["href"])
        ]

    @staticmethod
    def _image_errors(event: Mapping[str, Any]) -> list[str]:
        return [
            "image is invalid"
            for image in event.get("images", [])
            if not image.keys() <= {"src", "href", "alt"} or not re.fullmatch(r"https://\S+", image["src"])
        ]


class Webhook(StandIn):
    """A receiver of signed CloudEvents, that does each event once."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, Any]] = {}

    def usual(self, asked: Asked) -> Reply:
        timestamp = asked.headers.get("x-driftband-timestamp", "")
        expected = hmac.new(SECRET.encode(), f"{timestamp}:".encode() + asked.body, hashlib.sha256).hexdigest()
        event = asked.json
        good = {
            "signature": asked.headers.get("x-driftband-signature") == expected,
            "timestamp": re.fullmatch(r"[0-9]{10}", timestamp) is not None,
            "content type": asked.headers["content-type"].startswith("application/cloudevents+json"),
            "keys": event.keys()
            == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"},
            "specversion": event["specversion"] == "1.0",
            "type": event["type"]
            in {f"driftband.incident.{deed}" for deed in ("opened", "updated", "acknowledged", "resolved")},
            "texts": all(isinstance(event[name], str) and event[name] for name in ("id", "source", "subject")),
            "time": datetime.fromisoformat(event["time"]).tzinfo is not None,
            "data": isinstance(event["data"], dict) and event["data"]["id"] == event["subject"],
        }
        wrong = [name for name, is_good in good.items() if not is_good]
        if wrong:
            self.faults += wrong
            return Reply(status=400, body=f"bad {wrong}".encode())
        self.events.setdefault(event["id"], event)
        return Reply(status=204)
